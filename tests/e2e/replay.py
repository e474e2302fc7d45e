"""Driving the stream and the applier without the service (tests/drivers/mysql_replay.c): a link of a source and a target, and a proxy that breaks it."""

import json
import os
import socket
import subprocess
import time
from pathlib import Path

import pytest
from servers.compare import assert_same
from tcp_proxy import TcpProxy, pump

PAIRS = [("mariadb_a", "mariadb_b"), ("mariadb_a", "mysql_a"), ("mysql_a", "mariadb_a"), ("mysql_a", "mysql_b")]
BUILD = Path(os.environ.get("SLUICE_TEST_BUILD", Path(__file__).resolve().parents[2] / "build" / "asan"))
DRIVER = BUILD / "tests" / "drivers" / "mysql_replay"
serial = iter(range(1, 1000000))


def end(server, port=None):
    return {"host": "127.0.0.1", "port": port or server.port, "user": "root", "password": server.root_password}


def drive(**request):
    done = subprocess.run([str(DRIVER)], input=json.dumps(request), capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return json.loads(done.stdout)


def drive_around(action, **request):
    """The action happens after the job has read the catalog."""
    with subprocess.Popen([str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdin.write(json.dumps({**request, "wait": True}))
        process.stdin.flush()
        first = process.stdout.readline()
        if first.strip() != "ready":
            return json.loads(first)
        try:
            action()
        finally:
            out, errors = process.communicate("\n", timeout=180)
        assert not errors, errors
        return json.loads(out)


class Link:
    """A database on a source and its copy on a target, with the position where the copy was made."""

    def __init__(self, source, target, tables, target_tables=None):
        self.source, self.target = source, target
        self.db = f"st{next(serial)}_{os.getpid()}"
        self.job = f"job-{self.db}"
        for server, ddl in ((source, tables), (target, target_tables or tables)):
            server.sql(f"DROP DATABASE IF EXISTS {self.db}; CREATE DATABASE {self.db} CHARACTER SET utf8mb4")
            if ddl:
                server.sql(ddl, db=self.db)
        self.start = self.position()

    def position(self):
        answer = drive(mode="position", source=end(self.source))
        assert answer["ok"], json.dumps(answer)
        return answer["position"]

    def request(self, **more):
        return {"source": end(self.source), "target": end(self.target), "objects": {self.db: {"name": self.db, "all": True}},
                "job": self.job, "from": self.start, "until": "now", **more}

    def run(self, **more):
        return drive(**self.request(**more))

    def ok(self, **more):
        answer = self.run(**more)
        assert answer["ok"], json.dumps(answer)
        return answer

    def fails(self, code, *parts, **more):
        answer = self.run(**more)
        assert not answer["ok"] and answer["code"] == code, json.dumps(answer)
        for part in parts:
            assert part in answer["text"], answer["text"]
        return answer

    def same(self, *tables):
        for table in tables:
            assert_same(self.source, self.target, [f"{self.db}.{table}"])

    def rows(self, server, text):
        return server.sql(text, db=self.db)

    def close(self):
        for server in (self.source, self.target):
            if server.running:
                server.sql(f"DROP DATABASE IF EXISTS {self.db}")
        if self.target.running and self.target.sql("SHOW DATABASES LIKE 'sluice'"):
            self.forget_job()

    def forget_job(self):
        """The driver has no ledger, so nobody else removes what it left; tests of the service expect none of it."""
        tables = [row[0] for row in self.target.sql("SHOW TABLES FROM sluice")]
        for table in tables:
            self.target.sql(f"DELETE FROM sluice.{table} WHERE job_id LIKE %s", self.job.replace("_", "\\_") + "%")
        if not any(self.target.sql(f"SELECT EXISTS (SELECT 1 FROM sluice.{table})")[0][0] for table in tables):
            self.target.sql("DROP DATABASE sluice")


@pytest.fixture(params=PAIRS, ids=["-".join(p) for p in PAIRS])
def pair(request):
    return tuple(request.getfixturevalue(name) for name in request.param)


@pytest.fixture(params=["mariadb_a", "mysql_a"])
def source(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def link():
    made = []

    def make(*args):
        made.append(Link(*args))
        return made[-1]

    yield make
    for one in made:
        one.close()


class Proxy(TcpProxy):
    """Forwards TCP; `cut(marker)` closes both sides when the client sends the marker: before it, or after the server got it."""

    def __init__(self, port):
        self.target = port
        self.marker, self.forward, self.cuts, self.muted = None, True, 0, False
        super().__init__()

    def connected(self, client):
        server = socket.create_connection(("127.0.0.1", self.target))
        pump((client, server), lambda: self._forward(client, server, True), lambda: self._forward(server, client, False))

    def _forward(self, source, sink, from_client):
        while data := source.recv(65536):
            if from_client and self.marker and self.marker in data:
                self.cuts += 1
                self.marker = None
                self.muted = True
                if self.forward:
                    sink.sendall(data)
                    time.sleep(0.3)  # the server is done before we hang up
                break
            if from_client or not self.muted:
                sink.sendall(data)
