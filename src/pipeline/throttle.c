/* Live rate limits: work done adds a debt of seconds, time pays it off, the worker waits while it is in debt. */
#include "pipeline/throttle.h"

#include <string.h>

#define SLICE_US 50000

void throttle_init(throttle *t)
{
    memset(t, 0, sizeof *t);
    pthread_mutex_init(&t->lock, NULL);
    for (int p = 0; p < THROTTLE_PHASES; p++) t->limits[p] = (throttle_limit){-1, -1, -1};
}

void throttle_finish(throttle *t) { pthread_mutex_destroy(&t->lock); }

static bool same(throttle_limit a, throttle_limit b)
{
    return a.rows_per_s == b.rows_per_s && a.bytes_per_s == b.bytes_per_s && a.queries_per_s == b.queries_per_s;
}

void throttle_set(throttle *t, throttle_phase p, throttle_limit limit)
{
    pthread_mutex_lock(&t->lock);
    if (!same(t->limits[p], limit)) t->row_debt_s[p] = 0; /* a debt at the old rate says nothing about the new one */
    t->limits[p] = limit;
    pthread_mutex_unlock(&t->lock);
}

throttle_limit throttle_get(throttle *t, throttle_phase p)
{
    pthread_mutex_lock(&t->lock);
    throttle_limit limit = t->limits[p];
    pthread_mutex_unlock(&t->lock);
    return limit;
}

static double seconds(uint64_t amount, int64_t per_s) { return per_s > 0 ? (double)amount / (double)per_s : 0; }

/* Adds the work to the debt; returns the seconds to wait. */
static double owe(throttle *t, throttle_phase p, uint64_t rows, uint64_t bytes, uint64_t queries, int64_t now, throttle_limit *ret_limit)
{
    pthread_mutex_lock(&t->lock);
    throttle_limit l = t->limits[p];
    double cost = seconds(rows, l.rows_per_s), other = seconds(bytes, l.bytes_per_s);
    if (other > cost) cost = other;
    other = seconds(queries, l.queries_per_s);
    if (other > cost) cost = other;
    /* the time since the last call pays, also the time this work took; what is over is not saved up */
    double paid = t->last_us[p] ? (double)(now - t->last_us[p]) / 1e6 : 0, debt = t->row_debt_s[p] + cost - paid;
    if (debt < 0) debt = 0;
    t->row_debt_s[p] = debt;
    t->last_us[p] = now;
    pthread_mutex_unlock(&t->lock);
    *ret_limit = l;
    return cost > 0 ? debt : 0;
}

void throttle_pace(throttle *t, throttle_phase p, uint64_t rows, uint64_t bytes, uint64_t queries, const clk *clock, const cancel *c)
{
    if (!t) return;
    int64_t now = clk_mono_us(clock);
    throttle_limit limit;
    double wait_s = owe(t, p, rows, bytes, queries, now, &limit);
    if (wait_s > 1e6) wait_s = 1e6;
    int64_t until = now + (int64_t)(wait_s * 1e6);
    while (now < until && !cancel_asked(c) && same(limit, throttle_get(t, p))) {
        clk_sleep_us(clock, until - now < SLICE_US ? until - now : SLICE_US);
        now = clk_mono_us(clock);
    }
}
