"""Prechecks of jobs with a PostgreSQL end: each item fails where it must, names object and reason, and turns green by the SQL of its RepairMethod."""

import re
import socket
import struct
import threading
from contextlib import contextmanager

import prechecks
import pytest
from jobs import delete
from prechecks import PASSWORD, name, run_sql, whole
from servers import PostgreSQL, Unavailable
from sluice import ROOT, Service, wait_for
from tcp_proxy import TcpProxy


class Check(prechecks.Check):
    covered = set()


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


@contextmanager
def place(*servers, sql="CREATE TABLE t (id int PRIMARY KEY, v int)", prefix="pc"):
    """A schema of one name at the servers, filled at the first; dropped everywhere afterwards."""
    schema = name(prefix)
    servers[0].make_place(schema)
    try:
        if sql:
            servers[0].sql_in(schema, sql)
        yield schema
    finally:
        for server in servers:
            if server.running:
                server.drop_place(schema)


@contextmanager
def role(*servers, attributes=""):
    user = name("u")
    for server in servers:
        server.sql(f"CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}' {attributes}")
    try:
        yield user
    finally:
        for server in servers:
            server.sql(f"DROP OWNED BY {user} CASCADE")
            server.sql(f"DROP ROLE {user}")


def account(user, *sides):
    return {f"{side}Endpoint{key}": value for side in sides for key, value in (("UserName", user), ("Password", PASSWORD))}


@pytest.fixture
def ends(postgresql_15, postgresql_15_b):
    return postgresql_15, postgresql_15_b


# ---- connections, versions, accounts ----


@pytest.mark.parametrize("side,item", [("Source", "CHECK_CONN_SRC"), ("Destination", "CHECK_CONN_DEST")])
def test_connection(service, ends, side, item):
    database = "DatabaseName" if side == "Source" else "DataBaseName"
    with place(ends[0]) as s:
        wrong = {"Port": ("1", ":1"), "UserName": ("nobody_here", "nobody_here"), "Password": ("not-it-9731", "login refused"), database: ("no_db_here", "no_db_here")}
        for parameter, (value, word) in wrong.items():
            check = Check(service, *ends, whole(s), **{f"{side}Endpoint{parameter}": value})
            got = check.bad(item, word, side.lower())
            assert "not-it-9731" not in str(check.answer)
            if parameter == database:
                assert got["RepairMethod"].split("\n")[-1] == "CREATE DATABASE \"no_db_here\";"
                run_sql(ends[side != "Source"], got["RepairMethod"])
                check.good(item)
                ends[side != "Source"].sql("DROP DATABASE no_db_here WITH (FORCE)")


def test_login_and_its_repair(service, ends):
    with place(ends[0]) as s, role(ends[0]) as user:
        check = Check(service, *ends, whole(s), SourceEndpointUserName=user, SourceEndpointPassword="Another-1")
        repair = check.bad("CHECK_CONN_SRC", user, "login refused")["RepairMethod"]
        run_sql(ends[0], repair.replace("<password>", "Another-1"))
        check.good("CHECK_CONN_SRC")
        ends[0].sql(f"ALTER ROLE {user} NOLOGIN")
        repair = check.bad("CHECK_CONN_SRC", user)["RepairMethod"]
        run_sql(ends[0], repair.replace("<password>", "Another-1"))
        check.good("CHECK_CONN_SRC")


def test_standby(service, postgresql_15_b):
    with PostgreSQL() as server, place(server) as s:
        check = Check(service, server, postgresql_15_b, whole(s))
        check.good("CHECK_SRC")
        server.stop()
        (server.data / "standby.signal").touch()
        server.start()
        check.bad("CHECK_SRC", "standby")
        server.sql("SELECT pg_promote()")
        check.good("CHECK_SRC")


