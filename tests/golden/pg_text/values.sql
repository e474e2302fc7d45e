-- setup
CREATE TYPE pair AS (a text, b text);
CREATE TYPE one AS (a text);
CREATE TYPE spans AS RANGE (subtype = text);
CREATE FUNCTION parts(a anyarray, OUT text text, OUT dims text, OUT elements json) LANGUAGE sql AS
$$ SELECT a::text, array_dims(a), (SELECT coalesce(json_agg(CASE WHEN e IS DISTINCT FROM NULL THEN format('%s', e) END), '[]') FROM unnest(a) e) $$;
CREATE FUNCTION bounds(r anyrange, OUT text text, OUT empty boolean, OUT lower text, OUT upper text, OUT lower_inclusive boolean, OUT upper_inclusive boolean)
LANGUAGE sql AS $$ SELECT r::text, isempty(r), lower(r)::text, upper(r)::text, lower_inc(r), upper_inc(r) $$;
-- bool
SELECT json_build_object('text', format('%s', v), 'value', v) FROM (VALUES (true), (false)) t(v);
-- bytea
SELECT json_build_object('text', v::text, 'base64', replace(encode(v, 'base64'), E'\n', ''))
FROM (SELECT ''::bytea UNION ALL SELECT '\x00' UNION ALL SELECT '\xff5c27' UNION ALL SELECT decode(string_agg(lpad(to_hex(i), 2, '0'), ''), 'hex') FROM generate_series(0, 255) i) t(v);
-- numeric
SELECT json_build_object('text', v::text, 'special', CASE WHEN abs(v) >= 'Infinity' THEN v::text END, 'negative', v < 0 AND v <> '-Infinity',
    'whole', CASE WHEN abs(v) < 'Infinity' THEN trunc(abs(v))::text END, 'scale', scale(v))
FROM unnest(ARRAY['NaN', 'Infinity', '-Infinity', '0', '0.00', '-0.5', '1', '-1', '123456789012345678901234567890.123456789', '1e100', '1e-100', '-99999.99900', '10000']::numeric[]) v;
-- float
SELECT json_build_object('text', v::text, 'special', CASE WHEN v IN ('NaN', 'Infinity', '-Infinity') THEN v::text END, 'value', CASE WHEN v NOT IN ('NaN', 'Infinity', '-Infinity') THEN v END)
FROM unnest(ARRAY['NaN', 'Infinity', '-Infinity', '0', '1', '-1.5', '0.1', '0.30000000000000004', '1e15', '1e16', '1e-4', '1e-5', '-1.2345e-300', '1.7976931348623157e308', '5e-324', '123456789.125']::float8[]) v;
-- float
SELECT json_build_object('text', v::text, 'special', NULL, 'value', v) FROM unnest(ARRAY['3.4028235e38', '1e-45', '1.1754944e-38', '0.1', '16777216', '1e20', '-7.5']::real[]) v;
-- date
SELECT json_build_object('text', v::text, 'finite', isfinite(v), 'year', CASE WHEN isfinite(v) THEN extract(year FROM v) END, 'month', CASE WHEN isfinite(v) THEN extract(month FROM v) END,
    'day', CASE WHEN isfinite(v) THEN extract(day FROM v) END, 'us', CASE WHEN isfinite(v) THEN (extract(epoch FROM v) * 1000000)::bigint::numeric::text END)
FROM unnest(ARRAY['2000-01-01', '1970-01-01', '1969-12-31', '9999-12-31', '0001-01-01', '0001-12-31 BC', '0001-02-29 BC', '0044-03-15 BC', '4713-01-01 BC', '2024-02-29', '1900-02-28', '10000-01-01',
    '99999-12-31', '294241-01-01', 'infinity', '-infinity', '1582-10-10']::date[]) v;
-- date
SELECT json_build_object('text', v::text, 'finite', true, 'year', extract(year FROM v), 'month', extract(month FROM v), 'day', extract(day FROM v), 'us', NULL)
FROM unnest(ARRAY['5874897-12-31', '300000-01-01']::date[]) v;
-- time
SELECT json_build_object('text', v::text, 'us', (extract(epoch FROM v) * 1000000)::bigint)
FROM unnest(ARRAY['00:00', '24:00', '23:59:59.999999', '12:34:56.7', '00:00:00.000001', '01:02:03']::time[]) v;
-- timetz
SELECT json_build_object('text', v::text, 'us', (extract(epoch FROM v::time) * 1000000)::bigint, 'zone', extract(timezone FROM v))
FROM unnest(ARRAY['00:00+00', '24:00-15:59', '23:59:59.999999+15:59:59', '12:34:56.7+05:30', '01:02:03-08', '01:02:03-00:00:01']::timetz[]) v;
-- timestamp
SELECT json_build_object('text', v::text, 'finite', isfinite(v), 'year', CASE WHEN isfinite(v) THEN extract(year FROM v) END, 'month', CASE WHEN isfinite(v) THEN extract(month FROM v) END,
    'day', CASE WHEN isfinite(v) THEN extract(day FROM v) END, 'us', CASE WHEN isfinite(v) THEN (extract(epoch FROM v) * 1000000)::bigint::text END)
