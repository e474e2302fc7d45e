/* Rows as LOAD DATA text. With CHARACTER SET binary the server looks at bytes only: \t, \n and \ are escaped, everything else goes as it is. */
#include "engine/mysql/loader_encode.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/mysql/literal.h"

/* Bytes of x that are one of the three, as bits 7 of each byte; may mark more, never less. */
static inline uint64_t specials(uint64_t x)
{
    const uint64_t ones = 0x0101010101010101ULL, high = 0x8080808080808080ULL;
    uint64_t tab = x ^ ones * '\t', line = x ^ ones * '\n', back = x ^ ones * '\\';
    return ((tab - ones) | (line - ones) | (back - ones)) & ~x & high;
}

/* Copies n bytes with escapes; there is room for 2n + 8. Returns the new end. */
static char *escape(char *at, const char *p, size_t n)
{
    size_t i = 0;
    for (;;) {
        for (uint64_t x; i + 8 <= n; i += 8) {
            memcpy(&x, p + i, 8);
            if (specials(x)) break;
            memcpy(at, &x, 8);
            at += 8;
        }
        if (i == n) return at;
        size_t end = i + 8 <= n ? i + 8 : n;
        for (; i < end; i++) {
            char c = p[i];
            if (c == '\t' || c == '\n' || c == '\\') {
                *at++ = '\\';
                c = c == '\t' ? 't' : c == '\n' ? 'n' : '\\';
            }
            *at++ = c;
        }
    }
}

static bool inline_text(buf *out, const column_def *c, const val *v)
{
    char text[40];
    int n = 0;
    switch ((val_kind)v->kind) {
    case VAL_INT: n = snprintf(text, sizeof text, "%lld", (long long)v->u.i); break;
    case VAL_UINT: n = snprintf(text, sizeof text, "%llu", (unsigned long long)v->u.u); break;
    case VAL_F32:
    case VAL_F64: n = isfinite(v->u.f) ? snprintf(text, sizeof text, "%.17g", v->u.f) : snprintf(text, sizeof text, "not finite"); break;
    case VAL_YEAR: n = snprintf(text, sizeof text, "%04lld", (long long)v->u.i); break;
    case VAL_NULL: n = snprintf(text, sizeof text, "\\N"); break;
    default: return false;
    }
    (void)c;
    buf_add(out, (str){text, (size_t)n});
    return true;
}

static inline bool add_bytes(buf *out, const val *v)
{
    char *at = buf_reserve(out, (size_t)v->n * 2 + 8);
    if (!at) return false;
    char *end = escape(at, v->u.p, v->n);
    out->n += (size_t)(end - at);
    return true;
}

bool loader_encode_row(buf *out, const table_def *t, const load_columns *columns, const val *row, uint64_t *warnings)
{
    for (uint32_t i = 0; i < columns->count; i++) {
        uint32_t index = columns->at[i].index;
        const column_def *c = &t->columns[index];
        const val *v = &row[index];
        if (i) buf_add_byte(out, '\t');
        if (val_is_inline(v) ? !inline_text(out, c, v) : !add_bytes(out, v)) return false;
        if (columns->at[i].warned && literal_is_enum_error(c, v)) ++*warnings;
    }
    buf_add_byte(out, '\n');
    return !out->failed;
}
