-- RFM scores of a store: breaks that refresh computes or the owner sets, and the customary segments.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset null '(null)'
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE SCHEMA rfm_store;
SET search_path = rfm_store, public;

CREATE TABLE customers (customer_id int PRIMARY KEY);
INSERT INTO customers SELECT generate_series(1, 120);
CREATE TABLE orders (customer_id int, ordered_at timestamptz, amount numeric(12, 2));
SELECT clientele.create_store('rfm "ä', orders => 'orders', customers => 'customers');
SET clientele.store = 'rfm "ä';
\set shop '"rfm ""ä"'

-- Before the first refresh, and as long as nobody has ordered, there are no breaks and no scores.
SELECT * FROM clientele.rfm_breaks();
CALL clientele.refresh('rfm "ä');
SELECT * FROM clientele.rfm_breaks();
SELECT count(*) AS customers, count(r_score) AS r, count(f_score) AS f, count(m_score) AS m FROM :shop.customers;

-- Quintiles by default: of customers with orders. Equal values get equal scores, where NTILE tears them apart.
INSERT INTO orders SELECT c, date_trunc('day', now()) - make_interval(days => c % 10 + 30 * k), 10 * (1 + c % 7) + 0.01 * k
    FROM generate_series(1, 100) c, generate_series(0, c % 5) k;
INSERT INTO orders VALUES (101, date_trunc('day', now()), -5);  -- a refund only: no order
CALL clientele.refresh('rfm "ä');
SELECT f, m FROM clientele.rfm_breaks('rfm "ä');
SELECT breaks_set, breaks_at <= now() AS computed, (breaks_r, breaks_f, breaks_m) = clientele.rfm_breaks() AS shown FROM :shop.scoring;
SELECT (b.r, b.f, b.m) = (percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY c.recency_days),
    percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY c.orders),
    percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY c.total_spent::float8)) AS quintiles
FROM :shop.customers c, clientele.rfm_breaks() b WHERE c.orders > 0 GROUP BY b.r, b.f, b.m;
SELECT count(*) AS customers, count(r_score) AS r, count(f_score) AS f, count(m_score) AS m FROM :shop.customers;
SELECT orders, count(DISTINCT f_score) AS scores, min(f_score) AS f_score, count(*) FROM :shop.customers GROUP BY 1 ORDER BY 1;
-- The columns are what the toolkit gives for the figures beside them, also as of another time.
SELECT count(*) AS customers, count(*) FILTER (WHERE (c.r_score, c.f_score, c.m_score) IS DISTINCT FROM (s.r, CASE WHEN orders > 0 THEN s.f END, CASE WHEN orders > 0 THEN s.m END)) AS different
FROM :shop.customers c, clientele.rfm_breaks() b, clientele.rfm_scores(c.recency_days, c.orders, c.total_spent, b) s;
SELECT count(*) AS customers, count(*) FILTER (WHERE (c.r_score, c.f_score, c.m_score) IS DISTINCT FROM (s.r, CASE WHEN orders > 0 THEN s.f END, CASE WHEN orders > 0 THEN s.m END)) AS different, count(r_score) AS scored
FROM :shop.customers_at(now() - interval '30 days') c, clientele.rfm_breaks() b, clientele.rfm_scores(c.recency_days, c.orders, c.total_spent, b) s;
-- One customer's row says the same as all customers' rows.
SELECT bool_and((SELECT (o.r_score, o.f_score, o.m_score) FROM :shop.customers o WHERE o.customer_id = c.customer_id) IS NOT DISTINCT FROM (c.r_score, c.f_score, c.m_score)) AS same
FROM :shop.customers c WHERE customer_id IN (1, 7, 50, 100, 101, 110);
-- New orders move a customer's scores at the next refresh of the profiles; the breaks move with the population.
INSERT INTO orders SELECT 110, date_trunc('day', now()), 100 + k FROM generate_series(1, 20) k;
CALL clientele.refresh('rfm "ä');
SELECT r_score, f_score, m_score FROM :shop.customers WHERE customer_id = 110;

