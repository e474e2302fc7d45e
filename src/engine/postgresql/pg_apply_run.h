/* Sending statements of a window in few round trips and holding every answer against what it must be. */
#ifndef ENGINE_POSTGRESQL_PG_APPLY_RUN_H
#define ENGINE_POSTGRESQL_PG_APPLY_RUN_H

#include "engine/postgresql/pg_table.h"

/* What a statement must have done. */
typedef enum pg_apply_expect {
    PG_EXPECT_OK,    /* nothing to count */
    PG_EXPECT_ROWS,  /* exactly n rows inserted, deleted, matched by an UPDATE (changed or not), or selected */
    PG_EXPECT_ANY,   /* idempotent replay: any count */
    PG_EXPECT_JOB,   /* the job's row: one */
} pg_apply_expect;

typedef struct pg_apply_statement {
    pg_apply_expect expect;
    uint32_t n;
    const pg_table *table; /* NULL: session and transaction control */
} pg_apply_statement;

typedef struct pg_apply_run {
    pg_conn *c;           /* borrowed */
    bool single;          /* send each statement alone: to find the one that fails */
    buf sql;
    size_t start;         /* of the statement being built */
    pg_apply_statement *list; /* owned */
    uint32_t count, cap;
    bool suspect;         /* the last failure was the data's: a count was wrong, or a row was refused */
    uint64_t found;       /* with a wrong count: what was found */
    bool counted;         /* the last failure was a wrong count */
    bool job_lost;        /* the last failure was that the job's row was not touched: pg_checkpoint_lost tells why */
} pg_apply_run;

void pg_apply_run_init(pg_apply_run *r, pg_conn *c);
void pg_apply_run_finish(pg_apply_run *r);
/* Forgets what was not sent. */
void pg_apply_run_reset(pg_apply_run *r);
/* Where the next statement's text goes; end it with pg_apply_run_add. */
buf *pg_apply_run_begin(pg_apply_run *r);
/* The statement is complete. Sends the batch when it is large enough. */
ERR_MUST_USE bool pg_apply_run_add(pg_apply_run *r, pg_apply_expect expect, uint32_t n, const pg_table *table, err *e);
/* Sends what is left. False with suspect set: the transaction must be rolled back and can be looked at row by row. */
ERR_MUST_USE bool pg_apply_run_flush(pg_apply_run *r, err *e);

#endif
