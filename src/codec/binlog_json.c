/* MySQL's binary JSON to text. */
#include "codec/binlog_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/encode.h"
#include "codec/binlog_table_map.h"
#include "codec/binlog_text.h"

enum { SMALL_OBJECT, LARGE_OBJECT, SMALL_ARRAY, LARGE_ARRAY, LITERAL, INT16, UINT16, INT32, UINT32, INT64, UINT64, DOUBLE, STRING, OPAQUE = 15 };

/* `budget`: bytes of the document that values may still claim. Each byte belongs to one value, so a hostile document whose offsets share bytes ends here and
 * not after an exponential time. */
typedef struct printer {
    buf *out;
    size_t budget;
    unsigned depth;
} printer;

static bool claim(printer *p, size_t n)
{
    if (n > p->budget) return false;
    p->budget -= n;
    return true;
}

/* Length of 7 bits a byte, low first, at most 5 bytes. */
static size_t variable_length(cursor *c)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < 5; i++) {
        uint8_t b = cursor_u8(c);
        n |= (uint64_t)(b & 0x7f) << 7 * i;
        if (!(b & 0x80)) return (size_t)n;
    }
    c->failed = true;
    return 0;
}

static void print_string(buf *out, str s)
{
    buf_add_byte(out, '"');
    size_t from = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        if (ch >= 0x20 && ch != '"' && ch != '\\') continue;
        buf_add(out, str_sub(s, from, i - from));
        from = i + 1;
        switch (ch) {
        case '"': buf_add_c(out, "\\\""); break;
        case '\\': buf_add_c(out, "\\\\"); break;
        case '\b': buf_add_c(out, "\\b"); break;
        case '\f': buf_add_c(out, "\\f"); break;
        case '\n': buf_add_c(out, "\\n"); break;
        case '\r': buf_add_c(out, "\\r"); break;
        case '\t': buf_add_c(out, "\\t"); break;
        default: buf_printf(out, "\\u%04x", ch); break;
        }
    }
    buf_add(out, str_sub(s, from, s.n - from));
    buf_add_byte(out, '"');
}

/* Shortest digits that read back as the same number: 15 always suffice to tell shorter ones (but not of subnormal numbers), 17 always suffice. */
static void shortest(double d, char *ret, size_t cap)
{
    for (int precision = fpclassify(d) == FP_SUBNORMAL ? 0 : 14; precision <= 16; precision++) {
        snprintf(ret, cap, "%.*e", precision, d);
        if (strtod(ret, NULL) == d) return;
    }
}

/* The server's my_gcvt(): plain digits while the point is within 15 places, else d.ddde[-]x; ".0" after a plain whole number. */
static bool print_double(buf *out, double d)
{
    if (!isfinite(d)) return false;
    char text[40], digits[24];
    shortest(fabs(d), text, sizeof text);
    char *exponent = strchr(text, 'e');
    long power = strtol(exponent + 1, NULL, 10);
    unsigned n = 0;
    for (char *q = text; q < exponent; q++)
        if (*q != '.') digits[n++] = *q;
    while (n > 1 && digits[n - 1] == '0') n--;
    if (signbit(d)) buf_add_byte(out, '-');
    long point = power + 1; /* digits before the point */
    if (d == 0) {
        buf_add_c(out, "0.0");
    } else if (point < -14 || point > 15) {
        buf_add_byte(out, digits[0]);
        if (n > 1) {
            buf_add_byte(out, '.');
            buf_add(out, (str){digits + 1, n - 1});
        }
        buf_printf(out, "e%ld", power);
    } else if (point <= 0) {
        buf_add_c(out, "0.");
        for (long i = point; i < 0; i++) buf_add_byte(out, '0');
        buf_add(out, (str){digits, n});
    } else {
        for (long i = 0; i < point; i++) buf_add_byte(out, i < (long)n ? digits[i] : '0');
        buf_add_byte(out, '.');
        if ((long)n > point)
            buf_add(out, (str){digits + point, n - (size_t)point});
        else
            buf_add_byte(out, '0');
    }
    return true;
}

/* A value of an SQL type: type 1, length, bytes. DECIMAL: digits 1, scale 1, packed. Times: 8 bytes. */
static bool print_opaque(printer *p, cursor *c)
{
    uint8_t type = cursor_u8(c);
    str data = cursor_take(c, variable_length(c));
    if (c->failed || !claim(p, data.n)) return false;
    char text[BINLOG_TEXT_DECIMAL_BYTES];
    size_t n = 0;
    cursor d = cursor_of(data);
    switch (type) {
    case BINLOG_COL_NEWDECIMAL: {
        uint8_t precision = cursor_u8(&d), scale = cursor_u8(&d);
        if (precision < 1 || precision > 65 || scale > precision) return false;
        str packed = cursor_take(&d, binlog_decimal_bytes(precision, scale));
        if (d.failed) return false;
        n = binlog_text_decimal(text, (const uint8_t *)packed.p, precision, scale);
        if (n == 0) return false;
        buf_add(p->out, (str){text, n});
        return true;
    }
    case BINLOG_COL_DATE:
    case BINLOG_COL_DATETIME:
    case BINLOG_COL_TIMESTAMP:
    case BINLOG_COL_TIME: {
        binlog_time t = binlog_time_from_packed((int64_t)cursor_u64(&d), type == BINLOG_COL_TIME);
        if (d.failed || t.year > 9999) return false;
        n = type == BINLOG_COL_DATE   ? binlog_text_date(text, &t)
            : type == BINLOG_COL_TIME ? binlog_text_time(text, &t, 6)
                                      : binlog_text_datetime(text, &t, 6);
        print_string(p->out, (str){text, n});
        return true;
    }
    default:
        buf_printf(p->out, "\"base64:type%u:", type);
        encode_base64(p->out, data);
        buf_add_byte(p->out, '"');
        return true;
    }
}

