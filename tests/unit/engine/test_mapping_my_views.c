/* Views of PostgreSQL, as pg_get_viewdef writes them, in MySQL's SQL; what is not known to give the same rows is refused and told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mapping_my_fixture.h"

#define MADE "CREATE ALGORITHM=UNDEFINED VIEW `shop`.`v` AS select "

static const struct {
    const char *sql, *wanted; /* NULL: refused */
} cases[] = {
    {" SELECT a.id,\n    a.j AS \"x y\"\n   FROM shop.a;", MADE "`a`.`id` AS `id`,`a`.`j` AS `x y` from (`shop`.`a` `a`)"},
    {" SELECT id,\n    n\n   FROM shop.a\n  WHERE (n > 1);", MADE "`a`.`id` AS `id`,`a`.`n` AS `n` from (`shop`.`a` `a`) where (`a`.`n` > 1)"}, /* PostgreSQL 16 and later */
    {" SELECT x.id,\n    (\"of b\".w + 1) AS w\n   FROM (shop.a x\n     LEFT JOIN shop.b \"of b\" ON ((x.id = \"of b\".id)));",
     MADE "`x`.`id` AS `id`,(`of b`.`w` + 1) AS `w` from ((`shop`.`a` `x` left join `shop`.`b` `of b` on((`x`.`id` = `of b`.`id`))))"},
    {" SELECT a.id,\n    b.w\n   FROM shop.a,\n    shop.b\n  WHERE ((a.k)::text = 'x'::text);",
     MADE "`a`.`id` AS `id`,`b`.`w` AS `w` from (`shop`.`a` `a`) join (`shop`.`b` `b`) where ((`a`.`k` COLLATE utf8mb4_0900_bin) = 'x')"},
    {" SELECT a.id,\n    (a.n > 1) AS large\n   FROM (shop.a\n     CROSS JOIN shop.b);", MADE "`a`.`id` AS `id`,(`a`.`n` > 1) AS `large` from ((`shop`.`a` `a` join `shop`.`b` `b`))"},
    {" SELECT a.id\n   FROM shop.a\n  WHERE (a.k > 'b'::text);", NULL},
    {" SELECT a.id\n   FROM shop.a\n  ORDER BY a.id;", NULL},
    {" SELECT a.n\n   FROM shop.a\n  GROUP BY a.n;", NULL},
    {" SELECT DISTINCT a.n\n   FROM shop.a;", NULL},
    {" SELECT a.n\n   FROM shop.a\n LIMIT 1;", NULL},
    {" SELECT a.n\n   FROM shop.a\nUNION\n SELECT b.id\n   FROM shop.b;", NULL},
    {" SELECT b.id\n   FROM (shop.a\n     RIGHT JOIN shop.b ON ((a.id = b.id)));", NULL},
    {" SELECT a.id\n   FROM (shop.a\n     JOIN shop.b USING (id));", NULL},
    {" SELECT w.id\n   FROM shop.w;", NULL},
    {" SELECT g.id\n   FROM generate_series(1, 2) g(id);", NULL},
    {" SELECT a.gone\n   FROM shop.a;", NULL},
    {" SELECT a.id\n   FROM ONLY shop.a;", NULL},
    {" SELECT a.id AS \"blank \"\n   FROM shop.a;", NULL},
    {" SELECT shop.id\n   FROM shop.a shop;", NULL}, /* an alias like a database */
    {" SELECT p.id\n   FROM shop.p;", NULL},        /* a column of it has no like at the destination */
    {" SELECT 1 AS one;", NULL},
    {"", NULL},
};

static void add_tables(fixture *f)
{
    (void)fixture_add(f, "shop", "a", "id int4 not null\nn int4\nk text\nj jsonb");
    (void)fixture_add(f, "shop", "b", "id int4 not null\nw int8");
    table_def *p = fixture_add(f, "shop", "p", "id int4 not null\ng text");
    p->columns[1].generated = p->columns[1].generated_stored = true;
    p->columns[1].generation_sql = STR("upper(id)");
    f->database = (database_def){.name = STR("shop"), .target_name = STR("shop"), .charset = STR("UTF8"), .collation = STR("C")};
    f->source.databases = &f->database;
    f->source.database_count = 1;
}

static void test_views(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture f = {0};
        err e = ERR_INIT;
        view_def v = {.schema = STR("shop"), .name = STR("v"), .target_schema = STR("shop"), .target_name = STR("v"), .create_sql = str_from_c(cases[i].sql)};
        add_tables(&f);
        f.source.views = &v;
        f.source.view_count = 1;
        if (!fixture_make(&f, &e)) fail_msg("%s: %s", cases[i].sql, e.text);
        const catalog_def *c = mapping_catalog(f.m);
        str made = c->view_count ? c->views[0].create_sql : STR("");
        if (!str_eq(made, str_from_c(cases[i].wanted ? cases[i].wanted : ""))) fail_msg("%s\nmade %.*s", cases[i].sql, STR_ARG(made));
        bool told = strstr(buf_c(&f.found), "the view is not carried") != NULL;
        if (told == (cases[i].wanted != NULL)) fail_msg("%s: %s", cases[i].sql, told ? "told" : "not told");
        fixture_finish(&f);
    }
}

/* Options of the view, and tables whose rows at the source are those of others too. */
static void test_what_text_does_not_say(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        fixture f = {0};
        err e = ERR_INIT;
        view_def v = {.schema = STR("shop"), .name = STR("v"), .target_schema = STR("shop"), .target_name = STR("v"), .create_sql = STR(" SELECT a.id\n   FROM shop.a;")};
        object_def o = {.kind = STR("view"), .schema = STR("shop"), .name = STR("v"), .source_sql = i == 1 ? STR("CREATE VIEW shop.v WITH (security_barrier=true) AS  SELECT a.id") : STR("CREATE VIEW shop.v AS  SELECT a.id")};
        add_tables(&f);
        if (i == 2) f.tables[1].create_sql = STR("INHERITS (shop.a)");
        f.source.views = &v;
        f.source.objects = &o;
        f.source.view_count = f.source.object_count = 1;
        if (!fixture_make(&f, &e)) fail_msg("%s", e.text);
        assert_int_equal(mapping_catalog(f.m)->view_count, i == 0);
        fixture_finish(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_views, start, finish),
        cmocka_unit_test_setup_teardown(test_what_text_does_not_say, start, finish),
    };
    return cmocka_run_group_tests_name("mapping_my_views", tests, NULL, NULL);
}
