-- Rewards that grow with the order: percentages with a cap, and tiers.
\pset format unaligned
SET client_min_messages = warning;
CREATE SCHEMA tiers;
SET search_path = tiers;
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
-- Customers of 50, from the 21st on of 3, from the 31st on of 400.
INSERT INTO orders SELECT 1000 * c + n, c, now() - n * interval '8 days', CASE WHEN c <= 20 THEN 50 WHEN c <= 30 THEN 3 ELSE 400 END FROM generate_series(1, 40) c, generate_series(1, 4) n;
SELECT clientele.create_store('shop', orders => 'tiers.orders', margin => 0.30);
CALL clientele.refresh('shop');
-- What is left of a budget, by its slots and what is owed to them, is what the ledger says.
CREATE VIEW left_over AS SELECT s.program, s.budget, s.reserved, s.spent, s.remaining, s.remaining = (SELECT sum(b.available) FROM shop.budgets b WHERE b.program = s.program) + coalesce((SELECT sum(l.owed) FROM shop.ledger l WHERE l.program = s.program), 0) AS exact,
    (SELECT sum(l.owed) FROM shop.ledger l WHERE l.program = s.program) AS owed FROM shop.budget_status s;

-- Tiers: half the margin of 30 % bounds each; rungs that are the same, and rewards that are no greater, are one tier.
SELECT clientele.define_offer('shop', 'steps', 'grow_order_value', tiers => '[{"stretch": 1.4, "reward_rate": 0.04}, {"stretch": 1.8, "reward_rate": 0.06}, {"stretch": 2.4, "reward_rate": 0.07}]', budget => 1000);
SELECT stretch, reward_rate, tiers FROM shop.programs;
SELECT min_spend, reward, reward_kind, message, tiers, reasons, count(*) FROM shop.offers GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1;
SELECT explanation FROM clientele.explain_offer(1) UNION ALL SELECT explanation FROM clientele.explain_offer(21);
SELECT basket, p.min_spend, p.reward, p.gap, p.qualifies, p.message, p.next_min_spend, p.next_reward, p.next_gap FROM unnest('{0,69.99,70,89.999,90,119,125,1000000000000}'::numeric[]) basket, clientele.offer_progress(1, basket, unissued => true) p;
SELECT status, count(*), sum(customers) AS customers, sum(greatest_cost) AS greatest_cost FROM shop.offer_summary GROUP BY 1;
SELECT customers, gains, loses, changes, unchanged, greatest_cost_before, greatest_cost_after FROM clientele.preview_offer('shop', 'steps', 'grow_order_value', stretch => 1.4, reward_rate => 0.04, budget => 1000) WHERE segment IS NULL;
-- The views, the look-up and decisions agree.
SELECT count(*) AS differ FROM shop.offers v JOIN LATERAL clientele.personalized_offer(v.customer_id) o ON true WHERE (o.min_spend, o.reward, o.message, o.tiers) IS DISTINCT FROM (v.min_spend, v.reward, v.message, v.tiers);

