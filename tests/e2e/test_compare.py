"""The compare oracle: it must see every kind of difference, and none between equal tables of MariaDB, MySQL and PostgreSQL."""

import random
import struct

import pytest
from servers.compare import assert_same, compare, tables_of

PAIRS = [("mariadb_a", "mariadb_b"), ("mariadb_a", "mysql_a"), ("mysql_a", "mysql_b")]

ALL_TYPES = """
CREATE TABLE t (
  id INT PRIMARY KEY, ti TINYINT, ui BIGINT UNSIGNED, z INT(6) ZEROFILL, b BIT(64), f FLOAT, d DOUBLE,
  n DECIMAL(65,30), da DATE, tm TIME(6), dt DATETIME(3), ts TIMESTAMP(6) NULL, y YEAR,
  c CHAR(5), v VARCHAR(40) CHARACTER SET latin1, u VARCHAR(40) CHARACTER SET utf8mb4, x LONGTEXT,
  bi BINARY(4), vb VARBINARY(9), bl LONGBLOB, e ENUM('a','ü'), s SET('x','y'), g GEOMETRY,
  gen INT GENERATED ALWAYS AS (ti + 1) VIRTUAL)
"""
COLUMNS = "id, ti, ui, z, b, f, d, n, da, tm, dt, ts, y, c, v, u, x, bi, vb, bl, e, s, g"
ROWS = [
    "1, -128, 18446744073709551615, 42, b'1', 0.1, 0.1e0 + 0.2e0, -1.5, '2024-02-29', "
    "'-838:59:59', '2024-01-02 03:04:05.678', '2024-03-04 05:06:07.123456', 2155, 'a  ', 'é', "
    "'\U0001F600|N', REPEAT('x', 100000), 'ab', 0x00ff, REPEAT(0x80, 300000), 'ü', 'x,y', "
    "ST_GeomFromText('POINT(1 2)')",
    "2, 127, 9223372036854775808, 0, b'0', 3.4028234e38, 1.7976931348623157e308, "
    "99999999999999999999999999999999999.999999999999999999999999999999, '1000-01-01', "
    "'838:59:58.999999', '9999-12-31 23:59:59.999', '1970-01-01 00:00:01', 1901, '', '', '', '', '', "
    "'', '', 'a', '', ST_GeomFromText('LINESTRING(0 0, 1 1)')",
    "3, 0, 0, 1, ~0, 16777217, 5e-324, 0, NULL, '00:00:00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
    "NULL, NULL, NULL, NULL, NULL, NULL",
    "4" + ", NULL" * 22,
]

CHANGES = {
    "UPDATE t SET ti = 126 WHERE id = 2": (("2",), {"ti", "gen"}),
    "UPDATE t SET ui = 9223372036854775809 WHERE id = 2": (("2",), {"ui"}),
    "UPDATE t SET d = 0.3 WHERE id = 1": (("1",), {"d"}),
    "UPDATE t SET f = f * (1 + 2e-7) WHERE id = 1": (("1",), {"f"}),
    "UPDATE t SET n = n - 1e-30 WHERE id = 3": (("3",), {"n"}),
    "UPDATE t SET ts = '2024-03-04 05:06:07.123457' WHERE id = 1": (("1",), {"ts"}),
    "UPDATE t SET tm = '838:59:58.999998' WHERE id = 2": (("2",), {"tm"}),
    "UPDATE t SET u = '' WHERE id = 4": (("4",), {"u"}),
    "UPDATE t SET u = NULL WHERE id = 2": (("2",), {"u"}),
    "UPDATE t SET c = 'A' WHERE id = 1": (("1",), {"c"}),
    "UPDATE t SET v = 'e' WHERE id = 1": (("1",), {"v"}),
    "UPDATE t SET x = CONCAT(x, ' ') WHERE id = 1": (("1",), {"x"}),
    "UPDATE t SET bl = CONCAT(bl, 0x00) WHERE id = 1": (("1",), {"bl"}),
    "UPDATE t SET b = b'10' WHERE id = 1": (("1",), {"b"}),
    "UPDATE t SET e = 'a' WHERE id = 1": (("1",), {"e"}),
    "UPDATE t SET s = 'y' WHERE id = 1": (("1",), {"s"}),
    "UPDATE t SET g = ST_GeomFromText('POINT(1 3)') WHERE id = 1": (("1",), {"g"}),
}


