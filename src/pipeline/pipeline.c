/* One run of a job: prepares both ends, then the stages from where the target's checkpoint says. */
#include "pipeline/pipeline.h"

#include "pipeline/reload.h"
#include "pipeline/sequences.h"
#include "pipeline/shapes.h"

#define CONNECT_TIMEOUT_S 10
#define IO_TIMEOUT_S 60

/* Server facts and the catalog of the source; where the stream begins when the job has no full load. */
typedef struct source_facts {
    bool want_position;
    position now; /* in the run's arena */
} source_facts;

static bool read_source(run *r, source_facts *f, err *e)
{
    const source_ops *ops = r->job->source_engine->source;
    source *s = NULL;
    arena_reset(&r->mem); /* what an attempt before this one read */
    r->catalog = (catalog_def){0};
    r->streaming = false;
    if (!ops->open(r->job->source, &r->env, &s, e)) return false;
    bool ok = ops->server(s, &r->mem, &r->source_info, e) && ops->read_catalog(s, r->job->objects, &r->mem, &r->catalog, e) &&
              ((r->job->rights && r->job->source_engine->sql == r->job->target_engine->sql) || catalog_leave_out_rights(&r->catalog, &r->mem, e));
    if (ok && f->want_position) ok = ops->keep_log ? ops->keep_log(s, &r->catalog, &r->mem, &f->now, e) : ops->current_position(s, &r->mem, &f->now, e);
    ops->close(s);
    return ok;
}

/* The user's choices of types, from the job's options. */
static str type_choice(void *ctx, str key)
{
    const pipeline_job *job = ctx;
    return job->type_choice ? job->type_choice(job->type_ctx, key) : STR_NULL;
}

static str found_name(const buf *b) { return b->n ? buf_str(b) : STR_NULL; }

bool run_map(const run *r, catalog_def *c, arena *a, mapping **ret, err *e)
{
    const pipeline_job *job = r->job;
    mapping_options o = {.target = job->target_engine->sql, .target_mariadb = r->target_mariadb, .target_version = r->target_version, .postgis_schema = found_name(&r->target_postgis),
                         .pgvector_schema = found_name(&r->target_pgvector), .choice = type_choice, .ctx = (void *)(uintptr_t)job};
    return mapping_make(c, job->source_engine->sql, &o, NULL, a, ret, e);
}

static bool map_catalog(run *r, err *e)
{
    if (!run_map(r, &r->catalog, &r->mem, &r->map, e)) return false;
    r->target_catalog = mapping_catalog(r->map);
    return true;
}

static bool prepare_source(run *r, source_facts *f, err *e)
{
    retry again;
    retry_init(&again, r->job, r->events, r->cancel, r->clock, "srcDB");
    while (!read_source(r, f, e))
        if (!retry_again(&again, e)) return false;
    retry_over(&again);
    return true;
}

typedef struct start {
    stage at;
    bool has_position;
} start;

static bool keep_name(buf *to, str name, err *e)
{
    buf_reset(to);
    buf_add(to, name);
    return !to->failed || err_no_memory(e, "a name");
}

static bool read_start(run *r, dest *d, void *arg, err *e)
{
    start *s = arg;
    arena mem;
    server_info info;
    s->at = run_stage_of(d->ck.phase);
    s->has_position = !position_is_none(d->ck.at);
    arena_init(&mem, 4096, 0);
    bool ok = r->job->target_engine->target->server(d->t, &mem, &info, e);
    ok = ok && keep_name(&r->target_postgis, info.postgis_schema, e) && keep_name(&r->target_pgvector, info.pgvector_schema, e);
    if (ok) r->target_mariadb = str_eq(info.product, STR("MariaDB")), r->target_version = info.version_number;
    arena_finish(&mem);
    return ok;
}

static void schema_object(void *ctx, stage s, const char *kind, str name, uint32_t done, uint32_t total)
{
    const run *r = ctx;
    if (r->events->schema_object) r->events->schema_object(r->events->ctx, s, kind, name, done, total);
}

static void table_object(void *ctx, const char *kind, str name, uint32_t done, uint32_t total)
{
    schema_object(ctx, STAGE_SCHEMA, kind, name, done, total);
}

static void index_object(void *ctx, const char *kind, str name, uint32_t done, uint32_t total)
{
    schema_object(ctx, STAGE_INDEX, kind, name, done, total);
}

static bool apply_schema(run *r, dest *d, void *arg, err *e)
{
    stage s = *(stage *)arg;
    schema_progress progress = {s == STAGE_SCHEMA ? table_object : index_object, r};
    return r->job->target_engine->target->apply_schema(d->t, s == STAGE_SCHEMA ? SCHEMA_TABLES : SCHEMA_AFTER_LOAD, r->target_catalog, &r->source_info,
                                                       r->job->ignore_existing, &progress, e);
}

