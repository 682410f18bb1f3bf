-- At the checkout: how far a basket is from the offer, and codes that are redeemed without an error to handle.
\pset format unaligned
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA checkout;
SET search_path = checkout;
CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws('|', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric, status text NOT NULL DEFAULT 'completed');
CREATE INDEX ON orders (customer_id);
INSERT INTO orders SELECT 1000 * c + n, c, now() - n * interval '8 days', 40 FROM generate_series(1, 60) c, generate_series(1, 4) n;
SELECT clientele.create_store('shop', orders => 'checkout.orders', order_filter => $$status = 'completed'$$);
CALL clientele.refresh('shop');
SELECT clientele.define_offer('shop', 'stretch', 'grow_order_value', holdout => 0.2);
SELECT min(c) AS held_out FROM generate_series(1, 60) c WHERE clientele.bucket('shop:stretch:holdout', c::text) < 0.2 \gset
SELECT array_agg(c) AS shown FROM generate_series(1, 60) c WHERE clientele.bucket('shop:stretch:holdout', c::text) >= 0.2 \gset
SELECT (:'shown'::int[])[1] AS a, (:'shown'::int[])[2] AS b, (:'shown'::int[])[3] AS c, (:'shown'::int[])[4] AS d, (:'shown'::int[])[5] AS e, (:'shown'::int[])[6] AS f \gset

-- ---- Progress ----

-- What is not written down is shown for previews alone.
SELECT count(*) FROM clientele.offer_progress(:a, 47.60);
SELECT program, min_spend, reward, gap, qualifies, message, code, valid_until > now() AS valid FROM clientele.offer_progress(:a, 47.60, unissued => true);
SELECT count(*) AS held_out_is_shown_nothing FROM clientele.offer_progress(:held_out, 47.60, unissued => true);
CALL clientele.issue_offers('shop');
SELECT count(*) AS exposures FROM shop.ledger \gset
SELECT code FROM shop.ledger WHERE customer_id = :a \gset
SELECT p.program, p.min_spend, p.reward, p.gap, p.qualifies, p.message, p.code = l.code AS its_code, p.valid_until = l.valid_until AS its_end
FROM shop.ledger l, unnest('{0,47.60,59.99,59.991,59.99999,60,60.01,9999999999999.99}'::numeric[]) b, clientele.offer_progress(:a, b) p WHERE l.customer_id = :a ORDER BY b;
SELECT count(*) AS held_out, (SELECT count(*) FROM clientele.offer_progress(:held_out, 47.60, unissued => true)) AS nor_unissued FROM clientele.offer_progress(:held_out, 47.60);
-- As the ledger and the look-up of the offer have it; one by one and all at once; by every kind of key.
CREATE TABLE baskets AS SELECT c AS customer_id, c * 1.37 AS basket FROM generate_series(1, 60) c;
CREATE TABLE progress AS SELECT b.*, p.* FROM baskets b CROSS JOIN LATERAL clientele.offer_progress(b.customer_id, b.basket) p;
SELECT count(*), count(*) FILTER (WHERE p.qualifies) AS qualify, bool_and(p.qualifies = (p.basket >= l.min_spend) AND p.gap = greatest(l.min_spend - p.basket, 0)
    AND (p.program, p.min_spend, p.reward, p.code, p.valid_until) = (l.program, l.min_spend, l.reward, l.code, l.valid_until)) AS as_the_ledger,
    (SELECT count(*) FROM shop.offer_ledger WHERE status = 'open') AS open FROM progress p JOIN shop.offer_ledger l USING (customer_id);
CREATE FUNCTION one_by_one() RETURNS SETOF progress LANGUAGE plpgsql AS $$
DECLARE b record;
BEGIN
    FOR b IN SELECT * FROM baskets LOOP
        RETURN QUERY EXECUTE format('SELECT %s, %s, p.* FROM clientele.offer_progress(%1$s, %2$s) p', b.customer_id, b.basket);
    END LOOP;
