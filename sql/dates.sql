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
    INSERT INTO shop.programs (program, version, priority, objective, stretch, reward_rate, valid_for, holdout, message, progress_message)
        VALUES ('stretch', 1, 10, 'grow_order_value', 1.4, 0.05, '14 days', 0, '', '');
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

-- All that the shops below are asked about; 11 and 12 were held out.
CREATE PROCEDURE run_shop(time_type regtype, last_order timestamp) LANGUAGE plpgsql AS $$
BEGIN
    CALL open_shop(time_type);
    CALL issue('{1,2,3,4,5,6,7,8,9,10,11,12}');
    CALL place_around();
    CALL place_by_the_minute();
    CALL place(11, 11, '2026-01-10 00:00', 20);
    CALL place(12, 12, last_order, 20);
END $$;

-- ---- Redeeming, settling and measuring ----

CALL run_shop('date', '2026-01-09 00:00');
CALL redeem_each();
CALL clientele.settle_offers('shop');
SELECT * FROM verdicts();
SELECT * FROM lift_of('orders_per_customer');
SELECT * FROM lift_of('net_margin_per_customer');
-- What was earned and is not settled.
UPDATE shop.ledger SET state = 'open', order_id = NULL, ordered_at = NULL, order_value = NULL, closed_at = NULL WHERE customer_id = 1;
SELECT * FROM lift_of('net_margin_per_customer');

-- The same where times have no zone; of these, those that are no midnights are what they say.
CALL run_shop('timestamp', '2026-01-10 00:29');
CALL redeem_each();
CALL clientele.settle_offers('shop');
SELECT * FROM verdicts();
SELECT * FROM lift_of('orders_per_customer');

-- A timestamptz is the instant that it says.
CALL run_shop('timestamptz', '2026-01-10 00:31');
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

-- ---- Which orders are the last ones ----

-- Ten customers with up to 40 orders on few days, whose ids grow with time, and whose amounts fall; in any order.
CREATE FUNCTION orders_of_days(seed text) RETURNS TABLE (id bigint, customer int, placed timestamp, amount numeric) LANGUAGE sql AS $$
    SELECT c * 100 + n, c, timestamp '2026-02-01' + (n * c / 40) * interval '1 day', 100 - n FROM generate_series(1, 10) c, generate_series(1, 4 * c) n
    ORDER BY md5(seed || '/' || c || '/' || n)
$$;
CREATE PROCEDURE place_all(seed text, chunks int) LANGUAGE plpgsql SET timezone = 'Europe/Berlin' AS $$
BEGIN
    FOR chunk IN 0 .. chunks - 1 LOOP
        INSERT INTO orders SELECT o.id, o.customer, o.placed, o.amount FROM orders_of_days(seed) WITH ORDINALITY o (id, customer, placed, amount, nth)
            WHERE nth % chunks = chunk ORDER BY nth;
    END LOOP;
END $$;
-- What the store shows, against the last eight by time and id; and whether that is what a count of the orders gives.
CREATE VIEW plain AS SELECT customer_id, (array_agg(amount ORDER BY ordered_at DESC, order_id DESC))[1] AS last_order_value,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FILTER (WHERE nth <= 8) AS typical_order_value
    FROM (SELECT (id / 100)::int AS customer_id, placed AS ordered_at, id AS order_id, amount, row_number() OVER (PARTITION BY customer ORDER BY placed DESC, id DESC) AS nth
          FROM orders_of_days('')) o GROUP BY customer_id;
CREATE FUNCTION shown() RETURNS TABLE (customers bigint, right_ones bigint, findings bigint, as_of bigint, profiles text) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT count(*), count(*) FILTER (WHERE c.last_order_value = p.last_order_value AND c.typical_order_value::float8 = p.typical_order_value),
            (SELECT count(*) FROM clientele.check_store('shop')),
            (SELECT count(*) FROM shop.customers_at('2026-03-01') a JOIN shop.customers c USING (customer_id)
                WHERE (a.last_order_value, a.typical_order_value, a.typical_cv) IS NOT DISTINCT FROM (c.last_order_value, c.typical_order_value, c.typical_cv)),
            md5(string_agg(n.profile::text, ' ' ORDER BY n.customer_id))
        FROM shop.customers c JOIN plain p USING (customer_id) JOIN shop._profiles_now() n USING (customer_id);
END $$;

CALL open_shop('date');
CALL place_all('one', 1);
CALL clientele.refresh('shop');
SELECT * FROM shown() \gset batch_
SELECT :batch_customers AS customers, :batch_right_ones AS right_ones, :batch_findings AS findings, :batch_as_of AS as_of;
-- By the toolkit.
SELECT count(*) FROM shop.profiles JOIN (SELECT customer_id, clientele.order_profile(ordered_at::timestamp AT TIME ZONE 'Europe/Berlin', amount, 'Europe/Berlin', order_id) AS p
    FROM orders GROUP BY customer_id) t USING (customer_id) WHERE profile OPERATOR(clientele.=) p;
