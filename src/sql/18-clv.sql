-- Purchase and value models: their types, and their fits as aggregates.

CREATE TYPE clientele.bgnbd AS (
    r pg_catalog.float8, alpha pg_catalog.float8, a pg_catalog.float8, b pg_catalog.float8,
    log_likelihood pg_catalog.float8, standard_errors pg_catalog.float8[], customers pg_catalog.int8,
    iterations pg_catalog.int4, converged pg_catalog.bool);
COMMENT ON TYPE clientele.bgnbd IS
    'A fitted BG/NBD model. Purchase rates are gamma distributed (shape r, rate alpha, in the unit of the ages); after each repeat '
    'purchase a customer leaves with a probability that is beta distributed (a, b). '
    'log_likelihood: of the data at the parameters, NULL where it is not finite; standard_errors: of r, alpha, a, b; customers: how many '
    'were fitted; iterations: evaluations of the likelihood; converged: whether the parameters are its maximum. Where it is false the '
    'parameters are where the search ended, and must not be used.';

CREATE TYPE clientele.mbgnbd AS (
    r pg_catalog.float8, alpha pg_catalog.float8, a pg_catalog.float8, b pg_catalog.float8,
    log_likelihood pg_catalog.float8, standard_errors pg_catalog.float8[], customers pg_catalog.int8,
    iterations pg_catalog.int4, converged pg_catalog.bool);
COMMENT ON TYPE clientele.mbgnbd IS
    'A fitted MBG/NBD model: BG/NBD (see type bgnbd, whose fields it has) where customers may also leave right after their first purchase.';

CREATE TYPE clientele.pareto_nbd AS (
    r pg_catalog.float8, alpha pg_catalog.float8, s pg_catalog.float8, beta pg_catalog.float8,
    log_likelihood pg_catalog.float8, standard_errors pg_catalog.float8[], customers pg_catalog.int8,
    iterations pg_catalog.int4, converged pg_catalog.bool);
COMMENT ON TYPE clientele.pareto_nbd IS
    'A fitted Pareto/NBD model. Purchase rates are gamma distributed (shape r, rate alpha), and so are the rates at which customers '
    'leave, at any time (shape s, rate beta); alpha and beta are in the unit of the ages. standard_errors: of r, alpha, s, beta; the '
    'other fields are those of type bgnbd.';

CREATE TYPE clientele.gamma_gamma AS (
    p pg_catalog.float8, q pg_catalog.float8, v pg_catalog.float8,
    log_likelihood pg_catalog.float8, standard_errors pg_catalog.float8[], customers pg_catalog.int8,
    iterations pg_catalog.int4, converged pg_catalog.bool);
COMMENT ON TYPE clientele.gamma_gamma IS
    'A fitted Gamma-Gamma model of order values. A customer''s values are gamma distributed with shape p and a rate that is itself gamma '
    'distributed over customers with shape q and rate v (gamma in some papers), in the unit of the values. standard_errors: of p, q, v; '
    'the other fields are those of type bgnbd.';

-- The state is the rows' numbers one after the other, so that it can be shipped to other nodes.

