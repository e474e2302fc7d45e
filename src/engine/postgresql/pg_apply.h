/* The state of the applier, shared by pg_apply.c (windows, transactions), pg_apply_merged.c (sets of rows by key), pg_apply_ordered.c (changes one by one) and
 * pg_apply_again.c (both, where they may have been applied before). */
#ifndef ENGINE_POSTGRESQL_PG_APPLY_H
#define ENGINE_POSTGRESQL_PG_APPLY_H

#include "engine/postgresql/pg_apply_run.h"
#include "engine/postgresql/postgresql.h"

typedef struct pg_applier {
    target *t;
    uint64_t epoch;
    arena mem;
    pg_table *tables;      /* by table id */
    pg_apply_run run;
    arena scratch;         /* of the merged changes of one table */
    bool replica;          /* the session's base role is replica, where ordinary triggers and foreign keys stay silent */
    bool enforce;          /* the source does not log what foreign key actions change: the target's must run */
    bool defer;            /* some constraint can be checked at the end of the transaction */
    bool origin_now;       /* what the statements sent and queued so far leave the role at */
    bool settled;          /* of the window under way */
    bool exact;            /* second try: every change alone, so that a wrong one is named */
    uint64_t rescued;      /* windows whose second try found nothing wrong: a fault of the sets of rows, as long as nobody else writes; tests look at it */
} pg_applier;

static inline const pg_table *pg_apply_table_of(const pg_applier *a, const table_def *t) { return &a->tables[t->id]; }

/* Queues the change of role when the session has not got it already; nothing where the role may not change it. */
ERR_MUST_USE bool pg_apply_role(pg_applier *a, bool origin, err *e);
/* Queues one change as one statement that must hit exactly one row; with `exact` it is sent at once and a failure names the row. */
ERR_MUST_USE bool pg_apply_change(pg_applier *a, const change *c, err *e);
/* Queues the merged changes of one table. */
ERR_MUST_USE bool pg_apply_merged(pg_applier *a, const table_changes *c, err *e);
/* The same, so that a change that was applied before (or is older than the row) does no harm: the last image wins. */
ERR_MUST_USE bool pg_apply_change_again(pg_applier *a, const change *c, err *e);
/* Queues the changes of kind CHANGE_TRUNCATE that the list begins with as one statement, since foreign keys may tie the tables; ret_n: how many they are. Later
 * states in an overlap lose nothing: the stream brings back every row that came after. */
ERR_MUST_USE bool pg_apply_truncate(pg_applier *a, const change *const *list, uint32_t count, uint32_t *ret_n, err *e);
/* Adds table, key and what went wrong to an error of one change; no other column's value. Returns false. */
bool pg_apply_name_row(const pg_applier *a, const change *c, err *e);
/* The destination is not what a change expects: a unique key, a foreign key, an exclusion. */
bool pg_apply_is_divergence(int native);

#endif
