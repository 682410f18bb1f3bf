-- Looking back: what a definition would have offered, and what those customers did, against plain SQL; that it agrees with look-ups of then.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
\set SHOW_CONTEXT never

CREATE TABLE back_orders (order_id bigint PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10, 2));
INSERT INTO back_orders SELECT row_number() OVER (), c, timestamptz '2025-01-01' + (240 * clientele.bucket('back-t', c || ':' || n)) * interval '1 day', round((10 + 90 * clientele.bucket('back-a', c || ':' || n))::numeric, 2)
FROM generate_series(1, 400) c, generate_series(1, 2 + c % 9) n;
SELECT clientele.create_store('back', orders => 'back_orders', order_id => 'order_id', margin => 0.4);
SELECT clientele.define_segment('back', 'often', 'orders >= 6');
CALL clientele.refresh('back');

SELECT step_at, segment, customers, offered, held_out, refused, refusals, mean_threshold, greatest_cost, ordered, natural_qualifiers, round(natural_share::numeric, 4) AS share, natural_cost, gaps
FROM clientele.backtest_offer('back', 'grow', 'grow_order_value', "from" => '2025-04-01 12:00', "to" => '2025-06-01', step => '20 days');
SELECT note FROM clientele.backtest_offer('back', 'grow', 'grow_order_value', "from" => '2025-04-01 12:00', "to" => '2025-06-01', step => '20 days') WHERE note IS NOT NULL;

-- By plain SQL: terms by look-ups of then, under the program as defined; orders by hand.
SELECT clientele.define_offer('back', 'grow', 'grow_order_value');
CREATE VIEW back_then AS
    SELECT s.at, a.customer_id, a.segment, o.min_spend, o.reward, (SELECT max(b.amount) FROM back_orders b
        WHERE b.customer_id = a.customer_id AND b.ordered_at > s.at AND b.ordered_at < (s.at::date + 15)::timestamptz) AS spent
    FROM generate_series(timestamptz '2025-04-01 12:00', '2025-06-01', '20 days') s (at), back.customers_at(s.at) a LEFT JOIN LATERAL clientele.personalized_offer(a.customer_id, 'back', NULL, s.at) o ON true;
CREATE VIEW back_expected AS
    SELECT at, segment, count(*) AS customers, count(min_spend) AS offered, sum(reward) AS cost, count(spent) FILTER (WHERE reward > 0) AS ordered, count(*) FILTER (WHERE spent >= min_spend) AS natural,
        coalesce(sum(reward) FILTER (WHERE spent >= min_spend), 0) AS natural_cost, percentile_disc('{0.1,0.25,0.5,0.75,0.9}'::float8[]) WITHIN GROUP (ORDER BY min_spend - spent) FILTER (WHERE spent < min_spend) AS gaps
    FROM back_then GROUP BY GROUPING SETS ((), (segment), (at));
SELECT count(*) AS rows, bool_and((b.customers, b.offered, b.greatest_cost, b.ordered, b.natural_qualifiers, b.natural_cost, b.gaps) = (e.customers, e.offered, e.cost, e.ordered, e.natural, e.natural_cost, e.gaps)) AS same
FROM clientele.backtest_offer('back', 'grow', 'grow_order_value', "from" => '2025-04-01 12:00', "to" => '2025-06-01', step => '20 days') b
JOIN back_expected e ON e.at IS NOT DISTINCT FROM b.step_at AND e.segment IS NOT DISTINCT FROM b.segment;
-- What was issued since does not matter, nor do limits, budgets and the calendar of the definition; that offers ran is said.
SELECT count(*) > 0 AS issued FROM generate_series(1, 400) c, clientele.issue_offer(c, 'back') i;
UPDATE back.ledger SET issued_at = '2025-05-05', valid_until = '2025-05-20', state = 'expired', closed_at = '2025-05-20' WHERE customer_id % 2 = 0;
SELECT clientele.set_contact_limit('back', 1, '10 years');
SELECT count(*) AS rows, bool_and((b.customers, b.offered, b.natural_qualifiers, b.natural_cost) = (e.customers, e.offered, e.natural_qualifiers, e.natural_cost)) AS same, max(b.note) LIKE '%offers ran then: natural qualifiers are an upper bound' AS said
FROM clientele.backtest_offer('back', 'grow', 'grow_order_value', "from" => '2025-04-01 12:00', "to" => '2025-06-01', step => '20 days', max_per_customer => 1, cooldown => '90 days', budget => 1, starts_at => '2026-01-01') b
JOIN clientele.backtest_offer('back', 'new', 'grow_order_value', "from" => '2025-04-01 12:00', "to" => '2025-06-01', step => '20 days') e ON e.step_at IS NOT DISTINCT FROM b.step_at AND e.segment IS NOT DISTINCT FROM b.segment;
-- Other terms: for a segment, by spread, held out, arms; steps of the store's days.
SELECT terms.name, b.customers, b.offered, b.held_out > 0 AS held_out, b.refusals, b.natural_qualifiers FROM
    (SELECT 'segment' AS name, b.* FROM clientele.backtest_offer('back', 'x', 'grow_order_value', segments => '{often}', max_cv => NULL, "from" => '2025-05-01', "to" => '2025-05-02') b
     UNION ALL SELECT 'spread', b.* FROM clientele.backtest_offer('back', 'x', 'grow_order_value', terms => 'spread', "from" => '2025-05-01', "to" => '2025-05-02') b
     UNION ALL SELECT 'held out', b.* FROM clientele.backtest_offer('back', 'x', 'grow_order_value', holdout => 0.3, max_cv => NULL, "from" => '2025-05-01', "to" => '2025-05-02') b
     UNION ALL SELECT 'win back', b.* FROM clientele.backtest_offer('back', 'x', 'win_back', "from" => '2025-05-01', "to" => '2025-05-02') b) b (name), LATERAL (SELECT b.name) terms WHERE b.segment IS NULL AND b.step_at IS NULL;
