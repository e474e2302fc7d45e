/* A place in the write-ahead log of one cluster and its durable text: {"system":"7301…","timeline":1,"lsn":"0/16B3748"[,"seen":"741.…"]}, members in this order, no white space.
 *   system    the cluster's system identifier
 *   timeline  changes with every promotion: the same LSN may mean something else afterwards
 *   lsn       everything that committed with its end at or before it is included
 *   seen      (a position of a stream or a load) up to where the source's catalog was looked at, see pg_watch.h */
#ifndef ENGINE_POSTGRESQL_PG_POSITION_H
#define ENGINE_POSTGRESQL_PG_POSITION_H

#include "codec/pg_lsn.h"
#include "engine/postgresql/postgresql.h"

typedef struct pg_place {
    str system; /* digits */
    uint32_t timeline;
    pg_lsn lsn;
    str seen;   /* p == NULL: not looked at */
} pg_place;

/* Strict; the slice borrows from the text. ERR_SOURCE_POSITION when it is not well formed. Safe on hostile input. */
ERR_MUST_USE bool pg_place_parse(str text, pg_place *ret, err *e);
/* The text in the arena. */
ERR_MUST_USE bool pg_place_format(const pg_place *p, int64_t commit_us, arena *a, position *ret, err *e);
/* System identifier and timeline of the connected server, the newest LSN of its log; ERR_SOURCE_CONFIG, RETRY_LATER for a standby:
 * it may be about to take over. */
ERR_MUST_USE bool pg_place_read(pg_conn *c, arena *a, pg_place *ret, err *e);

#endif
