"""Columns that are changed at a PostgreSQL source: carried to the target once, whatever is killed, or the job stops and names them."""

import json
import subprocess
import uuid
from contextlib import nullcontext

import pytest
from jobs import FAILED, configure, delete, run_until, status, worker_away
from sluice import Service, wait_for
from test_postgresql_source import DRIVER, d, d15  # noqa: F401

# What is done to t, step by step. Each step is one query message, and so one transaction, but for those in a list.
STEPS = {
    "add": "ALTER TABLE t ADD a int; INSERT INTO t (id, a) VALUES (1001, 1)",
    "add with a default": "ALTER TABLE t ADD b text NOT NULL DEFAULT 'it''s \\ \"one\"'; UPDATE t SET b = 'two' WHERE id = 2",
    "add with a default of the moment": "ALTER TABLE t ADD at timestamptz(3) DEFAULT now(), ADD arr text[] DEFAULT '{a,\"b c\"}'; UPDATE t SET at = now() WHERE id < 5",
    "drop": "ALTER TABLE t DROP v; DELETE FROM t WHERE id = 7",
    "rename": "ALTER TABLE t RENAME n TO \"N \"\"x\"; UPDATE t SET \"N \"\"x\" = 5.5 WHERE id = 8",
    "places changed": ["ALTER TABLE t RENAME p TO tmp; ALTER TABLE t RENAME q TO p; ALTER TABLE t RENAME tmp TO q; UPDATE t SET p = 'P' WHERE id = 9"],
    "wider": "ALTER TABLE t ALTER a TYPE bigint, ALTER w TYPE text, ALTER \"N \"\"x\" TYPE numeric(14,4); INSERT INTO t (id, a, w) VALUES (1002, 1 << 40, repeat('w', 100))",
    "several behind each other": ["ALTER TABLE t ADD c1 int; INSERT INTO t (id, c1) VALUES (1003, 1)", "ALTER TABLE t ADD c2 int DEFAULT 4; UPDATE t SET c2 = 5 WHERE id = 10",
                                  "ALTER TABLE t ADD c3 text; INSERT INTO t (id, c3) VALUES (1004, 'c3')"],
    "dropped and added again": "ALTER TABLE t DROP a; ALTER TABLE t ADD a bigint; UPDATE t SET a = 3 WHERE id = 3",
    "key": "ALTER TABLE t RENAME id TO ident; DELETE FROM t WHERE ident = 11; INSERT INTO t (ident) VALUES (1005)",
}


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


def state(server, name):
    """Columns and rows of t as the server says them."""
    columns = server.sql("SELECT column_name, data_type, character_maximum_length, numeric_precision, numeric_scale, datetime_precision, is_nullable, column_default "
                         "FROM information_schema.columns WHERE table_schema = %s AND table_name = 't' ORDER BY ordinal_position", name)
    return columns, server.sql(f"SELECT md5(string_agg(x::text, '|' ORDER BY x::text)), count(*) FROM {name}.t x") if columns else None


def test_columns_follow(service, postgresql_15, postgresql_17):
    """Every kind of change, between rows; every second one while the worker stands still, which is then killed and finds the source ahead."""
    source, target = postgresql_15, postgresql_17
    name = "job_" + uuid.uuid4().hex[:8]
    source.sql(f"CREATE SCHEMA {name}; CREATE TABLE {name}.t (id int PRIMARY KEY, v varchar(50), n numeric(12,3), p text, q text, w varchar(20));"
               f"CREATE TABLE {name}.other (id int PRIMARY KEY); INSERT INTO {name}.t SELECT g, 'v' || g, g / 3.0, 'p' || g, 'q' || g, 'w' FROM generate_series(1, 1000) g")
    try:
        job = configure(service, source, target, name, "SYNC")
        run_until(service, job, "Synchronizing")
        for i, (step, statements) in enumerate(STEPS.items()):
            with worker_away(service, job) if i % 2 else nullcontext():
                for text in statements if isinstance(statements, list) else [statements]:
                    source.sql(f"SET search_path = {name}; INSERT INTO other VALUES ({i}) ON CONFLICT DO NOTHING; {text}")
            wanted = state(source, name)
            wait_for(lambda: "same" if state(target, name) == wanted else status(service, job), {"same"} | FAILED, 90)
            assert state(target, name) == wanted, (step, service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"])
        delete(service, job)
        assert target.sql("SELECT nspname FROM pg_namespace WHERE nspname = 'sluice'") == []
    finally:
        for server in (source, target):
            server.sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")


@pytest.mark.parametrize("change, columns, rows", [
    ("ALTER TABLE t ADD y int", [["add", "y", "", "integer", None]], 1),
    ("ALTER TABLE t ADD y text DEFAULT 'a b', DROP x", [["drop", "x", "", "", None], ["add", "y", "", "text", "a b"]], 1),
    ("ALTER TABLE t RENAME x TO z", [["rename", "x", "z", "", None]], 1),
    ("ALTER TABLE t DROP x; ALTER TABLE t ADD x int", [["drop", "x", "", "", None], ["add", "x", "", "integer", None]], 1),
    ("ALTER TABLE t ALTER x TYPE bigint", [["type", "x", "", "bigint", None]], 1),
    ("ALTER TABLE t ADD y uuid DEFAULT gen_random_uuid()", "column y of public.t", 0),
    ("ALTER TABLE t ADD y bigserial", "column y of public.t", 0),
    ("ALTER TABLE t ADD y int GENERATED ALWAYS AS IDENTITY", "column y of public.t", 0),
    ("ALTER TABLE t ALTER x TYPE text", "column x of public.t was changed at the source from integer to text", 0),
    ("ALTER TABLE t ALTER x TYPE smallint", "column x of public.t", 0),
    ("ALTER TABLE t DROP id; ALTER TABLE t ADD PRIMARY KEY (x)", "key", 0),
    ("INSERT INTO t VALUES (9, 9); ALTER TABLE t ADD y int", "one transaction of the source changed rows of public.t", 0),
    ("ALTER TABLE t RENAME TO z; ALTER TABLE z RENAME TO t", [], 2),
    ("CREATE INDEX ON t (x)", [], 2),
])
def test_what_the_log_shows(d15, change, columns, rows):
    """The change before the first row after it, or the error that names the column."""
    d = d15  # noqa: F811
    d.sql("CREATE TABLE t (id int PRIMARY KEY, x int)")
    start = d.keep()
    d.sql("INSERT INTO t VALUES (1, 1)")
    with subprocess.Popen([str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdin.write(d.request("stream", **{"from": start, "alters": True}))
        process.stdin.close()
        assert json.loads(process.stdout.readline())["changes"][0]["after"] == ["1", "1"]
        d.sql(change + "; INSERT INTO t VALUES (2)")
        lines = []
        for line in process.stdout:
            lines.append(json.loads(line))
            if not columns and lines[-1].get("changes"):
                process.kill()
    if not columns:
        assert lines[-1]["changes"][0]["after"][0] == "2"
    elif isinstance(columns, str):
        assert lines[-1]["code"] == "SourceSchemaChanged" and columns in lines[-1]["text"], lines[-1]
    else:
        alters = [line for line in lines if "alter" in line]
        assert alters == [{"alter": "t", "columns": columns}] and not any(line.get("changes") for line in lines), lines
        assert lines[-1]["code"] == "SourceSchemaChanged", lines[-1]
