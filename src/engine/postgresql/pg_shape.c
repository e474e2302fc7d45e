/* Text form: for each column "number oid modifier type length scale selected name-bytes:name type-bytes:type", ended by a line feed. */
#include "engine/postgresql/pg_shape.h"

#include <string.h>

#include "engine/postgresql/pg_catalog.h"

#define FIRST_OWN_OID 16384 /* types that users make (src/include/access/transam.h) */

void pg_shape_add(buf *out, const pg_shape_column *c)
{
    buf_printf(out, "%u %u %d %d %u %u %d %zu:%.*s %zu:%.*s\n", c->identity.number, c->identity.type_oid, c->identity.type_modifier, (int)c->type, c->length, c->scale, (int)c->selected,
               c->name.n, STR_ARG(c->name), c->native_type.n, STR_ARG(c->native_type));
}

pg_shape_column pg_shape_of(const table_def *t, uint32_t column)
{
    const column_def *c = &t->columns[column];
    return (pg_shape_column){.identity = t->identities[column], .type = c->type, .length = c->length, .scale = c->scale, .selected = c->selected, .name = c->name, .native_type = c->native_type};
}

bool pg_shape_text(const table_def *t, buf *out)
{
    for (uint32_t i = 0; i < t->column_count; i++) {
        pg_shape_column c = pg_shape_of(t, i);
        if (!t->columns[i].generated) pg_shape_add(out, &c);
    }
    return !out->failed;
}

static bool take_number(str *rest, int64_t low, int64_t high, int64_t *ret)
{
    str word;
    return str_split_next(rest, ' ', &word) && str_to_i64(word, ret) && *ret >= low && *ret <= high;
}

static bool take_text(str *rest, char end, str *ret)
{
    str length;
    uint64_t n;
    if (!str_split_next(rest, ':', &length) || !str_to_u64(length, &n) || n >= rest->n || rest->p[n] != end) return false;
    *ret = str_sub(*rest, 0, n);
    *rest = str_sub(*rest, n + 1, SIZE_MAX);
    return true;
}

static bool take_column(str *rest, pg_shape_column *ret)
{
    int64_t number, oid, modifier, type, length, scale, selected;
    if (!take_number(rest, 1, UINT16_MAX, &number) || !take_number(rest, 0, UINT32_MAX, &oid) || !take_number(rest, INT32_MIN, INT32_MAX, &modifier) ||
        !take_number(rest, 0, INT32_MAX, &type) || !take_number(rest, 0, UINT32_MAX, &length) || !take_number(rest, 0, UINT32_MAX, &scale) ||
        !take_number(rest, 0, 1, &selected))
        return false;
    *ret = (pg_shape_column){.identity = {(uint16_t)number, (uint32_t)oid, (int32_t)modifier}, .type = (col_type)type, .length = (uint32_t)length, .scale = (uint32_t)scale, .selected = selected == 1};
    return take_text(rest, ' ', &ret->name) && take_text(rest, '\n', &ret->native_type);
}

/* --- restoring --- */

static uint32_t find_number(const table_def *t, uint16_t number)
{
    for (uint32_t i = 0; i < t->column_count; i++)
        if (t->identities[i].number == number) return i;
    return UINT32_MAX;
}

/* pg_type.typname of a type that the server brings along, from its text (format_type). */
static str builtin_name(str text)
{
    static const char *const others[][2] = {
        {"bigint", "int8"}, {"bit varying", "varbit"}, {"boolean", "bool"}, {"\"char\"", "char"}, {"character", "bpchar"}, {"character varying", "varchar"},
        {"double precision", "float8"}, {"integer", "int4"}, {"real", "float4"}, {"smallint", "int2"}, {"time with time zone", "timetz"}, {"time without time zone", "time"},
        {"timestamp with time zone", "timestamptz"}, {"timestamp without time zone", "timestamp"},
    };
    size_t open = str_find_byte(text, '(', 0), close = str_find_byte(text, ')', 0);
    str name = str_sub(text, 0, open), rest = close == SIZE_MAX ? STR("") : str_sub(text, close + 1, SIZE_MAX); /* "time(3) with time zone" */
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        str known = str_from_c(others[i][0]);
        if (known.n == name.n + rest.n && str_starts_with(known, name) && str_ends_with(known, rest)) return str_from_c(others[i][1]);
    }
    return name;
}

