/* The arrays are literals: PostgreSQL then knows how many rows to plan for, and needs no parameters. */
#include "engine/postgresql/pg_apply_set.h"

#include "engine/postgresql/pg_apply_sql.h"
#include "engine/postgresql/pg_value.h"

#define STATEMENT_BYTES ((size_t)1 << 20)
#define STATEMENT_ROWS 10000

static bool is_key(const pg_apply_set *s, uint32_t i) { return pg_apply_sql_is_key(s->t, i); }

static const val *value_of(const pg_apply_set *s, const change *c, uint32_t i)
{
    if (!c->after || (s->keys_before && is_key(s, i) && c->before && pg_value_is_there(&c->before[i]))) return &c->before[i];
    return &c->after[i];
}

static size_t bytes_of(const pg_apply_set *s, const change *c)
{
    size_t n = 0;
    for (uint32_t i = 0; i < s->t->def->column_count; i++)
        if (s->columns[i] || is_key(s, i)) n += value_of(s, c, i)->n + 4u;
    return n;
}

bool pg_apply_set_next(pg_apply_set *s)
{
    size_t bytes = 0;
    s->from += s->rows;
    s->rows = 0;
    while (s->from + s->rows < s->count && s->rows < STATEMENT_ROWS && bytes < STATEMENT_BYTES) bytes += bytes_of(s, s->list[s->from + s->rows++]);
    return s->rows > 0;
}

static bool add_array(buf *b, const pg_apply_set *s, uint32_t column, err *e)
{
    buf_add_c(b, "'{");
    for (uint32_t i = 0; i < s->rows; i++) {
        const val *v = value_of(s, s->list[s->from + i], column);
        if (i) buf_add_byte(b, ',');
        if (!pg_value_element(b, v)) return pg_apply_sql_bad_value(s->t, column, v, e);
    }
    buf_add_c(b, "}'::");
    buf_add(b, s->t->columns[column].array_type.p ? s->t->columns[column].array_type : STR("pg_catalog.text[]"));
    return true;
}

bool pg_apply_set_source(buf *b, const pg_apply_set *s, err *e)
{
    bool first = true;
    buf_add_c(b, "unnest("); /* with a schema it takes one array only; search_path is empty, so that it is pg_catalog's */
    for (uint32_t i = 0; i < s->t->def->column_count; i++) {
        if (!s->columns[i] && !is_key(s, i)) continue;
        if (!first) buf_add_byte(b, ',');
        first = false;
        if (!add_array(b, s, i, e)) return false;
    }
    buf_add_c(b, ") AS _sluice_s(");
    first = true;
    for (uint32_t i = 0; i < s->t->def->column_count; i++) {
        if (!s->columns[i] && !is_key(s, i)) continue;
        buf_printf(b, "%sc%u", first ? "" : ",", i);
        first = false;
    }
    buf_add_byte(b, ')');
    return true;
}

void pg_apply_set_value(buf *b, const pg_table *t, uint32_t column)
{
    const pg_column *c = &t->columns[column];
    if (c->array_type.p) {
        buf_printf(b, "_sluice_s.c%u", column);
    } else {
        buf_printf(b, "_sluice_s.c%u::%.*s", column, STR_ARG(c->type));
    }
}

void pg_apply_set_join(buf *b, const pg_table *t)
{
    for (uint32_t k = 0; k < t->key_count; k++) {
        if (k) buf_add_c(b, " AND ");
        buf_add_c(b, "_sluice_t.");
        buf_add(b, t->columns[t->key[k]].name);
        buf_add(b, t->columns[t->key[k]].equals);
        pg_apply_set_value(b, t, t->key[k]);
    }
}