def test_destination_older_than_source(service, postgresql_17, postgresql_15):
    with place(postgresql_17) as s:
        Check(service, postgresql_17, postgresql_15, whole(s)).bad("CHECK_SRC", "PostgreSQL 15", "17", state="Warning")


def test_same_place(service, ends):
    with place(ends[0]) as s:
        Check(service, ends[0], ends[0], whole(s), StructureInitialization="false").bad("CHECK_SAME_PLACE", f"{s}.t", "itself")
        Check(service, ends[0], ends[0], whole(s, name())).good("CHECK_SAME_PLACE")


def test_accounts(service, ends):
    """Without rights, then with what RepairMethod grants, item by item; the rights are enough to run the job, whose tables force their policies."""
    source, target = ends
    with role(*ends) as user, role(source) as owner, place(*ends) as s:
        source.sql_in(s, f"ALTER TABLE t OWNER TO {owner}; ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY; "
                         f"CREATE POLICY p ON t TO {owner} USING (id > 5); CREATE MATERIALIZED VIEW m AS SELECT * FROM t; INSERT INTO t VALUES (1, 1); "
                         "CREATE SEQUENCE apart; ALTER TABLE t ALTER v SET DEFAULT nextval('apart')")
        check = Check(service, source, target, whole(s), **account(user, "Source", "Destination"))
        check.bad("CHECK_PRIVILEGE_SRC", user, "REPLICATION", "CREATE on the database", f"USAGE on the schema {s}")
        check.bad("CHECK_REPLICATION_CONNECTION", "refuses")
        check.bad("CHECK_SUPER_AUTH_DEST", user, f"the schema {s}", "the schema sluice")
        run_sql(source, f"GRANT USAGE ON SCHEMA {s} TO {user};")
        first = check.bad("CHECK_PRIVILEGE_SRC", f"SELECT on {s}.t", owner, "row level security", f"SELECT on the sequence {s}.apart")
        assert f"GRANT {owner} TO {user};" in first["RepairMethod"]
        run_sql(source, first["RepairMethod"])
        check.good("CHECK_PRIVILEGE_SRC")
        check.good("CHECK_REPLICATION_CONNECTION")
        check.repaired("CHECK_SUPER_AUTH_DEST", target, user, "FORCE ROW LEVEL SECURITY")
        check.repaired("CHECK_ROLES", target, f"the role {owner}, which the policy {s}.t.p names")
        assert check.state == "PreCheckPass"
        job = service.ok("ConfigureDtsJob", check.params)["DtsJobId"]
        service.ok("CreateDtsInstance", {"JobId": job, "AutoStart": "true"})
        detail = lambda: service.ok("DescribeDtsJobDetail", {"DtsJobId": job})  # noqa: E731
        wait_for(lambda: detail().get("DataSynchronizationStatus", {}).get("Status") == "Catched" or "Failed" in detail()["Status"], {True})
        assert detail()["Status"] == "Migrating", detail()["ErrorMessage"]
        source.sql_in(s, "INSERT INTO t VALUES (2, 2)")
        wait_for(lambda: len(target.sql_in(s, "SELECT id FROM t")), {2})
        assert target.sql_in(s, "SELECT polname, relrowsecurity, relforcerowsecurity FROM pg_policy JOIN pg_class c ON c.oid = polrelid WHERE relname = 't'") == [("p", True, True)]
        delete(service, job)
        target.sql(f"DROP OWNED BY {owner}; DROP ROLE {owner}")


