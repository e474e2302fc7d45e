"""The service's own store cannot answer: its disk is full, no file may grow, another process has locked it. Calls say so, jobs go on, and nothing is lost when it is over."""

import concurrent.futures
import contextlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from jobs import alive, configure, database, delete, run_until, same_count, status, worker_pid
from sluice import NOWHERE, Service, job_params, wait_for

BUSY_S = 5  # how long the service waits for its store


class SmallDisk:
    """The data folder alone on a tmpfs of a few MiB; full: not a page is left."""

    def __init__(self):
        self.mount = tempfile.mkdtemp(prefix="sluice-disk-")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m,mode=0700", "sluice-test", self.mount], capture_output=True, text=True, check=False)
        if done.returncode:
            os.rmdir(self.mount)
            pytest.skip(f"this user may not mount a small disk ({done.stderr.strip()}); the same is tested with a file size limit")

    def prepare(self, service):
        service.data = Path(self.mount) / "data"

    def fill(self, service):
        with open(Path(self.mount) / "ballast", "wb", buffering=0) as ballast, contextlib.suppress(OSError):
            while True:
                ballast.write(b"x" * 4096)

    def free(self, service):
        (Path(self.mount) / "ballast").unlink()

    def close(self):
        subprocess.run(["umount", self.mount], check=True)
        os.rmdir(self.mount)


class NoGrowth:
    """Every write of the service to a file fails: a file size limit of 0. Its log is a file too and pauses."""

    def prepare(self, service):
        pass

    def fill(self, service):
        hard = resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (0, hard))

    def free(self, service):
        hard = resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (hard, hard))

    def close(self):
        pass


class Locked:
    """Another process holds a transaction in the store."""

    def prepare(self, service):
        pass

    def fill(self, service):
        self.connection = sqlite3.connect(service.data / "sluice.db", isolation_level=None, timeout=20)
        self.connection.execute("BEGIN EXCLUSIVE")

    def free(self, service):
        self.connection.close()

    def close(self):
        pass


KINDS = {"full": SmallDisk, "no growth": NoGrowth, "locked": Locked}


@pytest.fixture(params=KINDS)
def trouble(request):
    made = KINDS[request.param]()
    yield made
    made.close()


@pytest.fixture
def service(trouble):
    s = Service("--rate-limit", "0")
    trouble.prepare(s)
    with s:
        yield s
    shutil.rmtree(s.data, ignore_errors=True)


def unavailable(answer):
    return answer.status == 500 and answer.json["Code"] == "ServiceUnavailable" and answer.json["Success"] in (False, "false")


def until_unavailable(service):
    """What is already allocated may take a few more writes."""
    deadline = time.monotonic() + 30
    while not unavailable(service.call("DescribeDtsJobs")):
        assert time.monotonic() < deadline
    return True


def has_rows(server, name):
    found = server.sql(f"SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '{name}'")[0][0]
    return bool(found and server.sql(f"SELECT COUNT(*) FROM {name}.t")[0][0])


def ready(service):
    return service.send(("GET", "/readyz", {}, None)).status


def test_calls_are_answered_and_nothing_is_lost(trouble, service, mariadb_a, mariadb_b):
    with database(mariadb_a, mariadb_b) as name, database(mariadb_a, mariadb_b, rows=20000) as loading:
        job = configure(service, mariadb_a, mariadb_b, name, "SYNC")
        run_until(service, job, "Synchronizing")
        same_count(mariadb_a, mariadb_b, name)
        kept = service.ok("ConfigureDtsJob", job_params(NOWHERE, "shop"))["DtsJobId"]
        # A load that ends while the store cannot answer: its end may not be forgotten.
        slow = configure(service, mariadb_a, mariadb_b, loading, "SYNC", Reserve=json.dumps(
            {"autoStartModulesAfterConfig": "none", "sluice.chunkRows": 500, "fullDynamicConfig": {"dts.datamove.source.rps.max": "5000"}}))
        run_until(service, slow, "Initializing")
        wait_for(lambda: has_rows(mariadb_b, loading), {True})
        before = {j["DtsJobId"]: j["DtsJobName"] for j in service.ok("DescribeDtsJobs", {"JobType": "SYNC"})["DtsJobList"]}
        epoch = worker_pid(service, slow)[1]
        trouble.fill(service)
        until_unavailable(service)
        assert ready(service) == 503
        assert service.send(("GET", "/healthz", {}, None)).status == 200
        calls = [(action, params, family) for family in ("v1", "v3") for action, params in (
            ("SuspendDtsJob", {"DtsJobId": job}), ("DeleteDtsJob", {"DtsJobId": kept}), ("ConfigureDtsJob", job_params(NOWHERE, "shop")), ("DescribeDtsJobDetail", {"DtsJobId": job}))]
        with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
            answers = list(pool.map(lambda c: service.call(c[0], c[1], family=c[2]), calls))
        assert [c[0] for c, a in zip(calls, answers, strict=True) if not unavailable(a)] == []
        mariadb_a.sql("INSERT INTO t VALUES (55555, 'meanwhile')", db=name)
        same_count(mariadb_a, mariadb_b, name)  # the data goes on
        same_count(mariadb_a, mariadb_b, loading)
        mariadb_a.sql("INSERT INTO t VALUES (55555, 'meanwhile')", db=loading)
        same_count(mariadb_a, mariadb_b, loading)  # it has begun to follow changes
        trouble.free(service)
        wait_for(lambda: service.call("DescribeDtsJobs").status, {200}, 15)
        assert wait_for(lambda: ready(service), {200}, 10) == 200
        wait_for(lambda: status(service, slow), {"Synchronizing"}, 15)
        detail = service.ok("DescribeDtsJobDetail", {"DtsJobId": slow})
        assert (detail["DataInitializationStatus"]["Status"], detail["DataInitializationStatus"]["Percent"], detail["StructureInitializationStatus"]["Status"]) == ("Finished", "100", "Finished")
        assert worker_pid(service, slow)[1] == epoch  # nothing was restarted for it
        assert status(service, job) == "Synchronizing" and status(service, kept) == "NotStarted"
        assert {j["DtsJobId"]: j["DtsJobName"] for j in service.ok("DescribeDtsJobs", {"JobType": "SYNC"})["DtsJobList"]} == before
        for each in (job, slow, kept):
            delete(service, each)


