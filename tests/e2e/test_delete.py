"""Deleting jobs on real servers: in each state, with an end down or rebuilt, with the service killed after each step; nothing of ours may stay."""

import json
import os
import time
import uuid
from contextlib import contextmanager

import pytest
from servers import MariaDB, MySQL, Unavailable
from sluice import Service, endpoints, job_params, sign_v3, wait_for

FAILED = {"PrecheckFailed", "MigrationFailed", "InitializeFailed", "Failed"}


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


@contextmanager
def database(source, target, rows=1000):
    """A small database at the source; dropped at both ends afterwards."""
    name = "del_" + uuid.uuid4().hex[:8]
    source.sql(f"CREATE DATABASE {name}")
    source.sql("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(50))", db=name)
    source.sql(f"INSERT INTO t SELECT seq, CONCAT('v', seq) FROM seq_1_to_{rows}", db=name)
    try:
        yield name
    finally:
        for server in (source, target):
            if server.running:
                server.sql(f"DROP DATABASE IF EXISTS {name}")


def status(s, job):
    return s.ok("DescribeDtsJobDetail", {"DtsJobId": job})["Status"]


def configure(s, source, target, name, kind, **more):
    return s.ok("ConfigureDtsJob", job_params(endpoints(source, target), name, JobType=kind, **more))["DtsJobId"]


def run_until(s, job, *states):
    """Buys and starts a configured job; waits for one of the states."""
    s.ok("CreateDtsInstance", {"JobId": job, "AutoStart": "true"})
    got = wait_for(lambda: status(s, job), set(states) | FAILED)
    assert got in states, s.ok("DescribeDtsJobDetail", {"DtsJobId": job})
    return got


def receipt(s, job, timeout_s=60):
    """The receipt once the deletion is finished."""
    wait_for(lambda: json.loads(s.ok("SluiceDescribeReceipt", {"DtsJobId": job})["Receipt"])["finished"] is True, {True}, timeout_s)
    return json.loads(s.ok("SluiceDescribeReceipt", {"DtsJobId": job})["Receipt"])


def assert_gone(s, job):
    answer = s.call("DescribeDtsJobDetail", {"DtsJobId": job})
    assert (answer.status, answer.json["Code"]) == (404, "Forbidden.InstanceNotFound")
    assert job not in s.call("DescribeDtsJobs", {"JobType": "SYNC", "PageSize": 500}).text
    assert job not in s.call("DescribeDtsJobs", {"PageSize": 500}).text


def assert_clean(server, job):
    """Nothing of the job in the schema sluice, nor the schema when no other job uses it."""
    tables = [row[0] for row in server.sql("SELECT table_name FROM information_schema.tables WHERE table_schema='sluice'")]
    for table in tables:
        assert server.sql(f"SELECT COUNT(*) FROM sluice.{table} WHERE job_id LIKE %s", job + "%")[0][0] == 0, table


def leftovers(s, job):
    return s.ok("SluiceDescribeLeftovers", {"DtsJobId": job})["Leftovers"]


def in_configured(s, job, source):
    return "NotStarted"


def in_prechecked(s, job, source):
    s.ok("StartDtsJob", {"DtsJobId": job})
    return wait_for(lambda: status(s, job), {"PreCheckPass"} | FAILED)


def in_streaming(s, job, source):
    return run_until(s, job, "Synchronizing")


def in_suspended(s, job, source):
    run_until(s, job, "Synchronizing")
    s.ok("SuspendDtsJob", {"DtsJobId": job})
    return wait_for(lambda: status(s, job), {"Suspending"})


def in_stopped(s, job, source):
    run_until(s, job, "Synchronizing")
    s.ok("StopDtsJob", {"DtsJobId": job})
    return wait_for(lambda: status(s, job), {"Finished"})


def in_initializing(s, job, source):
    """The load is slowed down to a crawl."""
    s.ok("ModifyDynamicConfig", {"DtsJobId": job, "JobCode": "03", "EnableLimit": "true", "ConfigList": json.dumps({"dts.datamove.source.rps.max": "50"})})
    run_until(s, job, "Initializing")
    return "Initializing"