def test_rights_on_tables_that_are_there(service, ends):
    source, target = ends
    with role(target) as user, place(*ends) as s:
        target.sql(f"CREATE SCHEMA {s}; CREATE TABLE {s}.t (id serial PRIMARY KEY, v int); GRANT CREATE ON DATABASE postgres TO {user}; GRANT USAGE ON SCHEMA {s} TO {user}")
        check = Check(service, source, target, whole(s), StructureInitialization="false", **account(user, "Destination"))
        check.bad("CHECK_DEST_TABLE_EMPTY", f"{s}.t", "may not be read")
        check.repaired("CHECK_SUPER_AUTH_DEST", target, "SELECT, INSERT, UPDATE, DELETE", f"{s}.t", f"SELECT, UPDATE on the sequence {s}.t_id_seq")
        check.good("CHECK_DEST_TABLE_EMPTY")
        target.sql_in(s, "ALTER TABLE t ENABLE ROW LEVEL SECURITY")
        check.repaired("CHECK_SUPER_AUTH_DEST", target, user, f"row level security of {s}.t")
        # Without session_replication_role every trigger fires.
        target.sql_in(s, "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()")
        check.repaired("CHECK_TRIGGERS", target, f"g of {s}.t", "session_replication_role", state="Warning")
        target.sql_in(s, "ALTER TABLE t ENABLE ALWAYS TRIGGER g")
        check.repaired("CHECK_TRIGGERS", target, f"g of {s}.t", state="Warning")


def test_connections(service, ends):
    source, target = ends
    with role(*ends, attributes="REPLICATION CONNECTION LIMIT 3") as user, place(source) as s:
        check = Check(service, source, target, whole(s), **account(user, "Source", "Destination"))
        got = check.bad("CHECK_CONNECTIONS", user, "3 connections", state="Warning")
        run_sql(source, got["RepairMethod"])
        run_sql(target, got["RepairMethod"])
        check.good("CHECK_CONNECTIONS")
        source.sql("ALTER DATABASE postgres CONNECTION LIMIT 4")
        check.repaired("CHECK_CONNECTIONS", source, "the database postgres", state="Warning")


# ---- the log ----


def test_log_of_a_server_as_it_comes(service, postgresql_15_b):
    """wal_level, slots, walsenders and the settings that would end the job: all wrong, then as told."""
    options = {"wal_level": "replica", "max_replication_slots": 1, "max_wal_senders": 1, "wal_sender_timeout": "1s", "max_slot_wal_keep_size": "20MB",
               "logical_decoding_work_mem": "1MB", "idle_replication_slot_timeout": "1h", "max_connections": 5, "superuser_reserved_connections": 1}
    try:
        PostgreSQL.prepare(18)
    except Unavailable as error:
        pytest.skip(str(error))
    with PostgreSQL(version=18, options=options) as server, place(server) as s:
        check = Check(service, server, postgresql_15_b, whole(s))
        words = {"CHECK_WAL_LEVEL": ("replica",), "CHECK_REPLICATION_SLOTS": ("0 of 1 replication slots", "0 of 1 walsenders"), "CHECK_CONNECTIONS": ("5 connections",),
                 "CHECK_WAL_SETTINGS": ("wal_sender_timeout is 1000 ms", "max_slot_wal_keep_size is 20 MB", "logical_decoding_work_mem is 1024 kB", "idle_replication_slot_timeout")}
        for item, expected in words.items():
            run_sql(server, check.bad(item, *expected, state="Warning" if item in ("CHECK_WAL_SETTINGS", "CHECK_CONNECTIONS") else "Failed")["RepairMethod"])
        server.stop()
        server.start()
        for item in words:
            check.good(item)


def test_prepared_transactions(service, ends):
    with place(ends[0]) as s:
        check = Check(service, *ends, whole(s))
        gid = name("it's")
        ends[0].sql_in(s, f"BEGIN; INSERT INTO t VALUES (1, 1); PREPARE TRANSACTION '{gid.replace(chr(39), chr(39) * 2)}'")
        check.repaired("CHECK_LONG_TRANSACTIONS", ends[0], gid, "postgres", state="Warning")
        assert ends[0].sql_in(s, "SELECT id FROM t") == [(1,)]


