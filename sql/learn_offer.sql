-- Learning: what arms are worth, against plain SQL; what is stored and shown; weights, applied only when asked to.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
SET search_path = public, clientele;
\set SHOW_CONTEXT never

CREATE TABLE l_orders (customer_id int, ordered_at timestamptz, amount numeric(12, 2));
CREATE INDEX ON l_orders (customer_id);
SELECT create_store('learning', 'l_orders', margin => 0.5);
SELECT define_segment('learning', 'often', 'orders > 2', priority => 10);
SELECT define_offer('learning', 'p', 'grow_order_value', holdout => 0.2, max_cv => NULL,
    arms => '[{"stretch": 1.4, "reward_rate": 0.02, "weight": 0.5}, {"name": "high", "stretch": 1.4, "reward_rate": 0.05, "weight": 0.3}, {"name": "rare", "stretch": 2, "reward_rate": 0.1, "weight": 0.2}]');
SELECT * FROM learn_offer('learning', 'p');  -- nobody was enrolled
CREATE FUNCTION l_enrol(customer int, version int, weights float8[]) RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO learning.ledger (customer_id, period, program, program_version, holdout, global_holdout, segment, basis, reference_value, min_spend, reward,
        reward_kind, currency, message, reasons, variant, propensity, issued_at, valid_until)
    SELECT customer, 1, 'p', version, CASE WHEN bucket('l-h', customer::text) < 0.2 THEN 'program' END, 0,
        CASE WHEN customer % 5 = 0 THEN 'often' WHEN customer % 100 = 1 THEN 'few' ELSE 'everybody' END, 'typical', 50, 70, 2,
        'amount_off', 'USD', '', '{typical}', ('{0,high,rare}'::text[])[arm + 1], CASE WHEN bucket('l-h', customer::text) < 0.2 THEN 0.2 ELSE 0.8 * weights[arm + 1] END,
        timestamptz '2025-04-01' + version * interval '30 days', timestamptz '2025-04-15' + version * interval '30 days'
    FROM choose_variant('l-arm', customer::text, weights) arm RETURNING exposure_id $$;
-- Version 2 weighs the arms otherwise; version 3 has other arms; version 4 is version 2 again.
SELECT _set_arm_weights('learning', 'p', '{0.2,0.3,0.5}');
SELECT define_offer('learning', 'p', 'grow_order_value', holdout => 0.2, max_cv => NULL, arms => '[{"stretch": 1.6, "reward_rate": 0.02}, {"name": "high", "stretch": 1.4, "reward_rate": 0.05}]');
INSERT INTO learning.program_versions SELECT 'p', 4, now(), definition FROM learning.program_versions WHERE program = 'p' AND version = 2;
UPDATE learning.programs SET version = 4, arms = (SELECT definition -> 'arms' FROM learning.program_versions WHERE program = 'p' AND version = 4);
SELECT _regenerate_offers('learning');
SELECT count(l_enrol(c, 1, '{0.5,0.3,0.2}')) FROM generate_series(1, 3000) c;
SELECT count(l_enrol(c, 2, '{0.2,0.3,0.5}')) FROM generate_series(3001, 5000) c;
SELECT count(l_enrol(c, 3, '{0.5,0.5,0}')) FROM generate_series(5001, 6000) c;
-- Everybody buys more in the second month; 'high' adds 6, 'rare' 2 and '0' 4 to an order of 50; each costs 2: worth 3 - 2, 1 - 2, 2 - 2.
INSERT INTO l_orders SELECT customer_id, issued_at + interval '3 days', round((40 + 20 * bucket('l-a', customer_id::text) + 30 * (program_version - 1)
    + CASE WHEN holdout IS NOT NULL THEN 0 WHEN variant = 'high' THEN 6 WHEN variant = 'rare' THEN 2 ELSE 4 END)::numeric, 2) FROM learning.ledger;
UPDATE learning.ledger SET state = 'redeemed', closed_at = now(), ordered_at = issued_at + interval '3 days', order_id = customer_id WHERE holdout IS NULL;
CREATE TABLE l_found AS SELECT * FROM learn_offer('learning', 'p');
SELECT segment, variant, customers, held_out, round(net_margin::numeric, 4) AS net_margin, round(net_margin_low::numeric, 4) AS low, round(net_margin_high::numeric, 4) AS high,
    round(expected_profit::numeric, 2) AS profit, in_use, weight, proposed_weight FROM l_found;
