/* Randomness: the system's for secrets and ids, a seeded generator for simulation and jitter. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include "base/str.h"

/* A seeded generator (xoshiro256**): the same seed gives the same sequence. Not for secrets. */
typedef struct rng {
    uint64_t s[4];
} rng;

void rng_init(rng *r, uint64_t seed);
uint64_t rng_next(rng *r);
/* 0 .. below-1, unbiased; below >= 1. */
uint64_t rng_below(rng *r, uint64_t below);
/* true in `percent` of 100 calls. */
bool rng_chance(rng *r, unsigned percent);

/* Bytes from the kernel; ends the process when the kernel has none. For secrets, ids, seeds. */
void random_bytes(void *out, size_t n);
/* `n` characters of [a-z0-9] (ids as the DTS API shows them), unbiased; out gets a NUL, n+1 bytes. */
void random_id(char *out, size_t n);
/* "01B6F250-21E7-4484-99D5-3EF2625C0123" upper case, 36 bytes and NUL. */
#define RANDOM_UUID_BYTES 37
void random_uuid(char out[RANDOM_UUID_BYTES]);

#endif
