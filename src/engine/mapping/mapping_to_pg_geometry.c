/* Shapes: MySQL's storage form is the SRID in 4 bytes, little-endian, and the WKB of the shape, two dimensions. EWKB is WKB with a flag and the SRID behind the
 * type; EWKT its text. Source: MySQL manual "Internal Geometry Storage Format", PostGIS doc/ZMSgeoms.txt; measured on MySQL 9.7. */
#include "engine/mapping/mapping_to_pg.h"

#include <string.h>

#include "base/cursor.h"

#define HEADER_BYTES 9      /* SRID, byte order, type */
#define WITH_SRID 0x20000000u
#define DEPTH_MOST 64       /* collections in collections */

static uint32_t le32(const uint8_t *b) { return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24; }

static bool broken(const column_plan *p, arena *mem, mapping_trouble *t)
{
    return mapping_trouble_set(t, RULE_T20, mem, "the bytes of the shape in %.*s are not well formed", STR_ARG(p->source->name));
}

/* EWKB of the value in hex, behind `lead`. */
static bool hex_ewkb(const column_plan *p, str lead, arena *mem, val *v, mapping_trouble *t)
{
    static const char digits[] = "0123456789abcdef";
    if (v->kind != VAL_GEOMETRY) return pg_unexpected(p, mem, v, t);
    const uint8_t *b = (const uint8_t *)v->u.p;
    if (v->n < HEADER_BYTES || b[4] != 1) return broken(p, mem, t);
    if (v->n > (MAPPING_PG_MAX_FIELD_BYTES - 64) / 2)
        return mapping_trouble_set(t, RULE_T11, mem, "a shape of %u bytes does not fit a field of PostgreSQL, which is smaller than 1 GiB", v->n);
    uint8_t head[HEADER_BYTES] = {1};
    uint32_t srid = le32(b), type = le32(b + 5) | (srid ? WITH_SRID : 0);
    size_t head_n = srid ? HEADER_BYTES : HEADER_BYTES - 4, n = lead.n + 2 * (head_n + v->n - HEADER_BYTES);
    for (int i = 0; i < 4; i++) {
        head[1 + i] = (uint8_t)(type >> 8 * i);
        head[5 + i] = b[i];
    }
    char *text = arena_bytes(mem, n), *to = text;
    if (!text) return pg_set_text(v, VAL_TEXT, STR_NULL, t);
    memcpy(to, lead.p, lead.n);
    to += lead.n;
    for (size_t i = 0; i < head_n; i++) {
        *to++ = digits[head[i] >> 4];
        *to++ = digits[head[i] & 15];
    }
    for (size_t i = HEADER_BYTES; i < v->n; i++) {
        *to++ = digits[b[i] >> 4];
        *to++ = digits[b[i] & 15];
    }
    return pg_set_text(v, VAL_TEXT, (str){text, n}, t);
}

bool pg_convert_geometry(const column_plan *p, arena *mem, val *v, mapping_trouble *t) { return hex_ewkb(p, STR(""), mem, v, t); }
bool pg_convert_geometry_bytes(const column_plan *p, arena *mem, val *v, mapping_trouble *t) { return hex_ewkb(p, STR("\\x"), mem, v, t); }

/* ---- text ---- */

enum { POINT = 1, LINE, POLYGON, MULTIPOINT, MULTILINE, MULTIPOLYGON, COLLECTION };
static const char *const names[] = {"", "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION"};

static void add_number(cursor *c, buf *out)
{
    char text[MAPPING_FLOAT_BYTES];
    uint64_t bits = cursor_u64(c);
    double d;
    memcpy(&d, &bits, sizeof d);
    buf_add(out, (str){text, mapping_float_text(d, false, text)});
}

static void add_point(cursor *c, buf *out)
{
    add_number(c, out);
    buf_add_byte(out, ' ');
    add_number(c, out);
}

/* A count, or 0 and a failed cursor when so many parts of at least `least` bytes cannot follow. */
static uint32_t take_count(cursor *c, size_t least)
{
    uint32_t n = cursor_u32(c);
    if (n > cursor_left(c) / least) c->failed = true;
    return c->failed ? 0 : n;
}

static void add_points(cursor *c, buf *out)
{
    uint32_t n = take_count(c, 16);
    buf_add_byte(out, '(');
    for (uint32_t i = 0; i < n && !out->failed; i++) {
        if (i) buf_add_byte(out, ',');
        add_point(c, out);
    }
    buf_add_byte(out, ')');
}

static void add_rings(cursor *c, buf *out)
{
    uint32_t n = take_count(c, 4);
    buf_add_byte(out, '(');
    for (uint32_t i = 0; i < n && !out->failed; i++) {
        if (i) buf_add_byte(out, ',');
        add_points(c, out);
    }
    buf_add_byte(out, ')');
}

static void add_shape(cursor *c, unsigned depth, bool named, buf *out);

static void add_parts(cursor *c, unsigned depth, bool named, buf *out)
{
    uint32_t n = take_count(c, 9);
    if (!n) {
        buf_add_c(out, " EMPTY");
        return;
    }
    buf_add_byte(out, '(');
    for (uint32_t i = 0; i < n && !out->failed && !c->failed; i++) {
        if (i) buf_add_byte(out, ',');
        add_shape(c, depth + 1, named, out);
    }
    buf_add_byte(out, ')');
}

static void add_shape(cursor *c, unsigned depth, bool named, buf *out)
{
    uint8_t order = cursor_u8(c);
    uint32_t type = cursor_u32(c);
    if (order != 1 || type < POINT || type > COLLECTION || depth > DEPTH_MOST) c->failed = true;
    if (c->failed) return;
    if (named) buf_add_c(out, names[type]);
    switch (type) {
    case POINT:
        buf_add_byte(out, '(');
        add_point(c, out);
        buf_add_byte(out, ')');
        break;
    case LINE: add_points(c, out); break;
    case POLYGON: add_rings(c, out); break;
    default: add_parts(c, depth, type == COLLECTION, out); break;
    }
}

bool pg_convert_geometry_text(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    BUF_AUTO out = BUF_INIT;
    if (v->kind != VAL_GEOMETRY) return pg_unexpected(p, mem, v, t);
    cursor c = cursor_of(val_bytes(v));
    uint32_t srid = cursor_u32(&c);
    out.limit = MAPPING_PG_MAX_FIELD_BYTES;
    if (srid) buf_printf(&out, "SRID=%u;", srid);
    add_shape(&c, 0, true, &out);
    if (c.failed || cursor_left(&c)) return broken(p, mem, t);
    return pg_set_text(v, VAL_TEXT, !out.failed ? arena_copy(mem, buf_str(&out)) : out.n > MAPPING_PG_MAX_FIELD_BYTES / 2 ? PG_TOO_LARGE : STR_NULL, t);
}
