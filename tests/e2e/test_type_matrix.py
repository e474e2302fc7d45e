"""The type matrix: every type with its edge values through the load and the stream, read back by the destination's own functions.

One job for each pairing. A type has two tables: t<n> with a key, u<n> without, whose rows the stream finds by their old values.
"""

import json
import re
import uuid

import type_matrix_my
import type_matrix_pg
import type_matrix_to_my
import type_matrix_to_pg
from jobs import FAILED, PAIRS, configure, delete, each_pair, run_until, status
from sluice import wait_for
from type_matrix import NULL, count

LEAST_VALUES = 300
NEW = 1000  # first id of the rows that the stream inserts
# What a family's session is told, a value's text, the types of the columns v.
_BEFORE = {"mysql": "SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'",
           "postgresql": "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 3; "
                         "SET bytea_output = 'hex'"}
_TEXT = {"mysql": "CONVERT({} USING utf8mb4)", "postgresql": "({})::text"}
_TYPES = {"mysql": "SELECT table_name, column_type FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name = 'v'",
          "postgresql": "SELECT c.relname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
                        "WHERE c.relnamespace = current_schema()::regnamespace AND a.attname = 'v' AND c.relkind = 'r'"}
# Send functions, but of types that have, or send, another number on each server.
_SENDS = ("SELECT c.relname, t.typsend::regproc::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid "
          "WHERE c.relnamespace = current_schema()::regnamespace AND a.attname = 'v' AND c.relkind = 'r' AND t.oid < 16384 "
          "AND t.typname !~ '^reg' AND t.typsend <> 0")
_WIDTH = r"^((?:small|medium|big)?int|tinyint(?!\(1\))|year)\(\d+\)(?! unsigned zerofill)"


def columns_of(source, target):
    """The columns of a pairing, and those of PostgreSQL's extensions."""
    if source.family == target.family == "mysql":
        return type_matrix_my.COLUMNS[source.kind, target.kind], {}
    if source.family == "mysql":
        return type_matrix_to_pg.COLUMNS[source.kind], {}
    if target.family == "mysql":
        return type_matrix_to_my.COLUMNS[target.kind], type_matrix_to_my.EXTENSIONS[target.kind]
    return type_matrix_pg.COLUMNS, type_matrix_pg.EXTENSIONS


