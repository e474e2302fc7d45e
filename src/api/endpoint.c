/* Endpoint parameters of a call. */
#include "api/endpoint.h"

#include <stdio.h>

static str part(const api_call *c, bool destination, const char *name)
{
    char full[80];
    snprintf(full, sizeof full, "%sEndpoint%s", destination ? "Destination" : "Source", name);
    return call_get(c, full);
}

/* ConfigureDtsJob writes it with a capital B at the destination. */
static str database_part(const api_call *c, bool destination)
{
    str name = part(c, destination, "DatabaseName");
    return name.n ? name : part(c, destination, "DataBaseName");
}

void call_endpoint(const api_call *c, bool destination, endpoint_request *ret)
{
    str reserve = call_get(c, "Reserve"), ssl = STR("");
    json_t *o = reserve.n ? json_loadb(reserve.p, reserve.n, 0, NULL) : NULL, *v = json_object_get(o, destination ? "destSSL" : "srcSSL");
    if (json_is_string(v)) ssl = arena_copy(c->mem, str_from_c(json_string_value(v)));
    if (json_is_integer(v)) ssl = json_integer_value(v) ? STR("1") : STR("0");
    json_decref(o);
    *ret = (endpoint_request){.instance_type = part(c, destination, "InstanceType"), .instance_id = part(c, destination, "InstanceID"),
                              .engine_name = part(c, destination, "EngineName"), .region = part(c, destination, "Region"), .host = part(c, destination, "IP"),
                              .port = part(c, destination, "Port"), .database = database_part(c, destination), .user = part(c, destination, "UserName"),
                              .password = part(c, destination, "Password"), .role = part(c, destination, "Role"), .owner_id = part(c, destination, "OwnerID"),
                              .oracle_sid = part(c, destination, "OracleSID"), .ssl = ssl};
}
