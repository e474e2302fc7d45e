"""Foreign keys with actions: what the source's server does to child rows must come out the same, whether its log tells of it or not.

MariaDB and MySQL before 9.6 (here: innodb_native_foreign_keys=ON) do not log the child rows that a cascade changed; MySQL from 9.6 on does."""

import json
import time

import pytest
from jobs import configure, receipt, status
from servers import MySQL, Unavailable
from servers.compare import assert_same
from sluice import Service, wait_for


SCHEMA = """
CREATE TABLE n (i INT PRIMARY KEY);
INSERT INTO n VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE p (id INT PRIMARY KEY, v INT);
CREATE TABLE c (id INT PRIMARY KEY, p INT, pad CHAR(200) NOT NULL DEFAULT 'x', FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE g (id INT PRIMARY KEY, c INT, pad CHAR(200) NOT NULL DEFAULT 'x', FOREIGN KEY (c) REFERENCES c (id) ON DELETE CASCADE);
CREATE TABLE s (id INT PRIMARY KEY, p INT, pad CHAR(200) NOT NULL DEFAULT 'x', FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE r (id INT PRIMARY KEY, p INT NOT NULL, FOREIGN KEY (p) REFERENCES p (id));
CREATE TABLE t (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES t (id) ON DELETE CASCADE);
CREATE TABLE a (id INT PRIMARY KEY, v INT);
CREATE TABLE b (id INT PRIMARY KEY, a INT, pad CHAR(200) NOT NULL DEFAULT 'x', FOREIGN KEY (a) REFERENCES a (id));
INSERT INTO p SELECT 1 + x.i + 10 * y.i + 100 * z.i, 0 FROM n x, n y, n z;
INSERT INTO p SELECT id + 1000, 0 FROM p; INSERT INTO p SELECT id + 2000, 0 FROM p; INSERT INTO p SELECT id + 4000, 0 FROM p WHERE id <= 2000;
INSERT INTO c (id, p) SELECT id, id FROM p; INSERT INTO g (id, c) SELECT id, id FROM c; INSERT INTO s (id, p) SELECT id, id FROM p;
INSERT INTO r SELECT id, id FROM p WHERE id > 5000; INSERT INTO t SELECT id, NULLIF(FLOOR(id / 50), 0) FROM p WHERE id < 500;
INSERT INTO a SELECT id, 0 FROM p; INSERT INTO b (id, a) SELECT id, id FROM a;
DROP TABLE n
"""
TABLES = "pcgsrtab"
# Between two attempts of the load, and while the second one runs: cascades over three levels, keys that come back, rows that wander.
CHANGES = [
    """DELETE FROM p WHERE id BETWEEN 1 AND 40 OR id BETWEEN 3001 AND 3040; UPDATE p SET id = id + 100000 WHERE id BETWEEN 101 AND 140 OR id BETWEEN 4001 AND 4040;
       INSERT INTO p VALUES (5, 5), (3005, 5); INSERT INTO c (id, p) VALUES (5, 5), (3005, 3005), (90001, 100101); INSERT INTO s (id, p) VALUES (90001, 104001);
       DELETE FROM t WHERE id = 3; INSERT INTO r VALUES (1, 3005); UPDATE c SET p = 200 WHERE id = 201; DELETE FROM p WHERE id = 201;
       INSERT INTO a VALUES (90001, 1); INSERT INTO b (id, a) VALUES (90001, 90001); UPDATE b SET a = 90001 WHERE id IN (10, 5900); DELETE FROM b WHERE id = 3000; DELETE FROM a WHERE id = 3000""",
    """DELETE FROM p WHERE id = 5; DELETE FROM r WHERE p = 3005; DELETE FROM p WHERE id = 3005; UPDATE p SET id = 5 WHERE id = 100101; DELETE FROM p WHERE id BETWEEN 2001 AND 2020;
       INSERT INTO t VALUES (3, 1), (150, 3), (151, 150); DELETE p, c FROM p JOIN c ON c.p = p.id WHERE p.id BETWEEN 2101 AND 2110;
       UPDATE b SET a = 1 WHERE a = 90001; DELETE FROM a WHERE id = 90001; DELETE FROM b WHERE id = 2000; DELETE FROM a WHERE id = 2000""",
    """DELETE FROM p WHERE id BETWEEN 1000 AND 1100; UPDATE p SET id = id - 100000 WHERE id BETWEEN 104001 AND 104040; DELETE FROM t WHERE id = 1;
       SET foreign_key_checks = 0; DELETE FROM p WHERE id = 1500; SET foreign_key_checks = 1; DELETE FROM c WHERE id = 1500; DELETE FROM s WHERE id = 1500""",
]


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as one:
        yield one


