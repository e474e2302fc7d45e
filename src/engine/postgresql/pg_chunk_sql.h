/* The SELECT statements of a chunked load: columns, key ranges. A bound is the key's values as literals with their types, between commas. */
#ifndef ENGINE_POSTGRESQL_PG_CHUNK_SQL_H
#define ENGINE_POSTGRESQL_PG_CHUNK_SQL_H

#include "engine/postgresql/postgresql.h"

/* The key that splits the table, NULL when it has none. */
const key_def *pg_chunk_key(const table_def *t);
/* The key has one column of an integer type. */
bool pg_chunk_key_is_integer(const table_def *t, const key_def *k);
/* The column is part of what a load carries. */
bool pg_chunk_carries(const column_def *c);
/* "a, b": the key's columns. */
void pg_chunk_key_sql(buf *sql, const table_def *t, const key_def *k);
/* " FROM ONLY "s"."t"": an inheritance parent without its children, a partitioned table with its leaves. */
void pg_chunk_from_sql(buf *sql, const table_def *t);
/* "(a, b) > (bound)" or <=. */
void pg_chunk_bound_sql(buf *sql, const table_def *t, const key_def *k, str bound, bool above);
/* Appends a key value as a literal of its column's type. */
void pg_chunk_bound_append(buf *bound, const column_def *c, str value);
/* " WHERE range AND filter" of a chunk; nothing for a whole table without a filter. */
void pg_chunk_where_sql(buf *sql, const table_def *t, const chunk *c);

#endif
