/* LOAD DATA LOCAL INFILE from memory. LOCAL turns every error of a row into a warning and a duplicate into a skipped row: the counts after it decide. */
#include <stdlib.h>
#include <string.h>

#include "engine/mysql/loader.h"

enum {
    TEXT_BYTES = 128 * 1024,     /* encoded ahead of what the library takes */
    ERROR_NOT_ALLOWED = 1148,    /* MariaDB, MySQL 5.7 */
    ERROR_LOCAL_OFF_MYSQL = 3948,
    ERROR_LOCAL_OFF_MARIADB = 4166,
};

/* The charset a text column must be converted from, NULL when its bytes go in as they are: with CHARACTER SET binary, MySQL refuses JSON and MariaDB takes
 * the text of UUID and INET columns for their binary form (measured on 9.7.4 and 10.11.19). json: the target's column is of MySQL's type JSON. */
static const char *converted_from(const column_def *c, bool mariadb, bool json)
{
    if (json) return "utf8mb4";
    if ((c->type == COL_UUID || c->type == COL_INET) && mariadb) return "latin1";
    return NULL;
}

/* MariaDB's JSON is a LONGTEXT; the table in MySQL may have either. */
static bool may_be_json(const column_def *c) { return c->type == COL_JSON || (c->type == COL_TEXT && str_starts_with_nocase(c->native_type, STR("longtext"))); }

/* Sets ret[i] for written columns that are JSON in a MySQL target. */
static bool find_json(const load *l, bool *ret, err *e)
{
    bool any = false;
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SELECT ");
    for (uint32_t i = 0; i < l->columns.count; i++) {
        const column_def *c = &l->t->columns[l->columns.at[i].index];
        any |= may_be_json(c);
        if (i) buf_add_byte(&sql, ',');
        conn_quote_name(&sql, c->target_name);
    }
    if (!any || l->l->conn->is_mariadb) return true;
    buf_add_c(&sql, " FROM ");
    conn_quote_table(&sql, l->t->target_schema, l->t->target_name);
    buf_add_c(&sql, " LIMIT 0");
    MYSQL_RES *res;
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!conn_query(l->l->conn, buf_str(&sql), &res, e)) return false;
    const MYSQL_FIELD *fields = mysql_fetch_fields(res);
    for (uint32_t i = 0; i < l->columns.count && i < mysql_num_fields(res); i++) ret[i] = fields[i].type == MYSQL_TYPE_JSON;
    mysql_free_result(res);
    return true;
}

static void statement(const load *l, const bool *json, buf *sql)
{
    bool mariadb = l->l->conn->is_mariadb;
    buf_printf(sql, "LOAD DATA LOCAL INFILE 'sluice' %s INTO TABLE ", l->overlap ? "REPLACE" : "IGNORE");
    conn_quote_table(sql, l->t->target_schema, l->t->target_name);
    buf_add_c(sql, " CHARACTER SET binary FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' (");
    for (uint32_t i = 0; i < l->columns.count; i++) {
        const column_def *c = &l->t->columns[l->columns.at[i].index];
        if (i) buf_add_byte(sql, ',');
        if (converted_from(c, mariadb, json[i])) {
            buf_printf(sql, "@v%u", i);
        } else {
            conn_quote_name(sql, c->target_name);
        }
    }
    buf_add_byte(sql, ')');
    const char *glue = " SET ";
    for (uint32_t i = 0; i < l->columns.count; i++) {
        const column_def *c = &l->t->columns[l->columns.at[i].index];
        const char *from = converted_from(c, mariadb, json[i]);
        if (!from) continue;
        buf_add_c(sql, glue);
        conn_quote_name(sql, c->target_name);
        buf_printf(sql, "=CONVERT(@v%u USING %s)", i, from);
        glue = ", ";
    }
}

/* ---- the library's callbacks ---- */

static int infile_open(void **ret_handle, const char *name, void *ctx)
{
    (void)name;
    *ret_handle = ctx;
    return 0;
}

