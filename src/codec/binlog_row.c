/* Row events: headers, the plan of column readers, the values. */
#include "codec/binlog_row.h"

#include <string.h>

#include "base/cursor.h"
#include "codec/binlog_json.h"
#include "codec/binlog_text.h"

enum how {
    HOW_NULL_TYPE, HOW_INT, HOW_F32, HOW_F64, HOW_DECIMAL, HOW_PREFIXED, HOW_BINARY, HOW_ENUM, HOW_FIXED, HOW_YEAR, HOW_DATE, HOW_TIME_OLD,
    HOW_DATETIME_OLD, HOW_TIMESTAMP_OLD, HOW_TIME2, HOW_DATETIME2, HOW_TIMESTAMP2, HOW_JSON, HOW_UUID, HOW_INET,
};

/* ---- events ---- */

bool binlog_rows_parse(const binlog_event *ev, const binlog_format *f, binlog_rows *ret, err *e)
{
    binlog_rows r = {.log_pos = ev->log_pos};
    if (!binlog_event_is_rows(ev->type))
        return err_set(e, ERR_INTERNAL, "%s is not a row event", binlog_event_name(ev->type));
    bool v2 = ev->type >= BINLOG_WRITE_ROWS;
    unsigned ordinal = (unsigned)ev->type - (v2 ? BINLOG_WRITE_ROWS : BINLOG_WRITE_ROWS_V1);
    r.kind = ordinal == 0 ? CHANGE_INSERT : ordinal == 1 ? CHANGE_UPDATE : CHANGE_DELETE;
    cursor c = cursor_of(ev->body);
    r.table_id = f->known && f->post_header[ev->type] == 6 ? cursor_u32(&c) : cursor_u48(&c);
    r.flags = cursor_u16(&c);
    if (v2) { /* extra data: its length counts itself */
        uint16_t extra = cursor_u16(&c);
        if (extra < 2) c.failed = true;
        cursor_skip(&c, extra - 2u);
    }
    uint64_t count = cursor_lenenc(&c);
    if (count > TABLE_MAX_COLUMNS) c.failed = true;
    size_t bitmap = (size_t)(count + 7) / 8;
    const uint8_t *first = (const uint8_t *)cursor_take(&c, bitmap).p;
    const uint8_t *second = r.kind == CHANGE_UPDATE ? (const uint8_t *)cursor_take(&c, bitmap).p : NULL;
    if (c.failed)
        return err_set(e, ERR_SOURCE_LOG_CORRUPT, "%s event ending at %u is not well formed", binlog_event_name(ev->type), ev->log_pos);
    r.column_count = (uint32_t)count;
    if (r.kind != CHANGE_INSERT) r.in_before = first;
    if (r.kind != CHANGE_DELETE) r.in_after = r.kind == CHANGE_UPDATE ? second : first;
    r.images = cursor_take(&c, cursor_left(&c));
    *ret = r;
    return true;
}

static bool bit_of(const uint8_t *bits, uint32_t i) { return bits[i / 8] >> i % 8 & 1; }

static bool all_bits(const uint8_t *bits, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!bit_of(bits, i)) return false;
    return true;
}

bool binlog_rows_full_images(const binlog_rows *r)
{
    return (!r->in_before || all_bits(r->in_before, r->column_count)) && (!r->in_after || all_bits(r->in_after, r->column_count));
}

/* ---- plan ---- */

static unsigned length_prefix(const binlog_column *m)
{
    return m->type == BINLOG_COL_VARCHAR || m->type == BINLOG_COL_VAR_STRING || m->type == BINLOG_COL_STRING ? (m->size > 255 ? 2 : 1) : m->size;
}

