/* The moment before users switch to the target: everything that the source had when asked is there, and its counters go on where the source's stand. */
#ifndef PIPELINE_CUTOVER_H
#define PIPELINE_CUTOVER_H

#include "pipeline/pipeline.h"

typedef struct cutover_result {
    bool ready;              /* the target has reached the marker, and its counters were set */
    position marker;         /* the source's newest position when asked */
    position at;             /* what the target has */
    int64_t waited_ms;       /* until it had the marker, or until given up */
    sequence_result *sequences;
    uint32_t sequence_count; /* 0 when not ready */
} cutover_result;

/* Beside a running worker, on connections of its own: waits at most wait_ms for the marker, then sets the counters with `margin` numbers more than the source's
 * next ones. Idempotent. False when an end cannot be asked. The result lives in the arena. */
ERR_MUST_USE bool cutover_run(const pipeline_job *job, uint64_t margin, int64_t wait_ms, const cancel *c, const clk *clock, arena *a, cutover_result *ret, err *e);

#endif
