/* Dates, times and intervals in PostgreSQL's text form (DateStyle ISO, IntervalStyle postgres).
 *
 *   date         YYYY-MM-DD [BC]                          4 digits of the year or more; "infinity", "-infinity"
 *   time         HH:MM:SS[.f]                             1 to 6 digits of fraction; 24:00:00 is a value of its own
 *   timetz       HH:MM:SS[.f]+ZZ[:MM[:SS]]
 *   timestamp    YYYY-MM-DD HH:MM:SS[.f] [BC]             and infinities
 *   timestamptz  YYYY-MM-DD HH:MM:SS[.f]+ZZ[:MM[:SS]] [BC]  +00 in a session with TimeZone UTC
 *   interval     [N year[s]] [N mon[s]] [N day[s]] [[-]HH:MM:SS[.f]]  each part with its own sign; infinities since 17
 *
 * What MySQL and others cannot hold (infinities, BC, years over 9999, 24:00) is told apart, nothing is clamped.
 * Source: PostgreSQL manual "Date/Time Types", src/backend/utils/adt/datetime.c (EncodeDateTime, EncodeInterval); values of PostgreSQL 15, 17 and 18
 * (tests/golden/pg_text). Errors: ERR_CORRUPT. */
#ifndef CODEC_PG_DATETIME_H
#define CODEC_PG_DATETIME_H

#include "base/err.h"

typedef enum pg_datetime_kind {
    PG_DATETIME_ORDINARY, /* years 1 to 9999, and every time */
    PG_DATETIME_BC,       /* before the year 1 */
    PG_DATETIME_FAR,      /* year 10000 or later */
    PG_DATETIME_INFINITY, PG_DATETIME_MINUS_INFINITY, /* no field is set */
} pg_datetime_kind;

typedef struct pg_datetime {
    pg_datetime_kind kind;
    int32_t year; /* 1 BC is 0, 2 BC is -1; 0 in a time */
    uint8_t month, day; /* 0 in a time */
    uint8_t hour; /* 24 only in the time 24:00:00 */
    uint8_t minute, second;
    uint8_t digits; /* of the fraction in the text, 0..6 */
    uint32_t micros;
    int32_t zone_s; /* seconds east of UTC */
} pg_datetime;

ERR_MUST_USE bool pg_datetime_parse_date(str text, pg_datetime *ret, err *e);
ERR_MUST_USE bool pg_datetime_parse_time(str text, bool with_zone, pg_datetime *ret, err *e);
ERR_MUST_USE bool pg_datetime_parse_timestamp(str text, bool with_zone, pg_datetime *ret, err *e);
/* Microseconds since 1970-01-01 UTC of a date or timestamp (proleptic Gregorian calendar). False for infinities and what does not fit, after year 294241. */
bool pg_datetime_to_unix_us(const pg_datetime *d, int64_t *ret_us);

typedef struct pg_interval {
    bool infinite; /* the sign is that of `months` (1 or -1), nothing else is set */
    int32_t months, days; /* months and days have no fixed length: the parts are kept apart */
    int64_t micros;
} pg_interval;

ERR_MUST_USE bool pg_interval_parse(str text, pg_interval *ret, err *e);

#endif