@pytest.fixture(scope="module")
def mysql_native():
    """Foreign key actions inside InnoDB, as before 9.6: not logged."""
    try:
        MySQL.prepare()
    except Unavailable as error:
        pytest.skip(str(error))
    with MySQL(options={"innodb_native_foreign_keys": "ON"}) as server:
        yield server


@pytest.fixture(params=["mariadb_a", "mysql_a", "mysql_native"])
def source(request):
    return request.getfixturevalue(request.param)


def rows(server, name):
    return sum(server.sql(f"SELECT COUNT(*) FROM {t}", db=name)[0][0] for t in TABLES if server.sql("SHOW TABLES LIKE %s", t, db=name))


def limit(service, job, rps):
    service.ok("ModifyDynamicConfig", {"DtsJobId": job, "JobCode": "03", "EnableLimit": "true" if rps else "false",
                                       **({"ConfigList": json.dumps({"dts.datamove.source.rps.max": str(rps)})} if rps else {})})


def start(service, source, target, name, **more):
    """A slow load of the tables, under way."""
    for server in (source, target):
        server.sql(f"DROP DATABASE IF EXISTS {name}")
    source.sql(f"CREATE DATABASE {name}")
    source.sql(SCHEMA, db=name)
    reserve = json.dumps({"autoStartModulesAfterConfig": "none", "fullDynamicConfig": {"dts.datamove.source.rps.max": "3000"}, "sluice.chunkRows": 500, "sluice.lanes": 2})
    job = configure(service, source, target, name, "SYNC", Reserve=reserve, **more)
    service.ok("StartDtsJob", {"DtsJobId": job})
    if wait_for(lambda: status(service, job), {"PreCheckPass", "Initializing", "PrecheckFailed"}) != "PrecheckFailed":
        service.ok("StartDtsJob", {"DtsJobId": job})
    return job


def pause(service, job, source, target, name, wanted):
    wait_for(lambda: bool(target.sql("SHOW DATABASES LIKE %s", name)) and rows(target, name) >= wanted, {True})
    service.ok("SuspendDtsJob", {"DtsJobId": job})
    wait_for(lambda: status(service, job), {"Suspending"})
    wait_for(lambda: target.sql("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE %s AND id <> CONNECTION_ID()", f"%{name}%")[0][0], {0})
    assert rows(target, name) < rows(source, name), "the load was over before it was interrupted"


def finish(service, job):
    service.ok("DeleteDtsJob", {"DtsJobId": job})
    assert receipt(service, job)["leftovers"] == []


def test_cascades_across_an_interrupted_load(service, source, mariadb_b):
    name = f"fk_{source.port}"
    job = start(service, source, mariadb_b, name)
    for i, changes in enumerate(CHANGES):
        pause(service, job, source, mariadb_b, name, 4000 * (i + 1))
        source.sql(changes, db=name)
        service.ok("StartDtsJob", {"DtsJobId": job})
    limit(service, job, 0)
    wait_for(lambda: status(service, job), {"Synchronizing"}, 90)
    source.sql("INSERT INTO p VALUES (777777, 7); DELETE FROM p WHERE id BETWEEN 600 AND 620; UPDATE p SET id = id + 200000 WHERE id BETWEEN 700 AND 720", db=name)
    wait_for(lambda: mariadb_b.sql("SELECT COUNT(*) FROM p WHERE id = 777777 OR id = 200720", db=name)[0][0], {2}, 60)
    assert_same(source, mariadb_b, [f"{name}.{t}" for t in TABLES])
    finish(service, job)


