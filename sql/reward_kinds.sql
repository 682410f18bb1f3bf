-- Rewards that are no amount: free delivery and gifts, which cost what they cost.
\pset format unaligned
SET client_min_messages = warning;
CREATE SCHEMA kinds;
SET search_path = kinds;
CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws('|', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric);
CREATE INDEX ON orders (customer_id);
-- Customers of 40, and of 400 from the 21st on.
INSERT INTO orders SELECT 1000 * c + n, c, now() - n * interval '8 days', CASE WHEN c <= 20 THEN 40 ELSE 400 END FROM generate_series(1, 40) c, generate_series(1, 4) n;
SELECT clientele.create_store('shop', orders => 'kinds.orders', margin => 0.30);
CALL clientele.refresh('shop');

-- Half the margin of 30 % on the extra 20 is 3.00; on the extra 200 it is 30.00. The profit rule is the same, and nothing is given in part.
SELECT clientele.define_offer('shop', 'mug', 'grow_order_value', reward_kind => 'gift', reward_cost => 3, gift => 'a mug', budget => 200);
SELECT min_spend, reward, reward_kind, message, reasons, count(*) FROM shop.offers GROUP BY 1, 2, 3, 4, 5 ORDER BY 1;
SELECT explanation FROM clientele.explain_offer(1);
SELECT customers, gains, loses, changes, unchanged, greatest_cost_before, greatest_cost_after FROM clientele.preview_offer('shop', 'mug', 'grow_order_value', reward_kind => 'gift', reward_cost => 3.01, gift => 'a mug', budget => 200) WHERE segment IS NULL;
SELECT clientele.define_offer('shop', 'mug', 'grow_order_value', reward_kind => 'gift', reward_cost => 4.5, gift => 'a mug', budget => 200);
SELECT status, reasons[1] AS reason, min_spend, reward, count(*) FROM shop.offer_decisions GROUP BY 1, 2, 3, 4 ORDER BY 3;
SELECT explanation FROM clientele.explain_offer(1);
SELECT gap, qualifies, reward, message FROM clientele.offer_progress(21, 500, unissued => true);

-- Issued, reserved, redeemed by code and by the orders, taken back: at its cost.
CALL clientele.issue_offers('shop');
SELECT reward_kind, reward, message, count(*) FROM shop.offer_ledger GROUP BY 1, 2, 3;
SELECT budget, reserved, spent, remaining FROM shop.budget_status;
SELECT gap, qualifies, reward, message FROM clientele.offer_progress(21, 500);
SELECT gap, qualifies, reward, message FROM clientele.offer_progress(21, 600);
INSERT INTO orders VALUES (1, 21, now(), 650), (2, 22, now(), 650), (3, 23, now(), 599);
SELECT code FROM shop.offer_ledger WHERE customer_id = 21 \gset
SELECT redeemed, order_value, reward FROM clientele.try_redeem_offer(:'code', 1);
CALL clientele.settle_offers('shop');
SELECT budget, reserved, spent, remaining FROM shop.budget_status;
SELECT clientele.void_redemption(1);
SELECT budget, reserved, spent, remaining FROM shop.budget_status;
-- Another kind is a new version: what was issued keeps its terms, and its name.
SELECT clientele.alter_offer('shop', 'mug', gift => 'two mugs');
SELECT message FROM clientele.offer_progress(23, 500);
SELECT clientele.alter_offer('shop', 'mug', reward_kind => 'free_shipping', reward_cost => 4);
SELECT version, reward_kind, reward_cost, gift, reward_rate FROM shop.programs;
SELECT message, reward_kind FROM clientele.personalized_offer(23);
SELECT message FROM clientele.offer_progress(23, 500);
SELECT message, reward, reward_kind FROM clientele.personalized_offer(22);
SELECT message FROM clientele.offer_progress(22, 500, unissued => true);
SELECT clientele.alter_offer('shop', 'mug', message => 'Free: {reward} from {min_spend}', arms => '[{"stretch": 1.3}, {"stretch": 1.6}]');
SELECT DISTINCT message, variant, reward FROM shop.offers o WHERE NOT EXISTS (SELECT FROM shop.ledger l WHERE l.customer_id = o.customer_id AND l.state = 'open') ORDER BY 2;
SELECT clientele.alter_offer('shop', 'mug', reward_kind => 'amount_off');
SELECT version, reward_kind, reward_cost, gift, reward_rate FROM shop.programs;
SELECT clientele.alter_offer('shop', 'mug', reward_kind => 'gift', reward_cost => 2, gift => 'a pen');
-- Definitions go to another store and come back.
SELECT d -> 'programs' -> 0 -> 'reward_kind' AS kind, d -> 'programs' -> 0 -> 'reward_cost' AS cost, d -> 'programs' -> 0 -> 'gift' AS gift FROM clientele.export_definitions('shop') d;
SELECT clientele.create_store('copy', orders => 'kinds.orders');
CALL clientele.refresh('copy');
SELECT kind, name, action FROM clientele.apply_definitions('copy', clientele.export_definitions('shop'));
SELECT clientele.export_definitions('copy') = clientele.export_definitions('shop') AS same, (SELECT count(*) FROM clientele.apply_definitions('copy', clientele.export_definitions('shop'))) AS again;
SELECT clientele.drop_store('copy');