def test_a_worker_that_dies_meanwhile_is_replaced_afterwards(trouble, service, mariadb_a, mariadb_b):
    with database(mariadb_a, mariadb_b) as name:
        job = configure(service, mariadb_a, mariadb_b, name, "SYNC")
        run_until(service, job, "Synchronizing")
        same_count(mariadb_a, mariadb_b, name)
        trouble.fill(service)
        until_unavailable(service)
        pid, epoch = worker_pid(service, job)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: alive(pid), {False})
        mariadb_a.sql("INSERT INTO t VALUES (55555, 'meanwhile')", db=name)
        time.sleep(3)
        trouble.free(service)
        same_count(mariadb_a, mariadb_b, name)
        assert worker_pid(service, job)[1] > epoch
        wait_for(lambda: status(service, job), {"Synchronizing"}, 15)
        delete(service, job)


def test_a_job_that_ends_meanwhile_is_finished(trouble, service, mariadb_a, mariadb_b):
    with database(mariadb_a, mariadb_b, rows=10000) as name:
        reserve = {"autoStartModulesAfterConfig": "none", "sluice.chunkRows": 500, "fullDynamicConfig": {"dts.datamove.source.rps.max": "4000"}}
        job = configure(service, mariadb_a, mariadb_b, name, "MIGRATION", DataSynchronization="false", Reserve=json.dumps(reserve))
        run_until(service, job, "Migrating")
        wait_for(lambda: has_rows(mariadb_b, name), {True})
        trouble.fill(service)
        same_count(mariadb_a, mariadb_b, name)
        time.sleep(2)
        trouble.free(service)
        wait_for(lambda: service.call("DescribeDtsJobs").status, {200}, 15)
        assert wait_for(lambda: status(service, job), {"Finished", "MigrationFailed"}, 30) == "Finished"
        delete(service, job)


def test_waiting_callers_do_not_wait_in_turns():
    """Thirty calls at a locked store: all are answered after one wait, not after thirty."""
    with Service("--rate-limit", "0") as s:
        lock = Locked()
        lock.fill(s)
        with concurrent.futures.ThreadPoolExecutor(30) as pool:
            begun = time.monotonic()
            answers = list(pool.map(lambda _: s.call("DescribeDtsJobs"), range(30)))
            assert time.monotonic() - begun < BUSY_S + 3
        assert all(unavailable(a) for a in answers)
        lock.free(s)
        with concurrent.futures.ThreadPoolExecutor(30) as pool:
            assert {a.status for a in pool.map(lambda _: s.call("DescribeDtsJobs"), range(30))} == {200}


def test_a_service_that_starts_on_a_full_disk():
    """It starts or says why; with room again it works and knows its tasks."""
    disk = SmallDisk()
    try:
        s = Service("--rate-limit", "0")
        disk.prepare(s)
        with s:
            job = s.ok("ConfigureDtsJob", job_params(NOWHERE, "shop"))["DtsJobId"]
            disk.fill(s)
            s.kill9()
            try:
                s.start()
            except AssertionError as failed:
                assert "LocalDiskFull" in str(failed)
            else:
                until_unavailable(s)
                s.kill9()
            disk.free(s)
            s.start()
            assert status(s, job) == "NotStarted"
        shutil.rmtree(s.data)
    finally:
        disk.close()
