/* Chunk positions of all tables, ranked. */
#include "pipeline/span.h"

#include <string.h>

/* Index of p in s->at, inserted when new (room for one more is there). */
static bool rank_of(spans *s, position p, uint32_t *ret, err *e)
{
    uint32_t low = 0, high = s->count;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int order;
        if (!s->compare(p, s->at[mid], &order, e)) return false;
        if (order == 0) {
            *ret = mid;
            return true;
        }
        if (order < 0) high = mid;
        else low = mid + 1;
    }
    position copy = position_copy(&s->mem, p);
    if (!copy.text.p) return err_no_memory(e, "a chunk position");
    memmove(&s->at[low + 1], &s->at[low], (s->count - low) * sizeof *s->at);
    s->at[low] = copy;
    s->count++;
    *ret = low;
    return true;
}

static bool make_room(spans *s, uint32_t *cap, err *e)
{
    if (s->count < *cap) return true;
    position *fresh = arena_array(&s->mem, (size_t)*cap * 2, sizeof *fresh);
    if (!fresh) return err_no_memory(e, "chunk positions");
    memcpy(fresh, s->at, s->count * sizeof *fresh);
    s->at = fresh;
    *cap *= 2;
    return true;
}

static bool add_table(spans *s, const table_def *t, const chunk *c, uint32_t count, uint32_t *cap, err *e)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t before = s->count, rank;
        if (!c[i].done)
            return err_set(e, ERR_CORRUPT, "table %.*s.%.*s: chunk %u is not loaded although the load is over; reset the job", STR_ARG(t->schema),
                           STR_ARG(t->name), c[i].number);
        if (!make_room(s, cap, e) || !rank_of(s, c[i].at, &rank, e)) return false;
        for (uint32_t k = 0; s->count > before && k < s->table_count; k++) { /* ranks at and above the new one moved up */
            if (s->min[k] > rank) s->min[k]++;
            if (s->max[k] > rank) s->max[k]++;
        }
        if (s->min[t->id] == 0 || s->min[t->id] > rank + 1) s->min[t->id] = rank + 1;
        if (s->max[t->id] < rank + 1) s->max[t->id] = rank + 1;
    }
    return true;
}

bool spans_read(spans *s, dest *d, bool load, err *e)
{
    const catalog_def *c = d->run->target_catalog;
    *s = (spans){.compare = d->run->job->source_engine->source->compare, .table_count = c->table_count};
    arena_init(&s->mem, 4096, 0);
    uint32_t cap = 16;
    s->at = arena_array(&s->mem, cap, sizeof *s->at);
    s->min = arena_array(&s->mem, c->table_count, sizeof *s->min);
    s->max = arena_array(&s->mem, c->table_count, sizeof *s->max);
    if (!s->at || !s->min || !s->max) return err_no_memory(e, "chunk positions");
    arena scratch;
    arena_init(&scratch, 64 * 1024, 0);
    bool ok = true;
    for (uint32_t i = 0; load && ok && i < c->table_count; i++) {
        chunk *chunks;
        uint32_t count;
        ok = d->run->job->target_engine->target->read_chunks(d->t, c->tables[i], &scratch, &chunks, &count, e) &&
             add_table(s, c->tables[i], chunks, count, &cap, e);
        arena_reset(&scratch);
    }
    arena_finish(&scratch);
    return ok;
}

void spans_finish(spans *s)
{
    arena_finish(&s->mem);
    s->count = 0;
}

bool spans_rank(const spans *s, position p, uint32_t *rank, err *e)
{
    for (int order; *rank < s->count; ++*rank) {
        if (!s->compare(p, s->at[*rank], &order, e)) return false;
        if (order <= 0) break;
    }
    return true;
}

span_rule spans_rule(const spans *s, uint32_t rank, uint32_t table_id)
{
    if (table_id >= s->table_count || rank >= s->max[table_id]) return SPAN_STRICT;
    return rank < s->min[table_id] ? SPAN_SKIP : SPAN_OVERLAP;
}

position spans_highest(const spans *s) { return s->count ? s->at[s->count - 1] : (position){0}; }
