"""Each precheck item fails where it must, names object and reason, and turns green by the SQL of its RepairMethod: real servers, through the API.

docs/PRECHECKS.md (printed from the program's table) says which items there are: an item without a case here fails test_every_item_has_a_case.
"""

import json
import re
from contextlib import contextmanager

import prechecks
import pytest
from prechecks import PASSWORD, name, run_sql, whole
from servers import MariaDB, MySQL, Unavailable
from sluice import ROOT, Service, endpoints, job_params, wait_for


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


@contextmanager
def database(*servers, sql="CREATE TABLE t (id INT PRIMARY KEY, v INT)", prefix="pc"):
    """A database of one name at the servers, filled at the first; dropped everywhere afterwards."""
    db = name(prefix)
    servers[0].sql(f"CREATE DATABASE {db} COLLATE utf8mb4_bin")
    try:
        if sql:
            servers[0].sql(sql, db=db)
        yield db
    finally:
        for server in servers:
            if server.running:
                server.sql(f"DROP DATABASE IF EXISTS {db}")


class Check(prechecks.Check):
    covered = set()


@contextmanager
def running(service, params):
    """The job of these parameters, in its stream; deleted without a trace afterwards."""
    job = service.ok("ConfigureDtsJob", params)["DtsJobId"]
    service.ok("CreateDtsInstance", {"JobId": job, "AutoStart": "true"})
    detail = lambda: service.ok("DescribeDtsJobDetail", {"DtsJobId": job})  # noqa: E731
    wait_for(lambda: detail().get("DataSynchronizationStatus", {}).get("Status") == "Catched" or "Failed" in detail()["Status"], {True})
    assert detail()["Status"] == "Migrating", detail()["ErrorMessage"]
    yield job
    service.ok("DeleteDtsJob", {"DtsJobId": job})
    wait_for(lambda: json.loads(service.ok("SluiceDescribeReceipt", {"DtsJobId": job})["Receipt"])["finished"], {True})
    assert service.ok("SluiceDescribeLeftovers", {"DtsJobId": job})["Leftovers"] == []


PAIRS = [("mariadb_a", "mysql_a"), ("mysql_a", "mariadb_a")]


@pytest.fixture(params=PAIRS, ids=["mariadb-mysql", "mysql-mariadb"])
def pair(request):
    return tuple(request.getfixturevalue(p) for p in request.param)


# ---- connections, versions, accounts ----


@pytest.mark.parametrize("side,item", [("Source", "CHECK_CONN_SRC"), ("Destination", "CHECK_CONN_DEST")])
def test_connection(service, mariadb_a, mysql_a, side, item):
    """Name, port, TLS and login fail with messages of their own."""
    with database(mariadb_a) as db:
        wrong = {"IP": ("no-such-host.invalid", "no-such-host.invalid"), "Port": ("1", ":1 "), "UserName": ("nobody_here", "nobody_here"), "Password": ("not-it-9731", "login refused")}
        texts = set()
        for parameter, (value, word) in wrong.items():
            check = Check(service, mariadb_a, mysql_a, whole(db), **{f"{side}Endpoint{parameter}": value})
            got = check.bad(item, word, side.lower())
            assert "not-it-9731" not in json.dumps(check.answer)
            texts.add(got["ErrDetail"].split(";")[-1] if parameter != "UserName" else got["ErrDetail"])
            assert [d["EndpointType"] for d in check.answer["NetworkDiagnosisResult"]["Diagnosis"]] == [side.lower()]
            other = "CHECK_CONN_DEST" if side == "Source" else "CHECK_CONN_SRC"
            assert check()[other]["State"] == "Success"
        if side == "Source":  # MariaDB has no TLS here
            Check(service, mariadb_a, mysql_a, whole(db), reserve={"srcSSL": "1"}).bad(item, "TLS is required")
        else:
            Check(service, mysql_a, mariadb_a, whole(db), reserve={"destSSL": "1"}).bad(item, "TLS is required")


