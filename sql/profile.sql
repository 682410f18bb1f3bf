-- Order profiles: every figure against plain SQL, merging, parallel plans, and what is refused.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
-- For the operators of the type.
SET search_path = public, clientele;

-- SQLSTATE and message of a statement that fails.
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END $$;

-- ---- Orders that tie, share days, cross changes of the clock, and mix refunds in ----

CREATE TABLE profile_zones (zone text);
INSERT INTO profile_zones VALUES ('UTC'), ('America/New_York'), ('Europe/Berlin'), ('Australia/Lord_Howe'), ('Asia/Kathmandu'),
    ('Pacific/Apia'), ('America/Sao_Paulo'), ('Pacific/Kiritimati');
SELECT setseed(0.25);
CREATE TABLE profile_orders AS
    SELECT i AS id, customer, ordered_at, CASE WHEN customer % 4 = 0 THEN round(amount, 4) ELSE round(amount, customer % 4) END AS amount
    FROM (SELECT i, 1 + floor(300 * random() * random())::int AS customer,
                 CASE WHEN i % 5 = 0 THEN date_trunc('hour', at) ELSE at END AS ordered_at,
                 (CASE WHEN i % 17 = 0 THEN 0 WHEN i % 13 = 0 THEN -1 ELSE 1 END * 400 * random() * random())::numeric AS amount
          FROM (SELECT i, timestamptz '2010-01-01' + interval '1 second' * floor(1500 * 86400 * random() ^ (i % 3 + 1)) AS at
                FROM generate_series(1, 6000) i) r) s;
-- The hours around changes of the clock, ties of time, and years far from now.
INSERT INTO profile_orders
    SELECT 10000 + row_number() OVER (), 1000 + c, t + interval '10 minutes' * m, 10 + m % 3
    FROM unnest(ARRAY['2012-03-11', '2012-11-04', '2012-03-25', '2012-10-28', '2011-12-30', '2012-10-21', '2012-02-26', '2012-04-01',
                      '1883-11-18', '1900-01-01', '0001-01-01', '9999-12-30', '2099-07-01']::timestamptz[]) WITH ORDINALITY d (t, c),
         generate_series(0, 6 * 47 + 5) m WHERE m % 4 <> 2 OR c < 7;
INSERT INTO profile_orders SELECT 20000 + i, 2000, timestamptz '2012-05-05 17:59:59.999999', i % 7 FROM generate_series(1, 20) i;
INSERT INTO profile_orders SELECT 20100 + i, 2001, timestamptz '2012-05-05' + interval '1 day' * i, -5 FROM generate_series(1, 5) i;
INSERT INTO profile_orders VALUES (20200, 2002, '2012-05-05 18:00', 0), (20201, 2003, '2012-05-06 18:00', 12.34), (20202, 2003, NULL, 5),
    (20203, 2003, '2012-05-07', NULL), (20204, 2004, NULL, 5), (20205, 2004, '2012-05-07', NULL), (20206, 2005, '2012-05-07', 0),
    (20207, 2005, '2012-05-08', 0);

CREATE TABLE profile_made AS
    SELECT zone, customer, clientele.order_profile(ordered_at, amount, zone) AS p FROM profile_orders, profile_zones GROUP BY 1, 2;

