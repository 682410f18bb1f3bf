-- Order times that are dates: a date, and a midnight where times have no zone, means the whole day.
\pset format unaligned
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE SCHEMA dates;
SET search_path = dates;

-- A shop in Berlin whose order times are of some type. What is inserted is local time there.
CREATE PROCEDURE open_shop(time_type regtype, live boolean DEFAULT false, order_id name DEFAULT 'order_id') LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL timezone = 'Europe/Berlin';
    PERFORM clientele.drop_store('shop') WHERE to_regnamespace('shop') IS NOT NULL;
    DROP TABLE IF EXISTS orders;
    EXECUTE format('CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id int, ordered_at %s, amount numeric(12,2))', time_type);
    CREATE INDEX ON orders (customer_id);
    PERFORM clientele.create_store('shop', 'orders', order_id => order_id, time_zone => 'Europe/Berlin', live => live);
    INSERT INTO shop.programs (program, version, priority, objective, stretch, reward_rate, valid_for, holdout, message)
        VALUES ('stretch', 1, 10, 'grow_order_value', 1.4, 0.05, '14 days', 0, '');
    INSERT INTO shop.program_versions (program, version, defined_at, definition) VALUES ('stretch', 1, '2026-01-01', '{"holdout": 0.5}');
END $$;
CREATE PROCEDURE place(id bigint, customer int, local_time timestamp, amount numeric DEFAULT 80) LANGUAGE plpgsql SET timezone = 'Europe/Berlin' AS $$
BEGIN
    INSERT INTO orders VALUES (id, customer, local_time, amount);
END $$;

-- Ten customers are asked for 60 on 10 January, at half past midnight in Berlin, where it is still the 9th by UTC, until 24 January, the same hour.
CREATE PROCEDURE issue(customers int[] DEFAULT '{1,2,3,4,5,6,7,8,9,10}') LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO shop.ledger (exposure_id, customer_id, period, program, program_version, holdout, global_holdout, basis, reference_value, min_spend, reward,
            reward_kind, currency, message, reasons, variant, propensity, issued_at, valid_until, code, slot) OVERRIDING SYSTEM VALUE
        SELECT c, c, 1, 'stretch', 1, CASE WHEN c > 10 THEN 'program' END, 0, 'typical', 42, 60, 3, 'amount_off', 'EUR', 'spend', '{}', 'default', 0.5,
            '2026-01-09 23:30+00', '2026-01-23 23:30+00', CASE WHEN c <= 10 THEN clientele._canonical_code(translate(lpad(c::text, 10, '0'), '0123456789', 'CDFGHJKMNP')) END, NULL FROM unnest(customers) c;
END $$;
CREATE PROCEDURE place_around() LANGUAGE plpgsql AS $$
BEGIN
    CALL place(1, 1, '2026-01-10 00:00');      -- the day of issuing
    CALL place(2, 2, '2026-01-09 00:00');      -- the day before
    CALL place(3, 3, '2026-01-24 00:00');      -- the last day
    CALL place(4, 4, '2026-01-25 00:00');      -- the day after
    CALL place(5, 5, '2026-01-10 00:00', 59);  -- too little
    CALL place(7, 6, '2026-01-10 00:00', 90);  -- the second of the day, by its id
    CALL place(6, 6, '2026-01-10 00:00', 95);  -- the first
END $$;
-- Times of the day, which dates lose.
CREATE PROCEDURE place_by_the_minute() LANGUAGE plpgsql AS $$
BEGIN
    CALL place(8, 8, '2026-01-10 00:10');      -- before issuing
    CALL place(9, 9, '2026-01-10 00:40');      -- after
    CALL place(10, 10, '2026-01-24 00:40');    -- after the end
END $$;
CREATE PROCEDURE attempt(what text, statement text) LANGUAGE plpgsql AS $$
DECLARE message text; detail text;
BEGIN
    EXECUTE statement;
    RAISE WARNING '%: redeemed', what;
    RAISE SQLSTATE 'RT000';
EXCEPTION WHEN SQLSTATE 'RT000' THEN NULL;
    WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RAISE WARNING '%: % % (%)', what, SQLSTATE, message, detail;
