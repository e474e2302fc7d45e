"""What changes or fails between families is told before the first row (CHECK_TYPES), with the rows concerned, and is chosen in Reserve."""

import json
import re
import uuid
from contextlib import contextmanager

import prechecks
import pytest
from jobs import FAILED, configure, delete, run_until
from prechecks import whole
from sluice import Service, wait_for


class Check(prechecks.Check):
    pass


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


@contextmanager
def place(source, target, sql):
    name = "loss_" + uuid.uuid4().hex[:8]
    source.make_place(name)
    try:
        source.sql_in(name, sql)
        yield name
    finally:
        for server in (source, target):
            server.drop_place(name)


# Column by column: name, type, value that has no form in PostgreSQL, rule, and for each choice what arrives ("" is NULL).
COLUMNS = [
    ("d_null", "DATE", "'0000-00-00'", "T15", "null", None),
    ("d_sentinel", "DATETIME(3)", "'2020-00-10 11:12:13.5'", "T15", "sentinel:1970-01-01", "1970-01-01 00:00:00"),
    ("d_text", "DATE NOT NULL", "'2021-02-31'", "T15", "text", "2021-02-31"),
    ("n_strip", "VARCHAR(20)", "'a\\0b'", "T9", "strip", "ab"),
    ("n_replace", "TEXT", "'a\\0b'", "T9", "replace", "a\ufffdb"),
    ("b", "TINYINT(1)", "2", "T3", "boolean", "true"),
    ("u", "BIGINT UNSIGNED", "18446744073709551615", "T1", "bigint", "7"),
]
TABLE = ("SET sql_mode='ALLOW_INVALID_DATES'; CREATE TABLE t (id INT PRIMARY KEY, " + ", ".join(f"{c[0]} {c[1]}" for c in COLUMNS) + "); "
         "INSERT INTO t VALUES (1, '2020-01-01', '2020-01-01', '2020-01-01', 'x', 'x', 1, 1), "
         + ", ".join(f"({i}, {', '.join(c[2] for c in COLUMNS)})" for i in (5, 6, 7, 8)) + "; DELETE FROM t WHERE id = 6; "
         "CREATE VIEW v AS SELECT MAX(id) AS id FROM t; CREATE PROCEDURE p() SELECT 1")


def sluice(service, *arguments):
    return service.client(*arguments).stdout


def assert_report(service, job, s):
    """`sluice job report` has what the prechecks found of types, and what is not carried."""
    report = json.loads(sluice(service, "job", "report", job, "--output", "json"))
    assert report["DtsJobId"] == job and report["State"] == "Finished"
    found = {f["Text"]: f for f in report["Findings"]}
    text = next(t for t in found if t.startswith(f"T15: {s}.t.d_null: "))
    assert text.endswith("; 3 rows: id=5; id=7; id=8") and found[text]["Item"] == "CHECK_TYPES" and found[text]["State"] == "Warning"
    column = found[text]
    assert [column[k] for k in ("Effect", "Kind", "Schema", "Table", "Column", "SourceType", "TargetType", "Rule", "Choice", "Rows", "FirstRows")] == [
        "Change", "column", s, "t", "d_null", "date", "date", "T15", "null", 3, "id=5; id=7; id=8"], column
    routine = found[f"procedure {s}.p is not carried"]
    assert (routine["Item"], routine["Effect"], routine["Kind"], routine["Object"]) == ("CHECK_OBJECTS", "Omission", "procedure", "p") and "SELECT 1" in routine["SourceText"]
    view = next(f for f in report["Findings"] if f.get("Kind") == "view")
    assert (view["Effect"], view["Schema"], view["Object"]) == ("Omission", s, "v") and "`id`" in view["SourceText"]
    assert report["TotalRecordCount"] == len(report["Findings"])
    assert any("sluice.types T15" in c for c in report["Choices"])
    shown = sluice(service, "job", "report", job)
    assert text in shown and f"procedure {s}.p" in shown and "SELECT 1" in shown and "sluice.types T15" in shown