def test_other_slots(service, ends):
    with place(ends[0]) as s:
        check = Check(service, *ends, whole(s))
        ends[0].sql("SELECT pg_create_logical_replication_slot('sluice_gone', 'pgoutput'), pg_create_physical_replication_slot('standby_1')")
        try:
            check.bad("CHECK_FAILOVER", "standby_1", state="Warning")
            check.repaired("CHECK_LEFTOVERS", ends[0], "sluice_gone", state="Warning")
        finally:
            ends[0].sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name IN ('sluice_gone', 'standby_1')")
        check.good("CHECK_FAILOVER")


def test_event_triggers(service, ends):
    """Not asked of a job that carries no changed definitions."""
    with place(ends[0]) as s, role(ends[0], attributes="REPLICATION") as user:
        ends[0].sql(f"GRANT CREATE ON DATABASE postgres TO {user}; GRANT ALL ON SCHEMA {s} TO {user}; ALTER TABLE {s}.t OWNER TO {user}")
        Check(service, *ends, whole(s), {"filterDDL": "true"}, **account(user, "Source")).good("CHECK_EVENT_TRIGGERS")
        Check(service, *ends, whole(s), **account(user, "Source")).repaired("CHECK_EVENT_TRIGGERS", ends[0], "Must be superuser", state="Warning")
        assert ends[0].sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'sluice_ddl'") == [(0,)]


def test_standbys_of_17(service, postgresql_17, postgresql_15):
    """From 17 on a primary can wait for those that have the job's slot."""
    server = postgresql_17
    with place(server) as s:
        check = Check(service, server, postgresql_15, whole(s))
        server.sql("SELECT pg_create_physical_replication_slot('standby_1'), pg_create_physical_replication_slot('standby_2')")
        try:
            check.repaired("CHECK_FAILOVER", server, "standby_1", "standby_2", state="Warning")
        finally:
            server.sql("ALTER SYSTEM RESET synchronized_standby_slots")
            server.sql("SELECT pg_reload_conf(), pg_drop_replication_slot('standby_1'), pg_drop_replication_slot('standby_2')")


class Pooler(TcpProxy):
    """Stands before a server as a pooler does: has process numbers of its own, and may refuse the connections that read the log."""

    def __init__(self, port, refuses):
        self.target, self.refuses = port, refuses
        super().__init__()

    def connected(self, client):
        threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    @staticmethod
    def _read(connection, n):
        data = b""
        while len(data) < n:
            piece = connection.recv(n - len(data))
            if not piece:
                raise OSError("closed")
            data += piece
        return data

    def _serve(self, client):
        try:
            while True:
                size = self._read(client, 4)
                body = self._read(client, struct.unpack("!I", size)[0] - 4)
                if struct.unpack("!I", body[:4])[0] not in (80877103, 80877104):  # SSLRequest, GSSENCRequest
                    break
                client.sendall(b"N")
            if self.refuses and b"replication\0" in body:
                fields = b"SFATAL\0C08P01\0Munsupported startup parameter: replication\0\0"
                client.sendall(b"E" + struct.pack("!I", len(fields) + 4) + fields)
                client.close()
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            server.sendall(size + body)
            threading.Thread(target=self._pipe, args=(client, server), daemon=True).start()
            while True:
                head = self._read(server, 5)
                rest = self._read(server, struct.unpack("!I", head[1:])[0] - 4)
                client.sendall(head + (struct.pack("!I", 1) + rest[4:] if head[:1] == b"K" else rest))
        except OSError:
            client.close()

    @staticmethod
    def _pipe(a, b):
        try:
            while piece := a.recv(65536):
                b.sendall(piece)
        except OSError:
            pass
        b.close()


def test_pooler(service, ends):
    with place(ends[0]) as s:
        for refuses, state in ((True, "Failed"), (False, "Warning")):
            pooler = Pooler(ends[0].port, refuses)
            check = Check(service, *ends, whole(s), SourceEndpointPort=str(pooler.port))
            got = check.bad("CHECK_REPLICATION_CONNECTION", "pooler", *(["unsupported startup parameter"] if refuses else []), state=state)
            assert "ModifyDtsJobEndpoint" in got["RepairMethod"]
            pooler.close()
        Check(service, *ends, whole(s)).good("CHECK_REPLICATION_CONNECTION")