def test_login_and_its_repair(service, pair):
    source, target = pair
    with database(source) as db:
        user = name("u")
        check = Check(service, source, target, whole(db), SourceEndpointUserName=user, SourceEndpointPassword=PASSWORD)
        try:
            repair = check.bad("CHECK_CONN_SRC", user, "login refused")["RepairMethod"]
            run_sql(source, repair.replace("<password>", PASSWORD))
            check.good("CHECK_CONN_SRC")
            source.sql(f"ALTER USER '{user}'@'%' ACCOUNT LOCK")
            check.repaired("CHECK_CONN_SRC", source, user, "locked")
        finally:
            source.sql(f"DROP USER IF EXISTS '{user}'@'%'")


@pytest.mark.parametrize("version,words", [("10.2.44-MariaDB", ("MariaDB 10.2", "10.3")), ("5.6.51", ("MySQL 5.6", "5.7"))])
def test_version_of_the_source(service, mariadb_b, version, words):
    """A server that gives itself out for an old one (the option `version`)."""
    with MariaDB(options={"version": version}) as old, database(old) as db:
        Check(service, old, mariadb_b, whole(db)).bad("CHECK_SRC", "the source is", *words)
        with database(mariadb_b) as there:
            Check(service, mariadb_b, old, whole(there)).bad("CHECK_SRC", "the destination is", words[0])


def test_destination_older_than_source(service, mariadb_a):
    with MariaDB(options={"version": "10.6.20-MariaDB"}) as older, database(mariadb_a) as db:
        Check(service, mariadb_a, older, whole(db)).bad("CHECK_SRC", "10.6", "10.11", state="Warning")


def test_accounts(service, pair):
    """Without rights, then with what RepairMethod grants, item by item; the rights are enough to run the job."""
    source, target = pair
    with database(source, target, sql="CREATE TABLE t (id INT PRIMARY KEY); CREATE TABLE other (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2); CREATE VIEW v AS SELECT id FROM t") as db:
        users = [name("u"), name("u")]
        for server, user in zip(pair, users):
            server.sql(f"CREATE USER '{user}'@'%' IDENTIFIED BY '{PASSWORD}'")
        objects = {db: {"name": db, "all": False, "Table": {"t": {"name": "t", "all": True}}, "View": {"v": {"name": "v"}}}}
        check = Check(service, source, target, objects, SourceEndpointUserName=users[0], SourceEndpointPassword=PASSWORD, DestinationEndpointUserName=users[1],
                      DestinationEndpointPassword=PASSWORD)
        try:
            first = check.bad("CHECK_PRIVILEGE_SRC", "SELECT", "REPLICATION SLAVE", users[0])
            assert f"GRANT SELECT ON `{db}`.`t` TO" in first["RepairMethod"] and "other" not in first["RepairMethod"]
            check.bad("CHECK_SUPER_AUTH_DEST", "INSERT", db, users[1])
            for _ in range(4):  # a repair can uncover the next finding: without SELECT the views are not seen
                items = check()
                for server, item in zip(pair, ("CHECK_PRIVILEGE_SRC", "CHECK_SUPER_AUTH_DEST")):
                    if items[item]["State"] == "Failed":
                        run_sql(server, items[item]["RepairMethod"])
            check.good("CHECK_PRIVILEGE_SRC")
            check.good("CHECK_SUPER_AUTH_DEST")
            assert check.state == "PreCheckPass"
            with running(service, check.params):
                assert [row[0] for row in target.sql("SELECT id FROM v ORDER BY id", db=db)] == [1, 2]
                source.sql("INSERT INTO t VALUES (3)", db=db)
                wait_for(lambda: len(target.sql("SELECT id FROM t", db=db)), {3})
        finally:
            for server, user in zip(pair, users):
                server.sql(f"DROP USER '{user}'@'%'")


# ---- objects ----


