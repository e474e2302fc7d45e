"""MariaDB from the Debian packages mariadb-server-core and mariadb-client-core."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from .base import ROOT_PASSWORD, ServerError
from .cache import cached
from .mysql_family import MySQLFamily

_TEMPLATE_REVISION = 1
_REDO = "32M"
# In bootstrap mode the grant statements are not available: edit the tables. One statement a line.
_ROOT_SQL = f"""
DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');
UPDATE mysql.global_priv SET Priv = JSON_SET(Priv, '$.plugin', 'mysql_native_password', '$.authentication_string', PASSWORD('{ROOT_PASSWORD}')) WHERE User = 'root';
INSERT INTO mysql.global_priv SELECT '%', User, Priv FROM mysql.global_priv WHERE User = 'root';
DELETE FROM mysql.proxies_priv WHERE Host <> 'localhost';
"""


def program(name: str) -> str:
    """Full path of a MariaDB program, also when sbin is not in PATH."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin")
    if path is None:
        raise ServerError(f"{name} is not installed; run: scripts/install-packages.sh test")
    return path


def version() -> str:
    """Version of the installed server, such as 10.11.19."""
    text = subprocess.run([program("mariadbd"), "--no-defaults", "--version"], check=True,
                          capture_output=True, text=True).stdout
    return re.search(r"Ver (\d+\.\d+\.\d+)", text).group(1)


def _run(argv: list[str], log: Path, sql: str = "") -> None:
    done = subprocess.run(argv, input=sql, text=True, capture_output=True, check=False)
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode != 0:
        raise ServerError(f"{argv[0]} failed:\n{done.stdout}{done.stderr}")


def _build_template(folder: Path) -> None:
    user = ["--user=root"] if os.geteuid() == 0 else []
    common = ["--no-defaults", f"--datadir={folder}", f"--innodb-log-file-size={_REDO}",
              "--character-set-server=utf8mb4", *user]
    log = folder.with_suffix(".log")
    _run([program("mariadb-install-db"), *common, "--auth-root-authentication-method=normal",
          "--skip-test-db", "--skip-name-resolve"], log)
    _run([program("mariadbd"), *common, "--bootstrap", "--skip-name-resolve"], log, _ROOT_SQL)
    log.unlink()


class MariaDB(MySQLFamily):
    """A MariaDB server: binlog on, format ROW, full row images."""

    kind = "mariadb"

    def _program(self) -> list[str]:
        return [program("mariadbd")]

    @classmethod
    def prepare(cls) -> Path:
        return cached(f"mariadb-{version()}-data{_TEMPLATE_REVISION}", _build_template)

    @property
    def client(self) -> list[str]:
        return [program("mariadb"), *self.client_args]

    def _defaults(self) -> dict:
        return {
            "skip_name_resolve": True,
            "log_bin": "binlog",
            "binlog_format": "ROW",
            "binlog_row_image": "FULL",
            "innodb_log_file_size": _REDO,
            "character_set_server": "utf8mb4",
            "local_infile": "ON",
            "max_allowed_packet": "64M",
        }
