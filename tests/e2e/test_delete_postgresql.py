"""Deleting jobs of PostgreSQL: slots and publications of others, readers of a slot, changed passwords, other clusters, all that pg_dump shows.
States, steps and faults: test_delete_matrix.py."""

import json
import os
import signal
import subprocess
import threading
from contextlib import contextmanager

import pytest
from jobs import (FAILED, alive, assert_as_before, assert_clean, assert_no_connections, configure, database, delete, has_place, inventory, leftovers, receipt, run_until,
                  same_count, status, worker_pid)
from servers import PostgreSQL
from sluice import Service, wait_for

SLOTS = "SELECT slot_name FROM pg_replication_slots ORDER BY 1"
PUBLICATIONS = "SELECT pubname FROM pg_publication ORDER BY 1"


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


@pytest.fixture
def ends(postgresql_15, postgresql_15_b):
    return postgresql_15, postgresql_15_b


def state_of(r, kind):
    return {entry["name"]: (entry["state"], entry["note"]) for entry in r["ledger"] if entry["kind"] == kind}


def reader(server, slot):
    """Somebody's own reader of a slot."""
    return subprocess.Popen([*PostgreSQL.tool("pg_recvlogical"), *server.client_args, f"--slot={slot}", "--start", "--no-loop", "-o", "proto_version=1", "-o",
                             f"publication_names={slot}", "-f", "/dev/null"], stderr=subprocess.DEVNULL)


def dump(server, schema):
    """What pg_dump says of everything but the moved schema, roles and settings included; without the lines that differ between runs."""
    def run(tool, *args):
        done = subprocess.run([*PostgreSQL.tool(tool), *server.client_args, "--schema-only", *args], capture_output=True, text=True, check=True)
        return [line for line in done.stdout.splitlines() if not line.startswith(("--", "\\restrict", "\\unrestrict"))]
    return run("pg_dump", f"--exclude-schema={schema}") + run("pg_dumpall", "--globals-only")


def test_nothing_differs_afterwards(service, ends):
    """What was there besides the job is there afterwards, byte by byte: users' publications, slots, event triggers, origins, roles, replica identities."""
    source, target = ends
    for server in ends:
        server.sql("CREATE SCHEMA own; CREATE TABLE own.a (id int PRIMARY KEY, v text); CREATE TABLE own.b (v text); ALTER TABLE own.b REPLICA IDENTITY FULL; "
                   "CREATE FUNCTION own.f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER own_trigger ON ddl_command_end EXECUTE FUNCTION own.f(); "
                   "CREATE PUBLICATION own FOR TABLE own.a, own.b; CREATE PUBLICATION sluice_of_mine FOR ALL TABLES; CREATE ROLE own_role; GRANT USAGE ON SCHEMA own TO own_role")
        server.sql("SELECT pg_create_logical_replication_slot('sluice_of_mine', 'pgoutput')")
        server.sql("SELECT pg_replication_origin_create('sluice_of_mine')")
    try:
        with database(source, target) as name:
            before = [(inventory(server, name), dump(server, name)) for server in ends]
            jobs = [configure(service, source, target, name, "SYNC"), configure(service, source, target, name, "MIGRATION", DataSynchronization="false")]
            run_until(service, jobs[0], "Synchronizing")
            source.sql(f"INSERT INTO {name}.t VALUES (5000, 'live'); DELETE FROM {name}.t WHERE id = 5")
            same_count(source, target, name)
            delete(service, jobs[0])
            target.sql(f"DROP SCHEMA {name} CASCADE")
            run_until(service, jobs[1], "Finished")
            assert not [row for row in source.sql(SLOTS) if jobs[1] in row[0]]  # a task that has ended holds no log
            delete(service, jobs[1])
            for server, (held, dumped) in zip(ends, before):
                assert_as_before(server, name, held)
                assert dump(server, name) == dumped
                assert_no_connections(server)
    finally:
        for server in ends:
            server.sql("SELECT pg_drop_replication_slot('sluice_of_mine')")
            server.sql("SELECT pg_replication_origin_drop('sluice_of_mine')")
            server.sql("DROP EVENT TRIGGER own_trigger; DROP PUBLICATION own, sluice_of_mine; DROP SCHEMA own CASCADE; DROP ROLE own_role")


