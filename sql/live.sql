-- Live stores: what makes one, what they show after each kind of statement, and that no statement fails because of them.
\pset format unaligned
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA live;
SET search_path = live;
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(12,2), status text, refunded numeric(12,2), note text);
CREATE INDEX ON orders (customer_id);
INSERT INTO orders SELECT n, n % 7, timestamptz '2025-01-01' + n * interval '31 hours', 10 + n, 'completed' FROM generate_series(1, 50) n;

-- What the store shows differs from a count of the orders in that many rows (both ways).
CREATE FUNCTION differences(store name) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    EXECUTE format('WITH shown AS MATERIALIZED (SELECT customer_id, profile, category_mix FROM %1$I._profiles_now()),
        counted AS MATERIALIZED (SELECT customer_id, profile, category_mix FROM %1$I._profiles_at(now()))
        SELECT format(''%%s shown, %%s differ, %%s pending, %%s failures'', (SELECT count(*) FROM shown),
            (SELECT count(*) FROM ((TABLE shown EXCEPT ALL TABLE counted) UNION ALL (TABLE counted EXCEPT ALL TABLE shown)) d),
            (SELECT count(*) FROM %1$I.pending), (SELECT count(*) FROM %1$I.failures))', store) INTO result;
    RETURN result;
END $$;
CREATE PROCEDURE attempt(what text, statement text) LANGUAGE plpgsql AS $$
DECLARE message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RAISE WARNING '%: ACCEPTED', what;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE WARNING '%: % %', what, SQLSTATE, message USING DETAIL = coalesce(nullif(detail, ''), '-'), HINT = coalesce(nullif(hint, ''), '-');
END $$;

-- ---- What cannot be live ----
CREATE VIEW a_view AS TABLE orders;
CREATE MATERIALIZED VIEW a_matview AS TABLE orders;
CREATE UNLOGGED TABLE unlogged (LIKE orders);
CREATE INDEX ON unlogged (customer_id);
CALL attempt('a view', $$SELECT clientele.create_store('s', 'live.a_view', live => true)$$);
CALL attempt('a materialized view', $$SELECT clientele.create_store('s', 'live.a_matview', live => true)$$);
CALL attempt('an unlogged table', $$SELECT clientele.create_store('s', 'live.unlogged', live => true)$$);
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE far (order_id int, customer_id int, ordered_at timestamptz, amount numeric) SERVER nowhere;
CALL attempt('a foreign table', $$SELECT clientele.create_store('s', 'live.far', live => true)$$);
CREATE TABLE parted (order_id int, customer_id int, ordered_at timestamptz, amount numeric) PARTITION BY LIST (customer_id);
CREATE FOREIGN TABLE far_part PARTITION OF parted FOR VALUES IN (1) SERVER nowhere;
CALL attempt('a foreign partition', $$SELECT clientele.create_store('s', 'live.parted', live => true)$$);
DROP TABLE parted;
DROP FOREIGN DATA WRAPPER nowhere CASCADE;
SELECT clientele.create_store('s', 'live.a_view');
CALL attempt('afterwards', $$SELECT clientele.set_live('s', true)$$);
SELECT clientele.drop_store('s');
CALL attempt('NULL', $$SELECT clientele.set_live('s', NULL)$$);
CALL attempt('no store', $$SELECT clientele.set_live('s', true)$$);
SELECT count(*) AS nothing_left FROM pg_trigger WHERE tgname LIKE 'clientele%';

-- ---- Statements ----
SELECT clientele.create_store('shop', 'live.orders', refunded => 'refunded', order_filter => $$status = 'completed'$$, live => true);
SELECT store, live, fresh_to = now() AS fresh, stale FROM clientele.stores;
SELECT differences('shop') AS "before the first refresh";
CALL clientele.refresh('shop');
SELECT differences('shop') AS "after it";
INSERT INTO orders VALUES (101, 1, '2025-05-01', 10, 'completed'), (102, 1, '2024-05-01', 20.5, 'completed'), (103, 77, '2025-05-01', -5, 'completed'),
    (104, NULL, '2025-05-01', 10, 'completed'), (105, 2, '2025-05-01', 10, 'new'), (106, 2, NULL, 10, 'completed'), (107, 2, '2025-05-01', NULL, 'completed');
SELECT customer_id, clientele.orders(profile), clientele.refunds(profile), due FROM shop.pending ORDER BY 1;
SELECT differences('shop') AS "inserts";
UPDATE orders SET note = 'nothing that counts' WHERE customer_id = 3;
SELECT differences('shop') AS "an update that changes nothing";
UPDATE orders SET amount = amount + 1 WHERE order_id IN (3, 10);
UPDATE orders SET status = 'completed' WHERE order_id = 105;
UPDATE orders SET refunded = amount WHERE order_id = 4;
UPDATE orders SET customer_id = 78 WHERE order_id = 5;
UPDATE orders SET customer_id = 6 WHERE order_id = 104;
UPDATE orders SET ordered_at = '2023-01-01' WHERE order_id = 106;
SELECT customer_id, profile IS NULL AS marked FROM shop.pending GROUP BY 1, 2 ORDER BY 1, 2;
SELECT differences('shop') AS "updates";
DELETE FROM orders WHERE order_id IN (103, 20);
INSERT INTO orders VALUES (101, 1, '2025-05-01', 11, 'completed') ON CONFLICT (order_id) DO UPDATE SET amount = excluded.amount;
MERGE INTO orders o USING (VALUES (30), (300)) v (id) ON o.order_id = v.id
    WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (v.id, 5, '2025-02-02', 7, 'completed');
SELECT differences('shop') AS "delete, upsert, merge";
BEGIN;
INSERT INTO orders VALUES (400, 1, '2025-05-01', 10, 'completed');
SAVEPOINT a;
TRUNCATE orders;
INSERT INTO orders VALUES (401, 1, '2025-05-01', 10, 'completed');
SELECT differences('shop') AS "truncated, within the transaction";
ROLLBACK TO a;
SELECT differences('shop') AS "rolled back to before it";
COMMIT;
SELECT differences('shop') AS "committed";
CALL clientele.refresh('shop');
SELECT differences('shop') AS "folded";
INSERT INTO orders VALUES (402, 1, '2025-05-01', 10, 'completed');
CALL clientele.refresh('shop', "full" => true);
SELECT differences('shop') AS "counted anew";
BEGIN;
CALL clientele.refresh('shop');
SET LOCAL client_min_messages = notice;
CALL clientele.refresh('shop');
COMMIT;
-- An order of the future counts when its time has come.
INSERT INTO orders VALUES (500, 900, clock_timestamp() + interval '0.4 s', 10, 'completed'), (501, 901, 'infinity', 10, 'completed');
CALL clientele.refresh('shop');
SELECT count(*) AS not_yet FROM shop.customers WHERE customer_id >= 900;
SELECT pg_sleep(0.5);
SELECT customer_id AS now FROM shop.customers WHERE customer_id >= 900;
CALL clientele.refresh('shop');
SELECT customer_id AS folded FROM shop.profiles WHERE customer_id >= 900;
SELECT differences('shop');
TRUNCATE orders;
SELECT differences('shop') AS "truncated";
CALL clientele.refresh('shop');
SELECT differences('shop');

-- ---- Nothing of ours makes an order fail ----
INSERT INTO orders SELECT n, n % 7, timestamptz '2025-01-01' + n * interval '31 hours', 10 + n, 'completed' FROM generate_series(1, 50) n;
\set VERBOSITY terse
ALTER TABLE orders ALTER COLUMN amount TYPE numeric;
\set VERBOSITY default
ALTER TABLE orders ADD COLUMN wide numeric;
-- A row that nobody can count is left out, and is no failure.
UPDATE orders SET ordered_at = '-infinity' WHERE order_id = 1;
SELECT relation, operation, sqlstate, message FROM shop.failures;
SELECT stale FROM clientele.stores;
CALL attempt('refresh', $$CALL clientele.refresh('shop')$$);
DELETE FROM orders WHERE order_id = 1;
CALL clientele.refresh('shop');
SELECT stale FROM clientele.stores;
ALTER TABLE orders RENAME COLUMN amount TO total;
ALTER TABLE orders RENAME TO sales;
ALTER SCHEMA shop RENAME TO "the shop";
INSERT INTO sales (order_id, customer_id, ordered_at, total, status) VALUES (601, 1, '2025-05-01', 10, 'completed');
SELECT differences('the shop') AS "renamed";
ALTER SCHEMA "the shop" RENAME TO shop;
ALTER TABLE shop.pending ADD CHECK (customer_id < 0) NOT VALID;
INSERT INTO sales (order_id, customer_id, ordered_at, total, status) VALUES (602, 1, '2025-05-01', 10, 'completed');
ALTER TABLE shop.pending DROP CONSTRAINT pending_customer_id_check;
CALL clientele.refresh('shop');
SELECT differences('shop') AS "mended";
DROP TABLE shop.failures;
ALTER TABLE shop.pending RENAME COLUMN due TO late;
INSERT INTO sales (order_id, customer_id, ordered_at, total, status) VALUES (603, 1, '2025-05-01', 10, 'completed');
SELECT stale FROM clientele.stores;
DROP SCHEMA shop CASCADE;
\set VERBOSITY terse
INSERT INTO sales (order_id, customer_id, ordered_at, total, status) VALUES (604, 1, '2025-05-01', 10, 'completed');
\set VERBOSITY default
SELECT count(*) FROM sales WHERE order_id > 600;
SELECT tgname ~ '^clientele_[0-9a-f]{8}_[a-z]+$' AS named FROM pg_trigger WHERE tgrelid = 'sales'::regclass;
DROP TABLE sales CASCADE;

-- ---- Partitions, text keys, order lines ----
CREATE TABLE parts (order_id int, customer_id text, ordered_at timestamp, amount int, status text, PRIMARY KEY (order_id, status)) PARTITION BY LIST (status);
CREATE INDEX ON parts (customer_id);
CREATE TABLE parts_new PARTITION OF parts FOR VALUES IN ('new');
CREATE TABLE parts_done (status text NOT NULL, dropped int, amount int, ordered_at timestamp, customer_id text, order_id int NOT NULL);
ALTER TABLE parts_done DROP COLUMN dropped;
ALTER TABLE parts ATTACH PARTITION parts_done FOR VALUES IN ('done');
CREATE TABLE lines (order_id int, category text, amount numeric);
CREATE INDEX ON lines (order_id);
SELECT clientele.create_store('parted', 'live.parts', order_filter => $$status = 'done'$$, items => 'live.lines', time_zone => 'Asia/Tokyo', live => true);
SELECT tgrelid::regclass AS relation, count(*) FROM pg_trigger WHERE tgname LIKE 'clientele%' GROUP BY 1 ORDER BY 1;
CALL clientele.refresh('parted');
INSERT INTO lines VALUES (1, 'early', 5);
INSERT INTO parts VALUES (1, 'ada', '2025-01-01', 5, 'done'), (2, 'bob', '2025-01-02', 6, 'new');
INSERT INTO parts_done VALUES ('done', 7, '2025-01-03', 'cleo', 3);
INSERT INTO lines VALUES (2, 'tea', 4), (3, 'tea', 1), (3, 'milk', 3), (99, 'nobody', 1);
SELECT differences('parted') AS "inserts";
UPDATE parts SET status = 'done' WHERE order_id = 2;
UPDATE parts_done SET customer_id = 'dan' WHERE order_id = 3;
UPDATE lines SET category = 'coffee' WHERE category = 'tea';
SELECT differences('parted') AS "updates";
SELECT customer_id, orders, category_mix FROM parted.customers ORDER BY 1;
DELETE FROM lines WHERE order_id = 1;
DELETE FROM parts_done WHERE order_id = 2;
SELECT differences('parted') AS "deletes";
CALL clientele.refresh('parted');
CALL clientele.refresh('parted');
SELECT differences('parted') AS "folded";
INSERT INTO parts VALUES (99, 'eve', '2025-01-04', 9, 'done');
SELECT category_mix FROM parted.customers WHERE customer_id = 'eve';
TRUNCATE parts_new;
TRUNCATE lines;
SELECT differences('parted') AS "truncates";
CALL clientele.refresh('parted');
CREATE TABLE parts_late PARTITION OF parts FOR VALUES IN ('late');
INSERT INTO parts VALUES (5, 'ada', '2025-01-01', 5, 'late');
SELECT stale FROM clientele.stores;
SELECT clientele.set_live('parted', true);
SELECT stale FROM clientele.stores;
SELECT differences('parted') AS "a new partition";
ALTER TABLE parts DETACH PARTITION parts_done;
INSERT INTO parts_done VALUES ('done', 7, '2025-01-03', 'cleo', 30);
SELECT clientele.set_live('parted', true);
SELECT differences('parted') AS "a detached partition";

-- ---- Generated columns: the transition table of a partitioned table lacks those of partitions of another layout ----
CREATE TABLE made (order_id int, customer_id int, ordered_at timestamptz, net numeric, shipped boolean,
    amount numeric GENERATED ALWAYS AS (net * 2) STORED, counts boolean GENERATED ALWAYS AS (shipped) STORED) PARTITION BY RANGE (order_id);
CREATE INDEX ON made (customer_id);
CREATE TABLE made_like PARTITION OF made FOR VALUES FROM (0) TO (100);
CREATE TABLE made_unlike (gone int, shipped boolean, net numeric, ordered_at timestamptz, order_id int, customer_id int,
    counts boolean GENERATED ALWAYS AS (shipped) STORED, amount numeric GENERATED ALWAYS AS (net * 2) STORED);
ALTER TABLE made_unlike DROP COLUMN gone;
ALTER TABLE made ATTACH PARTITION made_unlike FOR VALUES FROM (100) TO (200);
SELECT clientele.create_store('made_shop', 'live.made', order_filter => 'counts', live => true);
CALL clientele.refresh('made_shop');
INSERT INTO made VALUES (1, 1, '2025-01-01', 5, true);
INSERT INTO made VALUES (101, 2, '2025-01-01', 5, true);
INSERT INTO made VALUES (2, 3, '2025-01-01', 5, true), (102, 3, '2025-01-02', 5, true), (103, 4, '2025-01-02', 5, false), (104, NULL, '2025-01-02', 5, true),
    (105, 5, NULL, 5, true), (106, 6, '2025-01-02', NULL, true), (107, 7, clock_timestamp() + interval '0.5 s', 5, true);
INSERT INTO made_unlike (order_id, customer_id, ordered_at, net, shipped) VALUES (108, 8, '2025-01-01', 5, true);
COPY made (order_id, customer_id, ordered_at, net, shipped) FROM STDIN;
109	9	2025-01-01	5	t
\.
SELECT customer_id, orders, gross_spent FROM made_shop.customers ORDER BY 1;
SELECT pg_sleep(0.6);
SELECT differences('made_shop') AS "inserts";
UPDATE made SET order_id = order_id + 110 WHERE order_id = 1;
UPDATE made SET net = 6 WHERE order_id = 101;
UPDATE made SET order_id = order_id - 100, customer_id = 10 WHERE order_id = 102;
DELETE FROM made WHERE order_id = 103;
SELECT customer_id, orders, gross_spent FROM made_shop.customers WHERE customer_id IN (1, 2, 3, 10) ORDER BY 1;
SELECT differences('made_shop') AS "updates", stale FROM clientele.stores WHERE store = 'made_shop';
CALL clientele.refresh('made_shop');
SELECT differences('made_shop') AS "folded";
SELECT clientele.drop_store('made_shop');
DROP TABLE made;
-- The customer, and the time, are such columns: nobody knows whom it concerns.
CREATE TABLE made (order_id int, who int, day int, amount numeric, customer_id int GENERATED ALWAYS AS (who + 1) STORED,
    ordered_at date GENERATED ALWAYS AS (date '2025-01-01' + day) STORED) PARTITION BY RANGE (order_id);
CREATE INDEX ON made (customer_id);
CREATE TABLE made_unlike (gone int, LIKE made INCLUDING GENERATED);
ALTER TABLE made_unlike DROP COLUMN gone;
ALTER TABLE made ATTACH PARTITION made_unlike DEFAULT;
SELECT clientele.create_store('made_shop', 'live.made', live => true);
CALL clientele.refresh('made_shop');
INSERT INTO made VALUES (1, 1, 5, 5), (2, NULL, 5, 5);
SELECT differences('made_shop') AS "customers";
CALL clientele.refresh('made_shop');
SELECT differences('made_shop') AS "folded";
SELECT clientele.drop_store('made_shop');
-- So are the columns of lines.
CREATE TABLE made_lines (line int, of_order int, quantity int, price numeric, order_id int GENERATED ALWAYS AS (of_order) STORED,
    category text GENERATED ALWAYS AS ('q' || quantity) STORED, amount numeric GENERATED ALWAYS AS (quantity * price) STORED) PARTITION BY RANGE (line);
CREATE INDEX ON made_lines (order_id);
CREATE TABLE lines_like PARTITION OF made_lines FOR VALUES FROM (0) TO (100);
CREATE TABLE lines_unlike (gone int, LIKE made_lines INCLUDING GENERATED);
ALTER TABLE lines_unlike DROP COLUMN gone;
ALTER TABLE made_lines ATTACH PARTITION lines_unlike FOR VALUES FROM (100) TO (200);
CREATE TABLE plain (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric);
CREATE INDEX ON plain (customer_id);
INSERT INTO plain SELECT n, n, '2025-01-01', 10 FROM generate_series(1, 3) n;
SELECT clientele.create_store('made_shop', 'live.plain', items => 'live.made_lines', live => true);
CALL clientele.refresh('made_shop');
INSERT INTO made_lines VALUES (1, 1, 2, 3), (101, 2, 2, 3), (102, 3, NULL, NULL);
SELECT differences('made_shop') AS "lines";
CALL clientele.refresh('made_shop');
UPDATE made_lines SET line = line + 1, price = 4 WHERE line > 100;
UPDATE made_lines SET line = line + 110, price = 5 WHERE line < 100;
SELECT differences('made_shop') AS "lines that are updated";
CALL clientele.refresh('made_shop');
DELETE FROM made_lines WHERE line = 111;
SELECT differences('made_shop') AS "lines that are deleted";
SELECT clientele.drop_store('made_shop');
DROP TABLE made, made_lines, plain;

-- ---- On and off ----
SELECT clientele.set_live('parted', false);
SELECT live, stale FROM clientele.stores;
INSERT INTO parts VALUES (6, 'ada', '2025-01-01', 5, 'late');
SELECT (SELECT count(*) FROM parted.pending) AS pending, (SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'clientele%') AS triggers;
SELECT clientele.set_live('parted', false);
SELECT clientele.set_live('parted', true);
SELECT clientele.set_live('parted', true);
SELECT differences('parted');
CALL clientele.refresh('parted');
SELECT differences('parted');
SELECT clientele.drop_store('parted');
SELECT count(*) AS triggers FROM pg_trigger WHERE tgname LIKE 'clientele%';

-- ---- Who may ----
RESET client_min_messages;
CREATE ROLE regress_clientele_till;
CREATE ROLE regress_clientele_shop;
GRANT CREATE ON DATABASE contrib_regression TO regress_clientele_shop;
CREATE TABLE sales (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric);
GRANT USAGE ON SCHEMA live TO regress_clientele_till, regress_clientele_shop;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA live TO regress_clientele_shop;
GRANT SELECT, INSERT ON sales TO regress_clientele_till;
GRANT SELECT ON sales TO regress_clientele_shop;
SET ROLE regress_clientele_shop;
CALL attempt('without TRIGGER', $$SELECT clientele.create_store('theirs', 'live.sales', live => true)$$);
RESET ROLE;
GRANT TRIGGER ON sales TO regress_clientele_shop;
SET ROLE regress_clientele_shop;
SELECT clientele.create_store('theirs', 'live.sales', live => true);
SET ROLE regress_clientele_till;
INSERT INTO sales VALUES (1, 1, '2025-01-01', 5);
CALL attempt('the till', $$SELECT * FROM theirs.pending$$);
CALL attempt('the till', $$SELECT clientele.set_live('theirs', false)$$);
CALL attempt('the till', $$SELECT clientele._drop_triggers('theirs', '{live.sales}')$$);
CALL attempt('the till', $$SELECT clientele._lock_sources('{live.sales}')$$);
CALL attempt('not a trigger', $$SELECT clientele._note_orders()$$);
SET ROLE regress_clientele_shop;
SELECT differences('theirs');
RESET ROLE;
REVOKE SELECT ON sales FROM regress_clientele_shop;
SET ROLE regress_clientele_till;
INSERT INTO sales VALUES (2, 1, '2025-01-01', 5);
RESET ROLE;
GRANT SELECT ON sales TO regress_clientele_shop;
ALTER TABLE sales ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON sales FOR SELECT TO regress_clientele_shop USING (customer_id < 5);
SET ROLE regress_clientele_shop;
SELECT clientele.set_live('theirs', false);
CALL attempt('under a policy', $$SELECT clientele.set_live('theirs', true)$$);
SELECT clientele.drop_store('theirs');
RESET ROLE;
SET client_min_messages = warning;
DROP SCHEMA live CASCADE;
REVOKE CREATE ON DATABASE contrib_regression FROM regress_clientele_shop;
DROP ROLE regress_clientele_till, regress_clientele_shop;
