/* Columns of a table that were changed at the source, as its log shows them: a Relation message that differs from the table as the stream knows it.
 *
 * The message names no column numbers, so that a column renamed and one dropped with another added look alike: the source's catalog tells them apart, as
 * long as it is still (or again, or but for columns added behind) what the message says. What cannot be told exactly stops the stream. */
#include "engine/postgresql/pg_stream_alter.h"

#include <stdio.h>

#include "engine/postgresql/pg_catalog.h"
#include "engine/postgresql/pg_shape.h"

#define RESET_FIX "make the same change in the destination, then reset the job"

/* A column of the table as it is now at the source. */
typedef struct now_column {
    pg_shape_column shape;
    str collation, value, default_sql;
    bool not_null, has_value, identity;
} now_column;

typedef struct finding {
    const table_def *t;
    const pgoutput_relation *r;
    arena *a;
    now_column *now;         /* of the message's columns, in its order */
    uint32_t *before;        /* the index in t->columns of each, UINT32_MAX: a new one */
    bool subset, renamed;    /* the job selects some columns only, or gives some other names */
    table_alter *out;
} finding;

static bool stop(const finding *f, err *e, const char *what, str column)
{
    return err_set(e, ERR_SOURCE_DDL, "%s %.*s of %.*s.%.*s", what, STR_ARG(column), STR_ARG(f->t->schema), STR_ARG(f->t->name));
}

static bool is_true(str s) { return str_eq(s, STR("t")); }

/* --- the source's catalog --- */

#define NOW_SQL                                                                                                                                    \
    "SELECT a.attnum, a.attname, a.atttypid, a.atttypmod, pg_catalog.format_type(a.atttypid, a.atttypmod), t.typname, t.typtype, "                   \
    "t.typnamespace = 'pg_catalog'::pg_catalog.regnamespace, a.attnotnull, a.attidentity <> '', pg_catalog.pg_get_expr(d.adbin, d.adrelid), "        \
    "a.atthasmissing, (a.attmissingval::text::text[])[1], "                                                                                        \
    "CASE WHEN a.attcollation <> t.typcollation THEN pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(co.collname) END "          \
    "FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid "     \
    "AND d.adnum = a.attnum LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = "        \
    "co.collnamespace WHERE a.attrelid = %u AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum"

#define LOCK_MS 10000

bool pg_stream_wait_visible(pg_conn *c, str schema, str table, bool *ret_there, err *e)
{
    BUF_AUTO name = BUF_INIT;
    err ignored = ERR_INIT;
    pg_quote_table(&name, schema, table);
    if (name.failed) return err_no_memory(e, "a name");
    *ret_there = pg_conn_execf(c, e, "BEGIN; SET LOCAL lock_timeout = %d; LOCK TABLE ONLY %s IN ACCESS SHARE MODE; COMMIT", LOCK_MS, buf_c(&name));
    if (*ret_there) return true;
    if (!c->broken && !pg_conn_exec(c, STR("ROLLBACK"), NULL, &ignored)) c->broken = true;
    bool gone = e->native == PG_STATE('4', '2', 'P', '0', '1') || e->native == PG_STATE('3', 'F', '0', '0', '0');
    if (gone) *e = ERR_INIT;
    else if (e->native == PG_STATE('5', '5', 'P', '0', '3')) e->retry = RETRY_LATER;
    return gone;
}

static str cell(finding *f, const PGresult *res, int row, int column, bool *ok)
{
    str s = pg_field(res, row, column);
    if (!s.p) return STR_NULL;
    s = arena_copy(f->a, s);
    *ok = *ok && s.p;
    return s;
}

static bool read_now(finding *f, const PGresult *res, int i, now_column *ret, err *e)
{
    uint64_t number, type;
    int64_t modifier;
    bool ok = true;
    if (!str_to_u64(pg_field(res, i, 0), &number) || !str_to_u64(pg_field(res, i, 2), &type) || !str_to_i64(pg_field(res, i, 3), &modifier))
        return err_set(e, ERR_PROTOCOL, "a row of pg_attribute is not well formed");
    now_column c = {.shape = {.identity = {(uint16_t)number, (uint32_t)type, (int32_t)modifier}}};
    c.shape.name = cell(f, res, i, 1, &ok);
    c.shape.native_type = cell(f, res, i, 4, &ok);
    c.shape.type = pg_catalog_type(pg_field(res, i, 6), is_true(pg_field(res, i, 7)), pg_field(res, i, 5));
    pg_catalog_lengths(c.shape.type, (int32_t)modifier, &c.shape.length, &c.shape.scale);
    c.not_null = is_true(pg_field(res, i, 8));
    c.identity = is_true(pg_field(res, i, 9));
    c.default_sql = cell(f, res, i, 10, &ok);
    c.has_value = is_true(pg_field(res, i, 11));
    c.value = cell(f, res, i, 12, &ok);
    c.collation = str_or_empty(cell(f, res, i, 13, &ok));
    *ret = c;
    return ok || err_no_memory(e, "a column");
}

