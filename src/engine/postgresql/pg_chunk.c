/* Splits tables into chunks by their row key: dense integer keys by arithmetic, all others by walking the index. A table that is small by its statistics is
 * one chunk and costs no query. */
#include "engine/chunk_list.h"
#include "engine/postgresql/pg_chunk_sql.h"
#include "engine/postgresql/pg_snapshot.h"

typedef struct plan {
    snapshot *n;
    const key_def *k;
    chunk_list list;
} plan;

static bool read_range(plan *p, chunk_range *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    PGresult *res;
    const column_def *c = &p->list.t->columns[p->k->columns[0]];
    buf_add_c(&sql, "SELECT pg_catalog.min(");
    pg_quote_name(&sql, c->name);
    buf_add_c(&sql, "), pg_catalog.max(");
    pg_quote_name(&sql, c->name);
    buf_add_byte(&sql, ')');
    pg_chunk_from_sql(&sql, p->list.t);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query(p->n->lanes[0], buf_str(&sql), &res, e)) return false;
    chunk_range r = {.empty = !pg_field(res, 0, 0).p};
    bool ok = r.empty || (chunk_range_ordinal(pg_field(res, 0, 0), false, &r.min) && chunk_range_ordinal(pg_field(res, 0, 1), false, &r.max));
    PQclear(res);
    if (!ok) return err_set(e, ERR_PROTOCOL, "the smallest and largest key of %.*s.%.*s are not integers", STR_ARG(p->list.t->schema), STR_ARG(p->list.t->name));
    *ret = r;
    return true;
}

/* The key chunk_rows rows behind `low`; *ret_end when there are fewer. */
static bool next_bound(plan *p, str low, str *ret_high, bool *ret_end, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    BUF_AUTO bound = BUF_INIT;
    PGresult *res;
    buf_add_c(&sql, "SELECT ");
    pg_chunk_key_sql(&sql, p->list.t, p->k);
    pg_chunk_from_sql(&sql, p->list.t);
    if (low.n) {
        buf_add_c(&sql, " WHERE ");
        pg_chunk_bound_sql(&sql, p->list.t, p->k, low, true);
    }
    buf_add_c(&sql, " ORDER BY ");
    pg_chunk_key_sql(&sql, p->list.t, p->k);
    buf_printf(&sql, " LIMIT 1 OFFSET %llu", (unsigned long long)(p->list.chunk_rows - 1));
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query(p->n->lanes[0], buf_str(&sql), &res, e)) return false;
    *ret_end = PQntuples(res) == 0;
    for (uint32_t i = 0; !*ret_end && i < p->k->count; i++) pg_chunk_bound_append(&bound, &p->list.t->columns[p->k->columns[i]], pg_field(res, 0, (int)i));
    PQclear(res);
    *ret_high = arena_copy(p->list.a, buf_str(&bound));
    return (ret_high->p && !bound.failed) || err_no_memory(e, "the chunks of a table");
}

static bool walk(plan *p, err *e)
{
    str low = STR(""), high;
    for (bool end = false; !end; low = high)
        if (!next_bound(p, low, &high, &end, e) || !chunk_list_add(&p->list, low, end ? STR("") : high, p->list.chunk_rows, e)) return false;
    return true;
}

static bool make(plan *p, err *e)
{
    /* Statistics of 0 mean nothing: the table may have been filled since. */
    if (!p->k || (p->list.t->estimated_rows && p->list.t->estimated_rows <= p->list.chunk_rows / 2)) return chunk_list_add(&p->list, STR(""), STR(""), p->list.t->estimated_rows, e);
    if (pg_chunk_key_is_integer(p->list.t, p->k)) {
        chunk_range r;
        if (!read_range(p, &r, e)) return false;
        if (r.empty) return chunk_list_add(&p->list, STR(""), STR(""), 0, e);
        uint64_t step = chunk_list_step(&p->list, &r);
        if (step) return chunk_list_split(&p->list, &r, step, e);
    }
    return walk(p, e);
}

bool pg_chunk_plan(snapshot *n, const table_def *t, uint64_t chunk_rows, arena *a, chunk **ret, uint32_t *ret_count, err *e)
{
    plan p = {.n = n, .k = pg_chunk_key(t), .list = {.t = t, .chunk_rows = chunk_rows ? chunk_rows : 1, .a = a}};
    if (!make(&p, e)) return err_context(e, "planning the load of %.*s.%.*s", STR_ARG(t->schema), STR_ARG(t->name));
    *ret = p.list.chunks;
    *ret_count = p.list.count;
    return true;
}
