-- Prepared transactions, small ones and one that is sent while it runs.
-- option: logical_decoding_work_mem=64kB
-- option: debug_logical_replication_streaming=immediate since=17
-- stream: p3 proto_version=3 two_phase=on streaming=on
-- stream: p4 proto_version=4 two_phase=on streaming=parallel since=16
CREATE TABLE t (id integer PRIMARY KEY, v text);
-- slots
BEGIN;
INSERT INTO t VALUES (1, 'committed later');
PREPARE TRANSACTION 'gid one';
INSERT INTO t VALUES (2, 'between');
COMMIT PREPARED 'gid one';
BEGIN;
INSERT INTO t VALUES (3, 'rolled back later');
PREPARE TRANSACTION 'it''s two';
ROLLBACK PREPARED 'it''s two';
BEGIN;
INSERT INTO t SELECT i, 'large' || i FROM generate_series(1001, 1000 + :rows) i;
SAVEPOINT a;
INSERT INTO t SELECT i, 'gone' || i FROM generate_series(2001, 2000 + :rows) i;
-- settle
ROLLBACK TO a;
INSERT INTO t SELECT i, 'kept' || i FROM generate_series(3001, 3000 + :rows) i;
PREPARE TRANSACTION 'large';
-- settle
COMMIT PREPARED 'large';
BEGIN;
INSERT INTO t SELECT i, 'large' || i FROM generate_series(4001, 4000 + :rows) i;
PREPARE TRANSACTION 'large, rolled back';
-- settle
ROLLBACK PREPARED 'large, rolled back';
INSERT INTO t VALUES (9, 'end');
-- expect
