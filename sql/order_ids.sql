-- Order ids of every kind of type: what a store keeps of them is what they are, and types that cannot be told apart are refused.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
SET search_path = public;
\set SHOW_CONTEXT never

CREATE TYPE letter AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm');
CREATE DOMAIN code AS char(8) NOT NULL CHECK (VALUE <> '');
CREATE DOMAIN inner_number AS numeric(10, 0) CHECK (VALUE > 0);
CREATE DOMAIN number AS inner_number NOT NULL;
CREATE TABLE types (store name PRIMARY KEY, type text, id text);  -- id: of the order i
INSERT INTO types VALUES
    ('s_bit', 'bit(8)', 'i::bit(8)'), ('s_bytea', 'bytea', 'int4send(i)'), ('s_char', 'char(12)', '''ord-'' || i'), ('s_code', 'code', '''c'' || i'), ('s_letter', 'letter', '(enum_range(NULL::letter))[i]'),
    ('s_list', 'char(4)[]', 'ARRAY[''x'', i::text]'), ('s_number', 'number', 'i'), ('s_numeric', 'numeric(10,0)', 'i'), ('s_quoted', '"char"', 'chr(64 + i)'), ('s_varbit', 'bit varying(8)', 'i::bit(8)'), ('s_varchar', 'varchar(8)', '''ord-'' || i');

-- A live store with lines: one order a customer, except the last three, of customers 1 to 3, which redeem.
CREATE FUNCTION begin_store(store name, type text, id text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    kept text;
BEGIN
    EXECUTE replace(replace(replace($sql$
        CREATE TABLE STORE_orders (order_id TYPE, customer_id int, ordered_at timestamptz, amount numeric, refunded numeric);
        CREATE TABLE STORE_lines (order_id TYPE, category text, amount numeric);
        CREATE INDEX ON STORE_orders (customer_id); CREATE UNIQUE INDEX ON STORE_orders (order_id); CREATE INDEX ON STORE_lines (order_id);
        INSERT INTO STORE_orders SELECT ID, i, now() - interval '2 days', 40 FROM generate_series(1, 10) i;
        INSERT INTO STORE_lines SELECT ID, 'tea', 40 FROM generate_series(1, 10) i;
        $sql$, 'STORE', store), 'TYPE', type), 'ID', id);
    PERFORM clientele.create_store(store, orders => (store || '_orders')::regclass, items => (store || '_lines')::regclass, refunded => 'refunded', live => true);
    PERFORM clientele.define_offer(store, 'more', 'grow_order_value', budget => 1000);
    SELECT string_agg(format('%s.%s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY c.relname) INTO kept FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = store::regnamespace AND c.relkind = 'r' AND a.attname = 'order_id';
    RETURN kept;
END $$;
-- By code, then found in the orders: two of three redeem, one order is cancelled; lines come before their order.
CREATE FUNCTION place_orders(store name, id text) RETURNS TABLE (redeemed int, again text, unknown text) LANGUAGE plpgsql AS $$
DECLARE
    code text;
    order_1 text;
BEGIN
    EXECUTE format('SELECT code FROM generate_series(3, 1, -1) c, clientele.issue_offer(c, %L) ORDER BY c LIMIT 1', store) INTO code;
    EXECUTE replace(replace($sql$
        INSERT INTO STORE_lines SELECT ID, c, 40 FROM generate_series(11, 13) i, unnest('{tea,milk}'::text[]) c;
        INSERT INTO STORE_orders SELECT ID, i - 10, now(), 80 FROM generate_series(11, 13) i;
        $sql$, 'STORE', store), 'ID', id);
    EXECUTE format('SELECT (%s)::text FROM generate_series(11, 11) i', id) INTO order_1;
    EXECUTE format('SELECT count(*) FROM clientele.redeem_offer(%L, %L, %L)', code, order_1, store) INTO redeemed;
    BEGIN
        EXECUTE format('SELECT FROM clientele.redeem_offer(%L, %L, %L)', code, order_1, store);
    EXCEPTION WHEN SQLSTATE 'OF002' THEN
        GET STACKED DIAGNOSTICS again = PG_EXCEPTION_DETAIL;
        again := left(again, 18);
    END;
    BEGIN
        EXECUTE format('SELECT FROM clientele.redeem_offer(%L, (SELECT (%s)::text FROM generate_series(10, 10) i), %L)', code, id, store);
    EXCEPTION WHEN SQLSTATE 'OF001' THEN
        unknown := SQLERRM;
    END;
    RETURN NEXT;
END $$;
CREATE FUNCTION what_it_knows(store name) RETURNS TABLE (states text, right_ids boolean, lines text, findings bigint) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT (SELECT string_agg(status, '' '' ORDER BY customer_id) FROM %1$I._ledger),
        (SELECT bool_and(o.customer_id = l.customer_id AND o.amount = 80) FROM %1$I.ledger l JOIN %1$s_orders o ON o.order_id = l.order_id),
        (SELECT string_agg(category_mix::text, '' '' ORDER BY customer_id) FROM %1$I.customers WHERE customer_id <= 3), (SELECT count(*) FROM clientele.check_store(%1$L))', store);
END $$;

SELECT store, begin_store(store, type, id) FROM types ORDER BY store;
SELECT format('CALL clientele.refresh(%L)', store) FROM types ORDER BY store \gexec
SELECT store, p.* FROM types, place_orders(store, id) p ORDER BY store;
SELECT format('CALL clientele.settle_offers(%L)', store) FROM types ORDER BY store \gexec
SELECT store, k.* FROM types, what_it_knows(store) k ORDER BY store;
-- Changed lines and cancelled orders are found again by their ids.
SELECT format('UPDATE %s_lines SET category = ''wine'' WHERE category = ''milk''; UPDATE %1$s_orders SET refunded = 80 WHERE amount = 80 AND customer_id < 3', store) FROM types ORDER BY store \gexec
SELECT store, k.* FROM types, what_it_knows(store) k ORDER BY store;
SELECT format('CALL clientele.settle_offers(%L)', store) FROM types ORDER BY store \gexec
SELECT format('CALL clientele.refresh(%L)', store) FROM types ORDER BY store \gexec
SELECT store, k.* FROM types, what_it_knows(store) k ORDER BY store;
SELECT clientele.upgrade_store(store) FROM types;
SELECT store, k.findings FROM types, what_it_knows(store) k ORDER BY store;
SELECT clientele.void_redemption('ord-13', 's_char') AS by_id, clientele.void_redemption('ord-13      ', 's_char') AS void_already, clientele.void_redemption('ord-12345678901', 's_char') AS longer;
SELECT clientele.void_redemption('13', 's_number') AS by_id, clientele.void_redemption('-5', 's_number') AS beyond_the_domain;
SELECT clientele.drop_store(store) FROM types;
SELECT format('DROP TABLE %s_orders, %1$s_lines', store) FROM types \gexec

-- ---- Types that cannot be sorted ----

CREATE TABLE sales (customer_id int, ordered_at timestamptz, amount numeric, order_id json, place point, doc xml, many json[], id int);
CREATE TABLE lines (order_id json, category json, amount numeric, id int);
CREATE TABLE people (customer_id int PRIMARY KEY, settings json, home point);
SELECT clientele.create_store('refused', orders => 'sales');
SELECT clientele.create_store('refused', orders => 'sales', order_id => 'place');
SELECT clientele.create_store('refused', orders => 'sales', order_id => 'doc');
SELECT clientele.create_store('refused', orders => 'sales', order_id => 'many');
SELECT clientele.create_store('refused', orders => 'sales', items => 'lines');
SELECT clientele.create_store('refused', orders => 'sales', order_id => 'id', items => 'lines');
SELECT nspname FROM pg_namespace WHERE nspname = 'refused';
-- Attributes and categories need no order.
INSERT INTO sales VALUES (1, now() - interval '1 hour', 10, '1', NULL, NULL, NULL, 1);
INSERT INTO lines VALUES (NULL, '"tea"', 10, 1);
INSERT INTO people VALUES (1, '{"a": 1}', '(1,2)');
SELECT clientele.create_store('accepted', orders => 'sales', order_id => 'id', items => 'lines', item_order_id => 'id', customers => 'people', attributes => '{settings,home}');
CALL clientele.refresh('accepted');
SELECT clientele.define_segment('accepted', 'a', $$ settings ->> 'a' = '1' $$);
SELECT customer_id, segment, settings, category_mix FROM accepted.customers;
SELECT clientele.drop_store('accepted');

-- ---- Keys and attributes with a length ----

CREATE TABLE clients (customer_id varchar(5) PRIMARY KEY, grade char(6), flags bit(4), initial "char", note varchar(3));
CREATE TABLE purchases (order_id int, customer_id varchar(5), ordered_at timestamptz, amount numeric(8, 2));
INSERT INTO clients VALUES ('abcde', 'gold', '1010', 'x', 'abc'), ('b', 'silver', '0000', 'y', NULL);
INSERT INTO purchases SELECT i, 'abcde', now() - interval '1 hour', 10 FROM generate_series(1, 3) i;
SELECT clientele.create_store('lengths', orders => 'purchases', customers => 'clients', attributes => '{grade,flags,initial,note}');
CALL clientele.refresh('lengths');
SELECT clientele.define_segment('lengths', 'golden', $$ grade = 'gold' AND flags = B'1010' AND initial = 'x' $$), clientele.define_segment('lengths', 'six', $$ length(note) = 3 AND grade = 'silver' $$);
SELECT customer_id, segment, grade, flags, initial, note, clientele.assign_segment(customer_id, 'lengths') = segment AS same FROM lengths.customers ORDER BY 1;
SELECT segment, condition, value_found, outcome FROM clientele.explain_segment('abcde', 'lengths') ORDER BY 1;
SELECT customer_id, segment FROM lengths.customers_at(now()) ORDER BY 1;
SELECT clientele.drop_store('lengths');
DROP TABLE types, sales, lines, people, clients, purchases;
DROP FUNCTION begin_store, place_orders, what_it_knows;
DROP DOMAIN number, inner_number, code;
DROP TYPE letter;
