/* Mapped tables of PostgreSQL from short texts of types, for the tests of the mapping to MySQL and MariaDB. */
#ifndef TESTS_MAPPING_MY_FIXTURE_H
#define TESTS_MAPPING_MY_FIXTURE_H

#include "engine/mapping/mapping_to_my.h"
#include "engine/postgresql/pg_catalog.h"
#include "model/family.h"

static arena mem;

static int start(void **state)
{
    (void)state;
    arena_init(&mem, 65536, 0);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    arena_finish(&mem);
    return 0;
}

static inline type_def *type_new(char kind, str name, const type_def *of)
{
    type_def *t = arena_alloc(&mem, sizeof *t);
    assert_non_null(t);
    *t = (type_def){.kind = kind, .type = kind == 'e' ? COL_ENUM : COL_OTHER, .schema = STR("public"), .name = name, .sql = arena_printf(&mem, "public.%.*s", STR_ARG(name)),
                    .extension = STR(""), .of = of, .delimiter = ','};
    return t;
}

/* "numeric(10,2)", "hstore", "geometry(Point,4326)": base types by their names in pg_type. */
static inline const type_def *type_base(str text)
{
    static const char *const extensions[][2] = {{"hstore", "hstore"}, {"citext", "citext"}, {"ltree", "ltree"}, {"geometry", "postgis"}, {"geography", "postgis"}, {"cube", "cube"}};
    size_t open = str_find_byte(text, '(', 0);
    str name = str_sub(text, 0, open), group = open == SIZE_MAX ? STR_NULL : str_sub(text, open + 1, text.n - open - 2), piece;
    type_def *t = type_new('b', name, NULL);
    t->sql = text;
    for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; i++) {
        if (!str_eq(name, str_from_c(extensions[i][0]))) continue;
        t->extension = str_from_c(extensions[i][1]);
        return t;
    }
    int64_t first = -1, second = 0;
    if (group.p && str_split_next(&group, ',', &piece)) assert_true(str_to_i64(piece, &first));
    if (group.p && str_split_next(&group, ',', &piece)) assert_true(str_to_i64(piece, &second));
    t->schema = STR("pg_catalog");
    t->type = pg_catalog_type(STR("b"), true, name);
    bool plus4 = t->type == COL_DECIMAL || t->type == COL_VARCHAR || t->type == COL_CHAR;
    int32_t modifier = first < 0 ? -1 : t->type == COL_DECIMAL ? (int32_t)(first << 16 | (second & 0x7ff)) : (int32_t)first;
    pg_catalog_lengths(t->type, modifier < 0 ? -1 : modifier + (plus4 ? 4 : 0), &t->length, &t->scale);
    return t;
}

/* "T[]", "domain:T", "enum:a|b", "row:a=T;b=T", "range:T", "multirange:T", or a base type. */
static inline const type_def *type_of(str text)
{
    str piece;
    if (str_ends_with(text, STR("[]"))) return type_new('a', STR("_x"), type_of(str_sub(text, 0, text.n - 2)));
    size_t colon = str_find_byte(text, ':', 0);
    str word = colon == SIZE_MAX ? STR("") : str_sub(text, 0, colon), rest = str_sub(text, colon + 1, SIZE_MAX);
    if (str_eq(word, STR("domain"))) return type_new('d', STR("d"), type_of(rest));
    if (str_eq(word, STR("lo"))) {
        type_def *t = type_new('d', STR("lo"), type_of(rest));
        t->extension = STR("lo");
        return t;
    }
    if (str_eq(word, STR("range"))) return type_new('r', STR("r"), type_of(rest));
    if (str_eq(word, STR("multirange"))) return type_new('m', STR("m"), type_new('r', STR("r"), type_of(rest)));
    bool labels = str_eq(word, STR("enum"));
    if (!labels && !str_eq(word, STR("row"))) return type_base(text);
    type_def *t = type_new(labels ? 'e' : 'c', labels ? STR("e") : STR("c"), NULL);
    t->names = arena_array(&mem, 16, sizeof *t->names);
    t->fields = labels ? NULL : arena_array(&mem, 16, sizeof(const type_def *));
    while (rest.p && rest.n && str_split_next(&rest, labels ? '|' : ';', &piece)) {
        size_t at = labels ? SIZE_MAX : str_find_byte(piece, '=', 0);
        if (!labels) t->fields[t->count] = type_of(str_sub(piece, at + 1, SIZE_MAX));
        t->names[t->count++] = str_sub(piece, 0, at);
    }
    return t;
}

#define FIXTURE_TABLES 8