def test_objects(service, pair):
    source, target = pair
    with database(source, sql="CREATE TABLE t (id INT PRIMARY KEY)") as db:
        objects = {db: {"name": db, "all": False, "Table": {"t": {"name": "t", "all": True}, "gone": {"name": "gone", "all": True}}}}
        check = Check(service, source, target, objects)
        check.bad("CHECK_OBJECTS", f"{db}.gone", "does not exist")
        source.sql("CREATE TABLE gone (id INT PRIMARY KEY)", db=db)
        check.good("CHECK_OBJECTS")
        objects[db]["View"] = {"v": {"name": "v"}}
        check = Check(service, source, target, objects)
        check.bad("CHECK_OBJECTS", f"view {db}.v", "does not exist")
        source.sql("CREATE VIEW v AS SELECT id FROM t", db=db)
        check.good("CHECK_OBJECTS")
        Check(service, source, target, whole("no_such_db_here")).bad("CHECK_OBJECTS", "no_such_db_here")
        Check(service, source, target, {db: {"name": db, "all": False, "Table": {"t": {"name": "t", "column": {"nope": {"name": "nope"}}}}}}).bad("CHECK_OBJECTS", "nope", "no such column")


def test_versioned_table(service, mariadb_a, mariadb_b):
    with database(mariadb_a, sql="CREATE TABLE t (id INT PRIMARY KEY) WITH SYSTEM VERSIONING") as db:
        Check(service, mariadb_a, mariadb_b, whole(db)).bad("CHECK_OBJECTS", f"{db}.t", "system versioned")


def test_objects_in_the_destination(service, pair):
    source, target = pair
    sql = "CREATE TABLE t (id INT PRIMARY KEY); CREATE TABLE w (id INT PRIMARY KEY); CREATE VIEW v AS SELECT id FROM t"
    with database(source, target, sql=sql) as db:
        check = Check(service, source, target, whole(db))
        target.sql(f"CREATE DATABASE {db}")
        target.sql("CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1); CREATE TABLE v (id INT PRIMARY KEY); CREATE VIEW w AS SELECT 1", db=db)
        check.repaired("CHECK_DEST_TABLE_EMPTY", target, f"`{db}`.`t`", "has rows")
        mode = Check(service, source, target, whole(db), reserve={"targetTableMode": "2"})
        mode.bad("CHECK_SAME_OBJ", f"TABLE {db}.v", f"VIEW {db}.w")
        assert f"TABLE {db}.t" not in mode()["CHECK_SAME_OBJ"]["ErrDetail"]
        target.sql("INSERT INTO t VALUES (1)", db=db)
        mode.bad("CHECK_DEST_TABLE_EMPTY", f"`{db}`.`t`", state="Warning")
        # Told by what is there, not by what would be made: a table stands where a view shall be and the other way round.
        check.repaired("CHECK_SAME_OBJ", target, f"TABLE {db}.t", f"TABLE {db}.v", f"VIEW {db}.w")
        assert target.sql("SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA=%s", db)[0][0] == 0


def test_foreign_key_closure(service, pair):
    source, target = pair
    sql = "CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE `ch``ild` (id INT PRIMARY KEY, CONSTRAINT fk FOREIGN KEY (id) REFERENCES p (id))"
    with database(source, sql=sql) as db:
        child = {"ch`ild": {"name": "child", "all": True}}
        check = Check(service, source, target, {db: {"name": db, "all": False, "Table": child}})
        got = check.bad("CHECK_FK_CLOSURE", f"{db}.ch`ild", "fk", f"{db}.p", "not selected")
        assert f"{db}.p to DbList" in got["RepairMethod"]
        Check(service, source, target, {db: {"name": db, "all": False, "Table": {**child, "p": {"name": "p", "all": True}}}}).good("CHECK_FK_CLOSURE")
        check.repaired("CHECK_FK_CLOSURE", source, "fk")


KEYLESS = ["CREATE TABLE t (a INT)", "CREATE TABLE t (a INT, row_id INT, UNIQUE KEY (a))", "CREATE TABLE t (a INT, n INT AUTO_INCREMENT, KEY (n))"]


@pytest.mark.parametrize("sql", KEYLESS, ids=["plain", "nullable-unique", "numbered"])
def test_keys(service, pair, sql):
    source, target = pair
    with database(source, sql=sql + "; INSERT INTO t (a) VALUES (1), (2)") as db:
        check = Check(service, source, target, whole(db))
        check.repaired("CHECK_KEYS", source, f"{db}.t", "neither a primary key", state="Warning")
        source.sql("INSERT INTO t (a) VALUES (3)", db=db)


