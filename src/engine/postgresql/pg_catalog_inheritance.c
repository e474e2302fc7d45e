/* Which selected tables inherit from which. */
#include "engine/postgresql/pg_catalog.h"

static bool add_parent(pg_catalog_reading *r, const PGresult *res, int from, int to, table_def *t, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    for (int i = from; i < to; i++) {
        const table_def *parent = pg_catalog_table(r, res, i, 1);
        if (!parent) {
            for (uint32_t k = 0; k < t->column_count; k++) t->columns[k].inherited = false;
            for (uint32_t k = 0; k < t->check_count; k++) t->checks[k].inherited = false;
            return true;
        }
        buf_add_c(&sql, i == from ? "INHERITS (" : ", ");
        pg_quote_table(&sql, parent->target_schema, parent->target_name);
    }
    buf_add_byte(&sql, ')');
    if (t->create_sql.p) buf_printf(&sql, " %.*s", STR_ARG(t->create_sql));
    if (!sql.failed) t->create_sql = arena_copy(r->a, buf_str(&sql));
    return (!sql.failed && t->create_sql.p) || err_no_memory(e, "a table");
}

/* A table whose parents are not all selected stands for itself. */
bool pg_catalog_read_inheritance(pg_catalog_reading *r, err *e)
{
    PGresult *res;
    bool ok = true;
    if (!pg_conn_query(r->c,
                       STR("SELECT h.inhrelid, h.inhparent FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid WHERE c.relkind = 'r' AND NOT c.relispartition "
                           "ORDER BY h.inhrelid, h.inhseqno"),
                       &res, e))
        return false;
    for (int i = 0; ok && i < PQntuples(res);) {
        int end = i;
        while (end < PQntuples(res) && str_eq(pg_field(res, end, 0), pg_field(res, i, 0))) end++;
        table_def *t = pg_catalog_table(r, res, i, 0);
        if (t) ok = add_parent(r, res, i, end, t, e);
        i = end;
    }
    PQclear(res);
    return ok;
}
