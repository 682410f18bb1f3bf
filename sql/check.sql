-- check_store: what a store shows against a recount of its orders; every finding, samples, repair.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';

CREATE TABLE customers (customer_id int PRIMARY KEY);
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10, 2));
CREATE INDEX ON orders (customer_id);
INSERT INTO customers SELECT generate_series(1, 40);
SELECT clientele.create_store('shop', 'orders', customers => 'customers');

-- ---- A batch store ----
SELECT * FROM clientele.check_store('shop');  -- no order, no profile
CALL clientele.refresh('shop');
SELECT * FROM clientele.check_store('shop');
INSERT INTO orders SELECT i, 1 + i % 30, timestamptz '2025-01-01 10:00+00' + i * interval '7 hours', 10 + i FROM generate_series(1, 90) i;
SELECT count(*), min(finding), min(detail) FROM clientele.check_store('shop');  -- never refreshed since
CALL clientele.refresh('shop');
SELECT * FROM clientele.check_store('shop');

INSERT INTO orders VALUES (101, 1, '2025-02-03 19:00+00', 25);                          -- a new order
UPDATE orders SET amount = amount + 1 WHERE order_id = 31;                              -- customer 2
UPDATE orders SET ordered_at = ordered_at + interval '1 minute' WHERE order_id = 62;    -- customer 3, the last one
DELETE FROM orders WHERE customer_id = 4;
INSERT INTO orders VALUES (102, 35, '2025-02-03 19:00+00', 12), (103, NULL, '2025-02-03 19:00+00', 12), (104, 36, '2999-12-31', 12);
INSERT INTO orders VALUES (105, 99, '2025-02-04 19:00+00', 12), (106, 99, '2025-02-05 19:00+00', -3), (107, 98, '2025-02-06 19:00+00', 0);
SELECT * FROM clientele.check_store('shop');
SELECT count(*) FROM clientele.check_store('shop');  -- it wrote nothing
SELECT * FROM clientele.check_store('shop', repair => true);
SELECT * FROM clientele.check_store('shop');
SELECT count(*) FROM shop.pending;
SELECT count(*) AS differing FROM shop._profiles_at(now()) a FULL JOIN shop.profiles p USING (customer_id)
    WHERE (a.profile OPERATOR(clientele.=) p.profile) IS NOT TRUE;
DELETE FROM orders WHERE customer_id > 40;
SELECT * FROM clientele.check_store('shop', repair => true);
SELECT * FROM clientele.check_store('shop');

-- ---- Refund rows ----
INSERT INTO orders VALUES
    (201, 11, '2025-03-01 12:00+00', 50), (202, 11, '2025-03-01 12:00+00', -50),  -- at the same time
    (203, 12, '2025-03-02 12:00+00', -50), (204, 12, '2025-03-02 12:01+00', 50),  -- too early: 43 by then
    (205, 13, '2025-03-01 12:00+00', -0.01),
    (206, 14, '2025-03-01 12:00+00', -400), (207, 14, '2025-03-01 13:00+00', -400.01),
    (208, 37, '2025-03-01 12:00+00', -1), (209, 37, '2025-03-01 11:00+00', -2), (210, 37, '2025-03-01 13:00+00', 1), (211, 37, '2025-03-01 14:00+00', -1),
    (212, 38, '9025-03-01 12:00+00', -1), (213, NULL, '2025-03-01 12:00+00', -1);
CALL clientele.refresh('shop');
SELECT * FROM clientele.check_store('shop');
DELETE FROM orders WHERE order_id > 200;
CALL clientele.refresh('shop');

-- ---- Forged and differing profiles ----
UPDATE shop.profiles SET profile = (SELECT clientele.order_profile('2025-01-01 00:00+00', 5)) WHERE customer_id IN (5, 6);
UPDATE shop.profiles SET category_mix = '{"a": 1.00}' WHERE customer_id = 7;
DELETE FROM shop.profiles WHERE customer_id = 8;
INSERT INTO shop.profiles SELECT 39, clientele.order_profile('2025-01-01 00:00+00', 5);
-- The same days and totals, the values the other way round.
UPDATE shop.profiles SET profile = (SELECT clientele.order_profile(ordered_at, CASE amount WHEN 18 THEN 48 WHEN 48 THEN 18 ELSE amount END)
    FROM orders WHERE customer_id = 9) WHERE customer_id = 9;
