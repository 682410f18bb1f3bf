-- Offers that know what they earn: explore, let a month pass, fit, switch to learned terms. Called by demo.sql, behind loop.sql.

\echo '== 10. Offers that know what they earn ============================================================'
\echo
\echo 'What an offer does is learnt only where terms differ by chance: for half of the customers they are drawn at random.'
\echo
\o /dev/null
\set ECHO queries
SELECT clientele.define_offer('shop', 'basket-stretch', 'grow_order_value', holdout => 0.1, max_cv => NULL,
    explore => '{"share": 0.5, "stretch": [1.3, 1.9, 2.8], "reward_rate": [0.02, 0.06]}',
    message => 'Spend {min_spend} or more, get {reward} off');
CALL clientele.issue_offers('shop', 'basket-stretch');
\set ECHO none
-- The next month, set back as the one before. Baskets vary as the customer's own have; seven in ten look at offers at all, and raise an
-- order the more often, the less there is to add and the larger the reward. Nobody comes only because of an offer.
CREATE FUNCTION pg_temp.normal(id text) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT sqrt(-2 * ln(greatest(clientele.bucket('n', id), 1e-9))) * cos(2 * pi() * clientele.bucket('m', id)) $$;
UPDATE shop.ledger SET issued_at = issued_at - interval '31 days', valid_until = valid_until - interval '31 days', closed_at = closed_at - interval '31 days',
    ordered_at = ordered_at - interval '31 days';
UPDATE shop.segment_membership SET valid_from = valid_from - interval '31 days';
UPDATE orders SET ordered_at = ordered_at - interval '31 days';
INSERT INTO orders (order_id, customer_id, ordered_at, status, amount)
SELECT (SELECT max(order_id) FROM orders) + row_number() OVER (ORDER BY o.exposure_id, o.nth), o.customer_id, o.ordered_at, 'completed',
       CASE WHEN o.holdout IS NULL AND o.usual < o.min_spend AND o.ordered_at < o.valid_until
                 AND o.whim < 0.7 / (1 + exp(1.2 - 0.8 * ln(o.reward / o.min_spend / 0.05) + 3 * ((o.min_spend - o.usual) / o.usual / 0.4 - 1)))
            THEN ceil(o.min_spend * (1 - 0.03 * ln(1 - o.more))) ELSE o.usual END
FROM (SELECT l.exposure_id, l.customer_id, l.holdout, l.min_spend::float8, l.reward::float8, l.valid_until, nth,
             l.issued_at + make_interval(secs => 30 * 86400 * clientele.bucket('another day ' || nth, l.customer_id::text)) AS ordered_at,
             clientele.bucket('another whim ' || nth, l.customer_id::text) AS whim, clientele.bucket('more ' || nth, l.customer_id::text) AS more,
             greatest(round(exp(l.log_mean + l.log_sd * pg_temp.normal(l.customer_id || ':' || nth))::numeric, 2), 1) AS usual
      FROM shop.ledger AS l CROSS JOIN generate_series(1, 3) AS nth
      WHERE l.state = 'open' AND clientele.bucket('comes again ' || nth, l.customer_id::text) < 0.45) AS o;
ANALYZE orders;
CALL clientele.refresh('shop');
CALL clientele.settle_offers('shop');
\o
\echo
\echo 'Another simulated month later: how do orders respond, and what would a customer earn in two weeks by each way of setting terms?'
\echo
\set ECHO queries
SELECT * INTO TEMP fit FROM clientele.fit_response('shop', "from" => now() - interval '40 days');
\set ECHO none
SELECT exposures, held_out AS "held out", orders, redemptions, drawn_redemptions AS "of drawn terms", round(reach_pvalue::numeric, 2) AS "as predicted, p", in_use AS "in use"
FROM fit;
SELECT t.terms, round(t.profit::numeric, 4) AS "profit a customer", format('%s to %s', round(t.low::numeric, 4), round(t.high::numeric, 4)) AS "90 % interval"
FROM fit f, LATERAL (VALUES (1, 'stretch, as defined', f.in_use_profit, f.in_use_profit_low, f.in_use_profit_high),
    (2, 'spread', f.spread_profit, f.spread_profit_low, f.spread_profit_high),
    (3, format('best pair: %s, %s', f.uniform_stretch, f.uniform_reward_rate), f.uniform_profit, f.uniform_profit_low, f.uniform_profit_high),
    (4, 'learned', f.learned_profit, f.learned_profit_low, f.learned_profit_high)) AS t (place, terms, profit, low, high) ORDER BY t.place;
\echo 'So from now on:'
\echo
\o /dev/null
\set ECHO queries
SELECT clientele.alter_offer('shop', 'basket-stretch', terms => 'learned', disclosure => 'Chosen by how customers have responded to such offers');
\set ECHO none
\o
\echo
\echo 'One customer''s response: what could be asked for, and what it would do. Most of it is not worth making.'
\echo
SELECT customer_id AS shown FROM shop.offers WHERE program = 'basket-stretch' AND 'earns_most' = ANY (reasons) ORDER BY customer_id LIMIT 1 \gset
\set ECHO queries
SELECT min_spend, reward, round(natural_share::numeric, 3) AS "reach it anyway", round(raised_share::numeric, 3) AS "raised, of redeemers", profit, low, high, chosen
FROM (SELECT DISTINCT ON (min_spend) * FROM clientele.response_curve(:shown, 'shop') ORDER BY min_spend, chosen DESC, profit DESC) AS best_of_each;
\set ECHO none
\echo 'And looking back over the half year before: whom both ways would have asked, who would have been paid for what they spent anyway, and'
\echo 'what that earns by the response.'
\echo
\set ECHO queries
SELECT terms, offered, natural_qualifiers AS "reached it anyway", natural_cost AS "paid to them", greatest_cost AS "greatest cost", profit,
       format('%s to %s', profit_low, profit_high) AS "90 % interval"
FROM unnest('{stretch,learned}'::text[]) AS terms, clientele.backtest_offer('shop', 'basket-stretch', 'grow_order_value', terms => terms,
    holdout => 0.1, disclosure => 'Chosen by how customers have responded to such offers',
    explore => CASE terms WHEN 'learned' THEN '{"share": 0.05, "stretch": [1.3, 1.9, 2.8], "reward_rate": [0.02, 0.06]}'::jsonb END,
    "from" => now() - interval '240 days', "to" => now() - interval '80 days', step => '28 days')
WHERE step_at IS NULL AND segment IS NULL;
\set ECHO none
