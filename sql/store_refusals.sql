-- What stores refuse: SQLSTATE, message, and whether it says what would be accepted. Nothing is left half-done.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;

CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10, 2), status text, real_amount float8, money_amount money, at_time time, at_text text, many int[], back text, code char(5));
CREATE TABLE people (customer_id int PRIMARY KEY, orders int, profile text, segment text, as_of date, clv_1y int, birth_date date, big_key bigint, name text);
CREATE TABLE double_people (customer_id int, name text);
CREATE VIEW double_people_view AS SELECT * FROM double_people;
INSERT INTO double_people VALUES (1, 'a'), (1, 'b');
CREATE TABLE lines (order_id int, category text, amount numeric, text_id text, price float8);
CREATE SEQUENCE a_sequence;
CREATE INDEX an_index ON orders (amount);
CREATE TYPE a_type AS (x int);
CREATE FUNCTION volatile_one() RETURNS int LANGUAGE sql VOLATILE AS 'SELECT 1';
CREATE FUNCTION public.immutable_one(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE DOMAIN key_domain AS int;
CREATE TABLE domain_orders (customer_id key_domain, ordered_at timestamptz, amount numeric);
CREATE SCHEMA taken;

CREATE TABLE refusals (n int GENERATED ALWAYS AS IDENTITY, what text, statement text, result text, guided boolean);
CREATE PROCEDURE attempt(what text, statement text) LANGUAGE plpgsql AS $$
DECLARE
    d text; h text;
BEGIN
    EXECUTE statement;
    INSERT INTO refusals (what, statement, result) VALUES (what, statement, 'ACCEPTED');
EXCEPTION WHEN others THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    INSERT INTO refusals (what, statement, result, guided) VALUES (what, statement, SQLSTATE || ': ' || SQLERRM, d <> '' OR h <> '');
END $$;
CREATE PROCEDURE attempt_store(what text, arguments text) LANGUAGE plpgsql AS $$
BEGIN
    CALL attempt(what, format('SELECT clientele.create_store(%s)', arguments));
END $$;

-- ---- create_store ----
CALL attempt_store('no store', $$NULL, 'orders'$$);
CALL attempt_store('no orders', $$'s', NULL$$);
CALL attempt_store('no table', $$'s', 'nothing'$$);
CALL attempt_store('malformed table', $$'s', 'a.b.c.d'$$);
CALL attempt_store('existing schema', $$'taken', 'orders'$$);
CALL attempt_store('existing schema', $$'public', 'orders'$$);
CALL attempt_store('system schema', $$'pg_catalog', 'orders'$$);
CALL attempt_store('reserved name', $$'pg_shop', 'orders'$$);
CALL attempt_store('the extension''s schema', $$'clientele', 'orders'$$);
CALL attempt_store('empty name', $$'', 'orders'$$);
CALL attempt_store('a sequence', $$'s', 'a_sequence'$$);
CALL attempt_store('an index', $$'s', 'an_index'$$);
CALL attempt_store('a type', $$'s', 'a_type'$$);
CALL attempt_store('missing column', $$'s', 'orders', customer_id => 'nobody'$$);
CALL attempt_store('missing column', $$'s', 'orders', ordered_at => 'never'$$);
CALL attempt_store('missing column', $$'s', 'orders', amount => 'none'$$);
CALL attempt_store('missing column', $$'s', 'orders', refunded => 'none'$$);
CALL attempt_store('missing column', $$'s', 'orders', discount => 'none'$$);
CALL attempt_store('missing column', $$'s', 'orders', order_id => 'none'$$);
CALL attempt_store('system column', $$'s', 'orders', order_id => 'ctid'$$);
CALL attempt_store('NULL column', $$'s', 'orders', customer_id => NULL$$);
CALL attempt_store('NULL column', $$'s', 'orders', amount => NULL$$);
CALL attempt_store('wrong type', $$'s', 'orders', customer_id => 'ordered_at'$$);
CALL attempt_store('wrong type', $$'s', 'orders', customer_id => 'many'$$);
CALL attempt_store('wrong type', $$'s', 'orders', customer_id => 'code'$$);
CALL attempt_store('wrong type', $$'s', 'orders', customer_id => 'amount'$$);
CALL attempt_store('wrong type', $$'s', 'orders', ordered_at => 'at_time'$$);
CALL attempt_store('wrong type', $$'s', 'orders', ordered_at => 'at_text'$$);
CALL attempt_store('wrong type', $$'s', 'orders', amount => 'real_amount'$$);
CALL attempt_store('wrong type', $$'s', 'orders', amount => 'money_amount'$$);
CALL attempt_store('wrong type', $$'s', 'orders', amount => 'status'$$);
CALL attempt_store('wrong type', $$'s', 'orders', refunded => 'back'$$);
CALL attempt_store('wrong type', $$'s', 'orders', discount => 'real_amount'$$);
CALL attempt_store('a domain', $$'s', 'domain_orders'$$);
-- Customers.
CALL attempt_store('no customers table', $$'s', 'orders', customers => 'nothing'$$);
CALL attempt_store('missing key', $$'s', 'orders', customers => 'people', customer_key => 'nothing'$$);
CALL attempt_store('NULL key', $$'s', 'orders', customers => 'people', customer_key => NULL$$);
CALL attempt_store('keys of different types', $$'s', 'orders', customers => 'people', customer_key => 'big_key'$$);
CALL attempt_store('keys of different types', $$'s', 'orders', customers => 'people', customer_key => 'name'$$);
CALL attempt_store('key not unique', $$'s', 'orders', customers => 'double_people'$$);
CALL attempt_store('key not unique', $$'s', 'orders', customers => 'double_people_view'$$);
CALL attempt_store('attributes without customers', $$'s', 'orders', attributes => '{birth_date}'$$);
CALL attempt_store('missing attribute', $$'s', 'orders', customers => 'people', attributes => '{shoe_size}'$$);
CALL attempt_store('missing attribute', $$'s', 'orders', customers => 'people', attributes => '{shoe_size AS size}'$$);
CALL attempt_store('NULL attribute', $$'s', 'orders', customers => 'people', attributes => '{NULL}'$$);
CALL attempt_store('empty attribute', $$'s', 'orders', customers => 'people', attributes => '{""}'$$);
CALL attempt_store('attribute twice', $$'s', 'orders', customers => 'people', attributes => '{name,name}'$$);
CALL attempt_store('collision', $$'s', 'orders', customers => 'people', attributes => '{orders}'$$);
CALL attempt_store('collision', $$'s', 'orders', customers => 'people', attributes => '{segment}'$$);
CALL attempt_store('collision', $$'s', 'orders', customers => 'people', attributes => '{as_of}'$$);
CALL attempt_store('collision', $$'s', 'orders', customers => 'people', attributes => '{clv_1y}'$$);
CALL attempt_store('collision', $$'s', 'orders', customers => 'people', attributes => '{customer_id}'$$);
CALL attempt_store('collision', $$'s', 'orders', customers => 'people', attributes => '{name AS recency_days}'$$);
CALL attempt_store('collision', $$'s', 'orders', customers => 'people', attributes => '{name AS category_mix}'$$);
CALL attempt_store('collision', $$'s', 'orders', customers => 'people', attributes => '{profile}'$$);
CALL attempt_store('too many attributes', $$'s', 'orders', customers => 'people', attributes => (SELECT array_agg('name AS n' || i) FROM generate_series(1, 61) i)$$);
-- Lines.
CALL attempt_store('no lines table', $$'s', 'orders', items => 'nothing'$$);
CALL attempt_store('lines: missing column', $$'s', 'orders', items => 'lines', item_category => 'kind'$$);
CALL attempt_store('lines: wrong type', $$'s', 'orders', items => 'lines', item_amount => 'price'$$);
CALL attempt_store('lines: other key type', $$'s', 'orders', items => 'lines', item_order_id => 'text_id'$$);
CALL attempt_store('lines without an order key', $$'s', 'orders', items => 'lines', order_id => NULL$$);
CALL attempt_store('lines without an order key', $$'s', 'domain_orders', customer_id => 'customer_id', items => 'lines'$$);
-- Terms.
CALL attempt_store('currency', $$'s', 'orders', currency => 'usd'$$);
CALL attempt_store('currency', $$'s', 'orders', currency => 'EURO'$$);
CALL attempt_store('currency', $$'s', 'orders', currency => E'EUR\n'$$);
CALL attempt_store('currency', $$'s', 'orders', currency => ''$$);
CALL attempt_store('currency', $$'s', 'orders', currency => NULL$$);
CALL attempt_store('zone', $$'s', 'orders', time_zone => 'Mars/Olympus'$$);
CALL attempt_store('zone', $$'s', 'orders', time_zone => 'CEST'$$);
CALL attempt_store('zone', $$'s', 'orders', time_zone => 'UTC+3'$$);
CALL attempt_store('zone', $$'s', 'orders', time_zone => ''$$);
CALL attempt_store('zone', $$'s', 'orders', time_zone => NULL$$);
CALL attempt_store('margin', $$'s', 'orders', margin => 0$$);
CALL attempt_store('margin', $$'s', 'orders', margin => -0.1$$);
CALL attempt_store('margin', $$'s', 'orders', margin => 1.01$$);
CALL attempt_store('margin', $$'s', 'orders', margin => 'NaN'$$);
CALL attempt_store('margin', $$'s', 'orders', margin => 'Infinity'$$);
CALL attempt_store('margin', $$'s', 'orders', margin => 0.1234567$$);
CALL attempt_store('margin', $$'s', 'orders', margin => NULL$$);
CALL attempt_store('live', $$'s', 'orders', live => NULL$$);
-- Filters.
CALL attempt_store('filter: not boolean', $$'s', 'orders', order_filter => 'amount'$$);
CALL attempt_store('filter: empty', $$'s', 'orders', order_filter => ''$$);
CALL attempt_store('filter: no column', $$'s', 'orders', order_filter => 'colour = 1'$$);
CALL attempt_store('filter: syntax', $$'s', 'orders', order_filter => 'amount >'$$);
CALL attempt_store('filter: subquery', $$'s', 'orders', order_filter => 'amount > (SELECT 1)'$$);
CALL attempt_store('filter: aggregate', $$'s', 'orders', order_filter => 'count(*) > 1'$$);
CALL attempt_store('filter: window', $$'s', 'orders', order_filter => 'row_number() OVER () > 1'$$);
CALL attempt_store('filter: semicolon', $$'s', 'orders', order_filter => 'true; DROP TABLE orders'$$);
CALL attempt_store('filter: ends early', $$'s', 'orders', order_filter => 'true) OR (true'$$);
CALL attempt_store('filter: comment', $$'s', 'orders', order_filter => 'true -- and'$$);
CALL attempt_store('filter: clock', $$'s', 'orders', order_filter => 'ordered_at < now()'$$);
CALL attempt_store('filter: clock', $$'s', 'orders', order_filter => 'ordered_at < CURRENT_TIMESTAMP'$$);
CALL attempt_store('filter: session''s zone', $$'s', 'orders', order_filter => 'ordered_at::date > ''2024-01-01'''$$);
CALL attempt_store('filter: volatile', $$'s', 'orders', order_filter => 'random() < 0.5'$$);
CALL attempt_store('filter: volatile', $$'s', 'orders', order_filter => 'public.volatile_one() = 1'$$);
CALL attempt_store('filter: foreign', $$'s', 'orders', order_filter => 'public.immutable_one(1) = 1'$$);
CALL attempt_store('filter: parameter', $$'s', 'orders', order_filter => 'amount > $1'$$);
CALL attempt_store('filter: other table', $$'s', 'orders', order_filter => 'people.name = ''a'''$$);
CALL attempt_store('filter: whole row', $$'s', 'orders', order_filter => 'orders IS NOT NULL'$$);
\pset format unaligned
SELECT what, result, guided FROM refusals ORDER BY n;
SELECT count(*) AS without_a_fitting_code FROM refusals WHERE result LIKE 'XX%';
SELECT count(*) AS half_done FROM pg_namespace WHERE nspname IN ('s', '', 'pg_shop');
SELECT * FROM clientele.stores;
TRUNCATE refusals;

-- ---- What a role may not read ----
CREATE ROLE regress_clientele_analyst;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO regress_clientele_analyst', current_database()); END $$;
GRANT INSERT ON refusals TO regress_clientele_analyst;
GRANT SELECT ON refusals TO regress_clientele_analyst;
GRANT SELECT ON people TO regress_clientele_analyst;
SET ROLE regress_clientele_analyst;
CALL attempt_store('orders that the caller may not read', $$'s', 'orders'$$);
RESET ROLE;
GRANT SELECT (order_id, customer_id, ordered_at) ON orders TO regress_clientele_analyst;
SET ROLE regress_clientele_analyst;
CALL attempt_store('a column that the caller may not read', $$'s', 'orders'$$);
CALL attempt_store('a missing column of a table that is read in part', $$'s', 'orders', amount => 'none'$$);
RESET ROLE;
GRANT SELECT (amount) ON orders TO regress_clientele_analyst;
SET ROLE regress_clientele_analyst;
CALL attempt_store('a filter on a column that the caller may not read', $$'s', 'orders', order_filter => 'status = ''x'''$$);
CALL attempt_store('lines that the caller may not read', $$'s4', 'orders', items => 'lines'$$);
CALL attempt_store('enough to read', $$'s3', 'orders', customers => 'people', attributes => '{birth_date}'$$);
RESET ROLE;
DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM regress_clientele_analyst', current_database()); END $$;
SET ROLE regress_clientele_analyst;
CALL attempt_store('may not create schemas', $$'s2', 'orders'$$);
CALL clientele.refresh('s3');
SELECT store, owner FROM clientele.stores;
RESET ROLE;
SELECT what, replace(result, current_database(), 'DATABASE') AS result, guided FROM refusals ORDER BY n;
SELECT clientele.drop_store('s3');
DROP SCHEMA IF EXISTS s CASCADE;
TRUNCATE refusals;

-- ---- Stores that do not exist, or not for the caller ----
SELECT clientele.create_store('mine', 'orders');
INSERT INTO orders (order_id, customer_id, ordered_at, amount) VALUES (1, 1, '2024-01-01', 10), (2, 2, '2024-01-01', 20);
CALL clientele.refresh('mine');
CALL attempt('unknown store', $$CALL clientele.refresh('nothing')$$);
CALL attempt('unknown store', $$SELECT clientele.define_segment('nothing', 'a', 'true')$$);
CALL attempt('unknown store', $$SELECT clientele.define_offer('nothing', 'a', 'win_back')$$);
CALL attempt('unknown store', $$SELECT clientele.define_content('nothing', 'a', 'b')$$);
CALL attempt('unknown store', $$SELECT clientele.drop_store('nothing')$$);
CALL attempt('unknown store', $$SELECT clientele.upgrade_store('nothing')$$);
CALL attempt('unknown store', $$SELECT clientele.set_default_segment('nothing', 'a')$$);
CALL attempt('unknown store', $$SELECT clientele.personalized_offer(1, 'nothing')$$);
CALL attempt('unknown store', $$SELECT clientele.content_for(1, 'home', 'nothing')$$);
CALL attempt('unknown store', $$SELECT clientele.explain_offer(1, 'nothing')$$);
CALL attempt('unknown store', $$SELECT clientele.explain_segment(1, 'nothing')$$);
CALL attempt('unknown store', $$SELECT clientele.segments_of(1, 'nothing')$$);
CALL attempt('no store named', $$SELECT clientele.drop_store(NULL)$$);
CALL attempt('no store named', $$SELECT clientele.upgrade_store(NULL)$$);
CALL attempt('no store named', $$SELECT clientele.define_segment(NULL, 'a', 'true')$$);
CALL attempt('no store named', $$SELECT clientele.define_offer(NULL, 'a', 'win_back')$$);
CALL attempt('a schema that is none', $$CALL clientele.refresh('public')$$);
CALL attempt('a schema that is none', $$SELECT clientele.assign_segment(1, 'taken')$$);
CALL attempt('a second row of settings', $$INSERT INTO mine.settings SELECT * FROM mine.settings$$);
GRANT USAGE ON SCHEMA mine TO regress_clientele_analyst;
GRANT SELECT ON ALL TABLES IN SCHEMA mine TO regress_clientele_analyst;
SET ROLE regress_clientele_analyst;
CALL attempt('not the owner', $$SELECT clientele.define_segment('mine', 'a', 'true')$$);
CALL attempt('not the owner', $$SELECT clientele.define_offer('mine', 'a', 'win_back')$$);
CALL attempt('not the owner', $$SELECT clientele.define_content('mine', 'a', 'b')$$);
CALL attempt('not the owner', $$SELECT clientele.drop_store('mine')$$);
CALL attempt('not the owner', $$SELECT clientele.upgrade_store('mine')$$);
CALL attempt('not the owner', $$CALL clientele.refresh('mine')$$);
CALL attempt('a reader', $$SELECT clientele.assign_segment(1, 'mine')$$);
RESET ROLE;
REVOKE USAGE ON SCHEMA mine FROM regress_clientele_analyst;
SET ROLE regress_clientele_analyst;
CALL attempt('not a reader any more', $$SELECT clientele.assign_segment(1, 'mine')$$);
CALL attempt('not a reader any more', $$SELECT clientele.assign_segment(1)$$);
SELECT count(*) AS stores_shown FROM clientele.stores;
RESET ROLE;
SELECT what, result, guided FROM refusals ORDER BY n;
SELECT statement FROM refusals WHERE result = 'ACCEPTED' ORDER BY n;
TRUNCATE refusals;

-- ---- Rows that cannot be read: refresh fails whole, and says why ----
CREATE TABLE rows (customer_id int, ordered_at timestamptz, amount numeric, order_id int);
CREATE TABLE row_lines (order_id int, category text, amount numeric);
SELECT clientele.create_store('rows_shop', 'rows', items => 'row_lines');
INSERT INTO rows VALUES (1, '2024-01-01', 10, 1), (2, '2024-01-01', 20, 2);
INSERT INTO row_lines VALUES (1, 'a', 10);
CALL clientele.refresh('rows_shop');
CREATE PROCEDURE attempt_row(what text, new_row text, line text DEFAULT NULL) LANGUAGE plpgsql AS $$
DECLARE
    result text;
    stage text := 'refresh';
BEGIN
    BEGIN
        IF new_row IS NOT NULL THEN EXECUTE 'INSERT INTO rows VALUES ' || new_row; END IF;
        IF line IS NOT NULL THEN EXECUTE 'INSERT INTO row_lines VALUES ' || line; END IF;
        DELETE FROM rows WHERE order_id = 2;
        CALL clientele.refresh('rows_shop');
        stage := 'reading';
        PERFORM sum(clientele.category_share(category_mix, 'a')), sum(total_spent) FROM rows_shop.customers;
        result := 'ACCEPTED: ' || (SELECT string_agg(format('%s %s %s', customer_id, orders, total_spent), ', ' ORDER BY customer_id) FROM rows_shop.customers);
        RAISE EXCEPTION USING MESSAGE = result, ERRCODE = 'P0002';
    EXCEPTION WHEN others THEN
        INSERT INTO refusals (what, result) VALUES (what, CASE WHEN SQLSTATE = 'P0002' THEN SQLERRM WHEN line IS NOT NULL THEN stage || ' ' || SQLSTATE ELSE stage || ' ' || SQLSTATE || ': ' || SQLERRM END);
    END;
END $$;
CALL attempt_row('NaN', $$(1, '2024-01-02', 'NaN')$$);
CALL attempt_row('infinity', $$(1, '2024-01-02', 'Infinity')$$);
CALL attempt_row('beyond range', $$(1, '2024-01-02', 1e13)$$);
CALL attempt_row('beyond range, below zero', $$(1, '2024-01-02', -1e13)$$);
CALL attempt_row('-infinity', $$(1, '-infinity', 5)$$);
CALL attempt_row('before the year 1', $$(1, '0044-03-15 BC', 5)$$);
CALL attempt_row('infinitely far in the future: does not count yet', $$(1, 'infinity', 5)$$);
CALL attempt_row('beyond the year 9999: does not count yet', $$(1, '12000-01-01', 5)$$);
CALL attempt_row('no time', $$(1, NULL, 5)$$);
CALL attempt_row('no amount', $$(1, '2024-01-02', NULL)$$);
CALL attempt_row('a guest', $$(NULL, '2024-01-02', 5)$$);
CALL attempt_row('a guest with nonsense', $$(NULL, '2024-01-02', 'NaN')$$);
CALL attempt_row('a NaN line', NULL, $$(1, 'a', 'NaN')$$);
CALL attempt_row('an infinite line', NULL, $$(1, 'a', 'Infinity')$$);
CALL attempt_row('a line beyond range', NULL, $$(1, 'a', 1e13)$$);
CALL attempt_row('a line without an amount', NULL, $$(1, 'a', NULL)$$);
SELECT what, result FROM refusals ORDER BY n;
SELECT customer_id, orders, total_spent FROM rows_shop.customers ORDER BY 1;
TRUNCATE refusals;

-- ---- Damage: something else in the place of a part ----
CALL attempt('other customers', $$ALTER VIEW rows_shop.customers RENAME TO before; CREATE VIEW rows_shop.customers AS SELECT customer_id, 7 AS segment FROM rows_shop.profiles; SELECT clientele.assign_segment(1, 'rows_shop')$$);
CALL attempt('other segments', $$ALTER VIEW rows_shop.segments RENAME TO before; CREATE VIEW rows_shop.segments AS SELECT customer_id, 'x'::text AS segmentation, 7::bigint AS segment FROM rows_shop.profiles; SELECT clientele.assign_segment(1, 'rows_shop', 'x')$$);
CALL attempt('other segmentations', $$ALTER TABLE rows_shop.segmentations RENAME TO before; CREATE TABLE rows_shop.segmentations AS SELECT 'x'::text AS segmentation, 7 AS default_segment; SELECT clientele.assign_segment(NULL::bigint, 'rows_shop', 'x'), clientele.assign_segment(99, 'rows_shop', 'x')$$);
CALL attempt('other profiles', $$ALTER TABLE rows_shop.profiles RENAME TO before; CREATE TABLE rows_shop.profiles (other text, customer_id integer, profile clientele.order_profile, category_mix jsonb); CALL clientele.refresh('rows_shop', true)$$);
SELECT what, result FROM refusals ORDER BY n;
TRUNCATE refusals;

-- ---- Damage: a missing part is named ----
CALL attempt('a customer after the table of profiles is gone', $$DROP TABLE rows_shop.profiles CASCADE; SELECT clientele.assign_segment(1, 'rows_shop')$$);
CALL attempt('a part of a store cannot be dropped by chance', $$DROP TABLE rows_shop.profiles$$);
CALL attempt('a refresh without orders', $$DROP TABLE rows CASCADE; CALL clientele.refresh('rows_shop')$$);
SELECT what, left(result, 5) AS code, result NOT LIKE 'XX%' AND result NOT LIKE 'ACCEPTED%' AS refused FROM refusals ORDER BY n;

SELECT clientele.drop_store('mine'), clientele.drop_store('rows_shop');
DROP TABLE refusals, orders, people, double_people, lines, domain_orders, rows, row_lines CASCADE;
DROP PROCEDURE attempt, attempt_store, attempt_row;
DROP FUNCTION volatile_one(), immutable_one(int);
DROP DOMAIN key_domain;
DROP TYPE a_type;
DROP SEQUENCE a_sequence;
DROP SCHEMA taken;
DROP ROLE regress_clientele_analyst;
