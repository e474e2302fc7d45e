/* A table's definition, taken apart, into the model's table. */
#include <string.h>

#include "engine/mysql/catalog.h"

static const struct {
    const char *word;
    col_type type;
    uint32_t length; /* bytes, where the type fixes it */
} types[] = {
    {"tinyint", COL_TINYINT, 0}, {"smallint", COL_SMALLINT, 0}, {"mediumint", COL_MEDIUMINT, 0}, {"int", COL_INT, 0}, {"bigint", COL_BIGINT, 0},
    {"float", COL_FLOAT, 0}, {"double", COL_DOUBLE, 0}, {"decimal", COL_DECIMAL, 0}, {"bit", COL_BIT, 0},
    {"char", COL_CHAR, 0}, {"varchar", COL_VARCHAR, 0}, {"tinytext", COL_TEXT, 255}, {"text", COL_TEXT, 65535}, {"mediumtext", COL_TEXT, 16777215},
    {"longtext", COL_TEXT, UINT32_MAX}, {"binary", COL_BINARY, 0}, {"varbinary", COL_VARBINARY, 0}, {"tinyblob", COL_BLOB, 255}, {"blob", COL_BLOB, 65535},
    {"mediumblob", COL_BLOB, 16777215}, {"longblob", COL_BLOB, UINT32_MAX}, {"date", COL_DATE, 0}, {"time", COL_TIME, 0}, {"datetime", COL_DATETIME, 0},
    {"timestamp", COL_TIMESTAMP, 0}, {"year", COL_YEAR, 0}, {"enum", COL_ENUM, 0}, {"set", COL_SET, 0}, {"json", COL_JSON, UINT32_MAX},
    {"geometry", COL_GEOMETRY, 0}, {"point", COL_GEOMETRY, 0}, {"linestring", COL_GEOMETRY, 0}, {"polygon", COL_GEOMETRY, 0}, {"multipoint", COL_GEOMETRY, 0},
    {"multilinestring", COL_GEOMETRY, 0}, {"multipolygon", COL_GEOMETRY, 0}, {"geomcollection", COL_GEOMETRY, 0}, {"geometrycollection", COL_GEOMETRY, 0},
    {"vector", COL_VECTOR, 0}, {"uuid", COL_UUID, 0}, {"inet4", COL_INET, 0}, {"inet6", COL_INET, 0},
};

static int find_type(str word)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (str_eq_nocase(word, str_from_c(types[i].word))) return (int)i;
    return -1;
}

col_type catalog_column_type(str word)
{
    int i = find_type(word);
    return i < 0 ? COL_OTHER : types[i].type;
}

static bool has_charset(col_type t) { return t == COL_CHAR || t == COL_VARCHAR || t == COL_TEXT || t == COL_ENUM || t == COL_SET || t == COL_JSON; }

bool catalog_read_labels(str type_group, arena *a, str **ret, uint32_t *ret_count, err *e)
{
    uint32_t n = 0, cap = 1;
    ddl_lexer l = {.text = type_group};
    for (ddl_token t = ddl_next(&l); t.kind != DDL_END; t = ddl_next(&l)) cap += t.kind == DDL_STRING;
    str *labels = arena_array(a, cap, sizeof *labels);
    if (!labels) return err_no_memory(e, "the labels of a column");
    l = (ddl_lexer){.text = type_group};
    for (ddl_token t = ddl_next(&l); t.kind != DDL_END; t = ddl_next(&l)) {
        if (t.kind != DDL_STRING) continue;
        labels[n] = ddl_unquote_string(a, t.text);
        if (!labels[n++].p) return err_no_memory(e, "the labels of a column");
    }
    *ret = labels;
    *ret_count = n;
    return true;
}

/* "10,2" → 10 and 2. */
static void read_numbers(str group, uint32_t *first, uint32_t *second)
{
    uint64_t v = 0;
    str piece;
    if (str_split_next(&group, ',', &piece) && str_to_u64(str_trim(piece), &v)) *first = (uint32_t)v;
    if (group.p && str_split_next(&group, ',', &piece) && str_to_u64(str_trim(piece), &v)) *second = (uint32_t)v;
}

static void set_lengths(const ddl_column *d, column_def *c)
{
    int i = find_type(d->type_word);
    uint32_t first = 0, second = 0;
    if (d->type_group.p && c->type != COL_ENUM && c->type != COL_SET) read_numbers(d->type_group, &first, &second);
    switch (c->type) {
    case COL_TIME:
    case COL_DATETIME:
    case COL_TIMESTAMP: c->scale = first; break;
    case COL_DECIMAL:
    case COL_FLOAT:
    case COL_DOUBLE: c->length = first, c->scale = second; break;
    default: c->length = i >= 0 && types[i].length ? types[i].length : first; break;
    }
}

/* The column's charset is written when it differs from the table's; the collation when it is not the charset's default. */
static void set_charset(const ddl_column *d, const table_def *t, const map *default_collations, column_def *c)
{
    if (!has_charset(c->type)) return;
    if (c->type == COL_JSON) {
        c->charset = STR("utf8mb4"), c->collation = STR("utf8mb4_bin");
        return;
    }
    c->charset = d->charset.n ? d->charset : t->charset;
    const str *def = map_get(default_collations, c->charset);
    c->collation = d->collation.n ? d->collation : !d->charset.n || str_eq(d->charset, t->charset) ? t->collation : def ? *def : STR("");
    if (d->charset.n && !d->collation.n && def) c->collation = *def;
}

