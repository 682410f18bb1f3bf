-- What customers' next orders would be worth: figures computed to sixteen digits by another implementation.
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
-- Too few customers to go by.
DELETE FROM sales WHERE customer_id > 1;
CALL clientele.refresh('ov', full => true);
SELECT value_prior IS NULL AS none FROM ov.scoring;
SELECT natural_share, natural_cost FROM ov.offer_summary WHERE status = 'offered';
SELECT clientele.drop_store('ov');
SET client_min_messages = warning;
DROP SCHEMA order_values CASCADE;
