-- Margins that differ: by category of what a customer buys, and by segment.

CREATE FUNCTION clientele._differing_margins(settings clientele.store_settings) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(jsonb_object_agg(o.key, o.value), '{}') FROM jsonb_each(settings.options) AS o
    WHERE o.key IN ('margin_by_category', 'margin_by_segment')
$$;
COMMENT ON FUNCTION clientele._differing_margins(clientele.store_settings) IS
    'What set_margins() has set, as it stands in the settings and in a store''s book: margin_by_category and margin_by_segment, if any.';

-- Readers inline this function. It takes what it needs and no more, so that nobody reads baskets or segments for nothing.
CREATE FUNCTION clientele._regenerate_margin(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on AS $$
DECLARE
    margins constant jsonb := clientele._differing_margins(settings);
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION %I._margin(category_mix jsonb, segment text) RETURNS numeric
        STABLE PARALLEL SAFE RETURN %s', store,
        CASE WHEN margins = '{}' THEN format('%L::numeric', settings.margin)
            ELSE format('clientele.customer_margin(%I._offer_book(), %s, %s)', store,
                CASE WHEN margins ? 'margin_by_category' THEN '$1' ELSE 'NULL' END,
                CASE WHEN margins ? 'margin_by_segment' THEN '$2' ELSE 'NULL' END) END);
    EXECUTE format('CREATE OR REPLACE FUNCTION %I._margin_asks_for_segment() RETURNS boolean STABLE PARALLEL SAFE RETURN %L::boolean',
        store, margins ? 'margin_by_segment');
END $$;
COMMENT ON FUNCTION clientele._regenerate_margin(name, clientele.store_settings) IS
    'Writes a store''s function _margin anew: a customer''s margin, given the category mix and the segment; and _margin_asks_for_segment: '
    'whether it depends on that.';

-- A rule that reads what depends on the segment would decide about itself.
CREATE FUNCTION clientele._margin_columns() RETURNS name[] LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN '{margin,clv_1y}'::name[];
COMMENT ON FUNCTION clientele._margin_columns() IS 'The columns of customers that depend on the margin.';

CREATE FUNCTION clientele._refuse_margins(store name, segmentation text, segment text, columns name[]) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    by_segment jsonb;
BEGIN
    IF segmentation = 'main' AND columns && clientele._margin_columns() THEN
        by_segment := clientele._differing_margins(clientele._settings(store)) -> 'margin_by_segment';
    END IF;
    IF by_segment IS NOT NULL THEN
        RAISE EXCEPTION 'the rule of segment "%" reads %, while margins differ by segment', segment,
            array_to_string(ARRAY(SELECT unnest(columns) INTERSECT SELECT unnest(clientele._margin_columns()) ORDER BY 1), ' and ')
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('Who is in a segment of main would depend on the margin, and the margin on the segment. By segment: %s.',
                by_segment),
            HINT = 'Use another segmentation for such rules, or margins by category alone: '
                'clientele.set_margins(store, by_category => ...).';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._refuse_margins(name, text, text, name[]) IS
    'Internal: refuses a rule of main that reads margin or clv_1y where margins differ by segment.';

