-- A store whose profiles arrive by logical replication: it was counted by another server, which has its orders. What is pending there may
-- arrive, too; but whom that concerns can be counted at the publisher alone.

-- Asked by whoever reads what is pending, so it must cost nothing.
CREATE FUNCTION clientele._is_subscribed(relation oid) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clientele_is_subscribed' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._is_subscribed(oid) IS 'Whether a subscription of this database fills a table.';

CREATE FUNCTION clientele._orders_are_here(profiles oid, orders oid) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clientele_orders_are_here' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._orders_are_here(oid, oid) IS
    'True; but an error (55000) where a subscription fills the profiles of a store and not its orders: there are none here, or others. '
    'Of a view over orders nobody can tell, so they are taken for others.';

CREATE FUNCTION clientele._is_replica(store name) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce(clientele._is_subscribed(to_regclass(format('%I.profiles', store))), false);
END $$;
COMMENT ON FUNCTION clientele._is_replica(name) IS 'Whether a subscription fills the profiles of a store.';

CREATE FUNCTION clientele._refuse_absent_orders(store name) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._orders_are_here(to_regclass(format('%I.profiles', store)), (clientele._settings(store)).orders);
END $$;
COMMENT ON FUNCTION clientele._refuse_absent_orders(name) IS
    'Refuses (55000) a store whose orders are at the publisher of its profiles. Of one that is detached that is not known.';
CREATE FUNCTION clientele._require_orders_here(store name) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require_attached(store);
    PERFORM clientele._refuse_absent_orders(store);
END $$;
COMMENT ON FUNCTION clientele._require_orders_here(name) IS
    'Refuses (55000) a store that is detached, or has lost its orders, or whose orders are at the publisher of its profiles.';

CREATE FUNCTION clientele._refuse_replica(store name, refused text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF clientele._is_replica(store) THEN
        RAISE EXCEPTION 'store % cannot be % here: its profiles come from a subscription', quote_ident(store), refused
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'They are counted where its orders are. What is counted here would be in the way of what arrives.',
            HINT = format('Do it at the publisher. A server that is to count orders of its own drops the subscription, or leaves '
                '%I.profiles out of it.', store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._refuse_replica(name, text) IS
    'Refuses (55000) to count, or to follow orders, where a subscription fills the profiles. refused: refreshed, say.';

-- As the views have it, whatever the settings say that have arrived.
CREATE FUNCTION clientele._shows_pending(store name) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = to_regprocedure(format('%I._profiles_now()', store))
          AND d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(format('%I._pending_now', store)))
$$;
COMMENT ON FUNCTION clientele._shows_pending(name) IS
    'Whether a store shows its profiles rolled up with what is pending, as a live one does.';

CREATE FUNCTION clientele._replica_fault(store name) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 'its profiles come from a subscription: it shows those that the publisher has stored'
        || CASE WHEN clientele._shows_pending(store)
            THEN format(', without what is pending there: SELECT clientele.set_live(%L, false)', store) ELSE '' END
    WHERE clientele._is_replica(store)
$$;
COMMENT ON FUNCTION clientele._replica_fault(name) IS
    'What the profiles of a store are that a subscription fills, and what to do where it takes itself for live; NULL of all others.';