def assert_servers_are_named(service, job):
    """DTS knows MariaDB as MySQL; job show says what the server is."""
    assert service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["SourceEndpoint"]["EngineName"] == "MySQL"
    shown = sluice(service, "job", "show", job)
    assert "(MariaDB) as " in shown and "(PostgreSQL) as " in shown and "(MySQL)" not in shown, shown


def test_rows_that_have_no_form(service, mariadb_a, postgresql_15):
    source, target = mariadb_a, postgresql_15
    with place(source, target, TABLE) as s:
        check = Check(service, source, target, whole(s))
        got = check.bad("CHECK_TYPES", *(f"{rule}: {s}.t.{column}: " for column, _, _, rule, _, _ in COLUMNS if rule in ("T15", "T9")))
        lines = {line.split(": ")[1].split(".")[-1]: line for line in got["ErrDetail"].split("\n")}
        for column in ("d_null", "d_sentinel", "d_text", "n_strip", "n_replace"):
            assert lines[column].endswith("; 3 rows: id=5; id=7; id=8"), lines[column]
        assert "b" not in lines and "u" not in lines  # fine by default
        assert got["CanSkip"] and "sluice.types T15: error, null, sentinel:... or text" in got["RepairMethod"]
        # The statements list the rows.
        for statement in re.findall(r"^SELECT .*?;", got["RepairMethod"], re.M):
            assert sorted(source.sql(statement)) == [(5,), (7,), (8,)], statement
        # What a user chooses wins, column by column; two choices do not help their rows.
        choices = {f"{s}.t.{column}": f"{rule}={choice}" for column, _, _, rule, choice, _ in COLUMNS}
        chosen = Check(service, source, target, whole(s), reserve={"sluice.types": choices}, SourceEndpointEngineName="MySQL")
        got = chosen.bad("CHECK_TYPES", f"T3: {s}.t.b: ", f"T1: {s}.t.u: ", "3 rows: id=5; id=7; id=8")
        assert f"{s}.t.d_text" not in got["ErrDetail"] and len(got["ErrDetail"].split("\n")) == len(COLUMNS), got["ErrDetail"]  # a text has room for every day; the view is told
        source.sql_in(s, "UPDATE t SET b = 1, u = 7")
        items = chosen()
        assert items["CHECK_TYPES"]["State"] == "Warning" and chosen.state == "PreCheckPass", items["CHECK_TYPES"]
        assert "3 rows: id=5; id=7; id=8" in items["CHECK_TYPES"]["ErrDetail"]
        job = service.ok("ConfigureDtsJob", {**chosen.params, "DataSynchronization": "false"})["DtsJobId"]
        run_until(service, job, "Finished")
        assert_report(service, job, s)
        assert_servers_are_named(service, job)
        for column, _, _, _, _, wanted in COLUMNS:
            assert target.sql_in(s, f"SELECT {column}::text FROM t WHERE id = 7") == [(wanted,)], column
        assert target.sql_in(s, "SELECT count(*), count(d_null) FROM t") == [(4, 1)]
        delete(service, job)


def test_choice_for_the_whole_job(service, mariadb_a, postgresql_15):
    """One word for all columns; live changes follow it as well."""
    source, target = mariadb_a, postgresql_15
    sql = "SET sql_mode='ALLOW_INVALID_DATES'; CREATE TABLE t (id INT PRIMARY KEY, d DATE, v VARCHAR(20)); INSERT INTO t VALUES (1, '0000-00-00', 'a\\0')"
    with place(source, target, sql) as s:
        check = Check(service, source, target, whole(s), reserve={"sluice.types": {"T15": "null", "T9": "strip"}})
        items = check()
        assert items["CHECK_TYPES"]["State"] == "Warning" and "1 row: id=1" in items["CHECK_TYPES"]["ErrDetail"]
        job = service.ok("ConfigureDtsJob", check.params)["DtsJobId"]
        run_until(service, job, "Migrating")
        wait_for(lambda: service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["DataSynchronizationStatus"]["Status"], {"Catched"})
        source.sql_in(s, "SET sql_mode='ALLOW_INVALID_DATES'; INSERT INTO t VALUES (2, '0000-00-00', '\\0b')")
        wait_for(lambda: target.sql_in(s, "SELECT * FROM t ORDER BY id"), [[(1, None, "a"), (2, None, "b")]])
        delete(service, job)
        bad = service.call("ConfigureDtsJob", {**check.params, "Reserve": json.dumps({"sluice.types": {"T15": "nul"}})})
        assert bad.status == 400 and "T15" in bad.text and "sentinel" in bad.text


