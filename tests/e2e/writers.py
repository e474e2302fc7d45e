"""Live load for tests of whole jobs: tables of several kinds, a thread that changes them without end, and a ledger that numbers its transactions.

The ledger has one row per source transaction, numbered without a gap: what is missing or doubled at the destination shows there, whatever the
other tables hold.
"""

import hashlib
import random
import threading
import time
from contextlib import contextmanager

import pymysql

ROWS = 20000
TABLES = ("ledger", "keyed", "twice", "bare", "parent", "child", "typed")
SCHEMA = """
CREATE TABLE ledger(op BIGINT PRIMARY KEY, at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6));
CREATE TABLE keyed(id INT PRIMARY KEY, v VARCHAR(40), n DECIMAL(12,3), f FLOAT, KEY(v));
CREATE TABLE twice(id INT PRIMARY KEY, u INT NOT NULL UNIQUE, v VARBINARY(20));
CREATE TABLE bare(a INT, b VARCHAR(20));
CREATE TABLE parent(id INT PRIMARY KEY, v VARCHAR(20));
CREATE TABLE child(id INT PRIMARY KEY, p INT NOT NULL, FOREIGN KEY(p) REFERENCES parent(id));
CREATE TABLE typed(id INT UNSIGNED PRIMARY KEY, bi BIGINT UNSIGNED, n DECIMAL(40,15), d DOUBLE, f FLOAT, c CHAR(8) CHARACTER SET latin1,
  v VARCHAR(60) CHARACTER SET utf8mb4, b VARBINARY(40), o BLOB, t TEXT CHARACTER SET utf8mb4, da DATE, ti TIME(3), dt DATETIME(6), ts TIMESTAMP(6) NULL,
  y YEAR, e ENUM('a', 'ü', 'z'), s SET('x', 'y', 'w'), bt BIT(12), j JSON);
CREATE VIEW seen AS SELECT id, v FROM keyed WHERE id > 10
"""
_TYPED = {
    "bi": ["0", "18446744073709551615", "NULL"], "n": ["0.000000000000001", "-9999999999999999999999999.999999999999999", "NULL"],
    "d": ["0.1e0", "-1.7976931348623157e308", "NULL"], "f": ["1.25", "16777216", "NULL"], "c": ["'é'", "''", "NULL"],
    "v": ["'\U0001F600 Grüße'", "'it''s \\\\ \"q\"\\t\\n'", "NULL"], "b": ["0x00ff00", "''", "NULL"], "o": ["REPEAT(0x8000, 5000)", "''", "NULL"],
    "t": ["REPEAT('x中', 3000)", "''", "NULL"], "da": ["'2024-02-29'", "'9999-12-31'", "NULL"], "ti": ["'-838:59:58.999'", "'00:00:00.001'", "NULL"],
    "dt": ["'1000-01-01 00:00:00.000001'", "'9999-12-31 23:59:59.999999'", "NULL"], "ts": ["'1970-01-02 00:00:01'", "'2037-12-31 23:59:59.5'", "NULL"],
    "y": ["1901", "2155", "NULL"], "e": ["'ü'", "'z'", "NULL"], "s": ["'x,w'", "''", "NULL"], "bt": ["b'100000000001'", "b'0'", "NULL"],
    "j": ["'{\"a\": [1, -2.5, null, true, \"ü\"]}'", "'[]'", "NULL"],
}


def _typed(chance):
    return {column: chance.choice(values) for column, values in _TYPED.items()}


def _rows(server, db, table, rows):
    server.sql(f"INSERT INTO {table} VALUES " + ",".join(rows), db=db)


@contextmanager
def database(source, target, name, seed=0):
    """The tables with their first rows at the source; the database is dropped at both ends before and after."""
    def drop():
        for server in (source, target):
            if server.running:
                server.sql(f"DROP DATABASE IF EXISTS {name}")
    drop()
    source.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    try:
        for statement in SCHEMA.strip().split(";\n"):
            source.sql(statement, db=name)
        chance = random.Random(seed)
        digest = {i: hashlib.md5(str(i).encode()).hexdigest() for i in range(1, ROWS + 1)}
        _rows(source, name, "keyed", (f"({i},'{digest[i]}',{i}/3,{i}/7)" for i in range(1, ROWS + 1)))
        _rows(source, name, "twice", (f"({i},{i * 10},0x{digest[i]})" for i in range(1, 2001)))
        _rows(source, name, "bare", (f"({i % 50},'b{i % 7}')" for i in range(1, 501)))
        _rows(source, name, "parent", (f"({i},'p{i}')" for i in range(1, 201)))
        _rows(source, name, "child", (f"({i},{i % 200 + 1})" for i in range(1, 1001)))
        _rows(source, name, "typed", (f"({i}," + ",".join(_typed(chance).values()) + ")" for i in range(1, 201)))
        yield name
    finally:
        drop()


class Writer(threading.Thread):
    """Transactions on the source until finish(); each one writes the next number into the ledger. A source that goes away is asked again: what it
    had committed is read from the ledger."""

    def __init__(self, server, db, seed):
        super().__init__(daemon=True)
        self.server, self.db, self.chance = server, db, random.Random(seed)
        self.done = threading.Event()
        self.transactions, self.error = 0, None

    def _one(self, op):
        r = self.chance
        a, b = r.randrange(1, ROWS), ROWS + op
        typed = _typed(r)
        some = ", ".join(f"{c}={typed[c]}" for c in r.sample(sorted(typed), 4))
        kinds = [f"UPDATE keyed SET v='u{op}', n=n+1 WHERE id={a}", f"INSERT INTO keyed VALUES({b},'i{op}',{op}/9,{op}/11)", f"DELETE FROM keyed WHERE id={a}",
                 f"UPDATE keyed SET id={-b} WHERE id={a}", f"UPDATE twice SET u={1000000 + op}, v=X'{op:08x}' WHERE id={r.randrange(1, 2000)}",
                 f"INSERT INTO bare VALUES({op % 50},'n{op % 9}')", f"DELETE FROM bare WHERE a={r.randrange(50)} LIMIT 1",
                 f"UPDATE bare SET b='w{op % 5}' WHERE a={r.randrange(50)} LIMIT 2", f"INSERT INTO typed VALUES({b}, {', '.join(typed.values())})",
                 f"UPDATE typed SET {some} WHERE id={r.randrange(1, 200)}", f"INSERT INTO parent VALUES({b},'n{op}'); INSERT INTO child VALUES({b},{b})",
                 f"DELETE FROM child WHERE id={r.randrange(1, 1000)}", f"UPDATE child SET p={r.randrange(1, 200)} WHERE id={r.randrange(1, 1000)}"]
        return "; ".join(["BEGIN", f"INSERT INTO ledger(op) VALUES({op})", *r.sample(kinds, r.randrange(1, 5)), "COMMIT"])

    def _session(self):
        with self.server.connect(database=self.db) as connection, connection.cursor() as cursor:
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
            except pymysql.OperationalError as error:
                if error.args[0] not in (2003, 2006, 2013, 1053, 1927):
                    self.error = error
                    return
                time.sleep(0.1)
            except Exception as error:  # shown by finish()
                self.error = error
                return

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
