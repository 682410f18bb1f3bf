-- Products of a store: which settings there are, what is refused, and how they follow the shop's table.
\set SHOW_CONTEXT never
SET timezone = 'UTC';
CREATE SCHEMA products_test;
SET search_path = products_test, public;
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10,2));
CREATE TABLE lines (order_id int, category text, amount numeric(10,2), article int, pieces int);
CREATE TABLE articles (product_id int PRIMARY KEY, name text, price numeric(10,2), stock int, on_sale boolean);
INSERT INTO orders SELECT o, o % 3, '2026-01-01'::timestamptz + o * interval '1 day', 20 FROM generate_series(1, 30) o;
INSERT INTO lines SELECT o, 'food', 10, 1 + (o + n) % 5, CASE WHEN o = 30 THEN -1 ELSE 1 END FROM generate_series(1, 30) o, generate_series(0, 1) n;
INSERT INTO articles SELECT p, 'Article ' || p, p * 1.50, p % 3, p <> 4 FROM generate_series(1, 6) p;

-- ---- What is refused, and what is said ----

CREATE TABLE twice (product_id int, name text, price numeric);
CREATE VIEW doubled AS SELECT 1 AS product_id, 'x'::text AS name, 1::numeric AS price FROM generate_series(1, 2);
CREATE VIEW other_keys AS SELECT product_id::bigint AS product_id, name, price FROM articles;
CREATE VIEW other_names AS SELECT product_id, 1 AS name, price FROM articles WHERE product_id = 1;
CREATE VIEW other_prices AS SELECT product_id, name, price::float8 AS price FROM articles;
CREATE TEMPORARY TABLE passing (product_id int PRIMARY KEY, name text, price numeric);
CREATE FUNCTION attempt(arguments text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    EXECUTE format('SELECT clientele.create_store(''refused'', ''orders'', %s)', arguments);
    RAISE EXCEPTION 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE NOTICE '% % | % | %', SQLSTATE, SQLERRM, detail, hint;
END $$;
SELECT attempt(a) FROM (VALUES
    ($$item_product => 'article'$$), ($$items => 'lines', item_quantity => 'pieces'$$), ($$items => 'lines', products => 'articles'$$),
    ($$items => 'lines', item_product => 'product'$$), ($$items => 'lines', item_product => 'amount'$$),
    ($$items => 'lines', item_product => 'article', item_quantity => 'category'$$),
    ($$items => 'lines', item_product => 'article', products => 'twice'$$), ($$items => 'lines', item_product => 'article', products => 'doubled'$$),
    ($$items => 'lines', item_product => 'article', products => 'other_keys'$$), ($$items => 'lines', item_product => 'article', products => 'other_names'$$),
    ($$items => 'lines', item_product => 'article', products => 'other_prices'$$), ($$items => 'lines', item_product => 'article', products => 'passing'$$),
    ($$items => 'lines', item_product => 'article', products => 'articles', product_name => 'title'$$),
    ($$items => 'lines', item_product => 'article', products => 'articles', product_available => 'name'$$)) v (a);

-- A product without a price is no error: prices change.
UPDATE articles SET price = NULL WHERE product_id = 5;
UPDATE articles SET price = 0 WHERE product_id = 6;
SELECT clientele.create_store('shop', 'orders', items => 'lines', item_product => 'article', item_quantity => 'pieces', products => 'articles', product_available => 'stock');
SELECT * FROM shop._products ORDER BY product;
-- What was taken back was not bought.
SELECT count(*) AS lines, max(order_id) AS last, min(quantity) AS least FROM shop._item_products;
SELECT options FROM shop.settings;
-- Prices are those of now.
UPDATE articles SET price = 7.25, stock = 0 WHERE product_id = 5;
SELECT * FROM shop._products WHERE product = 5;

-- ---- Changing them ----

SELECT clientele.alter_store('shop', product_available => 'on_sale', reset => '{item_quantity}');
SELECT product, available FROM shop._products ORDER BY product;
SELECT count(*) AS lines FROM shop._item_products;
-- Renames are followed, and written down when the store is changed.
ALTER TABLE articles RENAME price TO list_price;
ALTER TABLE articles RENAME TO catalogue;
ALTER TABLE lines RENAME article TO sku;
SELECT count(*) FROM shop._products;
SELECT clientele.alter_store('shop', margin => 0.4);
SELECT clientele.alter_store('shop', product_name => 'name');
SELECT options FROM shop.settings;
SELECT clientele.alter_store('shop', product_price => 'price');
SELECT clientele.alter_store('shop', reset => '{product_price}');
-- Another table under the old name is noticed.
CREATE TABLE articles (product_id int PRIMARY KEY, name text, price numeric);
SELECT count(*) FROM clientele._table_faults('shop', clientele._settings('shop'));
ALTER TABLE catalogue RENAME TO former;
ALTER TABLE articles RENAME TO catalogue;
SELECT finding, detail FROM clientele._table_faults('shop', clientele._settings('shop'));
ALTER TABLE catalogue RENAME TO articles;
ALTER TABLE former RENAME TO catalogue;

-- Nothing of them may change its type while the store reads it; detached, all may.
DROP VIEW other_keys, other_names, other_prices;
ALTER TABLE catalogue ALTER list_price TYPE numeric(12,4);
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO pg_monitor;
BEGIN;
SELECT clientele.detach_store('shop');
SAVEPOINT reading;
SELECT * FROM shop._products;
ROLLBACK TO reading;
ALTER TABLE catalogue ALTER list_price TYPE numeric(12,4);
ALTER TABLE catalogue ALTER product_id TYPE bigint;
SAVEPOINT attaching;
SELECT clientele.attach_store('shop');
ROLLBACK TO attaching;
ALTER TABLE lines ALTER sku TYPE bigint;
SELECT clientele.attach_store('shop');
COMMIT;
SELECT pg_typeof(product), price FROM shop._products WHERE product = 1;
SELECT has_table_privilege('pg_monitor', 'shop._products', 'SELECT') AS granted;
-- Gone and back.
DROP TABLE catalogue CASCADE;
SELECT clientele.alter_store('shop', margin => 0.3);
SELECT clientele.attach_store('shop');
SELECT clientele.attach_store('shop', products => 'articles');
ALTER TABLE articles ALTER product_id TYPE bigint;
SELECT clientele.attach_store('shop', products => 'articles', product_price => 'price', reset => '{product_available}');
SELECT clientele.alter_store('shop', product_available => 'name');
SELECT options FROM shop.settings;
SELECT clientele.alter_store('shop', reset => '{items}');
SELECT options, to_regclass('shop._products') AS products, to_regclass('shop._item_products') AS lines FROM shop.settings;
SELECT clientele.drop_store('shop');
SET client_min_messages = warning;
DROP SCHEMA products_test CASCADE;
