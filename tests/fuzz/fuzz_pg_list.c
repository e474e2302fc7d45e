/* Fuzz target: texts of arrays, composites, ranges and multiranges. Input: kind 1, text. What is read and written again reads and writes as the same. */
#include <stdlib.h>

#include "codec/pg_array.h"
#include "codec/pg_composite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A value of any of the kinds as a list of parts and whatever else must stay the same. */
typedef struct list {
    pg_array array;
    const str *fields;
    pg_range range;
    const pg_range *ranges;
    uint32_t count;
} list;

static bool read_list(unsigned kind, str text, arena *a, list *ret, err *e)
{
    switch (kind) {
    case 0: return pg_array_parse(text, PG_ARRAY_DELIMITER, a, &ret->array, e);
    case 1: return pg_array_parse(text, ';', a, &ret->array, e);
    case 2: return pg_composite_parse(text, a, &ret->fields, &ret->count, e);
    case 3: return pg_range_parse(text, a, &ret->range, e);
    default: return pg_multirange_parse(text, a, &ret->ranges, &ret->count, e);
    }
}

static void write_list(unsigned kind, buf *out, const list *l)
{
    switch (kind) {
    case 0: pg_array_write(out, &l->array, PG_ARRAY_DELIMITER); break;
    case 1: pg_array_write(out, &l->array, ';'); break;
    case 2: pg_composite_write(out, l->fields, l->count); break;
    case 3: pg_range_write(out, &l->range); break;
    default: pg_multirange_write(out, l->ranges, l->count); break;
    }
}

static void same(str a, str b)
{
    if ((a.p == NULL) != (b.p == NULL) || !str_eq(a, b)) abort();
}

static void same_range(const pg_range *a, const pg_range *b)
{
    if (a->empty != b->empty || a->lower_inclusive != b->lower_inclusive || a->upper_inclusive != b->upper_inclusive) abort();
    same(a->lower, b->lower);
    same(a->upper, b->upper);
}

static void same_list(unsigned kind, const list *a, const list *b)
{
    if (a->count != b->count || a->array.count != b->array.count || a->array.dimensions != b->array.dimensions) abort();
    for (uint32_t i = 0; i < a->array.dimensions; i++)
        if (a->array.lower[i] != b->array.lower[i] || a->array.length[i] != b->array.length[i]) abort();
    for (uint32_t i = 0; i < a->array.count; i++) same(a->array.elements[i], b->array.elements[i]);
    for (uint32_t i = 0; kind == 2 && i < a->count; i++) same(a->fields[i], b->fields[i]);
    for (uint32_t i = 0; kind == 4 && i < a->count; i++) same_range(&a->ranges[i], &b->ranges[i]);
    same_range(&a->range, &b->range);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    arena a;
    arena_init(&a, 4096, 64 << 20);
    unsigned kind = data[0] % 5;
    err e = ERR_INIT;
    list first = {0}, second = {0};
    if (read_list(kind, (str){(const char *)data + 1, size - 1}, &a, &first, &e)) {
        BUF_AUTO text = BUF_INIT;
        BUF_AUTO again = BUF_INIT;
        write_list(kind, &text, &first);
        if (!read_list(kind, buf_str(&text), &a, &second, &e)) abort();
        same_list(kind, &first, &second);
        write_list(kind, &again, &second);
        if (!str_eq(buf_str(&text), buf_str(&again))) abort();
    } else if (e.code != ERR_CORRUPT && e.code != ERR_NO_MEMORY) {
        abort();
    }
    arena_finish(&a);
    return 0;
}
