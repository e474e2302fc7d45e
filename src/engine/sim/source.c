/* The simulated source: snapshots, chunks, the stream. */
#include <stdlib.h>
#include <string.h>

#include "engine/sim/sim.h"

struct source {
    sim_world *world;
    const engine_env *env;
    bool broken;
};

struct snapshot {
    source *source;
    uint32_t lanes;
    uint32_t at[32];
    sim_state state[32];
    arena mem;
};

static bool source_open(const endpoint *ep, const engine_env *env, source **ret, err *e)
{
    sim_world *w = sim_world_find(ep->database);
    if (!w) return err_set(e, ERR_SOURCE_CONNECT, "there is no simulated server \"%.*s\" in this process", STR_ARG(ep->database));
    bool broken = false;
    if (!sim_enter(w, env, SIM_AT_SOURCE, &broken, e)) return false;
    sim_leave(w);
    source *s = calloc(1, sizeof *s);
    if (!s) return err_no_memory(e, "a source");
    *s = (source){w, env, false};
    *ret = s;
    return true;
}

static void source_close(source *s) { free(s); }

static bool source_server(source *s, arena *a, server_info *ret, err *e)
{
    (void)a;
    if (!sim_enter(s->world, s->env, SIM_AT_SOURCE, &s->broken, e)) return false;
    *ret = (server_info){.product = STR("sim"), .version = STR("1"), .version_number = 1, .identity = STR("sim"),
                          .cascades_logged = s->world->bug == SIM_BUG_ACTIONS_LOGGED};
    sim_leave(s->world);
    return true;
}

static bool source_precheck(source *s, const precheck_request *r, const precheck_sink *sink, err *e)
{
    (void)s, (void)r, (void)sink;
    return err_set(e, ERR_NOT_SUPPORTED, "a simulated source has no prechecks");
}

static bool source_catalog(source *s, const dblist *objects, arena *a, catalog_def *ret, err *e)
{
    (void)objects, (void)a;
    if (!sim_enter(s->world, s->env, SIM_AT_SOURCE, &s->broken, e)) return false;
    *ret = s->world->catalog;
    sim_leave(s->world);
    return true;
}

static bool source_current(source *s, arena *a, position *ret, err *e)
{
    if (!sim_enter(s->world, s->env, SIM_AT_SOURCE, &s->broken, e)) return false;
    *ret = sim_position(s->world->head, a);
    sim_leave(s->world);
    return ret->text.p || err_no_memory(e, "a position");
}

static bool source_keep_log(source *s, const catalog_def *c, arena *a, position *ret, err *e)
{
    (void)c;
    sim_world *w = s->world;
    if (!sim_enter(w, s->env, SIM_AT_SOURCE, &s->broken, e)) return false;
    if (!w->keeps_log) w->confirmed = w->head;
    w->keeps_log = true;
    *ret = sim_position(w->confirmed, a);
    sim_leave(w);
    return ret->text.p || err_no_memory(e, "a position");
}

static bool check_purged(const sim_world *w, uint32_t from, err *e)
{
    return from >= w->purged || err_set(e, ERR_SOURCE_LOG_PURGED, "the log begins at %u, %u is needed", w->purged, from);
}

static bool source_check(source *s, position p, err *e)
{
    uint32_t n;
    if (!sim_position_parse(p, &n, e) || !sim_enter(s->world, s->env, SIM_AT_SOURCE, &s->broken, e)) return false;
    bool ok = check_purged(s->world, n, e);
    if (ok && s->world->lost_after && n > s->world->lost_after) ok = err_set(e, ERR_SOURCE_CHANGED, "the source has transactions up to %u, not %u", s->world->lost_after, n);
    sim_leave(s->world);
    return ok;
}

static bool source_compare(position a, position b, int *ret, err *e)
{
    uint32_t x, y;
    if (!sim_position_parse(a, &x, e) || !sim_position_parse(b, &y, e)) return false;
    *ret = x < y ? -1 : x > y;
    return true;
}

static bool snapshot_open(source *s, uint32_t lanes, snapshot **ret, err *e)
{
    sim_world *w = s->world;
    if (!sim_enter(w, s->env, SIM_AT_SOURCE, &s->broken, e)) return false;
    snapshot *n = calloc(1, sizeof *n);
    bool ok = n && lanes <= 32;
    if (n) arena_init(&n->mem, 4096, 0);
    for (uint32_t i = 0; ok && i < lanes; i++) {
        if (i && w->uneven_lanes) sim_tick(w);
        n->at[i] = i && !w->uneven_lanes ? n->at[0] : w->head;
        ok = sim_state_replay(w, n->at[i], &n->state[i]);
        n->lanes = i + 1;
    }
    if (ok && w->bug == SIM_BUG_START_MOVED && w->snapshots++ && w->has_at) w->at = w->first_at = n->at[0];
    sim_leave(w);
    if (n) n->source = s;
    *ret = n;
    return ok || err_no_memory(e, "a snapshot");
}

static void snapshot_close(snapshot *n)
{
    if (!n) return;
    for (uint32_t i = 0; i < n->lanes; i++) sim_state_finish(&n->state[i]);
    arena_finish(&n->mem);
    free(n);
}

