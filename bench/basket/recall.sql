-- Recall of ten suggestions: how often the product that was hidden from a basket is among them.
SET client_min_messages = warning;
SET timezone = 'UTC';
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
SELECT clientele.create_store('shop', 'orders', items => 'lines', item_product => 'product_id', item_quantity => 'quantity', products => 'products', currency => 'GBP', time_zone => 'Europe/London') \g /dev/null
SELECT orders, lines, products, pairs, left_out FROM clientele.learn_affinity('shop', NULL);

-- One product of each order, by a hash of its number.
CREATE TABLE tests AS
SELECT order_id, customer_id, products[1 + floor(clientele.bucket('hidden', order_id) * cardinality(products))::int] AS hidden,
    array_remove(products, products[1 + floor(clientele.bucket('hidden', order_id) * cardinality(products))::int]) AS basket, value
FROM (SELECT order_id, min(customer_id) AS customer_id, array_agg(DISTINCT product_id ORDER BY product_id) AS products, sum(amount) AS value
    FROM all_lines WHERE invoiced_at >= '2011-09-01' GROUP BY order_id) o WHERE cardinality(products) >= 3 AND clientele.bucket('sample', order_id) < :share;
CREATE TABLE answers (method text, order_id text, suggested text[]);
INSERT INTO answers SELECT 'suggest_fill', t.order_id, (SELECT array_agg(s.products[1]) FROM clientele.suggest_fill(t.customer_id, t.basket, 'shop', most => 10) s) FROM tests t;
INSERT INTO answers SELECT 'suggest_fill, nobody known', t.order_id, (SELECT array_agg(s.products[1]) FROM clientele.suggest_fill(-1, t.basket, 'shop', most => 10) s) FROM tests t;

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

-- Coverage: what share of all products is suggested to anybody.
SELECT a.method, count(*) AS orders, round(avg((t.hidden = ANY (a.suggested))::int), 4) AS recall_at_10,
    round(avg((t.hidden = ANY (a.suggested))::int) / nullif(min(p.recall), 0), 2) AS by_most_popular,
    round((SELECT count(DISTINCT u) FROM answers o, unnest(o.suggested) u WHERE o.method = a.method)::numeric / (SELECT count(*) FROM popular), 3) AS coverage
FROM answers a JOIN tests t USING (order_id)
CROSS JOIN (SELECT avg((t.hidden = ANY (a.suggested))::int) AS recall FROM answers a JOIN tests t USING (order_id) WHERE a.method = 'most popular') p
GROUP BY a.method ORDER BY 3;

-- A gap of 20 % of the order.
SELECT count(*) AS orders, count(s.price) AS filled, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY s.overshoot / g.gap))::numeric, 3) AS median_overshoot_by_gap,
    round((percentile_cont(0.5) WITHIN GROUP (ORDER BY s.overshoot))::numeric, 2) AS median_overshoot, round((percentile_cont(0.5) WITHIN GROUP (ORDER BY g.gap))::numeric, 2) AS median_gap,
    count(*) FILTER (WHERE cardinality(s.products) = 2) AS pairs
FROM tests t CROSS JOIN LATERAL (SELECT round(0.2 * t.value, 2) AS gap) g
LEFT JOIN LATERAL (SELECT * FROM clientele.suggest_fill(t.customer_id, t.basket, 'shop', g.gap, 1)) s ON true;
