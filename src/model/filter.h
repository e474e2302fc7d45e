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

/* Compiles t->filter_sql against t's columns. Accepted: column, integer/decimal/string/NULL/TRUE/FALSE literals, = <> != < <= > >= <=>, AND OR NOT && ||(as OR) !,
 * IN, BETWEEN, IS [NOT] NULL, parentheses; each only where the result in C equals the server's (integers and decimals against numbers,
 * DATE/DATETIME/TIMESTAMP against well-formed literals, text only with binary collations or for pure equality under _bin; else ERR_NOT_SUPPORTED naming
 * the part and the fix). Lives in the arena. */
ERR_MUST_USE bool filter_compile(const table_def *t, arena *a, filter **ret, err *e);
/* row: t->column_count values. Fails when a needed column is absent or unchanged. */
ERR_MUST_USE bool filter_eval(const filter *f, const val *row, filter_result *ret, err *e);

#endif