-- The true values lie within.
SELECT variant, expected_profit_low < truth AND truth < expected_profit_high AS covered FROM l_found JOIN (VALUES ('0', 0), ('high', 1), ('rare', -1)) t (variant, truth) USING (variant) WHERE segment IS NULL;
-- By plain SQL: within each version, and versions by all their customers.
CREATE VIEW l_rows AS SELECT CASE WHEN l.holdout IS NULL THEN l.variant END AS variant, l.segment, l.program_version AS version, l.propensity AS p,
    (0.5 * (SELECT sum(amount) FROM l_orders o WHERE o.customer_id = l.customer_id) - CASE WHEN l.holdout IS NULL THEN l.reward ELSE 0 END)::float8 AS y FROM learning.ledger l WHERE program_version < 3;
CREATE FUNCTION l_mean(variant text, segment text) RETURNS float8 LANGUAGE sql AS $$
    SELECT sum(n * mean) / sum(n) FROM (SELECT count(*) AS n, sum(y / p) FILTER (WHERE r.variant IS NOT DISTINCT FROM $1) / sum(1 / p) FILTER (WHERE r.variant IS NOT DISTINCT FROM $1) AS mean
        FROM l_rows r WHERE $2 IS NULL OR r.segment = $2 GROUP BY version) v $$;
SELECT segment, variant, abs(net_margin - l_mean(variant, segment)) < 1e-9 AS mean, abs(unshrunk_profit - (l_mean(variant, segment) - l_mean(NULL, segment))) < 1e-9 AS profit FROM l_found;
SELECT sum(proposed_weight) AS sum, propose_weights(shrunken_means(array_agg(net_margin), array_agg(net_margin_se)), shrunken_ses(array_agg(net_margin), array_agg(net_margin_se))) = array_agg(proposed_weight) AS proposed
FROM l_found WHERE segment IS NULL;
-- Shrunken: the arms by their net margins, the segments of an arm by their profits; tau^2 is the variance of the estimates less their mean squared standard error.
SELECT abs(f.expected_profit - (s.mean - f.net_margin + f.unshrunk_profit)) < 1e-9 AS profit, abs(f.tau - s.tau) < 1e-9 AS tau, f.expected_profit_low < f.expected_profit AS has_interval
FROM l_found f, LATERAL (SELECT sqrt(var_samp(net_margin) - avg(net_margin_se ^ 2)) AS tau, (shrunken_means(array_agg(net_margin ORDER BY variant), array_agg(net_margin_se ORDER BY variant)))
    [array_position('{0,high,rare}', f.variant)] AS mean FROM l_found WHERE segment IS NULL) s WHERE f.segment IS NULL;
SELECT variant, round(max(expected_profit)::numeric, 4) - round(min(expected_profit)::numeric, 4) AS apart, round(max(unshrunk_profit)::numeric, 4) - round(min(unshrunk_profit)::numeric, 4) AS were,
    round(min(tau)::numeric, 4) AS tau FROM l_found WHERE segment IN ('often', 'everybody') GROUP BY variant ORDER BY 1;

-- A model like any other: listed, put in use, out of use.
SELECT kind, version, in_use, customers, jsonb_array_length(parameters -> 'estimates') AS estimates, diagnostics -> 'versions' AS versions, data_from FROM models WHERE store = 'learning';
SELECT learning._offer_book() -> 'programs' -> 0 -> 'estimates' -> 0 AS estimate;
SELECT count(*) FROM learn_offer('learning', 'p');
SELECT use_model('learning', 'offer:p', 1);
SELECT string_agg(version || CASE WHEN in_use THEN '*' ELSE '' END, ' ' ORDER BY version) AS versions FROM models WHERE store = 'learning';
SELECT use_model('learning', 'offer:p', NULL);
SELECT count(*) FILTER (WHERE in_use) AS in_use FROM models WHERE store = 'learning';
SELECT learning._offer_book() -> 'programs' -> 0 -> 'estimates' AS estimates;
SELECT use_model('learning', 'offer:p', 3);
-- Learnt to be looked at, and not used.
SELECT bool_or(in_use) AS in_use, count(proposed_weight) AS proposed FROM learn_offer('learning', 'p', use => false);
SELECT string_agg(version || CASE WHEN in_use THEN '*' ELSE '' END, ' ' ORDER BY version) AS versions FROM models WHERE store = 'learning';
-- Of other terms, or of a program that is no more, an estimate says nothing; weights, holdout and the like are no terms.
BEGIN;
SELECT define_offer('learning', 'p', 'grow_order_value', holdout => 0.3, max_cv => NULL,
    arms => '[{"stretch": 1.4, "reward_rate": 0.02, "weight": 0.4}, {"name": "high", "stretch": 1.4, "reward_rate": 0.05, "weight": 0.4}, {"name": "rare", "stretch": 2, "reward_rate": 0.1, "weight": 0.2}]');
