"""What all servers have in common: a folder, a process and its life cycle.

A server owns one folder: data/, error.log, server.json (pid and port) and what its family adds (mysql_family.py,
postgresql.py). A folder made by us is removed at the end, unless $SLUICE_KEEP is set.
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
    """One private server; a context manager. Subclasses say which program, and how it is asked to end.

    dir:      its folder; None = a new one under $TMPDIR, removed at the end
    port:     TCP port on 127.0.0.1; None = a free one (kept over restarts)
    options:  server options by name; None = leave our own default out
    detached: True = outlives this Python process (the command line's way)
    """

    kind = ""
    family = ""  # mysql or postgresql: whose SQL it speaks
    user = ""  # its superuser, whose password is root_password
    start_timeout_s = 30.0
    stop_signal = signal.SIGTERM  # orderly shutdown, whoever is connected
    discard_signal = signal.SIGKILL  # quick end of a server whose folder goes, too
    _socket_name = "sock"  # of the file that must fit into sun_path
    _setpriv_options: list[str] = []

    def __init__(self, *, dir=None, port=None, options=None, detached=False):
        self.root_password = ROOT_PASSWORD
        self._own_dir = dir is None
        self._own_port = port is None
        self._port = port
        self._detached = detached
        self._popen: subprocess.Popen | None = None
        self._pid = self._ticks = 0
        self._options = {k.replace("-", "_"): v for k, v in (options or {}).items()}
        if self._own_dir:
            _remove_stale()
            self.dir = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
            owner = f"{os.getpid()} {process.start_ticks(os.getpid())}\n"
            (self.dir / "owner").write_text(owner, encoding="ascii")
        else:
            self.dir = Path(dir).resolve()
            self.dir.mkdir(parents=True, exist_ok=True)
        self.socket = str(self.dir / self._socket_name)
        if len(self.socket) > 100:  # sun_path has 108 bytes, see unix(7)
            raise ServerError(f"folder {self.dir}: its path is too long for a socket; use a shorter one")

    # What a subclass says.

    @staticmethod
    def add_arguments(parser) -> None:
        """Add its own arguments of the command line's `start`, named as those of __init__."""

    @staticmethod
    def add_prepare_arguments(parser) -> None:
        """Add its own arguments of the command line's `prepare`, named as those of prepare."""

    def _template(self) -> Path:
        """The data folder that a new server starts from."""
        raise NotImplementedError

    def _adapt_copy(self, data: Path) -> None:
        """Change what must not be the same in two copies of the template."""

    def _fill(self, data: Path) -> None:
        """Make the empty folder the data folder of a new server."""
        copy_tree(self._template(), data)
        self._adapt_copy(data)

    def _argv(self) -> list[str]:
        """Program and arguments; called before each start, may write files into the folder."""
        raise NotImplementedError

    def _environment(self) -> dict | None:
        """Environment of the program; None = ours."""
        return None

    def _answers(self) -> bool:
        """True when the server that was started takes clients."""
        raise NotImplementedError

    def _write_client_file(self) -> None:
        """Write what client programs need to log in; called after each start."""
        raise NotImplementedError

    @property
    def client_args(self) -> list[str]:
        """Arguments with which client programs log in as the superuser."""
        raise NotImplementedError

    @property
    def client(self) -> list[str]:
        """Command of the interactive client, logged in as the superuser; options may follow."""
        raise NotImplementedError

    def _kill(self) -> None:
        """End a running server, and every process of it, as a crash does."""
        process.end(self._pid, self._ticks, signal.SIGKILL, 30.0)

    # A place: where tables of a job lie, a database of MySQL or MariaDB, a schema of PostgreSQL's database postgres.

    def connect_in(self, place: str):
        """A connection whose statements find the place's tables without naming it."""
        raise NotImplementedError

    def make_place(self, place: str) -> None:
        raise NotImplementedError

    def drop_place(self, place: str) -> None:
        """Remove the place, if it is there, with all that it holds."""
        raise NotImplementedError

    def sql_in(self, place: str, text: str, *args) -> list[tuple]:
        """Run one or more statements in a place, in a new session; the rows of the last result set."""
        connection = self.connect_in(place)
        try:
            with connection.cursor() as cursor:
                cursor.execute(text, args or None)
                rows = list(cursor.fetchall()) if cursor.description else []
                while cursor.nextset():
                    rows = list(cursor.fetchall()) if cursor.description else []
                return rows
        finally:
            connection.close()

    def is_gone(self, error: Exception) -> bool:
        """True when a statement failed because the server is away or went away."""
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
        """The server's data folder."""
        return self.dir / "data"

    def start(self):
        """Start it and wait until it answers; a server that is up is left as it is."""
        if self.running:
            return self
        if not self.data.is_dir():
            scratch = self.dir / "data.new"
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(mode=0o700)
            self._fill(scratch)
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
        argv = self._argv()
        with open(self.dir / "error.log", "ab") as log:
            self._popen = process.spawn(
                argv, die_with_parent=not self._detached, setpriv_options=self._setpriv_options,
                env=self._environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dir)
        self._pid = self._popen.pid
        self._ticks = process.start_ticks(self._pid) or 0
        self.save_state()  # before it answers, so that `stop` can end a server whose starter was killed
        done = process.wait_until(lambda: self._popen.poll() is not None or self._answers(), self.start_timeout_s)
        if not done:
            self.kill9()
        if not self.running:
            return False
        self._write_client_file()
        self.save_state()
        return True

    def info(self) -> dict:
        """What a caller of the command line needs to know."""
        return {
            "kind": self.kind, "dir": str(self.dir), "host": "127.0.0.1", "port": self.port,
            "socket": self.socket, "user": self.user, "password": self.root_password,
            "pid": self._pid, "start_ticks": self._ticks,
            "client_args": self.client_args, "client": self.client,
        }

    def set_options(self, **options) -> None:
        """Server options for the next start."""
        self._options.update(options)

    def save_state(self) -> None:
        """Write server.json, by which `stop` finds the process again."""
        scratch = self.dir / "server.json.new"
        scratch.write_text(json.dumps(self.info()) + "\n", encoding="utf-8")
        scratch.rename(self.dir / "server.json")

    def stop(self, timeout_s: float = 60.0) -> None:
        """Orderly shutdown; the folder stays."""
        if self.running and not process.end(self._pid, self._ticks, self.stop_signal, timeout_s):
            raise ServerError(f"{self.kind} in {self.dir} did not stop within {timeout_s:.0f} s")
        self._reap()

    def kill9(self) -> None:
        """End it as a crash does; the folder stays."""
        if self.running:
            self._kill()
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
        if not self._own_dir:
            self.stop()
            return
        if self.running:
            process.end(self._pid, self._ticks, self.discard_signal, 10.0)
        self.kill9()
        if not os.environ.get("SLUICE_KEEP"):
            remove_folder(self.dir)

    def _log_tail(self, lines: int = 15) -> str:
        try:
            text = (self.dir / "error.log").read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            return str(error)
        return "\n".join(text.splitlines()[-lines:])


def read_state(folder: Path) -> dict | None:
    """server.json of a folder; None when it has none."""
    try:
        return json.loads((folder / "server.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def remove_folder(folder: Path) -> None:
    """Remove the folder of a server that has ended, with the shared memory that a killed one leaves."""
    state = read_state(folder) or {}
    if state.get("shm_id") is not None:
        process.free_segment(state["shm_id"])
    # Processes of a killed server may write for a moment after it.
    process.wait_until(lambda: shutil.rmtree(folder, ignore_errors=True) or not folder.exists(), 10, 0.1)


def _remove_stale() -> None:
    """Remove folders whose test run was killed; its servers died with it."""
    for folder in Path(tempfile.gettempdir()).glob(_PREFIX + "*"):
        try:
            pid, ticks = (folder / "owner").read_text(encoding="ascii").split()
            if folder.stat().st_uid == os.geteuid() and not process.is_alive(int(pid), int(ticks)):
                remove_folder(folder)
        except (OSError, ValueError):
            continue


@atexit.register
def _close_all() -> None:
    for server in list(_live):
        if not server._detached:
            server.close()