END $$;
CREATE PROCEDURE redeem_each() LANGUAGE plpgsql AS $$
DECLARE p record;
BEGIN
    FOR p IN SELECT o.order_id, l.code FROM orders o JOIN shop.ledger l USING (customer_id) WHERE l.code IS NOT NULL ORDER BY 1 LOOP
        CALL attempt('order ' || p.order_id, format('SELECT clientele.redeem_offer(%L, %s)', p.code, p.order_id));
    END LOOP;
END $$;
CREATE FUNCTION verdicts() RETURNS TABLE (customer int, state text, order_id text, ordered_at timestamptz, order_value numeric) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT l.customer_id, l.state, l.order_id::text, l.ordered_at, l.order_value FROM shop.ledger l WHERE l.holdout IS NULL ORDER BY 1;
END $$;
CREATE FUNCTION lift_of(metric text) RETURNS TABLE (n_control bigint, n_treated bigint, mean_control double precision, mean_treated double precision) LANGUAGE sql AS
    $$ SELECT m.n_control, m.n_treated, m.mean_control, m.mean_treated FROM clientele.measure_lift('shop', 'stretch', metric, pre_period => '0') m $$;

-- ---- Redeeming, settling and measuring ----

CALL open_shop('date');
CALL issue('{1,2,3,4,5,6,7,8,9,10,11,12}');
CALL place_around();
CALL place_by_the_minute();
CALL place(11, 11, '2026-01-10 00:00', 20);
CALL place(12, 12, '2026-01-09 00:00', 20);
CALL redeem_each();
CALL clientele.settle_offers('shop');
SELECT * FROM verdicts();
SELECT * FROM lift_of('orders_per_customer');
SELECT * FROM lift_of('net_margin_per_customer');
-- What was earned and is not settled.
UPDATE shop.ledger SET state = 'open', order_id = NULL, ordered_at = NULL, order_value = NULL, closed_at = NULL WHERE customer_id = 1;
SELECT * FROM lift_of('net_margin_per_customer');

-- The same where times have no zone; of these, those that are no midnights are what they say.
CALL open_shop('timestamp');
CALL issue('{1,2,3,4,5,6,7,8,9,10,11,12}');
CALL place_around();
CALL place_by_the_minute();
CALL place(11, 11, '2026-01-10 00:00', 20);
CALL place(12, 12, '2026-01-10 00:29', 20);
CALL redeem_each();
CALL clientele.settle_offers('shop');
SELECT * FROM verdicts();
SELECT * FROM lift_of('orders_per_customer');

-- A timestamptz is the instant that it says.
CALL open_shop('timestamptz');
CALL issue('{1,2,3,4,5,6,7,8,9,10,11,12}');
CALL place_around();
CALL place_by_the_minute();
CALL place(11, 11, '2026-01-10 00:00', 20);
CALL place(12, 12, '2026-01-10 00:31', 20);
CALL redeem_each();
CALL clientele.settle_offers('shop');
SELECT * FROM verdicts();
SELECT * FROM lift_of('orders_per_customer');

-- Without order ids.
CALL open_shop('date', order_id => NULL);
CALL issue();
CALL place_around();
CALL clientele.settle_offers('shop');
SELECT * FROM verdicts();

-- A live store: what takes a redemption back, and what does not.
CALL open_shop('date', live => true);
CALL issue();
CALL place_around();
CALL clientele.settle_offers('shop');
UPDATE orders SET amount = 61 WHERE order_id = 1;
UPDATE orders SET ordered_at = '2026-01-11' WHERE order_id = 3;
SELECT exposure_id FROM shop.reversals ORDER BY 1;
UPDATE orders SET ordered_at = '2026-01-09' WHERE order_id = 1;
SELECT exposure_id FROM shop.reversals ORDER BY 1;
UPDATE orders SET ordered_at = '2026-01-10' WHERE order_id = 1;
CALL clientele.settle_offers('shop');
SELECT * FROM verdicts();
SELECT clientele.void_redemption(3);
SELECT customer, state FROM verdicts() WHERE customer IN (1, 3);

SELECT clientele.drop_store('shop');
