/* A worker's reports. */
#include "job/report.h"

#include <string.h>
#include <time.h>

#include "job/ledger_text.h"

#define LEDGER_TIMEOUT_S 30

typedef struct table_counter {
    const char *schema, *name, *target_schema, *target_name, *state;
    uint64_t total, done, bytes;
    bool changed;
} table_counter;

void report_init(report *r, ctl *c)
{
    memset(r, 0, sizeof *r);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&r->lock, NULL);
    pthread_mutex_init(&r->ledger_lock, NULL);
    pthread_cond_init(&r->changed, &attr);
    pthread_condattr_destroy(&attr);
    arena_init(&r->mem, 64 * 1024, 0);
    r->ctl = c;
    r->connected = true;
}

void report_finish(report *r)
{
    map_finish(&r->tables);
    arena_finish(&r->mem);
    buf_finish(&r->position);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->ledger_lock);
    pthread_mutex_destroy(&r->lock);
}

/* Takes the message. A report that cannot be delivered is not the pipeline's failure: the end of the socket is seen by the receiver. */
static void tell(report *r, json_t *message)
{
    err ignored = ERR_INIT;
    pthread_mutex_lock(&r->lock);
    bool connected = r->connected;
    pthread_mutex_unlock(&r->lock);
    if (connected) (void)!ctl_send_new(r->ctl, message, &ignored);
    else json_decref(message);
}

static struct timespec after_ms(int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) t.tv_sec++, t.tv_nsec -= 1000000000;
    return t;
}

/* --- events --- */

static void on_stage(void *ctx, stage s, bool finished)
{
    report *r = ctx;
    report_flush(r);
    tell(r, json_pack("{s:s, s:s, s:b}", "type", "stage", "stage", stage_name(s), "finished", (int)finished));
}

static void on_object(void *ctx, stage s, const char *kind, str name, uint32_t done, uint32_t total)
{
    tell(ctx, json_pack("{s:s, s:s, s:s, s:s%, s:I, s:I}", "type", "object", "stage", stage_name(s), "kind", kind, "name", name.n ? name.p : "", name.n, "done",
                        (json_int_t)done, "total", (json_int_t)total));
}

/* Under the lock. NULL without memory. */
static table_counter *counter_of(report *r, const table_def *t)
{
    str key = arena_printf(&r->mem, "%.*s/%.*s", STR_ARG(t->schema), STR_ARG(t->name));
    table_counter *c = key.p ? map_get(&r->tables, key) : NULL;
    if (c || !key.p) return c;
    c = arena_alloc(&r->mem, sizeof *c);
    if (!c) return NULL;
    *c = (table_counter){arena_copy_c(&r->mem, t->schema), arena_copy_c(&r->mem, t->name), arena_copy_c(&r->mem, t->target_schema), arena_copy_c(&r->mem, t->target_name),
                         "NotStarted", t->estimated_rows, 0, 0, true};
    return c->schema && c->name && c->target_schema && c->target_name && map_put(&r->tables, key, c) ? c : NULL;
}

static void on_planned(void *ctx, const table_def *t, uint64_t estimated, uint64_t loaded, bool finished)
{
    report *r = ctx;
    pthread_mutex_lock(&r->lock);
    table_counter *c = counter_of(r, t);
    if (c) {
        c->total = finished ? loaded : estimated > loaded ? estimated : loaded;
        c->done = loaded;
        c->state = finished ? "Finished" : "Migrating";
        c->changed = true;
    }
    pthread_mutex_unlock(&r->lock);
}

static void on_rows(void *ctx, const table_def *t, uint64_t rows, uint64_t bytes)
{
    report *r = ctx;
    pthread_mutex_lock(&r->lock);
    table_counter *c = counter_of(r, t);
    if (c) {
        c->done += rows;
        c->bytes += bytes;
        if (c->done > c->total) c->total = c->done;
        c->state = "Migrating";
        c->changed = true;
    }
    pthread_mutex_unlock(&r->lock);
}

