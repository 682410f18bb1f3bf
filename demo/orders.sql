-- The main job of clientele on the user's own orders.
--
-- Given: the psql variables file (a CSV of order_id, customer_id, ordered_at, amount, refunded, as scripts/orders-file.pl writes it),
-- time_zone and currency.

\set ON_ERROR_STOP on
\pset footer off
\pset null '-'
\set SHOW_CONTEXT never
SET client_min_messages = warning;
SET TIME ZONE :'time_zone';

\echo
\echo '== 1. Your orders ================================================================================='
\echo

CREATE TABLE public.orders (
    order_id    text NOT NULL,
    customer_id text,             -- NULL: a guest
    ordered_at  timestamptz,
    amount      numeric,
    refunded    numeric
);
\set load '\\copy public.orders FROM ' :'file' ' CSV'
:load
CREATE INDEX orders_by_customer ON public.orders (customer_id, ordered_at);
ANALYZE public.orders;


SELECT count(*) AS orders, count(DISTINCT customer_id) AS customers,
       count(*) FILTER (WHERE customer_id IS NULL) AS "of guests",
       count(*) FILTER (WHERE amount < 0 OR refunded > 0) AS refunds,
       count(*) FILTER (WHERE ordered_at IS NULL OR amount IS NULL) AS skipped,
       min(ordered_at)::date AS first, max(ordered_at)::date AS last, sum(amount) AS total
FROM public.orders;

-- Seen from today, everybody in an old file is long gone: such a file is looked at as of its last order.
SELECT coalesce(max(ordered_at) < now() - interval '30 days', false) AS is_old FROM public.orders WHERE ordered_at <= now() \gset
\if :is_old
\echo 'The last order is long ago: from here on everything is as of that order (argument as_of), not of today.'
\echo
SELECT quote_literal(max(ordered_at)) AS as_of, quote_literal(max(ordered_at)) AS offers_as_of FROM public.orders WHERE ordered_at <= now() \gset
\else
SELECT quote_literal(now()) AS as_of, 'NULL' AS offers_as_of \gset
\endif

SELECT clientele.create_store('shop', orders => 'public.orders', refunded => 'refunded', currency => :'currency', time_zone => :'time_zone') \g /dev/null
CALL clientele.refresh('shop');

-- Rules over behaviour alone; the first that matches.
SELECT clientele.define_segment('shop', 'new', $$ orders = 1 AND recency_days <= 30 $$, priority => 10,
    description => 'First order within the last 30 days') \g /dev/null
SELECT clientele.define_segment('shop', 'one_time', $$ orders = 1 $$, priority => 20,
    description => 'Never came back') \g /dev/null
SELECT clientele.define_segment('shop', 'lapsed', $$ recency_days > 60 AND recency_days > 3 * median_days_between_orders $$, priority => 30,
    description => 'Away for three times the usual gap') \g /dev/null
SELECT clientele.define_segment('shop', 'regulars', $$ purchase_days >= 5 $$, priority => 40,
    description => 'Five purchase days and more') \g /dev/null
SELECT clientele.set_default_segment('shop', 'occasional') \g /dev/null

SELECT clientele.define_offer('shop', 'win-back', 'win_back', priority => 10, reward_rate => 0.10,
    message => 'We miss you: {reward} off from {min_spend}') \g /dev/null
SELECT clientele.define_offer('shop', 'second-order', 'second_order', priority => 20, reward_rate => 0.10,
    message => 'Come again: {reward} off from {min_spend}') \g /dev/null
SELECT clientele.define_offer('shop', 'basket-stretch', 'grow_order_value', priority => 30,
    message => 'Spend {min_spend} or more, get {reward} off') \g /dev/null

CREATE TEMP TABLE seen AS SELECT * FROM shop.customers_at(:as_of);
ANALYZE seen;

\echo '== 2. Your customers =============================================================================='
\echo
SELECT metric, p[1] AS "10 %", p[2] AS "25 %", p[3] AS median, p[4] AS "75 %", p[5] AS "90 %", p[6] AS greatest
FROM (SELECT place, metric, percentile_disc(ARRAY[0.1, 0.25, 0.5, 0.75, 0.9, 1]) WITHIN GROUP (ORDER BY value) AS p
      FROM seen CROSS JOIN LATERAL (VALUES
          (1, 'orders', orders::numeric), (2, 'total spent', total_spent), (3, 'average order value', round(aov, 2)),
          (4, 'typical order value', round(typical_order_value, 2)), (5, 'days between orders', median_days_between_orders::numeric),
          (6, 'days since the last', recency_days::numeric), (7, 'variation of orders (cv)', round(order_value_cv::numeric, 2))
      ) AS m (place, metric, value)
      GROUP BY place, metric) AS overview
