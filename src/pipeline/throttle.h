/* Live rate limits of a job: rows and bytes per second for the full load and for the stream. */
#ifndef PIPELINE_THROTTLE_H
#define PIPELINE_THROTTLE_H

#include <pthread.h>

#include "base/cancel.h"
#include "base/clock.h"

typedef enum throttle_phase { THROTTLE_FULL, THROTTLE_STREAM, THROTTLE_PHASES } throttle_phase;

typedef struct throttle_limit {
    int64_t rows_per_s, bytes_per_s, queries_per_s; /* -1 (and 0): no limit */
} throttle_limit;

typedef struct throttle {
    pthread_mutex_t lock;
    throttle_limit limits[THROTTLE_PHASES];
    double row_debt_s[THROTTLE_PHASES]; /* seconds by which the work done is ahead of the rate */
    int64_t last_us[THROTTLE_PHASES];
} throttle;

void throttle_init(throttle *t);
void throttle_finish(throttle *t);
/* Takes effect at once, also for waiters within 100 ms. */
void throttle_set(throttle *t, throttle_phase p, throttle_limit limit);
throttle_limit throttle_get(throttle *t, throttle_phase p);
/* t == NULL: no limits. Accounts for work just done and waits as long as the limits ask; returns early when cancelled. */
void throttle_pace(throttle *t, throttle_phase p, uint64_t rows, uint64_t bytes, uint64_t queries, const clk *clock, const cancel *c);

#endif
