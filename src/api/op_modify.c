/* Changing tasks: name, password, endpoint, live rate limits. */
#include "api/api.h"

static const api_par modify_dts_job_name_pars[] = {
    {"DtsJobId", PAR_STRING, PAR_REQUIRED, "Id of the task."},
    {"DtsJobName", PAR_STRING, PAR_REQUIRED, "Dts Job Name."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "Resource Group Id."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Zero Etl Job."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_modify_dts_job_name(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    service_fault sf = {0};
    err e = ERR_INIT;
    return service_rename(c->svc, call_job_ref(c), call_get(c, "DtsJobName"), &sf, &e) || call_failed(c, f, &sf, &e);
}

const api_op op_ModifyDtsJobName = {"ModifyDtsJobName", 'b', 'i', "Modifies the name of a DTS task by calling ModifyDtsJobName.", modify_dts_job_name_pars, run_modify_dts_job_name};

static const api_par modify_dts_job_password_pars[] = {
    {"DtsInstanceId", PAR_STRING, 0, "Id of the instance."},
    {"DtsJobId", PAR_STRING, 0, "Id of the task."},
    {"Endpoint", PAR_STRING, PAR_REQUIRED, "Endpoint: src, dest."},
    {"Password", PAR_STRING, PAR_SECRET, "Password."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "Resource Group Id."},
    {"SynchronizationDirection", PAR_STRING, 0, "Synchronization Direction: Forward, Reverse."},
    {"UserName", PAR_STRING, 0, "User Name."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Zero Etl Job."},
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

const api_op op_ModifyDtsJobPassword = {"ModifyDtsJobPassword", 'b', 'i', "Modifies the password of a DTS task (new version).", modify_dts_job_password_pars, run_modify_dts_job_password};

static const api_par modify_dts_job_endpoint_pars[] = {
    {"AliyunUid", PAR_STRING, 0, "Aliyun Uid."},
    {"Database", PAR_STRING, 0, "Database."},
    {"DryRun", PAR_BOOLEAN, 0, "Dry Run."},
    {"DtsInstanceId", PAR_STRING, 0, "Id of the instance."},
    {"DtsJobId", PAR_STRING, 0, "Id of the task."},
    {"Endpoint", PAR_STRING, PAR_REQUIRED, "Endpoint: src, dest."},
    {"EndpointInstanceId", PAR_STRING, 0, "Endpoint Instance Id."},
    {"EndpointInstanceType", PAR_STRING, 0, "Endpoint Instance Type: rds, polardb, mongodb, distributed_mongodb, greenplum, kafka, ecs, express."},
    {"EndpointIp", PAR_STRING, 0, "Endpoint Ip."},
    {"EndpointPort", PAR_STRING, 0, "Endpoint Port."},
    {"EndpointRegionId", PAR_STRING, 0, "Endpoint Region Id."},
    {"ModifyAccount", PAR_BOOLEAN, 0, "Modify Account."},
    {"Password", PAR_STRING, PAR_SECRET, "Password."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "Resource Group Id."},
    {"RoleName", PAR_STRING, 0, "Role Name."},
    {"ShardPassword", PAR_STRING, PAR_SECRET, "Shard Password."},
    {"ShardUsername", PAR_STRING, 0, "Shard Username."},
    {"SynchronizationDirection", PAR_STRING, 0, "Synchronization Direction: Forward, Reverse."},
    {"Username", PAR_STRING, 0, "Username."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Zero Etl Job."},
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

const api_op op_ModifyDtsJobEndpoint = {"ModifyDtsJobEndpoint", 'b', 's', "Modifies the source or destination instance of a DTS synchronization or migration task.", modify_dts_job_endpoint_pars, run_modify_dts_job_endpoint};

static const api_par modify_dynamic_config_pars[] = {
    {"ConfigList", PAR_STRING, 0, "Config List: dts.datamove.blaster.qps.max, dts.datamove.source.rps.max, dts.datamove.source.bps.max."},
    {"DtsJobId", PAR_STRING, PAR_REQUIRED, "Id of the task."},
    {"EnableLimit", PAR_BOOLEAN, 0, "Enable Limit."},
    {"JobCode", PAR_STRING, PAR_REQUIRED, "Job Code: 03, 04, 07."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "Resource Group Id."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_modify_dynamic_config(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    service_fault sf = {0};
    err e = ERR_INIT;
    return service_set_limits(c->svc, call_job_ref(c), call_get(c, "JobCode"), call_bool(c, "EnableLimit", true), call_get(c, "ConfigList"), &sf, &e) || call_failed(c, f, &sf, &e);
}

const api_op op_ModifyDynamicConfig = {"ModifyDynamicConfig", 'b', 'i', "Adjusts the migration rate of a data synchronization or migration instance.", modify_dynamic_config_pars, run_modify_dynamic_config};
