/* Slices, arenas, buffers, maps and the cursor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/map.h"
#include "base/random.h"

static void slices_compare_and_search(void **state)
{
    (void)state;
    assert_true(str_eq(STR(""), STR_NULL));
    assert_true(str_eq_nocase(STR("AbZ"), STR("aBz")));
    assert_false(str_eq_nocase(STR("\xc4"), STR("\xe4")));
    assert_true(str_cmp(STR("a"), STR("ab")) < 0 && str_cmp(STR("b"), STR("ab")) > 0 && str_cmp(STR_NULL, STR("")) == 0);
    assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
    assert_true(str_starts_with(STR("abc"), STR("ab")) && !str_starts_with(STR("a"), STR("ab")) && str_starts_with(STR("a"), STR_NULL));
    assert_true(str_starts_with_nocase(STR("ABc"), STR("ab")) && str_ends_with(STR("abc"), STR("bc")) && !str_ends_with(STR("c"), STR("bc")));
    assert_int_equal(str_find_byte(STR("abab"), 'b', 2), 3);
    assert_true(str_find_byte(STR("abab"), 'b', 4) == SIZE_MAX && str_find_byte(STR_NULL, 'b', 0) == SIZE_MAX);
    assert_int_equal(str_find(STR("hello"), STR("lo")), 3);
    assert_true(str_find(STR("hello"), STR("lox")) == SIZE_MAX && str_find(STR(""), STR("")) == 0);
    assert_true(str_eq(str_sub(STR("hello"), 3, SIZE_MAX), STR("lo")) && str_sub(STR("x"), 9, 9).n == 0 && str_sub(STR_NULL, 1, 1).n == 0);
    assert_true(str_eq(str_trim(STR(" \t\r\n x y \v\f")), STR("x y")) && str_trim(STR("   ")).n == 0);
}

static void splitting_keeps_empty_pieces(void **state)
{
    (void)state;
    str rest = STR(",a,,b,"), piece;
    static const char *const expected[] = {"", "a", "", "b", ""};
    for (size_t i = 0; i < 5; i++) {
        assert_true(str_split_next(&rest, ',', &piece));
        assert_true(str_eq(piece, str_from_c(expected[i])));
    }
    assert_false(str_split_next(&rest, ',', &piece));
    rest = STR("");
    assert_true(str_split_next(&rest, ',', &piece) && piece.n == 0 && !str_split_next(&rest, ',', &piece));
}

static void numbers_are_parsed_strictly(void **state)
{
    (void)state;
    uint64_t u = 1;
    int64_t i = 1;
    static const char *const bad[] = {"", "-", "+1", " 1", "1 ", "1x", "0x1", "18446744073709551616", "99999999999999999999", "000000000000000000001"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) assert_false(str_to_u64(str_from_c(bad[k]), &u));
    assert_int_equal(u, 1);
    assert_true(str_to_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
    assert_true(str_to_i64(STR("-9223372036854775808"), &i) && i == INT64_MIN);
    assert_true(str_to_i64(STR("9223372036854775807"), &i) && i == INT64_MAX);
    assert_false(str_to_i64(STR("9223372036854775808"), &i) || str_to_i64(STR("-9223372036854775809"), &i) || str_to_i64(STR("--1"), &i));
    bool b = false;
    assert_true(str_to_bool(STR("TRUE"), &b) && b && str_to_bool(STR("False"), &b) && !b && !str_to_bool(STR("1"), &b));
}

static void utf8_is_checked(void **state)
{
    (void)state;
    static const char *const good[] = {"", "a", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80", "\xc0\x80", "\xc1\xbf", "\xc2", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                                      "\xe2\x82", "\xe2\x28\xa1", "\xff"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) assert_true(str_is_utf8(str_from_c(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(str_is_utf8(str_from_c(bad[i])));
}

/* Random sizes: every allocation aligned, zeroed, disjoint from the others, and intact at the end. */
static void arena_allocations_do_not_overlap(void **state)
{
    (void)state;
    arena a;
    arena_init(&a, 512, 0);
    rng r;
    rng_init(&r, 7);
    unsigned char *p[400];
    size_t n[400];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 400; i++) {
            n[i] = rng_below(&r, rng_chance(&r, 10) ? 3000 : 60);
            bool bytes = rng_chance(&r, 30);
            p[i] = bytes ? (unsigned char *)arena_bytes(&a, n[i]) : arena_alloc(&a, n[i]);
            assert_non_null(p[i]);
            if (!bytes) {
                assert_int_equal((uintptr_t)p[i] % 16, 0);
                for (size_t k = 0; k < n[i]; k++) assert_int_equal(p[i][k], 0);
            }
            memset(p[i], i & 255, n[i]);
        }
        for (int i = 0; i < 400; i++)
            for (size_t k = 0; k < n[i]; k++) assert_int_equal(p[i][k], i & 255);
        arena_reset(&a);
        assert_true(a.used_bytes <= 512);
    }
    arena_finish(&a);
    assert_int_equal(a.used_bytes, 0);
    arena_finish(&a);
}

static void arena_obeys_its_limit(void **state)
{
    (void)state;
    arena a;
    arena_init(&a, 1024, 4096);
    assert_null(arena_alloc(&a, 4097));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_array(&a, SIZE_MAX / 4, 8));
    assert_null(arena_copy(&a, (str){"", SIZE_MAX}).p);
    size_t got = 0;
    while (arena_bytes(&a, 100)) got += 100;
    assert_in_range(got, 3600, 4096);
    assert_true(a.used_bytes <= 4096);
    arena_reset(&a);
    assert_non_null(arena_alloc(&a, 1000));
    arena_finish(&a);
}

