"""The type matrix among MySQL and MariaDB: every type keeps its name, and its values the digits or bytes that the source's own functions show.

The values are those of the way to PostgreSQL (type_matrix_to_pg.py), and the ones that PostgreSQL does not have.
"""

import dataclasses

import type_matrix_to_pg
from type_matrix import READ_REAL, Column, as_double, exact_json, quote

# What shows a value whole, by the first word of its type; all others by their bytes.
_SHOWN = {word: "{v}" for word in ("TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "DECIMAL", "DATE", "DATETIME", "TIMESTAMP", "TIME", "YEAR", "JSON")}
_SHOWN |= {"FLOAT": READ_REAL, "DOUBLE": READ_REAL}


def _word(sql_type):
    return sql_type.split("(")[0].split()[0]


def same(sql_type, *values):
    """A column whose cases are SQL."""
    read = _SHOWN.get(_word(sql_type), "HEX({v})")
    return Column(sql_type, None, tuple((value, None) for value in values), read, normal=as_double if read == READ_REAL else str)


def _as_it_is(columns):
    return [same(column.type, *(value for value, _ in column.cases)) for column in columns]


def _quoted(*values):
    return tuple(quote(value) for value in values)


ONLY_HERE = [
    same("DATE", *_quoted("0000-00-00", "2020-00-10", "2024-02-00", "0000-01-01", "2023-02-31", "0099-12-31")),
    same("DATETIME", *_quoted("0000-00-00 00:00:00", "2020-00-10 23:59:59", "2023-02-31 01:02:03")),
    same("DATETIME(6)", *_quoted("0000-00-00 00:00:00.000000", "2024-02-00 00:00:00.000001", "0000-12-31 23:59:59.999999")),
    same("TIMESTAMP NULL", *_quoted("0000-00-00 00:00:00")), same("TIMESTAMP(6) NULL", *_quoted("0000-00-00 00:00:00.000000")),
    same("TIMESTAMP(3) NULL", *_quoted("2038-01-19 03:14:07.999", "1970-01-01 00:00:01.000")),
    *(same(f"TIME({n})", *_quoted(f"-00:00:00.{'1' * n}", f"-838:59:58.{'9' * n}", f"838:59:58.{'0' * (n - 1)}1", f"-01:00:00.{'5' * n}")) for n in (2, 3, 5)),
    *(same(f"DATETIME({n})", *_quoted(f"9999-12-31 23:59:59.{'9' * n}", f"0001-01-01 00:00:00.{'0' * (n - 1)}1")) for n in (2, 4, 5)),
    same("YEAR", "'0000'", "'1901'", "'69'", "'70'"),
    same("FLOAT(7,3)", "0", "9999.999", "-1234.567"), same("DOUBLE(15,4)", "0", "99999999999.9999", "-0.0001"),
    same("FLOAT UNSIGNED", "0", "3.4028234663852886e38", "1e-45"), same("DOUBLE UNSIGNED", "0", "5e-324", "1.7976931348623157e308"), same("DOUBLE", "-5e-324"),
    same("DECIMAL(65,30) UNSIGNED", "0", "99999999999999999999999999999999999.999999999999999999999999999999"), same("DECIMAL(20,5) ZEROFILL", "0", "1.5"),
    same("BIGINT(20) UNSIGNED ZEROFILL", "0", "18446744073709551615"), same("TINYINT(3) UNSIGNED ZEROFILL", "7", "255"), same("DECIMAL(9,9)", "0.999999999", "-0.000000001"),
    same("VARCHAR(20)", r"'nul\0in'", r"'\0'", "'blanks  '"), same("CHAR(20)", r"'nul\0in'", r"'\0'"), same("TEXT", r"'\0\Z\b'"),
    same("VARCHAR(20) CHARACTER SET latin1", "_latin1 X'808182838D8F909D9EFF'"), same("VARCHAR(20) CHARACTER SET ucs2", "_ucs2 X'D83DDE00'", "_ucs2 X'0000FFFF'"),
    same("CHAR(10) CHARACTER SET binary", "X'00FF'", "''"), same("VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", "'aA'", "'ß '"),
    same("ENUM('a', 'b') CHARACTER SET ucs2", "'a'", "'b'"), same("SET('a', 'ž') CHARACTER SET latin2", "''", "'a,ž'"), same("ENUM('A ', 'x') CHARACTER SET latin1", "1"),
    same("BINARY(255)", "X'00'", f"X'{'ff' * 255}'", "REPEAT('a', 255)"), same("VARBINARY(300)", "X'00'", f"X'{'00' * 300}'", "REPEAT('\\\\', 256)"),
    same("BIT(64)", "b'1'", "18446744073709551615"), same("GEOMETRY", "ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')"),
]
COMMON = _as_it_is(type_matrix_to_pg.COMMON) + ONLY_HERE
# What only one of the two has stays there: a job to the other is refused before its first row.
MARIADB = _as_it_is(type_matrix_to_pg.MARIADB) + [same("JSON", "'{ \"b\": 1,  \"a\": 1.50, \"a\": 1e400 }'", "'[]'", "' \"x\" '")]
# A DECIMAL inside JSON, which no JSON text can say, arrives as a double: docs/RELIABILITY.md.
MYSQL = [dataclasses.replace(column, cases=tuple(case for case in column.cases if "1.50" not in case[0] and "DECIMAL" not in case[0])) for column in
         _as_it_is(type_matrix_to_pg.MYSQL)]


def _of_mariadb(column):
    """MariaDB's JSON is a text, and stays it."""
    return dataclasses.replace(column, becomes="longtext") if column.type == "JSON" else column


def _to_mariadb(column):
    return dataclasses.replace(column, becomes="longtext", normal=exact_json) if column.type == "JSON" else column


COLUMNS = {("mariadb", "mariadb"): COMMON + MARIADB, ("mysql", "mysql"): COMMON + MYSQL,
           ("mariadb", "mysql"): [_of_mariadb(column) for column in COMMON], ("mysql", "mariadb"): [_to_mariadb(column) for column in COMMON]}
