/* Reading the stream: one connection at a time, resumed after the last queued transaction.
 *
 * A dead connection cannot deliver: stream() runs in this thread and has returned before the next one is opened. What a new connection sends again is dropped
 * by position until the first transaction that is new. */
#include "pipeline/reader.h"

#include <stdlib.h>

#include "pipeline/shapes.h"

#define HEARTBEAT_MS 1000
#define SPILL_KEEP_FREE_BYTES ((uint64_t)64 << 20) /* of the disk that serve's own store is on too */

typedef struct link {
    reader *rd;
    source *s;
    retry *again;
    bool past; /* this connection has delivered a transaction that was new */
} link;

static bool is_new(link *l, position end, bool *ret, err *e)
{
    int order = 1;
    if (!l->past && !l->rd->run->job->source_engine->source->compare(end, place_get(&l->rd->at), &order, e)) return false;
    *ret = l->past = order > 0;
    return true;
}

static bool enqueue(reader *rd, txn *t, err *e)
{
    if (queue_push(rd->queue, t, sizeof *t + t->bytes, -1) == QUEUE_OK) return true;
    txn_free(t);
    return cancel_error(e);
}

static void forget_parts(reader *rd)
{
    spill_free(rd->open);
    rd->open = NULL;
}

static void free_spill(void *s) { spill_free(s); }

/* A part goes to the file. */
static bool keep_part(reader *rd, const txn *t, err *e)
{
    const pipeline_job *job = rd->run->job;
    if (t->part == TXN_FIRST_PART) {
        forget_parts(rd);
        if (!spill_new(job->spill_folder, SPILL_KEEP_FREE_BYTES, &rd->open, e)) return false;
    }
    if (!rd->open) return err_set(e, ERR_INTERNAL, "a part of a transaction came without its first part");
    return (t->part == TXN_FIRST_PART || spill_keep(rd->open, t->keep, e)) && spill_add(rd->open, t, e);
}

/* The last part stands for the whole: *t gives its changes up for the file. */
static bool end_parts(reader *rd, txn **t, err *e)
{
    txn *whole = txn_new(0);
    if (!whole) return err_no_memory(e, "a transaction");
    whole->before = position_copy(&whole->mem, (*t)->before);
    whole->end = position_copy(&whole->mem, (*t)->end);
    whole->commit_us = (*t)->commit_us;
    if (!whole->before.text.p || !whole->end.text.p) {
        txn_free(whole);
        return err_no_memory(e, "a transaction");
    }
    whole->bytes = sizeof *whole + whole->mem.used_bytes;
    whole->spilled = rd->open;
    whole->spilled_free = free_spill;
    rd->open = NULL;
    txn_free(*t);
    *t = whole;
    return true;
}

/* True with *t == NULL: it was a part that is not the last. */
static bool take_part(reader *rd, txn **t, err *e)
{
    if ((*t)->part == TXN_WHOLE) {
        forget_parts(rd);
        return true;
    }
    bool ok = keep_part(rd, *t, e);
    if (ok && (*t)->part == TXN_LAST_PART) ok = end_parts(rd, t, e);
    else if (ok) txn_free(*t), *t = NULL;
    if (ok) return true;
    forget_parts(rd);
    txn_free(*t);
    return false;
}

static bool deliver(void *ctx, txn *t, err *e)
{
    link *l = ctx;
    bool fresh;
    if (t->alter) { /* it lies where the transaction before it ends */
        if (shapes_convert(l->rd->run, l->s, t, e)) return enqueue(l->rd, t, e);
        txn_free(t);
        return false;
    }
    if (t->ddl) {
        bool ok = is_new(l, t->end, &fresh, e) && (!fresh || !t->ddl->over || place_set(&l->rd->at, t->end, e));
        if (ok && fresh) return enqueue(l->rd, t, e);
        txn_free(t);
        return ok;
    }
    if (!mapping_convert_txn(l->rd->run->map, t, e)) {
        txn_free(t);
        return false;
    }
    if (!take_part(l->rd, &t, e)) return false;
    if (!t) return true;
    if (!is_new(l, t->end, &fresh, e)) {
        txn_free(t);
        return false;
    }
    if (fresh || t->heartbeat) retry_over(l->again); /* the connection works */
    if (!fresh) {
        txn_free(t);
        return true;
    }
    if (!place_set(&l->rd->at, t->end, e)) {
        txn_free(t);
        return false;
    }
    return enqueue(l->rd, t, e);
}

/* Notes the source's newest position, and wakes the applier with an empty transaction, as nothing else may come. */
static bool ask_goal(reader *rd, source *s, err *e)
{
    txn *poke = txn_new(2 * POSITION_MAX_BYTES);
    if (!poke) return err_no_memory(e, "a transaction");
    poke->heartbeat = true;
    poke->end = position_copy(&poke->mem, place_get(&rd->at));
    poke->commit_us = poke->end.commit_us;
    arena mem;
    arena_init(&mem, 4096, 2 * POSITION_MAX_BYTES);
    position goal;
    bool ok = rd->run->job->source_engine->source->current_position(s, &mem, &goal, e);
    if (ok) {
        pthread_mutex_lock(&rd->lock);
        ok = place_set(&rd->goal, goal, e);
        rd->has_goal = ok;
        pthread_mutex_unlock(&rd->lock);
    }
    arena_finish(&mem);
    if (ok && poke->end.text.p) return enqueue(rd, poke, e);
    txn_free(poke);
    return ok ? err_no_memory(e, "a position") : false;
}