CREATE FUNCTION clientele._check_margin_values(argument text, margins jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong text;
BEGIN
    IF jsonb_typeof(margins) <> 'object' THEN
        RAISE EXCEPTION 'invalid %: %', argument, clientele._excerpt(margins) USING ERRCODE = 'invalid_parameter_value',
            HINT = 'It is an object of names and margins, such as {"baby": 0.25}.';
    END IF;
    SELECT string_agg(format('"%s" = %s', m.key, clientele._excerpt(m.value)), ', ' ORDER BY m.key) INTO wrong
    FROM jsonb_each(margins) AS m
    WHERE CASE jsonb_typeof(m.value) WHEN 'number' THEN m.value::numeric NOT BETWEEN 0 AND 1 OR scale(trim_scale(m.value::numeric)) > 6
        ELSE true END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'invalid %: %', argument, wrong USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Each margin is a number from 0 to 1, with at most six decimals.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_margin_values(text, jsonb) IS
    'Internal: refuses what are no margins by name, all of it. argument: what the caller passed them as.';

CREATE FUNCTION clientele._check_margins(store name, by_category jsonb, by_segment jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known constant text[] := clientele._segment_names(store, 'main');
    unknown text;
    reading text;
BEGIN
    PERFORM clientele._check_margin_values('by_category', by_category);
    PERFORM clientele._check_margin_values('by_segment', by_segment);
    IF by_category IS NOT NULL AND (clientele._settings(store)).items IS NULL THEN
        RAISE EXCEPTION 'store % knows no categories', quote_ident(store) USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'Margins by category are weighted with what a customer bought of each, which the order lines tell.',
            HINT = 'Give the store its order lines: items => ''...''.';
    END IF;
    IF by_segment IS NOT NULL THEN
        SELECT string_agg(format('"%s"', k), ', ' ORDER BY k) INTO unknown FROM jsonb_object_keys(by_segment) AS k WHERE k <> ALL (known);
        IF unknown IS NOT NULL THEN
            RAISE EXCEPTION 'by_segment names what is no segment of main: %', unknown USING ERRCODE = 'undefined_object',
                HINT = format('Segments there: %s.', clientele._name_list(known, 'none'));
        END IF;
        -- Their texts: whoever changes several things has not written the functions yet.
        EXECUTE format('SELECT string_agg(format(''"%%s"'', r.segment), '', '' ORDER BY r.priority) FROM %I.segment_rules AS r
            CROSS JOIN LATERAL clientele._check_expression(r.rule, $1, ''segment rule'', false, ''{segment}'') AS c
            WHERE r.segmentation = ''main'' AND r.body IS NOT NULL AND c.columns && clientele._margin_columns()', store)
            INTO reading USING clientele._customers_view(store);
        IF reading IS NOT NULL THEN
            RAISE EXCEPTION 'margins cannot differ by segment while rules of main read margin or clv_1y'
                USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = format('They are those of: %s. Who is in a segment of main would depend on the margin, and the margin on the '
                    'segment.', reading),
                HINT = 'Define these segments without margin and clv_1y first, with clientele.define_segment(), or leave by_segment out.';
        END IF;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_margins(name, jsonb, jsonb) IS
    'Internal: refuses margins that a store cannot have. The caller holds the lock of _lock_rules().';

CREATE FUNCTION clientele._write_margins(store name, by_category jsonb, by_segment jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('UPDATE %I.settings SET options = (coalesce(options, ''{}'') - ''{margin_by_category,margin_by_segment}''::text[])
            || CASE WHEN $1 IS NULL THEN ''{}'' ELSE jsonb_build_object(''margin_by_category'', $1) END
            || CASE WHEN $2 IS NULL THEN ''{}'' ELSE jsonb_build_object(''margin_by_segment'', $2) END', store)
        USING by_category, by_segment;
    PERFORM clientele._regenerate_offers(store);
END $$;
COMMENT ON FUNCTION clientele._write_margins(name, jsonb, jsonb) IS
    'Internal: keeps margins that differ, and regenerates what depends on them. The caller holds the lock of _lock_store().';

CREATE FUNCTION clientele.set_margins(store name, by_category jsonb DEFAULT NULL, by_segment jsonb DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._lock_rules(store);
    by_category := nullif(nullif(by_category, 'null'), '{}');
    by_segment := nullif(nullif(by_segment, 'null'), '{}');
    PERFORM clientele._check_margins(store, by_category, by_segment);
    PERFORM clientele._write_margins(store, by_category, by_segment);
END $$;
COMMENT ON FUNCTION clientele.set_margins(name, jsonb, jsonb) IS
    'Says where a store''s contribution margin is another one; owner only. by_category, by_segment: objects of names and margins, from 0 '
    'to 1 with at most six decimals, such as {"wine": 0.4, "baby": 0.2}; NULL: it does not differ so. Each call says all of it. '
    'A customer''s margin is that of what they bought: the mean of the margins of the categories, weighted with what was spent in each, '
    'where a category without one has the store''s. Who bought nothing of any category, or where nothing is said by category, has that of '
    'the segment of main, else the store''s. The column margin of the view customers shows it; rewards, clv_1y and explanations follow at '
    'the next statement, offers that were issued stay as they are. While it differs by segment no rule of main can read margin or clv_1y.';

CREATE FUNCTION clientele._rename_margin(store name, former text, segment text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('UPDATE %I.settings SET options = jsonb_set(options #- ARRAY[''margin_by_segment'', $1],
            ARRAY[''margin_by_segment'', $2], options #> ARRAY[''margin_by_segment'', $1])
        WHERE options -> ''margin_by_segment'' ? $1', store) USING former, segment;
END $$;
COMMENT ON FUNCTION clientele._rename_margin(name, text, text) IS 'Internal: carries the margin of a segment of main over to its new name.';
