-- Forgetting customers: nothing that names them stays, and budgets stay exact.
\pset format unaligned
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA forget;
SET search_path = forget;
CREATE TABLE customers (customer_id bigint PRIMARY KEY);
CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric);
CREATE INDEX ON orders (customer_id);
INSERT INTO customers SELECT generate_series(1, 5);
INSERT INTO orders SELECT 10 * c + n, c, timestamptz '2026-01-01' + n * interval '1 day', 40 + 10 * n FROM generate_series(1, 5) c, generate_series(1, 4) n;
SELECT clientele.create_store('shop', 'orders', customers => 'customers', live => true);
CALL clientele.refresh('shop');
INSERT INTO shop.programs (program, version, priority, objective, stretch, reward_rate, valid_for, holdout, budget, message, progress_message) VALUES ('stretch', 2, 10, 'grow_order_value', 1.4, 0.05, '14 days', 0, 100, '', '');
INSERT INTO shop.budgets VALUES ('stretch', 0, 91);
INSERT INTO shop.ledger (customer_id, period, program, program_version, holdout, global_holdout, basis, reference_value, min_spend, reward, reward_kind, currency, message, reasons, variant,
        propensity, issued_at, valid_until, code, state, closed_at, slot, order_id, ordered_at, order_value)
    SELECT c, p, 'stretch', v, h, 0, 'typical', 42, 60, 3, 'amount_off', 'USD', '', '{}', 'default', 1, '2026-01-01', u, k, s, CASE WHEN s <> 'open' THEN now() END, 0, o, o_at, a
    FROM (VALUES (2, 1, 1, NULL, timestamptz '2026-01-15', 'A', 'redeemed', 22, timestamptz '2026-01-03', 60), (2, 2, 1, NULL, '2026-01-15', 'B', 'expired', NULL, NULL, NULL),
        (2, 3, 2, NULL, '2026-01-15', 'C', 'void', 23, '2026-01-04', 70), (2, 4, 2, NULL, '2126-01-15', 'D', 'open', NULL, NULL, NULL),
        (3, 1, 1, 'program', '2026-01-15', NULL, 'expired', NULL, NULL, NULL), (3, 2, 2, 'global', '2126-01-15', NULL, 'open', NULL, NULL, NULL),
        (4, 1, 1, NULL, '2026-01-15', 'E', 'redeemed', 42, '2026-01-03', 60)) l (c, p, v, h, u, k, s, o, o_at, a);
INSERT INTO shop.campaigns VALUES ('stretch', now(), '2', 2, 1, 1, 5, NULL), ('', now(), '1', 1, 1, 0, 5, now()), ('other', now(), '5', 1, 1, 0, 5, now());
-- Redeemed by an order that was deleted; not written off yet.
DELETE FROM orders WHERE order_id = 42;
-- With whom the customer is named, anywhere in the store.
CREATE FUNCTION named(customer bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE t name; n bigint; result text[] := '{}';
BEGIN
    FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'shop'::regnamespace AND relkind = 'r' AND relname <> 'settings' AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'customer_id') ORDER BY 1 LOOP
        EXECUTE format('SELECT count(*) FROM shop.%I WHERE customer_id = $1', t) INTO n USING customer;
        result := result || format('%s %s', t, n);
    END LOOP;
    RETURN array_to_string(result, ', ') || ', campaigns ' || (SELECT count(*) FROM shop.campaigns WHERE last_customer = customer::text);
END $$;
CREATE VIEW budget AS SELECT reserved, spent, remaining, open_offers, redeemed_offers, to_settle, (SELECT sum(available) FROM shop.budgets) AS available FROM shop.budget_status;
SELECT c, named(c) FROM generate_series(1, 5) c;
TABLE budget;

