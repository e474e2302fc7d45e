/* Making the selected objects in a target, in two phases. A definition and the note that the job made it are one transaction: a killed worker leaves both or
 * none. */
#include "engine/postgresql/pg_schema_keys.h"
#include "engine/postgresql/pg_schema_text.h"

#include "base/map.h"
#include "engine/postgresql/pg_checkpoint_tables.h"

/* An index of a large table takes hours; the connection's keep-alive still notices a dead server. */
#define DDL_TIMEOUT_S (7u * 24 * 3600)

#define OBJECT_SQL                                                                                                                          \
    "CREATE TABLE sluice.object (job_id text NOT NULL, kind text NOT NULL, name text NOT NULL, PRIMARY KEY (job_id, kind, name)); "          \
    "COMMENT ON TABLE sluice.object IS 'Sluice: which objects each job made here'"

typedef struct making {
    target *t;
    const catalog_def *c;
    map made;           /* "kind name" of what the job made → not NULL */
    arena mem;
    bool ignore_existing;
    const schema_progress *progress;
    uint32_t done, total;
} making;

static void report(making *m, const char *kind, str name)
{
    m->done++;
    if (m->progress && m->progress->object) m->progress->object(m->progress->ctx, kind, name, m->done, m->total);
}

/* --- what the job made --- */

static str object_key(making *m, const char *kind, str schema, str name)
{
    return arena_printf(&m->mem, "%s \"%.*s\".\"%.*s\"", kind, STR_ARG(schema), STR_ARG(name));
}

static bool open_objects(making *m, err *e)
{
    pg_checkpoint_objects have;
    BUF_AUTO sql = BUF_INIT;
    PGresult *r;
    if (!pg_checkpoint_tables_find(m->t->conn, &have, e)) return false;
    if (have.object == PG_CHECKPOINT_FOREIGN) return err_set(e, ERR_TARGET_CONFLICT, "the destination has a table sluice.object that is not Sluice's; rename it");
    if (have.object != PG_CHECKPOINT_OURS) {
        if (!pg_checkpoint_tables_lock(m->t->conn, e)) return false;
        bool ok = pg_checkpoint_tables_find(m->t->conn, &have, e) &&
                  pg_checkpoint_tables_make_schema(m->t, &have, e) &&
                  pg_checkpoint_tables_make_one(m->t, have.object == PG_CHECKPOINT_OURS, "sluice.object", OBJECT_SQL, e);
        pg_checkpoint_tables_unlock(m->t->conn);
        if (!ok) return false;
    }
    buf_add_c(&sql, "SELECT kind || ' ' || name FROM sluice.object WHERE job_id=");
    pg_quote_literal(&sql, m->t->env->job_id);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query(m->t->conn, buf_str(&sql), &r, e)) return false;
    bool ok = true;
    for (int i = 0; ok && i < PQntuples(r); i++) {
        str key = arena_copy(&m->mem, pg_field(r, i, 0));
        ok = key.p && map_put(&m->made, key, m);
    }
    PQclear(r);
    return ok || err_no_memory(e, "the list of made objects");
}

/* The statements and the note in one transaction (several statements sent at once are one). */
static void noted_sql(const making *m, const char *kind, str schema, str name, str sql, buf *out)
{
    BUF_AUTO full = BUF_INIT;
    buf_printf(&full, "\"%.*s\".\"%.*s\"", STR_ARG(schema), STR_ARG(name));
    buf_add_c(out, "BEGIN; ");
    buf_add(out, sql);
    buf_add_c(out, "; INSERT INTO sluice.object (job_id, kind, name) VALUES (");
    pg_quote_literal(out, m->t->env->job_id);
    buf_printf(out, ", '%s', ", kind);
    pg_quote_literal(out, buf_str(&full));
    buf_add_c(out, "); COMMIT");
    out->failed |= full.failed;
}

