/* The simulated target: rows, checkpoint and chunks change together, and every commit is judged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/sim/sim.h"

struct target {
    sim_world *world;
    const engine_env *env;
    uint64_t epoch;
    bool broken, begun;
};

struct loader {
    target *target;
    uint64_t epoch;
    bool broken;
};

static bool target_open(const endpoint *ep, const engine_env *env, target **ret, err *e)
{
    sim_world *w = sim_world_find(ep->database);
    if (!w) return err_set(e, ERR_TARGET_CONNECT, "there is no simulated server \"%.*s\" in this process", STR_ARG(ep->database));
    bool broken = false;
    if (!sim_enter(w, env, SIM_AT_TARGET, &broken, e)) return false;
    sim_leave(w);
    target *t = calloc(1, sizeof *t);
    if (!t) return err_no_memory(e, "a target");
    *t = (target){.world = w, .env = env};
    *ret = t;
    return true;
}

static void target_close(target *t) { free(t); }

static bool target_server(target *t, arena *a, server_info *ret, err *e)
{
    (void)t, (void)a, (void)e;
    *ret = (server_info){.product = STR("sim"), .version = STR("1"), .version_number = 1, .identity = STR("sim target")};
    return true;
}

static bool target_precheck(target *t, const precheck_request *r, const precheck_sink *sink, err *e)
{
    (void)t, (void)r, (void)sink;
    return err_set(e, ERR_NOT_SUPPORTED, "a simulated target has no prechecks");
}

static bool give_checkpoint(sim_world *w, uint32_t at, arena *a, checkpoint *ret, err *e)
{
    *ret = w->ck;
    ret->phase = arena_copy(a, str_from_c(w->phase));
    ret->at = w->has_at ? sim_position(at, a) : (position){0};
    return ret->phase.p || err_no_memory(e, "a checkpoint");
}

static bool target_claim(target *t, uint64_t epoch, arena *a, checkpoint *ret, err *e)
{
    sim_world *w = t->world;
    if (!sim_enter(w, t->env, SIM_AT_TARGET, &t->broken, e)) return false;
    bool ok = !w->ck.exists || w->ck.epoch <= epoch;
    if (ok) {
        bool stale = w->bug == SIM_BUG_STALE_CHECKPOINT && w->ck.epoch == epoch;
        w->unsettled = false;
        w->ck.exists = true;
        w->ck.epoch = t->epoch = epoch;
        ok = give_checkpoint(w, stale ? w->previous_at : w->at, a, ret, e);
        if (ok && w->faults_left && rng_chance(&w->random, 5)) ok = sim_lost(SIM_AT_TARGET, &t->broken, e); /* the answer is lost */
    } else {
        err_set(e, ERR_FENCED, "epoch %llu is below %llu", (unsigned long long)epoch, (unsigned long long)w->ck.epoch);
    }
    sim_leave(w);
    return ok;
}

static bool target_read(target *t, arena *a, checkpoint *ret, err *e)
{
    sim_world *w = t->world;
    if (!sim_enter(w, t->env, SIM_AT_TARGET, &t->broken, e)) return false;
    bool ok = give_checkpoint(w, w->unsettled ? w->previous_at : w->at, a, ret, e);
    sim_leave(w);
    return ok;
}

static bool fence(sim_world *w, uint64_t epoch, err *e)
{
    if (w->unsettled) sim_violate(w, "a transaction begins while the COMMIT of the one before, at %u, is under way", w->at);
    return w->ck.epoch == epoch || err_set(e, ERR_FENCED, "epoch %llu, the row has %llu", (unsigned long long)epoch, (unsigned long long)w->ck.epoch);
}

