-- Models are versioned values of a store; what is in force of them, and of the RFM breaks, is one row that its views join.

CREATE TYPE clientele.model_version AS (
    kind text, version integer, in_use boolean, fitted_at timestamptz, parameters jsonb,
    data_from timestamptz, data_to timestamptz, customers bigint, diagnostics jsonb);
COMMENT ON TYPE clientele.model_version IS
    'A version of a model of a store. kind: clv (purchase and value model together), kmeans:SEGMENTATION, offer:PROGRAM (what its '
    'arms are worth), response (what offers do to orders), or affinity (which products go together). data_from, data_to: first order '
    'and time of what it was fitted to.';

CREATE FUNCTION clientele._create_models(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($models$
        CREATE TABLE {store}.models (LIKE clientele.model_version, PRIMARY KEY (kind, version));
        ALTER TABLE {store}.models ALTER in_use SET NOT NULL, ALTER fitted_at SET NOT NULL,
            ALTER parameters SET NOT NULL, ALTER customers SET NOT NULL, ALTER diagnostics SET NOT NULL;
        CREATE UNIQUE INDEX models_in_use ON {store}.models (kind) WHERE in_use;
        CREATE TABLE {store}.scoring (
            id integer PRIMARY KEY CHECK (id = 1),
            breaks_r double precision[], breaks_f double precision[], breaks_m double precision[],
            breaks_set boolean NOT NULL DEFAULT false, breaks_at timestamptz,
            decimals integer NOT NULL,
            net_share double precision, annual_discount double precision, recent_bound numeric, value_prior clientele.value_prior,
            season double precision, purchase_kind text, purchase double precision[], value double precision[], clv_version integer);
        CREATE TABLE {store}.budget_prices (
            program text PRIMARY KEY, price double precision NOT NULL CHECK (price >= 0), planned_at timestamptz NOT NULL);
        COMMENT ON TABLE {store}.budget_prices IS
            'What a unit of a program''s budget earns with the customers who get it: learned terms are worth making where they earn more.';
        COMMENT ON TABLE {store}.models IS
            'The versions of the store''s models: written by clientele.fit_clv, learn_segments, learn_offer, '
            'learn_affinity, fit_response and use_model.';
        COMMENT ON TABLE {store}.scoring IS
            'What the scores are computed from, in one row: written by refresh, clientele.set_rfm_breaks, fit_clv and use_model.';
        COMMENT ON COLUMN {store}.scoring.breaks_set IS
            'Whether set_rfm_breaks() set the breaks; otherwise refresh computes them, the quintiles of the customers.';
        COMMENT ON COLUMN {store}.scoring.net_share IS
            'total_spent by gross_spent of all customers, as of the last refresh: what refunds leave of the orders'' value.';
        COMMENT ON COLUMN {store}.scoring.recent_bound IS
            'What the last order of a customer with one or two counts for at most in offers, as of the last refresh: '
            'the typical order value that 95 % of the customers with three orders or more do not exceed; NULL below 30 such customers.';
        COMMENT ON COLUMN {store}.scoring.value_prior IS
            'How the customers'' order values differ, as of the last refresh: clientele.fit_value_prior of their profiles.';
        COMMENT ON COLUMN {store}.scoring.season IS
            'What the logarithms of orders are above what was expected, by customers held out in the last 28 days, as of the last refresh; '
            'NULL without a response in use, or without such customers.';
        COMMENT ON COLUMN {store}.scoring.purchase IS
            'r, alpha, a, b of a BG/NBD or MBG/NBD model, r, alpha, s, beta of a Pareto/NBD; times in days.';
        COMMENT ON COLUMN {store}.scoring.value IS 'p, q, v of a Gamma-Gamma model.';
        $models$, 'store', quote_ident(store));
    EXECUTE format('INSERT INTO %I.scoring (id, decimals) VALUES (1, clientele._currency_decimals($1))', store) USING settings.currency;
END $$;
COMMENT ON FUNCTION clientele._create_models(name, clientele.store_settings) IS 'The tables models and scoring of a new store.';

CREATE FUNCTION clientele._currency_decimals(currency text) RETURNS integer
    AS 'MODULE_PATHNAME', 'clientele_currency_decimals' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._currency_decimals(text) IS 'Decimals of a currency''s smallest unit, by ISO 4217.';

CREATE FUNCTION clientele._require_owner(store name) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require_store(store);
    IF NOT pg_has_role((SELECT nspowner FROM pg_namespace WHERE nspname = store), 'USAGE') THEN
        RAISE EXCEPTION 'must be owner of store %', quote_ident(store) USING ERRCODE = 'insufficient_privilege',
            HINT = format('Its owner is %s.', (SELECT nspowner::regrole FROM pg_namespace WHERE nspname = store));
    END IF;
END $$;
COMMENT ON FUNCTION clientele._require_owner(name) IS
    'Refuses all but a store''s owner, without a lock: for what computes for minutes before it writes.';

-- What is listed.

CREATE FUNCTION clientele._models()
    RETURNS TABLE (store name, kind text, version integer, in_use boolean, fitted_at timestamptz, parameters jsonb,
        data_from timestamptz, data_to timestamptz, customers bigint, diagnostics jsonb)
    LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.store, m.* FROM clientele._usable_stores() u
    JOIN pg_class c ON c.relnamespace = u.schema AND c.relname = 'models'
    CROSS JOIN LATERAL clientele._plain_rows(c.oid, NULL::clientele.model_version) m
    ORDER BY u.store, m.kind, m.version
$$;
COMMENT ON FUNCTION clientele._models() IS 'The rows of the view clientele.models.';

CREATE VIEW clientele.models AS SELECT * FROM clientele._models();
COMMENT ON VIEW clientele.models IS
    'The versions of the models of the stores that the caller may read. kind: clv (purchase and value model), kmeans:SEGMENTATION, '
    'offer:PROGRAM (expected_profit), response (what offers do to orders), or affinity (suggest_fill). '
    'in_use: the one that the store''s scores and segments are computed with. parameters: times are in days. '
    'data_from, data_to: the first order and the time that the fit counted up to. diagnostics: how it fits; for clv see clv_report().';
GRANT SELECT ON clientele.models TO PUBLIC;

-- What is in force.

-- A version that cannot be used is refused; NULL where there is none.
CREATE FUNCTION clientele._model(store name, kind text, version integer) RETURNS clientele.model_version
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found clientele.model_version;
    known text;
BEGIN
    EXECUTE format('SELECT * FROM %I.models m WHERE m.kind = $1 AND m.version = $2', store) INTO found USING kind, version;
    IF found.version IS NOT NULL THEN
        RETURN found;
    END IF;
    EXECUTE format('SELECT string_agg(m.version || CASE WHEN m.in_use THEN '' (in use)'' ELSE '''' END, '', '' ORDER BY m.version)
        FROM %I.models m WHERE m.kind = $1', store) INTO known USING kind;
    IF known IS NOT NULL AND version IS NULL THEN
        RAISE EXCEPTION '% cannot be without a model', kind USING ERRCODE = 'null_value_not_allowed',
            DETAIL = format('Its versions are: %s.', known), HINT = 'Use one of them, or drop its segments with clientele.drop_segment().';
    ELSIF known IS NOT NULL THEN
        RAISE EXCEPTION 'store % has no version % of %', quote_ident(store), version, kind USING ERRCODE = 'undefined_object',
            DETAIL = format('The versions of %s are: %s.', kind, known);
    END IF;
    EXECUTE format('SELECT string_agg(DISTINCT m.kind, '', '') FROM %I.models m', store) INTO known;
    RAISE EXCEPTION 'store % has no model of kind "%"', quote_ident(store), kind USING ERRCODE = 'undefined_object',
        DETAIL = coalesce('The kinds that it has are: ' || known || '.', 'It has no models.'),
        HINT = 'Models are made by clientele.fit_clv() (clv), learn_segments() (kmeans:SEGMENTATION), learn_offer() (offer:PROGRAM), '
            'learn_affinity() (affinity) and fit_response() (response).';
END $$;
COMMENT ON FUNCTION clientele._model(name, text, integer) IS
    'A version of a model; an error that lists what there is where it does not exist.';

-- The positive numbers of a model by name, as an array; anything else is an error, whoever wrote it. The limits are those of predictions.
CREATE FUNCTION clientele._model_numbers(model jsonb, VARIADIC names text[]) RETURNS double precision[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parameter text;
    accepted numeric[];
    numbers double precision[] := '{}'::double precision[];
BEGIN
    IF coalesce((model -> 'converged')::text, 'null') NOT IN ('true', 'null') THEN
        RAISE EXCEPTION 'a model that did not converge cannot be used' USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('Its fit ended after %s iterations.', coalesce(model ->> 'iterations', 'an unknown number of')),
            HINT = 'Fit another model, or with more customers.';
    END IF;
    FOREACH parameter IN ARRAY names LOOP
        accepted := CASE WHEN parameter = ANY ('{alpha,beta,v}') THEN '{1e-15,1e15}'::numeric[] ELSE '{1e-7,1e7}' END;
        IF jsonb_typeof(model -> parameter) IS DISTINCT FROM 'number'
            OR (model -> parameter)::numeric NOT BETWEEN accepted[1] AND accepted[2] THEN
            RAISE EXCEPTION 'parameter % of the model is not a positive number within range', parameter
                USING ERRCODE = 'invalid_parameter_value',
                DETAIL = format('It is %s.', coalesce(left((model -> parameter)::text, 40), 'missing')),
                HINT = format('Accepted: %s to %s.', accepted[1]::double precision, accepted[2]::double precision);
        END IF;
        numbers := numbers || (model -> parameter)::double precision;
    END LOOP;
    RETURN numbers;
END $$;
COMMENT ON FUNCTION clientele._model_numbers(jsonb, text[]) IS
    'Parameters of a model by name. Refuses a model that did not converge, and parameters that are missing or out of range.';

CREATE FUNCTION clientele._purchase_numbers(purchase jsonb) RETURNS double precision[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE purchase ->> 'model' WHEN 'pareto_nbd' THEN clientele._model_numbers(purchase, 'r', 'alpha', 's', 'beta')
        ELSE clientele._model_numbers(purchase, 'r', 'alpha', 'a', 'b') END
$$;
COMMENT ON FUNCTION clientele._purchase_numbers(jsonb) IS 'The parameters of a purchase model in their order.';

CREATE FUNCTION clientele._set_clv(store name, parameters jsonb, version integer) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    model text := parameters #>> '{purchase,model}';
    purchase double precision[];
    value double precision[];
BEGIN
    IF parameters IS NOT NULL THEN
        IF model IS NULL OR model <> ALL ('{bgnbd,mbgnbd,pareto_nbd}') THEN
            RAISE EXCEPTION 'version % of clv is no purchase model that this release knows: %', version, coalesce(model, 'none')
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
        purchase := clientele._purchase_numbers(parameters -> 'purchase');
        IF coalesce(parameters -> 'value', 'null') <> 'null' THEN
            value := clientele._model_numbers(parameters -> 'value', 'p', 'q', 'v');
        END IF;
        IF jsonb_typeof(parameters -> 'annual_discount') IS DISTINCT FROM 'number'
            OR (parameters -> 'annual_discount')::numeric NOT BETWEEN 0 AND 1 THEN
            RAISE EXCEPTION 'the annual_discount of the model is not a share from 0 to 1' USING ERRCODE = 'invalid_parameter_value',
                DETAIL = format('It is %s.', coalesce(left((parameters -> 'annual_discount')::text, 40), 'missing'));
        END IF;
    END IF;
    EXECUTE format('UPDATE %I.scoring SET purchase_kind = $1, purchase = $2, value = $3, annual_discount = $4, clv_version = $5', store)
        USING model, purchase, value, (parameters -> 'annual_discount')::double precision, version;
    -- The book of offers has the model, too: programs of the objective win_back use it.
    PERFORM clientele._regenerate_offers(store);
END $$;
COMMENT ON FUNCTION clientele._set_clv(name, jsonb, integer) IS
    'Computes a store''s predictions with this model from now on, in one row; NULL: without any. The caller holds the lock of '
    '_lock_store().';

-- The caller holds the lock of _lock_store().
CREATE FUNCTION clientele._use_version(store name, kind text, version integer) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    model clientele.model_version;
BEGIN
    IF version IS NOT NULL OR kind NOT LIKE ALL ('{clv,response,affinity,offer:%}') THEN  -- a learned segmentation needs its model
        model := clientele._model(store, kind, version);
    END IF;
    IF kind LIKE 'offer:%' AND version IS NOT NULL THEN
        PERFORM clientele._check_learnt_terms(store, substr(kind, length('offer:') + 1), version, model.parameters -> 'terms');
    END IF;
    IF kind = 'affinity' AND version IS NOT NULL THEN
        PERFORM clientele._require_neighbours(store, model);
    END IF;
    -- In two statements: the unique index on versions in use would refuse two at a time.
    EXECUTE format('UPDATE %I.models m SET in_use = false WHERE m.kind = $1 AND m.in_use AND m.version IS DISTINCT FROM $2', store)
        USING kind, version;
    EXECUTE format('UPDATE %I.models m SET in_use = true WHERE m.kind = $1 AND NOT m.in_use AND m.version = $2', store)
        USING kind, version;
    IF kind = 'clv' THEN
        PERFORM clientele._set_clv(store, model.parameters, version);
    ELSIF kind LIKE 'kmeans:%' THEN
        PERFORM clientele._use_clusters(store, substr(kind, length('kmeans:') + 1),
            model.parameters || jsonb_build_object('expressions', (clientele._model_features(store, model)).expressions));
    ELSIF kind LIKE ANY ('{response,offer:%}') THEN
        PERFORM clientele._regenerate_offers(store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._use_version(name, text, integer) IS
    'Puts a version of a model in use; NULL, for clv, response, affinity and offer:PROGRAM: none.';

CREATE FUNCTION clientele._add_model(store name, kind text, parameters jsonb, data_from timestamptz, data_to timestamptz, customers bigint,
        diagnostics jsonb, in_use boolean DEFAULT true, OUT version integer)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('INSERT INTO %I.models AS m (kind, version, in_use, fitted_at, parameters, data_from, data_to, customers, diagnostics)
        SELECT $1, coalesce(max(o.version), 0) + 1, false, clock_timestamp(), $2, $3, $4, $5, $6 FROM %1$I.models o WHERE o.kind = $1
        RETURNING m.version', store) INTO version USING kind, parameters, data_from, data_to, customers, diagnostics;
    IF in_use THEN
        PERFORM clientele._use_version(store, kind, version);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._add_model(name, text, jsonb, timestamptz, timestamptz, bigint, jsonb, boolean) IS
    'Adds a version of a model and puts it in use, if asked to. The caller holds the lock of _lock_store().';

CREATE FUNCTION clientele.use_model(store name, kind text, version integer) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require('kind', kind IS NOT NULL);
    PERFORM clientele._lock_store(store);
    PERFORM clientele._use_version(store, kind, version);
END $$;
COMMENT ON FUNCTION clientele.use_model(name, text, integer) IS
    'Puts a version of a store''s model in use, of those in clientele.models; owner only. kind: clv, response, affinity, '
    'kmeans:SEGMENTATION or offer:PROGRAM. '
    'Readers do not wait, and see all of the one or all of the other. version NULL, for all but kmeans:SEGMENTATION: without '
    'a model; what is computed with it is NULL then. '
    'Unknown kinds and versions are refused, versions that did not converge, and estimates of a program that was dropped or has other '
    'terms now than they were learnt under.';

CREATE FUNCTION clientele._refresh_scoring(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require_all_customers(store);
    EXECUTE clientele._fill('
        UPDATE {store}.scoring s SET breaks_r = n.breaks_r, breaks_f = n.breaks_f, breaks_m = n.breaks_m, breaks_at = n.breaks_at,
            net_share = n.net_share, value_prior = n.value_prior
        FROM (SELECT CASE WHEN o.breaks_set THEN o.breaks_r ELSE f.breaks_r END AS breaks_r,
                CASE WHEN o.breaks_set THEN o.breaks_f ELSE f.breaks_f END AS breaks_f,
                CASE WHEN o.breaks_set THEN o.breaks_m ELSE f.breaks_m END AS breaks_m,
                CASE WHEN o.breaks_set THEN o.breaks_at ELSE now() END AS breaks_at,
                -- Where more was refunded than sold, no share of the sales is left.
                CASE WHEN f.net_share < 0 THEN 0 ELSE f.net_share END AS net_share,
                f.value_prior
            FROM {store}.scoring o,
                (SELECT (x.f).*, x.value_prior
                 FROM (SELECT clientele._score_summary(b.profile, b.as_of) AS f, clientele.fit_value_prior(b.profile) AS value_prior
                       FROM {store}._base b OFFSET 0) x) f) n',
        'store', quote_ident(store));
END $$;
COMMENT ON FUNCTION clientele._refresh_scoring(name) IS
    'What scores need to know of the population: the quintiles (unless breaks were set by hand), what refunds leave of the orders'' '
    'value, and how order values differ.';
