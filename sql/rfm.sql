-- RFM scores, by hand: rfm_scores() and its breaks, and the internal functions that the store's views and refresh use.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset null '(null)'
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE SCHEMA rfm;
SET search_path = rfm, public;

-- ---- Scores ----

-- A break is the inclusive lower bound of the next bin; for recency of the next worse.
SELECT v, s.* FROM unnest('{-Infinity,9,10,19,20,29,30,39,40,41,Infinity}'::float8[]) v,
    clientele.rfm_scores(v, v, v, ROW('{10,20,30,40}', '{10,20,30,40}', '{10,20,30,40}')) s;
-- numeric money is compared exactly, also beyond what a double can tell apart; a break stands for its shortest decimal.
SELECT v, (clientele.rfm_scores(1, 1, v, ROW('{1,2,3,4}', '{1,2,3,4}', '{0.1,0.3,506.4,9007199254740993}'))).m
FROM unnest('{0.0999999999999999999999,0.1,0.1000000000000000055511,0.3,0.30000000000000000000001,506.39999999999999999,506.4,9007199254740991.9,9007199254740992,-Infinity,Infinity}'::numeric[]) v;
SELECT v, (clientele.rfm_scores(1, 1, v, ROW('{1,2,3,4}', '{1,2,3,4}', '{-1e300,-1e-300,1e-300,1e300}'))).m FROM unnest('{-1,0,1}'::numeric[]) v;
-- Equal breaks leave bins empty.
SELECT v, s.* FROM unnest('{0,1,2}'::float8[]) v, clientele.rfm_scores(v, v, v::numeric, ROW('{1,1,1,2}', '{1,1,1,2}', '{1,1,1,2}')) s;
-- The types of the columns of a store's customers, and of others.
SELECT * FROM clientele.rfm_scores(3::int, 4::bigint, 5::numeric, ROW('{1,2,3,4}', '{1,2,3,4}', '{1,2,3,4}')::clientele.rfm_breaks);
SELECT * FROM clientele.rfm_scores(3::smallint, 4::numeric, 5::int, ROW('{1,2,3,4}', '{1,2,3,4}', '{1,2,3,4}')::clientele.rfm_breaks);

-- NULL.
SELECT * FROM clientele.rfm_scores(NULL, 2, 3, ROW('{1,2,3,4}', '{1,2,3,4}', '{1,2,3,4}'));
SELECT * FROM clientele.rfm_scores(1, NULL, NULL::numeric, ROW('{1,2,3,4}', '{1,2,3,4}', '{1,2,3,4}'));
SELECT * FROM clientele.rfm_scores(1, 2, 3, NULL);
SELECT * FROM clientele.rfm_scores(1, 2, 3::numeric, ROW(NULL, '{1,2,3,4}', NULL));
SELECT clientele.rfm_scores(1, 2, 3, NULL) IS NULL AS is_null;

-- Breaks that change from row to row, as stored and toasted values, and of odd lower bounds.
CREATE TABLE breaks (id int, b clientele.rfm_breaks);
INSERT INTO breaks SELECT n, ROW(ARRAY[n, n + 1, n + 2, n + 3]::float8[], ARRAY[n, n, n, n]::float8[], CASE WHEN n % 2 = 0 THEN ARRAY[n, 1000, 1000, 1000]::float8[] END)::clientele.rfm_breaks FROM generate_series(1, 6) n;
INSERT INTO breaks VALUES (7, ROW('[0:3]={1,2,3,4}', '[-5:-2]={1,2,3,4}', '{1,2,3,4}')), (8, NULL);
SELECT id, s.*, t.m AS numeric_m FROM breaks, clientele.rfm_scores(4, 4, 4, b) s, clientele.rfm_scores(4, 4, 4::numeric, b) t ORDER BY id;
-- The same for every row gives the same as one by one: nothing depends on what was remembered.
SELECT count(*) AS different FROM generate_series(1, 6) AS n, generate_series(-2, 9) AS v, breaks WHERE id <= 6 AND (n + v) % 2 = 0
    AND (clientele.rfm_scores(v, v, v, b)).f <> 1 + (SELECT count(*) FROM unnest((b).f) e WHERE e <= v);

