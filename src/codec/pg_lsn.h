/* PostgreSQL log sequence numbers (LSN): byte positions in the write-ahead log, text form "16/B374D848".
 *
 * Text: the upper and the lower 32 bits as 1 to 8 hex digits each, a slash between. Servers up to 18 print no leading zeros. Order is that of the number.
 * Source: PostgreSQL manual "pg_lsn Type"; src/backend/utils/adt/pg_lsn.c. */
#ifndef CODEC_PG_LSN_H
#define CODEC_PG_LSN_H

#include "base/err.h"

typedef uint64_t pg_lsn;

/* The server's own "no position" (0/0). */
#define PG_LSN_NONE ((pg_lsn)0)
/* "FFFFFFFF/FFFFFFFF" and a NUL. */
#define PG_LSN_TEXT_BYTES 18

/* The whole text, no spaces. Error: ERR_CORRUPT with the text. */
ERR_MUST_USE bool pg_lsn_parse(str text, pg_lsn *ret, err *e);
/* Writes the NUL-terminated text as the server prints it; returns out. */
const char *pg_lsn_format(pg_lsn lsn, char out[PG_LSN_TEXT_BYTES]);
/* <0, 0, >0. */
static inline int pg_lsn_compare(pg_lsn a, pg_lsn b) { return (a > b) - (a < b); }

#endif
