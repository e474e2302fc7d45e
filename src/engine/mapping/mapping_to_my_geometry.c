/* Shapes of PostGIS, printed as EWKB in hex, in MySQL's storage form: the SRID in 4 bytes, then WKB, all little-endian, two dimensions. X is the longitude in
 * PostGIS and in the storage form of both servers: nothing is swapped (measured on MySQL 9.7).
 * EWKB: byte order, type with flags (Z 0x80000000, M 0x40000000, SRID 0x20000000), the SRID, the shape. Source: PostGIS doc/ZMSgeoms.txt, MySQL manual
 * "Internal Geometry Storage Format". */
#include "engine/mapping/mapping_to_my.h"

#include <string.h>

#include "base/cursor.h"

#define WITH_Z 0x80000000u
#define WITH_M 0x40000000u
#define WITH_SRID 0x20000000u
#define DEPTH_MOST 64
#define POINT_BYTES 16

enum { POINT = 1, LINE, POLYGON, MULTIPOINT, MULTILINE, MULTIPOLYGON, COLLECTION };

typedef struct shape {
    cursor in;
    bool big;          /* byte order of the part at work */
    buf out;
    uint32_t srid;
    const char *what;  /* why it cannot be carried */
} shape;

static uint64_t take(shape *s, unsigned bytes) { return s->big ? cursor_be(&s->in, bytes) : cursor_le(&s->in, bytes); }

static void put(shape *s, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) buf_add_byte(&s->out, (char)(uint8_t)(v >> 8 * i));
}

static void copy_point(shape *s)
{
    for (int i = 0; i < 2; i++) {
        uint64_t bits = take(s, 8);
        if ((bits << 1) > 0xffe0000000000000u && !s->what) s->what = "is an empty point, which MySQL and MariaDB do not have";
        put(s, bits, 8);
    }
}

/* A count; 0 and a failed cursor when so many parts of `least` bytes cannot follow. */
static uint32_t copy_count(shape *s, size_t least)
{
    uint32_t n = (uint32_t)take(s, 4);
    if (n > cursor_left(&s->in) / least) s->in.failed = true;
    put(s, n, 4);
    return s->in.failed ? 0 : n;
}

static void copy_points(shape *s)
{
    uint32_t n = copy_count(s, POINT_BYTES);
    if (!n && !s->what) s->what = "has an empty part, which MySQL and MariaDB do not have";
    for (uint32_t i = 0; i < n; i++) copy_point(s);
}

static void copy_shape(shape *s, unsigned depth);

static void copy_parts(shape *s, uint32_t type, unsigned depth)
{
    uint32_t n = copy_count(s, type == POLYGON ? 4 : 9);
    if (!n && type != COLLECTION && !s->what) s->what = "is an empty shape, which MySQL and MariaDB have only as a collection";
    for (uint32_t i = 0; i < n && !s->in.failed && !s->what; i++) {
        if (type == POLYGON) copy_points(s);
        else copy_shape(s, depth + 1);
    }
}

static void copy_shape(shape *s, unsigned depth)
{
    bool outer = s->big;
    uint8_t order = cursor_u8(&s->in);
    s->big = order == 0;
    uint32_t type = (uint32_t)take(s, 4);
    if (order > 1 || depth > DEPTH_MOST) s->in.failed = true;
    if (s->in.failed) return;
    if (type & (WITH_Z | WITH_M)) s->what = "has a third or fourth dimension, which MySQL and MariaDB do not have";
    if (type & WITH_SRID) {
        uint32_t srid = (uint32_t)take(s, 4);
        if (!depth) s->srid = srid;
    }
    type &= ~(WITH_Z | WITH_M | WITH_SRID);
    if (!s->what && (type < POINT || type > COLLECTION)) s->what = "is a kind of shape (curve, surface) that MySQL and MariaDB do not have";
    if (s->what || s->in.failed) return;
    put(s, 1, 1);
    put(s, type, 4);
    if (type == POINT) copy_point(s);
    else if (type == LINE) copy_points(s);
    else copy_parts(s, type, depth);
    s->big = outer;
}

static bool read_hex(const column_plan *p, arena *mem, const val *v, str *ret, mapping_trouble *t)
{
    if (v->kind == VAL_TEXT) *ret = decode_hex(mem, val_bytes(v));
    return (v->kind == VAL_TEXT && ret->p) || my_unexpected(p, mem, v, t);
}

bool my_convert_geometry(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    str bytes;
    if (!read_hex(p, mem, v, &bytes, t)) return false;
    BUF_AUTO whole = BUF_INIT;
    shape s = {.in = cursor_of(bytes), .out = BUF_INIT};
    put(&s, 0, 4);
    copy_shape(&s, 0);
    whole = s.out;
    if (s.in.failed || (!s.what && cursor_left(&s.in))) return my_unexpected(p, mem, v, t);
    if (s.what) return mapping_trouble_set(t, RULE_T64, mem, "the shape %s", s.what);
    for (unsigned i = 0; !whole.failed && i < 4; i++) whole.p[i] = (char)(uint8_t)(s.srid >> 8 * i);
    return my_set_bytes(v, VAL_GEOMETRY, whole.failed ? STR_NULL : arena_copy(mem, buf_str(&whole)), t);
}

bool my_convert_ewkb(const column_plan *p, arena *mem, val *v, mapping_trouble *t)
{
    str bytes;
    return read_hex(p, mem, v, &bytes, t) && my_set_bytes(v, VAL_BYTES, bytes, t);
}
