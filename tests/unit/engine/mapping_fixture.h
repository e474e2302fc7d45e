/* Mapped tables from texts of SHOW CREATE TABLE, for the tests of the mapping to PostgreSQL. */
#ifndef TESTS_MAPPING_FIXTURE_H
#define TESTS_MAPPING_FIXTURE_H

#include "engine/mapping/mapping_to_pg.h"
#include "engine/mysql/catalog.h"
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

#define FIXTURE_TABLES 8

/* A catalog, its mapping, and what was found on the way as lines "T15 column! what | condition". */
typedef struct fixture {
    catalog_def source;
    table_def tables[FIXTURE_TABLES];
    table_def *list[FIXTURE_TABLES];
    const char *const *choices; /* pairs of key and value, ended by NULL; NULL: none */
    mapping_options options;
    buf found, sources; /* SQL of what is not carried, a line each */
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
    if (g->source_text.p) buf_printf(&f->sources, "%.*s\n", STR_ARG(g->source_text));
}

/* schema.name of a table and its definition; the DDL's own name does not count. */
static inline void fixture_add(fixture *f, const char *schema, const char *name, const char *create)
{
    table_def *t = &f->tables[f->source.table_count];
    ddl_table d;
    err e = ERR_INIT;
    map collations = MAP_INIT;
    str utf8 = STR("utf8mb4_0900_ai_ci"), latin1 = STR("latin1_swedish_ci");
    *t = (table_def){.id = f->source.table_count, .schema = str_from_c(schema), .name = str_from_c(name), .target_schema = str_from_c(schema),
                     .target_name = str_from_c(name), .create_sql = str_from_c(create), .row_key = TABLE_NO_KEY};
    assert_true(map_put(&collations, STR("utf8mb4"), &utf8) && map_put(&collations, STR("latin1"), &latin1));
    if (!ddl_parse_table(t->create_sql, &mem, &d, &e) || !catalog_fill_table(&d, &collations, &mem, t, &e)) fail_msg("%s: %s", create, e.text);
    map_finish(&collations);
    f->list[f->source.table_count++] = t;
    f->source.tables = f->list;
}

static inline bool fixture_make(fixture *f, err *e)
{
    static const mapping_findings none = {0};
    mapping_findings findings = none;
    findings.add = fixture_add_finding;
    findings.ctx = f;
    f->options.target = SQL_POSTGRESQL;
    f->options.choice = fixture_choice;
    f->options.ctx = f;
    assert_true(family_link(&f->source, e));
    return mapping_make(&f->source, SQL_MYSQL, &f->options, &findings, &mem, &f->m, e);
}

static inline table_def *fixture_target(fixture *f, uint32_t i) { return mapping_catalog(f->m)->tables[i]; }
static inline void fixture_finish(fixture *f)
{
    buf_finish(&f->found);
    buf_finish(&f->sources);
}

#endif
