/* Evaluates row conditions for tests/e2e/test_filter.py: reads {"columns", "filters", "rows"} as JSON from stdin, prints one JSON array with
 * "TFU..." (one letter a row) or {"code", "text"} for each filter. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "model/filter.h"

static str text_of(json_t *object, const char *key) { return str_from_c(json_string_value(json_object_get(object, key))); }

static void die(const char *what)
{
    fprintf(stderr, "filter_probe: %s\n", what);
    exit(2);
}

static const struct {
    const char *name;
    col_type type;
} types[] = {
    {"tinyint", COL_TINYINT}, {"int", COL_INT}, {"bigint", COL_BIGINT}, {"float", COL_FLOAT}, {"double", COL_DOUBLE}, {"decimal", COL_DECIMAL}, {"bit", COL_BIT},
    {"char", COL_CHAR}, {"varchar", COL_VARCHAR}, {"text", COL_TEXT}, {"binary", COL_BINARY}, {"varbinary", COL_VARBINARY}, {"date", COL_DATE},
    {"datetime", COL_DATETIME}, {"timestamp", COL_TIMESTAMP}, {"year", COL_YEAR},
};

static column_def read_column(json_t *c)
{
    column_def column = {.name = text_of(c, "name"), .native_type = text_of(c, "native"), .type = COL_OTHER,
                         .nullable = json_is_true(json_object_get(c, "nullable")), .is_unsigned = json_is_true(json_object_get(c, "unsigned")),
                         .scale = (uint32_t)json_integer_value(json_object_get(c, "scale")), .charset = text_of(c, "charset"), .collation = text_of(c, "collation")};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_eq(text_of(c, "type"), str_from_c(types[i].name))) column.type = types[i].type;
    if (column.type == COL_OTHER) die("unknown type");
    return column;
}

/* A cell is null or [kind, text]; the kinds text, bytes and bit have hexadecimal digits. */
static val read_cell(arena *a, json_t *cell)
{
    if (json_is_null(cell)) return (val){.kind = VAL_NULL};
    static const struct {
        const char *name;
        val_kind kind;
    } kinds[] = {{"number", VAL_NUMBER}, {"int", VAL_INT}, {"uint", VAL_UINT}, {"f32", VAL_F32}, {"f64", VAL_F64}, {"text", VAL_TEXT}, {"bytes", VAL_BYTES},
                 {"bit", VAL_BIT}, {"date", VAL_DATE}, {"datetime", VAL_DATETIME}, {"timestamp", VAL_TIMESTAMP}, {"year", VAL_YEAR}};
    str kind = str_from_c(json_string_value(json_array_get(cell, 0))), text = str_from_c(json_string_value(json_array_get(cell, 1)));
    val v = {.kind = VAL_ABSENT};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (str_eq(kind, str_from_c(kinds[i].name))) v.kind = (uint8_t)kinds[i].kind;
    bool ok = v.kind != VAL_ABSENT;
    if (v.kind == VAL_INT || v.kind == VAL_YEAR) {
        ok = str_to_i64(text, &v.u.i);
    } else if (v.kind == VAL_UINT) {
        ok = str_to_u64(text, &v.u.u);
    } else if (v.kind == VAL_F32 || v.kind == VAL_F64) {
        v.u.f = strtod(text.p, NULL);
    } else {
        str bytes = v.kind == VAL_TEXT || v.kind == VAL_BYTES || v.kind == VAL_BIT ? decode_hex(a, text) : text;
        ok = ok && bytes.p;
        v.u.p = bytes.p;
        v.n = (uint32_t)bytes.n;
    }
    if (!ok) die("a bad cell");
    return v;
}

static json_t *results_of(table_def *t, const char *sql, const val *rows, size_t row_count)
{
    arena a;
    arena_init(&a, 4096, 0);
    err e = ERR_INIT;
    filter *f;
    t->filter_sql = str_from_c(sql);
    char *letters = calloc(1, row_count + 1);
    bool ok = letters && filter_compile(t, &a, &f, &e);
    for (size_t i = 0; ok && i < row_count; i++) {
        filter_result r = FILTER_UNKNOWN;
        ok = filter_eval(f, rows + i * t->column_count, &r, &e);
        letters[i] = r == FILTER_TRUE ? 'T' : r == FILTER_FALSE ? 'F' : 'U';
    }
    json_t *result = ok ? json_string(letters) : json_pack("{s:s,s:s}", "code", err_name(e.code), "text", e.text);
    free(letters);
    arena_finish(&a);
    return result;
}

int main(void)
{
    json_t *root = json_loadf(stdin, 0, NULL);
    if (!root) die("no JSON on stdin");
    json_t *columns = json_object_get(root, "columns"), *filters = json_object_get(root, "filters"), *rows = json_object_get(root, "rows");
    arena a;
    arena_init(&a, 64 * 1024, 0);
    size_t width = json_array_size(columns), row_count = json_array_size(rows);
    column_def *defs = arena_array(&a, width, sizeof *defs);
    val *vals = arena_array(&a, width * row_count, sizeof *vals);
    if (!defs || !vals) die("no memory");
    for (size_t i = 0; i < width; i++) defs[i] = read_column(json_array_get(columns, i));
    for (size_t i = 0; i < width * row_count; i++) vals[i] = read_cell(&a, json_array_get(json_array_get(rows, i / width), i % width));
    table_def t = {.schema = STR("f"), .name = STR("t"), .columns = defs, .column_count = (uint32_t)width};
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(filters); i++)
        json_array_append_new(out, results_of(&t, json_string_value(json_array_get(filters, i)), vals, row_count));
    json_dumpf(out, stdout, 0);
    putchar('\n');
    json_decref(out);
    json_decref(root);
    arena_finish(&a);
    return 0;
}