static bool fill_column(const ddl_column *d, const table_def *t, const map *default_collations, arena *a, column_def *c, err *e)
{
    *c = (column_def){.name = d->name, .target_name = d->name, .native_type = d->type, .type = catalog_column_type(d->type_word),
                      .nullable = !d->not_null, .is_unsigned = d->is_unsigned, .auto_increment = d->auto_increment, .generated = d->generated,
                      .generated_stored = d->stored, .invisible = d->invisible, .selected = true, .default_sql = d->default_sql,
                      .on_update_sql = d->on_update_sql, .generation_sql = d->generation_sql, .comment = STR("")};
    set_lengths(d, c);
    set_charset(d, t, default_collations, c);
    if (d->comment_sql.p) {
        c->comment = ddl_unquote_string(a, d->comment_sql);
        if (!c->comment.p) return err_no_memory(e, "a column's comment");
    }
    if (c->type != COL_ENUM && c->type != COL_SET) return true;
    return catalog_read_labels(d->type_group, a, &c->labels, &c->label_count, e);
}

static bool fill_key(const ddl_key *d, const table_def *t, arena *a, key_def *k, err *e)
{
    *k = (key_def){.name = d->name, .primary = d->kind == DDL_PRIMARY, .unique = d->kind == DDL_PRIMARY || d->kind == DDL_UNIQUE, .count = d->count,
                   .definition_sql = d->text, .columns = arena_array(a, d->count, sizeof(uint32_t))};
    if (!k->columns) return err_no_memory(e, "a key");
    for (uint32_t i = 0; i < d->count; i++) {
        k->columns[i] = d->parts[i].column.p ? table_find_column(t, d->parts[i].column) : UINT32_MAX;
        if (d->parts[i].prefix) k->has_prefix = true;
        if (d->parts[i].column.p && k->columns[i] == UINT32_MAX)
            return err_set(e, ERR_NOT_SUPPORTED, "key %.*s of table %.*s.%.*s names the unknown column %.*s", STR_ARG(d->name), STR_ARG(t->schema),
                           STR_ARG(t->name), STR_ARG(d->parts[i].column));
    }
    return true;
}

static bool fill_foreign_key(const ddl_foreign_key *d, const table_def *t, arena *a, foreign_key_def *f, err *e)
{
    *f = (foreign_key_def){.name = d->name.p ? d->name : STR(""), .count = d->count, .parent_schema = d->parent_schema.p ? d->parent_schema : t->schema,
                           .parent_table = d->parent_table, .parent_columns = d->parent_columns, .on_delete = d->on_delete, .on_update = d->on_update,
                           .columns = arena_array(a, d->count, sizeof(uint32_t))};
    if (!f->columns) return err_no_memory(e, "a foreign key");
    for (uint32_t i = 0; i < d->count; i++) {
        f->columns[i] = table_find_column(t, d->columns[i]);
        if (f->columns[i] == UINT32_MAX)
            return err_set(e, ERR_NOT_SUPPORTED, "foreign key %.*s of table %.*s.%.*s names the unknown column %.*s", STR_ARG(d->name),
                           STR_ARG(t->schema), STR_ARG(t->name), STR_ARG(d->columns[i]));
    }
    return true;
}

bool catalog_fill_table(const ddl_table *d, const map *default_collations, arena *a, table_def *t, err *e)
{
    if (d->column_count > TABLE_MAX_COLUMNS)
        return err_set(e, ERR_LIMIT, "table %.*s.%.*s has %u columns, more than %d", STR_ARG(t->schema), STR_ARG(t->name), d->column_count, TABLE_MAX_COLUMNS);
    t->storage_engine = d->engine;
    t->charset = d->charset;
    const str *def = map_get(default_collations, d->charset);
    t->collation = d->collation.n ? d->collation : def ? *def : STR("");
    t->comment = d->comment_sql.p ? ddl_unquote_string(a, d->comment_sql) : STR("");
    t->columns = arena_array(a, d->column_count, sizeof *t->columns);
    t->keys = arena_array(a, d->key_count, sizeof *t->keys);
    t->foreign_keys = arena_array(a, d->foreign_key_count, sizeof *t->foreign_keys);
    if (!t->columns || !t->keys || !t->foreign_keys || !t->comment.p) return err_no_memory(e, "a table");
    for (uint32_t i = 0; i < d->column_count; i++, t->column_count++)
        if (!fill_column(&d->columns[i], t, default_collations, a, &t->columns[i], e)) return false;
    for (uint32_t i = 0; i < d->key_count; i++, t->key_count++)
        if (!fill_key(&d->keys[i], t, a, &t->keys[i], e)) return false;
    for (uint32_t i = 0; i < d->foreign_key_count; i++, t->foreign_key_count++)
        if (!fill_foreign_key(&d->foreign_keys[i], t, a, &t->foreign_keys[i], e)) return false;
    table_choose_row_key(t);
    return true;
}
