"""What a log may hold besides plain row events: each is read exactly, or stops the stream with its code, its place and what to do."""

import json
import subprocess
import time

import pytest
from log_proxy import IGNORABLE, TABLE_MAP, WRITE_ROWS, XID, Event, LogProxy
from replay import DRIVER, drive, end, link, pair, source  # noqa: F401
from servers import MariaDB
from test_serve import make_certificate

TABLE = "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(1000))"


def through(proxy, server):
    return end(server, proxy.port)


def before_our_rows(it, *events):
    """Rewrites: `events(like)` stand before the first TABLE_MAP of the link's table."""
    done = []

    def rewrite(event):
        if event.type != TABLE_MAP or it.db.encode() not in event.body or done:
            return [event]
        done.append(1)
        return [*(make(event) for make in events), event]

    return rewrite


# ---- events ----

def test_unknown_event_stops(source, mariadb_b, link):
    it = link(source, mariadb_b, TABLE)
    source.sql("INSERT INTO t VALUES (1, 'a')", db=it.db)
    with LogProxy(source, before_our_rows(it, lambda like: Event.new(like, 99, b"whatever"))) as proxy:
        it.fails("SourceLogUnknownEvent", "binlog.", "type 99", source=through(proxy, source))
    assert it.rows(mariadb_b, "SELECT * FROM t") == []
    it.ok()
    it.same("t")


def test_unknown_event_that_may_be_ignored_passes(source, mariadb_b, link):
    it = link(source, mariadb_b, TABLE)
    source.sql("INSERT INTO t VALUES (1, 'a'); INSERT INTO t VALUES (2, 'b')", db=it.db)
    seen = []

    def rewrite(event):  # inside and between transactions
        if event.type not in (TABLE_MAP, XID) or it.db.encode() not in event.body and event.type == TABLE_MAP:
            return [event]
        seen.append(event.type)
        extra = Event.new(event, 99, b"whatever", IGNORABLE)
        if event.type == XID:
            extra.log_pos = event.log_pos
        return [extra, event] if event.type == TABLE_MAP else [event, extra]

    with LogProxy(source, rewrite) as proxy:
        it.ok(source=through(proxy, source))
    assert TABLE_MAP in seen and XID in seen
    it.same("t")


def test_incident_stops(source, mariadb_b, link):
    """A change of a table without transactions that was too large for the statement cache is made, but not logged: the server says so."""
    it = link(source, mariadb_b, "CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT) ENGINE=MyISAM")
    old = source.sql("SELECT @@global.max_binlog_stmt_cache_size")[0][0]
    source.sql("SET GLOBAL max_binlog_stmt_cache_size=4096")
    try:
        with pytest.raises(Exception, match="max_binlog_stmt_cache_size"):
            source.sql("INSERT INTO t SELECT 1, REPEAT('x', 100000) UNION SELECT 2, REPEAT('x', 100000)", db=it.db)
    finally:
        source.sql(f"SET GLOBAL max_binlog_stmt_cache_size={old}")
    it.fails("SourceLogFormat", "incident", "binlog.", "reset the job")


def test_compressed_statement_stops(mariadb_a, mariadb_b, link):
    """What a compressed statement does is not read, so it may be about anything: also one of a foreign database stops the stream. Compressed rows of
    foreign tables pass."""
    it = link(mariadb_a, mariadb_b, TABLE)
    other = it.db + "q"
    mariadb_a.sql("SET GLOBAL log_bin_compress = ON")
    try:
        mariadb_a.sql(f"CREATE DATABASE {other}; CREATE TABLE {other}.z (v TEXT)")
        mariadb_a.sql(f"INSERT INTO {other}.z VALUES (REPEAT('x', 5000)); UPDATE {other}.z SET v = REPEAT('y', 5000)")
        it.ok()
        mariadb_a.sql(f"ALTER TABLE {other}.z ADD w INT COMMENT '{'long ' * 100}'")
        it.fails("SourceLogFormat", "statement was logged compressed", "log_bin_compress=OFF", "binlog.")
    finally:
        mariadb_a.sql(f"SET GLOBAL log_bin_compress = OFF; DROP DATABASE IF EXISTS {other}")


