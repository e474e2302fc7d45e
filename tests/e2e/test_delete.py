"""Deleting jobs on real servers: jobs that share the schema sluice, a changed password, a rebuilt destination. States, steps and faults: test_delete_matrix.py."""

import json

import pytest
from jobs import assert_clean, configure, database, each_pair, leftovers, receipt, run_until
from servers import MariaDB, MySQL, Unavailable
from sluice import Service, sign_v3, wait_for


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


@each_pair("mariadb-mysql")
def test_two_jobs_share_the_schema(service, pair):
    """The first deletion keeps what the second job needs; the last one drops the schema."""
    source, target = pair
    with database(source, target) as one, database(source, target) as two:
        jobs = [configure(service, source, target, name, "SYNC") for name in (one, two)]
        for job in jobs:
            run_until(service, job, "Synchronizing")
        service.ok("DeleteDtsJob", {"DtsJobId": jobs[0]})
        receipt(service, jobs[0])
        assert_clean(target, jobs[0])
        assert target.sql("SELECT COUNT(*) FROM sluice.checkpoint WHERE job_id=%s", jobs[1])[0][0] == 1
        source.sql_in(two, "INSERT INTO t VALUES (100000, 'late')")
        wait_for(lambda: target.sql(f"SELECT COUNT(*) FROM {two}.t WHERE id=100000")[0][0], {1})
        service.ok("DeleteDtsJob", {"DtsJobId": jobs[1]})
        receipt(service, jobs[1])
        assert target.sql("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name='sluice'")[0][0] == 0


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
