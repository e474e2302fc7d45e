"""Deletion, by table: every state x every way to name the job, and the service killed after every step, an end dead or frozen, in all pairings.

Each case checks that two ids that disagree change nothing, that the answer is repeated, and that neither server nor the service's own store has
anything of the job afterwards (an end that cannot be reached: that it is listed, and goes when the server is back). The default run has every state,
step and fault once, spread over ids and pairings, and with PostgreSQL what makes a difference there; SLUICE_TEST_LONG=1 multiplies them out.
"""

import contextlib
import json
import os
import random
import re
import signal
import sqlite3
import time
from itertools import cycle, product
from pathlib import Path

import pytest
from jobs import (FAILED, LONG, MYSQL_PAIRS, PAIRS, alive, assert_as_before, assert_clean, assert_gone, assert_no_connections, assert_same, configure, database, each_pair,
                  inventory, leftovers, reach, receipt, run_until, status, worker_pid)
from sluice import Service, wait_for

STATES_PAGE = Path(__file__).resolve().parents[2] / "docs/STATES.md"
BY = ("job", "instance", "both")


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


@pytest.fixture(scope="module")
def other(service):
    """Another job of the service: its ids disagree with every other job's."""
    return service.ok("CreateDtsInstance", {"Type": "SYNC"})


class Trial:
    """One job on a small database, and what the two servers held before it."""

    def __init__(self, service, source, target, name, kind):
        self.s, self.source, self.target, self.name, self.kind = service, source, target, name, kind
        self.before = {server: inventory(server, name) for server in (source, target)}
        self.job = self.instance = None

    def ids(self, by):
        return {k: v for k, v in {"DtsJobId": self.job, "DtsInstanceId": self.instance}.items() if by == "both" or by in k.lower()}

    def configure(self, **more):
        self.job = configure(self.s, self.source, self.target, self.name, self.kind, **more)
        self.instance = self.detail()["DtsInstanceID"]

    def detail(self):
        return self.s.ok("DescribeDtsJobDetail", {"DtsJobId": self.job})

    def status(self):
        return status(self.s, self.job)

    def act(self, action):
        self.s.ok(action + "DtsJob", {"DtsJobId": self.job})

    def reach(self, *states):
        return reach(self.s, self.job, *states)

    def run_until(self, *states):
        return run_until(self.s, self.job, *states)

    def slow_down(self):
        """The load crawls."""
        self.s.ok("ModifyDynamicConfig", {"DtsJobId": self.job, "JobCode": "03", "EnableLimit": "true",
                                          "ConfigList": json.dumps({"dts.datamove.source.rps.max": "50"})})

    def rows(self):
        """What of the job's tables is in the target."""
        tables = [row[0] for row in self.target.sql("SELECT table_name FROM information_schema.tables WHERE table_schema=%s", self.name)]
        return {table: self.target.sql(f"SELECT COUNT(*), SUM(id) FROM {self.name}.{table}")[0] for table in tables}


# --- the ways into the states ---


def not_configured(t):
    made = t.s.ok("CreateDtsInstance", {"Type": t.kind})
    t.job, t.instance = made["JobId"], made["InstanceId"]


def not_started(t):
    t.configure()


def prechecking(t):
    """A frozen source: the probe waits for its greeting."""
    t.configure()
    os.kill(t.source.pid, signal.SIGSTOP)
    t.act("Start")


def precheck_failed(t):
    t.configure(SourceEndpointPassword="wrong")
    t.act("Start")


def precheck_passed(t):
    t.configure()
    t.act("Start")
    t.reach("PreCheckPass")


def loading(t):
    t.configure()
    t.slow_down()
    t.run_until("Initializing", "Migrating")
    wait_for(lambda: "t" in t.rows(), {True})


def load_failed(t):
    """A table of the user's stands in the way since the precheck."""
    precheck_passed(t)
    t.target.make_place(t.name)
    t.target.sql(f"CREATE TABLE {t.name}.t (id INT PRIMARY KEY, other INT); INSERT INTO {t.name}.t VALUES (1, 2)")
    t.act("Start")


def streaming(t):
    t.configure()
    t.run_until("Synchronizing", "Migrating")
    wait_for(lambda: t.detail()["DataSynchronizationStatus"]["Status"], {"Migrating", "Catched"})


def stream_failed(t):
    """A row that the user took away in the target."""
    streaming(t)
    t.target.sql(f"DELETE FROM {t.name}.t WHERE id=1")
    t.source.sql(f"UPDATE {t.name}.t SET v='gone' WHERE id=1")


