
-- Experiments: deterministic buckets and variants.

CREATE FUNCTION clientele.bucket(seed pg_catalog.text, unit pg_catalog.text) RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_bucket' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.bucket(pg_catalog.text, pg_catalog.text) IS
    'The place of a unit (a customer, say) under a seed: uniform on [0, 1) in steps of 1/10,000, and the same everywhere and always. '
    'NULL gives NULL. Texts are hashed as UTF-16, as JavaScript does; one that cannot be converted to Unicode is an error. Source: '
    'GrowthBook''s hash, version 2.';

CREATE FUNCTION clientele.choose_variant(seed pg_catalog.text, unit pg_catalog.text, weights pg_catalog.float8[])
    RETURNS pg_catalog.int4
    AS 'MODULE_PATHNAME', 'clientele_choose_variant' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.choose_variant(pg_catalog.text, pg_catalog.text, pg_catalog.float8[]) IS
    'The variant, from 0, in whose share of the buckets the unit falls; -1 where the weights leave it out. Weights are shares, in order: '
    'none negative, together at most 1; an empty array gives -1, NULL gives NULL. NaN, infinite, negative and NULL weights, several '
    'dimensions and sums above 1 (by more than 1e-6) are errors. Source: GrowthBook''s getBucketRanges and chooseVariation.';
