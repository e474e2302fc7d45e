/* TABLE_MAP events: parsing. The comparison with a table definition is in binlog_table_check.c. */
#include "codec/binlog_table_map.h"

#include <string.h>

#include "base/cursor.h"

static bool malformed(const binlog_event *ev, const char *what, err *e)
{
    return err_set(e, ERR_SOURCE_LOG_CORRUPT, "TABLE_MAP event ending at %u: %s is not well formed", ev->log_pos, what);
}

static uint64_t read_id(cursor *c, const binlog_format *f) { return f->known && f->post_header[BINLOG_TABLE_MAP] == 6 ? cursor_u32(c) : cursor_u48(c); }

bool binlog_table_map_id(const binlog_event *ev, const binlog_format *f, uint64_t *ret_id, err *e)
{
    cursor c = cursor_of(ev->body);
    uint64_t id = read_id(&c, f);
    if (c.failed) return malformed(ev, "the table id", e);
    *ret_id = id;
    return true;
}

/* Metadata of one column, see MySQL Table_map_event "field metadata". False: a type that this codec does not know. */
static bool column_metadata(cursor *m, binlog_column *col)
{
    switch (col->type) {
    case BINLOG_COL_FLOAT:
    case BINLOG_COL_DOUBLE:
    case BINLOG_COL_TIMESTAMP2:
    case BINLOG_COL_DATETIME2:
    case BINLOG_COL_TIME2:
    case BINLOG_COL_TINY_BLOB:
    case BINLOG_COL_MEDIUM_BLOB:
    case BINLOG_COL_LONG_BLOB:
    case BINLOG_COL_BLOB:
    case BINLOG_COL_BLOB_COMPRESSED:
    case BINLOG_COL_GEOMETRY:
    case BINLOG_COL_JSON:
    case BINLOG_COL_VECTOR: col->size = cursor_u8(m); return true;
    case BINLOG_COL_VARCHAR:
    case BINLOG_COL_VARCHAR_COMPRESSED:
    case BINLOG_COL_VAR_STRING: col->size = cursor_u16(m); return true;
    case BINLOG_COL_BIT: {
        uint8_t bits = cursor_u8(m), bytes = cursor_u8(m);
        col->size = bytes * 8u + bits;
        return bits < 8 && col->size <= 64;
    }
    case BINLOG_COL_NEWDECIMAL:
        col->size = cursor_u8(m);
        col->scale = cursor_u8(m);
        return col->size <= 65 && col->scale <= col->size;
    case BINLOG_COL_ENUM:
    case BINLOG_COL_SET:
    case BINLOG_COL_STRING: { /* real type and length share bits: two bits of the length are the inverted bits 4 and 5 of the type */
        uint8_t type = cursor_u8(m), length = cursor_u8(m);
        col->size = length;
        if ((type & 0x30) != 0x30) {
            col->size |= ((type & 0x30u) ^ 0x30u) << 4;
            type |= 0x30;
        }
        col->type = type;
        if (m->failed) return true;
        if (type == BINLOG_COL_ENUM) return col->size == 1 || col->size == 2;
        if (type == BINLOG_COL_SET) return col->size >= 1 && col->size <= 8;
        return type == BINLOG_COL_STRING;
    }
    case BINLOG_COL_TINY:
    case BINLOG_COL_SHORT:
    case BINLOG_COL_LONG:
    case BINLOG_COL_LONGLONG:
    case BINLOG_COL_INT24:
    case BINLOG_COL_NULL:
    case BINLOG_COL_TIMESTAMP:
    case BINLOG_COL_DATE:
    case BINLOG_COL_TIME:
    case BINLOG_COL_DATETIME:
    case BINLOG_COL_YEAR:
    case BINLOG_COL_NEWDATE: return true;
    default: return false;
    }
}

/* The columns that have a sign bit. YEAR is one of them (measured on both servers). */
static bool is_numeric(const binlog_column *c)
{
    switch (c->type) {
    case BINLOG_COL_TINY:
    case BINLOG_COL_SHORT:
    case BINLOG_COL_INT24:
    case BINLOG_COL_LONG:
    case BINLOG_COL_LONGLONG:
    case BINLOG_COL_NEWDECIMAL:
    case BINLOG_COL_FLOAT:
    case BINLOG_COL_DOUBLE:
    case BINLOG_COL_YEAR: return true;
    default: return false;
    }
}

