-- Why a customer is offered what, or nothing, program by program.

CREATE TYPE clientele.offer_explanation AS (
    priority integer, program text, status text, reasons text[], break_even_share double precision, explanation text);
COMMENT ON TYPE clientele.offer_explanation IS 'A row of explain_offer(): what became of one program, and why.';

CREATE FUNCTION clientele._explain_offer(customer text, store name, program text, as_of timestamptz)
    RETURNS SETOF clientele.offer_explanation
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings;
    key text;
BEGIN
    IF $1 IS NULL THEN
        RETURN;
    END IF;
    store := clientele._resolve_store(store);
    PERFORM clientele._require_readable(store, $4);
    settings := clientele._settings(store);
    IF $3 IS NOT NULL THEN
        PERFORM clientele._check_program(store, $3);
    END IF;
    key := coalesce(clientele._key_literal(store, $1), 'NULL');
    RETURN QUERY EXECUTE clientele._explanation_query(store, key, $4 < now())
        USING $3, $4, clientele._check_time_zone(settings.time_zone), settings.margin;
    IF NOT FOUND THEN
        RETURN QUERY SELECT NULL::integer, NULL::text, 'refused', ARRAY[a.code], NULL::double precision, a.explanation
            FROM (VALUES ('unknown_customer', format('Store %s knows no customer %s%s.', quote_ident(store), $1,
                CASE WHEN settings.fresh_to IS NULL THEN format(': it was never refreshed; CALL clientele.refresh(%L) does', store)
                     ELSE ': there is no such customer, or no order of theirs up to the last refresh' END)),
                         ('no_program', format('Store %s has no offer programs.', quote_ident(store)))) a (code, explanation)
            WHERE a.code = CASE WHEN clientele._has_customer(store, key, $4) THEN 'no_program' ELSE 'unknown_customer' END;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._explain_offer(text, name, text, timestamptz) IS 'explain_offer() for a customer given as text.';

-- $1: the program or NULL; $2: as of when; $3: the store's time zone; $4: its margin. Of an exposure that is open the ledger tells.
CREATE FUNCTION clientele._explanation_query(store name, key text, past boolean) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format($query$
        WITH input AS (SELECT i.open_exposure, i.input, i.budgets FROM %1$I.%2$s i WHERE i.customer_id = %3$s), explained AS (
            SELECT e.* FROM input i CROSS JOIN LATERAL clientele._explain_programs(%1$I._offer_book(), i.input, i.budgets) e
            UNION ALL
            SELECT (SELECT p.priority FROM %1$I.programs p WHERE p.program = l.program), l.program,
                CASE WHEN l.holdout IS NULL THEN 'offered' ELSE 'held_out' END, l.reasons,
                clientele._break_even_share(%1$I._offer_book(), v.definition ->> 'objective', l.segment, coalesce(l.margin, $4), l.log_mean,
                    l.log_sd, (i.input).season, l.min_spend, l.reward, (i.input).as_of),
                format(CASE WHEN l.holdout IS NULL
                        THEN 'Offered: issued on %%s, open until %%s: %%s. The customer keeps these terms, whatever becomes of the program.'
                        ELSE 'Held out: from %%s until %%s. Would have been: %%s.' END,
                    to_char(l.issued_at AT TIME ZONE $3, 'YYYY-MM-DD HH24:MI'),
                    to_char(l.valid_until AT TIME ZONE $3, 'YYYY-MM-DD HH24:MI'),
                    CASE WHEN l.reward_kind = 'amount_off' AND l.tiers IS NULL
                        THEN format('spend %%s or more, get %%s off', l.min_spend || ' ' || l.currency, l.reward || ' ' || l.currency)
                        ELSE format('"%%s"', l.message) END)
            FROM input i JOIN %1$I.ledger l ON l.exposure_id = i.open_exposure
            JOIN %1$I.program_versions v ON v.program = l.program AND v.version = l.program_version)
        SELECT x.* FROM explained x WHERE $1 IS NULL OR x.program = $1 ORDER BY x.priority$query$,
        store, CASE WHEN past THEN '_offer_inputs_at($2)' ELSE '_offer_inputs' END, key)
$$;
COMMENT ON FUNCTION clientele._explanation_query(name, text, boolean) IS
    'The query that explains each program of a store to one customer (key: an SQL literal); past: as of $2.';

CREATE FUNCTION clientele._has_customer(store name, key text, as_of timestamptz) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
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
CREATE FUNCTION clientele.explain_offer(customer uuid, store name DEFAULT NULL, program text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
    RETURNS SETOF clientele.offer_explanation
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    BEGIN ATOMIC SELECT * FROM clientele._explain_offer($1::text, $2, $3, $4); END;
CREATE FUNCTION clientele.explain_offer(customer text, store name DEFAULT NULL, program text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
    RETURNS SETOF clientele.offer_explanation
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    BEGIN ATOMIC SELECT * FROM clientele._explain_offer($1::text, $2, $3, $4); END;
CALL clientele._comment_on_overloads('explain_offer({key}, name, text, timestamptz)',
    'Program by program: offered, held out or refused, the reasons, what would change the answer, and the share of redeemers who must be '
    'incremental for the offer to break even. An offer that is open stands on its terms; the other programs are then refused.');