# ---- names ----


def test_names_of_tables_and_views(service, pair):
    """Two databases into one: tables with tables, views with tables, whatever their names were before."""
    source, target = pair
    with database(source, sql="CREATE TABLE t (id INT PRIMARY KEY); CREATE TABLE x (id INT PRIMARY KEY)", prefix="pa") as one, database(
            source, sql="CREATE TABLE t (id INT PRIMARY KEY); CREATE VIEW v AS SELECT id FROM t", prefix="pb") as two:
        check = Check(service, source, target, {one: {"name": "merged", "all": True}, two: {"name": "merged", "all": True}})
        got = check.bad("CHECK_NAMES", f"table {one}.t and table {two}.t", "`merged`.`t`")
        assert "map one" in got["RepairMethod"]
        renamed = {one: {"name": "merged", "all": True, "Table": {"x": {"name": "v"}}}, two: {"name": "merged", "all": True, "Table": {"t": {"name": "t2"}}}}
        Check(service, source, target, renamed).bad("CHECK_NAMES", f"table {one}.x and view {two}.v", "`merged`.`v`")
        renamed[two]["View"] = {"v": {"name": "v2"}}
        Check(service, source, target, renamed).good("CHECK_NAMES")


def test_names_of_foreign_keys(service, pair):
    """The names of foreign keys are unique in the target database: between merged databases, and against what is there."""
    source, target = pair
    # MySQL wants the names of checks unique in a schema too, MariaDB does not.
    unique_checks = target.kind == "mysql"
    sql = "CREATE TABLE p{0} (id INT PRIMARY KEY); CREATE TABLE c{0} (id INT PRIMARY KEY, CONSTRAINT {1} FOREIGN KEY (id) REFERENCES p{0} (id) ON DELETE CASCADE, CONSTRAINT {2} CHECK (id > 0))"
    with database(source, target, sql=sql.format(1, "fk_x", "ck_x"), prefix="pa") as one, database(source, sql=sql.format(2, "FK_X", "CK_X"), prefix="pb") as two:
        check = Check(service, source, target, {one: {"name": one, "all": True}, two: {"name": one, "all": True}})
        got = check.bad("CHECK_NAMES", "foreign key FK_X", f"{two}.c2", f"{one}.c1")
        assert ("check CK_X" in got["ErrDetail"]) == unique_checks
        run_sql(source, got["RepairMethod"])
        check.good("CHECK_NAMES")
        assert "ON DELETE CASCADE" in source.sql("SHOW CREATE TABLE c2", db=two)[0][1]
        # Against what stands in the target already.
        target.sql(f"CREATE DATABASE {one}")
        target.sql("CREATE TABLE q (id INT PRIMARY KEY); CREATE TABLE mine (id INT PRIMARY KEY, CONSTRAINT Fk_X FOREIGN KEY (id) REFERENCES q (id))", db=one)
        check.repaired("CHECK_NAMES", source, "foreign key fk_x", f"{one}.mine of the destination")


def test_names_of_accented_constraints(service, mariadb_a, mysql_a):
    """MySQL takes é for e in the names of constraints."""
    sql = "CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (id INT PRIMARY KEY, CONSTRAINT `cl\u00e9` FOREIGN KEY (id) REFERENCES p (id)); CREATE TABLE d (id INT PRIMARY KEY, CONSTRAINT `cle` FOREIGN KEY (id) REFERENCES p (id))"
    with database(mariadb_a, mysql_a, sql=sql) as db:
        Check(service, mariadb_a, mariadb_a, whole(db, name())).good("CHECK_NAMES")
        Check(service, mariadb_a, mysql_a, whole(db)).repaired("CHECK_NAMES", mariadb_a, "foreign key cle", f"{db}.c")


def test_names_of_system_databases(service, pair):
    source, target = pair
    with database(source) as db:
        for to in ("mysql", "Sluice", "performance_schema"):
            Check(service, source, target, whole(db, to)).bad("CHECK_NAMES", db, to, "belongs to")