ORDER BY place;

\echo '== 3. Segments, by behaviour alone ================================================================'
\echo
SELECT s.segment, count(*) AS customers, round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS "share, %",
       sum(s.orders) AS orders, sum(s.total_spent) AS "total spent",
       round(sum(s.gross_spent) / nullif(sum(s.orders), 0), 2) AS aov, coalesce(r.description, 'Everybody else') AS who
FROM seen AS s LEFT JOIN shop.segment_rules AS r ON r.segmentation = 'main' AND r.segment = s.segment
GROUP BY s.segment, r.priority, r.description
ORDER BY r.priority;

\echo '== 4. Offers ======================================================================================'
\echo
-- What shop.offer_decisions shows, as of another time than now.
CREATE TEMP TABLE decided AS
SELECT i.customer_id, d.*
FROM shop._offer_inputs_at(:as_of) AS i
CROSS JOIN LATERAL clientele.decide_programs(shop._offer_book(), i.customer, i.segment, i.profile, i.fallback, i.as_of) AS d;
ANALYZE decided;

\echo 'Three programs with the defaults, the first that is for the customer; examples:'
\echo
SELECT s.customer_id, s.segment, s.orders, round(s.last_order_value, 2) AS last, round(s.typical_order_value, 2) AS typical,
       o.program, o.message
FROM (SELECT DISTINCT ON (program, segment) customer_id, program, segment FROM decided
      WHERE status = 'offered' ORDER BY program, segment, clientele.bucket('example', customer_id)) AS example
JOIN seen AS s USING (customer_id)
CROSS JOIN LATERAL clientele.personalized_offer(customer_id, as_of => :offers_as_of) AS o
ORDER BY example.program, s.orders
LIMIT 8;

\pset format unaligned
\pset tuples_only on
\echo 'Why? The functions explain_offer and explain_segment say so for any customer; for example:'
SELECT format(E'\n  customer %s, %s: %s\n%s', e.customer_id, e.program, array_to_string(x.reasons, ', '),
              rtrim(regexp_replace(x.explanation, '(.{1,92})(\s+|$)', E'      \\1\n', 'g'), E'\n'))
FROM (SELECT DISTINCT ON (example) example, customer_id, program
      FROM (SELECT CASE WHEN program = 'basket-stretch' AND status = 'offered' AND basis = 'typical' THEN 1
                        WHEN reasons[1] = 'too_variable' THEN 2
                        WHEN program = 'win-back' AND status = 'offered' THEN 3 END AS example, * FROM decided) AS d
      WHERE example IS NOT NULL ORDER BY example, clientele.bucket('example ' || example, customer_id)) AS e
CROSS JOIN LATERAL clientele.explain_offer(e.customer_id, program => e.program, as_of => :offers_as_of) AS x;
\echo
\pset tuples_only off
\pset format aligned

\echo '== 5. What the offers cost at most, and who is refused and why ===================================='
\echo
SELECT d.program, d.status, CASE d.status WHEN 'refused' THEN d.reasons[1] END AS "first reason", count(*) AS customers,
       round(avg(d.min_spend), 2) AS "mean threshold", sum(d.reward) FILTER (WHERE d.status = 'offered') AS "greatest cost"
FROM decided AS d JOIN shop.programs AS p USING (program)
GROUP BY p.priority, 1, 2, 3
ORDER BY p.priority, d.status = 'refused', count(*) DESC;

\echo '== 6. Scores and customer value ==================================================================='
\echo
-- As of an old order, recency is compared with that of all customers then.
\if :is_old
SELECT clientele.set_rfm_breaks('shop', percentile_cont(share) WITHIN GROUP (ORDER BY recency_days), percentile_cont(share) WITHIN GROUP (ORDER BY orders),
                                percentile_cont(share) WITHIN GROUP (ORDER BY total_spent::float8))
FROM seen, (VALUES (ARRAY[0.2, 0.4, 0.6, 0.8])) AS quintiles (share) WHERE orders > 0 GROUP BY share \g /dev/null
\endif
-- A file may have too little for a model; then the error says so, and the columns stay empty.
\set ON_ERROR_STOP off
\set VERBOSITY default
SELECT model, customers, repeat_customers AS "of them repeat", in_use AS used,
       round(predicted_orders) AS "predicted in the hold-out", actual_orders AS "actual"
