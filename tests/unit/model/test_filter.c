/* The row condition: three-valued results on one row, precedence, exactness, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../docs_page.h"
#include "model/filter_priv.h"

#define S(literal) {literal, sizeof(literal) - 1}
/* One row of every accepted type. The values are in the comments of the cases below. */
static column_def columns[] = {
    {.name = S("i"), .type = COL_INT, .nullable = true},
    {.name = S("b"), .type = COL_BIGINT, .nullable = true},
    {.name = S("u"), .type = COL_BIGINT, .is_unsigned = true},
    {.name = S("d"), .type = COL_DECIMAL},
    {.name = S("f"), .type = COL_FLOAT, .native_type = S("float")},
    {.name = S("r"), .type = COL_DOUBLE, .native_type = S("double")},
    {.name = S("r2"), .type = COL_DOUBLE, .native_type = S("double(7,2)")},
    {.name = S("bits"), .type = COL_BIT},
    {.name = S("y"), .type = COL_YEAR},
    {.name = S("day"), .type = COL_DATE, .nullable = true},
    {.name = S("dt"), .type = COL_DATETIME, .scale = 3},
    {.name = S("ts"), .type = COL_TIMESTAMP, .nullable = true},
    {.name = S("v"), .type = COL_VARCHAR, .charset = S("utf8mb4"), .collation = S("utf8mb4_bin")},
    {.name = S("v9"), .type = COL_VARCHAR, .charset = S("utf8mb4"), .collation = S("utf8mb4_0900_bin")},
    {.name = S("ci"), .type = COL_VARCHAR, .charset = S("utf8mb4"), .collation = S("utf8mb4_general_ci"), .nullable = true},
    {.name = S("l1"), .type = COL_CHAR, .charset = S("latin1"), .collation = S("latin1_bin")},
    {.name = S("bin"), .type = COL_BINARY},
    {.name = S("vg"), .type = COL_INT, .generated = true},
    {.name = S("n"), .type = COL_INT, .nullable = true},
    {.name = S("js"), .type = COL_JSON, .nullable = true},
    {.name = S("odd `name"), .type = COL_INT},
    {.name = S("date"), .type = COL_DATE, .nullable = true},
    {.name = S("u3"), .type = COL_TEXT, .charset = S("utf8mb3"), .collation = S("utf8mb3_bin")},
    {.name = S("en"), .type = COL_ENUM},
    {.name = S("t"), .type = COL_TIME},
};
#define COLUMN_COUNT (sizeof columns / sizeof *columns)

#define BYTES(k, text) {.kind = (k), .u.p = (text), .n = sizeof(text) - 1}
static const val row[COLUMN_COUNT] = {
    {.kind = VAL_INT, .u.i = 7},
    {.kind = VAL_INT, .u.i = INT64_MIN},
    {.kind = VAL_UINT, .u.u = UINT64_MAX},
    BYTES(VAL_NUMBER, "-0012.50"),
    {.kind = VAL_F32, .u.f = 0.1f},
    {.kind = VAL_F64, .u.f = 9007199254740992.0},
    {.kind = VAL_F64, .u.f = 1},
    BYTES(VAL_BIT, "\x01\x01"),
    {.kind = VAL_YEAR, .u.i = 2024},
    BYTES(VAL_DATE, "2024-02-29"),
    BYTES(VAL_DATETIME, "2024-02-29 12:30:00.250"),
    BYTES(VAL_TIMESTAMP, "0000-00-00 00:00:00"),
    BYTES(VAL_TEXT, "na\xc3\xafve  "),
    BYTES(VAL_TEXT, "na\xc3\xafve "),
    BYTES(VAL_TEXT, "x"),
    BYTES(VAL_TEXT, "a\xe9z"),
    BYTES(VAL_BYTES, "ab\0\0"),
    {.kind = VAL_ABSENT},
    {.kind = VAL_NULL},
    BYTES(VAL_JSON, "{}"),
    {.kind = VAL_INT, .u.i = 1},
    {.kind = VAL_NULL},
    BYTES(VAL_TEXT, "a_b%c"),
    {.kind = VAL_UINT, .u.u = 1},
    BYTES(VAL_TIME, "10:00:00"),
};

static table_def make_table(const char *sql)
{
    return (table_def){.schema = STR("shop"), .name = STR("orders"), .columns = columns, .column_count = COLUMN_COUNT, .filter_sql = str_from_c(sql)};
}

