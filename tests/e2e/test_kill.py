"""kill -9 of the worker, of serve and of the database servers at random times, during the load and the stream: nothing is lost, doubled or different.

Oracles: a ledger table (one row per source transaction, numbered without a gap) and the servers' own row hashes (servers/compare.py).
SLUICE_TEST_LONG=1 kills workers 200 times (SLUICE_KILLS: another number), serve 60 times and servers 20 times in every pairing instead of 5 times each in
some. The seed is printed; SLUICE_KILL_SEED repeats one. With PostgreSQL as source, its slot is sampled meanwhile (slots.py).
"""

import json
import os
import random
import signal
import time
from collections import Counter
from itertools import product

import pytest
import slots
from jobs import FAILED, LONG, PAIRS, assert_same, delete, has_place, reach, status, worker_pid
from sluice import Service, endpoints, job_params, wait_for
from writers import TABLES, Writer, arrived, database

KILLS = {"worker": int(os.environ.get("SLUICE_KILLS") or 200), "serve": 60, "source": 20, "target": 20} if LONG else {"worker": 5, "serve": 5}
CASES = list(product(PAIRS, KILLS)) if LONG else [("mysql-mariadb", "worker"), ("mariadb-pg", "worker"), ("pg-pg", "serve")]


def kill_worker(service):
    pid, _ = worker_pid(service)
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            if b"worker" not in f.read():
                return False
        os.kill(pid, signal.SIGKILL)
        return True
    except (FileNotFoundError, ProcessLookupError):
        return False


def kill_serve(service):
    service.kill9()
    service.start()
    return True


def kill_server(server):
    server.kill9()
    server.start()
    return True


def progress(target, job):
    """What changes when a worker gets on; nothing before its first claim."""
    if target.sql("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'sluice' AND table_name IN ('checkpoint', 'chunk')")[0][0] < 2:
        return None
    return target.sql("SELECT position, (SELECT COUNT(*) FROM sluice.chunk c WHERE c.job_id = k.job_id AND done) FROM sluice.checkpoint k WHERE job_id = %s", job)


@pytest.mark.parametrize("pair,victim", CASES, indirect=["pair"])
def test_killed_at_random_times(pair, victim):
    source, target = pair
    seed = int(os.environ.get("SLUICE_KILL_SEED") or random.randrange(1 << 30))
    kills = KILLS[victim]
    print(f"seed {seed}")
    chance = random.Random(seed)
    with database(source, target, f"kill_{victim}", seed) as db, Service("--rate-limit", "0") as service:
        kill = {"worker": lambda: kill_worker(service), "serve": lambda: kill_serve(service), "source": lambda: kill_server(source),
                "target": lambda: kill_server(target)}[victim]
        reserve = {"sluice.chunkRows": "200", "fullDynamicConfig": {"dts.datamove.source.rps.max": "800"}}  # the first third of the kills falls into the load
        job = service.ok("ConfigureDtsJob", job_params(endpoints(source, target), db, JobType="SYNC", Reserve=json.dumps(reserve)))["DtsJobId"]
        service.ok("CreateDtsInstance", {"JobId": job, "AutoStart": "true"})
        wait_for(lambda: status(service, job), {"Initializing", "Synchronizing"})
        writer = Writer(source, db, seed)
        writer.start()
        sampler = slots.Sampler(source, target, job) if source.family == "postgresql" else None
        if sampler:
            sampler.start()
        at_kill = None
        killed, deadline = Counter(), time.monotonic() + 60 + kills * 20
        while killed.total() < kills and time.monotonic() < deadline:
            if killed.total() == kills // 3:
                service.ok("ModifyDynamicConfig", {"DtsJobId": job, "JobCode": "03", "EnableLimit": "false"})
                reach(service, job, "Synchronizing", timeout_s=120)
            time.sleep(chance.uniform(0.05, 1.2))
            if status(service, job) == "Retrying":  # killed before it got on, it waits longer each time: let it get on
                wait_for(lambda: progress(target, job) != at_kill, {True}, 180)
            at = status(service, job)
            assert at not in FAILED, service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
            at_kill = progress(target, job) if target.running else None
            killed[at] += kill()
        print(f"{victim}, {source.kind} to {target.kind}: {dict(killed)}")
        assert killed.total() == kills and killed["Initializing"] and killed["Synchronizing"]
        reach(service, job, "Synchronizing", timeout_s=120)  # the ledger's load may be newer than that of other tables: from here on all stream
        transactions = writer.finish()
        wait_for(lambda: arrived(target, db), {transactions}, 120)
        assert target.sql(f"SELECT COUNT(*), MIN(op), MAX(op) FROM {db}.ledger") == [(transactions, 1, transactions)] and transactions > kills
        assert_same(source, target, [f"{db}.{table}" for table in TABLES])
        if sampler:
            print(f"{sampler.finish()} samples of the slot")
        delete(service, job)
        assert not has_place(target, "sluice")
