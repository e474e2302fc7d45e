/* COPY FROM STDIN. The server names the line that it refuses; the key of that row is remembered here. */
#include <stdlib.h>
#include <string.h>

#include "codec/pg_copy_binary.h"
#include "engine/postgresql/pg_loader.h"
#include "engine/postgresql/pg_value.h"

enum { TEXT_BYTES = 256 * 1024 /* encoded before it is sent */, SHOWN_BYTES = 64 /* of a key value in a message */ };

/* The next batch, NULL at the end; false when the feed failed. */
static bool next_batch(pg_load *l, err *e)
{
    const cancel *stop = l->l->t->env->cancel;
    row_batch_free(l->batch);
    l->batch = NULL;
    if (stop && cancel_asked(stop)) return cancel_error(e);
    if (l->feed->next(l->feed->ctx, &l->batch, e)) return true;
    l->batch = NULL;
    return e->code != ERR_NONE ? false : err_set(e, ERR_INTERNAL, "the reader of rows failed without a reason");
}

static bool wrong_value(const pg_load *l, uint32_t column, const val *v, err *e)
{
    return err_set(e, ERR_INTERNAL, "row %llu of the chunk: the value of column %.*s has the kind %u, which a PostgreSQL destination does not take",
                   (unsigned long long)l->rows + 1, STR_ARG(l->t->columns[column].name), v->kind);
}

static bool encode_row(pg_load *l, const val *row, err *e)
{
    buf *text = &l->l->text;
    for (uint32_t i = 0; i < l->at->written_count; i++) {
        uint32_t column = l->at->written[i];
        if (i) buf_add_byte(text, '\t');
        if (!pg_value_copy(text, &row[column])) return wrong_value(l, column, &row[column], e);
    }
    buf_add_byte(text, '\n');
    l->rows++;
    return !text->failed || err_no_memory(e, "rows to load");
}

/* One line: the key's values between tabs, escaped as in COPY. */
static void remember_key(pg_load *l, const val *row)
{
    buf *keys = &l->l->keys;
    if (!l->at->key_count || keys->n >= PG_LOADER_KEYS_MAX_BYTES) return;
    for (uint32_t k = 0; k < l->at->key_count; k++) {
        if (k) buf_add_byte(keys, '\t');
        if (!pg_value_copy(keys, &row[l->at->key[k]])) buf_add_byte(keys, '?'); /* a key column that is not carried */
    }
    buf_add_byte(keys, '\n');
}

/* ---- the row that was refused ---- */

/* "COPY t, line 17, column b: "x"" in whatever language: the number behind the table's name; 0 when there is none. A trigger's own context may come before it. */
static uint64_t refused_line(const pg_load *l)
{
    str context = str_from_c(l->l->conn->context), table = l->staged ? STR("sluice_load") : l->t->target_name;
    size_t at = str_find(context, table);
    uint64_t line = 0;
    if (at == SIZE_MAX) return 0;
    at += table.n;
    while (at < context.n && (context.p[at] < '0' || context.p[at] > '9')) at++;
    for (; at < context.n && context.p[at] >= '0' && context.p[at] <= '9' && line < UINT32_MAX; at++) line = line * 10 + (uint64_t)(context.p[at] - '0');
    return line;
}

/* The column of the row, when the context names it: what stands between the comma behind the number and the colon, or the end in the binary format. */
static str refused_column(const pg_load *l)
{
    for (uint32_t i = 0; i < l->t->column_count; i++) {
        char text[300];
        const column_def *c = &l->t->columns[i];
        str name = c->target_name.n ? c->target_name : c->name;
        int n = snprintf(text, sizeof text, " %.*s: ", STR_ARG(name));
        bool named = l->binary ? str_ends_with(str_from_c(l->l->conn->context), (str){text, (size_t)n - 2}) : strstr(l->l->conn->context, text) != NULL;
        if (l->at->columns[i].written && named) return name;
    }
    return STR_NULL;
}

