"""Lost answers to COMMIT: the destination's connection is cut after COMMIT was sent, whether the server gets it at once, later or never, during the load and
the stream. Nothing is lost, doubled or different, tables without a key included.

SLUICE_TEST_LONG=1 loses 100 answers in every pairing instead of 6 in two. The seed is printed; SLUICE_KILL_SEED repeats one."""

import json
import os
import random
import time

import slots
from commit_proxy import CommitProxy
from jobs import FAILED, LONG, PAIRS, assert_same, delete, each_pair, has_place, reach, status
from sluice import Service, endpoints, job_params, wait_for
from writers import TABLES, Writer, arrived, database

LOST = 100 if LONG else 6


def lose(service, job, proxy, number, chance, timeout_s):
    """Loses answers until there are `number`."""
    proxy.chance, deadline = chance, time.monotonic() + timeout_s
    while proxy.lost.total() < number and time.monotonic() < deadline:
        at = status(service, job)
        assert at not in FAILED, service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
        time.sleep(0.05)
    proxy.chance = 0
    assert proxy.lost.total() >= number


@each_pair("mariadb-pg", "pg-mariadb", among=PAIRS)
def test_lost_answers_to_commit(pair):
    source, target = pair
    seed = int(os.environ.get("SLUICE_KILL_SEED") or random.randrange(1 << 30))
    print(f"seed {seed}")
    with database(source, target, "lost_commit", seed) as db, CommitProxy(target, seed) as proxy, Service("--rate-limit", "0") as service:
        reserve = {"sluice.chunkRows": "500", "fullDynamicConfig": {"dts.datamove.source.rps.max": "2000"}}
        ends = endpoints(source, target) | {"DestinationEndpointPort": str(proxy.port)}
        job = service.ok("ConfigureDtsJob", job_params(ends, db, JobType="SYNC", Reserve=json.dumps(reserve)))["DtsJobId"]
        service.ok("CreateDtsInstance", {"JobId": job, "AutoStart": "true"})
        wait_for(lambda: status(service, job), {"Initializing", "Synchronizing"})
        proxy.chance = 0.3
        writer = Writer(source, db, seed)
        writer.start()
        sampler = slots.Sampler(source, target, job) if source.family == "postgresql" else None
        if sampler:
            sampler.start()
        lose(service, job, proxy, LOST // 4, 0.5, 60 + LOST * 5)
        in_load = service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["DataInitializationStatus"]["Status"] != "Finished"
        service.ok("ModifyDynamicConfig", {"DtsJobId": job, "JobCode": "03", "EnableLimit": "false"})
        reach(service, job, "Synchronizing", timeout_s=120)
        lose(service, job, proxy, LOST, 0.5, 60 + LOST * 5)
        print(f"{source.kind} to {target.kind}: {dict(proxy.lost)} of {proxy.commits} commits" + (f", {sampler.samples} samples" if sampler else ""))
        assert in_load
        transactions = writer.finish()
        wait_for(lambda: arrived(target, db), {transactions}, 120)
        assert target.sql(f"SELECT COUNT(*), MIN(op), MAX(op) FROM {db}.ledger") == [(transactions, 1, transactions)]
        assert_same(source, target, [f"{db}.{table}" for table in TABLES])
        if sampler:
            sampler.finish()
        delete(service, job)
        assert not has_place(target, "sluice")
