"""The type matrix of PostgreSQL to MySQL and MariaDB: rules T40 to T67 with their defaults, and with what a user may choose.

An expected text is the value as it was written, or, where a case gives none, what PostgreSQL's output function writes.
"""

import dataclasses

import type_matrix_pg
from type_matrix import NULL, READ_REAL, Column, as_double, as_single, exact_json
from type_matrix_pg import literal
from type_matrix_to_pg import DOUBLES, FLOATS, WORDS, decimals, integers

HEX = "LOWER(HEX({v}))"
LONG = "longtext"


def plain(sql_type, becomes, *values, **more):
    """Values that arrive as they are written."""
    return Column(sql_type, becomes, tuple((literal(v), v) for v in values), **more)


def pairs(sql_type, becomes, cases, **more):
    return Column(sql_type, becomes, tuple((literal(v), text) for v, text in cases.items()), **more)


def own(sql_type, becomes, *values, **more):
    """Values that arrive as PostgreSQL writes them."""
    return Column(sql_type, becomes, tuple((literal(v), None) for v in values), **more)


def texts(sql_type, becomes, values, strip=False, **more):
    return Column(sql_type, becomes, tuple((literal(v), (v.rstrip(" ") if strip else v).encode().hex()) for v in values), HEX, **more)


def octets(values):
    return tuple((literal("\\x" + v.hex()), v.hex()) for v in values)


