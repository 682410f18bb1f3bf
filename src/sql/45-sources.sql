-- How a store lets go of the tables that it reads, and takes hold of them: what detach_store(), attach_store() and alter_store() do.

CREATE FUNCTION clientele._is_detached(store name) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    RETURN (clientele._settings(store)).orders IS NULL;
COMMENT ON FUNCTION clientele._is_detached(name) IS 'Whether a store has let go of its orders.';

CREATE FUNCTION clientele._refuse_detached(profiles regclass) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    store name := (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = profiles);
BEGIN
    RAISE EXCEPTION 'store % is detached', quote_ident(store) USING ERRCODE = 'object_not_in_prerequisite_state',
        DETAIL = 'It has let go of its orders, so that their tables can be changed.',
        HINT = format('Its owner attaches it again: SELECT clientele.attach_store(%L);', store);
END $$;
COMMENT ON FUNCTION clientele._refuse_detached(regclass) IS
    'What the views of a detached store ask: an error (55000). profiles: the table of that name, by which the store is known under any '
    'name.';

-- A store whose tables were dropped by a cascade has lost them, too.
CREATE FUNCTION clientele._has_lost_sources(store name, settings clientele.store_settings) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN to_regclass(format('%I._orders', store)) IS NULL OR to_regclass(format('%I.customers', store)) IS NULL
        OR to_regprocedure(format('%I._profiles_at(timestamptz)', store)) IS NULL
        OR EXISTS (SELECT FROM unnest(ARRAY[settings.orders, settings.customers, settings.items]) s (relation)
            WHERE s.relation IS NOT NULL AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = s.relation))
        OR EXISTS (SELECT FROM (VALUES ('item_product', '_item_products'), ('products', '_products')) v (setting, name)
            WHERE settings.options ? v.setting AND to_regclass(format('%I.%I', store, v.name)) IS NULL);
END $$;
COMMENT ON FUNCTION clientele._has_lost_sources(name, clientele.store_settings) IS
    'Whether a table that a store reads, or what it reads one by, was dropped.';

CREATE FUNCTION clientele._require_attached(store name) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF clientele._is_detached(store) THEN
        PERFORM clientele._refuse_detached(format('%I.profiles', store)::regclass);
    ELSIF clientele._has_lost_sources(store, clientele._settings(store)) THEN
        PERFORM clientele._refuse_lost(store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._require_attached(name) IS 'Refuses a store that is detached, or has lost a table.';

-- Who may not read the settings is not told which tables the store has.
CREATE FUNCTION clientele._refuse_lost(store name) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lost text;
BEGIN
    IF has_table_privilege(format('%I.settings', store), 'SELECT') THEN
        SELECT string_agg(format('%s (%s)', s.name, s.role), ', ') INTO lost
        FROM clientele._settings(store) g CROSS JOIN LATERAL (VALUES ('orders', g.orders::oid, g.orders_name),
            ('customers', g.customers, g.customers_name), ('items', g.items, g.items_name),
            ('products', CASE WHEN g.options ? 'products' THEN coalesce(to_regclass(g.options ->> 'products')::oid, 0) END,
                g.options ->> 'products')) s (role, relation, name)
        WHERE s.relation IS NOT NULL AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = s.relation);
    END IF;
    RAISE EXCEPTION 'store % has lost %', quote_ident(store),
        CASE WHEN lost IS NULL THEN 'what it reads its tables by' ELSE 'a table that it reads' END
        USING ERRCODE = 'object_not_in_prerequisite_state',
        DETAIL = coalesce('Dropped: ' || lost || '.',
            'A table, or a column, was dropped along with what the store reads it by, as DROP ... CASCADE does.'),
        HINT = format('When there is what it reads: SELECT clientele.attach_store(%L); '
            'without a table that it can do without: reset => ''{customers,items,products}''.', store);
END $$;
COMMENT ON FUNCTION clientele._refuse_lost(name) IS 'Says that a store has lost a table that it reads (55000), and which.';

