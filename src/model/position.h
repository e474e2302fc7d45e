/* A place in a source's log: a transaction boundary with the identity of its server. Opaque outside its engine. */
#ifndef MODEL_POSITION_H
#define MODEL_POSITION_H

#include "base/arena.h"
#include "base/str.h"

/* Longest durable form (a GTID set of many servers). */
#define POSITION_MAX_BYTES (256 * 1024)

typedef struct position {
    str text;             /* the engine's durable text form; empty = none */
    int64_t commit_us;    /* source commit time of the last transaction before it, 0 = not known */
} position;

/* A copy in the arena; text.p == NULL without memory. */
static inline position position_copy(arena *a, position p) { return (position){arena_copy(a, p.text), p.commit_us}; }
static inline bool position_is_none(position p) { return p.text.n == 0; }

#endif
