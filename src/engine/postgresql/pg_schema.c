/* Making the selected objects in a target, in two phases. A definition and the note that the job made it are one transaction: a killed worker leaves both or
 * none. */
#include "engine/postgresql/pg_schema_keys.h"
#include "engine/postgresql/pg_schema_text.h"

#include "base/map.h"
#include "engine/postgresql/pg_catalog.h"
#include "engine/postgresql/pg_checkpoint_tables.h"

/* An index of a large table takes hours; the connection's keep-alive still notices a dead server. */
#define DDL_TIMEOUT_S (7u * 24 * 3600)

#define OBJECT_SQL                                                                                                                          \
    "CREATE TABLE sluice.object (job_id text NOT NULL, kind text NOT NULL, name text NOT NULL, PRIMARY KEY (job_id, kind, name)); "          \
    "COMMENT ON TABLE sluice.object IS 'Sluice: which objects each job made here'"

typedef struct making {
    target *t;
    const catalog_def *c;
    const table_def **tables; /* of the catalog, and partitions of them */
    uint32_t table_count;
    map made;           /* "kind name" of what the job made → not NULL */
    arena mem;
    bool ignore_existing;
    const schema_progress *progress;
    uint32_t done, total;
} making;

static void report(making *m, str kind, str name)
{
    m->done++;
    str shown = arena_copy(&m->mem, kind);
    if (shown.p && m->progress && m->progress->object) m->progress->object(m->progress->ctx, shown.p, name, m->done, m->total);
}

/* --- what the job made --- */

static str object_key(making *m, str kind, str schema, str name)
{
    return arena_printf(&m->mem, "%.*s \"%.*s\".\"%.*s\"", STR_ARG(kind), STR_ARG(schema), STR_ARG(name));
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
static void noted_sql(const making *m, str kind, str schema, str name, str sql, buf *out)
{
    BUF_AUTO full = BUF_INIT;
    buf_printf(&full, "\"%.*s\".\"%.*s\"", STR_ARG(schema), STR_ARG(name));
    buf_add_c(out, "BEGIN; SET LOCAL check_function_bodies = off; "); /* a body may name what is made later */
    buf_add(out, sql);
    buf_add_c(out, "; INSERT INTO sluice.object (job_id, kind, name) VALUES (");
    pg_quote_literal(out, m->t->env->job_id);
    buf_printf(out, ", '%.*s', ", STR_ARG(kind));
    pg_quote_literal(out, buf_str(&full));
    buf_add_c(out, "); COMMIT");
    out->failed |= full.failed;
}

static bool make(making *m, str kind, str schema, str name, str sql, err *e)
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

static bool is_ours(making *m, str kind, str schema, str name)
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
    report(m, STR("schema"), d->target_name);
    if (!pg_conn_query_params(m->t->conn, STR("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1"), values, 1, &r, e)) return false;
    bool there = PQntuples(r) > 0;
    PQclear(r);
    if (there) return true;
    buf_add_c(&sql, "CREATE SCHEMA IF NOT EXISTS ");
    pg_quote_name(&sql, d->target_name);
    return sql.failed ? err_no_memory(e, "a statement") : make(m, STR("schema"), d->target_name, d->target_name, buf_str(&sql), e);
}

/* "there already": of types and relations, of functions, of schemas and of all else. */
static bool is_duplicate(const err *e)
{
    return e->native == PG_STATE('4', '2', '7', '1', '0') || e->native == PG_STATE('4', '2', '7', '2', '3') || e->native == PG_STATE('4', '2', 'P', '0', '7');
}

/* The precheck has told of a version that the destination does not have: its own is taken. */
static bool make_extension(making *m, const object_def *o, err *e)
{
    size_t version = str_find(o->create_sql, STR(" VERSION "));
    if (make(m, o->kind, o->target_schema, o->name, o->create_sql, e)) return true;
    if (e->native != PG_STATE('2', '2', '0', '2', '3') || version == SIZE_MAX) return false;
    *e = ERR_INIT;
    return make(m, o->kind, o->target_schema, o->name, str_sub(o->create_sql, 0, version), e);
}

/* What was there before keeps its owner and its privileges, and so does what its server does not know. */
static bool has_rights(making *m, const object_def *o)
{
    if (str_ends_with(o->kind, STR("(MAINTAIN)")) && m->t->conn->version < PG_MAINTAIN) return false;
    return !o->of_kind.p || is_ours(m, o->of_kind, o->target_schema, o->of_name);
}

