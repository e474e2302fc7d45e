"""Live load for tests of whole jobs: tables of several kinds, a thread that changes them without end, and a ledger that numbers its transactions.

The ledger has one row per source transaction, numbered without a gap: what is missing or doubled at the destination shows there, whatever the
other tables hold. writers_schema.py has the tables as each family writes them.
"""

import hashlib
import random
import threading
import time
from contextlib import contextmanager

from writers_schema import SCHEMAS

ROWS = 20000
TABLES = ("ledger", "keyed", "twice", "bare", "parent", "child", "typed")


def _typed(chance, typed):
    return {column: chance.choice(values) for column, values in typed.items()}


def _rows(server, db, table, rows):
    server.sql_in(db, f"INSERT INTO {table} VALUES " + ",".join(rows))


@contextmanager
def database(source, target, name, seed=0):
    """The tables with their first rows at the source; the place is dropped at both ends before and after."""
    def drop():
        for server in (source, target):
            if server.running:
                server.drop_place(name)
    drop()
    source.make_place(name)
    try:
        schema = SCHEMAS[source.family]
        for statement in schema.tables:
            source.sql_in(name, statement)
        chance = random.Random(seed)
        digest = {i: hashlib.md5(str(i).encode()).hexdigest() for i in range(1, ROWS + 1)}
        _rows(source, name, "keyed", (f"({i},'{digest[i]}',{i}/3.0,{i}/7.0)" for i in range(1, ROWS + 1)))
        _rows(source, name, "twice", (f"({i},{i * 10},{schema.bytes(digest[i])})" for i in range(1, 2001)))
        _rows(source, name, "bare", (f"({i % 50},'b{i % 7}')" for i in range(1, 501)))
        _rows(source, name, "parent", (f"({i},'p{i}')" for i in range(1, 201)))
        _rows(source, name, "child", (f"({i},{i % 200 + 1})" for i in range(1, 1001)))
        _rows(source, name, "typed", (f"({i}," + ",".join(_typed(chance, schema.typed).values()) + ")" for i in range(1, 201)))
        yield name
    finally:
        drop()


class Writer(threading.Thread):
    """Transactions on the source until finish(); each one writes the next number into the ledger. A source that goes away is asked again: what it
    had committed is read from the ledger."""

    def __init__(self, server, db, seed):
        super().__init__(daemon=True)
        self.server, self.db, self.chance, self.schema = server, db, random.Random(seed), SCHEMAS[server.family]
        self.done = threading.Event()
        self.transactions, self.error = 0, None

    def _one(self, op):
        r, schema = self.chance, self.schema
        a, b = r.randrange(1, ROWS), ROWS + op
        typed = _typed(r, schema.typed)
        some = ", ".join(f"{c}={typed[c]}" for c in r.sample(sorted(typed), 4))
        kinds = [f"UPDATE keyed SET v='u{op}', n=n+1 WHERE id={a}", f"INSERT INTO keyed VALUES({b},'i{op}',{op}/9.0,{op}/11.0)",
                 f"DELETE FROM keyed WHERE id={a}", f"UPDATE keyed SET id={-b} WHERE id={a}",
                 f"UPDATE twice SET u={1000000 + op}, v={schema.bytes(f'{op:08x}')} WHERE id={r.randrange(1, 2000)}",
                 f"INSERT INTO bare VALUES({op % 50},'n{op % 9}')", schema.some_bare("DELETE FROM bare", f"a={r.randrange(50)}", 1),
                 schema.some_bare(f"UPDATE bare SET b='w{op % 5}'", f"a={r.randrange(50)}", 2), f"INSERT INTO typed VALUES({b}, {', '.join(typed.values())})",
                 f"UPDATE typed SET {some} WHERE id={r.randrange(1, 200)}", f"INSERT INTO parent VALUES({b},'n{op}'); INSERT INTO child VALUES({b},{b})",
                 f"DELETE FROM child WHERE id={r.randrange(1, 1000)}", f"UPDATE child SET p={r.randrange(1, 200)} WHERE id={r.randrange(1, 1000)}"]
        return "; ".join(["BEGIN", f"INSERT INTO ledger(op) VALUES({op})", *r.sample(kinds, r.randrange(1, 5)), "COMMIT"])

    def _session(self):
        with self.server.connect_in(self.db) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT COALESCE(MAX(op), 0) FROM ledger")
            self.transactions = cursor.fetchone()[0]
            while not self.done.is_set():
                cursor.execute(self._one(self.transactions + 1))
                while cursor.nextset():
                    pass
                self.transactions += 1
                time.sleep(0.002)

    def run(self):
        while not self.done.is_set():
            try:
                self._session()
            except Exception as error:  # shown by finish()
                if not self.server.is_gone(error):
                    self.error = error
                    return
                time.sleep(0.1)

    def finish(self):
        """Ends the thread after one more transaction: a destination that streamed before the call, and has it, has all. The number of transactions."""
        last, deadline = self.transactions, time.monotonic() + 30
        while self.transactions <= last and self.is_alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.done.set()
        self.join(60)
        assert self.error is None and not self.is_alive(), self.error
        return self.transactions


def arrived(server, db):
    """The highest number in the ledger of a server."""
    return int(server.sql(f"SELECT COALESCE(MAX(op), 0) FROM {db}.ledger")[0][0])
