-- Redemption: by code, by the orders, and taken back; and that budgets are exact after each.
\pset format unaligned
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
CREATE SCHEMA redeem;
SET search_path = redeem;
CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(12,2), refunded numeric(12,2), discount numeric(12,2),
    status text NOT NULL DEFAULT 'completed');
CREATE INDEX ON orders (customer_id);
SELECT clientele.create_store('shop', 'orders', refunded => 'refunded', discount => 'discount', order_filter => $$status = 'completed'$$, currency => 'EUR');

CREATE PROCEDURE attempt(what text, statement text) LANGUAGE plpgsql AS $$
DECLARE message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RAISE WARNING '%: ACCEPTED', what;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    detail := regexp_replace(detail, '(By .*, at|withdrawn at) [-0-9 :.]+\+00', '\1 (then)');
    RAISE WARNING '%: % %', what, SQLSTATE, message USING DETAIL = coalesce(nullif(detail, ''), '-'), HINT = coalesce(nullif(hint, ''), '-');
END $$;

-- Issued at times of our own, with codes that can be read: an offer of the year 2026 that ends after two weeks, unless said otherwise.
CREATE PROCEDURE issue(store name, exposure_id bigint, customer anyelement, code text, min_spend numeric DEFAULT 60, reward numeric DEFAULT 3,
    issued_at timestamptz DEFAULT '2026-01-01', valid_until timestamptz DEFAULT '2026-01-15', holdout text DEFAULT NULL, program text DEFAULT 'stretch') LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %1$I.ledger (exposure_id, customer_id, period, program, program_version, holdout, global_holdout, basis, reference_value, min_spend, reward,
            reward_kind, currency, message, reasons, variant, propensity, issued_at, valid_until, code, slot) OVERRIDING SYSTEM VALUE
        VALUES ($1, $2, (SELECT count(*) + 1 FROM %1$I.ledger l WHERE l.customer_id = $2), $10, 1, $9, 0, ''typical'', 42, $4, $5, ''amount_off'', ''EUR'', ''spend'', ''{}'', ''default'', 1,
            $7, $8, clientele._canonical_code($3), CASE WHEN $9 IS NULL THEN $6 END)', store)
        USING exposure_id, customer, code, min_spend, reward, exposure_id::integer % 3, issued_at, valid_until, holdout, program;
    IF holdout IS NULL THEN
        EXECUTE format('UPDATE %I.budgets b SET available = available - $2 WHERE b.program = $3 AND slot = $1', store) USING exposure_id % 3, reward, program;
    END IF;
END $$;

-- What the budgets say, and whether that is what the ledger and the slots add up to.
CREATE FUNCTION budgets(store name) RETURNS TABLE (program text, reserved numeric, spent numeric, remaining numeric, open bigint, redeemed bigint, to_settle bigint, slots text, exact boolean)
    LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT b.program, b.reserved, b.spent, b.remaining, b.open_offers, b.redeemed_offers, b.to_settle,
            (SELECT string_agg(s.available::text, '' '' ORDER BY s.slot) FROM %1$I.budgets s WHERE s.program = b.program),
            b.remaining = (SELECT sum(s.available) FROM %1$I.budgets s WHERE s.program = b.program)
        FROM %1$I.budget_status b ORDER BY 1', store);
END $$;
CREATE VIEW states AS SELECT exposure_id AS id, customer_id AS customer, holdout, state, closed_at IS NOT NULL AS closed, order_id, ordered_at, order_value FROM shop.ledger ORDER BY exposure_id;
INSERT INTO shop.programs (program, version, priority, objective, stretch, reward_rate, valid_for, holdout, budget, message, progress_message)
    VALUES ('stretch', 1, 10, 'grow_order_value', 1.4, 0.05, '14 days', 0, 300, '', ''), ('free', 1, 20, 'win_back', 1.4, 0.05, '14 days', 0, NULL, '', '');
INSERT INTO shop.budgets SELECT 'stretch', s, 100 FROM generate_series(0, 2) s;

-- ---- By code ----

