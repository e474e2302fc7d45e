/* Arenas: memory that lives and dies together (a batch, a request, a job). */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

typedef struct arena_block arena_block;

/* Not for use by two threads at once. */
typedef struct arena {
    arena_block *head;
    size_t block_bytes;
    size_t limit_bytes; /* 0: no limit */
    size_t used_bytes;  /* memory held in blocks */
} arena;

/* block_bytes: size of a normal block (a larger request gets its own). limit_bytes: what all blocks together may hold, 0 = no limit.
 * Allocates nothing yet. */
void arena_init(arena *a, size_t block_bytes, size_t limit_bytes);
/* Zeroed memory, aligned to 16; NULL when the limit or the memory is exhausted. Lives until arena_reset/arena_finish. n may be 0. */
void *arena_alloc(arena *a, size_t n) __attribute__((malloc));
/* count*size with overflow check. */
void *arena_array(arena *a, size_t count, size_t size) __attribute__((malloc));
/* Not zeroed, aligned to 1: for bytes. */
char *arena_bytes(arena *a, size_t n) __attribute__((malloc));
/* A copy with a trailing NUL that is not counted. {NULL,0} on failure (an empty s gives a non-NULL p). */
str arena_copy(arena *a, str s);
char *arena_copy_c(arena *a, str s);
str arena_printf(arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Frees all but the first block and starts again. */
void arena_reset(arena *a);
/* Frees everything; the arena may be used again. Safe on a zeroed struct. */
void arena_finish(arena *a);

#endif
