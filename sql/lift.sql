-- Lift: published figures, exact sums, what cannot be known, and what is refused.
SET extra_float_digits = 0;
CREATE SCHEMA lift;
SET search_path = lift;

-- Published figures, to 1e-9.
SELECT abs(effect - 0.29) < 1e-9 AS effect, abs(se - 0.12478363158758794) < 1e-9 AS se, abs(df - 5841.742032093565) < 1e-9 AS df,
       abs(p_value - 0.020158402643586957) < 1e-9 AS p, abs(ci_low - 0.04537789255929009) < 1e-9 AS low,
       abs(ci_high - 0.5346221074407098) < 1e-9 AS high, theta, variance_reduction
FROM clientele.lift_from_moments(3407, 1396.87, 52377.9767, 3461, 2422.7, 134698.29);
SELECT abs(relative_effect + 0.2817071538457276) < 1e-9 AS effect, abs(relative_ci_low + 0.47206764569207416) < 1e-9 AS low,
       abs(relative_ci_high + 0.09134666199938105) < 1e-9 AS high, abs(theta + 0.07321194034813545) < 1e-9 AS theta,
       abs(sd_treated - 0.4235295982315325) < 1e-9 AS sd, round(mean_control::numeric, 9) AS unadjusted,
       round(variance_reduction::numeric, 6) AS reduction
FROM clientele.lift_from_moments(3001, 300, 600, 3000, 222, 555, 210, 415, -20, 120, 405, -10);
SELECT abs(clientele.relative_p_value(l) - 0.0037325486152390446) < 1e-9 AS p, abs(clientele.relative_se(l) - 0.09710487644510962) < 1e-9 AS se,
       round((l).p_value::numeric, 6) AS p_of_effect
FROM clientele.lift_from_moments(3001, 300, 600, 3000, 222, 555, 210, 415, -20, 120, 405, -10) l;
SELECT abs(theta - 0.01864) < 5e-6 AS theta
FROM (SELECT (clientele.lift(post, treated, pre)).* FROM (VALUES (0.3, 2), (0.5, 1), (0.9, 5), (22, 3)) v (pre, post), (VALUES (true), (false)) t (treated)) l;
SELECT observed, expected, p AS published, abs(clientele.srm_pvalue(observed, expected) - p) < 5e-10 AS agrees
FROM (VALUES ('{1000,1200}'::bigint[], '{0.5,0.5}'::float8[], 2.0079e-05), ('{310,98}', '{0.75,0.25}', 0.647434186),
             ('{1000,1200,900}', '{0.5,0.5,0}', 2.0079e-05), ('{0,10,10}', '{0.34,0.33,0.33}', 0.005790624), ('{500,500}', '{0.5,0.5}', 1)) v (observed, expected, p);

-- A test with a textbook's figures: R, t.test(extra ~ group, sleep).
SELECT round(effect::numeric, 6) AS effect, round(df::numeric, 6) AS df, round(p_value::numeric, 8) AS p, round(ci_low::numeric, 7) AS low, round(ci_high::numeric, 7) AS high
FROM (SELECT (clientele.lift(extra, drug = 2)).*
      FROM unnest('{0.7,-1.6,-0.2,-1.2,-0.1,3.4,3.7,0.8,0.0,2.0}'::float8[], '{1.9,0.8,1.1,0.1,-0.1,4.4,5.5,1.6,4.6,3.4}'::float8[]) s (one, two),
           LATERAL (VALUES (one, 1), (two, 2)) d (extra, drug)) l;

-- The same to the last bit in any order, with and without workers, and from the moments.
CREATE TABLE customers AS
SELECT c, (c * 7919 % 100003) / 97.0 * CASE WHEN c % 5 = 0 THEN 1e9 ELSE 1e-3 END AS outcome, clientele.bucket('lift', c::text) < 0.9 AS treated,
       CASE WHEN c % 3 > 0 THEN (c * 104729 % 10007) / 11.0 - 400 END AS covariate
