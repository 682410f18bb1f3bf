-- Partitions of a live store's orders that come and go: no trigger sees that, so what the store has counted is recorded, partition by
-- partition, and compared with what is there. Read from the catalogues and from the record alone, which names nothing but tables and times.

CREATE TYPE clientele.partition AS (name text, place text, attachment text, first_at timestamptz, last_at timestamptz);
COMMENT ON TYPE clientele.partition IS
    'A partition whose orders (or lines) a live store has counted: the columns of a store''s table partitions. place: the server, database '
    'and store in which it was recorded; attachment: which attachment of which table it is, there. first_at, last_at: the times that its '
    'orders may have; NULL where nobody knows.';

CREATE FUNCTION clientele._create_partitions(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($partitions$
        CREATE TABLE {store}.partitions (LIKE clientele.partition);
        ALTER TABLE {store}.partitions REPLICA IDENTITY FULL;
        COMMENT ON TABLE {store}.partitions IS
            'Live stores: the partitions of orders and lines that are counted. No customers, and nothing that the catalogues do not say.';
        GRANT SELECT ON {store}.partitions TO PUBLIC;
        $partitions$, 'store', quote_ident(store));
END $$;
COMMENT ON FUNCTION clientele._create_partitions(name) IS
    'The table partitions of a new store, which whoever lists the stores may read: it says whether one is stale.';

-- ---- What is there ----

-- OIDs and transactions mean something in one place alone: in a database that was restored, or a server that was upgraded, partitions
-- are known by their names.
CREATE FUNCTION clientele._place(store name) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT concat_ws('.', (SELECT c.system_identifier FROM pg_control_system() c), d.oid,
        to_regclass(format('%I.partitions', store))::oid) FROM pg_database d WHERE d.datname = current_database());
END $$;
COMMENT ON FUNCTION clientele._place(name) IS 'What tells this server, database and store from a copy of it.';

