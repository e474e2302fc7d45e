/* Changes of a table's columns in the target, and the shapes of the source's tables that are kept there (sluice.shape).
 *
 * Each ALTER TABLE commits by itself. So the change is written down first, with the step that comes next and the columns before it; whoever finds it unfinished
 * compares the table with these and goes on. The job's lock keeps two workers apart, its epoch an older one from beginning a step. A statement of a worker
 * that died goes on in the server, which frees the lock only afterwards. */
#include <stdio.h>

#include "base/failpoint.h"
#include "engine/mysql/alter_steps.h"
#include "engine/mysql/checkpoint_tables.h"
#include "engine/mysql/schema_keys.h"

#define SHAPE_SQL                                                                                                                           \
    "CREATE TABLE IF NOT EXISTS sluice.shape (job_id VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "                          \
    "table_schema VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, table_name VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin " \
    "NOT NULL, shape LONGBLOB NOT NULL, next_shape LONGBLOB NULL, changes LONGBLOB NULL, step INT UNSIGNED NOT NULL DEFAULT 0, "              \
    "columns_before LONGBLOB NULL, PRIMARY KEY (job_id, table_schema, table_name)) ENGINE=InnoDB "                                           \
    "COMMENT='Sluice: the columns that tables of the source have at the job''s position, and changes under way'"

enum { LOCK_SECONDS = 10 };

static bool find_table(target *t, checkpoint_objects *ret, err *e)
{
    if (!checkpoint_tables_find(t->conn, ret, e)) return false;
    return ret->shape != CHECKPOINT_FOREIGN || err_set(e, ERR_TARGET_CONFLICT, "the destination has a table sluice.shape that is not Sluice's; rename it");
}

static bool make_table(target *t, err *e)
{
    checkpoint_objects have;
    if (!find_table(t, &have, e)) return false;
    if (have.shape == CHECKPOINT_OURS) return true;
    if (!checkpoint_tables_lock(t->conn, e)) return false;
    bool ok = checkpoint_tables_make_one(t, "sluice.shape", SHAPE_SQL, e);
    checkpoint_tables_unlock(t->conn);
    return ok;
}

/* --- the job's lock --- */

static void lock_sql(const target *t, const char *function, const char *more, buf *sql)
{
    BUF_AUTO name = BUF_INIT;
    buf_printf(&name, "sluice %.*s", STR_ARG(str_sub(t->env->job_id, 0, 50))); /* MySQL: 64 characters */
    buf_printf(sql, "SELECT %s(", function);
    conn_quote_literal(sql, buf_str(&name), STR("utf8mb4"));
    buf_add_c(sql, more);
    if (name.failed) sql->failed = true;
}

static bool lock_job(target *t, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    char more[16];
    uint64_t got = 0;
    snprintf(more, sizeof more, ", %d)", LOCK_SECONDS);
    lock_sql(t, "GET_LOCK", more, &sql);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query_u64(t->conn, buf_c(&sql), &got, e)) return false;
    return got || err_set_native(e, ERR_TARGET_BUSY, RETRY_LATER, 0, "a worker of job %.*s that has ended still changes columns in the destination", STR_ARG(t->env->job_id));
}

static void unlock_job(target *t)
{
    BUF_AUTO sql = BUF_INIT;
    err ignored = ERR_INIT;
    uint64_t freed;
    lock_sql(t, "RELEASE_LOCK", ")", &sql);
    if (!t->conn->broken && (sql.failed || !conn_query_u64(t->conn, buf_c(&sql), &freed, &ignored))) t->conn->broken = true;
}

/* --- the table's row --- */

/* A change under way; shape: of the table afterwards, p == NULL: none is. */
typedef struct intent {
    str shape, changes, before;
    uint64_t step;
} intent;