-- The same figures in plain SQL.
CREATE TABLE profile_plain AS
WITH rows AS (
    SELECT zone, customer, ordered_at, amount, (ordered_at AT TIME ZONE zone) AS local
    FROM profile_orders, profile_zones WHERE ordered_at IS NOT NULL AND amount IS NOT NULL
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY zone, customer ORDER BY ordered_at DESC, amount DESC) AS newest FROM rows WHERE amount >= 0
), sums AS (
    SELECT zone, customer, count(*) FILTER (WHERE amount >= 0) AS orders, count(*) FILTER (WHERE amount < 0) AS refunds,
        min(ordered_at) FILTER (WHERE amount >= 0) AS first_order_at, max(ordered_at) FILTER (WHERE amount >= 0) AS last_order_at,
        coalesce(sum(amount) FILTER (WHERE amount >= 0), 0) AS gross_spent, sum(amount) AS total_spent,
        avg(amount) FILTER (WHERE amount >= 0) AS aov,
        stddev_samp(amount) FILTER (WHERE amount >= 0) / nullif(avg(amount) FILTER (WHERE amount >= 0), 0) AS order_value_cv,
        count(DISTINCT local::date) FILTER (WHERE amount >= 0) AS purchase_days,
        count(DISTINCT local::date) FILTER (WHERE amount >= 0 AND local::date BETWEEN (timestamptz '2012-06-30 20:30+00' AT TIME ZONE zone)::date - 399
            AND (timestamptz '2012-06-30 20:30+00' AT TIME ZONE zone)::date) AS days_of_400,
        avg((extract(hour FROM local) >= 18)::int) FILTER (WHERE amount >= 0) AS evening_share,
        avg((extract(isodow FROM local) >= 6)::int) FILTER (WHERE amount >= 0) AS weekend_share,
        min(local::date) FILTER (WHERE amount >= 0) AS first_day, max(local::date) FILTER (WHERE amount >= 0) AS last_day
    FROM rows GROUP BY 1, 2
), recent AS (
    SELECT zone, customer, percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS typical_float,
        (array_agg(amount ORDER BY amount))[(count(*) + 1) / 2] + (array_agg(amount ORDER BY amount))[(count(*) + 2) / 2] AS typical_twice,
        stddev_samp(amount) / nullif(avg(amount), 0) AS typical_cv, max(amount) FILTER (WHERE newest = 1) AS last_order_value
    FROM ranked WHERE newest <= 8 GROUP BY 1, 2
), days AS (
    SELECT zone, customer, local::date AS day, sum(amount) AS total, row_number() OVER (PARTITION BY zone, customer ORDER BY local::date) AS place,
        local::date - lag(local::date) OVER (PARTITION BY zone, customer ORDER BY local::date) AS gap
    FROM ranked GROUP BY 1, 2, 3
), gaps AS (
    SELECT zone, customer, avg(gap)::float8 AS mean_gap, percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS median_gap,
        avg(total) FILTER (WHERE place > 1) AS repeat_day_value
    FROM days GROUP BY 1, 2
)
SELECT * FROM sums LEFT JOIN recent USING (zone, customer) LEFT JOIN gaps USING (zone, customer);

SELECT count(*) = (SELECT count(*) FROM profile_made WHERE p IS NOT NULL) AS as_many, count(*) > 2000 AS many,
    count(*) FILTER (WHERE orders > 20) > 500 AS of_many_orders FROM profile_plain;
SELECT zone, customer FROM profile_made WHERE p IS NULL ORDER BY zone COLLATE "C" LIMIT 2;

CREATE FUNCTION pg_temp.near(a float8, b float8) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    'SELECT CASE WHEN a IS NULL OR b IS NULL THEN a IS NULL AND b IS NULL ELSE abs(a - b) <= 1e-12 + 1e-9 * abs(b) END';

-- Mismatches by accessor: none.
SELECT accessor, count(*) AS compared, count(*) FILTER (WHERE NOT fits) AS mismatches
FROM profile_made m JOIN profile_plain s USING (zone, customer) CROSS JOIN LATERAL (VALUES
    ('orders', clientele.orders(p) = s.orders),
    ('purchase_days', clientele.purchase_days(p) = s.purchase_days),
    ('refunds', clientele.refunds(p) = s.refunds),
    ('first_order_at', clientele.first_order_at(p) IS NOT DISTINCT FROM s.first_order_at),
    ('last_order_at', clientele.last_order_at(p) IS NOT DISTINCT FROM s.last_order_at),
    ('gross_spent', clientele.gross_spent(p) = s.gross_spent),
    ('total_spent', clientele.total_spent(p)::text = s.total_spent::text),
    ('aov', clientele.aov(p)::text IS NOT DISTINCT FROM s.aov::text),
    ('typical_order_value', clientele.typical_order_value(p) * 2 IS NOT DISTINCT FROM s.typical_twice),
    ('typical_order_value', pg_temp.near(clientele.typical_order_value(p)::float8, s.typical_float)),
    ('typical_cv', pg_temp.near(clientele.typical_cv(p), s.typical_cv::float8)),
    ('last_order_value', clientele.last_order_value(p) IS NOT DISTINCT FROM s.last_order_value),
    ('order_value_cv', pg_temp.near(clientele.order_value_cv(p), s.order_value_cv::float8)),
    ('recency_days', clientele.recency_days(p, '2014-03-01 03:30+00') IS NOT DISTINCT FROM ('2014-03-01 03:30+00'::timestamptz AT TIME ZONE zone)::date - last_day),
    ('purchase_days_within', clientele.purchase_days_within(p, 400, '2012-06-30 20:30+00') = s.days_of_400),
    ('tenure_days', clientele.tenure_days(p, '2011-01-01 17:15+00') IS NOT DISTINCT FROM ('2011-01-01 17:15+00'::timestamptz AT TIME ZONE zone)::date - first_day),
    ('age', clientele.age(p, '2013-07-01 12:00+00') IS NOT DISTINCT FROM ('2013-07-01 12:00+00'::timestamptz AT TIME ZONE zone)::date - first_day),
    ('mean_days_between_orders', pg_temp.near(clientele.mean_days_between_orders(p), s.mean_gap)),
    ('median_days_between_orders', clientele.median_days_between_orders(p) IS NOT DISTINCT FROM s.median_gap),
    ('evening_share', pg_temp.near(clientele.evening_share(p), s.evening_share::float8)),
    ('weekend_share', pg_temp.near(clientele.weekend_share(p), s.weekend_share::float8)),
    ('repeat_purchases', clientele.repeat_purchases(p) = greatest(s.purchase_days - 1, 0)),
    ('last_purchase_age', clientele.last_purchase_age(p) IS NOT DISTINCT FROM s.last_day - s.first_day),
    ('repeat_day_value', clientele.repeat_day_value(p)::text IS NOT DISTINCT FROM s.repeat_day_value::text)
    ) v (accessor, fits)
