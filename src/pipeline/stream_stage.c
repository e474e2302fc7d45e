/* The stream: reader thread → queue → merge window → target, with the position in the same target transaction as the rows.
 *
 * What is known about the target is never guessed: after a lost connection or a lost answer to COMMIT its checkpoint is read back, and it says whether the
 * window was committed. */
#include "base/failpoint.h"
#include "pipeline/reader.h"
#include "pipeline/reload.h"
#include "pipeline/sequences.h"
#include "pipeline/shapes.h"
#include "pipeline/window.h"

#define SPILL_PART_BYTES ((size_t)2 << 20) /* of a large transaction in memory at one time, as stored */
#define FIRST_WINDOW_ROWS 500
#define SAVE_EVERY_US 1000000 /* heartbeats move the checkpoint at most this often */

typedef struct stream {
    run *run;
    dest dest;
    spans spans;
    window window;
    uint32_t window_rows; /* the largest window now: small at first, so that a worker that dies soon after each start gets on nevertheless */
    reader reader;
    position until;       /* in spans.mem; none = for ever */
    place applied;        /* what the target's checkpoint says */
    place seen;           /* end of the last empty transaction after it, when later */
    bool ahead;           /* seen is later than applied */
    place goal;
    bool has_goal, caught_up, told;
    int64_t saved_us;
    bool rewound;         /* the target holds an older state than it had */
    bool altered;         /* columns of a table were changed in the target: begin anew with them */
} stream;

static const target_ops *ops_of(const stream *s) { return s->run->job->target_engine->target; }

static void tell_caught_up(stream *s, bool yes)
{
    if (s->told && s->caught_up == yes) return;
    s->told = true;
    s->caught_up = yes;
    if (s->run->events->caught_up) s->run->events->caught_up(s->run->events->ctx, yes);
}

static bool look_at_goal(stream *s, err *e)
{
    if (reader_take_goal(&s->reader, &s->goal)) s->has_goal = true;
    if (!s->has_goal) {
        if (s->told && queue_bytes(s->reader.queue) > s->run->job->budget_bytes / 4) tell_caught_up(s, false);
        else if (s->told && queue_items(s->reader.queue) == 0) tell_caught_up(s, true);
        return true;
    }
    int order;
    position at = place_get(s->ahead ? &s->seen : &s->applied);
    if (!s->run->job->source_engine->source->compare(at, place_get(&s->goal), &order, e)) return false;
    if (order >= 0) s->has_goal = false;
    tell_caught_up(s, order >= 0);
    return true;
}

/* rows: some were applied. */
static bool check_caught_up(stream *s, bool rows, err *e)
{
    if (!look_at_goal(s, e)) return false;
    if (s->caught_up) sequences_while_caught_up(s->run, rows);
    else s->run->rows_since_sequences |= rows;
    return true;
}

/* Connects and prepares. *ret_done: the target has `end` already (the commit whose answer was lost had succeeded). */
static bool reconnect(stream *s, position end, bool *ret_done, err *e)
{
    if (!dest_open(&s->dest, e)) return false;
    int to_end, to_applied;
    bool (*compare)(position, position, int *, err *) = s->run->job->source_engine->source->compare;
    if (!compare(s->dest.ck.at, end, &to_end, e) || !compare(s->dest.ck.at, place_get(&s->applied), &to_applied, e)) return false;
    *ret_done = to_end == 0;
    if (to_applied < 0) {
        s->rewound = true;
        return err_set(e, ERR_CHECKPOINT_MISSING, "the destination's checkpoint went back: an older copy of the destination was restored");
    }
    if (to_applied > 0 && to_end != 0)
        return err_set(e, ERR_FENCED, "the destination's checkpoint moved to a position that this worker did not write");
    return ops_of(s)->apply_begin(s->dest.t, s->run->job->epoch, s->run->target_catalog, &s->run->source_info, e);
}

static bool apply_once(stream *s, const apply_window *w, const window_feed *feed, position end, err *e)
{
    if (feed) return ops_of(s)->apply_large(s->dest.t, feed, w, e);
    if (w) return ops_of(s)->apply(s->dest.t, w, e);
    return ops_of(s)->save_checkpoint(s->dest.t, s->run->job->epoch, stage_name(STAGE_STREAM), end, e);
}

/* Applies the window (NULL: only moves the position; with a feed: the windows of a large transaction) and keeps at it through failures until the target is
 * known to have it. */
