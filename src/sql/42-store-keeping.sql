-- Keeping a store: refresh, list, upgrade, drop.

CREATE PROCEDURE clientele.refresh(store name, "full" boolean DEFAULT false)
    LANGUAGE plpgsql SET search_path = pg_catalog, clientele, pg_temp SET row_security = off AS $$
DECLARE
    counted_at timestamptz;
    problem text;
BEGIN
    PERFORM _require_store(store);
    IF to_regprocedure(format('%I._profiles_at(timestamptz)', store)) IS NULL THEN
        RAISE EXCEPTION 'store % has lost its orders', quote_ident(store) USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'Its function _profiles_at, which reads them, was dropped, as DROP TABLE ... CASCADE does.',
            HINT = format('Create it anew: clientele.drop_store(%L), then clientele.create_store().', store);
    END IF;
    EXECUTE format('LOCK TABLE %I.profiles IN SHARE ROW EXCLUSIVE MODE', store);
    -- Not the start of the transaction, which another refresh may have overtaken; unless that is all it sees.
    counted_at := CASE WHEN current_setting('transaction_isolation') LIKE 'read%' THEN clock_timestamp() ELSE now() END;
    PERFORM _refresh_profiles(store, counted_at);
    -- As definers do, so that the medians are those of the segments that hold.
    EXECUTE format('SELECT FROM %I.settings FOR UPDATE', store);
    BEGIN
        PERFORM _refresh_typical_values(store);
    EXCEPTION WHEN data_exception THEN
        -- A rule that fails for one customer must not keep the orders of all others out.
        GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT;
        RAISE WARNING 'the medians of store % stay as they were: a segment rule fails: %', quote_ident(store), problem
            USING HINT = 'Profiles are refreshed. clientele.explain_segment() shows which rule fails for a customer.';
    END;
    EXECUTE format('UPDATE %I.settings SET fresh_to = $1', store) USING counted_at;
END $$;
COMMENT ON PROCEDURE clientele.refresh(name, boolean) IS
    'Brings a store''s profiles and medians up to the orders committed by now. Readers are never blocked and see a customer''s old or new profile. '
    'The caller needs SELECT on the sources and to write the store''s tables; under row-level security on the orders it fails rather than counting some of them. '
    'full: compute everything anew, which this release does in any case.';