-- Of a store that is not live much can be read without its orders.
CREATE FUNCTION clientele._require_readable(store name, as_of timestamptz DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF to_regclass(format('%I.customers', store)) IS NULL
            OR as_of < now() AND to_regprocedure(format('%I._profiles_at(timestamptz)', store)) IS NULL THEN
        PERFORM clientele._refuse_lost(store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._require_readable(name, timestamptz) IS
    'Refuses a store whose customers cannot be read, as stored or as of a past time, since a table is lost.';

CREATE FUNCTION clientele._customers_view(store name) RETURNS regclass
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require_readable(store);
    RETURN format('%I.customers', store)::regclass;
END $$;
COMMENT ON FUNCTION clientele._customers_view(name) IS
    'The view customers of a store, over which rules and features are written; where it is lost, an error that says so.';

-- ---- Locks ----

-- All at once: while it waits for one of them it holds none, so that whoever has written an order and then looks something up is no
-- victim of a deadlock. The row of the settings comes last; where it is not free, the tables are let go of meanwhile. Who looks for the
-- only store passes over those whose settings are locked as a table.
CREATE FUNCTION clientele._lock_alone(store name, others regclass[], for_good boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings;
BEGIN
    LOOP
        PERFORM clientele._await_refresh(store);
        BEGIN
            settings := clientele._settings(store);
            PERFORM clientele._drop_triggers(store, ARRAY(
                SELECT m FROM unnest(others || ARRAY[coalesce(settings.orders, clientele._table_named(settings.orders_name)),
                        coalesce(settings.items, clientele._table_named(settings.items_name)),
                        coalesce(settings.customers, clientele._table_named(settings.customers_name))]) s
                    CROSS JOIN LATERAL clientele._family(s) m JOIN pg_class c ON c.oid = m
                    WHERE settings.live AND c.relkind IN ('r', 'p') OR pg_has_role(c.relowner, 'USAGE')
                UNION SELECT t FROM unnest(clientele._triggered(settings)) t)
                || ARRAY(SELECT c.oid::regclass FROM clientele._store_objects(store) o
                    JOIN pg_class c ON o.class = 'pg_class'::regclass AND c.oid = o.object
                    WHERE for_good OR c.relname <> 'settings' AND c.oid IS DISTINCT FROM (SELECT clientele._health_of(store))));
            EXIT WHEN clientele._lock_if_free(store) AND clientele._settings(store) IS NOT DISTINCT FROM settings;
            RAISE EXCEPTION 'another session changes store %', quote_ident(store) USING ERRCODE = 'CL001';
        EXCEPTION WHEN SQLSTATE 'CL001' THEN NULL;
        END;
        PERFORM clientele._await_store(store);
    END LOOP;
    PERFORM clientele._lock_store(store);
END $$;
COMMENT ON FUNCTION clientele._lock_alone(name, regclass[], boolean) IS
    'Locks a store and what it reads against everybody, and drops its triggers: tables that the caller does not own where they have its '
    'triggers, or shall have them. for_good: also those tables by which stores are listed, which another owner is to have.';

-- New objects are to be the owner's, and what a store reads is read with the owner's rights, whoever changes it.
CREATE FUNCTION clientele._become_owner(store name) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    former text := current_setting('role');
    owner name := (SELECT pg_get_userbyid(n.nspowner) FROM pg_namespace n WHERE n.nspname = store);
BEGIN
    IF owner <> current_user THEN
        PERFORM set_config('role', owner, true);
    END IF;
    RETURN former;
END $$;
COMMENT ON FUNCTION clientele._become_owner(name) IS
    'Goes on as the owner of a store, of whom the caller is a member; returns the role to go back to with set_config(). An error goes '
    'back by itself.';

-- ---- What the values of a store depend on ----

CREATE FUNCTION clientele._state_of_sources(settings clientele.store_settings) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH relations AS MATERIALIZED (
        SELECT s.role, m AS member FROM (VALUES ('orders', settings.orders), ('items', settings.items)) s (role, relation)
            CROSS JOIN LATERAL clientele._family(s.relation) m)
    SELECT jsonb_build_object('filter', settings.order_filter, 'time_zone', settings.time_zone,
        'columns', (SELECT jsonb_object_agg(c.role, (SELECT jsonb_build_array(a.attnum, a.atttypid::bigint) FROM pg_attribute a
                WHERE a.attrelid = c.relation AND a.attname = c.name AND NOT a.attisdropped))
            FROM (VALUES ('customer_id', settings.orders, settings.customer_id), ('ordered_at', settings.orders, settings.ordered_at),
                ('amount', settings.orders, settings.amount), ('order_id', settings.orders, settings.order_id),
                ('refunded', settings.orders, settings.refunded), ('discount', settings.orders, settings.discount),
                ('item_order_id', settings.items, settings.item_order_id), ('item_category', settings.items, settings.item_category),
                ('item_amount', settings.items, settings.item_amount)) c (role, relation, name)),
        'tables', (SELECT jsonb_agg(jsonb_build_array(r.role, r.member::oid::bigint, c.relfilenode::bigint) ORDER BY r.role, r.member::oid)
            FROM relations r JOIN pg_class c ON c.oid = r.member),
        'written', (SELECT jsonb_agg(jsonb_build_array(pg_stat_get_xact_tuples_inserted(r.member),
                pg_stat_get_xact_tuples_updated(r.member), pg_stat_get_xact_tuples_deleted(r.member)) ORDER BY r.role, r.member::oid)
            FROM relations r))
$$;
COMMENT ON FUNCTION clientele._state_of_sources(clientele.store_settings) IS
    'What a store reads, and (written) what this transaction has written there: as long as it stays the same, and nobody else can write, '
    'so do the profiles.';

-- ---- Letting go ----

-- The views stay, so that grants on them and views of others do; whoever reads them is told.
CREATE FUNCTION clientele._let_go(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    nothing text;
    view record;
BEGIN
    EXECUTE format('CREATE FUNCTION %1$I._detached() RETURNS boolean STABLE PARALLEL SAFE
        RETURN clientele._refuse_detached(%2$L::pg_catalog.regclass)', store, format('%I.profiles', store));
    FOR view IN SELECT c.oid, c.relname AS name, array_to_string(c.reloptions, ', ') AS options FROM pg_class c
            WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = store) AND c.relkind = 'v' AND c.relname IN
                ('_orders', '_order_rows', '_items', '_item_products', '_products', '_order_owners', '_marked', '_recounted',
                    '_recounted_all', '_base', '_base_stored') LOOP
        -- Whatever is asked of a column must come to this question: a NULL alone would answer it. CASE makes of a domain what it is over.
        SELECT string_agg(format('(CASE WHEN %I._detached() THEN NULL::%s END)::%2$s%s AS %I', store,
            format_type(a.atttypid, a.atttypmod), ' COLLATE ' || l.oid::regcollation, a.attname), ', ' ORDER BY a.attnum) INTO nothing
            FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
            LEFT JOIN pg_collation l ON l.oid = a.attcollation AND l.oid <> t.typcollation WHERE a.attrelid = view.oid AND a.attnum > 0;
        EXECUTE format('CREATE OR REPLACE VIEW %I.%I %s AS SELECT %s WHERE %1$I._detached()', store,
            view.name, 'WITH (' || view.options || ')', nothing);
    END LOOP;
    EXECUTE format('CREATE OR REPLACE FUNCTION %1$I._base_at(as_of timestamptz) RETURNS SETOF %1$I._base STABLE PARALLEL SAFE BEGIN ATOMIC
        SELECT * FROM %1$I._base; END', store);
    EXECUTE format('CREATE OR REPLACE FUNCTION %1$I._profiles_at(as_of timestamptz)
        RETURNS TABLE (customer_id %2$s, profile clientele.order_profile, category_mix jsonb) STABLE PARALLEL SAFE
        BEGIN ATOMIC SELECT NULL::%2$s, NULL::clientele.order_profile, NULL::jsonb WHERE %1$I._detached(); END', store,
        clientele._key_type(store));
    EXECUTE format('CREATE OR REPLACE FUNCTION %1$I._base_between(above %2$s, upto %2$s) RETURNS SETOF %1$I._base STABLE PARALLEL SAFE
        BEGIN ATOMIC SELECT * FROM %1$I._base; END', store, clientele._key_type(store));
    PERFORM clientele._regenerate_visible(store, settings);
END $$;
COMMENT ON FUNCTION clientele._let_go(name, clientele.store_settings) IS
    'Puts views and functions that refuse to be read into the place of those that read the tables of a store.';

-- ---- Taking hold ----

CREATE FUNCTION clientele._order_id_type(settings clientele.store_settings, otherwise text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(CASE WHEN settings.order_id IS NOT NULL
        THEN clientele._stored_type(clientele._column_type(settings.orders, settings.order_id, 'order_id')) END, otherwise)
$$;
COMMENT ON FUNCTION clientele._order_id_type(clientele.store_settings, text) IS 'The type in which a store keeps the ids of orders.';

-- A view can be replaced by one that has the same columns, and more at the end.
CREATE FUNCTION clientele._changed_columns(store name, settings clientele.store_settings) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
        LEFT JOIN clientele._customer_columns(settings) c ON c.ordinal = a.attnum AND c.name = a.attname AND c.type::regtype = a.atttypid
    WHERE a.attrelid = to_regclass(format('%I.customers', store)) AND a.attnum > 0 AND NOT a.attisdropped AND c.name IS NULL
$$;
COMMENT ON FUNCTION clientele._changed_columns(name, clientele.store_settings) IS
    'The columns of a store''s view customers that it would not have any more, or elsewhere or of another type; NULL: none.';

CREATE FUNCTION clientele._changes_ids(store name, settings clientele.store_settings) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._column_type(settings.orders, settings.customer_id, 'customer_id') <> clientele._key_type(store)
        OR (SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute a WHERE a.attrelid = format('%I.ledger', store)::regclass
            AND a.attname = 'order_id')
            <> clientele._order_id_type(settings, 'text')
        OR (settings.order_id IS NOT NULL) <> EXISTS (SELECT FROM pg_attribute a
            WHERE a.attrelid = to_regclass(format('%I._orders', store)) AND a.attname = 'order_id')
$$;
COMMENT ON FUNCTION clientele._changes_ids(name, clientele.store_settings) IS
    'Whether customers or orders have ids of another type than those that a store keeps.';

-- A view cannot be replaced by one whose columns are sorted otherwise. Those over it have them from these.
CREATE FUNCTION clientele._changes_collations(store name, settings clientele.store_settings) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM (VALUES
            ('_orders', 'customer_id', settings.orders, settings.customer_id), ('_orders', 'order_id', settings.orders, settings.order_id),
            ('_items', 'order_id', settings.items, settings.item_order_id), ('_items', 'category', settings.items, settings.item_category),
            ('_item_products', 'product', settings.items, settings.options ->> 'item_product'),
            ('_products', 'product', clientele._table_named(settings.options ->> 'products'), settings.options ->> 'product_key'),
            ('_products', 'name', clientele._table_named(settings.options ->> 'products'), settings.options ->> 'product_name'),
            ('_base', 'customer_id', settings.customers, settings.customer_key)) c (view, name, source, source_column)
        JOIN pg_attribute v ON v.attrelid = to_regclass(format('%I.%I', store, c.view)) AND v.attname = c.name
        JOIN pg_attribute s ON s.attrelid = c.source AND s.attname = c.source_column AND NOT s.attisdropped
        WHERE v.attcollation <> s.attcollation AND v.attcollation <> 0 AND s.attcollation <> 0)
    OR EXISTS (SELECT FROM clientele._attributes(settings) a
        JOIN pg_attribute v ON v.attrelid = to_regclass(format('%I._base', store)) AND v.attname = a.name
        JOIN pg_attribute s ON s.attrelid = settings.customers AND s.attname = a.column_name AND NOT s.attisdropped
        WHERE v.attcollation <> s.attcollation)
$$;
COMMENT ON FUNCTION clientele._changes_collations(name, clientele.store_settings) IS
    'Whether a column that a store''s views show has another collation than they have.';

CREATE FUNCTION clientele._needs_new_views(store name, settings clientele.store_settings) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    RETURN clientele._changes_ids(store, settings) OR clientele._changed_columns(store, settings) IS NOT NULL
        OR clientele._changes_collations(store, settings) OR settings.version < clientele._store_version();
COMMENT ON FUNCTION clientele._needs_new_views(name, clientele.store_settings) IS
    'Whether the views of a store cannot be replaced by those that its settings, or a newer release, ask for, and must be created anew.';

CREATE FUNCTION clientele._take_hold(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kept jsonb := clientele._decorations(store);
    former regprocedure;
    parameters text := (SELECT string_agg(format('%I %s', c.name, c.type), ', ' ORDER BY c.ordinal)
        FROM clientele._customer_columns(settings) c);
BEGIN
    PERFORM clientele._refresh_rules(store);
    PERFORM clientele._let_go_of_products(store, settings);
    IF clientele._needs_new_views(store, settings) OR to_regclass(format('%I.customers', store)) IS NULL THEN
        PERFORM clientele._create_anew(store, settings);
        PERFORM clientele._revoke_defaults(store, kept);
    ELSE
        PERFORM clientele._regenerate_features(store, parameters);
        PERFORM clientele._create_views(store, settings);
        FOR former IN SELECT p.oid::regprocedure FROM pg_proc p
                WHERE p.pronamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = store)
                AND p.proname IN ('_segment_main', '_segments', '_matches', '_features', '_no_consent')
                AND p.oid <> clientele._segment_function(store, p.proname) LOOP
            EXECUTE format('DROP FUNCTION %s', former);
        END LOOP;
    END IF;
    PERFORM clientele._let_go_of_items(store, settings);
    IF to_regprocedure(format('%I._detached()', store)) IS NOT NULL THEN
        EXECUTE format('DROP FUNCTION %I._detached()', store);
    END IF;
    PERFORM clientele._decorate(store, kept);
END $$;
COMMENT ON FUNCTION clientele._take_hold(name, clientele.store_settings) IS
    'Makes the views and functions of a store read what its settings say: replaces them, or creates them anew where other columns must go.';

-- What read them must have been made anew, or replaced, before.
CREATE FUNCTION clientele._let_go_of_items(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
BEGIN
    IF settings.items IS NULL THEN
        EXECUTE format('DROP VIEW IF EXISTS %1$I._items, %1$I._order_owners', store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._let_go_of_items(name, clientele.store_settings) IS
    'Drops the views over order lines of a store that has none any more: they would keep the table from being dropped.';

-- Nobody else's objects depend on what goes here: the caller has looked.
CREATE FUNCTION clientele._create_anew(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET client_min_messages = error AS $$
DECLARE
    lost text;
    going record;
BEGIN
    EXECUTE format('UPDATE %I.segment_rules SET body = NULL WHERE body IS NOT NULL', store);
    FOR going IN SELECT p.polrelid::regclass AS relation FROM clientele._store_objects(store) o
            JOIN pg_policy p ON o.class = 'pg_class'::regclass AND p.polrelid = o.object AND p.polname = 'customers' LOOP
        EXECUTE format('DROP POLICY customers ON %s', going.relation);
    END LOOP;
    FOR going IN SELECT c.oid, c.oid::regclass AS name FROM clientele._store_objects(store) o
            JOIN pg_class c ON o.class = 'pg_class'::regclass AND c.oid = o.object AND c.relkind = 'v' LOOP
        IF EXISTS (SELECT FROM pg_class c WHERE c.oid = going.oid) THEN
            EXECUTE format('DROP VIEW %s CASCADE', going.name);
        END IF;
    END LOOP;
    FOR going IN SELECT o.object FROM clientele._store_objects(store) o WHERE o.class = 'pg_proc'::regclass LOOP
        IF EXISTS (SELECT FROM pg_proc p WHERE p.oid = going.object) THEN
            EXECUTE format('DROP FUNCTION %s CASCADE', going.object::regprocedure);
        END IF;
    END LOOP;
    PERFORM clientele._retype_ids(store, settings);
    PERFORM clientele._complete_ledger(store);
    PERFORM clientele._create_views(store, settings);
    PERFORM clientele._regenerate_segments(store);
    PERFORM clientele._regenerate_segments(store);  -- whose rules the first one has read
    EXECUTE format('SELECT string_agg(format(''segment "%%s" of "%%s": %%s'', r.segment, r.segmentation, r.rule), ''; ''
        ORDER BY r.segmentation, r.priority) FROM %I.segment_rules r WHERE r.body IS NULL', store) INTO lost;
    IF lost IS NOT NULL THEN
        RAISE EXCEPTION 'rules of store % could not be read any more', quote_ident(store) USING ERRCODE = 'dependent_objects_still_exist',
            DETAIL = lost || '.', HINT = 'Drop these segments first, or, as long as the store can be read, define them otherwise.';
    END IF;
    PERFORM clientele._regenerate_features(store);
    EXECUTE format('UPDATE %I.settings SET version = clientele._store_version()', store);
END $$;
COMMENT ON FUNCTION clientele._create_anew(name, clientele.store_settings) IS
    'Creates all views and functions of a store anew, and its ids in the types of the orders.';

CREATE FUNCTION clientele._retype_ids(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key_type text := clientele._column_type(settings.orders, settings.customer_id, 'customer_id');
    id record;
BEGIN
    FOR id IN SELECT c.oid::regclass AS relation, a.attname AS name, w.type
            FROM clientele._store_objects(store) o JOIN pg_class c ON o.class = 'pg_class'::regclass AND c.oid = o.object
                AND c.relkind = 'r'
            JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
            CROSS JOIN LATERAL (SELECT CASE WHEN a.attname = 'customer_id' THEN key_type
                WHEN a.attname = 'order_id' AND c.relname = 'pending' THEN clientele._order_id_type(settings, 'bigint')
                WHEN a.attname = 'order_id' AND c.relname = 'ledger' THEN clientele._order_id_type(settings, 'text') END) w (type)
            WHERE w.type <> format_type(a.atttypid, a.atttypmod) AND c.relname <> 'settings' LOOP
        EXECUTE format('ALTER TABLE %s ALTER %I TYPE %s USING %2$I::text::%3$s', id.relation, id.name, id.type);
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._retype_ids(name, clientele.store_settings) IS
    'Gives the ids of customers and orders that a store keeps the types that they have in its orders.';

-- ---- What its owner, and others, have put on it ----

CREATE FUNCTION clientele._decorations(store name) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH objects AS (
        SELECT 'pg_class'::regclass AS class, c.oid, c.relname AS name, 'TABLE' AS grants_on, 'VIEW' AS kind,
            c.relacl AS acl, c.relowner AS owner, c.reloptions AS options
        FROM clientele._store_objects(store) o JOIN pg_class c ON o.class = 'pg_class'::regclass AND c.oid = o.object AND c.relkind = 'v'
        UNION ALL
        SELECT 'pg_proc'::regclass, p.oid, p.proname, 'FUNCTION', 'FUNCTION', p.proacl, p.proowner, NULL
        FROM clientele._store_objects(store) o JOIN pg_proc p ON o.class = 'pg_proc'::regclass AND p.oid = o.object
    ), said (name, column_name, statement) AS (
        SELECT o.name, NULL::name, NULL FROM objects o
        UNION ALL
        SELECT o.name, NULL, format('REVOKE ALL ON FUNCTION %I.%I FROM PUBLIC', store, o.name) FROM objects o
        WHERE o.kind = 'FUNCTION' AND o.acl IS NOT NULL
        UNION ALL
        SELECT o.name, NULL, format('GRANT %s ON %s %I.%I TO %s%s', a.privilege_type, o.grants_on, store, o.name,
            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END)
        FROM objects o CROSS JOIN LATERAL aclexplode(o.acl) a WHERE a.grantor = o.owner
        UNION ALL
        SELECT o.name, c.attname, format('GRANT %s (%I) ON %I.%I TO %s%s', a.privilege_type, c.attname, store, o.name,
            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' END)
        FROM objects o JOIN pg_attribute c ON o.kind = 'VIEW' AND c.attrelid = o.oid AND c.attnum > 0
            CROSS JOIN LATERAL aclexplode(c.attacl) a WHERE a.grantor = o.owner
        UNION ALL
        SELECT o.name, NULL, format('ALTER VIEW %I.%I SET (%s)', store, o.name, array_to_string(o.options, ', ')) FROM objects o
            WHERE o.options IS NOT NULL
        UNION ALL
        SELECT o.name, c.attname, format('COMMENT ON %s %I.%I%s IS %L', CASE WHEN c.attname IS NULL THEN o.kind
            ELSE 'COLUMN' END, store, o.name,
            '.' || quote_ident(c.attname), d.description)
        FROM objects o JOIN pg_description d ON d.classoid = o.class AND d.objoid = o.oid
            LEFT JOIN pg_attribute c ON o.kind = 'VIEW' AND d.objsubid > 0 AND c.attrelid = o.oid AND c.attnum = d.objsubid
        UNION ALL
        SELECT o.name, c.attname, format('SECURITY LABEL FOR %I ON %s %I.%I%s IS %L', l.provider, CASE WHEN c.attname IS NULL THEN o.kind
            ELSE 'COLUMN' END,
            store, o.name, '.' || quote_ident(c.attname), l.label)
        FROM objects o JOIN pg_seclabel l ON l.classoid = o.class AND l.objoid = o.oid
            LEFT JOIN pg_attribute c ON o.kind = 'VIEW' AND l.objsubid > 0 AND c.attrelid = o.oid AND c.attnum = l.objsubid
    )
    SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM said s
$$;
COMMENT ON FUNCTION clientele._decorations(name) IS
    'The views and functions of a store by name, and their grants, comments, labels and options as statements that give them back.';

CREATE FUNCTION clientele._revoke_defaults(store name, kept jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    given record;
BEGIN
    FOR given IN SELECT n.kind, n.name, a.grantee
            FROM clientele._store_objects(store) o
            LEFT JOIN pg_class c ON o.class = 'pg_class'::regclass AND c.oid = o.object AND c.relkind = 'v'
            LEFT JOIN pg_proc p ON o.class = 'pg_proc'::regclass AND p.oid = o.object
            CROSS JOIN LATERAL (SELECT CASE WHEN p.oid IS NULL THEN 'TABLE' ELSE 'FUNCTION' END, coalesce(c.relname, p.proname),
                coalesce(c.relowner, p.proowner)) n (kind, name, owner)
            CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, p.proacl)) a
            WHERE a.grantee <> n.owner AND kept @> jsonb_build_array(jsonb_build_object('name', n.name)) LOOP
        EXECUTE format('REVOKE ALL ON %s %I.%I FROM %s', given.kind, store, given.name,
            CASE given.grantee WHEN 0 THEN 'PUBLIC' ELSE given.grantee::regrole::text END);
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._revoke_defaults(name, jsonb) IS
    'Takes away what default privileges have granted on views and functions that were created anew: it may have been revoked before.';

CREATE FUNCTION clientele._decorate(store name, kept jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    statement text;
BEGIN
    FOR statement IN SELECT k ->> 'statement' FROM jsonb_array_elements(kept) k
            WHERE k ->> 'statement' IS NOT NULL AND EXISTS (
                SELECT FROM clientele._store_objects(store) o
                LEFT JOIN pg_class c ON o.class = 'pg_class'::regclass AND c.oid = o.object
                LEFT JOIN pg_proc p ON o.class = 'pg_proc'::regclass AND p.oid = o.object
                WHERE coalesce(c.relname, p.proname) = k ->> 'name' AND (k ->> 'column_name' IS NULL OR EXISTS (
                    SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = k ->> 'column_name' AND NOT a.attisdropped))) LOOP
        EXECUTE statement;
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._decorate(name, jsonb) IS 'Gives back what _decorations() has kept, as far as there is what it was on.';

-- Down to the array type of a view's row type; kinds: r, v (relations), f (functions), n (the schema).
CREATE FUNCTION clientele._others(store name, kinds text[]) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE ours AS (
        SELECT o.class, o.object, CASE WHEN o.class = 'pg_proc'::regclass THEN 'f' ELSE (SELECT c.relkind::text FROM pg_class c
            WHERE c.oid = o.object) END AS kind
        FROM clientele._store_objects(store) o
        UNION ALL SELECT 'pg_namespace'::regclass, n.oid, 'n' FROM pg_namespace n WHERE n.nspname = store
    ), parts AS (
        SELECT class AS classid, object AS objid, kind = ANY (kinds) AS goes FROM ours
        UNION
        SELECT d.classid, d.objid, p.goes FROM pg_depend d JOIN parts p ON d.refclassid = p.classid AND d.refobjid = p.objid
        WHERE d.deptype IN ('i', 'a')
    ), dependents AS (
        SELECT DISTINCT d.classid, d.objid, d.objsubid FROM pg_depend d JOIN parts p ON p.goes AND d.refclassid = p.classid
            AND d.refobjid = p.objid
        WHERE d.deptype = 'n' AND (d.classid, d.objid) NOT IN (SELECT classid, objid FROM parts)
    )
    SELECT array_agg(DISTINCT CASE WHEN r.oid IS NULL THEN pg_describe_object(d.classid, d.objid, d.objsubid)
        ELSE pg_describe_object('pg_class'::regclass, r.ev_class, 0) END)
    FROM dependents d LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
$$;
COMMENT ON FUNCTION clientele._others(name, text[]) IS 'Objects of others that depend on those of a store, of some kinds; NULL: none.';