IDENTITIES = {
    "no key": "CREATE TABLE t (a int)",
    "nothing": "CREATE TABLE t (a int PRIMARY KEY); ALTER TABLE t REPLICA IDENTITY NOTHING",
    "index gone": "CREATE TABLE t (a int NOT NULL); CREATE UNIQUE INDEX u ON t (a); ALTER TABLE t REPLICA IDENTITY USING INDEX u; DROP INDEX u",
    "leaf": "CREATE TABLE p (a int PRIMARY KEY) PARTITION BY RANGE (a); CREATE TABLE t PARTITION OF p FOR VALUES FROM (0) TO (10); ALTER TABLE t REPLICA IDENTITY NOTHING",
}


def test_identities(service, ends):
    with place(ends[0], sql="") as s:
        for sql in IDENTITIES.values():
            ends[0].sql_in(s, sql)
            Check(service, *ends, whole(s)).repaired("CHECK_REPLICA_IDENTITY", ends[0], f"{s}.t")
            ends[0].sql_in(s, "DROP TABLE IF EXISTS p, t")


def test_filters(service, ends):
    with place(ends[0], sql="CREATE TABLE t (id int PRIMARY KEY, v varchar(10)); INSERT INTO t VALUES (1, 'a')") as s:
        def objects(text):
            return {s: {"name": s, "all": False, "Table": {"t": {"name": "t", "filter": text}}}}

        Check(service, *ends, objects("nope = 1")).bad("CHECK_FILTERS", f"{s}.t", "nope")
        check = Check(service, *ends, objects("v = 'a'"))
        check.repaired("CHECK_FILTERS", ends[0], f"the filter of {s}.t uses the column v", "replica identity")
        ends[0].sql_in(s, "ALTER TABLE t REPLICA IDENTITY DEFAULT; UPDATE t SET v = 'b'")
        Check(service, *ends, objects("id > 1")).good("CHECK_FILTERS")
        assert ends[0].sql("SELECT pubname FROM pg_publication") == []


# ---- objects ----


def test_objects(service, ends):
    source = ends[0]
    with place(source) as s:
        check = Check(service, *ends, whole(s))
        check.good("CHECK_OBJECTS")
        Check(service, *ends, whole("no_such_schema")).bad("CHECK_OBJECTS", "schema no_such_schema does not exist")
        Check(service, *ends, {s: {"name": s, "all": False, "Table": {"gone": {"name": "gone", "all": True}}}}).bad("CHECK_OBJECTS", f"{s}.gone", "does not exist")
        source.sql_in(s, "ALTER TABLE t SET UNLOGGED")
        Check(service, *ends, whole(s), DataSynchronization="false").bad("CHECK_OBJECTS", f"{s}.t is unlogged", state="Warning")
        check.repaired("CHECK_OBJECTS", source, f"{s}.t is unlogged")
        source.sql_in(s, f"CREATE FOREIGN DATA WRAPPER w_{s}; CREATE SERVER r_{s} FOREIGN DATA WRAPPER w_{s}; CREATE FOREIGN TABLE f (id int) SERVER r_{s}; "
                         "CREATE TABLE child (PRIMARY KEY (id)) INHERITS (t); ALTER TABLE t ADD lob oid; SELECT lo_create(4711)")
        try:
            check.bad("CHECK_OBJECTS", f"foreign table {s}.f", f"{s}.child inherits from {s}.t", f"{s}.t.lob", state="Warning")
        finally:
            source.sql(f"SELECT lo_unlink(4711); DROP FOREIGN DATA WRAPPER w_{s} CASCADE")
        source.sql_in(s, "DROP TABLE child")
        check.good("CHECK_OBJECTS")


