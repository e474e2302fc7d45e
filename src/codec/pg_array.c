/* PostgreSQL's array texts. */
#include "codec/pg_array.h"

#include <assert.h>

#include "codec/pg_element.h"
#include "codec/pg_text.h"

/* An array on its way: how deep the list is that is being read, and how many items each open list has so far. */
typedef struct reading {
    cursor c;
    arena *a;
    pg_element_rule rule;
    char delimiter;
    uint32_t depth;
    uint32_t items[PG_ARRAY_MAX_DIMENSIONS];
    uint64_t room; /* elements that fit into `elements` */
    str *elements;
    bool memory_out;
} reading;

/* A decimal number with an optional minus. */
static int32_t read_bound(cursor *c)
{
    const uint8_t *start = c->p;
    while (c->p < c->end && ((*c->p >= '0' && *c->p <= '9') || (*c->p == '-' && c->p == start))) c->p++;
    int64_t v;
    if (c->failed || !str_to_i64((str){(const char *)start, (size_t)(c->p - start)}, &v) || v < INT32_MIN || v > INT32_MAX) {
        c->failed = true;
        return 0;
    }
    return (int32_t)v;
}

/* [lower:upper]... =; the number of dimensions, 0 without bounds. */
static uint32_t read_bounds(cursor *c, pg_array *v)
{
    uint32_t n = 0;
    for (; n < PG_ARRAY_MAX_DIMENSIONS && cursor_accept(c, '['); n++) {
        v->lower[n] = read_bound(c);
        cursor_expect(c, ':');
        int64_t length = (int64_t)read_bound(c) - v->lower[n] + 1;
        cursor_expect(c, ']');
        if (length < 1 || length > PG_ARRAY_MAX_ELEMENTS) c->failed = true;
        v->length[n] = c->failed ? 0 : (uint32_t)length;
    }
    if (n) cursor_expect(c, '=');
    return n;
}

/* No more elements than one behind each delimiter and one before all. */
static bool make_room(reading *r)
{
    r->room = 1;
    for (const uint8_t *p = r->c.p; p < r->c.end; p++) r->room += *p == (uint8_t)r->delimiter;
    r->elements = arena_array(r->a, r->room, sizeof *r->elements);
    return r->elements != NULL;
}

static void read_element(reading *r, pg_array *v)
{
    str element;
    bool quoted;
    if (!pg_element_read(&r->c, &r->rule, r->a, &element, &quoted)) {
        r->memory_out = r->c.failed = true;
        return;
    }
    if (r->c.failed || (!quoted && element.n == 0) || v->count == r->room || v->count == PG_ARRAY_MAX_ELEMENTS) {
        r->c.failed = true;
        return;
    }
    r->elements[v->count++] = !quoted && str_eq_nocase(element, STR("NULL")) ? STR_NULL : element;
}

/* Closes the innermost list: all lists of one depth are equally long. */
static void close_list(reading *r, pg_array *v)
{
    uint32_t *length = &v->length[--r->depth], items = r->items[r->depth];
    if (*length == 0) *length = items;
    if (*length != items) r->c.failed = true;
}

/* Lists within lists, after the first "{". The first element tells how many dimensions there are. */
static void read_lists(reading *r, pg_array *v)
{
    r->depth = 1;
    while (r->depth && !r->c.failed) {
        r->items[r->depth - 1]++;
        if (cursor_accept(&r->c, '{')) {
            if (r->depth == PG_ARRAY_MAX_DIMENSIONS || (v->dimensions && r->depth >= v->dimensions)) r->c.failed = true;
            else r->items[r->depth++] = 0;
            continue;
        }
        if (!v->dimensions) v->dimensions = r->depth;
        if (v->dimensions != r->depth) r->c.failed = true;
        read_element(r, v);
        while (r->depth && cursor_accept(&r->c, '}')) close_list(r, v);
        if (r->depth) cursor_expect(&r->c, r->delimiter);
    }
}

bool pg_array_parse(str text, char delimiter, arena *a, pg_array *ret, err *e)
{
    const char ends[2] = {delimiter, '}'};
    reading r = {.c = cursor_of(text), .a = a, .delimiter = delimiter, .rule = pg_element_rule_of((str){ends, 2}, STR("{"), false)};
    pg_array v = {.lower = {1, 1, 1, 1, 1, 1}};
    uint32_t told = read_bounds(&r.c, &v);
    v.dimensions = told;
    cursor_expect(&r.c, '{');
    if (!r.c.failed && !make_room(&r)) return err_no_memory(e, "an array value");
    if (told || !cursor_accept(&r.c, '}')) read_lists(&r, &v);
    if (r.memory_out) return err_no_memory(e, "an array value");
    if (r.c.failed || cursor_left(&r.c)) return pg_text_error(text, "an array", e);
    v.elements = r.elements;
    *ret = v;
    return true;
}

static void write_bounds(buf *out, const pg_array *v)
{
    bool told = false;
    for (uint32_t i = 0; i < v->dimensions; i++) told = told || v->lower[i] != 1;
    for (uint32_t i = 0; told && i < v->dimensions; i++)
        buf_printf(out, "[%d:%lld]", v->lower[i], (long long)v->lower[i] + v->length[i] - 1);
    if (told) buf_add_byte(out, '=');
}

void pg_array_write(buf *out, const pg_array *v, char delimiter)
{
    const char ends[2] = {delimiter, '}'};
    const pg_element_rule rule = pg_element_rule_of((str){ends, 2}, STR("{"), false);
    if (v->dimensions == 0) {
        buf_add(out, STR("{}"));
        return;
    }
    uint64_t product = 1;
    for (uint32_t d = 0; d < v->dimensions; d++) product *= v->length[d];
    assert(product == v->count && product > 0);
    write_bounds(out, v);
    for (uint32_t i = 0; i < v->count; i++) {
        uint64_t span = 1; /* elements of a list at each depth, from the inside out */
        if (i) {
            for (uint32_t d = v->dimensions; d-- > 0 && i % (span *= v->length[d]) == 0;) buf_add_byte(out, '}');
            buf_add_byte(out, delimiter);
        }
        span = 1;
        for (uint32_t d = v->dimensions; d-- > 0 && i % (span *= v->length[d]) == 0;) buf_add_byte(out, '{');
        str element = v->elements[i];
        if (!element.p) buf_add(out, STR("NULL"));
        else pg_element_write(out, element, &rule, str_eq_nocase(element, STR("NULL")));
    }
    for (uint32_t d = 0; d < v->dimensions; d++) buf_add_byte(out, '}');
}
