/* Texts of the MySQL engine: log positions, SQL literals, rows for LOAD DATA, chunk bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/mysql/binlog_position.h"
#include "engine/mysql/chunk_sql.h"
#include "engine/mysql/literal.h"
#include "engine/mysql/loader_encode.h"

#define GOOD "{\"server\":\"mariadb:1\",\"file\":\"binlog.000007\",\"pos\":1234,\"created\":99,\"gtid\":\"0-1-5,1-2-3\"}"

static void position_round_trip(void **state)
{
    (void)state;
    arena a;
    binlog_place p, back;
    position text;
    err e = ERR_INIT;
    arena_init(&a, 1024, 0);
    assert_true(binlog_place_parse(STR(GOOD), &p, &e));
    assert_true(str_eq(p.server, STR("mariadb:1")) && str_eq(p.file, STR("binlog.000007")) && p.pos == 1234 && p.created == 99);
    assert_true(binlog_place_format(&p, 5, &a, &text, &e));
    assert_true(str_eq(text.text, STR(GOOD)));
    p.pos = UINT64_MAX;
    p.gtid = STR("3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5,\n4E11FA47-71CA-11E1-9E33-C80AA9429562:tag:7");
    assert_true(binlog_place_format(&p, 5, &a, &text, &e));
    assert_true(binlog_place_parse(text.text, &back, &e));
    assert_true(back.pos == UINT64_MAX && str_find_byte(back.gtid, '\n', 0) == SIZE_MAX && back.gtid.n == p.gtid.n - 1);
    assert_true(back.xa.n == 0);
    p.xa = STR("x'61',x'',1;x'62',x'63',7");
    assert_true(binlog_place_format(&p, 5, &a, &text, &e) && binlog_place_parse(text.text, &back, &e));
    assert_true(str_eq(back.xa, p.xa) && back.gtid.n == p.gtid.n - 1);
    p.file = STR("bad\"name.1");
    assert_false(binlog_place_format(&p, 5, &a, &text, &e));
    assert_int_equal(e.code, ERR_SOURCE_CONFIG);
    arena_finish(&a);
}

static void position_refuses_what_it_did_not_write(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "{}", "null", (GOOD " "), (" " GOOD),
        "{\"server\":\"s\",\"file\":\"\",\"pos\":1,\"created\":0,\"gtid\":\"\"}",
        "{\"server\":\"s\",\"file\":\"f.1\",\"pos\":-1,\"created\":0,\"gtid\":\"\"}",
        "{\"server\":\"s\",\"file\":\"f.1\",\"pos\":01,\"created\":0,\"gtid\":\"\"}",
        "{\"server\":\"s\",\"file\":\"f.1\",\"pos\":18446744073709551616,\"created\":0,\"gtid\":\"\"}",
        "{\"server\":\"s\",\"file\":\"f.1\",\"pos\":1,\"created\":4294967296,\"gtid\":\"\"}",
        "{\"server\":\"s\\u0041\",\"file\":\"f.1\",\"pos\":1,\"created\":0,\"gtid\":\"\"}",
        "{\"file\":\"f.1\",\"server\":\"s\",\"pos\":1,\"created\":0,\"gtid\":\"\"}",
        "{\"server\":\"s\",\"file\":\"f.1\",\"pos\":1,\"created\":0,\"gtid\":\"\xff\"}",
        "{\"server\":\"s\",\"file\":\"f.1\",\"pos\":1,\"created\":0,\"gtid\":\"\",\"xa\":1}",
        "{\"server\":\"s\",\"file\":\"f.1\",\"pos\":1,\"created\":0,\"gtid\":\"\",\"xa\":\"\",\"xa\":\"\"}",
    };
    binlog_place p;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        err e = ERR_INIT;
        assert_false(binlog_place_parse(str_from_c(bad[i]), &p, &e));
        assert_int_equal(e.code, ERR_SOURCE_POSITION);
    }
    for (size_t n = 0; n < sizeof GOOD - 1; n++) {
        err e = ERR_INIT;
        assert_false(binlog_place_parse((str){GOOD, n}, &p, &e));
    }
}

static void position_order(void **state)
{
    (void)state;
    static const struct {
        const char *a_server, *a_file;
        uint64_t a_pos;
        uint32_t a_created;
        const char *b_server, *b_file;
        uint64_t b_pos;
        uint32_t b_created;
        int order; /* 9: cannot be compared */
    } rows[] = {
        {"s", "b.000001", 4, 0, "s", "b.000001", 4, 0, 0},          {"s", "b.000001", 4, 0, "s", "b.000001", 5000000000ULL, 0, -1},
        {"s", "b.000002", 4, 0, "s", "b.000001", 999, 0, 1},        {"s", "b.999999", 9, 7, "s", "b.1000000", 4, 8, -1},
        {"s", "b.4294967297", 1, 0, "s", "b.000002", 9, 0, 1},      {"s", "a.b.000002", 1, 0, "s", "a.b.000010", 9, 0, -1},
        {"s", "b.000001", 4, 0, "t", "b.000001", 4, 0, 9},          {"s", "b.000001", 4, 0, "s", "c.000001", 4, 0, 9},
        {"s", "b.000001", 4, 10, "s", "b.000001", 9, 11, 9},        {"s", "b.000001", 4, 0, "s", "b.000001", 9, 11, -1},
        {"s", "b.x", 4, 0, "s", "b.000001", 9, 11, 9},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        binlog_place a = {.server = str_from_c(rows[i].a_server), .file = str_from_c(rows[i].a_file), .pos = rows[i].a_pos, .created = rows[i].a_created};
        binlog_place b = {.server = str_from_c(rows[i].b_server), .file = str_from_c(rows[i].b_file), .pos = rows[i].b_pos, .created = rows[i].b_created};
        int order = 9;
        err e = ERR_INIT;
        bool ok = binlog_place_compare(&a, &b, &order, &e);
        assert_int_equal(ok, rows[i].order != 9);
        assert_int_equal(order, rows[i].order);
        if (!ok) assert_int_equal(e.code, ERR_SOURCE_CHANGED);
    }
}

