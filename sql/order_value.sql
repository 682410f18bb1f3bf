-- What customers' next orders would be worth: figures computed to sixteen digits by another implementation.
\set SHOW_CONTEXT never
SET extra_float_digits = 0;
CREATE SCHEMA order_values;
SET search_path = order_values, public;

CREATE TABLE profiles AS
SELECT customer, clientele.order_profile('2025-01-01 12:00+00'::timestamptz + place * interval '1 day', amount) AS p
FROM (VALUES (1, 1, 42.10), (1, 2, 38.50), (1, 3, 55.00), (1, 4, 40.25), (2, 1, 60.00), (3, 1, -5.00),
             (4, 1, 0.00), (4, 2, 60.00)) AS o(customer, place, amount)
GROUP BY customer;

-- A customer of four orders, one of one, one with nothing but a refund, and one whose other order was free.
SELECT customer, round(clientele.log_value_mean(p, prior)::numeric, 13) AS mean, round(clientele.log_value_sd(p, prior)::numeric, 13) AS sd,
       round(clientele.natural_share(p, prior, 60)::numeric, 6) AS reach_60
FROM profiles, (VALUES (ROW(4, 0.12, 3.7, 0.30)::clientele.value_prior)) AS v(prior) ORDER BY customer;

-- The share falls with the threshold, and is all of the orders at 0.
SELECT min_spend, round(clientele.natural_share(p, ROW(4, 0.12, 3.7, 0.30)::clientele.value_prior, min_spend)::numeric, 9) AS share
FROM profiles, unnest('{-1, 0, 0.01, 30, 42.5, 60, 100, 9999999999999}'::numeric[]) AS min_spend WHERE customer = 1 ORDER BY min_spend;

-- A prior of many customers: neither their order nor workers matter.
CREATE TABLE orders AS
SELECT customer, place, round((40 * exp(clientele.bucket('mean', customer::text) + clientele.bucket('spread', customer::text) *
    (clientele.bucket('order', customer || ':' || place) - 0.5)))::numeric, 2) AS amount
FROM generate_series(1, 2000) AS customer, generate_series(1, 1 + customer % 12) AS place;
CREATE TABLE shop AS
SELECT customer, clientele.order_profile('2025-01-01 12:00+00'::timestamptz + place * interval '1 day', amount) AS p
FROM orders GROUP BY customer;
CREATE TABLE priors AS SELECT clientele.fit_value_prior(p ORDER BY customer) AS prior FROM shop;
SELECT round((prior).d0::numeric, 6) AS d0, round((prior).s0::numeric, 9) AS s0, round((prior).m0::numeric, 9) AS m0, round((prior).tau2::numeric, 9) AS tau2
FROM priors;
SELECT prior = (SELECT clientele.fit_value_prior(p ORDER BY customer DESC) FROM shop) AS order_does_not_matter,
       prior = (SELECT clientele.fit_value_prior(p ORDER BY customer % 7) FROM shop WHERE clientele.orders(p) > 2) AS the_few_say_nothing
FROM priors;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 4;
SELECT prior = (SELECT clientele.fit_value_prior(p) FROM shop) AS workers_do_not_matter FROM priors;
RESET max_parallel_workers_per_gather; RESET min_parallel_table_scan_size; RESET parallel_tuple_cost; RESET parallel_setup_cost;

-- The same by hand: the mean of ln value of those who say something, and the shrunk variance of one customer.
WITH customers AS (
    SELECT customer, count(*) AS n, avg(ln(amount::float8)) AS y, coalesce(var_samp(ln(amount::float8)) * (count(*) - 1), 0) AS ss
    FROM orders WHERE place > 1 + customer % 12 - 8 GROUP BY customer)
SELECT abs(avg(y) FILTER (WHERE n >= 3) - min((prior).m0)) < 1e-12 AS m0, count(*) AS customers,
       max(abs(clientele.log_value_mean(p, prior) -
           ((prior).m0 / (prior).tau2 + n * y / s2) / (1 / (prior).tau2 + n / s2))) < 1e-12 AS means,
       max(abs(clientele.log_value_sd(p, prior) - sqrt(s2 + 1 / (1 / (prior).tau2 + n / s2)))) < 1e-12 AS sds
FROM customers JOIN shop USING (customer), priors,
     LATERAL (SELECT ((prior).d0 * (prior).s0 + ss) / ((prior).d0 + n - 1) AS s2) AS s;

-- Nothing to go by.
SELECT clientele.fit_value_prior(NULL) IS NULL AS of_nothing, clientele.fit_value_prior(p) IS NULL AS of_one_customer FROM profiles;
SELECT clientele.fit_value_prior(p) IS NULL AS of_customers_whose_orders_are_alike
FROM (SELECT clientele.order_profile('2025-01-01'::timestamptz + place * interval '1 day', 33.33) AS p
      FROM generate_series(1, 9) AS customer, generate_series(1, 3) AS place GROUP BY customer) AS alike;
