-- k-means: the aggregates, assignment, the choice of k, and input that cannot be.
SET extra_float_digits = 0;
SET client_min_messages = warning;

CREATE TABLE shoppers (id int, recency float8, orders float8);
INSERT INTO shoppers SELECT n, (n % 3) * 100 + n % 7, CASE n % 3 WHEN 0 THEN 20 WHEN 1 THEN 5 ELSE 1 END + n % 2 FROM generate_series(1, 300) AS n;
INSERT INTO shoppers VALUES (301, NULL, 1), (302, 1, NULL);

SELECT (clientele.kmeans(ARRAY[recency, orders], 3)).* FROM shoppers;
SELECT (clientele.kmeans(ARRAY[recency, orders], 3, 7)).sizes FROM shoppers;
SELECT (clientele.kmeans(ARRAY[recency, orders], 3, 7, true)).* FROM shoppers;
SELECT clientele.kmeans(ARRAY[recency, orders], 3, 7, false, 1) = clientele.kmeans(ARRAY[recency, orders], 3, 7, false, 10) AS same FROM shoppers;
SELECT (clientele.kmeans(ARRAY[recency, orders], 1)).sizes FROM shoppers;

-- The order of the rows, and how they are split among workers, makes no difference.
SELECT count(DISTINCT model) AS models FROM (
    SELECT clientele.kmeans(ARRAY[recency, orders], 5, 1, true ORDER BY id) AS model FROM shoppers
    UNION ALL SELECT clientele.kmeans(ARRAY[recency, orders], 5, 1, true ORDER BY id DESC) FROM shoppers
    UNION ALL SELECT clientele.kmeans(ARRAY[recency, orders], 5, 1, true ORDER BY md5(id::text)) FROM shoppers) AS models;
BEGIN;
SET LOCAL parallel_setup_cost = 0;
SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL max_parallel_workers_per_gather = 3;
ALTER TABLE shoppers SET (parallel_workers = 3);
SELECT clientele.kmeans(ARRAY[recency, orders], 5, 1, true)::text AS parallel FROM shoppers \gset
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT clientele.kmeans(ARRAY[recency, orders], 5, 1, true)::text = :'parallel' AS same FROM shoppers;
COMMIT;

-- Assignment: by number, from 1; sizes are what it counts.
CREATE TABLE models AS SELECT clientele.kmeans(ARRAY[recency, orders], 3, 7, true) AS model FROM shoppers;
SELECT clientele.nearest_cluster(model, ARRAY[recency, orders]) AS cluster, count(*), count(*) FILTER (WHERE clientele._nearest_centroid((model).centroids, (model).scales, ARRAY[recency, orders]) = clientele.nearest_cluster(model, ARRAY[recency, orders])) AS twins, min(recency), max(recency)
FROM shoppers, models GROUP BY 1 ORDER BY 1;
SELECT clientele.nearest_cluster(NULL, '{1,2}') IS NULL AS no_model, clientele.nearest_cluster(model, NULL) IS NULL AS no_features, clientele.nearest_cluster(model, '{1,NULL}') IS NULL AS unknown FROM models;
SELECT clientele._nearest_centroid('{{0},{2},{4}}', '{1}', ARRAY[x]) AS cluster, x FROM unnest('{-1,1,1.01,3,1e150,NaN,Infinity,1e151,NULL}'::float8[]) AS x;
-- What is kept from call to call follows the model.
SELECT clientele._nearest_centroid(c, s, '{3,0}') AS cluster FROM (VALUES (1, '{{0,0},{4,0}}'::float8[], '{1,1}'::float8[]), (2, '{{4,0},{0,0}}', '{1,1}'), (3, '{{4,0},{0,0}}', '{1,2}'), (4, '{{0,0},{1,0},{3,1}}', '{1,1}'), (5, '{{0,0},{1,0},{3,1}}', '{1,0.1}')) AS v (n, c, s) ORDER BY n;

-- How many clusters?
SELECT k, round(silhouette::numeric, 4) AS silhouette, round(inertia::numeric, 3) AS inertia, chosen, cardinality((model).sizes) AS clusters
FROM unnest((SELECT clientele.kmeans_candidates(ARRAY[recency, orders], 6, 7, true) FROM shoppers));
SELECT bool_and(c.model = m.model) AS as_kmeans FROM models AS m, unnest((SELECT clientele.kmeans_candidates(ARRAY[recency, orders], 6, 7, true) FROM shoppers)) AS c WHERE c.k = 3;
SELECT k, chosen, silhouette > 0.8 AS good FROM unnest((SELECT clientele._kmeans_candidate(ARRAY[recency, orders], 3, 7, true) FROM shoppers));
SELECT k, silhouette FROM unnest((SELECT clientele.kmeans_candidates(ARRAY[x], 10) FROM unnest('{1,1,2,2,5}'::float8[]) AS x));
SELECT clientele.kmeans_candidates(ARRAY[x], 10) FROM unnest('{1,1,1}'::float8[]) AS x;
SELECT clientele.kmeans_candidates(ARRAY[x], 1) FROM unnest('{1,2}'::float8[]) AS x;
SELECT clientele.kmeans_candidates(ARRAY[x], 51) FROM unnest('{1,2}'::float8[]) AS x;