#define T FILTER_TRUE
#define F FILTER_FALSE
#define U FILTER_UNKNOWN
static const struct {
    const char *sql;
    filter_result result;
} good[] = {
    /* numbers */
    {"i = 7", T}, {"I=7", T}, {"i<>7", F}, {"i != 7", F}, {"i<8 and i > 6", T}, {"i<=7", T}, {"i>=8", F}, {"7=i", T}, {"8 > i", T}, {"i = 7.0", T},
    {"i = 6.9999999999999999999999999", F}, {"i > 6.9999999999999999999999999", T}, {"i = +7", T}, {"i = - 7", F}, {"i = 007", T}, {"(i) = (7)", T},
    {"((i = ((7))))", T}, {"b = -9223372036854775808", T}, {"b = -9223372036854775807", F}, {"b > -9223372036854775809", T}, {"b < 18446744073709551615", T},
    {"u = 18446744073709551615", T}, {"u > 18446744073709551614", T}, {"u < 18446744073709551616", T}, {"u > -1", T}, {"u = b", F}, {"b < u", T},
    {"d = -12.5", T}, {"d < -12.49999999999", T}, {"d = i", F}, {"d < i", T}, {"d > -12.500000000000000000000000000001", T}, {"i = .7", F}, {"i = 7.", T},
    {"f = 0.5", F}, {"f < 0.5", T}, {"f > 0", T}, {"r = 9007199254740992", T}, {"r >= 9007199254740994", F}, {"r > -0", T},
    {"bits = 257", T}, {"bits > 256", T}, {"y = 2024", T}, {"y between 2000 and 2023", F}, {"`odd ``name` = 1", T}, {"1=1", T}, {"1 = 1.0", T}, {"1 > 2", F},
    /* truth of numbers */
    {"i", T}, {"TRUE", T}, {"false", F}, {"null", U}, {"0", F}, {"0.00", F}, {"0.1", T}, {"n", U}, {"!i", F}, {"! (i = 8)", T}, {"!!i", T}, {"not i", F},
    {"i = true", F}, {"`odd ``name` = true", T}, {"- 0", F},
    /* NULL */
    {"n = 1", U}, {"n <> 1", U}, {"n = n", U}, {"n <=> n", T}, {"n <=> null", T}, {"i <=> null", F}, {"i <=> 7", T}, {"i = null", U}, {"ci = null", U}, {"js = null", U},
    {"null = null", U}, {"null <=> null", T}, {"n is null", T}, {"n is not null", F}, {"i is null", F}, {"ci IS NOT NULL", T}, {"js is null", F}, {"en is null", F},
    {"not n = 1", U}, {"n = 1 or i = 7", T}, {"n = 1 or i = 8", U}, {"n = 1 and i = 7", U}, {"n = 1 and i = 8", F}, {"i = 8 and n = 1", F}, {"null is null", T},
    {"day is null", F}, {"ts is null", F}, {"n = 1 or n is null", T}, {"n=1 or n=2 or i=7", T}, {"i=7 and n=1 and i=7", U},
    /* precedence */
    {"i = 8 and i = 8 or i = 7", T}, {"i = 7 or i = 8 and i = 8", T}, {"(i = 7 or i = 8) and i = 8", F}, {"not i = 8", T}, {"not i = 8 and i = 8", F},
    {"not (i = 8 and i = 8)", T}, {"not not i = 7", T}, {"i=7 && i=8", F}, {"i between 1 and 7 and i = 8", F}, {"not i between 8 and 9", T}, {"not i is null", T},
    /* IN, BETWEEN */
    {"i in (7)", T}, {"i in (1, 2.5, 7.0)", T}, {"i in (1,2)", F}, {"i in (1,null)", U}, {"i in (7,null)", T}, {"i in (null,7)", T}, {"n in (1)", U}, {"i not in (1,2)", T},
    {"i not in (7)", F}, {"i not in (1,null)", U}, {"i between 7 and 7", T}, {"i between 8 and 6", F}, {"i not between 8 and 9", T},
    {"n between 1 and 2", U}, {"5 between d and i", T}, {"d between -13 and -12", T}, {"u in (1, 18446744073709551615)", T},
    {"v in ('x','na\xc3\xafve')", T}, {"day in ('2024-02-28','2024-02-29')", T},
    /* dates */
    {"day = '2024-02-29'", T}, {"day <= '2024-02-29 00:00:00'", T}, {"day > '2023-12-31'", T}, {"dt > '2024-02-29'", T}, {"dt = '2024-02-29 12:30:00.25'", T},
    {"dt = '2024-02-29 12:30:00'", F}, {"dt between '2024-02-29 12:00:00' and '2024-02-29 13:00:00'", T}, {"ts < '1970-01-01 00:00:01'", T}, {"date = '2020-01-01'", U},
    {"date is null", T}, {"'2024-03-01' > day", T},
    /* texts */
    {"v = 'na\xc3\xafve'", T}, {"v = 'na\xc3\xafve     '", T}, {"v = 'Na\xc3\xafve'", F}, {"v <> 'x'", T}, {"v9 = 'na\xc3\xafve'", F}, {"v9 = 'na\xc3\xafve '", T}, {"v <=> 'x'", F},
    {"l1 = 'az'", F}, {"l1 like 'a_z'", T}, {"l1 like 'a__z'", F}, {"v like 'na_ve__'", T}, {"v like 'na_ve'", F}, {"v like 'na%'", T}, {"v like '%ve  '", T}, {"v like '%x%'", F},
    {"v not like '%x%'", T}, {"v like '%'", T}, {"v like null", U}, {"v like ''", F}, {"u3 like 'a\\_b\\%c'", T}, {"u3 like 'a\\_b%'", T}, {"u3 like 'a\\%%'", F},
    {"u3 = 'a\\_b\\%c'", F}, {"u3 = 'a_b%c'", T}, {"u3 like '%_%_%'", T}, {"u3 like '%b_c'", T}, {"u3 like '%b\\_c'", F}, {"u3 like '%%%c'", T}, {"u3 like '______'", F},
    {"bin = 'ab'", F}, {"bin = 'ab\\0\\0'", T}, {"bin = 0x61620000", T}, {"bin = x'61620000'", T}, {"bin = X'6162'", F}, {"bin like 'ab%'", T}, {"bin in (0x00, 0x61620000)", T},
    {"u3 = 'it''s'", F}, {"u3 = '\\'\\n\\\\'", F}, {"u3 = ''", F},
    {"\n i\t=\r\n7 ", T},
};