@pytest.fixture(params=PAIRS, ids=["-".join(p) for p in PAIRS])
def pair(request):
    left, right = (request.getfixturevalue(name) for name in request.param)
    databases = ((left, "cmp_left"), (right, "cmp_right"))
    for server, db in databases:
        server.sql(f"DROP DATABASE IF EXISTS {db}; CREATE DATABASE {db} CHARACTER SET utf8mb4")
    yield left, right
    for server, db in databases:
        server.sql(f"DROP DATABASE {db}")


def _both(pair, text):
    pair[0].sql(text, db="cmp_left")
    pair[1].sql(text, db="cmp_right")


def _compare(pair, **options):
    return compare(*pair, tables_of(pair[0], "cmp_left", "cmp_right"), **options)


def test_every_type_equal_then_every_change_seen(pair):
    rows = ", ".join(f"({row})" for row in ROWS)
    _both(pair, f"{ALL_TYPES}; INSERT INTO t ({COLUMNS}) VALUES {rows}")
    assert_same(*pair, tables_of(pair[0], "cmp_left", "cmp_right"))
    for change, (key, columns) in CHANGES.items():
        connection = pair[1].connect(database="cmp_right")
        with connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE keep AS SELECT " + COLUMNS + " FROM t")
            assert cursor.execute(change) == 1, change
            diffs = _compare(pair)
            assert len(diffs) == 1, change
            assert [(k, set(c)) for k, c in diffs[0].changed] == [(key, columns)], change
            assert not diffs[0].missing and not diffs[0].extra
            cursor.execute("DELETE FROM t")
            cursor.execute(f"INSERT INTO t ({COLUMNS}) SELECT {COLUMNS} FROM keep")
            cursor.execute("DROP TABLE keep")
    assert _compare(pair) == []


def test_random_doubles_are_equal_bit_by_bit(pair):
    seed = random.Random(7)
    doubles = [v for v in (struct.unpack("d", seed.randbytes(8))[0] for _ in range(3000)) if v == v]
    doubles += [seed.uniform(-1e6, 1e6) for _ in range(1000)]
    rows = ", ".join(f"({i}, {v!r}, {seed.uniform(-1e6, 1e6)!r})" for i, v in enumerate(doubles)
                     if abs(v) < 1e308)
    _both(pair, f"CREATE TABLE r (id INT PRIMARY KEY, d DOUBLE, f FLOAT); INSERT INTO r VALUES {rows}")
    assert _compare(pair) == []
    pair[0].sql("CREATE TABLE z (d DOUBLE); INSERT INTO z VALUES (-0e0)", db="cmp_left")
    pair[1].sql("CREATE TABLE z (d DOUBLE); INSERT INTO z VALUES (0)", db="cmp_right")
    assert _compare(pair) == []


def test_missing_extra_and_the_limit(pair):
    _both(pair, "CREATE TABLE k (a VARCHAR(9), b VARBINARY(4), w INT, PRIMARY KEY (a, b)); INSERT INTO k "
          "WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 900) "
          "SELECT CONCAT('k', i), UNHEX(LPAD(HEX(i), 4, '0')), i FROM n")
    pair[1].sql("DELETE FROM k WHERE w = 7; INSERT INTO k VALUES ('new', 0xff, 1); "
                "UPDATE k SET w = 0 WHERE w = 500", db="cmp_right")
    (diff,) = _compare(pair)
    assert (diff.left_rows, diff.right_rows) == (900, 900)
    assert diff.missing == [("k7", "0x0007")]
    assert diff.extra == [("new", "0xFF")]
    assert diff.changed == [(("k500", "0x01F4"), ["w"])]
    pair[1].sql("UPDATE k SET w = w + 1", db="cmp_right")
    (diff,) = _compare(pair, limit=5)
    assert len(diff.changed) == 5
    assert _compare(pair, ignore=["w"]) != []
    pair[1].sql("DELETE FROM k WHERE a = 'new'; INSERT INTO k VALUES ('k7', 0x0007, -1)", db="cmp_right")
    assert _compare(pair, ignore=["w"]) == []


