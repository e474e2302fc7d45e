"""What event triggers tell of a PostgreSQL source that its log does not tell by itself."""

import json
import subprocess
import threading

import pytest
from test_postgresql_source import DRIVER, d, d15  # noqa: F401

TABLES = "CREATE TABLE t (id int PRIMARY KEY, x int, v varchar(20)); CREATE TABLE parent (id int PRIMARY KEY); CREATE SCHEMA other; CREATE TABLE other.o (id int PRIMARY KEY)"

# A transaction, what it comes to: before it (drops) and behind it, what is only noted, the changes of rows.
STEPS = [
    ("CREATE INDEX i ON t (x)", ["CREATE INDEX i ON public.t USING btree (x)"], []),
    ("CREATE UNIQUE INDEX CONCURRENTLY ic ON t (x, v) WHERE x > 0", ["CREATE UNIQUE INDEX ic ON public.t USING btree (x, v) WHERE (x > 0)"], []),
    ("ALTER TABLE t ADD CONSTRAINT u UNIQUE (v)", ["ALTER TABLE public.t ADD CONSTRAINT u UNIQUE (v)"], []),
    ("ALTER TABLE t ADD CONSTRAINT k CHECK (x > 0), ALTER x SET DEFAULT 5", ["ALTER TABLE public.t ADD CONSTRAINT k CHECK ((x > 0))", "ALTER TABLE public.t ALTER COLUMN x SET DEFAULT 5, DROP NOT NULL"], []),
    ("ALTER TABLE t ADD FOREIGN KEY (x) REFERENCES parent ON DELETE CASCADE", ["ALTER TABLE public.t ADD CONSTRAINT t_x_fkey FOREIGN KEY (x) REFERENCES public.parent(id) ON DELETE CASCADE"], []),
    ("ALTER TABLE t ADD FOREIGN KEY (x) REFERENCES other.o", [], ["ALTER TABLE public.t ADD CONSTRAINT t_x_fkey1 FOREIGN KEY (x) REFERENCES other.o(id): it refers to a table that is not selected"]),
    ("ALTER TABLE t ALTER x DROP DEFAULT, ALTER x SET NOT NULL", ["ALTER TABLE public.t ALTER COLUMN x DROP DEFAULT, SET NOT NULL"], []),
    ("COMMENT ON COLUMN t.x IS 'it''s'; COMMENT ON TABLE t IS NULL", ["COMMENT ON public.t.x", "COMMENT ON public.t"], []),
    ("ALTER TABLE t RENAME CONSTRAINT k TO k2", [], ["a new name: k2 on public.t (ALTER TABLE t RENAME CONSTRAINT k TO k2)"]),
    ("ALTER INDEX i RENAME TO i2", [], ["a new name: public.i2 (ALTER INDEX i RENAME TO i2)"]),
    ("DROP INDEX CONCURRENTLY ic", ["DROP INDEX public.ic"], []),
    ("ALTER TABLE t DROP CONSTRAINT u", ["ALTER TABLE public.t DROP CONSTRAINT u", "DROP INDEX public.u"], []),
    ("BEGIN; CREATE INDEX gone ON t (v); ROLLBACK", [], []),
    ("BEGIN; SAVEPOINT s; CREATE INDEX gone ON t (v); ROLLBACK TO s; SAVEPOINT s; CREATE INDEX stays ON t (v); RELEASE s; COMMIT", ["CREATE INDEX stays ON public.t USING btree (v)"], []),
    ("BEGIN; DROP INDEX stays; CREATE INDEX stays ON t (x, v); COMMIT", ["DROP INDEX public.stays", "CREATE INDEX stays ON public.t USING btree (x, v)"], []),
    ("DO $$BEGIN EXECUTE 'CREATE INDEX inside ON t USING hash (v)'; END$$", ["CREATE INDEX inside ON public.t USING hash (v)"], []),
    ("CREATE INDEX ON other.o (id); CREATE TABLE other.more (id int); CREATE TEMP TABLE tmp (id int); CREATE INDEX ON tmp (id); DROP TABLE tmp; DROP TABLE other.more; CREATE VIEW w AS SELECT 1", [], []),
    ("REINDEX TABLE t; ANALYZE t; GRANT SELECT ON t TO public; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'", [], []),
    ("SELECT pg_logical_emit_message(true, 'others', 'x'), pg_logical_emit_message(false, 'sluice.ddl', '{}')", [], []),
    ("VACUUM FULL t", [], []),
]


