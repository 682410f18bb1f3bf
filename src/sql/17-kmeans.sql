
-- k-means clustering.

CREATE TYPE clientele.kmeans_model AS (centroids float8[], sizes bigint[], inertia float8, iterations int, converged boolean,
    means float8[], scales float8[]);
COMMENT ON TYPE clientele.kmeans_model IS
    'Clusters found by kmeans(): centroids (an array of k rows, in the features'' own units), the rows of each in sizes, inertia (the '
    'sum of the squared distances of all rows to their centroids, in the space that was clustered), iterations, converged (false after '
    '1,000 iterations), and what the features were standardised by (means and scales: population standard deviations, 1 for a constant '
    'feature), NULL where they were not. Clusters are ordered by size, the largest first, then by their coordinates.';

CREATE TYPE clientele.kmeans_candidate AS (k int, silhouette float8, inertia float8, chosen boolean, model clientele.kmeans_model);
COMMENT ON TYPE clientele.kmeans_candidate IS
    'A number of clusters that kmeans_candidates() tried: its mean silhouette (-1 to 1; higher is better), its inertia, whether it was '
    'chosen (the highest silhouette; of equal ones the smallest k), and the model, which is what kmeans() gives for this k.';

CREATE FUNCTION clientele._kmeans_add(state float8[], features float8[], k int) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'clientele_kmeans_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clientele._kmeans_add(float8[], float8[], int) IS
    'Transition of kmeans() and its kin: the state is the settings and all rows.';
CREATE FUNCTION clientele._kmeans_add(state float8[], features float8[], k int, seed bigint) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'clientele_kmeans_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clientele._kmeans_add(float8[], float8[], int, bigint) IS
    'Transition of kmeans() and its kin: the state is the settings and all rows.';
CREATE FUNCTION clientele._kmeans_add(state float8[], features float8[], k int, seed bigint, standardize boolean) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'clientele_kmeans_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clientele._kmeans_add(float8[], float8[], int, bigint, boolean) IS
    'Transition of kmeans() and its kin: the state is the settings and all rows.';
CREATE FUNCTION clientele._kmeans_add(state float8[], features float8[], k int, seed bigint, standardize boolean, restarts int)
    RETURNS float8[]
    AS 'MODULE_PATHNAME', 'clientele_kmeans_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clientele._kmeans_add(float8[], float8[], int, bigint, boolean, int) IS
    'Transition of kmeans() and its kin: the state is the settings and all rows.';
CREATE FUNCTION clientele._kmeans_combine(state float8[], other float8[]) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'clientele_kmeans_combine' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._kmeans_combine(float8[], float8[]) IS 'Combines partial states of kmeans() and its kin.';
CREATE FUNCTION clientele._kmeans_final(state float8[]) RETURNS clientele.kmeans_model
    AS 'MODULE_PATHNAME', 'clientele_kmeans_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._kmeans_final(float8[]) IS 'Result of kmeans().';
CREATE FUNCTION clientele._kmeans_candidates_final(state float8[]) RETURNS clientele.kmeans_candidate[]
    AS 'MODULE_PATHNAME', 'clientele_kmeans_candidates_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._kmeans_candidates_final(float8[]) IS 'Result of kmeans_candidates().';
CREATE FUNCTION clientele._kmeans_candidate_final(state float8[]) RETURNS clientele.kmeans_candidate[]
    AS 'MODULE_PATHNAME', 'clientele_kmeans_candidate_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._kmeans_candidate_final(float8[]) IS 'Result of _kmeans_candidate().';
CREATE FUNCTION clientele._kmeans_start_final(state float8[]) RETURNS float8[]
    AS 'MODULE_PATHNAME', 'clientele_kmeans_start_final' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._kmeans_start_final(float8[]) IS 'Result of _kmeans_start().';

