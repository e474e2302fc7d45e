"""What tests of a PostgreSQL source look at while a job runs: how far its slot is confirmed, and how much log it holds back."""

import json
import threading
import time

SLOTS = "SELECT slot_name, confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name LIKE 'sluice\\_%' AND confirmed_flush_lsn IS NOT NULL"
LATE_S = 0.01


def lsn(text):
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


def retained(source, job):
    """Bytes of log that the job's slot holds back."""
    return int(source.sql("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) FROM pg_replication_slots WHERE slot_name = %s", slot_of(job))[0][0])


def slot_of(job):
    return "sluice_" + job.lower()


class Sampler(threading.Thread):
    """Compares the slot with the position in the destination's checkpoint until finish(). The slot is read first: both only go forward, so a slot that is
    beyond what the checkpoint says afterwards was confirmed before its changes were durable. Servers that go away are asked again."""

    def __init__(self, source, target, job):
        super().__init__(daemon=True)
        self.source, self.target, self.job = source, target, job
        self.done = threading.Event()
        self.samples, self.moves, self.last, self.beyond, self.error = 0, 0, "", [], None

    def _sample(self, at_source, at_target):
        at_source.execute(SLOTS)
        confirmed = dict(at_source.fetchall()).get(slot_of(self.job))
        at_target.execute("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'sluice' AND table_name = 'checkpoint'")
        if not confirmed or not at_target.fetchone()[0]:
            return
        at_target.execute("SELECT position FROM sluice.checkpoint WHERE job_id = %s", (self.job,))
        row = at_target.fetchone()
        if not row or not row[0]:
            return
        durable = json.loads(row[0])["lsn"]
        self.samples += 1
        self.moves += confirmed != self.last
        self.last = confirmed
        if lsn(confirmed) > lsn(durable):
            self.beyond.append((confirmed, durable))

    def run(self):
        while not self.done.is_set():
            try:
                with self.source.connect() as a, self.target.connect() as b, a.cursor() as at_source, b.cursor() as at_target:
                    while not self.done.wait(LATE_S):
                        self._sample(at_source, at_target)
            except Exception as error:  # shown by finish()
                if not self.source.is_gone(error) and not self.target.is_gone(error):
                    self.error = error
                    return
                time.sleep(0.1)

    def finish(self):
        """The number of samples, in all of which the slot was at or before the checkpoint; it moved meanwhile."""
        self.done.set()
        self.join(60)
        assert self.error is None and not self.is_alive(), self.error
        assert self.beyond == [] and self.samples and self.moves > 1, (self.beyond[:5], self.samples, self.moves)
        return self.samples
