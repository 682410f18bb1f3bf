-- Budgets of offer programs. What can still be promised is spread over slots: who issues an offer locks one of them, and the
-- others go on.

CREATE FUNCTION clientele._budget_slots() RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 16;
COMMENT ON FUNCTION clientele._budget_slots() IS 'Over how many slots a budget is spread.';

CREATE FUNCTION clientele._slot_share(units bigint, slots integer, slot integer) RETURNS bigint
    AS 'MODULE_PATHNAME', 'clientele_slot_share' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._slot_share(bigint, integer, integer) IS
    'What a slot (from 0) gets of so many units that are spread over slots as evenly as whole units can be.';

CREATE FUNCTION clientele._is_nearly_spent(remaining double precision, budget double precision) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clientele_is_nearly_spent' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._is_nearly_spent(double precision, double precision) IS
    'Whether so little is left of a budget that alerts says so: less than a tenth.';

CREATE FUNCTION clientele._spread_over_slots(store name, program text, remaining numeric) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    decimals constant integer := clientele._currency_decimals((clientele._settings(store)).currency);
    unit constant numeric := 10::numeric ^ - decimals;
BEGIN
    EXECUTE format('
        UPDATE %1$I.budgets b SET available = round(clientele._slot_share($2, s.slots, s.place) * $3, $4)
        FROM (SELECT b.slot, count(*) OVER ()::integer AS slots, row_number() OVER (ORDER BY b.slot)::integer - 1 AS place
              FROM %1$I.budgets b WHERE b.program = $1) s
        WHERE b.program = $1 AND b.slot = s.slot', store) USING program, trunc(remaining / unit)::bigint, unit, decimals;
END $$;
COMMENT ON FUNCTION clientele._spread_over_slots(name, text, numeric) IS
    'Spreads what remains of a budget, in the currency, over its slots, which the caller has locked.';

CREATE FUNCTION clientele._set_budget(store name, program text, budget numeric) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    before numeric;
    known boolean;
    remaining numeric;
BEGIN
    EXECUTE format('SELECT (SELECT p.budget FROM %1$I.programs p WHERE p.program = $1),
        EXISTS (SELECT FROM %1$I.program_versions v WHERE v.program = $1)', store) INTO before, known USING program;
    IF budget IS NOT DISTINCT FROM before THEN
        RETURN;
    END IF;
    PERFORM clientele._return_owed(store, program, NULL);
    -- Slots are locked in this order by all who lock several. Waits for those who are issuing: what they take is known when they commit.
    EXECUTE format('SELECT FROM %I.budgets b WHERE b.program = $1 ORDER BY b.slot FOR UPDATE', store) USING program;
    IF budget IS NULL THEN
        EXECUTE format('DELETE FROM %I.budgets b WHERE b.program = $1', store) USING program;
        RETURN;
    END IF;
    -- Before a first budget there are no slots to lock. Without a lock of the ledger, what is being issued now would not be counted.
    IF before IS NULL AND known THEN
        EXECUTE format('LOCK TABLE %I.ledger IN SHARE MODE', store);
        -- What is owed is counted as left, and given back to nobody afterwards.
        EXECUTE format('UPDATE %I.ledger l SET owed = NULL WHERE l.program = $1 AND l.owed > 0', store) USING program;
    END IF;
    -- Updated rather than replaced: a session that waits for the lock of a slot goes on with the same row.
    remaining := clientele._remaining_budget(store, program, budget);
    EXECUTE format('INSERT INTO %I.budgets (program, slot, available) SELECT $1, s, 0 FROM generate_series(0, $2 - 1) s
        ON CONFLICT ON CONSTRAINT budgets_pkey DO NOTHING', store) USING program, clientele._budget_slots();
    PERFORM clientele._spread_over_slots(store, program, remaining);
END $$;
COMMENT ON FUNCTION clientele._set_budget(name, text, numeric) IS
    'Spreads what a new budget of a program leaves over its slots, none with NULL, by whoever has locked the store. Waits for those who '
    'are issuing from it, and they wait for the end of the transaction.';

CREATE FUNCTION clientele._remaining_budget(store name, program text, budget numeric) RETURNS numeric
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    currency constant text := (clientele._settings(store)).currency;
    promised numeric;
    paid numeric;
BEGIN
    -- The slots know what was promised of the budget so far; without one, the ledger does.
    EXECUTE format('SELECT p.budget - (SELECT sum(b.available) FROM %1$I.budgets b WHERE b.program = $1)
        FROM %1$I.programs p WHERE p.program = $1', store) INTO promised USING program;
    IF promised IS NULL OR promised > budget THEN
        EXECUTE format('SELECT coalesce($2, coalesce(sum(COALESCE(l.cost, l.reward)), 0) + f.rewards),
                coalesce(sum(COALESCE(l.cost, l.reward)) FILTER (WHERE l.state = ''redeemed''), 0) + f.rewards
            FROM (SELECT coalesce(sum(f.rewards), 0) AS rewards FROM %1$I.forgotten f WHERE f.program = $1) f
            LEFT JOIN %1$I.ledger l ON l.program = $1 AND l.holdout IS NULL AND l.state IN (''open'', ''redeemed'')
                GROUP BY f.rewards', store)
            INTO promised, paid USING program, promised;
    END IF;
    IF promised > budget THEN
        RAISE EXCEPTION 'budget of program "%" is below what it has promised and paid: %', program, budget
            USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('Reserved by offers that are open or not settled yet: %s %s; paid for redeemed ones: %s %2$s.',
                promised - paid, currency, paid),
            HINT = format('The least budget that it can have is %s.', promised);
    END IF;
    RETURN budget - promised;
END $$;
COMMENT ON FUNCTION clientele._remaining_budget(name, text, numeric) IS
    'What a new budget of a program leaves to promise, in the currency. One below what is reserved and paid is refused.';
