/* Exact numbers and moments of the row condition. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/filter_priv.h"

static bool all_digits(str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9') return false;
    return true;
}

bool dec_parse(str text, dec *ret)
{
    bool negative = text.n && text.p[0] == '-';
    if (text.n && (text.p[0] == '-' || text.p[0] == '+')) text = str_sub(text, 1, SIZE_MAX);
    size_t point = str_find_byte(text, '.', 0);
    str whole = str_sub(text, 0, point), fraction = point == SIZE_MAX ? STR("") : str_sub(text, point + 1, SIZE_MAX);
    if ((whole.n == 0 && fraction.n == 0) || !all_digits(whole) || !all_digits(fraction)) return false;
    while (whole.n && whole.p[0] == '0') whole = str_sub(whole, 1, SIZE_MAX);
    while (fraction.n && fraction.p[fraction.n - 1] == '0') fraction.n--;
    *ret = (dec){negative && (whole.n || fraction.n), whole, fraction};
    return true;
}

int dec_compare(const dec *a, const dec *b)
{
    if (a->negative != b->negative) return a->negative ? -1 : 1;
    int c = a->whole.n != b->whole.n ? (a->whole.n < b->whole.n ? -1 : 1) : str_cmp(a->whole, b->whole);
    if (c == 0) c = str_cmp(a->fraction, b->fraction);
    c = (c > 0) - (c < 0);
    return a->negative ? -c : c;
}

bool dec_to_exact_double(const dec *d, double *ret)
{
    char text[128], exact[1536];
    int n = snprintf(text, sizeof text, "%s%.*s.%.*s", d->negative ? "-" : "", STR_ARG(d->whole), STR_ARG(d->fraction));
    if (n < 0 || (size_t)n >= sizeof text) return false;
    if (d->whole.n == 0 && d->fraction.n == 0) return *ret = 0, true;
    double v = strtod(text, NULL);
    if (!isfinite(v)) return false;
    n = snprintf(exact, sizeof exact, "%.1080f", v); /* every double has at most 1074 binary, so as many decimal, fraction digits */
    dec back;
    if (n < 0 || (size_t)n >= sizeof exact || !dec_parse((str){exact, (size_t)n}, &back) || dec_compare(d, &back) != 0) return false;
    *ret = v;
    return true;
}

dec dec_from_u64(uint64_t v, char out[DEC_INT_BYTES])
{
    size_t at = DEC_INT_BYTES;
    for (; v; v /= 10) out[--at] = (char)('0' + v % 10);
    return (dec){false, {out + at, DEC_INT_BYTES - at}, STR("")};
}

dec dec_from_i64(int64_t v, char out[DEC_INT_BYTES])
{
    dec d = dec_from_u64(v < 0 ? 0 - (uint64_t)v : (uint64_t)v, out);
    d.negative = v < 0;
    return d;
}

static unsigned two(const char *p) { return (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0'); }

static bool in_calendar(const char *t)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year = two(t) * 100 + two(t + 2), month = two(t + 5), day = two(t + 8);
    if (year == 0 || month < 1 || month > 12 || day < 1) return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= days[month - 1] + (month == 2 && leap ? 1U : 0U);
}

bool moment_parse(str text, bool strict, moment *ret)
{
    static const char shape[MOMENT_BYTES + 1] = "dddd-dd-dd dd:dd:dd.dddddd";
    moment m;
    memcpy(m.text, "0000-00-00 00:00:00.000000", MOMENT_BYTES);
    if (text.n != 10 && text.n != 19 && (text.n < 21 || text.n > MOMENT_BYTES)) return false;
    for (size_t i = 0; i < text.n; i++) {
        if (shape[i] == 'd' ? text.p[i] < '0' || text.p[i] > '9' : text.p[i] != shape[i]) return false;
        m.text[i] = text.p[i];
    }
    if (two(m.text + 11) > 23 || two(m.text + 14) > 59 || two(m.text + 17) > 59) return false;
    if (strict && !in_calendar(m.text)) return false;
    *ret = m;
    return true;
}

/* Bytes of the character at the start of s (n > 0); a byte that starts none is one character. */
static size_t character(str s, bool utf8)
{
    uint8_t c = (uint8_t)s.p[0];
    size_t n = !utf8 || c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 1;
    return n < s.n ? n : s.n;
}

bool filter_like(str text, str pattern, bool utf8)
{
    size_t t = 0, p = 0, star = SIZE_MAX, mark = 0; /* after the last %: where the pattern goes on, and from where the text was tried */
    for (;;) {
        if (p < pattern.n && pattern.p[p] == '%') {
            star = ++p;
            mark = t;
            continue;
        }
        if (p == pattern.n && t == text.n) return true;
        if (p < pattern.n && t < text.n) {
            str rest = str_sub(text, t, SIZE_MAX);
            size_t width = character(rest, utf8);
            if (pattern.p[p] == '_') {
                p++;
                t += width;
                continue;
            }
            size_t at = pattern.p[p] == '\\' && p + 1 < pattern.n ? p + 1 : p;
            str wanted = str_sub(pattern, at, SIZE_MAX);
            wanted.n = character(wanted, utf8);
            if (str_eq(wanted, str_sub(rest, 0, width))) {
                p = at + wanted.n;
                t += width;
                continue;
            }
        }
        if (star == SIZE_MAX || mark >= text.n) return false;
        mark += character(str_sub(text, mark, SIZE_MAX), utf8);
        t = mark;
        p = star;
    }
}