END $$;
SELECT count(*) AS differ FROM (SELECT * FROM progress EXCEPT SELECT * FROM one_by_one()) d;
SELECT count(*) AS differ FROM (SELECT * FROM progress EXCEPT SELECT b.*, p.* FROM baskets b, clientele.offer_progress(b.customer_id::text, b.basket, 'shop') p) d;
SELECT count(*) AS differ FROM (SELECT * FROM progress EXCEPT SELECT b.*, p.* FROM baskets b, clientele.offer_progress(b.customer_id, b.basket, unissued => true) p) d;
SELECT count(*) AS differ FROM (SELECT * FROM progress EXCEPT SELECT p.customer_id, p.basket, c.* FROM progress p, clientele.code_progress(p.code, p.basket) c) d;
SELECT gap, qualifies FROM clientele.code_progress(lower(replace(:'code', '-', ' - ')), 47.60, 'shop');
SELECT count(*) AS none FROM unnest('{22222-22222,what?,"",NULL}'::text[]) t, clientele.code_progress(t, 47.60);
SELECT count(*) AS unknown FROM unnest('{0,-1,99999999999,NULL}'::bigint[]) t, clientele.offer_progress(t, 47.60, unissued => true);
SELECT s AS statement, refusal(s) FROM unnest(ARRAY['SELECT clientele.offer_progress(1, NULL)', 'SELECT clientele.offer_progress(NULL::text, NULL)', 'SELECT clientele.offer_progress(1, -0.01)',
    'SELECT clientele.offer_progress(-1, -0.000001)', $$SELECT clientele.offer_progress(1, 'NaN')$$, $$SELECT clientele.offer_progress(1, 'infinity')$$, 'SELECT clientele.offer_progress(1, 1e13)',
    $$SELECT clientele.offer_progress('one', 5)$$, $$SELECT clientele.offer_progress('6f1ed002-ab5d-4f1c-8a1c-000000000001'::uuid, 5)$$, $$SELECT clientele.offer_progress(1, 5, 'nowhere')$$,
    'SELECT clientele.offer_progress(1, 5, unissued => NULL)', $$SELECT clientele.code_progress('22222-22222', NULL)$$, $$SELECT clientele.code_progress(NULL, -1)$$,
    $$SELECT clientele.code_progress('22222-22222', 5, 'nowhere')$$]) s;
SELECT count(*) - :exposures AS written FROM shop.ledger;
-- As drivers send their parameters: without a type, as varchar, as the smallest integer.
PREPARE untyped AS SELECT gap FROM clientele.offer_progress($1, $2, $3);
EXECUTE untyped(:a, 47.60, 'shop');
PREPARE typed(varchar, numeric, varchar) AS SELECT gap FROM clientele.offer_progress($1, $2, $3::name);
EXECUTE typed(:a, 47.60, 'shop');
PREPARE small(smallint, numeric) AS SELECT gap FROM clientele.offer_progress($1, $2);
EXECUTE small(:a, 47.60);
DEALLOCATE ALL;
-- A mailing: who holds a code.
SELECT count(*), bool_and((c.code, c.exposure_id) = (l.code, l.exposure_id)) AS right, (SELECT count(*) FROM shop.campaign WHERE code IS NOT NULL OR exposure_id IS NOT NULL) AS of
FROM shop.campaign c JOIN shop.offer_ledger l USING (customer_id);

-- Messages of its own: the one that was issued stays, whatever has become of the program.
SELECT clientele.alter_offer('shop', 'stretch', progress_message => 'Noch {gap} bis {min_spend}: {reward} gespart ({program}, {segment}, {currency})');
SELECT message FROM clientele.offer_progress(:a, 47.60);
SELECT clientele.withdraw_offer(exposure_id, 'shop') FROM shop.ledger WHERE customer_id = :a;
SELECT message FROM clientele.offer_progress(:a, 47.60, unissued => true);
SELECT count(*) FROM clientele.issue_offer(:a);
SELECT message FROM clientele.offer_progress(:a, 47.60);
SELECT clientele.drop_offer('shop', 'stretch');
SELECT message FROM clientele.offer_progress(:a, 47.60);
SELECT message FROM clientele.offer_progress(:a, 60);
SELECT clientele.define_offer('shop', 'stretch', 'grow_order_value', holdout => 0.2, progress_message => 'By {valid_until}: {gap} more');
SELECT clientele.withdraw_offer(exposure_id, 'shop') FROM shop.ledger WHERE customer_id = :f;
SELECT p.message = format('By %s: $12.40 more', to_char(clientele._last_day(p.valid_until, 'UTC'), 'YYYY-MM-DD')) AS last_day FROM clientele.offer_progress(:f, 47.60, unissued => true) p;
SELECT progress_message FROM shop.programs;
SELECT s, refusal(format('SELECT clientele.define_offer(%L, %L, %L, progress_message => %L)', 'shop', 'x', 'grow_order_value', s)) FROM unnest('{"{gaps} more","{gap","more}",NULL}'::text[]) s;
SELECT refusal($$SELECT clientele.define_offer('shop', 'x', 'grow_order_value', message => '{gap} more')$$);
SELECT code FROM shop.ledger WHERE customer_id = :a AND state = 'open' \gset
-- Currencies without decimals, or with three, and thresholds that are no rungs.
CREATE TABLE yen AS SELECT order_id, customer_id, ordered_at, amount * 100 AS amount FROM orders WHERE customer_id <= 2;
CREATE TABLE dinars AS SELECT order_id, customer_id, ordered_at, amount / 10 AS amount FROM orders WHERE customer_id <= 2;
SELECT clientele.create_store(s, orders => 'checkout.' || t, currency => c) FROM (VALUES ('yen_shop', 'yen', 'JPY'), ('dinar_shop', 'dinars', 'KWD')) v (s, t, c);
CALL clientele.refresh('yen_shop');
CALL clientele.refresh('dinar_shop');
SELECT clientele.define_offer(s, 'stretch', 'grow_order_value') FROM unnest('{yen_shop,dinar_shop}'::name[]) s;
SELECT count(*) FROM unnest('{yen_shop,dinar_shop}'::name[]) s, clientele.issue_offer(1, s);
SELECT b, min_spend, reward, gap, qualifies, message FROM unnest('{4711,4711.5,5999.99,6000}'::numeric[]) b, clientele.offer_progress(1, b, 'yen_shop');
SELECT b, min_spend, reward, gap, qualifies, message FROM unnest('{4.7111,5.9999,6}'::numeric[]) b, clientele.offer_progress(1, b, 'dinar_shop');
UPDATE yen_shop.ledger SET min_spend = 1000000000000000;
SELECT gap, qualifies FROM clientele.offer_progress(1, 1, 'yen_shop');
SELECT refusal('SELECT clientele.offer_progress(1, 5)');
SET clientele.store = 'shop';

