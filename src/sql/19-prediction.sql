
-- Predictions of the purchase models (bgnbd, mbgnbd, pareto_nbd) and of the value model (gamma_gamma).

-- While this script runs: a comment on the overloads of a function for the three purchase models, {model} in its signature. In the comment
-- {leaving} is when customers leave, {parameters} the range of the parameters, {source} the paper. 99-end.sql drops it.
CREATE PROCEDURE clientele._comment_on_purchase_models(signature pg_catalog.text, comment pg_catalog.text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    facts record;
BEGIN
    FOR facts IN SELECT * FROM (VALUES
        ('bgnbd', 'customers leave right after a purchase: whoever has not left will buy again',
            'r, a, b: 1e-7 to 1e7; alpha: 1e-15 to 1e15', 'BG/NBD, Fader, Hardie and Lee (2005)'),
        ('mbgnbd', 'customers leave right after a purchase: whoever has not left will buy again',
            'r, a, b: 1e-7 to 1e7; alpha: 1e-15 to 1e15', 'MBG/NBD, Batislam, Denizel and Filiztekin (2007)'),
        ('pareto_nbd', 'whoever has not left may still leave before buying again',
            'r, s: 1e-7 to 1e7; alpha, beta: 1e-15 to 1e15', 'Pareto/NBD, Schmittlein, Morrison and Colombo (1987)')
        ) m (model, leaving, parameters, source)
    LOOP
        EXECUTE format('COMMENT ON FUNCTION clientele.%s IS %L', clientele._fill(signature, 'model', facts.model),
            clientele._fill(comment, VARIADIC ARRAY(SELECT p.part FROM jsonb_each_text(to_jsonb(facts)) f, unnest(ARRAY[f.key, f.value])
                p (part) WHERE position('{' || f.key || '}' IN comment) > 0)));
    END LOOP;
END $$;

CREATE FUNCTION clientele.p_alive(model clientele.bgnbd, repeat_purchases pg_catalog.float8, last_purchase_age pg_catalog.float8,
    age pg_catalog.float8)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_p_alive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION clientele.p_alive(model clientele.bgnbd, p clientele.order_profile, as_of pg_catalog.timestamptz)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_p_alive_profile' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION clientele.p_alive(model clientele.mbgnbd, repeat_purchases pg_catalog.float8, last_purchase_age pg_catalog.float8,
    age pg_catalog.float8)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_p_alive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION clientele.p_alive(model clientele.mbgnbd, p clientele.order_profile, as_of pg_catalog.timestamptz)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_p_alive_profile' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION clientele.p_alive(model clientele.pareto_nbd, repeat_purchases pg_catalog.float8, last_purchase_age pg_catalog.float8,
    age pg_catalog.float8)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_p_alive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION clientele.p_alive(model clientele.pareto_nbd, p clientele.order_profile, as_of pg_catalog.timestamptz)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_p_alive_profile' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CALL clientele._comment_on_purchase_models('p_alive(clientele.{model}, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8)',
    'The probability (0 to 1) that a customer is still one, that is has not left for good. With this model, {leaving}. repeat_purchases, '
    'last_purchase_age and age are the x, t_x and T of the models, in the model''s unit of time. NULL gives NULL. A count that is '
    'negative or not whole, ages that are not from 0 to 1e15, and a last purchase beyond age are errors. A model that did not converge '
    'is refused (converged NULL is not); so are parameters out of range ({parameters}). Source: {source}.');
CALL clientele._comment_on_purchase_models('p_alive(clientele.{model}, clientele.order_profile, pg_catalog.timestamptz)',
    'The probability (0 to 1) that the customer of a profile is still one, that is has not left for good. With this model, {leaving}. '
    'Times in days, counted in the profile''s time zone. NULL without orders and where an order comes after as_of. Source: {source}.');
CREATE FUNCTION clientele.expected_orders(model clientele.bgnbd, horizon pg_catalog.float8, repeat_purchases pg_catalog.float8,
    last_purchase_age pg_catalog.float8, age pg_catalog.float8)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_expected_orders' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION clientele.expected_orders(model clientele.bgnbd, horizon pg_catalog.float8, p clientele.order_profile,
    as_of pg_catalog.timestamptz)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_expected_orders_profile' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION clientele.expected_orders(model clientele.mbgnbd, horizon pg_catalog.float8, repeat_purchases pg_catalog.float8,
    last_purchase_age pg_catalog.float8, age pg_catalog.float8)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_expected_orders' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION clientele.expected_orders(model clientele.mbgnbd, horizon pg_catalog.float8, p clientele.order_profile,
    as_of pg_catalog.timestamptz)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_expected_orders_profile' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION clientele.expected_orders(model clientele.pareto_nbd, horizon pg_catalog.float8, repeat_purchases pg_catalog.float8,
    last_purchase_age pg_catalog.float8, age pg_catalog.float8)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_expected_orders' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION clientele.expected_orders(model clientele.pareto_nbd, horizon pg_catalog.float8, p clientele.order_profile,
    as_of pg_catalog.timestamptz)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_expected_orders_profile' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CALL clientele._comment_on_purchase_models('expected_orders(clientele.{model}, pg_catalog.float8, pg_catalog.float8, '
        'pg_catalog.float8, pg_catalog.float8)',
    'Purchases to expect within horizon after age, P(alive) included. repeat_purchases, last_purchase_age and age are the x, t_x and T '
    'of the models, in the model''s unit of time. NULL gives NULL. A new customer (0, 0, 0) gives the model''s E[X(t)]. A count that is '
    'negative or not whole, ages that are not from 0 to 1e15, and a last purchase beyond age are errors. A horizon is from 0 to 1e15. A '
    'model that did not converge is refused (converged NULL is not); so are parameters out of range ({parameters}). Source: {source}.');