static bool is_character(const binlog_column *c)
{
    return c->type == BINLOG_COL_STRING || c->type == BINLOG_COL_VAR_STRING || c->type == BINLOG_COL_VARCHAR || c->type == BINLOG_COL_BLOB ||
           (c->type >= BINLOG_COL_TINY_BLOB && c->type <= BINLOG_COL_LONG_BLOB) || c->type == BINLOG_COL_BLOB_COMPRESSED ||
           c->type == BINLOG_COL_VARCHAR_COMPRESSED;
}

static bool is_enum(const binlog_column *c) { return c->type == BINLOG_COL_ENUM; }
static bool is_set(const binlog_column *c) { return c->type == BINLOG_COL_SET; }
static bool is_enum_or_set(const binlog_column *c) { return is_enum(c) || is_set(c); }
static bool is_geometry(const binlog_column *c) { return c->type == BINLOG_COL_GEOMETRY; }
static bool is_any(const binlog_column *c) { return c != NULL; }

typedef bool (*column_class)(const binlog_column *);

/* The next column of the class at or after *at; NULL when there is none. */
static binlog_column *next_of(binlog_table_map *m, column_class in, uint32_t *at)
{
    while (*at < m->column_count) {
        binlog_column *col = &m->columns[(*at)++];
        if (in(col)) return col;
    }
    return NULL;
}

/* Default collation, then pairs (index within the class, collation). */
static void default_charset(binlog_table_map *m, column_class in, cursor *v)
{
    uint32_t base = (uint32_t)cursor_lenenc(v), at = 0;
    for (binlog_column *c; (c = next_of(m, in, &at));) c->collation = base;
    uint32_t ordinal = 0;
    at = 0;
    while (cursor_left(v) && !v->failed) {
        uint64_t index = cursor_lenenc(v), collation = cursor_lenenc(v);
        binlog_column *c = NULL;
        if (index < ordinal) ordinal = at = 0;
        for (; ordinal <= index; ordinal++)
            if (!(c = next_of(m, in, &at))) break;
        if (!c) {
            v->failed = true;
            return;
        }
        c->collation = (uint32_t)collation;
    }
}

static void column_charset(binlog_table_map *m, column_class in, cursor *v)
{
    uint32_t at = 0;
    for (binlog_column *c; (c = next_of(m, in, &at));) c->collation = (uint32_t)cursor_lenenc(v);
}

static void labels(binlog_table_map *m, column_class in, cursor *v, arena *a, bool *memory_out)
{
    uint32_t at = 0;
    for (binlog_column *c; !v->failed && (c = next_of(m, in, &at));) {
        uint64_t count = cursor_lenenc(v);
        if (count > cursor_left(v)) {
            v->failed = true;
            return;
        }
        str *list = arena_array(a, count, sizeof *list);
        if (!list) {
            *memory_out = true;
            return;
        }
        for (uint64_t i = 0; i < count; i++) list[i] = cursor_take(v, cursor_lenenc(v));
        c->labels = list;
        c->label_count = (uint32_t)count;
    }
}

/* Bits of a class of columns, highest bit first. */
static void bits(binlog_table_map *m, column_class in, cursor *v, size_t field)
{
    uint32_t at = 0, i = 0;
    uint8_t byte = 0;
    for (binlog_column *c; (c = next_of(m, in, &at)); i++) {
        if (i % 8 == 0) byte = cursor_u8(v);
        bool set = byte >> (7 - i % 8) & 1;
        memcpy((char *)c + field, &set, sizeof set);
    }
}

static void primary_key(binlog_table_map *m, cursor *v, bool with_prefix)
{
    while (cursor_left(v) && !v->failed) {
        uint64_t index = cursor_lenenc(v);
        if (with_prefix) (void)cursor_lenenc(v);
        if (index >= m->column_count) {
            v->failed = true;
            return;
        }
        m->columns[index].primary = true;
    }
    m->has_primary_key = true;
}

