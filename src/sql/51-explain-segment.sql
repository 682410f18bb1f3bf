-- Why a customer is in a segment: each rule, what it reads, and what comes of it.

CREATE TYPE clientele.found_value AS (value jsonb, problem text);
COMMENT ON TYPE clientele.found_value IS 'The value of an expression for one customer, or why there is none.';

CREATE FUNCTION clientele._evaluate(source text, key text, expressions text[]) RETURNS clientele.found_value[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found clientele.found_value[];
BEGIN
    EXECUTE format('SELECT ARRAY[%s]::clientele.found_value[] FROM %s AS c WHERE c.customer_id OPERATOR(pg_catalog.=) %s',
        (SELECT string_agg(format('ROW(clientele._as_jsonb(%s), NULL)', e.expression), ', ' ORDER BY e.place)
         FROM unnest(expressions) WITH ORDINALITY AS e(expression, place)), source, key) INTO found;
    RETURN found;
END $$;
COMMENT ON FUNCTION clientele._evaluate(text, text, text[]) IS
    'Internal: values of expressions over one customer''s row, read once; NULL where there is no such customer.';

-- One expression that fails, say by a division by zero, must not hide the others.
CREATE FUNCTION clientele._evaluate_each(source text, key text, expressions text[]) RETURNS clientele.found_value[]
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found clientele.found_value[] := '{}'::clientele.found_value[];
BEGIN
    BEGIN
        RETURN clientele._evaluate(source, key, expressions);
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END;
    FOR place IN 1 .. cardinality(expressions) LOOP
        BEGIN
            found := found || COALESCE((clientele._evaluate(source, key, expressions[place:place]))[1],
                ROW(NULL, NULL)::clientele.found_value);
        EXCEPTION WHEN OTHERS THEN
            found := found || ROW(NULL, SQLERRM)::clientele.found_value;
        END;
    END LOOP;
    RETURN found;
END $$;
COMMENT ON FUNCTION clientele._evaluate_each(text, text, text[]) IS
    'Internal: the same, where a failing expression gets its error message instead of a value.';

-- For people: no seventh digit of a share, no microseconds of an instant.
CREATE FUNCTION clientele._readable(value jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN jsonb_typeof(value) = 'number' AND scale(value::numeric) > 6 AND value::numeric <> 0
        THEN trim_scale(round(value::numeric, greatest(2, 5 - floor(log(abs(value::numeric)))::integer)))::text
        WHEN jsonb_typeof(value) = 'string'
        THEN quote_literal(regexp_replace(value #>> '{}', '^([0-9]+-[0-9]{2}-[0-9]{2})T([0-9:]{8})([.][0-9]+)?', '\1 \2'))
        ELSE value::text END
$$;
COMMENT ON FUNCTION clientele._readable(jsonb) IS
    'Internal: a value for people: six significant digits (two decimals at least) of a number with more, times in whole seconds.';

CREATE FUNCTION clientele._show_value(found clientele.found_value) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (found).problem IS NOT NULL THEN '(' OPERATOR(pg_catalog.||) (found).problem OPERATOR(pg_catalog.||) ')'
                WHEN (found).value IS NULL THEN 'NULL'
                ELSE clientele._readable((found).value) END;
COMMENT ON FUNCTION clientele._show_value(clientele.found_value) IS 'Internal: a value as an explanation shows it.';

CREATE TYPE clientele.segment_verdict AS (
    priority integer, segment text, condition text, value_found text, outcome text, assigned boolean);
COMMENT ON TYPE clientele.segment_verdict IS 'Internal: a row of explain_segment().';

CREATE TYPE clientele.explained_rule AS (
    priority integer, segment text, rule text, sensitive boolean, kept text, operands text[], shown text, labels text[]);
COMMENT ON TYPE clientele.explained_rule IS
    'Internal: a rule as its definer wrote it, and as the server knows it now (kept; NULL: not any more), with what decides it.';

CREATE FUNCTION clientele._rules_to_explain(store name, segmentation text) RETURNS clientele.explained_rule[]
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET transform_null_equals = off AS $$
DECLARE
    rules clientele.explained_rule[];
BEGIN
    EXECUTE format('
        SELECT array_agg(ROW(r.priority, r.segment, r.rule, r.sensitive, k.rule, k.operands, k.shown, k.labels)::clientele.explained_rule
            ORDER BY r.priority)
        FROM %1$I.segment_rules AS r
        LEFT JOIN clientele._kept_rules(%1$L) AS k ON k.segmentation = r.segmentation AND k.segment = r.segment
        WHERE r.segmentation = $1', store) INTO rules USING segmentation;
    RETURN rules;
END $$;
COMMENT ON FUNCTION clientele._rules_to_explain(name, text) IS 'Internal: the rules of a segmentation, by priority; NULL without any.';

CREATE FUNCTION clientele._rule_condition(rule clientele.explained_rule) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN clientele._cluster_expression(rule.kept) IS NULL THEN coalesce(rule.shown, rule.rule)
        ELSE format('nearest cluster of (%s) is "%s"', array_to_string(rule.labels, ', '), rule.segment) END
$$;
COMMENT ON FUNCTION clientele._rule_condition(clientele.explained_rule) IS 'Internal: a rule as an explanation shows it.';

CREATE FUNCTION clientele._rule_outcome(rule clientele.explained_rule, verdict clientele.found_value, hidden boolean) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN rule.kept IS NULL THEN 'cannot be understood: define it anew'
        WHEN verdict.problem IS NOT NULL THEN concat('fails', CASE WHEN NOT hidden THEN ': ' || verdict.problem END)
        WHEN verdict.value IS NULL THEN 'null: no match'
        WHEN verdict.value::boolean THEN 'matches'
        ELSE 'does not match' END
$$;
COMMENT ON FUNCTION clientele._rule_outcome(clientele.explained_rule, clientele.found_value, boolean) IS
    'Internal: what became of a rule; hidden: what it found is not for the caller to see.';

CREATE FUNCTION clientele._verdicts(rules clientele.explained_rule[], evaluated clientele.found_value[], is_owner boolean)
    RETURNS SETOF clientele.segment_verdict
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    rule clientele.explained_rule;
    verdict clientele.found_value;
    shown clientele.segment_verdict;
    at integer := 1;   -- where the rule stands in evaluated; its operands follow
    hidden boolean;
    decided boolean := false;
BEGIN
    FOREACH rule IN ARRAY rules LOOP
        hidden := rule.sensitive AND NOT is_owner;
        verdict := CASE WHEN rule.kept IS NOT NULL THEN evaluated[at] END;
        shown.priority := rule.priority;
        shown.segment := rule.segment;
        shown.condition := clientele._rule_condition(rule);
        shown.outcome := clientele._rule_outcome(rule, verdict, hidden);
        shown.value_found := CASE WHEN hidden THEN '(hidden: sensitive)'
            WHEN evaluated IS NOT NULL THEN (
                SELECT string_agg(o.label || ' = ' || clientele._show_value(evaluated[at + o.place]), ', ' ORDER BY o.place)
                FROM unnest(rule.labels) WITH ORDINALITY AS o(label, place)) END;
        shown.assigned := shown.outcome = 'matches' AND NOT decided;
        -- Where a rule fails before one matches, assign_segment fails, so nothing is assigned.
        decided := decided OR shown.outcome = 'matches' OR verdict.problem IS NOT NULL;
        at := at + coalesce(1 + cardinality(rule.labels), 0);
        RETURN NEXT shown;
    END LOOP;
    shown := ROW(NULL, NULL, 'default', NULL, CASE WHEN decided THEN 'not needed' ELSE 'applies' END, NOT decided);
    RETURN NEXT shown;
END $$;
COMMENT ON FUNCTION clientele._verdicts(clientele.explained_rule[], clientele.found_value[], boolean) IS
    'Internal: what each rule says of a customer, and at the end whether the default segment applies. evaluated: the values of the '
    'rules that the server knows, each followed by those of its operands; NULL where there is no such customer.';

CREATE FUNCTION clientele._explain_segment(customer text, store name, segmentation text, as_of timestamptz)
    RETURNS TABLE (priority integer, segment text, condition text, value_found text, outcome text, assigned boolean)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET transform_null_equals = off AS $$
DECLARE
    shop name;
    key text;
    known text[];
    rules clientele.explained_rule[];
    expressions text[];
    found clientele.found_value[];
BEGIN
    IF customer IS NULL THEN
        RETURN;
    END IF;
    shop := clientele._resolve_store(store);
    PERFORM clientele._require_readable(shop, as_of);
    key := clientele._key_literal(shop, customer);
    PERFORM clientele._require('segmentation', segmentation IS NOT NULL);
    known := clientele._segment_names(shop, segmentation);
    rules := coalesce(clientele._rules_to_explain(shop, segmentation), '{}');
    expressions := ARRAY(SELECT e.expression FROM unnest(rules) AS r
        CROSS JOIN LATERAL unnest(r.kept || r.operands) WITH ORDINALITY AS e(expression, place) WHERE r.kept IS NOT NULL
        ORDER BY r.priority, e.place);
    IF key IS NOT NULL AND cardinality(expressions) > 0 THEN
        found := clientele._evaluate_each(clientele._customer_source(shop, as_of), key, expressions);
    END IF;
    RETURN QUERY SELECT v.priority, coalesce(v.segment, known[cardinality(known)]), v.condition, v.value_found, v.outcome, v.assigned
        FROM clientele._verdicts(rules, found,
            pg_has_role((SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = shop), 'USAGE')) AS v;
END $$;
COMMENT ON FUNCTION clientele._explain_segment(text, name, text, timestamptz) IS 'Internal: explain_segment for any type of key.';

CREATE FUNCTION clientele.explain_segment(customer bigint, store name DEFAULT NULL, segmentation text DEFAULT 'main',
    as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (priority integer, segment text, condition text, value_found text, outcome text, assigned boolean)
    LANGUAGE sql STABLE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT * FROM clientele._explain_segment(customer::text, store, segmentation, as_of); END;
CREATE FUNCTION clientele.explain_segment(customer uuid, store name DEFAULT NULL, segmentation text DEFAULT 'main',
    as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (priority integer, segment text, condition text, value_found text, outcome text, assigned boolean)
    LANGUAGE sql STABLE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT * FROM clientele._explain_segment(customer::text, store, segmentation, as_of); END;
CREATE FUNCTION clientele.explain_segment(customer text, store name DEFAULT NULL, segmentation text DEFAULT 'main',
    as_of timestamptz DEFAULT NULL)
    RETURNS TABLE (priority integer, segment text, condition text, value_found text, outcome text, assigned boolean)
    LANGUAGE sql STABLE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT * FROM clientele._explain_segment(customer, store, segmentation, as_of); END;
CALL clientele._comment_on_overloads('explain_segment({key}, name, text, timestamptz)',
    'Rule by rule, by priority: the condition, the values found, the outcome, and whether it is the segment that this customer is '
    'assigned to; the default segment last.');