-- In another order, and through memory that is too small.
CALL open_shop('date');
CALL place_all('two', 7);
SET work_mem = '64kB';
CALL clientele.refresh('shop');
RESET work_mem;
SELECT profiles = :'batch_profiles' AS same FROM shown();
-- Row by row into a live store, folded in between.
CALL open_shop('date', live => true);
CALL place_all('three', 50);
SELECT right_ones, findings, profiles = :'batch_profiles' AS same FROM shown();
CALL clientele.refresh('shop');
SELECT right_ones, findings, profiles = :'batch_profiles' AS same FROM shown();
DELETE FROM orders WHERE order_id % 3 = 0;
CALL clientele.refresh('shop');
INSERT INTO orders SELECT o.id, o.customer, o.placed, o.amount FROM orders_of_days('four') o WHERE o.id % 3 = 0 AND o.customer % 2 = 0;
DO $$ DECLARE p record; BEGIN
    FOR p IN SELECT * FROM orders_of_days('five') o WHERE o.id % 3 = 0 AND o.customer % 2 = 1 LOOP
        CALL place(p.id, p.customer, p.placed, p.amount);
    END LOOP;
END $$;
SELECT right_ones, findings, profiles = :'batch_profiles' AS same FROM shown();
-- An id that changes may make another order the last one.
UPDATE orders SET order_id = 9999 WHERE order_id = (SELECT order_id FROM orders WHERE customer_id = 3 AND ordered_at = (SELECT max(ordered_at) FROM orders WHERE customer_id = 3) ORDER BY 1 LIMIT 1);
SELECT last_order_value = (SELECT amount FROM orders WHERE order_id = 9999) AS changed FROM shop.customers WHERE customer_id = 3;
SELECT count(*) FROM clientele.check_store('shop');

-- Midnights without a zone are days, too; with one they are instants, of which the greatest amounts are the last ones.
CALL open_shop('timestamp', live => true);
CALL place_all('one', 3);
SELECT right_ones, findings, profiles = :'batch_profiles' AS same FROM shown();
CALL clientele.refresh('shop');
SELECT right_ones, findings, profiles = :'batch_profiles' AS same FROM shown();
CALL open_shop('timestamptz', live => true);
CALL place_all('one', 3);
SELECT customer_id, last_order_value, (SELECT max(o.amount) FROM orders o WHERE o.customer_id = c.customer_id AND o.ordered_at = c.last_order_at) AS greatest
    FROM shop.customers c WHERE customer_id > 8 ORDER BY 1;
SELECT count(*) FROM shop._profiles_now() WHERE (profile::text::jsonb ->> 'version') <> '1';
-- Other times of a timestamp are ranked by amount where they are the same.
CALL open_shop('timestamp');
CALL place(1, 1, '2026-02-01 12:00', 50);
CALL place(2, 1, '2026-02-01 12:00', 40);
CALL clientele.refresh('shop');
SELECT last_order_value FROM shop.customers;

