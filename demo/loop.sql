-- The rest of the loop, on the shop of generate.sql: issue, check out, let a month pass, settle, measure, learn. Called by demo.sql.

\echo '== 9. The loop: offers issued, redeemed, measured, learnt from ===================================='
\echo
\echo 'What if basket-stretch asked for more, or gave more? Before anything changes:'
\echo
\set ECHO queries
SELECT segment, customers, gains, loses, changes, unchanged, greatest_cost_before AS "cost before", greatest_cost_after AS "after"
FROM clientele.preview_offer('shop', 'basket-stretch', 'grow_order_value', stretch => 1.6, reward_rate => 0.08, holdout => 0.2);
\set ECHO none
\echo 'Better to find out than to guess: three arms, a fifth of the customers held out, and a budget.'
\echo
\o /dev/null
\set ECHO queries
SELECT clientele.define_offer('shop', 'basket-stretch', 'grow_order_value', holdout => 0.2, budget => 40000, max_per_customer => 6,
    arms => '[{"name": "gentle", "stretch": 1.2, "reward_rate": 0.05, "weight": 0.34},
              {"name": "usual",  "stretch": 1.4, "reward_rate": 0.05, "weight": 0.33},
              {"name": "bold",   "stretch": 1.7, "reward_rate": 0.08, "weight": 0.33}]',
    message => 'Spend {min_spend} or more, get {reward} off');
CALL clientele.issue_offers('shop', 'basket-stretch');
\set ECHO none
\o
\echo
SELECT status, variant, count(*) AS customers, round(avg(min_spend), 2) AS "mean threshold", round(avg(reward), 2) AS "mean reward"
FROM shop.exposures GROUP BY status, variant ORDER BY status DESC, min(min_spend / reference_value);
\echo 'Customers 101 and 102, too, were drawn into an arm, so that what they are asked for now may differ from what was explained above;'
\echo 'explain_offer says from now on what stands open.'
\echo
SELECT customer_id, variant, code, message, last_day FROM shop.offer_ledger WHERE customer_id IN (101, 102) ORDER BY customer_id;

-- Somebody who is asked for $60: who has the lowest number.
SELECT customer_id AS buyer FROM shop.offer_ledger WHERE min_spend = 60 AND status = 'open' ORDER BY customer_id LIMIT 1 \gset
\echo 'At the checkout. Which products go together is learnt from the orders:'
\echo
\set ECHO queries
SELECT version, orders, products, pairs FROM clientele.learn_affinity('shop');
\set ECHO none
SELECT sum(price) AS value, array_agg(product_id ORDER BY product_id) AS basket, string_agg(name, ', ' ORDER BY product_id) AS names
FROM products WHERE name IN ('Tomatoes', 'Potatoes', 'Mozzarella', 'Ciabatta', 'Olive oil', 'Lasagne', 'Olives', 'Tortilla chips') \gset
\echo Customer :buyer has a basket of $:value:
\echo '   ' :names
\echo 'What is missing, and what would fill the gap?'
\echo
\set ECHO queries
SELECT min_spend, gap, qualifies, message FROM clientele.offer_progress(:buyer, :value);
SELECT names, price, overshoot, reasons
FROM clientele.suggest_fill(:buyer, :'basket', gap => 60 - :value, most => 2);
\set ECHO none
SELECT price AS added FROM clientele.suggest_fill(:buyer, :'basket', gap => 60 - :value, most => 1) \gset
\echo 'With the first of them the basket has its reward:'
\echo
\set ECHO queries
SELECT qualifies, reward, message FROM clientele.offer_progress(:buyer, :value + :added);
\set ECHO none
\ir rewards.sql

-- A demo can't wait: the month lies between today and a ledger, and a history, that are set back. Never do this to a real one.
UPDATE shop.ledger SET issued_at = issued_at - interval '31 days', valid_until = valid_until - interval '31 days';
UPDATE shop.segment_membership SET valid_from = valid_from - interval '31 days';