def test_rows_of_postgresql(service, postgresql_15, mariadb_a):
    """The other way: NaN, infinite dates, and a table without a finding."""
    source, target = postgresql_15, mariadb_a
    sql = ("CREATE TABLE t (id int PRIMARY KEY, f float8, d date); CREATE TABLE fine (id int PRIMARY KEY, v int); "
           "INSERT INTO t VALUES (1, 1, '2020-01-01'), (2, 'NaN', 'infinity'), (3, '-Infinity', '2020-01-01')")
    with place(source, target, sql) as s:
        check = Check(service, source, target, whole(s), DataSynchronization="false")
        got = check.bad("CHECK_TYPES", f"T42: {s}.t.f: ", "2 rows: id=2; id=3", f"T56: {s}.t.d: ", "1 row: id=2")
        assert "fine" not in got["ErrDetail"]
        for statement in re.findall(r"^SELECT .*?;", got["RepairMethod"], re.M):
            assert (2,) in source.sql(statement), statement
        chosen = Check(service, source, target, whole(s), DataSynchronization="false", reserve={"sluice.types": {"T42": "null", f"{s}.t.d": "sentinel:9999-12-31"}})
        assert chosen()["CHECK_TYPES"]["State"] == "Warning" and chosen.state == "PreCheckPass"


def test_extensions_of_the_destination(service, mariadb_a, postgresql_15):
    """Shapes are carried as such where the destination has PostGIS: it need be known by name only, the values would need its code."""
    source, target = mariadb_a, postgresql_15
    with place(source, target, "CREATE TABLE t (id INT PRIMARY KEY, g POINT)") as s:
        check = Check(service, source, target, whole(s), DataSynchronization="false")
        check.bad("CHECK_TYPES", f"{s}.t.g", "no PostGIS", state="Warning")
        target.sql("INSERT INTO pg_extension SELECT 47110, 'postgis', 10, 'public'::regnamespace, true, '3.3.2', NULL, NULL")
        try:
            check.good("CHECK_TYPES")
            # A table that was made before would take the EWKB for the bytes themselves.
            target.sql(f"CREATE SCHEMA {s}; CREATE TABLE {s}.t (id int PRIMARY KEY, g bytea)")
            job = configure(service, source, target, s, "MIGRATION", StructureInitialization="false", DataSynchronization="false")
            service.ok("CreateDtsInstance", {"JobId": job, "AutoStart": "true"})
            wait_for(lambda: service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["Status"], FAILED)
            assert "made when the destination had no PostGIS" in service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
            delete(service, job)
        finally:
            target.sql("DELETE FROM pg_extension WHERE extname = 'postgis'")


def prechecked(service, check):
    """A job whose prechecks have run."""
    job = service.ok("ConfigureDtsJob", check.params)["DtsJobId"]
    service.ok("StartDtsJob", {"DtsJobId": job})
    wait_for(lambda: service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["Status"], {"PreCheckPass", "PrecheckFailed"})
    return job


