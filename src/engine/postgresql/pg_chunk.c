/* Splits tables into chunks by their row key: dense integer keys by arithmetic, all others by walking the index. A table that is small by its statistics is
 * one chunk and costs no query. */
#include <string.h>

#include "engine/postgresql/pg_chunk_sql.h"
#include "engine/postgresql/pg_snapshot.h"

enum { MOST_CHUNKS = 1000000 };

typedef struct plan {
    snapshot *n;
    const table_def *t;
    const key_def *k;
    uint64_t chunk_rows;
    arena *a;
    chunk *chunks; /* in the arena */
    uint32_t count, cap;
} plan;

static bool add(plan *p, str low, str high, uint64_t rows, err *e)
{
    if (p->count == MOST_CHUNKS)
        return err_set(e, ERR_LIMIT, "table %.*s.%.*s falls into more than %d chunks; raise the rows of a chunk", STR_ARG(p->t->schema), STR_ARG(p->t->name), MOST_CHUNKS);
    if (p->count == p->cap) {
        uint32_t cap = p->cap ? p->cap * 2 : 8;
        chunk *fresh = arena_array(p->a, cap, sizeof *fresh);
        if (!fresh) return err_no_memory(e, "the chunks of a table");
        if (p->count) memcpy(fresh, p->chunks, p->count * sizeof *fresh);
        p->chunks = fresh;
        p->cap = cap;
    }
    p->chunks[p->count] = (chunk){.table_id = p->t->id, .number = p->count, .low = low, .high = high, .rows = rows};
    p->count++;
    return true;
}

typedef struct key_range {
    bool empty;
    int64_t min, max;
} key_range;

static bool read_range(plan *p, key_range *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    PGresult *res;
    const column_def *c = &p->t->columns[p->k->columns[0]];
    buf_add_c(&sql, "SELECT pg_catalog.min(");
    pg_quote_name(&sql, c->name);
    buf_add_c(&sql, "), pg_catalog.max(");
    pg_quote_name(&sql, c->name);
    buf_add_byte(&sql, ')');
    pg_chunk_from_sql(&sql, p->t);
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query(p->n->lanes[0], buf_str(&sql), &res, e)) return false;
    key_range r = {.empty = !pg_field(res, 0, 0).p};
    bool ok = r.empty || (str_to_i64(pg_field(res, 0, 0), &r.min) && str_to_i64(pg_field(res, 0, 1), &r.max));
    PQclear(res);
    if (!ok) return err_set(e, ERR_PROTOCOL, "the smallest and largest key of %.*s.%.*s are not integers", STR_ARG(p->t->schema), STR_ARG(p->t->name));
    *ret = r;
    return true;
}

/* Numbers per chunk, or 0 when the keys are too sparse to split them by arithmetic. */
static uint64_t dense_step(const plan *p, uint64_t span)
{
    uint64_t rows = p->t->estimated_rows ? p->t->estimated_rows : 1, most = p->chunk_rows * 2;
    if (span / most > 2 * (rows / p->chunk_rows) + 4) return 0;
    double step = (double)span / (double)rows * (double)p->chunk_rows;
    if (step < (double)p->chunk_rows) return p->chunk_rows;
    return step > (double)most ? most : (uint64_t)step;
}

/* The first and the last chunk are open: their ends are the table's. */
static bool split_range(plan *p, const key_range *r, uint64_t step, err *e)
{
    str low = STR("");
    uint64_t span = (uint64_t)r->max - (uint64_t)r->min, share = p->t->estimated_rows / (span / step + 1);
    for (uint64_t at = 0; span - at >= step; at += step) {
        str high = arena_printf(p->a, "%lld", (long long)((uint64_t)r->min + at + step - 1));
        if (!high.p) return err_no_memory(e, "the chunks of a table");
        if (!add(p, low, high, share, e)) return false;
        low = high;
    }
    return add(p, low, STR(""), share, e);
}

/* The key chunk_rows rows behind `low`; *ret_end when there are fewer. */
static bool next_bound(plan *p, str low, str *ret_high, bool *ret_end, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    BUF_AUTO bound = BUF_INIT;
    PGresult *res;
    buf_add_c(&sql, "SELECT ");
    pg_chunk_key_sql(&sql, p->t, p->k);
    pg_chunk_from_sql(&sql, p->t);
    if (low.n) {
        buf_add_c(&sql, " WHERE ");
        pg_chunk_bound_sql(&sql, p->t, p->k, low, true);
    }
    buf_add_c(&sql, " ORDER BY ");
    pg_chunk_key_sql(&sql, p->t, p->k);
    buf_printf(&sql, " LIMIT 1 OFFSET %llu", (unsigned long long)(p->chunk_rows - 1));
    if (sql.failed) return err_no_memory(e, "a statement");
    if (!pg_conn_query(p->n->lanes[0], buf_str(&sql), &res, e)) return false;
    *ret_end = PQntuples(res) == 0;
    for (uint32_t i = 0; !*ret_end && i < p->k->count; i++) pg_chunk_bound_append(&bound, &p->t->columns[p->k->columns[i]], pg_field(res, 0, (int)i));
    PQclear(res);
    *ret_high = arena_copy(p->a, buf_str(&bound));
    return (ret_high->p && !bound.failed) || err_no_memory(e, "the chunks of a table");
}

static bool walk(plan *p, err *e)
{
    str low = STR(""), high;
    for (bool end = false; !end; low = high)
        if (!next_bound(p, low, &high, &end, e) || !add(p, low, end ? STR("") : high, p->chunk_rows, e)) return false;
    return true;
}

static bool make(plan *p, err *e)
{
    /* Statistics of 0 mean nothing: the table may have been filled since. */
    if (!p->k || (p->t->estimated_rows && p->t->estimated_rows <= p->chunk_rows / 2)) return add(p, STR(""), STR(""), p->t->estimated_rows, e);
    if (pg_chunk_key_is_integer(p->t, p->k)) {
        key_range r;
        if (!read_range(p, &r, e)) return false;
        if (r.empty) return add(p, STR(""), STR(""), 0, e);
        uint64_t step = dense_step(p, (uint64_t)r.max - (uint64_t)r.min);
        if (step) return split_range(p, &r, step, e);
    }
    return walk(p, e);
}

bool pg_chunk_plan(snapshot *n, const table_def *t, uint64_t chunk_rows, arena *a, chunk **ret, uint32_t *ret_count, err *e)
{
    plan p = {.n = n, .t = t, .k = pg_chunk_key(t), .chunk_rows = chunk_rows ? chunk_rows : 1, .a = a};
    if (!make(&p, e)) return err_context(e, "planning the load of %.*s.%.*s", STR_ARG(t->schema), STR_ARG(t->name));
    *ret = p.chunks;
    *ret_count = p.count;
    return true;
}
