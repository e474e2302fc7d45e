/* DescribeConnectionStatus: testing both ends before configuring. */
#include "api/api.h"
#include "api/endpoint.h"

static const api_par describe_connection_status_pars[] = {
    {"DestinationEndpointArchitecture", PAR_STRING, 0, "Destination Endpoint Architecture: SID, RAC."},
    {"DestinationEndpointDatabaseName", PAR_STRING, 0, "Destination Endpoint Database Name."},
    {"DestinationEndpointEngineName", PAR_STRING, 0, "Destination Endpoint Engine Name."},
    {"DestinationEndpointIP", PAR_STRING, 0, "Destination Endpoint IP."},
    {"DestinationEndpointInstanceID", PAR_STRING, 0, "Destination Endpoint Instance ID."},
    {"DestinationEndpointInstanceType", PAR_STRING, 0, "Destination Endpoint Instance Type: LocalInstance, RDS, DRDS, MongoDB, Redis, PetaData, POLARDB, PolarDB_o."},
    {"DestinationEndpointOracleSID", PAR_STRING, 0, "Destination Endpoint Oracle SID."},
    {"DestinationEndpointPassword", PAR_STRING, PAR_SECRET, "Destination Endpoint Password."},
    {"DestinationEndpointPort", PAR_STRING, 0, "Destination Endpoint Port."},
    {"DestinationEndpointRegion", PAR_STRING, 0, "Destination Endpoint Region."},
    {"DestinationEndpointUserName", PAR_STRING, 0, "Destination Endpoint User Name."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "Resource Group Id."},
    {"SourceEndpointArchitecture", PAR_STRING, 0, "Source Endpoint Architecture: SID, RAC."},
    {"SourceEndpointDatabaseName", PAR_STRING, 0, "Source Endpoint Database Name."},
    {"SourceEndpointEngineName", PAR_STRING, 0, "Source Endpoint Engine Name."},
    {"SourceEndpointIP", PAR_STRING, 0, "Source Endpoint IP."},
    {"SourceEndpointInstanceID", PAR_STRING, 0, "Source Endpoint Instance ID."},
    {"SourceEndpointInstanceType", PAR_STRING, 0, "Source Endpoint Instance Type: RDS, LocalInstance, ECS, Express, dg, MongoDB, POLARDB, PolarDB_o."},
    {"SourceEndpointOracleSID", PAR_STRING, 0, "Source Endpoint Oracle SID."},
    {"SourceEndpointPassword", PAR_STRING, PAR_SECRET, "Source Endpoint Password."},
    {"SourceEndpointPort", PAR_STRING, 0, "Source Endpoint Port."},
    {"SourceEndpointRegion", PAR_STRING, 0, "Source Endpoint Region."},
    {"SourceEndpointUserName", PAR_STRING, 0, "Source Endpoint User Name."},
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

const api_op op_DescribeConnectionStatus = {"DescribeConnectionStatus", 's', '-', "Tests the connectivity between the execution node of a data migration task and the source and destination d...", describe_connection_status_pars, run_describe_connection_status};
