/* Rows of PostgreSQL's COPY in binary format. */
#include "pg_golden.h"

#include "base/encode.h"
#include "codec/pg_copy_binary.h"

#define MOST 8

static void each_copy(const json_t *v)
{
    arena a = {0};
    err e = ERR_INIT;
    str bytes = decode_hex(&a, golden_str(v, "bytes")), fields[MOST];
    const json_t *rows = json_object_get(v, "rows");
    assert_true(bytes.p && json_array_size(rows) > 2);
    if (!pg_copy_binary_header(&bytes, &e)) fail_msg("%s", e.text);
    for (size_t k = 0; k < json_array_size(rows); k++) {
        const json_t *row = json_array_get(rows, k);
        uint32_t count = (uint32_t)json_array_size(row);
        str before = bytes;
        assert_true(count <= MOST);
        assert_false(pg_copy_binary_row(&bytes, fields, count - 1, &e));
        assert_false(pg_copy_binary_row(&bytes, fields, count + 1, &e));
        assert_true(e.code == ERR_CORRUPT && before.p == bytes.p && before.n == bytes.n);
        e = ERR_INIT;
        if (!pg_copy_binary_row(&bytes, fields, count, &e)) fail_msg("row %zu: %s", k, e.text);
        for (uint32_t i = 0; i < count; i++) {
            const json_t *field = json_array_get(row, i);
            assert_int_equal(fields[i].p == NULL, json_is_null(field));
            if (fields[i].p) assert_true(str_eq(fields[i], decode_hex(&a, str_from_c(json_string_value(field)))));
        }
    }
    assert_true(str_eq(bytes, PG_COPY_BINARY_END));
    assert_false(pg_copy_binary_row(&bytes, fields, MOST, &e));
    arena_finish(&a);
}

static void test_golden(void **state)
{
    (void)state;
    golden_each("copy_binary", 2, each_copy);
}

/* Each length ends in an error and not behind the bytes, or at the end of a row. */
static void each_cut(const json_t *v)
{
    arena a = {0};
    str bytes = decode_hex(&a, golden_str(v, "bytes")), fields[MOST];
    uint32_t count = (uint32_t)json_array_size(json_array_get(json_object_get(v, "rows"), 0));
    for (size_t keep = 0; keep <= bytes.n; keep++) {
        char *exact = malloc(keep ? keep : 1);
        memcpy(exact, bytes.p, keep);
        str rest = {exact, keep};
        err e = ERR_INIT;
        bool ok = pg_copy_binary_header(&rest, &e);
        assert_int_equal(ok, keep >= PG_COPY_BINARY_HEADER.n);
        while (ok && rest.n && (ok = pg_copy_binary_row(&rest, fields, count, &e)))
            for (uint32_t i = 0; i < count; i++) assert_true(!fields[i].p || (fields[i].p >= exact && fields[i].p + fields[i].n <= exact + keep));
        if (!ok) assert_int_equal(e.code, ERR_CORRUPT);
        free(exact);
    }
    arena_finish(&a);
}

static void test_cuts(void **state)
{
    (void)state;
    golden_each("copy_binary", 2, each_cut);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        str bytes;
        const char *text;
    } cases[] = {
        {{"", 0}, "in the middle"}, {{"\0", 1}, "in the middle"}, {{"\0\2", 2}, "2 fields"}, {{"\0\1\0\0\0", 5}, "in the middle"}, {{"\0\1\0\0\0\2a", 7}, "in the middle"},
        {{"\0\1\177\377\377\377a", 7}, "in the middle"}, {{"\0\1\377\377\377\376a", 7}, "in the middle"}, {{"\377\377", 2}, "65535 fields"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        str rest = cases[i].bytes, field;
        err e = ERR_INIT;
        assert_false(pg_copy_binary_row(&rest, &field, 1, &e));
        if (e.code != ERR_CORRUPT || !strstr(e.text, cases[i].text)) fail_msg("case %zu: %s", i, e.text);
    }
    str with_oids = {"PGCOPY\n\377\r\n\0\0\1\0\0\0\0\0\0", 19};
    err e = ERR_INIT;
    assert_false(pg_copy_binary_header(&with_oids, &e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_golden), cmocka_unit_test(test_cuts), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