FROM generate_series(1::bigint, 40000) c;
ANALYZE customers;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE serial AS SELECT clientele.lift(outcome, treated) AS plain, clientele.lift(outcome, treated, covariate) AS adjusted,
    clientele.lift_ratio(outcome, abs(coalesce(covariate, 1)), treated) AS ratio, clientele.arm_value(outcome, 1.0 / (1 + c % 9)) AS arm FROM customers;
CREATE TABLE backwards AS SELECT clientele.lift(outcome, treated) AS plain, clientele.lift(outcome, treated, covariate) AS adjusted,
    clientele.lift_ratio(outcome, abs(coalesce(covariate, 1)), treated) AS ratio, clientele.arm_value(outcome, 1.0 / (1 + c % 9)) AS arm FROM (SELECT * FROM customers ORDER BY outcome DESC, c) o;
SET max_parallel_workers_per_gather = 3;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE FUNCTION gathers(query text) RETURNS boolean LANGUAGE plpgsql AS
    $$ DECLARE line text; BEGIN FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP IF line ~ 'Partial Aggregate' THEN RETURN true; END IF; END LOOP; RETURN false; END $$;
SELECT gathers('SELECT clientele.lift(outcome, treated, covariate) FROM customers') AS parallel;
CREATE TABLE parallel AS SELECT clientele.lift(outcome, treated) AS plain, clientele.lift(outcome, treated, covariate) AS adjusted,
    clientele.lift_ratio(outcome, abs(coalesce(covariate, 1)), treated) AS ratio, clientele.arm_value(outcome, 1.0 / (1 + c % 9)) AS arm FROM customers;
RESET ALL;
SET search_path = lift;
SELECT backwards::text = serial::text AS any_order, parallel::text = serial::text AS any_workers, (serial.plain).n_control + (serial.plain).n_treated AS n
FROM serial, backwards, parallel;
-- A covariate that is NULL is 0.
SELECT (SELECT adjusted FROM serial) = clientele.lift(outcome, treated, coalesce(covariate, 0)) AS null_is_zero FROM customers;
-- Groups, by hashing, and as a window.
SELECT count(*) AS groups, sum((l).n_control + (l).n_treated) AS n, count(*) FILTER (WHERE (l).se > 0) AS known
FROM (SELECT clientele.lift(outcome, treated) AS l FROM customers GROUP BY c % 700) g;
SELECT treated, outcome, (clientele.lift(outcome, treated) OVER (ORDER BY outcome)).effect
FROM (VALUES (true, 1), (false, 2), (true, 6)) v (treated, outcome);

-- No cancellation: a standard deviation of 1 beside a mean of a billion.
SELECT round(sd_control::numeric, 12) AS sd, round(effect::numeric, 12) AS effect
FROM (SELECT (clientele.lift(1e9 + v + t, t = 2)).* FROM (VALUES (-1), (0), (1)) v (v), (VALUES (0), (2)) t (t)) l;

