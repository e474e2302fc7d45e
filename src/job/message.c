/* Messages about a job for its roles. */
#include "job/message.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "job/ctl.h"
#include "job/service.h"
#include "model/endpoint.h"

static int tls_of(str ssl)
{
    if (str_eq(ssl, STR("0"))) return TLS_OFF;
    return str_eq(ssl, STR("1")) ? TLS_REQUIRE : TLS_PREFER;
}

static json_t *policy_object(const net_policy *p)
{
    json_t *ports = json_array();
    for (uint32_t i = 0; p && i < p->own_count; i++) json_array_append_new(ports, json_integer(p->own_ports[i]));
    return json_pack("{s:o, s:o}", "own_ports", ports, "allowed", ctl_value(p ? p->allowed_text : STR("")));
}

json_t *message_endpoint(const job_endpoint *ep, str password, const net_policy *policy)
{
    uint64_t port = 0;
    (void)str_to_u64(ep->port, &port);
    return json_pack("{s:o, s:o, s:I, s:o, s:o, s:o, s:i, s:s, s:o}", "engine", ctl_value(ep->engine_name), "host", ctl_value(ep->host), "port", (json_int_t)port, "user", ctl_value(ep->user),
                     "password", ctl_value(password), "database", ctl_value(ep->database), "tls", tls_of(ep->ssl), "tls_ca", "", "policy", policy_object(policy));
}

json_t *message_limits(const job_record *r, const char *phase)
{
    json_t *all = r->limits.n ? json_loadb(r->limits.p, r->limits.n, 0, NULL) : NULL;
    const json_t *l = json_object_get(all, strcmp(phase, "full") == 0 ? "03" : "04");
    json_int_t rows = l ? json_integer_value(json_object_get(l, "rps")) : -1, bytes = l ? json_integer_value(json_object_get(l, "bps")) : -1,
               queries = l ? json_integer_value(json_object_get(l, "qps")) : -1;
    json_decref(all);
    return json_pack("{s:s, s:s, s:I, s:I, s:I}", "type", "limits", "phase", phase, "rows", rows, "bytes", bytes, "queries", queries);
}

/* A whole number of the Reserve object; -1 when absent or not one. */
static json_int_t reserve_number(const json_t *reserve, const char *key)
{
    const json_t *v = json_object_get(reserve, key);
    int64_t n = -1;
    if (json_is_integer(v)) n = json_integer_value(v);
    if (json_is_string(v)) (void)str_to_i64(str_from_c(json_string_value(v)), &n);
    return n;
}

/* A member that may be a text or a JSON boolean; absent means no. */
static bool reserve_flag(const json_t *reserve, const char *key)
{
    const json_t *v = json_object_get(reserve, key);
    return json_is_true(v) || (json_is_string(v) && str_eq_nocase(str_from_c(json_string_value(v)), STR("true")));
}

static void set_number(json_t *m, const char *name, json_int_t value)
{
    if (value >= 0) json_object_set_new(m, name, json_integer(value));
}

/* Our connection's id among the source's replicas: stable per run, outside the range people number by hand. */
static json_int_t replica_id(str run_id) { return (json_int_t)(0x40000000U | (map_hash(run_id) & 0x3fffffffU)); }

json_t *message_job(const char *type, const job_record *r, const secret *source_password, const secret *target_password, const message_options *o, arena *a)
{
    str run = job_run_id(r, a);
    json_t *reserve = r->reserve.n ? json_loadb(r->reserve.p, r->reserve.n, 0, NULL) : NULL;
    const char *mode = json_string_value(json_object_get(reserve, "targetTableMode"));
    bool ignore = (mode && strcmp(mode, "2") == 0) || reserve_number(reserve, "targetTableMode") == 2;
    json_t *m = json_pack("{s:s, s:o, s:I, s:o, s:o, s:o, s:b, s:b, s:b, s:b, s:b, s:I, s:I, s:I}", "type", type, "job_id", ctl_value(run), "epoch", (json_int_t)r->epoch, "source",
                          message_endpoint(&r->source, secret_str(source_password), o->policy), "target", message_endpoint(&r->target, secret_str(target_password), o->policy), "db_list",
                          ctl_value(r->db_list), "schema", (int)r->schema, "full", (int)r->full, "incremental", (int)r->incremental, "ignore_existing", (int)ignore, "ddl", !reserve_flag(reserve, "filterDDL"), "lanes",
                          (json_int_t)o->lanes, "budget_bytes", (json_int_t)o->budget_bytes, "replica_id", replica_id(run));
    set_number(m, "lanes", reserve_number(reserve, "sluice.lanes"));
    set_number(m, "chunk_rows", reserve_number(reserve, "sluice.chunkRows"));
    if (json_is_object(json_object_get(reserve, "sluice.types"))) json_object_set(m, "types", json_object_get(reserve, "sluice.types"));
    set_number(m, "window_rows", reserve_number(reserve, "sluice.windowRows"));
    set_number(m, "retry_for_us", (json_int_t)service_retry_limit_s(r->reserve) * 1000000);
    json_object_set_new(m, "rights", json_boolean(reserve_flag(reserve, "privilegeMigration")));
    if (o->spill_folder) json_object_set_new(m, "spill_folder", json_string(o->spill_folder));
    json_object_set_new(m, "limits", json_pack("{s:o, s:o}", "full", message_limits(r, "full"), "stream", message_limits(r, "stream")));
    json_decref(reserve);
    return m;
}