def test_names_without_case(service, mariadb_a):
    """A destination that does not tell capitals apart: collisions, objects that are there, and the job itself."""
    with MariaDB(options={"lower_case_table_names": 1}) as target:
        sql = "CREATE TABLE Orders (id INT PRIMARY KEY, v INT); CREATE TABLE `\u00c4pfel` (id INT PRIMARY KEY); INSERT INTO Orders VALUES (1, 1)"
        with database(mariadb_a, target, sql=sql) as db:
            upper = db.upper()
            check = Check(service, mariadb_a, target, whole(db, upper))
            check.good("CHECK_NAMES")
            mariadb_a.sql("CREATE TABLE orders (id INT PRIMARY KEY); CREATE VIEW `\u00e4pfel` AS SELECT 1 AS one", db=db)
            check.bad("CHECK_NAMES", f"{db}.Orders", f"{db}.orders", f"{db}.\u00c4pfel", f"{db}.\u00e4pfel", "lower_case_table_names")
            Check(service, mariadb_a, mariadb_a, whole(db, upper)).good("CHECK_NAMES")
            mariadb_a.sql("DROP TABLE orders; DROP VIEW `\u00e4pfel`", db=db)
            target.sql(f"CREATE DATABASE {upper}; CREATE TABLE {upper}.`\u00e4PFEL` (id INT PRIMARY KEY)")
            check.repaired("CHECK_SAME_OBJ", target, "\u00c4pfel")
            with running(service, check.params):
                assert target.sql("SELECT id, v FROM orders", db=db) == [(1, 1)]
                mariadb_a.sql("INSERT INTO Orders VALUES (2, 2); UPDATE Orders SET v = 3 WHERE id = 1; INSERT INTO `\u00c4pfel` VALUES (5)", db=db)
                wait_for(lambda: target.sql("SELECT (SELECT GROUP_CONCAT(v ORDER BY id) FROM orders), (SELECT MAX(id) FROM `\u00e4pfel`)", db=db), [[("3,2", 5)]])


# ---- filters ----

FILTERS = [("v = ", True, "end of the filter"), ("length(v) = 1", False, "a function"), ("nope = 1", True, "nope"), ("v = 'x' /*", True, "")]


@pytest.mark.parametrize("condition,always,word", FILTERS)
def test_filters(service, pair, condition, always, word):
    """With a stream the condition is evaluated here and must be of the known forms; a load alone takes what the server takes."""
    source, target = pair
    with database(source, sql="CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10))") as db:
        def objects(text):
            return {db: {"name": db, "all": False, "Table": {"t": {"name": "t", "filter": text}}}}

        got = Check(service, source, target, objects(condition)).bad("CHECK_FILTERS", f"{db}.t", word)
        assert "docs/FILTERS.md" in got["RepairMethod"]
        load = Check(service, source, target, objects(condition), DataSynchronization="false")
        if always:
            load.bad("CHECK_FILTERS", f"{db}.t", "the source refuses")
        else:
            load.bad("CHECK_FILTERS", f"{db}.t", word, "interrupted", state="Warning")
        Check(service, source, target, objects("id > 1 AND v IS NOT NULL")).good("CHECK_FILTERS")


def test_column_list_without_the_key(service, pair):
    source, target = pair
    with database(source) as db:
        Check(service, source, target, {db: {"name": db, "all": False, "Table": {"t": {"name": "t", "column": {"v": {"name": "v"}}}}}}).bad("CHECK_FILTERS", f"{db}.t", "primary key")


# ---- the binary log ----


@pytest.fixture(params=[MariaDB, MySQL], ids=["mariadb", "mysql"])
def kind(request):
    try:
        request.param.prepare()
    except Unavailable as error:
        pytest.skip(str(error))
    return request.param


@pytest.fixture(scope="module", params=[MariaDB, MySQL], ids=["mariadb", "mysql"])
def logging(request):
    """A server of its own whose log is spoiled by the tests, and repaired by what they are told."""
    try:
        request.param.prepare()
    except Unavailable as error:
        pytest.skip(str(error))
    with request.param(options={"binlog_ignore_db": "secret_db"}) as server:
        yield server


