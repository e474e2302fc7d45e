/* PostgreSQL's value texts: booleans, bytea, numbers, dates and times, intervals. */
#include "pg_golden.h"

#include "base/encode.h"
#include "codec/pg_datetime.h"
#include "codec/pg_text.h"

static void ok(bool taken, str text, const err *e)
{
    if (!taken) fail_msg("%.*s: %s", STR_ARG(text), e->text);
}

static void each_bool(const json_t *v)
{
    err e = ERR_INIT;
    bool value = !json_is_true(json_object_get(v, "value"));
    ok(pg_text_parse_bool(golden_str(v, "text"), &value, &e), golden_str(v, "text"), &e);
    assert_int_equal(value, json_is_true(json_object_get(v, "value")));
}

static void each_bytea(const json_t *v)
{
    err e = ERR_INIT;
    arena a = {0};
    str bytes;
    BUF_AUTO base64 = BUF_INIT;
    BUF_AUTO again = BUF_INIT;
    ok(pg_text_parse_bytea(golden_str(v, "text"), &a, &bytes, &e), golden_str(v, "text"), &e);
    encode_base64(&base64, bytes);
    assert_true(str_eq(buf_str(&base64), golden_str(v, "base64")));
    pg_text_write_bytea(&again, bytes);
    assert_true(str_eq(buf_str(&again), golden_str(v, "text")));
    arena_finish(&a);
}

static pg_number parse_number(const json_t *v)
{
    err e = ERR_INIT;
    pg_number n = {0};
    ok(pg_text_parse_number(golden_str(v, "text"), &n, &e), golden_str(v, "text"), &e);
    str special = golden_str(v, "special");
    pg_number_kind kind = !special.p ? PG_NUMBER_FINITE : special.p[0] == 'N' ? PG_NUMBER_NAN : special.p[0] == '-' ? PG_NUMBER_MINUS_INFINITY : PG_NUMBER_INFINITY;
    assert_int_equal(n.kind, kind);
    assert_true(special.p == NULL || (n.whole.n == 0 && n.fraction.n == 0 && n.negative == (special.p[0] == '-')));
    return n;
}

static void each_numeric(const json_t *v)
{
    pg_number n = parse_number(v);
    if (n.kind != PG_NUMBER_FINITE) return;
    assert_int_equal(n.negative, json_is_true(json_object_get(v, "negative")));
    assert_true(str_eq(n.whole, golden_str(v, "whole")) && (int64_t)n.fraction.n == golden_int(v, "scale") && n.exponent == 0);
}

static void each_float(const json_t *v)
{
    pg_number n = parse_number(v);
    if (n.kind != PG_NUMBER_FINITE) return;
    char text[400];
    snprintf(text, sizeof text, "%s%.*s.%.*se%d", n.negative ? "-" : "", STR_ARG(n.whole), STR_ARG(n.fraction), n.exponent);
    assert_true(strtod(text, NULL) == json_number_value(json_object_get(v, "value")));
}

static void test_scalars(void **state)
{
    (void)state;
    golden_each("bool", 2, each_bool);
    golden_each("bytea", 4, each_bytea);
    golden_each("numeric", 13, each_numeric);
    golden_each("float", 20, each_float);
}

/* ---- dates and times ---- */

static void check_datetime(const json_t *v, const pg_datetime *d)
{
    int64_t us = 7;
    if (!json_is_true(json_object_get(v, "finite"))) {
        assert_int_equal(d->kind, golden_str(v, "text").p[0] == '-' ? PG_DATETIME_MINUS_INFINITY : PG_DATETIME_INFINITY);
        assert_true(!pg_datetime_to_unix_us(d, &us) && us == 7 && d->year == 0 && d->day == 0);
        return;
    }
    int64_t year = golden_int(v, "year"); /* the server has no year 0 */
    assert_int_equal(d->year, year < 0 ? year + 1 : year);
    assert_int_equal(d->month, golden_int(v, "month"));
    assert_int_equal(d->day, golden_int(v, "day"));
    assert_int_equal(d->kind, year < 0 ? PG_DATETIME_BC : year > 9999 ? PG_DATETIME_FAR : PG_DATETIME_ORDINARY);
    bool fits = pg_datetime_to_unix_us(d, &us);
    assert_int_equal(fits, golden_has(v, "us"));
    if (fits) assert_int_equal(us, golden_int(v, "us"));
}

static void each_date(const json_t *v)
{
    err e = ERR_INIT;
    pg_datetime d;
    ok(pg_datetime_parse_date(golden_str(v, "text"), &d, &e), golden_str(v, "text"), &e);
    check_datetime(v, &d);
}