-- ---- Breaks set by hand ----

SELECT clientele.set_rfm_breaks('rfm "ä', '{2,4,6,8}', '[0:3]={2,3,4,5}', '{20,40,60,80.5}');
SELECT *, b = (SELECT (breaks_r, breaks_f, breaks_m)::clientele.rfm_breaks FROM :shop.scoring) AS stored FROM clientele.rfm_breaks() b;
SELECT breaks_set FROM :shop.scoring;
SELECT r_score, f_score, m_score, count(*) FROM :shop.customers WHERE customer_id <= 10 OR customer_id > 118 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
CALL clientele.refresh('rfm "ä', true);
SELECT * FROM clientele.rfm_breaks();
-- Back to the quintiles, at once.
SELECT clientele.set_rfm_breaks('rfm "ä', NULL, NULL, NULL);
SELECT f, m FROM clientele.rfm_breaks();
SELECT breaks_set FROM :shop.scoring;

-- Refusals, which change nothing.
SELECT clientele.set_rfm_breaks('rfm "ä', NULL, '{1,2,3,4}', '{1,2,3,4}');
SELECT clientele.set_rfm_breaks('rfm "ä', '{1,2,3,4}', '{1,2,3,4}', NULL);
SELECT clientele.set_rfm_breaks('rfm "ä', '{1,2,3}', '{1,2,3,4}', '{1,2,3,4}');
SELECT clientele.set_rfm_breaks('rfm "ä', '{1,2,3,4}', '{4,3,2,1}', '{1,2,3,4}');
SELECT clientele.set_rfm_breaks('rfm "ä', '{1,2,3,4}', '{1,2,3,4}', '{1,2,3,NaN}');
SELECT clientele.set_rfm_breaks('rfm "ä', '{1,2,3,4}', '{1,2,3,4}', '{1,2,3,NULL}');
SELECT clientele.set_rfm_breaks('rfm "ä', '{1,2,3,4}', '{1,2,3,4}', '{{1,2},{3,4}}');
SELECT clientele.set_rfm_breaks(NULL, '{1,2,3,4}', '{1,2,3,4}', '{1,2,3,4}');
SELECT clientele.set_rfm_breaks('elsewhere', '{1,2,3,4}', '{1,2,3,4}', '{1,2,3,4}');
SELECT * FROM clientele.rfm_breaks('elsewhere');
SELECT breaks_set FROM :shop.scoring;

-- Only the owner sets them; who may read the store reads them.
CREATE ROLE rfm_reader;
GRANT USAGE ON SCHEMA :shop, rfm_store TO rfm_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA :shop TO rfm_reader;
GRANT SELECT ON orders, customers TO rfm_reader;
SET ROLE rfm_reader;
SELECT f IS NOT NULL AS known FROM clientele.rfm_breaks('rfm "ä');
SELECT count(m_score) FROM :shop.customers;
SELECT clientele.set_rfm_breaks('rfm "ä', '{1,2,3,4}', '{1,2,3,4}', '{1,2,3,4}');
SELECT clientele.add_rfm_segments('rfm "ä');
RESET ROLE;
DROP OWNED BY rfm_reader;
DROP ROLE rfm_reader;

-- ---- The customary segments ----

SELECT clientele.set_rfm_breaks('rfm "ä', '{2,4,6,8}', '{2,3,4,5}', '{20,40,60,80.5}');
SELECT clientele.add_rfm_segments('rfm "ä');
SELECT priority, segment, rule, description, sensitive FROM :shop.segment_rules WHERE segmentation = 'rfm' ORDER BY priority;
SELECT segmentation, default_segment FROM :shop.segmentations ORDER BY 1;
SELECT s.segment, count(*) FROM :shop.segments s WHERE s.segmentation = 'rfm' GROUP BY 1 ORDER BY 1;
SELECT clientele.assign_segment(119, segmentation => 'rfm') AS without_orders, clientele.segments_of(119, segmentation => 'rfm');
SELECT priority, segment, outcome, assigned FROM clientele.explain_segment(119, segmentation => 'rfm') WHERE priority <= 20 OR priority IS NULL;

