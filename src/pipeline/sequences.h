/* Counters that give numbers to rows, whose values no log carries: read at the source and set at the target, so that the target can be switched to at any time:
 * behind the load, while the stream has caught up, at the end of a run, and when a cutover asks. */
#ifndef PIPELINE_SEQUENCES_H
#define PIPELINE_SEQUENCES_H

#include "pipeline/run.h"

/* Both ends have counters. */
bool sequences_carried(const pipeline_job *job);
/* Reads and sets all counters of a catalog; from, to: as source and target have it. ret: one result for each, in the arena. */
ERR_MUST_USE bool sequences_set(const pipeline_job *job, source *s, target *t, const catalog_def *from, const catalog_def *to, uint64_t margin, arena *a, sequence_result **ret,
                                uint32_t *ret_count, err *e);
/* Behind the load, until it is done; tells what became of them. */
ERR_MUST_USE bool sequences_after_load(run *r, err *e);
/* In the stream while it is caught up: at most every half minute, and only after rows; what fails is tried again the next time. */
void sequences_while_caught_up(run *r, bool rows);
/* At the end of a run that was cancelled in the stream: one attempt of a few seconds. */
void sequences_at_stop(run *r);

#endif