SELECT clientele.log_value_mean(NULL, prior) IS NULL AS no_profile, clientele.natural_share(p, prior, NULL) IS NULL AS no_amount,
       clientele.log_value_sd(p, NULL) IS NULL AS no_prior
FROM profiles, priors WHERE customer = 1;

-- Refused.
SELECT clientele.log_value_mean(p, ROW(4, NULL, 3.7, 0.3)::clientele.value_prior) FROM profiles WHERE customer = 1;
SELECT clientele.log_value_mean(p, ROW(0, 0.12, 3.7, 0.3)::clientele.value_prior) FROM profiles WHERE customer = 1;
SELECT clientele.log_value_sd(p, ROW(4, 'NaN', 3.7, 0.3)::clientele.value_prior) FROM profiles WHERE customer = 1;
SELECT clientele.log_value_sd(p, ROW(4, 0.12, 'Infinity', 0.3)::clientele.value_prior) FROM profiles WHERE customer = 1;
SELECT clientele.natural_share(p, prior, 'NaN') FROM profiles, priors WHERE customer = 1;
SELECT clientele.natural_share(p, prior, 10000000000000) FROM profiles, priors WHERE customer = 1;
SELECT clientele._value_prior_final('\x00');
SELECT clientele._value_prior_add(NULL, p) FROM profiles WHERE customer = 1;

-- In a store the prior is that of the last refresh, and says how many orders reach what is asked for anyway.
CREATE TABLE people AS SELECT generate_series(1, 2005) AS customer_id;
ALTER TABLE people ADD PRIMARY KEY (customer_id);
CREATE TABLE sales AS
SELECT row_number() OVER (ORDER BY customer, place) AS order_id, customer AS customer_id, '2025-01-01 12:00+00'::timestamptz + place * interval '1 day' AS ordered_at, amount
FROM orders;
SELECT clientele.create_store('ov', orders => 'order_values.sales', customers => 'order_values.people', margin => 0.30);
SELECT value_prior IS NULL AS none_before_a_refresh FROM ov.scoring;
CALL clientele.refresh('ov');
SELECT s.value_prior = (SELECT clientele.fit_value_prior(p.profile) FROM ov.profiles p) AS fitted FROM ov.scoring s;
SELECT clientele.define_offer('ov', 'stretch', 'grow_order_value', holdout => 0.1);
SELECT count(*) AS decisions, count(natural_share) AS known, count(*) FILTER (WHERE natural_share IS DISTINCT FROM
        clientele.natural_share(coalesce(p.profile, nobody.p), s.value_prior, d.min_spend)) AS wrong
FROM ov.offer_decisions d LEFT JOIN ov.profiles p USING (customer_id), ov.scoring s, (SELECT p FROM profiles WHERE customer = 3) AS nobody;
SELECT count(*) AS without_orders, count(DISTINCT natural_share) AS shares FROM ov.offer_decisions WHERE customer_id > 2000;
SELECT program, status, reason, customers, mean_threshold, natural_share > 0 AND natural_share < 1 AS natural, natural_cost > 0 AND natural_cost < greatest_cost AS costs
FROM ov.offer_summary;
SELECT s.natural_cost = round(sum(d.reward * d.natural_share::numeric), 2) AS cost, s.natural_share = round(avg(d.natural_share::numeric), 4)::float8 AS share
FROM ov.offer_summary s, ov.offer_decisions d WHERE s.status = 'offered' AND d.status = 'offered' GROUP BY s.natural_cost, s.natural_share;
SELECT p.natural_cost_before = s.natural_cost AS before, p.natural_cost_after < p.natural_cost_before AS a_higher_threshold_costs_less,
    q.natural_cost_after = s.natural_cost AS the_same
FROM clientele.preview_offer('ov', 'stretch', 'grow_order_value', holdout => 0.1, stretch => 2) p,
     clientele.preview_offer('ov', 'stretch', 'grow_order_value', holdout => 0.1) q, ov.offer_summary s
