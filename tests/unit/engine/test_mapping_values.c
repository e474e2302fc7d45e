/* Values of MySQL as PostgreSQL's texts, by column type and choice: edge values in both shapes, as the full load reads them and as the log holds them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "mapping_fixture.h"

typedef struct value_case {
    const char *column;  /* its definition behind the name, as SHOW CREATE TABLE writes it */
    const char *choices; /* "T15=null;T9=strip" or NULL */
    val load, log;       /* VAL_ABSENT: not there in this shape */
    const char *text;    /* "NULL" for NULL, "!part of the trouble" for an error; ends at a NUL */
    bool number;
} value_case;

#define B(k, s) {.kind = (k), .u.p = (s), .n = sizeof(s) - 1}
#define NUM(s) B(VAL_NUMBER, s)
#define TXT(s) B(VAL_TEXT, s)
#define BYTES(s) B(VAL_BYTES, s)
#define LABEL(s) B(VAL_ENUM_TEXT, s)
#define SHAPE(s) B(VAL_GEOMETRY, s)
#define JSON(s) B(VAL_JSON, s)
#define I(v) {.kind = VAL_INT, .u.i = (v)}
#define U(v) {.kind = VAL_UINT, .u.u = (v)}
#define F4(v) {.kind = VAL_F32, .u.f = (double)(v)}
#define F8(v) {.kind = VAL_F64, .u.f = (v)}
#define YEAR(v) {.kind = VAL_YEAR, .u.i = (v)}
#define NONE {.kind = VAL_ABSENT}
#define SAME(v) v, v

/* SRID 4326 and 0, a point of longitude 20 and latitude 10 */
#define WKB_POINT "\x01\x01\0\0\0\0\0\0\0\0\0\x34\x40\0\0\0\0\0\0\x24\x40"

