"""Starting a server process, knowing it again, and ending it: never a process we did not start.

A process is named by pid and start time (field 22 of /proc/<pid>/stat, see proc(5)), so a pid the
kernel has given to somebody else is never signalled. Servers of a test run carry a parent death
signal: they die with the run, also when it is killed with SIGKILL.
"""

import os
import queue
import select
import signal
import socket
import subprocess
import threading
import time

_requests: queue.SimpleQueue = queue.SimpleQueue()
_spawner_lock = threading.Lock()
_spawner: threading.Thread | None = None


def start_ticks(pid: int) -> int | None:
    """Start time of a process in clock ticks after boot; None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as handle:
            fields = handle.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in ("Z", "X") else int(fields[19])


def is_alive(pid: int, ticks: int) -> bool:
    """True while the very process that had this pid and start time runs."""
    return start_ticks(pid) == ticks


def end(pid: int, ticks: int, sig: int, timeout_s: float) -> bool:
    """Signal the process if it is still the same one; True when it is gone in time."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        if not is_alive(pid, ticks):
            return True
        signal.pidfd_send_signal(fd, sig)
        poller = select.poll()
        poller.register(fd, select.POLLIN)
        return bool(poller.poll(timeout_s * 1000))
    except ProcessLookupError:
        return True
    finally:
        os.close(fd)


def _children(pid: int) -> list[tuple[int, int]]:
    """Pid and start time of each child process."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="latin-1") as handle:
                fields = handle.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] not in ("Z", "X"):
            found.append((int(name), int(fields[19])))
    return found


def kill_family(pid: int, ticks: int, timeout_s: float) -> bool:
    """SIGKILL the process and its children, which may have sessions of their own; True when all are gone in time."""
    end(pid, ticks, signal.SIGSTOP, 0)  # it starts no more children
    family = [(pid, ticks), *_children(pid)] if is_alive(pid, ticks) else []
    return all([end(*member, signal.SIGKILL, timeout_s) for member in family])


def wait_end(pid: int) -> None:
    """Wait, however long, until the process has ended."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    poller.poll()
    os.close(fd)


def _spawn_forever() -> None:
    while True:
        argv, kwargs, reply = _requests.get()
        try:
            reply.put(subprocess.Popen(argv, **kwargs))
        except OSError as error:
            reply.put(error)


def spawn(argv: list[str], *, die_with_parent: bool, setpriv_options=(), **kwargs) -> subprocess.Popen:
    """Start a process in its own session, with the privileges that setpriv(1) leaves it.

    With `die_with_parent` it gets SIGKILL when this process ends. The kernel ties that signal to
    the thread that forked (prctl(2), PR_SET_PDEATHSIG), so one thread that never ends does it.
    """
    global _spawner
    options = [*setpriv_options, *(["--pdeathsig", "KILL"] if die_with_parent else [])]
    if options:
        argv = ["setpriv", *options, "--", *argv]
    if not die_with_parent:
        return subprocess.Popen(argv, start_new_session=True, **kwargs)
    with _spawner_lock:
        if _spawner is None or not _spawner.is_alive():
            _spawner = threading.Thread(target=_spawn_forever, name="spawner", daemon=True)
            _spawner.start()
    reply: queue.SimpleQueue = queue.SimpleQueue()
    _requests.put((argv, {**kwargs, "start_new_session": True}, reply))
    result = reply.get()
    if isinstance(result, OSError):
        raise result
    return result


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_segment(shm_id: int) -> None:
    """Remove a System V shared memory segment that no process uses any more."""
    with open("/proc/sysvipc/shm", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    if any(int(row[1]) == shm_id and int(row[6]) == 0 for row in rows):  # shmid, nattch: proc(5)
        subprocess.run(["ipcrm", "-m", str(shm_id)], check=False, capture_output=True)


def wait_until(condition, timeout_s: float, step_s: float = 0.02) -> bool:
    """Poll a condition until it holds; False at the deadline."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(step_s)
    return True
