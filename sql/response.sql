-- What is learned of how customers respond to offers, from the log that issuing keeps.
SET extra_float_digits = 0;
SET client_min_messages = warning;
CREATE SCHEMA responses;
SET search_path = responses, public;

CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10,2));
INSERT INTO orders SELECT 100 * c + place, c, now() - (10 + c % 7 + 20 * place) * interval '1 day',
    round((40 * exp(clientele.bucket('mean', c::text) - 0.5 + 0.6 * (clientele.bucket('spread', c || ':' || place) - 0.5)))::numeric, 2)
FROM generate_series(1, 400) AS c, generate_series(1, 1 + c % 6) AS place;
SELECT clientele.create_store('rs', orders => 'responses.orders', margin => 0.3);
CALL clientele.refresh('rs');

-- ---- What the log keeps ----
SELECT clientele.define_offer('rs', 'arms', 'grow_order_value', max_cv => NULL, holdout => 0.2,
    arms => '[{"stretch": 1.3, "reward_rate": 0.02}, {"stretch": 1.9, "reward_rate": 0.06}]');
SELECT min_spend > 0 AS asked FROM clientele.issue_offer(1, 'rs');
CALL clientele.issue_offers('rs');
SELECT variant, status, drawn_stretch, drawn_reward_rate, margin, count(*) > 20 AS many FROM rs.exposures GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2;
-- It is what was known then, whether the offer was issued alone or with all; a refresh that finds more does not change it.
CREATE TABLE known AS
SELECT e.customer_id, e.log_mean, e.log_sd, clientele.log_value_mean(p.profile, s.value_prior) AS mean, clientele.log_value_sd(p.profile, s.value_prior) AS sd
FROM rs.exposures e JOIN rs.profiles p USING (customer_id), rs.scoring s;
SELECT count(*), count(*) FILTER (WHERE (log_mean, log_sd) IS DISTINCT FROM (mean, sd)) AS differ FROM known;
INSERT INTO orders SELECT 100 * c + 50, c, now(), 500 FROM generate_series(1, 400) AS c;
CALL clientele.refresh('rs');
SELECT count(*) FILTER (WHERE (e.log_mean, e.log_sd) IS DISTINCT FROM (k.mean, k.sd)) AS changed,
       count(*) FILTER (WHERE clientele.log_value_mean(p.profile, s.value_prior) = k.mean) AS same_now
FROM rs.exposures e JOIN known k USING (customer_id) JOIN rs.profiles p USING (customer_id), rs.scoring s;
-- Terms that follow from the customer were not drawn, nor those of a single arm.
SELECT clientele.define_offer('rs', 'arms', 'grow_order_value', max_cv => NULL, arms => '[{"stretch": 1.3, "reward_rate": 0.02, "weight": 1}]');
SELECT clientele.withdraw_offer(exposure_id) IS NOT NULL AS withdrawn FROM rs.exposures WHERE status = 'offered' ORDER BY customer_id LIMIT 1;
SELECT e.drawn_stretch, e.log_mean > 0 AS known FROM rs._offer_inputs i, clientele._enrol(rs._offer_book(), i.input, NULL, NULL) e WHERE i.open_exposure IS NULL LIMIT 1;
-- Nothing is known before a refresh has looked at the customers.
UPDATE rs.scoring SET value_prior = NULL;
SELECT e.log_mean, e.min_spend > 0 AS asked FROM rs._offer_inputs i, clientele._enrol(rs._offer_book(), i.input, NULL, NULL) e WHERE i.open_exposure IS NULL LIMIT 1;
SELECT clientele.drop_store('rs', force => true);

-- ---- What is learned from it ----
-- A shop whose customers are known: each has a mean and a spread of the logarithm, and raises orders as the model has it.
CREATE FUNCTION uniform(what text, who text) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT greatest(clientele.bucket(what, who), 1e-9)';
CREATE FUNCTION normal(what text, who text) RETURNS float8 LANGUAGE sql IMMUTABLE AS
    'SELECT sqrt(-2 * ln(responses.uniform(what, who))) * cos(2 * pi() * responses.uniform(what || ''2'', who))';