/* A catalog, its mapping, and what was found on the way as lines "T55 column! what | condition". */
typedef struct fixture {
    catalog_def source;
    database_def database;
    table_def tables[FIXTURE_TABLES];
    table_def *list[FIXTURE_TABLES];
    const char *const *choices; /* pairs of key and value, ended by NULL; NULL: none */
    mapping_options options;
    buf found;
    mapping *m;
} fixture;

static inline str fixture_choice(void *ctx, str key)
{
    const fixture *f = ctx;
    for (const char *const *p = f->choices; p && *p; p += 2)
        if (str_eq(key, str_from_c(p[0]))) return str_from_c(p[1]);
    return STR_NULL;
}

static inline void fixture_add_finding(void *ctx, const mapping_finding *g)
{
    fixture *f = ctx;
    str name = g->column ? g->column->name : g->object;
    buf_printf(&f->found, "%.*s %.*s%s %.*s | %.*s\n", STR_ARG(g->rule), STR_ARG(name), g->fails ? "!" : "", STR_ARG(g->what), STR_ARG(g->condition_sql));
}

/* "name type [not null]", one column a line. */
static inline table_def *fixture_add(fixture *f, const char *schema, const char *name, const char *columns)
{
    table_def *t = &f->tables[f->source.table_count];
    str rest = str_from_c(columns), line;
    *t = (table_def){.sql = SQL_POSTGRESQL, .id = f->source.table_count, .schema = str_from_c(schema), .name = str_from_c(name), .target_schema = str_from_c(schema),
                     .target_name = str_from_c(name), .row_key = TABLE_NO_KEY, .replica_identity = 'd', .columns = arena_array(&mem, 64, sizeof(column_def))};
    while (rest.p && str_split_next(&rest, '\n', &line)) {
        column_def *c = &t->columns[t->column_count++];
        size_t space = str_find_byte(line, ' ', 0);
        bool not_null = str_ends_with(line, STR(" not null"));
        str type = str_sub(line, space + 1, line.n - space - 1 - (not_null ? 9 : 0));
        *c = (column_def){.name = str_sub(line, 0, space), .target_name = str_sub(line, 0, space), .definition = type_of(type), .nullable = !not_null, .selected = true};
        c->native_type = c->definition->sql;
        c->type = c->definition->type;
        c->length = c->definition->length;
        c->scale = c->definition->scale;
    }
    f->list[f->source.table_count++] = t;
    f->source.tables = f->list;
    return t;
}

/* A key of one or two columns. */
static inline key_def *fixture_add_key(table_def *t, const char *name, bool primary, bool unique, uint32_t count, uint32_t first, uint32_t second)
{
    if (!t->keys) t->keys = arena_array(&mem, 8, sizeof *t->keys);
    key_def *k = &t->keys[t->key_count++];
    *k = (key_def){.name = str_from_c(name), .primary = primary, .unique = unique, .columns = arena_array(&mem, 2, sizeof(uint32_t)), .count = count, .constraint = primary};
    k->columns[0] = first;
    k->columns[1] = second;
    k->definition_sql = STR("");
    table_choose_row_key(t);
    return k;
}

static inline bool fixture_make(fixture *f, err *e)
{
    static const mapping_findings none = {0};
    mapping_findings findings = none;
    findings.add = fixture_add_finding;
    findings.ctx = f;
    f->options.target = SQL_MYSQL;
    f->options.choice = fixture_choice;
    f->options.ctx = f;
    if (!f->database.name.p) f->database = (database_def){.name = STR("shop"), .target_name = STR("shop"), .charset = STR("UTF8")};
    f->source.databases = &f->database;
    f->source.database_count = 1;
    assert_true(family_link(&f->source, e));
    return mapping_make(&f->source, SQL_POSTGRESQL, &f->options, &findings, &mem, &f->m, e);
}

static inline table_def *fixture_target(fixture *f, uint32_t i) { return mapping_catalog(f->m)->tables[i]; }
static inline void fixture_finish(fixture *f) { buf_finish(&f->found); }

/* "T15=null;T9=strip" as pairs for the fixture. */
static inline const char *const *split_choices(const char *choices)
{
    const char **pairs = arena_array(&mem, 20, sizeof *pairs);
    str rest = choices ? str_from_c(choices) : STR_NULL, one;
    for (size_t n = 0; rest.p && str_split_next(&rest, ';', &one); n += 2) {
        size_t at = str_find_byte(one, '=', 0);
        pairs[n] = arena_copy_c(&mem, str_sub(one, 0, at));
        pairs[n + 1] = arena_copy_c(&mem, str_sub(one, at + 1, SIZE_MAX));
    }
    return pairs;
}

#endif
