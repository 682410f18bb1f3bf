-- Profiles of real orders: CDNOW and UCI Online Retail, against plain SQL over the same rows and published figures.
-- CLIENTELE_DATA is the directory with the files; without it there is nothing to do.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
\getenv data CLIENTELE_DATA
\if :{?data}
\else
\echo 'CLIENTELE_DATA is not set: the tests on real data are skipped.'
\quit
\endif

CREATE FUNCTION pg_temp.near(a float8, b float8) RETURNS boolean LANGUAGE sql IMMUTABLE AS
    'SELECT CASE WHEN a IS NULL OR b IS NULL THEN a IS NULL AND b IS NULL ELSE abs(a - b) <= 1e-9 * greatest(1, abs(b)) END';
CREATE SCHEMA real_data;
SET search_path = real_data, public;

-- ---- CDNOW: 6,919 orders of 2,357 customers ----

CREATE TABLE cdnow (customer_id int, ordered_at date, cds int, amount numeric);
\set load `printf '%s' "\\copy cdnow FROM '$CLIENTELE_DATA/cdnow_sample.csv' CSV HEADER"`
:load
CREATE TABLE cdnow_profiles AS
    SELECT customer_id, clientele.order_profile(ordered_at::timestamp AT TIME ZONE 'UTC', amount) FILTER (WHERE ordered_at <= '1997-09-30') AS calibration, clientele.order_profile(ordered_at::timestamp AT TIME ZONE 'UTC', amount) AS p
    FROM cdnow GROUP BY 1;
-- The summary that the literature uses, in weeks: Fader, Hardie and Lee (2005).
SELECT count(*) AS customers, sum(x) AS sum_x, count(*) FILTER (WHERE x > 0) AS with_repeat, round(sum(t_x) / 7.0, 9) AS sum_t_x, round(sum(t) / 7.0, 9) AS sum_t, sum(holdout) AS holdout_transactions,
    round(avg(m) FILTER (WHERE m > 0), 6) AS mean_value, round(stddev_samp(m) FILTER (WHERE m > 0), 6) AS sd_value, round(min(m) FILTER (WHERE m > 0), 6) AS min, percentile_cont(0.5) WITHIN GROUP (ORDER BY m) FILTER (WHERE m > 0) AS median, round(max(m), 6) AS max
FROM (SELECT clientele.repeat_purchases(calibration) AS x, clientele.last_purchase_age(calibration) AS t_x, clientele.age(calibration, '1997-09-30') AS t, clientele.repeat_day_value(calibration) AS m,
          clientele.purchase_days(p) - clientele.purchase_days(calibration) AS holdout FROM cdnow_profiles) s;
SELECT customer_id, clientele.repeat_purchases(calibration) AS x, round(clientele.last_purchase_age(calibration) / 7.0, 9) AS t_x, round(clientele.age(calibration, '1997-09-30') / 7.0, 9) AS t, round(clientele.repeat_day_value(calibration), 9) AS m_x
FROM cdnow_profiles WHERE customer_id IN (1, 2, 6) ORDER BY 1;

-- ---- UCI Online Retail: 541,909 lines, summed to invoices; cancellations are refund rows ----

CREATE TABLE lines (invoice text, stock_code text, description text, quantity int, invoiced_at timestamp, unit_price numeric, customer numeric, country text,
    amount numeric GENERATED ALWAYS AS (quantity * unit_price) STORED, kind text GENERATED ALWAYS AS (left(stock_code, 1)) STORED);
\set load `printf '%s' "\\copy lines (invoice, stock_code, description, quantity, invoiced_at, unit_price, customer, country) FROM PROGRAM 'gzip -dc \"$CLIENTELE_DATA/online_retail.csv.gz\"' CSV HEADER"`
:load
CREATE TABLE invoices AS SELECT invoice, min(customer)::int AS customer_id, min(invoiced_at) AS ordered_at, sum(amount) AS amount, invoice LIKE 'C%' AS cancelled FROM lines GROUP BY 1;
ANALYZE lines;
ANALYZE invoices;
SELECT count(*) AS lines, count(customer) AS with_customer, (SELECT count(*) FROM invoices) AS invoices, (SELECT count(DISTINCT customer_id) FROM invoices) AS customers, (SELECT count(*) FILTER (WHERE cancelled AND amount >= 0) FROM invoices WHERE customer_id IS NOT NULL) AS cancellations_of_nothing FROM lines;

