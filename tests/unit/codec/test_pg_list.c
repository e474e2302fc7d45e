/* PostgreSQL's texts of arrays, composite values and ranges: read as the server reads them, written as it writes them. */
#include "pg_golden.h"

#include "codec/pg_array.h"
#include "codec/pg_composite.h"

static void same_part(str got, const json_t *want)
{
    assert_int_equal(got.p == NULL, json_is_null(want));
    if (got.p && !str_eq(got, (str){json_string_value(want), json_string_length(want)})) fail_msg("got %.*s, want %s", STR_ARG(got), json_string_value(want));
}

static void same_parts(const str *got, uint32_t count, const json_t *want)
{
    assert_int_equal(count, json_array_size(want));
    for (uint32_t i = 0; i < count; i++) same_part(got[i], json_array_get(want, i));
}

/* As array_dims() prints them: with all bounds, also when they are 1. */
static void same_dimensions(const pg_array *v, str want)
{
    BUF_AUTO got = BUF_INIT;
    for (uint32_t i = 0; i < v->dimensions; i++) buf_printf(&got, "[%d:%lld]", v->lower[i], (long long)v->lower[i] + v->length[i] - 1);
    if (!str_eq(buf_str(&got), want)) fail_msg("got %.*s, want %.*s", STR_ARG(buf_str(&got)), STR_ARG(want));
}

static void check_array(const json_t *v, char delimiter)
{
    arena a = {0};
    err e = ERR_INIT;
    pg_array array;
    BUF_AUTO again = BUF_INIT;
    str text = golden_str(v, "text");
    if (!pg_array_parse(text, delimiter, &a, &array, &e)) fail_msg("%.*s: %s", STR_ARG(text), e.text);
    same_dimensions(&array, golden_str(v, "dims"));
    same_parts(array.elements, array.count, json_object_get(v, "elements"));
    pg_array_write(&again, &array, delimiter);
    assert_true(str_eq(buf_str(&again), text));
    arena_finish(&a);
}

static void each_array(const json_t *v) { check_array(v, PG_ARRAY_DELIMITER); }
static void each_box_array(const json_t *v) { check_array(v, ';'); }

static void each_composite(const json_t *v)
{
    arena a = {0};
    err e = ERR_INIT;
    const str *fields;
    uint32_t count;
    BUF_AUTO again = BUF_INIT;
    str text = golden_str(v, "text");
    if (!pg_composite_parse(text, &a, &fields, &count, &e)) fail_msg("%.*s: %s", STR_ARG(text), e.text);
    same_parts(fields, count, json_object_get(v, "fields"));
    pg_composite_write(&again, fields, count);
    assert_true(str_eq(buf_str(&again), text));
    arena_finish(&a);
}

static void same_range(const pg_range *r, const json_t *v)
{
    assert_int_equal(r->empty, json_is_true(json_object_get(v, "empty")));
    assert_int_equal(r->lower_inclusive, json_is_true(json_object_get(v, "lower_inclusive")));
    assert_int_equal(r->upper_inclusive, json_is_true(json_object_get(v, "upper_inclusive")));
    same_part(r->lower, json_object_get(v, "lower"));
    same_part(r->upper, json_object_get(v, "upper"));
}

static void each_range(const json_t *v)
{
    arena a = {0};
    err e = ERR_INIT;
    pg_range r;
    BUF_AUTO again = BUF_INIT;
    str text = golden_str(v, "text");
    if (!pg_range_parse(text, &a, &r, &e)) fail_msg("%.*s: %s", STR_ARG(text), e.text);
    same_range(&r, v);
    pg_range_write(&again, &r);
    assert_true(str_eq(buf_str(&again), text));
    arena_finish(&a);
}

static void each_multirange(const json_t *v)
{
    arena a = {0};
    err e = ERR_INIT;
    const pg_range *ranges;
    uint32_t count;
    BUF_AUTO again = BUF_INIT;
    str text = golden_str(v, "text");
    if (!pg_multirange_parse(text, &a, &ranges, &count, &e)) fail_msg("%.*s: %s", STR_ARG(text), e.text);
    assert_int_equal(count, json_array_size(json_object_get(v, "ranges")));
    for (uint32_t i = 0; i < count; i++) same_range(&ranges[i], json_array_get(json_object_get(v, "ranges"), i));
    pg_multirange_write(&again, ranges, count);
    assert_true(str_eq(buf_str(&again), text));
    arena_finish(&a);
}

static void test_golden(void **state)
{
    (void)state;
    golden_each("array", 21, each_array);
    golden_each("box_array", 2, each_box_array);
    golden_each("composite", 15, each_composite);
    golden_each("range", 16, each_range);
    golden_each("multirange", 6, each_multirange);
}

typedef enum list_kind { ARRAY, BOX_ARRAY, COMPOSITE, RANGE, MULTIRANGE } list_kind;

static bool take(list_kind kind, str text, err *e)
{
    arena a = {0};
    pg_array array;
    const str *fields;
    pg_range range;
    const pg_range *ranges;
    uint32_t count;
    bool taken = false;
    switch (kind) {
    case ARRAY: taken = pg_array_parse(text, ',', &a, &array, e); break;
    case BOX_ARRAY: taken = pg_array_parse(text, ';', &a, &array, e); break;
    case COMPOSITE: taken = pg_composite_parse(text, &a, &fields, &count, e); break;
    case RANGE: taken = pg_range_parse(text, &a, &range, e); break;
    case MULTIRANGE: taken = pg_multirange_parse(text, &a, &ranges, &count, e); break;
    }
    arena_finish(&a);
    return taken;
}

