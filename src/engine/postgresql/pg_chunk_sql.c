/* Texts of the load's statements. */
#include "engine/postgresql/pg_chunk_sql.h"

const key_def *pg_chunk_key(const table_def *t) { return t->row_key == TABLE_NO_KEY ? NULL : &t->keys[t->row_key]; }

bool pg_chunk_key_is_integer(const table_def *t, const key_def *k)
{
    if (k->count != 1) return false;
    col_type type = t->columns[k->columns[0]].type;
    return type == COL_SMALLINT || type == COL_INT || type == COL_BIGINT;
}

bool pg_chunk_carries(const column_def *c) { return c->selected && !c->generated; }

void pg_chunk_key_sql(buf *sql, const table_def *t, const key_def *k)
{
    for (uint32_t i = 0; i < k->count; i++) {
        if (i) buf_add_c(sql, ", ");
        pg_quote_name(sql, t->columns[k->columns[i]].name);
    }
}

void pg_chunk_from_sql(buf *sql, const table_def *t)
{
    buf_add_c(sql, str_starts_with(t->storage_engine, STR("p")) ? " FROM " : " FROM ONLY ");
    pg_quote_table(sql, t->schema, t->name);
}

void pg_chunk_bound_append(buf *bound, const column_def *c, str value)
{
    if (bound->n) buf_add_byte(bound, ',');
    if (c->type == COL_SMALLINT || c->type == COL_INT || c->type == COL_BIGINT) {
        buf_add(bound, value);
        return;
    }
    pg_quote_literal(bound, value);
    buf_add_c(bound, "::");
    buf_add(bound, c->native_type);
}

void pg_chunk_bound_sql(buf *sql, const table_def *t, const key_def *k, str bound, bool above)
{
    buf_add_byte(sql, '(');
    pg_chunk_key_sql(sql, t, k);
    buf_add_c(sql, above ? ") > (" : ") <= (");
    buf_add(sql, bound);
    buf_add_byte(sql, ')');
}

void pg_chunk_where_sql(buf *sql, const table_def *t, const chunk *c)
{
    const char *glue = " WHERE ";
    const key_def *k = pg_chunk_key(t);
    for (int above = 1; above >= 0; above--) {
        str bound = above ? c->low : c->high;
        if (!bound.n || !k) continue;
        buf_add_c(sql, glue);
        glue = " AND ";
        pg_chunk_bound_sql(sql, t, k, bound, above);
    }
    if (!t->filter_sql.p) return;
    buf_add_c(sql, glue);
    buf_add_byte(sql, '(');
    buf_add(sql, t->filter_sql);
    buf_add_c(sql, "\n)"); /* a comment at the end of the filter ends with the line */
}