static bool make(making *m, const char *kind, str schema, str name, str sql, err *e)
{
    BUF_AUTO all = BUF_INIT;
    str key = object_key(m, kind, schema, name);
    noted_sql(m, kind, schema, name, sql, &all);
    if (all.failed || !key.p) return err_no_memory(e, "a statement");
    if (pg_conn_exec(m->t->conn, buf_str(&all), NULL, e)) return map_put(&m->made, key, m) || err_no_memory(e, "the list of made objects");
    err ignored = ERR_INIT;
    if (!m->t->conn->broken && !pg_conn_exec(m->t->conn, STR("ROLLBACK"), NULL, &ignored)) m->t->conn->broken = true;
    return false;
}

static bool is_ours(making *m, const char *kind, str schema, str name)
{
    str key = object_key(m, kind, schema, name);
    return key.p && map_get(&m->made, key);
}

static bool exists(making *m, str schema, str name, bool *ret, err *e)
{
    PGresult *r;
    str values[] = {schema, name};
    if (!pg_conn_query_params(m->t->conn, STR("SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                                              "WHERE n.nspname = $1 AND c.relname = $2"),
                              values, 2, &r, e))
        return false;
    *ret = PQntuples(r) > 0;
    PQclear(r);
    return true;
}

/* --- before the load --- */

static bool make_schema(making *m, const database_def *d, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    PGresult *r;
    str values[] = {d->target_name};
    report(m, "schema", d->target_name);
    if (!pg_conn_query_params(m->t->conn, STR("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1"), values, 1, &r, e)) return false;
    bool there = PQntuples(r) > 0;
    PQclear(r);
    if (there) return true;
    buf_add_c(&sql, "CREATE SCHEMA IF NOT EXISTS ");
    pg_quote_name(&sql, d->target_name);
    return sql.failed ? err_no_memory(e, "a statement") : pg_conn_exec(m->t->conn, buf_str(&sql), NULL, e);
}

static bool make_object(making *m, const object_def *o, err *e)
{
    report(m, "object", o->target_name);
    if (is_ours(m, "object", o->target_schema, o->name)) return true;
    /* A trigger bears its table's name; a table that was there before keeps its own. */
    if (str_eq(o->kind, STR("on update trigger")) && !is_ours(m, "table", o->target_schema, o->target_name)) return true;
    return make(m, "object", o->target_schema, o->name, o->create_sql, e) ||
           err_context(e, "making %.*s %.*s.%.*s", STR_ARG(o->kind), STR_ARG(o->target_schema), STR_ARG(o->target_name));
}

static bool make_objects(making *m, bool after_load, err *e)
{
    for (uint32_t i = 0; i < m->c->object_count; i++)
        if (m->c->objects[i].after_load == after_load && !make_object(m, &m->c->objects[i], e)) return false;
    return true;
}

static bool make_table(making *m, const table_def *t, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    bool there;
    report(m, "table", t->target_name);
    if (is_ours(m, "table", t->target_schema, t->target_name)) return true;
    if (!exists(m, t->target_schema, t->target_name, &there, e)) return false;
    if (there && m->ignore_existing) return true;
    if (there)
        return err_set(e, ERR_TARGET_CONFLICT,
                       "%.*s.%.*s exists in the destination and this job did not make it; rename or drop it, or map %.*s.%.*s to another name", STR_ARG(t->target_schema),
                       STR_ARG(t->target_name), STR_ARG(t->schema), STR_ARG(t->name));
    return pg_schema_create_table(t, m->ignore_existing, &sql, e) && make(m, "table", t->target_schema, t->target_name, buf_str(&sql), e);
}

static bool make_tables(making *m, err *e)
{
    m->total = m->c->database_count + m->c->table_count + m->c->object_count;
    for (uint32_t i = 0; i < m->c->database_count; i++)
        if (!make_schema(m, &m->c->databases[i], e)) return false;
    if (!make_objects(m, false, e)) return false;
    for (uint32_t i = 0; i < m->c->table_count; i++) {
        const table_def *t = m->c->tables[i];
        if (!make_table(m, t, e)) return err_context(e, "making table %.*s.%.*s", STR_ARG(t->target_schema), STR_ARG(t->target_name));
    }
    return true;
}

/* --- after the load --- */

/* The statements of a table's keys that are not made yet. */
static bool plan_keys(making *m, const table_def *t, pg_key_task *ret, err *e)
{
    str *sql = arena_array(&m->mem, t->key_count, sizeof *sql);
    if (!sql) return err_no_memory(e, "keys");
    *ret = (pg_key_task){.table = t, .sql = sql};
    for (uint32_t i = 0; i < t->key_count; i++) {
        const key_def *k = &t->keys[i];
        BUF_AUTO one = BUF_INIT;
        BUF_AUTO noted = BUF_INIT;
        if (pg_schema_key_is_early(t, k, m->ignore_existing) || !pg_schema_key_is_whole(t, k) || is_ours(m, "index", t->target_schema, k->name)) continue;
        if (!pg_schema_add_key(t, k, &one, e)) return false;
        noted_sql(m, "index", t->target_schema, k->name, buf_str(&one), &noted);
        str copy = one.failed || noted.failed ? STR_NULL : arena_copy(&m->mem, buf_str(&noted));
        if (!copy.p) return err_no_memory(e, "a statement");
        sql[ret->count++] = copy;
    }
    return true;
}

static void report_keys(void *ctx, const table_def *t) { report(ctx, "index", t->target_name); }

/* A table that was there before keeps its own keys. */
static bool made_table(making *m, const table_def *t) { return is_ours(m, "table", t->target_schema, t->target_name); }

static bool make_keys(making *m, err *e)
{
    pg_key_task *tasks = arena_array(&m->mem, m->c->table_count, sizeof *tasks);
    uint32_t n = 0;
    if (!tasks) return err_no_memory(e, "keys");
    for (uint32_t i = 0; i < m->c->table_count; i++) {
        const table_def *t = m->c->tables[i];
        if (!made_table(m, t)) report_keys(m, t);
        else if (!plan_keys(m, t, &tasks[n++], e)) return err_context(e, "making the keys of %.*s.%.*s", STR_ARG(t->target_schema), STR_ARG(t->target_name));
    }
    return pg_schema_run_keys(m->t, tasks, n, DDL_TIMEOUT_S, report_keys, m, e);
}

/* Chunks may have states of different moments until the stream has caught up: where a check of the rows fails, the key holds for new ones alone. */
static bool make_foreign_key(making *m, const table_def *t, const foreign_key_def *f, const table_def *parent, str name, err *e)
{
    for (int checked = 1; checked >= 0; checked--) {
        BUF_AUTO sql = BUF_INIT;
        if (!pg_schema_add_foreign_key(t, f, parent, checked, &sql, e)) return false;
        if (make(m, "foreign key", t->target_schema, name, buf_str(&sql), e)) return true;
        if (e->native != PG_STATE('2', '3', '5', '0', '3')) return false;
    }
    return false;
}

static bool make_foreign_keys(making *m, const table_def *t, err *e)
{
    for (uint32_t i = 0; i < t->foreign_key_count; i++) {
        const foreign_key_def *f = &t->foreign_keys[i];
        const table_def *parent = catalog_find_table(m->c, f->parent_schema, f->parent_table);
        str name = arena_printf(&m->mem, "%.*s.%.*s", STR_ARG(t->target_name), STR_ARG(f->name)); /* names are unique in a table only */
        if (!name.p) return err_no_memory(e, "a foreign key");
        if (!pg_schema_foreign_key_is_whole(t, f) || is_ours(m, "foreign key", t->target_schema, name)) continue;
        if (!parent)
            return err_set(e, ERR_NOT_SUPPORTED, "foreign key %.*s of %.*s.%.*s refers to %.*s.%.*s, which is not selected", STR_ARG(f->name), STR_ARG(t->schema),
                           STR_ARG(t->name), STR_ARG(f->parent_schema), STR_ARG(f->parent_table));
        if (!make_foreign_key(m, t, f, parent, name, e)) return false;
    }
    return true;
}

static bool renames_anything(const catalog_def *c)
{
    for (uint32_t i = 0; i < c->database_count; i++)
        if (!str_eq(c->databases[i].name, c->databases[i].target_name)) return true;
    for (uint32_t i = 0; i < c->table_count; i++) {
        const table_def *t = c->tables[i];
        if (!str_eq(t->name, t->target_name) || !str_eq(t->schema, t->target_schema)) return true;
        for (uint32_t k = 0; k < t->column_count; k++)
            if (!str_eq(t->columns[k].name, t->columns[k].target_name)) return true;
    }
    return false;
}

static bool make_view(making *m, const view_def *v, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    bool there;
    if (is_ours(m, "view", v->target_schema, v->target_name)) return true;
    if (!exists(m, v->target_schema, v->target_name, &there, e)) return false;
    if (there && m->ignore_existing) return true;
    if (there) return err_set(e, ERR_TARGET_CONFLICT, "view %.*s.%.*s exists in the destination and this job did not make it; rename or drop it", STR_ARG(v->target_schema), STR_ARG(v->target_name));
    if (renames_anything(m->c))
        return err_set(e, ERR_NOT_SUPPORTED, "view %.*s.%.*s names its tables in the source's terms, and the job renames some; leave the view out and create it by hand",
                       STR_ARG(v->schema), STR_ARG(v->name));
    buf_add_c(&sql, "CREATE VIEW ");
    pg_quote_table(&sql, v->target_schema, v->target_name);
    buf_add_c(&sql, " AS ");
    str body = str_trim(v->create_sql);
    if (str_ends_with(body, STR(";"))) body.n--;
    buf_add(&sql, body);
    return sql.failed ? err_no_memory(e, "a statement") : make(m, "view", v->target_schema, v->target_name, buf_str(&sql), e);
}

/* A view may use another one: rounds, as long as a round makes one more. */
static bool make_views(making *m, err *e)
{
    uint32_t left = m->c->view_count;
    bool *made = arena_array(&m->mem, left, sizeof *made);
    if (!made) return err_no_memory(e, "views");
    while (left) {
        uint32_t before = left;
        err last = ERR_INIT;
        for (uint32_t i = 0; i < m->c->view_count; i++) {
            const view_def *v = &m->c->views[i];
            if (made[i]) continue;
            if (make_view(m, v, &last)) {
                made[i] = true, left--;
                report(m, "view", v->target_name);
            } else if (last.native != PG_STATE('4', '2', 'P', '0', '1')) { /* only "no such relation" may become true later */
                *e = last;
                return err_context(e, "making view %.*s.%.*s", STR_ARG(v->target_schema), STR_ARG(v->target_name));
            }
        }
        if (left == before) {
            *e = last;
            return err_context(e, "making views");
        }
    }
    return true;
}

static bool make_rest(making *m, err *e)
{
    m->total = 2 * m->c->table_count + m->c->view_count;
    if (!make_keys(m, e)) return false;
    for (uint32_t i = 0; i < m->c->table_count; i++) {
        const table_def *t = m->c->tables[i];
        if (made_table(m, t) && !make_foreign_keys(m, t, e)) return err_context(e, "making the foreign keys of %.*s.%.*s", STR_ARG(t->target_schema), STR_ARG(t->target_name));
        report(m, "foreign key", t->target_name);
    }
    return make_views(m, e) && make_objects(m, true, e);
}

bool pg_schema_apply(target *t, schema_phase phase, const catalog_def *c, const server_info *from, bool ignore_existing, const schema_progress *p, err *e)
{
    (void)from;
    making m = {.t = t, .c = c, .made = MAP_INIT, .ignore_existing = ignore_existing, .progress = p};
    uint32_t timeout = t->conn->statement_timeout_s;
    arena_init(&m.mem, 64 * 1024, 0);
    t->conn->statement_timeout_s = DDL_TIMEOUT_S;
    bool ok = open_objects(&m, e) && (phase == SCHEMA_TABLES ? make_tables(&m, e) : make_rest(&m, e));
    t->conn->statement_timeout_s = timeout;
    map_finish(&m.made);
    arena_finish(&m.mem);
    return ok;
}
