/* Statements of the applier. Values are literals without a type, so that each takes its column's own input function, length included. A row without key is
 * compared column by column by the texts of the values: not every type has an equality, and none of them tells 1.0 from 1.00 or A from a by rules of its own. */
#include "engine/postgresql/pg_apply_sql.h"

#include <string.h>

#include "engine/postgresql/pg_apply_identity.h"
#include "engine/postgresql/pg_value.h"

bool pg_apply_sql_bad_value(const pg_table *t, uint32_t column, const val *v, err *e)
{
    str table = t->name, name = t->def->columns[column].name;
    if (v->kind == VAL_TEXT || v->kind == VAL_NUMBER)
        return err_set(e, ERR_NOT_SUPPORTED, "a value of column %.*s of %.*s holds a zero byte, which PostgreSQL stores in no text; map the column to bytea or correct it", STR_ARG(name), STR_ARG(table));
    return err_set(e, ERR_INTERNAL, "a value of column %.*s of %.*s has the kind %u, which a PostgreSQL destination does not take", STR_ARG(name), STR_ARG(table), v->kind);
}

bool pg_apply_sql_value(buf *b, const pg_table *t, uint32_t column, const val *v, err *e)
{
    return pg_value_literal(b, v) || pg_apply_sql_bad_value(t, column, v, e);
}

bool pg_apply_sql_is_key(const pg_table *t, uint32_t column)
{
    for (uint32_t k = 0; k < t->key_count; k++)
        if (t->key[k] == column) return true;
    return false;
}

bool pg_apply_sql_is_whole(const pg_table *t, const val *row)
{
    for (uint32_t i = 0; i < t->def->column_count; i++)
        if (t->columns[i].written && !pg_value_is_there(&row[i])) return false;
    return true;
}

bool pg_apply_sql_insert(buf *b, const pg_table *t, const val *row, err *e)
{
    bool first = true;
    buf_add_c(b, "INSERT INTO ");
    buf_add(b, t->name);
    buf_add_c(b, " (");
    buf_add(b, t->columns_sql);
    buf_add_c(b, t->any_always ? ") OVERRIDING SYSTEM VALUE VALUES (" : ") VALUES (");
    for (uint32_t i = 0; i < t->def->column_count; i++) {
        if (!t->columns[i].written) continue;
        if (!first) buf_add_byte(b, ',');
        first = false;
        if (row[i].kind == VAL_ABSENT) buf_add_c(b, "DEFAULT");
        else if (!pg_apply_sql_value(b, t, i, &row[i], e)) return false;
    }
    buf_add_byte(b, ')');
    return true;
}

/* ---- finding the row ---- */

static const val *key_value(const pg_table *t, uint32_t k, const val *row, const val *otherwise)
{
    uint32_t i = t->key[k];
    if (row && pg_value_is_there(&row[i])) return &row[i];
    return otherwise && pg_value_is_there(&otherwise[i]) ? &otherwise[i] : NULL;
}

bool pg_apply_sql_key(buf *b, const pg_table *t, const val *row, const val *otherwise, err *e)
{
    for (uint32_t k = 0; k < t->key_count; k++) {
        const pg_column *c = &t->columns[t->key[k]];
        const val *v = key_value(t, k, row, otherwise);
        if (!v) return err_set(e, ERR_INTERNAL, "a change of %.*s does not carry the key column %.*s", STR_ARG(t->name), STR_ARG(c->name));
        if (k) buf_add_c(b, " AND ");
        buf_add(b, c->name);
        buf_add(b, c->equals);
        if (!pg_apply_sql_value(b, t, t->key[k], v, e)) return false;
    }
    return true;
}

static bool where_column(buf *b, const pg_table *t, uint32_t i, const val *v, err *e)
{
    const pg_column *c = &t->columns[i];
    if (v->kind == VAL_NULL) {
        buf_add(b, c->name);
        buf_add_c(b, " IS NOT DISTINCT FROM NULL"); /* IS NULL holds for a composite value of NULLs too */
        return true;
    }
    if (c->indexed) {
        buf_add(b, c->name);
        buf_add(b, c->equals);
        if (!pg_apply_sql_value(b, t, i, v, e)) return false;
        buf_add_c(b, " AND ");
    }
    buf_add(b, c->name);
    buf_add_c(b, "::pg_catalog.text COLLATE pg_catalog.\"C\"=(");
    if (!pg_apply_sql_value(b, t, i, v, e)) return false;
    buf_add_c(b, "::");
    buf_add(b, c->full_type);
    buf_add_c(b, ")::pg_catalog.text");
    return true;
}

static bool where_all_columns(buf *b, const pg_table *t, const val *row, err *e)
{
    bool first = true;
    for (uint32_t i = 0; i < t->def->column_count; i++) {
        if (!t->columns[i].written || !row || !pg_value_is_there(&row[i])) continue;
        if (!first) buf_add_c(b, " AND ");
        first = false;
        if (!where_column(b, t, i, &row[i], e)) return false;
    }
    return !first || err_set(e, ERR_INTERNAL, "a change of %.*s carries nothing to find its row by", STR_ARG(t->name));
}