def run(d, text):
    """One message, or each statement by itself where transactions are not allowed."""
    with d.server.connect(d.db) as c:
        c.execute(text)


def test_what_is_told(d):
    """The server's own texts, in transactions with rows before and behind; what concerns no selected table, and what was rolled back, is not there."""
    d.sql(TABLES)
    position = d.ok("keep", ddl=True)
    assert [line["intend"] for line in position[:-1]] == ["event triggers", "publication", "slot"]
    start = position[-1]["position"]
    for i, (text, _, _) in enumerate(STEPS):
        d.sql("INSERT INTO parent VALUES (%s)", i)
        run(d, text)
    d.sql("INSERT INTO parent VALUES (1000)")
    run(d, "BEGIN; INSERT INTO parent VALUES (1001); CREATE INDEX last ON parent (id); INSERT INTO parent VALUES (1002); COMMIT")
    lines = d.ok("stream", **{"from": start, "until": d.ok("now")[0]["position"], "ddl": True, "alters": True})
    told, rows, step = {}, [], None
    for line in lines:
        if "ddl" in line:
            told.setdefault(step, []).append(line)
        elif line["changes"]:
            rows.append([c["after"][0] for c in line["changes"]])
            step = int(rows[-1][0])
    assert rows == [[str(i)] for i in range(len(STEPS))] + [["1000"], ["1001", "1002"]]
    for i, (text, changes, notes) in enumerate(STEPS):
        first = told.get(i, [{"ddl": [], "notes": [], "over": False}])
        assert [c[2] for line in first if not line["over"] for c in line["ddl"]] == changes, text
        assert [n for line in first for n in line["notes"]] == notes, text
        assert [line["over"] for line in first] in ([False], [False, True] * (len(first) // 2)), text
    assert [line["over"] for line in told[1000]] == [False] and [line["over"] for line in told[1001]] == [True]  # around the rows
    assert d.ok("stream", **{"from": start, "until": d.ok("now")[0]["position"]})[-1]["heartbeat"] in (True, False)  # a job that was not asked is told nothing


# What stops the job: the transaction, and what the error names.
STOPS = [
    ("CREATE TABLE n (id int)", "the table public.n, which DbList selects, came to the source"),
    ("CREATE TABLE n AS SELECT 1 AS a", "the table public.n"),
    ("SELECT 1 AS a INTO n", "the table public.n"),
    ("ALTER TABLE other.o SET SCHEMA public", "the table public.o"),
    ("ALTER TABLE t RENAME TO n", "the table public.n"),
    ("ALTER TABLE t ALTER x TYPE bigint USING x * 2", "the values of x in all rows of public.t by its USING"),
    ("DO $$BEGIN ALTER TABLE t ALTER x TYPE bigint USING x * 2; END$$", "the values of x in all rows of public.t"),
    ("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'ALTER TABLE t ALTER x TYPE bigint USING x * 2'; SELECT f()", "the values of x in all rows of public.t"),
    ("ALTER TABLE p ALTER x TYPE bigint USING x + 1", "the values of x in all rows of public.p"),
    ("CREATE TABLE other.q (LIKE p); INSERT INTO other.q VALUES (-1); ALTER TABLE p DETACH PARTITION p1; ALTER TABLE p ATTACH PARTITION other.q FOR VALUES FROM (-9) TO (0)",
     "the table other.q was attached as a partition of public.p"),
    ("BEGIN; CREATE TABLE other.q (LIKE p); SAVEPOINT s; INSERT INTO other.q VALUES (-1); RELEASE s; DO $$BEGIN ALTER TABLE p ATTACH PARTITION other.q FOR VALUES FROM (-9) TO (0); END$$; COMMIT",
     "the table other.q was attached as a partition of public.p"),
    ("ALTER TABLE t ADD y bigserial", "column y of public.t"),
    ("BEGIN; INSERT INTO t VALUES (1); ALTER TABLE t ADD y int; CREATE INDEX iy ON t (y); COMMIT", "the index iy of public.t was made at the source over the column y"),
]


def lines_after(d, text):
    """All lines of a stream that stood before the statements when they came."""
    d.sql(TABLES + "; CREATE TABLE p (id int PRIMARY KEY, x int) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p DEFAULT")
    start = d.ok("keep", ddl=True)[-1]["position"]
    d.sql("INSERT INTO parent VALUES (1)")
    with subprocess.Popen([str(DRIVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        late = threading.Timer(120, process.kill)
        late.start()
        process.stdin.write(d.request("stream", **{"from": start, "ddl": True, "alters": True}))
        process.stdin.close()
        assert json.loads(process.stdout.readline())["changes"]
        run(d, text)
        lines = [line for line in map(json.loads, process.stdout) if not line.get("heartbeat")]
        late.cancel()
    return lines


@pytest.mark.parametrize("text, word", STOPS)
def test_what_stops_the_job(d15, text, word):
    lines = lines_after(d15, text)  # noqa: F811
    assert len(lines) == 1 and lines[0]["code"] == "SourceSchemaChanged" and word in lines[0]["text"], lines


def test_a_table_that_came_while_the_job_stood_still(d15):
    """The catalog has it when the stream begins."""
    d = d15  # noqa: F811
    d.sql(TABLES)
    start = d.ok("keep", ddl=True)[-1]["position"]
    run(d, "CREATE TABLE n (id int)")
    run(d, "ALTER TABLE other.o SET SCHEMA public")
    last = d.run("stream", **{"from": start, "until": d.ok("now")[0]["position"], "ddl": True, "alters": True})[1]
    assert last["code"] == "SourceSchemaChanged" and "the table public.n" in last["text"], last
    d.sql("DROP TABLE n")
    last = d.run("stream", **{"from": start, "until": d.ok("now")[0]["position"], "ddl": True, "alters": True})[1]
    assert last["code"] == "SourceSchemaChanged" and "public.n" in last["text"], last


def test_widening_without_using_goes_on(d15):
    """The new columns come before the transaction; what was made over them is behind it, and so with the stream that follows."""
    lines = lines_after(d15, "ALTER TABLE t ALTER x TYPE bigint; CREATE INDEX using_type ON t USING btree (x)")  # noqa: F811
    assert lines[0] == {"alter": "t", "columns": [["type", "x", "", "bigint", None]]} and lines[1]["code"] == "SourceSchemaChanged" and len(lines) == 2, lines


def test_users_never_fail(d15):
    """Whoever changes definitions, and whatever is wrong with the function: the user's command succeeds, and the job learns that it was not told."""
    d = d15  # noqa: F811
    d.sql(TABLES)
    d.sql("CREATE ROLE ddl_user; GRANT CREATE ON SCHEMA public TO ddl_user; ALTER TABLE t OWNER TO ddl_user")
    try:
        start = d.ok("keep", ddl=True)[-1]["position"]
        run(d, "SET ROLE ddl_user; CREATE INDEX mine ON public.t (x)")
        lines = d.ok("stream", **{"from": start, "until": d.ok("now")[0]["position"], "ddl": True})
        assert [c[1] for line in lines if line.get("over") for c in line["ddl"]] == ["mine"]
        d.sql("DROP TABLE sluice_ddl.job; CREATE TABLE sluice_ddl.job AS SELECT 'x' AS job_id; CREATE FUNCTION sluice_ddl.raises() RETURNS int LANGUAGE plpgsql AS "
              "$$BEGIN RAISE EXCEPTION 'broken'; END$$; DROP TABLE sluice_ddl.job; CREATE VIEW sluice_ddl.job AS SELECT sluice_ddl.raises() AS job_id")
        run(d, "CREATE INDEX broken ON public.t (x)")
        last = d.run("stream", **{"from": start, "until": d.ok("now")[0]["position"], "ddl": True})[1]
        assert last["code"] == "SourceSchemaChanged" and "could not tell what" in last["text"] and "broken" in last["text"], last
    finally:
        d.sql("DROP SCHEMA IF EXISTS sluice_ddl CASCADE; DROP OWNED BY ddl_user; DROP ROLE ddl_user")
