/* JSON for MySQL and MariaDB from json, jsonb, arrays, composites and hstore. The servers hold less than PostgreSQL: MySQL keeps a number as a 64-bit integer or
 * a double and refuses halves of surrogate pairs, and neither takes all depths (100 in MySQL, 31 in MariaDB: measured on 9.7 and 10.11). What they would
 * change is refused; JSON of MariaDB is a text and keeps the rest as it is.
 * hstore: "key"=>"value", "key"=>NULL (contrib/hstore/hstore_io.c). */
#include "engine/mapping/mapping_to_my.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codec/pg_array.h"
#include "codec/pg_composite.h"
#include "codec/pg_text.h"

#define DEPTH_MYSQL 100
#define DEPTH_MARIADB 31

/* ---- does the target hold it ---- */

/* Digits of a decimal number without zeros at its ends, and the power of ten of its last one. */
typedef struct digits {
    char text[32];
    size_t n;
    int64_t exponent;
} digits;

/* False when there are more digits than a double can tell apart. */
static bool take_digits(str s, digits *ret)
{
    bool behind_point = false;
    size_t i = s.n && s.p[0] == '-' ? 1 : 0, zeros = 0;
    ret->n = 0;
    ret->exponent = 0;
    for (; i < s.n && s.p[i] != 'e' && s.p[i] != 'E'; i++) {
        if (s.p[i] == '.') {
            behind_point = true;
            continue;
        }
        if (behind_point) ret->exponent--;
        if (s.p[i] == '0') {
            zeros += ret->n > 0;
            continue;
        }
        if (ret->n + zeros + 1 > sizeof ret->text) return false;
        for (; zeros; zeros--) ret->text[ret->n++] = '0';
        ret->text[ret->n++] = s.p[i];
    }
    ret->exponent += (int64_t)zeros;
    if (i >= s.n) return true;
    int64_t power = 0;
    str exponent = str_sub(s, i + 1, SIZE_MAX);
    if (exponent.n && exponent.p[0] == '+') exponent = str_sub(exponent, 1, SIZE_MAX);
    if (!str_to_i64(exponent, &power) || power > INT32_MAX || power < -INT32_MAX) return false;
    ret->exponent += power;
    return true;
}

/* A double that MySQL reads from it is printed as the same number again. */
static bool survives_as_double(str s)
{
    enum { MOST_BYTES = 400 }; /* 1e308 in digits */
    char text[MOST_BYTES + 1], shortest[MAPPING_FLOAT_BYTES];
    digits given, kept;
    if (s.n > MOST_BYTES || !take_digits(s, &given)) return false;
    if (!given.n) return true; /* zero */
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    double d = strtod(text, NULL);
    str back = {shortest, mapping_float_text(d, false, shortest)};
    return isfinite(d) && take_digits(back, &kept) && kept.n == given.n && kept.exponent == given.exponent && !memcmp(kept.text, given.text, kept.n);
}

static bool is_integer(str s)
{
    int64_t i;
    uint64_t u;
    return str_to_i64(s, &i) || str_to_u64(s, &u);
}

static size_t number_end(str s, size_t at)
{
    while (at < s.n && ((s.p[at] >= '0' && s.p[at] <= '9') || s.p[at] == '-' || s.p[at] == '+' || s.p[at] == '.' || s.p[at] == 'e' || s.p[at] == 'E')) at++;
    return at;
}

