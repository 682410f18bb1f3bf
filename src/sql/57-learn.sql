-- Learned segments: clusters of customers alike in some figures, kept as rules like any other.

-- ---- Features ----

CREATE FUNCTION clientele._check_features(store name, features text[], OUT expressions text[], OUT labels text[])
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    most constant integer := 50;
    feature text;
    checked record;
BEGIN
    IF array_ndims(features) IS DISTINCT FROM 1 OR cardinality(features) > most THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = CASE WHEN cardinality(features) > most THEN format('too many features: %s', cardinality(features))
                           ELSE 'features must be a list' END,
            DETAIL = format('From 1 to %s are accepted.', most),
            HINT = 'Name what tells customers apart, such as: ''{recency_days, orders, log1p(total_spent)}''.';
    END IF;
    FOREACH feature IN ARRAY features LOOP
        checked := clientele._check_expression(feature, clientele._customers_view(store), 'feature', false, '{segment}', true);
        IF checked.deparsed = ANY (expressions) THEN
            RAISE EXCEPTION USING ERRCODE = 'duplicate_object',
                MESSAGE = format('feature %s is given twice', checked.shown),
                HINT = 'Name each feature once. One that counts for more can be multiplied, where standardize is false.';
        END IF;
        expressions := expressions || checked.deparsed;
        labels := labels || checked.shown;
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._check_features(name, text[]) IS
    'Internal: checks the features of learned segments; returns them as they are kept, double precision, and as they are shown.';

CREATE TYPE clientele.kept_feature AS (kind text, version integer, place integer, feature double precision);
COMMENT ON TYPE clientele.kept_feature IS 'Internal: a feature of a version of a model; a row of a store''s function _features.';

-- As the server calls things now; of models whose features no function keeps, as they were written when the model was learned.
CREATE FUNCTION clientele._model_features(store name, model clientele.model_version, OUT expressions text[],
    OUT labels text[], OUT kept boolean)
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(k.deparsed ORDER BY k.keys[3]::integer), clientele._texts(model.parameters -> 'expressions')),
        coalesce(array_agg(k.shown ORDER BY k.keys[3]::integer), clientele._texts(model.parameters -> 'labels')), count(*) > 0
    FROM clientele._kept_expressions(clientele._segment_function(store, '_features'), to_regclass(format('%I.customers', store))) AS k
    WHERE k.keys[1] = model.kind AND k.keys[2] = model.version::text
$$;
COMMENT ON FUNCTION clientele._model_features(name, clientele.model_version) IS
    'Internal: the features of a version of a model of learned segments, and how they are shown.';

CREATE FUNCTION clientele._are_understood(store name, features text[]) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._check_features(store, features);
    RETURN true;
EXCEPTION WHEN OTHERS THEN
    RETURN false;
END $$;
COMMENT ON FUNCTION clientele._are_understood(name, text[]) IS 'Internal: whether texts can still be read as features.';