/* What becomes of a COMMIT: done and answered; done, answer lost; not done, answer lost. The caller applies its effects when *ret_done. */
static bool commit_outcome(target *t, bool *broken, bool *ret_done, err *e)
{
    sim_world *w = t->world;
    *ret_done = false;
    w->calls++;
    if (sim_dies(w, t->env)) {
        *ret_done = rng_chance(&w->random, 50);
        return cancel_error(e);
    }
    *ret_done = true;
    if (w->faults_left == 0 || !rng_chance(&w->random, w->fault_percent)) return true;
    w->faults_left--;
    *broken = true;
    *ret_done = rng_chance(&w->random, 50);
    return err_set_native(e, ERR_COMMIT_UNKNOWN, RETRY_RECONNECT, 2013, "the answer to COMMIT was lost");
}

static uint32_t highest_chunk(const sim_world *w)
{
    uint32_t high = 0;
    for (uint32_t t = 0; t < SIM_TABLES; t++)
        for (uint32_t i = 0; i < w->chunk_count[t]; i++)
            if (w->chunks[t][i].done && w->chunk_at[t][i] > high) high = w->chunk_at[t][i];
    return high;
}

/* From the highest chunk position on the target must be the source's contents at the checkpoint, at every commit. */
static void judge_commit(sim_world *w)
{
    if (strcmp(w->phase, "stream") != 0 || w->at < highest_chunk(w)) return;
    sim_state truth;
    if (!sim_state_replay(w, w->at, &truth)) return;
    const char *table = sim_state_differs(&truth, &w->target);
    if (table) sim_violate(w, "table %s differs from the source at the checkpoint %u", table, w->at);
    sim_state_finish(&truth);
}

static void move_checkpoint(sim_world *w, const char *phase, uint32_t at, bool has_at)
{
    if (w->has_at && at < w->at) sim_violate(w, "the checkpoint goes back from %u to %u", w->at, at);
    if (!w->has_at && has_at) w->first_at = w->previous_at = at;
    else w->previous_at = w->at;
    w->at = at;
    w->has_at = has_at;
    snprintf(w->phase, sizeof w->phase, "%s", phase);
}

/* The checkpoint has moved, whether the worker knows it or not. */
static void settle(sim_world *w, bool answered)
{
    w->unsettled = !answered && rng_chance(&w->random, 50);
    judge_commit(w);
}

static bool target_save(target *t, uint64_t epoch, const char *phase, position p, err *e)
{
    sim_world *w = t->world;
    uint32_t at = 0;
    if (!position_is_none(p) && !sim_position_parse(p, &at, e)) return false;
    if (!sim_enter(w, t->env, SIM_AT_TARGET_TXN, &t->broken, e)) return false;
    bool done = false, ok = fence(w, epoch, e) && commit_outcome(t, &t->broken, &done, e);
    if (done) {
        move_checkpoint(w, phase, at, !position_is_none(p));
        settle(w, ok);
    }
    sim_leave(w);
    return ok;
}

static bool target_schema(target *t, schema_phase phase, const catalog_def *c, const server_info *from, bool ignore_existing,
                          const schema_progress *p, err *e)
{
    (void)c, (void)from, (void)ignore_existing;
    sim_world *w = t->world;
    if (!sim_enter(w, t->env, SIM_AT_TARGET, &t->broken, e)) return false;
    if (phase == SCHEMA_TABLES) w->schema_made = true;
    sim_leave(w);
    p->object(p->ctx, "table", STR("all"), 1, 1);
    return true;
}

static bool target_read_chunks(target *t, const table_def *table, arena *a, chunk **ret, uint32_t *ret_count, err *e)
{
    sim_world *w = t->world;
    if (!sim_enter(w, t->env, SIM_AT_TARGET, &t->broken, e)) return false;
    uint32_t n = *ret_count = w->chunk_count[table->id];
    *ret = arena_array(a, n, sizeof **ret);
    for (uint32_t i = 0; *ret && i < n; i++) {
        (*ret)[i] = w->chunks[table->id][i];
        if ((*ret)[i].done) (*ret)[i].at = sim_position(w->chunk_at[table->id][i], a);
    }
    sim_leave(w);
    return *ret || err_no_memory(e, "chunks");
}

