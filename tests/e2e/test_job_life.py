"""A job's life through the API, in all pairings: from purchase to deletion under live changes; killed processes, pauses, live limits, an end that is away."""

import json
import os
import signal
import time

import pytest
import writers
from jobs import (LONG, PAIRS, alive, assert_as_before, assert_gone, assert_no_connections, assert_same, configure, count, database, delete, each_pair, insert, inventory,
                  reach, run_until, same_count, status, up, worker_pid)
from sluice import Service, endpoints, job_params, wait_for


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


def hex_rows(server, db, table):
    """Every value but floats and JSON, whose text the two products of one family write differently, as the server's own HEX."""
    columns = [row[0] for row in server.sql("SELECT column_name FROM information_schema.columns WHERE table_schema=%s AND table_name=%s AND "
                                            "data_type NOT IN ('float', 'double', 'json', 'longtext') ORDER BY ordinal_position", db, table)]
    assert len(columns) > 1, table
    return server.sql(f"SELECT {', '.join(f'HEX(CONCAT({c}))' for c in columns)} FROM {table} ORDER BY {columns[0]}, {columns[1]}", db=db)


@pytest.mark.parametrize("kind", ["SYNC", "MIGRATION"] if LONG else ["SYNC"])
@each_pair("mariadb-mysql", "mysql-mysql", "mariadb-pg", "pg-pg", "pg-mariadb", among=PAIRS)
def test_whole_life(service, pair, kind):
    """Purchase, configuration, precheck, load, stream, pause, start and deletion, while the source changes all the time."""
    source, target = pair
    running = {"SYNC": "Synchronizing", "MIGRATION": "Migrating"}[kind]
    with writers.database(source, target, "whole_life") as db:
        before = {server: inventory(server, db) for server in pair}
        writer = writers.Writer(source, db, 1)
        writer.start()
        made = service.ok("CreateDtsInstance", {"Type": kind, "PayType": "PostPaid", "InstanceClass": "small"})
        job, ids = made["JobId"], {"DtsJobId": made["JobId"], "DtsInstanceId": made["InstanceId"]}
        assert status(service, job) == "NotConfigured"
        done = service.ok("ConfigureDtsJob", job_params(endpoints(source, target), db, JobType=kind, **ids))
        assert (done["DtsJobId"], done["DtsInstanceId"]) == (job, made["InstanceId"]) and status(service, job) == "NotStarted"
        service.ok("StartDtsJob", ids)
        reach(service, job, running)
        checked = service.ok("DescribePreCheckStatus", {"DtsJobId": job})
        assert checked["State"] == "Finished" and {item["State"] for item in checked["JobProgress"]} <= {"Success", "Warning"}, checked
        wait_for(lambda: stage(service, job, "DataSynchronization"), {"Migrating", "Catched"})
        assert stage(service, job, "StructureInitialization") == stage(service, job, "DataInitialization") == "Finished"
        reached = writer.transactions
        wait_for(lambda: writers.arrived(target, db) >= reached, {True})

        service.ok("SuspendDtsJob", ids)
        pid, epoch = worker_pid(service, job)
        wait_for(lambda: alive(pid), {False})
        assert status(service, job) == "Suspending"
        held, reached = writers.arrived(target, db), writer.transactions
        wait_for(lambda: writer.transactions > reached + 50, {True})
        assert writers.arrived(target, db) == held <= reached

        service.ok("StartDtsJob", ids)
        reach(service, job, running)
        wait_for(lambda: worker_pid(service, job)[1] > epoch, {True})
        transactions = writer.finish()
        wait_for(lambda: writers.arrived(target, db), {transactions})
        assert_same(source, target, [f"{db}.{table}" for table in writers.TABLES])
        if source.family == target.family == "mysql":
            for table in writers.TABLES:
                assert hex_rows(source, db, table) == hex_rows(target, db, table), table
        if source.family == target.family:  # views between families are reported, not carried
            assert source.sql(f"SELECT COUNT(*), MIN(id), MAX(v) FROM {db}.seen") == target.sql(f"SELECT COUNT(*), MIN(id), MAX(v) FROM {db}.seen")

        r = delete(service, job)
        assert_gone(service, job, DtsInstanceId=made["InstanceId"])
        assert {(t["schema"], t["name"]) for t in r["tables"]} == {(db, table) for table in writers.TABLES} and all(t["complete"] for t in r["tables"])
        assert 0 < r["applied_transactions"] <= transactions and r["position"] and "schema sluice" in r["removed"]
        assert not alive(worker_pid(service, job)[0])
        source.sql_in(db, "INSERT INTO ledger(op) VALUES (999999999)")
        for server in pair:
            assert_no_connections(server)
            assert_as_before(server, db, before[server])
        assert writers.arrived(target, db) == transactions


def stage(s, job, name):
    return s.ok("DescribeDtsJobDetail", {"DtsJobId": job})[name + "Status"]["Status"]


@each_pair("mysql-mariadb", among=PAIRS)
def test_killed_worker_is_replaced(service, pair):
    source, target = pair
    with database(source, target) as name:
        job = configure(service, source, target, name, "SYNC")
        run_until(service, job, "Synchronizing")
        for i in range(5 if LONG else 3):
            insert(source, name, 10000 + i * 100, 10099 + i * 100)
            pid, epoch = worker_pid(service, job)
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: worker_pid(service, job)[1] > epoch, {True})
            same_count(source, target, name)
        wait_for(lambda: status(service, job), {"Synchronizing"})
        assert count(target, name)[0] == 1000 + (i + 1) * 100
        delete(service, job)


