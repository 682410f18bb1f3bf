-- What must not shift an effect: earlier campaigns, versions with other arms and holdouts, customers who are enrolled again.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
SET search_path = public, clientele;
\set SHOW_CONTEXT never

-- Exposures that are over, written by hand; propensity is that of the arm within its version, whose holdout and weight are given.
CREATE TABLE u_enrolled (customer int, program text, version int, held_out boolean, holdout float8, variant text, weight float8,
    at timestamptz, segment text);
CREATE FUNCTION u_enrol(store name) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    enrolled bigint;
BEGIN
    EXECUTE format('INSERT INTO %I.ledger (customer_id, period, program, program_version, holdout, global_holdout, segment, basis,
            reference_value, min_spend, reward, reward_kind, currency, message, reasons, variant, propensity, issued_at, valid_until,
            state, closed_at)
        SELECT customer, row_number() OVER (PARTITION BY customer ORDER BY at, program), program, version,
            CASE WHEN held_out THEN ''program'' END, 0, segment, ''typical'', 50, 1000, 1, ''amount_off'', ''USD'', '''', ''{typical}'',
            variant, CASE WHEN held_out THEN holdout ELSE (1 - holdout) * weight END, at, at + interval ''14 days'',
            ''expired'', at + interval ''14 days'' FROM u_enrolled', store);
    GET DIAGNOSTICS enrolled = ROW_COUNT;
    EXECUTE format('ANALYZE %I.ledger', store);
    TRUNCATE u_enrolled;
    RETURN enrolled;
END $$;
CREATE FUNCTION u_lift(r lift_report) RETURNS lift_result IMMUTABLE LANGUAGE sql AS $$
    SELECT ROW(r.n_control, r.n_treated, r.mean_control, r.mean_treated, r.sd_control, r.sd_treated, r.effect, r.se, r.df,
        r.ci_low, r.ci_high, r.p_value, r.relative_effect, r.relative_ci_low, r.relative_ci_high,
        r.theta, r.variance_reduction)::lift_result $$;

-- ---- A campaign every two weeks, the same customers held out ----

-- While a campaign runs, its offer adds 20 to the order of whoever gets it: the true effect on the margin is 10, of each campaign.
-- Customers differ in size, which shows in the order before the first one, too.
CREATE TABLE u_orders (customer_id int, ordered_at timestamptz, amount numeric(12, 2));
CREATE INDEX ON u_orders (customer_id);
SELECT create_store('again', 'u_orders', margin => 0.5);
SELECT define_offer('again', 'p', 'grow_order_value', holdout => 0.2);
INSERT INTO u_enrolled SELECT c, 'p', 1, c % 5 = 0, 0.2, 'default', 1, timestamptz '2025-03-03' + n * interval '14 days', 's'
FROM generate_series(1, 4000) c, generate_series(0, 5) n;
SELECT u_enrol('again');
INSERT INTO u_orders SELECT c, '2025-02-20', 30 + 60 * bucket('size', c::text) FROM generate_series(1, 4000) c;
INSERT INTO u_orders SELECT customer_id, issued_at + interval '3 days', 30 + 60 * bucket('size', customer_id::text)
    + 20 * bucket('x', customer_id || '/' || period) + CASE WHEN holdout IS NULL THEN 20 ELSE 0 END FROM again.ledger;
ANALYZE u_orders;
SELECT "from", round(effect::numeric, 2) AS effect, ci_low < 10 AND 10 < ci_high AND ci_high - ci_low < 1 AS found,
    variance_reduction > 0.8 AS adjusted, note
FROM unnest('{-infinity,2025-03-10,2025-05-10}'::timestamptz[]) "from", measure_lift('again', 'p', "from" => "from");
-- Of the whole store likewise, where some are held out of everything.
UPDATE again.ledger SET global_holdout = 0.2, holdout = CASE WHEN holdout = 'program' THEN 'global' END;
SELECT round(effect::numeric, 2) AS effect, ci_low < 10 AND 10 < ci_high AND ci_high - ci_low < 1 AS found
FROM measure_lift('again', NULL, "from" => '2025-05-10');
UPDATE again.ledger SET global_holdout = 0, holdout = CASE WHEN holdout = 'global' THEN 'program' END;
-- The covariate is what was before the first campaign, whatever came between: by plain SQL, to the last bit.
CREATE FUNCTION u_spent(customer int, since timestamptz, until timestamptz) RETURNS float8 LANGUAGE sql AS $$
    SELECT coalesce(sum(amount), 0) FROM u_orders WHERE customer_id = customer AND ordered_at >= since AND ordered_at < until $$;
SELECT r.effect = l.effect AND r.theta = l.theta AND r.se = l.se AS same
FROM measure_lift('again', 'p', 'revenue_per_customer', "from" => '2025-04-20', pre_period => '10 days') r,
    (SELECT (lift(u_spent(c, '2025-04-28', '2025-05-12'), c % 5 <> 0, u_spent(c, '2025-02-21', '2025-03-03'))).*
     FROM generate_series(1, 4000) c) l;

-- ---- Arms with weight 0 in some version ----

-- 4,000 customers in December, when everybody spends 60, under arms of a half each; 4,000 others in January, when it is 20, all in
-- arm a. No order depends on an offer.
CREATE TABLE u_months (customer_id int, ordered_at timestamptz, amount numeric(12, 2));
CREATE INDEX ON u_months (customer_id);
SELECT create_store('months', 'u_months', margin => 0.5);
CREATE FUNCTION u_arms(a float8, b float8) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT jsonb_build_array(jsonb_build_object('name', 'a', 'weight', a), jsonb_build_object('name', 'b', 'stretch', 1.2, 'weight', b)) $$;
SELECT define_offer('months', 'p', 'grow_order_value', holdout => 0.2, arms => u_arms(0.5, 0.5));
SELECT define_offer('months', 'p', 'grow_order_value', holdout => 0.2, arms => u_arms(1, 0));
INSERT INTO u_enrolled SELECT c, 'p', 1, c % 5 = 0, 0.2, CASE WHEN c % 2 = 1 THEN 'b' ELSE 'a' END, 0.5, '2024-12-05', 's' || c % 3
FROM generate_series(1, 4000) c;
INSERT INTO u_enrolled SELECT c, 'p', 2, c % 5 = 0, 0.2, 'a', 1, '2025-01-10', 's' || c % 3 FROM generate_series(4001, 8000) c;
INSERT INTO u_enrolled SELECT c, 'p', 3, c % 5 = 0, 0.2, 'a', 0.5, '2025-01-20', 's' || c % 3 FROM generate_series(8001, 8400) c;
SELECT u_enrol('months');
INSERT INTO u_months SELECT customer_id, issued_at + interval '3 days', CASE program_version WHEN 1 THEN 60 ELSE 20 END + customer_id % 7
FROM months.ledger;
ANALYZE u_months;
CREATE VIEW u_learnt AS SELECT segment, variant, customers, held_out, round(net_margin::numeric, 1) AS net_margin,
    expected_profit_low < 0 AND 0 < expected_profit_high AS none, proposed_weight BETWEEN 0.05 AND 0.95 AS undecided
FROM learn_offer('months', 'p', use => false);
-- Arm b is compared with the held out of December alone; of a, which is drawn now, those of January count, too.
SELECT * FROM u_learnt;
-- Both drawn again: both are compared over the versions in which both were; one in which b has too few takes nothing away from a.
SELECT define_offer('months', 'p', 'grow_order_value', holdout => 0.2, arms => u_arms(0.5, 0.5));
SELECT * FROM u_learnt WHERE segment IS NULL;

-- ---- One version, or several ----

CREATE FUNCTION u_version(v int) RETURNS lift_report LANGUAGE sql AS $$ SELECT r FROM measure_lift('months', 'p', version => v) r $$;
SELECT versions, n_control, n_treated, round(mean_treated::numeric, 1) AS treated, note FROM measure_lift('months', 'p');
SELECT v, versions, n_control, n_treated, round(mean_treated::numeric, 1) AS treated, note FROM generate_series(1, 3) v, u_version(v);
-- What is pooled is what the versions are, each within itself.
SELECT u_lift(r)::text = combine_lift(ARRAY[u_lift(u_version(1)), u_lift(u_version(2)), u_lift(u_version(3))])::text AS same
FROM measure_lift('months', 'p') r;
SELECT u_version(4);
SELECT measure_lift('months', NULL, version => 1);
SELECT measure_lift('months', 'p', version => 2, "to" => '2025-01-01');
-- By default the horizon is that of the version.
SELECT define_offer('months', 'p', 'grow_order_value', holdout => 0.2, valid_for => '2 days');
SELECT v, round(r.mean_treated::numeric, 1) AS treated FROM unnest('{1,NULL}'::int[]) v, measure_lift('months', 'p', version => v) r;
-- Version 4 has just begun: nobody of it is measured, all of it are counted as excluded, and it is not left out for want of a holdout.
INSERT INTO u_enrolled SELECT c, 'p', 4, c % 5 = 0, 0.2, 'a', 0.5, now() - interval '1 day', 's0' FROM generate_series(9001, 9100) c;
SELECT u_enrol('months');
SELECT excluded, versions, note FROM measure_lift('months', 'p', horizon => '14 days');

-- ---- No effect, under everything that may change ----

-- 30 programs, each with draws of its own, over the same 2,000 customers: what somebody orders in a month depends on the month and the
-- customer, and on no offer. Holdout and weights change with the versions, one a month; customers join in any month, and come back
-- after one with a small order.
CREATE TABLE u_null (customer_id int, month int, ordered_at timestamptz, amount numeric(12, 2));
CREATE INDEX ON u_null (customer_id);
INSERT INTO u_null SELECT c, m, timestamptz '2025-01-05' + m * interval '30 days',
    (ARRAY[30, 60, 20, 45])[m + 1] * bucket('size', c::text) + 40 * bucket('month', c || '/' || m)
FROM generate_series(1, 2000) c, generate_series(0, 3) m;
SELECT create_store('nothing', 'u_null', margin => 0.5);
CREATE TABLE u_programs AS SELECT n, 'n' || n AS program FROM generate_series(61, 90) n;
SELECT count(define_offer('nothing', program, 'grow_order_value', holdout => 0.2, arms => u_arms(0.5, 0.5))) FROM u_programs;
CREATE TABLE u_versions (version int, holdout float8, b float8);
INSERT INTO u_versions VALUES (1, 0.2, 0.5), (2, 0.5, 0), (3, 0.1, 0.8), (4, 0.2, 0.5);
INSERT INTO nothing.program_versions
SELECT p.program, v.version, now(), p.definition || jsonb_build_object('holdout', v.holdout, 'arms', u_arms(1 - v.b, v.b))
FROM nothing.program_versions p, u_versions v WHERE v.version > 1;
CREATE FUNCTION u_joins(n int, customer int) RETURNS int IMMUTABLE LANGUAGE sql AS $$
    SELECT 1 + floor(3 * bucket('joins' || n, customer::text))::int $$;
INSERT INTO u_enrolled
SELECT c, p.program, v.version, bucket('holdout' || p.n, c::text) < v.holdout, v.holdout, d.variant,
    CASE d.variant WHEN 'b' THEN v.b ELSE 1 - v.b END, timestamptz '2025-01-01' + v.version * interval '30 days', 's' || c % 2
FROM generate_series(1, 2000) c, u_programs p, u_versions v,
    LATERAL (SELECT CASE WHEN bucket('arm' || p.n, c::text) < v.b THEN 'b' ELSE 'a' END AS variant) d
WHERE v.version < 4 AND (u_joins(p.n, c) = v.version
    OR u_joins(p.n, c) < v.version AND bucket('month', c || '/' || v.version - 1) < 0.4);
SELECT u_enrol('nothing');
ANALYZE u_null;
-- Each 95 % interval misses the truth, 0, in some 5 % of the programs (in 3 to 5 % of 150 such programs).
CREATE FUNCTION u_misses(low float8, high float8) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT (NOT (low < 0 AND 0 < high))::int';
SELECT what, count(*) AS intervals, round(avg(u_misses(ci_low, ci_high)), 3) AS missed, count(*) FILTER (WHERE srm_pvalue < 0.001) AS broken
FROM (SELECT 'all versions, by segment' AS what, r.* FROM u_programs, measure_lift('nothing', program, by_segment => true) r
    UNION ALL SELECT 'plain', r.* FROM u_programs, measure_lift('nothing', program, pre_period => '0') r
    UNION ALL SELECT 'from the second month', r.* FROM u_programs, measure_lift('nothing', program, "from" => '2025-02-20') r
    UNION ALL SELECT 'version 3', r.* FROM u_programs, measure_lift('nothing', program, version => 3) r) x
GROUP BY what ORDER BY what;
SELECT variant, segment, count(*) AS intervals, round(avg(u_misses(expected_profit_low, expected_profit_high)), 3) AS missed
FROM u_programs, learn_offer('nothing', program, use => false) GROUP BY variant, segment ORDER BY segment NULLS FIRST, variant;
-- The sample ratio is that of whom the program enrolled for the first time. An offer that wins customers back makes those who come
-- back fewer in one arm: that is no fault of the draw.
CREATE VIEW u_health AS SELECT program_version, sum(enrolled) AS enrolled, sum(enrolled_again) AS again,
    count(*) FILTER (WHERE srm_pvalue < 0.05) AS srm, count(*) FILTER (WHERE arms_pvalue < 0.05) AS arms,
    count(*) FILTER (WHERE srm_pvalue < 0.001) AS alarms
FROM nothing.experiment_health GROUP BY program_version ORDER BY program_version;
SELECT * FROM u_health;
DELETE FROM nothing.ledger l USING u_programs p WHERE p.program = l.program AND l.holdout IS NULL
    AND l.program_version > u_joins(p.n, l.customer_id) AND bucket('won', l.customer_id::text) < 0.7;
SELECT * FROM u_health;

DROP VIEW u_health, u_learnt;
SELECT drop_store('again'), drop_store('months'), drop_store('nothing');
DROP FUNCTION u_enrol, u_lift, u_spent, u_arms, u_version, u_joins, u_misses;
DROP TABLE u_enrolled, u_orders, u_months, u_null, u_programs, u_versions;
