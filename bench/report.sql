-- Medians and ratios, with the goals beside them.

\set ON_ERROR_STOP on
\pset null ''

CREATE TEMP TABLE median AS
SELECT suite, item, unit, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median, min(value), max(value), count(*) AS runs
FROM bench.results WHERE run > 0 GROUP BY suite, item, unit;
-- What writing takes: the refresh without the count.
INSERT INTO median
SELECT r.suite, r.item || '_less_count', 's', r.median - c.median, NULL, NULL, r.runs
FROM median AS r, median AS c WHERE r.suite = 'refresh, serial' AND r.item IN ('first', 'again') AND (c.suite, c.item) = ('count, serial', 'count');

CREATE FUNCTION pg_temp.figure(value float8, unit text) RETURNS text LANGUAGE sql AS
$$ SELECT round(value::numeric, CASE unit WHEN 'tps' THEN 0 ELSE 3 END) || ' ' || unit $$;

\echo
\echo 'Medians, and how far the runs spread; tps: transactions a second'
SELECT suite, item, runs, pg_temp.figure(median, unit) AS median, round((100 * (max - min) / median)::numeric, 1) || ' %' AS spread
FROM median ORDER BY suite, median DESC;

\echo 'Goals: ratios of medians'
CREATE TEMP TABLE claim (nth serial, suite text, item text, against text, against_suite text, goal float8);
INSERT INTO claim (suite, item, against, goal)
SELECT 'aggregate, ' || mode, item, against, goal
FROM (VALUES ('serial'), ('parallel')) AS m (mode),
     (VALUES ('profile', 'plain', 1.0), ('profile', 'scan', NULL), ('profile', 'group_count', NULL), ('profile_zone', 'plain', NULL)) AS c (item, against, goal);
INSERT INTO claim (suite, item, against, goal) VALUES ('aggregate, work_mem 4MB', 'profile', 'plain', NULL);
INSERT INTO claim (suite, item, against, against_suite, goal)
SELECT 'aggregate, ' || mode, item, 'analyst', 'analyst, ' || mode, 0.2
FROM (VALUES ('serial'), ('parallel')) AS m (mode), (VALUES ('profile'), ('profile_columns')) AS c (item);
INSERT INTO claim (suite, item, against, goal)
SELECT 'all, ' || mode, item, 'all_profiles', goal
FROM (VALUES ('serial'), ('parallel')) AS m (mode),
     (VALUES ('all_offers', 5.0), ('all_customers', NULL), ('all_segments', NULL), ('all_campaign', NULL), ('all_offer_decisions', NULL), ('all_join', NULL)) AS c (item, goal);
INSERT INTO claim (suite, item, against, goal)
SELECT 'look-ups, ' || clients, item, against, goal
FROM (VALUES (1), (4)) AS n (clients), (VALUES ('columns'), ('sizes')) AS a (against),
     (VALUES ('plpgsql', NULL), ('segment', 0.8), ('segment_bigint', 0.8), ('offer', 0.6), ('offer_bigint', 0.6)) AS c (item, goal);
INSERT INTO claim (suite, item, against, goal)
SELECT s.suite, item, 'plain', CASE item WHEN 'live' THEN 0.85 END
FROM (SELECT DISTINCT suite FROM median WHERE suite LIKE 'insert, %' ORDER BY 1) AS s,
     (VALUES ('live'), ('unfolded'), ('noop'), ('upsert')) AS c (item);
INSERT INTO claim (suite, item, against, goal)
SELECT s.suite, item, 'plain', CASE item WHEN 'live' THEN goal END
FROM (SELECT DISTINCT suite, CASE WHEN suite = 'copy' THEN 1.6 WHEN suite LIKE 'insert of 100 rows%' THEN 1.5 END AS goal
      FROM median WHERE suite ~ '^(copy$|insert of|update of|1,000 inserts)' ORDER BY 1) AS s,
     (VALUES ('live'), ('unfolded'), ('upsert')) AS c (item);
INSERT INTO claim (suite, item, against)
SELECT DISTINCT suite, 'live', 'batch' FROM median WHERE suite LIKE 'read %' ORDER BY 1;
INSERT INTO claim (suite, item, against, against_suite, goal)
VALUES ('count, serial', 'count', 'duckdb_profile', 'count, serial', 1.0), ('count, serial', 'count_columns', 'duckdb_profile', 'count, serial', NULL),
       ('count, serial', 'count', 'duckdb_cheap', 'count, serial', NULL), ('count, serial', 'count_zone', 'count', 'count, serial', NULL),
       ('count, serial, work_mem 4MB', 'count', 'count', 'count, serial', NULL), ('count, serial, work_mem 64MB', 'count', 'count', 'count, serial', NULL),
       ('count, parallel', 'count', 'count', 'count, serial', NULL);
