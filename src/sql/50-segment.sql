-- Segments: rules, their generated functions, and what they say about one customer.

-- ---- Rules ----

CREATE FUNCTION clientele._check_expression(expression text, relation regclass, what text, immutable_only boolean, forbidden_columns name[],
    number boolean DEFAULT false, OUT deparsed text, OUT operands text[], OUT columns name[], OUT shown text, OUT labels text[],
    OUT body text) RETURNS record
    AS 'MODULE_PATHNAME', 'clientele__check_expression' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION clientele._check_expression(text, regclass, text, boolean, name[], boolean) IS
    'Internal: checks one expression over the columns of a relation, boolean or (number) one that becomes double precision, and returns '
    'it as PostgreSQL prints it, the operands whose values decide it, the columns that it uses, expression and operands as they are '
    'shown, and the expression with $n for the n-th column.';

CREATE FUNCTION clientele._kept_expressions(holder regprocedure, relation regclass)
    RETURNS TABLE (keys text[], deparsed text, operands text[], columns name[], shown text, labels text[], body text)
    AS 'MODULE_PATHNAME', 'clientele__kept_expressions' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION clientele._kept_expressions(regprocedure, regclass) IS
    'Internal: what a generated function returns in the last column of VALUES, as _check_expression() describes it, and the constants '
    'before that; its parameters are the first columns of the relation. '
    'Functions follow what the server renames (types and their values, functions, schemas, columns); texts do not.';

CREATE TYPE clientele.segment_assignment AS (segmentation text, segment text);
COMMENT ON TYPE clientele.segment_assignment IS 'The segment of a customer in one segmentation; a row of a store''s function _segments.';
CREATE TYPE clientele.segment_match AS (segmentation text, priority integer, segment text, matches boolean);
COMMENT ON TYPE clientele.segment_match IS 'Whether one rule matches a customer (NULL is no match); a row of a store''s function _matches.';

-- ---- Helpers of the definers ----

