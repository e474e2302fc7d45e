/* MySQL's character sets to UTF-8: tables of one byte from the servers, tables of two bytes and more from iconv with what MySQL has otherwise. */
#include "engine/mapping/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>
#include <zlib.h>

enum form { FORM_UTF8, FORM_ASCII, FORM_SINGLE, FORM_SWE7, FORM_DOUBLE, FORM_UTF16, FORM_UTF16LE, FORM_UCS2, FORM_UTF32 };

#define LEADS 126u              /* 0x81 to 0xfe */
#define PAIRS (LEADS * 256u)
#define QUADS 39420u            /* four bytes of GB18030 up to U+FFFF, in their order */
#define BAD UINT32_MAX
#define REPLACEMENT 0xfffdu

struct charset {
    charset *next;
    str name;
    enum form form;
    const uint16_t *upper;      /* FORM_SINGLE, FORM_SWE7: 0x80 to 0xff */
    const uint16_t *pairs;      /* FORM_DOUBLE: lead from 0x81, trail; 0: none */
    const uint16_t *triples;    /* behind 0x8f (ujis, eucjpms), NULL without */
    const uint16_t *quads;      /* GB18030, NULL without */
    bool katakana;              /* 0xa1 to 0xdf are characters of one byte (sjis, cp932) */
};

/* ---- sets ---- */

static const struct {
    const char *name;
    uint16_t upper[128];
} singles[] = {
#define CHARSET_SINGLE(name, ...) {#name, {__VA_ARGS__}},
#include "engine/mapping/charset_single.def"
#undef CHARSET_SINGLE
};

/* Where MySQL differs from glibc's table: `count` characters from `code` on are those from `unicode` on, or none (0). */
typedef struct difference {
    uint32_t code;
    uint16_t unicode, count;
} difference;

static const difference big5[] = {
    {0xa145, 0x2022, 1}, {0xa14e, 0xff64, 1}, {0xa15a, 0, 1}, {0xa1c2, 0x203e, 1}, {0xa1c3, 0, 1}, {0xa1c5, 0, 1}, {0xa1e3, 0x223c, 1}, {0xa1f2, 0x2641, 1},
    {0xa1f3, 0x2609, 1}, {0xa1fe, 0, 1}, {0xa240, 0, 1}, {0xa241, 0xff0f, 1}, {0xa242, 0xff3c, 1}, {0xa244, 0xa5, 1}, {0xa246, 0xa2, 2}, {0xa2cc, 0, 1},
    {0xa2ce, 0, 1}, {0xa3e1, 0, 1}, {0xc6a1, 0x30fe, 1}, {0xc6a2, 0x309d, 2}, {0xc6a4, 0x3005, 1}, {0xc6a5, 0x3041, 83}, {0xc6f8, 0x30a1, 7}, {0xc740, 0x30a8, 63},
    {0xc7a1, 0x30e7, 16}, {0xc7b1, 0x414, 2}, {0xc7b3, 0x401, 1}, {0xc7b4, 0x416, 7}, {0xc7bb, 0x423, 19}, {0xc7ce, 0x451, 1}, {0xc7cf, 0x436, 26},
    {0xc7e9, 0x2460, 10}, {0xc7f3, 0x2474, 10}, {0xc7fd, 0, 2}, {0xc840, 0, 63}, {0xc8a1, 0, 94}, {0xf9dd, 0, 34}, {0}};
static const difference sjis[] = {{0x815f, 0x5c, 1}, {0}};
static const difference ujis[] = {{0xa1c0, 0x5c, 1}, {0xa1c1, 0x301c, 1}, {0xa1c2, 0x2016, 1}, {0xa1dd, 0x2212, 1}, {0xa1f1, 0xa2, 2}, {0xa2cc, 0xac, 1},
                                  {0xada1, 0, 94}, {0x8fa2b7, 0x7e, 1}, {0x8fa2c3, 0xa6, 1}, {0x8ff3f3, 0, 12}, {0x8ff4a1, 0, 94}, {0}};
