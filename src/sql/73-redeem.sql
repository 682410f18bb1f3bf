-- Redemption found in the orders, and what gives a budget back. By code: the next file.
--
-- Locks are taken in the order that docs/architecture.md has: exposures, then their reversals, then slots of the budgets, these
-- by program and number. Whoever settles never waits for an exposure: somebody else is closing it.

-- The one definition of what redeems an offer: o is a row of _orders, l one of the ledger.
-- An order time that is a date is the midnight at which the day begins: on the last day of an offer that is before its end, too. What
-- is dated at the very end is of the next day, whatever the clocks.
CREATE FUNCTION clientele._in_time(store name, tolerance interval, OUT since text, OUT before_end text, OUT by_now text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN tolerance > '0' THEN format('(%s OR o.ordered_at >= l.issued_at - %L::interval)', strictly, tolerance)
            ELSE strictly END,
        CASE WHEN tolerance > '0'
            THEN format('(o.ordered_at < l.valid_until + %L::interval AND o.ordered_at <> l.valid_until)', tolerance)
            ELSE '(o.ordered_at < l.valid_until)' END,
        format('(o.ordered_at <= statement_timestamp()%s)', CASE WHEN tolerance > '0' THEN format(' + %L::interval', tolerance) END)
    FROM clientele._placed_since(store, 'o.ordered_at', 'l.issued_at') strictly
$$;
COMMENT ON FUNCTION clientele._in_time(name, interval) IS
    'Whether an order was placed while an offer was valid, as SQL expressions: from issued_at on, before valid_until, and not in the '
    'future; a date from the day of issuing to the last one. tolerance: by how much the clock that dated it may be wrong.';

CREATE FUNCTION clientele._reaches(store name, tolerance interval DEFAULT '0') RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('(%s AND %s AND %s AND o.amount >= l.min_spend)', t.since, t.before_end, t.by_now)
    FROM clientele._in_time(store, tolerance) t
$$;
COMMENT ON FUNCTION clientele._reaches(name, interval) IS
    'Whether an order reaches what an exposure asks for, as an SQL expression: it was placed in time, and its value reaches min_spend.';

CREATE FUNCTION clientele._qualifies(store name) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    RETURN format('(o.customer_id = l.customer_id AND %s)', clientele._reaches(store));
COMMENT ON FUNCTION clientele._qualifies(name) IS
    'Whether an order redeems an exposure, as an SQL expression: it is the customer''s, and reaches what was asked for.';

-- An order that has redeemed an offer may be given to another customer, as when two turn out to be one person: the reward stays paid.
-- That it came in time was found then, be it with some tolerance, and holds as long as it is dated as it was.
CREATE FUNCTION clientele._still_qualifies(store name) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    RETURN CASE WHEN (clientele._settings(store)).order_id IS NULL THEN clientele._qualifies(store)
        ELSE format('(o.amount >= l.min_spend AND (o.ordered_at = l.ordered_at OR %s))', clientele._reaches(store)) END;
COMMENT ON FUNCTION clientele._still_qualifies(name) IS
    'Whether an order goes on redeeming what it has redeemed, as an SQL expression: one that has an id does so whosever it has become, '
    'and where it was in time.';

-- The same order: by its id; where the store has none, a customer has one exposure at a time, and so one redemption at a time.
CREATE FUNCTION clientele._same_order(store name, settings clientele.store_settings) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN settings.order_id IS NULL THEN '(o.customer_id = l.customer_id AND o.ordered_at = l.ordered_at)'
                ELSE format('(o.order_id %s l.order_id)', clientele._order_equality(store)) END
$$;
COMMENT ON FUNCTION clientele._same_order(name, clientele.store_settings) IS
    'Whether o of _orders is the order that a row l of the ledger was redeemed with, as an SQL expression.';

CREATE FUNCTION clientele._order_stands(store name) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill('EXISTS (SELECT FROM {store}._orders o WHERE {same_order} AND {still_qualifies})', 'store', quote_ident(store),
        'same_order', clientele._same_order(store, clientele._settings(store)), 'still_qualifies', clientele._still_qualifies(store))
$$;
COMMENT ON FUNCTION clientele._order_stands(name) IS
    'Whether the order that a row l of the ledger was redeemed with is there and still qualifies, as an SQL expression.';

CREATE FUNCTION clientele._order_is_taken(store name) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill('EXISTS (SELECT FROM {store}.ledger l WHERE l.state = ''redeemed'' AND {same_order})',
        'store', quote_ident(store), 'same_order', clientele._same_order(store, clientele._settings(store)))
$$;
COMMENT ON FUNCTION clientele._order_is_taken(name) IS 'Whether an order o of _orders has redeemed an offer, as an SQL expression.';

CREATE FUNCTION clientele._enrolled_since(store name) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('EXISTS (SELECT FROM %I.ledger later WHERE later.customer_id = l.customer_id AND later.period > l.period)', store)
$$;
COMMENT ON FUNCTION clientele._enrolled_since(name) IS
    'Whether the customer of a row l of the ledger was enrolled again after it, as an SQL expression.';

-- A policy on the orders would make those whose orders it hides look as if they had not ordered. What is not the orders has
-- policies of its own, which are meant to apply; hence a function, which only asks.
CREATE FUNCTION clientele._require_all_orders(store name) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET row_security = off AS $$
BEGIN
    PERFORM clientele._require_orders_here(store);
    EXECUTE format('SELECT FROM %I._orders%s LIMIT 0', store,
        CASE WHEN (clientele._settings(store)).items IS NOT NULL THEN format(', %I._items', store) END);
END $$;
COMMENT ON FUNCTION clientele._require_all_orders(name) IS
    'Fails (42501) where the caller may not read the store''s orders, or row-level security hides some of them; (55000) where they are not '
    'here.';

CREATE FUNCTION clientele._release(store name, programs text[], slots integer[], rewards numeric[], whole_budget text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF programs IS NOT NULL AND whole_budget IS NOT NULL THEN
        PERFORM clientele._lock_budgets(store, whole_budget);
    END IF;
    -- An offer that is older than the budget has no slot: the first takes it.
    EXECUTE clientele._fill('
        WITH returned AS MATERIALIZED (
            SELECT r.program, coalesce(r.slot, (SELECT min(b.slot) FROM {store}.budgets b WHERE b.program = r.program)) AS slot,
                sum(r.reward) AS reward
            FROM unnest($1, $2, $3) r (program, slot, reward) GROUP BY 1, 2
        ), locked AS MATERIALIZED (
            SELECT b.program, b.slot FROM {store}.budgets b JOIN returned r ON r.program = b.program AND r.slot = b.slot
            ORDER BY b.program, b.slot FOR NO KEY UPDATE OF b)
        UPDATE {store}.budgets b SET available = b.available + r.reward FROM locked k JOIN returned r USING (program, slot)
        WHERE b.program = k.program AND b.slot = k.slot', 'store', quote_ident(store)) USING programs, slots, rewards;
END $$;
COMMENT ON FUNCTION clientele._release(name, text[], integer[], numeric[], text) IS
    'Gives rewards, in the currency, back to the slots of the budgets that they were reserved in. Programs without a budget need none. '
    'whole_budget: a program whose slots are all locked before, in their order, for who will lock them next.';

CREATE FUNCTION clientele._close_and_release(store name, closing text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    programs text[];
    slots integer[];
    rewards numeric[];
BEGIN
    EXECUTE format('WITH %s SELECT array_agg(c.program), array_agg(c.slot), array_agg(c.reward) FROM closed c
        WHERE c.was_open AND c.holdout IS NULL', closing) INTO programs, slots, rewards;
    PERFORM clientele._release(store, programs, slots, rewards);
END $$;
COMMENT ON FUNCTION clientele._close_and_release(name, text) IS
    'Closes exposures and gives what was reserved for them back to the budgets. closing: what follows WITH, of which the part "closed" '
    'has program, slot, reward, holdout, and was_open: whether something was reserved.';

-- ---- Settling ----

-- What is due is selected here alone: who is closed later is found by exposure_id. Chunks follow each other by (valid_until, exposure_id).
CREATE FUNCTION clientele._due(store name, only_program text, until timestamptz, at_most integer,
        INOUT last_until timestamptz, INOUT last_exposure bigint, OUT exposures bigint[], OUT first_issued timestamptz)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('
        SELECT array_agg(d.exposure_id ORDER BY d.valid_until, d.exposure_id), min(d.issued_at), max(d.valid_until)
        FROM (SELECT l.issued_at, l.valid_until, l.exposure_id FROM %I.ledger l
              WHERE l.state = ''open'' AND (l.valid_until, l.exposure_id) > ($1, $2) AND l.valid_until <= $3 %s
              ORDER BY l.valid_until, l.exposure_id LIMIT $4) d', store, CASE WHEN only_program IS NOT NULL THEN 'AND l.program = $5' END)
        INTO exposures, first_issued, last_until USING last_until, last_exposure, until, at_most, only_program;
    last_exposure := exposures[cardinality(exposures)];
END $$;
COMMENT ON FUNCTION clientele._due(name, text, timestamptz, integer, timestamptz, bigint) IS
    'The next exposures that are open and end until a time, by the end of their validity: at_most of them, behind the last of the '
    'chunk before. NULL: there are none.';

-- An order redeems one exposure: of two that found the same one, the second stays open, for the next run to find another. What another
-- session is closing is left to it.
CREATE FUNCTION clientele._closing_query(store name, settings clientele.store_settings) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill('
        WITH due AS MATERIALIZED (
            SELECT l.exposure_id, l.customer_id, l.issued_at, l.valid_until, l.min_spend FROM {store}.ledger l
            WHERE l.exposure_id = ANY ($1) AND l.state = ''open''
        ), found AS MATERIALIZED (
            SELECT DISTINCT ON (l.exposure_id) l.exposure_id, {order_id} AS order_id, o.ordered_at, o.amount
            FROM due l JOIN {store}._orders o ON {qualifies}
            WHERE o.ordered_at >= {earliest} AND NOT {order_is_taken}
            ORDER BY l.exposure_id, o.ordered_at, order_id, o.amount
        ), claims AS MATERIALIZED (
            SELECT f.*, f.order_id IS NOT NULL
                AND lag(f.order_id) OVER (PARTITION BY f.order_id ORDER BY f.exposure_id) IS NOT NULL AS taken
            FROM found f
        ), verdicts AS MATERIALIZED (
            SELECT l.exposure_id, f.exposure_id IS NOT NULL AS redeems, f.order_id, f.ordered_at, f.amount
            FROM due l LEFT JOIN claims f ON f.exposure_id = l.exposure_id
            WHERE NOT f.taken OR f.exposure_id IS NULL AND l.valid_until <= $3
        ), closing AS MATERIALIZED (
            SELECT l.exposure_id, v.redeems, v.order_id, v.ordered_at, v.amount, COALESCE(l.cost, l.reward) AS reserved,
                CASE WHEN NOT v.redeems THEN 0 ELSE clientele._reward_for(l.reward, l.tiers, v.amount, l.currency) END AS cost
            FROM verdicts v JOIN {store}.ledger l ON l.exposure_id = v.exposure_id
            WHERE l.state = ''open'' FOR UPDATE OF l SKIP LOCKED
        ), closed AS (
            UPDATE {store}.ledger l SET state = CASE WHEN c.redeems THEN ''redeemed'' ELSE ''expired'' END, closed_at = now(),
                order_id = c.order_id, ordered_at = c.ordered_at, order_value = c.amount,
                cost = CASE WHEN c.redeems AND l.tiers IS NOT NULL THEN c.cost ELSE l.cost END
            FROM closing c WHERE l.exposure_id = c.exposure_id
            RETURNING l.program, l.slot, c.reserved - c.cost AS reward, l.holdout IS NOT NULL AS held_out, c.redeems
        ), freed AS (
            SELECT c.program, c.slot, sum(c.reward) AS reward FROM closed c WHERE c.reward > 0 AND NOT c.held_out
            GROUP BY c.program, c.slot
        ), counted AS (
            SELECT count(*) FILTER (WHERE c.redeems AND NOT c.held_out) AS redeemed,
                count(*) FILTER (WHERE NOT c.redeems AND NOT c.held_out) AS expired, count(*) FILTER (WHERE c.held_out) AS held_out
            FROM closed c)
        SELECT n.redeemed, n.expired, n.held_out, f.programs, f.slots, f.rewards
        FROM counted n, (
            SELECT array_agg(f.program) AS programs, array_agg(f.slot) AS slots, array_agg(f.reward) AS rewards FROM freed f) f',
        'store', quote_ident(store),
        'order_id', CASE WHEN settings.order_id IS NULL THEN 'NULL::text' ELSE 'o.order_id' END,
        'qualifies', clientele._qualifies(store),
        'earliest', clientele._earliest(store, '$2'),
        'order_is_taken', clientele._order_is_taken(store))
$$;
COMMENT ON FUNCTION clientele._closing_query(name, clientele.store_settings) IS
    'A statement that closes those of the exposures $1, of which the first was issued at $2, that an order has redeemed or that ended '
    'by $3: how many offers were redeemed and how many have expired, how many that were held out were closed, and what goes back to '
    'which slots.';

CREATE FUNCTION clientele._settle_chunk(store name, only_program text, until timestamptz, expired_by timestamptz, at_most integer,
        INOUT last_until timestamptz, INOUT last_exposure bigint, OUT seen bigint, OUT redeemed bigint, OUT expired bigint,
        OUT held_out bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = on AS $$
DECLARE
    settings clientele.store_settings := clientele._present_settings(store);
    due record;
    freed record;
BEGIN
    PERFORM clientele._share_sources(store);
    -- Tables that have just been filled look small to the planner: loops only for a few, through an index.
    PERFORM set_config('enable_nestloop', (at_most <= 1000 AND clientele._has_index(settings.orders, settings.customer_id))::text, true);
    due := clientele._due(store, only_program, until, at_most, last_until, last_exposure);
    last_until := due.last_until;
    last_exposure := due.last_exposure;
    seen := coalesce(cardinality(due.exposures), 0);
    IF seen = 0 THEN
        redeemed := 0;
        expired := 0;
        held_out := 0;
        RETURN;
    END IF;
    EXECUTE clientele._closing_query(store, settings) INTO freed USING due.exposures, due.first_issued, expired_by;
    redeemed := freed.redeemed;
    expired := freed.expired;
    held_out := freed.held_out;
    PERFORM clientele._release(store, freed.programs, freed.slots, freed.rewards, only_program);
END $$;
COMMENT ON FUNCTION clientele._settle_chunk(name, text, timestamptz, timestamptz, integer, timestamptz, bigint) IS
    'Closes exposures that are open and end until a time, at_most of them from a key on: redeemed where an order qualifies, else expired '
    'where they ended by expired_by. '
    'Who was held out is free by the same rule, lest one arm is enrolled again before the other; nothing is paid for it. '
    'Returns the last key, and how many there were; how many offers were redeemed and expired, and how many that were held out were '
    'closed. Passes over those that another session is closing.';

-- Redemptions whose order no longer counts, above a key: void. One statement, so that what is noted meanwhile stays noted. They
-- stay void where the customer was enrolled again since: that was allowed because they did not count. Only who holds an exposure
-- removes its reversals, so nobody is waited for here.
CREATE FUNCTION clientele._write_off_chunk(store name, only_program text, at_most integer, INOUT last_exposure bigint,
    OUT seen bigint, OUT voided bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    programs text[];
    slots integer[];
    rewards numeric[];
BEGIN
    PERFORM clientele._share_sources(store);
    EXECUTE clientele._fill('
        WITH noted AS MATERIALIZED (
            SELECT DISTINCT r.exposure_id FROM {store}.reversals r
            WHERE r.exposure_id > $1 AND ($3 IS NULL OR EXISTS (
                SELECT FROM {store}.ledger l WHERE l.exposure_id = r.exposure_id AND l.program = $3 AND l.holdout IS NULL))
            ORDER BY r.exposure_id LIMIT $2
        ), standing AS MATERIALIZED (
            SELECT n.exposure_id, l.state = ''redeemed'' AND (NOT {order_stands} OR {enrolled_since}) AS reversed
            FROM noted n LEFT JOIN {store}.ledger l ON l.exposure_id = n.exposure_id
        ), held AS MATERIALIZED (
            SELECT l.exposure_id, s.reversed FROM standing s JOIN {store}.ledger l ON l.exposure_id = s.exposure_id
            WHERE l.state = ''redeemed'' OR NOT s.reversed FOR UPDATE OF l SKIP LOCKED
        ), closed AS (
            UPDATE {store}.ledger l SET state = ''void'' FROM held h WHERE l.exposure_id = h.exposure_id AND h.reversed
            RETURNING l.program, l.slot, COALESCE(l.cost, l.reward) AS reward, l.holdout
        ), settled AS (
            DELETE FROM {store}.reversals r USING standing s
            WHERE r.exposure_id = s.exposure_id
              AND (s.reversed IS NULL OR EXISTS (SELECT FROM held h WHERE h.exposure_id = s.exposure_id)))
        SELECT (SELECT count(*) FROM noted), (SELECT max(exposure_id) FROM noted),
            count(*), array_agg(c.program), array_agg(c.slot), array_agg(c.reward)
        FROM closed c WHERE c.holdout IS NULL',
        'store', quote_ident(store), 'order_stands', clientele._order_stands(store), 'enrolled_since', clientele._enrolled_since(store))
        INTO seen, last_exposure, voided, programs, slots, rewards USING last_exposure, at_most, only_program;
    PERFORM clientele._release(store, programs, slots, rewards, only_program);
END $$;
COMMENT ON FUNCTION clientele._write_off_chunk(name, text, integer, bigint) IS
    'Voids redemptions noted in reversals (of one program, or NULL: of all), at_most of them from a key on, and gives their rewards back '
    'to the budgets; where the order qualifies again, and the customer has no later exposure, the redemption stands. '
    'Returns the last key, how many there were, and how many offers became void.';

-- Whoever redeems by code in an order's transaction touches no slot: it would hold it until that commits, and others would wait.
CREATE FUNCTION clientele._return_owed(store name, only_program text, at_most integer) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    programs text[];
    slots integer[];
    rewards numeric[];
BEGIN
    EXECUTE format('
        WITH held AS MATERIALIZED (
            SELECT l.exposure_id, l.owed FROM %1$I.ledger l
            WHERE l.owed > 0 AND ($1 IS NULL OR l.program = $1) LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED
        ), returned AS (
            UPDATE %1$I.ledger l SET owed = NULL FROM held h WHERE l.exposure_id = h.exposure_id RETURNING l.program, l.slot, h.owed)
        SELECT array_agg(r.program), array_agg(r.slot), array_agg(r.owed) FROM returned r', store)
        INTO programs, slots, rewards USING only_program, at_most;
    PERFORM clientele._release(store, programs, slots, rewards, only_program);
    RETURN coalesce(cardinality(programs), 0);
END $$;
COMMENT ON FUNCTION clientele._return_owed(name, text, integer) IS
    'Gives back to the slots of the budgets (of one program, or NULL: of all) what redemptions by code have left of what was reserved, of '
    'so many exposures at most, and returns of how many.';

CREATE FUNCTION clientele._settle_due(store name, program text, at_most integer) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    reversed record;
    done record;
    returned bigint;
BEGIN
    PERFORM clientele._require_all_orders(store);
    returned := clientele._return_owed(store, program, at_most);
    SELECT * INTO reversed FROM clientele._write_off_chunk(store, program, at_most, 0::bigint);
    SELECT * INTO done FROM clientele._settle_chunk(store, program, now(), now(), at_most, '-infinity'::timestamptz, 0::bigint);
    RETURN returned + reversed.voided + done.redeemed + done.expired + done.held_out;
EXCEPTION WHEN insufficient_privilege THEN
    RETURN 0;  -- who issues need not be allowed to settle
END $$;
COMMENT ON FUNCTION clientele._settle_due(name, text, integer) IS
    'Settles exposures of a program whose validity is over, redemptions of it that were reversed, and what is owed to its budget, at most '
    'so many of each, and returns how many these were; 0 where the caller may not read every order, or not write the ledger.';

CREATE FUNCTION clientele._reversed(store name, since timestamptz) RETURNS SETOF bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
    RETURN QUERY EXECUTE clientele._fill('
        SELECT l.exposure_id FROM {store}.ledger l
        WHERE l.state = ''redeemed'' AND l.closed_at > $1 AND NOT {order_stands}
          AND NOT EXISTS (SELECT FROM {store}.reversals r WHERE r.exposure_id = l.exposure_id)',
        'store', quote_ident(store), 'order_stands', clientele._order_stands(store)) USING since;
END $$;
COMMENT ON FUNCTION clientele._reversed(name, timestamptz) IS
    'Redemptions written down since a time whose order does not qualify any more, and which are not noted in reversals yet. Reads every '
    'order.';

-- The triggers of a live store do not see a redemption that commits while its order is being cancelled, nor orders that
-- change while there are no triggers.
CREATE FUNCTION clientele._note_reversals(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (clientele._settings(store)).live THEN
        EXECUTE format('INSERT INTO %I.reversals (exposure_id, noted_at)
            SELECT r, now() FROM clientele._reversed($1, now() - interval ''30 days'') r', store) USING store;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._note_reversals(name) IS
    'Live stores: notes the redemptions of the last 30 days whose order no longer qualifies, and which no trigger has noted.';

CREATE FUNCTION clientele._begin_settling(store name, grace interval, chunk integer, OUT expired_by timestamptz)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require_store(store);
    PERFORM clientele._share_sources(store);
    PERFORM clientele._require(a.name, a.given) FROM (VALUES ('grace', grace IS NOT NULL), ('chunk', chunk IS NOT NULL)) a (name, given);
    IF grace NOT BETWEEN interval '0' AND interval '100 years' THEN
        RAISE EXCEPTION 'invalid grace: %', grace USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'It is how long after the end of an offer its orders may still arrive: from 0 to 100 years.';
    END IF;
    IF chunk < 1 THEN
        RAISE EXCEPTION 'invalid chunk: %', chunk USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'At least one exposure is settled at a time.';
    END IF;
    PERFORM clientele._warn_of_seconds('grace', grace);
    PERFORM clientele._require_all_orders(store);
    expired_by := now() - grace;
    PERFORM clientele._note_reversals(store);
END $$;
COMMENT ON FUNCTION clientele._begin_settling(name, interval, integer) IS
    'Checks the arguments of settle_offers(), and that the caller sees every order. expired_by: what ended by then has expired.';

CREATE FUNCTION clientele._settling_summary(store name, voided bigint, redeemed bigint, expired bigint) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    open bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %I.ledger l WHERE l.state = ''open'' AND l.holdout IS NULL', store) INTO open;
    RETURN format('store %I: %s redeemed, %s expired, %s voided; %s open', store, redeemed, expired, voided, open);
END $$;
COMMENT ON FUNCTION clientele._settling_summary(name, bigint, bigint, bigint) IS
    'What settle_offers() says at its end: of offers, not of what was held out.';

CREATE FUNCTION clientele._require_commits(procedure text, hint text) RETURNS void
    AS 'MODULE_PATHNAME', 'clientele_require_commits' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION clientele._require_commits(text, text) IS
    'Refuses (25001, with the hint) what a PL/pgSQL procedure that calls it directly is about to do, where it cannot commit: in a '
    'transaction block or a function; and where it cannot write.';

-- A procedure with a SET clause cannot commit, so every name and operator is qualified here; the functions that it calls have the SET.
CREATE PROCEDURE clientele.settle_offers(store name, grace interval DEFAULT '0', chunk integer DEFAULT 50000)
    LANGUAGE plpgsql AS $$
DECLARE
    expired_by pg_catalog.timestamptz;
    done record;
    voided pg_catalog.int8 := 0;
    redeemed pg_catalog.int8 := 0;
    expired pg_catalog.int8 := 0;
    last_until pg_catalog.timestamptz := '-infinity'::pg_catalog.timestamptz;
    last_exposure pg_catalog.int8 := 0;
BEGIN
    PERFORM clientele._require_commits('clientele.settle_offers()',
        'It commits after each chunk of exposures. redeem_offer() redeems one offer, in whatever transaction it is called.');
    expired_by := clientele._begin_settling(store, grace, chunk);
    COMMIT;
    WHILE clientele._return_owed(store, NULL::pg_catalog.text, chunk) OPERATOR(pg_catalog.>) 0 LOOP
        COMMIT;
    END LOOP;
    LOOP
        SELECT * INTO done FROM clientele._write_off_chunk(store, NULL::pg_catalog.text, chunk, last_exposure) w;
        EXIT WHEN done.seen OPERATOR(pg_catalog.=) 0;
        COMMIT;
        last_exposure := done.last_exposure;
        voided := voided OPERATOR(pg_catalog.+) done.voided;
    END LOOP;
    last_exposure := 0;
    LOOP
        SELECT * INTO done FROM clientele._settle_chunk(store, NULL::pg_catalog.text, 'infinity'::pg_catalog.timestamptz, expired_by,
            chunk, last_until, last_exposure) s;
        EXIT WHEN done.seen OPERATOR(pg_catalog.=) 0;
        COMMIT;
        last_until := done.last_until;
        last_exposure := done.last_exposure;
        redeemed := redeemed OPERATOR(pg_catalog.+) done.redeemed;
        expired := expired OPERATOR(pg_catalog.+) done.expired;
    END LOOP;
    PERFORM clientele._note_budgets(store);
    PERFORM clientele._note_comparisons(store);
    COMMIT;
    PERFORM clientele._plan_budgets(store);
    RAISE NOTICE '%', clientele._settling_summary(store, voided, redeemed, expired);
END $$;
COMMENT ON PROCEDURE clientele.settle_offers(name, interval, integer) IS
    'Finds in the orders what became of the offers that are open: the customer''s first order that qualifies redeems an offer (see '
    'redeem_offer); one that has ended without expires, and its budget is free again. '
    'Before that, redemptions are voided whose order a live store has seen cancelled, refunded below the threshold, or deleted; where it '
    'qualifies again, and the customer has no later exposure, they stand. '
    'Says how many offers were redeemed, have expired, became void, and are open; what was held out is closed by the same rule, pays '
    'nothing and is not counted. '
    'grace: how long after the end of an offer its orders may still arrive, from 0 to 100 years; chunk: exposures settled at a time, at '
    'least 1, with a commit after each: refused (25001) in a transaction block or a function. '
    'Cancel it at any time: what was committed stays, and the next run goes on. Exposures that another session is closing are left to it. '
    'The caller needs SELECT on the store and its orders, UPDATE on ledger and budgets, DELETE (where live INSERT, too) on reversals; '
    'under row-level security on the orders it fails rather than settling by some of them.';

-- ---- Taken back ----

CREATE FUNCTION clientele._void_redemption(order_id text, store name) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    exposure record;
BEGIN
    store := clientele._resolve_store(store);
    EXECUTE format('
        UPDATE %I.ledger l SET state = ''void'' WHERE l.state = ''redeemed'' AND l.order_id %s %s
        RETURNING l.exposure_id, l.program, l.slot, COALESCE(l.cost, l.reward) AS reward, l.holdout',
        store, clientele._order_equality(store), clientele._order_literal(store, order_id)) INTO exposure;
    IF exposure.exposure_id IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('DELETE FROM %I.reversals r WHERE r.exposure_id = $1', store) USING exposure.exposure_id;
    IF exposure.holdout IS NOT NULL THEN
        RETURN false;  -- the customer is free again, as any other would be; nothing was paid
    END IF;
    PERFORM clientele._release(store, ARRAY[exposure.program], ARRAY[exposure.slot], ARRAY[exposure.reward]);
    RETURN true;
END $$;
COMMENT ON FUNCTION clientele._void_redemption(text, name) IS 'void_redemption() for an order given as text.';

CREATE FUNCTION clientele.void_redemption(order_id bigint, store name DEFAULT NULL) RETURNS boolean
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT clientele._void_redemption($1::text, $2); END;
CREATE FUNCTION clientele.void_redemption(order_id uuid, store name DEFAULT NULL) RETURNS boolean
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT clientele._void_redemption($1::text, $2); END;
CREATE FUNCTION clientele.void_redemption(order_id text, store name DEFAULT NULL) RETURNS boolean
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT clientele._void_redemption($1::text, $2); END;
CALL clientele._comment_on_overloads('void_redemption({key}, name)',
    'Voids the redemption by an order that was cancelled or refunded: its reward is free in the budget again, and does not count against '
    'max_per_customer and cooldown. '
    'false: the order has redeemed nothing. The offer stays void: the customer may be issued a new one. In live stores it happens by '
    'itself. NULL, and a malformed id, are errors.');

-- ---- Withdrawn ----

-- Many are withdrawn in one transaction. So a row that somebody is closing is left to them, and of a budget all slots are
-- locked, in their order, before one is written: those who lock several do not meet in different orders.
CREATE FUNCTION clientele.withdraw_offer(exposure_id bigint, store name DEFAULT NULL) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    exposure record;
BEGIN
    PERFORM clientele._require('exposure_id', exposure_id IS NOT NULL);
    store := clientele._resolve_store(store);
    EXECUTE format('
        SELECT l.program, l.slot, COALESCE(l.cost, l.reward) AS reward, l.holdout FROM %I.ledger l
        WHERE l.exposure_id = $1 AND l.state = ''open'' AND l.valid_until > now() FOR UPDATE SKIP LOCKED', store)
        INTO exposure USING exposure_id;
    IF exposure.program IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('UPDATE %I.ledger l SET state = ''void'', closed_at = now() WHERE l.exposure_id = $1', store) USING exposure_id;
    IF exposure.holdout IS NULL THEN
        PERFORM clientele._lock_budgets(store, exposure.program);
        PERFORM clientele._release(store, ARRAY[exposure.program], ARRAY[exposure.slot], ARRAY[exposure.reward]);
    END IF;
    RETURN true;
END $$;
COMMENT ON FUNCTION clientele.withdraw_offer(bigint, name) IS
    'Takes back an offer that is open: it becomes void, its code is refused, its reward is free in the budget again, and it does not '
    'count against max_per_customer and cooldown. The same for an exposure that was held out. '
    'false: it is not open any more, is unknown, or another session is closing it. An order that has qualified and was not settled yet '
    'redeems nothing afterwards: CALL settle_offers() first. '
    'Needs what void_redemption() needs. NULL is an error.';
