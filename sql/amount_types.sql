-- Amounts that are money, floating point numbers or text: refused, with a way that works, also live.
SET timezone = 'UTC';
SET client_min_messages = warning;
SET search_path = public;
\set SHOW_CONTEXT never
CREATE TABLE orders (customer_id int, ordered_at timestamptz, m money, r real, d double precision, t text, v varchar(9), "a b" text, j json, back float, aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg text);
INSERT INTO orders VALUES (1, '2025-03-01', 1234.56, 1234.56, 1234.56, '1234.56', '1234.56', '1234.56', '1', 0.1, '1234.56');
SELECT clientele.create_store('s', 'orders', amount => 'm');
SELECT clientele.create_store('s', 'orders', amount => 'a b');
SELECT clientele.create_store('s', 'orders', amount => 'j');
-- What the hint says, to the letter.
CREATE FUNCTION follow_hint(column_name name) RETURNS TABLE (statement text, argument text) LANGUAGE plpgsql AS $$
DECLARE
    hint text;
BEGIN
    PERFORM clientele.create_store('s', 'orders', amount => column_name);
EXCEPTION WHEN datatype_mismatch THEN
    GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
    statement := substring(hint FROM 'ALTER TABLE .* STORED');
    argument := substring(hint FROM 'amount => ''(.*)''');
    EXECUTE statement;
    PERFORM clientele.create_store('s_' || column_name, 'orders', amount => argument::name, live => true);
    RETURN NEXT;
END $$;
SELECT f.* FROM unnest('{m,r,d,t,v,"a b",aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg}'::name[]) c, follow_hint(c) f;
INSERT INTO orders VALUES (1, '2025-03-02', 0.10, 0.1, 0.1, '0.10', '0.10', '0.10', '1', 0.1, '0.1');
SELECT total_spent AS money FROM s_m.customers;
SELECT total_spent AS "real" FROM s_r.customers;
SELECT total_spent AS "double" FROM s_d.customers;
SELECT total_spent AS text FROM s_t.customers;
SELECT total_spent AS quoted FROM "s_a b".customers;
SELECT store, stale FROM clientele.stores WHERE stale IS NOT NULL;
-- The other amounts; a view casts itself.
SELECT clientele.create_store('s', 'orders', amount => 'm_exact', refunded => 'back');
SELECT clientele.create_store('s', 'orders', amount => 'm_exact', discount => 'back');
CREATE VIEW viewed AS SELECT customer_id, ordered_at, d AS amount FROM orders;
SELECT clientele.create_store('s', 'viewed');
SELECT clientele.create_store('s', 'orders', amount => 'm_exact', customer_id => 'd');
SELECT count(clientele.drop_store(store)) FROM clientele.stores;
-- Whoever has just created a store is told what comes next.
RESET client_min_messages;
SELECT clientele.create_store('It''s', 'orders', amount => 'm_exact');
SELECT clientele.create_store('live', 'orders', amount => 'm_exact', live => true);
SET client_min_messages = warning;
SELECT clientele.drop_store('It''s'), clientele.drop_store('live');
DROP TABLE orders CASCADE;
DROP FUNCTION follow_hint(name);
