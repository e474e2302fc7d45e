/* Calls one operation of an engine: the request is a JSON object on stdin, the answer a JSON object on stdout.
 * {"op": "server", "end": "source", "endpoint": {"engine", "host", "port", "user", "password", "tls", "ca"}} */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/precheck.h"

static const char *text(const json_t *o, const char *key, const char *otherwise)
{
    const char *v = json_string_value(json_object_get(o, key));
    return v ? v : otherwise;
}

static json_int_t number(const json_t *o, const char *key, json_int_t otherwise)
{
    const json_t *v = json_object_get(o, key);
    return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

static json_t *jstr(str s) { return s.p ? json_stringn_nocheck(s.p, s.n) : json_null(); }

static bool read_endpoint(const json_t *o, endpoint *ep, err *e)
{
    static const char *const modes[] = {"off", "prefer", "require", "verify-ca", "verify-full"};
    *ep = (endpoint){.engine = str_from_c(text(o, "engine", "mysql")), .host = str_from_c(text(o, "host", "127.0.0.1")),
                     .port = (uint16_t)json_integer_value(json_object_get(o, "port")), .user = str_from_c(text(o, "user", "root")),
                     .database = str_from_c(text(o, "database", "")), .tls_ca_file = str_from_c(text(o, "ca", ""))};
    for (unsigned i = 0; i < 5; i++)
        if (!strcmp(modes[i], text(o, "tls", "prefer"))) ep->tls = (tls_mode)i;
    return secret_set(&ep->password, str_from_c(text(o, "password", "")), e);
}

static json_t *server_json(const server_info *i)
{
    return json_pack("{s:o,s:o,s:i,s:o,s:b,s:i,s:I}", "product", jstr(i->product), "version", jstr(i->version), "number", (int)i->version_number,
                     "identity", jstr(i->identity), "cascades_logged", i->cascades_logged, "name_case", (int)i->name_case, "max_packet",
                     (json_int_t)i->max_packet_bytes);
}

typedef struct probe {
    const json_t *request;
    const engine *engine;
    engine_env env;
    endpoint source_ep, target_ep;
    source *source;
    target *target;
    arena mem;
    json_t *answer;
} probe;

static bool op_server(probe *p, err *e)
{
    server_info i;
    bool ok = p->source ? p->engine->source->server(p->source, &p->mem, &i, e) : p->engine->target->server(p->target, &p->mem, &i, e);
    if (ok) json_object_set_new(p->answer, "server", server_json(&i));
    return ok;
}

static json_t *column_json(const column_def *c)
{
    json_t *o = json_pack("{s:o,s:o,s:o,s:i,s:b,s:b,s:b,s:b,s:b,s:b,s:b,s:I,s:i}", "name", jstr(c->name), "target", jstr(c->target_name), "native",
                          jstr(c->native_type), "type", (int)c->type, "nullable", c->nullable, "unsigned", c->is_unsigned, "auto_increment",
                          c->auto_increment, "generated", c->generated, "stored", c->generated_stored, "invisible", c->invisible, "selected", c->selected,
                          "length", (json_int_t)c->length, "scale", (int)c->scale);
    json_object_set_new(o, "charset", jstr(c->charset));
    json_object_set_new(o, "collation", jstr(c->collation));
    json_object_set_new(o, "default", jstr(c->default_sql));
    json_object_set_new(o, "on_update", jstr(c->on_update_sql));
    json_object_set_new(o, "generation", jstr(c->generation_sql));
    json_object_set_new(o, "comment", jstr(c->comment));
    json_t *labels = json_array();
    for (uint32_t i = 0; i < c->label_count; i++) {
        BUF_AUTO hex = BUF_INIT;
        buf_add_hex(&hex, c->labels[i]);
        json_array_append_new(labels, json_string(buf_c(&hex)));
    }
    json_object_set_new(o, "labels_hex", labels);
    return o;
}

static json_t *table_json(const table_def *t)
{
    json_t *columns = json_array(), *keys = json_array(), *fks = json_array();
    for (uint32_t i = 0; i < t->column_count; i++) json_array_append_new(columns, column_json(&t->columns[i]));
    for (uint32_t i = 0; i < t->key_count; i++) {
        const key_def *k = &t->keys[i];
        json_t *parts = json_array();
        for (uint32_t j = 0; j < k->count; j++)
            json_array_append_new(parts, k->columns[j] == UINT32_MAX ? json_null() : jstr(t->columns[k->columns[j]].name));
        json_array_append_new(keys, json_pack("{s:o,s:b,s:b,s:b,s:o}", "name", jstr(k->name), "primary", k->primary, "unique", k->unique, "prefix",
                                              k->has_prefix, "columns", parts));
    }
    for (uint32_t i = 0; i < t->foreign_key_count; i++) {
        const foreign_key_def *f = &t->foreign_keys[i];
        json_array_append_new(fks, json_pack("{s:o,s:o,s:o,s:o,s:o}", "name", jstr(f->name), "parent_schema", jstr(f->parent_schema), "parent",
                                             jstr(f->parent_table), "on_delete", jstr(f->on_delete), "on_update", jstr(f->on_update)));
    }
    return json_pack("{s:i,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:b,s:I,s:o,s:o,s:o}", "id", (int)t->id, "schema", jstr(t->schema), "name", jstr(t->name),
                     "target_schema", jstr(t->target_schema), "target_name", jstr(t->target_name), "columns", columns, "keys", keys, "foreign_keys", fks,
                     "referenced", t->referenced, "row_key", (json_int_t)(t->row_key == TABLE_NO_KEY ? -1 : (json_int_t)t->row_key), "charset",
                     jstr(t->charset), "collation", jstr(t->collation), "comment", jstr(t->comment));
}

static bool read_objects(probe *p, dblist **ret, err *e)
{
    json_t *l = json_object_get(p->request, "objects");
    char *json = json_dumps(l, JSON_COMPACT);
    str kept = arena_copy(&p->mem, str_from_c(json));
    free(json);
    return dblist_parse(kept, &p->mem, ret, e);
}

static bool op_catalog(probe *p, err *e)
{
    dblist *l;
    catalog_def c;
    if (!read_objects(p, &l, e) || !p->engine->source->read_catalog(p->source, l, &p->mem, &c, e)) return false;
    json_t *databases = json_array(), *tables = json_array(), *views = json_array();
    for (uint32_t i = 0; i < c.database_count; i++)
        json_array_append_new(databases, json_pack("{s:o,s:o,s:o}", "name", jstr(c.databases[i].name), "target", jstr(c.databases[i].target_name),
                                                   "collation", jstr(c.databases[i].collation)));
    for (uint32_t i = 0; i < c.table_count; i++) json_array_append_new(tables, table_json(c.tables[i]));
    for (uint32_t i = 0; i < c.view_count; i++) json_array_append_new(views, json_pack("{s:o,s:o}", "schema", jstr(c.views[i].schema), "name", jstr(c.views[i].name)));
    json_object_set_new(p->answer, "databases", databases);
    json_object_set_new(p->answer, "tables", tables);
    json_object_set_new(p->answer, "views", views);
    return true;
}

static bool no_intend(void *ctx, const char *end, const char *kind, str name, str undo, bool shared, uint64_t *ret_id, err *e)
{
    (void)ctx, (void)end, (void)kind, (void)name, (void)undo, (void)shared, (void)e;
    *ret_id = 1;
    return true;
}

static bool no_created(void *ctx, uint64_t id, err *e) { return (void)ctx, (void)id, (void)e, true; }
static const ledger no_ledger = {.intend = no_intend, .created = no_created};

/* Both phases, from the source's catalog. */
static bool op_schema(probe *p, err *e)
{
    dblist *l;
    catalog_def c;
    server_info i;
    bool ignore = json_is_true(json_object_get(p->request, "ignore_existing"));
    return read_objects(p, &l, e) && p->engine->source->read_catalog(p->source, l, &p->mem, &c, e) &&
           p->engine->source->server(p->source, &p->mem, &i, e) &&
           p->engine->target->apply_schema(p->target, SCHEMA_TABLES, &c, &i, ignore, NULL, e) &&
           p->engine->target->apply_schema(p->target, SCHEMA_AFTER_LOAD, &c, &i, ignore, NULL, e);
}

static void add_item(void *ctx, const char *item, precheck_state state, str detail, str repair)
{
    json_array_append_new(ctx, json_pack("{s:s,s:i,s:o,s:o}", "item", item, "state", (int)state, "detail", jstr(detail.p ? detail : STR("")), "repair",
                                         jstr(repair.p ? repair : STR(""))));
}

static bool flag(const probe *p, const char *key, bool otherwise)
{
    const json_t *v = json_object_get(p->request, key);
    return v ? json_is_true(v) : otherwise;
}

static bool op_precheck(probe *p, err *e)
{
    dblist *l;
    precheck_outcome outcome;
    json_t *items = json_array();
    json_object_set_new(p->answer, "items", items);
    precheck_sink sink = {.item = add_item, .ctx = items};
    if (!read_objects(p, &l, e)) return false;
    precheck_job job = {.source_engine = p->engine, .target_engine = p->engine, .source = &p->source_ep, .target = &p->target_ep, .objects = l,
                        .schema = flag(p, "schema", true), .full = flag(p, "full", true), .incremental = flag(p, "incremental", true),
                        .ignore_existing = flag(p, "ignore_existing", false)};
    return precheck_run(&job, &p->env, &sink, &p->mem, &outcome, e);
}

static const struct {
    const char *name;
    bool (*run)(probe *p, err *e);
} operations[] = {
    {"server", op_server},
    {"catalog", op_catalog},
    {"schema", op_schema},
    {"precheck", op_precheck},
};

static bool open_ends(probe *p, err *e)
{
    const json_t *s = json_object_get(p->request, "source"), *t = json_object_get(p->request, "target");
    p->engine = engine_find(str_from_c(text(p->request, "engine", "mysql")));
    if (!p->engine) return err_set(e, ERR_BAD_INPUT, "no such engine");
    if (s && !(read_endpoint(s, &p->source_ep, e) && p->engine->source->open(&p->source_ep, &p->env, &p->source, e))) return false;
    if (t && !(read_endpoint(t, &p->target_ep, e) && p->engine->target->open(&p->target_ep, &p->env, &p->target, e))) return false;
    return true;
}

static bool run(probe *p, err *e)
{
    const char *op = text(p->request, "op", "");
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (!strcmp(operations[i].name, op)) return open_ends(p, e) && operations[i].run(p, e);
    return err_set(e, ERR_BAD_INPUT, "no such operation: %s", op);
}

int main(void)
{
    json_t *request = json_loadf(stdin, 0, NULL);
    cancel stop;
    err e = ERR_INIT;
    if (!request || !cancel_init(&stop, &e)) return 2;
    probe p = {.request = request, .answer = json_object()};
    p.env = (engine_env){.clock = clk_system(), .cancel = &stop, .job_id = str_from_c(text(request, "job", "probe")), .replica_id = (uint32_t)number(request, "replica_id", 4711), .ledger = &no_ledger,
                         .budget_bytes = 64 << 20, .connect_timeout_s = 5, .io_timeout_s = 20};
    arena_init(&p.mem, 64 << 10, 0);
    bool ok = run(&p, &e);
    json_object_set_new(p.answer, "ok", json_boolean(ok));
    if (!ok) {
        json_object_set_new(p.answer, "code", json_string(err_name(e.code)));
        json_object_set_new(p.answer, "retry", json_integer(e.retry));
        json_object_set_new(p.answer, "native", json_integer(e.native));
        json_object_set_new(p.answer, "text", json_string(e.text));
    }
    if (p.source) p.engine->source->close(p.source);
    if (p.target) p.engine->target->close(p.target);
    json_dumpf(p.answer, stdout, JSON_COMPACT | JSON_SORT_KEYS);
    putchar('\n');
    json_decref(p.answer);
    json_decref(request);
    secret_wipe(&p.source_ep.password);
    secret_wipe(&p.target_ep.password);
    arena_finish(&p.mem);
    cancel_finish(&stop);
    return 0;
}
