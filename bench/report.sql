-- Medians and ratios, with the goals beside them.

\set ON_ERROR_STOP on
\pset null ''

CREATE TEMP TABLE median AS
SELECT suite, item, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median, min(value), max(value), count(*) AS runs
FROM bench.results GROUP BY suite, item;

\echo
\echo 'Medians (seconds; look-ups: transactions a second), and how far the runs spread'
SELECT suite, item, runs,
       CASE WHEN suite LIKE 'look-ups%' THEN round(median::numeric) ELSE round(median::numeric, 3) END AS median,
       round((100 * (max - min) / median)::numeric, 1) || ' %' AS spread
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

SELECT c.suite, c.item, round(m.median::numeric, 3) AS seconds, 'against ' || c.against AS against,
       round(a.median::numeric, 3) AS seconds, round((m.median / a.median)::numeric, 2) AS ratio, '<= ' || c.goal AS goal,
       CASE WHEN m.median <= c.goal * a.median THEN 'met' WHEN c.goal IS NOT NULL THEN 'MISSED' END AS verdict
FROM claim AS c
JOIN median AS m ON (m.suite, m.item) = (c.suite, c.item)
JOIN median AS a ON (a.suite, a.item) = (coalesce(c.against_suite, c.suite), c.against)
ORDER BY c.nth;

SELECT m.suite || ' at a time' AS suite, m.item, round(m.median::numeric) AS tps, 'against ' || a.item AS against, round(a.median::numeric) AS tps,
       round((m.median / a.median)::numeric, 2) AS ratio, '>= ' || goal AS goal,
       CASE WHEN m.median >= goal * a.median THEN 'met' WHEN goal IS NOT NULL THEN 'MISSED' END AS verdict
FROM median AS m
JOIN (VALUES (1, 'plpgsql', NULL), (2, 'segment', 0.8), (3, 'segment_bigint', 0.8), (4, 'offer', 0.6), (5, 'offer_bigint', 0.6)) AS c (nth, item, goal) USING (item)
JOIN median AS a ON a.suite = m.suite AND a.item IN ('columns', 'sizes')
WHERE m.suite LIKE 'look-ups%'
ORDER BY m.suite, a.item, c.nth;

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
