-- _fill(): templates of generated SQL.
\pset null 'NULL'

SELECT clientele._fill('SELECT {key} FROM {store}.profiles WHERE {key} = $1 FOR NO KEY UPDATE', 'store', 'shop', 'key', 'customer_id');
SELECT clientele._fill('{a}: {} {0.5,0.5} {"a": 1} {A} { a }', 'a', 'no markers');
-- One pass: values are not read again.
SELECT clientele._fill('{a} {b}', 'a', '{b}', 'b', '{a}');
-- A NULL value is empty, a NULL template gives NULL.
SELECT clientele._fill('[{a}]', 'a', NULL), clientele._fill(NULL, 'a', 'x');
SELECT clientele._fill('[{a}]', VARIADIC ARRAY['a', repeat('x', 10)]), clientele._fill('[]', VARIADIC '{}');
SELECT clientele._fill('[]', VARIADIC NULL);
-- Characters of several bytes, and values that are compressed or stored elsewhere.
SELECT clientele._fill(U&'\00E9{a}\20AC', 'a', U&'\00FC');
CREATE TEMP TABLE long AS SELECT string_agg(i::text, ',') AS value FROM generate_series(1, 20000) i;
SELECT clientele._fill('<{a}>', 'a', value) = '<' || value || '>' AS same FROM long;

-- Mistakes.
SELECT clientele._fill('{a} {b}', 'a', '1');
SELECT clientele._fill('{a}', 'a', '1', 'b', '{a}');
SELECT clientele._fill('{a}', 'a', '1', 'a', '2');
SELECT clientele._fill('{a}', 'a');
SELECT clientele._fill('{a}', 'A', '1');
SELECT clientele._fill('{a}', NULL, '1');
SELECT clientele._fill('{a}', VARIADIC ARRAY[['a', '1']]);
SELECT clientele._fill(repeat('{a}', 2000), 'a', repeat('x', 1000000));

-- What comments on overloads served the install script alone.
SELECT count(*) FROM pg_proc WHERE pronamespace = 'clientele'::regnamespace AND proname LIKE '\_comment\_on\_%';
