-- fit_clv and clv_report over a store: the data gate, the fits against the aggregates, the columns against the toolkit, the holdout.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET search_path = public, clientele;
\set SHOW_CONTEXT never

-- A shop whose customers come and go; the same in every run, with days counted back from today.
CREATE TABLE orders (customer_id int, ordered_at timestamptz, amount numeric(12, 2));
CREATE FUNCTION pg_temp.fill(customers int) RETURNS void LANGUAGE sql AS $$
    INSERT INTO orders
    SELECT c, date_trunc('day', now()) - (days - floor(t)::int) * interval '1 day', round((mean * (0.5 + clientele.bucket('amount', c || ':' || i)))::numeric, 2)
    FROM (SELECT c, 30 + (500 * clientele.bucket('first', c::text))::int AS days, 15 + 60 * clientele.bucket('gap', c::text) AS gap,
              least(40, floor(ln(1 - clientele.bucket('life', c::text)) / ln(1 - 0.01 - 0.98 * clientele.bucket('leaves', c::text) ^ 1.5)))::int AS life, 10 + 90 * clientele.bucket('mean', c::text) ^ 2 AS mean FROM generate_series(1, customers) c) s
    CROSS JOIN LATERAL (SELECT 0 AS i, 0.0::float8 AS t UNION ALL
        SELECT i, sum(-ln(1 - clientele.bucket('t', c || ':' || i)) * gap) OVER (ORDER BY i) FROM generate_series(1, life) i) e
    WHERE t < days - 1
$$;

-- ---- What is refused ----

SELECT clientele.create_store('shop', 'orders', currency => 'EUR', margin => 0.4);
SELECT * FROM clientele.fit_clv(NULL);
SELECT * FROM clientele.fit_clv('');
SELECT * FROM clientele.fit_clv('nowhere');
SELECT * FROM clientele.fit_clv('shop', NULL);
SELECT * FROM clientele.fit_clv('shop', 'BG/NBD');
SELECT * FROM clientele.fit_clv('shop', force => NULL);
SELECT * FROM clientele.fit_clv('shop', use => NULL);
SELECT * FROM clientele.fit_clv('shop', annual_discount => NULL);
SELECT * FROM clientele.fit_clv('shop', annual_discount => 'NaN');
SELECT * FROM clientele.fit_clv('shop', annual_discount => -0.1);
SELECT * FROM clientele.fit_clv('shop', annual_discount => 10);
SELECT * FROM clientele.fit_clv('shop', as_of => 'infinity');
SELECT * FROM clientele.fit_clv('shop', as_of => '9999-01-01');
SELECT model FROM clientele.fit_clv('shop', as_of => '0001-01-01 00:00+00');
SELECT * FROM clientele.fit_clv('shop');
SELECT * FROM clientele.clv_report('shop');
SELECT * FROM clientele.clv_report('shop', 1);
SELECT * FROM clientele.clv_report('nowhere');

-- Too few customers, too short a history.
SELECT pg_temp.fill(40);
CALL clientele.refresh('shop');
SELECT * FROM clientele.fit_clv('shop');
TRUNCATE orders;
INSERT INTO orders SELECT c, now() - n * 20 * interval '1 day', 10 + c FROM generate_series(1, 300) c, generate_series(1, 3) n;
CALL clientele.refresh('shop');
SELECT * FROM clientele.fit_clv('shop');
\set VERBOSITY terse
SELECT model, version, in_use, converged, customers FROM clientele.fit_clv('shop', 'bgnbd', force => true);
SELECT model, version, in_use, converged, customers FROM clientele.fit_clv('shop', 'mbgnbd', force => true, holdout_days => 0);
\set VERBOSITY default
SELECT store, kind, version, in_use, customers FROM clientele.models;
\set VERBOSITY terse
SELECT clientele.use_model('shop', 'clv', 1);
\set VERBOSITY default
SELECT count(p_alive) FROM shop.customers;
SELECT count(*) FROM clientele.clv_report('shop');
SELECT section, bucket, customers, remark FROM clientele.clv_report('shop', 1);
-- One customer, one order.
TRUNCATE orders;
INSERT INTO orders VALUES (1, now() - interval '10 days', 5);
CALL clientele.refresh('shop');
SELECT * FROM clientele.fit_clv('shop');
\set VERBOSITY terse
SELECT in_use, converged, customers FROM clientele.fit_clv('shop', force => true);
\set VERBOSITY default
SELECT clientele.drop_store('shop');

