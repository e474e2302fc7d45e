"""Indexes, constraints, defaults and comments that are made or dropped at a PostgreSQL source while a job runs: carried once, whatever is killed."""

import json
import os
import re
import uuid
from contextlib import contextmanager, nullcontext

import pytest
from jobs import FAILED, configure, delete, has_place, reach, run_until, status, worker_away
from sluice import Service, wait_for

TABLES = ("CREATE TABLE {s}.parent (id int PRIMARY KEY, v text); CREATE TABLE {s}.t (id int PRIMARY KEY, x int, v varchar(20), w text); CREATE TABLE {s}.p (id int, x int, PRIMARY KEY (id)) "
          "PARTITION BY RANGE (id); CREATE TABLE {s}.p1 PARTITION OF {s}.p DEFAULT; INSERT INTO {s}.parent SELECT g, 'v' || g FROM generate_series(1, 100) g; "
          "INSERT INTO {s}.t SELECT g, g, 'v' || g FROM generate_series(1, 100) g")
# Transactions, each told apart by a row of its own.
STEPS = [
    "CREATE INDEX i ON t (x DESC NULLS LAST) INCLUDE (v) WHERE x > 3",
    "CREATE UNIQUE INDEX CONCURRENTLY iu ON t (lower(v))",
    "ALTER TABLE t ADD CONSTRAINT u UNIQUE (v) DEFERRABLE INITIALLY DEFERRED, ADD CONSTRAINT k CHECK (x > 0) NOT VALID, ADD EXCLUDE USING btree (x WITH =)",
    "ALTER TABLE t ALTER w SET DEFAULT 'it''s \\ \"so\"', ALTER x SET NOT NULL",
    "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (x) REFERENCES parent ON DELETE CASCADE DEFERRABLE; ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES parent NOT VALID",
    "COMMENT ON COLUMN t.x IS 'it''s'; COMMENT ON TABLE t IS 'a table'",
    "BEGIN; UPDATE t SET w = 'undone'; ALTER TABLE t ADD y int DEFAULT 7; CREATE INDEX iy ON t (y); ROLLBACK",
    "ALTER TABLE t ADD y int DEFAULT 7; CREATE INDEX iy ON t (y, x); UPDATE t SET y = 8 WHERE id = 3",
    "BEGIN; UPDATE t SET w = 'same'; SAVEPOINT s; CREATE UNIQUE INDEX bad ON t (id, w); ROLLBACK TO s; DELETE FROM t WHERE id > 50; UPDATE t SET w = 'w' || id; CREATE UNIQUE INDEX iw ON t (w); COMMIT",
    "BEGIN; ALTER TABLE t DROP CONSTRAINT k; DROP INDEX i; UPDATE t SET x = -x WHERE id = 20 AND false; CREATE INDEX i ON t (w, v); COMMIT",
    "BEGIN; CREATE INDEX gone ON t (w); CREATE INDEX stays ON t (w DESC); DROP INDEX gone; COMMIT",
    "CREATE INDEX pi ON p (x); ALTER TABLE p ALTER x SET DEFAULT 3",
    "ALTER TABLE t DROP CONSTRAINT u, ALTER x DROP NOT NULL, ALTER w DROP DEFAULT; COMMENT ON TABLE t IS NULL; DROP INDEX CONCURRENTLY iu",
    "DROP INDEX iw; UPDATE t SET w = 'the same'",
    "ALTER TABLE parent DROP CONSTRAINT parent_pkey CASCADE; ALTER TABLE parent ADD PRIMARY KEY (id); CREATE TABLE pg_temp.x (id int)",
    "ALTER TABLE t DROP x",
]
DEFINITIONS = ("SELECT c.relname, x.relname, replace(replace(pg_get_indexdef(i.indexrelid), '{s}.', ''), ' ONLY ', ' ') FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid "
               "WHERE c.relnamespace = '{s}'::regnamespace UNION ALL SELECT c.relname, k.conname, replace(pg_get_constraintdef(k.oid), '{s}.', '') FROM pg_constraint k "
               "JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = '{s}'::regnamespace AND k.contype <> 'n' UNION ALL SELECT c.relname, a.attname, "
               "concat_ws(', ', format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum), obj_description(c.oid, 'pg_class')) "
               "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
               "WHERE c.relnamespace = '{s}'::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2, 3")


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


def state(server, s):
    return server.sql(DEFINITIONS.format(s=s)), *(server.sql(f"SELECT md5(string_agg(x::text, '|' ORDER BY x::text)), count(*) FROM {s}.{t} x") for t in ("t", "parent", "p"))


@contextmanager
def job_of(service, source, target, **more):
    name = "job_" + uuid.uuid4().hex[:8]
    source.sql(TABLES.format(s=name).join([f"CREATE SCHEMA {name}; ", ""]))
    try:
        job = configure(service, source, target, name, "SYNC", **more)
        run_until(service, job, "Synchronizing")
        yield name, job
        delete(service, job)
        assert not has_place(target, "sluice")
    finally:
        for server in (source, target):
            server.sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")


def do(server, name, text):
    """As a session would send it: what is a transaction by itself goes by itself."""
    with server.connect() as c:
        c.execute(f"SET search_path = {name}")
        if "CONCURRENTLY" in text:
            for statement in text.split("; "):
                c.execute(statement)
        else:
            c.execute(text)


