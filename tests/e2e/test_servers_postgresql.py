"""The PostgreSQL test servers: what the tests of PostgreSQL build on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import psycopg
import pytest
from servers import PostgreSQL, ServerError, Unavailable, account, process
from servers.cache import cache_dir

TESTS = Path(__file__).resolve().parents[1]
VERSIONS = [15, 17, 18]


@pytest.fixture(params=VERSIONS)
def version(request):
    try:
        PostgreSQL.prepare(request.param)
    except Unavailable as error:
        pytest.skip(str(error))
    return request.param


@pytest.fixture(params=VERSIONS)
def shared(request):
    return request.getfixturevalue(f"postgresql_{request.param}")


@pytest.fixture
def folder():
    """A folder that postgres may enter also when the tests run as root; pytest's own ones it may not."""
    path = Path(tempfile.mkdtemp(prefix="sluice-test-"))
    account.let_in(path)
    yield path
    shutil.rmtree(path)


def _children(pid):
    """Processes whose parent it is (field 4 of /proc/<pid>/stat, proc(5)); a bare Debian has no ps."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(entry.read_text(encoding="latin-1").rpartition(")")[2].split()[1])
        except OSError:  # ended meanwhile
            continue
        if parent == pid:
            found.append(int(entry.parent.name))
    return found


def _segments():
    with open("/proc/sysvipc/shm", encoding="ascii") as table:
        return {int(line.split()[1]) for line in list(table)[1:]}


def test_starts_in_time_and_leaves_nothing(version):
    before = time.monotonic()
    with PostgreSQL(version=version) as server:
        assert time.monotonic() - before < 10
        assert server.sql("SELECT 1") == [(1,)]
        pid, folder, segment = server.pid, server.dir, server.info()["shm_id"]
        family = [pid, *_children(pid)]
        assert folder.is_dir() and len(family) > 3 and segment in _segments()
    assert [p for p in family if process.start_ticks(p)] == []
    assert not folder.exists() and segment not in _segments()


def test_is_ready_for_logical_replication(shared):
    assert shared.sql("SHOW server_version_num")[0][0].startswith(str(shared.version))
    names = ["wal_level", "max_wal_senders", "max_replication_slots", "max_prepared_transactions", "fsync", "jit",
             "TimeZone", "listen_addresses", "port", "server_encoding", "password_encryption"]
    values = [shared.sql(f"SHOW {name}")[0][0] for name in names]
    assert values == ["logical", "20", "20", "10", "off", "off", "UTC", "127.0.0.1", str(shared.port), "UTF8",
                      "scram-sha-256"]


def test_does_not_run_as_root(shared):
    uid = Path(f"/proc/{shared.pid}").stat().st_uid
    assert uid != 0 and uid == shared.data.stat().st_uid


def test_runs_the_programs_of_the_cache(shared):
    program = Path(os.readlink(f"/proc/{shared.pid}/exe"))
    assert program.is_relative_to(cache_dir(shared=True))
    if shared.version == 15:
        share = shared.sql("SELECT setting FROM pg_config WHERE name = 'SHAREDIR'")[0][0]
        assert Path(share).is_relative_to(cache_dir(shared=True))


def test_sql_gives_the_last_result(shared):
    assert shared.sql("SELECT %s; SELECT %s, '%%'", 1, "ü'") == [("ü'", "%")]
    assert shared.sql("SELECT '%'; CREATE TABLE IF NOT EXISTS sql_none (a int)") == []


def test_crash_keeps_committed_rows_and_drops_others(version):
    with PostgreSQL(version=version) as server:
        server.sql("CREATE TABLE t (a int PRIMARY KEY)")
        server.sql("INSERT INTO t VALUES (1), (2)")
        open_transaction = server.connect(autocommit=False)
        open_transaction.execute("INSERT INTO t VALUES (3)")
        port, family = server.port, [server.pid, *_children(server.pid)]
        server.kill9()
        assert not server.running and [p for p in family if process.start_ticks(p)] == []
        server.start()
        assert server.port == port
        assert server.sql("SELECT a FROM t ORDER BY a") == [(1,), (2,)]
        assert "was not properly shut down" in (server.dir / "error.log").read_text(encoding="utf-8")


def test_stop_does_not_wait_for_clients(version):
    with PostgreSQL(version=version) as server:
        client = server.connect()
        server.stop(timeout_s=20)
        assert not server.running
        with pytest.raises(psycopg.OperationalError):
            client.execute("SELECT 1")
        server.start()
        assert server.sql("SELECT 1") == [(1,)]


def test_restart_and_options():
    options = {"max_slot_wal_keep_size": "64MB", "application_name": "it's \\ here", "wal_level": None}
    with PostgreSQL(options=options) as server:
        first = server.pid
        server.sql("ALTER SYSTEM SET max_connections = 17")
        server.restart()
        assert server.pid not in (0, first)
        names = ["max_slot_wal_keep_size", "application_name", "wal_level", "max_connections"]
        with server.connect() as connection:
            connection.execute("RESET application_name")
            assert [connection.execute(f"SHOW {name}").fetchone()[0] for name in names] == [
                "64MB", "it's \\ here", "replica", "17"]


def test_durable():
    with PostgreSQL(durable=True) as server:
        assert server.sql("SHOW fsync") == [("on",)]


def test_unknown_version():
    with pytest.raises(ValueError, match="no PostgreSQL 16"):
        PostgreSQL(version=16)


def test_each_server_has_its_own_identity(version):
    """Also in its write-ahead log: the second start reads what the first one wrote."""
    seen = set()
    for _ in range(2):
        with PostgreSQL(version=version) as server:
            server.sql("CREATE TABLE t AS SELECT 1 AS a")
            server.kill9()
            server.start()
            assert server.sql("TABLE t") == [(1,)]
            seen.add(server.sql("SELECT system_identifier FROM pg_control_system()")[0][0])
    assert len(seen) == 2


def test_logical_slot(shared):
    name = f"slot_{shared.version}"
    shared.sql(f"CREATE DATABASE {name}")
    shared.sql("CREATE TABLE t (a int PRIMARY KEY, b text)", db=name)
    shared.sql("SELECT pg_create_logical_replication_slot(%s, 'test_decoding')", name, db=name)
    shared.sql("INSERT INTO t VALUES (1, 'one')", db=name)
    changes = [row[0] for row in shared.sql(
        "SELECT data FROM pg_logical_slot_get_changes(%s, NULL, NULL)", name, db=name)]
    assert changes[1:-1] == ["table public.t: INSERT: a[integer]:1 b[text]:'one'"]
    shared.sql("SELECT pg_drop_replication_slot(%s)", name)


def test_pg_recvlogical_streams_pgoutput(shared):
    name = f"stream_{shared.version}"
    shared.sql(f"CREATE DATABASE {name}")
    shared.sql("CREATE TABLE t (a text); CREATE PUBLICATION p FOR ALL TABLES", db=name)
    tool = [*PostgreSQL.tool("pg_recvlogical"), f"--dbname={shared.conninfo(name)}", f"--slot={name}"]
    subprocess.run([*tool, "--create-slot", "--plugin=pgoutput"], check=True)
    shared.sql("INSERT INTO t VALUES ('streamed ü')", db=name)
    end = shared.sql("SELECT pg_current_wal_lsn()")[0][0]
    done = subprocess.run([*tool, "--start", "-f", "-", f"--endpos={end}", "-o", "proto_version=1", "-o",
                           "publication_names=p"], capture_output=True, check=True)
    assert "streamed ü".encode() in done.stdout
    subprocess.run([*tool, "--drop-slot"], check=True)


def test_password_login_over_tcp(shared):
    shared.sql("CREATE ROLE scram LOGIN PASSWORD 'pw one'")
    where = f"host=127.0.0.1 port={shared.port} dbname=postgres"
    for user, password in (("scram", "pw one"), (shared.user, shared.root_password)):
        with psycopg.connect(where, user=user, password=password) as connection:
            assert connection.execute("SELECT current_user, host(inet_client_addr())").fetchone() == (user, "127.0.0.1")
    for user, password in (("scram", "wrong"), (shared.user, "wrong")):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(where, user=user, password=password)
    shared.sql("DROP ROLE scram")


def test_client_programs(postgresql_15):
    sql = "SELECT 'ü', current_setting('port')"
    done = subprocess.run([*PostgreSQL.tool("psql"), *postgresql_15.client_args, "-XAt", "-c", sql],
                          capture_output=True, text=True, check=True)
    assert done.stdout == f"ü|{postgresql_15.port}\n"
    postgresql_15.sql("CREATE TABLE IF NOT EXISTS dumped (a int)")
    done = subprocess.run([*PostgreSQL.tool("pg_dump"), *postgresql_15.client_args, "--table=dumped"],
                          capture_output=True, text=True, check=True)
    assert "CREATE TABLE public.dumped" in done.stdout
    with pytest.raises(Unavailable, match="no program pg_nothing"):
        PostgreSQL.tool("pg_nothing")


def test_server_dies_with_a_killed_run(version):
    """SIGKILL of the test run takes the server and its processes along; the next server's start removes what is left."""
    script = textwrap.dedent(f"""
        import sys, threading, time
        sys.path.insert(0, {str(TESTS)!r})
        from servers import PostgreSQL
        server = PostgreSQL(version={version})
        thread = threading.Thread(target=server.start)
        thread.start(); thread.join()
        time.sleep(0.2)
        print(server.pid, server.info()["shm_id"], server.dir, flush=True)
        time.sleep(600)
    """)
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        pid, segment, folder = run.stdout.readline().split()
        family = {p: process.start_ticks(p) for p in [int(pid), *_children(int(pid))]}
        assert len(family) > 3 and None not in family.values()
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        assert process.wait_until(lambda: not any(process.is_alive(*member) for member in family.items()), 10)
        with PostgreSQL():
            assert not Path(folder).exists() and int(segment) not in _segments()
    finally:
        run.kill()
        run.stdout.close()


