#!/usr/bin/env python3
"""Makes the golden value texts: python3 make.py {15|17|18}, from the folder tests/golden/pg_text.

Each value of values.sql is printed by a private server (tests/servers) with the settings of our sessions, and taken apart by the server's own functions, never
by our code. values-VERSION.json is a list of objects, one a line:
    {"kind": ..., "text": what the server prints, ...: its parts}
Blocks of values.sql: "-- KIND", then SQL of a query that yields JSON objects without the kind; "-- copy COLUMNS", then a query of text columns, which makes
{"kind": "copy", "line": hex of the COPY line, "fields": [hex or null]} and, of all rows, {"kind": "copy_binary", "bytes": hex of what COPY in binary format
sends, "rows": [[hex or null]]}; "-- since N" leaves the next block out on older servers.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))
from servers import PostgreSQL  # noqa: E402

PINNED = "-c datestyle=ISO -c intervalstyle=postgres -c extra_float_digits=3 -c timezone=UTC -c bytea_output=hex -c lc_monetary=C"


def run(server, sql: str) -> bytes:
    argv = [*PostgreSQL.tool("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", f"--dbname={server.conninfo(options=PINNED)}"]
    return subprocess.run(argv, input=sql.encode(), check=True, stdout=subprocess.PIPE).stdout


def copy(server, count: int, query: str):
    lines = run(server, f"COPY ({query}) TO STDOUT;").split(b"\n")[:-1]
    columns = ", ".join(f"encode(convert_to(c{i}, 'UTF8'), 'hex')" for i in range(count))
    names = ", ".join(f"c{i}" for i in range(count))
    fields = run(server, f"SELECT json_build_array({columns}) FROM ({query}) q({names});").splitlines()
    for line, row in zip(lines, fields, strict=True):
        yield {"kind": "copy", "line": line.hex(), "fields": json.loads(row)}
    binary = run(server, f"COPY ({query}) TO STDOUT (FORMAT binary);")
    yield {"kind": "copy_binary", "bytes": binary.hex(), "rows": [json.loads(row) for row in fields]}


def blocks(version: int):
    """(kind, arguments, SQL) of each block of values.sql."""
    since = 0
    for head, body in re.findall(r"(?m)^-- ([^\n]*)\n((?:(?!-- ).*\n)*)", (HERE / "values.sql").read_text(encoding="utf-8")):
        words = head.split()
        if words[0] == "since":
            since = int(words[1])
        elif body.strip():
            if version >= since:
                yield words[0], words[1:], body
            since = 0


def main(version: int) -> None:
    values = []
    with PostgreSQL(version=version) as server:
        full_version = run(server, "SHOW server_version;").split()[0].decode()
        for kind, arguments, sql in blocks(version):
            if kind == "setup":
                run(server, sql)
            elif kind == "copy":
                values.extend(copy(server, int(arguments[0]), sql))
            else:
                values.extend({"kind": kind, **json.loads(row)} for row in run(server, sql).splitlines())
    text = ",\n".join(json.dumps(v, ensure_ascii=True) for v in values)
    (HERE / f"values-{full_version}.json").write_text(f"[\n{text}\n]\n", encoding="ascii")
    print(full_version, len(values), "values")


main(int(sys.argv[1]))
