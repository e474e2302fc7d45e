/* Drives snapshot, chunks, loaders, checkpoint and positions of an engine without the pipeline. A JSON object on stdin, one on stdout.
 * {"op": "load" | "plan" | "claim" | "save" | "read" | "remove" | "position" | "check" | "compare", "source": {...}, "target": {...}, "job", "epoch", "objects": DbList,
 *  "lanes", "chunk_rows", "batch_bytes", "ignore_existing", "position", "other", "die_after_rows": exit(9) when a lane has read so many rows} */
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/queue.h"
#include "engine/engine.h"

typedef struct driver {
    const json_t *request;
    json_t *answer, *ledger;
    const engine *engine;
    engine_env env;
    ledger l;
    endpoint source_ep, target_ep;
    source *s;
    target *t;
    arena mem;
    uint64_t epoch;
} driver;

static const char *text(const json_t *o, const char *key, const char *otherwise)
{
    const char *v = json_string_value(json_object_get(o, key));
    return v ? v : otherwise;
}

static uint64_t number(const json_t *o, const char *key, uint64_t otherwise)
{
    const json_t *v = json_object_get(o, key);
    return json_is_integer(v) ? (uint64_t)json_integer_value(v) : otherwise;
}

static json_t *jstr(str s) { return s.p ? json_stringn_nocheck(s.p, s.n) : json_string(""); }

/* ---- ledger ---- */

static bool ledger_intend(void *ctx, const char *end, const char *kind, str name, str undo, bool shared, uint64_t *ret_id, err *e)
{
    driver *d = ctx;
    (void)e;
    for (size_t i = 0; i < json_array_size(d->ledger); i++) {
        const json_t *o = json_array_get(d->ledger, i);
        *ret_id = i;
        if (!strcmp(text(o, "kind", ""), kind) && str_eq(str_from_c(text(o, "name", "")), name)) return true;
    }
    *ret_id = json_array_size(d->ledger);
    json_array_append_new(d->ledger, json_pack("{s:s,s:s,s:o,s:o,s:b,s:b}", "end", end, "kind", kind, "name", jstr(name), "undo", jstr(undo), "shared",
                                               shared, "created", 0));
    return true;
}

static bool ledger_created(void *ctx, uint64_t id, err *e)
{
    driver *d = ctx;
    (void)e;
    json_object_set_new(json_array_get(d->ledger, id), "created", json_true());
    return true;
}

/* ---- a lane: one thread reads into a queue, the lane's own thread loads ---- */

typedef struct work {
    driver *d;
    snapshot *n;
    const table_def **tables; /* of each chunk */
    chunk *chunks;
    uint32_t count, next;
    pthread_mutex_t lock;
    uint64_t rows, loaded_chunks;
    bool failed;
    err e;
} work;

typedef struct lane {
    work *w;
    uint32_t number;
    pthread_t thread;
    const chunk *c;
    const table_def *t;
    queue *q;
    uint64_t read_rows;
    bool read_ok;
    err read_error;
} lane;

static bool lane_push(void *ctx, row_batch *b, err *e)
{
    lane *l = ctx;
    uint64_t die = number(l->w->d->request, "die_after_rows", 0);
    l->read_rows += b->row_count;
    if (queue_push(l->q, b, b->bytes, -1) != QUEUE_OK) {
        row_batch_free(b);
        return err_set(e, ERR_CANCELLED, "the loader stopped");
    }
    if (die && l->read_rows >= die) {
        usleep(200000);
        _exit(9);
    }
    return true;
}

static bool lane_next(void *ctx, row_batch **ret, err *e)
{
    lane *l = ctx;
    void *item = NULL;
    if (queue_pop(l->q, -1, &item) == QUEUE_OK) {
        *ret = item;
        return true;
    }
    *ret = NULL;
    if (!l->read_ok) *e = l->read_error;
    return l->read_ok;
}

