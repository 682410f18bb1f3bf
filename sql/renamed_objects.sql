-- Rules, features and filters survive what the server itself survives: whatever is renamed or moved, they go on.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset null '(null)'
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA renames;
SET search_path = renames, public;
CREATE TYPE tier AS ENUM ('bronze', 'silver', 'gold');
CREATE TYPE state AS ENUM ('open', 'paid');
CREATE TYPE place AS (city text, zip text);
CREATE SCHEMA types;
CREATE EXTENSION citext SCHEMA types;
CREATE EXTENSION hstore SCHEMA types;
CREATE EXTENSION pg_trgm SCHEMA types;
CREATE TABLE customers (customer_id int PRIMARY KEY, tier tier, email types.citext, facts types.hstore, note text COLLATE "C", place place, tiers tier[]);
INSERT INTO customers SELECT c, (ARRAY['bronze', 'silver', 'gold'])[c % 3 + 1]::tier, 'Who' || c || '@Example.com', types.hstore('n'::text, c::text),
    'note ' || c, format('(Rome,%s)', c)::place, ARRAY['gold']::tier[] FROM generate_series(1, 12) AS c;
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10,2), state state);
CREATE INDEX ON orders (customer_id);
INSERT INTO orders SELECT n, n % 12 + 1, '2025-01-01'::timestamptz + n * interval '1 day', n, CASE WHEN n % 5 = 0 THEN 'open' ELSE 'paid' END::state FROM generate_series(1, 60) AS n;
SELECT clientele.create_store('shop', orders => 'orders', order_filter => $$state = 'paid'$$, customers => 'customers',
    attributes => '{tier,email,facts,note,place,tiers}');
CALL clientele.refresh('shop');

SELECT clientele.define_segment('shop', 'golden', $$tier = 'gold' AND tiers @> '{gold}'$$),
    clientele.define_segment('shop', 'better', $$tier > 'bronze'$$),
    clientele.define_segment('shop', 'eleven', $$email = 'WHO11@example.com' OR facts -> 'n' = '11'$$, segmentation => 'texts'),
    clientele.define_segment('shop', 'alike', $$types.similarity(note, 'note 1') > 0.9 AND (place).city = 'Rome'$$, segmentation => 'texts'),
    clientele.define_segment('shop', 'few', $$note IN ('note 1', 'note 12') AND category_share(category_mix, 'x') IS NULL$$, segmentation => 'texts');
SELECT k FROM clientele.learn_segments('shop', 'learned', ARRAY[$$(tier = 'gold')::int$$, 'coalesce(total_spent, 0)'], 2);
SELECT k FROM clientele.learn_segments('shop', 'learned', ARRAY[$$(email = 'who3@example.com')::int$$, 'coalesce(gross_spent, 0)'], 2);
CREATE TABLE before AS SELECT customer_id, segmentation, segment FROM shop.segments;
CREATE VIEW differences AS
    (TABLE before EXCEPT SELECT customer_id, segmentation, segment FROM shop.segments)
    UNION ALL (SELECT customer_id, segmentation, segment FROM shop.segments EXCEPT TABLE before);
CREATE TABLE described AS SELECT segment, customers, centroid IS NOT NULL AS described FROM clientele.describe_segments('shop', 'learned');

-- Everything that has a name gets another one.
ALTER TYPE tier RENAME VALUE 'gold' TO 'Or ''pur''';
ALTER TYPE tier RENAME TO "Rank";
ALTER TYPE "Rank" SET SCHEMA types;
ALTER TYPE state RENAME VALUE 'paid' TO 'settled';
ALTER TYPE state RENAME TO order_state;
ALTER TYPE place RENAME ATTRIBUTE city TO town;
ALTER TYPE place RENAME TO address;
ALTER SCHEMA types RENAME TO "New types";
ALTER EXTENSION citext SET SCHEMA public;
ALTER EXTENSION pg_trgm SET SCHEMA public;
ALTER TABLE customers RENAME note TO remark;
ALTER TABLE customers RENAME TO people;
ALTER TABLE orders RENAME state TO condition;
ALTER VIEW shop.customers RENAME tier TO rank;
ALTER SCHEMA shop RENAME TO "The shop";
\set shop '''The shop'''
SELECT * FROM differences;

-- Explanations speak of what things are called now.
SELECT segment, condition, value_found, outcome FROM clientele.explain_segment(11, :shop);
SELECT segment, condition, value_found, outcome FROM clientele.explain_segment(11, :shop, 'texts');
SELECT condition, outcome FROM clientele.explain_segment(11, :shop, 'learned');
SELECT d.* FROM clientele.describe_segments(:shop, 'learned') AS d WHERE d.customers NOT IN (SELECT customers FROM described);

-- And every definer works on.
SELECT clientele.define_segment(:shop, 'other', $$rank = 'silver' AND email = 'WHO4@example.com'$$, segmentation => 'new');
SELECT customer_id FROM "The shop".segments WHERE segmentation = 'new' AND segment = 'other';
SELECT clientele.drop_segment(:shop, 'other', 'new');
SELECT clientele.rename_segment(:shop, 'eleven', 'the eleventh', 'texts'), clientele.rename_segment(:shop, 'the eleventh', 'eleven', 'texts');
SELECT clientele.set_default_segment(:shop, 'rest'), clientele.set_default_segment(:shop, 'default');
SELECT clientele.upgrade_store(:shop);
SELECT * FROM differences;
\pset format unaligned
SELECT segment, rule, operands FROM "The shop".segment_rules WHERE segmentation <> 'learned' ORDER BY segmentation, priority;
\pset format aligned
SELECT clientele.define_segment(:shop, 'golden', $$rank = 'Or ''pur'''$$);
SELECT * FROM differences;

