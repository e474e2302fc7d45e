/* Jobs in the store: reading, writing, listing; their sealed secrets. All calls belong inside a transaction (catalog_begin). */
#ifndef CATALOG_JOBS_H
#define CATALOG_JOBS_H

#include "base/secret.h"
#include "catalog/db.h"
#include "catalog/job_record.h"

/* Writes every column of the job (insert or replace); the texts db_list and reserve are not touched. */
ERR_MUST_USE bool jobs_save(catalog *c, const job_record *r, err *e);
ERR_MUST_USE bool jobs_save_texts(catalog *c, str job_id, str db_list, str reserve, err *e);
/* By either id (empty: not asked); ret_found false when no job has it. Two halves share an instance id: `reverse` chooses. */
ERR_MUST_USE bool jobs_find(catalog *c, str job_id, str instance_id, bool reverse, arena *a, job_record *ret, bool *ret_found, err *e);
/* Removes the job with its texts, prechecks, progress and log. Its secrets and ledger stay: they have owners of their own. */
ERR_MUST_USE bool jobs_remove(catalog *c, str job_id, err *e);
/* A fresh id of JOB_ID_CHARS characters that no job and no tombstone has or had. */
ERR_MUST_USE bool jobs_new_id(catalog *c, arena *a, str *ret, err *e);

typedef struct jobs_filter {
    int type;               /* job_type, -1 = every */
    str job_ids, instance_ids; /* JSON arrays of texts, empty = every */
    str name_part, source_host, target_host;
    int state;              /* job_state, -1 = every */
    bool order_by_finish, descending;
    uint32_t offset, limit;
} jobs_filter;

ERR_MUST_USE bool jobs_list(catalog *c, const jobs_filter *f, arena *a, job_record **ret, uint32_t *ret_count, uint32_t *ret_total, err *e);

/* Sealed under `context` ("job/<id>/src"), which is also the key of the row. */
ERR_MUST_USE bool jobs_secret_put(catalog *c, str context, str plain, err *e);
/* Empty when there is none. */
ERR_MUST_USE bool jobs_secret_get(catalog *c, str context, secret *ret, err *e);
ERR_MUST_USE bool jobs_secret_remove(catalog *c, str context, err *e);
/* Seals it anew under another context and removes the old row. Nothing happens when there is none. */
ERR_MUST_USE bool jobs_secret_move(catalog *c, str from, str to, err *e);

#endif
