/* The one back-off of the pipeline: exponential with full jitter, bounded by the job's retry time, told to the events. */
#ifndef PIPELINE_RETRY_H
#define PIPELINE_RETRY_H

#include "base/random.h"
#include "pipeline/pipeline.h"

typedef struct retry {
    const clk *clock;              /* borrowed, like the next three */
    const cancel *cancel;
    const pipeline_events *events;
    const char *end;               /* "srcDB", "destDB" or "inner_module": who is asked again */
    uint64_t for_us;               /* how long one failure may last */
    int64_t since_us;              /* monotonic time of the failure's beginning */
    uint32_t attempt;              /* failures in a row, 0: none */
    rng jitter;
} retry;

void retry_init(retry *r, const pipeline_job *job, const pipeline_events *events, const cancel *c, const clk *clock, const char *end);
/* After a failure: waits and returns true when the work shall be tried again; e is empty then. False: e is final (never retried, cancelled, or the time is over).
 * Waits [0, limit) with the limit doubling from 10 ms (RETRY_TXN) or 200 ms (others) up to 30 s. */
bool retry_again(retry *r, err *e);
/* The work got on: the failure is over. Tells events->retrying with ERR_NONE when it had been told. */
void retry_over(retry *r);
/* "srcDB" or "destDB" when the code belongs to one of them, else `otherwise`. */
const char *retry_end_of(err_code code, const char *otherwise);

#endif
