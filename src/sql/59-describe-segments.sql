-- What segments are like, learned or not, and what they are called.

-- ---- Description ----

-- By which figures segments are described that were not learned.
CREATE FUNCTION clientele._describing_features(OUT expressions text[], OUT labels text[])
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT ROW(pg_catalog.array_agg(f.name OPERATOR(pg_catalog.||) '::double precision' ORDER BY f.place),
        pg_catalog.array_agg(f.name ORDER BY f.place))
            FROM pg_catalog.unnest('{recency_days,tenure_days,orders,total_spent,aov,median_days_between_orders,evening_share,'
                'weekend_share}'::text[]) WITH ORDINALITY AS f(name, place));
COMMENT ON FUNCTION clientele._describing_features() IS 'Internal: the figures by which segments are described that were not learned.';

CREATE TYPE clientele.segment_figures AS (segment text, customers bigint, present bigint[], means double precision[],
    deviations double precision[]);
COMMENT ON TYPE clientele.segment_figures IS 'Internal: features of the customers of a segment; without a segment, of all.';

CREATE FUNCTION clientele._segment_figures(store name, segmentation text, expressions text[]) RETURNS SETOF clientele.segment_figures
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET jit = off
    SET transform_null_equals = off SET standard_conforming_strings = on AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT f.segment, count(*), %1$s, %2$s, %3$s
        FROM (SELECT ARRAY[%4$s]::double precision[] AS x, %5$s AS segment FROM %6$I.customers AS c) AS f
        GROUP BY GROUPING SETS ((f.segment), ())',
        clientele._each_feature('count(*) FILTER (WHERE clientele._is_feature(f.x[{i}]))', cardinality(expressions)),
        clientele._each_feature('avg(f.x[{i}]) FILTER (WHERE clientele._is_feature(f.x[{i}]))', cardinality(expressions)),
        clientele._each_feature('stddev_pop(f.x[{i}]) FILTER (WHERE clientele._is_feature(f.x[{i}]))', cardinality(expressions)),
        array_to_string(expressions, ', '),
        CASE segmentation WHEN 'main' THEN 'c.segment'
            ELSE format('(SELECT s.segment FROM %I._segments(%s) AS s WHERE s.segmentation = $1)', store,
                clientele._segment_arguments(store, 'c')) END,
        store) USING segmentation;
END $$;
COMMENT ON FUNCTION clientele._segment_figures(name, text, text[]) IS
    'Internal: what one pass over the customers tells of each segment, and of all.';

