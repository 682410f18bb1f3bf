-- A ledger of :exposures exposures, a tenth held out, a fifth of the others redeemed, and :orders orders of two years.
SET client_min_messages = warning;
CREATE TABLE orders (order_id bigint NOT NULL, customer_id bigint NOT NULL, ordered_at timestamptz NOT NULL, amount numeric(12, 2) NOT NULL);
INSERT INTO orders
SELECT n, 1 + (n * 7919::bigint) % :exposures, timestamptz '2024-01-01' + n * (interval '730 days' / :orders), 10 + n * 31::bigint % 9000 / 100.0
FROM generate_series(1, :orders) n;
SELECT clientele.create_store('shop', 'orders');
SELECT clientele.define_offer('shop', 'p', 'grow_order_value', holdout => 0.1);
INSERT INTO shop.ledger (customer_id, period, program, program_version, holdout, global_holdout, segment, basis, reference_value, min_spend, reward, reward_kind,
    currency, message, reasons, variant, propensity, issued_at, valid_until, state, closed_at, order_id, ordered_at)
SELECT c, 1, 'p', 1, CASE WHEN held_out THEN 'program' END, 0, 's' || c % 5, 'typical', 50, 70, 3.5, 'amount_off',
    'USD', 'Spend 70 or more and get 3.50 off', '{typical}', 'default', CASE WHEN held_out THEN 0.1 ELSE 0.9 END, at, at + interval '14 days',
    CASE WHEN redeemed THEN 'redeemed' ELSE 'expired' END, at + interval '14 days', CASE WHEN redeemed THEN c END, CASE WHEN redeemed THEN at + interval '5 days' END
FROM (SELECT c, timestamptz '2025-04-01' + c % 30 * interval '1 day' AS at, clientele.bucket('shop:p:holdout', c::text) < 0.1 AS held_out FROM generate_series(1, :exposures) c) s,
    LATERAL (SELECT NOT held_out AND c % 5 = 0 AS redeemed) r;
VACUUM ANALYZE orders;
VACUUM ANALYZE shop.ledger;
CREATE VIEW means AS
    SELECT e.treated, avg(0.30 * e.revenue - coalesce(r.rewards, 0)) AS mean
    FROM (SELECT l.customer_id, l.holdout IS NULL AS treated, coalesce(sum(o.amount), 0) AS revenue
          FROM shop.ledger l LEFT JOIN orders o ON o.customer_id = l.customer_id AND o.ordered_at >= l.issued_at AND o.ordered_at < l.issued_at + interval '14 days'
              AND o.ordered_at >= '2025-04-01' AND o.ordered_at < '2025-05-15'
          WHERE l.program = 'p' GROUP BY l.customer_id, l.holdout) e
    LEFT JOIN (SELECT l.customer_id, sum(l.reward) AS rewards FROM shop.ledger l
               WHERE l.state = 'redeemed' AND l.ordered_at < l.issued_at + interval '14 days' GROUP BY l.customer_id) r ON r.customer_id = e.customer_id
    GROUP BY e.treated;