-- What cannot be known is NULL.
\x on
SELECT (clientele.lift(y, t)).* FROM (VALUES (1.5::float8, NULL::boolean), (NULL, true)) v (y, t);
SELECT (clientele.lift(y, t, y)).* FROM (VALUES (1.5::float8, true)) v (y, t);
SELECT (clientele.lift(y, t)).* FROM (VALUES (1.5::float8, true), (2, false), (4, false)) v (y, t);
-- Nothing varies.
SELECT (clientele.lift(y, t, y)).* FROM (VALUES (2::float8, true), (2, true), (2, false), (2, false)) v (y, t);
-- In one arm; the control mean is 0; a covariate that does not vary adjusts nothing.
SELECT (clientele.lift(y, t, 7)).* FROM (VALUES (1::float8, true), (2, true), (0, false), (0, false)) v (y, t);
-- A covariate that explains everything.
SELECT (clientele.lift(3 * x + 1, t, x)).* FROM (VALUES (0.1::float8, true), (2, true), (0.3, false), (0.7, false)) v (x, t);
\x off
SELECT clientele.lift_from_moments(NULL, 1, 1, 2, 2, 2) IS NULL AS no_moments;
-- No relative effect of a control mean of 0, no test of what does not vary, none of no result.
SELECT clientele.relative_p_value(clientele.lift(y, t)) AS p, clientele.relative_se(clientele.lift(y, t)) AS se FROM (VALUES (1::float8, true), (2, true), (0, false), (0, false)) v (y, t);
SELECT clientele.relative_p_value(clientele.lift(y, t)) AS p, clientele.relative_se(clientele.lift(y, t)) AS se FROM (VALUES (2::float8, true), (2, true), (2, false), (2, false)) v (y, t);
SELECT clientele.relative_p_value(NULL) AS p, clientele.relative_se(NULL) AS se;
-- What is less than nothing by rounding is nothing.
SELECT sd_control, sd_treated, se FROM clientele.lift_from_moments(3, 3, 2.9999999999, 3, 3, 3);

-- Refused.
SELECT clientele.lift('NaN', true);
SELECT clientele.lift('Infinity', true);
SELECT clientele.lift(1, true, '-Infinity');
SELECT clientele.lift(2e100, true);
SELECT clientele.lift_from_moments(-1, 1, 1, 2, 2, 2);
SELECT clientele.lift_from_moments(2, 'NaN', 1, 2, 2, 2);
SELECT clientele.lift_from_moments(2, 4, 7, 2, 2, 2);
SELECT clientele.lift_from_moments(0, 1, 1, 2, 2, 2);
SELECT clientele.lift_from_moments(2, 2, 2.5, 2, 2, 2.5, 2, 2.5, 9, 2, 2.5, 2);
SELECT clientele.lift_from_moments(2, 2, 2.5, 2, 2, 2.5, 2, 2.5);
SELECT clientele.relative_p_value(jsonb_populate_record(clientele.lift_from_moments(9, 9, 19, 9, 12, 28), '{"df": 0.5}'));
SELECT clientele.relative_se(jsonb_populate_record(clientele.lift_from_moments(9, 9, 19, 9, 12, 28), '{"relative_ci_low": 9}'));
-- Not the steps of an aggregate, and not its state.
SELECT clientele._lift_add(NULL, 1, true);
SELECT clientele._lift_final('\x00');
SELECT clientele._lift_final(decode(repeat('ff', 3708), 'hex'));
SELECT clientele._lift_final(decode(repeat('00', 3708), 'hex'));
CREATE AGGREGATE forged(float8, boolean) (SFUNC = clientele._lift_add, STYPE = bytea, INITCOND = 'x', FINALFUNC = clientele._lift_final);
SELECT forged(1, true);
CREATE AGGREGATE states(float8, boolean) (SFUNC = clientele._lift_add, STYPE = bytea);
CREATE AGGREGATE weighted(float8, float8) (SFUNC = clientele._arm_value_add, STYPE = bytea);
CREATE AGGREGATE combined(bytea) (SFUNC = clientele._lift_combine, STYPE = bytea, FINALFUNC = clientele._lift_final);
SELECT n_control, n_treated, effect FROM (SELECT (combined(s)).* FROM (SELECT states(c, c % 2 = 0) AS s FROM generate_series(1, 9) c GROUP BY c % 3) p) l;
SELECT combined(s) FROM (SELECT states(1, true) AS s UNION ALL SELECT weighted(1, 1)) v;
SELECT combined(s) FROM (SELECT states(1, true) AS s UNION ALL SELECT set_byte(states(1, true), 2235, 127)) v;
SELECT clientele._lift_final(weighted(1, 1)), clientele._arm_value_final(states(1, true));
SELECT clientele._lift_final(set_byte(states(1, true), 19, 255));

SET client_min_messages = warning;
DROP SCHEMA lift CASCADE;