static uint32_t hex4(str s, size_t at)
{
    uint32_t u = 0;
    for (size_t i = at; i < at + 4 && i < s.n; i++) {
        char c = s.p[i];
        u = u << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return u;
}

static bool is_low_half(str s, size_t at) { return at + 6 <= s.n && s.p[at] == '\\' && s.p[at + 1] == 'u' && (hex4(s, at + 2) & 0xfc00) == 0xdc00; }

/* From behind the quote to behind the other one; *ret_half: a \u escape is half of a pair. */
static size_t string_end(str s, size_t at, bool *ret_half)
{
    for (; at < s.n && s.p[at] != '"'; at++) {
        if (s.p[at] != '\\') continue;
        at++;
        if (at >= s.n || s.p[at] != 'u') continue;
        uint32_t u = hex4(s, at + 1) & 0xf800;
        if (u == 0xd800) {
            if ((hex4(s, at + 1) & 0xfc00) != 0xd800 || !is_low_half(s, at + 5)) *ret_half = true;
            else at += 6;
        }
        at += 4;
    }
    return at + 1;
}

/* The text is JSON that PostgreSQL took or that we wrote. */
static bool check(const column_plan *p, mapping_rule r, str s, arena *mem, mapping_trouble *t)
{
    const my_column_detail *d = p->detail;
    uint32_t depth = 0, most = d->mariadb ? DEPTH_MARIADB : DEPTH_MYSQL;
    for (size_t at = 0; at < s.n;) {
        char c = s.p[at];
        bool half = false;
        if (c == '"') {
            at = string_end(s, at + 1, &half);
            if (half && !d->mariadb) return mapping_trouble_set(t, r, mem, "the JSON has half of a surrogate pair, which MySQL refuses");
        } else if (!d->mariadb && ((c >= '0' && c <= '9') || c == '-')) {
            size_t end = number_end(s, at);
            str number = str_sub(s, at, end - at);
            if (!is_integer(number) && !survives_as_double(number))
                return mapping_trouble_set(t, r, mem, "the number %.*s in the JSON is changed by MySQL, which keeps a 64-bit integer or a double", STR_ARG(str_sub(number, 0, 80)));
            at = end;
        } else {
            if ((c == '{' || c == '[') && ++depth > most) return mapping_trouble_set(t, r, mem, "the JSON is deeper than the %u levels of the destination", most);
            if (c == '}' || c == ']') depth--;
            at++;
        }
    }
    return true;
}

/* ---- writing ---- */

typedef struct writer {
    const column_plan *p;
    mapping_rule rule;
    arena *mem;
    buf out;
    mapping_trouble *t;
} writer;

static void write_string(buf *out, str s)
{
    static const char digits_of[] = "0123456789abcdef";
    buf_add_byte(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '"' || c == '\\') {
            buf_add_byte(out, '\\');
            buf_add_byte(out, c);
        } else if ((uint8_t)c < ' ') {
            buf_add_c(out, "\\u00");
            buf_add_byte(out, digits_of[(uint8_t)c >> 4]);
            buf_add_byte(out, digits_of[(uint8_t)c & 15]);
        } else {
            buf_add_byte(out, c);
        }
    }
    buf_add_byte(out, '"');
}

static bool bad_text(writer *w, str text, const char *what)
{
    return mapping_trouble_set(w->t, w->rule, w->mem, "'%.*s' is not %s", STR_ARG(str_sub(text, 0, 64)), what);
}

static bool write_value(writer *w, const type_def *type, str text);

static bool write_list(writer *w, const pg_array *a, const type_def *element, uint32_t dimension, uint32_t *at)
{
    buf_add_byte(&w->out, '[');
    for (uint32_t i = 0; i < a->length[dimension]; i++) {
        if (i) buf_add_c(&w->out, ", ");
        if (dimension + 1 < a->dimensions) {
            if (!write_list(w, a, element, dimension + 1, at)) return false;
        } else if (!write_value(w, element, a->elements[(*at)++])) {
            return false;
        }
    }
    buf_add_byte(&w->out, ']');
    return true;
}

static bool write_array(writer *w, const type_def *type, str text)
{
    pg_array a;
    err why = ERR_INIT;
    uint32_t at = 0;
    if (!pg_array_parse(text, type->of->delimiter, w->mem, &a, &why)) return bad_text(w, text, "an array");
    for (uint32_t i = 0; i < a.dimensions; i++)
        if (a.lower[i] != 1)
            return mapping_trouble_set(w->t, w->rule, w->mem, "the array counts from %d, which a list of JSON cannot tell", a.lower[i]);
    if (a.dimensions) return write_list(w, &a, type->of, 0, &at);
    buf_add_c(&w->out, "[]");
    return true;
}

static bool write_composite(writer *w, const type_def *type, str text)
{
    const str *fields;
    uint32_t count;
    err why = ERR_INIT;
    if (!pg_composite_parse(text, w->mem, &fields, &count, &why) || (count != type->count && type->count)) return bad_text(w, text, "a row of its type");
    buf_add_byte(&w->out, '{');
    for (uint32_t i = 0; i < type->count; i++) {
        if (i) buf_add_c(&w->out, ", ");
        write_string(&w->out, type->names[i]);
        buf_add_c(&w->out, ": ");
        if (!write_value(w, type->fields[i], fields[i])) return false;
    }
    buf_add_byte(&w->out, '}');
    return true;
}