CREATE TABLE customers AS
SELECT c AS customer_id, 3.6 + 0.5 * normal('mean', c::text) AS mu, 0.15 + 0.4 * uniform('sd', c::text) AS sigma,
    1 + floor(9 * uniform('orders', c::text))::int AS orders, c % 3 = 0 AS keen
FROM generate_series(1, 6000) AS c;
ALTER TABLE customers ADD PRIMARY KEY (customer_id);
TRUNCATE orders;
ALTER TABLE orders ALTER order_id ADD GENERATED ALWAYS AS IDENTITY;
INSERT INTO orders (customer_id, ordered_at, amount)
SELECT c.customer_id, now() - (40 + place * 30 + c.customer_id % 29) * interval '1 day', exp(c.mu + c.sigma * normal('history', customer_id || ':' || place))::numeric(10,2)
FROM customers c, generate_series(1, c.orders) AS place;
SELECT clientele.create_store('rs', orders => 'responses.orders', customers => 'responses.customers', attributes => '{keen}', margin => 0.3);
CALL clientele.refresh('rs');
SELECT clientele.define_segment('rs', 'keen', 'keen');
SELECT clientele.define_offer('rs', 'explore', 'grow_order_value', max_cv => NULL, holdout => 0.1, arms => '[{"stretch": 1.3, "reward_rate": 0.02},
    {"stretch": 1.9, "reward_rate": 0.02}, {"stretch": 2.8, "reward_rate": 0.02}, {"stretch": 1.3, "reward_rate": 0.06}, {"stretch": 1.9, "reward_rate": 0.06}, {"stretch": 2.8, "reward_rate": 0.06}]');
CALL clientele.issue_offers('rs');
UPDATE rs.ledger SET issued_at = issued_at - interval '20 days', valid_until = valid_until - interval '20 days';
-- Orders of the horizon. One in two customers orders, one in six twice.
INSERT INTO orders (customer_id, ordered_at, amount)
SELECT l.customer_id, l.issued_at + place * interval '3 days',
    CASE WHEN l.holdout IS NULL AND x.value < l.min_spend AND uniform('raised', l.customer_id || ':' || place) < 0.7 / (1 + exp(-(
            CASE WHEN c.keen THEN -0.7 ELSE -1.5 END + 0.8 * ln(l.reward / l.min_spend / 0.05) - 4 * ((l.min_spend::float8 - x.value) / x.value / 0.4 - 1))))
        THEN ceil(l.min_spend * (1 - 0.04 * ln(uniform('beyond', l.customer_id || ':' || place)))) ELSE x.value::numeric(10,2) END
FROM rs.ledger l JOIN customers c USING (customer_id), generate_series(1, 2) AS place,
     LATERAL (SELECT exp(c.mu + c.sigma * normal('future', l.customer_id || ':' || place)) AS value) AS x
WHERE uniform('places', l.customer_id || ':' || place) < 0.6 / place;

-- Nothing is known of who responds before the horizon is over, nor of a store without such programs.
SELECT clientele.fit_response('rs', "to" => '2020-01-01 00:00+00');
SELECT clientele.fit_response('rs', "from" => '2999-01-01 00:00+00');
SELECT clientele.fit_response('rs', horizon => '60 days');

CREATE TABLE fits AS SELECT f.* FROM clientele.fit_response('rs') f;
SELECT version, in_use, exposures, held_out, orders, redemptions, drawn_redemptions, converged, round(log_likelihood::numeric, 3) AS log_likelihood,
    round(reach_pvalue::numeric, 3) AS reach_pvalue, learned_share > 0.5 AS offered FROM fits;
-- The truth is within the intervals: a -1.5, lb ln 4, c 0.8, lA logit 0.7, lomega ln 0.04, keen 0.8 above the others.
SELECT t.name, round((parameters ->> t.name)::numeric, 3) AS estimate, round((standard_errors ->> t.name)::numeric, 3) AS error,
    abs((parameters ->> t.name)::float8 - t.truth) < 2 * (standard_errors ->> t.name)::float8 AS holds
