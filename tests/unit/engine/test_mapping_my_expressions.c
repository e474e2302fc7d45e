/* Checks, generated columns and defaults of PostgreSQL, as pg_get_expr prints them, in MySQL's SQL; what is not the same there is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mapping_my_fixture.h"

static const char columns[] = "i int4\nb int8\nn numeric(10,2)\ns text\nv varchar(20)\nc bpchar(5)\nd date\ne date\nt timestamp\nz timestamptz\nf bool\nr float8\nCase int4\nj jsonb";

static const struct {
    const char *sql;
    const char *wanted; /* NULL: refused */
    const char *type;   /* of a generated column; NULL: a check */
} cases[] = {
    {"((i > 0))", "(`i` > 0)", NULL},
    {"((n > ('-100'::integer)::numeric))", "(`n` > (-100))", NULL},
    {"((n >= 0.5) AND (i < b) OR (i IS NULL))", "(((`n` >= 0.5) AND (`i` < `b`)) OR (`i` IS NULL))", NULL},
    {"((NOT f))", "(NOT (`f` <> 0))", NULL},
    {"(f)", "(`f` <> 0)", NULL},
    {"((f IS TRUE))", "((`f` <> 0) IS TRUE)", NULL},
    {"(((v)::text = ANY ((ARRAY['a'::character varying, 'it''s \\'::character varying])::text[])))", "((`v` COLLATE utf8mb4_0900_bin) IN ('a','it''s \\\\'))", NULL},
    {"((i <> ALL (ARRAY[1, 2])))", "(`i` NOT IN (1,2))", NULL},
    {"((s <> ''::text))", "((`s` COLLATE utf8mb4_0900_bin) <> '')", NULL},
    {"((s = (v)::text))", "((`s` COLLATE utf8mb4_0900_bin) = (`v` COLLATE utf8mb4_0900_bin))", NULL},
    {"((length(s) <= 10))", "(char_length(`s`) <= 10)", NULL},
    {"(((d <= e) AND (d >= '2000-01-01'::date)))", "((`d` <= `e`) AND (`d` >= DATE'2000-01-01'))", NULL},
    {"((i IS DISTINCT FROM 5))", "(NOT (`i` <=> 5))", NULL},
    {"((COALESCE(i, 0) % 2) = 0)", "((coalesce(`i`,0) % 2) = 0)", NULL},
    {"((\"Case\" / 2) > 1)", "((`Case` DIV 2) > 1)", NULL},
    {"((i > 0)) NO INHERIT", "(`i` > 0)", NULL},
    {"((i > 0)) NOT VALID", NULL, NULL},
    {"((s > 'a'::text))", NULL, NULL},
    {"((s ~ '^a'::text))", NULL, NULL},
    {"((s ~~ 'a%'::text))", NULL, NULL},
    {"((lower(s) = s))", NULL, NULL},
    {"((c = 'a'::bpchar))", NULL, NULL},
    {"((t < z))", NULL, NULL},
    {"((n / 2.0) > 1.0)", NULL, NULL},
    {"((r > (0)::double precision))", NULL, NULL},
    {"((i = 1.5::integer))", NULL, NULL},
    {"((j IS NOT NULL))", NULL, NULL},
    {"((gone > 1))", NULL, NULL},
    {"((i > 0)", NULL, NULL},
    {"(i)", NULL, NULL},
    {"(((i + 1) * b))", "((`i` + 1) * `b`)", "int8"},
    {"((n * (i)::numeric))", "(`n` * `i`)", "numeric(20,2)"},
    {"((s || '-'::text) || (v)::text)", "concat(concat(`s`,'-'),`v`)", "text"},
    {"(i > 0)", NULL, "bool"},
    {"(n)", NULL, "int4"},
    {"upper(s)", NULL, "text"},
};