-- A budget reserves the greatest; an order is paid the highest that it reaches, and the rest is free at once.
CALL clientele.issue_offers('shop', 'steps');
SELECT * FROM left_over;
SELECT tiers, reward, cost, count(*) FROM shop.ledger WHERE holdout IS NULL GROUP BY 1, 2, 3 ORDER BY 2;
INSERT INTO orders VALUES (1, 1, now(), 70), (2, 2, now(), 99.99), (3, 3, now(), 125), (4, 4, now(), 69.99), (5, 5, now(), 500), (6, 6, now(), 95), (7, 7, now(), 100);
SELECT code AS code1 FROM shop.offer_ledger WHERE customer_id = 1 \gset
SELECT code AS code2 FROM shop.offer_ledger WHERE customer_id = 2 \gset
SELECT code AS code3 FROM shop.offer_ledger WHERE customer_id = 3 \gset
SELECT code AS code4 FROM shop.offer_ledger WHERE customer_id = 4 \gset
SELECT order_value, reward FROM clientele.redeem_offer(:'code1', 1);
SELECT * FROM left_over;
SELECT redeemed, reason, order_value, reward FROM clientele.try_redeem_offer(:'code2', 2);
SELECT redeemed, reason, order_value, reward FROM clientele.try_redeem_offer(:'code3', 3);
SELECT redeemed, reason, order_value FROM clientele.try_redeem_offer(:'code4', 4);
SELECT * FROM left_over;
SELECT remaining FROM shop._budgets;
-- By settling, too; what was owed is given back to the slots.
CALL clientele.settle_offers('shop');
SELECT * FROM left_over;
SELECT customer_id, status, order_value, reward, reward_paid FROM shop.offer_ledger WHERE customer_id <= 7 ORDER BY 1;
-- What was cancelled frees what it cost.
SELECT clientele.void_redemption(5), clientele.void_redemption(1);
SELECT * FROM left_over;
SELECT clientele.withdraw_offer(exposure_id) FROM shop.offer_ledger WHERE customer_id = 8;
SELECT * FROM left_over;
-- A redemption by code, and then its customer is forgotten before anybody settles: nothing is owed to the budget any more, and it has it.
INSERT INTO orders VALUES (9, 9, now(), 71), (10, 10, now(), 71);
SELECT code AS code9 FROM shop.offer_ledger WHERE customer_id = 9 \gset
SELECT code AS code10 FROM shop.offer_ledger WHERE customer_id = 10 \gset
SELECT reward FROM clientele.redeem_offer(:'code9', 9) UNION ALL SELECT reward FROM clientele.redeem_offer(:'code10', 10);
SELECT * FROM left_over;
SELECT clientele.forget_customer(9);
SELECT * FROM left_over;
-- Another budget counts what is owed once; as does one after none.
SELECT clientele.alter_offer('shop', 'steps', budget => 900);
SELECT * FROM left_over;
INSERT INTO orders VALUES (11, 11, now(), 71);
SELECT code AS code11 FROM shop.offer_ledger WHERE customer_id = 11 \gset
SELECT reward FROM clientele.redeem_offer(:'code11', 11);
SELECT clientele.alter_offer('shop', 'steps', reset => '{budget}');
SELECT clientele.alter_offer('shop', 'steps', budget => 860);
SELECT * FROM left_over;
CALL clientele.settle_offers('shop');
SELECT * FROM left_over;
-- Who issues from a budget that looks spent finds what is owed to it.
SELECT clientele.alter_offer('shop', 'steps', budget => (SELECT reserved + spent FROM shop.budget_status));
INSERT INTO orders VALUES (12, 12, now(), 71), (19, 19, now(), 71);
SELECT l.customer_id, r.reward FROM shop.offer_ledger l, clientele.redeem_offer(l.code, l.customer_id) r WHERE l.customer_id IN (12, 19) ORDER BY 1;
SELECT program, remaining > 0 AS has_some FROM shop._budgets;
SELECT min_spend, reward, tiers FROM clientele.issue_offer(8);
SELECT * FROM left_over;
-- What cost what is what the margin loses.
SELECT sum(reward_paid) AS paid, (SELECT spent FROM shop.budget_status) - (SELECT sum(rewards) FROM shop.forgotten) AS spent FROM shop.offer_ledger;

