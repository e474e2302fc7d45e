"""Checkpoint, chunks and loader of the PostgreSQL target against real servers."""

import pytest
from pg_target import ABSENT, CLAIM, TYPES_SQL, UNCHANGED, assert_types, column, open_database, table, types_table  # noqa: F401

SIMPLE = table("t", ["id:int", "v:text"], key=["id"])


def chunks(*numbers, table=0, **more):
    return {"op": "store", "table": table, "chunks": [{"number": n, "low": "", "high": "", **more} for n in numbers]}


def load(rows, number=0, table=0, **more):
    return {"op": "load", "table": table, "number": number, "rows": rows, **more}


# ---- checkpoint ----

@pytest.mark.parametrize("version", [15, 17, 18])
def test_claim_save_read_remove(open_database, request, version):
    db = open_database(server=request.getfixturevalue(f"postgresql_{version}"))
    answer = db.drive(CLAIM, {"op": "save", "phase": "full", "position": "p'1"}, {"op": "read"}, {"op": "claim", "epoch": 5}, {"op": "server"}, {"op": "read"},
                      {"op": "remove"}, {"op": "remove"}, {"op": "read"})
    assert answer["ok"], answer["text"]
    steps = answer["results"]
    assert steps[0]["checkpoint"] == {"exists": True, "epoch": 1, "position": "", "commit": 0, "txns": 0, "rows": 0, "phase": ""}
    assert steps[2]["checkpoint"] == {"exists": True, "epoch": 1, "position": "p'1", "commit": 7, "txns": 0, "rows": 0, "phase": "full"}
    assert steps[3]["checkpoint"]["epoch"] == 5 and steps[3]["checkpoint"]["position"] == "p'1"
    server = steps[4]["server"]
    assert server["product"] == "PostgreSQL" and server["number"] // 10000 == version and server["may_replicate"]
    assert steps[6]["removed"] == "1 rows of sluice.checkpoint\ntable sluice.chunk\ntable sluice.checkpoint\nschema sluice\n"
    assert steps[7]["removed"] == "" and not steps[8]["checkpoint"]["exists"]
    assert db.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'sluice'") == [(0,)]
    assert [(o["kind"], o["name"], o["created"], o["shared"]) for o in answer["ledger"]] == [
        ("schema", "sluice", True, True), ("table", "sluice.checkpoint", True, True), ("table", "sluice.chunk", True, True),
        ("rows", "sluice.checkpoint", True, False)]


def test_undo_of_the_ledger_removes_everything(open_database):
    db = open_database()
    answer = db.drive(CLAIM, job="it's")
    for entry in reversed(answer["ledger"]):
        db.sql(entry["undo"])  # as it stands: tables that claiming does not make are passed over
    assert db.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'sluice'") == [(0,)]


def test_older_epoch_is_fenced_everywhere(open_database):
    db = open_database(SIMPLE)
    db.sql("CREATE TABLE app.t (id int PRIMARY KEY, v text)")
    db.fine(CLAIM, chunks(0, 1), epoch=3)
    db.fine({"op": "claim", "epoch": 4})
    for step in (CLAIM, {"op": "save", "position": "x"}, chunks(7), load([[1, "a"]]), {"op": "unload", "number": 0}):
        result = db.fails(step, epoch=3)
        assert result["code"] == "WorkerFenced" and "epoch 4" in result["text"], step
    assert db.rows("t") == [] and db.sql("SELECT count(*) FROM sluice.chunk WHERE done OR number = 7") == [(0,)]


def test_missing_row_is_named(open_database):
    db = open_database(SIMPLE)
    db.sql("CREATE TABLE app.t (id int PRIMARY KEY, v text)")
    db.fine(CLAIM, chunks(0))
    assert db.fails(load([[1, "a"]], number=8))["code"] == "CheckpointMissing"
    db.sql("DELETE FROM sluice.checkpoint")
    assert db.fails({"op": "save"})["code"] == "CheckpointMissing"
    assert db.fails(load([[1, "a"]]))["code"] == "CheckpointMissing"
    assert db.rows("t") == []