-- The last steps, of which offers could be open still, are left out.
SELECT count(*) FILTER (WHERE step_at IS NOT NULL) AS steps, max(step_at) < now() - interval '14 days' AS over FROM clientele.backtest_offer('back', 'x', 'grow_order_value', "from" => now() - interval '60 days', step => '10 days');
SELECT program FROM back.programs;
-- Learned terms, and what all of them are expected to earn, by a response: as look-ups of then have it.
CREATE FUNCTION back_response(known_to timestamptz) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('parameters', '{"a": -1.5, "lb": 1.3862943611198906, "c": 0.8, "delta": 0, "ltau": 0, "lomega": -3.5, "lA": 0.85, "lq": 2.2, "d": []}'::jsonb, 'segments', '[]'::jsonb,
        'covariance', (SELECT jsonb_agg(CASE WHEN i = j THEN 0.01 ELSE 0 END ORDER BY i, j) FROM generate_series(1, 8) i, generate_series(1, i) j), 'q_known', true,
        'stretch', '{1.3,2.8}'::numeric[], 'reward_rate', '{0.02,0.06}'::numeric[], 'order_rate', '{"shape": 0.8, "mean": 0.03, "days": 240}'::jsonb, 'horizon_days', 14, 'known_to', known_to) $$;
SELECT clientele._add_model('back', 'response', back_response('2025-06-01'), NULL, now(), 400, '{}') AS version;
DELETE FROM back.ledger;
SELECT clientele.set_contact_limit('back', NULL, NULL);
SELECT clientele.define_offer('back', 'grow', 'grow_order_value', terms => 'learned', holdout => 0.05, disclosure => 'By what others did',
    explore => '{"share": 0.05, "stretch": [1.3, 1.9, 2.8], "reward_rate": [0.02, 0.06]}');
CREATE TABLE back_learned AS SELECT * FROM back_expected;
SELECT count(*) AS rows, sum(b.offered) > 1000 AS offered, bool_and(b.held_out > 0) AS held_out, bool_and((b.customers, b.offered, b.greatest_cost, b.ordered, b.natural_qualifiers, b.natural_cost, b.gaps) IS NOT DISTINCT FROM (e.customers, e.offered, e.cost, e.ordered, e.natural, e.natural_cost, e.gaps)) AS same,
    bool_and(b.profit BETWEEN b.profit_low AND b.profit_high) AS within
FROM clientele.backtest_offer('back', 'grow', 'grow_order_value', terms => 'learned', holdout => 0.05, disclosure => 'By what others did', explore => '{"share": 0.05, "stretch": [1.3, 1.9, 2.8], "reward_rate": [0.02, 0.06]}',
    "from" => '2025-04-01 12:00', "to" => '2025-06-01', step => '20 days') b
JOIN back_learned e ON e.at IS NOT DISTINCT FROM b.step_at AND e.segment IS NOT DISTINCT FROM b.segment;
CREATE TABLE back_profits AS SELECT t.terms, b.* FROM unnest('{stretch,spread,learned}'::text[]) t (terms),
    clientele.backtest_offer('back', 'grow', 'grow_order_value', terms => t.terms, max_cv => NULL, holdout => 0.05, disclosure => 'By what others did',
        explore => CASE t.terms WHEN 'learned' THEN '{"share": 0.05, "stretch": [1.3, 1.9, 2.8], "reward_rate": [0.02, 0.06]}'::jsonb END, "from" => '2025-04-01 12:00', "to" => '2025-06-01', step => '20 days') b;