/* The text lives as long as the world. */
static position snapshot_position(const snapshot *n, uint32_t lane)
{
    sim_world *w = n->source->world;
    pthread_mutex_lock(&w->lock);
    position p = sim_position(n->at[lane], &w->mem);
    pthread_mutex_unlock(&w->lock);
    return p;
}

/* Three chunks for tables with a number as first key column. */
static bool plan_chunks(snapshot *n, const table_def *t, uint64_t chunk_rows, arena *a, chunk **ret, uint32_t *ret_count, err *e)
{
    (void)chunk_rows;
    source *s = n->source;
    if (!sim_enter(s->world, s->env, SIM_AT_SOURCE, &s->broken, e)) return false;
    sim_leave(s->world);
    uint32_t count = t->id == SIM_NO_KEY || t->id == SIM_TEXT ? 1 : 3;
    chunk *c = arena_array(a, count, sizeof *c);
    if (!c) return err_no_memory(e, "chunks");
    for (uint32_t i = 0; i < count; i++) c[i] = (chunk){.table_id = t->id, .number = i, .rows = 5};
    if (count == 3) {
        c[0].high = c[1].low = STR("4");
        c[1].high = c[2].low = STR("8");
    }
    *ret = c;
    *ret_count = count;
    return true;
}

bool sim_in_chunk(const chunk *c, const sim_row *r)
{
    int64_t bound;
    if (c->low.n && str_to_i64(c->low, &bound) && r->v[0].u.i <= bound) return false;
    return !c->high.n || !str_to_i64(c->high, &bound) || r->v[0].u.i <= bound;
}

static bool push_batch(const row_sink *sink, row_batch **b, err *e)
{
    row_batch *full = *b;
    *b = NULL;
    return !full || sink->push(sink->ctx, full, e);
}

static bool read_chunk(snapshot *n, uint32_t lane, const table_def *t, const chunk *c, size_t batch_bytes, const row_sink *sink, err *e)
{
    (void)batch_bytes;
    source *s = n->source;
    const sim_rows *rows = &n->state[lane].tables[t->id];
    row_batch *b = NULL;
    for (uint32_t i = 0; i < rows->count; i++) {
        if (!sim_in_chunk(c, &rows->rows[i])) continue;
        if (!b && !(b = row_batch_new(t, 0))) return err_no_memory(e, "a batch");
        val *v = row_batch_add(b);
        if (v) memcpy(v, rows->rows[i].v, sizeof rows->rows[i].v);
        if (b->row_count < 3) continue;
        if (!push_batch(sink, &b, e)) return false;
        if (!sim_enter(s->world, s->env, SIM_AT_SOURCE, &s->broken, e)) return false;
        sim_leave(s->world);
    }
    if (!sim_enter(s->world, s->env, SIM_AT_SOURCE, &s->broken, e)) {
        row_batch_free(b);
        return false;
    }
    sim_leave(s->world);
    return push_batch(sink, &b, e);
}

static const val *copy_row(txn *t, const sim_row *r)
{
    val *v = arena_array(&t->mem, SIM_COLUMNS, sizeof *v);
    if (v) memcpy(v, r->v, sizeof r->v);
    return v;
}

static void add_change(const sim_world *w, txn *t, const sim_change *c)
{
    change *x = txn_add_change(t);
    if (!x) return;
    *x = (change){.table = w->catalog.tables[c->table], .kind = c->kind};
    if (c->kind == CHANGE_UPDATE || c->kind == CHANGE_DELETE) x->before = copy_row(t, &c->before);
    if (c->kind == CHANGE_UPDATE || c->kind == CHANGE_INSERT) x->after = copy_row(t, &c->after);
}

/* Changes [first, last) of transaction n as the pipeline sees it. */
static txn *make_txn(const sim_world *w, uint32_t n, uint32_t first, uint32_t last)
{
    txn *t = txn_new(0);
    if (!t) return NULL;
    const sim_txn *from = &w->log[n - 1];
    t->before = sim_position(n - 1, &t->mem);
    t->end = sim_position(n, &t->mem);
    t->commit_us = t->end.commit_us;
    t->heartbeat = from->count == 0;
    for (uint32_t i = first; i < last; i++) add_change(w, t, &from->changes[i]);
    t->bytes = t->mem.used_bytes;
    return t;
}

/* Has the target all there is? Then the newest worker may end. */
static void finish_when_applied(sim_world *w)
{
    if (w->head < w->log_count || !w->has_at || strcmp(w->phase, "stream") != 0) return;
    for (uint32_t i = w->at; i < w->log_count; i++)
        if (w->log[i].count) return;
    w->finished = true;
    for (uint32_t i = 0; i < SIM_WORKERS; i++)
        if (w->workers[i]) cancel_ask(w->workers[i]);
}