def test_every_flipped_byte_is_noticed(source, mariadb_b, link):
    it = link(source, mariadb_b, TABLE)
    source.sql("INSERT INTO t VALUES (1, 'abcdef')", db=it.db)

    def flip(event):
        if event.type in WRITE_ROWS:
            event.bytes = lambda plain=event.bytes: (lambda b: b[:-6] + bytes([b[-6] ^ 4]) + b[-5:])(plain())
        return [event]

    with LogProxy(source, flip) as proxy:
        it.fails("SourceLogCorrupt", "binlog.", "CRC-32", "event after", source=through(proxy, source))
    assert it.rows(mariadb_b, "SELECT * FROM t") == []


# ---- offsets behind 4 GiB ----

FOUR_GIB = 1 << 32


def events_of(source, it):
    """(type, end position) of the log from the link's start on."""
    place = json.loads(it.start)
    rows = source.sql(f"SHOW BINLOG EVENTS IN '{place['file']}' FROM {place['pos']}")
    return [(row[2], int(row[4])) for row in rows]


class Moved:
    """The link's log file as if `offset` bytes stood in front of its first event."""

    def __init__(self, it, offset):
        self.it, self.offset = it, offset
        self.file = json.loads(it.start)["file"]
        size = json.loads(it.position())["pos"] + offset
        queries = [(rb"^SHOW BINARY LOGS$", f"SELECT '{self.file}', {size}".encode()),
                   (rb"BINLOG_GTID_POS\((.*?), (\d+)\)", lambda m: b"BINLOG_GTID_POS(%s, %d)" % (m[1], max(4, int(m[2]) - offset)))]
        self.proxy = LogProxy(it.source, queries=queries, file=self.file, offset=offset)

    def place(self, text):
        place = json.loads(text)
        assert place["file"] == self.file
        return text.replace(f'"pos":{place["pos"]},', f'"pos":{place["pos"] + self.offset},')

    def run(self, start, until, **more):
        return self.it.run(source=through(self.proxy, self.it.source), **{"from": start, "until": until}, **more)


@pytest.mark.parametrize("at", ["inside a transaction", "at its end", "between"])
def test_positions_wrap_at_4_gib(source, mariadb_b, link, at):
    """log_pos has 32 bits. The stream goes over the wrap, tells positions behind it, and starts again from them."""
    source.sql("FLUSH BINARY LOGS")
    it = link(source, mariadb_b, TABLE)
    for i in range(6):
        source.sql(f"INSERT INTO t VALUES ({i}, REPEAT('x', 500))", db=it.db)
    events = events_of(source, it)
    ends = [end_pos for kind, end_pos in events if kind == "Xid"]
    rows = [end_pos for kind, end_pos in events if kind.startswith("Write_rows")]
    wrap = {"inside a transaction": rows[2] - 10, "at its end": ends[2], "between": ends[2] + 10}[at]
    moved = Moved(it, FOUR_GIB - wrap)
    last = moved.place(it.position())
    answer = moved.run(moved.place(it.start), last)
    assert answer["ok"] and answer["rows"] == 6, answer
    place = json.loads(answer["position"])
    assert place["pos"] == json.loads(last)["pos"] > FOUR_GIB
    it.same("t")
    # A worker that starts behind the wrap: the dump cannot be asked for such an offset.
    source.sql("INSERT INTO t VALUES (100, 'after'); DELETE FROM t WHERE id = 1", db=it.db)
    moved = Moved(it, FOUR_GIB - wrap)
    answer = moved.run(answer["position"], moved.place(it.position()))
    assert answer["ok"] and answer["rows"] == 2, answer
    assert moved.proxy.dumps[-1] == (moved.file, 4)
    it.same("t")
    # Not a boundary: refused, as it is below 4 GiB.
    wrong = answer["position"].replace(f'"pos":{json.loads(answer["position"])["pos"]},', f'"pos":{json.loads(answer["position"])["pos"] - 1},')
    source.sql("INSERT INTO t VALUES (101, 'after')", db=it.db)
    moved = Moved(it, FOUR_GIB - wrap)
    answer = moved.run(wrong, moved.place(it.position()), job=it.job + "x")
    assert answer["code"] == ("SourceServerChanged" if source.kind == "mariadb" else "SourcePositionInvalid"), answer  # MariaDB: by the GTID there


