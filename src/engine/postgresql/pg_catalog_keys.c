/* Indexes, constraints and foreign keys of the selected tables of a schema. */
#include <string.h>

#include "engine/postgresql/pg_catalog.h"

#define INDEX_COLUMNS_MAX 32 /* INDEX_MAX_KEYS of PostgreSQL */

static uint32_t column_at(const table_def *t, int32_t number)
{
    for (uint32_t i = 0; i < t->column_count; i++)
        if (t->identities[i].number == number) return i;
    return UINT32_MAX;
}

static bool read_columns_of(pg_catalog_reading *r, const table_def *t, str vector, uint32_t **ret, uint32_t *ret_count, err *e)
{
    int32_t numbers[INDEX_COLUMNS_MAX];
    uint32_t n = pg_catalog_numbers(vector, numbers, INDEX_COLUMNS_MAX);
    *ret = arena_array(r->a, n, sizeof **ret);
    if (!*ret) return err_no_memory(e, "a key");
    for (uint32_t i = 0; i < n; i++) (*ret)[i] = column_at(t, numbers[i]);
    *ret_count = n;
    return true;
}

static uint32_t rows_of_table(const PGresult *res, int from)
{
    int i = from;
    while (i < PQntuples(res) && str_eq(pg_field(res, i, 0), pg_field(res, from, 0))) i++;
    return (uint32_t)(i - from);
}

static bool is_true(str s) { return str_eq(s, STR("t")); }

/* A partial or deferrable unique index does not identify rows: it is kept for creating it, not counted as unique. */
static bool read_index(pg_catalog_reading *r, const PGresult *res, int i, table_def *t, key_def *k, err *e)
{
    bool ok = true;
    k->name = pg_catalog_cell(r, res, i, 1, &ok);
    k->primary = is_true(pg_field(res, i, 2));
    k->unique = is_true(pg_field(res, i, 3));
    k->has_prefix = is_true(pg_field(res, i, 5)); /* partial, expressions, deferrable, nulls not distinct */
    k->definition_sql = pg_catalog_cell(r, res, i, 7, &ok);
    k->constraint = is_true(pg_field(res, i, 8));
    return ok ? read_columns_of(r, t, pg_field(res, i, 4), &k->columns, &k->count, e) : err_no_memory(e, "a key");
}

/* What the log tells of a row that is changed or deleted: its primary key, the index of REPLICA IDENTITY, the whole row, or nothing. */
static void choose_row_key(table_def *t, uint32_t identity_index)
{
    if (t->replica_identity == 'i') {
        t->row_key = identity_index;
        return;
    }
    table_choose_row_key(t);
    if (t->replica_identity == 'n' || (t->replica_identity == 'd' && t->row_key != TABLE_NO_KEY && !t->keys[t->row_key].primary)) t->row_key = TABLE_NO_KEY;
}

static bool read_indexes(pg_catalog_reading *r, str schema, err *e)
{
    PGresult *res;
    bool ok = true;
    if (!pg_catalog_query(r,
                          "SELECT i.indrelid, x.relname, i.indisprimary, i.indisunique, (SELECT pg_catalog.string_agg(k::text, ' ' ORDER BY o) FROM "
                          "pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY u(k, o) WHERE o <= i.indnkeyatts), "
                          "i.indpred IS NOT NULL OR i.indexprs IS NOT NULL OR NOT i.indimmediate, i.indisreplident, "
                          "coalesce(pg_catalog.pg_get_constraintdef(k.oid), pg_catalog.pg_get_indexdef(i.indexrelid)), k.oid IS NOT NULL "
                          "FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                          "JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid "
                          "LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x') "
                          "WHERE n.nspname = %s AND i.indisvalid AND c.relkind IN ('r', 'p') ORDER BY i.indrelid, i.indisprimary DESC, x.relname COLLATE \"C\"",
                          schema, &res, e))
        return false;
    for (int i = 0; ok && i < PQntuples(res);) {
        uint32_t n = rows_of_table(res, i), identity = TABLE_NO_KEY;
        table_def *t = pg_catalog_table(r, res, i, 0);
        if (t) {
            t->keys = arena_array(r->a, n, sizeof *t->keys);
            ok = t->keys || err_no_memory(e, "keys");
            for (uint32_t k = 0; ok && k < n; k++) {
                ok = read_index(r, res, i + (int)k, t, &t->keys[k], e);
                if (is_true(pg_field(res, i + (int)k, 6))) identity = k;
            }
            t->key_count = n;
            if (ok) choose_row_key(t, identity);
        }
        i += (int)n;
    }
    PQclear(res);
    return ok;
}

static str action_text(str code)
{
    switch (code.n ? code.p[0] : 0) {
    case 'c': return STR("CASCADE");
    case 'n': return STR("SET NULL");
    case 'd': return STR("SET DEFAULT");
    case 'r': return STR("RESTRICT");
    default: return STR("NO ACTION");
    }
}

