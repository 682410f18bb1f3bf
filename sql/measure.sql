-- Measuring: what measure_lift() compares, against lift() over the same rows by plain SQL; its edges and refusals; experiment_health.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
SET search_path = public, clientele;
\set SHOW_CONTEXT never

-- ---- A shop with refunds, discounts and a filter ----

CREATE TABLE m_orders (order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric(12, 2),
    refunded numeric(12, 2), discount numeric(12, 2), status text NOT NULL DEFAULT 'ok');
CREATE INDEX ON m_orders (customer_id);
CREATE TABLE m_customers (customer_id bigint PRIMARY KEY);
INSERT INTO m_customers SELECT generate_series(1, 1300);
-- Up to seven orders from 120 days before to 40 days after 1 April: a tenth refunded whole or in part, some refund rows, some cancelled.
INSERT INTO m_orders (customer_id, ordered_at, amount, refunded, discount, status)
SELECT c, timestamptz '2025-04-01' + (160 * bucket('m-t', c || ':' || n) - 120) * interval '1 day', a * CASE WHEN n = 5 THEN -1 ELSE 1 END,
    CASE WHEN n = 2 THEN CASE WHEN c % 2 = 0 THEN a ELSE round(a / 3, 2) END END, CASE WHEN n = 3 THEN 2.5 END, CASE WHEN (c + n) % 11 = 0 THEN 'cancelled' ELSE 'ok' END
FROM generate_series(1, 1200) c, generate_series(1, c % 8) n, LATERAL (SELECT round((5 + 90 * bucket('m-a', c || ':' || n))::numeric, 2) AS a) s;
SELECT create_store('measured', 'm_orders', refunded => 'refunded', discount => 'discount', order_filter => $$status = 'ok'$$, customers => 'm_customers', margin => 0.35);
SELECT * FROM measured.experiment_health;  -- a ledger without rows
SELECT * FROM measure_lift('measured', NULL);
SELECT define_offer('measured', 'p', 'grow_order_value', holdout => 0.3);
SELECT * FROM measure_lift('measured', 'p');
INSERT INTO measured.program_versions
SELECT 'p', v, '2025-04-01', (SELECT definition FROM measured.program_versions WHERE program = 'p' AND version = 1) || jsonb_build_object('holdout', h)
FROM (VALUES (2, 0.5), (3, 0)) s (v, h);

