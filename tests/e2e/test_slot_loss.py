"""Every way in which a job loses its slot, its place in the log or its server at a PostgreSQL source: it stops with the code, the slot, the reason and what to do,
and never goes on behind a hole. Each once while the job runs, once while it is paused.

SLUICE_TEST_LONG=1: on 17 and 18 too, and whole jobs where the default run asks the source alone."""

import json
import os
import shutil
import signal
import subprocess
import uuid
from contextlib import ExitStack, contextmanager

import pytest
from jobs import LONG, alive, configure, database, delete, insert, reach, run_until, same_count, status, worker_pid
from servers import PostgreSQL
from servers.cache import copy_tree
from slots import slot_of
from sluice import Service, wait_for
from test_postgresql_source import ALL, Driver

VERSIONS = [15, 17, 18] if LONG else [15]
MAKE = "SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')"
DROP = "SELECT pg_drop_replication_slot('{slot}')"
ADVANCE = "SELECT pg_replication_slot_advance('{slot}', pg_current_wal_lsn())"
CHANGE = "INSERT INTO {place}.t VALUES (5000, 'in the hole')"
# Statements that the job does not see, and words of its last message.
LOSSES = {
    "dropped": ([CHANGE, DROP], "{slot} is gone from the source"),
    "dropped, made anew": ([CHANGE, DROP, MAKE], "{slot} begins at"),
    "made anew, then changed": ([DROP, MAKE, CHANGE, ADVANCE], "{slot} begins at"),
    "moved on": ([CHANGE, ADVANCE], "{slot} begins at"),
    "replaced by another kind": ([CHANGE, DROP, "SELECT pg_create_physical_replication_slot('{slot}')"], "{slot} at the source is not the job's but another one of that name (physical)"),
}


def lose(source, job, place, statements):
    """By somebody else, one after the other; the walsender that holds the slot is ended first, its client cannot come back meanwhile."""
    slot = slot_of(job)
    source.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = %s AND active_pid IS NOT NULL", slot)
    wait_for(lambda: source.sql("SELECT active FROM pg_replication_slots WHERE slot_name = %s", slot), [[(False,)]])
    for statement in statements:
        source.sql(statement.format(slot=slot, place=place))


@contextmanager
def away(service, job, paused):
    """Within, the job reads nothing: it is paused, or its worker stands still."""
    pid, _ = worker_pid(service, job)
    if paused:
        service.ok("SuspendDtsJob", {"DtsJobId": job})
        wait_for(lambda: alive(pid), {False})
        yield
        service.ok("StartDtsJob", {"DtsJobId": job})
    else:
        os.kill(pid, signal.SIGSTOP)
        yield
        os.kill(pid, signal.SIGCONT)


def failure(service, job):
    wait_for(lambda: status(service, job), {"Failed"}, 90)
    detail = service.ok("DescribeDtsJobDetail", {"DtsJobId": job})
    return detail["ErrorMessage"]


def remove_log(server, gone):
    """The server gives up the log of slots that are behind, at its next checkpoint."""
    server.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
    server.sql("SELECT pg_reload_conf()")
    try:
        for _ in range(4):
            server.sql("CREATE TABLE filler AS SELECT generate_series(1, 1000) AS i")
            server.sql("DROP TABLE filler")
            server.sql("SELECT pg_switch_wal()")
        wait_for(lambda: server.sql("CHECKPOINT") == [] and gone(), {True})
    finally:
        server.sql("ALTER SYSTEM RESET max_slot_wal_keep_size")
        server.sql("SELECT pg_reload_conf()")


def lost(server, *slots):
    return all(server.sql("SELECT wal_status FROM pg_replication_slots WHERE slot_name = %s", slot) == [("lost",)] for slot in slots)


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