def event_triggers(server):
    return server.sql("SELECT count(*) FROM pg_event_trigger WHERE evtname LIKE 'sluice%'")[0][0]


def test_event_triggers_are_shared(service, ends):
    """Two jobs of a database have one set, which goes with the second; a job that asks for none has none, nor one whose account may not make them."""
    source, target = ends
    source.sql("CREATE ROLE lender LOGIN REPLICATION PASSWORD 'Pw-1234567'; GRANT CREATE ON DATABASE postgres TO lender")
    try:
        with database(source, target) as name:
            source.sql(f"ALTER SCHEMA {name} OWNER TO lender; ALTER TABLE {name}.t OWNER TO lender")
            before = inventory(source, name), dump(source, name)
            objects = {name: {"name": name, "all": True}}
            job = configure(service, source, target, name, "SYNC", SourceEndpointUserName="lender", SourceEndpointPassword="Pw-1234567")
            run_until(service, job, "Synchronizing")
            assert event_triggers(source) == 0
            r = delete(service, job)
            assert state_of(r, "event triggers")["sluice_ddl"][0] == "removed" and "event trigger" in state_of(r, "event triggers")["sluice_ddl"][1]
            jobs = []
            for i, options in enumerate([{}, {}, {"filterDDL": True}]):
                target.sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")
                objects[name]["name"] = f"{name}_{i}"
                jobs.append(configure(service, source, target, name, "SYNC", DbList=json.dumps(objects), Reserve=json.dumps(options)))
                run_until(service, jobs[-1], "Synchronizing")
                assert event_triggers(source) == 3
            assert source.sql("SELECT job_id FROM sluice_ddl.job ORDER BY 1") == sorted((job,) for job in jobs[:2])
            states = [state_of(delete(service, job), "event triggers") for job in (jobs[0], jobs[2], jobs[1])]
            assert states == [{"sluice_ddl": ("kept", "other tasks use it")}, {}, {"sluice_ddl": ("removed", "")}]
            assert event_triggers(source) == 0
            assert_as_before(source, name, before[0])
            assert dump(source, name) == before[1]
    finally:
        for i in range(3):
            target.sql(f"DROP SCHEMA IF EXISTS {name}_{i} CASCADE")
        source.sql("DROP OWNED BY lender; DROP ROLE lender")


def test_what_was_there_before_is_kept(service, ends):
    """A publication, a slot and a schema that an administrator made for the job: used, named in the receipt, never removed."""
    source, target = ends
    with database(source, target) as name:
        job = configure(service, source, target, name, "SYNC")
        slot = f"sluice_{job}"
        target.sql("CREATE SCHEMA sluice")
        source.sql(f"CREATE PUBLICATION {slot} FOR TABLE {name}.t")
        source.sql(f"SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')")
        try:
            run_until(service, job, "Synchronizing")
            source.sql(f"INSERT INTO {name}.t VALUES (5000, 'live')")
            same_count(source, target, name)
            r = delete(service, job)
            kept = ("kept", "it was there before the task")
            assert (state_of(r, "publication"), state_of(r, "slot"), state_of(r, "schema")) == ({slot: kept}, {slot: kept}, {"sluice": kept})
            assert state_of(r, "table")["sluice.checkpoint"][0] == "removed"
            assert (slot,) in source.sql(SLOTS) and (slot,) in source.sql(PUBLICATIONS) and has_place(target, "sluice")
            assert_clean(target, job)
        finally:
            source.sql(f"SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{slot}'")
            source.sql(f"DROP PUBLICATION IF EXISTS {slot}")
            target.sql("DROP SCHEMA IF EXISTS sluice")


