/* Setting the target's counters during a run. */
#include "pipeline/sequences.h"

#include "base/map.h"

#define EVERY_US (30 * 1000000LL)
#define STREAM_TIMEOUT_S 5 /* of a connection and of a statement: rows wait */
#define STOP_TIMEOUT_S 2   /* the same: whoever asked to stop waits */

bool sequences_carried(const pipeline_job *job) { return job->source_engine->source->read_sequences && job->target_engine->target->set_sequences; }

bool sequences_set(const pipeline_job *job, source *s, target *t, const catalog_def *from, const catalog_def *to, uint64_t margin, arena *a, sequence_result **ret,
                   uint32_t *ret_count, err *e)
{
    sequence_state *list;
    if (!job->source_engine->source->read_sequences(s, from, a, &list, ret_count, e)) return false;
    *ret = arena_array(a, *ret_count + 1, sizeof **ret);
    if (!*ret) return err_no_memory(e, "the outcome of sequences");
    return job->target_engine->target->set_sequences(t, to, list, *ret_count, margin, a, *ret, e);
}

static void note(const run *r, bool warning, str text)
{
    if (r->events->note) r->events->note(r->events->ctx, warning, text);
}

/* Failures as one text that is told when it changes. */
static void tell_failures(run *r, const sequence_result *list, uint32_t count)
{
    BUF_AUTO text = BUF_INIT;
    for (uint32_t i = 0; i < count; i++)
        if (list[i].outcome == SEQUENCE_FAILED)
            buf_printf(&text, "%sthe numbers of %.*s are not set in the destination: %.*s", text.n ? "\n" : "", STR_ARG(list[i].name), STR_ARG(list[i].why));
    uint64_t hash = text.n && !text.failed ? map_hash(buf_str(&text)) : 0;
    if (hash && hash != r->told_sequences) note(r, true, buf_str(&text));
    r->told_sequences = hash;
}

static void tell_counts(const run *r, const sequence_result *list, uint32_t count)
{
    uint32_t n[SEQUENCE_FAILED + 1] = {0};
    BUF_AUTO text = BUF_INIT;
    for (uint32_t i = 0; i < count; i++) n[list[i].outcome]++;
    buf_printf(&text, "sequences and AUTO_INCREMENT in the destination: %u set, %u right already, %u further on than the source, %u without a counterpart, %u not set", n[SEQUENCE_SET],
               n[SEQUENCE_RIGHT], n[SEQUENCE_AHEAD], n[SEQUENCE_ABSENT], n[SEQUENCE_FAILED]);
    if (count && !text.failed) note(r, false, buf_str(&text));
}

/* On a source of its own and the given target. */
static bool set_all(run *r, const engine_env *env, target *t, bool counts, err *e)
{
    const source_ops *ops = r->job->source_engine->source;
    source *s = NULL;
    sequence_result *list;
    uint32_t count;
    arena mem;
    arena_init(&mem, 16 * 1024, 0);
    bool ok = ops->open(r->job->source, env, &s, e) && sequences_set(r->job, s, t, &r->catalog, r->target_catalog, 0, &mem, &list, &count, e);
    if (ok && counts) tell_counts(r, list, count);
    if (ok) tell_failures(r, list, count);
    ops->close(s);
    arena_finish(&mem);
    return ok;
}

static bool after_load(run *r, dest *d, void *arg, err *e)
{
    (void)arg;
    return set_all(r, &d->env, d->t, true, e);
}

bool sequences_after_load(run *r, err *e)
{
    if (!sequences_carried(r->job) || !(r->job->full || r->job->incremental)) return true;
    r->sequences_us = clk_mono_us(r->clock);
    return dest_retry(r, after_load, NULL, e);
}

/* On connections of its own, and without a claim: nothing here is the job's alone. */
static void attempt(run *r, const cancel *c, uint32_t timeout_s)
{
    engine_env env = r->env;
    const target_ops *ops = r->job->target_engine->target;
    target *t = NULL;
    err ignored = ERR_INIT;
    env.cancel = c;
    env.connect_timeout_s = env.io_timeout_s = timeout_s;
    r->sequences_us = clk_mono_us(r->clock);
    if (ops->open(r->job->target, &env, &t, &ignored)) (void)!set_all(r, &env, t, false, &ignored);
    ops->close(t);
}

void sequences_while_caught_up(run *r, bool rows)
{
    r->rows_since_sequences = r->rows_since_sequences || rows;
    if (!r->rows_since_sequences || !sequences_carried(r->job) || r->job->target_engine->target->rows_move_sequences) return;
    if (r->sequences_us && clk_mono_us(r->clock) - r->sequences_us < EVERY_US) return;
    r->rows_since_sequences = false;
    attempt(r, r->cancel, STREAM_TIMEOUT_S);
}

void sequences_at_stop(run *r)
{
    cancel never;
    err ignored = ERR_INIT;
    if (!sequences_carried(r->job) || !cancel_init(&never, &ignored)) return;
    attempt(r, &never, STOP_TIMEOUT_S);
    cancel_finish(&never);
}
