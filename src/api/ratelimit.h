/* Token buckets per access key. */
#ifndef API_RATELIMIT_H
#define API_RATELIMIT_H

#include "base/err.h"

typedef struct ratelimit ratelimit;

/* per_s 0: no limit. burst >= 1. NULL without memory. */
ratelimit *ratelimit_new(uint32_t per_s, uint32_t burst);
void ratelimit_free(ratelimit *r);
/* Takes one token of `who`; false when there is none. Thread-safe. now_us: monotonic. */
bool ratelimit_take(ratelimit *r, str who, int64_t now_us);

#endif