static bool compile_and_eval(const char *sql, arena *a, filter_result *ret, err *e)
{
    table_def t = make_table(sql);
    filter *f;
    return filter_compile(&t, a, &f, e) && filter_eval(f, row, ret, e);
}

static void accepted_conditions_give_the_servers_result(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        arena a;
        arena_init(&a, 1024, 0);
        err e = ERR_INIT;
        filter_result r;
        if (!compile_and_eval(good[i].sql, &a, &r, &e)) fail_msg("%s: %s", good[i].sql, e.text);
        if (r != good[i].result) fail_msg("%s gives %d, not %d", good[i].sql, r, good[i].result);
        arena_finish(&a);
    }
}

static const struct {
    const char *sql;
    err_code code;
    const char *text;
} bad[] = {
    {"", ERR_NOT_SUPPORTED, "a column or a literal is expected"},
    {"   ", ERR_NOT_SUPPORTED, "end of the filter"},
    {"i =", ERR_NOT_SUPPORTED, "end of the filter"},
    {"i = 7 8", ERR_NOT_SUPPORTED, "'8': not supported here"},
    {"(i = 7", ERR_NOT_SUPPORTED, "closing parenthesis"},
    {"i = 7)", ERR_NOT_SUPPORTED, "not supported here"},
    {"i == 7", ERR_NOT_SUPPORTED, "a column or a literal"},
    {"nope = 7", ERR_BAD_INPUT, "'nope': the table has no such column"},
    {"`no``pe` = 7", ERR_BAD_INPUT, "no such column"},
    {"`i = 7", ERR_BAD_INPUT, "closing `"},
    {"u3 = 'x", ERR_BAD_INPUT, "closing '"},
    {"u3 = 'x\\'", ERR_BAD_INPUT, "closing '"},
    {"i = '7'", ERR_NOT_SUPPORTED, "numbers without quotes"},
    {"i = 7e0", ERR_NOT_SUPPORTED, "exponent"},
    {"i = 7x", ERR_BAD_INPUT, "not a number"},
    {"i = 1.2.3", ERR_BAD_INPUT, "not a number"},
    {"i = 0x07", ERR_NOT_SUPPORTED, "numbers without quotes"},
    {"i = 0.0000000000000000000000000000001", ERR_NOT_SUPPORTED, "DECIMAL(65,30)"},
    {"i = 7 || i = 8", ERR_NOT_SUPPORTED, "write OR"},
    {"i = 7 xor i = 8", ERR_NOT_SUPPORTED, "'xor': not supported"},
    {"i = \"7\"", ERR_NOT_SUPPORTED, "double quotes"},
    {"i = 7 -- x", ERR_NOT_SUPPORTED, "comment"},
    {"i = 7 # x", ERR_NOT_SUPPORTED, "comment"},
    {"i = /* x */ 7", ERR_NOT_SUPPORTED, "comment"},
    {"i + 1 = 8", ERR_NOT_SUPPORTED, "'+': not supported"},
    {"i = 7 + 1", ERR_NOT_SUPPORTED, "'+': not supported"},
    {"i % 2 = 1", ERR_NOT_SUPPORTED, "'%': not supported"},
    {"i & 1", ERR_NOT_SUPPORTED, "'&': not supported"},
    {"-i = 7", ERR_NOT_SUPPORTED, "a sign is for a number only"},
    {"length(v) = 7", ERR_NOT_SUPPORTED, "'length': a function"},
    {"orders.i = 7", ERR_NOT_SUPPORTED, "qualified"},
    {"`orders`.`i` = 7", ERR_NOT_SUPPORTED, "qualified"},
    {"i = 7 = 1", ERR_NOT_SUPPORTED, "result of a condition"},
    {"(i = 7) = 1", ERR_NOT_SUPPORTED, "result of a condition"},
    {"!i = 7", ERR_NOT_SUPPORTED, "result of a condition"},
    {"(i = 7) is null", ERR_NOT_SUPPORTED, "result of a condition"},
    {"i = (i = 7)", ERR_NOT_SUPPORTED, "closing parenthesis"},
    {"i = 7 is true", ERR_NOT_SUPPORTED, "result of a condition"},
    {"i is true", ERR_NOT_SUPPORTED, "IS is for NULL"},
    {"i in 7", ERR_NOT_SUPPORTED, "list in parentheses"},
    {"i in ()", ERR_NOT_SUPPORTED, "a column or a literal"},
    {"i in (7", ERR_NOT_SUPPORTED, "closing parenthesis"},
    {"i in (select 1)", ERR_NOT_SUPPORTED, "'select': not supported"},
    {"(i, u) in ((1,2))", ERR_NOT_SUPPORTED, "closing parenthesis"},
    {"i not = 7", ERR_NOT_SUPPORTED, "after NOT"},
    {"i between 7", ERR_NOT_SUPPORTED, "BETWEEN needs AND"},
    {"i regexp 7", ERR_NOT_SUPPORTED, "'regexp': not supported"},
    {"u in (-1)", ERR_NOT_SUPPORTED, "negative number"},
    {"u between -1 and 5", ERR_NOT_SUPPORTED, "negative number"},
    {"b in (9223372036854775808)", ERR_NOT_SUPPORTED, "over 9223372036854775807"},
    {"f = 0.1", ERR_NOT_SUPPORTED, "no binary floating point"},
    {"r = 9007199254740993", ERR_NOT_SUPPORTED, "no binary floating point"},
    {"r2 = 1", ERR_NOT_SUPPORTED, "tolerance"},
    {"r = i", ERR_NOT_SUPPORTED, "only integer and DECIMAL"},
    {"r", ERR_NOT_SUPPORTED, "not a condition"},
    {"v", ERR_NOT_SUPPORTED, "not a condition"},
    {"'x'", ERR_NOT_SUPPORTED, "not a condition"},
    {"bits = -1", ERR_NOT_SUPPORTED, "BIT"},
    {"y = 24", ERR_NOT_SUPPORTED, "YEAR"},
    {"y = '2024'", ERR_NOT_SUPPORTED, "without quotes"},
    {"day = '2024-2-29'", ERR_NOT_SUPPORTED, "YYYY-MM-DD"},
    {"day = '2023-02-29'", ERR_NOT_SUPPORTED, "YYYY-MM-DD"},
    {"day = '0000-00-00'", ERR_NOT_SUPPORTED, "YYYY-MM-DD"},
    {"day = 20240229", ERR_NOT_SUPPORTED, "YYYY-MM-DD"},
    {"dt = '2024-02-29T00:00:00'", ERR_NOT_SUPPORTED, "YYYY-MM-DD"},
    {"dt = '2024-02-29 24:00:00'", ERR_NOT_SUPPORTED, "YYYY-MM-DD"},
    {"i between null and 6", ERR_NOT_SUPPORTED, "NULL in BETWEEN"},
    {"b between i and u", ERR_NOT_SUPPORTED, "signed and unsigned"},
    {"u in (1, b)", ERR_NOT_SUPPORTED, "signed and unsigned"},
    {"day < '2024-02-29 00:00:01'", ERR_NOT_SUPPORTED, "time of day"},
    {"dt < '2024-02-29 00:00:01.0001'", ERR_NOT_SUPPORTED, "fraction digits"},
    {"ts > '1970-01-02 00:00:00.1'", ERR_NOT_SUPPORTED, "fraction digits"},
    {"ts > '1970-01-01'", ERR_NOT_SUPPORTED, "range of a TIMESTAMP"},
    {"ts < '2038-01-19 03:14:08'", ERR_NOT_SUPPORTED, "range of a TIMESTAMP"},
    {"dt is null", ERR_NOT_SUPPORTED, "zero dates"},
    {"dt is not null", ERR_NOT_SUPPORTED, "zero dates"},
    {"dt <=> null", ERR_NOT_SUPPORTED, "zero dates"},
    {"date '2024-02-29' = day", ERR_NOT_SUPPORTED, "prefix"},
    {"t = '10:00:00'", ERR_NOT_SUPPORTED, "for its type"},
    {"en = 'a'", ERR_NOT_SUPPORTED, "for its type"},
    {"js = '{}'", ERR_NOT_SUPPORTED, "for its type"},
    {"ci = 'x'", ERR_NOT_SUPPORTED, "utf8mb4_general_ci"},
    {"ci like 'x'", ERR_NOT_SUPPORTED, "utf8mb4_general_ci"},
    {"v < 'x'", ERR_NOT_SUPPORTED, "equality only"},
    {"v between 'a' and 'b'", ERR_NOT_SUPPORTED, "equality only"},
    {"bin > 'x'", ERR_NOT_SUPPORTED, "equality only"},
    {"v = 7", ERR_NOT_SUPPORTED, "texts in quotes"},
    {"v = 0x41", ERR_NOT_SUPPORTED, "binary columns only"},
    {"v = v9", ERR_NOT_SUPPORTED, "only integer and DECIMAL"},
    {"l1 = '\xc3\xa9'", ERR_NOT_SUPPORTED, "only ASCII"},
    {"u3 = '\xf0\x9f\x98\x80'", ERR_NOT_SUPPORTED, "no such character"},
    {"v = _utf8'x'", ERR_NOT_SUPPORTED, "prefix"},
    {"v = n'x'", ERR_NOT_SUPPORTED, "prefix"},
    {"v = 'a' 'b'", ERR_NOT_SUPPORTED, "side by side"},
    {"v = 'a' collate utf8mb4_bin", ERR_NOT_SUPPORTED, "'collate': not supported"},
    {"v like 'a' escape '|'", ERR_NOT_SUPPORTED, "escape character"},
    {"i like '7'", ERR_NOT_SUPPORTED, "numbers without quotes"},
    {"'a' like 'a'", ERR_NOT_SUPPORTED, "name a column"},
    {"'a' = 'a'", ERR_NOT_SUPPORTED, "name a column"},
    {"vg = 1", ERR_NOT_SUPPORTED, "virtual column"},
    {"bin = x'123'", ERR_BAD_INPUT, "hexadecimal"},
    {"bin = 0x12g", ERR_BAD_INPUT, "hexadecimal"},
    {"bin = 0x", ERR_BAD_INPUT, "hexadecimal"},
    {"bin = b'01'", ERR_NOT_SUPPORTED, "prefix"},
    {"i = 7 \xff", ERR_BAD_INPUT, "not UTF-8"},
    {"i = 7; drop table x", ERR_NOT_SUPPORTED, "';': not supported"},
    {"i = ?", ERR_NOT_SUPPORTED, "'?'"},
    {"i = @x", ERR_NOT_SUPPORTED, "'@'"},
    {"case when i then 1 end", ERR_NOT_SUPPORTED, "'case': not supported"},
};