def test_objects_in_the_destination(service, ends):
    source, target = ends
    sql = "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE w (id int PRIMARY KEY); CREATE VIEW v AS SELECT id FROM t"
    with place(source, target, sql=sql) as s:
        target.make_place(s)
        target.sql_in(s, "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE TABLE v (id int PRIMARY KEY); CREATE MATERIALIZED VIEW w AS SELECT 1 AS id")
        check = Check(service, source, target, whole(s))
        check.repaired("CHECK_DEST_TABLE_EMPTY", target, f"{s}.t", "has rows")
        mode = Check(service, source, target, whole(s), reserve={"targetTableMode": "2"})
        mode.bad("CHECK_SAME_OBJ", f"TABLE {s}.v", f"MATERIALIZED VIEW {s}.w")
        target.sql_in(s, "INSERT INTO t VALUES (1)")
        mode.bad("CHECK_DEST_TABLE_EMPTY", f"{s}.t", state="Warning")
        check.repaired("CHECK_SAME_OBJ", target, f"TABLE {s}.t", f"TABLE {s}.v", f"MATERIALIZED VIEW {s}.w")
        Check(service, source, target, whole(s), StructureInitialization="false").bad("CHECK_OBJECTS", f"table {s}.t does not exist in the destination")


def test_foreign_key_closure(service, ends):
    with place(ends[0], sql='CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE "ch""ild" (id int PRIMARY KEY, CONSTRAINT fk FOREIGN KEY (id) REFERENCES p)') as s:
        child = {'ch"ild': {"name": "child", "all": True}}
        check = Check(service, *ends, {s: {"name": s, "all": False, "Table": child}})
        check.bad("CHECK_FK_CLOSURE", f'{s}.ch"ild', "fk", f"{s}.p", "not selected")
        Check(service, *ends, {s: {"name": s, "all": False, "Table": {**child, "p": {"name": "p", "all": True}}}}).good("CHECK_FK_CLOSURE")
        check.repaired("CHECK_FK_CLOSURE", ends[0], "fk")


KEYLESS = ["CREATE TABLE t (a int); ALTER TABLE t REPLICA IDENTITY FULL", "CREATE TABLE t (a int UNIQUE, row_id int); ALTER TABLE t REPLICA IDENTITY FULL",
           "CREATE TABLE t (a int, n int GENERATED ALWAYS AS IDENTITY); ALTER TABLE t REPLICA IDENTITY FULL"]


def test_keys(service, ends):
    with place(ends[0], sql="") as s:
        for sql in KEYLESS:
            ends[0].sql_in(s, sql + "; INSERT INTO t (a) VALUES (1), (2)")
            Check(service, *ends, whole(s)).repaired("CHECK_KEYS", ends[0], f"{s}.t", "neither a primary key", state="Warning")
            ends[0].sql_in(s, "INSERT INTO t (a) VALUES (3); DROP TABLE t")


def test_names(service, ends):
    """Two schemas into one: tables, views and indexes share their names."""
    source = ends[0]
    with place(source, sql="CREATE TABLE t (id int PRIMARY KEY, v int); CREATE INDEX i ON t (v)", prefix="pa") as one, place(
            source, sql="CREATE TABLE t2 (id int PRIMARY KEY, v int); CREATE INDEX i ON t2 (v); CREATE VIEW t AS SELECT 1 AS id", prefix="pb") as two:
        objects = {one: {"name": "merged", "all": True}, two: {"name": "merged", "all": True}}
        check = Check(service, *ends, objects)
        got = check.bad("CHECK_NAMES", f"table {one}.t and view {two}.t", '"merged"."t"', f"index i of {one}.t and index i of {two}.t2")
        run_sql(source, got["RepairMethod"])
        source.sql_in(two, "DROP VIEW t")
        check.good("CHECK_NAMES")
        for to in ("pg_mine", "information_schema", "sluice"):
            Check(service, *ends, whole(one, to)).bad("CHECK_NAMES", one, to, "belongs to")
        Check(service, *ends, {one: {"name": one, "all": False, "Table": {"t": {"name": "x" * 64, "all": True}}}}).bad("CHECK_NAMES", f"{one}.t", "longer than 63 bytes")


