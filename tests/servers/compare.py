"""An oracle: do two servers hold the same tables, by the servers' own functions alone?

Every column becomes a text that both servers make alike (compare_mysql.py, compare_postgresql.py). A row is the hash of its column texts, a
table is COUNT(*) and the sums of two 64-bit parts of the row hashes, so order does not matter and repeated rows do. Only when that differs,
rows are fetched, bucket by bucket, to name them.

Limits: -0 equals 0, as in SQL, but between two PostgreSQL servers. JSON that the two sides keep in different types is compared as values by
this process, because MySQL and jsonb rewrite JSON text.
"""

import json
from collections import Counter
from dataclasses import dataclass, field

from .compare_mysql import MySQLTable
from .compare_postgresql import PostgreSQLTable

_HEX_DIGITS = 3  # of the key's hash: 4096 buckets
_BUCKETS_AT_ONCE = 16
_TABLES = {table.family: table for table in (MySQLTable, PostgreSQLTable)}


@dataclass
class TableDiff:
    """How a table differs; keys are tuples of texts, at most `limit` of each sort."""

    left: str
    right: str
    reason: str = ""
    left_rows: int = 0
    right_rows: int = 0
    missing: list = field(default_factory=list)  # in left only
    extra: list = field(default_factory=list)  # in right only
    changed: list = field(default_factory=list)  # (key, names of the columns that differ)

    def __str__(self):
        lines = [f"{self.left} <> {self.right}: {self.reason or 'rows differ'}"]
        if self.left_rows or self.right_rows:
            lines.append(f"  {self.left_rows} rows left, {self.right_rows} rows right")
        lines += [f"  missing right: {key}" for key in self.missing]
        lines += [f"  extra right:   {key}" for key in self.extra]
        lines += [f"  differs: {key} in {', '.join(names)}" for key, names in self.changed]
        return "\n".join(lines)


def _canonical(text: str | None) -> str | None:
    """JSON text as a value: member order, white space and number spelling do not matter."""
    def whole(digits: str):
        number = int(digits)
        return number if -(2 ** 63) <= number < 2 ** 64 else float(number)
    return None if text is None else json.dumps(json.loads(text, parse_int=whole), sort_keys=True)


