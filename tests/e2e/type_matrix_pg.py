"""The type matrix of PostgreSQL to PostgreSQL: every type keeps its name, and its values the text that the source's own output function writes.

A case is SQL at the source; what must arrive is that server's text of it, and the digits of its send function where the type has one (-0, NaN).
"""

from type_matrix import Column


def same(sql_type, *values, **more):
    """A column whose values are literals of its type."""
    return Column(sql_type, None, tuple((literal(v), None) for v in values), **more)


def literal(text):
    """With the backslashes as they are: the tests' sessions have standard_conforming_strings."""
    return "'" + text.replace("'", "''") + "'"


TEXTS = ("", "a", " a ", "grün", "日本語", "\U0001f600\U0010ffff", "e\u0301", "tab\tline\nreturn\rback\\slash", "\\N", "\\.", "'\"`", "NULL", "{}",
         "%s $1", "\x01\x1f\x7f\x08\x0b\x0c", "x" * 300)
NUMERIC_EDGES = ("0", "-0", "1", "-1", "NaN", "Infinity", "-Infinity", "0.1", "1.10", "1e-30",
                 "123456789012345678901234567890.123456789012345678901234567890", "9" * 200, "-" + "9" * 100 + "." + "9" * 100, "1e1000", "10000",
                 "9999", "0.0001", "0.00001000")
FLOAT_EDGES = ("0", "-0", "1", "NaN", "Infinity", "-Infinity", "0.1", "3.4028235e38", "-3.4028235e38", "1.17549435e-38", "1e-45", "16777216", "0.33333334")
MOMENTS = ("infinity", "-infinity", "4713-01-01 00:00:00 BC", "0001-12-31 23:59:59.999999 BC", "0001-01-01 00:00:00", "1582-10-15 00:00:00.000001",
           "1970-01-01 00:00:00", "2000-01-01 00:00:00", "2024-02-29 23:59:59.5", "9999-12-31 23:59:59.999999", "294276-12-31 23:59:59.999999")
INTERVALS = ("0", "1 microsecond", "-1 microsecond", "1 year 2 months -3 days 04:05:06.789", "-1 year -2 months +3 days -04:05:06.000001",
             "178000000 years", "-178000000 years", "1 month -1 day", "-1 month 1 day", "2147483647 days", "2562047788:00:54.775807", "24:00:00",
             "1 day -24:00:00")
UUIDS = ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "123e4567-e89b-12d3-a456-426655440000")
JSONS = ("null", "true", "0", "-0", "1.50", "1e400", '""', '"grün \\u00e9 \\\\ \\" \\n"', "[]", "{}", '{"b": 1, "a": [1, {"c": null}], "": "x"}',
         "123456789012345678901234567890.5", '["' + "x" * 5000 + '"]')