static void add_key(const pg_load *l, uint64_t line, buf *out)
{
    str rest = buf_str(&l->l->keys), row = STR_NULL, value;
    while (line-- && str_split_next(&rest, '\n', &row)) {}
    if (!row.n) return;
    for (uint32_t k = 0; k < l->at->key_count && str_split_next(&row, '\t', &value); k++) {
        const column_def *c = &l->t->columns[l->at->key[k]];
        buf_printf(out, "%s%.*s=%.*s%s", k ? ", " : " (", STR_ARG(c->target_name.n ? c->target_name : c->name), STR_ARG(str_sub(value, 0, SHOWN_BYTES)),
                   value.n > SHOWN_BYTES ? "..." : "");
    }
    buf_add_byte(out, ')');
}

static bool refused(const pg_load *l, err *e)
{
    uint64_t line = refused_line(l);
    str column = refused_column(l);
    BUF_AUTO where = BUF_INIT;
    if (e->retry != RETRY_NEVER) return false;
    if (e->native == PG_STATE('2', '3', '5', '0', '5')) e->code = ERR_TARGET_CONFLICT;
    if (!line) return false;
    buf_printf(&where, "row %llu of the chunk", (unsigned long long)line);
    add_key(l, line, &where);
    if (column.n) buf_printf(&where, ", column %.*s", STR_ARG(column));
    return err_context(e, "%s", buf_c(&where));
}

/* ---- the copy ---- */

static bool begin(pg_load *l, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    pg_conn *c = l->l->conn;
    if (l->staged) {
        buf_add_c(&sql, "CREATE TEMPORARY TABLE sluice_load ON COMMIT DROP AS SELECT * FROM ");
        buf_add(&sql, l->at->from);
        buf_add_c(&sql, " WITH NO DATA");
        if (sql.failed) return err_no_memory(e, "a statement");
        if (!pg_conn_exec(c, buf_str(&sql), NULL, e)) return false;
        buf_reset(&sql);
    }
    buf_add_c(&sql, "COPY ");
    buf_add(&sql, l->staged ? STR("pg_temp.sluice_load") : l->at->name);
    buf_add_c(&sql, " (");
    buf_add(&sql, l->at->columns_sql);
    buf_add_c(&sql, l->binary ? ") FROM STDIN (FORMAT binary)" : ") FROM STDIN");
    if (sql.failed) return err_no_memory(e, "a statement");
    return pg_copy_in_begin(c, buf_str(&sql), e);
}

static bool put_values(pg_load *l, err *e)
{
    buf *text = &l->l->text;
    for (uint32_t i = 0; i < l->batch->row_count; i++) {
        const val *row = l->batch->vals + (size_t)l->t->column_count * i;
        remember_key(l, row);
        if (!encode_row(l, row, e)) return false;
        if (text->n < TEXT_BYTES) continue;
        if (!pg_copy_in_put(l->l->conn, buf_str(text), e)) return false;
        buf_reset(text);
    }
    return true;
}

static bool put_batch(pg_load *l, err *e)
{
    if (!l->batch->raw.p) return put_values(l, e);
    return l->binary ? pg_load_binary(l, e) : pg_load_lines(l, e);
}

static bool put_rows(pg_load *l, err *e)
{
    str rest;
    if (l->binary && !pg_copy_in_put(l->l->conn, PG_COPY_BINARY_HEADER, e)) return false;
    do {
        if (!next_batch(l, e) || (l->batch && !put_batch(l, e))) return false;
    } while (l->batch);
    rest = l->binary ? PG_COPY_BINARY_END : buf_str(&l->l->text);
    return !rest.n || pg_copy_in_put(l->l->conn, rest, e);
}

bool pg_load_copy(pg_load *l, err *e)
{
    buf_reset(&l->l->text);
    buf_reset(&l->l->keys);
    if (!begin(l, e)) return false;
    if (!put_rows(l, e)) {
        pg_copy_in_abort(l->l->conn, "the rows could not be read");
        return false;
    }
    if (!pg_copy_in_end(l->l->conn, &l->taken, e)) return refused(l, e);
    return true;
}