-- Errors.
SELECT clientele.rfm_scores(1, 2, 3, ROW('{1,2,3}', '{1,2,3,4}', '{1,2,3,4}'));
SELECT clientele.rfm_scores(1, 2, 3, ROW('{1,2,3,4}', '{1,2,3,4,5}', '{1,2,3,4}'));
SELECT clientele.rfm_scores(1, 2, 3, ROW('{1,2,3,4}', '{1,2,3,4}', '{}'));
SELECT clientele.rfm_scores(1, 2, 3, ROW('{1,3,2,4}', '{1,2,3,4}', '{1,2,3,4}'));
SELECT clientele.rfm_scores(1, 2, 3, ROW('{1,2,3,4}', '{1,2,3,NaN}', '{1,2,3,4}'));
SELECT clientele.rfm_scores(1, 2, 3, ROW('{1,2,3,4}', '{1,2,3,4}', '{1,2,3,Infinity}'));
SELECT clientele.rfm_scores(1, 2, 3, ROW('{-Infinity,2,3,4}', '{1,2,3,4}', '{1,2,3,4}'));
SELECT clientele.rfm_scores(1, 2, 3, ROW('{1,2,NULL,4}', '{1,2,3,4}', '{1,2,3,4}'));
SELECT clientele.rfm_scores(1, 2, 3, ROW('{{1,2},{3,4}}', '{1,2,3,4}', '{1,2,3,4}'));
SELECT clientele.rfm_scores('NaN', 2, 3, ROW('{1,2,3,4}', '{1,2,3,4}', '{1,2,3,4}'));
SELECT clientele.rfm_scores(1, 'NaN', 3, ROW('{1,2,3,4}', '{1,2,3,4}', '{1,2,3,4}'));
SELECT clientele.rfm_scores(1, 2, 'NaN'::float8, ROW('{1,2,3,4}', '{1,2,3,4}', '{1,2,3,4}'));
SELECT clientele.rfm_scores(1, 2, 'NaN'::numeric, ROW('{1,2,3,4}', '{1,2,3,4}', '{1,2,3,4}'));

-- ---- Scores of profiles: exactly those of their figures ----

CREATE TABLE profiles AS
    SELECT n AS id, CASE WHEN n % 3 = 0 THEN 'America/New_York' ELSE 'UTC' END AS time_zone,
        clientele.order_profile('2025-01-01'::timestamptz - make_interval(hours => n * 7919 % 9000 + k * 100), (n * 31 % 5000 + k) / 100.0, CASE WHEN n % 3 = 0 THEN 'America/New_York' ELSE 'UTC' END) AS p
    FROM generate_series(1, 2000) n, generate_series(1, 1 + n % 6) k GROUP BY n;
INSERT INTO profiles SELECT -n, 'UTC', clientele.order_profile('2025-01-01', -n) FROM generate_series(1, 3) n GROUP BY n;  -- refunds only
INSERT INTO profiles VALUES (0, 'UTC', NULL);
SELECT count(*) AS customers, count(r) AS scored, count(*) FILTER (WHERE s IS DISTINCT FROM ROW(r, f, m)) AS different
FROM (SELECT clientele._r_score(p, '2025-02-01', '{50,100,150.5,300}') AS r, clientele._f_score(p, '{2,3,4,6}') AS f, clientele._m_score(p, '{10,24.54,89.74,147.48}') AS m,
        CASE WHEN clientele.orders(p) > 0 THEN clientele.rfm_scores(clientele.recency_days(p, '2025-02-01'), clientele.orders(p), clientele.total_spent(p), ROW('{50,100,150.5,300}', '{2,3,4,6}', '{10,24.54,89.74,147.48}'))
             ELSE ROW(NULL::int, NULL::int, NULL::int) END AS s FROM profiles) x;
-- Money at the breaks, to the last of four decimals; refunds that leave less than nothing.
SELECT amount, clientele._m_score(clientele.order_profile('2025-01-01', amount), '{0.0001,0.1,0.3,9999999999999.9999}')
FROM unnest('{0,0.0001,0.0999,0.1,0.2999,0.3,9999999999999.9998,9999999999999.9999}'::numeric[]) amount GROUP BY amount ORDER BY amount;
SELECT clientele._m_score(clientele.order_profile('2025-01-01', a), '{-5.5,-5.4,0,1}') FROM unnest('{1,-6.45}'::numeric[]) a;
-- Days are those of the profile's zone.
SELECT zone, clientele._r_score(clientele.order_profile('2025-01-01 02:00+00', 1, zone), '2025-01-03 12:00+00', '{1,2,3,4}') FROM unnest('{UTC,America/New_York}'::text[]) zone GROUP BY zone ORDER BY zone;
-- As of a time before the last order, recency is below zero.
SELECT clientele._r_score(p, '2001-01-01', '{-100000,-5,3,4}') FROM profiles WHERE id = 1;
SELECT clientele._r_score(p, NULL, '{1,2,3,4}'), clientele._r_score(p, now(), NULL), clientele._f_score(p, NULL), clientele._m_score(NULL, '{1,2,3,4}') FROM profiles WHERE id = 1;
SELECT clientele._r_score(p, 'infinity', '{1,2,3,4}') FROM profiles WHERE id = 1;
SELECT clientele._r_score(p, now(), '{1,2,3}') FROM profiles WHERE id = 1;
SELECT clientele._f_score(p, '{4,3,2,1}') FROM profiles WHERE id = 1;
SELECT clientele._m_score(p, '{1,2,3,NULL}') FROM profiles WHERE id = 1;
SELECT clientele._m_score(p, '{{1,2,3,4}}') FROM profiles WHERE id = 1;
SELECT clientele._m_score(p, '{1,2,3,NaN}') FROM profiles WHERE id = 1;
SELECT b, clientele._f_score(p, b) FROM profiles, (VALUES ('{1,2,3,4}'::float8[]), ('{2,2,3,4}'), ('[0:3]={2,2,3,4}'), ('{0,0,0,0}')) x (b) WHERE id = 1;

