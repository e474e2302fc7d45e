/* The store's schema as SQL. Times are microseconds since 1970 UTC, 0 = not yet. */
#include "catalog/schema.h"

#include <stddef.h>

static const char jobs_1[] =
    /* Facts of the store itself, e.g. key_check. */
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;"

    /* Columns and record members pair up in job_columns.def. */
    "CREATE TABLE job("
    "  job_id TEXT PRIMARY KEY, instance_id TEXT NOT NULL, name TEXT NOT NULL, type INTEGER NOT NULL, reverse INTEGER NOT NULL,"
    "  state INTEGER NOT NULL, generation INTEGER NOT NULL, epoch INTEGER NOT NULL, run INTEGER NOT NULL,"
    "  purchased INTEGER NOT NULL, configured INTEGER NOT NULL, run_wanted INTEGER NOT NULL,"
    "  schema_stage INTEGER NOT NULL, full_stage INTEGER NOT NULL, incremental_stage INTEGER NOT NULL,"
    "  src_instance_type TEXT NOT NULL, src_instance_id TEXT NOT NULL, src_engine TEXT NOT NULL, src_region TEXT NOT NULL,"
    "  src_host TEXT NOT NULL, src_port TEXT NOT NULL, src_database TEXT NOT NULL, src_user TEXT NOT NULL,"
    "  src_role TEXT NOT NULL, src_owner TEXT NOT NULL, src_sid TEXT NOT NULL, src_ssl TEXT NOT NULL,"
    "  src_has_password INTEGER NOT NULL, src_identity TEXT NOT NULL,"
    "  dest_instance_type TEXT NOT NULL, dest_instance_id TEXT NOT NULL, dest_engine TEXT NOT NULL, dest_region TEXT NOT NULL,"
    "  dest_host TEXT NOT NULL, dest_port TEXT NOT NULL, dest_database TEXT NOT NULL, dest_user TEXT NOT NULL,"
    "  dest_role TEXT NOT NULL, dest_owner TEXT NOT NULL, dest_sid TEXT NOT NULL, dest_ssl TEXT NOT NULL,"
    "  dest_has_password INTEGER NOT NULL, dest_identity TEXT NOT NULL,"
    "  start_checkpoint TEXT NOT NULL, instance_class TEXT NOT NULL, pay_type TEXT NOT NULL,"
    "  sync_architecture TEXT NOT NULL, resource_group TEXT NOT NULL, region TEXT NOT NULL,"
    "  created_us INTEGER NOT NULL, started_us INTEGER NOT NULL, finished_us INTEGER NOT NULL,"
    "  error_code TEXT NOT NULL, error_text TEXT NOT NULL,"
    "  precheck_status TEXT NOT NULL, precheck_percent INTEGER NOT NULL, precheck_progress TEXT NOT NULL,"
    "  precheck_error TEXT NOT NULL, precheck_started_us INTEGER NOT NULL, precheck_finished_us INTEGER NOT NULL,"
    "  structure_status TEXT NOT NULL, structure_percent INTEGER NOT NULL, structure_progress TEXT NOT NULL,"
    "  structure_error TEXT NOT NULL, structure_started_us INTEGER NOT NULL, structure_finished_us INTEGER NOT NULL,"
    "  load_status TEXT NOT NULL, load_percent INTEGER NOT NULL, load_progress TEXT NOT NULL,"
    "  load_error TEXT NOT NULL, load_started_us INTEGER NOT NULL, load_finished_us INTEGER NOT NULL,"
    "  stream_status TEXT NOT NULL, stream_percent INTEGER NOT NULL, stream_progress TEXT NOT NULL,"
    "  stream_error TEXT NOT NULL, stream_started_us INTEGER NOT NULL, stream_finished_us INTEGER NOT NULL,"
    "  position TEXT NOT NULL, source_commit_us INTEGER NOT NULL, delay_ms INTEGER NOT NULL,"
    "  rps INTEGER NOT NULL, bytes_per_s INTEGER NOT NULL, applied_txns INTEGER NOT NULL, applied_rows INTEGER NOT NULL,"
    "  retrying INTEGER NOT NULL, retry_count INTEGER NOT NULL, retry_since_us INTEGER NOT NULL,"
    "  retry_target TEXT NOT NULL, retry_text TEXT NOT NULL, worker_restarts INTEGER NOT NULL,"
    "  config_version INTEGER NOT NULL, limits_version INTEGER NOT NULL, limits TEXT NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX job_instance ON job(instance_id);"
    "CREATE INDEX job_created ON job(type, created_us);";

