-- Experiments measured: lift, its strata and its power, the sample-ratio check, and what arms are worth.

CREATE TYPE clientele.lift_result AS (
    n_control bigint, n_treated bigint, mean_control double precision, mean_treated double precision,
    sd_control double precision, sd_treated double precision, effect double precision, se double precision,
    df double precision, ci_low double precision, ci_high double precision, p_value double precision,
    relative_effect double precision, relative_ci_low double precision, relative_ci_high double precision,
    theta double precision, variance_reduction double precision);
COMMENT ON TYPE clientele.lift_result IS
    'A comparison of two arms. n: rows. mean: of the outcome, never adjusted. sd: sample standard deviation of the outcome (adjusted by '
    'the covariate where there is one). effect: treated less control (adjusted where there is a covariate); se, df: its standard error, '
    'with Welch''s degrees of freedom; ci: its 95 % interval; p_value: two-sided, of no effect (of no relative effect: '
    'relative_p_value()). relative_effect: effect / mean_control, NULL where that mean is 0, its interval by the delta method. theta: '
    'coefficient of the covariate, and variance_reduction: 1 - variance of the adjusted effect / that of the plain one; NULL without a '
    'covariate. NULL is what cannot be known: an arm below 2 rows has no sd, and the effect then no se; where no outcome varies, se is '
    '0, and df, ci and p_value are NULL.';

CREATE TYPE clientele.arm_estimate AS (
    customers bigint, mean double precision, se double precision, ci_low double precision, ci_high double precision);
COMMENT ON TYPE clientele.arm_estimate IS
    'What an arm would yield per customer if all got it: customers observed in it, the self-normalised inverse-propensity mean, its '
    'standard error, and its 95 % interval. se is NULL below 2 customers; the interval also where no outcome varies.';

-- The aggregates: one state of exact sums for all of them.

CREATE FUNCTION clientele._lift_add(state bytea, outcome double precision, treated boolean) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clientele_lift_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._lift_add(bytea, double precision, boolean) IS 'Transition of lift().';
CREATE FUNCTION clientele._lift_add(state bytea, outcome double precision, treated boolean, covariate double precision) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clientele_lift_add_adjusted' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._lift_add(bytea, double precision, boolean, double precision) IS 'Transition of lift() with a covariate.';
CREATE FUNCTION clientele._lift_ratio_add(state bytea, numerator double precision, denominator double precision, treated boolean)
    RETURNS bytea
    AS 'MODULE_PATHNAME', 'clientele_lift_ratio_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._lift_ratio_add(bytea, double precision, double precision, boolean) IS 'Transition of lift_ratio().';
CREATE FUNCTION clientele._arm_value_add(state bytea, outcome double precision, propensity double precision) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clientele_arm_value_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._arm_value_add(bytea, double precision, double precision) IS 'Transition of arm_value().';
CREATE FUNCTION clientele._lift_combine(state bytea, other bytea) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clientele_lift_combine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._lift_combine(bytea, bytea) IS 'Combines partial states of lift(), lift_ratio() and arm_value().';
CREATE FUNCTION clientele._lift_final(state bytea) RETURNS clientele.lift_result
    AS 'MODULE_PATHNAME', 'clientele_lift_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._lift_final(bytea) IS 'Result of lift() and lift_ratio().';
CREATE FUNCTION clientele._arm_value_final(state bytea) RETURNS clientele.arm_estimate
    AS 'MODULE_PATHNAME', 'clientele_arm_value_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._arm_value_final(bytea) IS 'Result of arm_value().';

