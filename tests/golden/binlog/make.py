#!/usr/bin/env python3
"""Makes the golden binlogs: python3 make.py {mariadb|mysql} NAME, from the folder tests/golden/binlog.

Runs NAME.sql (statements for one kind after "-- mariadb:" or "-- mysql:") on a private server (tests/servers), keeps its last
binlog as NAME-SERVER-VERSION.binlog, and asks the server for the rows of every table of schema g, in the form that binlog_dump
prints (see tests/unit/codec/dump.h), into NAME-SERVER-VERSION.rows; of "groups", which deletes rows again, the executed GTIDs into .gtid. The server, not our decoder, makes the expected values.
Only tables that are written once, by INSERT, and in the order of their first column, are compared.
"""
import math
import struct
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))
from servers import MariaDB, MySQL  # noqa: E402

HEX = "CONCAT('x', HEX({c}))"


def expression(kind: str, column: str, data_type: str, column_type: str) -> str:
    c = f"`{column}`"
    if data_type in ("enum", "set"):
        return f"CAST({c} AS UNSIGNED)"
    if data_type == "bit":
        bits = int(column_type[4:-1])
        return f"CONCAT('x', LPAD(HEX({c}+0), {(bits + 7) // 8 * 2}, '0'))"
    if data_type in ("float", "double"):
        return f"CAST({c} AS DOUBLE)"
    if data_type == "json" and kind == "mysql":
        return f"CAST({c} AS CHAR)"
    if data_type in ("decimal", "date", "time", "datetime", "timestamp"):
        return f"CAST({c} AS CHAR)"
    if data_type in ("tinyint", "smallint", "mediumint", "int", "bigint", "year"):
        return c
    if data_type in ("uuid", "inet4", "inet6"):
        return HEX.format(c=f"CAST({c} AS CHAR)")
    return HEX.format(c=c)


def text(value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, float):
        return "%.17g" % value
    if isinstance(value, bytes):
        return value.decode("utf-8")
    return str(value)


def main() -> None:
    kind, name = sys.argv[1:3]
    parts = {"": [], "mysql": [], "mariadb": []}
    section = ""
    for line in (HERE / f"{name}.sql").read_text(encoding="utf-8").splitlines():
        if line.startswith("-- ") and line.endswith(":"):
            section = line[3:-1]
        else:
            parts[section].append(line)
    options = {"binlog_row_metadata": "FULL", "character_set_server": "utf8mb4"}
    with {"mariadb": MariaDB, "mysql": MySQL}[kind](options=options) as server:
        db = server.connect(autocommit=True, charset="utf8mb4")
        cursor = db.cursor()
        version = server.sql("SELECT VERSION()")[0][0].split("-")[0]
        cursor.execute("SET time_zone='+00:00', sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'")
        cursor.execute("FLUSH BINARY LOGS")
        cursor.execute("SHOW BINARY LOGS")
        log = cursor.fetchall()[-1][0]
        for statement in "\n".join(parts[""] + parts[kind]).split(";\n"):
            if statement.strip():
                cursor.execute(statement)
        out = HERE / f"{name}-{kind}-{version}"
        lines = []
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema='g' AND table_type='BASE TABLE' ORDER BY create_time, table_name")
        for (table,) in cursor.fetchall():
            cursor.execute("SELECT column_name, data_type, column_type FROM information_schema.columns "
                           "WHERE table_schema='g' AND table_name=%s ORDER BY ordinal_position", (table,))
            columns = cursor.fetchall()
            chosen = ", ".join(expression(kind, *[v.decode() if isinstance(v, bytes) else v for v in c]) for c in columns)
            cursor.execute(f"SELECT {chosen} FROM g.`{table}` ORDER BY `{columns[0][0]}`")
            for row in cursor.fetchall():
                lines.append("\t".join(["I", table] + [text(v) for v in row]))
        cursor.execute("FLUSH BINARY LOGS")
        if name == "groups":
            cursor.execute("SELECT @@global." + {"mariadb": "gtid_binlog_pos", "mysql": "gtid_executed"}[kind])
            (out.parent / (out.name + ".gtid")).write_text(cursor.fetchall()[0][0].replace("\n", ""), encoding="utf-8")
        else:
            (out.parent / (out.name + ".rows")).write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")
        (out.parent / (out.name + ".binlog")).write_bytes((server.data / log).read_bytes())
        print(out.name, len(lines), "rows", (server.data / log).stat().st_size, "bytes")


main()
