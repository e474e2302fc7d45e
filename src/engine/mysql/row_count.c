/* Rows of a table under conditions, for the loss report. */
#include "engine/mysql/mysql.h"
#include "engine/mysql/repair.h"

static bool limit_time(conn *c, unsigned seconds, err *e)
{
    if (c->is_mariadb) return conn_execf(c, e, "SET SESSION max_statement_time=%u", seconds);
    return c->version < 50708 || conn_execf(c, e, "SET SESSION max_execution_time=%u", seconds * 1000);
}

static void add_from(buf *out, const table_def *t, str condition)
{
    buf_add_c(out, " FROM ");
    conn_quote_table(out, t->schema, t->name);
    repair_add_where(out, t, condition);
}

static bool count_all(conn *c, const table_def *t, const str *conditions, uint32_t n, condition_rows *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    MYSQL_RES *res;
    for (uint32_t i = 0; i < n; i++) buf_printf(&sql, "%sCOUNT(CASE WHEN %.*s THEN 1 END)", i ? ", " : "SELECT ", STR_ARG(conditions[i]));
    add_from(&sql, t, STR(""));
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query(c, buf_str(&sql), &res, e)) return false;
    MYSQL_ROW row = mysql_fetch_row(res);
    for (uint32_t i = 0; i < n; i++)
        if (!row || !row[i] || !str_to_u64(str_from_c(row[i]), &ret[i].rows)) ret[i].rows = 0;
    mysql_free_result(res);
    return true;
}

/* Printable ASCII as it is, other bytes in hex. */
static void add_value(buf *out, const char *p, size_t n)
{
    bool plain = true;
    for (size_t i = 0; i < n; i++) plain = plain && p[i] >= ' ' && p[i] <= '~';
    if (!plain) buf_add_c(out, "0x");
    if (plain) buf_add(out, (str){p, n});
    else buf_add_hex(out, (str){p, n});
}

static void add_keys(buf *out, const table_def *t, const key_def *key, MYSQL_RES *res)
{
    for (MYSQL_ROW row; (row = mysql_fetch_row(res));) {
        const unsigned long *size = mysql_fetch_lengths(res);
        if (out->n) buf_add_c(out, "; ");
        for (uint32_t i = 0; i < key->count; i++) {
            buf_printf(out, "%s%.*s=", i ? ", " : "", STR_ARG(t->columns[key->columns[i]].name));
            add_value(out, row[i] ? row[i] : "", row[i] ? size[i] : 0);
        }
    }
}

/* The statement for people names the key, or every column. */
static bool tell_rows(conn *c, const table_def *t, str condition, arena *a, condition_rows *ret, err *e)
{
    const key_def *key = t->row_key == TABLE_NO_KEY ? NULL : &t->keys[t->row_key];
    BUF_AUTO sql = BUF_INIT;
    BUF_AUTO first = BUF_INIT;
    MYSQL_RES *res;
    buf_add_c(&sql, "SELECT ");
    for (uint32_t i = 0; key && i < key->count; i++) {
        if (i) buf_add_c(&sql, ", ");
        conn_quote_name(&sql, t->columns[key->columns[i]].name);
    }
    if (!key) buf_add_byte(&sql, '*');
    add_from(&sql, t, condition);
    ret->select_sql = sql.failed ? STR_NULL : arena_copy(a, buf_str(&sql));
    buf_printf(&sql, " LIMIT %d", REPAIR_SHOWN_ROWS);
    if (sql.failed || !ret->select_sql.p) return err_no_memory(e, "a statement");
    ret->first = STR("");
    if (!key || !ret->rows) return true;
    if (!conn_query(c, buf_str(&sql), &res, e)) return false;
    add_keys(&first, t, key, res);
    mysql_free_result(res);
    ret->first = first.failed ? STR_NULL : arena_copy(a, buf_str(&first));
    return ret->first.p || err_no_memory(e, "keys of rows");
}

bool repair_count_rows(source *s, const table_def *t, const str *conditions, uint32_t n, arena *a, condition_rows *ret, bool *ret_lost, err *e)
{
    conn *c = s->conn;
    err ignored = ERR_INIT;
    bool ok = limit_time(c, REPAIR_COUNT_SECONDS, e) && count_all(c, t, conditions, n, ret, e);
    for (uint32_t i = 0; ok && i < n; i++) ok = tell_rows(c, t, conditions[i], a, &ret[i], e);
    if (!c->broken && !limit_time(c, 0, ok ? e : &ignored)) ok = false;
    *ret_lost = c->broken;
    return ok;
}
