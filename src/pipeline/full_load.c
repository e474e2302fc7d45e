/* The full load: attempts, each with a snapshot of its own, until every chunk of every table is done.
 *
 * The lowest position of the first attempt's snapshot is durable in the checkpoint before a row is loaded; it is where the stream begins, and later attempts
 * never replace it. Their snapshots are newer, so chunks of one table may lie at different positions: span.h says what the stream does with that. */
#include <stdlib.h>

#include "pipeline/lane.h"
#include "pipeline/reload.h"

/* Small enough that a batch is still in the processor's caches when it is written, and a few of them keep both threads of a lane busy. */
#define BATCH_AT_MOST (256 * 1024)
#define BATCHES_WAITING 8

/* The stored plan, made and stored when there is none. */
static bool get_plan(load_attempt *a, const table_def *t, chunk **ret, uint32_t *ret_count, err *e)
{
    const pipeline_job *job = a->run->job;
    arena *mem = &a->work.mem;
    const table_def *to = run_target_table(a->run, t);
    if (!job->target_engine->target->read_chunks(a->dest->t, to, mem, ret, ret_count, e)) return false;
    if (*ret_count) return true;
    if (!job->source_engine->source->plan_chunks(a->snap, t, job->chunk_rows, mem, ret, ret_count, e)) return false;
    if (*ret_count == 0)
        return err_set(e, ERR_INTERNAL, "table %.*s.%.*s: the plan has no chunk", STR_ARG(t->schema), STR_ARG(t->name));
    return job->target_engine->target->store_chunks(a->dest->t, job->epoch, to, *ret, *ret_count, e);
}

/* Do the table's chunks end up at different positions? */
static bool will_overlap(const load_attempt *a, const chunk *c, uint32_t count)
{
    if (count > 1 && a->uneven) return true;
    for (uint32_t i = 0; i < count; i++)
        if (c[i].done && !str_eq(c[i].at.text, a->lanes[0].at.text)) return true;
    return false;
}

bool load_plan_table(load_attempt *a, table_load *l, err *e)
{
    chunk *c;
    uint32_t count;
    if (!get_plan(a, l->table, &c, &count, e)) return false;
    bool overlap = will_overlap(a, c, count), raw = a->run->job->source_engine == a->run->job->target_engine, binary = false;
    bool (*takes_binary)(target *, const table_def *, bool *, err *) = a->run->job->target_engine->target->takes_binary;
    if (raw && takes_binary && !takes_binary(a->dest->t, run_target_table(a->run, l->table), &binary, e)) return false;
    task *first = NULL, **end = &first;
    uint64_t estimated = 0;
    l->chunks = count;
    for (uint32_t i = 0; i < count; i++) {
        estimated += c[i].rows;
        if (c[i].done) {
            l->done++;
            l->rows += c[i].rows;
            continue;
        }
        task *t = arena_alloc(&a->work.mem, sizeof *t);
        if (!t) return err_no_memory(e, "a chunk");
        *t = (task){.load = l, .c = c[i]};
        t->c.overlap = overlap;
        t->c.raw = raw;
        t->c.binary = binary;
        *end = t;
        end = &t->next;
    }
    const pipeline_events *v = a->run->events;
    if (v->table_planned) v->table_planned(v->ctx, l->table, estimated, l->rows, l->done == l->chunks);
    work_planned(&a->work, first);
    return true;
}

/* Lowest position of the snapshot's lanes; notes whether they differ. */
static bool lowest_position(load_attempt *a, position *ret, err *e)
{
    const source_ops *ops = a->run->job->source_engine->source;
    *ret = ops->snapshot_position(a->snap, 0);
    for (uint32_t i = 0; i < a->lane_count; i++) {
        position p = ops->snapshot_position(a->snap, i);
        a->lanes[i].at = p;
        int order;
        if (!ops->compare(p, *ret, &order, e)) return false;
        if (order != 0) a->uneven = true;
        if (order < 0) *ret = p;
    }
    return true;
}

/* The start of the stream: saved once, before the first row; on later attempts it must still be in the log. */
static bool fix_start(load_attempt *a, source *s, err *e)
{
    const pipeline_job *job = a->run->job;
    position low;
    if (!lowest_position(a, &low, e)) return false;
    if (!position_is_none(a->dest->ck.at)) return !job->incremental || job->source_engine->source->check_position(s, a->dest->ck.at, e);
    return job->target_engine->target->save_checkpoint(a->dest->t, job->epoch, stage_name(STAGE_FULL), low, e);
}

