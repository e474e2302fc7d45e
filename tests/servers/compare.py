"""An oracle: do two servers hold the same tables, by the servers' own functions alone?

Every column becomes a text that MariaDB and MySQL make alike (integers and decimals as digits,
floats as the bits of their double value, text as a hash of its UTF-8 form, bytes as a hash, NULL as
'N'). A row is the hash of its column texts, a table is COUNT(*) and the sums of two
64-bit parts of the row hashes, so order does not matter and repeated rows do. Only when that differs,
rows are fetched, bucket by bucket, to name them.

The bits of a double are read out of a POINT: MySQL 9.7 prints at most 22 characters of a computed
double, which loses the last bit of 1.3647584518757569e-192 (measured).

Limits: -0 equals 0, as in SQL. JSON against MariaDB's JSON (a text column) is compared as values by
this process, because MySQL rewrites JSON text. SHA2 is used because MySQL 9.6 dropped MD5.
"""

import json
from collections import Counter
from dataclasses import dataclass, field

_INTEGERS = {"tinyint", "smallint", "mediumint", "int", "bigint", "year"}
_FLOATS = {"float", "double"}
_PLAIN = {"decimal", "date", "time", "datetime", "timestamp"}
_BYTES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"}
_TEXT = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"}
_SHAPES = {"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring",
           "multipolygon", "geometrycollection", "geomcollection", "vector"}
_HEX_DIGITS = 3  # of the key's hash: 4096 buckets
_BUCKETS_AT_ONCE = 16


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


class _Side:
    """One table on one server."""

    def __init__(self, connection, name: str):
        self.connection = connection
        self.db, _, self.table = name.partition(".")
        self.name = f"{_quote(self.db)}.{_quote(self.table)}"
        self.columns = {row[0]: row[1].lower() for row in self._schema(
            "SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position")}

    def _schema(self, text: str) -> list:
        return self.rows(text, (self.db, self.table))

    def rows(self, text: str, args=None) -> list:
        with self.connection.cursor() as cursor:
            cursor.execute(text, args)
            return list(cursor.fetchall())

    def key(self) -> list[str]:
        """Columns of the primary key, else of a unique key without NULLs, else none."""
        found: dict[str, list[str]] = {}
        for index, column, nullable, part in self._schema(
                "SELECT index_name, column_name, nullable, sub_part FROM information_schema.statistics "
                "WHERE table_schema = %s AND table_name = %s AND non_unique = 0 "
                "ORDER BY index_name <> 'PRIMARY', index_name, seq_in_index"):
            usable = column is not None and nullable != "YES" and part is None
            found.setdefault(index, []).append(column if usable else "")
        return next((names for names in found.values() if all(names)), [])


def _quote(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _hash(expression: str) -> str:
    return f"LEFT(SHA2({expression}, 256), 32)"


def _text_of(column: str, data_type: str) -> str:
    """SQL for the column's text; NULL only if the server could not build it."""
    name = _quote(column)
    if data_type in _INTEGERS:
        text = f"CONCAT({name} + 0)"
    elif data_type == "bit":
        text = f"CONCAT(CAST({name} AS UNSIGNED))"
    elif data_type in _FLOATS:
        text = f"SUBSTRING(HEX(POINT({name} + 0e0, 0)), 19, 16)"
    elif data_type in _PLAIN:
        text = f"CONCAT({name})"
    elif data_type in _BYTES:
        text = _hash(name)
    elif data_type in _SHAPES:
        text = _hash(f"HEX({name})")
    elif data_type in _TEXT:
        text = _hash(f"CONVERT({name} USING utf8mb4)")
    else:  # json, uuid, inet6
        text = _hash(f"CONVERT(CAST({name} AS CHAR) USING utf8mb4)")
    return f"IF({name} IS NULL, 'N', {text})"


def _shown(column: str, data_type: str) -> str:
    """SQL for a key column as a person wants to read it."""
    name = _quote(column)
    if data_type in _BYTES:
        return f"CONCAT('0x', HEX({name}))"
    if data_type in _TEXT:
        return f"CONVERT({name} USING utf8mb4)"
    return f"CONCAT({name})" if data_type in _FLOATS else _text_of(column, data_type)


def _joined(texts: list[str]) -> str:
    return f"CONCAT({', 0x7c, '.join(texts)})"


def _canonical(text: str | None) -> str | None:
    """JSON text as a value: member order, white space and number spelling do not matter."""
    def whole(digits: str):
        number = int(digits)
        return number if -(2 ** 63) <= number < 2 ** 64 else float(number)
    return None if text is None else json.dumps(json.loads(text, parse_int=whole), sort_keys=True)


class _Comparison:
    """One pair of tables; `left` names the columns and the key."""

    def __init__(self, left: _Side, right: _Side, ignore: set[str], limit: int):
        self.sides = (left, right)
        self.limit = limit
        names = [c for c in left.columns if c not in ignore]
        mixed = [c for c in names if c in right.columns and
                 (left.columns[c] == "json") != (right.columns[c] == "json")]
        self.json = mixed
        self.names = [c for c in names if c not in mixed]
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

    def _texts(self, side: _Side) -> list[str]:
        return [_text_of(c, side.columns[c]) for c in self.names]

    def _totals(self, side: _Side, extra: str = "", tail: str = "") -> tuple:
        row = f"SHA2({_joined(self._texts(side) or ['0x00'])}, 256)"
        sums = ", ".join(f"SUM(CAST(CONV(SUBSTRING(r, {at}, 16), 16, 10) AS UNSIGNED))" for at in (1, 17))
        rows = side.rows(f"SELECT {extra} COUNT(*), COUNT(r), {sums} FROM "
                         f"(SELECT {row} AS r{self._bucket(side) if extra else ''} "
                         f"FROM {side.name}) q {tail}")
        at = 1 if extra else 0
        for found in rows:
            if found[at] != found[at + 1]:
                raise ValueError(f"{side.name}: the server could not build the text of every row; "
                                 "raise its max_allowed_packet")
        return tuple(rows) if extra else rows[0]

    def _bucket_of(self, side: _Side) -> str:
        names = [c for c in self.key if c in self.names] or self.names
        return f"LEFT(SHA2({_joined([_text_of(c, side.columns[c]) for c in names])}, 256), {_HEX_DIGITS})"

    def _bucket(self, side: _Side) -> str:
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

    def _fetch(self, side: _Side, buckets: list[str]) -> Counter | dict:
        """Rows of the buckets: key -> column texts; without a key a count of each row."""
        shown = [_shown(c, side.columns[c]) for c in (self.key or self.names)]
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
            wanted = [_shown(c, side.columns[c]) for c in (self.key or self.names)]
            wanted += [f"CONVERT(CAST({_quote(c)} AS CHAR) USING utf8mb4)" for c in self.json]
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
    with left.connect(autocommit=False) as a, right.connect(autocommit=False) as b:
        for connection in (a, b):
            with connection.cursor() as cursor:
                cursor.execute("SET NAMES utf8mb4")
                cursor.execute("SET time_zone = '+00:00', sql_mode = ''")
                cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        for item in tables:
            names = (item, item) if isinstance(item, str) else item
            sides = (_Side(a, names[0]), _Side(b, names[1]))
            diff = _Comparison(*sides, set(ignore), limit).run()
            if diff:
                diffs.append(diff)
    return diffs


def assert_same(left, right, tables, **options) -> None:
    """compare() that raises AssertionError with a readable list of the differences."""
    diffs = compare(left, right, tables, **options)
    if diffs:
        raise AssertionError("tables differ:\n" + "\n".join(map(str, diffs)))