static void on_loaded(void *ctx, const table_def *t, uint64_t rows)
{
    report *r = ctx;
    pthread_mutex_lock(&r->lock);
    table_counter *c = counter_of(r, t);
    if (c) {
        c->done = c->total = rows;
        c->state = "Finished";
        c->changed = true;
    }
    pthread_mutex_unlock(&r->lock);
}

static void on_applied(void *ctx, uint64_t txns, uint64_t rows, uint64_t bytes, int64_t commit_us, position at)
{
    report *r = ctx;
    pthread_mutex_lock(&r->lock);
    r->txns += txns;
    r->rows += rows;
    r->bytes += bytes;
    if (commit_us) r->commit_us = commit_us;
    buf_reset(&r->position);
    buf_add(&r->position, at.text);
    r->applied_changed = true;
    pthread_mutex_unlock(&r->lock);
}

static void on_caught_up(void *ctx, bool yes)
{
    report *r = ctx;
    pthread_mutex_lock(&r->lock);
    r->caught_up_changed = r->caught_up_changed || r->caught_up != yes;
    r->caught_up = yes;
    pthread_mutex_unlock(&r->lock);
}

static void on_retrying(void *ctx, const err *e, const char *end, uint32_t attempt)
{
    json_t *m = ctl_failed(e);
    json_object_set_new(m, "type", json_string("retrying"));
    json_object_set_new(m, "end", json_string(end));
    json_object_set_new(m, "attempt", json_integer(attempt));
    tell(ctx, m);
}

static void on_note(void *ctx, bool warning, str text)
{
    json_t *m = json_pack("{s:s, s:s, s:o}", "type", "note", "level", warning ? "WARN" : "INFO", "text", ctl_value(text));
    tell(ctx, m);
}

/* --- ledger --- */

/* Takes the message, gives it its number, sends it and waits for the answer. ret_id, ret_state: NULL when not wanted.
 */
static bool ask_ledger(report *r, json_t *message, uint64_t *ret_id, ledger_state *ret_state, err *e)
{
    pthread_mutex_lock(&r->ledger_lock);
    pthread_mutex_lock(&r->lock);
    uint64_t seq = ++r->next_seq;
    pthread_mutex_unlock(&r->lock);
    json_object_set_new(message, "seq", json_integer((json_int_t)seq));
    bool ok = ctl_send_new(r->ctl, message, e);
    struct timespec deadline = after_ms(LEDGER_TIMEOUT_S * 1000);
    pthread_mutex_lock(&r->lock);
    while (ok && r->answered_seq != seq && r->connected)
        if (pthread_cond_timedwait(&r->changed, &r->lock, &deadline) != 0) break;
    if (ok && r->answered_seq != seq)
        ok = err_set(e, r->connected ? ERR_TIMEOUT : ERR_CANCELLED, "the service did not confirm a ledger entry");
    else if (ok && !r->answer_ok)
        ok = err_set_native(e, ERR_CATALOG, r->answer_later ? RETRY_LATER : RETRY_NEVER, 0,
                            "the ledger entry was refused: %s", r->answer_text);
    if (ok && ret_id) *ret_id = r->answer_id;
    if (ok && ret_state) *ret_state = r->answer_state;
    pthread_mutex_unlock(&r->lock);
    pthread_mutex_unlock(&r->ledger_lock);
    return ok;
}

static bool on_intend(void *ctx, const char *end, const char *kind, str name, str undo, bool shared, uint64_t *ret_id, err *e)
{
    return ask_ledger(ctx,
                      json_pack("{s:s, s:s, s:s, s:s, s:s%, s:s%, s:b}", "type", "ledger", "op", "intend", "end", end,
                                "kind", kind, "name", name.p, name.n, "undo", undo.n ? undo.p : "", undo.n, "shared",
                                (int)shared),
                      ret_id, NULL, e);
}

static bool on_created(void *ctx, uint64_t id, err *e)
{
    return ask_ledger(ctx, json_pack("{s:s, s:s, s:I}", "type", "ledger", "op", "created", "id", (json_int_t)id), NULL,
                      NULL, e);
}

