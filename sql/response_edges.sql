-- Logs, amounts and customers at the edges of what a response can be learnt of: a clear refusal, or a sensible result.
SET client_min_messages = warning;
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
CREATE SCHEMA edges;
SET search_path = edges, public;
CREATE FUNCTION uniform(what text, who text) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT greatest(clientele.bucket(what, who), 1e-9)';
CREATE FUNCTION normal(what text, who text) RETURNS float8 LANGUAGE sql IMMUTABLE AS
    'SELECT sqrt(-2 * ln(edges.uniform(what, who))) * cos(2 * pi() * edges.uniform(what || ''2'', who))';

-- A shop of 1,500 customers, a tenth of whom have never ordered, all of whose offers explore; one in three orders that are below is raised.
CREATE PROCEDURE open_shop(scale numeric, decimals int, currency text) LANGUAGE plpgsql AS $$
BEGIN
    CREATE TABLE people AS SELECT c AS customer_id FROM generate_series(1, 1500) c;
    ALTER TABLE people ADD PRIMARY KEY (customer_id);
    CREATE TABLE orders (order_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric);
    INSERT INTO orders (customer_id, ordered_at, amount)
    SELECT c, now() - (40 + place * 30 + c % 29) * interval '1 day', round(scale * exp(3.6 + 0.4 * normal('m', c::text) + 0.35 * normal('h', c || ':' || place))::numeric, decimals)
    FROM generate_series(1, 1500) c, generate_series(1, 1 + c % 6) place WHERE c % 10 > 0;
    PERFORM clientele.create_store('edge', orders => 'edges.orders', customers => 'edges.people', currency => currency);
    CALL clientele.refresh('edge');
    PERFORM clientele.define_offer('edge', 'p', 'grow_order_value', max_cv => NULL, holdout => 0.1,
        explore => '{"share": 0.9, "stretch": [1.3, 1.9, 2.8], "reward_rate": [0.02, 0.06]}');
    PERFORM clientele.issue_offer(c, 'edge') FROM generate_series(1, 1500) c;
    UPDATE edge.ledger SET issued_at = issued_at - interval '20 days', valid_until = valid_until - interval '20 days';
    INSERT INTO orders (customer_id, ordered_at, amount)
    SELECT l.customer_id, l.issued_at + interval '3 days', CASE WHEN l.holdout IS NULL AND x.value < l.min_spend AND uniform('raised', l.customer_id::text) < 0.3
        THEN round(l.min_spend * (1 - 0.04 * ln(uniform('beyond', l.customer_id::text)))::numeric, decimals) ELSE round(x.value::numeric, decimals) END
    FROM edge.ledger l, LATERAL (SELECT scale::float8 * exp(3.6 + 0.4 * normal('m', l.customer_id::text) + 0.35 * normal('f', l.customer_id::text)) AS value) x
    WHERE uniform('orders', l.customer_id::text) < 0.8;
END $$;
CREATE PROCEDURE close_shop() LANGUAGE plpgsql AS $$
BEGIN
    PERFORM clientele.drop_store('edge', force => true);
    DROP TABLE orders, people;
END $$;
SET check_function_bodies = off;
-- What a fit says, in words that do not depend on the last digit: finite numbers, intervals that hold what they are of, offers that can be decided.
CREATE FUNCTION said() RETURNS TABLE (converged boolean, exposures boolean, redemptions text, finite boolean, ordered boolean, decided boolean, rungs boolean, at_most_half boolean) LANGUAGE sql AS $$
    WITH f AS MATERIALIZED (SELECT f.* FROM clientele.fit_response('edge', force => true) f),
    used AS MATERIALIZED (SELECT clientele.use_model('edge', 'response', f.version) FROM f)
    SELECT f.converged, f.exposures > 1000, CASE WHEN f.redemptions = 0 THEN 'none' WHEN f.redemptions > 0.9 * f.orders * 0.9 THEN 'all' ELSE 'some' END,
        (SELECT bool_and(abs(v) < 1e15) FROM unnest(ARRAY[f.learned_profit, f.learned_profit_low, f.learned_profit_high, f.spread_profit, f.uniform_profit, f.in_use_profit, f.exploring_cost, f.log_likelihood]) v),
        f.learned_profit_low <= f.learned_profit_high AND f.uniform_profit_low <= f.uniform_profit_high, (SELECT count(*) > 1000 FROM edge.offer_decisions, used),
        (SELECT bool_and(min_spend >= 1) IS NOT FALSE FROM generate_series(1, 30) c, clientele.response_curve(c, 'edge')),
        (SELECT bool_and(reward < min_spend) IS NOT FALSE FROM generate_series(1, 30) c, clientele.response_curve(c, 'edge'))
    FROM f $$;

