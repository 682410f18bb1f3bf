-- suggest_fill(): what to add to a basket.
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET client_min_messages = warning;
CREATE SCHEMA suggest_test;
SET search_path = suggest_test, public;
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10,2));
CREATE TABLE lines (order_id int, category text, amount numeric(10,2), article text, pieces int);
CREATE TABLE articles (sku text PRIMARY KEY, title text, price numeric(10,2), stock int);
CREATE INDEX ON orders (customer_id);
CREATE INDEX ON lines (order_id);
INSERT INTO articles VALUES ('tea', 'Green tea', 4.50, 9), ('milk', 'Milk', 1.20, 9), ('cake', 'Cake', 13.60, 9), ('jam', 'Jam', 3.90, 9), ('bread', 'Bread', 2.40, 9),
    ('coffee', 'Coffee', 12.40, 9), ('cups', 'Cups', 29.00, 9), ('gone', 'Old biscuits', 2.00, 0), ('priceless', 'Voucher', NULL, 9), ('free', 'Sample', 0, 9), ('bags', NULL, 0.50, 9);
-- Tea goes with milk and cake; customer 7 buys bread every week and had jam once.
INSERT INTO orders SELECT o, o, now() - interval '3 hours' * o, 20 FROM generate_series(101, 300) o;
INSERT INTO lines SELECT o, 'food', 5, a, 1 FROM generate_series(101, 300) o, unnest(CASE o % 5 WHEN 0 THEN '{tea,milk,gone}' WHEN 1 THEN '{tea,cake,priceless}' WHEN 2 THEN '{tea,milk,free}' WHEN 3 THEN '{jam,bread,bags}' ELSE '{coffee,cups}' END::text[]) a;
INSERT INTO orders SELECT o, 7, now() - interval '7 days' * o, 20 FROM generate_series(1, 6) o;
INSERT INTO lines SELECT o, 'food', 5, 'bread', 1 FROM generate_series(1, 6) o;
INSERT INTO lines VALUES (3, 'food', 5, 'jam', 1), (2, 'food', 5, 'cups', -1);
SELECT clientele.create_store('shop', 'orders', items => 'lines', item_product => 'article', item_quantity => 'pieces', products => 'articles', product_key => 'sku', product_name => 'title', product_available => 'stock');
-- Before anything was learnt, it is what the customer buys.
SELECT products, names, price, overshoot, reasons FROM clientele.suggest_fill(7, '{tea}');
SELECT * FROM clientele.suggest_fill(101, '{tea}') WHERE NOT 'bought before' = ANY (reasons);
SELECT orders, products FROM clientele.learn_affinity('shop');
SELECT products, names, price, overshoot, round(score::numeric, 6) AS score, reasons FROM clientele.suggest_fill(7, '{tea}', most => 20);
-- Nobody known: the basket alone; nothing in it: what is popular.
SELECT products, reasons FROM clientele.suggest_fill(0, '{tea}', most => 4);
SELECT products, reasons FROM clientele.suggest_fill(0, '{}', most => 4);
SELECT count(*) FROM clientele.suggest_fill(99999999999999, '{tea}');
-- The key as any type.
SELECT (SELECT array_agg(s) FROM clientele.suggest_fill('7', '{tea}') s) = (SELECT array_agg(s) FROM clientele.suggest_fill(7, '{tea}', 'shop') s) AS same;

-- ---- A gap ----

SELECT products, price, overshoot, reasons FROM clientele.suggest_fill(7, '{tea,jam}', gap => 12.40);
SELECT products, price, overshoot, reasons FROM clientele.suggest_fill(7, '{tea}', gap => 3.45, most => 4);
-- Where too few close it alone, two together do.
SELECT products, price, overshoot, reasons FROM clientele.suggest_fill(7, '{tea}', gap => 30, most => 3);
SELECT count(*) AS of_nothing, count(*) FILTER (WHERE gap = 0) AS zero, count(*) FILTER (WHERE gap < 0) AS negative
    FROM (VALUES (0::numeric), (-3), (1000000)) g (gap) CROSS JOIN LATERAL clientele.suggest_fill(7, '{tea}', gap => g.gap);
