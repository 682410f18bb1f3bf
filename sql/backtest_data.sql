-- Looking back on real orders, CDNOW and UCI Online Retail: counts and costs against plain SQL. CLIENTELE_DATA is the directory with the files.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
\getenv data CLIENTELE_DATA
\if :{?data}
\else
\echo 'CLIENTELE_DATA is not set: the tests on real data are skipped.'
\quit
\endif
CREATE SCHEMA backtest_data;
SET search_path = backtest_data, public;

CREATE TABLE cdnow (customer_id int, ordered_at date, cds int, amount numeric);
\set load `printf '%s' "\\copy cdnow FROM '$CLIENTELE_DATA/cdnow_sample.csv' CSV HEADER"`
:load
CREATE TABLE lines (invoice text, stock_code text, description text, quantity int, invoiced_at timestamp, unit_price numeric, customer numeric, country text);
\set load `printf '%s' "\\copy lines (invoice, stock_code, description, quantity, invoiced_at, unit_price, customer, country) FROM PROGRAM 'gzip -dc \"$CLIENTELE_DATA/online_retail.csv.gz\"' CSV HEADER"`
:load
CREATE TABLE cdnow_orders AS SELECT customer_id, ordered_at::timestamptz AS ordered_at, amount FROM cdnow;
CREATE TABLE invoices AS SELECT min(customer)::int AS customer_id, min(invoiced_at) AT TIME ZONE 'UTC' AS ordered_at, round(sum(quantity * unit_price), 4) AS amount FROM lines GROUP BY invoice;
DELETE FROM invoices WHERE customer_id IS NULL;
SELECT clientele.create_store('cdnow_store', 'backtest_data.cdnow_orders', margin => 0.3);
SELECT clientele.create_store('retail_store', 'backtest_data.invoices', margin => 0.3, currency => 'GBP');
CALL clientele.refresh('cdnow_store');
CALL clientele.refresh('retail_store');

-- The rules by hand: the median of the last 8 orders (below 3 the last order, bounded). stretch: 1.4 times it on the ladder, 5 % and at most half the margin;
-- spread: the first rung at or above exp(mu + 2 sigma) of the logarithms of the last 8, shrunk towards the store's, and above the median, 2 %.
CREATE FUNCTION by_hand(orders regclass, store text, terms text, at timestamptz, OUT offered bigint, OUT refused bigint, OUT cost numeric, OUT ordered bigint, OUT natural_qualifiers bigint, OUT natural_cost numeric) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('
        WITH ranked AS (
            SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY ordered_at DESC, amount DESC) AS nth, count(*) OVER (PARTITION BY customer_id) AS orders FROM %1$s WHERE ordered_at <= $1 AND amount >= 0
        ), facts AS (
            SELECT customer_id, max(orders) AS orders, max(amount) FILTER (WHERE nth = 1) AS last, array_agg(amount ORDER BY amount) AS amounts,
                count(*) FILTER (WHERE amount > 0) AS n, avg(ln(nullif(amount, 0)::float8)) AS y, coalesce(var_pop(ln(nullif(amount, 0)::float8)), 0) * count(*) FILTER (WHERE amount > 0) AS squares
            FROM ranked WHERE nth <= 8 GROUP BY 1
        ), prior AS (
            SELECT (p).d0, (p).s0, (p).m0, (p).tau2 FROM (SELECT value_prior AS p FROM %2$I.scoring) s
        ), reference AS (
            SELECT customer_id, n, y, squares, CASE WHEN orders >= 3 THEN (amounts[(cardinality(amounts) + 1) / 2] + amounts[cardinality(amounts) / 2 + 1]) / 2 ELSE least(last, (SELECT recent_bound FROM %2$I.scoring)) END AS value FROM facts
            -- Who has only sent things back has no order: the median of all.
            UNION ALL SELECT DISTINCT customer_id, 0, 0::float8, 0::float8, (SELECT (m).value FROM %2$I._typical_value(''default'') m) FROM %1$s o WHERE ordered_at <= $1 AND customer_id NOT IN (SELECT customer_id FROM facts)
        ), variances AS (
            SELECT r.*, p.*, (p.d0 * p.s0 + squares) / (p.d0 + greatest(n - 1, 0)) AS s2 FROM reference r, prior p
        ), spreads AS (
            SELECT *, 1 / (1 / tau2 + n / s2) AS v FROM variances
        ), thresholds AS (
            SELECT customer_id, value, CASE $2 WHEN ''stretch'' THEN clientele.stretch_threshold(value) ELSE greatest(clientele.ladder_rung(floor(value) + 1),
                clientele.ladder_rung(ceil(exp(v * (m0 / tau2 + n * coalesce(y, 0) / s2) + 2 * sqrt(s2 + v)))::numeric)) END AS threshold FROM spreads WHERE value > 0
        ), terms AS (
            SELECT customer_id, threshold, trunc(least(CASE $2 WHEN ''stretch'' THEN 0.05 ELSE 0.02 END * threshold, 0.15 * (threshold - value)), 2) AS reward FROM thresholds
        ), spent AS (
            SELECT t.*, (SELECT max(o.amount) FROM %1$s o WHERE o.customer_id = t.customer_id AND o.ordered_at > $1 AND o.ordered_at < ($1::date + 15)::timestamptz AND o.amount >= 0) AS amount FROM terms t WHERE reward > 0)
        SELECT count(*), (SELECT count(DISTINCT customer_id) FROM %1$s WHERE ordered_at <= $1) - count(*), sum(reward), count(amount), count(*) FILTER (WHERE amount >= threshold), coalesce(sum(reward) FILTER (WHERE amount >= threshold), 0) FROM spent',
        orders, store) INTO offered, refused, cost, ordered, natural_qualifiers, natural_cost USING at, terms;
