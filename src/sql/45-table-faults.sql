-- What was done to a store's tables, to those that it reads, or to its time zone, that it cannot follow. Read from the catalogues alone.

-- A table that was only renamed is followed, and nothing is wrong with that.
CREATE FUNCTION clientele._swapped_tables(store name, settings clientele.store_settings) RETURNS TABLE (finding text, detail text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT 'swapped_table', format('%s: the store still reads %s; the name %s means another table now',
        s.role, clientele._full_name(s.relation), s.name)
    FROM (VALUES (1, 'orders', settings.orders, settings.orders_name), (2, 'customers', settings.customers, settings.customers_name),
        (3, 'items', settings.items, settings.items_name),
        (4, 'products', clientele._source_of(to_regclass(format('%I._products', store))), settings.options ->> 'products'))
        s (nth, role, relation, name)
    WHERE clientele._table_named(s.name) <> s.relation ORDER BY s.nth;
END $$;
COMMENT ON FUNCTION clientele._swapped_tables(name, clientele.store_settings) IS
    'The sources of a store whose names at its creation mean other tables now.';

CREATE FUNCTION clientele._unlogged_tables(store name, settings clientele.store_settings) RETURNS TABLE (finding text, detail text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT 'unlogged_table', format('%1$s is unlogged, so that a crash empties it: ALTER TABLE %1$s SET LOGGED',
        clientele._full_name(c.oid))
    FROM (SELECT d.objid, false FROM pg_depend d JOIN pg_namespace n ON d.refobjid = n.oid
            WHERE d.refclassid = 'pg_namespace'::regclass AND d.classid = 'pg_class'::regclass AND n.nspname = store
        UNION ALL SELECT clientele._family(settings.orders), true WHERE settings.live
        UNION ALL SELECT clientele._family(settings.items), true WHERE settings.live) t (relation, is_source)
    -- One by one: there is no index by schema.
    CROSS JOIN LATERAL (SELECT * FROM pg_class c WHERE c.oid = t.relation OFFSET 0) c
    WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'u'
        AND (t.is_source OR c.oid IN (SELECT o.object FROM clientele._store_objects(store) o WHERE o.class = 'pg_class'::regclass))
    ORDER BY c.relname;
END $$;
COMMENT ON FUNCTION clientele._unlogged_tables(name, clientele.store_settings) IS
    'The unlogged tables of a store, and of its orders and lines where it is live: a crash empties them unseen.';

CREATE FUNCTION clientele._foreign_partitions(store name, settings clientele.store_settings) RETURNS TABLE (finding text, detail text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT 'foreign_partition', format(
        '%s is a foreign table: PostgreSQL refuses statements on %s that reach it as long as the store is live: '
        'detach it, or SELECT clientele.set_live(%L, false)', clientele._full_name(c.oid), clientele._full_name(s.root), store)
    FROM (VALUES (settings.orders), (settings.items)) s (root) CROSS JOIN LATERAL clientele._family(s.root) f (member)
    JOIN pg_class c ON c.oid = f.member WHERE c.relkind = 'f' AND settings.live ORDER BY c.relname;
END $$;
COMMENT ON FUNCTION clientele._foreign_partitions(name, clientele.store_settings) IS
    'Foreign tables below the orders and lines of a live store: no trigger of ours can follow what is written there.';

-- A live store counts whom other rules concern anew whenever they are read.
CREATE FUNCTION clientele._zone_faults(store name, settings clientele.store_settings) RETURNS TABLE (finding text, detail text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT 'time_zone', format('this server does not know the time zone %s: SELECT clientele.set_time_zone(%L, ''...'')',
        settings.time_zone, store)
    WHERE NOT clientele._is_time_zone(settings.time_zone)
    UNION ALL
    SELECT 'time_zone', format(
        'its customers were counted by other rules of the time zone %s than those of today: CALL clientele.refresh(%L)',
        settings.time_zone, store)
    WHERE NOT settings.live AND clientele._is_time_zone(settings.time_zone)
      AND clientele._zone_differs_from(settings.time_zone, settings.zone_digests) <= now();
END $$;
COMMENT ON FUNCTION clientele._zone_faults(name, clientele.store_settings) IS
    'Why a store may not show what its time zone makes of the orders.';

CREATE FUNCTION clientele._refresh_is_due(settings clientele.store_settings) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN settings.fresh_to IS NULL AND coalesce(settings.options ? 'altered', false)
        OR clientele._is_time_zone(settings.time_zone)
            AND clientele._zone_differs_from(settings.time_zone, settings.zone_digests) <= now();
END $$;
COMMENT ON FUNCTION clientele._refresh_is_due(clientele.store_settings) IS
    'Whether a store reads its orders otherwise than when they were counted, or by other rules of its time zone: a store that is live '
    'shows them as they are, and counts all that this concerns whenever it is read.';

CREATE FUNCTION clientele._table_faults(store name, settings clientele.store_settings) RETURNS TABLE (finding text, detail text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM clientele._swapped_tables(store, settings)
    UNION ALL SELECT * FROM clientele._unlogged_tables(store, settings)
    UNION ALL SELECT * FROM clientele._foreign_partitions(store, settings)
    UNION ALL SELECT * FROM clientele._zone_faults(store, settings);
END $$;
COMMENT ON FUNCTION clientele._table_faults(name, clientele.store_settings) IS
    'What is wrong with the tables of a store, with those that it reads and with its time zone: what check_store finds, and how '
    'clientele.stores says it.';