-- ---- Codes at the till ----

-- The transaction of the order lives on, whatever speaks against the code.
BEGIN;
INSERT INTO orders (order_id, customer_id, ordered_at, amount) VALUES (1, :a, now(), 59.99), (2, :a, now(), 75), (3, :b, now(), 75), (5, :a, now() + interval '1 hour', 75),
    (6, :a, now() - interval '1 hour', 75), (7, :a, now() + interval '90 days', 75), (8, :a, now(), 80);
INSERT INTO orders VALUES (4, :a, now(), 75, 'pending');
SELECT o, t.redeemed, t.reason, t.program, t.order_value, t.reward, t.currency FROM unnest('{1,3,4,5,6,7,99}'::int[]) o, clientele.try_redeem_offer(:'code', o) t;
SELECT redeemed, reason, detail FROM clientele.try_redeem_offer('22222-22222', 2);
SAVEPOINT unplaced;
INSERT INTO orders (order_id, customer_id, ordered_at, amount) VALUES (21, :a, NULL, 75);
SELECT redeemed, reason FROM clientele.try_redeem_offer(:'code', 21);
ROLLBACK TO unplaced;
SELECT redeemed, reason, detail FROM clientele.try_redeem_offer(:'code', '99999999999999999999');
SELECT count(*) FILTER (WHERE state <> 'open') AS written FROM shop.ledger;
SELECT redeemed, reason, detail, program, customer_id = :'a' AS its_customer, order_id, order_value, reward, currency FROM clientele.try_redeem_offer(lower(:'code'), 2, 'shop');
SELECT redeemed, reason, detail LIKE 'By this very order, at %' AS detail FROM clientele.try_redeem_offer(:'code', 2);
SELECT redeemed, reason FROM clientele.try_redeem_offer(:'code', '8'::text);
COMMIT;
SELECT state, order_id FROM shop.ledger WHERE customer_id = :a ORDER BY period;
SELECT count(*) AS no_more_progress FROM clientele.offer_progress(:a, 5);
SELECT count(*) AS nor_by_code FROM clientele.code_progress(:'code', 5);
PREPARE untyped AS SELECT redeemed, reason FROM clientele.try_redeem_offer($1, $2, $3);
EXECUTE untyped(:'code', 8, 'shop');
DEALLOCATE untyped;
-- A second code for an order; what has ended or was withdrawn.
UPDATE shop.ledger SET customer_id = :a, period = 9 WHERE customer_id = :b;
SELECT code AS second FROM shop.ledger WHERE customer_id = :a AND period = 9 \gset
SELECT redeemed, reason, detail FROM clientele.try_redeem_offer(:'second', 2);
SELECT redeemed FROM clientele.try_redeem_offer(:'second', 8);
UPDATE shop.ledger SET issued_at = now() - interval '30 days', valid_until = now() - interval '2 hours' WHERE customer_id = :c;
SELECT code AS ended FROM shop.ledger WHERE customer_id = :c \gset
SELECT count(*) AS ended_is_no_progress FROM clientele.offer_progress(:c, 5), clientele.code_progress(:'ended', 5);
INSERT INTO orders VALUES (11, :c, now(), 75), (12, :d, now(), 75);
SELECT redeemed, reason FROM clientele.try_redeem_offer(:'ended', 11);
SELECT code AS withdrawn, clientele.withdraw_offer(exposure_id, 'shop') FROM shop.ledger WHERE customer_id = :d \gset
SELECT redeemed, reason FROM clientele.try_redeem_offer(:'withdrawn', 12);
-- What redeem_offer() raises is what the row says, and one answer where the code and the order are not known to be the same customer's.
SELECT t.reason, r.refusal, count(*) FROM unnest(ARRAY[:'code', :'second', :'ended', :'withdrawn', '22222-22222', 'what?']) c, unnest('{1,2,3,4,5,6,8,11,12,99}'::int[]) o,
    clientele.try_redeem_offer(c, o, 'shop') t, LATERAL (SELECT (regexp_match(refusal(format('SELECT clientele.redeem_offer(%L, %s, %L)', c, o, 'shop')), '^[^|]*[|][^|]*'))[1] AS refusal) r GROUP BY 1, 2 ORDER BY 1, 2;
