-- suggest_fill() on real orders: UCI Online Retail, split by time. One product of each order is hidden; is it among ten suggestions?
-- CLIENTELE_DATA is the directory with the file; without it there is nothing to do. bench/basket.sh recall asks for all orders.
SET client_min_messages = warning;
SET timezone = 'UTC';
\getenv data CLIENTELE_DATA
\if :{?data}
\else
\echo 'CLIENTELE_DATA is not set: the tests on real data are skipped.'
\quit
\endif
CREATE SCHEMA suggest_data;
SET search_path = suggest_data, public;
CREATE TABLE raw (invoice text, stock_code text, description text, quantity int, invoiced_at timestamp, unit_price numeric, customer numeric, country text);
\set load `printf '%s' "\\copy raw FROM PROGRAM 'gzip -dc \"$CLIENTELE_DATA/online_retail.csv.gz\"' CSV HEADER"`
:load
-- A product costs what it mostly does.
CREATE TABLE products AS SELECT stock_code AS product_id, min(description) AS name, mode() WITHIN GROUP (ORDER BY unit_price) AS price
    FROM raw WHERE quantity > 0 AND unit_price > 0 GROUP BY stock_code;
ALTER TABLE products ADD PRIMARY KEY (product_id);
CREATE TABLE all_lines AS SELECT invoice AS order_id, stock_code AS product_id, quantity, unit_price * quantity AS amount, 'all'::text AS category,
    customer::int AS customer_id, invoiced_at FROM raw WHERE customer IS NOT NULL AND invoice NOT LIKE 'C%' AND quantity > 0 AND unit_price > 0;
CREATE TABLE lines AS SELECT * FROM all_lines WHERE invoiced_at < '2011-09-01';
CREATE TABLE orders AS SELECT order_id, min(customer_id) AS customer_id, min(invoiced_at) AS ordered_at, sum(amount) AS amount FROM lines GROUP BY order_id;
CREATE INDEX ON orders (customer_id);
CREATE INDEX ON lines (order_id);
ANALYZE;
SELECT clientele.create_store('uci', 'orders', items => 'lines', item_product => 'product_id', item_quantity => 'quantity', products => 'products', currency => 'GBP', time_zone => 'Europe/London');
SELECT orders, lines, products, pairs, left_out FROM clientele.learn_affinity('uci', NULL);

-- One product of each order, by a hash of its number.
CREATE TABLE tests AS
SELECT order_id, customer_id, products[1 + floor(clientele.bucket('hidden', order_id) * cardinality(products))::int] AS hidden,
    array_remove(products, products[1 + floor(clientele.bucket('hidden', order_id) * cardinality(products))::int]) AS basket, value
FROM (SELECT order_id, min(customer_id) AS customer_id, array_agg(DISTINCT product_id ORDER BY product_id) AS products, sum(amount) AS value
    FROM all_lines WHERE invoiced_at >= '2011-09-01' GROUP BY order_id) o WHERE cardinality(products) >= 3 AND clientele.bucket('sample', order_id) < 0.1;
CREATE TABLE answers (method text, order_id text, suggested text[]);
INSERT INTO answers SELECT 'suggest_fill', t.order_id, (SELECT array_agg(s.products[1]) FROM clientele.suggest_fill(t.customer_id, t.basket, 'uci', most => 10) s) FROM tests t;

-- The ten most popular that are not in the basket.
CREATE TABLE popular AS SELECT product_id, count(DISTINCT order_id) AS orders FROM lines GROUP BY 1;
INSERT INTO answers SELECT 'most popular', t.order_id, (SELECT array_agg(p.product_id) FROM (SELECT product_id FROM popular p
    WHERE p.product_id <> ALL (t.basket) ORDER BY p.orders DESC, p.product_id LIMIT 10) p) FROM tests t;

-- Item-to-item: the cosine of all pairs, added up over the basket (Linden, Smith and York 2003).
CREATE TABLE bought AS SELECT DISTINCT order_id, product_id FROM lines;
CREATE TABLE cosines AS SELECT a.product_id, b.product_id AS other, count(*) / sqrt(min(x.orders)::float8 * min(y.orders)) AS cosine
    FROM bought a JOIN bought b ON b.order_id = a.order_id AND b.product_id <> a.product_id
    JOIN popular x ON x.product_id = a.product_id JOIN popular y ON y.product_id = b.product_id GROUP BY 1, 2;
CREATE INDEX ON cosines (product_id);
ANALYZE cosines;
INSERT INTO answers SELECT 'item-to-item cosine', t.order_id, (SELECT array_agg(c.other) FROM (SELECT c.other FROM cosines c
    WHERE c.product_id = ANY (t.basket) AND c.other <> ALL (t.basket) GROUP BY c.other ORDER BY sum(c.cosine) DESC, c.other LIMIT 10) c) FROM tests t;

WITH recalls AS (SELECT a.method, avg((t.hidden = ANY (a.suggested))::int) AS recall FROM answers a JOIN tests t USING (order_id) GROUP BY a.method)
SELECT s.recall >= 3 * p.recall AS three_times_the_most_popular, s.recall >= c.recall AS no_less_than_plain_cosine, s.recall > 0.2 AS useful
FROM recalls s, recalls p, recalls c WHERE s.method = 'suggest_fill' AND p.method = 'most popular' AND c.method = 'item-to-item cosine';
-- A gap of 20 % of the order: mostly it can be filled, though these orders are large and their products cheap, with less to spare than half of it.
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY s.overshoot / g.gap) < 0.5 AS little_to_spare, bool_and(s.price >= g.gap) AS closed, avg((s.price IS NOT NULL)::int) > 0.8 AS mostly
FROM tests t CROSS JOIN LATERAL (SELECT round(0.2 * t.value, 2) AS gap) g LEFT JOIN LATERAL (SELECT * FROM clientele.suggest_fill(t.customer_id, t.basket, 'uci', g.gap, 1)) s ON true;
SELECT clientele.drop_store('uci');
DROP SCHEMA suggest_data CASCADE;
