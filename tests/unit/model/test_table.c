/* What is asked of a catalog as a whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/table.h"

static void assert_str(str s, const char *expected)
{
    if (!str_eq(s, str_from_c(expected))) fail_msg("'%.*s' is not '%s'", STR_ARG(s), expected);
}

static void test_rights_are_left_out(void **state)
{
    (void)state;
    str boss = STR("boss"), both[] = {STR("boss"), STR("clerk")};
    database_def databases[] = {{.name = STR("a")}, {.name = STR("b")}, {.name = STR("none")}};
    object_def objects[] = {
        {.kind = STR("view"), .schema = STR("a"), .name = STR("v"), .create_sql = STR("CREATE VIEW"), .source_sql = STR("CREATE VIEW")},
        {.kind = STR("owner of table"), .schema = STR("a"), .name = STR("t"), .rights = true, .create_sql = STR("ALTER t"), .source_sql = STR("ALTER t"), .roles = &boss, .role_count = 1},
        {.kind = STR("privileges on table"), .schema = STR("a"), .name = STR("t"), .rights = true, .create_sql = STR("GRANT"), .source_sql = STR("GRANT"), .roles = both, .role_count = 2},
        {.kind = STR("owner of view"), .schema = STR("a"), .name = STR("v"), .rights = true, .create_sql = STR("ALTER v"), .source_sql = STR("ALTER v"), .roles = &boss, .role_count = 1},
        {.kind = STR("default privileges"), .schema = STR("b"), .name = STR("boss TABLES"), .rights = true, .source_sql = STR("DEFAULT"), .roles = both, .role_count = 2},
    };
    catalog_def c = {.databases = databases, .database_count = 3, .objects = objects, .object_count = 5};
    arena mem;
    err e = ERR_INIT;
    arena_init(&mem, 4096, 0);
    assert_true(catalog_leave_out_rights(&c, &mem, &e));
    static const struct {
        const char *kind, *schema, *source;
        uint32_t roles;
    } wanted[] = {{"view", "a", "CREATE VIEW", 0}, {"owners", "a", "ALTER t;\nALTER v;", 1}, {"privileges", "a", "GRANT;", 2}, {"privileges", "b", "DEFAULT;", 2}};
    assert_int_equal(c.object_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_str(c.objects[i].kind, wanted[i].kind);
        assert_str(c.objects[i].schema, wanted[i].schema);
        assert_str(c.objects[i].source_sql, wanted[i].source);
        assert_int_equal(c.objects[i].role_count, wanted[i].roles);
        assert_int_equal(c.objects[i].create_sql.p != NULL, i == 0);
        assert_int_equal(c.objects[i].obstacle.p != NULL, i > 0);
    }
    assert_str(str_sub(c.objects[1].obstacle, 0, 22), "the owner of 2 objects");
    arena_finish(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rights_are_left_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