-- Nothing calls this function: it keeps what the versions of learned segments were learned from, as _matches keeps the rules.
CREATE FUNCTION clientele._regenerate_features(store name, parameters text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET transform_null_equals = off SET standard_conforming_strings = on AS $$
DECLARE
    model clientele.model_version;
    former constant regprocedure := clientele._segment_function(store, '_features');
    current record;
    kept text;
BEGIN
    FOR model IN EXECUTE format('SELECT * FROM %I.models AS m WHERE starts_with(m.kind, ''kmeans:'') ORDER BY m.kind, m.version',
        store) LOOP
        current := clientele._model_features(store, model);
        IF current.kept OR clientele._are_understood(store, current.expressions) THEN
            kept := concat_ws(', ', kept, (SELECT string_agg(format('(%L::text, %s, %s, %s)', model.kind, model.version, f.place,
                f.expression), ', ' ORDER BY f.place)
                FROM unnest(current.expressions) WITH ORDINALITY AS f(expression, place)));
        END IF;
    END LOOP;
    IF kept IS NOT NULL THEN
        IF former IS NOT NULL THEN
            EXECUTE format('DROP FUNCTION %s', former);
        END IF;
        EXECUTE format('CREATE FUNCTION %I._features(%s) RETURNS SETOF clientele.kept_feature LANGUAGE sql STABLE PARALLEL SAFE '
            'BEGIN ATOMIC VALUES %s; END', store,
            COALESCE(parameters, clientele._segment_parameters(store)), kept);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._regenerate_features(name, text) IS
    'Internal: writes a store''s function _features anew; versions whose features cannot be understood any more are left out. '
    'parameters: the columns that customers will have; NULL: those that it has.';

CREATE FUNCTION clientele._significant(x double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.to_char(x, '9.99999EEEE')::double precision;
COMMENT ON FUNCTION clientele._significant(double precision) IS
    'Internal: a finite number to six significant digits, which do not depend on the order in which rows were added up.';

CREATE FUNCTION clientele._is_feature(x double precision) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN x OPERATOR(pg_catalog.>=) '-1e150'::double precision AND x OPERATOR(pg_catalog.<=) 1e150::double precision;
COMMENT ON FUNCTION clientele._is_feature(double precision) IS
    'Internal: whether x is a number with which one can compute: not infinite, not NaN, at most 1e150 in size; NULL for NULL.';

-- What one pass over the customers tells of their features: those customers are complete that have all of them.
CREATE TYPE clientele.feature_summary AS (
    customers bigint, present bigint[], complete bigint, means double precision[], deviations double precision[],
    minima double precision[], maxima double precision[], skewness double precision[], different bigint,
    data_from timestamptz, data_to timestamptz);
COMMENT ON TYPE clientele.feature_summary IS
    'Internal: features of a store''s customers. present: customers who have a feature, by feature; complete: who have all; the figures '
    'are theirs. different: distinct points, at most 51.';

CREATE FUNCTION clientele._each_feature(expression text, count integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT pg_catalog.format('ARRAY[%s]',
                pg_catalog.string_agg(clientele._fill(expression, 'i', i::text), ', ' ORDER BY i))
            FROM pg_catalog.generate_series(1, count) AS i);
COMMENT ON FUNCTION clientele._each_feature(text, integer) IS
    'Internal: an array of the same expression for every feature, whose number stands for {i}.';

CREATE FUNCTION clientele._feature_tables(store name, expressions text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.format('features AS MATERIALIZED (
            SELECT ARRAY[%s]::double precision[] AS x, c.first_order_at, c.last_order_at FROM %I.customers AS c
        ), complete AS NOT MATERIALIZED (
            SELECT f.* FROM features AS f WHERE clientele._are_features(f.x))', pg_catalog.array_to_string(expressions, ', '), store);
COMMENT ON FUNCTION clientele._feature_tables(name, text[]) IS
    'Internal: for WITH: the features of all customers that a store shows now, and of those who have all.';

CREATE FUNCTION clientele._are_features(x double precision[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN 1e150::double precision OPERATOR(pg_catalog.>=) ALL (x) AND '-1e150'::double precision OPERATOR(pg_catalog.<=) ALL (x);
COMMENT ON FUNCTION clientele._are_features(double precision[]) IS
    'Internal: whether all of x are numbers with which one can compute: not NULL, not infinite, not NaN, at most 1e150 in size; NULL or '
    'false otherwise.';

CREATE FUNCTION clientele._cubed_score(value double precision, mean double precision, deviation double precision) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_cubed_score' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._cubed_score(double precision, double precision, double precision) IS
    'Internal: the cube of how many deviations a value is above the mean; the mean of these is the skewness.';

CREATE FUNCTION clientele._summarise_features(store name, expressions text[]) RETURNS clientele.feature_summary
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off
    SET transform_null_equals = off SET standard_conforming_strings = on AS $$
DECLARE
    count integer := cardinality(expressions);
    summary clientele.feature_summary;
BEGIN
    EXECUTE format($q$
        WITH %1$s, moments AS MATERIALIZED (
            SELECT count(*) AS complete, %2$s AS means, %3$s AS deviations, %4$s AS minima, %5$s AS maxima,
                min(f.first_order_at) AS data_from, max(f.last_order_at) AS data_to FROM complete AS f)
        SELECT p.customers, p.present, m.complete, m.means, m.deviations, m.minima, m.maxima,
            (SELECT %6$s FROM complete AS f),
            -- Distinct points are counted among 1,000 customers first, which mostly shows that there are more than 50.
            (SELECT CASE WHEN n.some > 50 THEN n.some ELSE (SELECT count(*) FROM (SELECT DISTINCT f.x FROM complete AS f LIMIT 51) AS d) END
             FROM (SELECT count(*) AS some FROM (SELECT DISTINCT s.x FROM (SELECT f.x FROM complete AS f LIMIT 1000) AS s
                 LIMIT 51) AS d) AS n),
            m.data_from, m.data_to
        FROM moments AS m, (SELECT count(*) AS customers, %7$s AS present FROM features AS f) AS p
        $q$, clientele._feature_tables(store, expressions),
        clientele._each_feature('avg(f.x[{i}])', count), clientele._each_feature('stddev_pop(f.x[{i}])', count),
        clientele._each_feature('min(f.x[{i}])', count), clientele._each_feature('max(f.x[{i}])', count),
        clientele._each_feature('avg(clientele._cubed_score(f.x[{i}], m.means[{i}], m.deviations[{i}]))', count),
        clientele._each_feature('count(*) FILTER (WHERE clientele._is_feature(f.x[{i}]))', count)) INTO summary;
    RETURN summary;
END $$;
COMMENT ON FUNCTION clientele._summarise_features(name, text[]) IS
    'Internal: features of all customers that a store shows now. Fails where row-level security would hide some of them.';

-- Where a feature fails for a customer, says which one.
CREATE FUNCTION clientele._read_features(store name, expressions text[], labels text[]) RETURNS clientele.feature_summary
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    problem text;
    state text;
    failing text;
BEGIN
    RETURN clientele._summarise_features(store, expressions);
EXCEPTION WHEN data_exception THEN
    GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
    FOR place IN 1 .. cardinality(expressions) LOOP
        BEGIN
            PERFORM clientele._summarise_features(store, expressions[place:place]);
        EXCEPTION WHEN data_exception THEN
            GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
            failing := ' ' || labels[place];
            EXIT;
        END;
    END LOOP;
    RAISE EXCEPTION USING ERRCODE = state,
        MESSAGE = format('feature%s cannot be computed for every customer: %s', failing, problem),
        HINT = 'Guard it: as with x / nullif(y, 0) or sqrt(greatest(x, 0)), or log1p(x) for a logarithm, which never fails.';
END $$;
COMMENT ON FUNCTION clientele._read_features(name, text[], text[]) IS 'Internal: the features of all customers; one that fails is named.';

CREATE FUNCTION clientele._is_skewed(mean double precision, deviation double precision, minimum double precision,
    maximum double precision, skewness double precision) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clientele_is_skewed' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._is_skewed(double precision, double precision, double precision, double precision, double precision) IS
    'Internal: whether a few customers are so far above all others in a feature that its logarithm should be taken instead.';

CREATE FUNCTION clientele._check_summary(store name, summary clientele.feature_summary, labels text[], k integer) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (summary).complete < 2 THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('segments cannot be learned from %s',
                CASE (summary).complete WHEN 1 THEN 'one customer' ELSE 'no customers' END),
            DETAIL = format('Customers in the store: %s; with a number: %s.', (summary).customers,
                (SELECT string_agg(format('%s for %s', (summary).present[i], labels[i]), ', ' ORDER BY i)
                    FROM generate_subscripts(labels, 1) AS i)),
            HINT = CASE WHEN (clientele._settings(store)).fresh_to IS NULL
                THEN format('The store was never refreshed: CALL clientele.refresh(%L).', store)
                        ELSE 'A customer counts who has all features: leave out those that most do not have, '
                            'or say what unknown means, as with coalesce(x, 0).' END;
    END IF;
    FOR place IN 1 .. cardinality(labels) LOOP
        IF (summary).minima[place] = (summary).maxima[place] THEN
            RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
                MESSAGE = format('feature %s tells no customers apart', labels[place]),
                DETAIL = format('It is %s for all %s customers who have all features.', (summary).minima[place], (summary).complete),
                HINT = 'Leave it out.';
        END IF;
        IF clientele._is_skewed((summary).means[place], (summary).deviations[place], (summary).minima[place], (summary).maxima[place],
                (summary).skewness[place]) THEN
            RAISE NOTICE USING MESSAGE = format('feature %s is skewed: a few customers are far above all others', labels[place]),
                DETAIL = format('Its skewness is %s.', clientele._significant((summary).skewness[place])),
                HINT = format('They will make clusters of their own. Consider log1p(%s).', labels[place]);
        END IF;
    END LOOP;
    IF k > (summary).different THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('there are not %s clusters of customers', k),
            DETAIL = format('The %s customers have %s different combinations of features.', (summary).complete, (summary).different),
            HINT = CASE WHEN (summary).different = 2 THEN 'Choose k = 2, or name more features.'
                        ELSE format('Choose k from 2 to %s, or name more features.', (summary).different) END;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_summary(name, clientele.feature_summary, text[], integer) IS
    'Internal: refuses features from which nothing, or not so many clusters, can be learned; says which ones are skewed.';

-- ---- Names ----

CREATE FUNCTION clientele._short_feature(label text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    -- Logarithms and roots grow with their argument, so its name says what is high or low.
    RETURN pg_catalog."left"(COALESCE(pg_catalog.substring(label,
        '^(?:ln|log|log10|log1p|sqrt|cbrt)[(](?:1(?:::[a-z ]+)? [+] )?'
        '([a-z_][a-z0-9_]*)(?:::[a-z ]+)?(?: [+] 1(?:::[a-z ]+)?)?[)]$'::text), label), 40);
COMMENT ON FUNCTION clientele._short_feature(text) IS
    'Internal: what a feature is called in a name: total_spent for log1p(total_spent) or ln(1 + total_spent).';

CREATE FUNCTION clientele._feature_phrase(label text, z double precision) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN clientele._short_feature(label) OPERATOR(pg_catalog.=) 'recency_days' AND z OPERATOR(pg_catalog.>) 0::double precision
        THEN
            CASE WHEN z OPERATOR(pg_catalog.>=) 2::double precision THEN 'long lapsed' ELSE 'lapsed' END
        ELSE (CASE WHEN pg_catalog.abs(z) OPERATOR(pg_catalog.>=) 2::double precision THEN 'very ' ELSE '' END) OPERATOR(pg_catalog.||)
            CASE WHEN clientele._short_feature(label) OPERATOR(pg_catalog.=) 'recency_days' THEN 'recent'
                 WHEN clientele._short_feature(label) OPERATOR(pg_catalog.=) 'tenure_days' AND z OPERATOR(pg_catalog.<) 0::double precision
                     THEN 'new'
                 ELSE (CASE WHEN z OPERATOR(pg_catalog.>) 0::double precision THEN 'high ' ELSE 'low ' END)
                     OPERATOR(pg_catalog.||) clientele._short_feature(label) END END;
COMMENT ON FUNCTION clientele._feature_phrase(text, double precision) IS
    'Internal: what it is called to be z standard deviations above (or, where negative, below) the average in a feature.';

-- The features by which a group of customers differs most, strongest first.
CREATE FUNCTION clientele._feature_phrases(labels text[], z double precision[], threshold double precision) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT pg_catalog.array_agg(clientele._feature_phrase(f.label, f.z)
        ORDER BY pg_catalog.round(pg_catalog.abs(f.z)::numeric, 3) DESC, f.place)
            FROM ROWS FROM (pg_catalog.unnest(labels), pg_catalog.unnest(z)) WITH ORDINALITY AS f(label, z, place)
            WHERE pg_catalog.abs(f.z) OPERATOR(pg_catalog.>=) threshold);
COMMENT ON FUNCTION clientele._feature_phrases(text[], double precision[], double precision) IS
    'Internal: what sets a group apart, strongest first; z: its distances from the average in standard deviations, of which those below '
    'the threshold are left out.';

-- Two features as a rule; more of them, and then a number, where that is what it takes to be unique.
CREATE FUNCTION clientele._propose_name(labels text[], z double precision[], taken text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    phrases text[] := coalesce(clientele._feature_phrases(labels, z, 0.5::double precision),
        (clientele._feature_phrases(labels, z, 0.25::double precision))[1:1], '{typical}');
    proposed text;
BEGIN
    FOR length IN 2 .. 4 LOOP
        proposed := array_to_string(phrases[1:length], ', ');
        IF array_position(taken, proposed) IS NULL THEN
            RETURN proposed;
        END IF;
    END LOOP;
    FOR length IN 2 .. 1000 LOOP
        proposed := array_to_string(phrases[1:2], ', ') || ' ' || length;
        EXIT WHEN array_position(taken, proposed) IS NULL;
    END LOOP;
    RETURN proposed;
END $$;
COMMENT ON FUNCTION clientele._propose_name(text[], double precision[], text[]) IS
    'Internal: a short name for a group of customers by what sets it apart, other than those that are taken.';

-- ---- Clusters ----

CREATE FUNCTION clientele._matrix(numbers jsonb) RETURNS double precision[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN pg_catalog.translate(numbers::text, '[]', '{}')::double precision[];
COMMENT ON FUNCTION clientele._matrix(jsonb) IS 'Internal: nested arrays of numbers as an array.';

CREATE FUNCTION clientele._texts(list jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT pg_catalog.array_agg(t.value ORDER BY t.place)
        FROM pg_catalog.jsonb_array_elements_text(list) WITH ORDINALITY AS t(value, place));
COMMENT ON FUNCTION clientele._texts(jsonb) IS 'Internal: an array of strings as text[].';

CREATE FUNCTION clientele._standard_scores(x double precision[], means double precision[], deviations double precision[])
    RETURNS double precision[]
    AS 'MODULE_PATHNAME', 'clientele_standard_scores' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._standard_scores(double precision[], double precision[], double precision[]) IS
    'Internal: by feature, how many standard deviations x is above the mean, or, negative, below it; NULL where something is unknown or '
    'the deviation is 0.';

CREATE FUNCTION clientele._moved(a double precision[], i integer, b double precision[], j integer, deviations double precision[])
    RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_standard_distance' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._moved(double precision[], integer, double precision[], integer, double precision[]) IS
    'Internal: the distance between row i of a and row j of b in standard deviations; NULL where there are no such rows.';

CREATE FUNCTION clientele._match_centroids(centroids double precision[], former double precision[], deviations double precision[])
    RETURNS integer[]
    AS 'MODULE_PATHNAME', 'clientele_match_centroids' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._match_centroids(double precision[], double precision[], double precision[]) IS
    'Internal: for each centroid the number of the former one that it continues, nearest pairs first and each centroid once; NULL for '
    'those beyond the former ones.';

CREATE FUNCTION clientele._refuse_own_rules(store name, segmentation text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    own text[];
BEGIN
    EXECUTE format('SELECT array_agg(r.segment ORDER BY r.priority) FROM %I.segment_rules AS r '
        'WHERE r.segmentation = $1 AND clientele._cluster_expression(r.rule) IS NULL', store) INTO own USING segmentation;
    IF own IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('segmentation "%s" has segments that were defined by rules', segmentation),
            DETAIL = format('They are: %s.', clientele._name_list(own, 'none')),
            HINT = 'Choose another segmentation for the learned segments, or drop these segments first.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._refuse_own_rules(name, text) IS 'Internal: learned segments do not replace rules that somebody wrote.';

CREATE FUNCTION clientele._refuse_vanishing(store name, segmentation text, names text[]) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    vanishing text;
    used_by text;
BEGIN
    IF segmentation <> 'main' THEN
        RETURN;
    END IF;
    FOR vanishing IN EXECUTE format('SELECT r.segment FROM %I.segment_rules AS r WHERE r.segmentation = $1 AND r.segment <> ALL ($2) '
            'ORDER BY r.priority', store) USING segmentation, names LOOP
        used_by := clientele._segment_references(store, vanishing);
        IF used_by IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist',
                MESSAGE = format('segment "%s" would be gone, but others refer to it', vanishing),
                DETAIL = format('It is used by %s. The segments would be: %s.', used_by, clientele._name_list(names, 'none')),
                HINT = 'Drop or redefine these first, or learn as many clusters from the same features as before.';
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._refuse_vanishing(name, text, text[]) IS
    'Internal: a segment that a content or an offer refers to does not go by itself.';

-- The names keep their places, descriptions and flags.
CREATE FUNCTION clientele._use_clusters(store name, segmentation text, parameters jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
    names text[] := clientele._texts(parameters -> 'names');
    expressions text[] := clientele._texts(parameters -> 'expressions');
    centroids double precision[] := clientele._matrix(parameters -> 'centroids');
    scales double precision[] := clientele._matrix(parameters -> 'scales');
    expression text := format('clientele._nearest_centroid(%L::double precision[], %L::double precision[], ARRAY[%s])', centroids, scales,
        array_to_string(expressions, ', '));
    priorities integer[];
    descriptions text[];
    sensitive boolean[];
    checked record;
BEGIN
    -- A row of the table models may have been written by hand: it is refused here rather than at every reader's next query.
    IF num_nulls(names, expressions, centroids, scales) > 0 OR cardinality(names) <> array_length(centroids, 1)
            OR (SELECT count(DISTINCT n) FROM unnest(names) AS n WHERE btrim(n) <> '') <> cardinality(names)
            OR clientele._nearest_centroid(centroids, scales, array_fill(0::double precision, ARRAY[cardinality(expressions)])) IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('the model is not one of learned segments for segmentation "%s"', segmentation),
                HINT = 'learn_segments makes them.';
    END IF;
    PERFORM clientele._refresh_rules(store);
    PERFORM clientele._refuse_own_rules(store, segmentation);
    PERFORM clientele._refuse_vanishing(store, segmentation, names);
    PERFORM clientele._begin_segmentation(store, segmentation);
    EXECUTE format('SELECT array_agg(r.description ORDER BY n.place), array_agg(COALESCE(r.sensitive, false) ORDER BY n.place),
            array_agg(n.rank::integer * 10 ORDER BY n.place)
        FROM (SELECT u.name, u.place, row_number() OVER (ORDER BY o.priority NULLS LAST, u.place) AS rank
              FROM unnest($2) WITH ORDINALITY AS u(name, place) LEFT JOIN %1$I.segment_rules AS o ON o.segmentation = $1
                  AND o.segment = u.name) AS n
        LEFT JOIN %1$I.segment_rules AS r ON r.segmentation = $1 AND r.segment = n.name', store)
        INTO descriptions, sensitive, priorities USING segmentation, names;
    EXECUTE format('DELETE FROM %I.segment_rules WHERE segmentation = $1', store) USING segmentation;
    FOR place IN 1 .. cardinality(names) LOOP
        PERFORM clientele._refuse_taken_name(store, names[place], segmentation);
        checked := clientele._check_expression(expression || ' = ' || place, clientele._customers_view(store), 'segment rule',
            false, '{segment}');
        PERFORM clientele._refuse_margins(store, segmentation, names[place], checked.columns);
        EXECUTE format('INSERT INTO %I.segment_rules (segmentation, segment, priority, rule, operands, description, sensitive, body) '
            'VALUES ($1, $2, $3, $4, $5, $6, $7, $8)', store)
            USING segmentation, names[place], priorities[place], checked.deparsed, checked.operands, descriptions[place],
                sensitive[place], checked.body;
    END LOOP;
    PERFORM clientele._regenerate_segments(store);
    PERFORM clientele._regenerate_features(store);
END $$;
COMMENT ON FUNCTION clientele._use_clusters(name, text, jsonb) IS
    'Internal: makes a segmentation of a version of its model: one rule a cluster. The caller holds the lock of _lock_store().';

-- ---- Learning ----

CREATE TYPE clientele.cluster_candidate AS (k integer, silhouette double precision, inertia double precision, chosen boolean);
COMMENT ON TYPE clientele.cluster_candidate IS 'A row of learn_segments(): how well that many clusters fit.';

CREATE FUNCTION clientele._learned_names(store name, segmentation text, labels text[], centroids double precision[],
    matched integer[], former jsonb,
        means double precision[], deviations double precision[]) RETURNS text[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    former_names text[] := clientele._texts(former -> 'names');
    names text[] := ARRAY(SELECT former_names[m.number] FROM unnest(matched) WITH ORDINALITY AS m(number, place) ORDER BY m.place);
    taken text[];
BEGIN
    EXECUTE format('SELECT array_agg(g.default_segment) FROM %I.segmentations AS g WHERE g.segmentation = $1', store) INTO taken
        USING segmentation;
    taken := coalesce(taken, '{default}') || names;
    FOR cluster IN 1 .. cardinality(matched) LOOP
        IF names[cluster] IS NULL THEN
            names[cluster] := clientele._propose_name(labels, clientele._standard_scores(
                ARRAY(SELECT centroids[cluster][f] FROM generate_subscripts(labels, 1) AS f ORDER BY f), means, deviations), taken);
            taken := taken || names[cluster];
        END IF;
    END LOOP;
    RETURN names;
END $$;
COMMENT ON FUNCTION clientele._learned_names(name, text, text[], double precision[], integer[], jsonb, double precision[],
    double precision[]) IS
    'Internal: the names of clusters: those of the former clusters that they continue, and proposed ones for the others.';

-- What the model in use says, where its clusters can be compared with new ones: it has the same features.
CREATE FUNCTION clientele._former_clusters(store name, segmentation text, expressions text[]) RETURNS clientele.model_version
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    former clientele.model_version;
BEGIN
    EXECUTE format('SELECT * FROM %1$I.models AS m WHERE m.kind = $1 AND m.in_use
        AND (clientele._model_features(%1$L, ROW(m.*)::clientele.model_version)).expressions = $2
        AND EXISTS (SELECT FROM %1$I.segment_rules AS r WHERE r.segmentation = $3)', store)
        INTO former USING 'kmeans:' || segmentation, expressions, segmentation;
    RETURN former;
END $$;
COMMENT ON FUNCTION clientele._former_clusters(name, text, text[]) IS
    'Internal: the version that a refit continues; NULLs where there is none.';

CREATE FUNCTION clientele._drift(former clientele.model_version, model clientele.kmeans_model, matched integer[],
    deviations double precision[],
        left_out bigint) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH before AS (
        SELECT clientele._matrix((former).parameters -> 'centroids') AS centroids, (former).diagnostics -> 'sizes' AS sizes,
            (former).customers + ((former).diagnostics -> 'left_out')::bigint AS customers
    ), after AS (
        SELECT m.cluster::integer AS cluster, m.former,
            (model).sizes[m.cluster]::double precision / ((SELECT sum(s) FROM unnest((model).sizes) AS s) + left_out) AS share,
            (b.sizes -> (m.former - 1))::bigint::double precision / b.customers AS share_before,
                clientele._moved((model).centroids, m.cluster::integer, b.centroids, m.former, deviations) AS moved
        FROM before AS b, unnest(matched) WITH ORDINALITY AS m(former, cluster))
    SELECT CASE WHEN (former).version IS NOT NULL THEN jsonb_build_object('since_version', (former).version,
        'moved', (SELECT jsonb_agg(clientele._significant(a.moved) ORDER BY a.cluster) FROM after AS a),
        'share_before', (SELECT jsonb_agg(a.share_before ORDER BY a.cluster) FROM after AS a),
        'share_after', (SELECT jsonb_agg(a.share ORDER BY a.cluster) FROM after AS a),
        'left_out_before', (SELECT ((former).diagnostics -> 'left_out')::double precision / b.customers FROM before AS b),
        'gone', (SELECT coalesce(jsonb_agg(n.name ORDER BY n.place), '[]')
            FROM unnest(clientele._texts((former).parameters -> 'names')) WITH ORDINALITY AS n(name, place)
                 WHERE n.place <> ALL (array_remove(matched, NULL)))) END
$$;
COMMENT ON FUNCTION clientele._drift(clientele.model_version, clientele.kmeans_model, integer[], double precision[], bigint) IS
    'Internal: by cluster, how far it moved since the version before, in standard deviations, and its share of the customers before and '
    'after; NULL for new ones.';

CREATE FUNCTION clientele._feature_diagnostics(labels text[], summary clientele.feature_summary) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_agg(jsonb_build_object('feature', f.label, 'customers', (summary).present[f.place], 'mean',
        clientele._significant((summary).means[f.place]),
            'deviation', clientele._significant((summary).deviations[f.place]), 'minimum', (summary).minima[f.place], 'maximum',
                (summary).maxima[f.place],
            'skewness', clientele._significant((summary).skewness[f.place])) ORDER BY f.place)
    FROM unnest(labels) WITH ORDINALITY AS f(label, place)
$$;
COMMENT ON FUNCTION clientele._feature_diagnostics(text[], clientele.feature_summary) IS
    'Internal: what a model keeps of its features'' distributions.';

CREATE FUNCTION clientele._check_learn_arguments(segmentation text, k integer, max_k integer) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    most constant integer := 50;
    out_of_range text;
BEGIN
    PERFORM clientele._require('segmentation', segmentation IS NOT NULL);
    PERFORM clientele._check_name('segmentation', segmentation, 'Give it a name, such as learned.');
    out_of_range := CASE WHEN k NOT BETWEEN 2 AND most THEN format('k is %s', k)
        WHEN max_k NOT BETWEEN 2 AND most THEN format('max_k is %s', max_k) END;
    IF out_of_range IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'the number of clusters is out of range',
            DETAIL = out_of_range || '.',
            HINT = format('Choose from 2 to %s; without k the best of 2 to max_k is taken.', most);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_learn_arguments(text, integer, integer) IS
    'Internal: refuses arguments of learn_segments() that make no sense.';

-- A refit without features is one of the model in use: what is not given stays.
CREATE FUNCTION clientele._learn_settings(store name, segmentation text, max_k integer, INOUT features text[],
    INOUT k integer, INOUT seed bigint,
        INOUT standardize boolean)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    model clientele.model_version;
    former jsonb;
    current record;
BEGIN
    IF features IS NULL THEN
        EXECUTE format('SELECT * FROM %I.models AS m WHERE m.kind = $1 AND m.in_use', store) INTO model USING 'kmeans:' || segmentation;
        former := model.parameters;
        current := clientele._model_features(store, model);
        -- As they were written, unless something in them has another name now.
        features := CASE WHEN current.expressions = clientele._texts(former -> 'expressions') THEN clientele._texts(former -> 'features')
            ELSE current.expressions END;
        IF features IS NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
                MESSAGE = format('features must be given: segmentation "%s" was never learned', segmentation),
                HINT = 'Name what tells customers apart, such as: ''{recency_days, orders, log1p(total_spent)}''.';
        END IF;
        k := coalesce(k, CASE WHEN max_k IS NULL THEN jsonb_array_length(former -> 'centroids') END);
    END IF;
    seed := coalesce(seed, (former -> 'seed')::bigint, 0);
    standardize := coalesce(standardize, (former -> 'standardize')::boolean, true);
END $$;
COMMENT ON FUNCTION clientele._learn_settings(name, text, integer, text[], integer, bigint, boolean) IS
    'Internal: what learn_segments() goes by: what it is given, else, without features, what the model in use was learned with.';

-- STABLE, so that all of it is computed from the same customers.
CREATE FUNCTION clientele._find_clusters(store name, expressions text[], labels text[], k integer, max_k integer, seed bigint,
    standardize boolean,
        OUT summary clientele.feature_summary, OUT candidates clientele.cluster_candidate[], OUT model clientele.kmeans_model)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off
    SET transform_null_equals = off SET standard_conforming_strings = on AS $$
DECLARE
    found record;
BEGIN
    summary := clientele._read_features(store, expressions, labels);
    PERFORM clientele._check_summary(store, summary, labels, k);
    EXECUTE format($q$
        WITH %s, candidates AS MATERIALIZED (
            SELECT c.* FROM unnest(CASE WHEN $1 IS NULL THEN (SELECT clientele.kmeans_candidates(f.x, $2, $3, $4) FROM complete AS f)
                                   ELSE (SELECT clientele._kmeans_candidate(f.x, $1, $3, $4) FROM complete AS f) END) AS c)
        SELECT (SELECT array_agg(ROW(c.k, c.silhouette, c.inertia, c.chosen)::clientele.cluster_candidate ORDER BY c.k)
            FROM candidates AS c) AS candidates,
            (SELECT c.model FROM candidates AS c WHERE c.chosen) AS model
        $q$, clientele._feature_tables(store, expressions)) INTO found USING k, max_k, seed, standardize;
    candidates := found.candidates;
    model := found.model;
END $$;
COMMENT ON FUNCTION clientele._find_clusters(name, text[], text[], integer, integer, bigint, boolean) IS
    'Internal: the clusters of the customers that a store shows now. Fails where row-level security would hide some of them.';

-- What takes long comes first: the store is locked, against other definers alone, when there is something to write.
CREATE FUNCTION clientele.learn_segments(store name, segmentation text, features text[] DEFAULT NULL, k integer DEFAULT NULL,
    seed bigint DEFAULT NULL,
        standardize boolean DEFAULT NULL, max_k integer DEFAULT NULL) RETURNS SETOF clientele.cluster_candidate
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings record;
    checked record;
    found record;
BEGIN
    PERFORM clientele._check_learn_arguments(segmentation, k, max_k);
    PERFORM clientele._require_owner(store);
    PERFORM clientele._refuse_own_rules(store, segmentation);
    settings := clientele._learn_settings(store, segmentation, max_k, features, k, seed, standardize);
    checked := clientele._check_features(store, settings.features);
    found := clientele._find_clusters(store, checked.expressions, checked.labels, settings.k, coalesce(max_k, 10), settings.seed,
        settings.standardize);
    PERFORM clientele._lock_store(store);
    PERFORM clientele._keep_clusters(store, segmentation, settings.features, checked.expressions, checked.labels, settings.seed,
        settings.standardize,
        found.summary, found.model, found.candidates);
    RETURN QUERY SELECT c.* FROM unnest(found.candidates) AS c;
END $$;
COMMENT ON FUNCTION clientele.learn_segments(name, text, text[], integer, bigint, boolean, integer) IS
    'Learns segments from the customers that a store shows now, by k-means, and makes a segmentation of them; owner only. features: 1 to '
    '50 numeric expressions over the columns of the view customers but segment, checked as rules are. '
    'k: clusters, 2 to 50; NULL: the one of 2 to max_k (NULL: 10) with the greatest mean silhouette. seed (NULL: 0): the same seed and '
    'customers give the same clusters. standardize (NULL: true): features count alike whatever their units. '
    'Without features those of the model in use are learned again; then k (unless max_k is given), seed and standardize are that '
    'model''s, too, where they are NULL. '
    'Returns what was tried: k, silhouette (-1 to 1, higher is better), inertia (sum of squared distances), chosen. Customers without a '
    'finite number for each feature are left out, and stay in the default segment. '
    'The model is kept as a version of kind kmeans:SEGMENTATION (see models, use_model). Clusters learned again from the same features '
    'keep the names of the nearest former ones. '
    'Refused: a segmentation with rules that were not learned, one that was never learned where features is NULL, features that are the '
    'same for everybody, more clusters than different customers. Readers do not wait.';

CREATE FUNCTION clientele._keep_clusters(store name, segmentation text, features text[], expressions text[], labels text[], seed bigint,
    standardize boolean,
        summary clientele.feature_summary, model clientele.kmeans_model, candidates clientele.cluster_candidate[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
    -- Where they were computed here, in SQL, they are rounded: their last digits depend on the order of the rows.
    means double precision[] := coalesce((model).means,
        ARRAY(SELECT clientele._significant(m) FROM unnest((summary).means) WITH ORDINALITY AS u(m, place) ORDER BY place));
    deviations double precision[] := coalesce((model).scales,
        ARRAY(SELECT clientele._significant(s) FROM unnest((summary).deviations) WITH ORDINALITY AS u(s, place) ORDER BY place));
    former clientele.model_version := clientele._former_clusters(store, segmentation, expressions);
    matched integer[] := clientele._match_centroids((model).centroids, clientele._matrix((former).parameters -> 'centroids'), deviations);
    left_out bigint := (summary).customers - (summary).complete;
BEGIN
    PERFORM clientele._add_model(store, 'kmeans:' || segmentation,
        jsonb_build_object('features', features, 'expressions', expressions, 'labels', labels, 'standardize', standardize, 'seed', seed,
            'centroids', (model).centroids, 'scales',
                coalesce((model).scales, array_fill(1::double precision, ARRAY[cardinality(features)])),
            'means', means, 'deviations', deviations,
            'names', clientele._learned_names(store, segmentation, labels, (model).centroids, matched, (former).parameters,
                means, deviations)),
        (summary).data_from, (summary).data_to, (summary).complete,
        jsonb_build_object('candidates', to_jsonb(candidates), 'inertia', (model).inertia, 'sizes', (model).sizes, 'iterations',
            (model).iterations,
            'converged', (model).converged, 'left_out', left_out, 'features', clientele._feature_diagnostics(labels, summary),
            'drift', clientele._drift(former, model, matched, deviations, left_out)));
    IF left_out > 0 THEN
        RAISE NOTICE USING MESSAGE = format('customers left out for want of a feature: %s of %s', left_out, (summary).customers),
            HINT = 'They are in the default segment.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._keep_clusters(name, text, text[], text[], text[], bigint, boolean, clientele.feature_summary,
    clientele.kmeans_model, clientele.cluster_candidate[]) IS
    'Internal: names the clusters, and adds the model, which makes the segmentation. The caller holds the lock of _lock_store().';
