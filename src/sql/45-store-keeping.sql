-- Keeping a store: list, upgrade, drop.

CREATE TYPE clientele.failure AS (failed_at timestamptz, relation text, operation text, sqlstate text, message text);
COMMENT ON TYPE clientele.failure IS 'A statement whose orders a live store could not note: the columns of a store''s table failures.';

-- Why a store may show something else than its orders: of one that is not live, what no refresh would mend. Nothing that would run its
-- owner's code as who asks.
CREATE FUNCTION clientele._stale(store name, settings clientele.store_settings, with_failures boolean DEFAULT true) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    missing text;
BEGIN
    IF settings.orders IS NULL THEN
        RETURN format('it is detached, and shows nothing: SELECT clientele.attach_store(%L)', store);
    ELSIF settings.live AND (to_regclass(format('%I.pending', store)) IS NULL OR to_regclass(format('%I.failures', store)) IS NULL) THEN
        RETURN 'its table pending or failures is missing: drop the store and create it anew';
    ELSIF clientele._has_lost_sources(store, settings) THEN
        RETURN format('a table that it reads was dropped: SELECT clientele.attach_store(%L)', store);
    ELSIF settings.fresh_to IS NULL AND settings.options ? 'altered' AND NOT settings.live THEN
        RETURN format('it reads its orders otherwise than when they were counted: CALL clientele.refresh(%L)', store);
    ELSIF clientele._is_replica(store) THEN
        RETURN clientele._replica_fault(store);
    END IF;
    SELECT string_agg(f.detail, '; ') INTO missing FROM clientele._table_faults(store, settings) f;
    IF missing IS NOT NULL OR NOT settings.live THEN
        RETURN missing;
    END IF;
    -- As row_security_active() decides, but for the owner of the store.
    SELECT string_agg(c.oid::regclass::text, ', ') INTO missing FROM pg_class c, pg_namespace n JOIN pg_roles o ON o.oid = n.nspowner
    WHERE n.nspname = store AND c.oid IN (settings.orders, settings.items) AND c.relrowsecurity
      AND NOT o.rolsuper AND NOT o.rolbypassrls AND (c.relforcerowsecurity OR NOT pg_has_role(n.nspowner, c.relowner, 'USAGE'));
    IF missing IS NOT NULL THEN
        RETURN format('row-level security hides rows of %s from the store''s owner', missing);
    END IF;
    SELECT string_agg(w.why, '; ' ORDER BY w.nth) INTO missing FROM (
        SELECT 1, format('triggers are missing or disabled on %s: SELECT clientele.set_live(%L, true)',
            string_agg(DISTINCT t.relation::text, ', '), store)
        FROM clientele._triggers(settings) t WHERE NOT t.enabled HAVING count(*) > 0
        UNION ALL SELECT 2, string_agg(f.detail, '; ') FROM clientele._partition_faults(store, settings) f) w (nth, why);
    IF missing IS NOT NULL THEN
        RETURN missing;
    END IF;
    RETURN CASE WHEN with_failures THEN clientele._noted_failures(to_regclass(format('%I.failures', store))) END;
END $$;
COMMENT ON FUNCTION clientele._stale(name, clientele.store_settings, boolean) IS
    'Why a live store may not show every committed order, and what is wrong with the tables of any store; NULL where nothing is.';

CREATE FUNCTION clientele._noted_failures(failures regclass) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    failed bigint;
    message text;
BEGIN
    SELECT count(*), (array_agg(f.message ORDER BY f.failed_at))[1] INTO failed, message
        FROM clientele._plain_rows(failures, NULL::clientele.failure, true) f;
    IF failed > 0 THEN
        RETURN format('%s %s could not be noted, the first because: %s', failed, CASE failed WHEN 1 THEN 'statement'
            ELSE 'statements' END, message);
    END IF;
    RETURN NULL;
EXCEPTION
    WHEN wrong_object_type THEN RETURN 'its table failures is not the one that was created';
    WHEN lock_not_available THEN RETURN 'its table failures is locked by another session';
    WHEN insufficient_privilege OR undefined_table THEN RETURN NULL;
END $$;
COMMENT ON FUNCTION clientele._noted_failures(regclass) IS
    'What a live store''s table failures says, in words; NULL where it is empty, or not for the caller to read.';

