/* One element of PostgreSQL's array, composite and range texts. */
#include "codec/pg_element.h"

static void add_bytes(uint64_t set[4], str bytes)
{
    for (size_t i = 0; i < bytes.n; i++) set[(uint8_t)bytes.p[i] / 64] |= 1ull << ((uint8_t)bytes.p[i] % 64);
}

static bool has_byte(const uint64_t set[4], uint8_t byte) { return set[byte / 64] >> byte % 64 & 1; }

pg_element_rule pg_element_rule_of(str ends, str grammar, bool doubled)
{
    pg_element_rule rule = {.doubled = doubled};
    add_bytes(rule.ends, ends);
    add_bytes(rule.stops, ends);
    add_bytes(rule.stops, grammar);
    add_bytes(rule.stops, STR("\"\\ \t\n\v\f\r"));
    return rule;
}

/* The inside of quotes up to the closing one, which is consumed; *ret_escapes says that bytes are to be taken out. */
static str read_quoted(cursor *c, const pg_element_rule *rule, size_t *ret_escapes)
{
    const uint8_t *start = c->p;
    *ret_escapes = 0;
    while (c->p < c->end) {
        uint8_t byte = *c->p++;
        if (byte == '\\' || (byte == '"' && rule->doubled && c->p < c->end && *c->p == '"')) {
            if (c->p == c->end) break;
            c->p++;
            ++*ret_escapes;
        } else if (byte == '"') {
            return (str){(const char *)start, (size_t)(c->p - start) - 1};
        }
    }
    c->failed = true;
    return STR_NULL;
}

static bool unescape(str *text, size_t escapes, arena *a)
{
    char *out = arena_bytes(a, text->n - escapes);
    if (!out) return false;
    size_t n = 0;
    for (size_t i = 0; i < text->n; i++) {
        if (text->p[i] == '\\' || text->p[i] == '"') i++;
        out[n++] = text->p[i];
    }
    *text = (str){out, n};
    return true;
}

bool pg_element_read(cursor *c, const pg_element_rule *rule, arena *a, str *ret, bool *ret_quoted)
{
    *ret = STR("");
    *ret_quoted = false;
    if (c->failed) return true;
    if (c->p < c->end && *c->p == '"') {
        c->p++;
        size_t escapes;
        *ret_quoted = true;
        *ret = read_quoted(c, rule, &escapes);
        if (escapes && !c->failed && !unescape(ret, escapes, a)) return false;
    } else {
        const uint8_t *start = c->p;
        while (c->p < c->end && !has_byte(rule->stops, *c->p)) c->p++;
        *ret = (str){(const char *)start, (size_t)(c->p - start)};
    }
    if (c->p == c->end || !has_byte(rule->ends, *c->p)) c->failed = true;
    return true;
}

void pg_element_write(buf *out, str element, const pg_element_rule *rule, bool force_quotes)
{
    bool quoted = force_quotes || element.n == 0;
    for (size_t i = 0; i < element.n && !quoted; i++) quoted = has_byte(rule->stops, (uint8_t)element.p[i]);
    if (!quoted) {
        buf_add(out, element);
        return;
    }
    buf_add_byte(out, '"');
    for (size_t i = 0; i < element.n; i++) {
        char byte = element.p[i];
        if (byte == '"' || byte == '\\') buf_add_byte(out, rule->doubled ? byte : '\\');
        buf_add_byte(out, byte);
    }
    buf_add_byte(out, '"');
}
