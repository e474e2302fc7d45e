/* DescribeInitializationStatus: the older form of the stages' progress. */
#include "api/api.h"

static const api_par describe_initialization_status_pars[] = {
    {"AccountId", PAR_STRING, PAR_IGNORED, "The account."},
    {"OwnerId", PAR_STRING, PAR_IGNORED, "The account."},
    {"PageNum", PAR_INTEGER, 0, "From 1."},
    {"PageSize", PAR_INTEGER, 0, "1 to 500, default 30."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"SynchronizationJobId", PAR_STRING, PAR_REQUIRED, "The ID of the instance."},
    {NULL, PAR_STRING, 0, NULL},
};

static json_t *row_object(const job_table_progress *p, bool full)
{
    json_t *o = json_object();
    answer_set(o, "SourceOwnerDBName", full ? p->schema : STR(""));
    answer_set(o, "DestinationOwnerDBName", p->target_schema);
    answer_set(o, "Status", p->state);
    answer_set(o, "ErrorMessage", p->error);
    if (full) {
        answer_set(o, "TableName", p->name);
        answer_set_count(o, "TotalRowNum", p->total);
        answer_set_count(o, "FinishRowNum", p->done);
    } else {
        answer_set(o, "ObjectName", p->name);
        answer_set(o, "ObjectType", p->schema);
        json_object_set_new(o, "Constraints", json_array());
    }
    return o;
}

static bool run_describe_initialization_status(api_call *c, json_t *answer, api_fault *f)
{
    job_record r;
    job_table_progress *list = NULL;
    uint32_t n = 0;
    service_fault sf = {0};
    err e = ERR_INIT;
    job_ref ref = {.instance_id = call_get(c, "SynchronizationJobId")};
    if (!service_get(c->svc, ref, c->mem, &r, &sf, &e)) return fault_from_err(f, &e, STR("SynchronizationJobId"), STR_NULL, c->mem);
    if (!service_progress(c->svc, r.job_id, STR(""), c->mem, &list, &n, &e)) return call_failed(c, f, &sf, &e);
    json_t *structure = json_array(), *full = json_array();
    for (uint32_t i = 0; i < n; i++) {
        bool is_full = str_eq(list[i].stage, STR("full"));
        json_array_append_new(is_full ? full : structure, row_object(&list[i], is_full));
    }
    json_object_set_new(answer, "StructureInitializationDetails", structure);
    json_object_set_new(answer, "DataInitializationDetails", full);
    json_object_set_new(answer, "DataSynchronizationDetails", json_array());
    return true;
}

const api_op op_DescribeInitializationStatus = {"DescribeInitializationStatus", 's', '-', "Shows schema and full load object by object.", describe_initialization_status_pars, run_describe_initialization_status};
