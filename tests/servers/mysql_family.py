"""What MariaDB and MySQL servers have in common: options, client.cnf, SQL through PyMySQL."""

import os
import socket
from pathlib import Path

from .base import Server


class MySQLFamily(Server):
    """A server of the MySQL protocol; see Server for dir, port, options and detached.

    server_id:   None = the port number, so it is unique on this machine
    buffer_pool: innodb_buffer_pool_size
    flush_log:   innodb_flush_log_at_trx_commit; 2 survives kill9 but not a power loss
    sync_binlog: as the server option
    options:     True = bare flag
    """

    family = "mysql"
    user = "root"

    def __init__(self, *, server_id=None, buffer_pool="128M", flush_log=2, sync_binlog=0, **kwargs):
        super().__init__(**kwargs)
        self._server_id = server_id
        self._sizes = {
            "innodb_buffer_pool_size": buffer_pool,
            "innodb_flush_log_at_trx_commit": flush_log,
            "sync_binlog": sync_binlog,
        }

    @staticmethod
    def add_arguments(parser) -> None:
        parser.add_argument("--server-id", type=int)
        parser.add_argument("--buffer-pool", default="128M")
        parser.add_argument("--flush-log", default=2, type=int, help="innodb_flush_log_at_trx_commit")
        parser.add_argument("--sync-binlog", default=0, type=int)

    def _program(self) -> list[str]:
        raise NotImplementedError

    def _defaults(self) -> dict:
        raise NotImplementedError

    @classmethod
    def prepare(cls) -> Path:
        """The data folder that new servers start from; built (and cached) when missing."""
        raise NotImplementedError

    def _template(self) -> Path:
        return self.prepare()

    def _argv(self) -> list[str]:
        Path(self.socket).unlink(missing_ok=True)
        (self.dir / "tmp").mkdir(mode=0o700, exist_ok=True)
        fixed = {
            "no_defaults": True,
            "datadir": self.data,
            "socket": self.socket,
            "port": self._port,
            "bind_address": "127.0.0.1",
            "pid_file": self.dir / "pid",
            "tmpdir": self.dir / "tmp",  # its own: a server that starts removes every #sql file it finds there
            "server_id": self._server_id or self._port,
        }
        if os.geteuid() == 0:
            fixed["user"] = "root"
        merged = {**fixed, **self._defaults(), **self._sizes, **self._options}
        return [*self._program(), *(_option(name, value) for name, value in merged.items() if value is not None)]

    def _answers(self) -> bool:
        return _greets(self.socket)

    def _write_client_file(self) -> None:
        cnf = (f"[client]\nuser={self.user}\npassword={self.root_password}\n"
               f"socket={self.socket}\ndefault-character-set=utf8mb4\n")
        fd = os.open(self.dir / "client.cnf", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as handle:
            handle.write(cnf)

    @property
    def client_args(self) -> list[str]:
        """Arguments for mariadb, mysql, mysqldump and the like; must come first."""
        return [f"--defaults-file={self.dir / 'client.cnf'}"]

    def connect(self, **options):
        """A PyMySQL connection as root through the socket, autocommit, several statements allowed."""
        import pymysql
        from pymysql.constants import CLIENT
        wanted = {
            "unix_socket": self.socket, "user": self.user, "password": self.root_password,
            "charset": "utf8mb4", "autocommit": True, "client_flag": CLIENT.MULTI_STATEMENTS,
            "ssl_disabled": True,  # else a context with every CA is made, 20 ms each time; the socket needs no TLS
            "local_infile": True,
            "init_command": "SET SESSION lock_wait_timeout = 200",  # the server's own is a day, or a year
            **options,
        }
        return pymysql.connect(**wanted)

    def connect_in(self, place: str):
        return self.connect(database=place)

    def make_place(self, place: str) -> None:
        self.sql(f"CREATE DATABASE {place} CHARACTER SET utf8mb4")

    def drop_place(self, place: str) -> None:
        self.sql(f"DROP DATABASE IF EXISTS {place}")

    def is_gone(self, error: Exception) -> bool:
        import pymysql
        return isinstance(error, pymysql.OperationalError) and error.args[0] in (2003, 2006, 2013, 1053, 1927)

    def sql(self, text: str, *args, db: str | None = None) -> list[tuple]:
        """Run one or more statements in a new session; the rows of the last result set."""
        connection = self.connect(database=db)
        try:
            with connection.cursor() as cursor:
                cursor.execute(text, args or None)
                rows = list(cursor.fetchall()) if cursor.description else []
                while cursor.nextset():
                    rows = list(cursor.fetchall()) if cursor.description else []
                return rows
        finally:
            connection.close()


def _option(name: str, value) -> str:
    dashed = "--" + name.replace("_", "-")
    return dashed if value is True else f"{dashed}={value}"


def _greets(path: str) -> bool:
    """True when a server behind the socket sends its first packet (protocol version 10)."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(2)
        try:
            probe.connect(path)
            return probe.recv(5)[4:5] == b"\x0a"
        except OSError:
            return False