class _Comparison:
    """One pair of tables; `left` names the columns and the key."""

    def __init__(self, left, right, ignore: set[str], limit: int):
        self.sides = (left, right)
        self.limit = limit
        names = [c for c in left.columns if c not in ignore]
        like = left.family == right.family
        self.json = [c for c in names if c in right.columns and
                     (left.is_json(c) != right.is_json(c) if like else left.is_json(c) or right.is_json(c))]
        self.names = [c for c in names if c not in self.json]
        of = left if left.family == "mysql" else right  # it knows fewer types
        self.forms = {c: "" if like else of.form(c) for c in left.columns if c in of.columns}
        self.key = left.key()
        self.diff = TableDiff(f"{left.db}.{left.table}", f"{right.db}.{right.table}")
        self.ignore = ignore

    def run(self) -> TableDiff | None:
        left, right = self.sides
        for side in self.sides:
            if not side.columns:
                self.diff.reason = f"table {side.name} does not exist"
                return self.diff
        odd = (set(left.columns) ^ set(right.columns)) - self.ignore
        if odd:
            self.diff.reason = f"columns on one side only: {', '.join(sorted(odd))}"
            return self.diff
        totals = [self._totals(side) for side in self.sides]
        self.diff.left_rows, self.diff.right_rows = totals[0][0], totals[1][0]
        same = totals[0] == totals[1]
        if not same:
            self._name_rows()
        if self.json and not self._same_json():
            same = False
        return None if same else self.diff

    def _texts(self, side) -> list[str]:
        return [side.text(c, self.forms[c]) for c in self.names]

    def _totals(self, side, extra: str = "", tail: str = "") -> tuple:
        row = side.digest(self._texts(side) or ["''"])
        sums = ", ".join(f"SUM({side.number('r', at)})" for at in (1, 17))
        rows = side.rows(f"SELECT {extra} COUNT(*), COUNT(r), {sums} FROM "
                         f"(SELECT {row} AS r{self._bucket(side) if extra else ''} "
                         f"FROM {side.name}) q {tail}")
        at = 1 if extra else 0
        for found in rows:
            if found[at] != found[at + 1]:
                raise ValueError(f"{side.name}: the server could not build the text of every row; "
                                 "raise its max_allowed_packet")
        return tuple(rows) if extra else rows[0]

    def _bucket_of(self, side) -> str:
        names = [c for c in self.key if c in self.names] or self.names
        return f"LEFT({side.digest([side.text(c, self.forms[c]) for c in names])}, {_HEX_DIGITS})"

    def _bucket(self, side) -> str:
        return f", {self._bucket_of(side)} AS b"

    def _name_rows(self) -> None:
        sums = [{row[0]: row[1:] for row in self._totals(side, "b,", "GROUP BY b")}
                for side in self.sides]
        wrong = sorted(b for b in sums[0].keys() | sums[1].keys() if sums[0].get(b) != sums[1].get(b))
        for start in range(0, len(wrong), _BUCKETS_AT_ONCE):
            buckets = wrong[start:start + _BUCKETS_AT_ONCE]
            self._name_differences(*(self._fetch(side, buckets) for side in self.sides))
            found = (self.diff.missing, self.diff.extra, self.diff.changed)
            if any(len(keys) >= self.limit for keys in found):
                break

    def _fetch(self, side, buckets: list[str]) -> Counter | dict:
        """Rows of the buckets: key -> column texts; without a key a count of each row."""
        shown = [side.shown(c, self.forms[c]) for c in (self.key or self.names)]
        inside = ", ".join(f"'{b}'" for b in buckets)
        rows = side.rows(f"SELECT {', '.join(shown + self._texts(side))} FROM {side.name} "
                         f"WHERE {self._bucket_of(side)} IN ({inside})")
        width = len(shown)
        if not self.key:
            return Counter(row[:width] for row in rows)
        return {row[:width]: row[width:] for row in rows}

    def _name_differences(self, left, right) -> None:
        if not self.key:
            self._add(self.diff.missing, (left - right).elements())
            self._add(self.diff.extra, (right - left).elements())
            return
        self._add(self.diff.missing, (key for key in left if key not in right))
        self._add(self.diff.extra, (key for key in right if key not in left))
        self._add(self.diff.changed, (
            (key, [n for n, a, b in zip(self.names, texts, right[key]) if a != b])
            for key, texts in left.items() if key in right and right[key] != texts))

    def _add(self, found: list, more) -> None:
        for item in more:
            if len(found) >= self.limit:
                return
            found.append(item)

    def _same_json(self) -> bool:
        """Compare the columns that are JSON on one side only, as values, in this process."""
        values = []
        for side in self.sides:
            wanted = [side.shown(c, self.forms[c]) for c in (self.key or self.names)]
            wanted += [side.json_text(c) for c in self.json]
            rows = side.rows(f"SELECT {', '.join(wanted)} FROM {side.name}")
            at = len(wanted) - len(self.json)
            values.append([(row[:at], tuple(_canonical(v) for v in row[at:])) for row in rows])
        if Counter(values[0]) == Counter(values[1]):
            return True
        if self.key:
            left, right = dict(values[0]), dict(values[1])
            self._add(self.diff.changed, (
                (key, [n for n, a, b in zip(self.json, texts, right[key]) if a != b])
                for key, texts in left.items() if key in right and right[key] != texts))
        elif not self.diff.reason:
            self.diff.reason = f"JSON values differ in {', '.join(self.json)}"
        return False


def tables_of(server, db: str, other_db: str | None = None) -> list[tuple[str, str]]:
    """Every table of a database as pairs for compare(); `other_db` is its name on the right."""
    rows = server.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = %s "
                      "AND table_type = 'BASE TABLE' ORDER BY table_name", db)
    return [(f"{db}.{name}", f"{other_db or db}.{name}") for (name,) in rows]


def compare(left, right, tables, *, limit: int = 10, ignore=()) -> list[TableDiff]:
    """Compare tables of two servers; the answer lists those that differ, empty = all the same.

    tables: "db.table" or ("db.table left", "db.table right"); ignore: columns left out everywhere.
    """
    diffs = []
    kinds = [_TABLES[server.family] for server in (left, right)]
    with kinds[0].open(left) as a, kinds[1].open(right) as b:
        for item in tables:
            names = (item, item) if isinstance(item, str) else item
            sides = (kinds[0](a, names[0]), kinds[1](b, names[1]))
            diff = _Comparison(*sides, set(ignore), limit).run()
            if diff:
                diffs.append(diff)
    return diffs


def assert_same(left, right, tables, **options) -> None:
    """compare() that raises AssertionError with a readable list of the differences."""
    diffs = compare(left, right, tables, **options)
    if diffs:
        raise AssertionError("tables differ:\n" + "\n".join(map(str, diffs)))