def suspended(earlier):
    def way(t):
        earlier(t)
        t.act("Suspend")
    way.__name__ = f"suspended_{earlier.__name__}"
    return way


def retrying(t):
    streaming(t)
    t.source.kill9()


def stopped(t):
    streaming(t)
    t.act("Stop")


def completed(t):
    t.configure(DataSynchronization="false")
    t.run_until("Finished")


def was_reset(t):
    streaming(t)
    t.act("Reset")


# (kind, state, the way into it)
STATES = [
    ("SYNC", "NotConfigured", not_configured), ("SYNC", "NotStarted", not_started), ("SYNC", "Prechecking", prechecking),
    ("SYNC", "PrecheckFailed", precheck_failed), ("SYNC", "PreCheckPass", precheck_passed), ("SYNC", "Initializing", loading),
    ("SYNC", "InitializeFailed", load_failed), ("SYNC", "Synchronizing", streaming), ("SYNC", "Failed", stream_failed),
    ("SYNC", "Suspending", suspended(prechecking)), ("SYNC", "Suspending", suspended(loading)), ("SYNC", "Suspending", suspended(streaming)),
    ("SYNC", "Retrying", retrying), ("SYNC", "Finished", stopped), ("SYNC", "NotConfigured", was_reset),
    ("MIGRATION", "NotConfigured", not_configured), ("MIGRATION", "NotStarted", not_started), ("MIGRATION", "Prechecking", prechecking),
    ("MIGRATION", "PrecheckFailed", precheck_failed), ("MIGRATION", "PreCheckPass", precheck_passed), ("MIGRATION", "Migrating", loading),
    ("MIGRATION", "Migrating", streaming), ("MIGRATION", "MigrationFailed", load_failed), ("MIGRATION", "MigrationFailed", stream_failed),
    ("MIGRATION", "Suspending", suspended(prechecking)), ("MIGRATION", "Suspending", suspended(loading)), ("MIGRATION", "Suspending", suspended(streaming)),
    ("MIGRATION", "Retrying", retrying), ("MIGRATION", "Finished", stopped), ("MIGRATION", "Finished", completed),
]


def spread(first, *others):
    """Every value of the first list once, each with the next values of the others; a long run: the product of all."""
    return list(product(first, *others)) if LONG else list(zip(first, *map(cycle, others)))


def everywhere(ways, *others, postgresql):
    """spread() with the pairings of MySQL and MariaDB; those of `postgresql` with PostgreSQL besides. A long run: with all pairings."""
    return spread(ways, *others, PAIRS) if LONG else spread(ways, *others, MYSQL_PAIRS) + spread(postgresql, *others, ("pg-pg", "mariadb-pg", "pg18-pg", "pg-mysql"))


def called(kind, *names):
    return [way for way in STATES if way[0] == kind and name_of(way[2]) in names]


def name_of(value):
    return "-".join(map(name_of, value)) if isinstance(value, tuple) else getattr(value, "__name__", str(value))


# --- what must be true ---


def refused_ids(t, other):
    """Two ids that disagree, either way round: refused, and nothing has changed."""
    def seen():
        return [t.status(), worker_pid(t.s, t.job), t.s.call("DescribeDtsJobDetail", {"DtsJobId": other["JobId"]}).json["Status"],
                leftovers(t.s, t.job), t.s.call("SluiceDescribeReceipt", {"DtsJobId": t.job}).status]
    before = seen()
    for ids in ({"DtsJobId": t.job, "DtsInstanceId": other["InstanceId"]}, {"DtsJobId": other["JobId"], "DtsInstanceId": t.instance}):
        answer = t.s.call("DeleteDtsJob", ids)
        assert (answer.status, answer.json["Code"], answer.json["DynamicMessage"]) == (400, "InvalidParameter", "DtsInstanceId"), answer.text
        assert seen() == before


def assert_store_clean(t):
    """The service's own store has the tombstone, the journal with its receipt and the settled ledger, and no secret."""
    store = next(p for p in t.s.data.glob("*.db") if p.name != "nonce.db")
    with contextlib.closing(sqlite3.connect(store, timeout=10)) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'")]
        holding = set()
        for table in tables:
            columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
            where = " OR ".join(f"instr(\"{c}\", ?1)" for c in columns)
            if db.execute(f"SELECT 1 FROM {table} WHERE {where}", (t.job,)).fetchone():
                holding.add(table)
        open_entries = db.execute("SELECT kind, name, state FROM ledger WHERE job_id=? AND state NOT IN ('removed', 'kept')", (t.job,)).fetchall()
    assert holding <= {"tombstone", "deletion", "ledger"} and "tombstone" in holding
    assert open_entries == []