# ---- databases ----


def test_encodings(service, ends):
    source, target = ends
    for server, encoding in ((source, "SQL_ASCII"), (target, "LATIN1")):
        server.sql(f"CREATE DATABASE {encoding} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
    try:
        source.sql("CREATE SCHEMA s; CREATE TABLE s.t (id int PRIMARY KEY)", db="sql_ascii")
        with place(source) as s:
            Check(service, *ends, whole("s"), SourceEndpointDatabaseName="sql_ascii").bad("CHECK_ENCODING", "sql_ascii", "SQL_ASCII")
            Check(service, *ends, whole(s), DestinationEndpointDataBaseName="latin1").bad("CHECK_ENCODING", "latin1", "LATIN1", state="Warning")
            check = Check(service, *ends, whole(s))
            check.good("CHECK_ENCODING")
    finally:
        source.sql("DROP DATABASE sql_ascii WITH (FORCE)")
        target.sql("DROP DATABASE latin1 WITH (FORCE)")


def test_collation_of_another_version(service, ends):
    with place(ends[0]) as s:
        before = ends[0].sql("SELECT datcollversion, pg_database_collation_actual_version(oid) FROM pg_database WHERE datname = 'postgres'")[0]
        if before[1] is None:
            pytest.skip("the collation of this server's databases has no version")
        ends[0].sql("UPDATE pg_database SET datcollversion = '1.0' WHERE datname = 'postgres'")
        Check(service, *ends, whole(s)).repaired("CHECK_ENCODING", ends[0], "version 1.0", before[1], state="Warning")


def test_extensions(service, ends):
    source, target = ends
    if not source.sql("SELECT 1 FROM pg_available_extensions WHERE name = 'citext'"):
        pytest.skip("the server has no citext")
    source.sql("CREATE EXTENSION citext SCHEMA public")
    try:
        with place(source, sql="CREATE TABLE t (id int PRIMARY KEY, a public.citext[])") as s:
            check = Check(service, *ends, whole(s))
            check.repaired("CHECK_EXTENSIONS", target, "lacks the extension citext")
            target.sql("CREATE SCHEMA elsewhere; ALTER EXTENSION citext SET SCHEMA elsewhere")
            check.repaired("CHECK_EXTENSIONS", target, "citext lies in the schema elsewhere")
    finally:
        source.sql("DROP EXTENSION citext CASCADE")
        target.sql("DROP EXTENSION IF EXISTS citext; DROP SCHEMA IF EXISTS elsewhere")


# Items of jobs with a MySQL or MariaDB source: test_precheck.py. CHECK_TYPES: test_loss_report.py.
OF_OTHERS = {"CHECK_STORAGE_ENGINE", "CHECK_LOG_BIN", "CHECK_BINLOG_FORMAT", "CHECK_BINLOG_ROW_IMAGE", "CHECK_BINLOG_FILES", "CHECK_SERVER_ID", "CHECK_TYPES"}


def test_every_item_has_a_case(request):
    """Runs last: the tests above have seen every other item of docs/PRECHECKS.md fail or warn."""
    ran = {item.originalname for item in request.session.items if item.path == request.path}
    if {name for name in globals() if name.startswith("test_")} - ran:
        pytest.skip("only when the whole file runs")
    page = (ROOT / "docs/PRECHECKS.md").read_text()
    items = set(re.findall(r"^\| `(CHECK_\w+)` \|", page, re.M)) - OF_OTHERS
    assert len(items) >= 24
    assert items - Check.covered <= {"CHECK_EXTENSIONS"}  # which needs a server with extensions
