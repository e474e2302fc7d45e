/* A growable byte buffer with a sticky failure. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_finish(buf *b)
{
    free(b->p);
    *b = (buf){.limit = b->limit};
}

void buf_reset(buf *b)
{
    b->n = 0;
    b->failed = false;
}

char *buf_grow(buf *b, size_t n)
{
    size_t need;
    if (b->failed) return NULL;
    if (__builtin_add_overflow(b->n, n, &need) || (b->limit && need > b->limit) || need > SIZE_MAX / 2) {
        b->failed = true;
        return NULL;
    }
    size_t cap = b->cap ? b->cap : 256;
    while (cap < need) cap += cap / 2;
    if (b->limit && cap > b->limit) cap = b->limit;
    char *p = realloc(b->p, cap);
    if (!p) {
        b->failed = true;
        return NULL;
    }
    b->p = p;
    b->cap = cap;
    return b->p + b->n;
}

void buf_add(buf *b, str s)
{
    if (s.n == 0) return;
    char *at = buf_reserve(b, s.n);
    if (!at) return;
    memcpy(at, s.p, s.n);
    b->n += s.n;
}

void buf_add_c(buf *b, const char *c) { buf_add(b, str_from_c(c)); }

void buf_add_u64(buf *b, uint64_t v)
{
    char digits[20];
    size_t i = sizeof digits;
    do digits[--i] = (char)('0' + v % 10);
    while (v /= 10);
    buf_add(b, (str){digits + i, sizeof digits - i});
}

void buf_add_i64(buf *b, int64_t v)
{
    if (v < 0) buf_add_byte(b, '-');
    buf_add_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_add_hex(buf *b, str bytes)
{
    static const char digits[] = "0123456789abcdef";
    if (bytes.n > SIZE_MAX / 2) {
        b->failed = true;
        return;
    }
    char *at = buf_reserve(b, bytes.n * 2);
    if (!at) return;
    for (size_t i = 0; i < bytes.n; i++) {
        *at++ = digits[(uint8_t)bytes.p[i] >> 4];
        *at++ = digits[(uint8_t)bytes.p[i] & 15];
    }
    b->n += bytes.n * 2;
}

void buf_add_quoted(buf *b, str s, char mark)
{
    buf_add_byte(b, mark);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == mark) buf_add_byte(b, mark);
        buf_add_byte(b, s.p[i]);
    }
    buf_add_byte(b, mark);
}

void buf_printf(buf *b, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = true;
        return;
    }
    char *at = buf_reserve(b, (size_t)n + 1);
    if (!at) return;
    va_start(ap, format);
    vsnprintf(at, (size_t)n + 1, format, ap);
    va_end(ap);
    b->n += (size_t)n;
}

const char *buf_c(buf *b)
{
    char *at = buf_reserve(b, 1);
    if (!at) return "";
    *at = 0;
    return b->p;
}
