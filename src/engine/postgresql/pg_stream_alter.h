/* Changes of a table's columns that a Relation message shows. */
#ifndef ENGINE_POSTGRESQL_PG_STREAM_ALTER_H
#define ENGINE_POSTGRESQL_PG_STREAM_ALTER_H

#include "codec/pgoutput.h"
#include "engine/postgresql/postgresql.h"
#include "model/alter.h"

/* What leads from t to the columns of the message, in the arena; count 0 when nothing does but the shape. *ret_known false: the source's catalog has moved on
 * so far that it cannot be told. ERR_SOURCE_DDL names the column that cannot be carried. */
ERR_MUST_USE bool pg_stream_alter_find(source *s, const table_def *t, const pgoutput_relation *r, arena *a, table_alter *ret, bool *ret_known, err *e);

/* Waits until other sessions see what the log has just told of a table: it tells a transaction some moments before that, but the transaction's lock of the table
 * goes after it. *ret_there false: there is no such table any more, and nothing to see. RETRY_LATER when somebody else keeps the lock. */
ERR_MUST_USE bool pg_stream_wait_visible(pg_conn *c, str schema, str table, bool *ret_there, err *e);

#endif
