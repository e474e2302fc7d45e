/* DescribeDtsJobs and DescribeDtsJobDetail. */
#include "api/api.h"
#include "api/job_object.h"

static const api_par describe_dts_jobs_pars[] = {
    {"DedicatedClusterId", PAR_STRING, PAR_IGNORED, "The dedicated cluster."},
    {"DestProductType", PAR_STRING, PAR_IGNORED, "The product of the destination."},
    {"DtsBisLabel", PAR_STRING, PAR_IGNORED, "The environment label."},
    {"DtsInstanceId", PAR_STRING, 0, "Ids of instances, comma-separated."},
    {"DtsJobId", PAR_STRING, 0, "Ids of tasks, comma-separated."},
    {"GroupId", PAR_STRING, PAR_IGNORED, "The parent of a distributed task."},
    {"InstanceId", PAR_STRING, PAR_IGNORED, "A database instance."},
    {"InstanceType", PAR_STRING, PAR_IGNORED, "The type of the database instance."},
    {"JobType", PAR_STRING, 0, "MIGRATION (default), SYNC or SUBSCRIBE."},
    {"OrderColumn", PAR_STRING, 0, "CreateTime (default) or FinishTime."},
    {"OrderDirection", PAR_STRING, 0, "ASC (default) or DESC."},
    {"OwnerId", PAR_STRING, PAR_IGNORED, "The account."},
    {"PageNumber", PAR_INTEGER, 0, "From 1."},
    {"PageSize", PAR_INTEGER, 0, "1 to 500, default 20."},
    {"Params", PAR_STRING, 0, "An instance ID, a part of the name, or the address of the source (srcRds) or destination (rds)."},
    {"Region", PAR_STRING, PAR_IGNORED, "The region."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"SrcProductType", PAR_STRING, PAR_IGNORED, "The product of the source."},
    {"Status", PAR_STRING, 0, "Only tasks in this status."},
    {"Tags", PAR_JSON, PAR_IGNORED, "Tags of instances."},
    {"Type", PAR_STRING, 0, "What Params is: instance, name, srcRds or rds."},
    {"WithoutDbList", PAR_BOOLEAN, 0, "Leaves DbObject out."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Special business-specific."},
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
    int64_t now_us = clk_wall_us(catalog_clock(service_catalog(c->svc)));
    for (uint32_t i = 0; i < n; i++) {
        json_t *o = json_object();
        job_object_fill(o, &list[i], now_us, false, !call_bool(c, "WithoutDbList", false));
        json_object_set_new(o, "TagList", json_array());
        json_array_append_new(jobs, o);
    }
    json_object_set_new(answer, "PageNumber", json_integer(page));
    json_object_set_new(answer, "PageRecordCount", json_integer(n));
    json_object_set_new(answer, "TotalRecordCount", json_integer(total));
    json_object_set_new(answer, "DtsJobList", jobs);
    return true;
}

const api_op op_DescribeDtsJobs = {"DescribeDtsJobs", 'b', 'i', "Lists tasks, filtered and page by page.", describe_dts_jobs_pars, run_describe_dts_jobs};

static const api_par describe_dts_job_detail_pars[] = {
    {"DbObjectOutputType", PAR_STRING, PAR_IGNORED, "The form of DbObject."},
    {"DtsInstanceID", PAR_STRING, 0, "The ID of the instance; either id is enough, both must agree."},
    {"DtsJobId", PAR_STRING, 0, "Ids of tasks, comma-separated."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"SyncSubJobHistory", PAR_BOOLEAN, PAR_IGNORED, "Includes earlier sub tasks."},
    {"SynchronizationDirection", PAR_STRING, 0, "Forward (default) or Reverse; Reverse only for a two-way task."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Special business-specific."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_describe_dts_job_detail(api_call *c, json_t *answer, api_fault *f)
{
    job_record r;
    service_fault sf = {0};
    err e = ERR_INIT;
    job_ref ref = call_job_ref(c);
    if (!service_get(c->svc, ref, c->mem, &r, &sf, &e)) return call_failed(c, f, &sf, &e);
    job_object_fill(answer, &r, clk_wall_us(catalog_clock(service_catalog(c->svc))), true, true);
    json_object_set_new(answer, "SubSyncJob", json_array());
    json_object_set_new(answer, "SubDistributedJob", json_array());
    return true;
}

const api_op op_DescribeDtsJobDetail = {"DescribeDtsJobDetail", 'b', 'i', "Shows a task: configuration, stages, progress, errors.", describe_dts_job_detail_pars, run_describe_dts_job_detail};
