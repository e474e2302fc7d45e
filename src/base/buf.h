/* A growable byte buffer with a sticky failure: append freely, check `failed` once at the end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

typedef struct buf {
    char *p; /* owned */
    size_t n, cap;
    size_t limit; /* bytes it may grow to, 0 = no limit */
    bool failed;
} buf;

#define BUF_INIT ((buf){0})

void buf_finish(buf *b);
/* Empties it, keeps the memory, clears `failed`. */
void buf_reset(buf *b);
/* buf_reserve where more memory is needed. */
char *buf_grow(buf *b, size_t n);
/* Room for n more bytes; returns where to write them (add to b->n yourself), NULL on failure. */
static inline char *buf_reserve(buf *b, size_t n) { return !b->failed && n <= b->cap - b->n ? b->p + b->n : buf_grow(b, n); }
void buf_add(buf *b, str s);
void buf_add_c(buf *b, const char *c);
static inline void buf_add_byte(buf *b, char c)
{
    char *at = buf_reserve(b, 1);
    if (at) *at = c, b->n++;
}
void buf_add_u64(buf *b, uint64_t v);
void buf_add_i64(buf *b, int64_t v);
/* Lower-case hex digits of the bytes. */
void buf_add_hex(buf *b, str bytes);
/* The bytes between two marks, each mark among them doubled: names and literals of SQL. */
void buf_add_quoted(buf *b, str s, char mark);
void buf_printf(buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Borrowed until the next append. */
static inline str buf_str(const buf *b) { return (str){b->p, b->n}; }
/* NUL-terminated view (the NUL is not counted); "" when it failed. Borrowed until the next append. */
const char *buf_c(buf *b);
/* Cleanup attribute: __attribute__((cleanup(buf_finish))) buf b = BUF_INIT; */
#define BUF_AUTO __attribute__((cleanup(buf_finish))) buf

#endif
