/* The net effect of a run of changes on one table, by row key. What cannot be merged exactly is refused, and the table's changes are then applied in order. */
#ifndef PIPELINE_MERGE_H
#define PIPELINE_MERGE_H

#include "base/map.h"
#include "engine/engine.h"
#include "pipeline/fold.h"

typedef struct merge {
    const table_def *table;
    bool overlap;    /* no change may be dropped: the target may hold any state of the window */
    bool folds;      /* exact and folded keys differ */
    bool wild;       /* a key that may equal any other was seen */
    map by_key, by_fold;
    buf key, fold;   /* scratch */
    arena *mem;      /* borrowed: entries and made images */
} merge;

typedef enum merge_result { MERGE_OK, MERGE_REFUSED, MERGE_NO_MEMORY } merge_result;

/* Can the table be merged at all? */
bool merge_suits(const table_def *t);
/* Starts anew, keeping memory. */
void merge_begin(merge *m, const table_def *t, bool overlap, arena *mem);
void merge_finish(merge *m);
/* Takes the next change in source order; its values are borrowed until the changes were used. After MERGE_REFUSED the merge is void. */
merge_result merge_add(merge *m, const change *c);
/* The net changes, in the arena; in order of first touch. False without memory. */
bool merge_result_changes(const merge *m, table_changes *ret);

#endif
