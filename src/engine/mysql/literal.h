/* Values as SQL literals that MySQL and MariaDB read back exactly, on a session with SET NAMES binary, time_zone '+00:00' and without
 * NO_BACKSLASH_ESCAPES (as conn_open pins it). */
#ifndef ENGINE_MYSQL_LITERAL_H
#define ENGINE_MYSQL_LITERAL_H

#include "base/buf.h"
#include "model/table.h"
#include "model/value.h"

/* Appends v as a literal for column c: NULL, numbers bare, doubles with exponent (so that -0 and every bit survive), text with the column's charset as
 * introducer, bytes with _binary, times quoted, ENUM index and SET mask as number, BIT as unsigned number. ABSENT becomes DEFAULT.
 * UNCHANGED has no literal: out->failed is set, the caller must have left the column out.
 * One value has no literal that strict mode accepts: the error value of an ENUM, VAL_UINT 0 (see literal_is_enum_error). */
void literal_append(buf *out, const column_def *c, const val *v);
/* The same for a comparison with c: the servers take a SET with its 64th member for a negative number there (MariaDB 10.11, MySQL 9.7). */
void literal_append_compared(buf *out, const column_def *c, const val *v);
/* The value is the ENUM error value '' with index 0. */
bool literal_is_enum_error(const column_def *c, const val *v);
/* Appends bytes as 'text' with backslash escapes; no introducer. */
void literal_append_quoted(buf *out, str bytes);
/* The charset to use as introducer for the column's bytes, empty for none. utf8mb3 is read as utf8mb4, of which it is a part: naming it raises a
 * deprecation warning in MySQL >= 8.0.28. */
str literal_charset(const column_def *c);

#endif
