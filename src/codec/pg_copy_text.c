/* Rows in the text format of PostgreSQL's COPY. */
#include "codec/pg_copy_text.h"

#include <string.h>

#define ONES 0x0101010101010101ull
#define HIGH 0x8080808080808080ull

/* Some byte of the word is zero (exact), or lower than n (n up to 128; exact). */
static bool has_zero(uint64_t word) { return ((word - ONES) & ~word & HIGH) != 0; }
static bool has_less(uint64_t word, uint8_t n) { return ((word - ONES * n) & ~word & HIGH) != 0; }

/* The letter behind the backslash; 0 for a byte that is written as it is. */
static char escape_of(char byte)
{
    switch (byte) {
    case '\\': return '\\';
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    case '\v': return 'v';
    default: return 0;
    }
}

/* Index of the first byte at or after `from` that is escaped, n without one. Eight bytes at a time: this is the loop that a full load spends its time in. */
static size_t next_escape(str s, size_t from)
{
    size_t i = from;
    while (i < s.n) {
        if (s.n - i >= sizeof(uint64_t)) {
            uint64_t word;
            memcpy(&word, s.p + i, sizeof word);
            if (!has_less(word, 0x20) && !has_zero(word ^ ONES * '\\')) {
                i += sizeof word;
                continue;
            }
        }
        size_t end = s.n - i < sizeof(uint64_t) ? s.n : i + sizeof(uint64_t);
        for (; i < end; i++)
            if (escape_of(s.p[i])) return i;
    }
    return s.n;
}

void pg_copy_text_write(buf *out, str value)
{
    if (!value.p) {
        buf_add(out, STR("\\N"));
        return;
    }
    size_t from = 0;
    for (size_t at; (at = next_escape(value, from)) < value.n; from = at + 1) {
        buf_add(out, (str){value.p + from, at - from});
        buf_add_byte(out, '\\');
        buf_add_byte(out, escape_of(value.p[at]));
    }
    buf_add(out, str_sub(value, from, value.n));
}

void pg_copy_text_write_row(buf *out, const str *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i) buf_add_byte(out, '\t');
        pg_copy_text_write(out, values[i]);
    }
    buf_add_byte(out, '\n');
}

/* Index of the first tab or backslash at or after `from`, n without one. */
static size_t next_mark(str s, size_t from)
{
    size_t i = from;
    while (i < s.n) {
        if (s.n - i >= sizeof(uint64_t)) {
            uint64_t word;
            memcpy(&word, s.p + i, sizeof word);
            if (!has_zero(word ^ ONES * '\t') && !has_zero(word ^ ONES * '\\')) {
                i += sizeof word;
                continue;
            }
        }
        size_t end = s.n - i < sizeof(uint64_t) ? s.n : i + sizeof(uint64_t);
        for (; i < end; i++)
            if (s.p[i] == '\t' || s.p[i] == '\\') return i;
    }
    return s.n;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Up to `most` digits of the base at *at; the byte that they stand for. */
static char number_escape(str s, size_t *at, unsigned most, int base)
{
    unsigned v = 0;
    for (unsigned n = 0; n < most && *at < s.n; n++, ++*at) {
        int digit = hex_value(s.p[*at]);
        if (digit < 0 || digit >= base) break;
        v = v * (unsigned)base + (unsigned)digit;
    }
    return (char)(uint8_t)v;
}

/* The byte of the escape whose letter is at *at; *at moves behind it. */
static char unescape(str s, size_t *at)
{
    char letter = s.p[*at];
    if (letter >= '0' && letter <= '7') return number_escape(s, at, 3, 8);
    ++*at;
    switch (letter) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    case 'x': return *at < s.n && hex_value(s.p[*at]) >= 0 ? number_escape(s, at, 2, 16) : 'x';
    default: return letter;
    }
}

/* A field that starts at `from` and has its first backslash at `mark`; *ret_end is the tab or the end behind it. False when the line is not well formed or
 * (*ret_memory_out) memory is out. */
static bool escaped_field(str line, size_t from, size_t mark, arena *a, str *ret, size_t *ret_end, bool *ret_memory_out)
{
    size_t end = mark, n = 0;
    while (end < line.n && line.p[end] != '\t') end = next_mark(line, line.p[end] == '\\' ? end + 2 : end);
    str raw = str_sub(line, from, end - from);
    *ret_end = end;
    if (str_eq(raw, STR("\\N"))) {
        *ret = STR_NULL;
        return true;
    }
    char *out = arena_bytes(a, raw.n);
    if (!out) {
        *ret_memory_out = true;
        return false;
    }
    for (size_t i = 0; i < raw.n;) {
        size_t next = next_mark(raw, i); /* backslashes only: the tab that ends the field is not in it */
        memcpy(out + n, raw.p + i, next - i);
        n += next - i;
        i = next;
        if (i == raw.n) break;
        if (++i == raw.n || raw.p[i] == '.') return false; /* a backslash at the end; the mark */
        out[n++] = unescape(raw, &i);
    }
    *ret = (str){out, n};
    return true;
}

bool pg_copy_text_parse(str line, arena *a, str *fields, uint32_t count, err *e)
{
    size_t from = 0, end = 0;
    uint32_t n = 0;
    bool more = count > 0 || line.n > 0;
    for (; more && n < count; n++) {
        bool memory_out = false;
        end = next_mark(line, from);
        if (end < line.n && line.p[end] == '\\') {
            if (!escaped_field(line, from, end, a, &fields[n], &end, &memory_out))
                return memory_out ? err_no_memory(e, "a row of COPY") : err_set(e, ERR_CORRUPT, "field %u of a COPY line of %zu bytes is not well formed", n + 1, line.n);
        } else {
            fields[n] = str_or_empty(str_sub(line, from, end - from));
        }
        more = end < line.n;
        from = end + 1;
    }
    if (more || n < count)
        return err_set(e, ERR_CORRUPT, "a COPY line of %zu bytes has %s fields than the %u of its table", line.n, more ? "more" : "fewer", count);
    return true;
}
