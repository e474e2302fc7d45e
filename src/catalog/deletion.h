/* Deletions in the store: the journal of each, and the tombstones of what is gone. All calls belong inside a transaction. */
#ifndef CATALOG_DELETION_H
#define CATALOG_DELETION_H

#include "catalog/db.h"
#include "catalog/job_record.h"

typedef struct deletion_record {
    str run_id, job_id, instance_id;
    str kind;               /* "delete", "reset" */
    str account;            /* who asked */
    uint64_t epoch;         /* higher than any worker's: the fence */
    uint32_t steps;         /* bit set of finished steps (job/delete.def) */
    int64_t requested_us, finished_us; /* finished_us 0: still at work */
    str spec;               /* JSON: ends, name, counts at the time of the request */
    str receipt;            /* JSON, grows with the steps */
} deletion_record;

/* Insert or replace by run_id. */
ERR_MUST_USE bool deletion_save(catalog *c, const deletion_record *d, err *e);
ERR_MUST_USE bool deletion_find(catalog *c, str run_id, arena *a, deletion_record *ret, bool *ret_found, err *e);
/* The deletion (kind "delete") of a job by either id. */
ERR_MUST_USE bool deletion_find_job(catalog *c, str job_id, str instance_id, arena *a, deletion_record *ret, bool *ret_found, err *e);
/* Those still at work. */
ERR_MUST_USE bool deletion_list_unfinished(catalog *c, arena *a, deletion_record **ret, uint32_t *ret_count, err *e);

typedef struct tombstone {
    str job_id, instance_id;
    job_type type;
    str account;
    int64_t deleted_us;
} tombstone;

ERR_MUST_USE bool tombstone_add(catalog *c, const tombstone *t, err *e);
ERR_MUST_USE bool tombstone_find(catalog *c, str job_id, str instance_id, arena *a, tombstone *ret, bool *ret_found, err *e);

#endif
