-- The main job of clientele, on the shop of generate.sql: from orders to segments, content and personal offers.
-- The statements that do it are shown with their results (ECHO); the others only print.

\set ON_ERROR_STOP on
\pset footer off
\pset null '-'
SET client_min_messages = warning;

-- Wraps a text between words, for printing.
CREATE FUNCTION pg_temp.wrapped(words text, width int, indent text DEFAULT '') RETURNS text
LANGUAGE sql IMMUTABLE AS
$$ SELECT rtrim(regexp_replace(words, '(.{1,' || width || '})(\s+|$)', indent || '\1' || E'\n', 'g'), E'\n') $$;

\echo
\echo '== 1. A store: where the orders are, and what is known of customers ==============================='
\echo
\o /dev/null
\set ECHO queries
SELECT clientele.create_store('shop',
    orders       => 'public.orders',
    order_filter => $$status = 'completed'$$,
    refunded     => 'refunded',
    customers    => 'public.customers',
    attributes   => '{birth_date,children,mobility_help,city_type}',
    items        => 'public.order_items',
    item_product => 'product_id',
    products     => 'public.products', product_available => 'stock',
    currency     => 'USD', time_zone => 'America/New_York', margin => 0.30);
CALL clientele.refresh('shop');
\set ECHO none
\o
\echo

SELECT count(*) AS customers, count(*) FILTER (WHERE orders = 0) AS "no order yet",
       count(*) FILTER (WHERE orders = 1) AS "one order", max(orders) AS "most orders",
       sum(orders) AS orders, sum(refunds) AS returns, sum(total_spent) AS "total spent"
FROM shop.customers;

\echo '== 2. Segments: rules over behaviour and declared attributes; the first that matches counts ======='
\echo
\o /dev/null
\set ECHO queries
SELECT clientele.define_segment('shop', 'families',
    $$ children > 0 OR category_share(category_mix, 'baby') >= 0.1 $$,
    description => 'Children, declared or by the basket');
SELECT clientele.define_segment('shop', 'seniors_and_mobility',
    $$ birth_date <= as_of AT TIME ZONE 'America/New_York' - interval '65 years' OR mobility_help $$,
    description => 'By declared age, or need of help', sensitive => true);
SELECT clientele.define_segment('shop', 'busy_professionals',
    $$ orders >= 3 AND evening_share >= 0.5
       AND (category_share(category_mix, 'ready_meals') >= 0.2 OR weekend_share < 0.3) $$,
    description => 'Working evenings, ready meals');
SELECT clientele.define_segment('shop', 'urban_residents',
    $$ city_type = 'urban' AND (orders = 0 OR typical_order_value < 60) $$,
    description => 'City postcode, small baskets');
SELECT clientele.set_default_segment('shop', 'average');
\set ECHO none
\o
\echo

SELECT s.segment, s.customers, round(100 * s.share::numeric, 1) AS "share, %", s.orders, round(s.aov, 2) AS aov,
       coalesce(r.description, 'Everybody else') AS who
FROM shop.segment_sizes AS s
LEFT JOIN shop.segment_rules AS r ON r.segmentation = 'main' AND r.segment = s.segment;

SELECT customer_id AS parent FROM shop.customers
WHERE segment = 'families' AND children IS NULL AND orders >= 8
ORDER BY customer_id LIMIT 1 \gset
\echo Customer :parent said nothing of children. Why families?   '  explain_segment(':parent')'
\echo '(Values behind a sensitive segment are shown to the owner of the store alone.)'
\echo
SELECT segment, outcome, pg_temp.wrapped(value_found, 50) AS "value found"
FROM clientele.explain_segment(:parent);

\echo '== 3. Content: which of posts A, B and C each segment is shown ===================================='
\echo
\echo 'The posts are aimed at busy professionals (A), the average individual (B) and new, overwhelmed parents (C);'
\echo 'seniors and urban residents get what fits them of the three.'
\echo
SELECT clientele.define_content('shop', 'home', content, segment, body)
FROM (VALUES ('post A', 'busy_professionals',   'Dinner in twelve minutes'),
             ('post A', 'urban_residents',      'Dinner in twelve minutes, at your door within the hour'),
             ('post B', 'average',              'Delivered when it suits you'),
             ('post B', 'seniors_and_mobility', 'Delivered when it suits you, and carried up to your kitchen'),
             ('post C', 'families',             'Ten dinners that children eat')) AS post (content, segment, body) \g /dev/null
SELECT content AS post, segment, CASE WHEN segment IN ('busy_professionals', 'average', 'families') THEN 'aimed at' ELSE 'fits' END AS "why",
       customers, body
FROM shop.contents JOIN shop.segment_sizes USING (segment) WHERE slot = 'home'
ORDER BY content, "why", segment;

\echo '== 4. Offers: three programs; a customer gets the first that is for it ============================'
\echo
\o /dev/null
\set ECHO queries
SELECT clientele.define_offer('shop', 'win-back', 'win_back', reward_rate => 0.10,
    segments   => '{families,seniors_and_mobility}',
    message    => 'We miss you: {reward} off from {min_spend}',
    disclosure => 'This offer was set by an algorithm using your personal data.');
SELECT clientele.define_offer('shop', 'second-order', 'second_order', reward_rate => 0.10,
    message    => 'Come again: {reward} off from {min_spend}');