/* Lanes of different positions will not do for tables that must be loaded at one: then there is one lane. */
static bool open_snapshot(load_attempt *a, source *s, err *e)
{
    const source_ops *ops = a->run->job->source_engine->source;
    if (!ops->snapshot_open(s, a->lane_count, &a->snap, e)) return false;
    bool uneven = false;
    for (uint32_t i = 1; i < a->lane_count; i++) {
        int order;
        if (!ops->compare(ops->snapshot_position(a->snap, i), ops->snapshot_position(a->snap, 0), &order, e)) return false;
        uneven = uneven || order;
    }
    if (!uneven || !reload_needs_one_position(a->run)) return true;
    ops->snapshot_close(a->snap);
    a->snap = NULL;
    a->lane_count = 1;
    return ops->snapshot_open(s, 1, &a->snap, e);
}

static bool open_lanes(load_attempt *a, err *e)
{
    const pipeline_job *job = a->run->job;
    for (uint32_t i = 0; i < a->lane_count; i++) {
        lane *l = &a->lanes[i];
        l->attempt = a;
        l->number = i;
        retry_init(&l->retry, job, a->run->events, &a->stop.own, a->run->clock, "destDB");
        l->queue = queue_new(BATCHES_WAITING * a->batch_bytes);
        if (!l->queue) return err_no_memory(e, "a lane's queue");
        if (!job->target_engine->target->loader_open(a->dest->t, job->epoch, job->ignore_existing, &l->loader, e)) return false;
    }
    return true;
}

static bool run_lanes(load_attempt *a, err *e)
{
    err start_error = ERR_INIT;
    bool started = true;
    for (uint32_t i = 0; i < a->lane_count && started; i++) started = lane_start(&a->lanes[i], &start_error);
    if (!started) lane_fail(a, &start_error);
    for (uint32_t i = 0; i < a->lane_count; i++) lane_join(&a->lanes[i]);
    if (a->failed) *e = a->error;
    else if (cancel_asked(a->run->cancel)) return cancel_error(e);
    return !a->failed;
}

/* Before the snapshot, so that no change between it and the stream is lost. On later attempts it is there already. */
static bool keep_log(load_attempt *a, source *s, err *e)
{
    const source_ops *ops = a->run->job->source_engine->source;
    position ignored;
    arena mem;
    if (!ops->keep_log) return true;
    arena_init(&mem, 4096, 2 * POSITION_MAX_BYTES);
    bool ok = ops->keep_log(s, &a->run->catalog, &mem, &ignored, e);
    arena_finish(&mem);
    return ok;
}

static bool attempt_with_lanes(load_attempt *a, source *s, err *e)
{
    const pipeline_job *job = a->run->job;
    bool ok = keep_log(a, s, e) && open_snapshot(a, s, e);
    if (ok) a->lanes = calloc(a->lane_count, sizeof *a->lanes);
    ok = ok && (a->lanes || err_no_memory(e, "lanes"));
    ok = ok && fix_start(a, s, e) && reload_families(a->run, a->dest, a->lanes[0].at, e) && open_lanes(a, e) && work_init(&a->work, &a->run->catalog, a->lane_count, e) && run_lanes(a, e);
    for (uint32_t i = 0; a->lanes && i < a->lane_count; i++) {
        lane_finish(&a->lanes[i]);
        job->target_engine->target->loader_close(a->lanes[i].loader);
    }
    work_finish(&a->work);
    job->source_engine->source->snapshot_close(a->snap);
    free(a->lanes);
    return ok;
}

static bool attempt_with_source(load_attempt *a, err *e)
{
    const pipeline_job *job = a->run->job;
    engine_env env = a->run->env;
    env.cancel = &a->stop.own;
    source *s = NULL;
    if (!job->source_engine->source->open(job->source, &env, &s, e)) return false;
    dest d;
    dest_init(&d, a->run, &a->stop.own);
    a->dest = &d;
    bool ok = dest_open(&d, e) && attempt_with_lanes(a, s, e);
    dest_finish(&d);
    job->source_engine->source->close(s);
    return ok;
}

static bool attempt(run *r, uint64_t *ret_finished, err *e)
{
    const pipeline_job *job = r->job;
    load_attempt a = {.run = r, .lane_count = job->lanes < 1 ? 1 : job->lanes > WORK_MAX_LANES ? WORK_MAX_LANES : job->lanes};
    size_t share = job->budget_bytes / a.lane_count / 8;
    a.batch_bytes = share < BATCH_AT_MOST ? share : BATCH_AT_MOST;
    if (!stop_init(&a.stop, r->cancel, e)) return false;
    pthread_mutex_init(&a.lock, NULL);
    bool ok = attempt_with_source(&a, e);
    *ret_finished = a.work.finished;
    pthread_mutex_destroy(&a.lock);
    stop_finish(&a.stop);
    return ok;
}

bool full_load_run(run *r, err *e)
{
    retry again;
    retry_init(&again, r->job, r->events, r->cancel, r->clock, "inner_module");
    uint64_t finished = 0;
    while (!attempt(r, &finished, e)) {
        if (finished) retry_over(&again); /* it got on: a new failure, not the old one */
        if (!retry_again(&again, e)) return false;
    }
    retry_over(&again);
    return true;
}