-- The start of the first restart is made of rows.
SELECT array_ndims(start) AS dimensions, (SELECT count(*) FROM unnest(start) AS s WHERE s IN (1, 2, 5)) AS known FROM (SELECT clientele._kmeans_start(ARRAY[x], 3, 0, false) AS start FROM unnest('{1,1,2,2,5}'::float8[]) AS x) AS s;

-- No rows, one row, rows that are all alike, a constant feature, features of very different scale, an outlier.
SELECT clientele.kmeans(features, 2) IS NULL AS no_rows FROM (SELECT '{1}'::float8[] AS features WHERE false) AS v;
SELECT clientele.kmeans(NULL::float8[], 2) IS NULL AS no_features FROM generate_series(1, 3);
SELECT (clientele.kmeans('{3,4}'::float8[], 1, 0, true)).*;
SELECT (clientele.kmeans('{3,0.1}'::float8[], 1)).* FROM generate_series(1, 1000);
SELECT clientele.kmeans('{3,0.1}'::float8[], 2) FROM generate_series(1, 1000);
SELECT (clientele.kmeans(ARRAY[x, 7], 2, 0, true)).* FROM unnest('{1,2,11,12}'::float8[]) AS x;
SELECT (clientele.kmeans(ARRAY[x * 1e-9, x * 1e12], 2, 0, true)).centroids FROM unnest('{1,2,11,12}'::float8[]) AS x;
SELECT (clientele.kmeans(ARRAY[x], 3)).* FROM unnest('{0,-0,0.1,0.2,1e15,1e15}'::float8[]) AS x;
SELECT (clientele.kmeans(ARRAY[x], 5)).* FROM unnest('{1,2,3,4,5}'::float8[]) AS x;

-- What is refused.
SELECT clientele.kmeans(ARRAY[x], 6) FROM unnest('{1,2,3,4,5,5}'::float8[]) AS x;
SELECT clientele.kmeans('{1}', 0);
SELECT clientele.kmeans('{1}', -3);
SELECT clientele.kmeans('{1}', 1001);
SELECT clientele.kmeans('{1}', NULL);
SELECT clientele.kmeans('{1}', 1, NULL);
SELECT clientele.kmeans('{1}', 1, 1, NULL);
SELECT clientele.kmeans('{1}', 1, 1, false, NULL);
SELECT clientele.kmeans('{1}', 1, 1, false, 0);
SELECT clientele.kmeans('{1}', n) FROM generate_series(1, 2) AS n;
SELECT clientele.kmeans('{1}', 1, n) FROM generate_series(1, 2) AS n;
SELECT clientele.kmeans('{1}', 1, 1, n = 1) FROM generate_series(1, 2) AS n;
SELECT clientele.kmeans(array_fill(1::float8, ARRAY[n]), 1) FROM generate_series(2, 3) AS n;
SELECT clientele.kmeans('{}', 1);
SELECT clientele.kmeans('{{1,2},{3,4}}', 1);
SELECT clientele.kmeans('{1,NaN}', 1);
SELECT clientele.kmeans('{-Infinity,1}', 1);
SELECT clientele.kmeans('{1e200}', 1);
SELECT clientele.kmeans(array_fill(1::float8, ARRAY[1001]), 1);

