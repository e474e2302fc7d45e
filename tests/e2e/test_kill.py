"""kill -9 of the worker and of serve at random times, during the load and the stream: nothing is lost, doubled or different.

Oracles: a ledger table (one row per source transaction, numbered without a gap) and the servers' own row hashes (servers/compare.py).
SLUICE_TEST_LONG=1 kills 60 times each instead of 5. The seed is printed; SLUICE_KILL_SEED repeats one.
"""

import json
import os
import random
import re
import signal
import threading
import time

import pytest
from servers import compare
from sluice import Service, endpoints, job_params, wait_for

KILLS = 60 if os.environ.get("SLUICE_TEST_LONG") else 5
ROWS = 20000
SCHEMA = f"""
CREATE TABLE {{db}}.ledger(op BIGINT PRIMARY KEY, at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6));
CREATE TABLE {{db}}.keyed(id INT PRIMARY KEY, v VARCHAR(40), n DECIMAL(12,3), f FLOAT);
CREATE TABLE {{db}}.twice(id INT PRIMARY KEY, u INT NOT NULL UNIQUE, v VARBINARY(20));
CREATE TABLE {{db}}.bare(a INT, b VARCHAR(20));
INSERT INTO {{db}}.keyed SELECT seq, MD5(seq), seq / 3, seq / 7 FROM seq_1_to_{ROWS};
INSERT INTO {{db}}.twice SELECT seq, seq * 10, UNHEX(MD5(seq)) FROM seq_1_to_2000;
INSERT INTO {{db}}.bare SELECT seq % 50, CONCAT('b', seq % 7) FROM seq_1_to_500
"""


class Load(threading.Thread):
    """Transactions on the source until told to stop; each one writes the next number into the ledger."""

    def __init__(self, server, db, seed):
        super().__init__(daemon=True)
        self.server, self.db, self.random = server, db, random.Random(seed)
        self.done = threading.Event()
        self.transactions, self.error = 0, None

    def one(self, op):
        r, db = self.random, self.db
        a, b = r.randrange(1, ROWS), ROWS + op
        kinds = [f"UPDATE {db}.keyed SET v='u{op}', n=n+1 WHERE id={a}", f"INSERT INTO {db}.keyed VALUES({b},'i{op}',{op}/9,{op}/11)",
                 f"DELETE FROM {db}.keyed WHERE id={a}", f"UPDATE {db}.keyed SET id={-b} WHERE id={a}",
                 f"UPDATE {db}.twice SET u={1000000 + op}, v=X'{op:08x}' WHERE id={r.randrange(1, 2000)}", f"INSERT INTO {db}.bare VALUES({op % 50},'n{op % 9}')",
                 f"DELETE FROM {db}.bare WHERE a={r.randrange(50)} LIMIT 1", f"UPDATE {db}.bare SET b='w{op % 5}' WHERE a={r.randrange(50)} LIMIT 2"]
        return ["BEGIN", f"INSERT INTO {db}.ledger(op) VALUES({op})", *r.sample(kinds, r.randrange(1, 5)), "COMMIT"]

    def run(self):
        try:
            with self.server.connect(autocommit=True) as connection, connection.cursor() as cursor:
                while not self.done.is_set():
                    self.transactions += 1
                    for statement in self.one(self.transactions):
                        cursor.execute(statement)
                    time.sleep(0.002)
        except Exception as error:  # shown by the test
            self.error = error


def worker_pid(service):
    """The newest worker that has not ended."""
    pids = re.findall(r"event=started kind=worker job=\S+ pid=(\d+)", service.log())
    return int(pids[-1]) if pids else None


def kill_worker(service):
    pid = worker_pid(service)
    if pid is None:
        return False
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            if b"worker" not in f.read():
                return False
        os.kill(pid, signal.SIGKILL)
        return True
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("victim", ["worker", "serve"])
def test_killed_at_random_times(mariadb_a, mariadb_b, victim):
    seed = int(os.environ.get("SLUICE_KILL_SEED") or random.randrange(1 << 30))
    print(f"seed {seed}")
    chance, db = random.Random(seed), f"kill_{victim}"
    for server in (mariadb_a, mariadb_b):
        server.sql(f"DROP DATABASE IF EXISTS {db}")
    mariadb_a.sql(f"CREATE DATABASE {db}")
    for statement in SCHEMA.format(db=db).strip().split(";"):
        mariadb_a.sql(statement, db=db)
    with Service("--rate-limit", "0") as service:
        job = service.ok("ConfigureDtsJob", job_params(endpoints(mariadb_a, mariadb_b), db, JobType="SYNC",
                         Reserve=json.dumps({"sluice.chunkRows": "1000"})))["DtsJobId"]
        service.ok("StartDtsJob", {"DtsJobId": job})
        wait_for(lambda: service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["Status"], ["PreCheckPass", "Initializing", "Synchronizing"])
        service.ok("StartDtsJob", {"DtsJobId": job})
        load = Load(mariadb_a, db, seed)
        load.start()
        killed, deadline = 0, time.monotonic() + 60 + KILLS * 15
        while killed < KILLS and time.monotonic() < deadline:
            time.sleep(chance.uniform(0.05, 1.2))
            if victim == "worker":
                killed += kill_worker(service)
            else:
                service.kill9()
                service.start()
                killed += 1
        assert killed == KILLS
        load.done.set()
        load.join(30)
        assert load.error is None and load.transactions > KILLS
        status = lambda: service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["Status"]  # noqa: E731
        wait_for(status, ["Synchronizing"], 120)
        wait_for(lambda: int(mariadb_b.sql(f"SELECT COALESCE(MAX(op),0) FROM {db}.ledger")[0][0]), [load.transactions], 120)
        count, highest = (int(v) for v in mariadb_b.sql(f"SELECT COUNT(*), MAX(op) FROM {db}.ledger")[0])
        assert count == highest == load.transactions
        compare.assert_same(mariadb_a, mariadb_b, [(f"{db}.{t}", f"{db}.{t}") for t in ("ledger", "keyed", "twice", "bare")])
        service.ok("DeleteDtsJob", {"DtsJobId": job})
        wait_for(lambda: len(mariadb_b.sql("SHOW DATABASES LIKE 'sluice'")), [0], 60)