INSERT INTO claim (suite, item, against, goal)
VALUES ('refresh, serial', 'first', 'analyst_table_unlogged', 0.12), ('refresh, serial', 'first', 'analyst_table', 0.12),
       ('refresh, serial', 'again', 'analyst_table_unlogged', NULL),
       ('refresh, serial', 'after_new', 'full_after_new', 0.1), ('refresh, serial', 'after_new', 'first', NULL),
       ('refresh, serial', 'after_new', 'again', NULL), ('refresh, serial', 'after_updated', 'full_after_new', NULL);
INSERT INTO claim (suite, item, against, against_suite, goal)
VALUES ('fits, serial', 'fit_bgnbd', 'scipy', NULL, 0.1), ('fits, parallel', 'fit_bgnbd', 'scipy', 'fits, serial', NULL),
       ('fits, serial', 'fit_mbgnbd', 'fit_bgnbd', NULL, NULL), ('fits, serial', 'fit_pareto_nbd', 'fit_bgnbd', NULL, NULL);

SELECT c.suite, c.item, pg_temp.figure(m.median, m.unit) AS median, 'against ' || c.against AS against,
       pg_temp.figure(a.median, a.unit) AS median, round((m.median / a.median)::numeric, 2) AS ratio,
       CASE m.unit WHEN 'tps' THEN '>= ' ELSE '<= ' END || c.goal AS goal,
       CASE WHEN CASE m.unit WHEN 'tps' THEN m.median >= c.goal * a.median ELSE m.median <= c.goal * a.median END THEN 'met'
            WHEN c.goal IS NOT NULL THEN 'MISSED' END AS verdict
FROM claim AS c
JOIN median AS m ON (m.suite, m.item) = (c.suite, c.item)
JOIN median AS a ON (a.suite, a.item) = (coalesce(c.against_suite, c.suite), c.against)
ORDER BY c.nth;

\if :shop
SELECT m.suite, m.item, round((1e6 * m.median / n.customers)::numeric, 2) AS "µs a customer",
       CASE m.item WHEN 'all_join' THEN '<= 10' END AS goal,
       CASE WHEN m.item <> 'all_join' THEN NULL WHEN 1e6 * m.median <= 10 * n.customers THEN 'met' ELSE 'MISSED' END AS verdict
FROM median AS m, (SELECT count(*) FROM customers) AS n (customers)
WHERE m.suite LIKE 'all,%'
ORDER BY m.suite, m.item = 'all_join' DESC, m.item;

\echo 'Bytes of a profile: as stored in shop.profiles, and as the aggregate returns it'
CREATE TEMP TABLE size AS
SELECT s.orders, s.days, s.stored, pg_column_size(r.profile) AS returned
FROM (SELECT customer_id, clientele.orders(profile) AS orders, clientele.purchase_days(profile) AS days, pg_column_size(profile) AS stored
      FROM shop.profiles) AS s
JOIN (SELECT customer_id, clientele.order_profile(ordered_at, amount, 'America/New_York') AS profile FROM orders GROUP BY 1) AS r USING (customer_id);
WITH measured AS (
    SELECT customers, form, bytes, orders
    FROM size, LATERAL (VALUES ('stored', stored), ('returned', returned)) AS f (form, bytes),
         LATERAL (VALUES ('all'), (CASE orders WHEN 1 THEN '1 order' WHEN 20 THEN '20 orders' END)) AS g (customers)
    WHERE customers IS NOT NULL)
SELECT q.customers, q.form, q.profiles, q.least, p[1] AS "1 %", p[2] AS "25 %", p[3] AS median, p[4] AS "75 %", p[5] AS "99 %", q.most,
       CASE q.customers WHEN '20 orders' THEN '<= 300' END AS goal,
       CASE WHEN q.customers <> '20 orders' THEN NULL WHEN q.most <= 300 THEN 'met' ELSE 'MISSED' END AS verdict
FROM (SELECT customers, form, count(*) AS profiles, min(bytes) AS least, max(bytes) AS most,
             percentile_disc('{0.01,0.25,0.5,0.75,0.99}'::float8[]) WITHIN GROUP (ORDER BY bytes) AS p
      FROM measured GROUP BY 1, 2) AS q
ORDER BY q.customers, q.form;

\echo 'What the figures are of'
SELECT s.segment, s.customers, s.orders, round(s.aov, 2) AS aov, o.offers
FROM shop.segment_sizes AS s LEFT JOIN (SELECT segment, count(*) AS offers FROM shop.offers GROUP BY 1) AS o USING (segment);
SELECT program, status, reason, customers FROM shop.offer_summary ORDER BY 1, 2, 4 DESC;
SELECT c.relname, c.reltuples::bigint AS rows, pg_size_pretty(pg_table_size(c.oid)) AS size
FROM pg_class AS c WHERE c.oid IN ('orders'::regclass, 'order_items'::regclass, 'customers'::regclass, 'shop.profiles'::regclass);
\endif
