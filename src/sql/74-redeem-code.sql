-- Redemption by code. What speaks against it is found before anything is written: redeem_offer() raises it, try_redeem_offer() says it in
-- its row, so that the transaction that the order is placed in lives on.

CREATE TYPE clientele.redemption AS (
    exposure_id bigint, program text, customer_id text, order_id text, ordered_at timestamptz, order_value numeric, reward numeric,
    currency text);
COMMENT ON TYPE clientele.redemption IS
    'What redeem_offer() wrote down: the exposure, the order that redeemed it, its value as the store defines it, and the reward, in the '
    'currency.';

CREATE TYPE clientele.redemption_attempt AS (
    redeemed boolean, reason text, detail text, exposure_id bigint, program text, customer_id text, order_id text, ordered_at timestamptz,
    order_value numeric, reward numeric, currency text);
COMMENT ON TYPE clientele.redemption_attempt IS
    'What try_redeem_offer() did, or why it did nothing; from exposure_id on as in the type redemption, where the code is one of the '
    'customer whose order it is.';
COMMENT ON COLUMN clientele.redemption_attempt.redeemed IS 'Whether the redemption was written down; never NULL.';
COMMENT ON COLUMN clientele.redemption_attempt.reason IS
    'Why not, as a stable code: unknown, not_this_customer, not_counted_yet, used, order_used, expired, void, too_early, '
    'below_threshold, unavailable. '
    'NULL where it was.';
COMMENT ON COLUMN clientele.redemption_attempt.detail IS
    'The reason with the values that decided; what redeem_offer() gives as the DETAIL.';