# ---- logs that are gone, and other servers ----

def purge(source, it):
    """Until the server lets the file of the link's start go: a dump that has just ended holds it for a moment."""
    file = json.loads(it.start)["file"]
    source.sql("FLUSH BINARY LOGS")
    deadline = time.monotonic() + 30
    while any(row[0] == file for row in source.sql("SHOW BINARY LOGS")):
        source.sql(f"PURGE BINARY LOGS TO '{json.loads(it.position())['file']}'")
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_log_purged_while_away(source, mariadb_b, link):
    it = link(source, mariadb_b, TABLE)
    source.sql("INSERT INTO t VALUES (1, 'a')", db=it.db)
    purge(source, it)
    it.fails("SourceLogPurged", json.loads(it.start)["file"])
    assert it.rows(mariadb_b, "SELECT * FROM t") == []


def test_log_purged_at_the_last_moment(source, mariadb_b, link):
    """Between the check of the position and the dump: the server's own answer (1236) is understood."""
    it = link(source, mariadb_b, TABLE)
    source.sql("INSERT INTO t VALUES (1, 'a')", db=it.db)
    with LogProxy(source, on_dump=lambda: purge(source, it)) as proxy:
        answer = it.fails("SourceLogPurged", "1236", "binlog.", source=through(proxy, source))
    assert answer["native"] == 1236 and answer["retry"] == 0


def test_log_that_was_reset_and_grew_again(source, mariadb_b, link):
    """The same file name, the same offset, another log."""
    it = link(source, mariadb_b, TABLE)
    source.sql("INSERT INTO t VALUES (1, 'a')", db=it.db)
    time.sleep(1.1)  # the file's creation time has seconds
    source.sql("RESET BINARY LOGS AND GTIDS" if source.kind == "mysql" else "RESET MASTER")
    it.start = it.start.replace(json.loads(it.start)["file"], json.loads(it.position())["file"])
    while json.loads(it.position())["pos"] <= json.loads(it.start)["pos"]:
        source.sql("INSERT INTO t SELECT 1 + MAX(id), REPEAT('x', 900) FROM t", db=it.db)
    it.fails("SourceServerChanged", json.loads(it.start)["file"])


def test_another_server(mysql_a, mysql_b, mariadb_a, mariadb_b, link):
    for here, other in ((mysql_a, mysql_b), (mariadb_a, mariadb_b)):
        it = link(here, mariadb_b, TABLE)
        it.fails("SourceServerChanged", source=end(other))
    # MariaDB's server_id is no proof: with the same one, the log's own facts decide.
    own = str(mariadb_a.sql("SELECT @@server_id")[0][0]).encode()
    with LogProxy(mariadb_b, queries=[(rb"CONCAT\('mariadb:', @@global.server_id\)", b"CONCAT('mariadb:', %s)" % own)]) as proxy:
        for position in (it.start, it.start.replace(json.loads(it.start)["file"], json.loads(drive(mode="position", source=end(mariadb_b))["position"])["file"])):
            answer = it.run(source=through(proxy, mariadb_b), **{"from": position})
            assert answer["code"] in ("SourceServerChanged", "SourcePositionInvalid"), answer


# ---- XA ----

def test_xa_prepared_before_the_start(source, mariadb_b, link):
    """Whether such a transaction changed selected tables cannot be known: its COMMIT stops the stream, its ROLLBACK passes."""
    it = link(source, mariadb_b, TABLE)
    source.sql("XA START 'r1'; INSERT INTO t VALUES (1, 'a'); XA END 'r1'; XA PREPARE 'r1'", db=it.db)
    source.sql("XA START 'c1','b',7; INSERT INTO t VALUES (2, 'a'); XA END 'c1','b',7; XA PREPARE 'c1','b',7", db=it.db)
    it.start = it.position()
    source.sql("XA ROLLBACK 'r1'; INSERT INTO t VALUES (3, 'c')", db=it.db)
    it.ok()
    it.same("t")
    source.sql("XA COMMIT 'c1','b',7", db=it.db)
    it.fails("NotSupported", "XA COMMIT", "prepared before the stream began", "binlog.", "reset the job")
    assert it.rows(mariadb_b, "SELECT id FROM t") == [(3,)]