/* Kind of a column of bytes: by the definition, else by the collation, else by the type. */
static uint8_t bytes_kind(const binlog_column *m, const column_def *d)
{
    if (!d) {
        if (m->collation) return m->collation == BINLOG_COLLATION_BINARY ? VAL_BYTES : VAL_TEXT;
        return m->type >= BINLOG_COL_TINY_BLOB && m->type <= BINLOG_COL_BLOB ? VAL_BYTES : VAL_TEXT;
    }
    switch (d->type) {
    case COL_JSON: return VAL_JSON;
    case COL_GEOMETRY: return VAL_GEOMETRY;
    case COL_BINARY:
    case COL_VARBINARY:
    case COL_BLOB:
    case COL_VECTOR: return VAL_BYTES;
    case COL_OTHER: return m->collation == BINLOG_COLLATION_BINARY ? VAL_BYTES : VAL_TEXT;
    default: return VAL_TEXT;
    }
}

static void plan_string(const binlog_column *m, const column_def *d, binlog_plan_column *p)
{
    p->kind = bytes_kind(m, d);
    p->size = length_prefix(m);
    p->how = HOW_PREFIXED;
    p->scale = m->size;
    if (m->type != BINLOG_COL_STRING) return;
    if (d && (d->type == COL_UUID || d->type == COL_INET)) {
        p->how = d->type == COL_UUID ? HOW_UUID : HOW_INET;
        p->kind = VAL_TEXT;
        p->text_bytes = BINLOG_TEXT_INET6_BYTES;
    } else if (p->kind == VAL_BYTES) {
        p->how = HOW_BINARY;
        p->text_bytes = m->size;
    }
}

static void plan_fixed(binlog_plan_column *p, enum how how, val_kind kind, uint32_t size, uint32_t text_bytes)
{
    p->how = (uint8_t)how;
    p->kind = (uint8_t)kind;
    p->size = size;
    p->text_bytes = text_bytes;
}

static void plan_column(const binlog_column *m, const column_def *d, binlog_plan_column *p)
{
    enum { T = BINLOG_TEXT_TIME_BYTES };
    p->is_unsigned = d ? d->is_unsigned : m->is_unsigned;
    val_kind integer = p->is_unsigned ? VAL_UINT : VAL_INT;
    switch (m->type) {
    case BINLOG_COL_TINY: plan_fixed(p, HOW_INT, integer, 1, 0); break;
    case BINLOG_COL_SHORT: plan_fixed(p, HOW_INT, integer, 2, 0); break;
    case BINLOG_COL_INT24: plan_fixed(p, HOW_INT, integer, 3, 0); break;
    case BINLOG_COL_LONG: plan_fixed(p, HOW_INT, integer, 4, 0); break;
    case BINLOG_COL_LONGLONG: plan_fixed(p, HOW_INT, integer, 8, 0); break;
    case BINLOG_COL_FLOAT: plan_fixed(p, HOW_F32, VAL_F32, 4, 0); break;
    case BINLOG_COL_DOUBLE: plan_fixed(p, HOW_F64, VAL_F64, 8, 0); break;
    case BINLOG_COL_NEWDECIMAL:
        plan_fixed(p, HOW_DECIMAL, VAL_NUMBER, m->size, BINLOG_TEXT_DECIMAL_BYTES);
        p->scale = m->scale;
        break;
    case BINLOG_COL_YEAR: plan_fixed(p, HOW_YEAR, VAL_YEAR, 1, 0); break;
    case BINLOG_COL_DATE:
    case BINLOG_COL_NEWDATE: plan_fixed(p, HOW_DATE, VAL_DATE, 3, T); break;
    case BINLOG_COL_TIME: plan_fixed(p, HOW_TIME_OLD, VAL_TIME, 3, T); break;
    case BINLOG_COL_DATETIME: plan_fixed(p, HOW_DATETIME_OLD, VAL_DATETIME, 8, T); break;
    case BINLOG_COL_TIMESTAMP: plan_fixed(p, HOW_TIMESTAMP_OLD, VAL_TIMESTAMP, 4, T); break;
    case BINLOG_COL_TIME2: plan_fixed(p, HOW_TIME2, VAL_TIME, m->size, T); break;
    case BINLOG_COL_DATETIME2: plan_fixed(p, HOW_DATETIME2, VAL_DATETIME, m->size, T); break;
    case BINLOG_COL_TIMESTAMP2: plan_fixed(p, HOW_TIMESTAMP2, VAL_TIMESTAMP, m->size, T); break;
    case BINLOG_COL_BIT: plan_fixed(p, HOW_FIXED, VAL_BIT, (m->size + 7) / 8, 0); break;
    case BINLOG_COL_ENUM:
    case BINLOG_COL_SET: plan_fixed(p, HOW_ENUM, VAL_UINT, m->size, 0); break;
    case BINLOG_COL_JSON: plan_fixed(p, HOW_JSON, VAL_JSON, m->size, 0); break;
    case BINLOG_COL_GEOMETRY: plan_fixed(p, HOW_PREFIXED, VAL_GEOMETRY, m->size, 0); break;
    case BINLOG_COL_VECTOR: plan_fixed(p, HOW_PREFIXED, VAL_BYTES, m->size, 0); break;
    case BINLOG_COL_NULL: plan_fixed(p, HOW_NULL_TYPE, VAL_NULL, 0, 0); break;
    default: plan_string(m, d, p); break;
    }
}