static bool says(const pgoutput_column *c, const PGresult *res, int i)
{
    uint64_t type = 0;
    int64_t modifier = 0;
    return str_eq(c->name, pg_field(res, i, 1)) && str_to_u64(pg_field(res, i, 2), &type) && type == c->type_oid && str_to_i64(pg_field(res, i, 3), &modifier) &&
           modifier == c->type_modifier;
}

/* *ret_known: the catalog has the message's columns, and more at most behind them. */
static bool read_catalog(finding *f, pg_conn *c, bool *ret_known, err *e)
{
    char sql[2048];
    PGresult *res;
    *ret_known = false;
    if (!pg_stream_wait_visible(c, f->r->schema, f->r->name, ret_known, e) || !*ret_known) return e->code == ERR_NONE;
    snprintf(sql, sizeof sql, NOW_SQL, f->r->oid);
    if (!pg_conn_query(c, str_from_c(sql), &res, e)) return false;
    f->now = arena_array(f->a, f->r->column_count, sizeof *f->now);
    bool ok = f->now || err_no_memory(e, "columns");
    *ret_known = (uint32_t)PQntuples(res) >= f->r->column_count;
    for (uint32_t i = 0; ok && *ret_known && i < f->r->column_count; i++) {
        *ret_known = says(&f->r->columns[i], res, (int)i);
        if (*ret_known) ok = read_now(f, res, (int)i, &f->now[i], e);
    }
    PQclear(res);
    return ok;
}

/* --- what became of each column --- */

static bool match(finding *f, err *e)
{
    f->before = arena_array(f->a, f->r->column_count, sizeof *f->before);
    if (!f->before) return err_no_memory(e, "columns");
    for (uint32_t i = 0; i < f->r->column_count; i++) {
        f->before[i] = UINT32_MAX;
        for (uint32_t k = 0; k < f->t->column_count; k++)
            if (f->t->identities[k].number == f->now[i].shape.identity.number) f->before[i] = k;
    }
    for (uint32_t k = 0; k < f->t->column_count; k++) {
        f->subset |= !f->t->columns[k].selected;
        f->renamed |= !str_eq(f->t->columns[k].name, f->t->columns[k].target_name);
    }
    return true;
}

static bool is_in_row_key(const table_def *t, uint32_t column)
{
    if (t->row_key == TABLE_NO_KEY) return false;
    const key_def *k = &t->keys[t->row_key];
    for (uint32_t i = 0; i < k->count; i++)
        if (k->columns[i] == column) return true;
    return false;
}

static column_alter *add(finding *f, alter_kind kind, str column)
{
    column_alter *x = &f->out->columns[f->out->count++];
    *x = (column_alter){.kind = kind, .column = column};
    return x;
}

static bool drop_columns(finding *f, err *e)
{
    for (uint32_t k = 0; k < f->t->column_count; k++) {
        const column_def *c = &f->t->columns[k];
        bool there = c->generated;
        for (uint32_t i = 0; i < f->r->column_count; i++) there |= f->before[i] == k;
        if (there) continue;
        if (is_in_row_key(f->t, k)) return stop(f, e, "a column that identifies rows was dropped at the source, which cannot be carried; " RESET_FIX ": column", c->name);
        if (c->selected) add(f, ALTER_DROP_COLUMN, c->target_name);
    }
    return true;
}

static bool rename_columns(finding *f, err *e)
{
    for (uint32_t i = 0; i < f->r->column_count; i++) {
        const column_def *c = f->before[i] == UINT32_MAX ? NULL : &f->t->columns[f->before[i]];
        if (!c || str_eq(c->name, f->now[i].shape.name)) continue;
        if (f->subset || f->renamed)
            return stop(f, e, "a column of a table whose columns the job lists by name was renamed at the source; name it in the job's object list: column", f->now[i].shape.name);
        add(f, ALTER_RENAME_COLUMN, c->target_name)->new_name = f->now[i].shape.name;
    }
    return true;
}

/* Digits before and behind the point; a numeric without them takes any. */
static bool widens_decimal(const column_def *from, const pg_shape_column *to)
{
    if (to->identity.type_modifier < 0) return true;
    return from->length && to->scale >= from->scale && to->length - to->scale >= from->length - from->scale;
}

