"""PostgreSQL to MariaDB and MySQL, whole jobs: edge values of every type through the load and through the log, keys, rows without a key, and what must stop a job.
Both ends are read by their own functions; JSON and floating point texts are compared as numbers and values."""

import json
import struct
import uuid
from decimal import Decimal

import pytest
from jobs import FAILED, LONG, configure, delete, run_until, status
from sluice import Service, wait_for

SETTINGS = "SET timezone = 'UTC'; SET intervalstyle = iso_8601; SET lc_monetary = 'C'; SET extra_float_digits = 3; SET bytea_output = hex"


def as_json(text):
    return text if text is None else json.loads(text, parse_float=Decimal, parse_int=Decimal)


def as_float(text):
    return text if text is None else float(text)


def as_single(text):
    return text if text is None else struct.unpack("f", struct.pack("f", float(text)))[0]


def same(value):
    return value


# How each end prints a column {c}: (source, target, what both texts are read by).
PLAIN = ("{c}::text", "CAST({c} AS CHAR)", same)
ADDRESS = ("CASE WHEN {c} IS NOT NULL THEN format('%s', {c}) END", "CAST({c} AS CHAR)", same)  # a cast to text adds /32
LETTERS = ("encode(convert_to({c}::text, 'UTF8'), 'hex')", "LOWER(HEX({c}))", same)
MOMENT = ("to_char({c}, 'YYYY-MM-DD HH24:MI:SS.US')", "CAST(CAST({c} AS DATETIME(6)) AS CHAR)", same)
TIME = ("to_char({c}::interval, 'HH24:MI:SS.US')", "CAST(CAST({c} AS TIME(6)) AS CHAR)", same)
JSON = ("to_json({c})::text", "CAST({c} AS CHAR)", as_json)
BITS = ("ltrim({c}::text, '0')", "NULLIF(BIN({c}), '0')", lambda text: text or "")
# name: (type, values as SQL, how it is printed)
COLUMNS = {
    "bo": ("boolean", ["true", "false"], ("{c}::int::text", "CAST({c} AS CHAR)", same)),
    "i2": ("smallint", ["-32768", "32767"], PLAIN), "i4": ("integer", ["-2147483648", "2147483647"], PLAIN),
    "i8": ("bigint", ["-9223372036854775808", "9223372036854775807"], PLAIN), "oi": ("oid", ["0", "4294967295"], PLAIN),
    "n": ("numeric(12,3)", ["-123456789.012", "0", "'0.5'"], PLAIN), "n0": ("numeric(30)", ["-123456789012345678901234567890"], PLAIN),
    "nn": ("numeric", ["0", "'99999999999999999999999999999999999.999999999999999999999999999999'", "'-0.000000000000000000000000000001'", "1.50"],
           ("round({c}, 30)::text", "CAST({c} AS CHAR)", same)),
    "ns": ("numeric(5,-2)", ["1234500", "-99"], PLAIN), "nf": ("numeric(2,5)", ["'0.00012'", "'-0.00099'"], PLAIN),
    "f4": ("real", ["'3.4028235e38'", "'-1e-45'", "0.1", "16777216"], ("{c}::text", "CAST({c} + 0e0 AS CHAR)", as_single)),
    "f8": ("double precision", ["'1.7976931348623157e308'", "'5e-324'", "'0.30000000000000004'", "'-1e20'"], ("{c}::text", "CAST({c} AS CHAR)", as_float)),
    "t": ("text", ["''", r"E'a\tb\nc\\d\r\'\"'", "'é😀'", "repeat('xyz', 50000)", r"'\N'", "' both '"], LETTERS),
    "v": ("varchar(20)", ["'äöü  '", "''", "'\\'"], LETTERS), "c": ("char(5)", ["'ab'", "'äbcde'", "''"], LETTERS), "vu": ("varchar", ["'free'"], LETTERS),
    "nm": ("name", ["'pg_class'"], LETTERS), "ct": ("public.citext", ["'Straße'", "''"], LETTERS), "cl": ("char(300)", ["'long'"], LETTERS),
    "by": ("bytea", [r"'\x'", r"'\x00ff5c270a09'", "decode(repeat('00010a', 30000), 'hex')"], ("encode({c}, 'hex')", "LOWER(HEX({c}))", same)),
    "d": ("date", ["'0001-01-01'", "'9999-12-31'", "'2024-02-29'"], PLAIN), "tm": ("time", ["'24:00'", "'00:00:00.000001'"], TIME), "t3": ("time(3)", ["'23:59:59.999'"], TIME),
    "tz": ("timetz", ["'23:59:59.999999+15:59:59'", "'12:00-08'"], PLAIN), "t0": ("timestamp(0)", ["'2024-06-30 12:00:00'"], MOMENT),
    "ts": ("timestamp", ["'0001-01-01'", "'9999-12-31 23:59:59.999999'", "'2024-03-10 02:30:00.5'"], MOMENT), "ts3": ("timestamp(3)", ["'2024-02-29 23:59:59.999'"], MOMENT),
    "tt": ("timestamptz", ["'2024-03-10 02:30:00.123456-05'", "'0001-01-01 00:00:00+00'", "'2039-01-01 00:00:00+14'"],
           ("to_char({c} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')",) + MOMENT[1:]),
    "iv": ("interval", ["'1 year 2 mons -3 days 04:05:06.7'", "'-178956970 years -8 mons -2147483648 days -2562047788:00:54.775807'", "'0'", "'-0.5 s'"], PLAIN),
    "j": ("json", ["""'{ "b" : 1, "a" : [1.5, -0.25, "x\\u00e9\\n", null] }'""", "'null'", "'\"\"'"], ("{c}::text", "CAST({c} AS CHAR)", as_json)),
    "jb": ("jsonb", ["""'{"k": {"deep": [[[1e3]]]}, "n": 18446744073709551615, "m": -9223372036854775808, "e": "😀"}'""", "'[]'", "'0.30000000000000004'"],
           ("{c}::text", "CAST({c} AS CHAR)", as_json)),
    "a": ("int[]", ["'{}'", "'{1,NULL,-3}'", "'{{1,2},{3,4}}'"], JSON), "ta": ("text[]", [r"""ARRAY['a"b', 'c\d', NULL, 'NULL', '', E'\n\x01', '{},']"""], JSON),
    "ba": ("boolean[]", ["'{t,f,NULL}'"], JSON), "na": ("numeric[]", ["'{1.50,-0.001,123456789012345}'"], JSON), "ja": ("jsonb[]", ["""ARRAY['{"a": [1]}', 'null']::jsonb[]"""], JSON),
    "h": ("public.hstore", ["'a=>1, \"b\\\"\\\\\"=>NULL, \"\"=>\"NULL\"'", "''"], ("public.hstore_to_json({c})::text", "CAST({c} AS CHAR)", as_json)),
    "co": ("{s}.pair", ["ROW(1, '{a,NULL}', ROW('t'))", "ROW(NULL, NULL, NULL)"], ("row_to_json({c})::text", "CAST({c} AS CHAR)", as_json)),
    "u": ("uuid", ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"], PLAIN), "ip": ("inet", ["'192.168.0.0/24'", "'::ffff:1.2.3.4'", "'2001:db8:ffff:ffff:ffff:ffff:ffff:ffff/127'"], ADDRESS),
    "ci": ("cidr", ["'10.0.0.0/8'", "'::/0'"], PLAIN), "m": ("macaddr", ["'08:00:2b:01:02:03'"], PLAIN), "m8": ("macaddr8", ["'08:00:2b:01:02:03:04:05'"], PLAIN),
    "b1": ("bit", ["B'1'", "B'0'"], BITS), "b5": ("bit(5)", ["B'10101'", "B'00001'"], BITS), "b64": ("bit(64)", ["repeat('1', 64)::bit(64)", "B'1'::bit(64)"], BITS),
    "b70": ("bit(70)", ["B'101'::bit(70)"], PLAIN), "vb": ("varbit", ["B''", "B'0010'"], PLAIN), "vl": ("varbit(9)", ["B'010101010'"], PLAIN),
    "r": ("int4range", ["'[1,5)'", "'empty'", "'(,)'"], PLAIN), "tr": ("tstzrange", ["'[2024-01-01 00:00:00.123456+00,infinity]'"], PLAIN), "nr": ("numrange", ["'(1.5,2.50]'"], PLAIN),
    "mr": ("datemultirange", ["'{[2024-01-01,2024-02-01),[2025-01-01,)}'", "'{}'"], PLAIN),
    "mo": ("money", ["'-92233720368547758.08'", "'0.05'"], ("{c}::numeric(20,2)::text", "CAST({c} AS CHAR)", same)),
    "x": ("xml", ["'<a>b &amp; c</a>'"], PLAIN), "e": ("{s}.mood", ["'sad'", "'so ''so'''", r"E'back\\slash'", r"E'a,b\nc'"], LETTERS), "pt": ("point", ["'(1.5,-2)'"], PLAIN),
    "l": ("pg_lsn", ["'FFFFFFFF/FFFFFFFF'"], PLAIN), "tv": ("tsvector", ["'a:1A b''c:2'"], PLAIN), "tq": ("tsquery", ["'a & !b'"], PLAIN),
    "dn": ("{s}.price", ["1.50", "99999999.99"], PLAIN), "di": ("{s}.small", ["-7"], PLAIN), "de": ("{s}.feeling", ["'sad'"], PLAIN), "dj": ("{s}.doc", ["'{\"a\": 1}'"], ("{c}::text", "CAST({c} AS CHAR)", as_json)),
    "ch": ('"char"', ["'x'"], PLAIN), "iw": ("int2vector", ["'1 2 3'"], PLAIN),
}
# Keys: type, values that are different in PostgreSQL and easily taken for equal elsewhere.
KEYS = {
    "text": ("text", ["'a'", "'A'", "'á'", "'a '", "' a'", "''", "'ß'", "'ss'", "'\u00e9'", "'e\u0301'", "repeat('x', 768)"], LETTERS),
    "varchar": ("varchar(30)", ["'a'", "'A'", "'a  '"], LETTERS), "bpchar": ("char(10)", ["'a'", "'A'", "'ab'"], LETTERS), "bytea": ("bytea", [r"'\x'", r"'\x00'", r"'\x0000'", r"'\x61'"], COLUMNS["by"][2]),
    "uuid": ("uuid", ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'00000000-0000-0000-0000-000000000000'"], PLAIN), "date": ("date", ["'0001-01-01'", "'2024-02-29'"], PLAIN),
    "numeric": ("numeric(20,5)", ["0.00001", "-1", "10"], PLAIN), "timestamptz": ("timestamptz", ["'2024-02-29 23:59:59.999999+00'", "'2024-02-29 23:59:59.999998+00'"], COLUMNS["tt"][2]),
    "float8": ("float8", ["0.1", "'1e300'", "0.30000000000000004", "0.3"], COLUMNS["f8"][2]), "float4": ("real", ["0.1", "0.2", "'1e30'"], COLUMNS["f4"][2]), "bool": ("boolean", ["true", "false"], COLUMNS["bo"][2]),
    "enum": ("{s}.mood", ["'sad'", "'so ''so'''", r"E'a,b\nc'"], LETTERS), "inet": ("inet", ["'10.0.0.1'", "'10.0.0.1/8'", "'::1'"], ADDRESS), "citext": ("public.citext", ["'a'", "'B'", "'á'"], LETTERS),
    "bit": ("bit(9)", ["B'000000001'", "B'100000000'"], BITS), "range": ("int4range", ["'[1,2)'", "'empty'"], PLAIN), "array": ("int[]", ["'{1,2}'", "'{}'"], PLAIN),
}


@pytest.fixture(scope="module")
def service():
    with Service("--rate-limit", "0") as s:
        yield s


@pytest.fixture
def target(request):
    return request.getfixturevalue(request.param)


def destinations(default):
    return pytest.mark.parametrize("target", ["mariadb_a", "mysql_a"] if LONG else [default], indirect=True)


@pytest.fixture
def schema(postgresql_15, target):
    """A schema with types of its own; dropped at both ends afterwards."""
    name = "my_" + uuid.uuid4().hex[:8]
    postgresql_15.sql(f"""CREATE EXTENSION IF NOT EXISTS hstore SCHEMA public; CREATE EXTENSION IF NOT EXISTS citext SCHEMA public; CREATE SCHEMA {name}; SET search_path = {name};
        CREATE TYPE mood AS ENUM ('sad', 'so ''so''', E'back\\\\slash', E'a,b\\nc', ''); CREATE TYPE inner_row AS (flag boolean); CREATE TYPE pair AS (n int, list text[], "in" inner_row);
        CREATE DOMAIN price AS numeric(10,2); CREATE DOMAIN small AS int; CREATE DOMAIN feeling AS mood; CREATE DOMAIN doc AS jsonb""")
    yield name
    postgresql_15.sql(f"DROP SCHEMA {name} CASCADE; DROP EXTENSION hstore; DROP EXTENSION citext")
    target.sql(f"DROP DATABASE IF EXISTS {name}")


def printed(columns, at):
    return ", ".join(columns[c][2][at].format(c=f'"{c}"' if at == 0 else f"`{c}`") for c in columns)


def source_rows(server, schema, table, columns, key):
    with server.connect() as c:
        c.execute(SETTINGS)
        return rows_of(c.execute(f"SELECT {printed(columns, 0)} FROM {schema}.{table} ORDER BY {table}.{key}").fetchall(), columns)


def target_rows(server, schema, table, columns, key):
    with server.connect() as c, c.cursor() as cursor:
        cursor.execute("SET NAMES utf8mb4, time_zone = '+00:00'")
        cursor.execute(f"SELECT {printed(columns, 1)} FROM {schema}.{table} ORDER BY {table}.{key}")
        return rows_of(cursor.fetchall(), columns)


def rows_of(rows, columns):
    def text(value):
        return value.decode() if isinstance(value, bytes) else value
    return [{c: columns[c][2][2](text(v)) for c, v in zip(columns, row)} for row in rows]


def differences(left, right):
    """Column by column, shortened: what a failure shows."""
    found = [] if len(left) == len(right) else [f"{len(left)} rows, {len(right)} rows"]
    found += [f"row {i} {c}: {str(a[c])[:80]!r} {str(b[c])[:80]!r}" for i, (a, b) in enumerate(zip(left, right)) for c in a if a[c] != b[c]]
    return tuple(found[:20])


def agree(source, target, schema, table, columns, key, timeout_s=60):
    def compared():
        return differences(source_rows(source, schema, table, columns, key), target_rows(target, schema, table, columns, key))
    wait_for(compared, [()], timeout_s)


def edge_rows(schema, table, first):
    """Rows first.. with the edge values of every column; NULL where a column has fewer."""
    most = max(len(values) for _, values, _ in COLUMNS.values())
    rows = [f"({first + i}, " + ", ".join(f"({values[i]})::{kind.format(s=schema)}" if i < len(values) else "NULL" for kind, values, _ in COLUMNS.values()) + ")" for i in range(most + 1)]
    return f"INSERT INTO {schema}.{table} VALUES " + ", ".join(rows)


EVERY = {"id": ("int", [], PLAIN)} | COLUMNS


@destinations("mysql_a")
def test_values_of_every_type(service, postgresql_15, target, schema):
    """In a table with a key, and in one without whose rows are found by all their columns."""
    source = postgresql_15
    columns = ", ".join(f'"{name}" {kind.format(s=schema)}' for name, (kind, _, _) in COLUMNS.items())
    source.sql(f"CREATE TABLE {schema}.every (id int PRIMARY KEY, {columns}); CREATE TABLE {schema}.loose (id int, {columns}); ALTER TABLE {schema}.loose REPLICA IDENTITY FULL")
    for table in ("every", "loose"):
        source.sql(edge_rows(schema, table, 1))
    job = configure(service, source, target, schema, "SYNC")
    run_until(service, job, "Synchronizing")
    for table in ("every", "loose"):
        agree(source, target, schema, table, EVERY, "id")
    for table in ("every", "loose"):
        source.sql(edge_rows(schema, table, 101))
        source.sql(f"INSERT INTO {schema}.{table} (id) SELECT generate_series(201, 206)")
        names = ", ".join(f'"{name}"' for name in COLUMNS)
        others = ", ".join(f'o."{name}"' for name in COLUMNS)
        source.sql(f"UPDATE {schema}.{table} t SET ({names}) = (SELECT {others} FROM {schema}.{table} o WHERE o.id = t.id - 200) WHERE id > 200")
        source.sql(f"UPDATE {schema}.{table} SET i4 = id WHERE id BETWEEN 3 AND 5")  # the long values are not sent again
        source.sql(f"DELETE FROM {schema}.{table} WHERE id IN (2, 102, 202)")
        source.sql(f"UPDATE {schema}.{table} SET id = id + 1000 WHERE id = 1")
    for table in ("every", "loose"):
        agree(source, target, schema, table, EVERY, "id")
    delete(service, job)


@destinations("mariadb_a")
def test_keys(service, postgresql_15, target, schema):
    """What is a key of its own in PostgreSQL is one in the destination, through load, changes and changes of the key."""
    source = postgresql_15
    keys = {name: (kind, [f"({v})::{kind.format(s=schema)}" for v in values], shown) for name, (kind, values, shown) in KEYS.items()}
    tables = {f"k_{name}": {"k": key, "v": ("int", [], PLAIN)} for name, key in keys.items()}
    for table, columns in tables.items():
        kind, values, _ = columns["k"]
        half = len(values) // 2
        source.sql(f"CREATE TABLE {schema}.{table} (k {kind.format(s=schema)} PRIMARY KEY, v int)")
        source.sql(f"INSERT INTO {schema}.{table} VALUES " + ", ".join(f"({v}, {i})" for i, v in enumerate(values[:half])))
    source.sql(f"CREATE TABLE {schema}.k_two (a text, b varchar(400), i int, v int, PRIMARY KEY (a, b, i)); INSERT INTO {schema}.k_two VALUES ('a', 'b', 1, 1), ('A', 'b', 1, 2), ('a', 'B', 1, 3)")
    tables["k_two"] = {"a": ("text", [], LETTERS), "b": ("text", [], LETTERS), "i": ("int", [], PLAIN), "v": ("int", [], PLAIN)}
    job = configure(service, source, target, schema, "SYNC")
    run_until(service, job, "Synchronizing")
    for table, columns in tables.items():
        if table == "k_two":
            continue
        _, values, _ = columns["k"]
        half = len(values) // 2
        source.sql(f"INSERT INTO {schema}.{table} VALUES " + ", ".join(f"({v}, {i + 100})" for i, v in enumerate(values[half:])))
        source.sql(f"UPDATE {schema}.{table} SET v = v + 1000 WHERE k = {values[0]}; UPDATE {schema}.{table} SET v = v + 2000 WHERE k = {values[-1]}")
        source.sql(f"DELETE FROM {schema}.{table} WHERE k = {values[1]}; INSERT INTO {schema}.{table} VALUES ({values[1]}, 5)")
    source.sql(f"UPDATE {schema}.k_two SET a = 'ä' WHERE v = 2; UPDATE {schema}.k_two SET v = 30 WHERE b = 'B'; DELETE FROM {schema}.k_two WHERE v = 1")
    for table, columns in tables.items():
        agree(source, target, schema, table, columns, "v")
    delete(service, job)


@destinations("mariadb_a")
def test_definitions(service, postgresql_15, target, schema):
    """Keys, indexes, foreign keys, AUTO_INCREMENT, defaults and comments; what has no like in the destination is told by the precheck."""
    source = postgresql_15
    source.sql(f"""SET search_path = {schema}, public; CREATE TABLE parent (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text UNIQUE, "Größe" varchar(10) NOT NULL DEFAULT 'x''y\\z',
            at timestamptz DEFAULT now(), day date DEFAULT '2024-02-29', flag boolean DEFAULT true, n numeric(10,2) DEFAULT -1.5, f float8 DEFAULT 0.1, j jsonb DEFAULT '{{"a": 1}}', t text DEFAULT 'long',
            u uuid DEFAULT gen_random_uuid(), b bytea DEFAULT '\\x00ff', ts timestamp(3) DEFAULT LOCALTIMESTAMP, bits bit(3) DEFAULT B'101', m mood DEFAULT 'sad', odd int DEFAULT (1 + random()::int),
            twice bigint GENERATED ALWAYS AS (id * 2) STORED, CONSTRAINT positive CHECK (n > -100), sum numeric(12,2) GENERATED ALWAYS AS (n * 2) STORED,
            CONSTRAINT odd_text CHECK (t ~ 'l'), CONSTRAINT words CHECK (code IN ('A', 'a', 'B', 'live', 'own') AND length(t) < 100), left_out money);
        CREATE TABLE child (id serial, parent bigint NOT NULL REFERENCES parent (id) ON DELETE CASCADE, code text REFERENCES parent (code) ON UPDATE CASCADE DEFERRABLE, body text, tags text[],
            PRIMARY KEY (parent, id));
        CREATE TABLE wide (k text, {", ".join(f"c{i} varchar({300 * i + 10})" for i in range(25))}, PRIMARY KEY (k));
        CREATE INDEX ON child (body); CREATE INDEX by_hash ON child USING hash (code); CREATE INDEX by_tag ON child USING gin (tags); CREATE UNIQUE INDEX partly ON child (id) WHERE id > 5;
        CREATE INDEX lowered ON child (lower(body)); COMMENT ON TABLE parent IS 'it''s'; COMMENT ON COLUMN parent.n IS 'a "price"';
        INSERT INTO parent (code) VALUES ('A'), ('a'); INSERT INTO child (parent, code, body) VALUES (1, 'A', 'x'), (2, 'a', repeat('y', 5000))""")
    chosen = {schema: {"name": schema, "all": False, "Table": {"child": {"name": "child", "all": True}, "wide": {"name": "wide", "all": True}, "parent": {"name": "parent", "all": False, "column": {
        c: {"name": c} for c in ("id", "code", "Größe", "at", "day", "flag", "n", "f", "j", "t", "u", "b", "ts", "bits", "m", "odd", "twice", "sum")}}}}}
    job = configure(service, source, target, schema, "SYNC", DbList=json.dumps(chosen))
    run_until(service, job, "Synchronizing")
    told = service.ok("DescribePreCheckStatus", {"DtsJobId": job})
    told = json.dumps(told, ensure_ascii=False)
    for part in ("odd: DEFAULT", "twice: the generated column is not carried", "odd_text: the check is not carried", "by_tag: not carried", "partly: not carried", "lowered: not carried"):
        assert part in told, part
    source.sql(f"INSERT INTO {schema}.parent (code) VALUES ('live'); UPDATE {schema}.child SET body = 'z' WHERE parent = 1; UPDATE {schema}.parent SET code = 'B' WHERE id = 1; DELETE FROM {schema}.parent WHERE id = 2")
    wait_for(lambda: target.sql(f"SELECT GROUP_CONCAT(id, code ORDER BY id) FROM {schema}.parent")[0][0], {"1B,3live"}, 60)
    assert target.sql(f"SELECT parent, code, body FROM {schema}.child") == [(1, "B", "z")]
    with target.connect() as c, c.cursor() as cursor:
        cursor.execute("SET NAMES utf8mb4, time_zone = '+00:00'")
        cursor.execute(f"INSERT INTO {schema}.parent (code) VALUES ('own')")
        cursor.execute(f"SELECT id > 3, `Größe`, `at` > '2024-01-01', CAST(day AS CHAR), flag, n, f, CAST(j AS CHAR), t, LENGTH(u), HEX(b), ts > '2024-01-01', BIN(bits), m, odd FROM {schema}.parent WHERE code = 'own'")
        assert list(cursor.fetchall()) == [(1, "x'y\\z", 1, "2024-02-29", 1, Decimal("-1.50"), 0.1, '{"a": 1}', "long", 36, "00FF", 1, "101", "sad", None)]
        cursor.execute(f"SELECT n, `sum` FROM {schema}.parent WHERE code = 'live'")
        assert list(cursor.fetchall()) == [(Decimal("-1.50"), Decimal("-3.00"))]
        for refused in ("n = -100", "code = 'b'", "code = 'LIVE'"):
            with pytest.raises(Exception, match="(?i)constraint"):
                cursor.execute(f"UPDATE {schema}.parent SET {refused} WHERE code = 'own'")
        cursor.execute(f"SHOW CREATE TABLE {schema}.parent")
        text = cursor.fetchone()[1]
        assert "COMMENT='it''s'" in text and "COMMENT 'a \"price\"'" in text and "left_out" not in text and "UNIQUE KEY" in text
        cursor.execute(f"SHOW CREATE TABLE {schema}.child")
        text = cursor.fetchone()[1]
        assert target.sql(f"SELECT data_type, COUNT(*) FROM information_schema.columns WHERE table_schema = '{schema}' AND table_name = 'wide' GROUP BY 1 ORDER BY 1") == [
            ("longtext", 15), ("varchar", 11)]  # a row has 65535 bytes
        assert text.count("FOREIGN KEY") == 2 and "`body`(191)" in text and "PRIMARY KEY (`parent`,`id`)" in text and "KEY `by_hash` (`code`)" in text
    delete(service, job)


REFUSED = {  # type, value, rule, choice, what the destination has then
    "nan": ("numeric", "'NaN'", "T42", "null", None), "inf": ("float8", "'-Infinity'", "T42", "text", "-Infinity"), "digits": ("numeric", "1e40", "T41", "text", "1" + 40 * "0"),
    "bc": ("date", "'0044-03-15 BC'", "T56", "sentinel:0001-01-01..9999-12-31", "0001-01-01"), "never": ("timestamptz", "'infinity'", "T56", "null", None),
    "bounds": ("int[]", "'[0:1]={1,2}'", "T47", "text", "[0:1]={1,2}"),
}


@pytest.mark.parametrize("case", REFUSED if LONG else ["bounds"])
def test_what_is_refused(service, postgresql_15, mariadb_a, case):
    """A value that the destination does not have stops the job by name; the choice of the message lets it pass."""
    kind, value, rule, choice, kept = REFUSED[case]
    name = "my_" + uuid.uuid4().hex[:8]
    postgresql_15.sql(f"CREATE SCHEMA {name}; CREATE TABLE {name}.t (id int PRIMARY KEY, c {kind}); INSERT INTO {name}.t VALUES (1, NULL), (2, {value})")
    try:
        job = configure(service, postgresql_15, mariadb_a, name, "MIGRATION", DataSynchronization="false")
        service.ok("CreateDtsInstance", {"JobId": job, "AutoStart": "true"})
        wait_for(lambda: status(service, job), {"PrecheckFailed"}, 60)  # which names the row; the load does too when that is skipped
        service.ok("SkipPreCheck", {"DtsJobId": job, "Skip": "true", "SkipPreCheckItems": '["CHECK_TYPES"]'})
        wait_for(lambda: status(service, job), FAILED - {"PrecheckFailed"}, 60)
        message = service.ok("DescribeDtsJobDetail", {"DtsJobId": job})["ErrorMessage"]
        assert f"table {name}.t, row with id 2: column c:" in message and f"sluice.types {rule}" in message
        delete(service, job)
        mariadb_a.sql(f"DROP DATABASE IF EXISTS {name}")
        reserve = json.dumps({"autoStartModulesAfterConfig": "none", "sluice.types": {rule: choice}})
        job = configure(service, postgresql_15, mariadb_a, name, "MIGRATION", DataSynchronization="false", Reserve=reserve)
        run_until(service, job, "Finished")
        assert mariadb_a.sql(f"SELECT id, CAST(c AS CHAR) FROM {name}.t ORDER BY id") == [(1, None), (2, kept)]
        delete(service, job)
    finally:
        postgresql_15.sql(f"DROP SCHEMA {name} CASCADE")
        mariadb_a.sql(f"DROP DATABASE IF EXISTS {name}")