@each_pair("pg-pg", among=PAIRS)
def test_killed_service_goes_on(pair):
    source, target = pair
    with Service("--rate-limit", "0") as s, database(source, target) as name:
        job = configure(s, source, target, name, "SYNC")
        run_until(s, job, "Synchronizing")
        for i in range(3):
            pid, epoch = worker_pid(s, job)
            s.kill9()
            insert(source, name, 10000 + i * 100, 10099 + i * 100)
            wait_for(lambda: alive(pid), {False}, 15)  # end of file: it ends by itself
            s.start()
            wait_for(lambda: worker_pid(s, job)[1] > epoch, {True})
            same_count(source, target, name)
            assert wait_for(lambda: status(s, job), {"Synchronizing"}) == "Synchronizing"
        delete(s, job)


@each_pair("mariadb-mariadb", among=PAIRS)
def test_terminated_service_ends_its_workers(pair):
    source, target = pair
    with Service("--rate-limit", "0") as s, database(source, target) as name:
        job = configure(s, source, target, name, "SYNC")
        run_until(s, job, "Synchronizing")
        pid, _ = worker_pid(s, job)
        began = time.monotonic()
        s.stop()
        assert time.monotonic() - began < 15
        assert not alive(pid)
        s.start()
        source.sql_in(name, "INSERT INTO t VALUES (77777, 'after')")
        same_count(source, target, name)
        delete(s, job)


@each_pair("mysql-pg", among=PAIRS)
def test_pause_and_go_on(service, pair):
    source, target = pair
    with database(source, target) as name:
        job = configure(service, source, target, name, "SYNC")
        run_until(service, job, "Synchronizing")
        service.ok("SuspendDtsJob", {"DtsJobId": job})
        pid, _ = worker_pid(service, job)
        wait_for(lambda: alive(pid), {False})
        source.sql_in(name, "INSERT INTO t VALUES (50000, 'paused')")
        time.sleep(1.5)
        assert count(target, name)[0] == 1000
        assert status(service, job) == "Suspending"
        service.ok("StartDtsJob", {"DtsJobId": job})
        assert status(service, job) == "Synchronizing"
        same_count(source, target, name)
        delete(service, job)


@each_pair("mysql-mariadb", among=PAIRS)
def test_limits_take_effect_while_it_runs(service, pair):
    source, target = pair
    with database(source, target, rows=20000) as name:
        reserve = json.dumps({"autoStartModulesAfterConfig": "none", "fullDynamicConfig": {"dts.datamove.source.rps.max": "200"}, "sluice.chunkRows": 500})
        job = configure(service, source, target, name, "MIGRATION", DataSynchronization="false", Reserve=reserve)
        run_until(service, job, "Migrating")
        time.sleep(3)
        assert status(service, job) == "Migrating"
        assert count(target, name)[0] < 5000
        service.ok("ModifyDynamicConfig", {"DtsJobId": job, "JobCode": "03", "EnableLimit": "false"})
        assert wait_for(lambda: status(service, job), {"Finished", "MigrationFailed"}, 30) == "Finished"
        assert count(target, name)[0] == 20000
        delete(service, job)


@each_pair("mariadb-pg", among=PAIRS)
def test_target_away_is_retried(service, pair):
    source, target = pair
    with database(source, target) as name, up(target):
        job = configure(service, source, target, name, "SYNC")
        run_until(service, job, "Synchronizing")
        target.kill9()
        source.sql_in(name, "INSERT INTO t VALUES (60000, 'while away')")
        wait_for(lambda: status(service, job), {"Retrying"})
        retry = service.ok("DescribeDtsJobDetail", {"DtsJobId": job}).get("RetryState", {})
        assert retry.get("RetryTarget") == "destDB", retry
        assert (retry["MaxRetryTime"], retry["Module"]) == (43200, "04") and 0 <= retry["RetryTime"] < 60, retry
        target.start()
        wait_for(lambda: status(service, job), {"Synchronizing"})
        same_count(source, target, name)
        delete(service, job)


@each_pair("mariadb-mariadb", among=PAIRS)
def test_retry_time_ends_in_failure_and_start_goes_on(service, pair):
    source, target = pair
    with database(source, target) as name, up(target):
        reserve = json.dumps({"autoStartModulesAfterConfig": "none", "maxRetryTime": "2"})
        job = configure(service, source, target, name, "SYNC", Reserve=reserve)
        run_until(service, job, "Synchronizing")
        target.kill9()
        source.sql_in(name, "INSERT INTO t VALUES (60000, 'while away')")
        assert wait_for(lambda: status(service, job), {"Failed"}, 60) == "Failed"
        assert service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
        target.start()
        service.ok("StartDtsJob", {"DtsJobId": job})
        wait_for(lambda: status(service, job), {"Synchronizing"})
        same_count(source, target, name)
        delete(service, job)


def test_refused_address_fails_the_precheck(service, mariadb_b):
    """A spelling that only the resolver understands is refused by the process that would connect."""
    params = job_params(endpoints(mariadb_b, mariadb_b), "nothing", JobType="SYNC", SourceEndpointIP="2852039166")
    job = service.ok("ConfigureDtsJob", params)["DtsJobId"]
    service.ok("StartDtsJob", {"DtsJobId": job})
    wait_for(lambda: status(service, job), {"PrecheckFailed"})
    assert "link-local" in service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
    delete(service, job)
