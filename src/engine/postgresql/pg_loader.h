/* What the files of the loader share. */
#ifndef ENGINE_POSTGRESQL_PG_LOADER_H
#define ENGINE_POSTGRESQL_PG_LOADER_H

#include "engine/postgresql/pg_table.h"
#include "engine/postgresql/postgresql.h"

/* Texts of row keys that a chunk under way remembers, to name the row that COPY refuses. */
#define PG_LOADER_KEYS_MAX_BYTES (8u << 20)

struct loader {
    target *t;            /* borrowed: endpoint, environment */
    pg_conn *conn;        /* owned */
    uint64_t epoch;
    bool ignore_existing;
    bool replica;         /* its session has session_replication_role=replica */
    buf text;             /* rows as COPY text, kept over chunks */
    buf keys;             /* one line per row of the chunk: its key; at most PG_LOADER_KEYS_MAX_BYTES */
    arena mem;            /* of `table` */
    pg_table *table;      /* of the last chunk; NULL: none */
};

/* One chunk on its way. */
typedef struct pg_load {
    loader *l;
    const table_def *t;
    const pg_table *at;
    const row_feed *feed;
    bool staged;          /* through a temporary table: duplicates are expected */
    bool binary;          /* batches hold rows of the binary format (row_batch.raw) */
    row_batch *batch;     /* owned; NULL before the first and after the last */
    uint64_t rows;        /* sent */
    uint64_t taken;       /* by the table */
} pg_load;

/* Copies all rows of the feed into the table, or into the temporary table that `staged` asks for. */
ERR_MUST_USE bool pg_load_copy(pg_load *l, err *e);
/* Sends the lines of l->batch, which another PostgreSQL wrote; remembers their keys. */
ERR_MUST_USE bool pg_load_lines(pg_load *l, err *e);
/* The same for rows of the binary format. */
ERR_MUST_USE bool pg_load_binary(pg_load *l, err *e);
/* target_ops.takes_binary: every column has the same built-in type at both ends, one whose binary form is the same in all versions, and a key that pg_load_binary
 * can name. */
ERR_MUST_USE bool pg_loader_takes_binary(target *t, const table_def *table, bool *ret, err *e);
/* Moves the rows of the temporary table into the table: with ignore_existing those that meet no row, else in place of the rows that they meet. */
ERR_MUST_USE bool pg_load_move(pg_load *l, err *e);

#endif