static bool run(target *t, uint64_t epoch, const buf *sql, err *e)
{
    conn *c = t->conn;
    err ignored = ERR_INIT;
    if (sql->failed) return err_no_memory(e, "a statement");
    bool ok = conn_exec(c, STR("START TRANSACTION"), NULL, e) && checkpoint_guard(c, t->env->job_id, epoch, e) && conn_exec(c, buf_str(sql), NULL, e) &&
              conn_exec(c, STR("COMMIT"), NULL, e);
    if (!ok && !c->broken && !conn_exec(c, STR("ROLLBACK"), NULL, &ignored)) c->broken = true;
    return ok;
}

static str field(MYSQL_RES *res, MYSQL_ROW row, unsigned i, arena *a, bool *ok)
{
    str s = row[i] ? arena_copy(a, (str){row[i], mysql_fetch_lengths(res)[i]}) : STR_NULL;
    *ok = *ok && (s.p || !row[i]);
    return s;
}

static bool read_intent(target *t, const table_def *table, arena *a, str *ret_shape, intent *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    MYSQL_RES *res;
    bool ok = true;
    *ret = (intent){0};
    *ret_shape = STR_NULL;
    buf_add_c(&sql, "SELECT shape, next_shape, changes, columns_before, step FROM sluice.shape");
    checkpoint_add_where_table(&sql, t->env->job_id, table);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query(t->conn, buf_str(&sql), &res, e)) return false;
    MYSQL_ROW row = mysql_fetch_row(res);
    if (row) {
        *ret_shape = field(res, row, 0, a, &ok);
        *ret = (intent){.shape = field(res, row, 1, a, &ok), .changes = str_or_empty(field(res, row, 2, a, &ok)), .before = str_or_empty(field(res, row, 3, a, &ok))};
        ok = ok && row[4] && str_to_u64(str_from_c(row[4]), &ret->step);
    }
    mysql_free_result(res);
    return ok || err_no_memory(e, "a change of columns");
}

static bool save_step(target *t, uint64_t epoch, const table_def *table, uint64_t step, str before, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_printf(&sql, "UPDATE sluice.shape SET step=%llu, columns_before=", (unsigned long long)step);
    conn_quote_literal(&sql, before, STR(""));
    checkpoint_add_where_table(&sql, t->env->job_id, table);
    return run(t, epoch, &sql, e);
}

static bool write_intent(target *t, uint64_t epoch, const table_alter *x, str before, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    BUF_AUTO changes = BUF_INIT;
    alter_steps_write(x, &changes);
    buf_add_c(&sql, "UPDATE sluice.shape SET next_shape=");
    conn_quote_literal(&sql, x->shape, STR(""));
    buf_add_c(&sql, ", changes=");
    conn_quote_literal(&sql, buf_str(&changes), STR(""));
    buf_add_c(&sql, ", step=0, columns_before=");
    conn_quote_literal(&sql, before, STR(""));
    checkpoint_add_where_table(&sql, t->env->job_id, x->table);
    return changes.failed ? err_no_memory(e, "a statement") : run(t, epoch, &sql, e);
}

static bool end_intent(target *t, uint64_t epoch, const table_def *table, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "UPDATE sluice.shape SET shape=next_shape, next_shape=NULL, changes=NULL, columns_before=NULL, step=0");
    checkpoint_add_where_table(&sql, t->env->job_id, table);
    buf_add_c(&sql, " AND next_shape IS NOT NULL");
    return run(t, epoch, &sql, e);
}

/* --- the steps --- */

static bool read_columns(target *t, const table_def *table, arena *a, ddl_table *ret, str *ret_columns, err *e)
{
    BUF_AUTO columns = BUF_INIT;
    if (!schema_read_present(t->conn, table, a, ret, e)) return false;
    alter_steps_columns(ret, &columns);
    *ret_columns = columns.failed ? STR_NULL : arena_copy(a, buf_str(&columns));
    return ret_columns->p || err_no_memory(e, "the columns of a table");
}

/* An older worker's claim that was overtaken must not begin a step. */
static bool still_ours(target *t, uint64_t epoch, err *e)
{
    BUF_AUTO nothing = BUF_INIT;
    buf_add_c(&nothing, "DO 0");
    return run(t, epoch, &nothing, e);
}

