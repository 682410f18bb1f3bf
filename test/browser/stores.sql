-- Stores whose reports are hard to show; the demo's shop is there already.
\set ON_ERROR_STOP on
SET client_min_messages = warning;

CREATE TABLE no_orders (customer_id bigint, ordered_at timestamptz, amount numeric, order_id bigint);
SELECT clientele.create_store('empty', orders => 'public.no_orders') \g /dev/null
CALL clientele.refresh('empty');

-- A currency without decimals, amounts at the edge, one customer of the largest, and names that are markup, quotes, emoji or Arabic.
CREATE TABLE odd_orders (customer_id text, ordered_at timestamptz, amount numeric, order_id bigint);
INSERT INTO odd_orders
SELECT '<b>' || (n % 40) || '</b>', now() - make_interval(days => (n * 7) % 400), 1000 + (n * 37) % 9000, n FROM generate_series(1, 400) AS n;
INSERT INTO odd_orders VALUES ('largest', now() - interval '3 days', 1000000000000, 1001);
SELECT clientele.create_store('</svg><script>alert(1)</script>', orders => 'public.odd_orders', currency => 'JPY', time_zone => 'Asia/Tokyo') \g /dev/null
CALL clientele.refresh('</svg><script>alert(1)</script>');
SELECT clientele.define_segment('</svg><script>alert(1)</script>', name, rule)
FROM (VALUES ('"></text></svg><script>alert(2)</script>', 'orders > 10'),
             ('😀😃😄😁😆😅😂🤣😊😇🙂🙃😉😌😍', 'total_spent > 50000'),
             ('عائلات جديدة (1)', 'recency_days < 60'),
             ('it''s "quoted" & {curly}', 'orders > 0')) AS s (name, rule) \g /dev/null
SELECT clientele.define_offer('</svg><script>alert(1)</script>', '<img src=x onerror=alert(3)> {program}', 'grow_order_value', max_cv => NULL,
    holdout => 0.3) \g /dev/null
CALL clientele.issue_offers('</svg><script>alert(1)</script>');
CALL clientele.record_segments('</svg><script>alert(1)</script>');
SELECT clientele.add_rfm_segments('</svg><script>alert(1)</script>') \g /dev/null