static void other_conditions_are_refused_with_the_part(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        arena a;
        arena_init(&a, 1024, 0);
        err e = ERR_INIT;
        filter_result r;
        if (compile_and_eval(bad[i].sql, &a, &r, &e)) fail_msg("accepted: %s", bad[i].sql);
        if (e.code != bad[i].code) fail_msg("%s: code %s (%s)", bad[i].sql, err_name(e.code), e.text);
        if (!strstr(e.text, bad[i].text) || !strstr(e.text, "shop.orders")) fail_msg("%s: '%s' is not in '%s'", bad[i].sql, bad[i].text, e.text);
        arena_finish(&a);
    }
}

static void evaluation_refuses_rows_without_the_column(void **state)
{
    (void)state;
    static const struct {
        val v;
        err_code code;
    } cases[] = {
        {{.kind = VAL_ABSENT}, ERR_SOURCE_LOG_FORMAT}, {{.kind = VAL_UNCHANGED}, ERR_SOURCE_LOG_FORMAT}, {BYTES(VAL_TEXT, "7"), ERR_CORRUPT},
        {BYTES(VAL_NUMBER, "7x"), ERR_CORRUPT},        {BYTES(VAL_NUMBER, ""), ERR_CORRUPT},            {BYTES(VAL_BIT, "123456789"), ERR_CORRUPT},
    };
    arena a;
    arena_init(&a, 1024, 0);
    table_def t = make_table("i = 7 or i is null");
    filter *f;
    err e = ERR_INIT;
    assert_true(filter_compile(&t, &a, &f, &e));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        val changed[COLUMN_COUNT];
        memcpy(changed, row, sizeof row);
        changed[0] = cases[i].v;
        filter_result r = FILTER_FALSE;
        assert_false(filter_eval(f, changed, &r, &e));
        assert_int_equal(e.code, cases[i].code);
        assert_int_equal(r, FILTER_FALSE);
    }
    arena_finish(&a);
}