-- ---- Amounts ----
CALL open_shop(1, 2, 'USD');
SELECT * FROM said();
-- Customers without orders are in the log, and get offers of their own.
SELECT count(*) > 100 AS without_orders, bool_and(l.log_sd > 0) AS spread_is_known FROM edge.ledger l WHERE l.customer_id % 10 = 0;
SELECT count(*) > 0 AS curve FROM clientele.response_curve(10, 'edge');
CREATE TABLE dollars AS SELECT parameters FROM clientele.fit_response('edge', force => true, use => false);
CALL close_shop();
-- Without decimals: the same shop, in yen.
CALL open_shop(100, 0, 'JPY');
SELECT * FROM said();
SELECT bool_and(reward = trunc(reward)) AS whole FROM edge.ledger;
-- 0.01 and 10^12, by the billion.
CALL close_shop();
CALL open_shop(0.0005, 2, 'USD');
-- Thresholds are whole amounts: all of a fiftyfold, and more.
SELECT min(amount), max(amount) < 1 AS below_one FROM orders;
SELECT * FROM said();
CALL close_shop();
CALL open_shop(1e10, 2, 'USD');
SELECT max(amount) > 1e12 AS huge FROM orders;
SELECT * FROM said();
SELECT max(min_spend) > 1e12 AS thresholds FROM edge.ledger;
CALL close_shop();

-- ---- Logs ----
CALL open_shop(1, 2, 'USD');
-- A horizon longer than the log: nobody's is over.
\set VERBOSITY terse
SELECT clientele.fit_response('edge', horizon => '90 days');
SELECT clientele.fit_response('edge', horizon => '11 years');
SELECT clientele.fit_response('edge', "from" => now() + interval '1 day');
SELECT clientele.fit_response('edge');
\set VERBOSITY default
-- Nobody was held out; nobody ordered; everybody was held out.
UPDATE edge.ledger SET holdout = NULL;
SELECT converged, extra_orders >= 0 AS extra FROM clientele.fit_response('edge', force => true, use => false);
BEGIN;
DELETE FROM orders WHERE ordered_at > now() - interval '30 days';
\set VERBOSITY terse
SELECT clientele.fit_response('edge', force => true, use => false);
\set VERBOSITY default
ROLLBACK;
UPDATE edge.ledger SET holdout = 'program';
SELECT converged, redemptions FROM clientele.fit_response('edge', force => true, use => false);
UPDATE edge.ledger SET holdout = NULL;
-- Thresholds below every order: all redeem, and no offer could have raised one. Rewards as high as what is asked for.
UPDATE edge.ledger SET min_spend = 1;
SELECT converged, redemptions > 0.8 * orders AS everybody, in_use FROM clientele.fit_response('edge', force => true);
UPDATE edge.ledger SET min_spend = 60, reward = 60;
SELECT converged, in_use FROM clientele.fit_response('edge', force => true);
-- A store that nobody has refreshed since: what was learnt holds, of customers as they are stored.
UPDATE edge.ledger SET reward = 1;
SELECT clientele.use_model('edge', 'response', version) FROM clientele.fit_response('edge', force => true, use => false);
INSERT INTO orders (customer_id, ordered_at, amount) SELECT c, now(), 500 FROM generate_series(1, 1500) c;
SELECT count(*) > 0 AS curve FROM clientele.response_curve(7, 'edge');
-- Forged: nobody but who may write the store's tables could, and what makes no sense is refused before a customer meets it.
SELECT clientele.use_model('edge', 'response', NULL);
UPDATE edge.models SET parameters = jsonb_set(parameters, '{covariance}', '[1]') WHERE kind = 'response' AND version = 2;
SELECT clientele.use_model('edge', 'response', 2);
UPDATE edge.models SET parameters = jsonb_set(parameters, '{parameters,lb}', '"steep"') WHERE kind = 'response' AND version = 3;
SELECT clientele.use_model('edge', 'response', 3);
SELECT count(*) > 1000 AS decided FROM edge.offer_decisions;
-- Shares and rates that leave nothing, or more than there is.
SELECT clientele.alter_offer('edge', 'p', explore => '{"share": 1, "stretch": [1.3], "reward_rate": [0.02]}');
SELECT clientele.alter_offer('edge', 'p', explore => '{"share": 0, "stretch": [1.3], "reward_rate": [0.02]}');
SELECT clientele.alter_offer('edge', 'p', explore => '{"share": 0.5, "stretch": [1.3], "reward_rate": [1.5]}');
SELECT clientele.alter_offer('edge', 'p', explore => '{"share": 0.5, "stretch": [1], "reward_rate": [0.05]}');
SELECT clientele.alter_offer('edge', 'p', explore => '{"share": -0.5, "stretch": [1.3], "reward_rate": [0.05]}');
-- A cancel in its middle ends it, and leaves nothing.
SELECT count(*) AS before FROM edge.models \gset
CREATE TABLE big AS SELECT array_agg(ARRAY[n, 3.7, 0.3, 60, 3, -1, n % 6, 1, (n % 5 = 0)::int, CASE WHEN n % 5 = 0 THEN 61 + n % 20 ELSE 20 + n % 39 END]::float8[]) AS orders FROM generate_series(1, 300000) n;
SET statement_timeout = '500ms';
SELECT clientele._fit_response(orders, NULL, NULL, '{1.3}', '{0.02}', '{2,2,365,14}', 0, 2, NULL, 0) FROM big;
RESET statement_timeout;
SELECT count(*) = :before AS as_before FROM edge.models;
CALL close_shop();
DROP SCHEMA edges CASCADE;
