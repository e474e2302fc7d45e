"""Transactions that do not fit into a worker's memory: written to a file, applied as one transaction of the destination, exactly once across kill -9.

SLUICE_TEST_LONG=1: one transaction of 300 MiB with the default memory of a worker (128 MiB) instead of 24 MiB with 32 MiB."""

import os
import random
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest
from jobs import configure, receipt, run_until, status, worker_pid
from servers.compare import assert_same
from sluice import Service, wait_for

LONG = bool(os.environ.get("SLUICE_TEST_LONG"))
MIB, MEMORY_MIB = (300, 128) if LONG else (24, 32)
ROWS = MIB * 1024  # of 1 KiB


@pytest.fixture(scope="module")
def service():
    patch = pytest.MonkeyPatch()
    # A sanitized worker keeps 256 MiB of freed memory back otherwise, and its size says nothing.
    patch.setenv("ASAN_OPTIONS", ":".join(filter(None, [os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=8"])))
    with Service("--rate-limit", "0", "--worker-memory", str(MEMORY_MIB)) as one:
        yield one
    patch.undo()


class Watch(threading.Thread):
    """The largest resident size that any worker had, in MiB."""

    def __init__(self, service):
        super().__init__(daemon=True)
        self.service, self.most, self.done = service, 0, threading.Event()
        self.start()

    def run(self):
        while not self.done.wait(0.05):
            try:
                lines = Path(f"/proc/{worker_pid(self.service)[0]}/status").read_text().splitlines()
                self.most = max([self.most, *(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))])
            except OSError:
                pass


def prepare(source, target, name):
    for server in (source, target):
        server.sql(f"DROP DATABASE IF EXISTS {name}")
    source.sql(f"CREATE DATABASE {name} CHARACTER SET latin1")
    source.sql("""CREATE TABLE k (id INT PRIMARY KEY, v VARCHAR(1000), n INT); CREATE TABLE h (v VARCHAR(1000), n INT); CREATE TABLE u (id INT PRIMARY KEY, q INT UNIQUE);
        CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE);
        CREATE TABLE d (i INT PRIMARY KEY); INSERT INTO d VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9); INSERT INTO k VALUES (-1, 'old', 0), (-2, 'old', 0)""", db=name)


# 1 KiB a row, half of them without a key; a key that changes back and forth; rows that come and go; a cascade.
TRANSACTION = """BEGIN; INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1), (2, 2), (3, 2);
    INSERT INTO k SELECT n, REPEAT(CHAR(65 + n % 26), 970), n FROM ({numbers}) x WHERE n < {half}; UPDATE k SET n = n + 1 WHERE id % 10 = 3;
    INSERT INTO h SELECT REPEAT(CHAR(65 + n % 26), 970), n FROM ({numbers}) x WHERE n < {half}; DELETE FROM k WHERE id % 10 = 4; UPDATE k SET v = 'short' WHERE id < 0;
    INSERT INTO u SELECT n, n FROM ({numbers}) x WHERE n < 500; UPDATE u SET q = -q WHERE id > 0 ORDER BY id; UPDATE u SET q = q - 1 ORDER BY q; DELETE FROM p WHERE id = 2;
    DELETE FROM h WHERE n < 20; COMMIT"""
NUMBERS = "SELECT a.i + 10 * b.i + 100 * c.i + 1000 * e.i + 10000 * f.i + 100000 * g.i AS n FROM d a, d b, d c, d e, d f, d g"


def finish(service, job):
    service.ok("DeleteDtsJob", {"DtsJobId": job})
    assert receipt(service, job)["leftovers"] == []


def commit_large(source, name, half=ROWS // 2):
    source.sql(TRANSACTION.format(numbers=NUMBERS, half=half), db=name)


@pytest.mark.parametrize("which", ["mariadb_a", "mysql_a"])
def test_larger_than_memory_across_kills(service, request, mariadb_b, which):
    source, name = request.getfixturevalue(which), f"large_{which}"
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    chance = random.Random(seed)
    prepare(source, mariadb_b, name)
    job = configure(service, source, mariadb_b, name, "SYNC")
    run_until(service, job, "Synchronizing")
    watch = Watch(service)
    commit_large(source, name)
    for _ in range(4):  # while it is read, and while it is applied
        pid, epoch = worker_pid(service)
        time.sleep(chance.uniform(0.2, 12 if LONG else 2.5))
        assert mariadb_b.sql("SELECT COUNT(*) FROM h", db=name)[0][0] in (0, ROWS // 2 - 20)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: worker_pid(service)[1] > epoch, {True})  # noqa: B023
    source.sql("INSERT INTO k VALUES (-9, 'after', 9)", db=name)
    wait_for(lambda: mariadb_b.sql("SELECT COUNT(*) FROM k WHERE id = -9", db=name)[0][0], {1}, 240)
    watch.done.set()
    assert_same(source, mariadb_b, [f"{name}.{t}" for t in "khupc"])
    print(f"largest worker: {watch.most} MiB")
    assert watch.most < 256
    assert not list((service.data / "spill").iterdir())
    wait_for(lambda: status(service, job), {"Synchronizing"})
    finish(service, job)


def test_row_that_diverges_is_named(service, mariadb_a, mariadb_b):
    """All of it is rolled back, and done again row by row to name the one that is wrong."""
    name = "large_diverged"
    prepare(mariadb_a, mariadb_b, name)
    job = configure(service, mariadb_a, mariadb_b, name, "SYNC")
    run_until(service, job, "Synchronizing")
    mariadb_b.sql("INSERT INTO k VALUES (4321, 'of somebody else', 0)", db=name)
    commit_large(mariadb_a, name, 10000)
    wait_for(lambda: status(service, job), {"Failed"}, 120)
    text = service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
    assert "DestinationDiverged" in text and "INSERT" in text and "(id=4321)" in text, text
    assert mariadb_b.sql("SELECT COUNT(*) FROM k", db=name)[0][0] == 3 and mariadb_b.sql("SELECT COUNT(*) FROM h", db=name)[0][0] == 0
    mariadb_b.sql("DELETE FROM k WHERE id = 4321", db=name)
    service.ok("StartDtsJob", {"DtsJobId": job})
    wait_for(lambda: mariadb_b.sql("SELECT COUNT(*) FROM h", db=name)[0][0], {9980}, 120)
    assert_same(mariadb_a, mariadb_b, [f"{name}.{t}" for t in "khupc"])
    finish(service, job)


def test_rollback_to_a_savepoint_behind_parts(service, mariadb_a, mariadb_b):
    """With a table without transactions in it, a rollback to a savepoint stands in the log: parts that were written already lose what it meant."""
    name = "large_savepoint"
    prepare(mariadb_a, mariadb_b, name)
    mariadb_a.sql(f"CREATE DATABASE IF NOT EXISTS {name}_m; CREATE OR REPLACE TABLE {name}_m.m (i INT) ENGINE=MyISAM")
    job = configure(service, mariadb_a, mariadb_b, name, "SYNC")
    run_until(service, job, "Synchronizing")
    rows = "INSERT INTO k SELECT n + {0}, REPEAT('x', 970), n FROM (" + NUMBERS + ") x WHERE n < {1}"
    mariadb_a.sql(f"""BEGIN; {rows.format(0, 10000)}; SAVEPOINT a; {rows.format(100000, 10000)}; INSERT INTO {name}_m.m VALUES (1); ROLLBACK TO a;
        {rows.format(200000, 10000)}; SAVEPOINT b; {rows.format(300000, 10)}; INSERT INTO {name}_m.m VALUES (2); ROLLBACK TO b; UPDATE k SET n = -1 WHERE id < 100; COMMIT""", db=name)
    assert mariadb_a.sql("SELECT COUNT(*) FROM k", db=name)[0][0] == 20002
    wait_for(lambda: mariadb_b.sql("SELECT COUNT(*) FROM k", db=name)[0][0], {20002}, 120)
    mariadb_a.sql(f"BEGIN; {rows.format(400000, 15000)}; INSERT INTO {name}_m.m VALUES (3); ROLLBACK; INSERT INTO k VALUES (-9, 'after', 9)", db=name)
    wait_for(lambda: mariadb_b.sql("SELECT COUNT(*) FROM k WHERE id = -9", db=name)[0][0], {1}, 60)
    assert_same(mariadb_a, mariadb_b, [f"{name}.k"])
    finish(service, job)
    mariadb_a.sql(f"DROP DATABASE {name}_m")


def test_full_disk_is_told_and_over_when_there_is_room(mariadb_a, mariadb_b):
    """The file may not take the last 64 MiB of the disk that the service's own store is on."""
    name, mount = "large_disk", tempfile.mkdtemp(prefix="sluice-spill-")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=72m,mode=0700", "sluice-test", mount], capture_output=True, text=True, check=False)
    if done.returncode:
        os.rmdir(mount)
        pytest.skip(f"this user may not mount a small disk ({done.stderr.strip()}); the check itself is tested in tests/unit/pipeline/test_spill.c")
    try:
        prepare(mariadb_a, mariadb_b, name)
        service = Service("--rate-limit", "0", "--worker-memory", "32")
        service.data = Path(mount) / "data"
        with service:
            job = configure(service, mariadb_a, mariadb_b, name, "SYNC")
            run_until(service, job, "Synchronizing")
            commit_large(mariadb_a, name, 12000)
            wait_for(lambda: status(service, job), {"Retrying"}, 60)
            retry = service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["RetryState"]
            assert "larger than memory" in retry["ErrMessage"] and "free space" in retry["ErrMessage"], retry
            assert mariadb_b.sql("SELECT COUNT(*) FROM h", db=name)[0][0] == 0
            subprocess.run(["mount", "-o", "remount,size=300m", mount], check=True)
            wait_for(lambda: mariadb_b.sql("SELECT COUNT(*) FROM h", db=name)[0][0], {11980}, 120)
            assert_same(mariadb_a, mariadb_b, [f"{name}.{t}" for t in "khupc"])
            finish(service, job)
    finally:
        subprocess.run(["umount", mount], check=True)
        os.rmdir(mount)
