/* DescribeDtsJobs and DescribeDtsJobDetail. */
#include "api/api.h"
#include "api/job_object.h"

static const api_par describe_dts_jobs_pars[] = {
    {"DedicatedClusterId", PAR_STRING, 0, "Dedicated Cluster Id."},
    {"DestProductType", PAR_STRING, 0, "Dest Product Type."},
    {"DtsBisLabel", PAR_STRING, 0, "Dts Bis Label: normal, online."},
    {"DtsInstanceId", PAR_STRING, 0, "Id of the instance."},
    {"DtsJobId", PAR_STRING, 0, "Id of the task."},
    {"GroupId", PAR_STRING, 0, "Group Id."},
    {"InstanceId", PAR_STRING, 0, "Instance Id."},
    {"InstanceType", PAR_STRING, 0, "Instance Type."},
    {"JobType", PAR_STRING, 0, "Job Type: MIGRATION, SYNC, SUBSCRIBE."},
    {"OrderColumn", PAR_STRING, 0, "Order Column: CreateTime, FinishTime, duLimit."},
    {"OrderDirection", PAR_STRING, 0, "Order Direction: ASC, DESC."},
    {"OwnerId", PAR_STRING, PAR_IGNORED, "Owner Id."},
    {"PageNumber", PAR_INTEGER, 0, "Page Number."},
    {"PageSize", PAR_INTEGER, 0, "Page Size."},
    {"Params", PAR_STRING, 0, "Params."},
    {"Region", PAR_STRING, 0, "Region."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "Resource Group Id."},
    {"SrcProductType", PAR_STRING, 0, "Src Product Type."},
    {"Status", PAR_STRING, 0, "Status: NotStarted, Prechecking, PrecheckFailed, PreCheckPass, NotConfigured, Migrating, Suspending, MigrationFailed."},
    {"Tags", PAR_JSON, 0, "Tags."},
    {"Type", PAR_STRING, 0, "Type: instance, name, srcRds, rds."},
    {"WithoutDbList", PAR_BOOLEAN, 0, "Without Db List."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Zero Etl Job."},
    {NULL, PAR_STRING, 0, NULL},
};

/* Type and Params: what one field must be. */
static bool read_filter(api_call *c, list_request *q, api_fault *f)
{
    str type = call_get(c, "Type"), value = call_get(c, "Params");
    if (!type.n || !value.n) return true;
    if (str_eq_nocase(type, STR("name"))) q->name_part = value;
    else if (str_eq_nocase(type, STR("srcRds"))) q->source_host = value;
    else if (str_eq_nocase(type, STR("rds"))) q->target_host = value;
    else if (str_eq_nocase(type, STR("instance"))) {
        q->instance_ids = arena_array(c->mem, 1, sizeof *q->instance_ids);
        if (!q->instance_ids) return fault_set(f, API_ERROR_INTERNAL, STR_NULL, STR_NULL);
        q->instance_ids[q->instance_id_count++] = value;
    } else {
        return fault_set(f, API_ERROR_INVALID_PARAMETER, STR("Type"), STR("it is instance, name, srcRds or rds"));
    }
    return true;
}

static bool run_describe_dts_jobs(api_call *c, json_t *answer, api_fault *f)
{
    int64_t page = call_int(c, "PageNumber", 1), size = call_int(c, "PageSize", 30);
    list_request q = {.type = call_get(c, "JobType"), .status = call_get(c, "Status"), .order_by_finish = str_eq_nocase(call_get(c, "OrderColumn"), STR("FinishTime")),
                      .descending = str_eq_nocase(call_get(c, "OrderDirection"), STR("DESC")), .page_number = (uint32_t)page, .page_size = (uint32_t)size};
    job_record *list = NULL;
    uint32_t n = 0, total = 0;
    err e = ERR_INIT;
    service_fault sf = {0};
    if (page < 1) return fault_set(f, API_ERROR_INVALID_PARAMETER, STR("PageNumber"), STR("pages count from 1"));
    if (size < 1 || size > 500) return fault_set(f, API_ERROR_INVALID_PARAMETER, STR("PageSize"), STR("1 to 500"));
    q.job_ids = call_list(c, "DtsJobId", &q.job_id_count);
    q.instance_ids = call_list(c, "DtsInstanceId", &q.instance_id_count);
    if (!read_filter(c, &q, f)) return false;
    if (!service_list(c->svc, &q, c->mem, &list, &n, &total, &e)) return call_failed(c, f, &sf, &e);
    json_t *jobs = json_array();
    for (uint32_t i = 0; i < n; i++) {
        json_t *o = json_object();
        job_object_fill(o, &list[i], false, !call_bool(c, "WithoutDbList", false));
        json_object_set_new(o, "TagList", json_array());
        json_array_append_new(jobs, o);
    }
    json_object_set_new(answer, "PageNumber", json_integer(page));
    json_object_set_new(answer, "PageRecordCount", json_integer(n));
    json_object_set_new(answer, "TotalRecordCount", json_integer(total));
    json_object_set_new(answer, "DtsJobList", jobs);
    return true;
}

const api_op op_DescribeDtsJobs = {"DescribeDtsJobs", 'b', 'i', "Queries the list of DTS tasks and the execution details of each task.", describe_dts_jobs_pars, run_describe_dts_jobs};

static const api_par describe_dts_job_detail_pars[] = {
    {"DbObjectOutputType", PAR_STRING, 0, "Db Object Output Type."},
    {"DtsInstanceID", PAR_STRING, 0, "Id of the instance."},
    {"DtsJobId", PAR_STRING, 0, "Id of the task."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "Resource Group Id."},
    {"SyncSubJobHistory", PAR_BOOLEAN, 0, "Sync Sub Job History."},
    {"SynchronizationDirection", PAR_STRING, 0, "Synchronization Direction: Forward, Reverse."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Zero Etl Job."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_describe_dts_job_detail(api_call *c, json_t *answer, api_fault *f)
{
    job_record r;
    service_fault sf = {0};
    err e = ERR_INIT;
    job_ref ref = call_job_ref(c);
    if (!service_get(c->svc, ref, c->mem, &r, &sf, &e)) return call_failed(c, f, &sf, &e);
    job_object_fill(answer, &r, true, true);
    json_object_set_new(answer, "SubSyncJob", json_array());
    json_object_set_new(answer, "SubDistributedJob", json_array());
    return true;
}

const api_op op_DescribeDtsJobDetail = {"DescribeDtsJobDetail", 'b', 'i', "Queries the details of a DTS task by calling DescribeDtsJobDetail.", describe_dts_job_detail_pars, run_describe_dts_job_detail};
