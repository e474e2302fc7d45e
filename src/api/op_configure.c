/* ConfigureDtsJob: what a task moves, from where and to where. */
#include "api/api.h"
#include "api/endpoint.h"

static const api_par configure_dts_job_pars[] = {
    {"Checkpoint", PAR_STRING, 0, "Where the changes begin, Unix seconds."},
    {"DataCheckConfigure", PAR_JSON, PAR_IGNORED, "Settings of the data check."},
    {"DataInitialization", PAR_BOOLEAN, PAR_REQUIRED, "Carries the rows that exist."},
    {"DataSynchronization", PAR_BOOLEAN, PAR_REQUIRED, "Follows the changes."},
    {"DbList", PAR_JSON, PAR_REQUIRED, "The objects as JSON text, at most 1 MiB."},
    {"DedicatedClusterId", PAR_STRING, PAR_IGNORED, "The dedicated cluster."},
    {"DelayNotice", PAR_BOOLEAN, PAR_IGNORED, "Reports delays."},
    {"DelayPhone", PAR_STRING, PAR_IGNORED, "Who is told of delays."},
    {"DelayRuleTime", PAR_LONG, PAR_IGNORED, "Seconds of delay that are reported."},
    {"DestCaCertificateOssUrl", PAR_STRING, 0, "Refused: files behind URLs are not fetched."},
    {"DestCaCertificatePassword", PAR_STRING, PAR_SECRET | PAR_IGNORED, "Certificates of the destination; not fetched."},
    {"DestClientCertOssUrl", PAR_STRING, 0, "Refused: files behind URLs are not fetched."},
    {"DestClientKeyOssUrl", PAR_STRING, 0, "Refused: files behind URLs are not fetched."},
    {"DestClientPassword", PAR_STRING, PAR_SECRET | PAR_IGNORED, "Certificates of the destination; not fetched."},
    {"DestPrimaryVswId", PAR_STRING, PAR_IGNORED, "The switch of the destination."},
    {"DestSecondaryVswId", PAR_STRING, PAR_IGNORED, "The switch of the destination."},
    {"DestinationEndpointDataBaseName", PAR_STRING, 0, "The default database of the destination."},
    {"DestinationEndpointEngineName", PAR_STRING, 0, "The engine of the destination: MySQL, MariaDB or PostgreSQL."},
    {"DestinationEndpointIP", PAR_STRING, 0, "The address of the destination."},
    {"DestinationEndpointInstanceID", PAR_STRING, 0, "The instance of the destination; host:port is accepted."},
    {"DestinationEndpointInstanceType", PAR_STRING, PAR_REQUIRED, "Where the destination runs: OTHER for host and port."},
    {"DestinationEndpointOracleSID", PAR_STRING, 0, "The SID of an Oracle destination."},
    {"DestinationEndpointOwnerID", PAR_STRING, 0, "The owner of the destination."},
    {"DestinationEndpointPassword", PAR_STRING, PAR_SECRET, "The password on the destination."},
    {"DestinationEndpointPort", PAR_STRING, 0, "The port of the destination."},
    {"DestinationEndpointRegion", PAR_STRING, 0, "The region of the destination."},
    {"DestinationEndpointRole", PAR_STRING, 0, "The role for the destination."},
    {"DestinationEndpointUserName", PAR_STRING, 0, "The account on the destination."},
    {"DisasterRecoveryJob", PAR_BOOLEAN, PAR_IGNORED, "A disaster recovery task."},
    {"DtsBisLabel", PAR_STRING, PAR_IGNORED, "The environment label."},
    {"DtsInstanceId", PAR_STRING, 0, "The ID of the instance to configure."},
    {"DtsJobId", PAR_STRING, 0, "The ID of the task to configure; without both ids a task is made."},
    {"DtsJobName", PAR_STRING, PAR_REQUIRED, "The name of the task."},
    {"ErrorNotice", PAR_BOOLEAN, PAR_IGNORED, "Reports failures."},
    {"ErrorPhone", PAR_STRING, PAR_IGNORED, "Who is told of failures."},
    {"FileOssUrl", PAR_STRING, 0, "Refused: files behind URLs are not fetched."},
    {"JobType", PAR_STRING, PAR_REQUIRED, "MIGRATION or SYNC."},
    {"MaxDu", PAR_STRING, PAR_IGNORED, "Upper limit of a serverless instance."},
    {"MinDu", PAR_STRING, PAR_IGNORED, "Lower limit of a serverless instance."},
    {"OwnerId", PAR_STRING, PAR_IGNORED, "The account."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"Reserve", PAR_JSON, 0, "Further settings as a JSON object. maxRetryTime: how long a transient failure is retried, 10 to 1440 minutes, other numbers in seconds, default 43200. privilegeMigration: true carries owners and privileges from PostgreSQL to PostgreSQL, of what the job makes; default false."},
    {"ResourceGroupId", PAR_STRING, 0, "The resource group."},
    {"SourceEndpointDatabaseName", PAR_STRING, 0, "The default database of the source."},
    {"SourceEndpointEngineName", PAR_STRING, 0, "The engine of the source: MySQL, MariaDB or PostgreSQL."},
    {"SourceEndpointIP", PAR_STRING, 0, "The address of the source."},
    {"SourceEndpointInstanceID", PAR_STRING, 0, "The instance of the source; host:port is accepted."},
    {"SourceEndpointInstanceType", PAR_STRING, PAR_REQUIRED, "Where the source runs: OTHER for host and port."},
    {"SourceEndpointOracleSID", PAR_STRING, 0, "The SID of an Oracle source."},
    {"SourceEndpointOwnerID", PAR_STRING, 0, "The owner of the source."},
    {"SourceEndpointPassword", PAR_STRING, PAR_SECRET, "The password on the source."},
    {"SourceEndpointPort", PAR_STRING, 0, "The port of the source."},
    {"SourceEndpointRegion", PAR_STRING, 0, "The region of the source."},
    {"SourceEndpointRole", PAR_STRING, 0, "The role for the source."},
    {"SourceEndpointUserName", PAR_STRING, 0, "The account on the source."},
    {"SourceEndpointVSwitchID", PAR_STRING, PAR_IGNORED, "The switch of the source."},
    {"SrcCaCertificateOssUrl", PAR_STRING, 0, "Refused: files behind URLs are not fetched."},
    {"SrcCaCertificatePassword", PAR_STRING, PAR_SECRET | PAR_IGNORED, "Certificates of the source; not fetched."},
    {"SrcClientCertOssUrl", PAR_STRING, 0, "Refused: files behind URLs are not fetched."},
    {"SrcClientKeyOssUrl", PAR_STRING, 0, "Refused: files behind URLs are not fetched."},
    {"SrcClientPassword", PAR_STRING, PAR_SECRET | PAR_IGNORED, "Certificates of the source; not fetched."},
    {"SrcPrimaryVswId", PAR_STRING, PAR_IGNORED, "The switch of the source."},
    {"SrcSecondaryVswId", PAR_STRING, PAR_IGNORED, "The switch of the source."},
    {"StructureInitialization", PAR_BOOLEAN, PAR_REQUIRED, "Carries the schema."},
    {"SynchronizationDirection", PAR_STRING, 0, "Forward (default) or Reverse; Reverse only for a two-way task."},
    {NULL, PAR_STRING, 0, NULL},
};

