"""Row filters give what real servers give: random rows and random conditions, evaluated by both.

The seed is printed; SLUICE_SEED=N repeats a run. SLUICE_TEST_LONG=1 runs ten times as many conditions.
"""

import json
import os
import random
import subprocess
from pathlib import Path

import pytest

SEED = int(os.environ.get("SLUICE_SEED") or random.SystemRandom().randrange(2**32))
CONDITIONS = 5000 if os.environ.get("SLUICE_TEST_LONG") else 500
ROWS = 120
PROBE = Path(os.environ.get("SLUICE_BIN", Path(__file__).parents[2] / "build/asan/sluice")).parent / "tests/unit/filter_probe"
SESSION = "SET NAMES utf8mb4; SET time_zone='+00:00', sql_mode=''"

INTS = [0, 1, -1, 2, 7, 100, 127, -128, 255]
BIG = [2**63 - 1, -(2**63), 2**31, 2**53, 2**53 + 1, -(2**53) - 1]
WORDS = ["", "a", "A", "a ", "a  ", " a", "ab", "a%b", "a_b", "a\\b", "it's", "na\u00efve", "\u00e4", "\u20ac", "\U0001f600", "a\tb", "a\n", "b\0", "%", "_", "\\"]
DATES = ["2024-02-29", "1999-12-31", "2024-03-01", "1970-01-01", "9999-12-31", "1000-01-01"]
TIMES = ["00:00:00", "23:59:59", "12:30:00", "12:30:00.5", "12:30:00.123456"]


def text(value):
    out = value.replace("\\", "\\\\").replace("'", "''").replace("\0", "\\0")
    return f"'{out}'"


class Column:
    """One column: its SQL type, how a random value is written, how it is read for the probe, which literals its conditions use."""

    def __init__(self, name, sql, kind, insert, literal, fetch="CAST({} AS CHAR)", nullable=True, unsigned=False, charset="", collation="", type=None, ops="all"):
        self.name, self.sql, self.kind, self.insert, self.literal, self.fetch = name, sql, kind, insert, literal, fetch
        self.nullable, self.unsigned, self.charset, self.collation, self.ops = nullable, unsigned, charset, collation, ops
        self.type = type or sql.split("(")[0].split(" ")[0].lower()

    def definition(self):
        charset = f" CHARACTER SET {self.charset} COLLATE {self.collation}" if self.charset else ""
        # An explicit NULL keeps TIMESTAMP from its automatic default.
        return f"`{self.name}` {self.sql}{charset} {'NULL' if self.nullable else 'NOT NULL'}"

    def for_probe(self):
        return {"name": self.name, "type": self.type, "native": self.sql.lower(), "nullable": self.nullable, "unsigned": self.unsigned,
                "scale": {"DATETIME(6)": 6, "TIMESTAMP(3)": 3}.get(self.sql, 0), "charset": self.charset, "collation": self.collation}


