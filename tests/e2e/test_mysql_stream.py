"""Binlog stream and applier against real servers: every pairing, every type, faults, and every event that must stop the stream."""

import json
import subprocess
import threading
import time

import pytest
from replay import DRIVER, Proxy, drive, drive_around, end, link, pair, serial, source  # noqa: F401

COLUMNS = """
  ti TINYINT, tu TINYINT UNSIGNED, si SMALLINT, su SMALLINT UNSIGNED, mi MEDIUMINT, mu MEDIUMINT UNSIGNED, i INT, iu INT UNSIGNED,
  bi BIGINT, bu BIGINT UNSIGNED, z INT(6) ZEROFILL, b1 BIT(1), b BIT(64), f FLOAT, d DOUBLE, n DECIMAL(65,30), n2 DECIMAL(5,2),
  da DATE, tm TIME(6), tm0 TIME, dt DATETIME(3), dt0 DATETIME, ts TIMESTAMP(6) NULL, y YEAR,
  c CHAR(5), cb CHAR(100) CHARACTER SET utf8mb4, v VARCHAR(40) CHARACTER SET latin1, u VARCHAR(40) CHARACTER SET utf8mb4,
  k VARCHAR(20) CHARACTER SET gbk, u16 VARCHAR(20) CHARACTER SET utf16, x LONGTEXT, tt TINYTEXT,
  bn BINARY(4), vb VARBINARY(300), tb TINYBLOB, bl LONGBLOB, e ENUM('a','ü','z'), s SET('x','y','w'), g GEOMETRY, j JSON
"""
NAMES = [part.split()[0] for part in
         "ti tu si su mi mu i iu bi bu z b1 b f d n n2 da tm tm0 dt dt0 ts y c cb v u k u16 x tt bn vb tb bl e s g j".split()]
VALUES = [
    ["-128", "255", "-32768", "65535", "-8388608", "16777215", "-2147483648", "4294967295", "-9223372036854775808",
     "18446744073709551615", "42", "b'1'", "b'1'", "1.23456789", "0.1e0 + 0.2e0", "-1.5", "-999.99", "'2024-02-29'",
     "'-838:59:58.999999'", "'-00:00:01'", "'2024-01-02 03:04:05.678'", "'1000-01-01 00:00:00'", "'2024-03-31 02:30:00.123456'", "2155",
     "'a '", "'Grüße'", "'é'", "'\U0001F600|N'", "'中文'", "'a\U0001F600'", "REPEAT('x', 100000)", "'it''s \\\\ \"q\"'", "'ab'",
     "0x00ff20", "0x00", "REPEAT(0x80, 300000)", "'ü'", "'x,w'", "ST_GeomFromText('POINT(1 2)')",
     "'{\"a\": [1, -2.5, null, true, \"ü\"]}'"],
    ["127", "128", "32767", "0", "8388607", "8388608", "2147483647", "2147483648", "9223372036854775807", "9223372036854775808", "0",
     "b'0'", "~0", "16777217", "1.7976931348623157e308", "99999999999999999999999999999999999.999999999999999999999999999999", "0.01",
     "'1000-01-01'", "'838:59:59'", "'838:59:59'", "'9999-12-31 23:59:59.999'", "'9999-12-31 23:59:59'", "'1970-01-01 05:45:01'", "1901",
     "''", "''", "''", "''", "''", "''", "''", "''", "''", "''", "''", "''", "'a'", "''",
     "ST_GeomFromText('LINESTRING(0 0, 1 1)')", "'[]'"],
    ["-1", "1", "-1", "1", "-1", "1", "-1", "1", "-1", "1", "1", "b'1'", "b'0'", "-3.4028234e38", "5e-324", "0", "0", "'2024-12-31'",
     "'-00:00:00.000001'", "'00:00:00'", "'2024-06-01 00:00:00'", "'2024-06-01 12:00:00'", "'2038-01-19 08:59:06.999999'", "2024", "'_%'",
     "'\\\\'", "'ÿ'", "'a\\nb\\tc'", "'a\\\\'", "'ü'", "'\\0\\Z\\r'", "'x'", "0x20202020", "REPEAT(0x27, 299)", "0x5c27", "0x00", "'z'",
     "'y'", "ST_GeomFromText('POLYGON((0 0, 1 0, 1 1, 0 0))')", "'\"text\"'"],
    ["NULL"] * 40,
]


def insert(table, key, values):
    return f"INSERT INTO {table} (id, {', '.join(NAMES)}) VALUES ({key}, {', '.join(values)});"


def change(table, values, where):
    return f"UPDATE {table} SET {', '.join(f'{n} = {v}' for n, v in zip(NAMES, values))} WHERE {where};"