static bool make_object(making *m, const object_def *o, err *e)
{
    report(m, o->kind, o->target_name);
    if (o->rights && !has_rights(m, o)) return true;
    if (!o->create_sql.p || is_ours(m, o->kind, o->target_schema, o->name)) return true;
    /* A trigger bears its table's name; a table that was there before keeps its own. */
    if (str_eq(o->kind, STR("on update trigger")) && !is_ours(m, STR("table"), o->target_schema, o->target_name)) return true;
    if (str_eq(o->kind, STR("extension")) ? make_extension(m, o, e) : make(m, o->kind, o->target_schema, o->name, o->create_sql, e)) return true;
    if (!is_duplicate(e)) return err_context(e, "making %.*s %.*s.%.*s", STR_ARG(o->kind), STR_ARG(o->target_schema), STR_ARG(o->target_name));
    if (!m->ignore_existing)
        return err_set(e, ERR_TARGET_CONFLICT, "%.*s %.*s.%.*s exists in the destination and this job did not make it; drop it, or let the job keep what is there (targetTableMode 2)", STR_ARG(o->kind),
                       STR_ARG(o->target_schema), STR_ARG(o->target_name));
    *e = ERR_INIT;
    return true;
}

static const table_def *find_table(const making *m, str schema, str name)
{
    for (uint32_t i = 0; i < m->table_count; i++)
        if (str_eq(m->tables[i]->name, name) && str_eq(m->tables[i]->schema, schema)) return m->tables[i];
    return NULL;
}

static bool make_table(making *m, const table_def *t, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    bool there;
    report(m, STR("table"), t->target_name);
    if (is_ours(m, STR("table"), t->target_schema, t->target_name)) return true;
    if (!exists(m, t->target_schema, t->target_name, &there, e)) return false;
    if (there && m->ignore_existing) return true;
    if (there)
        return err_set(e, ERR_TARGET_CONFLICT,
                       "%.*s.%.*s exists in the destination and this job did not make it; rename or drop it, or map %.*s.%.*s to another name", STR_ARG(t->target_schema),
                       STR_ARG(t->target_name), STR_ARG(t->schema), STR_ARG(t->name));
    if (!pg_schema_create_table(t, m->ignore_existing, &sql, e)) return false;
    const table_def *parent = t->partition_of.p ? find_table(m, t->partition_schema, t->partition_of) : NULL;
    if (t->partition_of.p && !parent) return err_set(e, ERR_NOT_SUPPORTED, "it is a partition of %.*s.%.*s, which is not selected", STR_ARG(t->partition_schema), STR_ARG(t->partition_of));
    if (parent && !pg_schema_attach_partition(t, parent, &sql, e)) return false;
    return make(m, STR("table"), t->target_schema, t->target_name, buf_str(&sql), e);
}

static bool make_one_table(making *m, const table_def *t, err *e)
{
    return make_table(m, t, e) || err_context(e, "making table %.*s.%.*s", STR_ARG(t->target_schema), STR_ARG(t->target_name));
}

/* The tables of the catalog and the partitions among its objects. */
static bool list_tables(making *m, err *e)
{
    const catalog_def *c = m->c;
    m->tables = arena_array(&m->mem, (size_t)c->table_count + c->object_count, sizeof(const table_def *));
    if (!m->tables) return err_no_memory(e, "tables");
    for (uint32_t i = 0; i < c->table_count; i++) m->tables[m->table_count++] = c->tables[i];
    for (uint32_t i = 0; i < c->object_count; i++)
        if (c->objects[i].table && c->objects[i].table->partition_of.p) m->tables[m->table_count++] = c->objects[i].table;
    return true;
}

static bool names_tables(const catalog_def *c)
{
    uint32_t i = 0;
    while (i < c->object_count && !c->objects[i].table) i++;
    return i < c->object_count;
}

static bool make_tables(making *m, err *e)
{
    const catalog_def *c = m->c;
    m->total = c->database_count + (names_tables(c) ? 0 : c->table_count);
    for (uint32_t i = 0; i < c->object_count; i++) m->total += !c->objects[i].after_load;
    for (uint32_t i = 0; i < c->database_count; i++)
        if (!make_schema(m, &c->databases[i], e)) return false;
    for (uint32_t i = 0; i < c->object_count; i++) {
        const object_def *o = &c->objects[i];
        if (!o->after_load && !(o->table ? make_one_table(m, o->table, e) : make_object(m, o, e))) return false;
    }
    for (uint32_t i = 0; !names_tables(c) && i < c->table_count; i++)
        if (!make_one_table(m, c->tables[i], e)) return false;
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
        if (pg_schema_key_is_early(t, k, m->ignore_existing) || !pg_schema_key_is_whole(t, k) || is_ours(m, STR("index"), t->target_schema, k->name)) continue;
        if (!pg_schema_add_key(t, k, &one, e)) return false;
        noted_sql(m, STR("index"), t->target_schema, k->name, buf_str(&one), &noted);
        str copy = one.failed || noted.failed ? STR_NULL : arena_copy(&m->mem, buf_str(&noted));
        if (!copy.p) return err_no_memory(e, "a statement");
        sql[ret->count++] = copy;
    }
    return true;
}

static void report_keys(void *ctx, const table_def *t) { report(ctx, STR("index"), t->target_name); }

