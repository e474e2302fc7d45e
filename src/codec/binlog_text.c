/* MySQL's packed numbers and times to text. */
#include "codec/binlog_text.h"

#include <string.h>

static const uint8_t digits_to_bytes[10] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
static const uint32_t powers[10] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

unsigned binlog_decimal_bytes(unsigned precision, unsigned scale)
{
    unsigned whole = precision - scale;
    return whole / 9 * 4 + digits_to_bytes[whole % 9] + scale / 9 * 4 + digits_to_bytes[scale % 9];
}

/* v with exactly `digits` digits. */
static char *put_digits(char *out, uint32_t v, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; v /= 10) out[i] = (char)('0' + v % 10);
    return out + digits;
}

/* Groups of nine digits in 4 bytes, the odd group first (whole part) or last (fraction), big endian; the first bit is inverted, a negative number has
 * all bits inverted. */
size_t binlog_text_decimal(char *out, const uint8_t *bytes, unsigned precision, unsigned scale)
{
    uint8_t copy[40];
    unsigned total = binlog_decimal_bytes(precision, scale), whole = precision - scale;
    if (total == 0 || total > sizeof copy) return 0;
    bool negative = !(bytes[0] & 0x80);
    uint8_t mask = negative ? 0xff : 0;
    for (unsigned i = 0; i < total; i++) copy[i] = bytes[i] ^ mask;
    copy[0] ^= 0x80;
    char digits[72], *d = digits;
    const uint8_t *p = copy;
    unsigned groups = whole / 9 + 1 + scale / 9 + 1;
    for (unsigned g = 0; g < groups; g++) {
        unsigned n = g == 0 ? whole % 9 : g == groups - 1 ? scale % 9 : 9;
        uint32_t v = 0;
        for (unsigned i = 0; i < digits_to_bytes[n]; i++) v = v << 8 | *p++;
        if (v >= powers[n]) return 0;
        d = put_digits(d, v, n);
    }
    unsigned lead = 0;
    while (lead < whole && digits[lead] == '0') lead++;
    bool zero = true;
    for (char *q = digits; q < d; q++) zero = zero && *q == '0';
    char *o = out;
    if (negative && !zero) *o++ = '-';
    if (lead == whole) *o++ = '0';
    memcpy(o, digits + lead, whole - lead);
    o += whole - lead;
    if (scale) {
        *o++ = '.';
        memcpy(o, digits + whole, scale);
        o += scale;
    }
    return (size_t)(o - out);
}

static char *put_fraction(char *o, unsigned micros, unsigned fsp)
{
    if (fsp == 0) return o;
    if (fsp > 6) fsp = 6;
    *o++ = '.';
    return put_digits(o, micros / powers[6 - fsp], fsp);
}

static char *put_date(char *o, const binlog_time *t)
{
    o = put_digits(o, t->year, 4);
    *o++ = '-';
    o = put_digits(o, t->month, 2);
    *o++ = '-';
    return put_digits(o, t->day, 2);
}

static char *put_clock(char *o, const binlog_time *t, unsigned hour_digits, unsigned fsp)
{
    o = put_digits(o, t->hour, hour_digits);
    *o++ = ':';
    o = put_digits(o, t->minute, 2);
    *o++ = ':';
    o = put_digits(o, t->second, 2);
    return put_fraction(o, t->micros, fsp);
}

size_t binlog_text_date(char *out, const binlog_time *t) { return (size_t)(put_date(out, t) - out); }

size_t binlog_text_time(char *out, const binlog_time *t, unsigned fsp)
{
    char *o = out;
    if (t->negative) *o++ = '-';
    return (size_t)(put_clock(o, t, t->hour > 999 ? 4 : t->hour > 99 ? 3 : 2, fsp) - out);
}

size_t binlog_text_datetime(char *out, const binlog_time *t, unsigned fsp)
{
    char *o = put_date(out, t);
    *o++ = ' ';
    return (size_t)(put_clock(o, t, 2, fsp) - out);
}