CALL issue('shop', 1, 1, 'CCCCC-CCCCC');
CALL issue('shop', 2, 2, 'DDDDD-DDDDD');
CALL issue('shop', 3, 3, NULL, holdout => 'program');
CALL issue('shop', 4, 4, 'FFFFF-FFFFF', min_spend => 60.5);
CALL issue('shop', 5, 5, 'GGGGG-GGGGG', valid_until => '2126-01-15');
INSERT INTO orders (order_id, customer_id, ordered_at, amount) VALUES
    (11, 1, '2026-01-01', 60.00), (12, 1, '2026-01-02', 90), (13, 1, '2025-12-31 23:58:59.999999', 90), (14, 1, '2026-01-15', 90),
    (41, 4, '2026-01-05', 60.49), (51, 5, '2126-01-05', 90);
INSERT INTO orders VALUES (15, 1, '2026-01-03', 90, 40, NULL, DEFAULT), (16, 1, '2026-01-03', 90, 90, NULL, DEFAULT), (18, 1, '2026-01-03', 50, NULL, 9.99, DEFAULT),
    (17, 1, '2026-01-03', 90, NULL, NULL, 'cancelled'), (21, 2, '2026-01-14 23:59:59.999999', 59, NULL, 1, DEFAULT);
SELECT * FROM budgets('shop');