-- ---- The population ----

-- The same as percentile_cont, bit for bit: random populations, with ties, of one customer, of two, and of none.
SET extra_float_digits = 3;
CREATE FUNCTION summary_by_sql(query text) RETURNS clientele._population LANGUAGE plpgsql AS $$
DECLARE result clientele._population;
BEGIN
    EXECUTE format($q$
        SELECT percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY clientele.recency_days(p, '2025-02-01')),
            percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY clientele.orders(p)),
            percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY clientele.total_spent(p)::float8),
            sum(clientele.total_spent(p))::float8 / NULLIF(sum(clientele.gross_spent(p)), 0)::float8
        FROM (%s) x WHERE clientele.orders(p) > 0 HAVING count(*) > 0$q$, query) INTO result;
    RETURN result;
END $$;
CREATE FUNCTION summary_differs(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE result clientele._population;
BEGIN
    EXECUTE format('SELECT (s).* FROM (SELECT clientele._score_summary(p, ''2025-02-01'') AS s FROM (%s) x OFFSET 0) y', query) INTO result;
    RETURN result::text IS DISTINCT FROM summary_by_sql(query)::text;
END $$;
SELECT clientele._score_summary(p, '2025-02-01') FROM profiles;
SELECT summary_differs('SELECT p FROM profiles') AS differs;
SELECT setseed(0.25);
CREATE TABLE random_profiles AS
    SELECT n, clientele.order_profile('2025-01-01'::timestamptz - make_interval(days => d), (CASE WHEN k = 1 OR random() < 0.9 THEN 1 ELSE -0.5 END * (random() * 10 ^ (n % 9))::numeric(14, 4))::numeric) AS p
    FROM generate_series(1, 1500) n, LATERAL (SELECT floor(random() * 200)::int AS d, floor(random() * 9)::int AS o WHERE n > 0) x, generate_series(0, o) k GROUP BY n;
SELECT count(*) AS rounds, count(*) FILTER (WHERE summary_differs(format('SELECT p FROM random_profiles WHERE n %% %s = %s AND n <= %s', modulus, modulus / 2, last)))  AS differing
FROM unnest('{1,2,3,7,31}'::int[]) modulus, unnest('{5,6,7,8,9,10,11,12,40,77,150,500,1500}'::int[]) last;
SELECT count(*) AS sizes, count(*) FILTER (WHERE summary_differs(format('SELECT p FROM random_profiles ORDER BY n LIMIT %s', n))) AS differing FROM generate_series(0, 60) n;
-- Sums of money beyond 2^53 ten-thousandths, where a double cannot hold them.
CREATE TABLE rich AS SELECT n, clientele.order_profile('2025-01-01', 9999999999999.9999 - n * 0.0001 * k) AS p FROM generate_series(1, 50) n, generate_series(1, 1 + n % 3) k GROUP BY n;
SELECT summary_differs('SELECT p FROM rich') AS differs;
RESET extra_float_digits;
SELECT clientele._score_summary(p, '2025-02-01') FROM profiles WHERE id = 1;
SELECT (clientele._score_summary(p, '2025-02-01')).* FROM profiles WHERE id IN (1, 2);
SELECT clientele._score_summary(p, '2025-02-01') FROM profiles WHERE id <= 0;
SELECT clientele._score_summary(p, '2025-02-01') FROM profiles WHERE false;
SELECT clientele._score_summary(p, NULL) FROM profiles;
SELECT clientele._score_summary(p, 'infinity') FROM profiles;
SELECT clientele._score_summary(p, '-infinity') FROM profiles;
-- Free orders only: nothing to divide by.
SELECT clientele._score_summary(p, '2025-02-01') FROM (SELECT clientele.order_profile('2025-01-01', 0) AS p) x;
-- As a window, where the result is asked for again and again while rows come.
SELECT bool_and(s::text = (SELECT clientele._score_summary(q.p, '2025-02-01') FROM profiles q WHERE q.id BETWEEN 1 AND x.id)::text) AS same
FROM (SELECT id, clientele._score_summary(p, '2025-02-01') OVER (ORDER BY id) AS s FROM profiles WHERE id BETWEEN 1 AND 60) x;
-- In parallel workers, and grouped.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 4;
ALTER TABLE profiles SET (parallel_workers = 4);
CREATE FUNCTION plan_of(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT bool_or(line LIKE '%Gather%') AS parallel FROM plan_of('SELECT clientele._score_summary(p, ''2025-02-01'') FROM profiles') line;
SELECT clientele._score_summary(p, '2025-02-01') FROM profiles;
SELECT time_zone, clientele._score_summary(p, '2025-02-01') FROM profiles GROUP BY 1 ORDER BY 1;
RESET max_parallel_workers_per_gather;
DROP SCHEMA rfm CASCADE;
