/* Splits tables into chunks by their row key.
 * Integer keys that are dense are split by arithmetic: a chunk of n numbers never has more than n rows. All other keys are walked: the index tells every
 * n-th key. A table that is small by its statistics is one chunk and costs no query. */
#include "engine/mysql/chunk_sql.h"
#include "engine/mysql/snapshot.h"

#include <string.h>

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
        return err_set(e, ERR_LIMIT, "table %.*s.%.*s falls into more than %d chunks; raise the rows of a chunk", STR_ARG(p->t->schema),
                       STR_ARG(p->t->name), MOST_CHUNKS);
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

/* ---- arithmetic ---- */

/* Key values as distances from the smallest value of a 64-bit type: unsigned arithmetic for both signs. */
static bool to_ordinal(str s, bool is_unsigned, uint64_t *ret)
{
    int64_t i;
    if (is_unsigned) return str_to_u64(s, ret);
    if (!str_to_i64(s, &i)) return false;
    *ret = (uint64_t)i ^ (1ULL << 63);
    return true;
}

static str ordinal_text(arena *a, uint64_t v, bool is_unsigned)
{
    return is_unsigned ? arena_printf(a, "%llu", (unsigned long long)v) : arena_printf(a, "%lld", (long long)(v ^ (1ULL << 63)));
}

typedef struct key_range {
    bool empty;
    uint64_t min, max; /* ordinals */
} key_range;

static bool read_range(plan *p, key_range *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    const column_def *c = &p->t->columns[p->k->columns[0]];
    /* "+0" would hide the index, but ZEROFILL pads the text: zeros in front are no harm. */
    buf_add_c(&sql, "SELECT MIN(");
    conn_quote_name(&sql, c->name);
    buf_add_c(&sql, "), MAX(");
    conn_quote_name(&sql, c->name);
    buf_add_byte(&sql, ')');
    chunk_from_sql(&sql, p->t, NULL);
    if (sql.failed) return err_no_memory(e, "a statement");
    MYSQL_RES *res;
    if (!conn_query(p->n->lanes[0].conn, buf_str(&sql), &res, e)) return false;
    MYSQL_ROW row = mysql_fetch_row(res);
    key_range r = {.empty = !row || !row[0] || !row[1]};
    bool ok = r.empty || (to_ordinal(str_from_c(row[0]), c->is_unsigned, &r.min) && to_ordinal(str_from_c(row[1]), c->is_unsigned, &r.max));
    mysql_free_result(res);
    if (!ok) return err_set(e, ERR_PROTOCOL, "the smallest and largest key of %.*s.%.*s are not integers", STR_ARG(p->t->schema), STR_ARG(p->t->name));
    *ret = r;
    return true;
}

/* Numbers per chunk, or 0 when the keys are too sparse to split them by arithmetic. */
static uint64_t dense_step(const plan *p, const key_range *r)
{
    uint64_t span = r->max - r->min, rows = p->t->estimated_rows ? p->t->estimated_rows : 1;
    uint64_t most = p->chunk_rows * 2;
    if (span / most > 2 * (rows / p->chunk_rows) + 4) return 0;
    double step = (double)span / (double)rows * (double)p->chunk_rows;
    if (step < (double)p->chunk_rows) return p->chunk_rows;
    return step > (double)most ? most : (uint64_t)step;
}

static bool split_range(plan *p, const key_range *r, uint64_t step, err *e)
{
    bool u = p->t->columns[p->k->columns[0]].is_unsigned;
    str low = STR("");
    uint64_t share = p->t->estimated_rows / ((r->max - r->min) / step + 1);
    /* The first and the last chunk are open: their ends are the table's. */
    for (uint64_t at = r->min; r->max - at >= step; at += step) {
        str high = ordinal_text(p->a, at + step - 1, u);
        if (!high.p) return err_no_memory(e, "the chunks of a table");
        if (!add(p, low, high, share, e)) return false;
        low = high;
    }
    return add(p, low, STR(""), share, e);
}

/* ---- walking ---- */

/* The key chunk_rows rows behind `low`; *ret_end when there are fewer. */
static bool next_bound(plan *p, str low, str *ret_high, bool *ret_end, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    BUF_AUTO bound = BUF_INIT;
    buf_add_c(&sql, "SELECT ");
    chunk_key_sql(&sql, p->t, p->k);
    chunk_from_sql(&sql, p->t, p->k);
    if (low.n) {
        buf_add_c(&sql, " WHERE ");
        if (!chunk_bound_sql(&sql, p->t, p->k, low, true, e)) return false;
    }
    chunk_order_sql(&sql, p->t, p->k);
    buf_printf(&sql, " LIMIT 1 OFFSET %llu", (unsigned long long)(p->chunk_rows - 1));
    if (sql.failed) return err_no_memory(e, "a statement");
    MYSQL_RES *res;
    if (!conn_query(p->n->lanes[0].conn, buf_str(&sql), &res, e)) return false;
    MYSQL_ROW row = mysql_fetch_row(res);
    const unsigned long *lengths = row ? mysql_fetch_lengths(res) : NULL;
    bool nulls = false;
    for (uint32_t i = 0; row && i < p->k->count; i++) {
        nulls |= !row[i];
        if (row[i]) chunk_bound_append(&bound, &p->t->columns[p->k->columns[i]], (str){row[i], lengths[i]});
    }
    *ret_end = !row;
    mysql_free_result(res);
    if (nulls) return err_set(e, ERR_PROTOCOL, "a key of %.*s.%.*s is NULL", STR_ARG(p->t->schema), STR_ARG(p->t->name));
    *ret_high = arena_copy(p->a, buf_str(&bound));
    return (ret_high->p && !bound.failed) || err_no_memory(e, "the chunks of a table");
}

static bool walk(plan *p, err *e)
{
    const cancel *stop = p->n->src->env->cancel;
    str low = STR(""), high;
    for (bool end = false; !end; low = high) {
        if (stop && cancel_asked(stop)) return cancel_error(e);
        if (!next_bound(p, low, &high, &end, e) || !add(p, low, end ? STR("") : high, p->chunk_rows, e)) return false;
    }
    return true;
}

/* ---- the plan ---- */

static bool make(plan *p, err *e)
{
    /* Statistics of 0 mean nothing: the table may have been filled since. */
    if (!p->k || (p->t->estimated_rows && p->t->estimated_rows <= p->chunk_rows / 2)) return add(p, STR(""), STR(""), p->t->estimated_rows, e);
    if (chunk_key_is_integer(p->t, p->k)) {
        key_range r;
        if (!read_range(p, &r, e)) return false;
        if (r.empty) return add(p, STR(""), STR(""), 0, e);
        uint64_t step = dense_step(p, &r);
        if (step) return split_range(p, &r, step, e);
    }
    return walk(p, e);
}

bool chunk_plan(snapshot *n, const table_def *t, uint64_t chunk_rows, arena *a, chunk **ret, uint32_t *ret_count, err *e)
{
    plan p = {.n = n, .t = t, .k = chunk_key(t), .chunk_rows = chunk_rows ? chunk_rows : 1, .a = a};
    if (!make(&p, e)) return err_context(e, "planning the load of %.*s.%.*s", STR_ARG(t->schema), STR_ARG(t->name));
    *ret = p.chunks;
    *ret_count = p.count;
    return true;
}
