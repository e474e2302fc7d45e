/* Changes of a table's columns in the target, and the shapes of the source's tables that are kept there. A change and the new shape are one transaction: a
 * worker that is killed leaves both or neither. */
#include <stddef.h>
#include <stdio.h>

#include "engine/postgresql/pg_checkpoint.h"
#include "engine/postgresql/pg_checkpoint_tables.h"

#define SHAPE_SQL                                                                                                                                    \
    "CREATE TABLE sluice.shape (job_id text NOT NULL, table_schema text NOT NULL, table_name text NOT NULL, shape text NOT NULL, "                    \
    "PRIMARY KEY (job_id, table_schema, table_name)); COMMENT ON TABLE sluice.shape IS 'Sluice: the columns that tables of the source have at the job''s position'"

static bool find_table(target *t, pg_checkpoint_objects *ret, err *e) { return pg_checkpoint_tables_find(t->conn, ret, e) && pg_checkpoint_tables_not_foreign(ret->shape, "sluice.shape", e); }

bool pg_alter_read_shapes(target *t, uint64_t epoch, const catalog_def *c, arena *a, str *ret, err *e)
{
    (void)epoch; /* changes are done or not */
    pg_checkpoint_objects have;
    BUF_AUTO sql = BUF_INIT;
    PGresult *r;
    for (uint32_t i = 0; i < c->table_count; i++) ret[i] = STR_NULL;
    if (!find_table(t, &have, e)) return false;
    if (have.shape != PG_CHECKPOINT_OURS) return true;
    buf_add_c(&sql, "SELECT table_schema, table_name, shape FROM sluice.shape WHERE job_id=");
    pg_quote_literal(&sql, t->env->job_id);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query(t->conn, buf_str(&sql), &r, e)) return false;
    bool ok = true;
    for (int i = 0; ok && i < PQntuples(r); i++) {
        const table_def *table = catalog_find_table(c, pg_field(r, i, 0), pg_field(r, i, 1));
        if (!table) continue;
        ret[table->id] = arena_copy(a, pg_field(r, i, 2));
        ok = ret[table->id].p || err_no_memory(e, "the columns of a table");
    }
    PQclear(r);
    return ok;
}

static void add_row(buf *sql, str job_id, const table_def *t, str shape)
{
    buf_add_byte(sql, '(');
    pg_quote_literal(sql, job_id);
    buf_add_c(sql, ", ");
    pg_quote_literal(sql, t->schema);
    buf_add_c(sql, ", ");
    pg_quote_literal(sql, t->name);
    buf_add_c(sql, ", ");
    pg_quote_literal(sql, shape);
    buf_add_byte(sql, ')');
}

/* Runs statements in one transaction that a newer worker's claim makes impossible. */
static bool run(target *t, uint64_t epoch, str sql, err *e)
{
    bool ok = pg_conn_exec(t->conn, STR("BEGIN"), NULL, e) && pg_checkpoint_guard(t->conn, t->env->job_id, epoch, e) && pg_conn_exec(t->conn, sql, NULL, e) &&
              pg_checkpoint_commit(t->conn, e);
    if (!ok) pg_checkpoint_roll_back(t->conn);
    return ok;
}

bool pg_alter_keep_shapes(target *t, uint64_t epoch, const catalog_def *c, const str *shapes, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    bool any = false;
    for (uint32_t i = 0; i < c->table_count; i++) {
        if (!shapes[i].p) continue;
        buf_add_c(&sql, any ? ", " : "INSERT INTO sluice.shape (job_id, table_schema, table_name, shape) VALUES ");
        add_row(&sql, t->env->job_id, c->tables[i], shapes[i]);
        any = true;
    }
    buf_add_c(&sql, " ON CONFLICT DO NOTHING");
    if (sql.failed) return err_no_memory(e, "a statement");
    return !any || (pg_checkpoint_tables_make_later(t, offsetof(pg_checkpoint_objects, shape), "sluice.shape", SHAPE_SQL, e) && run(t, epoch, buf_str(&sql), e));
}

/* --- columns --- */

static void add_type(buf *sql, const column_alter *x)
{
    buf_add(sql, x->type_sql);
    if (!x->collation.n) return;
    buf_add_c(sql, " COLLATE ");
    buf_add(sql, x->collation);
}

