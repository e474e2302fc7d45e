/* Numbers, bits, bytes and addresses of PostgreSQL as MySQL and MariaDB take them. */
#include "engine/mapping/mapping_to_my.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "codec/pg_text.h"

bool my_unexpected(const column_plan *p, arena *mem, const val *v, mapping_trouble *t)
{
    bool shown = !val_is_inline(v);
    return mapping_trouble_set(t, RULE_T62, mem, "'%.*s' is no value of the type %.*s", STR_ARG(shown ? str_sub(val_bytes(v), 0, 64) : STR("")),
                               STR_ARG(p->source->native_type));
}

bool my_set_bytes(val *v, val_kind kind, str bytes, mapping_trouble *t)
{
    if (!bytes.p || bytes.n > UINT32_MAX) {
        *t = (mapping_trouble){.rule = RULE_COUNT, .what = bytes.p ? STR("what it becomes in MySQL has 4 GiB or more, which no column holds") : STR_NULL};
        return false;
    }
    *v = (val){.kind = (uint8_t)kind, .u.p = bytes.p, .n = (uint32_t)bytes.n};
    return true;
}

static bool is_text(const val *v) { return v->kind == VAL_NUMBER || v->kind == VAL_TEXT; }

bool my_no_value(const column_plan *p, mapping_rule r, val_kind kind, bool early, arena *mem, val *v, const char *what, mapping_trouble *t)
{
    const my_column_detail *d = p->detail;
    switch (d->no_value) {
    case MY_NO_VALUE_NULL: *v = (val){.kind = VAL_NULL}; return true;
    case MY_NO_VALUE_SENTINEL: return my_set_bytes(v, kind, early ? d->low : d->high, t);
    case MY_NO_VALUE_ERROR: break;
    }
    return mapping_trouble_set(t, r, mem, "'%.*s' %s", STR_ARG(str_sub(val_bytes(v), 0, 64)), what);
}

/* ---- numbers ---- */

bool my_convert_number(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    if (!is_text(v)) return my_unexpected(p, mem, v, t);
    v->kind = VAL_NUMBER;
    return true;
}

static bool read_boolean(const column_plan *p, arena *mem, const val *v, bool *ret, mapping_trouble *t)
{
    err ignored = ERR_INIT;
    return (is_text(v) && pg_text_parse_bool(val_bytes(v), ret, &ignored)) || my_unexpected(p, mem, v, t);
}

bool my_convert_boolean(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    bool b;
    if (!read_boolean(p, mem, v, &b, t)) return false;
    return my_set_bytes(v, VAL_NUMBER, b ? STR("1") : STR("0"), t);
}

bool my_convert_boolean_bit(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    bool b;
    if (!read_boolean(p, mem, v, &b, t)) return false;
    return my_set_bytes(v, VAL_BIT, b ? STR("\1") : STR("\0"), t);
}

static bool read_number(const column_plan *p, arena *mem, const val *v, pg_number *ret, mapping_trouble *t)
{
    err ignored = ERR_INIT;
    return (is_text(v) && pg_text_parse_number(val_bytes(v), ret, &ignored)) || my_unexpected(p, mem, v, t);
}

static bool not_finite(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    return my_no_value(p, RULE_T42, VAL_NUMBER, false, mem, v, "is no number of MySQL or MariaDB", t);
}

/* Digits that stand for something: no zeros in front, none behind. */
static size_t whole_digits(str s)
{
    size_t i = 0;
    while (i < s.n && s.p[i] == '0') i++;
    return s.n - i;
}

static size_t fraction_digits(str s)
{
    while (s.n && s.p[s.n - 1] == '0') s.n--;
    return s.n;
}

bool my_convert_decimal(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    pg_number n;
    uint32_t scale = p->target->scale, whole = p->target->length - scale;
    if (!read_number(p, mem, v, &n, t)) return false;
    if (n.kind != PG_NUMBER_FINITE) return not_finite(p, mem, v, t);
    size_t most = fraction_digits(n.fraction);
    if (n.exponent || whole_digits(n.whole) > whole || most > scale)
        return mapping_trouble_set(t, RULE_T41, mem, "%.*s does not fit %.*s", STR_ARG(str_sub(val_bytes(v), 0, 120)), STR_ARG(p->target->native_type));
    v->kind = VAL_NUMBER;
    if (n.fraction.n > scale) v->n -= (uint32_t)n.fraction.n - scale + (scale ? 0 : 1); /* zeros; the point too when nothing is behind it */
    return true;
}

/* "-$1,234.50": the settings of pg_conn pin lc_monetary C. */
bool my_convert_money(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    pg_number n;
    if (!is_text(v)) return my_unexpected(p, mem, v, t);
    char *out = arena_bytes(mem, v->n);
    uint32_t k = 0;
    for (uint32_t i = 0; out && i < v->n; i++)
        if (v->u.p[i] != '$' && v->u.p[i] != ',') out[k++] = v->u.p[i];
    val number = {.kind = VAL_NUMBER, .u.p = out, .n = k};
    if (!out) return my_set_bytes(v, VAL_NUMBER, STR_NULL, t);
    if (!read_number(p, mem, &number, &n, t) || n.kind != PG_NUMBER_FINITE || n.exponent) return my_unexpected(p, mem, v, t);
    *v = number;
    return true;
}