static const value_case cases[] = {
    /* T1 */
    {"bigint unsigned", NULL, NUM("18446744073709551615"), U(UINT64_MAX), "18446744073709551615", true},
    {"bigint unsigned", NULL, NUM("0"), U(0), "0", true},
    {"bigint unsigned", "T1=bigint", NUM("9223372036854775807"), U(INT64_MAX), "9223372036854775807", true},
    {"bigint unsigned", "T1=bigint", NUM("9223372036854775808"), U(1ull << 63), "!9223372036854775808 is larger than 9223372036854775807", false},
    {"bigint", NULL, NUM("-9223372036854775808"), I(INT64_MIN), "-9223372036854775808", true},
    {"bigint", NULL, NUM("9223372036854775807"), I(INT64_MAX), "9223372036854775807", true},
    /* T2 */
    {"tinyint unsigned", NULL, NUM("255"), U(255), "255", true},
    {"smallint unsigned", NULL, NUM("65535"), U(65535), "65535", true},
    {"mediumint unsigned", NULL, NUM("16777215"), U(16777215), "16777215", true},
    {"int unsigned", NULL, NUM("4294967295"), U(4294967295), "4294967295", true},
    {"int(5) unsigned zerofill", NULL, NUM("00042"), U(42), "42", true},
    {"tinyint", NULL, NUM("-128"), I(-128), "-128", true},
    {"smallint", NULL, NUM("-32768"), I(-32768), "-32768", true},
    {"mediumint", NULL, NUM("-8388608"), I(-8388608), "-8388608", true},
    {"int", NULL, NUM("-2147483648"), I(-2147483648ll), "-2147483648", true},
    /* T3 */
    {"tinyint(1)", NULL, NUM("127"), I(127), "127", true},
    {"tinyint(1)", "T3=boolean", NUM("1"), I(1), "t", false},
    {"tinyint(1)", "T3=boolean", NUM("0"), I(0), "f", false},
    {"tinyint(1)", "T3=boolean", NUM("2"), I(2), "!2 is neither 0 nor 1", false},
    {"tinyint(1)", "T3=boolean", NUM("-1"), I(-1), "!-1 is neither 0 nor 1", false},
    {"tinyint(4)", "T3=boolean", NUM("5"), I(5), "5", true},
    {"tinyint(1) unsigned", "T3=boolean", NUM("1"), U(1), "1", true},
    /* T4 */
    {"bit(1)", NULL, SAME(B(VAL_BIT, "\1")), "1", false},
    {"bit(1)", "T4=boolean", SAME(B(VAL_BIT, "\1")), "t", false},
    {"bit(1)", "T4=boolean", SAME(B(VAL_BIT, "\0")), "f", false},
    {"bit(10)", NULL, SAME(B(VAL_BIT, "\x02\x81")), "1010000001", false},
    {"bit(8)", "T4=boolean", SAME(B(VAL_BIT, "\x81")), "10000001", false},
    {"bit(64)", NULL, SAME(B(VAL_BIT, "\x80\0\0\0\0\0\0\1")), "1000000000000000000000000000000000000000000000000000000000000001", false},
    {"bit(10)", NULL, SAME(B(VAL_BIT, "\1")), "!is no value of the type", false},
    /* T5 */
    {"decimal(65,30)", NULL, SAME(NUM("-99999999999999999999999999999999999.999999999999999999999999999999")),
     "-99999999999999999999999999999999999.999999999999999999999999999999", true},
    {"decimal(10,2) unsigned zerofill", NULL, NUM("00000001.50"), NUM("1.50"), "1.50", true},
    {"decimal(10,2) unsigned zerofill", NULL, NUM("00000000.00"), NUM("0.00"), "0.00", true},
    {"decimal(5,0) zerofill", NULL, NUM("00000"), NUM("0"), "0", true},
    /* T6 */
    {"float", NULL, NUM("0.10000000149011612"), F4(0.1f), "0.1", true},
    {"float", NULL, NUM("3.4028234663852886e38"), F4(3.4028234663852886e38f), "3.4028235e+38", true},
    {"float", NULL, NUM("1.401298464324817e-45"), F4(1.401298464324817e-45f), "1.4013e-45", true},
    {"float", NULL, NUM("-0"), F4(-0.0f), "-0", true},
    {"float", NULL, NUM("16777216"), F4(16777216.0f), "16777216", true},
    {"float unsigned zerofill", NULL, NUM("0000000000.1"), F4(0.1f), "0.1", true},
    {"double", NULL, NUM("0.1"), F8(0.1), "0.1", true},
    {"double", NULL, NUM("1.7976931348623157e308"), F8(1.7976931348623157e308), "1.7976931348623157e+308", true},
    {"double", NULL, NUM("5e-324"), F8(5e-324), "4.94065645841247e-324", true},
    {"double", NULL, NUM("-0"), F8(-0.0), "-0", true},
    {"double", NULL, NUM("0.30000000000000004"), F8(0.30000000000000004), "0.30000000000000004", true},
    {"double", NULL, NUM("1e20"), F8(1e20), "1e+20", true},
    {"double(10,2)", NULL, NUM("1234.50"), F8(1234.5), "1234.5", true},
    {"double", NULL, NUM("1x"), NONE, "!is no value of the type", false},
    /* T7 */
    {"char(5)", NULL, SAME(TXT("ab")), "ab", false},
    {"char(5)", "T7=char", SAME(TXT("ab")), "ab", false},
    {"varchar(5)", NULL, SAME(TXT("ab  ")), "ab  ", false},
    {"varchar(5)", NULL, SAME(TXT("")), "", false},
    /* T8 */
    {"varchar(5) CHARACTER SET latin1", NULL, SAME(TXT("\xE4\x80\x81")), "ä€\xC2\x81", false},
    {"varchar(5) CHARACTER SET gbk", NULL, SAME(TXT("\xD6\xD0")), "中", false},
    {"text CHARACTER SET gb18030", NULL, SAME(TXT("\x90\x30\x81\x30")), "𐀀", false},
    {"text CHARACTER SET utf16", NULL, SAME(TXT("\0A\xD8\x3D\xDE\0")), "A😀", false},
    {"varchar(5)", NULL, SAME(TXT("a\xFF")), "!the bytes 0xff at byte 2 are no text", false},
    {"varchar(5)", "T8=replace", SAME(TXT("a\xFF")), "a\xEF\xBF\xBD", false},
    {"varchar(5)", "T8=bytea", SAME(TXT("a\xFF")), "\\x61ff", false},
    {"varchar(5) CHARACTER SET gbk", NULL, SAME(TXT("a\x81\xFF")), "!the bytes 0x81ff at byte 2", false},
    {"longtext", "T8=bytea", SAME(TXT("")), "\\x", false},
    /* T9 */
    {"varchar(9)", NULL, SAME(TXT("ab\0c")), "!the character U+0000 at byte 3", false},
    {"varchar(9)", "T9=strip", SAME(TXT("\0ab\0c\0")), "abc", false},
    {"varchar(9)", "T9=replace", SAME(TXT("ab\0")), "ab\xEF\xBF\xBD", false},
    {"varchar(9) CHARACTER SET utf16", "T9=strip", SAME(TXT("\0A\0\0\0B")), "AB", false},
    {"varchar(9)", "T9=strip;T8=replace", SAME(TXT("\0\xFF")), "\xEF\xBF\xBD", false},
    /* T10, T11 */
    {"binary(4)", NULL, SAME(BYTES("a\0\0\0")), "\\x61000000", false},
    {"varbinary(4)", NULL, SAME(BYTES("a\0")), "\\x6100", false},
    {"longblob", NULL, SAME(BYTES("\x00\xFF\\'")), "\\x00ff5c27", false},
    {"tinyblob", NULL, SAME(BYTES("")), "\\x", false},
    /* T12 */
    {"enum('a','it''s','ü')", NULL, LABEL("it's"), U(2), "it's", false},
    {"enum('a','it''s','ü')", NULL, LABEL("ü"), U(3), "ü", false},
    {"enum('a','b')", NULL, U(0), U(0), "", false},
    {"enum('','b')", NULL, U(1), U(1), "", false},
    {"enum('a','b')", "T12=enum", LABEL("b"), U(2), "b", false},
    {"enum('a','b')", NULL, NONE, U(3), "!3 is no value of this ENUM of 2 labels", false},
    /* T13 */
    {"set('a','b','c')", NULL, LABEL("a,c"), U(5), "{\"a\",\"c\"}", false},
    {"set('a','b','c')", NULL, LABEL(""), U(0), "{}", false},
    {"set('a\"b','c\\\\d','NULL','')", NULL, LABEL("a\"b,c\\d,NULL"), U(7), "{\"a\\\"b\",\"c\\\\d\",\"NULL\"}", false},
    {"set('a','b','c')", "T13=text", LABEL("b,c"), U(6), "b,c", false},
    {"set('a','b','c')", "T13=text", LABEL(""), U(0), "", false},
    {"set('a','b')", NULL, NONE, U(4), "!4 is no value of this SET of 2 labels", false},
    /* T14 */
    {"json", NULL, SAME(JSON("{\"a\": [1, 2.5e3, \"x\\\"\\u00e4\\ud83d\\ude00\", null, true, {}]}")), "{\"a\": [1, 2.5e3, \"x\\\"\\u00e4\\ud83d\\ude00\", null, true, {}]}", false},
    {"json", NULL, SAME(JSON("\"a\\u0000b\"")), "!has the character \\u0000", false},
    {"json", "T14=json", SAME(JSON("\"a\\u0000b\"")), "\"a\\u0000b\"", false},
    {"json", "T14=text", SAME(JSON("\"a\\u0000b\"")), "\"a\\u0000b\"", false},
    {"json", NULL, SAME(JSON("\"\\ud800\"")), "!half of a surrogate pair", false},
    {"json", NULL, SAME(JSON("\"\\ude00\"")), "!half of a surrogate pair", false},
    {"json", NULL, SAME(JSON("\"\\ud800\\u0041\"")), "!half of a surrogate pair", false},
    {"json", NULL, SAME(JSON("1e131071")), "1e131071", false},
    {"json", NULL, SAME(JSON("1e131072")), "!beyond the range of numeric", false},
    {"json", NULL, SAME(JSON("1e-16384")), "!beyond the range of numeric", false},
    {"json", "T14=json", SAME(JSON("1e131072")), "1e131072", false},
    {"json", NULL, SAME(JSON("[1,")), "!a word or number that JSON does not know", false},
    {"longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`c`))", NULL, SAME(TXT("{\"a\" :1, \"a\":2}")), "{\"a\" :1, \"a\":2}", false},
    {"longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`c`))", NULL, SAME(TXT("{a:1}")), "!an object member without a name", false},
    {"longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK (json_valid(`c`))", "T14=text", SAME(TXT("{a:1}")), "{a:1}", false},
    /* T15 */
    {"date", NULL, SAME(B(VAL_DATE, "2024-02-29")), "2024-02-29", false},
    {"date", NULL, SAME(B(VAL_DATE, "0001-01-01")), "0001-01-01", false},
    {"date", NULL, SAME(B(VAL_DATE, "9999-12-31")), "9999-12-31", false},
    {"date", NULL, SAME(B(VAL_DATE, "0000-00-00")), "!'0000-00-00' is no day of the calendar", false},
    {"date", NULL, SAME(B(VAL_DATE, "2020-00-10")), "!'2020-00-10' is no day", false},
    {"date", NULL, SAME(B(VAL_DATE, "2020-10-00")), "!'2020-10-00' is no day", false},
    {"date", NULL, SAME(B(VAL_DATE, "0000-05-01")), "!'0000-05-01' is no day", false},
    {"date", NULL, SAME(B(VAL_DATE, "2023-02-29")), "!'2023-02-29' is no day", false},
    {"date", NULL, SAME(B(VAL_DATE, "1900-02-29")), "!'1900-02-29' is no day", false},
    {"date", NULL, SAME(B(VAL_DATE, "2000-02-29")), "2000-02-29", false},
    {"date", "T15=null", SAME(B(VAL_DATE, "0000-00-00")), "NULL", false},
    {"date", "T15=sentinel:0001-01-01", SAME(B(VAL_DATE, "0000-00-00")), "0001-01-01", false},
    {"date", "T15=sentinel:-infinity", SAME(B(VAL_DATE, "2020-00-00")), "-infinity", false},
    {"date", "T15=text", SAME(B(VAL_DATE, "2020-00-00")), "2020-00-00", false},
    {"datetime", "T15=text", SAME(B(VAL_DATETIME, "0000-00-00 00:00:00")), "0000-00-00 00:00:00", false},
    {"datetime", NULL, SAME(B(VAL_DATETIME, "0000-00-00 00:00:00")), "!'0000-00-00 00:00:00' is no day", false},
    {"datetime", "T15=sentinel:1970-01-01", SAME(B(VAL_DATETIME, "0000-00-00 00:00:00")), "1970-01-01 00:00:00", false},
    {"timestamp", "T15=null", SAME(B(VAL_TIMESTAMP, "0000-00-00 00:00:00")), "NULL", false},
    {"timestamp", "T15=sentinel:1970-01-01", SAME(B(VAL_TIMESTAMP, "0000-00-00 00:00:00")), "1970-01-01 00:00:00+00", false},
    /* T16, T17 */
    {"datetime(6)", NULL, SAME(B(VAL_DATETIME, "9999-12-31 23:59:59.999999")), "9999-12-31 23:59:59.999999", false},
    {"datetime", NULL, SAME(B(VAL_DATETIME, "2024-01-02 03:04:05")), "2024-01-02 03:04:05", false},
    {"datetime(3)", "T16=timestamptz:+08:00", SAME(B(VAL_DATETIME, "2024-01-02 03:04:05.678")), "2024-01-02 03:04:05.678 +08:00", false},
    {"datetime", "T16=timestamptz:Asia/Shanghai;T15=sentinel:1970-01-01", SAME(B(VAL_DATETIME, "0000-00-00 00:00:00")), "1970-01-01 00:00:00 Asia/Shanghai", false},
    {"timestamp(6)", NULL, SAME(B(VAL_TIMESTAMP, "2038-01-19 03:14:07.999999")), "2038-01-19 03:14:07.999999+00", false},
    {"timestamp", NULL, SAME(B(VAL_TIMESTAMP, "1970-01-01 00:00:01")), "1970-01-01 00:00:01+00", false},
    /* T18 */
    {"time(6)", NULL, SAME(B(VAL_TIME, "-838:59:59.000000")), "-838:59:59.000000", false},
    {"time", NULL, SAME(B(VAL_TIME, "838:59:59")), "838:59:59", false},
    {"time", NULL, SAME(B(VAL_TIME, "-00:00:01")), "-00:00:01", false},
    {"time", "T18=time", SAME(B(VAL_TIME, "23:59:59")), "23:59:59", false},
    {"time", "T18=time", SAME(B(VAL_TIME, "24:00:00")), "24:00:00", false},
    {"time(3)", "T18=time", SAME(B(VAL_TIME, "24:00:00.000")), "24:00:00.000", false},
    {"time(3)", "T18=time", SAME(B(VAL_TIME, "24:00:00.001")), "!'24:00:00.001' is no time of a day", false},
    {"time", "T18=time", SAME(B(VAL_TIME, "-00:00:01")), "!no time of a day", false},
    {"time", "T18=time", SAME(B(VAL_TIME, "100:00:00")), "!no time of a day", false},
    /* T19 */
    {"year", NULL, SAME(YEAR(0)), "0", true},
    {"year(4)", NULL, SAME(YEAR(1901)), "1901", true},
    {"year", "T19=integer", SAME(YEAR(2155)), "2155", true},
    /* T20: X is the longitude already in the storage form */
    {"point", NULL, SAME(SHAPE("\xE6\x10\0\0" WKB_POINT)), "\\x0101000020e610000000000000000034400000000000002440", false},
    {"point", NULL, SAME(SHAPE("\0\0\0\0" WKB_POINT)), "\\x010100000000000000000034400000000000002440", false},
    {"point", "T20=bytea", SAME(SHAPE("\0\0\0\0" WKB_POINT)), "\\x010100000000000000000034400000000000002440", false},
    {"point", "T20=text", SAME(SHAPE("\xE6\x10\0\0" WKB_POINT)), "SRID=4326;POINT(20 10)", false},
    {"geometry", "T20=text", SAME(SHAPE("\0\0\0\0\1\7\0\0\0\2\0\0\0" WKB_POINT "\1\7\0\0\0\0\0\0\0")), "GEOMETRYCOLLECTION(POINT(20 10),GEOMETRYCOLLECTION EMPTY)", false},
    {"geometry", "T20=text", SAME(SHAPE("\0\0\0\0\1\4\0\0\0\1\0\0\0" WKB_POINT)), "MULTIPOINT((20 10))", false},
    {"geometry", "T20=text", SAME(SHAPE("\0\0\0\0\1\3\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\0\0\xF0\x3F\0\0\0\0\0\0\xF0\xBF")), "POLYGON((1 -1))", false},
    {"geometry", "T20=text", SAME(SHAPE("\0\0\0\0\1\2\0\0\0\xFF\xFF\xFF\xFF")), "!not well formed", false},
    {"geometry", "T20=text", SAME(SHAPE("\0\0\0\0" WKB_POINT "x")), "!not well formed", false},
    {"geometry", NULL, SAME(SHAPE("\0\0")), "!not well formed", false},
    /* T27 */
    {"vector(3)", NULL, SAME(BYTES("\0\0\x80\x3F\0\0\x20\x40\xCD\xCC\xCC\x3D")), "{1,2.5,0.1}", false},
    {"vector(3)", "T27=text", SAME(BYTES("\0\0\x80\x3F\0\0\x20\x40\xCD\xCC\xCC\x3D")), "[1,2.5,0.1]", false},
    {"vector(1)", "T27=bytea", SAME(BYTES("\0\0\x80\x3F")), "\\x0000803f", false},
    {"vector(1)", NULL, SAME(BYTES("\0\0\x80")), "!is no value of the type", false},
    {"uuid", NULL, SAME(TXT("6ccd780c-baba-1026-9564-5b8c656024db")), "6ccd780c-baba-1026-9564-5b8c656024db", false},
    {"inet6", NULL, SAME(TXT("::ffff:1.2.3.4")), "::ffff:1.2.3.4", false},
    {"inet4", "T27=text", SAME(TXT("1.2.3.4")), "1.2.3.4", false},
};

