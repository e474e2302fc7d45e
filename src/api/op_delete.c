/* DeleteDtsJob, DeleteDtsJobs and the older DeleteMigrationJob, DeleteSynchronizationJob: release a task without a trace. */
#include "api/api.h"

static const api_par delete_pars[] = {
    {"DtsJobId", PAR_STRING, 0, "The ID of the data migration, data synchronization, or change tracking task."},
    {"DtsInstanceId", PAR_STRING, 0, "The ID of the instance; either id is enough, both must agree."},
    {"SynchronizationDirection", PAR_STRING, 0, "Forward (default) or Reverse; Reverse only for a two-way task."},
    {"JobType", PAR_STRING, 0, "MIGRATION, SYNC or SUBSCRIBE; must agree with the task when given."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Special business-specific."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_delete(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    job_ref ref = call_job_ref(c);
    if (!ref.job_id.n && !ref.instance_id.n) return fault_set(f, API_ERROR_MISSING_PARAMETER, STR("DtsJobId"), STR("give DtsJobId or DtsInstanceId"));
    service_fault sf = {0};
    err e = ERR_INIT;
    return service_delete(c->svc, ref, call_get(c, "JobType"), c->key_id, &sf, &e) || call_failed(c, f, &sf, &e);
}

const api_op op_DeleteDtsJob = {"DeleteDtsJob", 'b', 'i', "Releases a data migration, synchronization, or change tracking instance.", delete_pars, run_delete};

static const api_par delete_many_pars[] = {
    {"DtsJobIds", PAR_STRING, PAR_REQUIRED, "Ids of tasks, comma-separated, at most 10."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Special business-specific."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_delete_many(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    uint32_t n;
    str *ids = call_list(c, "DtsJobIds", &n);
    service_fault sf = {0};
    err e = ERR_INIT;
    if (n == 0 || n > 10) return fault_set(f, API_ERROR_INVALID_PARAMETER, STR("DtsJobIds"), STR("name 1 to 10 tasks"));
    return service_many(c->svc, "delete", ids, n, c->key_id, &sf, &e) || call_failed(c, f, &sf, &e);
}

const api_op op_DeleteDtsJobs = {"DeleteDtsJobs", 'b', 'i', "Releases several tasks.", delete_many_pars, run_delete_many};
