/* The row condition of a selected table, evaluated on row images exactly as the source evaluates it in SQL, or refused. */
#ifndef MODEL_FILTER_H
#define MODEL_FILTER_H

#include "base/arena.h"
#include "base/err.h"
#include "model/table.h"
#include "model/value.h"

#define FILTER_MAX_BYTES (64 * 1024)
#define FILTER_MAX_DEPTH 64

typedef struct filter filter;

typedef enum filter_result { FILTER_FALSE, FILTER_TRUE, FILTER_UNKNOWN /* SQL NULL: the row is not selected */ } filter_result;

/* Compiles t->filter_sql against t's columns (types, charsets and collations filled). Lives in the arena; t must outlive it.
 * Accepted: columns (bare or in backticks), numbers, '...' texts, hexadecimal literals, NULL, TRUE, FALSE; = <> != < <= > >= <=>, IN, BETWEEN, LIKE, IS [NOT] NULL,
 * AND && OR NOT ! and parentheses, with MySQL's precedence. Each only where C gives the server's result:
 * - integer, DECIMAL, BIT and YEAR columns against numbers, integer and DECIMAL columns against each other, all digits counted;
 * - FLOAT and DOUBLE columns against numbers that a double holds exactly;
 * - DATE, DATETIME, TIMESTAMP columns against 'YYYY-MM-DD' and 'YYYY-MM-DD HH:MM:SS[.f]'; a TIMESTAMP is compared in UTC,
 *   within its range;
 * - binary columns and text columns with a _bin collation for equality, IN and LIKE, trailing spaces as the collation says.
 * All else fails with ERR_NOT_SUPPORTED, or ERR_BAD_INPUT and ERR_LIMIT, naming table, part and fix. ||, XOR, "..." and comments are refused since their
 * meaning hangs on the session.
 * Whoever gives the same text to a server must do it in a session with character set utf8mb4, time_zone '+00:00' and a sql_mode without ANSI_QUOTES,
 * HIGH_NOT_PRECEDENCE, NO_BACKSLASH_ESCAPES and PAD_CHAR_TO_FULL_LENGTH, and in parentheses. */
ERR_MUST_USE bool filter_compile(const table_def *t, arena *a, filter **ret, err *e);
/* row: t->column_count values, of a row image or of a full load. Fails when a needed column is absent or unchanged (ERR_SOURCE_LOG_FORMAT) or holds bytes
 * that its type does not have (ERR_CORRUPT). No memory is taken; safe from several threads at once. */
ERR_MUST_USE bool filter_eval(const filter *f, const val *row, filter_result *ret, err *e);

#endif
