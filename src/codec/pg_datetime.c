/* Dates, times and intervals in PostgreSQL's text form. */
#include "codec/pg_datetime.h"

#include "base/cursor.h"
#include "codec/pg_text.h"

/* `least` to `most` (19 at the highest) digits. */
static uint64_t number(cursor *c, unsigned least, unsigned most, unsigned *ret_digits)
{
    unsigned n = 0;
    uint64_t v = 0;
    for (; n < most && c->p < c->end && *c->p >= '0' && *c->p <= '9'; n++) v = v * 10 + (uint64_t)(*c->p++ - '0');
    if (n < least) c->failed = true;
    if (ret_digits) *ret_digits = n;
    return v;
}

/* Two digits up to `highest`. */
static uint8_t pair(cursor *c, unsigned highest)
{
    uint64_t v = number(c, 2, 2, NULL);
    if (v > highest) c->failed = true;
    return (uint8_t)v;
}

static void fraction(cursor *c, uint32_t *ret_micros, uint8_t *ret_digits)
{
    unsigned digits = 0;
    uint64_t v = cursor_accept(c, '.') ? number(c, 1, 6, &digits) : 0;
    for (unsigned i = digits; i < 6; i++) v *= 10;
    *ret_micros = (uint32_t)v;
    *ret_digits = (uint8_t)digits;
}