END $$;
CREATE INDEX ON cdnow_orders (customer_id);
CREATE INDEX ON invoices (customer_id);
SELECT b.step_at, b.offered, b.refused, b.greatest_cost, b.ordered, b.natural_qualifiers, b.natural_cost, b.gaps, ((b.offered, b.refused, b.greatest_cost, b.ordered, b.natural_qualifiers, b.natural_cost) = (h.*)) AS by_hand
FROM clientele.backtest_offer('cdnow_store', 'grow', 'grow_order_value', max_cv => NULL, "from" => '1997-04-01 12:00', "to" => '1998-06-01', step => '2 months') b, by_hand('cdnow_orders', 'cdnow_store', 'stretch', b.step_at) h WHERE b.step_at IS NOT NULL;
SELECT b.step_at, b.offered, b.refused, b.greatest_cost, b.ordered, b.natural_qualifiers, b.natural_cost, b.gaps, ((b.offered, b.refused, b.greatest_cost, b.ordered, b.natural_qualifiers, b.natural_cost) = (h.*)) AS by_hand
FROM clientele.backtest_offer('retail_store', 'grow', 'grow_order_value', max_cv => NULL, "from" => '2011-03-01 12:00', "to" => '2011-11-01', step => '1 month') b, by_hand('invoices', 'retail_store', 'stretch', b.step_at) h WHERE b.step_at IS NOT NULL;
SELECT b.step_at, b.offered, b.refused, b.greatest_cost, b.ordered, b.natural_qualifiers, b.natural_cost, ((b.offered, b.refused, b.greatest_cost, b.ordered, b.natural_qualifiers, b.natural_cost) = (h.*)) AS by_hand
FROM clientele.backtest_offer('cdnow_store', 'grow', 'grow_order_value', terms => 'spread', "from" => '1997-04-01 12:00', "to" => '1998-06-01', step => '2 months') b, by_hand('cdnow_orders', 'cdnow_store', 'spread', b.step_at) h WHERE b.step_at IS NOT NULL;
SELECT b.step_at, b.offered, b.refused, b.greatest_cost, b.ordered, b.natural_qualifiers, b.natural_cost, ((b.offered, b.refused, b.greatest_cost, b.ordered, b.natural_qualifiers, b.natural_cost) = (h.*)) AS by_hand
FROM clientele.backtest_offer('retail_store', 'grow', 'grow_order_value', terms => 'spread', "from" => '2011-03-01 12:00', "to" => '2011-11-01', step => '1 month') b, by_hand('invoices', 'retail_store', 'spread', b.step_at) h WHERE b.step_at IS NOT NULL;
-- Of both ways of setting terms: how many are paid who would have spent it anyway.
SELECT s.store, t.terms, b.offered, b.natural_qualifiers, round(b.natural_share::numeric, 4) AS natural_share, b.natural_cost
FROM (VALUES ('cdnow_store', timestamptz '1997-04-01 12:00', timestamptz '1998-06-01'), ('retail_store', '2011-03-01 12:00', '2011-11-01')) s (store, "from", "to"), unnest('{stretch,spread}'::text[]) t (terms),
    clientele.backtest_offer(s.store, 'grow', 'grow_order_value', terms => t.terms, "from" => s."from", "to" => s."to") b WHERE b.segment IS NULL AND b.step_at IS NULL ORDER BY 1, 2;
SELECT clientele.drop_store('cdnow_store'), clientele.drop_store('retail_store');
DROP SCHEMA backtest_data CASCADE;
