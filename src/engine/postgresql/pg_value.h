/* Values as the texts that PostgreSQL reads: a field of COPY, a literal, an element of an array literal. A target takes VAL_NUMBER and VAL_TEXT as they are. */
#ifndef ENGINE_POSTGRESQL_PG_VALUE_H
#define ENGINE_POSTGRESQL_PG_VALUE_H

#include "base/buf.h"
#include "model/value.h"

/* The column is written by a change that has this value. */
static inline bool pg_value_is_there(const val *v) { return v->kind != VAL_ABSENT && v->kind != VAL_UNCHANGED; }

/* Each appends one value, NULL included; false, with nothing appended, when the value is of a kind that a PostgreSQL target does not take. A zero byte, which
 * PostgreSQL stores in no text, is appended as it is by pg_value_copy, for the server to refuse; the other two return false. */
bool pg_value_copy(buf *out, const val *v);
/* 'text' or NULL. */
bool pg_value_literal(buf *out, const val *v);
/* An element of '{...}': "text" with the quotes of the literal around it doubled, or NULL. */
bool pg_value_element(buf *out, const val *v);

#endif
