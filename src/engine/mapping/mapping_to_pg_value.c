/* Numbers, bits and bytes of MySQL as PostgreSQL's texts. */
#include "engine/mapping/mapping_to_pg.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool pg_unexpected(const column_plan *p, arena *mem, const val *v, mapping_trouble *t)
{
    return mapping_trouble_set(t, RULE_T5, mem, "what was read (kind %u) is no value of the type %.*s", v->kind, STR_ARG(p->source->native_type));
}

bool pg_set_text(val *v, val_kind kind, str text, mapping_trouble *t)
{
    if (text.p && text.n > MAPPING_PG_MAX_FIELD_BYTES) {
        *t = (mapping_trouble){.rule = RULE_T11, .what = STR("its text does not fit a field of PostgreSQL, which is smaller than 1 GiB")};
        return false;
    }
    if (!text.p) {
        t->what = STR_NULL;
        return false;
    }
    *v = (val){.kind = (uint8_t)kind, .u.p = text.p, .n = (uint32_t)text.n};
    return true;
}

/* ---- numbers ---- */

static size_t digits_of(uint64_t v, bool negative, char out[24])
{
    char backwards[24];
    size_t n = 0, k = 0;
    do backwards[n++] = (char)('0' + v % 10);
    while (v /= 10);
    if (negative) out[k++] = '-';
    while (n) out[k++] = backwards[--n];
    return k;
}

static bool set_number(val *v, uint64_t magnitude, bool negative, arena *mem, mapping_trouble *t)
{
    char text[24];
    return pg_set_text(v, VAL_NUMBER, arena_copy(mem, (str){text, digits_of(magnitude, negative, text)}), t);
}

/* Zeros in front that ZEROFILL put there. */
static str strip_zeros(str s)
{
    while (s.n > 1 && s.p[0] == '0' && s.p[1] >= '0' && s.p[1] <= '9') s = str_sub(s, 1, s.n);
    return s;
}

static bool set_stripped(val *v, mapping_trouble *t)
{
    if (!pg_set_text(v, VAL_NUMBER, strip_zeros(val_bytes(v)), t)) return false;
    v->flags = val_is_plain(val_bytes(v)) ? VAL_PLAIN : 0;
    return true;
}

bool pg_convert_integer(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    switch ((val_kind)v->kind) {
    case VAL_NUMBER: return set_stripped(v, t);
    case VAL_UINT: return set_number(v, v->u.u, false, mem, t);
    case VAL_INT: return set_number(v, v->u.i < 0 ? 0 - (uint64_t)v->u.i : (uint64_t)v->u.i, v->u.i < 0, mem, t);
    default: return pg_unexpected(p, mem, v, t);
    }
}

bool pg_convert_bigint(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    uint64_t number = 0;
    if (v->kind == VAL_UINT) number = v->u.u;
    else if (v->kind != VAL_NUMBER || !str_to_u64(val_bytes(v), &number)) return pg_unexpected(p, mem, v, t);
    if (number > INT64_MAX)
        return mapping_trouble_set(t, RULE_T1, mem, "%llu is larger than 9223372036854775807, the largest bigint of PostgreSQL", (unsigned long long)number);
    return set_number(v, number, false, mem, t);
}

bool pg_convert_boolean(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    int64_t number = 0;
    bool known = true;
    if (v->kind == VAL_INT) number = v->u.i;
    else if (v->kind == VAL_UINT) number = v->u.u > 1 ? 2 : (int64_t)v->u.u;
    else if (v->kind == VAL_BIT && v->n == 1) number = (uint8_t)v->u.p[0];
    else known = v->kind == VAL_NUMBER && str_to_i64(val_bytes(v), &number);
    if (!known) return pg_unexpected(p, mem, v, t);
    if (number != 0 && number != 1)
        return mapping_trouble_set(t, p->source->type == COL_BIT ? RULE_T4 : RULE_T3, mem, "%lld is neither 0 nor 1 and no boolean", (long long)number);
    return pg_set_text(v, VAL_TEXT, number ? STR("t") : STR("f"), t);
}

bool pg_convert_decimal(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    return v->kind == VAL_NUMBER ? set_stripped(v, t) : pg_unexpected(p, mem, v, t);
}

