"""The PostgreSQL source against real servers: catalog, slot, exported snapshots, chunks, the stream, and what must stop it."""

import json
import subprocess
import threading
import time
import uuid

import pytest
from replay import BUILD

DRIVER = BUILD / "tests" / "drivers" / "pg_source"
ALL = {"public": {"name": "public", "all": True}}


class Driver:
    """One job at one database, driven without a service."""

    def __init__(self, server, db):
        self.server, self.db, self.job = server, db, f"j{uuid.uuid4().hex[:10]}"
        self.slot = f"sluice_{self.job}"
        self.objects = ALL

    def request(self, op, **more):
        endpoint = {"host": "127.0.0.1", "port": self.server.port, "user": "postgres", "password": self.server.root_password, "database": self.db}
        return json.dumps({"op": op, "job": self.job, "endpoint": endpoint, "objects": self.objects, **more}) + "\n"

    def run(self, op, **more):
        """(answer lines without the last, the last: ok or code and text)."""
        done = subprocess.run([str(DRIVER)], input=self.request(op, **more), capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return lines[:-1], lines[-1]

    def ok(self, op, **more):
        lines, last = self.run(op, **more)
        assert last["ok"], last
        return lines

    def keep(self):
        return [line["position"] for line in self.ok("keep") if "position" in line][0]

    def sql(self, text, *args):
        return self.server.sql(text, *args, db=self.db)


@pytest.fixture(params=["postgresql_15", "postgresql_17", "postgresql_18"])
def d(request):
    server = request.getfixturevalue(request.param)
    db = f"s{uuid.uuid4().hex[:8]}"
    server.sql(f'CREATE DATABASE "{db}"')
    driver = Driver(server, db)
    yield driver
    driver.run("remove")
    server.sql(f'DROP DATABASE "{db}" WITH (FORCE)')


@pytest.fixture
def d15(postgresql_15):
    db = f"s{uuid.uuid4().hex[:8]}"
    postgresql_15.sql(f'CREATE DATABASE "{db}"')
    driver = Driver(postgresql_15, db)
    yield driver
    driver.run("remove")
    postgresql_15.sql(f'DROP DATABASE "{db}" WITH (FORCE)')


def lsn(position):
    high, low = json.loads(position)["lsn"].split("/")
    return (int(high, 16) << 32) + int(low, 16)


VALUES = {
    "i2": ("smallint", "-32768"), "i4": ("integer", "2147483647"), "i8": ("bigint", "-9223372036854775808"), "n": ("numeric(30,10)", "12345678901234567890.0123456789"),
    "nn": ("numeric", "NaN"), "f4": ("real", "1.1"), "f8": ("double precision", "0.30000000000000004"), "fi": ("double precision", "-Infinity"), "b": ("boolean", "t"),
    "t": ("text", "a\tb\nc\\d\r\b\f\v é\U0001F600"), "v": ("varchar(20)", "\\N"), "c": ("char(5)", "ab   "), "by": ("bytea", "\\x00ff5c0a"), "d": ("date", "0044-03-15 BC"),
    "di": ("date", "infinity"), "tm": ("time(3)", "24:00:00"), "tz": ("timetz", "10:00:00+05:30"), "ts": ("timestamp", "2024-02-29 23:59:59.999999"),
    "tt": ("timestamptz", "2024-02-29 22:00:00+00"), "iv": ("interval", "1 year 2 mons -3 days +04:05:06.7"), "j": ("json", '{"a": [1,2]}'), "jb": ("jsonb", '{"a": "\\u00e9\\n"}'),
    "u": ("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), "ip": ("inet", "192.168.0.0/24"), "m": ("macaddr", "08:00:2b:01:02:03"), "bt": ("bit(5)", "10101"), "vb": ("varbit", "1"),
    "a": ("integer[]", "[2:3]={1,NULL}"), "ta": ("text[]", '{"a,\\"b","c\\\\d",NULL,""}'), "r": ("int4range", "[1,5)"), "mo": ("money", "$1.50"), "x": ("xml", "<a>b</a>"),
    "e": ("mood", "so 'so'"), "pt": ("point", "(1.5,-2)"), "ci": ("cidr", "10.0.0.0/8"), "o": ("oid", "4294967295"), "em": ("text", ""),
}


def test_types_load_and_stream_alike(d):
    """The text of every type from COPY and from the log is the server's own; both equal what the server says itself."""
    d.sql("CREATE TYPE mood AS ENUM ('sad', 'so ''so''', E'back\\\\slash')")
    columns = ", ".join(f"{name} {kind}" for name, (kind, _) in VALUES.items())
    d.sql(f"CREATE TABLE t (id int PRIMARY KEY, {columns})")
    texts = [value.replace("$", "") for _, value in VALUES.values()]
    start = d.keep()
    casts = ", ".join(f"%s::{kind}" for kind, _ in VALUES.values())
    with d.server.connect(d.db) as c:
        c.execute(f"INSERT INTO t VALUES (1, {casts})", texts)
        c.execute("INSERT INTO t (id) VALUES (2)")
    rows = {line["row"][0]: line["row"] for line in d.ok("load") if "row" in line}
    with d.server.connect(d.db) as c:
        c.execute("SET datestyle=ISO; SET intervalstyle=postgres; SET timezone=UTC; SET extra_float_digits=3; SET lc_monetary='C'")
        said = c.execute("SELECT " + ", ".join(f"format('%%s', {n})" for n in VALUES) + " FROM t WHERE id = 1", []).fetchone()
    assert rows["1"][1:] == list(said)
    assert rows["2"][1:] == [None] * len(VALUES)
    end = d.ok("now")[0]["position"]
    changes = [c for line in d.ok("stream", **{"from": start, "until": end}) for c in line["changes"]]
    assert [c["after"] for c in changes] == [rows["1"], rows["2"]]


def test_what_types_are_made_of(d):
    """Elements, bases, fields, bounds, labels and checks, through several levels."""
    multirange = d.server.sql("SHOW server_version_num")[0][0] >= "140000"
    d.sql("CREATE TYPE mood AS ENUM ('sad', E'new\\nline', E'back\\\\slash'); CREATE DOMAIN price AS numeric(10,2) DEFAULT 1.50 NOT NULL CONSTRAINT low CHECK (VALUE > 0);"
          "CREATE DOMAIN fair AS price CONSTRAINT high CHECK (VALUE < 100); CREATE TYPE part AS (a fair, b text[]); CREATE TYPE node AS (v varchar(5), p part, next mood);"
          "CREATE TYPE spans AS RANGE (subtype = fair)")
    d.sql("CREATE TABLE t (i int, n numeric(12,3)[], p fair, q price[], m mood, c node, r spans, v int2vector, x point, b varbit(9), z timestamptz(3)"
          + (", u datemultirange" if multirange else "") + ")")
    types = {line["column"]: line["type"] for line in d.ok("types")}

    def brief(t):
        of = f" of {brief(t['of'])}" if "of" in t else ""
        return f"{t['kind']} {t['sql']}{of}"

    assert {name: brief(t) for name, t in types.items() if name != "c"} == {
        "i": "b integer", "n": "a numeric(12,3)[] of b numeric", "p": "d public.fair of d public.price of b numeric(10,2)",
        "q": "a public.price[] of d public.price of b numeric(10,2)", "m": "e public.mood", "r": "r public.spans of d public.fair of d public.price of b numeric(10,2)",
        "v": "b int2vector", "x": "b point", "b": "b bit varying(9)", "z": "b timestamp(3) with time zone",
        **({"u": "m datemultirange of r daterange of b date"} if multirange else {})}
    assert [(t["length"], t["scale"]) for t in (types["n"]["of"], types["p"]["of"]["of"], types["b"], types["z"])] == [(12, 3), (10, 2), (9, 0), (0, 3)]
    assert types["m"]["parts"] == ["sad", "new\nline", "back\\slash"]
    assert types["p"]["parts"] == [["high", "(((VALUE)::numeric < (100)::numeric))"]] and types["p"]["of"]["domain"] == [True, "1.50"]
    fields = dict(types["c"]["parts"])
    assert {k: brief(v) for k, v in fields.items()} == {"v": "b character varying(5)", "p": "c public.part", "next": "e public.mood"}
    assert fields["v"]["length"] == 5 and {k: brief(v) for k, v in dict(fields["p"]["parts"]).items()}["b"] == "a text[] of b text"


def test_snapshot_and_log_meet_exactly(d15):
    """Rows written while snapshots are taken are in the snapshot or behind its position in the log: never in both, never in neither."""
    d = d15
    d.sql("CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, x int)")
    d.keep()
    stop = threading.Event()

    def write():
        with d.server.connect(d.db) as c:
            while not stop.is_set():
                c.execute("INSERT INTO t (x) VALUES (1)")
                time.sleep(0.002)  # as many rows as a snapshot has commits about it, not more to read

    writers = [threading.Thread(target=write) for _ in range(3)]
    for w in writers:
        w.start()
    try:
        loads = []
        for _ in range(4):
            lines = d.ok("load", chunk_rows=50)
            loads.append((lines[0]["snapshot"], {line["row"][0] for line in lines if "row" in line}))
            time.sleep(0.1)
    finally:
        stop.set()
        for w in writers:
            w.join()
    end = d.ok("now")[0]["position"]
    every = {str(i) for i, in d.sql("SELECT id FROM t")}
    for at, seen in loads:
        logged = {c["after"][0] for line in d.ok("stream", **{"from": at, "until": end, "durable": at}) for c in line["changes"]}
        assert seen and logged and not seen & logged and seen | logged == every
        d.ok("remove") if at == loads[-1][0] else None


def test_changes_of_keys_and_toast(d):
    """Key changes tell the old key; an unchanged TOAST value is told as unchanged, or filled in from the old row."""
    d.sql("CREATE TABLE t (a int, b text, big text, PRIMARY KEY (a, b)); ALTER TABLE t ALTER big SET STORAGE EXTERNAL;"
          "CREATE TABLE f (a int, big text); ALTER TABLE f REPLICA IDENTITY FULL; ALTER TABLE f ALTER big SET STORAGE EXTERNAL;"
          "CREATE TABLE i (a int NOT NULL, b int PRIMARY KEY); CREATE UNIQUE INDEX ia ON i (a); ALTER TABLE i REPLICA IDENTITY USING INDEX ia")
    start = d.keep()
    big = "x" * 20000
    d.sql("INSERT INTO t VALUES (1, 'k', %s); INSERT INTO f VALUES (1, %s); INSERT INTO i VALUES (1, 10)".replace("%s", f"'{big}'"))
    d.sql("UPDATE t SET a = 2; UPDATE f SET a = 2; UPDATE i SET b = 11; UPDATE i SET a = 2")
    d.sql("UPDATE t SET big = 'small'; DELETE FROM t; DELETE FROM f; DELETE FROM i")
    end = d.ok("now")[0]["position"]
    changes = [(c["table"], c["kind"], c["before"], c["after"]) for line in d.ok("stream", **{"from": start, "until": end}) for c in line["changes"]]
    assert changes[:3] == [("t", "insert", None, ["1", "k", big]), ("f", "insert", None, ["1", big]), ("i", "insert", None, ["1", "10"])]
    assert changes[3:7] == [("t", "update", ["1", "k", "<absent>"], ["2", "k", "<unchanged>"]), ("f", "update", ["1", big], ["2", big]),
                            ("i", "update", ["1", "<absent>"], ["1", "11"]), ("i", "update", ["1", "<absent>"], ["2", "11"])]
    assert changes[7:] == [("t", "update", ["2", "k", "<absent>"], ["2", "k", "small"]), ("t", "delete", ["2", "k", "<absent>"], None),
                           ("f", "delete", ["2", big], None), ("i", "delete", ["2", "<absent>"], None)]


def test_chunks_of_every_key(d15):
    d = d15
    d.sql("CREATE TABLE n (id int PRIMARY KEY); INSERT INTO n SELECT g * 3 FROM generate_series(1, 1000) g;"
          "CREATE TABLE s (a text, b numeric, PRIMARY KEY (a, b)); INSERT INTO s SELECT 'it''s ' || g % 7, g / 3.0 FROM generate_series(1, 1000) g;"
          "CREATE TABLE u (id uuid PRIMARY KEY); INSERT INTO u SELECT gen_random_uuid() FROM generate_series(1, 500);"
          "CREATE TABLE k (x int); INSERT INTO k SELECT g % 5 FROM generate_series(1, 300) g; ALTER TABLE k REPLICA IDENTITY FULL;"
          "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);"
          "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (1000); INSERT INTO p SELECT generate_series(0, 999); ANALYZE")
    d.keep()
    lines = d.ok("load", chunk_rows=100)
    chunks = {line["table"]: line["chunks"] for line in lines if "chunks" in line}
    assert set(chunks) == {"n", "s", "u", "k", "p"} and chunks["k"] == 1 and all(chunks[t] >= 4 for t in "nsup"), chunks
    for t, columns in {"n": "id", "s": "a, b", "u": "id", "k": "x", "p": "id"}.items():
        said = sorted(tuple(str(v) for v in row) for row in d.sql(f"SELECT {columns} FROM {t}"))
        assert sorted(tuple(line["row"]) for line in lines if line.get("table") == t and "row" in line) == said


def test_only_durable_positions_are_confirmed(d15):
    """The slot's confirmed position follows the target, not the reader; while the sink blocks the server is told, and an idle source moves the slot."""
    d = d15
    d.sql("CREATE TABLE t (id int PRIMARY KEY)")
    start = d.keep()
    d.sql("INSERT INTO t SELECT generate_series(1, 10)")
    end = d.ok("now")[0]["position"]
    d.ok("stream", **{"from": start, "until": end})
    confirmed = d.sql("SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = %s", d.slot)[0][0]
    assert lsn(json.dumps({"lsn": confirmed})) <= lsn(start)
    d.server.sql(f"ALTER DATABASE {d.db} SET wal_sender_timeout = '2s'")
    d.sql("INSERT INTO t VALUES (11)")
    end = d.ok("now")[0]["position"]
    lines = d.ok("stream", **{"from": start, "until": end, "push_wait_ms": 5000, "durable_follows": True})
    assert sum(len(line["changes"]) for line in lines) == 11


def test_truncate(d):
    """Every table of the statement and what CASCADE reaches, in log order."""
    d.sql("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int REFERENCES t); ALTER TABLE u REPLICA IDENTITY FULL;"
          "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100)")
    start = d.keep()
    d.sql("INSERT INTO t VALUES (1); TRUNCATE t CASCADE; INSERT INTO t VALUES (2)")
    d.sql("TRUNCATE p, u RESTART IDENTITY")
    end = d.ok("now")[0]["position"]
    changes = [[(c["table"], c["kind"]) for c in line["changes"]] for line in d.ok("stream", **{"from": start, "until": end}) if line["changes"]]
    assert changes[0] == [("t", "insert"), ("t", "truncate"), ("u", "truncate"), ("t", "insert")] and sorted(changes[1]) == [("p", "truncate"), ("u", "truncate")]


def test_large_transactions_come_in_parts(d15):
    """Beyond the limit a transaction is pushed in parts, in order; a sink that takes none gets an error."""
    d = d15
    d.sql("CREATE TABLE t (id int PRIMARY KEY, x text)")
    start = d.keep()
    d.sql("INSERT INTO t SELECT g, repeat('x', 1000) FROM generate_series(1, 1000) g")
    d.sql("INSERT INTO t VALUES (2000, 'after')")
    end = d.ok("now")[0]["position"]
    lines = [line for line in d.ok("stream", **{"from": start, "until": end, "txn_limit_bytes": 200000, "parts": True}) if line["changes"]]
    assert [int(c["after"][0]) for line in lines for c in line["changes"]] == [*range(1, 1001), 2000]
    parts = [line["part"] for line in lines]
    assert parts[0] == 1 and set(parts[1:-2]) == {2} and parts[-2:] == [3, 0], parts
    assert all(line["keep"] == sum(len(x["changes"]) for x in lines[:i]) for i, line in enumerate(lines[:-1]))
    last = d.run("stream", **{"from": start, "until": end, "txn_limit_bytes": 200000})[1]
    assert last["code"] == "LimitExceeded", last


@pytest.mark.parametrize("change, code, word", [
    ("ALTER TABLE t ADD y int", "SourceSchemaChanged", "column y"),
    ("ALTER TABLE t DROP x", "SourceSchemaChanged", "dropped"),
    ("ALTER TABLE t ALTER x TYPE bigint", "SourceSchemaChanged", "type of column x"),
    ("ALTER TABLE t RENAME TO z", "SourceSchemaChanged", "public.z"),
    ("ALTER TABLE t REPLICA IDENTITY FULL", "SourceSchemaChanged", "replica identity"),
])
def test_schema_changes_stop(d, change, code, word):
    """The reader knows the table as it was before the change."""
    d.sql("CREATE TABLE t (id int PRIMARY KEY, x int)")
    start = d.keep()
    d.sql("INSERT INTO t (id) VALUES (1)")
    with subprocess.Popen([str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdin.write(d.request("stream", **{"from": start}))
        process.stdin.close()
        first = json.loads(process.stdout.readline())
        assert first["changes"][0]["after"] == ["1", None]
        d.sql(change)
        d.sql(f"INSERT INTO {'z' if 'RENAME' in change else 't'} (id) VALUES (2)")
        last = [json.loads(line) for line in process.stdout][-1]
    assert not last["ok"] and last["code"] == code and word in last["text"], last


def test_lost_and_moved_slots(d15):
    d = d15
    d.sql("CREATE TABLE t (id int PRIMARY KEY)")
    start = d.keep()
    assert d.run("check", **{"from": start})[1]["ok"]
    d.sql("INSERT INTO t VALUES (1)")
    later = d.ok("now")[0]["position"]
    d.sql("SELECT pg_replication_slot_advance(%s, pg_current_wal_lsn())", d.slot)
    last = d.run("check", **{"from": start})[1]
    assert last["code"] == "SourceLogPurged" and "moved" in last["text"], last
    d.sql("SELECT pg_drop_replication_slot(%s)", d.slot)
    last = d.run("check", **{"from": later})[1]
    assert last["code"] == "SourceLogPurged" and d.slot in last["text"], last
    other = json.dumps({**json.loads(start), "system": "7000000000000000000"}, separators=(",", ":"))
    assert d.run("check", **{"from": other})[1]["code"] == "SourceServerChanged"
    newer = json.dumps({**json.loads(start), "timeline": 9}, separators=(",", ":"))
    assert d.run("check", **{"from": newer})[1]["code"] == "SourceServerChanged"
    assert d.run("check", **{"from": "{}"})[1]["code"] == "SourcePositionInvalid"


def test_unnamed_rows_are_refused_before_anything_is_made(d15):
    d = d15
    d.sql("CREATE TABLE t (id int)")
    last = d.run("keep")[1]
    assert last["code"] == "SourceConfigUnfit" and 'ALTER TABLE "public"."t" REPLICA IDENTITY FULL' in last["text"]
    assert d.sql("SELECT count(*) FROM pg_publication") == [(0,)]
    d.sql("INSERT INTO t VALUES (1); UPDATE t SET id = 2; DELETE FROM t")


def test_nothing_is_left_and_removing_twice_is_fine(d):
    d.sql("CREATE TABLE t (id int PRIMARY KEY)")
    intended = [(line["intend"], line["undo"]) for line in d.ok("keep") if "intend" in line]
    assert intended == [("publication", f'DROP PUBLICATION IF EXISTS "{d.slot}"'), ("slot", "SELECT pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) AS held, pg_drop_replication_slot(slot_name) "
                                 f"FROM pg_replication_slots WHERE slot_name = '{d.slot}'")]
    assert not [line for line in d.ok("keep") if "intend" in line]
    with subprocess.Popen([str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdin.write(d.request("stream", **{"from": d.keep()}))
        process.stdin.close()
        time.sleep(1)
        removed = d.ok("remove")[0]["removed"]  # while a worker still reads it
        process.wait(20)
    assert removed == f"replication slot {d.slot}\npublication {d.slot}\n"
    assert d.ok("remove")[0]["removed"] == ""
    assert d.sql("SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE %s", d.slot + "%") == [(0,)]
    assert d.sql("SELECT count(*) FROM pg_publication") == [(0,)]


def test_slot_names_whom_it_waits_for(d15):
    """A writer that does not end blocks a new slot: the error names it."""
    d = d15
    d.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with d.server.connect(d.db) as c:
        c.execute("BEGIN; INSERT INTO t VALUES (1)")
        pid = c.info.backend_pid
        last = d.run("keep", io_timeout_s=1)[1]
        c.execute("ROLLBACK")
    assert last["code"] == "SourceConnectFailed" and f"pid {pid}" in last["text"], last
    assert d.keep()
