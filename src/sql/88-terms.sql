-- What a store decides by, as one document: what was learnt from all customers in one place decides the same on every shard.

CREATE FUNCTION clientele._terms_format() RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 1;
COMMENT ON FUNCTION clientele._terms_format() IS
    'The format of the documents that export_terms() writes, and the only one that apply_terms() reads.';

CREATE FUNCTION clientele._our_version() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.extversion FROM pg_extension e WHERE e.extname = 'clientele'
$$;
COMMENT ON FUNCTION clientele._our_version() IS 'Internal: the version of the extension in this database.';

-- ---- Export ----

CREATE FUNCTION clientele.export_terms(store name) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1 AS $$
DECLARE
    learnt jsonb;
BEGIN
    PERFORM clientele._require_store(store);
    EXECUTE clientele._fill($q$
        SELECT jsonb_build_object(
            'population', (SELECT to_jsonb(s) FROM (SELECT breaks_r, breaks_f, breaks_m, net_share, recent_bound, value_prior, season
                FROM {store}.scoring) s),
            'typical_values', (SELECT coalesce(jsonb_agg(t ORDER BY t.segment COLLATE "C"), '[]') FROM {store}.typical_values t),
            'budget_prices', (SELECT coalesce(jsonb_object_agg(b.program, b.price), '{}') FROM {store}.budget_prices b),
            'models', (SELECT coalesce(jsonb_agg(to_jsonb(m) ORDER BY m.kind COLLATE "C"), '[]')
                FROM (SELECT kind, parameters, data_from, data_to, customers, diagnostics FROM {store}.models
                      WHERE in_use AND kind <> 'affinity') m))
        $q$, 'store', quote_ident(store)) INTO learnt;
    RETURN jsonb_build_object('format', clientele._terms_format()) || clientele._common_terms(store) || learnt
        || jsonb_build_object('definitions', clientele.export_definitions(store));
END $$;
COMMENT ON FUNCTION clientele.export_terms(name) IS
    'What a store decides by, as one document for apply_terms(): its definitions (export_definitions), the breaks, medians and priors of '
    'its customers as of the last refresh, its models in use, what its budgets earn, and the seed of its random choices. Nothing of any '
    'one customer. Not what goes together in baskets: a shard learns that by itself. For everybody who may read the store''s tables.';

CREATE FUNCTION clientele._common_terms(store name) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('version', clientele._our_version(), 'currency', s.currency, 'time_zone', s.time_zone,
        'margin', trim_scale(s.margin), 'seed', s.seed)
    FROM clientele._settings(store) s
$$;
COMMENT ON FUNCTION clientele._common_terms(name) IS 'Internal: what stores must have in common that decide by the same terms.';

-- ---- Application ----

CREATE FUNCTION clientele.apply_terms(store name, terms jsonb, budget_share numeric DEFAULT 1) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definitions jsonb;
BEGIN
    PERFORM clientele._require_owner(store);
    IF terms IS NOT NULL THEN
        PERFORM clientele._require_readable(store);
        PERFORM clientele._share_sources(store);  -- who learns segments reads orders
    END IF;
    PERFORM clientele._lock_rules(store);
    IF terms IS NOT NULL THEN
        PERFORM clientele._check_applied_terms(store, terms);
        definitions := clientele._with_budget_share(store, terms -> 'definitions', budget_share);
        PERFORM clientele._take_model(store, m) FROM jsonb_array_elements(terms -> 'models') m WHERE m ->> 'kind' LIKE 'kmeans:%';
        PERFORM FROM clientele.apply_definitions(store, definitions, prune => true);
        PERFORM clientele._take_population(store, terms);
        PERFORM clientele._take_models(store, terms -> 'models');
    END IF;
    EXECUTE format('UPDATE %I.settings SET options = coalesce(options, ''{}'') - ''terms_applied_at'' || $1', store)
        USING CASE WHEN terms IS NULL THEN '{}' ELSE jsonb_build_object('terms_applied_at', now()) END;
    PERFORM clientele._regenerate_offers(store);