CREATE AGGREGATE clientele.lift(outcome double precision, treated boolean) (
    SFUNC = clientele._lift_add, STYPE = bytea, SSPACE = 3712, COMBINEFUNC = clientele._lift_combine,
    FINALFUNC = clientele._lift_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.lift(double precision, boolean) IS
    'The effect of a treatment on the mean of an outcome, one row a randomised unit: Welch''s t, two-sided, with 95 % intervals. Rows '
    'whose outcome or arm is NULL are skipped; without rows the counts are 0 and the rest NULL. Outcomes beyond 1e100 in magnitude, NaN '
    'and infinities are errors. Sums are exact: the result does not depend on the order of rows or on workers. Source: Welch (1947); '
    'relative effect: delta method, as GrowthBook''s.';
CREATE AGGREGATE clientele.lift(outcome double precision, treated boolean, covariate double precision) (
    SFUNC = clientele._lift_add, STYPE = bytea, SSPACE = 3712, COMBINEFUNC = clientele._lift_combine,
    FINALFUNC = clientele._lift_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.lift(double precision, boolean, double precision) IS
    'As lift(outcome, treated), adjusted by a covariate known before the treatment (CUPED): effect = difference of the means of outcome '
    '- theta x covariate, theta = covariance / variance over both arms stacked. Means stay unadjusted; sd, effect, se, df and intervals '
    'are adjusted. A NULL covariate counts as 0 (no history), and drops nobody; a covariate that never varies adjusts nothing (theta 0). '
    'Source: Deng, Xu, Kohavi and Walker (2013).';
CREATE AGGREGATE clientele.lift_ratio(numerator double precision, denominator double precision, treated boolean) (
    SFUNC = clientele._lift_ratio_add, STYPE = bytea, SSPACE = 3712, COMBINEFUNC = clientele._lift_combine,
    FINALFUNC = clientele._lift_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.lift_ratio(double precision, double precision, boolean) IS
    'The effect on a ratio of sums, one row a randomised unit: average order value is lift_ratio(revenue, orders, treated). mean: sum of '
    'numerators / sum of denominators of the arm, NULL where the denominators sum to 0; sd: that of the linearised outcome, (numerator - '
    'mean x denominator) / mean denominator, so that se is that of lift(); theta NULL. Rows with a NULL are skipped; without rows the '
    'counts are 0. Negative denominators, magnitudes beyond 1e100, NaN and infinities are errors. Source: delta method, Deng, Knoblich '
    'and Lu (2018).';
CREATE AGGREGATE clientele.arm_value(outcome double precision, propensity double precision) (
    SFUNC = clientele._arm_value_add, STYPE = bytea, SSPACE = 3712, COMBINEFUNC = clientele._lift_combine,
    FINALFUNC = clientele._arm_value_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.arm_value(double precision, double precision) IS
    'What an arm would yield per customer if all got it, from those who did get it, one row each, and the probability with which they '
    'were given it: sum(outcome / propensity) / sum(1 / propensity), with the standard error of its linearisation and a 95 % interval '
    '(Student''s t, customers - 1 degrees of freedom). Rows with a NULL are skipped; without rows customers is 0. Propensities outside '
    '(0, 1], and outcome / propensity or 1 / propensity beyond 1e100, are errors. Source: Hajek (1971); Swaminathan and Joachims (2015).';

-- The shape of the outcomes.

CREATE FUNCTION clientele._outcome_add(state bytea, outcome double precision, treated boolean) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clientele_outcome_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._outcome_add(bytea, double precision, boolean) IS 'Transition of _outcome_sums().';
CREATE FUNCTION clientele._outcome_combine(state bytea, other bytea) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clientele_outcome_combine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._outcome_combine(bytea, bytea) IS 'Combines partial states of _outcome_sums().';
CREATE AGGREGATE clientele._outcome_sums(outcome double precision, treated boolean) (
    SFUNC = clientele._outcome_add, STYPE = bytea, SSPACE = 1312, COMBINEFUNC = clientele._outcome_combine, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele._outcome_sums(double precision, boolean) IS
    'Internal: exact sums of outcomes, their squares and cubes, and how many of the control arm are not zero, for _outcome_shape(). Rows '
    'with a NULL are skipped.';
CREATE FUNCTION clientele._outcome_shape(sums bytea[], OUT nonzero_control bigint, OUT normal_from bigint)
    AS 'MODULE_PATHNAME', 'clientele_outcome_shape' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._outcome_shape(bytea[]) IS
    'Internal: of disjoint rows, both arms together, how many outcomes of the control arm are not zero, and the customers an arm from '
    'which the interval of a mean can be believed: 355 x skewness^2, and 100 at least. Source: Kohavi, Deng, Longbotham and Xu (2014).';

-- From summary statistics, and over strata.

CREATE FUNCTION clientele.lift_from_moments(
        n_control bigint, sum_control double precision, sum_squares_control double precision,
        n_treated bigint, sum_treated double precision, sum_squares_treated double precision,
        covariate_sum_control double precision DEFAULT NULL, covariate_sum_squares_control double precision DEFAULT NULL,
        cross_control double precision DEFAULT NULL,
        covariate_sum_treated double precision DEFAULT NULL, covariate_sum_squares_treated double precision DEFAULT NULL,
        cross_treated double precision DEFAULT NULL) RETURNS clientele.lift_result
    AS 'MODULE_PATHNAME', 'clientele_lift_from_moments' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele.lift_from_moments(bigint, double precision, double precision, bigint, double precision, double precision,
    double precision, double precision, double precision, double precision, double precision, double precision) IS
    'What lift() gives for rows with these sums: of the outcome and of its squares by arm, and, for an adjusted effect, of the '
    'covariate, of its squares, and of outcome x covariate (all six or none). NULL where one of the first six is NULL. Errors: negative '
    'counts, NaN, infinities, sums that no rows can have (beyond rounding, 1e-9 of the sum of squares).';

CREATE FUNCTION clientele.combine_lift(results clientele.lift_result[]) RETURNS clientele.lift_result
    AS 'MODULE_PATHNAME', 'clientele_combine_lift' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.combine_lift(clientele.lift_result[]) IS
    'The stratified estimate over the results of disjoint strata (such as versions of a program whose holdouts differ): effect and means '
    'weighted by the strata''s rows, se from the sum of squares, Welch-Satterthwaite df, pooled standard deviations. A single stratum is '
    'returned as it is. NULLs and strata where an arm has fewer than 2 rows are left out, also of n. theta is NULL where the strata '
    'differ; variance_reduction compares the combined variances. The relative interval takes the covariance of effect and control mean '
    'as -sd_control^2 / n_control and the unadjusted variance as adjusted / (1 - variance_reduction): exact without a covariate. Results '
    'that lift() cannot have made are errors.';

CREATE FUNCTION clientele.sequential_interval(
        result clientele.lift_result, alpha double precision DEFAULT 0.05, tuning double precision DEFAULT 5000,
        nonzero_control bigint DEFAULT NULL,
        OUT ci_low double precision, OUT ci_high double precision)
    AS 'MODULE_PATHNAME', 'clientele_sequential_interval' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele.sequential_interval(clientele.lift_result, double precision, double precision, bigint) IS
    'An interval for the effect that may be looked at every day: over all looks together it misses with probability alpha at most, '
    'asymptotically. It is wider than ci_low to ci_high, and narrowest, for its sample, at about `tuning` rows in all. The confidence '
    'sequence is widened from the normal to Student''s t with the result''s df, for looks at few rows. NULLs where the result has no '
    'interval, and where it is too early to look: below 100 rows in the smaller arm, and below 30 control rows whose outcome is not '
    'zero, if nonzero_control says how many there are (a result of lift() does not know; where many outcomes are zero, pass it). alpha: '
    'in (0, 1); tuning: from 1 to 1e15. Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and '
    'asymptotic confidence sequences" (2024), as GrowthBook uses it.';

CREATE FUNCTION clientele.relative_se(result clientele.lift_result) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_relative_se' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.relative_se(clientele.lift_result) IS
    'The standard error of relative_effect, by the delta method: half of its interval by Student''s t with the result''s df. NULL where '
    'it has no interval. Results that lift() cannot have made are errors.';
CREATE FUNCTION clientele.relative_p_value(result clientele.lift_result) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_relative_p_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.relative_p_value(clientele.lift_result) IS
    'Two-sided p-value of no relative effect: the test that goes with relative_ci_low and relative_ci_high (Student''s t with the '
    'result''s df), as p_value goes with ci_low and ci_high. '
    'The two differ, for the relative effect is divided by a control mean that is uncertain too; decide beforehand which to read. NULL '
    'where the relative effect has no interval, or one without width. '
    'Results that lift() cannot have made are errors. Source: delta method, as GrowthBook''s test of a relative effect.';

CREATE FUNCTION clientele._incremental_share(turned clientele.lift_result, OUT share double precision, OUT ci_low double precision,
        OUT ci_high double precision)
    AS 'MODULE_PATHNAME', 'clientele_incremental_share' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._incremental_share(clientele.lift_result) IS
    'Internal: of what the treated have, the share that the others lack, with its 95 % interval by the delta method, from a comparison '
    'whose arms are changed over: the treated are its control.';

-- Is the experiment sound, and large enough?

CREATE FUNCTION clientele.srm_pvalue(observed bigint[], expected pg_catalog.float8[]) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_srm_pvalue' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.srm_pvalue(bigint[], pg_catalog.float8[]) IS
    'Sample-ratio mismatch: the p-value (chi-square, goodness of fit) of the arms'' counts under the weights they should have. Weights '
    'need not sum to 1; arms of weight 0 are left out, with their counts. 1 for fewer than two arms, and for nobody. Below about 0.001 '
    'the assignment is broken, and no effect should be read. Errors: arrays of different lengths, NULL elements, negative numbers, NaN, '
    'infinities. Source: Pearson (1900).';

CREATE FUNCTION clientele.minimum_detectable_effect(
        sd_control double precision, n_control bigint, sd_treated double precision, n_treated bigint,
        power double precision DEFAULT 0.8, alpha double precision DEFAULT 0.05) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_minimum_detectable_effect' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.minimum_detectable_effect(double precision, bigint, double precision, bigint, double precision,
    double precision) IS
    'The smallest effect, in the outcome''s unit, that a two-sided test at level alpha finds with this power: (z(1 - alpha/2) + '
    'z(power)) x sqrt(sd_control^2 / n_control + sd_treated^2 / n_treated). It depends on spread and size only, never on the observed '
    'effect. NULL where an arm is empty. Standard deviations that are not from 0 to 1e100, negative counts, and power or alpha outside '
    '(0, 1) or power not above alpha / 2 are errors. Source: normal approximation, Cohen (1988).';

CREATE FUNCTION clientele.lift_sample_size(
        effect double precision, sd_control double precision, sd_treated double precision, share_treated double precision,
        power double precision DEFAULT 0.8, alpha double precision DEFAULT 0.05) RETURNS bigint
    AS 'MODULE_PATHNAME', 'clientele_lift_sample_size' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.lift_sample_size(double precision, double precision, double precision, double precision, double precision,
    double precision) IS
    'How many units, both arms together, a two-sided test at level alpha needs to find this effect with this power; the inverse of '
    'minimum_detectable_effect(). effect: in the outcome''s unit, what would matter, not what was observed; share_treated: in (0, 1), '
    'the treated share of all. At least 4: two an arm. Errors: an effect that is 0 or not finite, negative standard deviations, share, '
    'power and alpha outside (0, 1), power not above alpha / 2, sizes beyond bigint.';

CREATE FUNCTION clientele.holm(p pg_catalog.float8[]) RETURNS pg_catalog.float8[]
    AS 'MODULE_PATHNAME', 'clientele_holm' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.holm(pg_catalog.float8[]) IS
    'The p-values adjusted for their number, in the order given: reject those at or below alpha, and the chance of any false rejection '
    'is at most alpha. NULLs stay NULL and do not count. NaN and values outside [0, 1] are errors. Source: Holm (1979).';

-- Which arm is best?

CREATE FUNCTION clientele.combine_arm_values(estimates clientele.arm_estimate[], sizes bigint[]) RETURNS clientele.arm_estimate
    AS 'MODULE_PATHNAME', 'clientele_combine_arm_values' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.combine_arm_values(clientele.arm_estimate[], bigint[]) IS
    'The stratified estimate of an arm over disjoint strata (such as versions of a program), each weighted by its size: the number of '
    'its customers in whatever arm, so that arms are compared over the same mix of strata. se from the sum of squares, the interval with '
    'Welch-Satterthwaite df. A single stratum is returned as it is; strata where the arm has no standard error are left out. Errors: '
    'arrays of different lengths, NULL elements, sizes below the customers in the arm, estimates that arm_value() cannot have made.';
CREATE FUNCTION clientele.compare_arms(arm clientele.arm_estimate, other clientele.arm_estimate,
        OUT effect double precision, OUT ci_low double precision, OUT ci_high double precision, OUT se double precision)
    AS 'MODULE_PATHNAME', 'clientele_compare_arms' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.compare_arms(clientele.arm_estimate, clientele.arm_estimate) IS
    'What an arm yields per customer beyond another whose customers are others, with its 95 % interval by the normal distribution. NULL '
    'is what cannot be known.';

CREATE FUNCTION clientele.shrunken_means(means pg_catalog.float8[], ses pg_catalog.float8[]) RETURNS pg_catalog.float8[]
    AS 'MODULE_PATHNAME', 'clientele_shrunken_means' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.shrunken_means(pg_catalog.float8[], pg_catalog.float8[]) IS
    'Estimates of several arms, or segments, with these standard errors, each drawn towards their common mean as far as their differences '
    'are noise: kept is tau^2 / (tau^2 + se^2), with the tau of spread_of_means(). So the best of many is not the luckiest. A single one '
    'stays as it is. Errors as of best_arm_probabilities(), but that there may be any number. Source: Efron and Morris (1973).';
CREATE FUNCTION clientele.shrunken_ses(means pg_catalog.float8[], ses pg_catalog.float8[]) RETURNS pg_catalog.float8[]
    AS 'MODULE_PATHNAME', 'clientele_shrunken_ses' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.shrunken_ses(pg_catalog.float8[], pg_catalog.float8[]) IS
    'The standard errors of shrunken_means(), the uncertainty of the common mean included.';
CREATE FUNCTION clientele.spread_of_means(means pg_catalog.float8[], ses pg_catalog.float8[],
        OUT tau double precision, OUT p_value double precision)
    AS 'MODULE_PATHNAME', 'clientele_spread_of_means' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.spread_of_means(pg_catalog.float8[], pg_catalog.float8[]) IS
    'How much the true values behind estimates with these standard errors differ. tau: their standard deviation; tau^2 is the variance of '
    'the estimates less their mean squared standard error, at least 0. p_value: of differences like these if there were none (Cochran''s '
    'Q). NULLs below two estimates. Errors as of best_arm_probabilities(). Source: Cochran (1954).';
CREATE FUNCTION clientele._arms_told_apart(means pg_catalog.float8[], ses pg_catalog.float8[]) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clientele_arms_told_apart' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._arms_told_apart(pg_catalog.float8[], pg_catalog.float8[]) IS
    'Internal: whether estimates differ by more than chance explains (tau above 0, p_value below 0.05).';
CREATE FUNCTION clientele._enrolments_to_tell_apart(means pg_catalog.float8[], ses pg_catalog.float8[], enrolments bigint[]) RETURNS bigint
    AS 'MODULE_PATHNAME', 'clientele_enrolments_to_tell_apart' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._enrolments_to_tell_apart(pg_catalog.float8[], pg_catalog.float8[], bigint[]) IS
    'Internal: how many enrolments of all arms together tell the best from the worst with 80 % power, if they are as different as they '
    'seem; NULL where they seem to be the same.';
CREATE FUNCTION clientele._shrunken_profit(drawn_mean double precision, drawn_se double precision, mean double precision,
        se double precision, profit double precision, profit_se double precision,
        OUT effect double precision, OUT ci_low double precision, OUT ci_high double precision)
    AS 'MODULE_PATHNAME', 'clientele_shrunken_profit' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._shrunken_profit(double precision, double precision, double precision, double precision, double precision,
    double precision) IS
    'Internal: a profit, the mean of an arm less that of its control, once the mean of the arm was drawn to another; the control keeps its '
    'own error. With its 95 % interval.';
CREATE FUNCTION clientele._normal_se(ci_low double precision, ci_high double precision) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_normal_se' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._normal_se(double precision, double precision) IS
    'Internal: the standard error behind a 95 % interval by the normal distribution.';
CREATE FUNCTION clientele._adjusted_outcome(outcome double precision, covariate double precision, theta double precision,
        mean_covariate double precision) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_adjusted_outcome' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._adjusted_outcome(double precision, double precision, double precision, double precision) IS
    'Internal: an outcome less theta times by how much its covariate is above the mean.';

CREATE FUNCTION clientele.best_arm_probabilities(means pg_catalog.float8[], ses pg_catalog.float8[]) RETURNS pg_catalog.float8[]
    AS 'MODULE_PATHNAME', 'clientele_best_arm_probabilities' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.best_arm_probabilities(pg_catalog.float8[], pg_catalog.float8[]) IS
    'For each arm the probability that its mean is the highest, where the means are independent and normal with these estimates and '
    'standard errors; they sum to 1. A standard error of 0 is a mean that is known; known means that tie share alike. 1 to 100 arms. '
    'Errors: no arms or more, arrays of different lengths, NULL elements, standard errors that are neither 0 nor from 1e-100 to 1e100, '
    'NaN, means beyond 1e100 in magnitude. Computed by Gauss-Legendre quadrature.';

CREATE FUNCTION clientele.propose_weights(
        means pg_catalog.float8[], ses pg_catalog.float8[], floor double precision DEFAULT 0.05) RETURNS pg_catalog.float8[]
    AS 'MODULE_PATHNAME', 'clientele_propose_weights' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.propose_weights(pg_catalog.float8[], pg_catalog.float8[], double precision) IS
    'Weights for the arms of the next round: the probabilities of best_arm_probabilities(), none below the floor, so that every arm '
    'stays measurable; in four decimals whose sum is exactly 1. floor: from 0 to 1 / number of arms; its fifth decimal is cut off. '
    'Source: probability matching, Thompson (1933).';
