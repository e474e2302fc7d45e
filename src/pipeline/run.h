/* What the stages of one pipeline_run share. Internal to the pipeline. */
#ifndef PIPELINE_RUN_H
#define PIPELINE_RUN_H

#include "base/buf.h"
#include "engine/mapping/mapping.h"
#include "pipeline/pipeline.h"
#include "pipeline/retry.h"

/* A position that is replaced again and again; owns its text. */
typedef struct place {
    buf text;
    int64_t commit_us;
} place;
bool place_set(place *p, position at, err *e);
static inline position place_get(const place *p) { return (position){buf_str(&p->text), p->commit_us}; }
static inline void place_finish(place *p) { buf_finish(&p->text); }

typedef struct run {
    const pipeline_job *job;       /* borrowed, like the next three */
    const pipeline_events *events; /* never NULL; each callback may be */
    const cancel *cancel;
    const clk *clock;
    engine_env env;
    arena mem;                     /* catalogs and server facts */
    catalog_def catalog;           /* as the source has it */
    mapping *map;                  /* from it to the target's family */
    catalog_def *target_catalog;   /* as the target has it, by the same table ids; the same one between like engines */
    bool target_mariadb;
    uint32_t target_version;
    buf target_postgis, target_pgvector; /* schemas of these extensions, empty without */
    server_info source_info;
    bool streaming;                /* the stream was begun with this catalog */
    bool rows_since_sequences;     /* rows were applied since the target's counters were set, at sequences_us (monotonic, 0: not by this run) */
    int64_t sequences_us;
    uint64_t told_sequences;       /* hash of the failures that were told last */
    bool claimed;                  /* a claim succeeded: from now on the row must be there */
} run;

/* The run's connection to the target with the job's row claimed. Never copied: the target borrows env. */
typedef struct dest {
    run *run;
    engine_env env; /* with the cancel given to dest_init */
    target *t;      /* NULL while not connected */
    checkpoint ck;  /* as read when connected; lives in mem until the next dest_open */
    arena mem;
} dest;

void dest_init(dest *d, run *r, const cancel *c);
/* Connects and claims; one attempt. ERR_FENCED when a newer worker owns the row. */
bool dest_open(dest *d, err *e);
void dest_close(dest *d);
void dest_finish(dest *d);
/* The connection cannot be used any more after this failure (deadlocks leave it usable). */
static inline bool dest_is_lost(const err *e) { return e->retry != RETRY_TXN; }

/* Runs a step on a connected target until it succeeds (and stays connected), fails for good or the retry time is over; reconnects between. */
typedef bool (*dest_step)(run *r, dest *d, void *arg, err *e);
bool dest_try(dest *d, dest_step step, void *arg, err *e);
/* The same on a connection of its own. */
bool dest_retry(run *r, dest_step step, void *arg, err *e);
/* Moves phase and position; idempotent. */
bool run_save_phase(run *r, const char *phase, position at, err *e);

/* The table in the target's terms. */
static inline table_def *run_target_table(const run *r, const table_def *t) { return r->target_catalog->tables[t->id]; }

/* Maps a catalog of the source as the run's own is, by the job's choices. */
bool run_map(const run *r, catalog_def *c, arena *a, mapping **ret, err *e);
stage run_stage_of(str phase);
void run_stage_event(const run *r, stage s, bool finished);

/* full_load.c: loads every chunk that is not done. */
bool full_load_run(run *r, err *e);
/* stream_stage.c: applies from the checkpoint on, for ever or (full load without incremental) to the highest chunk position.
 * ret_rewound: start again from the target's checkpoint: it went back to an older state (restored copy), or columns were changed in it. */
bool stream_stage_run(run *r, bool *ret_rewound, err *e);

#endif