def columns_of(r, flavour):
    def ints(*values):
        return lambda: str(r.choice(values) if r.random() < 0.7 else r.randrange(-300, 300))

    def decimal(whole, scale):
        return lambda: f"{r.choice(['', '-'])}{r.randrange(10 ** r.randrange(1, whole))}.{r.randrange(10**scale):0{scale}d}"

    def moment(digits=0):
        times = [t for t in TIMES if len(t) <= 9 + digits] if r.random() < 0.9 else TIMES
        return text(r.choice(DATES) + (" " + r.choice(times) if r.random() < 0.6 else ""))

    def day():
        return text(r.choice(DATES)) if r.random() < 0.9 else moment()

    def timestamp_literal():
        return timestamp() if r.random() < 0.9 else moment()

    def word(usable=lambda w: True):
        return lambda: text(r.choice([w for w in WORDS if usable(w)]))

    def in_latin1(w):
        return all(ord(c) < 128 for c in w)

    def timestamp():
        return text(f"{r.choice(['2024-02-29', '1999-12-31', '1970-01-02', '2037-01-01'])} {r.choice(TIMES[:4])}")

    def signed_int_literal():
        return str(r.choice(INTS + BIG[:4])) if r.random() < 0.6 else decimal(4, r.randrange(1, 6))()

    eighths = lambda: str(r.randrange(-40, 40) / 8)  # noqa: E731
    hexed = "HEX({})"
    nopad = "utf8mb4_0900_bin" if flavour == "mysql" else "utf8mb4_nopad_bin"
    binary_literal = lambda: r.choice([word()(), "0x" + "".join(f"{r.choice([0, 65, 97, 255]):02x}" for _ in range(r.randrange(1, 5))), "x'6100'"])  # noqa: E731
    return [
        Column("ti", "TINYINT", "int", lambda: str(r.randrange(-128, 128)), signed_int_literal),
        Column("iu", "INT UNSIGNED", "uint", lambda: str(r.choice([0, 1, 7, 2**32 - 1, 100])), lambda: str(abs(r.choice(INTS))), unsigned=True),
        Column("bi", "BIGINT", "int", ints(*INTS, *BIG), signed_int_literal, nullable=False),
        Column("bu", "BIGINT UNSIGNED", "uint", lambda: str(r.choice([0, 1, 7, 2**63, 2**64 - 1, 2**53 + 1])),
               lambda: str(r.choice([0, 1, 7, 2**63, 2**64 - 1, 2**64, 2**53 + 1])), unsigned=True),
        Column("de", "DECIMAL(30,10)", "number", decimal(20, 10), lambda: r.choice([decimal(20, 10), decimal(3, 12), ints(*INTS)])()),
        Column("d0", "DECIMAL(10,0)", "number", ints(*INTS), signed_int_literal),
        Column("fl", "FLOAT", "f32", lambda: r.choice([eighths(), "0.1", "1e20"]), eighths, fetch="CAST({} + 0e0 AS CHAR)"),
        Column("db", "DOUBLE", "f64", lambda: r.choice([eighths(), "0.1", str(2**53 + 2), "1e300"]), lambda: r.choice([eighths(), str(2**53), "0"])),
        Column("bt", "BIT(9)", "bit", lambda: str(r.randrange(512)), lambda: str(r.choice([0, 1, 255, 256, 511])), fetch="LPAD(HEX({}), 4, '0')"),
        Column("ye", "YEAR", "year", lambda: r.choice(["0", "1901", "2000", "2024", "2155"]), lambda: r.choice(["1901", "2000", "2024", "2155"])),
        Column("da", "DATE", "date", lambda: text(r.choice(DATES + ["0000-00-00"])), day),
        Column("dn", "DATE", "date", lambda: text(r.choice(DATES)), day, nullable=False, ops="no null"),
        Column("dt", "DATETIME", "datetime", moment, moment),
        Column("d6", "DATETIME(6)", "datetime", lambda: r.choice([moment(6), "'0000-00-00 00:00:00'"]), lambda: moment(6)),
        Column("ts", "TIMESTAMP(3)", "timestamp", lambda: r.choice([timestamp(), timestamp(), "'0000-00-00 00:00:00'"]), timestamp_literal),
        Column("vb", "VARCHAR(20)", "text", word(), word(), fetch=hexed, charset="utf8mb4", collation="utf8mb4_bin", ops="text"),
        Column("cb", "CHAR(8)", "text", word(), word(), fetch=hexed, charset="utf8mb4", collation="utf8mb4_bin", ops="text"),
        Column("tx", "TEXT", "text", word(), word(), fetch=hexed, charset="utf8mb4", collation="utf8mb4_bin", ops="text"),
        Column("np", "VARCHAR(20)", "text", word(), word(), fetch=hexed, charset="utf8mb4", collation=nopad, ops="text"),
        Column("l1", "VARCHAR(20)", "text", word(lambda w: max(map(ord, w), default=0) < 256), word(in_latin1), fetch=hexed, charset="latin1", collation="latin1_bin", ops="text"),
        Column("vi", "VARBINARY(20)", "bytes", word(), binary_literal, fetch=hexed, ops="text"),
        Column("bn", "BINARY(6)", "bytes", word(lambda w: len(w.encode()) <= 6), binary_literal, fetch=hexed, ops="text"),
    ]


class Conditions:
    """Random conditions. Some are refused, which is counted; none may be answered differently."""

    def __init__(self, r, columns):
        self.r, self.columns = r, columns
        self.exact = [c for c in columns if c.kind in ("int", "uint", "number")]

    def name(self, column):
        return f"`{column.name}`" if self.r.random() < 0.2 else column.name

    def literal(self, column):
        return "NULL" if self.r.random() < 0.05 and column.ops != "no null" else column.literal()

    def test(self):
        r = self.r
        if r.random() < 0.04:
            return r.choice(["TRUE", "FALSE", "NULL", "1", "0", "0.5", "1 = 1.0", "2 < 1"])
        if r.random() < 0.12:
            a, b, c = (self.name(r.choice(self.exact)) for _ in range(3))
            return r.choice([f"{a} {self.operator()} {b}", f"{a} BETWEEN {b} AND {c}", f"{a} IN ({b}, {c}, 7)", a, f"!{a}"])
        column = r.choice(self.columns)
        name = self.name(column)
        form = r.randrange(10)
        negation = r.choice(["", "", "NOT "])
        if form == 0 and column.ops != "no null":
            return f"{name} IS {negation}NULL"
        if form <= 2:
            return f"{name} {negation}IN ({', '.join(self.literal(column) for _ in range(r.randrange(1, 5)))})"
        if column.ops == "text":
            if form <= 5:
                return f"{name} {negation}LIKE {self.pattern()}"
            return f"{name} {r.choice(['=', '<>', '<=>', '!='])} {self.literal(column)}"
        if form <= 4:
            return f"{name} {negation}BETWEEN {self.literal(column)} AND {self.literal(column)}"
        pair = [name, self.literal(column)]
        if r.random() < 0.2:
            pair.reverse()
        return f"{pair[0]} {self.operator()} {pair[1]}"

    def operator(self):
        return self.r.choice(["=", "<>", "!=", "<", "<=", ">", ">=", "<=>"])

    def pattern(self):
        parts = ["a", "A", "b", " ", "%", "%", "_", "\\\\", "\\%", "\\_", "''", "\u00ef", "\u00e4", "\u20ac", "\U0001f600", "\\t", "ve", "na"]
        usable = [p for p in parts if p.isascii() or self.r.random() < 0.5]
        return "'" + "".join(self.r.choice(usable) for _ in range(self.r.randrange(5))) + "'"

    def make(self, depth=0):
        r = self.r
        if depth > 3 or r.random() < 0.35:
            return self.test()
        form = r.randrange(5)
        if form == 0:
            return f"NOT {self.make(depth + 1)}" if r.random() < 0.5 else f"!({self.make(depth + 1)})"
        if form == 1:
            return f"({self.make(depth + 1)})"
        return r.choice([" AND ", " and ", " && ", " OR ", " OR "]).join(self.make(depth + 1) for _ in range(r.randrange(2, 4)))


