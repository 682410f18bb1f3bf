-- Definitions as code: a store's definitions as one document.

-- ---- Export ----

CREATE FUNCTION clientele._definitions_format() RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 1;
COMMENT ON FUNCTION clientele._definitions_format() IS
    'The format of the documents that export_definitions() writes, and the highest that apply_definitions() reads.';

CREATE FUNCTION clientele.export_definitions(store name) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1 AS $$
BEGIN
    PERFORM clientele._require_store(store);
    RETURN jsonb_build_object('format', clientele._definitions_format(),
        'global_holdout', (clientele._settings(store)).global_holdout,
        'rfm_breaks', clientele._export_breaks(store),
        'margins', clientele._export_margins(store),
        'contact_limit', (clientele._settings(store)).options -> 'contact_limit',
        'consent', clientele._consent_of(store, ''),
        'segmentations', clientele._export_segmentations(store),
        'contents', clientele._export_contents(store),
        'programs', clientele._export_programs(store));
END $$;
COMMENT ON FUNCTION clientele.export_definitions(name) IS
    'What a store''s owner has defined, as one document for apply_definitions(): segmentations with their default segments and rules, '
    'contents, programs, RFM breaks that were set by hand, margins that differ, holdouts, the contact limit, consents. '
    'Of learned segments it is what they were learned from, not the model. The same definitions give the same text: jsonb_pretty() of '
    'it is what to keep in version control. '
    'For everybody who may read the store''s tables.';

CREATE FUNCTION clientele._export_margins(store name) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._plain_numbers(nullif(jsonb_strip_nulls(jsonb_build_object(
        'by_category', m.margins -> 'margin_by_category', 'by_segment', m.margins -> 'margin_by_segment')), '{}'))
    FROM clientele._differing_margins(clientele._settings(store)) AS m (margins)
$$;
COMMENT ON FUNCTION clientele._export_margins(name) IS 'Internal: the margins that differ; NULL where there are none.';

CREATE FUNCTION clientele._export_breaks(store name) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
    breaks jsonb;
BEGIN
    EXECUTE format('SELECT jsonb_build_object(''r'', s.breaks_r, ''f'', s.breaks_f, ''m'', s.breaks_m)
        FROM %I.scoring AS s WHERE s.breaks_set', store) INTO breaks;
    RETURN breaks;
END $$;
COMMENT ON FUNCTION clientele._export_breaks(name) IS 'Internal: the RFM breaks that were set by hand; NULL where they are the quintiles.';

-- What cannot be understood any more is exported as it was written.
CREATE FUNCTION clientele._export_segmentations(store name) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    segmentations jsonb;
BEGIN
    EXECUTE format($q$
        WITH rules AS (
            SELECT r.segmentation, r.segment, r.priority, coalesce(k.rule, r.rule) AS rule, r.description, r.sensitive
            FROM %1$I.segment_rules AS r
            LEFT JOIN clientele._kept_rules(%1$L) AS k ON k.segmentation = r.segmentation AND k.segment = r.segment
        ), clustered AS MATERIALIZED (
            SELECT DISTINCT r.segmentation FROM rules AS r JOIN %1$I.models AS m ON m.kind = 'kmeans:' || r.segmentation AND m.in_use
            WHERE clientele._cluster_expression(r.rule) IS NOT NULL
        ), learned AS (
            SELECT c.segmentation, to_jsonb(l) AS definition
            FROM clustered AS c CROSS JOIN LATERAL clientele._learn_settings(%1$L, c.segmentation, NULL, NULL, NULL, NULL, NULL) AS l
        ), segments AS (
            SELECT r.segmentation, jsonb_agg(jsonb_strip_nulls(to_jsonb(r) - 'segmentation') ORDER BY r.priority) AS segments
            FROM rules AS r
            WHERE clientele._cluster_expression(r.rule) IS NULL OR r.segmentation NOT IN (SELECT l.segmentation FROM learned AS l)
            GROUP BY r.segmentation)
        SELECT jsonb_agg(jsonb_build_object('segmentation', g.segmentation, 'default_segment', g.default_segment,
                    'segments', coalesce(s.segments, '[]'))
                || CASE WHEN l.definition IS NULL THEN '{}' ELSE jsonb_build_object('learned', l.definition) END
            ORDER BY g.segmentation <> 'main', g.segmentation COLLATE "C")
        FROM %1$I.segmentations AS g LEFT JOIN segments AS s USING (segmentation) LEFT JOIN learned AS l USING (segmentation)
        $q$, store) INTO segmentations;
    RETURN segmentations;
END $$;
COMMENT ON FUNCTION clientele._export_segmentations(name) IS
    'Internal: segmentations, main first, their rules by priority; of learned segments what they were learned from.';

CREATE FUNCTION clientele._export_contents(store name) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    contents jsonb;
BEGIN
    EXECUTE format('SELECT coalesce(jsonb_agg(jsonb_strip_nulls(to_jsonb(c) || jsonb_build_object(''holdout'', nullif(c.holdout, 0)))
            ORDER BY c.slot COLLATE "C", c.segment COLLATE "C"), ''[]'')
        FROM %I.contents AS c', store)
        INTO contents;
    RETURN contents;
