/* Changing tasks: name, password, endpoint, live rate limits. */
#include "api/api.h"

static const api_par modify_dts_job_name_pars[] = {
    {"DtsJobId", PAR_STRING, PAR_REQUIRED, "The ID of the task."},
    {"DtsJobName", PAR_STRING, PAR_REQUIRED, "The new name."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Special business-specific."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_modify_dts_job_name(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    service_fault sf = {0};
    err e = ERR_INIT;
    return service_rename(c->svc, call_job_ref(c), call_get(c, "DtsJobName"), &sf, &e) || call_failed(c, f, &sf, &e);
}

const api_op op_ModifyDtsJobName = {"ModifyDtsJobName", 'b', 'i', "Renames a task.", modify_dts_job_name_pars, run_modify_dts_job_name};

static const api_par modify_dts_job_password_pars[] = {
    {"DtsInstanceId", PAR_STRING, 0, "The ID of the instance; either id is enough, both must agree."},
    {"DtsJobId", PAR_STRING, 0, "The ID of the task."},
    {"Endpoint", PAR_STRING, PAR_REQUIRED, "src or dest."},
    {"Password", PAR_STRING, PAR_SECRET, "The new password."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"SynchronizationDirection", PAR_STRING, 0, "Forward (default) or Reverse; Reverse only for a two-way task."},
    {"UserName", PAR_STRING, 0, "The new account."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Special business-specific."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_modify_dts_job_password(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    service_fault sf = {0};
    err e = ERR_INIT;
    endpoint_request q = {.user = call_get(c, "UserName"), .password = call_get(c, "Password")};
    return service_change_endpoint(c->svc, call_job_ref(c), call_get(c, "Endpoint"), &q, &sf, &e) || call_failed(c, f, &sf, &e);
}

const api_op op_ModifyDtsJobPassword = {"ModifyDtsJobPassword", 'b', 'i', "Changes the account of one end; a running task connects anew.", modify_dts_job_password_pars, run_modify_dts_job_password};

static const api_par modify_dts_job_endpoint_pars[] = {
    {"AliyunUid", PAR_STRING, PAR_IGNORED, "The account of the instance."},
    {"Database", PAR_STRING, 0, "The new default database."},
    {"DryRun", PAR_BOOLEAN, 0, "true: only tests the connection."},
    {"DtsInstanceId", PAR_STRING, 0, "The ID of the instance; either id is enough, both must agree."},
    {"DtsJobId", PAR_STRING, 0, "The ID of the task."},
    {"Endpoint", PAR_STRING, PAR_REQUIRED, "src or dest."},
    {"EndpointInstanceId", PAR_STRING, 0, "An instance; host:port is accepted."},
    {"EndpointInstanceType", PAR_STRING, 0, "other for address and port."},
    {"EndpointIp", PAR_STRING, 0, "The new address."},
    {"EndpointPort", PAR_STRING, 0, "The new port."},
    {"EndpointRegionId", PAR_STRING, 0, "The region of the database."},
    {"ModifyAccount", PAR_BOOLEAN, 0, "true: Username and Password change too."},
    {"Password", PAR_STRING, PAR_SECRET, "The new password."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"RoleName", PAR_STRING, PAR_IGNORED, "The role."},
    {"ShardPassword", PAR_STRING, PAR_SECRET | PAR_IGNORED, "The password of shards."},
    {"ShardUsername", PAR_STRING, PAR_IGNORED, "The account of shards."},
    {"SynchronizationDirection", PAR_STRING, 0, "Forward (default) or Reverse; Reverse only for a two-way task."},
    {"Username", PAR_STRING, 0, "The new account."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Special business-specific."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_modify_dts_job_endpoint(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    service_fault sf = {0};
    err e = ERR_INIT;
    endpoint_request q = {.instance_type = call_get(c, "EndpointInstanceType"), .instance_id = call_get(c, "EndpointInstanceId"), .region = call_get(c, "EndpointRegionId"),
                          .host = call_get(c, "EndpointIp"), .port = call_get(c, "EndpointPort"), .database = call_get(c, "Database"), .user = call_get(c, "Username"),
                          .password = call_get(c, "Password")};
    if (call_bool(c, "DryRun", false)) return fault_set(f, API_ERROR_NOT_SUPPORTED, STR("DryRun"), STR("test the new endpoint with DescribeConnectionStatus"));
    return service_change_endpoint(c->svc, call_job_ref(c), call_get(c, "Endpoint"), &q, &sf, &e) || call_failed(c, f, &sf, &e);
}

const api_op op_ModifyDtsJobEndpoint = {"ModifyDtsJobEndpoint", 'b', 's', "Points one end of a task to another address of the same data.", modify_dts_job_endpoint_pars, run_modify_dts_job_endpoint};

static const api_par modify_dynamic_config_pars[] = {
    {"ConfigList", PAR_STRING, 0, "JSON object: dts.datamove.source.rps.max, dts.datamove.source.bps.max, dts.datamove.blaster.qps.max; -1 = no limit."},
    {"DtsJobId", PAR_STRING, PAR_REQUIRED, "The ID of the task."},
    {"EnableLimit", PAR_BOOLEAN, 0, "false removes the limits."},
    {"JobCode", PAR_STRING, PAR_REQUIRED, "03 full load, 04 or 07 stream."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_modify_dynamic_config(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    service_fault sf = {0};
    err e = ERR_INIT;
    return service_set_limits(c->svc, call_job_ref(c), call_get(c, "JobCode"), call_bool(c, "EnableLimit", true), call_get(c, "ConfigList"), &sf, &e) || call_failed(c, f, &sf, &e);
}

const api_op op_ModifyDynamicConfig = {"ModifyDynamicConfig", 'b', 'i', "Limits the rate of a task while it runs.", modify_dynamic_config_pars, run_modify_dynamic_config};