static void each_timestamp(const json_t *v)
{
    err e = ERR_INIT;
    pg_datetime d;
    ok(pg_datetime_parse_timestamp(golden_str(v, "text"), false, &d, &e), golden_str(v, "text"), &e);
    check_datetime(v, &d);
    if (json_is_true(json_object_get(v, "finite"))) assert_false(pg_datetime_parse_timestamp(golden_str(v, "text"), true, &d, &e));
}

static void each_timestamptz(const json_t *v)
{
    err e = ERR_INIT;
    pg_datetime d;
    ok(pg_datetime_parse_timestamp(golden_str(v, "text"), true, &d, &e), golden_str(v, "text"), &e);
    check_datetime(v, &d);
    if (json_is_true(json_object_get(v, "finite"))) assert_false(pg_datetime_parse_timestamp(golden_str(v, "text"), false, &d, &e));
}

static int64_t clock_us(const pg_datetime *d) { return ((d->hour * 60 + d->minute) * 60 + d->second) * 1000000ll + d->micros; }

static void each_time(const json_t *v)
{
    err e = ERR_INIT;
    pg_datetime d;
    ok(pg_datetime_parse_time(golden_str(v, "text"), false, &d, &e), golden_str(v, "text"), &e);
    assert_int_equal(clock_us(&d), golden_int(v, "us"));
    size_t point = str_find_byte(golden_str(v, "text"), '.', 0);
    assert_int_equal(d.digits, point == SIZE_MAX ? 0 : golden_str(v, "text").n - point - 1);
}

static void each_timetz(const json_t *v)
{
    err e = ERR_INIT;
    pg_datetime d;
    ok(pg_datetime_parse_time(golden_str(v, "text"), true, &d, &e), golden_str(v, "text"), &e);
    assert_int_equal(clock_us(&d), golden_int(v, "us"));
    assert_int_equal(d.zone_s, golden_int(v, "zone"));
}

static void each_interval(const json_t *v)
{
    err e = ERR_INIT;
    pg_interval i;
    ok(pg_interval_parse(golden_str(v, "text"), &i, &e), golden_str(v, "text"), &e);
    assert_int_equal(i.infinite, golden_has(v, "infinite"));
    assert_int_equal(i.months, golden_int(v, i.infinite ? "infinite" : "months"));
    if (i.infinite) return;
    assert_int_equal(i.days, golden_int(v, "days"));
    assert_int_equal(i.micros, golden_int(v, "us"));
}

static void test_times(void **state)
{
    (void)state;
    golden_each("date", 18, each_date);
    golden_each("timestamp", 15, each_timestamp);
    golden_each("timestamptz", 9, each_timestamptz);
    golden_each("time", 6, each_time);
    golden_each("timetz", 6, each_timetz);
    golden_each("interval", 30, each_interval);
}

/* ---- what no server prints ---- */

static bool take_bool(str text, err *e)
{
    bool v;
    return pg_text_parse_bool(text, &v, e);
}

static bool take_bytea(str text, err *e)
{
    arena a = {0};
    str v;
    bool taken = pg_text_parse_bytea(text, &a, &v, e);
    arena_finish(&a);
    return taken;
}

static bool take_number(str text, err *e)
{
    pg_number v;
    return pg_text_parse_number(text, &v, e);
}

static bool take_date(str text, err *e)
{
    pg_datetime v;
    return pg_datetime_parse_date(text, &v, e);
}

static bool take_time(str text, err *e)
{
    pg_datetime v;
    return pg_datetime_parse_time(text, false, &v, e);
}

static bool take_timetz(str text, err *e)
{
    pg_datetime v;
    return pg_datetime_parse_time(text, true, &v, e);
}

static bool take_timestamp(str text, err *e)
{
    pg_datetime v;
    return pg_datetime_parse_timestamp(text, false, &v, e);
}

static bool take_timestamptz(str text, err *e)
{
    pg_datetime v;
    return pg_datetime_parse_timestamp(text, true, &v, e);
}

static bool take_interval(str text, err *e)
{
    pg_interval v;
    return pg_interval_parse(text, &v, e);
}

static void refuse(bool (*take)(str text, err *e), const char *const *texts)
{
    for (; *texts; texts++) {
        err e = ERR_INIT;
        size_t n = strlen(*texts);
        char *exact = malloc(n ? n : 1); /* so that the sanitizer sees a read past the end */
        memcpy(exact, *texts, n);
        if (take((str){exact, n}, &e)) fail_msg("'%s' was taken", *texts);
        if (e.code != ERR_CORRUPT || (n < 60 && !strstr(e.text, *texts))) fail_msg("'%s': %s", *texts, e.text);
        free(exact);
    }
}

