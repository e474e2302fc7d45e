/* Values in PostgreSQL's text form: booleans, bytea, numbers. Dates and times: pg_datetime.h; arrays, composites, ranges: their own headers.
 *
 * All value texts are read as a session prints them that has DateStyle ISO, IntervalStyle postgres, extra_float_digits 3, TimeZone UTC, bytea_output hex
 * and client_encoding UTF8. Source: PostgreSQL manual "Data Types"; values of PostgreSQL 15, 17 and 18 (tests/golden/pg_text).
 *
 * Pure. Errors: ERR_CORRUPT with the start of the text; the caller names table and column. */
#ifndef CODEC_PG_TEXT_H
#define CODEC_PG_TEXT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* "t" or "f". */
ERR_MUST_USE bool pg_text_parse_bool(str text, bool *ret, err *e);
/* "\x" and pairs of hex digits. The bytes lie in the arena. */
ERR_MUST_USE bool pg_text_parse_bytea(str text, arena *a, str *ret, err *e);
void pg_text_write_bytea(buf *out, str bytes);

typedef enum pg_number_kind { PG_NUMBER_FINITE, PG_NUMBER_NAN, PG_NUMBER_INFINITY, PG_NUMBER_MINUS_INFINITY } pg_number_kind;

/* smallint, integer, bigint, oid, numeric, real and double precision, in their digits: sign whole[.fraction][e exponent]. Slices are borrowed from the text. */
typedef struct pg_number {
    pg_number_kind kind;
    bool negative;
    str whole;        /* one digit or more; none when not FINITE */
    str fraction;     /* digits after the point, may be empty */
    int32_t exponent; /* of ten; only floating point numbers print one */
} pg_number;

ERR_MUST_USE bool pg_text_parse_number(str text, pg_number *ret, err *e);

/* Sets ERR_CORRUPT "'text' is not <what>", for the parsers of this family. Returns false. */
bool pg_text_error(str text, const char *what, err *e);

#endif