/* Certificates would change how a connection is checked: to accept them silently would promise what is not done. */
static bool refuse_files(const api_call *c, api_fault *f)
{
    static const char *const files[] = {"FileOssUrl", "SrcCaCertificateOssUrl", "SrcClientCertOssUrl", "SrcClientKeyOssUrl", "DestCaCertificateOssUrl", "DestClientCertOssUrl",
                                        "DestClientKeyOssUrl"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (call_has(c, files[i])) return fault_set(f, API_ERROR_INVALID_PARAMETER, str_from_c(files[i]), STR("files behind URLs are not fetched; leave it out"));
    return true;
}

static bool run_configure_dts_job(api_call *c, json_t *answer, api_fault *f)
{
    configure_request q = {.ref = call_job_ref(c), .name = call_get(c, "DtsJobName"), .type = call_get(c, "JobType"), .schema = call_bool(c, "StructureInitialization", false),
                           .full = call_bool(c, "DataInitialization", false), .incremental = call_bool(c, "DataSynchronization", false), .db_list = call_get(c, "DbList"),
                           .reserve = call_get(c, "Reserve"), .checkpoint = call_get(c, "Checkpoint"), .region = c->region, .resource_group = call_get(c, "ResourceGroupId"),
                           .client_token = call_get(c, "ClientToken")};
    job_record r;
    service_fault sf = {0};
    err e = ERR_INIT;
    if (!refuse_files(c, f)) return false;
    call_endpoint(c, false, &q.source);
    call_endpoint(c, true, &q.target);
    if (!service_configure(c->svc, &q, c->mem, &r, &sf, &e)) return call_failed(c, f, &sf, &e);
    answer_set(answer, "DtsJobId", r.job_id);
    answer_set(answer, "DtsInstanceId", r.instance_id);
    return true;
}

const api_op op_ConfigureDtsJob = {"ConfigureDtsJob", 's', 's', "Configures a task; without an id a new one is made.", configure_dts_job_pars, run_configure_dts_job};
