/* Rows in the binary format of PostgreSQL's COPY.
 *
 * A header of 19 bytes: the signature "PGCOPY\n\377\r\n\0", 32 bits of flags (0), 32 bits: length of an extension of the header (0). Rows: 16 bits: number of
 * fields; of each field 32 bits: its length, -1 for NULL, and its bytes. The end: 16 bits of -1. Integers are big-endian. The server sends the header together
 * with the first row, else each row, and the end, in a message of its own.
 * Source: PostgreSQL manual "COPY", File Formats, and "Message Formats", CopyData; src/backend/commands/copyto.c; golden bytes of PostgreSQL 15, 17 and 18. */
#ifndef CODEC_PG_COPY_BINARY_H
#define CODEC_PG_COPY_BINARY_H

#include "base/err.h"
#include "base/str.h"

#define PG_COPY_BINARY_HEADER ((str){"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0", 19})
#define PG_COPY_BINARY_END ((str){"\377\377", 2})

/* Moves *bytes behind the header. Errors: ERR_CORRUPT when there is none, or one with flags or an extension that are not known. */
ERR_MUST_USE bool pg_copy_binary_header(str *bytes, err *e);
/* Takes the row that *bytes begins with; its fields, p == NULL for NULL, are borrowed from it. The end is no row. Errors: ERR_CORRUPT, also when it has more or
 * fewer fields than `count`. On failure the contents of `fields` mean nothing. */
ERR_MUST_USE bool pg_copy_binary_row(str *bytes, str *fields, uint32_t count, err *e);

#endif