static void values_of_a_full_load_count_the_same(void **state)
{
    (void)state;
    val loaded[COLUMN_COUNT];
    memcpy(loaded, row, sizeof row);
    loaded[0] = (val)BYTES(VAL_NUMBER, "007");
    loaded[2] = (val)BYTES(VAL_NUMBER, "18446744073709551615");
    loaded[4] = (val)BYTES(VAL_NUMBER, "0.1");
    loaded[5] = (val)BYTES(VAL_NUMBER, "9.007199254740992e15");
    arena a;
    arena_init(&a, 1024, 0);
    table_def t = make_table("i = 7 and u = 18446744073709551615 and f = 0.1000000014901161193847656250 and f < 0.125 and r = 9007199254740992");
    filter *f;
    err e = ERR_INIT;
    if (!filter_compile(&t, &a, &f, &e)) fail_msg("%s", e.text);
    filter_result r;
    assert_true(filter_eval(f, loaded, &r, &e));
    assert_int_equal(r, FILTER_TRUE);
    assert_true(filter_eval(f, row, &r, &e));
    assert_int_equal(r, FILTER_TRUE);
    arena_finish(&a);
}

static void limits_hold(void **state)
{
    (void)state;
    arena a;
    arena_init(&a, 4096, 64 * 1024 * 1024);
    err e = ERR_INIT;
    filter_result r;
    BUF_AUTO b = BUF_INIT;
    for (int i = 0; i < FILTER_MAX_DEPTH; i++) buf_add_c(&b, i % 2 ? "(" : "not ");
    buf_add_c(&b, "i = 8");
    for (int i = 0; i < FILTER_MAX_DEPTH / 2; i++) buf_add_c(&b, ")");
    if (!compile_and_eval(buf_c(&b), &a, &r, &e)) fail_msg("%s", e.text);
    assert_int_equal(r, FILTER_FALSE); /* an even number of NOTs */
    static const char *const openers[] = {"(", "not ", "!", "i = ("};
    for (size_t k = 0; k < sizeof openers / sizeof *openers; k++) {
        buf_reset(&b);
        buf_add_c(&b, k == 3 ? "i = " : "");
        while (b.n < 60000) buf_add_c(&b, k == 3 ? "(" : openers[k]);
        assert_false(compile_and_eval(buf_c(&b), &a, &r, &e));
        assert_int_equal(e.code, ERR_LIMIT);
    }
    buf_reset(&b); /* a chain as long as the limit does not recurse */
    buf_add_c(&b, "i=8");
    while (b.n < FILTER_MAX_BYTES - 8) buf_add_c(&b, " or i=8");
    if (!compile_and_eval(buf_c(&b), &a, &r, &e)) fail_msg("%s", e.text);
    assert_int_equal(r, FILTER_FALSE);
    buf_reset(&b);
    buf_add_c(&b, "v in ('x'");
    while (b.n < FILTER_MAX_BYTES - 8) buf_add_c(&b, ",'y'");
    buf_add_c(&b, ")");
    if (!compile_and_eval(buf_c(&b), &a, &r, &e)) fail_msg("%s", e.text);
    while (b.n <= FILTER_MAX_BYTES) buf_add_c(&b, " ");
    assert_false(compile_and_eval(buf_c(&b), &a, &r, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    arena_finish(&a);
    arena small;
    arena_init(&small, 256, 512);
    assert_false(compile_and_eval("v in ('1','2','3','4','5','6','7','8','9','10')", &small, &r, &e));
    assert_int_equal(e.code, ERR_NO_MEMORY);
    arena_finish(&small);
}

/* ---- docs/FILTERS.md ---- */

static const struct {
    const char *form, *meaning, *example;
} forms[] = {
    {"column, `column`", "a column of the table, in backticks where SQL needs them; case is ignored", "`odd ``name` = 1"},
    {"7, -12.5, .5", "numbers, every digit counts; no exponent", "d < -12.49"},
    {"'text', 'it''s', 'a\\nb'", "texts, with the escapes of MySQL", "v <> 'it''s'"},
    {"0x4142, x'4142'", "bytes, for binary columns", "bin = 0x61620000"},
    {"NULL, TRUE, FALSE", "as in SQL; TRUE is 1, FALSE is 0", "i <=> null"},
    {"= <> != <=>", "equality; <=> takes NULL for a value", "n <=> null"},
    {"< <= > >=", "order", "i >= 7"},
    {"[NOT] BETWEEN a AND b", "a and b included", "i between 1 and 7"},
    {"[NOT] IN (a, b, ...)", "one of a list", "v in ('x', 'y')"},
    {"[NOT] LIKE 'pattern'", "% any run, _ one character, \\ before a plain one", "v like 'na%'"},
    {"IS [NOT] NULL", "for columns of every type", "js is not null"},
    {"NOT, !, AND, &&, OR, ( )", "with MySQL's precedence and three-valued logic: a row is selected when the condition is true", "not (i = 8 and n = 1) or i > 6"},
};

static const char *type_name(col_type t)
{
    switch (t) {
    case COL_TINYINT: return "TINYINT";
    case COL_SMALLINT: return "SMALLINT";
    case COL_MEDIUMINT: return "MEDIUMINT";
    case COL_INT: return "INT";
    case COL_BIGINT: return "BIGINT";
    case COL_FLOAT: return "FLOAT";
    case COL_DOUBLE: return "DOUBLE";
    case COL_DECIMAL: return "DECIMAL";
    case COL_BIT: return "BIT";
    case COL_CHAR: return "CHAR";
    case COL_VARCHAR: return "VARCHAR";
    case COL_TEXT: return "TEXT";
    case COL_BINARY: return "BINARY";
    case COL_VARBINARY: return "VARBINARY";
    case COL_BLOB: return "BLOB";
    case COL_DATE: return "DATE";
    case COL_TIME: return "TIME";
    case COL_DATETIME: return "DATETIME";
    case COL_TIMESTAMP: return "TIMESTAMP";
    case COL_YEAR: return "YEAR";
    case COL_ENUM: return "ENUM";
    case COL_SET: return "SET";
    case COL_JSON: return "JSON";
    case COL_GEOMETRY: return "GEOMETRY";
    case COL_VECTOR: return "VECTOR";
    case COL_UUID: return "UUID";
    case COL_INET: return "INET";
    case COL_OTHER: break;
    }
    return "others";
}

/* In backticks, as many as the text needs. */
static void print_code(buf *b, const char *text)
{
    bool ticks = strchr(text, '`') != NULL;
    buf_add_c(b, ticks ? "`` " : "`");
    docs_cell(b, text);
    buf_add_c(b, ticks ? " ``" : "`");
}

static void print_types(buf *b)
{
    buf_add_c(b, "\n## Columns\n\nEvery column can be tested for NULL.\n\n| Type | Compared with | Equality, IN | Order, BETWEEN | LIKE | Other columns of the row | Alone: is not zero | But |\n"
                 "|---|---|---|---|---|---|---|---|\n");
    for (int k = 0; k <= CLASS_OTHER; k++) {
        const class_rule *r = &filter_class_rules[k];
        const char *glue = "| ";
        for (int t = 0; t <= COL_OTHER; t++) {
            column_def c = {.type = (col_type)t};
            if (filter_class_of(&c) != (column_class)k) continue;
            buf_printf(b, "%s%s", glue, type_name(c.type));
            glue = ", ";
        }
        buf_printf(b, " | %s | %s | %s | %s | %s | %s | %s |\n", r->literals, k == CLASS_OTHER ? "" : "yes", r->ordered ? "yes" : "", r->like ? "yes" : "", r->columns ? "yes" : "",
                   r->truth ? "yes" : "", r->limits);
    }
    buf_printf(b, "\nText columns of the charset or collation `binary` count as binary ones. Virtual columns are not in the log and cannot be used.\n"
                  "Limits: %d bytes, %d levels of parentheses and negations, numbers of at most 65 digits, 30 of them behind the point.\n", FILTER_MAX_BYTES, FILTER_MAX_DEPTH);
}

/* What the refusal says, without the place. */
static const char *reason_of(const char *text)
{
    const char *at = strstr(text, "': ");
    return at ? at + 3 : text;
}

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text > '~') return false;
    return true;
}

