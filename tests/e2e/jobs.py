"""What tests of whole jobs share: the pairings, a database to move, the calls of a job's life, what two servers hold besides it."""

import json
import os
import re
import signal
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest
from servers import compare
from sluice import endpoints, job_params, wait_for

LONG = bool(os.environ.get("SLUICE_TEST_LONG"))
FAILED = {"PrecheckFailed", "MigrationFailed", "InitializeFailed", "Failed"}
# Source and destination fixtures of each pairing. A "database" of a job is a place of its servers (servers/base.py): a schema in PostgreSQL.
MYSQL_PAIRS = {"mariadb-mariadb": ("mariadb_a", "mariadb_b"), "mariadb-mysql": ("mariadb_a", "mysql_a"), "mysql-mariadb": ("mysql_a", "mariadb_a"),
               "mysql-mysql": ("mysql_a", "mysql_b")}
PAIRS = MYSQL_PAIRS | {"mariadb-pg": ("mariadb_a", "postgresql_15"), "mysql-pg": ("mysql_a", "postgresql_15"),
                       "pg-mariadb": ("postgresql_15", "mariadb_a"), "pg-mysql": ("postgresql_15", "mysql_a"), "pg-pg": ("postgresql_15", "postgresql_15_b"),
                       "pg-pg17": ("postgresql_15", "postgresql_17"), "pg18-pg": ("postgresql_18", "postgresql_15")}


def each_pair(*default, among=MYSQL_PAIRS):
    """Parametrizes `pair` (conftest.py): the default pairings, all of `among` in a long run or without a default."""
    return pytest.mark.parametrize("pair", among if LONG or not default else default, indirect=True)


def insert(server, db, first, last, value="'x'"):
    """Rows first..last into t in one transaction; value: SQL, {id} is the row's number."""
    rows = ",".join(f"({i},{value.format(id=i)})" for i in range(first, last + 1))
    server.sql_in(db, f"INSERT INTO t VALUES {rows}")


@contextmanager
def database(source, target, rows=1000, prefix="job_"):
    """A database with a table t(id, v) at the source; dropped at both ends afterwards."""
    name = prefix + uuid.uuid4().hex[:8]
    source.make_place(name)
    source.sql_in(name, "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(50))")
    insert(source, name, 1, rows, "'v{id}'")
    try:
        yield name
    finally:
        for server in (source, target):
            if server.running:
                server.drop_place(name)


@contextmanager
def up(server):
    """A server that the test kills runs again afterwards."""
    try:
        yield
    finally:
        server.start()


# --- calls ---


def status(s, job):
    return s.ok("DescribeDtsJobDetail", {"DtsJobId": job})["Status"]


def configure(s, source, target, name, kind, **more):
    return s.ok("ConfigureDtsJob", job_params(endpoints(source, target), name, JobType=kind, **more))["DtsJobId"]


def reach(s, job, *states, timeout_s=60):
    """Waits for one of the states; a failure is shown with the job's own words."""
    got = wait_for(lambda: status(s, job), set(states) | FAILED, timeout_s)
    assert got in states, f"{got}: " + s.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
    return got


def run_until(s, job, *states):
    """Buys and starts a configured job; waits for one of the states."""
    s.ok("CreateDtsInstance", {"JobId": job, "AutoStart": "true"})
    return reach(s, job, *states)


def worker_pid(s, job=r"\S+"):
    """Process id and epoch of the worker that was started last."""
    found = re.findall(rf"event=started kind=worker job={job}\S* pid=(\d+) epoch=(\d+)", s.log())
    return (int(found[-1][0]), int(found[-1][1])) if found else (0, 0)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def worker_away(s, job):
    """Within, the worker stands still; afterwards it is killed, and another one has been started."""
    pid, epoch = worker_pid(s, job)
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: alive(pid), {False}, 60)
    wait_for(lambda: worker_pid(s, job)[1] > epoch, {True}, 60)


def has_place(server, name):
    """A place of that name (sluice: what jobs keep at their destination) is on the server."""
    return server.sql("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = %s", name)[0][0] > 0


def count(server, name):
    return server.sql(f"SELECT COUNT(*), COALESCE(SUM(id),0) FROM {name}.t")[0]


def same_count(source, target, name):
    wait_for(lambda: count(source, name) == count(target, name), {True}, 30)


def assert_same(source, target, names):
    """The same rows in both by their servers' own functions; like servers by CHECKSUM TABLE too."""
    compare.assert_same(source, target, [(name, name) for name in names])
    if source.kind == target.kind and source.family == "mysql":
        for name in names:
            assert source.sql(f"CHECKSUM TABLE {name}") == target.sql(f"CHECKSUM TABLE {name}"), name


# --- deletions ---


def receipt(s, job, timeout_s=60):
    """The receipt once the deletion is finished."""
    def read():
        return json.loads(s.ok("SluiceDescribeReceipt", {"DtsJobId": job})["Receipt"])
    wait_for(lambda: read()["finished"] is True, {True}, timeout_s)
    return read()


def leftovers(s, job):
    return s.ok("SluiceDescribeLeftovers", {"DtsJobId": job})["Leftovers"]


