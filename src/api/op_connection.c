/* DescribeConnectionStatus: testing both ends before configuring. */
#include "api/api.h"
#include "api/endpoint.h"

static const api_par describe_connection_status_pars[] = {
    {"DestinationEndpointArchitecture", PAR_STRING, PAR_IGNORED, "The architecture of an Oracle destination."},
    {"DestinationEndpointDatabaseName", PAR_STRING, 0, "The database of the destination."},
    {"DestinationEndpointEngineName", PAR_STRING, 0, "The engine of the destination."},
    {"DestinationEndpointIP", PAR_STRING, 0, "The address of the destination."},
    {"DestinationEndpointInstanceID", PAR_STRING, 0, "The instance; host:port is accepted."},
    {"DestinationEndpointInstanceType", PAR_STRING, 0, "LocalInstance for address and port."},
    {"DestinationEndpointOracleSID", PAR_STRING, PAR_IGNORED, "The SID of an Oracle destination."},
    {"DestinationEndpointPassword", PAR_STRING, PAR_SECRET, "The password on the destination."},
    {"DestinationEndpointPort", PAR_STRING, 0, "The port of the destination."},
    {"DestinationEndpointRegion", PAR_STRING, PAR_IGNORED, "The region of the destination."},
    {"DestinationEndpointUserName", PAR_STRING, 0, "The account on the destination."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"SourceEndpointArchitecture", PAR_STRING, PAR_IGNORED, "The architecture of an Oracle source."},
    {"SourceEndpointDatabaseName", PAR_STRING, 0, "The database of the source."},
    {"SourceEndpointEngineName", PAR_STRING, 0, "The engine of the source."},
    {"SourceEndpointIP", PAR_STRING, 0, "The address of the source."},
    {"SourceEndpointInstanceID", PAR_STRING, 0, "The instance; host:port is accepted."},
    {"SourceEndpointInstanceType", PAR_STRING, 0, "LocalInstance for address and port."},
    {"SourceEndpointOracleSID", PAR_STRING, PAR_IGNORED, "The SID of an Oracle source."},
    {"SourceEndpointPassword", PAR_STRING, PAR_SECRET, "The password on the source."},
    {"SourceEndpointPort", PAR_STRING, 0, "The port of the source."},
    {"SourceEndpointRegion", PAR_STRING, PAR_IGNORED, "The region of the source."},
    {"SourceEndpointUserName", PAR_STRING, 0, "The account on the source."},
    {NULL, PAR_STRING, 0, NULL},
};

/* The map of one end: connectRes and what was tested. */
static json_t *status_object(const json_t *report)
{
    if (!json_is_object(report)) return json_object();
    bool ok = json_is_true(json_object_get(report, "ok"));
    json_t *o = json_pack("{s:s, s:[{s:s, s:b}]}", "connectRes", ok ? "success" : "failed", "connectDetail", "testName", "login", "testSuccess", (int)ok);
    static const char *const members[] = {"product", "version", "code", "text"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (json_object_get(report, members[i])) json_object_set(o, members[i], json_object_get(report, members[i]));
    return o;
}

static bool run_describe_connection_status(api_call *c, json_t *answer, api_fault *f)
{
    endpoint_request ends[2];
    service_fault sf = {0};
    err e = ERR_INIT;
    str text;
    call_endpoint(c, false, &ends[0]);
    call_endpoint(c, true, &ends[1]);
    if (!service_test_connection(c->svc, &ends[0], &ends[1], c->mem, &text, &e)) return call_failed(c, f, &sf, &e);
    json_t *report = json_loadb(text.p, text.n, 0, NULL);
    json_object_set_new(answer, "SourceConnectionStatus", status_object(json_object_get(report, "source")));
    json_object_set_new(answer, "DestinationConnectionStatus", status_object(json_object_get(report, "target")));
    json_decref(report);
    return true;
}

const api_op op_DescribeConnectionStatus = {"DescribeConnectionStatus", 's', '-', "Tests the connections to both databases.", describe_connection_status_pars, run_describe_connection_status};
