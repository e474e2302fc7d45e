"""Catalog, schema creation and prechecks of the MySQL engine against real servers, through tests/drivers/engine_probe."""

import json
import os
import subprocess
import uuid
from pathlib import Path

import pytest
from commit_proxy import CommitProxy
from servers import MariaDB
from sluice import wait_for

PROBE = Path(os.environ.get("SLUICE_BIN", Path(__file__).parents[2] / "build/asan/sluice")).parent / "tests/drivers/engine_probe"

COMMON = """
CREATE TABLE p (id INT PRIMARY KEY, name VARCHAR(50) CHARACTER SET latin1 NOT NULL DEFAULT 'caf\u00e9') COMMENT='parent''s';
CREATE TABLE t (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, a VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT 'it''s' COMMENT 'q"x',
  e ENUM('a,b','\u00e9''x') CHARACTER SET latin1 DEFAULT '\u00e9''x', st SET('x','y') CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci,
  n INT, g INT AS (n + 1) VIRTUAL, g2 VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin AS (concat(a, 'x''')) STORED,
  b VARBINARY(10) DEFAULT 'x', bt BIT(5) DEFAULT b'101', d DECIMAL(20,5) NOT NULL DEFAULT 1.50000,
  ts TIMESTAMP(3) NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), dt DATETIME(6), y YEAR, z INT(5) UNSIGNED ZEROFILL,
  f FLOAT, db DOUBLE, day DATE DEFAULT (curdate()), inv INT INVISIBLE, tx MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, bl LONGBLOB,
  fk INT, bo TINYINT(1),
  PRIMARY KEY (id), UNIQUE KEY u (n, a(10)), KEY k (b(3)) COMMENT 'c', KEY k2 (dt, fk), FULLTEXT KEY ft (tx),
  CONSTRAINT fk1 FOREIGN KEY (fk) REFERENCES p (id) ON DELETE CASCADE, CONSTRAINT c1 CHECK (fk > 0)
) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;
CREATE TABLE part (id INT PRIMARY KEY, d DATE) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
  PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
CREATE TABLE ai (k INT PRIMARY KEY, seq INT NOT NULL AUTO_INCREMENT, x INT, KEY seq (seq), KEY x (x));
CREATE VIEW v AS SELECT t.a, x.id FROM t JOIN p x ON x.id = t.fk;
CREATE VIEW a_view_of_v AS SELECT a FROM v;
"""

PAIRS = [("mariadb_a", "mariadb_b"), ("mysql_a", "mysql_b"), ("mariadb_a", "mysql_a"), ("mysql_a", "mariadb_a")]


def end(server, user="root", password=None):
    return {"host": "127.0.0.1", "port": server.port, "user": user, "password": password or server.root_password}