def test_repeated_rows_without_a_key_do_not_cancel_out(pair):
    _both(pair, "CREATE TABLE d (a INT, b VARCHAR(9))")
    pair[0].sql("INSERT INTO d VALUES (1, 'x'), (1, 'x'), (3, NULL)", db="cmp_left")
    pair[1].sql("INSERT INTO d VALUES (2, 'x'), (2, 'x'), (3, NULL)", db="cmp_right")
    (diff,) = _compare(pair)
    assert diff.missing == [("1", "x")] * 2 and diff.extra == [("2", "x")] * 2
    pair[1].sql("UPDATE d SET a = 1 WHERE a = 2", db="cmp_right")
    assert _compare(pair) == []


def test_json(pair):
    _both(pair, "CREATE TABLE j (id INT PRIMARY KEY, j JSON)")
    value = r"""'{"bb": [1, 1.0, 1e2, "é\\n", null, 18446744073709551615], "a": {}}'"""
    _both(pair, f"INSERT INTO j VALUES (1, {value}), (2, NULL), (3, 'null')")
    assert _compare(pair) == []
    for change in ("""j = '{"bb": [1]}'""", "j = 'null'", "j = NULL"):
        pair[1].sql(f"UPDATE j SET {change} WHERE id = 1", db="cmp_right")
        (diff,) = _compare(pair)
        assert diff.changed == [(("1",), ["j"])], change


def test_json_written_differently_is_the_same_value(mariadb_a, mysql_a):
    for server, value in ((mariadb_a, """{ "b":1.50e1, "a":2 }"""), (mysql_a, """{"a":2,"b":15.0}""")):
        server.sql("DROP DATABASE IF EXISTS cj; CREATE DATABASE cj; CREATE TABLE cj.j (j JSON, k INT)")
        server.sql("INSERT INTO cj.j VALUES (%s, 1)", value)
    assert_same(mariadb_a, mysql_a, ["cj.j"])
    mysql_a.sql("UPDATE cj.j SET j = JSON_SET(j, '$.a', 3)")
    with pytest.raises(AssertionError, match="JSON values differ in j"):
        assert_same(mariadb_a, mysql_a, ["cj.j"])


def test_missing_table_and_column(pair):
    pair[0].sql("CREATE TABLE only_left (a INT); CREATE TABLE c (a INT, b INT)", db="cmp_left")
    pair[1].sql("CREATE TABLE c (a INT)", db="cmp_right")
    reasons = [diff.reason for diff in _compare(pair)]
    assert reasons == ["columns on one side only: b",
                       "table `cmp_right`.`only_left` does not exist"]


# --- PostgreSQL: beside its like and beside the other family ---

LIKE = """CREATE TABLE t (id int PRIMARY KEY, f float8, n numeric, j jsonb, a int[], v text, b bytea, ts timestamptz, i interval, bo boolean);
INSERT INTO t VALUES (1, '-0', 'NaN', '{"a": 1}', '{1,NULL}', 'x', '\\x00ff', 'infinity', '1 mon -1 day', true), (2, 5e-324, 1.50, 'null', '{}', '', '', '0044-03-15 BC', '0', false),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"""
LIKE_CHANGES = {"f": "0", "n": "1.5", "j": "'{}'", "a": "'[2:2]={1}'", "v": "'N'", "b": "'\\x00'", "ts": "'-infinity'", "i": "'29 days'", "bo": "NULL"}

