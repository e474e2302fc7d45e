-- Values of all types at their edges, as text and as the bytes of their send functions.
-- stream: p1 proto_version=1
-- stream: p1b proto_version=1 binary=true
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN positive AS integer CHECK (value > 0);
CREATE TYPE pair AS (a integer, b text);
CREATE TYPE spans AS RANGE (subtype = time);
CREATE TABLE numbers (id integer PRIMARY KEY, a smallint, b integer, c bigint, d numeric, e numeric(20,5), f real, g double precision, h money, i oid);
CREATE TABLE strings (id integer PRIMARY KEY, a "char", b char(5), c varchar(10), d text, e name, f bytea, g bit(3), h varbit, i uuid, j xml, k json, l jsonb, m tsvector, n tsquery);
CREATE TABLE times (id integer PRIMARY KEY, a date, b time, c timetz, d timestamp, e timestamptz, f interval, g timestamp(0), h time(3));
CREATE TABLE nets (id integer PRIMARY KEY, a inet, b cidr, c macaddr, d macaddr8, e pg_lsn, f boolean, g mood, h positive, i pair);
CREATE TABLE shapes (id integer PRIMARY KEY, a point, b line, c lseg, d box, e path, f polygon, g circle);
CREATE TABLE arrays (id integer PRIMARY KEY, a integer[], b text[], c timestamp[], d box[], e bytea[], f pair[], g numeric[], h boolean[]);
CREATE TABLE ranges (id integer PRIMARY KEY, a int4range, b numrange, c tsrange, d tstzrange, e daterange, f spans, g int4multirange, h datemultirange);
-- slots
INSERT INTO numbers VALUES
    (1, 0, 0, 0, 0, 0, 0, 0, 0, 0), (2, -32768, -2147483648, -9223372036854775808, -0.00000000000000000000000001, -999999999999999.99999, '-0', '-0', '-92233720368547758.08', 4294967295),
    (3, 32767, 2147483647, 9223372036854775807, 1e40, 999999999999999.99999, 3.4028235e38, 1.7976931348623157e308, '92233720368547758.07', 1),
    (4, NULL, NULL, NULL, 'NaN', 'NaN', 'NaN', 'NaN', NULL, NULL), (5, 1, 1, 1, 'Infinity', 1.5, 'Infinity', 'Infinity', 1.5, 1), (6, 1, 1, 1, '-Infinity', 100000, '-Infinity', '-Infinity', -1.5, 1),
    (7, 1, 1, 1, 0.30000000000000004, 0.1, 0.1, 0.30000000000000004, 0.01, 1), (8, 1, 1, 1, 12345678901234567890.0123456789, 10000, 1e-45, 5e-324, 0, 1), (9, 1, 1, 1, 1.500, 1, 1e20, 1e15, 1, 1);
INSERT INTO strings VALUES
    (1, 'a', 'ab', 'ab', 'ab', 'ab', '\x', B'000', B'', '00000000-0000-0000-0000-000000000000', '<a/>', '{}', '{}', '', ''),
    (2, '', '', '', '', '', '\x00ff5c27', B'101', B'1', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '<a>b</a>', '{"a": 1,  "a": "ä\n"}', '{"b": 1.50, "a": [null, true]}', 'a:1 b:2A', 'a & !b'),
    (3, E'\\', 'äöü', E'\t\n\r\\', E'it''s "quoted" {a,b} \\N \\. \x01', 'äöü', '\xdeadbeef', B'111', B'0101010101', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'text', 'null', '"text"', '''it''''s'':3', 'a <-> b'),
    (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO times VALUES
    (1, '2000-01-01', '00:00:00', '00:00:00+00', '2000-01-01 00:00:00', '2000-01-01 00:00:00+00', '0', '2000-01-01 00:00:00', '00:00:00'),
    (2, '4713-01-01 BC', '24:00:00', '24:00:00-15:59', '4713-01-01 00:00:00 BC', '4713-01-01 00:00:00+00 BC', '-178000000 years', '0044-03-15 12:00:00 BC', '24:00:00'),
    (3, '5874897-12-31', '23:59:59.999999', '23:59:59.999999+15:59:59', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00', '178000000 years 11 mons 2147483647 days 2562047788:00:54.775807', '10000-01-01 00:00:00', '12:34:56.789'),
    (4, 'infinity', '12:34:56.7', '12:34:56.7+05:30', 'infinity', 'infinity', '-1 year 2 mons -3 days 04:05:06.789', 'infinity', '12:00:00'),
    (5, '-infinity', '00:00:00.000001', '01:02:03-08', '-infinity', '-infinity', '-0.000001 seconds', '-infinity', '00:00:00.001'),
    (6, '9999-12-31', '12:00:00', '12:00:00+00', '1969-12-31 23:59:59.999999', '1883-01-01 00:00:00+00', '1 day -00:00:01', '1970-01-01 00:00:00', '00:00:00'),
    (7, '0001-12-31 BC', '12:00:00', '12:00:00+00', '0001-01-01 00:00:00', '2024-02-29 23:59:59.5+02', '1 mon', '2024-02-29 23:59:59', '00:00:00'),
    (8, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO nets VALUES
    (1, '192.168.0.1', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '0/0', true, 'sad', 1, ROW(1, 'a')),
    (2, '::1/64', '2001:db8::/32', 'ff:ff:ff:ff:ff:ff', 'ff:ff:ff:ff:ff:ff:ff:ff', 'FFFFFFFF/FFFFFFFF', false, 'ok', 2147483647, ROW(NULL, E'a "b" \\ (c,d)')),
    (3, '0.0.0.0/0', '0.0.0.0/0', NULL, NULL, '16/B374D848', NULL, NULL, NULL, ROW(NULL, '')), (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO shapes VALUES (1, '(1,2)', '{1,2,3}', '[(0,0),(1,1)]', '((1,1),(0,0))', '[(0,0),(1,1.5)]', '((0,0),(1,0),(1,1))', '<(0,0),2.5>'), (2, '(NaN,Infinity)', NULL, NULL, NULL, '((0,0))', NULL, NULL);
INSERT INTO arrays VALUES
    (1, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
    (2, '{1,NULL,-3}', ARRAY['a', '', NULL, 'NULL', 'null', 'a b', 'a,b', 'a"b', E'a\\b', '{a}', E' x\n'], '{"2024-01-02 03:04:05.6",infinity}', '{(1,1),(0,0);(2,2),(1,1)}', ARRAY['\x00'::bytea, '\x'], ARRAY[ROW(1, 'a b')::pair, NULL], '{NaN,1.50}', '{t,f,NULL}'),
    (3, '{{1,2},{3,4}}', '[2:3]={a,b}', NULL, NULL, NULL, NULL, '[-1:0][5:5]={{1},{2}}', '{{{{{{t}}}}}}');
INSERT INTO ranges VALUES
    (1, 'empty', '(,)', '(,2024-01-01)', '[2024-01-01 00:00:00+00,infinity]', '[2024-01-01,2024-02-01)', '(01:00,02:00]', '{}', '{}'),
    (2, '[1,10)', '[1.5,2.5]', '["2024-01-01 00:00:00","2024-01-02 00:00:00")', '(,)', '(,2024-01-01)', '[,12:00)', '{[1,3),[5,7)}', '{[2024-01-01,2024-01-02),[2025-01-01,)}'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
-- expect
