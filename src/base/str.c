/* Borrowed byte slices: comparison, search, numbers. */
#include "base/str.h"

#include <string.h>

static char lower(char c) { return (c >= 'A' && c <= 'Z') ? (char)(c + 32) : c; }

str str_from_c(const char *c) { return c ? (str){c, strlen(c)} : STR_NULL; }

bool str_eq(str a, str b) { return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0); }

bool str_eq_nocase(str a, str b)
{
    if (a.n != b.n) return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i])) return false;
    return true;
}

int str_cmp(str a, str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    if (c) return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

bool str_starts_with(str s, str prefix) { return s.n >= prefix.n && str_eq(str_sub(s, 0, prefix.n), prefix); }

bool str_starts_with_nocase(str s, str prefix)
{
    return s.n >= prefix.n && str_eq_nocase(str_sub(s, 0, prefix.n), prefix);
}

bool str_ends_with(str s, str suffix) { return s.n >= suffix.n && str_eq(str_sub(s, s.n - suffix.n, suffix.n), suffix); }

size_t str_find_byte(str s, char c, size_t from)
{
    if (from >= s.n) return SIZE_MAX;
    const char *hit = memchr(s.p + from, c, s.n - from);
    return hit ? (size_t)(hit - s.p) : SIZE_MAX;
}

size_t str_find(str s, str needle)
{
    if (needle.n == 0) return 0;
    if (s.n < needle.n) return SIZE_MAX;
    const char *hit = memmem(s.p, s.n, needle.p, needle.n);
    return hit ? (size_t)(hit - s.p) : SIZE_MAX;
}

str str_sub(str s, size_t from, size_t len)
{
    if (from > s.n) from = s.n;
    if (len > s.n - from) len = s.n - from;
    return (str){len || s.p ? s.p + from : s.p, len};
}

str str_trim(str s)
{
    while (s.n && (s.p[0] == ' ' || (s.p[0] >= '\t' && s.p[0] <= '\r'))) s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == ' ' || (s.p[s.n - 1] >= '\t' && s.p[s.n - 1] <= '\r'))) s.n--;
    return s;
}

bool str_split_next(str *rest, char sep, str *ret_piece)
{
    if (!rest->p) return false;
    size_t at = str_find_byte(*rest, sep, 0);
    if (at == SIZE_MAX) {
        *ret_piece = *rest;
        *rest = STR_NULL;
    } else {
        *ret_piece = str_sub(*rest, 0, at);
        *rest = str_sub(*rest, at + 1, SIZE_MAX);
    }
    return true;
}

bool str_to_u64(str s, uint64_t *ret)
{
    if (s.n == 0 || s.n > 20) return false;
    uint64_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') return false;
        uint64_t d = (uint64_t)(s.p[i] - '0');
        if (v > (UINT64_MAX - d) / 10) return false;
        v = v * 10 + d;
    }
    *ret = v;
    return true;
}

bool str_to_i64(str s, int64_t *ret)
{
    bool neg = s.n && s.p[0] == '-';
    uint64_t v;
    if (!str_to_u64(neg ? str_sub(s, 1, SIZE_MAX) : s, &v)) return false;
    if (v > (uint64_t)INT64_MAX + (neg ? 1 : 0)) return false;
    *ret = neg ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

bool str_to_bool(str s, bool *ret)
{
    if (str_eq_nocase(s, STR("true"))) return *ret = true, true;
    if (str_eq_nocase(s, STR("false"))) return *ret = false, true;
    return false;
}

bool str_is_utf8(str s)
{
    for (size_t i = 0; i < s.n;) {
        uint8_t c = (uint8_t)s.p[i];
        size_t len = c < 0x80 ? 1 : (c >= 0xc2 && c < 0xe0) ? 2 : (c >= 0xe0 && c < 0xf0) ? 3 : (c >= 0xf0 && c < 0xf5) ? 4 : 0;
        if (len == 0 || len > s.n - i) return false;
        for (size_t k = 1; k < len; k++)
            if (((uint8_t)s.p[i + k] & 0xc0) != 0x80) return false;
        uint8_t second = len > 1 ? (uint8_t)s.p[i + 1] : 0;
        if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) || (c == 0xf0 && second < 0x90) || (c == 0xf4 && second > 0x8f))
            return false;
        i += len;
    }
    return true;
}
