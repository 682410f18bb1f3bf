-- Offer programs: definition, removal, explanation.

CREATE FUNCTION clientele._regenerate_offers(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, clientele, pg_temp SET standard_conforming_strings = on
    SET datestyle = 'ISO' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1 AS $$
DECLARE
    settings store_settings := _settings(store);
    programs jsonb;
    purchase_model jsonb;
    book jsonb;
BEGIN
    EXECUTE format('SELECT jsonb_agg(to_jsonb(p) ORDER BY p.priority) FROM %I.programs p', store) INTO programs;
    EXECUTE format('SELECT jsonb_build_object(''purchase_model'', jsonb_build_object(''model'', s.purchase_kind, ''parameters'', s.purchase))
        FROM %I.scoring s WHERE s.id = 1 AND s.purchase IS NOT NULL', store) INTO purchase_model;
    book := jsonb_build_object('store', store, 'currency', settings.currency, 'time_zone', settings.time_zone,
        'margin', settings.margin, 'programs', coalesce(programs, '[]')) || coalesce(purchase_model, '{}');
    -- Whoever decides by a book checks it first: terms that make no sense are refused here, before readers meet them.
    PERFORM decide_offer(book, '', NULL, NULL, NULL, now());
    EXECUTE format('CREATE OR REPLACE FUNCTION %I._offer_book() RETURNS jsonb STABLE PARALLEL SAFE RETURN %L::jsonb', store, book);
END $$;
COMMENT ON FUNCTION clientele._regenerate_offers(name) IS
    'Writes the store''s programs, and the purchase model in use, as a constant into its function _offer_book(), which every session sees at its next statement.';

CREATE FUNCTION clientele._check_offer_segments(store name, segments text[], disclosure text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, clientele, pg_temp AS $$
DECLARE
    known text[];
    sensitive text[];
    unknown text;
BEGIN
    IF segments IS NULL THEN
        RETURN;
    END IF;
    IF coalesce(array_ndims(segments), 0) <> 1 OR array_position(segments, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'invalid segments: %', segments USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'Accepted: an array of segments of ''main'', or NULL for all.';
    END IF;
    EXECUTE format('SELECT array_agg(s.segment ORDER BY s.segment), array_agg(s.segment ORDER BY s.segment) FILTER (WHERE s.sensitive)
        FROM (SELECT segment, sensitive FROM %1$I.segment_rules WHERE segmentation = ''main''
              UNION ALL SELECT default_segment, false FROM %1$I.segmentations WHERE segmentation = ''main'') s', store)
        INTO known, sensitive;
    SELECT s INTO unknown FROM unnest(segments) s WHERE s <> ALL (known) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'segment "%" does not exist', unknown USING ERRCODE = 'undefined_object',
            DETAIL = format('The segments of ''main'' are: %s.', array_to_string(known, ', ')),
            HINT = 'Define it with clientele.define_segment().';
    END IF;
    IF coalesce(btrim(disclosure), '') = '' AND segments && sensitive THEN
        RAISE EXCEPTION 'an offer aimed at a sensitive segment needs a disclosure' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('Sensitive: %s.', array_to_string(sensitive, ', ')),
            HINT = 'Pass disclosure => ''...'': what the customer is told about how the offer came about.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_offer_segments(name, text[], text) IS 'Refuses unknown segments, and sensitive ones without a disclosure.';

CREATE FUNCTION clientele.define_offer(
    store name, program text, objective text,
    segments text[] DEFAULT NULL, stretch numeric DEFAULT 1.4, reward_rate numeric DEFAULT 0.05,
    max_cv double precision DEFAULT 0.45, valid_for interval DEFAULT '14 days', holdout double precision DEFAULT 0,
    starts_at timestamptz DEFAULT NULL, ends_at timestamptz DEFAULT NULL,
    max_per_customer integer DEFAULT NULL, cooldown interval DEFAULT NULL, budget numeric DEFAULT NULL, arms jsonb DEFAULT NULL,
    message text DEFAULT 'Spend {min_spend} or more and get {reward} off', disclosure text DEFAULT NULL,
    priority integer DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, clientele, pg_temp AS $$
DECLARE
    later text;
    holder text;
BEGIN
    PERFORM _require(a.name, a.given) FROM (VALUES ('store', store IS NOT NULL), ('program', program IS NOT NULL),
        ('objective', objective IS NOT NULL), ('stretch', stretch IS NOT NULL), ('reward_rate', reward_rate IS NOT NULL),
        ('valid_for', valid_for IS NOT NULL), ('holdout', holdout IS NOT NULL), ('message', message IS NOT NULL)) a (name, given);
    SELECT a.name INTO later FROM (VALUES ('max_per_customer', max_per_customer IS NOT NULL), ('cooldown', cooldown IS NOT NULL),
        ('budget', budget IS NOT NULL), ('arms', arms IS NOT NULL)) a (name, given) WHERE a.given LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% is not supported by this release', later USING ERRCODE = 'feature_not_supported',
            HINT = 'Leave it out.';
    END IF;
    IF btrim(program) = '' THEN
        RAISE EXCEPTION 'a program needs a name' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF ends_at <= starts_at THEN
        RAISE EXCEPTION 'a program cannot end before it starts' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('starts_at is %s, ends_at is %s.', starts_at, ends_at);
    END IF;
    PERFORM _lock_store(store);
    PERFORM _check_offer_segments(store, segments, disclosure);
    EXECUTE format('SELECT coalesce($1, (SELECT p.priority FROM %1$I.programs p WHERE p.program = $2),
        (SELECT coalesce(max(p.priority), 0) + 10 FROM %1$I.programs p))', store) USING priority, program INTO priority;
    EXECUTE format('SELECT p.program FROM %I.programs p WHERE p.priority = $1 AND p.program <> $2', store)
        USING priority, program INTO holder;
    IF holder IS NOT NULL THEN
        RAISE EXCEPTION 'priority % is taken by program "%"', priority, holder USING ERRCODE = 'unique_violation',
            HINT = 'Choose another; the eligible program of the lowest number wins.';
    END IF;
    EXECUTE format('INSERT INTO %I.programs AS p VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (program) DO UPDATE SET (priority, objective, segments, stretch, reward_rate, max_cv, valid_for, holdout,
            starts_at, ends_at, message, disclosure) = (excluded.priority, excluded.objective, excluded.segments, excluded.stretch,
            excluded.reward_rate, excluded.max_cv, excluded.valid_for, excluded.holdout, excluded.starts_at, excluded.ends_at,
            excluded.message, excluded.disclosure)', store)
        USING program, priority, objective, segments, stretch, reward_rate, max_cv, valid_for, holdout, starts_at, ends_at,
            message, disclosure;
    PERFORM _regenerate_offers(store);
END $$;
COMMENT ON FUNCTION clientele.define_offer(name, text, text, text[], numeric, numeric, double precision, interval, double precision, timestamptz, timestamptz, integer, interval, numeric, jsonb, text, text, integer) IS
    'Defines or redefines an offer program; owner only. objective: grow_order_value, second_order or win_back. segments: of ''main''; NULL for all. '
    'stretch: above 1. reward_rate: share of min_spend. max_cv: greatest coefficient of variation of the last 8 orders; NULL turns the check off. '
    'holdout: share of customers who are shown nothing, from 0, below 1. message: with {min_spend}, {reward}, {currency}, {valid_until}, {program}, {segment}. '
    'priority: the eligible program of the lowest number wins; defaults to the highest so far plus 10. max_per_customer, cooldown, budget, arms: not supported yet.';

CREATE FUNCTION clientele.drop_offer(store name, program text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, clientele, pg_temp AS $$
DECLARE
    dropped bigint;
BEGIN
    PERFORM _require('program', program IS NOT NULL);
    PERFORM _lock_store(store);
    PERFORM _check_program(store, program);
    EXECUTE format('DELETE FROM %I.programs p WHERE p.program = $1', store) USING program;
    PERFORM _regenerate_offers(store);
END $$;
COMMENT ON FUNCTION clientele.drop_offer(name, text) IS 'Drops an offer program; owner only.';

CREATE FUNCTION clientele._check_program(store name, program text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, clientele, pg_temp AS $$
DECLARE
    known text[];
BEGIN
    EXECUTE format('SELECT array_agg(p.program ORDER BY p.priority) FROM %I.programs p', store) INTO known;
    IF program = ANY (known) THEN
        RETURN;
    END IF;
    RAISE EXCEPTION 'program "%" does not exist', program USING ERRCODE = 'undefined_object',
        DETAIL = coalesce(format('The programs of store %s are: %s.', quote_ident(store), array_to_string(known, ', ')),
            format('Store %s has no programs.', quote_ident(store))),
        HINT = 'Define it with clientele.define_offer().';
END $$;
COMMENT ON FUNCTION clientele._check_program(name, text) IS 'Refuses a program that the store does not have.';

CREATE TYPE clientele.offer_explanation AS (
    priority integer, program text, status text, reasons text[], break_even_share double precision, explanation text);
COMMENT ON TYPE clientele.offer_explanation IS 'A row of explain_offer(): what became of one program, and why.';

CREATE FUNCTION clientele._explain_offer(customer text, store name, program text, as_of timestamptz)
    RETURNS SETOF clientele.offer_explanation
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, clientele, pg_temp AS $$
DECLARE
    key text;
BEGIN
    IF $1 IS NULL THEN
        RETURN;
    END IF;
    store := _resolve_store(store);
    IF $3 IS NOT NULL THEN
        PERFORM _check_program(store, $3);
    END IF;
    key := coalesce(_key_literal(store, $1), 'NULL');
    RETURN QUERY EXECUTE format(
        'SELECT e.priority, e.program, e.status, e.reasons, e.break_even_share, e.explanation FROM %1$I.%2$s i
         CROSS JOIN LATERAL clientele.explain_programs(%1$I._offer_book(), i.customer, i.segment, i.profile, i.fallback, i.as_of) e
         WHERE i.customer_id = %3$s AND ($1 IS NULL OR e.program = $1) ORDER BY e.priority',
        store, CASE WHEN $4 < now() THEN '_offer_inputs_at($2)' ELSE '_offer_inputs' END, key) USING $3, $4;
    IF NOT FOUND THEN
        RETURN QUERY SELECT NULL::integer, NULL::text, 'refused', ARRAY[a.code], NULL::double precision, a.explanation
            FROM (VALUES ('unknown_customer', format('Store %s knows no customer %s%s.', quote_ident(store), $1,
                CASE WHEN (_settings(store)).fresh_to IS NULL THEN format(': it was never refreshed; CALL clientele.refresh(%L) does', store)
                     ELSE ': there is no such customer, or no order of theirs up to the last refresh' END)),
                         ('no_program', format('Store %s has no offer programs.', quote_ident(store)))) a (code, explanation)
            WHERE a.code = CASE WHEN _has_customer(store, key, $4) THEN 'no_program' ELSE 'unknown_customer' END;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._explain_offer(text, name, text, timestamptz) IS 'explain_offer() for a customer given as text.';

CREATE FUNCTION clientele._has_customer(store name, key text, as_of timestamptz) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, clientele, pg_temp AS $$
DECLARE
    known boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.%s i WHERE i.customer_id = %s)', store,
        CASE WHEN as_of < now() THEN '_base_at($1)' ELSE '_base' END, key) USING as_of INTO known;
    RETURN known;
END $$;
COMMENT ON FUNCTION clientele._has_customer(name, text, timestamptz) IS 'Whether a store knows a customer (key: an SQL literal).';

CREATE FUNCTION clientele.explain_offer(customer bigint, store name DEFAULT NULL, program text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
    RETURNS SETOF clientele.offer_explanation
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    BEGIN ATOMIC SELECT * FROM clientele._explain_offer($1::text, $2, $3, $4); END;
COMMENT ON FUNCTION clientele.explain_offer(bigint, name, text, timestamptz) IS
    'Program by program: offered, held out or refused, the reasons, what would change the answer, and the share of redeemers who must be incremental for the offer to break even.';
CREATE FUNCTION clientele.explain_offer(customer uuid, store name DEFAULT NULL, program text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
    RETURNS SETOF clientele.offer_explanation
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    BEGIN ATOMIC SELECT * FROM clientele._explain_offer($1::text, $2, $3, $4); END;
COMMENT ON FUNCTION clientele.explain_offer(uuid, name, text, timestamptz) IS
    'Program by program: offered, held out or refused, the reasons, what would change the answer, and the share of redeemers who must be incremental for the offer to break even.';
CREATE FUNCTION clientele.explain_offer(customer text, store name DEFAULT NULL, program text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
    RETURNS SETOF clientele.offer_explanation
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    BEGIN ATOMIC SELECT * FROM clientele._explain_offer($1::text, $2, $3, $4); END;
COMMENT ON FUNCTION clientele.explain_offer(text, name, text, timestamptz) IS
    'Program by program: offered, held out or refused, the reasons, what would change the answer, and the share of redeemers who must be incremental for the offer to break even.';
