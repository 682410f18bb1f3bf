-- How a customer's spending spreads over categories.

CREATE FUNCTION clientele.category_share(category_mix jsonb, category text) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_category_share' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.category_share(jsonb, text) IS
    'The share (0 to 1) of spending that went to a category. category_mix: an object of category -> amount; categories below zero count '
    'as zero. '
    '0 where the customer never bought the category; NULL without a mix or where all amounts are zero. A mix that is no object of '
    'numbers is an error.';
