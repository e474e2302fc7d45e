/* Values in PostgreSQL's text form: booleans, bytea, numbers. */
#include "codec/pg_text.h"

bool pg_text_error(str text, const char *what, err *e)
{
    str shown = str_sub(text, 0, 60);
    return err_set(e, ERR_CORRUPT, "'%.*s%s' (%zu bytes) is not %s as PostgreSQL prints it with the settings of our session", STR_ARG(shown),
                   shown.n < text.n ? "..." : "", text.n, what);
}

bool pg_text_parse_bool(str text, bool *ret, err *e)
{
    if (text.n != 1 || (text.p[0] != 't' && text.p[0] != 'f')) return pg_text_error(text, "a boolean", e);
    *ret = text.p[0] == 't';
    return true;
}

/* Value of a hex digit plus one, 0 for every other byte. */
static const uint8_t hex_digit[256] = {
    ['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6, ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12,
    ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

bool pg_text_parse_bytea(str text, arena *a, str *ret, err *e)
{
    if (!str_starts_with(text, STR("\\x")) || text.n % 2) return pg_text_error(text, "a bytea", e);
    size_t n = text.n / 2 - 1;
    char *bytes = arena_bytes(a, n);
    if (!bytes) return err_no_memory(e, "a bytea value");
    for (size_t i = 0; i < n; i++) {
        unsigned high = hex_digit[(uint8_t)text.p[2 * i + 2]], low = hex_digit[(uint8_t)text.p[2 * i + 3]];
        if (!high || !low) return pg_text_error(text, "a bytea", e);
        bytes[i] = (char)(uint8_t)((high - 1) << 4 | (low - 1));
    }
    *ret = (str){bytes, n};
    return true;
}

void pg_text_write_bytea(buf *out, str bytes)
{
    buf_add(out, STR("\\x"));
    buf_add_hex(out, bytes);
}

/* Cuts the digits off the front of *rest. */
static str take_digits(str *rest)
{
    size_t n = 0;
    while (n < rest->n && rest->p[n] >= '0' && rest->p[n] <= '9') n++;
    str digits = str_sub(*rest, 0, n);
    *rest = str_sub(*rest, n, rest->n);
    return digits;
}

/* 'e', a sign, digits. */
static bool take_exponent(str *rest, int32_t *ret)
{
    if (rest->n < 2 || rest->p[0] != 'e' || (rest->p[1] != '+' && rest->p[1] != '-')) return false;
    bool negative = rest->p[1] == '-';
    *rest = str_sub(*rest, 2, rest->n);
    str digits = take_digits(rest);
    uint64_t v;
    if (digits.n > 9 || !str_to_u64(digits, &v)) return false;
    *ret = negative ? -(int32_t)v : (int32_t)v;
    return true;
}

bool pg_text_parse_number(str text, pg_number *ret, err *e)
{
    static const struct {
        str text;
        pg_number_kind kind;
    } special[] = {{{"NaN", 3}, PG_NUMBER_NAN}, {{"Infinity", 8}, PG_NUMBER_INFINITY}, {{"-Infinity", 9}, PG_NUMBER_MINUS_INFINITY}};
    for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
        if (!str_eq(text, special[i].text)) continue;
        *ret = (pg_number){.kind = special[i].kind, .negative = special[i].kind == PG_NUMBER_MINUS_INFINITY};
        return true;
    }
    pg_number v = {.kind = PG_NUMBER_FINITE, .fraction = STR("")};
    str rest = text;
    v.negative = str_starts_with(rest, STR("-"));
    if (v.negative) rest = str_sub(rest, 1, rest.n);
    v.whole = take_digits(&rest);
    bool ok = v.whole.n > 0;
    if (ok && rest.n && rest.p[0] == '.') {
        rest = str_sub(rest, 1, rest.n);
        v.fraction = take_digits(&rest);
        ok = v.fraction.n > 0;
    }
    if (ok && rest.n) ok = take_exponent(&rest, &v.exponent) && rest.n == 0;
    if (!ok) return pg_text_error(text, "a number", e);
    *ret = v;
    return true;
}
