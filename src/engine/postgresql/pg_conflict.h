/* Rows of a target that new rows would meet in a unique key: REPLACE of MySQL for any unique index of PostgreSQL. */
#ifndef ENGINE_POSTGRESQL_PG_CONFLICT_H
#define ENGINE_POSTGRESQL_PG_CONFLICT_H

#include "engine/postgresql/pg_table.h"

/* Appends the DELETE of the rows that meet one of the new rows in this index. rows: a FROM item whose columns are named as all columns of the table.
 * spared: a condition of rows that stay all the same, may be empty. */
void pg_conflict_delete_sql(buf *sql, const pg_table *t, const pg_unique *u, str rows, str spared);

#endif