-- All figures are equal, the time of the order in the middle is not.
INSERT INTO orders SELECT 300 + i, 40, timestamptz '2025-04-01 10:00+00' + i * interval '1 hour', 7 FROM generate_series(1, 3) i;
INSERT INTO shop.profiles SELECT 40, clientele.order_profile(ordered_at + CASE order_id WHEN 302 THEN interval '1 minute' ELSE '0' END, amount) FROM orders WHERE customer_id = 40;
SELECT finding, customer, detail FROM clientele.check_store('shop', repair => true);
SELECT * FROM clientele.check_store('shop');

-- ---- Samples ----
UPDATE shop.profiles SET profile = (SELECT clientele.order_profile('2025-01-01 00:00+00', 5));
DELETE FROM shop.profiles WHERE customer_id <= 3;
CREATE FUNCTION found(sample float8) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(customer, ' ' ORDER BY customer::int) FROM clientele.check_store('shop', sample) WHERE finding IN ('stale', 'missing', 'surplus')
$$;
SELECT s AS sample, found(s) FROM unnest('{1e-9,0.1,0.25,0.5,0.999999,1,NULL}'::float8[]) s;
SELECT s AS sample, found(s) FROM unnest('{2,5,10,39,1000,2147483647}'::float8[]) s;
SELECT found(0.3) = found(0.3) AS repeatable, string_to_array(found(10), ' ') @> string_to_array(found(2), ' ') AS contained;
SELECT count(*) FROM clientele.check_store('shop', 5, repair => true);
SELECT found(5), array_length(string_to_array(found(NULL), ' '), 1) AS others;
SELECT count(*) FROM clientele.check_store('shop', 1, repair => true);
SELECT found(NULL), found(1), found(100);
-- Who is nowhere but in the orders is found by an exact check.
INSERT INTO orders VALUES (401, 50, '2025-04-01 10:00+00', 1), (402, 50, '2025-04-02 10:00+00', -5), (403, 40, '2025-04-02 10:00+00', -5000);
SELECT * FROM clientele.check_store('shop', 1000);
SELECT * FROM clientele.check_store('shop');
DELETE FROM orders WHERE order_id > 400;
DROP FUNCTION found;

-- ---- What is refused ----
\set SHOW_CONTEXT never
SELECT * FROM clientele.check_store(NULL);
SELECT * FROM clientele.check_store('');
SELECT * FROM clientele.check_store('nowhere');
SELECT * FROM clientele.check_store('public');
SELECT * FROM clientele.check_store('shop', 0);
SELECT * FROM clientele.check_store('shop', -0.1);
SELECT * FROM clientele.check_store('shop', 1.5);
SELECT * FROM clientele.check_store('shop', 3e9);
SELECT * FROM clientele.check_store('shop', 'NaN');
SELECT * FROM clientele.check_store('shop', 'Infinity');
SELECT * FROM clientele.check_store('shop', '-Infinity');
SELECT * FROM clientele.check_store('shop', repair => NULL);
BEGIN READ ONLY;
SELECT * FROM clientele.check_store('shop');
SELECT * FROM clientele.check_store('shop', 5);
SELECT * FROM clientele.check_store('shop', repair => true);
ROLLBACK;

-- ---- A live store ----
SELECT clientele.set_live('shop', true);
CALL clientele.refresh('shop');
SELECT * FROM clientele.check_store('shop');
INSERT INTO orders VALUES (501, 1, '2025-05-01 10:00+00', 10), (502, 2, '2025-05-01 10:00+00', 10);
UPDATE orders SET amount = 11 WHERE order_id = 502;
DELETE FROM orders WHERE customer_id = 3;
SELECT count(*) > 0 AS pending FROM shop.pending;
SELECT * FROM clientele.check_store('shop');
SELECT * FROM clientele.check_store('shop', 10);
-- Orders dated after the transaction began may be shown or not: a delta counts them, a recount leaves them to the next one.
BEGIN;
SELECT pg_sleep(0.01);
INSERT INTO orders VALUES (503, 1, clock_timestamp(), 10), (504, 2, clock_timestamp(), 10), (505, 35, clock_timestamp(), 10);
UPDATE orders SET amount = 12 WHERE order_id IN (504, 505);
SELECT * FROM clientele.check_store('shop');
SELECT * FROM clientele.check_store('shop', 1000);
ROLLBACK;
-- Uncommitted, and in a subtransaction.
BEGIN;
DELETE FROM orders WHERE customer_id = 5;
SAVEPOINT s;
INSERT INTO orders VALUES (506, 5, '2025-05-01 10:00+00', 10);
SELECT * FROM clientele.check_store('shop');
ROLLBACK TO s;
SELECT * FROM clientele.check_store('shop');
SELECT * FROM clientele.check_store('shop', repair => true);
ROLLBACK;
SELECT * FROM clientele.check_store('shop');

