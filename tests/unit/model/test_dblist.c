/* The object list: what is selected, under which names; every refusal with its path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "model/dblist.h"

static dblist *parse(arena *a, const char *json)
{
    err e = ERR_INIT;
    dblist *l = NULL;
    if (!dblist_parse(str_from_c(json), a, &l, &e)) fail_msg("%s\nin %s", e.text, json);
    return l;
}

static void assert_str(str s, const char *expected)
{
    if (!str_eq(s, str_from_c(expected))) fail_msg("'%.*s' is not '%s'", STR_ARG(s), expected);
}

static const struct {
    const char *json;
    err_code code;
    const char *text; /* must occur in the message */
} bad[] = {
    {"", ERR_BAD_INPUT, "not valid JSON"},
    {"{", ERR_BAD_INPUT, "not valid JSON"},
    {"{} x", ERR_BAD_INPUT, "not valid JSON"},
    {"[]", ERR_BAD_INPUT, "DbList must be a JSON object"},
    {"3", ERR_BAD_INPUT, "DbList must be a JSON object"},
    {"{}", ERR_BAD_INPUT, "DbList selects nothing"},
    {"{\"a\":{},\"a\":{}}", ERR_BAD_INPUT, "duplicate object key"},
    {"{\"a\":{\"name\":\"b\",\"name\":\"c\"}}", ERR_BAD_INPUT, "duplicate object key"},
    {"{\"a\":1}", ERR_BAD_INPUT, "DbList.a must be an object"},
    {"{\"a\":{\"name\":1}}", ERR_BAD_INPUT, "DbList.a.name must be a string"},
    {"{\"a\":{\"name\":\"\"}}", ERR_BAD_INPUT, "DbList.a.name is an empty name"},
    {"{\"\":{}}", ERR_BAD_INPUT, "is an empty name"},
    {"{\"a\":{\"name\":\"b \"}}", ERR_BAD_INPUT, "ends with a space"},
    {"{\"a\":{\"name\":\"b\\u0000c\"}}", ERR_BAD_INPUT, "not valid JSON"},
    {"{\"a\":{\"name\":\"0123456789012345678901234567890123456789012345678901234567890123x\"}}", ERR_LIMIT, "DbList.a.name is a name of more than 64"},
    {"{\"0123456789012345678901234567890123456789012345678901234567890123x\":{}}", ERR_LIMIT, "more than 64"},
    {"{\"a\":{\"all\":1}}", ERR_BAD_INPUT, "DbList.a.all must be true or false"},
    {"{\"a\":{\"all\":\"maybe\"}}", ERR_BAD_INPUT, "DbList.a.all must be true or false"},
    {"{\"a\":{\"all\":false}}", ERR_BAD_INPUT, "DbList.a selects nothing"},
    {"{\"a\":{\"all\":false,\"Table\":{}}}", ERR_BAD_INPUT, "DbList.a selects nothing"},
    {"{\"a\":{\"table\":{\"t\":{}}}}", ERR_BAD_INPUT, "DbList.a.table is not a key of the object list: write Table"},
    {"{\"a\":{\"Table\":[]},\"b\":{\"Table\":[1]}}", ERR_BAD_INPUT, "DbList.b.Table must be an object"},
    {"{\"a\":{\"Table\":{\"t\":\"x\"}}}", ERR_BAD_INPUT, "DbList.a.Table.t must be an object"},
    {"{\"a\":{\"Table\":{\"t\":{\"all\":false}}}}", ERR_BAD_INPUT, "DbList.a.Table.t selects nothing"},
    {"{\"a\":{\"Table\":{\"t\":{\"filter\":{\"x\":1}}}}}", ERR_BAD_INPUT, "DbList.a.Table.t.filter must be a string"},
    {"{\"a\":{\"filter\":\"id > 1\"}}", ERR_BAD_INPUT, "DbList.a.filter belongs to a table"},
    {"{\"a\":{\"column\":{\"c\":{}}}}", ERR_BAD_INPUT, "DbList.a.column belongs to a table"},
    {"{\"a\":{\"Table\":{\"t\":{\"column\":[\"c\"]}}}}", ERR_BAD_INPUT, "DbList.a.Table.t.column must be an object"},
    {"{\"a\":{\"Table\":{\"t\":{\"column\":{\"c\":\"d\"}}}}}", ERR_BAD_INPUT, "DbList.a.Table.t.column.c must be an object"},
    {"{\"a\":{\"Table\":{\"t\":{\"column\":{\"c\":{\"filter\":\"c>1\"}}}}}}", ERR_BAD_INPUT, "DbList.a.Table.t.column.c.filter belongs"},
    {"{\"a\":{\"View\":{\"v\":{\"filter\":\"c>1\"}}}}", ERR_BAD_INPUT, "DbList.a.View.v.filter is not possible"},
    {"{\"a\":{\"View\":{\"v\":{\"column\":{\"c\":{}}}}}}", ERR_BAD_INPUT, "DbList.a.View.v.column is not possible"},
    {"{\"a\":{\"View\":{\"v\":{\"all\":false}}}}", ERR_BAD_INPUT, "DbList.a.View.v.all is false"},
    {"{\"a\":{\"dml_op\":\"i,u\"}}", ERR_NOT_SUPPORTED, "DbList.a.dml_op"},
    {"{\"a\":{\"dml_op\":\"i,u,d,x\"}}", ERR_NOT_SUPPORTED, "DbList.a.dml_op"},
    {"{\"a\":{\"dml_op\":3}}", ERR_BAD_INPUT, "DbList.a.dml_op must be a string"},
    {"{\"a\":{\"ddl_op\":\"al\"}}", ERR_NOT_SUPPORTED, "DbList.a.ddl_op"},
    {"{\"a\":{\"Table\":{\"t\":{\"dml_op\":\"d\"}}}}", ERR_NOT_SUPPORTED, "DbList.a.Table.t.dml_op"},
    {"{\"a\":{\"patternType\":\"REGEX\"}}", ERR_NOT_SUPPORTED, "DbList.a.patternType"},
    {"{\"a\":{\"filterType\":\"BLACK\"}}", ERR_NOT_SUPPORTED, "DbList.a.filterType"},
    {"{\"a\":{\"Table\":{\"t\":{\"attachColumn\":{\"x\":1}}}}}", ERR_NOT_SUPPORTED, "DbList.a.Table.t.attachColumn"},
    {"{\"a\":{\"Procedure\":{\"p\":{}}}}", ERR_NOT_SUPPORTED, "DbList.a.Procedure"},
    {"{\"a\":{\"Table\":{\"t\":{\"name\":\"x\"},\"u\":{\"name\":\"x\"}}}}", ERR_BAD_INPUT, "both a.t and a.u to a.x"},
    {"{\"a\":{\"Table\":{\"x\":{}},\"View\":{\"v\":{\"name\":\"x\"}}}}", ERR_BAD_INPUT, "both a.x and a.v to a.x"},
    {"{\"a\":{\"name\":\"z\",\"Table\":{\"t\":{}}},\"b\":{\"name\":\"z\",\"Table\":{\"t\":{}}}}", ERR_BAD_INPUT, "both a.t and b.t to z.t"},
};

