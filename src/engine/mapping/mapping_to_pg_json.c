/* JSON of MySQL and MariaDB for json and jsonb of PostgreSQL, which refuse some of what the other servers store: jsonb the escapes of U+0000 and of halves of
 * surrogate pairs, and numbers beyond numeric; both what is no JSON (MariaDB's JSON is a text whose CHECK can be switched off).
 * Source: src/common/jsonapi.c, src/backend/utils/adt/numeric.c; measured on PostgreSQL 15. */
#include "engine/mapping/mapping_to_pg.h"

#define DEPTH_BYTES 128            /* a bit per level: 1024 levels, ten times MySQL's limit, well inside PostgreSQL's stack */
#define NUMERIC_WHOLE_DIGITS 131072
#define NUMERIC_FRACTION_DIGITS 16383

/* A place in the text; what says the first trouble. */
typedef struct scan {
    str s;
    size_t at;
    bool binary;                   /* for jsonb */
    const char *what;
    uint32_t depth;
    uint8_t is_object[DEPTH_BYTES];
} scan;

static int peek(const scan *j) { return j->at < j->s.n ? (uint8_t)j->s.p[j->at] : -1; }
static bool is_digit(int c) { return c >= '0' && c <= '9'; }

static bool fail(scan *j, const char *what)
{
    if (!j->what) j->what = what;
    return false;
}

static void pass_blank(scan *j)
{
    for (int c = peek(j); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek(j)) j->at++;
}

static bool take(scan *j, char c)
{
    if (peek(j) != c) return false;
    j->at++;
    return true;
}

static bool take_hex4(scan *j, uint32_t *ret)
{
    *ret = 0;
    for (int i = 0; i < 4; i++, j->at++) {
        int c = peek(j), v = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
        if (v < 0) return fail(j, "has a \\u without four hexadecimal digits");
        *ret = *ret << 4 | (uint32_t)v;
    }
    return true;
}

/* Behind "\u". */
static bool take_code(scan *j)
{
    uint32_t u, low;
    if (!take_hex4(j, &u)) return false;
    if (!j->binary) return true;
    if (u == 0) return fail(j, "has the character \\u0000");
    if (u < 0xd800 || u >= 0xe000) return true;
    if (u >= 0xdc00 || !take(j, '\\') || !take(j, 'u')) return fail(j, "has half of a surrogate pair");
    if (!take_hex4(j, &low)) return false;
    return (low >= 0xdc00 && low < 0xe000) || fail(j, "has half of a surrogate pair");
}

/* Behind the quote. */
static bool take_string(scan *j)
{
    for (;;) {
        int c = peek(j);
        if (c < 0) return fail(j, "has a string without an end");
        if (c < ' ') return fail(j, "has a control character in a string");
        j->at++;
        if (c == '"') return true;
        if (c != '\\') continue;
        c = peek(j);
        j->at++;
        if (c == 'u') {
            if (!take_code(j)) return false;
        } else if (c != '"' && c != '\\' && c != '/' && c != 'b' && c != 'f' && c != 'n' && c != 'r' && c != 't') {
            return fail(j, "has an unknown escape in a string");
        }
    }
}

static size_t count_digits(scan *j)
{
    size_t from = j->at;
    while (is_digit(peek(j))) j->at++;
    return j->at - from;
}

static bool take_exponent(scan *j, int64_t *ret)
{
    bool negative = false;
    *ret = 0;
    if (!take(j, 'e') && !take(j, 'E')) return true;
    if (take(j, '-')) negative = true;
    else (void)take(j, '+');
    size_t from = j->at;
    if (!count_digits(j)) return fail(j, "has an exponent without digits");
    for (size_t i = from; i < j->at && *ret < 10 * NUMERIC_WHOLE_DIGITS; i++) *ret = *ret * 10 + (j->s.p[i] - '0');
    if (negative) *ret = -*ret;
    return true;
}