FROM fits, (VALUES ('a', -1.5), ('lb', ln(4)), ('c', 0.8), ('lA', ln(0.7 / 0.3)), ('lomega', ln(0.04))) AS t (name, truth);
SELECT round((parameters -> 'd' ->> 'keen')::numeric, 3) > round((parameters -> 'd' ->> 'default')::numeric, 3) AS keen_respond_more FROM fits;
SELECT r.* FROM fits, jsonb_to_recordset(reach) AS r (stretch numeric, reward_rate numeric, open_orders int, redemptions int, predicted numeric);
-- Redemptions are counted as settling finds them.
CALL clientele.settle_offers('rs');
SELECT count(*) AS redeemed FROM rs.offer_ledger WHERE status = 'redeemed';
SELECT round(extra_orders::numeric, 5) AS extra, round(extra_orders_measured::numeric, 4) AS measured, round(extra_orders_measured_error::numeric, 4) AS error,
    (WITH o AS (
        SELECT (SELECT count(*) FROM orders o WHERE o.customer_id = l.customer_id AND o.ordered_at >= l.issued_at)::float8 AS orders,
            (SELECT count(*) FROM orders o WHERE o.customer_id = l.customer_id AND o.ordered_at < l.issued_at AND o.ordered_at >= l.issued_at - interval '365 days')::float8 AS before,
            l.variant, l.holdout, CASE WHEN l.holdout IS NULL THEN (l.reward / exp(l.log_mean))::float8 ELSE 0 END AS reward FROM rs.ledger l
    ), w AS (SELECT *, m / (m + before) AS weight FROM o, (SELECT avg(before) AS m FROM o) AS n
    ), c AS (SELECT *, before - sum(weight * before) OVER () / sum(weight) OVER () AS apart FROM w
    ), a AS (SELECT *, orders - before * (SELECT sum(weight * apart * orders) / sum(weight * apart ^ 2) FROM c) AS adjusted,
            sum(weight * reward) OVER (PARTITION BY variant, holdout) / sum(weight) OVER (PARTITION BY variant, holdout) AS dose FROM c
    ), d AS (SELECT *, dose - sum(weight * dose) OVER () / sum(weight) OVER () AS dose_apart FROM a)
    SELECT round((sum(weight * dose_apart * adjusted) / sum(weight * dose_apart ^ 2) * avg(reward) FILTER (WHERE reward > 0))::numeric, 4) FROM d) AS by_hand FROM fits;
SELECT round(in_use_profit::numeric, 4) AS in_use, round(spread_profit::numeric, 4) AS spread, uniform_stretch, uniform_reward_rate, round(uniform_profit::numeric, 4) AS uniform,
    round(learned_profit::numeric, 4) AS learned, round(learned_profit_low::numeric, 4) AS low, round(exploring_cost::numeric, 4) AS exploring, note FROM fits;
SELECT in_use_profit BETWEEN in_use_profit_low AND in_use_profit_high AND learned_profit BETWEEN learned_profit_low AND learned_profit_high AS within FROM fits;
-- It is a model like any other, and fitting again finds the same.
SELECT kind, version, in_use, customers, diagnostics ->> 'redemptions' AS redemptions FROM clientele.models WHERE store = 'rs';
SELECT f.version, f.parameters = o.parameters AS same FROM clientele.fit_response('rs', use => false) f, fits o;
-- The report shows what was found.
SELECT html ~ 'What ways of setting terms would earn: most by' AS profits, html ~ ('>' || round(o.learned_profit::numeric, 2) || '<') AS the_same,
    html ~ 'Who responds to what: [0-9.]+' AS responses, html ~ 'This cannot be shown: (?!too few|store rs uses no model of kind .quot;clv)' AS faulty
FROM clientele.report_html('rs') AS html, fits AS o;
SELECT clientele.use_model('rs', 'response', NULL);
SELECT rs._offer_book() ? 'response' AS in_the_book;
SELECT clientele.use_model('rs', 'response', 2);
SELECT rs._offer_book() -> 'response' ->> 'horizon_days' AS horizon;
-- What is assumed, rather than measured.
SELECT round(extra_orders::numeric, 3) AS extra, extra_orders_error, learned_profit > 0.05 AS much FROM clientele.fit_response('rs', extra_orders => 0.01, use => false);
SELECT f.learned_profit < o.learned_profit AS less FROM clientele.fit_response('rs', displaced => 0.5, use => false) f, fits o;

