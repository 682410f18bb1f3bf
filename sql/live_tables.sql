-- What is done to a store's tables, and to those that it reads, shows in clientele.stores and check_store().
\pset format unaligned
SET client_min_messages = warning;
CREATE SCHEMA tables;
SET search_path = tables;
CREATE FUNCTION said(store name) RETURNS TABLE (said text) LANGUAGE sql AS $$
    SELECT coalesce('stale: ' || s.stale, 'not stale') FROM clientele.stores s WHERE s.store = $1
    UNION ALL SELECT concat_ws(' ', c.finding, c.customer, c.detail) FROM clientele.check_store($1) c
$$;
CREATE TABLE customers (customer_id int PRIMARY KEY, city text);
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10,2));
CREATE TABLE items (order_id int, category text, amount numeric(10,2));
CREATE INDEX ON orders (customer_id);
CREATE INDEX ON items (order_id);
INSERT INTO customers SELECT c, 'Rome' FROM generate_series(1, 3) c;
INSERT INTO orders SELECT c * 10 + n, c, '2025-03-01', 40 FROM generate_series(1, 3) c, generate_series(1, 4) n;
SELECT clientele.create_store('shop', orders => 'orders', customers => 'customers', items => 'items', live => true);
SELECT clientele.create_store('batch', orders => 'tables.orders');
CALL clientele.refresh('shop');
CALL clientele.refresh('batch');
SELECT orders_name, customers_name, items_name FROM shop.settings;
SELECT said('shop') UNION ALL SELECT said('batch');

-- ---- Tables that are swapped by renaming ----
ALTER TABLE customers RENAME TO "Customers";
ALTER TABLE orders RENAME TO orders_retired;
SELECT said('shop') AS "only renamed";
CREATE TABLE orders (order_id bigint, customer_id int, ordered_at timestamptz, amount numeric(10,2)) PARTITION BY RANGE (ordered_at);
CREATE TABLE orders_all PARTITION OF orders DEFAULT;
CREATE VIEW customers AS TABLE "Customers";
SELECT said('shop') UNION ALL SELECT said('batch');
DROP VIEW customers;
DROP TABLE orders;
ALTER TABLE orders_retired RENAME TO orders;
SELECT count(*) AS "names that are none", count(r.*) AS reported FROM (VALUES ('"'), (''), (NULL), ('"".a'), ('a.b.c'), (' a.b'), ('tables."orders'), ('tables.orders"')) v (name)
    LEFT JOIN LATERAL clientele._swapped_tables('shop', jsonb_populate_record(clientele._settings('shop'), jsonb_build_object('orders_name', v.name, 'orders', 'pg_class'))) r ON true;
-- One that takes long to read is none either.
SET statement_timeout = '5s';
SELECT count(*) FROM clientele._swapped_tables('shop', jsonb_populate_record(clientele._settings('shop'), jsonb_build_object('orders_name', repeat('a', 100000000) || '.b')));
RESET statement_timeout;
-- The schema, too, can be swapped.
CREATE SCHEMA aside;
ALTER TABLE items SET SCHEMA aside;
SELECT said('shop') AS "only moved";
CREATE INDEX items ON orders (amount);
SELECT said('shop') AS "a name that means no table";
DROP INDEX items;
CREATE TABLE items (order_id int, category text, amount numeric(10,2));
SELECT said('shop');
DROP TABLE items;
ALTER TABLE aside.items SET SCHEMA tables;
ALTER TABLE "Customers" RENAME TO customers;

-- ---- Unlogged tables ----
CREATE TABLE cells (part text, of text);
DO $$
DECLARE
    part text;
BEGIN
    -- Tables that others refer to are refused by PostgreSQL itself, and are left out.
    FOREACH part IN ARRAY '{pending,failures,profiles,settings,typical_values,reversals,scoring}'::text[] LOOP
        EXECUTE format('ALTER TABLE shop.%I SET UNLOGGED', part);
        INSERT INTO tables.cells SELECT part, s.stale FROM clientele.stores s WHERE s.store = 'shop';
        EXECUTE format('ALTER TABLE shop.%I SET LOGGED', part);
    END LOOP;
END $$;
TABLE cells;
ALTER TABLE batch.profiles SET UNLOGGED;
SELECT said('batch');
ALTER TABLE batch.profiles SET LOGGED;
ALTER TABLE orders SET UNLOGGED;
ALTER TABLE items SET UNLOGGED;
SELECT said('shop') UNION ALL SELECT said('batch');
ALTER TABLE orders SET LOGGED;
ALTER TABLE items SET LOGGED;
SELECT said('shop');
SELECT clientele.drop_store('shop'), clientele.drop_store('batch');
DROP TABLE items, orders;

-- ---- A foreign partition ----
CREATE TABLE orders (order_id int, customer_id int, ordered_at timestamptz, amount numeric(10,2)) PARTITION BY RANGE (order_id);
CREATE TABLE orders_here PARTITION OF orders FOR VALUES FROM (0) TO (1000);
CREATE INDEX ON orders (customer_id);
SELECT clientele.create_store('shop', orders => 'orders', live => true);
CALL clientele.refresh('shop');
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE orders_far PARTITION OF orders FOR VALUES FROM (1000) TO (2000) SERVER nowhere;
INSERT INTO orders VALUES (1, 1, '2025-03-01', 10);
SELECT stale FROM clientele.stores WHERE store = 'shop';
SELECT * FROM clientele._table_faults('shop', clientele._settings('shop'));
SELECT * FROM clientele._live_findings('shop', clientele._settings('shop'));
SELECT clientele.set_live('shop', false);
SELECT stale FROM clientele.stores WHERE store = 'shop';
DROP FOREIGN TABLE orders_far;
SELECT clientele.set_live('shop', true);
SELECT said('shop');
SELECT clientele.drop_store('shop');
DROP SERVER nowhere;
DROP FOREIGN DATA WRAPPER nowhere;
DROP SCHEMA tables CASCADE;
DROP SCHEMA aside;
