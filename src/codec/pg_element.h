/* One element of PostgreSQL's array, composite and range texts: bare, or in double quotes. Used by pg_array, pg_composite and pg_range.
 *
 * The server quotes an element that is empty or holds a character with a meaning; inside quotes \x stands for x, in composites and ranges "" for ", too.
 * Source: array_out, record_out, range_bound_escape in src/backend/utils/adt. */
#ifndef CODEC_PG_ELEMENT_H
#define CODEC_PG_ELEMENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"

typedef struct pg_element_rule {
    uint64_t ends[4];  /* bit set of the bytes that end a bare element */
    uint64_t stops[4]; /* of the bytes that a bare element may not hold: those, quote, backslash, white space and what the text's grammar uses */
    bool doubled;      /* quotes and backslashes inside quotes are doubled, not escaped by a backslash */
} pg_element_rule;

/* `grammar`: bytes that are not bare besides the ends. */
pg_element_rule pg_element_rule_of(str ends, str grammar, bool doubled);
/* Reads one element and stops before the byte that ends it. *ret is borrowed from the input, or in the arena when it held escapes; an empty bare element
 * gives n == 0. Fails the cursor on what the server does not write; false without memory. */
bool pg_element_read(cursor *c, const pg_element_rule *rule, arena *a, str *ret, bool *ret_quoted);
/* Writes the element, in quotes where the rule or `force_quotes` asks for it. */
void pg_element_write(buf *out, str element, const pg_element_rule *rule, bool force_quotes);

#endif