SELECT use_model('learning', 'offer:p', 2);
SELECT define_offer('learning', 'p', 'grow_order_value', stretch => 3, reward_rate => 0.2, holdout => 0.2, max_cv => NULL, valid_for => '10 days');
SAVEPOINT other;
SELECT use_model('learning', 'offer:p', 2);
ROLLBACK TO other;
SELECT use_model('learning', 'offer:p', NULL);
SELECT drop_offer('learning', 'p');
SAVEPOINT dropped;
SELECT use_model('learning', 'offer:p', 2);
ROLLBACK TO dropped;
SELECT use_model('learning', 'offer:p', NULL);
SELECT define_offer('learning', 'p', 'grow_order_value', holdout => 0.2, max_cv => NULL,
    arms => '[{"stretch": 1.4, "reward_rate": 0.02}, {"name": "high", "stretch": 1.4, "reward_rate": 0.05}, {"name": "rare", "stretch": 2, "reward_rate": 0.1}]');
SELECT use_model('learning', 'offer:p', 2);  -- as it was
ROLLBACK;
DELETE FROM learning.models WHERE version = 3;
SELECT use_model('learning', 'offer:p', 2);
-- What an offer shows: that of its segment, else that of all.
INSERT INTO l_orders SELECT c, now() - n * interval '20 days', 50 FROM generate_series(7001, 7040) c, generate_series(1, CASE WHEN c % 2 = 0 THEN 4 ELSE 1 END) n;
CALL refresh('learning');
SELECT o.segment, o.variant, count(*) > 0 AS offered, bool_and(o.expected_profit = round(f.expected_profit::numeric, 2)) AS as_learnt FROM learning.offers o
    JOIN l_found f ON f.variant = o.variant AND f.segment IS NOT DISTINCT FROM (SELECT s.segment FROM l_found s WHERE s.in_use AND s.segment = o.segment LIMIT 1) WHERE o.customer_id > 7000 GROUP BY 1, 2 ORDER BY 1, 2;
-- Every enrolment whose arm was drawn counts, a customer as one unit; and what the same customers did before takes off noise.
BEGIN;
INSERT INTO learning.ledger (customer_id, period, program, program_version, holdout, global_holdout, segment, basis, reference_value, min_spend, reward, reward_kind, currency, message, reasons, variant, propensity, issued_at, valid_until)
SELECT customer_id, 2, program, program_version, holdout, 0, segment, basis, reference_value, min_spend, reward, reward_kind, currency, message, reasons, variant, propensity, issued_at + interval '16 days', valid_until + interval '16 days'
FROM learning.ledger WHERE program_version = 1 AND customer_id % 3 = 0;
UPDATE learning.ledger SET state = 'expired', closed_at = now() WHERE period = 2;
INSERT INTO l_orders SELECT customer_id, issued_at + interval '2 days', 30 + customer_id % 40 FROM learning.ledger WHERE period = 2;
INSERT INTO l_orders SELECT customer_id, issued_at - interval '30 days', 2 * (40 + 20 * bucket('l-a', customer_id::text)) FROM learning.ledger WHERE program_version = 1 AND period = 1;
CREATE VIEW l_customers AS
    SELECT CASE WHEN l.holdout IS NULL THEN l.variant END AS variant, l.customer_id, count(*) AS m, avg(0.5 * s.amount - CASE WHEN l.holdout IS NULL AND l.period = 1 THEN l.reward ELSE 0 END)::float8 AS y,
        (0.5 * max(coalesce(b.amount, 0)))::float8 AS x
    FROM learning.ledger l LEFT JOIN LATERAL (SELECT sum(o.amount) AS amount FROM l_orders o WHERE o.customer_id = l.customer_id AND o.ordered_at >= l.issued_at AND o.ordered_at < l.issued_at + interval '14 days') s ON true
    LEFT JOIN LATERAL (SELECT sum(o.amount) AS amount FROM l_orders o WHERE o.customer_id = l.customer_id AND o.ordered_at < '2025-05-01') b ON true
    WHERE l.program_version = 1 GROUP BY 1, 2;
CREATE VIEW l_adjusted AS SELECT c.variant, c.m, c.y - t.theta * (c.x - avg(c.x) OVER ()) AS y FROM l_customers c, (SELECT (lift(y, variant IS NOT NULL, x)).theta FROM l_customers) t;
SELECT f.variant, f.customers = e.n AS customers, f.enrolments = e.m AS enrolments, abs(f.net_margin - e.mean) < 1e-9 AS mean, abs(f.net_margin_se - e.se) < 1e-9 AS se, f.net_margin_se < 0.9 * p.net_margin_se AS less_noise
FROM learn_offer('learning', 'p', "to" => '2025-05-25', use => false) f
JOIN learn_offer('learning', 'p', "to" => '2025-05-25', use => false, pre_period => '0') p ON p.variant = f.variant AND p.segment IS NULL
JOIN (SELECT a.variant, count(*) AS n, sum(a.m) AS m, max(g.mean) AS mean, sqrt(count(*) / (count(*) - 1.0) * sum((a.m * a.y - g.mean * a.m) ^ 2)) / sum(a.m) AS se
    FROM l_adjusted a JOIN (SELECT variant, sum(m * y) / sum(m) AS mean FROM l_adjusted GROUP BY 1) g USING (variant) GROUP BY 1) e ON e.variant = f.variant WHERE f.segment IS NULL;