static void print_refusals(buf *b)
{
    buf_add_c(b, "\n## What is refused\n\nThe precheck `CHECK_FILTERS` names table, place and reason. With the columns `i` INT, `b` BIGINT, `u` BIGINT UNSIGNED, `f` FLOAT, `r` DOUBLE, `r2` DOUBLE(7,2), `bits` BIT,\n"
                 "`y` YEAR, `day` DATE, `dt` DATETIME(3) NOT NULL, `ts` TIMESTAMP, `t` TIME, `v` VARCHAR utf8mb4_bin, `ci` VARCHAR utf8mb4_general_ci, `l1` CHAR latin1_bin, `u3` TEXT utf8mb3_bin,\n"
                 "`bin` BINARY, `en` ENUM, `js` JSON, `vg` virtual:\n\n| Filter | Reason |\n|---|---|\n");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        arena a;
        err e = ERR_INIT;
        filter_result r;
        if (!is_printable(bad[i].sql) || strspn(bad[i].sql, " ") == strlen(bad[i].sql)) continue;
        arena_init(&a, 1024, 0);
        if (compile_and_eval(bad[i].sql, &a, &r, &e)) fail_msg("accepted: %s", bad[i].sql);
        buf_add_c(b, "| ");
        print_code(b, bad[i].sql);
        buf_add_c(b, " | ");
        docs_cell(b, reason_of(e.text));
        buf_add_c(b, " |\n");
        arena_finish(&a);
    }
}

