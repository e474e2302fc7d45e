"""What the log of PostgreSQL does not tell: a publication changed by somebody else, partitions that come with rows, go, or are emptied. Never silent.

SLUICE_TEST_LONG=1: every way to change a publication and a partition."""

import json
import os
import signal
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from jobs import LONG
from test_postgresql_source import DRIVER, d, d15  # noqa: F401

ROOT = "CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200)"


def run(driver, text):
    """Each statement by itself."""
    with driver.server.connect(driver.db) as c:
        for statement in text.split("; "):
            c.execute(statement)


@contextmanager
def streaming(driver, start):
    """A running stream: its lines, read as they come."""
    with subprocess.Popen([str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdin.write(driver.request("stream", **{"from": start}))
        process.stdin.close()
        lines = (json.loads(line) for line in process.stdout)
        late = threading.Timer(120, process.kill)
        late.start()
        try:
            yield lines
        finally:
            late.cancel()
            process.kill()


def next_rows(lines):
    for line in lines:
        assert "ok" not in line, line
        if line["changes"]:
            return line
    raise AssertionError("the stream has ended")


def last_of(lines):
    for line in lines:
        if "ok" in line:
            return line
    raise AssertionError("no last line")


def stop_in_both(d, prepare, change, code, word):
    """The change stops a job that runs, and one that is paused meanwhile: where it stood, and where it comes to without a look at the catalog since."""
    d.sql(prepare)
    start = d.keep()
    d.sql("INSERT INTO p VALUES (1), (101)")
    with streaming(d, start) as lines:
        end = next_rows(lines)["end"]
        run(d, change)
        running = last_of(lines)
    paused = []
    for at in (start, end):
        with streaming(d, at) as lines:
            paused.append(last_of(lines))
    for last in (running, *paused):
        assert not last["ok"] and last["code"] == code and word in last["text"], last


PUBLICATIONS = {
    "drop table": 'ALTER PUBLICATION "{0}" DROP TABLE o', "drop and add": 'ALTER PUBLICATION "{0}" DROP TABLE p; ALTER PUBLICATION "{0}" ADD TABLE p',
    "add table": 'CREATE TABLE more (id int PRIMARY KEY); ALTER PUBLICATION "{0}" ADD TABLE more', "set table": 'ALTER PUBLICATION "{0}" SET TABLE p',
    "set table with a filter": 'ALTER PUBLICATION "{0}" SET TABLE p, o WHERE (id > 5)', "publish less": "ALTER PUBLICATION \"{0}\" SET (publish = 'insert')",
    "a table dropped": "DROP TABLE o",
    "back and forth": "ALTER PUBLICATION \"{0}\" SET (publish = 'insert'); ALTER PUBLICATION \"{0}\" SET (publish = 'insert, update, delete, truncate')",
    "made anew": 'DROP PUBLICATION "{0}"; CREATE PUBLICATION "{0}" FOR TABLE p, o WITH (publish_via_partition_root = true)',
}


@pytest.mark.parametrize("change", PUBLICATIONS if LONG else ["drop and add", "set table with a filter"])
def test_altered_publications(d15, change):
    sql = PUBLICATIONS[change].format(d15.slot)
    stop_in_both(d15, ROOT + "; CREATE TABLE o (id int PRIMARY KEY)", sql, "SourceLogPurged", "publication")


def test_a_publication_made_anew_loses_changes_in_silence(d):
    """What lay between is passed over by 18 without a word; 15 and 17 refuse to read on as long as such a change is ahead."""
    d.sql("CREATE TABLE t (id int PRIMARY KEY)")
    start = d.keep()
    d.sql(f'DROP PUBLICATION "{d.slot}"')
    d.sql("INSERT INTO t VALUES (1)")
    gone = d.run("stream", **{"from": start, "until": d.ok("now")[0]["position"]})[1]
    d.sql(f'CREATE PUBLICATION "{d.slot}" FOR TABLE t WITH (publish_via_partition_root = true)')
    d.sql("INSERT INTO t VALUES (2)")
    anew = d.run("stream", **{"from": start, "until": d.ok("now")[0]["position"]})[1]
    for last in (gone, anew):
        assert last["code"] == "SourceLogPurged" and d.slot in last["text"] and "reset the job" in last["text"], last


GONE = {
    "attached": ("CREATE TABLE n (id int PRIMARY KEY, v text); INSERT INTO n VALUES (201); ALTER TABLE p ATTACH PARTITION n FOR VALUES FROM (200) TO (300)", "public.n was attached"),
    "attached, changed since": ("BEGIN; CREATE TABLE n (LIKE p); INSERT INTO n VALUES (201), (202); ALTER TABLE p ATTACH PARTITION n FOR VALUES FROM (200) TO (300); "
                                "INSERT INTO p VALUES (203); DELETE FROM p WHERE id = 201; COMMIT", "public.n was attached"),
    "attached with its own": ("CREATE TABLE n (id int PRIMARY KEY, v text) PARTITION BY RANGE (id); CREATE TABLE n1 PARTITION OF n DEFAULT; INSERT INTO n VALUES (201); "
                              "ALTER TABLE p ATTACH PARTITION n FOR VALUES FROM (200) TO (300)", "attached"),
    "detached": ("ALTER TABLE p DETACH PARTITION p2", "detached"),
    "detached and attached": ("ALTER TABLE p DETACH PARTITION p2; INSERT INTO p2 VALUES (150); ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (100) TO (200)", "attached"),
    "dropped": ("DROP TABLE p2", "dropped"),
    "truncated": ("TRUNCATE p2", "truncated"),
    "truncated and filled": ("TRUNCATE p2; INSERT INTO p VALUES (150); ANALYZE p2", "truncated"),
    "truncated behind its root": ("TRUNCATE p; INSERT INTO p VALUES (2), (102); TRUNCATE p2", "truncated"),
}


@pytest.mark.parametrize("change", GONE if LONG else ["attached, changed since", "detached", "truncated behind its root"])
def test_partitions_past_the_log(d15, change):
    sql, word = GONE[change]
    stop_in_both(d15, ROOT, sql, "SourceSchemaChanged", word)


def test_partitions_that_the_log_tells(d):
    """New partitions, empty or not, roots that are truncated, tables written anew: the stream goes on, and a job that was paused goes on from anywhere."""
    d.sql(ROOT)
    start = d.keep()
    steps = ["INSERT INTO p VALUES (1), (101)", "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (200) TO (300)", "INSERT INTO p VALUES (201)",
             "BEGIN; CREATE TABLE p4 PARTITION OF p FOR VALUES FROM (300) TO (400) PARTITION BY RANGE (id); CREATE TABLE p41 PARTITION OF p4 DEFAULT; INSERT INTO p VALUES (301); COMMIT",
             "BEGIN; CREATE TABLE p5 (LIKE p INCLUDING ALL); ALTER TABLE p ATTACH PARTITION p5 FOR VALUES FROM (400) TO (500); INSERT INTO p VALUES (401); COMMIT",
             "UPDATE p SET id = 102 WHERE id = 1", "VACUUM FULL p2", "ANALYZE", "GRANT SELECT ON p1 TO public", "TRUNCATE p", "INSERT INTO p VALUES (1), (101), (201)",
             "BEGIN; SAVEPOINT s; TRUNCATE p; RELEASE s; INSERT INTO p VALUES (5); COMMIT", "INSERT INTO p VALUES (103)", "VACUUM FULL p2"]
    with streaming(d, start) as lines:
        ends = []
        for step in steps:
            run(d, step)
            if any(word in step for word in ("INSERT", "UPDATE", "TRUNCATE")):
                ends.append(next_rows(lines))
    kinds = [[(c["kind"], (c["after"] or c["before"] or [None])[0]) for c in line["changes"]] for line in ends]
    assert kinds[:5] == [[("insert", "1"), ("insert", "101")], [("insert", "201")], [("insert", "301")], [("insert", "401")], [("delete", "1"), ("insert", "102")]]
    assert kinds[5:] == [[("truncate", None)], [("insert", "1"), ("insert", "101"), ("insert", "201")], [("truncate", None), ("insert", "5")], [("insert", "103")]]
    now = d.ok("now")[0]["position"]
    for at, left in [(start, kinds), *((line["end"], kinds[i + 1:]) for i, line in enumerate(ends))]:
        again = d.ok("stream", **{"from": at, "until": now})
        assert [[(c["kind"], (c["after"] or c["before"] or [None])[0]) for c in line["changes"]] for line in again if line["changes"]] == left


def test_leaves_without_their_root(d):
    """A selected partition is a table like others: whatever is done to its root, its changes come under its own name, its truncation too."""
    d.sql(ROOT)
    d.objects = {"public": {"name": "public", "all": False, "Table": {"p1": {"name": "p1", "all": True}}}}
    start = d.keep()
    for statement in ("INSERT INTO p VALUES (1), (101)", "UPDATE p SET id = 103 WHERE id = 1", "INSERT INTO p1 VALUES (2)", "TRUNCATE p1", "INSERT INTO p VALUES (3)", "TRUNCATE p",
                      "ALTER TABLE p DETACH PARTITION p1", "INSERT INTO p1 VALUES (4)", "ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM (0) TO (100)", "INSERT INTO p VALUES (5)"):
        d.sql(statement)
    changes = [c for line in d.ok("stream", **{"from": start, "until": d.ok("now")[0]["position"]}) for c in line["changes"]]
    assert {c["table"] for c in changes} == {"p1"}
    assert [(c["kind"], (c["after"] or c["before"] or [None])[0]) for c in changes] == [("insert", "1"), ("delete", "1"), ("insert", "2"), ("truncate", None), ("insert", "3"),
                                                                                       ("truncate", None), ("insert", "4"), ("insert", "5")]


def test_frozen_server_is_left(d15):
    """A statement that the server no longer answers is given up, and asking for its cancellation does not hold us."""
    d = d15
    d.sql("CREATE TABLE t (id int PRIMARY KEY)")
    with d.server.connect(d.db) as c:
        c.execute("BEGIN; INSERT INTO t VALUES (1)")
        with subprocess.Popen([str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            process.stdin.write(d.request("keep", io_timeout_s=2))
            process.stdin.close()
            lines = (json.loads(line) for line in process.stdout)
            assert [next(lines)["intend"], next(lines)["intend"]] == ["publication", "slot"]  # which waits for the open transaction
            family = [d.server.pid, *children(d.server.pid)]
            for pid in family:
                os.kill(pid, signal.SIGSTOP)
            try:
                late = threading.Timer(60, process.kill)
                late.start()
                last = last_of(lines)
            finally:
                late.cancel()
                for pid in family:
                    os.kill(pid, signal.SIGCONT)
        c.execute("ROLLBACK")
    assert last["code"] == "SourceConnectFailed", last


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


IDENTITIES = {
    "index": ("CREATE UNIQUE INDEX u ON p1 (w); ALTER TABLE p1 ALTER w SET NOT NULL; ALTER TABLE p1 REPLICA IDENTITY USING INDEX u", "DELETE FROM p WHERE id = 1", "SourceLogFormat"),
    "full": ("ALTER TABLE p1 REPLICA IDENTITY FULL", "UPDATE p SET w = 7 WHERE id = 1", None),
    "key under a full root": ("ALTER TABLE p REPLICA IDENTITY FULL", "UPDATE p SET w = 7 WHERE id = 1", "SourceLogFormat"),
}


@pytest.mark.parametrize("which", IDENTITIES)
def test_partitions_with_an_identity_of_their_own(d15, which):
    d = d15
    own, statement, code = IDENTITIES[which]
    d.sql("CREATE TABLE p (id int PRIMARY KEY, w int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p DEFAULT")
    run(d, own)
    start = d.keep()
    d.sql("INSERT INTO p VALUES (1, 5), (2, 6)")
    d.sql(statement)
    lines, last = d.run("stream", **{"from": start, "until": d.ok("now")[0]["position"]})
    if code:
        assert last["code"] == code and "public.p " in last["text"], last
    else:
        assert last["ok"] and [c["after"] for c in lines[-1]["changes"] or lines[-2]["changes"]] == [["1", "7"]], lines


def test_prepared_transactions_come_once(d):
    """A prepared transaction is read where COMMIT PREPARED stands: once, from the log or the snapshot, whatever is restarted between. A slot waits for those that are open."""
    d.sql("CREATE TABLE t (id int PRIMARY KEY)")
    gid = d.slot
    run(d, f"BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION '{gid}'")
    try:
        assert d.run("keep", io_timeout_s=1)[1]["code"] == "SourceConnectFailed"
    finally:
        d.sql(f"COMMIT PREPARED '{gid}'")
    start = d.keep()
    run(d, f"BEGIN; INSERT INTO t VALUES (2), (3); PREPARE TRANSACTION '{gid}'; INSERT INTO t VALUES (4)")
    before = d.ok("stream", **{"from": start, "until": d.ok("now")[0]["position"], "durable_follows": True})
    assert [c["after"] for line in before for c in line["changes"]] == [["4"]]
    middle = [line["end"] for line in before][-1]  # confirmed: the slot is behind PREPARE
    d.sql(f"COMMIT PREPARED '{gid}'")
    after = d.ok("stream", **{"from": middle, "until": d.ok("now")[0]["position"]})
    assert [[c["after"] for c in line["changes"]] for line in after if line["changes"]] == [[["2"], ["3"]]]
    run(d, f"BEGIN; INSERT INTO t VALUES (5); PREPARE TRANSACTION '{gid}'; ROLLBACK PREPARED '{gid}'; INSERT INTO t VALUES (6)")
    rest = d.ok("stream", **{"from": after[-1]["end"], "until": d.ok("now")[0]["position"]})
    assert [c["after"] for line in rest for c in line["changes"]] == [["6"]]
