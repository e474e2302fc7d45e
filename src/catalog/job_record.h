/* A job as the catalog keeps it. Texts live in the arena it was read into. Passwords never appear here. */
#ifndef CATALOG_JOB_RECORD_H
#define CATALOG_JOB_RECORD_H

#include "base/arena.h"
#include "base/err.h"

#define JOB_ID_CHARS 15
#define JOB_MAX_NAME_BYTES 128

typedef enum job_type { JOB_MIGRATION, JOB_SYNC, JOB_SUBSCRIBE } job_type;

/* States of a job; the texts are the API's (api reference 3.3). */
typedef enum job_state {
#define JOB_STATE(symbol, text) JOB_STATE_##symbol,
#include "catalog/job_states.def"
#undef JOB_STATE
    JOB_STATE_COUNT
} job_state;
const char *job_state_text(job_state s);
/* Any case. false when unknown. */
bool job_state_from_text(str text, job_state *ret);

/* Status of a stage: "NotStarted", "Checking" (precheck), "Migrating", "Catched", "Failed", "Finished". */
typedef struct job_stage {
    str status;     /* empty: the stage is not configured */
    uint32_t percent;
    str progress;
    str error;
    int64_t started_us, finished_us;
} job_stage;

typedef struct job_endpoint {
    str instance_type, instance_id, engine_name, region, host, port, database, user, role, owner_id, oracle_sid;
    bool has_password;
    str ssl;        /* "" | "0" | "1" from Reserve srcSSL/destSSL */
    str identity;   /* server_info.identity as last seen, empty until then */
    str product;    /* server_info.product, the same */
} job_endpoint;

typedef struct job_record {
    str job_id, instance_id, name;
    job_type type;
    bool reverse;               /* the reverse half of a two-way job */
    job_state state;
    uint64_t generation;        /* grows with every state change; compare-and-set token */
    uint64_t epoch;             /* grows with every worker start; fencing token in the target */
    uint32_t run;               /* 1, grows with every reset */
    bool purchased, configured;
    bool run_wanted;            /* goes on to move data when the precheck has passed */
    bool schema, full, incremental;
    job_endpoint source, target;
    str db_list, reserve;       /* exactly as submitted */
    str start_checkpoint;       /* Unix seconds as submitted, may be empty */
    str instance_class, pay_type, sync_architecture, resource_group, region;
    int64_t created_us, started_us, finished_us;
    str error_code, error_text; /* the last failure while it matters */
    job_stage precheck, structure, load, stream;
    str position;               /* last position told by the worker, engine text */
    int64_t source_commit_us;   /* commit time of the last applied transaction */
    int64_t delay_ms;           /* -1: stream not started */
    int64_t rps, bytes_per_s;
    uint64_t applied_txns, applied_rows;
    bool retrying; uint32_t retry_count; int64_t retry_since_us; str retry_target, retry_text;
    uint32_t worker_restarts;
    uint64_t config_version, limits_version; /* grow with every change that a running worker must learn */
    str limits;                 /* JSON object by job code: {"03":{"rps":N,"bps":N,"qps":N},"04":{...}}, empty: none */
} job_record;

/* The job's id as the databases know it: the job id, or "<id>-<run>" after a reset, so that an old run's traces are never taken for the new one's. */
str job_run_id(const job_record *r, arena *a);

typedef struct job_table_progress {
    str stage;                  /* "structure" (schema holds the kind of object), "full" */
    str schema, name, target_schema, target_name;
    str state;                  /* "NotStarted", "Migrating", "Finished", "Failed" */
    uint64_t total, done, bytes;
    str error;
    int64_t started_us, finished_us;
} job_table_progress;

typedef struct precheck_record {
    uint32_t order;
    str item;                   /* CHECK_... */
    str state;                  /* "NotStarted", "Checking", "Success", "Warning", "Failed" */
    str detail, repair;
    bool can_skip, skipped;
    int64_t started_us, finished_us;
} precheck_record;

/* An entry of the ownership ledger. */
typedef struct ledger_record {
    uint64_t id;
    str job_id, run_id, end, kind, name, undo;
    bool shared;
    str state;                  /* "intended", "created", "removed", "kept" (last_error: why), "leftover", "abandoned", "forgotten" */
    uint32_t attempts;
    int64_t created_us, next_try_us;
    str last_error;
    str where;                  /* host:port */
} ledger_record;

typedef struct log_record {
    int64_t at_us;
    str level, text;
} log_record;

#endif
