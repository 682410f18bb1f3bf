-- fit_clv and clv_report over stores of real orders, against published figures: CDNOW and UCI Online Retail.
-- CLIENTELE_DATA is the directory with the files; without it there is nothing to do.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
\getenv data CLIENTELE_DATA
\if :{?data}
\else
\echo 'CLIENTELE_DATA is not set: the tests on real data are skipped.'
\quit
\endif

-- ---- CDNOW, to 1997-09-30: the parameters of the papers, in days instead of weeks ----

CREATE SCHEMA fit_clv_data;
SET search_path = fit_clv_data, public;
CREATE TABLE cdnow (customer_id int, ordered_at date, cds int, amount numeric);
\set load `printf '%s' "\\copy cdnow FROM '$CLIENTELE_DATA/cdnow_sample.csv' CSV HEADER"`
:load
SELECT clientele.create_store('cdnow', 'cdnow', margin => 0.3);
CALL clientele.refresh('cdnow');
CREATE TEMPORARY TABLE published (model text, names text[], "values" float8[], log_likelihood float8);
-- Fader, Hardie and Lee (2005); Batislam et al. (2007) as recomputed by BTYDplus and lifetimes; Fader and Hardie, note 009.
INSERT INTO published VALUES
    ('bgnbd', '{r,alpha,a,b}', '{0.2425945,4.4136020,0.7929220,2.4259068}', -9582.4292), ('mbgnbd', '{r,alpha,a,b}', '{0.5248432,6.1830853,0.8913594,1.6140022}', -9582.1357),
    ('pareto_nbd', '{r,alpha,s,beta}', '{0.5532770,10.5776835,0.6062400,11.6687356}', -9594.9762);
-- A density a day instead of a week: ln 7 less for each repeat purchase.
SELECT f.model, f.version, f.customers, f.repeat_customers, abs(f.log_likelihood + 2457 * ln(7.0)::float8 - p.log_likelihood) < 0.001 AS log_likelihood,
    (SELECT bool_and(abs((f.purchase ->> n)::float8 / CASE WHEN n IN ('alpha', 'beta') THEN 7 ELSE 1 END / v - 1) < CASE f.model WHEN 'pareto_nbd' THEN 0.005 ELSE 0.002 END) FROM unnest(p.names, p."values") u (n, v)) AS parameters,
    abs((f.value ->> 'p')::float8 / 6.2495723 - 1) < 0.002 AND abs((f.value ->> 'q')::float8 / 3.7442247 - 1) < 0.002 AND abs((f.value ->> 'v')::float8 / 15.4435207 - 1) < 0.002 AS value
FROM published p, clientele.fit_clv('cdnow', p.model, as_of => '1997-09-30', holdout_days => 0) f ORDER BY 2;
-- The columns as of then, by the Pareto/NBD, for some customers of the papers.
SELECT customer_id, round(p_alive::numeric, 4) AS p_alive, round(expected_orders_90d::numeric, 4) AS orders, expected_order_value AS value, clv_1y FROM cdnow.customers_at('1997-09-30') WHERE customer_id IN (1, 2, 6) ORDER BY 1;
SELECT section, customers, round(actual::numeric, 3) AS actual, remark FROM clientele.clv_report('cdnow') WHERE section = 'independence';

-- ---- The 39 weeks held out, as Fader and Hardie hold them out ----