/* "T15=null;T9=strip" as pairs for the fixture. */
static const char *const *split_choices(const char *choices)
{
    const char **pairs = arena_array(&mem, 20, sizeof *pairs);
    str rest = choices ? str_from_c(choices) : STR_NULL, one;
    for (size_t n = 0; rest.p && str_split_next(&rest, ';', &one); n += 2) {
        size_t at = str_find_byte(one, '=', 0);
        pairs[n] = arena_copy_c(&mem, str_sub(one, 0, at));
        pairs[n + 1] = arena_copy_c(&mem, str_sub(one, at + 1, SIZE_MAX));
    }
    return pairs;
}

static void make_column(fixture *f, const char *column, const char *choices)
{
    err e = ERR_INIT;
    str create = arena_printf(&mem, "CREATE TABLE `t` (\n  `k` int NOT NULL,\n  `c` %s,\n  PRIMARY KEY (`k`)\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4\n", column);
    *f = (fixture){.choices = split_choices(choices)};
    fixture_add(f, "shop", "t", create.p);
    if (!fixture_make(f, &e)) fail_msg("%s: %s", column, e.text);
}

static void check_value(fixture *f, const value_case *k, const val *given, bool log)
{
    const table_def *t = f->list[0];
    err e = ERR_INIT;
    row_batch *b = row_batch_new(t, 0);
    val *row = row_batch_add(b);
    row[0] = (val){.kind = VAL_INT, .u.i = 7};
    row[1] = *given;
    char *exact = NULL;
    if (!val_is_inline(given)) { /* so that a byte read behind it is found */
        exact = malloc(given->n);
        memcpy(exact, given->u.p, given->n);
        row[1].u.p = exact;
    }
    bool ok = mapping_convert_rows(f->m, b, &e);
    const char *shape = log ? "log" : "load";
    if (k->text[0] == '!') {
        assert_true(ok || e.code == ERR_NOT_SUPPORTED);
        if (ok || !strstr(e.text, k->text + 1) || !strstr(e.text, "table shop.t, row with k 7: column c:")) fail_msg("%s %s: '%s'", k->column, shape, ok ? "taken" : e.text);
    } else if (!ok) {
        fail_msg("%s %s: %s", k->column, shape, e.text);
    } else if (!strcmp(k->text, "NULL")) {
        assert_int_equal(row[1].kind, VAL_NULL);
    } else {
        if (!str_eq(val_bytes(&row[1]), str_from_c(k->text))) fail_msg("%s %s: '%.*s' is not '%s'", k->column, shape, STR_ARG(val_bytes(&row[1])), k->text);
        if (row[1].kind != (k->number ? VAL_NUMBER : VAL_TEXT)) fail_msg("%s %s: kind %u", k->column, shape, row[1].kind);
        assert_true(str_is_utf8(val_bytes(&row[1])));
    }
    row_batch_free(b);
    free(exact);
}

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture f;
        make_column(&f, cases[i].column, cases[i].choices);
        if (cases[i].load.kind) check_value(&f, &cases[i], &cases[i].load, false);
        if (cases[i].log.kind) check_value(&f, &cases[i], &cases[i].log, true);
        fixture_finish(&f);
    }
}