def test_rows_of_others_are_not_deleted(service, mariadb_a, mariadb_b):
    """A part of the load that must be done again is not taken back when somebody else's rows are in it."""
    name = "fk_others"
    job = start(service, mariadb_a, mariadb_b, name)
    pause(service, job, mariadb_a, mariadb_b, name, 4000)
    table = next(t for t in "cgs" if mariadb_b.sql(f"SELECT COUNT(*) FROM {t}", db=name)[0][0])
    mariadb_b.sql(f"INSERT INTO {table} (id, pad) VALUES (-1, 'of somebody else')", db=name)
    mariadb_a.sql(CHANGES[0], db=name)
    service.ok("StartDtsJob", {"DtsJobId": job})
    wait_for(lambda: status(service, job), {"InitializeFailed", "Failed"})
    text = service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
    assert "DestinationDiverged" in text and f"{name}.{table}" in text and "somebody else" in text, text
    assert mariadb_b.sql(f"SELECT COUNT(*) FROM {table} WHERE id = -1", db=name)[0][0] == 1
    finish(service, job)


def test_one_position_without_the_global_lock(service, mariadb_a, mariadb_b):
    """Without the RELOAD right every reader of MariaDB has a position of its own: then there is one reader."""
    name = "fk_unlocked"
    mariadb_a.sql(f"CREATE OR REPLACE USER '{name}'@'%' IDENTIFIED BY 'Sl-uice1'")
    mariadb_a.sql(f"GRANT SELECT, SHOW VIEW, REPLICATION SLAVE, REPLICATION CLIENT, BINLOG MONITOR ON *.* TO '{name}'@'%'")
    job = start(service, mariadb_a, mariadb_b, name, SourceEndpointUserName=name, SourceEndpointPassword="Sl-uice1")
    for i in range(20):
        mariadb_a.sql(f"DELETE FROM p WHERE id = {100 + i * 10}; UPDATE p SET id = id + 100000 WHERE id = {1001 + i}", db=name)
        time.sleep(0.05)
    limit(service, job, 0)
    wait_for(lambda: status(service, job), {"Synchronizing"}, 90)
    assert mariadb_b.sql("SELECT COUNT(DISTINCT position) FROM sluice.chunk WHERE job_id LIKE %s", f"{job}%")[0][0] == 1
    mariadb_a.sql("INSERT INTO a VALUES (777777, 7)", db=name)
    wait_for(lambda: mariadb_b.sql("SELECT COUNT(*) FROM a WHERE id = 777777", db=name)[0][0], {1})
    assert_same(mariadb_a, mariadb_b, [f"{name}.{t}" for t in TABLES])
    finish(service, job)
    mariadb_a.sql(f"DROP USER '{name}'@'%'")


def test_filtered_parent_is_refused(service, mariadb_a, mariadb_b):
    name = "fk_filter"
    objects = {name: {"name": name, "all": False, "Table": {**{t: {"name": t, "all": True} for t in TABLES}, "p": {"name": "p", "all": True, "filter": "id > 10"}}}}
    job = start(service, mariadb_a, mariadb_b, name, DbList=json.dumps(objects))
    assert status(service, job) == "PrecheckFailed"
    text = service.call("DescribePreCheckStatus", {"DtsJobId": job, "JobCode": "01"}).text
    assert "row filter" in text and f"{name}.p" in text, text
    finish(service, job)