-- Ids of every type.
CREATE PROCEDURE open_shop_of(id_type text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM clientele.drop_store('shop');
    DROP TABLE orders;
    EXECUTE format('CREATE TABLE orders (order_id %s PRIMARY KEY, customer_id text, ordered_at date, amount numeric)', id_type);
    CREATE INDEX ON orders (customer_id);
    PERFORM clientele.create_store('shop', 'orders', live => true);
END $$;
CREATE PROCEDURE try_ids(id_type text, ids text[]) LANGUAGE plpgsql AS $$
DECLARE by_count numeric; by_trigger numeric; exact bigint;
BEGIN
    CALL open_shop_of(id_type);
    -- The first id is the least, and has the greatest amount.
    EXECUTE format('INSERT INTO orders SELECT id::%s, ''a'', ''2026-02-01'', 100 - nth FROM unnest($1) WITH ORDINALITY i (id, nth) ORDER BY md5(id)', id_type) USING ids;
    SELECT last_order_value INTO by_trigger FROM shop.customers;
    exact := count(*) FROM clientele.check_store('shop');
    CALL clientele.refresh('shop', "full" => true);
    SELECT last_order_value INTO by_count FROM shop.customers;
    RAISE WARNING '%: % % % (least: %)', id_type, by_trigger, by_count, exact, 100 - cardinality(ids);
END $$;
CALL try_ids('smallint', '{-32768,-1,0,1,32767}');
CALL try_ids('integer', '{-2147483648,-1,0,1,2147483647}');
CALL try_ids('bigint', '{-9223372036854775808,-1,0,1,9223372036854775807}');
CALL try_ids('numeric', '{-1e30,-9223372036854000000,-2,0,7,9223372036854000000,1e30}');
CALL try_ids('uuid', '{00000000-0000-4000-8000-000000000000,7fffffff-0000-4000-8000-000000000000,80000000-0000-4000-8000-000000000000,ffffffff-0000-4000-8000-000000000000}');
CALL try_ids('text', '{"",A-100,A-1001,A-101,B,"\u00e9"}');
CALL try_ids('varchar', '{A-100,A-101}');
CALL try_ids('char(6)', '{A-100,A-101}');
CREATE DOMAIN number_of_order AS bigint CHECK (value > 0);
CALL try_ids('number_of_order', '{3,20,100}');
-- What the first eight bytes do not tell apart, and other types: by amount.
CALL try_ids('text', '{ORDER-000001,ORDER-000002}');
CALL try_ids('interval', '{1 day,2 days}');

-- A day without a midnight: clocks went from 24:00 to 1:00.
SELECT day, clientele._instant(day, z), clientele._day_start(clientele._instant(day, z) + interval '9 hours', z), clientele._tie(clientele._instant(day, z), z, 7)
    FROM (SELECT 'America/Sao_Paulo' AS z, d AS day FROM generate_series(timestamp '2018-11-03', '2018-11-05', '1 day') d) s;
SELECT clientele._tie('infinity', 'UTC', 7), clientele._tie('-infinity', 'UTC', 7), clientele._tie('2026-01-01 00:00:01+00', 'UTC', 7), clientele._tie('2026-01-01 00:00+00', 'UTC', NULL::text);
SELECT clientele._day_start('infinity', 'Europe/Berlin'), clientele._day_start('-infinity', 'Europe/Berlin');

-- ---- The toolkit ----

CREATE TABLE tied AS SELECT i % 7 AS part, timestamptz '2026-03-01 12:00+00' + i / 10 * interval '1 day' AS at, (i * 37 % 100)::numeric AS amount, nullif(i * 13 % 50, 0)::bigint AS tie FROM generate_series(1, 60) i;
SELECT profile::text::jsonb -> 'version' AS version, jsonb_path_query_array(profile::text::jsonb, '$.recent_orders[*].tie') AS ties, clientele.last_order_value(profile),
        profile::text::clientele.order_profile OPERATOR(clientele.=) profile AS text_goes_round
    FROM (SELECT clientele.order_profile(at, amount, 'UTC', tie) AS profile FROM tied) p;
SELECT clientele.rollup(p) OPERATOR(clientele.=) (SELECT clientele.order_profile(at, amount, 'UTC', tie) FROM tied) AS merged
    FROM (SELECT clientele.order_profile(at, amount, 'UTC', tie ORDER BY md5(tie::text)) AS p FROM tied GROUP BY part) q;
-- Without ties it is the profile that it was.
SELECT clientele.order_profile(at, amount, 'UTC', NULL) OPERATOR(clientele.=) clientele.order_profile(at, amount) AS same FROM tied;
SELECT clientele.last_order_value(clientele.order_profile('2026-01-01', amount, 'UTC', tie))
    FROM (VALUES (9, NULL), (7, 1), (8, 2), (5, 2), (6, -3)) v (amount, tie);
CREATE FUNCTION refusal(json text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN json::clientele.order_profile::text;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT what, left(refusal(replace(replace('{"version": VERSION, "time_zone": "UTC", "orders": 1, "refunds": 0, "refunded": 0, "evening_orders": 0, "weekend_orders": 0, "gross_spent": 10, "sum_of_squares": 100,
        "first_day_total": 10, "first_order_at": "2026-01-01T00:00:00Z", "recent_orders": [{"at": "2026-01-01T00:00:00Z", "amount": 10TIE}], "first_day": "2026-01-01", "day_gaps": []}',
        'VERSION', version), 'TIE', tie)), 90) FROM (VALUES ('none', '1', ''), ('one', '2', ', "tie": 5'), ('version too low', '1', ', "tie": 5'), ('version too high', '2', ''), ('unknown version', '3', ', "tie": 5'),
        ('least', '2', ', "tie": -9223372036854775807'), ('too small', '2', ', "tie": -9223372036854775808'), ('greatest', '2', ', "tie": 9223372036854775807'), ('too great', '2', ', "tie": 9223372036854775808'),
        ('a fraction', '2', ', "tie": 1.5'), ('text', '2', ', "tie": "1"'), ('something else', '2', ', "rank": 5')) v (what, version, tie);

SELECT clientele.drop_store('shop');

DROP SCHEMA dates CASCADE;
