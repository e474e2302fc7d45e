/* Values of PostgreSQL for MySQL and MariaDB, by type and choice: edge values as the load and the log tell them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mapping_my_fixture.h"

typedef struct value_case {
    const char *type;    /* for type_of */
    const char *choices; /* "T56=null;T42=text" or NULL */
    char target;         /* 'y' MySQL, 'a' MariaDB, 'b' both alike */
    str given;
    val_kind kind;       /* expected; VAL_NULL for NULL, VAL_ABSENT for an error that has the text in it */
    str text;            /* of numbers in VAL_F32 and VAL_F64: %.17g */
} value_case;

#define S(s) {(s), sizeof(s) - 1}
#define NO(what) VAL_ABSENT, S(what)
#define NUM(s) VAL_NUMBER, S(s)
#define TXT(s) VAL_TEXT, S(s)
#define JSN(s) VAL_JSON, S(s)
#define BYT(s) VAL_BYTES, S(s)
#define NIL VAL_NULL, S("")

static const value_case cases[] = {
    /* T40 */
    {"bool", NULL, 'b', S("t"), NUM("1")},
    {"bool", NULL, 'b', S("f"), NUM("0")},
    {"bool", "T40=bit", 'b', S("t"), VAL_BIT, S("\1")},
    {"bool", "T40=bit", 'b', S("f"), VAL_BIT, S("\0")},
    {"domain:bool", NULL, 'b', S("t"), NUM("1")},
    {"bool", NULL, 'b', S("yes"), NO("'yes' is no value of the type bool")},
    /* integers */
    {"int2", NULL, 'b', S("-32768"), NUM("-32768")},
    {"int4", NULL, 'b', S("2147483647"), NUM("2147483647")},
    {"int8", NULL, 'b', S("-9223372036854775808"), NUM("-9223372036854775808")},
    {"domain:domain:int8", NULL, 'b', S("9223372036854775807"), NUM("9223372036854775807")},
    {"oid", NULL, 'b', S("4294967295"), NUM("4294967295")},
    /* T41 */
    {"numeric(10,2)", NULL, 'b', S("-12345678.90"), NUM("-12345678.90")},
    {"numeric(5,-2)", NULL, 'b', S("1234500"), NUM("1234500")},
    {"numeric(2,5)", NULL, 'b', S("0.00012"), NUM("0.00012")},
    {"numeric", NULL, 'b', S("0"), NUM("0")},
    {"numeric", NULL, 'b', S("99999999999999999999999999999999999.999999999999999999999999999999"), NUM("99999999999999999999999999999999999.999999999999999999999999999999")},
    {"numeric", NULL, 'b', S("100000000000000000000000000000000000"), NO("100000000000000000000000000000000000 does not fit decimal(65,30)")},
    {"numeric", NULL, 'b', S("0.0000000000000000000000000000001"), NO("does not fit decimal(65,30); correct the row, or choose in Reserve, sluice.types T41: decimal or text")},
    {"numeric", NULL, 'b', S("-1.0000000000000000000000000000000000"), NUM("-1.000000000000000000000000000000")},
    {"numeric", "T41=text", 'b', S("1e"), TXT("1e")},
    {"numeric", "T41=text", 'b', S("-1.0000000000000000000000000000000000"), TXT("-1.0000000000000000000000000000000000")},
    {"numeric(100,50)", NULL, 'b', S("1.5"), NUM("1.5")},
    {"numeric(40,35)", NULL, 'b', S("1.10000000000000000000000000000000000"), NUM("1.100000000000000000000000000000")},
    {"numeric(40,35)", NULL, 'b', S("1.10000000000000000000000000000000001"), NO("does not fit decimal(65,30)")},
    {"domain:numeric(4,1)", NULL, 'b', S("123.4"), NUM("123.4")},
    /* T42 */
    {"numeric", NULL, 'b', S("NaN"), NO("'NaN' is no number of MySQL or MariaDB; correct the row, or choose in Reserve, sluice.types T42: error, null or text")},
    {"numeric(10,2)", NULL, 'b', S("NaN"), NO("'NaN' is no number")},
    {"numeric", "T42=null", 'b', S("-Infinity"), NIL},
    {"numeric", "T42=text", 'b', S("Infinity"), TXT("Infinity")},
    {"numeric(10,2)", "T42=text", 'b', S("1.50"), TXT("1.50")},
    {"float4", NULL, 'b', S("NaN"), NO("'NaN' is no number")},
    {"float8", NULL, 'b', S("-Infinity"), NO("'-Infinity' is no number")},
    {"float8", "T42=null", 'b', S("Infinity"), NIL},
    {"float4", "T42=text", 'b', S("-Infinity"), TXT("-Infinity")},
    {"float8", "T42=text", 'b', S("1e-320"), TXT("1e-320")},
    {"float4", NULL, 'b', S("0.1"), VAL_F32, S("0.10000000149011612")},
    {"float4", NULL, 'b', S("3.4028235e+38"), VAL_F32, S("3.4028234663852886e+38")},
    {"float4", NULL, 'b', S("1e-45"), VAL_F32, S("1.4012984643248171e-45")},
    {"float8", NULL, 'b', S("0.30000000000000004"), VAL_F64, S("0.30000000000000004")},
    {"float8", NULL, 'b', S("1.7976931348623157e+308"), VAL_F64, S("1.7976931348623157e+308")},
    {"float8", NULL, 'b', S("5e-324"), VAL_F64, S("4.9406564584124654e-324")},
    {"float8", NULL, 'b', S("-0"), VAL_F64, S("-0")},
    {"domain:float4", NULL, 'b', S("-7.5"), VAL_F32, S("-7.5")},
    /* T43, T66 */
    {"text", NULL, 'b', S("a\tb\\é😀"), TXT("a\tb\\é😀")},
    {"text", NULL, 'b', S(""), TXT("")},
    {"text", "T43=varchar:3", 'b', S("äöü"), TXT("äöü")},
    {"text", "T43=varchar:3", 'b', S("äöüx"), NO("a text of 4 characters does not fit varchar(3); correct the row, or choose in Reserve, sluice.types T43:")},
    {"varchar(3)", NULL, 'b', S("a  "), TXT("a  ")},
    {"bpchar(5)", NULL, 'b', S("ab   "), TXT("ab")},
    {"bpchar(5)", NULL, 'b', S("     "), TXT("")},
    {"bpchar(300)", NULL, 'b', S(" x  "), TXT(" x")},
    {"bpchar", NULL, 'b', S("x "), TXT("x")},
    {"citext", NULL, 'b', S("Ab"), TXT("Ab")},
    {"domain:varchar(3)", NULL, 'b', S("abc"), TXT("abc")},
    /* T45 */
    {"bytea", NULL, 'b', S("\\x"), BYT("")},
    {"bytea", NULL, 'b', S("\\x00ff5c27"), BYT("\0\xff\\'")},
    {"bytea", "T45=varbinary:2", 'b', S("\\x0102"), BYT("\1\2")},
    {"bytea", "T45=varbinary:2", 'b', S("\\x010203"), NO("3 bytes do not fit varbinary(2)")},
    {"bytea", NULL, 'b', S("\\x0"), NO("is no value of the type bytea")},
    {"bytea", NULL, 'b', S("a"), NO("is no value of the type bytea")},
    /* T46 */
    {"jsonb", NULL, 'y', S("{\"a\": [1, -2.5, \"x\\\"\\u0001\", null, true, {}]}"), JSN("{\"a\": [1, -2.5, \"x\\\"\\u0001\", null, true, {}]}")},
    {"jsonb", NULL, 'a', S("{\"a\": 1}"), TXT("{\"a\": 1}")},
    {"json", NULL, 'a', S("{ \"a\":1 , \"a\":2e400 }"), TXT("{ \"a\":1 , \"a\":2e400 }")},
    {"json", NULL, 'y', S("{\"a\":1, \"a\":2}"), JSN("{\"a\":1, \"a\":2}")},
    {"jsonb", NULL, 'y', S("18446744073709551615"), JSN("18446744073709551615")},
    {"jsonb", NULL, 'y', S("-9223372036854775808"), JSN("-9223372036854775808")},
    {"jsonb", NULL, 'y', S("[18446744073709551616]"), NO("the number 18446744073709551616 in the JSON is changed by MySQL, which keeps a 64-bit integer or a double; correct the row, or choose in Reserve, sluice.types T46: json or text")},
    {"jsonb", NULL, 'a', S("[18446744073709551616]"), TXT("[18446744073709551616]")},
    {"jsonb", NULL, 'y', S("[100000000000000000000]"), JSN("[100000000000000000000]")},
    {"jsonb", NULL, 'y', S("0.1"), JSN("0.1")},
    {"jsonb", NULL, 'y', S("[1.500, -0.000]"), JSN("[1.500, -0.000]")},
    {"jsonb", NULL, 'y', S("0.30000000000000004"), JSN("0.30000000000000004")},
    {"jsonb", NULL, 'y', S("0.300000000000000040"), JSN("0.300000000000000040")},
    {"jsonb", NULL, 'y', S("0.3000000000000000444"), NO("the number 0.3000000000000000444 in the JSON")},
    {"jsonb", NULL, 'y', S("1234567.12345678"), JSN("1234567.12345678")},
    {"jsonb", NULL, 'y', S("123456789.123456789"), NO("the number 123456789.123456789")},
    {"json", NULL, 'y', S("1e308"), JSN("1e308")},
    {"json", NULL, 'y', S("1E400"), NO("the number 1E400")},
    {"json", NULL, 'y', S("1e-400"), NO("the number 1e-400")},
    {"json", NULL, 'y', S("0e-400"), JSN("0e-400")},
    {"json", NULL, 'y', S("12.5E+2"), JSN("12.5E+2")},
    {"json", "T46=text", 'y', S("1E400"), TXT("1E400")},
    {"jsonb", NULL, 'y', S("\"18446744073709551616 \\\" 1e999\""), JSN("\"18446744073709551616 \\\" 1e999\"")},
    {"json", NULL, 'y', S("\"\\ud83d\\ude00\""), JSN("\"\\ud83d\\ude00\"")},
    {"json", NULL, 'y', S("\"\\ud83d\""), NO("half of a surrogate pair")},
    {"json", NULL, 'y', S("\"\\ude00\""), NO("half of a surrogate pair")},
    {"json", NULL, 'y', S("\"\\ud83dx\\ude00\""), NO("half of a surrogate pair")},
    {"json", NULL, 'y', S("\"\\\\ud83d\""), JSN("\"\\\\ud83d\"")},
    {"json", NULL, 'y', S("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"), JSN("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]")},
    {"json", NULL, 'a', S("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"), NO("the JSON is deeper than the 31 levels")},
    {"json", NULL, 'a', S("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"), TXT("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]")},
    /* T47 */
    {"int4[]", NULL, 'y', S("{}"), JSN("[]")},
    {"int4[]", NULL, 'a', S("{1,-2,NULL}"), TXT("[1, -2, null]")},
    {"int4[]", NULL, 'y', S("{{1,2},{3,4}}"), JSN("[[1, 2], [3, 4]]")},
    {"text[]", NULL, 'y', S("{a,NULL,\"NULL\",\"\",\"a\\\"b\\\\c\td\"}"), JSN("[\"a\", null, \"NULL\", \"\", \"a\\\"b\\\\c\\u0009d\"]")},
    {"bool[]", NULL, 'y', S("{t,f}"), JSN("[true, false]")},
    {"numeric[]", NULL, 'y', S("{1.50,0.1}"), JSN("[1.50, 0.1]")},
    {"numeric[]", NULL, 'y', S("{0.3000000000000000444}"), NO("the number 0.3000000000000000444 in the JSON is changed by MySQL")},
    {"numeric[]", NULL, 'a', S("{0.3000000000000000444}"), TXT("[0.3000000000000000444]")},
    {"float8[]", NULL, 'y', S("{1e+20,NaN}"), NO("NaN is no number of JSON; correct the row, or choose in Reserve, sluice.types T47: json or text")},
    {"int4[]", NULL, 'y', S("[2:3]={1,2}"), NO("the array counts from 2, which a list of JSON cannot tell")},
    {"int4[]", "T47=text", 'y', S("[2:3]={1,2}"), TXT("[2:3]={1,2}")},
    {"jsonb[]", NULL, 'y', S("{\"{\\\"a\\\": [1]}\",null}"), JSN("[{\"a\": [1]}, null]")},
    {"timestamp[]", NULL, 'y', S("{\"2024-01-02 03:04:05.6\",infinity}"), JSN("[\"2024-01-02 03:04:05.6\", \"infinity\"]")},
    {"domain:int4[]", NULL, 'y', S("{7}"), JSN("[7]")},
    /* T48 */
    {"hstore", NULL, 'y', S(""), JSN("{}")},
    {"hstore", NULL, 'a', S("\"a\"=>\"1\", \"b\\\"\\\\\"=>NULL, \"\"=>\"NULL\""), TXT("{\"a\": \"1\", \"b\\\"\\\\\": null, \"\": \"NULL\"}")},
    {"hstore", "T48=text", 'y', S("\"a\"=>\"1\""), TXT("\"a\"=>\"1\"")},
    {"hstore", NULL, 'y', S("\"a\"=>"), NO("is not an hstore")},
    {"hstore[]", NULL, 'y', S("{\"\\\"a\\\"=>\\\"1\\\"\"}"), JSN("[{\"a\": \"1\"}]")},
    /* T49 */
    {"uuid", NULL, 'b', S("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), TXT("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")},
    {"uuid", "T49=binary", 'b', S("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), BYT("\xa0\xee\xbc\x99\x9c\x0b\x4e\xf8\xbb\x6d\x6b\xb9\xbd\x38\x0a\x11")},
    {"uuid", "T49=native", 'a', S("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), TXT("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")},
    {"uuid", "T49=binary", 'b', S("a0eebc99"), NO("is no value of the type uuid")},
    /* T51, T52, T53 */
    {"tsvector", NULL, 'b', S("'a':1A 'b''c':2"), TXT("'a':1A 'b''c':2")},
    {"range:int4", NULL, 'b', S("[1,5)"), TXT("[1,5)")},
    {"multirange:numeric", NULL, 'b', S("{[1.5,2]}"), TXT("{[1.5,2]}")},
    {"money", NULL, 'b', S("-$92,233,720,368,547,758.08"), NUM("-92233720368547758.08")},
    {"money", NULL, 'b', S("$0.05"), NUM("0.05")},
    {"money", NULL, 'b', S("$"), NO("is no value of the type money")},
    /* T54 */
    {"interval", NULL, 'b', S("00:00:00"), TXT("PT0S")},
    {"interval", NULL, 'b', S("1 year 2 mons -3 days +04:05:06.7"), TXT("P1Y2M-3DT4H5M6.7S")},
    {"interval", NULL, 'b', S("-1 years -2 mons"), TXT("P-1Y-2M")},
    {"interval", NULL, 'b', S("-00:00:00.5"), TXT("PT-0.5S")},
    {"interval", NULL, 'b', S("-01:02:03.000004"), TXT("PT-1H-2M-3.000004S")},
    {"interval", NULL, 'b', S("-2562047788:00:54.775808"), TXT("PT-2562047788H-54.775808S")},
    {"interval", NULL, 'b', S("infinity"), TXT("infinity")},
    {"interval", "T54=microseconds", 'b', S("1 day -00:00:01"), NUM("86399000000")},
    {"interval", "T54=microseconds", 'b', S("1 mon"), NO("has no length in microseconds")},
    {"interval", "T54=microseconds", 'b', S("2147483647 days"), NO("more microseconds than a BIGINT holds")},
    /* T55, T56 */
    {"timestamptz", NULL, 'b', S("2024-02-29 22:00:00.000001+00"), VAL_DATETIME, S("2024-02-29 22:00:00.000001")},
    {"timestamp(3)", NULL, 'b', S("9999-12-31 23:59:59.999"), VAL_DATETIME, S("9999-12-31 23:59:59.999")},
    {"timestamp", NULL, 'b', S("0001-01-01 00:00:00"), VAL_DATETIME, S("0001-01-01 00:00:00")},
    {"timestamp", NULL, 'b', S("infinity"), NO("'infinity' lies outside of the years 1 to 9999; correct the row, or choose in Reserve, sluice.types T56: error, null, sentinel:... or text")},
    {"timestamp", NULL, 'b', S("10000-01-01 00:00:00"), NO("lies outside of the years")},
    {"timestamptz", NULL, 'b', S("0044-03-15 12:00:00+00 BC"), NO("lies outside of the years")},
    {"timestamptz", "T56=null", 'b', S("-infinity"), NIL},
    {"timestamptz", "T56=sentinel:1000-01-01..9999-12-31", 'b', S("-infinity"), VAL_DATETIME, S("1000-01-01 00:00:00")},
    {"timestamptz", "T56=sentinel:1000-01-01..9999-12-31", 'b', S("294276-12-31 23:59:59+00"), VAL_DATETIME, S("9999-12-31 00:00:00")},
    {"timestamptz", "T56=text", 'b', S("0044-03-15 12:00:00+00 BC"), TXT("0044-03-15 12:00:00+00 BC")},
    {"timestamptz", "T55=timestamp", 'b', S("2038-01-19 03:14:07.999999+00"), VAL_TIMESTAMP, S("2038-01-19 03:14:07.999999")},
    {"timestamptz", "T55=timestamp", 'b', S("2038-01-19 03:14:08+00"), NO("lies outside of TIMESTAMP")},
    {"timestamp", "T55=timestamp", 'b', S("1970-01-01 00:00:00.999999"), NO("lies outside of TIMESTAMP")},
    {"timestamp", "T55=timestamp", 'b', S("1970-01-01 00:00:01"), VAL_TIMESTAMP, S("1970-01-01 00:00:01")},
    {"date", NULL, 'b', S("9999-12-31"), VAL_DATE, S("9999-12-31")},
    {"date", NULL, 'b', S("0001-12-31 BC"), NO("lies outside of the years")},
    {"date", "T56=sentinel:9999-12-31", 'b', S("infinity"), VAL_DATE, S("9999-12-31")},
    {"date", "T56=text", 'b', S("5874897-12-31"), TXT("5874897-12-31")},
    {"domain:date", "T56=null", 'b', S("infinity"), NIL},
    /* T57 */
    {"time", NULL, 'b', S("24:00:00"), VAL_TIME, S("24:00:00")},
    {"time(3)", NULL, 'b', S("23:59:59.999"), VAL_TIME, S("23:59:59.999")},
    {"timetz", NULL, 'b', S("23:59:59.999999+15:59:59"), TXT("23:59:59.999999+15:59:59")},
    /* T58, T59 */
    {"enum:sad|so 'so'", NULL, 'b', S("so 'so'"), TXT("so 'so'")},
    {"enum:sad|ok ", "T58=varchar", 'b', S("ok "), TXT("ok ")},
    {"row:a=int4;b=text[];c=row:x=bool", NULL, 'y', S("(1,\"{a,NULL}\",\"(t)\")"), JSN("{\"a\": 1, \"b\": [\"a\", null], \"c\": {\"x\": true}}")},
    {"row:a=int4;b=text", NULL, 'a', S("(,\"\")"), TXT("{\"a\": null, \"b\": \"\"}")},
    {"row:a=int4;b=text", "T59=text", 'a', S("(,\"\")"), TXT("(,\"\")")},
    {"row:a=int4;b=text", NULL, 'y', S("(1)"), NO("is not a row of its type")},
    /* T60, T61 */
    {"inet", NULL, 'b', S("192.168.0.0/24"), TXT("192.168.0.0/24")},
    {"inet", "T60=binary", 'b', S("192.168.0.1"), BYT("\xc0\xa8\0\1")},
    {"inet", "T60=binary", 'b', S("::1"), BYT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1")},
    {"inet", "T60=binary", 'b', S("192.168.0.0/24"), NO("is a network, not the address of a host")},
    {"macaddr", "T60=binary", 'b', S("08:00:2b:01:02:03"), BYT("\x08\0\x2b\1\2\3")},
    {"macaddr8", "T60=binary", 'b', S("08:00:2b:01:02:03:04:05"), BYT("\x08\0\x2b\1\2\3\4\5")},
    {"cidr", "T60=binary", 'b', S("10.0.0.0/8"), TXT("10.0.0.0/8")},
    {"bit(10)", NULL, 'b', S("1010000001"), VAL_BIT, S("\x02\x81")},
    {"bit(64)", NULL, 'b', S("1000000000000000000000000000000000000000000000000000000000000001"), VAL_BIT, S("\x80\0\0\0\0\0\0\1")},
    {"bit(10)", "T61=text", 'b', S("1010000001"), TXT("1010000001")},
    {"varbit(9)", NULL, 'b', S(""), TXT("")},
    {"bit(10)", NULL, 'b', S("101"), NO("is no value of the type bit(10)")},
    /* T62, T63 */
    {"xml", NULL, 'b', S("<a>b</a>"), TXT("<a>b</a>")},
    {"point", NULL, 'b', S("(1.5,-2)"), TXT("(1.5,-2)")},
    {"cube", NULL, 'b', S("(1, 2)"), TXT("(1, 2)")},
    {"lo:oid", "T63=number", 'b', S("16400"), NUM("16400")},
    /* T64: POINT(20 10) with SRID 4326, big-endian without SRID, a collection, and what MySQL does not have */
    {"geometry", NULL, 'b', S("0101000020e610000000000000000034400000000000002440"), VAL_GEOMETRY, S("\xE6\x10\0\0\1\1\0\0\0\0\0\0\0\0\0\x34\x40\0\0\0\0\0\0\x24\x40")},
    {"geometry", NULL, 'b', S("000000000140340000000000004024000000000000"), VAL_GEOMETRY, S("\0\0\0\0\1\1\0\0\0\0\0\0\0\0\0\x34\x40\0\0\0\0\0\0\x24\x40")},
    {"geometry", NULL, 'b', S("010700000000000000"), VAL_GEOMETRY, S("\0\0\0\0\1\7\0\0\0\0\0\0\0")},
    {"geometry", NULL, 'b', S("01040000000100000001010000000000000000003440" "0000000000002440"), VAL_GEOMETRY, S("\0\0\0\0\1\4\0\0\0\1\0\0\0\1\1\0\0\0\0\0\0\0\0\0\x34\x40\0\0\0\0\0\0\x24\x40")},
    {"geometry", NULL, 'b', S("0101000080000000000000F03F000000000000F03F000000000000F03F"), NO("the shape has a third or fourth dimension")},
    {"geometry", NULL, 'b', S("0101000000000000000000F87F000000000000F87F"), NO("the shape is an empty point")},
    {"geometry", NULL, 'b', S("010200000000000000"), NO("the shape has an empty part")},
    {"geometry", NULL, 'b', S("010600000000000000"), NO("the shape is an empty shape")},
    {"geometry", NULL, 'b', S("010800000000000000"), NO("the shape is a kind of shape (curve, surface)")},
    {"geometry", NULL, 'b', S("0102000000ffffffff"), NO("is no value of the type geometry")},
    {"geometry", "T64=bytes", 'b', S("0101000000000000000000F87F000000000000F87F"), BYT("\1\1\0\0\0\0\0\0\0\0\0\xf8\x7f\0\0\0\0\0\0\xf8\x7f")},
};

static void make_column(fixture *f, const char *type, const char *choices, bool mariadb)
{
    err e = ERR_INIT;
    *f = (fixture){.choices = split_choices(choices), .options = {.target_mariadb = mariadb}};
    fixture_add_key(fixture_add(f, "shop", "t", arena_printf(&mem, "k int4 not null\nc %s", type).p), "t_pkey", true, true, 1, 0, 0);
    if (!fixture_make(f, &e)) fail_msg("%s: %s", type, e.text);
}

static void check_value(fixture *f, const value_case *k, val_kind given)
{
    err e = ERR_INIT;
    row_batch *b = row_batch_new(f->list[0], 0);
    val *row = row_batch_add(b);
    char *exact = malloc(k->given.n); /* so that a byte read behind it is found */
    memcpy(exact, k->given.p, k->given.n);
    row[0] = (val){.kind = VAL_NUMBER, .u.p = "7", .n = 1};
    row[1] = (val){.kind = (uint8_t)given, .u.p = exact, .n = (uint32_t)k->given.n};
    bool ok = mapping_convert_rows(f->m, b, &e);
    if (k->kind == VAL_ABSENT) {
        assert_true(ok || e.code == ERR_NOT_SUPPORTED);
        if (ok || !strstr(e.text, k->text.p) || !strstr(e.text, "table shop.t, row with k 7: column c:")) fail_msg("%s: '%s' is not '%s'", k->type, ok ? "taken" : e.text, k->text.p);
    } else if (!ok) {
        fail_msg("%s %.*s: %s", k->type, STR_ARG(k->given), e.text);
    } else if (row[1].kind != k->kind) {
        fail_msg("%s %.*s: kind %u, not %u", k->type, STR_ARG(k->given), row[1].kind, k->kind);
    } else if (k->kind == VAL_F32 || k->kind == VAL_F64) {
        assert_string_equal(arena_printf(&mem, "%.17g", row[1].u.f).p, k->text.p);
    } else if (k->kind != VAL_NULL && !str_eq(val_bytes(&row[1]), k->text)) {
        fail_msg("%s %.*s: '%.*s'", k->type, STR_ARG(k->given), STR_ARG(val_bytes(&row[1])));
    }
    row_batch_free(b);
    free(exact);
}

static val_kind source_kind(const fixture *f)
{
    col_type t = f->tables[0].columns[1].type;
    return t <= COL_DECIMAL ? VAL_NUMBER : VAL_TEXT;
}

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int mariadb = 0; mariadb < 2; mariadb++) {
            fixture f;
            if (cases[i].target == (mariadb ? 'y' : 'a')) continue;
            make_column(&f, cases[i].type, cases[i].choices, mariadb);
            check_value(&f, &cases[i], source_kind(&f));
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
        make_column(&f, cases[i].type, cases[i].choices, cases[i].target == 'a');
        row_batch *b = row_batch_new(f.list[0], 0);
        for (unsigned kind = VAL_ABSENT; kind <= VAL_UNCHANGED; kind++) row_batch_add(b)[1].kind = (uint8_t)kind;
        assert_true(mapping_convert_rows(f.m, b, &e));
        for (unsigned kind = VAL_ABSENT; kind <= VAL_UNCHANGED; kind++) assert_int_equal(b->vals[kind * 2 + 1].kind, kind);
        row_batch_free(b);
        fixture_finish(&f);
    }
}

/* Any bytes in any column, and what is left of a value that is cut: an error or a value, never a crash. */
static void test_any_bytes(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture f;
        make_column(&f, cases[i].type, cases[i].choices, cases[i].target == 'a');
        for (uint32_t round = 0; round < 200 + cases[i].given.n; round++) {
            err e = ERR_INIT;
            row_batch *b = row_batch_new(f.list[0], 0);
            val *row = row_batch_add(b);
            bool cut = round >= 200;
            uint32_t n = cut ? round - 200 : (uint32_t)(seed >> 50) % 65;
            char *bytes = malloc(n);
            for (uint32_t k = 0; k < n; k++) {
                seed = seed * 6364136223846793005ull + 1442695040888963407ull;
                bytes[k] = cut ? cases[i].given.p[k] : cases[i].given.n && round % 3 ? cases[i].given.p[(seed >> 33) % cases[i].given.n] : (char)(seed >> 40);
            }
            row[1] = (val){.kind = (uint8_t)(round % 2 ? VAL_TEXT : VAL_NUMBER), .u.p = bytes, .n = n};
            bool ok = mapping_convert_rows(f.m, b, &e);
            assert_true(ok || e.code == ERR_NOT_SUPPORTED);
            row_batch_free(b);
            free(bytes);
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
    assert_false(my_set_bytes(&v, VAL_BYTES, ((str){"", (size_t)UINT32_MAX + 1}), &t));
    assert_true(str_find(t.what, STR("4 GiB or more")) != SIZE_MAX);
    assert_false(my_set_bytes(&v, VAL_BYTES, STR_NULL, &t));
    assert_null(t.what.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values, start, finish),
        cmocka_unit_test_setup_teardown(test_no_values, start, finish),
        cmocka_unit_test_setup_teardown(test_any_bytes, start, finish),
        cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests_name("mapping_my_values", tests, NULL, NULL);
}