-- Triggers that did not fire: nobody knows but a check.
SET session_replication_role = replica;
INSERT INTO orders VALUES (510, 1, '2025-05-02 10:00+00', 10), (511, 36, '2025-05-02 10:00+00', 10);
DELETE FROM orders WHERE customer_id = 6;
RESET session_replication_role;
SELECT * FROM clientele.check_store('shop');
INSERT INTO orders VALUES (512, 36, '2025-05-03 10:00+00', 10);  -- a delta onto a missing profile
SELECT * FROM clientele.check_store('shop');
SELECT count(*) FROM clientele.check_store('shop', repair => true);
SELECT * FROM clientele.check_store('shop');
SELECT count(*) AS pending FROM shop.pending;
SELECT orders, last_order_at FROM shop.customers WHERE customer_id = 36;

-- Forged, with something pending: what is shown is wrong, too; a mark heals it.
INSERT INTO orders VALUES (520, 10, '2025-05-04 10:00+00', 10);
UPDATE orders SET amount = 1 WHERE customer_id = 11;
UPDATE shop.profiles SET profile = (SELECT clientele.order_profile('2025-01-01 00:00+00', 5)) WHERE customer_id IN (10, 11, 12);
SELECT * FROM clientele.check_store('shop', repair => true);
SELECT * FROM clientele.check_store('shop');

-- Disabled, some of them; and dropped.
ALTER TABLE orders DISABLE TRIGGER USER;
INSERT INTO orders VALUES (530, 20, '2025-05-04 10:00+00', 10);
SELECT * FROM clientele.check_store('shop');
SELECT * FROM clientele.check_store('shop', 2);
SELECT store, live, regexp_replace(stale, 'SELECT.*', '') AS stale FROM clientele.stores;
SELECT * FROM clientele.check_store('shop', repair => true);
SELECT * FROM clientele.check_store('shop');
CALL clientele.refresh('shop');
SELECT * FROM clientele.check_store('shop');
SELECT count(*) AS pending FROM shop.pending;
DO $$
BEGIN
    EXECUTE (SELECT format('DROP TRIGGER %I ON orders', tgname) FROM pg_trigger WHERE tgrelid = 'orders'::regclass AND tgname LIKE '%insert');
    EXECUTE (SELECT format('ALTER TABLE orders ENABLE REPLICA TRIGGER %I', tgname) FROM pg_trigger WHERE tgrelid = 'orders'::regclass AND tgname LIKE '%delete');
    EXECUTE (SELECT format('ALTER TABLE orders ENABLE ALWAYS TRIGGER %I', tgname) FROM pg_trigger WHERE tgrelid = 'orders'::regclass AND tgname LIKE '%update');
END $$;
SELECT * FROM clientele.check_store('shop');
SELECT * FROM clientele.check_store('shop', 2, repair => true);
CALL clientele.refresh('shop');
SELECT * FROM clientele.check_store('shop');