static bool commit(stream *s, const apply_window *w, const window_feed *feed, position end, err *e)
{
    retry again;
    retry_init(&again, s->run->job, s->run->events, s->run->cancel, s->run->clock, "destDB");
    for (bool done = false;;) {
        bool ok = s->dest.t || reconnect(s, end, &done, e);
        if (ok && !done) ok = apply_once(s, w, feed, end, e);
        if (ok) break;
        if (dest_is_lost(e)) dest_close(&s->dest);
        if (s->rewound || !retry_again(&again, e)) return false;
    }
    retry_over(&again);
    s->ahead = false;
    s->saved_us = clk_mono_us(s->run->clock);
    return place_set(&s->applied, end, e) && reader_set_durable(&s->reader, end, e);
}

static bool flush(stream *s, err *e)
{
    if (s->window.txn_count == 0) return true;
    apply_window w;
    if (!window_build(&s->window, &s->spans, &w, e) || !commit(s, &w, NULL, w.end, e)) return false;
    uint64_t bytes = s->window.bytes;
    int64_t commit_us = 0;
    for (uint32_t i = s->window.txn_count; i-- && !commit_us;) commit_us = s->window.txns[i]->commit_us;
    const pipeline_events *v = s->run->events;
    if (v->applied) v->applied(v->ctx, w.txn_count, w.row_count, bytes, commit_us, w.end);
    window_reset(&s->window);
    if (s->window_rows < s->run->job->window_rows) s->window_rows *= 2;
    throttle_pace(s->run->job->limits, THROTTLE_STREAM, w.row_count, bytes, 1, s->run->clock, s->run->cancel);
    return check_caught_up(s, w.row_count > 0, e);
}

/* A transaction in a file: parts of it go through the (empty) window one after the other. */
typedef struct large {
    stream *s;
    spill *file;
    apply_window part; /* the newest */
    apply_window last;
} large;

static bool large_rewind(void *ctx, err *e)
{
    (void)e;
    large *l = ctx;
    spill_rewind(l->file);
    window_reset(&l->s->window);
    l->last.row_count = 0;
    return true;
}

static bool large_next(void *ctx, const apply_window **ret, err *e)
{
    large *l = ctx;
    const catalog_def *c = l->s->run->target_catalog; /* what the file names is converted */
    txn *t;
    window_reset(&l->s->window);
    if (!spill_next(l->file, c->tables, c->table_count, SPILL_PART_BYTES, &t, e)) return false;
    *ret = NULL;
    if (!t) return true;
    if (!window_add(&l->s->window, t, e) || !window_build(&l->s->window, &l->s->spans, &l->part, e)) return false;
    l->last.row_count += l->part.row_count;
    *ret = &l->part;
    return true;
}

static bool apply_spilled(stream *s, const txn *t, err *e)
{
    large l = {.s = s, .file = t->spilled, .last = {.phase = stage_name(STAGE_STREAM), .end = t->end, .txn_count = 1}};
    window_feed feed = {large_rewind, large_next, &l};
    bool ok = commit(s, &l.last, &feed, t->end, e);
    window_reset(&s->window);
    if (!ok) return false;
    uint64_t bytes = spill_bytes(l.file);
    const pipeline_events *v = s->run->events;
    if (v->applied) v->applied(v->ctx, 1, l.last.row_count, bytes, t->commit_us, t->end);
    throttle_pace(s->run->job->limits, THROTTLE_STREAM, l.last.row_count, bytes, 1, s->run->clock, s->run->cancel);
    return check_caught_up(s, l.last.row_count > 0, e);
}

/* An empty transaction while the window is empty: only a position. */
static bool pass_over(stream *s, txn *t, err *e)
{
    bool same = str_eq(t->end.text, place_get(s->ahead ? &s->seen : &s->applied).text);
    bool ok = same || place_set(&s->seen, t->end, e);
    if (!same) s->ahead = true;
    txn_free(t);
    if (!ok) return false;
    if (s->ahead && clk_mono_us(s->run->clock) - s->saved_us >= SAVE_EVERY_US) {
        if (!commit(s, NULL, NULL, place_get(&s->seen), e)) return false;
        const pipeline_events *v = s->run->events;
        if (v->applied) v->applied(v->ctx, 0, 0, 0, s->applied.commit_us, place_get(&s->applied));
    }
    return check_caught_up(s, false, e);
}