GROUP BY 1 HAVING count(*) FILTER (WHERE NOT fits) > 0 OR count(*) < 2000 ORDER BY 1;

-- Without a zone: UTC. Names of zones are found as PostgreSQL finds them, in any case.
SELECT count(*) FILTER (WHERE m.p <> u.p) AS mismatches, count(*) > 250 AS compared
FROM profile_made m JOIN (SELECT customer, clientele.order_profile(ordered_at, amount) AS p FROM profile_orders GROUP BY 1) u USING (customer)
WHERE zone = 'UTC';
SELECT clientele.order_profile(t, 1, 'europe/berlin') = clientele.order_profile(t, 1, 'Europe/Berlin') AS same,
       clientele.order_profile(t, 1, 'utc') = clientele.order_profile(t, 1) AS utc FROM (VALUES (timestamptz '2012-01-01')) v (t);
-- Zones that PostgreSQL lists, a sample of them.
SELECT count(*) FILTER (WHERE clientele.purchase_days(p) <> 1) AS mismatches, count(*) > 5 AS several
FROM (SELECT clientele.order_profile('2012-07-01 12:34+00', 5, name) AS p FROM pg_timezone_names WHERE name LIKE 'Etc/GMT%' OR name LIKE 'Indian/M%' GROUP BY name) z;

-- ---- Merging ----

CREATE TABLE profile_parts AS
    SELECT zone, customer, id % 7 AS part, clientele.order_profile(ordered_at, amount, zone) AS p
    FROM profile_orders, profile_zones GROUP BY 1, 2, 3;
SELECT count(*) > 2000 AS compared, count(*) FILTER (WHERE forth.p IS DISTINCT FROM m.p) AS forth, count(*) FILTER (WHERE back.p IS DISTINCT FROM m.p) AS back,
    count(*) FILTER (WHERE nested.p IS DISTINCT FROM m.p) AS nested
FROM profile_made m
JOIN (SELECT zone, customer, clientele.rollup(p ORDER BY part) AS p FROM profile_parts GROUP BY 1, 2) forth USING (zone, customer)
JOIN (SELECT zone, customer, clientele.rollup(p ORDER BY part DESC) AS p FROM profile_parts GROUP BY 1, 2) back USING (zone, customer)
JOIN (SELECT zone, customer, clientele.rollup(p) AS p
      FROM (SELECT zone, customer, clientele.rollup(p) AS p FROM profile_parts GROUP BY zone, customer, part % 2) h GROUP BY 1, 2) nested USING (zone, customer);
