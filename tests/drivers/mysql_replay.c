/* Streams the binlog of one server into another through the merge window, in one thread: the request is a JSON object on stdin, the answer one on stdout.
 * {"source": endpoint, "target": endpoint, "objects": DbList, "job", "epoch", "from": position text (else the target's checkpoint, else now),
 *  "until": position text or "now", "window_rows", "heartbeat_ms", "limit_bytes", "overlap_until": position text, "overlap_from": position text,
 *  "wait": true: print "ready" when the catalog is read and wait for one more byte on stdin,
 *  "mode": "replay" | "decode" (no target) | "position" | "claim", "cancel_after_ms"} */
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "engine/engine.h"
#include "pipeline/window.h"

typedef struct replay {
    const json_t *request;
    const engine *engine;
    engine_env env;
    endpoint source_ep, target_ep;
    source *source;
    target *target;
    arena mem;
    dblist *objects;
    catalog_def catalog;
    server_info from;
    window window;
    spans spans;
    uint32_t window_rows;
    uint64_t txns, rows, heartbeats, windows, value_bytes;
    position last;
    int64_t last_push_us, longest_gap_us;
    json_t *answer;
} replay;

static const char *text(const json_t *o, const char *key, const char *otherwise)
{
    const char *v = json_string_value(json_object_get(o, key));
    return v ? v : otherwise;
}