END $$;
COMMENT ON FUNCTION clientele._export_contents(name) IS 'Internal: contents by slot and segment.';

CREATE FUNCTION clientele._export_programs(store name) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1 AS $$
DECLARE
    defaults constant jsonb := clientele._offer_defaults();
    programs jsonb;
BEGIN
    EXECUTE format('SELECT coalesce(jsonb_agg(
            clientele._plain_numbers(clientele._worth_saying(to_jsonb(p) - ''version''
                || jsonb_build_object(''consent'', clientele._consent_of(%1$L, p.program)), $1)) ORDER BY p.priority), ''[]'')
        FROM %1$I.programs AS p', store) INTO programs USING defaults;
    RETURN programs;
END $$;
COMMENT ON FUNCTION clientele._export_programs(name) IS
    'Internal: programs by priority, with all terms that they have, and NULL where define_offer() would put something else.';

CREATE FUNCTION clientele._worth_saying(terms jsonb, defaults jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_object_agg(t.key, t.value), '{}') FROM jsonb_each(terms) AS t
    WHERE t.value <> 'null' OR defaults -> t.key <> 'null'
$$;
COMMENT ON FUNCTION clientele._worth_saying(jsonb, jsonb) IS
    'Internal: terms without those that are NULL as they would be if nobody named them.';

CREATE FUNCTION clientele._plain_numbers(value jsonb) RETURNS jsonb
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN CASE jsonb_typeof(value)
        WHEN 'number' THEN to_jsonb(trim_scale(value::numeric))
        WHEN 'array' THEN (SELECT coalesce(jsonb_agg(clientele._plain_numbers(e.element) ORDER BY e.place), '[]')
                           FROM jsonb_array_elements(value) WITH ORDINALITY AS e (element, place))
        WHEN 'object' THEN (SELECT coalesce(jsonb_object_agg(e.key, clientele._plain_numbers(e.value)), '{}') FROM jsonb_each(value) AS e)
        ELSE value END;
END $$;
COMMENT ON FUNCTION clientele._plain_numbers(jsonb) IS 'Internal: the same value in the same text: 1.40 is written 1.4.';

-- ---- What define_offer() takes ----

CREATE FUNCTION clientele._offer_arguments(OUT name text, OUT type text, OUT value jsonb) RETURNS SETOF record
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    SET intervalstyle = 'postgres' SET extra_float_digits = 1 AS $$
DECLARE
    argument record;
BEGIN
    FOR argument IN
        SELECT a.name, format_type(p.proargtypes[a.place - 1], NULL) AS type,
            coalesce(pg_get_function_arg_default(p.oid, a.place::integer), 'NULL::text') AS expression
        FROM pg_proc AS p CROSS JOIN LATERAL unnest(p.proargnames) WITH ORDINALITY AS a (name, place)
        WHERE p.pronamespace = 'clientele'::regnamespace AND p.proname = 'define_offer' AND a.name NOT IN ('store', 'program')
    LOOP
        name := argument.name;
        type := argument.type;
        EXECUTE format('SELECT coalesce(to_jsonb(%s), ''null'')', argument.expression) INTO value;
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._offer_arguments() IS
    'Internal: the terms that define_offer() takes: their types, and what they are where they are not named.';

CREATE FUNCTION clientele._offer_defaults() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_object_agg(a.name, a.value) FROM clientele._offer_arguments() AS a
$$;
COMMENT ON FUNCTION clientele._offer_defaults() IS 'Internal: the terms of a program of which none is named.';

CREATE FUNCTION clientele._call_offer(function name, store name, program text, terms jsonb, reset text[] DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO' SET intervalstyle = 'postgres' SET timezone = 'UTC' AS $$
DECLARE
    arguments text;
BEGIN
    SELECT string_agg(format(', %I => %L::%s', a.name,
            CASE WHEN a.type = 'text[]' AND terms -> a.name <> 'null' THEN ARRAY(SELECT jsonb_array_elements_text(terms -> a.name))::text
                 WHEN a.type = 'jsonb' THEN nullif(terms -> a.name, 'null')::text
                 WHEN a.type = 'integer' THEN clientele._whole_number(terms -> a.name)::text ELSE terms ->> a.name END, a.type), '')
        INTO arguments
        FROM clientele._offer_arguments() AS a WHERE terms ? a.name;
    EXECUTE format('SELECT clientele.%I($1, $2%s%s)', function, arguments,
            CASE WHEN cardinality(reset) > 0 THEN format(', reset => %L::text[]', reset) END)
        USING store, program;
END $$;
COMMENT ON FUNCTION clientele._call_offer(name, name, text, jsonb, text[]) IS
    'Internal: calls define_offer() or alter_offer() with terms by name. Times without a zone are those of UTC, whatever the session''s '
    'is.';