def in_failed(s, job, source):
    """A statement that the log holds as text can never be applied."""
    run_until(s, job, "Synchronizing")
    name = json.loads(s.ok("DescribeDtsJobDetail", {"DtsJobId": job})["DbObject"]).popitem()[0]
    with source.connect(database=name) as c, c.cursor() as cursor:
        cursor.execute("SET SESSION binlog_format=STATEMENT")
        cursor.execute("UPDATE t SET v='x' WHERE id=1")
        c.commit()
    return wait_for(lambda: status(s, job), {"Failed"})


STATES = {"NotStarted": in_configured, "PreCheckPass": in_prechecked, "Initializing": in_initializing, "Synchronizing": in_streaming,
          "Suspending": in_suspended, "Finished": in_stopped, "Failed": in_failed}


@pytest.mark.parametrize("state", STATES)
def test_in_each_state(service, mariadb_a, mariadb_b, state):
    with database(mariadb_a, mariadb_b) as name:
        job = configure(service, mariadb_a, mariadb_b, name, "SYNC")
        assert STATES[state](service, job, mariadb_a) == state
        began = time.monotonic()
        service.ok("DeleteDtsJob", {"DtsJobId": job})
        assert time.monotonic() - began < 5  # the answer does not wait for the work
        assert_gone(service, job)
        r = receipt(service, job)
        assert r["leftovers"] == []
        assert [step["step"] for step in r["steps"]] == ["stop", "source", "target", "secrets"]
        assert all(entry["state"] in ("removed", "kept") for entry in r.get("ledger", []))
        assert_clean(mariadb_b, job)
        if state in ("Synchronizing", "Suspending", "Finished"):
            assert mariadb_b.sql(f"SELECT COUNT(*) FROM {name}.t")[0][0] == 1000  # migrated data stays
            assert r["tables"] == [{"schema": name, "name": "t", "rows": 1000, "complete": True}]
        service.ok("DeleteDtsJob", {"DtsJobId": job})  # the repeat of a lost answer
        assert leftovers(service, job) == []


def test_two_jobs_share_the_schema(service, mariadb_a, mariadb_b):
    """The first deletion keeps what the second job needs; the last one drops the schema."""
    with database(mariadb_a, mariadb_b) as one, database(mariadb_a, mariadb_b) as two:
        jobs = [configure(service, mariadb_a, mariadb_b, name, "SYNC") for name in (one, two)]
        for job in jobs:
            run_until(service, job, "Synchronizing")
        service.ok("DeleteDtsJob", {"DtsJobId": jobs[0]})
        receipt(service, jobs[0])
        assert_clean(mariadb_b, jobs[0])
        assert mariadb_b.sql("SELECT COUNT(*) FROM sluice.checkpoint WHERE job_id=%s", jobs[1])[0][0] == 1
        mariadb_a.sql("INSERT INTO t VALUES (100000, 'late')", db=two)
        wait_for(lambda: mariadb_b.sql(f"SELECT COUNT(*) FROM {two}.t WHERE id=100000")[0][0], {1})
        service.ok("DeleteDtsJob", {"DtsJobId": jobs[1]})
        receipt(service, jobs[1])
        assert mariadb_b.sql("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name='sluice'")[0][0] == 0


@pytest.mark.parametrize("step", ["intent", "stop", "source", "target", "secrets"])
def test_killed_after_each_step(mariadb_a, mariadb_b, step):
    with database(mariadb_a, mariadb_b) as name:
        os.environ["SLUICE_FAILPOINT"] = f"delete:{step}"
        try:
            s = Service("--rate-limit", "0").__enter__()
        finally:
            del os.environ["SLUICE_FAILPOINT"]
        try:
            job = configure(s, mariadb_a, mariadb_b, name, "SYNC")
            run_until(s, job, "Synchronizing")
            try:
                s.call("DeleteDtsJob", {"DtsJobId": job})
            except OSError:
                pass  # the answer is lost with the process
            assert s.process.wait(30) == 137
            s.start()
            assert_gone(s, job)
            assert receipt(s, job)["leftovers"] == []
            assert_clean(mariadb_b, job)
            s.ok("DeleteDtsJob", {"DtsJobId": job})
        finally:
            s.__exit__()


def test_source_down(service, mariadb_b):
    """Nothing was made at a MySQL source: its absence does not hold up the deletion."""
    with MariaDB() as source, database(source, mariadb_b) as name:
        job = configure(service, source, mariadb_b, name, "SYNC")
        run_until(service, job, "Synchronizing")
        source.kill9()
        service.ok("DeleteDtsJob", {"DtsJobId": job})
        assert receipt(service, job)["leftovers"] == []
        assert_clean(mariadb_b, job)
        mariadb_b.sql(f"DROP DATABASE {name}")