/* The catalog does not have the column's type any more: one that the server brings along is known nevertheless. NULL: it is not, or there is no memory. */
static const type_def *definition_of(const pg_shape_column *s, arena *a)
{
    type_def *t = s->identity.type_oid < FIRST_OWN_OID ? arena_alloc(a, sizeof *t) : NULL;
    if (!t) return NULL;
    str name = builtin_name(s->native_type);
    *t = (type_def){.kind = 'b', .type = pg_catalog_type(STR("b"), true, name), .length = s->length, .scale = s->scale, .schema = STR("pg_catalog"), .name = name, .sql = s->native_type,
                    .extension = STR(""), .delimiter = ','};
    if (!str_ends_with(s->native_type, STR("[]"))) return t;
    pg_shape_column element = *s;
    element.native_type = str_sub(s->native_type, 0, s->native_type.n - 2);
    t->kind = 'a';
    t->of = definition_of(&element, a);
    return t->of ? t : NULL;
}

/* The column of the shape; `now` is the same one as it is now, NULL when it was dropped since. */
static column_def restored(const column_def *now, const pg_shape_column *s, arena *a)
{
    column_def c = now ? *now : (column_def){.nullable = true, .selected = s->selected};
    bool renamed = !now || !str_eq(now->name, s->name);
    c.name = s->name;
    if (renamed) c.target_name = s->name;
    if (!now || !str_eq(now->native_type, s->native_type)) c.definition = definition_of(s, a);
    c.native_type = s->native_type;
    c.type = s->type;
    c.length = s->length;
    c.scale = s->scale;
    return c;
}

/* where[i]: the place of the i-th column of now, UINT32_MAX when it is not there any more. */
static bool move_columns(uint32_t *columns, uint32_t count, const uint32_t *where)
{
    for (uint32_t i = 0; i < count; i++)
        if (columns[i] != UINT32_MAX && where[columns[i]] == UINT32_MAX) return false;
    for (uint32_t i = 0; i < count; i++)
        if (columns[i] != UINT32_MAX) columns[i] = where[columns[i]];
    return true;
}

static bool move_keys(table_def *t, const uint32_t *where, err *e)
{
    uint32_t keys = 0, foreign = 0, row_key = TABLE_NO_KEY;
    for (uint32_t i = 0; i < t->key_count; i++) {
        if (!move_columns(t->keys[i].columns, t->keys[i].count, where)) continue;
        if (i == t->row_key) row_key = keys;
        t->keys[keys++] = t->keys[i];
    }
    for (uint32_t i = 0; i < t->foreign_key_count; i++)
        if (move_columns(t->foreign_keys[i].columns, t->foreign_keys[i].count, where)) t->foreign_keys[foreign++] = t->foreign_keys[i];
    if (t->row_key != TABLE_NO_KEY && row_key == TABLE_NO_KEY)
        return err_set(e, ERR_SOURCE_DDL, "the key of %.*s.%.*s was replaced at the source while the job was behind; reset the job", STR_ARG(t->schema), STR_ARG(t->name));
    t->key_count = keys;
    t->foreign_key_count = foreign;
    t->row_key = row_key;
    return true;
}

static bool restore(table_def *t, str shape, arena *a, err *e)
{
    uint32_t room = t->column_count, n = 0;
    for (size_t i = 0; i < shape.n; i++) room += shape.p[i] == '\n';
    column_def *columns = arena_array(a, room, sizeof *columns);
    column_identity *identities = arena_array(a, room, sizeof *identities);
    uint32_t *where = arena_array(a, t->column_count, sizeof *where);
    if (!columns || !identities || !where) return err_no_memory(e, "the columns of a table");
    memset(where, 0xff, t->column_count * sizeof *where);
    for (str rest = arena_copy(a, shape); rest.n; n++) {
        pg_shape_column s;
        if (!take_column(&rest, &s)) return err_set(e, ERR_CORRUPT, "the shape of %.*s.%.*s in the destination is not well formed; reset the job", STR_ARG(t->schema), STR_ARG(t->name));
        uint32_t at = find_number(t, s.identity.number);
        if (at != UINT32_MAX) where[at] = n;
        columns[n] = restored(at == UINT32_MAX ? NULL : &t->columns[at], &s, a);
        identities[n] = s.identity;
    }
    for (uint32_t i = 0; i < t->column_count; i++) {
        if (!t->columns[i].generated || where[i] != UINT32_MAX) continue;
        where[i] = n;
        columns[n] = t->columns[i];
        identities[n++] = t->identities[i];
    }
    if (!move_keys(t, where, e)) return false;
    t->columns = columns;
    t->identities = identities;
    t->column_count = n;
    return true;
}

bool pg_shape_restore(table_def *t, str shape, arena *a, err *e)
{
    BUF_AUTO now = BUF_INIT;
    if (!pg_shape_text(t, &now)) return err_no_memory(e, "the columns of a table");
    return str_eq(buf_str(&now), shape) || restore(t, shape, a, e);
}
