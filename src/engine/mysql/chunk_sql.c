/* The SELECT statements of a chunked load. A bound is a list of literals, one per key column, separated by commas; text is written in hex, so that no
 * literal has a comma inside. (a,b) > (x,y) is spelled as a > x OR (a = x AND b > y): row comparisons are not used for index ranges by MySQL. */
#include "engine/mysql/chunk_sql.h"

#include "engine/mysql/literal.h"

bool chunk_carries(const column_def *c) { return c->selected && !c->generated; }

static bool is_integer(const column_def *c) { return c->type <= COL_BIGINT; }

/* Compared by number: their text order is not their key order, or a literal would be read in another way (YEAR 0). */
static bool by_number(const column_def *c) { return c->type == COL_ENUM || c->type == COL_SET || c->type == COL_YEAR || c->type == COL_BIT; }

const key_def *chunk_key(const table_def *t)
{
    if (t->row_key == TABLE_NO_KEY) return NULL;
    const key_def *k = &t->keys[t->row_key];
    /* No index range can be had from col+0 in front. */
    return by_number(&t->columns[k->columns[0]]) ? NULL : k;
}

bool chunk_key_is_integer(const table_def *t, const key_def *k) { return k->count == 1 && is_integer(&t->columns[k->columns[0]]); }

static bool has_empty_label(const column_def *c)
{
    for (uint32_t i = 0; i < c->label_count; i++)
        if (c->labels[i].n == 0) return true;
    return false;
}

void chunk_column_sql(buf *sql, const column_def *c, bool mariadb)
{
    bool real = c->type == COL_FLOAT || c->type == COL_DOUBLE;
    if (real && mariadb) { /* prints -0 as 0 */
        buf_add_c(sql, "IF(");
        conn_quote_name(sql, c->name);
        buf_add_c(sql, "=0 AND ATAN2(");
        conn_quote_name(sql, c->name);
        buf_add_c(sql, ",-1)<0,'-0',");
    }
    conn_quote_name(sql, c->name);
    if (c->type == COL_FLOAT) buf_add_c(sql, "*1e0"); /* as a double: all digits */
    if (real && mariadb) buf_add_byte(sql, ')');
    if (c->type == COL_ENUM && has_empty_label(c)) buf_add_c(sql, "+0");
}

/* A SET with its 64th member would be a negative number, first in order and last in the index. */
static void key_column_sql(buf *sql, const column_def *c)
{
    if (c->type == COL_SET) buf_add_c(sql, "CAST(");
    conn_quote_name(sql, c->name);
    if (by_number(c)) buf_add_c(sql, c->type == COL_SET ? " AS UNSIGNED)" : "+0");
}

/* How a key column is read for a bound: a FLOAT in full. */
void chunk_key_sql(buf *sql, const table_def *t, const key_def *k)
{
    for (uint32_t i = 0; i < k->count; i++) {
        const column_def *c = &t->columns[k->columns[i]];
        if (i) buf_add_c(sql, ", ");
        key_column_sql(sql, c);
        if (c->type == COL_FLOAT) buf_add_c(sql, "*1e0");
    }
}

void chunk_from_sql(buf *sql, const table_def *t, const key_def *k)
{
    buf_add_c(sql, " FROM ");
    conn_quote_table(sql, t->schema, t->name);
    if (!k) return;
    buf_add_c(sql, " FORCE INDEX (");
    conn_quote_name(sql, k->primary ? STR("PRIMARY") : k->name);
    buf_add_byte(sql, ')');
}

void chunk_order_sql(buf *sql, const table_def *t, const key_def *k)
{
    for (uint32_t i = 0; i < k->count; i++) {
        buf_add_c(sql, i ? ", " : " ORDER BY ");
        conn_quote_name(sql, t->columns[k->columns[i]].name);
    }
}

static bool is_decimal(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= '0' && c <= '9') || c == '.' || c == 'e' || c == 'E' || (c == '-' && (i == 0 || s.p[i - 1] == 'e')) || c == '+')) return false;
    }
    return s.n > 0;
}

/* A number or _charset x'hex': bounds come back from a table of the target, which others can write. */
static bool is_literal(str s)
{
    if (is_decimal(s)) return true;
    size_t space = str_find_byte(s, ' ', 0);
    if (space == SIZE_MAX || s.p[0] != '_' || s.n < space + 4 || s.p[space + 1] != 'x' || s.p[space + 2] != '\'' || s.p[s.n - 1] != '\'') return false;
    for (size_t i = 1; i < s.n - 1; i++) {
        char c = s.p[i];
        bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= (i < space ? 'z' : 'f')) || (i < space && c == '_');
        if (!word && (i < space || i > space + 2)) return false;
    }
    return true;
}

bool chunk_bound_sql(buf *sql, const table_def *t, const key_def *k, str bound, bool above, err *e)
{
    enum { MOST_COLUMNS = 64 };
    str parts[MOST_COLUMNS], rest = bound;
    uint32_t n = 0;
    for (str piece; n < MOST_COLUMNS && str_split_next(&rest, ',', &piece);) parts[n++] = piece;
    bool fits = n == k->count && !rest.p;
    for (uint32_t i = 0; i < n; i++) fits = fits && is_literal(parts[i]);
    if (!fits)
        return err_set(e, ERR_CORRUPT, "the stored chunk bounds of %.*s.%.*s do not fit its key %.*s", STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(k->name));
    for (uint32_t i = 0; i < n; i++) { /* the case that the first i columns are equal and column i decides */
        buf_add_c(sql, i ? " OR (" : "((");
        for (uint32_t j = 0; j <= i; j++) {
            if (j) buf_add_c(sql, " AND ");
            key_column_sql(sql, &t->columns[k->columns[j]]);
            buf_add_c(sql, j < i ? " = " : above ? " > " : i + 1 < n ? " < " : " <= ");
            buf_add(sql, parts[j]);
        }
        buf_add_byte(sql, ')');
    }
    buf_add_byte(sql, ')');
    return true;
}

void chunk_bound_append(buf *bound, const column_def *c, str value)
{
    if (bound->n) buf_add_byte(bound, ',');
    bool number = is_integer(c) || by_number(c) || c->type == COL_DECIMAL || c->type == COL_FLOAT || c->type == COL_DOUBLE;
    if (number && is_decimal(value)) {
        buf_add(bound, value);
        if (c->type == COL_FLOAT || c->type == COL_DOUBLE)
            buf_add_c(bound, str_find_byte(value, 'e', 0) == SIZE_MAX && str_find_byte(value, 'E', 0) == SIZE_MAX ? "e0" : "");
        return;
    }
    str charset = literal_charset(c);
    buf_add_byte(bound, '_');
    buf_add(bound, charset.n ? charset : c->type >= COL_DATE && c->type <= COL_TIMESTAMP ? STR("latin1") : STR("binary"));
    buf_add_c(bound, " x'");
    buf_add_hex(bound, value);
    buf_add_byte(bound, '\'');
}
