"""The test servers themselves: what every other end-to-end test builds on."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pymysql
import pytest
from servers import MariaDB, MySQL, ServerError, Unavailable, process

TESTS = Path(__file__).resolve().parents[1]
LIMIT_S = {MariaDB: 10, MySQL: 30}


@pytest.fixture(params=[MariaDB, MySQL], ids=["mariadb", "mysql"])
def kind(request):
    try:
        request.param.prepare()
    except Unavailable as error:
        pytest.skip(str(error))
    return request.param


@pytest.fixture(params=["mariadb_a", "mysql_a"])
def shared(request):
    return request.getfixturevalue(request.param)


def test_starts_in_time_and_leaves_nothing(kind):
    before = time.monotonic()
    with kind() as server:
        assert time.monotonic() - before < LIMIT_S[kind]
        assert server.sql("SELECT 1") == [(1,)]
        pid, folder = server.pid, server.dir
        assert folder.is_dir() and process.start_ticks(pid)
    assert process.start_ticks(pid) is None
    assert not folder.exists()


def test_binlog_is_row_and_full(shared):
    names = "@@log_bin, @@binlog_format, @@binlog_row_image, @@server_id"
    assert shared.sql(f"SELECT {names}") == [(1, "ROW", "FULL", shared.port)]
    assert (shared.data / "binlog.000001").is_file()


def test_crash_keeps_committed_rows_and_drops_others(kind):
    with kind() as server:
        server.sql("CREATE DATABASE d; CREATE TABLE d.t (a INT PRIMARY KEY)")
        server.sql("INSERT INTO d.t VALUES (1), (2)")
        open_transaction = server.connect(autocommit=False)
        open_transaction.cursor().execute("INSERT INTO d.t VALUES (3)")
        port = server.port
        server.kill9()
        assert not server.running
        server.start()
        assert server.port == port
        assert server.sql("SELECT a FROM d.t ORDER BY a") == [(1,), (2,)]


def test_restart_and_options():
    with MariaDB(options={"binlog_row_image": "MINIMAL", "max_connections": 17}) as server:
        first = server.pid
        server.restart()
        assert server.pid not in (0, first)
        assert server.sql("SELECT @@binlog_row_image, @@max_connections") == [("MINIMAL", 17)]


def test_two_servers_at_once(mariadb_a, mariadb_b):
    assert mariadb_a.port != mariadb_b.port
    mariadb_a.sql("CREATE DATABASE only_a")
    assert mariadb_b.sql("SHOW DATABASES LIKE 'only_a'") == []
    assert len({s.sql("SELECT @@server_id")[0] for s in (mariadb_a, mariadb_b)}) == 2


def test_mysql_servers_differ_and_use_gtids(mysql_a, mysql_b):
    rows = {s.sql("SELECT @@server_uuid, @@gtid_mode")[0] for s in (mysql_a, mysql_b)}
    assert len(rows) == 2 and {mode for _, mode in rows} == {"ON"}


def test_mysql_without_gtids(mysql_a):
    with MySQL(gtid=False) as server:
        assert server.sql("SELECT @@gtid_mode") == [("OFF",)]


def _tcp(port, user, password):
    connection = pymysql.connect(host="127.0.0.1", port=port, user=user, password=password)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT USER()")
        return cursor.fetchone()[0]


def test_login_mysql_native_password(mariadb_a):
    mariadb_a.sql("CREATE OR REPLACE USER n@'%%' IDENTIFIED VIA mysql_native_password "
                  "USING PASSWORD(%s)", "pw one")
    assert _tcp(mariadb_a.port, "n", "pw one") == "n@127.0.0.1"
    with pytest.raises(pymysql.err.OperationalError, match="1045"):
        _tcp(mariadb_a.port, "n", "wrong")


def test_login_caching_sha2_password(mysql_a):
    mysql_a.sql("CREATE USER IF NOT EXISTS c@'%%' IDENTIFIED WITH caching_sha2_password BY %s",
                "pw two")
    for _ in range(2):  # full exchange first, then the cached one
        assert _tcp(mysql_a.port, "c", "pw two") == "c@127.0.0.1"
    with pytest.raises(pymysql.err.OperationalError, match="1045"):
        _tcp(mysql_a.port, "c", "wrong")


def test_client_programs(shared):
    done = subprocess.run(["mariadb", *shared.client_args, "-N", "-e", "SELECT 'ü', @@port"],
                          capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["ü", str(shared.port)]


def test_mysqlbinlog_reads_a_binlog(mysql_a):
    log = mysql_a.sql("SHOW BINARY LOG STATUS")[0][0]  # other tests share the server and have rotated its log
    mysql_a.sql("CREATE DATABASE seen_in_binlog; FLUSH BINARY LOGS")
    done = subprocess.run([*MySQL.tool("mysqlbinlog"), "--no-defaults",
                           str(mysql_a.data / log)],
                          capture_output=True, text=True, check=True)
    assert "seen_in_binlog" in done.stdout and "SET @@SESSION.GTID_NEXT" in done.stdout


def test_server_dies_with_a_killed_run(kind):
    """SIGKILL of the test run takes the server along, even if a short-lived thread started it."""
    script = textwrap.dedent(f"""
        import sys, threading, time
        sys.path.insert(0, {str(TESTS)!r})
        from servers import {kind.__name__} as Kind
        server = Kind()
        thread = threading.Thread(target=server.start)
        thread.start(); thread.join()
        time.sleep(0.2)
        print(server.pid, server.dir, flush=True)
        time.sleep(600)
    """)
    run = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    try:
        pid, folder = run.stdout.readline().split()
        ticks = process.start_ticks(int(pid))
        assert ticks is not None
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        assert process.wait_until(lambda: not process.is_alive(int(pid), ticks), 5)
        with MariaDB():  # the next server's start removes what the killed run left
            assert not Path(folder).exists()
    finally:
        run.kill()
        run.stdout.close()


def test_failed_start_tells_why(tmp_path):
    server = MariaDB(dir=tmp_path / "d", options={"no_such_option": 1})
    with pytest.raises(ServerError, match="no-such-option"):
        server.start()
    assert not server.running


def _cli(*args):
    return subprocess.run([sys.executable, "-S", "-m", "servers", *map(str, args)], cwd=TESTS,
                          capture_output=True, text=True, check=False)


def test_command_line(kind, tmp_path):
    """Started without site packages, survives its starter, found again, stopped, started again."""
    folder = tmp_path / "cli"
    first = _cli("start", kind.kind, "--dir", folder, "--option", "max_connections=21")
    assert first.returncode == 0, first.stderr
    info = json.loads(first.stdout)
    try:
        assert _tcp(info["port"], "root", info["password"]) == "root@127.0.0.1"
        again = json.loads(_cli("start", kind.kind, "--dir", folder).stdout)
        assert again == info
    finally:
        stopped = _cli("stop", "--dir", folder)
    assert stopped.returncode == 0, stopped.stderr
    assert not process.is_alive(info["pid"], info["start_ticks"])
    assert _cli("stop", "--dir", folder).returncode == 0

