/* Drives the PostgreSQL source: the request is a JSON object on stdin, answers are JSON objects on stdout, one a line.
 * {"op":"keep|load|stream|check|remove|now|types", "endpoint":{"host","port","user","password","database"}, "job":"j1",
 * "objects":{DbList}, "chunk_rows":n, "lanes":n, "from":"position", "until":"position", "durable":"position",
 * "durable_follows":true, "push_wait_ms":n, "io_timeout_s":n, "txn_limit_bytes":n, "parts":true, "alters":true, "ddl":true} */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/engine.h"

extern const engine engine_postgresql;
#define OPS (engine_postgresql.source)

typedef struct driver {
    const json_t *request;
    engine_env env;
    endpoint ep;
    source *s;
    arena mem;
    dblist *objects;
    catalog_def catalog;
    buf durable; /* what the target is said to have */
} driver;

static const char *text(const json_t *o, const char *key, const char *otherwise)
{
    const char *v = json_string_value(json_object_get(o, key));
    return v ? v : otherwise;
}

static json_int_t number(const json_t *o, const char *key, json_int_t otherwise)
{
    const json_t *v = json_object_get(o, key);
    return v ? json_integer_value(v) : otherwise;
}

static void say(json_t *o)
{
    json_dumpf(o, stdout, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    putchar('\n');
    fflush(stdout);
    json_decref(o);
}

static json_t *jstr(str s)
{
    return s.p ? json_stringn_nocheck(s.p, s.n) : json_null();
}

static json_t *value_json(const val *v)
{
    switch ((val_kind)v->kind) {
    case VAL_ABSENT: return json_string("<absent>");
    case VAL_UNCHANGED: return json_string("<unchanged>");
    case VAL_NULL: return json_null();
    default: return jstr(val_bytes(v));
    }
}

static json_t *row_json(const table_def *t, const val *row)
{
    if (!row) return json_null();
    json_t *list = json_array();
    for (uint32_t i = 0; i < t->column_count; i++)
        json_array_append_new(list, value_json(&row[i]));
    return list;
}

static bool intend(void *ctx, const char *end, const char *kind, str name, str undo, bool shared, uint64_t *ret_id,
                   err *e)
{
    (void)ctx, (void)shared, (void)e;
    say(json_pack("{s:s,s:s,s:o,s:o}", "intend", kind, "end", end, "name", jstr(name), "undo", jstr(undo)));
    *ret_id = 1;
    return true;
}

static bool created(void *ctx, uint64_t id, err *e)
{
    return (void)ctx, (void)id, (void)e, true;
}

/* What exists is this job's. */
static bool find(void *ctx, const char *end, const char *kind, str name, ledger_state *ret, err *e)
{
    (void)ctx, (void)end, (void)kind, (void)name, (void)e;
    *ret = LEDGER_MADE;
    return true;
}

static bool settle(void *ctx, const char *end, const char *kind, str name, ledger_state state, str why, err *e)
{
    return (void)ctx, (void)end, (void)kind, (void)name, (void)state, (void)why, (void)e, true;
}

static const ledger said_ledger = {.intend = intend, .created = created, .find = find, .settle = settle};

static bool read_catalog(driver *d, err *e)
{
    char *json = json_dumps(json_object_get(d->request, "objects"), JSON_COMPACT);
    if (!json) return err_set(e, ERR_BAD_INPUT, "objects are missing");
    str kept = arena_copy(&d->mem, str_from_c(json));
    free(json);
    return dblist_parse(kept, &d->mem, &d->objects, e) && OPS->read_catalog(d->s, d->objects, &d->mem, &d->catalog, e);
}

static bool push_rows(void *ctx, row_batch *b, err *e)
{
    (void)ctx, (void)e;
    for (uint32_t i = 0; i < b->row_count; i++)
        say(json_pack("{s:o,s:o}", "table", jstr(b->table->name), "row",
                      row_json(b->table, b->vals + (size_t)i * b->table->column_count)));
    row_batch_free(b);
    return true;
}

static bool op_load(driver *d, err *e)
{
    snapshot *n = NULL;
    uint32_t lanes = (uint32_t)number(d->request, "lanes", 2);
    row_sink sink = {push_rows, d};
    bool ok = read_catalog(d, e) && OPS->snapshot_open(d->s, lanes, &n, e);
    if (ok) say(json_pack("{s:o}", "snapshot", jstr(OPS->snapshot_position(n, 0).text)));
    if (ok && json_object_get(d->request, "wait"))
        (void)getchar(); /* a line on stdin lets it go on: the test changes rows meanwhile */
    for (uint32_t i = 0; ok && i < d->catalog.table_count; i++) {
        chunk *c;
        uint32_t count;
        ok = OPS->plan_chunks(n, d->catalog.tables[i], (uint64_t)number(d->request, "chunk_rows", 1000), &d->mem, &c,
                              &count, e);
        if (ok) say(json_pack("{s:o,s:i}", "table", jstr(d->catalog.tables[i]->name), "chunks", (int)count));
        for (uint32_t k = 0; ok && k < count; k++)
            ok = OPS->read_chunk(n, k % lanes, d->catalog.tables[i], &c[k], 4096, &sink, e);
    }
    OPS->snapshot_close(n);
    return ok;
}

static bool op_keep(driver *d, err *e)
{
    position p;
    if (!read_catalog(d, e) || !OPS->keep_log(d->s, &d->catalog, &d->mem, &p, e)) return false;
    say(json_pack("{s:o}", "position", jstr(p.text)));
    return true;
}

static bool op_now(driver *d, err *e)
{
    position p;
    if (!OPS->current_position(d->s, &d->mem, &p, e)) return false;
    say(json_pack("{s:o}", "position", jstr(p.text)));
    return true;
}

static bool op_check(driver *d, err *e)
{
    return OPS->check_position(d->s, (position){str_from_c(text(d->request, "from", "")), 0}, e);
}

static bool op_remove(driver *d, err *e)
{
    str removed;
    if (!OPS->remove_job(d->s, d->env.job_id, &d->mem, &removed, e)) return false;
    say(json_pack("{s:o}", "removed", jstr(removed)));
    return true;
}

static void say_alter(const table_alter *x)
{
    static const char *const kinds[] = {"drop", "rename", "type", "add"};
    json_t *list = json_array();
    for (uint32_t i = 0; i < x->count; i++) {
        const column_alter *c = &x->columns[i];
        json_array_append_new(list, json_pack("[s,o,o,o,o]", kinds[c->kind], jstr(c->column), jstr(str_or_empty(c->new_name)), jstr(str_or_empty(c->type_sql)),
                                              c->value.p ? jstr(c->value) : json_null()));
    }
    say(json_pack("{s:o,s:o}", "alter", jstr(x->table->name), "columns", list));
}

static void say_ddl(const ddl_list *l)
{
    static const char *const kinds[] = {"drop constraint", "drop index", "key", "check", "foreign key", "column", "comment"};
    json_t *list = json_array(), *notes = json_array();
    for (uint32_t i = 0; i < l->count; i++)
        json_array_append_new(list, json_pack("[s,o,o]", kinds[l->changes[i].kind], jstr(l->changes[i].name), jstr(l->changes[i].text)));
    for (uint32_t i = 0; i < l->note_count; i++) json_array_append_new(notes, jstr(l->notes[i]));
    say(json_pack("{s:o,s:o,s:b}", "ddl", list, "notes", notes, "over", (int)l->over));
}

static bool push_txn(void *ctx, txn *t, err *e)
{
    driver *d = ctx;
    static const char *const kinds[] = {"insert", "update", "delete", "truncate"};
    if (t->alter) {
        say_alter(t->alter);
        txn_free(t);
        return true;
    }
    if (t->ddl) {
        say_ddl(t->ddl);
        txn_free(t);
        return true;
    }
    json_t *changes = json_array();
    for (uint32_t i = 0; i < t->change_count; i++) {
        const change *c = &t->changes[i];
        json_array_append_new(changes, json_pack("{s:o,s:s,s:o,s:o}", "table", jstr(c->table->name), "kind",
                                                 kinds[c->kind], "before", row_json(c->table, c->before), "after",
                                                 row_json(c->table, c->after)));
    }
    say(json_pack("{s:o,s:b,s:o,s:o,s:I,s:i,s:I}", "changes", changes, "heartbeat", (int)t->heartbeat, "end",
                  jstr(t->end.text), "before", jstr(t->before.text), "commit_us", (json_int_t)t->commit_us, "part",
                  (int)t->part, "keep", (json_int_t)t->keep));
    json_int_t wait_ms = t->heartbeat ? 0 : number(d->request, "push_wait_ms", 0);
    if (wait_ms) clk_sleep_us(clk_system(), wait_ms * 1000);
    if (json_is_true(json_object_get(d->request, "durable_follows")) && t->end.text.n) {
        buf_reset(&d->durable);
        buf_add(&d->durable, t->end.text);
    }
    txn_free(t);
    return !d->durable.failed || err_no_memory(e, "a position");
}

static bool give_durable(void *ctx, buf *out)
{
    const driver *d = ctx;
    buf_add(out, buf_str(&d->durable));
    return !out->failed;
}

static bool op_stream(driver *d, err *e)
{
    if (!read_catalog(d, e)) return false;
    buf_add_c(&d->durable, text(d->request, "durable", text(d->request, "from", "")));
    stream_request r = {.from = {str_from_c(text(d->request, "from", "")), 0},
                        .until = {str_from_c(text(d->request, "until", "")), 0},
                        .catalog = &d->catalog,
                        .objects = d->objects,
                        .heartbeat_ms = 300,
                        .durable = give_durable,
                        .durable_ctx = d,
                        .txn_limit_bytes = (size_t)number(d->request, "txn_limit_bytes", 64 << 20),
                        .parts = json_is_true(json_object_get(d->request, "parts")),
                        .alters = json_is_true(json_object_get(d->request, "alters")),
                        .ddl = d->env.ddl};
    txn_sink sink = {push_txn, d};
    return OPS->check_position(d->s, r.from, e) && OPS->stream(d->s, &r, &sink, e);
}

static json_t *type_json(const type_def *t, int depth)
{
    char kind[2] = {t->kind, 0};
    json_t *o = json_pack("{s:s,s:o,s:o,s:i,s:i}", "kind", kind, "name", jstr(t->name), "sql", jstr(t->sql), "length",
                          (int)t->length, "scale", (int)t->scale);
    if (t->of) json_object_set_new(o, "of", type_json(t->of, depth));
    if (t->extension.n) json_object_set_new(o, "extension", jstr(t->extension));
    if (t->kind == 'd') json_object_set_new(o, "domain", json_pack("[b,o]", (int)t->not_null, jstr(t->default_sql)));
    json_t *parts = json_array();
    for (uint32_t i = 0; i < t->count; i++)
        json_array_append_new(parts, t->fields && depth
                                         ? json_pack("[o,o]", jstr(t->names[i]), type_json(t->fields[i], depth - 1))
                                         : jstr(t->names[i]));
    for (uint32_t i = 0; i < t->check_count; i++)
        json_array_append_new(parts, json_pack("[o,o]", jstr(t->checks[i].name), jstr(t->checks[i].condition_sql)));
    json_object_set_new(o, "parts", parts);
    return o;
}

static bool op_types(driver *d, err *e)
{
    if (!read_catalog(d, e)) return false;
    for (uint32_t i = 0; i < d->catalog.table_count; i++)
        for (uint32_t k = 0; k < d->catalog.tables[i]->column_count; k++)
            say(json_pack("{s:o,s:o}", "column", jstr(d->catalog.tables[i]->columns[k].name), "type",
                          type_json(d->catalog.tables[i]->columns[k].definition, 2)));
    return true;
}

static const struct {
    const char *name;
    bool (*run)(driver *d, err *e);
} operations[] = {{"keep", op_keep},     {"load", op_load}, {"stream", op_stream}, {"check", op_check},
                  {"remove", op_remove}, {"now", op_now},   {"types", op_types}};

static bool run(driver *d, err *e)
{
    const json_t *o = json_object_get(d->request, "endpoint");
    d->ep = (endpoint){.engine = STR("postgresql"),
                       .host = str_from_c(text(o, "host", "127.0.0.1")),
                       .port = (uint16_t)number(o, "port", 5432),
                       .user = str_from_c(text(o, "user", "postgres")),
                       .database = str_from_c(text(o, "database", "postgres")),
                       .tls = TLS_PREFER};
    if (!secret_set(&d->ep.password, str_from_c(text(o, "password", "")), e) || !OPS->open(&d->ep, &d->env, &d->s, e))
        return false;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (!strcmp(operations[i].name, text(d->request, "op", ""))) return operations[i].run(d, e);
    return err_set(e, ERR_BAD_INPUT, "no such operation");
}

int main(void)
{
    char line[1 << 16];
    cancel stop;
    err e = ERR_INIT;
    json_t *request = fgets(line, sizeof line, stdin) ? json_loads(line, 0, NULL) : NULL;
    if (!request || !cancel_init(&stop, &e)) return 2;
    driver d = {.request = request};
    d.env = (engine_env){.clock = clk_system(),
                         .ddl = json_is_true(json_object_get(d.request, "ddl")),
                         .cancel = &stop,
                         .job_id = str_from_c(text(request, "job", "drive")),
                         .ledger = &said_ledger,
                         .budget_bytes = 64 << 20,
                         .connect_timeout_s = 5,
                         .io_timeout_s = (uint32_t)number(request, "io_timeout_s", 20)};
    arena_init(&d.mem, 64 << 10, 0);
    bool ok = run(&d, &e);
    say(ok ? json_pack("{s:b}", "ok", 1)
           : json_pack("{s:b,s:s,s:i,s:s}", "ok", 0, "code", err_name(e.code), "retry", (int)e.retry, "text", e.text));
    OPS->close(d.s);
    buf_finish(&d.durable);
    secret_wipe(&d.ep.password);
    arena_finish(&d.mem);
    cancel_finish(&stop);
    json_decref(request);
    return 0;
}
