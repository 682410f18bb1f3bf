-- Around lift: strata, ratios, always-valid intervals, power, sample ratio, several tests, and which arm is best.
SET extra_float_digits = 0;
CREATE SCHEMA arms;
SET search_path = arms;

-- Strata: one is returned as it is; several are weighted by their rows.
CREATE TABLE strata AS
SELECT version, clientele.lift(y, t) AS plain, clientele.lift(y, t, x) AS adjusted
FROM (SELECT c % 3 AS version, c * 37 % 101 + 10 * (c % 3) + CASE WHEN c % 4 > 0 THEN 2 ELSE 0 END AS y, c % 4 > 0 AS t, c * 37 % 101 - 0.5 * (c * 17 % 29) AS x
      FROM generate_series(1, 900) c) v GROUP BY version;
SELECT bool_and(clientele.combine_lift(ARRAY[plain]) = plain) AS plain, bool_and(clientele.combine_lift(ARRAY[NULL, adjusted]) = adjusted) AS adjusted FROM strata;
SELECT n_control, n_treated, round(effect::numeric, 9) AS effect, round(se::numeric, 9) AS se, round(df::numeric, 6) AS df, round(p_value::numeric, 9) AS p,
       round(relative_effect::numeric, 9) AS relative, round(relative_ci_low::numeric, 9) AS low, round(sd_control::numeric, 6) AS sd, theta, variance_reduction
FROM (SELECT (clientele.combine_lift(array_agg(plain))).* FROM strata) l;
SELECT abs(effect - e) < 1e-12 AS effect, abs(se - s) < 1e-12 AS se, abs(relative_effect - e / mean_control) < 1e-12 AS relative, theta, round(variance_reduction::numeric, 6) AS reduction
FROM (SELECT (clientele.combine_lift(array_agg(adjusted))).*, sum(w * (adjusted).effect) AS e, sqrt(sum((w * (adjusted).se) ^ 2)) AS s
      FROM (SELECT adjusted, ((adjusted).n_control + (adjusted).n_treated) / 900.0 AS w FROM strata) v) l;
-- Strata of the same rows' moments: the relative interval is exact without a covariate.
SELECT abs(c.relative_ci_low - l.relative_ci_low) < 1e-3 AS near_unstratified FROM
    (SELECT (clientele.combine_lift(array_agg(l))).* FROM (SELECT clientele.lift(c * 7 % 13, c % 2 = 0) AS l FROM generate_series(1, 2600) c GROUP BY c <= 1300) s) c,
    (SELECT (clientele.lift(c * 7 % 13, c % 2 = 0)).* FROM generate_series(1, 2600) c) l;
-- An arm with a single row; none is left.
SELECT (clientele.combine_lift(array_agg(plain) || clientele.lift_from_moments(1, 5, 25, 100, 5, 25))) = clientele.combine_lift(array_agg(plain)) AS left_out FROM strata;
SELECT clientele.combine_lift('{}'), clientele.combine_lift(ARRAY[clientele.lift_from_moments(1, 5, 25, 1, 5, 25), clientele.lift_from_moments(0, 0, 0, 9, 5, 25)]) AS none_left, clientele.combine_lift(NULL) IS NULL AS nothing;

-- Average order value: a ratio of sums by the delta method, checked by hand.
CREATE TABLE baskets AS SELECT c % 10 > 0 AS t, (c * 13 % 50 + 5) * (c % 4) AS revenue, c % 4 AS orders FROM generate_series(1, 1000) c;
SELECT n_control, n_treated, abs(mean_control - r0) < 1e-12 AS control, abs(mean_treated - r1) < 1e-12 AS treated, abs(effect - (r1 - r0)) < 1e-12 AS effect, theta
FROM (SELECT (clientele.lift_ratio(revenue, orders, t)).*, sum(revenue::float8) FILTER (WHERE NOT t) / sum(orders) FILTER (WHERE NOT t) AS r0,
             sum(revenue::float8) FILTER (WHERE t) / sum(orders) FILTER (WHERE t) AS r1 FROM baskets) l;
SELECT abs(max((a.l).se) - sqrt(sum(v))) < 1e-12 AS se
FROM (SELECT clientele.lift_ratio(revenue, orders, t) AS l FROM baskets) a,
     (SELECT var_samp(revenue - orders * CASE WHEN t THEN (l).mean_treated ELSE (l).mean_control END) / count(*) / avg(orders) ^ 2 AS v
      FROM baskets, (SELECT clientele.lift_ratio(revenue, orders, t) AS l FROM baskets) r GROUP BY t) w;
