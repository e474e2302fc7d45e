/* PostgreSQL's array texts: {1,NULL,"a b"}, {{1,2},{3,4}}, [2:3]={a,b}.
 *
 *   array    [bounds =] list        bounds [lower:upper] for each dimension, printed when a lower bound is not 1
 *   list     { item delimiter item ... }   item: list or element; {} is the array without dimensions
 *   element  bare or in double quotes (pg_element.h); NULL bare stands for NULL
 * Source: PostgreSQL manual "Arrays", src/backend/utils/adt/arrayfuncs.c (array_out); values of PostgreSQL 15, 17 and 18 (tests/golden/pg_text).
 * Pure; nothing recurses. Errors: ERR_CORRUPT, ERR_LIMIT. */
#ifndef CODEC_PG_ARRAY_H
#define CODEC_PG_ARRAY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* PostgreSQL's own limits (MAXDIM, MaxArraySize). */
#define PG_ARRAY_MAX_DIMENSIONS 6
#define PG_ARRAY_MAX_ELEMENTS 134217727

/* Between elements of every type but box, which has ';' (pg_type.typdelim). */
#define PG_ARRAY_DELIMITER ','

typedef struct pg_array {
    uint32_t dimensions;                     /* 0: no elements */
    int32_t lower[PG_ARRAY_MAX_DIMENSIONS];  /* lower bound of each dimension, 1 unless told */
    uint32_t length[PG_ARRAY_MAX_DIMENSIONS];
    uint32_t count;      /* product of the lengths; 0 without dimensions */
    const str *elements; /* the last dimension varies fastest; p == NULL is NULL */
} pg_array;

/* Elements are borrowed from the text, or in the arena when they held escapes. */
ERR_MUST_USE bool pg_array_parse(str text, char delimiter, arena *a, pg_array *ret, err *e);
/* The text as the server prints it. count must be the product of the lengths. */
void pg_array_write(buf *out, const pg_array *v, char delimiter);

#endif