CREATE FUNCTION clientele._stores()
    RETURNS TABLE (store name, owner name, orders regclass, customers regclass, items regclass, currency text, time_zone text,
        margin numeric, live boolean, fresh_to timestamptz, stale text, detached boolean)
    LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT u.store, pg_get_userbyid(u.owner), (u.settings).orders, (u.settings).customers, (u.settings).items, (u.settings).currency,
        (u.settings).time_zone, (u.settings).margin, (u.settings).live,
        CASE WHEN clientele._refresh_is_due(u.settings) THEN NULL WHEN (u.settings).live AND w.why IS NULL THEN now()
            ELSE (u.settings).fresh_to END, w.why,
        (u.settings).orders IS NULL
    FROM clientele._usable_stores() u CROSS JOIN LATERAL (SELECT clientele._stale(u.store, u.settings) OFFSET 0) w (why)
    UNION ALL
    -- Of a store whose settings the caller may not read, what its table health says.
    SELECT n.store, pg_get_userbyid(n.owner), (n.fact).orders, (n.fact).customers, (n.fact).items, NULL, (n.fact).time_zone,
        NULL, (n.fact).live, CASE WHEN clientele._refresh_is_due(clientele._settings_noted(n.fact)) THEN NULL
            WHEN (n.fact).live AND w.why IS NULL THEN now() ELSE (n.fact).since END, w.why, (n.fact).orders IS NULL
    FROM clientele._noted_stores() n CROSS JOIN LATERAL (SELECT clientele._noted_stale(n.store, n.fact, n.has_failures) OFFSET 0) w (why)
$$;
COMMENT ON FUNCTION clientele._stores() IS 'The rows of the view clientele.stores.';

CREATE VIEW clientele.stores AS SELECT * FROM clientele._stores();
COMMENT ON VIEW clientele.stores IS
    'The stores that the caller may read, or whose table health the caller may read. '
    'fresh_to: orders committed by then are in the profiles; now, for a live store; NULL where a '
    'refresh is due: none was yet, or the store reads its orders otherwise since. '
    'detached: whether it has let go of its tables (see detach_store). '
    'stale: why a live store may not show every order, until CALL refresh(store) or what it says has mended it, and what was done to the '
    'tables of any store, or to the rules of its time zone; NULL where nothing is wrong.';
GRANT SELECT ON clientele.stores TO PUBLIC;