def bits(n, becomes=None, choice=""):
    values = sorted({0, 1, 2 ** n - 1, 2 ** (n - 1), 2 ** n // 3})
    return Column(f"bit({n})", becomes or f"bit({n})", tuple((f"B'{v:0{n}b}'", f"{v:0{n}b}" if becomes else f"{v:b}") for v in values),
                  "{v}" if becomes else "BIN({v})", choice=choice)


def floats(values):
    return tuple((literal(repr(v)), repr(v)) for v in values)


SINGLE = {"read": READ_REAL, "normal": as_single}
DOUBLE = {"read": READ_REAL, "normal": as_double}

# --- numbers: T40 to T42, T53, T61 ---

NUMBERS = [
    pairs("boolean", "tinyint(1)", {"t": "1", "f": "0"}), pairs("boolean", "bit(1)", {"t": "1", "f": "0"}, read="BIN({v})", choice="bit"),
    *(Column(name, my, integers(size, False)) for name, size, my in [("smallint", 16, "smallint"), ("integer", 32, "int"), ("bigint", 64, "bigint")]),
    plain("oid", "int unsigned", "0", "1", "4294967295"),
    Column("numeric", "decimal(65,30)", decimals(65, 30, "0.1", "-1", "12345678901234567890123456789012345", "0.000000000000000000000000000001")),
    Column("numeric(65,30)", "decimal(65,30)", decimals(65, 30, "1.5")), Column("numeric(65)", "decimal(65,0)", decimals(65, 0, "1")),
    Column("numeric(30,30)", "decimal(30,30)", decimals(30, 30)), Column("numeric(18,9)", "decimal(18,9)", decimals(18, 9, "1.000000001", "100000000.1")),
    Column("numeric(19,10)", "decimal(19,10)", decimals(19, 10)), Column("numeric(10,2)", "decimal(10,2)", decimals(10, 2, "1.5", "-1.05")),
    Column("numeric(1)", "decimal(1,0)", decimals(1, 0)), plain("numeric(3,-2)", "decimal(5,0)", "12300", "-99900", "0"),
    plain("numeric(2,5)", "decimal(5,5)", "0.00099", "-0.00001", "0.00000"), plain("numeric(66,2)", "decimal(65,30)", "0." + "0" * 30),
    plain("numeric", LONG, "9" * 200, "-" + "9" * 100 + "." + "9" * 100, "1" + "0" * 100, "1.10", choice="T41=text"),
    plain("numeric", LONG, "NaN", "Infinity", "-Infinity", "1.10", choice="T42=text"),
    pairs("numeric(10,2)", "decimal(10,2)", {"NaN": NULL, "1": "1.00"}, choice="null"),
    Column("real", "float", floats(FLOATS), **SINGLE), Column("double precision", "double", floats(DOUBLES), **DOUBLE),
    own("double precision", "varchar(32)", "NaN", "-Infinity", "Infinity", "0.30000000000000004", "5e-324", choice="text"),
    pairs("real", "float", {"NaN": NULL, "-Infinity": NULL, "1.5": "1.5"}, choice="null", **SINGLE),
    pairs("money", "decimal(20,2)", {"0": "0.00", "-0.01": "-0.01", "1234567.89": "1234567.89", "92233720368547758.07": "92233720368547758.07",
                                     "-92233720368547758.08": "-92233720368547758.08"}),
    *(bits(n) for n in (1, 7, 8, 9, 33, 63, 64)), bits(70, "varchar(70)"), bits(10, "varchar(10)", "text"),
    plain("bit varying(9)", "varchar(9)", "", "0", "010101010"), plain("bit varying", LONG, "", "0" * 9, "1" * 300),
]

# --- texts and bytes: T43 to T45, T49 to T51, T62, T66 ---

BYTES = (b"", b"\0", b"\0\0a\0", bytes(range(256)), b"\\x00", b"   ", b"\r\n\t\\'\"\x1a")
STRINGS = [
    texts("text", LONG, [*WORDS, "漢" * 30000, "\\" * 300]), texts("character varying(255)", "varchar(255)", WORDS), texts("character varying", LONG, ["", "é" * 10]),
    texts("character varying(20000)", LONG, ["", "\U0001f600" * 20000]),
    texts("character(255)", "char(255)", [*(w.rstrip(" ") for w in WORDS), "  both  "], strip=True), texts("character(300)", "varchar(300)", ["", "a ", "x" * 300], strip=True),
    texts("character(1)", "char(1)", ["", "\U0001f600"]), texts('"char"', LONG, ["", "a"]), texts("name", "varchar(63)", ["", "a", "x" * 63, "grün"]),
    texts("text", "mediumtext", ["", "m" * 70000], choice="mediumtext"), texts("text", "text", ["", "漢" * 21845], choice="T43=text"),
    texts("text", "varchar(10)", ["", "\U0001f600" * 10, "ends  "], choice="varchar:10"),
    Column("text", LONG, (("'Aß'", "utf8mb4_general_ci Aß"),), "CONCAT(COLLATION({v}), ' ', {v})", choice="collation:utf8mb4_general_ci"),
    Column("bytea", "longblob", octets([*BYTES, b"\0" * 5000]), HEX), Column("bytea", "varbinary(256)", octets(BYTES), HEX, choice="varbinary:256"),
    plain("uuid", "char(36)", *type_matrix_pg.UUIDS), Column("uuid", "binary(16)", tuple((literal(v), v.replace("-", "")) for v in type_matrix_pg.UUIDS), HEX, choice="binary"),
    own("xml", LONG, "<a/>", "<a b=\"c\">grün &amp; <![CDATA[x]]></a>", "text only"), own("tsvector", LONG, "", "'it''s':1A,2B 'x y':3 fat:4,16383"),
    own("tsquery", LONG, "", "a & b | !c", "'it''s':AB* <-> x"), own("pg_lsn", "varchar(17)", "0/0", "FFFFFFFF/FFFFFFFF"), own("xid8", LONG, "0", "18446744073709551615"),
    own("jsonpath", LONG, "$", '$."a"[*] ? (@ > 1)'), own("tid", LONG, "(0,1)"), own("regclass", LONG, "pg_class"), own("int2vector", LONG, "1 2 3"),
]

# --- JSON: T46 to T48, T59 ---

JSONS = ("null", "true", "false", "0", "-1", "9223372036854775807", "18446744073709551615", "-9223372036854775808", "1.5", "1.50", "-0.25", "1e100", "0.30000000000000004",
         '""', '"grün 日本 \U0001f600 \\u00e9"', '"\\" \\\\ \\/ \\b\\f\\n\\r\\t"', '"\\u0001\\u001f"', "[]", "{}", '[1, [2, [3, {"a": []}]]]',
         '{"b": 1, "a": {"c": null}, "": "empty name"}', '["' + "x" * 70000 + '"]', "[" * 31 + "]" * 31)
EXACT_JSONS = ('{ "a" : 1,  "a":2 }', "123456789012345678901234567890.5", "1e400", '"\\ud83d\\ude00"')


def json_of(sql_type, cases, **more):
    return Column(sql_type, "json", tuple((literal(v), text) for v, text in cases.items()), normal=exact_json, **more)


STRUCTURES = [
    json_of("json", {v: v for v in JSONS}), json_of("jsonb", {v: v for v in JSONS}), plain("json", LONG, *EXACT_JSONS, choice="text"),
    own("jsonb", LONG, '{"a":1,"a":2,"bb":3}', "123456789012345678901234567890.5", choice="text"),
    json_of("integer[]", {"{}": "[]", "{1,NULL,-3}": "[1,null,-3]", "{{1,2},{3,4}}": "[[1,2],[3,4]]", "{{{1}}}": "[[[1]]]", "{2147483647,-2147483648}": "[2147483647,-2147483648]"}),
    json_of("text[]", {'{a,"b c",NULL,"NULL","",",","{}","\\"","\\\\"}': '["a","b c",null,"NULL","",",","{}","\\"","\\\\"]',
                       '{"tab\t","new\nline",grün,日本}': '["tab\\t","new\\nline","grün","日本"]'}),
    json_of("numeric[]", {"{1.10,-0.001,NULL,123456789012345}": "[1.10,-0.001,null,123456789012345]"}), json_of("bigint[]", {"{9223372036854775807}": "[9223372036854775807]"}),
    json_of("boolean[]", {"{t,f,NULL}": "[true,false,null]"}), json_of("bytea[]", {'{"\\\\x00ff",NULL}': '["\\\\x00ff",null]'}),
    json_of("double precision[]", {"{0.1,1e+300,-2.5}": "[0.1,1e300,-2.5]"}), json_of("jsonb[]", {'{"{\\"a\\": [1, null]}",NULL,"null"}': '[{"a":[1,null]},null,null]'}),
    json_of("timestamp with time zone[]", {'{"2024-02-29 23:59:59.5+00",infinity}': '["2024-02-29 23:59:59.5+00","infinity"]'}),
    json_of("date[]", {'{"0001-01-01 BC"}': '["0001-01-01 BC"]'}), json_of("box[]", {"{(1,1),(0,0);(2,2),(1,1)}": '["(1,1),(0,0)","(2,2),(1,1)"]'}),
    json_of("{s}.mood[]", {'{sad,"so so",NULL,""}': '["sad","so so",null,""]'}),
    json_of("{s}.pair", {"(1,a)": '{"a":1,"B b":"a"}', "(,)": '{"a":null,"B b":null}', '(,"")': '{"a":null,"B b":""}',
                         '(-1,"quote "" and \\\\ back, comma")': '{"a":-1,"B b":"quote \\" and \\\\ back, comma"}'}),
    json_of("{s}.pair[]", {'{"(1,a)","(,)",NULL}': '[{"a":1,"B b":"a"},{"a":null,"B b":null},null]'}),
    json_of("{s}.nested", {'("(1,a)","{""(2,\\\\""b c\\\\"")"",NULL}",sad,0.001,"{""a"": [1, null]}","2024-02-29 23:59:59.5+00")':
                           '{"p":{"a":1,"B b":"a"},"list":[{"a":2,"B b":"b c"},null],"m":"sad","d":0.001,"j":{"a":[1,null]},"at":"2024-02-29 23:59:59.5+00"}'}),
    own("integer[]", LONG, "{}", "[0:1]={5,6}", "[-1:0][2:3]={{1,2},{3,4}}", choice="text"), own("{s}.pair", LONG, '(1,"a b")', "(,)", choice="text"),
]

# --- dates and times: T54 to T57 ---


def moments(values, digits=6, zone=""):
    def text(value):
        whole, _, fraction = value.partition(".")
        return whole + ("." + fraction.ljust(digits, "0") if digits else "")
    return tuple((literal(v + zone), text(v)) for v in values)


DAYS = ("0001-01-01", "1582-10-10", "1000-01-01", "1970-01-01", "2024-02-29", "9999-12-31")
MOMENTS = ("0001-01-01 00:00:00", "0001-01-01 00:00:00.000001", "1582-10-15 00:00:00.1", "1970-01-01 00:00:00", "2024-02-29 23:59:59.5", "2024-03-31 02:30:00",
           "9999-12-31 23:59:59.999999")
TIMES = ("00:00:00", "00:00:00.000001", "12:00:00.1", "23:59:59.999999", "24:00:00")
STAMPS = ("1970-01-01 00:00:01", "2001-09-09 01:46:40.123456", "2038-01-19 03:14:07.999999")
OUTSIDE = ("infinity", "-infinity", "4713-01-01 BC", "0001-12-31 BC")
ISO = {"0": "PT0S", "1 microsecond": "PT0.000001S", "-1 microsecond": "PT-0.000001S", "1 year 2 months -3 days 04:05:06.789": "P1Y2M-3DT4H5M6.789S",
       "-1 year -2 months +3 days -04:05:06.000001": "P-1Y-2M3DT-4H-5M-6.000001S", "178000000 years": "P178000000Y", "1 month -1 day": "P1M-1D",
       "2147483647 days": "P2147483647D", "2562047788:00:54.775807": "PT2562047788H54.775807S", "1 day -24:00:00": "P1DT-24H", "13 months": "P1Y1M"}
DATES = [
    plain("date", "date", *DAYS), Column("timestamp without time zone", "datetime(6)", moments(MOMENTS)),
    Column("timestamp with time zone", "datetime(6)", moments(MOMENTS, zone="+00")), pairs("timestamp with time zone", "datetime(6)", {
        "2024-02-29 23:59:59.5+05:30": "2024-02-29 18:29:59.500000", "2024-01-01 00:00:00-12": "2024-01-01 12:00:00.000000"}),
    Column("timestamp(0) without time zone", "datetime", moments(["2024-02-29 23:59:59"], 0)),
    Column("timestamp(3) with time zone", "datetime(3)", moments(["2024-02-29 23:59:59.123"], 3, "+00")),
    Column("time without time zone", "time(6)", moments(TIMES)), Column("time(2) without time zone", "time(2)", moments(["12:00:00.12"], 2)),
    own("time with time zone", "varchar(24)", "00:00:00+00", "23:59:59.999999-15:59", "24:00:00+15:59", "12:00:00+05:30:15"),
    pairs("interval", "varchar(64)", ISO), pairs("interval(2)", "varchar(64)", {"1.23 seconds": "PT1.23S"}), pairs("interval year to month", "varchar(64)", {"-5 months": "P-5M"}),
    pairs("interval", "bigint", {"0": "0", "-1 microsecond": "-1", "1 day 00:00:01.5": "86401500000", "-100000000 days": "-8640000000000000000"}, choice="microseconds"),
    Column("timestamp with time zone", "timestamp(6)", moments(STAMPS, zone="+00"), choice="timestamp"),
    Column("timestamp without time zone", "timestamp(6)", moments(STAMPS), choice="timestamp"),
    pairs("date", "date", {**dict.fromkeys((*OUTSIDE, "5874897-12-31"), NULL), "2024-02-29": "2024-02-29"}, choice="null"),
    pairs("date", "date", {"infinity": "9999-12-31", "-infinity": "0001-01-01", "0001-12-31 BC": "0001-01-01", "10000-01-01": "9999-12-31"},
          choice="sentinel:0001-01-01..9999-12-31"),
    own("date", "varchar(16)", *OUTSIDE, "5874897-12-31", "2024-02-29", choice="text"),
    pairs("timestamp without time zone", "datetime(6)", {"infinity": NULL, "0001-12-31 23:59:59.999999 BC": NULL, "294276-12-31 23:59:59.999999": NULL}, choice="null"),
    pairs("timestamp with time zone", "datetime(6)", {"infinity": "1900-01-01 00:00:00.000000", "-infinity": "1900-01-01 00:00:00.000000"}, choice="sentinel:1900-01-01"),
    own("timestamp with time zone", "varchar(36)", "infinity", "0001-12-31 23:59:59.999999+00 BC", "294276-12-31 23:59:59.999999+00", "2024-02-29 12:00:00+00", choice="text"),
]

# --- the rest: T50, T52, T58 to T60 ---

PLACES = [
    plain("inet", "varchar(43)", "0.0.0.0", "192.168.0.1/24", "255.255.255.255", "::", "2001:db8::1/64", "::ffff:1.2.3.4"),
    plain("cidr", "varchar(43)", "0.0.0.0/0", "10.0.0.0/8", "::/0", "2001:db8::/32", "::1/128"), plain("macaddr", "varchar(23)", "00:00:00:00:00:00", "08:00:2b:01:02:ff"),
    plain("macaddr8", "varchar(23)", "08:00:2b:01:02:03:04:05", "ff:ff:ff:ff:ff:ff:ff:ff"),
    pairs("inet", "varbinary(16)", {"0.0.0.0": "0" * 8, "192.168.0.1": "c0a80001", "::1": "0" * 31 + "1", "2001:db8::ff": "20010db80000000000000000000000ff"}, read=HEX, choice="binary"),
    pairs("macaddr", "varbinary(16)", {"08:00:2b:01:02:ff": "08002b0102ff"}, read=HEX, choice="binary"),
    *(own(name, LONG, *values) for name, values in [
        ("point", ("(0,0)", "(-0,1e300)", "(NaN,Infinity)", "(0.1,-0.30000000000000004)")), ("line", ("{1,2,3}",)), ("lseg", ("[(0,0),(1,-1)]",)),
        ("box", ("(1,1),(0,0)",)), ("path", ("[(0,0),(1,1)]",)), ("polygon", ("((0,0),(1,1),(2,0))",)), ("circle", ("<(0.1,-0.1),0>",))]),
    own("int4range", "varchar(80)", "empty", "[1,5)", "(,)", "[,5)", "[2147483646,)"), own("int8range", "varchar(80)", "[-9223372036854775808,0)"),
    own("numrange", LONG, "empty", "[1.10,NaN)", "(0.1,0.2]", "[Infinity,)"), own("daterange", "varchar(80)", "[2024-01-01,2024-02-01)", "[,infinity]", "empty"),
    own("tsrange", "varchar(80)", '["2024-01-01 00:00:00","2024-01-02 00:00:00.000001")', '[,"0001-01-01 00:00:00 BC")'), own("tstzrange", "varchar(80)", '["2024-01-01 00:00:00+00",)'),
    own("int4multirange", LONG, "{}", "{[1,3),[5,7)}"), own("datemultirange", LONG, "{[2024-01-01,2024-01-02),[2024-02-01,)}"), own("{s}.floatrange", LONG, "[0.1,0.30000000000000004)"),
    texts("{s}.mood", "enum('sad','so so','it''s','a,b','grün','')", ["sad", "so so", "it's", "a,b", "grün", ""]),
    texts("{s}.mood", "varchar(63)", ["sad", "it's", "grün", ""], choice="varchar"), plain("{s}.positive", "decimal(12,3)", "0.001", "999999999.999"),
]
_EXTENSIONS = {
    "hstore": [json_of("public.hstore", {"": "{}", '"a"=>"1", "b"=>NULL': '{"a":"1","b":null}', '"quo\\"te"=>"back\\\\slash", ""=>""': '{"quo\\"te":"back\\\\slash","":""}',
                                         '"grün"=>"日本"': '{"grün":"日本"}'}), own("public.hstore", LONG, '"a"=>"1", "b"=>NULL', choice="text")],
    "citext": [texts("public.citext", LONG, ["", "aA", "GRÜN", "\\N"])],
    "ltree": [own("public.ltree", LONG, "", "Top.Science.Astronomy")],
    "cube": [own("public.cube", LONG, "(1, 2, 3)", "(0.1, 0.30000000000000004),(1, -1)")],
    "isn": [own("public.isbn13", LONG, "978-0-393-04002-9")],
    "lo": [plain("public.lo", "int unsigned", "0", "4294967295", choice="number")],
}
_MARIADB = [plain("uuid", "uuid", *type_matrix_pg.UUIDS, choice="native"), plain("json", LONG, "1e400", '{"a": 1, "a": 2}', "123456789012345678901234567890.5")]
_MYSQL = [plain("double precision", "double", "-0", **DOUBLE),  # MariaDB 10.11 shows no sign of zero, whoever writes it
          json_of("jsonb", {"[" * 100 + "]" * 100: "[" * 100 + "]" * 100})]
_COMMON = [*NUMBERS, *STRINGS, *STRUCTURES, *DATES, *PLACES]


def _of_mariadb(columns):
    """Its JSON is a LONGTEXT."""
    return [dataclasses.replace(column, becomes=LONG) if column.becomes == "json" else column for column in columns]


COLUMNS = {"mariadb": _of_mariadb(_COMMON) + _MARIADB, "mysql": _COMMON + _MYSQL}
EXTENSIONS = {"mariadb": {name: _of_mariadb(columns) for name, columns in _EXTENSIONS.items()}, "mysql": _EXTENSIONS}