@pytest.mark.parametrize("window", [1, 1000])
def test_all_types(pair, link, window):
    """Edge values of every type: inserted, updated from each into each, deleted; merged and in order, with and without key."""
    ddl = "".join(f"CREATE TABLE {name} (id INT NOT NULL{key}, {COLUMNS});"
                  for name, key in (("t", " PRIMARY KEY"), ("o", " PRIMARY KEY, UNIQUE KEY (i, id)"), ("h", "")))
    it = link(*pair, ddl)
    text = "SET time_zone = '+05:45';"
    for table in "toh":
        for i, values in enumerate(VALUES):
            text += insert(table, i, values)
        for i in range(len(VALUES)):
            text += insert(table, 10 + i, VALUES[i]) + change(table, VALUES[(i + 1) % len(VALUES)], f"id = {10 + i}")
            text += insert(table, 20 + i, VALUES[i]) + f"DELETE FROM {table} WHERE id = {20 + i};"
    it.source.sql(text, db=it.db)
    answer = it.ok(window_rows=window)
    assert answer["rows"] == 3 * (4 + 8 + 8)
    it.same("t", "o", "h")
    for i in range(len(VALUES)):
        it.source.sql("SET time_zone = '+05:45';" + "".join(change(t, VALUES[(i + 2) % len(VALUES)], f"id = {10 + i}") + f"DELETE FROM {t} WHERE id = {i};" for t in "toh"), db=it.db)
    it.ok(window_rows=window)
    it.same("t", "o", "h")


def test_keys(pair, link):
    """Keys of several kinds, moved, swapped and folded keys, id 0, rows that change and come back."""
    it = link(*pair, """
        CREATE TABLE a (id INT PRIMARY KEY AUTO_INCREMENT, v INT);
        CREATE TABLE b (x VARCHAR(20), y BINARY(4), z INT, PRIMARY KEY (x, y));
        CREATE TABLE c (id INT PRIMARY KEY, q INT UNIQUE, v INT);
        CREATE TABLE d (k VARCHAR(20) CHARACTER SET latin1 PRIMARY KEY, ts TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6));
        CREATE TABLE e (k DATETIME(6) PRIMARY KEY, v INT GENERATED ALWAYS AS (w + 1) STORED, w INT);
        CREATE TABLE f (k DECIMAL(20,5), e ENUM('a','b'), PRIMARY KEY (k, e));
        CREATE TABLE g (id INT PRIMARY KEY);
        CREATE TABLE s (k SET(""" + ",".join(f"'s{i}'" for i in range(64)) + """) PRIMARY KEY, v INT);""")
    it.source.sql("""
        SET sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO');
        INSERT INTO a VALUES (0, 0), (1, 1), (2, 2), (3, 3), (4, 4);
        UPDATE a SET id = id + 10 ORDER BY id DESC; UPDATE a SET v = v + 1; DELETE FROM a WHERE id = 12; INSERT INTO a VALUES (12, 5);
        INSERT INTO b VALUES ('a', 'x', 1), ('b', '', 2), ('ü', 0x20, 3);
        UPDATE b SET x = 'A' WHERE x = 'a'; UPDATE b SET z = 9; UPDATE b SET y = 0x00ff WHERE x = 'b'; DELETE FROM b WHERE x = 'ü';
        INSERT INTO c VALUES (1, 1, 1), (2, 2, 2);
        BEGIN; UPDATE c SET q = 3 WHERE id = 1; UPDATE c SET q = 1 WHERE id = 2; UPDATE c SET q = 2 WHERE id = 1; COMMIT;
        INSERT INTO d (k) VALUES ('a'), ('é'), ('z'); UPDATE d SET k = 'É' WHERE k = 'z2'; DELETE FROM d WHERE k = 'a'; UPDATE d SET ts = '2001-01-01 00:00:00.5' WHERE k = 'é';
        INSERT INTO e (k, w) VALUES ('2024-01-01 00:00:00.000001', 1), ('2024-01-01 00:00:00.000002', 2); UPDATE e SET w = 5; DELETE FROM e WHERE w = 5 LIMIT 1;
        INSERT INTO f VALUES (1.5, 'a'), (-1.5, 'b'), (0, 'a'); DELETE FROM f WHERE k = -1.5; UPDATE f SET e = 'b' WHERE k = 0;
        INSERT INTO g VALUES (1), (2); DELETE FROM g WHERE id = 1; INSERT INTO g VALUES (1); UPDATE g SET id = 5 WHERE id = 2;
        INSERT INTO s VALUES (18446744073709551615, 1), ('s63', 2), ('s0,s63', 3), (5, 4); UPDATE s SET v = v + 10; DELETE FROM s WHERE v = 11; UPDATE s SET k = 's63,s62' WHERE v = 12;
        """, db=it.db)
    it.ok()
    it.same(*"abcdefgs")
    it.source.sql("UPDATE a SET v = v * 2; UPDATE b SET z = z + 1; DELETE FROM d; DELETE FROM f; UPDATE e SET w = 7; DELETE FROM a WHERE id > 12; DELETE FROM s", db=it.db)
    it.ok()
    it.same(*"abcdefgs")


