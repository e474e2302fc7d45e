/* Back-off: full jitter, deadline, cancellable in slices through the replaceable clock. */
#include "pipeline/retry.h"

#define TXN_BASE_US 10000
#define BASE_US 200000
#define CAP_US 30000000
#define NO_MEMORY_ATTEMPTS 5
#define SLICE_US 50000 /* a cancel is seen within this time */

void retry_init(retry *r, const pipeline_job *job, const pipeline_events *events, const cancel *c, const clk *clock, const char *end)
{
    *r = (retry){.clock = clock, .cancel = c, .events = events, .end = end, .for_us = job->retry_for_us};
    uint64_t seed;
    random_bytes(&seed, sizeof seed);
    rng_init(&r->jitter, seed);
}

const char *retry_end_of(err_code code, const char *otherwise)
{
    if (code >= ERR_SOURCE_CONNECT && code <= ERR_SNAPSHOT_LOST) return "srcDB";
    if (code >= ERR_TARGET_CONNECT && code <= ERR_COMMIT_UNKNOWN) return "destDB";
    return otherwise;
}

static uint64_t next_delay(retry *r, err_retry class)
{
    uint64_t limit = class == RETRY_TXN ? TXN_BASE_US : BASE_US;
    for (uint32_t i = 1; i < r->attempt && limit < CAP_US; i++) limit *= 2;
    if (limit > CAP_US) limit = CAP_US;
    return rng_below(&r->jitter, limit);
}

bool retry_again(retry *r, err *e)
{
    if (cancel_asked(r->cancel)) return cancel_error(e);
    bool again = e->retry != RETRY_NEVER || e->code == ERR_COMMIT_UNKNOWN;
    if (!again || e->code == ERR_CANCELLED) return false;
    int64_t now = clk_mono_us(r->clock);
    if (r->attempt == 0) r->since_us = now;
    r->attempt++;
    uint64_t lasted = (uint64_t)(now - r->since_us);
    if (e->code == ERR_NO_MEMORY && r->attempt >= NO_MEMORY_ATTEMPTS)
        return err_context(e, "given up after %u attempts; raise --worker-memory of sluice serve, or give the job fewer lanes", r->attempt);
    if (lasted >= r->for_us)
        return err_context(e, "given up after %llu s and %u attempts", (unsigned long long)(lasted / 1000000), r->attempt);
    if (r->events->retrying) r->events->retrying(r->events->ctx, e, retry_end_of(e->code, r->end), r->attempt);
    uint64_t delay = next_delay(r, e->retry);
    if (delay > r->for_us - lasted) delay = r->for_us - lasted;
    int64_t until = now + (int64_t)delay;
    while (!cancel_asked(r->cancel) && (now = clk_mono_us(r->clock)) < until)
        clk_sleep_us(r->clock, until - now < SLICE_US ? until - now : SLICE_US);
    if (cancel_asked(r->cancel)) return cancel_error(e);
    *e = ERR_INIT; /* or what comes next would be taken for a failure by who looks at the code */
    return true;
}

void retry_over(retry *r)
{
    if (r->attempt == 0) return;
    r->attempt = 0;
    err none = ERR_INIT;
    if (r->events->retrying) r->events->retrying(r->events->ctx, &none, r->end, 0);
}
