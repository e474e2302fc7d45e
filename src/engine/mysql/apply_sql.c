/* Statements of the applier.
 * A key column is compared with a literal in the column's own charset, so that the index is used. A row without key is compared column by column with <=>,
 * text also by its bytes: a collation must not let one row pass for another. */
#include "engine/mysql/apply_sql.h"

#include <math.h>

#include "engine/mysql/literal.h"

static const column_def *column_of(const apply_table *t, uint32_t i) { return &t->def->columns[i]; }

void apply_sql_values(buf *b, const apply_table *t, const val *row)
{
    char before = '(';
    for (uint32_t i = 0; i < t->def->column_count; i++) {
        if (!t->columns[i].written) continue;
        buf_add_byte(b, before);
        before = ',';
        literal_append(b, column_of(t, i), &row[i]);
    }
    if (before == '(') buf_add_byte(b, '(');
    buf_add_byte(b, ')');
}

void apply_sql_insert(buf *b, const char *verb, const apply_table *t, const val *row)
{
    buf_add_c(b, verb);
    buf_add(b, t->insert_head);
    apply_sql_values(b, t, row);
}

static void equals(buf *b, const apply_table *t, uint32_t i, const val *v, const char *operator)
{
    buf_add(b, t->columns[i].name);
    buf_add_c(b, operator);
    literal_append_compared(b, column_of(t, i), v);
}

static void where_key(buf *b, const apply_table *t, const val *row)
{
    for (uint32_t k = 0; k < t->key_count; k++) {
        if (k) buf_add_c(b, " AND ");
        equals(b, t, t->key[k], &row[t->key[k]], "=");
    }
}

/* The stored bytes of a text column: those of the source, converted when the target's column has another charset. */
static void same_bytes(buf *b, const apply_table *t, uint32_t i, const val *v)
{
    buf_add_c(b, " AND CAST(");
    buf_add(b, t->columns[i].name);
    buf_add_c(b, " AS BINARY)<=>");
    if (t->columns[i].same_charset) {
        buf_add_c(b, "_binary");
        literal_append_quoted(b, val_bytes(v));
        return;
    }
    buf_add_c(b, "CAST(CONVERT(");
    literal_append(b, column_of(t, i), v);
    buf_add_c(b, " USING ");
    buf_add(b, t->columns[i].charset);
    buf_add_c(b, ") AS BINARY)");
}

static void where_column(buf *b, const apply_table *t, uint32_t i, const val *v, bool mariadb)
{
    const column_def *c = column_of(t, i);
    if (v->kind == VAL_NULL) {
        buf_add(b, t->columns[i].name);
        buf_add_c(b, " IS NULL");
    } else if (v->kind == VAL_JSON || t->columns[i].json) { /* texts differ where values are equal */
        if (mariadb) { /* 10.11's JSON_EQUALS does not take 1e100 in a column for itself */
            buf_add_c(b, "(CAST(");
            buf_add(b, t->columns[i].name);
            buf_add_c(b, " AS BINARY)<=>_binary");
            literal_append_quoted(b, val_bytes(v));
            buf_add_c(b, " OR JSON_EQUALS(");
        }
        buf_add(b, t->columns[i].name);
        buf_add_c(b, mariadb ? "," : "<=>CAST(");
        literal_append(b, c, v);
        buf_add_c(b, mariadb ? "))" : " AS JSON)");
    } else if (v->kind == VAL_GEOMETRY || c->type == COL_VECTOR) {
        buf_add_c(b, "HEX(");
        buf_add(b, t->columns[i].name);
        buf_add_c(b, ")<=>HEX(");
        literal_append(b, c, v);
        buf_add_c(b, ")");
    } else {
        equals(b, t, i, v, "<=>");
        if (!mariadb && (v->kind == VAL_F32 || v->kind == VAL_F64) && v->u.f == 0) { /* -0 equals 0, but is another row; MariaDB stores no -0 */
            buf_add_c(b, " AND ATAN2(");
            buf_add(b, t->columns[i].name);
            buf_add_c(b, signbit(v->u.f) ? ",-1)<0" : ",-1)>0");
        }
        if (v->kind == VAL_TEXT && t->columns[i].charset.n) same_bytes(b, t, i, v);
    }
}