static bool take_step(target *t, uint64_t epoch, const table_def *table, const table_alter *x, uint32_t step, const ddl_table *now, err *e)
{
    BUF_AUTO rest = BUF_INIT;
    BUF_AUTO sql = BUF_INIT;
    if (!alter_steps_sql(x, step, now, &rest, e)) return false;
    if (!rest.n) return true;
    buf_add_c(&sql, "ALTER TABLE ");
    conn_quote_table(&sql, table->target_schema, table->target_name);
    buf_printf(&sql, " %.*s", STR_ARG(buf_str(&rest)));
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!still_ours(t, epoch, e) || !conn_exec(t->conn, buf_str(&sql), NULL, e)) return err_context(e, "%.*s", STR_ARG(str_sub(buf_str(&sql), 0, 300)));
    if (step != ALTER_STEP_DEFAULTS) failpoint("alter:altered"); /* defaults are set again, whatever was done */
    return true;
}

/* From the step that is written down on. */
static bool finish(target *t, uint64_t epoch, const table_def *table, const intent *i, arena *a, err *e)
{
    table_alter x;
    ddl_table now;
    str columns, before = i->before;
    if (!alter_steps_read(i->changes, a, &x, e)) return false;
    for (uint32_t step = (uint32_t)i->step; step < ALTER_STEP_END; step++) {
        if (!read_columns(t, table, a, &now, &columns, e)) return false;
        bool as_before = str_eq(columns, before);
        if (!as_before && !alter_steps_is_done(&x, step, before, &now, a))
            return err_set(e, ERR_TARGET_CONFLICT, "somebody else changed its columns while the source's change was carried to it; make the columns equal to the source's, then reset the job");
        if (as_before && !take_step(t, epoch, table, &x, step, &now, e)) return false;
        if (!read_columns(t, table, a, &now, &before, e) || !save_step(t, epoch, table, step + 1, before, e)) return false;
        failpoint("alter:step");
    }
    return end_intent(t, epoch, table, e);
}

static bool with_session(target *t, uint64_t epoch, const table_def *table, const intent *i, arena *a, err *e)
{
    uint32_t timeout = t->conn->statement_timeout_s;
    err ignored = ERR_INIT;
    bool ok = schema_pin_session(t->conn, e) && finish(t, epoch, table, i, a, e);
    t->conn->statement_timeout_s = timeout;
    if (!t->conn->broken && !conn_exec(t->conn, STR("SET NAMES binary"), NULL, ok ? e : &ignored)) return false;
    if (!t->conn->broken && !conn_exec(t->conn, STR("SET SESSION foreign_key_checks=1"), NULL, ok ? e : &ignored)) return false;
    return ok || err_context(e, "changing the columns of %.*s.%.*s as the source did", STR_ARG(table->target_schema), STR_ARG(table->target_name));
}

static bool finish_one(target *t, uint64_t epoch, const table_def *table, arena *a, err *e)
{
    intent i;
    str shape;
    if (!lock_job(t, e)) return false;
    bool ok = read_intent(t, table, a, &shape, &i, e) && (!i.shape.p || with_session(t, epoch, table, &i, a, e));
    unlock_job(t);
    return ok;
}

/* --- operations --- */

typedef struct row_list {
    str (*rows)[3]; /* schema, name, next shape */
    uint32_t count;
} row_list;

static bool read_unfinished(target *t, arena *a, row_list *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    MYSQL_RES *res;
    bool ok = true;
    buf_add_c(&sql, "SELECT table_schema, table_name FROM sluice.shape WHERE next_shape IS NOT NULL AND job_id=");
    conn_quote_literal(&sql, t->env->job_id, STR("utf8mb4"));
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query(t->conn, buf_str(&sql), &res, e)) return false;
    *ret = (row_list){.rows = arena_array(a, (size_t)mysql_num_rows(res) + 1, sizeof *ret->rows)};
    for (MYSQL_ROW row; ret->rows && ok && (row = mysql_fetch_row(res)); ret->count++)
        for (unsigned k = 0; k < 2; k++) ret->rows[ret->count][k] = field(res, row, k, a, &ok);
    mysql_free_result(res);
    return (ret->rows && ok) || err_no_memory(e, "changes of columns");
}