-- ---- Failures, and orders that no profile can take ----
SELECT clientele.drop_store('shop');
ALTER TABLE orders ALTER COLUMN amount TYPE numeric;
SELECT clientele.create_store('shop', 'orders', order_filter => '100 / (order_id - 600) <> 0 OR order_id > 0', live => true);
CALL clientele.refresh('shop');
CREATE VIEW checked AS SELECT finding, customer, regexp_replace(detail, 'at 2\S+ \S+ was', 'at ... was') AS detail FROM clientele.check_store('shop');
SELECT * FROM checked;
SET client_min_messages = error;
INSERT INTO orders VALUES (601, 1, '2025-05-01 10:00+00', 1e13), (602, 1, '2025-05-01 10:00+00', 5);
INSERT INTO orders VALUES (603, 2, '2025-05-01 10:00+00', 'NaN'), (604, 3, '2025-05-01 10:00+00', '-Infinity');
INSERT INTO orders VALUES (605, 2, '0044-03-15 10:00 BC', 7);
RESET client_min_messages;
SELECT * FROM checked;
SELECT finding, customer FROM clientele.check_store('shop', repair => true);
SET client_min_messages = error;
DELETE FROM orders WHERE order_id IN (601, 603, 604, 605);
RESET client_min_messages;
SELECT * FROM checked;
SELECT finding, customer FROM clientele.check_store('shop', 20, repair => true);  -- a sample does not settle a failure
SELECT finding, customer FROM clientele.check_store('shop', repair => true);
SELECT * FROM checked;
SELECT store, stale FROM clientele.stores;
SET client_min_messages = error;
INSERT INTO orders VALUES (600, 1, '2025-05-01 10:00+00', 1);  -- the filter divides by zero
RESET client_min_messages;
SELECT * FROM checked;
SELECT finding, customer FROM clientele.check_store('shop', repair => true);
SET client_min_messages = error;
DELETE FROM orders WHERE order_id = 600;
RESET client_min_messages;
SELECT finding, customer FROM clientele.check_store('shop', repair => true);
SELECT * FROM checked;
DROP VIEW checked;
SELECT clientele.drop_store('shop');

-- ---- Partitions ----
CREATE TABLE sales (order_id int, customer_id text, ordered_at timestamp, amount int) PARTITION BY RANGE (ordered_at);
CREATE TABLE sales_1 PARTITION OF sales FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
CREATE TABLE sales_2 PARTITION OF sales FOR VALUES FROM ('2025-02-01') TO ('2025-03-01');
CREATE INDEX ON sales (customer_id);
INSERT INTO sales SELECT i, 'Kunde ' || i % 4, timestamp '2025-01-20' + i * interval '1 day', i FROM generate_series(1, 20) i;
SELECT clientele.create_store('shop', 'sales', live => true, time_zone => 'Europe/Berlin');
CALL clientele.refresh('shop');
SELECT * FROM clientele.check_store('shop');
CREATE TABLE sales_3 (order_id int, customer_id text, ordered_at timestamp, amount int);
INSERT INTO sales_3 VALUES (31, 'Kunde 1', '2025-03-01', 5), (32, 'Zoë "Z"', '2025-03-01', 5);
ALTER TABLE sales ATTACH PARTITION sales_3 FOR VALUES FROM ('2025-03-01') TO ('2025-04-01');
SELECT * FROM clientele.check_store('shop');
SELECT * FROM clientele.check_store('shop', repair => true);
SELECT * FROM clientele.check_store('shop');
CALL clientele.refresh('shop');
SELECT * FROM clientele.check_store('shop');
ALTER TABLE sales DETACH PARTITION sales_3;
SELECT * FROM clientele.check_store('shop');  -- its triggers are no finding
INSERT INTO sales_3 VALUES (33, 'Kunde 2', '2025-03-05', 5);
SELECT customer FROM clientele.check_store('shop', repair => true);
SELECT * FROM clientele.check_store('shop');
CREATE TABLE sales_4 PARTITION OF sales FOR VALUES FROM ('2025-04-01') TO ('2025-05-01');
SELECT * FROM clientele.check_store('shop');
SELECT clientele.drop_store('shop');
DROP TABLE sales, sales_3;