-- ---- Too little to learn from ----
CREATE TABLE kept AS SELECT * FROM rs.ledger;
-- A part of the log. Rewards of one rate do not tell what more would do; forced, it is stored, and says so.
UPDATE rs.ledger SET drawn_stretch = NULL, drawn_reward_rate = NULL WHERE drawn_reward_rate = 0.06;
SELECT clientele.fit_response('rs');
SELECT version, drawn_redemptions, note FROM clientele.fit_response('rs', force => true, use => false);
UPDATE rs.ledger l SET drawn_stretch = 1.3, drawn_reward_rate = k.drawn_reward_rate FROM kept k WHERE k.exposure_id = l.exposure_id;
SELECT clientele.fit_response('rs');
UPDATE rs.ledger l SET drawn_stretch = NULL, drawn_reward_rate = NULL;
SELECT clientele.fit_response('rs', force => true);
UPDATE rs.ledger l SET drawn_stretch = k.drawn_stretch, drawn_reward_rate = k.drawn_reward_rate FROM kept k WHERE k.exposure_id = l.exposure_id;
-- No redemption, and all of them.
UPDATE rs.ledger l SET min_spend = 100000;
SELECT version, redemptions, converged, in_use, note FROM clientele.fit_response('rs', force => true);
UPDATE rs.ledger l SET min_spend = 0.01;
SELECT version, redemptions, converged, in_use, left(note, 60) AS note FROM clientele.fit_response('rs', force => true);
-- Rewards above thresholds.
UPDATE rs.ledger l SET min_spend = k.min_spend, reward = 10 * k.min_spend FROM kept k WHERE k.exposure_id = l.exposure_id;
SELECT version, converged, in_use FROM clientele.fit_response('rs', force => true);
UPDATE rs.ledger l SET reward = k.reward FROM kept k WHERE k.exposure_id = l.exposure_id;
-- One segment, one that nobody was in, and a sensitive one, of which nothing is learnt.
SELECT clientele.define_segment('rs', 'nobody', 'false');
UPDATE rs.ledger SET segment = 'default';
SELECT jsonb_object_keys(parameters -> 'd') AS segment FROM clientele.fit_response('rs', use => false);
UPDATE rs.ledger l SET segment = k.segment FROM kept k WHERE k.exposure_id = l.exposure_id;
SELECT clientele.define_segment('rs', 'keen', 'keen', sensitive => true);
SELECT jsonb_object_keys(parameters -> 'd') AS segment FROM clientele.fit_response('rs', use => false);
-- Nor of one that rests on the same attribute.
SELECT clientele.define_segment('rs', 'patient', 'NOT keen AND orders > 100');
UPDATE rs.ledger SET segment = 'patient' WHERE customer_id % 7 = 0;
SELECT jsonb_object_keys(parameters -> 'd') AS segment FROM clientele.fit_response('rs', use => false);
UPDATE rs.ledger l SET segment = k.segment FROM kept k WHERE k.exposure_id = l.exposure_id;
SELECT clientele.drop_segment('rs', 'patient');
-- Amounts of any size.
UPDATE orders SET amount = CASE WHEN order_id % 2000 = 0 THEN 0.01 ELSE 99999999 END WHERE order_id % 1000 = 0;
SELECT converged FROM clientele.fit_response('rs', force => true, use => false);
UPDATE orders SET amount = 40 WHERE order_id % 1000 = 0;
SELECT clientele.define_segment('rs', 'keen', 'keen');
-- ---- When not to trust it ----
CREATE FUNCTION outdated() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT concat_ws('; ', rs._offer_book() -> 'response' ->> 'outdated', (SELECT a.detail FROM clientele.alerts a WHERE a.alert = 'response_outdated')) $$;
SELECT version, in_use FROM clientele.fit_response('rs');
CALL clientele.refresh('rs');
SELECT outdated();
-- The season: what those who are held out have spent of late, against what was expected; only where somebody looks.
SELECT season BETWEEN -0.1 AND 0.1 AS as_expected, abs(season - n.by_hand) < 1e-9 AS by_hand FROM rs.scoring s,
    (SELECT sum((ln(o.amount) - l.log_mean) / l.log_sd ^ 2) / (1 / 0.2 ^ 2 + sum(1 / l.log_sd ^ 2)) AS by_hand FROM rs.ledger l JOIN orders o ON o.customer_id = l.customer_id
     WHERE l.holdout IS NOT NULL AND o.ordered_at >= l.issued_at AND o.ordered_at < l.valid_until AND o.ordered_at > now() - interval '28 days') n;