static int64_t number(const json_t *o, const char *key, int64_t otherwise)
{
    const json_t *v = json_object_get(o, key);
    return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

static bool read_endpoint(const json_t *o, endpoint *ep, err *e)
{
    *ep = (endpoint){.engine = STR("mysql"), .host = str_from_c(text(o, "host", "127.0.0.1")), .port = (uint16_t)number(o, "port", 0),
                     .user = str_from_c(text(o, "user", "root")), .tls = !strcmp(text(o, "tls", "off"), "require") ? TLS_REQUIRE : TLS_OFF};
    return secret_set(&ep->password, str_from_c(text(o, "password", "")), e);
}

static void remember(replay *r, const txn *t)
{
    static char kept[POSITION_MAX_BYTES];
    size_t n = t->end.text.n < sizeof kept ? t->end.text.n : sizeof kept;
    memcpy(kept, t->end.text.p, n);
    r->last = (position){{kept, n}, t->end.commit_us};
    int64_t now = clk_mono_us(clk_system());
    if (r->last_push_us && now - r->last_push_us > r->longest_gap_us) r->longest_gap_us = now - r->last_push_us;
    r->last_push_us = now;
}

static bool flush(replay *r, err *e)
{
    if (!r->window.txn_count) return true;
    apply_window w;
    bool ok = window_build(&r->window, &r->spans, &w, e) && r->engine->target->apply(r->target, &w, e);
    r->windows++;
    window_reset(&r->window);
    return ok;
}

static void look(replay *r, const txn *t)
{
    for (uint32_t i = 0; i < t->change_count; i++) {
        const change *c = &t->changes[i];
        for (int k = 0; k < 2; k++) {
            const val *v = k ? c->after : c->before;
            for (uint32_t j = 0; v && j < c->table->column_count; j++) r->value_bytes += val_is_inline(&v[j]) ? 8 : v[j].n;
        }
    }
}

static bool push(void *ctx, txn *t, err *e)
{
    replay *r = ctx;
    remember(r, t);
    if (t->heartbeat) r->heartbeats++;
    else r->txns++;
    r->rows += t->change_count;
    if (!r->target) {
        look(r, t);
        txn_free(t);
        return true;
    }
    if (t->heartbeat) {
        txn_free(t);
        return flush(r, e);
    }
    uint32_t rank = r->window.rank;
    if (!spans_rank(&r->spans, t->end, &rank, e) || (rank != r->window.rank && !flush(r, e))) {
        txn_free(t);
        return false;
    }
    r->window.rank = rank;
    return window_add(&r->window, t, e) && (r->window.changes < r->window_rows || flush(r, e));
}

static bool read_objects(replay *r, err *e)
{
    char *json = json_dumps(json_object_get(r->request, "objects"), JSON_COMPACT);
    str kept = arena_copy(&r->mem, str_from_c(json));
    free(json);
    return dblist_parse(kept, &r->mem, &r->objects, e) && r->engine->source->read_catalog(r->source, r->objects, &r->mem, &r->catalog, e);
}

static bool place_arg(replay *r, const char *key, position *ret, err *e)
{
    const char *p = text(r->request, key, "");
    if (!strcmp(p, "now")) return r->engine->source->current_position(r->source, &r->mem, ret, e);
    *ret = (position){str_from_c(p), 0};
    return true;
}

static bool make_spans(replay *r, err *e)
{
    position from, until;
    if (!place_arg(r, "overlap_from", &from, e) || !place_arg(r, "overlap_until", &until, e)) return false;
    uint32_t n = r->catalog.table_count;
    r->spans = (spans){.compare = r->engine->source->compare, .table_count = n};
    r->spans.min = arena_array(&r->mem, n + 1, sizeof(uint32_t));
    r->spans.max = arena_array(&r->mem, n + 1, sizeof(uint32_t));
    r->spans.at = arena_array(&r->mem, 2, sizeof(position));
    if (position_is_none(until)) return true;
    r->spans.count = 2;
    r->spans.at[0] = from;
    r->spans.at[1] = until;
    for (uint32_t i = 0; i < n; i++) r->spans.min[i] = 1, r->spans.max[i] = 2;
    return true;
}

static void *cancel_later(void *arg)
{
    replay *r = arg;
    usleep((useconds_t)number(r->request, "cancel_after_ms", 0) * 1000);
    cancel_ask((cancel *)(uintptr_t)r->env.cancel);
    return NULL;
}

static bool ledger_intend(void *ctx, const char *end, const char *kind, str name, str undo, bool shared, uint64_t *ret_id, err *e)
{
    (void)ctx, (void)end, (void)kind, (void)name, (void)undo, (void)shared, (void)e;
    *ret_id = 1;
    return true;
}

static bool ledger_created(void *ctx, uint64_t id, err *e)
{
    (void)ctx, (void)id, (void)e;
    return true;
}

static const ledger no_ledger = {.intend = ledger_intend, .created = ledger_created};

static bool claim(replay *r, checkpoint *ret, err *e)
{
    uint64_t epoch = (uint64_t)number(r->request, "epoch", 1);
    if (!r->engine->target->claim(r->target, epoch, &r->mem, ret, e)) return false;
    return r->engine->target->apply_begin(r->target, epoch, &r->catalog, &r->from, e);
}

static bool run_stream(replay *r, err *e)
{
    checkpoint at = {0};
    stream_request q = {.catalog = &r->catalog, .heartbeat_ms = (uint32_t)number(r->request, "heartbeat_ms", 500),
                        .txn_limit_bytes = (size_t)number(r->request, "limit_bytes", 0)};
    txn_sink sink = {push, r};
    if (!read_objects(r, e) || !r->engine->source->server(r->source, &r->mem, &r->from, e)) return false;
    if (json_is_true(json_object_get(r->request, "wait"))) { /* the catalog is read: what comes now happens while the job runs */
        puts("ready");
        fflush(stdout);
        (void)getchar();
    }
    q.objects = r->objects;
    if (!window_init(&r->window, r->catalog.table_count, e) || !make_spans(r, e) || !place_arg(r, "from", &q.from, e) || !place_arg(r, "until", &q.until, e)) return false;
    if (r->target && !claim(r, &at, e)) return false;
    if (r->target && !position_is_none(at.at)) q.from = at.at;
    if (position_is_none(q.from) && !r->engine->source->current_position(r->source, &r->mem, &q.from, e)) return false;
    pthread_t later;
    bool timed = number(r->request, "cancel_after_ms", 0) > 0 && !pthread_create(&later, NULL, cancel_later, r);
    int64_t start = clk_mono_us(clk_system());
    bool ok = r->engine->source->stream(r->source, &q, &sink, e);
    if (ok && r->target) ok = flush(r, e);
    json_object_set_new(r->answer, "us", json_integer(clk_mono_us(clk_system()) - start));
    if (timed) pthread_join(later, NULL);
    return ok;
}

static bool run_request(replay *r, err *e)
{
    const char *mode = text(r->request, "mode", "replay");
    r->engine = engine_find(STR("mysql"));
    if (!read_endpoint(json_object_get(r->request, "source"), &r->source_ep, e) || !r->engine->source->open(&r->source_ep, &r->env, &r->source, e)) return false;
    if (!strcmp(mode, "position")) return r->engine->source->current_position(r->source, &r->mem, &r->last, e);
    if (strcmp(mode, "decode") &&
        (!read_endpoint(json_object_get(r->request, "target"), &r->target_ep, e) || !r->engine->target->open(&r->target_ep, &r->env, &r->target, e)))
        return false;
    if (!strcmp(mode, "claim")) {
        checkpoint at;
        return r->engine->target->claim(r->target, (uint64_t)number(r->request, "epoch", 1), &r->mem, &at, e);
    }
    return run_stream(r, e);
}

static void report(replay *r, bool ok, const err *e)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    json_t *a = r->answer;
    json_object_set_new(a, "ok", json_boolean(ok));
    if (!ok) {
        json_object_set_new(a, "code", json_string(err_name(e->code)));
        json_object_set_new(a, "retry", json_integer(e->retry));
        json_object_set_new(a, "native", json_integer(e->native));
        json_object_set_new(a, "text", json_stringn_nocheck(e->text, strlen(e->text)));
    }
    json_object_set_new(a, "txns", json_integer((json_int_t)r->txns));
    json_object_set_new(a, "rows", json_integer((json_int_t)r->rows));
    json_object_set_new(a, "heartbeats", json_integer((json_int_t)r->heartbeats));
    json_object_set_new(a, "windows", json_integer((json_int_t)r->windows));
    json_object_set_new(a, "longest_gap_us", json_integer(r->longest_gap_us));
    json_object_set_new(a, "position", json_stringn_nocheck(r->last.text.n ? r->last.text.p : "", r->last.text.n));
    json_object_set_new(a, "cpu_us", json_integer((u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec + u.ru_stime.tv_usec));
    json_dumpf(a, stdout, JSON_COMPACT | JSON_SORT_KEYS);
    putchar('\n');
}

int main(void)
{
    json_t *request = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, NULL);
    cancel stop;
    err e = ERR_INIT;
    if (!request || !cancel_init(&stop, &e)) return 2;
    replay r = {.request = request, .answer = json_object(), .window_rows = (uint32_t)number(request, "window_rows", 5000)};
    r.env = (engine_env){.clock = clk_system(), .cancel = &stop, .job_id = str_from_c(text(request, "job", "replay")),
                         .replica_id = (uint32_t)number(request, "replica_id", 900000 + getpid()), .budget_bytes = 64 << 20, .connect_timeout_s = 5,
                         .io_timeout_s = 60, .ledger = &no_ledger};
    arena_init(&r.mem, 64 << 10, 0);
    bool ok = run_request(&r, &e);
    report(&r, ok, &e);
    window_finish(&r.window);
    if (r.source) r.engine->source->close(r.source);
    if (r.target) r.engine->target->close(r.target);
    json_decref(r.answer);
    json_decref(request);
    secret_wipe(&r.source_ep.password);
    secret_wipe(&r.target_ep.password);
    arena_finish(&r.mem);
    cancel_finish(&stop);
    return 0;
}
