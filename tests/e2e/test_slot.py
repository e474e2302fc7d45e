"""A job's slot at a source that is idle: the log goes on because of other databases, and the slot lets it go."""

import slots
from jobs import configure, database, delete, run_until, same_count
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