/* One step; *ret may be NULL. *ret_idle: nothing is there to read now. */
static bool next_txn(source *s, uint32_t *at, txn **ret, bool *ret_idle, err *e)
{
    sim_world *w = s->world;
    if (!sim_enter(w, s->env, SIM_AT_SOURCE, &s->broken, e)) return false;
    *ret = NULL;
    *ret_idle = *at >= w->head;
    bool ok = true;
    if (!*ret_idle) {
        ++*at;
        *ret = make_txn(w, *at, 0, w->log[*at - 1].count);
        ok = *ret || err_no_memory(e, "a transaction");
        if (ok && (*ret)->heartbeat && rng_chance(&w->random, 50)) { /* a foreign transaction that is not told */
            txn_free(*ret);
            *ret = NULL;
        }
    } else {
        finish_when_applied(w);
    }
    sim_leave(w);
    return ok;
}

/* A transaction on its way in parts. */
typedef struct parting {
    uint32_t n, sent; /* changes that count */
    bool begun, ended;
} parting;

/* The next part; at times with a change that is rolled back to a savepoint afterwards. */
static txn *make_part(sim_world *w, parting *g)
{
    const sim_txn *from = &w->log[g->n - 1];
    uint32_t left = from->count - g->sent, take = (uint32_t)rng_below(&w->random, left + 1);
    bool last = g->begun && take == left && rng_chance(&w->random, 60), undone = !last && rng_chance(&w->random, 30);
    txn *t = make_txn(w, g->n, g->sent, g->sent + take);
    if (!t) return NULL;
    if (!last) t->end = (position){0};
    if (undone) add_change(w, t, &from->changes[rng_below(&w->random, from->count)]);
    t->part = last ? TXN_LAST_PART : g->begun ? TXN_NEXT_PART : TXN_FIRST_PART;
    t->keep = w->bug == SIM_BUG_SAVEPOINT_LOST ? UINT64_MAX : g->sent;
    g->sent += take;
    g->begun = true;
    g->ended = last;
    return t;
}

/* Instead of the whole transaction. Sometimes the source gives up on the way and begins anew. */
static bool push_parts(source *s, uint32_t n, const txn_sink *sink, err *e)
{
    sim_world *w = s->world;
    for (parting g = {.n = n}; !g.ended;) {
        if (!sim_enter(w, s->env, SIM_AT_SOURCE, &s->broken, e)) return false;
        txn *t = make_part(w, &g);
        if (!g.ended && rng_chance(&w->random, 10)) g = (parting){.n = n};
        sim_leave(w);
        if (!t) return err_no_memory(e, "a transaction");
        if (!sink->push(sink->ctx, t, e)) return false;
    }
    return true;
}

static bool push(source *s, const stream_request *r, uint32_t n, txn *t, const txn_sink *sink, err *e)
{
    if (!r->parts || t->heartbeat || n % 4) return sink->push(sink->ctx, t, e);
    txn_free(t);
    return push_parts(s, n, sink, e);
}

/* Takes what the target has durably; the world judges whether it really has. */
static bool confirm(source *s, const stream_request *r, uint32_t sent, err *e)
{
    sim_world *w = s->world;
    BUF_AUTO text = BUF_INIT;
    uint32_t n;
    if (!r->durable(r->durable_ctx, &text)) return err_no_memory(e, "a position");
    if (!sim_position_parse((position){.text = buf_str(&text)}, &n, e) || !sim_enter(w, s->env, SIM_AT_SOURCE, &s->broken, e)) return false;
    if (w->bug == SIM_BUG_CONFIRMED_SENT) n = sent;
    if (n > w->at) sim_violate(w, "%u was confirmed to the source, the target has %u", n, w->at);
    if (n > w->confirmed) w->confirmed = n;
    sim_leave(w);
    return true;
}

static bool source_stream(source *s, const stream_request *r, const txn_sink *sink, err *e)
{
    sim_world *w = s->world;
    uint32_t at, until = UINT32_MAX;
    if (!sim_position_parse(r->from, &at, e) || (!position_is_none(r->until) && !sim_position_parse(r->until, &until, e))) return false;
    if (!sim_enter(w, s->env, SIM_AT_SOURCE, &s->broken, e)) return false;
    bool ok = check_purged(w, at, e);
    if (at > w->purged && rng_chance(&w->random, 30)) at--; /* sends again what was sent */
    sim_leave(w);
    while (ok && at < until) {
        txn *t;
        bool idle;
        if (!next_txn(s, &at, &t, &idle, e)) return false;
        if (t && !push(s, r, at, t, sink, e)) return false;
        if (!confirm(s, r, at, e)) return false;
        if (!idle) continue;
        clk_sleep_us(s->env->clock, 300000);
        clk_sleep_us(clk_system(), 100); /* lets the applier get on; simulated time does not block */
        if (cancel_asked(s->env->cancel)) return cancel_error(e);
    }
    return ok;
}

const source_ops sim_source_ops = {
    .open = source_open, .close = source_close, .server = source_server, .precheck = source_precheck, .read_catalog = source_catalog,
    .keep_log = source_keep_log, .current_position = source_current, .check_position = source_check, .compare = source_compare, .snapshot_open = snapshot_open,
    .snapshot_close = snapshot_close, .snapshot_position = snapshot_position, .plan_chunks = plan_chunks, .read_chunk = read_chunk,
    .stream = source_stream,
};