static bool run_schema(run *r, stage s, err *e)
{
    if (!r->job->schema) return true;
    run_stage_event(r, s, false);
    if (!dest_retry(r, apply_schema, &s, e)) return false;
    run_stage_event(r, s, true);
    return true;
}

typedef struct phase_only {
    const char *phase;
} phase_only;

/* Moves the phase and keeps the position. */
static bool next_phase(run *r, dest *d, void *arg, err *e)
{
    const phase_only *p = arg;
    return r->job->target_engine->target->save_checkpoint(d->t, r->job->epoch, p->phase, d->ck.at, e);
}

static bool finish_stage(run *r, stage next, err *e)
{
    phase_only p = {stage_name(next)};
    return dest_retry(r, next_phase, &p, e);
}

static bool needs_stream(const pipeline_job *job) { return job->incremental || job->full; }

static bool release_once(run *r, err *e)
{
    const source_ops *ops = r->job->source_engine->source;
    source *s = NULL;
    arena mem;
    str removed;
    arena_init(&mem, 4096, 0);
    bool ok = ops->open(r->job->source, &r->env, &s, e) && ops->remove_job(s, r->job->job_id, &mem, &removed, e);
    ops->close(s);
    arena_finish(&mem);
    return ok;
}

/* A job that has ended must not make the source keep its log for ever. */
static bool release_log(run *r, err *e)
{
    retry again;
    if (r->job->incremental || !r->job->source_engine->source->remove_job) return true;
    retry_init(&again, r->job, r->events, r->cancel, r->clock, "srcDB");
    while (!release_once(r, e))
        if (!retry_again(&again, e)) return false;
    retry_over(&again);
    return true;
}

static bool run_stages(run *r, stage from, bool *ret_rewound, err *e)
{
    if (from <= STAGE_SCHEMA && !(run_schema(r, STAGE_SCHEMA, e) && finish_stage(r, STAGE_FULL, e))) return false;
    if (from <= STAGE_FULL) {
        if (r->job->full) {
            run_stage_event(r, STAGE_FULL, false);
            if (!full_load_run(r, e)) return false;
            run_stage_event(r, STAGE_FULL, true);
        }
        if (!finish_stage(r, STAGE_INDEX, e)) return false;
    }
    if (from <= STAGE_INDEX && !(run_schema(r, STAGE_INDEX, e) && sequences_after_load(r, e) && finish_stage(r, STAGE_STREAM, e))) return false;
    if (needs_stream(r->job) && !stream_stage_run(r, ret_rewound, e)) return false;
    if (!*ret_rewound && r->streaming && !sequences_after_load(r, e)) return false;
    return *ret_rewound || release_log(r, e);
}

/* Reads where to go on, and fixes the position a stream without a full load begins at before anything else is done. */
static bool run_from_checkpoint(run *r, bool *ret_rewound, err *e)
{
    start s = {0};
    if (!dest_retry(r, read_start, &s, e)) return false;
    bool fix = r->job->incremental && !r->job->full && !s.has_position;
    source_facts facts = {.want_position = fix && position_is_none(r->job->start_at)};
    if (!prepare_source(r, &facts, e)) return false;
    if (s.at == STAGE_STREAM && shapes_carried(r) && !dest_retry(r, shapes_restore, NULL, e)) return false;
    if (!map_catalog(r, e) || (r->job->incremental && !reload_check_families(r, e))) return false;
    if (fix && !run_save_phase(r, stage_name(s.at), facts.want_position ? facts.now : r->job->start_at, e)) return false;
    return run_stages(r, s.at, ret_rewound, e);
}

bool pipeline_run(const pipeline_job *job, const pipeline_events *events, const ledger *l, cancel *c, const clk *clock, err *e)
{
    static const pipeline_events silent;
    run r = {.job = job, .events = events ? events : &silent, .cancel = c, .clock = clock};
    r.env = (engine_env){.clock = clock, .cancel = c, .ledger = l, .job_id = job->job_id, .replica_id = job->replica_id,
                         .budget_bytes = job->budget_bytes, .row_limit_bytes = job->row_limit_bytes, .lanes = job->lanes, .connect_timeout_s = CONNECT_TIMEOUT_S, .io_timeout_s = IO_TIMEOUT_S, .ddl = job->ddl && job->incremental};
    if (!job->source_engine || !job->source_engine->source || !job->target_engine || !job->target_engine->target)
        return err_set(e, ERR_NOT_SUPPORTED, "this pair of engines: one of them cannot be a source or a destination; choose another engine");
    arena_init(&r.mem, 64 * 1024, 0);
    bool ok, rewound;
    do {
        rewound = false;
        ok = run_from_checkpoint(&r, &rewound, e);
    } while (ok && rewound);
    if (!ok && e->code == ERR_CANCELLED && r.streaming) sequences_at_stop(&r);
    arena_finish(&r.mem);
    buf_finish(&r.target_postgis);
    buf_finish(&r.target_pgvector);
    return ok;
}