static void test_expressions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture f = {0};
        err e = ERR_INIT;
        str all = cases[i].type ? arena_printf(&mem, "%s\ng %s", columns, cases[i].type) : str_from_c(columns);
        table_def *s = fixture_add(&f, "shop", "t", all.p);
        check_def check = {.name = STR("k"), .condition_sql = str_from_c(cases[i].sql)};
        column_def *g = &s->columns[s->column_count - 1];
        if (cases[i].type) {
            g->generated = g->generated_stored = true;
            g->generation_sql = check.condition_sql;
        } else {
            s->checks = &check;
            s->check_count = 1;
        }
        if (!fixture_make(&f, &e)) fail_msg("%s: %s", cases[i].sql, e.text);
        const table_def *t = fixture_target(&f, 0);
        const column_def *made = &t->columns[t->column_count - 1];
        str got = cases[i].type ? (made->generated ? made->generation_sql : STR_NULL) : t->check_count ? t->checks[0].condition_sql : STR_NULL;
        str wanted = !cases[i].wanted ? STR_NULL : cases[i].type ? str_from_c(cases[i].wanted) : arena_printf(&mem, "(%s)", cases[i].wanted);
        if (!str_eq(str_or_empty(got), str_or_empty(wanted))) fail_msg("%s: %.*s", cases[i].sql, STR_ARG(str_or_empty(got)));
        if (!got.p && !strstr(buf_c(&f.found), "not carried")) fail_msg("%s: not told", cases[i].sql);
        fixture_finish(&f);
    }
}

/* Names of checks are the database's; a column that a foreign key's action changes has none; AUTO_INCREMENT neither. */
static void test_names_and_keys(void **state)
{
    (void)state;
    fixture f = {0};
    err e = ERR_INIT;
    check_def one = {.name = STR("positive"), .condition_sql = STR("((i > 0))")}, two[] = {one, {.name = STR("p"), .condition_sql = STR("((p > 0))")}};
    table_def *parent = fixture_add(&f, "shop", "a", "i int4 not null"), *child = fixture_add(&f, "shop", "b", "i int4\np int4");
    uint32_t at = 1;
    str id = STR("i");
    foreign_key_def fk = {.name = STR("f"), .columns = &at, .count = 1, .parent_schema = STR("shop"), .parent_table = STR("a"), .parent_columns = &id, .on_delete = STR("SET NULL"),
                          .on_update = STR("NO ACTION")};
    (void)fixture_add_key(parent, "a_pkey", true, true, 1, 0, 0);
    parent->checks = &one;
    parent->check_count = 1;
    child->checks = two;
    child->check_count = 2;
    child->foreign_keys = &fk;
    child->foreign_key_count = 1;
    if (!fixture_make(&f, &e)) fail_msg("%s", e.text);
    assert_int_equal(fixture_target(&f, 0)->check_count, 1);
    assert_int_equal(fixture_target(&f, 1)->check_count, 1);
    assert_true(str_eq(fixture_target(&f, 1)->checks[0].name, STR("b_positive_1")));
    assert_non_null(strstr(buf_c(&f.found), " p the check is not carried"));
    fixture_finish(&f);
}

/* A default that is an expression without columns. */
static void test_defaults(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *wanted;
    } defaults[] = {{"(1 + 2)", "((1 + 2))"}, {"('a'::text || 'b'::text)", "(concat('a','b'))"}, {"length('abc'::text)", "(char_length('abc'))"}, {"md5('a'::text)", NULL}, {"(random() * (2)::double precision)", NULL}};
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        fixture f = {0};
        err e = ERR_INIT;
        table_def *t = fixture_add(&f, "shop", "a", i == 1 ? "c text" : "c int8");
        t->columns[0].default_sql = str_from_c(defaults[i].sql);
        if (!fixture_make(&f, &e)) fail_msg("%s", e.text);
        str got = str_or_empty(fixture_target(&f, 0)->columns[0].default_sql);
        if (!str_eq(got, str_from_c(defaults[i].wanted ? defaults[i].wanted : ""))) fail_msg("%s: %.*s", defaults[i].sql, STR_ARG(got));
        fixture_finish(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_expressions, start, finish),
        cmocka_unit_test_setup_teardown(test_names_and_keys, start, finish),
        cmocka_unit_test_setup_teardown(test_defaults, start, finish),
    };
    return cmocka_run_group_tests_name("mapping_my_expressions", tests, NULL, NULL);
}