-- Models of another kind, and forged ones.
SELECT clientele.nearest_cluster(model, '{1}') FROM models;
SELECT clientele.nearest_cluster(model, '{1,NaN}') FROM models;
SELECT clientele.nearest_cluster(model, '{}') FROM models;
SELECT clientele.nearest_cluster(model, '{{1,2}}') FROM models;
CREATE FUNCTION pg_temp.refusal(model clientele.kmeans_model) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    RETURN 'accepted: ' || coalesce(clientele.nearest_cluster(model, '{1,2}')::text, 'NULL');
EXCEPTION WHEN invalid_parameter_value THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN sqlerrm || ': ' || detail;
END $$;
SELECT pg_temp.refusal(ROW(c::float8[], s::bigint[], 0, 1, true, m::float8[], f::float8[])::clientele.kmeans_model) FROM (VALUES
    (1, '{{1,2},{3,4}}', '{1,1}', NULL, NULL), (2, NULL, '{1,1}', NULL, NULL), (3, '{}', '{}', NULL, NULL), (4, '{1,2}', '{1}', NULL, NULL), (5, '{{1,NULL}}', '{1}', NULL, NULL), (6, '{{1,NaN}}', '{1}', NULL, NULL),
    (7, '{{1,1e200}}', '{1}', NULL, NULL), (8, '{{1,2}}', '{1,2}', NULL, NULL), (9, '{{1,2}}', NULL, NULL, NULL), (10, '{{1,2}}', '{1}', '{0,0}', NULL), (11, '{{1,2}}', '{1}', NULL, '{1,1}'), (12, '{{1,2}}', '{1}', '{0,0}', '{1}'),
    (13, '{{1,2}}', '{1}', '{0}', '{1,1}'), (14, '{{1,2}}', '{1}', '{0,0}', '{1,0}'), (15, '{{1,2}}', '{1}', '{0,0}', '{1,-1}'), (16, '{{1,2}}', '{1}', '{0,0}', '{1,Infinity}'), (17, '{{1,2}}', '{1}', '{0,0}', '{1,1e-320}'),
    (18, '{{1,2}}', '{1}', '{0,0}', '{1,NULL}'), (19, '{{{1,2}}}', '{1}', NULL, NULL), (20, '{{1,2}}', '{1}', '{0,0}', '{1,1}')) AS v (n, c, s, m, f) ORDER BY n;
SELECT clientele._nearest_centroid('{{1,2}}', '{1}', '{1,2}');

-- States from elsewhere.
SELECT clientele._kmeans_final('{}') IS NULL AS nothing;
SELECT clientele._kmeans_final('{1,2}');
SELECT clientele._kmeans_final('{0,1,0,0,0,1}');
SELECT clientele._kmeans_final('{2,1,0,0,0,1,5}');
SELECT clientele._kmeans_final('{1,NaN,0,0,0,1,5}');
SELECT clientele._kmeans_final('{1,1,0,0,0,1,NaN}');
SELECT clientele._kmeans_add(NULL, '{1}', 1);
SELECT clientele._kmeans_add(NULL, NULL, 1, 0, false, 1);
SELECT clientele._kmeans_final('{1,1,0,0,0,1,NULL}');
SELECT clientele._kmeans_final('{1,1,0,0,0,1}');
SELECT clientele._kmeans_add('{1,1,0,0,0,10,5}', '{1}', 1);
SELECT clientele._kmeans_combine('{1,1,0,0,0,10,5}', '{2,1,0,0,0,10,5,5}');

DROP TABLE shoppers, models;