CREATE FUNCTION clientele.upgrade_store(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings;
BEGIN
    PERFORM clientele._require_owner(store);
    IF (clientele._settings(store)).version < clientele._store_version() AND NOT clientele._is_detached(store) THEN
        PERFORM clientele._renew_views(store);
    END IF;
    PERFORM clientele._lock_store(store);
    settings := clientele._settings(store);
    IF settings.version > clientele._store_version() THEN
        RAISE EXCEPTION 'store % has version %, which this release does not know', quote_ident(store), settings.version
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Upgrade the extension: ALTER EXTENSION clientele UPDATE.';
    END IF;
    IF settings.orders IS NOT NULL THEN
        PERFORM clientele._require_attached(store);
    END IF;
    IF clientele._health_of(store) IS NULL THEN
        PERFORM clientele._create_health(store);
    END IF;
    PERFORM clientele._write_column_names(store);
    PERFORM clientele._regenerate_profiles(store, settings, settings.live);
    PERFORM clientele._refresh_rules(store);
    PERFORM clientele._regenerate_segments(store);
    PERFORM clientele._regenerate_features(store);
    PERFORM clientele._regenerate_offers(store);
END $$;
COMMENT ON FUNCTION clientele.upgrade_store(name) IS
    'Brings what a store generated (functions over its rules and programs) up to the installed version of the extension, and its settings '
    'to what columns are called now. Where that release makes stores otherwise, also its views, which it creates anew: it then waits for '
    'who reads them, and lists what depends on them, which must be dropped before. Idempotent; owner only.';

-- As alter_store() does where columns change. What depends on the views is refused there.
CREATE FUNCTION clientele._renew_views(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    role text;
BEGIN
    PERFORM clientele._lock_dropping(store, 'upgrade_store()');
    PERFORM clientele._require_attached(store);
    PERFORM clientele._lock_alone(store, '{}', false);
    role := clientele._become_owner(store);
    PERFORM clientele._write_column_names(store);
    PERFORM clientele._change_sources(store, '{}', '{}', false);
    PERFORM clientele._note_definitions(store);
    PERFORM set_config('role', role, true);
END $$;
COMMENT ON FUNCTION clientele._renew_views(name) IS
    'Creates the views of a store that an older release has made anew, and gives its tables what they lack.';

CREATE FUNCTION clientele.set_time_zone(store name, time_zone text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings;
    live boolean;
BEGIN
    PERFORM clientele._require('time_zone', time_zone IS NOT NULL);
    PERFORM clientele._require_owner(store);
    PERFORM clientele._require_attached(store);
    time_zone := clientele._check_time_zone(time_zone);
    live := (clientele._settings(store)).live;
    -- What triggers have noted was counted in the former zone.
    IF live THEN
        PERFORM clientele.set_live(store, false);
    END IF;
    PERFORM clientele._lock_refresh(store, 'set_time_zone()');
    PERFORM clientele._lock_store(store);
    PERFORM clientele._write_column_names(store);
    -- Without digests everybody is to be counted anew.
    EXECUTE format('UPDATE %I.settings SET time_zone = $1, zone_digests = NULL', store) USING time_zone;
    settings := clientele._settings(store);
    PERFORM clientele._regenerate_order_views(store, settings);
    PERFORM clientele._regenerate_offers(store);
    IF live THEN
        PERFORM clientele.set_live(store, true);
    END IF;
    RAISE NOTICE 'store % has the time zone % now', quote_ident(store), time_zone
        USING DETAIL = CASE WHEN live THEN 'Until its next refresh it counts every order whenever it is read.'
            ELSE 'Until its next refresh its customers are those that were counted in the former one.' END,
            HINT = format('CALL clientele.refresh(%L);', store);
END $$;
COMMENT ON FUNCTION clientele.set_time_zone(name, text) IS
    'Gives a store another time zone, one of pg_timezone_names: for who has moved, and where the server does not know the former one any '
    'more. '
    'A refresh counts everybody anew. Of a live store it waits for transactions that are writing orders, as set_live() does. Owner only.';

-- What create_store put into a store's schema.
CREATE FUNCTION clientele._store_objects(store name) RETURNS TABLE (class regclass, object oid)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT 'pg_class'::regclass, c.oid FROM pg_class c
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = store) AND c.relname IN (
        'settings', 'profiles', 'pending', 'failures', 'typical_values', 'segmentations', 'segment_rules', 'contents', 'content_exposures',
        'programs', 'segment_membership', 'segment_events', 'event_counter', 'event_consumers', 'health', 'crossed', 'scoring', 'models',
        'partitions',
        'product_neighbours', 'affinities', 'budget_prices',
        'program_versions', 'budgets', 'ledger', 'reversals', 'campaigns', 'forgotten', '_ledger', 'exposures', 'offer_ledger',
        'budget_status', '_budgets', 'campaign_progress', 'experiment_health',
        '_orders', '_order_rows', 'uncountable_orders', '_items', '_item_products', '_products', '_order_owners',
        '_pending_now', '_marked', '_recounted', '_recounted_all', '_base', '_base_stored', '_customers_stored',
        '_segments_stored', '_offer_inputs_stored', 'customers', 'segments', '_offer_inputs', '_offer_inputs_of_all', '_segment_content',
        'offers', 'campaign', 'offer_decisions', 'offer_summary', 'segment_sizes')
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid FROM pg_namespace n CROSS JOIN LATERAL clientele._healths(n.oid) h
        JOIN pg_class c ON c.oid = h.health AND c.relname <> 'health' WHERE n.nspname = store
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid FROM pg_proc p
    WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = store) AND (p.proname, p.proargtypes::text) IN (
        SELECT f.name, f.types FROM (VALUES
            ('_profiles_at', 'timestamptz'::regtype::oid::text), ('_base_at', 'timestamptz'::regtype::oid::text),
            ('customers_at', 'timestamptz'::regtype::oid::text), ('segments_at', 'timestamptz'::regtype::oid::text),
            ('_offer_inputs_at', 'timestamptz'::regtype::oid::text), ('_typical_value', 'text'::regtype::oid::text),
            ('_offer_book', ''), ('_sees_everybody', ''), ('_sees_sums', ''), ('_sees_customers', ''), ('_visible_customers', ''),
            ('_profiles_now', ''), ('_detached', ''), ('_margin_asks_for_segment', ''),
            ('_margin', concat_ws(' ', 'jsonb'::regtype::oid, 'text'::regtype::oid)),
            ('_decide', concat_ws(' ', 'clientele.offer_input'::regtype::oid, 'clientele.offer_budget[]'::regtype::oid,
                'text'::regtype::oid)),
            ('_fill_by_price', concat_ws(' ', 'numeric'::regtype::oid, 'numeric'::regtype::oid, 'text[]'::regtype::oid))
            ) f (name, types)
        UNION ALL
        SELECT f.name, concat_ws(' ', k.type, k.type) FROM (VALUES ('_base_between'), ('_offer_inputs_between')) f (name), (
            SELECT a.atttypid::text AS type FROM pg_attribute a WHERE a.attrelid = to_regclass(format('%I.profiles', store))
                AND a.attname = 'customer_id') k
        UNION ALL
        SELECT '_fill_candidates', concat_ws(' ', a.atttypid, 'text[]'::regtype::oid) FROM pg_attribute a
            WHERE a.attrelid = to_regclass(format('%I.profiles', store)) AND a.attname = 'customer_id'
        UNION ALL
        -- These take the columns of customers.
        SELECT f.name, c.types FROM (VALUES ('_segment_main'), ('_segments'), ('_matches'), ('_features'), ('_no_consent')) f (name), (
            SELECT string_agg(a.atttypid::text, ' ' ORDER BY a.attnum) AS types FROM pg_attribute a
            WHERE a.attrelid = to_regclass(format('%I.customers', store)) AND a.attnum > 0) c)
        -- Without that view (a cascade took it) the names must do.
        OR (p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = store) AND to_regclass(format('%I.customers', store)) IS NULL
            AND p.proname IN ('_segment_main', '_segments', '_matches', '_features', '_no_consent'));