static unsigned month_days(int32_t year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

static void scan_date(cursor *c, pg_datetime *d)
{
    bool zero = c->p < c->end && *c->p == '0';
    unsigned digits;
    d->year = (int32_t)number(c, 4, 7, &digits);
    if (digits > 4 && zero) c->failed = true; /* only up to 4 digits are filled with zeros */
    cursor_expect(c, '-');
    d->month = pair(c, 12);
    cursor_expect(c, '-');
    d->day = pair(c, 31);
}

static void scan_clock(cursor *c, unsigned highest_hour, pg_datetime *d)
{
    d->hour = pair(c, highest_hour);
    cursor_expect(c, ':');
    d->minute = pair(c, 59);
    cursor_expect(c, ':');
    d->second = pair(c, 59);
    fraction(c, &d->micros, &d->digits);
    if (d->hour == 24 && (d->minute || d->second || d->micros)) c->failed = true;
}

static void scan_zone(cursor *c, pg_datetime *d)
{
    bool west = cursor_accept(c, '-');
    if (!west) cursor_expect(c, '+');
    int32_t zone = pair(c, 15) * 3600;
    if (cursor_accept(c, ':')) zone += pair(c, 59) * 60;
    if (cursor_accept(c, ':')) zone += pair(c, 59);
    d->zone_s = west ? -zone : zone;
}

/* The era behind a date, and what follows from the year. */
static void scan_era(cursor *c, pg_datetime *d)
{
    bool bc = cursor_accept(c, ' ');
    if (bc) {
        cursor_expect(c, 'B');
        cursor_expect(c, 'C');
    }
    if (c->failed || cursor_left(c) || d->year < 1 || d->month < 1 || d->day < 1) {
        c->failed = true;
        return;
    }
    if (bc) d->year = 1 - d->year;
    d->kind = bc ? PG_DATETIME_BC : d->year > 9999 ? PG_DATETIME_FAR : PG_DATETIME_ORDINARY;
    if (d->day > month_days(d->year, d->month)) c->failed = true;
}

static bool parse_infinity(str text, pg_datetime *ret)
{
    bool minus = str_eq(text, STR("-infinity"));
    if (!minus && !str_eq(text, STR("infinity"))) return false;
    *ret = (pg_datetime){.kind = minus ? PG_DATETIME_MINUS_INFINITY : PG_DATETIME_INFINITY};
    return true;
}

bool pg_datetime_parse_date(str text, pg_datetime *ret, err *e)
{
    if (parse_infinity(text, ret)) return true;
    cursor c = cursor_of(text);
    pg_datetime d = {0};
    scan_date(&c, &d);
    scan_era(&c, &d);
    if (c.failed) return pg_text_error(text, "a date", e);
    *ret = d;
    return true;
}

bool pg_datetime_parse_time(str text, bool with_zone, pg_datetime *ret, err *e)
{
    cursor c = cursor_of(text);
    pg_datetime d = {0};
    scan_clock(&c, 24, &d);
    if (with_zone) scan_zone(&c, &d);
    if (c.failed || cursor_left(&c)) return pg_text_error(text, with_zone ? "a time with zone" : "a time", e);
    *ret = d;
    return true;
}

bool pg_datetime_parse_timestamp(str text, bool with_zone, pg_datetime *ret, err *e)
{
    if (parse_infinity(text, ret)) return true;
    cursor c = cursor_of(text);
    pg_datetime d = {0};
    scan_date(&c, &d);
    cursor_expect(&c, ' ');
    scan_clock(&c, 23, &d);
    if (with_zone) scan_zone(&c, &d);
    scan_era(&c, &d);
    if (c.failed) return pg_text_error(text, with_zone ? "a timestamp with zone" : "a timestamp", e);
    *ret = d;
    return true;
}

/* Days since 1970-01-01; eras of 400 years that begin on March 1st. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
static int64_t days_from_civil(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400, year_of_era = year - era * 400;
    int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

bool pg_datetime_to_unix_us(const pg_datetime *d, int64_t *ret_us)
{
    if (d->kind == PG_DATETIME_INFINITY || d->kind == PG_DATETIME_MINUS_INFINITY) return false;
    int64_t seconds = days_from_civil(d->year, d->month, d->day) * 86400 + d->hour * 3600 + d->minute * 60 + d->second - d->zone_s, us;
    if (__builtin_mul_overflow(seconds, 1000000, &us) || __builtin_add_overflow(us, d->micros, &us)) return false;
    *ret_us = us;
    return true;
}

/* ---- intervals ---- */

/* Where the part with this unit goes, and how many of it make one. The unit is cut off; NULL for an unknown one or one out of order. */
static int32_t *unit_place(cursor *c, bool one, unsigned *stage, pg_interval *v, int32_t *ret_times)
{
    static const struct {
        str name;
        unsigned stage;
        int32_t times;
    } units[] = {{{"year", 4}, 1, 12}, {{"mon", 3}, 2, 1}, {{"day", 3}, 3, 1}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (*stage >= units[i].stage || !str_starts_with((str){(const char *)c->p, cursor_left(c)}, units[i].name)) continue;
        cursor_skip(c, units[i].name.n);
        if (!one) cursor_expect(c, 's');
        *stage = units[i].stage;
        *ret_times = units[i].times;
        return units[i].stage == 3 ? &v->days : &v->months;
    }
    return NULL;
}

/* MM:SS[.f] behind the hours and their colon. */
static void scan_interval_clock(cursor *c, bool negative, uint64_t hours, pg_interval *v)
{
    uint64_t us = pair(c, 59) * 60000000ull;
    cursor_expect(c, ':');
    us += pair(c, 59) * 1000000ull;
    uint32_t micros;
    uint8_t digits;
    fraction(c, &micros, &digits);
    uint64_t hour_us;
    const uint64_t most = (uint64_t)INT64_MAX + negative;
    if (__builtin_mul_overflow(hours, 3600000000ull, &hour_us) || __builtin_add_overflow(us + micros, hour_us, &us) || us > most) {
        c->failed = true;
        return;
    }
    v->micros = negative ? (int64_t)(0 - us) : (int64_t)us;
}

static void scan_interval_part(cursor *c, unsigned *stage, pg_interval *v)
{
    bool negative = cursor_accept(c, '-');
    if (!negative) cursor_accept(c, '+');
    unsigned digits;
    uint64_t n = number(c, 1, 10, &digits);
    if (cursor_accept(c, ':')) {
        if (digits < 2) c->failed = true;
        *stage = 4;
        scan_interval_clock(c, negative, n, v);
        return;
    }
    cursor_expect(c, ' ');
    int32_t times = 0, *place = unit_place(c, n == 1 && !negative, stage, v, &times);
    int64_t total = (negative ? -(int64_t)n : (int64_t)n) * times + (place ? *place : 0);
    if (!place || total < INT32_MIN || total > INT32_MAX) c->failed = true;
    else *place = (int32_t)total;
}

bool pg_interval_parse(str text, pg_interval *ret, err *e)
{
    pg_datetime infinity;
    if (parse_infinity(text, &infinity)) {
        *ret = (pg_interval){.infinite = true, .months = infinity.kind == PG_DATETIME_INFINITY ? 1 : -1};
        return true;
    }
    cursor c = cursor_of(text);
    pg_interval v = {0};
    unsigned stage = 0; /* 1 years, 2 months, 3 days, 4 the clock: each once, in this order */
    do {
        if (stage == 4) c.failed = true;
        else scan_interval_part(&c, &stage, &v);
    } while (!c.failed && cursor_accept(&c, ' '));
    if (c.failed || cursor_left(&c)) return pg_text_error(text, "an interval", e);
    *ret = v;
    return true;
}
