-- Forgetting a customer: nothing that names them stays, unless they still have orders; and the sums stay what they are.

-- What would bring back what is being removed: a refresh that has counted the customer and not written yet, and a recording
-- of segments that has read them. Whoever has counted before us in a transaction that goes on fails (see _touch).
CREATE FUNCTION clientele._stop_refreshing(store name, caller text DEFAULT 'forget_customer()') RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET lock_timeout = '10s' AS $$
BEGIN
    PERFORM clientele._lock_refresh(store, caller);
    PERFORM clientele._touch(store);
    PERFORM clientele._lock_history(store);
EXCEPTION WHEN lock_not_available THEN
    RAISE EXCEPTION 'store % is being refreshed, or changed', quote_ident(store) USING ERRCODE = 'object_in_use',
        DETAIL = 'A refresh may have counted the customer, and would bring back what is removed.',
            HINT = 'Repeat it when that has ended; clientele.refresh_progress shows it.';
END $$;
COMMENT ON FUNCTION clientele._stop_refreshing(name, text) IS
    'Keeps refreshes of a store away until the end of the transaction; refuses (55006) where one goes on for ten seconds.';

CREATE FUNCTION clientele._require_whole_store(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    relation regclass;
BEGIN
    FOR relation IN SELECT format('%I.profiles', store)::regclass
        UNION ALL SELECT settings.customers WHERE settings.customers IS NOT NULL
        UNION ALL SELECT settings.orders WHERE settings.live
    LOOP
        IF row_security_active(relation) THEN
            RAISE EXCEPTION 'row-level security hides rows of % from %', relation, quote_ident(current_user)
                USING ERRCODE = 'insufficient_privilege',
                DETAIL = 'Some of what is to be removed, or counted anew, might be missed.',
                    HINT = 'Let the owner of the store do it, or a role with BYPASSRLS.';
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._require_whole_store(name, clientele.store_settings) IS
    'Refuses a caller whom a policy keeps from rows of customers, or, where the store is live, from orders.';

CREATE FUNCTION clientele._forget_exposures(store name, key text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- What is reserved by open offers goes back to the budget. What redeemed offers cost stays spent: where the customer's orders were
    -- deleted a moment ago, a live store has noted that as reversals, which are removed without giving anything back.
    PERFORM clientele._close_and_release(store, clientele._fill('
        closed AS (
            DELETE FROM {store}.ledger l WHERE l.customer_id = {key}
            RETURNING l.exposure_id, l.program, l.program_version, l.holdout, l.slot, COALESCE(l.cost, l.reward) AS cost, l.state,
                CASE WHEN l.state = ''open'' THEN COALESCE(l.cost, l.reward) ELSE l.owed END AS reward,
                l.state = ''open'' OR l.owed > 0 AS was_open
        ), settled AS (
            DELETE FROM {store}.reversals r USING closed g WHERE r.exposure_id = g.exposure_id
        ), summed AS (
            INSERT INTO {store}.forgotten AS f (program, program_version, held_out, exposures, redemptions, rewards)
            SELECT g.program, g.program_version, g.held_out, count(*), count(*) FILTER (WHERE g.state = ''redeemed'' AND NOT g.held_out),
                coalesce(sum(g.cost) FILTER (WHERE g.state = ''redeemed'' AND NOT g.held_out), 0)
            FROM (SELECT c.*, c.holdout IS NOT NULL AS held_out FROM closed c) g GROUP BY g.program, g.program_version, g.held_out
            ON CONFLICT (program, program_version, held_out) DO UPDATE SET exposures = f.exposures + excluded.exposures,
                redemptions = f.redemptions + excluded.redemptions, rewards = f.rewards + excluded.rewards)',
        'store', quote_ident(store), 'key', key));
END $$;
COMMENT ON FUNCTION clientele._forget_exposures(name, text) IS
    'Removes a customer''s exposures (key: an SQL literal), adds them to the sums in forgotten, and gives back what was reserved.';

-- Where orders of the customer are left, they count again. A live store, which has no profile of them any more, would take the next new
-- order for the only one: hence a mark that has all of them counted, and one for each order of the future, as triggers set them.
CREATE FUNCTION clientele._mark_for_recount(store name, key text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('INSERT INTO %1$I.pending (customer_id, due)
        SELECT DISTINCT o.customer_id, CASE WHEN o.ordered_at <= now() THEN ''-infinity'' ELSE o.ordered_at END FROM %1$I._orders o
        WHERE o.customer_id = %2$s AND o.ordered_at IS NOT NULL AND o.amount IS NOT NULL', store, key);
END $$;
COMMENT ON FUNCTION clientele._mark_for_recount(name, text) IS
    'Live stores: has a customer (key: an SQL literal) counted anew, now and when orders of the future count; none is left where there '
    'are no orders.';

CREATE FUNCTION clientele._forget_customer(customer text, store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings;
    key text;
BEGIN
    PERFORM clientele._require('customer', customer IS NOT NULL);
    store := clientele._resolve_store(store);
    key := clientele._key_literal(store, customer);
    IF key IS NULL THEN
        RETURN;
    END IF;
    settings := clientele._settings(store);
    IF settings.live THEN
        PERFORM clientele._require_attached(store);
    END IF;
    PERFORM clientele._require_readable(store);
    PERFORM clientele._require_whole_store(store, settings);
    PERFORM clientele._stop_refreshing(store);
    -- Campaigns before exposures, in the order in which issue_offers() locks them. A campaign that was interrupted at this customer must
    -- not name them: it will go on from the customer before.
    EXECUTE format('SELECT FROM %I.campaigns c ORDER BY c.program FOR NO KEY UPDATE', store);
    EXECUTE format('UPDATE %1$I.campaigns c SET last_customer = (SELECT b.customer_id::text FROM %1$I._base_stored b
            WHERE b.customer_id%3$s < %2$s ORDER BY b.customer_id%3$s DESC LIMIT 1)
        WHERE c.last_customer = %2$s::text', store, key, clientele._key_collation(store));
    EXECUTE format('DELETE FROM %I.profiles p WHERE p.customer_id = %s', store, key);
    EXECUTE format('DELETE FROM %I.pending t WHERE t.customer_id = %s', store, key);
    EXECUTE format('DELETE FROM %I.segment_membership m WHERE m.customer_id = %s', store, key);
    EXECUTE format('DELETE FROM %I.segment_events e WHERE e.customer_id = %s', store, key);
    EXECUTE format('DELETE FROM %I.crossed x WHERE x.customer_id = %s', store, key);
    EXECUTE format('DELETE FROM %I.content_exposures e WHERE e.customer_id = %s', store, key);
    PERFORM clientele._forget_exposures(store, key);
    IF settings.live THEN
        PERFORM clientele._mark_for_recount(store, key);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._forget_customer(text, name) IS 'forget_customer() for a customer given as text.';

CREATE FUNCTION clientele.forget_customer(customer bigint, store name DEFAULT NULL) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT clientele._forget_customer($1::text, $2); END;
CREATE FUNCTION clientele.forget_customer(customer uuid, store name DEFAULT NULL) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT clientele._forget_customer($1::text, $2); END;
CREATE FUNCTION clientele.forget_customer(customer text, store name DEFAULT NULL) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT clientele._forget_customer($1::text, $2); END;
CALL clientele._comment_on_overloads('forget_customer({key}, name)',
    'Removes what a store keeps of a customer: the profile, what is pending, the history of segments and its events, the exposures to '
    'content, and those to offers, of which sums by program stay, so that budgets are exact: what was spent stays spent, what was '
    'promised is free again. '
    'Who is to be forgotten must be deleted from the orders and customers tables first, in the same transaction or an earlier one: what '
    'is left there is counted again, by the next refresh; by a live store at once. Idempotent; an unknown customer is no error; NULL and '
    'a malformed key are. '
    'For the store''s owner, or who may delete from profiles, pending, segment_membership, segment_events, ledger, crossed, '
    'content_exposures and reversals, and write forgotten, event_counter, budgets, campaigns and settings; where the store is live, read '
    'the orders and add to pending. '
    'Refused (55006) while the store is being refreshed.');