static void refusals_name_their_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        arena a;
        arena_init(&a, 1024, 0);
        err e = ERR_INIT;
        dblist *l;
        if (dblist_parse(str_from_c(bad[i].json), &a, &l, &e)) fail_msg("accepted: %s", bad[i].json);
        if (e.code != bad[i].code) fail_msg("code %s for %s: %s", err_name(e.code), bad[i].json, e.text);
        if (!strstr(e.text, bad[i].text)) fail_msg("'%s' is not in '%s' for %s", bad[i].text, e.text, bad[i].json);
        arena_finish(&a);
    }
}

static const char shop[] =
    "{ \"shop\": { \"name\":\"store\", \"all\":false, \"dml_op\":\"i,u,d\", \"ddl_op\":\"\", \"state\":\"normal\", \"unknown\":[1e3],"
    "    \"Table\": { \"orders\": { \"name\":\"orders_new\", \"all\":false, \"filter\":\" id>10 \", \"column\": {\"id\":{\"name\":\"nr\"}, \"Price\":{} } },"
    "                 \"items\": { \"all\":true, \"column\": {\"id\":{\"name\":\"item_id\"}} }, \"plain\":{\"name\":null} },"
    "    \"View\": { \"v1\": {\"name\":\"v1_new\"} }, \"Function\": {} },"
    "  \"db2\": {\"filterType\":\"WHITE\",\"patternType\":\"BARE_NAME\"},"
    "  \"db3\": {\"all\":\"TRUE\", \"Table\": {\"t\": {\"name\":\"t_new\"}}} }";

