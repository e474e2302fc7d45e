/* Values as SQL literals. Escapes: https://dev.mysql.com/doc/refman/9.0/en/string-literals.html; with character_set_client=binary the server reads the
 * bytes of a literal one by one, so that trailing bytes of gbk or sjis characters that look like a backslash are safe once escaped. */
#include "engine/mysql/literal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void literal_append_quoted(buf *out, str bytes)
{
    if (bytes.n > SIZE_MAX / 2 - 2) {
        out->failed = true;
        return;
    }
    char *at = buf_reserve(out, bytes.n * 2 + 2);
    if (!at) return;
    char *start = at;
    *at++ = '\'';
    for (size_t i = 0; i < bytes.n; i++) {
        char c = bytes.p[i];
        if (c == '\'' || c == '\\') {
            *at++ = '\\';
        } else if (c == 0) {
            *at++ = '\\';
            c = '0';
        }
        *at++ = c;
    }
    *at++ = '\'';
    out->n += (size_t)(at - start);
}

str literal_charset(const column_def *c)
{
    if (c->type == COL_UUID || c->type == COL_INET) return STR("latin1");
    if (c->type == COL_JSON) return STR("utf8mb4");
    if (str_eq_nocase(c->charset, STR("utf8")) || str_eq_nocase(c->charset, STR("utf8mb3"))) return STR("utf8mb4");
    if (str_eq_nocase(c->charset, STR("binary"))) return STR_NULL;
    return c->charset;
}

static void append_text(buf *out, const column_def *c, str bytes)
{
    str charset = literal_charset(c);
    buf_add_byte(out, '_');
    buf_add(out, charset.n ? charset : STR("binary"));
    literal_append_quoted(out, bytes);
}

static bool is_number(str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E')) return false;
    }
    return s.n > 0;
}

/* A comment can begin with two dashes: "a=1--2" is kept apart by callers' separators, "--2" inside one value is not a number. */
static void append_number(buf *out, const column_def *c, str s)
{
    if (!is_number(s) || str_find(s, STR("--")) != SIZE_MAX) {
        literal_append_quoted(out, s);
        return;
    }
    buf_add(out, s);
    bool exponent = str_find_byte(s, 'e', 0) != SIZE_MAX || str_find_byte(s, 'E', 0) != SIZE_MAX;
    if ((c->type == COL_FLOAT || c->type == COL_DOUBLE) && !exponent) buf_add_c(out, "e0");
}

static void append_double(buf *out, double v)
{
    char text[40];
    if (!isfinite(v)) { /* no such value here: the server refuses the text with a clear error */
        buf_add_c(out, isnan(v) ? "'NaN'" : v > 0 ? "'Infinity'" : "'-Infinity'");
        return;
    }
    int n = snprintf(text, sizeof text, "%.16e", v);
    buf_add(out, (str){text, (size_t)n});
}

static void append_bit(buf *out, str bytes)
{
    uint64_t v = 0;
    if (bytes.n > 8) out->failed = true;
    for (size_t i = 0; i < bytes.n; i++) v = v << 8 | (uint8_t)bytes.p[i];
    buf_add_u64(out, v);
}

bool literal_is_enum_error(const column_def *c, const val *v)
{
    return c->type == COL_ENUM && ((v->kind == VAL_UINT && v->u.u == 0) || (v->kind == VAL_INT && v->u.i == 0));
}

void literal_append(buf *out, const column_def *c, const val *v)
{
    switch ((val_kind)v->kind) {
    case VAL_ABSENT: buf_add_c(out, "DEFAULT"); break;
    case VAL_NULL: buf_add_c(out, "NULL"); break;
    case VAL_UNCHANGED: out->failed = true; break;
    case VAL_INT: buf_add_i64(out, v->u.i); break;
    case VAL_UINT: buf_add_u64(out, v->u.u); break;
    case VAL_F32:
    case VAL_F64: append_double(out, v->u.f); break;
    case VAL_NUMBER: append_number(out, c, val_bytes(v)); break;
    case VAL_TEXT:
    case VAL_ENUM_TEXT:
    case VAL_JSON: append_text(out, c, val_bytes(v)); break;
    case VAL_BYTES:
    case VAL_GEOMETRY:
        buf_add_c(out, "_binary");
        literal_append_quoted(out, val_bytes(v));
        break;
    case VAL_BIT: append_bit(out, val_bytes(v)); break;
    case VAL_DATE:
    case VAL_TIME:
    case VAL_DATETIME:
    case VAL_TIMESTAMP: literal_append_quoted(out, val_bytes(v)); break;
    case VAL_YEAR: buf_add_i64(out, v->u.i); break;
    }
}

void literal_append_compared(buf *out, const column_def *c, const val *v)
{
    if (c->type == COL_SET && v->kind == VAL_UINT) buf_add_i64(out, (int64_t)v->u.u);
    else literal_append(out, c, v);
}
