/* Lists of chunks and splitting by arithmetic. */
#include "engine/chunk_list.h"

#include <string.h>

bool chunk_list_add(chunk_list *l, str low, str high, uint64_t rows, err *e)
{
    if (l->count == CHUNK_LIST_MAX)
        return err_set(e, ERR_LIMIT, "table %.*s.%.*s falls into more than %d chunks; raise the rows of a chunk", STR_ARG(l->t->schema), STR_ARG(l->t->name), CHUNK_LIST_MAX);
    if (l->count == l->cap) {
        uint32_t cap = l->cap ? l->cap * 2 : 8;
        chunk *fresh = arena_array(l->a, cap, sizeof *fresh);
        if (!fresh) return err_no_memory(e, "the chunks of a table");
        if (l->count) memcpy(fresh, l->chunks, l->count * sizeof *fresh);
        l->chunks = fresh;
        l->cap = cap;
    }
    l->chunks[l->count] = (chunk){.table_id = l->t->id, .number = l->count, .low = low, .high = high, .rows = rows};
    l->count++;
    return true;
}

bool chunk_range_ordinal(str text, bool is_unsigned, uint64_t *ret)
{
    int64_t i;
    if (is_unsigned) return str_to_u64(text, ret);
    if (!str_to_i64(text, &i)) return false;
    *ret = (uint64_t)i ^ (1ULL << 63);
    return true;
}

static str ordinal_text(arena *a, uint64_t v, bool is_unsigned)
{
    return is_unsigned ? arena_printf(a, "%llu", (unsigned long long)v) : arena_printf(a, "%lld", (long long)(v ^ (1ULL << 63)));
}

uint64_t chunk_list_step(const chunk_list *l, const chunk_range *r)
{
    uint64_t span = r->max - r->min, rows = l->t->estimated_rows ? l->t->estimated_rows : 1;
    uint64_t most = l->chunk_rows * 2;
    if (span / most > 2 * (rows / l->chunk_rows) + 4) return 0;
    double step = (double)span / (double)rows * (double)l->chunk_rows;
    if (step < (double)l->chunk_rows) return l->chunk_rows;
    return step > (double)most ? most : (uint64_t)step;
}

bool chunk_list_split(chunk_list *l, const chunk_range *r, uint64_t step, err *e)
{
    str low = STR("");
    uint64_t share = l->t->estimated_rows / ((r->max - r->min) / step + 1);
    for (uint64_t at = r->min; r->max - at >= step; at += step) {
        str high = ordinal_text(l->a, at + step - 1, r->is_unsigned);
        if (!high.p) return err_no_memory(e, "the chunks of a table");
        if (!chunk_list_add(l, low, high, share, e)) return false;
        low = high;
    }
    return chunk_list_add(l, low, STR(""), share, e);
}