def test_rows_without_key(pair, link):
    """Repeated rows stay a multiset; text that a collation takes for equal does not stand in for another row."""
    it = link(*pair, "CREATE TABLE h (a INT, v VARCHAR(20), f FLOAT, b BLOB)")
    it.source.sql("""
        INSERT INTO h VALUES (1, 'x', 0.1, 'q'), (1, 'x', 0.1, 'q'), (1, 'X', 0.1, 'q'), (NULL, NULL, NULL, NULL), (NULL, NULL, NULL, NULL), (1, 'x', 0.1, 'Q');
        DELETE FROM h WHERE v = BINARY 'x' AND b = 'q' LIMIT 1; DELETE FROM h WHERE v = BINARY 'X'; DELETE FROM h WHERE a IS NULL LIMIT 1;
        UPDATE h SET f = 16777216 WHERE b = 'Q'; UPDATE h SET a = 2 WHERE b = 'Q';""", db=it.db)
    it.ok()
    it.same("h")
    assert len(it.rows(it.target, "SELECT * FROM h")) == 3


def test_charset_differs_at_the_target(pair, link):
    it = link(*pair, "CREATE TABLE t (k VARCHAR(20) CHARACTER SET latin1 PRIMARY KEY, v INT); CREATE TABLE h (k VARCHAR(20) CHARACTER SET latin1)",
              "CREATE TABLE t (k VARCHAR(20) CHARACTER SET utf8mb4 PRIMARY KEY, v INT); CREATE TABLE h (k VARCHAR(20) CHARACTER SET utf8mb4)")
    it.source.sql("INSERT INTO t VALUES ('é', 1), ('z', 2); UPDATE t SET v = 3; DELETE FROM t WHERE k = 'z'; INSERT INTO h VALUES ('é'), ('e'); DELETE FROM h WHERE k = 'é' LIMIT 1",
                  db=it.db)
    it.ok(window_rows=1)
    it.same("t", "h")


def test_restart_and_foreign_traffic(pair, link):
    """Foreign transactions only move the position; a second run goes on behind the first, and nothing is applied twice."""
    it = link(*pair, "CREATE TABLE t (id INT PRIMARY KEY, v INT); CREATE TABLE h (v INT)")
    other = it.db + "x"
    it.source.sql(f"CREATE DATABASE {other}; CREATE TABLE {other}.z (v INT)")
    try:
        it.source.sql(f"INSERT INTO t VALUES (1, 1); INSERT INTO h VALUES (1); INSERT INTO {other}.z VALUES (1); FLUSH BINARY LOGS; INSERT INTO h VALUES (2)", db=it.db)
        assert it.ok()["txns"] == 3
        it.source.sql(f"INSERT INTO {other}.z VALUES (2); ALTER TABLE {other}.z ADD c INT; DROP TABLE {other}.z; FLUSH BINARY LOGS", db=it.db)
        answer = it.ok()
        assert (answer["txns"], answer["rows"]) == (0, 0) and answer["heartbeats"] >= 1
        it.source.sql("INSERT INTO h VALUES (1)", db=it.db)
        assert it.ok(**{"from": answer["position"]})["txns"] == 1
        it.same("t", "h")
    finally:
        it.source.sql(f"DROP DATABASE {other}")


def test_every_boundary_resumes(source, mariadb_b, link):
    """A stream may begin at each delivered position and at none between."""
    it = link(source, mariadb_b, "CREATE TABLE h (v INT)")
    it.source.sql("INSERT INTO h VALUES (1); BEGIN; INSERT INTO h VALUES (2); INSERT INTO h VALUES (3); COMMIT; INSERT INTO h VALUES (4)", db=it.db)
    place = json.loads(it.start)
    last = json.loads(it.position())
    starts = 0
    for pos in range(place["pos"], last["pos"] + 1):
        answer = drive(mode="decode", source=end(source), objects={it.db: {"name": it.db, "all": True}}, until="now",
                       **{"from": it.start.replace(f'"pos":{place["pos"]},', f'"pos":{pos},').split(',"gtid"')[0] + ',"gtid":""}'}) if pos % 7 == 0 or pos in (place["pos"], last["pos"]) else None
        if answer is None:
            continue
        if answer["ok"]:
            starts += 1
            assert answer["rows"] in (4, 3, 1, 0), answer
        else:
            assert answer["code"] == "SourcePositionInvalid", answer
    assert starts >= 2


def test_savepoints_and_rollback(source, mariadb_b, link):
    it = link(source, mariadb_b, "CREATE TABLE t (id INT PRIMARY KEY, v INT)")
    it.source.sql("""BEGIN; INSERT INTO t VALUES (1, 1); SAVEPOINT a; INSERT INTO t VALUES (2, 2); ROLLBACK TO a; INSERT INTO t VALUES (3, 3);
                     SAVEPOINT `we``ird`; INSERT INTO t VALUES (4, 4); ROLLBACK TO `we``ird`; RELEASE SAVEPOINT a; COMMIT;
                     BEGIN; INSERT INTO t VALUES (9, 9); ROLLBACK""", db=it.db)
    it.ok()
    it.same("t")


