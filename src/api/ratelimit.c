/* Token buckets: a fixed table by hash, so that made-up names cannot use memory; colliding names share a bucket. */
#include "api/ratelimit.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/map.h"

#define BUCKETS 4096

struct ratelimit {
    pthread_mutex_t lock;
    double per_us, burst;
    struct {
        double tokens;
        int64_t at_us;
    } bucket[BUCKETS];
};

ratelimit *ratelimit_new(uint32_t per_s, uint32_t burst)
{
    ratelimit *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    pthread_mutex_init(&r->lock, NULL);
    r->per_us = per_s / 1e6;
    r->burst = burst;
    for (size_t i = 0; i < BUCKETS; i++) r->bucket[i].tokens = burst;
    return r;
}

void ratelimit_free(ratelimit *r)
{
    if (!r) return;
    pthread_mutex_destroy(&r->lock);
    free(r);
}

bool ratelimit_take(ratelimit *r, str who, int64_t now_us)
{
    if (r->per_us <= 0) return true;
    size_t i = map_hash(who) % BUCKETS;
    pthread_mutex_lock(&r->lock);
    double tokens = r->bucket[i].tokens + (double)(now_us - r->bucket[i].at_us) * r->per_us;
    if (r->bucket[i].at_us == 0 || tokens > r->burst) tokens = r->burst;
    bool ok = tokens >= 1;
    r->bucket[i].tokens = ok ? tokens - 1 : tokens;
    r->bucket[i].at_us = now_us;
    pthread_mutex_unlock(&r->lock);
    return ok;
}