static void where_row(buf *b, const apply_table *t, const val *row, bool mariadb)
{
    buf_add_c(b, " WHERE ");
    if (t->key_count) {
        where_key(b, t, row);
        return;
    }
    bool first = true;
    for (uint32_t i = 0; i < t->def->column_count; i++) {
        if (!t->columns[i].written || row[i].kind == VAL_ABSENT || row[i].kind == VAL_UNCHANGED) continue;
        if (!first) buf_add_c(b, " AND ");
        first = false;
        where_column(b, t, i, &row[i], mariadb);
    }
    if (first) b->failed = true; /* nothing to find the row by */
    buf_add_c(b, " LIMIT 1");
}

void apply_sql_update(buf *b, const apply_table *t, const val *before, const val *after, bool mariadb)
{
    buf_add_c(b, "UPDATE ");
    buf_add(b, t->name);
    const char *separator = " SET ";
    for (uint32_t i = 0; i < t->def->column_count; i++) {
        if (!t->columns[i].written || after[i].kind == VAL_ABSENT || after[i].kind == VAL_UNCHANGED) continue;
        buf_add_c(b, separator);
        separator = ",";
        buf_add(b, t->columns[i].name);
        buf_add_byte(b, '=');
        literal_append(b, column_of(t, i), &after[i]);
    }
    where_row(b, t, before, mariadb);
}

void apply_sql_delete(buf *b, const apply_table *t, const val *before, bool mariadb)
{
    buf_add_c(b, "DELETE FROM ");
    buf_add(b, t->name);
    where_row(b, t, before, mariadb);
}

void apply_sql_delete_begin(buf *b, const apply_table *t)
{
    buf_add_c(b, "DELETE FROM ");
    buf_add(b, t->name);
    buf_add_c(b, " WHERE ");
    if (t->key_count != 1) return;
    buf_add(b, t->columns[t->key[0]].name);
    buf_add_c(b, " IN ");
}

void apply_sql_delete_item(buf *b, const apply_table *t, const val *before, bool first)
{
    if (t->key_count == 1) {
        buf_add_byte(b, first ? '(' : ',');
        literal_append_compared(b, column_of(t, t->key[0]), &before[t->key[0]]);
        return;
    }
    buf_add_c(b, first ? "(" : " OR (");
    where_key(b, t, before);
    buf_add_byte(b, ')');
}

void apply_sql_delete_end(buf *b, const apply_table *t)
{
    if (t->key_count == 1) buf_add_byte(b, ')');
}

bool apply_sql_is_whole(const apply_table *t, const val *row)
{
    for (uint32_t i = 0; i < t->def->column_count; i++)
        if (t->columns[i].written && (row[i].kind == VAL_ABSENT || row[i].kind == VAL_UNCHANGED)) return false;
    return true;
}

bool apply_sql_same_key(const apply_table *t, const val *before, const val *after)
{
    for (uint32_t k = 0; k < t->key_count; k++) {
        BUF_AUTO old = BUF_INIT;
        BUF_AUTO new = BUF_INIT;
        uint32_t i = t->key[k];
        if (after[i].kind == VAL_ABSENT || after[i].kind == VAL_UNCHANGED) continue;
        literal_append(&old, column_of(t, i), &before[i]);
        literal_append(&new, column_of(t, i), &after[i]);
        if (old.failed || new.failed || !str_eq(buf_str(&old), buf_str(&new))) return false;
    }
    return true;
}

uint32_t apply_sql_enum_errors(const apply_table *t, const val *row)
{
    uint32_t n = 0;
    for (uint32_t i = 0; t->has_enum && i < t->def->column_count; i++) n += t->columns[i].enumerated && literal_is_enum_error(column_of(t, i), &row[i]);
    return n;
}

void apply_sql_describe_key(buf *b, const apply_table *t, const val *row)
{
    enum { MOST_BYTES = 64 };
    if (!t->key_count) {
        buf_add_c(b, "a row without key");
        return;
    }
    for (uint32_t k = 0; k < t->key_count; k++) {
        BUF_AUTO one = BUF_INIT;
        const column_def *c = column_of(t, t->key[k]);
        literal_append(&one, c, &row[t->key[k]]);
        buf_add_c(b, k ? ", " : "");
        buf_add(b, c->name);
        buf_add_byte(b, '=');
        str text = one.failed ? STR("?") : buf_str(&one);
        buf_add(b, str_sub(text, 0, MOST_BYTES));
        if (text.n > MOST_BYTES) buf_add_c(b, "...");
    }
}
