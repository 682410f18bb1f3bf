-- The main job of clientele, on the shop of generate.sql: from orders to segments, content and personal offers.

\set ON_ERROR_STOP on
\pset footer off
\pset null '-'
SET client_min_messages = warning;

\echo
\echo '== 1. A store: where the orders are =============================================================='
\echo
SELECT clientele.create_store(
    store        => 'shop',
    orders       => 'public.orders',
    order_filter => $$status = 'completed'$$,
    refunded     => 'refunded',
    customers    => 'public.customers',
    attributes   => '{birth_date,children,mobility_help,city_type}',
    items        => 'public.order_items', item_order_id => 'order_id', item_category => 'category', item_amount => 'amount',
    currency     => 'USD', time_zone => 'America/New_York', margin => 0.30) \g /dev/null
CALL clientele.refresh('shop');

SELECT count(*) AS customers, sum(orders) AS orders, sum(refunds) AS returns, sum(total_spent) AS total_spent,
       count(*) FILTER (WHERE orders = 0) AS "none yet", count(*) FILTER (WHERE orders = 1) AS "one order",
       max(orders) AS "most orders"
FROM shop.customers;

\echo '== 2. Segments: rules over behaviour and declared attributes, the first that matches =============='
\echo
SELECT clientele.define_segment('shop', 'families',
    $$ children > 0 OR category_share(category_mix, 'baby') >= 0.1 $$,
    priority => 10, description => 'Parents, by what they declared or by baby products in the basket') \g /dev/null
-- as_of, not a clock: the same rule answers for last year. Read in the shop's zone, whatever the session's is.
SELECT clientele.define_segment('shop', 'seniors_and_mobility',
    $$ birth_date <= as_of AT TIME ZONE 'America/New_York' - interval '65 years' OR mobility_help $$,
    priority => 20, sensitive => true, description => '65 and older, or asked for help with carrying; only as declared') \g /dev/null
SELECT clientele.define_segment('shop', 'busy_professionals',
    $$ orders >= 3 AND evening_share >= 0.5
       AND (category_share(category_mix, 'ready_meals') >= 0.2 OR weekend_share < 0.3) $$,
    priority => 30, description => 'Evening orders on working days, ready meals') \g /dev/null
SELECT clientele.define_segment('shop', 'urban_residents',
    $$ city_type = 'urban' AND (orders = 0 OR typical_order_value < 60) $$,
    priority => 40, description => 'City postcode, small baskets') \g /dev/null
SELECT clientele.set_default_segment('shop', 'average') \g /dev/null

SELECT segment, customers, round(100 * share::numeric, 1) AS "share %", orders, total_spent, round(aov, 2) AS aov
FROM shop.segment_sizes
WHERE segmentation = 'main'
ORDER BY customers DESC;

\echo '== 3. Content: which post each segment is shown ==================================================='
\echo
SELECT clientele.define_content('shop', 'home', content, segment, body)
FROM (VALUES ('post A', 'families',             'Ten dinners that children eat'),
             ('post B', 'seniors_and_mobility', 'We carry it up to your kitchen'),
             ('post B', 'average',              'Delivered when it suits you'),
             ('post C', 'busy_professionals',   'Dinner in twelve minutes'),
             ('post C', 'urban_residents',      'At your door within the hour')) AS post (content, segment, body) \g /dev/null
SELECT content, segment, body FROM shop.contents WHERE slot = 'home' ORDER BY content, segment;

\echo '== 4. Offers: three programs; a customer gets the first that applies =============================='
\echo
SELECT clientele.define_offer('shop', 'win-back', 'win_back', priority => 10,
    segments => '{seniors_and_mobility,families}',
    reward_rate => 0.10, message => 'We miss you: {reward} off your next order from {min_spend}',
    disclosure => 'This offer was set by an algorithm using your personal data.') \g /dev/null
SELECT clientele.define_offer('shop', 'second-order', 'second_order', priority => 20,
    reward_rate => 0.10, message => 'Welcome back: {reward} off from {min_spend}, until {valid_until}') \g /dev/null
SELECT clientele.define_offer('shop', 'basket-stretch', 'grow_order_value', priority => 30,
    stretch => 1.4, reward_rate => 0.05, max_cv => 0.45, valid_for => '14 days', holdout => 0.1,
    message => 'Spend {min_spend} or more and get {reward} off') \g /dev/null

\echo 'Customer 101 is new; the one recent order was $40. Customer 102 typically spends about $30.'
\echo
SELECT c.customer_id, c.segment, c.orders, c.last_order_value AS last, c.typical_order_value AS typical,
       o.program, o.basis, o.min_spend, o.reward, o.message
FROM shop.customers AS c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id) AS o
WHERE c.customer_id IN (101, 102)
ORDER BY c.customer_id;

\pset format wrapped
\pset columns 100
\echo 'Why? Every program says so, also those that were refused.'
\echo
SELECT program, status, reasons, explanation FROM clientele.explain_offer(101);
SELECT program, status, reasons, explanation FROM clientele.explain_offer(102);

\echo 'And why is customer 102 in its segment?'
\echo
SELECT * FROM clientele.explain_segment(102);

\echo '== 5. What the offers cost at most, and who is refused and why ===================================='
\echo
SELECT * FROM shop.offer_summary;

\echo '== 6. Everything in one row: shop.campaign ========================================================'
\echo
SELECT customer_id, segment, content ->> 'home' AS home, program, min_spend, reward, message
FROM shop.campaign
WHERE customer_id BETWEEN 101 AND 108
ORDER BY customer_id;

\echo 'The same offers for a query of your own:'
\echo '    SELECT c.email, o.* FROM customers c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id) o'
\echo
SELECT c.email, o.program, o.segment, o.basis, o.reference_value, o.min_spend, o.reward
FROM customers AS c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id) AS o
ORDER BY c.customer_id
LIMIT 5;

\echo 'To keep the server and look around:    make demo KEEP=1'
\echo 'To do this with your own orders:       make demo ORDERS=path.csv    (customer_id, ordered_at, amount; .gz too)'