static bool is_full(const stream *s)
{
    const pipeline_job *job = s->run->job;
    return s->window.changes >= s->window_rows || s->window.changes >= job->window_rows || s->window.bytes >= job->budget_bytes / 4;
}

/* A barrier: everything before it is in the target, and nothing after it is read. */
static bool alter(stream *s, txn *t, err *e)
{
    bool ok = flush(s, e) && dest_try(&s->dest, shapes_alter, (void *)(uintptr_t)t->alter, e);
    s->altered = ok;
    txn_free(t);
    return ok;
}

static void tell(const stream *s, const char *what, str text)
{
    BUF_AUTO line = BUF_INIT;
    const pipeline_events *v = s->run->events;
    buf_printf(&line, "%s: %.*s", what, STR_ARG(text));
    if (v->note && !line.failed) v->note(v->ctx, true, buf_str(&line));
}

/* *ret: the order of the target's checkpoint (or the given position) and the note; no note: *ret_any false. */
static bool compare_note(const stream *s, dest *d, position with, bool *ret_any, int *ret, err *e)
{
    position at;
    arena mem;
    arena_init(&mem, 4096, 2 * POSITION_MAX_BYTES);
    bool ok = ops_of(s)->ddl_pending(d->t, &mem, &at, e);
    *ret_any = ok && !position_is_none(at);
    if (*ret_any) ok = s->run->job->source_engine->source->compare(with, at, ret, e);
    arena_finish(&mem);
    return ok;
}

typedef struct intent {
    const stream *s;
    const txn *t;
} intent;

/* Once: a worker before this one may have noted it. */
static bool intend(run *r, dest *d, void *arg, err *e)
{
    const intent *i = arg;
    bool any;
    int order = 0;
    if (!compare_note(i->s, d, i->t->end, &any, &order, e)) return false;
    return (any && order == 0) || ops_of(i->s)->ddl_intend(d->t, r->job->epoch, r->target_catalog, i->t->ddl, i->t->end, e);
}

/* What a transaction makes is noted before its rows, and made when the stream begins anew with the note and the position behind them. */
static bool change_definitions(stream *s, txn *t, err *e)
{
    const ddl_list *l = t->ddl;
    bool carried = ops_of(s)->ddl_intend, ok = true;
    intent x = {s, t};
    for (uint32_t i = 0; i < l->note_count; i++) tell(s, "done at the source and not carried", l->notes[i]);
    for (uint32_t i = 0; !carried && !l->over && i < l->count; i++) tell(s, "done at the source and not carried", l->changes[i].text);
    if (carried && l->count) ok = flush(s, e) && (l->over ? commit(s, NULL, NULL, t->end, e) : dest_try(&s->dest, intend, &x, e));
    s->altered = ok && carried && l->over;
    if (s->altered) failpoint("ddl:there");
    txn_free(t);
    return ok;
}

/* A window has one rank, so that each table has one rule in it. */
static bool take(stream *s, txn *t, err *e)
{
    if (t->alter) return alter(s, t, e);
    if (t->ddl) return change_definitions(s, t, e);
    if (t->heartbeat && s->window.txn_count == 0) return pass_over(s, t, e);
    uint32_t rank = s->window.rank;
    if (!spans_rank(&s->spans, t->end, &rank, e) || (rank != s->window.rank && !flush(s, e))) {
        txn_free(t);
        return false;
    }
    s->window.rank = rank;
    if (t->spilled) {
        bool ok = flush(s, e) && apply_spilled(s, t, e);
        txn_free(t);
        return ok;
    }
    return window_add(&s->window, t, e) && (!is_full(s) || flush(s, e));
}

static bool apply_all(stream *s, err *e)
{
    int64_t wait_ms = (s->run->job->window_wait_us + 999) / 1000;
    for (;;) {
        void *t;
        queue_result r = queue_pop(s->reader.queue, s->window.txn_count ? wait_ms : -1, &t);
        if (cancel_asked(s->run->cancel)) {
            if (r == QUEUE_OK) txn_free(t);
            return cancel_error(e);
        }
        if (r == QUEUE_CLOSED) break;
        if (r == QUEUE_TIMEOUT ? !flush(s, e) : !take(s, t, e)) return false;
        if (s->altered) return true;
    }
    if (!flush(s, e)) return false;
    if (s->reader.failed) {
        *e = s->reader.error;
        return false;
    }
    return true;
}