UPDATE orders o SET amount = 1.3 * o.amount FROM rs.ledger l WHERE l.customer_id = o.customer_id AND l.holdout IS NOT NULL AND o.ordered_at >= l.issued_at;
SELECT season AS before, NULL::numeric AS profit INTO seasons FROM rs.scoring;
UPDATE seasons SET profit = (SELECT sum(profit) FROM generate_series(1, 50) c, clientele.response_curve(c::bigint, 'rs') r WHERE r.reward > 0);
CALL clientele.refresh('rs');
SELECT season - before BETWEEN 0.2 AND 0.27 AS dearer, (SELECT sum(profit) FROM generate_series(1, 50) c, clientele.response_curve(c::bigint, 'rs') r WHERE r.reward > 0) <> profit AS decides FROM rs.scoring, seasons;
UPDATE orders o SET amount = o.amount / 1.3 FROM rs.ledger l WHERE l.customer_id = o.customer_id AND l.holdout IS NOT NULL AND o.ordered_at >= l.issued_at;
SELECT clientele.use_model('rs', 'response', NULL);
CALL clientele.refresh('rs');
SELECT season FROM rs.scoring;
SELECT clientele.use_model('rs', 'response', (SELECT max(version) FROM clientele.models WHERE store = 'rs' AND kind = 'response'));
CALL clientele.refresh('rs');
SELECT outdated();
-- A new message, or another margin: what was learnt was learnt of others.
SELECT clientele.alter_offer('rs', 'explore', message => 'Now or never: {reward} off from {min_spend}');
CALL clientele.refresh('rs');
SELECT outdated();
SELECT version, in_use FROM clientele.fit_response('rs');
SELECT outdated();
SELECT clientele.alter_store('rs', margin => 0.25);
CALL clientele.refresh('rs');
SELECT outdated();
SELECT clientele.alter_store('rs', margin => 0.3);
-- Redemptions become fewer from one month to the next.
SELECT version, in_use FROM clientele.fit_response('rs');
UPDATE rs.ledger SET issued_at = issued_at - interval '31 days', valid_until = valid_until - interval '31 days' WHERE customer_id % 2 = 0;
UPDATE orders SET ordered_at = ordered_at - interval '31 days' WHERE customer_id % 2 = 0;
UPDATE orders o SET amount = amount / 3 FROM rs.ledger l WHERE l.customer_id = o.customer_id AND o.customer_id % 2 = 0 AND o.ordered_at >= l.issued_at;
SET client_min_messages = error;  -- the warning has figures
CALL clientele.refresh('rs');
SET client_min_messages = warning;
SELECT regexp_replace(outdated(), 'p = [^;]*', 'p = …', 'g') AS outdated;
-- Nothing was known of the customers.
UPDATE rs.ledger SET log_mean = NULL, log_sd = NULL;
SELECT clientele.fit_response('rs');
-- Arguments.
SELECT clientele.fit_response('rs', horizon => '-1 day');
SELECT clientele.fit_response('rs', "from" => '2025-02-01', "to" => '2025-01-01');
SELECT clientele.fit_response('rs', extra_orders => -0.1);
SELECT clientele.fit_response('rs', displaced => 'NaN');
SELECT clientele.fit_response('rs', force => NULL);
SELECT clientele.fit_response('nowhere');
SELECT clientele.drop_offer('rs', 'explore');
CREATE ROLE response_reader;
GRANT USAGE ON SCHEMA rs TO response_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA rs TO response_reader;
SET ROLE response_reader;
SELECT clientele.fit_response('rs');
RESET ROLE;
SELECT clientele.drop_store('rs', force => true);
DROP SCHEMA responses CASCADE;
DROP ROLE response_reader;
