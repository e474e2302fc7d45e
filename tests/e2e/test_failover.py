"""A PostgreSQL source (17, 18) whose primary dies: its standby takes over with the job's slot, and the job goes on there when nothing can be missing, else it stops.

SLUICE_TEST_LONG=1: whole jobs under load, two switches in a row, on both versions."""

import json
from contextlib import ExitStack, contextmanager

import pytest
from jobs import LONG, assert_same, configure, database, delete, has_place, insert, reach, run_until, same_count, status
from servers import PostgreSQL, Unavailable
from slots import lsn, slot_of
from sluice import Service, wait_for
from test_postgresql_source import Driver
from test_slot_loss import driver_on, failure
from writers import TABLES, Writer, arrived
from writers import database as written

VERSIONS = [17, 18] if LONG else [17]


@contextmanager
def switchable(version, stack, **options):
    """A primary that waits for its standby, and the standby."""
    try:
        PostgreSQL.prepare(version=version)
    except Unavailable as error:
        pytest.skip(str(error))
    primary = stack.enter_context(PostgreSQL(version=version))
    yield primary, stack.enter_context(standby_of(primary, **options))


def standby_of(primary, waited_for=True, **options):
    standby = PostgreSQL(standby_of=primary, options=options)
    standby.start()
    if waited_for:
        primary.sql(f"ALTER SYSTEM SET synchronized_standby_slots = '{standby.standby_slot}'")
        primary.sql("SELECT pg_reload_conf()")
    return standby


def synced(primary, standby, slot, read=True):
    """The standby has the slot as one that outlives its promotion, for which it must have moved at the primary: by its reader, or here."""
    def there():
        primary.sql("SELECT pg_log_standby_snapshot()")  # else every 15 s
        if not read:
            primary.sql("SELECT pg_replication_slot_advance(%s, pg_current_wal_lsn())", slot)
        return standby.sql("SELECT synced AND NOT temporary AND invalidation_reason IS NULL FROM pg_replication_slots WHERE slot_name = %s", slot)
    wait_for(there, [[(True,)]], 90)


def replayed(primary, standby):
    at = primary.sql("SELECT pg_current_wal_lsn()::text")[0][0]
    wait_for(lambda: standby.sql("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", at), [[(True,)]])


def at(server, d):
    """The same job at another server."""
    other = Driver(server, d.db)
    other.job, other.slot, other.objects = d.job, d.slot, d.objects
    return other


def begin(primary, standby, d):
    """Where a job stands that has streamed, and whose slot is at the standby."""
    d.keep()
    synced(primary, standby, d.slot, read=False)
    now = d.ok("now")[0]["position"]
    d.sql("INSERT INTO t VALUES (0)")
    return d.ok("stream", **{"from": now, "until": d.ok("now")[0]["position"]})[-1]["end"]


def rows(lines):
    return [int(c["after"][0]) for line in lines for c in line["changes"]]


@pytest.mark.parametrize("version", VERSIONS)
def test_positions_and_slots_after_a_promotion(version):
    """Asked at the source, as at the start of each worker: what goes on, and each reason not to."""
    with ExitStack() as stack, switchable(version, stack) as (primary, standby):
        d, alone = driver_on(primary), driver_on(primary)
        alone.sql(f"SELECT pg_create_logical_replication_slot('{alone.slot}', 'pgoutput')")  # made by an administrator, without failover
        start_alone, start = alone.keep(), begin(primary, standby, d)
        assert primary.sql("SELECT slot_name, failover FROM pg_replication_slots WHERE slot_type = 'logical' ORDER BY failover") == [(alone.slot, False), (d.slot, True)]
        d.sql("INSERT INTO t SELECT generate_series(1, 10)")
        shared = d.ok("now")[0]["position"]
        replayed(primary, standby)
        standby.stop()
        d.sql("INSERT INTO t SELECT generate_series(11, 20)")
        beyond = d.ok("now")[0]["position"]
        primary.kill9()
        standby.start()
        new, new_alone = at(standby, d), at(standby, alone)
        last = new.run("check", **{"from": shared})[1]
        assert last["code"] == "SourceConfigUnfit" and "promote it" in last["text"], last
        standby.promote()
        new.sql("INSERT INTO t SELECT generate_series(101, 110)")
        now = new.ok("now")[0]["position"]
        lines = new.ok("stream", **{"from": start, "until": now})
        assert rows(lines) == [*range(1, 11), *range(101, 111)]
        assert {json.loads(line["end"])["timeline"] for line in lines} == {2} and rows(new.ok("stream", **{"from": lines[-1]["end"], "until": now})) == []
        last = new.run("check", **{"from": beyond})[1]
        assert last["code"] == "SourceServerChanged" and "never got" in last["text"] and "synchronized_standby_slots" in last["text"], last
        last = new_alone.run("check", **{"from": start_alone})[1]
        assert last["code"] == "SourceLogPurged" and f"{alone.slot} did not come along" in last["text"] and "sync_replication_slots = on" in last["text"], last
        primary.start()
        last = d.run("check", **{"from": now})[1]
        assert last["code"] == "SourceServerChanged" and "old primary" in last["text"], last
        new.sql("SELECT pg_replication_slot_advance(%s, pg_current_wal_lsn())", new.slot)
        last = new.run("check", **{"from": shared})[1]
        assert last["code"] == "SourceLogPurged" and f"{d.slot} begins at" in last["text"], last


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_seen_behind_the_switch(version):
    """The catalog was looked at behind the place where the new timeline began: what is there now must be just what was seen."""
    with ExitStack() as stack, switchable(version, stack) as (primary, standby):
        d = driver_on(primary)
        d.sql("CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100)")
        start = begin(primary, standby, d)
        replayed(primary, standby)
        primary.kill9()
        standby.promote()
        new = at(standby, d)
        seen = json.loads(start)["seen"].rsplit(".", 1)
        assert lsn(seen[1]) >= lsn(json.loads(start)["lsn"])
        behind = json.dumps({**json.loads(start), "seen": f"{seen[0]}.FF/0"}, separators=(",", ":"))
        untold = json.dumps({**json.loads(start), "seen": seen[0]}, separators=(",", ":"))
        new.sql("INSERT INTO p VALUES (1)")
        now = new.ok("now")[0]["position"]
        for position in (start, behind, untold):
            assert rows(new.ok("stream", **{"from": position, "until": now})) == [1]
        new.sql("CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200)")
        new.sql("INSERT INTO p VALUES (101)")
        now = new.ok("now")[0]["position"]
        assert rows(new.ok("stream", **{"from": start, "until": now})) == [1, 101]
        for position in (behind, untold):
            last = new.run("stream", **{"from": position, "until": now})[1]
            assert last["code"] == "SourceServerChanged" and "about when it was promoted" in last["text"], last