-- The iris flowers of Fisher (1936): sepal length and width, petal length and width of each. The best clusters are known.
CREATE TABLE iris AS SELECT ARRAY[v[4 * n + 1], v[4 * n + 2], v[4 * n + 3], v[4 * n + 4]] AS flower FROM generate_series(0, 149) AS n, CAST('{
5.1,3.5,1.4,0.2,4.9,3,1.4,0.2,4.7,3.2,1.3,0.2,4.6,3.1,1.5,0.2,5,3.6,1.4,0.2,5.4,3.9,1.7,0.4,4.6,3.4,1.4,0.3,5,3.4,1.5,0.2,4.4,2.9,1.4,0.2,4.9,3.1,1.5,0.1,
5.4,3.7,1.5,0.2,4.8,3.4,1.6,0.2,4.8,3,1.4,0.1,4.3,3,1.1,0.1,5.8,4,1.2,0.2,5.7,4.4,1.5,0.4,5.4,3.9,1.3,0.4,5.1,3.5,1.4,0.3,5.7,3.8,1.7,0.3,5.1,3.8,1.5,0.3,
5.4,3.4,1.7,0.2,5.1,3.7,1.5,0.4,4.6,3.6,1,0.2,5.1,3.3,1.7,0.5,4.8,3.4,1.9,0.2,5,3,1.6,0.2,5,3.4,1.6,0.4,5.2,3.5,1.5,0.2,5.2,3.4,1.4,0.2,4.7,3.2,1.6,0.2,
4.8,3.1,1.6,0.2,5.4,3.4,1.5,0.4,5.2,4.1,1.5,0.1,5.5,4.2,1.4,0.2,4.9,3.1,1.5,0.2,5,3.2,1.2,0.2,5.5,3.5,1.3,0.2,4.9,3.6,1.4,0.1,4.4,3,1.3,0.2,5.1,3.4,1.5,0.2,
5,3.5,1.3,0.3,4.5,2.3,1.3,0.3,4.4,3.2,1.3,0.2,5,3.5,1.6,0.6,5.1,3.8,1.9,0.4,4.8,3,1.4,0.3,5.1,3.8,1.6,0.2,4.6,3.2,1.4,0.2,5.3,3.7,1.5,0.2,5,3.3,1.4,0.2,
7,3.2,4.7,1.4,6.4,3.2,4.5,1.5,6.9,3.1,4.9,1.5,5.5,2.3,4,1.3,6.5,2.8,4.6,1.5,5.7,2.8,4.5,1.3,6.3,3.3,4.7,1.6,4.9,2.4,3.3,1,6.6,2.9,4.6,1.3,5.2,2.7,3.9,1.4,
5,2,3.5,1,5.9,3,4.2,1.5,6,2.2,4,1,6.1,2.9,4.7,1.4,5.6,2.9,3.6,1.3,6.7,3.1,4.4,1.4,5.6,3,4.5,1.5,5.8,2.7,4.1,1,6.2,2.2,4.5,1.5,5.6,2.5,3.9,1.1,
5.9,3.2,4.8,1.8,6.1,2.8,4,1.3,6.3,2.5,4.9,1.5,6.1,2.8,4.7,1.2,6.4,2.9,4.3,1.3,6.6,3,4.4,1.4,6.8,2.8,4.8,1.4,6.7,3,5,1.7,6,2.9,4.5,1.5,5.7,2.6,3.5,1,
5.5,2.4,3.8,1.1,5.5,2.4,3.7,1,5.8,2.7,3.9,1.2,6,2.7,5.1,1.6,5.4,3,4.5,1.5,6,3.4,4.5,1.6,6.7,3.1,4.7,1.5,6.3,2.3,4.4,1.3,5.6,3,4.1,1.3,5.5,2.5,4,1.3,
5.5,2.6,4.4,1.2,6.1,3,4.6,1.4,5.8,2.6,4,1.2,5,2.3,3.3,1,5.6,2.7,4.2,1.3,5.7,3,4.2,1.2,5.7,2.9,4.2,1.3,6.2,2.9,4.3,1.3,5.1,2.5,3,1.1,5.7,2.8,4.1,1.3,
6.3,3.3,6,2.5,5.8,2.7,5.1,1.9,7.1,3,5.9,2.1,6.3,2.9,5.6,1.8,6.5,3,5.8,2.2,7.6,3,6.6,2.1,4.9,2.5,4.5,1.7,7.3,2.9,6.3,1.8,6.7,2.5,5.8,1.8,7.2,3.6,6.1,2.5,
6.5,3.2,5.1,2,6.4,2.7,5.3,1.9,6.8,3,5.5,2.1,5.7,2.5,5,2,5.8,2.8,5.1,2.4,6.4,3.2,5.3,2.3,6.5,3,5.5,1.8,7.7,3.8,6.7,2.2,7.7,2.6,6.9,2.3,6,2.2,5,1.5,
6.9,3.2,5.7,2.3,5.6,2.8,4.9,2,7.7,2.8,6.7,2,6.3,2.7,4.9,1.8,6.7,3.3,5.7,2.1,7.2,3.2,6,1.8,6.2,2.8,4.8,1.8,6.1,3,4.9,1.8,6.4,2.8,5.6,2.1,7.2,3,5.8,1.6,
7.4,2.8,6.1,1.9,7.9,3.8,6.4,2,6.4,2.8,5.6,2.2,6.3,2.8,5.1,1.5,6.1,2.6,5.6,1.4,7.7,3,6.1,2.3,6.3,3.4,5.6,2.4,6.4,3.1,5.5,1.8,6,3,4.8,1.8,6.9,3.1,5.4,2.1,
6.7,3.1,5.6,2.4,6.9,3.1,5.1,2.3,5.8,2.7,5.1,1.9,6.8,3.2,5.9,2.3,6.7,3.3,5.7,2.5,6.7,3,5.2,2.3,6.3,2.5,5,1.9,6.5,3,5.2,2,6.2,3.4,5.4,2.3,5.9,3,5.1,1.8}' AS float8[]) AS v;
SELECT k, m.sizes, round(m.inertia::numeric, 8) AS inertia, m.converged, ARRAY(SELECT round(c::numeric, 6) FROM unnest(m.centroids) AS c) AS centroids
FROM (SELECT k, (clientele.kmeans(flower, k)).* FROM iris, generate_series(2, 4) AS k GROUP BY k) AS m ORDER BY k;
SELECT k, round(silhouette::numeric, 8) AS silhouette FROM unnest((SELECT clientele.kmeans_candidates(flower, 4) FROM iris));
DROP TABLE iris;