static bool target_store_chunks(target *t, uint64_t epoch, const table_def *table, const chunk *chunks, uint32_t count, err *e)
{
    sim_world *w = t->world;
    if (!sim_enter(w, t->env, SIM_AT_TARGET_TXN, &t->broken, e)) return false;
    bool done = false, ok = fence(w, epoch, e) && commit_outcome(t, &t->broken, &done, e);
    chunk *copy = done ? arena_array(&w->mem, count, sizeof *copy) : NULL;
    if (copy) {
        memcpy(copy, chunks, count * sizeof *copy); /* the bounds are literals */
        w->chunks[table->id] = copy;
        w->chunk_count[table->id] = count;
    }
    sim_leave(w);
    return ok;
}

static bool loader_open(target *t, uint64_t epoch, bool ignore_existing, loader **ret, err *e)
{
    (void)ignore_existing;
    if (!sim_enter(t->world, t->env, SIM_AT_TARGET, &t->broken, e)) return false;
    sim_leave(t->world);
    loader *l = calloc(1, sizeof *l);
    if (!l) return err_no_memory(e, "a loader");
    *l = (loader){t, epoch, false};
    *ret = l;
    return true;
}

static void loader_close(loader *l) { free(l); }

static bool gather(const row_feed *feed, sim_rows *ret, err *e)
{
    for (row_batch *b;; row_batch_free(b)) {
        if (!feed->next(feed->ctx, &b, e)) return false;
        if (!b) return true;
        sim_row *fresh = realloc(ret->rows, (ret->count + b->row_count) * sizeof *fresh);
        if (!fresh) {
            row_batch_free(b);
            return err_no_memory(e, "rows");
        }
        ret->rows = fresh;
        for (uint32_t i = 0; i < b->row_count; i++) memcpy(fresh[ret->count++].v, b->vals + i * SIM_COLUMNS, sizeof fresh->v);
    }
}

/* Loads the rows into a copy. */
static bool load_rows(sim_world *w, const table_def *t, const chunk *c, const sim_rows *rows, sim_state *ret, err *e)
{
    if (!sim_state_copy(&w->target, ret)) return err_no_memory(e, "rows");
    for (uint32_t i = 0; i < rows->count; i++) {
        const char *why = sim_load_row(ret, t->id, &rows->rows[i], c->overlap);
        if (why) return err_set(e, ERR_TARGET_DIVERGED, "table %.*s, chunk %u: %s", STR_ARG(t->name), c->number, why);
    }
    return true;
}

static void keep_chunk(sim_world *w, const table_def *t, uint32_t number, uint32_t at, uint64_t rows)
{
    if (!w->has_at || w->first_at > at) sim_violate(w, "a chunk at %u is loaded, but the stream begins after it", at);
    w->chunks[t->id][number].done = true;
    w->chunks[t->id][number].rows = rows;
    w->chunk_at[t->id][number] = at;
}

static bool store_chunk(loader *l, const table_def *t, const chunk *c, uint32_t at, const sim_rows *rows, err *e)
{
    sim_world *w = l->target->world;
    if (!sim_enter(w, l->target->env, SIM_AT_TARGET_TXN, &l->broken, e)) return false;
    sim_state after = {0};
    bool done = false, ok = fence(w, l->epoch, e) && load_rows(w, t, c, rows, &after, e);
    if (ok && w->bug == SIM_BUG_CHUNK_FIRST) keep_chunk(w, t, c->number, at, rows->count);
    ok = ok && commit_outcome(l->target, &l->broken, &done, e);
    if (done) {
        keep_chunk(w, t, c->number, at, rows->count);
        sim_state_finish(&w->target);
        w->target = after;
    } else {
        sim_state_finish(&after);
    }
    sim_leave(w);
    return ok;
}

