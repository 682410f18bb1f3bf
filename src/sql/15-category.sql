-- How a customer's spending spreads over categories.

CREATE FUNCTION clientele.category_share(category_mix jsonb, category text) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_category_share' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.category_share(jsonb, text) IS
    'The share (0 to 1) of spending that went to a category. category_mix: an object of category -> amount; categories below zero count '
    'as zero. '
    '0 where the customer never bought the category; NULL without a mix or where all amounts are zero. A mix that is no object of '
    'numbers is an error.';

CREATE FUNCTION clientele._category_mix_add(state internal, category text, amount numeric) RETURNS internal
    AS 'MODULE_PATHNAME', 'clientele_category_mix_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._category_mix_add(internal, text, numeric) IS 'Transition function of _category_mix().';
CREATE FUNCTION clientele._category_mix_final(state internal) RETURNS jsonb
    AS 'MODULE_PATHNAME', 'clientele_category_mix_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._category_mix_final(internal) IS 'Final function of _category_mix().';
CREATE AGGREGATE clientele._category_mix(category text, amount numeric) (
    SFUNC = clientele._category_mix_add, STYPE = internal, SSPACE = 600, FINALFUNC = clientele._category_mix_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele._category_mix(text, numeric) IS
    'What was spent by category: category -> sum of amounts, exact. NULLs are left out, and categories whose sum is not below 10^13; NULL '
    'where nothing is left. Categories are the same where their bytes are.';