END $$;
COMMENT ON FUNCTION clientele._store_objects(name) IS 'The tables, views and functions of a store that are the extension''s.';

CREATE FUNCTION clientele._refuse_open_offers(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    open bigint;
BEGIN
    IF to_regclass(format('%I.ledger', store)) IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT count(*) FROM %I.ledger l WHERE l.state = ''open'' AND l.holdout IS NULL AND l.valid_until > now()', store)
        INTO open;
    IF open > 0 THEN
        RAISE EXCEPTION 'store % has offers that are open', quote_ident(store) USING ERRCODE = 'object_in_use',
            DETAIL = format('%s %s, which nobody could redeem any more.', CASE open WHEN 1 THEN 'A customer holds'
                ELSE 'Customers hold' END,
                CASE open WHEN 1 THEN '1 code' ELSE open || ' codes' END),
            HINT = format('Wait until they have ended, or: SELECT clientele.drop_store(%L, force => true);', store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._refuse_open_offers(name) IS
    'Refuses (55006) a store whose customers hold codes that are good, and says how many.';

CREATE FUNCTION clientele._lock_dropping(store name, call text) RETURNS void
    AS 'MODULE_PATHNAME', 'clientele_lock_dropping' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION clientele._lock_dropping(name, text) IS
    'Lets one session at a time drop a store or change what it reads: of two that had read it, each would wait for the other to let go '
    'of it. For the store''s owner. call: what cannot be executed in a read-only transaction.';

CREATE FUNCTION clientele.drop_store(store name, force boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    others text;
BEGIN
    PERFORM clientele._require('force', force IS NOT NULL);
    PERFORM clientele._require_owner(store);
    PERFORM clientele._lock_dropping(store, 'drop_store()');
    IF NOT force THEN
        PERFORM clientele._refuse_open_offers(store);  -- before anybody has to wait
    END IF;
    -- Locks the orders and the store together, without waiting for one while holding another: who writes an order waits for no
    -- reader of the store, and nobody is the victim of a deadlock. (Hence not _lock_store(), which would hold a row meanwhile.)
    PERFORM clientele._await_refresh(store);
    PERFORM clientele._drop_triggers(store, clientele._triggered(clientele._settings(store))
        || ARRAY(SELECT o.object::regclass FROM clientele._store_objects(store) o WHERE o.class = 'pg_class'::regclass));
    IF NOT force THEN
        PERFORM clientele._refuse_open_offers(store);  -- what was issued meanwhile
    END IF;
    others := array_to_string(clientele._others(store, '{r,v,f,n}'), ', ');
    IF others IS NOT NULL THEN
        RAISE EXCEPTION 'store % cannot be dropped: others depend on it', quote_ident(store)
            USING ERRCODE = 'dependent_objects_still_exist', DETAIL = format('Not created by clientele: %s.', others),
            HINT = 'Drop or move these first.';
    END IF;
    EXECUTE format('DROP SCHEMA %I CASCADE', store);
END $$;
COMMENT ON FUNCTION clientele.drop_store(name, boolean) IS
    'Drops a store and nothing else: refuses, listing them, where others'' objects are in its schema or depend on it, '
    'and (55006) where offers are open, of which it says how many. '
    'force: drops it with the codes that customers hold. The orders stay as they are. Owner only.';
