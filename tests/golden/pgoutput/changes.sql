-- One of each change, in transactions that are sent at their commit.
-- stream: p1 proto_version=1
-- stream: p2 proto_version=2 streaming=on
-- stream: p4 proto_version=4 streaming=parallel origin=any since=16
-- option: track_commit_timestamp=on
CREATE SCHEMA s;
CREATE TYPE s.mood AS ENUM ('sad', 'it''s ok');
CREATE DOMAIN s.positive AS integer CHECK (value > 0);
CREATE TYPE s.pair AS (a integer, b text);
CREATE TABLE t (id integer PRIMARY KEY, v text);
CREATE TABLE s."Odd ""Name""" ("Key" integer PRIMARY KEY, "a b" varchar(20), m s.mood, p s.positive, c s.pair, moods s.mood[]);
CREATE TABLE no_key (a integer, b text);
CREATE TABLE full_id (a integer, b text, big text);
ALTER TABLE full_id REPLICA IDENTITY FULL;
CREATE TABLE index_id (a integer NOT NULL, b text NOT NULL, c integer, UNIQUE (b));
ALTER TABLE index_id REPLICA IDENTITY USING INDEX index_id_b_key;
CREATE TABLE nothing_id (a integer PRIMARY KEY);
ALTER TABLE nothing_id REPLICA IDENTITY NOTHING;
CREATE TABLE two_keys (a integer, b text, c text, PRIMARY KEY (b, a));
CREATE TABLE big (id integer PRIMARY KEY, n integer, v text);
ALTER TABLE big ALTER v SET STORAGE EXTERNAL;
ALTER TABLE full_id ALTER big SET STORAGE EXTERNAL;
CREATE TABLE no_columns ();
CREATE TABLE part (id integer, region text, v text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE part_eu PARTITION OF part FOR VALUES IN ('eu');
CREATE TABLE part_us PARTITION OF part FOR VALUES IN ('us');
CREATE TABLE parent (id serial PRIMARY KEY, v text);
CREATE TABLE child (id integer PRIMARY KEY REFERENCES parent);
CREATE TABLE generated (id integer PRIMARY KEY, generated_sum integer GENERATED ALWAYS AS (id + 1) STORED, v text);
SELECT pg_replication_origin_create('elsewhere');
-- slots
INSERT INTO t VALUES (1, 'one'), (2, NULL), (3, ''), (4, E'quote '' backslash \\ tab \t line\nend'), (5, 'äöü€😀');
BEGIN;
UPDATE t SET v = 'uno' WHERE id = 1;
UPDATE t SET id = 20 WHERE id = 2;
UPDATE t SET v = NULL WHERE id = 3;
DELETE FROM t WHERE id = 4;
COMMIT;
INSERT INTO s."Odd ""Name""" VALUES (1, 'x', 'sad', 5, ROW(1, 'a "b"'), ARRAY['it''s ok', 'sad']::s.mood[]), (-2147483648, NULL, NULL, NULL, NULL, NULL);
UPDATE s."Odd ""Name""" SET "Key" = 2, "a b" = 'y' WHERE "Key" = 1;
INSERT INTO no_key VALUES (1, 'a'), (NULL, NULL);
INSERT INTO full_id VALUES (1, 'a', repeat('L', 3000)), (NULL, NULL, NULL);
UPDATE full_id SET b = 'b' WHERE a = 1;
UPDATE full_id SET b = 'c' WHERE a IS NULL;
DELETE FROM full_id WHERE a = 1;
DELETE FROM full_id;
INSERT INTO index_id VALUES (1, 'k', 3);
UPDATE index_id SET c = 4;
UPDATE index_id SET b = 'l';
DELETE FROM index_id;
INSERT INTO nothing_id VALUES (7);
INSERT INTO two_keys VALUES (1, 'b', 'c');
UPDATE two_keys SET a = 2;
DELETE FROM two_keys;
INSERT INTO big VALUES (1, 1, repeat('B', 3000)), (2, 1, 'small');
UPDATE big SET n = 2;
UPDATE big SET v = repeat('C', 2500) WHERE id = 1;
DELETE FROM big;
INSERT INTO no_columns DEFAULT VALUES;
INSERT INTO part VALUES (1, 'eu', 'a'), (2, 'us', 'b');
UPDATE part SET region = 'us' WHERE id = 1;
DELETE FROM part WHERE id = 2;
INSERT INTO generated (id, v) VALUES (1, 'g');
INSERT INTO parent (v) VALUES ('p');
INSERT INTO child VALUES (1);
TRUNCATE no_key;
TRUNCATE t, full_id RESTART IDENTITY;
TRUNCATE parent RESTART IDENTITY CASCADE;
TRUNCATE part_us;
SELECT pg_logical_emit_message(true, 'mark', 'within a transaction');
SELECT pg_logical_emit_message(false, 'beat', 'by itself');
SELECT pg_logical_emit_message(false, '', '');
BEGIN;
INSERT INTO t VALUES (100, 'before');
SELECT pg_logical_emit_message(true, 'mark', 'between');
SAVEPOINT a;
INSERT INTO t VALUES (101, 'rolled back');
ROLLBACK TO a;
INSERT INTO t VALUES (102, 'after');
COMMIT;
BEGIN;
INSERT INTO t VALUES (103, 'never');
ROLLBACK;
BEGIN;
INSERT INTO t VALUES (200, 'old columns');
ALTER TABLE t ADD COLUMN w numeric(10,2) DEFAULT 1.50;
INSERT INTO t VALUES (201, 'new column', 2.25);
ALTER TABLE t DROP COLUMN v;
INSERT INTO t VALUES (202, 3);
ALTER TABLE t ALTER w TYPE varchar(30);
INSERT INTO t VALUES (203, 'text');
ALTER TABLE t RENAME COLUMN w TO x;
ALTER TABLE t RENAME TO u;
INSERT INTO u VALUES (204, 'renamed');
COMMIT;
UPDATE u SET x = 'last' WHERE id = 204;
SELECT pg_replication_origin_session_setup('elsewhere');
BEGIN;
SELECT pg_replication_origin_xact_setup('16/B374D848', '2024-02-29 12:34:56.789012+00');
INSERT INTO u VALUES (300, 'from elsewhere');
COMMIT;
SELECT pg_replication_origin_session_reset();
INSERT INTO u VALUES (301, 'from here');
-- expect
SELECT concat_ws(' ', 'RELATION', c.oid, n.nspname, replace(c.relname, ' ', '_'), c.relreplident, (
    SELECT string_agg(concat_ws(':', replace(a.attname, ' ', '_'), a.atttypid, a.atttypmod,
                                CASE WHEN c.relreplident = 'f' OR a.attnum = ANY (i.indkey) THEN 'key' END), ',' ORDER BY a.attnum)
    FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_index i ON i.indrelid = c.oid AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
WHERE c.relkind = 'r' AND n.nspname IN ('public', 's') ORDER BY c.oid;
SELECT concat_ws(' ', 'NAMED', t.oid, n.nspname, b.typname)
FROM pg_type t JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END JOIN pg_namespace n ON n.oid = b.typnamespace
WHERE t.oid IN ('s.mood'::regtype, 's.positive'::regtype, 's.pair'::regtype, 's.mood[]'::regtype) ORDER BY t.oid;
SELECT 'ORIGIN elsewhere 16/B374D848';