/* Ends at `until` exactly, also when no transaction of ours ends there. */
static bool finish_at_until(stream *s, err *e)
{
    if (position_is_none(s->until)) return true;
    int order;
    if (!s->run->job->source_engine->source->compare(place_get(&s->applied), s->until, &order, e)) return false;
    return order >= 0 || commit(s, NULL, NULL, s->until, e);
}

/* The load keeps families together; a load that did not would leave child rows that nobody changes. */
static bool check_families(const stream *s, err *e)
{
    const catalog_def *c = &s->run->catalog;
    for (uint32_t i = 0; !s->run->source_info.cascades_logged && i < c->table_count; i++) {
        const table_def *t = c->tables[i], *first = t->family ? c->tables[t->family - 1] : t;
        if (t->family && (s->spans.min[i] != s->spans.max[i] || s->spans.min[i] != s->spans.min[first->id]))
            return err_set(e, ERR_NOT_SUPPORTED,
                           "table %.*s.%.*s is joined to others by foreign keys whose actions the source does not log, but was loaded at several positions; reset the job",
                           STR_ARG(t->schema), STR_ARG(t->name));
    }
    return true;
}

/* Definitions that an earlier worker, or this one, noted: the transaction that changes them is there, or comes again. */
static bool finish_definitions(const stream *s, dest *d, err *e)
{
    bool any;
    int order = 0;
    if (!ops_of(s)->ddl_pending) return true;
    if (!compare_note(s, d, d->ck.at, &any, &order, e)) return false;
    return !any || order < 0 || ops_of(s)->ddl_finish(d->t, s->run->job->epoch, e);
}

static bool begin(run *r, dest *d, void *arg, err *e)
{
    stream *s = arg;
    spans_finish(&s->spans);
    if (position_is_none(d->ck.at))
        return err_set(e, ERR_CHECKPOINT_MISSING, "the destination's checkpoint has no position to stream from; reset the job");
    if (!spans_read(&s->spans, d, r->job->full, e) || !check_families(s, e) || !place_set(&s->applied, d->ck.at, e) || !shapes_keep(r, d, e) || !finish_definitions(s, d, e))
        return false;
    return ops_of(s)->apply_begin(d->t, r->job->epoch, r->target_catalog, &r->source_info, e); /* before a window: it tells which tables have triggers */
}

/* A job without an incremental part streams only when its chunks lie at different positions, to the highest of them. */
static bool has_work(stream *s, bool *ret, err *e)
{
    *ret = true;
    if (s->run->job->incremental) return true;
    *ret = s->spans.count > 1;
    if (!*ret) return true;
    s->until = spans_highest(&s->spans);
    int order;
    if (!s->run->job->source_engine->source->compare(place_get(&s->applied), s->until, &order, e)) return false;
    *ret = order < 0;
    return true;
}

static bool stream_on(stream *s, err *e)
{
    bool work;
    if (!has_work(s, &work, e)) return false;
    if (!work) return true;
    if (!reload_check_families(s->run, e)) return false;
    run_stage_event(s->run, STAGE_STREAM, false);
    if (!spans_rank(&s->spans, place_get(&s->applied), &s->window.rank, e)) return false;
    if (!reader_start(&s->reader, s->run, &s->spans, place_get(&s->applied), s->until, e)) return false;
    s->saved_us = clk_mono_us(s->run->clock);
    s->run->streaming = s->run->rows_since_sequences = true;
    bool ok = apply_all(s, e) && (s->altered || finish_at_until(s, e));
    reader_finish(&s->reader);
    if (ok && !s->altered) run_stage_event(s->run, STAGE_STREAM, true);
    return ok;
}

bool stream_stage_run(run *r, bool *ret_rewound, err *e)
{
    stream s = {.run = r, .window_rows = FIRST_WINDOW_ROWS};
    dest_init(&s.dest, r, r->cancel);
    bool ok = window_init(&s.window, r->catalog.table_count, e) && dest_try(&s.dest, begin, &s, e) && stream_on(&s, e);
    if (!ok && s.rewound) ok = *ret_rewound = true;
    if (ok && s.altered) *ret_rewound = true;
    window_finish(&s.window);
    spans_finish(&s.spans);
    dest_finish(&s.dest);
    place_finish(&s.applied);
    place_finish(&s.seen);
    place_finish(&s.goal);
    return ok;
}
