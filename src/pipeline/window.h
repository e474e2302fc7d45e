/* The merge window: whole source transactions, brought to their net effect and applied as one target transaction.
 *
 * Changes of tables that merge_suits() come out per table and row key; all others, and those of a table whose changes of this window cannot be merged exactly
 * (see merge.h and fold.h), come out in source order. Tables of the first kind have no foreign keys, no other unique keys and no triggers, so their order
 * against each other and against the ordered changes does not matter. */
#ifndef PIPELINE_WINDOW_H
#define PIPELINE_WINDOW_H

#include "pipeline/merge.h"
#include "pipeline/span.h"

typedef struct window_table {
    merge merge;
    enum { WINDOW_UNTOUCHED, WINDOW_MERGED, WINDOW_ORDERED, WINDOW_SKIPPED } way;
    bool overlap;
} window_table;

typedef struct window {
    txn **txns; /* owned */
    uint32_t txn_count, txn_cap;
    uint32_t changes;      /* in them */
    size_t bytes;
    uint32_t rank;         /* of all of them, see span.h */
    arena mem;             /* what window_build makes */
    window_table *tables;  /* per table id */
    uint32_t table_count;
    uint32_t *touched;     /* table ids */
    uint32_t touched_count;
} window;

ERR_MUST_USE bool window_init(window *w, uint32_t table_count, err *e);
void window_finish(window *w);
/* Takes the transaction, also on failure. Its tables have ids below table_count. */
ERR_MUST_USE bool window_add(window *w, txn *t, err *e);
/* The net effect; valid until window_reset. s: chunk positions (rank applies), never NULL. */
ERR_MUST_USE bool window_build(window *w, const spans *s, apply_window *ret, err *e);
/* Frees the transactions. */
void window_reset(window *w);

#endif
