-- Keys that should be unique and are not: said at once where that is cheap, and found by check_store.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET search_path = public;
\set SHOW_CONTEXT never

-- ---- Customers ----

CREATE TABLE people (customer_id int, name text);
INSERT INTO people VALUES (1, 'Ann'), (2, 'Ben'), (3, 'Cleo');
CREATE VIEW customers AS SELECT * FROM people;
CREATE TABLE visits (customer_id int, ordered_at timestamptz, amount numeric);
INSERT INTO visits VALUES (1, '2025-03-01', 40), (3, '2025-03-01', 40);
SELECT clientele.create_store('refused', orders => 'visits', customers => 'people');
SELECT clientele.create_store('shop', orders => 'visits', customers => 'customers');
CALL clientele.refresh('shop');
SELECT * FROM clientele.check_store('shop');
INSERT INTO people VALUES (1, 'Anne'), (3, 'Cleo'), (3, 'Clea'), (NULL, 'a'), (NULL, 'b');
SELECT segment, customers, orders, total_spent FROM shop.segment_sizes;
SELECT * FROM clientele.check_store('shop');
SELECT count(*) > 0 AS found, count(*) FILTER (WHERE customer NOT IN ('1', '3') OR finding <> 'duplicate_customer') AS others FROM clientele.check_store('shop', sample => 2);
SELECT * FROM clientele.check_store('shop', repair => true);
SELECT clientele.create_store('refused', orders => 'visits', customers => 'customers');
-- A key that loses its index, and one whose index does not know the rows of all tables.
DELETE FROM people WHERE name <> 'Clea';
ALTER TABLE people ADD CONSTRAINT people_key UNIQUE (customer_id);
CREATE TABLE more_people () INHERITS (people);
SELECT clientele.create_store('heirs', orders => 'visits', customers => 'people');
INSERT INTO more_people VALUES (3, 'Cleo');
SELECT * FROM clientele.check_store('heirs') WHERE finding LIKE 'duplicate%';
DROP TABLE more_people;
SELECT * FROM clientele.check_store('heirs') WHERE finding LIKE 'duplicate%';
ALTER TABLE people DROP CONSTRAINT people_key;
INSERT INTO people VALUES (3, 'Cleo');
SELECT * FROM clientele.check_store('heirs') WHERE finding LIKE 'duplicate%';
SELECT clientele.drop_store('shop'), clientele.drop_store('heirs');
DROP TABLE visits;

-- ---- Orders ----

-- A row a line, and ids that are unique with the tenant only.
CREATE TABLE sales (tenant int, order_id int, customer_id int, ordered_at timestamptz, amount numeric, status text DEFAULT 'completed');
INSERT INTO sales VALUES (1, 7, 1, '2025-03-01', 10), (1, 7, 1, '2025-03-01', 10), (1, 7, 1, '2025-03-01', 10), (2, 7, 9, '2025-03-01', 99), (1, 8, 2, '2025-03-02', 50), (2, 8, 9, '2025-03-02', 5), (1, 9, 3, '2025-03-03', 20);
CREATE TABLE lines (tenant int, order_id int, category text, amount numeric);
INSERT INTO lines VALUES (1, 7, 'dairy', 30), (2, 7, 'meat', 99), (1, 8, 'tea', 50), (2, 8, 'meat', 5), (1, 9, 'tea', 20);
SELECT clientele.create_store('one', orders => 'sales', order_filter => 'tenant = 1', items => 'lines');
CALL clientele.refresh('one');
SELECT customer_id, orders, category_mix FROM one.customers ORDER BY 1;
SELECT * FROM clientele.check_store('one');
SELECT * FROM clientele.check_store('one', sample => 1000);
SELECT * FROM clientele.check_store('one', sample => 2) ORDER BY 2, 3;
-- Without lines only what counts matters; without a filter whose they are, too.
SELECT clientele.create_store('plain', orders => 'sales', order_filter => 'tenant = 2');
SELECT * FROM clientele.check_store('plain') WHERE finding LIKE 'duplicate%';
SELECT clientele.create_store('every', orders => 'sales');
SELECT * FROM clientele.check_store('every') WHERE finding LIKE 'duplicate%';
SELECT clientele.drop_store(s) FROM unnest('{one,plain,every}'::name[]) s;
-- What the hint advises: one row an order, one id of both columns.
CREATE VIEW whole_orders AS SELECT tenant || '-' || order_id AS order_id, customer_id, ordered_at, sum(amount) AS amount FROM sales GROUP BY tenant, sales.order_id, customer_id, ordered_at;
CREATE VIEW whole_lines AS SELECT tenant || '-' || order_id AS order_id, category, amount FROM lines;
SELECT clientele.create_store('whole', orders => 'whole_orders', items => 'whole_lines');
CALL clientele.refresh('whole');
SELECT customer_id, orders, category_mix FROM whole.customers ORDER BY 1;
SELECT * FROM clientele.check_store('whole');
SELECT clientele.drop_store('whole');

-- What is not a duplicate: a row a status, a refund row with the id of its order, orders without an id, guests.
TRUNCATE sales;
INSERT INTO sales VALUES (1, 1, 1, '2025-03-01', 10, 'placed'), (1, 1, 1, '2025-03-01', 10, 'completed'), (1, 1, 1, '2025-03-05', -10, 'completed'), (1, NULL, 1, '2025-03-01', 10, 'completed'), (1, NULL, 1, '2025-03-01', 10, 'completed'),
    (1, 2, NULL, '2025-03-01', 10, 'completed'), (1, 2, NULL, '2025-03-01', 10, 'completed');
SELECT clientele.create_store('events', orders => 'sales', order_filter => $$status = 'completed'$$, items => 'lines');
SELECT * FROM clientele.check_store('events') WHERE finding LIKE 'duplicate%';
-- A unique index answers at once; a filter that fails says nothing here.
DELETE FROM sales WHERE order_id IS NULL OR status = 'placed' OR amount < 0 OR customer_id IS NULL;
CREATE UNIQUE INDEX ON sales (order_id);
SELECT * FROM clientele.check_store('events') WHERE finding LIKE 'duplicate%';
SELECT clientele._is_unique('sales', 'order_id'), clientele._is_unique('sales', 'tenant'), clientele._is_unique('lines', 'order_id'), clientele._is_unique('whole_orders', 'order_id');
SELECT clientele.drop_store('events');
DROP INDEX sales_order_id_idx;
INSERT INTO sales VALUES (0, 1, 1, '2025-03-01', 10);
SELECT clientele.create_store('fails', orders => 'sales', order_filter => '1 / tenant = 1');
SELECT finding, detail FROM clientele.check_store('fails');
SELECT clientele.drop_store('fails');
DROP VIEW whole_orders, whole_lines, customers;
DROP TABLE sales, lines, people;
