"""What MariaDB and MySQL servers have in common: folder, life cycle, SQL.

A server owns one folder: data/, error.log, client.cnf (for client programs), server.json (pid and
port). A folder made by us is removed at the end, unless $SLUICE_KEEP is set.
"""

import atexit
import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from . import process
from .cache import copy_tree

ROOT_PASSWORD = "sluice-root"
_PREFIX = "sluice-db-"
_live: set["Server"] = set()


class ServerError(Exception):
    """A server could not be started, stopped or found; the text names the reason."""


class Server:
    """One private server; a context manager. Subclasses say which program and which options.

    dir:         its folder; None = a new one under $TMPDIR, removed at the end
    port:        TCP port on 127.0.0.1; None = a free one (kept over restarts)
    server_id:   None = the port number, so it is unique on this machine
    buffer_pool: innodb_buffer_pool_size
    flush_log:   innodb_flush_log_at_trx_commit; 2 survives kill9 but not a power loss
    sync_binlog: as the server option
    options:     server options by name; True = bare flag, None = leave our own default out
    detached:    True = outlives this Python process (the command line's way)
    """

    kind = ""
    start_timeout_s = 30.0

    def __init__(self, *, dir=None, port=None, server_id=None, buffer_pool="128M", flush_log=2,
                 sync_binlog=0, options=None, detached=False):
        self.root_password = ROOT_PASSWORD
        self._own_dir = dir is None
        self._own_port = port is None
        self._port = port
        self._server_id = server_id
        self._detached = detached
        self._popen: subprocess.Popen | None = None
        self._pid = self._ticks = 0
        self._sizes = {
            "innodb_buffer_pool_size": buffer_pool,
            "innodb_flush_log_at_trx_commit": flush_log,
            "sync_binlog": sync_binlog,
        }
        self._options = {k.replace("-", "_"): v for k, v in (options or {}).items()}
        if self._own_dir:
            _remove_stale()
            self.dir = Path(tempfile.mkdtemp(prefix=_PREFIX))
            owner = f"{os.getpid()} {process.start_ticks(os.getpid())}\n"
            (self.dir / "owner").write_text(owner, encoding="ascii")
        else:
            self.dir = Path(dir).resolve()
            self.dir.mkdir(parents=True, exist_ok=True)
        self.socket = str(self.dir / "sock")
        if len(self.socket) > 100:  # sun_path has 108 bytes, see unix(7)
            raise ServerError(f"folder {self.dir}: its path is too long for a socket; use a shorter one")

    # What a subclass says.

    def _program(self) -> list[str]:
        raise NotImplementedError

    def _defaults(self) -> dict:
        raise NotImplementedError

    @classmethod
    def prepare(cls) -> Path:
        """The data folder that new servers start from; built (and cached) when missing."""
        raise NotImplementedError

    # Life cycle.

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    @property
    def port(self) -> int:
        return self._port or 0

    @property
    def pid(self) -> int:
        """Process id of the running server, 0 when it is down."""
        return self._pid if self.running else 0

    @property
    def running(self) -> bool:
        if self._popen is not None and self._popen.poll() is not None:
            return False
        return self._pid != 0 and process.is_alive(self._pid, self._ticks)

    @property
    def data(self) -> Path:
        """The server's data folder; binlog files lie here."""
        return self.dir / "data"

    def start(self):
        """Start it and wait until it answers; a server that is up is left as it is."""
        if self.running:
            return self
        if not self.data.is_dir():
            scratch = self.dir / "data.new"
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(mode=0o700)
            copy_tree(self.prepare(), scratch)
            scratch.rename(self.data)
        tries = 3 if self._own_port and not self._port else 1
        for left in range(tries - 1, -1, -1):
            if not self._port:
                self._port = process.free_port()
            if self._start_once():
                break
            log = self._log_tail()
            if left and "ddress already in use" in log:
                self._port = None
                continue
            raise ServerError(f"{self.kind} in {self.dir} did not start; its log ends with:\n{log}")
        self._own_port = False
        _live.add(self)
        return self

    def _start_once(self) -> bool:
        Path(self.socket).unlink(missing_ok=True)
        (self.dir / "tmp").mkdir(mode=0o700, exist_ok=True)
        argv = [*self._program(), *self._arguments()]
        with open(self.dir / "error.log", "ab") as log:
            self._popen = process.spawn(
                argv, die_with_parent=not self._detached, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, cwd=self.dir)
        self._pid = self._popen.pid
        self._ticks = process.start_ticks(self._pid) or 0
        self.save_state()  # before it answers, so that `stop` can end a server whose starter was killed
        done = process.wait_until(
            lambda: self._popen.poll() is not None or process.greets(self.socket),
            self.start_timeout_s)
        if not done:
            self.kill9()
        if not self.running:
            return False
        self._write_files()
        return True

    def _arguments(self) -> list[str]:
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
        return [_option(name, value) for name, value in merged.items() if value is not None]

    def _write_files(self) -> None:
        cnf = (f"[client]\nuser=root\npassword={self.root_password}\n"
               f"socket={self.socket}\ndefault-character-set=utf8mb4\n")
        fd = os.open(self.dir / "client.cnf", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as handle:
            handle.write(cnf)
        self.save_state()

    def info(self) -> dict:
        """What a caller of the command line needs to know."""
        return {
            "kind": self.kind, "dir": str(self.dir), "host": "127.0.0.1", "port": self.port,
            "socket": self.socket, "user": "root", "password": self.root_password,
            "pid": self._pid, "start_ticks": self._ticks,
            "client_args": self.client_args,
        }

    def save_state(self) -> None:
        """Write server.json, by which `stop` finds the process again."""
        scratch = self.dir / "server.json.new"
        scratch.write_text(json.dumps(self.info()) + "\n", encoding="utf-8")
        scratch.rename(self.dir / "server.json")

    def stop(self, timeout_s: float = 60.0) -> None:
        """Orderly shutdown; the folder stays."""
        if self.running and not process.end(self._pid, self._ticks, signal.SIGTERM, timeout_s):
            raise ServerError(f"{self.kind} in {self.dir} did not stop within {timeout_s:.0f} s")
        self._reap()

    def kill9(self) -> None:
        """End it as a crash does; the folder stays."""
        if self.running:
            process.end(self._pid, self._ticks, signal.SIGKILL, 30.0)
        self._reap()

    def _reap(self) -> None:
        if self._popen is not None:
            self._popen.wait(30)
            self._popen = None
        self._pid = self._ticks = 0
        _live.discard(self)

    def restart(self):
        """Stop it if it is up, start it again on the same port and data."""
        self.stop()
        return self.start()

    def close(self) -> None:
        """End it; a folder of our own making goes too."""
        if self._own_dir:
            self.kill9()
            if not os.environ.get("SLUICE_KEEP"):
                shutil.rmtree(self.dir, ignore_errors=True)
        else:
            self.stop()

    def _log_tail(self, lines: int = 15) -> str:
        try:
            text = (self.dir / "error.log").read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            return str(error)
        return "\n".join(text.splitlines()[-lines:])

    # SQL.

    @property
    def client_args(self) -> list[str]:
        """Arguments for mariadb, mysql, mysqldump and the like; must come first."""
        return [f"--defaults-file={self.dir / 'client.cnf'}"]

    def connect(self, **options):
        """A PyMySQL connection as root through the socket, autocommit, several statements allowed."""
        import pymysql
        from pymysql.constants import CLIENT
        wanted = {
            "unix_socket": self.socket, "user": "root", "password": self.root_password,
            "charset": "utf8mb4", "autocommit": True, "client_flag": CLIENT.MULTI_STATEMENTS,
            "ssl_disabled": True,  # else a context with every CA is made, 20 ms each time; the socket needs no TLS
            "local_infile": True, **options,
        }
        return pymysql.connect(**wanted)

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


def _remove_stale() -> None:
    """Remove folders whose test run was killed; its servers died with it."""
    for folder in Path(tempfile.gettempdir()).glob(_PREFIX + "*"):
        try:
            pid, ticks = (folder / "owner").read_text(encoding="ascii").split()
            if folder.stat().st_uid == os.geteuid() and not process.is_alive(int(pid), int(ticks)):
                shutil.rmtree(folder, ignore_errors=True)
        except (OSError, ValueError):
            continue


@atexit.register
def _close_all() -> None:
    for server in list(_live):
        if not server._detached:
            server.close()
