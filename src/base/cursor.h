/* Bounds-checked reading of wire bytes. A read past the end sets `failed` (sticky) and yields zeros: check once at the end. */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <endian.h>
#include <string.h>

#include "base/str.h"

typedef struct cursor {
    const uint8_t *p, *end;
    bool failed;
} cursor;

/* An empty slice may have p == NULL, to which not even 0 may be added: it is read as "". */
static inline cursor cursor_of(str s)
{
    const uint8_t *p = (const uint8_t *)(s.p ? s.p : "");
    return (cursor){p, p + s.n, false};
}
static inline size_t cursor_left(const cursor *c) { return c->failed ? 0 : (size_t)(c->end - c->p); }

/* The next n bytes, borrowed from the input; {NULL,0} and failed when there are fewer. */
static inline str cursor_take(cursor *c, size_t n)
{
    if (c->failed || n > (size_t)(c->end - c->p)) {
        c->failed = true;
        return STR_NULL;
    }
    str s = {(const char *)c->p, n};
    c->p += n;
    return s;
}

static inline void cursor_skip(cursor *c, size_t n) { (void)cursor_take(c, n); }

/* Little-endian unsigned integer of 1..8 bytes. */
static inline uint64_t cursor_le(cursor *c, unsigned bytes)
{
    str s = cursor_take(c, bytes);
    uint64_t v = 0;
    for (size_t i = s.n; i-- > 0;) v = v << 8 | (uint8_t)s.p[i];
    return v;
}

/* Big-endian unsigned integer of 1..8 bytes. */
static inline uint64_t cursor_be(cursor *c, unsigned bytes)
{
    str s = cursor_take(c, bytes);
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) v = v << 8 | (uint8_t)s.p[i];
    return v;
}

/* The same of 4 bytes, where many are read. */
static inline uint32_t cursor_be32(cursor *c)
{
    str s = cursor_take(c, 4);
    uint32_t v = 0;
    if (s.p) memcpy(&v, s.p, sizeof v);
    return be32toh(v);
}

static inline uint8_t cursor_u8(cursor *c) { return (uint8_t)cursor_le(c, 1); }
static inline uint16_t cursor_u16(cursor *c) { return (uint16_t)cursor_le(c, 2); }
static inline uint32_t cursor_u24(cursor *c) { return (uint32_t)cursor_le(c, 3); }
static inline uint32_t cursor_u32(cursor *c) { return (uint32_t)cursor_le(c, 4); }
static inline uint64_t cursor_u48(cursor *c) { return cursor_le(c, 6); }
static inline uint64_t cursor_u64(cursor *c) { return cursor_le(c, 8); }

/* MySQL length-encoded integer; 0xfb (NULL) and 0xff fail. */
static inline uint64_t cursor_lenenc(cursor *c)
{
    uint8_t first = cursor_u8(c);
    if (first < 0xfb) return first;
    if (first == 0xfc) return cursor_u16(c);
    if (first == 0xfd) return cursor_u24(c);
    if (first == 0xfe) return cursor_u64(c);
    c->failed = true;
    return 0;
}

/* For texts: consumes the byte when it is the next one. */
static inline bool cursor_accept(cursor *c, char byte)
{
    if (c->failed || c->p == c->end || *c->p != (uint8_t)byte) return false;
    c->p++;
    return true;
}

/* The next byte must be this one. */
static inline void cursor_expect(cursor *c, char byte)
{
    if (!cursor_accept(c, byte)) c->failed = true;
}

/* Bytes up to a NUL, which is consumed; fails without one. */
static inline str cursor_cstr(cursor *c)
{
    if (c->failed) return STR_NULL;
    const uint8_t *nul = memchr(c->p, 0, (size_t)(c->end - c->p));
    if (!nul) {
        c->failed = true;
        return STR_NULL;
    }
    str s = {(const char *)c->p, (size_t)(nul - c->p)};
    c->p = nul + 1;
    return s;
}

#endif
