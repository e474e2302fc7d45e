"""MySQL itself, as downloaded by mysql_fetch."""

import os
import subprocess
from pathlib import Path

from . import mysql_fetch
from .base import ROOT_PASSWORD, ServerError
from .cache import cached
from .mysql_family import MySQLFamily

_TEMPLATE_REVISION = 1
_REDO = "32M"
_ROOT_SQL = f"""
ALTER USER root@localhost IDENTIFIED BY '{ROOT_PASSWORD}';
CREATE USER root@'%' IDENTIFIED BY '{ROOT_PASSWORD}';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
"""


def _folders(root: Path) -> dict:
    return {
        "secure_file_priv": "",
        "lc_messages_dir": root / "usr/share/mysql",
        "character_sets_dir": root / "usr/share/mysql/charsets",
        "plugin_dir": root / "usr/lib/mysql/plugin",
    }


def _build_template(folder: Path) -> None:
    root = mysql_fetch.mysql_root()
    init = folder.with_suffix(".sql")
    init.write_text(_ROOT_SQL, encoding="utf-8")
    argv = [*mysql_fetch.program(root, "mysqld"), "--no-defaults", "--initialize-insecure",
            f"--datadir={folder}", f"--init-file={init}", f"--innodb-redo-log-capacity={_REDO}",
            *(f"--{k.replace('_', '-')}={v}" for k, v in _folders(root).items())]
    if os.geteuid() == 0:
        argv.append("--user=root")
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    init.unlink()
    if done.returncode != 0 or "[ERROR]" in done.stderr:
        raise ServerError(f"mysqld --initialize failed:\n{done.stdout}{done.stderr}")
    (folder / "auto.cnf").unlink()  # each copy makes its own server_uuid


class MySQL(MySQLFamily):
    """A MySQL server: binlog on, format ROW, full row images; gtid=False turns GTIDs off."""

    kind = "mysql"

    def __init__(self, *, gtid: bool = True, **kwargs):
        super().__init__(**kwargs)
        self._gtid = "ON" if gtid else "OFF"

    @staticmethod
    def add_arguments(parser) -> None:
        MySQLFamily.add_arguments(parser)
        parser.add_argument("--no-gtid", dest="gtid", action="store_false", help="gtid_mode=OFF")

    @classmethod
    def prepare(cls) -> Path:
        version = mysql_fetch.version(mysql_fetch.mysql_root())
        return cached(f"mysql-{version}-data{_TEMPLATE_REVISION}", _build_template)

    def _program(self) -> list[str]:
        return self.tool("mysqld")

    @staticmethod
    def tool(name: str) -> list[str]:
        """Command for MySQL's own mysql, mysqlbinlog, mysqldump ...; arguments follow."""
        return mysql_fetch.program(mysql_fetch.mysql_root(), name)

    @property
    def client(self) -> list[str]:
        return [*self.tool("mysql"), *self.client_args]

    def _defaults(self) -> dict:
        return {
            **_folders(mysql_fetch.mysql_root()),
            "skip_name_resolve": True,
            "mysqlx": "OFF",
            "log_bin": "binlog",
            "binlog_row_image": "FULL",
            "gtid_mode": self._gtid,
            "enforce_gtid_consistency": self._gtid,
            "innodb_redo_log_capacity": _REDO,
            "local_infile": "ON",
        }