def wait_same(service, job, source, target, name, what):
    wanted = state(source, name)
    wait_for(lambda: "same" if state(target, name) == wanted else status(service, job), {"same"} | FAILED, 90)
    assert state(target, name) == wanted, (what, service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"])


def test_definitions_follow(service, postgresql_15, postgresql_17):
    """Every second step while the worker stands still, which is then killed."""
    source, target = postgresql_15, postgresql_17
    with job_of(service, source, target) as (name, job):
        for i, text in enumerate(STEPS):
            with worker_away(service, job) if i % 2 else nullcontext():
                do(source, name, text)
                source.sql(f"INSERT INTO {name}.parent VALUES (%s, 'row')", 1000 + i)
            wait_same(service, job, source, target, name, text)


@pytest.mark.parametrize("point", ["ddl:intent", "ddl:there", "ddl:done"])
def test_killed_between(postgresql_15, postgresql_15_b, point):
    """The worker dies wherever a change may be half done."""
    source, target = postgresql_15, postgresql_15_b
    service = Service("--rate-limit", "0")
    service.popen = {"env": {**os.environ, "SLUICE_FAILPOINT": point}}
    with service, job_of(service, source, target) as (name, job):
        for text in ("BEGIN; UPDATE t SET w = id % 2; DELETE FROM t WHERE id > 50; UPDATE t SET w = id; CREATE UNIQUE INDEX iw ON t (w); ALTER TABLE t ADD CONSTRAINT k CHECK (x > 0); COMMIT",
                     "BEGIN; DROP INDEX iw; UPDATE t SET w = 'same', x = 7; ALTER TABLE t DROP CONSTRAINT k; CREATE INDEX iw ON t (w); COMMIT"):
            do(source, name, text)
            wait_same(service, job, source, target, name, text)
        assert len(re.findall(r"event=started kind=worker", service.log())) >= 3


def test_what_cannot_be_made_stops_the_job(service, postgresql_15, postgresql_15_b):
    """Another row in the destination breaks the unique index; when it is gone, the job goes on with the index. Renamed tables, with columns left out, get what they can have."""
    source, target = postgresql_15, postgresql_15_b
    with job_of(service, source, target) as (name, job):
        target.sql(f"INSERT INTO {name}.t VALUES (7777, 1, 'v1')")
        do(source, name, "CREATE UNIQUE INDEX iv ON t (v); INSERT INTO t VALUES (200, 200, 'after')")
        reach(service, job, "Failed", timeout_s=90)
        message = service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
        assert "CREATE UNIQUE INDEX" in message and "iv" in message, message
        target.sql(f"DELETE FROM {name}.t WHERE id = 7777")
        service.ok("StartDtsJob", {"DtsJobId": job})
        wait_same(service, job, source, target, name, "iv")
    objects = json.dumps({name: {"name": f"{name}_to", "all": False, "Table": {"t": {"name": "u", "all": False, "column": {"id": {"name": "key"}, "v": {}}}, "parent": {"name": "parent"}}}})
    with nullcontext():
        source.sql(f"CREATE SCHEMA {name}; " + TABLES.format(s=name))
        try:
            job = configure(service, source, target, name, "SYNC", DbList=objects)
            run_until(service, job, "Synchronizing")
            do(source, name, "CREATE INDEX iv ON t (v, id); CREATE INDEX ix ON t (x); CREATE INDEX il ON t (lower(v)); ALTER TABLE t ALTER v SET DEFAULT 'd', ALTER x SET DEFAULT 5; CREATE INDEX ON parent (v)")
            source.sql(f"INSERT INTO {name}.parent VALUES (5000, 'last')")
            wait_for(lambda: target.sql(f"SELECT count(*) FROM {name}_to.parent WHERE id = 5000"), [[(1,)]], 90)
            assert target.sql("SELECT c.relname, x.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid "
                              f"WHERE c.relnamespace = '{name}_to'::regnamespace AND NOT i.indisprimary ORDER BY 1, 2") == [("parent", "parent_v_idx"), ("u", "iv")]
            told = [line["Context"] for line in service.ok("DescribeDtsServiceLog", {"DtsJobId": job, "PageSize": 100})["ServiceLogContexts"] if "not carried" in line["Context"]]
            assert len(told) == 2 and "INDEX ix" in "".join(told) and "INDEX il" in "".join(told), told
            delete(service, job)
        finally:
            source.sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")
            target.sql(f"DROP SCHEMA IF EXISTS {name}_to CASCADE")


def test_what_others_write_is_passed_over(service, postgresql_15, postgresql_15_b):
    """Everybody may write messages of any name to the log; what a definition in them says would be done with the rights of the job."""
    source, target = postgresql_15, postgresql_15_b
    role = "writer_" + uuid.uuid4().hex[:8]
    with job_of(service, source, target) as (name, job):
        source.sql(f"CREATE ROLE {role}")
        try:
            index = {"name": "forged", "unique": False, "plain": True, "columns": ["x"], "def": f"CREATE INDEX forged ON {name}.t (x); CREATE TABLE {name}.forged ()"}
            forged = {"event": "ddl", "tag": "CREATE INDEX", "schema": name, "table": "t", "oid": source.sql(f"SELECT '{name}.t'::regclass::oid::bigint")[0][0], "identity": "d", "made": False,
                      "renamed": None, "command": "", "partition_of": None, "columns": [], "changed": None, "comments": None, "indexes": [index], "constraints": None}
            for message in (json.dumps(forged), json.dumps(forged | {"token": "00" * 16}), json.dumps({"event": "failed", "tag": "x", "error": "x"}), "no JSON"):
                source.sql(f"SET ROLE {role}; SELECT pg_logical_emit_message(true, 'sluice.ddl', %s)", message)
            with pytest.raises(Exception, match="permission denied"):
                source.sql(f"SET ROLE {role}; SELECT * FROM sluice_ddl.seal")
            do(source, name, "CREATE INDEX made ON t (v)")
            wait_same(service, job, source, target, name, "made")
            assert target.sql(f"SELECT to_regclass('{name}.forged')") == [(None,)]
        finally:
            source.sql(f"DROP ROLE {role}")