-- A month of orders. Everybody who was enrolled comes back now and then and spends about as usual. Who saw an offer comes somewhat
-- more often; and of those who would have spent less than it asks for, some add to the basket: the fewer, the more there is to add.
INSERT INTO orders (order_id, customer_id, ordered_at, status, amount)
SELECT (SELECT max(order_id) FROM orders) + row_number() OVER (ORDER BY o.exposure_id, o.nth), o.customer_id, o.ordered_at, 'completed',
       CASE WHEN o.holdout IS NULL AND o.usual < o.min_spend AND o.ordered_at < o.valid_until
                 AND o.whim < 0.9 * exp(-(o.min_spend - o.usual) / (0.5 * o.reference_value)) * (0.6 + 8 * o.reward / o.min_spend)
            THEN o.min_spend + round((3 * o.whim)::numeric, 2) ELSE o.usual END
FROM (SELECT l.exposure_id, l.customer_id, l.holdout, l.min_spend, l.reward, l.reference_value, l.valid_until, nth,
             l.issued_at + make_interval(secs => 30 * 86400 * clientele.bucket('day ' || nth, l.customer_id::text)) AS ordered_at,
             clientele.bucket('whim ' || nth, l.customer_id::text) AS whim,
             round(l.reference_value * (0.6 + 0.8 * clientele.bucket('basket ' || nth, l.customer_id::text))::numeric, 2) AS usual
      FROM shop.ledger AS l CROSS JOIN generate_series(1, 3) AS nth
      WHERE clientele.bucket('comes ' || nth, l.customer_id::text) < CASE WHEN l.holdout IS NULL THEN 0.52 ELSE 0.45 END) AS o;
ANALYZE orders;

\echo 'A month of simulated orders later (who saw an offer comes a little more often, and some add to the basket):'
\echo
\o /dev/null
\set ECHO queries
CALL clientele.refresh('shop');
CALL clientele.settle_offers('shop');
\set ECHO none
\o
\echo
\set ECHO queries
SELECT program, budget, reserved, spent, remaining, open_offers, redeemed_offers FROM shop.budget_status;
\set ECHO none
SELECT enrolled, offered, held_out, round(expected_share::numeric, 3) AS "expected share", round(observed_share::numeric, 3) AS observed,
       round(srm_pvalue::numeric, 3) AS "sample-ratio p", alarm
FROM shop.experiment_health WHERE enrolled > 0;

\echo 'Did it do anything? Orders of customers in their 30 days, offered and held out. The effect is what remains when what they did in'
\echo 'the 90 days before is allowed for (CUPED), which is why it is not the plain difference; the last interval is for who looks every'
\echo 'day and stops when it looks good. (For the default metric, net margin, the same call says that it takes more customers than'
\echo 'these: some of this shop spend a hundred times what others do.)'
\echo
\set ECHO queries
SELECT m.metric, round(m.mean_control::numeric, 2) AS "held out", round(m.mean_treated::numeric, 2) AS offered, round(m.effect::numeric, 2) AS effect,
       format('%s to %s', round(m.ci_low::numeric, 2), round(m.ci_high::numeric, 2)) AS "95 % interval",
       format('%s to %s', round(m.sequential_low::numeric, 2), round(m.sequential_high::numeric, 2)) AS "any time",
       pg_temp.wrapped(m.note, 44) AS note
FROM clientele.measure_lift('shop', 'basket-stretch', 'aov', horizon => '30 days') AS m ORDER BY m.metric DESC;
\set ECHO none

\echo 'And which arm? learn_offer proposes; it changes nothing unasked.'
\echo
\set ECHO queries
SELECT variant, customers, round(net_margin::numeric, 3) AS "net margin a customer", round(expected_profit::numeric, 3) AS "of it by the offer",
       weight, proposed_weight AS proposed
FROM clientele.learn_offer('shop', 'basket-stretch', horizon => '30 days') WHERE segment IS NULL;
SELECT customer_id, program, variant, min_spend, reward, expected_profit
FROM shop.offers WHERE program = 'basket-stretch' ORDER BY customer_id LIMIT 3;
\set ECHO none