static void print_page(buf *b)
{
    buf_add_c(b, "# Row filters\n\nPrinted from the rules of `src/model/filter_check.c` and the cases of `tests/unit/model/test_filter.c` (`SLUICE_UPDATE_DOCS=1` rewrites this page).\n\n"
                 "A table of `DbList` may have a `filter`, the condition of a WHERE over its columns:\n\n"
                 "    {\"shop\": {\"name\": \"shop\", \"all\": false, \"Table\": {\"orders\": {\"name\": \"orders\", \"filter\": \"id >= 1000 AND state = 'open'\"}}}}\n\n"
                 "The full load gives it to the source; the stream evaluates it on the row images of the log, and must come to the same result. So a task with a\n"
                 "stream takes the forms below, each only where both results are equal (compared on random rows and conditions against MariaDB 10.11 and MySQL 9.7 by\n"
                 "`tests/e2e/test_filter.py`), and refuses all else. A task without a stream (`DataSynchronization` false) takes every condition that the source takes,\n"
                 "with a warning for other forms: when such a load is interrupted, it cannot bring what it read before and after to one moment, and ends.\n"
                 "An update that moves a row into the selection is written as an insert, one that moves it out as a delete. Points in time are UTC.\n\n"
                 "## Forms\n\n| Form | Meaning | Example |\n|---|---|---|\n");
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        arena a;
        err e = ERR_INIT;
        filter_result r;
        arena_init(&a, 1024, 0);
        if (!compile_and_eval(forms[i].example, &a, &r, &e)) fail_msg("%s", e.text);
        arena_finish(&a);
        buf_add_c(b, "| ");
        print_code(b, forms[i].form);
        buf_add_c(b, " | ");
        docs_cell(b, forms[i].meaning);
        buf_add_c(b, " | ");
        print_code(b, forms[i].example);
        buf_add_c(b, " |\n");
    }
    print_types(b);
    print_refusals(b);
}

static void page_says_what_the_rules_say(void **state)
{
    (void)state;
    docs_check_page("FILTERS.md", print_page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted_conditions_give_the_servers_result), cmocka_unit_test(other_conditions_are_refused_with_the_part),
        cmocka_unit_test(evaluation_refuses_rows_without_the_column),  cmocka_unit_test(values_of_a_full_load_count_the_same),
        cmocka_unit_test(limits_hold), cmocka_unit_test(page_says_what_the_rules_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