-- A model of nothing does not take the place of one that knows something.
BEGIN;
SELECT orders, products FROM clientele.learn_affinity('shop', as_of => '2000-01-01 00:00+00');
SELECT (diagnostics ->> 'products')::int > 0 AS in_use_knows FROM shop.models WHERE kind = 'affinity' AND in_use;
ROLLBACK;
-- Where nothing that speaks for itself closes it, what is bought most often of what costs up to twice as much does: can be had, and is not in the basket.
BEGIN;
INSERT INTO articles SELECT 'x' || x, 'Sticker ' || x, 0.10, 9 FROM generate_series(1, 60) x;
INSERT INTO articles VALUES ('hamper', 'Hamper', 95, 9), ('trunk', 'Trunk', 120, 9), ('safe', 'Safe', 400, 9), ('sold', 'Sold out', 96, 0), ('never', 'Never bought', 97, 9);
INSERT INTO orders SELECT o, o, now() - interval '3 hours' * o, 20 FROM generate_series(401, 500) o;
INSERT INTO lines SELECT o, 'food', 5, a, 1 FROM generate_series(401, 500) o, unnest(CASE o % 10 WHEN 0 THEN '{trunk}' WHEN 1 THEN '{hamper}' WHEN 2 THEN '{hamper}' WHEN 3 THEN '{safe}' WHEN 4 THEN '{sold}' ELSE ARRAY(SELECT 'x' || x FROM generate_series(1, 60) x) END) a;
SELECT products > 60 AS learnt FROM clientele.learn_affinity('shop');
SELECT products, names, price, overshoot, reasons FROM clientele.suggest_fill(0, '{tea}', gap => 90);
SELECT products, price, overshoot FROM clientele.suggest_fill(0, '{tea,hamper}', gap => 90);
SELECT products, reasons FROM clientele.suggest_fill(0, '{tea}', gap => 42, most => 2);
SELECT count(*) FROM clientele.suggest_fill(0, '{tea}', gap => 4999999999999.9999) UNION ALL SELECT count(*) FROM clientele.suggest_fill(0, '{tea}', gap => 199.99);
ROLLBACK;

-- ---- Baskets as they come ----

SELECT count(DISTINCT x) AS alike FROM (VALUES ('{tea,milk}'::text[]), ('{milk,tea,tea}'), ('{milk,NULL,tea,nothing-like-it}'), ('{{milk},{tea}}')) b (basket)
    CROSS JOIN LATERAL (SELECT array_agg(s) FROM clientele.suggest_fill(7, b.basket) s) a (x);
-- What is in the basket is called by its name, also where it cannot be had any more.
SELECT products, reasons FROM clientele.suggest_fill(0, '{gone}', most => 1);
-- Prices and stock are those of now.
UPDATE articles SET price = 2.00, stock = CASE sku WHEN 'milk' THEN 0 ELSE stock END, title = CASE sku WHEN 'tea' THEN 'Earl Grey' ELSE title END;
SELECT products, price, reasons FROM clientele.suggest_fill(0, '{tea}', most => 4);
UPDATE articles SET price = NULL;
SELECT count(*) FROM clientele.suggest_fill(7, '{tea}', gap => 1);
UPDATE articles SET price = 2.5000;

-- ---- A table of baskets, and a currency without decimals ----

CREATE TABLE baskets (customer_id int, basket text[], gap numeric);
INSERT INTO baskets SELECT c, ARRAY['tea', 'b' || c], c % 3 FROM generate_series(1, 300) c;
SELECT count(*) AS rows, count(*) FILTER (WHERE s IS DISTINCT FROM o) AS differing FROM baskets b
    CROSS JOIN LATERAL (SELECT array_agg(x) FROM clientele.suggest_fill(b.customer_id, b.basket, 'shop', b.gap) x) l (s)
    CROSS JOIN LATERAL (SELECT array_agg(x) FROM clientele.suggest_fill(b.customer_id::text, b.basket, 'shop', b.gap) x) t (o);
SELECT clientele.alter_store('shop', currency => 'JPY');
UPDATE articles SET price = 120;
SELECT price, overshoot, reasons FROM clientele.suggest_fill(7, '{tea}', gap => 100, most => 1);

-- ---- What is refused ----

