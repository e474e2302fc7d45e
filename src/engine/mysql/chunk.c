/* Splits tables into chunks by their row key.
 * Integer keys that are dense are split by arithmetic: a chunk of n numbers never has more than n rows. All other keys are walked: the index tells every
 * n-th key. A table that is small by its statistics is one chunk and costs no query. */
#include "engine/chunk_list.h"
#include "engine/mysql/chunk_sql.h"
#include "engine/mysql/snapshot.h"

typedef struct plan {
    snapshot *n;
    const key_def *k;
    chunk_list list;
} plan;

/* ---- arithmetic ---- */

static bool read_range(plan *p, chunk_range *ret, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    const column_def *c = &p->list.t->columns[p->k->columns[0]];
    /* "+0" would hide the index, but ZEROFILL pads the text: zeros in front are no harm. */
    buf_add_c(&sql, "SELECT MIN(");
    conn_quote_name(&sql, c->name);
    buf_add_c(&sql, "), MAX(");
    conn_quote_name(&sql, c->name);
    buf_add_byte(&sql, ')');
    chunk_from_sql(&sql, p->list.t, NULL);
    if (sql.failed) return err_no_memory(e, "a statement");
    MYSQL_RES *res;
    if (!conn_query(p->n->lanes[0].conn, buf_str(&sql), &res, e)) return false;
    MYSQL_ROW row = mysql_fetch_row(res);
    chunk_range r = {.empty = !row || !row[0] || !row[1], .is_unsigned = c->is_unsigned};
    bool ok = r.empty || (chunk_range_ordinal(str_from_c(row[0]), c->is_unsigned, &r.min) && chunk_range_ordinal(str_from_c(row[1]), c->is_unsigned, &r.max));
    mysql_free_result(res);
    if (!ok) return err_set(e, ERR_PROTOCOL, "the smallest and largest key of %.*s.%.*s are not integers", STR_ARG(p->list.t->schema), STR_ARG(p->list.t->name));
    *ret = r;
    return true;
}

/* ---- walking ---- */

/* The key chunk_rows rows behind `low`; *ret_end when there are fewer. */
static bool next_bound(plan *p, str low, str *ret_high, bool *ret_end, err *e)
{
    BUF_AUTO sql = BUF_INIT;
    BUF_AUTO bound = BUF_INIT;
    buf_add_c(&sql, "SELECT ");
    chunk_key_sql(&sql, p->list.t, p->k);
    chunk_from_sql(&sql, p->list.t, p->k);
    if (low.n) {
        buf_add_c(&sql, " WHERE ");
        if (!chunk_bound_sql(&sql, p->list.t, p->k, low, true, e)) return false;
    }
    chunk_order_sql(&sql, p->list.t, p->k);
    buf_printf(&sql, " LIMIT 1 OFFSET %llu", (unsigned long long)(p->list.chunk_rows - 1));
    if (sql.failed) return err_no_memory(e, "a statement");
    MYSQL_RES *res;
    if (!conn_query(p->n->lanes[0].conn, buf_str(&sql), &res, e)) return false;
    MYSQL_ROW row = mysql_fetch_row(res);
    const unsigned long *lengths = row ? mysql_fetch_lengths(res) : NULL;
    bool nulls = false;
    for (uint32_t i = 0; row && i < p->k->count; i++) {
        nulls |= !row[i];
        if (row[i]) chunk_bound_append(&bound, &p->list.t->columns[p->k->columns[i]], (str){row[i], lengths[i]});
    }
    *ret_end = !row;
    mysql_free_result(res);
    if (nulls) return err_set(e, ERR_PROTOCOL, "a key of %.*s.%.*s is NULL", STR_ARG(p->list.t->schema), STR_ARG(p->list.t->name));
    *ret_high = arena_copy(p->list.a, buf_str(&bound));
    return (ret_high->p && !bound.failed) || err_no_memory(e, "the chunks of a table");
}

static bool walk(plan *p, err *e)
{
    const cancel *stop = p->n->src->env->cancel;
    str low = STR(""), high;
    for (bool end = false; !end; low = high) {
        if (stop && cancel_asked(stop)) return cancel_error(e);
        if (!next_bound(p, low, &high, &end, e) || !chunk_list_add(&p->list, low, end ? STR("") : high, p->list.chunk_rows, e)) return false;
    }
    return true;
}

/* ---- the plan ---- */

static bool make(plan *p, err *e)
{
    /* Statistics of 0 mean nothing: the table may have been filled since. */
    if (!p->k || (p->list.t->estimated_rows && p->list.t->estimated_rows <= p->list.chunk_rows / 2)) return chunk_list_add(&p->list, STR(""), STR(""), p->list.t->estimated_rows, e);
    if (chunk_key_is_integer(p->list.t, p->k)) {
        chunk_range r;
        if (!read_range(p, &r, e)) return false;
        if (r.empty) return chunk_list_add(&p->list, STR(""), STR(""), 0, e);
        uint64_t step = chunk_list_step(&p->list, &r);
        if (step) return chunk_list_split(&p->list, &r, step, e);
    }
    return walk(p, e);
}

bool chunk_plan(snapshot *n, const table_def *t, uint64_t chunk_rows, arena *a, chunk **ret, uint32_t *ret_count, err *e)
{
    plan p = {.n = n, .k = chunk_key(t), .list = {.t = t, .chunk_rows = chunk_rows ? chunk_rows : 1, .a = a}};
    if (!make(&p, e)) return err_context(e, "planning the load of %.*s.%.*s", STR_ARG(t->schema), STR_ARG(t->name));
    *ret = p.list.chunks;
    *ret_count = p.list.count;
    return true;
}