/* One optional metadata field; an unknown one is passed over. */
static void optional_field(binlog_table_map *m, uint8_t type, cursor *v, arena *a, bool *memory_out)
{
    uint32_t at = 0;
    switch (type) {
    case 1:
        bits(m, is_numeric, v, offsetof(binlog_column, is_unsigned));
        m->has_signedness = true;
        break;
    case 2: default_charset(m, is_character, v); break;
    case 3: column_charset(m, is_character, v); break;
    case 4:
        for (binlog_column *c; (c = next_of(m, is_any, &at));) c->name = cursor_take(v, cursor_lenenc(v));
        break;
    case 5: labels(m, is_set, v, a, memory_out); break;
    case 6: labels(m, is_enum, v, a, memory_out); break;
    case 7:
        for (binlog_column *c; (c = next_of(m, is_geometry, &at));) c->geometry = (uint32_t)cursor_lenenc(v);
        break;
    case 8: primary_key(m, v, false); break;
    case 9: primary_key(m, v, true); break;
    case 10: default_charset(m, is_enum_or_set, v); break;
    case 11: column_charset(m, is_enum_or_set, v); break;
    case 12:
        bits(m, is_any, v, offsetof(binlog_column, visible));
        m->has_visibility = true;
        break;
    default: break;
    }
}

bool binlog_table_map_parse(const binlog_event *ev, const binlog_format *f, arena *a, binlog_table_map *ret, err *e)
{
    str own = arena_copy(a, ev->body);
    if (!own.p) return err_no_memory(e, "a table map");
    cursor c = cursor_of(own);
    binlog_table_map m = {.id = read_id(&c, f)};
    m.flags = cursor_u16(&c);
    m.schema = cursor_take(&c, cursor_lenenc(&c));
    if (cursor_u8(&c) != 0) return malformed(ev, "the schema name", e);
    m.table = cursor_take(&c, cursor_lenenc(&c));
    if (cursor_u8(&c) != 0) return malformed(ev, "the table name", e);
    uint64_t count = cursor_lenenc(&c);
    if (c.failed || count > cursor_left(&c) || count > TABLE_MAX_COLUMNS) return malformed(ev, "the number of columns", e);
    m.column_count = (uint32_t)count;
    m.columns = arena_array(a, count, sizeof *m.columns);
    if (!m.columns) return err_no_memory(e, "a table map");
    str type_bytes = cursor_take(&c, count);
    cursor meta = cursor_of(cursor_take(&c, cursor_lenenc(&c)));
    str nulls = cursor_take(&c, (count + 7) / 8);
    if (c.failed) return malformed(ev, "the list of columns", e);
    for (uint32_t i = 0; i < count; i++) {
        binlog_column *col = &m.columns[i];
        col->type = (uint8_t)type_bytes.p[i];
        col->visible = true;
        col->nullable = (uint8_t)nulls.p[i / 8] >> i % 8 & 1;
        if (!column_metadata(&meta, col) && !meta.failed)
            return err_set(e, ERR_SOURCE_LOG_FORMAT, "column %u of table %.*s.%.*s has type %u in the log, which is not known", i + 1,
                           STR_ARG(m.schema), STR_ARG(m.table), col->type);
    }
    if (meta.failed || cursor_left(&meta)) return malformed(ev, "the column metadata", e);
    bool memory_out = false;
    while (cursor_left(&c)) {
        uint8_t type = cursor_u8(&c);
        cursor value = cursor_of(cursor_take(&c, cursor_lenenc(&c)));
        if (c.failed) break;
        optional_field(&m, type, &value, a, &memory_out);
        if (value.failed) return malformed(ev, "the optional metadata", e);
        if (memory_out) return err_no_memory(e, "a table map");
    }
    if (c.failed) return malformed(ev, "the optional metadata", e);
    *ret = m;
    return true;
}

static bool column_equal(const binlog_column *a, const binlog_column *b)
{
    if (a->type != b->type || a->nullable != b->nullable || a->is_unsigned != b->is_unsigned || a->visible != b->visible ||
        a->primary != b->primary || a->size != b->size || a->scale != b->scale || a->collation != b->collation || a->geometry != b->geometry ||
        !str_eq(a->name, b->name) || a->label_count != b->label_count)
        return false;
    for (uint32_t i = 0; i < a->label_count; i++)
        if (!str_eq(a->labels[i], b->labels[i])) return false;
    return true;
}

bool binlog_table_map_equal(const binlog_table_map *a, const binlog_table_map *b)
{
    if (a->column_count != b->column_count || a->has_signedness != b->has_signedness || a->has_primary_key != b->has_primary_key ||
        a->has_visibility != b->has_visibility || !str_eq(a->schema, b->schema) || !str_eq(a->table, b->table))
        return false;
    for (uint32_t i = 0; i < a->column_count; i++)
        if (!column_equal(&a->columns[i], &b->columns[i])) return false;
    return true;
}
