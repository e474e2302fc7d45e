/* GTID sets of MySQL and positions of MariaDB. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/gtid_position.h"
#include "codec/gtid_set.h"

#define A "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define B "3e11fa47-71ca-11e1-9e33-c80aa9429563"

static gtid_set parse(const char *text)
{
    gtid_set s;
    err e = ERR_INIT;
    if (!gtid_set_parse(str_from_c(text), &s, &e)) fail_msg("%s: %s", text, e.text);
    return s;
}

static void test_text(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""}, {" \n", ""}, {A ":1", A ":1"}, {A ":1-5", A ":1-5"}, {A ":1-5:6", A ":1-6"}, {A ":7:1-5", A ":1-5:7"}, {A ":1-5:3-9:20", A ":1-9:20"},
        {B ":1," A ":2", A ":2," B ":1"}, {A ":1,\n" A ":2", A ":1-2"}, {" " A " : 1 - 5 ", A ":1-5"}, {"3E11FA47-71CA-11E1-9E33-C80AA9429562:1", A ":1"},
        {"{" A "}:1", A ":1"}, {"3e11fa4771ca11e19e33c80aa9429562:4", A ":4"}, {A ":1-9223372036854775806", A ":1-9223372036854775806"}, {A ":5-4", ""},
        {A ":Tag_1:1-3", A ":tag_1:1-3"}, {A ":1-2:tag:1-3:5:u:1", A ":1-2:tag:1-3:5:u:1"}, {A ":tag:1," A ":1", A ":1:tag:1"}, {A ":1:2:4:3", A ":1-4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gtid_set s = parse(cases[i][0]), again, decoded;
        BUF_AUTO out = BUF_INIT;
        gtid_set_print(&s, &out);
        assert_string_equal(buf_c(&out), cases[i][1]);
        again = parse(buf_c(&out));
        assert_true(gtid_set_equal(&s, &again));
        BUF_AUTO bytes = BUF_INIT;
        gtid_set_encode(&s, &bytes);
        err e = ERR_INIT;
        if (!gtid_set_decode(buf_str(&bytes), &decoded, &e)) fail_msg("%s", e.text);
        assert_true(gtid_set_equal(&s, &decoded));
        for (size_t n = 0; n < bytes.n; n++) { /* every cut is an error */
            gtid_set cut;
            char *exact = malloc(n ? n : 1);
            memcpy(exact, bytes.p, n);
            assert_false(gtid_set_decode((str){exact, n}, &cut, &e));
            assert_int_equal(cut.count, 0);
            free(exact);
        }
        gtid_set_finish(&s);
        gtid_set_finish(&again);
        gtid_set_finish(&decoded);
    }
}

static void test_bad_text(void **state)
{
    (void)state;
    static const char *const cases[] = {"x", A, A ":", A ":0", A ":-1", A ":1-", A ":1-2-3", A ":9223372036854775807", A ":99999999999999999999", A ":1:9tag:1", A ":ta-g:1", ":1",
                                        A ":abcdefghijklmnopqrstuvwxyzabcdefg:1", "3e11fa47-71ca-11e1-9e33-c80aa942956:1", "3e11fa4771ca-11e1-9e33-c80aa94295620:1"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gtid_set s;
        err e = ERR_INIT;
        if (gtid_set_parse(str_from_c(cases[i]), &s, &e)) fail_msg("%s was taken", cases[i]);
        assert_int_equal(e.code, ERR_BAD_INPUT);
    }
}

static void test_sets(void **state)
{
    (void)state;
    static const struct {
        const char *whole, *part;
        bool contains;
    } cases[] = {
        {A ":1-10", A ":3-5", true}, {A ":1-10", A ":5-11", false}, {A ":1-4:6-10", A ":4-6", false}, {A ":1-4:6-10", A ":1-2:7-9", true}, {A ":1", "", true}, {"", A ":1", false},
        {A ":1", B ":1", false}, {A ":1:t:1", A ":t:1", true}, {A ":1", A ":t:1", false}, {A ":t:1", A ":1", false}, {A ":1-3," B ":1-3", B ":2", true},
    };
    err e = ERR_INIT;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gtid_set whole = parse(cases[i].whole), part = parse(cases[i].part);
        if (gtid_set_contains_set(&whole, &part) != cases[i].contains) fail_msg("%s, %s", cases[i].whole, cases[i].part);
        assert_true(gtid_set_union(&part, &whole, &e));
        assert_true(gtid_set_contains_set(&part, &whole));
        gtid_set_finish(&whole);
        gtid_set_finish(&part);
    }
}

/* The intervals against a plain bit per number. */
static void test_add_at_random(void **state)
{
    (void)state;
    uint8_t uuid[16] = {1};
    err e = ERR_INIT;
    unsigned seed = 7;
    for (int round = 0; round < 200; round++) {
        gtid_set s = {0};
        bool in[102] = {false};
        for (int i = 0; i < 30; i++) {
            seed = seed * 1103515245u + 12345u;
            unsigned first = seed / 65536 % 100 + 1;
            seed = seed * 1103515245u + 12345u;
            unsigned last = first + seed / 65536 % 4;
            if (last > 100) last = 100;
            assert_true(gtid_set_add(&s, uuid, "", first, last, &e));
            for (unsigned n = first; n <= last; n++) in[n] = true;
        }
        uint32_t runs = 0;
        for (unsigned n = 1; n <= 101; n++) {
            assert_int_equal(gtid_set_contains(&s, uuid, "", n), in[n]);
            runs += in[n] && !in[n - 1];
        }
        assert_int_equal(s.interval_count, runs);
        assert_int_equal(s.sources[0].count, runs);
        gtid_set_finish(&s);
    }
}

static void test_positions(void **state)
{
    (void)state;
    err e = ERR_INIT;
    gtid_position p, q;
    assert_true(gtid_position_parse(STR(" 1-2-7, 0-1-100 "), &p, &e));
    BUF_AUTO out = BUF_INIT;
    gtid_position_print(&p, &out);
    assert_string_equal(buf_c(&out), "0-1-100,1-2-7");
    assert_true(gtid_position_contains(&p, (gtid_mariadb){0, 9, 100}));
    assert_false(gtid_position_contains(&p, (gtid_mariadb){0, 1, 101}));
    assert_false(gtid_position_contains(&p, (gtid_mariadb){2, 1, 1}));
    assert_true(gtid_position_copy(&p, &q, &e));
    assert_true(gtid_position_equal(&p, &q));
    assert_true(gtid_position_set(&q, (gtid_mariadb){0, 5, 101}, &e));
    assert_false(gtid_position_equal(&p, &q));
    assert_true(gtid_position_contains_position(&q, &p));
    assert_false(gtid_position_contains_position(&p, &q));
    assert_true(gtid_position_union(&p, &q, &e));
    assert_true(gtid_position_equal(&p, &q));
    gtid_position_finish(&p);
    gtid_position_finish(&q);
    static const char *const bad[] = {"1", "1-2", "1-2-3-4", "a-1-1", "1-2-3,1-2-4", "1-2-3,", "4294967296-1-1", "1-2-99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (gtid_position_parse(str_from_c(bad[i]), &p, &e)) fail_msg("%s was taken", bad[i]);
        assert_int_equal(e.code, ERR_BAD_INPUT);
    }
    assert_true(gtid_position_parse(STR(""), &p, &e));
    assert_int_equal(p.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_text), cmocka_unit_test(test_bad_text), cmocka_unit_test(test_sets), cmocka_unit_test(test_add_at_random),
                                       cmocka_unit_test(test_positions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
