/* Views of MySQL and MariaDB, as SHOW CREATE VIEW writes them, in PostgreSQL's SQL; what is not known to give the same rows is refused and told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mapping_fixture.h"

static const char a_table[] = "CREATE TABLE `a` (`id` int NOT NULL, `n` int, `u` int unsigned, `k` varchar(9) COLLATE utf8mb4_0900_bin, `t` varchar(9), `d` date, `z` timestamp NULL, `j` json, "
                              "PRIMARY KEY (`id`)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";
static const char b_table[] = "CREATE TABLE `b` (`id` int NOT NULL, `w` bigint, PRIMARY KEY (`id`)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4";

#define VIEW "CREATE ALGORITHM=UNDEFINED DEFINER=`r`@`%` SQL SECURITY DEFINER VIEW `shop`.`v` AS select "
#define MADE "CREATE VIEW \"shop\".\"v\" WITH (security_invoker = true) AS SELECT "

static const struct {
    const char *sql, *wanted; /* NULL: refused */
} cases[] = {
    {VIEW "`shop`.`a`.`id` AS `id`,`shop`.`a`.`j` AS `x \"y` from `shop`.`a`", MADE "\"a\".\"id\" AS \"id\", \"a\".\"j\" AS \"x \"\"y\" FROM \"shop\".\"a\" AS \"a\""},
    {VIEW "`x`.`id` AS `id` from `shop`.`a` `x` where ((`x`.`n` > 1) and (`x`.`k` = _utf8mb4'b'))",
     MADE "\"x\".\"id\" AS \"id\" FROM \"shop\".\"a\" AS \"x\" WHERE ((\"x\".\"n\"::bigint > 1::bigint) AND (\"x\".\"k\"::text = 'b'::text))"},
    {VIEW "`shop`.`a`.`id` AS `id`,(`b`.`w` + 1) AS `w` from (`shop`.`a` left join `shop`.`b` on((`shop`.`a`.`id` = `b`.`id`)))",
     MADE "\"a\".\"id\" AS \"id\", (\"b\".\"w\"::bigint + 1::bigint) AS \"w\" FROM (\"shop\".\"a\" AS \"a\" LEFT JOIN \"shop\".\"b\" AS \"b\" ON (\"a\".\"id\"::bigint = \"b\".\"id\"::bigint))"},
    {VIEW "`a`.`id` AS `id` from (`shop`.`a` join `shop`.`b`)", MADE "\"a\".\"id\" AS \"id\" FROM (\"shop\".\"a\" AS \"a\" CROSS JOIN \"shop\".\"b\" AS \"b\")"},
    {VIEW "`a`.`id` AS `id` from `shop`.`a` where (`a`.`d` >= DATE'2020-02-29')", MADE "\"a\".\"id\" AS \"id\" FROM \"shop\".\"a\" AS \"a\" WHERE (\"a\".\"d\" >= '2020-02-29'::date)"},
    {VIEW "`a`.`id` AS `id` from `shop`.`a` where (`a`.`d` between '2020-01-01' and '2020-02-29')",
     MADE "\"a\".\"id\" AS \"id\" FROM \"shop\".\"a\" AS \"a\" WHERE (\"a\".\"d\" BETWEEN '2020-01-01'::date AND '2020-02-29'::date)"},
    {"CREATE ALGORITHM=MERGE VIEW `v` (`p`,`q`) AS select `a`.`id` AS `id`,7 AS `7` from `shop`.`a`",
     "CREATE VIEW \"shop\".\"v\" (\"p\", \"q\") WITH (security_invoker = true) AS SELECT \"a\".\"id\" AS \"id\", 7::bigint AS \"7\" FROM \"shop\".\"a\" AS \"a\""},
    {VIEW "`a`.`id` AS `id` from `shop`.`a` where (`a`.`t` = 'b')", NULL},          /* a collation */
    {VIEW "`a`.`id` AS `id` from `shop`.`a` where (`a`.`k` > 'b')", NULL},
    {VIEW "`a`.`id` AS `id` from `shop`.`a` where (`a`.`d` >= '2020-02-30')", NULL}, /* no day */
    {VIEW "`a`.`id` AS `id` from `shop`.`a` where (`a`.`z` > '2020-02-03')", NULL},  /* the session's zone */
    {VIEW "(`a`.`u` - 1) AS `x` from `shop`.`a`", NULL},                            /* an error below 0 */
    {VIEW "(`a`.`n` / 2) AS `x` from `shop`.`a`", NULL},
    {VIEW "distinct `a`.`n` AS `n` from `shop`.`a`", NULL},
    {VIEW "`a`.`n` AS `n` from `shop`.`a` group by `a`.`n`", NULL},
    {VIEW "`a`.`n` AS `n` from `shop`.`a` order by `a`.`n`", NULL},
    {VIEW "`a`.`n` AS `n` from `shop`.`a` limit 1", NULL},
    {VIEW "`a`.`n` AS `n` from `shop`.`a` where (`a`.`n` > 1) WITH CASCADED CHECK OPTION", NULL},
    {VIEW "`a`.`n` AS `n` from `shop`.`a` union select `b`.`id` AS `id` from `shop`.`b`", NULL},
    {VIEW "`w`.`n` AS `n` from `shop`.`w`", NULL},                                  /* a view */
    {VIEW "`a`.`gone` AS `n` from `shop`.`a`", NULL},
    {VIEW "`a`.`n` AS `n`,`b`.`id` AS `id` from (`shop`.`a` right join `shop`.`b` on(`a`.`id` = `b`.`id`))", NULL},
    {VIEW "1 AS `1`", NULL},
    {VIEW "`a`.`n` AS `n` from (`shop`.`a`", NULL},
    {"", NULL},
};