def fill(cursor, r, columns):
    cursor.execute(SESSION)
    while cursor.nextset():
        pass
    cursor.execute("DROP DATABASE IF EXISTS filtering; CREATE DATABASE filtering")
    while cursor.nextset():
        pass
    cursor.execute("USE filtering")
    keys = "".join(f", KEY (`{name}`)" for name in ("ti", "bu", "da", "vb", "de", "d6", "ts", "dt", "fl"))
    cursor.execute(f"CREATE TABLE t (id INT PRIMARY KEY, {', '.join(c.definition() for c in columns)}{keys})")
    for row in range(ROWS):
        values = [c.insert() if not c.nullable or r.random() > 0.12 else "NULL" for c in columns]
        cursor.execute(f"INSERT INTO t VALUES ({row}, {', '.join(values)})")


def rows_for_probe(cursor, r, columns):
    cursor.execute(f"SELECT {', '.join(c.fetch.format('`' + c.name + '`') for c in columns)} FROM t ORDER BY id")
    rows = []
    for fetched in cursor.fetchall():
        cells = []
        for column, value in zip(columns, fetched):
            if isinstance(value, bytes):
                value = value.decode()
            kind = column.kind
            # A full load delivers numbers as text.
            if kind in ("int", "uint") and r.random() < 0.3:
                kind = "number"
            cells.append(None if value is None else [kind, value])
        rows.append(cells)
    return rows


def probe(columns, filters, rows):
    question = {"columns": [c.for_probe() for c in columns], "filters": filters, "rows": rows}
    done = subprocess.run([str(PROBE)], input=json.dumps(question), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def of_server(cursor, condition):
    """The server's answers as a value and as a WHERE condition, which its optimizer treats differently."""
    cursor.execute(f"SELECT ({condition}) FROM t ORDER BY id")
    letters = "".join("U" if v is None else "T" if v else "F" for (v,) in cursor.fetchall())
    cursor.execute(f"SELECT id FROM t WHERE ({condition}) ORDER BY id")
    return letters, [row for (row,) in cursor.fetchall()]


@pytest.mark.parametrize("fixture", ["mariadb_a", "mysql_a"])
def test_random_conditions_agree_with_the_server(fixture, request):
    server = request.getfixturevalue(fixture)
    print(f"SLUICE_SEED={SEED}")
    r = random.Random(f"{SEED} {fixture}")
    columns = columns_of(r, fixture.split("_")[0])
    make = Conditions(r, columns).make
    filters = [make() for _ in range(CONDITIONS)]
    connection = server.connect()
    accepted, differences = 0, []
    with connection, connection.cursor() as cursor:
        fill(cursor, r, columns)
        results = probe(columns, filters, rows_for_probe(cursor, r, columns))
        for condition, result in zip(filters, results):
            if isinstance(result, dict):
                assert result["code"] == "NotSupported", f"{condition}: {result}"
                continue
            accepted += 1
            letters, chosen = of_server(cursor, condition)
            if letters != result:
                row = next(i for i, pair in enumerate(zip(letters, result)) if pair[0] != pair[1])
                differences.append(f"{condition}\n   row {row}: server {letters[row]}, filter {result[row]}")
            elif chosen != [i for i, letter in enumerate(result) if letter == "T"]:
                differences.append(f"{condition}\n   WHERE chooses {chosen}, not as the expression's value")
        cursor.execute("DROP DATABASE filtering")
    assert not differences, f"SLUICE_SEED={SEED}: {len(differences)} of {accepted} differ\n" + "\n".join(differences[:20])
    assert accepted > CONDITIONS * 0.3, f"only {accepted} of {CONDITIONS} conditions are accepted"
