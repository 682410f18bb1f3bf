-- About eight lines an order, geometric; products by a power law, so that the most popular one is in one order of eight.
SET client_min_messages = warning;
SELECT setseed(0.5) \g /dev/null
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10,2));
INSERT INTO orders SELECT o, 1 + floor(random() * :orders / 8)::int, now() - random() * interval '360 days', 40
    FROM generate_series(1, :orders) o;
CREATE TABLE lines (order_id int, category text, amount numeric(10,2), product_id int);
INSERT INTO lines SELECT o.order_id, 'c' || p.p % 10, 5, p.p
    FROM (SELECT order_id, 1 + floor(-ln(1 - random()) * 7.5)::int AS lines FROM orders) o CROSS JOIN LATERAL generate_series(1, o.lines) i
    CROSS JOIN LATERAL (SELECT 1 + floor(20000 * power(random(), 2.5) + 0 * i)::int) p (p);
CREATE TABLE products (product_id int PRIMARY KEY, name text, price numeric(10,2), available boolean);
INSERT INTO products SELECT p, 'Product ' || p, 1 + p * 7 % 6000 / 100.0, p % 20 > 0 FROM generate_series(1, 20000) p;
CREATE INDEX ON orders (customer_id);
CREATE INDEX ON lines (order_id);
VACUUM ANALYZE orders;
VACUUM ANALYZE lines;
VACUUM ANALYZE products;
SELECT clientele.create_store('shop', 'orders', items => 'lines', item_product => 'product_id', products => 'products', product_available => 'available') \g /dev/null
CHECKPOINT;
