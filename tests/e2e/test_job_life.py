"""A job's processes: killed workers, a killed service, pauses, live limits, changed endpoints."""

import json
import os
import signal
import time

import pytest
from jobs import alive, configure, count, database, delete, each_pair, insert, run_until, same_count, status, worker_pid
from sluice import Service, endpoints, job_params, wait_for


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


def test_killed_worker_is_replaced(service, mariadb_a, mariadb_b):
    with database(mariadb_a, mariadb_b) as name:
        job = configure(service, mariadb_a, mariadb_b, name, "SYNC")
        run_until(service, job, "Synchronizing")
        for i in range(5):
            mariadb_a.sql(f"INSERT INTO t SELECT seq, 'x' FROM seq_{10000 + i * 100}_to_{10099 + i * 100}", db=name)
            pid, epoch = worker_pid(service, job)
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: worker_pid(service, job)[1] > epoch, {True})
            same_count(mariadb_a, mariadb_b, name)
        wait_for(lambda: status(service, job), {"Synchronizing"})
        assert count(mariadb_b, name)[0] == 1500
        delete(service, job)


def test_killed_service_goes_on(mariadb_a, mariadb_b):
    with Service("--rate-limit", "0") as s, database(mariadb_a, mariadb_b) as name:
        job = configure(s, mariadb_a, mariadb_b, name, "SYNC")
        run_until(s, job, "Synchronizing")
        for i in range(3):
            pid, epoch = worker_pid(s, job)
            s.kill9()
            mariadb_a.sql(f"INSERT INTO t SELECT seq, 'x' FROM seq_{10000 + i * 100}_to_{10099 + i * 100}", db=name)
            wait_for(lambda: alive(pid), {False}, 15)  # end of file: it ends by itself
            s.start()
            wait_for(lambda: worker_pid(s, job)[1] > epoch, {True})
            same_count(mariadb_a, mariadb_b, name)
            assert wait_for(lambda: status(s, job), {"Synchronizing"}) == "Synchronizing"
        delete(s, job)


def test_terminated_service_ends_its_workers(mariadb_a, mariadb_b):
    with Service("--rate-limit", "0") as s, database(mariadb_a, mariadb_b) as name:
        job = configure(s, mariadb_a, mariadb_b, name, "SYNC")
        run_until(s, job, "Synchronizing")
        pid, _ = worker_pid(s, job)
        began = time.monotonic()
        s.stop()
        assert time.monotonic() - began < 15
        assert not alive(pid)
        s.start()
        mariadb_a.sql("INSERT INTO t VALUES (77777, 'after')", db=name)
        same_count(mariadb_a, mariadb_b, name)
        delete(s, job)


def test_pause_and_go_on(service, mariadb_a, mariadb_b):
    with database(mariadb_a, mariadb_b) as name:
        job = configure(service, mariadb_a, mariadb_b, name, "SYNC")
        run_until(service, job, "Synchronizing")
        service.ok("SuspendDtsJob", {"DtsJobId": job})
        pid, _ = worker_pid(service, job)
        wait_for(lambda: alive(pid), {False})
        mariadb_a.sql("INSERT INTO t VALUES (50000, 'paused')", db=name)
        time.sleep(1.5)
        assert count(mariadb_b, name)[0] == 1000
        assert status(service, job) == "Suspending"
        service.ok("StartDtsJob", {"DtsJobId": job})
        assert status(service, job) == "Synchronizing"
        same_count(mariadb_a, mariadb_b, name)
        delete(service, job)


def test_limits_take_effect_while_it_runs(service, mariadb_a, mariadb_b):
    with database(mariadb_a, mariadb_b, rows=20000) as name:
        reserve = json.dumps({"autoStartModulesAfterConfig": "none", "fullDynamicConfig": {"dts.datamove.source.rps.max": "200"}, "sluice.chunkRows": 500})
        job = configure(service, mariadb_a, mariadb_b, name, "MIGRATION", DataSynchronization="false", Reserve=reserve)
        run_until(service, job, "Migrating")
        time.sleep(3)
        assert status(service, job) == "Migrating"
        assert count(mariadb_b, name)[0] < 5000
        service.ok("ModifyDynamicConfig", {"DtsJobId": job, "JobCode": "03", "EnableLimit": "false"})
        assert wait_for(lambda: status(service, job), {"Finished", "MigrationFailed"}, 30) == "Finished"
        assert count(mariadb_b, name)[0] == 20000
        delete(service, job)


def test_target_away_is_retried(service, mariadb_a):
    from servers import MariaDB

    with MariaDB() as target, database(mariadb_a, target) as name:
        job = configure(service, mariadb_a, target, name, "SYNC")
        run_until(service, job, "Synchronizing")
        target.kill9()
        mariadb_a.sql("INSERT INTO t VALUES (60000, 'while away')", db=name)
        wait_for(lambda: status(service, job), {"Retrying"})
        retry = service.ok("DescribeDtsJobDetail", {"DtsJobId": job}).get("RetryState", {})
        assert retry.get("RetryTarget") == "destDB", retry
        assert (retry["MaxRetryTime"], retry["Module"]) == (43200, "04") and 0 <= retry["RetryTime"] < 60, retry
        target.start()
        wait_for(lambda: status(service, job), {"Synchronizing"})
        same_count(mariadb_a, target, name)
        delete(service, job)


def test_retry_time_ends_in_failure_and_start_goes_on(service, mariadb_a):
    from servers import MariaDB

    with MariaDB() as target, database(mariadb_a, target) as name:
        reserve = json.dumps({"autoStartModulesAfterConfig": "none", "maxRetryTime": "2"})
        job = configure(service, mariadb_a, target, name, "SYNC", Reserve=reserve)
        run_until(service, job, "Synchronizing")
        target.kill9()
        mariadb_a.sql("INSERT INTO t VALUES (60000, 'while away')", db=name)
        assert wait_for(lambda: status(service, job), {"Failed"}, 60) == "Failed"
        assert service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
        target.start()
        service.ok("StartDtsJob", {"DtsJobId": job})
        wait_for(lambda: status(service, job), {"Synchronizing"})
        same_count(mariadb_a, target, name)
        delete(service, job)


def test_refused_address_fails_the_precheck(service, mariadb_b):
    """A spelling that only the resolver understands is refused by the process that would connect."""
    params = job_params(endpoints(mariadb_b, mariadb_b), "nothing", JobType="SYNC", SourceEndpointIP="2852039166")
    job = service.ok("ConfigureDtsJob", params)["DtsJobId"]
    service.ok("StartDtsJob", {"DtsJobId": job})
    wait_for(lambda: status(service, job), {"PrecheckFailed"})
    assert "link-local" in service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
    delete(service, job)
