-- learn_affinity(): which products go together, counted exactly, as a model of the store.
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET client_min_messages = warning;
CREATE SCHEMA affinity_test;
SET search_path = affinity_test, public;
CREATE TABLE orders (order_id text PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10,2), status text);
CREATE TABLE lines (order_id text, category text, amount numeric(10,2), product text, pieces int);
INSERT INTO orders SELECT 'o-' || o, o % 97, now() - o * interval '1 hour', 20, CASE WHEN o % 50 = 0 THEN 'cancelled' ELSE 'paid' END FROM generate_series(1, 3000) o;
INSERT INTO lines SELECT 'o-' || o, 'food', 4, 'p' || floor(200 * power(clientele.bucket('product', o || '.' || n), 2)), CASE WHEN clientele.bucket('back', o || '.' || n) < 0.05 THEN -1 ELSE 1 END
    FROM generate_series(1, 3000) o, LATERAL generate_series(0, (12 * clientele.bucket('lines', o::text))::int) n;
SELECT clientele.create_store('shop', 'orders', order_filter => $$status = 'paid'$$, items => 'lines', item_product => 'product', item_quantity => 'pieces');
CREATE VIEW bought AS SELECT DISTINCT order_id, product FROM lines JOIN orders USING (order_id) WHERE status = 'paid' AND pieces > 0 AND ordered_at > now() - interval '60 days';
CREATE VIEW singles AS SELECT product, count(*) AS orders FROM bought GROUP BY product;
CREATE VIEW pairs AS SELECT a.product, b.product AS neighbour, count(*) AS together FROM bought a JOIN bought b USING (order_id) WHERE a.product <> b.product GROUP BY 1, 2;

-- ---- Exact: what every pair of lines, joined in SQL, gives ----

BEGIN;
SELECT version, orders = (SELECT count(DISTINCT order_id) FROM bought) AS orders, products = (SELECT count(*) FROM singles) AS products,
    pairs * 2 = (SELECT count(*) FROM pairs) AS pairs, left_out FROM clientele.learn_affinity('shop', period => '60 days', shrinkage => 5);
WITH scored AS (
    SELECT p.*, s.orders, p.together / sqrt(s.orders::float8 * n.orders) * (p.together / (p.together + 5.0::float8)) AS affinity
    FROM pairs p JOIN singles s USING (product) JOIN singles n ON n.product = p.neighbour
), best AS (
    SELECT *, row_number() OVER (PARTITION BY product ORDER BY affinity DESC, neighbour COLLATE "C") AS place FROM scored
) SELECT count(*) AS neighbours, count(*) FILTER (WHERE b.orders = a.orders AND b.together = a.together AND b.affinity = a.affinity) AS same,
    max(b.place) AS most FROM (SELECT * FROM best WHERE place <= 50) b FULL JOIN shop.affinities a USING (product, neighbour);
-- Of two that are among each other's neighbours, each says the same.
SELECT count(*) AS mutual, count(*) FILTER (WHERE a.affinity = b.affinity AND a.together = b.together) AS same FROM shop.affinities a JOIN shop.affinities b ON b.product = a.neighbour AND b.neighbour = a.product;
SELECT parameters - 'learnt' AS parameters, data_to = now() AS up_to_now, customers, in_use FROM clientele.models WHERE store = 'shop' AND kind = 'affinity';
COMMIT;

-- ---- Independent of the order of the rows, the number of workers and the memory ----

CREATE TEMPORARY TABLE first AS SELECT * FROM shop.affinities;
CREATE TABLE shuffled AS SELECT * FROM lines ORDER BY clientele.bucket('shuffled', order_id || product || pieces);
TRUNCATE lines;
INSERT INTO lines SELECT * FROM shuffled;
SET min_parallel_table_scan_size = 0; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET enable_hashjoin = off; SET maintenance_work_mem = '1MB'; SET work_mem = '64kB';
SELECT version FROM clientele.learn_affinity('shop', '60 days', 5, as_of => (SELECT data_to FROM clientele.models WHERE store = 'shop' AND version = 1));
RESET min_parallel_table_scan_size; RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET enable_hashjoin; RESET maintenance_work_mem; RESET work_mem;
SELECT count(*) AS differing FROM (TABLE first EXCEPT TABLE shop.affinities UNION ALL (TABLE shop.affinities EXCEPT TABLE first)) d;

-- ---- Versions ----