/* A table that was there before keeps its own keys. */
static bool made_table(making *m, const table_def *t) { return is_ours(m, STR("table"), t->target_schema, t->target_name); }

/* How many tables a partition hangs below. */
static uint32_t depth_of(const making *m, const table_def *t)
{
    uint32_t depth = 0;
    while (t && t->partition_of.p) t = find_table(m, t->partition_schema, t->partition_of), depth++;
    return depth;
}

/* The deepest partitions first: a key of a partitioned table takes those that its partitions have, with their names. */
static bool make_keys(making *m, err *e)
{
    pg_key_task *tasks = arena_array(&m->mem, m->table_count, sizeof *tasks);
    uint32_t deepest = 0;
    if (!tasks) return err_no_memory(e, "keys");
    for (uint32_t i = 0; i < m->table_count; i++) deepest = depth_of(m, m->tables[i]) > deepest ? depth_of(m, m->tables[i]) : deepest;
    for (uint32_t left = deepest + 1; left--;) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < m->table_count; i++) {
            const table_def *t = m->tables[i];
            if (depth_of(m, t) != left) continue;
            if (!made_table(m, t)) report_keys(m, t);
            else if (!plan_keys(m, t, &tasks[n++], e)) return err_context(e, "making the keys of %.*s.%.*s", STR_ARG(t->target_schema), STR_ARG(t->target_name));
        }
        if (!pg_schema_run_keys(m->t, tasks, n, DDL_TIMEOUT_S, report_keys, m, e)) return false;
    }
    return true;
}

/* Chunks may have states of different moments until the stream has caught up: where a check of the rows fails, the key holds for new ones alone. */
static bool make_foreign_key(making *m, const table_def *t, const foreign_key_def *f, const table_def *parent, str name, err *e)
{
    for (int checked = !str_ends_with(str_or_empty(f->definition_sql), STR(" NOT VALID")); checked >= 0; checked--) {
        BUF_AUTO sql = BUF_INIT;
        if (!pg_schema_add_foreign_key(t, f, parent, checked, &sql, e)) return false;
        if (make(m, STR("foreign key"), t->target_schema, name, buf_str(&sql), e)) return true;
        if (e->native != PG_STATE('2', '3', '5', '0', '3')) return false;
    }
    return false;
}

static bool make_foreign_keys(making *m, const table_def *t, err *e)
{
    for (uint32_t i = 0; i < t->foreign_key_count; i++) {
        const foreign_key_def *f = &t->foreign_keys[i];
        const table_def *parent = find_table(m, f->parent_schema, f->parent_table);
        str name = arena_printf(&m->mem, "%.*s.%.*s", STR_ARG(t->target_name), STR_ARG(f->name)); /* names are unique in a table only */
        if (!name.p) return err_no_memory(e, "a foreign key");
        if (!pg_schema_foreign_key_is_whole(t, f) || is_ours(m, STR("foreign key"), t->target_schema, name)) continue;
        if (!parent)
            return err_set(e, ERR_NOT_SUPPORTED, "foreign key %.*s of %.*s.%.*s refers to %.*s.%.*s, which is not selected", STR_ARG(f->name), STR_ARG(t->schema),
                           STR_ARG(t->name), STR_ARG(f->parent_schema), STR_ARG(f->parent_table));
        if (!make_foreign_key(m, t, f, parent, name, e)) return false;
    }
    return true;
}

static bool make_rest(making *m, err *e)
{
    const catalog_def *c = m->c;
    m->total = 2 * m->table_count;
    for (uint32_t i = 0; i < c->object_count; i++) m->total += c->objects[i].after_load;
    if (!make_keys(m, e)) return false;
    for (uint32_t i = 0; i < m->table_count; i++) {
        const table_def *t = m->tables[i];
        if (made_table(m, t) && !make_foreign_keys(m, t, e)) return err_context(e, "making the foreign keys of %.*s.%.*s", STR_ARG(t->target_schema), STR_ARG(t->target_name));
        report(m, STR("foreign key"), t->target_name);
    }
    for (uint32_t i = 0; i < c->object_count; i++)
        if (c->objects[i].after_load && !make_object(m, &c->objects[i], e)) return false;
    return true;
}

bool pg_schema_apply(target *t, schema_phase phase, const catalog_def *c, const server_info *from, bool ignore_existing, const schema_progress *p, err *e)
{
    (void)from;
    making m = {.t = t, .c = c, .made = MAP_INIT, .ignore_existing = ignore_existing, .progress = p};
    uint32_t timeout = t->conn->statement_timeout_s;
    arena_init(&m.mem, 64 * 1024, 0);
    t->conn->statement_timeout_s = DDL_TIMEOUT_S;
    bool ok = open_objects(&m, e) && list_tables(&m, e) && (phase == SCHEMA_TABLES ? make_tables(&m, e) : make_rest(&m, e));
    t->conn->statement_timeout_s = timeout;
    map_finish(&m.made);
    arena_finish(&m.mem);
    return ok;
}
