-- The published scores and segments of the R package rfm over its data set rfm_data_orders, through a store.
-- CLIENTELE_DATA is the directory with the file; without it there is nothing to do.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
\getenv data CLIENTELE_DATA
\if :{?data}
\else
\echo 'CLIENTELE_DATA is not set: the tests on real data are skipped.'
\quit
\endif
CREATE SCHEMA rfm_published;
SET search_path = rfm_published, public;
CREATE TABLE orders (customer_id text, ordered_at date, revenue numeric, first_name text, last_name text, email text);
\set load `printf '%s' "\\copy orders FROM '$CLIENTELE_DATA/rfm_orders.csv' CSV HEADER"`
:load
SELECT clientele.create_store('published', orders => 'rfm_published.orders', amount => 'revenue');
CALL clientele.refresh('published');
SELECT count(*) AS customers, sum(orders) AS orders, sum(total_spent) AS revenue FROM published.customers;

-- The package's edges are the quintiles + 1. The figures' edges: 115, 181, 297.4, 482 days; 4, 5, 6, 8 orders; 255.8, 382, 506.4, 666.
SELECT percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY recency_days) AS r, (SELECT f FROM clientele.rfm_breaks('published')), (SELECT m FROM clientele.rfm_breaks('published'))
FROM published.customers_at('2006-12-31');
SELECT clientele.set_rfm_breaks('published', '{115,181,297.4000000000001,482}', '{4,5,6,8}', '{255.8,382,506.4000000000001,666}');
SELECT clientele.add_rfm_segments('published');
CREATE TABLE scored AS SELECT * FROM published.customers_at('2006-12-31 12:00');
CREATE TABLE segments AS SELECT * FROM published.segments_at('2006-12-31 12:00');
SELECT score, count(*) FILTER (WHERE r_score = score) AS r, count(*) FILTER (WHERE f_score = score) AS f, count(*) FILTER (WHERE m_score = score) AS m FROM scored, generate_series(1, 5) score GROUP BY 1 ORDER BY 1;
SELECT customer_id, 100 * r_score + 10 * f_score + m_score AS score FROM scored
WHERE customer_id IN ('Abbey O''Reilly', 'Add Senger', 'Aden Lesch', 'Aden Murphy', 'Admiral Senger') ORDER BY 1;
SELECT round(sum(mean)) AS sum_of_cell_means FROM (SELECT avg(total_spent) AS mean FROM scored GROUP BY r_score, f_score) cells;
SELECT s.segment, count(*) AS customers, sum(orders) AS orders, sum(total_spent) AS revenue, round(sum(total_spent) / sum(orders), 2) AS aov
FROM scored JOIN segments s USING (customer_id) WHERE s.segmentation = 'rfm' GROUP BY 1 ORDER BY 1;
-- The same from the toolkit alone, without a store.
SELECT count(*) AS customers, count(*) FILTER (WHERE (s.r, s.f, s.m) = (r_score, f_score, m_score)) AS same
FROM (SELECT customer_id, date '2006-12-31' - max(ordered_at) AS recency, count(*) AS orders, sum(revenue) AS revenue FROM orders GROUP BY 1) o JOIN scored USING (customer_id),
    clientele.rfm_scores(o.recency, o.orders, o.revenue, ROW('{115,181,297.4000000000001,482}', '{4,5,6,8}', '{255.8,382,506.4000000000001,666}')) s;

SELECT clientele.drop_store('published');
DROP SCHEMA rfm_published CASCADE;