/* NULL, unchanged and absent stay what they are in every type. */
static void test_no_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture f;
        err e = ERR_INIT;
        make_column(&f, cases[i].column, cases[i].choices);
        row_batch *b = row_batch_new(f.list[0], 0);
        for (unsigned kind = VAL_ABSENT; kind <= VAL_UNCHANGED; kind++) row_batch_add(b)[1].kind = (uint8_t)kind;
        assert_true(mapping_convert_rows(f.m, b, &e));
        for (unsigned kind = VAL_ABSENT; kind <= VAL_UNCHANGED; kind++) assert_int_equal(b->vals[kind * 2 + 1].kind, kind);
        row_batch_free(b);
        fixture_finish(&f);
    }
}

/* Labels stand in the column's character set, in both shapes; a comma has two bytes in some. */
static void test_labels_of_other_charsets(void **state)
{
    (void)state;
    static const struct {
        const char *column, *text;
        str first, second, list;
    } sets[] = {
        {"set('x','y') CHARACTER SET latin1", "{\"ä\",\"€\"}", {"\xE4", 1}, {"\x80", 1}, {"\xE4,\x80", 3}},
        {"set('x','y') CHARACTER SET utf16", "{\"ä\",\"b\"}", {"\0\xE4", 2}, {"\0b", 2}, {"\0\xE4\0,\0b", 6}},
        {"set('x','y') CHARACTER SET gbk", "{\"中\",\"b\"}", {"\xD6\xD0", 2}, {"b", 1}, {"\xD6\xD0,b", 4}},
    };
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        fixture f = {0};
        err e = ERR_INIT;
        str create = arena_printf(&mem, "CREATE TABLE `t` (\n  `k` int NOT NULL,\n  `c` %s,\n  PRIMARY KEY (`k`)\n) DEFAULT CHARSET=utf8mb4", sets[i].column);
        fixture_add(&f, "shop", "t", create.p);
        f.tables[0].columns[1].labels[0] = sets[i].first;
        f.tables[0].columns[1].labels[1] = sets[i].second;
        if (!fixture_make(&f, &e)) fail_msg("%s", e.text);
        value_case k = {.column = sets[i].column, .text = sets[i].text};
        check_value(&f, &k, &(val){.kind = VAL_ENUM_TEXT, .u.p = sets[i].list.p, .n = (uint32_t)sets[i].list.n}, false);
        check_value(&f, &k, &(val){.kind = VAL_UINT, .u.u = 3}, true);
        fixture_finish(&f);
    }
}