/* Civil date from days since 1970-01-01, by the 400-year cycle that begins on 0000-03-01. */
binlog_time binlog_time_from_unix(uint32_t seconds)
{
    uint32_t days = seconds / 86400, rest = seconds % 86400;
    uint32_t z = days + 719468, era = z / 146097, day_of_era = z - era * 146097;
    uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100), m = (5 * day_of_year + 2) / 153;
    binlog_time t = {.day = day_of_year - (153 * m + 2) / 5 + 1, .month = m < 10 ? m + 3 : m - 9};
    t.year = year_of_era + era * 400 + (t.month <= 2);
    t.hour = rest / 3600;
    t.minute = rest / 60 % 60;
    t.second = rest % 60;
    return t;
}

binlog_time binlog_time_from_packed_datetime(uint64_t packed)
{
    unsigned clock = packed & 0x1ffff, date = (unsigned)(packed >> 17);
    return (binlog_time){.year = (date >> 5) / 13, .month = (date >> 5) % 13, .day = date & 31,
                        .hour = clock >> 12, .minute = clock >> 6 & 63, .second = clock & 63};
}

binlog_time binlog_time_from_packed(int64_t packed, bool is_time)
{
    bool negative = packed < 0;
    uint64_t v = negative ? 0 - (uint64_t)packed : (uint64_t)packed;
    unsigned micros = v & 0xffffff;
    v >>= 24;
    binlog_time t = is_time ? (binlog_time){.hour = v >> 12 & 0x3ff, .minute = v >> 6 & 63, .second = v & 63} : binlog_time_from_packed_datetime(v);
    t.negative = negative;
    t.micros = micros > 999999 ? 999999 : micros;
    return t;
}

static char *put_hex(char *o, const uint8_t *bytes, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        *o++ = "0123456789abcdef"[bytes[i] >> 4];
        *o++ = "0123456789abcdef"[bytes[i] & 15];
    }
    return o;
}

size_t binlog_text_uuid(char *out, const uint8_t *bytes)
{
    static const unsigned parts[5] = {4, 2, 2, 2, 6};
    char *o = out;
    for (int i = 0; i < 5; i++) {
        if (i) *o++ = '-';
        o = put_hex(o, bytes, parts[i]);
        bytes += parts[i];
    }
    return (size_t)(o - out);
}

static char *put_u8(char *o, unsigned v) { return put_digits(o, v, v > 99 ? 3 : v > 9 ? 2 : 1); }

size_t binlog_text_inet4(char *out, const uint8_t *bytes)
{
    char *o = out;
    for (int i = 0; i < 4; i++) {
        if (i) *o++ = '.';
        o = put_u8(o, bytes[i]);
    }
    return (size_t)(o - out);
}

size_t binlog_text_inet6(char *out, const uint8_t *bytes)
{
    unsigned group[8], gap_at = 8, gap_n = 0;
    for (int i = 0; i < 8; i++) group[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
    for (unsigned i = 0; i < 8; i++) {
        unsigned n = 0;
        while (i + n < 8 && group[i + n] == 0) n++;
        if (n > gap_n) {
            gap_at = i;
            gap_n = n;
        }
    }
    bool dotted = gap_at == 0 && (gap_n == 6 || (gap_n == 5 && group[5] == 0xffff));
    char *o = out;
    for (unsigned i = 0; i < 8; i++) {
        if (i == gap_at) {
            *o++ = ':';
            if (i == 0) *o++ = ':';
            i += gap_n - 1;
            continue;
        }
        if (dotted && i == 6) {
            o += binlog_text_inet4(o, bytes + 12);
            break;
        }
        bool lead = false;
        for (int shift = 12; shift >= 0; shift -= 4) {
            unsigned d = group[i] >> shift & 15;
            lead = lead || d || shift == 0;
            if (lead) *o++ = "0123456789abcdef"[d];
        }
        if (i < 7) *o++ = ':';
    }
    return (size_t)(o - out);
}