static val bytes(val_kind kind, const char *p, size_t n) { return (val){.u.p = p, .n = (uint32_t)n, .kind = (uint8_t)kind}; }

static void literals(void **state)
{
    (void)state;
    column_def text = {.type = COL_VARCHAR, .charset = STR("latin1")}, utf8 = {.type = COL_TEXT, .charset = STR("utf8mb3")}, blob = {.type = COL_BLOB};
    column_def real = {.type = COL_DOUBLE}, number = {.type = COL_BIGINT}, bit = {.type = COL_BIT, .length = 12}, uuid = {.type = COL_UUID};
    const struct {
        const column_def *c;
        val v;
        const char *want;
    } rows[] = {
        {&number, {.kind = VAL_NULL}, "NULL"},
        {&number, {.kind = VAL_ABSENT}, "DEFAULT"},
        {&number, {.kind = VAL_INT, .u.i = INT64_MIN}, "-9223372036854775808"},
        {&number, {.kind = VAL_UINT, .u.u = UINT64_MAX}, "18446744073709551615"},
        {&number, bytes(VAL_NUMBER, "-12", 3), "-12"},
        {&number, bytes(VAL_NUMBER, "1 OR 1", 6), "'1 OR 1'"},
        {&number, bytes(VAL_NUMBER, "--2", 3), "'--2'"},
        {&real, bytes(VAL_NUMBER, "-0", 2), "-0e0"},
        {&real, bytes(VAL_NUMBER, "1e-7", 4), "1e-7"},
        {&real, {.kind = VAL_F64, .u.f = -0.0}, "-0.0000000000000000e+00"},
        {&real, {.kind = VAL_F32, .u.f = 0.10000000149011612}, "1.0000000149011612e-01"},
        {&text, bytes(VAL_TEXT, "a'\\\0b", 5), "_latin1'a\\'\\\\\\0b'"},
        {&utf8, bytes(VAL_TEXT, "x", 1), "_utf8mb4'x'"},
        {&uuid, bytes(VAL_TEXT, "u", 1), "_latin1'u'"},
        {&blob, bytes(VAL_BYTES, "\0\xff", 2), "_binary'\\0\xff'"},
        {&bit, bytes(VAL_BIT, "\x01\xff", 2), "511"},
        {&number, {.kind = VAL_YEAR, .u.i = 0}, "0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        BUF_AUTO out = BUF_INIT;
        literal_append(&out, rows[i].c, &rows[i].v);
        assert_string_equal(buf_c(&out), rows[i].want);
    }
    BUF_AUTO out = BUF_INIT;
    literal_append(&out, &number, &(val){.kind = VAL_UNCHANGED});
    assert_true(out.failed);
}

/* What the server does with the text, as its manual describes it. */
static size_t unescape(const char *p, size_t n, char *to)
{
    char *at = to;
    for (size_t i = 0; i < n; i++) {
        char c = p[i];
        if (c == '\\') {
            c = p[++i];
            c = c == 't' ? '\t' : c == 'n' ? '\n' : c;
        }
        *at++ = c;
    }
    return (size_t)(at - to);
}

static void rows_for_load_data(void **state)
{
    (void)state;
    column_def c[2] = {{.type = COL_BLOB}, {.type = COL_YEAR}};
    table_def t = {.columns = c, .column_count = 2};
    load_column written[] = {{.index = 0}, {.index = 1}};
    load_columns columns = {written, 2};
    uint32_t seed = 1;
    for (size_t n = 0; n < 300; n++) {
        char raw[300], back[300];
        static const char some[] = "\t\n\\\0ab\xff\x89";
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525 + 1013904223;
            raw[i] = n % 2 ? (char)(seed >> 24) : some[seed >> 29];
        }
        val row[2] = {bytes(VAL_BYTES, raw, n), {.kind = VAL_YEAR, .u.i = 0}};
        uint64_t warnings = 0;
        BUF_AUTO out = BUF_INIT;
        assert_true(loader_encode_row(&out, &t, &columns, row, &warnings));
        assert_true(str_ends_with(buf_str(&out), STR("\t0000\n")));
        size_t field = out.n - 6;
        assert_null(memchr(out.p, '\n', field));
        assert_null(memchr(out.p, '\t', field));
        assert_int_equal(unescape(out.p, field, back), n);
        assert_memory_equal(back, raw, n);
    }
    val absent[2] = {{.kind = VAL_UNCHANGED}, {.kind = VAL_NULL}};
    uint64_t warnings = 0;
    BUF_AUTO out = BUF_INIT;
    assert_false(loader_encode_row(&out, &t, &columns, absent, &warnings));
}