-- ---- The fit is that of the aggregates over the view ----

TRUNCATE orders;
SELECT pg_temp.fill(600);
SELECT clientele.create_store('shop', 'orders', currency => 'EUR', margin => 0.4);
CALL clientele.refresh('shop');
SELECT count(*) AS customers, count(*) FILTER (WHERE repeat_purchases > 0) AS repeat_customers, count(p_alive) AS models FROM shop.customers;
SELECT model, version, in_use, converged, customers, repeat_customers, value IS NOT NULL AS valued FROM clientele.fit_clv('shop', 'mbgnbd');
SELECT model, version, in_use, converged, customers, repeat_customers, value IS NOT NULL AS valued FROM clientele.fit_clv('shop', 'bgnbd', annual_discount => 0);
SELECT model, version, in_use, converged, customers, repeat_customers, value IS NOT NULL AS valued FROM clientele.fit_clv('shop', 'pareto_nbd', holdout_days => 30);
SELECT m.version, m.in_use, m.customers, (parameters -> 'purchase') - 'model'::text = CASE version WHEN 1 THEN to_jsonb(f.mbg) WHEN 2 THEN to_jsonb(f.bg) ELSE to_jsonb(f.pareto) END AS purchase,
    parameters -> 'value' = to_jsonb(f.gg) AS value, parameters -> 'annual_discount' AS discount, m.data_from = f.first AS from_first
FROM clientele.models m, (SELECT clientele.fit_mbgnbd(repeat_purchases, last_purchase_age, age) AS mbg, clientele.fit_bgnbd(repeat_purchases, last_purchase_age, age) AS bg,
    clientele.fit_pareto_nbd(repeat_purchases, last_purchase_age, age) AS pareto, clientele.fit_gamma_gamma(repeat_purchases, repeat_day_value::float8) FILTER (WHERE repeat_purchases > 0) AS gg,
    min(first_order_at) AS first FROM shop.customers) f ORDER BY 1;

-- ---- The columns are those of the toolkit ----