-- What was earned of a later enrolment has to be settled, too.
UPDATE learning.ledger SET state = 'open', closed_at = NULL, min_spend = 20 WHERE period = 2 AND holdout IS NULL AND customer_id < 100;
SELECT learn_offer('learning', 'p');
ROLLBACK;
-- Arms that differ by nothing but noise keep their weights.
BEGIN;
UPDATE l_orders SET amount = 50 + 40 * bucket('l-noise', customer_id::text);
UPDATE learning.ledger SET reward = 0.01;
SELECT variant, round(expected_profit::numeric, 4) = round((max(expected_profit) OVER ())::numeric, 4) AS all_the_same, unshrunk_profit = expected_profit AS as_it_was, tau FROM learn_offer('learning', 'p', use => false) WHERE segment IS NULL;
SELECT learn_offer('learning', 'p', apply => true);
ROLLBACK;
-- Weights change only when asked to.
SELECT version, weight FROM learning.programs, _arms((SELECT definition FROM learning.program_versions v WHERE v.program = 'p' ORDER BY v.version DESC LIMIT 1));
SELECT count(*) FROM learn_offer('learning', 'p', apply => true);
SELECT p.version, array_agg(a.weight) = (SELECT array_agg(proposed_weight) FROM l_found WHERE segment IS NULL) AS applied FROM learning.programs p,
    _arms((SELECT definition FROM learning.program_versions v WHERE v.program = 'p' ORDER BY v.version DESC LIMIT 1)) a GROUP BY 1;
SELECT string_agg(version || CASE WHEN in_use THEN '*' ELSE '' END, ' ' ORDER BY version) AS versions FROM models WHERE store = 'learning';

-- ---- Refusals ----

-- Rewards that were earned and are not settled.
BEGIN;
UPDATE learning.ledger SET state = 'open', closed_at = NULL, order_id = NULL, min_spend = 45 WHERE state = 'redeemed' AND customer_id <= 500;
SELECT learn_offer('learning', 'p');
ROLLBACK;
SELECT learn_offer('learning', NULL);
SELECT learn_offer('learning', 'p', apply => NULL);
SELECT learn_offer('learning', 'p', use => NULL);
SELECT learn_offer('learning', 'q');
SELECT learn_offer('learning', 'p', horizon => '-1 day');
SELECT learn_offer('learning', 'p', pre_period => NULL);
SELECT learn_offer('learning', 'p', pre_period => '-1 day');
SELECT learn_offer(NULL, 'p');
SELECT learn_offer('learning', 'p', "from" => '2026-01-01');
\set VERBOSITY terse
SELECT learn_offer('learning', 'p', horizon => '9 years');  -- nobody's is over
\set VERBOSITY default
DELETE FROM learning.ledger WHERE variant = 'rare' AND customer_id % 20 > 0;
SELECT variant, customers, in_use, proposed_weight FROM learn_offer('learning', 'p') WHERE segment IS NULL;
SELECT learn_offer('learning', 'p', apply => true);
DELETE FROM learning.ledger WHERE customer_id % 50 > 0;
SELECT learn_offer('learning', 'p');
-- One arm; without a holdout nothing is stored.
SELECT define_offer('learning', 'one', 'second_order');
SELECT count(l_enrol(c, 1, '{1,0,0}')) FROM generate_series(10001, 10300) c;
UPDATE learning.ledger SET program = 'one', variant = 'default', holdout = NULL, propensity = 1 WHERE customer_id > 10000;
SELECT variant, customers, held_out, net_margin, expected_profit, in_use, weight, proposed_weight FROM learn_offer('learning', 'one') WHERE segment IS NULL;
SELECT learn_offer('learning', 'one', apply => true);
SELECT count(*) FROM models WHERE store = 'learning' AND kind = 'offer:one';
SELECT drop_offer('learning', 'p');
SELECT count(*) FILTER (WHERE in_use) AS in_use FROM models WHERE store = 'learning';

DROP VIEW l_rows;
SELECT drop_store('learning');
DROP FUNCTION l_enrol, l_mean;
DROP TABLE l_orders, l_found;
