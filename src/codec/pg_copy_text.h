/* Rows in the text format of PostgreSQL's COPY.
 *
 * A row is a line: fields with a tab between, a line feed at the end. \N alone is NULL. Backslash, backspace, form feed, line feed, carriage return, tab and
 * vertical tab are written as \\ \b \f \n \r \t \v; all other bytes as they are. Read are also \ooo (octal), \xhh (hex) and \ before any other character.
 * Source: PostgreSQL manual "COPY", File Formats; src/backend/commands/copyto.c; lines of PostgreSQL 15, 17 and 18 (tests/golden/pg_text). */
#ifndef CODEC_PG_COPY_TEXT_H
#define CODEC_PG_COPY_TEXT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Appends one field; p == NULL is NULL. The bytes must be in the encoding of the session; a NUL byte passes and is refused by the server. */
void pg_copy_text_write(buf *out, str value);
/* Appends a row with its line feed. */
void pg_copy_text_write_row(buf *out, const str *values, uint32_t count);
/* Reads the line of a row, without its line feed, into `count` fields; p == NULL is NULL. Fields are borrowed from the line, or in the arena when they held
 * escapes. A line with more or fewer fields, or the mark \. of old files, is an error. On failure the contents of `fields` mean nothing.
 * Errors: ERR_CORRUPT. */
ERR_MUST_USE bool pg_copy_text_parse(str line, arena *a, str *fields, uint32_t count, err *e);

#endif