CALL attempt('unknown code', $$SELECT clientele.redeem_offer('HHHHH-HHHHH', 11)$$);
CALL attempt('unknown order', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', 99)$$);
CALL attempt('an order that does not count', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', 17)$$);
CALL attempt('an order that was refunded whole', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', 16)$$);
CALL attempt('the order of another', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', 21)$$);
CALL attempt('no code at all', $$SELECT clientele.redeem_offer('what?', 11)$$);
CALL attempt('empty code', $$SELECT clientele.redeem_offer('', 11)$$);
CALL attempt('no such bigint', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', '99999999999999999999')$$);
-- All of these are told the very same; so are those who ask about codes that do not exist.
CREATE FUNCTION told(code text, order_id text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE message text; detail text; hint text; context text;
BEGIN
    PERFORM clientele.redeem_offer(code, order_id);
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
    RETURN concat_ws('|', SQLSTATE, message, detail, hint, context);
END $$;
SELECT count(DISTINCT told(c, o)), count(told(c, o)) FROM unnest('{HHHHH-HHHHH,CCCCC-CCCCC,DDDDD-DDDDD,what?}'::text[]) c, unnest('{99,17,16,31}'::text[]) o;
SELECT told('CCCCC-CCCCC', '21') = told('HHHHH-HHHHH', '21') AS foreign_is_unknown;
CALL attempt('before it was issued', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', 13)$$);
CALL attempt('after its end', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', 14)$$);
CALL attempt('below the threshold, net of refunds', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', 15)$$);
CALL attempt('below the threshold by a cent, before discounts', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', 18)$$);
CALL attempt('below the threshold', $$SELECT clientele.redeem_offer('FFFFF-FFFFF', 41)$$);
CALL attempt('an order of the future', $$SELECT clientele.redeem_offer('GGGGG-GGGGG', 51)$$);
CALL attempt('NULL code', $$SELECT clientele.redeem_offer(NULL, 11)$$);
CALL attempt('NULL order', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', NULL::bigint)$$);
CALL attempt('a malformed order id', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', 'eleven')$$);
CALL attempt('an id of another type', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', '6f1ed002-ab5d-4f1c-8a1c-000000000001'::uuid)$$);
CALL attempt('unknown store', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', 11, 'nowhere')$$);
CALL attempt('NULL order to void', $$SELECT clientele.void_redemption(NULL::text)$$);
CALL attempt('a malformed order to void', $$SELECT clientele.void_redemption('x')$$);
CALL attempt('unknown store to void in', $$SELECT clientele.void_redemption(11, 'nowhere')$$);
SELECT count(*) AS still_open FROM shop.ledger WHERE state = 'open';

SELECT * FROM clientele.redeem_offer(' ccccc ccc-cc', 11);
SELECT * FROM clientele.redeem_offer('DDDDD-DDDDD', '21', 'shop');
CALL attempt('the same code again', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', 12)$$);
CALL attempt('the same code and order again', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', 11)$$);
SELECT told('CCCCC-CCCCC', o) LIKE '%, at ' || closed_at || '.%' AS says_when FROM shop.ledger, unnest('{11,12}'::text[]) o WHERE exposure_id = 1;
CALL attempt('a redeemed code by somebody else', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', 41)$$);
CALL issue('shop', 6, 1, 'HHHHH-HHHHH', issued_at => '2026-01-01');
CALL attempt('a second code for an order', $$SELECT clientele.redeem_offer('HHHHH-HHHHH', 11)$$);
SELECT redeemed.* FROM clientele.redeem_offer('HHHHH-HHHHH', 12) redeemed;
SELECT * FROM states;
SELECT * FROM budgets('shop');

-- ---- Taken back ----

SELECT clientele.void_redemption(11), clientele.void_redemption(11) AS again, clientele.void_redemption(99) AS unknown, clientele.void_redemption('99999999999999999999') AS impossible;
SELECT clientele.void_redemption('21', 'shop') AS as_text;
CALL attempt('a void offer', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', 15)$$);
SELECT * FROM states WHERE id IN (1, 2);
SELECT status, reward_paid, order_id FROM shop.offer_ledger WHERE exposure_id IN (1, 2, 6) ORDER BY exposure_id;
SELECT * FROM budgets('shop');
-- The order may redeem another.
CALL issue('shop', 7, 1, 'JJJJJ-JJJJJ', issued_at => '2026-01-01');
SELECT order_id, order_value FROM clientele.redeem_offer('JJJJJ-JJJJJ', 11);

-- ---- By the orders ----

DELETE FROM shop.ledger;
UPDATE shop.budgets SET available = 100;
TRUNCATE orders;
\set VERBOSITY terse
CALL issue('shop', 1, 1, 'CCCCC-CCCCC');
CALL issue('shop', 2, 2, 'DDDDD-DDDDD');
CALL issue('shop', 3, 3, NULL, holdout => 'program');
CALL issue('shop', 4, 4, 'FFFFF-FFFFF');
CALL issue('shop', 5, 5, 'GGGGG-GGGGG', valid_until => '2126-01-15');
CALL issue('shop', 6, 6, 'HHHHH-HHHHH', valid_until => '2126-01-15');
CALL issue('shop', 7, 7, NULL, valid_until => '2126-01-15', holdout => 'global');
CALL issue('shop', 8, 8, 'JJJJJ-JJJJJ', program => 'free');
CALL issue('shop', 9, 9, 'KKKKK-KKKKK', valid_until => now() - interval '1 day');
INSERT INTO orders (order_id, customer_id, ordered_at, amount) VALUES
    -- The earliest that qualifies; of two at one time, the one of the smaller id.
    (15, 1, '2026-01-04', 70), (14, 1, '2026-01-04', 99), (11, 1, '2026-01-02', 59.99), (12, 1, '2025-12-31', 80), (13, 1, '2026-01-05', 80),
    (21, 2, '2026-01-15', 80), (31, 3, '2026-01-05', 80), (51, 5, '2026-01-06', 60), (61, 6, '2126-01-01', 80), (71, 7, '2026-01-06', 80);
INSERT INTO orders VALUES (22, 2, '2026-01-05', 70, 10.01, NULL, DEFAULT), (41, 4, '2026-01-05', 80, NULL, NULL, 'cancelled');
SELECT * FROM budgets('shop');
SET client_min_messages = notice;
CALL clientele.settle_offers('shop', grace => '3 days');
SELECT * FROM states;
CALL clientele.settle_offers('shop', chunk => 1);
SELECT * FROM states;
CALL clientele.settle_offers('shop');
SET client_min_messages = warning;
SELECT * FROM budgets('shop');
CALL attempt('settled without an order', $$SELECT clientele.redeem_offer('FFFFF-FFFFF', 41)$$);
UPDATE orders SET status = 'completed' WHERE order_id = 41;
CALL attempt('an order that comes late', $$SELECT clientele.redeem_offer('FFFFF-FFFFF', 41)$$);
-- What is due of one program; held-out exposures end alike.
CALL issue('shop', 10, 10, 'MMMMM-MMMMM', program => 'free');
CALL issue('shop', 11, 11, 'NNNNN-NNNNN');
CALL issue('shop', 12, 12, NULL, holdout => 'program');
CALL issue('shop', 13, 13, 'PPPPP-PPPPP', valid_until => '2126-01-15');
INSERT INTO orders VALUES (111, 11, '2026-01-07', 80);
SELECT clientele._settle_due('shop', 'stretch', 1), clientele._settle_due('shop', 'stretch', 100), clientele._settle_due('shop', 'stretch', 100), clientele._settle_due('shop', 'none', 100);
SELECT * FROM states WHERE id > 9;
SELECT * FROM budgets('shop');

-- An order that redeemed another's exposure (it changed hands) does not redeem again; the customer's next one does.
UPDATE orders SET customer_id = 13 WHERE order_id = 111;
INSERT INTO orders VALUES (131, 13, '2026-01-08', 61);
CALL clientele.settle_offers('shop');
SELECT * FROM states WHERE id IN (11, 13);

-- An offer older than the budget has no slot: what it gives back goes to the first.
CALL issue('shop', 14, 14, 'QQQQQ-QQQQQ');
UPDATE shop.ledger SET slot = NULL WHERE exposure_id = 14;
CALL clientele.settle_offers('shop');
SELECT * FROM budgets('shop');

-- Refused.
\set VERBOSITY default
\set SHOW_CONTEXT never
CALL clientele.settle_offers(NULL);
CALL clientele.settle_offers('nowhere');
CALL clientele.settle_offers('shop', NULL);
CALL clientele.settle_offers('shop', '-1 day');
CALL clientele.settle_offers('shop', chunk => NULL);
CALL clientele.settle_offers('shop', chunk => 0);
-- Where it cannot commit.
CALL issue('shop', 15, 15, 'KMKMK-KMKMK');
BEGIN;
CALL clientele.settle_offers('shop');
ROLLBACK;
CREATE FUNCTION settling() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL clientele.settle_offers('shop'); END $$;
SELECT settling();
DO $$ BEGIN CALL clientele.settle_offers('shop'); EXCEPTION WHEN undefined_table THEN NULL; END $$;
BEGIN READ ONLY;
CALL clientele.settle_offers('shop');
ROLLBACK;
SELECT state FROM shop.ledger WHERE exposure_id = 15;
DO $$ BEGIN CALL clientele.settle_offers('shop'); END $$;
SELECT state FROM shop.ledger WHERE exposure_id = 15;

-- ---- Withdrawn ----

CALL issue('shop', 20, 20, 'CDCDC-CDCDC', valid_until => '2126-01-15');
CALL issue('shop', 21, 21, NULL, valid_until => '2126-01-15', holdout => 'program');
CALL issue('shop', 22, 22, 'FGFGF-FGFGF');
CALL issue('shop', 23, 23, 'HJHJH-HJHJH', valid_until => '2126-01-15', program => 'free');
INSERT INTO orders VALUES (201, 20, '2026-01-07', 80), (221, 22, '2026-01-07', 80);
SELECT * FROM budgets('shop');
-- Offered, held out; ended and not settled yet, redeemed, unknown; and again.
SELECT clientele.withdraw_offer(20), clientele.withdraw_offer(21, 'shop') AS held_out, clientele.withdraw_offer(22) AS ended, clientele.withdraw_offer(11) AS redeemed,
    clientele.withdraw_offer(99) AS unknown, clientele.withdraw_offer(20) AS again;
SELECT * FROM budgets('shop');
CALL attempt('a withdrawn offer', $$SELECT clientele.redeem_offer('CDCDC-CDCDC', 201)$$);
CALL attempt('and by somebody else', $$SELECT clientele.redeem_offer('CDCDC-CDCDC', 221)$$);
SELECT clientele.void_redemption(201) AS redeemed_nothing;
CALL clientele.settle_offers('shop');
SELECT * FROM states WHERE id >= 20;
SELECT exposure_id, status, reward_paid, order_id FROM shop.offer_ledger WHERE exposure_id >= 20 ORDER BY 1;
SELECT * FROM budgets('shop');
-- A whole campaign, both arms.
DO $$ BEGIN FOR c IN 30..39 LOOP CALL issue('shop', c, c, CASE WHEN c % 4 > 0 THEN rpad(translate(c::text, '0123456789', 'CDFGHJKMNP'), 10, 'X') END, valid_until => '2126-01-15', holdout => CASE c % 4 WHEN 0 THEN 'program' END); END LOOP; END $$;
SELECT * FROM budgets('shop');
SELECT count(*) FILTER (WHERE clientele.withdraw_offer(exposure_id, 'shop')) AS withdrawn FROM shop.ledger WHERE program = 'stretch' AND state = 'open';
SELECT * FROM budgets('shop');
SELECT state, count(*), count(holdout) AS held_out, count(closed_at) AS closed FROM shop.ledger WHERE exposure_id >= 30 GROUP BY 1;
CALL attempt('NULL exposure', 'SELECT clientele.withdraw_offer(NULL)');
CALL attempt('unknown store to withdraw in', $$SELECT clientele.withdraw_offer(1, 'nowhere')$$);
DROP FUNCTION settling;
\set VERBOSITY terse
DROP VIEW states;
SELECT clientele.drop_store('shop', force => true);

-- ---- Orders without ids, of other keys, with ids that repeat ----

CREATE TABLE visits (customer_id text, ordered_at date, amount int);
SELECT clientele.create_store('visited', 'visits');
CALL attempt('no order ids', $$SELECT clientele.redeem_offer('CCCCC-CCCCC', 1)$$);
CALL attempt('no order ids to void', $$SELECT clientele.void_redemption(1)$$);
INSERT INTO visited.programs (program, version, priority, objective, stretch, reward_rate, valid_for, holdout, message, progress_message) VALUES ('stretch', 1, 10, 'grow_order_value', 1.4, 0.05, '14 days', 0, '', '');
CALL issue('visited', 1, 'ann'::text, 'CCCCC-CCCCC');
CALL issue('visited', 2, 'bob'::text, 'DDDDD-DDDDD');
INSERT INTO visits VALUES ('ann', '2026-01-05', 60), ('ann', '2026-01-03', 70), ('bob', '2026-01-05', 59);
CALL clientele.settle_offers('visited');
SELECT exposure_id, customer_id, state, order_id, ordered_at, order_value FROM visited.ledger ORDER BY 1;
-- The same visit does not redeem twice.
CALL issue('visited', 3, 'ann'::text, 'FFFFF-FFFFF', issued_at => '2026-01-03');
CALL clientele.settle_offers('visited');
SELECT exposure_id, customer_id, state, order_id, ordered_at, order_value FROM visited.ledger ORDER BY 1;
SELECT clientele.drop_store('visited');

CREATE TABLE lines (order_id uuid, customer_id uuid, ordered_at timestamp, amount bigint);
SELECT clientele.create_store('lined', 'lines', time_zone => 'Asia/Tokyo', currency => 'JPY');
INSERT INTO lined.programs (program, version, priority, objective, stretch, reward_rate, valid_for, holdout, message, progress_message) VALUES ('stretch', 1, 10, 'grow_order_value', 1.4, 0.05, '14 days', 0, '', '');
-- The first of an order's rows is below the threshold, the second dated too early (in Tokyo), the third is what redeems.
INSERT INTO lines SELECT md5(o)::uuid, md5(c)::uuid, t, a FROM (VALUES ('x', 'ann', timestamp '2026-01-05', 10), ('x', 'ann', '2026-01-01 08:59:59', 99), ('x', 'ann', '2026-01-06', 61), ('x', 'bob', '2026-01-07', 99)) v (o, c, t, a);
CALL issue('lined', 1, md5('ann')::uuid, 'CCCCC-CCCCC');
CALL issue('lined', 2, md5('bob')::uuid, 'DDDDD-DDDDD');
CALL clientele.settle_offers('lined');
SELECT exposure_id, state, order_value, ordered_at FROM lined.ledger ORDER BY 1;
SELECT clientele.void_redemption(upper(md5('x'))), clientele.void_redemption(md5('x')::uuid);
CALL attempt('not a uuid', $$SELECT clientele.void_redemption(7)$$);
SELECT clientele.drop_store('lined');

-- ---- Live stores: orders that are taken back ----

CREATE TABLE sales (customer_id int, id int, placed timestamptz, paid numeric, state text DEFAULT 'completed', PRIMARY KEY (id, placed)) PARTITION BY RANGE (placed);
CREATE TABLE sales_early PARTITION OF sales FOR VALUES FROM (MINVALUE) TO ('2026-01-10');
CREATE TABLE sales_late PARTITION OF sales FOR VALUES FROM ('2026-01-10') TO (MAXVALUE);
CREATE INDEX ON sales (customer_id);
SELECT clientele.create_store('shop', 'sales', ordered_at => 'placed', amount => 'paid', order_id => 'id', order_filter => $$state = 'completed'$$, live => true);
CALL clientele.refresh('shop');
INSERT INTO shop.programs (program, version, priority, objective, stretch, reward_rate, valid_for, holdout, budget, message, progress_message) VALUES ('stretch', 1, 10, 'grow_order_value', 1.4, 0.05, '14 days', 0, 60, '', '');
INSERT INTO shop.budgets SELECT 'stretch', s, 20 FROM generate_series(0, 2) s;
INSERT INTO sales SELECT c, c, timestamptz '2026-01-03' + c * interval '1 day', 70 FROM generate_series(1, 11) c;
DO $$ BEGIN FOR c IN 1..11 LOOP CALL issue('shop', c, c, rpad(translate(c::text, '0123456789', 'CDFGHJKMNP'), 10, 'X')); END LOOP; END $$;
DELETE FROM sales WHERE id = 1;
SELECT count(*) AS without_redemptions FROM shop.reversals;
INSERT INTO sales VALUES (1, 1, '2026-01-04', 70);
CALL clientele.settle_offers('shop');
SELECT * FROM budgets('shop');
-- The exposures that a statement has made void, as the views say at once.
CREATE VIEW reversed AS SELECT string_agg(exposure_id::text, ' ' ORDER BY exposure_id) AS reversed,
    (SELECT string_agg(exposure_id::text, ' ' ORDER BY exposure_id) FROM shop.offer_ledger WHERE status = 'void') AS void, (SELECT count(*) FROM shop.failures) AS failures FROM shop.reversals;
UPDATE sales SET state = 'cancelled' WHERE id = 1;
TABLE reversed;
UPDATE sales SET paid = 59 WHERE id = 2;
DELETE FROM sales WHERE id = 3;
UPDATE sales SET placed = '2025-12-31' WHERE id = 5;
UPDATE sales_early SET id = 60 WHERE id = 6;
TABLE reversed;
-- These still qualify: what was paid stays paid, whosever the order becomes.
UPDATE sales SET customer_id = 99 WHERE id = 4;
UPDATE sales SET paid = 60 WHERE id = 7;
UPDATE sales SET placed = '2026-01-14' WHERE id = 8;
UPDATE sales SET state = 'completed', paid = paid + 1 WHERE id >= 7;
TABLE reversed;
SELECT * FROM budgets('shop');
BEGIN;
UPDATE sales SET state = 'cancelled';
TABLE reversed;
ROLLBACK;
TABLE reversed;
-- Who finds a budget exhausted settles these, too.
BEGIN;
SELECT clientele._settle_due('shop', 'other', 100), clientele._settle_due('shop', 'stretch', 100);
SELECT * FROM budgets('shop');
ROLLBACK;
-- What comes back before it is written off stands.
UPDATE sales SET state = 'completed' WHERE id = 1;
INSERT INTO sales VALUES (3, 3, '2026-01-06', 65);
SET client_min_messages = notice;
CALL clientele.settle_offers('shop', chunk => 2);
CALL clientele.settle_offers('shop');
SET client_min_messages = warning;
TABLE reversed;
SELECT * FROM budgets('shop');
-- A deletion and a new insertion in one statement: void until settling looks again.
WITH gone AS (DELETE FROM sales WHERE id = 7 RETURNING *) INSERT INTO sales SELECT customer_id, id, placed, 66, state FROM gone ON CONFLICT DO NOTHING;
SELECT count(*) AS there FROM sales WHERE id = 7;
CALL attempt('a redemption that was taken back', $$SELECT clientele.redeem_offer('MXXXX-XXXXX', 7)$$);
SELECT clientele.void_redemption(8);
DELETE FROM sales WHERE id = 8;
TABLE reversed;
-- One partition, then all.
TRUNCATE sales_late;
TABLE reversed;
TRUNCATE sales;
TABLE reversed;
CALL clientele.settle_offers('shop');
SELECT * FROM budgets('shop');
SELECT count(*) AS left_over FROM shop.reversals;
-- What no trigger has seen is found when it is settled.
INSERT INTO sales VALUES (12, 12, '2026-01-05', 70), (13, 13, '2026-01-05', 70);
CALL issue('shop', 12, 12, 'DFXXX-XXXXX');
CALL issue('shop', 13, 13, 'DGXXX-XXXXX');
CALL clientele.settle_offers('shop');
ALTER TABLE sales DISABLE TRIGGER USER;
DELETE FROM sales WHERE id = 12;
TABLE reversed;
CALL clientele.settle_offers('shop');
SELECT exposure_id, status FROM shop.offer_ledger WHERE exposure_id > 11 ORDER BY 1;
SELECT * FROM budgets('shop');
-- An order that comes back after the customer was enrolled again: the redemption did not count then, and stays void.
ALTER TABLE sales ENABLE TRIGGER USER;
INSERT INTO sales SELECT c, c, '2026-01-05', 70 FROM generate_series(14, 16) c;
CALL issue('shop', 14, 14, 'DHXXX-XXXXX');
CALL issue('shop', 15, 15, 'DJXXX-XXXXX');
CALL issue('shop', 16, 16, 'DKXXX-XXXXX');
CALL clientele.settle_offers('shop');
UPDATE sales SET state = 'cancelled' WHERE id > 13;
CALL issue('shop', 17, 14, 'DMXXX-XXXXX', issued_at => '2026-01-06', valid_until => '2126-01-15');
CALL issue('shop', 18, 15, NULL, issued_at => '2026-01-06', valid_until => '2126-01-15', holdout => 'program');
UPDATE sales SET state = 'completed' WHERE id > 13;
TABLE reversed;
SET client_min_messages = notice;
CALL clientele.settle_offers('shop');
SET client_min_messages = warning;
TABLE reversed;
SELECT exposure_id, customer_id, state, order_id FROM shop.ledger WHERE exposure_id > 13 ORDER BY 1;
SELECT * FROM budgets('shop');
-- Who was held out is free again by the same rules as who was offered something, and no money moves: where an order reaches what
-- would have been asked for, before the end; and again, where that order is cancelled, with a word or without.
DO $$ BEGIN FOR c IN 21..25 LOOP CALL issue('shop', c, c, NULL, valid_until => '2126-01-15', holdout => 'program'); END LOOP; END $$;
INSERT INTO sales SELECT c, c, '2026-01-05', CASE c WHEN 21 THEN 59.99 ELSE 60 END FROM generate_series(21, 25) c;
SET client_min_messages = notice;
CALL clientele.settle_offers('shop');
SELECT exposure_id, state, order_id, order_value FROM shop.ledger WHERE exposure_id > 20 ORDER BY 1;
UPDATE sales SET state = 'cancelled' WHERE id = 22;
SELECT clientele.void_redemption(23) AS nothing_was_paid;
SELECT exposure_id, status FROM shop._ledger WHERE exposure_id > 20 ORDER BY 1;
DELETE FROM sales WHERE id = 24;
SELECT clientele.forget_customer(24);
SELECT program, held_out, exposures, redemptions, rewards FROM shop.forgotten;
CALL clientele.settle_offers('shop');
SET client_min_messages = warning;
SELECT exposure_id, state FROM shop.ledger WHERE exposure_id > 20 ORDER BY 1;
SELECT * FROM budgets('shop');
-- What goes wrong is noted, and the statement stands.
SELECT clientele.set_live('shop', true);
CALL clientele.refresh('shop');
ALTER TABLE shop.reversals ADD CHECK (exposure_id > 0);
SET client_min_messages = error;
DELETE FROM sales WHERE id = 13;
SET client_min_messages = warning;
SELECT relation, operation, sqlstate, message FROM shop.failures;
ALTER TABLE shop.reversals DROP CONSTRAINT reversals_exposure_id_check;
CALL clientele.settle_offers('shop');
SELECT exposure_id, status FROM shop.offer_ledger WHERE exposure_id = 13;
DROP VIEW reversed;
SELECT clientele.drop_store('shop', force => true);
-- So limits hold whatever becomes of orders.
TRUNCATE sales;
INSERT INTO sales SELECT 1, n, now() - n * interval '10 days', 40 FROM generate_series(1, 4) n;
SELECT clientele.create_store('shop', 'sales', ordered_at => 'placed', amount => 'paid', order_id => 'id', order_filter => $$state = 'completed'$$, live => true);
CALL clientele.refresh('shop');
SELECT clientele.define_offer('shop', 'once', 'grow_order_value', max_per_customer => 1, cooldown => '100 days');
SELECT code FROM clientele.issue_offer(1) \gset
INSERT INTO sales VALUES (1, 10, now(), 100);
SELECT order_id FROM clientele.redeem_offer(:'code', 10);
SELECT count(*) AS second FROM clientele.issue_offer(1);
UPDATE sales SET state = 'cancelled' WHERE id = 10;
SELECT code FROM clientele.issue_offer(1) \gset
UPDATE sales SET state = 'completed' WHERE id = 10;
INSERT INTO sales VALUES (1, 11, clock_timestamp(), 100);
CALL clientele.settle_offers('shop');
SELECT exposure_id, status, order_id, reward_paid FROM shop.offer_ledger ORDER BY 1;
SELECT count(*) AS third FROM clientele.issue_offer(1);
SELECT clientele.drop_store('shop', force => true);

-- Without order ids, by customer and time.
CREATE TABLE tickets (customer_id text COLLATE "C", ordered_at timestamptz, amount numeric);
CREATE INDEX ON tickets (customer_id);
SELECT clientele.create_store('shop', 'tickets', live => true);
CALL clientele.refresh('shop');
INSERT INTO shop.programs (program, version, priority, objective, stretch, reward_rate, valid_for, holdout, message, progress_message) VALUES ('stretch', 1, 10, 'grow_order_value', 1.4, 0.05, '14 days', 0, '', '');
INSERT INTO tickets SELECT c, t, a FROM unnest('{ann,bob,cid}'::text[]) c, (VALUES (timestamptz '2026-01-05', 70), ('2026-01-07', 80)) v (t, a);
CALL issue('shop', 1, 'ann'::text, 'CCCCC-CCCCC');
CALL issue('shop', 2, 'bob'::text, 'DDDDD-DDDDD');
CALL issue('shop', 3, 'cid'::text, 'FFFFF-FFFFF');
CALL clientele.settle_offers('shop');
UPDATE tickets SET amount = amount - 15 WHERE customer_id = 'ann';
DELETE FROM tickets WHERE customer_id = 'bob';
DELETE FROM tickets WHERE customer_id = 'cid' AND ordered_at = '2026-01-07';
SELECT exposure_id FROM shop.reversals ORDER BY 1;
SELECT exposure_id, status FROM shop.offer_ledger ORDER BY 1;
CALL clientele.settle_offers('shop');
SELECT exposure_id, state FROM shop.ledger ORDER BY 1;
SELECT clientele.drop_store('shop', force => true);
DROP SCHEMA redeem CASCADE;
