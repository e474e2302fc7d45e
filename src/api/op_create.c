/* CreateDtsInstance: buying an instance; here every key may. */
#include "api/api.h"

static const api_par create_dts_instance_pars[] = {
    {"AutoPay", PAR_BOOLEAN, 0, "Auto Pay."},
    {"AutoStart", PAR_BOOLEAN, 0, "Auto Start."},
    {"ComputeUnit", PAR_INTEGER, 0, "Compute Unit."},
    {"DatabaseCount", PAR_INTEGER, 0, "Database Count."},
    {"DestinationEndpointEngineName", PAR_STRING, 0, "Destination Endpoint Engine Name: MySQL, PolarDB, polardb_o, polardb_pg, Redis, DRDS, PostgreSQL, odps."},
    {"DestinationRegion", PAR_STRING, 0, "Destination Region."},
    {"DtsRegion", PAR_STRING, 0, "Dts Region."},
    {"Du", PAR_INTEGER, 0, "Du."},
    {"FeeType", PAR_STRING, 0, "Fee Type."},
    {"InsightModule", PAR_BOOLEAN, 0, "Insight Module."},
    {"InstanceClass", PAR_STRING, 0, "Instance Class."},
    {"JobId", PAR_STRING, 0, "Job Id."},
    {"MaxDu", PAR_STRING, 0, "Max Du."},
    {"MinDu", PAR_STRING, 0, "Min Du."},
    {"PayType", PAR_STRING, 0, "Pay Type: PrePaid, PostPaid."},
    {"Period", PAR_STRING, 0, "Period."},
    {"Quantity", PAR_INTEGER, 0, "Quantity."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "Resource Group Id."},
    {"SourceEndpointEngineName", PAR_STRING, 0, "Source Endpoint Engine Name: MySQL, PolarDB, polardb_o, polardb_pg, Redis, DRDS, PostgreSQL, odps."},
    {"SourceRegion", PAR_STRING, 0, "Source Region."},
    {"SyncArchitecture", PAR_STRING, 0, "Sync Architecture: oneway, bidirectional."},
    {"Type", PAR_STRING, 0, "Type: MIGRATION, SYNC, SUBSCRIBE."},
    {"UsedTime", PAR_INTEGER, 0, "Used Time."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_create_dts_instance(api_call *c, json_t *answer, api_fault *f)
{
    create_request q = {.type = call_get(c, "Type"), .job_id = call_get(c, "JobId"), .instance_class = call_get(c, "InstanceClass"), .pay_type = call_get(c, "PayType"),
                        .sync_architecture = call_get(c, "SyncArchitecture"), .source_engine = call_get(c, "SourceEndpointEngineName"),
                        .target_engine = call_get(c, "DestinationEndpointEngineName"), .region = c->region, .client_token = call_get(c, "ClientToken"),
                        .auto_start = call_bool(c, "AutoStart", false)};
    job_record r;
    service_fault sf = {0};
    err e = ERR_INIT;
    if (!q.type.n && !q.job_id.n) return fault_set(f, API_ERROR_MISSING_PARAMETER, STR("Type"), STR("MIGRATION or SYNC"));
    if (!service_create(c->svc, &q, c->mem, &r, &sf, &e)) return call_failed(c, f, &sf, &e);
    answer_set(answer, "InstanceId", r.instance_id);
    answer_set(answer, "JobId", r.job_id);
    return true;
}

const api_op op_CreateDtsInstance = {"CreateDtsInstance", 's', '-', "Purchases a DTS instance by calling the CreateDtsInstance operation.", create_dts_instance_pars, run_create_dts_instance};