CALL clientele._comment_on_purchase_models('expected_orders(clientele.{model}, pg_catalog.float8, clientele.order_profile, '
        'pg_catalog.timestamptz)',
    'Purchase days to expect within horizon days after as_of, P(alive) included. Times in days, counted in the profile''s time zone. '
    'NULL without orders and where an order comes after as_of. A horizon is from 0 to 1e15. Source: {source}.');
CREATE FUNCTION clientele.expected_order_value(model clientele.gamma_gamma, repeat_purchases pg_catalog.float8,
    mean_value pg_catalog.float8)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_expected_order_value' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele.expected_order_value(clientele.gamma_gamma, pg_catalog.float8, pg_catalog.float8) IS
    'The mean value of this customer''s purchases: p (v + m x) / (p x + q - 1), with m the mean value of the x repeat purchases; between '
    'm and the population''s mean p v / (q - 1), which is given where x = 0 (mean_value is not looked at then). NULL for NULL, and where '
    'the model has no mean: p x + q <= 1. A mean value that is not from 0 to 1e15 is an error, as is a count that is negative or not '
    'whole. A model that did not converge is refused (converged NULL is not); so are parameters out of range (p, q: 1e-7 to 1e7; v: '
    '1e-15 to 1e15). Source: Gamma-Gamma, Fader and Hardie (2013).';
CREATE FUNCTION clientele.expected_order_value(model clientele.gamma_gamma, p clientele.order_profile)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_expected_order_value_profile' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.expected_order_value(clientele.gamma_gamma, clientele.order_profile) IS
    'The mean value of this customer''s purchase days, from repeat_purchases and repeat_day_value of the profile. NULL without orders, '
    'and where the model has no mean (p x + q <= 1). Source: Gamma-Gamma, Fader and Hardie (2013).';
CREATE FUNCTION clientele.clv(purchase_model clientele.bgnbd, value_model clientele.gamma_gamma, horizon pg_catalog.float8,
    repeat_purchases pg_catalog.float8, last_purchase_age pg_catalog.float8, age pg_catalog.float8, mean_value pg_catalog.float8,
    margin pg_catalog.float8 DEFAULT 1, annual_discount pg_catalog.float8 DEFAULT 0.10)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_clv' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clientele.clv(purchase_model clientele.bgnbd, value_model clientele.gamma_gamma, horizon pg_catalog.float8,
    p clientele.order_profile, as_of pg_catalog.timestamptz, margin pg_catalog.float8 DEFAULT 1,
    annual_discount pg_catalog.float8 DEFAULT 0.10)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_clv_profile' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION clientele.clv(purchase_model clientele.mbgnbd, value_model clientele.gamma_gamma, horizon pg_catalog.float8,
    repeat_purchases pg_catalog.float8, last_purchase_age pg_catalog.float8, age pg_catalog.float8, mean_value pg_catalog.float8,
    margin pg_catalog.float8 DEFAULT 1, annual_discount pg_catalog.float8 DEFAULT 0.10)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_clv' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clientele.clv(purchase_model clientele.mbgnbd, value_model clientele.gamma_gamma, horizon pg_catalog.float8,
    p clientele.order_profile, as_of pg_catalog.timestamptz, margin pg_catalog.float8 DEFAULT 1,
    annual_discount pg_catalog.float8 DEFAULT 0.10)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_clv_profile' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION clientele.clv(purchase_model clientele.pareto_nbd, value_model clientele.gamma_gamma, horizon pg_catalog.float8,
    repeat_purchases pg_catalog.float8, last_purchase_age pg_catalog.float8, age pg_catalog.float8, mean_value pg_catalog.float8,
    margin pg_catalog.float8 DEFAULT 1, annual_discount pg_catalog.float8 DEFAULT 0.10)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_clv' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clientele.clv(purchase_model clientele.pareto_nbd, value_model clientele.gamma_gamma, horizon pg_catalog.float8,
    p clientele.order_profile, as_of pg_catalog.timestamptz, margin pg_catalog.float8 DEFAULT 1,
    annual_discount pg_catalog.float8 DEFAULT 0.10)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_clv_profile' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CALL clientele._comment_on_purchase_models('clv(clientele.{model}, clientele.gamma_gamma, pg_catalog.float8, pg_catalog.float8, '
        'pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8)',
    'Discounted margin to expect within horizon days: margin x expected_order_value x the integral over t from 0 to horizon of (1 + '
    'annual_discount)^(-t / 365) dE[Y(t)], E[Y(t)] being expected_orders within t. The purchase model must be in days. repeat_purchases, '
    'last_purchase_age and age are the x, t_x and T of the models, in the model''s unit of time. mean_value as in expected_order_value. '
    'NULL for NULL, and where the value model has no mean. margin is a share from 0 to 1; annual_discount is finite and not negative, '
    'horizon from 0 to 1e15. A count that is negative or not whole, ages that are not from 0 to 1e15, and a last purchase beyond age are '
    'errors. A model that did not converge is refused (converged NULL is not); so are parameters out of range (r, a, b, s, p, q: 1e-7 to '
    '1e7; alpha, beta, v: 1e-15 to 1e15).');
