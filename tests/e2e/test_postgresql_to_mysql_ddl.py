"""Columns that are changed at a PostgreSQL source are changed in MariaDB and MySQL, once whatever is killed, or the job stops and names them."""

import datetime
import json
import os
import re
import signal
import uuid
from contextlib import closing, contextmanager, nullcontext

import pytest
from jobs import FAILED, LONG, configure, delete, has_place, reach, run_until, status, worker_away, worker_pid
from sluice import Service, wait_for
from test_postgresql_ddl import STEPS

TARGETS = ("mariadb_a", "mysql_a")
TABLE = ("CREATE TABLE {s}.t (id int PRIMARY KEY, v varchar(50), n numeric(12,3), p text, q text, w varchar(20)); CREATE TABLE {s}.other (id int PRIMARY KEY);"
         "INSERT INTO {s}.t SELECT g, 'v' || g, g / 3.0, 'p' || g, 'q' || g, 'w' FROM generate_series(1, {rows}) g")
# Values of many types that rows have which were there before their column.
DEFAULTS = {
    "d_bool": ("boolean NOT NULL DEFAULT true", 1), "d_int": ("smallint DEFAULT -5", -5), "d_num": ("numeric(10,4) DEFAULT 1.5", "1.5000"), "d_f": ("float8 DEFAULT 0.1", 0.1),
    "d_v": ("varchar(10) DEFAULT 'ä''\\'", "ä'\\"), "d_c": ("char(5) DEFAULT 'ab'", "ab"), "d_t": ("text NOT NULL DEFAULT E'two\\nlines'", "two\nlines"),
    "d_b": ("bytea DEFAULT '\\x00ff27'", b"\x00\xff'"), "d_d": ("date DEFAULT '2024-02-29'", "2024-02-29"), "d_ts": ("timestamp(3) DEFAULT '2024-02-29 23:59:59.999'", "2024-02-29 23:59:59.999000"),
    "d_j": ("jsonb DEFAULT '{\"a\": [1, null]}'", {"a": [1, None]}), "d_a": ("int[] NOT NULL DEFAULT '{1,2}'", [1, 2]), "d_u": ("uuid DEFAULT 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", None),
    "d_bit": ("bit(3) DEFAULT B'101'", b"\x05"), "d_n": ("int", None),
}


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


@contextmanager
def job_of(service, source, target, rows=1000):
    name = "job_" + uuid.uuid4().hex[:8]
    source.sql(f"CREATE SCHEMA {name}; " + TABLE.format(s=name, rows=rows))
    try:
        job = configure(service, source, target, name, "SYNC")
        run_until(service, job, "Synchronizing")
        yield name, job
        delete(service, job)
        assert not has_place(target, "sluice")
    finally:
        source.sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        target.drop_place(name)


def plain(v):
    """A value of either client as the other has it."""
    if isinstance(v, datetime.datetime) and v.tzinfo:
        v = v.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    if isinstance(v, str) and v[:1] == "[":
        v = json.loads(v)
    return str(v) if v is not None else None


def state(server, name):
    """Names of the columns and rows of t."""
    columns = [row[0] for row in server.sql("SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = 't' ORDER BY ordinal_position", name)]
    return columns, [tuple(map(plain, row)) for row in server.sql_in(name, "SELECT * FROM t ORDER BY 1")]


@contextmanager
def reading(server, name):
    """A cursor whose transaction has read t: no ALTER before it ends."""
    with closing(server.connect(database=name)) as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM t")
        yield cursor


