"""Secrets are seen nowhere: planted passwords and keys, a job's whole life with its failures, and then every place where one could have been left."""

import base64
import concurrent.futures
import json
import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
import uuid
from pathlib import Path

import pytest
import sluice
from jobs import alive, database, leftovers, receipt, same_count, status, worker_pid
from servers.cache import cache_dir
from sluice import NOWHERE, Service, endpoints, job_params, program, sign_v1, sign_v3, wait_for

# Characters that every encoding on the way changes; the middle of a secret stays the same in each and is what is looked for.
AROUND = ("\"'\\", "%& +=~ü;")


class Planted:
    """Unique secrets by name."""

    def __init__(self):
        self.values = {}

    def __call__(self, name):
        if name not in self.values:
            self.values[name] = AROUND[0] + uuid.uuid4().hex + AROUND[1]
        return self.values[name]

    def add(self, name, value):
        self.values[name] = value
        return value

    def needles(self):
        """(name, bytes): the secret's middle, in hexadecimal, in base64 at each alignment, and in UTF-16."""
        for name, value in list(self.values.items()):  # Watch looks while secrets are added
            core = value.removeprefix(AROUND[0]).removesuffix(AROUND[1]).encode()
            yield name, core
            yield name, core.hex().encode()
            yield name, core.decode().encode("utf-16-le")
            for shift in range(3):
                coded = base64.b64encode(b"x" * shift + core)
                yield name, coded[4 if shift else 0:-4]

    def found_in(self, data):
        return {name for name, needle in self.needles() if needle in data}


class Watch:
    """Looks at every process of the machine all the time: command lines; of serve and its children also environment, status and the core limit."""

    def __init__(self, service, planted):
        self.service, self.planted = service, planted
        self.seen, self.wrong, self.kinds = set(), set(), set()
        self.end = threading.Event()
        self.pool = concurrent.futures.ThreadPoolExecutor(1)

    def __enter__(self):
        self.work = self.pool.submit(self._run)
        return self

    def __exit__(self, *_):
        self.end.set()
        self.work.result()  # raises what went wrong while it looked

    def _run(self):
        while not self.end.wait(0.02):
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    self._look(folder)
                except OSError:
                    pass  # it ended while we looked

    def _look(self, folder):
        line = (folder / "cmdline").read_bytes()
        self.wrong |= {f"{name} in a command line" for name in self.planted.found_in(line)}
        state = (folder / "status").read_text()
        pid, serve = int(folder.name), self.service.process.pid
        if pid != serve and int(re.search(r"PPid:\s+(\d+)", state).group(1)) != serve:
            return
        self.seen.add(pid)
        words = line.split(b"\0")
        if len(words) < 2:
            return  # between its start and its program
        self.kinds.add(words[1].decode())
        self.wrong |= {f"{name} in status" for name in self.planted.found_in(state.encode())}
        limits = (folder / "limits").read_text()
        if pid != serve and not re.search(r"Max core file size\s+0\s+0\s", limits):  # serve itself: once it is ready, see the last test
            self.wrong.add(f"{line!r} may write a core")
        try:
            self.wrong |= {f"{name} in an environment" for name in self.planted.found_in((folder / "environ").read_bytes())}
        except PermissionError:
            pass  # closed to everybody but root, as test_no_core_and_closed_to_others shows


class Recorded(Service):
    """Keeps the bytes of every answer."""

    def __init__(self, *options):
        super().__init__(*options)
        self.answers = []

    def send(self, request):
        answer = super().send(request)
        self.answers.append(json.dumps(answer.headers).encode() + answer.text.encode())
        return answer


def store_files(s, planted):
    """What of the planted is in the data folder (SQLite, its WAL, the lock), as it is on the disk now."""
    found = set()
    for file in s.data.rglob("*"):
        if file.is_file():
            found |= {f"{name} in {file.name}" for name in planted.found_in(file.read_bytes())}
    return found


def account(server, user, password):
    server.sql(f"CREATE OR REPLACE USER '{user}'@'%%' IDENTIFIED BY %s", password)
    server.sql(f"GRANT ALL ON *.* TO '{user}'@'%'")


def sent_in_every_form(s, action, params):
    """The same call by both signatures, in the query and in bodies, asked for JSON and XML."""
    key, host = (s.key_id, s.key_secret), f"127.0.0.1:{s.port}"
    for request in (sign_v1(action, params, key=key, host=host), sign_v1(action, params, key=key, host=host, fmt="XML"),
                    sign_v1(action, {}, key=key, host=host, method="POST", body_params=params), sign_v1(action, params, key=key, host=host, method="POST", all_in_body=True),
                    sign_v3(action, params, key=key, host=host), sign_v3(action, {}, key=key, host=host, body_params=params)):
        s.send(request)


