/* Changed definitions in the target. What a transaction of the source drops goes before its rows; what it makes is written down with that, in sluice.ddl, and
 * made once the job's position says that the transaction is here: in one transaction with taking the note away. A worker that is killed in between, and one
 * whose answer was lost, leave all or nothing of each. */
#include <stddef.h>
#include <stdio.h>

#include "base/failpoint.h"
#include "engine/postgresql/pg_checkpoint.h"
#include "engine/postgresql/pg_checkpoint_tables.h"
#include "engine/postgresql/pg_schema_text.h"

/* An index of a large table takes hours; the connection's keep-alive still notices a dead server. */
#define DDL_TIMEOUT_S (7u * 24 * 3600)

/* kind: what there must not be yet of the name for the statement to be run: "index", "constraint" (of the table); "" runs it anyway. otherwise: instead, when
 * rows break a foreign key. */
#define DDL_SQL                                                                                                                                      \
    "CREATE TABLE sluice.ddl (job_id text NOT NULL, number integer NOT NULL, position text NOT NULL, kind text NOT NULL, table_schema text NOT NULL, " \
    "table_name text NOT NULL, name text NOT NULL, statement text NOT NULL, otherwise text, PRIMARY KEY (job_id, number)); "                           \
    "COMMENT ON TABLE sluice.ddl IS 'Sluice: definitions that are to be changed behind a transaction of the source'"

static bool find_table(target *t, pg_checkpoint_objects *ret, err *e) { return pg_checkpoint_tables_find(t->conn, ret, e) && pg_checkpoint_tables_not_foreign(ret->ddl, "sluice.ddl", e); }

static bool begin(target *t, uint64_t epoch, err *e)
{
    return pg_conn_exec(t->conn, STR("BEGIN"), NULL, e) && pg_checkpoint_guard(t->conn, t->env->job_id, epoch, e);
}

static void where_job(const target *t, buf *sql)
{
    buf_add_c(sql, " WHERE job_id=");
    pg_quote_literal(sql, t->env->job_id);
}

/* --- statements --- */

static void alter_table(const table_def *t, buf *out)
{
    buf_add_c(out, "ALTER TABLE ");
    pg_quote_table(out, t->target_schema, t->target_name);
    buf_add_byte(out, ' ');
}

static void alter_column(const ddl_change *x, buf *out)
{
    const column_def *c = &x->table->columns[x->column];
    buf_add_c(out, "ALTER COLUMN ");
    pg_quote_name(out, c->target_name);
}

static void column_sql(const ddl_change *x, buf *out)
{
    alter_table(x->table, out);
    alter_column(x, out);
    buf_add_c(out, x->default_sql.p ? " SET DEFAULT " : " DROP DEFAULT");
    buf_add(out, str_or_empty(x->default_sql));
    buf_add_c(out, ", ");
    alter_column(x, out);
    buf_add_c(out, x->not_null ? " SET NOT NULL" : " DROP NOT NULL");
}

static void comment_sql(const ddl_change *x, buf *out)
{
    const table_def *t = x->table;
    bool column = x->column != UINT32_MAX;
    buf_add_c(out, column ? "COMMENT ON COLUMN " : "COMMENT ON TABLE ");
    pg_quote_table(out, t->target_schema, t->target_name);
    if (column) {
        buf_add_byte(out, '.');
        pg_quote_name(out, t->columns[x->column].target_name);
    }
    buf_add_c(out, " IS ");
    if (x->comment.p) pg_quote_literal(out, x->comment);
    else buf_add_c(out, "NULL");
}

/* *ret_kind as the table sluice.ddl has it. */
static bool make_sql(const ddl_change *x, const char **ret_kind, buf *out, buf *otherwise, err *e)
{
    *ret_kind = "";
    switch (x->kind) {
    case DDL_DROP_CONSTRAINT: case DDL_DROP_INDEX: break;
    case DDL_KEY: *ret_kind = x->key.constraint ? "constraint" : "index"; return pg_schema_add_key(x->table, &x->key, out, e);
    case DDL_CHECK:
        *ret_kind = "constraint";
        alter_table(x->table, out);
        buf_add_c(out, "ADD CONSTRAINT ");
        pg_quote_name(out, x->name);
        buf_add_c(out, " CHECK ");
        buf_add(out, x->check.condition_sql);
        break;
    case DDL_FOREIGN_KEY:
        *ret_kind = "constraint";
        return pg_schema_add_foreign_key(x->table, &x->foreign_key, x->parent, !str_ends_with(x->foreign_key.definition_sql, STR(" NOT VALID")), out, e) &&
               pg_schema_add_foreign_key(x->table, &x->foreign_key, x->parent, false, otherwise, e);
    case DDL_COLUMN: column_sql(x, out); break;
    case DDL_COMMENT: comment_sql(x, out); break;
    }
    return true;
}