END $$;
COMMENT ON FUNCTION clientele.apply_terms(name, jsonb, numeric) IS
    'Brings a store to decide by what export_terms() wrote elsewhere: definitions that are not in it go, models are added and put in use '
    'where those in use differ, and breaks, medians and priors are those of the document from now on: refreshes leave them alone until '
    'terms NULL lets the store go by its own customers again. All or nothing; owner only; twice is once. budget_share: which share '
    'of each budget this store has, above 0 and at most 1; NULL: budgets that its programs have stay (see budget_shares). '
    'Refused: another version, currency, time zone, margin or seed (the name that the store was created under), and what no store can '
    'have written.';

CREATE FUNCTION clientele._applies_terms(store name) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((clientele._settings(store)).options ? 'terms_applied_at', false)
$$;
COMMENT ON FUNCTION clientele._applies_terms(name) IS
    'Internal: whether breaks, medians and priors of a store came by apply_terms(), so that its own customers do not change them.';

-- ---- What is refused ----

CREATE FUNCTION clientele._terms_shape() RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT '{"format!": "number", "version!": "string", "currency!": "string", "time_zone!": "string", "margin!": "number",
             "seed!": "string", "definitions!": "any", "budget_prices!": "any",
             "population!": {"breaks_r": ["number"], "breaks_f": ["number"], "breaks_m": ["number"], "net_share": "number",
                 "recent_bound": "number", "season": "number",
                 "value_prior": {"d0": "any", "s0!": "number", "m0!": "number", "tau2!": "number"}},
             "typical_values!": [{"segment!": "string", "basis!": "string", "customers!": "bigint", "value!": "number"}],
             "models!": [{"kind!": "string", "parameters!": "any", "data_from": "timestamp with time zone",
                 "data_to": "timestamp with time zone", "customers!": "bigint", "diagnostics!": "any"}]}'::jsonb
$$;
COMMENT ON FUNCTION clientele._terms_shape() IS 'Internal: what a document of terms looks like.';

CREATE FUNCTION clientele._check_applied_terms(store name, terms jsonb) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    other record;
BEGIN
    IF jsonb_typeof(terms) = 'object' AND terms -> 'format' IS DISTINCT FROM to_jsonb(clientele._terms_format())
            AND jsonb_typeof(terms -> 'format') = 'number' THEN
        RAISE EXCEPTION 'these terms are of another format: %', terms -> 'format' USING ERRCODE = 'feature_not_supported',
            DETAIL = format('This version of clientele reads format %s.', clientele._terms_format()),
            HINT = 'All servers must have one version of the extension.';
    END IF;
    PERFORM clientele._refuse_terms(ARRAY(SELECT clientele._shape_faults(terms, clientele._terms_shape(), '$')));
    SELECT c.key, clientele._excerpt(terms -> c.key) AS theirs, c.value::text AS ours INTO other
        FROM jsonb_each(clientele._common_terms(store)) c
        WHERE terms -> c.key IS DISTINCT FROM c.value
        ORDER BY array_position('{version,currency,time_zone,margin,seed}', c.key) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the terms are those of a store with another %', replace(other.key, '_', ' ')
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('There it is %s, of store %s it is %s.', other.theirs, quote_ident(store), other.ours),
            HINT = CASE other.key WHEN 'version' THEN 'All servers must have one version of the extension.'
                WHEN 'seed' THEN 'Create all these stores under one name: it is what random choices are hashed with.'
                WHEN 'time_zone' THEN 'clientele.set_time_zone() changes it.'
                ELSE format('clientele.alter_store(%L, %s => ...) changes it.', store, other.key) END;
    END IF;
    PERFORM clientele._refuse_terms(clientele._terms_faults(terms));
END $$;
COMMENT ON FUNCTION clientele._check_applied_terms(name, jsonb) IS
    'Internal: refuses what is no document of terms, and terms of a store that decides differently.';