static bool convert_real(const column_plan *p, bool single, arena *mem, val *v, mapping_trouble *t)
{
    enum { MOST_BYTES = 600 }; /* DOUBLE(255,30) with ZEROFILL has fewer */
    char text[MOST_BYTES + 1], out[MAPPING_FLOAT_BYTES], *end;
    double d = v->u.f;
    if (v->kind == VAL_NUMBER && v->n > 0 && v->n <= MOST_BYTES) {
        memcpy(text, v->u.p, v->n);
        text[v->n] = 0;
        d = strtod(text, &end);
        if (end != text + v->n) return pg_unexpected(p, mem, v, t);
    } else if (v->kind != VAL_F32 && v->kind != VAL_F64) {
        return pg_unexpected(p, mem, v, t);
    }
    return pg_set_text(v, VAL_NUMBER, arena_copy(mem, (str){out, mapping_float_text(single ? (double)(float)d : d, single, out)}), t);
}

bool pg_convert_float(const column_plan *p, arena *mem, val *v, mapping_trouble *t) { return convert_real(p, true, mem, v, t); }
bool pg_convert_double(const column_plan *p, arena *mem, val *v, mapping_trouble *t) { return convert_real(p, false, mem, v, t); }

/* ---- bits and bytes ---- */

bool pg_convert_bits(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    uint32_t bits = p->source->length;
    if (v->kind != VAL_BIT || v->n != (bits + 7) / 8) return pg_unexpected(p, mem, v, t);
    char *text = arena_bytes(mem, bits);
    for (uint32_t i = 0; text && i < bits; i++) {
        uint32_t from_end = bits - 1 - i;
        text[i] = (char)('0' + ((uint8_t)v->u.p[v->n - 1 - from_end / 8] >> from_end % 8 & 1));
    }
    return pg_set_text(v, VAL_TEXT, (str){text, bits}, t);
}

static char *put_hex(char *to, str bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.n; i++) {
        *to++ = digits[(uint8_t)bytes.p[i] >> 4];
        *to++ = digits[(uint8_t)bytes.p[i] & 15];
    }
    return to;
}

bool pg_convert_bytes(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    if (v->kind < VAL_TEXT || val_is_inline(v)) return pg_unexpected(p, mem, v, t);
    if (v->n > (MAPPING_PG_MAX_FIELD_BYTES - 2) / 2)
        return mapping_trouble_set(t, RULE_T11, mem, "%u bytes do not fit a bytea of PostgreSQL, which is read as text of less than 1 GiB", v->n);
    size_t n = 2 + 2 * (size_t)v->n;
    char *text = arena_bytes(mem, n);
    if (text) {
        memcpy(text, "\\x", 2);
        (void)put_hex(text + 2, val_bytes(v));
    }
    return pg_set_text(v, VAL_TEXT, (str){text, n}, t);
}

/* VECTOR: floats, little-endian. */
static bool convert_list(const column_plan *p, const char brackets[2], arena *mem, val *v, mapping_trouble *t)
{
    if (v->kind != VAL_BYTES || v->n % 4) return pg_unexpected(p, mem, v, t);
    size_t count = v->n / 4;
    char *text = count < MAPPING_PG_MAX_FIELD_BYTES / MAPPING_FLOAT_BYTES ? arena_bytes(mem, 2 + count * MAPPING_FLOAT_BYTES) : NULL, *to = text;
    if (!text) return pg_set_text(v, VAL_TEXT, count < MAPPING_PG_MAX_FIELD_BYTES / MAPPING_FLOAT_BYTES ? STR_NULL : PG_TOO_LARGE, t);
    *to++ = brackets[0];
    for (size_t i = 0; i < count; i++) {
        const uint8_t *b = (const uint8_t *)v->u.p + 4 * i;
        uint32_t bits = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
        float f;
        memcpy(&f, &bits, sizeof f);
        if (i) *to++ = ',';
        to += mapping_float_text((double)f, true, to);
    }
    *to++ = brackets[1];
    return pg_set_text(v, VAL_TEXT, (str){text, (size_t)(to - text)}, t);
}

bool pg_convert_vector(const column_plan *p, arena *mem, val *v, mapping_trouble *t) { return convert_list(p, "[]", mem, v, t); }
bool pg_convert_floats(const column_plan *p, arena *mem, val *v, mapping_trouble *t) { return convert_list(p, "{}", mem, v, t); }