-- Of all customers at once, straight from the rows, by parts, and by grouping sets.
SELECT zone, clientele.order_profile(ordered_at, amount, zone) = (SELECT clientele.rollup(p) FROM profile_parts q WHERE q.zone = z.zone) AS parts,
    clientele.order_profile(ordered_at, amount, zone) = (SELECT clientele.rollup(p) FROM profile_made q WHERE q.zone = z.zone) AS customers,
    clientele.order_profile(ordered_at, amount, zone) =
        (SELECT p FROM (SELECT customer, clientele.order_profile(ordered_at, amount, z.zone) AS p FROM profile_orders GROUP BY GROUPING SETS ((customer), (customer % 10), ())) g
         WHERE customer IS NULL ORDER BY clientele.orders(p) DESC LIMIT 1) AS sets
FROM profile_orders, profile_zones z GROUP BY zone ORDER BY zone COLLATE "C";
-- A running profile is that of the orders so far.
SELECT count(*) > 5 AS compared, count(*) FILTER (WHERE running <> (SELECT clientele.order_profile(ordered_at, amount) FROM profile_orders o WHERE o.customer = 7 AND o.ordered_at < w.month + interval '1 month')) AS mismatches
FROM (SELECT month, clientele.rollup(p) OVER (ORDER BY month) AS running
      FROM (SELECT date_trunc('month', ordered_at) AS month, clientele.order_profile(ordered_at, amount) AS p FROM profile_orders WHERE customer = 7 GROUP BY 1) m) w;
SELECT clientele.rollup(p) IS NULL AS none, clientele.rollup(p) FILTER (WHERE true) IS NULL AS nulls FROM (VALUES (NULL::clientele.order_profile)) v (p);
SELECT clientele.orders(clientele.rollup(p)) AS nulls_are_skipped FROM (SELECT NULL::clientele.order_profile AS p UNION ALL SELECT p FROM profile_made WHERE customer = 2003 AND zone = 'UTC') v;

