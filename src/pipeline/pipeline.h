/* The way of a row: schema, full load, indexes, stream, for one job, resumable at every point. */
#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

#include "engine/engine.h"
#include "pipeline/throttle.h"

typedef enum stage { STAGE_SCHEMA, STAGE_FULL, STAGE_INDEX, STAGE_STREAM, STAGE_COUNT } stage;
const char *stage_name(stage s);

/* What a job wants moved. Borrowed for the run. */
typedef struct pipeline_job {
    str job_id;
    uint64_t epoch;            /* fencing token, grows with every worker start */
    const engine *source_engine, *target_engine;
    const endpoint *source, *target;
    const dblist *objects;
    bool schema, full, incremental;
    bool ignore_existing;      /* targetTableMode 2 */
    bool rights;               /* owners and privileges are carried (privilegeMigration) */
    bool ddl;                  /* changed definitions are carried (no filterDDL) */
    position start_at;         /* incremental without full load: where to begin; none = now */
    uint32_t lanes;            /* parallel readers and writers of the full load, 1..32 */
    uint64_t chunk_rows;
    str (*type_choice)(void *ctx, str key); /* see mapping_options.choice; NULL: the defaults */
    void *type_ctx;
    size_t budget_bytes;       /* memory in flight */
    size_t row_limit_bytes;    /* largest row that is loaded, 0: any */
    const char *spill_folder;  /* where transactions go that are larger than a quarter of the budget; NULL: they end in ERR_LIMIT */
    uint32_t window_rows;      /* largest merge window */
    uint32_t window_wait_us;   /* how long an open window waits for more when the source has nothing ready; 0 = close at once */
    uint32_t replica_id;
    uint64_t retry_for_us;     /* how long one failure may last before the run gives up */
    throttle *limits;          /* shared with the control thread */
} pipeline_job;

/* Told by the run, from its threads; implementations must be thread-safe and must not block for long. */
typedef struct pipeline_events {
    void (*stage)(void *ctx, stage s, bool finished);
    void (*schema_object)(void *ctx, stage s, const char *kind, str name, uint32_t done, uint32_t total);
    void (*table_planned)(void *ctx, const table_def *t, uint64_t estimated_rows, uint64_t loaded_rows, bool finished);
    void (*rows_loaded)(void *ctx, const table_def *t, uint64_t rows, uint64_t bytes);
    void (*table_loaded)(void *ctx, const table_def *t, uint64_t rows);
    /* After each committed window: totals of the window, source time of its last transaction, position. */
    void (*applied)(void *ctx, uint64_t txns, uint64_t rows, uint64_t bytes, int64_t commit_us, position at);
    /* The stream has reached what was the source's newest position when asked. */
    void (*caught_up)(void *ctx, bool yes);
    /* A line for the job's log. */
    void (*note)(void *ctx, bool warning, str text);
    /* A failure that is being retried; e->code == ERR_NONE when it is over. end: "srcDB", "destDB" or "inner_module". */
    void (*retrying)(void *ctx, const err *e, const char *end, uint32_t attempt);
    void *ctx;
} pipeline_events;

/* Runs until everything configured is done (true), cancelled (ERR_CANCELLED: the target is at a transaction boundary) or failed for good. */
ERR_MUST_USE bool pipeline_run(const pipeline_job *job, const pipeline_events *events, const ledger *l, cancel *c, const clk *clock, err *e);

#endif
