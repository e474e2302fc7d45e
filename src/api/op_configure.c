/* ConfigureDtsJob: what a task moves, from where and to where. */
#include "api/api.h"
#include "api/endpoint.h"

static const api_par configure_dts_job_pars[] = {
    {"Checkpoint", PAR_STRING, 0, "Checkpoint."},
    {"DataCheckConfigure", PAR_JSON, 0, "Data Check Configure."},
    {"DataInitialization", PAR_BOOLEAN, PAR_REQUIRED, "Data Initialization."},
    {"DataSynchronization", PAR_BOOLEAN, PAR_REQUIRED, "Data Synchronization."},
    {"DbList", PAR_JSON, PAR_REQUIRED, "Db List."},
    {"DedicatedClusterId", PAR_STRING, 0, "Dedicated Cluster Id."},
    {"DelayNotice", PAR_BOOLEAN, 0, "Delay Notice."},
    {"DelayPhone", PAR_STRING, 0, "Delay Phone."},
    {"DelayRuleTime", PAR_LONG, 0, "Delay Rule Time."},
    {"DestCaCertificateOssUrl", PAR_STRING, 0, "Dest Ca Certificate Oss Url."},
    {"DestCaCertificatePassword", PAR_STRING, PAR_SECRET, "Dest Ca Certificate Password."},
    {"DestClientCertOssUrl", PAR_STRING, 0, "Dest Client Cert Oss Url."},
    {"DestClientKeyOssUrl", PAR_STRING, 0, "Dest Client Key Oss Url."},
    {"DestClientPassword", PAR_STRING, PAR_SECRET, "Dest Client Password."},
    {"DestPrimaryVswId", PAR_STRING, 0, "Dest Primary Vsw Id."},
    {"DestSecondaryVswId", PAR_STRING, 0, "Dest Secondary Vsw Id."},
    {"DestinationEndpointDataBaseName", PAR_STRING, 0, "Destination Endpoint Data Base Name."},
    {"DestinationEndpointEngineName", PAR_STRING, 0, "Destination Endpoint Engine Name: MYSQL, MARIADB, PolarDB, POLARDB_O, POLARDBX10, POLARDBX20, ORACLE, PostgreSQL."},
    {"DestinationEndpointIP", PAR_STRING, 0, "Destination Endpoint IP."},
    {"DestinationEndpointInstanceID", PAR_STRING, 0, "Destination Endpoint Instance ID."},
    {"DestinationEndpointInstanceType", PAR_STRING, PAR_REQUIRED, "Destination Endpoint Instance Type: RDS, PolarDB, DISTRIBUTED_POLARDBX10, POLARDBX20, REDIS, ADS, MONGODB, ROCKETMQ."},
    {"DestinationEndpointOracleSID", PAR_STRING, 0, "Destination Endpoint Oracle SID."},
    {"DestinationEndpointOwnerID", PAR_STRING, 0, "Destination Endpoint Owner ID."},
    {"DestinationEndpointPassword", PAR_STRING, PAR_SECRET, "Destination Endpoint Password."},
    {"DestinationEndpointPort", PAR_STRING, 0, "Destination Endpoint Port."},
    {"DestinationEndpointRegion", PAR_STRING, 0, "Destination Endpoint Region."},
    {"DestinationEndpointRole", PAR_STRING, 0, "Destination Endpoint Role."},
    {"DestinationEndpointUserName", PAR_STRING, 0, "Destination Endpoint User Name."},
    {"DisasterRecoveryJob", PAR_BOOLEAN, 0, "Disaster Recovery Job."},
    {"DtsBisLabel", PAR_STRING, 0, "Dts Bis Label: normal, online."},
    {"DtsInstanceId", PAR_STRING, 0, "Id of the instance."},
    {"DtsJobId", PAR_STRING, 0, "Id of the task."},
    {"DtsJobName", PAR_STRING, PAR_REQUIRED, "Dts Job Name."},
    {"ErrorNotice", PAR_BOOLEAN, 0, "Error Notice."},
    {"ErrorPhone", PAR_STRING, 0, "Error Phone."},
    {"FileOssUrl", PAR_STRING, 0, "File Oss Url."},
    {"JobType", PAR_STRING, PAR_REQUIRED, "Job Type: MIGRATION, SYNC, CHECK."},
    {"MaxDu", PAR_STRING, 0, "Max Du."},
    {"MinDu", PAR_STRING, 0, "Min Du."},
    {"OwnerId", PAR_STRING, PAR_IGNORED, "Owner Id."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region."},
    {"Reserve", PAR_JSON, 0, "Reserve."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "Resource Group Id."},
    {"SourceEndpointDatabaseName", PAR_STRING, 0, "Source Endpoint Database Name."},
    {"SourceEndpointEngineName", PAR_STRING, 0, "Source Endpoint Engine Name: MYSQL, MARIADB, PolarDB, POLARDB_O, POLARDBX10, POLARDBX20, ADB30, ORACLE."},
    {"SourceEndpointIP", PAR_STRING, 0, "Source Endpoint IP."},
    {"SourceEndpointInstanceID", PAR_STRING, 0, "Source Endpoint Instance ID."},
    {"SourceEndpointInstanceType", PAR_STRING, PAR_REQUIRED, "Source Endpoint Instance Type: RDS, PolarDB, ADS, REDIS, DISTRIBUTED_POLARDBX10, POLARDBX20, MONGODB, DISTRIBUTED_DMSLOGICDB."},
    {"SourceEndpointOracleSID", PAR_STRING, 0, "Source Endpoint Oracle SID."},
    {"SourceEndpointOwnerID", PAR_STRING, 0, "Source Endpoint Owner ID."},
    {"SourceEndpointPassword", PAR_STRING, PAR_SECRET, "Source Endpoint Password."},
    {"SourceEndpointPort", PAR_STRING, 0, "Source Endpoint Port."},
    {"SourceEndpointRegion", PAR_STRING, 0, "Source Endpoint Region."},
    {"SourceEndpointRole", PAR_STRING, 0, "Source Endpoint Role."},
    {"SourceEndpointUserName", PAR_STRING, 0, "Source Endpoint User Name."},
    {"SourceEndpointVSwitchID", PAR_STRING, 0, "Source Endpoint VSwitch ID."},
    {"SrcCaCertificateOssUrl", PAR_STRING, 0, "Src Ca Certificate Oss Url."},
    {"SrcCaCertificatePassword", PAR_STRING, PAR_SECRET, "Src Ca Certificate Password."},
    {"SrcClientCertOssUrl", PAR_STRING, 0, "Src Client Cert Oss Url."},
    {"SrcClientKeyOssUrl", PAR_STRING, 0, "Src Client Key Oss Url."},
    {"SrcClientPassword", PAR_STRING, PAR_SECRET, "Src Client Password."},
    {"SrcPrimaryVswId", PAR_STRING, 0, "Src Primary Vsw Id."},
    {"SrcSecondaryVswId", PAR_STRING, 0, "Src Secondary Vsw Id."},
    {"StructureInitialization", PAR_BOOLEAN, PAR_REQUIRED, "Structure Initialization."},
    {"SynchronizationDirection", PAR_STRING, 0, "Synchronization Direction: Forward, Reverse."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_configure_dts_job(api_call *c, json_t *answer, api_fault *f)
{
    configure_request q = {.ref = call_job_ref(c), .name = call_get(c, "DtsJobName"), .type = call_get(c, "JobType"), .schema = call_bool(c, "StructureInitialization", false),
                           .full = call_bool(c, "DataInitialization", false), .incremental = call_bool(c, "DataSynchronization", false), .db_list = call_get(c, "DbList"),
                           .reserve = call_get(c, "Reserve"), .checkpoint = call_get(c, "Checkpoint"), .region = c->region, .resource_group = call_get(c, "ResourceGroupId"),
                           .client_token = call_get(c, "ClientToken")};
    job_record r;
    service_fault sf = {0};
    err e = ERR_INIT;
    call_endpoint(c, false, &q.source);
    call_endpoint(c, true, &q.target);
    if (!service_configure(c->svc, &q, c->mem, &r, &sf, &e)) return call_failed(c, f, &sf, &e);
    answer_set(answer, "DtsJobId", r.job_id);
    answer_set(answer, "DtsInstanceId", r.instance_id);
    return true;
}

const api_op op_ConfigureDtsJob = {"ConfigureDtsJob", 's', 's', "Configures a data migration or synchronization task.", configure_dts_job_pars, run_configure_dts_job};