class Matrix:
    """The columns of a pairing as tables in a place of its servers, and what they must hold; a context manager."""

    def __init__(self, source, target):
        self.source, self.target = source, target
        self.like = source.family == target.family
        self.name = "types_" + uuid.uuid4().hex[:8]
        self.columns, self.of_extensions = columns_of(source, target)
        self.extensions = []
        self.tables = {}  # name -> (column, {id: number of the case, None: NULL})
        self.steps = 0

    def __enter__(self):
        self.source.make_place(self.name)
        self.session = self.source.connect_in(self.name)
        self._ask(self.session, _BEFORE[self.source.family])
        if self.source.family == "postgresql":
            self._make_types()
        for n, column in enumerate(self.columns):
            self._make_table(f"t{n}", "INT PRIMARY KEY", column)
            if column.keyless:
                self._make_table(f"u{n}", "INT NOT NULL", column)
        self._run("CREATE TABLE done (id INT PRIMARY KEY)")
        return self

    def __exit__(self, *_):
        self.session.close()
        for server in (self.source, self.target):
            server.drop_place(self.name)
            for extension in self.extensions if server.family == "postgresql" else ():
                server.sql(f"DROP EXTENSION IF EXISTS {extension}")

    def _make_types(self):
        self.source.sql(type_matrix_pg.OWN_TYPES.format(s=self.name))
        servers = [server for server in (self.source, self.target) if server.family == "postgresql"]
        there = [{row[0] for row in server.sql("SELECT name FROM pg_available_extensions")} for server in servers]
        for extension, columns in self.of_extensions.items():
            if all(extension in names for names in there):
                self.extensions.append(extension)
                self.columns = self.columns + columns
                for server in servers:
                    server.sql(f"CREATE EXTENSION {extension} SCHEMA public")

    def _make_table(self, table, key, column):
        rows = {n: n for n in range(len(column.cases))} | {len(column.cases): None}
        self.tables[table] = (column, rows)
        full = [f"ALTER TABLE {table} REPLICA IDENTITY FULL"] if self.source.family == "postgresql" and "PRIMARY" not in key else []
        self._run(f"CREATE TABLE {table} (id {key}, v {self._here(column.type)})", *full, *self._inserts(table, rows))

    def _run(self, *statements):
        """Statements at the source as one transaction."""
        self._ask(self.session, "; ".join(("BEGIN", *statements, "COMMIT")))

    def _query(self, server, text):
        connection = server.connect_in(self.name)
        try:
            return self._ask(connection, _BEFORE[server.family] + "; " + text)
        finally:
            connection.close()

    @staticmethod
    def _ask(connection, text):
        """Runs statements; the rows of the last one."""
        with connection.cursor() as cursor:
            cursor.execute(text)
            while True:
                rows = list(cursor.fetchall()) if cursor.description else []
                if not cursor.nextset():
                    return rows

    def _here(self, text):
        return text.replace("{s}", self.name)

    def _value(self, column, case):
        return "NULL" if case is None else self._here(column.cases[case][0])

    def _inserts(self, table, rows):
        return [f"INSERT INTO {table} (id, v) VALUES ({n}, {self._value(self.tables[table][0], case)})" for n, case in rows.items()]

    # What the stream is given: the source changes, and what is expected with it.

    def insert(self):
        for table, (_, rows) in self.tables.items():
            new = {NEW + n: case for n, case in rows.items()}
            self._run(*self._inserts(table, new))
            rows.update(new)

    def update(self):
        """Each value becomes the next one: it is an old and a new value once."""
        for table, (column, rows) in self.tables.items():
            old = [n for n in rows if n < NEW]
            new = dict(zip(old, [rows[n] for n in old[1:] + old[:1]]))
            self._run(*(f"UPDATE {table} SET v = {self._value(column, case)} WHERE id = {n}" for n, case in new.items()))
            rows.update(new)

    def remove(self):
        for table, (_, rows) in self.tables.items():
            self._run(f"DELETE FROM {table} WHERE id >= {NEW}")
            for n in [n for n in rows if n >= NEW]:
                del rows[n]

    # What has arrived.

    def follow(self, service, job):
        """Waits until everything up to here is at the destination, or says what stopped the job."""
        self.steps += 1
        self._run(f"INSERT INTO done VALUES ({self.steps})")
        wait_for(lambda: self.target.sql_in(self.name, f"SELECT COUNT(*) FROM done WHERE id = {self.steps}")[0][0] or status(service, job), {1} | FAILED, 120)
        assert status(service, job) not in FAILED, service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]

    def _read(self, server, tables):
        """(table, id) -> text of the value, and what its send function says between PostgreSQL servers."""
        sends = dict(self._query(self.source, _SENDS)) if self.like and server.family == "postgresql" else {}
        parts = [f"SELECT '{table}', id, {_TEXT[server.family].format(column.read.format(v='v') if self.like or server is self.target else 'v')}, " +
                 (f"encode({sends[table]}(v), 'hex')" if table in sends else "''") + f" FROM {table}" for table, (column, _) in tables.items()]
        return {tuple(row[:2]): tuple(row[2:]) for row in self._query(server, " UNION ALL ".join(parts))} if parts else {}

    def _expected(self):
        expected = self._read(self.source, {table: made for table, made in self.tables.items() if any(text is None for _, text in made[0].cases)})
        for table, (column, rows) in self.tables.items():
            for n, case in rows.items():
                if case is None or column.cases[case][1] is not None:
                    text = NULL if case is None else column.cases[case][1]
                    expected[table, n] = (None if text == NULL else text, *expected.get((table, n), ("", ""))[1:])
        return expected

    def _types(self, server):
        """The type of each table's column, without the width of integers and by the names of old servers."""
        return {table: re.sub(_WIDTH, r"\1", name).replace("geomcollection", "geometrycollection") for table, name in self._query(server, _TYPES[server.family])}

    def choices(self):
        """What the user chose for columns, as a part of Reserve."""
        return {f"{self.name}.{table}.v": column.choice for table, (column, _) in self.tables.items() if column.choice}

    def assert_types(self):
        found, there = self._types(self.target), self._types(self.source)
        wanted = {table: there[table] if column.becomes is None else column.becomes.replace("{table}", table) for table, (column, _) in self.tables.items()}
        assert {table: (self.tables[table][0].type, name, found.get(table)) for table, name in wanted.items() if found.get(table) != name} == {}

    def assert_values(self, where):
        wanted, found, wrong = self._expected(), self._read(self.target, self.tables), []
        assert wanted.keys() == {(table, n) for table, (_, rows) in self.tables.items() for n in rows}
        for place in sorted(wanted.keys() | found.keys()):
            column = self.tables[place[0]][0]
            a, b = ((text if text is None else column.normal(text), *more) for text, *more in (side.get(place, ("no row",)) for side in (wanted, found)))
            if a != b:
                wrong.append(f"{place[0]} id={place[1]} {column.type[:60]}: {str(a)[:120]} became {str(b)[:120]}")
        assert not wrong, f"after the {where} {len(wrong)} values differ:\n" + "\n".join(wrong[:60])


@each_pair("mariadb-pg", "pg-mysql", among=PAIRS)
def test_type_matrix(sluice_server, pair):
    with Matrix(*pair) as matrix:
        assert count(matrix.columns) >= LEAST_VALUES
        reserve = {"autoStartModulesAfterConfig": "none", "sluice.types": matrix.choices()}
        job = configure(sluice_server, *pair, matrix.name, "SYNC", Reserve=json.dumps(reserve))
        run_until(sluice_server, job, "Synchronizing")
        matrix.follow(sluice_server, job)
        matrix.assert_types()
        matrix.assert_values("load")
        for step in (matrix.insert, matrix.update, matrix.remove):
            step()
            matrix.follow(sluice_server, job)
            matrix.assert_values(step.__name__)
        delete(sluice_server, job)