static const difference gb18030[] = {
    {0xa6d9, 0xe78d, 7}, {0xa6ec, 0xe794, 2}, {0xa6f3, 0xe796, 1}, {0xfe51, 0xe816, 3}, {0xfe59, 0xe81e, 1}, {0xfe61, 0xe826, 1}, {0xfe66, 0xe82b, 2},
    {0xfe6c, 0xe831, 2}, {0xfe76, 0xe83b, 1}, {0xfe7e, 0xe843, 1}, {0xfe90, 0xe854, 2}, {0xfea0, 0xe864, 1}, {0x82359037, 0x9fb4, 3}, {0x82359130, 0x9fb7, 5},
    {0x84318236, 0xfe10, 4}, {0x84318330, 0xfe14, 6}, {0}};
static const difference none[] = {{0}};

static const struct {
    const char *name, *system;
    const difference *differences;
    bool triples, quads, katakana;
    uint32_t sum; /* CRC-32 of the servers' tables, numbers big-endian, pairs, triples, quads */
} doubles[] = {
    {"big5", "BIG5", big5, false, false, false, 0xdfe2c553},
    {"gbk", "GBK", none, false, false, false, 0x22e06ee9},
    {"gb2312", "EUC-CN", none, false, false, false, 0x28fe2f84},
    {"gb18030", "GB18030", gb18030, false, true, false, 0xb6ef8507},
    {"euckr", "UHC", none, false, false, false, 0x14b2a803},
    {"sjis", "SJIS", sjis, false, false, true, 0xc9f6e7b3},
    {"cp932", "CP932", none, false, false, true, 0x6b4f6600},
    {"ujis", "EUC-JP-MS", ujis, true, false, false, 0x295ba682},
    {"eucjpms", "EUC-JP-MS", none, true, false, false, 0xa7682016},
};

static const struct {
    const char *name;
    enum form form;
} forms[] = {{"", FORM_UTF8}, {"binary", FORM_UTF8}, {"utf8", FORM_UTF8}, {"utf8mb3", FORM_UTF8}, {"utf8mb4", FORM_UTF8}, {"ascii", FORM_ASCII},
             {"utf16", FORM_UTF16}, {"utf16le", FORM_UTF16LE}, {"ucs2", FORM_UCS2}, {"utf32", FORM_UTF32}};

/* ---- tables of two bytes and more ---- */

static uint32_t quad_index(const uint8_t *p) { return ((p[0] - 0x81u) * 10 + (p[1] - 0x30u)) * 1260 + (p[2] - 0x81u) * 10 + (p[3] - 0x30u); }

/* One character of the system's table: its number, 0 when the bytes are none, more than one, or beyond U+FFFF. */
static uint16_t ask(iconv_t cd, const uint8_t *bytes, size_t n)
{
    char in[4], out[16];
    char *from = in, *to = out;
    size_t left = n, room = sizeof out;
    memcpy(in, bytes, n);
    (void)iconv(cd, NULL, NULL, NULL, NULL);
    if (iconv(cd, &from, &left, &to, &room) == (size_t)-1 || left || iconv(cd, NULL, NULL, &to, &room) == (size_t)-1 || room != sizeof out - 4) return 0;
    if (out[0] || out[1]) return 0;
    return (uint16_t)((uint8_t)out[2] << 8 | (uint8_t)out[3]);
}

static void ask_pairs(iconv_t cd, bool behind_8f, uint16_t *table)
{
    for (uint32_t i = 0; i < PAIRS; i++) {
        const uint8_t bytes[3] = {0x8f, (uint8_t)(0x81 + i / 256), (uint8_t)i};
        table[i] = ask(cd, behind_8f ? bytes : bytes + 1, behind_8f ? 3 : 2);
    }
}

static void ask_quads(iconv_t cd, uint16_t *table)
{
    for (uint32_t i = 0; i < QUADS; i++) {
        const uint8_t bytes[4] = {(uint8_t)(0x81 + i / 12600), (uint8_t)(0x30 + i / 1260 % 10), (uint8_t)(0x81 + i / 10 % 126), (uint8_t)(0x30 + i % 10)};
        table[i] = ask(cd, bytes, 4);
    }
}

static uint16_t *place(uint32_t code, uint16_t *pairs, uint16_t *triples, uint16_t *quads)
{
    const uint8_t b[4] = {(uint8_t)(code >> 24), (uint8_t)(code >> 16), (uint8_t)(code >> 8), (uint8_t)code};
    if (b[0]) return &quads[quad_index(b)];
    return &(b[1] ? triples : pairs)[(b[2] - 0x81u) * 256 + b[3]];
}