static void test_views(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture f = {0};
        err e = ERR_INIT;
        view_def v = {.schema = STR("shop"), .name = STR("v"), .target_schema = STR("shop"), .target_name = STR("v"), .create_sql = str_from_c(cases[i].sql)};
        fixture_add(&f, "shop", "a", a_table);
        fixture_add(&f, "shop", "b", b_table);
        f.source.views = &v;
        f.source.view_count = 1;
        if (!fixture_make(&f, &e)) fail_msg("%s: %s", cases[i].sql, e.text);
        const catalog_def *c = mapping_catalog(f.m);
        str made = c->object_count ? c->objects[c->object_count - 1].create_sql : STR("");
        if (!str_eq(made, str_from_c(cases[i].wanted ? cases[i].wanted : ""))) fail_msg("%s\nmade %.*s", cases[i].sql, STR_ARG(made));
        assert_int_equal(c->view_count, cases[i].wanted != NULL);
        bool told = f.found.n && strstr(buf_c(&f.found), "the view is not carried");
        if (told == (cases[i].wanted != NULL)) fail_msg("%s: %s", cases[i].sql, told ? "told" : "not told");
        fixture_finish(&f);
    }
}

/* Where PostgreSQL has another meaning of a choice, or an older version. */
static void test_choices(void **state)
{
    (void)state;
    static const char *const null_days[] = {"T15", "null", NULL};
    for (int days = 0; days <= 1; days++) {
        fixture f = {0};
        err e = ERR_INIT;
        view_def v = {.schema = STR("shop"), .name = STR("v"), .target_schema = STR("shop"), .target_name = STR("v"),
                      .create_sql = STR(VIEW "`a`.`d` AS `d` from `shop`.`a` where (`a`.`d` < '2020-01-01')")};
        f.choices = days ? null_days : NULL;
        f.options.target_version = 140000;
        fixture_add(&f, "shop", "a", a_table);
        f.source.views = &v;
        f.source.view_count = 1;
        if (!fixture_make(&f, &e)) fail_msg("%s", e.text);
        const catalog_def *c = mapping_catalog(f.m);
        assert_int_equal(c->view_count, !days); /* the day 0 is before that day, NULL is not */
        if (!days) assert_true(str_starts_with(c->views[0].create_sql, STR("CREATE VIEW \"shop\".\"v\" AS SELECT")));
        fixture_finish(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_views, start, finish),
        cmocka_unit_test_setup_teardown(test_choices, start, finish),
    };
    return cmocka_run_group_tests_name("mapping_views", tests, NULL, NULL);
}