def test_xa_of_foreign_tables_across_a_restart(source, mariadb_b, link):
    """A branch that was seen to change nothing of ours is remembered with the position."""
    it = link(source, mariadb_b, TABLE)
    other = it.db + "z"
    source.sql(f"CREATE DATABASE {other}; CREATE TABLE {other}.z (id INT PRIMARY KEY)")
    try:
        for i, xid in enumerate(("'f1'", "'f2','b',9", "X'00ff27'")):
            source.sql(f"XA START {xid}; INSERT INTO {other}.z VALUES ({i}); XA END {xid}; XA PREPARE {xid}")
        source.sql("INSERT INTO t VALUES (1, 'a')", db=it.db)
        it.ok()
        source.sql("XA COMMIT 'f1'; INSERT INTO t VALUES (2, 'b'); XA COMMIT X'00ff27'", db=it.db)
        it.ok()
        source.sql("INSERT INTO t VALUES (3, 'c'); XA ROLLBACK 'f2','b',9; INSERT INTO t VALUES (4, 'd')", db=it.db)
        answer = it.ok()
        it.same("t")
        assert "xa" not in json.loads(answer["position"])
    finally:
        for _, gtrid, bqual, data in source.sql("XA RECOVER"):
            raw = data.encode() if isinstance(data, str) else data
            source.sql(f"XA ROLLBACK X'{raw[:gtrid].hex()}',X'{raw[gtrid:gtrid + bqual].hex()}',{9 if bqual else 1}")
        source.sql(f"DROP DATABASE {other}")


# ---- values ----

def test_enum_error_value(pair, link):
    """ENUM index 0 ('' by force, not a label) and an empty label beside it; in keys, with and without a key."""
    columns = "e ENUM('a','b'), n ENUM('a','') NOT NULL DEFAULT 'a'"
    it = link(*pair, f"CREATE TABLE k (id INT PRIMARY KEY, {columns}); CREATE TABLE h ({columns}); CREATE TABLE p (e ENUM('a','b') PRIMARY KEY, v INT)")
    it.source.sql("""SET sql_mode = '';
        INSERT INTO k VALUES (1, 'wrong', 'wrong'), (2, 'a', ''), (3, NULL, 'a'), (4, 'b', 'wrong'); UPDATE k SET e = 'wrong' WHERE id = 2; UPDATE k SET e = 'b' WHERE id = 1;
        INSERT INTO h VALUES ('wrong', 'wrong'), ('wrong', ''), ('a', ''), ('a', 'wrong'); DELETE FROM h WHERE e = 0 AND n = 0; UPDATE h SET e = 'b' WHERE e = 'a' AND n = 0;
        INSERT INTO p VALUES ('wrong', 1), ('a', 2); UPDATE p SET v = 3 WHERE e = 0; UPDATE p SET e = 'b' WHERE e = 'a'""", db=it.db)
    it.ok(window_rows=1)
    for server in pair:
        assert it.rows(server, "SELECT id, e+0, n+0 FROM k ORDER BY id") == [(1, 2, 0), (2, 0, 2), (3, None, 1), (4, 2, 0)]
        assert sorted(it.rows(server, "SELECT e+0, n+0 FROM h")) == [(0, 2), (1, 2), (2, 0)]
        assert sorted(it.rows(server, "SELECT e+0, v FROM p")) == [(0, 3), (2, 2)]
    it.source.sql("SET sql_mode = ''; DELETE FROM p WHERE e = 0; DELETE FROM k WHERE n = 0; DELETE FROM h WHERE e = 0", db=it.db)
    it.ok()
    it.same("k", "h", "p")