def test_report_of_many_findings(service, mariadb_a, postgresql_15):
    """None is lost: an item's text names the first 50, the report has all of them, page by page."""
    source, target = mariadb_a, postgresql_15
    columns = ", ".join(f"c{i} DATE" for i in range(130))
    with place(source, target, f"CREATE TABLE t (id INT PRIMARY KEY, {columns}); SET sql_mode = ''; INSERT INTO t VALUES (1{', 0' * 130})") as s:
        job = prechecked(service, Check(service, source, target, whole(s)))
        pages = [service.ok("SluiceDescribeReport", {"DtsJobId": job, "PageNumber": str(n), "PageSize": "60"}) for n in (1, 2, 3, 4)]
        assert [p["PageRecordCount"] for p in pages] == [60, 60, 10, 0] and {p["TotalRecordCount"] for p in pages} == {130}
        assert {f["Column"] for p in pages for f in p["Findings"]} == {f"c{i}" for i in range(130)}
        assert {(f["Effect"], f["State"], f["Rows"]) for p in pages for f in p["Findings"]} == {("Obstacle", "Failed", 1)}
        assert service.call("SluiceDescribeReport", {"DtsJobId": job, "PageSize": "501"}).status == 400
        assert json.loads(sluice(service, "job", "report", job, "--output", "json"))["TotalRecordCount"] == 130
        service.ok("StartDtsJob", {"DtsJobId": job})  # again: none is there twice
        wait_for(lambda: service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["Status"], {"PrecheckFailed"})
        wait_for(lambda: service.ok("SluiceDescribeReport", {"DtsJobId": job})["TotalRecordCount"], {130})
        delete(service, job)


OBJECTS = """CREATE TABLE t (id int PRIMARY KEY, v text, d text DEFAULT md5('a'), CHECK (v ~ '^a')); CREATE INDEX lowered ON t (lower(v)); CREATE VIEW seen AS SELECT id FROM t WHERE v LIKE 'a%';
CREATE MATERIALIZED VIEW kept AS SELECT count(*) AS n FROM t; CREATE FUNCTION twice(i int) RETURNS int LANGUAGE sql AS 'SELECT i * 2';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER fires BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TYPE pair AS (a int, b int); CREATE FUNCTION pair_of(i int) RETURNS pair LANGUAGE sql AS 'SELECT ROW(i, i)::{s}.pair'; CREATE CAST (int AS pair) WITH FUNCTION pair_of(int);
CREATE FUNCTION ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER e_{s} ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION ddl(); ALTER EVENT TRIGGER e_{s} DISABLE"""


def test_report_of_objects_that_are_not_carried(service, postgresql_15, postgresql_15_b, mariadb_a):
    """With the text that the source has."""
    source = postgresql_15
    with place(source, mariadb_a, "SELECT 1") as s:
        source.sql_in(s, OBJECTS.replace("{s}", s))
        try:
            job = prechecked(service, Check(service, source, mariadb_a, whole(s), DataSynchronization="false"))
            found = {(f["Kind"], f.get("Object", f.get("Column"))): f for f in service.ok("SluiceDescribeReport", {"DtsJobId": job})["Findings"] if f["Effect"] == "Omission"}
            texts = {("index", "lowered"): "lower(v)", ("view", "seen"): "~~ 'a%'", ("materialized view", "kept"): "count(*)", ("function", "twice(i integer)"): "SELECT i * 2",
                     ("trigger", "t.fires"): "BEFORE INSERT", ("default", "d"): "md5('a'", ("check", "t_v_check"): "~ '^a'", ("cast", f"integer AS {s}.pair"): f"WITH FUNCTION {s}.pair_of(integer)",
                     ("event trigger", f"e_{s}"): "WHEN TAG IN ('CREATE TABLE')"}
            for key, text in texts.items():
                assert text in found[key]["SourceText"], (key, found[key])
            delete(service, job)
            job = prechecked(service, Check(service, source, postgresql_15_b, whole(s)))
            found = {(f["Kind"], f["Object"]): f for f in service.ok("SluiceDescribeReport", {"DtsJobId": job})["Findings"]}
            assert set(found) == {("cast", f"integer AS {s}.pair"), ("event trigger", f"e_{s}")}
            assert {(f["Effect"], f["Item"]) for f in found.values()} == {("Omission", "CHECK_OBJECTS")}
            delete(service, job)
        finally:
            source.sql(f"DROP EVENT TRIGGER e_{s}; DROP CAST (int AS {s}.pair)")
