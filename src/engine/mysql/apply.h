/* The state of the applier, shared by apply.c (windows, transactions), apply_merged.c (sets of rows by key) and apply_ordered.c (changes one by one). */
#ifndef ENGINE_MYSQL_APPLY_H
#define ENGINE_MYSQL_APPLY_H

#include "engine/mysql/apply_run.h"
#include "engine/mysql/apply_sql.h"
#include "engine/mysql/mysql.h"

typedef struct applier {
    target *t;
    uint64_t epoch;
    arena mem;
    apply_tables tables;
    apply_run run;
    bool foreign_keys;     /* the session's base state of foreign_key_checks */
    bool foreign_keys_now; /* what the statements sent and queued so far leave */
    bool settled;          /* of the window under way */
    bool exact;            /* second try: every change alone, so that a wrong one is named */
} applier;

const apply_table *apply_table_of(const applier *a, const table_def *t);
/* Queues SET foreign_key_checks when it is not `on` already. */
ERR_MUST_USE bool apply_foreign_keys(applier *a, bool on, err *e);
/* Queues the deletion of all rows of the change's table. */
ERR_MUST_USE bool apply_truncate(applier *a, const change *c, err *e);
/* Queues one change as one statement that must hit exactly one row; with `exact` it is sent at once and a failure names the row. */
ERR_MUST_USE bool apply_change(applier *a, const change *c, err *e);
/* The same, so that a change that was applied before (or is older than the row) does no harm: the last image wins. */
ERR_MUST_USE bool apply_change_again(applier *a, const change *c, err *e);
/* Queues the merged changes of one table. */
ERR_MUST_USE bool apply_merged(applier *a, const table_changes *c, err *e);

#endif
