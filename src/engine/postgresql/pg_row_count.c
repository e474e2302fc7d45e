/* Rows of a table under conditions, for the loss report. */
#include "engine/postgresql/pg_repair.h"
#include "engine/postgresql/postgresql.h"

/* Of a table that others inherit from, its own rows, as they are carried. */
static void add_from(buf *out, const table_def *t, str condition)
{
    buf_add_c(out, str_starts_with(t->storage_engine, STR("r")) ? " FROM ONLY " : " FROM ");
    pg_quote_table(out, t->schema, t->name);
    repair_add_where(out, t, condition);
}

static bool count_all(pg_conn *c, const table_def *t, const str *conditions, uint32_t n, condition_rows *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    PGresult *r;
    for (uint32_t i = 0; i < n; i++) buf_printf(&sql, "%spg_catalog.count(*) FILTER (WHERE %.*s)", i ? ", " : "SELECT ", STR_ARG(conditions[i]));
    add_from(&sql, t, STR(""));
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query(c, buf_str(&sql), &r, e)) return false;
    for (uint32_t i = 0; i < n; i++)
        if (!str_to_u64(pg_field(r, 0, (int)i), &ret[i].rows)) ret[i].rows = 0;
    PQclear(r);
    return true;
}

/* The statement for people names the key, or every column. */
static bool tell_rows(pg_conn *c, const table_def *t, str condition, arena *a, condition_rows *ret, err *e)
{
    const key_def *key = t->row_key == TABLE_NO_KEY ? NULL : &t->keys[t->row_key];
    BUF_AUTO sql = BUF_INIT;
    BUF_AUTO first = BUF_INIT;
    PGresult *r;
    buf_add_c(&sql, "SELECT ");
    for (uint32_t i = 0; key && i < key->count; i++) {
        if (i) buf_add_c(&sql, ", ");
        pg_quote_name(&sql, t->columns[key->columns[i]].name);
    }
    if (!key) buf_add_byte(&sql, '*');
    add_from(&sql, t, condition);
    ret->select_sql = sql.failed ? STR_NULL : arena_copy(a, buf_str(&sql));
    buf_printf(&sql, " LIMIT %d", REPAIR_SHOWN_ROWS);
    if (sql.failed || !ret->select_sql.p) return err_no_memory(e, "a statement");
    ret->first = STR("");
    if (!key || !ret->rows) return true;
    if (!pg_conn_query(c, buf_str(&sql), &r, e)) return false;
    for (int row = 0; row < PQntuples(r); row++)
        for (uint32_t i = 0; i < key->count; i++)
            buf_printf(&first, "%s%.*s=%s", i ? ", " : row ? "; " : "", STR_ARG(t->columns[key->columns[i]].name), PQgetvalue(r, row, (int)i));
    PQclear(r);
    ret->first = first.failed ? STR_NULL : arena_copy(a, buf_str(&first));
    return ret->first.p || err_no_memory(e, "keys of rows");
}

bool pg_repair_count_rows(source *s, const table_def *t, const str *conditions, uint32_t n, arena *a, condition_rows *ret, bool *ret_lost, err *e)
{
    pg_conn *c = s->conn;
    err ignored = ERR_INIT;
    bool ok = pg_conn_execf(c, e, "SET statement_timeout = '%ds'", REPAIR_COUNT_SECONDS) && count_all(c, t, conditions, n, ret, e);
    for (uint32_t i = 0; ok && i < n; i++) ok = tell_rows(c, t, conditions[i], a, &ret[i], e);
    if (!c->broken && !pg_conn_exec(c, STR("SET statement_timeout = 0"), NULL, ok ? e : &ignored)) ok = false;
    *ret_lost = c->broken;
    return ok;
}