-- Percentages: whole percents where half the margin allows less; they grow with the order up to the cap, which a budget reserves.
SELECT clientele.define_offer('shop', 'percent', 'grow_order_value', reward_kind => 'percent_off', reward_rate => 0.06, reward_cap => 12, priority => 1, budget => 500);
SELECT min_spend, reward, reward_kind, message, tiers, reasons, count(*) FROM shop.offers WHERE program = 'percent' GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1;
SELECT program, status, regexp_replace(explanation, 'until [-0-9]+ [:0-9]+', 'until ...') FROM (SELECT * FROM clientele.explain_offer(31, program => 'percent') UNION ALL SELECT * FROM clientele.explain_offer(18, program => 'percent')) e;
CALL clientele.settle_offers('shop');
UPDATE orders SET ordered_at = ordered_at - interval '1 hour';
SELECT clientele.withdraw_offer(exposure_id) FROM shop.offer_ledger WHERE status = 'open' AND customer_id IN (13, 14, 15, 16, 31, 32, 33) ORDER BY exposure_id;
SELECT o.customer_id, (clientele.issue_offer(o.customer_id)).message FROM unnest('{13,14,15,16,31,32,33}'::int[]) o (customer_id);
SELECT * FROM left_over ORDER BY 1;
SELECT basket, p.reward, p.gap, p.qualifies, p.message, p.next_min_spend FROM unnest('{0,69.99,70,99.99,100,500,1000}'::numeric[]) basket, clientele.offer_progress(13, basket) p;
INSERT INTO orders VALUES (13, 13, now(), 99.99), (14, 14, now(), 1000), (15, 15, now(), 70);
SELECT code AS code13 FROM shop.offer_ledger WHERE customer_id = 13 AND status = 'open' \gset
SELECT order_value, reward FROM clientele.redeem_offer(:'code13', 13);
SELECT * FROM left_over WHERE program = 'percent';
CALL clientele.settle_offers('shop');
SELECT customer_id, status, order_value, reward, reward_paid, reward_kind FROM shop.offer_ledger WHERE program = 'percent' ORDER BY 1;
SELECT * FROM left_over WHERE program = 'percent';
SELECT status, explanation LIKE '%open until%: "Spend $70 or more and get 4 % off, up to $12.00".%' AS in_its_words FROM clientele.explain_offer(16, program => 'percent');
-- Both: tiers of percentages; messages of one's own.
SELECT clientele.alter_offer('shop', 'percent', tiers => '[{"stretch": 1.4, "reward_rate": 0.03}, {"stretch": 2, "reward_rate": 0.06}]', message => '{tiers}; {reward} from {min_spend}, at most {most}', progress_message => '{gap}: {reward} of {min_spend}, at most {most}');
SELECT stretch, reward_rate, reward_cap, tiers FROM shop.programs WHERE program = 'percent';
SELECT o.min_spend, o.reward, o.message, o.tiers FROM clientele.personalized_offer(17, program => 'percent') o WHERE o.program = 'percent';
SELECT clientele.withdraw_offer(exposure_id) FROM shop.offer_ledger WHERE status = 'open' AND customer_id IN (17, 34, 35);
SELECT o.min_spend, o.reward, o.message, o.tiers FROM clientele.personalized_offer(17) o;
SELECT basket, p.reward, p.gap, p.qualifies, p.message, p.next_min_spend, p.next_reward, p.next_gap FROM unnest('{50,70,99,100,300}'::numeric[]) basket, clientele.offer_progress(17, basket, unissued => true) p;
-- Offers that were issued keep their terms and their words.
SELECT message, tiers FROM clientele.personalized_offer(16);
SELECT message FROM clientele.offer_progress(16, 60);
-- Arms: with and without tiers.
SELECT clientele.alter_offer('shop', 'percent', reset => '{tiers}', arms => '[{"name": "one"}, {"name": "two", "tiers": [{"stretch": 1.4, "reward_rate": 0.03}, {"stretch": 2, "reward_rate": 0.05}]}]');
SELECT variant, jsonb_array_length(tiers) AS tiers, count(*) FROM shop.offer_decisions WHERE program = 'percent' AND status = 'offered' AND customer_id IN (SELECT c FROM generate_series(1, 40) c EXCEPT SELECT customer_id FROM shop.ledger WHERE state = 'open') GROUP BY 1, 2 ORDER BY 1;
SELECT stretch, reward_rate FROM shop.programs WHERE program = 'percent';

