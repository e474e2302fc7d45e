/* CreateDtsInstance: buying an instance; here every key may. */
#include "api/api.h"

static const api_par create_dts_instance_pars[] = {
    {"AutoPay", PAR_BOOLEAN, PAR_IGNORED, "Pays by itself."},
    {"AutoStart", PAR_BOOLEAN, 0, "Starts the task named by JobId at once."},
    {"ComputeUnit", PAR_INTEGER, PAR_IGNORED, "Compute units of ETL."},
    {"DatabaseCount", PAR_INTEGER, PAR_IGNORED, "Number of databases of a distributed source."},
    {"DestinationEndpointEngineName", PAR_STRING, 0, "The engine of the destination."},
    {"DestinationRegion", PAR_STRING, PAR_IGNORED, "The region of the destination."},
    {"DtsRegion", PAR_STRING, PAR_IGNORED, "The region of the instance."},
    {"Du", PAR_INTEGER, PAR_IGNORED, "Units of a dedicated cluster."},
    {"FeeType", PAR_STRING, PAR_IGNORED, "The billing type."},
    {"InsightModule", PAR_BOOLEAN, PAR_IGNORED, "Special business-specific."},
    {"InstanceClass", PAR_STRING, 0, "The instance class; kept and answered."},
    {"JobId", PAR_STRING, 0, "The ID of a task that was configured first."},
    {"MaxDu", PAR_STRING, PAR_IGNORED, "Upper limit of a serverless instance."},
    {"MinDu", PAR_STRING, PAR_IGNORED, "Lower limit of a serverless instance."},
    {"PayType", PAR_STRING, 0, "PrePaid or PostPaid; kept and answered."},
    {"Period", PAR_STRING, PAR_IGNORED, "Year or Month."},
    {"Quantity", PAR_INTEGER, PAR_IGNORED, "Number of instances; one is made."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"SourceEndpointEngineName", PAR_STRING, 0, "The engine of the source."},
    {"SourceRegion", PAR_STRING, PAR_IGNORED, "The region of the source."},
    {"SyncArchitecture", PAR_STRING, 0, "oneway (default)."},
    {"Type", PAR_STRING, 0, "MIGRATION or SYNC; needed when JobId is absent."},
    {"UsedTime", PAR_INTEGER, PAR_IGNORED, "Number of periods."},
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

const api_op op_CreateDtsInstance = {"CreateDtsInstance", 's', '-', "Makes an instance with its task, or purchases a task that was configured first.", create_dts_instance_pars, run_create_dts_instance};