def test_target_down_then_back(service, mariadb_a):
    with MariaDB() as target, database(mariadb_a, target) as name:
        job = configure(service, mariadb_a, target, name, "SYNC")
        run_until(service, job, "Synchronizing")
        target.kill9()
        service.ok("DeleteDtsJob", {"DtsJobId": job})
        assert_gone(service, job)
        r = receipt(service, job)
        assert {item["kind"] for item in r["leftovers"]} >= {"rows", "table", "schema"}
        assert any(job in item["undo"] for item in r["leftovers"])  # SQL to paste
        listed = leftovers(service, job)
        assert len(listed) == len(r["leftovers"])
        target.start()
        assert target.sql("SELECT COUNT(*) FROM sluice.checkpoint")[0][0] == 1
        wait_for(lambda: len(leftovers(service, job)), {0})
        assert target.sql("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name='sluice'")[0][0] == 0
        assert receipt(service, job)["leftovers"] == []


def test_password_changed_then_given(service, mariadb_a, tmp_path):
    with MariaDB() as target, database(mariadb_a, target) as name:
        target.sql("CREATE USER 'mover'@'%' IDENTIFIED BY 'first'")
        target.sql("GRANT ALL ON *.* TO 'mover'@'%' WITH GRANT OPTION")
        job = configure(service, mariadb_a, target, name, "SYNC", DestinationEndpointUserName="mover", DestinationEndpointPassword="first")
        run_until(service, job, "Synchronizing")
        service.ok("SuspendDtsJob", {"DtsJobId": job})
        target.sql("ALTER USER 'mover'@'%' IDENTIFIED BY 'second'")
        service.ok("DeleteDtsJob", {"DtsJobId": job})
        receipt(service, job)
        listed = leftovers(service, job)
        assert listed and "mover" in json.dumps(listed)  # the reason names the account
        # A Deny on the instance outlives the task: it holds for what the task left.
        policy = tmp_path / "deny.json"
        policy.write_text(json.dumps({"Statement": [{"Effect": "Allow", "Action": "dts:*", "Resource": "*"},
                                                    {"Effect": "Deny", "Action": "dts:Sluice*", "Resource": f"acs:dts:*:*:instance/{receipt(service, job)['instance']}"}]}))
        denied = service.create_key("--policy", str(policy))
        for action in ("SluiceRetryLeftover", "SluiceForgetLeftover"):
            answer = service.send(sign_v3(action, {"LeftoverId": listed[0]["Id"]}, key=denied, host=f"127.0.0.1:{service.port}"))
            assert (answer.status, answer.json["Code"]) == (403, "Forbidden.RAM"), action
        service.ok("SluiceRetryLeftover", {"LeftoverId": listed[0]["Id"], "Password": "second"})
        wait_for(lambda: len(leftovers(service, job)), {0})
        assert_clean(target, job)


def test_rebuilt_target_is_not_touched(service, mariadb_a):
    """Another server at the old address: what we had made is gone with the old one, and nothing is dropped on the new one.
    On MySQL, whose servers have an identity of their own; a MariaDB server's identity is its host and port."""
    try:
        MySQL.prepare()
    except Unavailable as error:
        pytest.skip(str(error))
    with MySQL() as target, database(mariadb_a, target) as name:
        job = configure(service, mariadb_a, target, name, "SYNC")
        run_until(service, job, "Synchronizing")
        service.ok("SuspendDtsJob", {"DtsJobId": job})
        port = target.port
        target.stop()
        with MySQL(port=port) as other:
            other.sql("CREATE DATABASE sluice")
            other.sql("CREATE TABLE sluice.checkpoint (job_id VARCHAR(128) PRIMARY KEY, epoch INT)")
            other.sql("INSERT INTO sluice.checkpoint VALUES (%s, 1)", job)
            service.ok("DeleteDtsJob", {"DtsJobId": job})
            r = receipt(service, job)
            assert r["leftovers"] == []
            assert "another server" in json.dumps(r["removed"])
            assert other.sql("SELECT COUNT(*) FROM sluice.checkpoint")[0][0] == 1