/* Any number reads back as itself, in both shapes with the same text. */
static void test_random_floats(void **state)
{
    (void)state;
    uint64_t seed = 20240611;
    for (int i = 0; i < 200000; i++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        double d;
        uint64_t bits = seed ^ seed >> 31;
        memcpy(&d, &bits, sizeof d);
        if (!isfinite(d)) continue;
        char text[MAPPING_FLOAT_BYTES + 1];
        text[mapping_float_text(d, false, text)] = 0;
        assert_true(strtod(text, NULL) == d);
        float f = (float)d;
        if (!isfinite(f)) continue;
        text[mapping_float_text((double)f, true, text)] = 0;
        assert_true(strtof(text, NULL) == f);
    }
}

/* Any bytes of any kind in any column: an error or a text, never a crash. */
static void test_any_bytes(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture f;
        make_column(&f, cases[i].column, cases[i].choices);
        for (int round = 0; round < 200; round++) {
            char bytes[64];
            for (size_t k = 0; k < sizeof bytes; k++) {
                seed = seed * 6364136223846793005ull + 1442695040888963407ull;
                bytes[k] = (char)(seed >> 40 & (round % 2 ? 0x7f : 0xff));
            }
            err e = ERR_INIT;
            row_batch *b = row_batch_new(f.list[0], 0);
            val *row = row_batch_add(b);
            row[1].kind = (uint8_t)(seed >> 33) % (VAL_ENUM_TEXT + 1);
            row[1].n = (uint32_t)(seed >> 50) % 65;
            char *exact = malloc(row[1].n);
            if (val_is_inline(&row[1])) {
                row[1].u.u = seed;
                row[1].n = 0;
            } else {
                memcpy(exact, bytes, row[1].n);
                row[1].u.p = exact;
            }
            bool ok = mapping_convert_rows(f.m, b, &e);
            assert_true(ok || e.code == ERR_NOT_SUPPORTED);
            row_batch_free(b);
            free(exact);
        }
        fixture_finish(&f);
    }
}

/* What no field holds is said to be too large; only what there was no memory for is told as that. */
static void test_too_large(void **state)
{
    (void)state;
    val v = {0};
    mapping_trouble t = {0};
    assert_false(pg_set_text(&v, VAL_TEXT, PG_TOO_LARGE, &t));
    assert_true(str_find(t.what, STR("smaller than 1 GiB")) != SIZE_MAX);
    assert_false(pg_set_text(&v, VAL_TEXT, STR_NULL, &t));
    assert_null(t.what.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values, start, finish),
        cmocka_unit_test_setup_teardown(test_no_values, start, finish),
        cmocka_unit_test_setup_teardown(test_labels_of_other_charsets, start, finish),
        cmocka_unit_test_setup_teardown(test_random_floats, start, finish),
        cmocka_unit_test_setup_teardown(test_any_bytes, start, finish),
        cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests_name("mapping_values", tests, NULL, NULL);
}
