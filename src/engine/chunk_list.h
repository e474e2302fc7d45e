/* Chunks of a table as they are planned, and the arithmetic that splits dense integer keys: a chunk of n numbers never has more than n rows. */
#ifndef ENGINE_CHUNK_LIST_H
#define ENGINE_CHUNK_LIST_H

#include "engine/engine.h"

/* Of one table, all of its rows together. */
#define CHUNK_LIST_MAX 1000000

typedef struct chunk_list {
    const table_def *t;
    uint64_t chunk_rows; /* wanted per chunk, >= 1 */
    arena *a;
    chunk *chunks;       /* in the arena */
    uint32_t count, cap;
} chunk_list;

/* An integer key's smallest and largest value as distances from the smallest value of a 64-bit type: unsigned arithmetic for both signs. */
typedef struct chunk_range {
    bool empty, is_unsigned;
    uint64_t min, max;
} chunk_range;

/* ERR_LIMIT beyond CHUNK_LIST_MAX. */
ERR_MUST_USE bool chunk_list_add(chunk_list *l, str low, str high, uint64_t rows, err *e);
/* False when the text is not an integer of that kind. */
bool chunk_range_ordinal(str text, bool is_unsigned, uint64_t *ret);
/* Numbers per chunk by the table's estimated rows, or 0 when the keys are too sparse to split them by arithmetic. */
uint64_t chunk_list_step(const chunk_list *l, const chunk_range *r);
/* Splits the range; the first and the last chunk are open, as the table's ends are. */
ERR_MUST_USE bool chunk_list_split(chunk_list *l, const chunk_range *r, uint64_t step, err *e);

#endif