-- ---- Order lines, keys that are UUIDs ----
CREATE TABLE baskets (order_id bigint PRIMARY KEY, customer_id uuid, ordered_at date, amount bigint, refunded bigint, note text);
CREATE INDEX ON baskets (customer_id);
CREATE TABLE basket_lines (order_id bigint, category text, amount numeric(10, 2));
CREATE INDEX ON basket_lines (order_id);
CREATE TABLE people (customer_id uuid);
INSERT INTO people SELECT format('00000000-0000-0000-0000-%s', lpad(i::text, 12, '0'))::uuid FROM generate_series(0, 4) i;
CREATE VIEW members AS SELECT customer_id FROM people WHERE customer_id::text NOT LIKE '%1';
INSERT INTO baskets SELECT i, format('00000000-0000-0000-0000-%s', lpad((i % 3)::text, 12, '0'))::uuid, date '2025-01-01' + i, 10 * i, 0 FROM generate_series(1, 9) i;
INSERT INTO basket_lines SELECT 1 + i % 9, CASE i % 2 WHEN 0 THEN 'tea' ELSE 'cake' END, i FROM generate_series(1, 30) i;
SELECT clientele.create_store('shop', 'baskets', refunded => 'refunded', items => 'basket_lines', customers => 'members');
CALL clientele.refresh('shop');
SELECT * FROM clientele.check_store('shop');
UPDATE basket_lines SET category = 'coffee' WHERE order_id = 2;
UPDATE baskets SET refunded = amount WHERE order_id % 3 = 0;
SELECT * FROM clientele.check_store('shop');
SELECT * FROM clientele.check_store('shop', 100, repair => true);
SELECT finding FROM clientele.check_store('shop');
SELECT clientele.set_live('shop', true);
CALL clientele.refresh('shop');
INSERT INTO basket_lines VALUES (4, 'bread', 3), (5, 'bread', 4);
INSERT INTO baskets SELECT 10, customer_id, '2025-02-01', 5 FROM baskets WHERE order_id = 1;
SELECT finding FROM clientele.check_store('shop');
SELECT finding FROM clientele.check_store('shop', 100);
CALL clientele.refresh('shop', true);
DELETE FROM shop.pending;  -- the lines' orders are looked at again until nobody can have moved them
ALTER TABLE basket_lines DISABLE TRIGGER USER;
DELETE FROM basket_lines WHERE category = 'bread' AND order_id = 5;
INSERT INTO basket_lines VALUES (7, 'bread', 3);
SELECT * FROM clientele.check_store('shop', repair => true);
SELECT finding FROM clientele.check_store('shop');
CALL clientele.refresh('shop');
SELECT finding FROM clientele.check_store('shop');

-- ---- Roles ----
CREATE ROLE check_reader;
CREATE ROLE check_refresher;
GRANT USAGE ON SCHEMA shop TO check_reader, check_refresher;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO check_reader, check_refresher;
GRANT INSERT, UPDATE, DELETE ON shop.profiles, shop.pending, shop.failures TO check_refresher;
SET ROLE check_reader;
SELECT * FROM clientele.check_store('shop');  -- may not read the orders
RESET ROLE;
GRANT SELECT ON baskets, basket_lines, members TO check_reader, check_refresher;
UPDATE shop.profiles SET profile = (SELECT clientele.order_profile('2025-01-01 00:00+00', 5)) WHERE customer_id::text LIKE '%2';
SET ROLE check_reader;
SELECT finding FROM clientele.check_store('shop');
SELECT * FROM clientele.check_store('shop', repair => true);
SET ROLE check_refresher;
SELECT * FROM clientele.check_store('shop', repair => true);
RESET ROLE;
GRANT UPDATE (fresh_to) ON shop.settings TO check_refresher;
SET ROLE check_refresher;
SELECT finding FROM clientele.check_store('shop', repair => true);
SELECT finding FROM clientele.check_store('shop');
RESET ROLE;
ALTER TABLE baskets DISABLE TRIGGER USER;
SET ROLE check_refresher;
SELECT finding FROM clientele.check_store('shop');
\set VERBOSITY terse
SELECT finding FROM clientele.check_store('shop', repair => true);
\set VERBOSITY default
RESET ROLE;
ALTER TABLE baskets ENABLE TRIGGER USER;
-- A policy that hides some rows makes a check fail rather than look at the others.
ALTER TABLE shop.profiles ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_of_it ON shop.profiles TO check_reader USING (true);
SET ROLE check_reader;
SELECT finding FROM clientele.check_store('shop');
RESET ROLE;
SELECT finding FROM clientele.check_store('shop');
ALTER TABLE shop.profiles DISABLE ROW LEVEL SECURITY;
ALTER TABLE baskets ENABLE ROW LEVEL SECURITY;
CREATE POLICY all_of_it ON baskets TO check_reader USING (true);
SET ROLE check_reader;
SELECT finding FROM clientele.check_store('shop');
RESET ROLE;
ALTER TABLE baskets DISABLE ROW LEVEL SECURITY;

-- The orders are gone.
SET client_min_messages = error;
DROP TABLE baskets CASCADE;
RESET client_min_messages;
SELECT * FROM clientele.check_store('shop');
SET client_min_messages = error;
DROP SCHEMA shop CASCADE;
DROP OWNED BY check_reader, check_refresher;
DROP ROLE check_reader, check_refresher;
DROP VIEW members;
DROP TABLE customers, orders, basket_lines, people;