def test_failed_start_tells_why(folder):
    server = PostgreSQL(dir=folder / "d", options={"no_such_option": 1})
    with pytest.raises(ServerError, match="no_such_option"):
        server.start()
    assert not server.running


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts it under another account")
def test_folder_that_the_account_cannot_enter(tmp_path):
    tmp_path.chmod(0o700)
    with pytest.raises(ServerError, match=f"cannot enter .*{tmp_path.parts[2]}.*use another folder"):
        PostgreSQL(dir=tmp_path / "d").start()


def _cli(*args):
    return subprocess.run([sys.executable, "-S", "-m", "servers", *map(str, args)], cwd=TESTS, capture_output=True,
                          text=True, check=False)


def test_command_line(version, folder):
    """Started without site packages, survives its starter, found again, stopped, started again."""
    where = ("--dir", folder / "cli")
    start = ("start", "postgresql", *where, "--version", version)
    assert _cli("prepare", "postgresql", "--version", version).returncode == 0
    first = _cli(*start, "--option", "max_connections=21")
    assert first.returncode == 0, first.stderr
    info = json.loads(first.stdout)
    login = f"host=127.0.0.1 port={info['port']} dbname=postgres user={info['user']} password={info['password']}"
    try:
        connection = psycopg.connect(login, autocommit=True)
        assert connection.execute("SHOW max_connections").fetchone() == ("21",)
        assert json.loads(_cli(*start).stdout) == info
        other = _cli("start", "postgresql", *where, "--version", 15 if version != 15 else 17)
        assert other.returncode == 1 and f"holds a running postgresql {version}" in other.stderr
        stopped = _cli("stop", *where)  # with a client connected
    finally:
        killed = _cli("stop", "--kill", *where)
    assert (stopped.returncode, killed.returncode) == (0, 0), stopped.stderr + killed.stderr
    assert not process.is_alive(info["pid"], info["start_ticks"])
    assert info["shm_id"] not in _segments()
    again = json.loads(_cli(*start).stdout)
    assert _cli("stop", "--kill", *where).returncode == 0
    assert not process.is_alive(again["pid"], again["start_ticks"]) and again["shm_id"] not in _segments()
