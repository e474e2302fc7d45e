"""scripts/demo.sh: it ends well, and leaves neither a process nor a folder however it is ended."""

import os
import pathlib
import signal
import subprocess
import tempfile
import time

import pytest

import sluice
from jobs import LONG
from servers import account, process

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture
def place():
    """A folder for the demo's folder; its path is short, because a socket lies below it."""
    with tempfile.TemporaryDirectory(prefix="sd-") as folder:
        account.let_in(pathlib.Path(folder))  # PostgreSQL's
        yield pathlib.Path(folder)


def start(place, **settings):
    env = {**os.environ, "TMPDIR": str(place), "SLUICE_BIN": sluice.program(), "ROWS": "3000", "LIVE_SECONDS": "1", **settings}
    return subprocess.Popen([ROOT / "scripts/demo.sh"], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, start_new_session=True)


def processes_of(place):
    """Command lines of the processes that name the folder."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(place) in line:
            found.append(line)
    return found


def assert_nothing_left(place, within_s=30.0):
    gone = process.wait_until(lambda: not processes_of(place) and not list(place.iterdir()), within_s, 0.1)
    assert gone, f"left: {processes_of(place)} {list(place.iterdir())}"


def read_until(run, text):
    """What the demo says up to a line that holds the text."""
    said = ""
    for line in run.stdout:
        said += line
        if text in line:
            return said
    raise AssertionError(f"the demo ended before it said {text!r}:\n{said}")


@pytest.mark.parametrize("pair", ["mariadb-pg", "pg-pg17", *(["mariadb-mariadb", "mysql-mysql", "mysql-pg", "pg18-pg"] if LONG else [])])
def test_it_ends_by_itself_without_a_terminal(place, pair):
    run = start(place, PAIR=pair)
    said = run.communicate(timeout=180)[0]
    assert run.returncode == 0, said
    assert "4000 rows loaded in" in said and "\n   equal\n" in said and "removed   schema sluice" in said, said
    assert_nothing_left(place, 0)


# While the servers start, while rows are written, while the job loads, while the source is changed.
MOMENTS = ["starting two private", "filling the source", "creating a sync job", "changing the source"]


@pytest.mark.parametrize("moment", MOMENTS)
def test_ctrl_c_leaves_nothing(place, moment):
    run = start(place)
    read_until(run, moment)
    time.sleep(0.3)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to every process of the group
    said = run.communicate(timeout=60)[0]
    assert run.returncode == 130, said
    assert "Traceback" not in said and "interrupted; removing" in said, said
    assert_nothing_left(place, 0)


def test_a_closed_terminal_leaves_nothing(place):
    run = start(place)
    read_until(run, "changing the source")
    run.stdout.close()  # whatever it says from here on fails
    run.send_signal(signal.SIGHUP)
    assert run.wait(60) in (129, 141)  # SIGHUP or SIGPIPE, whichever it met first
    assert_nothing_left(place, 0)


def test_kill_9_of_the_script_leaves_nothing(place):
    run = start(place)
    read_until(run, "changing the source")
    run.kill()
    run.wait(10)
    assert_nothing_left(place)


def test_kill_9_of_the_service_is_an_error_that_says_so(place):
    run = start(place)
    read_until(run, "changing the source")
    service = [int(entry.parent.name) for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline")
               if str(place).encode() in (line := entry.read_bytes()) and b"\0serve\0" in line]
    assert len(service) == 1
    os.kill(service[0], signal.SIGKILL)
    said = run.communicate(timeout=120)[0]
    # 5: the next command of the demo met the dead service first
    ended = run.returncode == 1 and "error: sluice serve has ended" in said
    assert (ended or (run.returncode == 5 and "ServiceUnreachable" in said)) and "demo-serve.log" in said, said
    assert_nothing_left(place, 0)


@pytest.mark.parametrize("settings, words", [
    ({"PAIR": "mariadb-oracle"}, 'PAIR is not valid: "mariadb-oracle"'),
    ({"ROWS": "many"}, 'ROWS is not valid: "many"'),
    ({"ROWS": "0"}, 'ROWS is not valid: "0"'),
    ({"LIVE_SECONDS": "-1"}, 'LIVE_SECONDS is not valid: "-1"'),
    ({"ROWS": "1000000000000"}, "MB free, 1000000300 MB are needed"),
    ({"TMPDIR": "/proc"}, "cannot make a folder in /proc"),
    ({"SLUICE_BIN": "/bin/false"}, "sluice serve did not start"),
])
def test_a_wrong_setting_is_named(place, settings, words):
    run = start(place, **settings)
    said = run.communicate(timeout=60)[0]
    assert run.returncode == 1, said
    assert words in said and "  fix:" in said and "Traceback" not in said, said
    assert_nothing_left(place, 0)