LACKING = [
    ("FOR TABLE {0}.t WITH (publish = 'insert, update')", "does not publish insert, update, delete and truncate"),
    ("FOR TABLE {0}.t WHERE (id < 10)", "has row filters or column lists"),
    ("FOR TABLE {0}.t (id)", "has row filters or column lists"),
    ("", "lacks the table {0}.t")]


def test_publication_that_lacks_something_is_refused(service, ends):
    """Taking it would lose changes in silence."""
    source, target = ends
    with database(source, target) as name:
        job = configure(service, source, target, name, "SYNC")
        begin = ["CreateDtsInstance", {"JobId": job, "AutoStart": "true"}]
        for made, reason in LACKING:
            source.sql(f"CREATE PUBLICATION sluice_{job} {made.format(name)}")
            try:
                service.ok(*begin)
                wait_for(lambda: status(service, job) in FAILED, {True})
                text = service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
                assert reason.format(name) in text and f'PUBLICATION "sluice_{job}"' in text
            finally:
                source.sql(f"DROP PUBLICATION sluice_{job}")
            begin = ["StartDtsJob", {"DtsJobId": job}]
        delete(service, job)


def test_slot_that_somebody_reads(service, ends):
    """Their session is not ended: the slot is a leftover that names them and the log it holds, and goes when they have left. Its publication waits with it."""
    source, target = ends
    with database(source, target) as name:
        job = configure(service, source, target, name, "SYNC")
        run_until(service, job, "Synchronizing")
        service.ok("SuspendDtsJob", {"DtsJobId": job})
        slot = f"sluice_{job}"
        wait_for(lambda: source.sql(f"SELECT active FROM pg_replication_slots WHERE slot_name = '{slot}'"), [[(False,)]])
        with reader(source, slot) as process:
            wait_for(lambda: source.sql(f"SELECT active FROM pg_replication_slots WHERE slot_name = '{slot}'"), [[(True,)]])
            service.ok("DeleteDtsJob", {"DtsJobId": job})
            r = receipt(service, job)
            assert {item["kind"] for item in r["leftovers"]} == {"slot", "publication", "event triggers"}
            listed = {item["Kind"]: item for item in leftovers(service, job)}
            assert "pg_recvlogical" in listed["slot"]["LastError"] and "of the log" in listed["slot"]["LastError"], listed
            assert process.poll() is None and not has_place(target, "sluice")
            process.terminate()
        wait_for(lambda: leftovers(service, job), [[]])
        assert (slot,) not in source.sql(SLOTS) and (slot,) not in source.sql(PUBLICATIONS)


def test_leftover_is_removed_by_its_own_sql(service, postgresql_15, postgresql_15_b):
    """What the list says to paste works and shows how much log was held; the service then finds nothing and is content."""
    with PostgreSQL() as source, database(source, postgresql_15_b) as name:
        job = configure(service, source, postgresql_15_b, name, "SYNC")
        run_until(service, job, "Synchronizing")
        source.kill9()
        service.ok("DeleteDtsJob", {"DtsJobId": job})
        assert {item["kind"] for item in receipt(service, job)["leftovers"]} == {"slot", "publication", "event triggers"}
        source.start()
        for item in sorted(leftovers(service, job), key=lambda item: item["Kind"] != "slot"):
            rows = source.sql(item["Undo"])
            assert item["Kind"] != "slot" or not rows or rows[0][0].endswith(("bytes", "kB", "MB"))
        assert source.sql(SLOTS) == [] and source.sql(PUBLICATIONS) == [] and event_triggers(source) == 0
        wait_for(lambda: leftovers(service, job), [[]])


