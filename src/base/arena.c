/* Arenas: a list of blocks, bump allocation. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    arena_block *next;
    size_t size, used;
    _Alignas(16) char data[];
};

void arena_init(arena *a, size_t block_bytes, size_t limit_bytes)
{
    *a = (arena){.block_bytes = block_bytes < 256 ? 256 : block_bytes, .limit_bytes = limit_bytes};
}

static void *take(arena *a, size_t n, size_t align)
{
    arena_block *b = a->head;
    if (b) {
        size_t at = (b->used + align - 1) & ~(align - 1);
        if (at <= b->size && n <= b->size - at) {
            b->used = at + n;
            return b->data + at;
        }
    }
    if (a->block_bytes == 0) a->block_bytes = 4096;
    size_t size = n > a->block_bytes / 4 && n > a->block_bytes - (b ? b->used : 0) ? n : a->block_bytes;
    if (size < n) size = n;
    if (size > SIZE_MAX - sizeof *b) return NULL;
    if (a->limit_bytes && (a->used_bytes > a->limit_bytes || size > a->limit_bytes - a->used_bytes)) return NULL;
    arena_block *fresh = malloc(sizeof *fresh + size);
    if (!fresh) return NULL;
    fresh->size = size;
    fresh->used = n;
    a->used_bytes += size;
    if (b && size == n && size != a->block_bytes) { /* a large block goes behind the current one, which stays in use */
        fresh->next = b->next;
        b->next = fresh;
    } else {
        fresh->next = b;
        a->head = fresh;
    }
    return fresh->data;
}

void *arena_alloc(arena *a, size_t n)
{
    void *p = take(a, n ? n : 1, 16);
    if (p) memset(p, 0, n);
    return p;
}

void *arena_array(arena *a, size_t count, size_t size)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n)) return NULL;
    return arena_alloc(a, n);
}

char *arena_bytes(arena *a, size_t n) { return take(a, n ? n : 1, 1); }

str arena_copy(arena *a, str s)
{
    if (s.n == SIZE_MAX) return STR_NULL;
    char *p = arena_bytes(a, s.n + 1);
    if (!p) return STR_NULL;
    if (s.n) memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return (str){p, s.n};
}

char *arena_copy_c(arena *a, str s) { return (char *)(uintptr_t)arena_copy(a, s).p; }

str arena_printf(arena *a, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    if (n < 0) return STR_NULL;
    char *p = arena_bytes(a, (size_t)n + 1);
    if (!p) return STR_NULL;
    va_start(ap, format);
    vsnprintf(p, (size_t)n + 1, format, ap);
    va_end(ap);
    return (str){p, (size_t)n};
}

void arena_reset(arena *a)
{
    arena_block *keep = NULL;
    for (arena_block *b = a->head, *next; b; b = next) {
        next = b->next;
        if (!keep && b->size == a->block_bytes) {
            keep = b;
        } else {
            free(b);
        }
    }
    if (keep) {
        keep->next = NULL;
        keep->used = 0;
    }
    a->head = keep;
    a->used_bytes = keep ? keep->size : 0;
}

void arena_finish(arena *a)
{
    for (arena_block *b = a->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    a->head = NULL;
    a->used_bytes = 0;
}