CREATE AGGREGATE clientele.kmeans(features float8[], k int) (
    SFUNC = clientele._kmeans_add, STYPE = float8[], INITCOND = '{}', COMBINEFUNC = clientele._kmeans_combine,
    FINALFUNC = clientele._kmeans_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.kmeans(float8[], int) IS
    'The k clusters of rows by k-means: Lloyd''s algorithm, exact, from starts by k-means++ (10 of them, by seed 0; features as they '
    'are, not standardised). k: 1 to 1,000; more than there are distinct rows is an error. The same rows give the same model, bit for '
    'bit, in any order. Rows whose features are NULL or contain NULL are skipped; NULL without rows. Features: arrays of one length, 1 '
    'to 1,000 numbers of magnitude up to 1e150; others, NaN and infinities are errors, and so are settings that are NULL or change '
    'between rows.';
CREATE AGGREGATE clientele.kmeans(features float8[], k int, seed bigint) (
    SFUNC = clientele._kmeans_add, STYPE = float8[], INITCOND = '{}', COMBINEFUNC = clientele._kmeans_combine,
    FINALFUNC = clientele._kmeans_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.kmeans(float8[], int, bigint) IS
    'As kmeans(features, k), with a seed for the starts; any number.';
CREATE AGGREGATE clientele.kmeans(features float8[], k int, seed bigint, standardize boolean) (
    SFUNC = clientele._kmeans_add, STYPE = float8[], INITCOND = '{}', COMBINEFUNC = clientele._kmeans_combine,
    FINALFUNC = clientele._kmeans_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.kmeans(float8[], int, bigint, boolean) IS
    'As kmeans(features, k), with a seed, and with the features standardised or not. standardize divides each feature by its population '
    'standard deviation, 1 where it is constant.';
CREATE AGGREGATE clientele.kmeans(features float8[], k int, seed bigint, standardize boolean, restarts int) (
    SFUNC = clientele._kmeans_add, STYPE = float8[], INITCOND = '{}', COMBINEFUNC = clientele._kmeans_combine,
    FINALFUNC = clientele._kmeans_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.kmeans(float8[], int, bigint, boolean, int) IS
    'As kmeans(features, k), with a seed, standardised or not, and with so many starts. standardize divides each feature by its '
    'population standard deviation, 1 where it is constant. restarts: 1 to 1,000; with 1 there is a single start on all rows.';
CREATE AGGREGATE clientele.kmeans_candidates(features float8[], max_k int) (
    SFUNC = clientele._kmeans_add, STYPE = float8[], INITCOND = '{}', COMBINEFUNC = clientele._kmeans_combine,
    FINALFUNC = clientele._kmeans_candidates_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.kmeans_candidates(float8[], int) IS
    'Models of 2, 3, ... max_k clusters (fewer where there are fewer distinct rows; max_k: 2 to 50), each as kmeans() gives it, with its '
    'mean silhouette: one is chosen. Of more than 2,000 distinct rows the silhouette is that of a random sample of 2,000. Rows that are '
    'all alike are an error. Rows whose features are NULL or contain NULL are skipped; NULL without rows. Features: arrays of one '
    'length, 1 to 1,000 numbers of magnitude up to 1e150; others, NaN and infinities are errors, and so are settings that are NULL or '
    'change between rows.';
CREATE AGGREGATE clientele.kmeans_candidates(features float8[], max_k int, seed bigint) (
    SFUNC = clientele._kmeans_add, STYPE = float8[], INITCOND = '{}', COMBINEFUNC = clientele._kmeans_combine,
    FINALFUNC = clientele._kmeans_candidates_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.kmeans_candidates(float8[], int, bigint) IS
    'As kmeans_candidates(features, max_k), with further settings as for kmeans().';
CREATE AGGREGATE clientele.kmeans_candidates(features float8[], max_k int, seed bigint, standardize boolean) (
    SFUNC = clientele._kmeans_add, STYPE = float8[], INITCOND = '{}', COMBINEFUNC = clientele._kmeans_combine,
    FINALFUNC = clientele._kmeans_candidates_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.kmeans_candidates(float8[], int, bigint, boolean) IS
    'As kmeans_candidates(features, max_k), with further settings as for kmeans().';
CREATE AGGREGATE clientele.kmeans_candidates(features float8[], max_k int, seed bigint, standardize boolean, restarts int) (
    SFUNC = clientele._kmeans_add, STYPE = float8[], INITCOND = '{}', COMBINEFUNC = clientele._kmeans_combine,
    FINALFUNC = clientele._kmeans_candidates_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.kmeans_candidates(float8[], int, bigint, boolean, int) IS
    'As kmeans_candidates(features, max_k), with further settings as for kmeans().';
CREATE AGGREGATE clientele._kmeans_candidate(features float8[], k int, seed bigint, standardize boolean) (
    SFUNC = clientele._kmeans_add, STYPE = float8[], INITCOND = '{}', COMBINEFUNC = clientele._kmeans_combine,
    FINALFUNC = clientele._kmeans_candidate_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele._kmeans_candidate(float8[], int, bigint, boolean) IS
    'What kmeans() gives for these settings, with its silhouette, as an array of one element.';
CREATE AGGREGATE clientele._kmeans_start(features float8[], k int, seed bigint, standardize boolean) (
    SFUNC = clientele._kmeans_add, STYPE = float8[], INITCOND = '{}', COMBINEFUNC = clientele._kmeans_combine,
    FINALFUNC = clientele._kmeans_start_final, FINALFUNC_MODIFY = READ_ONLY, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele._kmeans_start(float8[], int, bigint, boolean) IS
    'The centroids that kmeans() with the same settings begins its first restart with, if all rows fit into one: for comparisons with '
    'other programs.';

CREATE FUNCTION clientele.nearest_cluster(model clientele.kmeans_model, features float8[]) RETURNS int
    AS 'MODULE_PATHNAME', 'clientele_nearest_cluster' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.nearest_cluster(clientele.kmeans_model, float8[]) IS
    'The number, from 1, of the cluster whose centroid is nearest (in Euclidean distance, standardised where the model is; of equally '
    'near ones the first). NULL where an argument or one of the features is NULL. Features of another number than the model''s, NaN, '
    'magnitudes beyond 1e150 and models that kmeans() cannot have made are errors.';

CREATE FUNCTION clientele._nearest_centroid(centroids float8[], scales float8[], features float8[]) RETURNS int
    AS 'MODULE_PATHNAME', 'clientele_nearest_centroid' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clientele._nearest_centroid(float8[], float8[], float8[]) IS
    'What nearest_cluster() gives for a model with these centroids (k rows) and scales (all 1 where it is not standardised); NULL where '
    'a feature is NULL, NaN or of magnitude beyond 1e150.';

CREATE FUNCTION clientele.log1p(x double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE  -- not STRICT, so that it is inlined
    RETURN CASE WHEN x OPERATOR(pg_catalog.>) '-1'::double precision THEN pg_catalog.ln(1::double precision OPERATOR(pg_catalog.+) x) END;
COMMENT ON FUNCTION clientele.log1p(double precision) IS
    'ln(1 + x), and NULL where there is none (x <= -1) or x is NULL: for skewed features. Unlike ln() it never fails.';
