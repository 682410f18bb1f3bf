-- Definitions from a document: its shape, what it says, and what it changes.

-- ---- The shape of a document ----

CREATE FUNCTION clientele._whole_number(value jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.trim_scale((value OPERATOR(pg_catalog.#>>) '{}')::numeric);
COMMENT ON FUNCTION clientele._whole_number(jsonb) IS
    'Internal: a whole number however it is written, such as 1, 1.0 or 1e0; NULL for null.';

-- An object has these keys, "!" behind those that it cannot be without; an array has elements of this shape; a string names a type of JSON,
-- or one of SQL that such a value is to be.
CREATE FUNCTION clientele._definitions_shape() RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT '{"format!": "number", "global_holdout": "number",
             "rfm_breaks": {"r!": ["number"], "f!": ["number"], "m!": ["number"]},
             "margins": {"by_category": "any", "by_segment": "any"}, "contact_limit": {"most!": "integer", "per!": "interval"},
             "consent": "string",
             "segmentations": [{"segmentation!": "string", "default_segment": "string",
                 "learned": {"features!": ["string"], "k": "integer", "seed": "bigint", "standardize": "boolean"},
                 "segments": [{"segment!": "string", "rule!": "string", "priority": "integer", "description": "string",
                     "sensitive": "boolean"}]}],
             "contents": [{"slot!": "string", "content!": "string", "segment": "string", "body": "string", "holdout": "number"}]}'::jsonb
        || jsonb_build_object('programs', jsonb_build_array(jsonb_build_object('program!', 'string') || jsonb_object_agg(
            a.name || CASE a.name WHEN 'objective' THEN '!' ELSE '' END,
            CASE WHEN a.type = 'text[]' THEN '["string"]'::jsonb WHEN a.type IN ('numeric', 'double precision') THEN '"number"'
                 WHEN a.type IN ('integer', 'boolean', 'interval', 'timestamp with time zone') THEN to_jsonb(a.type)
                 WHEN a.type = 'jsonb' THEN '"any"' ELSE '"string"' END)))
    FROM clientele._offer_arguments() AS a
$$;
COMMENT ON FUNCTION clientele._definitions_shape() IS 'Internal: what a document of definitions looks like.';

CREATE FUNCTION clientele._shape_faults(value jsonb, shape jsonb, path text) RETURNS SETOF text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted constant text := CASE jsonb_typeof(shape) WHEN 'string' THEN shape #>> '{}' ELSE jsonb_typeof(shape) END;
    entry record;
BEGIN
    IF wanted IN ('integer', 'bigint', 'interval', 'timestamp with time zone') THEN
        RETURN QUERY SELECT format('%s = %s: %s is expected', path, clientele._excerpt(value),
                CASE wanted WHEN 'interval' THEN 'an interval, such as "14 days",'
                    WHEN 'timestamp with time zone' THEN 'a time, such as "2026-12-31 18:00+00",'
                    ELSE format('a whole number (%s)', wanted) END)
            WHERE NOT clientele._reads_as(value, wanted);
    ELSIF wanted <> 'any' AND jsonb_typeof(value) <> wanted THEN
        RETURN NEXT format('%s = %s: a JSON %s is expected', path, clientele._excerpt(value), wanted);
    ELSIF wanted = 'array' THEN
        FOR entry IN SELECT e.element, e.place FROM jsonb_array_elements(value) WITH ORDINALITY AS e (element, place) LOOP
            RETURN QUERY SELECT clientele._shape_faults(entry.element, shape -> 0, format('%s[%s]', path, entry.place - 1));
        END LOOP;
    ELSIF wanted = 'object' THEN
        RETURN QUERY SELECT format('%s.%s is missing', path, rtrim(k.key, '!')) FROM jsonb_object_keys(shape) AS k (key)
            WHERE right(k.key, 1) = '!' AND coalesce(value -> rtrim(k.key, '!'), 'null') = 'null';
        FOR entry IN SELECT e.key, e.value, coalesce(shape -> e.key, shape -> (e.key || '!')) AS shape FROM jsonb_each(value) AS e LOOP
            IF entry.shape IS NULL THEN
                RETURN NEXT format('%s.%s = %s: there is no such key; known: %s', path, entry.key, clientele._excerpt(entry.value),
                    (SELECT string_agg(rtrim(k.key, '!'), ', ' ORDER BY k.key COLLATE "C") FROM jsonb_object_keys(shape) AS k (key)));
            ELSIF entry.value <> 'null' AND jsonb_typeof(entry.value) <> coalesce(entry.shape #>> '{}', '') THEN
                RETURN QUERY SELECT clientele._shape_faults(entry.value, entry.shape, format('%s.%s', path, entry.key));
            END IF;
        END LOOP;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._shape_faults(jsonb, jsonb, text) IS 'Internal: where a JSON value is not of a shape, and what is there.';

CREATE FUNCTION clientele._reads_as(value jsonb, type text) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (jsonb_typeof(value) = 'number') <> (type IN ('integer', 'bigint')) OR jsonb_typeof(value) NOT IN ('number', 'string') THEN
        RETURN false;
    END IF;
    CASE type
        WHEN 'integer' THEN PERFORM clientele._whole_number(value)::text::integer;
        WHEN 'bigint' THEN PERFORM clientele._whole_number(value)::text::bigint;
        WHEN 'interval' THEN PERFORM (value #>> '{}')::interval;
        ELSE PERFORM (value #>> '{}')::timestamptz;
    END CASE;
    RETURN true;
EXCEPTION WHEN data_exception THEN
    RETURN false;
END $$;
COMMENT ON FUNCTION clientele._reads_as(jsonb, text) IS
    'Internal: whether a JSON value is one of these types of SQL: a number for integer and bigint, a string for interval and timestamptz.';

CREATE FUNCTION clientele._excerpt(value jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN length(t) > 200 THEN left(t, 200) || '...' ELSE t END FROM (SELECT value::text) AS v (t)
$$;
COMMENT ON FUNCTION clientele._excerpt(jsonb) IS 'Internal: a JSON value for a message.';

CREATE FUNCTION clientele._refuse_faults(faults text[], state text DEFAULT 'invalid_parameter_value', hint text DEFAULT '',
    detail text DEFAULT '') RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    most constant integer := 20;
    count constant integer := cardinality(faults);
BEGIN
    IF count > 0 THEN
        RAISE EXCEPTION USING ERRCODE = state,
            MESSAGE = CASE count WHEN 1 THEN 'invalid definitions: ' || faults[1] ELSE 'invalid definitions: several mistakes' END,
            DETAIL = concat_ws(E'\n', 'Nothing was applied.', CASE WHEN count > 1 THEN array_to_string(faults[:most], E'\n') END,
                CASE WHEN count > most THEN '...' END, nullif(detail, '')),
            HINT = coalesce(nullif(hint, ''), 'clientele.export_definitions() shows what definitions look like.');
    END IF;
END $$;
COMMENT ON FUNCTION clientele._refuse_faults(text[], text, text, text) IS 'Internal: refuses a document for all that is wrong with it.';

CREATE FUNCTION clientele._check_definitions(definitions jsonb, default_segment text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    format jsonb := CASE jsonb_typeof(definitions) WHEN 'object' THEN definitions -> 'format' END;
BEGIN
    PERFORM clientele._require('definitions', definitions IS NOT NULL);
    IF jsonb_typeof(format) = 'number' AND format > to_jsonb(clientele._definitions_format()) THEN
        RAISE EXCEPTION 'these definitions are of a newer version: $.format = %', format USING ERRCODE = 'feature_not_supported',
            DETAIL = format('This version of clientele reads formats up to %s.', clientele._definitions_format()),
            HINT = 'Upgrade the extension here first, or export the definitions with this version.';
    ELSIF jsonb_typeof(format) = 'number' AND (format::numeric < 1 OR format::numeric <> trunc(format::numeric)) THEN
        PERFORM clientele._refuse_faults(ARRAY[format('$.format = %s: there never was such a format', format)]);
    END IF;
    PERFORM clientele._refuse_faults(ARRAY(SELECT clientele._shape_faults(definitions, clientele._definitions_shape(), '$')));
    PERFORM clientele._refuse_faults(ARRAY(
        SELECT format('%s: %s "%s" is there twice', string_agg(r.path, ', ' ORDER BY r.place), r.kind, clientele._definition_name(r.key))
        FROM clientele._definition_rows(definitions, default_segment) AS r
        GROUP BY r.kind, r.key HAVING count(*) > 1 ORDER BY min(r.place)), 'duplicate_object',
        'Each definition has a name of its own; a content without a segment is that of the default segment.');
END $$;
COMMENT ON FUNCTION clientele._check_definitions(jsonb, text) IS
    'Internal: refuses what is no document of definitions. default_segment: that of main in the store.';

-- ---- What a document says, row by row ----

-- In the order in which it can be carried out: what others refer to comes first, and what takes the next free priority last.
CREATE FUNCTION clientele._definition_rows(definitions jsonb, default_segment text DEFAULT NULL)
    RETURNS TABLE (place bigint, path text, kind text, key text[], item jsonb)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH segmentations AS (
        SELECT e.definition, format('$.segmentations[%s]', e.nth - 1) AS path
        FROM jsonb_array_elements(nullif(definitions -> 'segmentations', 'null')) WITH ORDINALITY AS e (definition, nth)
    ), main AS (
        SELECT coalesce((SELECT s.definition ->> 'default_segment' FROM segmentations AS s
                         WHERE s.definition ->> 'segmentation' = 'main' LIMIT 1), default_segment) AS default_segment
    ), d AS MATERIALIZED (
        SELECT clientele._offer_defaults() AS defaults WHERE definitions ? 'programs'
    ), rows (phase, path, kind, key, item) AS (
        SELECT 1, s.path, 'segmentation', ARRAY[s.definition ->> 'segmentation'],
            jsonb_build_object('default_segment', s.definition -> 'default_segment', 'learned', s.definition -> 'learned')
        FROM segmentations AS s
        UNION ALL
        SELECT CASE WHEN coalesce(e.definition -> 'priority', 'null') = 'null' THEN 3 ELSE 2 END,
            format('%s.segments[%s]', s.path, e.nth - 1), 'segment', ARRAY[s.definition ->> 'segmentation', e.definition ->> 'segment'],
            jsonb_build_object('rule', e.definition -> 'rule', 'priority', e.definition -> 'priority',
                'description', e.definition -> 'description', 'sensitive', coalesce(nullif(e.definition -> 'sensitive', 'null'), 'false'))
        FROM segmentations AS s, jsonb_array_elements(nullif(s.definition -> 'segments', 'null')) WITH ORDINALITY AS e (definition, nth)
        UNION ALL
        SELECT 4, format('$.contents[%s]', e.nth - 1), 'content',
            ARRAY[e.definition ->> 'slot', coalesce(e.definition ->> 'segment', m.default_segment)],
            jsonb_build_object('content', e.definition -> 'content', 'body', e.definition -> 'body',
                'holdout', coalesce(nullif(e.definition -> 'holdout', 'null'), '0'))
        FROM main AS m, jsonb_array_elements(nullif(definitions -> 'contents', 'null')) WITH ORDINALITY AS e (definition, nth)
        UNION ALL
        SELECT CASE WHEN coalesce(e.definition -> 'priority', 'null') = 'null' THEN 6 ELSE 5 END, format('$.programs[%s]', e.nth - 1),
            'program', ARRAY[e.definition ->> 'program'], clientele._with_reward_rate(d.defaults || (e.definition - 'program'))
        FROM d, jsonb_array_elements(nullif(definitions -> 'programs', 'null')) WITH ORDINALITY AS e (definition, nth)
        UNION ALL
        SELECT 7, '$.rfm_breaks', 'breaks', '{rfm}',
            coalesce(nullif(definitions -> 'rfm_breaks', 'null'), '{"r": null, "f": null, "m": null}')
        WHERE definitions ? 'rfm_breaks'
        UNION ALL
        SELECT 8, '$.margins', 'margins', '{differing}', jsonb_build_object(
            'by_category', definitions -> 'margins' -> 'by_category', 'by_segment', definitions -> 'margins' -> 'by_segment')
        WHERE definitions ? 'margins'
        UNION ALL
        SELECT 9, '$.global_holdout', 'holdout', '{global}', jsonb_build_object('share', definitions -> 'global_holdout')
        WHERE definitions -> 'global_holdout' <> 'null'
        UNION ALL
        SELECT 10, '$.contact_limit', 'limit', '{contacts}', coalesce(nullif(definitions -> 'contact_limit', 'null'),
            '{"most": null, "per": null}')
        WHERE definitions ? 'contact_limit'
        UNION ALL
        SELECT 11, '$.consent', 'consent', '{all}', jsonb_build_object('consent', definitions -> 'consent')
        WHERE definitions ? 'consent')
    -- Each array comes in its order.
    SELECT row_number() OVER (ORDER BY r.phase), r.path, r.kind, r.key, r.item FROM rows AS r
$$;
COMMENT ON FUNCTION clientele._definition_rows(jsonb, text) IS
    'Internal: the definitions of a document, each with its path, its key and all of its terms. default_segment: that of main where the '
    'document names none.';

CREATE FUNCTION clientele._definition_name(key text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN pg_catalog.array_to_string(key, '/');
COMMENT ON FUNCTION clientele._definition_name(text[]) IS
    'Internal: main/families for a segment, home/families for a content, else the one name.';

CREATE TYPE clientele.definition_change AS (path text, kind text, key text[], before jsonb, after jsonb);
COMMENT ON TYPE clientele.definition_change IS
    'Internal: a definition that a document changes, creates (before is NULL) or drops (after is NULL).';

-- Where a document leaves something out that a store decides otherwise (a priority, what was learned), it stays. A new default segment
-- takes along what was for the former one; so what is for either of them is looked at again.
CREATE FUNCTION clientele._definition_changes(present jsonb, definitions jsonb, prune boolean) RETURNS clientele.definition_change[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH present AS MATERIALIZED (SELECT p.* FROM clientele._definition_rows(present) AS p),
    wanted AS MATERIALIZED (SELECT w.* FROM clientele._definition_rows(definitions, clientele._default_in(present)) AS w),
    compared AS (
        SELECT w.place, w.path, w.kind, w.key, p.item AS before, w.item || CASE w.kind
            WHEN 'segmentation' THEN jsonb_build_object(
                'default_segment', coalesce(nullif(w.item -> 'default_segment', 'null'), p.item -> 'default_segment'),
                'learned', CASE WHEN p.item -> 'learned' @> jsonb_strip_nulls(w.item -> 'learned')
                                  OR w.item -> 'learned' = 'null' AND NOT prune
                    THEN p.item -> 'learned' ELSE w.item -> 'learned' END)
            WHEN 'segment' THEN jsonb_build_object('priority', coalesce(nullif(w.item -> 'priority', 'null'), p.item -> 'priority'))
            WHEN 'program' THEN jsonb_build_object('priority', coalesce(nullif(w.item -> 'priority', 'null'), p.item -> 'priority'))
            ELSE '{}' END AS after
        FROM wanted AS w LEFT JOIN present AS p USING (kind, key)
        UNION ALL
        SELECT 0, s.path, p.kind, p.key, p.item, NULL
        FROM present AS p
        JOIN (VALUES ('segmentation', 'segmentations', '$.segmentations'), ('segment', 'segmentations', '$.segmentations'),
                     ('content', 'contents', '$.contents'), ('program', 'programs', '$.programs')) AS s (kind, section, path) USING (kind)
        WHERE prune AND definitions -> s.section <> 'null' AND NOT EXISTS (SELECT FROM wanted AS w WHERE w.kind = p.kind AND w.key = p.key)
    ), renamed AS (
        SELECT array_agg(n.name) AS names
        FROM compared AS c CROSS JOIN LATERAL (VALUES (c.before ->> 'default_segment'), (c.after ->> 'default_segment')) AS n (name)
        WHERE c.kind = 'segmentation' AND c.key = '{main}' AND c.before ->> 'default_segment' <> c.after ->> 'default_segment')
    SELECT coalesce(array_agg(ROW(c.path, c.kind, c.key, c.before, c.after)::clientele.definition_change ORDER BY c.place), '{}')
    FROM compared AS c CROSS JOIN renamed AS r
    WHERE c.before IS DISTINCT FROM c.after OR c.kind = 'content' AND c.key[2] = ANY (r.names)
       OR c.kind = 'program' AND jsonb_typeof(c.after -> 'segments') = 'array' AND c.after -> 'segments' ?| r.names
       OR c.kind = 'margins' AND c.after -> 'by_segment' ?| r.names
$$;
COMMENT ON FUNCTION clientele._definition_changes(jsonb, jsonb, boolean) IS
    'Internal: in what a document differs from what a store exports, in the order in which it can be carried out.';

CREATE FUNCTION clientele._default_in(definitions jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT s ->> 'default_segment' FROM jsonb_array_elements(definitions -> 'segmentations') AS s WHERE s ->> 'segmentation' = 'main'
$$;
COMMENT ON FUNCTION clientele._default_in(jsonb) IS 'Internal: the default segment of main in what a store exports.';

-- ---- Application ----

CREATE FUNCTION clientele.apply_definitions(store name, definitions jsonb, prune boolean DEFAULT false, dry_run boolean DEFAULT false)
    RETURNS TABLE (kind text, name text, action text, "before" jsonb, "after" jsonb)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    former jsonb;
    present jsonb;
BEGIN
    PERFORM clientele._require('prune', prune IS NOT NULL);
    PERFORM clientele._require('dry_run', dry_run IS NOT NULL);
    PERFORM clientele._require_owner(store);
    IF definitions ?| '{segmentations,margins}' THEN
        PERFORM clientele._require_readable(store);
    END IF;
    IF jsonb_path_exists(definitions, '$.segmentations[*].learned') THEN
        PERFORM clientele._share_sources(store);  -- who learns reads orders
    END IF;
    PERFORM clientele._lock_rules(store);
    former := clientele.export_definitions(store);
    PERFORM clientele._check_definitions(definitions, clientele._default_in(former));
    BEGIN
        PERFORM clientele._apply_changes(store, definitions, clientele._definition_changes(former, definitions, prune));
        present := clientele.export_definitions(store);
        IF dry_run THEN
            RAISE EXCEPTION USING ERRCODE = 'CLDRY';
        END IF;
    EXCEPTION WHEN SQLSTATE 'CLDRY' THEN
        NULL;  -- all of it is undone, and known
    END;
    RETURN QUERY SELECT p.* FROM clientele._definition_plan(former, present) AS p;
END $$;
COMMENT ON FUNCTION clientele.apply_definitions(name, jsonb, boolean, boolean) IS
    'Brings a store to what a document says that export_definitions() wrote, of this store or another, or somebody edited: creates and '
    'changes what differs, all or nothing, and returns what has changed; owner only. '
    'A second call changes nothing. prune: drops, too, what is in the store but not in a section of the document; a section that is '
    'missing is left alone. '
    'dry_run: undoes it all and only says what would change. The order within the document does not matter, but that first and last. '
    'Everything is checked as by define_segment, define_offer and the like; '
    'a mistake anywhere leaves the store as it was, and is reported with its path. A changed program becomes a new version, as by '
    'alter_offer. '
    'action: create, change or drop. before, after: of a change what differs, else the whole definition.';

CREATE FUNCTION clientele._definition_plan(former jsonb, present jsonb)
    RETURNS TABLE (kind text, name text, action text, "before" jsonb, "after" jsonb)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH d AS MATERIALIZED (SELECT clientele._offer_defaults() AS defaults)
    SELECT kind, clientele._definition_name(key), CASE WHEN f.item IS NULL THEN 'create' WHEN p.item IS NULL THEN 'drop' ELSE 'change' END,
        CASE WHEN p.item IS NULL THEN clientele._worth_saying(f.item, d.defaults) ELSE clientele._other_than(f.item, p.item) END,
        CASE WHEN f.item IS NULL THEN clientele._worth_saying(p.item, d.defaults) ELSE clientele._other_than(p.item, f.item) END
    FROM clientele._definition_rows(former) AS f FULL JOIN clientele._definition_rows(present) AS p USING (kind, key)
        CROSS JOIN d
    WHERE f.item IS DISTINCT FROM p.item
    ORDER BY array_position('{segmentation,segment,content,program,breaks,margins,holdout,limit,consent}', kind),
        coalesce(p.place, f.place),
        p.place IS NULL
$$;
COMMENT ON FUNCTION clientele._definition_plan(jsonb, jsonb) IS 'Internal: in what two documents differ, for people.';

CREATE FUNCTION clientele._other_than(item jsonb, other jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_object_agg(e.key, e.value) FROM jsonb_each(item) AS e WHERE e.value IS DISTINCT FROM other -> e.key
$$;
COMMENT ON FUNCTION clientele._other_than(jsonb, jsonb) IS 'Internal: of an object the keys whose values are others than in another one.';

-- One look at where a mistake is costs nothing while there is none; then each definition is tried by itself, so that all of them are named.
CREATE FUNCTION clientele._apply_changes(store name, definitions jsonb, changes clientele.definition_change[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    change clientele.definition_change;
    problem text;
    detail text;
    hint text;
    state text;
BEGIN
    IF changes = '{}' THEN
        RETURN;
    END IF;
    PERFORM clientele._make_room(store, changes);
    FOREACH change IN ARRAY changes LOOP
        PERFORM clientele._apply_change(store, change);
    END LOOP;
    PERFORM clientele._regenerate_segments(store), clientele._regenerate_offers(store)  -- these know who is sensitive
        WHERE EXISTS (SELECT FROM unnest(changes) AS c WHERE c.kind IN ('segmentation', 'segment'));
    FOREACH change IN ARRAY changes LOOP
        PERFORM clientele._check_change(store, change);
    END LOOP;
    PERFORM clientele._end_segmentations(store);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, state = RETURNED_SQLSTATE;
    IF NOT clientele._is_mistake(state) THEN
        RAISE;
    END IF;
    PERFORM clientele._refuse_faults(f.faults, state) FROM (SELECT clientele._each_fault(store, definitions, changes)) AS f (faults)
        WHERE cardinality(f.faults) > 1;
    PERFORM clientele._refuse_faults(ARRAY[clientele._fault(definitions, change, problem)], state, hint, detail);
END $$;
COMMENT ON FUNCTION clientele._apply_changes(name, jsonb, clientele.definition_change[]) IS
    'Internal: carries out the changes of a document; a mistake is an error that names the path. The caller holds the lock of '
    '_lock_rules().';

-- Conflicts with others, want of resources, operators: a document is not to blame.
CREATE FUNCTION clientele._is_mistake(state text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT state !~ '^(25|40|53|54|57|58|XX|55P03)'
$$;
COMMENT ON FUNCTION clientele._is_mistake(text) IS 'Internal: whether an error of this SQLSTATE speaks of what was asked for.';

CREATE FUNCTION clientele._fault(definitions jsonb, change clientele.definition_change, problem text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN change.after IS NULL
        THEN format('%s without %s "%s": %s', change.path, change.kind, clientele._definition_name(change.key), problem)
        ELSE format('%s = %s: %s', change.path, clientele._excerpt(jsonb_path_query_first(definitions, change.path::jsonpath)), problem) END
$$;
COMMENT ON FUNCTION clientele._fault(jsonb, clientele.definition_change, text) IS
    'Internal: a mistake, with where it is in the document and what is there.';

CREATE FUNCTION clientele._each_fault(store name, definitions jsonb, changes clientele.definition_change[]) RETURNS text[]
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    change clientele.definition_change;
    kind text;  -- of the first mistake
    faults text[] := '{}'::text[];
    detail text;
    hint text;
    accepted text;
    said text[] := '{""}'::text[];
BEGIN
    PERFORM clientele._make_room(store, changes);
    FOREACH change IN ARRAY changes LOOP
        EXIT WHEN cardinality(faults) > 20;
        BEGIN
            PERFORM clientele._apply_change(store, change);
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
            IF NOT clientele._is_mistake(SQLSTATE) THEN
                RAISE;
            END IF;
            -- What refers to a definition that is wrong may be wrong for that alone.
            CONTINUE WHEN SQLSTATE = '42704' AND kind <> change.kind;
            kind := coalesce(kind, change.kind);
            accepted := concat_ws(' ', nullif(detail, ''), nullif(hint, ''));
            faults := faults || (clientele._fault(definitions, change, SQLERRM)
                || CASE WHEN accepted = ANY (said) THEN '' ELSE format(' (%s)', accepted) END);
            said := said || accepted;  -- once is enough
        END;
    END LOOP;
    RETURN faults;
EXCEPTION WHEN OTHERS THEN
    IF NOT clientele._is_mistake(SQLSTATE) THEN
        RAISE;
    END IF;
    RETURN '{}'::text[];
END $$;
COMMENT ON FUNCTION clientele._each_fault(name, jsonb, clientele.definition_change[]) IS
    'Internal: all mistakes, each definition tried by itself, with what would be accepted. The caller raises an error.';

-- Names and priorities may change hands within a document. What it changes goes first, so that nothing is in the way of anything.
CREATE FUNCTION clientele._make_room(store name, changes clientele.definition_change[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._lock_changed_budgets(store, changes);
    EXECUTE format('DELETE FROM %I.segment_rules AS r USING unnest($1) AS c
        WHERE c.kind = ''segment'' AND r.segmentation = c.key[1] AND r.segment = c.key[2]', store) USING changes;
    EXECUTE format('DELETE FROM %I.segment_rules AS r USING unnest($1) AS c
        WHERE c.kind = ''segmentation'' AND r.segmentation = c.key[1] AND clientele._cluster_expression(r.rule) IS NOT NULL
          AND c.before -> ''learned'' <> ''null'' AND coalesce(c.after -> ''learned'', ''null'') = ''null''', store) USING changes;
    -- So that rules may read margins from now on, and segments go.
    PERFORM clientele._write_margins(store, nullif(c.before -> 'by_category', 'null'), NULL) FROM unnest(changes) AS c
        WHERE c.kind = 'margins' AND c.before -> 'by_segment' <> 'null';
    EXECUTE format('DELETE FROM %I.contents AS t USING unnest($1) AS c
        WHERE c.kind = ''content'' AND t.slot = c.key[1] AND t.segment = c.key[2]', store) USING changes;
    PERFORM clientele.drop_offer(store, c.key[1]) FROM unnest(changes) AS c WHERE c.kind = 'program' AND c.after IS NULL;
    EXECUTE format('UPDATE %1$I.programs AS p SET priority = (SELECT least(min(o.priority), 0) FROM %1$I.programs AS o) - c.nth
        FROM unnest($1) WITH ORDINALITY AS c (path, kind, key, before, after, nth)
        WHERE p.program = c.key[1] AND c.kind = ''program'' AND c.before -> ''priority'' <> c.after -> ''priority''', store) USING changes;
    PERFORM clientele._regenerate_offers(store) WHERE EXISTS (SELECT FROM unnest(changes) AS c WHERE c.kind = 'program');
END $$;
COMMENT ON FUNCTION clientele._make_room(name, clientele.definition_change[]) IS
    'Internal: takes away what a document changes or drops; programs that change stay, away from the priorities of others.';

-- One program after the other would come back to the ledger, for a first budget, with the slots of another one in its hands.
CREATE FUNCTION clientele._lock_changed_budgets(store name, changes clientele.definition_change[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM unnest(changes) AS c
               WHERE c.kind = 'program' AND coalesce(c.before -> 'budget', 'null') = 'null' AND c.after -> 'budget' <> 'null') THEN
        EXECUTE format('LOCK TABLE %I.ledger IN SHARE MODE', store);
    END IF;
    EXECUTE format('SELECT FROM %I.budgets AS b JOIN unnest($1) AS c ON c.kind = ''program'' AND b.program = c.key[1]
        WHERE c.before -> ''budget'' IS DISTINCT FROM c.after -> ''budget'' ORDER BY b.program, b.slot FOR UPDATE OF b', store)
        USING changes;
END $$;
COMMENT ON FUNCTION clientele._lock_changed_budgets(name, clientele.definition_change[]) IS
    'Internal: locks in their order what the budgets of a document need.';

CREATE FUNCTION clientele._apply_change(store name, change clientele.definition_change) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name constant text := (change.key)[1];
    after constant jsonb := change.after;
BEGIN
    IF after IS NULL THEN
        RETURN;  -- gone already
    END IF;
    CASE change.kind
        WHEN 'segmentation' THEN
            PERFORM clientele._apply_segmentation(store, name, change.before, after);
        WHEN 'segment' THEN
            PERFORM clientele._write_segment(store, name, (change.key)[2], after ->> 'rule',
                clientele._whole_number(after -> 'priority')::integer, after ->> 'description', (after ->> 'sensitive')::boolean);
        WHEN 'content' THEN
            PERFORM clientele._write_content(store, name, after ->> 'content', (change.key)[2], after ->> 'body',
                (after ->> 'holdout')::double precision);
        WHEN 'program' THEN
            PERFORM clientele._apply_program(store, name, after);
        WHEN 'breaks' THEN
            PERFORM clientele.set_rfm_breaks(store, clientele._matrix(nullif(after -> 'r', 'null')),
                clientele._matrix(nullif(after -> 'f', 'null')), clientele._matrix(nullif(after -> 'm', 'null')));
        WHEN 'margins' THEN
            PERFORM clientele.set_margins(store, after -> 'by_category', after -> 'by_segment');
        WHEN 'holdout' THEN
            PERFORM clientele.set_global_holdout(store, (after ->> 'share')::double precision);
        WHEN 'limit' THEN
            PERFORM clientele.set_contact_limit(store, clientele._whole_number(after -> 'most')::integer, (after ->> 'per')::interval);
        WHEN 'consent' THEN
            PERFORM clientele.set_consent(store, after ->> 'consent');
    END CASE;
END $$;
COMMENT ON FUNCTION clientele._apply_change(name, clientele.definition_change) IS 'Internal: carries out one change of a document.';

CREATE FUNCTION clientele._apply_segmentation(store name, segmentation text, before jsonb, after jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    learned constant jsonb := after -> 'learned';
BEGIN
    PERFORM clientele._begin_segmentation(store, segmentation);
    IF after ->> 'default_segment' <> coalesce(before ->> 'default_segment', '') THEN
        PERFORM clientele.set_default_segment(store, after ->> 'default_segment', segmentation);
    END IF;
    IF learned <> 'null' AND learned IS DISTINCT FROM before -> 'learned' THEN
        PERFORM clientele.learn_segments(store, segmentation, clientele._texts(learned -> 'features'),
            clientele._whole_number(learned -> 'k')::integer, clientele._whole_number(learned -> 'seed')::bigint,
            (learned ->> 'standardize')::boolean);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._apply_segmentation(name, text, jsonb, jsonb) IS
    'Internal: names the default segment of a segmentation, and learns it where it was not learned so before.';

-- Compared with what it is now: a new default segment may have been put into it meanwhile.
CREATE FUNCTION clientele._apply_program(store name, program text, terms jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    former constant jsonb := clientele._program_in_book(store, program);
    changed jsonb;
    reset text[];
BEGIN
    IF former IS NULL THEN
        PERFORM clientele._call_offer('define_offer', store, program, terms);
        RETURN;
    END IF;
    SELECT coalesce(jsonb_object_agg(t.key, t.value) FILTER (WHERE t.value <> 'null'), '{}'),
            array_agg(t.key ORDER BY t.key) FILTER (WHERE t.value = 'null')
        INTO changed, reset FROM jsonb_each(terms) AS t WHERE t.value IS DISTINCT FROM former -> t.key;
    PERFORM clientele._call_offer('alter_offer', store, program, changed, reset);
END $$;
COMMENT ON FUNCTION clientele._apply_program(name, text, jsonb) IS 'Internal: defines a program, or alters of one what differs.';

-- What depends on several definitions of a document holds when all of them are there.
CREATE FUNCTION clientele._check_change(store name, change clientele.definition_change) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    segmentation constant text := (change.key)[1];
    segment constant text := (change.key)[2];
    present boolean;
BEGIN
    IF change.kind = 'segment' AND change.after IS NULL AND segmentation = 'main' THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %1$I.segment_rules AS r WHERE r.segmentation = ''main'' AND r.segment = $1
                UNION ALL SELECT FROM %1$I.segmentations AS g WHERE g.segmentation = ''main'' AND g.default_segment = $1)', store)
            INTO present USING segment;
        PERFORM clientele._refuse_referenced(store, segment, segmentation) WHERE NOT present;
    ELSIF change.kind = 'segment' AND (change.after ->> 'sensitive')::boolean THEN
        PERFORM clientele._refuse_undisclosed(store, segment, segmentation);
    ELSIF change.kind = 'segmentation' AND change.after IS NOT NULL AND segmentation <> 'main' THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.segment_rules AS r WHERE r.segmentation = $1)', store)
            INTO present USING segmentation;
        IF NOT present THEN
            RAISE EXCEPTION 'segmentation "%" has no segments', segmentation USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Only main can be without. Another one goes with its last segment: leave it out.';
        END IF;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_change(name, clientele.definition_change) IS
    'Internal: checks a change of a document against all others.';
