/* Multi-row INSERT, for targets that forbid LOAD DATA LOCAL. Strict mode makes every wrong value an error; the count of rows is checked all the same. */
#include "engine/mysql/literal.h"
#include "engine/mysql/loader.h"

enum { ROWS = 1000, BYTES = 1024 * 1024 };

static void head(const load *l, buf *sql)
{
    buf_add_c(sql, l->overlap ? "REPLACE INTO " : l->l->ignore_existing ? "INSERT IGNORE INTO " : "INSERT INTO ");
    conn_quote_table(sql, l->t->target_schema, l->t->target_name);
    for (uint32_t i = 0; i < l->columns.count; i++) {
        buf_add_c(sql, i ? "," : " (");
        conn_quote_name(sql, l->t->columns[l->columns.at[i].index].target_name);
    }
    buf_add_c(sql, ") VALUES ");
}

static void row_values(const load *l, buf *sql, const val *row, uint64_t *enum_errors)
{
    for (uint32_t i = 0; i < l->columns.count; i++) {
        const column_def *c = &l->t->columns[l->columns.at[i].index];
        const val *v = &row[l->columns.at[i].index];
        buf_add_byte(sql, i ? ',' : '(');
        literal_append(sql, c, v);
        if (v->kind == VAL_ABSENT) sql->failed = true;
        if (literal_is_enum_error(c, v)) ++*enum_errors;
    }
    buf_add_byte(sql, ')');
}

/* The ENUM error value exists only outside strict mode, at the price of one warning for each. */
static bool set_mode(load *l, bool strict, err *e)
{
    return conn_execf(l->l->conn, e, "SET SESSION sql_mode='%s'", strict ? CONN_SQL_MODE_STRICT : CONN_SQL_MODE);
}

static bool insert(load *l, uint64_t rows, uint64_t enum_errors, err *e)
{
    uint64_t taken = 0;
    if (enum_errors && !set_mode(l, false, e)) return false;
    if (!conn_exec(l->l->conn, buf_str(&l->l->text), &taken, e)) return false;
    if (l->overlap && taken > rows) taken = rows; /* a row that replaces another counts for both */
    uint64_t warnings = mysql_warning_count(l->l->conn->my), skipped = rows - taken;
    l->rows += rows;
    bool fine = taken <= rows && (l->l->ignore_existing ? warnings <= skipped + enum_errors : skipped == 0 && warnings == enum_errors);
    if (!fine) return load_warnings(l, l->rows, skipped, warnings, e);
    l->skipped += skipped;
    return !enum_errors || set_mode(l, true, e);
}

static bool fail(load *l, err *e)
{
    *e = l->failure;
    return false;
}

bool load_by_insert(load *l, err *e)
{
    buf *sql = &l->l->text;
    for (const val *row = load_next_row(l); row;) {
        uint64_t rows = 0, enum_errors = 0;
        buf_reset(sql);
        head(l, sql);
        for (; row && rows < ROWS && sql->n < BYTES; row = load_next_row(l)) {
            if (rows++) buf_add_byte(sql, ',');
            row_values(l, sql, row, &enum_errors);
        }
        if (l->failure.code != ERR_NONE) return fail(l, e);
        if (sql->failed) return err_set(e, ERR_NO_MEMORY, "rows to insert: no memory, or a row lacks a value");
        if (!insert(l, rows, enum_errors, e)) return false;
    }
    return l->failure.code == ERR_NONE || fail(l, e);
}