static bool load_chunk(loader *l, const table_def *t, const chunk *c, position p, const row_feed *feed, uint64_t *ret_rows, err *e)
{
    sim_world *w = l->target->world;
    uint32_t at;
    if (!sim_position_parse(p, &at, e) || !sim_enter(w, l->target->env, SIM_AT_TARGET_TXN, &l->broken, e)) return false;
    bool known = w->chunks[t->id] && w->chunks[t->id][c->number].done;
    sim_leave(w);
    *ret_rows = 0;
    if (known) return true;
    sim_rows rows = {0};
    bool ok = gather(feed, &rows, e) && store_chunk(l, t, c, at, &rows, e);
    if (ok) *ret_rows = rows.count;
    free(rows.rows);
    return ok;
}

/* Rows and mark go together. */
static bool unload_chunk(target *t, uint64_t epoch, const table_def *table, const chunk *c, err *e)
{
    sim_world *w = t->world;
    if (!sim_enter(w, t->env, SIM_AT_TARGET_TXN, &t->broken, e)) return false;
    sim_state after = {0};
    chunk *kept = &w->chunks[table->id][c->number];
    bool done = false, ok = fence(w, epoch, e) && (sim_state_copy(&w->target, &after) || err_no_memory(e, "rows"));
    uint32_t gone = ok && kept->done ? sim_unload(&after, table->id, c, w->bug == SIM_BUG_CHUNK_KEPT) : 0;
    if (ok && kept->done && gone != kept->rows) ok = err_set(e, ERR_TARGET_DIVERGED, "table %.*s, chunk %u: %u rows", STR_ARG(table->name), c->number, gone);
    ok = ok && commit_outcome(t, &t->broken, &done, e);
    if (done) {
        kept->done = false;
        sim_state_finish(&w->target);
        w->target = after;
    } else {
        sim_state_finish(&after);
    }
    sim_leave(w);
    return ok;
}

static bool apply_begin(target *t, uint64_t epoch, catalog_def *c, const server_info *from, err *e)
{
    (void)c, (void)from;
    if (!sim_enter(t->world, t->env, SIM_AT_TARGET, &t->broken, e)) return false;
    t->epoch = epoch;
    t->begun = true;
    sim_leave(t->world);
    return true;
}

static bool apply_one(sim_world *w, sim_state *s, const change *c, bool overlap, bool foreign_keys, err *e)
{
    sim_change x = {.table = c->table->id, .kind = c->kind};
    if (c->before) memcpy(x.before.v, c->before, sizeof x.before.v);
    if (c->after) memcpy(x.after.v, c->after, sizeof x.after.v);
    sim_keep_words(&x.after);
    if (overlap && w->bug == SIM_BUG_OVERLAP_SKIPPED) return true;
    if (overlap && w->bug == SIM_BUG_OVERLAP_STRICT) overlap = false;
    const char *why = overlap ? sim_apply_overlap(s, &x) : sim_apply_strict(s, &x, foreign_keys);
    return !why || err_set(e, ERR_TARGET_DIVERGED, "table %.*s: %s", STR_ARG(c->table->name), why);
}

static bool apply_table(sim_world *w, sim_state *s, const table_changes *c, bool foreign_keys, err *e)
{
    for (uint32_t i = 0; i < c->delete_count; i++)
        if (!apply_one(w, s, c->deletes[i], c->overlap, foreign_keys, e)) return false;
    for (uint32_t i = 0; i < c->update_count; i++)
        if (!apply_one(w, s, c->updates[i], c->overlap, foreign_keys, e)) return false;
    for (uint32_t i = 0; i < c->insert_count; i++)
        if (!apply_one(w, s, c->inserts[i], c->overlap, foreign_keys, e)) return false;
    return true;
}

static bool apply_rows(sim_world *w, const apply_window *a, sim_state *s, err *e)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < a->merged_count; i++) ok = apply_table(w, s, &a->merged[i], a->settled, e);
    for (uint32_t i = 0; ok && i < a->ordered_count; i++)
        ok = apply_one(w, s, a->ordered[i], a->ordered_overlap[i], a->settled || a->ordered[i]->table->family, e);
    return ok;
}