CREATE FUNCTION clientele._refusal(reason text, OUT sqlstate text, OUT message text, OUT hint text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.sqlstate, r.message, r.hint
    FROM (VALUES
        ('unknown', 'OF001', 'the code cannot be redeemed with this order',
            'Check both for typing errors. An order counts when it is in the orders table and passes the store''s filter.'),
        ('used', 'OF002', 'the code has been redeemed already', NULL),
        ('order_used', 'OF003', 'the order has redeemed another offer already', NULL),
        ('expired', 'OF004', 'the offer has expired', NULL),
        ('void', 'OF005', 'the offer is void', 'The customer may be issued a new one.'),
        ('too_early', 'OF006', 'the order was placed before the offer was issued', NULL),
        ('not_counted_yet', 'OF007', 'the order is dated in the future', NULL),
        ('below_threshold', 'OF008', 'the order is below the threshold', NULL)) r (reason, sqlstate, message, hint)
    WHERE r.reason = _refusal.reason
$$;
COMMENT ON FUNCTION clientele._refusal(text) IS 'The error that redeem_offer() raises for a reason.';

CREATE FUNCTION clientele._order_literal(store name, order_id text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' AS $$
DECLARE
    type text;
    key text;
BEGIN
    IF (clientele._settings(store)).order_id IS NULL THEN
        RAISE EXCEPTION 'store % has no order ids', quote_ident(store) USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'Its orders were named without one, so that no single order can be meant.',
            HINT = 'CALL clientele.settle_offers() finds redemptions without; create_store(..., order_id => ''...'') names the column.';
    END IF;
    SELECT clientele._stored_type(atttypid) INTO type FROM pg_attribute WHERE attrelid = format('%I.ledger', store)::regclass
        AND attname = 'order_id';
    PERFORM clientele._require('order_id', order_id IS NOT NULL);
    BEGIN
        EXECUTE format('SELECT format(''%%s'', %L::%s)', order_id, type) INTO key;
    EXCEPTION
        WHEN numeric_value_out_of_range THEN
            RETURN 'NULL';
        WHEN data_exception THEN
            RAISE EXCEPTION 'invalid order id: "%"', order_id USING ERRCODE = SQLSTATE,
                DETAIL = format('The orders of store %s have ids of type %s.', quote_ident(store), type);
    END;
    RETURN format('%L::%s', key, type);
END $$;
COMMENT ON FUNCTION clientele._order_literal(name, text) IS
    'An order''s id as an SQL literal of the type that the store''s orders have; NULL where no order can have it. NULL, a malformed one, '
    'and a store whose orders have no ids are errors.';

CREATE FUNCTION clientele._why_closed(state text, is_reversed boolean, closed_at timestamptz, redeemed_by text, by_this_order boolean,
    OUT reason text, OUT detail text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN state = 'void' OR is_reversed THEN 'void' WHEN state = 'redeemed' THEN 'used' WHEN state = 'expired' THEN state END,
        CASE WHEN (state = 'void' OR is_reversed) AND redeemed_by IS NULL THEN format('It was withdrawn at %s.', closed_at)
            WHEN state = 'void' OR is_reversed THEN 'The order that it was redeemed with was cancelled or refunded.'
            WHEN state = 'redeemed' AND by_this_order THEN format('By this very order, at %s.', closed_at)
            WHEN state = 'redeemed'
            THEN format('By order %s of the customer, at %s. A code is good for one order.', redeemed_by, closed_at)
            WHEN state = 'expired' THEN 'It was settled: none of the orders that were there after its end had redeemed it.' END
$$;
COMMENT ON FUNCTION clientele._why_closed(text, boolean, timestamptz, text, boolean) IS
    'Why an exposure is not open any more; NULL where it is: of who has a code and an order of its customer, which order has redeemed it '
    '(redeemed_by, NULL: none) is no secret.';

CREATE FUNCTION clientele._why_not_by(is_since boolean, is_before_end boolean, is_by_now boolean, ordered_at timestamptz, amount numeric,
    issued_at timestamptz, valid_until timestamptz, min_spend numeric, currency text, OUT reason text, OUT detail text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN NOT is_since THEN 'too_early' WHEN NOT is_before_end THEN 'expired' WHEN NOT is_by_now THEN 'not_counted_yet'
            WHEN amount < min_spend THEN 'below_threshold' END,
        CASE WHEN NOT is_since THEN format('The order was placed at %s, the offer issued at %s.', ordered_at, issued_at)
            WHEN NOT is_before_end THEN format('The order was placed at %s, the offer was valid until %s.', ordered_at, valid_until)
            WHEN NOT is_by_now THEN format('It counts from %s on.', ordered_at)
            WHEN amount < min_spend
            THEN format('Its value is %s %s, the offer asks for %s %2$s.', trim_scale(amount), currency, trim_scale(min_spend)) END
$$;
COMMENT ON FUNCTION clientele._why_not_by(boolean, boolean, boolean, timestamptz, numeric, timestamptz, timestamptz, numeric, text) IS
    'Why an order of the customer does not redeem an exposure that is open; NULL where it does: when it was placed, or its value, in the '
    'currency.';

CREATE FUNCTION clientele._why_unmatched(store name, code text, redeemed_order text, OUT reason text, OUT detail text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill('
        SELECT CASE WHEN NOT EXISTS (SELECT FROM {store}.ledger l WHERE l.code = $1) THEN ''unknown''
            WHEN EXISTS (SELECT FROM {store}._orders o WHERE o.order_id {same} {order}
                AND o.amount IS NOT NULL AND o.ordered_at IS NOT NULL) THEN ''not_this_customer''
            ELSE ''not_counted_yet'' END',
        'store', quote_ident(store), 'order', redeemed_order, 'same', clientele._order_equality(store)) INTO reason USING code;
    detail := CASE reason WHEN 'unknown' THEN 'There is no such code.' WHEN 'not_this_customer' THEN 'The order is another customer''s.'
        ELSE 'There is no such order that counts.' END;
END $$;
COMMENT ON FUNCTION clientele._why_unmatched(name, text, text) IS
    'Why a code and an order, as an SQL literal, are not known to be of one customer.';

CREATE FUNCTION clientele._placed_with(store name, code text, redeemed_order text, OUT ordered_at timestamptz, OUT amount numeric,
    OUT is_since boolean, OUT is_before_end boolean, OUT is_by_now boolean)
    LANGUAGE plpgsql VOLATILE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    tolerance constant interval := clientele._option(clientele._settings(store), 'clock_tolerance')::interval;
    in_time constant record := clientele._in_time(store, tolerance);
BEGIN
    EXECUTE clientele._fill('
        SELECT o.ordered_at, o.amount, {since}, {before_end}, {by_now}
        FROM {store}.ledger l JOIN {store}._orders o ON o.customer_id = l.customer_id
        WHERE l.code = $1 AND o.order_id {same} {order} AND o.amount IS NOT NULL
        ORDER BY {reaches} DESC, o.ordered_at LIMIT 1',
        'store', quote_ident(store), 'order', redeemed_order, 'same', clientele._order_equality(store),
        'since', in_time.since, 'before_end', in_time.before_end, 'by_now', in_time.by_now,
        'reaches', clientele._reaches(store, tolerance))
        INTO ordered_at, amount, is_since, is_before_end, is_by_now USING code;
END $$;
COMMENT ON FUNCTION clientele._placed_with(name, text, text) IS
    'The order, given as an SQL literal, where it is of the customer who has the code: when it was placed, its value, and whether it was '
    'in time by the clocks of tills. NULL where it is not.';

-- Nothing is locked before it is known that the code and the order are the same customer's. The order's id is shown as text: a
-- session's plan for a field of a record holds for one type, and stores differ in the type of ids.
CREATE FUNCTION clientele._held_exposure(store name, code text, redeemed_order text) RETURNS record
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held bigint;
    exposure record;
BEGIN
    EXECUTE format('SELECT l.exposure_id FROM %I.ledger l WHERE l.code = $1 FOR UPDATE', store) INTO held USING code;
    EXECUTE clientele._fill('
        SELECT l.exposure_id, l.program, l.customer_id::text AS customer_id, format(''%s'', {order}) AS this_order, l.reward, l.tiers,
            l.currency, l.state, l.closed_at, {order_id} AS order_id, l.issued_at, l.valid_until, l.min_spend,
            EXISTS (SELECT FROM {store}.reversals r WHERE r.exposure_id = l.exposure_id) AS is_reversed,
            l.order_id {same} {order} AS by_this_order,
            EXISTS (SELECT FROM {store}.ledger t WHERE t.state = ''redeemed'' AND t.order_id {same} {order}) AS order_is_used
        FROM {store}.ledger l WHERE l.exposure_id = $1',
        'store', quote_ident(store), 'order', redeemed_order, 'same', clientele._order_equality(store),
        'order_id', clientele._as_text('l.order_id')) INTO exposure USING held;
    RETURN exposure;
END $$;
COMMENT ON FUNCTION clientele._held_exposure(name, text, text) IS
    'The exposure of a code, locked, and what is to be known of it and of the order, given as an SQL literal.';

-- Its tables are not taken away from whoever has locked the profiles.
CREATE FUNCTION clientele._reads_no_orders(store name) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('SELECT FROM %I.profiles LIMIT 0', store);
    RETURN clientele._is_detached(store) OR to_regclass(format('%I._orders', store)) IS NULL;
END $$;
COMMENT ON FUNCTION clientele._reads_no_orders(name) IS
    'Whether a store is detached, or has lost the table of its orders: the answer holds until the transaction ends.';

CREATE FUNCTION clientele._try_redeem_offer(code text, order_id text, store name) RETURNS clientele.redemption_attempt
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    redeemed_order text;
    placed record;
    exposure record;
    attempt clientele.redemption_attempt;
BEGIN
    PERFORM clientele._require('code', code IS NOT NULL);
    store := clientele._resolve_store(store);
    code := clientele._canonical_code(code);
    redeemed_order := clientele._order_literal(store, order_id);
    attempt.redeemed := false;
    IF clientele._reads_no_orders(store) THEN
        attempt.reason := 'unavailable';
        attempt.detail := 'The store is detached, or has lost the table of its orders.';
        RETURN attempt;
    END IF;
    placed := clientele._placed_with(store, code, redeemed_order);
    exposure := clientele._held_exposure(store, CASE WHEN placed.ordered_at IS NOT NULL THEN code END, redeemed_order);
    IF exposure.exposure_id IS NULL THEN
        SELECT w.reason, w.detail INTO attempt.reason, attempt.detail FROM clientele._why_unmatched(store, code, redeemed_order) w;
        RETURN attempt;
    END IF;
    attempt := ROW(false, NULL, NULL, exposure.exposure_id, exposure.program, exposure.customer_id, exposure.this_order,
        placed.ordered_at, placed.amount,
        clientele._reward_for(exposure.reward, exposure.tiers, placed.amount, exposure.currency), exposure.currency);
    SELECT w.reason, w.detail INTO attempt.reason, attempt.detail
    FROM clientele._why_closed(exposure.state, exposure.is_reversed, exposure.closed_at, exposure.order_id, exposure.by_this_order) w;
    IF attempt.reason IS NULL AND exposure.order_is_used THEN
        attempt.reason := 'order_used';
    ELSIF attempt.reason IS NULL THEN
        SELECT w.reason, w.detail INTO attempt.reason, attempt.detail
        FROM clientele._why_not_by(placed.is_since, placed.is_before_end, placed.is_by_now, placed.ordered_at, placed.amount,
            exposure.issued_at, exposure.valid_until, exposure.min_spend, exposure.currency) w;
    END IF;
    IF attempt.reason IS NULL AND NOT clientele._write_redemption(store, redeemed_order, attempt) THEN
        attempt.reason := 'order_used';  -- by somebody else, since we looked
    END IF;
    attempt.redeemed := attempt.reason IS NULL;
    IF attempt.reason = 'order_used' THEN
        attempt.detail := 'An order redeems one offer.';
    END IF;
    RETURN attempt;
END $$;
COMMENT ON FUNCTION clientele._try_redeem_offer(text, text, name) IS 'try_redeem_offer() for an order given as text.';

-- The one subtransaction: that two codes are redeemed with one order at the same moment, the index alone can tell.
CREATE FUNCTION clientele._write_redemption(store name, redeemed_order text, attempt clientele.redemption_attempt) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('
        UPDATE %I.ledger l SET state = ''redeemed'', closed_at = now(), order_id = %s, ordered_at = $2, order_value = $3,
            cost = CASE WHEN l.tiers IS NOT NULL THEN $4 END, owed = nullif(COALESCE(l.cost, l.reward) - $4, 0)
        WHERE l.exposure_id = $1', store, redeemed_order)
        USING attempt.exposure_id, attempt.ordered_at, attempt.order_value, attempt.reward;
    RETURN true;
EXCEPTION WHEN unique_violation THEN
    RETURN false;
END $$;
COMMENT ON FUNCTION clientele._write_redemption(name, text, clientele.redemption_attempt) IS
    'Writes down that an order, given as an SQL literal, has redeemed an exposure; false where it has redeemed another meanwhile.';

-- One answer to an unknown code, an unknown order, and somebody else's: who guesses learns nothing.
CREATE FUNCTION clientele._redeem_offer(code text, order_id text, store name) RETURNS clientele.redemption
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    attempt clientele.redemption_attempt := clientele._try_redeem_offer(code, order_id, store);
    refusal record;
BEGIN
    IF attempt.redeemed THEN
        RETURN ROW(attempt.exposure_id, attempt.program, attempt.customer_id, attempt.order_id, attempt.ordered_at,
            attempt.order_value, attempt.reward, attempt.currency);
    ELSIF attempt.reason = 'unavailable' THEN
        PERFORM clientele._require_attached(clientele._resolve_store(store));
    ELSIF attempt.exposure_id IS NULL THEN
        attempt.reason := 'unknown';
        attempt.detail :=
            'There is no such code, or no such order that counts, or the code was not issued to the customer whose order it is.';
    END IF;
    refusal := clientele._refusal(attempt.reason);
    IF refusal.hint IS NULL THEN
        RAISE EXCEPTION '%', refusal.message USING ERRCODE = refusal.sqlstate, DETAIL = attempt.detail;
    END IF;
    RAISE EXCEPTION '%', refusal.message USING ERRCODE = refusal.sqlstate, DETAIL = attempt.detail, HINT = refusal.hint;
END $$;
COMMENT ON FUNCTION clientele._redeem_offer(text, text, name) IS 'redeem_offer() for an order given as text.';

CREATE FUNCTION clientele.redeem_offer(code text, order_id bigint, store name DEFAULT NULL) RETURNS clientele.redemption
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT clientele._redeem_offer($1, $2::text, $3); END;
CREATE FUNCTION clientele.redeem_offer(code text, order_id uuid, store name DEFAULT NULL) RETURNS clientele.redemption
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT clientele._redeem_offer($1, $2::text, $3); END;
CREATE FUNCTION clientele.redeem_offer(code text, order_id text, store name DEFAULT NULL) RETURNS clientele.redemption
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT clientele._redeem_offer($1, $2::text, $3); END;
CALL clientele._comment_on_overloads('redeem_offer(text, {key}, name)',
    'Redeems an offer with an order of the same customer that was placed while the offer was valid, give or take the store''s '
    'clock_tolerance, and whose value as the store defines it (net of refunds, before discounts) reaches min_spend; returns what was '
    'written down. Refused, with the reason: a code that was redeemed (OF002; whether by this very order, is said in the detail), has '
    'expired (OF004) or is void (OF005), an order that has redeemed another (OF003), was placed before the offer (OF006), is dated in the '
    'future (OF007), or is below the threshold (OF008). '
    'An unknown code, an unknown order and those of different customers get one answer (OF001). Upper and lower case, spaces and hyphens '
    'of a code do not matter. NULL, and a malformed id, are errors.');

CREATE FUNCTION clientele.try_redeem_offer(code text, order_id bigint, store name DEFAULT NULL) RETURNS clientele.redemption_attempt
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT clientele._try_redeem_offer($1, $2::text, $3); END;
CREATE FUNCTION clientele.try_redeem_offer(code text, order_id uuid, store name DEFAULT NULL) RETURNS clientele.redemption_attempt
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT clientele._try_redeem_offer($1, $2::text, $3); END;
CREATE FUNCTION clientele.try_redeem_offer(code text, order_id text, store name DEFAULT NULL) RETURNS clientele.redemption_attempt
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT clientele._try_redeem_offer($1, $2::text, $3); END;
CALL clientele._comment_on_overloads('try_redeem_offer(text, {key}, name)',
    'redeem_offer() that says in its row whether it has redeemed the offer, and if not, for which reason, rather than raising it: the '
    'transaction goes on, and nothing was written. It tells unknown codes from those of other customers: what a customer is shown should '
    'not. Raised all the same: serialization failures, deadlocks and cancels, NULL, a malformed id, and what the caller may not do.');