def refused_calls(s, planted, job):
    """Calls that fail in each layer, with a secret in them."""
    password = {"Password": planted("refused")}
    ends = {f"{side}Endpoint{n}": v for side in ("Source", "Destination") for n, v in
            {"InstanceType": "other", "EngineName": "MYSQL", "IP": "127.0.0.1", "Port": "1", "UserName": "u", "Password": planted("refused")}.items()}
    sent_in_every_form(s, "ModifyDtsJobPassword", {"DtsJobId": "l3m1213ye7l0000", "Endpoint": "src", **password})
    sent_in_every_form(s, "ModifyDtsJobPassword", {"DtsJobId": job, "Endpoint": "middle", **password})
    sent_in_every_form(s, "ModifyDtsJobPassword", {"DtsJobId": job, **password})
    sent_in_every_form(s, "ModifyDtsJobPassword", {"DtsJobId": job, "Endpoint": "src", "Password": planted("refused") * 100})
    sent_in_every_form(s, "DescribeConnectionStatus", ends)
    sent_in_every_form(s, "ConfigureDtsJob", job_params(ends, "shop", DbList="no json " + planted("refused")))
    sent_in_every_form(s, "ConfigureDtsJob", job_params(ends, "shop", Reserve="{" + planted("refused")))
    sent_in_every_form(s, "ConfigureDtsJob", job_params(ends, "shop", JobType="SUBSCRIBE"))
    sent_in_every_form(s, "NoSuchAction", password)
    for family in ("v1", "v3"):  # forged and late: the hint of a wrong signature shows what was signed
        change = {"PageSize": "1"} if family == "v1" else {"x-acs-signature-nonce": "other"}
        for action, params in (("ModifyDtsJobPassword", password), ("NoSuchAction", password), ("ConfigureDtsJob", job_params(ends, "shop", Reserve=json.dumps({"destPassword": planted("refused")})))):
            assert s.call(action, params, family=family, change=change).status == 400
            assert s.call(action, params, family=family, offset_s=-3600).status == 400
    s.raw(b"GET /?Action=DescribeDtsJobs&Password=" + planted("refused").split("\\")[1][:32].encode() + b" HTTP/1.1\r\n\r\n", 1)


def temporary_keys(s, planted):
    key_id, key_secret, token = s.temporary_key(2)
    planted.add("sts secret", key_secret)
    planted.add("sts token", token)
    host = f"127.0.0.1:{s.port}"
    for sign in (sign_v1, sign_v3):
        assert s.send(sign("DescribeDtsJobs", key=(key_id, key_secret), token=token, host=host)).status == 200
        assert s.send(sign("DescribeDtsJobs", key=(key_id, key_secret), host=host)).status == 400
        assert s.send(sign("DescribeDtsJobs", key=(key_id, "x"), token=token, host=host)).status == 400
        assert s.send(sign("DescribeDtsJobs", key=(s.key_id, s.key_secret), token=token, host=host)).status == 400
    time.sleep(2.1)
    assert s.send(sign_v1("DescribeDtsJobs", key=(key_id, key_secret), token=token, host=host)).status == 403
    done = s.run("key", "list", "--data", str(s.data), "--output", "json")
    s.answers.append(done.stdout.encode() + done.stderr.encode())


def every_read(s, job):
    for action, params in [("DescribeDtsJobDetail", {"DtsJobId": job}), ("DescribeDtsJobs", {"JobType": "SYNC"}), ("DescribePreCheckStatus", {"DtsJobId": job, "JobCode": "01"}),
                           ("DescribeDtsServiceLog", {"DtsJobId": job, "StartTime": "0", "EndTime": str(int(time.time() * 1000))}), ("DescribeDtsInstances", {}),
                           ("DescribeInitializationStatus", {"SynchronizationJobId": job}), ("SluiceDescribeReceipt", {"DtsJobId": job}), ("SluiceDescribeLeftovers", {"DtsJobId": job})]:
        for family in ("v1", "v3"):
            s.call(action, params, family=family)
    for page in ("/metrics", "/readyz"):
        s.send(("GET", page, {}, None))


