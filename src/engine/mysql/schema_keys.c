/* Building keys, those of several tables at once. */
#include "engine/mysql/schema_keys.h"

#include "engine/table_work.h"

#define SCRATCH_BYTES (64 * 1024)

bool schema_read_present(conn *c, const table_def *t, arena *a, ddl_table *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SHOW CREATE TABLE ");
    conn_quote_table(&sql, t->target_schema, t->target_name);
    MYSQL_RES *res;
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query(c, buf_str(&sql), &res, e)) return false;
    MYSQL_ROW row = mysql_fetch_row(res);
    str text = row && row[1] ? arena_copy(a, (str){row[1], mysql_fetch_lengths(res)[1]}) : STR_NULL;
    mysql_free_result(res);
    if (!text.p) return err_set(e, ERR_TARGET_QUERY, "table %.*s.%.*s has no definition", STR_ARG(t->target_schema), STR_ARG(t->target_name));
    return ddl_parse_table(text, a, ret, e);
}

static bool has_key(const ddl_table *d, str name)
{
    for (uint32_t i = 0; i < d->key_count; i++)
        if (str_eq_nocase(d->keys[i].name, name)) return true;
    return false;
}

static bool has_foreign_key(const ddl_table *d, str name)
{
    for (uint32_t i = 0; i < d->foreign_key_count; i++)
        if (d->foreign_keys[i].name.p && str_eq_nocase(d->foreign_keys[i].name, name)) return true;
    return false;
}

static void begin_alter(buf *sql, const table_def *t)
{
    buf_reset(sql);
    buf_add_c(sql, "ALTER TABLE ");
    conn_quote_table(sql, t->target_schema, t->target_name);
    buf_add_byte(sql, ' ');
}

/* Ordinary keys in one ALTER, which reads the table once; FULLTEXT keys one by one (InnoDB builds one at a time) with SPATIAL ones. */
static bool make_keys(const key_work *w, conn *c, const table_def *t, arena *a, err *e)
{
    ddl_table d, present;
    BUF_AUTO sql = BUF_INIT;
    uint32_t plain = 0;
    if (!ddl_parse_table(t->create_sql, a, &d, e) || !schema_read_present(c, t, a, &present, e)) return false;
    begin_alter(&sql, t);
    for (uint32_t i = 0; i < d.key_count; i++) {
        if (d.keys[i].kind != DDL_PLAIN || schema_key_is_early(t, &d, i) || !schema_key_is_whole(t, i) || has_key(&present, d.keys[i].name)) continue;
        if (plain++) buf_add_c(&sql, ", ");
        if (!schema_add_key(w->pair, t, &d.keys[i], a, &sql, e)) return false;
    }
    if (plain && !conn_exec(c, buf_str(&sql), NULL, e)) return false;
    for (uint32_t i = 0; i < d.key_count; i++) {
        if (d.keys[i].kind < DDL_FULLTEXT || !schema_key_is_whole(t, i) || has_key(&present, d.keys[i].name)) continue;
        begin_alter(&sql, t);
        if (!schema_add_key(w->pair, t, &d.keys[i], a, &sql, e) || !conn_exec(c, buf_str(&sql), NULL, e)) return false;
    }
    return true;
}

/* ---- several tables at once ---- */

static bool open_builder(void *ctx, void **ret, err *e)
{
    const key_work *w = ctx;
    conn *c = NULL;
    bool ok = conn_open(w->t->ep, w->t->env, CONN_TARGET, false, &c, e) && schema_pin_session(c, e);
    if (!ok) conn_close(c);
    else *ret = c;
    return ok;
}

static void close_builder(void *connection) { conn_close(connection); }

static bool build(void *ctx, void *connection, uint32_t i, err *e)
{
    const key_work *w = ctx;
    const table_def *t = w->tables[i];
    arena scratch;
    arena_init(&scratch, SCRATCH_BYTES, 0);
    bool ok = make_keys(w, connection, t, &scratch, e);
    arena_finish(&scratch);
    return ok || err_context(e, "making the keys of %.*s.%.*s", STR_ARG(t->target_schema), STR_ARG(t->target_name));
}

static void built(void *ctx, uint32_t i)
{
    const key_work *w = ctx;
    w->built(w->ctx, "index", w->tables[i]);
}

bool schema_build_keys(const key_work *w, err *e)
{
    key_work one = *w;
    table_work all = {.count = w->count, .lanes = w->t->env->lanes, .open = open_builder, .close = close_builder, .run = build, .done = built, .ctx = &one};
    return table_work_run(&all, e);
}

/* ---- foreign keys ---- */

static bool make_foreign_keys(const key_work *w, const table_def *t, arena *a, err *e)
{
    ddl_table present;
    BUF_AUTO sql = BUF_INIT;
    if (!t->foreign_key_count) return true;
    if (!schema_read_present(w->t->conn, t, a, &present, e)) return false;
    for (uint32_t i = 0; i < t->foreign_key_count; i++) {
        const foreign_key_def *f = &t->foreign_keys[i];
        if (!schema_foreign_key_is_whole(t, i) || has_foreign_key(&present, f->name)) continue;
        const table_def *parent = catalog_find_table(w->c, f->parent_schema, f->parent_table);
        if (!parent)
            return err_set(e, ERR_NOT_SUPPORTED, "foreign key %.*s of %.*s.%.*s refers to %.*s.%.*s, which is not selected", STR_ARG(f->name),
                           STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(f->parent_schema), STR_ARG(f->parent_table));
        begin_alter(&sql, t);
        if (!schema_add_foreign_key(t, f, parent, &sql, e) || !conn_exec(w->t->conn, buf_str(&sql), NULL, e)) return false;
    }
    return true;
}

bool schema_build_foreign_keys(const key_work *w, err *e)
{
    bool ok = true;
    arena scratch;
    arena_init(&scratch, SCRATCH_BYTES, 0);
    for (uint32_t i = 0; ok && i < w->count; i++) {
        const table_def *t = w->tables[i];
        arena_reset(&scratch);
        ok = make_foreign_keys(w, t, &scratch, e) ||
             err_context(e, "making the foreign keys of %.*s.%.*s", STR_ARG(t->target_schema), STR_ARG(t->target_name));
        if (ok) w->built(w->ctx, "foreign key", t);
    }
    arena_finish(&scratch);
    return ok;
}
