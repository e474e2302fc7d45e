#!/usr/bin/env python3
"""Fills tests/fuzz/corpus/pgoutput and pg_replication from the golden streams. Run from anywhere; overwrites."""
from pathlib import Path

HERE = Path(__file__).parent
GOLDEN = HERE.parent / "golden" / "pgoutput"
LIMIT = 600  # bytes of one message


def put(target: str, name: str, data: bytes) -> None:
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def frames(data: bytes):
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        yield data[at + 4:at + 4 + size]
        at += 4 + size


seen = set()
for path in sorted(GOLDEN.glob("*.stream")):
    protocol = int(path.stem.split(".p")[-1][0])
    session, kinds, number = [], "", 0
    for frame in frames(path.read_bytes()):
        if (frame[:1], "frame") not in seen:
            seen.add((frame[:1], "frame"))
            put("pg_replication", f"frame-{frame[:1].decode()}", frame)
        if frame[:1] != b"w":
            continue
        payload = frame[25:]
        kind = payload[:1].decode()
        if len(payload) > LIMIT or kinds[-3:] == kind * 3:
            continue
        session.append(len(payload).to_bytes(2, "big") + payload)
        kinds += kind
        if kind in "CcApKr" or len(session) >= 40:  # to the end of a transaction; one seed for each order of kinds
            if (protocol, kinds) not in seen and number < 4:
                seen.add((protocol, kinds))
                put("pgoutput", f"{path.stem}-{number}", bytes([protocol - 1]) + b"".join(session))
                number += 1
            session, kinds = [], ""
put("pg_replication", "lsn", b"16/B374D848")