def test_filter(pair, link):
    it = link(*pair, "CREATE TABLE t (id INT PRIMARY KEY, v INT, w VARCHAR(9))")
    it.source.sql("""INSERT INTO t VALUES (1, 5, 'in'), (2, 50, 'out'), (3, 7, 'in'), (4, NULL, 'null');
                     UPDATE t SET v = 51 WHERE id = 1; UPDATE t SET v = 8 WHERE id = 2; UPDATE t SET v = 9 WHERE id = 3; UPDATE t SET w = 'x';
                     DELETE FROM t WHERE id = 4""", db=it.db)
    it.ok(objects={it.db: {"name": it.db, "all": False, "Table": {"t": {"name": "t", "all": True, "filter": "v < 10"}}}})
    assert it.rows(it.target, "SELECT * FROM t ORDER BY id") == it.rows(it.source, "SELECT * FROM t WHERE v < 10 ORDER BY id")


def test_heartbeats_and_cancel(source, mariadb_b, link):
    """An idle stream tells its position and ends at once when asked."""
    it = link(source, mariadb_b, "CREATE TABLE t (id INT PRIMARY KEY)")
    begin = time.monotonic()
    answer = it.run(until="", heartbeat_ms=200, cancel_after_ms=1500, mode="decode")
    assert answer["code"] == "Cancelled" and answer["us"] < 1600000, answer
    assert answer["heartbeats"] >= 4 and answer["longest_gap_us"] < 900000, answer
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize("window", [1, 1000])
def test_truncate(pair, link, window):
    """In log order between the rows around it, of a table that merges, one that does not, and one without a key; children of a foreign key stay as they are."""
    it = link(*pair, "CREATE TABLE t (id INT PRIMARY KEY, v INT); CREATE TABLE o (id INT AUTO_INCREMENT PRIMARY KEY, v INT UNIQUE); CREATE TABLE h (v INT);"
              "CREATE TABLE c (id INT PRIMARY KEY, o INT, FOREIGN KEY (o) REFERENCES o (id))")
    it.source.sql("INSERT INTO t VALUES (1, 1), (2, 2); INSERT INTO o (v) VALUES (5), (6); INSERT INTO h VALUES (1), (1); INSERT INTO c VALUES (1, 2);"
                  "TRUNCATE t; INSERT INTO t VALUES (1, 10); UPDATE t SET v = 11; TRUNCATE TABLE h; INSERT INTO h VALUES (7);"
                  f"SET foreign_key_checks = 0; TRUNCATE `{it.db}`.o; SET foreign_key_checks = 1; INSERT INTO o VALUES (2, 5);"
                  "CREATE TEMPORARY TABLE h (v INT); TRUNCATE h; DROP TEMPORARY TABLE h", db=it.db)
    it.ok(window_rows=window)
    it.same("t", "o", "h", "c")
    assert it.rows(it.target, "SELECT * FROM t") == [(1, 11)] and it.rows(it.target, "SELECT * FROM c") == [(1, 2)]
    it.source.sql("TRUNCATE t", db=it.db)
    it.ok(window_rows=window)
    assert it.rows(it.target, "SELECT * FROM t") == []