static void databases_and_tables_match(void **state)
{
    (void)state;
    arena a;
    arena_init(&a, 1024, 0);
    dblist *l = parse(&a, shop);
    const str *names;
    assert_int_equal(dblist_databases(l, &names), 3);
    assert_str(names[0], "shop");
    assert_str(names[1], "db2");
    assert_str(names[2], "db3");
    assert_true(dblist_has_database(l, STR("db2")));
    assert_false(dblist_has_database(l, STR("DB2")));
    assert_false(dblist_has_database(l, STR("")));
    assert_str(dblist_target_database(l, STR("shop")), "store");
    assert_false(dblist_whole_database(l, STR("shop")));
    assert_true(dblist_whole_database(l, STR("db2")));
    assert_true(dblist_whole_database(l, STR("db3")));
    assert_int_equal(dblist_tables(l, STR("shop"), &names), 3);
    assert_str(names[0], "orders");
    assert_str(names[2], "plain");
    assert_int_equal(dblist_tables(l, STR("db3"), &names), 0);
    assert_int_equal(dblist_tables(l, STR("none"), &names), 0);

    dblist_match m = dblist_match_table(l, STR("shop"), STR("orders"));
    assert_true(m.selected);
    assert_str(m.target_schema, "store");
    assert_str(m.target_name, "orders_new");
    assert_str(m.filter_sql, "id>10");
    assert_false(dblist_match_table(l, STR("shop"), STR("other")).selected);
    assert_false(dblist_match_table(l, STR("shop"), STR("v1")).selected);
    assert_false(dblist_match_view(l, STR("shop"), STR("orders")).selected);
    assert_str(dblist_match_view(l, STR("shop"), STR("v1")).target_name, "v1_new");
    m = dblist_match_table(l, STR("db3"), STR("t"));
    assert_str(m.target_name, "t_new");
    assert_null(m.filter_sql.p);
    assert_str(dblist_match_table(l, STR("db3"), STR("any")).target_name, "any");
    assert_true(dblist_match_view(l, STR("db2"), STR("any")).selected);
    assert_false(dblist_match_table(l, STR("none"), STR("any")).selected);
    arena_finish(&a);
}

/* A table with the columns id, price, note. */
static table_def make_table(column_def columns[3], const char *schema, const char *name)
{
    memset(columns, 0, 3 * sizeof *columns);
    columns[0].name = STR("id");
    columns[1].name = STR("price");
    columns[2].name = STR("note");
    return (table_def){.schema = str_from_c(schema), .name = str_from_c(name), .columns = columns, .column_count = 3};
}

static void columns_are_selected_and_renamed(void **state)
{
    (void)state;
    arena a;
    arena_init(&a, 1024, 0);
    dblist *l = parse(&a, shop);
    column_def c[3];
    err e = ERR_INIT;
    table_def t = make_table(c, "shop", "orders");
    assert_true(dblist_apply_to_table(l, &t, &a, &e));
    assert_str(t.target_schema, "store");
    assert_str(t.target_name, "orders_new");
    assert_str(t.filter_sql, "id>10");
    assert_true(c[0].selected && c[1].selected && !c[2].selected);
    assert_str(c[0].target_name, "nr");
    assert_str(c[1].target_name, "Price");
    assert_str(c[2].target_name, "note");

    t = make_table(c, "shop", "items");
    assert_true(dblist_apply_to_table(l, &t, &a, &e));
    assert_true(c[0].selected && c[1].selected && c[2].selected);
    assert_str(c[0].target_name, "item_id");
    assert_null(t.filter_sql.p);

    t = make_table(c, "db2", "anything");
    assert_true(dblist_apply_to_table(l, &t, &a, &e));
    assert_true(c[2].selected);
    t = make_table(c, "db9", "anything");
    assert_false(dblist_apply_to_table(l, &t, &a, &e));
    assert_int_equal(e.code, ERR_BAD_INPUT);
    arena_finish(&a);
}

