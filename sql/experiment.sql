-- Deterministic buckets and variants.
SET extra_float_digits = 1;

-- GrowthBook's published cases (cases.json, specVersion 0.8.0).
SELECT clientele.bucket('seed', 'b'), clientele.bucket('foo', 'def'),
       clientele.bucket('90850943850283058242805', '123');

-- JavaScript's strings are UTF-16: a character outside the basic plane counts as two.
SELECT clientele.bucket('seed', U&'caf\00E9'), clientele.bucket('seed', U&'\20AC'), clientele.bucket('seed', U&'\+01F6D2'),
       clientele.bucket(U&'\+01F6D2', 'unit'), clientele.bucket('', '');

-- Uniform, in steps of 1/10,000.
SELECT count(*) FILTER (WHERE share BETWEEN 0.095 AND 0.105) AS even_tenths
FROM (SELECT count(*) / 100000.0 AS share
      FROM generate_series(1, 100000) AS unit
      GROUP BY floor(clientele.bucket('shop:a:holdout', unit::text) * 10)) AS tenths;
SELECT bool_and(round(b * 10000) / 10000 = b AND b >= 0 AND b < 1) AS on_the_grid
FROM generate_series(1, 10000) AS unit, LATERAL (SELECT clientele.bucket('x', unit::text) AS b) AS buckets;

SELECT clientele.bucket(NULL, 'unit') IS NULL AS no_seed, clientele.bucket('seed', NULL) IS NULL AS no_unit;

-- Variants are cut from the same buckets: 0.2696 and 0.2019.
SELECT clientele.choose_variant('seed', 'b', '{0.5,0.5}') AS halves,
       clientele.choose_variant('seed', 'b', '{0.2,0.8}') AS second,
       clientele.choose_variant('seed', 'b', '{0.2696,0.5}') AS upper_bounds_are_outside,
       clientele.choose_variant('seed', 'b', '{0.2,0,0.1}') AS after_an_empty_one,
       clientele.choose_variant('seed', 'b', '{0.1,0.1}') AS left_out,
       clientele.choose_variant('seed', 'b', '{}') AS none,
       clientele.choose_variant('seed', 'b', '{1}') AS all_of_them;
SELECT clientele.choose_variant('seed', 'b', NULL) IS NULL AS no_weights;
SELECT variant, round(count(*) / 100000.0, 2) AS share
FROM (SELECT clientele.choose_variant('shop:a:arm', unit::text, '{0.2,0.3,0.4}') AS variant
      FROM generate_series(1, 100000) AS unit) AS chosen
GROUP BY variant ORDER BY variant;
SELECT clientele.choose_variant('seed', 'b', '{0.5,0.5000005}') AS within_tolerance;

-- Refused.
SELECT clientele.choose_variant('seed', 'b', '{0.5,NULL}');
SELECT clientele.choose_variant('seed', 'b', '{0.5,NaN}');
SELECT clientele.choose_variant('seed', 'b', '{Infinity}');
SELECT clientele.choose_variant('seed', 'b', '{0.5,-0.1}');
SELECT clientele.choose_variant('seed', 'b', '{0.7,0.6}');
SELECT clientele.choose_variant('seed', 'b', '{{0.5,0.5},{0,0}}');
\set VERBOSITY sqlstate
SELECT clientele.choose_variant('seed', 'b', '{0.5,NULL}');
SELECT clientele.choose_variant('seed', 'b', '{0.7,0.6}');
SELECT clientele.choose_variant('seed', 'b', '{{0.5,0.5},{0,0}}');
