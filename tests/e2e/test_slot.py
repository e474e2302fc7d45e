"""How long a job's slot holds the source's log: not while other databases alone write, and not after the job has ended."""

import json

import slots
from jobs import alive, configure, database, delete, insert, reach, run_until, same_count, status, up, worker_pid
from sluice import Service, wait_for

MIB = 1 << 20


def test_idle_source_holds_no_log_back(postgresql_15, postgresql_15_b):
    """Another database writes 128 MiB: less than 32 MiB stay, without a change of the job's tables and without a table for heartbeats."""
    source, target = postgresql_15, postgresql_15_b
    with Service("--rate-limit", "0") as service, database(source, target) as name:
        job = configure(service, source, target, name, "SYNC")
        run_until(service, job, "Synchronizing")
        sampler = slots.Sampler(source, target, job)
        sampler.start()
        source.sql("CREATE DATABASE busy")
        try:
            before = source.sql("SELECT pg_current_wal_lsn()::text")[0][0]
            source.sql("CREATE TABLE t (v text); ALTER TABLE t ALTER v SET STORAGE EXTERNAL", db="busy")
            for _ in range(16):
                source.sql("INSERT INTO t SELECT repeat('x', 8000) FROM generate_series(1, 1000)", db="busy")
            written = slots.lsn(source.sql("SELECT pg_current_wal_lsn()::text")[0][0]) - slots.lsn(before)
            assert written > 100 * MIB and slots.retained(source, job) > 0
            wait_for(lambda: slots.retained(source, job) < 32 * MIB, {True}, 90)  # the server notes every 15 s from where on a slot needs the log
            samples = sampler.finish()
            print(f"{written >> 20} MiB written, {slots.retained(source, job) >> 10} KiB retained, {samples} samples")
            source.sql_in(name, "INSERT INTO t VALUES (100000, 'after')")
            same_count(source, target, name)
            delete(service, job)
        finally:
            source.sql("DROP DATABASE busy")


def held(source, job):
    """Slots and publications of the job."""
    return [row[0] for row in source.sql("SELECT slot_name FROM pg_replication_slots WHERE slot_name = %s UNION ALL SELECT pubname FROM pg_publication WHERE pubname = %s",
                                         slots.slot_of(job), slots.slot_of(job))]


def log(service, job):
    return [line["Context"] for line in service.ok("DescribeDtsServiceLog", {"DtsJobId": job, "PageSize": 100})["ServiceLogContexts"]]


def test_stopped_job_holds_nothing(postgresql_15, postgresql_15_b):
    """A paused job keeps slot and publication; one that was stopped, in its stream or its load, has neither, also when it was paused before."""
    source, target = postgresql_15, postgresql_15_b
    slowly = json.dumps({"autoStartModulesAfterConfig": "none", "fullDynamicConfig": {"dts.datamove.source.rps.max": "200"}, "sluice.chunkRows": 500})
    with Service("--rate-limit", "0") as service, database(source, target, rows=5000) as name, database(source, target) as other:
        jobs = [configure(service, source, target, other, "SYNC"), configure(service, source, target, name, "MIGRATION", DataSynchronization="false", Reserve=slowly)]
        run_until(service, jobs[0], "Synchronizing")
        run_until(service, jobs[1], "Migrating")
        wait_for(lambda: [len(held(source, job)) for job in jobs], [[2, 2]])
        service.ok("SuspendDtsJob", {"DtsJobId": jobs[0]})
        wait_for(lambda: alive(worker_pid(service, jobs[0])[0]), {False})
        insert(source, other, 2001, 2100)
        service.ok("StopDtsJob", {"DtsJobId": jobs[1]})
        wait_for(lambda: held(source, jobs[1]), [[]])
        assert len(held(source, jobs[0])) == 2
        service.ok("StartDtsJob", {"DtsJobId": jobs[0]})
        reach(service, jobs[0], "Synchronizing")
        same_count(source, target, other)
        service.ok("SuspendDtsJob", {"DtsJobId": jobs[0]})
        service.ok("StopDtsJob", {"DtsJobId": jobs[0]})
        wait_for(lambda: held(source, jobs[0]), [[]])
        for job in jobs:
            gone = f"removed at the source: replication slot {slots.slot_of(job)}"
            wait_for(lambda: any(line.startswith(gone) for line in log(service, job)), {True}, 60)
            wait_for(lambda: status(service, job), {"Finished"}, 60)
            assert service.call("StartDtsJob", {"DtsJobId": job}).json["Code"] == "InvalidJobStatus" and status(service, job) == "Finished"
            entries = {(entry["kind"], entry["state"]) for entry in delete(service, job)["ledger"] if entry["end"] == "src"}
            assert entries == {("slot", "removed"), ("publication", "removed")} | ({("event triggers", "removed")} if job == jobs[0] else set())  # the other one only loads


def test_stopped_job_waits_for_its_source(postgresql_15, postgresql_15_b):
    """The source is away when the job is stopped, and the service is killed meanwhile: the slot goes once all are back."""
    source, target = postgresql_15, postgresql_15_b
    with Service("--rate-limit", "0") as service, database(source, target) as name, up(source):
        job = configure(service, source, target, name, "SYNC")
        run_until(service, job, "Synchronizing")
        source.kill9()
        service.ok("StopDtsJob", {"DtsJobId": job})
        wait_for(lambda: any("could not be freed" in line for line in log(service, job)), {True})
        service.kill9()
        service.start()
        source.start()
        wait_for(lambda: held(source, job), [[]], 90)
        delete(service, job)
