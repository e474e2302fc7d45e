/* PostgreSQL's texts of composite values and ranges. */
#include "codec/pg_composite.h"

#include "codec/pg_element.h"
#include "codec/pg_text.h"

/* How many times a byte is there: no fewer than the items that it separates. */
static size_t count_byte(str text, char byte)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) n += text.p[i] == byte;
    return n;
}

/* A field or bound; an empty bare one becomes p == NULL. False without memory. */
static bool read_part(cursor *c, const pg_element_rule *rule, arena *a, str *ret)
{
    bool quoted;
    if (!pg_element_read(c, rule, a, ret, &quoted)) return false;
    if (!quoted && ret->n == 0) *ret = STR_NULL;
    return true;
}

static pg_element_rule composite_rule(void) { return pg_element_rule_of(STR(",)"), STR("("), true); }

bool pg_composite_parse(str text, arena *a, const str **ret_fields, uint32_t *ret_count, err *e)
{
    cursor c = cursor_of(text);
    pg_element_rule rule = composite_rule();
    size_t room = count_byte(text, ',') + 1;
    uint32_t count = 0;
    cursor_expect(&c, '(');
    if (c.failed || room > UINT32_MAX) return pg_text_error(text, "a composite value", e);
    str *fields = arena_array(a, room, sizeof *fields);
    if (!fields) return err_no_memory(e, "a composite value");
    do {
        if (!read_part(&c, &rule, a, &fields[count++])) return err_no_memory(e, "a composite value");
    } while (cursor_accept(&c, ','));
    cursor_expect(&c, ')');
    if (c.failed || cursor_left(&c)) return pg_text_error(text, "a composite value", e);
    *ret_fields = fields;
    *ret_count = count;
    return true;
}

void pg_composite_write(buf *out, const str *fields, uint32_t count)
{
    pg_element_rule rule = composite_rule();
    buf_add_byte(out, '(');
    for (uint32_t i = 0; i < count; i++) {
        if (i) buf_add_byte(out, ',');
        if (fields[i].p) pg_element_write(out, fields[i], &rule, false);
    }
    buf_add_byte(out, ')');
}

/* ---- ranges ---- */

static pg_element_rule range_rule(void) { return pg_element_rule_of(STR(",)]"), STR("(["), true); }

/* One range without "empty". False without memory. */
static bool read_range(cursor *c, arena *a, pg_range *r)
{
    pg_element_rule rule = range_rule();
    r->lower_inclusive = cursor_accept(c, '[');
    if (!r->lower_inclusive) cursor_expect(c, '(');
    if (!read_part(c, &rule, a, &r->lower)) return false;
    cursor_expect(c, ',');
    if (!read_part(c, &rule, a, &r->upper)) return false;
    r->upper_inclusive = cursor_accept(c, ']');
    if (!r->upper_inclusive) cursor_expect(c, ')');
    if ((r->lower_inclusive && !r->lower.p) || (r->upper_inclusive && !r->upper.p)) c->failed = true;
    return true;
}

bool pg_range_parse(str text, arena *a, pg_range *ret, err *e)
{
    pg_range r = {.empty = str_eq(text, STR("empty"))};
    if (!r.empty) {
        cursor c = cursor_of(text);
        if (!read_range(&c, a, &r)) return err_no_memory(e, "a range value");
        if (c.failed || cursor_left(&c)) return pg_text_error(text, "a range", e);
    }
    *ret = r;
    return true;
}

bool pg_multirange_parse(str text, arena *a, const pg_range **ret_ranges, uint32_t *ret_count, err *e)
{
    cursor c = cursor_of(text);
    size_t room = count_byte(text, ',') / 2 + 1; /* each range has a comma, and one stands between two */
    uint32_t count = 0;
    cursor_expect(&c, '{');
    if (c.failed || room > UINT32_MAX) return pg_text_error(text, "a multirange", e);
    pg_range *ranges = arena_array(a, room, sizeof *ranges);
    if (!ranges) return err_no_memory(e, "a multirange value");
    if (!cursor_accept(&c, '}')) {
        do {
            if (!read_range(&c, a, &ranges[count])) return err_no_memory(e, "a multirange value");
            if (c.failed) break;
            count++;
        } while (cursor_accept(&c, ','));
        cursor_expect(&c, '}');
    }
    if (c.failed || cursor_left(&c)) return pg_text_error(text, "a multirange", e);
    *ret_ranges = ranges;
    *ret_count = count;
    return true;
}

void pg_range_write(buf *out, const pg_range *r)
{
    if (r->empty) {
        buf_add(out, STR("empty"));
        return;
    }
    pg_element_rule rule = range_rule();
    buf_add_byte(out, r->lower_inclusive ? '[' : '(');
    if (r->lower.p) pg_element_write(out, r->lower, &rule, false);
    buf_add_byte(out, ',');
    if (r->upper.p) pg_element_write(out, r->upper, &rule, false);
    buf_add_byte(out, r->upper_inclusive ? ']' : ')');
}

void pg_multirange_write(buf *out, const pg_range *ranges, uint32_t count)
{
    buf_add_byte(out, '{');
    for (uint32_t i = 0; i < count; i++) {
        if (i) buf_add_byte(out, ',');
        pg_range_write(out, &ranges[i]);
    }
    buf_add_byte(out, '}');
}