SELECT version, left_out > 0 AS some_left_out, orders + left_out = (SELECT count(DISTINCT order_id) FROM lines JOIN orders USING (order_id) WHERE status = 'paid' AND pieces > 0) AS all_others FROM clientele.learn_affinity('shop', NULL, max_products => 8);
SELECT version, orders, lines, products, pairs, left_out FROM clientele.learn_affinity('shop', as_of => '2000-01-01', use => false);
SELECT version, in_use, diagnostics -> 'products' AS products FROM clientele.models WHERE store = 'shop' ORDER BY 1;
-- The neighbours of the latest three are kept; of an older one the figures alone.
SELECT count(DISTINCT learnt) FROM shop.product_neighbours;
SELECT clientele.use_model('shop', 'affinity', 2);
SELECT count(*) AS differing FROM (TABLE first EXCEPT TABLE shop.affinities) d;
\set VERBOSITY terse
SELECT clientele.use_model('shop', 'affinity', 1);
SELECT clientele.use_model('shop', 'affinity', 9);
\set VERBOSITY default
SELECT clientele.use_model('shop', 'affinity', 4);
SELECT count(*) FROM shop.affinities;
SELECT clientele.use_model('shop', 'affinity', NULL);
SELECT count(*) FILTER (WHERE in_use) AS in_use FROM clientele.models WHERE store = 'shop';

-- ---- Orders that say little, and lines that say it often ----

INSERT INTO orders VALUES ('alone', 1, '2001-01-01', 5, 'paid'), ('million', 1, '2001-01-02', 5, 'paid'), ('many', 2, '2001-01-03', 5, 'paid'), ('none', 3, '2001-01-04', 5, 'paid'), ('returned', 3, '2001-01-04', -5, 'paid');
INSERT INTO lines SELECT 'million', 'food', 1, 'bread', 1 FROM generate_series(1, 1000000);
INSERT INTO lines VALUES ('million', 'food', 1, 'milk', 1), ('alone', 'food', 5, 'bread', 1), ('none', 'food', 5, NULL, 1), ('returned', 'food', 5, 'bread', 1), ('returned', 'food', 5, 'jam', 1);
INSERT INTO lines SELECT 'many', 'food', 1, 'm' || n, 1 FROM generate_series(1, 501) n;
INSERT INTO lines SELECT 'alone', 'food', 1, string_agg(md5(n::text), ''), 1 FROM generate_series(1, 100) n;  -- too long for an index
SET client_min_messages = notice;
SELECT * FROM clientele.learn_affinity('shop', '1 year', 0, as_of => '2001-12-31');
SELECT * FROM shop.affinities ORDER BY product;

-- ---- What is refused ----

SELECT clientele.learn_affinity(NULL);
SELECT clientele.learn_affinity('nowhere');
SELECT clientele.learn_affinity('shop', '-1 day');
SELECT clientele.learn_affinity('shop', '30');
SELECT clientele.learn_affinity('shop', shrinkage => -1);
SELECT clientele.learn_affinity('shop', shrinkage => 'NaN');
SELECT clientele.learn_affinity('shop', shrinkage => NULL);
SELECT clientele.learn_affinity('shop', max_products => 1);
SELECT clientele.learn_affinity('shop', max_products => 10001);
SELECT clientele.learn_affinity('shop', use => NULL);
SELECT clientele.alter_store('shop', reset => '{item_product,item_quantity}');
SELECT clientele.learn_affinity('shop');
SELECT clientele.detach_store('shop');
SELECT clientele.learn_affinity('shop');
SELECT count(*) FROM shop.affinities;
SELECT clientele.attach_store('shop');
SET client_min_messages = warning;
SELECT clientele.drop_store('shop');

-- ---- Keys of other types ----

CREATE TABLE typed_orders (order_id bigint PRIMARY KEY, customer_id uuid, ordered_at date, amount numeric);
CREATE TABLE typed_lines (order_id bigint, category text, amount numeric, u uuid, s smallint, b bigint, v varchar(20));
INSERT INTO typed_orders SELECT o, md5((o % 5)::text)::uuid, current_date - o, 10 FROM generate_series(1, 40) o;
INSERT INTO typed_lines SELECT o, 'c', 5, md5(p::text)::uuid, p, -p, 'v ' || p FROM generate_series(1, 40) o, LATERAL (VALUES (o % 7), (o % 3), (20)) v (p);
CREATE TABLE found (kind text, neighbours bigint, sum float8);
DO $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY '{u,s,b,v}'::text[] LOOP
        PERFORM clientele.create_store('typed', 'affinity_test.typed_orders', items => 'affinity_test.typed_lines', item_product => kind);
        PERFORM clientele.learn_affinity('typed');
        EXECUTE format('INSERT INTO affinity_test.found SELECT %L, count(*), sum(a.affinity) FROM typed.affinities a WHERE EXISTS (SELECT FROM affinity_test.typed_lines l WHERE l.%1$I::text = a.product)', kind);
        PERFORM clientele.drop_store('typed');
    END LOOP;
END $$;
SELECT count(*) AS kinds, count(DISTINCT neighbours) AS alike, count(DISTINCT round(sum::numeric, 9)) AS sums, min(neighbours) AS neighbours FROM found;
DROP SCHEMA affinity_test CASCADE;
