"""A worker's memory: under 256 MiB for wide and for many rows, a clear error for what does not fit, and an end of its own when memory is spent."""

import re
import resource
from pathlib import Path

import pytest
from jobs import configure, database, delete, reach, run_until, same_count, status, worker_pid
from servers import MariaDB
from servers.compare import assert_same
from sluice import ROOT, Service, wait_for

MIB = 1 << 20


@pytest.fixture(scope="module")
def plain():
    """A program without sanitizers, which take several times the memory of their own."""
    for path in (ROOT / "build/clang/sluice", ROOT / "build/sluice"):
        if path.exists():
            return str(path)
    raise AssertionError("no program without sanitizers in build/clang or build: make")


@pytest.fixture
def service(plain, monkeypatch):
    monkeypatch.setenv("SLUICE_BIN", plain)
    with Service("--rate-limit", "0") as s:
        yield s


@pytest.fixture(scope="module")
def wide_servers():
    """Two servers that take large packets."""
    with MariaDB(options={"max_allowed_packet": 1 << 30}) as a, MariaDB(options={"max_allowed_packet": 1 << 30}) as b:
        yield a, b


def memory(pid, field):
    return int(re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M).group(1)) * 1024


def add_blobs(server, db, sizes, first=1):
    server.sql("CREATE TABLE IF NOT EXISTS blobs (id INT PRIMARY KEY, b LONGBLOB)", db=db)
    for i, size in enumerate(sizes, first):  # every byte value, those that LOAD DATA escapes among them
        server.sql(f"INSERT INTO blobs VALUES ({i}, LEFT(REPEAT(UNHEX('000102090A0D5C27{i:08X}FF'), {size // 13 + 1}), {size}))", db=db)


def blobs_arrive(a, b, name):
    query = f"SELECT COUNT(*), SUM(LENGTH(b)), SUM(CRC32(b)) FROM {name}.blobs"
    wait_for(lambda: b.sql(query) == a.sql(query), {True}, 120)


def test_wide_and_many_rows_stay_under_256_mib(service, wide_servers):
    a, b = wide_servers
    with database(a, b) as name:
        a.sql("INSERT INTO t SELECT seq, REPEAT(CHAR(65 + seq MOD 26), 50) FROM seq_1001_to_400000", db=name)
        add_blobs(a, name, [(1 + i % 4) * MIB - i for i in range(60)] + [16 * MIB] * 4)
        job = configure(service, a, b, name, "SYNC")
        run_until(service, job, "Synchronizing")
        pid, epoch = worker_pid(service, job)
        for i in range(0, 30, 3):  # changes with both images, up to 24 MiB a transaction
            a.sql(f"UPDATE blobs SET b = CONCAT(b, 'x') WHERE id BETWEEN {i + 1} AND {i + 3}", db=name)
        add_blobs(a, name, [4 * MIB] * 10, first=1000)
        a.sql("UPDATE t SET v = CONCAT('y', id) WHERE id MOD 10 = 0", db=name)
        blobs_arrive(a, b, name)
        same_count(a, b, name)
        wait_for(lambda: b.sql(f"SELECT COUNT(*) FROM {name}.t WHERE v LIKE 'y%%'") == a.sql(f"SELECT COUNT(*) FROM {name}.t WHERE v LIKE 'y%%'"), {True}, 60)
        assert_same(a, b, [(f"{name}.t", f"{name}.t"), (f"{name}.blobs", f"{name}.blobs")])
        assert worker_pid(service, job) == (pid, epoch)
        assert re.search(rf"Max data size\s+{240 * MIB}\s+{240 * MIB}\s", Path(f"/proc/{pid}/limits").read_text())
        assert memory(pid, "VmHWM") < 256 * MIB
        delete(service, job)


def test_a_row_that_does_not_fit(service, wide_servers):
    """It is named, with what to do; with that done, the job goes on."""
    a, b = wide_servers
    with database(a, b) as name:
        add_blobs(a, name, [MIB, 25 * MIB])
        job = configure(service, a, b, name, "SYNC")
        service.ok("CreateDtsInstance", {"JobId": job, "AutoStart": "true"})
        wait_for(lambda: status(service, job), {"InitializeFailed"})
        message = service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
        assert message.startswith("LimitExceeded") and f"{name}.blobs" in message and str(24 * MIB) in message and "--worker-memory" in message
        service.stop()
        service.options += ["--worker-memory", "512"]
        service.start()
        service.ok("StartDtsJob", {"DtsJobId": job})
        reach(service, job, "Synchronizing")
        blobs_arrive(a, b, name)
        add_blobs(a, name, [60 * MIB], first=3)  # in the log too
        blobs_arrive(a, b, name)
        delete(service, job)


def test_a_logged_row_that_does_not_fit(service, wide_servers):
    a, b = wide_servers
    with database(a, b) as name:
        add_blobs(a, name, [MIB])
        job = configure(service, a, b, name, "SYNC")
        run_until(service, job, "Synchronizing")
        add_blobs(a, name, [80 * MIB], first=2)
        wait_for(lambda: status(service, job), {"Failed"})
        message = service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
        assert message.startswith("LimitExceeded") and "--worker-memory" in message, message
        delete(service, job)


def test_memory_that_is_spent_ends_in_an_error(plain, monkeypatch, wide_servers):
    """The system gives less than was planned: a worker says so after a few attempts and is not killed, and with enough memory a new start goes on."""
    monkeypatch.setenv("SLUICE_BIN", plain)
    a, b = wide_servers
    s = Service("--rate-limit", "0")
    s.popen = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_DATA, (64 * MIB, 64 * MIB))}
    with s, database(a, b) as name:
        add_blobs(a, name, [16 * MIB] * 4)
        job = configure(s, a, b, name, "SYNC")
        s.ok("CreateDtsInstance", {"JobId": job, "AutoStart": "true"})
        wait_for(lambda: status(s, job), {"InitializeFailed"})
        message = s.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
        assert message.startswith(("OutOfMemory", "LimitExceeded")) and "--worker-memory" in message, message
        assert re.findall(r"event=ended kind=0 .*", s.log()) and not re.findall(r"event=ended kind=0 .*signal=[1-9]", s.log())
        s.stop()
        s.popen = {}
        s.start()
        s.ok("StartDtsJob", {"DtsJobId": job})
        reach(s, job, "Synchronizing")
        blobs_arrive(a, b, name)
        delete(s, job)