/* Types and sizes that the readers rely on, whatever the definition says. */
static bool readable(const binlog_table_map *m, uint32_t i, err *e)
{
    const binlog_column *c = &m->columns[i];
    bool bad_size = false;
    switch (c->type) {
    case BINLOG_COL_BLOB_COMPRESSED:
    case BINLOG_COL_VARCHAR_COMPRESSED:
    case BINLOG_COL_TYPED_ARRAY:
        return err_set(e, ERR_NOT_SUPPORTED, "column %u of table %.*s.%.*s is COMPRESSED or an array, which is not read from the log; deselect the table or drop the attribute",
                       i + 1, STR_ARG(m->schema), STR_ARG(m->table));
    case BINLOG_COL_FLOAT: bad_size = c->size != 4; break;
    case BINLOG_COL_DOUBLE: bad_size = c->size != 8; break;
    case BINLOG_COL_TIME2:
    case BINLOG_COL_DATETIME2:
    case BINLOG_COL_TIMESTAMP2: bad_size = c->size > 6; break;
    case BINLOG_COL_NEWDECIMAL: bad_size = c->size < 1; break;
    case BINLOG_COL_BIT: bad_size = c->size < 1; break;
    case BINLOG_COL_TINY_BLOB:
    case BINLOG_COL_MEDIUM_BLOB:
    case BINLOG_COL_LONG_BLOB:
    case BINLOG_COL_BLOB:
    case BINLOG_COL_JSON:
    case BINLOG_COL_VECTOR:
    case BINLOG_COL_GEOMETRY: bad_size = c->size < 1 || c->size > 4; break;
    default: break;
    }
    if (bad_size)
        return err_set(e, ERR_SOURCE_LOG_CORRUPT, "column %u of table %.*s.%.*s has type %u with size %u in the log", i + 1, STR_ARG(m->schema),
                       STR_ARG(m->table), c->type, c->size);
    return true;
}

bool binlog_plan_build(const binlog_table_map *m, const table_def *t, bool all_columns, arena *a, binlog_plan *ret, err *e)
{
    if (t && !binlog_table_map_check(m, t, e)) return false;
    binlog_plan p = {.column_count = m->column_count, .map = m, .columns = arena_array(a, m->column_count, sizeof *p.columns)};
    if (!p.columns) return err_no_memory(e, "a plan of row readers");
    for (uint32_t i = 0; i < m->column_count; i++) {
        const column_def *d = t ? &t->columns[i] : NULL;
        if (!readable(m, i, e)) return false;
        plan_column(&m->columns[i], d, &p.columns[i]);
        p.columns[i].carried = all_columns || !d || (d->selected && !d->generated);
        p.text_bytes += p.columns[i].text_bytes;
    }
    *ret = p;
    return true;
}

/* ---- values ---- */

static int64_t sign_extend(uint64_t v, unsigned bytes)
{
    unsigned shift = 64 - 8 * bytes;
    return (int64_t)(v << shift) >> shift;
}

