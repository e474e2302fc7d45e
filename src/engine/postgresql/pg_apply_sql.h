/* Building the statements of the applier. All append to a buffer, whose failure the caller finds at the end; false when a change cannot be written: a key column
 * that it does not carry, a value that PostgreSQL does not take. */
#ifndef ENGINE_POSTGRESQL_PG_APPLY_SQL_H
#define ENGINE_POSTGRESQL_PG_APPLY_SQL_H

#include "engine/postgresql/pg_table.h"
#include "model/batch.h"

/* "INSERT INTO ... VALUES (...)" of one row; columns without a value get their default. */
ERR_MUST_USE bool pg_apply_sql_insert(buf *b, const pg_table *t, const val *row, err *e);
/* "UPDATE ... SET every column that after carries WHERE the row of before". Tables without a key: one row that equals the whole of before. A SELECT of the row
 * when there is nothing to set. */
ERR_MUST_USE bool pg_apply_sql_update(buf *b, const pg_table *t, const val *before, const val *after, err *e);
ERR_MUST_USE bool pg_apply_sql_delete(buf *b, const pg_table *t, const val *before, err *e);
/* "k"='1' AND ... of the row key. otherwise: a row that has a key column which `row` leaves out; may be NULL. */
ERR_MUST_USE bool pg_apply_sql_key(buf *b, const pg_table *t, const val *row, const val *otherwise, err *e);
/* "SET a='1', ..." of what after carries; *ret_any false: nothing. */
ERR_MUST_USE bool pg_apply_sql_set(buf *b, const pg_table *t, const val *before, const val *after, bool *ret_any, err *e);
/* The value as a literal without a type. */
ERR_MUST_USE bool pg_apply_sql_value(buf *b, const pg_table *t, uint32_t column, const val *v, err *e);
/* "WITH _sluice_row AS (...) " where pg_apply_sql_where needs it, else nothing. */
ERR_MUST_USE bool pg_apply_sql_with(buf *b, const pg_table *t, const val *before, err *e);
/* " WHERE ...": the one row of the change. */
ERR_MUST_USE bool pg_apply_sql_where(buf *b, const pg_table *t, const val *before, const val *after, err *e);
/* "(SELECT '1'::type AS "a", ...) AS _sluice_row" with all columns of the table; those that the row leaves out are NULL. */
ERR_MUST_USE bool pg_apply_sql_row(buf *b, const pg_table *t, const val *row, err *e);
/* Every written column has a value in the row: it can be written as a whole. */
bool pg_apply_sql_is_whole(const pg_table *t, const val *row);
/* An UPDATE of the change leaves the column out: it is not written or not carried, keeps its key, or is GENERATED ALWAYS AS IDENTITY (pg_apply_identity.h). */
bool pg_apply_sql_skips(const pg_table *t, uint32_t column, const val *before, const val *after);
bool pg_apply_sql_is_key(const pg_table *t, uint32_t column);
/* The value cannot be written: names table and column. Returns false. */
bool pg_apply_sql_bad_value(const pg_table *t, uint32_t column, const val *v, err *e);
/* For messages: "id=5, name=x", each value cut at 64 bytes; "a row without key" for tables without one. */
void pg_apply_sql_describe_key(buf *b, const pg_table *t, const val *row, const val *otherwise);

#endif