CREATE FUNCTION clientele._name_list(names text[], otherwise text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE((SELECT pg_catalog.string_agg('"' OPERATOR(pg_catalog.||) n.name OPERATOR(pg_catalog.||) '"', ', ' ORDER BY n.place)
                     FROM pg_catalog.unnest(names) WITH ORDINALITY AS n(name, place)), otherwise);
COMMENT ON FUNCTION clientele._name_list(text[], text) IS 'Internal: names for a message, or what to say where there are none.';

CREATE FUNCTION clientele._segment_names(store name, segmentation text) RETURNS text[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    names text[];
    segmentations text[];
BEGIN
    EXECUTE format('SELECT array_agg(r.segment ORDER BY r.priority) FROM %I.segment_rules AS r WHERE r.segmentation = $1', store)
        INTO names USING segmentation;
    EXECUTE format('SELECT $2 || g.default_segment FROM %I.segmentations AS g WHERE g.segmentation = $1', store)
        INTO names USING segmentation, COALESCE(names, '{}');
    IF names IS NULL THEN
        EXECUTE format('SELECT array_agg(g.segmentation ORDER BY g.segmentation) FROM %I.segmentations AS g', store) INTO segmentations;
        RAISE EXCEPTION USING ERRCODE = 'undefined_object',
            MESSAGE = format('segmentation "%s" does not exist in store "%s"', segmentation, store),
            HINT = format('Segmentations there: %s.', clientele._name_list(segmentations, 'none'));
    END IF;
    RETURN names;
END $$;
COMMENT ON FUNCTION clientele._segment_names(name, text) IS
    'Internal: a segmentation''s segments by priority, the default one last; an unknown segmentation is an error that lists the known '
    'ones.';

-- ---- The generated functions ----

CREATE FUNCTION clientele._segment_columns(store name) RETURNS TABLE (place smallint, name text, type text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT a.attnum, a.attname::text, format_type(a.atttypid, NULL)
        FROM pg_attribute AS a
        WHERE a.attrelid = clientele._customers_view(store) AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum;
END $$;
COMMENT ON FUNCTION clientele._segment_columns(name) IS 'Internal: the columns of the view customers, over which rules are written.';

CREATE FUNCTION clientele._segment_parameters(store name) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT pg_catalog.string_agg(pg_catalog.format('%I %s', c.name, c.type), ', ' ORDER BY c.place)
            FROM clientele._segment_columns(store) AS c);
COMMENT ON FUNCTION clientele._segment_parameters(name) IS 'Internal: the parameters of a store''s generated segment functions.';

CREATE FUNCTION clientele._segment_arguments(store name, alias text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT pg_catalog.string_agg(CASE c.name WHEN 'segment' THEN 'NULL::pg_catalog.text'
                ELSE pg_catalog.format('%s.%I', alias, c.name) END, ', ' ORDER BY c.place)
            FROM clientele._segment_columns(store) AS c);
COMMENT ON FUNCTION clientele._segment_arguments(name, text) IS
    'Internal: the arguments of a store''s generated segment functions, from a row of customers.';

CREATE FUNCTION clientele._segment_function(store name, function name) RETURNS regprocedure
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.oid::regprocedure FROM pg_proc AS p
    WHERE p.pronamespace = (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = store) AND p.proname = function
      AND p.proargtypes::text = (SELECT string_agg(a.atttypid::text, ' ' ORDER BY a.attnum) FROM pg_attribute AS a
                                 WHERE a.attrelid = to_regclass(format('%I.customers', store)) AND a.attnum > 0)
$$;
COMMENT ON FUNCTION clientele._segment_function(name, name) IS
    'Internal: a store''s generated function of this name over the columns of customers; NULL where there is none.';

-- A consent is a rule, too, of a segmentation without a name, under that of its program; one for all programs has none.
CREATE FUNCTION clientele._rule_title(segmentation text, segment text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    RETURN CASE WHEN segmentation <> '' THEN format('segment "%s" of "%s"', segment, segmentation)
        WHEN segment <> '' THEN format('the consent of program "%s"', segment) ELSE 'the consent of all programs' END;
COMMENT ON FUNCTION clientele._rule_title(text, text) IS 'Internal: how messages name a rule.';

-- The function _matches is where rules are kept; the texts of the table segment_rules are what they were called at the time.
CREATE FUNCTION clientele._kept_rules(store name)
    RETURNS TABLE (segmentation text, segment text, rule text, operands text[], shown text, labels text[], body text)
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT k.keys[1], k.keys[3], k.deparsed, k.operands, k.shown, k.labels, k.body
    FROM clientele._kept_expressions(clientele._segment_function(store, '_matches'), to_regclass(format('%I.customers', store))) AS k
$$;
COMMENT ON FUNCTION clientele._kept_rules(name) IS 'Internal: a store''s rules as the server knows them now.';

-- What no function holds any more, say because somebody dropped it, is read from the text; where that fails, too, body is NULL.
CREATE FUNCTION clientele._refresh_rules(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found record;
BEGIN
    IF to_regclass(format('%I.customers', store)) IS NULL THEN
        RETURN;  -- nothing can be understood until the store is attached again, and then all of it is
    END IF;
    FOR found IN EXECUTE format('SELECT r.segmentation, r.segment, r.rule AS text, k.rule, k.operands, k.body FROM %1$I.segment_rules AS r
            LEFT JOIN clientele._kept_rules(%1$L) AS k ON k.segmentation = r.segmentation AND k.segment = r.segment
            WHERE k.body IS NULL OR (r.rule, r.operands, r.body) IS DISTINCT FROM (k.rule, k.operands, k.body)', store) LOOP
        IF found.body IS NULL THEN
            BEGIN
                SELECT c.deparsed, c.operands, c.body INTO STRICT found.rule, found.operands, found.body
                FROM clientele._check_expression(
                    found.text, clientele._customers_view(store), 'segment rule', false, '{segment}') AS c;
            EXCEPTION WHEN OTHERS THEN
                NULL;
            END;
        END IF;
        EXECUTE format('UPDATE %I.segment_rules AS r SET rule = COALESCE($3, r.rule), operands = COALESCE($4, r.operands), body = $5 '
            'WHERE r.segmentation = $1 AND r.segment = $2', store)
            USING found.segmentation, found.segment, found.rule, found.operands, found.body;
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._refresh_rules(name) IS
    'Internal: brings the texts of a store''s rules up to what the server calls things now.';

CREATE FUNCTION clientele._lock_rules(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._lock_store(store);
    PERFORM clientele._refresh_rules(store);
END $$;
COMMENT ON FUNCTION clientele._lock_rules(name) IS 'Internal: _lock_store() for who changes rules: their texts are those of today.';

CREATE FUNCTION clientele._warn_of_lost_rules(store name) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lost record;
BEGIN
    FOR lost IN EXECUTE format('SELECT * FROM %I.segment_rules AS r WHERE r.body IS NULL ORDER BY r.segmentation, r.priority', store) LOOP
        IF lost.segmentation = '' THEN
            RAISE WARNING '% cannot be understood any more', clientele._rule_title(lost.segmentation, lost.segment)
                USING DETAIL = format('It reads: %s', lost.rule),
                    HINT = 'Nobody gives it until it is defined anew, with set_consent or alter_offer, or taken away.';
            CONTINUE;
        END IF;
        RAISE WARNING 'the rule of segment "%" of segmentation "%" cannot be understood any more', lost.segment, lost.segmentation
            USING DETAIL = format('It reads: %s', lost.rule),
                HINT = 'It matches nobody until it is defined anew with define_segment, or dropped with drop_segment. All others hold.';
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._warn_of_lost_rules(name) IS 'Internal: names the rules that cannot be understood any more.';

CREATE FUNCTION clientele._cluster_expression(rule text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.substring(rule, '^(clientele[.]_nearest_centroid[(].*[)]) = [0-9]+$'::text);
COMMENT ON FUNCTION clientele._cluster_expression(text) IS
    'Internal: of a rule of learned segments (its text or its body), what gives the number of the nearest cluster; NULL for another rule.';

-- Readers inline these functions and see a new definition at their next statement; nobody waits, since no relation changes.
CREATE FUNCTION clientele._regenerate_segments(store name, parameters text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
    SET search_path = pg_catalog, pg_temp SET transform_null_equals = off SET standard_conforming_strings = on AS $$
DECLARE
    main text;
    assignments text;
    matches text;
    no_consent text;
BEGIN
    IF parameters IS NULL AND to_regclass(format('%I.customers', store)) IS NULL THEN
        RETURN;  -- what reads the functions is lost, and comes with them when the store is attached again
    END IF;
    -- CREATE OR REPLACE cannot rename parameters; they keep the names that the columns had when the functions were made.
    parameters := COALESCE(parameters, pg_get_function_arguments(clientele._segment_function(store, '_segment_main')));
    -- A transaction whose snapshot is older than another definer's commit must fail rather than generate from what it sees.
    EXECUTE format('UPDATE %I.segmentations SET default_segment = default_segment WHERE segmentation = ''main''', store);
    EXECUTE format($q$
        WITH rules AS (
            SELECT r.*, clientele._cluster_expression(r.body) AS cluster FROM %1$I.segment_rules AS r WHERE r.body IS NOT NULL
        ), choice AS (
            SELECT g.segmentation, CASE WHEN count(r.body) = 0 THEN quote_literal(g.default_segment) || '::text'
                -- The nearest cluster is found once a customer, not once a rule.
                WHEN count(DISTINCT r.cluster) = 1 AND count(r.cluster) = count(r.body)
                THEN 'CASE ' || min(r.cluster) || string_agg(' WHEN ' || substr(r.body, length(r.cluster || ' = ') + 1)
                         || ' THEN ' || quote_literal(r.segment) || '::text', '' ORDER BY r.priority)
                     || ' ELSE ' || quote_literal(g.default_segment) || '::text END'
                ELSE 'CASE ' || string_agg('WHEN ' || r.body || ' THEN ' || quote_literal(r.segment) || '::text', ' ' ORDER BY r.priority)
                     || ' ELSE ' || quote_literal(g.default_segment) || '::text END' END AS segment
            FROM %1$I.segmentations AS g LEFT JOIN rules AS r ON r.segmentation = g.segmentation
            GROUP BY g.segmentation, g.default_segment)
        SELECT (SELECT c.segment FROM choice AS c WHERE c.segmentation = 'main'),
            -- A branch each rather than VALUES, which would be set up anew for each customer, and would compute all
            -- segmentations for who asks for one.
            (SELECT string_agg('SELECT ' || quote_literal(c.segmentation) || '::text, ' || c.segment, ' UNION ALL ' ORDER BY c.segmentation)
             FROM choice AS c),
            (SELECT 'VALUES ' || string_agg('(' || quote_literal(r.segmentation) || '::text, ' || r.priority || ', '
                || quote_literal(r.segment) || '::text, (' || r.body || ')::boolean)', ', ' ORDER BY r.segmentation, r.priority)
             FROM rules AS r),
            (SELECT 'array_remove(ARRAY[' || string_agg('CASE WHEN ' || COALESCE(r.body, 'false') || ' THEN NULL ELSE '
                || quote_literal(r.segment) || '::text END', ', ' ORDER BY r.segment) || '], NULL)'
             FROM %1$I.segment_rules AS r WHERE r.segmentation = '')
        $q$, store) INTO main, assignments, matches, no_consent;
    matches := COALESCE(matches, 'SELECT NULL::text, NULL::integer, NULL::text, NULL::boolean WHERE false');

    EXECUTE format('CREATE OR REPLACE FUNCTION %I._segment_main(%s) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE RETURN %s',
        store, parameters, main);
    EXECUTE format('CREATE OR REPLACE FUNCTION %I._segments(%s) RETURNS SETOF clientele.segment_assignment '
        'LANGUAGE sql STABLE PARALLEL SAFE BEGIN ATOMIC %s; END', store, parameters, assignments);
    EXECUTE format('CREATE OR REPLACE FUNCTION %I._matches(%s) RETURNS SETOF clientele.segment_match LANGUAGE sql STABLE PARALLEL SAFE '
        'BEGIN ATOMIC %s; END', store, parameters, matches);
    EXECUTE format('CREATE OR REPLACE FUNCTION %I._no_consent(%s) RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE RETURN %s',
        store, parameters, COALESCE(no_consent, 'NULL::text[]'));
    PERFORM clientele._refresh_rules(store);
    PERFORM clientele._warn_of_lost_rules(store);
END $$;
COMMENT ON FUNCTION clientele._regenerate_segments(name, text) IS
    'Internal: writes a store''s functions _segment_main, _segments and _matches anew from its rules; parameters are given as long as '
    'there is no view customers.';

-- ---- Definitions ----

CREATE FUNCTION clientele._refuse_taken_name(store name, segment text, segmentation text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    taken boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.segmentations AS g WHERE g.segmentation = $1 AND g.default_segment = $2)', store)
        INTO taken USING segmentation, segment;
    IF taken THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_object',
            MESSAGE = format('segment "%s" is the default segment of segmentation "%s"', segment, segmentation),
            DETAIL = 'The default segment is for customers that no rule matches, so it has no rule.',
            HINT = 'Choose another name, or make another segment the default with set_default_segment.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._refuse_taken_name(name, text, text) IS 'Internal: refuses a rule for the default segment.';

CREATE FUNCTION clientele._segment_priority(store name, segment text, priority integer, segmentation text) RETURNS integer
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanted bigint := priority;
    holder text;
BEGIN
    IF wanted IS NULL THEN
        EXECUTE format('SELECT COALESCE((SELECT r.priority FROM %1$I.segment_rules AS r WHERE r.segmentation = $1 AND r.segment = $2), '
            '(SELECT max(r.priority)::bigint + 10 FROM %1$I.segment_rules AS r WHERE r.segmentation = $1), 10)', store)
            INTO wanted USING segmentation, segment;
        IF wanted > 2147483647 THEN
            RAISE EXCEPTION USING ERRCODE = 'numeric_value_out_of_range',
                MESSAGE = format('no priority is left above those of segmentation "%s"', segmentation),
                HINT = 'Name a priority.';
        END IF;
    END IF;
    EXECUTE format('SELECT r.segment FROM %I.segment_rules AS r WHERE r.segmentation = $1 AND r.priority = $2 AND r.segment <> $3', store)
        INTO holder USING segmentation, wanted, segment;
    IF holder IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'unique_violation',
            MESSAGE = format('priority %s is taken by segment "%s"', wanted, holder),
            DETAIL = 'The segment of the lowest priority number whose rule matches is assigned, so two must not share one.',
            HINT = 'Choose another priority, or leave it out to come last.';
    END IF;
    RETURN wanted;
END $$;
COMMENT ON FUNCTION clientele._segment_priority(name, text, integer, text) IS
    'Internal: the priority that a segment gets; a taken one is refused.';

CREATE FUNCTION clientele._refuse_undisclosed(store name, segment text, segmentation text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    programs text[];
BEGIN
    IF segmentation <> 'main' THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT array_agg(p.program ORDER BY p.priority) FROM %I.programs AS p '
        'WHERE $1 = ANY (p.segments) AND p.disclosure IS NULL', store)
        INTO programs USING segment;
    IF programs IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('segment "%s" cannot be sensitive: an offer without a disclosure is aimed at it', segment),
            DETAIL = format('Programs without a disclosure: %s.', clientele._name_list(programs, 'none')),
            HINT = 'Give these programs a disclosure with define_offer first.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._refuse_undisclosed(name, text, text) IS
    'Internal: an offer aimed at a sensitive segment must carry a disclosure.';

CREATE FUNCTION clientele.define_segment(store name, segment text, rule text, priority integer DEFAULT NULL, description text DEFAULT NULL,
    sensitive boolean DEFAULT NULL, segmentation text DEFAULT 'main') RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    former record;
BEGIN
    PERFORM clientele._lock_rules(store);
    EXECUTE format('SELECT max(r.description) AS description, bool_or(r.sensitive) AS sensitive FROM %I.segment_rules AS r '
        'WHERE r.segmentation = $1 AND r.segment = $2', store) INTO former USING segmentation, segment;
    sensitive := COALESCE(sensitive, former.sensitive, false);
    PERFORM clientele._write_segment(store, segmentation, segment, rule, priority, COALESCE(description, former.description), sensitive);
    IF sensitive THEN
        PERFORM clientele._refuse_undisclosed(store, segment, segmentation);
    END IF;
    PERFORM clientele._regenerate_segments(store);
    -- What is learnt of a sensitive segment, or of one that rests on the same, is not used.
    IF sensitive OR former.sensitive OR clientele._sensitive_segments(store) <> '{}' THEN
        PERFORM clientele._regenerate_offers(store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele.define_segment(name, text, text, integer, text, boolean, text) IS
    'Defines or redefines a segment: a boolean expression over the columns of the view customers. What a redefinition leaves out '
    '(priority, description, sensitive) stays as it was; a new segment comes last. A new segmentation starts with the default segment '
    '"default".';

CREATE FUNCTION clientele._write_segment(store name, segmentation text, segment text, rule text, priority integer, description text,
    sensitive boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    checked record;
BEGIN
    PERFORM clientele._require('segment', segment IS NOT NULL);
    PERFORM clientele._require('rule', rule IS NOT NULL);
    PERFORM clientele._require('segmentation', segmentation IS NOT NULL);
    PERFORM clientele._check_name('segment', segment, 'Give it a name, such as families.');
    PERFORM clientele._check_name('segmentation', segmentation, 'Give it a name, such as families.');
    PERFORM clientele._begin_segmentation(store, segmentation);
    PERFORM clientele._refuse_taken_name(store, segment, segmentation);
    checked := clientele._check_expression(rule, clientele._customers_view(store), 'segment rule', false, '{segment}');
    PERFORM clientele._refuse_margins(store, segmentation, segment, checked.columns);
    priority := clientele._segment_priority(store, segment, priority, segmentation);
    EXECUTE format('INSERT INTO %I.segment_rules AS r (segmentation, segment, priority, rule, operands, description, sensitive, body) '
        'VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (segmentation, segment) DO UPDATE '
        'SET priority = $3, rule = $4, operands = $5, description = $6, sensitive = $7, body = $8', store)
        USING segmentation, segment, priority, checked.deparsed, checked.operands, description, sensitive, checked.body;
END $$;
COMMENT ON FUNCTION clientele._write_segment(name, text, text, text, integer, text, boolean) IS
    'Internal: checks a segment and writes its row. The caller holds the lock of _lock_rules(), looks after disclosures, and regenerates '
    'the functions.';

-- What a customer has done is nobody's attribute: columns that are computed from orders tell nobody by themselves.
CREATE FUNCTION clientele._sensitive_segments(store name) RETURNS text[]
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings constant clientele.store_settings := clientele._settings(store);
    segments text[];
BEGIN
    EXECUTE format('
        WITH attributes AS (
            SELECT a.attnum::integer AS ordinal FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND NOT a.attisdropped
                AND (a.attname = ''category_mix'' OR a.attname IN (SELECT n.name FROM clientele._attributes($2) n))
        ), rules AS (
            SELECT r.segmentation, r.segment, r.sensitive, ARRAY(SELECT a.ordinal FROM attributes a
                WHERE a.ordinal IN (SELECT m[1]::integer FROM regexp_matches(r.body, ''\$(\d+)'', ''g'') m)) AS attributes
            FROM %I.segment_rules r
        ), telling AS (
            SELECT array_agg(DISTINCT t.attribute) AS attributes FROM rules r CROSS JOIN LATERAL unnest(r.attributes) t (attribute)
            WHERE r.sensitive)
        SELECT array_agg(r.segment ORDER BY r.segment) FROM rules r CROSS JOIN telling t
        WHERE r.segmentation = ''main'' AND (r.sensitive OR r.attributes && t.attributes)', store)
        INTO segments USING format('%I.customers', store), settings;
    RETURN coalesce(segments, '{}');
END $$;
COMMENT ON FUNCTION clientele._sensitive_segments(name) IS
    'The segments of main that are sensitive, or whose rules rest on an attribute, or on the categories of what was bought, as one of any '
    'segmentation does that is: of them nothing of their own may be learnt.';

CREATE FUNCTION clientele._begin_segmentation(store name, segmentation text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('INSERT INTO %I.segmentations (segmentation, default_segment) VALUES ($1, ''default'') ON CONFLICT DO NOTHING', store)
        USING segmentation;
END $$;
COMMENT ON FUNCTION clientele._begin_segmentation(name, text) IS
    'Internal: a segmentation that the store does not have yet begins with the default segment "default".';

CREATE FUNCTION clientele._segment_references(store name, segment text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found text;
BEGIN
    EXECUTE format($q$
        SELECT string_agg(u.kind || ' "' || u.name || '"', ', ' ORDER BY u.kind, u.name)
        FROM (SELECT 'content of slot', c.slot FROM %1$I.contents AS c WHERE c.segment = $1
              UNION ALL
              SELECT 'offer', p.program FROM %1$I.programs AS p WHERE $1 = ANY (p.segments)
              UNION ALL
              SELECT 'the margins', 'by_segment' FROM %1$I.settings AS s WHERE s.options -> 'margin_by_segment' ? $1) AS u(kind, name)
        $q$, store) INTO found USING segment;
    RETURN found;
END $$;
COMMENT ON FUNCTION clientele._segment_references(name, text) IS
    'Internal: the contents and offers for a segment of segmentation main, or NULL.';

CREATE FUNCTION clientele.drop_segment(store name, segment text, segmentation text DEFAULT 'main') RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known text[];
    sensitive boolean;
BEGIN
    PERFORM clientele._lock_rules(store);
    PERFORM clientele._require('segment', segment IS NOT NULL);
    PERFORM clientele._require('segmentation', segmentation IS NOT NULL);
    known := clientele._segment_names(store, segmentation);
    IF segment = known[cardinality(known)] THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('segment "%s" is the default segment of segmentation "%s"', segment, segmentation),
            DETAIL = 'A segmentation always has a default segment.',
            HINT = 'Make another segment the default with set_default_segment.';
    ELSIF segment <> ALL (known) THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object',
            MESSAGE = format('segment "%s" does not exist in segmentation "%s"', segment, segmentation),
            HINT = format('Segments there: %s.', clientele._name_list(trim_array(known, 1), 'none'));
    END IF;
    PERFORM clientele._refuse_referenced(store, segment, segmentation);
    EXECUTE format('DELETE FROM %I.segment_rules WHERE segmentation = $1 AND segment = $2 RETURNING sensitive', store) INTO sensitive
        USING segmentation, segment;
    PERFORM clientele._end_segmentations(store);
    PERFORM clientele._regenerate_segments(store);
    IF sensitive THEN
        PERFORM clientele._regenerate_offers(store);  -- others may have rested on the same
    END IF;
END $$;
COMMENT ON FUNCTION clientele.drop_segment(name, text, text) IS
    'Drops a segment that no content and no offer refers to. A segmentation other than main goes with its last segment.';

CREATE FUNCTION clientele._refuse_referenced(store name, segment text, segmentation text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    used_by text := CASE WHEN segmentation = 'main' THEN clientele._segment_references(store, segment) END;
BEGIN
    IF used_by IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'dependent_objects_still_exist',
            MESSAGE = format('cannot drop segment "%s" because others refer to it', segment),
            DETAIL = format('It is used by %s.', used_by),
            HINT = 'Drop or redefine these first.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._refuse_referenced(name, text, text) IS
    'Internal: refuses to drop a segment that a content or an offer refers to.';

CREATE FUNCTION clientele._end_segmentations(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('DELETE FROM %1$I.segmentations AS g WHERE g.segmentation <> ''main'' '
        'AND NOT EXISTS (SELECT FROM %1$I.segment_rules AS r WHERE r.segmentation = g.segmentation)', store);
END $$;
COMMENT ON FUNCTION clientele._end_segmentations(name) IS 'Internal: a segmentation other than main goes with its last segment.';

CREATE FUNCTION clientele.set_default_segment(store name, segment text, segmentation text DEFAULT 'main') RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known text[];
    former text;
BEGIN
    PERFORM clientele._lock_rules(store);
    PERFORM clientele._require('segment', segment IS NOT NULL);
    PERFORM clientele._require('segmentation', segmentation IS NOT NULL);
    PERFORM clientele._check_name('segment', segment, 'Give it a name, such as average.');
    known := clientele._segment_names(store, segmentation);
    former := known[cardinality(known)];
    IF segment = former THEN
        RETURN;
    ELSIF segment = ANY (known) THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_object',
            MESSAGE = format('segment "%s" has a rule, so it cannot be the default of segmentation "%s"', segment, segmentation),
            DETAIL = 'The default segment is for customers that no rule matches.',
            HINT = 'Choose another name, or drop the segment first.';
    END IF;
    EXECUTE format('UPDATE %I.segmentations SET default_segment = $2 WHERE segmentation = $1', store) USING segmentation, segment;
    IF segmentation = 'main' THEN
        PERFORM clientele._rename_references(store, former, segment);
    END IF;
    PERFORM clientele._regenerate_segments(store);
END $$;
COMMENT ON FUNCTION clientele.set_default_segment(name, text, text) IS
    'Names the segment of the customers that no rule matches. Contents and offers for the former default segment are carried over.';

-- The customers of a segment stay the same under its new name, so what was meant for them stays theirs.
CREATE FUNCTION clientele._rename_references(store name, former text, segment text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('UPDATE %I.contents SET segment = $2 WHERE segment = $1', store) USING former, segment;
    EXECUTE format('UPDATE %I.programs SET segments = array_replace(segments, $1, $2) WHERE $1 = ANY (segments)', store)
        USING former, segment;
    PERFORM clientele._rename_margin(store, former, segment);
    EXECUTE format('DELETE FROM %I.typical_values WHERE segment = $1', store) USING segment;
    EXECUTE format('UPDATE %I.typical_values SET segment = $2 WHERE segment = $1', store) USING former, segment;
    PERFORM clientele._regenerate_offers(store);
END $$;
COMMENT ON FUNCTION clientele._rename_references(name, text, text) IS
    'Internal: carries contents, offers and typical values of a segment of main over to its new name.';

-- ---- One customer ----

CREATE FUNCTION clientele._customer_source(store name, as_of timestamptz) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET datestyle = 'ISO'
    RETURN pg_catalog.format(CASE WHEN as_of OPERATOR(pg_catalog.<) pg_catalog.now() THEN '%I.customers_at(%L::pg_catalog.timestamptz)'
        ELSE '%I.customers' END,
        store, as_of);
COMMENT ON FUNCTION clientele._customer_source(name, timestamptz) IS
    'Internal: from where customers are read: as stored, or as of a past time from the orders.';

CREATE FUNCTION clientele._segments_of(customer text, store name, segmentation text, as_of timestamptz) RETURNS text[]
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shop name;
    key text;
    segments text[];
BEGIN
    IF customer IS NULL THEN
        RETURN NULL;
    END IF;
    shop := clientele._resolve_store(store);
    PERFORM clientele._require_readable(shop, as_of);
    key := clientele._key_literal(shop, customer);
    PERFORM clientele._require('segmentation', segmentation IS NOT NULL);
    PERFORM clientele._segment_names(shop, segmentation);
    IF key IS NULL THEN
        RETURN '{}'::text[];
    END IF;
    EXECUTE format('SELECT array_agg(m.segment ORDER BY m.priority) FROM %s AS c CROSS JOIN LATERAL %I._matches(%s) AS m '
        'WHERE c.customer_id OPERATOR(pg_catalog.=) %s AND m.segmentation = $1 AND m.matches',
        clientele._customer_source(shop, as_of), shop, clientele._segment_arguments(shop, 'c'), key) INTO segments USING segmentation;
    RETURN COALESCE(segments, '{}');
END $$;
COMMENT ON FUNCTION clientele._segments_of(text, name, text, timestamptz) IS 'Internal: segments_of for any type of key.';

CREATE FUNCTION clientele.segments_of(customer bigint, store name DEFAULT NULL, segmentation text DEFAULT 'main',
    as_of timestamptz DEFAULT NULL) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL UNSAFE RETURN clientele._segments_of(customer::text, store, segmentation, as_of);
CREATE FUNCTION clientele.segments_of(customer uuid, store name DEFAULT NULL, segmentation text DEFAULT 'main',
    as_of timestamptz DEFAULT NULL) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL UNSAFE RETURN clientele._segments_of(customer::text, store, segmentation, as_of);
CREATE FUNCTION clientele.segments_of(customer text, store name DEFAULT NULL, segmentation text DEFAULT 'main',
    as_of timestamptz DEFAULT NULL) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL UNSAFE RETURN clientele._segments_of(customer, store, segmentation, as_of);
CALL clientele._comment_on_overloads('segments_of({key}, name, text, timestamptz)',
    'All segments whose rules match this customer, in order of priority; the default segment is no match.');