/* Fraction of 0..3 bytes, big endian, in units of 1, 1/100, 1/10000, 1/1000000 second. */
static const uint32_t fraction_unit[4] = {0, 10000, 100, 1};

static unsigned fraction(cursor *c, unsigned fsp)
{
    unsigned bytes = (fsp + 1) / 2;
    return bytes ? (unsigned)cursor_be(c, bytes) * fraction_unit[bytes] : 0;
}

/* The whole is an integer with its offset added; a negative time has a negative whole, and its fraction counts up from that. */
static binlog_time read_time2(cursor *c, unsigned fsp)
{
    unsigned bytes = (fsp + 1) / 2;
    int64_t v = (int64_t)cursor_be(c, 3 + bytes) - (int64_t)(0x800000ull << 8 * bytes);
    bool negative = v < 0;
    uint64_t u = negative ? 0 - (uint64_t)v : (uint64_t)v;
    unsigned whole = (unsigned)(u >> 8 * bytes), part = (unsigned)(u & ((1ull << 8 * bytes) - 1));
    return (binlog_time){.negative = negative, .hour = whole >> 12 & 0x3ff, .minute = whole >> 6 & 63, .second = whole & 63,
                        .micros = part * fraction_unit[bytes]};
}

static binlog_time read_decimal_clock(uint64_t v)
{
    return (binlog_time){.second = (unsigned)(v % 100), .minute = (unsigned)(v / 100 % 100), .hour = (unsigned)(v / 10000)};
}

/* Text of a temporal value; 0 when a part is out of the printable range. */
static size_t temporal(cursor *c, const binlog_plan_column *p, char *out)
{
    binlog_time t = {0};
    switch (p->how) {
    case HOW_DATE: {
        uint32_t v = cursor_u24(c);
        t = (binlog_time){.day = v & 31, .month = v >> 5 & 15, .year = v >> 9};
        return t.year > 9999 ? 0 : binlog_text_date(out, &t);
    }
    case HOW_TIME_OLD: {
        int64_t v = sign_extend(cursor_u24(c), 3);
        t = read_decimal_clock((uint64_t)(v < 0 ? -v : v));
        t.negative = v < 0;
        return t.hour > 838 ? 0 : binlog_text_time(out, &t, 0);
    }
    case HOW_TIME2:
        t = read_time2(c, p->size);
        return t.micros > 999999 ? 0 : binlog_text_time(out, &t, p->size);
    case HOW_DATETIME_OLD: {
        uint64_t v = cursor_u64(c), date = v / 1000000;
        t = read_decimal_clock(v % 1000000);
        if (date > 99991231) return 0;
        t.day = (unsigned)(date % 100);
        t.month = (unsigned)(date / 100 % 100);
        t.year = (unsigned)(date / 10000);
        return binlog_text_datetime(out, &t, 0);
    }
    case HOW_DATETIME2: {
        uint64_t v = cursor_be(c, 5);
        if (v < 0x8000000000ull) return 0;
        t = binlog_time_from_packed_datetime(v - 0x8000000000ull);
        t.micros = fraction(c, p->size);
        return t.micros > 999999 || t.year > 9999 ? 0 : binlog_text_datetime(out, &t, p->size);
    }
    default: {
        uint32_t seconds = p->how == HOW_TIMESTAMP2 ? (uint32_t)cursor_be(c, 4) : cursor_u32(c);
        unsigned fsp = p->how == HOW_TIMESTAMP2 ? p->size : 0, micros = fraction(c, fsp);
        if (seconds || micros) t = binlog_time_from_unix(seconds);
        t.micros = micros;
        return micros > 999999 ? 0 : binlog_text_datetime(out, &t, fsp);
    }
    }
}

static void set_bytes(val *v, const binlog_plan_column *p, const char *bytes, size_t n)
{
    v->kind = p->kind;
    v->u.p = bytes;
    v->n = (uint32_t)n;
}

