-- Large transactions that are sent while they run, two at a time, with subtransactions that are rolled back.
-- option: logical_decoding_work_mem=64kB
-- option: debug_logical_replication_streaming=immediate since=17
-- stream: p2 proto_version=2 streaming=on
-- stream: p4 proto_version=4 streaming=parallel since=16
CREATE TABLE t (id integer PRIMARY KEY, v text);
CREATE TYPE mood AS ENUM ('a', 'b');
CREATE TABLE m (id integer, mood mood);
CREATE TABLE n (id integer, mood mood);
-- slots
-- session a
BEGIN;
INSERT INTO t SELECT i, 'a' || i FROM generate_series(1, :rows) i;
SELECT pg_logical_emit_message(true, 'in', 'stream');
SAVEPOINT one;
INSERT INTO t SELECT i, 'one' || i FROM generate_series(1001, 1000 + :rows) i;
INSERT INTO m VALUES (1, 'a');
-- session b
BEGIN;
INSERT INTO t SELECT i, 'b' || i FROM generate_series(2001, 2000 + :rows * 3 / 2) i;
-- settle
-- session a
ROLLBACK TO one;
INSERT INTO t SELECT i, 'again' || i FROM generate_series(1001, 1000 + :rows) i;
SAVEPOINT two;
UPDATE t SET id = id + 10000, v = 'two' WHERE id < 20;
DELETE FROM t WHERE id BETWEEN 20 AND 30;
INSERT INTO m VALUES (2, 'b');
SAVEPOINT three;
INSERT INTO m VALUES (3, NULL);
INSERT INTO t SELECT i, 'three' || i FROM generate_series(3001, 3000 + :rows) i;
-- settle
-- session a
ROLLBACK TO three;
-- session b
ALTER TABLE n ADD COLUMN n integer;
INSERT INTO n VALUES (4, 'a', 4);
TRUNCATE n;
INSERT INTO t SELECT i, 'b' || i FROM generate_series(4001, 4000 + :rows) i;
COMMIT;
-- session a
RELEASE two;
COMMIT;
-- session b
BEGIN;
INSERT INTO t SELECT i, 'never' || i FROM generate_series(5001, 5000 + :rows * 3 / 2) i;
-- settle
-- session b
ROLLBACK;
INSERT INTO t VALUES (6000, 'small');
-- expect
SELECT concat_ws(' ', 'NAMED', 'mood'::regtype::oid, 'public mood');