-- With denominators of 1 it is lift().
SELECT r.effect = l.effect AS effect, abs(r.se - l.se) < 1e-12 AS se, abs(r.p_value - l.p_value) < 1e-12 AS p, abs(r.relative_ci_low - l.relative_ci_low) < 1e-12 AS relative
FROM (SELECT (clientele.lift_ratio(revenue, 1, t)).* FROM baskets) r, (SELECT (clientele.lift(revenue, t)).* FROM baskets) l;
SELECT (clientele.lift_ratio(y, x, t)).* FROM (VALUES (0.0, 0.0, false), (0, 0, false), (5, 1, true), (9, 2, true), (NULL, 1, true), (1, NULL, true), (1, 1, NULL)) v (y, x, t);
SELECT clientele.lift_ratio(1, -1, true);
SELECT clientele.lift_ratio('NaN', 1, true);

-- Always valid: wider than the fixed interval, by the published boundary and Student's t.
SELECT n, round((s.ci_high - s.ci_low)::numeric / (l.ci_high - l.ci_low)::numeric, 4) AS wider
FROM (VALUES (100), (2000), (5000), (1000000)) v (n), LATERAL clientele.lift_from_moments(n, n, 2 * n, n, n, 2 * n) l, LATERAL clientele.sequential_interval(l) s;
SELECT s.* FROM clientele.lift_from_moments(5, 5, 10, 1, 1, 1) l, clientele.sequential_interval(l) s;
SELECT clientele.sequential_interval(NULL) IS NULL AS no_result;
SELECT clientele.sequential_interval(clientele.lift_from_moments(5, 5, 10, 5, 5, 10), 0);
SELECT clientele.sequential_interval(clientele.lift_from_moments(5, 5, 10, 5, 5, 10), 0.05, -1);
SELECT clientele.sequential_interval(ROW(5, 5, 1, 1, 1, 1, 0, -1, 8, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::clientele.lift_result);
SELECT clientele.combine_lift(ARRAY[ROW(5, 5, 1, 1, 1, 1, 'Infinity', 1, 8, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::clientele.lift_result]);

-- Power: 0.80 at 63 an arm for half a standard deviation (Cohen 1988), by the normal approximation.
SELECT clientele.lift_sample_size(0.5, 1, 1, 0.5) AS both_arms, clientele.lift_sample_size(-0.5, 1, 1, 0.9) AS nine_to_one, clientele.lift_sample_size(0.5, 1, 1, 0.5, 0.9, 0.01) AS stricter,
       clientele.lift_sample_size(1e9, 1, 1, 0.9) AS at_least, clientele.lift_sample_size(1, 0, 0, 0.5) AS no_spread;
SELECT round(clientele.minimum_detectable_effect(1, 63, 1, 63)::numeric, 6) AS mde, clientele.minimum_detectable_effect(1, 0, 1, 5) AS no_control,
       clientele.minimum_detectable_effect(2, 100, 3, 900) > clientele.minimum_detectable_effect(2, 100, 3, 900, 0.7) AS more_power;
SELECT clientele.lift_sample_size(0, 1, 1, 0.5);
SELECT clientele.minimum_detectable_effect(1, 10, 1, 10, 0.8, 5e-324);
SELECT clientele.lift_sample_size(1, 1, 1, 0.5, 0.8, 5e-324);
SELECT clientele.lift_sample_size(1, 1, 1, 0.5, 0.8, 1e-300) AS least_alpha;
SELECT clientele.lift_sample_size(1e-12, 1, 1, 0.5);
SELECT clientele.lift_sample_size(1, 1, 1, 1);
SELECT clientele.lift_sample_size(1, -1, 1, 0.5);
SELECT clientele.lift_sample_size(1, 1, 1, 0.5, 1);
SELECT clientele.lift_sample_size(1, 1, 1, 0.5, 0.01, 0.05);
SELECT clientele.minimum_detectable_effect('NaN', 5, 1, 5);
SELECT clientele.minimum_detectable_effect(1, -5, 1, 5);

-- Sample ratio: few arms, nobody, impossible weights.
SELECT clientele.srm_pvalue('{5}', '{1}') AS one_arm, clientele.srm_pvalue('{0,0}', '{1,1}') AS nobody, clientele.srm_pvalue('{}', '{}') AS no_arms,
       clientele.srm_pvalue('{50,50}', '{1e308,1e308}') AS huge_weights, clientele.srm_pvalue('{1000000,0}', '{0.5,0.5}') AS all_in_one, clientele.srm_pvalue(NULL, '{1}') IS NULL AS nothing;
SELECT clientele.srm_pvalue('{1,2}', '{1}');
SELECT clientele.srm_pvalue('{1,-2}', '{1,1}');
SELECT clientele.srm_pvalue('{1,2}', '{1,NaN}');
SELECT clientele.srm_pvalue('{1,2}', '{1,-1}');
SELECT clientele.srm_pvalue('{1,NULL}', '{1,1}');
SELECT clientele.srm_pvalue('{{1,2}}', '{1,1}');

-- Holm: R, p.adjust(c(0.01, 0.02, 0.03, 0.04), "holm"), in any order; NULLs do not count.
SELECT clientele.holm('{0.01,0.02,0.03,0.04}') AS four, clientele.holm('{0.04,NULL,0.01,0.03,0.02}') AS mixed, clientele.holm('{0.6,0.6}') AS capped,
       clientele.holm('{}') AS none, clientele.holm('{NULL}') AS no_test, clientele.holm(NULL) IS NULL AS nothing;
SELECT clientele.holm('{0.5,1.5}');
SELECT clientele.holm('{NaN}');
SELECT clientele.holm('{{0.5}}');

-- What an arm is worth: self-normalised, so that constants stay, by hand.
SELECT round(mean::numeric, 9) AS mean, customers, abs(se - s) < 1e-12 AS se
FROM (SELECT (clientele.arm_value(y, p)).*, (SELECT sqrt(3.0 / 2 * (4 * (1 - m) ^ 2 + 16 * (3 - m) ^ 2 + 4 * (8 - m) ^ 2)) / 8 FROM (SELECT (2 * 1 + 4 * 3 + 2 * 8) / 8.0) m (m)) AS s
      FROM (VALUES (1.0, 0.5), (3, 0.25), (8, 0.5), (NULL, 0.5), (5, NULL)) v (y, p)) a;
SELECT (clientele.arm_value(y, p)).* FROM (VALUES (7.0, 0.1), (7, 0.7), (7, 1)) v (y, p);
SELECT (clientele.arm_value(y, 0.3)).* FROM (VALUES (7.0)) v (y);
SELECT (clientele.arm_value(NULL, 0.3)).*;
SELECT clientele.arm_value(1, 0);
SELECT clientele.arm_value(1, 1.5);
SELECT clientele.arm_value(1, 'NaN');
SELECT clientele.arm_value('Infinity', 0.5);
SELECT clientele.arm_value(1, 1e-200);

-- Over strata: 100 customers of whom 2 were in the arm, and 300.
SELECT (c).*, (clientele.compare_arms(c, arms[1])).effect AS more
FROM (SELECT clientele.combine_arm_values(arms, '{100,300}') AS c, arms FROM (SELECT array_agg(a ORDER BY s) AS arms
    FROM (SELECT s, clientele.arm_value(y, 0.5) AS a FROM (VALUES (1, 1.0), (1, 3), (2, 10), (2, 11), (2, 12)) v (s, y) GROUP BY s) a) a) c;
SELECT clientele.combine_arm_values('{}', '{}') AS none, clientele.combine_arm_values(NULL, '{1}') IS NULL AS nothing,
    clientele.compare_arms('(1,2,,,)', '(1,1,,,)') AS unknown;
SELECT clientele.combine_arm_values('{"(5,1,1,,)"}', '{5,5}');
SELECT clientele.combine_arm_values('{"(5,1,1,,)"}', '{4}');
SELECT clientele.combine_arm_values('{"(5,1,1,,)"}', '{NULL}');
SELECT clientele.combine_arm_values('{"(5,NaN,1,,)"}', '{5}');
-- Too early for an interval that may be looked at every day.
SELECT n, nonzero, s.ci_low IS NULL AS early FROM (VALUES (99, NULL), (100, NULL), (100, 29), (100, 30)) v (n, nonzero),
    clientele.sequential_interval(clientele.lift_from_moments(n, 50, 500, 900, 450, 4500), nonzero_control => nonzero) s;
SELECT clientele.sequential_interval(clientele.lift_from_moments(100, 50, 500, 900, 450, 4500), nonzero_control => -1);
SELECT clientele.sequential_interval(NULL) IS NULL AS nothing,
    clientele.sequential_interval(clientele.lift_from_moments(100, 50, 500, 900, 450, 4500), NULL) IS NULL AS no_alpha;
-- The shape of outcomes: 9 zeros and a one among 10 have the squared skewness 0.64 / 0.09; not even 1e15 more takes a digit away.
SELECT f.far, (clientele._outcome_shape(ARRAY[clientele._outcome_sums(f.far + (n = 10)::int, n % 2 = 1)])).*, ceil(355 * 0.64 / 0.09) AS kohavi
FROM (VALUES (0::float8), (1e15)) f (far), generate_series(1, 10) n GROUP BY f.far ORDER BY f.far;
SELECT (clientele._outcome_shape(array_agg(s))).*
FROM (SELECT clientele._outcome_sums((n = 10)::int, n % 2 = 1) AS s FROM generate_series(1, 10) n GROUP BY n % 3 UNION ALL SELECT NULL) p;
SELECT clientele._outcome_shape('{"\\x00"}');
SELECT clientele._outcome_sums('Infinity', true);

-- Which is best: of two, the normal distribution of their difference.
SELECT round((clientele.best_arm_probabilities('{1,0}', '{0.6,0.8}'))[1]::numeric, 9) AS two_arms, clientele.best_arm_probabilities('{3}', '{1}') AS alone,
       clientele.best_arm_probabilities('{1,5,5}', '{0,0,0}') AS known, round((clientele.best_arm_probabilities('{0,1}', '{1,0}'))[1]::numeric, 9) AS one_known;
SELECT round(p[1]::numeric, 9) AS third, abs((SELECT sum(x) FROM unnest(p) x) - 1) < 1e-14 AS sums FROM clientele.best_arm_probabilities('{2,2,2}', '{1,1,1}') p;
SELECT round(p[1]::numeric, 9) AS sharp_beside_wide FROM clientele.best_arm_probabilities('{0,1e-9}', '{1e6,1e-9}') p;
SELECT clientele.best_arm_probabilities('{}', '{}');
SELECT clientele.best_arm_probabilities('{1}', '{1,2}');
SELECT clientele.best_arm_probabilities('{1,2}', '{1,-1}');
SELECT clientele.best_arm_probabilities('{1,NULL}', '{1,1}');
SELECT clientele.best_arm_probabilities('{1,1}', '{5e-324,5e-324}');
SELECT clientele.sequential_interval(clientele.lift_from_moments(5, 5, 10, 5, 5, 10), 0.05, 5e-324);
SELECT clientele.minimum_detectable_effect(1e308, 1, 1e308, 1);
SELECT clientele.propose_weights('{1,2,3}', '{1,1,1}') AS proposed, clientele.propose_weights('{0,9,0}', '{1,1,1}') AS at_the_floor,
       clientele.propose_weights('{0,9,0}', '{1,1,1}', 0) AS no_floor, clientele.propose_weights('{0,9,0}', '{1,1,1}', 1.0 / 3) AS thirds;
SELECT clientele.propose_weights('{0,9}', '{1,1}', 0.5) AS halves, (SELECT sum(w::numeric) = 1 FROM unnest(clientele.propose_weights('{1,1.1,1.2,1.3,0.9,1,1}', '{1,2,1,2,1,2,3}', 0.0123)) w) AS sums;
SELECT clientele.propose_weights('{0,9}', '{1,1}', 0.6);
SELECT clientele.propose_weights('{0,9}', '{1,1}', 'NaN');

SET client_min_messages = warning;
DROP SCHEMA arms CASCADE;

-- ---- Drawn together ----
SELECT clientele.shrunken_means('{1,3}', '{0.5,0.5}'), (SELECT array_agg(round(s::numeric, 6)) FROM unnest(clientele.shrunken_ses('{1,3}', '{0.5,0.5}')) s) AS ses, t.tau, round(t.p_value::numeric, 6) AS p
FROM clientele.spread_of_means('{1,3}', '{0.5,0.5}') t;
SELECT clientele.shrunken_means('{1,1.2,0.9}', '{1,2,0.5}'), t.* FROM clientele.spread_of_means('{1,1.2,0.9}', '{1,2,0.5}') t;
SELECT clientele.shrunken_means('{2}', '{1}'), t.* FROM clientele.spread_of_means('{2}', '{1}') t;
SELECT clientele.shrunken_means('{1}', '{1,2}');
SELECT clientele.shrunken_ses('{}', '{}');
SELECT clientele.spread_of_means('{1,NULL}', '{1,1}');
SELECT clientele.spread_of_means('{1,NaN}', '{1,1}');
SELECT clientele.shrunken_means('{1,2}', '{1,-1}');