def delete(s, job):
    """Deletes the job; the receipt, in which nothing is left."""
    s.ok("DeleteDtsJob", {"DtsJobId": job})
    r = receipt(s, job)
    assert r["leftovers"] == []
    return r


def assert_gone(s, job, **ids):
    for params in ({"DtsJobId": job}, *([ids] if ids else [])):
        answer = s.call("DescribeDtsJobDetail", params)
        assert (answer.status, answer.json["Code"]) == (404, "Forbidden.InstanceNotFound")
    for kind in ("SYNC", "MIGRATION"):
        assert job not in s.call("DescribeDtsJobs", {"JobType": kind, "PageSize": 500}).text


def assert_clean(server, job):
    """Nothing of the job in the schema sluice."""
    tables = [row[0] for row in server.sql("SELECT table_name FROM information_schema.tables WHERE table_schema='sluice'")]
    for table in tables:
        assert server.sql(f"SELECT COUNT(*) FROM sluice.{table} WHERE job_id LIKE %s", job + "%")[0][0] == 0, table


# --- everything a server holds ---

_NOT_HIDDEN = "oid >= 16384 AND {}::regnamespace::text !~ '^pg_(toast|temp)'"
_PARTS = {"mysql": {
    "schemas": "SELECT schema_name FROM information_schema.schemata",
    "tables": "SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema NOT IN ('information_schema', 'performance_schema')",
    "routines": "SELECT routine_schema, routine_name FROM information_schema.routines",
    "triggers": "SELECT trigger_schema, trigger_name FROM information_schema.triggers",
    "events": "SELECT event_schema, event_name FROM information_schema.events",
    "users": "SELECT user, host FROM mysql.user",
    "rights": "SELECT grantee, privilege_type, is_grantable FROM information_schema.user_privileges",
    "schema rights": "SELECT grantee, table_schema, privilege_type FROM information_schema.schema_privileges",
    "prepared transactions": "XA RECOVER",
    "locks": "SELECT IS_FREE_LOCK('sluice')",
    "settings": "SHOW GLOBAL VARIABLES WHERE Variable_name NOT LIKE '%gtid%'",
}, "postgresql": {
    "databases": "SELECT datname, datacl::text FROM pg_database",
    "schemas": "SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_(toast|temp)'",
    "relations": "SELECT relnamespace::regnamespace::text, relname, relkind::text, relreplident::text, relacl::text FROM pg_class WHERE " + _NOT_HIDDEN.format("relnamespace"),
    "routines": "SELECT pronamespace::regnamespace::text, proname FROM pg_proc WHERE oid >= 16384",
    "types": "SELECT typnamespace::regnamespace::text, typname FROM pg_type WHERE " + _NOT_HIDDEN.format("typnamespace"),
    "triggers": "SELECT relnamespace::regnamespace::text, relname, tgname, tgenabled::text FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT tgisinternal",
    "event triggers": "SELECT evtname FROM pg_event_trigger",
    "roles": "SELECT rolname, rolsuper, rolreplication, rolconfig::text FROM pg_roles",
    "memberships": "SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members",
    "slots": "SELECT slot_name FROM pg_replication_slots",
    "publications": "SELECT pubname FROM pg_publication",
    "subscriptions": "SELECT subname FROM pg_subscription",
    "origins": "SELECT roname FROM pg_replication_origin",
    "extensions": "SELECT extname FROM pg_extension",
    "large objects": "SELECT oid FROM pg_largeobject_metadata",
    "prepared transactions": "SELECT gid FROM pg_prepared_xacts",
    "locks": "SELECT classid, objid FROM pg_locks WHERE locktype = 'advisory'",
    "settings": "SELECT name, setting FROM pg_settings WHERE name NOT IN ('application_name', 'transaction_isolation')",
    "settings of roles": "SELECT setdatabase, setrole, setconfig::text FROM pg_db_role_setting",
}}
_CLIENTS = {
    "mysql": "SELECT id, command, info FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND "
             "user NOT IN ('system user', 'event_scheduler') AND command <> 'Daemon'",
    "postgresql": "SELECT pid, backend_type, query FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type IN ('client backend', 'walsender')",
}


def inventory(server, db):
    """Everything on the server that a job might leave, but for the database that was moved."""
    with server.connect() as c, c.cursor() as cursor:
        found = {}
        for part, sql in _PARTS[server.family].items():
            cursor.execute(sql)
            found[part] = sorted(map(str, (row for row in cursor.fetchall() if db not in map(str, row))))
        return found


def connections(server):
    """Client connections but our own, as (id, command, statement)."""
    with server.connect() as c, c.cursor() as cursor:
        cursor.execute(_CLIENTS[server.family])
        return tuple(cursor.fetchall())


def assert_as_before(server, db, before):
    """The server holds what it held, besides the moved database."""
    now = inventory(server, db)
    assert {part: now[part] for part in now if now[part] != before[part]} == {}


def assert_no_connections(server):
    """Nobody else is connected; the reader of a binary log is noticed to be gone at the next heartbeat."""
    wait_for(lambda: connections(server), [()], 15)