SELECT f.model, f.version, round(f.predicted_orders) AS predicted, f.actual_orders AS actual, round((f.predicted_orders / f.actual_orders)::numeric, 3) AS ratio
FROM published p, clientele.fit_clv('cdnow', p.model, as_of => '1998-06-30', holdout_days => 273) f ORDER BY 2;
-- BTYD's walkthrough: actual 0.2367 0.6970 1.393 1.560 2.532 2.947 3.862 6.359, expected by Pareto/NBD 0.138 0.600 1.196 1.714 2.399 2.907 3.819 6.403.
SELECT bucket, customers, round(predicted::numeric, 3) AS predicted, round(actual::numeric, 4) AS actual FROM clientele.clv_report('cdnow') WHERE section = 'repeat_purchases';
SELECT min(bucket), max(bucket), count(*) AS weeks, sum(actual) AS actual, round(sum(predicted)) AS predicted, bool_and(predicted > 0) AS positive FROM clientele.clv_report('cdnow') WHERE section = 'week';
SELECT section, bucket, customers, round(predicted) AS predicted, actual, remark FROM clientele.clv_report('cdnow', 4) WHERE section = 'total';
-- The actual orders by plain SQL: days with orders, of customers known by then.
SELECT count(*) AS days FROM (SELECT DISTINCT customer_id, ordered_at FROM cdnow WHERE ordered_at > '1997-09-30') d;
SELECT count(*) AS weeks, count(*) FILTER (WHERE r.actual = w.days) AS same FROM clientele.clv_report('cdnow') r
    LEFT JOIN (SELECT date '1997-10-01' + 7 * ((ordered_at - date '1997-10-01') / 7) AS week, count(DISTINCT (customer_id, ordered_at)) AS days FROM cdnow WHERE ordered_at > '1997-09-30' GROUP BY 1) w ON w.week::text = r.bucket WHERE section = 'week';
-- They have not been seen since: refused, with the date; with force there is a warning, and hardly anybody is left.
DO $$
DECLARE
    detail text;
    hint text;
BEGIN
    PERFORM clientele.fit_clv('cdnow');
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE NOTICE E'%\n%\n%', regexp_replace(SQLERRM, '\d+', 'N'), detail, hint;
END $$;
SET client_min_messages = error;
SELECT model, in_use, converged, actual_orders FROM clientele.fit_clv('cdnow', force => true);
RESET client_min_messages;
SELECT count(*) AS customers, max(p_alive) < 0.01 AS lost FROM cdnow.customers;
-- The best of three over the 39 weeks.
SELECT model, reason FROM clientele.fit_clv('cdnow', as_of => '1998-06-30', holdout_days => 273);
SELECT clientele.drop_store('cdnow');

-- ---- UCI Online Retail ----

CREATE TABLE lines (invoice text, stock_code text, description text, quantity int, invoiced_at timestamp, unit_price numeric, customer numeric, country text);
\set load `printf '%s' "\\copy lines FROM PROGRAM 'gzip -dc \"$CLIENTELE_DATA/online_retail.csv.gz\"' CSV HEADER"`
:load
CREATE TABLE invoices AS SELECT invoice, min(customer)::int AS customer_id, min(invoiced_at) AS ordered_at, sum(quantity * unit_price) AS amount FROM lines GROUP BY 1;
SELECT clientele.create_store('retail', 'invoices', order_id => 'invoice', currency => 'GBP', time_zone => 'Europe/London');
CALL clientele.refresh('retail');
SELECT model, version, in_use, converged, customers, repeat_customers, value IS NOT NULL AS valued, round((predicted_orders / actual_orders)::numeric, 2) AS ratio FROM clientele.fit_clv('retail', as_of => '2011-12-10');
SELECT count(p_alive) AS p_alive FROM retail.customers_at('2011-12-10');
SELECT clientele.use_model('retail', 'clv', 1);
SELECT m.parameters -> 'purchase' = jsonb_build_object('model', 'bgnbd') || to_jsonb(f.m) AS same FROM clientele.models m, (SELECT clientele.fit_bgnbd(repeat_purchases, last_purchase_age, age) AS m FROM retail.customers_at('2011-12-10')) f;
SELECT section, bucket, customers, round(actual::numeric, 3) AS actual, remark FROM clientele.clv_report('retail') WHERE section IN ('independence', 'total', 'model');
SELECT count(*) AS customers, round(avg(p_alive)::numeric, 3) AS alive, count(*) FILTER (WHERE p_alive NOT BETWEEN 0 AND 1 OR expected_orders_90d < 0 OR clv_1y < 0) AS impossible, count(p_alive) AS p_alive, count(clv_1y) AS clv, count(expected_next_order_at) AS due FROM retail.customers_at('2011-12-10');
SELECT clientele.drop_store('retail');
DROP TABLE cdnow, lines, invoices;
RESET search_path;
DROP SCHEMA fit_clv_data;
