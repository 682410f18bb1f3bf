-- Types that are not PostgreSQL's own, in every place where a store takes any type: their owners may make casts of them at any time,
-- and nobody runs those by using the store.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';

CREATE SCHEMA planted;
CREATE TYPE planted.kind AS ENUM ('food', 'care');
CREATE TYPE planted.number AS ENUM ('first', 'second', 'third');
CREATE TYPE planted.mood AS ENUM ('glad', 'sad');
CREATE TABLE planted.orders (order_id planted.number PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric);
CREATE INDEX ON planted.orders (customer_id);
CREATE TABLE planted.lines (order_id planted.number, category planted.kind, amount numeric);
CREATE INDEX ON planted.lines (order_id);
CREATE TABLE planted.customers (customer_id bigint PRIMARY KEY, mood planted.mood);
SELECT clientele.create_store('typed', 'planted.orders', order_id => 'order_id', items => 'planted.lines', item_order_id => 'order_id', item_category => 'category',
    item_amount => 'amount', customers => 'planted.customers', attributes => '{mood}', live => true);

-- Made afterwards, so that a text cast in a view would have stayed what it was; in a query it would not.
CREATE FUNCTION planted.leak(anyenum) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'run as %', current_user; RETURN 'first'; END $$;
CREATE FUNCTION planted.leak_json(planted.mood) RETURNS json LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'run as %', current_user; RETURN '1'; END $$;
CREATE CAST (planted.kind AS text) WITH FUNCTION planted.leak(anyenum);
CREATE CAST (planted.number AS text) WITH FUNCTION planted.leak(anyenum);
CREATE CAST (planted.mood AS json) WITH FUNCTION planted.leak_json(planted.mood);
-- A store that is created now does without them, too.
SELECT clientele.create_store('later', 'planted.orders', order_id => 'order_id', items => 'planted.lines', item_order_id => 'order_id', item_category => 'category',
    item_amount => 'amount', customers => 'planted.customers', attributes => '{mood}');

INSERT INTO planted.customers VALUES (1, 'glad'), (2, NULL);
INSERT INTO planted.orders VALUES ('first', 1, now() - interval '2 days', 30), ('second', 1, now() - interval '1 day', 40);
INSERT INTO planted.lines VALUES ('first', 'food', 30), ('second', 'care', 40), ('second', NULL, 5);
CALL clientele.refresh('typed');
CALL clientele.refresh('later');
SELECT customer_id, category_mix, mood FROM typed.customers UNION ALL SELECT customer_id, category_mix, mood FROM later.customers ORDER BY 1;
UPDATE planted.lines SET category = 'food' WHERE category = 'care';
SELECT category_mix FROM typed.customers WHERE customer_id = 1;
CALL clientele.refresh('typed');
SELECT * FROM clientele.check_store('typed');

SELECT clientele.define_segment('typed', 'glad', 'mood = ''glad''');
SELECT segment, condition, value_found, outcome FROM clientele.explain_segment(1, 'typed') WHERE segment = 'glad';
SELECT segment, condition, value_found, outcome FROM clientele.explain_segment(2, 'typed') WHERE segment = 'glad';

\set VERBOSITY terse
SELECT clientele.define_offer('typed', 'stretch', 'grow_order_value');
SELECT code FROM clientele.issue_offer(1, 'typed') \gset
INSERT INTO planted.orders VALUES ('third', 1, now(), 400);
SELECT order_id, order_value FROM clientele.redeem_offer(:'code', 'third'::text, 'typed');
SELECT order_id, order_value FROM clientele.redeem_offer(:'code', 'third'::text, 'typed');
SELECT clientele.redeem_offer(:'code', 'second'::text, 'typed');
SELECT clientele.redeem_offer(:'code', 'fourth'::text, 'typed');
SELECT clientele.void_redemption('third'::text, 'typed');

-- What is left out is named.
UPDATE planted.orders SET amount = 'NaN' WHERE order_id = 'first';
CALL clientele.refresh('later');
ANALYZE planted.orders, planted.lines, typed.ledger;

-- The statistics of a range run a function of whoever made it.
CREATE TYPE planted.span AS RANGE (subtype = float8);
CREATE TABLE planted.spans (order_id planted.span, customer_id bigint, ordered_at timestamptz, amount numeric);
SELECT clientele.create_store('spans', 'planted.spans', order_id => 'order_id');

SELECT clientele.drop_store('typed', force => true);
SELECT clientele.drop_store('later');
DROP SCHEMA planted CASCADE;