-- Refused.
SELECT t, refusal(format('SELECT clientele.define_offer(%L, %L, %L, %s)', 'shop', 'x', 'grow_order_value', t)) FROM unnest(ARRAY['reward_kind => ''voucher''', 'reward_kind => NULL', 'reward_kind => ''percent_off''',
    'reward_kind => ''gift'', reward_cost => 3', 'reward_kind => ''gift'', reward_cost => 3, gift => '' ''', 'reward_kind => ''gift'', gift => ''a mug''', 'reward_kind => ''free_shipping''',
    'reward_kind => ''free_shipping'', reward_cost => 0', 'reward_kind => ''free_shipping'', reward_cost => -1', 'reward_kind => ''free_shipping'', reward_cost => 0.001', 'reward_kind => ''free_shipping'', reward_cost => ''NaN''',
    'reward_kind => ''free_shipping'', reward_cost => 4, gift => ''a mug''', 'reward_kind => ''free_shipping'', reward_cost => 4, reward_rate => 0.05', 'reward_kind => ''free_shipping'', reward_cost => 4, max_reward => 5',
    'reward_kind => ''free_shipping'', reward_cost => 4, arms => ''[{"reward_rate": 0.1}]''', 'reward_cost => 4', 'gift => ''a mug''']) t;
-- What is explored and learnt is what amounts do.
SELECT t, refusal(format('SELECT clientele.define_offer(%L, %L, %L, reward_kind => ''free_shipping'', reward_cost => 2, holdout => 0.1, disclosure => ''x'', %s)', 'shop', 'x', 'grow_order_value', t)) FROM unnest(ARRAY['explore => ''{"share": 0.2, "stretch": [1.3, 1.9], "reward_rate": [0.02, 0.06]}''',
    'terms => ''learned''', 'arms => ''[{"terms": "learned"}, {"terms": "stretch"}]''']) t;
SELECT refusal($$SELECT clientele.alter_offer('shop', 'mug', explore => '{"share": 0.2, "stretch": [1.3, 1.9], "reward_rate": [0.02, 0.06]}')$$);
SELECT left(refusal($$SELECT clientele.fit_response('shop', now() - interval '30 days', now() + interval '1 day', force => true)$$), 77) AS refused;
-- Looking back: what the mug would have cost, and for whom there is a consent.
SELECT offered, refusals, greatest_cost > 0 AS costs FROM clientele.backtest_offer('shop', 'mug', 'grow_order_value', reward_kind => 'gift', reward_cost => 3, gift => 'a mug', "from" => now() - interval '20 days') WHERE segment IS NULL AND step_at IS NULL;
SELECT offered, refusals FROM clientele.backtest_offer('shop', 'mug', 'grow_order_value', reward_kind => 'gift', reward_cost => 3, gift => 'a mug', consent => 'customer_id > 10', "from" => now() - interval '20 days') WHERE segment IS NULL AND step_at IS NULL;
SELECT count(*) AS programs FROM shop.programs;
DROP SCHEMA kinds CASCADE;
SELECT clientele.drop_store('shop', force => true);