def run_command_line(s, planted, job, source, name, tmp_path):
    """The commands of a user, with passwords in files."""
    environment = {**os.environ, "ALIBABA_CLOUD_ACCESS_KEY_ID": s.key_id, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": s.key_secret, "SLUICE_ENDPOINT": f"http://127.0.0.1:{s.port}"}
    file = tmp_path / "password"
    file.write_text(planted("command line") + "\n")
    url = f"mysql://{name}@127.0.0.1:{source.port}"
    created = ["job", "create", "--source", url, "--target", url, "--source-password-file", str(file), "--target-password-file", str(file), "--objects", name, "--debug"]
    for arguments in (created, ["job", "list", "--debug"], ["job", "show", job], ["sign", "DescribeDtsJobs"], ["leftover", "list"], ["copy", url + "/x", url + "/y", *created[6:10]]):
        done = subprocess.run([program(), *arguments], env=environment, capture_output=True, timeout=60, check=False)
        s.answers.append(done.stdout + done.stderr)


def test_planted_secrets_are_seen_nowhere(mariadb_a, mariadb_b, tmp_path):
    planted = Planted()
    with Recorded("--rate-limit", "0", "--log-level", "debug") as s, database(mariadb_a, mariadb_b) as name, Watch(s, planted) as watch:
        planted.add("access key", s.key_secret)
        account(mariadb_a, name, planted("source"))
        account(mariadb_b, name, planted("destination"))
        try:
            ends = {**endpoints(mariadb_a, mariadb_b), "SourceEndpointUserName": name, "SourceEndpointPassword": planted("source"), "DestinationEndpointUserName": name,
                    "DestinationEndpointPassword": planted("destination")}
            reserve = {"autoStartModulesAfterConfig": "none", "kept": "note", "destSchemaRegistryPassword": planted("reserve"), "deep": [{"secretKey": planted("reserve")}]}
            sent_in_every_form(s, "DescribeConnectionStatus", ends)
            # A precheck that fails at the login.
            wrong = s.ok("ConfigureDtsJob", job_params({**ends, "SourceEndpointPassword": planted("wrong")}, name, JobType="SYNC"), family="v1")["DtsJobId"]
            s.ok("StartDtsJob", {"DtsJobId": wrong})
            wait_for(lambda: status(s, wrong), {"PrecheckFailed"})
            every_read(s, wrong)
            # create, configure, start
            job = s.ok("CreateDtsInstance", {"Type": "SYNC", "PayType": "PostPaid", "InstanceClass": "small"})["JobId"]
            s.ok("ConfigureDtsJob", job_params(ends, name, JobType="SYNC", DtsJobId=job, Reserve=json.dumps(reserve)), family="v1")
            assert json.loads(s.ok("DescribeDtsJobDetail", {"DtsJobId": job})["Reserved"])["kept"] == "note"
            s.ok("StartDtsJob", {"DtsJobId": job})
            wait_for(lambda: status(s, job), {"Synchronizing"})
            same_count(mariadb_a, mariadb_b, name)
            refused_calls(s, planted, job)
            temporary_keys(s, planted)
            run_command_line(s, planted, job, mariadb_a, name, tmp_path)
            every_read(s, job)
            promtool = cache_dir() / "prometheus/usr/bin/promtool"
            done = subprocess.run([str(promtool), "check", "metrics"], input=s.send(("GET", "/metrics", {}, None)).text, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0 and not done.stdout and not done.stderr, done.stdout + done.stderr  # with tasks in it
            # suspend, start, a wrong password while it runs, then the right one
            s.ok("SuspendDtsJob", {"DtsJobId": job})
            wait_for(lambda: status(s, job), {"Suspending"})
            s.ok("StartDtsJob", {"DtsJobId": job})
            s.ok("ModifyDtsJobPassword", {"DtsJobId": job, "Endpoint": "dest", "Password": planted("wrong")}, family="v1")
            wait_for(lambda: status(s, job), {"Failed", "Retrying"})
            every_read(s, job)
            account(mariadb_b, name, planted("new destination"))
            s.ok("ModifyDtsJobPassword", {"DtsJobId": job, "Endpoint": "dest", "Password": planted("new destination")})
            s.ok("StartDtsJob", {"DtsJobId": job})
            wait_for(lambda: status(s, job), {"Synchronizing"})
            mariadb_a.sql("INSERT INTO t VALUES (77777, 'moved')", db=name)
            same_count(mariadb_a, mariadb_b, name)
            # crashes of worker and service: the WAL stays behind
            pid, epoch = worker_pid(s, job)
            os.kill(pid, signal.SIGSEGV)
            wait_for(lambda: worker_pid(s, job)[1] > epoch, {True})
            assert store_files(s, planted) == set()
            s.kill9()
            assert store_files(s, planted) == set()
            s.start()
            wait_for(lambda: status(s, job), {"Synchronizing"})
            # delete while the password is wrong: a leftover, retried with wrong and right passwords
            s.ok("SuspendDtsJob", {"DtsJobId": job})
            account(mariadb_b, name, planted("third destination"))
            s.ok("DeleteDtsJob", {"DtsJobId": job})
            receipt(s, job)
            left = leftovers(s, job)
            assert left
            every_read(s, job)
            s.ok("SluiceRetryLeftover", {"LeftoverId": left[0]["Id"], "Password": planted("wrong")})
            time.sleep(1)
            every_read(s, job)
            assert store_files(s, planted) == set()
            s.ok("SluiceRetryLeftover", {"LeftoverId": left[0]["Id"], "Password": planted("third destination")})
            wait_for(lambda: len(leftovers(s, job)), {0})
            s.ok("DeleteDtsJob", {"DtsJobId": wrong})
            receipt(s, wrong)
            every_read(s, job)
        finally:
            for server in (mariadb_a, mariadb_b):
                server.sql(f"DROP USER IF EXISTS '{name}'@'%'")
        assert len(planted.values) == 11 and watch.kinds == {"serve", "worker", "probe"} and len(watch.seen) > 10
        assert watch.wrong == set()
        assert store_files(s, planted) == set()
        assert len(s.answers) > 200 and planted.found_in(b"\0".join(s.answers)) == set()
        s.stop()
        assert s.log().count("event=started kind=worker") > 3 and planted.found_in(s.log().encode()) == set()


def test_planted_secrets_would_be_found():
    """The search itself: every form that it claims to know."""
    planted = Planted()
    value = planted("a")
    for text in (value, json.dumps(value), sluice.encode(value), sluice.encode(sluice.encode(value)), base64.b64encode(value.encode()).decode(), base64.b64encode(b"z" + value.encode()).decode(),
                 base64.b64encode(b"zz" + value.encode()).decode(), value.encode().hex()):
        assert planted.found_in(f"before{text}after".encode()) == {"a"}, text
    assert planted.found_in(value.encode("utf-16-le")) == {"a"} and planted.found_in(value[:20].encode()) == set()


def test_passwords_that_no_client_could_send(sluice_server):
    """One byte too many, or a zero byte, is refused where it is given: not stored, not cut."""
    job = sluice_server.ok("ConfigureDtsJob", job_params(NOWHERE, "shop"))["DtsJobId"]
    for password, allowed in (("x" * 4096, True), ("x" * 4097, False), ("a\0b", False)):
        answer = sluice_server.call("ModifyDtsJobPassword", {"DtsJobId": job, "Endpoint": "dest", "Password": password})
        assert answer.status == 200 if allowed else (answer.status, answer.json["Code"], answer.json["DynamicMessage"]) == (400, "InvalidParameter", "Password"), answer.text
        answer = sluice_server.call("ConfigureDtsJob", job_params({**NOWHERE, "SourceEndpointPassword": password}, "shop"))
        assert answer.status == 200 if allowed else (answer.status, answer.json["DynamicMessage"]) == (400, "SourceEndpointPassword"), answer.text


def test_a_secret_that_does_not_open_fails_the_job(mariadb_a, mariadb_b):
    """A sealed password that was damaged: the task says so instead of waiting for ever, and goes on with a password given anew."""
    with Service("--rate-limit", "0") as s, database(mariadb_a, mariadb_b) as name:
        job = s.ok("ConfigureDtsJob", job_params(endpoints(mariadb_a, mariadb_b), name, JobType="SYNC"))["DtsJobId"]
        s.ok("CreateDtsInstance", {"JobId": job, "AutoStart": "true"})
        wait_for(lambda: status(s, job), {"Synchronizing"})
        s.ok("SuspendDtsJob", {"DtsJobId": job})
        wait_for(lambda: status(s, job), {"Suspending"})
        with sqlite3.connect(s.data / "sluice.db") as db:
            assert db.execute("UPDATE secret SET sealed = CAST(sealed || x'00' AS BLOB) WHERE context = ?", (f"job/{job}/dest",)).rowcount == 1
        db.close()
        s.ok("StartDtsJob", {"DtsJobId": job})
        wait_for(lambda: status(s, job), {"Failed"}, 20)
        assert "SecretKeyError" in s.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
        s.ok("ModifyDtsJobPassword", {"DtsJobId": job, "Endpoint": "dest", "Password": mariadb_b.root_password})
        s.ok("StartDtsJob", {"DtsJobId": job})
        mariadb_a.sql("INSERT INTO t VALUES (77777, 'after')", db=name)
        same_count(mariadb_a, mariadb_b, name)
        s.ok("DeleteDtsJob", {"DtsJobId": job})
        receipt(s, job)


# --- crashes ---

NOBODY = 65534


@pytest.fixture
def unprivileged(tmp_path_factory, monkeypatch):
    """Service arguments of a user who is not root, and a folder that is his; the program is where he can run it."""
    folder = Path("/tmp") / f"sluice-nobody-{uuid.uuid4().hex[:8]}"
    folder.mkdir(mode=0o755)
    shutil.copy(program(), folder / "sluice")
    work = folder / "work"
    work.mkdir()
    root = os.geteuid() == 0
    if root:
        os.chown(work, NOBODY, NOBODY)
    monkeypatch.setenv("SLUICE_BIN", str(folder / "sluice"))
    # The sanitizer would forbid cores by itself, and answer a signal before the system does.
    monkeypatch.setenv("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", "") + ":disable_coredump=0:handle_segv=0:handle_abort=0:detect_leaks=0")
    yield work, {"user": NOBODY, "group": NOBODY, "extra_groups": []} if root else {}
    shutil.rmtree(folder, ignore_errors=True)


class Unprivileged(Service):
    """Another user's service in its own folder, allowed to write cores as large as it likes."""

    def __init__(self, work, who):
        super().__init__("--rate-limit", "0")
        shutil.rmtree(self.dir)
        self.dir, self.data, self.log_path, self.who = str(work), work / "data", work / "serve.log", who
        self.popen = {"cwd": work, "preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)), **who}

    def run(self, *arguments, check=True):
        done = subprocess.run([program(), *arguments], capture_output=True, text=True, timeout=60, check=check, **self.who)
        return done


def closed(pid):
    """The kernel gives the files of a process that may not be dumped to root."""
    return os.stat(f"/proc/{pid}/environ").st_uid == 0


def cores(work):
    """Core files in the folder of the process and where the system is told to put them."""
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    folders = {work} | ({Path(pattern).parent} if pattern.startswith("/") else set())
    return {file for folder in folders if folder.is_dir() for file in folder.glob("*core*")}


def test_no_core_and_closed_to_others(unprivileged, mariadb_a, mariadb_b):
    """A worker and the service end by SIGSEGV and SIGABRT; none leaves a core, and nobody but root could read them while they ran."""
    work, who = unprivileged
    before = cores(work)
    with subprocess.Popen(["sleep", "60"], **who) as control:  # what an ordinary process of this user looks like
        try:
            assert closed(control.pid) == (os.geteuid() == 0 and not who)
        finally:
            control.kill()
    with Unprivileged(work, who) as s, database(mariadb_a, mariadb_b) as name:
        job = s.ok("ConfigureDtsJob", job_params(endpoints(mariadb_a, mariadb_b), name, JobType="SYNC"))["DtsJobId"]
        s.ok("CreateDtsInstance", {"JobId": job, "AutoStart": "true"})
        wait_for(lambda: status(s, job), {"Synchronizing"})
        for crash in (signal.SIGSEGV, signal.SIGABRT):
            pid, epoch = worker_pid(s, job)
            assert closed(s.process.pid) and wait_for(lambda: closed(pid), {True}, 60)  # it closes itself first of all
            for process in (pid, s.process.pid):
                assert re.search(r"Max core file size\s+0\s+0\s", Path(f"/proc/{process}/limits").read_text())
            os.kill(pid, crash)
            wait_for(lambda: worker_pid(s, job)[1] > epoch, {True})
            assert f"signal={int(crash)} " in s.log()  # it died of it
        mariadb_a.sql("INSERT INTO t VALUES (77777, 'after')", db=name)
        same_count(mariadb_a, mariadb_b, name)
        pid, epoch = worker_pid(s, job)
        s.process.send_signal(signal.SIGABRT)
        assert s.process.wait(30) == -signal.SIGABRT
        wait_for(lambda: alive(pid), {False})
        s.start()
        wait_for(lambda: worker_pid(s, job)[1] > epoch, {True})
        s.ok("DeleteDtsJob", {"DtsJobId": job})
        receipt(s, job)
    assert cores(work) == before