/* One row of the several that may be equal. Its place in the table names it; in a partitioned table only together with the leaf. */
bool pg_apply_sql_where(buf *b, const pg_table *t, const val *before, const val *after, err *e)
{
    buf_add_c(b, " WHERE ");
    if (t->key_count) return pg_apply_sql_key(b, t, before, after, e);
    if (t->partitioned) {
        buf_add_c(b, "ctid=(SELECT place FROM _sluice_row) AND tableoid=(SELECT leaf FROM _sluice_row)");
        return true;
    }
    buf_add_c(b, "ctid=(SELECT ctid FROM ");
    buf_add(b, t->from);
    buf_add_c(b, " WHERE ");
    if (!where_all_columns(b, t, before, e)) return false;
    buf_add_c(b, " LIMIT 1)");
    return true;
}

bool pg_apply_sql_with(buf *b, const pg_table *t, const val *before, err *e)
{
    if (t->key_count || !t->partitioned) return true;
    buf_add_c(b, "WITH _sluice_row AS MATERIALIZED (SELECT ctid AS place, tableoid AS leaf FROM ");
    buf_add(b, t->from);
    buf_add_c(b, " WHERE ");
    if (!where_all_columns(b, t, before, e)) return false;
    buf_add_c(b, " LIMIT 1) ");
    return true;
}

/* ---- statements ---- */

bool pg_apply_sql_skips(const pg_table *t, uint32_t i, const val *before, const val *after)
{
    if (!t->columns[i].written || t->columns[i].always || !pg_value_is_there(&after[i])) return true;
    return pg_apply_sql_is_key(t, i) && before && pg_value_is_there(&before[i]) && val_equal(&before[i], &after[i]);
}

bool pg_apply_sql_set(buf *b, const pg_table *t, const val *before, const val *after, bool *ret_any, err *e)
{
    *ret_any = false;
    for (uint32_t i = 0; i < t->def->column_count; i++) {
        if (pg_apply_sql_skips(t, i, before, after)) continue;
        buf_add_c(b, *ret_any ? "," : " SET ");
        *ret_any = true;
        buf_add(b, t->columns[i].name);
        buf_add_byte(b, '=');
        if (!pg_apply_sql_value(b, t, i, &after[i], e)) return false;
    }
    return true;
}

static bool select_row(buf *b, const pg_table *t, const val *before, const val *after, err *e)
{
    buf_add_c(b, "SELECT 1 FROM ");
    buf_add(b, t->from);
    return pg_apply_sql_where(b, t, before, after, e);
}

bool pg_apply_sql_update(buf *b, const pg_table *t, const val *before, const val *after, err *e)
{
    bool any;
    if (!pg_apply_identity_is_kept(t, before, after)) return pg_apply_identity_update(b, t, before, after, e);
    if (!pg_apply_sql_with(b, t, before, e)) return false;
    size_t start = b->n;
    buf_add_c(b, "UPDATE ");
    buf_add(b, t->from);
    if (!pg_apply_sql_set(b, t, before, after, &any, e)) return false;
    if (any) return pg_apply_sql_where(b, t, before, after, e);
    if (!b->failed) b->n = start;
    return select_row(b, t, before, after, e);
}

bool pg_apply_sql_delete(buf *b, const pg_table *t, const val *before, err *e)
{
    if (!pg_apply_sql_with(b, t, before, e)) return false;
    buf_add_c(b, "DELETE FROM ");
    buf_add(b, t->from);
    return pg_apply_sql_where(b, t, before, NULL, e);
}

bool pg_apply_sql_row(buf *b, const pg_table *t, const val *row, err *e)
{
    bool first = true;
    buf_add_c(b, "(SELECT ");
    for (uint32_t i = 0; i < t->def->column_count; i++) {
        if (!t->columns[i].written) continue;
        if (!first) buf_add_byte(b, ',');
        first = false;
        if (!pg_value_is_there(&row[i])) buf_add_c(b, "NULL");
        else if (!pg_apply_sql_value(b, t, i, &row[i], e)) return false;
        buf_add_c(b, "::");
        buf_add(b, t->columns[i].full_type);
        buf_add_c(b, " AS ");
        buf_add(b, t->columns[i].name);
    }
    buf_add(b, t->others_sql);
    buf_add_c(b, ") AS _sluice_row");
    return true;
}

void pg_apply_sql_describe_key(buf *b, const pg_table *t, const val *row, const val *otherwise)
{
    enum { MOST_BYTES = 64 };
    if (!t->key_count) {
        buf_add_c(b, "a row without key");
        return;
    }
    for (uint32_t k = 0; k < t->key_count; k++) {
        const val *v = key_value(t, k, row, otherwise);
        str text = !v ? STR("?") : v->kind == VAL_NULL ? STR("NULL") : val_is_inline(v) ? STR("?") : val_bytes(v);
        buf_printf(b, "%s%.*s=%.*s%s", k ? ", " : "", STR_ARG(t->def->columns[t->key[k]].name), STR_ARG(str_sub(text, 0, MOST_BYTES)),
                   text.n > MOST_BYTES ? "..." : "");
    }
}
