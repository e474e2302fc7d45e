"""The command line as a person meets it: usage errors, help, copying at a terminal and in a pipe, watching, Ctrl-C."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest
from jobs import database
from sluice import Service, program, wait_for

COLUMNS = 72


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


def environment(service, *ends, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("SLUICE_", "ALIBABA_", "LC_", "LANG"))}
    env |= {"SLUICE_ENDPOINT": f"http://127.0.0.1:{service.port}", "ALIBABA_CLOUD_ACCESS_KEY_ID": service.key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": service.key_secret, "TERM": "xterm", "LANG": "C.UTF-8"}
    if ends:
        env |= {"SLUICE_SOURCE_PASSWORD": ends[0].root_password, "SLUICE_TARGET_PASSWORD": ends[1].root_password}
    return env | more


def run(env, *arguments):
    return subprocess.run([program(), *arguments], env=env, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL)


class Terminal:
    """A command whose standard error is a terminal; what it drew is kept as it was written."""

    def __init__(self, env, *arguments, rows=24):
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, COLUMNS, 0, 0))
        self.process = subprocess.Popen([program(), *arguments], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs, text=True)
        os.close(theirs)
        self.drawn = ""

    def read(self, wait_s):
        """True when there was something to read."""
        if not select.select([self.ours], [], [], wait_s)[0]:
            return False
        try:
            data = os.read(self.ours, 65536)
        except OSError:  # the other end is closed
            return False
        self.drawn += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)

    def read_until(self, text, timeout_s=60):
        deadline = time.monotonic() + timeout_s
        while text not in self.drawn:
            assert time.monotonic() < deadline and (self.read(1) or self.process.poll() is None), self.drawn
        return self.drawn

    def end(self, timeout_s=60):
        while self.process.poll() is None and timeout_s > 0:
            self.read(0.2)
            timeout_s -= 0.2
        while self.read(0):
            pass
        out = self.process.communicate(timeout=10)[0]
        os.close(self.ours)
        return self.process.returncode, out


def screen_of(drawn):
    """The lines that stay: cursor up and clear to the end, as the program uses them."""
    lines = [""]
    for part in re.split(r"(\n|\x1b\[\d+A\x1b\[J)", drawn):
        if part == "\n":
            lines.append("")
        elif part.startswith("\x1b["):
            del lines[-1 - int(part[2:-4]):]
            lines.append("")
        else:
            lines[-1] += part
    return lines


# Slow enough that the bars are seen.
SLOW = ["--reserve", json.dumps({"fullDynamicConfig": {"dts.datamove.source.rps.max": 20000}})]


def url(server, name=""):
    return f"mysql://root@127.0.0.1:{server.port}/{name}"


@contextlib.contextmanager
def filled(source, target, rows=2000):
    """A database with two tables on the source; neither it nor its copies stay."""
    with database(source, target) as name:
        source.sql(f"CREATE TABLE u(a INT, b VARCHAR(40)); INSERT INTO u SELECT seq, 'y' FROM seq_1_to_{rows}", db=name)
        try:
            yield name
        finally:
            target.sql(f"DROP DATABASE IF EXISTS {name}_copy")


@pytest.mark.parametrize("arguments, words", [
    (["nonsense"], 'error: there is no command "nonsense"\n  fix:   sluice --help lists the commands'),
    (["job", "sho"], 'error: there is no command "job sho"\n  fix:   sluice job --help lists the commands'),
    (["help", "nope"], 'error: there is no command "nope"'),
    (["job"], "Usage: sluice job COMMAND"),
    ([], "Usage: sluice COMMAND"),
    (["job", "list", "--bogus"], "error: sluice job list has no option --bogus"),
    (["job", "list", "-z"], "error: sluice job list has no option -z"),
    (["job", "list", "--debug=1"], "error: --debug=1 takes no value"),
    (["job", "list", "--endpoint"], "error: --endpoint needs a value: URL"),
    (["job", "list", "-e"], "error: --endpoint needs a value: URL"),
    (["job", "list", "--output", "yaml"], 'error: --output is not valid: "yaml" is not text or json'),
    (["job", "list", "x"], 'error: sluice job list takes no operands, but "x" is given'),
    (["job", "show"], "error: sluice job show needs ID\n  fix:   sluice job show --help"),
    (["job", "show", "a", "b"], 'error: sluice job show takes ID only, but "b" is given, too'),
    (["copy", "a"], "error: sluice copy needs SOURCE-URL TARGET-URL"),
    (["copy", "a", "b"], "error: SOURCE-URL is not valid: write ENGINE://USER@HOST:PORT/DATABASE"),
    (["copy", "mysql://u@h/d", "mysql://u@h:33o6/d"], 'error: TARGET-URL is not valid: "33o6" is not a port from 1 to 65535'),
    (["copy", "mysql://u:secret@h/d", "mysql://u@h/d"], "error: SOURCE-URL holds a password"),
    (["job", "create", "--type", "move"], 'error: --type is not valid: "move" is not migration or sync'),
    (["copy", "mysql://u@h/d", "mysql://u@h/d", "--reserve", "[]"], "error: --reserve is not valid: it is not a JSON object"),
    (["completion", "fish"], 'error: completion for "fish" is not known'),
])
def test_usage_errors_name_the_word_and_the_fix(arguments, words):
    done = run({"PATH": os.environ["PATH"], "HOME": "/nonexistent", "ALIBABA_CLOUD_ACCESS_KEY_ID": "a", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "b"}, *arguments)
    assert done.returncode == 2 and done.stdout == "", done
    assert words in done.stderr and ("  fix:" in done.stderr or "Usage:" in done.stderr), done.stderr
    assert "secret" not in done.stderr


def test_help_of_all_of_a_noun_and_of_a_command():
    env = {"PATH": os.environ["PATH"]}
    assert "serve" in run(env, "--help").stdout == run(env, "help").stdout == run(env, "-h").stdout
    noun = run(env, "job", "--help").stdout
    assert noun == run(env, "help", "job").stdout and "job delete" in noun and "serve" not in noun and "key create" not in noun
    assert "--caught-up" in run(env, "help", "job", "watch").stdout == run(env, "job", "watch", "--help").stdout
    assert max(map(len, run(env, "copy", "--help").stdout.splitlines())) <= 100


def test_no_key_no_service(service):
    done = run({"PATH": os.environ["PATH"], "HOME": "/nonexistent"}, "job", "list")
    assert done.returncode == 6 and "code:  AccessKeyMissing" in done.stderr and "sluice key create" in done.stderr
    done = run(environment(service, SLUICE_ENDPOINT="http://127.0.0.1:1"), "job", "list")
    assert done.returncode == 5 and "code:  ServiceUnreachable" in done.stderr and "sluice serve" in done.stderr
    done = run(environment(service), "job", "show", "nope")
    assert done.returncode == 9
    assert re.fullmatch(r"error: The instance is not found \(NotFound\): no job has the id nope\n  api:   Forbidden.InstanceNotFound, request [0-9A-F-]{36}\n"
                        r"  fix:   .*\n  code:  JobNotFound\n", done.stderr), done.stderr


def test_wrong_folders_keys_and_addresses(service, tmp_path):
    env = {"PATH": os.environ["PATH"]}
    nowhere = str(tmp_path / "nowhere")
    for verb in (["list"], ["delete", "x"], ["sts", "x"]):
        done = run(env, "key", *verb, "--data", nowhere)
        assert done.returncode == 2 and f"--data {nowhere}: there is no such folder" in done.stderr and not os.path.exists(nowhere), done
    for verb in ("delete", "sts"):
        done = run(env, "key", verb, "SLAKnone", "--data", str(service.data))
        assert done.returncode == 9 and "error: there is no access key SLAKnone\n" in done.stderr and "code:  AccessKeyNotFound" in done.stderr, done
    done = run(env, "serve", "--data", nowhere, "--http", f"127.0.0.1:{service.port}")
    assert done.returncode == 1 and f"cannot listen on 127.0.0.1:{service.port}: Address already in use" in done.stderr and "code:  ListenFailed" in done.stderr, done
    done = run(env, "serve", "--data", nowhere, "--http", "192.0.2.1:8888")
    assert done.returncode == 1 and "cannot listen on 192.0.2.1:8888: Cannot assign requested address" in done.stderr, done
    done = run(env, "serve", "--data", str(service.data), "--http", "127.0.0.1:0")
    assert done.returncode == 1 and f"another sluice serve uses the data folder {service.data}" in done.stderr, done


def test_copy_in_a_pipe_into_a_database_that_is_not_there(service, mariadb_a, mariadb_b):
    """The result is the receipt on stdout; stderr tells each stage once."""
    with filled(mariadb_a, mariadb_b) as name:
        done = run(environment(service, mariadb_a, mariadb_b), "copy", url(mariadb_a, name), url(mariadb_b, f"{name}_copy"))
        assert done.returncode == 0, done.stderr
        assert mariadb_a.sql("SELECT COUNT(*) FROM u", db=name) == mariadb_b.sql("SELECT COUNT(*) FROM u", db=f"{name}_copy")
        assert "\x1b" not in done.stderr + done.stdout
        assert re.search(r"^job       \w{15}$", done.stderr, re.M) and re.search(r"^Precheck  \d+ passed, 1 warning, 0 failed\n  ! CHECK_KEYS: ", done.stderr, re.M)
        ended = re.sub(r"\nSchema    beginning(?=\n)", "", done.stderr)  # told on the way when a line of progress is due
        assert ended.count("\nSchema ") == ended.count("\nPrecheck  1") == 1 and "\nSchema    1 database, 2 tables\n" in ended
        assert re.match(r"deleted \w{15}, applied up to [\w.-]+:\d+ \(GTID .*\)\n(  removed   .*\n)+  kept      migrated databases, tables and rows\n$", done.stdout), done.stdout


def test_copy_at_a_terminal_draws_bars_that_fit(service, mariadb_a, mariadb_b):
    with filled(mariadb_a, mariadb_b, 60000) as name:
        t = Terminal(environment(service, mariadb_a, mariadb_b), "copy", *SLOW, url(mariadb_a, name), url(mariadb_b, f"{name}_copy"))
        status, out = t.end(120)
        assert status == 0 and out.startswith("deleted "), (t.drawn, out)
        bars = re.findall(r"^.*[█░].*$", t.drawn, re.M)
        assert bars and all(re.search(rf" ({name}\.)?[tu] +[█░]{{13}} +\d+% +\S+.* rows/s", bar) for bar in bars), t.drawn
        assert all(len(line.split("\x1b[J")[-1]) < COLUMNS for line in t.drawn.splitlines() if "█" in line or "░" in line)
        stays = screen_of(t.drawn)
        assert not any("█" in line or "░" in line for line in stays), stays
        assert sum(line.startswith("Full ") for line in stays) == 1, stays
        assert max(len(line) for line in stays if not line.startswith(("    fix: ", " " * 9))) <= COLUMNS, stays  # SQL to paste is never broken


def test_bars_without_utf_8(service, mariadb_a, mariadb_b):
    with filled(mariadb_a, mariadb_b, 60000) as name:
        t = Terminal(environment(service, mariadb_a, mariadb_b, LANG="C"), "copy", *SLOW, url(mariadb_a, name), url(mariadb_b, f"{name}_copy"))
        assert t.end(120)[0] == 0, t.drawn
        assert re.search(r"[#.]{13} +\d+%", t.drawn) and t.drawn.isascii(), t.drawn


def test_a_failed_precheck_is_told_with_its_fix(service, mariadb_a, mariadb_b):
    with filled(mariadb_a, mariadb_b) as name:
        mariadb_b.sql(f"CREATE DATABASE {name}_copy; CREATE TABLE {name}_copy.u(a INT)")
        env = environment(service, mariadb_a, mariadb_b)
        done = run(env, "copy", url(mariadb_a, name), url(mariadb_b, f"{name}_copy"))
        assert done.returncode == 4 and done.stdout == "", done
        assert f"  x CHECK_SAME_OBJ: TABLE {name}_copy.u exists in the destination\n    fix: DROP TABLE" in done.stderr, done.stderr
        job = re.search(r"job:   (\w{15}) is kept; sluice job show, job start or job delete \1\n$", done.stderr)
        assert job and re.search(r"^error: job \w{15} is PrecheckFailed: 1 item failed\n  fix:", done.stderr, re.M), done.stderr
        shown = run(env, "job", "show", job[1]).stdout
        assert re.search(r"^status       PrecheckFailed$", shown, re.M) and f"x CHECK_SAME_OBJ: TABLE {name}_copy.u exists" in shown, shown
        waits = run(env, "job", "watch", job[1])
        assert waits.returncode == 4, waits
        assert run(env, "job", "delete", job[1]).returncode == 0


def test_a_refused_job_is_not_kept(service, mariadb_a, mariadb_b):
    env = environment(service, mariadb_a, mariadb_b)
    before = run(env, "job", "list").stdout
    done = run(env, "copy", url(mariadb_a, "d").replace("mysql:", "oracle:"), url(mariadb_b, "d"))
    assert done.returncode == 2 and 'the engine "oracle" is not supported' in done.stderr and "kept" not in done.stderr, done.stderr
    assert run(env, "job", "list").stdout == before


def test_an_unreachable_end_is_told_once(service, mariadb_a, mariadb_b):
    env = environment(service, mariadb_a, mariadb_b)
    done = run(env, "copy", "mysql://root@127.0.0.1:1/d", url(mariadb_b, "d"))
    assert done.returncode == 4 and done.stderr.count("check address, port, firewall") == 1, done.stderr
    job = re.search(r"job:   (\w{15}) is kept", done.stderr)[1]
    assert run(env, "job", "delete", job).returncode == 0


def test_watching_a_sync_job(service, mariadb_a, mariadb_b):
    """Caught up, Ctrl-C, paused: each ends the watch in its own way; the list shows the delay."""
    with filled(mariadb_a, mariadb_b) as name:
        env = environment(service, mariadb_a, mariadb_b)
        made = run(env, "job", "create", "--type", "sync", "--source", url(mariadb_a), "--target", url(mariadb_b), "--objects", f"{name}={name}_copy", "--start", "-o", "json")
        job = json.loads(made.stdout)["DtsJobId"]
        done = run(env, "job", "watch", job, "--caught-up")
        assert done.returncode == 0 and re.search(r"^Stream    caught up, delay \d+ ms, ", done.stderr, re.M), done.stderr
        assert re.search(rf"^JOB +TYPE +STATUS +PROGRESS +DELAY +SOURCE +DESTINATION +NAME\n(.*\n)*{job}  sync  Synchronizing  - +0 ms  ", run(env, "job", "list").stdout)

        t = Terminal(env, "job", "watch", job)
        t.read_until("Stream    caught up")
        t.process.send_signal(signal.SIGINT)
        assert t.end()[0] == 130 and f"interrupted; job {job} goes on\n" in t.drawn, t.drawn

        assert run(env, "job", "pause", job).returncode == 0
        wait_for(lambda: json.loads(run(env, "api", "DescribeDtsJobDetail", f"DtsJobId={job}").stdout)["Status"], {"Suspending"})
        only_looks = run(env, "job", "watch", job)
        assert only_looks.returncode == 0 and f"job {job} does not run; sluice job start {job}" in only_looks.stderr, only_looks
        waits = run(env, "job", "watch", job, "--caught-up")
        assert waits.returncode == 9 and f"error: job {job} does not run" in waits.stderr, waits
        assert run(env, "job", "delete", job).returncode == 0


def test_an_idle_job_has_no_rate(service, mariadb_a, mariadb_b):
    """What was applied in the last second is gone from the answers when nothing more comes, and when the job stands."""
    with filled(mariadb_a, mariadb_b) as name:
        env = environment(service, mariadb_a, mariadb_b)
        made = run(env, "job", "create", "--type", "sync", "--source", url(mariadb_a), "--target", url(mariadb_b), "--objects", f"{name}={name}_copy", "--start", "-o", "json")
        job = json.loads(made.stdout)["DtsJobId"]
        assert run(env, "job", "watch", job, "--caught-up").returncode == 0

        def rate():
            return service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["Performance"]["Rps"]

        mariadb_a.sql("UPDATE t SET v = CONCAT(v, 'z')", db=name)
        wait_for(lambda: rate() != "0", {True}, 20)
        wait_for(rate, {"0"}, 20)
        assert run(env, "job", "delete", job).returncode == 0


def test_a_watch_outlives_a_restart_of_the_service(mariadb_a, mariadb_b):
    with Service("--rate-limit", "0") as own, filled(mariadb_a, mariadb_b) as name:
        env = environment(own, mariadb_a, mariadb_b)
        made = run(env, "job", "create", "--type", "sync", "--source", url(mariadb_a), "--target", url(mariadb_b), "--objects", f"{name}={name}_copy", "--start", "-o", "json")
        job = json.loads(made.stdout)["DtsJobId"]
        t = Terminal(env, "job", "watch", job)
        t.read_until("Stream    caught up")
        own.kill9()
        time.sleep(1.5)
        assert t.process.poll() is None, t.drawn
        own.start()
        before = len(t.drawn)
        wait_for(lambda: t.read(0.5) and "caught up" in t.drawn[before:], {True}, 30)
        t.process.send_signal(signal.SIGINT)
        assert t.end()[0] == 130
        assert run(env, "job", "delete", job).returncode == 0