def repoint(service, job, server):
    service.ok("ModifyDtsJobEndpoint", {"DtsJobId": job, "Endpoint": "src", "EndpointIp": "127.0.0.1", "EndpointPort": str(server.port)})


@pytest.mark.skipif(not LONG, reason="SLUICE_TEST_LONG=1 runs it")
@pytest.mark.parametrize("version", VERSIONS)
def test_job_outlives_its_primaries(version, postgresql_15):
    """kill -9 of the primary in the middle of a load, twice; each time the standby is promoted and the job pointed to it. The old primary is refused."""
    target = postgresql_15
    with ExitStack() as stack, switchable(version, stack) as (primary, standby), written(primary, target, "failover") as db, Service("--rate-limit", "0") as service:
        job = configure(service, primary, target, db, "SYNC")
        run_until(service, job, "Synchronizing")
        writer = Writer(primary, db, 7)
        writer.start()
        for _ in range(2):
            synced(primary, standby, slot_of(job))
            before = arrived(target, db)
            wait_for(lambda: arrived(target, db) > before + 200, {True}, 90)
            primary.kill9()
            writer.server = standby
            old = primary
            standby.promote()
            repoint(service, job, standby)
            print(f"{arrived(target, db)} transactions in the destination, {arrived(standby, db)} at the new primary")
            primary, before = standby, arrived(target, db)
            wait_for(lambda: arrived(target, db) > before + 50 or status(service, job) == "Failed", {True}, 90)
            reach(service, job, "Synchronizing")
            if not _:
                standby = stack.enter_context(standby_of(primary))
        transactions = writer.finish()
        wait_for(lambda: arrived(target, db), {transactions}, 120)
        assert target.sql(f"SELECT COUNT(*), MIN(op), MAX(op) FROM {db}.ledger") == [(transactions, 1, transactions)]
        assert_same(primary, target, [f"{db}.{table}" for table in TABLES])
        old.start()
        repoint(service, job, old)
        text = failure(service, job)
        assert text.startswith("SourceServerChanged") and "old primary" in text, text
        repoint(service, job, primary)
        service.ok("StartDtsJob", {"DtsJobId": job})
        reach(service, job, "Synchronizing")
        delete(service, job)
        assert primary.sql("SELECT slot_name FROM pg_replication_slots WHERE slot_type = 'logical'") == [] == primary.sql("SELECT pubname FROM pg_publication")
        assert not has_place(target, "sluice")


@pytest.mark.skipif(not LONG, reason="SLUICE_TEST_LONG=1 runs it")
@pytest.mark.parametrize("waits", [True, False])
def test_the_destination_is_not_ahead_of_the_standby(waits, postgresql_15):
    """The standby is away while the source is written to. A primary that waits for it holds the changes back from the job, which goes on at the new primary; else
    the job has what the new primary never got, and stops."""
    target = postgresql_15
    with ExitStack() as stack, switchable(17, stack, waited_for=waits) as (primary, standby), database(primary, target) as name, Service("--rate-limit", "0") as service:
        job = configure(service, primary, target, name, "SYNC")
        run_until(service, job, "Synchronizing")
        synced(primary, standby, slot_of(job))
        insert(primary, name, 5000, 5001)
        same_count(primary, target, name)
        replayed(primary, standby)
        standby.stop()
        insert(primary, name, 6000, 6001)
        if waits:
            wait_for(lambda: primary.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'WaitForStandbyConfirmation'"), [[(1,)]])
            assert target.sql(f"SELECT count(*) FROM {name}.t WHERE id >= 6000") == [(0,)]
        else:
            same_count(primary, target, name)
        primary.kill9()
        standby.start()
        standby.promote()
        repoint(service, job, standby)
        if waits:
            insert(standby, name, 7000, 7001)
            reach(service, job, "Synchronizing")
            same_count(standby, target, name)
            assert_same(standby, target, [f"{name}.t"])
            delete(service, job)
        else:
            text = failure(service, job)
            assert text.startswith("SourceServerChanged") and "never got" in text, text
            service.ok("DeleteDtsJob", {"DtsJobId": job})