-- Definitions go to another store and come back.
SELECT clientele.alter_offer('shop', 'percent', reset => '{arms}', tiers => '[{"stretch": 1.5, "reward_rate": 0.03}, {"stretch": 2, "reward_rate": 0.05}]');
SELECT p ->> 'program' AS program, p -> 'reward_cap' AS cap, p -> 'tiers' AS tiers, p -> 'stretch' AS stretch FROM jsonb_array_elements(clientele.export_definitions('shop') -> 'programs') p;
SELECT clientele.create_store('copy', orders => 'tiers.orders');
CALL clientele.refresh('copy');
SELECT kind, name, action FROM clientele.apply_definitions('copy', clientele.export_definitions('shop'));
SELECT clientele.export_definitions('copy') = clientele.export_definitions('shop') AS same, (SELECT count(*) FROM clientele.apply_definitions('copy', clientele.export_definitions('shop'))) AS again;
SELECT clientele.drop_store('copy');
-- Changing them is a new version; what is left of tiers that are taken away is the first.
SELECT version, definition -> 'tiers' AS tiers, definition -> 'reward_kind' AS kind FROM shop.program_versions WHERE program = 'percent' ORDER BY 1;
SELECT clientele.alter_offer('shop', 'percent', reset => '{tiers}');
SELECT stretch, reward_rate, tiers FROM shop.programs WHERE program = 'percent';
-- Looking back: an order is paid what it reached.
SELECT offered, natural_qualifiers, greatest_cost, natural_cost FROM clientele.backtest_offer('shop', 'x', 'grow_order_value', tiers => '[{"stretch": 1.2, "reward_rate": 0.02}, {"stretch": 1.4, "reward_rate": 0.03}]', "from" => now() - interval '20 days') WHERE segment IS NULL AND step_at IS NULL;

-- Refused.
SELECT t, refusal(format('SELECT clientele.define_offer(%L, %L, %L, %s)', 'shop', 'x', 'grow_order_value', t)) FROM unnest(ARRAY[
    'reward_kind => ''percent_off''', 'reward_kind => ''percent_off'', reward_cap => 10, reward_rate => 1', 'reward_kind => ''percent_off'', reward_cap => 10, reward_rate => 100', 'reward_kind => ''percent_off'', reward_cap => 10, reward_rate => 0',
    'reward_kind => ''percent_off'', reward_cap => 0', 'reward_kind => ''percent_off'', reward_cap => 1.005', 'reward_kind => ''percent_off'', reward_cap => ''NaN''', 'reward_kind => ''percent_off'', reward_cap => 10, max_reward => 5', 'reward_cap => 10',
    'reward_kind => ''percent_off'', reward_cap => 10, reward_cost => 3', 'reward_kind => ''percent_off'', reward_cap => 10, gift => ''a mug''', 'reward_kind => ''percent_off'', reward_cap => 10, terms => ''learned''',
    'reward_kind => ''percent_off'', reward_cap => 10, arms => ''[{"reward_rate": 1}]''',
    'tiers => ''[]''', 'tiers => ''{}''', 'tiers => ''3''', 'tiers => ''[1]''', 'tiers => ''[{"stretch": 1.4}]''', 'tiers => ''[{"reward_rate": 0.05}]''', 'tiers => ''[{"stretch": 1.4, "reward_rate": 1.5}]''', 'tiers => ''[{"stretch": 1, "reward_rate": 0.05}]''',
    'tiers => ''[{"stretch": 1.4, "reward_rate": 0.05}, {"stretch": 1.4, "reward_rate": 0.07}]''', 'tiers => ''[{"stretch": 1.8, "reward_rate": 0.05}, {"stretch": 1.4, "reward_rate": 0.07}]''', 'tiers => ''[{"stretch": 1.4, "reward_rate": 0.07}, {"stretch": 1.8, "reward_rate": 0.05}]''',
    'tiers => ''[{"stretch": 1.2, "reward_rate": 0.01}, {"stretch": 1.4, "reward_rate": 0.02}, {"stretch": 1.6, "reward_rate": 0.03}, {"stretch": 1.8, "reward_rate": 0.04}]''', 'tiers => ''[{"stretch": 1.4, "reward_rate": 0.05, "gift": "a mug"}]''',
    'tiers => ''[{"stretch": 1.4, "reward_rate": 0.05}]'', stretch => 1.5', 'tiers => ''[{"stretch": 1.4, "reward_rate": 0.05}]'', reward_rate => 0.06', 'tiers => ''[{"stretch": 1.4, "reward_rate": 0.05}]'', terms => ''spread''',
    'tiers => ''[{"stretch": 1.4, "reward_rate": 0.05}]'', explore => ''{"share": 0.2, "stretch": [1.3, 1.9], "reward_rate": [0.02, 0.06]}''', 'tiers => ''[{"stretch": 1.4, "reward_rate": 0.05}]'', reward_kind => ''gift'', reward_cost => 3, gift => ''a mug''',
    'arms => ''[{"tiers": [{"stretch": 1.4, "reward_rate": 0.05}], "stretch": 1.6}]''', 'message => ''{tier}''', 'progress_message => ''{tiers}''']) t;