static void test_refused(void **state)
{
    (void)state;
    refuse(take_bool, (const char *[]){"", "true", "T", "1", "tt", NULL});
    refuse(take_bytea, (const char *[]){"", "\\", "\\x0", "\\xg0", "\\x0g", "00", "\\000", "\\x00 ", NULL});
    refuse(take_number, (const char *[]){"", "-", "+1", ".5", "1.", "1e5", "1e+", "1e+1234567890", "1.5.5", " 1", "1 ", "nan", "inf", "0x1", "--1", "1,5", "$1.50", "-NaN", NULL});
    refuse(take_date, (const char *[]){"", "2024-1-01", "2024-13-01", "2024-00-01", "2024-01-00", "2024-01-32", "2023-02-29", "1900-02-29", "2024-02-30", "0000-01-01", "024-01-01", "02024-01-01", "011900-02-28",
                                        "12345678-01-01", "2024-01-01 AD", "2024-01-01 BCE", "2024-01-01BC", "01/02/2024", "2024-01-01 ", "2024-01-01 00:00:00", "Infinity", "0002-02-29 BC", NULL});
    refuse(take_time, (const char *[]){"", "1:00:00", "24:00:01", "24:01:00", "24:00:00.1", "25:00:00", "00:60:00", "00:00:60", "00:00", "00:00:00.", "00:00:00.1234567", "00:00:00+00", "-01:00:00", "infinity", NULL});
    refuse(take_timetz, (const char *[]){"", "00:00:00", "00:00:00+", "00:00:00+1", "00:00:00+16", "00:00:00+00:60", "00:00:00+00:00:60", "00:00:00Z", "00:00:00+00:00:00:00", "00:00:00 +00", NULL});
    refuse(take_timestamp, (const char *[]){"", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01 24:00:00", "2024-01-01 00:00:00+00", "2024-01-01 00:00:00 BC BC", "2024-01-01 00:00:00 ", "2023-02-29 00:00:00", NULL});
    refuse(take_timestamptz, (const char *[]){"", "2024-01-01 00:00:00", "2024-01-01 00:00:00 BC", "2024-01-01 00:00:00 BC+00", "2024-01-01 00:00:00+00BC", "2024-01-01 00:00:00.1234567+00", NULL});
    refuse(take_interval, (const char *[]){"", "1", "1 years", "2 year", "1 month", "-1 year", "1 days", "1 day 1 year", "1 day 1 day", "00:00:00 1 day", "1 day 00:00", "1:00:00", "00:60:00", "00:00:60", "1 day ",
                                            " 1 day", "1  day", "P1D", "@ 1 day", "00:00:00 00:00:00", "2147483648 days", "-2147483649 days", "178956970 years 8 mons", "-178956970 years -9 mons",
                                            "2562047788:00:54.775808", "-2562047788:00:54.775809", "99999999999:00:00", "+infinity", NULL});
    pg_interval least;
    err e = ERR_INIT;
    assert_true(pg_interval_parse(STR("-2562047788:00:54.775808"), &least, &e) && least.micros == INT64_MIN);
}

/* What a value cut short means is another value or an error, never a read past its end. */
static void each_cut(const json_t *v)
{
    static bool (*const takes[])(str, err *) = {take_bool, take_bytea, take_number, take_date, take_time, take_timetz, take_timestamp, take_timestamptz, take_interval};
    str text = golden_str(v, "text");
    if (!text.p || text.n > 200) return;
    for (size_t keep = 0; keep <= text.n; keep++) {
        char *exact = malloc(keep ? keep : 1);
        memcpy(exact, text.p, keep);
        for (size_t i = 0; i < sizeof takes / sizeof *takes; i++) {
            err e = ERR_INIT;
            if (!takes[i]((str){exact, keep}, &e)) assert_int_equal(e.code, ERR_CORRUPT);
            for (size_t bit = 0; bit < keep * 8 && keep == text.n; bit++) {
                exact[bit / 8] = (char)(exact[bit / 8] ^ 1 << bit % 8);
                e = ERR_INIT;
                if (!takes[i]((str){exact, keep}, &e)) assert_int_equal(e.code, ERR_CORRUPT);
                exact[bit / 8] = (char)(exact[bit / 8] ^ 1 << bit % 8);
            }
        }
        free(exact);
    }
}

static void test_cuts_and_flips(void **state)
{
    (void)state;
    static const char *const kinds[] = {"bool", "bytea", "numeric", "float", "date", "time", "timetz", "timestamp", "timestamptz", "interval"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) golden_each(kinds[i], 2, each_cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scalars), cmocka_unit_test(test_times), cmocka_unit_test(test_refused), cmocka_unit_test(test_cuts_and_flips)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