WHERE p.segment IS NULL AND q.segment IS NULL AND s.status = 'offered';
-- Terms by the spread of the own orders: the threshold is the smallest rung at or above exp(mu + 2 sigma), and above the reference value.
SELECT clientele.define_offer('ov', 'spread', 'grow_order_value', terms => 'spread', priority => 1);
SELECT terms, spread, stretch, reward_rate FROM ov.programs WHERE program = 'spread';
SELECT count(*) AS decisions, count(*) FILTER (WHERE d.min_spend <> greatest(clientele.ladder_rung(w.amount), clientele.ladder_rung(trunc(d.reference_value) + 1))) AS wrong,
    count(*) FILTER (WHERE 'too_variable' = ANY (d.reasons)) AS too_variable, count(*) FILTER (WHERE 'own_spread' = ANY (d.reasons)) AS by_spread,
    bool_and(d.reward = least(trunc(0.02 * d.min_spend, 2), trunc(0.15 * (d.min_spend - d.reference_value), 2))) AS rewards,
    max(d.natural_share) < 0.03 AS few_reach_it
FROM ov.offer_decisions d LEFT JOIN ov.profiles p USING (customer_id), ov.scoring s, (SELECT p FROM profiles WHERE customer = 3) AS nobody,
     LATERAL (SELECT coalesce(p.profile, nobody.p) AS p) AS c,
     LATERAL (SELECT exp(clientele.log_value_mean(c.p, s.value_prior) + 2 * clientele.log_value_sd(c.p, s.value_prior))::numeric AS amount) AS w
WHERE d.program = 'spread';
SELECT count(*) FILTER (WHERE (o.program, o.min_spend, o.reward) IS DISTINCT FROM (l.program, l.min_spend, l.reward)) AS differences, count(*) AS compared
FROM ov.offers o, LATERAL clientele.personalized_offer(o.customer_id, 'ov') l WHERE o.customer_id % 50 = 7;
SELECT program, explanation FROM clientele.explain_offer(31, 'ov') ORDER BY program;
SELECT program, explanation FROM clientele.explain_offer(2003, 'ov', 'spread');
SELECT program, min_spend, reward FROM clientele.issue_offer(31, 'ov');
SELECT program, min_spend, reward, reasons FROM ov.ledger;
-- What is named changes; a stretch again asks for what it asked for.
SELECT clientele.alter_offer('ov', 'spread', spread => 1.5, reward_rate => 0.03);
SELECT version, terms, spread, reward_rate FROM ov.programs WHERE program = 'spread';
SELECT clientele.alter_offer('ov', 'spread', terms => 'stretch');
SELECT d.min_spend = clientele.stretch_threshold(d.reference_value) AS stretched FROM ov.offer_decisions d WHERE d.program = 'spread' AND d.customer_id = 32;
SELECT clientele.define_offer('ov', 'spread', 'grow_order_value', terms => 'spread', spread => 3, reward_rate => 0.05);
SELECT changes > 0 AS changes, natural_cost_after > natural_cost_before AS more_for_nothing
FROM clientele.preview_offer('ov', 'spread', 'grow_order_value', terms => 'spread', spread => 1) WHERE segment IS NULL;
-- Of the toolkit: the prior is an argument.
SELECT (clientele.decide_offer(ov._offer_book(), '40', 'default', p.profile, NULL, now(), 'spread', NULL, NULL, NULL, s.value_prior)).min_spend =
       (SELECT d.min_spend FROM ov.offer_decisions d WHERE d.customer_id = 40 AND d.program = 'spread') AS the_same,
       clientele.decide_offer(ov._offer_book(), '40', 'default', p.profile, NULL, now(), 'spread') IS NULL AS none_without
FROM ov.profiles p, ov.scoring s WHERE p.customer_id = 40;
-- Refused.
SELECT clientele.define_offer('ov', 'x', 'grow_order_value', terms => 'learned');
SELECT clientele.define_offer('ov', 'x', 'grow_order_value', terms => NULL);
SELECT clientele.define_offer('ov', 'x', 'second_order', terms => 'spread');
SELECT clientele.define_offer('ov', 'x', 'grow_order_value', terms => 'spread', arms => '[{"stretch": 1.5}, {"stretch": 2}]');
SELECT clientele.define_offer('ov', 'x', 'grow_order_value', terms => 'spread', spread => 0);
SELECT clientele.define_offer('ov', 'x', 'grow_order_value', terms => 'spread', spread => 'NaN');
SELECT clientele.define_offer('ov', 'x', 'grow_order_value', terms => 'spread', spread => NULL);
SELECT clientele.alter_offer('ov', 'spread', arms => '[{"stretch": 1.5}]');
-- Too few customers to go by.
DELETE FROM sales WHERE customer_id > 1;
CALL clientele.refresh('ov', full => true);
SELECT value_prior IS NULL AS none FROM ov.scoring;
SELECT program, status, reasons, natural_share FROM ov.offer_decisions WHERE customer_id = 1 ORDER BY program;
SELECT program, explanation FROM clientele.explain_offer(1, 'ov', 'spread');
SELECT clientele.drop_store('ov', true);
SET client_min_messages = warning;
DROP SCHEMA order_values CASCADE;