-- A partition that is attached again has another row in pg_inherits, by another transaction: what was written meanwhile nobody has noted.
CREATE FUNCTION clientele._attached(store name, settings clientele.store_settings)
    RETURNS TABLE (relation regclass, name text, place text, attachment text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT f.member, clientele._full_name(f.member), clientele._place(store),
        format('%s: %s', f.member::oid, string_agg(i.xmin::text, ', ' ORDER BY i.inhparent))
    FROM (SELECT settings.orders UNION SELECT settings.items) s (root) CROSS JOIN LATERAL clientele._family(s.root) f (member)
    JOIN pg_inherits i ON i.inhrelid = f.member WHERE f.member <> s.root GROUP BY f.member;
END $$;
COMMENT ON FUNCTION clientele._attached(name, clientele.store_settings) IS
    'The partitions and children of a store''s orders and lines, and what tells one attachment from another.';

-- The bounds of all levels that are ranges of a column. Of more than one column, the last value of the first one belongs to the partition.
CREATE FUNCTION clientele._span(partition regclass, settings clientele.store_settings,
        OUT lower text, OUT upper text, OUT first_at timestamptz, OUT last_at timestamptz)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' SET timezone = 'UTC' AS $$
    WITH RECURSIVE levels AS (
        SELECT i.inhrelid AS child, i.inhparent AS parent FROM pg_inherits i WHERE i.inhrelid = partition
        UNION ALL SELECT i.inhrelid, i.inhparent FROM levels l JOIN pg_inherits i ON i.inhrelid = l.parent
    ), bounds AS (
        SELECT l.parent, a.atttypid, t.partnatts, regexp_match(pg_get_expr(c.relpartbound, c.oid),
            replace('^FOR VALUES FROM \((VALUE)(?:, VALUE)*\) TO \((VALUE)(?:, VALUE)*\)$', 'VALUE',
                'MINVALUE|MAXVALUE|E?''(?:[^'']|'''')*''|[^'',()]+')) AS bound
        FROM levels l JOIN pg_class c ON c.oid = l.child
        JOIN pg_partitioned_table t ON t.partrelid = l.parent AND t.partstrat = 'r'
        JOIN pg_attribute a ON a.attrelid = l.parent AND a.attnum = t.partattrs[0] AND a.attname = settings.ordered_at
        WHERE EXISTS (SELECT FROM clientele._family(settings.orders) f WHERE f = partition)
    ), texts AS (
        SELECT b.*, CASE b.bound[1] WHEN 'MINVALUE' THEN '-infinity' ELSE trim(b.bound[1], '''') END AS lower,
            CASE b.bound[2] WHEN 'MAXVALUE' THEN 'infinity' ELSE trim(b.bound[2], '''') END AS upper
        FROM bounds b WHERE b.bound IS NOT NULL AND b.atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
    ), instants AS (
        SELECT t.*, clientele._bound_at(t.lower, t.atttypid, settings.time_zone) AS first_at,
            clientele._bound_at(t.upper, t.atttypid, settings.time_zone) - CASE t.partnatts WHEN 1 THEN interval '1 microsecond'
                ELSE interval '0' END AS last_at
        FROM texts t)
    SELECT (array_agg(i.lower ORDER BY i.first_at DESC))[1], (array_agg(i.upper ORDER BY i.last_at))[1], max(i.first_at), min(i.last_at)
    FROM instants i HAVING max(i.first_at) > '-infinity' OR min(i.last_at) < 'infinity'
$$;
COMMENT ON FUNCTION clientele._span(regclass, clientele.store_settings) IS
    'The times that the orders of a partition may have, by its bounds on their time: as they are written there, and as instants, both '
    'inclusive. NULL where it has none, or is one of lines.';

CREATE FUNCTION clientele._changed_partitions(store name, settings clientele.store_settings, recorded clientele.partition[])
    RETURNS TABLE (relation regclass, name text, first_at timestamptz, last_at timestamptz)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY WITH present AS MATERIALIZED (
        SELECT * FROM clientele._attached(store, settings)
    ), known AS MATERIALIZED (
        SELECT r.*, r.place = clientele._place(store) AS is_here FROM unnest(recorded) r
    )
    SELECT NULL::regclass, k.name, k.first_at, k.last_at FROM known k
    WHERE CASE WHEN k.is_here THEN k.attachment NOT IN (SELECT p.attachment FROM present p)
        ELSE k.name NOT IN (SELECT p.name FROM present p) END
    UNION ALL
    SELECT p.relation, p.name, NULL, NULL FROM present p
    WHERE p.attachment NOT IN (SELECT k.attachment FROM known k WHERE k.is_here)
      AND p.name NOT IN (SELECT k.name FROM known k WHERE NOT k.is_here);
END $$;
COMMENT ON FUNCTION clientele._changed_partitions(name, clientele.store_settings, clientele.partition[]) IS
    'What a record of partitions does not have yet, and (without a relation) what is there no more. One that was detached and attached '
    'again is both.';

-- ---- In words ----

CREATE FUNCTION clientele._partition_faults(store name, settings clientele.store_settings) RETURNS TABLE (finding text, detail text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    largest constant bigint := 8388608;  -- tens of thousands of them; what anybody who looks at alerts would have to read
    kept constant regclass := to_regclass(format('%I.partitions', store));
    recorded clientele.partition[];
BEGIN
    IF NOT settings.live OR kept IS NULL THEN
        RETURN;
    END IF;
    SELECT array_agg(p) INTO recorded FROM clientele._plain_rows(kept, NULL::clientele.partition, true, largest) p;
    -- Of those that lack triggers it is said that they do; of foreign ones, that they cannot have any.
    RETURN QUERY SELECT 'partition', CASE WHEN c.relation IS NULL
            THEN format('%s was detached or dropped, and its orders still count: CALL clientele.refresh(%L)', c.name, store)
            ELSE format('%s was attached, and its orders do not count yet: CALL clientele.refresh(%L)', c.name, store) END
        FROM clientele._changed_partitions(store, settings, recorded) c
        WHERE c.relation IS NULL OR EXISTS (SELECT FROM clientele._triggers(settings) t
            WHERE t.relation = c.relation HAVING bool_and(t.enabled))
        ORDER BY c.name, c.relation IS NOT NULL;
EXCEPTION WHEN insufficient_privilege OR wrong_object_type OR lock_not_available OR undefined_table THEN
    RETURN;
END $$;
COMMENT ON FUNCTION clientele._partition_faults(name, clientele.store_settings) IS
    'The partitions of a live store''s orders and lines that came or went and are not taken into account yet.';

-- ---- Taking it into account ----

CREATE FUNCTION clientele._record_partitions(store name, parts clientele.partition[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('DELETE FROM %I.partitions', store);
    EXECUTE format('INSERT INTO %I.partitions SELECT p.* FROM unnest($1) p', store) USING parts;
END $$;
COMMENT ON FUNCTION clientele._record_partitions(name, clientele.partition[]) IS
    'Records what a live store has counted. NULL: nothing, of one that is not live.';

CREATE FUNCTION clientele._present_partitions(store name, settings clientele.store_settings) RETURNS clientele.partition[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(ROW(a.name, a.place, a.attachment, s.first_at, s.last_at)::clientele.partition ORDER BY a.name)
    FROM clientele._attached(store, settings) a CROSS JOIN LATERAL clientele._span(a.relation, settings) s
$$;
COMMENT ON FUNCTION clientele._present_partitions(name, clientele.store_settings) IS 'The partitions that there are, for the record.';

-- In this order: what is recorded is what was looked at before anybody was marked, so that what comes meanwhile is found the next time.
CREATE FUNCTION clientele._mark_partitions(store name, missed regclass[] DEFAULT '{}', disabled regclass[] DEFAULT '{}') RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    settings constant clientele.store_settings := clientele._present_settings(store);
    present constant clientele.partition[] := clientele._present_partitions(store, settings);
    recorded clientele.partition[];
    changed record;
BEGIN
    EXECUTE format('SELECT array_agg(ROW(p.*)::clientele.partition ORDER BY p.name) FROM %I.partitions p', store) INTO recorded;
    FOR changed IN
        SELECT c.relation, c.first_at, c.last_at FROM clientele._changed_partitions(store, settings, recorded) c
        UNION SELECT m, NULL, NULL FROM unnest(missed) m LOOP
        IF changed.relation IS NULL THEN
            PERFORM clientele._mark_span(store, changed.first_at, changed.last_at, true);
        ELSE
            PERFORM clientele._mark_partition(store, settings, changed.relation, changed.relation = ANY (disabled));
        END IF;
    END LOOP;
    IF recorded IS DISTINCT FROM present THEN
        PERFORM clientele._record_partitions(store, present);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._mark_partitions(name, regclass[], regclass[]) IS
    'Marks the customers of a live store whom partitions may concern that came or went, or whose statements were missed, and records what '
    'there is. missed: tables that have lacked triggers; disabled: those of them that have had some before.';

-- Whose orders it has now, and whose it may have had.
CREATE FUNCTION clientele._mark_partition(store name, settings clientele.store_settings, relation regclass, touched boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    span record;
    is_empty constant boolean := (SELECT sum(pg_relation_size(f)) FROM clientele._family(relation) f) = 0;
BEGIN
    SELECT * INTO span FROM clientele._span(relation, settings);
    IF NOT is_empty OR touched THEN
        PERFORM clientele._mark_span(store, span.first_at, span.last_at, true);
    ELSIF span.first_at IS NOT NULL THEN
        PERFORM clientele._mark_span(store, span.first_at, span.last_at, false);
    END IF;
    IF NOT is_empty AND span.first_at IS NOT NULL THEN
        EXECUTE format('INSERT INTO %I.pending (customer_id, due)
            SELECT DISTINCT o.customer_id, CASE WHEN o.ordered_at > clock_timestamp() THEN o.ordered_at ELSE ''-infinity'' END
            FROM (%s AND o.%I BETWEEN %L AND %L) o WHERE o.ordered_at IS NOT NULL', store, clientele._orders_query(settings),
            settings.ordered_at, span.lower, span.upper);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._mark_partition(name, clientele.store_settings, regclass, boolean) IS
    'Marks whom a partition that is attached may concern. touched: rows may have been removed from it unseen.';

-- A profile has the days of its orders, but not those of its refund rows.
CREATE FUNCTION clientele._mark_span(store name, first_at timestamptz, last_at timestamptz, with_refunds boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    time_zone constant text := (clientele._settings(store)).time_zone;
    -- Orders of other times are left out.
    since constant timestamptz := greatest(first_at, '0001-01-02 UTC');
    until constant timestamptz := least(last_at, '9999-12-29 UTC');
BEGIN
    IF first_at IS NULL OR last_at IS NULL THEN
        EXECUTE format('INSERT INTO %I.pending (due) VALUES (''-infinity'')', store);
    ELSIF since <= until THEN
        EXECUTE format('INSERT INTO %1$I.pending (customer_id, due) SELECT DISTINCT p.customer_id, timestamptz ''-infinity'' FROM (
                SELECT customer_id, profile FROM %1$I.profiles
                UNION ALL SELECT customer_id, profile FROM %1$I.pending WHERE customer_id IS NOT NULL AND profile IS NOT NULL) p
            WHERE clientele.purchase_days_within(p.profile, $1, $2) > 0 OR $3 AND clientele.refunds(p.profile) > 0', store)
            USING clientele._local_day(until, time_zone) - clientele._local_day(since, time_zone) + 1, until, with_refunds;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._mark_span(name, timestamptz, timestamptz, boolean) IS
    'Marks the customers who have a purchase day between two times, both inclusive; everybody where these are not known. with_refunds: '
    'those with refund rows, too.';
