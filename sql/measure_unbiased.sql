-- What must not shift an effect: earlier campaigns, versions with other arms and holdouts, customers who are enrolled again.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
SET search_path = public, clientele;
\set SHOW_CONTEXT never

-- An exposure that is over, written by hand: propensity is that of the arm within a version.
CREATE FUNCTION u_enrol(store name, customer int, program text, version int, held_out boolean, holdout float8, variant text, weight float8, at timestamptz,
    segment text DEFAULT 's', global_holdout float8 DEFAULT 0) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO %I.ledger (customer_id, period, program, program_version, holdout, global_holdout, segment, basis, reference_value, min_spend, reward,
            reward_kind, currency, message, reasons, variant, propensity, issued_at, valid_until, state, closed_at)
        SELECT $1, 1 + coalesce(max(l.period), 0), $2, $3, CASE WHEN $4 THEN ''program'' END, $10, $9, ''typical'', 50, 1000, 1, ''amount_off'', ''USD'', '''', ''{typical}'', $6,
            CASE WHEN $4 THEN $5 ELSE (1 - $5) * $7 END, $8, $8 + interval ''14 days'', ''expired'', $8 + interval ''14 days'' FROM %1$I.ledger l WHERE l.customer_id = $1', store)
        USING customer, program, version, held_out, holdout, variant, weight, at, segment, global_holdout;
END $$;

CREATE FUNCTION u_lift(r lift_report) RETURNS lift_result IMMUTABLE LANGUAGE sql AS $$
    SELECT ROW(r.n_control, r.n_treated, r.mean_control, r.mean_treated, r.sd_control, r.sd_treated, r.effect, r.se, r.df, r.ci_low, r.ci_high, r.p_value,
        r.relative_effect, r.relative_ci_low, r.relative_ci_high, r.theta, r.variance_reduction)::lift_result $$;

-- ---- A campaign every two weeks, the same customers held out ----

-- While a campaign runs, its offer adds 20 to the order of whoever gets it: the true effect on the margin is 10, of each campaign. Customers
-- differ in size, which shows in the order before the first one, too.
CREATE TABLE u_orders (customer_id int, ordered_at timestamptz, amount numeric(12, 2));
CREATE INDEX ON u_orders (customer_id);
SELECT create_store('again', 'u_orders', margin => 0.5);
SELECT define_offer('again', 'p', 'grow_order_value', holdout => 0.2);
SELECT count(u_enrol('again', c, 'p', 1, c % 5 = 0, 0.2, 'default', 1, timestamptz '2025-03-03' + n * interval '14 days')) FROM generate_series(1, 4000) c, generate_series(0, 5) n;
INSERT INTO u_orders SELECT c, '2025-02-20', 30 + 60 * bucket('size', c::text) FROM generate_series(1, 4000) c;
INSERT INTO u_orders SELECT customer_id, issued_at + interval '3 days', 30 + 60 * bucket('size', customer_id::text) + 20 * bucket('x', customer_id || '/' || period)
    + CASE WHEN holdout IS NULL THEN 20 ELSE 0 END FROM again.ledger;
ANALYZE u_orders, again.ledger;
SELECT "from", round(effect::numeric, 2) AS effect, ci_low < 10 AND 10 < ci_high AND ci_high - ci_low < 1 AS found, variance_reduction > 0.8 AS adjusted
FROM unnest('{-infinity,2025-03-10,2025-05-10}'::timestamptz[]) "from", measure_lift('again', 'p', "from" => "from");
-- Of the whole store likewise, where some are held out of everything.
UPDATE again.ledger SET global_holdout = 0.2, holdout = 'global' WHERE holdout = 'program';
UPDATE again.ledger SET global_holdout = 0.2;
SELECT round(effect::numeric, 2) AS effect, ci_low < 10 AND 10 < ci_high AND ci_high - ci_low < 1 AS found FROM measure_lift('again', NULL, "from" => '2025-05-10');
UPDATE again.ledger SET global_holdout = 0, holdout = CASE WHEN holdout = 'global' THEN 'program' END;
-- The covariate is what was before the first campaign, whatever came between: by plain SQL, to the last bit.
SELECT r.effect = l.effect AND r.theta = l.theta AND r.se = l.se AS same
FROM measure_lift('again', 'p', 'revenue_per_customer', "from" => '2025-04-20', pre_period => '10 days') r,
    (SELECT (lift(a.y, c % 5 <> 0, b.x)).* FROM generate_series(1, 4000) c,
        LATERAL (SELECT sum(amount)::float8 AS y FROM u_orders WHERE customer_id = c AND ordered_at >= '2025-04-28' AND ordered_at < '2025-05-12') a,
        LATERAL (SELECT coalesce(sum(amount), 0)::float8 AS x FROM u_orders WHERE customer_id = c AND ordered_at >= '2025-02-21' AND ordered_at < '2025-03-03') b) l;

-- ---- Arms with weight 0 in some version ----

-- 4,000 customers in December, when everybody spends 60, under arms of a half each; 4,000 others in January, when it is 20, all in arm a. No
-- order depends on an offer.
CREATE TABLE u_months (customer_id int, ordered_at timestamptz, amount numeric(12, 2));
CREATE INDEX ON u_months (customer_id);
SELECT create_store('months', 'u_months', margin => 0.5);
SELECT define_offer('months', 'p', 'grow_order_value', holdout => 0.2, arms => '[{"name": "a", "weight": 0.5}, {"name": "b", "stretch": 1.2, "weight": 0.5}]');
SELECT define_offer('months', 'p', 'grow_order_value', holdout => 0.2, arms => '[{"name": "a", "weight": 1}, {"name": "b", "stretch": 1.2, "weight": 0}]');
SELECT count(u_enrol('months', c, 'p', v, c % 5 = 0, 0.2, CASE WHEN v = 1 AND c % 2 = 1 THEN 'b' ELSE 'a' END, CASE v WHEN 1 THEN 0.5 ELSE 1 END,
    CASE v WHEN 1 THEN timestamptz '2024-12-05' ELSE '2025-01-10' END, CASE WHEN c % 3 = 0 THEN 's' ELSE 't' END))
FROM generate_series(1, 8000) c, LATERAL (SELECT CASE WHEN c <= 4000 THEN 1 ELSE 2 END AS v) x;
INSERT INTO u_months SELECT customer_id, issued_at + interval '3 days', CASE program_version WHEN 1 THEN 60 ELSE 20 END + customer_id % 7 FROM months.ledger;
ANALYZE u_months, months.ledger;
-- Arm b is compared with the held out of December alone; of a, which is drawn now, all count.
SELECT segment, variant, customers, held_out, round(expected_profit::numeric, 1) AS profit, expected_profit_low < 0 AND 0 < expected_profit_high AS none, in_use, proposed_weight
FROM learn_offer('months', 'p', use => false);
-- Both drawn again: both are compared over the versions in which both were.
SELECT define_offer('months', 'p', 'grow_order_value', holdout => 0.2, arms => '[{"name": "a", "weight": 0.5}, {"name": "b", "stretch": 1.2, "weight": 0.5}]');
SELECT variant, customers, held_out, round(net_margin::numeric, 1) AS net_margin, expected_profit_low < 0 AND 0 < expected_profit_high AS none, proposed_weight BETWEEN 0.05 AND 0.95 AS undecided
FROM learn_offer('months', 'p', use => false) WHERE segment IS NULL;
-- A version in which an arm that is drawn has too few to be compared does not take the others' customers away from them.
SELECT count(u_enrol('months', 8000 + c, 'p', 3, c % 5 = 0, 0.2, 'a', 0.5, '2025-01-20')) FROM generate_series(1, 400) c;
SELECT variant, customers, held_out, expected_profit_low < 0 AND 0 < expected_profit_high AS none FROM learn_offer('months', 'p', use => false) WHERE segment IS NULL;

-- ---- One version, or several ----

SELECT versions, n_control, n_treated, round(mean_treated::numeric, 1) AS treated, note FROM measure_lift('months', 'p');
SELECT v.version, r.versions, r.n_control, r.n_treated, round(r.mean_treated::numeric, 1) AS treated, r.note FROM generate_series(1, 2) v (version), measure_lift('months', 'p', version => v.version) r;
-- What is pooled is what the versions are, each within itself.
SELECT r.effect = c.effect AND r.se = c.se AND r.df = c.df AS same FROM measure_lift('months', 'p', "to" => '2025-01-15') r,
    (SELECT (combine_lift(ARRAY[(SELECT u_lift(m) FROM measure_lift('months', 'p', version => 1) m), (SELECT u_lift(m) FROM measure_lift('months', 'p', version => 2) m)])).*) c;
SELECT measure_lift('months', 'p', version => 4);
SELECT measure_lift('months', NULL, version => 1);
SELECT measure_lift('months', 'p', version => 2, "to" => '2025-01-01');
-- By default the horizon is that of the version.
SELECT define_offer('months', 'p', 'grow_order_value', holdout => 0.2, valid_for => '2 days');
SELECT version, round(r.mean_treated::numeric, 1) AS treated FROM unnest('{1,NULL}'::int[]) version, measure_lift('months', 'p', version => version) r;

-- ---- No effect, under everything that may change ----

-- 30 programs, each with draws of its own, over the same 2,000 customers: what somebody orders in a month depends on the month and the customer, and on no
-- offer. Holdout and weights change with the versions, one a month; customers join in any month, and come back after one with a small order.
CREATE TABLE u_null (customer_id int, month int, ordered_at timestamptz, amount numeric(12, 2));
CREATE INDEX ON u_null (customer_id);
INSERT INTO u_null SELECT c, m, timestamptz '2025-01-05' + m * interval '30 days', (ARRAY[30, 60, 20, 45])[m + 1] * bucket('size', c::text) + 40 * bucket('month', c || '/' || m)
FROM generate_series(1, 2000) c, generate_series(0, 3) m;
SELECT create_store('nothing', 'u_null', margin => 0.5);
SELECT count(define_offer('nothing', 'n' || n, 'grow_order_value', holdout => 0.2, arms => '[{"name": "a", "weight": 0.5}, {"name": "b", "stretch": 1.2, "weight": 0.5}]')) FROM generate_series(61, 90) n;
CREATE TABLE u_versions (version int, holdout float8, b float8);
INSERT INTO u_versions VALUES (1, 0.2, 0.5), (2, 0.5, 0), (3, 0.1, 0.8), (4, 0.2, 0.5);
INSERT INTO nothing.program_versions SELECT p.program, v.version, now(), p.definition || jsonb_build_object('holdout', v.holdout,
    'arms', jsonb_build_array(jsonb_build_object('name', 'a', 'weight', 1 - v.b), jsonb_build_object('name', 'b', 'stretch', 1.2, 'weight', v.b)))
FROM nothing.program_versions p, u_versions v WHERE v.version > 1;
INSERT INTO nothing.ledger (customer_id, period, program, program_version, holdout, global_holdout, segment, basis, reference_value, min_spend, reward, reward_kind,
    currency, message, reasons, variant, propensity, issued_at, valid_until, state, closed_at)
SELECT c, 10 * n + m, 'n' || n, m, CASE WHEN d.held_out THEN 'program' END, 0, CASE WHEN c % 3 = 0 THEN 's' ELSE 't' END, 'typical', 50, 1000, 1, 'amount_off', 'USD', '', '{typical}',
    d.variant, CASE WHEN d.held_out THEN v.holdout WHEN d.variant = 'b' THEN (1 - v.holdout) * v.b ELSE (1 - v.holdout) * (1 - v.b) END, d.at, d.at + interval '14 days', 'expired', d.at
FROM generate_series(1, 2000) c, generate_series(61, 90) n, u_versions v, LATERAL (SELECT v.version AS m, bucket('holdout' || n, c::text) < v.holdout AS held_out,
    CASE WHEN bucket('arm' || n, c::text) < v.b THEN 'b' ELSE 'a' END AS variant, timestamptz '2025-01-01' + v.version * interval '30 days' AS at) d
WHERE m < 4 AND CASE WHEN 1 + floor(3 * bucket('joins' || n, c::text)) = m THEN true
    ELSE 1 + floor(3 * bucket('joins' || n, c::text)) < m AND bucket('month', c || '/' || m - 1) < 0.4 END;
ANALYZE u_null, nothing.ledger;
-- Each 95 % interval misses the truth, 0, in some 5 % of the programs (of 150 such programs 3 to 5 %).
CREATE FUNCTION u_misses(low float8, high float8) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT NOT (low < 0 AND 0 < high)';
SELECT what, count(*) AS intervals, round(avg(u_misses(ci_low, ci_high)::int), 3) AS missed, count(*) FILTER (WHERE srm_pvalue < 0.001) AS broken FROM (
    SELECT 'all versions, by segment' AS what, r.* FROM generate_series(61, 90) n, measure_lift('nothing', 'n' || n, by_segment => true) r
    UNION ALL SELECT 'plain', r.* FROM generate_series(61, 90) n, measure_lift('nothing', 'n' || n, pre_period => '0') r
    UNION ALL SELECT 'from the second month', r.* FROM generate_series(61, 90) n, measure_lift('nothing', 'n' || n, "from" => '2025-02-20') r
    UNION ALL SELECT 'version 3', r.* FROM generate_series(61, 90) n, measure_lift('nothing', 'n' || n, version => 3) r) x GROUP BY what ORDER BY what;
SELECT variant, segment, count(*) AS intervals, round(avg(u_misses(expected_profit_low, expected_profit_high)::int), 3) AS missed
FROM generate_series(61, 90) n, learn_offer('nothing', 'n' || n, use => false) GROUP BY variant, segment ORDER BY segment NULLS FIRST, variant;
-- The sample ratio is that of whom the program enrolled for the first time. An offer that wins customers back makes those who come back fewer in one arm: that
-- is no fault of the draw.
CREATE VIEW u_health AS SELECT program_version, sum(enrolled) AS enrolled, sum(enrolled_again) AS again, count(*) FILTER (WHERE srm_pvalue < 0.05) AS srm, count(*) FILTER (WHERE arms_pvalue < 0.05) AS arms,
    count(*) FILTER (WHERE srm_pvalue < 0.001) AS alarms FROM nothing.experiment_health GROUP BY program_version ORDER BY program_version;
SELECT * FROM u_health;
DELETE FROM nothing.ledger WHERE holdout IS NULL AND period % 10 > 1 + floor(3 * bucket('joins' || substr(program, 2), customer_id::text)) AND bucket('won', customer_id::text) < 0.7;
SELECT * FROM u_health;

DROP VIEW u_health;
SELECT drop_store('again'), drop_store('months'), drop_store('nothing');
DROP FUNCTION u_enrol, u_lift, u_misses;
DROP TABLE u_orders, u_months, u_null, u_versions;
