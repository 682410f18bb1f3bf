-- Fits of purchase and value models: results, refusals, and that neither order nor workers matter.
-- The end needs real data: CLIENTELE_DATA is the directory with the files.
SET timezone = 'UTC';
SET client_min_messages = warning;
SET extra_float_digits = 1;
CREATE SCHEMA clv_fit;
SET search_path = clv_fit;

-- What is kept of a model where all digits would depend on the machine.
CREATE FUNCTION pg_temp.rounded(numbers float8[]) RETURNS numeric[] LANGUAGE sql IMMUTABLE AS
    'SELECT array_agg(round(n::numeric, 3) ORDER BY place) FROM unnest(numbers) WITH ORDINALITY AS u(n, place)';
CREATE FUNCTION pg_temp.relative_errors(numbers float8[], expected float8[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS
    'SELECT max(abs(n / e - 1)) FROM unnest(numbers, expected) AS u(n, e)';

-- Customers that look like customers, many of whom leave sooner or later, the same on every machine: x, t_x, T in days, and the mean value.
CREATE TABLE buyers AS
SELECT i AS customer, x, CASE WHEN x > 0 THEN least(age, ceil(age * stayed * clientele.bucket('last', i::text) ^ (1 / x))) ELSE 0 END AS t_x, age,
    CASE WHEN x > 0 THEN round((20 * exp(clientele.bucket('value', i::text) + clientele.bucket('more', i::text)))::numeric, 2)::float8 END AS mean_value
FROM (SELECT i, age, stayed, floor(-8 * ln(1 - clientele.bucket('rate', i::text)) * clientele.bucket('keen', i::text) * stayed * age / 300) AS x
      FROM (SELECT i, (100 + 200 * clientele.bucket('age', i::text))::int::float8 AS age, least(1, -ln(1 - clientele.bucket('left', i::text)) * exp(-2 + 6 * clientele.bucket('loyal', i::text))) AS stayed FROM generate_series(1, 5000) AS i) AS c) AS s;
ANALYZE buyers;

-- The fields, in order, and the arguments.
SELECT t.typname, string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
FROM pg_type t JOIN pg_attribute a ON a.attrelid = t.typrelid WHERE t.typnamespace = 'clientele'::regnamespace AND t.typname IN ('bgnbd', 'mbgnbd', 'pareto_nbd', 'gamma_gamma') GROUP BY 1 ORDER BY 1;
SELECT p.oid::regprocedure, pg_get_function_arguments(p.oid), p.provolatile, p.proparallel FROM pg_proc p WHERE pronamespace = 'clientele'::regnamespace AND proname LIKE 'fit\_%' AND prokind = 'a' ORDER BY proname;

SELECT pg_temp.rounded(ARRAY[(m).r, (m).alpha, (m).a, (m).b, (m).log_likelihood]) AS model, pg_temp.rounded((m).standard_errors) AS errors, (m).customers, (m).iterations > 0 AS iterations, (m).converged FROM (SELECT clientele.fit_bgnbd(x, t_x, age) AS m FROM buyers) s;
SELECT pg_temp.rounded(ARRAY[(m).r, (m).alpha, (m).a, (m).b, (m).log_likelihood]) AS model, (m).customers, (m).converged FROM (SELECT clientele.fit_mbgnbd(x, t_x, age) AS m FROM buyers) s;
SELECT pg_temp.rounded(ARRAY[(m).r, (m).alpha, (m).s, (m).beta, (m).log_likelihood]) AS model, (m).customers, (m).converged FROM (SELECT clientele.fit_pareto_nbd(x, t_x, age) AS m FROM buyers) s;
SELECT pg_temp.rounded(ARRAY[(m).p, (m).q, (m).v, (m).log_likelihood]) AS model, (m).customers, (m).converged FROM (SELECT clientele.fit_gamma_gamma(x, mean_value) AS m FROM buyers) s;

-- ---- Neither the order of rows nor workers nor partial aggregates matter, to the last bit ----

CREATE FUNCTION pg_temp.fits(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    EXECUTE 'SELECT ROW(clientele.fit_bgnbd(x, t_x, age), clientele.fit_mbgnbd(x, t_x, age), clientele.fit_pareto_nbd(x, t_x, age), clientele.fit_gamma_gamma(x, mean_value))::text FROM ' || condition INTO result;
    RETURN result;
END $$;
CREATE TABLE parts (LIKE buyers) PARTITION BY HASH (customer);
CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO parts SELECT * FROM buyers;
ANALYZE parts;
SELECT pg_temp.fits('buyers') AS serial \gset
SELECT pg_temp.fits('(SELECT * FROM buyers ORDER BY md5(customer::text)) s') = :'serial' AS shuffled;
SET max_parallel_workers_per_gather = 3;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT clientele.fit_bgnbd(x, t_x, age) FROM buyers;
SELECT pg_temp.fits('buyers') = :'serial' AS parallel;
SET parallel_leader_participation = off;
SELECT pg_temp.fits('buyers') = :'serial' AS parallel;
SET max_parallel_workers_per_gather = 0;
SET enable_partitionwise_aggregate = on;
EXPLAIN (COSTS OFF) SELECT clientele.fit_bgnbd(x, t_x, age) FROM parts;
SELECT pg_temp.fits('parts') = :'serial' AS partial;
RESET enable_partitionwise_aggregate;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET parallel_leader_participation;
-- Groups, hashed, sorted, and spilled; and a window, whose state goes on after a result.
SELECT count(DISTINCT models::text) AS models, count(*) AS groups FROM (SELECT customer % 4 AS part, clientele.fit_bgnbd(x, t_x, age) AS models FROM buyers GROUP BY 1) s;
CREATE TABLE grouped AS SELECT customer % 40 AS part, clientele.fit_gamma_gamma(x, mean_value)::text AS model FROM buyers GROUP BY 1;
SET enable_hashagg = off;
SELECT count(*) AS same FROM grouped JOIN (SELECT customer % 40 AS part, clientele.fit_gamma_gamma(x, mean_value)::text AS model FROM buyers GROUP BY 1) s USING (part, model);
RESET enable_hashagg;
SET work_mem = '64kB';
SET enable_sort = off;
SELECT count(*) AS same FROM grouped JOIN (SELECT customer % 40 AS part, clientele.fit_gamma_gamma(x, mean_value)::text AS model FROM buyers GROUP BY 1) s USING (part, model);
RESET work_mem;
RESET enable_sort;
SELECT customer, (m).customers FROM (SELECT customer, clientele.fit_gamma_gamma(x, mean_value) OVER (ORDER BY customer) AS m FROM buyers WHERE customer <= 100) s WHERE customer % 25 = 0;

-- ---- Other units of time ----

SELECT abs((d).alpha / (w).alpha - 7) < 1e-5 AS alpha, abs((d).r / (w).r - 1) < 1e-6 AS r, abs((d).b / (w).b - 1) < 1e-6 AS b, abs((d).log_likelihood - (w).log_likelihood + sum_x * ln(7)) < 1e-6 AS log_likelihood
FROM (SELECT clientele.fit_mbgnbd(x, t_x, age) AS d, clientele.fit_mbgnbd(x, t_x / 7, age / 7) AS w, sum(x) AS sum_x FROM buyers) s;
SELECT abs((d).beta / (s).beta * 86400 - 1) < 1e-5 AS beta, abs((d).s / (s).s - 1) < 1e-6 AS s FROM (SELECT clientele.fit_pareto_nbd(x, t_x, age) AS d, clientele.fit_pareto_nbd(x, t_x * 86400, age * 86400) AS s FROM buyers WHERE customer <= 1000) s;

-- ---- Nobody, NULLs, and customers of whom nothing can be learned ----

SELECT clientele.fit_bgnbd(x, t_x, age) IS NULL AS bgnbd, clientele.fit_mbgnbd(x, t_x, age) IS NULL AS mbgnbd, clientele.fit_pareto_nbd(x, t_x, age) IS NULL AS pareto, clientele.fit_gamma_gamma(x, mean_value) IS NULL AS gamma_gamma FROM buyers WHERE false;
SELECT (clientele.fit_bgnbd(nullif(x, 1), t_x, nullif(age, 150))).customers = count(*) FILTER (WHERE x <> 1 AND age <> 150) AS skipped FROM buyers;
SELECT clientele.fit_gamma_gamma(x, m) IS NULL AS nobody_left FROM (VALUES (0, 0), (3, 0), (NULL, 5)) v(x, m);
SELECT (clientele.fit_gamma_gamma(x, m)).customers FROM (VALUES (0, 12.5), (3, 0), (2, 8), (4, 9.5), (1, NULL)) v(x, m);
SELECT what, (m).converged, (m).standard_errors, (m).customers FROM (
    SELECT 'one' AS what, clientele.fit_bgnbd(3, 20, 30) AS m
    UNION ALL SELECT 'new', clientele.fit_bgnbd(0, 0, 0)
    UNION ALL SELECT 'alike', clientele.fit_bgnbd(2, 20, 30) FROM generate_series(1, 1000)
    UNION ALL SELECT 'nobody repeats', clientele.fit_bgnbd(0, 0, i % 90) FROM generate_series(1, 1000) i) s;
SELECT (m).converged, (p).converged, (g).converged FROM (SELECT clientele.fit_mbgnbd(2, 20, 30) AS m, clientele.fit_pareto_nbd(2, 20, 30) AS p, clientele.fit_gamma_gamma(2, 20) AS g FROM generate_series(1, 1000)) s;
-- Long histories. (As Pareto/NBD sees them, all of these leave at one rate: s goes to infinity.)
SELECT max(x) AS x, max(age) AS age, (clientele.fit_bgnbd(x, t_x, age)).converged AS bgnbd, (clientele.fit_mbgnbd(x, t_x, age)).converged AS mbgnbd, (clientele.fit_pareto_nbd(x, t_x, age)).converged AS pareto_nbd
FROM (SELECT 100 * x AS x, 100 * t_x AS t_x, 100 * age AS age FROM buyers) s;

-- ---- Bad input ----

SELECT clientele.fit_bgnbd(-1, 0, 10);
SELECT clientele.fit_mbgnbd(1.5, 1, 10);
SELECT clientele.fit_pareto_nbd(1, 11, 10);
SELECT clientele.fit_bgnbd(0, 5, 10);
SELECT clientele.fit_bgnbd(1, -5, 10);
SELECT clientele.fit_bgnbd('NaN', 5, 10);
SELECT clientele.fit_bgnbd(1, 5, 'Infinity');
SELECT clientele.fit_bgnbd(2e9, 5, 10);
SELECT clientele.fit_gamma_gamma(2, -5);
SELECT clientele.fit_gamma_gamma(2, 'NaN');
SELECT clientele.fit_gamma_gamma(0.5, 5);
CREATE FUNCTION pg_temp.sqlstate_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN EXECUTE statement; RETURN 'none'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END $$;
SELECT s, pg_temp.sqlstate_of('SELECT clientele.' || s) FROM unnest(ARRAY['fit_bgnbd(-1, 0, 10)', 'fit_bgnbd(1, 11, 10)', 'fit_bgnbd(''NaN'', 0, 10)', 'fit_bgnbd(2e9, 0, 10)', 'fit_gamma_gamma(1, -1)', 'fit_gamma_gamma(1, ''inf'')']) s;

-- States that the aggregate did not make.
SELECT clientele._add_purchase_history('{}', 1, 1, 2);
SELECT clientele._combine_purchase_values('{}', '{}');
SELECT clientele._fit_bgnbd('{1, 2}');
SELECT clientele._fit_bgnbd('{1, 2, NULL}');
SELECT clientele._fit_bgnbd('{{1, 2, 3}, {1, 2, 3}}');
SELECT clientele._fit_bgnbd('{1, 5, 3}');
SELECT clientele._fit_gamma_gamma('{1, -5}');
SELECT clientele._fit_bgnbd('{}') IS NULL AS empty, (clientele._fit_mbgnbd('[5:7]={1, 2, 3}')).customers;

-- ---- A fit can be cancelled ----

CREATE TABLE many AS SELECT floor(20 * clientele.bucket('x', i::text)) + 1 AS x, i / 1000.0 AS t_x, 100 + i / 1000.0 AS age FROM generate_series(1, 30000) i;
SET statement_timeout = '200ms';
SELECT clientele.fit_pareto_nbd(x, t_x, age) FROM many;
RESET statement_timeout;

-- ---- CDNOW: the published figures ----

\getenv data CLIENTELE_DATA
\if :{?data}
\else
\echo 'CLIENTELE_DATA is not set: the tests on real data are skipped.'
\quit
\endif
CREATE TABLE cdnow (customer_id int, ordered_at date, cds int, amount numeric);
\set load `printf '%s' "\\copy cdnow FROM '$CLIENTELE_DATA/cdnow_sample.csv' CSV HEADER"`
:load
-- By plain SQL, in weeks: Fader, Hardie and Lee (2005).
CREATE TABLE plain AS
SELECT customer_id, count(*) - 1 AS x, (max(day) - min(day)) / 7.0 AS t_x, ('1997-09-30' - min(day)) / 7.0 AS age, coalesce(avg(total) FILTER (WHERE day > first_day), 0) AS mean_value
FROM (SELECT customer_id, ordered_at AS day, sum(amount) AS total, min(ordered_at) OVER (PARTITION BY customer_id) AS first_day FROM cdnow WHERE ordered_at <= '1997-09-30' GROUP BY 1, 2) d GROUP BY 1;
-- From the orders, by profiles.
CREATE TABLE profiled AS
SELECT customer_id, clientele.repeat_purchases(p) AS x, clientele.last_purchase_age(p) / 7.0 AS t_x, clientele.age(p, '1997-09-30') / 7.0 AS age, clientele.repeat_day_value(p) AS mean_value
FROM (SELECT customer_id, clientele.order_profile(ordered_at::timestamp AT TIME ZONE 'UTC', amount) AS p FROM cdnow WHERE ordered_at <= '1997-09-30' GROUP BY 1) s;
CREATE TABLE fits AS
SELECT 'plain' AS source, clientele.fit_bgnbd(x, t_x, age) AS b, clientele.fit_mbgnbd(x, t_x, age) AS m, clientele.fit_pareto_nbd(x, t_x, age) AS p, clientele.fit_gamma_gamma(x, mean_value::float8) AS g FROM plain
UNION ALL
SELECT 'profiled', clientele.fit_bgnbd(x, t_x, age), clientele.fit_mbgnbd(x, t_x, age), clientele.fit_pareto_nbd(x, t_x, age), clientele.fit_gamma_gamma(x, mean_value::float8) FROM profiled;
CREATE VIEW parameters AS
SELECT source, 'bgnbd' AS model, ARRAY[(b).r, (b).alpha, (b).a, (b).b] AS parameters, (b).log_likelihood, (b).standard_errors, (b).customers, (b).converged FROM fits
UNION ALL SELECT source, 'mbgnbd', ARRAY[(m).r, (m).alpha, (m).a, (m).b], (m).log_likelihood, (m).standard_errors, (m).customers, (m).converged FROM fits
UNION ALL SELECT source, 'pareto_nbd', ARRAY[(p).r, (p).alpha, (p).s, (p).beta], (p).log_likelihood, (p).standard_errors, (p).customers, (p).converged FROM fits
UNION ALL SELECT source, 'gamma_gamma', ARRAY[(g).p, (g).q, (g).v], (g).log_likelihood, (g).standard_errors, (g).customers, (g).converged FROM fits;
SELECT source, model, pg_temp.rounded(parameters) AS parameters, round(log_likelihood::numeric, 3) AS log_likelihood, customers, converged FROM parameters ORDER BY 1, 2;
CREATE TABLE published (model text, parameters float8[], log_likelihood float8, standard_errors float8[]);
INSERT INTO published VALUES
    ('bgnbd', '{0.2425945225733904, 4.413602023905395, 0.7929220150488867, 2.425906769139262}', -9582.429206673929, '{0.012557383269809121, 0.3782242873109104, 0.18573356535591456, 0.7054131188252473}'),
    ('mbgnbd', '{0.524843161932521, 6.183085301626105, 0.8913593877319336, 1.6140022255700066}', -9582.135715553748, '{0.08326840796295651, 0.6956215055592941, 0.15479038385726507, 0.5374968571099854}'),
    ('pareto_nbd', '{0.553277046338574, 10.577683465749303, 0.6062399984087142, 11.668735592535304}', -9594.976178939542, '{0.04762790987214247, 0.8427223783808666, 0.18728147702487688, 6.211117052388693}'),
    ('gamma_gamma', '{6.24957234251782, 3.7442246558546057, 15.443520722043624}', -4055.9176948018753, '{1.190061736628143, 0.2901339593461716, 4.159446292749166}');
SELECT source, model, pg_temp.relative_errors(f.parameters, p.parameters) < 1e-5 AS parameters, abs(f.log_likelihood - p.log_likelihood) < 1e-6 AS log_likelihood, pg_temp.relative_errors(f.standard_errors, p.standard_errors) < 1e-4 AS standard_errors
FROM parameters f JOIN published p USING (model) ORDER BY 1, 2;
DROP SCHEMA clv_fit CASCADE;