static void keep_window(sim_world *w, const apply_window *a, uint32_t end)
{
    move_checkpoint(w, a->phase, end, true);
    w->ck.txn_count += a->txn_count;
    w->ck.row_count += a->row_count;
}

static bool target_apply(target *t, const apply_window *a, err *e)
{
    sim_world *w = t->world;
    uint32_t end;
    if (!t->begun) return err_set(e, ERR_INTERNAL, "apply before apply_begin");
    if (!sim_position_parse(a->end, &end, e)) return false;
    if (!sim_enter(w, t->env, SIM_AT_TARGET_TXN, &t->broken, e)) {
        if (e->retry != RETRY_TXN || w->bug != SIM_BUG_WINDOW_LOST) return false;
        pthread_mutex_lock(&w->lock);
        keep_window(w, a, end);
        pthread_mutex_unlock(&w->lock);
        return true;
    }
    sim_state after = {0};
    bool done = false, ok = fence(w, t->epoch, e) && (sim_state_copy(&w->target, &after) || err_no_memory(e, "rows"));
    ok = ok && apply_rows(w, a, &after, e);
    bool early = ok && w->bug == SIM_BUG_CHECKPOINT_FIRST;
    if (early) keep_window(w, a, end);
    ok = ok && commit_outcome(t, &t->broken, &done, e);
    if (done) {
        if (!early) keep_window(w, a, end);
        sim_state_finish(&w->target);
        w->target = after;
        settle(w, ok);
    } else {
        sim_state_finish(&after);
    }
    sim_leave(w);
    return ok;
}

/* Each window on its own sees what the ones before it left; all or nothing is kept. */
static bool put_feed(sim_world *w, const window_feed *feed, sim_state *s, err *e)
{
    const apply_window *part;
    if (!feed->rewind(feed->ctx, e)) return false;
    for (;;) {
        if (!feed->next(feed->ctx, &part, e)) return false;
        if (!part) return true;
        if (!apply_rows(w, part, s, e)) return false;
    }
}

static bool apply_large(target *t, const window_feed *feed, const apply_window *last, err *e)
{
    sim_world *w = t->world;
    uint32_t end;
    if (!t->begun) return err_set(e, ERR_INTERNAL, "apply before apply_begin");
    if (!sim_position_parse(last->end, &end, e) || !sim_enter(w, t->env, SIM_AT_TARGET_TXN, &t->broken, e)) return false;
    sim_state after = {0};
    bool done = false, ok = fence(w, t->epoch, e) && (sim_state_copy(&w->target, &after) || err_no_memory(e, "rows"));
    ok = ok && put_feed(w, feed, &after, e) && commit_outcome(t, &t->broken, &done, e);
    if (done) {
        keep_window(w, last, end);
        sim_state_finish(&w->target);
        w->target = after;
        settle(w, ok);
    } else {
        sim_state_finish(&after);
    }
    sim_leave(w);
    return ok;
}

static bool remove_job(target *t, str job_id, arena *a, str *ret_removed, err *e)
{
    (void)job_id, (void)a;
    if (!sim_enter(t->world, t->env, SIM_AT_TARGET, &t->broken, e)) return false;
    t->world->ck = (checkpoint){0};
    t->world->has_at = false;
    sim_leave(t->world);
    *ret_removed = STR("");
    return true;
}

const target_ops sim_target_ops = {
    .open = target_open, .close = target_close, .server = target_server, .precheck = target_precheck, .claim = target_claim,
    .read_checkpoint = target_read, .save_checkpoint = target_save, .apply_schema = target_schema, .read_chunks = target_read_chunks,
    .store_chunks = target_store_chunks, .loader_open = loader_open, .loader_close = loader_close, .load_chunk = load_chunk,
    .unload_chunk = unload_chunk,    .apply_begin = apply_begin, .apply = target_apply, .apply_large = apply_large, .remove_job = remove_job,
};