static uint32_t sum_of(uLong sum, const uint16_t *table, uint32_t count)
{
    for (uint32_t i = 0; table && i < count; i++) {
        const Bytef bytes[2] = {(Bytef)(table[i] >> 8), (Bytef)table[i]};
        sum = crc32(sum, bytes, 2);
    }
    return (uint32_t)sum;
}

static bool make_double(size_t at, arena *a, charset *c, err *e)
{
    uint16_t *pairs = arena_array(a, PAIRS, sizeof *pairs);
    uint16_t *triples = doubles[at].triples ? arena_array(a, PAIRS, sizeof *triples) : NULL;
    uint16_t *quads = doubles[at].quads ? arena_array(a, QUADS, sizeof *quads) : NULL;
    if (!pairs || (doubles[at].triples && !triples) || (doubles[at].quads && !quads)) return err_no_memory(e, "a character set");
    iconv_t cd = iconv_open("UCS-4BE", doubles[at].system);
    if (cd == (iconv_t)-1)
        return err_set(e, ERR_NOT_SUPPORTED, "character set %s: this system's iconv does not have %s; install the C library's character set modules (gconv)",
                       doubles[at].name, doubles[at].system);
    ask_pairs(cd, false, pairs);
    if (triples) ask_pairs(cd, true, triples);
    if (quads) ask_quads(cd, quads);
    (void)iconv_close(cd);
    for (const difference *d = doubles[at].differences; d->code; d++)
        for (uint32_t i = 0; i < d->count; i++) *place(d->code + i, pairs, triples, quads) = d->unicode ? (uint16_t)(d->unicode + i) : 0;
    uint32_t sum = sum_of(sum_of(sum_of(crc32(0, NULL, 0), pairs, PAIRS), triples, PAIRS), quads, QUADS);
    if (sum != doubles[at].sum)
        return err_set(e, ERR_NOT_SUPPORTED, "character set %s: this system's iconv has another table for %s (sum %08x) than MySQL (%08x); use glibc's", doubles[at].name,
                       doubles[at].system, sum, doubles[at].sum);
    c->form = FORM_DOUBLE;
    c->pairs = pairs;
    c->triples = triples;
    c->quads = quads;
    c->katakana = doubles[at].katakana;
    return true;
}

static bool make(str name, arena *a, charset *c, err *e)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (str_eq_nocase(name, str_from_c(forms[i].name))) {
            c->form = forms[i].form;
            return true;
        }
    for (size_t i = 0; i < sizeof singles / sizeof singles[0]; i++)
        if (str_eq_nocase(name, str_from_c(singles[i].name))) {
            c->form = str_eq_nocase(name, STR("swe7")) ? FORM_SWE7 : FORM_SINGLE;
            c->upper = singles[i].upper;
            return true;
        }
    for (size_t i = 0; i < sizeof doubles / sizeof doubles[0]; i++)
        if (str_eq_nocase(name, str_from_c(doubles[i].name))) return make_double(i, a, c, e);
    return err_set(e, ERR_NOT_SUPPORTED, "character set %.*s is not known; convert the column to utf8mb4 or deselect it", STR_ARG(name));
}

bool charset_find(charset_set *s, str name, arena *a, const charset **ret, err *e)
{
    for (const charset *c = s->list; c; c = c->next)
        if (str_eq_nocase(c->name, name)) {
            *ret = c;
            return true;
        }
    charset *c = arena_alloc(a, sizeof *c);
    if (!c) return err_no_memory(e, "a character set");
    if (!make(name, a, c, e)) return false;
    c->name = name;
    c->next = s->list;
    s->list = c;
    *ret = c;
    return true;
}

/* ---- characters ---- */

/* Letters of the Swedish SEN 850200. */
static uint32_t swe7(uint8_t b)
{
    static const struct {
        uint8_t byte;
        uint16_t unicode;
    } letters[] = {{'@', 0xc9}, {'[', 0xc4}, {'\\', 0xd6}, {']', 0xc5}, {'^', 0xdc}, {'`', 0xe9}, {'{', 0xe4}, {'|', 0xf6}, {'}', 0xe5}, {'~', 0xfc}};
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++)
        if (letters[i].byte == b) return letters[i].unicode;
    return b == 0x7f ? BAD : b;
}

