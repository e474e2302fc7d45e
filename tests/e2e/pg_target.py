"""What the tests of the PostgreSQL target share: the driver tests/drivers/pg_target and a database of one's own."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

BUILD = Path(os.environ.get("SLUICE_BIN", Path(__file__).parents[2] / "build/asan/sluice")).parent
DRIVER = BUILD / "tests/drivers/pg_target"
_serial = iter(range(1, 1000000))

CLAIM = {"op": "claim"}
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
        answer = json.loads(out) if out else None
        assert not answer or answer["rescued"] == 0
        return answer

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


@pytest.fixture
def open_database(postgresql_15):
    """Makes databases: open_database(*tables, server=..., **request); PostgreSQL 15 unless another server is given."""
    made = []

    def make(*tables, server=postgresql_15, **more):
        made.append(Database(server, tables, **more))
        return made[-1]

    yield make
    for database in made:
        database.close()


# ---- every type ----

TYPES = {
    "i": ("int:int", ["-2147483648", "2147483647", None]), "b": ("bigint", ["9223372036854775807", "0"]),
    "n": ("numeric", ["NaN", "-0.000000000000000000000000000001", "123456789012345678901234567890.5", "Infinity"]),
    "f": ("float8", ["-0", "NaN", "-Infinity", "5e-324", "0.30000000000000004"]), "r": ("real", ["1.1754944e-38", "NaN"]),
    "t": ("text", ["", "\\N", "\\.", "a\tb\nc\rd\\e", "it's \"quoted\"", "日本 😀", "{1,2}", "\x01\x08\x0b\x0c\x7f", "NULL", "x" * 200000]),
    "vc": ("varchar(5)", ["12345", "é😀"]), "ch": ("char(4)", ["ab  ", ""]), "na": ("name", ["n"]), "qc": ('"char"', ["x", ""]),
    "by": ("bytea", ["\\x", "\\x00ff5c0a27", "\\x" + "ab" * 100000]), "bo": ("boolean", ["t", "f"]), "bi": ("bit(3)", ["101"]), "vb": ("bit varying(9)", ["", "1010"]),
    "da": ("date", ["infinity", "4713-01-01 BC", "99999-12-31"]), "ti": ("time(3)", ["24:00:00", "23:59:59.999"]), "tz": ("timetz", ["12:00:00+15:59"]),
    "ts": ("timestamp(3)", ["-infinity", "2024-02-29 12:00:00.123", "0044-03-15 00:00:00 BC"]), "tt": ("timestamptz", ["2024-02-29 12:00:00.123456+00"]),
    "iv": ("interval", ["1 year 2 mons -3 days +04:05:06.000007", "00:00:00"]), "u": ("uuid", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
    "js": ("json", ['{"a" : 1, "a":[ "\\u0041\\n" ] }', "null"]), "jb": ("jsonb", ['{"a": [1, null, "\'\\""]}']), "xm": ("xml", ["<a>b</a>text"]),
    "ar": ("int[]", ["{}", "{1,NULL,3}", "{{1,2},{3,4}}", "[2:3]={7,8}"]), "ta": ("text[]", ['{"a,b","NULL",NULL,"q\\"\\\\"}']),
    "po": ("point", ["(1,-2.5)"]), "bx": ("box", ["(3,4),(1,2)"]), "ba": ("box[]", ["{(3,4),(1,2);(5,6),(0,0)}"]), "ra": ("int4range", ["[1,5)", "empty"]),
    "mr": ("datemultirange", ["{[2020-01-01,2020-02-01)}"]), "ip": ("inet", ["::1/64", "10.0.0.1"]), "ma": ("macaddr8", ["08:00:2b:01:02:03:04:05"]),
    "mo": ("money", ["-$1,234.50"]), "tq": ("tsvector", ["'a':1A 'b''c':2"]), "ls": ("pg_lsn", ["16/B374D848"]), "en": ("app.mood", ["sad", "ok's"]),
    "co": ("app.pair", ['(1,"a ""b"",\\\\c")', "(,)"]), "ca": ("app.pair[]", ['{"(1,x)",NULL}']), "dm": ("app.small", ["5"]), "dn": ("app.list", ["{1,2}"]),
    "oi": ("oid", ["4294967295"]),
}
TYPES_SQL = ("CREATE TYPE app.mood AS ENUM ('sad', 'ok''s'); CREATE TYPE app.pair AS (a int, b text); CREATE DOMAIN app.small AS int CHECK (value < 10); "
             "CREATE DOMAIN app.list AS int[] CHECK (array_length(value, 1) < 9)")


def types_table(name="types"):
    """A table with every type, and rows that hold each value once."""
    columns = ["id:int", *(f"c_{n}" for n in TYPES)]
    sql = f"CREATE TABLE app.{name} (id int PRIMARY KEY, " + ", ".join(f"c_{n} {kind.split(':')[0]}" for n, (kind, _) in TYPES.items()) + ")"
    count = max(len(values) for _, values in TYPES.values())
    rows = [[i, *(values[i] if i < len(values) else None for _, values in TYPES.values())] for i in range(count)]
    return table(name, columns, key=["id"]), sql, rows


def assert_types(db, name, rows):
    """Column by column, in the form of the types' output functions."""
    for place, kind in enumerate(TYPES):
        read = dict(db.sql(f"SELECT id, CASE WHEN num_nulls(c_{kind}) = 1 THEN NULL ELSE format('%s', c_{kind}) END FROM app.{name}"))
        wanted = {r[0]: r[place + 1].ljust(4) if kind == "ch" and r[place + 1] is not None else r[place + 1] for r in rows}
        assert read == wanted, kind