bool reader_take_goal(reader *rd, place *ret)
{
    pthread_mutex_lock(&rd->lock);
    err ignored;
    bool got = rd->has_goal && place_set(ret, place_get(&rd->goal), &ignored);
    rd->has_goal = false;
    pthread_mutex_unlock(&rd->lock);
    return got;
}

bool reader_set_durable(reader *rd, position at, err *e)
{
    pthread_mutex_lock(&rd->lock);
    bool ok = place_set(&rd->durable, at, e);
    pthread_mutex_unlock(&rd->lock);
    return ok;
}

static bool give_durable(void *ctx, buf *out)
{
    reader *rd = ctx;
    pthread_mutex_lock(&rd->lock);
    buf_add(out, place_get(&rd->durable).text);
    pthread_mutex_unlock(&rd->lock);
    return !out->failed;
}

/* Rows may have been loaded at a later position: the source must have had it, too. One that was promoted since may not. */
static bool check_loaded(const reader *rd, source *s, position from, err *e)
{
    const source_ops *ops = rd->run->job->source_engine->source;
    for (uint32_t i = 0; i < rd->loaded->count; i++) {
        int order;
        if (!ops->compare(rd->loaded->at[i], from, &order, e)) return false;
        if (order > 0 && !ops->check_position(s, rd->loaded->at[i], e)) return err_context(e, "rows were loaded at a later position");
    }
    return true;
}

static bool read_once(reader *rd, retry *again, err *e)
{
    const pipeline_job *job = rd->run->job;
    const source_ops *ops = job->source_engine->source;
    engine_env env = rd->run->env;
    env.cancel = &rd->stop.own;
    source *s = NULL;
    if (!ops->open(job->source, &env, &s, e)) return false;
    place from = {0};
    bool ok = place_set(&from, place_get(&rd->at), e) && ops->check_position(s, place_get(&from), e) && check_loaded(rd, s, place_get(&from), e) && ask_goal(rd, s, e);
    if (ok) {
        link l = {.rd = rd, .s = s, .again = again};
        txn_sink sink = {deliver, &l};
        stream_request q = {.from = place_get(&from), .until = rd->until, .catalog = &rd->run->catalog, .objects = job->objects,
                            .heartbeat_ms = HEARTBEAT_MS, .durable = give_durable, .durable_ctx = rd, .txn_limit_bytes = job->budget_bytes / 4, .parts = job->spill_folder && job->target_engine->target->apply_large,
                            .alters = shapes_carried(rd->run), .ddl = rd->run->env.ddl};
        ok = ops->stream(s, &q, &sink, e);
        forget_parts(rd);
    }
    place_finish(&from);
    ops->close(s);
    return ok;
}

static void *read_main(void *arg)
{
    reader *rd = arg;
    retry again;
    retry_init(&again, rd->run->job, rd->run->events, &rd->stop.own, rd->run->clock, "srcDB");
    for (;;) {
        if (read_once(rd, &again, &rd->error)) break;
        if (retry_again(&again, &rd->error)) continue;
        rd->failed = true;
        break;
    }
    queue_close(rd->queue);
    return NULL;
}

bool reader_start(reader *rd, run *r, const spans *loaded, position from, position until, err *e)
{
    *rd = (reader){.run = r, .loaded = loaded, .until = until};
    if (!place_set(&rd->at, from, e) || !place_set(&rd->durable, from, e)) {
        place_finish(&rd->at);
        return false;
    }
    rd->queue = queue_new(r->job->budget_bytes / 2);
    if (!rd->queue || !stop_init(&rd->stop, r->cancel, e)) {
        if (!rd->queue) err_no_memory(e, "the queue of transactions");
        queue_free(rd->queue);
        place_finish(&rd->at);
        place_finish(&rd->durable);
        return false;
    }
    pthread_mutex_init(&rd->lock, NULL);
    int failed = pthread_create(&rd->thread, NULL, read_main, rd);
    if (!failed) return true;
    stop_finish(&rd->stop);
    pthread_mutex_destroy(&rd->lock);
    queue_free(rd->queue);
    place_finish(&rd->at);
    place_finish(&rd->durable);
    return err_set_errno(e, failed, "pthread_create");
}

void reader_finish(reader *rd)
{
    stop_ask(&rd->stop);
    queue_close(rd->queue);
    pthread_join(rd->thread, NULL);
    void *t;
    while (queue_pop(rd->queue, 0, &t) == QUEUE_OK) txn_free(t);
    queue_free(rd->queue);
    stop_finish(&rd->stop);
    pthread_mutex_destroy(&rd->lock);
    place_finish(&rd->at);
    place_finish(&rd->goal);
    place_finish(&rd->durable);
}
