/* DescribeDtsInstanceDetail and DescribeDtsInstances: the purchase units, as Terraform reads them. */
#include "api/api.h"
#include "api/job_object.h"

static json_t *instance_object(const job_record *r)
{
    json_t *o = json_object();
    answer_set(o, "DtsInstanceId", r->instance_id);
    answer_set(o, "InstanceName", r->name);
    json_object_set_new(o, "Status", json_string(r->state == JOB_STATE_FINISHED ? "finished" : "running"));
    json_object_set_new(o, "Type", json_string(r->type == JOB_SYNC ? "sync" : "migration"));
    json_object_set_new(o, "PayType", json_string("POSTPAY"));
    answer_set(o, "InstanceClass", r->instance_class);
    job_object_time(o, "CreateTime", r->created_us);
    answer_set(o, "SourceEndpointEngineType", r->source.engine_name);
    answer_set(o, "SourceEndpointRegion", r->source.region);
    answer_set(o, "DestEndpointEngineType", r->target.engine_name);
    answer_set(o, "DestEndpointRegion", r->target.region);
    answer_set(o, "ResourceGroupId", r->resource_group);
    json_object_set_new(o, "Tags", json_array());
    return o;
}

static const api_par describe_dts_instance_detail_pars[] = {
    {"DtsInstanceId", PAR_STRING, PAR_REQUIRED, "The ID of the instance."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_describe_dts_instance_detail(api_call *c, json_t *answer, api_fault *f)
{
    job_record r;
    service_fault sf = {0};
    err e = ERR_INIT;
    if (!service_get(c->svc, call_job_ref(c), c->mem, &r, &sf, &e)) return call_failed(c, f, &sf, &e);
    json_object_set_new(answer, "DtsInstanceStatus", instance_object(&r));
    return true;
}

const api_op op_DescribeDtsInstanceDetail = {"DescribeDtsInstanceDetail", 'b', 'i', "Shows an instance.", describe_dts_instance_detail_pars, run_describe_dts_instance_detail};

static const api_par describe_dts_instances_pars[] = {
    {"PageNum", PAR_INTEGER, 0, "From 1."},
    {"PageSize", PAR_INTEGER, 0, "1 to 500, default 20."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_describe_dts_instances(api_call *c, json_t *answer, api_fault *f)
{
    static const char *const types[] = {"MIGRATION", "SYNC"};
    int64_t page = call_int(c, "PageNum", 1), size = call_int(c, "PageSize", 30);
    json_t *list = json_array();
    uint32_t all = 0;
    if (page < 1 || size < 1 || size > 500) {
        json_decref(list);
        return fault_set(f, API_ERROR_INVALID_PARAMETER, page < 1 ? STR("PageNum") : STR("PageSize"), STR("pages count from 1, with 1 to 500 instances"));
    }
    for (size_t i = 0; i < 2; i++) { /* a page holds up to size instances of each kind */
        job_record *jobs = NULL;
        uint32_t n = 0, total = 0;
        err e = ERR_INIT;
        service_fault sf = {0};
        list_request q = {.type = str_from_c(types[i]), .page_number = (uint32_t)page, .page_size = (uint32_t)size};
        if (!service_list(c->svc, &q, c->mem, &jobs, &n, &total, &e)) {
            json_decref(list);
            return call_failed(c, f, &sf, &e);
        }
        for (uint32_t k = 0; k < n; k++) json_array_append_new(list, instance_object(&jobs[k]));
        all += total;
    }
    json_object_set_new(answer, "PageNumber", json_integer(page));
    json_object_set_new(answer, "TotalRecordCount", json_integer(all));
    json_object_set_new(answer, "DtsInstanceStatusList", list);
    return true;
}

const api_op op_DescribeDtsInstances = {"DescribeDtsInstances", 'b', 'i', "Lists instances page by page.", describe_dts_instances_pars, run_describe_dts_instances};