def wait_same(service, source, target, name, job, what=None):
    wanted = state(source, name)
    wait_for(lambda: "same" if state(target, name) == wanted else status(service, job), {"same"} | FAILED, 90)
    assert state(target, name) == wanted, (what, service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"])


@pytest.mark.parametrize("target", TARGETS)
def test_columns_follow(service, postgresql_15, target, request):
    """Every kind of change, between rows; every second one while the worker stands still, which is then killed and finds the source ahead."""
    source, target = postgresql_15, request.getfixturevalue(target)
    with job_of(service, source, target) as (name, job):
        for i, (step, statements) in enumerate(STEPS.items()):
            with worker_away(service, job) if i % 2 else nullcontext():
                for text in statements if isinstance(statements, list) else [statements]:
                    source.sql(f"SET search_path = {name}; INSERT INTO other VALUES ({i}) ON CONFLICT DO NOTHING; {text}")
            wait_same(service, source, target, name, job, step)


def test_dropped_while_behind(service, postgresql_15, mariadb_a):
    """Rows are still in the log whose columns the source does not have any more when the worker begins anew."""
    more = "ALTER TABLE t ADD a int[], ADD b bit varying(9), ADD c numeric(9,2), ADD d boolean, ADD e bytea, ADD f timestamptz(3), ADD g uuid; INSERT INTO t (id) VALUES (5)"
    with job_of(service, postgresql_15, mariadb_a, rows=2) as (name, job):
        def run(sql):
            postgresql_15.sql(f"SET search_path = {name}; {sql}")
        run(more)
        wait_same(service, postgresql_15, mariadb_a, name, job)
        pid, epoch = worker_pid(service, job)
        os.kill(pid, signal.SIGSTOP)
        run("INSERT INTO t (id, a, b, c, d, e, f, g) VALUES (6, '{1,2}', '101', 1.25, true, '\\x00ff', '2024-02-29 12:00:00.5+00', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')")
        run("ALTER TABLE t " + ", ".join(f"DROP {c}" for c in "abcdefg") + "; INSERT INTO t (id) VALUES (7)")
        with reading(mariadb_a, name) as cursor:  # no other reader gets past an ALTER that waits
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: worker_pid(service, job)[1] > epoch, {True}, 60)
            wait_for(lambda: cursor.execute("SELECT a, b, c, d, e, f, g FROM t WHERE id = 6") or status(service, job), {1} | FAILED, 60)
            row, = cursor.fetchall()
        assert [json.loads(row[0]), *map(str, row[1:4]), bytes(row[4]), *map(str, row[5:])] == \
            [[1, 2], "101", "1.25", "1", b"\x00\xff", "2024-02-29 12:00:00.500000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]
        wait_same(service, postgresql_15, mariadb_a, name, job)


@pytest.mark.parametrize("target", TARGETS)
def test_values_of_rows_that_were_there(service, postgresql_15, target, request):
    source, target = postgresql_15, request.getfixturevalue(target)
    with job_of(service, source, target, rows=3) as (name, job):
        adds = ", ".join(f"ADD {column} {definition}" for column, (definition, _) in DEFAULTS.items())
        source.sql(f"SET search_path = {name}; ALTER TABLE t {adds}; INSERT INTO t (id) VALUES (4)")
        wait_for(lambda: target.sql_in(name, "SELECT COUNT(*) FROM t WHERE id = 4")[0][0] or status(service, job), {1} | FAILED, 60)
        rows = target.sql_in(name, f"SELECT {', '.join(DEFAULTS)} FROM t ORDER BY id")
        assert len(rows) == 4 and rows[0][-3] == "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
        for row in rows:
            for (column, (_, wanted)), got in zip(DEFAULTS.items(), row):
                if isinstance(wanted, (dict, list)):
                    got = json.loads(got)
                elif isinstance(wanted, str):
                    got = str(got)
                assert got == wanted or column == "d_u" and got == rows[0][-3], (column, row)
        # What rows to come get is the source's too, for whoever goes on in the target.
        target.sql_in(name, "INSERT INTO t (id) VALUES (5)")
        assert target.sql_in(name, f"SELECT {', '.join(DEFAULTS)} FROM t WHERE id = 5") == rows[:1]
        target.sql_in(name, "DELETE FROM t WHERE id = 5")


@pytest.mark.parametrize("change, words", [
    ("ALTER TABLE t ALTER n TYPE text", ["column n of", ".t was changed", "numeric(12,3) to text"]),
    ("ALTER TABLE t ADD x date DEFAULT 'infinity'", ["column x of", "infinity", "T56"]),
    ("ALTER TABLE t ADD x uuid DEFAULT gen_random_uuid()", ["column x of"]),
])
def test_stops(service, postgresql_15, mariadb_a, change, words):
    with job_of(service, postgresql_15, mariadb_a, rows=2) as (name, job):
        postgresql_15.sql(f"SET search_path = {name}; {change}; INSERT INTO t (id) VALUES (9)")
        reach(service, job, "Failed")
        message = service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
        assert all(word in message for word in words), message
        assert mariadb_a.sql_in(name, "SELECT COUNT(*) FROM t") == [(2,)]


@pytest.mark.parametrize("point, least", [("alter:intent", 1), ("alter:altered", 4), ("alter:done", 1)] + ([("alter:step", 5)] if LONG else []))
@pytest.mark.parametrize("target", TARGETS if LONG else TARGETS[:1])
def test_killed_between(postgresql_15, target, point, least, request):
    """The worker dies at each place where a change may be half done, as often as it comes there; the column dropped is added again under its name."""
    source, target = postgresql_15, request.getfixturevalue(target)
    service = Service("--rate-limit", "0")
    service.popen = {"env": {**os.environ, "SLUICE_FAILPOINT": point}}
    with service, job_of(service, source, target, rows=100) as (name, job):
        before = len(re.findall(r"event=started kind=worker", service.log()))
        source.sql(f"SET search_path = {name}; ALTER TABLE t DROP w, ALTER v TYPE text; ALTER TABLE t ADD w varchar(20) DEFAULT 'new'; ALTER TABLE t RENAME p TO tmp;"
                   "ALTER TABLE t RENAME q TO p; ALTER TABLE t RENAME tmp TO q; INSERT INTO t (id, w) VALUES (101, 'x')")
        wait_same(service, source, target, name, job)
        assert len(re.findall(r"event=started kind=worker", service.log())) - before >= least
        source.sql(f"INSERT INTO {name}.t (id, q) VALUES (102, 'q')")
        wait_same(service, source, target, name, job)


def test_columns_of_another_hand(service, postgresql_15, mariadb_a):
    """A target whose table was changed by somebody else in the middle is not touched any more."""
    service = Service("--rate-limit", "0")
    service.popen = {"env": {**os.environ, "SLUICE_FAILPOINT": "alter:intent"}}
    with service, job_of(service, postgresql_15, mariadb_a, rows=2) as (name, job):
        with reading(mariadb_a, name):
            postgresql_15.sql(f"SET search_path = {name}; ALTER TABLE t ADD x int; INSERT INTO t (id) VALUES (9)")
            wait_for(lambda: mariadb_a.sql("SELECT COUNT(*) FROM sluice.shape WHERE next_shape IS NOT NULL") == [(1,)], {True}, 60)
            wait_for(lambda: mariadb_a.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'ALTER TABLE%'") == [(1,)], {True}, 60)
            pid, _ = worker_pid(service, job)  # the second one: the first ended at the failpoint
            os.kill(pid, signal.SIGSTOP)
            thread, = mariadb_a.sql("SELECT id FROM information_schema.processlist WHERE info LIKE 'ALTER TABLE%'")
            mariadb_a.sql(f"KILL {thread[0]}")
        mariadb_a.sql_in(name, "ALTER TABLE t ADD y int")
        os.kill(pid, signal.SIGCONT)
        reach(service, job, "Failed", timeout_s=90)
        message = service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
        assert f"{name}.t" in message and "somebody else changed its columns" in message, message
