/* PostgreSQL's texts of composite values and ranges: (1,"a b",) and [1,10) and {[1,3),[5,7)}.
 *
 *   composite   ( field , field ... )   an empty bare field is NULL, "" is the empty string
 *   range       empty | [ or (  bound , bound  ) or ]   an empty bare bound: there is none
 *   multirange  { range , range ... }
 * Source: PostgreSQL manual "Composite Types", "Range Types"; rowtypes.c, rangetypes.c; values of PostgreSQL 15, 17 and 18 (tests/golden/pg_text).
 * Slices are borrowed from the text, or in the arena when they held escapes. Errors: ERR_CORRUPT. */
#ifndef CODEC_PG_COMPOSITE_H
#define CODEC_PG_COMPOSITE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* The fields of a composite value; p == NULL is NULL. "()" gives one NULL: a type without fields is printed like one with a single NULL. */
ERR_MUST_USE bool pg_composite_parse(str text, arena *a, const str **ret_fields, uint32_t *ret_count, err *e);
void pg_composite_write(buf *out, const str *fields, uint32_t count);

typedef struct pg_range {
    bool empty;
    bool lower_inclusive, upper_inclusive; /* false where there is no bound */
    str lower, upper;                      /* texts of the bounds; p == NULL: no bound */
} pg_range;

ERR_MUST_USE bool pg_range_parse(str text, arena *a, pg_range *ret, err *e);
ERR_MUST_USE bool pg_multirange_parse(str text, arena *a, const pg_range **ret_ranges, uint32_t *ret_count, err *e);
void pg_range_write(buf *out, const pg_range *r);
void pg_multirange_write(buf *out, const pg_range *ranges, uint32_t count);

#endif
