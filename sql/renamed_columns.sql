-- Columns of the sources get other names: the store follows, in whatever it reads and says.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET search_path = public;
\set SHOW_CONTEXT never

CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE customers (customer_id text PRIMARY KEY, children int, city text);
CREATE TABLE orders (order_id int, customer_id text, ordered_at timestamptz, amount numeric, refunded numeric, discount numeric, status text, other text COLLATE any_case);
CREATE INDEX ON orders (customer_id);
CREATE INDEX ON orders (order_id);
CREATE TABLE order_items (order_id int, category text, amount numeric, other int);
CREATE INDEX ON order_items (order_id);
INSERT INTO customers VALUES ('a', 1, 'Rome'), ('b', 0, 'Oslo');
INSERT INTO orders SELECT i, (ARRAY['a', 'b'])[1 + i % 2], timestamptz '2025-01-01' + i * interval '3 days', 40 + i, NULL, 1, 'completed' FROM generate_series(1, 12) i;
INSERT INTO order_items SELECT i, 'dairy', 30, 7 FROM generate_series(1, 12) i;
SELECT clientele.create_store('shop', orders => 'orders', refunded => 'refunded', discount => 'discount', order_filter => $$status = 'completed'$$,
    customers => 'customers', attributes => '{children,city AS town}', items => 'order_items');
CALL clientele.refresh('shop');

-- ---- Every column that a store reads is renamed, and another one takes its name ----

CREATE FUNCTION rename_all() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    c record;
BEGIN
    FOR c IN SELECT attrelid::regclass AS relation, attname FROM pg_attribute
        WHERE attrelid IN ('orders'::regclass, 'customers'::regclass, 'order_items'::regclass) AND attnum > 0 AND attname <> 'other'
    LOOP
        EXECUTE format('ALTER TABLE %s RENAME COLUMN %I TO %I', c.relation, c.attname, 'The ' || c.attname);
    END LOOP;
END $$;
SELECT rename_all();
ALTER TABLE orders ADD COLUMN customer_id text COLLATE any_case, ADD COLUMN ordered_at date, ADD COLUMN amount text, ADD COLUMN refunded int, ADD COLUMN discount int, ADD COLUMN order_id uuid;
ALTER TABLE customers ADD COLUMN customer_id int, ADD COLUMN children text;
ALTER TABLE order_items ADD COLUMN order_id uuid, ADD COLUMN amount text, ADD COLUMN category int;

SELECT * FROM clientele.check_store('shop');
SELECT * FROM clientele.check_store('shop', sample => 1);
INSERT INTO orders ("The order_id", "The customer_id", "The ordered_at", "The amount", "The status") VALUES (13, 'c', '2025-03-01', 40, 'completed'), (14, 'a', '2025-03-02', 70, 'completed');
SELECT * FROM clientele.check_store('shop');
SELECT * FROM clientele.check_store('shop', sample => 0.999999, repair => true);
SELECT customer_id, orders, children, town, category_mix FROM shop.customers ORDER BY customer_id;

-- There are all indexes that it needs, so it warns of nothing; and the key has a collation that goes.
SELECT clientele.set_live('shop', true);
INSERT INTO orders ("The order_id", "The customer_id", "The ordered_at", "The amount", "The status") VALUES (15, 'b', '2025-03-03', 70, 'completed');
INSERT INTO order_items ("The order_id", "The category", "The amount") VALUES (15, 'fish', 70);
SELECT customer_id, orders, category_mix FROM shop.customers WHERE customer_id = 'b';
CALL clientele.refresh('shop');
SELECT * FROM clientele.check_store('shop');
SELECT clientele.set_live('shop', false);

-- What it says names columns that are there.
INSERT INTO orders ("The order_id", "The customer_id", "The ordered_at", "The amount", "The status") VALUES (16, 'b', '2025-03-04', 'NaN', 'completed');
CALL clientele.refresh('shop');
SELECT "The order_id" FROM public.orders WHERE NOT ("The amount" > -1e13 AND "The amount" < 1e13);
SELECT * FROM shop.uncountable_orders;
DELETE FROM orders WHERE "The order_id" = 16;

-- A refusal looks at the column that is read.
DROP INDEX orders_customer_id_idx;
ALTER TABLE orders RENAME COLUMN customer_id TO free;
CREATE TABLE visits (customer_id text COLLATE any_case, ordered_at timestamptz, amount numeric);
SELECT clientele.create_store('other', orders => 'visits');
ALTER TABLE visits RENAME COLUMN customer_id TO who;
ALTER TABLE visits ADD COLUMN customer_id text;
SELECT clientele.set_live('other', true);
SELECT clientele.drop_store('other');

-- ---- Settings ----

SELECT clientele.upgrade_store('shop'), clientele.upgrade_store('shop');
SELECT customer_id, ordered_at, amount, order_id, refunded, discount, customer_key, attributes, item_order_id, item_category, item_amount FROM shop.settings;
SELECT * FROM clientele.check_store('shop');

-- Whatever stands in the place of a view is not executed, and what it does not say is as it was given.
SELECT clientele.create_store('other', orders => 'visits', customer_id => 'who');
SELECT s.customer_id, s.ordered_at, s.amount FROM clientele._present_settings('other') s;
ALTER VIEW other._orders RENAME TO was_orders;
SELECT s.customer_id, s.ordered_at, s.amount FROM clientele._present_settings('other') s;
CREATE VIEW other._orders AS SELECT 1 / 0 AS customer_id, now() AS ordered_at UNION ALL SELECT 2, now();
SELECT s.customer_id, s.ordered_at, s.amount FROM clientele._present_settings('other') s;
DROP VIEW other._orders;
CREATE VIEW other._orders AS SELECT (SELECT v.amount FROM visits v) AS amount, x AS customer_id, y.ctid AS ordered_at FROM generate_series(1, 3) x JOIN visits y ON true;
SELECT s.customer_id, s.ordered_at, s.amount FROM clientele._present_settings('other') s;
DROP VIEW other._orders;
CREATE TABLE other._orders (customer_id int);
SELECT s.customer_id, s.ordered_at, s.amount FROM clientele._present_settings('other') s;
SELECT clientele._view_origins('shop._orders', 'amount'), clientele._view_origins('shop._orders', 'none'), clientele._view_origins(0, 'x'), clientele._view_origins(NULL, 'x');
DROP TABLE other._orders;
ALTER VIEW other.was_orders RENAME TO _orders;
SELECT clientele.drop_store(s) FROM unnest('{shop,other}'::name[]) s;
DROP TABLE orders, customers, order_items, visits;
DROP FUNCTION rename_all();
DROP COLLATION any_case;
