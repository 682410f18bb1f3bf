-- Live stores: what triggers on the orders append to the table "pending" is rolled up by every reader.

-- Views with the rights of their owner, so that readers need none on the orders (a view that is read with the rights of who
-- asks would be so within them, too; hence the queries behind those). They show nothing that "profiles" does not.
CREATE FUNCTION clientele._create_live_views(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    owners text;
BEGIN
    -- Whom a policy on the profiles restricts reads what is stored: nobody can say who a change that is pending belongs to.
    -- What was counted by other rules of the time zone than those of today is as good as a mark. Where a subscription fills the profiles,
    -- all of this is about orders that are elsewhere.
    EXECUTE format('CREATE OR REPLACE VIEW %1$I._pending_now WITH (security_invoker = true) AS
        SELECT t.customer_id, CASE WHEN %3$s IS NULL OR NOT clientele._has_orders_since(t.profile, %3$s) THEN t.profile END AS profile,
            t.order_id
        FROM %1$I.pending t
        WHERE t.due <= pg_catalog.now() AND NOT pg_catalog.row_security_active(%2$L::pg_catalog.regclass::pg_catalog.oid)
          AND NOT clientele._is_subscribed(%2$L::pg_catalog.regclass::pg_catalog.oid)
        UNION ALL
        SELECT p.customer_id, NULL, NULL FROM %1$I.profiles p
        WHERE %3$s IS NOT NULL AND clientele._has_orders_since(p.profile, %3$s)
          AND NOT pg_catalog.row_security_active(%2$L::pg_catalog.regclass::pg_catalog.oid)
          AND NOT clientele._is_subscribed(%2$L::pg_catalog.regclass::pg_catalog.oid)',
        store, format('%I.profiles', store),
        format('(SELECT clientele._zone_differs_from(s.time_zone, s.zone_digests) FROM %I.settings s)', store));
    IF settings.items IS NOT NULL THEN
        owners := format('SELECT %s AS order_id, %s AS customer_id FROM %s o WHERE true%s', clientele._order_id(settings),
            clientele._plain_column(settings.orders, 'o', settings.customer_id), settings.orders, clientele._keys_fit(settings));
        EXECUTE format('CREATE OR REPLACE VIEW %I._order_owners WITH (security_invoker = true) AS %s', store, owners);
        EXECUTE format('CREATE OR REPLACE VIEW %1$I._marked WITH (security_barrier = true) AS
            SELECT t.customer_id FROM %1$I._pending_now t WHERE t.customer_id IS NOT NULL
            UNION ALL
            SELECT w.customer_id FROM %1$I._pending_now t JOIN (%2$s) w ON w.order_id %3$s t.order_id
            WHERE t.customer_id IS NULL AND w.customer_id IS NOT NULL', store, owners, clientele._order_equality(store));
    ELSE
        EXECUTE format('CREATE OR REPLACE VIEW %1$I._marked WITH (security_barrier = true) AS
            SELECT t.customer_id FROM %1$I._pending_now t WHERE t.customer_id IS NOT NULL AND t.profile IS NULL', store);
    END IF;
    EXECUTE format('CREATE OR REPLACE VIEW %I._recounted WITH (security_barrier = true) AS %s', store,
        clientele._profiles_query(store, settings, 'pg_catalog.now()', format('o.customer_id IN (SELECT m.customer_id FROM %I._marked m)',
            store), true));
    EXECUTE format('CREATE OR REPLACE VIEW %I._recounted_all WITH (security_barrier = true) AS %s', store,
        format('SELECT r.customer_id, r.profile, r.category_mix FROM (%s) r
            WHERE NOT pg_catalog.row_security_active(%L::pg_catalog.regclass::pg_catalog.oid)',
            clientele._profiles_query(store, settings, 'pg_catalog.now()', 'true', true), format('%I.profiles', store)));
END $$;
COMMENT ON FUNCTION clientele._create_live_views(name, clientele.store_settings) IS
    'What the readers of a live store ask: which customers must be counted anew, and their profiles.';

-- The profiles as of now: a function, so that set_live() changes it without a lock that makes a reader wait.
CREATE FUNCTION clientele._regenerate_profiles(store name, settings clientele.store_settings, live boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    stored constant text := 'SELECT p.customer_id, p.profile, p.category_mix FROM {store}.profiles p';
    -- Four disjoint parts: untouched customers, those with new orders only, those counted anew, and everybody.
    everybody constant text := 'EXISTS (SELECT FROM {store}._pending_now t WHERE t.customer_id IS NULL AND t.order_id IS NULL)';
    query text := stored;
BEGIN
    IF live THEN
        query := stored || CASE WHEN settings.items IS NULL
            THEN ' WHERE NOT EXISTS (SELECT FROM {store}._pending_now t WHERE t.customer_id = p.customer_id) AND NOT ' || everybody || '
                UNION ALL
                SELECT t.customer_id, COALESCE(clientele.order_profile_merge(p.profile, t.profile), t.profile), p.category_mix
                FROM (SELECT t.customer_id, clientele.rollup(t.profile) AS profile FROM {store}._pending_now t
                      WHERE t.customer_id IS NOT NULL GROUP BY t.customer_id HAVING pg_catalog.bool_and(t.profile IS NOT NULL)) t
                LEFT JOIN {store}.profiles p ON p.customer_id = t.customer_id WHERE NOT ' || everybody
            ELSE ' WHERE NOT EXISTS (SELECT FROM {store}._marked m WHERE m.customer_id = p.customer_id) AND NOT ' || everybody
            END || '
            UNION ALL
            SELECT r.customer_id, r.profile, r.category_mix FROM {store}._recounted r WHERE NOT ' || everybody || '
            UNION ALL
            SELECT r.customer_id, r.profile, r.category_mix FROM {store}._recounted_all r WHERE ' || everybody;
    END IF;
    EXECUTE clientele._fill('CREATE OR REPLACE FUNCTION {store}._profiles_now()
        RETURNS TABLE (customer_id {key}, profile clientele.order_profile, category_mix jsonb)
        STABLE PARALLEL SAFE BEGIN ATOMIC ' || query || '; END',
        'store', quote_ident(store), 'key', clientele._key_type(store)::text);
END $$;
COMMENT ON FUNCTION clientele._regenerate_profiles(name, clientele.store_settings, boolean) IS
    'What a store shows as its profiles: those that are stored; where live, rolled up with what is pending.';

-- The triggers.

CREATE FUNCTION clientele._note_orders() RETURNS trigger
    AS 'MODULE_PATHNAME', 'clientele_note_orders' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION clientele._note_orders() IS
    'AFTER ... FOR EACH STATEMENT on a live store''s orders: appends to the store''s table pending whose profiles changed. Never makes '
    'the statement fail.';
CREATE FUNCTION clientele._note_items() RETURNS trigger
    AS 'MODULE_PATHNAME', 'clientele_note_items' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION clientele._note_items() IS 'The same for a live store''s order lines.';

CREATE FUNCTION clientele._lock_sources(sources regclass[], patient boolean DEFAULT true) RETURNS void
    AS 'MODULE_PATHNAME', 'clientele_lock_sources' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION clientele._lock_sources(regclass[], boolean) IS
    'Locks tables as CREATE TRIGGER does, and never waits for one while it holds another, so that no order is the victim of a deadlock. '
    'Not patient: fails (55P03) where one is not free. Needs TRIGGER on them.';
CREATE FUNCTION clientele._drop_triggers(store name, sources regclass[], patient boolean DEFAULT true) RETURNS void
    AS 'MODULE_PATHNAME', 'clientele_drop_triggers' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION clientele._drop_triggers(name, regclass[], boolean) IS
    'Drops a store''s triggers from these tables. Not patient: fails (55P03) where one is not free. For the store''s owner, who need not '
    'own the tables.';

-- A table, its partitions and its children: a statement fires the triggers of the table that it names, and no others.
CREATE FUNCTION clientele._family(root regclass) RETURNS SETOF regclass
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH RECURSIVE family AS (SELECT root AS member UNION SELECT i.inhrelid::regclass FROM family f
        JOIN pg_inherits i ON i.inhparent = f.member)
    SELECT member FROM family;
END $$;
COMMENT ON FUNCTION clientele._family(regclass) IS 'A table and everything that inherits from it.';

CREATE FUNCTION clientele._sources(store name) RETURNS SETOF regclass
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT f FROM clientele._settings(store) s CROSS JOIN LATERAL (
        SELECT 1, s.orders, f FROM clientele._family(s.orders) f
        UNION ALL SELECT 2, s.items, f FROM clientele._family(s.items) f) t (nth, root, f)
    WHERE has_any_column_privilege(root, 'SELECT') ORDER BY nth, f <> root, f
$$;
COMMENT ON FUNCTION clientele._sources(name) IS
    'The orders of a store and their partitions, then its lines and theirs, as far as the caller may read them: in the order in which '
    'every query locks them.';
CREATE FUNCTION clientele._share_sources(store name) RETURNS void
    AS 'MODULE_PATHNAME', 'clientele_share_sources' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION clientele._share_sources(name) IS
    'Locks them as reading does: before a lock on the store, so that whoever has written orders and waits for the store does not wait for '
    'us in vain.';

-- Every trigger that a live store has, or should have; missing ones have no oid.
CREATE FUNCTION clientele._triggers(settings clientele.store_settings)
    RETURNS TABLE (relation regclass, event text, name name, kind name, oid oid, enabled boolean)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT r.relation, e.event, n.name, r.kind, t.oid, coalesce(t.tgenabled IN ('O', 'A'), false)
    FROM (SELECT clientele._family(settings.orders), '_note_orders'::name, 'clientele._note_orders()'::regprocedure
          UNION ALL SELECT clientele._family(settings.items), '_note_items', 'clientele._note_items()') r (relation, kind, function)
    JOIN pg_class c ON c.oid = r.relation AND c.relkind <> 'f'
    CROSS JOIN unnest('{insert,update,delete,truncate}'::text[]) e (event)
    CROSS JOIN LATERAL (SELECT format('clientele_%s_%s', left(settings.id::text, 8), e.event)::name) n (name)
    LEFT JOIN pg_trigger t ON t.tgrelid = r.relation AND t.tgname = n.name AND NOT t.tgisinternal
        AND t.tgfoid = r.function;
END $$;
COMMENT ON FUNCTION clientele._triggers(clientele.store_settings) IS
    'The triggers that a live store needs on its orders and lines, and which of them are there.';

CREATE FUNCTION clientele._triggered(settings clientele.store_settings) RETURNS regclass[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY(SELECT DISTINCT t.tgrelid::regclass FROM pg_trigger t
        WHERE t.tgfoid IN ('clientele._note_orders()'::regprocedure, 'clientele._note_items()'::regprocedure)
          AND starts_with(t.tgname, format('clientele_%s_', left(settings.id::text, 8))))
$$;
COMMENT ON FUNCTION clientele._triggered(clientele.store_settings) IS
    'The tables that have triggers of a store, detached partitions among them.';

CREATE FUNCTION clientele._check_live_source(relation regclass) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    class pg_class;
BEGIN
    SELECT * INTO class FROM pg_class WHERE oid = relation;
    IF class.relkind NOT IN ('r', 'p') THEN
        RAISE EXCEPTION 'the store cannot be live: % is %', relation,
            CASE class.relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view' WHEN 'f' THEN 'a foreign table'
                ELSE 'no table' END
            USING ERRCODE = 'wrong_object_type', DETAIL = 'What changes behind it fires no trigger that could see the rows.',
            HINT = 'Leave live out and CALL clientele.refresh() when orders have changed, or name the table itself.';
    END IF;
    IF class.relpersistence = 'u' THEN
        RAISE EXCEPTION 'the store cannot be live: % is unlogged', relation USING ERRCODE = 'wrong_object_type',
            DETAIL = 'A crash empties it, and no trigger fires.', HINT = format('ALTER TABLE %s SET LOGGED.', relation);
    END IF;
    IF EXISTS (SELECT FROM pg_subscription_rel WHERE srrelid = relation) THEN
        RAISE EXCEPTION 'the store cannot be live: % is filled by a subscription', relation USING ERRCODE = 'wrong_object_type',
            DETAIL = 'Logical replication fires no statement triggers.',
            HINT = 'Leave live out and CALL clientele.refresh() on a schedule.';
    END IF;
    IF NOT has_table_privilege(relation, 'TRIGGER') THEN
        RAISE EXCEPTION 'permission denied for table %', relation USING ERRCODE = 'insufficient_privilege',
            HINT = format('A live store needs TRIGGER on it: GRANT TRIGGER ON %s TO %I.', relation, current_user);
    END IF;
    IF row_security_active(relation::oid) THEN
        RAISE EXCEPTION 'the store cannot be live: row-level security hides orders of % from %', relation, quote_ident(current_user)
            USING ERRCODE = 'insufficient_privilege',
            HINT = 'The owner of a store must see every order: as owner of the table, or with BYPASSRLS.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_live_source(regclass) IS 'Refuses a table whose changes triggers cannot follow.';

-- By what the views _orders and _items read, whatever the columns are called now.
CREATE FUNCTION clientele._check_no_virtual_column(store name) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    virtual record;
BEGIN
    SELECT a.attname AS name, clientele._full_name(a.attrelid) AS relation, format_type(a.atttypid, a.atttypmod) AS type INTO virtual
    FROM pg_class v JOIN pg_rewrite r ON r.ev_class = v.oid
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE v.oid IN (to_regclass(format('%I._orders', store)), to_regclass(format('%I._items', store))) AND a.attgenerated = 'v'
        ORDER BY 2, 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the store cannot be live: column "%" of % is generated when it is read', virtual.name, virtual.relation
            USING ERRCODE = 'feature_not_supported', DETAIL = 'Triggers see NULL in a virtual generated column.',
            HINT = format('Name a stored one when you create the store: ALTER TABLE %s ADD %I %s GENERATED ALWAYS AS (...) STORED.',
                virtual.relation, virtual.name || '_stored', virtual.type);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_no_virtual_column(name) IS
    'Refuses virtual generated columns (of PostgreSQL 18) among those that a live store reads.';

CREATE FUNCTION clientele._has_index(relation regclass, column_name name) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = relation AND i.indisvalid AND i.indpred IS NULL AND a.attname = column_name)
$$;
COMMENT ON FUNCTION clientele._has_index(regclass, name) IS 'Whether rows of a table are found by a column through an index.';

-- Whoever reads a customer who has changed reads the orders of that customer.
CREATE FUNCTION clientele._advise_index(relation regclass, column_name name, purpose text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT clientele._has_index(relation, column_name) THEN
        RAISE WARNING '% has no index on "%": % will be slow', relation, column_name, purpose
            USING HINT = format('CREATE INDEX ON %s (%I);', relation, column_name);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._advise_index(regclass, name, text) IS 'Warns where a live store would have to read a whole table.';

CREATE FUNCTION clientele._await_refresh(store name) RETURNS void
    AS 'MODULE_PATHNAME', 'clientele_await_refresh' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION clientele._await_refresh(name) IS
    'Waits for the refresh that holds a store: before a lock on its orders that the refresh would keep waiting, and new orders behind it. '
    'For the store''s owner.';

-- The orders before the row of the settings, as whoever writes orders and then refreshes. But a refresh holds that row while it
-- goes on reading orders, so they are let go of where the row is not free: the errors end subtransactions.
CREATE FUNCTION clientele._lock_for_triggers(store name, live boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings := clientele._settings(store);
    wanting regclass[];
    dropped regclass[];
BEGIN
    LOOP
        BEGIN
            wanting := ARRAY(SELECT DISTINCT t.relation FROM clientele._triggers(settings) t WHERE live AND NOT t.enabled);
            dropped := ARRAY(SELECT d FROM unnest(clientele._triggered(settings)) d WHERE NOT live OR d = ANY (wanting));
            IF dropped <> '{}' THEN
                PERFORM clientele._await_refresh(store);
            END IF;
            PERFORM clientele._lock_sources(wanting);
            PERFORM clientele._drop_triggers(store, dropped);
            IF live THEN
                PERFORM clientele._share_sources(store);
            END IF;
            EXIT WHEN clientele._lock_if_free(store);
            RAISE EXCEPTION 'another session changes store %', quote_ident(store) USING ERRCODE = 'CL001';
        EXCEPTION WHEN SQLSTATE 'CL001' THEN NULL;
        END;
        PERFORM clientele._await_store(store);
    END LOOP;
    PERFORM clientele._lock_store(store);
END $$;
COMMENT ON FUNCTION clientele._lock_for_triggers(name, boolean) IS
    'Locks a store, and first the tables: those that lack its triggers (live), as CREATE TRIGGER does; those whose triggers go, because '
    'they are disabled (live) or no longer wanted, as DROP TRIGGER does.';

CREATE FUNCTION clientele._check_live_sources(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._refuse_replica(store, 'live');
    PERFORM clientele._check_live_source(r) FROM clientele._family(settings.orders) r;
    PERFORM clientele._check_live_source(r) FROM clientele._family(settings.items) r;
    PERFORM clientele._check_no_virtual_column(store);
    IF EXISTS (SELECT FROM pg_attribute a JOIN pg_collation c ON c.oid = a.attcollation
            WHERE a.attrelid = settings.orders AND a.attname = settings.customer_id AND NOT c.collisdeterministic) THEN
        RAISE EXCEPTION 'the store cannot be live: column "%" of % has a nondeterministic collation', settings.customer_id, settings.orders
            USING ERRCODE = 'feature_not_supported', DETAIL = 'Keys that are equal there differ in what the store keeps.';
    END IF;
    PERFORM clientele._advise_index(settings.orders, settings.customer_id, 'reading customers whose orders have changed');
    IF settings.items IS NOT NULL THEN
        PERFORM clientele._advise_index(settings.orders, settings.order_id, 'writing order lines');
        PERFORM clientele._advise_index(settings.items, settings.item_order_id, 'reading customers whose orders have changed');
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_live_sources(name, clientele.store_settings) IS
    'Refuses orders and lines that a store cannot follow, and warns where it will be slow.';

CREATE FUNCTION clientele.set_live(store name, live boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings;
    disabled regclass[];
    missed regclass[];
BEGIN
    PERFORM clientele._require('live', live IS NOT NULL);
    PERFORM clientele._require_owner(store);
    PERFORM clientele._require_attached(store);
    settings := clientele._present_settings(store);
    IF live THEN
        PERFORM clientele._check_live_sources(store, settings);
    END IF;
    disabled := ARRAY(SELECT DISTINCT t.relation FROM clientele._triggers(settings) t WHERE t.oid IS NOT NULL AND NOT t.enabled);
    PERFORM clientele._lock_for_triggers(store, live);
    settings := clientele._settings(store);
    IF NOT live THEN
        PERFORM clientele._forget_pending(store);
        PERFORM clientele._record_partitions(store, NULL);
    ELSE
        missed := clientele._create_triggers(store, settings);
        IF settings.live THEN
            PERFORM clientele._mark_partitions(store, missed, disabled);
        ELSE
            EXECUTE format('INSERT INTO %I.pending (due) VALUES (''-infinity'')', store);
            PERFORM clientele._record_partitions(store, clientele._present_partitions(store, settings));
        END IF;
    END IF;
    EXECUTE format('UPDATE %I.settings SET live = $1 WHERE live <> $1', store) USING live;
    PERFORM clientele._regenerate_profiles(store, settings, live);
    PERFORM clientele._note_definitions(store);
    PERFORM clientele._note_failures(store);
END $$;
COMMENT ON FUNCTION clientele.set_live(name, boolean) IS
    'true: triggers on the orders (and lines) keep the store up to date: what it shows reflects every committed order. Repeat it after '
    'adding partitions, or enabling triggers: it creates those that are missing, and has the customers counted anew whom partitions may '
    'concern that came or went. Where nothing is missing it changes nothing. '
    'false: they are dropped, and the store shows the last refresh. Either waits for transactions that are writing orders, and lets later '
    'ones wait as long: '
    'set lock_timeout where that matters. Owner only; needs TRIGGER on the tables.';

-- Nobody knows what has changed where there were none.
CREATE FUNCTION clientele._create_triggers(store name, settings clientele.store_settings) RETURNS regclass[]
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wanting regclass[] := ARRAY(SELECT DISTINCT t.relation FROM clientele._triggers(settings) t WHERE NOT t.enabled);
    detached regclass[] := ARRAY(SELECT unnest(clientele._triggered(settings)) EXCEPT SELECT t.relation
        FROM clientele._triggers(settings) t);
    t record;
BEGIN
    PERFORM clientele._lock_sources(wanting);
    PERFORM clientele._drop_triggers(store, detached);
    FOR t IN SELECT * FROM clientele._triggers(settings) m WHERE m.oid IS NULL LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER %s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION clientele.%I(%L, %L)',
            t.name, t.event, t.relation,
            CASE t.event WHEN 'insert' THEN 'REFERENCING NEW TABLE AS clientele_new'
                WHEN 'delete' THEN 'REFERENCING OLD TABLE AS clientele_old'
                WHEN 'update' THEN 'REFERENCING OLD TABLE AS clientele_old NEW TABLE AS clientele_new' ELSE '' END,
            t.kind, store, settings.id);
    END LOOP;
    RETURN wanting;
END $$;
COMMENT ON FUNCTION clientele._create_triggers(name, clientele.store_settings) IS
    'Creates the triggers that a live store misses, and drops those of tables that were detached. Returns the tables that lacked any.';
