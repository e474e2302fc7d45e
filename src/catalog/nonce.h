/* The replay store: which signature nonces were used. A file of its own (DIR/nonce.db) that survives kill -9 without an fsync per request. */
#ifndef CATALOG_NONCE_H
#define CATALOG_NONCE_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"

/* A nonce is remembered for twice the timestamp window. */
#define NONCE_KEEP_US (30LL * 60 * 1000000)
#define NONCE_MAX_BYTES 256

typedef struct nonce_store nonce_store;

ERR_MUST_USE bool nonce_open(const char *dir, const clk *clock, nonce_store **ret, err *e);
void nonce_close(nonce_store *n);
/* ret_fresh: false when (key, nonce) was used within NONCE_KEEP_US. Thread-safe: of many callers with one nonce exactly one gets true.
 * Waits at most five seconds for other threads and processes. */
ERR_MUST_USE bool nonce_use(nonce_store *n, str key_id, str nonce, bool *ret_fresh, err *e);
/* Can a nonce be stored now? Writes one row, always the same. */
ERR_MUST_USE bool nonce_check(nonce_store *n, err *e);

#endif
