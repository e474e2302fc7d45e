/* The SELECT statements of a chunked load: columns, key ranges, order. */
#ifndef ENGINE_MYSQL_CHUNK_SQL_H
#define ENGINE_MYSQL_CHUNK_SQL_H

#include "engine/mysql/mysql.h"

/* The key that splits the table, NULL when it has none that can. */
const key_def *chunk_key(const table_def *t);
/* The key has one column of an integer type. */
bool chunk_key_is_integer(const table_def *t, const key_def *k);
/* The column is part of what a load carries. */
bool chunk_carries(const column_def *c);
/* The expression that reads a column exactly in the text protocol (FLOAT in full, the sign of zero on MariaDB, the error value of an ENUM with an empty label). */
void chunk_column_sql(buf *sql, const column_def *c, bool mariadb);
/* "a, b": the key's columns as compared. */
void chunk_key_sql(buf *sql, const table_def *t, const key_def *k);
/* " FROM `s`.`t` FORCE INDEX (`key`)"; k NULL: no index named. */
void chunk_from_sql(buf *sql, const table_def *t, const key_def *k);
/* " ORDER BY a, b" */
void chunk_order_sql(buf *sql, const table_def *t, const key_def *k);
/* The condition key > bound or key <= bound, spelled out so that both products use the index for it. Fails on a bound that does not fit the key. */
ERR_MUST_USE bool chunk_bound_sql(buf *sql, const table_def *t, const key_def *k, str bound, bool above, err *e);
/* Appends a key value, as read by chunk_key_sql in the text protocol, as a literal without commas inside. */
void chunk_bound_append(buf *bound, const column_def *c, str value);

#endif
