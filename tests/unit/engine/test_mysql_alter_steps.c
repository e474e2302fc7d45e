/* Changes of columns as steps: their statements, and what a table's columns tell of a step that may have been done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/mysql/alter_steps.h"

static arena mem;

static int start(void **state)
{
    (void)state;
    arena_init(&mem, 4096, 0);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    arena_finish(&mem);
    return 0;
}

/* a and b change their names, c is dropped and made anew, d becomes wider. */
static table_alter all_changes(void)
{
    const column_alter changes[] = {
        {.kind = ALTER_DROP_COLUMN, .column = STR("c")},
        {.kind = ALTER_RENAME_COLUMN, .column = STR("a"), .new_name = STR("b")},
        {.kind = ALTER_RENAME_COLUMN, .column = STR("b"), .new_name = STR("a")},
        {.kind = ALTER_COLUMN_TYPE, .column = STR("d"), .type_sql = STR("bigint")},
        {.kind = ALTER_ADD_COLUMN, .column = STR("c"), .type_sql = STR("int"), .value_sql = STR("5"), .not_null = true},
        {.kind = ALTER_ADD_COLUMN, .column = STR("e:`\n"), .type_sql = STR("json"), .check_sql = STR("(1)"), .default_sql = STR("('-')")},
    };
    table_alter x = {.columns = arena_array(&mem, sizeof changes / sizeof changes[0], sizeof changes[0]), .count = sizeof changes / sizeof changes[0]};
    assert_non_null(x.columns);
    memcpy(x.columns, changes, sizeof changes);
    return x;
}

static ddl_table table_of(const char *columns)
{
    BUF_AUTO sql = BUF_INIT;
    ddl_table t;
    err e = ERR_INIT;
    buf_printf(&sql, "CREATE TABLE `t` (\n  %s\n) ENGINE=InnoDB", columns);
    if (!ddl_parse_table(arena_copy(&mem, buf_str(&sql)), &mem, &t, &e)) fail_msg("%s: %s", columns, e.text);
    return t;
}

static void test_statements(void **state)
{
    (void)state;
    static const struct {
        uint32_t step;
        const char *sql;
    } cases[] = {
        {ALTER_DROP_COLUMN, "DROP COLUMN `c`"},
        {ALTER_RENAME_COLUMN, "RENAME COLUMN `a` TO `b`, RENAME COLUMN `b` TO `a`"},
        {ALTER_COLUMN_TYPE, "MODIFY COLUMN `d` bigint NOT NULL DEFAULT 7 COMMENT 'it''s'"},
        {ALTER_ADD_COLUMN, "ADD COLUMN `c` int NOT NULL DEFAULT 5, ADD COLUMN `e:``\n` json NULL DEFAULT NULL CHECK (1)"},
        {ALTER_STEP_DEFAULTS, "MODIFY COLUMN `c` int NOT NULL, MODIFY COLUMN `e:``\n` json NULL DEFAULT ('-') CHECK (1)"},
    };
    const table_alter all = all_changes();
    ddl_table now = table_of("`d` int(11) NOT NULL DEFAULT 7 COMMENT 'it''s'");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        BUF_AUTO sql = BUF_INIT;
        err e = ERR_INIT;
        assert_true(alter_steps_sql(&all, cases[i].step, &now, &sql, &e));
        if (!str_eq(buf_str(&sql), str_from_c(cases[i].sql))) fail_msg("%.*s", STR_ARG(buf_str(&sql)));
    }
    BUF_AUTO sql = BUF_INIT;
    err e = ERR_INIT;
    now = table_of("`x` int(11)");
    assert_false(alter_steps_sql(&all, ALTER_COLUMN_TYPE, &now, &sql, &e));
    assert_int_equal(e.code, ERR_TARGET_CONFLICT);
}

static void test_what_columns_tell(void **state)
{
    (void)state;
    static const char before[] = "`a` int(11), `b` int(11), `c` int(11), `d` int(11)";
    static const struct {
        uint32_t step;
        const char *before, *now;
        bool done;
    } cases[] = {
        {ALTER_DROP_COLUMN, before, "`a` int(11), `b` int(11), `d` int(11)", true},
        {ALTER_DROP_COLUMN, before, before, false},
        {ALTER_DROP_COLUMN, before, "`a` int(11), `d` int(11)", false},
        {ALTER_RENAME_COLUMN, before, "`b` int(11), `a` int(11), `c` int(11), `d` int(11)", true},
        {ALTER_RENAME_COLUMN, before, "`b` int(11), `a` bigint(20), `c` int(11), `d` int(11)", false},
        {ALTER_COLUMN_TYPE, before, "`a` int(11), `b` int(11), `c` int(11), `d` bigint(20)", true},
        {ALTER_COLUMN_TYPE, before, before, false},
        {ALTER_COLUMN_TYPE, before, "`a` int(11), `b` int(11), `c` bigint(20), `d` bigint(20)", false},
        {ALTER_ADD_COLUMN, "`d` int(11)", "`d` int(11), `c` int(11), `e:``\n` longtext", true},
        {ALTER_ADD_COLUMN, "`d` int(11)", "`d` int(11), `c` int(11)", false},
        {ALTER_ADD_COLUMN, "`d` int(11)", "`d` int(11), `c` int(11), `e:``\n` longtext, `f` int(11)", false},
        {ALTER_STEP_DEFAULTS, before, before, true},
        {ALTER_STEP_DEFAULTS, before, "`a` int(11)", false},
    };
    const table_alter all = all_changes();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        BUF_AUTO text = BUF_INIT;
        ddl_table was = table_of(cases[i].before), now = table_of(cases[i].now);
        alter_steps_columns(&was, &text);
        if (alter_steps_is_done(&all, cases[i].step, buf_str(&text), &now, &mem) != cases[i].done) fail_msg("%u: %s, now %s", cases[i].step, cases[i].before, cases[i].now);
    }
}

/* A text cut anywhere is refused, or is that of fewer changes. */
static void test_texts(void **state)
{
    (void)state;
    BUF_AUTO text = BUF_INIT;
    err e = ERR_INIT;
    table_alter got;
    const table_alter all = all_changes();
    alter_steps_write(&all, &text);
    for (size_t n = 0; n <= text.n; n++) {
        str cut = arena_copy(&mem, str_sub(buf_str(&text), 0, n));
        if (!alter_steps_read(cut, &mem, &got, &e)) {
            assert_int_equal(e.code, ERR_CORRUPT);
            assert_true(n < text.n);
            continue;
        }
        BUF_AUTO again = BUF_INIT;
        alter_steps_write(&got, &again);
        assert_true(str_eq(buf_str(&again), cut));
        assert_true(got.count < all.count || n == text.n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_statements), cmocka_unit_test(test_what_columns_tell), cmocka_unit_test(test_texts)};
    return cmocka_run_group_tests(tests, start, finish);
}