FROM unnest(ARRAY['2000-01-01 00:00:00', '1970-01-01 00:00:00', '1969-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999', '10000-01-01 00:00:00', '0001-01-01 00:00:00', '0001-12-31 23:59:59 BC',
    '4713-01-01 00:00:00 BC', '294240-12-31 23:59:59.5', '2024-02-29 12:34:56.000001', '2024-02-29 12:34:56.120', 'infinity', '-infinity', '1883-11-18 12:00:00']::timestamp[]) v;
-- timestamp
SELECT json_build_object('text', v::text, 'finite', true, 'year', extract(year FROM v), 'month', extract(month FROM v), 'day', extract(day FROM v), 'us', NULL)
FROM unnest(ARRAY['294276-12-31 23:59:59.999999']::timestamp[]) v;
-- timestamptz
SELECT json_build_object('text', v::text, 'finite', isfinite(v), 'year', CASE WHEN isfinite(v) THEN extract(year FROM v) END, 'month', CASE WHEN isfinite(v) THEN extract(month FROM v) END,
    'day', CASE WHEN isfinite(v) THEN extract(day FROM v) END, 'us', CASE WHEN isfinite(v) THEN (extract(epoch FROM v) * 1000000)::bigint::text END)
FROM unnest(ARRAY['2000-01-01 00:00:00+00', '2024-02-29 23:59:59.5+02', '0044-03-15 12:00:00+00 BC', '10000-01-01 00:00:00+00', 'infinity', '-infinity', '1969-07-20 20:17:40.25-05']::timestamptz[]) v;
-- timestamptz
SET timezone = '-05:45'; SELECT json_build_object('text', v::text, 'finite', true, 'year', extract(year FROM v), 'month', extract(month FROM v), 'day', extract(day FROM v), 'us', (extract(epoch FROM v) * 1000000)::bigint::text)
FROM unnest(ARRAY['2024-01-01 00:00:00+00', '0044-03-15 12:00:00+00 BC']::timestamptz[]) v;
-- interval
SELECT json_build_object('text', v::text, 'months', extract(year FROM v) * 12 + extract(month FROM v), 'days', extract(day FROM v),
    'us', (extract(hour FROM v) * 3600000000 + extract(minute FROM v) * 60000000 + extract(microseconds FROM v))::text)
FROM unnest(ARRAY['0', '1 year', '2 years', '-1 year', '1 mon', '-1 mon', '1 day', '-1 day', '2 days', '1 second', '-1 second', '0.000001 seconds', '-0.5 seconds', '1 year 2 mons 3 days 04:05:06.789',
    '-1 year 2 mons -3 days 04:05:06.789', '1 year -3 days 04:05:06', '-1 year -2 mons +3 days -04:05:06', '1 day -00:00:01', '-1 day +00:00:01', '100:00:00', '1000000:59:59.999999', '178956970 years 7 mons',
    '-178956970 years -8 mons', '2147483647 days', '-2147483648 days', '2562047788:00:54.775807', '-2562047788:00:54.775807', '11 mons', '13 mons', '-13 mons 1 day']::interval[]) v;
-- since 17
-- interval
SELECT json_build_object('text', v::text, 'infinite', CASE WHEN v > '0' THEN 1 ELSE -1 END) FROM unnest(ARRAY['infinity', '-infinity']::interval[]) v;
-- array
SELECT row_to_json(p) FROM (VALUES ('{}'::text[]), ('{a}'), ('{a,NULL,"NULL","null",""}'), (ARRAY['a b', 'a,b', 'a"b', E'a\\b', '{a}', E' x\n\t\x0b\f\r', 'äöü€😀', 'a''b', ';', '[1]', '(1,2)']),
    ('{{a,b},{c,d}}'), ('[2:3]={a,b}'), ('[-1:0][5:5]={{x},{NULL}}'), ('[0:0]={z}'), ('{{{{{{t}}}}}}'), ('{{{a,b,c},{d,e,f}},{{g,h,i},{j,k,l}}}'), ('[1:1][2:2]={{q}}'),
    ('[2147483646:2147483646]={m}'), ('[-2147483648:-2147483647]={n,o}')) t(v), parts(v) p;