def assert_nothing_left(t):
    """Of the job, in either server, in the service's store and among its processes."""
    pid, _ = worker_pid(t.s, t.job)
    wait_for(lambda: bool(pid) and alive(pid), {False})  # of a service that was killed: fenced, and about to end
    assert_store_clean(t)
    assert_clean(t.target, t.job)
    assert_no_connections(t.target)
    for server in (t.source, t.target):
        assert_as_before(server, t.name, t.before[server])


def assert_repeated(t, other):
    """The repeat of a lost answer succeeds by every id, and not by two that disagree; no other call knows the job."""
    for by in BY:
        assert t.s.ok("DeleteDtsJob", t.ids(by))["Success"] is True
    answer = t.s.call("DeleteDtsJob", {"DtsJobId": t.job, "DtsInstanceId": other["InstanceId"]})
    assert answer.status in (400, 404), answer.text
    for action in ("Start", "Suspend", "Stop", "Reset"):
        answer = t.s.call(action + "DtsJob", t.ids("both"))
        assert (answer.status, answer.json["Code"]) == (404, "Forbidden.InstanceNotFound"), answer.text


def assert_complete(r):
    """Every step is journalled; both ends are cleaned side by side."""
    steps = [step["step"] for step in r["steps"]]
    assert steps in (["stop", "source", "target", "secrets"], ["stop", "target", "source", "secrets"])


def kept_by(t, *ends):
    """Kinds of the objects that a job at work has at these ends."""
    at_source = {"slot", "publication", "event triggers"} if t.source.family == "postgresql" else set()
    return set().union(*({"source": at_source, "target": {"rows", "table", "schema"}}[end] for end in ends))


def bring_back(*servers):
    """Frozen or dead servers answer again."""
    for server in servers:
        if server.running:
            os.kill(server.pid, signal.SIGCONT)
        server.start()


def assert_ended(t, *away):
    """The deletion ends by itself: with the objects of the ends that are away as leftovers, which go once they are back."""
    r = receipt(t.s, t.job, 90)
    assert_complete(r)
    listed = leftovers(t.s, t.job)
    wanted = kept_by(t, *away)
    assert {item["kind"] for item in r["leftovers"]} == wanted and len(listed) == len(r["leftovers"])
    assert all(item["undo"] for item in r["leftovers"]) and all(item["LastError"] for item in listed)
    assert not wanted or any(t.job in item["undo"] for item in r["leftovers"])
    bring_back(t.source, t.target)
    wait_for(lambda: leftovers(t.s, t.job), [[]])
    assert receipt(t.s, t.job)["leftovers"] == []
    assert_nothing_left(t)


@contextlib.contextmanager
def trial(service, pair, kind):
    with database(*pair, prefix="del_") as name:
        t = Trial(service, *pair, name, kind)
        try:
            yield t
        finally:
            bring_back(*pair)


# --- states x ids x pairings ---


def test_every_state_is_listed():
    page = STATES_PAGE.read_text(encoding="utf-8")
    for kind in ("MIGRATION", "SYNC"):
        section = page.split(f"## {kind} jobs")[1].split("\n## ")[0]
        wanted = set(re.findall(r"^\| (\w+) \|", section, re.MULTILINE)) - {"State"}
        assert wanted == {state for k, state, _ in STATES if k == kind}


# With PostgreSQL: what leaves something at an end. A job that was never at work differs by nothing.
WITH_POSTGRESQL = called("SYNC", "loading", "load_failed", "streaming", "stream_failed", "suspended_streaming", "retrying", "was_reset") + called(
    "MIGRATION", "completed", "suspended_loading", "stopped")