SELECT s AS statement, refusal(s) FROM unnest(ARRAY['SELECT clientele.try_redeem_offer(NULL, 1)', $$SELECT clientele.try_redeem_offer('22222-22222', NULL::int)$$, $$SELECT clientele.try_redeem_offer('22222-22222', 'one')$$,
    $$SELECT clientele.try_redeem_offer('22222-22222', 1, 'nowhere')$$]) s;
-- While the store is detached the till goes on.
SELECT clientele.detach_store('shop');
SELECT redeemed, reason, detail FROM clientele.try_redeem_offer(:'withdrawn', 12, 'shop');
SELECT refusal(format('SELECT clientele.redeem_offer(%L, 12, %L)', :'withdrawn', 'shop'));
SELECT gap, qualifies FROM clientele.offer_progress(:e, 47.60, 'shop');
SELECT clientele.attach_store('shop');

-- ---- Clocks that are a little wrong ----

CREATE FUNCTION at_the_till(c int, off interval, edge text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text; id int := nextval('till');
BEGIN
    UPDATE shop.ledger SET issued_at = now() - interval '1 day', valid_until = now() + interval '1 day', state = 'open', closed_at = NULL, order_id = NULL WHERE customer_id = c;
    IF edge = 'issued' THEN UPDATE shop.ledger SET issued_at = now() WHERE customer_id = c;
    ELSIF edge = 'ends' THEN UPDATE shop.ledger SET valid_until = now() - interval '1 hour' WHERE customer_id = c; END IF;
    INSERT INTO orders VALUES (id, c, now() + off - CASE edge WHEN 'ends' THEN interval '1 hour' ELSE '0' END, 75);
    SELECT coalesce(t.reason, 'redeemed') INTO result FROM shop.ledger l, clientele.try_redeem_offer(l.code, id, 'shop') t WHERE l.customer_id = c;
    RETURN result;
END $$;
CREATE SEQUENCE till START 500000;
CREATE TABLE clocks AS SELECT edge, off FROM unnest('{now,issued,ends}'::text[]) edge, unnest('{-61 s,-59 s,-1 us,0,59 s,61 s}'::interval[]) off;
SELECT edge, string_agg(off || ' ' || at_the_till(:e, off, edge), ', ' ORDER BY off) FROM clocks GROUP BY edge ORDER BY edge;
SELECT clientele.alter_store('shop', clock_tolerance => '0');
SELECT edge, string_agg(off || ' ' || at_the_till(:e, off, edge), ', ' ORDER BY off) FROM clocks GROUP BY edge ORDER BY edge;
-- What was redeemed so stands, whatever is done to the tolerance and to the order, as long as it is worth enough; settling knows no tolerance.
SELECT clientele.alter_store('shop', clock_tolerance => '1 minute');
SELECT clientele.set_live('shop', true);
SELECT at_the_till(:e, '30 s', 'now');
SELECT clientele.alter_store('shop', clock_tolerance => '0');
UPDATE orders SET amount = 76 WHERE order_id = currval('till');
CALL clientele.settle_offers('shop');
SELECT status, order_value FROM shop.offer_ledger WHERE customer_id = :e;
UPDATE orders SET amount = 1 WHERE order_id = currval('till');
SELECT status FROM shop.offer_ledger WHERE customer_id = :e;
UPDATE shop.ledger SET issued_at = now(), valid_until = now() + interval '1 day', state = 'open', closed_at = NULL, order_id = NULL WHERE customer_id = :e;
DELETE FROM orders WHERE customer_id = :e;
INSERT INTO orders VALUES (600000, :e, now() - interval '10 s', 75);
CALL clientele.settle_offers('shop');
SELECT status FROM shop.offer_ledger WHERE customer_id = :e;

SELECT clientele.drop_store(s, force => true) FROM unnest('{shop,yen_shop,dinar_shop}'::name[]) s;
DROP SCHEMA checkout CASCADE;
