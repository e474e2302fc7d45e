/* The older deleting operations, which take the instance's id (Terraform calls them). */
#include "api/api.h"

static bool delete_instance(api_call *c, const char *param, const char *type, api_fault *f)
{
    service_fault sf = {0};
    err e = ERR_INIT;
    job_ref ref = {.instance_id = call_get(c, param)};
    return service_delete(c->svc, ref, str_from_c(type), c->key_id, &sf, &e) || fault_from_err(f, &e, str_from_c(param), STR_NULL, c->mem);
}

static const api_par delete_migration_job_pars[] = {
    {"AccountId", PAR_STRING, PAR_IGNORED, "The account."},
    {"MigrationJobId", PAR_STRING, PAR_REQUIRED, "The ID of the migration instance."},
    {"OwnerId", PAR_STRING, PAR_IGNORED, "The account."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_delete_migration_job(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    return delete_instance(c, "MigrationJobId", "MIGRATION", f);
}

const api_op op_DeleteMigrationJob = {"DeleteMigrationJob", 's', '-', "Releases a data migration instance.", delete_migration_job_pars, run_delete_migration_job};

static const api_par delete_synchronization_job_pars[] = {
    {"AccountId", PAR_STRING, PAR_IGNORED, "The account."},
    {"OwnerId", PAR_STRING, PAR_IGNORED, "The account."},
    {"RegionId", PAR_STRING, PAR_IGNORED, "The region; any text."},
    {"ResourceGroupId", PAR_STRING, PAR_IGNORED, "The resource group."},
    {"SynchronizationJobId", PAR_STRING, PAR_REQUIRED, "The ID of the synchronization instance."},
    {NULL, PAR_STRING, 0, NULL},
};

static bool run_delete_synchronization_job(api_call *c, json_t *answer, api_fault *f)
{
    (void)answer;
    return delete_instance(c, "SynchronizationJobId", "SYNC", f);
}

const api_op op_DeleteSynchronizationJob = {"DeleteSynchronizationJob", 's', '-', "Releases a data synchronization instance.", delete_synchronization_job_pars, run_delete_synchronization_job};