static bool read_parent_columns(pg_catalog_reading *r, foreign_key_def *f, const PGresult *res, int i, err *e)
{
    f->parent_columns = arena_array(r->a, f->count, sizeof *f->parent_columns);
    if (!f->parent_columns) return err_no_memory(e, "a foreign key");
    PGresult *names;
    BUF_AUTO sql = BUF_INIT;
    buf_add_c(&sql, "SELECT a.attname FROM pg_catalog.unnest(");
    pg_quote_literal(&sql, pg_field(res, i, 7));
    buf_add_c(&sql, "::int2[]) WITH ORDINALITY u(k, o) JOIN pg_catalog.pg_attribute a ON a.attrelid = ");
    pg_quote_literal(&sql, pg_field(res, i, 8));
    buf_add_c(&sql, "::oid AND a.attnum = u.k ORDER BY u.o");
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query(r->c, buf_str(&sql), &names, e)) return false;
    bool ok = true;
    for (int k = 0; k < PQntuples(names) && (uint32_t)k < f->count; k++) f->parent_columns[k] = pg_catalog_cell(r, names, k, 0, &ok);
    ok = ok && (uint32_t)PQntuples(names) == f->count;
    PQclear(names);
    return ok || err_no_memory(e, "a foreign key");
}

static bool read_foreign_key(pg_catalog_reading *r, const PGresult *res, int i, table_def *t, foreign_key_def *f, err *e)
{
    bool ok = true;
    f->name = pg_catalog_cell(r, res, i, 1, &ok);
    f->parent_schema = pg_catalog_cell(r, res, i, 3, &ok);
    f->parent_table = pg_catalog_cell(r, res, i, 4, &ok);
    f->on_delete = action_text(pg_field(res, i, 5));
    f->on_update = action_text(pg_field(res, i, 6));
    f->definition_sql = pg_catalog_cell(r, res, i, 9, &ok);
    return ok ? read_columns_of(r, t, pg_field(res, i, 2), &f->columns, &f->count, e) && read_parent_columns(r, f, res, i, e) : err_no_memory(e, "a foreign key");
}

static bool read_foreign_keys(pg_catalog_reading *r, str schema, err *e)
{
    PGresult *res;
    bool ok = true;
    if (!pg_catalog_query(r,
                          "SELECT k.conrelid, k.conname, pg_catalog.array_to_string(k.conkey, ' '), pn.nspname, p.relname, k.confdeltype, k.confupdtype, k.confkey, k.confrelid, "
                          "pg_catalog.pg_get_constraintdef(k.oid) FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid "
                          "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_class p ON p.oid = k.confrelid "
                          "JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace WHERE k.contype = 'f' AND k.conparentid = 0 AND n.nspname = %s "
                          "ORDER BY k.conrelid, k.conname COLLATE \"C\"",
                          schema, &res, e))
        return false;
    for (int i = 0; ok && i < PQntuples(res);) {
        uint32_t n = rows_of_table(res, i);
        table_def *t = pg_catalog_table(r, res, i, 0);
        if (t) {
            t->foreign_keys = arena_array(r->a, n, sizeof *t->foreign_keys);
            ok = t->foreign_keys || err_no_memory(e, "foreign keys");
            for (uint32_t k = 0; ok && k < n; k++) ok = read_foreign_key(r, res, i + (int)k, t, &t->foreign_keys[k], e);
            t->foreign_key_count = n;
        }
        i += (int)n;
    }
    PQclear(res);
    return ok;
}

static bool read_checks(pg_catalog_reading *r, str schema, err *e)
{
    PGresult *res;
    bool ok = true;
    if (!pg_catalog_query(r,
                          "SELECT k.conrelid, k.conname, '(' || pg_catalog.pg_get_expr(k.conbin, k.conrelid) || ')' || CASE WHEN k.connoinherit THEN ' NO INHERIT' ELSE '' END "
                          "|| CASE WHEN k.convalidated THEN '' ELSE ' NOT VALID' END, NOT k.conislocal AND NOT c.relispartition FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid "
                          "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = 'c' AND n.nspname = %s ORDER BY k.conrelid, k.conname COLLATE \"C\"",
                          schema, &res, e))
        return false;
    for (int i = 0; ok && i < PQntuples(res);) {
        uint32_t n = rows_of_table(res, i);
        table_def *t = pg_catalog_table(r, res, i, 0);
        if (t) {
            t->checks = arena_array(r->a, n, sizeof *t->checks);
            ok = t->checks != NULL;
            for (uint32_t k = 0; ok && k < n; k++) {
                t->checks[k].name = pg_catalog_cell(r, res, i + (int)k, 1, &ok);
                t->checks[k].condition_sql = pg_catalog_cell(r, res, i + (int)k, 2, &ok);
                t->checks[k].inherited = is_true(pg_field(res, i + (int)k, 3));
            }
            t->check_count = n;
        }
        i += (int)n;
    }
    PQclear(res);
    return ok || err_no_memory(e, "checks");
}

bool pg_catalog_read_keys(pg_catalog_reading *r, str schema, err *e)
{
    return read_indexes(r, schema, e) && read_foreign_keys(r, schema, e) && read_checks(r, schema, e);
}
