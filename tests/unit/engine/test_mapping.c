/* The mapping between families: choices of the user, plans over rows and changes, errors of values, like families. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/mapping/mapping_plan.h"

static arena mem;

static column_def columns[3];
static uint32_t key_columns[] = {0};
static key_def keys[1];
static table_def table, target_table;

static int start(void **state)
{
    (void)state;
    arena_init(&mem, 4096, 0);
    columns[0] = (column_def){.name = STR("id"), .selected = true};
    columns[1] = (column_def){.name = STR("d"), .selected = true};
    columns[2] = (column_def){.name = STR("x"), .selected = true};
    keys[0] = (key_def){.name = STR("PRIMARY"), .primary = true, .unique = true, .columns = key_columns, .count = 1};
    table = (table_def){.schema = STR("shop"), .name = STR("t"), .columns = columns, .column_count = 3, .keys = keys, .key_count = 1};
    target_table = (table_def){.sql = SQL_POSTGRESQL, .schema = STR("s"), .name = STR("t2")};
    return 0;
}

static int finish(void **state)
{
    (void)state;
    arena_finish(&mem);
    return 0;
}

/* ---- choices ---- */

/* Pairs of key and value, ended by a NULL key. */
static str choice_of(void *ctx, str key)
{
    for (const char *const *p = ctx; *p; p += 2)
        if (str_eq(key, str_from_c(p[0]))) return str_from_c(p[1]);
    return STR_NULL;
}

typedef struct choice_case {
    const char *choices[8];
    mapping_rule rule;
    const char *word, *argument, *error; /* error: part of the text, word NULL then */
} choice_case;

static const choice_case choice_cases[] = {
    {{0}, RULE_T15, "error", "", NULL},
    {{"T15", "null"}, RULE_T15, "null", "", NULL},
    {{"T15", " text "}, RULE_T15, "text", "", NULL},
    {{"T15", "sentinel:0001-01-01"}, RULE_T15, "sentinel", "0001-01-01", NULL},
    {{"T15", "null", "shop.t", "T15=text"}, RULE_T15, "text", "", NULL},
    {{"T15", "null", "shop.t", "T15=text", "shop.t.d", "error"}, RULE_T15, "error", "", NULL},
    {{"shop.t.d", "T9=strip, T8=replace"}, RULE_T9, "strip", "", NULL},
    {{"shop.t.d", "T9=strip, T8=replace"}, RULE_T8, "replace", "", NULL},
    {{"shop.t.d", "T9=strip", "T8", "bytea"}, RULE_T8, "bytea", "", NULL},
    {{"shop.t.x", "null"}, RULE_T15, "error", "", NULL},
    {{"T15", "zero"}, RULE_T15, NULL, NULL, "'zero' is not a choice of T15; it has error|null|sentinel:|text"},
    {{"T15", "sentinel:"}, RULE_T15, NULL, NULL, "not a choice"},
    {{"T15", "sentinel"}, RULE_T15, NULL, NULL, "not a choice"},
    {{"T5", "x"}, RULE_T5, NULL, NULL, "nothing to choose in T5"},
    {{"shop.t.d", "T15=zero"}, RULE_T15, NULL, NULL, "shop.t.d: 'zero' is not a choice of T15"},
    {{"shop.t.d", "T99=zero"}, RULE_T15, NULL, NULL, "there is no rule 'T99'"},
};

static void test_choices(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof choice_cases / sizeof choice_cases[0]; i++) {
        const choice_case *k = &choice_cases[i];
        mapping_options o = {.choice = choice_of, .ctx = (void *)(uintptr_t)k->choices};
        mapping_maker m = {.options = &o, .a = &mem, .asked_table = arena_array(&mem, 1, RULE_COUNT)};
        mapping_choice c;
        err e = ERR_INIT;
        bool ok = mapping_choose(&m, &table, &columns[1], k->rule, &c, &e);
        if (ok != !k->error) fail_msg("case %zu: %s", i, e.text);
        if (k->error) {
            assert_int_equal(e.code, ERR_BAD_INPUT);
            if (!strstr(e.text, k->error)) fail_msg("case %zu: '%s' has no '%s'", i, e.text, k->error);
        } else if (!str_eq(c.word, str_from_c(k->word)) || !str_eq(c.argument, str_from_c(k->argument))) {
            fail_msg("case %zu: %.*s %.*s", i, STR_ARG(c.word), STR_ARG(c.argument));
        }
    }
}

