"""The type matrix of MySQL and MariaDB to PostgreSQL: rules T1 to T20 and T27 with their defaults, and with what users may choose instead."""

import json
import struct
from decimal import Decimal

from type_matrix import NULL, Column, exact_json, quote

HEX = "encode({v}, 'hex')"
UTF8_HEX = "encode(convert_to({v}, 'UTF8'), 'hex')"


# --- numbers ---


def integers(bits, unsigned):
    low, high = (0, 2 ** bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    middle = {0, 1, -1, 9, 10, -10, 2 ** (bits - 1) - 1, 2 ** (bits - 2), low + 1, high - 1}
    return tuple((str(n), str(n)) for n in sorted({low, high} | {n for n in middle if low <= n <= high}))


def decimals(precision, scale, *more):
    nines = Decimal((0, (9,) * precision, -scale))
    step = Decimal((0, (1,), -scale))
    values = [nines, nines.copy_negate(), Decimal(0), step, step.copy_negate(), *map(Decimal, more)]
    return tuple((f"{v:f}", fixed(v, scale)) for v in values)


def fixed(value, scale):
    """The number with exactly that many digits behind the point."""
    sign, digits, exponent = value.as_tuple()
    digits = "".join(map(str, digits)) + "0" * (exponent + scale)
    digits = digits.rjust(scale + 1, "0")
    whole = digits[:len(digits) - scale] + ("." + digits[len(digits) - scale:] if scale else "")
    return ("-" if sign and value else "") + whole


FLOATS = [0.0, 1.0, -1.0, 0.1, 1 / 3, 3.4028234663852886e38, -3.4028234663852886e38, 1.1754943508222875e-38, 1.401298464324817e-45, 16777216.0, 16777215.0,
     123456.79,
          1e-5, 1e10, 8388609.0, 0.0001, 1234567.0]
DOUBLES = [*FLOATS, 1.7976931348623157e308, -1.7976931348623157e308, 2.2250738585072014e-308, 4.940656458412465e-324, 9007199254740993.0, 0.30000000000000004,
     5e-324 * 7,
           1e15, 1e16, 1e17, 123456789012345678.0, 2.5e-15]


def floats(code, values):
    return tuple((repr(v), struct.pack(f">{code}", v).hex()) for v in values)


def bits(n):
    values = {0, 1, 2 ** n - 1, 2 ** (n - 1), 0x5555555555555555 % 2 ** n, 2 ** n // 3}
    return tuple((f"b'{v:b}'", f"{v:0{n}b}") for v in sorted(values))


NUMBERS = [
    *(Column(name, pg, integers(size, False)) for name, size, pg in [("TINYINT", 8, "smallint"), ("SMALLINT", 16, "smallint"), ("MEDIUMINT", 24, "integer"),
                                                                     ("INT", 32, "integer"), ("BIGINT", 64, "bigint")]),
    *(Column(name + " UNSIGNED", pg, integers(size, True)) for name, size, pg in [("TINYINT", 8, "smallint"), ("SMALLINT", 16, "integer"), ("MEDIUMINT", 24,
         "integer"),
                                                                                  ("INT", 32, "bigint"), ("BIGINT", 64, "numeric(20,0)")]),
    Column("TINYINT(1)", "smallint", integers(8, False)),
    Column("INT(5) ZEROFILL", "bigint", (("42", "42"), ("4294967295", "4294967295"))),
    Column("DECIMAL(65,30)", "numeric(65,30)", decimals(65, 30, "1.000000000000000000000000000001", "12345678901234567890123456789012345.5", "-0.1")),
    Column("DECIMAL(65,0)", "numeric(65,0)", decimals(65, 0, "1000000000", "999999999")),
    Column("DECIMAL(30,30)", "numeric(30,30)", decimals(30, 30, "0.000000001", "-0.0000000001")),
    Column("DECIMAL(18,9)", "numeric(18,9)", decimals(18, 9, "1.000000001", "100000000.1")),
    Column("DECIMAL(19,10)", "numeric(19,10)", decimals(19, 10, "-1.0000000001")),
    Column("DECIMAL(10,2)", "numeric(10,2)", decimals(10, 2, "1.5", "-1.05")),
    Column("DECIMAL(1,0)", "numeric(1,0)", decimals(1, 0)),
    Column("FLOAT", "real", floats("f", FLOATS), "encode(float4send({v}), 'hex')"),
    Column("DOUBLE", "double precision", floats("d", DOUBLES), "encode(float8send({v}), 'hex')"),
    *(Column(f"BIT({n})", f"bit({n})", bits(n)) for n in (1, 7, 8, 9, 16, 33, 63, 64)),
]

# --- texts and bytes ---

WORDS = ["", "a", "A", "grün", "日本語", "\U0001f600\U0001f468‍\U0001f469", "e\u0301", "tab\tline\nreturn\rback\\slash", "\\N", "\\.", "'\"`", "NULL", "{},\"x\"",
     "%s $1 ?", "\x01\x1f\x7f",
         "\u00a0\u2028\ufeff", "\uffff\U0010ffff", "x" * 255, "end "]
# What each character set can write; samples reach into its corners.
CHARSETS = {
    "utf8mb4": "aé漢\U0001f600", "utf8mb3": "aé漢\uffee", "ascii": "a~", "latin1": "é€žŸ\xff", "latin2": "ąłŞż", "latin5": "ğİŞ", "latin7": "ģūž",
    "cp1250": "ěščř€", "cp1251": "ЖяЁ№",
    "cp1256": "پچژ", "cp1257": "ąčęė", "cp850": "éß░", "cp852": "ąčł", "cp866": "Жяё", "koi8r": "Жя║", "koi8u": "ЇєґЖ", "greek": "αΩϊ", "hebrew": "אבת",
    "macroman": "é∞π", "macce": "ąčł",
    "tis620": "กขฃ๙", "gb2312": "汉字啊", "gbk": "汉字誠丂", "big5": "漢字一", "sjis": "漢字ｱア", "cp932": "漢字①ｱ", "ujis": "漢字ｱア", "eucjpms": "漢字①ア", "euckr": "한글가",
    "ucs2": "aé漢\uffee", "utf16": "aé漢\U0001f600", "utf16le": "aé漢\U0001f600", "utf32": "aé漢\U0001f600", "dec8": "éß", "geostd8": "აბგ", "armscii8": "աբգ",
    "keybcs2": "čďž", "hp8": "éß",
}


def texts(values):
    return tuple((quote(v), v.encode().hex()) for v in values)


def stripped(values):
    return tuple((quote(v), v.rstrip(" ").encode().hex()) for v in values)


def octets(values, pad=0):
    return tuple((f"X'{v.hex()}'", v.ljust(pad, b"\0").hex()) for v in values)


BYTES = [b"", b"\0", b"\0\0a\0", bytes(range(8)), b"\\x00", b"\xff" * 8, b"   ", b"a ", b"\r\n\t\\"]
LONG_BYTES = [*BYTES, bytes(range(256)), b"\0" * 300, b"\\" * 300]
TEXTS = [
    Column("VARCHAR(255) CHARACTER SET utf8mb4", "character varying(255)", texts(WORDS), UTF8_HEX),
    Column("CHAR(255) CHARACTER SET utf8mb4", "character varying(255)", stripped([*WORDS, "  both  "]), UTF8_HEX),
    Column("VARCHAR(0)", "character varying(1)", texts([""]), UTF8_HEX),
    Column("TINYTEXT", "text", texts(["", "é" * 127]), UTF8_HEX),
    Column("TEXT", "text", texts([*WORDS, "漢" * 21845]), UTF8_HEX),
    Column("MEDIUMTEXT", "text", texts(["", "m" * 70000]), UTF8_HEX),
    Column("LONGTEXT", "text", texts(["", "\U0001f600" * 20000]), UTF8_HEX),
    Column("BINARY(8)", "bytea", octets(BYTES, 8), HEX),
    Column("BINARY(1)", "bytea", octets([b"", b"\0", b"\xff"], 1), HEX),
    Column("VARBINARY(8)", "bytea", octets(BYTES), HEX),
    Column("TINYBLOB", "bytea", octets([b"", b"\0" * 255]), HEX),
    Column("BLOB", "bytea", octets(LONG_BYTES), HEX),
    Column("MEDIUMBLOB", "bytea", octets([b"", bytes(range(256)) * 300]), HEX),
    Column("LONGBLOB", "bytea", octets([b"", bytes(range(255, -1, -1)) * 300]), HEX),
    *(Column(f"VARCHAR(30) CHARACTER SET {name}", "character varying(30)", texts([sample, sample[-1] * 3 + " x"]), UTF8_HEX) for name,
         sample in CHARSETS.items()),
    Column("CHAR(5) CHARACTER SET gbk", "character varying(5)", stripped(["汉字", "誠 "]), UTF8_HEX),
]

# --- ENUM, SET, JSON ---

LABELS = ["a", "B b", "x'y", "q\"q", "back\\slash", "grün", "日本", "{}", "NULL"]


def listed(labels):
    return ", ".join(quote(label) for label in labels)


def sets(labels, choices):
    def members(n):
        return [label for at, label in enumerate(labels) if n >> at & 1]
    return tuple((str(n), json.dumps(members(n), ensure_ascii=False, separators=(",", ":"))) for n in choices)


JSONS = ["null", "true", "false", "0", "-1", "9223372036854775807", "18446744073709551615", "-9223372036854775808", "1.5", "-0.25", "1e100", '""',
     '"grün 日本 \U0001f600"',
         '"\\" \\\\ \\/ \\b\\f\\n\\r\\t"', '"\\u0001\\u001f"', "[]", "{}", "[1, [2, [3, {\"a\": []}]]]", '{"a": 1, "b": {"c": null}, "": "empty name"}',
         '{"' + "k" * 300 + '": 1}',
         json.dumps(list(range(300))), json.dumps({f"m{i}": "v" * i for i in range(100)}), json.dumps(["x" * 70000])]
CHOICES = [
    Column(f"ENUM({listed(LABELS)}) CHARACTER SET utf8mb4", "text", (*((quote(label), label.encode().hex()) for label in LABELS), ("0", "")), UTF8_HEX),
    Column(f"ENUM({listed(f'e{i}' for i in range(300))})", "text", (("1", b"e0".hex()), ("256", b"e255".hex()), ("300", b"e299".hex())), UTF8_HEX),
    Column("ENUM('é', 'ž') CHARACTER SET latin1", "text", texts(["é", "ž"]), UTF8_HEX),
    Column(f"SET({listed(LABELS)}) CHARACTER SET utf8mb4", "text[]", sets(LABELS, [0, 1, 2, 3, 4, 8, 16, 511, 256]), "array_to_json({v})::text"),
    Column(f"SET({listed(f's{i}' for i in range(64))})", "text[]", sets([f"s{i}" for i in range(64)], [0, 1, 2 ** 63, 2 ** 64 - 1, 2 ** 32 + 5]),
         "array_to_json({v})::text"),
    Column("JSON", "jsonb", tuple((quote(text), text) for text in JSONS), normal=exact_json),
]

# --- dates and times ---


def moments(values, scale, suffix=""):
    """PostgreSQL writes no zeros at the end of a fraction."""
    def text(value):
        whole, _, fraction = value.partition(".")
        fraction = fraction[:scale].rstrip("0")
        return whole + ("." + fraction if fraction else "") + suffix
    return tuple((quote(v), text(v)) for v in values)


def times(values):
    def seconds(value):
        hours, minutes, rest = value.lstrip("-").split(":")
        total = Decimal(int(hours) * 3600 + int(minutes) * 60) + Decimal(rest)
        return f"{-total if value.startswith('-') else total:.6f}"
    return tuple((quote(v), seconds(v)) for v in values)


DATES = ["1000-01-01", "9999-12-31", "2024-02-29", "1970-01-01", "0001-01-01", "1582-10-10", "1900-02-28", "2000-02-29"]
DAYS = [f"{day} {time}" for day, time in zip(DATES, ["00:00:00", "23:59:59", "12:34:56", "00:00:01", "00:00:00", "01:02:03", "23:00:00", "10:00:00"])]
FRACTIONS = ["2024-02-29 23:59:59.999999", "1000-01-01 00:00:00.000001", "9999-12-31 23:59:59.100000", "1970-01-01 00:00:00.010000",
     "0001-01-01 00:00:00.000010"]
STAMPS = ["1970-01-01 00:00:01", "2038-01-19 03:14:07", "2000-02-29 12:00:00", "2024-03-31 02:30:00", "2001-09-09 01:46:40"]
STAMP_FRACTIONS = ["1970-01-01 00:00:01.000001", "2038-01-19 03:14:07.999999", "2024-10-27 01:30:00.500000", "2001-09-09 01:46:40.123456"]
TIMES = ["00:00:00", "-00:00:01", "23:59:59", "24:00:00", "838:59:59", "-838:59:59", "100:00:00", "-01:00:00"]
SECONDS = "extract(epoch FROM {v})::text"
MOMENTS = [
    Column("DATE", "date", moments(DATES, 0)),
    Column("DATETIME", "timestamp(0) without time zone", moments(DAYS, 0)),
    Column("DATETIME(6)", "timestamp(6) without time zone", moments(DAYS + FRACTIONS, 6)),
    Column("DATETIME(3)", "timestamp(3) without time zone", moments(["2024-02-29 23:59:59.999", "1000-01-01 00:00:00.001"], 3)),
    Column("DATETIME(1)", "timestamp(1) without time zone", moments(["2024-02-29 23:59:59.9"], 1)),
    Column("TIMESTAMP NULL", "timestamp(0) with time zone", moments(STAMPS, 0, "+00")),
    Column("TIMESTAMP(6) NULL", "timestamp(6) with time zone", moments(STAMPS + STAMP_FRACTIONS, 6, "+00")),
    Column("TIMESTAMP(2) NULL", "timestamp(2) with time zone", moments(["2024-02-29 23:59:59.99"], 2, "+00")),
    Column("TIME", "interval(0)", times(TIMES), SECONDS),
    Column("TIME(6)", "interval(6)", times([*TIMES, "-00:00:00.000001", "00:00:00.999999", "-838:59:58.999999", "838:59:58.000001", "-12:00:00.500000"]),
         SECONDS),
    Column("TIME(4)", "interval(4)", times(["-00:00:00.0001", "23:59:59.9999"]), SECONDS),
    Column("TIME(1)", "interval(1)", times(["-00:00:00.1", "23:59:59.9"]), SECONDS),
    Column("YEAR", "smallint", tuple((str(y), str(y)) for y in (1901, 1970, 2000, 2155)) + (("'0000'", "0"),)),
]

# --- shapes ---


def points(*pairs):
    return struct.pack(f"<{2 * len(pairs)}d", *(number for pair in pairs for number in pair))


def shape(kind, body, srid=0):
    """Extended well-known binary as PostGIS has it, little-endian."""
    return struct.pack("<BI", 1, kind | (0x20000000 if srid else 0)) + (struct.pack("<I", srid) if srid else b"") + body


def many(items):
    return struct.pack("<I", len(items)) + b"".join(items)


LINE = struct.pack("<I", 2) + points((0, 0), (1.5, -1.5))
RING = struct.pack("<I", 4) + points((0, 0), (4, 0), (4, 4), (0, 0))
HOLE = struct.pack("<I", 4) + points((1, 1), (2, 1), (2, 2), (1, 1))
SHAPES = {
    "POINT": [("POINT(1.5 -2.25)", shape(1, points((1.5, -2.25)))), ("POINT(0 0)", shape(1, points((0, 0)))),
         ("POINT(1e300 -1e-300)", shape(1, points((1e300, -1e-300))))],
    "LINESTRING": [("LINESTRING(0 0,1.5 -1.5)", shape(2, LINE))],
    "POLYGON": [("POLYGON((0 0,4 0,4 4,0 0))", shape(3, many([RING]))), ("POLYGON((0 0,4 0,4 4,0 0),(1 1,2 1,2 2,1 1))", shape(3, many([RING, HOLE])))],
    "MULTIPOINT": [("MULTIPOINT(1 2,3 4)", shape(4, many([shape(1, points((1, 2))), shape(1, points((3, 4)))])))],
    "MULTILINESTRING": [("MULTILINESTRING((0 0,1.5 -1.5))", shape(5, many([shape(2, LINE)])))],
    "MULTIPOLYGON": [("MULTIPOLYGON(((0 0,4 0,4 4,0 0)))", shape(6, many([shape(3, many([RING]))])))],
    "GEOMETRYCOLLECTION": [("GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1.5 -1.5))", shape(7, many([shape(1, points((1, 2))), shape(2, LINE)])))],
}
GEOMETRY = [Column(kind, "bytea", tuple((f"ST_GeomFromText('{text}')", data.hex()) for text, data in found), HEX) for kind, found in SHAPES.items()]
GEOMETRY += [Column("GEOMETRY", "bytea", tuple((f"ST_GeomFromText('{text}')", data.hex()) for found in SHAPES.values() for text, data in found), HEX)]

# --- what one of the two has ---


def plain(values):
    return tuple((quote(v), v) for v in values)


MARIADB = [
    Column("DECIMAL(38,38)", "numeric(38,38)", decimals(38, 38, "0.000000001", "-0.0000000001")),
    Column("UUID", "uuid", plain(["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "123e4567-e89b-12d3-a456-426655440000",
         "018f4d1e-7b1a-7cc0-8000-0123456789ab"])),
    Column("INET6", "inet", plain(["::", "::1", "2001:db8::ff00:42:8329", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:192.0.2.128"]), "host({v})"),
    Column("INET4", "inet", plain(["0.0.0.0", "255.255.255.255", "192.0.2.1"]), "host({v})"),
    Column("GEOMETRY", "bytea", (("ST_GeomFromText('POINT(13.5 52.25)', 4326)", shape(1, points((13.5, 52.25)), 4326).hex()),), HEX),
]
MYSQL = [
    Column("TEXT CHARACTER SET gb18030", "text", texts(["汉字㐀\U00020000é\U0001f600"]), UTF8_HEX),
    Column("VECTOR(3)", "real[]", tuple((f"STRING_TO_VECTOR('{text}')", text) for text in ("[1,2,3]", "[0,-1.5,0.25]", "[1e+30,-1e-30,16777216]")),
         "array_to_json({v})::text",
           exact_json),
    Column("GEOMETRY", "bytea", (("ST_GeomFromText('POINT(52.25 13.5)', 4326)", shape(1, points((13.5, 52.25)), 4326).hex()),), HEX),
    Column("POINT SRID 4326", "bytea", (("ST_GeomFromText('POINT(52.25 13.5)', 4326)", shape(1, points((13.5, 52.25)), 4326).hex()),), HEX),
    # What a JSON text cannot say; MySQL shows it as these texts.
    Column("JSON", "jsonb", (("CAST(CAST('2024-02-29' AS DATE) AS JSON)", '"2024-02-29"'), ("CAST(CAST('-12:00:00.5' AS TIME(6)) AS JSON)",
         '"-12:00:00.500000"'),
                             ("CAST(TIMESTAMP'2024-02-29 23:59:59.000001' AS JSON)", '"2024-02-29 23:59:59.000001"'), ("CAST(1.50 AS JSON)", "1.50"),
                             ("JSON_ARRAY(CAST(12345678901234567890.123456789 AS DECIMAL(30,9)))", "[12345678901234567890.123456789]")),
           normal=exact_json),
]

# --- what users may choose (sluice.types) ---


def pairs(kind, becomes, values, choice, read="{v}", normal=str):
    """Texts at the source, or other SQL, with what must arrive; NULL: nothing."""
    return Column(kind, becomes, tuple((v if v[:2] in ("'0", "b'", "CO", "_g") else quote(v), text) for v, text in values.items()), read, normal, choice=choice)


NUL = "CONCAT('a', CHAR(0 USING utf8mb4), 'b', CHAR(0 USING utf8mb4))"
NO_DATES = {"0000-00-00": NULL, "2024-00-10": NULL, "2024-02-31": NULL, "2024-02-29": "2024-02-29"}
NO_MOMENTS = {f"{day} 00:00:00.000000": text if text == NULL else text + " 00:00:00" for day, text in NO_DATES.items()}


def instead(values, text):
    return {v: text if wanted == NULL else wanted for v, wanted in values.items()}


CHOSEN = [
    pairs("BIGINT UNSIGNED", "bigint", {v: v for v in ("0", "9223372036854775807")}, "bigint"),
    pairs("INT UNSIGNED", "bigint", {v: v for v in ("0", "4294967295")}, "check"),
    pairs("TINYINT(1)", "boolean", {"0": "false", "1": "true"}, "T3=boolean"),
    pairs("BIT(1)", "boolean", {"b'0'": "false", "b'1'": "true"}, "T4=boolean"),
    Column("CHAR(5)", "character(5)", stripped(["", "a", "grün ", "日本語日本"]), UTF8_HEX, choice="char"),
    pairs("VARCHAR(9) CHARACTER SET gbk", "character varying(9)", {"_gbk X'61FEFE62'": "a\ufffdb", "汉字": "汉字"}, "T8=replace"),
    pairs("VARCHAR(9) CHARACTER SET gbk", "bytea", {"_gbk X'61FEFE62'": "61fefe62", "汉字": "汉字".encode("gbk").hex()}, "T8=bytea", HEX),
    pairs("TEXT CHARACTER SET utf8mb4", "text", {NUL: "ab", "": ""}, "strip"),
    pairs("VARCHAR(9) CHARACTER SET utf8mb4", "character varying(9)", {NUL: "a\ufffdb\ufffd", "": ""}, "T9=replace"),
    Column(f"ENUM({listed(LABELS)}) CHARACTER SET utf8mb4", "{table}_v_enum", (*((quote(label), label) for label in LABELS), ("0", "")), choice="enum"),
    Column(f"SET({listed(LABELS)}) CHARACTER SET utf8mb4", "text", (("0", ""), ("1", "a"), ("3", "a,B b"), ("32", "grün")), choice="T13=text"),
    Column("JSON", "json", tuple((quote(text), text) for text in JSONS), normal=exact_json, choice="json"),
    Column("JSON", "text", tuple((quote(text), text) for text in JSONS), normal=exact_json, choice="T14=text"),
    pairs("DATE", "date", NO_DATES, "null"),
    pairs("DATE", "date", instead(NO_DATES, "1900-01-01"), "sentinel:1900-01-01"),
    pairs("DATE", "date", instead(NO_DATES, "-infinity"), "sentinel:-infinity"),
    pairs("DATE", "text", {v: v for v in NO_DATES}, "T15=text"),
    pairs("DATETIME(6)", "timestamp(6) without time zone", NO_MOMENTS, "null"),
    pairs("DATETIME(6)", "timestamp(6) without time zone", instead(NO_MOMENTS, "1900-01-01 00:00:00"), "sentinel:1900-01-01"),
    pairs("DATETIME(6)", "text", {v: v for v in NO_MOMENTS}, "T15=text"),
    pairs("TIMESTAMP NULL", "timestamp(0) with time zone", {"0000-00-00 00:00:00": NULL, "2024-02-29 12:00:00": "2024-02-29 12:00:00+00"}, "null"),
    pairs("TIMESTAMP NULL", "timestamp(0) with time zone", {"0000-00-00 00:00:00": "infinity", "2024-02-29 12:00:00": "2024-02-29 12:00:00+00"},
          "sentinel:infinity"),
    pairs("DATETIME", "timestamp(0) with time zone", {"2024-02-29 02:00:00": "2024-02-28 18:00:00+00", "9999-12-31 23:59:59": "9999-12-31 15:59:59+00"},
          "timestamptz:+08:00"),
    pairs("DATETIME(3)", "timestamp(3) with time zone", {"2024-07-01 12:00:00.125": "2024-07-01 10:00:00.125+00", "2024-01-01 12:00:00": "2024-01-01 11:00:00+00"},
          "timestamptz:Europe/Berlin"),
    pairs("TIME(6)", "time(6) without time zone", {"00:00:00": "00:00:00", "23:59:59.999999": "23:59:59.999999", "24:00:00": "24:00:00"}, "time"),
    pairs("YEAR", "integer", {"1901": "1901", "2155": "2155", "'0000'": "0"}, "integer"),
    Column("POINT", "text", (("ST_GeomFromText('POINT(1.5 -2.25)')", "POINT(1.5 -2.25)"),), choice="T20=text"),
    Column("GEOMETRY", "text", (("ST_GeomFromText('MULTIPOINT(1 2,3 4)')", "MULTIPOINT((1 2),(3 4))"),
                                ("ST_GeomFromText('POLYGON((0 0,4 0,4 4,0 0),(1 1,2 1,2 2,1 1))')", "POLYGON((0 0,4 0,4 4,0 0),(1 1,2 1,2 2,1 1))")), choice="T20=text"),
    Column("GEOMETRY", "bytea", (("ST_GeomFromText('POINT(1.5 -2.25)')", shape(1, points((1.5, -2.25))).hex()),), HEX, choice="T20=bytea"),
]
CHOSEN_OF_MARIADB = [
    Column("UUID", "text", plain(["123e4567-e89b-12d3-a456-426655440000"]), choice="T27=text"),
    Column("INET6", "text", plain(["::1", "2001:db8::ff00:42:8329"]), choice="T27=text"),
]
CHOSEN_OF_MYSQL = [
    Column("VECTOR(3)", "text", (("STRING_TO_VECTOR('[1,-1.5,0.25]')", "[1,-1.5,0.25]"),), normal=exact_json, choice="T27=text"),
    Column("VECTOR(3)", "bytea", (("STRING_TO_VECTOR('[1,-1.5,0.25]')", struct.pack("<3f", 1, -1.5, 0.25).hex()),), HEX, choice="T27=bytea"),
]
COMMON = [*NUMBERS, *TEXTS, *CHOICES, *MOMENTS, *GEOMETRY]
COLUMNS = {"mariadb": COMMON + MARIADB + CHOSEN + CHOSEN_OF_MARIADB, "mysql": COMMON + MYSQL + CHOSEN + CHOSEN_OF_MYSQL}
