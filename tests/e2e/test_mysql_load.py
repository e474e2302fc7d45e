"""Snapshot, chunks, loaders, checkpoint and log positions against real servers, in all four pairings, by tests/drivers/mysql_load."""

import json
import os
import random
import struct
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from servers.compare import assert_same

PAIRS = [("mariadb_a", "mariadb_b"), ("mariadb_a", "mysql_a"), ("mysql_a", "mariadb_a"), ("mysql_a", "mysql_b")]
BUILD = Path(os.environ.get("SLUICE_BIN", Path(__file__).parents[2] / "build/asan/sluice")).parent
DRIVER = BUILD / "tests/drivers/mysql_load"
SEED = int(os.environ.get("SLUICE_SEED") or random.SystemRandom().randrange(2**32))
_serial = iter(range(1, 1000000))


def end(server, user="root", password=None):
    return {"host": "127.0.0.1", "port": server.port, "user": user, "password": password or server.root_password}


def drive(status=0, **request):
    done = subprocess.run([str(DRIVER)], input=json.dumps(request), capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == status, done.stderr
    assert not done.stderr, done.stderr
    return json.loads(done.stdout) if done.stdout else None


def fine(**request):
    answer = drive(**request)
    assert answer["ok"], answer["text"]
    return answer


class Link:
    """A database on a source, its empty copy on a target, and a job between them."""

    def __init__(self, source, target):
        self.source, self.target = source, target
        self.db = f"ld{next(_serial)}_{os.getpid()}"
        self.job = f"job-{self.db}"
        for server in (source, target):
            server.sql(f"DROP DATABASE IF EXISTS {self.db}; CREATE DATABASE {self.db} CHARACTER SET utf8mb4")

    def create(self, ddl, target_ddl=None):
        self.source.sql("SET sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'; " + ddl, db=self.db)
        self.target.sql(target_ddl or ddl, db=self.db)

    def fill(self, text):
        self.source.sql("SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone='+00:00'; " + text, db=self.db)

    def request(self, op="load", tables=None, **more):
        objects = {self.db: {"name": self.db, "all": True}}
        if tables:
            objects = {self.db: {"name": self.db, "all": False, "Table": tables}}
        return {"op": op, "source": end(self.source), "target": end(self.target), "job": self.job, "objects": objects, **more}

    def load(self, **more):
        return fine(**self.request(**more))

    def rows(self, server, table):
        return server.sql(f"SELECT COUNT(*) FROM {self.db}.{table}")[0][0]

    def same(self, *tables):
        assert_same(self.source, self.target, [f"{self.db}.{t}" for t in tables])

    def close(self):
        fine(op="remove", target=end(self.target), job=self.job)
        for server in (self.source, self.target):
            server.sql(f"DROP DATABASE {self.db}")


@contextmanager
def linked(source, target):
    link = Link(source, target)
    try:
        yield link
    finally:
        link.close()


@pytest.fixture(params=PAIRS, ids=["-".join(p) for p in PAIRS])
def link(request):
    source, target = (request.getfixturevalue(name) for name in request.param)
    with linked(source, target) as made:
        yield made


# ---- types ----

def floats(r, count, form, bits):
    out = []
    while len(out) < count:
        value = struct.unpack("<" + form, r.getrandbits(bits).to_bytes(bits // 8, "little"))[0]
        if value == value and abs(value) != float("inf"):
            out.append(value)
    return out


COMMON = """CREATE TABLE types (
 id INT NOT NULL PRIMARY KEY, ti TINYINT, tu TINYINT UNSIGNED, si SMALLINT, mi MEDIUMINT UNSIGNED, iz INT(8) UNSIGNED ZEROFILL, bi BIGINT, bu BIGINT UNSIGNED,
 f FLOAT, d DOUBLE, f72 FLOAT(7,2), dec1 DECIMAL(65,30), dec2 DECIMAL(5,0) UNSIGNED, b1 BIT(1), b9 BIT(9), b64 BIT(64),
 c CHAR(10), vc VARCHAR(200), latin VARCHAR(50) CHARACTER SET latin1, gbk VARCHAR(50) CHARACTER SET gbk, u16 VARCHAR(50) CHARACTER SET utf16,
 sj CHAR(20) CHARACTER SET sjis, tx MEDIUMTEXT, bin BINARY(5), vb VARBINARY(300), bl LONGBLOB,
 da DATE, tm TIME(6), dt DATETIME(6), ts TIMESTAMP(3) NULL, y YEAR, en ENUM('a','b','c d') CHARACTER SET latin1, st SET('x','y','z'),
 g GEOMETRY, gen INT GENERATED ALWAYS AS (ti + 1) STORED, `we``ird, na\tme` INT, KEY (vc))"""

COMMON_ROWS = """INSERT INTO types (id,ti,tu,si,mi,iz,bi,bu,f,d,f72,dec1,dec2,b1,b9,b64,c,vc,latin,gbk,u16,sj,tx,bin,vb,bl,da,tm,dt,ts,y,en,st,g,`we``ird, na\tme`) VALUES
 (0,-128,255,-32768,16777215,12,-9223372036854775808,18446744073709551615,1.23456789e0,1.7976931348623157e308,12345.67,
  -99999999999999999999999999999999999.999999999999999999999999999999,99999,b'1',b'101010101',0xFFFFFFFFFFFFFFFF,'ab','\\\\ \\t \\n \\0 \\' tab	end  ',_latin1 x'E9FF',
  _gbk x'D25CD3C3',_utf16 x'00E90009005C000A',_sjis x'955C815C','\\\\N',x'00010A0900',x'00FF5C0A0D09',x'5C4E','0000-00-00','-838:59:59','0000-00-00 00:00:00',0,0,'a','x,z',
  ST_GeomFromText('POINT(1 2)'),1),
 (-1,127,0,32767,0,0,9223372036854775807,0,-16777217e0,5e-324,-0.01,0.000000000000000000000000000001,0,b'0',b'0',0,'','','','','','','','','','','2021-02-31','838:59:58.999999',
  '2021-00-00 23:59:59.999999','2038-01-19 03:14:07.999',2155,'c d','',ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,9 9))'),-1),
 (-2147483648,0,1,0,1,99999999,0,1,1.401298464324817e-45,-2.2250738585072014e-308,0,0,1,b'1',b'1',10,'日本','😀 naïve',_latin1 'plain',NULL,_utf16 x'D83DDE00',NULL,REPEAT('ab\\t',100000),x'FF',
  REPEAT(x'00',300),REPEAT(x'0A5C09',200000),'9999-12-31','00:00:00.000001','9999-12-31 23:59:59.999999','1970-01-01 00:00:01',1901,'b','x,y,z',NULL,NULL),
 (5,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL)"""


def fill_types(link):
    r = random.Random(SEED)
    print(f"seed {SEED}")
    link.create(COMMON)
    link.fill(COMMON_ROWS)
    numbers = zip(floats(r, 500, "f", 32), floats(r, 500, "d", 64))
    link.fill("INSERT INTO types (id, f, d, bl) VALUES " + ",".join(
        f"({i + 100},{f!r},{d!r},x'{r.randbytes(r.randrange(40)).hex()}')" for i, (f, d) in enumerate(numbers)))


def test_types(link):
    fill_types(link)
    assert link.load(chunk_rows=100)["rows"] == 504
    link.same("types")


def test_types_without_local_infile(link):
    fill_types(link)
    link.target.sql("SET GLOBAL local_infile=0")
    try:
        assert link.load(chunk_rows=200)["rows"] == 504
    finally:
        link.target.sql("SET GLOBAL local_infile=1")
    link.same("types")


@pytest.mark.parametrize("infile", [1, 0])
def test_json(link, infile):
    link.create("CREATE TABLE j (id INT PRIMARY KEY, v JSON)")
    link.fill("""INSERT INTO j VALUES (1,'{"a": [1, 2.5, "x\\\\n\\\\t\\\\"é😀", null, true], "": {}}'),(2,NULL),(3,'"\\\\\\\\"'),(4,'[]'),(5,'-0.0'),(6,'12345678901234567890')""")
    link.target.sql(f"SET GLOBAL local_infile={infile}")
    try:
        link.load()
    finally:
        link.target.sql("SET GLOBAL local_infile=1")
    link.same("j")


def test_enum_error_value(link):
    ddl = "CREATE TABLE e (id INT PRIMARY KEY, plain ENUM('a','b'), hollow ENUM('x','','y'))"
    link.create(ddl)
    link.source.sql("SET sql_mode=''; INSERT INTO e VALUES (1,'a','x'),(2,'zzz','zzz'),(3,'b',''),(4,NULL,'y')", db=link.db)
    for infile in (1, 0):
        link.target.sql(f"SET GLOBAL local_infile={infile}; DELETE FROM {link.db}.e")
        try:
            link.load()
        finally:
            link.target.sql("SET GLOBAL local_infile=1")
        assert link.target.sql(f"SELECT id, plain+0, hollow+0 FROM {link.db}.e ORDER BY id") == [(1, 1, 1), (2, 0, 0), (3, 2, 2), (4, None, 3)]
        fine(op="remove", target=end(link.target), job=link.job)


def test_mariadb_types(mariadb_a, mariadb_b):
    with linked(mariadb_a, mariadb_b) as link:
        link.create("CREATE TABLE u (id UUID PRIMARY KEY, v6 INET6, v4 INET4, h INT INVISIBLE)")
        link.fill("INSERT INTO u (id,v6,v4,h) VALUES (UUID(),'::1','1.2.3.4',7),(UUID(),'2001:db8::ff00:42:8329',NULL,8)")
        link.fill("INSERT INTO u (id,v6,v4,h) SELECT UUID(), '::', '0.0.0.0', seq FROM seq_1_to_300")
        assert len(link.load(chunk_rows=50)["chunks"]) > 4
        link.same("u")


def test_mysql_types(mysql_a, mysql_b):
    with linked(mysql_a, mysql_b) as link:
        link.create("CREATE TABLE v (id INT PRIMARY KEY, vec VECTOR(3), p POINT SRID 4326, d DOUBLE, h INT INVISIBLE)")
        link.fill("INSERT INTO v (id,vec,p,d,h) VALUES (1,STRING_TO_VECTOR('[1,-0,2.5]'),ST_GeomFromText('POINT(10 20)',4326),-0e0,5),(2,NULL,NULL,NULL,NULL)")
        link.load()
        link.same("v")
        assert link.target.sql(f"SELECT CONCAT(d) FROM {link.db}.v WHERE id=1")[0][0] == "-0"


# ---- keys and chunks ----

KEYS = {
    "dense": ("id INT PRIMARY KEY", lambda r, i: str(i - 500)),
    "sparse": ("id BIGINT PRIMARY KEY", lambda r, i: str(r.randrange(-2**63, 2**63))),
    "cluster": ("id BIGINT UNSIGNED PRIMARY KEY", lambda r, i: str(i if i < 500 else 2**64 - 1001 + i)),
    "zerofill": ("id INT(10) UNSIGNED ZEROFILL PRIMARY KEY", lambda r, i: str(i * 3)),
    "text": ("id VARCHAR(40) PRIMARY KEY", lambda r, i: f"'{r.choice('abÀéZ')}{r.choice(',;|')}{i}'"),
    "uuid_text": ("id CHAR(36) CHARACTER SET ascii PRIMARY KEY", lambda r, i: f"'{r.getrandbits(128):032x}'"),
    "latin": ("id VARCHAR(40) CHARACTER SET latin1 PRIMARY KEY", lambda r, i: f"_latin1 x'{r.randrange(192, 256):02x}{i:04d}'".replace(f"{i:04d}'", f"{str(i).encode().hex()}'")),
    "utf8mb3": ("id VARCHAR(40) CHARACTER SET utf8mb3 PRIMARY KEY", lambda r, i: f"'{r.choice('ä€ñ')}{i}'"),
    "utf16": ("id VARCHAR(40) CHARACTER SET utf16 PRIMARY KEY", lambda r, i: f"'{r.choice('ä€😀')}{i}'"),
    "binary": ("id BINARY(16) PRIMARY KEY", lambda r, i: f"x'{r.getrandbits(128):032x}'"),
    "datetime": ("id DATETIME(6) PRIMARY KEY", lambda r, i: f"'2024-01-01 00:{i % 60:02d}:{i // 60:02d}.{r.randrange(10**6):06d}'"),
    "timestamp": ("id TIMESTAMP(3) NOT NULL PRIMARY KEY", lambda r, i: f"'2024-01-01 00:{i % 60:02d}:{i // 60:02d}.{r.randrange(1000):03d}'"),
    "decimal": ("id DECIMAL(30,10) PRIMARY KEY", lambda r, i: f"{r.randrange(-10**15, 10**15)}.{i:010d}"),
    "double": ("id DOUBLE PRIMARY KEY", lambda r, i: repr(floats(r, 1, "d", 64)[0])),
    "float": ("id FLOAT PRIMARY KEY", lambda r, i: repr(floats(r, 1, "f", 32)[0])),
    "year": ("a YEAR NOT NULL, id INT NOT NULL, PRIMARY KEY (a, id)", lambda r, i: f"{r.choice([0, 1999, 2024])},{i}"),
    "composite": ("a INT NOT NULL, b VARCHAR(20) NOT NULL, id INT NOT NULL, PRIMARY KEY (a, b, id)", lambda r, i: f"{r.randrange(3)},'{r.choice('xyzÄ')}',{i}"),
    "with_enum": ("a INT NOT NULL, b ENUM('z','a','m') NOT NULL, id INT NOT NULL, PRIMARY KEY (a, b, id)", lambda r, i: f"{r.randrange(2)},'{r.choice('zam')}',{i}"),
    "with_set": ("a INT NOT NULL, id SET(" + ",".join(f"'s{i}'" for i in range(64)) + ") NOT NULL, PRIMARY KEY (a, id)", lambda r, i: f"{r.randrange(2)},{r.getrandbits(64)}"),
    "enum_first": ("b ENUM('z','a','m') NOT NULL, id INT NOT NULL, PRIMARY KEY (b, id)", lambda r, i: f"'{r.choice('zam')}',{i}"),
    "unique_only": ("id INT NOT NULL, UNIQUE KEY u (id)", lambda r, i: str(i * 7)),
    "none": ("id INT, KEY (id)", lambda r, i: str(i // 2)),
}
ONE_CHUNK = {"none", "year", "enum_first"}


def test_keys(link):
    r = random.Random(SEED)
    print(f"seed {SEED}")
    for name, (columns, value) in KEYS.items():
        link.create(f"CREATE TABLE k_{name} ({columns}, w INT)")
        link.fill(f"INSERT IGNORE INTO k_{name} VALUES " + ",".join(f"({value(r, i)},{i})" for i in range(1000)) + f"; ANALYZE TABLE k_{name}")
    answer = link.load(chunk_rows=60, lanes=3)
    link.same(*(f"k_{name}" for name in KEYS))
    sizes = {}
    for table, count in link.target.sql("SELECT table_name, row_count FROM sluice.chunk WHERE job_id=%s ORDER BY 1, number", link.job):
        sizes.setdefault(table, []).append(count)
    assert answer["rows"] == sum(sum(s) for s in sizes.values()) == sum(link.rows(link.source, f"k_{n}") for n in KEYS)
    for name in KEYS:
        counts = sizes[f"k_{name}"]
        if name in ONE_CHUNK:
            assert len(counts) == 1, name
        else:
            assert 7 <= len(counts) <= 40 and max(counts) <= 120, (name, counts)


def test_old_statistics_do_not_make_one_chunk(mysql_a, mariadb_b):
    """MySQL keeps row counts of information_schema for a day."""
    with linked(mysql_a, mariadb_b) as link:
        link.create("CREATE TABLE t (id INT PRIMARY KEY)")
        link.fill("INSERT INTO t VALUES (0); ANALYZE TABLE t")
        cached = "SELECT table_rows FROM information_schema.tables WHERE table_schema=%s AND table_name='t'"
        assert mysql_a.sql(cached, link.db)[0][0] <= 1
        link.fill("INSERT INTO t VALUES " + ",".join(f"({i})" for i in range(1, 20000)))
        deadline = time.monotonic() + 40  # InnoDB counts again in the background
        while mysql_a.sql("SELECT n_rows FROM mysql.innodb_table_stats WHERE database_name=%s", link.db)[0][0] < 10000:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert mysql_a.sql(cached, link.db)[0][0] <= 1
        assert len(link.load(chunk_rows=1000)["chunks"]) > 10
        link.same("t")


def test_empty_and_small_tables(link):
    for i in range(30):
        link.create(f"CREATE TABLE s{i} (id INT PRIMARY KEY, v INT)")
    link.fill("; ".join(f"INSERT INTO s{i} VALUES (0,{i})" for i in range(1, 30)))
    assert link.load()["rows"] == 29
    link.same(*(f"s{i}" for i in range(30)))


def test_filter_columns_and_names(link):
    link.source.sql("CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_general_ci, secret INT, note TEXT)", db=link.db)
    link.target.sql("CREATE TABLE renamed (nr INT PRIMARY KEY, name VARCHAR(20) COLLATE utf8mb4_general_ci, note TEXT)", db=link.db)
    link.fill("INSERT INTO t VALUES (1,'É',1,'a'),(2,'e',2,'b'),(3,'x',3,'c'),(4,NULL,4,NULL),(11,'E',5,'d')")
    wanted = {"t": {"name": "renamed", "all": False, "filter": "name = 'é' AND id < 10", "column": {"id": {"name": "nr"}, "name": {}, "note": {}}}}
    assert link.load(tables=wanted)["rows"] == 2
    assert [tuple(x) for x in link.target.sql("SELECT * FROM renamed ORDER BY 1", db=link.db)] == [(1, "É", "a"), (2, "e", "b")]


# ---- one transaction per chunk ----

def test_killed_load_goes_on(link):
    link.create("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(100)); CREATE TABLE n (v INT)")
    link.fill("INSERT INTO t VALUES " + ",".join(f"({i},REPEAT('{i}',10))" for i in range(20000)) + "; ANALYZE TABLE t; INSERT INTO n SELECT id FROM t WHERE id < 3000")
    before = 0
    for epoch, die in ((1, 3000), (2, 9000)):
        drive(status=9, **link.request(epoch=epoch, chunk_rows=1000, lanes=1, batch_bytes=8000, die_after_rows=die))
        deadline = time.monotonic() + 10
        while link.target.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE db IS NOT NULL AND info LIKE 'LOAD DATA%'")[0][0]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        done = link.target.sql("SELECT COUNT(*) FROM sluice.chunk WHERE job_id=%s AND done=1", link.job)[0][0]
        assert done >= before
        before = done
    total = link.target.sql("SELECT COUNT(*) FROM sluice.chunk WHERE job_id=%s", link.job)[0][0]
    answer = link.load(epoch=3, chunk_rows=77)  # the stored plan counts
    assert len(answer["chunks"]) == total and answer["loaded_chunks"] == total - before
    assert sum(c["done"] for c in answer["chunks"]) == before
    link.same("t", "n")
    assert link.load(epoch=4)["loaded_chunks"] == 0
    link.same("t", "n")


def test_values_that_do_not_fit_are_errors(link):
    link.create("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), n INT)", "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(3), n TINYINT)")
    for infile in (1, 0):
        link.target.sql(f"SET GLOBAL local_infile={infile}")
        try:
            for bad in ("'abcd', 1", "'a', 300"):
                link.fill(f"DELETE FROM t; INSERT INTO t VALUES (1,'ok',1),(2,{bad})")
                answer = drive(**link.request())
                assert answer["code"] == "DestinationQueryFailed" and "row" in answer["text"], answer["text"]
                assert link.rows(link.target, "t") == 0
        finally:
            link.target.sql("SET GLOBAL local_infile=1")


def test_existing_rows(link):
    link.create("CREATE TABLE t (id INT PRIMARY KEY, v INT, UNIQUE KEY (v))")
    link.fill("INSERT INTO t VALUES (1,10),(2,20),(3,30)")
    link.target.sql("INSERT INTO t VALUES (2,99),(7,30)", db=link.db)
    for infile in (1, 0):
        link.target.sql(f"SET GLOBAL local_infile={infile}; DELETE FROM {link.db}.t WHERE id = 1")
        try:
            answer = drive(**link.request())
            assert answer["code"] in ("DestinationObjectExists", "DestinationQueryFailed"), answer
            assert link.rows(link.target, "t") == 2
            assert link.load(ignore_existing=True)["rows"] == 1
        finally:
            link.target.sql("SET GLOBAL local_infile=1")
        assert [tuple(x) for x in link.target.sql("SELECT * FROM t ORDER BY 1", db=link.db)] == [(1, 10), (2, 99), (7, 30)]
        fine(op="remove", target=end(link.target), job=link.job)


def test_fencing(link):
    link.create("CREATE TABLE t (id INT PRIMARY KEY)")
    link.fill("INSERT INTO t VALUES (1)")
    point = {"target": end(link.target), "job": link.job}
    assert fine(op="claim", epoch=5, **point)["checkpoint"]["epoch"] == 5
    assert fine(op="claim", epoch=5, **point)["checkpoint"]["epoch"] == 5
    for request in ({"op": "claim", "epoch": 4, **point}, {"op": "save", "epoch": 4, "position": "x", **point}, link.request(epoch=4)):
        assert drive(**request)["code"] == "WorkerFenced"
    assert link.rows(link.target, "t") == 0
    saved = fine(op="save", epoch=5, position="pos'1\\", phase="stream", **point)["checkpoint"]
    assert (saved["position"], saved["phase"]) == ("pos'1\\", "stream")
    link.target.sql("DELETE FROM sluice.checkpoint WHERE job_id=%s", link.job)
    assert drive(op="save", epoch=5, position="x", **point)["code"] == "CheckpointMissing"


def test_zombie_cannot_commit_its_chunk(link):
    """A worker in the middle of a chunk is overtaken by a claim: its rows are rolled back."""
    link.create("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(200))")
    link.fill("INSERT INTO t VALUES " + ",".join(f"({i},REPEAT('x',200))" for i in range(20000)))
    fine(op="claim", target=end(link.target), job=link.job, epoch=1)
    blocker = link.target.connect(autocommit=False)
    with blocker.cursor() as cursor:  # the last row waits for us, so the chunk is under way
        cursor.execute(f"INSERT INTO {link.db}.t VALUES (19999,'mine')")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(drive(**link.request(epoch=1, lanes=1))))
    thread.start()
    deadline = time.monotonic() + 20
    while not link.target.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'LOAD DATA%'")[0][0]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.5)
    fine(op="claim", target=end(link.target), job=link.job, epoch=2)
    blocker.rollback()
    blocker.close()
    thread.join()
    assert answers[0]["code"] == "WorkerFenced", answers[0]
    assert link.rows(link.target, "t") == 0


# ---- what is left behind ----

@pytest.mark.parametrize("name", ["mariadb_b", "mysql_b"])
def test_remove(request, name):
    server = request.getfixturevalue(name)
    server.sql("DROP DATABASE IF EXISTS sluice")
    to = end(server)
    ledger = fine(op="claim", target=to, job="one")["ledger"]
    assert [(o["kind"], o["name"], o["shared"], o["created"]) for o in ledger] == [
        ("schema", "sluice", True, True), ("table", "sluice.checkpoint", True, True), ("table", "sluice.chunk", True, True), ("rows", "sluice.checkpoint", False, True)]
    fine(op="claim", target=to, job="two")
    assert fine(op="remove", target=to, job="one")["removed"] == "1 rows of sluice.checkpoint\n"
    assert fine(op="remove", target=to, job="one")["removed"] == ""
    assert fine(op="read", target=to, job="two")["checkpoint"]["exists"]
    server.sql("CREATE TABLE sluice.foreign_one (a INT)")
    removed = fine(op="remove", target=to, job="two")["removed"]
    assert "table sluice.checkpoint" in removed and "schema sluice kept" in removed
    assert [tuple(r) for r in server.sql("SHOW TABLES FROM sluice")] == [("foreign_one",)]
    assert not fine(op="read", target=to, job="two")["checkpoint"]["exists"]
    server.sql("DROP TABLE sluice.foreign_one; CREATE TABLE sluice.checkpoint (mine INT)")
    assert drive(op="claim", target=to, job="three")["code"] == "DestinationObjectExists"
    fine(op="remove", target=to, job="three")
    assert [tuple(r) for r in server.sql("SHOW TABLES FROM sluice")] == [("checkpoint",)]
    server.sql("DROP DATABASE sluice")
    fine(op="claim", target=to, job="four")
    assert fine(op="remove", target=to, job="four")["removed"].endswith("schema sluice\n")
    assert fine(op="remove", target=to, job="four")["removed"] == ""
    assert not server.sql("SHOW DATABASES LIKE 'sluice'")


# ---- snapshot and positions ----

def with_writers(source, db, action):
    """Two writers insert into w while the action runs."""
    stop = threading.Event()

    def write(first):
        connection = source.connect(database=db)
        with connection.cursor() as cursor:
            number = first
            while not stop.is_set():
                cursor.execute("INSERT INTO w VALUES (%s)", (number,))
                number += 2
        connection.close()
    threads = [threading.Thread(target=write, args=(i,)) for i in (0, 1)]
    for thread in threads:
        thread.start()
    try:
        return action()
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def inserts_before(source, db, position):
    """Row events of table w that lie before the position, by the server's own listing."""
    rows = source.sql("SHOW BINLOG EVENTS IN %s", position["file"])
    count, watched = 0, False
    for _log, at, kind, _server, _end, info in rows:
        if at >= position["pos"]:
            break
        if kind == "Table_map":
            watched = f"({db}.w)" in info
        elif kind.startswith("Write_rows") and watched:
            count += 1
    return count


@pytest.mark.parametrize("names", PAIRS[1:3], ids=["mariadb", "mysql"])
def test_snapshot_is_at_its_position(request, names):
    source, target = (request.getfixturevalue(name) for name in names)
    for _ in range(3):
        with linked(source, target) as link:
            source.sql("FLUSH BINARY LOGS")
            link.create("CREATE TABLE w (id INT PRIMARY KEY)")
            answer = with_writers(source, link.db, lambda: (time.sleep(0.2), link.load(lanes=3))[1])
            assert answer["position"] == answer["last_position"]
            loaded = link.rows(target, "w")
            assert loaded > 0 and loaded == inserts_before(source, link.db, json.loads(answer["position"]))


def test_snapshot_without_reload(mariadb_a, mysql_a, mariadb_b):
    for server in (mariadb_a, mysql_a):
        server.sql("DROP USER IF EXISTS lesser@'%'; CREATE USER lesser@'%' IDENTIFIED BY 'Secret.77'; GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO lesser@'%'")
    with linked(mysql_a, mariadb_b) as link:
        link.create("CREATE TABLE w (id INT PRIMARY KEY)")
        answer = drive(**{**link.request(), "source": end(mysql_a, "lesser", "Secret.77")})
        assert answer["code"] == "SourcePrivilegeMissing" and "GRANT RELOAD" in answer["text"]
    with linked(mariadb_a, mariadb_b) as link:
        mariadb_a.sql("FLUSH BINARY LOGS")
        link.create("CREATE TABLE w (id INT PRIMARY KEY)")
        request_ = {**link.request(lanes=1), "source": end(mariadb_a, "lesser", "Secret.77")}
        answer = with_writers(mariadb_a, link.db, lambda: (time.sleep(0.2), fine(**request_))[1])
        at = json.loads(answer["position"])
        assert at["created"] > 0 and at["gtid"]
        assert link.rows(mariadb_b, "w") == inserts_before(mariadb_a, link.db, at) > 0
        fine(op="check", source=end(mariadb_a), position=answer["position"])
    for server in (mariadb_a, mysql_a):
        server.sql("DROP USER lesser@'%'")


def test_binlog_off(mariadb_b):
    from servers import MariaDB
    with MariaDB(options={"log_bin": None, "skip_log_bin": True}) as source, linked(source, mariadb_b) as link:
        link.create("CREATE TABLE t (id INT PRIMARY KEY)")
        link.fill("INSERT INTO t VALUES (1),(2)")
        answer = link.load()
        assert answer["rows"] == 2 and answer["position"] == ""
        assert drive(op="position", source=end(source))["code"] == "SourceConfigUnfit"


def kinds():
    from servers import MariaDB, MySQL
    return {"mariadb": (MariaDB, {}), "mysql": (MySQL, {}), "mysql without gtid": (MySQL, {"gtid": False})}


def reset(server):
    server.sql("RESET BINARY LOGS AND GTIDS" if server.kind == "mysql" else "RESET MASTER")


@pytest.mark.parametrize("which", ["mariadb", "mysql", "mysql without gtid"])
def test_position_checks(which):
    """A position holds over restarts and purges of older logs, and is refused once its log is gone, rebuilt or cut."""
    kind, arguments = kinds()[which]
    with kind(**arguments) as server:
        at = end(server)
        grow = "CREATE DATABASE IF NOT EXISTS d; CREATE TABLE IF NOT EXISTS d.t (id INT PRIMARY KEY, v VARCHAR(200)); " + "; ".join(
            f"REPLACE INTO d.t VALUES ({i}, REPEAT('x', 150))" for i in range(8))
        server.sql(grow)
        first = fine(op="position", source=at)["position"]
        server.sql("REPLACE INTO d.t VALUES (1,'a')")
        second = fine(op="position", source=at)["position"]
        for position in (first, second):
            fine(op="check", source=at, position=position)
        assert fine(op="compare", source=at, position=first, other=second)["order"] == -1
        assert fine(op="compare", source=at, position=second, other=first)["order"] == 1
        assert fine(op="compare", source=at, position=first, other=first)["order"] == 0
        server.kill9()  # the file ends without a word
        server.start()
        server.sql("REPLACE INTO d.t VALUES (2,'b')")
        fine(op="check", source=at, position=second)
        server.restart()
        server.sql("FLUSH BINARY LOGS")
        fine(op="check", source=at, position=second)
        place = json.loads(first)
        events = server.sql("SHOW BINLOG EVENTS IN %s", place["file"])
        inside = [e[1] for e in events if e[2].startswith(("Write_rows", "Update_rows", "Table_map", "Query"))]

        def moved(**changes):
            return json.dumps({**place, "gtid": "", **changes}, separators=(",", ":"))
        for pos in inside[-3:] + [place["pos"] + 1, place["pos"] - 1]:
            assert drive(op="check", source=at, position=moved(pos=pos))["code"] == "SourcePositionInvalid", pos
        assert drive(op="check", source=at, position=moved(pos=10**8))["code"] == "SourcePositionInvalid"
        assert drive(op="check", source=at, position=moved(server="other"))["code"] == "SourceServerChanged"
        assert drive(op="check", source=at, position=moved(created=place["created"] - 5))["code"] == "SourceServerChanged"
        base = place["file"].rsplit(".", 1)[0]
        assert drive(op="check", source=at, position=moved(file=f"{base}.999999"))["code"] == "SourceServerChanged"
        newest = json.loads(fine(op="position", source=at)["position"])["file"]
        server.sql(f"PURGE BINARY LOGS TO '{newest}'")
        assert drive(op="check", source=at, position=first)["code"] == "SourceLogPurged"
        last = fine(op="position", source=at)["position"]
        fine(op="check", source=at, position=last)
        # The same statements once more after a reset: same file name, same sizes, other log.
        reset(server)
        server.sql("DROP DATABASE d")
        reset(server)
        server.sql(grow)
        assert drive(op="check", source=at, position=first)["code"] == "SourceServerChanged"
        assert drive(op="check", source=at, position=last)["code"] in ("SourceServerChanged", "SourceLogPurged")


@pytest.mark.parametrize("name", ["mariadb_a", "mysql_a"])
def test_long_lock_on_the_source_is_waited_for(request, name):
    source = request.getfixturevalue(name)
    with linked(source, request.getfixturevalue("mariadb_b")) as link:
        link.create("CREATE TABLE t (id INT PRIMARY KEY)")
        link.fill("INSERT INTO t VALUES (1)")
        holder = source.connect(database=link.db)
        with holder.cursor() as cursor:
            cursor.execute("LOCK TABLES t WRITE")
        timer = threading.Timer(2.5, holder.close)
        timer.start()
        began = time.monotonic()
        assert link.load()["rows"] == 1
        assert time.monotonic() - began > 1.5
        timer.join()