@pytest.mark.parametrize("version", VERSIONS)
def test_lost_slots_stop_jobs(service, version, request, postgresql_15_b):
    """All jobs at once: of each kind of loss one that runs, one that is paused. A reset job begins anew."""
    source, target = request.getfixturevalue(f"postgresql_{version}"), postgresql_15_b
    cases = [(name, paused) for name in [*LOSSES, "log removed"] for paused in (False, True)]
    with ExitStack() as stack:
        places = {case: stack.enter_context(database(source, target, rows=10)) for case in cases}
        jobs = {case: configure(service, source, target, place, "SYNC") for case, place in places.items()}
        for job in jobs.values():
            service.ok("CreateDtsInstance", {"JobId": job, "AutoStart": "true"})
        for job in jobs.values():
            reach(service, job, "Synchronizing", timeout_s=120)
        for case, job in jobs.items():
            if case[0] in LOSSES:
                with away(service, job, case[1]):
                    lose(source, job, places[case], LOSSES[case[0]][0])
        with away(service, jobs["log removed", True], True), away(service, jobs["log removed", False], False):
            insert(source, places["log removed", False], 5000, 5001)
            remove_log(source, lambda: lost(source, *(slot_of(jobs["log removed", paused]) for paused in (True, False))))
        for case, job in jobs.items():
            text = failure(service, job)
            words = LOSSES[case[0]][1] if case[0] in LOSSES else "has invalidated the replication slot {slot} (wal_removed)"
            assert text.startswith("SourceLogPurged") and words.format(slot=slot_of(job)) in text and "reset the job" in text, (case, text)
            if case[0] in LOSSES:  # else what had been sent before may have arrived
                assert target.sql(f"SELECT count(*) FROM {places[case]}.t WHERE id >= 5000") == [(0,)], case
        case = "dropped, made anew", True
        service.ok("ResetDtsJob", {"DtsJobId": jobs[case]})
        target.drop_place(places[case])
        configure(service, source, target, places[case], "SYNC", DtsJobId=jobs[case])
        service.ok("StartDtsJob", {"DtsJobId": jobs[case]})
        reach(service, jobs[case], "Synchronizing")
        same_count(source, target, places[case])
        for job in jobs.values():
            delete(service, job)
        assert source.sql("SELECT slot_name FROM pg_replication_slots WHERE slot_name = ANY(%s)", [slot_of(job) for job in jobs.values()]) == []


def reader(server, slot):
    """Somebody who reads the slot and tells the server every second how far."""
    return subprocess.Popen([*PostgreSQL.tool("pg_recvlogical"), *server.client_args, f"--slot={slot}", "--start", "--no-loop", "-o", "proto_version=1", "-o",
                             f"publication_names={slot}", "--status-interval=1", "--fsync-interval=1", "-f", "/dev/null"], stderr=subprocess.DEVNULL)


def test_a_slot_that_somebody_reads(service, postgresql_15, postgresql_15_b):
    """The job waits and says for whom; what they have read is lost to it, which it then says too."""
    source, target = postgresql_15, postgresql_15_b
    with database(source, target) as place:
        job = configure(service, source, target, place, "SYNC")
        slot = slot_of(job)
        run_until(service, job, "Synchronizing")
        service.ok("SuspendDtsJob", {"DtsJobId": job})
        wait_for(lambda: source.sql("SELECT active FROM pg_replication_slots WHERE slot_name = %s", slot), [[(False,)]])
        with reader(source, slot) as process:
            try:
                wait_for(lambda: source.sql("SELECT active FROM pg_replication_slots WHERE slot_name = %s", slot), [[(True,)]])
                pid = source.sql("SELECT active_pid FROM pg_replication_slots WHERE slot_name = %s", slot)[0][0]
                service.ok("StartDtsJob", {"DtsJobId": job})
                wait_for(lambda: status(service, job), {"Retrying"})
                text = json.dumps(service.ok("DescribeDtsJobDetail", {"DtsJobId": job}))
                assert f"{slot} is in use by pid {pid} (pg_recvlogical as user postgres" in text, text
                insert(source, place, 5000, 5001)
                end = source.sql("SELECT pg_current_wal_lsn()::text")[0][0]
                source.sql("SELECT pg_logical_emit_message(false, 'test', 'more')")
                wait_for(lambda: source.sql("SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s", end, slot), [[(True,)]], 90)
            finally:
                process.terminate()
        text = failure(service, job)
        assert text.startswith("SourceLogPurged") and f"{slot} begins at" in text, text
        delete(service, job)