CREATE FUNCTION clientele._distinguishing(labels text[], z double precision[], present bigint[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH features AS (SELECT * FROM ROWS FROM (unnest(labels), unnest(z), unnest(present)) WITH ORDINALITY AS f(label, z, present, place))
    SELECT CASE WHEN count(*) FILTER (WHERE f.present > 0) = 0 THEN 'without ' || string_agg(f.label, ', ' ORDER BY f.place)
        ELSE coalesce((SELECT string_agg(format('%s %s sd %s average', s.label, round(abs(s.z)::numeric, 1),
                           CASE WHEN s.z > 0 THEN 'above' ELSE 'below' END), '; '
                           ORDER BY round(abs(s.z)::numeric, 3) DESC, s.place)
                       FROM (SELECT g.* FROM features AS g WHERE abs(g.z) >= 0.25 ORDER BY round(abs(g.z)::numeric, 3) DESC, g.place
                           LIMIT 3) AS s), 'near the average') END
    FROM features AS f
$$;
COMMENT ON FUNCTION clientele._distinguishing(text[], double precision[], bigint[]) IS
    'Internal: the three features in which a segment is furthest from the average, at least a quarter of a standard deviation.';

CREATE TYPE clientele.segment_description AS (
    segment text, customers bigint, share double precision, centroid jsonb, distinguishing text, proposed_name text,
    previous_share double precision, drift double precision);
COMMENT ON TYPE clientele.segment_description IS 'A row of describe_segments().';

-- Clusters of the model in use by the names that it has for them, none where the segmentation was not learned.
CREATE FUNCTION clientele._learned_model(store name, segmentation text) RETURNS clientele.model_version
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    model clientele.model_version;
BEGIN
    EXECUTE format('SELECT * FROM %1$I.models AS m WHERE m.kind = $1 AND m.in_use AND EXISTS (SELECT FROM %1$I.segment_rules AS r '
        'WHERE r.segmentation = $2 AND clientele._cluster_expression(r.rule) IS NOT NULL)', store)
        INTO model USING 'kmeans:' || segmentation, segmentation;
    RETURN model;
END $$;
COMMENT ON FUNCTION clientele._learned_model(name, text) IS
    'Internal: the model of a learned segmentation; NULLs for one that was not learned, or is gone.';

CREATE FUNCTION clientele.describe_segments(store name, segmentation text DEFAULT 'main') RETURNS SETOF clientele.segment_description
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
    shop name := clientele._resolve_store(store);
    known text[];
    taken text[];
    expressions text[];
    labels text[];
    model clientele.model_version;
    everybody clientele.segment_figures;
    figures clientele.segment_figures;
    described clientele.segment_description;
    z double precision[];
    cluster integer;  -- from 0, as drift counts; NULL: not one of the model's
BEGIN
    PERFORM clientele._require('segmentation', segmentation IS NOT NULL);
    PERFORM clientele._require_readable(shop);
    known := clientele._segment_names(shop, segmentation);
    taken := known[cardinality(known):];
    model := clientele._learned_model(shop, segmentation);
    SELECT * INTO expressions, labels FROM clientele._describing_features();
    IF model.version IS NOT NULL THEN
        SELECT f.expressions, f.labels INTO expressions, labels FROM clientele._model_features(shop, model) AS f;
    END IF;
    FOR figures IN
        SELECT n.name, coalesce(f.customers, 0), coalesce(f.present, array_fill(0, ARRAY[cardinality(labels)])), f.means, f.deviations
        FROM (SELECT NULL AS name, 0 AS place UNION ALL SELECT * FROM unnest(known) WITH ORDINALITY) AS n
        LEFT JOIN clientele._segment_figures(shop, segmentation, expressions) AS f ON f.segment IS NOT DISTINCT FROM n.name ORDER BY n.place
    LOOP
        IF figures.segment IS NULL THEN
            everybody := figures;
            -- Learned segments are compared with the customers that they were learned from: so their names stay true.
            everybody.means := coalesce(clientele._matrix(model.parameters -> 'means'), figures.means);
            everybody.deviations := coalesce(clientele._matrix(model.parameters -> 'deviations'), figures.deviations);
            CONTINUE;
        END IF;
        z := clientele._standard_scores(figures.means, everybody.means, everybody.deviations);
        cluster := array_position(clientele._texts(model.parameters -> 'names'), figures.segment) - 1;
        described.segment := figures.segment;
        described.customers := figures.customers;
        described.share := coalesce(figures.customers::double precision / nullif(everybody.customers, 0), 0);
        described.centroid := (SELECT jsonb_object_agg(labels[i], clientele._significant(figures.means[i]))
            FROM generate_subscripts(labels, 1) AS i WHERE figures.customers > 0);
        described.distinguishing := CASE WHEN figures.customers > 0 THEN clientele._distinguishing(labels, z, figures.present) END;
        described.proposed_name := CASE WHEN 0 < ANY (figures.present) THEN clientele._propose_name(labels, z, taken) END;
        IF model.version IS NOT NULL AND described.proposed_name IS NOT NULL THEN
            taken := taken || described.proposed_name;
        END IF;
        described.previous_share := (CASE WHEN figures.segment = known[cardinality(known)]
            THEN model.diagnostics #>> '{drift,left_out_before}'
            ELSE model.diagnostics #>> ARRAY['drift', 'share_before', cluster::text] END)::double precision;
        described.drift := (model.diagnostics #>> ARRAY['drift', 'moved', cluster::text])::double precision;
        RETURN NEXT described;
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele.describe_segments(name, text) IS
    'A row a segment, by priority, the default one last. share: of all customers that the store shows. centroid: means of the features '
    'of a learned segmentation, else of the profile''s main figures, in their own units; customers without a feature do not count in its '
    'mean. '
    'distinguishing: the three features furthest from the average, in standard deviations: of all customers, or of those that the '
    'segments were learned from. proposed_name: made from these, see rename_segment; unique among learned segments. '
    'previous_share, drift: of learned segments, their share when the version before was learned, and how far the centroid has moved '
    'since then, in standard deviations; NULL where there was none.';

-- ---- Another name ----

CREATE FUNCTION clientele._rename_clusters(store name, segmentation text, former text, segment text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- A version in which another cluster has the new name gives that one the former name: names stay unique.
    EXECUTE format('UPDATE %I.models AS m SET parameters = jsonb_set(m.parameters, ''{names}'',
            (SELECT jsonb_agg(CASE n.name WHEN $2 THEN $3 WHEN $3 THEN $2 ELSE n.name END ORDER BY n.place)
             FROM jsonb_array_elements_text(m.parameters -> ''names'') WITH ORDINALITY AS n(name, place)))
        WHERE m.kind = $1 AND (m.parameters -> ''names'') ? $2', store) USING 'kmeans:' || segmentation, former, segment;
END $$;
COMMENT ON FUNCTION clientele._rename_clusters(name, text, text, text) IS
    'Internal: renames a segment in all versions of its segmentation''s model.';

CREATE FUNCTION clientele._rename_history(store name, segmentation text, former text, segment text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- The lock of a recording: one that has read the former name and not written yet would write it after this.
    PERFORM clientele._lock_history(store);
    EXECUTE format('UPDATE %I.segment_membership SET segment = $3 WHERE segmentation = $1 AND segment = $2', store)
        USING segmentation, former, segment;
    EXECUTE format('UPDATE %I.segment_events SET from_segment = CASE from_segment WHEN $2 THEN $3 ELSE from_segment END,
            to_segment = CASE to_segment WHEN $2 THEN $3 ELSE to_segment END
        WHERE segmentation = $1 AND $2 IN (from_segment, to_segment)', store) USING segmentation, former, segment;
END $$;
COMMENT ON FUNCTION clientele._rename_history(name, text, text, text) IS
    'Internal: renames a segment in the history, and in the events that are still there.';

CREATE FUNCTION clientele.rename_segment(store name, segment text, new_name text, segmentation text DEFAULT 'main') RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known text[];
BEGIN
    PERFORM clientele._lock_rules(store);
    PERFORM clientele._require('segment', segment IS NOT NULL);
    PERFORM clientele._require('new_name', new_name IS NOT NULL);
    PERFORM clientele._require('segmentation', segmentation IS NOT NULL);
    known := clientele._segment_names(store, segmentation);
    IF segment <> ALL (known) THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object',
            MESSAGE = format('segment "%s" does not exist in segmentation "%s"', segment, segmentation),
            HINT = format('Segments there: %s.', clientele._name_list(known, 'none'));
    ELSIF segment = new_name THEN
        RETURN;
    ELSIF new_name = ANY (known) THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_object',
            MESSAGE = format('segment "%s" exists in segmentation "%s"', new_name, segmentation),
            HINT = 'Choose another name.';
    END IF;
    PERFORM clientele._check_name('new_name', new_name, 'Give it a name, such as families.');
    IF segment = known[cardinality(known)] THEN
        PERFORM clientele.set_default_segment(store, new_name, segmentation);
    ELSE
        EXECUTE format('UPDATE %I.segment_rules SET segment = $3 WHERE segmentation = $1 AND segment = $2', store)
            USING segmentation, segment, new_name;
        PERFORM clientele._rename_clusters(store, segmentation, segment, new_name);
        IF segmentation = 'main' THEN
            PERFORM clientele._rename_references(store, segment, new_name);
        END IF;
        PERFORM clientele._regenerate_segments(store);
    END IF;
    PERFORM clientele._rename_history(store, segmentation, segment, new_name);
END $$;
COMMENT ON FUNCTION clientele.rename_segment(name, text, text, text) IS
    'Gives a segment, learned or not, or the default one, another name; owner only. It stays the same segment: contents, offers and '
    'medians follow, its history (segment_membership) too, '
    'and the versions of a learned segmentation''s model, so that it keeps the name when it is learned again or when use_model goes '
    'back. Readers do not wait.';