CREATE FUNCTION m_enrol(customer text, period integer, version integer, held_out text, at timestamptz, program text DEFAULT 'p', variant text DEFAULT 'default',
    propensity float8 DEFAULT 1, store text DEFAULT 'measured', segment text DEFAULT 'a', global_holdout float8 DEFAULT 0) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %I.ledger (customer_id, period, program, program_version, holdout, global_holdout, segment, basis, reference_value, min_spend, reward,
            reward_kind, currency, message, reasons, variant, propensity, issued_at, valid_until)
        VALUES (%L, $1, $2, $3, $4, $5, $6, ''typical'', 50, 70, 3.5, ''amount_off'', ''USD'', '''', ''{typical}'', $7, $8, $9, $9 + interval ''14 days'')', store, customer)
        USING period, program, version, held_out, global_holdout, segment, variant, propensity, at;
END $$;
-- 1,000 customers in two versions of a holdout and 200 in one without; every tenth once more; two held out of everything.
SELECT count(m_enrol(c::text, 1, version, CASE WHEN bucket('m-h', c::text) < (ARRAY[0.3, 0.5, 0])[version] THEN 'program' END,
    timestamptz '2025-04-01' + c % 9 * interval '1 day', segment => CASE WHEN c % 3 = 0 THEN 'a' WHEN c % 3 = 1 THEN 'b' ELSE 'c' END))
FROM generate_series(1, 1200) c, LATERAL (SELECT CASE WHEN c <= 600 THEN 1 WHEN c <= 1000 THEN 2 ELSE 3 END AS version) v;
SELECT count(m_enrol(c::text, 2, 2, NULL, '2025-04-20', segment => 'z')) FROM generate_series(10, 1200, 10) c;
SELECT count(m_enrol(c::text, 3, 2, 'global', '2025-04-02', global_holdout => 0.01)) FROM generate_series(1, 2) c;
SELECT m_enrol('1201', 1, 1, 'global', '2025-04-01', global_holdout => 0.01), m_enrol('1202', 1, 1, NULL, now() - interval '13 days 23 hours', segment => 'b');
-- Edges, each of them an order of 1,000: of customer 1203, enrolled at noon of 5 April.
SELECT m_enrol('1203', 1, 1, NULL, '2025-04-05 12:00', segment => 'a');
INSERT INTO m_orders (customer_id, ordered_at, amount) SELECT 1203, t::timestamptz, 1000 FROM unnest('{2025-01-05 11:59:59.999999,2025-01-05 12:00,2025-04-05 11:59:59.999999,
    2025-04-05 12:00,2025-04-19 11:59:59.999999,2025-04-19 12:00}'::text[]) t;
INSERT INTO m_orders (customer_id, ordered_at, amount) VALUES (1203, now() + interval '1 day', 1000), (1203, NULL, 1000), (NULL, '2025-04-06', 1000), (1250, '2025-04-06', 1000), (1203, '2025-04-06', NULL);
-- Rewards: of orders within and outside of the horizon, of another program, and what was voided in either way.
UPDATE measured.ledger l SET state = CASE WHEN l.customer_id % 7 = 0 THEN 'void' ELSE 'redeemed' END, closed_at = now(), order_id = o.order_id, ordered_at = o.ordered_at, order_value = o.amount, program = CASE WHEN l.period = 2 THEN 'q' ELSE 'p' END
FROM (SELECT DISTINCT ON (customer_id) * FROM m_orders ORDER BY customer_id, ordered_at DESC) o
WHERE o.customer_id = l.customer_id AND l.holdout IS NULL AND l.customer_id % 3 > 0 AND (l.period = 2 OR l.customer_id % 10 > 0);
INSERT INTO measured.reversals SELECT exposure_id, now() FROM measured.ledger WHERE state = 'redeemed' AND customer_id % 5 = 0;
INSERT INTO measured.reversals SELECT exposure_id, now() FROM measured.ledger WHERE state = 'redeemed' AND customer_id % 50 = 0;
-- The rest is settled, and what was reversed stays so: those orders no longer reach the threshold.
UPDATE measured.ledger SET state = 'expired', closed_at = now() WHERE state = 'open' AND valid_until <= now();
UPDATE measured.ledger SET min_spend = 1e6 WHERE exposure_id IN (SELECT exposure_id FROM measured.reversals);

-- ---- The same rows by plain SQL ----

ANALYZE m_orders, measured.ledger, measured.reversals;
CREATE VIEW m_values AS
    SELECT customer_id, ordered_at, CASE WHEN amount < 0 THEN amount ELSE amount + coalesce(discount, 0) - coalesce(refunded, 0) END AS value, amount >= 0 AS is_order
    FROM m_orders WHERE status = 'ok' AND NOT (coalesce(refunded, 0) <> 0 AND refunded >= amount) AND amount IS NOT NULL;
CREATE VIEW m_paid AS SELECT l.customer_id, l.ordered_at, l.reward FROM measured.ledger l
    WHERE l.state = 'redeemed' AND l.holdout IS NULL AND NOT EXISTS (SELECT FROM measured.reversals v WHERE v.exposure_id = l.exposure_id);
CREATE FUNCTION m_metric(metric text, customer bigint, since timestamptz, until timestamptz, OUT y float8, OUT orders float8) LANGUAGE plpgsql AS $$
DECLARE
    money numeric;
    gross numeric;
    paid numeric := coalesce((SELECT sum(v.reward) FROM m_paid v WHERE v.customer_id = customer AND v.ordered_at >= since AND v.ordered_at < until), 0);
BEGIN
    SELECT coalesce(sum(v.value), 0), coalesce(sum(CASE WHEN v.is_order THEN v.value END), 0), count(CASE WHEN v.is_order THEN 1 END)
        INTO money, gross, orders FROM m_values v WHERE v.customer_id = customer AND v.ordered_at >= since AND v.ordered_at < until;
    y := CASE metric WHEN 'net_margin_per_customer' THEN 0.35 * money - paid WHEN 'revenue_per_customer' THEN money WHEN 'orders_per_customer' THEN orders
        WHEN 'repeat_rate' THEN CASE WHEN orders > 0 THEN 1 ELSE 0 END WHEN 'aov' THEN gross END;
END $$;
CREATE FUNCTION m_expected(metric text, of_segment text, "from" timestamptz DEFAULT '-infinity', horizon interval DEFAULT '14 days', pre_period interval DEFAULT '90 days') RETURNS lift_result LANGUAGE sql AS $$
    WITH first AS (
        SELECT l.*, row_number() OVER (PARTITION BY customer_id, issued_at >= "from" ORDER BY issued_at, period) AS nth, min(issued_at) OVER (PARTITION BY customer_id) AS first_at
        FROM measured.ledger l WHERE program = 'p' AND coalesce(holdout, 'none') <> 'global'
    ), rows AS (
        SELECT f.program_version, f.holdout IS NULL AS treated, a.y, a.orders, b.y AS x FROM first f,
            m_metric(metric, f.customer_id, f.issued_at, f.issued_at + horizon) a, m_metric(metric, f.customer_id, f.first_at - pre_period, f.first_at) b
        WHERE f.nth = 1 AND f.issued_at >= "from" AND f.issued_at + horizon <= now() AND f.program_version < 3 AND (of_segment IS NULL OR f.segment = of_segment)
        ORDER BY random()
    )
    SELECT combine_lift(array_agg(r ORDER BY v)) FROM (
        SELECT program_version AS v, CASE metric WHEN 'aov' THEN lift_ratio(y, orders, treated) ELSE lift(y, treated, x) END AS r FROM rows GROUP BY 1) s
$$;
CREATE FUNCTION m_fields(r lift_report) RETURNS lift_result IMMUTABLE LANGUAGE sql AS $$
    SELECT ROW(r.n_control, r.n_treated, r.mean_control, r.mean_treated, r.sd_control, r.sd_treated, r.effect, r.se, r.df, r.ci_low, r.ci_high, r.p_value,
        r.relative_effect, r.relative_ci_low, r.relative_ci_high, r.theta, r.variance_reduction)::lift_result $$;
SELECT metric, segment, n_control, n_treated, round(mean_control::numeric, 6) AS mean_control, round(effect::numeric, 6) AS effect, round(ci_low::numeric, 6) AS ci_low, round(ci_high::numeric, 6) AS ci_high,
    round(p_holm::numeric, 6) AS p_holm, excluded, versions, round(srm_pvalue::numeric, 6) AS srm, round(minimum_detectable_effect::numeric, 6) AS mde, note
FROM measure_lift('measured', 'p', by_segment => true);
-- To the last bit.
SELECT m.metric, r.segment, m_fields(r)::text = m_expected(r.metric, r.segment)::text AS same
FROM unnest('{net_margin_per_customer,revenue_per_customer,orders_per_customer,repeat_rate}'::text[]) m (metric), measure_lift('measured', 'p', m.metric, by_segment => m.metric LIKE 'net%') r;
SELECT r.metric, r.segment, m_fields(r)::text = m_expected(r.metric, r.segment)::text AS same, r.note FROM measure_lift('measured', 'p', 'aov', by_segment => true) r;
SELECT m_fields(r)::text = m_expected(r.metric, NULL, '2025-04-04', '7 days', '1 month')::text AS same, excluded
FROM measure_lift('measured', 'p', "from" => '2025-04-04', horizon => '7 days', pre_period => '1 month') r;
SELECT m_fields(r)::text = m_expected(r.metric, NULL, pre_period => '0')::text AS same, theta IS NULL OR theta = 0 AS unadjusted FROM measure_lift('measured', 'p', pre_period => '0') r;
-- Its own figures from the toolkit: the sequential interval, Holm, the size for an effect.
SELECT bool_and((sequential_low, sequential_high) IS NOT DISTINCT FROM (SELECT (s.ci_low, s.ci_high) FROM sequential_interval(m_fields(r)) s)) AS sequential,
    array_agg(p_holm ORDER BY segment) FILTER (WHERE segment IS NOT NULL) = holm(array_agg(p_value ORDER BY segment) FILTER (WHERE segment IS NOT NULL)) AS holm,
    bool_and(sequential_low < ci_low AND sequential_high > ci_high) AS wider, count(sequential_low) AS sequentials,
    bool_and(customers_needed = lift_sample_size(0.5, sd_control, sd_treated, n_treated::float8 / (n_control + n_treated))) AS size
FROM measure_lift('measured', 'p', by_segment => true, target_effect => 0.5) r;
SELECT srm_pvalue = (SELECT min(p) FROM unnest(holm(ARRAY[srm_pvalue(ARRAY[c1, t1], '{0.3,0.7}'), srm_pvalue(ARRAY[c2, t2], '{0.5,0.5}')])) p) AS srm
FROM measure_lift('measured', 'p', 'repeat_rate'),
    (SELECT count(*) FILTER (WHERE holdout = 'program' AND program_version = 1) AS c1, count(*) FILTER (WHERE holdout IS NULL AND program_version = 1 AND issued_at < '2025-06-01') AS t1,
        count(*) FILTER (WHERE holdout = 'program' AND program_version = 2) AS c2, count(*) FILTER (WHERE holdout IS NULL AND program_version = 2) AS t2
     FROM measured.ledger WHERE period = 1) c;
-- Two workers give the same.
CREATE TABLE m_before AS SELECT md5(string_agg(r::text, '|')) AS rows FROM measure_lift('measured', 'p', by_segment => true) r;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT md5(string_agg(r::text, '|')) = (SELECT rows FROM m_before) AS same FROM measure_lift('measured', 'p', by_segment => true) r;
RESET max_parallel_workers_per_gather;
-- The order in which rows lie does not matter, nor do the session's settings.
CREATE TABLE m_copy AS SELECT * FROM m_orders;
ALTER TABLE m_orders ALTER order_id DROP IDENTITY;
TRUNCATE m_orders;
INSERT INTO m_orders SELECT * FROM m_copy ORDER BY md5(order_id::text);
SET timezone = 'Pacific/Auckland';
SET enable_hashjoin = off;
SELECT md5(string_agg(r::text, '|')) = (SELECT rows FROM m_before) AS same FROM measure_lift('measured', 'p', by_segment => true) r;
RESET enable_hashjoin;
SET timezone = 'UTC';
-- Calendar days are the store's: those before 9 March 2025 were of standard time.
ANALYZE m_orders;
UPDATE measured.settings SET time_zone = 'America/New_York';
SELECT m_fields(r)::text = m_expected(r.metric, NULL)::text AS utc, m_fields(r)::text = (SELECT e::text FROM set_config('timezone', 'America/New_York', true), m_expected(r.metric, NULL) e) AS store
FROM measure_lift('measured', 'p', pre_period => '90 days') r;
SET timezone = 'UTC';
UPDATE measured.settings SET time_zone = 'UTC';

-- ---- Reaching the own threshold ----

-- Every customer in a version of three has a threshold of 5 to 94; offers end after 3 to 16 days, or the horizon does.
CREATE TABLE m_thresholds AS SELECT exposure_id, min_spend, valid_until FROM measured.ledger;
UPDATE measured.ledger SET min_spend = 5 + customer_id % 90, valid_until = issued_at + (3 + customer_id % 14) * interval '1 day';
CREATE FUNCTION m_reach("from" timestamptz, horizon interval, turned boolean DEFAULT false) RETURNS lift_result LANGUAGE sql AS $$
    WITH first AS (
        SELECT l.*, row_number() OVER (PARTITION BY customer_id, issued_at >= "from" ORDER BY issued_at, period) AS nth, min(issued_at) OVER (PARTITION BY customer_id) AS first_at
        FROM measured.ledger l WHERE program = 'p' AND coalesce(holdout, 'none') <> 'global'
    ), rows AS (
        SELECT f.program_version AS v, (f.holdout IS NULL) <> turned AS treated,
            (EXISTS (SELECT FROM m_values o WHERE o.customer_id = f.customer_id AND o.value >= f.min_spend AND o.ordered_at >= f.issued_at AND o.ordered_at < f.ends_at))::int AS y,
            (EXISTS (SELECT FROM m_values o WHERE o.customer_id = f.customer_id AND o.value >= f.min_spend AND o.ordered_at >= f.first_at - interval '90 days' AND o.ordered_at < f.first_at))::int AS x
        FROM (SELECT f.*, least(f.valid_until, f.issued_at + horizon) AS ends_at FROM first f) f
        WHERE f.nth = 1 AND f.issued_at >= "from" AND f.ends_at <= now() AND f.program_version < 3)
    SELECT combine_lift(array_agg(r ORDER BY v)) FROM (SELECT v, lift(y, treated, x) AS r FROM rows GROUP BY v) s
$$;
SELECT metric, horizon, n_control, n_treated, round(mean_control::numeric, 6) AS control, round(mean_treated::numeric, 6) AS treated, round(effect::numeric, 6) AS effect,
    round(incremental_share::numeric, 6) AS share, round(incremental_share_low::numeric, 6) AS low, round(incremental_share_high::numeric, 6) AS high
FROM measure_lift('measured', 'p', 'reach_rate');
SELECT h.horizon, m_fields(r)::text = m_reach('-infinity', h.horizon)::text AS same,
    (incremental_share, incremental_share_low) = (-t.relative_effect, -t.relative_ci_high) AS share, incremental_share_high = least(1, -t.relative_ci_low) AS bounded
FROM unnest('{NULL,5 days}'::interval[]) h (horizon), measure_lift('measured', 'p', 'reach_rate', horizon => h.horizon) r, m_reach('-infinity', h.horizon, true) t WHERE r.metric = 'reach_rate';
SELECT segment, n_control, n_treated, round(incremental_share::numeric, 6) AS share FROM measure_lift('measured', 'p', 'reach_rate', by_segment => true) WHERE metric = 'reach_rate';
-- Nobody reaches it: there is nobody to ask of.
UPDATE measured.ledger SET min_spend = 1e9;
SELECT mean_treated, incremental_share, incremental_share_low FROM measure_lift('measured', 'p', 'reach_rate') WHERE metric = 'reach_rate';
UPDATE measured.ledger l SET min_spend = t.min_spend, valid_until = t.valid_until FROM m_thresholds t WHERE t.exposure_id = l.exposure_id;
-- Over 90 days as well, for whoever asks: all customers, and only where the horizon is shorter.
SELECT metric, segment, horizon, n_control > 0 AS held_out, m_fields(r)::text = m_expected(metric, segment, horizon => horizon)::text AS same, note
FROM measure_lift('measured', 'p', 'revenue_per_customer', by_segment => true, displaced => true) r;
SELECT m.metric, h.days, count(*) FROM unnest('{net_margin_per_customer,repeat_rate,aov}'::text[]) m (metric), unnest('{90,30}'::int[]) h (days),
    measure_lift('measured', 'p', m.metric, horizon => h.days * interval '1 day', displaced => true) GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FROM measure_lift('measured', 'p');
UPDATE measured.program_versions SET definition = definition || '{"explore": {"share": 0.2}}' WHERE version = 3;
SELECT horizon FROM measure_lift('measured', 'p');
UPDATE measured.program_versions SET definition = definition - 'explore' WHERE version = 3;

-- ---- What was earned and is not settled ----

\set VERBOSITY terse
UPDATE measured.settings SET order_id = 'order_id';
CREATE TABLE m_kept AS SELECT * FROM measured.ledger;
CREATE TABLE m_noted AS SELECT * FROM measured.reversals;
-- By hand: the same offers, first enrolment and horizon.
CREATE FUNCTION m_unsettled(horizon interval) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM measured.ledger l, LATERAL (SELECT f.issued_at AS since, f.issued_at + horizon AS until FROM measured.ledger f
        WHERE f.customer_id = l.customer_id AND f.program = 'p' AND coalesce(f.holdout, 'none') <> 'global' ORDER BY f.period LIMIT 1) f
    WHERE l.holdout IS NULL AND f.until <= now() AND EXISTS (SELECT FROM measured._orders o WHERE o.customer_id = l.customer_id
        AND o.ordered_at >= greatest(since, l.issued_at) AND o.ordered_at < least(until, l.valid_until) AND o.ordered_at <= now() AND o.amount >= l.min_spend
        AND CASE l.state WHEN 'open' THEN NOT EXISTS (SELECT FROM measured.ledger r WHERE r.state = 'redeemed' AND r.order_id = o.order_id)
            WHEN 'redeemed' THEN o.order_id = l.order_id AND EXISTS (SELECT FROM measured.reversals v WHERE v.exposure_id = l.exposure_id)
                AND l.period = (SELECT max(period) FROM measured.ledger m WHERE m.customer_id = l.customer_id) ELSE false END) $$;
CREATE FUNCTION m_same_count(horizon interval) RETURNS text LANGUAGE sql AS $$
    SELECT _unsettled_offers('measured', ROW('p', NULL, NULL), '-infinity', 'infinity', horizon, NULL) || ' ' || m_unsettled(horizon) $$;
SET client_min_messages = error;
SELECT m_same_count('14 days') AS settled;
UPDATE measured.ledger SET state = 'open', closed_at = NULL WHERE state = 'expired';
SELECT m_same_count('14 days') AS open, m_same_count('5 days') AS short, m_same_count('60 days') AS long;
SET client_min_messages = warning;
SELECT round(effect::numeric, 4) AS effect, note FROM measure_lift('measured', 'p');
SELECT segment, note FROM measure_lift('measured', 'p', by_segment => true, "to" => '2025-04-03');
SELECT note FROM measure_lift('measured', 'p', 'revenue_per_customer');  -- knows no rewards
-- Redemptions whose order came back: it counts, its reward does not.
UPDATE measured.ledger SET state = 'expired', closed_at = now() WHERE state = 'open';
UPDATE measured.ledger SET min_spend = 10 WHERE exposure_id IN (SELECT exposure_id FROM measured.reversals);
SET client_min_messages = error;
SELECT m_same_count('14 days') AS reversed;
-- After settling nothing is left, and the effect is that of the rewards that were found.
UPDATE measured.ledger SET state = 'open', closed_at = NULL WHERE state = 'expired';
CREATE TABLE m_overstated AS SELECT effect FROM measure_lift('measured', 'p', pre_period => '0');
CALL settle_offers('measured');
SET client_min_messages = warning;
SELECT _unsettled_offers('measured', ROW('p', NULL, NULL), '-infinity', 'infinity', '14 days', NULL) AS unsettled, r.effect < o.effect AS lower, m_fields(r)::text = m_expected(r.metric, NULL, pre_period => '0')::text AS same, note
FROM measure_lift('measured', 'p', pre_period => '0') r, m_overstated o;
TRUNCATE measured.ledger, measured.reversals;
INSERT INTO measured.ledger OVERRIDING SYSTEM VALUE SELECT * FROM m_kept;
INSERT INTO measured.reversals SELECT * FROM m_noted;
\set VERBOSITY default
-- Nobody has ordered yet: no effect is too small to be found, and none is found.
SELECT n_control > 0 AS compared, effect, se, minimum_detectable_effect, note FROM measure_lift('measured', 'p', "from" => '2025-04-06', horizon => '1 microsecond', pre_period => '0');

-- ---- The whole store, against those who are held out of everything ----

SELECT measure_lift('measured', NULL, "to" => '2025-04-01');
SELECT count(m_enrol(c::text, 9, 1, CASE WHEN c % 10 = 0 THEN 'global' WHEN c % 10 = 1 THEN 'program' END, '2025-05-01', global_holdout => 0.1)) FROM generate_series(1, 1000) c;
SELECT metric, n_control, n_treated, round(mean_control::numeric, 6) AS mean_control, excluded, versions, round(srm_pvalue::numeric, 6) AS srm FROM measure_lift('measured', NULL, 'revenue_per_customer', "from" => '2025-05-01', "to" => '2025-05-02');
SELECT m_fields(r)::text = (SELECT lift(a.y, c % 10 > 0, b.y) FROM generate_series(1, 1000) c, m_metric('revenue_per_customer', c, '2025-05-01', '2025-05-15') a, LATERAL (SELECT min(issued_at) AS first_at FROM measured.ledger WHERE customer_id = c) f,
    m_metric('revenue_per_customer', c, f.first_at - interval '90 days', f.first_at) b)::text AS same
FROM measure_lift('measured', NULL, 'revenue_per_customer', "from" => '2025-05-01', "to" => '2025-05-02') r;
DELETE FROM measured.ledger WHERE period = 9;

-- ---- Refusals ----

SELECT measure_lift('measured', 'p', 'profit');
SELECT measure_lift('measured', 'p', NULL);
SELECT measure_lift('measured', 'p', pre_period => NULL);
SELECT measure_lift('measured', 'p', by_segment => NULL);
SELECT measure_lift('measured', 'p', target_effect => 0);
SELECT measure_lift('measured', 'p', target_effect => 'NaN');
SELECT measure_lift('measured', 'p', horizon => '0');
SELECT measure_lift('measured', 'p', horizon => '11 years');
SELECT measure_lift('measured', 'p', pre_period => '-1 day');
SELECT measure_lift('measured', 'p', "from" => '2025-04-02', "to" => '2025-04-01');
SELECT measure_lift('measured', 'nothing');
SELECT measure_lift('measured', 'p', "from" => '2024-01-01', "to" => '2024-02-01');
SELECT measure_lift(NULL, 'p');
SELECT measure_lift('nowhere', 'p');
\set VERBOSITY terse
SELECT measure_lift('measured', 'p', "from" => now() - interval '20 days');  -- nobody's horizon is over
SELECT measure_lift('measured', 'p', horizon => '5 years');
\set VERBOSITY default
UPDATE measured.program_versions SET definition = definition || '{"holdout": 0}' WHERE program = 'p';
SELECT measure_lift('measured', 'p');
UPDATE measured.program_versions SET definition = definition || '{"holdout": 0.3}' WHERE program = 'p' AND version = 1;
SELECT versions, n_control > 0 AS held_out, note LIKE '%left out%' AS said FROM measure_lift('measured', 'p');

-- ---- A broken assignment is loud ----

UPDATE measured.program_versions SET definition = definition || '{"holdout": 0.1}' WHERE program = 'p' AND version = 1;
SELECT srm_pvalue < 1e-6 AS broken, note LIKE 'SAMPLE RATIO MISMATCH%' AS said FROM measure_lift('measured', 'p');
SELECT program_version, enrolled, offered, held_out, held_out_globally, expected_share, round(observed_share::numeric, 4) AS observed, srm_pvalue < 1e-6 AS srm, arms_pvalue, alarm, alert FROM measured.experiment_health WHERE program = 'p';
-- Arms by their weights: of 300 customers each a half and a tenth.
INSERT INTO measured.program_versions SELECT 'arms', v, now(), jsonb_build_object('holdout', 0, 'arms', jsonb_build_array(jsonb_build_object('weight', w), jsonb_build_object('name', 'high', 'weight', 1 - w))) FROM (VALUES (1, 0.5), (2, 0.1)) s (v, w);
SELECT count(m_enrol((c + 300 * (v - 1))::text, 20 + v, v, NULL, '2025-06-01', 'arms', CASE WHEN c % 2 = 0 THEN '0' ELSE 'high' END, 0.5)) FROM generate_series(1, 300) c, generate_series(1, 2) v;
SELECT program_version, enrolled, expected_share, observed_share, srm_pvalue, arms_pvalue < 1e-6 AS broken, arms_pvalue, alarm, alert, first_enrolled_at, last_enrolled_at FROM measured.experiment_health WHERE program = 'arms' \gx
-- Nobody can be in an arm without weight.
SELECT _arms_pvalue(d, '{a,b}', '{100,1}') AS broken, _arms_pvalue(d, '{a,c}', '{100,1}') AS unknown, _arms_pvalue(d, '{a}', '{100}') AS sound, _arms_pvalue(d, NULL, NULL) AS nobody
FROM (SELECT '{"arms": [{"name": "a", "weight": 1}, {"name": "b", "weight": 0}]}'::jsonb AS d) d;
DELETE FROM measured.ledger WHERE program = 'arms';

-- ---- Other keys; a true effect that is known ----

-- Every customer orders once, an amount of mean 60; treated ones spend 20 more and cost a reward of 3.5: 0.3 x 20 - 3.5 = 2.5.
CREATE TABLE m_texts (customer_id text, ordered_at timestamptz, amount numeric(12, 2));
SELECT create_store('texts', 'm_texts');
SELECT define_offer('texts', 'p', 'second_order', holdout => 0.2, valid_for => '10 days');
SELECT count(m_enrol('c' || c, 1, 1, CASE WHEN bucket('texts:p:holdout', 'c' || c) < 0.2 THEN 'program' END, '2025-03-01', store => 'texts')) FROM generate_series(1, 4000) c;
INSERT INTO m_texts SELECT customer_id, '2025-02-20', round((10 + 100 * bucket('x', customer_id))::numeric, 2) FROM texts.ledger;
INSERT INTO m_texts SELECT customer_id, '2025-03-05', round((10 + 80 * bucket('x', customer_id) + 20 * bucket('y', customer_id) + CASE WHEN holdout IS NULL THEN 20 ELSE 0 END)::numeric, 2) FROM texts.ledger;
UPDATE texts.ledger SET state = 'redeemed', closed_at = now(), ordered_at = '2025-03-05', order_id = customer_id WHERE holdout IS NULL;
SELECT n_control + n_treated AS customers, ci_low < 2.5 AND 2.5 < ci_high AS covered, ci_low > 2 AND ci_high < 3 AS found, variance_reduction > 0.8 AS reduced, srm_pvalue > 0.001 AS sound, note FROM measure_lift('texts', 'p');
SELECT ci_low < 2.5 AND 2.5 < ci_high AS covered FROM measure_lift('texts', 'p', pre_period => '0');
SELECT round(effect::numeric) AS effect, round(relative_effect::numeric, 2) AS relative FROM measure_lift('texts', 'p', 'aov') WHERE metric = 'aov';
SELECT note LIKE '%takes % customers, and there are 4000' AS said FROM measure_lift('texts', 'p', target_effect => 0.01);
SELECT drop_offer('texts', 'p');
SELECT ci_low > 2 AS still_measured FROM measure_lift('texts', 'p');

CREATE TABLE m_uuids (customer_id uuid, ordered_at date, amount int);
SELECT create_store('uuids', 'm_uuids');
SELECT define_offer('uuids', 'p', 'second_order', holdout => 0.5);
SELECT count(m_enrol(md5(c::text)::uuid::text, 1, 1, CASE WHEN c % 2 = 0 THEN 'program' END, '2025-03-01', store => 'uuids')) FROM generate_series(1, 20) c;
INSERT INTO m_uuids SELECT md5(c::text)::uuid, '2025-03-01', 10 + c FROM generate_series(1, 20) c;
SELECT n_control, n_treated, mean_control, mean_treated, round(effect::numeric, 6) AS effect, note FROM measure_lift('uuids', 'p', 'revenue_per_customer');

DROP VIEW m_values, m_paid;
SELECT drop_store('measured', force => true), drop_store('texts'), drop_store('uuids');
DROP FUNCTION m_unsettled, m_same_count, m_enrol, m_metric, m_expected, m_fields;
DROP TABLE m_orders, m_customers, m_copy, m_before, m_kept, m_noted, m_overstated, m_texts, m_uuids;
