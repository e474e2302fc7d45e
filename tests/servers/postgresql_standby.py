"""A streaming standby: a base backup by hand, as no pg_basebackup of 17 and 18 is at hand (PostgreSQL manual, "Making a Base Backup Using the Low Level API").

From 17 on it copies the slots that are to survive a switch; the primary waits for it before it sends their changes once synchronized_standby_slots names
its slot, which is left to the test.
"""

import contextlib
import os
from pathlib import Path

from . import account

_EMPTY = {"pg_wal", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans"}
_LEFT_OUT = {"postmaster.pid", "postmaster.opts", "sluice.conf"}


def settings(primary, slot: str) -> dict:
    """Server options of the standby."""
    conninfo = f"host=127.0.0.1 port={primary.port} user={primary.user} password={primary.root_password} dbname=postgres application_name={slot}"
    return {"primary_conninfo": conninfo, "primary_slot_name": slot, "hot_standby_feedback": True, "wal_receiver_status_interval": "1s",
            **({"sync_replication_slots": True} if primary.version >= 17 else {})}


def _copy(source: Path, target: Path) -> None:
    """Files that go away meanwhile are not missed: the log, from the backup's start on, says what became of them."""
    for entry in list(os.scandir(source)):
        if entry.name in _LEFT_OUT:
            continue
        to = target / entry.name
        if entry.is_dir():
            to.mkdir(mode=0o700)
            if entry.name not in _EMPTY:
                _copy(Path(entry.path), to)
        else:
            with contextlib.suppress(FileNotFoundError):
                to.write_bytes(Path(entry.path).read_bytes())
                to.chmod(0o600)
        account.give(to)


def copy(primary, slot: str, data: Path) -> None:
    """Fill the standby's empty data folder."""
    with primary.connect() as c:
        c.execute("SELECT pg_create_physical_replication_slot(%s, true)", (slot,))
        c.execute("SELECT pg_backup_start('standby', true)")
        _copy(primary.data, data)
        label, = c.execute("SELECT labelfile FROM pg_backup_stop(false)").fetchone()
    (data / "backup_label").write_text(label, encoding="utf-8")
    (data / "standby.signal").touch()
    for name in ("backup_label", "standby.signal"):
        account.give(data / name)
    account.give(data)
