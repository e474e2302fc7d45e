/* Sending statements of a window in few round trips and holding every answer against what it must be. */
#ifndef ENGINE_MYSQL_APPLY_RUN_H
#define ENGINE_MYSQL_APPLY_RUN_H

#include "engine/mysql/apply_table.h"

/* What a statement must have done. */
typedef enum apply_expect {
    EXPECT_OK,       /* nothing to count */
    EXPECT_AFFECTED, /* exactly n rows inserted or deleted */
    EXPECT_MATCHED,  /* exactly n rows matched by an UPDATE, changed or not */
    EXPECT_UPSERTED, /* all n rows existed: none was inserted */
    EXPECT_ANY,      /* idempotent replay: any count */
} apply_expect;

typedef struct apply_statement {
    apply_expect expect;
    uint32_t n;
    size_t end;           /* of its text in the batch */
    uint32_t enum_errors; /* warnings that are meant: error values of ENUMs */
    const apply_table *table; /* NULL: session and transaction control */
} apply_statement;

typedef struct apply_run {
    conn *c;              /* borrowed; multi statements are switched on */
    size_t limit_bytes;   /* a batch is sent when it is larger */
    size_t packet_bytes;  /* the target's max_allowed_packet */
    bool single;          /* send each statement alone: to find the one that fails */
    uint32_t enum_errors; /* of the statement being built */
    buf sql;
    size_t start;         /* of the statement being built */
    apply_statement *list;/* owned */
    uint32_t count, cap;
    bool suspect;         /* the last failure was the data's: a count was wrong, or a row was refused */
    uint32_t found;       /* with a wrong count: what was found */
    bool counted;         /* the last failure was a wrong count */
} apply_run;

ERR_MUST_USE bool apply_run_init(apply_run *r, conn *c, uint64_t max_packet_bytes, err *e);
void apply_run_finish(apply_run *r);
/* Forgets what was not sent. */
void apply_run_reset(apply_run *r);
/* Where the next statement's text goes; end it with apply_run_add. */
buf *apply_run_begin(apply_run *r);
/* Bytes of the statement being built. */
static inline size_t apply_run_bytes(const apply_run *r) { return r->sql.n - r->start; }
/* The statement is complete. Sends the batch when it is large enough. */
ERR_MUST_USE bool apply_run_add(apply_run *r, apply_expect expect, uint32_t n, const apply_table *table, err *e);
/* Sends what is left. False with suspect set: the transaction must be rolled back and can be looked at row by row. */
ERR_MUST_USE bool apply_run_flush(apply_run *r, err *e);

#endif