static bool fill(load *l)
{
    buf *text = &l->l->text;
    buf_reset(text);
    l->sent = 0;
    while (text->n < TEXT_BYTES) {
        const val *row = load_next_row(l);
        if (!row) return l->failure.code == ERR_NONE;
        if (!loader_encode_row(text, l->t, &l->columns, row, &l->expected))
            return text->failed ? err_no_memory(&l->failure, "rows to load")
                                : err_set(&l->failure, ERR_INTERNAL, "a row of %.*s.%.*s lacks a value", STR_ARG(l->t->schema), STR_ARG(l->t->name));
        l->rows++;
    }
    return true;
}

static int infile_read(void *handle, char *to, unsigned n)
{
    load *l = handle;
    buf *text = &l->l->text;
    if (l->sent == text->n && !fill(l)) return -1;
    size_t left = text->n - l->sent, take = left < n ? left : n;
    memcpy(to, text->p + l->sent, take);
    l->sent += take;
    return (int)take;
}

static void infile_end(void *handle) { (void)handle; }

static int infile_error(void *handle, char *text, unsigned n)
{
    load *l = handle;
    if (n) {
        size_t take = strnlen(l->failure.text, sizeof l->failure.text);
        if (take >= n) take = n - 1;
        memcpy(text, l->failure.text, take);
        text[take] = 0;
    }
    return 2000; /* CR_UNKNOWN_ERROR */
}

/* ---- the counts ---- */

/* "Records: 3  Deleted: 0  Skipped: 0  Warnings: 0": the numbers in this order. */
static bool parse_info(const char *info, uint64_t ret[4])
{
    str rest = str_from_c(info);
    for (int i = 0; i < 4; i++) {
        size_t colon = str_find(rest, STR(": ")), end;
        if (colon == SIZE_MAX) return false;
        rest = str_sub(rest, colon + 2, SIZE_MAX);
        end = str_find_byte(rest, ' ', 0);
        if (!str_to_u64(str_sub(rest, 0, end), &ret[i])) return false;
    }
    return true;
}

static bool check_counts(load *l, err *e)
{
    uint64_t counts[4];
    const char *info = mysql_info(l->l->conn->my);
    if (!info || !parse_info(info, counts)) return err_set(e, ERR_PROTOCOL, "the destination does not tell how many rows LOAD DATA took");
    uint64_t records = counts[0], skipped = counts[2], warnings = counts[3];
    /* Both warn once for each row they skip. */
    bool fine = records == l->rows && (l->l->ignore_existing ? warnings <= skipped + l->expected : skipped == 0 && warnings == l->expected);
    l->skipped = skipped;
    return fine || load_warnings(l, records, skipped, warnings, e);
}

static bool make_statement(const load *l, buf *sql, err *e)
{
    bool *json = calloc(l->columns.count, sizeof *json);
    if (!json) return err_no_memory(e, "a load");
    bool ok = find_json(l, json, e);
    if (ok) statement(l, json, sql);
    free(json);
    return ok && (!sql->failed || err_no_memory(e, "a statement"));
}

bool load_by_infile(load *l, bool *ret_refused, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    conn *c = l->l->conn;
    if (!make_statement(l, &sql, e)) return false;
    buf_reset(&l->l->text);
    l->sent = 0;
    mysql_set_local_infile_handler(c->my, infile_open, infile_read, infile_end, infile_error, l);
    bool ok = conn_send(c, buf_str(&sql), e);
    mysql_set_local_infile_default(c->my);
    if (ok) return check_counts(l, e);
    if (l->failure.code != ERR_NONE) {
        *e = l->failure;
        return false;
    }
    *ret_refused = l->rows == 0 && (e->native == ERROR_NOT_ALLOWED || e->native == ERROR_LOCAL_OFF_MYSQL || e->native == ERROR_LOCAL_OFF_MARIADB);
    return *ret_refused;
}