static bool read_json(str binary, binlog_reader *r, arena *a, const binlog_plan_column *p, val *ret, err *e)
{
    buf_reset(&r->json);
    if (!binlog_json_print(binary, &r->json, e)) return false;
    str text = arena_copy(a, buf_str(&r->json));
    if (!text.p) return err_no_memory(e, "a JSON value");
    set_bytes(ret, p, text.p, text.n);
    return true;
}

/* CHAR and BINARY lose their pads in the log; a BINARY gets them back. */
static bool read_binary(cursor *c, const binlog_plan_column *p, char **scratch, val *ret)
{
    str s = cursor_take(c, (size_t)cursor_le(c, p->size));
    if (c->failed || s.n > p->scale) return false;
    const char *bytes = s.p;
    if (s.n < p->scale) {
        memcpy(*scratch, s.p, s.n);
        memset(*scratch + s.n, 0, p->scale - s.n);
        bytes = *scratch;
        *scratch += p->scale;
    }
    set_bytes(ret, p, bytes, p->scale);
    return true;
}

/* UUID, INET4, INET6: fixed bytes, with trailing zeros stripped like a BINARY. */
static bool read_address(cursor *c, const binlog_plan_column *p, char **scratch, val *ret)
{
    uint8_t full[16] = {0};
    str s = cursor_take(c, (size_t)cursor_le(c, p->size));
    if (c->failed || s.n > p->scale || (p->scale != 16 && p->scale != 4)) return false;
    if (s.n) memcpy(full, s.p, s.n);
    size_t n = p->how == HOW_UUID ? binlog_text_uuid(*scratch, full)
               : p->scale == 16   ? binlog_text_inet6(*scratch, full)
                                  : binlog_text_inet4(*scratch, full);
    set_bytes(ret, p, *scratch, n);
    *scratch += n;
    return true;
}

/* One value. False: the bytes are not well formed, or *ret_told and the error is set. */
static bool read_value(cursor *c, const binlog_plan_column *p, binlog_reader *r, arena *a, char **scratch, val *ret, bool *ret_told, err *e)
{
    switch (p->how) {
    case HOW_INT: {
        uint64_t v = cursor_le(c, p->size);
        ret->kind = p->kind;
        if (p->is_unsigned)
            ret->u.u = v;
        else
            ret->u.i = sign_extend(v, p->size);
        return true;
    }
    case HOW_F32: {
        uint32_t bits = cursor_u32(c);
        float f;
        memcpy(&f, &bits, sizeof f);
        ret->kind = VAL_F32;
        ret->u.f = (double)f;
        return true;
    }
    case HOW_F64: {
        uint64_t bits = cursor_u64(c);
        ret->kind = VAL_F64;
        memcpy(&ret->u.f, &bits, sizeof bits);
        return true;
    }
    case HOW_DECIMAL: {
        str s = cursor_take(c, binlog_decimal_bytes(p->size, p->scale));
        size_t n = s.p ? binlog_text_decimal(*scratch, (const uint8_t *)s.p, p->size, p->scale) : 0;
        set_bytes(ret, p, *scratch, n);
        *scratch += n;
        return n > 0;
    }
    case HOW_PREFIXED: {
        str s = cursor_take(c, (size_t)cursor_le(c, p->size));
        set_bytes(ret, p, s.p ? s.p : "", s.n);
        return true;
    }
    case HOW_BINARY: return read_binary(c, p, scratch, ret);
    case HOW_UUID:
    case HOW_INET: return read_address(c, p, scratch, ret);
    case HOW_ENUM:
        ret->kind = VAL_UINT;
        ret->u.u = cursor_le(c, p->size);
        return true;
    case HOW_FIXED: {
        str s = cursor_take(c, p->size);
        set_bytes(ret, p, s.p, s.n);
        return true;
    }
    case HOW_YEAR: {
        uint8_t y = cursor_u8(c);
        ret->kind = VAL_YEAR;
        ret->u.i = y ? 1900 + y : 0;
        return true;
    }
    case HOW_JSON: {
        str s = cursor_take(c, (size_t)cursor_le(c, p->size));
        if (c->failed) return false;
        *ret_told = true;
        return read_json(s, r, a, p, ret, e);
    }
    case HOW_NULL_TYPE: ret->kind = VAL_NULL; return true;
    default: {
        size_t n = temporal(c, p, *scratch);
        set_bytes(ret, p, *scratch, n);
        *scratch += n;
        return n > 0;
    }
    }
}