static const char work_1[] =
    /* Large texts of a job, exactly as submitted. */
    "CREATE TABLE job_text(job_id TEXT PRIMARY KEY, db_list TEXT NOT NULL, reserve TEXT NOT NULL) STRICT;"

    /* Sealed secrets; context is bound as associated data. */
    "CREATE TABLE secret(context TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT;"

    "CREATE TABLE precheck("
    "  job_id TEXT NOT NULL, item TEXT NOT NULL, ord INTEGER NOT NULL, state TEXT NOT NULL, detail TEXT NOT NULL,"
    "  repair TEXT NOT NULL, can_skip INTEGER NOT NULL, skipped INTEGER NOT NULL, started_us INTEGER NOT NULL,"
    "  finished_us INTEGER NOT NULL, PRIMARY KEY(job_id, item)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE progress("
    "  job_id TEXT NOT NULL, stage TEXT NOT NULL, schema_name TEXT NOT NULL, name TEXT NOT NULL,"
    "  target_schema TEXT NOT NULL, target_name TEXT NOT NULL, state TEXT NOT NULL, total INTEGER NOT NULL,"
    "  done INTEGER NOT NULL, bytes INTEGER NOT NULL, error TEXT NOT NULL, started_us INTEGER NOT NULL,"
    "  finished_us INTEGER NOT NULL, PRIMARY KEY(job_id, stage, schema_name, name)) STRICT, WITHOUT ROWID;"

    /* Every object made outside; run_id is the job's id as the databases know it (another one after each reset). */
    "CREATE TABLE ledger("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, job_id TEXT NOT NULL, run_id TEXT NOT NULL, end TEXT NOT NULL,"
    "  kind TEXT NOT NULL, name TEXT NOT NULL, undo TEXT NOT NULL, shared INTEGER NOT NULL, state TEXT NOT NULL,"
    "  attempts INTEGER NOT NULL, created_us INTEGER NOT NULL, next_try_us INTEGER NOT NULL,"
    "  last_error TEXT NOT NULL, place TEXT NOT NULL, UNIQUE(run_id, end, kind, name)) STRICT;"
    "CREATE INDEX ledger_state ON ledger(state, next_try_us);"

    "CREATE TABLE service_log(id INTEGER PRIMARY KEY, job_id TEXT NOT NULL, at_us INTEGER NOT NULL,"
    "  level TEXT NOT NULL, text TEXT NOT NULL) STRICT;"
    "CREATE INDEX service_log_job ON service_log(job_id, at_us);"

    /* A deletion (or the clean-up of a reset) in progress or waiting for an end: its journal. */
    "CREATE TABLE deletion("
    "  run_id TEXT PRIMARY KEY, job_id TEXT NOT NULL, instance_id TEXT NOT NULL, kind TEXT NOT NULL,"
    "  account TEXT NOT NULL, epoch INTEGER NOT NULL, step INTEGER NOT NULL, requested_us INTEGER NOT NULL,"
    "  finished_us INTEGER NOT NULL, spec TEXT NOT NULL, receipt TEXT NOT NULL) STRICT;"
    "CREATE INDEX deletion_job ON deletion(job_id);"

    /* Ids that were deleted: never used again. */
    "CREATE TABLE tombstone(job_id TEXT PRIMARY KEY, instance_id TEXT NOT NULL, type INTEGER NOT NULL,"
    "  account TEXT NOT NULL, deleted_us INTEGER NOT NULL) STRICT;"
    "CREATE INDEX tombstone_instance ON tombstone(instance_id);"

    /* ClientToken of creating calls. */
    "CREATE TABLE idempotency(action TEXT NOT NULL, token TEXT NOT NULL, job_id TEXT NOT NULL, digest TEXT NOT NULL,"
    "  created_us INTEGER NOT NULL, PRIMARY KEY(action, token)) STRICT, WITHOUT ROWID;";

static const char access_1[] =
    /* Who may call: permanent keys, and temporary ones with a parent. */
    "CREATE TABLE access_key(id TEXT PRIMARY KEY, name TEXT, secret BLOB NOT NULL, token TEXT, policy TEXT, parent TEXT,"
    "  active INTEGER NOT NULL, created_us INTEGER NOT NULL, expires_us INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX access_key_parent ON access_key(parent);";

static const char finding_2[] =
    /* Findings of a job's last prechecks, as the report gives them: JSON objects. */
    "CREATE TABLE finding(job_id TEXT NOT NULL, n INTEGER NOT NULL, finding TEXT NOT NULL, PRIMARY KEY(job_id, n)) STRICT, WITHOUT ROWID;";

static const char jobs_2[] = "ALTER TABLE job ADD COLUMN src_product TEXT NOT NULL DEFAULT ''; ALTER TABLE job ADD COLUMN dest_product TEXT NOT NULL DEFAULT '';";

const catalog_schema_part catalog_schema[] = {{1, jobs_1}, {1, work_1}, {1, access_1}, {2, finding_2}, {2, jobs_2}, {0, NULL}};