def driver_on(server):
    db = f"s{uuid.uuid4().hex[:8]}"
    server.sql(f'CREATE DATABASE "{db}"')
    d = Driver(server, db)
    d.objects = ALL
    d.sql("CREATE TABLE t (id int PRIMARY KEY)")
    return d


def test_idle_slots_of_18(postgresql_18):
    """A slot that nobody has read for idle_replication_slot_timeout."""
    server = postgresql_18
    d = driver_on(server)
    start = d.keep()
    server.sql("ALTER SYSTEM SET idle_replication_slot_timeout = '1s'")
    server.sql("SELECT pg_reload_conf()")
    try:
        wait_for(lambda: server.sql("CHECKPOINT") == [] and lost(server, d.slot), {True})
        for op in ("check", "stream", "keep"):
            last = d.run(op, **{"from": start})[1]
            assert last["code"] == "SourceLogPurged" and d.slot in last["text"] and "(idle_timeout)" in last["text"] and "idle_replication_slot_timeout is 1s now" in last["text"], last
    finally:
        server.sql("ALTER SYSTEM RESET idle_replication_slot_timeout")
        server.sql("SELECT pg_reload_conf()")
        d.ok("remove")
        server.sql(f'DROP DATABASE "{d.db}" WITH (FORCE)')


# --- other servers ---


def older_copy(server, copy):
    """What a restored image of the disk is: the same cluster and timeline, an earlier end of the log."""
    server.stop()
    shutil.rmtree(server.data)
    copy_tree(copy, server.data)
    server.start()


def new_timeline(server, _):
    """What a recovery of the archive ends with."""
    server.stop()
    (server.data / "recovery.signal").touch()
    shutil.chown(server.data / "recovery.signal", *(getattr(server.data.stat(), name) for name in ("st_uid", "st_gid")))
    server.set_options(restore_command="false")
    server.start()
    wait_for(lambda: server.sql("SELECT pg_is_in_recovery()"), [[(False,)]])


def built_anew(server, _):
    server.stop()
    shutil.rmtree(server.data)
    server.start()


def before_the_copy(server, place):
    """A copy of a server that is down, behind which the log goes on."""
    server.stop()
    copy = server.dir / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(mode=0o700)
    copy_tree(server.data, copy)
    server.start()
    return copy


SERVERS = {"an older copy": (older_copy, "an older copy of the source was restored"), "a new timeline": (new_timeline, "timeline"), "a server built anew": (built_anew, "built anew")}


def test_other_servers_are_refused():
    """Asked at the source, as at the start of each worker."""
    with PostgreSQL(version=15) as server:
        for change, words in SERVERS.values():
            d = driver_on(server)
            start = d.keep()
            copy = before_the_copy(server, None)
            d.sql("INSERT INTO t SELECT generate_series(1, 1000)")
            end = d.ok("now")[0]["position"]
            d.ok("stream", **{"from": start, "until": end, "durable_follows": True})
            change(server, copy)
            if not server.sql("SELECT 1 FROM pg_database WHERE datname = %s", d.db):
                server.sql(f'CREATE DATABASE "{d.db}"')
            last = d.run("check", **{"from": end})[1]
            assert last["code"] == "SourceServerChanged" and words in last["text"] and "reset" in last["text"], last


@pytest.mark.skipif(not LONG, reason="SLUICE_TEST_LONG=1 runs it")
@pytest.mark.parametrize("name", SERVERS)
def test_other_servers_stop_jobs(service, name, postgresql_15_b):
    change, words = SERVERS[name]
    with PostgreSQL(version=15) as source, database(source, postgresql_15_b) as place, database(source, postgresql_15_b) as other:
        jobs = [configure(service, source, postgresql_15_b, p, "SYNC") for p in (place, other)]
        for job in jobs:
            run_until(service, job, "Synchronizing")
        copy = before_the_copy(source, place)
        for p in (place, other):
            insert(source, p, 5000, 6000)
            same_count(source, postgresql_15_b, p)
        with away(service, jobs[1], True):
            change(source, copy)
        for job in jobs:
            text = failure(service, job)
            assert text.startswith("SourceServerChanged") and words in text, text
            service.ok("DeleteDtsJob", {"DtsJobId": job})
