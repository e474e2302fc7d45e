/* The stream of a slot: what its files share. */
#ifndef ENGINE_POSTGRESQL_PG_STREAM_H
#define ENGINE_POSTGRESQL_PG_STREAM_H

#include "base/map.h"
#include "codec/pgoutput.h"
#include "engine/postgresql/postgresql.h"

/* A relation of the log and the table that it is. */
typedef struct pg_stream_table {
    const table_def *t;
    pgoutput_relation relation; /* in the tables' arena */
    uint32_t *columns;          /* index in t->columns by the relation's column */
} pg_stream_table;

typedef struct pg_stream_tables {
    const catalog_def *catalog; /* borrowed */
    arena mem;
    map by_oid;                 /* four bytes → pg_stream_table *; the newest Relation message of each */
} pg_stream_tables;

void pg_stream_tables_init(pg_stream_tables *s, const catalog_def *c);
void pg_stream_tables_finish(pg_stream_tables *s);
/* A Relation message: the table it is. ERR_SOURCE_DDL naming what differs from the catalog. */
ERR_MUST_USE bool pg_stream_tables_relation(pg_stream_tables *s, const pgoutput_relation *r, err *e);
/* Appends an Insert, Update or Delete to the transaction. */
ERR_MUST_USE bool pg_stream_tables_change(pg_stream_tables *s, const pgoutput_message *m, txn *out, err *e);
/* Appends a change for each truncated table. */
ERR_MUST_USE bool pg_stream_tables_truncate(const pg_stream_tables *s, const pgoutput_truncate *t, txn *out, err *e);

#endif