CREATE FUNCTION pg_temp.compare(version int) RETURNS TABLE (customers bigint, p_alive bigint, orders bigint, "values" bigint, clv bigint, next bigint) LANGUAGE plpgsql AS $$
DECLARE
    model text := (SELECT m.parameters #>> '{purchase,model}' FROM clientele.models m WHERE m.version = $1);
BEGIN
    PERFORM clientele.use_model('shop', 'clv', version);
    RETURN QUERY EXECUTE replace('
        SELECT count(*), count(*) FILTER (WHERE c.p_alive IS DISTINCT FROM clientele.p_alive(m.p, c.repeat_purchases, c.last_purchase_age, c.age)),
            count(*) FILTER (WHERE c.expected_orders_90d IS DISTINCT FROM clientele.expected_orders(m.p, 90, c.repeat_purchases, c.last_purchase_age, c.age)),
            count(*) FILTER (WHERE (abs(c.expected_order_value - clientele.expected_order_value(m.g, c.repeat_purchases, c.repeat_day_value::float8)::numeric) <= 0.005001) IS NOT TRUE OR scale(c.expected_order_value) <> 2),
            count(*) FILTER (WHERE (abs(c.clv_1y - clientele.clv(m.p, m.g, 365, c.repeat_purchases, c.last_purchase_age, c.age, c.repeat_day_value::float8, 0.4 * m.net, m.d)::numeric) <= 0.005001) IS NOT TRUE OR scale(c.clv_1y) <> 2),
            count(*) FILTER (WHERE c.expected_next_order_at IS DISTINCT FROM CASE WHEN c.purchase_days >= 3 AND c.p_alive >= 0.5 THEN c.last_order_at + c.median_days_between_orders * interval ''1 day'' END)
        FROM shop.customers c, (SELECT jsonb_populate_record(NULL::clientele.MODEL, parameters -> ''purchase'') AS p, jsonb_populate_record(NULL::clientele.gamma_gamma, parameters -> ''value'') AS g,
            (parameters -> ''annual_discount'')::float8 AS d, s.net_share AS net FROM clientele.models, shop.scoring s WHERE version = $1) m',
        'MODEL', model) USING version;
END $$;
-- Some refunds, so that not all of what is ordered stays.
INSERT INTO orders SELECT customer_id, max(ordered_at) + interval '1 hour', -5 FROM orders WHERE customer_id % 3 = 0 GROUP BY 1;
CALL clientele.refresh('shop');
SELECT net_share = (SELECT (sum(total_spent) / sum(gross_spent))::float8 FROM shop.customers) AS net_share, net_share < 1 AS less FROM shop.scoring;
SELECT v AS version, c.* FROM generate_series(1, 3) v, pg_temp.compare(v) c;
SELECT count(*) FILTER (WHERE p_alive BETWEEN 0 AND 1) AS p_alive, count(*) FILTER (WHERE expected_orders_90d > 0) AS expected, count(*) FILTER (WHERE clv_1y > 0) AS clv,
    count(expected_next_order_at) AS next, round(avg(p_alive)::numeric, 3) AS mean FROM shop.customers;
-- One customer at a time, and as of another time: today's models.
SELECT count(*) AS customers, count(*) FILTER (WHERE c.p_alive IS DISTINCT FROM s.p_alive OR c.clv_1y IS DISTINCT FROM s.clv_1y OR c.expected_next_order_at IS DISTINCT FROM s.expected_next_order_at) AS different
FROM shop.customers c CROSS JOIN LATERAL (SELECT * FROM shop.customers o WHERE o.customer_id = c.customer_id OFFSET 0) s;
SELECT count(*) AS customers, count(*) FILTER (WHERE c.p_alive IS DISTINCT FROM clientele.p_alive(jsonb_populate_record(NULL::clientele.pareto_nbd, m.parameters -> 'purchase'), c.repeat_purchases, c.last_purchase_age, c.age)) AS different
FROM shop.customers_at(now() - interval '200 days') c, clientele.models m WHERE m.in_use;
SELECT clientele.set_live('shop', true);
INSERT INTO orders VALUES (1, now(), 50), (10001, now(), 50);
SELECT c.version, c.customers, c.p_alive, c.orders, c.clv FROM (SELECT 1 AS version, c.* FROM pg_temp.compare(1) c) c;
SELECT clientele.set_live('shop', false);
DELETE FROM orders WHERE ordered_at = now() OR customer_id = 10001;
CALL clientele.refresh('shop', "full" => true);

-- ---- The report ----

SELECT model, reason FROM clientele.fit_clv('shop', 'mbgnbd', holdout_days => 100);
CREATE TEMPORARY TABLE report AS SELECT row_number() OVER () AS place, r.* FROM clientele.clv_report() r;
SELECT section, bucket, customers, round(predicted::numeric, 3) AS predicted, round(actual::numeric, 3) AS actual, replace(remark, (current_date - 101)::text, 'then') AS remark FROM report WHERE section <> 'week' ORDER BY place;
SELECT count(*), min(bucket) = (current_date - 100)::text AS first, string_agg(remark, ', ') AS part, round(sum(predicted)::numeric, 6) = (SELECT round(predicted::numeric, 6) FROM report WHERE section = 'total') AS predicted,
    sum(actual) = (SELECT actual FROM report WHERE section = 'total') AS actual, count(*) FILTER (WHERE predicted <= 0) AS none FROM report WHERE section = 'week';
-- By hand: the model of what was known before the last 100 days that are over, and the purchase days in these.
WITH known AS MATERIALIZED (
    SELECT * FROM shop.customers_at(date_trunc('day', now()) - interval '100 days' - interval '1 microsecond') WHERE orders > 0
), fitted AS (SELECT clientele.fit_mbgnbd(repeat_purchases, last_purchase_age, age) AS m FROM known)
SELECT r.bucket, r.customers = h.customers AS customers, abs(r.predicted - h.predicted) < 1e-9 AS predicted, abs(r.actual - h.actual) < 1e-9 AS actual
FROM report r LEFT JOIN (SELECT least(t.repeat_purchases, 7) AS bucket, count(*) AS customers, avg(clientele.expected_orders(f.m, 100, t.repeat_purchases, t.last_purchase_age, t.age)) AS predicted, avg(c.purchase_days - t.purchase_days) AS actual
    FROM known t JOIN shop.customers_at(date_trunc('day', now()) - interval '1 microsecond') c USING (customer_id), fitted f GROUP BY 1) h ON h.bucket::text = rtrim(r.bucket, '+') WHERE r.section = 'repeat_purchases' ORDER BY 1;
SELECT abs(r.actual - h.c) < 1e-9 AS correlation, r.customers = h.n AS customers FROM report r, (SELECT corr(repeat_purchases, repeat_day_value::float8) AS c, count(*) AS n FROM shop.customers WHERE repeat_purchases > 0) h WHERE section = 'independence';
-- At midnight, as at noon: so many whole days, those before.
BEGIN;
UPDATE orders SET ordered_at = ordered_at + interval '10 hours';
SELECT a.at, f.actual_orders = (SELECT count(DISTINCT (customer_id, ordered_at::date)) FROM orders o
        WHERE ordered_at >= current_date - 90 AND ordered_at < current_date - 20 AND amount >= 0
          AND EXISTS (SELECT FROM orders e WHERE e.customer_id = o.customer_id AND e.ordered_at < current_date - 90)) AS days,
    round(f.predicted_orders::numeric, 6) = min(round(f.predicted_orders::numeric, 6)) OVER () AS same
FROM (VALUES ('midnight', date_trunc('day', now()) - interval '20 days'), ('noon', date_trunc('day', now()) - interval '20 days' + interval '12 hours')) a (at, as_of),
    clientele.fit_clv('shop', 'mbgnbd', as_of => a.as_of, holdout_days => 70, use => false) f;
ROLLBACK;
-- The best of three: by the days held out, as the report shows them.
SELECT version, model, predicted_orders, reason LIKE 'the best first: ' || model || ': %of the days held out%' AS reason FROM clientele.fit_clv('shop', holdout_days => 100, use => false) \gset best_
SELECT :'best_reason' AS reason, bucket = :'best_model' AS model, predicted = :best_predicted_orders AS predicted FROM clientele.clv_report('shop', :best_version) WHERE section = 'model' AND remark LIKE 'chosen: %';
SELECT count(*) AS models, bool_and(c.off <= least + sqrt(c.actual)) FILTER (WHERE c.place = 1) AS close_to_the_best,
    bool_and(c.log_likelihood <= c.chosen) FILTER (WHERE c.off <= c.least + sqrt(c.actual)) AS likeliest_of_those, min(c.log_likelihood) < max(c.log_likelihood) AS differ
FROM (SELECT place, abs(h.predicted - h.actual) AS off, h.actual, min(abs(h.predicted - h.actual)) OVER () AS least, (c #>> '{holdout,log_likelihood}')::float8 AS log_likelihood,
        first_value((c #>> '{holdout,log_likelihood}')::float8) OVER (ORDER BY place) AS chosen
    FROM shop.models m, jsonb_array_elements(m.diagnostics -> 'candidates') WITH ORDINALITY e (c, place), clientele._held_out(c -> 'holdout') h WHERE m.kind = 'clv' AND m.version = :best_version) c;
-- The log likelihood of the days held out, by hand: of whole histories less that of those before, by the model of those before.
WITH known AS MATERIALIZED (
    SELECT customer_id, repeat_purchases AS x, last_purchase_age AS t_x, age FROM shop.customers_at(date_trunc('day', now()) - interval '100 days' - interval '1 microsecond') WHERE orders > 0
), fitted AS (SELECT to_jsonb(clientele.fit_bgnbd(x, t_x, age)) AS m FROM known)
SELECT abs((c #>> '{holdout,log_likelihood}')::float8 - (SELECT clientele._purchase_log_likelihood('bgnbd', n.numbers, w.whole) - clientele._purchase_log_likelihood('bgnbd', n.numbers, w.before)
    FROM (SELECT ARRAY[(m -> 'r')::float8, (m -> 'alpha')::float8, (m -> 'a')::float8, (m -> 'b')::float8] AS numbers FROM fitted) n,
        (SELECT clientele._purchase_histories(k.x, k.t_x, k.age) AS before, clientele._purchase_histories(c.repeat_purchases, c.last_purchase_age, k.age + 100) AS whole
         FROM known k JOIN shop.customers_at(date_trunc('day', now()) - interval '1 microsecond') c USING (customer_id)) w)) < 1e-6 AS by_hand
FROM shop.models m, jsonb_array_elements(m.diagnostics -> 'candidates') c WHERE m.kind = 'clv' AND m.version = :best_version AND c ->> 'model' = 'bgnbd';
SELECT clientele._purchase_log_likelihood('nbd', '{1,1,1,1}', '{0,0,1}');
SELECT clientele._purchase_log_likelihood('bgnbd', '{1,1,1}', '{0,0,1}');
SELECT clientele._purchase_log_likelihood('bgnbd', '{1,1,1,1}', '{0,0}');
SELECT clientele._purchase_log_likelihood('bgnbd', '{1,1,1,1}', '{}');
-- With nothing held out the likeliest is taken.
SELECT version, model, log_likelihood, reason LIKE 'the best first: ' || model || ': log likelihood %, nothing held out to compare%' AS reason FROM clientele.fit_clv('shop', holdout_days => 0, use => false) \gset best_
SELECT :'best_reason' AS reason, max((c #>> '{purchase,log_likelihood}')::float8) = :best_log_likelihood AS likeliest FROM shop.models m, jsonb_array_elements(m.diagnostics -> 'candidates') c WHERE m.version = :best_version;
-- Days that cannot be held out; none; nobody bought.
SELECT * FROM clientele.fit_clv('shop', holdout_days => -1);
SELECT * FROM clientele.fit_clv('shop', holdout_days => 100000);
SELECT version, predicted_orders, actual_orders FROM clientele.fit_clv('shop', holdout_days => 0);
SELECT section, bucket, customers, predicted, remark FROM clientele.clv_report('shop') WHERE section = 'total';
SELECT version, predicted_orders > 0 AS predicted, actual_orders FROM clientele.fit_clv('shop', holdout_days => 1);
SELECT count(*) FROM clientele.clv_report('shop') WHERE section = 'week';
-- So long that what is before is not enough for a model: the model of today is not worse for that.
SELECT converged, in_use, predicted_orders FROM clientele.fit_clv('shop', holdout_days => 520);
SELECT section, remark FROM clientele.clv_report('shop') WHERE section = 'total';
-- As of a time in the past: the same as if the orders since had not come.
SELECT f.purchase = (SELECT to_jsonb(m) - '{log_likelihood,standard_errors,customers,iterations,converged}'::text[] FROM (SELECT (clientele.fit_mbgnbd(repeat_purchases, last_purchase_age, age)).* FROM shop.customers_at(now() - interval '60 days')) m) AS same
FROM clientele.fit_clv('shop', 'mbgnbd', as_of => now() - interval '60 days', holdout_days => 0) f;
-- Orders that stopped long ago; the date is that of the store, whatever the session's settings.
CREATE FUNCTION pg_temp.silence(days int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
    last_day date;
BEGIN
    UPDATE orders SET ordered_at = ordered_at - days * interval '1 day';
    CALL clientele.refresh('shop');
    SELECT max(ordered_at)::date INTO last_day FROM orders;
    PERFORM clientele.fit_clv('shop', holdout_days => 0);
    RETURN 'accepted';
EXCEPTION WHEN object_not_in_prerequisite_state THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN regexp_replace(replace(replace(concat_ws(' | ', SQLERRM, detail, hint), to_char(last_day, 'YYYY-MM-DD'), 'LAST'), to_char(last_day + 1, 'YYYY-MM-DD'), 'NEXT'), '\d+ days', 'N days', 'g');
END $$;
SELECT converged FROM clientele.fit_clv('shop', force => true, as_of => now() + interval '0 days') f;
SET datestyle = 'German';
SET client_min_messages = warning;
SELECT pg_temp.silence(700);
RESET client_min_messages;
SET datestyle = 'ISO, YMD';
-- (That call was rolled back.)
UPDATE orders SET ordered_at = ordered_at - interval '700 days';
CALL clientele.refresh('shop');
\set VERBOSITY terse
SELECT version FROM clientele.fit_clv('shop', force => true, holdout_days => 0);
\set VERBOSITY default
SELECT version IS NOT NULL AS fitted FROM (SELECT max(ordered_at)::date + 1 AS day FROM orders) d, clientele.fit_clv('shop', as_of => d.day, holdout_days => 0, use => false);

-- ---- Other sessions' settings do not matter ----

UPDATE orders SET ordered_at = ordered_at + interval '700 days';
CALL clientele.refresh('shop');
SET extra_float_digits = -15;
SET timezone = 'Asia/Tokyo';
SET search_path = '';
SELECT version FROM clientele.fit_clv('shop', 'mbgnbd', holdout_days => 50);
RESET extra_float_digits;
SET timezone = 'UTC';
SET search_path = public, clientele;
SELECT parameters #> '{purchase,r}' = to_jsonb((f.m).r) AS same FROM clientele.models, (SELECT clientele.fit_mbgnbd(repeat_purchases, last_purchase_age, age) AS m FROM shop.customers) f WHERE in_use;
SELECT purchase[1] = (f.m).r AS same FROM shop.scoring, (SELECT clientele.fit_mbgnbd(repeat_purchases, last_purchase_age, age) AS m FROM shop.customers) f;

-- ---- Rules over the columns ----

SELECT clientele.define_segment('shop', 'valuable', 'clv_1y >= 20 AND p_alive > 0.5'), clientele.define_segment('shop', 'leaving', 'p_alive < 0.3 AND repeat_purchases > 0'),
    clientele.define_segment('shop', 'due', 'expected_next_order_at < as_of + interval ''7 days''', segmentation => 'due'), clientele.define_segment('shop', 'buyers', 'expected_orders_90d > 1 AND expected_order_value > 20', segmentation => 'due');
SELECT segment, customers = (SELECT count(*) FROM shop.customers c WHERE CASE s.segment WHEN 'valuable' THEN clv_1y >= 20 AND p_alive > 0.5
    WHEN 'leaving' THEN p_alive < 0.3 AND repeat_purchases > 0 AND (clv_1y >= 20 AND p_alive > 0.5) IS NOT TRUE ELSE c.segment = 'default' END) AS right, customers > 0 AS some FROM shop.segment_sizes s;
SELECT count(*) FILTER (WHERE clientele.assign_segment(customer_id) IS DISTINCT FROM segment) AS different FROM shop.customers;
SELECT e.segment, e.condition, e.outcome, e.assigned, e.value_found = format('clv_1y = %s, p_alive = %s', c.clv_1y, trim_scale(round(c.p_alive::numeric, 6))) AS shown FROM (SELECT * FROM shop.customers WHERE segment = 'valuable' ORDER BY customer_id LIMIT 1) c, clientele.explain_segment(c.customer_id) e;

-- ---- Win-back names the customer's own rhythm, and whether there is hope ----

SELECT clientele.define_offer('shop', 'back', 'win_back');
SELECT count(*) > 0 AS some, bool_and(array_to_string(d.reasons, ' ') LIKE format('%%p_alive=%s %%', round(c.p_alive::numeric, 2))) AS p_alive, bool_and(array_to_string(d.reasons, ' ') LIKE '%median_days_between_orders=%') AS rhythm
FROM shop.offer_decisions d JOIN shop.customers c USING (customer_id) WHERE d.program = 'back' AND d.status = 'offered';
SELECT bool_and(e.explanation LIKE '%alive with a probability of%their own rhythm%') AS explained FROM (SELECT customer_id FROM shop.offer_decisions WHERE program = 'back' AND status = 'offered' LIMIT 5) d, clientele.explain_offer(d.customer_id, 'shop') e WHERE e.program = 'back';
SELECT clientele.use_model('shop', 'clv', NULL);
SELECT count(*) > 0 AS some, count(*) FILTER (WHERE array_to_string(reasons, ' ') LIKE '%p_alive%') AS p_alive FROM shop.offer_decisions;

-- ---- More refunds than sales; names that need quotes ----

SELECT clientele.drop_store('shop');
INSERT INTO orders SELECT customer_id, ordered_at, -3 * amount FROM orders WHERE amount > 0;
SELECT clientele.create_store('out FIT "STORE" %I HISTORIES', 'orders', time_zone => 'Europe/Berlin');
CALL clientele.refresh('out FIT "STORE" %I HISTORIES');
SELECT store, version, in_use, round(predicted_orders) > 0 AS predicted FROM clientele.fit_clv('out FIT "STORE" %I HISTORIES', holdout_days => 60), clientele.stores;
SELECT count(*) FILTER (WHERE section = 'week') FROM clientele.clv_report();
SELECT count(*) AS customers, count(p_alive) AS p_alive, min(clv_1y), max(clv_1y) FROM "out FIT ""STORE"" %I HISTORIES".customers;
SELECT store, kind, version FROM clientele.models;
SELECT clientele.create_store('shop', 'orders');
DELETE FROM orders WHERE amount < 0;
SELECT clientele.drop_store('out FIT "STORE" %I HISTORIES');

-- ---- No value model; a model that does not converge ----

SELECT clientele.drop_store('shop');
UPDATE orders SET amount = 0;
SELECT clientele.create_store('shop', 'orders');
CALL clientele.refresh('shop');
SELECT version, in_use, converged, value FROM clientele.fit_clv('shop');
SELECT count(p_alive) > 0 AS p_alive, count(expected_orders_90d) > 0 AS expected, count(expected_order_value) AS "values", count(clv_1y) AS clv FROM shop.customers;
SELECT section, customers, actual, remark FROM clientele.clv_report('shop') WHERE section = 'independence';
UPDATE orders SET amount = 5;
CALL clientele.refresh('shop');
SELECT version, in_use, converged, value FROM clientele.fit_clv('shop', holdout_days => 20);
SELECT count(p_alive) > 0 AS p_alive, count(clv_1y) AS clv FROM shop.customers;
SELECT clientele.drop_store('shop');
-- Nobody ever leaves: such a model is stored with a warning, and used where one asks for it.
TRUNCATE orders;
INSERT INTO orders SELECT c, date_trunc('day', now()) + interval '10 hours' - interval '500 days' + floor(day) * interval '1 day', 20
FROM generate_series(1, 1000) c CROSS JOIN LATERAL (SELECT sum(-ln(1 - clientele.bucket('wait', c || '/' || n)) * (15 + 60 * clientele.bucket('rate', c::text))) OVER (ORDER BY n) AS day
    FROM generate_series(1, 60) n) d WHERE d.day < CASE WHEN c % 200 = 0 THEN 150 ELSE 499 END;
SELECT clientele.create_store('shop', 'orders');
CALL clientele.refresh('shop');
\set VERBOSITY terse
SELECT version, in_use, converged FROM clientele.fit_clv('shop', 'mbgnbd', holdout_days => 0);
SELECT count(p_alive) FROM shop.customers;
SELECT section, bucket, regexp_replace(remark, '[0-9.]+', '#') AS remark FROM clientele.clv_report('shop', 1) WHERE section = 'model';
SELECT version, in_use FROM clientele.fit_clv('shop', 'mbgnbd', holdout_days => 0, force => true);
SELECT avg(p_alive) > 0.98 AS alive FROM shop.customers WHERE repeat_purchases > 0;
\set VERBOSITY default
SELECT clientele.drop_store('shop');
-- Everybody alike: there is no best rate.
TRUNCATE orders;
INSERT INTO orders SELECT c, date_trunc('day', now()) - n * 30 * interval '1 day', 10 + c FROM generate_series(1, 300) c, generate_series(1, 4) n;
SELECT clientele.create_store('shop', 'orders');
CALL clientele.refresh('shop');
\set VERBOSITY terse
SELECT version FROM clientele.fit_clv('shop', 'bgnbd');
SELECT version, in_use, converged FROM clientele.fit_clv('shop', 'bgnbd', force => true);
SELECT version, in_use FROM clientele.models;
SELECT count(p_alive) FROM shop.customers;
SELECT clientele.use_model('shop', 'clv', version) FROM clientele.models WHERE NOT in_use AND store = 'shop';
\set VERBOSITY default
SELECT clientele.drop_store('shop');
DROP TABLE orders;