static void chunk_bounds(void **state)
{
    (void)state;
    column_def c[3] = {{.name = STR("a"), .type = COL_INT}, {.name = STR("b`x"), .type = COL_VARCHAR, .charset = STR("utf8mb4")}, {.name = STR("e"), .type = COL_ENUM}};
    uint32_t index[] = {0, 1, 2};
    key_def k = {.name = STR("k"), .columns = index, .count = 3};
    table_def t = {.schema = STR("s"), .name = STR("t"), .columns = c, .column_count = 3, .keys = &k, .key_count = 1};
    err e = ERR_INIT;
    BUF_AUTO bound = BUF_INIT;
    BUF_AUTO sql = BUF_INIT;
    chunk_bound_append(&bound, &c[0], STR("-7"));
    chunk_bound_append(&bound, &c[1], STR("x,'"));
    chunk_bound_append(&bound, &c[2], STR("2"));
    assert_string_equal(buf_c(&bound), "-7,_utf8mb4 x'782c27',2");
    assert_true(chunk_bound_sql(&sql, &t, &k, buf_str(&bound), false, &e));
    assert_string_equal(buf_c(&sql), "((`a` < -7) OR (`a` = -7 AND `b``x` < _utf8mb4 x'782c27') OR "
                                     "(`a` = -7 AND `b``x` = _utf8mb4 x'782c27' AND `e`+0 <= 2))");
    static const char *const bad[] = {"1", "1,2", "1,2,3,4", "1,2,3)", "1,SLEEP(5),2", "1,_utf8mb4 x'78' OR 1,2", "1,'a',2", "1,_utf8mb4 x'7G',2", "1,_a b x'78',2", "1,,2", ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        BUF_AUTO scratch = BUF_INIT;
        assert_false(chunk_bound_sql(&scratch, &t, &k, str_from_c(bad[i]), true, &e));
        assert_int_equal(e.code, ERR_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(position_round_trip), cmocka_unit_test(position_refuses_what_it_did_not_write), cmocka_unit_test(position_order),
        cmocka_unit_test(literals),            cmocka_unit_test(rows_for_load_data),                      cmocka_unit_test(chunk_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