-- All 125 combinations of scores, by the generated rules and by the bounds as they are documented.
CREATE TABLE scores AS SELECT r, f, m FROM generate_series(1, 5) r, generate_series(1, 5) f, generate_series(1, 5) m;
CREATE TABLE bounds (nth int, segment text, r int4range, fm int4range);
INSERT INTO bounds VALUES (1, 'Champions', '[4,5]', '[4,5]'), (2, 'Loyal Customers', '[2,5]', '[3,5]'), (3, 'Potential Loyalist', '[3,5]', '[1,3]'),
    (4, 'New Customers', '[4,5]', '[1,1]'), (5, 'Promising', '[3,4]', '[1,1]'), (6, 'Need Attention', '[2,3]', '[2,3]'), (7, 'About To Sleep', '[2,3]', '[1,2]'),
    (8, 'At Risk', '[1,2]', '[2,5]'), (9, 'Can''t Lose Them', '[1,1]', '[4,5]'), (10, 'Lost', '[1,2]', '[1,2]'), (11, 'Hibernating', '[1,2]', '[1,2]');
SELECT 'SELECT count(*) AS rules_that_differ FROM scores s (r_score, f_score, m_score), bounds b WHERE CASE b.segment '
    || string_agg(format('WHEN %L THEN %s', segment, rule), ' ') || ' END IS DISTINCT FROM (b.r @> r_score AND b.fm @> f_score AND b.fm @> m_score)' AS query
FROM :shop.segment_rules WHERE segmentation = 'rfm' \gset
:query;
SELECT count(*) FROM (SELECT segment, nth * 10 FROM bounds EXCEPT SELECT segment, priority FROM :shop.segment_rules WHERE segmentation = 'rfm') x;

-- They are ordinary rules.
SELECT clientele.define_segment('rfm "ä', 'Lost', 'r_score = 1 AND f_score = 1 AND m_score = 1', segmentation => 'rfm');
SELECT clientele.drop_segment('rfm "ä', 'Can''t Lose Them', segmentation => 'rfm');
SELECT clientele.set_default_segment('rfm "ä', 'Everybody else', segmentation => 'rfm');
SELECT priority, segment, description FROM :shop.segment_rules WHERE segmentation = 'rfm' AND priority >= 80 ORDER BY priority;
-- Never over rules that are there.
SELECT clientele.add_rfm_segments('rfm "ä');
SELECT clientele.define_segment('rfm "ä', 'big spenders', 'm_score = 5');
SELECT clientele.add_rfm_segments('rfm "ä', 'main');
SELECT count(*) FROM :shop.segment_rules WHERE segmentation = 'main';
-- In main, as long as there are none; a default segment that has a name keeps it. Offers and contents can then use them.
SELECT clientele.drop_segment('rfm "ä', 'big spenders');
SELECT clientele.set_default_segment('rfm "ä', 'average');
SELECT clientele.add_rfm_segments('rfm "ä', segmentation => 'main');
SELECT segmentation, default_segment FROM :shop.segmentations ORDER BY 1;
SELECT segment, count(*) FROM :shop.customers GROUP BY 1 ORDER BY 1;
SELECT clientele.define_offer('rfm "ä', 'win-back', objective => 'win_back', segments => '{At Risk}', reward_rate => 0.1);
SELECT clientele.add_rfm_segments('rfm "ä', NULL);
SELECT clientele.add_rfm_segments('rfm "ä', ' ');
SELECT clientele.add_rfm_segments(NULL);

SELECT clientele.drop_store('rfm "ä');
DROP SCHEMA rfm_store CASCADE;