CREATE FUNCTION clientele._refresh_profiles(store name, counted_at timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, clientele, pg_temp AS $$
DECLARE
    problem text;
    settings store_settings;
BEGIN
    EXECUTE format('WITH n AS MATERIALIZED (SELECT * FROM %1$I._profiles_at($1)), gone AS (
            DELETE FROM %1$I.profiles p WHERE NOT EXISTS (SELECT FROM n WHERE n.customer_id = p.customer_id))
        INSERT INTO %1$I.profiles AS p SELECT n.customer_id, n.profile, n.category_mix FROM n
        ON CONFLICT (customer_id) DO UPDATE SET profile = excluded.profile, category_mix = excluded.category_mix
        WHERE p.profile <> excluded.profile OR p.category_mix IS DISTINCT FROM excluded.category_mix', store) USING counted_at;
EXCEPTION
    WHEN numeric_value_out_of_range THEN
        GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT;
        settings := _settings(store);
        RAISE EXCEPTION '%', problem USING ERRCODE = 'numeric_value_out_of_range',
            DETAIL = 'An amount is a number between -10^13 and 10^13 (both excluded); NaN and infinities are refused.',
            HINT = format('Find it: SELECT * FROM %s WHERE NOT (%I > -1e13 AND %2$I < 1e13)%s.', settings.orders, settings.amount,
                CASE WHEN settings.items IS NOT NULL THEN
                    format('; SELECT * FROM %s WHERE NOT (%I > -1e13 AND %2$I < 1e13)', settings.items, settings.item_amount) END);
    WHEN datetime_field_overflow THEN
        GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT;
        settings := _settings(store);
        RAISE EXCEPTION '%', problem USING ERRCODE = 'datetime_field_overflow',
            DETAIL = 'An order is dated between 0001-01-01 and 9999-12-31.',
            HINT = format('Find it: SELECT * FROM %s WHERE NOT (%I >= ''0001-01-01'' AND %2$I < ''10000-01-01'').', settings.orders, settings.ordered_at);
END $$;
COMMENT ON FUNCTION clientele._refresh_profiles(name, timestamptz) IS
    'Replaces the profiles that differ from a recount; a row that cannot be counted is an error that says how to find it.';

-- Exact medians of typical_order_value; a segment with fewer than 30 customers falls back to the store's.
CREATE FUNCTION clientele._refresh_typical_values(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, clientele, pg_temp AS $$
BEGIN
    EXECUTE replace($medians$
        WITH ranked AS (
            SELECT coalesce(v.segment, '') AS segment, v.typical_order_value AS value,
                row_number() OVER w AS rank, count(*) OVER (PARTITION BY v.segment) AS customers
            FROM (SELECT c.segment, c.typical_order_value FROM STORE.customers c WHERE c.orders > 0
                  UNION ALL SELECT NULL, c.typical_order_value FROM STORE.customers c WHERE c.orders > 0) v
            WINDOW w AS (PARTITION BY v.segment ORDER BY v.typical_order_value)
        ), medians AS (
            SELECT segment, customers, trim_scale(avg(value)) AS value FROM ranked
            WHERE rank IN ((customers + 1) / 2, (customers + 2) / 2) GROUP BY 1, 2
        ), chosen AS (
            SELECT m.segment, CASE WHEN m.segment <> '' AND m.customers >= 30 THEN 'segment' ELSE 'store' END AS basis, m.customers,
                CASE WHEN m.customers >= 30 THEN m.value ELSE s.value END AS value
            FROM medians m JOIN medians s ON s.segment = ''
        ), gone AS (
            DELETE FROM STORE.typical_values t WHERE NOT EXISTS (SELECT FROM chosen n WHERE n.segment = t.segment))
        INSERT INTO STORE.typical_values AS t SELECT segment, basis, customers, value FROM chosen
        ON CONFLICT (segment) DO UPDATE SET basis = excluded.basis, customers = excluded.customers, value = excluded.value
        WHERE (t.basis, t.customers, t.value) IS DISTINCT FROM (excluded.basis, excluded.customers, excluded.value)
        $medians$, 'STORE', quote_ident(store));
END $$;
COMMENT ON FUNCTION clientele._refresh_typical_values(name) IS 'What customers without orders are compared with: the median of typical order values, by segment.';

CREATE FUNCTION clientele._stores()
    RETURNS TABLE (store name, owner name, orders regclass, customers regclass, items regclass, currency text, time_zone text,
        margin numeric, live boolean, fresh_to timestamptz)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, clientele, pg_temp AS $$
DECLARE
    settings store_settings;
BEGIN
    FOR store, owner IN
        SELECT n.nspname, pg_get_userbyid(n.nspowner) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.reloftype = 'clientele.store_settings'::regtype AND c.relname = 'settings'
          -- Nothing that would run its owner's code as who lists the stores.
          AND c.relkind = 'r' AND NOT c.relrowsecurity AND NOT c.relhasrules
          AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
        ORDER BY n.nspname
    LOOP
        BEGIN
            EXECUTE format('SELECT * FROM %I.settings', store) INTO settings;
        EXCEPTION WHEN undefined_table OR invalid_schema_name THEN
            CONTINUE;  -- dropped by another session in between
        END;
        RETURN QUERY SELECT store, owner, settings.orders, settings.customers, settings.items, settings.currency,
            settings.time_zone, settings.margin, settings.live, settings.fresh_to;
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._stores() IS 'The rows of the view clientele.stores.';

CREATE VIEW clientele.stores AS SELECT * FROM clientele._stores();
COMMENT ON VIEW clientele.stores IS 'The stores that the caller may read. fresh_to: orders committed by then are in the profiles.';
GRANT SELECT ON clientele.stores TO PUBLIC;

CREATE FUNCTION clientele.upgrade_store(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, clientele, pg_temp AS $$
DECLARE
    settings store_settings;
BEGIN
    PERFORM _lock_store(store);
    settings := _settings(store);
    IF settings.version <> 1 THEN
        RAISE EXCEPTION 'store % has version %, which this release does not know', quote_ident(store), settings.version
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Upgrade the extension: ALTER EXTENSION clientele UPDATE.';
    END IF;
    PERFORM _regenerate_segments(store, _segment_parameters(store));
    PERFORM _regenerate_offers(store);
END $$;
COMMENT ON FUNCTION clientele.upgrade_store(name) IS
    'Brings what a store generated (functions over its rules and programs) up to the installed version of the extension. Idempotent; owner only.';

-- What create_store put into a store's schema.
CREATE FUNCTION clientele._store_objects(store name) RETURNS TABLE (class regclass, object oid)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, clientele, pg_temp AS $$
    SELECT 'pg_class'::regclass, c.oid FROM pg_class c
    WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = store) AND c.relname IN (
        'settings', 'profiles', 'typical_values', 'segmentations', 'segment_rules', 'contents', 'programs',
        '_base', 'customers', 'segments', '_offer_inputs', '_segment_content', 'offers', 'campaign', 'offer_decisions',
        'offer_summary', 'segment_sizes')
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid FROM pg_proc p
    WHERE p.pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = store) AND (p.proname, p.proargtypes::text) IN (
        SELECT f.name, f.types FROM (VALUES
            ('_profiles_at', 'timestamptz'::regtype::oid::text), ('_base_at', 'timestamptz'::regtype::oid::text),
            ('customers_at', 'timestamptz'::regtype::oid::text), ('segments_at', 'timestamptz'::regtype::oid::text),
            ('_offer_inputs_at', 'timestamptz'::regtype::oid::text), ('_typical_value', 'text'::regtype::oid::text),
            ('_offer_book', '')) f (name, types)
        UNION ALL
        -- These take the columns of customers but the last.
        SELECT f.name, c.types FROM (VALUES ('_segment_main'), ('_segments'), ('_matches')) f (name), (
            SELECT string_agg(a.atttypid::text, ' ' ORDER BY a.attnum) AS types FROM pg_attribute a
            WHERE a.attrelid = to_regclass(format('%I.customers', store)) AND a.attnum > 0 AND a.attname <> 'segment') c)
$$;
COMMENT ON FUNCTION clientele._store_objects(name) IS 'The tables, views and functions of a store that are the extension''s.';

CREATE FUNCTION clientele.drop_store(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, clientele, pg_temp SET client_min_messages = warning AS $$
DECLARE
    others text;
BEGIN
    PERFORM _lock_store(store);
    -- Everything that depends on the schema or on an object of ours, and is neither ours nor a part of ours.
    WITH RECURSIVE ours AS (
        SELECT class, object FROM _store_objects(store)
        UNION ALL SELECT 'pg_namespace'::regclass, oid FROM pg_namespace WHERE nspname = store
    ), parts AS (  -- down to the array type of a view's row type
        SELECT class AS classid, object AS objid FROM ours
        UNION
        SELECT d.classid, d.objid FROM pg_depend d JOIN parts p ON d.refclassid = p.classid AND d.refobjid = p.objid
        WHERE d.deptype IN ('i', 'a')
    ), dependents AS (
        SELECT DISTINCT d.classid, d.objid, d.objsubid FROM pg_depend d JOIN parts p ON d.refclassid = p.classid AND d.refobjid = p.objid
        WHERE d.deptype = 'n' AND (d.classid, d.objid) NOT IN (SELECT classid, objid FROM parts)
    )
    SELECT string_agg(DISTINCT CASE WHEN r.oid IS NULL THEN pg_describe_object(d.classid, d.objid, d.objsubid)
        ELSE pg_describe_object('pg_class'::regclass, r.ev_class, 0) END, ', ') INTO others
    FROM dependents d LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid;
    IF others IS NOT NULL THEN
        RAISE EXCEPTION 'store % cannot be dropped: others depend on it', quote_ident(store)
            USING ERRCODE = 'dependent_objects_still_exist', DETAIL = format('Not created by clientele: %s.', others),
            HINT = 'Drop or move these first.';
    END IF;
    EXECUTE format('DROP SCHEMA %I CASCADE', store);
END $$;
COMMENT ON FUNCTION clientele.drop_store(name) IS
    'Drops a store and nothing else: refuses, listing them, where others'' objects are in its schema or depend on it. The orders stay as they are. Owner only.';