REFUSED = {
    "alter": ("ALTER TABLE t ADD c INT", "SourceSchemaChanged", ["ALTER TABLE t ADD c INT", "binlog"]),
    "drop": ("DROP TABLE t", "SourceSchemaChanged", []),
    "drop list": ("CREATE DATABASE IF NOT EXISTS stz; CREATE TABLE stz.q (a INT); DROP TABLE stz.q, t", "SourceSchemaChanged", []),
    "rename": ("RENAME TABLE t TO t2", "SourceSchemaChanged", []),
    "rename in": ("CREATE DATABASE IF NOT EXISTS stz; CREATE TABLE stz.p (a INT); RENAME TABLE stz.p TO `{db}`.`new`; DROP TABLE `{db}`.`new`", "SourceSchemaChanged", []),
    "create": ("CREATE TABLE fresh (a INT)", "SourceSchemaChanged", ["fresh"]),
    "create select": ("CREATE TABLE fresh AS SELECT 1 AS a", "SourceSchemaChanged", ["fresh"]),
    "index": ("CREATE INDEX q ON t (v)", "SourceSchemaChanged", []),
    "qualified": ("USE mysql; /* c */ ALTER TABLE `{db}`.`t` COMMENT 'x'", "SourceSchemaChanged", []),
    "database": ("ALTER DATABASE `{db}` CHARACTER SET latin1", "SourceSchemaChanged", []),
    "ansi": ("SET sql_mode = 'ANSI_QUOTES'; ALTER TABLE \"t\" COMMENT 'x'", "SourceSchemaChanged", []),
    "statement": ("SET binlog_format = STATEMENT; UPDATE t SET v = 2", "SourceStatementFormat", ["UPDATE t SET v = 2", "binlog_format"]),
    "statement rand": ("SET binlog_format = STATEMENT; INSERT INTO t (id) VALUES (77)", "SourceStatementFormat", []),
    "other default": ("SET binlog_format = STATEMENT; USE mysql; DELETE FROM `{db}`.t", "SourceStatementFormat", []),
    "minimal": ("SET binlog_row_image = MINIMAL; UPDATE t SET v = 2 WHERE id = 1", "SourceLogFormat", ["binlog_row_image"]),
    "xa": ("XA START 'b1'; UPDATE t SET v = 3; XA END 'b1'; XA PREPARE 'b1'; XA COMMIT 'b1'", "NotSupported", ["XA"]),
}
REFUSED_MYSQL = {
    "partial json": ("SET binlog_row_value_options = PARTIAL_JSON; UPDATE t SET j = JSON_SET(j, '$.a', 2) WHERE id = 1", "SourceLogFormat", ["PARTIAL_JSON"]),
    "compressed": ("SET binlog_transaction_compression = ON; UPDATE t SET v = 2 WHERE id = 1", "SourceLogFormat", ["binlog_transaction_compression"]),
}
REFUSED_MARIADB = {
    "compressed": ("SET GLOBAL log_bin_compress = ON; UPDATE t SET v = 2, w = REPEAT('x', 600) WHERE id = 1; SET GLOBAL log_bin_compress = OFF", "SourceLogFormat", ["log_bin_compress"]),
}


def refuse(source, target, link, case):
    sql, code, parts = case
    it = link(source, target, "CREATE TABLE t (id INT PRIMARY KEY, v INT, w TEXT, j JSON)")
    source.sql("""INSERT INTO t (id, v, w, j) VALUES (1, 1, '', CONCAT('{"b": "', REPEAT('x', 2000), '", "a": 1}'))""", db=it.db)
    it.ok()
    assert it.rows(target, "SELECT id, v FROM t") == [(1, 1)]

    def spoil():
        source.sql(sql.replace("{db}", it.db), db=it.db)

    try:
        answer = drive_around(spoil, **it.request())
        assert not answer["ok"] and answer["code"] == code, json.dumps(answer)
        for part in [*parts, "binlog."]:
            assert part in answer["text"], answer["text"]
        assert it.rows(target, "SELECT id, v FROM t") == [(1, 1)]
    finally:
        source.sql("DROP DATABASE IF EXISTS stz")


@pytest.mark.parametrize("name", REFUSED)
def test_refused(source, mariadb_b, link, name):
    refuse(source, mariadb_b, link, REFUSED[name])


@pytest.mark.parametrize("name", REFUSED_MYSQL)
def test_refused_mysql(mysql_a, mariadb_b, link, name):
    refuse(mysql_a, mariadb_b, link, REFUSED_MYSQL[name])


@pytest.mark.parametrize("name", REFUSED_MARIADB)
def test_refused_mariadb(mariadb_a, mariadb_b, link, name):
    refuse(mariadb_a, mariadb_b, link, REFUSED_MARIADB[name])


def test_foreign_of_every_kind_passes(source, mariadb_b, link):
    """What stops the stream on a selected table passes on others."""
    it = link(source, mariadb_b, "CREATE TABLE t (id INT PRIMARY KEY)")
    other = it.db + "y"
    try:
        source.sql(f"""CREATE DATABASE {other}; USE {other}; CREATE TABLE z (id INT PRIMARY KEY, v INT) ; INSERT INTO z VALUES (1, 1);
            CREATE TABLE z2 AS SELECT * FROM z; ALTER TABLE z ADD w INT; TRUNCATE z2; RENAME TABLE z2 TO z3; DROP TABLE z3;
            SET binlog_row_image = MINIMAL; UPDATE z SET v = 2; XA START 'f'; UPDATE z SET v = 3; XA END 'f'; XA PREPARE 'f'; XA COMMIT 'f';
            XA START 'g'; UPDATE z SET v = 4; XA END 'g'; XA COMMIT 'g' ONE PHASE;
            CREATE VIEW vz AS SELECT * FROM z; CREATE USER u_{it.db} IDENTIFIED BY 'Sl-uice1'; DROP USER u_{it.db};
            CREATE TRIGGER tz BEFORE INSERT ON z FOR EACH ROW SET NEW.v = 1; INSERT INTO z VALUES (7, 7, 7);
            SET binlog_format = STATEMENT; UPDATE z SET v = 5; INSERT INTO z (id) VALUES (8)""")
        source.sql("INSERT INTO t VALUES (5)", db=it.db)
        it.ok()
        it.same("t")
    finally:
        source.sql(f"DROP DATABASE IF EXISTS {other}")