CALL clientele._comment_on_purchase_models('clv(clientele.{model}, clientele.gamma_gamma, pg_catalog.float8, '
        'clientele.order_profile, pg_catalog.timestamptz, pg_catalog.float8, pg_catalog.float8)',
    'Discounted margin to expect of the customer of a profile within horizon days after as_of: margin x expected_order_value x the '
    'integral over t from 0 to horizon of (1 + annual_discount)^(-t / 365) dE[Y(t)], E[Y(t)] being expected_orders within t. The '
    'purchase model must be in days. NULL without orders, where an order comes after as_of, and where the value model has no mean. '
    'margin is a share from 0 to 1; annual_discount is finite and not negative, horizon from 0 to 1e15.');
-- The same for a store's views: models as a kind and an array of parameters, in days.
CREATE FUNCTION clientele._p_alive(kind pg_catalog.text, purchase pg_catalog.float8[], p clientele.order_profile,
    as_of pg_catalog.timestamptz)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_store_p_alive' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clientele._p_alive(pg_catalog.text, pg_catalog.float8[], clientele.order_profile, pg_catalog.timestamptz) IS
    'p_alive of a profile by the model of a kind (bgnbd, mbgnbd, pareto_nbd) with parameters r, alpha and a, b or s, beta.';
CREATE FUNCTION clientele._expected_orders(kind pg_catalog.text, purchase pg_catalog.float8[], horizon pg_catalog.float8,
    p clientele.order_profile, as_of pg_catalog.timestamptz)
    RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_store_expected_orders' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clientele._expected_orders(pg_catalog.text, pg_catalog.float8[], pg_catalog.float8, clientele.order_profile,
    pg_catalog.timestamptz) IS
    'expected_orders of a profile by the model of a kind, as in _p_alive.';
CREATE FUNCTION clientele._expected_order_value(value pg_catalog.float8[], p clientele.order_profile, decimals pg_catalog.int4)
    RETURNS pg_catalog.numeric
    AS 'MODULE_PATHNAME', 'clientele_store_expected_order_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clientele._expected_order_value(pg_catalog.float8[], clientele.order_profile, pg_catalog.int4) IS
    'expected_order_value of a profile by the Gamma-Gamma model with parameters p, q, v, rounded half away from zero to decimals (0 to 4).';
CREATE FUNCTION clientele._clv(kind pg_catalog.text, purchase pg_catalog.float8[], value pg_catalog.float8[], horizon pg_catalog.float8,
    p clientele.order_profile, as_of pg_catalog.timestamptz, margin pg_catalog.float8, annual_discount pg_catalog.float8,
    decimals pg_catalog.int4)
    RETURNS pg_catalog.numeric
    AS 'MODULE_PATHNAME', 'clientele_store_clv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clientele._clv(pg_catalog.text, pg_catalog.float8[], pg_catalog.float8[], pg_catalog.float8, clientele.order_profile,
    pg_catalog.timestamptz, pg_catalog.float8, pg_catalog.float8, pg_catalog.int4) IS
    'clv of a profile, by models as in _p_alive and _expected_order_value, rounded half away from zero to decimals (0 to 4).';
CREATE FUNCTION clientele._expected_next_order_at(kind pg_catalog.text, purchase pg_catalog.float8[], p clientele.order_profile,
    as_of pg_catalog.timestamptz)
    RETURNS pg_catalog.timestamptz
    AS 'MODULE_PATHNAME', 'clientele_store_expected_next_order_at' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clientele._expected_next_order_at(pg_catalog.text, pg_catalog.float8[], clientele.order_profile,
    pg_catalog.timestamptz) IS
    'When the next order is due: the last one plus the median days between orders, in the profile''s time zone. NULL below 3 purchase '
    'days, where p_alive (by the model of a kind, as in _p_alive) is below 0.5, and where an order comes after as_of.';
