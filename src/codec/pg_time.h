/* PostgreSQL's clock on the wire: 64-bit microseconds since 2000-01-01 00:00 UTC, to and from Unix microseconds.
 * Source: PostgreSQL manual "Streaming Replication Protocol"; src/include/datatype/timestamp.h (POSTGRES_EPOCH_JDATE). */
#ifndef CODEC_PG_TIME_H
#define CODEC_PG_TIME_H

#include "base/cursor.h"

/* 2000-01-01 00:00 UTC in Unix microseconds. */
#define PG_TIME_EPOCH_US 946684800000000ll

/* The next 8 bytes (big endian) as Unix microseconds; fails the cursor when they do not fit. */
static inline int64_t pg_time_read(cursor *c)
{
    int64_t unix_us = 0;
    if (__builtin_add_overflow((int64_t)cursor_be(c, 8), PG_TIME_EPOCH_US, &unix_us)) c->failed = true;
    return c->failed ? 0 : unix_us;
}

/* Unix microseconds as PostgreSQL's; what lies too far back (before the year -290000) becomes the lowest number. */
static inline int64_t pg_time_from_unix_us(int64_t unix_us)
{
    int64_t pg_us;
    return __builtin_sub_overflow(unix_us, PG_TIME_EPOCH_US, &pg_us) ? INT64_MIN : pg_us;
}

#endif
