/* What prechecks that know no engine ask of one: the SQL that repairs what they found, and the rows that a finding is about. Repairs append statements, one a
 * line, or nothing where SQL is no help. Lines that begin with "--" are comments. */
#ifndef ENGINE_REPAIR_H
#define ENGINE_REPAIR_H

#include "base/buf.h"
#include "base/err.h"
#include "engine/engine.h"

#define REPAIR_SHOWN_ROWS 3     /* whose keys are named */
#define REPAIR_COUNT_SECONDS 20 /* for one table */

/* The rows of a table that a condition holds for. */
typedef struct condition_rows {
    uint64_t rows;
    str first;      /* keys of the first ones, "id=7; id=9", empty without a key */
    str select_sql; /* lists them all */
} condition_rows;

/* " WHERE (condition) AND (the table's filter)" for those that there are; for statements of count_rows. */
void repair_add_where(buf *out, const table_def *t, str condition);

struct repair_ops {
    /* An end refused us with e. */
    void (*login)(const endpoint *ep, const err *e, buf *out);
    /* At the source: the child no longer refers to its parent. */
    void (*drop_foreign_key)(const table_def *t, const foreign_key_def *f, buf *out);
    /* At the source: a table without a key gets one. */
    void (*add_key)(const table_def *t, const server_info *server, buf *out);
    /* At the source: the rows of the selection for each of n conditions in its SQL, in one pass. Everything is in the arena. False when they cannot be counted,
     * in REPAIR_COUNT_SECONDS or at all: only a lost connection is more than a finding (*ret_lost). May be NULL. */
    bool (*count_rows)(source *s, const table_def *t, const str *conditions, uint32_t n, arena *a, condition_rows *ret, bool *ret_lost, err *e);
};

#endif
