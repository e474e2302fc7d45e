"""What the tests of the PostgreSQL target share: the driver tests/drivers/pg_target and a database of one's own."""

import json
import os
import re
import subprocess
from pathlib import Path

BUILD = Path(os.environ.get("SLUICE_BIN", Path(__file__).parents[2] / "build/asan/sluice")).parent
DRIVER = BUILD / "tests/drivers/pg_target"
_serial = iter(range(1, 1000000))

UNCHANGED = {"unchanged": True}
ABSENT = {"absent": True}


def column(name, kind="other", **more):
    """A column of the source's table: kind int, numeric, text, uuid (their keys merge) or other."""
    return {"name": name, "type": kind, **more}


def table(name, columns, key=None, unique=(), **more):
    """A table with the row key `key` and further unique keys, by column names."""
    columns = [column(*c.split(":")) if isinstance(c, str) else c for c in columns]
    names = [c["name"] for c in columns]
    keys = [{"columns": [names.index(c) for c in key], "primary": True}] if key else []
    keys += [{"columns": [names.index(c) for c in u], "unique": True} for u in unique]
    for c in columns:
        c.setdefault("nullable", c["name"] not in (key or ()))
    return {"schema": "app", "name": name, "columns": columns, "keys": keys, **more}


class Database:
    """A database of a server with the schema app, a job that writes to it, and its driver."""

    def __init__(self, server, tables=(), job=None, **request):
        self.server, self.tables, self.request = server, list(tables), request
        self.name = f"tg{next(_serial)}_{os.getpid()}"
        self.job = job or f"job-{self.name}"
        self.user, self.password = "postgres", server.root_password
        server.sql(f"CREATE DATABASE {self.name}")
        self.sql("CREATE SCHEMA app")

    def sql(self, text, *args):
        return self.server.sql(text, *args, db=self.name)

    def rows(self, name):
        """All rows of app.name as texts, by their first column when it is a number."""
        texts = [r[0] for r in self.sql(f"SELECT whole::text FROM app.{name} whole")]
        return sorted(texts, key=lambda text: (int((re.match(r"\((-?\d+)[,)]", text) or [0, 0])[1]), text))

    def login(self, user, *grants):
        """The driver logs in as a role that is no superuser."""
        self.user, self.password = f"{user}_{self.name}", "secret of the role"
        self.server.sql(f"CREATE ROLE {self.user} LOGIN PASSWORD '{self.password}'")
        for grant in grants:
            self.sql(grant.format(user=self.user, db=self.name))

    def start(self, *steps, port=None, **more):
        request = {"target": {"host": "127.0.0.1", "port": port or self.server.port, "user": self.user, "password": self.password,
                              "database": self.name},
                   "job": self.job, "tables": self.tables, "steps": list(steps), **self.request, **more}
        process = subprocess.Popen([str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdin.write(json.dumps(request))
        process.stdin.close()
        process.stdin = None
        return process

    @staticmethod
    def answer(process, status=0):
        out, errors = process.communicate(timeout=300)
        assert process.returncode == status, errors
        assert not errors, errors
        return json.loads(out) if out else None

    def drive(self, *steps, status=0, **more):
        return self.answer(self.start(*steps, **more), status)

    def fine(self, *steps, **more):
        """The results of the steps, which all succeed."""
        answer = self.drive(*steps, **more)
        assert answer["ok"], answer["text"]
        return answer["results"]

    def fails(self, *steps, **more):
        """The result of the last step, which fails."""
        answer = self.drive(*steps, **more)
        assert not answer["ok"]
        return answer["results"][-1]

    def close(self):
        self.server.sql(f"DROP DATABASE {self.name} WITH (FORCE)")
        if self.user != "postgres":
            self.server.sql(f"DROP ROLE {self.user}")