static void arena_texts_end_with_nul(void **state)
{
    (void)state;
    arena a;
    arena_init(&a, 256, 0);
    str s = arena_copy(&a, STR("abc"));
    assert_true(str_eq(s, STR("abc")) && s.p[3] == 0);
    s = arena_copy(&a, STR_NULL);
    assert_true(s.p && s.n == 0);
    assert_string_equal(arena_copy_c(&a, STR("xy")), "xy");
    s = arena_printf(&a, "%0500d", 7);
    assert_int_equal(s.n, 500);
    assert_true(s.p[499] == '7' && s.p[500] == 0);
    arena_finish(&a);
}

static void buffers_grow_and_fail_sticky(void **state)
{
    (void)state;
    BUF_AUTO b = BUF_INIT;
    buf_add_c(&b, "x");
    buf_add_u64(&b, UINT64_MAX);
    buf_add_byte(&b, ' ');
    buf_add_i64(&b, INT64_MIN);
    buf_add_u64(&b, 0);
    buf_add_hex(&b, STR("\x00\xfa"));
    buf_printf(&b, "[%s]", "y");
    assert_string_equal(buf_c(&b), "x18446744073709551615 -9223372036854775808000fa[y]");
    for (int i = 0; i < 10000; i++) buf_add(&b, STR("0123456789"));
    assert_false(b.failed);
    assert_memory_equal(b.p + b.n - 10, "0123456789", 10);

    BUF_AUTO small = {.limit = 10};
    buf_add(&small, STR("0123456789"));
    assert_false(small.failed);
    buf_add_byte(&small, 'x');
    assert_true(small.failed);
    buf_add(&small, STR(""));
    assert_int_equal(small.n, 10);
    assert_string_equal(buf_c(&small), "");
    assert_null(buf_reserve(&small, 0));
    buf_reset(&small);
    assert_false(small.failed);
    assert_null(buf_reserve(&small, SIZE_MAX));
    assert_true(small.failed);
}

/* Random puts, removes and look-ups against an array. */
static void map_agrees_with_an_array(void **state)
{
    (void)state;
    enum { KEYS = 500 };
    static char names[KEYS][16];
    static int tokens[2];
    void *expected[KEYS] = {0};
    for (int i = 0; i < KEYS; i++) snprintf(names[i], sizeof names[i], "k%d", i);
    map m = MAP_INIT;
    assert_null(map_get(&m, STR("k1")));
    assert_null(map_remove(&m, STR("k1")));
    rng r;
    rng_init(&r, 11);
    for (int step = 0; step < 20000; step++) {
        size_t k = rng_below(&r, KEYS);
        str key = str_from_c(names[k]);
        if (rng_chance(&r, 50)) {
            expected[k] = &tokens[rng_below(&r, 2)];
            assert_true(map_put(&m, key, expected[k]));
        } else if (rng_chance(&r, 50)) {
            assert_ptr_equal(map_remove(&m, key), expected[k]);
            expected[k] = NULL;
        }
        size_t other = rng_below(&r, KEYS);
        assert_ptr_equal(map_get(&m, str_from_c(names[other])), expected[other]);
    }
    map_clear(&m);
    for (int i = 0; i < KEYS; i++) assert_null(map_get(&m, str_from_c(names[i])));
    assert_true(map_put(&m, STR(""), &tokens[0]) && map_get(&m, STR_NULL) == &tokens[0]);
    map_finish(&m);
    map_finish(&m);
}

static void cursor_reads_and_fails_sticky(void **state)
{
    (void)state;
    cursor c = cursor_of(STR("\x01\x02\x03\x04\x05\x06\x07\x08\xfc\x01\x02\xfd\x01\x02\x03\xfe\x01\0\0\0\0\0\0\0\xfa"
                             "ab\0"));
    cursor le = c, be = c;
    assert_true(cursor_le(&le, 3) == 0x030201 && cursor_be(&be, 3) == 0x010203);
    assert_true(cursor_u64(&c) == 0x0807060504030201U);
    assert_int_equal(cursor_lenenc(&c), 0x0201);
    assert_int_equal(cursor_lenenc(&c), 0x030201);
    assert_int_equal(cursor_lenenc(&c), 1);
    assert_int_equal(cursor_lenenc(&c), 0xfa);
    assert_true(str_eq(cursor_cstr(&c), STR("ab")));
    assert_true(!c.failed && cursor_left(&c) == 0);
    assert_int_equal(cursor_u8(&c), 0);
    assert_true(c.failed);
    assert_true(cursor_cstr(&c).p == NULL && cursor_take(&c, 0).p == NULL && cursor_left(&c) == 0);
    static const char *const bad[] = {"\xfb", "\xff", "\xfc\x01", "\xfd\x01\x02", "\xfe\x01\x02\x03"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cursor one = cursor_of(str_from_c(bad[i]));
        cursor_lenenc(&one);
        assert_true(one.failed);
    }
    cursor open = cursor_of(STR("abc"));
    assert_null(cursor_cstr(&open).p);
    assert_true(open.failed);
    cursor skip = cursor_of(STR("abc"));
    cursor_skip(&skip, SIZE_MAX);
    assert_true(skip.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_compare_and_search), cmocka_unit_test(splitting_keeps_empty_pieces), cmocka_unit_test(numbers_are_parsed_strictly),
        cmocka_unit_test(utf8_is_checked), cmocka_unit_test(arena_allocations_do_not_overlap), cmocka_unit_test(arena_obeys_its_limit),
        cmocka_unit_test(arena_texts_end_with_nul), cmocka_unit_test(buffers_grow_and_fail_sticky), cmocka_unit_test(map_agrees_with_an_array),
        cmocka_unit_test(cursor_reads_and_fails_sticky),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
