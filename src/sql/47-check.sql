-- Checking a store: what it shows against a recount of its orders, and what is wrong with the orders themselves.
--
-- Everything is read by STABLE functions, so under the snapshot of the one statement that calls them: orders that are
-- committed meanwhile are neither shown nor counted.

CREATE FUNCTION clientele._lock_refresh(store name, command text) RETURNS void
    AS 'MODULE_PATHNAME', 'clientele_lock_refresh' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION clientele._lock_refresh(name, text) IS
    'Keeps refreshes of a store out until the end of the transaction. command: for messages. For who may write when its orders were '
    'counted.';

CREATE FUNCTION clientele.check_store(store name, sample double precision DEFAULT NULL, repair boolean DEFAULT false)
    RETURNS TABLE (finding text, customer text, detail text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    customers text[] := '{}'::text[];
    failed tid[];
    found text[] := '{}'::text[];  -- kinds
BEGIN
    PERFORM clientele._require_store(store);
    PERFORM clientele._require('repair', repair IS NOT NULL);
    PERFORM clientele._check_sample(sample);
    IF repair THEN
        PERFORM clientele._refuse_replica(store, 'repaired');
        PERFORM clientele._lock_refresh(store, 'check_store(repair => true)');
        PERFORM clientele._touch(store);
    ELSIF clientele._is_replica(store) THEN
        RETURN QUERY SELECT 'replica', NULL::text, clientele._replica_fault(store);
        RETURN;
    END IF;
    -- The orders of failures that were there before are counted.
    SELECT b.mends INTO failed FROM clientele._begin_refresh(store, true) b;
    PERFORM clientele._require_all_rows(store);
    FOR finding, customer, detail IN SELECT f.finding, f.customer, f.detail FROM clientele._findings(store, sample) f LOOP
        RETURN NEXT;
        IF finding IN ('stale', 'missing', 'surplus') THEN
            customers := customers || customer;
        ELSIF finding <> ALL (found) THEN
            found := found || finding;
        END IF;
    END LOOP;
    IF repair THEN
        PERFORM clientele._recount_customers(store, customers);
        IF (sample = 1) IS NOT FALSE AND 'unreadable' <> ALL (found) THEN
            PERFORM clientele._forget_failures(store, failed);
        END IF;
        -- Last, because it locks the orders until the end of the transaction.
        IF 'trigger' = ANY (found) AND clientele._restore_triggers(store) THEN
            RAISE NOTICE 'store % has its triggers again, and counts whom it concerns whenever they are read until it is refreshed',
                quote_ident(store)
                USING DETAIL = 'Nobody knows what has changed without them.', HINT = format('CALL clientele.refresh(%L);', store);
        ELSIF 'partition' = ANY (found) THEN
            PERFORM clientele._mark_partitions(store);
        END IF;
    END IF;
END $$;
COMMENT ON FUNCTION clientele.check_store(name, double precision, boolean) IS
    'Compares what a store shows with a recount of its orders, in one snapshot, and lists what differs. finding: stale, missing, surplus '
    '(profiles); '
    'unmatched_refund, unknown_customer, duplicate_customer, duplicate_order (orders and customers); uncountable (orders that are left '
    'out: how many, and one of them); unreadable, failure, trigger, partition, swapped_table, unlogged_table, foreign_partition, '
    'time_zone (the store); replica alone where a subscription fills its profiles, which are not compared then. '
    'sample: NULL (or 1) checks everybody; below 1 that share of the customers; '
    'above 1 so many customers; always the same ones. repair: counts the customers found anew, restores triggers, and after an exact '
    'check forgets failures; '
    'the findings are those before it. Triggers are left to set_live(), with a warning, where others go on using the orders. Writes '
    'nothing unless told to repair. The caller needs SELECT on the store and its sources; to repair, what refresh needs, and '
    'to be the owner where triggers are missing.';

CREATE FUNCTION clientele._check_sample(sample double precision) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- NaN counts as above every number.
    IF sample <= 0 OR sample > 1 AND (sample <> floor(sample) OR sample > 2147483647) THEN
        RAISE EXCEPTION 'invalid sample: %', sample USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'It is a share of the customers (above 0, at most 1) or a number of customers (a whole number above 1).',
            HINT = 'Leave it out to check every customer.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_sample(double precision) IS 'Refuses what is neither a share nor a number of customers.';

-- Reading.

CREATE FUNCTION clientele._findings(store name, sample double precision) RETURNS TABLE (finding text, customer text, detail text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings := clientele._present_settings(store);
    sampled text[] := CASE WHEN sample < 1 OR sample > 1 THEN clientele._sampled_customers(store, settings, sample) END;
    message text;
    hint text;
BEGIN
    RETURN QUERY SELECT f.finding, NULL::text, f.detail FROM clientele._table_faults(store, settings) f;
    IF settings.live THEN
        RETURN QUERY SELECT * FROM clientele._live_findings(store, settings);
    END IF;
    BEGIN
        RETURN QUERY SELECT * FROM clientele._duplicate_customers(store, settings, sampled);
        RETURN QUERY SELECT * FROM clientele._duplicate_orders(store, settings, sampled);
        RETURN QUERY SELECT * FROM clientele._profile_findings(store, settings, sampled);
        RETURN QUERY SELECT * FROM clientele._refund_findings(store, sampled);
    EXCEPTION WHEN data_exception OR raise_exception THEN
        -- An order that the filter fails for must not hide what else is wrong.
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
        RETURN QUERY SELECT 'unreadable', NULL::text, concat_ws('. ', message, nullif(hint, ''));
    END;
    RETURN QUERY SELECT * FROM clientele._uncountable_findings(store, sampled);
END $$;
COMMENT ON FUNCTION clientele._findings(name, double precision) IS 'What check_store lists.';

-- Who is checked: those with a profile or with something pending, and those of the customers table; by a hash of the key.
CREATE FUNCTION clientele._sampled_customers(store name, settings clientele.store_settings, sample double precision) RETURNS text[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hash constant text := 'hashtextextended(u.customer_id::text COLLATE "C", 0)';
    everybody text := format('SELECT p.customer_id FROM %1$I.profiles p
        UNION SELECT t.customer_id FROM %1$I.pending t WHERE t.customer_id IS NOT NULL', store);
    sampled text[];
BEGIN
    IF settings.customers IS NOT NULL THEN
        everybody := everybody || format(' UNION SELECT c.%I FROM %s c WHERE c.%1$I IS NOT NULL', settings.customer_key,
            settings.customers);
    END IF;
    EXECUTE format('SELECT array_agg(k.customer_id::text) FROM (SELECT u.customer_id FROM (%s) u %s) k', everybody,
        CASE WHEN sample < 1 THEN format('WHERE %s::double precision / 18446744073709551616 + 0.5 < $1', hash)
             ELSE format('ORDER BY %s, u.customer_id LIMIT $1::bigint', hash) END) INTO sampled USING sample;
    RETURN coalesce(sampled, '{}');
END $$;
COMMENT ON FUNCTION clientele._sampled_customers(name, clientele.store_settings, double precision) IS
    'The customers of a sample. A larger sample contains a smaller one; who has no row anywhere but in the orders is in none.';

CREATE FUNCTION clientele._live_findings(store name, settings clientele.store_settings)
    RETURNS TABLE (finding text, customer text, detail text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT ''failure'', NULL::text, format(''%%s on %%s at %%s was not noted: %%s (%%s)'',
        f.operation, f.relation, f.failed_at, f.message, f.sqlstate) FROM %I.failures f ORDER BY f.failed_at, f.relation', store);
    RETURN QUERY SELECT 'trigger', NULL::text, format('%s on %s: %s', string_agg(t.event, ', ' ORDER BY t.event), t.relation,
            CASE WHEN t.oid IS NULL THEN 'missing' ELSE 'disabled' END)
        FROM clientele._triggers(settings) t WHERE NOT t.enabled GROUP BY t.relation, t.oid IS NULL
            ORDER BY t.relation::text, t.oid IS NULL;
    RETURN QUERY SELECT f.finding, NULL::text, f.detail FROM clientele._partition_faults(store, settings) f;
    RETURN QUERY SELECT 'trigger', NULL::text, format('%s is filled by a subscription, for which no trigger fires', r.relation)
        FROM (SELECT clientele._family(settings.orders) UNION SELECT clientele._family(settings.items)) r (relation)
        WHERE EXISTS (SELECT FROM pg_subscription_rel s WHERE s.srrelid = r.relation) ORDER BY r.relation::text;
END $$;
COMMENT ON FUNCTION clientele._live_findings(name, clientele.store_settings) IS
    'Why a live store may have missed changes: failures, triggers that do not fire, and partitions that came or went.';

-- In one pass: profiles that differ from a recount, and counted customers whom the customers table does not know.
--
-- What is shown is as of now(), the start of the transaction, and has what was noted since; the recount goes on until the
-- clock is read. Whoever has an order dated in between may be shown either way.
CREATE FUNCTION clientele._profile_findings(store name, settings clientele.store_settings, sampled text[])
    RETURNS TABLE (finding text, customer text, detail text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    among text := clientele._among(store, sampled);
    counted text := CASE WHEN sampled IS NULL THEN clientele._counted_query(store)
        ELSE clientele._profiles_query(store, settings, '(SELECT clock_timestamp())', among) END;
    unknown text := 'false';
BEGIN
    IF settings.customers IS NOT NULL THEN
        unknown := format('c.customer_id IS NOT NULL AND NOT EXISTS (SELECT FROM %s k WHERE k.%I = c.customer_id)',
            settings.customers, settings.customer_key);
    END IF;
    RETURN QUERY EXECUTE format('
        WITH shown AS (
            SELECT o.customer_id, o.profile, o.category_mix FROM %1$I._profiles_now() o WHERE %2$s
        ), counted (customer_id, profile, category_mix) AS (%3$s
        ), compared AS (
            SELECT coalesce(s.customer_id, c.customer_id) AS customer_id, s.profile AS shown, c.profile AS counted,
                s.category_mix AS shown_mix, c.category_mix AS counted_mix,
                s.customer_id IS NULL OR c.customer_id IS NULL OR s.profile OPERATOR(clientele.<>) c.profile
                    OR s.category_mix IS DISTINCT FROM c.category_mix AS differs, %4$s AS unknown
            FROM shown s FULL JOIN counted c ON c.customer_id = s.customer_id
        ), suspects AS MATERIALIZED (
            SELECT * FROM compared d WHERE d.differs OR d.unknown
        ), late AS MATERIALIZED (
            SELECT DISTINCT o.customer_id FROM %1$I._orders o JOIN suspects d ON d.customer_id = o.customer_id
            WHERE d.differs AND o.ordered_at > now() AND o.ordered_at <= clock_timestamp()
        ), earlier AS (%5$s)
        SELECT f.finding, d.customer_id::text, f.detail
        FROM suspects d LEFT JOIN late l ON l.customer_id = d.customer_id LEFT JOIN earlier e ON e.customer_id = d.customer_id
        CROSS JOIN LATERAL (
            SELECT 1 AS rank, CASE WHEN d.shown IS NULL THEN ''missing'' WHEN d.counted IS NULL THEN ''surplus''
                ELSE ''stale'' END AS finding,
                CASE WHEN d.shown IS NULL THEN ''counted: '' || clientele._figures(d.counted)
                    WHEN d.counted IS NULL THEN ''shown: '' || clientele._figures(d.shown)
                     ELSE clientele._differences(d.shown, d.counted, d.shown_mix, d.counted_mix) END AS detail
            WHERE d.differs AND (l.customer_id IS NULL OR coalesce(e.profile OPERATOR(clientele.<>) d.shown,
                (e.profile IS NULL) <> (d.shown IS NULL)) OR e.category_mix IS DISTINCT FROM d.shown_mix)
            UNION ALL
            SELECT 2, ''unknown_customer'', clientele._figures(d.counted) WHERE d.unknown) f
        ORDER BY f.rank, d.customer_id',
        store, among, counted, unknown,
        clientele._profiles_query(store, settings, 'now()', 'o.customer_id IN (SELECT l.customer_id FROM late l)')) USING sampled;
END $$;
COMMENT ON FUNCTION clientele._profile_findings(name, clientele.store_settings, text[]) IS
    'Profiles that are stale, missing or surplus, and customers with orders whom the customers table does not have. sampled: whom to look '
    'at; NULL: everybody.';

-- A refund row takes back an order: of the same customer, not dated later, and of at least its value. Several refund rows
-- may match one order.
CREATE FUNCTION clientele._refund_findings(store name, sampled text[])
    RETURNS TABLE (finding text, customer text, detail text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE format('
        SELECT ''unmatched_refund'', r.customer_id::text, format(''%%s at %%s: %%s'', r.amount, r.ordered_at,
            CASE WHEN r.greatest >= 0 THEN format(''the greatest order by then is %%s'', r.greatest) ELSE ''no order by then'' END)
        FROM (SELECT o.customer_id, o.ordered_at, o.amount, max(o.amount) OVER (PARTITION BY o.customer_id
            ORDER BY o.ordered_at) AS greatest
              FROM %1$I._orders o
              WHERE o.customer_id IN (SELECT o.customer_id FROM %1$I._orders o WHERE o.amount < 0 AND %2$s)
                AND o.ordered_at <= (SELECT clock_timestamp()) AND %2$s) r
        WHERE r.amount < 0 AND r.greatest < - r.amount ORDER BY r.customer_id, r.ordered_at, r.amount',
        store, clientele._among(store, sampled)) USING sampled;
END $$;
COMMENT ON FUNCTION clientele._refund_findings(name, text[]) IS
    'Refund rows whose customer had no order by then of at least that value.';

-- Where the orders cannot even be read, as when the filter fails, it finds nothing.
CREATE FUNCTION clientele._uncountable_findings(store name, sampled text[]) RETURNS TABLE (finding text, customer text, detail text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT 'uncountable', l.customer, format('%s: %s left out, such as %s: %s', l.reason, l.what, l.example, l.query)
        FROM clientele._left_out(store, clientele._among(store, sampled), sampled) l;
EXCEPTION WHEN data_exception OR raise_exception THEN
    RETURN;
END $$;
COMMENT ON FUNCTION clientele._uncountable_findings(name, text[]) IS 'The orders and lines that are left out.';

CREATE FUNCTION clientele._among(store name, sampled text[]) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN sampled IS NULL THEN 'true' ELSE format('o.customer_id = ANY ($1::%s[])', clientele._key_type(store)) END
$$;
COMMENT ON FUNCTION clientele._among(name, text[]) IS
    'A condition on o: the customers of a sample, which is the parameter $1; NULL: everybody.';

-- In words.

CREATE FUNCTION clientele._figures(profile clientele.order_profile) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('orders %s, refunds %s, total_spent %s', clientele.orders(profile), clientele.refunds(profile),
        clientele.total_spent(profile))
$$;
COMMENT ON FUNCTION clientele._figures(clientele.order_profile) IS 'The figures by which people tell profiles apart.';

CREATE FUNCTION clientele._differences(shown clientele.order_profile, counted clientele.order_profile, shown_mix jsonb, counted_mix jsonb)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(
        string_agg(d.words, '; ' ORDER BY d.rank) FILTER (WHERE d.rank < 10),
        string_agg(d.words, '; ' ORDER BY d.rank),
        'all figures agree, times or values of single orders do not')
    FROM (SELECT f.rank, format('%s %s, counted %s', f.name, coalesce(f.shown, 'none'), coalesce(f.counted, 'none')) AS words
        FROM (VALUES
            (1, 'orders', clientele.orders(shown)::text, clientele.orders(counted)::text),
            (2, 'purchase_days', clientele.purchase_days(shown)::text, clientele.purchase_days(counted)::text),
            (3, 'refunds', clientele.refunds(shown)::text, clientele.refunds(counted)::text),
            (4, 'first_order_at', clientele.first_order_at(shown)::text, clientele.first_order_at(counted)::text),
            (5, 'last_order_at', clientele.last_order_at(shown)::text, clientele.last_order_at(counted)::text),
            (6, 'gross_spent', clientele.gross_spent(shown)::text, clientele.gross_spent(counted)::text),
            (7, 'total_spent', clientele.total_spent(shown)::text, clientele.total_spent(counted)::text),
            (8, 'category_mix', shown_mix::text, counted_mix::text),
            -- These matter where the others are equal.
            (10, 'typical_order_value', clientele.typical_order_value(shown)::text, clientele.typical_order_value(counted)::text),
            (11, 'last_order_value', clientele.last_order_value(shown)::text, clientele.last_order_value(counted)::text),
            (12, 'order_value_cv', clientele.order_value_cv(shown)::text, clientele.order_value_cv(counted)::text),
            (13, 'median_days_between_orders', clientele.median_days_between_orders(shown)::text,
                clientele.median_days_between_orders(counted)::text),
            (14, 'repeat_day_value', clientele.repeat_day_value(shown)::text, clientele.repeat_day_value(counted)::text),
            (15, 'evening_share', clientele.evening_share(shown)::text, clientele.evening_share(counted)::text),
            (16, 'weekend_share', clientele.weekend_share(shown)::text, clientele.weekend_share(counted)::text))
            f (rank, name, shown, counted)
        WHERE f.shown IS DISTINCT FROM f.counted) d
$$;
COMMENT ON FUNCTION clientele._differences(clientele.order_profile, clientele.order_profile, jsonb, jsonb) IS
    'How a profile that is shown differs from the one that was counted.';

-- Writing.

-- Who writes orders may wait for the store, which we have: so the orders are taken where they are free.
CREATE FUNCTION clientele._restore_triggers(store name) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings := clientele._settings(store);
    wanting regclass[] := ARRAY(SELECT DISTINCT t.relation FROM clientele._triggers(settings) t WHERE NOT t.enabled);
    dropped regclass[] := ARRAY(SELECT t FROM unnest(clientele._triggered(settings)) t
        WHERE t = ANY (wanting) OR t <> ALL (ARRAY(SELECT n.relation FROM clientele._triggers(settings) n)));
BEGIN
    PERFORM clientele._require_owner(store);
    FOR attempt IN 1..100 LOOP
        BEGIN
            PERFORM clientele._lock_sources(wanting, false);
            PERFORM clientele._drop_triggers(store, dropped, false);
            PERFORM clientele.set_live(store, true);
            RETURN true;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(0.02);
        END;
    END LOOP;
    RAISE WARNING 'the triggers of store % were not restored: others go on using its orders', quote_ident(store)
        USING DETAIL = 'Some of them might wait for the store, which is being repaired.',
            HINT = format('SELECT clientele.set_live(%L, true);', store);
    RETURN false;
END $$;
COMMENT ON FUNCTION clientele._restore_triggers(name) IS
    'Creates the triggers that a live store lacks, for who keeps refreshes out. Waits for nobody; after two seconds, it says that it '
    'could not, and returns false.';

-- Marks and folds them, as for a live store: the fold counts and forgets what is pending in one snapshot.
CREATE FUNCTION clientele._recount_customers(store name, customers text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF customers <> '{}' THEN
        EXECUTE format('INSERT INTO %I.pending (customer_id, due) SELECT c::%s, ''-infinity'' FROM unnest($1) c',
            store, clientele._key_type(store)) USING customers;
        PERFORM clientele._fold(store, NULL, 2147483647);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._recount_customers(name, text[]) IS
    'Replaces the profiles of these customers by what is counted now. For who keeps refreshes out.';

CREATE FUNCTION clientele._forget_failures(store name, failed tid[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF failed IS NOT NULL THEN
        EXECUTE format('DELETE FROM %I.failures WHERE ctid = ANY ($1)', store) USING failed;
        PERFORM clientele._note_failures(store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._forget_failures(name, tid[]) IS 'Removes failures whose orders have been counted.';
