/* Starting, suspending, stopping and resetting tasks, one or many. */
#include "api/api.h"

typedef bool one_fn(service *s, job_ref ref, service_fault *f, err *e);

static bool act_on_one(api_call *c, one_fn *fn, api_fault *f)
{
    service_fault sf = {0};
    err e = ERR_INIT;
    return fn(c->svc, call_job_ref(c), &sf, &e) || call_failed(c, f, &sf, &e);
}

static bool act_on_many(api_call *c, const char *verb, api_fault *f)
{
    uint32_t n;
    str *ids = call_list(c, "DtsJobIds", &n);
    service_fault sf = {0};
    err e = ERR_INIT;
    if (!ids || n == 0) return fault_set(f, API_ERROR_INVALID_PARAMETER, STR("DtsJobIds"), STR("name at least one task"));
    return service_many(c->svc, verb, ids, n, c->key_id, &sf, &e) || call_failed(c, f, &sf, &e);
}

static const api_par start_dts_job_pars[] = {
    {"DtsInstanceId", PAR_STRING, 0, "The ID of the instance; either id is enough, both must agree."},
    {"DtsJobId", PAR_STRING, 0, "The ID of the task."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"SynchronizationDirection", PAR_STRING, 0, "Forward (default) or Reverse; Reverse only for a two-way task."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Special business-specific."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_start_dts_job(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    return act_on_one(c, service_start, f);
}

const api_op op_StartDtsJob = {"StartDtsJob", 'b', 'i', "Starts a task: the precheck, then every configured stage; a paused or failed task goes on.", start_dts_job_pars, run_start_dts_job};

static const api_par suspend_dts_job_pars[] = {
    {"DtsInstanceId", PAR_STRING, 0, "The ID of the instance; either id is enough, both must agree."},
    {"DtsJobId", PAR_STRING, 0, "The ID of the task."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"SynchronizationDirection", PAR_STRING, 0, "Forward (default) or Reverse; Reverse only for a two-way task."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Special business-specific."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_suspend_dts_job(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    return act_on_one(c, service_suspend, f);
}

const api_op op_SuspendDtsJob = {"SuspendDtsJob", 'b', 'i', "Pauses a task; its position is kept.", suspend_dts_job_pars, run_suspend_dts_job};

static const api_par stop_dts_job_pars[] = {
    {"DtsInstanceId", PAR_STRING, 0, "The ID of the instance; either id is enough, both must agree."},
    {"DtsJobId", PAR_STRING, 0, "The ID of the task."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"SynchronizationDirection", PAR_STRING, 0, "Forward (default) or Reverse; Reverse only for a two-way task."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Special business-specific."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_stop_dts_job(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    return act_on_one(c, service_stop, f);
}

const api_op op_StopDtsJob = {"StopDtsJob", 'b', 'i', "Ends a task for good: its status becomes Finished, and what it holds at the source (a replication slot, a publication) is given up.", stop_dts_job_pars, run_stop_dts_job};

static const api_par reset_dts_job_pars[] = {
    {"DtsInstanceId", PAR_STRING, 0, "The ID of the instance; either id is enough, both must agree."},
    {"DtsJobId", PAR_STRING, 0, "The ID of the task."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"SynchronizationDirection", PAR_STRING, 0, "Forward (default) or Reverse; Reverse only for a two-way task."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_reset_dts_job(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    return act_on_one(c, service_reset, f);
}

const api_op op_ResetDtsJob = {"ResetDtsJob", 'b', 'i', "Clears a synchronization task: it keeps its id and becomes NotConfigured.", reset_dts_job_pars, run_reset_dts_job};

static const api_par start_dts_jobs_pars[] = {
    {"DtsJobIds", PAR_STRING, PAR_REQUIRED, "Ids of tasks, comma-separated; all of them or none are changed."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Special business-specific."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_start_dts_jobs(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    return act_on_many(c, "start", f);
}

const api_op op_StartDtsJobs = {"StartDtsJobs", 'b', 'i', "Starts several tasks.", start_dts_jobs_pars, run_start_dts_jobs};

static const api_par suspend_dts_jobs_pars[] = {
    {"DtsJobIds", PAR_STRING, PAR_REQUIRED, "Ids of tasks, comma-separated; all of them or none are changed."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Special business-specific."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_suspend_dts_jobs(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    return act_on_many(c, "suspend", f);
}

const api_op op_SuspendDtsJobs = {"SuspendDtsJobs", 'b', 'i', "Pauses several tasks.", suspend_dts_jobs_pars, run_suspend_dts_jobs};

static const api_par stop_dts_jobs_pars[] = {
    {"DtsJobIds", PAR_STRING, PAR_REQUIRED, "Ids of tasks, comma-separated; all of them or none are changed."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"ZeroEtlJob", PAR_BOOLEAN, PAR_IGNORED, "Special business-specific."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_stop_dts_jobs(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    return act_on_many(c, "stop", f);
}

const api_op op_StopDtsJobs = {"StopDtsJobs", 'b', 'i', "Ends several tasks.", stop_dts_jobs_pars, run_stop_dts_jobs};