def probe(op, check=True, **request):
    done = subprocess.run([PROBE], input=json.dumps({"op": op, **request}), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    if check:
        assert answer["ok"], answer.get("text")
    return answer


def name(prefix):
    return f"{prefix}_{uuid.uuid4().hex[:8]}"


def columns(server, schema, table):
    rows = server.sql(
        "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, CHARACTER_SET_NAME, COLLATION_NAME, EXTRA, COLUMN_COMMENT, NUMERIC_PRECISION, "
        "CHARACTER_MAXIMUM_LENGTH, DATETIME_PRECISION, COLUMN_DEFAULT FROM information_schema.COLUMNS WHERE TABLE_SCHEMA=%s AND TABLE_NAME=%s ORDER BY ORDINAL_POSITION",
        schema, table)
    return [tuple(v.decode() if isinstance(v, bytes) else v for v in row) for row in rows]


def keys(server, schema, table):
    return server.sql(
        "SELECT INDEX_NAME, NON_UNIQUE, SEQ_IN_INDEX, COLUMN_NAME, SUB_PART, INDEX_TYPE, INDEX_COMMENT FROM information_schema.STATISTICS "
        "WHERE TABLE_SCHEMA=%s AND TABLE_NAME=%s ORDER BY INDEX_NAME, SEQ_IN_INDEX", schema, table)


def foreign_keys(server, schema):
    return server.sql("SELECT CONSTRAINT_NAME, TABLE_NAME, REFERENCED_TABLE_NAME, REPLACE(DELETE_RULE, 'RESTRICT', 'NO ACTION'), "
                      "REPLACE(UPDATE_RULE, 'RESTRICT', 'NO ACTION') FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA=%s", schema)


def neutral(rows, like):
    """Columns as both products show them: without display widths, and defaults only between like servers."""
    out = []
    for column, data, full, *rest in rows:
        extra = rest[3].replace("DEFAULT_GENERATED", "").replace("()", "").lower().strip()
        width = full if like or data not in ("tinyint", "int", "bigint", "year") else " ".join([data] + full.split(" ")[1:])
        precision = rest[5] if data not in ("int", "bigint") else None  # differs with UNSIGNED and ZEROFILL between the products
        out.append((column, data, width, *rest[:3], extra, rest[4], precision, *rest[6:8], rest[8] if like else None))
    return out


@pytest.fixture
def schema():
    made = []

    def make(server, statements):
        db = name("src")
        server.sql(f"CREATE DATABASE `{db}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci; USE `{db}`; {statements}")
        made.append((server, db))
        return db

    yield make
    for server, db in made:
        server.sql(f"DROP DATABASE IF EXISTS `{db}`")


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_schema_round_trip(pair, request, schema):
    source, target = (request.getfixturevalue(p) for p in pair)
    like = pair[0][:3] == pair[1][:3]
    db, to, job = schema(source, COMMON), name("dst"), name("job")
    objects = {db: {"name": to, "all": True, "Table": {"part": {"name": "part2", "all": True}}, "View": {"v": {"name": "v2"}}}}
    ask = {"source": end(source), "target": end(target), "objects": objects, "job": job}
    try:
        probe("schema", **ask)
        before = target.sql("SELECT COUNT(*) FROM sluice.object WHERE job_id=%s", job)
        probe("schema", **ask)  # a second run, as after a kill, changes nothing
        assert before == target.sql("SELECT COUNT(*) FROM sluice.object WHERE job_id=%s", job)
        for table, there in (("p", "p"), ("t", "t"), ("part", "part2"), ("ai", "ai")):
            assert neutral(columns(source, db, table), like) == neutral(columns(target, to, there), like)
            assert keys(source, db, table) == keys(target, to, there)
        assert foreign_keys(source, db) == foreign_keys(target, to)
        target.sql(f"INSERT INTO `{to}`.p VALUES (1, 'x'); INSERT INTO `{to}`.t (a, fk) VALUES ('in view', 1)")
        assert [tuple(map(str, r)) for r in target.sql(f"SELECT * FROM `{to}`.v2")] == [("in view", "1")]
        assert len(target.sql(f"SELECT * FROM `{to}`.a_view_of_v")) == 1
        # Another job meets objects that it did not make.
        other = probe("schema", check=False, **{**ask, "job": name("job")})
        assert other["code"] == "DestinationObjectExists"
    finally:
        target.sql(f"DROP DATABASE IF EXISTS `{to}`; DROP DATABASE IF EXISTS sluice")


@pytest.mark.parametrize("kind", ["mariadb_a", "mysql_a"])
def test_catalog_is_what_the_server_says(kind, request, schema):
    server = request.getfixturevalue(kind)
    db = schema(server, COMMON)
    tables = {t["name"]: t for t in probe("catalog", source=end(server), objects={db: {"name": db, "all": True}})["tables"]}
    assert [t["id"] for t in tables.values()] == list(range(4))
    assert tables["p"]["referenced"] and not tables["t"]["referenced"]
    for table, t in tables.items():
        said = columns(server, db, table)
        assert [(c["name"], c["native"], c["nullable"], c["charset"], c["collation"], c["comment"]) for c in t["columns"]] == [
            (c[0], c[2], c[3] == "YES", c[4], c[5], c[7]) for c in said]
    e = next(c for c in tables["t"]["columns"] if c["name"] == "e")
    assert e["labels_hex"] == ["612c62", "e92778"]


def items(answer):
    out = {}
    for i in answer["items"]:
        old = out.setdefault(i["item"], {"state": 0, "detail": "", "repair": ""})
        out[i["item"]] = {"state": max(old["state"], i["state"]), "detail": old["detail"] + i["detail"] + "\n", "repair": (old["repair"] + "\n" + i["repair"]).strip()}
    return out


FINDINGS = [
    ("CHECK_KEYS", 1, "CREATE TABLE t (id INT) COLLATE utf8mb4_bin", "t"),
    ("CHECK_FK_CLOSURE", 2, "CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE t (id INT PRIMARY KEY, CONSTRAINT f FOREIGN KEY (id) REFERENCES p (id))", "p"),
    ("CHECK_STORAGE_ENGINE", 1, "CREATE TABLE t (id INT PRIMARY KEY) ENGINE=MyISAM COLLATE utf8mb4_bin", "MyISAM"),
    ("CHECK_OBJECTS", 2, "CREATE TABLE t (id INT PRIMARY KEY, u UUID)", "uuid"),
    ("CHECK_OBJECTS", 2, "CREATE TABLE t (id INT PRIMARY KEY) WITH SYSTEM VERSIONING", "versioned"),
    ("CHECK_OBJECTS", 2, "CREATE TABLE t (id INT PRIMARY KEY, c TEXT COMPRESSED)", "COMPRESSED"),
    ("CHECK_OBJECTS", 2, "CREATE TABLE t (id INT PRIMARY KEY, c TEXT, UNIQUE KEY whole (c))", "whole"),
    ("CHECK_OBJECTS", 2, "CREATE SEQUENCE s; CREATE TABLE t (id INT PRIMARY KEY, n BIGINT DEFAULT nextval(s))", "sequence"),
    ("CHECK_OBJECTS", 2, "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, g INT AS (id + 1) VIRTUAL)", "AUTO_INCREMENT"),
    ("CHECK_OBJECTS", 2, "CREATE TABLE t (id INT PRIMARY KEY, c VARCHAR(5) CHARACTER SET latin1 COLLATE latin1_nopad_bin)", "latin1_nopad_bin"),
]


@pytest.mark.parametrize("item,state,statements,word", FINDINGS)
def test_findings_in_definitions(item, state, statements, word, mariadb_a, mysql_a, schema):
    db = schema(mariadb_a, statements)
    objects = {db: {"name": name("dst"), "all": False, "Table": {"t": {"name": "t", "all": True}}}}
    found = items(probe("precheck", source=end(mariadb_a), target=end(mysql_a), objects=objects))[item]
    assert found["state"] == state and word in found["detail"]


def test_missing_objects_and_system_schemas(mariadb_a, mysql_a, schema):
    db = schema(mariadb_a, "CREATE TABLE t (id INT PRIMARY KEY)")
    ask = {"source": end(mariadb_a), "target": end(mysql_a)}
    listed = {db: {"name": db, "all": False, "Table": {"t": {"name": "t", "all": True}, "gone": {"name": "gone", "all": True}}}, "no_such_db": {"name": "x", "all": True}}
    found = items(probe("precheck", objects=listed, **ask))["CHECK_OBJECTS"]
    assert found["state"] == 2 and "gone" in found["detail"] and "no_such_db" in found["detail"]
    found = items(probe("precheck", objects={"mysql": {"name": "mysql", "all": True}}, **ask))["CHECK_OBJECTS"]
    assert found["state"] == 2 and "system" in found["detail"]


def test_another_replica_with_our_number(mariadb_a, mysql_a, schema):
    """The source cuts one of two replicas of one server_id off."""
    db = schema(mariadb_a, "CREATE TABLE t (id INT PRIMARY KEY)")
    ask = {"source": end(mariadb_a), "target": end(mysql_a), "objects": {db: {"name": name("dst"), "all": True}}}
    with MariaDB(server_id=731) as replica:
        replica.sql(f"CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={mariadb_a.port}, MASTER_USER='root', MASTER_PASSWORD='{mariadb_a.root_password}', "
                    "MASTER_USE_GTID=slave_pos; START SLAVE")
        try:
            wait_for(lambda: 731 in [row[0] for row in mariadb_a.sql("SHOW SLAVE HOSTS")], {True})
            found = items(probe("precheck", replica_id=731, **ask))["CHECK_SERVER_ID"]
            assert found["state"] == 2 and "731" in found["detail"] and "SET GLOBAL server_id" in found["repair"]
            assert items(probe("precheck", replica_id=732, **ask))["CHECK_SERVER_ID"]["state"] == 0
        finally:
            replica.sql("STOP SLAVE")
    found = items(probe("precheck", replica_id=mariadb_a.port, **ask))["CHECK_SERVER_ID"]  # the source's own
    assert found["state"] == 2 and str(mariadb_a.port) in found["detail"]


def test_connection_faults_name_end_and_reason(mariadb_a, mysql_a):
    bad = probe("server", check=False, source={**end(mariadb_a), "password": "wrong"})
    assert bad["code"] == "SourceAuthFailed" and str(mariadb_a.port) in bad["text"] and "wrong" not in bad["text"].replace("password", "")
    bad = probe("server", check=False, target={**end(mariadb_a), "port": 1})
    assert bad["code"] == "DestinationConnectFailed"
    # MariaDB has no TLS here: it must not be used in clear text when TLS is required.
    assert probe("server", check=False, source={**end(mariadb_a), "tls": "require"})["code"] == "SourceConnectFailed"
    assert probe("server", source={**end(mysql_a), "tls": "require"})["server"]["product"] == "MySQL"
    ca = str(Path(mysql_a.data) / "ca.pem")
    assert probe("server", source={**end(mysql_a), "tls": "verify-ca", "ca": ca})["ok"]
    wrong = str(Path(mysql_a.data) / "client-cert.pem")
    assert probe("server", check=False, source={**end(mysql_a), "tls": "verify-ca", "ca": wrong})["code"] == "SourceConnectFailed"


class Listener(CommitProxy):
    """Offers no TLS, and hears what the client says."""

    heard = b""

    def fate(self):
        return ""

    def hear(self, got):
        self.heard += got


def test_no_password_goes_over_a_line_without_tls(mysql_a):
    """MySQL's own method of login encrypts it there with the server's key; where TLS is wanted nothing is sent at all."""
    ca = {"ca": str(Path(mysql_a.data) / "ca.pem")}
    for mode, more in {"off": {}, "prefer": {}, "require": {}, "verify-ca": ca, "verify-full": ca}.items():
        mysql_a.sql("FLUSH PRIVILEGES")  # forgets who has logged in before
        with Listener(mysql_a, 0) as line:
            said = probe("server", check=False, source={**end(mysql_a), "port": line.port, "tls": mode, **more})
            if mode in ("off", "prefer"):
                assert said["ok"] and b"SET NAMES" in line.heard and mysql_a.root_password.encode() not in line.heard
            else:
                assert said["code"] == "SourceConnectFailed" and "TLS" in said["text"] and line.heard == b"", mode