static void *reader_main(void *ctx)
{
    lane *l = ctx;
    row_sink sink = {lane_push, l};
    l->read_ok = l->w->d->engine->source->read_chunk(l->w->n, l->number, l->t, l->c, number(l->w->d->request, "batch_bytes", 262144), &sink, &l->read_error);
    queue_close(l->q);
    return NULL;
}

static bool lane_chunk(lane *l, loader *to, err *e)
{
    const target_ops *ops = l->w->d->engine->target;
    pthread_t reader;
    uint64_t rows = 0;
    void *item;
    l->q = queue_new(4 << 20);
    l->read_error = ERR_INIT;
    pthread_create(&reader, NULL, reader_main, l);
    row_feed feed = {lane_next, l};
    bool ok = ops->load_chunk(to, l->t, l->c, l->w->d->engine->source->snapshot_position(l->w->n, l->number), &feed, &rows, e);
    queue_close(l->q);
    while (queue_pop(l->q, -1, &item) == QUEUE_OK) row_batch_free(item);
    pthread_join(reader, NULL);
    queue_free(l->q);
    pthread_mutex_lock(&l->w->lock);
    if (ok) l->w->rows += rows, l->w->loaded_chunks++;
    pthread_mutex_unlock(&l->w->lock);
    return ok;
}

static const chunk *take_chunk(work *w, const table_def **ret_table)
{
    const chunk *c = NULL;
    pthread_mutex_lock(&w->lock);
    while (!w->failed && !c && w->next < w->count) {
        *ret_table = w->tables[w->next];
        if (!w->chunks[w->next].done) c = &w->chunks[w->next];
        w->next++;
    }
    pthread_mutex_unlock(&w->lock);
    return c;
}

static void *lane_main(void *ctx)
{
    lane *l = ctx;
    work *w = l->w;
    const target_ops *ops = w->d->engine->target;
    loader *to = NULL;
    err e = ERR_INIT;
    bool ok = ops->loader_open(w->d->t, w->d->epoch, json_is_true(json_object_get(w->d->request, "ignore_existing")), &to, &e);
    while (ok && (l->c = take_chunk(w, &l->t))) ok = lane_chunk(l, to, &e);
    ops->loader_close(to);
    if (!ok) {
        pthread_mutex_lock(&w->lock);
        if (!w->failed) w->e = e;
        w->failed = true;
        pthread_mutex_unlock(&w->lock);
    }
    return NULL;
}

/* ---- operations ---- */

static bool read_tables(driver *d, catalog_def *c, err *e)
{
    dblist *objects;
    char *json = json_dumps(json_object_get(d->request, "objects"), 0);
    bool ok = json && dblist_parse(str_from_c(json), &d->mem, &objects, e) && d->engine->source->read_catalog(d->s, objects, &d->mem, c, e);
    free(json);
    return ok;
}

static bool plan_all(driver *d, snapshot *n, const catalog_def *c, bool store, work *w, err *e)
{
    for (uint32_t i = 0; i < c->table_count; i++) {
        const table_def *t = c->tables[i];
        chunk *chunks = NULL;
        uint32_t count = 0;
        if (store && !d->engine->target->read_chunks(d->t, t, &d->mem, &chunks, &count, e)) return false;
        if (!count && (!d->engine->source->plan_chunks(n, t, number(d->request, "chunk_rows", 50000), &d->mem, &chunks, &count, e) ||
                       (store && !d->engine->target->store_chunks(d->t, d->epoch, t, chunks, count, e))))
            return false;
        w->chunks = realloc(w->chunks, (w->count + count) * sizeof *w->chunks);
        w->tables = realloc(w->tables, (w->count + count) * sizeof *w->tables);
        for (uint32_t k = 0; k < count; k++) {
            w->tables[w->count] = t;
            w->chunks[w->count++] = chunks[k];
        }
    }
    return true;
}

static json_t *chunks_json(const work *w)
{
    json_t *all = json_array();
    for (uint32_t i = 0; i < w->count; i++)
        json_array_append_new(all, json_pack("{s:o,s:i,s:o,s:o,s:b,s:I}", "table", jstr(w->tables[i]->name), "number", (int)w->chunks[i].number, "low",
                                             jstr(w->chunks[i].low), "high", jstr(w->chunks[i].high), "done", w->chunks[i].done, "rows",
                                             (json_int_t)w->chunks[i].rows));
    return all;
}