static bool step_row(const target *t, const ddl_change *x, uint32_t number, position at, buf *sql, err *e)
{
    BUF_AUTO statement = BUF_INIT;
    BUF_AUTO otherwise = BUF_INIT;
    const char *kind;
    if (!make_sql(x, &kind, &statement, &otherwise, e)) return false;
    buf_add_c(sql, number ? ", (" : "INSERT INTO sluice.ddl (job_id, number, position, kind, table_schema, table_name, name, statement, otherwise) VALUES (");
    pg_quote_literal(sql, t->env->job_id);
    buf_printf(sql, ", %u, ", number);
    const str cells[] = {at.text, str_from_c(kind), x->table->target_schema, x->table->target_name, x->name, buf_str(&statement)};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        pg_quote_literal(sql, cells[i]);
        buf_add_c(sql, ", ");
    }
    if (otherwise.n) pg_quote_literal(sql, buf_str(&otherwise));
    else buf_add_c(sql, "NULL");
    buf_add_byte(sql, ')');
    return !(statement.failed || otherwise.failed) || err_no_memory(e, "a statement");
}

/* --- what goes --- */

/* Foreign keys first: others depend on keys. */
static bool drop_constraints(target *t, const ddl_list *l, bool foreign, err *e)
{
    for (uint32_t i = 0; i < l->count; i++) {
        const ddl_change *x = &l->changes[i];
        if (x->kind != DDL_DROP_CONSTRAINT) continue;
        BUF_AUTO sql = BUF_INIT;
        PGresult *r;
        const str values[] = {x->table->target_schema, x->table->target_name, x->name};
        if (!pg_conn_query_params(t->conn, STR("SELECT k.contype = 'f' FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n "
                                               "ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND k.conname = $3"), values, 3, &r, e))
            return false;
        bool there = PQntuples(r) > 0 && str_eq(pg_field(r, 0, 0), STR("t")) == foreign;
        PQclear(r);
        if (!there) continue;
        alter_table(x->table, &sql);
        buf_add_c(&sql, "DROP CONSTRAINT ");
        pg_quote_name(&sql, x->name);
        if (sql.failed) return err_no_memory(e, "a statement");
        if (!pg_conn_exec(t->conn, buf_str(&sql), NULL, e)) return err_context(e, "doing as the source did: %.*s", STR_ARG(x->text));
    }
    return true;
}

static bool is_of_job(const catalog_def *c, str schema, str table)
{
    for (uint32_t i = 0; i < c->table_count; i++)
        if (str_eq(c->tables[i]->target_name, table) && str_eq(c->tables[i]->target_schema, schema)) return true;
    return false;
}

/* An index of the name may be another table's here. */
static bool drop_index(target *t, const catalog_def *c, const ddl_change *x, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    PGresult *r;
    const str values[] = {x->target_schema, x->name};
    if (!pg_conn_query_params(t->conn, STR("SELECT c.relname FROM pg_catalog.pg_class x JOIN pg_catalog.pg_namespace n ON n.oid = x.relnamespace JOIN pg_catalog.pg_index i "
                                           "ON i.indexrelid = x.oid JOIN pg_catalog.pg_class c ON c.oid = i.indrelid WHERE n.nspname = $1 AND x.relname = $2"), values, 2, &r, e))
        return false;
    bool ours = PQntuples(r) > 0 && is_of_job(c, x->target_schema, pg_field(r, 0, 0));
    PQclear(r);
    if (!ours) return true;
    buf_add_c(&sql, "DROP INDEX ");
    pg_quote_table(&sql, x->target_schema, x->name);
    if (sql.failed) return err_no_memory(e, "a statement");
    return pg_conn_exec(t->conn, buf_str(&sql), NULL, e) || err_context(e, "doing as the source did: %.*s", STR_ARG(x->text));
}

static bool drop_all(target *t, const catalog_def *c, const ddl_list *l, err *e)
{
    if (!drop_constraints(t, l, true, e) || !drop_constraints(t, l, false, e)) return false;
    for (uint32_t i = 0; i < l->count; i++)
        if (l->changes[i].kind == DDL_DROP_INDEX && !drop_index(t, c, &l->changes[i], e)) return false;
    return true;
}

