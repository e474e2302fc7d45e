#!/usr/bin/env python3
"""Fills tests/fuzz/corpus/pg_text, pg_list, pg_copy_text and pg_copy_binary from the golden value texts. Run from anywhere; overwrites."""
import json
from pathlib import Path

HERE = Path(__file__).parent
LISTS = {"array": 0, "box_array": 1, "composite": 2, "range": 3, "multirange": 4}


def put(target: str, name: str, data: bytes) -> None:
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


newest = max((HERE.parent / "golden" / "pg_text").glob("values-*.json"))
for number, value in enumerate(json.loads(newest.read_text(encoding="ascii"))):
    kind = value["kind"]
    name = f"{kind}-{number}"
    if kind == "copy":
        put("pg_copy_text", name, bytes([len(value["fields"])]) + bytes.fromhex(value["line"]))
    elif kind == "copy_binary":
        put("pg_copy_binary", name, bytes([len(value["rows"][0])]) + bytes.fromhex(value["bytes"]))
    elif kind in LISTS:
        put("pg_list", name, bytes([LISTS[kind]]) + value["text"].encode())
    else:
        put("pg_text", name, value["text"].encode())