SELECT * FROM clientele.suggest_fill(NULL::int, '{tea}');
SELECT * FROM clientele.suggest_fill(7, NULL);
SELECT * FROM clientele.suggest_fill(7, '{tea}', gap => 'NaN');
SELECT * FROM clientele.suggest_fill(7, '{tea}', gap => 'infinity');
SELECT * FROM clientele.suggest_fill(7, '{tea}', most => 0);
SELECT * FROM clientele.suggest_fill(7, '{tea}', most => 101);
SELECT * FROM clientele.suggest_fill(7, '{tea}', most => NULL);
SELECT * FROM clientele.suggest_fill('seven', '{tea}');
SELECT * FROM clientele.suggest_fill(7, '{tea}', 'nowhere');

-- ---- Who may ask ----

CREATE ROLE suggest_clerk;
SET ROLE suggest_clerk;
SELECT * FROM clientele.suggest_fill(7, '{tea}', 'shop');
RESET ROLE;
GRANT USAGE ON SCHEMA shop, suggest_test TO suggest_clerk;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO suggest_clerk;
SET ROLE suggest_clerk;
SELECT * FROM clientele.suggest_fill(7, '{tea}', 'shop');
SELECT clientele.learn_affinity('shop');
RESET ROLE;
GRANT SELECT ON articles, lines, orders TO suggest_clerk;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE articles ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON articles TO suggest_clerk USING (sku <> 'cake');
SET ROLE suggest_clerk;
SELECT products, reasons FROM clientele.suggest_fill(7, '{tea}', 'shop', most => 2);
RESET ROLE;
ALTER TABLE orders DISABLE ROW LEVEL SECURITY;
-- Where policies would hide orders from the owner, nothing is learnt of the rest.
GRANT CREATE ON DATABASE :"DBNAME" TO suggest_clerk;
SET ROLE suggest_clerk;
SELECT clientele.create_store('clerks', 'suggest_test.orders', items => 'suggest_test.lines', item_product => 'article');
RESET ROLE;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
SET ROLE suggest_clerk;
SELECT clientele.learn_affinity('clerks');
SELECT * FROM clientele.suggest_fill(7, '{tea}', 'clerks');
SELECT clientele.drop_store('clerks');
RESET ROLE;
ALTER TABLE orders DISABLE ROW LEVEL SECURITY;

-- ---- The store lives ----

-- What a customer bought is kept nowhere: who is deleted is forgotten.
DELETE FROM lines USING orders o WHERE o.order_id = lines.order_id AND o.customer_id = 7;
DELETE FROM orders WHERE customer_id = 7;
SELECT clientele.forget_customer(7, 'shop');
SELECT count(*) FROM clientele.suggest_fill(7, '{tea}', 'shop', most => 20) s WHERE 'bought before' = ANY (s.reasons);
ALTER SCHEMA shop RENAME TO boutique;
SELECT products FROM clientele.suggest_fill(7, '{tea}', 'boutique', most => 1);
SELECT clientele.detach_store('boutique');
SELECT count(*) FROM clientele.suggest_fill(7, '{tea}', 'boutique');
SELECT clientele.attach_store('boutique');
SELECT products FROM clientele.suggest_fill(7, '{tea}', 'boutique', most => 1);
SELECT clientele.alter_store('boutique', reset => '{products}');
SELECT count(*) FROM clientele.suggest_fill(7, '{tea}', 'boutique');
SELECT clientele.alter_store('boutique', products => 'articles', product_key => 'sku', product_name => 'title');
SELECT products FROM clientele.suggest_fill(7, '{tea}', 'boutique', most => 1);
-- Products with other keys are other products: what was learnt is forgotten.
BEGIN;
SELECT clientele.detach_store('boutique');
DROP POLICY few ON articles;
ALTER TABLE articles ALTER sku TYPE bigint USING hashtext(sku);
ALTER TABLE lines ALTER article TYPE bigint USING hashtext(article);
SELECT clientele.attach_store('boutique');
COMMIT;
SELECT count(*) AS kept, (SELECT count(*) FROM clientele.models WHERE kind = 'affinity' AND in_use) AS in_use FROM boutique.product_neighbours;
SELECT count(*) FROM clientele.suggest_fill(7, '{tea}', 'boutique');
SELECT products > 0 AS learnt FROM clientele.learn_affinity('boutique');
SELECT cardinality(products) FROM clientele.suggest_fill(7, ARRAY[hashtext('tea')::text], 'boutique', most => 1);
SELECT clientele.drop_store('boutique', force => true);
DROP OWNED BY suggest_clerk;
DROP ROLE suggest_clerk;
DROP SCHEMA suggest_test CASCADE;
