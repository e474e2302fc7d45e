"""PostgreSQL 15, 17 and 18, as downloaded by postgresql_fetch."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

from . import account, postgresql_fetch, postgresql_identity, postgresql_standby, process
from .base import ROOT_PASSWORD, Server, ServerError
from .cache import cached

VERSIONS = postgresql_fetch.VERSIONS
_TEMPLATE_REVISION = 1
_SETTINGS = "sluice.conf"  # in the data folder, read by postgresql.conf; ALTER SYSTEM beats it


def _environment() -> dict:
    """Our environment without what would change how PostgreSQL's programs behave."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_")) and k not in ("LANG", "TZ")}


def _build_template(major: int):
    def build(folder: Path) -> None:
        password = folder.with_suffix(".password")
        password.write_text(ROOT_PASSWORD + "\n", encoding="ascii")
        for path in (folder, password):
            account.give(path)
        reason = account.barrier(folder)
        if reason:
            raise ServerError(f"PostgreSQL cannot use the cache: {reason}")
        argv = [*postgresql_fetch.program(major, "initdb"), f"--pgdata={folder}", "--username=postgres",
                f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        done = subprocess.run(account.command(argv), env=_environment(), cwd="/", capture_output=True, text=True,
                              check=False)
        password.unlink()
        if done.returncode != 0:
            raise ServerError(f"initdb of PostgreSQL {major} failed:\n{done.stdout}{done.stderr}")
        with open(folder / "postgresql.conf", "a", encoding="utf-8") as handle:
            handle.write(f"include_if_exists '{_SETTINGS}'\n")

    return build


class PostgreSQL(Server):
    """A PostgreSQL server ready for logical replication; see Server for dir, port, options and detached.

    version: 15, 17 or 18
    standby_of: a running server of which this is to be a streaming standby (postgresql_standby.py); its version is taken
    durable: True = committed rows survive a power loss; False = kill9 only, and the disk is never waited for
    """

    kind = family = "postgresql"
    user = "postgres"
    start_timeout_s = 60.0  # a crash recovery is part of it
    stop_signal = signal.SIGINT  # "fast"; SIGTERM would wait until every client has left
    discard_signal = signal.SIGQUIT  # "immediate": its processes and shared memory go with it
    _socket_name = "run/.s.PGSQL.65535"

    def __init__(self, *, version: int = 15, durable: bool = False, standby_of: "PostgreSQL | None" = None, **kwargs):
        version = standby_of.version if standby_of else version
        postgresql_fetch.check_version(version)
        super().__init__(**kwargs)
        self.version = version
        self._durable = durable
        self._primary = standby_of
        self.standby_slot = f"standby_{os.urandom(4).hex()}" if standby_of else None  # by which it reads its primary's log
        self._setpriv_options = account.setpriv_options()
        self._run = Path(self.socket).parent
        self.socket = str(self._run)  # libpq names the folder, and finds the file by the port
        if self._own_dir:
            account.let_in(self.dir)

    @staticmethod
    def add_arguments(parser) -> None:
        PostgreSQL.add_prepare_arguments(parser)
        parser.add_argument("--durable", action="store_true", help="fsync=on")

    @staticmethod
    def add_prepare_arguments(parser) -> None:
        parser.add_argument("--version", type=int, default=15, choices=VERSIONS)

    @classmethod
    def prepare(cls, version: int = 15) -> Path:
        """The data folder that new servers start from; built (and cached) when missing."""
        name = f"postgresql-{postgresql_fetch.version(version)}-data{_TEMPLATE_REVISION}"
        return cached(name, _build_template(version), shared=True)

    def _template(self) -> Path:
        return self.prepare(self.version)

    def _adapt_copy(self, data: Path) -> None:
        postgresql_identity.renew(data)

    def _fill(self, data: Path) -> None:
        if not self._primary:
            return super()._fill(data)
        self.set_options(**{**postgresql_standby.settings(self._primary, self.standby_slot), **self._options})
        return postgresql_standby.copy(self._primary, self.standby_slot, data)

    def promote(self) -> None:
        """A standby becomes a primary, with a timeline of its own."""
        assert self.sql("SELECT pg_promote(true, 60)") == [(True,)]

    @staticmethod
    def tool(name: str) -> list[str]:
        """Command for psql, pg_dump, pg_recvlogical, pg_waldump ... of PostgreSQL 15; arguments follow."""
        return postgresql_fetch.program(postgresql_fetch.CLIENTS, name)

    def _settings(self) -> dict:
        return {
            "listen_addresses": "127.0.0.1",
            "port": self._port,
            "unix_socket_directories": self._run,
            "wal_level": "logical",
            "max_wal_senders": 20,
            "max_replication_slots": 20,
            "max_prepared_transactions": 10,
            "fsync": self._durable,
            "full_page_writes": True,  # also without fsync: SIGKILL can cut the write of a page in two
            "jit": False,
            "timezone": "UTC",
            "log_timezone": "UTC",
            # In the data folder, not in /dev/shm, where a killed server would leave it.
            "dynamic_shared_memory_type": "mmap",
        }

    def _argv(self) -> list[str]:
        reason = account.barrier(self.dir)
        if reason:
            raise ServerError(f"PostgreSQL cannot start in {self.dir}: {reason}")
        shutil.rmtree(self._run, ignore_errors=True)
        self._run.mkdir()
        self._run.chmod(0o755)
        account.give(self._run)
        merged = {**self._settings(), **self._options}
        path = self.data / _SETTINGS
        path.write_text("".join(f"{name} = {_quote(value)}\n" for name, value in merged.items() if value is not None),
                        encoding="utf-8")
        path.chmod(0o644)
        return [*postgresql_fetch.program(self.version, "postgres"), "-D", str(self.data)]

    def _environment(self) -> dict:
        return _environment()

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _answers(self) -> bool:
        lines = self._pid_file()  # as pg_ctl does it: storage/utils/pidfile.h
        return len(lines) > 7 and int(lines[0]) == self._pid and lines[7].strip() == "ready"

    def _write_client_file(self) -> None:
        fd = os.open(self.dir / "pgpass", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as handle:
            handle.write(f"*:*:*:{self.user}:{self.root_password}\n")

    def info(self) -> dict:
        lines = self._pid_file()
        segment = lines[6].split() if self._pid and len(lines) > 6 else []
        return {**super().info(), "version": self.version, "shm_id": int(segment[1]) if len(segment) == 2 else None}

    def _kill(self) -> None:
        process.kill_family(self._pid, self._ticks, 30.0)

    def conninfo(self, db: str = "postgres", **options) -> str:
        """A libpq connection string through the socket; the password lies in the file that it names."""
        wanted = {"host": self.socket, "port": self.port, "user": self.user, "dbname": db,
                  "passfile": self.dir / "pgpass", **options}
        return " ".join(f"{name}={_quote(value)}" for name, value in wanted.items())

    @property
    def client_args(self) -> list[str]:
        """Arguments for psql, pg_dump and the like, for database postgres; conninfo() names another."""
        return [f"--dbname={self.conninfo()}"]

    @property
    def client(self) -> list[str]:
        return [*self.tool("psql"), *self.client_args]

    def connect(self, db: str = "postgres", **options):
        """A psycopg connection as postgres through the socket, autocommit, several statements allowed."""
        import psycopg
        wanted = {"host": self.socket, "port": self.port, "user": self.user, "password": self.root_password,
                  "dbname": db, "autocommit": True, "cursor_factory": psycopg.ClientCursor, **options}
        return psycopg.connect(**wanted)

    def connect_in(self, place: str):
        return self.connect(options=f"-c search_path={place}")

    def make_place(self, place: str) -> None:
        self.sql(f"CREATE SCHEMA {place}")

    def drop_place(self, place: str) -> None:
        self.sql(f"DROP SCHEMA IF EXISTS {place} CASCADE")

    def is_gone(self, error: Exception) -> bool:
        import psycopg
        return isinstance(error, psycopg.OperationalError) and (error.sqlstate or "08000")[:3] in ("080", "57P")

    def sql(self, text: str, *args, db: str = "postgres") -> list[tuple]:
        """Run one or more statements in a new session; the rows of the last result set.

        Several statements are one transaction to the server, so CREATE DATABASE must come alone.
        """
        connection = self.connect(db)
        try:
            with connection.cursor() as cursor:
                cursor.execute(text, args or None)
                rows = cursor.fetchall() if cursor.description else []
                while cursor.nextset():
                    rows = cursor.fetchall() if cursor.description else []
                return rows
        finally:
            connection.close()


def _quote(value) -> str:
    """A value for postgresql.conf and for connection strings, which both take backslashes as escapes."""
    text = ("on" if value else "off") if isinstance(value, bool) else str(value)
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
