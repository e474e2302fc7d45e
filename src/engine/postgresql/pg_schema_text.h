/* The statements that make a table, its keys and foreign keys in a PostgreSQL target, from definitions in PostgreSQL's terms. No I/O. */
#ifndef ENGINE_POSTGRESQL_PG_SCHEMA_TEXT_H
#define ENGINE_POSTGRESQL_PG_SCHEMA_TEXT_H

#include "base/buf.h"
#include "base/err.h"
#include "model/table.h"

/* CREATE TABLE with columns, checks, the keys that are early, and comments; several statements separated by semicolons.
 * ERR_NOT_SUPPORTED: an expression of the definition names a column that is renamed or not carried. */
ERR_MUST_USE bool pg_schema_create_table(const table_def *t, bool with_row_key, buf *out, err *e);
/* Behind pg_schema_create_table of a partition: it takes rows of its parent. */
ERR_MUST_USE bool pg_schema_attach_partition(const table_def *t, const table_def *parent, buf *out, err *e);
/* The key is made with the table, not after the load: a unique one other than the row key, because rows of two chunks may meet in it (chunk.overlap). The row
 * key, in which they never meet, is built in one go afterwards, unless with_row_key. */
bool pg_schema_key_is_early(const table_def *t, const key_def *k, bool with_row_key);
/* Every column of the key is carried. */
bool pg_schema_key_is_whole(const table_def *t, const key_def *k);
/* CREATE INDEX or ALTER TABLE ... ADD CONSTRAINT. */
ERR_MUST_USE bool pg_schema_add_key(const table_def *t, const key_def *k, buf *out, err *e);
/* Every column of the foreign key is carried. */
bool pg_schema_foreign_key_is_whole(const table_def *t, const foreign_key_def *f);
/* ALTER TABLE ... ADD CONSTRAINT ... FOREIGN KEY; checked: existing rows are checked. */
ERR_MUST_USE bool pg_schema_add_foreign_key(const table_def *t, const foreign_key_def *f, const table_def *parent, bool checked, buf *out, err *e);

#endif