def test_purged_and_foreign_positions(source, mariadb_b, link):
    it = link(source, mariadb_b, "CREATE TABLE t (id INT PRIMARY KEY)")
    place = json.loads(it.start)
    wrong = it.start.replace(place["server"], "mariadb:1" if place["server"].startswith("mariadb") else "00000000-0000-0000-0000-000000000001")
    it.fails("SourceServerChanged", **{"from": wrong})
    it.fails("SourcePositionInvalid", **{"from": it.start.replace(f'"pos":{place["pos"]}', f'"pos":{place["pos"] + 1000000}')})


def test_txn_limit(source, mariadb_b, link):
    it = link(source, mariadb_b, "CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT)")
    it.source.sql("INSERT INTO t VALUES (1, REPEAT('x', 3000000))", db=it.db)
    it.fails("LimitExceeded", "memory", limit_bytes=1000000)
    it.ok(limit_bytes=20000000)


def test_divergence_is_named(pair, link):
    it = link(*pair, "CREATE TABLE t (id INT PRIMARY KEY, secret VARCHAR(20)); CREATE TABLE h (v INT); CREATE TABLE o (id INT PRIMARY KEY, q INT UNIQUE)")
    it.source.sql("INSERT INTO t VALUES (1, 'a'), (2, 'a'), (3, 'a'); INSERT INTO h VALUES (1); INSERT INTO o VALUES (1, 1), (2, 2)", db=it.db)
    it.ok()
    for spoil, sql, parts in (
            ("DELETE FROM t WHERE id = 2", "UPDATE t SET secret = 'hidden-value'", ["UPDATE", "(id=2)", "expected 1 row, found 0"]),
            ("DELETE FROM t WHERE id = 3", "DELETE FROM t WHERE id = 3", ["DELETE", "(id=3)"]),
            ("INSERT INTO t VALUES (9, 'z')", "INSERT INTO t VALUES (8, 'hidden-value'), (9, 'hidden-value')", ["INSERT", "(id=9)"]),
            ("DELETE FROM h", "DELETE FROM h", ["DELETE", "without key"]),
            ("UPDATE o SET q = 7 WHERE id = 1", "UPDATE o SET q = 7 WHERE id = 2", ["UPDATE", "(id=2)"]),
            ("DELETE FROM o WHERE id = 1", "UPDATE o SET q = 9 WHERE id = 1", ["UPDATE", "(id=1)"])):
        start = it.position()
        job = f"{it.job}-{next(serial)}"
        it.target.sql(spoil, db=it.db)
        it.source.sql(sql, db=it.db)
        before = [it.rows(it.target, f"SELECT * FROM {t}") for t in "tho"]
        answer = it.fails("DestinationDiverged", *parts, job=job, **{"from": start})
        assert "hidden-value" not in answer["text"]
        assert before == [it.rows(it.target, f"SELECT * FROM {t}") for t in "tho"]
        for table in "tho":  # repair for the next case
            it.target.sql(f"DELETE FROM {table}", db=it.db)
            for row in it.rows(it.source, f"SELECT * FROM {table}"):
                it.target.sql(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(row))})", *row, db=it.db)


def test_truncation_is_never_silent(pair, link):
    it = link(*pair, "CREATE TABLE t (id INT PRIMARY KEY, v DECIMAL(10,4))", "CREATE TABLE t (id INT PRIMARY KEY, v DECIMAL(10,2))")
    it.source.sql("INSERT INTO t VALUES (1, 1.5), (2, 1.2345)", db=it.db)
    it.fails("DestinationQueryFailed", "(id=2)")
    assert it.rows(it.target, "SELECT COUNT(*) FROM t") == [(0,)]


