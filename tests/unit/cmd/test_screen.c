/* Text for people: widths, cells, numbers, breaks between words; rates of counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/rate.h"
#include "cmd/screen.h"

static void widths(void **state)
{
    static const struct {
        const char *text;
        size_t columns;
    } rows[] = {{"", 0}, {"shop.orders", 11}, {"caf\xc3\xa9", 4}, {"\xe8\xae\xa2\xe5\x8d\x95", 4}, {"e\xcc\x81", 1}, {"\xf0\x9f\x9a\xb0", 2}, {"\x1b[2J", 4}, {"\xff\xfe", 2}, {"a\xe8\xae", 3}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) assert_int_equal(screen_width(str_from_c(rows[i].text)), rows[i].columns);
}

static void expect(buf *b, const char *wanted)
{
    assert_string_equal(buf_c(b), wanted);
    buf_reset(b);
}

/* A name of a database cannot steer the terminal. */
static void steering_is_shown_as_question_marks(void **state)
{
    BUF_AUTO b = BUF_INIT;
    (void)state;
    screen_add(&b, str_from_c("a\x1b[2Jb\rc\x7f\x9b"));
    expect(&b, "a?[2Jb?c??");
    screen_add(&b, str_from_c("x\xc2\x9by\xe2\x80\xaez")); /* C1, right-to-left override */
    expect(&b, "x?y?z");
    screen_add_lines(&b, STR("one\ntwo\x07"), 3);
    expect(&b, "one\n   two?");
}

static void cells_have_their_columns(void **state)
{
    BUF_AUTO b = BUF_INIT;
    (void)state;
    screen_add_cell(&b, STR("ab"), 4);
    expect(&b, "ab  ");
    screen_add_cell(&b, STR("abcd"), 4);
    expect(&b, "abcd");
    screen_add_cell(&b, STR("abcde"), 4);
    expect(&b, "abc~");
    screen_add_cell(&b, str_from_c("\xe8\xae\xa2\xe5\x8d\x95\xe8\xa1\xa8"), 4); /* three wide characters: one fits before the mark */
    expect(&b, "\xe8\xae\xa2~ ");
    for (size_t n = 1; n < 12; n++) {
        screen_add_cell(&b, str_from_c("\xe8\xae\xa2 caf\xc3\xa9 e\xcc\x81 z"), n);
        assert_int_equal(screen_width(buf_str(&b)), n);
        assert_true(str_is_utf8(buf_str(&b)));
        buf_reset(&b);
    }
}

static void bars(void **state)
{
    BUF_AUTO b = BUF_INIT;
    screen plain = {.columns = 80}, blocks = {.columns = 80, .blocks = true};
    (void)state;
    screen_add_bar(&b, &plain, 1, 2, 8);
    expect(&b, "####....");
    screen_add_bar(&b, &plain, 0, 0, 3);
    expect(&b, "...");
    screen_add_bar(&b, &plain, 9, 3, 3);
    expect(&b, "###");
    screen_add_bar(&b, &plain, -1, 3, 3);
    expect(&b, "...");
    screen_add_bar(&b, &plain, INT64_MAX / 2, INT64_MAX, 4); /* no overflow */
    assert_int_equal(b.n, 4);
    buf_reset(&b);
    screen_add_bar(&b, &blocks, 1, 2, 8);
    assert_int_equal(screen_width(buf_str(&b)), 8);
    assert_int_equal(b.n, 24);
}

static void numbers(void **state)
{
    BUF_AUTO b = BUF_INIT;
    static const struct {
        int64_t n;
        const char *text;
    } counts[] = {{0, "0"}, {999, "999"}, {1000, "1 000"}, {1001000, "1 001 000"}, {-1, "0"}, {INT64_MAX, "9 223 372 036 854 775 807"}},
      times[] = {{0, "0:00"}, {7, "0:07"}, {750, "12:30"}, {3599, "59:59"}, {3723, "1:02:03"}},
      delays[] = {{0, "0 ms"}, {999, "999 ms"}, {3400, "3.4 s"}, {119000, "119.0 s"}, {120000, "2 min"}, {18000000, "5 h"}};
    static const struct {
        double n;
        const char *text;
    } rates[] = {{0, "0 rows/s"}, {87.4, "87 rows/s"}, {9999, "9999 rows/s"}, {9999.7, "10 k rows/s"}, {211000, "211 k rows/s"}, {999600, "1.0 M rows/s"}, {1300000, "1.3 M rows/s"}};
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) screen_add_count(&b, counts[i].n), expect(&b, counts[i].text);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) screen_add_time(&b, times[i].n), expect(&b, times[i].text);
    for (size_t i = 0; i < sizeof delays / sizeof *delays; i++) screen_add_delay(&b, delays[i].n), expect(&b, delays[i].text);
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) screen_add_rate(&b, rates[i].n), expect(&b, rates[i].text);
}

static void breaks_between_words(void **state)
{
    BUF_AUTO b = BUF_INIT;
    (void)state;
    screen_add_words(&b, STR("one two three four"), 2, 10);
    expect(&b, "one two\n  three\n  four");
    screen_add_words(&b, STR("one two three four"), 2, 0);
    expect(&b, "one two three four");
    screen_add_words(&b, STR("a_word_that_is_longer_than_the_line b"), 2, 10);
    expect(&b, "a_word_that_is_longer_than_the_line\n  b");
    screen_add_words(&b, STR("first\nsecond line"), 4, 40);
    expect(&b, "first\n    second line");
}

static void tables_are_as_wide_as_their_cells(void **state)
{
    str cells[] = {STR("JOB"), STR("NAME"), STR("a"), STR("x"), STR("longer"), STR("y")};
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    (void)state;
    screen_put_table(out, &(screen_table){.columns = 2, .cells = cells, .rows = 3});
    fclose(out);
    assert_string_equal(text, "JOB     NAME\na       x\nlonger  y\n");
    free(text);
}

static void rates_of_counters(void **state)
{
    static rate_meter m;
    (void)state;
    assert_true(rate_of(&m, "t", 500, 0) == 0); /* the first look */
    for (int i = 1; i <= 40; i++) assert_int_equal((int64_t)(rate_of(&m, "t", 500 + i * 100, i * 500000) + 0.5), 200);
    assert_true(rate_of(&m, "t", 10, 41 * 500000) == 0); /* went back: begins anew */
    for (int i = 0; i < 3 * RATE_COUNTERS; i++) { /* more counters than are kept: the one looked at all the time stays */
        char name[16];
        snprintf(name, sizeof name, "c%d", i);
        assert_true(rate_of(&m, name, 1, 100000000 + i * 1000) == 0);
        double rate = rate_of(&m, "busy", i, 100000000 + i * 1000);
        if (i) assert_int_equal((int64_t)(rate + 0.5), 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths),
        cmocka_unit_test(steering_is_shown_as_question_marks),
        cmocka_unit_test(cells_have_their_columns),
        cmocka_unit_test(bars),
        cmocka_unit_test(numbers),
        cmocka_unit_test(breaks_between_words),
        cmocka_unit_test(tables_are_as_wide_as_their_cells),
        cmocka_unit_test(rates_of_counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
