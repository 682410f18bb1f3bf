-- What a customer's next order would be worth without an offer, from the own orders and from how the store's customers differ.

CREATE TYPE clientele.value_prior AS (
    d0 pg_catalog.float8, s0 pg_catalog.float8, m0 pg_catalog.float8, tau2 pg_catalog.float8);
COMMENT ON TYPE clientele.value_prior IS
    'How the order values of a store''s customers differ, in logarithms. s0: what is typical of the variance within a customer, known as '
    'well as from d0 + 1 orders; m0 and tau2: mean and variance of customers'' means. Made by fit_value_prior().';

CREATE FUNCTION clientele._value_prior_add(state pg_catalog.bytea, p clientele.order_profile) RETURNS pg_catalog.bytea
    AS 'MODULE_PATHNAME', 'clientele_value_prior_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._value_prior_add(pg_catalog.bytea, clientele.order_profile) IS 'Transition of fit_value_prior().';
CREATE FUNCTION clientele._value_prior_combine(state pg_catalog.bytea, other pg_catalog.bytea) RETURNS pg_catalog.bytea
    AS 'MODULE_PATHNAME', 'clientele_value_prior_combine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._value_prior_combine(pg_catalog.bytea, pg_catalog.bytea) IS 'Combines partial states of fit_value_prior().';
CREATE FUNCTION clientele._value_prior_final(state pg_catalog.bytea) RETURNS clientele.value_prior
    AS 'MODULE_PATHNAME', 'clientele_value_prior_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._value_prior_final(pg_catalog.bytea) IS 'Result of fit_value_prior().';

CREATE AGGREGATE clientele.fit_value_prior(p clientele.order_profile) (
    SFUNC = clientele._value_prior_add, STYPE = pg_catalog.bytea, SSPACE = 4900, COMBINEFUNC = clientele._value_prior_combine,
    FINALFUNC = clientele._value_prior_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.fit_value_prior(clientele.order_profile) IS
    'How the order values of customers differ, one profile a row, from the last 8 orders of positive value of each. Customers with fewer '
    'than 3 of these, or whose are all equal, say nothing and are left out, as is a NULL. NULL where fewer than 2 are left. Where '
    'customers'' variances differ by no more than chance d0 is 1000; tau2 is 0.01 at least. Sums are exact: the result does not depend on '
    'the order of rows or on workers. Source: Smyth (2004), Statistical Applications in Genetics and Molecular Biology 3(1).';

CREATE FUNCTION clientele.log_value_mean(p clientele.order_profile, prior clientele.value_prior) RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_log_value_mean' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.log_value_mean(clientele.order_profile, clientele.value_prior) IS
    'What to expect of the logarithm of the customer''s next order, without an offer: the mean over the last 8 orders of positive value, '
    'shrunk towards the store''s; m0 without any. A prior with a NULL or with a number out of range is an error.';
CREATE FUNCTION clientele.log_value_sd(p clientele.order_profile, prior clientele.value_prior) RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_log_value_sd' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.log_value_sd(clientele.order_profile, clientele.value_prior) IS
    'The standard deviation of the logarithm of the customer''s next order about log_value_mean(), that of the estimated mean included.';
CREATE FUNCTION clientele.natural_share(p clientele.order_profile, prior clientele.value_prior, min_spend pg_catalog.numeric)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_natural_share' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.natural_share(clientele.order_profile, clientele.value_prior, pg_catalog.numeric) IS
    'The share (0 to 1) of the customer''s own orders that reach min_spend without an offer, by a log-normal distribution with '
    'log_value_mean() and log_value_sd(). 1 of an amount of 0 or less. An amount of 10^13 or more is an error.';

CREATE FUNCTION clientele._natural_share(p clientele.order_profile, prior clientele.value_prior, min_spend pg_catalog.numeric)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_natural_share_of_anybody' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._natural_share(clientele.order_profile, clientele.value_prior, pg_catalog.numeric) IS
    'Internal: natural_share(), also of a customer without orders, whose profile is NULL. NULL where the prior or min_spend is.';
