-- What every part of the benchmark uses: random numbers that are none, and a place for results.

\set ON_ERROR_STOP on
SET client_min_messages = warning;

CREATE SCHEMA bench;

-- Uniform on [0, 1).
CREATE FUNCTION bench.uniform(id bigint, purpose int) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (hashint8extended(id, purpose) & 4294967295) / 4294967296.0::float8 $$;

-- Standard normal, near enough: four 16-bit uniforms, summed.
CREATE FUNCTION bench.normal(id bigint, purpose int) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (((h & 65535) + (h >> 16 & 65535) + (h >> 32 & 65535) + (h >> 48 & 65535)) / 65535.0::float8 - 2) * sqrt(3.0::float8)
   FROM hashint8extended(id, purpose) AS h $$;

CREATE TABLE bench.results (suite text, item text, run int, value float8, unit text DEFAULT 's');