CREATE FUNCTION clientele._add_purchase_history(state pg_catalog.float8[], repeat_purchases pg_catalog.float8,
        last_purchase_age pg_catalog.float8, age pg_catalog.float8) RETURNS pg_catalog.float8[]
    AS 'MODULE_PATHNAME', 'clientele_add_purchase_history' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._add_purchase_history(pg_catalog.float8[], pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
    'Part of fit_bgnbd, fit_mbgnbd and fit_pareto_nbd: the state with one customer appended. Impossible histories are errors.';

CREATE FUNCTION clientele._combine_purchase_histories(pg_catalog.float8[], pg_catalog.float8[]) RETURNS pg_catalog.float8[]
    AS 'MODULE_PATHNAME', 'clientele_combine_purchase_histories' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._combine_purchase_histories(pg_catalog.float8[], pg_catalog.float8[]) IS
    'Part of fit_bgnbd, fit_mbgnbd and fit_pareto_nbd: the customers of both states.';

CREATE FUNCTION clientele._fit_bgnbd(state pg_catalog.float8[]) RETURNS clientele.bgnbd
    AS 'MODULE_PATHNAME', 'clientele_fit_bgnbd' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._fit_bgnbd(pg_catalog.float8[]) IS 'Part of fit_bgnbd: the fit to the customers of the state.';

CREATE FUNCTION clientele._fit_mbgnbd(state pg_catalog.float8[]) RETURNS clientele.mbgnbd
    AS 'MODULE_PATHNAME', 'clientele_fit_mbgnbd' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._fit_mbgnbd(pg_catalog.float8[]) IS 'Part of fit_mbgnbd: the fit to the customers of the state.';

CREATE FUNCTION clientele._fit_pareto_nbd(state pg_catalog.float8[]) RETURNS clientele.pareto_nbd
    AS 'MODULE_PATHNAME', 'clientele_fit_pareto_nbd' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._fit_pareto_nbd(pg_catalog.float8[]) IS 'Part of fit_pareto_nbd: the fit to the customers of the state.';

CREATE AGGREGATE clientele.fit_bgnbd(repeat_purchases pg_catalog.float8, last_purchase_age pg_catalog.float8, age pg_catalog.float8) (
    SFUNC = clientele._add_purchase_history, STYPE = pg_catalog.float8[], INITCOND = '{}', SSPACE = 4096,
    FINALFUNC = clientele._fit_bgnbd, COMBINEFUNC = clientele._combine_purchase_histories, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.fit_bgnbd(pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
    'Fits BG/NBD to customers, one a row, by maximum likelihood. repeat_purchases (x): purchases after the first, a whole number from 0 '
    'to 10^9, orders of one day (or week) counted once; last_purchase_age (t_x) and age (T): time from the first purchase to the last '
    'one and to the end of observation, finite, 0 <= t_x <= T, t_x = 0 where x = 0, in any one unit. '
    'A row with a NULL is skipped; anything else is an error (22023, 22003). NULL without rows. The order of rows does not matter. '
    'converged is false where the likelihood has no maximum at positive, finite parameters, as with customers who are all alike: check '
    'it. standard_errors are from the observed information, NULL where there is no maximum. Source: Fader, Hardie and Lee (2005), '
    'Marketing Science 24(2).';

CREATE AGGREGATE clientele.fit_mbgnbd(repeat_purchases pg_catalog.float8, last_purchase_age pg_catalog.float8, age pg_catalog.float8) (
    SFUNC = clientele._add_purchase_history, STYPE = pg_catalog.float8[], INITCOND = '{}', SSPACE = 4096,
    FINALFUNC = clientele._fit_mbgnbd, COMBINEFUNC = clientele._combine_purchase_histories, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.fit_mbgnbd(pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
    'Fits MBG/NBD to customers, one a row, by maximum likelihood. Arguments, errors and result as for fit_bgnbd. Source: Batislam, '
    'Denizel and Filiztekin (2007), International Journal of Research in Marketing 24(3).';

CREATE AGGREGATE clientele.fit_pareto_nbd(repeat_purchases pg_catalog.float8, last_purchase_age pg_catalog.float8, age pg_catalog.float8) (
    SFUNC = clientele._add_purchase_history, STYPE = pg_catalog.float8[], INITCOND = '{}', SSPACE = 4096,
    FINALFUNC = clientele._fit_pareto_nbd, COMBINEFUNC = clientele._combine_purchase_histories, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.fit_pareto_nbd(pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
    'Fits Pareto/NBD to customers, one a row, by maximum likelihood. Arguments, errors and result as for fit_bgnbd. It takes some ten '
    'times as long. Source: Schmittlein, Morrison and Colombo (1987), Management Science 33(1); Fader and Hardie, note 009.';

CREATE AGGREGATE clientele._purchase_histories(repeat_purchases pg_catalog.float8, last_purchase_age pg_catalog.float8,
    age pg_catalog.float8) (
    SFUNC = clientele._add_purchase_history, STYPE = pg_catalog.float8[], INITCOND = '{}', SSPACE = 4096,
    COMBINEFUNC = clientele._combine_purchase_histories, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele._purchase_histories(pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
    'Internal: the histories that fit_bgnbd and its like are fitted to, for _purchase_log_likelihood.';

CREATE FUNCTION clientele._purchase_log_likelihood(kind pg_catalog.text, parameters pg_catalog.float8[], histories pg_catalog.float8[])
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_purchase_log_likelihood' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._purchase_log_likelihood(pg_catalog.text, pg_catalog.float8[], pg_catalog.float8[]) IS
    'Internal: the log likelihood of histories by a model of a kind (bgnbd, mbgnbd, pareto_nbd) that need not have been fitted to them.';

CREATE FUNCTION clientele._add_purchase_value(state pg_catalog.float8[], repeat_purchases pg_catalog.float8,
        mean_value pg_catalog.float8) RETURNS pg_catalog.float8[]
    AS 'MODULE_PATHNAME', 'clientele_add_purchase_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._add_purchase_value(pg_catalog.float8[], pg_catalog.float8, pg_catalog.float8) IS
    'Part of fit_gamma_gamma: the state with one customer appended. Impossible values are errors.';

CREATE FUNCTION clientele._combine_purchase_values(pg_catalog.float8[], pg_catalog.float8[]) RETURNS pg_catalog.float8[]
    AS 'MODULE_PATHNAME', 'clientele_combine_purchase_values' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._combine_purchase_values(pg_catalog.float8[], pg_catalog.float8[]) IS
    'Part of fit_gamma_gamma: the customers of both states.';

CREATE FUNCTION clientele._fit_gamma_gamma(state pg_catalog.float8[]) RETURNS clientele.gamma_gamma
    AS 'MODULE_PATHNAME', 'clientele_fit_gamma_gamma' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._fit_gamma_gamma(pg_catalog.float8[]) IS
    'Part of fit_gamma_gamma: the fit to the customers of the state.';

CREATE AGGREGATE clientele.fit_gamma_gamma(repeat_purchases pg_catalog.float8, mean_value pg_catalog.float8) (
    SFUNC = clientele._add_purchase_value, STYPE = pg_catalog.float8[], INITCOND = '{}', SSPACE = 4096,
    FINALFUNC = clientele._fit_gamma_gamma, COMBINEFUNC = clientele._combine_purchase_values, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.fit_gamma_gamma(pg_catalog.float8, pg_catalog.float8) IS
    'Fits the Gamma-Gamma model of order values to customers, one a row, by maximum likelihood. repeat_purchases (x): a whole number '
    'from 0 to 10^9; mean_value: the mean value of these x purchases, finite, not negative, in any currency. '
    'Customers without repeat purchases or with a mean of zero say nothing about the values of purchases and are left out (customers '
    'counts the others); so are rows with a NULL. Anything else is an error (22023, 22003). NULL where nobody is left. converged and '
    'standard_errors as for fit_bgnbd. Source: Fader and Hardie (2013), note 025; Fader, Hardie and Lee (2005), Journal of Marketing '
    'Research 42(4).';