bool pg_ddl_intend(target *t, uint64_t epoch, const catalog_def *c, const ddl_list *l, position at, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    uint32_t n = 0;
    buf_add_c(&sql, "DELETE FROM sluice.ddl");
    where_job(t, &sql);
    buf_add_c(&sql, "; ");
    for (uint32_t i = 0; i < l->count; i++)
        if (!ddl_is_drop(l->changes[i].kind) && !step_row(t, &l->changes[i], n++, at, &sql, e)) return false;
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_checkpoint_tables_make_later(t, offsetof(pg_checkpoint_objects, ddl), "sluice.ddl", DDL_SQL, e)) return false;
    bool ok = begin(t, epoch, e) && drop_all(t, c, l, e) && pg_conn_exec(t->conn, buf_str(&sql), NULL, e) && pg_checkpoint_commit(t->conn, e);
    if (!ok) pg_checkpoint_roll_back(t->conn);
    if (ok) failpoint("ddl:intent");
    return ok;
}

/* --- what comes --- */

bool pg_ddl_pending(target *t, arena *a, position *ret, err *e)
{
    pg_checkpoint_objects have;
    BUF_AUTO sql = BUF_INIT;
    str text = STR_NULL;
    *ret = (position){STR(""), 0};
    if (!find_table(t, &have, e)) return false;
    if (have.ddl != PG_CHECKPOINT_OURS) return true;
    buf_add_c(&sql, "SELECT position FROM sluice.ddl");
    where_job(t, &sql);
    buf_add_c(&sql, " LIMIT 1");
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query_value(t->conn, buf_c(&sql), a, &text, e)) return false;
    ret->text = str_or_empty(text);
    return true;
}

/* As the target has it now. */
#define STEPS_SQL                                                                                                                                        \
    "SELECT d.name, d.statement, d.otherwise, CASE d.kind WHEN 'index' THEN EXISTS (SELECT FROM pg_catalog.pg_class x JOIN pg_catalog.pg_namespace n ON "   \
    "n.oid = x.relnamespace WHERE n.nspname = d.table_schema AND x.relname = d.name) WHEN 'constraint' THEN EXISTS (SELECT FROM pg_catalog.pg_constraint k " \
    "JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = d.table_schema AND "       \
    "c.relname = d.table_name AND k.conname = d.name) ELSE false END FROM sluice.ddl d"

/* Rows of chunks that the stream has not caught up with may lack their parents. */
static bool run_step(target *t, str statement, str otherwise, err *e)
{
    if (!otherwise.p) return pg_conn_exec(t->conn, statement, NULL, e);
    if (!pg_conn_exec(t->conn, STR("SAVEPOINT step"), NULL, e)) return false;
    if (pg_conn_exec(t->conn, statement, NULL, e)) return true;
    if (e->native != PG_STATE('2', '3', '5', '0', '3')) return false;
    *e = ERR_INIT;
    return pg_conn_exec(t->conn, STR("ROLLBACK TO SAVEPOINT step"), NULL, e) && pg_conn_exec(t->conn, otherwise, NULL, e);
}

static bool run_steps(target *t, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    PGresult *r;
    bool ok = true;
    buf_add_c(&sql, STEPS_SQL);
    where_job(t, &sql);
    buf_add_c(&sql, " ORDER BY d.number");
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query(t->conn, buf_str(&sql), &r, e)) return false;
    for (int i = 0; ok && i < PQntuples(r); i++) {
        if (str_eq(pg_field(r, i, 3), STR("t"))) continue;
        ok = run_step(t, pg_field(r, i, 1), pg_field(r, i, 2), e) || err_context(e, "doing as the source did: %.*s", STR_ARG(str_sub(pg_field(r, i, 1), 0, 300)));
    }
    PQclear(r);
    return ok;
}

bool pg_ddl_finish(target *t, uint64_t epoch, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    uint32_t before = t->conn->statement_timeout_s;
    buf_add_c(&sql, "DELETE FROM sluice.ddl");
    where_job(t, &sql);
    if (sql.failed) return err_no_memory(e, "a statement");
    t->conn->statement_timeout_s = DDL_TIMEOUT_S;
    bool ok = begin(t, epoch, e) && run_steps(t, e) && pg_conn_exec(t->conn, buf_str(&sql), NULL, e) && pg_checkpoint_commit(t->conn, e);
    if (!ok) pg_checkpoint_roll_back(t->conn);
    t->conn->statement_timeout_s = before;
    if (ok) failpoint("ddl:done");
    return ok;
}