SELECT refusal($$SELECT clientele.define_offer('shop', 'x', 'win_back', tiers => '[{"stretch": 1.4, "reward_rate": 0.05}]')$$);
SELECT refusal($$SELECT clientele.alter_offer('shop', 'steps', stretch => 1.5)$$), refusal($$SELECT clientele.alter_offer('shop', 'steps', reward_rate => 0.05)$$), refusal($$SELECT clientele.alter_offer('shop', 'steps', reward_kind => 'free_shipping', reward_cost => 2)$$);
SELECT refusal($$SELECT clientele.offer_progress(1, NULL)$$), refusal($$SELECT clientele.offer_progress(1, -1)$$);
DROP SCHEMA tiers CASCADE;
SELECT clientele.drop_store('shop', force => true);

-- Currencies without decimals, and with three; amounts of 10^12.
CREATE SCHEMA tiers;
SET search_path = tiers;
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric);
INSERT INTO orders SELECT 1000 * c + n, c, now() - n * interval '8 days', CASE c WHEN 1 THEN 5000 WHEN 2 THEN 3 ELSE 1000000000000 END FROM generate_series(1, 3) c, generate_series(1, 4) n;
SELECT clientele.create_store('yen', orders => 'tiers.orders', currency => 'JPY');
CALL clientele.refresh('yen');
SELECT clientele.define_offer('yen', 'percent', 'grow_order_value', reward_kind => 'percent_off', reward_cap => 500, tiers => '[{"stretch": 1.4, "reward_rate": 0.025}, {"stretch": 1.9, "reward_rate": 0.055}]');
SELECT c, o.min_spend, o.reward, o.message, o.tiers FROM generate_series(1, 3) c LEFT JOIN LATERAL clientele.personalized_offer(c) o ON true;
SELECT basket, p.reward, p.gap, p.message, p.next_reward, p.next_gap FROM unnest('{1,6999.5,7000,7039,7999,1000000,9999999999999.9999}'::numeric[]) basket, clientele.offer_progress(1, basket, unissued => true) p;
SELECT clientele.drop_store('yen');
SELECT clientele.create_store('dinar', orders => 'tiers.orders', currency => 'KWD');
CALL clientele.refresh('dinar');
SELECT clientele.define_offer('dinar', 'steps', 'grow_order_value', tiers => '[{"stretch": 1.4, "reward_rate": 0.04}, {"stretch": 3, "reward_rate": 0.06}, {"stretch": 100, "reward_rate": 0.06}]');
SELECT c, o.min_spend, o.reward, o.message, o.tiers FROM generate_series(1, 3) c LEFT JOIN LATERAL clientele.personalized_offer(c) o ON true;
SELECT basket, p.reward, p.gap, p.next_min_spend, p.next_reward, p.next_gap FROM unnest('{0,5,9.999,10,300}'::numeric[]) basket, clientele.offer_progress(2, basket, unissued => true) p;
SELECT clientele.drop_store('dinar');
-- Of many customers, each with tiers of its own: what is remembered of some is not told of others.
TRUNCATE orders;
INSERT INTO orders SELECT 10 * c + n, c, now() - n * interval '8 days', 20 + c * 0.37 FROM generate_series(1, 3000) c, generate_series(1, 4) n;
SELECT clientele.create_store('many', orders => 'tiers.orders', margin => 0.08);
CALL clientele.refresh('many');
SELECT clientele.define_offer('many', 'steps', 'grow_order_value', tiers => '[{"stretch": 1.4, "reward_rate": 0.2}, {"stretch": 2, "reward_rate": 0.2}]');
SELECT count(*), count(DISTINCT tiers) > 1000 AS many, bool_and(tiers -> 0 = jsonb_build_object('min_spend', min_spend, 'reward', reward)) AS first_right,
    bool_and(jsonb_array_length(tiers) = 2 AND (tiers -> 1 ->> 'reward')::numeric = trunc(0.04 * ((tiers -> 1 ->> 'min_spend')::numeric - reference_value), 2)) AS second_right FROM many.offers;
SELECT clientele.drop_store('many');
DROP SCHEMA tiers CASCADE;