CREATE FUNCTION clientele._refuse_terms(faults text[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF cardinality(faults) > 0 THEN
        RAISE EXCEPTION 'invalid terms: %', faults[1] USING ERRCODE = 'invalid_parameter_value',
            DETAIL = concat_ws(E'\n', 'Nothing was applied.', nullif(array_to_string(faults[2:20], E'\n'), '')),
            HINT = 'clientele.export_terms() writes such documents; they are not made by hand.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._refuse_terms(text[]) IS 'Internal: refuses terms for all that is wrong with them.';

CREATE TYPE clientele._applied_population AS (breaks_r double precision[], breaks_f double precision[], breaks_m double precision[],
    net_share double precision, recent_bound numeric, value_prior clientele.value_prior, season double precision);
COMMENT ON TYPE clientele._applied_population IS 'Internal: of a store''s scoring what all customers say.';

-- What the tables do not refuse by themselves, and every reader would meet.
CREATE FUNCTION clientele._terms_faults(terms jsonb) RETURNS text[]
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    faults text[];
    p clientele._applied_population;
BEGIN
    SELECT array_agg(f.fault) INTO faults FROM (
        SELECT format('$.models: %s is no model that can be handed over', clientele._excerpt(m -> 'kind')) AS fault
            FROM jsonb_array_elements(terms -> 'models') m WHERE m ->> 'kind' !~ '^(clv|response|kmeans:.+|offer:.+)$'
        UNION ALL
        SELECT format('$.models: %s is there twice', clientele._excerpt(to_jsonb(m ->> 'kind')))
            FROM jsonb_array_elements(terms -> 'models') m GROUP BY m ->> 'kind' HAVING count(*) > 1
        UNION ALL
        SELECT format('$.typical_values: %s cannot be', clientele._excerpt(t)) FROM jsonb_array_elements(terms -> 'typical_values') t
            WHERE t ->> 'basis' NOT IN ('segment', 'store') OR (t -> 'customers')::numeric < 1 OR (t -> 'value')::numeric < 0
                OR (t -> 'value')::numeric >= 1e13
        UNION ALL
        SELECT format('$.typical_values: segment %s is there twice', clientele._excerpt(to_jsonb(t ->> 'segment')))
            FROM jsonb_array_elements(terms -> 'typical_values') t GROUP BY t ->> 'segment' HAVING count(*) > 1
        UNION ALL
        SELECT '$.budget_prices: a JSON object is expected' WHERE jsonb_typeof(terms -> 'budget_prices') <> 'object') f;
    IF faults IS NOT NULL THEN
        RETURN faults;
    END IF;
    p := clientele._read_population(terms);
    -- Called for their checks alone.
    PERFORM clientele.rfm_scores(NULL, NULL, NULL::double precision, ROW(p.breaks_r, p.breaks_f, p.breaks_m)::clientele.rfm_breaks),
        clientele._natural_share(NULL, p.value_prior, 1);
    RETURN ARRAY(SELECT format('$.%s cannot be', c.name) FROM (VALUES
        ('population.net_share', p.net_share BETWEEN 0 AND 1), ('population.recent_bound', p.recent_bound BETWEEN 0 AND 1e13),
        ('population.season', abs(p.season) <= 50)) c (name, holds) WHERE NOT c.holds
        UNION ALL SELECT format('$.budget_prices.%s = %s: a number from 0 is expected', b.key, clientele._excerpt(b.value))
            FROM jsonb_each(terms -> 'budget_prices') b
            WHERE CASE WHEN jsonb_typeof(b.value) = 'number' THEN b.value::numeric NOT BETWEEN 0 AND 1e15 ELSE true END);
EXCEPTION WHEN data_exception THEN
    RETURN ARRAY['$.population: ' || left(SQLERRM, 200)];
END $$;
COMMENT ON FUNCTION clientele._terms_faults(jsonb) IS 'Internal: what is wrong with terms of the right shape.';

CREATE FUNCTION clientele._read_population(terms jsonb) RETURNS clientele._applied_population
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_populate_record(NULL::clientele._applied_population, terms -> 'population')
$$;
COMMENT ON FUNCTION clientele._read_population(jsonb) IS 'Internal: what terms say of all customers.';

-- ---- What is taken over ----

CREATE FUNCTION clientele._take_population(store name, terms jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill('
        UPDATE {store}.scoring s SET breaks_r = n.breaks_r, breaks_f = n.breaks_f, breaks_m = n.breaks_m, breaks_at = now(),
            net_share = n.net_share, recent_bound = n.recent_bound, value_prior = n.value_prior, season = n.season
        FROM (SELECT $1.*) n', 'store', quote_ident(store)) USING clientele._read_population(terms);
    EXECUTE format('DELETE FROM %I.typical_values', store);
    EXECUTE format('INSERT INTO %I.typical_values (segment, basis, customers, value)
        SELECT t.segment, t.basis, t.customers, t.value
        FROM jsonb_to_recordset($1) AS t (segment text, basis text, customers numeric, value numeric)', store)
        USING terms -> 'typical_values';
    EXECUTE format('DELETE FROM %I.budget_prices', store);
    EXECUTE format('INSERT INTO %1$I.budget_prices (program, price, planned_at)
        SELECT b.key, b.value::double precision, now() FROM jsonb_each($1) b', store) USING terms -> 'budget_prices';
END $$;
COMMENT ON FUNCTION clientele._take_population(name, jsonb) IS 'Internal: takes over breaks, medians, priors and what budgets earn.';

CREATE FUNCTION clientele._take_models(store name, models jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kinds text[];
BEGIN
    PERFORM clientele._take_model(store, m) FROM jsonb_array_elements(models) m WHERE m ->> 'kind' NOT LIKE 'kmeans:%';
    EXECUTE format('SELECT array_agg(m.kind) FROM %I.models m WHERE m.in_use AND m.kind <> ''affinity'' AND m.kind NOT LIKE ''kmeans:%%''
        AND m.kind NOT IN (SELECT n ->> ''kind'' FROM jsonb_array_elements($1) n)', store) INTO kinds USING models;
    PERFORM clientele._use_version(store, k, NULL) FROM unnest(kinds) k;
END $$;
COMMENT ON FUNCTION clientele._take_models(name, jsonb) IS
    'Internal: takes over the models that are no segmentations, and puts those out of use that are not there.';

CREATE FUNCTION clientele._take_model(store name, model jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    kind constant text := model ->> 'kind';
    version integer;
BEGIN
    EXECUTE format('SELECT m.version FROM %I.models m
        WHERE m.kind = $1 ->> ''kind'' AND m.parameters = $1 -> ''parameters'' AND m.customers = ($1 ->> ''customers'')::numeric
            AND m.data_from IS NOT DISTINCT FROM ($1 ->> ''data_from'')::timestamptz
            AND m.data_to IS NOT DISTINCT FROM ($1 ->> ''data_to'')::timestamptz AND m.diagnostics = $1 -> ''diagnostics''
        ORDER BY m.in_use DESC, m.version DESC LIMIT 1', store) INTO version USING model;
    IF version IS NOT NULL THEN
        PERFORM clientele._use_version(store, kind, version);
    ELSE
        PERFORM clientele._add_model(store, kind, model -> 'parameters', (model ->> 'data_from')::timestamptz,
            (model ->> 'data_to')::timestamptz, (model ->> 'customers')::numeric::bigint, model -> 'diagnostics');
    END IF;
END $$;
COMMENT ON FUNCTION clientele._take_model(name, jsonb) IS
    'Internal: puts a model in use as it is in a document: the version that is the same, else one more.';

-- ---- Budgets ----

CREATE FUNCTION clientele._with_budget_share(store name, definitions jsonb, budget_share numeric) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    decimals constant integer := clientele._currency_decimals((clientele._settings(store)).currency);
    program record;
    budget numeric;
BEGIN
    IF (budget_share > 0 AND budget_share <= 1) IS FALSE THEN
        RAISE EXCEPTION 'invalid budget_share: %', budget_share USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'It is above 0 and at most 1.', HINT = 'NULL leaves the budgets that the programs have as they are.';
    END IF;
    PERFORM clientele._check_definitions(definitions, NULL);
    FOR program IN
        SELECT p.term ->> 'program' AS name, (p.term -> 'budget')::numeric AS budget, (p.nth - 1)::text AS place
        FROM jsonb_array_elements(nullif(definitions -> 'programs', 'null')) WITH ORDINALITY p (term, nth)
        WHERE jsonb_typeof(p.term -> 'budget') = 'number'
    LOOP
        budget := trunc(program.budget * budget_share, decimals);
        IF budget_share IS NULL THEN
            EXECUTE format('SELECT p.budget FROM %I.programs p WHERE p.program = $1', store) INTO budget USING program.name;
        END IF;
        IF budget IS NULL THEN
            RAISE EXCEPTION 'store % has no share of the budget of program "%" yet', quote_ident(store), program.name
                USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = 'Nothing was applied.',
                HINT = 'Say which it has: budget_share => 0.5, of two stores.';
        END IF;
        definitions := jsonb_set(definitions, ARRAY['programs', program.place, 'budget'], to_jsonb(trim_scale(budget)));
    END LOOP;
    RETURN definitions;
END $$;
COMMENT ON FUNCTION clientele._with_budget_share(name, jsonb, numeric) IS
    'Internal: definitions with a share of each budget, rounded down to the currency''s smallest unit, or with the budgets that the store '
    'has.';

CREATE FUNCTION clientele.budget_shares(budget numeric, promised numeric[], currency text DEFAULT 'USD') RETURNS numeric[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    decimals constant integer := clientele._currency_decimals(currency);
    unit constant numeric := 10::numeric ^ - decimals;
    total constant numeric := (SELECT sum(p) FROM unnest(promised) p);
BEGIN
    PERFORM clientele._require('budget', budget IS NOT NULL), clientele._require('promised', promised IS NOT NULL),
        clientele._require('currency', currency IS NOT NULL),
        clientele._check_currency(jsonb_populate_record(NULL::clientele.store_settings, jsonb_build_object('currency', currency)));
    IF array_ndims(promised) IS DISTINCT FROM 1 OR array_position(promised, NULL) IS NOT NULL
            OR (SELECT bool_or(p < 0 OR p >= 1e13) FROM unnest(promised) p) OR budget NOT BETWEEN 0 AND 1e13 THEN
        RAISE EXCEPTION 'invalid budget, or promised' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('budget is %s, promised is %s.', budget, left(promised::text, 100)),
            HINT = 'Pass for each store what it has promised and paid, reserved + spent of its budget_status: amounts from 0, none NULL.';
    ELSIF total > budget THEN
        RAISE EXCEPTION 'the budget is below what the stores have promised and paid: %', budget USING ERRCODE = 'invalid_parameter_value',
            HINT = format('The least budget that there can be is %s.', total);
    END IF;
    RETURN ARRAY(SELECT p.amount + round(
            clientele._slot_share(trunc((budget - total) / unit)::bigint, cardinality(promised), p.place::integer - 1) * unit, decimals)
        FROM unnest(promised) WITH ORDINALITY p (amount, place) ORDER BY p.place);
END $$;
COMMENT ON FUNCTION clientele.budget_shares(numeric, numeric[], text) IS
    'Which budget each of several stores gets of one that they share: what it has promised and paid (reserved + spent of its '
    'budget_status), and, in whole units of the currency, as much of what is left as every other. They add up to the budget, or to less '
    'than a unit below it. clientele.alter_offer(store, program, budget => ...) sets it: first where it falls, so that there is never '
    'more than the budget.';