-- Learned segments: the version before was learned from a value that is called otherwise now.
SELECT clientele.use_model(:shop, 'kmeans:learned', 1);
SELECT segment, count(*) FROM "The shop".segments WHERE segmentation = 'learned' GROUP BY 1 ORDER BY 1;
SELECT k FROM clientele.learn_segments(:shop, 'learned');
SELECT parameters -> 'features' AS features, diagnostics -> 'drift' -> 'gone' AS gone FROM "The shop".models WHERE kind = 'kmeans:learned' AND in_use;
SELECT clientele.use_model(:shop, 'kmeans:learned', 2);
SELECT * FROM differences;

-- The filter.
INSERT INTO orders VALUES (61, 1, '2025-06-01', 1000, 'settled'), (62, 1, '2025-06-02', 1000, 'open');
CALL clientele.refresh(:shop);
SELECT clientele.set_live(:shop, true);
INSERT INTO orders VALUES (63, 1, '2025-06-03', 1000, 'settled'), (64, 1, '2025-06-04', 1000, 'open');
UPDATE orders SET condition = 'settled' WHERE order_id = 62;
SELECT orders, gross_spent FROM "The shop".customers WHERE customer_id = 1;
SELECT (SELECT count(*) FROM orders WHERE customer_id = 1 AND condition = 'settled') AS orders, (SELECT sum(amount) FROM orders WHERE customer_id = 1 AND condition = 'settled') AS gross_spent;
CALL clientele.refresh(:shop);
SELECT * FROM clientele.check_store(:shop);
SELECT clientele.upgrade_store(:shop);
SELECT order_filter FROM "The shop".settings;
ALTER TYPE order_state RENAME VALUE 'settled' TO 'done';
SELECT clientele.set_time_zone(:shop, 'Europe/Rome');
CALL clientele.refresh(:shop);
SELECT order_filter FROM "The shop".settings;
SELECT orders FROM "The shop".customers WHERE customer_id = 1;
SELECT count(*) FROM orders WHERE customer_id = 1 AND condition = 'done';

-- A rule that nobody can read any more: it alone is named, and the others go on.
SELECT oid::regprocedure AS matches, pg_get_function_identity_arguments(oid) AS parameters FROM pg_proc
WHERE proname = '_matches' AND pronamespace = '"The shop"'::regnamespace \gset
DROP FUNCTION :matches;
-- Whatever stands in its place.
CREATE FUNCTION "The shop"._matches(:parameters) RETURNS void LANGUAGE sql BEGIN ATOMIC SELECT; END;
SELECT condition, outcome FROM clientele.explain_segment(11, :shop);
CREATE OR REPLACE FUNCTION "The shop"._matches(:parameters) RETURNS void LANGUAGE sql BEGIN ATOMIC END;
SELECT condition, outcome FROM clientele.explain_segment(11, :shop);
DROP FUNCTION :matches;
CREATE FUNCTION "The shop"._matches(:parameters) RETURNS SETOF record LANGUAGE sql BEGIN ATOMIC
    SELECT 1 FROM pg_class WHERE oid = $2; VALUES ('main', 1, 'golden', $1 > 2), (NULL, 1, 'better', (SELECT $1 = 3)); END;
SELECT condition, outcome FROM clientele.explain_segment(11, :shop);
CREATE OR REPLACE FUNCTION "The shop"._matches(:parameters) RETURNS SETOF record LANGUAGE sql BEGIN ATOMIC
    VALUES ('main', 1, 'golden', $1 > 2), (NULL, 1, 'better', (SELECT $1 = 3)); END;
SELECT condition, outcome FROM clientele.explain_segment(11, :shop);
DROP FUNCTION :matches;
UPDATE "The shop".segment_rules SET rule = 'no_such_column > 3' WHERE segment = 'golden';
SELECT clientele.define_segment(:shop, 'other', $$rank = 'bronze'$$, segmentation => 'new');
SELECT segment, condition, value_found, outcome FROM clientele.explain_segment(11, :shop);
SELECT segmentation, count(*) FROM differences GROUP BY 1;
SELECT clientele.upgrade_store(:shop);
SELECT clientele.drop_segment(:shop, 'other', 'new');
SELECT clientele.define_segment(:shop, 'golden', $$rank = 'Or ''pur'''$$);
SELECT * FROM differences;
UPDATE "The shop".segment_rules SET rule = 'text is for show' WHERE segment = 'golden';
SELECT condition FROM clientele.explain_segment(11, :shop);
SELECT clientele.drop_segment(:shop, 'golden');

DROP VIEW differences;
SELECT clientele.drop_store(:shop);
SELECT count(*) FROM clientele.stores WHERE store = 'The shop';
DROP SCHEMA renames CASCADE;
DROP EXTENSION citext, hstore, pg_trgm;
DROP SCHEMA "New types" CASCADE;