def test_no_binary_log(service, kind, mariadb_b):
    off = {"log_bin": None} if kind is MariaDB else {"log_bin": None, "skip_log_bin": True}
    with kind(options=off) as source, database(source) as db:
        check = Check(service, source, mariadb_b, whole(db))
        # A load alone has no consistent point without it either.
        Check(service, source, mariadb_b, whole(db), DataSynchronization="false").bad("CHECK_LOG_BIN", "no binary log")
        assert "CHECK_LOG_BIN" not in Check(service, source, mariadb_b, whole(db), DataSynchronization="false", DataInitialization="false")()
        got = check.bad("CHECK_LOG_BIN", "no binary log")
        for line in re.findall(r"put (.*) under", got["RepairMethod"])[0].split(" and "):
            option, value = line.split("=")
            source._options[option] = value
        source._options.pop("skip_log_bin", None)
        source.restart()
        check.good("CHECK_LOG_BIN")


def test_a_log_of_some_databases(service, logging, mariadb_b):
    with database(logging) as db:
        Check(service, logging, mariadb_b, whole(db)).bad("CHECK_LOG_BIN", "only some databases", "secret_db")


SETTINGS = [("binlog_format", "STATEMENT", "CHECK_BINLOG_FORMAT"), ("binlog_row_image", "MINIMAL", "CHECK_BINLOG_ROW_IMAGE")]


@pytest.mark.parametrize("variable,value,item", SETTINGS, ids=[s[2] for s in SETTINGS])
def test_log_settings(service, logging, mariadb_b, variable, value, item):
    source = logging
    with database(source) as db:
        source.sql(f"SET GLOBAL {variable} = {value}")
        assert source.sql(f"SELECT @@GLOBAL.{variable}")[0][0] == value
        Check(service, source, mariadb_b, whole(db), DataSynchronization="false").bad(item, variable, value, state="Warning")
        Check(service, source, mariadb_b, whole(db)).repaired(item, source, variable, value)


def test_missing_log_files(service, logging, mariadb_b):
    source = logging
    with database(source) as db:
        for _ in range(4):
            source.sql("FLUSH BINARY LOGS")
        files = [row[0] for row in source.sql("SHOW BINARY LOGS")]
        if source.kind == "mariadb":  # which purges no file that a crash recovery would read: a thread of its own notes, a little later, that none but the last is one
            noted = lambda: any(row[2] == "Binlog_checkpoint" and row[5] == files[-1] for row in source.sql(f"SHOW BINLOG EVENTS IN '{files[-1]}'"))  # noqa: E731
            wait_for(noted, {True})
        check = Check(service, source, mariadb_b, whole(db))
        check.good("CHECK_BINLOG_FILES")
        for lost in (files[1], files[2]):
            (source.data / lost).unlink()
        check.repaired("CHECK_BINLOG_FILES", source, files[1], files[2], "missing")
        assert [row[0] for row in source.sql("SHOW BINARY LOGS")][0] == files[3]


def test_server_id(service, logging, mariadb_b):
    source = logging
    with database(source) as db:
        check = Check(service, source, mariadb_b, whole(db))
        source.sql("SET GLOBAL server_id = 1")
        check.repaired("CHECK_SERVER_ID", source, "server_id of the source is 1", state="Warning")
        try:
            source.sql("SET GLOBAL server_id = 0")
        except Exception:  # noqa: BLE001 - MariaDB takes 1 at least: nothing to find there
            assert source.kind == "mariadb"
            return
        if source.sql("SELECT @@GLOBAL.server_id")[0][0] == 0:
            check.repaired("CHECK_SERVER_ID", source, "server_id of the source is 0")


# ---- storage engines ----


def test_storage_engine(service, pair):
    source, target = pair
    with database(source, sql="CREATE TABLE t (id INT PRIMARY KEY) ENGINE=MyISAM") as db:
        Check(service, source, target, whole(db)).repaired("CHECK_STORAGE_ENGINE", source, f"{db}.t", "MyISAM", state="Warning")
    with database(source, sql="CREATE TABLE a (id INT PRIMARY KEY) ENGINE=MyISAM; CREATE TABLE m (id INT PRIMARY KEY) ENGINE=MERGE UNION=(a)") as db:
        Check(service, source, target, whole(db)).repaired("CHECK_STORAGE_ENGINE", source, f"{db}.m", "does not log its rows")