-- The customary cleaning, and its figures: recency, frequency, monetary value. (Elsewhere revenue is given as 8,911,407.90: prices have three decimals.)
CREATE TABLE clean AS SELECT customer::int AS customer_id, invoice, min(invoiced_at) AS ordered_at, sum(amount) AS amount, count(*) AS lines FROM lines WHERE customer IS NOT NULL AND invoice NOT LIKE 'C%' AND quantity > 0 AND unit_price > 0 GROUP BY 1, 2;
CREATE TABLE clean_profiles AS SELECT customer_id, clientele.order_profile(ordered_at AT TIME ZONE 'UTC', amount) AS p FROM clean GROUP BY 1;
SELECT (SELECT sum(lines) FROM clean) AS clean_lines, count(*) AS customers, sum(clientele.orders(p)) AS invoices, sum(clientele.total_spent(p)) AS revenue,
    avg(clientele.recency_days(p, '2011-12-10'))::float8 AS recency, avg(clientele.orders(p))::float8 AS frequency, avg(clientele.total_spent(p))::float8 AS monetary, round(sum(clientele.evening_share(p) * clientele.orders(p))) AS evening FROM clean_profiles;
SELECT q, percentile_cont(q) WITHIN GROUP (ORDER BY clientele.recency_days(p, '2011-12-10')) AS recency, percentile_cont(q) WITHIN GROUP (ORDER BY clientele.orders(p)) AS frequency,
    round((percentile_cont(q) WITHIN GROUP (ORDER BY clientele.total_spent(p)::float8))::numeric, 6) AS monetary
FROM clean_profiles, unnest('{0.1,0.2,0.25,0.4,0.5,0.6,0.75,0.8,0.9,0.99}'::float8[]) q GROUP BY q ORDER BY q;
SELECT customer_id, clientele.recency_days(p, '2011-12-10') AS recency, clientele.orders(p) AS frequency, clientele.total_spent(p) AS monetary FROM clean_profiles WHERE customer_id IN (12748, 12347) ORDER BY 1;

-- A store over the invoices, with what was in the basket.
SELECT clientele.create_store('retail', 'real_data.invoices', order_id => 'invoice', items => 'real_data.lines', item_order_id => 'invoice', item_category => 'kind', currency => 'GBP', time_zone => 'Europe/London');
CALL clientele.refresh('retail');
SELECT count(*) AS customers, sum(orders) AS orders, sum(refunds) AS refunds, sum(gross_spent) AS gross, sum(total_spent) AS total FROM retail.customers;
CREATE TABLE plain AS
WITH rows AS (
    SELECT 'retail' AS source, customer_id, ordered_at, amount FROM invoices WHERE customer_id IS NOT NULL UNION ALL SELECT 'cdnow', customer_id, ordered_at, amount FROM cdnow
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY source, customer_id ORDER BY ordered_at DESC, amount DESC) AS newest FROM rows WHERE amount >= 0
), sums AS (
    SELECT source, customer_id, count(*) FILTER (WHERE amount >= 0) AS orders, count(*) FILTER (WHERE amount < 0) AS refunds, coalesce(sum(amount) FILTER (WHERE amount >= 0), 0) AS gross_spent, sum(amount) AS total_spent, avg(amount) FILTER (WHERE amount >= 0) AS aov,
        stddev_samp(amount) FILTER (WHERE amount >= 0) / nullif(avg(amount) FILTER (WHERE amount >= 0), 0) AS order_value_cv, count(DISTINCT ordered_at::date) FILTER (WHERE amount >= 0) AS purchase_days,
        avg((extract(hour FROM ordered_at) >= 18)::int) FILTER (WHERE amount >= 0) AS evening_share, avg((extract(isodow FROM ordered_at) >= 6)::int) FILTER (WHERE amount >= 0) AS weekend_share,
        min(ordered_at::date) FILTER (WHERE amount >= 0) AS first_day, max(ordered_at::date) FILTER (WHERE amount >= 0) AS last_day FROM rows GROUP BY 1, 2
), recent AS (
    SELECT source, customer_id, ((array_agg(amount ORDER BY amount))[(count(*) + 1) / 2] + (array_agg(amount ORDER BY amount))[(count(*) + 2) / 2]) / 2 AS typical, stddev_samp(amount) / nullif(avg(amount), 0) AS typical_cv, max(amount) FILTER (WHERE newest = 1) AS last_order_value
    FROM ranked WHERE newest <= 8 GROUP BY 1, 2
), days AS (
    SELECT source, customer_id, ordered_at::date - lag(ordered_at::date) OVER w AS gap, sum(amount) AS total, row_number() OVER w AS place FROM ranked GROUP BY 1, 2, ordered_at::date WINDOW w AS (PARTITION BY source, customer_id ORDER BY ordered_at::date)
), gaps AS (
    SELECT source, customer_id, avg(gap)::float8 AS mean_gap, percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS median_gap, avg(total) FILTER (WHERE place > 1) AS repeat_day_value FROM days GROUP BY 1, 2
)
SELECT * FROM sums LEFT JOIN recent USING (source, customer_id) LEFT JOIN gaps USING (source, customer_id);
CREATE TABLE made AS SELECT 'retail' AS source, customer_id, profile AS p FROM retail.profiles UNION ALL SELECT 'cdnow', customer_id, p FROM cdnow_profiles;
SELECT source, count(*) AS customers, count(*) FILTER (WHERE (clientele.orders(p), clientele.refunds(p), clientele.purchase_days(p), clientele.gross_spent(p)) IS DISTINCT FROM (s.orders, s.refunds, s.purchase_days, s.gross_spent)) AS counts,
    count(*) FILTER (WHERE clientele.total_spent(p)::text IS DISTINCT FROM s.total_spent::text OR round(clientele.aov(p), 9) IS DISTINCT FROM round(s.aov, 9) OR round(clientele.repeat_day_value(p), 9) IS DISTINCT FROM round(s.repeat_day_value, 9)) AS sums,
    count(*) FILTER (WHERE clientele.typical_order_value(p) IS DISTINCT FROM s.typical OR clientele.last_order_value(p) IS DISTINCT FROM s.last_order_value) AS "values",
    count(*) FILTER (WHERE NOT (pg_temp.near(clientele.typical_cv(p), s.typical_cv::float8) AND pg_temp.near(clientele.order_value_cv(p), s.order_value_cv::float8))) AS variation,
    count(*) FILTER (WHERE NOT (pg_temp.near(clientele.evening_share(p), s.evening_share::float8) AND pg_temp.near(clientele.weekend_share(p), s.weekend_share::float8))) AS shares,
    count(*) FILTER (WHERE clientele.last_purchase_age(p) IS DISTINCT FROM s.last_day - s.first_day OR NOT pg_temp.near(clientele.mean_days_between_orders(p), s.mean_gap) OR clientele.median_days_between_orders(p) IS DISTINCT FROM s.median_gap) AS rhythms
