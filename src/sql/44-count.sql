-- Counting a store's orders from scratch.

CREATE FUNCTION clientele._count_profiles(store name) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clientele_count_profiles' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 100000;
CREATE FUNCTION clientele._count_profiles(store name, as_of timestamptz) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clientele_count_profiles' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED ROWS 100000;
COMMENT ON FUNCTION clientele._count_profiles(name) IS
    'The profiles of all customers, counted from the store''s view _orders up to now: AS c(customer_id <type of the key>, profile '
    'clientele.order_profile).';
COMMENT ON FUNCTION clientele._count_profiles(name, timestamptz) IS 'The same up to a time.';