SELECT clientele.define_offer('shop', 'basket-stretch', 'grow_order_value',
    stretch => 1.4, reward_rate => 0.05, max_cv => 0.45, valid_for => '14 days', holdout => 0.1,
    message    => 'Spend {min_spend} or more, get {reward} off');
\set ECHO none
\o
\echo
\echo 'Customer 101 is new: one recent order, of $40. Customer 102 typically spends about $30.'
\echo
SELECT customer_id AS id, c.orders, c.last_order_value AS last, c.typical_order_value AS typical,
       o.basis, o.min_spend, o.reward, o.message
FROM shop.customers AS c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id) AS o
WHERE c.customer_id IN (101, 102)
ORDER BY c.customer_id;

-- Of a refused program only why; explain_offer goes on to say what it would have been.
\pset format unaligned
\pset tuples_only on
\echo 'Why, program by program?   explain_offer(101)'
SELECT format(E'\n  %s: %s\n%s', program, array_to_string(reasons, ', '),
              pg_temp.wrapped(split_part(explanation, ' Otherwise:', 1), 92, '      '))
FROM clientele.explain_offer(101);
\echo
\echo explain_offer(102)
SELECT format(E'\n  %s: %s\n%s', program, array_to_string(reasons, ', '),
              pg_temp.wrapped(split_part(explanation, ' Otherwise:', 1), 92, '      '))
FROM clientele.explain_offer(102);
\echo
\pset tuples_only off
\pset format aligned

\echo '== 5. What the offers cost at most, and who is refused and why ===================================='
\echo
SELECT s.program, s.status, s.reason AS "first reason", s.customers, round(s.mean_threshold, 2) AS "mean threshold", s.greatest_cost AS "greatest cost"
FROM shop.offer_summary AS s JOIN shop.programs AS p USING (program)
ORDER BY p.priority, s.status = 'refused', s.status DESC, s.customers DESC;

SELECT count(*) AS "customers with an offer", sum(reward) AS "cost if all redeem",
       round(sum(reward) / count(*), 2) AS "a customer", round(100 * sum(reward) / sum(min_spend), 1) || ' %' AS "of the spend asked for"
FROM shop.offers;

\echo '== 6. The whole decision in one row a customer: shop.campaign ====================================='
\echo
SELECT customer_id, segment, content ->> 'home' AS home, coalesce(program, 'none') AS program, message
FROM shop.campaign
WHERE customer_id BETWEEN 101 AND 110
ORDER BY customer_id;

\echo 'The same offers in a query of your own:'
\echo
\set ECHO queries
SELECT c.email, o.program, o.basis, o.reference_value AS reference,
       o.min_spend, o.reward, o.last_day
FROM customers c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id) o
ORDER BY c.customer_id LIMIT 5;
\set ECHO none

\echo '== 7. Scores and customer value, as columns ======================================================'
\echo
\set ECHO queries
SELECT model, customers, repeat_customers AS "of them repeat", converged,
       round(predicted_orders) AS "predicted in the hold-out", actual_orders AS "actual"
FROM clientele.fit_clv('shop');
\o /dev/null
SELECT clientele.add_rfm_segments('shop');
\o
\set ECHO none
\echo
SELECT s.segment, count(*) AS customers, round(avg(c.p_alive)::numeric, 2) AS "p alive", round(avg(c.expected_orders_90d)::numeric, 1) AS "orders in 90 days",
       round(avg(c.expected_order_value), 2) AS "order value", round(avg(c.clv_1y), 2) AS "margin in a year", round(sum(c.clv_1y)) AS "of all of them"
FROM shop.segments AS s JOIN shop.customers AS c USING (customer_id)
WHERE s.segmentation = 'rfm' AND c.orders > 0 GROUP BY s.segment ORDER BY avg(c.clv_1y) DESC;

\echo 'Who was worth most and may be lost: a rule like any other, over the scores.'
\echo
\set ECHO queries
SELECT customer_id, r_score || '-' || f_score || '-' || m_score AS rfm, total_spent, recency_days, median_days_between_orders AS rhythm,
       round(p_alive::numeric, 2) AS p_alive, clv_1y
FROM shop.customers WHERE m_score = 5 AND p_alive < 0.5 ORDER BY total_spent DESC, customer_id LIMIT 5;
\set ECHO none

\echo '== 8. Segments that the data suggest =============================================================='
\echo
\set ECHO queries
SELECT k, round(silhouette::numeric, 3) AS silhouette, chosen
FROM clientele.learn_segments('shop', 'learned', '{recency_days, log1p(total_spent), log1p(orders), evening_share}');
SELECT segment, customers, round(100 * share::numeric, 1) AS "share, %", pg_temp.wrapped(distinguishing, 60) AS "what sets them apart"
FROM clientele.describe_segments('shop', 'learned');
\set ECHO none

\ir loop.sql
\ir learned.sql

\echo 'To keep the server and look around:   make demo KEEP=1'
\echo 'To do this with your own orders:      make demo ORDERS=path.csv'
\echo '   an export of Shopify, Stripe, Square or WooCommerce; or a CSV (.gz too) with customer_id, ordered_at and amount, where'
\echo '   they are called otherwise:'
\echo '   make demo ORDERS=path.csv CUSTOMER_ID=… ORDERED_AT=… AMOUNT=… TIME_ZONE=Europe/Berlin CURRENCY=EUR'