-- The customer's own rows, then what the store keeps.
BEGIN;
DELETE FROM orders WHERE customer_id = 2;
DELETE FROM customers WHERE customer_id = 2;
SELECT clientele.forget_customer(2);
COMMIT;
SELECT named(2);
TABLE budget;
SELECT * FROM shop.forgotten ORDER BY program, program_version, held_out;
SELECT program, last_customer FROM shop.campaigns ORDER BY 1;
SELECT clientele.forget_customer(2);
SELECT * FROM shop.forgotten ORDER BY program, program_version, held_out;
TABLE budget;
-- The first customer: a campaign begins anew. By uuid and text; unknown ones; held-out exposures, and a redemption that was
-- reversed: it counts as spent, since the orders of who is forgotten are deleted, too.
SELECT clientele.forget_customer('1'), clientele.forget_customer(3, 'shop'), clientele.forget_customer('4', 'shop'), clientele.forget_customer(99), clientele.forget_customer('99999999999999999999');
SELECT c, named(c) FROM generate_series(1, 5) c;
SELECT program, last_customer FROM shop.campaigns ORDER BY 1;
TABLE budget;
SELECT * FROM shop.forgotten ORDER BY program, program_version, held_out;
SELECT count(*) AS reversals FROM shop.reversals;
-- What is in the orders is counted again: at once, with what comes.
SELECT customer_id, orders, total_spent FROM shop.customers ORDER BY 1;
INSERT INTO orders VALUES (35, 3, '2026-01-20', 15);
SELECT customer_id, orders, total_spent FROM shop.customers WHERE customer_id = 3;
CALL clientele.refresh('shop');
SELECT customer_id, orders, total_spent FROM shop.customers ORDER BY 1;
SELECT * FROM clientele.check_store('shop');
-- Orders of the future, and such as do not count; of who has no other, too.
INSERT INTO customers VALUES (6), (7);
INSERT INTO orders VALUES (55, 5, '2126-01-01', 15), (61, 6, '2126-01-01', 15), (71, 7, '2026-01-01', NULL);
CALL clientele.refresh('shop');
SELECT clientele.forget_customer(5), clientele.forget_customer(6), clientele.forget_customer(7);
SELECT customer_id, due FROM shop.pending ORDER BY 1, 2;
SELECT customer_id, orders FROM shop.customers WHERE customer_id IN (5, 6, 7);
-- Deleted first: nothing is left.
BEGIN;
DELETE FROM orders WHERE customer_id IN (5, 6, 7);
DELETE FROM customers WHERE customer_id IN (5, 6, 7);
SELECT clientele.forget_customer(5), clientele.forget_customer(6), clientele.forget_customer(7);
COMMIT;
SELECT c, named(c) FROM generate_series(5, 7) c;
CALL clientele.refresh('shop', true);
SELECT customer_id, orders FROM shop.customers ORDER BY 1;
SELECT customer_id, count(*) FROM shop.segment_membership GROUP BY 1 ORDER BY 1;
CALL clientele.settle_offers('shop');
TABLE budget;

-- Refused.
SELECT clientele.forget_customer(NULL::bigint);
SELECT clientele.forget_customer('two');
SELECT clientele.forget_customer('6f1ed002-ab5d-4f1c-8a1c-000000000001'::uuid);
SELECT clientele.forget_customer(2, 'nowhere');

-- Other keys.
CREATE TABLE visits (customer_id text, ordered_at date, amount int);
INSERT INTO visits VALUES ('STORE', '2026-01-01', 5), ('o''hara', '2026-01-01', 5), ('', '2026-01-01', 5);
SELECT clientele.create_store('visited', 'visits');
CALL clientele.refresh('visited');
SELECT clientele.forget_customer('STORE', 'visited'), clientele.forget_customer('o''hara', 'visited'), clientele.forget_customer(7, 'visited');
SELECT customer_id FROM visited.profiles;
SELECT count(*) FROM visited.segment_membership;
SELECT clientele.drop_store('visited');
SELECT clientele.create_store('visited', 'visits', live => true);
CALL clientele.refresh('visited');
SELECT clientele.forget_customer('STORE', 'visited'), clientele.forget_customer('o''hara', 'visited');
INSERT INTO visits VALUES ('STORE', '2026-01-02', 6);
SELECT customer_id, orders FROM visited.customers ORDER BY 1;
SELECT clientele.drop_store('visited');
DROP VIEW budget;
DROP FUNCTION named;
SELECT clientele.drop_store('shop');
DROP SCHEMA forget CASCADE;