static bool convert_real(const column_plan *p, bool single, arena *mem, val *v, mapping_trouble *t)
{
    enum { MOST_BYTES = 64 };
    char text[MOST_BYTES];
    pg_number n;
    if (!read_number(p, mem, v, &n, t)) return false;
    if (n.kind != PG_NUMBER_FINITE) return not_finite(p, mem, v, t);
    if (v->n >= MOST_BYTES) return my_unexpected(p, mem, v, t);
    memcpy(text, v->u.p, v->n);
    text[v->n] = 0;
    *v = (val){.kind = single ? VAL_F32 : VAL_F64, .u.f = single ? (double)strtof(text, NULL) : strtod(text, NULL)};
    return true;
}

/* The exact number, not its short text: a FLOAT is compared as a double. */
bool my_convert_float(const column_plan *p, arena *mem, val *v, mapping_trouble *t) { return convert_real(p, true, mem, v, t); }
bool my_convert_double(const column_plan *p, arena *mem, val *v, mapping_trouble *t) { return convert_real(p, false, mem, v, t); }

/* ---- bits and bytes ---- */

bool my_convert_bits(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    uint32_t bits = p->target->length, bytes = (bits + 7) / 8;
    if (v->kind != VAL_TEXT || v->n != bits) return my_unexpected(p, mem, v, t);
    char *out = arena_bytes(mem, bytes);
    if (out) memset(out, 0, bytes);
    for (uint32_t i = 0; out && i < bits; i++) {
        uint32_t from_end = bits - 1 - i;
        if (v->u.p[i] != '0' && v->u.p[i] != '1') return my_unexpected(p, mem, v, t);
        if (v->u.p[i] == '1') out[bytes - 1 - from_end / 8] = (char)((uint8_t)out[bytes - 1 - from_end / 8] | 1u << from_end % 8);
    }
    return my_set_bytes(v, VAL_BIT, (str){out, bytes}, t);
}

static bool set_limited(const column_plan *p, str bytes, arena *mem, val *v, mapping_trouble *t)
{
    const my_column_detail *d = p->detail;
    if (d->most_bytes && bytes.n > d->most_bytes)
        return mapping_trouble_set(t, d->rule, mem, "%zu bytes do not fit %.*s", bytes.n, STR_ARG(p->target->native_type));
    return my_set_bytes(v, VAL_BYTES, bytes, t);
}

bool my_convert_bytes(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    err why = ERR_INIT;
    str bytes;
    if (!is_text(v)) return my_unexpected(p, mem, v, t);
    if (!pg_text_parse_bytea(val_bytes(v), mem, &bytes, &why)) return why.code == ERR_NO_MEMORY ? my_set_bytes(v, VAL_BYTES, STR_NULL, t) : my_unexpected(p, mem, v, t);
    return set_limited(p, bytes, mem, v, t);
}

bool my_convert_raw(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    return is_text(v) ? set_limited(p, val_bytes(v), mem, v, t) : my_unexpected(p, mem, v, t);
}

/* Hex digits with one of the marks between some of them; false when it is not `count` bytes. */
static bool hex_bytes(str text, char mark, uint8_t *out, size_t count)
{
    size_t digits = 0;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (c == mark) continue;
        if (v < 0 || digits / 2 >= count) return false;
        out[digits / 2] = (uint8_t)(digits % 2 ? out[digits / 2] << 4 | v : v);
        digits++;
    }
    return digits == 2 * count;
}

bool my_convert_uuid(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    enum { BYTES = 16 };
    uint8_t out[BYTES];
    if (v->kind != VAL_TEXT || !hex_bytes(val_bytes(v), '-', out, BYTES)) return my_unexpected(p, mem, v, t);
    return my_set_bytes(v, VAL_BYTES, arena_copy(mem, (str){(const char *)out, BYTES}), t);
}

bool my_convert_address(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    enum { MOST_BYTES = 16, MOST_TEXT = 64 };
    uint8_t out[MOST_BYTES];
    char text[MOST_TEXT];
    str s = is_text(v) ? val_bytes(v) : STR("");
    for (size_t bytes = 6; bytes <= 8; bytes += 2)
        if (hex_bytes(s, ':', out, bytes) && s.n == 3 * bytes - 1) return my_set_bytes(v, VAL_BYTES, arena_copy(mem, (str){(const char *)out, bytes}), t);
    if (str_find_byte(s, '/', 0) != SIZE_MAX)
        return mapping_trouble_set(t, RULE_T60, mem, "'%.*s' is a network, not the address of a host", STR_ARG(s));
    if (!s.n || s.n >= MOST_TEXT) return my_unexpected(p, mem, v, t);
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    bool four = inet_pton(AF_INET, text, out) == 1;
    if (!four && inet_pton(AF_INET6, text, out) != 1) return my_unexpected(p, mem, v, t);
    return my_set_bytes(v, VAL_BYTES, arena_copy(mem, (str){(const char *)out, four ? 4 : MOST_BYTES}), t);
}
