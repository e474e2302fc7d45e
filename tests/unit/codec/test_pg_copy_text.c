/* Lines of PostgreSQL's COPY in text format. */
#include "pg_golden.h"

#include "base/encode.h"
#include "codec/pg_copy_text.h"

#define MOST 8

static void each_line(const json_t *v)
{
    arena a = {0};
    err e = ERR_INIT;
    str line = decode_hex(&a, golden_str(v, "line")), fields[MOST];
    const json_t *want = json_object_get(v, "fields");
    uint32_t count = (uint32_t)json_array_size(want);
    assert_true(line.p && count <= MOST);
    if (!pg_copy_text_parse(line, &a, fields, count, &e)) fail_msg("%.*s: %s", STR_ARG(line), e.text);
    for (uint32_t i = 0; i < count; i++) {
        const json_t *field = json_array_get(want, i);
        assert_int_equal(fields[i].p == NULL, json_is_null(field));
        if (fields[i].p) assert_true(str_eq(fields[i], decode_hex(&a, str_from_c(json_string_value(field)))));
    }
    BUF_AUTO again = BUF_INIT;
    pg_copy_text_write_row(&again, fields, count);
    assert_true(again.n == line.n + 1 && memcmp(again.p, line.p, line.n) == 0 && again.p[line.n] == '\n');
    if (count > 1) assert_false(pg_copy_text_parse(line, &a, fields, count - 1, &e));
    assert_false(pg_copy_text_parse(line, &a, fields, count + 1, &e));
    arena_finish(&a);
}

static void test_golden(void **state)
{
    (void)state;
    golden_each("copy", 20, each_line);
}

/* Forms that COPY FROM takes and COPY TO does not write. */
static void test_other_forms(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        str field;
    } cases[] = {
        {"\\x41", {"A", 1}}, {"\\x4", {"\4", 1}}, {"\\x414", {"A4", 2}}, {"\\xg", {"xg", 2}}, {"\\x", {"x", 1}}, {"\\101", {"A", 1}}, {"\\0", {"\0", 1}}, {"\\1018", {"A8", 2}},
        {"\\777", {"\xff", 1}}, {"\\q", {"q", 1}}, {"\\9", {"9", 1}}, {"\\N\\N", {"NN", 2}}, {"a\\N", {"aN", 2}}, {"\\\t", {"\t", 1}}, {"\\\\N", {"\\N", 2}}, {"\\xAb\\bc", {"\xab\bc", 3}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena a = {0};
        err e = ERR_INIT;
        str field;
        if (!pg_copy_text_parse(str_from_c(cases[i].line), &a, &field, 1, &e)) fail_msg("%s: %s", cases[i].line, e.text);
        if (!str_eq(field, cases[i].field)) fail_msg("%s: got %.*s", cases[i].line, STR_ARG(field));
        arena_finish(&a);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line, *text;
        uint32_t count;
    } cases[] = {
        {"\\", "field 1", 1}, {"a\tb\\", "field 2", 2}, {"\\.", "field 1", 1}, {"a\\.b", "field 1", 1}, {"\\\\\\", "field 1", 1}, {"", "fewer", 2}, {"a", "fewer", 2}, {"a\tb", "more", 1}, {"a\t", "more", 1}, {"a", "more", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        arena a = {0};
        err e = ERR_INIT;
        str fields[MOST];
        size_t n = strlen(cases[i].line);
        char *exact = malloc(n ? n : 1);
        memcpy(exact, cases[i].line, n);
        if (pg_copy_text_parse((str){exact, n}, &a, fields, cases[i].count, &e)) fail_msg("'%s' was taken", cases[i].line);
        if (e.code != ERR_CORRUPT || !strstr(e.text, cases[i].text)) fail_msg("'%s': %s", cases[i].line, e.text);
        arena_finish(&a);
        free(exact);
    }
    arena a = {0};
    err e = ERR_INIT;
    assert_true(pg_copy_text_parse(STR(""), &a, NULL, 0, &e)); /* a row of a table without columns */
    arena_finish(&a);
}

/* Every byte at every place around the word that is looked at in one step; NULL and empty between. */
static void test_round_trip(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t n = 1; n < 20; n++) {
            for (size_t at = 0; at < n; at++) {
                char *value = malloc(n);
                memset(value, 0xe4, n);
                value[at] = (char)(uint8_t)byte;
                str row[4] = {{value, n}, STR_NULL, STR(""), {value, n}}, fields[4];
                BUF_AUTO line = BUF_INIT;
                arena a = {0};
                err e = ERR_INIT;
                pg_copy_text_write_row(&line, row, 4);
                assert_int_equal(memchr(line.p, '\n', line.n) == line.p + line.n - 1, 1);
                if (!pg_copy_text_parse(str_sub(buf_str(&line), 0, line.n - 1), &a, fields, 4, &e)) fail_msg("byte %u at %zu of %zu: %s", byte, at, n, e.text);
                for (int i = 0; i < 4; i++) assert_true(str_eq(fields[i], row[i]) && (fields[i].p == NULL) == (i == 1));
                arena_finish(&a);
                free(value);
            }
        }
    }
}

static void each_cut(const json_t *v)
{
    arena a = {0};
    str line = decode_hex(&a, golden_str(v, "line"));
    uint32_t count = (uint32_t)json_array_size(json_object_get(v, "fields"));
    for (size_t keep = 0; keep <= line.n; keep++) {
        char *exact = malloc(keep ? keep : 1);
        memcpy(exact, line.p, keep);
        str fields[MOST];
        err e = ERR_INIT;
        unsigned tabs = 0;
        for (size_t i = 0; i < keep; i++) tabs += exact[i] == '\t';
        bool taken = pg_copy_text_parse((str){exact, keep}, &a, fields, count, &e);
        assert_true(!taken || tabs == count - 1);
        for (size_t bit = 0; bit < keep * 8 && keep == line.n; bit++) {
            exact[bit / 8] = (char)(exact[bit / 8] ^ 1 << bit % 8);
            e = ERR_INIT;
            if (!pg_copy_text_parse((str){exact, keep}, &a, fields, count, &e)) assert_int_equal(e.code, ERR_CORRUPT);
            exact[bit / 8] = (char)(exact[bit / 8] ^ 1 << bit % 8);
        }
        free(exact);
    }
    arena_finish(&a);
}

static void test_cuts_and_flips(void **state)
{
    (void)state;
    golden_each("copy", 20, each_cut);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_other_forms), cmocka_unit_test(test_refused), cmocka_unit_test(test_round_trip), cmocka_unit_test(test_cuts_and_flips)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