@pytest.mark.parametrize("way,by,pair", everywhere(STATES, BY, postgresql=WITH_POSTGRESQL), indirect=["pair"], ids=name_of)
def test_in_each_state(service, other, pair, way, by):
    kind, state, enter = way
    with trial(service, pair, kind) as t:
        enter(t)
        assert wait_for(t.status, {state} | FAILED) == state, t.detail()
        refused_ids(t, other)
        kept = t.rows() if enter not in (loading, streaming) else None
        began = time.monotonic()
        t.s.ok("DeleteDtsJob", t.ids(by))
        assert time.monotonic() - began < 5  # the answer does not wait for the work
        assert_gone(t.s, t.job, DtsInstanceId=t.instance)
        r = receipt(t.s, t.job)
        away = kept_by(t, *(() if t.source.running else ("source",)))  # of a job that was retrying
        assert {item["kind"] for item in r["leftovers"]} == away
        assert_complete(r)
        bring_back(t.source)
        wait_for(lambda: leftovers(t.s, t.job), [[]])
        r = receipt(t.s, t.job)
        assert all(entry["state"] in ("removed", "kept") for entry in r.get("ledger", []))
        assert_nothing_left(t)
        assert kept is None or t.rows() == kept  # migrated data stays
        if enter in (streaming, stopped, completed) or enter.__name__ == "suspended_streaming":
            assert_same(t.source, t.target, [f"{t.name}.t"])
        assert_repeated(t, other)


# --- serve killed after each step, and at any moment ---

STEPS = ("intent", "stop", "source", "target", "secrets")


@pytest.mark.parametrize("step,target_is,pair", spread(STEPS, ("up", "dead") if LONG else ("up",), PAIRS if LONG else ("mysql-mariadb", "pg-pg")), indirect=["pair"])
def test_killed_after_each_step(pair, step, target_is):
    s = Service("--rate-limit", "0")
    s.popen = {"env": {**os.environ, "SLUICE_FAILPOINT": f"delete:{step}"}}
    with s, trial(s, pair, "SYNC") as t:
        streaming(t)
        kept = t.rows()
        if target_is == "dead":
            t.target.kill9()
        with contextlib.suppress(OSError):  # the answer is lost with the process
            s.call("DeleteDtsJob", t.ids("both"))
        assert s.process.wait(60) == -signal.SIGKILL
        s.popen = {}
        s.start()
        assert_gone(s, t.job, DtsInstanceId=t.instance)
        assert_ended(t, *(("target",) if target_is == "dead" else ()))
        assert t.rows() == kept


def family(pid):
    """A process and its children."""
    return [pid, *(int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split())]


@each_pair("mysql-mariadb", "pg-pg", among=PAIRS)
def test_killed_during_deletion(pair):
    """serve, or serve with all its processes, at random moments after the answer."""
    seed = int(os.environ.get("SLUICE_KILL_SEED") or random.randrange(1 << 30))
    print(f"seed {seed}")
    chance = random.Random(seed)
    with Service("--rate-limit", "0") as s:
        for _ in range(20 if LONG else 2):
            with trial(s, pair, "SYNC") as t:
                streaming(t)
                s.ok("DeleteDtsJob", t.ids("job"))
                time.sleep(chance.uniform(0, 0.7))
                victims = family(s.process.pid) if chance.random() < 0.5 else [s.process.pid]
                for pid in victims:
                    os.kill(pid, signal.SIGKILL)
                s.process.wait()
                s.start()
                assert_ended(t)


# --- an end that is dead or frozen ---

FAULTS = [("source", "dead"), ("target", "dead"), ("both", "dead"), ("source", "frozen"), ("target", "frozen")]
ENTERED = called("SYNC", "loading", "streaming", "suspended_streaming", "stream_failed", "stopped")


@pytest.mark.parametrize("fault,way,pair", everywhere(FAULTS, ENTERED, postgresql=[("source", "dead"), ("both", "dead"), ("source", "frozen")]), indirect=["pair"], ids=name_of)
def test_end_away(service, other, pair, fault, way):
    """What an end keeps is listed with its SQL, and goes when the end is back. Nothing is made at a source of MySQL: its absence delays nothing."""
    kind, state, enter = way
    with trial(service, pair, kind) as t:
        enter(t)
        assert wait_for(t.status, {state} | FAILED) == state, t.detail()
        refused_ids(t, other)
        end, how = fault
        for server in {"source": [t.source], "target": [t.target], "both": [t.source, t.target]}[end]:
            if how == "dead":
                server.kill9()
            else:
                os.kill(server.pid, signal.SIGSTOP)
        t.s.ok("DeleteDtsJob", t.ids("both"))
        assert_gone(t.s, t.job, DtsInstanceId=t.instance)
        assert_ended(t, *(("source", "target") if end == "both" else (end,)))
        assert_repeated(t, other)