static void bad_columns_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *columns, *text;
    } cases[] = {
        {"{\"nothere\":{}}", "DbList.d.Table.t.column.nothere: the table has no such column"},
        {"{\"id\":{},\"ID\":{}}", "DbList.d.Table.t.column.ID: the column is listed twice"},
        {"{\"id\":{\"name\":\"Price\"},\"price\":{}}", "would both be written to price"},
        {"{\"id\":{\"name\":\"x\"},\"note\":{\"name\":\"X\"}}", "columns id and note would both be written to X"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena a;
        arena_init(&a, 1024, 0);
        str json = arena_printf(&a, "{\"d\":{\"Table\":{\"t\":{\"column\":%s}}}}", cases[i].columns);
        dblist *l = parse(&a, json.p);
        column_def c[3];
        table_def t = make_table(c, "d", "t");
        err e = ERR_INIT;
        assert_false(dblist_apply_to_table(l, &t, &a, &e));
        if (!strstr(e.text, cases[i].text)) fail_msg("'%s' is not in '%s'", cases[i].text, e.text);
        arena_finish(&a);
    }
    /* A rename onto an unlisted column that stays: refused. Onto one that is not selected: fine. */
    arena a;
    arena_init(&a, 1024, 0);
    column_def c[3];
    table_def t = make_table(c, "d", "t");
    err e = ERR_INIT;
    dblist *all = parse(&a, "{\"d\":{\"Table\":{\"t\":{\"all\":true,\"column\":{\"id\":{\"name\":\"note\"}}}}}}");
    assert_false(dblist_apply_to_table(all, &t, &a, &e));
    dblist *some = parse(&a, "{\"d\":{\"Table\":{\"t\":{\"column\":{\"id\":{\"name\":\"note\"}}}}}}");
    assert_true(dblist_apply_to_table(some, &t, &a, &e));
    arena_finish(&a);
}

static void limits_hold(void **state)
{
    (void)state;
    arena a;
    arena_init(&a, 1024, 0);
    err e = ERR_INIT;
    dblist *l;
    BUF_AUTO b = BUF_INIT;
    buf_add_c(&b, "{\"a\":{\"unknown\":");
    for (int i = 0; i < DBLIST_MAX_DEPTH - 2; i++) buf_add_byte(&b, '[');
    for (int i = 0; i < DBLIST_MAX_DEPTH - 2; i++) buf_add_byte(&b, ']');
    buf_add_c(&b, ",\"text\":\"[[[[[[[[\\\"[[\"}}");
    assert_true(dblist_parse(buf_str(&b), &a, &l, &e));
    buf_reset(&b);
    for (int i = 0; i < 100000; i++) buf_add_byte(&b, '[');
    assert_false(dblist_parse(buf_str(&b), &a, &l, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    buf_reset(&b);
    buf_add_c(&b, "{\"a\":{}");
    while (b.n < DBLIST_MAX_BYTES) buf_add_byte(&b, ' ');
    buf_add_c(&b, "}");
    assert_false(dblist_parse(buf_str(&b), &a, &l, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    buf_reset(&b);
    buf_add_c(&b, "{\"a\":{\"Table\":{\"t\":{\"filter\":\"");
    for (int i = 0; i <= 64 * 1024; i++) buf_add_byte(&b, 'x');
    buf_add_c(&b, "\"}}}}");
    assert_false(dblist_parse(buf_str(&b), &a, &l, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    buf_reset(&b); /* 64 characters of four bytes are within the limit */
    buf_add_c(&b, "{\"a\":{\"name\":\"");
    for (int i = 0; i < DBLIST_MAX_NAME_CHARS; i++) buf_add_c(&b, "\xf0\x9f\x98\x80");
    buf_add_c(&b, "\"}}");
    assert_true(dblist_parse(buf_str(&b), &a, &l, &e));
    /* No memory is an error like any other. */
    arena small;
    arena_init(&small, 256, 256);
    assert_false(dblist_parse(str_from_c(shop), &small, &l, &e));
    assert_int_equal(e.code, ERR_NO_MEMORY);
    arena_finish(&small);
    arena_finish(&a);
}

static void many_tables_are_found(void **state)
{
    (void)state;
    arena a;
    arena_init(&a, 64 * 1024, 0);
    BUF_AUTO b = BUF_INIT;
    buf_add_c(&b, "{\"d\":{\"all\":false,\"Table\":{");
    for (int i = 0; i < 5000; i++) buf_printf(&b, "%s\"t%d\":{\"name\":\"n%d\"}", i ? "," : "", i * 7919 % 5000, i);
    buf_add_c(&b, "}}}");
    dblist *l = parse(&a, buf_c(&b));
    for (int i = 0; i < 5000; i++) {
        str name = arena_printf(&a, "t%d", i * 7919 % 5000), target = arena_printf(&a, "n%d", i);
        assert_str(dblist_match_table(l, STR("d"), name).target_name, target.p);
    }
    assert_false(dblist_match_table(l, STR("d"), STR("t5000")).selected);
    arena_finish(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusals_name_their_path), cmocka_unit_test(databases_and_tables_match),
        cmocka_unit_test(columns_are_selected_and_renamed), cmocka_unit_test(bad_columns_are_refused),
        cmocka_unit_test(limits_hold), cmocka_unit_test(many_tables_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
