/* What the loader and the applier do with the job's row and with chunks, within their own transactions. */
#ifndef ENGINE_POSTGRESQL_PG_CHECKPOINT_H
#define ENGINE_POSTGRESQL_PG_CHECKPOINT_H

#include "engine/postgresql/postgresql.h"

/* Adds to the totals, moves phase (NULL: stays) and position (none: stays). ERR_FENCED, ERR_CHECKPOINT_MISSING. */
ERR_MUST_USE bool pg_checkpoint_advance(pg_conn *c, str job_id, uint64_t epoch, const char *phase, position at, uint64_t txns, uint64_t rows, err *e);
/* The statement that it runs, which touches one row, or none for the reason that pg_checkpoint_lost finds (it returns false). */
void pg_checkpoint_advance_sql(buf *sql, str job_id, uint64_t epoch, const char *phase, position at, uint64_t txns, uint64_t rows);
bool pg_checkpoint_lost(pg_conn *c, str job_id, uint64_t epoch, err *e);
/* The job's row is share-locked and has this epoch, so that a fenced worker cannot commit. */
ERR_MUST_USE bool pg_checkpoint_guard(pg_conn *c, str job_id, uint64_t epoch, err *e);
/* Commits. A COMMIT that the server turned into a rollback is an error; ERR_COMMIT_UNKNOWN when its answer was lost. */
ERR_MUST_USE bool pg_checkpoint_commit(pg_conn *c, err *e);
/* Rolls back; a connection where that fails is marked broken. */
void pg_checkpoint_roll_back(pg_conn *c);

/* A chunk's row, locked. */
typedef struct pg_chunk_state {
    bool done;
    uint64_t rows;
    uint64_t xid;    /* of the transaction that loaded it, with its epoch: the rows that carry it are the chunk's */
} pg_chunk_state;

ERR_MUST_USE bool pg_checkpoint_lock_chunk(pg_conn *c, str job_id, const table_def *table, const chunk *k, pg_chunk_state *ret, err *e);
/* Marks a chunk done by this transaction. ERR_CHECKPOINT_MISSING when its row is gone. */
ERR_MUST_USE bool pg_checkpoint_chunk_done(pg_conn *c, str job_id, const table_def *table, const chunk *k, position at, uint64_t rows, err *e);

#endif