def test_password_changed_then_given(service, ends):
    """An account without superuser rights; the leftovers of a changed password go with the new one."""
    source, target = ends
    source.sql("CREATE ROLE mover LOGIN REPLICATION PASSWORD 'first'")
    try:
        with database(source, target) as name:
            source.sql(f"GRANT CREATE ON DATABASE postgres TO mover; ALTER SCHEMA {name} OWNER TO mover; ALTER TABLE {name}.t OWNER TO mover")
            job = configure(service, source, target, name, "SYNC", SourceEndpointUserName="mover", SourceEndpointPassword="first")
            run_until(service, job, "Synchronizing")
            service.ok("SuspendDtsJob", {"DtsJobId": job})
            source.sql("ALTER ROLE mover PASSWORD 'second'")
            service.ok("DeleteDtsJob", {"DtsJobId": job})
            receipt(service, job)
            listed = leftovers(service, job)
            assert {item["Kind"] for item in listed} == {"slot", "publication"} and all("mover" in item["LastError"] for item in listed)
            service.ok("SluiceRetryLeftover", {"LeftoverId": listed[0]["Id"], "Password": "second"})
            wait_for(lambda: leftovers(service, job), [[]])
            assert (f"sluice_{job}",) not in source.sql(SLOTS) and (f"sluice_{job}",) not in source.sql(PUBLICATIONS)
    finally:
        source.sql("DROP OWNED BY mover")
        source.sql("DROP ROLE mover")


@contextmanager
def stand_in(server):
    """Another cluster at the address of one that is gone."""
    port = server.port
    server.stop()
    with PostgreSQL(port=port) as other:
        yield other


def test_rebuilt_clusters_are_not_touched(service):
    """At both ends: what the job made is gone with the old clusters; things of the same names on the new ones stay."""
    with PostgreSQL() as source, PostgreSQL() as target, database(source, target) as name:
        job = configure(service, source, target, name, "SYNC")
        run_until(service, job, "Synchronizing")
        service.ok("SuspendDtsJob", {"DtsJobId": job})
        with stand_in(source) as other_source, stand_in(target) as other_target:
            other_source.sql(f"CREATE PUBLICATION sluice_{job}")
            other_source.sql(f"SELECT pg_create_logical_replication_slot('sluice_{job}', 'pgoutput')")
            other_target.sql("CREATE SCHEMA sluice; CREATE TABLE sluice.checkpoint (job_id text PRIMARY KEY, epoch int)")
            other_target.sql("INSERT INTO sluice.checkpoint VALUES (%s, 1)", job)
            r = delete(service, job)
            assert json.dumps(r["removed"]).count("another server") == 2 and {entry["state"] for entry in r["ledger"]} == {"removed"}
            assert other_source.sql(SLOTS) == other_source.sql(PUBLICATIONS) == [(f"sluice_{job}",)]
            assert other_target.sql("SELECT COUNT(*) FROM sluice.checkpoint")[0][0] == 1


def test_sessions_of_a_killed_worker_end(service, ends):
    """A worker that was killed while its statements run: they end with the job, and what they would have made is never made."""
    source, target = ends
    with database(source, target) as name:
        source.sql(f"CREATE VIEW {name}.unused AS SELECT 1 AS one")
        job = configure(service, source, target, name, "SYNC")
        run_until(service, job, "Synchronizing")
        with target.connect() as blocker:
            blocker.execute("BEGIN")
            blocker.execute(f"LOCK TABLE {name}.t IN ACCESS EXCLUSIVE MODE")
            source.sql(f"INSERT INTO {name}.t VALUES (5000, 'blocked')")
            waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name LIKE 'sluice%' AND wait_event_type = 'Lock'"
            wait_for(lambda: target.sql(waiting)[0][0] > 0, {True})
            pid, _ = worker_pid(service, job)
            os.kill(pid, signal.SIGSTOP)  # half open: the server sees no end of its connection
            threading.Timer(0.5, lambda: os.kill(pid, signal.SIGKILL)).start()
            r = delete(service, job)
            assert not alive(pid) and r["leftovers"] == []
            assert target.sql(waiting)[0][0] == 0
            blocker.execute("ROLLBACK")
        assert target.sql(f"SELECT COUNT(*) FROM {name}.t WHERE id = 5000")[0][0] == 0