static bool print_literal(printer *p, uint8_t v)
{
    static const char *const text[] = {"null", "true", "false"};
    if (v > 2) return false;
    buf_add_c(p->out, text[v]);
    return true;
}

static bool print_value(printer *p, uint8_t type, str at);

/* A value entry: inlined when it fits the offset's bytes, else the offset of the value from the container's start. */
static bool print_entry(printer *p, cursor *entries, str container, bool large)
{
    uint8_t type = cursor_u8(entries);
    unsigned width = large ? 4 : 2;
    if (type == LITERAL || type == INT16 || type == UINT16 || (large && (type == INT32 || type == UINT32)))
        return print_value(p, type, cursor_take(entries, width));
    size_t offset = (size_t)cursor_le(entries, width);
    if (entries->failed || offset >= container.n) return false;
    return print_value(p, type, str_sub(container, offset, container.n - offset));
}

static bool print_key(printer *p, cursor *keys, str container, unsigned width)
{
    size_t offset = (size_t)cursor_le(keys, width), n = cursor_u16(keys);
    if (keys->failed || offset > container.n || n > container.n - offset || !claim(p, n)) return false;
    print_string(p->out, str_sub(container, offset, n));
    buf_add_c(p->out, ": ");
    return true;
}

/* The container's elements. Head: count, bytes; keys (offset, length 2) of an object; value entries. */
static bool print_container(printer *p, str at, bool object, bool large)
{
    unsigned width = large ? 4 : 2;
    cursor c = cursor_of(at);
    size_t count = (size_t)cursor_le(&c, width), bytes = (size_t)cursor_le(&c, width);
    size_t key_bytes = object ? width + 2 : 0, entry_bytes = key_bytes + width + 1;
    if (c.failed || bytes > at.n || bytes < 2 * width || count > (bytes - 2 * width) / entry_bytes) return false;
    if (!claim(p, 2 * width + count * entry_bytes) || ++p->depth > BINLOG_JSON_MAX_DEPTH) return false;
    str container = str_sub(at, 0, bytes);
    cursor keys = cursor_of(cursor_take(&c, count * key_bytes)), entries = cursor_of(cursor_take(&c, count * (width + 1)));
    buf_add_byte(p->out, object ? '{' : '[');
    for (size_t i = 0; i < count; i++) {
        if (i) buf_add_c(p->out, ", ");
        if (object && !print_key(p, &keys, container, width)) return false;
        if (!print_entry(p, &entries, container, large)) return false;
    }
    buf_add_byte(p->out, object ? '}' : ']');
    p->depth--;
    return true;
}

static bool print_value(printer *p, uint8_t type, str at)
{
    cursor c = cursor_of(at);
    bool ok = true;
    switch (type) {
    case SMALL_OBJECT: return print_container(p, at, true, false);
    case LARGE_OBJECT: return print_container(p, at, true, true);
    case SMALL_ARRAY: return print_container(p, at, false, false);
    case LARGE_ARRAY: return print_container(p, at, false, true);
    case LITERAL: ok = print_literal(p, cursor_u8(&c)); break;
    case INT16: buf_add_i64(p->out, (int16_t)cursor_u16(&c)); break;
    case UINT16: buf_add_u64(p->out, cursor_u16(&c)); break;
    case INT32: buf_add_i64(p->out, (int32_t)cursor_u32(&c)); break;
    case UINT32: buf_add_u64(p->out, cursor_u32(&c)); break;
    case INT64: buf_add_i64(p->out, (int64_t)cursor_u64(&c)); break;
    case UINT64: buf_add_u64(p->out, cursor_u64(&c)); break;
    case DOUBLE: {
        uint64_t bits = cursor_u64(&c);
        double d;
        memcpy(&d, &bits, sizeof d);
        ok = print_double(p->out, d);
        break;
    }
    case STRING: {
        str s = cursor_take(&c, variable_length(&c));
        ok = !c.failed && claim(p, s.n);
        if (ok) print_string(p->out, s);
        break;
    }
    case OPAQUE: ok = print_opaque(p, &c); break;
    default: ok = false; break;
    }
    return ok && !c.failed;
}

bool binlog_json_print(str binary, buf *out, err *e)
{
    if (binary.n == 0) {
        buf_add_c(out, "null");
    } else {
        printer p = {.out = out, .budget = binary.n};
        if (!print_value(&p, (uint8_t)binary.p[0], str_sub(binary, 1, binary.n - 1)) && !out->failed)
            return err_set(e, ERR_SOURCE_LOG_CORRUPT, "a binary JSON document of %zu bytes is not well formed", binary.n);
    }
    return out->failed ? err_no_memory(e, "the text of a JSON document") : true;
}
