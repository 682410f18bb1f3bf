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

SELECT drop_store('again');
DROP FUNCTION u_enrol;
DROP TABLE u_orders;
