#!/usr/bin/env python3
"""Fills tests/fuzz/corpus/binlog_* and mysql_json from the golden binlogs and the statement tests. Run from anywhere; overwrites."""
import re
from pathlib import Path

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden" / "binlog"
LIMIT = 1500


def put(target: str, name: str, data: bytes) -> None:
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def events(data: bytes):
    at = 4
    while at + 19 <= len(data):
        size = int.from_bytes(data[at + 9:at + 13], "little")
        yield data[at + 4], data[at:at + size]
        at += size


seen = set()
for path in sorted(GOLDEN.glob("*.binlog")):
    table_map = b""
    for number, (kind, event) in enumerate(events(path.read_bytes())):
        body = event[19:-4]
        name = f"{path.stem}-{number}"
        if kind == 15:
            put("binlog_events", name, event)
        if kind == 19:
            table_map = body
        elif kind in (23, 24, 25, 30, 31, 32) and len(body) < LIMIT and len(table_map) < LIMIT:
            put("binlog_rows", name, len(table_map).to_bytes(2, "little") + table_map + bytes([kind]) + body)
        if (path.stem.split("-")[1], kind) not in seen and len(body) < LIMIT:
            seen.add((path.stem.split("-")[1], kind))
            put("binlog_events", f"{name}-type{kind}", bytes([kind, 1]) + body)
        if kind in (30, 23) and table_map[8:].startswith(b"\x01g\x00\x04json\x00"):
            # header 6+2+2, one column count byte, one bitmap byte; row: null bits 1, id 4, length 4, document
            row = body[12:]
            while len(row) > 9 and row[0] == 0:
                size = int.from_bytes(row[5:9], "little")
                if size < LIMIT:
                    put("mysql_json", f"{name}-{int.from_bytes(row[1:5], 'little')}", row[9:9 + size])
                row = row[9 + size:]
for i, text in enumerate(re.findall(r'\{&(?:mysql|maria|ansi), "([^"\\]+)", "', (HERE.parent / "unit/codec/test_sql_statement.c").read_text(encoding="utf-8"))):
    put("binlog_statement", f"s{i}", bytes([i % 2]) + text.encode())
UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
for i, text in enumerate([f"{UUID}:1-5:7", f"{UUID}:1:tag:3-4,{UUID[:-1]}3:9", "0-1-100,1-2-7", ""]):
    put("binlog_gtid", f"t{i}", b"\0" + text.encode())
put("binlog_gtid", "b0", b"\1" + (1).to_bytes(8, "little") + bytes(16) + (1).to_bytes(8, "little") + (1).to_bytes(8, "little") + (6).to_bytes(8, "little"))