static void usage(driver *d, int64_t began)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    json_object_set_new(d->answer, "cpu_s", json_real((double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6));
    json_object_set_new(d->answer, "user_s", json_real((double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6));
    json_object_set_new(d->answer, "rss_kib", json_integer(u.ru_maxrss));
    json_object_set_new(d->answer, "wall_s", json_real((double)(clk_mono_us(d->env.clock) - began) / 1e6));
}

static bool run_lanes(work *w, uint32_t lanes, err *e)
{
    lane all[32] = {0};
    for (uint32_t i = 0; i < lanes; i++) {
        all[i] = (lane){.w = w, .number = i};
        pthread_create(&all[i].thread, NULL, lane_main, &all[i]);
    }
    for (uint32_t i = 0; i < lanes; i++) pthread_join(all[i].thread, NULL);
    if (w->failed) *e = w->e;
    return !w->failed;
}

static bool op_load(driver *d, err *e)
{
    uint32_t lanes = (uint32_t)number(d->request, "lanes", 2);
    work w = {.d = d, .lock = PTHREAD_MUTEX_INITIALIZER};
    catalog_def c = {0};
    checkpoint k;
    int64_t began = clk_mono_us(d->env.clock);
    bool load = strcmp(text(d->request, "op", ""), "load") == 0;
    bool ok = read_tables(d, &c, e) && d->engine->source->snapshot_open(d->s, lanes, &w.n, e);
    if (ok) json_object_set_new(d->answer, "position", jstr(d->engine->source->snapshot_position(w.n, 0).text));
    if (ok) json_object_set_new(d->answer, "last_position", jstr(d->engine->source->snapshot_position(w.n, lanes - 1).text));
    ok = ok && (!load || d->engine->target->claim(d->t, d->epoch, &d->mem, &k, e)) && plan_all(d, w.n, &c, load, &w, e);
    json_object_set_new(d->answer, "plan_s", json_real((double)(clk_mono_us(d->env.clock) - began) / 1e6));
    if (ok) json_object_set_new(d->answer, "chunks", chunks_json(&w));
    ok = ok && (!load || run_lanes(&w, lanes, e));
    if (w.n) d->engine->source->snapshot_close(w.n);
    json_object_set_new(d->answer, "rows", json_integer((json_int_t)w.rows));
    json_object_set_new(d->answer, "loaded_chunks", json_integer((json_int_t)w.loaded_chunks));
    usage(d, began);
    free(w.chunks);
    free(w.tables);
    return ok;
}

static json_t *checkpoint_json(const checkpoint *k)
{
    return json_pack("{s:b,s:I,s:o,s:I,s:I,s:o}", "exists", k->exists, "epoch", (json_int_t)k->epoch, "position", jstr(k->at.text), "txns",
                     (json_int_t)k->txn_count, "rows", (json_int_t)k->row_count, "phase", jstr(k->phase));
}

static bool op_checkpoint(driver *d, err *e)
{
    checkpoint k = {0};
    const char *op = text(d->request, "op", "");
    position at = {str_from_c(text(d->request, "position", "")), 7};
    bool ok = true;
    if (!strcmp(op, "save")) ok = d->engine->target->save_checkpoint(d->t, d->epoch, text(d->request, "phase", "full"), at, e);
    if (!strcmp(op, "claim")) {
        ok = d->engine->target->claim(d->t, d->epoch, &d->mem, &k, e);
    } else {
        ok = ok && d->engine->target->read_checkpoint(d->t, &d->mem, &k, e);
    }
    if (ok) json_object_set_new(d->answer, "checkpoint", checkpoint_json(&k));
    return ok;
}

static bool op_remove(driver *d, err *e)
{
    str removed;
    bool ok = d->engine->target->remove_job(d->t, d->env.job_id, &d->mem, &removed, e);
    if (ok) json_object_set_new(d->answer, "removed", jstr(removed));
    return ok;
}

static bool op_position(driver *d, err *e)
{
    const char *op = text(d->request, "op", "");
    position at = {str_from_c(text(d->request, "position", "")), 0}, other = {str_from_c(text(d->request, "other", "")), 0};
    int order = 0;
    bool ok;
    if (!strcmp(op, "check")) return d->engine->source->check_position(d->s, at, e);
    if (!strcmp(op, "compare")) {
        ok = d->engine->source->compare(at, other, &order, e);
        json_object_set_new(d->answer, "order", json_integer(order));
        return ok;
    }
    ok = d->engine->source->current_position(d->s, &d->mem, &at, e);
    if (ok) json_object_set_new(d->answer, "position", jstr(at.text));
    return ok;
}

static const struct {
    const char *name;
    bool (*run)(driver *d, err *e);
} operations[] = {{"load", op_load}, {"plan", op_load}, {"claim", op_checkpoint}, {"save", op_checkpoint}, {"read", op_checkpoint}, {"remove", op_remove},
                  {"position", op_position}, {"check", op_position}, {"compare", op_position}};

static bool read_endpoint(const json_t *o, endpoint *ep, err *e)
{
    *ep = (endpoint){.engine = STR("mysql"), .host = str_from_c(text(o, "host", "127.0.0.1")), .port = (uint16_t)number(o, "port", 0),
                     .user = str_from_c(text(o, "user", "root"))};
    return secret_set(&ep->password, str_from_c(text(o, "password", "")), e);
}

static bool run(driver *d, err *e)
{
    const json_t *s = json_object_get(d->request, "source"), *t = json_object_get(d->request, "target");
    d->engine = engine_find(STR("mysql"));
    if (s && !(read_endpoint(s, &d->source_ep, e) && d->engine->source->open(&d->source_ep, &d->env, &d->s, e))) return false;
    if (t && !(read_endpoint(t, &d->target_ep, e) && d->engine->target->open(&d->target_ep, &d->env, &d->t, e))) return false;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (!strcmp(operations[i].name, text(d->request, "op", ""))) return operations[i].run(d, e);
    return err_set(e, ERR_BAD_INPUT, "no such operation");
}

int main(void)
{
    cancel stop;
    err e = ERR_INIT;
    driver d = {.request = json_loadf(stdin, 0, NULL), .answer = json_object(), .ledger = json_array()};
    if (!d.request || !cancel_init(&stop, &e)) return 2;
    d.l = (ledger){.intend = ledger_intend, .created = ledger_created, .ctx = &d};
    d.epoch = number(d.request, "epoch", 1);
    d.env = (engine_env){.clock = clk_system(), .cancel = &stop, .ledger = &d.l, .job_id = str_from_c(text(d.request, "job", "job1")), .replica_id = 4712,
                         .budget_bytes = 64 << 20, .connect_timeout_s = 5, .io_timeout_s = 60};
    arena_init(&d.mem, 64 << 10, 0);
    bool ok = run(&d, &e);
    json_object_set_new(d.answer, "ok", json_boolean(ok));
    json_object_set_new(d.answer, "code", json_string(ok ? "" : err_name(e.code)));
    json_object_set_new(d.answer, "retry", json_integer(ok ? 0 : (json_int_t)e.retry));
    json_object_set_new(d.answer, "text", json_string(ok ? "" : e.text));
    json_object_set_new(d.answer, "ledger", d.ledger);
    if (d.s) d.engine->source->close(d.s);
    if (d.t) d.engine->target->close(d.t);
    json_dumpf(d.answer, stdout, JSON_COMPACT | JSON_SORT_KEYS);
    putchar('\n');
    json_decref(d.answer);
    json_decref((json_t *)(uintptr_t)d.request);
    secret_wipe(&d.source_ep.password);
    secret_wipe(&d.target_ep.password);
    arena_finish(&d.mem);
    cancel_finish(&stop);
    return 0;
}
