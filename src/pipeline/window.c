/* Collecting transactions and building what the target applies. */
#include "pipeline/window.h"

#include <stdlib.h>

bool window_init(window *w, uint32_t table_count, err *e)
{
    *w = (window){.table_count = table_count};
    arena_init(&w->mem, 64 * 1024, 0);
    w->tables = calloc(table_count ? table_count : 1, sizeof *w->tables);
    w->touched = calloc(table_count ? table_count : 1, sizeof *w->touched);
    return (w->tables && w->touched) || err_no_memory(e, "the merge window");
}

void window_reset(window *w)
{
    for (uint32_t i = 0; i < w->txn_count; i++) txn_free(w->txns[i]);
    for (uint32_t i = 0; i < w->touched_count; i++) w->tables[w->touched[i]].way = WINDOW_UNTOUCHED;
    w->txn_count = w->changes = w->touched_count = 0;
    w->bytes = 0;
    arena_reset(&w->mem);
}

void window_finish(window *w)
{
    window_reset(w);
    for (uint32_t i = 0; w->tables && i < w->table_count; i++) merge_finish(&w->tables[i].merge);
    free(w->tables);
    free(w->touched);
    free(w->txns);
    arena_finish(&w->mem);
    w->tables = NULL;
}

static bool check_tables(const window *w, const txn *t, err *e)
{
    for (uint32_t i = 0; i < t->change_count; i++)
        if (t->changes[i].table->id >= w->table_count)
            return err_set(e, ERR_INTERNAL, "a change names table %u of %u", t->changes[i].table->id, w->table_count);
    return true;
}

bool window_add(window *w, txn *t, err *e)
{
    if (w->txn_count == w->txn_cap) {
        uint32_t cap = w->txn_cap ? w->txn_cap * 2 : 64;
        txn **fresh = cap > w->txn_cap ? realloc(w->txns, cap * sizeof(txn *)) : NULL;
        if (!fresh) {
            txn_free(t);
            return err_no_memory(e, "the merge window");
        }
        w->txns = fresh;
        w->txn_cap = cap;
    }
    if (!check_tables(w, t, e)) {
        txn_free(t);
        return false;
    }
    w->txns[w->txn_count++] = t;
    w->changes += t->change_count;
    w->bytes += sizeof *t + t->bytes;
    return true;
}

static void begin_table(window *w, const spans *s, const table_def *t)
{
    window_table *x = &w->tables[t->id];
    span_rule rule = spans_rule(s, w->rank, t->id);
    x->overlap = rule == SPAN_OVERLAP;
    x->way = rule == SPAN_SKIP ? WINDOW_SKIPPED : merge_suits(t) ? WINDOW_MERGED : WINDOW_ORDERED;
    w->touched[w->touched_count++] = t->id;
    if (x->way == WINDOW_MERGED) merge_begin(&x->merge, t, x->overlap, &w->mem);
}

/* Merges what can be merged; counts what is left for the ordered list. */
static bool merge_all(window *w, const spans *s, err *e)
{
    for (uint32_t i = 0; i < w->txn_count; i++)
        for (uint32_t k = 0; k < w->txns[i]->change_count; k++) {
            const change *c = &w->txns[i]->changes[k];
            window_table *x = &w->tables[c->table->id];
            if (x->way == WINDOW_UNTOUCHED) begin_table(w, s, c->table);
            if (x->way != WINDOW_MERGED) continue;
            merge_result r = merge_add(&x->merge, c);
            if (r == MERGE_NO_MEMORY) return err_no_memory(e, "the merge window");
            if (r == MERGE_REFUSED) x->way = WINDOW_ORDERED;
        }
    return true;
}

static bool list_merged(window *w, apply_window *ret, err *e)
{
    ret->merged = arena_array(&w->mem, w->touched_count, sizeof *ret->merged);
    if (!ret->merged) return err_no_memory(e, "the merge window");
    for (uint32_t i = 0; i < w->touched_count; i++) {
        const window_table *x = &w->tables[w->touched[i]];
        if (x->way != WINDOW_MERGED) continue;
        table_changes *c = &ret->merged[ret->merged_count];
        if (!merge_result_changes(&x->merge, c)) return err_no_memory(e, "the merge window");
        ret->merged_count += c->delete_count + c->update_count + c->insert_count > 0;
    }
    return true;
}

/* Also counts the rows: all changes but skipped ones. */
static bool list_ordered(window *w, apply_window *ret, err *e)
{
    const change **ordered = arena_array(&w->mem, w->changes, sizeof *ordered);
    bool *overlap = arena_array(&w->mem, w->changes, sizeof *overlap);
    if (!ordered || !overlap) return err_no_memory(e, "the merge window");
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->txn_count; i++)
        for (uint32_t k = 0; k < w->txns[i]->change_count; k++) {
            const change *c = &w->txns[i]->changes[k];
            const window_table *x = &w->tables[c->table->id];
            ret->row_count += x->way != WINDOW_SKIPPED;
            if (x->way != WINDOW_ORDERED) continue;
            overlap[n] = x->overlap;
            ordered[n++] = c;
        }
    ret->ordered = ordered;
    ret->ordered_overlap = overlap;
    ret->ordered_count = n;
    return true;
}

bool window_build(window *w, const spans *s, apply_window *ret, err *e)
{
    *ret = (apply_window){.phase = "stream", .settled = w->rank >= s->count};
    if (!merge_all(w, s, e) || !list_merged(w, ret, e) || !list_ordered(w, ret, e)) return false;
    for (uint32_t i = 0; i < w->txn_count; i++) ret->txn_count += !w->txns[i]->heartbeat;
    if (w->txn_count) ret->end = w->txns[w->txn_count - 1]->end;
    return true;
}