static bool on_find(void *ctx, const char *end, const char *kind, str name, ledger_state *ret, err *e)
{
    return ask_ledger(ctx,
                      json_pack("{s:s, s:s, s:s, s:s, s:s%}", "type", "ledger", "op", "find", "end", end, "kind", kind,
                                "name", name.p, name.n),
                      NULL, ret, e);
}

static bool on_settle(void *ctx, const char *end, const char *kind, str name, ledger_state state, str why, err *e)
{
    return ask_ledger(ctx,
                      json_pack("{s:s, s:s, s:s, s:s, s:s%, s:s, s:s%}", "type", "ledger", "op", "settle", "end", end,
                                "kind", kind, "name", name.p, name.n, "state", ledger_text_write(state), "why",
                                why.n ? why.p : "", why.n),
                      NULL, NULL, e);
}

void report_ledger_answer(report *r, const json_t *m)
{
    pthread_mutex_lock(&r->lock);
    r->answered_seq = (uint64_t)ctl_number(m, "seq");
    r->answer_ok = ctl_flag(m, "ok");
    r->answer_later = ctl_flag(m, "later");
    r->answer_id = (uint64_t)ctl_number(m, "id");
    r->answer_state = ledger_text_read(ctl_str(m, "state"));
    snprintf(r->answer_text, sizeof r->answer_text, "%s", ctl_text(m, "text"));
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

void report_bind(report *r, pipeline_events *ret_events, ledger *ret_ledger)
{
    *ret_events = (pipeline_events){.stage = on_stage, .schema_object = on_object, .table_planned = on_planned, .rows_loaded = on_rows, .table_loaded = on_loaded,
                                    .applied = on_applied, .caught_up = on_caught_up, .note = on_note, .retrying = on_retrying, .ctx = r};
    *ret_ledger = (ledger){.intend = on_intend, .created = on_created, .find = on_find, .settle = on_settle, .ctx = r};
}

static json_t *applied_message(report *r)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:s%}", "type", "applied", "txns", (json_int_t)r->txns, "rows", (json_int_t)r->rows, "bytes", (json_int_t)r->bytes,
                     "commit_us", (json_int_t)r->commit_us, "position", r->position.n ? r->position.p : "", r->position.n);
}

static json_t *table_message(const table_counter *c)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s}", "type", "table", "schema", c->schema, "name", c->name, "target_schema", c->target_schema,
                     "target_name", c->target_name, "total", (json_int_t)c->total, "done", (json_int_t)c->done, "bytes", (json_int_t)c->bytes, "state", c->state);
}

void report_flush(report *r)
{
    json_t *out = json_array();
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->tables.count; i++) {
        table_counter *c = r->tables.entries[i].value;
        if (!c || !c->changed) continue;
        c->changed = false;
        json_array_append_new(out, table_message(c));
    }
    if (r->applied_changed) json_array_append_new(out, applied_message(r));
    if (r->caught_up_changed) json_array_append_new(out, json_pack("{s:s, s:b}", "type", "caught_up", "yes", (int)r->caught_up));
    r->applied_changed = r->caught_up_changed = false;
    pthread_mutex_unlock(&r->lock);
    size_t i;
    json_t *m;
    json_array_foreach(out, i, m) tell(r, json_incref(m));
    json_decref(out);
}

void report_disconnect(report *r)
{
    pthread_mutex_lock(&r->lock);
    r->connected = false;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

void report_end(report *r)
{
    pthread_mutex_lock(&r->lock);
    r->ended = true;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

bool report_ended(report *r)
{
    pthread_mutex_lock(&r->lock);
    bool ended = r->ended;
    pthread_mutex_unlock(&r->lock);
    return ended;
}

void report_wait_end(report *r, int timeout_ms)
{
    struct timespec deadline = after_ms(timeout_ms);
    pthread_mutex_lock(&r->lock);
    while (!r->ended)
        if (pthread_cond_timedwait(&r->changed, &r->lock, &deadline) != 0) break;
    pthread_mutex_unlock(&r->lock);
}
