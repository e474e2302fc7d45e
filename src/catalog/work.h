/* What a job's work leaves in the store: prechecks, progress, service log, ledger. All calls belong inside a transaction. */
#ifndef CATALOG_WORK_H
#define CATALOG_WORK_H

#include "catalog/db.h"
#include "catalog/job_record.h"

/* Service log lines kept per job; older ones go. */
#define SERVICE_LOG_MAX_LINES 2000
#define SERVICE_LOG_MAX_TEXT_BYTES 2048

/* Insert or replace by item; the stored `skipped` survives unless set_skip. */
ERR_MUST_USE bool precheck_save(catalog *c, str job_id, const precheck_record *r, bool set_skip, err *e);
/* In their order. */
ERR_MUST_USE bool precheck_list(catalog *c, str job_id, arena *a, precheck_record **ret, uint32_t *ret_count, err *e);
/* Removes the items that no check has answered (state "NotStarted"), or all. */
ERR_MUST_USE bool precheck_clear(catalog *c, str job_id, bool only_unanswered, err *e);

/* Before a new run of the prechecks: every kept item is unanswered again; which ones are skipped stays. */
ERR_MUST_USE bool precheck_restart(catalog *c, str job_id, err *e);

/* A finding of the report, a JSON object; they go when the prechecks begin anew. */
ERR_MUST_USE bool finding_add(catalog *c, str job_id, str finding, err *e);
/* In the order in which they were found; ret_total: of all. */
ERR_MUST_USE bool finding_list(catalog *c, str job_id, uint32_t offset, uint32_t limit, arena *a, str **ret, uint32_t *ret_count, uint32_t *ret_total, err *e);

/* Insert or replace by (stage, schema, name); a stored started_us stays. */
ERR_MUST_USE bool progress_save(catalog *c, str job_id, const job_table_progress *p, err *e);
/* stage "" = all. */
ERR_MUST_USE bool progress_list(catalog *c, str job_id, str stage, arena *a, job_table_progress **ret, uint32_t *ret_count, err *e);
ERR_MUST_USE bool progress_clear(catalog *c, str job_id, err *e);

/* level "INFO", "WARN", "ERROR"; text is cut at its limit. */
ERR_MUST_USE bool service_log_add(catalog *c, str job_id, const char *level, str text, err *e);
/* Newest first; to_us 0 = no end. */
ERR_MUST_USE bool service_log_list(catalog *c, str job_id, int64_t from_us, int64_t to_us, str keyword, uint32_t offset, uint32_t limit,
                                   arena *a, log_record **ret, uint32_t *ret_count, uint32_t *ret_total, err *e);

/* Writes the intent; the same (run_id, end, kind, name) again returns the existing entry, one that was removed as a new intent. */
ERR_MUST_USE bool ledger_intend(catalog *c, const ledger_record *r, uint64_t *ret_id, err *e);
/* Only an "intended" entry of that run becomes "created". */
ERR_MUST_USE bool ledger_created(catalog *c, str run_id, uint64_t id, err *e);
/* Sets state and last_error of the entry (run_id, end, kind, name); writes the entry when it is missing. */
ERR_MUST_USE bool ledger_settle(catalog *c, const ledger_record *r, err *e);
/* The entry of the object that run_id, end, kind and name of `which` say. */
ERR_MUST_USE bool ledger_find_object(catalog *c, const ledger_record *which, arena *a, ledger_record *ret, bool *ret_found, err *e);
/* run_id "" = every, end "" = both, state "" = every. In order of making. */
ERR_MUST_USE bool ledger_list(catalog *c, str run_id, str end, str state, arena *a, ledger_record **ret, uint32_t *ret_count, err *e);
/* Objects that exist or may exist (state "intended", "created") at an end of jobs in a state, whose next_try_us has come. */
ERR_MUST_USE bool ledger_list_due(catalog *c, str end, job_state state, int64_t now_us, arena *a, ledger_record **ret, uint32_t *ret_count, err *e);
ERR_MUST_USE bool ledger_find(catalog *c, uint64_t id, arena *a, ledger_record *ret, bool *ret_found, err *e);
/* Sets state, attempts, next_try_us and last_error of one entry. */
ERR_MUST_USE bool ledger_save(catalog *c, const ledger_record *r, err *e);

#endif