CROSS = {
    "mysql": """CREATE TABLE t (id INT PRIMARY KEY, ub BIGINT UNSIGNED, n DECIMAL(40,15), d DOUBLE, f FLOAT, c CHAR(8) CHARACTER SET latin1, b VARBINARY(40), da DATE,
  ti TIME(3), dt DATETIME(3), ts TIMESTAMP(6) NULL, y YEAR, s SET('x', 'y'), bt BIT(12), bo TINYINT(1), j JSON);
INSERT INTO t VALUES (1, 18446744073709551615, -0.5, 0.1e0, 16777216, 'é ', 0x00ff, '2024-02-29', '-838:59:58.999', '1000-01-01 00:00:00.001', '2037-12-31 23:59:59.5', 1901, 'x,y',
  b'100000000001', 1, '{"b": [1, 2.5], "a": null}'), (2, 0, 7, -1.7976931348623157e308, 1.25, '', '', '9999-12-31', '00:00:00.001', '9999-12-31 23:59:59.999', '1970-01-02 00:00:01', 2155, '',
  b'0', 0, '[]'), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""",
    "postgresql": """CREATE TABLE t (id int PRIMARY KEY, ub numeric(20), n numeric(40,15), d float8, f real, c varchar(8), b bytea, da date, ti interval, dt timestamp(3), ts timestamptz,
  y smallint, s text[], bt bit(12), bo boolean, j jsonb);
INSERT INTO t VALUES (1, 18446744073709551615, -0.5, 0.1, 16777216, 'é', '\\x00ff', '2024-02-29', '-838:59:58.999', '1000-01-01 00:00:00.001', '2037-12-31 23:59:59.5+00', 1901, '{x,y}',
  b'100000000001', true, '{"a": null, "b": [1, 2.5]}'), (2, 0, 7, -1.7976931348623157e308, 1.25, '', '', '9999-12-31', '00:00:00.001', '9999-12-31 23:59:59.999', '1970-01-02 00:00:01+00',
  2155, '{}', b'000000000000', false, '[]'), (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)"""}
CROSS_CHANGES = {"ub": "18446744073709551614", "n": "-0.500000000000001", "d": "0.10000000000000002", "f": "16777218", "c": "'e'", "b": "'\\x00'", "da": "'2024-02-28'", "ti": "'838:59:58.999'",
                 "dt": "'1000-01-01 00:00:00.002'", "ts": "'2037-12-31 23:59:59.500001+00'", "y": "1902", "s": "'{x}'", "bt": "b'100000000000'", "bo": "NULL",
                 "j": "'{\"a\": null, \"b\": [1, 2]}'"}


@pytest.mark.parametrize("names", [("postgresql_15", "postgresql_15"), ("mariadb_a", "postgresql_15"), ("postgresql_15", "mysql_a")], ids="-".join)
def test_postgresql_equal_then_every_change_seen(request, names):
    servers = [request.getfixturevalue(name) for name in names]
    places, like = ("cmp_left", "cmp_right"), names[0] == names[1]
    for server, place in zip(servers, places):
        server.drop_place(place)
        server.make_place(place)
        server.sql_in(place, LIKE if like else CROSS[server.family])
    at = next(i for i in (1, 0) if servers[i].family == "postgresql")
    tables = [("cmp_left.t", "cmp_right.t")]
    try:
        assert compare(*servers, tables) == []
        for column, value in (LIKE_CHANGES if like else CROSS_CHANGES).items():
            server, place = servers[at], places[at]
            row = 2 if column == "n" and like else 1
            server.sql_in(place, f"CREATE TABLE kept AS TABLE t; UPDATE t SET {column} = {value} WHERE id = {row}")
            (diff,) = compare(*servers, tables)
            assert diff.changed == [((str(row),), [column])] and not diff.missing and not diff.extra, (column, str(diff))
            server.sql_in(place, "DELETE FROM t; INSERT INTO t TABLE kept; DROP TABLE kept")
        servers[at].sql_in(places[at], "DELETE FROM t WHERE id = 2")
        (diff,) = compare(*servers, tables)
        assert (diff.extra, diff.missing) == (([], [("2",)]) if at else ([("2",)], []))
    finally:
        for server, place in zip(servers, places):
            server.drop_place(place)
