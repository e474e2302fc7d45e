/* Values as COPY fields, literals and array elements: known texts, and random ones against a byte-by-byte writing of the same rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/postgresql/pg_value.h"

static val text_of(str s) { return (val){.kind = VAL_TEXT, .u.p = s.p, .n = (uint32_t)s.n}; }

static void expect(bool (*write)(buf *, const val *), const val *v, const char *wanted)
{
    BUF_AUTO b = BUF_INIT;
    buf_add_c(&b, "<");
    bool ok = write(&b, v);
    assert_int_equal(ok, wanted != NULL);
    assert_string_equal(buf_c(&b) + 1, wanted ? wanted : "");
}

static void test_known(void **state)
{
    static const struct {
        const char *text, *copy, *literal, *element;
    } all[] = {
        {"", "", "''", "\"\""},
        {"\\N", "\\\\N", "'\\N'", "\"\\\\N\""},
        {"\\.", "\\\\.", "'\\.'", "\"\\\\.\""},
        {"it's a \"b\"\\", "it's a \"b\"\\\\", "'it''s a \"b\"\\'", "\"it''s a \\\"b\\\"\\\\\""},
        {"12345678\t2345678\n", "12345678\\t2345678\\n", "'12345678\t2345678\n'", "\"12345678\t2345678\n\""},
        {"a\rb\b\f\v\x01", "a\\rb\b\f\v\x01", "'a\rb\b\f\v\x01'", "\"a\rb\b\f\v\x01\""},
        {"{1,NULL}", "{1,NULL}", "'{1,NULL}'", "\"{1,NULL}\""},
        {"\xf0\x9f\x98\x80 na\xc3\xafve", "\xf0\x9f\x98\x80 na\xc3\xafve", "'\xf0\x9f\x98\x80 na\xc3\xafve'", "\"\xf0\x9f\x98\x80 na\xc3\xafve\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        val v = text_of(str_from_c(all[i].text));
        expect(pg_value_copy, &v, all[i].copy);
        expect(pg_value_literal, &v, all[i].literal);
        expect(pg_value_element, &v, all[i].element);
        v.kind = VAL_NUMBER;
        expect(pg_value_element, &v, all[i].element);
    }
}

static void test_kinds(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind <= VAL_ENUM_TEXT; kind++) {
        val v = {.kind = (uint8_t)kind, .u.p = NULL, .n = 0};
        bool taken = kind == VAL_TEXT || kind == VAL_NUMBER, null = kind == VAL_NULL;
        expect(pg_value_copy, &v, null ? "\\N" : taken ? "" : NULL);
        expect(pg_value_literal, &v, null ? "NULL" : taken ? "''" : NULL);
        expect(pg_value_element, &v, null ? "NULL" : taken ? "\"\"" : NULL);
        assert_int_equal(pg_value_is_there(&v), kind != VAL_ABSENT && kind != VAL_UNCHANGED);
    }
}

/* A statement with a zero byte in it would end there. */
static void test_zero_byte(void **state)
{
    (void)state;
    for (size_t before = 0; before < 20; before++)
        for (size_t after = 0; after < 20; after++) {
            char bytes[40];
            memset(bytes, 'x', sizeof bytes);
            bytes[before] = 0;
            val v = text_of((str){bytes, before + 1 + after});
            expect(pg_value_literal, &v, NULL);
            expect(pg_value_element, &v, NULL);
        }
}

static void naive(buf *out, str s, const char *escaped, const char *names, char doubled, const char *mark)
{
    buf_add_c(out, mark);
    for (size_t i = 0; i < s.n; i++) {
        const char *at = s.p[i] ? strchr(escaped, s.p[i]) : NULL;
        if (at) buf_add_byte(out, '\\');
        buf_add_byte(out, at ? names[at - escaped] : s.p[i]);
        if (s.p[i] == doubled) buf_add_byte(out, doubled);
    }
    buf_add_c(out, mark);
}

/* Each byte at each place of texts of every length around the blocks that are looked at in one step; what is plain is written as it is. */
static void test_plain(void **state)
{
    (void)state;
    for (size_t n = 0; n < 150; n += n < 40 ? 1 : 7)
        for (size_t at = 0; at < n; at++)
            for (unsigned byte = 0; byte < 256; byte++) {
                char *bytes = malloc(n); /* exact, for the sanitizer */
                memset(bytes, at % 2 ? ' ' : '~', n);
                bytes[at] = (char)byte;
                bool plain = byte >= 0x20 && byte < 0x7f && !strchr("'\"\\", (int)byte);
                assert_int_equal(val_is_plain((str){bytes, n}), plain);
                if (plain && at == n / 2 && byte % 16 == 1) {
                    char text[160], marked[160];
                    val v = text_of((str){bytes, n});
                    v.flags = VAL_PLAIN;
                    snprintf(text, sizeof text, "%.*s", (int)n, bytes);
                    expect(pg_value_copy, &v, text);
                    snprintf(marked, sizeof marked, "'%s'", text);
                    expect(pg_value_literal, &v, marked);
                    snprintf(marked, sizeof marked, "\"%s\"", text);
                    expect(pg_value_element, &v, marked);
                }
                free(bytes);
            }
    assert_true(val_is_plain(STR("")) && val_is_plain(STR_NULL));
    val empty = {.kind = VAL_TEXT, .u.p = NULL, .flags = VAL_PLAIN};
    expect(pg_value_element, &empty, "\"\"");
}

static void test_random(void **state)
{
    const char *seed_text = getenv("SLUICE_SEED");
    unsigned seed = seed_text ? (unsigned)strtoul(seed_text, NULL, 10) : (unsigned)time(NULL);
    static const char often[] = "\\\t\n\r'\"aaaabbbbbbbbbbbbb\x0c\x0e\x7f\x80\x8d\xa7\xdc\xff{,}";
    (void)state;
    print_message("seed %u\n", seed);
    for (int round = 0; round < 20000; round++) {
        char bytes[64];
        size_t n = (size_t)rand_r(&seed) % sizeof bytes;
        for (size_t i = 0; i < n; i++) {
            int r = rand_r(&seed);
            bytes[i] = (char)(r % 4 ? often[(size_t)(r / 4) % (sizeof often - 1)] : 1 + r / 4 % 255);
        }
        val v = text_of((str){bytes, n});
        BUF_AUTO copy = BUF_INIT;
        BUF_AUTO literal = BUF_INIT;
        BUF_AUTO element = BUF_INIT;
        naive(&copy, val_bytes(&v), "\\\t\n\r", "\\tnr", 0, "");
        naive(&literal, val_bytes(&v), "", "", '\'', "'");
        naive(&element, val_bytes(&v), "\\\"", "\\\"", '\'', "\"");
        expect(pg_value_copy, &v, buf_c(&copy));
        expect(pg_value_literal, &v, buf_c(&literal));
        expect(pg_value_element, &v, buf_c(&element));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known), cmocka_unit_test(test_kinds), cmocka_unit_test(test_zero_byte), cmocka_unit_test(test_plain), cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