static uint32_t count_bits(const uint8_t *bits, uint32_t n)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < n / 8; i++) sum += (uint32_t)__builtin_popcount(bits[i]);
    if (n % 8) sum += (uint32_t)__builtin_popcount(bits[n / 8] & ((1u << n % 8) - 1));
    return sum;
}

static bool bad_row(const binlog_rows *rows, const binlog_plan *p, uint32_t column, err *e)
{
    const binlog_table_map *m = p->map;
    str name = column < m->column_count ? m->columns[column].name : STR_NULL; /* a hostile map may have no column at all */
    return err_set(e, ERR_SOURCE_LOG_CORRUPT, "row event of %.*s.%.*s ending at %u: the value of column %u%s%.*s is not well formed", STR_ARG(m->schema),
                   STR_ARG(m->table), rows->log_pos, column + 1, name.n ? " " : "", STR_ARG(name));
}

/* One image: null bits of the present columns, then their values. */
static bool read_image(cursor *c, const binlog_rows *rows, const binlog_plan *p, const uint8_t *present, binlog_reader *r, arena *a, const val **ret, err *e)
{
    val *vals = arena_alloc(a, p->column_count * sizeof *vals);
    char *scratch = arena_bytes(a, p->text_bytes);
    if (!vals || !scratch) return err_no_memory(e, "a row");
    const uint8_t *nulls = (const uint8_t *)cursor_take(c, (count_bits(present, p->column_count) + 7) / 8).p;
    if (c->failed) return bad_row(rows, p, 0, e);
    uint32_t ordinal = 0;
    for (uint32_t i = 0; i < p->column_count; i++) {
        if (!bit_of(present, i)) continue;
        uint32_t at = ordinal++;
        const binlog_plan_column *pc = &p->columns[i];
        if (bit_of(nulls, at)) {
            if (pc->carried) vals[i].kind = VAL_NULL;
            continue;
        }
        bool told = false, ok = read_value(c, pc, r, a, &scratch, &vals[i], &told, e);
        if (!ok && told) return err_context(e, "column %u of table %.*s.%.*s", i + 1, STR_ARG(p->map->schema), STR_ARG(p->map->table));
        if (!ok || c->failed) return bad_row(rows, p, i, e);
        if (!pc->carried) vals[i] = (val){0};
    }
    *ret = vals;
    return true;
}

void binlog_reader_finish(binlog_reader *r) { buf_finish(&r->json); }

bool binlog_rows_next(binlog_rows *rows, const binlog_plan *p, binlog_reader *r, arena *a, const val **ret_before, const val **ret_after, bool *ret_more, err *e)
{
    if (rows->images.n == 0) {
        *ret_more = false;
        return true;
    }
    if (rows->column_count != p->column_count)
        return err_set(e, ERR_SOURCE_LOG_CORRUPT, "row event of %.*s.%.*s ending at %u has %u columns, its table map %u", STR_ARG(p->map->schema),
                       STR_ARG(p->map->table), rows->log_pos, rows->column_count, p->column_count);
    cursor c = cursor_of(rows->images);
    const val *before = NULL, *after = NULL;
    if (rows->in_before && !read_image(&c, rows, p, rows->in_before, r, a, &before, e)) return false;
    if (rows->in_after && !read_image(&c, rows, p, rows->in_after, r, a, &after, e)) return false;
    size_t left = cursor_left(&c);
    if (left == rows->images.n) return bad_row(rows, p, 0, e); /* images of no column have no bytes, yet there are some */
    rows->images = str_sub(rows->images, rows->images.n - left, left);
    *ret_before = before;
    *ret_after = after;
    *ret_more = true;
    return true;
}