/* Every value of the type before is one of the new type, and stays the same one whatever the source did to convert it, but for a USING of its own. */
static bool widens(const column_def *from, const pg_shape_column *to)
{
    bool any_length = to->identity.type_modifier < 0, longer = any_length || (from->length && to->length >= from->length);
    switch (from->type) {
    case COL_SMALLINT: return to->type == COL_INT || to->type == COL_BIGINT || (to->type == COL_DECIMAL && any_length);
    case COL_INT: return to->type == COL_BIGINT || (to->type == COL_DECIMAL && any_length);
    case COL_BIGINT: return to->type == COL_DECIMAL && any_length;
    case COL_FLOAT: return to->type == COL_DOUBLE;
    case COL_DECIMAL: return to->type == COL_DECIMAL && widens_decimal(from, to);
    case COL_VARCHAR: return to->type == COL_TEXT || (to->type == COL_VARCHAR && longer);
    case COL_TEXT: return to->type == COL_VARCHAR && any_length;
    default: return false;
    }
}

static bool change_types(finding *f, err *e)
{
    for (uint32_t i = 0; i < f->r->column_count; i++) {
        if (f->before[i] == UINT32_MAX) continue;
        const column_def *c = &f->t->columns[f->before[i]];
        const column_identity *was = &f->t->identities[f->before[i]];
        const now_column *n = &f->now[i];
        if (was->type_oid == n->shape.identity.type_oid && was->type_modifier == n->shape.identity.type_modifier) continue;
        if (c->selected && !widens(c, &n->shape))
            return err_set(e, ERR_SOURCE_DDL, "the type of column %.*s of %.*s.%.*s was changed at the source from %.*s to %.*s, which may change its values; " RESET_FIX,
                           STR_ARG(c->name), STR_ARG(f->t->schema), STR_ARG(f->t->name), STR_ARG(c->native_type), STR_ARG(n->shape.native_type));
        if (!c->selected) continue;
        column_alter *x = add(f, ALTER_COLUMN_TYPE, str_eq(c->name, n->shape.name) ? c->target_name : n->shape.name);
        x->type_sql = n->shape.native_type;
        x->collation = n->collation;
    }
    return true;
}

/* Rows that were there get the value that the source keeps for them. Without one they are NULL, or the source wrote each of them anew, which no log shows. */
static bool add_columns(finding *f, err *e)
{
    for (uint32_t i = 0; i < f->r->column_count; i++) {
        const now_column *n = &f->now[i];
        if (f->before[i] != UINT32_MAX) continue;
        if (f->subset) continue; /* not one of the listed ones */
        if (!n->has_value && (n->identity || n->default_sql.p))
            return stop(f, e, "the source added a column whose values in rows that were there cannot be told (a default that differs by row, or one that was set "
                              "later); " RESET_FIX ": column", n->shape.name);
        column_alter *x = add(f, ALTER_ADD_COLUMN, n->shape.name);
        x->type_sql = n->shape.native_type;
        x->collation = n->collation;
        x->value = n->has_value ? n->value : STR_NULL;
        x->default_sql = n->default_sql;
        x->not_null = n->not_null && n->has_value;
    }
    return true;
}

/* Columns of a key that are other ones now name rows otherwise. */
static bool check_key(const finding *f, err *e)
{
    if (f->r->identity == PGOUTPUT_IDENTITY_FULL) return true;
    for (uint32_t i = 0; i < f->r->column_count; i++)
        if (f->r->columns[i].key != (f->before[i] != UINT32_MAX && is_in_row_key(f->t, f->before[i])))
            return stop(f, e, "the key that identifies rows was changed at the source; " RESET_FIX ": column", f->now[i].shape.name);
    return true;
}

static bool keep_shape(finding *f, err *e)
{
    BUF_AUTO text = BUF_INIT;
    for (uint32_t i = 0; i < f->r->column_count; i++) {
        pg_shape_column c = f->now[i].shape;
        c.selected = f->before[i] == UINT32_MAX ? !f->subset : f->t->columns[f->before[i]].selected;
        pg_shape_add(&text, &c);
    }
    f->out->shape = arena_copy(f->a, buf_str(&text));
    return (f->out->shape.p && !text.failed) || err_no_memory(e, "the columns of a table");
}

bool pg_stream_alter_find(source *s, const table_def *t, const pgoutput_relation *r, arena *a, table_alter *ret, bool *ret_known, err *e)
{
    finding f = {.t = t, .r = r, .a = a, .out = ret};
    *ret = (table_alter){.table = t, .columns = arena_array(a, t->column_count + 2 * r->column_count, sizeof *ret->columns)};
    if (!ret->columns) return err_no_memory(e, "columns");
    if (!read_catalog(&f, s->conn, ret_known, e)) return false;
    return !*ret_known || (match(&f, e) && check_key(&f, e) && drop_columns(&f, e) && rename_columns(&f, e) && change_types(&f, e) && add_columns(&f, e) && keep_shape(&f, e));
}