static bool finish_all(target *t, uint64_t epoch, const catalog_def *c, arena *a, err *e)
{
    row_list l;
    if (!read_unfinished(t, a, &l, e)) return false;
    for (uint32_t i = 0; i < l.count; i++) {
        const table_def *table = catalog_find_table(c, l.rows[i][0], l.rows[i][1]);
        if (table && !finish_one(t, epoch, table, a, e)) return false;
    }
    return true;
}

bool alter_read_shapes(target *t, uint64_t epoch, const catalog_def *c, arena *a, str *ret, err *e)
{
    checkpoint_objects have;
    BUF_AUTO sql = BUF_INIT;
    MYSQL_RES *res;
    bool ok = true;
    for (uint32_t i = 0; i < c->table_count; i++) ret[i] = STR_NULL;
    if (!find_table(t, &have, e)) return false;
    if (have.shape != CHECKPOINT_OURS) return true;
    buf_add_c(&sql, "SELECT table_schema, table_name, shape FROM sluice.shape WHERE job_id=");
    conn_quote_literal(&sql, t->env->job_id, STR("utf8mb4"));
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!finish_all(t, epoch, c, a, e) || !conn_query(t->conn, buf_str(&sql), &res, e)) return false;
    for (MYSQL_ROW row; ok && (row = mysql_fetch_row(res));) {
        const table_def *table = catalog_find_table(c, field(res, row, 0, a, &ok), field(res, row, 1, a, &ok));
        if (table) ret[table->id] = field(res, row, 2, a, &ok);
    }
    mysql_free_result(res);
    return ok || err_no_memory(e, "the columns of tables");
}

bool alter_keep_shapes(target *t, uint64_t epoch, const catalog_def *c, const str *shapes, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    bool any = false;
    for (uint32_t i = 0; i < c->table_count; i++) {
        if (!shapes[i].p) continue;
        const str texts[] = {t->env->job_id, c->tables[i]->schema, c->tables[i]->name, shapes[i]};
        buf_add_c(&sql, any ? ", " : "INSERT IGNORE INTO sluice.shape (job_id, table_schema, table_name, shape) VALUES ");
        for (int k = 0; k < 4; k++) {
            buf_add_c(&sql, k ? ", " : "(");
            conn_quote_literal(&sql, texts[k], k == 3 ? STR("") : STR("utf8mb4"));
        }
        buf_add_byte(&sql, ')');
        any = true;
    }
    return !any || (make_table(t, e) && run(t, epoch, &sql, e));
}

static bool begin_and_finish(target *t, uint64_t epoch, const table_alter *x, arena *a, err *e)
{
    intent i;
    str shape, columns;
    ddl_table now;
    if (!read_intent(t, x->table, a, &shape, &i, e)) return false;
    if (str_eq(shape, x->shape)) return true; /* the answer to an earlier call was lost */
    if (!i.shape.p) {
        if (!schema_pin_session(t->conn, e) || !read_columns(t, x->table, a, &now, &columns, e) || !write_intent(t, epoch, x, columns, e)) return false;
        failpoint("alter:intent");
        if (!read_intent(t, x->table, a, &shape, &i, e)) return false;
    }
    if (!str_eq(i.shape, x->shape)) return err_set(e, ERR_CHECKPOINT_MISSING, "the table's row in sluice.shape of the destination is gone or another one; reset the job");
    if (!with_session(t, epoch, x->table, &i, a, e)) return false;
    failpoint("alter:done");
    return true;
}

bool alter_table(target *t, uint64_t epoch, const table_alter *x, err *e)
{
    arena a;
    if (!lock_job(t, e)) return false;
    arena_init(&a, 64 * 1024, 0);
    bool ok = begin_and_finish(t, epoch, x, &a, e);
    arena_finish(&a);
    unlock_job(t);
    return ok;
}