def test_fencing(pair, link):
    it = link(*pair, "CREATE TABLE t (id INT PRIMARY KEY)")
    it.source.sql("INSERT INTO t VALUES (1)", db=it.db)
    it.ok(epoch=5)
    it.source.sql("INSERT INTO t VALUES (2)", db=it.db)
    it.fails("WorkerFenced", epoch=4)
    assert it.rows(it.target, "SELECT * FROM t") == [(1,)]
    slow = it.request(epoch=6, until="", heartbeat_ms=100, cancel_after_ms=4000)
    first = subprocess.Popen([str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    first.stdin.write(json.dumps(slow))
    first.stdin.close()
    deadline = time.monotonic() + 10
    while it.rows(it.target, "SELECT COUNT(*) FROM t") != [(2,)] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert drive(mode="claim", source=end(it.source), target=end(it.target), job=it.job, epoch=7)["ok"]
    it.source.sql("INSERT INTO t VALUES (3)", db=it.db)
    answer = json.loads(first.stdout.read())
    first.wait()
    assert answer["code"] == "WorkerFenced", answer
    assert it.rows(it.target, "SELECT COUNT(*) FROM t") == [(2,)]


def test_foreign_keys(pair, link):
    """Cascades: done by the target where the source does not log them, by the log where it does."""
    it = link(*pair, """CREATE TABLE p (id INT PRIMARY KEY, v INT);
        CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE);
        CREATE TABLE g (id INT PRIMARY KEY, c INT, FOREIGN KEY (c) REFERENCES c (id) ON DELETE CASCADE);
        CREATE TABLE n (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL ON UPDATE CASCADE);""")
    it.source.sql("""INSERT INTO p VALUES (1, 1), (2, 2), (3, 3), (4, 4); INSERT INTO c VALUES (10, 1), (11, 1), (20, 2), (30, 3), (40, 4);
        INSERT INTO g VALUES (100, 10), (200, 20), (400, 40); INSERT INTO n VALUES (1, 1), (2, 2), (3, 3), (4, 4);
        DELETE FROM p WHERE id = 1; UPDATE p SET id = 22 WHERE id = 2; UPDATE p SET v = 9 WHERE id = 3;
        SET foreign_key_checks = 0; DELETE FROM p WHERE id = 4; SET foreign_key_checks = 1; DELETE FROM c WHERE id = 30""", db=it.db)
    it.ok()
    it.same(*"pcgn")
    assert it.rows(it.target, "SELECT id FROM c ORDER BY id") == [(20,), (40,)]


CHILDREN = "CREATE TABLE p (id INT PRIMARY KEY, q INT UNIQUE); CREATE TABLE c (id INT PRIMARY KEY, p INT"
KEY = "KEY (p), CONSTRAINT `f` FOREIGN KEY (p) REFERENCES p (id)"


@pytest.mark.parametrize("at_source, at_target, parts", [
    (f", {KEY} ON DELETE CASCADE)", ")", ["lacks", "`c`", "cascade"]),
    (f", {KEY} ON DELETE CASCADE)", f", {KEY})", ["lacks", "`c`"]),
    (f", {KEY} ON DELETE CASCADE)", f", {KEY} ON DELETE SET NULL)", ["foreign key f", "set null"]),
    (f", {KEY} ON DELETE CASCADE)", f", {KEY} ON DELETE CASCADE ON UPDATE CASCADE)", ["foreign key f"]),
    (f", {KEY})", f", {KEY} ON UPDATE CASCADE)", ["foreign key f"]),
    (")", f", {KEY} ON DELETE CASCADE)", ["foreign key f"]),
    (f", {KEY})", ")", None),
    (f", {KEY} ON DELETE CASCADE, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)", f", {KEY} ON DELETE CASCADE)", None),
], ids=["none", "no action", "other action", "action more", "action only there", "key only there", "no actions", "twice"])
def test_foreign_keys_must_match(pair, link, at_source, at_target, parts):
    """Where the source does not log what its foreign keys did, the target's must do the same."""
    it = link(*pair, CHILDREN + at_source, CHILDREN + at_target)
    if parts and it.source.kind == "mariadb":
        it.fails("NotSupported", *parts)
    else:
        it.source.sql("INSERT INTO p VALUES (1, 1), (2, 2); INSERT INTO c VALUES (1, 1), (2, 2); DELETE FROM c WHERE id = 2; DELETE FROM p WHERE id = 2", db=it.db)
        it.ok()
        it.same("p", "c")


def test_overlap_is_idempotent(pair, link):
    """The same log applied onto its own result: the last image wins, nothing is counted."""
    it = link(*pair, """CREATE TABLE t (id INT PRIMARY KEY, v INT); CREATE TABLE o (id INT PRIMARY KEY, q INT UNIQUE);
        CREATE TABLE p (id INT PRIMARY KEY, v INT); CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id));""")
    it.source.sql("""INSERT INTO t VALUES (1, 1), (2, 2), (3, 3); UPDATE t SET v = 7 WHERE id = 1; DELETE FROM t WHERE id = 2; UPDATE t SET id = 9 WHERE id = 3;
        INSERT INTO o VALUES (1, 1), (2, 2); BEGIN; UPDATE o SET q = 3 WHERE id = 1; UPDATE o SET q = 1 WHERE id = 2; COMMIT;
        INSERT INTO p VALUES (1, 1), (2, 2); INSERT INTO c VALUES (1, 1), (2, 2), (3, 2); UPDATE p SET v = 5 WHERE id = 1; DELETE FROM c WHERE id = 3""", db=it.db)
    it.ok()
    last = it.position()
    it.source.sql("INSERT INTO t VALUES (50, 50)", db=it.db)
    it.ok(job=it.job + "-again", overlap_from=it.start, overlap_until=last)
    it.same(*"topc")


@pytest.mark.parametrize("forward", [True, False], ids=["answer lost", "commit lost"])
def test_commit_unknown(pair, link, forward):
    it = link(*pair, "CREATE TABLE h (v INT)")
    it.source.sql("INSERT INTO h VALUES (1); INSERT INTO h VALUES (2)", db=it.db)
    it.ok()
    proxy = Proxy(it.target.port)
    try:
        it.source.sql("INSERT INTO h VALUES (3); INSERT INTO h VALUES (3)", db=it.db)
        proxy.marker, proxy.forward = b"\x03COMMIT", forward
        answer = it.run(target=end(it.target, proxy.port))
        assert answer["code"] == "CommitUnknown" and answer["retry"] == 2 and proxy.cuts == 1, answer
        assert len(it.rows(it.target, "SELECT * FROM h")) == (4 if forward else 2)
        it.ok()
        it.same("h")
    finally:
        proxy.close()


@pytest.mark.parametrize("side", ["source", "target"])
def test_handshake_cut(mysql_a, mysql_b, link, side):
    """A server that dies while TLS is being agreed on is asked again, like one that is away."""
    it = link(mysql_a, mysql_b, "CREATE TABLE h (v INT)")
    proxy = Proxy(getattr(it, side).port)
    try:
        proxy.marker, proxy.forward = b"\x16\x03\x01", False
        code = {"source": "SourceConnectFailed", "target": "DestinationConnectFailed"}[side]
        answer = it.fails(code, "TLS", **{side: {**end(getattr(it, side), proxy.port), "tls": "require"}})
        assert answer["retry"] == 3 and proxy.cuts == 1, answer
    finally:
        proxy.close()


def test_killed_connections(pair, link):
    """The target's connection killed again and again in the middle of windows: every row once."""
    it = link(*pair, "CREATE TABLE h (v INT); CREATE TABLE t (id INT PRIMARY KEY, v INT)")
    with it.source.connect(database=it.db, autocommit=True) as connection, connection.cursor() as cursor:
        for i in range(300):
            cursor.execute(f"INSERT INTO h VALUES ({i})")
            cursor.execute(f"INSERT INTO t VALUES ({i}, {i})")
    stop = threading.Event()

    def killer():
        while not stop.is_set():
            for row in it.target.sql("SELECT id FROM information_schema.processlist WHERE info LIKE %s AND id <> CONNECTION_ID()", f"%{it.db}%"):
                try:
                    it.target.sql(f"KILL {row[0]}")
                except Exception:  # pylint: disable=broad-except
                    pass
            time.sleep(0.05)

    thread = threading.Thread(target=killer)
    thread.start()
    kills = 0
    try:
        for _ in range(100):
            answer = it.run(window_rows=7)
            if answer["ok"]:
                break
            kills += 1
            assert answer["retry"] in (1, 2, 3), answer
            if kills > 10:
                stop.set()
    finally:
        stop.set()
        thread.join()
    it.ok()
    it.same("h", "t")


def test_extra_unique_key_at_the_target(pair, link):
    """An upsert would hit the wrong row: such a table is applied in order and the conflict is named."""
    it = link(*pair, "CREATE TABLE t (id INT PRIMARY KEY, q INT)", "CREATE TABLE t (id INT PRIMARY KEY, q INT UNIQUE)")
    it.source.sql("INSERT INTO t VALUES (1, 1), (2, 2); UPDATE t SET q = 3 WHERE id = 1", db=it.db)
    it.ok()
    it.same("t")
    it.source.sql("UPDATE t SET q = 3 WHERE id = 2", db=it.db)
    it.fails("DestinationDiverged", "(id=2)")
    assert it.rows(it.target, "SELECT * FROM t ORDER BY id") == [(1, 3), (2, 2)]


def test_triggers_at_the_target(pair, link):
    it = link(*pair, "CREATE TABLE t (id INT PRIMARY KEY, v INT)")
    it.target.sql("CREATE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW SET @a = 1", db=it.db)
    it.source.sql("INSERT INTO t VALUES (1, 1), (2, 2); UPDATE t SET v = 5; DELETE FROM t WHERE id = 1", db=it.db)
    it.ok()
    it.same("t")


@pytest.mark.parametrize("column", range(len(NAMES)), ids=NAMES)
def test_whole_row_comparison(pair, link, column):
    """A row without key is found by each type alone."""
    name = NAMES[column]
    parts, depth, start = [], 0, 0
    for i, c in enumerate(COLUMNS):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append(COLUMNS[start:i].strip())
            start = i + 1
    parts.append(COLUMNS[start:].strip())
    it = link(*pair, f"CREATE TABLE h (nr INT, {parts[column]})")
    values = [v[column] for v in VALUES]
    text = "SET time_zone = '+05:45';" + "".join(f"INSERT INTO h VALUES ({i}, {v});" for i, v in enumerate(values))
    text += "".join(f"UPDATE h SET {name} = {values[(i + 1) % 4]} WHERE nr = {i};" for i in range(4)) + "DELETE FROM h WHERE nr > 1"
    it.source.sql(text, db=it.db)
    it.ok()
    it.same("h")
