"""A system identifier of its own for each copy of a data folder, as initdb would have given it.

global/pg_control begins with the identifier (8 bytes) and ends its fields with a CRC-32C of everything before, at an
offset that differs between versions (catalog/pg_control.h). The first page of a WAL segment repeats the identifier at
byte 24 (XLogLongPageHeaderData of access/xlog_internal.h). A template has one segment.
"""

import os
import struct
import time
from pathlib import Path

_WAL_OFFSET = 24


def _crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def _patch(path: Path, offset: int, part: bytes) -> None:
    with open(path, "r+b") as handle:
        handle.seek(offset)
        handle.write(part)


def renew(data: Path) -> None:
    """Give the data folder of a server that is down, and has never been up, a new identifier."""
    control = data / "global/pg_control"
    [segment] = (path for path in (data / "pg_wal").iterdir() if len(path.name) == 24)
    fields = control.read_bytes()[:512]
    end = next(at for at in range(64, 508, 4) if struct.unpack_from("=I", fields, at)[0] == _crc32c(fields[:at]))
    fresh = struct.pack("=II", int.from_bytes(os.urandom(4)), int(time.time()))  # seconds in the upper half
    _patch(control, 0, fresh + fields[8:end] + struct.pack("=I", _crc32c(fresh + fields[8:end])))
    _patch(segment, _WAL_OFFSET, fresh)