static bool take_number(scan *j)
{
    int64_t exponent;
    (void)take(j, '-');
    bool zero = peek(j) == '0';
    size_t whole = count_digits(j), fraction = 0;
    if (!whole || (zero && whole > 1)) return fail(j, "has a word or number that JSON does not know");
    if (take(j, '.') && !(fraction = count_digits(j))) return fail(j, "has a number that ends in a point");
    if (!take_exponent(j, &exponent)) return false;
    if (j->binary && ((int64_t)whole + exponent > NUMERIC_WHOLE_DIGITS || (int64_t)fraction - exponent > NUMERIC_FRACTION_DIGITS))
        return fail(j, "has a number beyond the range of numeric");
    return true;
}

static bool take_word(scan *j, str word)
{
    if (!str_starts_with(str_sub(j->s, j->at, word.n), word)) return false;
    j->at += word.n;
    return true;
}

static bool push(scan *j, bool object)
{
    if (j->depth == DEPTH_BYTES * 8) return fail(j, "is nested deeper than 1024 levels");
    uint8_t *byte = &j->is_object[j->depth / 8], bit = (uint8_t)(1u << j->depth % 8);
    *byte = object ? *byte | bit : *byte & (uint8_t)~bit;
    j->depth++;
    return true;
}

static bool in_object(const scan *j) { return j->is_object[(j->depth - 1) / 8] >> (j->depth - 1) % 8 & 1; }

static bool take_name(scan *j)
{
    pass_blank(j);
    if (!take(j, '"')) return fail(j, "has an object member without a name");
    if (!take_string(j)) return false;
    pass_blank(j);
    return take(j, ':') || fail(j, "has an object member without a value");
}

/* Ends what a value ended; *ret_more: another value follows. */
static bool after_value(scan *j, bool *ret_more)
{
    for (*ret_more = false; j->depth; j->depth--) {
        pass_blank(j);
        if (take(j, ',')) {
            *ret_more = true;
            return !in_object(j) || take_name(j);
        }
        if (!take(j, in_object(j) ? '}' : ']')) return fail(j, "has an array or object without an end");
    }
    return true;
}

/* One value, or the beginning of one that is not empty (*ret_open: its first value follows). */
static bool take_value(scan *j, bool *ret_open)
{
    *ret_open = false;
    pass_blank(j);
    if (take(j, '"')) return take_string(j);
    if (take_word(j, STR("true")) || take_word(j, STR("false")) || take_word(j, STR("null"))) return true;
    bool object = peek(j) == '{';
    if (!object && peek(j) != '[') return take_number(j);
    j->at++;
    pass_blank(j);
    if (take(j, object ? '}' : ']')) return true;
    *ret_open = true;
    return push(j, object) && (!object || take_name(j));
}

static bool scan_all(scan *j)
{
    bool open, more = true;
    while (more) {
        if (!take_value(j, &open)) return false;
        if (!open && !after_value(j, &more)) return false;
    }
    pass_blank(j);
    return j->at == j->s.n || fail(j, "goes on behind its end");
}

static bool convert(const column_plan *p, bool binary, arena *mem, val *v, mapping_trouble *t)
{
    scan j = {.binary = binary};
    if (v->kind != VAL_JSON && v->kind != VAL_TEXT) return pg_unexpected(p, mem, v, t);
    if (!pg_text_of(p->detail, val_bytes(v), mem, &j.s, t)) return false;
    if (!scan_all(&j))
        return mapping_trouble_set(t, RULE_T14, mem, "the JSON text %s near byte %zu, which %s of PostgreSQL refuses", j.what, j.at, binary ? "jsonb" : "json");
    return pg_set_text(v, VAL_TEXT, j.s, t);
}

bool pg_convert_jsonb(const column_plan *p, arena *mem, val *v, mapping_trouble *t) { return convert(p, true, mem, v, t); }
bool pg_convert_json(const column_plan *p, arena *mem, val *v, mapping_trouble *t) { return convert(p, false, mem, v, t); }