-- Parallel, and with little memory: the same profiles.
CREATE FUNCTION pg_temp.plan_has(query text, part text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        IF line LIKE '%' || part || '%' THEN RETURN true; END IF;
    END LOOP;
    RETURN false;
END $$;
ALTER TABLE profile_orders SET (parallel_workers = 3);
ANALYZE profile_orders;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 3;
CREATE VIEW profile_parallel AS SELECT customer, clientele.order_profile(ordered_at, amount, 'Europe/Berlin') AS p FROM profile_orders GROUP BY 1;
CREATE VIEW profile_parallel_total AS SELECT clientele.order_profile(ordered_at, amount, 'Europe/Berlin') AS p FROM profile_orders;
SELECT pg_temp.plan_has('SELECT * FROM profile_parallel', 'Partial') AS partial, pg_temp.plan_has('SELECT * FROM profile_parallel_total', 'Partial') AS partial_total;
SET parallel_leader_participation = off;
SELECT count(*) > 250 AS compared, count(*) FILTER (WHERE a.p IS DISTINCT FROM m.p) AS mismatches
FROM profile_parallel a JOIN profile_made m USING (customer) WHERE m.zone = 'Europe/Berlin';
SELECT (SELECT p FROM profile_parallel_total) = (SELECT clientele.rollup(p) FROM profile_made WHERE zone = 'Europe/Berlin') AS same_total;
SELECT (SELECT clientele.order_profile(ordered_at, amount) FROM profile_orders WHERE customer = 2004) IS NULL AS only_nulls,
       (SELECT clientele.order_profile(ordered_at, amount) FROM profile_orders WHERE customer = -1) IS NULL AS no_rows;
RESET parallel_leader_participation;
SET max_parallel_workers_per_gather = 0;
SET work_mem = '64kB';
SELECT count(*) > 2000 AS compared, count(*) FILTER (WHERE a.p IS DISTINCT FROM m.p) AS mismatches
FROM (SELECT zone, customer, clientele.order_profile(ordered_at, amount, zone) AS p FROM profile_orders, profile_zones GROUP BY 1, 2) a
JOIN profile_made m USING (zone, customer);
RESET work_mem;

-- A million orders of one customer: in time order, in another, and in parts.
SELECT forth = mixed AS same, forth = parts AS same_in_parts, clientele.orders(forth) AS orders, clientele.purchase_days(forth) AS days,
    clientele.gross_spent(forth) AS gross_spent, clientele.typical_order_value(forth) AS typical, pg_column_size(forth) < 1024 + 2 * clientele.purchase_days(forth) AS small
FROM (SELECT clientele.order_profile(timestamptz '2000-01-01' + interval '97 seconds' * i, i % 1000 + 0.25) FROM generate_series(0, 999999) i) f (forth),
     (SELECT clientele.order_profile(timestamptz '2000-01-01' + interval '97 seconds' * (i * 700001 % 1000000), i * 700001 % 1000000 % 1000 + 0.25) FROM generate_series(0, 999999::bigint) i) m (mixed),
     (SELECT clientele.rollup(p) FROM (SELECT clientele.order_profile(timestamptz '2000-01-01' + interval '97 seconds' * i, i % 1000 + 0.25) AS p
                                       FROM generate_series(0, 999999) i GROUP BY i % 50) g) r (parts);

-- ---- The type in queries ----

SELECT count(DISTINCT p) = (SELECT count(*) FROM (SELECT p FROM profile_made WHERE p IS NOT NULL GROUP BY p) g) AS group_by,
       count(DISTINCT p) = (SELECT count(*) FROM (SELECT DISTINCT p FROM profile_made WHERE p IS NOT NULL) g) AS distinct_ones,
       count(DISTINCT p) = count(DISTINCT p::text) AS same_as_text FROM profile_made;
SET enable_mergejoin = off; SET enable_nestloop = off;
SELECT count(*) AS pairs INTO TEMP profile_hashed FROM profile_made a JOIN profile_made b ON a.p = b.p AND a.customer < b.customer;
RESET enable_mergejoin; SET enable_hashjoin = off;
SELECT count(*) AS pairs INTO TEMP profile_merged FROM profile_made a JOIN profile_made b ON a.p = b.p AND a.customer < b.customer;
RESET enable_nestloop; RESET enable_hashjoin;
SELECT h.pairs = m.pairs AS joins_agree FROM profile_hashed h, profile_merged m;
CREATE INDEX profile_btree ON profile_made (p);
CREATE INDEX profile_hash ON profile_made USING hash (p);
SELECT count(*) FILTER (WHERE lag > p) AS out_of_order, count(*) FILTER (WHERE NOT (lag < p OR lag = p) OR (lag >= p) <> (lag = p) OR (lag <> p) = (lag = p)) AS contradictions
FROM (SELECT p, lag(p) OVER (ORDER BY p) AS lag FROM profile_made WHERE p IS NOT NULL) o;

-- ---- Amounts ----

CREATE FUNCTION pg_temp.one(amount numeric) RETURNS clientele.order_profile LANGUAGE sql AS
    $$SELECT clientele.order_profile('2020-01-01', amount)$$;
-- More than four decimals are rounded half away from zero, and then looked at: what rounds to zero is an order of zero.
SELECT amount, clientele.total_spent(pg_temp.one(amount)) AS total, clientele.orders(pg_temp.one(amount)) AS orders, clientele.refunds(pg_temp.one(amount)) AS refunds
FROM (VALUES (1, 0.00005::numeric), (2, -0.00005), (3, 0.00004), (4, 0.00004999999), (5, -0.00004), (6, 1.00015), (7, 1.00025), (8, -1.00015), (9, 0.99995), (10, 12.50), (11, 1e3),
    (12, 9999999999999.9999), (13, -9999999999999.9999), (14, 9999999999999.99994), (15, 0.000000001), (16, 0), (17, 0.0), (18, 100), (19, 10000), (20, 123456789.5)) v (i, amount) ORDER BY i;
-- Order by order: three times 0.00004 is nothing.
SELECT clientele.total_spent(clientele.order_profile('2020-01-01', 0.00004)) AS total FROM generate_series(1, 3);
-- Numbers in PostgreSQL's long form, and out of line.
SELECT clientele.total_spent(pg_temp.one(('1.5' || repeat('0', 300))::numeric)) AS long_form, clientele.total_spent(pg_temp.one(('-1.' || repeat('3', 3000))::numeric)) AS longer;
CREATE TABLE profile_toasted (amount numeric);
ALTER TABLE profile_toasted ALTER amount SET STORAGE EXTERNAL;
INSERT INTO profile_toasted SELECT ('7.' || repeat('1234567890', 1000))::numeric;
SELECT clientele.total_spent(clientele.order_profile('2020-01-01', amount)) AS toasted, max(pg_column_size(amount)) > 2000 AS is_long FROM profile_toasted;
-- Sums show as many decimals as sum(numeric), averages as avg(numeric).
SELECT clientele.total_spent(p)::text = plain_sum::text AS sum, clientele.aov(p)::text = plain_avg::text AS avg, plain_sum
FROM (SELECT clientele.order_profile('2020-01-01', a) AS p, sum(a) AS plain_sum, avg(a) AS plain_avg FROM (VALUES
        (1, 1::numeric), (1, 2), (2, 1.0), (2, 2), (3, 1.50), (3, 2.5), (4, 0.001), (4, 1000000), (5, 0.0001), (5, 9999999999999), (6, 33.3333), (6, 0.0), (6, 1)) v (g, a) GROUP BY g) s
ORDER BY plain_sum;
-- Beyond bigint.
SELECT clientele.gross_spent(p) AS gross, clientele.aov(p) AS aov, clientele.typical_order_value(p) AS typical, clientele.typical_cv(p) AS typical_cv, clientele.order_value_cv(p) AS cv
FROM (SELECT clientele.order_profile('2020-01-01', 9999999999999.9999) AS p FROM generate_series(1, 3000)) s;
-- A median of two may need one decimal more.
SELECT clientele.typical_order_value(clientele.order_profile('2020-01-01', a)) AS typical FROM (VALUES (0, 1::numeric), (0, 2), (1, 1.00), (1, 2.01), (2, 0.0001), (2, 0.0002), (3, 1.10), (3, 1.30)) v (g, a) GROUP BY g ORDER BY g;

SELECT amount, left(pg_temp.refusal(format('SELECT clientele.order_profile(now(), %L::numeric)', amount)), 60) AS refusal
FROM unnest('{NaN,Infinity,-Infinity,10000000000000,-10000000000000,9999999999999.99995,-9999999999999.99995,1e30,1e1000,-1e1000}'::text[]) WITH ORDINALITY a (amount, i) ORDER BY i;

-- ---- Times ----

SELECT at, pg_temp.refusal(format('SELECT clientele.order_profile(%L::timestamptz, 1)', at)) AS refusal
FROM unnest(ARRAY['infinity', '-infinity', '10000-01-01 00:00+00', '0001-12-31 23:59:59.999999+00 BC', '4713-01-01 00:00+00 BC', '0001-01-01 00:00+00', '9999-12-31 23:59:59.999999+00']) WITH ORDINALITY a (at, i) ORDER BY i;
SELECT as_of, pg_temp.refusal(format('SELECT clientele.%s(pg_temp.one(1), %L)', f, as_of)) AS refusal
FROM unnest('{infinity,-infinity}'::text[]) as_of, unnest('{recency_days,tenure_days,age}'::text[]) WITH ORDINALITY f (f, i) ORDER BY as_of DESC, i;
SELECT clientele.recency_days(pg_temp.one(1), '2019-12-25') AS before, clientele.recency_days(pg_temp.one(1), '2020-01-01 23:59:59') AS same_day, clientele.recency_days(pg_temp.one(1), '2020-01-02') AS next_day,
    clientele.age(pg_temp.one(1), '294276-12-31') AS far_off, clientele.age(pg_temp.one(1), '4713-01-01 BC') AS long_ago;
-- The last so many days end with that of as_of; what is after it does not count.
SELECT days, array_agg(clientele.purchase_days_within(p, days, as_of) ORDER BY as_of) AS within
FROM (SELECT clientele.order_profile(d, 1, 'America/New_York') AS p FROM unnest('{2025-03-01 23:30-05,2025-03-02 00:30-05,2025-03-10 12:00-04,2025-03-10 18:00-04}'::timestamptz[]) d) o,
    unnest('{2025-02-28 12:00-05,2025-03-01 00:00-05,2025-03-02 23:59:59-05,2025-03-10 00:00-04,2025-03-11 00:00-04,2025-12-31 12:00-05}'::timestamptz[]) as_of,
    unnest('{0,1,2,9,10,365,2147483647}'::integer[]) days GROUP BY days ORDER BY days;
SELECT clientele.purchase_days_within(pg_temp.one(1), 30, '294276-12-31') AS far_off, clientele.purchase_days_within(pg_temp.one(1), 2147483647, '4713-01-01 BC') AS long_ago,
    clientele.purchase_days_within(pg_temp.one(-1), 30, '2020-01-02') AS refunds_alone, clientele.purchase_days_within(NULL, 30, now()) AS no_profile,
    clientele.purchase_days_within(pg_temp.one(1), NULL, now()) AS no_days, clientele.purchase_days_within(pg_temp.one(1), 30, NULL) AS no_time;
SELECT pg_temp.refusal($$SELECT clientele.purchase_days_within(pg_temp.one(1), -1, now())$$) AS negative, pg_temp.refusal($$SELECT clientele.purchase_days_within(pg_temp.one(1), 1, 'infinity')$$) AS endless;
-- Evening begins at 18:00, and only there; Saturday and Sunday are the weekend.
SELECT to_char(t, 'Dy HH24:MI:SS.US') AS local, clientele.evening_share(p) AS evening, clientele.weekend_share(p) AS weekend
FROM unnest('{2024-03-08 17:59:59.999999,2024-03-08 18:00,2024-03-08 23:59:59.999999,2024-03-09 00:00,2024-03-10 23:59:59.999999,2024-03-11 00:00}'::timestamp[]) t,
     LATERAL (SELECT clientele.order_profile(at, 1, 'America/Los_Angeles') AS p FROM (VALUES (t AT TIME ZONE 'America/Los_Angeles')) v (at)) s ORDER BY t;

-- ---- Zones ----

SELECT left(zone, 30) AS zone, left(pg_temp.refusal(format('SELECT clientele.order_profile(now(), 1, %L::text)', zone)), 60) AS refusal
FROM unnest(ARRAY['Mars/Olympus', 'CEST', 'PDT', 'UTC+3', 'FOO5BAR', '<+03>-3', 'EST4EDT,M3.2.0,M11.1.0', '+03:00', '3', '', ' UTC', '../UTC', 'Europe', repeat('x', 300), NULL]) WITH ORDINALITY z (zone, i) ORDER BY i;
SELECT pg_temp.refusal($$SELECT clientele.order_profile(now(), 1, zone) FROM unnest('{UTC,Europe/Berlin}'::text[]) zone$$);
SELECT pg_temp.refusal($$SELECT clientele.rollup(p) FROM profile_made$$) ~ '^22023: order profiles of different time zones cannot be merged' AS mixed;
SELECT pg_temp.refusal($$SELECT clientele.order_profile_merge(clientele.order_profile(now(), 1, 'Asia/Tokyo'), clientele.order_profile(now(), 1))$$);

-- ---- Few orders, or none ----

SELECT customer, clientele.orders(p) AS orders, clientele.purchase_days(p) AS days, clientele.refunds(p) AS refunds, clientele.first_order_at(p) AS first, clientele.last_order_at(p) AS last,
    clientele.gross_spent(p) AS gross, clientele.total_spent(p) AS total, clientele.aov(p) AS aov, clientele.typical_order_value(p) AS typical, clientele.typical_cv(p) AS typical_cv,
    clientele.last_order_value(p) AS last_value, clientele.order_value_cv(p) AS cv, clientele.recency_days(p, '2012-06-01') AS recency, clientele.tenure_days(p, '2012-06-01') AS tenure,
    clientele.mean_days_between_orders(p) AS mean_gap, clientele.median_days_between_orders(p) AS median_gap, clientele.evening_share(p) AS evening, clientele.weekend_share(p) AS weekend,
    clientele.repeat_purchases(p) AS x, clientele.last_purchase_age(p) AS t_x, clientele.age(p, '2012-06-01') AS t, clientele.repeat_day_value(p) AS repeat_value
FROM profile_made WHERE zone = 'UTC' AND customer BETWEEN 2001 AND 2005 ORDER BY customer;
SELECT count(*) AS accessors_of_null FROM pg_proc WHERE pronamespace = 'clientele'::regnamespace AND prokind = 'f' AND 'clientele.order_profile'::regtype = proargtypes[0] AND NOT proisstrict AND pronargs <= 2;

-- Sizes.
SELECT max(pg_column_size(p)) FILTER (WHERE clientele.orders(p) = 20) <= 300 AS twenty, bool_and(pg_column_size(p) <= 1024 + 2 * clientele.purchase_days(p)) AS all_of_them FROM profile_made;

DROP VIEW profile_parallel, profile_parallel_total;
DROP TABLE profile_zones, profile_orders, profile_made, profile_plain, profile_parts, profile_toasted;
