/* Fuzz target: one value text, read as each scalar type. Dates, times and numbers that are taken print as the very text; bytea round trips. */
#include <stdio.h>
#include <stdlib.h>

#include "codec/pg_datetime.h"
#include "codec/pg_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be(const buf *got, str want)
{
    if (!str_eq(buf_str(got), want)) abort();
}

static bool is_finite(const pg_datetime *d) { return d->kind != PG_DATETIME_INFINITY && d->kind != PG_DATETIME_MINUS_INFINITY; }

static void print_date(buf *out, const pg_datetime *d)
{
    buf_printf(out, "%04d-%02u-%02u", d->kind == PG_DATETIME_BC ? 1 - d->year : d->year, d->month, d->day);
}

static void print_clock(buf *out, const pg_datetime *d)
{
    char fraction[8];
    snprintf(fraction, sizeof fraction, ".%06u", d->micros);
    buf_printf(out, "%02u:%02u:%02u", d->hour, d->minute, d->second);
    if (d->digits) buf_add(out, (str){fraction, 1u + d->digits});
}

static void dates(str text)
{
    err e = ERR_INIT;
    pg_datetime d;
    int64_t us;
    BUF_AUTO out = BUF_INIT;
    if (pg_datetime_parse_date(text, &d, &e) && is_finite(&d)) {
        print_date(&out, &d);
        if (d.kind == PG_DATETIME_BC) buf_add_c(&out, " BC");
        must_be(&out, text);
    }
    buf_reset(&out);
    if (pg_datetime_parse_timestamp(text, false, &d, &e) && is_finite(&d)) {
        print_date(&out, &d);
        buf_add_byte(&out, ' ');
        print_clock(&out, &d);
        if (d.kind == PG_DATETIME_BC) buf_add_c(&out, " BC");
        must_be(&out, text);
    }
    buf_reset(&out);
    if (pg_datetime_parse_time(text, false, &d, &e)) {
        print_clock(&out, &d);
        must_be(&out, text);
    }
    if (pg_datetime_parse_timestamp(text, true, &d, &e)) (void)pg_datetime_to_unix_us(&d, &us);
    if (pg_datetime_parse_time(text, true, &d, &e) && (d.zone_s <= -16 * 3600 || d.zone_s >= 16 * 3600)) abort();
}

static void numbers(str text)
{
    err e = ERR_INIT;
    pg_number n;
    if (!pg_text_parse_number(text, &n, &e) || n.kind != PG_NUMBER_FINITE) return;
    BUF_AUTO out = BUF_INIT;
    if (n.negative) buf_add_byte(&out, '-');
    buf_add(&out, n.whole);
    if (n.fraction.n) buf_add_byte(&out, '.');
    buf_add(&out, n.fraction);
    if (!str_starts_with(text, buf_str(&out)) || (n.exponent && text.n == out.n)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena a;
    arena_init(&a, 4096, 64 << 20);
    str text = {(const char *)data, size}, bytes, again;
    err e = ERR_INIT;
    bool yes;
    pg_interval i;
    dates(text);
    numbers(text);
    if (pg_text_parse_bool(text, &yes, &e) && size != 1) abort();
    if (pg_interval_parse(text, &i, &e) && i.infinite && (i.days || i.micros)) abort();
    if (pg_text_parse_bytea(text, &a, &bytes, &e)) {
        BUF_AUTO out = BUF_INIT;
        pg_text_write_bytea(&out, bytes);
        if (!pg_text_parse_bytea(buf_str(&out), &a, &again, &e) || !str_eq(bytes, again)) abort();
    }
    arena_finish(&a);
    return 0;
}