-- array
SELECT row_to_json(p) FROM parts('{1,-2,NULL,2147483647}'::integer[]) p UNION ALL SELECT row_to_json(p) FROM parts('{1.50,NaN,-Infinity}'::numeric[]) p
UNION ALL SELECT row_to_json(p) FROM parts('{t,f}'::boolean[]) p UNION ALL SELECT row_to_json(p) FROM parts(ARRAY['\x00'::bytea, '\x']) p
UNION ALL SELECT row_to_json(p) FROM parts('{"2024-01-02 03:04:05.6",infinity}'::timestamp[]) p UNION ALL SELECT json_build_object('text', a::text, 'dims', array_dims(a), 'elements', json_build_array(a[1]::text, a[2]::text, a[3]::text)) FROM (VALUES (ARRAY[ROW('a b', NULL)::pair, NULL, ROW('"', '\')::pair])) t(a)
UNION ALL SELECT row_to_json(p) FROM parts('{"{\"a\": [1]}",null}'::json[]) p UNION ALL SELECT row_to_json(p) FROM parts(ARRAY(SELECT i FROM generate_series(1, 200) i)) p;
-- box_array
SELECT row_to_json(p) FROM parts('{(1,1),(0,0);(2,2),(1,1)}'::box[]) p UNION ALL SELECT row_to_json(p) FROM parts('{{(1,1),(0,0);NULL};{(2,2),(1,1);(3,3),(2,2)}}'::box[]) p;
-- composite
SELECT json_build_object('text', v::text, 'fields', json_build_array((v).a, (v).b)) FROM (VALUES (ROW('a', 'b')::pair), (ROW('', NULL)::pair), (ROW(NULL, '')::pair), (ROW(NULL, NULL)::pair), (ROW('a b', 'a,b')::pair), (ROW('a"b', E'a\\b')::pair),
    (ROW('(a)', E' x\n\t')::pair), (ROW('NULL', 'null')::pair), (ROW('äöü€😀', '{}')::pair), (ROW('"', '\')::pair), (ROW('""', '\\')::pair), (ROW('[a', 'a''b')::pair)) t(v);
-- composite
SELECT json_build_object('text', v::text, 'fields', json_build_array((v).a)) FROM (VALUES (ROW('a')::one), (ROW(NULL)::one), (ROW('')::one)) t(v);
-- range
SELECT row_to_json(p) FROM (VALUES ('empty'::spans), ('(,)'), ('[a,b]'), ('(a,b]'), ('[a,)'), ('(,b)'), ('["a b","c,d"]'), ('("",z)'), (spans('"', '\', '[]')), (spans('(a', 'b]', '()')), (spans(E' \n', 'ä', '[)'))) t(v), bounds(v) p;
-- range
SELECT row_to_json(p) FROM bounds('[1,10)'::int4range) p UNION ALL SELECT row_to_json(p) FROM bounds('(1.5,2.5]'::numrange) p UNION ALL SELECT row_to_json(p) FROM bounds('["2024-01-01 00:00:00",infinity)'::tsrange) p
UNION ALL SELECT row_to_json(p) FROM bounds('["2024-01-01 00:00:00+00","2024-01-02 00:00:00+00"]'::tstzrange) p UNION ALL SELECT row_to_json(p) FROM bounds('[2024-01-01,)'::daterange) p;
-- multirange
SELECT json_build_object('text', v::text, 'ranges', (SELECT coalesce(json_agg(row_to_json(p)), '[]') FROM unnest(v) r, bounds(r) p))
FROM (VALUES ('{}'::int4multirange), ('{[1,3)}'), ('{[1,3),[5,7)}'), ('{(,3),[5,)}'), ('{(,)}')) t(v);
-- multirange
SELECT json_build_object('text', v::text, 'ranges', (SELECT json_agg(row_to_json(p)) FROM unnest(v) r, bounds(r) p)) FROM (VALUES ('{["2024-01-01 00:00:00","2024-01-02 00:00:00"),[2025-01-01,infinity]}'::tsmultirange)) t(v);
-- copy 3
SELECT * FROM (VALUES ('a', 'b', 'c'), (NULL, NULL, NULL), ('', '', ''), (NULL, '', 'x'), (E'tab\t', E'\tline\n', E'\r\n'), (E'back\\slash', E'\\', E'\\\\'), (E'\\N', 'N', '\N'), (E'\\.', '.', E'\\.\n'),
    (E'\b\f\x0b', E'\x01\x02\x1f\x7f', E'\x1b[0m'), ('äöü€😀', E'ä\tö', E'€\\'), ('exactly8', 'exactly8' || E'\n', E'\n' || 'exactly8'), (repeat('long ', 20), repeat(E'\t', 9), repeat('x', 15) || E'\\' || repeat('y', 16)),
    (E'\\x41', E'\\101', E'\\t'), ('1', '2.5', 't')) t
-- copy 1
SELECT * FROM (VALUES (''), (NULL), (E'\\.'), (E'\\'), (E'\n'), ('plain')) t