/* A quoted text from *at on, unescaped. */
static bool take_quoted(str s, size_t *at, arena *mem, str *ret)
{
    char *out = arena_bytes(mem, s.n - *at);
    size_t n = 0, i = *at + 1;
    if (!out || *at >= s.n || s.p[*at] != '"') return false;
    for (; i < s.n && s.p[i] != '"'; i++) {
        if (s.p[i] == '\\') i++;
        if (i < s.n) out[n++] = s.p[i];
    }
    *at = i + 1;
    *ret = (str){out, n};
    return i < s.n;
}

static bool skip_word(str s, size_t *at, str word)
{
    if (!str_starts_with(str_sub(s, *at, SIZE_MAX), word)) return false;
    *at += word.n;
    return true;
}

static bool write_hstore(writer *w, str text)
{
    buf_add_byte(&w->out, '{');
    for (size_t at = 0; at < text.n;) {
        str key, value = STR_NULL;
        if (at && !skip_word(text, &at, STR(", "))) return bad_text(w, text, "an hstore");
        if (at) buf_add_c(&w->out, ", ");
        if (!take_quoted(text, &at, w->mem, &key) || !skip_word(text, &at, STR("=>"))) return bad_text(w, text, "an hstore");
        if (!skip_word(text, &at, STR("NULL")) && !take_quoted(text, &at, w->mem, &value)) return bad_text(w, text, "an hstore");
        write_string(&w->out, key);
        buf_add_c(&w->out, ": ");
        if (value.p) write_string(&w->out, value);
        else buf_add_c(&w->out, "null");
    }
    buf_add_byte(&w->out, '}');
    return true;
}

static bool write_number(writer *w, str text)
{
    pg_number n;
    err why = ERR_INIT;
    if (!pg_text_parse_number(text, &n, &why)) return bad_text(w, text, "a number");
    if (n.kind != PG_NUMBER_FINITE) return mapping_trouble_set(w->t, w->rule, w->mem, "%.*s is no number of JSON", STR_ARG(text));
    buf_add(&w->out, text);
    return true;
}

static bool write_base(writer *w, const type_def *type, str text)
{
    bool builtin = str_eq(type->schema, STR("pg_catalog"));
    if (type->type <= COL_DECIMAL || (builtin && str_eq(type->name, STR("oid")))) return write_number(w, text);
    if (type->type == COL_JSON) buf_add(&w->out, text);
    else if (builtin && str_eq(type->name, STR("bool"))) buf_add_c(&w->out, str_eq(text, STR("t")) ? "true" : "false");
    else if (str_eq(type->name, STR("hstore")) && type->extension.n) return write_hstore(w, text);
    else write_string(&w->out, text);
    return true;
}

static bool write_value(writer *w, const type_def *type, str text)
{
    while (type->kind == 'd') type = type->of;
    if (!text.p) {
        buf_add_c(&w->out, "null");
        return true;
    }
    switch (type->kind) {
    case 'a': return write_array(w, type, text);
    case 'c': return write_composite(w, type, text);
    case 'b': return write_base(w, type, text);
    default: write_string(&w->out, text); return true;
    }
}

bool my_convert_json(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    const my_column_detail *d = p->detail;
    BUF_AUTO out = BUF_INIT;
    str text = val_is_inline(v) ? STR("") : val_bytes(v);
    if (v->kind != VAL_TEXT) return my_unexpected(p, mem, v, t);
    if (d->type->type != COL_JSON) {
        writer w = {.p = p, .rule = d->rule, .mem = mem, .out = BUF_INIT, .t = t};
        bool ok = write_value(&w, d->type, text);
        out = w.out;
        if (!ok) return false;
        text = out.failed ? STR_NULL : arena_copy(mem, buf_str(&out));
        if (!text.p) return my_set_bytes(v, VAL_JSON, text, t);
    }
    return check(p, d->rule, text, mem, t) && my_set_bytes(v, d->mariadb ? VAL_TEXT : VAL_JSON, text, t);
}