SELECT terms, offered, profit, profit_low, profit_high FROM back_profits WHERE step_at IS NULL AND segment IS NULL ORDER BY profit;
-- Steps and segments add up to all; the profit is that of the response, by hand.
SELECT bool_and(abs(a.profit - s.steps) < 0.05 AND abs(a.profit - s.segments) < 0.05) AS add_up FROM back_profits a
JOIN LATERAL (SELECT sum(p.profit) FILTER (WHERE p.step_at IS NOT NULL) AS steps, sum(p.profit) FILTER (WHERE p.segment IS NOT NULL) AS segments FROM back_profits p WHERE p.terms = a.terms) s ON true WHERE a.step_at IS NULL AND a.segment IS NULL;
SELECT abs(sum((clientele._offer_profits(back._offer_book(), ROW(i.customer, i.segment, i.profile, i.fallback, i.as_of, NULL, NULL, NULL, i.prior, NULL, NULL)::clientele.offer_input, 'grow', o.min_spend, o.reward))[1])
    - (SELECT profit FROM back_profits WHERE terms = 'learned' AND step_at = '2025-04-01 12:00')) < 0.01 AS by_hand
FROM back._offer_inputs_at('2025-04-01 12:00') i, LATERAL clientele.personalized_offer(i.customer_id, 'back', NULL, '2025-04-01 12:00') o;
-- Nothing is believed that was learnt too long before; without a response nothing is expected, nor of programs that bring orders.
SELECT clientele._add_model('back', 'response', back_response('2025-01-01'), NULL, now(), 400, '{}') AS version;
SELECT step_at, refusals ? 'response_outdated' AS outdated FROM clientele.backtest_offer('back', 'grow', 'grow_order_value', terms => 'learned', holdout => 0.05, disclosure => 'By what others did',
    explore => '{"share": 0.05, "stretch": [1.3, 1.9, 2.8], "reward_rate": [0.02, 0.06]}', "from" => '2025-03-20', "to" => '2025-05-01', step => '20 days') WHERE step_at IS NOT NULL;
SELECT customers, profit FROM clientele.backtest_offer('back', 'x', 'win_back', "from" => '2025-05-01', "to" => '2025-05-02') WHERE step_at IS NULL AND segment IS NULL;
SELECT clientele.use_model('back', 'response', NULL);
SELECT customers, offered > 0 AS offered, profit FROM clientele.backtest_offer('back', 'x', 'grow_order_value', "from" => '2025-05-01', "to" => '2025-05-02') WHERE step_at IS NULL AND segment IS NULL;
DROP TABLE back_profits, back_learned;
DROP FUNCTION back_response;

-- ---- Refusals ----
\set VERBOSITY terse
SELECT clientele.backtest_offer('back', 'x', 'grow_order_value');
SELECT clientele.backtest_offer('back', 'x', 'grow_order_value', "from" => now() + interval '1 day', "to" => now() + interval '2 days') IS NULL;
SELECT clientele.backtest_offer('back', 'x', 'grow_order_value', "from" => '-infinity') IS NULL;
\set VERBOSITY default
SELECT clientele.backtest_offer('back', 'x', 'grow_order_value', "from" => '2025-06-01', "to" => '2025-05-01');
SELECT clientele.backtest_offer('back', 'x', 'grow_order_value', "from" => '2025-05-01', "to" => '2025-06-01', step => '0');
SELECT clientele.backtest_offer('back', 'x', 'grow_order_value', "from" => '2025-05-01', "to" => '2025-06-01', step => '-1 day');
SELECT clientele.backtest_offer('back', 'x', 'grow_order_value', "from" => '2025-05-01', "to" => '2025-06-01', step => NULL);
SELECT clientele.backtest_offer('back', 'x', 'grow_order_value', "from" => '2025-05-01', "to" => '2025-06-01', step => '1 hour');
SELECT clientele.backtest_offer('back', 'x', 'grow_order_value', "from" => '2025-05-01', "to" => '2025-06-01', stretch => 1);
SELECT clientele.backtest_offer('back', 'x', 'sell_more', "from" => '2025-05-01', "to" => '2025-06-01');
SELECT clientele.backtest_offer('back', NULL, 'grow_order_value', "from" => '2025-05-01', "to" => '2025-06-01');
\set VERBOSITY terse
SELECT clientele.backtest_offer('back', 'x', 'grow_order_value', valid_for => '1 year', "from" => now() - interval '30 days') IS NULL;
DROP VIEW back_expected, back_then;
SELECT clientele.drop_store('back', force => true);
DROP TABLE back_orders;