def test_foreign_objects_in_the_schema_stay(open_database):
    db = open_database()
    db.sql("CREATE SCHEMA sluice; CREATE TABLE sluice.chunk (a int)")
    result = db.fails(CLAIM)
    assert result["code"] == "DestinationObjectExists" and "sluice.chunk" in result["text"]
    db.sql("DROP TABLE sluice.chunk")
    assert db.fine(CLAIM, {"op": "remove"})[1]["removed"].endswith("schema sluice kept: it was there before the task\n")
    db.sql("DROP SCHEMA sluice")
    db.fine(CLAIM)
    db.sql("CREATE FUNCTION sluice.f() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    removed = db.fine({"op": "remove"})[0]["removed"]
    assert removed.endswith("schema sluice kept: objects that are not Sluice's depend on it\n")
    assert db.sql("SELECT sluice.f()") == [(1,)] and db.sql("SELECT to_regclass('sluice.checkpoint')") == [(None,)]


def test_two_jobs_share_the_tables(open_database):
    db = open_database()
    db.fine(CLAIM, job="a")
    db.fine(CLAIM, job="b")
    assert db.fine({"op": "remove"}, job="a")[0]["removed"] == "1 rows of sluice.checkpoint\n"
    assert db.fine({"op": "read"}, job="b")[0]["checkpoint"]["exists"]
    assert "schema sluice\n" in db.fine({"op": "remove"}, job="b")[0]["removed"]


def test_a_role_with_rights_on_the_tables_alone(open_database):
    """The schema and the tables of an administrator: neither made again nor dropped."""
    db = open_database()
    db.fine(CLAIM, job="other")
    db.login("writer", "GRANT USAGE ON SCHEMA sluice TO {user}", "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA sluice TO {user}")
    assert db.fine(CLAIM, {"op": "server"})[1]["server"]["may_replicate"] is False
    db.sql("DELETE FROM sluice.checkpoint WHERE job_id = 'other'")
    removed = db.fine({"op": "remove"})[0]["removed"]
    assert "table sluice.chunk kept: another role owns it" in removed and "schema sluice kept" in removed
    db.sql("DROP SCHEMA sluice CASCADE")


def test_lock_of_another_job_is_waited_for_and_named(open_database):
    db = open_database()
    with db.server.connect(db.name) as other:
        other.execute("SELECT pg_advisory_lock(126909663503205)")
        result = db.fails(CLAIM)
    assert result["code"] == "DestinationBusy" and result["retry"] == 3 and "126909663503205" in result["text"]


def test_sessions_do_not_lie_about_commits(open_database):
    db = open_database(SIMPLE)
    db.sql("CREATE TABLE app.t (id int PRIMARY KEY, v text)")
    db.sql("CREATE TABLE app.seen (setting text, value text)")
    db.sql("CREATE FUNCTION app.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.seen SELECT name, setting FROM pg_settings WHERE name IN "
           "('synchronous_commit', 'transaction_isolation', 'session_replication_role', 'jit'); RETURN NEW; END $$")
    db.sql("CREATE TRIGGER look AFTER INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.look(); ALTER TABLE app.t ENABLE ALWAYS TRIGGER look")
    db.server.sql(f"ALTER DATABASE {db.name} SET synchronous_commit = off")
    db.server.sql(f"ALTER DATABASE {db.name} SET default_transaction_isolation = serializable")
    db.fine(CLAIM, chunks(0), load([[1, "a"]]))
    assert dict(db.sql("SELECT * FROM app.seen")) == {"synchronous_commit": "on", "transaction_isolation": "read committed",
                                                     "session_replication_role": "replica", "jit": "off"}


# ---- chunks ----

def test_chunks_keep_any_bytes(open_database):
    db = open_database(SIMPLE)
    many = [{"number": n, "low": "\x00é'\\" + "x" * n, "high": "", "rows": n} for n in range(2500)]
    db.fine(CLAIM, {"op": "store", "chunks": many})
    read = db.fine({"op": "chunks"})[0]["chunks"]
    assert [bytes.fromhex(c["low_hex"]).decode() for c in read] == [c["low"] for c in many]
    assert all(not c["done"] and c["rows"] == c["number"] and c["high_hex"] == "" for c in read)


# ---- load ----

@pytest.mark.parametrize("version", [15, 18])
@pytest.mark.parametrize("overlap", [False, True])
def test_every_type(open_database, request, version, overlap):
    one, sql, rows = types_table()
    db = open_database(one, server=request.getfixturevalue(f"postgresql_{version}"))
    db.sql(TYPES_SQL)
    db.sql(sql)
    if overlap:  # through the temporary table
        db.sql("CREATE UNIQUE INDEX ON app.types (c_b)")
    result = db.fine(CLAIM, chunks(0), load(rows, overlap=overlap, batch_rows=3))[2]
    assert result["rows"] == len(rows)
    assert_types(db, "types", rows)


def test_mapping_subset_and_identity(open_database):
    one = table("t", [column("id", "int", target="Key \"x\""), column("gone", "int", selected=False), column("made", "int", generated=True),
                      column("v", "text", target="va,lue")], key=["id"], target_schema="App's", target_name="T.t")
    db = open_database(one)
    db.sql('CREATE SCHEMA "App\'s"; CREATE TABLE "App\'s"."T.t" ("Key ""x""" int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, gone int DEFAULT 9 NOT NULL, '
           'made int GENERATED ALWAYS AS ("Key ""x""" * 2) STORED, "va,lue" text)')
    db.fine(CLAIM, chunks(0, 1), load([[7, ABSENT, ABSENT, "a"]]), load([[7, ABSENT, ABSENT, "z"], [8, ABSENT, ABSENT, "b"]], number=1, ignore_existing=True))
    assert db.sql('SELECT * FROM "App\'s"."T.t" ORDER BY 1') == [(7, 9, 14, "a"), (8, 9, 16, "b")]


def test_chunk_is_loaded_once(open_database):
    db = open_database(SIMPLE)
    db.sql("CREATE TABLE app.t (id int PRIMARY KEY, v text)")
    steps = db.fine(CLAIM, chunks(0, 1), load([[1, "a"], [2, "b"]], position="p'9"), load([[1, "a"], [2, "b"]]), load([], number=1), {"op": "chunks"})
    assert steps[2]["rows"] == 2 and steps[3]["rows"] == 2 and steps[3]["fed"] == 0 and steps[4]["rows"] == 0
    assert [(c["done"], c["position"], c["rows"], c["commit"]) for c in steps[5]["chunks"]] == [(True, "p'9", 2, 5), (True, "p1", 0, 5)]
    assert db.rows("t") == ["(1,a)", "(2,b)"]


def test_partitioned_table(open_database):
    db = open_database(SIMPLE)
    db.sql("CREATE TABLE app.t (id int PRIMARY KEY, v text) PARTITION BY LIST (id); CREATE TABLE app.t1 PARTITION OF app.t FOR VALUES IN (1); "
           "CREATE TABLE app.t2 PARTITION OF app.t FOR VALUES IN (2)")
    db.fine(CLAIM, chunks(0, 1), load([[1, "a"]]), load([[1, "x"], [2, "b"]], number=1, ignore_existing=True))
    assert db.rows("t") == ["(1,a)", "(2,b)"]
    db.fine({"op": "unload", "number": 0})
    assert db.rows("t") == ["(2,b)"]
    result = db.fails(load([[3, "c"]], number=0))
    assert "23514" in result["text"] and "row 1 of the chunk (id=3)" in result["text"] and "(3, c)" not in result["text"]


def test_triggers_and_foreign_keys_stay_silent_when_the_role_may(open_database):
    db = open_database(SIMPLE)
    db.sql("CREATE TABLE app.p (id int PRIMARY KEY); CREATE TABLE app.t (id int PRIMARY KEY REFERENCES app.p, v text)")
    db.sql("CREATE FUNCTION app.f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; "
           "CREATE TRIGGER f BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.f()")
    db.fine(CLAIM, chunks(0, 1), load([[1, "a"]]))
    assert db.rows("t") == ["(1,a)"]
    db.sql("ALTER TABLE app.t ENABLE ALWAYS TRIGGER f")
    result = db.fails(load([[2, "a"], [3, "b"]], number=1))
    assert result["code"] == "DestinationQueryFailed" and "took 0 of 2 rows" in result["text"] and "trigger" in result["text"]
    db.login("plain", "GRANT USAGE ON SCHEMA app TO {user}", "GRANT ALL ON ALL TABLES IN SCHEMA app TO {user}", "GRANT USAGE ON SCHEMA sluice TO {user}",
             "GRANT ALL ON ALL TABLES IN SCHEMA sluice TO {user}", "ALTER TABLE app.t DISABLE TRIGGER f")
    result = db.fails(load([[2, "a"]], number=1))
    assert "23503" in result["text"] and "Key (id)=(2)" in result["text"]
    db.sql("INSERT INTO app.p VALUES (2)")
    db.fine(load([[2, "a"]], number=1))
    db.sql(f"DROP OWNED BY {db.user}")


# ---- duplicates ----

def test_duplicate_is_a_conflict_that_names_the_row(open_database):
    db = open_database(SIMPLE)
    db.sql("CREATE TABLE app.t (id int PRIMARY KEY, v text); INSERT INTO app.t VALUES (3, 'old')")
    result = db.fails(CLAIM, chunks(0), load([[1, "a"], [2, "b"], [3, "c"]], batch_rows=1))
    assert result["code"] == "DestinationObjectExists" and result["retry"] == 0
    assert "loading chunk 0 of app.t: row 3 of the chunk (id=3)" in result["text"] and "Key (id)=(3) already exists" in result["text"]
    assert db.rows("t") == ["(3,old)"]


def test_ignore_existing_keeps_what_is_there(open_database):
    one = table("t", ["id:int", "u:int", "v:text"], key=["id"], unique=[["u"]])
    db = open_database(one)
    db.sql("CREATE TABLE app.t (id int PRIMARY KEY, u int UNIQUE, v text); INSERT INTO app.t VALUES (1, 1, 'old'), (9, 3, 'old')")
    result = db.fine(CLAIM, chunks(0), load([[1, 7, "new"], [2, 2, "new"], [3, 3, "new"]], ignore_existing=True))[2]
    assert result["rows"] == 1 and db.rows("t") == ["(1,1,old)", "(2,2,new)", "(9,3,old)"]


def test_ignore_existing_with_a_constraint_that_is_checked_later(open_database):
    one = table("t", ["id:int", "u:int"], key=["id"])
    db = open_database(one)
    db.sql("CREATE TABLE app.t (id int PRIMARY KEY, u int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO app.t VALUES (1, 1)")
    assert db.fine(CLAIM, chunks(0, 1), load([[1, 7], [2, 2]], ignore_existing=True))[2]["rows"] == 1
    result = db.fails(load([[3, 2]], number=1))
    assert "23505" in result["text"] and "(u)=(2)" in result["text"] and db.rows("t") == ["(1,1)", "(2,2)"]


@pytest.mark.parametrize("index", ["(u)", "(lower(u), w)", "(u) WHERE w > 0", "((u || 'x'::text)) WHERE app.yes(w)"])
def test_overlap_replaces_rows_that_meet_in_another_unique_key(open_database, index):
    """Two chunks of different positions: the later one's row takes the value."""
    one = table("t", ["id:int", "u:text", "w:int"], key=["id"])
    db = open_database(one)
    db.sql("CREATE FUNCTION app.yes(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0'")
    db.sql(f"CREATE TABLE app.t (id int PRIMARY KEY, u text, w int, other int DEFAULT 5); CREATE UNIQUE INDEX ON app.t {index}")
    db.fine(CLAIM, chunks(0, 1), load([[1, "a", 1], [2, "b", 1], [3, None, 1], [4, "d", None]], overlap=True),
            load([[11, "a", 1], [13, None, 1], [14, "e", None]], number=1, overlap=True))
    assert db.rows("t") == ["(2,b,1,5)", "(3,,1,5)", "(4,d,,5)", "(11,a,1,5)", "(13,,1,5)", "(14,e,,5)"]


def test_overlap_with_an_exclusion_constraint(open_database):
    one = table("t", ["id:int", "r"], key=["id"])
    db = open_database(one)
    db.sql("CREATE TABLE app.t (id int PRIMARY KEY, r int4range, EXCLUDE USING gist (r WITH &&))")
    db.fine(CLAIM, chunks(0, 1), load([[1, "[1,5)"], [2, "[5,9)"]], overlap=True), load([[3, "[4,6)"]], number=1, overlap=True))
    assert db.rows("t") == ['(3,"[4,6)")']


def test_operators_of_extensions_are_found_without_a_search_path(open_database):
    one = table("t", ["id:int", "u:text"], key=["id"])
    db = open_database(one)
    db.sql("CREATE SCHEMA ext")
    try:
        db.sql("CREATE EXTENSION citext SCHEMA ext")
    except Exception as error:  # the server comes without contrib modules
        assert "is not available" in str(error)
        pytest.skip(str(error))
    db.sql("CREATE TABLE app.t (id int PRIMARY KEY, u ext.citext UNIQUE)")
    db.fine(CLAIM, chunks(0, 1), load([[1, "A"], [2, "B"]], overlap=True), load([[3, "a"]], number=1, overlap=True))
    assert db.rows("t") == ["(2,B)", "(3,a)"]


# ---- errors ----

@pytest.mark.parametrize("row, wanted", [
    (["x", "a"], ["22P02", 'row 2 of the chunk (id=x), column id', 'invalid input syntax for type integer: "x"']),
    ([2, {"hex": "ff"}], ["22021", "row 2 of the chunk (id=2)"]), ([2, {"hex": "6100"}], ["22021", "row 2 of the chunk (id=2)", "0x00"]),
    ([2, "toolong"], ["22001", "row 2 of the chunk (id=2), column v"]), ([2, None], ["23502", "row 2 of the chunk (id=2)", 'column "v"']),
    ([None, "a"], ["23502", "row 2 of the chunk (id=\\N)"]), ([2, UNCHANGED], ["InternalError", "column v has the kind 2"])])
def test_a_refused_row_is_named(open_database, row, wanted):
    db = open_database(SIMPLE)
    db.sql("CREATE TABLE app.t (id int PRIMARY KEY, v varchar(5) NOT NULL)")
    result = db.fails(CLAIM, chunks(0), load([[1, "a"], row, [3, "b"]]))
    for text in wanted:
        assert text in result["text"] or text == result["code"]
    assert db.rows("t") == []
    assert "toolong" not in result["text"] and "Failing row" not in result["text"]
    db.fine(load([[1, "a"]]))


def test_missing_table_and_column_are_named(open_database):
    db = open_database(SIMPLE)
    assert "no table app.t" in db.fails(CLAIM, chunks(0), load([[1, "a"]]))["text"]
    db.sql("CREATE TABLE app.t (id int)")
    assert "table app.t of the destination lacks the column v" in db.fails(load([[1, "a"]]))["text"]
    db.sql("DROP TABLE app.t; CREATE VIEW app.t AS SELECT 1 AS id, 'a' AS v")
    assert "no table app.t" in db.fails(load([[1, "a"]]))["text"]


def test_the_feeds_error_is_passed_on_and_nothing_stays(open_database):
    db = open_database(SIMPLE)
    db.sql("CREATE TABLE app.t (id int PRIMARY KEY, v text)")
    result = db.fails(CLAIM, chunks(0), load([[i, "x"] for i in range(5000)], batch_rows=100, fail_after=3000))
    assert result["code"] == "SourceConnectFailed" and "the test's feed ends here" in result["text"]
    assert db.rows("t") == [] and not db.fine({"op": "chunks"})[0]["chunks"][0]["done"]


# ---- taking back ----

def test_unload_takes_the_chunks_own_rows(open_database):
    db = open_database(SIMPLE)
    db.sql("CREATE TABLE app.t (id int PRIMARY KEY, v text); CREATE TABLE app.c (t int REFERENCES app.t ON DELETE CASCADE)")
    db.fine(CLAIM, chunks(0, 1, 2), load([[1, "a"], [2, "b"]]), load([[3, "c"]], number=1))
    db.sql("INSERT INTO app.t VALUES (9, 'mine'); INSERT INTO app.c VALUES (1)")
    db.sql("VACUUM (FREEZE) app.t")
    steps = db.fine({"op": "unload", "number": 0}, {"op": "unload", "number": 0}, {"op": "unload", "number": 2}, {"op": "chunks"})
    assert [(c["done"], c["position"]) for c in steps[3]["chunks"]] == [(False, ""), (True, "p1"), (False, "")]
    assert db.rows("t") == ["(3,c)", "(9,mine)"] and db.rows("c") == ["(1)"]
    assert db.fine(load([[1, "a"], [2, "b2"]]))[0]["rows"] == 2


def test_unload_leaves_everything_when_a_row_was_touched(open_database):
    db = open_database(SIMPLE)
    db.sql("CREATE TABLE app.t (id int PRIMARY KEY, v text)")
    db.fine(CLAIM, chunks(0), load([[1, "a"], [2, "b"]]))
    db.sql("UPDATE app.t SET v = 'z' WHERE id = 2")
    result = db.fails({"op": "unload", "number": 0})
    assert result["code"] == "DestinationDiverged" and "taking back chunk 0 of app.t" in result["text"] and "of the 2 rows that were loaded 1" in result["text"]
    assert db.rows("t") == ["(1,a)", "(2,z)"] and db.fine({"op": "chunks"})[0]["chunks"][0]["done"]