/* Rows that are there get the value as a default, which is then replaced by that for rows to come. */
static void add_column(buf *sql, str table, const column_alter *x)
{
    buf_add_c(sql, "ADD COLUMN ");
    pg_quote_name(sql, x->column);
    buf_add_byte(sql, ' ');
    add_type(sql, x);
    if (x->value.p) {
        buf_add_c(sql, " DEFAULT ");
        pg_quote_literal(sql, x->value);
        buf_add_c(sql, "::");
        buf_add(sql, x->type_sql);
    }
    if (x->not_null) buf_add_c(sql, " NOT NULL");
    if (!x->value.p && !x->default_sql.p) return;
    buf_printf(sql, "; ALTER TABLE %.*s ALTER COLUMN ", STR_ARG(table));
    pg_quote_name(sql, x->column);
    if (x->default_sql.p) {
        buf_add_c(sql, " SET DEFAULT ");
        buf_add(sql, x->default_sql);
    } else {
        buf_add_c(sql, " DROP DEFAULT");
    }
}

static void rename_column(buf *sql, str from, str to)
{
    buf_add_c(sql, "RENAME COLUMN ");
    pg_quote_name(sql, from);
    buf_add_c(sql, " TO ");
    pg_quote_name(sql, to);
}

static void column_sql(buf *sql, str table, const column_alter *x)
{
    buf_printf(sql, "ALTER TABLE %.*s ", STR_ARG(table));
    switch (x->kind) {
    case ALTER_DROP_COLUMN:
        buf_add_c(sql, "DROP COLUMN ");
        pg_quote_name(sql, x->column);
        break;
    case ALTER_RENAME_COLUMN: rename_column(sql, x->column, x->new_name); break;
    case ALTER_COLUMN_TYPE:
        buf_add_c(sql, "ALTER COLUMN ");
        pg_quote_name(sql, x->column);
        buf_add_c(sql, " TYPE ");
        add_type(sql, x);
        break;
    case ALTER_ADD_COLUMN: add_column(sql, table, x); break;
    }
    buf_add_c(sql, "; ");
}

/* Columns may change places by their names: all go through names that are nobody's. */
static void columns_sql(buf *sql, str table, const table_alter *x)
{
    char aside[32];
    for (uint32_t i = 0; i < x->count; i++) {
        column_alter c = x->columns[i];
        if (c.kind == ALTER_RENAME_COLUMN) {
            snprintf(aside, sizeof aside, "sluice renames %u", i);
            c.new_name = str_from_c(aside);
        }
        if (c.kind <= ALTER_RENAME_COLUMN) column_sql(sql, table, &c);
    }
    for (uint32_t i = 0; i < x->count; i++) {
        column_alter c = x->columns[i];
        if (c.kind == ALTER_RENAME_COLUMN) {
            snprintf(aside, sizeof aside, "sluice renames %u", i);
            c.column = str_from_c(aside);
        }
        if (c.kind >= ALTER_RENAME_COLUMN) column_sql(sql, table, &c);
    }
}

/* The answer to an earlier COMMIT may have been lost. */
static bool is_done(target *t, const table_alter *x, bool *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    uint64_t n = 0;
    buf_add_c(&sql, "SELECT count(*) FROM sluice.shape WHERE (job_id, table_schema, table_name, shape) = ");
    add_row(&sql, t->env->job_id, x->table, x->shape);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query_u64(t->conn, buf_c(&sql), &n, e)) return false;
    *ret = n != 0;
    return true;
}

bool pg_alter_table(target *t, uint64_t epoch, const table_alter *x, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    BUF_AUTO table = BUF_INIT;
    bool done;
    pg_quote_table(&table, x->table->target_schema, x->table->target_name);
    columns_sql(&sql, buf_str(&table), x);
    buf_add_c(&sql, "INSERT INTO sluice.shape (job_id, table_schema, table_name, shape) VALUES ");
    add_row(&sql, t->env->job_id, x->table, x->shape);
    buf_add_c(&sql, " ON CONFLICT (job_id, table_schema, table_name) DO UPDATE SET shape = excluded.shape");
    if (table.failed || sql.failed) return err_no_memory(e, "a statement");
    if (!pg_checkpoint_tables_make_later(t, offsetof(pg_checkpoint_objects, shape), "sluice.shape", SHAPE_SQL, e) || !is_done(t, x, &done, e)) return false;
    if (done || run(t, epoch, buf_str(&sql), e)) return true;
    return err_context(e, "changing the columns of %s as the source did", buf_c(&table));
}