static bool is_surrogate(uint32_t u) { return u >= 0xd800 && u < 0xe000; }

static uint32_t utf16_next(const uint8_t *p, size_t left, bool little, bool pairs, size_t *ret_n)
{
    *ret_n = left < 2 ? left : 2;
    if (left < 2) return BAD;
    uint32_t high = little ? (uint32_t)(p[1] << 8 | p[0]) : (uint32_t)(p[0] << 8 | p[1]);
    if (!is_surrogate(high)) return high;
    if (!pairs || high >= 0xdc00 || left < 4) return BAD;
    uint32_t low = little ? (uint32_t)(p[3] << 8 | p[2]) : (uint32_t)(p[2] << 8 | p[3]);
    if (low < 0xdc00 || low >= 0xe000) return BAD;
    *ret_n = 4;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static bool is_quad(const uint8_t *p, size_t left)
{
    return left >= 4 && p[0] >= 0x81 && p[0] <= 0xfe && p[1] >= 0x30 && p[1] <= 0x39 && p[2] >= 0x81 && p[2] <= 0xfe && p[3] >= 0x30 && p[3] <= 0x39;
}

static uint32_t quad(const charset *c, const uint8_t *p)
{
    enum { FIRST_BEYOND = 15 * 12600 }; /* 0x90308130 is U+10000 */
    uint32_t at = quad_index(p), u = at < QUADS ? c->quads[at] : 0;
    if (at >= FIRST_BEYOND && at - FIRST_BEYOND <= 0xfffff) u = at - FIRST_BEYOND + 0x10000;
    return u ? u : BAD;
}

static uint32_t double_next(const charset *c, const uint8_t *p, size_t left, size_t *ret_n)
{
    *ret_n = 1;
    if (*p < 0x80) return *p;
    if (c->katakana && *p >= 0xa1 && *p <= 0xdf) return 0xff61u + *p - 0xa1;
    if (*p < 0x81 || *p > 0xfe || left < 2) return BAD;
    uint32_t u = 0;
    if (c->quads && is_quad(p, left)) {
        *ret_n = 4;
        return quad(c, p);
    }
    if (c->triples && *p == 0x8f) {
        if (left < 3 || p[1] < 0xa1 || p[1] > 0xfe || p[2] < 0xa1) return BAD;
        *ret_n = 3;
        u = c->triples[(p[1] - 0x81u) * 256 + p[2]];
    } else {
        u = c->pairs[(*p - 0x81u) * 256 + p[1]];
        *ret_n = u || p[1] >= 0x80 ? 2 : 1; /* a trail that is ASCII belongs to a character or stands for itself */
    }
    return u ? u : BAD;
}

static uint32_t next(const charset *c, const uint8_t *p, size_t left, size_t *ret_n)
{
    *ret_n = 1;
    switch (c->form) {
    case FORM_UTF8: break; /* not read by character */
    case FORM_ASCII: return *p < 0x80 ? *p : BAD;
    case FORM_SINGLE: return *p < 0x80 ? *p : c->upper[*p - 0x80] ? c->upper[*p - 0x80] : BAD;
    case FORM_SWE7: return *p < 0x80 ? swe7(*p) : c->upper[*p - 0x80] ? c->upper[*p - 0x80] : BAD;
    case FORM_DOUBLE: return double_next(c, p, left, ret_n);
    case FORM_UTF16: return utf16_next(p, left, false, true, ret_n);
    case FORM_UTF16LE: return utf16_next(p, left, true, true, ret_n);
    case FORM_UCS2: return utf16_next(p, left, false, false, ret_n);
    case FORM_UTF32: {
        *ret_n = left < 4 ? left : 4;
        uint32_t u = left < 4 ? BAD : (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        return u > 0x10ffff || is_surrogate(u) ? BAD : u;
    }
    }
    return BAD;
}

static char *put(char *to, uint32_t u)
{
    if (u < 0x80) {
        *to++ = (char)u;
    } else if (u < 0x800) {
        *to++ = (char)(0xc0 | u >> 6);
        *to++ = (char)(0x80 | (u & 63));
    } else {
        if (u < 0x10000) {
            *to++ = (char)(0xe0 | u >> 12);
        } else {
            *to++ = (char)(0xf0 | u >> 18);
            *to++ = (char)(0x80 | (u >> 12 & 63));
        }
        *to++ = (char)(0x80 | (u >> 6 & 63));
        *to++ = (char)(0x80 | (u & 63));
    }
    return to;
}

static size_t width(uint32_t u) { return u < 0x80 ? 1 : u < 0x800 ? 2 : u < 0x10000 ? 3 : 4; }

/* Bytes at the beginning that are ASCII. */
static size_t ascii_length(const uint8_t *p, size_t n)
{
    size_t i = 0;
    for (uint64_t x; i + 8 <= n; i += 8) {
        memcpy(&x, p + i, 8);
        if (x & 0x8080808080808080ull) break;
    }
    while (i < n && p[i] < 0x80) i++;
    return i;
}

/* Length of the UTF-8 character at p, 0 when there is none. */
static size_t utf8_length(const uint8_t *p, size_t left)
{
    uint8_t b = *p;
    size_t n = b < 0x80 ? 1 : b >= 0xc2 && b < 0xe0 ? 2 : b >= 0xe0 && b < 0xf0 ? 3 : b >= 0xf0 && b < 0xf5 ? 4 : 0;
    if (n == 0 || n > left) return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    bool over_long = (b == 0xe0 && p[1] < 0xa0) || (b == 0xf0 && p[1] < 0x90);
    bool outside = (b == 0xed && p[1] > 0x9f) || (b == 0xf4 && p[1] > 0x8f);
    return over_long || outside ? 0 : n;
}

static charset_outcome from_utf8(str text, bool replace, arena *a, str *ret)
{
    const uint8_t *p = (const uint8_t *)text.p;
    size_t bad = 0, n;
    for (size_t i = ascii_length(p, text.n); i < text.n; i += n ? n : 1) {
        n = utf8_length(p + i, text.n - i);
        if (n) continue;
        if (!replace) {
            *ret = str_sub(text, i, 1);
            return CHARSET_BAD_BYTES;
        }
        bad++;
    }
    *ret = text;
    if (!bad) return CHARSET_DONE;
    char *made = arena_bytes(a, text.n + 2 * bad), *to = made;
    if (!made) return CHARSET_NO_MEMORY;
    for (size_t i = 0; i < text.n; i += n ? n : 1) {
        n = utf8_length(p + i, text.n - i);
        if (n) memcpy(to, p + i, n), to += n;
        else to = put(to, REPLACEMENT);
    }
    *ret = (str){made, (size_t)(to - made)};
    return CHARSET_DONE;
}

bool charset_keeps_ascii(const charset *c) { return c->form <= FORM_DOUBLE && c->form != FORM_SWE7; }

charset_outcome charset_to_utf8(const charset *c, str text, bool replace, arena *a, str *ret)
{
    const uint8_t *p = (const uint8_t *)text.p;
    if (c->form == FORM_UTF8) return from_utf8(text, replace, a, ret);
    size_t same = charset_keeps_ascii(c) ? ascii_length(p, text.n) : 0, size = same, n;
    if (same == text.n) {
        *ret = text;
        return CHARSET_DONE;
    }
    for (size_t i = same; i < text.n; i += n) {
        uint32_t u = next(c, p + i, text.n - i, &n);
        if (u == BAD && !replace) {
            *ret = str_sub(text, i, n);
            return CHARSET_BAD_BYTES;
        }
        size += width(u == BAD ? REPLACEMENT : u);
    }
    char *made = arena_bytes(a, size), *to = made;
    if (!made) return CHARSET_NO_MEMORY;
    if (same) memcpy(made, p, same);
    to += same;
    for (size_t i = same; i < text.n; i += n) {
        uint32_t u = next(c, p + i, text.n - i, &n);
        to = put(to, u == BAD ? REPLACEMENT : u);
    }
    *ret = (str){made, (size_t)(to - made)};
    return CHARSET_DONE;
}