FROM made FULL JOIN plain s USING (source, customer_id) GROUP BY 1 ORDER BY 1;
SELECT count(*) AS mixes, count(*) FILTER (WHERE v.category_mix IS DISTINCT FROM h.mix) AS mismatches
FROM retail.customers v FULL JOIN (SELECT customer_id, jsonb_object_agg(kind, amount) AS mix FROM (SELECT i.customer_id, l.kind, sum(l.amount) AS amount FROM invoices i JOIN lines l USING (invoice)
    WHERE customer_id IS NOT NULL AND i.amount >= 0 AND l.kind IS NOT NULL GROUP BY 1, 2) s GROUP BY 1) h USING (customer_id);
-- All of them at once, however grouped; and the text form.
SELECT source, clientele.orders(clientele.rollup(p)) = sum(clientele.orders(p)) AS orders, clientele.total_spent(clientele.rollup(p)) = sum(clientele.total_spent(p)) AS total,
    count(*) FILTER (WHERE clientele.order_profile_ne(p::text::clientele.order_profile, p)) AS text_mismatches, max(pg_column_size(p)) FILTER (WHERE clientele.orders(p) <= 20) <= 300 AS small FROM made GROUP BY 1 ORDER BY 1;
-- Offers for them, as of the end of the data: the reward never exceeds half the margin on the extra spend.
SELECT clientele.define_offer('retail', 'more', 'grow_order_value'), clientele.define_offer('retail', 'back', 'win_back');
SELECT (d.o).program, count(*) > 100 AS many, bool_and((d.o).min_spend >= (d.o).reference_value) AS asks_for_more, bool_and((d.o).reward <= 0.5 * 0.3 * ((d.o).min_spend - CASE (d.o).program WHEN 'more' THEN (d.o).reference_value ELSE 0 END)) AS affordable
FROM retail._offer_inputs_at('2011-12-10') i, LATERAL (SELECT clientele.decide_offer(retail._offer_book(), i.customer, i.segment, i.profile, i.fallback, i.as_of) AS o) d WHERE (d.o).program IS NOT NULL GROUP BY 1 ORDER BY 1;

SELECT clientele.drop_store('retail');
DROP SCHEMA real_data CASCADE;