static void refuse(list_kind kind, const char *const *texts)
{
    for (; *texts; texts++) {
        err e = ERR_INIT;
        size_t n = strlen(*texts);
        char *exact = malloc(n ? n : 1);
        memcpy(exact, *texts, n);
        if (take(kind, (str){exact, n}, &e)) fail_msg("'%s' was taken", *texts);
        if (e.code != ERR_CORRUPT || !strstr(e.text, *texts)) fail_msg("'%s': %s", *texts, e.text);
        free(exact);
    }
}

static void test_refused(void **state)
{
    (void)state;
    refuse(ARRAY, (const char *[]){"", "{", "}", "a", "{a", "{a,", "{a,}", "{,a}", "{a}b", "{a}}", "{{}}", "{{a},b}", "{a,{b}}", "{{a},{b,c}}", "{{a,b},{c}}", "{{a},{{b}}}", "{{{{{{{a}}}}}}}", "{a b}", "{ a}",
                                    "{a\"b}", "{\"a\"b}", "{\"a}", "{\"a\\", "{\"a\\\"}", "{a\\b}", "{a{b}", "[1:2]={a}", "[1:1]={a,b}", "[1:1]={{a}}", "[1:1][1:1]={a}", "[1:1]", "[1:1]=", "[1:1]={}",
                                    "[2:1]={}", "[1]={a}", "[:1]={a}", "[1:]={a}", "[a:1]={a}", "[1:1={a}", "[2147483648:2147483648]={a}", "[1:2147483647]={a}", "[-2147483648:2147483647]={a}", "[--1:1]={a}",
                                    "[1:1][1:1][1:1][1:1][1:1][1:1][1:1]={{{{{{{a}}}}}}}", "{a;b", NULL});
    refuse(BOX_ARRAY, (const char *[]){"{a;}", "{a;b", NULL});
    refuse(COMPOSITE, (const char *[]){"", "(", ")", "a", "(a", "(a,", "(a)b", "(a b)", "(\"a)", "(\"a\"b)", "(a\"b)", "(a\\b)", "((a)", "(a))", "(\"a\\", "(\"\"\")", NULL});
    refuse(RANGE, (const char *[]){"", "Empty", "[", "[1", "[1,", "[1,2", "[1)", "(1,2,3)", "[,2)", "(1,]", "1,2", "{1,2}", "[1,2)x", "[1 ,2)", "[\"1,2)", "[(1,2)", NULL});
    refuse(MULTIRANGE, (const char *[]){"", "{", "}", "{[1,2)", "{[1,2),", "{[1,2),}", "{,}", "{empty}", "[1,2)", "{[1,2)}x", "{[1,2)[3,4)}", "{(,,(,", NULL});
}

/* Cut at every byte nothing is taken: all these texts end with a bracket that closes them. Flipped bits: a value or an error. */
static void cut_and_flip(list_kind kind, str text)
{
    if (text.n > 200) return;
    for (size_t keep = 0; keep <= text.n; keep++) {
        char *exact = malloc(keep ? keep : 1);
        memcpy(exact, text.p, keep);
        err e = ERR_INIT;
        bool taken = take(kind, (str){exact, keep}, &e);
        if (taken != (keep == text.n)) fail_msg("%.*s cut to %zu bytes", STR_ARG(text), keep);
        for (size_t bit = 0; bit < keep * 8 && keep == text.n; bit++) {
            exact[bit / 8] = (char)(exact[bit / 8] ^ 1 << bit % 8);
            e = ERR_INIT;
            if (!take(kind, (str){exact, keep}, &e)) assert_int_equal(e.code, ERR_CORRUPT);
            exact[bit / 8] = (char)(exact[bit / 8] ^ 1 << bit % 8);
        }
        free(exact);
    }
}

static void cut_array(const json_t *v) { cut_and_flip(ARRAY, golden_str(v, "text")); }
static void cut_box_array(const json_t *v) { cut_and_flip(BOX_ARRAY, golden_str(v, "text")); }
static void cut_composite(const json_t *v) { cut_and_flip(COMPOSITE, golden_str(v, "text")); }
static void cut_range(const json_t *v) { cut_and_flip(RANGE, golden_str(v, "text")); }
static void cut_multirange(const json_t *v) { cut_and_flip(MULTIRANGE, golden_str(v, "text")); }

static void test_cuts_and_flips(void **state)
{
    (void)state;
    golden_each("array", 1, cut_array);
    golden_each("box_array", 1, cut_box_array);
    golden_each("composite", 1, cut_composite);
    golden_each("range", 1, cut_range);
    golden_each("multirange", 1, cut_multirange);
}

static void test_memory(void **state)
{
    (void)state;
    static const char *const texts[] = {"{a,b,c,d,e}", "{a;b;c;d;e}", "(a,b,c,d,e)", "[\"a\\\\aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\",b]", "{[a,b],[c,d]}"};
    for (unsigned i = 0; i < 5; i++) {
        arena a;
        arena_init(&a, 32, 32);
        err e = ERR_INIT;
        pg_array array;
        const str *fields;
        pg_range range;
        const pg_range *ranges;
        uint32_t count;
        str text = str_from_c(texts[i]);
        bool taken = i == COMPOSITE ? pg_composite_parse(text, &a, &fields, &count, &e) : i == RANGE ? pg_range_parse(text, &a, &range, &e)
                   : i == MULTIRANGE ? pg_multirange_parse(text, &a, &ranges, &count, &e) : pg_array_parse(text, i == ARRAY ? ',' : ';', &a, &array, &e);
        if (taken || e.code != ERR_NO_MEMORY) fail_msg("%s: %s", texts[i], e.text);
        arena_finish(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_refused), cmocka_unit_test(test_cuts_and_flips), cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