FROM clientele.fit_clv('shop', as_of => :offers_as_of);
\set ON_ERROR_STOP on
SELECT count(*) > 0 AS has_model FROM clientele.models WHERE kind = 'clv' \gset
\if :has_model
SELECT bucket AS model, remark AS "for and against" FROM clientele.clv_report('shop', 1) WHERE section = 'model';
\endif
SELECT clientele.add_rfm_segments('shop') \g /dev/null
SELECT s.segment, count(*) AS customers, round(avg(c.p_alive)::numeric, 2) AS "p alive", round(avg(c.expected_orders_90d)::numeric, 2) AS "orders in 90 days",
       round(avg(c.expected_order_value), 2) AS "order value", round(avg(c.clv_1y), 2) AS "margin in a year"
FROM shop.segments_at(:as_of) AS s JOIN shop.customers_at(:as_of) AS c USING (customer_id)
WHERE s.segmentation = 'rfm' AND c.orders > 0 GROUP BY s.segment ORDER BY avg(c.clv_1y) DESC NULLS LAST, count(*) DESC;

\echo '== 7. Segments that the data suggest =============================================================='
\echo
\set ON_ERROR_STOP off
SELECT k, round(silhouette::numeric, 3) AS silhouette, chosen FROM clientele.learn_segments('shop', 'learned', '{log1p(orders), log1p(aov)}');
SELECT segment, customers, round(100 * share::numeric, 1) AS "share, %", distinguishing AS "what sets them apart"
FROM clientele.describe_segments('shop', 'learned');
\set ON_ERROR_STOP on

\echo '== 8. The loop: issued, redeemed, in the ledger ==================================================='
\echo
\echo 'A rehearsal, which is undone at its end. Times are moved so that the last order is of now; everybody with an offer gets a code,'
\echo 'a tenth of those whom basket-stretch would serve is held out, and one customer comes back and spends enough.'
\echo
\set QUIET on
BEGIN;
UPDATE public.orders SET ordered_at = ordered_at + (SELECT now() - max(ordered_at) FROM public.orders WHERE ordered_at <= now()) WHERE ordered_at <= now();
CALL clientele.refresh('shop');
SELECT clientele.define_offer('shop', 'basket-stretch', 'grow_order_value', priority => 30, holdout => 0.1, budget => 1000000,
    message => 'Spend {min_spend} or more, get {reward} off') \g /dev/null
CREATE TEMP TABLE issued AS
SELECT i.* FROM (SELECT customer_id FROM shop.offer_decisions WHERE status IN ('offered', 'held_out') GROUP BY customer_id) AS c
CROSS JOIN LATERAL clientele.issue_offer(c.customer_id) AS i;
SELECT status, program, count(*) AS customers, round(avg(min_spend), 2) AS "mean threshold", round(avg(reward), 2) AS "mean reward"
FROM shop.exposures GROUP BY status, program ORDER BY status DESC, program;
SELECT code, min_spend, customer_id FROM shop.offer_ledger WHERE status = 'open' AND program = 'basket-stretch' ORDER BY customer_id LIMIT 1 \gset
\if :{?code}
INSERT INTO public.orders SELECT 'rehearsal', :'customer_id', now(), :min_spend;
SELECT order_id, order_value, reward, currency FROM clientele.redeem_offer(:'code', 'rehearsal');
SELECT program, budget, reserved, spent, remaining, open_offers, redeemed_offers FROM shop.budget_status;
SELECT program, enrolled, offered, held_out, round(expected_share::numeric, 3) AS "share held out, expected", round(observed_share::numeric, 3) AS observed
FROM shop.experiment_health WHERE enrolled > 0;
\echo 'When the two weeks are over, measure_lift compares those who were offered something with those held out; it takes some hundreds of each.'
\echo
\else
\echo 'Nobody is offered anything.'
\echo
\endif
ROLLBACK;

\echo 'To keep the server and look around:   make demo KEEP=1 ORDERS=…'
\echo 'Then start with:                      TABLE shop.customers LIMIT 10;   TABLE shop.campaign LIMIT 10;'
\if :is_old
\echo 'As of the last order, as here:        SELECT * FROM shop.customers_at(':as_of') LIMIT 10;'
\endif