# ---- skipping ----


def test_skip_goes_on(service, mariadb_a, mariadb_b):
    """SkipPreCheck of the one failed item: the task checks again and runs."""
    with database(mariadb_a, mariadb_b) as db:
        mariadb_b.sql(f"CREATE DATABASE {db}")
        mariadb_b.sql("CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (7, 7)", db=db)
        mariadb_a.sql("INSERT INTO t VALUES (1, 1)", db=db)
        params = job_params(endpoints(mariadb_a, mariadb_b), db, StructureInitialization="false")
        job = service.ok("ConfigureDtsJob", params)["DtsJobId"]
        service.ok("CreateDtsInstance", {"JobId": job, "AutoStart": "true"})
        detail = lambda: service.ok("DescribeDtsJobDetail", {"DtsJobId": job})  # noqa: E731
        wait_for(lambda: detail()["Status"], {"PrecheckFailed"})
        refused = service.call("SkipPreCheck", {"DtsJobId": job, "Skip": "true", "SkipPreCheckItems": '["CHECK_OBJECTS"]'})
        assert (refused.status, refused.json["DynamicMessage"]) == (400, "SkipPreCheckItems") and "cannot be skipped" in refused.text
        refused = service.call("SkipPreCheck", {"DtsJobId": job, "Skip": "true", "SkipPreCheckItems": '["CHECK_KEYS"]', "JobId": "another"})
        assert (refused.status, refused.json["DynamicMessage"]) == (400, "JobId")
        assert detail()["Status"] == "PrecheckFailed"
        answer = service.ok("SkipPreCheck", {"DtsJobId": job, "Skip": "true", "SkipPreCheckNames": '["CHECK_DEST_TABLE_EMPTY_DETAIL"]', "JobId": job})
        assert (answer["SkipItems"], answer["SkipNames"]) == ("CHECK_DEST_TABLE_EMPTY", "CHECK_DEST_TABLE_EMPTY_DETAIL")
        wait_for(lambda: detail().get("DataSynchronizationStatus", {}).get("Status"), {"Catched"})
        assert mariadb_b.sql("SELECT id FROM t ORDER BY id", db=db) == [(1,), (7,)]
        item = next(i for i in service.ok("DescribePreCheckStatus", {"DtsJobId": job, "JobCode": "01"})["JobProgress"] if i["Item"] == "CHECK_DEST_TABLE_EMPTY")
        assert (item["State"], item["Skip"], item["IgnoreFlag"]) == ("Failed", True, "Y")
        service.ok("DeleteDtsJob", {"DtsJobId": job})


# Items of jobs with a PostgreSQL end: test_postgresql_precheck.py.
OF_POSTGRESQL = {"CHECK_TYPES", "CHECK_WAL_LEVEL", "CHECK_REPLICATION_SLOTS", "CHECK_REPLICATION_CONNECTION", "CHECK_LONG_TRANSACTIONS", "CHECK_WAL_SETTINGS", "CHECK_FAILOVER",
                 "CHECK_LEFTOVERS", "CHECK_EVENT_TRIGGERS", "CHECK_REPLICA_IDENTITY", "CHECK_ENCODING", "CHECK_EXTENSIONS", "CHECK_ROLES", "CHECK_TRIGGERS", "CHECK_CONNECTIONS", "CHECK_SAME_PLACE"}


def test_every_item_has_a_case(request):
    """Runs last: the tests above have seen every item of docs/PRECHECKS.md fail or warn."""
    ran = {item.originalname for item in request.session.items if item.path == request.path}
    if {name for name in globals() if name.startswith("test_")} - ran:
        pytest.skip("only when the whole file runs")
    try:
        MySQL.prepare()
    except Unavailable as error:
        pytest.skip(str(error))
    page = (ROOT / "docs/PRECHECKS.md").read_text()
    items = set(re.findall(r"^\| `(CHECK_\w+)` \|", page, re.M)) - OF_POSTGRESQL
    assert len(items) >= 18
    assert items == Check.covered