/* What is written for a column must mean one thing there. */
static void test_choices_have_an_effect(void **state)
{
    (void)state;
    static const struct {
        const char *list, *error;
    } cases[] = {{"T9=strip", NULL}, {"strip", NULL}, {"strip,bytea", NULL}, {"null", "'null' has no effect"}, {"T15=null", "'null' has no effect"},
                 {"replace", "a choice of several rules"}, {"", "has no effect"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *choices[] = {"shop.t.d", cases[i].list, NULL};
        mapping_options o = {.choice = choice_of, .ctx = choices};
        mapping_maker m = {.options = &o, .a = &mem, .asked_table = arena_array(&mem, 1, RULE_COUNT)};
        mapping_choice c;
        err e = ERR_INIT;
        assert_true(mapping_choose(&m, &table, &columns[1], RULE_T8, &c, &e) && mapping_choose(&m, &table, &columns[1], RULE_T9, &c, &e));
        bool ok = mapping_check_choices(&m, &table, &columns[1], &e);
        if (ok != !cases[i].error || (!ok && !strstr(e.text, cases[i].error))) fail_msg("case %zu: %d %s", i, ok, e.text);
    }
}

static void test_options_by_themselves(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
        bool ok;
    } cases[] = {{"T15", "null", true}, {"T15", "sentinel:1970-01-01", true}, {"T15", "nul", false}, {"T0", "x", false}, {"a.b.c", "null", true},
                 {"a.b.c", "T15=null,T9=strip", true}, {"a.b", "plain", true}, {"a.b.c", "T15=strip", false}, {"a.b.c", "nix", false}, {"a.b.c", "T15=", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        err e = ERR_INIT;
        if (mapping_check_option(str_from_c(cases[i].key), str_from_c(cases[i].value), &e) != cases[i].ok) fail_msg("case %zu: %s", i, e.text);
        assert_true(cases[i].ok || e.code == ERR_BAD_INPUT);
    }
}

/* ---- rows ---- */

/* "!" is refused, "?" becomes NULL, other texts are doubled. */
static bool double_text(const column_plan *p, arena *a, val *v, mapping_trouble *t)
{
    str s = val_bytes(v);
    (void)p;
    if (str_eq(s, STR("!"))) return mapping_trouble_set(t, RULE_T15, a, "'%.*s' is bad", STR_ARG(s));
    if (str_eq(s, STR("?"))) {
        *v = (val){.kind = VAL_NULL};
        return true;
    }
    str twice = arena_printf(a, "%.*s%.*s", STR_ARG(s), STR_ARG(s));
    if (!twice.p) {
        *t = (mapping_trouble){.what = STR_NULL};
        return false;
    }
    *v = (val){.kind = VAL_TEXT, .u.p = twice.p, .n = (uint32_t)twice.n};
    return true;
}

static table_def *targets[] = {&target_table};
static catalog_def target_catalog = {.tables = targets, .table_count = 1};
static column_plan plans[] = {{0}, {.convert = double_text}, {.convert = double_text}};
static uint32_t active[] = {1, 2};
static const table_plan tables[] = {{.source = &table, .target = &target_table, .columns = plans, .active = active, .active_count = 2}};
static const mapping by_hand = {.catalog = &target_catalog, .tables = tables};

static val text(const char *s) { return (val){.kind = VAL_TEXT, .u.p = s, .n = (uint32_t)strlen(s)}; }
static void assert_text(const val *v, const char *wanted)
{
    assert_int_equal(v->kind, VAL_TEXT);
    if (!str_eq(val_bytes(v), str_from_c(wanted))) fail_msg("'%.*s' is not '%s'", STR_ARG(val_bytes(v)), wanted);
}

static void test_rows(void **state)
{
    (void)state;
    row_batch *b = row_batch_new(&table, 0);
    err e = ERR_INIT;
    for (int i = 0; i < 2; i++) {
        val *row = row_batch_add(b);
        row[0] = (val){.kind = VAL_INT, .u.i = i};
        row[1] = i ? text("?") : text("ab");
        row[2] = (val){.kind = i ? VAL_UNCHANGED : VAL_NULL};
    }
    size_t bytes = b->bytes;
    assert_true(mapping_convert_rows(&by_hand, b, &e));
    assert_ptr_equal(b->table, &target_table);
    assert_true(b->bytes > bytes);
    assert_int_equal(b->vals[0].u.i, 0);
    assert_text(&b->vals[1], "abab");
    assert_int_equal(b->vals[2].kind, VAL_NULL);
    assert_int_equal(b->vals[4].kind, VAL_NULL);
    assert_int_equal(b->vals[5].kind, VAL_UNCHANGED);
    row_batch_free(b);
}

static void test_changes(void **state)
{
    (void)state;
    txn *t = txn_new(0);
    err e = ERR_INIT;
    static const char *const words[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) { /* insert, update, delete */
        change *c = txn_add_change(t);
        val *row = arena_array(&t->mem, 3, sizeof *row), *old = arena_array(&t->mem, 3, sizeof *row);
        row[1] = text(words[i]);
        old[1] = text("old");
        *c = (change){.table = &table, .kind = (change_kind)i, .after = i < 2 ? row : NULL, .before = i > 0 ? old : NULL};
    }
    assert_true(mapping_convert_txn(&by_hand, t, &e));
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(t->changes[i].table, &target_table);
        if (i > 0) assert_text(&t->changes[i].before[1], "oldold");
        assert_true(i == 0 || t->changes[i].before[2].kind == VAL_ABSENT);
    }
    assert_text(&t->changes[0].after[1], "aa");
    assert_text(&t->changes[1].after[1], "bb");
    txn_free(t);
}