def test_rows_without_key_floats(pair, link):
    """Zeros of both signs, values whose text is longer than the type, NULLs: each row is found, and no other in its place."""
    it = link(*pair, "CREATE TABLE h (nr INT, f FLOAT, d DOUBLE)")
    it.source.sql("""
        INSERT INTO h VALUES (1, 0, 0), (1, -0e0, -0e0), (1, NULL, 0), (1, 0, NULL), (1, NULL, NULL), (1, 1e-45, 4.9e-324), (1, 0.1, 0.1), (1, 16777217, 16777217),
          (1, 3.4028234e38, 1.7976931348623157e308), (1, 1.17549435e-38, 2.2250738585072014e-308), (1, -0.1, -0.1), (2, 0, 0), (2, -0e0, -0e0);
        UPDATE h SET nr = 3 WHERE f = 0.1e0 + 0.000000001490116e0 OR d = 0.1e0; UPDATE h SET nr = 4 WHERE f IS NULL AND d IS NULL; UPDATE h SET nr = 5 WHERE f IS NULL AND nr = 1;
        DELETE FROM h WHERE nr = 2 LIMIT 1; UPDATE h SET f = -f, d = -d WHERE nr = 1; DELETE FROM h WHERE d > 1e300; UPDATE h SET d = 7 WHERE nr = 1 AND ATAN2(f, -1) < 0 AND f = 0""", db=it.db)
    it.ok(window_rows=1)
    signs = any(server.kind == "mariadb" for server in pair)  # MariaDB stores no -0

    def contents(server):
        rows = it.rows(server, "SELECT nr, f*1e0, d FROM h")
        return sorted(repr(tuple(v + 0.0 if signs and v == 0 else v for v in row)) for row in rows)

    assert contents(it.source) == contents(it.target)
    it.source.sql("DELETE FROM h", db=it.db)
    it.ok()
    assert it.rows(it.target, "SELECT * FROM h") == []


# ---- TLS ----

@pytest.fixture(scope="module")
def mariadb_tls(tmp_path_factory):
    cert, key = make_certificate(tmp_path_factory.mktemp("mariadb-tls"), "database")
    with MariaDB(options={"ssl_cert": cert, "ssl_key": key}) as server:
        yield server


@pytest.mark.parametrize("server", ["mysql_a", "mariadb_tls"])
def test_dump_over_tls(request, mariadb_b, link, server):
    """Every byte of the log travels encrypted; a large transaction as well as a small one."""
    source = request.getfixturevalue(server)
    it = link(source, mariadb_b, "CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT)")
    source.sql("INSERT INTO t VALUES (1, REPEAT('plaintext-marker', 100000)); INSERT INTO t VALUES (2, 'plaintext-marker')", db=it.db)
    with LogProxy(source, blind=True) as proxy:
        it.ok(source={**through(proxy, source), "tls": "require"})
        assert len(proxy.seen) > 1600000 and b"binlog.0" not in proxy.seen and b"plaintext-marker" not in proxy.seen
    it.same("t")


# ---- two workers ----

def claimed(it, epoch):
    """The worker with the epoch has the job's row; the first one makes the table too."""
    if not it.target.sql("SELECT 1 FROM information_schema.tables WHERE table_schema = 'sluice' AND table_name = 'checkpoint'"):
        return False
    return it.target.sql("SELECT COUNT(*) FROM sluice.checkpoint WHERE job_id = %s AND epoch = %s", it.job, epoch) == [(1,)]


def test_second_worker_takes_over(pair, link):
    """Two workers stream at once; the first one can commit nothing once the second has claimed, and every row comes once."""
    it = link(*pair, "CREATE TABLE h (v INT)")
    workers = []
    for epoch in (1, 2):
        worker = subprocess.Popen([str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        worker.stdin.write(json.dumps(it.request(epoch=epoch, until="", heartbeat_ms=100, cancel_after_ms=5000, replica_id=4000000 + epoch)))
        worker.stdin.close()
        workers.append(worker)
        deadline = time.monotonic() + 20
        while not claimed(it, epoch):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        for i in range(50):
            it.source.sql(f"INSERT INTO h VALUES ({epoch * 1000 + i})", db=it.db)
    answers = [json.loads(worker.stdout.read()) for worker in workers]
    for worker in workers:
        worker.wait()
    assert answers[0]["code"] == "WorkerFenced" and answers[1]["code"] == "Cancelled", answers
    it.ok(epoch=3)
    it.same("h")