NUMBERS = [
    same("smallint", "0", "-32768", "32767"), same("integer", "0", "-1", "-2147483648", "2147483647"),
    same("bigint", "0", "-1", "-9223372036854775808", "9223372036854775807"),
    same("numeric", *NUMERIC_EDGES), same("numeric(10,2)", "0", "99999999.99", "-99999999.99", "NaN", "0.01", "1.10"),
    same("numeric(3,-2)", "12300", "-99900", "0"), same("numeric(2,5)", "0.00099", "-0.00001"),
    same("numeric(1000,500)", "1", "-0.5", "1e400"),
    same("real", *FLOAT_EDGES), same("double precision", *FLOAT_EDGES, "1.7976931348623157e308", "2.2250738585072014e-308", "5e-324", "0.30000000000000004",
         "9007199254740993", "1e15", "1e16"),
    same("money", "0", "-0.01", "1234567.89", "92233720368547758.07", "-92233720368547758.08"), same("boolean", "t", "f"), same("oid", "0", "1", "4294967295"),
    same("pg_lsn", "0/0", "FFFFFFFF/FFFFFFFF", "16/B374D848"), same("bit(1)", "0", "1"), same("bit(10)", "0000000000", "1111111111", "1000000001"),
    same("bit varying", "", "1", "0" * 9, "1" * 300),
    same("bit varying(5)", "", "10101"), same("xid8", "0", "18446744073709551615"), same("xid", "0", "4294967295"), same("cid", "5"),
    same("tid", "(0,1)", "(4294967295,65535)"),
]
STRINGS = [
    same("text", *TEXTS, "漢" * 30000), same("character varying(300)", *TEXTS), same("character varying", "", "é" * 10),
    same("character(10)", "", "a", "  b", "grün", "0123456789", "tab\t"), same("character(1)", "", "x"),
    same('"char"', "", "a", "\\377", "\\001"), same("name", "", "a", "x" * 63, "grün"),
    same("bytea", "\\x", "\\x00", "\\xff" * 1, "\\x" + bytes(range(256)).hex(), "\\x5c5c78", "\\x0909", "\\x" + "00" * 5000), same("uuid", *UUIDS),
    same("json", *JSONS, '{ "a" : 1,  "a":2 }', '"\\ud83d\\ude00 \\u0000"'), same("jsonb", *JSONS, '{"a":1,"a":2,"bb":3}'),
    same("jsonpath", "$", '$."a"[*] ? (@ > 1)', "strict $.a.b"),
    same("xml", "<a/>", "<a b=\"c\">grün &amp; <![CDATA[x]]></a>", "text only", "<a/><b/>"),
    same("tsvector", "", "a", "'it''s':1A,2B 'x y':3 fat:4,16383", "'back\\\\slash'"), same("tsquery", "", "a & b | !c", "'it''s':AB* <-> x", "(a | b) <3> c"),
]
TIMES = [
    same("date", "infinity", "-infinity", "4713-01-01 BC", "0001-12-31 BC", "0001-01-01", "2024-02-29", "9999-12-31", "5874897-12-31"),
    same("timestamp without time zone", *MOMENTS), same("timestamp with time zone",
         *(m if "inf" in m else f"{m.removesuffix(' BC')}+00{' BC' if 'BC' in m else ''}" for m in MOMENTS)),
    same("timestamp(0) without time zone", "2024-02-29 23:59:59", "infinity"), same("timestamp(3) with time zone", "2024-02-29 23:59:59.123+05:30",
         "-infinity"),
    same("time without time zone", "00:00:00", "23:59:59.999999", "24:00:00", "12:00:00.1"), same("time(2) without time zone", "12:00:00.12"),
    same("time with time zone", "00:00:00+00", "23:59:59.999999-15:59", "24:00:00+15:59", "12:00:00+05:30:15"), same("time(0) with time zone", "12:00:00-08"),
    same("interval", *INTERVALS), same("interval(2)", "1.23 seconds"), same("interval year to month", "1 year 2 months", "-5 months"),
    same("interval day to second(3)", "1 day 02:03:04.567"),
]
PLACES = [
    same("inet", "0.0.0.0", "192.168.0.1/24", "255.255.255.255", "::", "2001:db8::1/64", "::ffff:1.2.3.4"),
    same("cidr", "0.0.0.0/0", "10.0.0.0/8", "::/0", "2001:db8::/32", "::1/128"),
    same("macaddr", "00:00:00:00:00:00", "08:00:2b:01:02:ff"), same("macaddr8", "08:00:2b:01:02:03:04:05", "ff:ff:ff:ff:ff:ff:ff:ff"),
    same("point", "(0,0)", "(-0,1e300)", "(NaN,Infinity)", "(0.1,-0.30000000000000004)"), same("line", "{1,2,3}", "{-1,0,0.5}"),
    same("lseg", "[(0,0),(1,-1)]"), same("box", "(1,1),(0,0)", "(1e300,2),(-1e300,-2)"),
    same("path", "[(0,0),(1,1)]", "((0,0),(1,1),(2,0))"), same("polygon", "((0,0),(1,1),(2,0))", "((0.1,0.2))"), same("circle", "<(0,0),1>", "<(0.1,-0.1),0>"),
]
ARRAYS = [
    same("integer[]", "{}", "{1,NULL,-3}", "{{1,2},{3,4}}", "[0:1]={5,6}", "[-1:0][2:3]={{1,2},{3,4}}", "{{{1}}}"),
    same("text[]", "{}", '{a,"b c",NULL,"NULL","",",","{}","\\"","\\\\"}', '{"tab\t","new\nline",grün,日本}'), same("character varying(5)[]", "{abc,NULL}"),
    same("numeric[]", "{1.10,NaN,Infinity,NULL}"),
    same("double precision[]", "{-0,NaN,0.1,Infinity}"), same("boolean[]", "{t,f,NULL}"), same("bytea[]", '{"\\\\x00ff",NULL,"\\\\x"}'),
    same("timestamp with time zone[]", '{"2024-02-29 23:59:59.5+00",infinity,NULL}'),
    same("date[]", '{"0001-01-01 BC",infinity}'), same("interval[]", '{"1 mon -1 days","00:00:00.000001"}'), same("uuid[]", f"{{{UUIDS[2]},NULL}}"),
    same("jsonb[]", '{"{\\"a\\": [1, null]}",NULL,"null"}'), same("point[]", '{"(1,2)",NULL}'), same("box[]", "{(1,1),(0,0);(2,2),(1,1)}"),
    same("inet[]", "{10.0.0.1,::1/64}"), same("bit(3)[]", "{101,000}"), same("money[]", '{$1.00,"-$1,234.50"}'), same("tsvector[]", "{\"'a':1 'b'\"}"),
    same("xml[]", "{<a/>}", ),
]
RANGES = [
    same("int4range", "empty", "[1,5)", "(,)", "[,5)", "[2147483646,)"), same("int8range", "[-9223372036854775808,0)"),
    same("numrange", "empty", "[1.10,NaN)", "(0.1,0.2]", "(,5]", "[Infinity,)"),
    same("tsrange", '["2024-01-01 00:00:00","2024-01-02 00:00:00.000001")', "[-infinity,infinity]", '[,"0001-01-01 00:00:00 BC")'),
    same("tstzrange", '["2024-01-01 00:00:00+00",)', "empty"),
    same("daterange", "[2024-01-01,2024-02-01)", "[,infinity]", "empty"), same("int4range[]", '{"[1,5)",empty,NULL}'),
    same("int4multirange", "{}", "{[1,3),[5,7)}", "{(,)}"), same("nummultirange", "{[1.0,2.0],(3.5,)}"),
    same("datemultirange", "{[2024-01-01,2024-01-02),[2024-02-01,)}"), same("tstzmultirange", '{["2024-01-01 00:00:00+00","2024-01-02 00:00:00+00")}'),
]
CATALOG = [same(name, value) for name, value in [("regclass", "pg_class"), ("regtype", "integer"), ("regproc", "now"), ("regprocedure", "abs(integer)"),
     ("regoper", "pg_catalog.||/"), ("regoperator", "+(integer,integer)"),
                                                   ("regrole", "pg_monitor"), ("regnamespace", "pg_catalog"), ("regconfig", "english"),
                                                   ("regdictionary", "simple"), ("regcollation", '"C"')]]

