/* The two threads of a lane. */
#include "pipeline/lane.h"

#include <stdlib.h>

/* What travels: a batch of a task's rows, or (batch NULL) the end of the task's rows. */
typedef struct parcel {
    task *task;
    row_batch *batch;
} parcel;

void lane_fail(load_attempt *a, const err *e)
{
    pthread_mutex_lock(&a->lock);
    if (!a->failed) {
        a->failed = true;
        a->error = *e;
    }
    pthread_mutex_unlock(&a->lock);
    stop_ask(&a->stop);
    work_close(&a->work);
    for (uint32_t i = 0; i < a->lane_count; i++)
        if (a->lanes[i].queue) queue_close(a->lanes[i].queue);
}

static bool send(lane *l, task *t, row_batch *b, err *e)
{
    parcel *p = malloc(sizeof *p);
    if (!p) {
        row_batch_free(b);
        return err_no_memory(e, "a parcel of rows");
    }
    *p = (parcel){t, b};
    if (queue_push(l->queue, p, sizeof *p + (b ? b->bytes : 0), -1) == QUEUE_OK) return true;
    row_batch_free(b);
    free(p);
    return cancel_error(e);
}

typedef struct reading {
    lane *lane;
    task *task;
} reading;

static bool push_rows(void *ctx, row_batch *b, err *e)
{
    reading *r = ctx;
    const run *owner = r->lane->attempt->run;
    uint64_t rows = b->row_count, bytes = b->bytes;
    if (!send(r->lane, r->task, b, e)) return false;
    throttle_pace(owner->job->limits, THROTTLE_FULL, rows, bytes, 1, owner->clock, &r->lane->attempt->stop.own);
    return true;
}

static bool read_task(lane *l, task *t, err *e)
{
    reading r = {l, t};
    row_sink sink = {push_rows, &r};
    load_attempt *a = l->attempt;
    return a->run->job->source_engine->source->read_chunk(a->snap, l->number, t->load->table, &t->c, a->batch_bytes, &sink, e) &&
           send(l, t, NULL, e);
}

static void *read_main(void *arg)
{
    lane *l = arg;
    load_attempt *a = l->attempt;
    err e = ERR_INIT;
    for (bool ok = true; ok;) {
        table_load *load;
        task *t;
        work_kind kind = work_next(&a->work, l->number, &load, &t);
        if (kind == WORK_END) break;
        ok = kind == WORK_PLAN ? load_plan_table(a, load, &e) : read_task(l, t, &e);
        if (!ok) lane_fail(a, &e);
    }
    queue_close(l->queue);
    return NULL;
}

/* The rows of one task as load_chunk asks for them. */
typedef struct feeding {
    lane *lane;
    parcel *first; /* popped before the load began */
    bool ended;    /* the task's end marker was popped */
    uint64_t bytes;
} feeding;

static parcel *pop(lane *l)
{
    void *item;
    return queue_pop(l->queue, -1, &item) == QUEUE_OK ? item : NULL;
}

/* NULL at the end of the rows (ended) or when the reader died (not ended). */
static row_batch *take_batch(feeding *f)
{
    if (f->ended) return NULL;
    parcel *p = f->first ? f->first : pop(f->lane);
    f->first = NULL;
    if (!p) return NULL;
    row_batch *b = p->batch;
    free(p);
    f->ended = b == NULL;
    if (b) f->bytes += b->bytes;
    return b;
}

static bool next_rows(void *ctx, row_batch **ret, err *e)
{
    feeding *f = ctx;
    *ret = take_batch(f);
    if (!*ret) return f->ended || cancel_error(e); /* a reader that died must never look like the end of the chunk */
    if (mapping_convert_rows(f->lane->attempt->run->map, *ret, e)) return true;
    row_batch_free(*ret);
    *ret = NULL;
    return false;
}

/* The rest of the task's rows, so that the next parcel begins another task. */
static void drain(feeding *f)
{
    for (row_batch *b; (b = take_batch(f));) row_batch_free(b);
}

static void tell_done(lane *l, task *t, uint64_t rows, uint64_t bytes)
{
    const pipeline_events *v = l->attempt->run->events;
    bool last = work_done(&l->attempt->work, t, rows);
    if (v->rows_loaded) v->rows_loaded(v->ctx, t->load->table, rows, bytes);
    if (last && v->table_loaded) v->table_loaded(v->ctx, t->load->table, t->load->rows);
}

/* A deadlock rolled the chunk back and its rows are spent: the chunk is given back to be read again. */
static bool load_task(lane *l, parcel *first, err *e)
{
    task *t = first->task;
    feeding f = {.lane = l, .first = first};
    row_feed feed = {next_rows, &f};
    uint64_t rows = 0;
    bool ok = l->attempt->run->job->target_engine->target->load_chunk(l->loader, run_target_table(l->attempt->run, t->load->table), &t->c, l->at, &feed, &rows, e);
    bool partly = !f.first && !f.ended; /* a chunk that had been done before takes no row at all */
    if (ok && partly) ok = err_set(e, ERR_INTERNAL, "chunk %u was loaded without all its rows", t->c.number);
    bool again = !ok && e->retry == RETRY_TXN;
    if (ok || again) drain(&f);
    if (f.first) row_batch_free(f.first->batch);
    free(f.first);
    if (ok) {
        retry_over(&l->retry);
        tell_done(l, t, rows, f.bytes);
        return true;
    }
    if (!again || !f.ended || !retry_again(&l->retry, e)) return false;
    work_again(&l->attempt->work, t);
    return true;
}

static void *write_main(void *arg)
{
    lane *l = arg;
    err e = ERR_INIT;
    for (parcel *p; (p = pop(l));)
        if (!load_task(l, p, &e)) {
            lane_fail(l->attempt, &e);
            break;
        }
    return NULL;
}

bool lane_start(lane *l, err *e)
{
    int failed = pthread_create(&l->writer, NULL, write_main, l);
    if (failed) return err_set_errno(e, failed, "pthread_create");
    l->writer_runs = true;
    failed = pthread_create(&l->reader, NULL, read_main, l);
    if (failed) return err_set_errno(e, failed, "pthread_create");
    l->reader_runs = true;
    return true;
}

void lane_join(lane *l)
{
    if (l->reader_runs) pthread_join(l->reader, NULL);
    if (l->queue) queue_close(l->queue); /* when no reader came to run */
    if (l->writer_runs) pthread_join(l->writer, NULL);
}

void lane_finish(lane *l)
{
    if (l->queue) queue_close(l->queue);
    for (parcel *p; l->queue && (p = pop(l)); free(p)) row_batch_free(p->batch);
    queue_free(l->queue);
    l->queue = NULL;
}