static void test_value_error(void **state)
{
    (void)state;
    row_batch *b = row_batch_new(&table, 0);
    val *row = row_batch_add(b);
    err e = ERR_INIT;
    row[0] = (val){.kind = VAL_UINT, .u.u = 77};
    row[1] = text("!");
    assert_false(mapping_convert_rows(&by_hand, b, &e));
    assert_int_equal(e.code, ERR_NOT_SUPPORTED);
    assert_string_equal(e.text, "table shop.t, row with id 77: column d: '!' is bad; correct the row, or choose in Reserve, sluice.types T15: error, null, "
                                "sentinel:... or text");
    row_batch_free(b);
    /* Without memory it is that error, not one of the value. */
    b = row_batch_new(&table, 4096);
    row = row_batch_add(b);
    char *large = arena_bytes(&mem, 8192);
    memset(large, 'x', 8192);
    row[1] = (val){.kind = VAL_TEXT, .u.p = large, .n = 8192};
    assert_false(mapping_convert_rows(&by_hand, b, &e));
    assert_int_equal(e.code, ERR_NO_MEMORY);
    row_batch_free(b);
    /* Rows of some other catalog. */
    table_def other = table;
    b = row_batch_new(&other, 0);
    assert_false(mapping_convert_rows(&by_hand, b, &e));
    assert_int_equal(e.code, ERR_INTERNAL);
    row_batch_free(b);
}

/* ---- like families ---- */

static void test_same_family(void **state)
{
    (void)state;
    table_def *all[] = {&table};
    catalog_def c = {.tables = all, .table_count = 1};
    for (int family = SQL_MYSQL; family <= SQL_POSTGRESQL; family++) {
        mapping_options o = {.target = (sql_family)family};
        mapping *m;
        err e = ERR_INIT;
        assert_true(mapping_make(&c, (sql_family)family, &o, NULL, &mem, &m, &e));
        assert_ptr_equal(mapping_catalog(m), &c);
        assert_false(mapping_converts(m));
        row_batch *b = row_batch_new(&table, 0);
        val *row = row_batch_add(b);
        row[1] = text("!");
        assert_true(mapping_convert_rows(m, b, &e));
        assert_ptr_equal(b->table, &table);
        assert_text(&b->vals[1], "!");
        row_batch_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_choices, start, finish),
        cmocka_unit_test_setup_teardown(test_choices_have_an_effect, start, finish),
        cmocka_unit_test_setup_teardown(test_options_by_themselves, start, finish),
        cmocka_unit_test_setup_teardown(test_rows, start, finish),
        cmocka_unit_test_setup_teardown(test_changes, start, finish),
        cmocka_unit_test_setup_teardown(test_value_error, start, finish),
        cmocka_unit_test_setup_teardown(test_same_family, start, finish),
    };
    return cmocka_run_group_tests_name("mapping", tests, NULL, NULL);
}