# Made in the schema of the job; {s} is its name.
OWN_TYPES = """
    CREATE TYPE {s}.mood AS ENUM ('sad', 'so so', 'it''s', 'a,b', 'grün', '');
    CREATE DOMAIN {s}.positive AS numeric(12,3) CHECK (VALUE > 0);
    CREATE DOMAIN {s}.words AS text[] NOT NULL DEFAULT '{{}}';
    CREATE TYPE {s}.pair AS (a int, "B b" text);
    CREATE TYPE {s}.nested AS (p {s}.pair, list {s}.pair[], m {s}.mood, d {s}.positive, j jsonb, at timestamptz);
    CREATE TYPE {s}.floatrange AS RANGE (subtype = float8, subtype_diff = float8mi);
"""
OWN = [
    same("{s}.mood", "sad", "so so", "it's", "a,b", "grün", ""), same("{s}.mood[]", '{sad,"so so",NULL,""}'), same("{s}.positive", "0.001", "999999999.999"),
    same("{s}.positive[]", "{0.001,NULL}"),
    same("{s}.pair", "(1,a)", "(,)", '(,"")', '(-1,"quote "" and \\\\ back, comma")', '(1,"grün\n")'), same("{s}.pair[]", '{"(1,a)","(,)",NULL}'),
    same("{s}.nested", '("(1,a)","{""(2,\\\\""b c\\\\"")"",NULL}",sad,0.001,"{""a"": [1, null]}","2024-02-29 23:59:59.5+00")', "(,,,,,)"),
    same("{s}.floatrange", "[0.1,0.30000000000000004)", "empty", "(-Infinity,)"),
    same("{s}.floatmultirange", "{[0.1,0.2),[0.5,)}"),
]
EXTENSIONS = {
    "hstore": [same("public.hstore", "", '"a"=>"1", "b"=>NULL', '"quo\\"te"=>"back\\\\slash", ""=>""', '"grün"=>"日本"'),
         same("public.hstore[]", '{"\\"a\\"=>\\"1\\"",NULL}')],
    "citext": [same("public.citext", "", "aA", "GRÜN", "\\N")],
    "ltree": [same("public.ltree", "", "Top.Science.Astronomy"), same("public.lquery", "Top.*{1,2}.sci*@%"),
         same("public.ltxtquery", "Europe & Russia*@ & !x")],
    "cube": [same("public.cube", "(1, 2, 3)", "(0.1, 0.30000000000000004),(1, -1)")],
    "isn": [same("public.isbn13", "978-0-393-04002-9"), same("public.ean13", "400-638133393-1")],
    "seg": [same("public.seg", "1 .. 2", "~5.0", "<1.0e-5")],
    "intarray": [same("public.query_int", "1&(2|!3)")],
}
COLUMNS = [*NUMBERS, *STRINGS, *TIMES, *PLACES, *ARRAYS, *RANGES, *CATALOG, *OWN]
