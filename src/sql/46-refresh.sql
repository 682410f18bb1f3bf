-- Refresh: what changed is folded into the profiles, or everything is counted anew, in chunks that are committed one by one.

CREATE PROCEDURE clientele.refresh(store name, "full" boolean DEFAULT false)
    AS 'MODULE_PATHNAME', 'clientele_refresh' LANGUAGE C;
COMMENT ON PROCEDURE clientele.refresh(name, boolean) IS
    'Brings a store''s profiles and medians up to the orders committed by now, in chunks with a commit after each; in a transaction '
    'block in one go. '
    'Cancel it at any time: what was committed stays. Readers are never blocked and see a customer''s old or new profile. '
    'A live store folds what is pending; full (and a store that is not live) counts every order anew. clientele.refresh_progress shows '
    'how far it is. '
    'The caller needs SELECT on the sources and to write the store''s tables; under row-level security on the orders it fails rather '
    'than counting some of them.';

CREATE FUNCTION clientele._prepare_refresh(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require_attached(store);
    PERFORM clientele._refuse_replica(store, 'refreshed');
    IF (clientele._settings(store)).live THEN
        PERFORM clientele._mark_partitions(store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._prepare_refresh(name) IS
    'Refuses to refresh what is counted elsewhere, and marks whom partitions concern that came or went.';

-- Whether everything must be counted, and which rows that will settle.
CREATE FUNCTION clientele._begin_refresh(store name, "full" boolean, OUT counts_all boolean, OUT folds boolean,
    OUT settles tid[], OUT mends tid[])
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require_attached(store);
    EXECUTE format('SELECT array_agg(t.ctid) FROM %I.pending t WHERE t.customer_id IS NULL AND t.order_id IS NULL', store) INTO settles;
    EXECUTE format('SELECT array_agg(f.ctid) FROM %I.failures f', store) INTO mends;
    folds := (clientele._settings(store)).live;
    counts_all := "full" OR settles IS NOT NULL OR mends IS NOT NULL OR NOT folds;
    IF NOT counts_all THEN
        PERFORM clientele._mark_other_zone(store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._begin_refresh(name, boolean) IS
    'Checks a store. counts_all: its profiles must be counted anew. folds: it is live, and something may be pending. settles, mends: '
    'rows of pending and failures that this makes superfluous.';

CREATE FUNCTION clientele._mark_other_zone(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings := clientele._settings(store);
    since timestamptz := clientele._zone_differs_from(settings.time_zone, settings.zone_digests);
BEGIN
    IF since IS NOT NULL THEN
        EXECUTE format('INSERT INTO %1$I.pending (customer_id, due) SELECT p.customer_id, ''-infinity'' FROM (
            SELECT customer_id, profile FROM %1$I.profiles UNION ALL SELECT customer_id, profile FROM %1$I.pending) p
            WHERE clientele._has_orders_since(p.profile, $1)', store) USING since;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._mark_other_zone(name) IS
    'Marks who was counted by other rules of the store''s time zone than those of today.';

-- Every profile, counted anew, in the order of the keys.
CREATE FUNCTION clientele._counted_query(store name, as_of text DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings := clientele._settings(store);
    profiles text := format('clientele._count_profiles(%s) AS p(customer_id %s, profile clientele.order_profile)',
        concat_ws(', ', format('%L::pg_catalog.name', store), as_of), clientele._key_type(store));
BEGIN
    IF settings.items IS NULL THEN
        RETURN format('SELECT p.customer_id, p.profile, NULL::pg_catalog.jsonb AS category_mix FROM %s', profiles);
    END IF;
    RETURN format('SELECT p.customer_id, p.profile, m.category_mix FROM %s LEFT JOIN (%s) m ON m.customer_id = p.customer_id',
        profiles, clientele._category_mix_query(store, coalesce(as_of, '(SELECT pg_catalog.clock_timestamp())')));
END $$;
COMMENT ON FUNCTION clientele._counted_query(name, text) IS
    'A query for all profiles of a store up to a time, given as an SQL expression, or now: customer_id, profile, category_mix.';

-- Whatever a planner without statistics believes, a server that sums up sends less: rows that are fetched are dear here, and in whoever
-- runs the query. EXPLAIN says what comes of it; it is none of what a STABLE function may run.
CREATE FUNCTION clientele._count_query(store name, OUT query text, OUT is_shared boolean)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET enable_partitionwise_aggregate = on SET cpu_tuple_cost = 1000 AS $$
DECLARE
    settings clientele.store_settings := clientele._settings(store);
    servers text[] := clientele._servers_of(settings.orders);
    plan jsonb;
BEGIN
    is_shared := false;
    IF servers IS NOT NULL AND settings.items IS NULL AND NOT clientele._has_ties(store) THEN
        query := clientele._packed_query(store, settings);
        EXECUTE 'EXPLAIN (VERBOSE, FORMAT JSON) ' || query INTO plan;
        is_shared := NOT jsonb_path_exists(plan, '$.**."Remote SQL" ? (!(@ like_regex "_order_profile_in"))');
    END IF;
    IF NOT is_shared THEN
        query := clientele._counted_query(store) || ' ORDER BY p.customer_id';
    END IF;
    IF servers IS NOT NULL AND NOT is_shared THEN
        RAISE NOTICE 'the orders of store % are fetched from other servers', quote_ident(store)
            USING DETAIL = format('The plan does not let each of these sum up its own customers: %s.', array_to_string(servers, ', ')),
            HINT = 'They do where orders are partitioned by the customer and were analyzed at their servers, which have the option '
                'extensions ''clientele'', all that the orders are filtered by can be sent, and there are neither order lines nor times '
                'that are dates.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._count_query(name) IS
    'A query for all profiles of a store as of now, by key. is_shared: other servers that have its orders sum them up, if it is run with '
    'the settings that this function has.';

CREATE FUNCTION clientele._servers_of(orders regclass) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(DISTINCT s.srvname::text ORDER BY s.srvname::text)
    FROM clientele._family(orders) f JOIN pg_foreign_table t ON t.ftrelid = f JOIN pg_foreign_server s ON s.oid = t.ftserver
$$;
COMMENT ON FUNCTION clientele._servers_of(regclass) IS 'The foreign servers that have orders; NULL: none.';

-- OFFSET 0 keeps the cast to the packed form and back from being done at the servers.
CREATE FUNCTION clientele._packed_query(store name, settings clientele.store_settings) RETURNS text
    LANGUAGE sql VOLATILE PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO'
    SET bytea_output = 'hex' AS $$
    SELECT clientele._fill('
        SELECT p.customer_id, p.packed::clientele.order_profile AS profile, NULL::pg_catalog.jsonb AS category_mix
        FROM (SELECT o.customer_id, ({profile})::bytea AS packed FROM {store}._orders o WHERE o.ordered_at <= {until}
              GROUP BY o.customer_id OFFSET 0) p WHERE p.packed IS NOT NULL
        ORDER BY p.customer_id',
        'profile', format('clientele._order_profile_in(o.ordered_at, o.amount, %L::bytea)', convert_to(settings.time_zone, 'UTF8')),
        'until', format('%L::timestamptz', clock_timestamp()), 'store', quote_ident(store))
$$;
COMMENT ON FUNCTION clientele._packed_query(name, clientele.store_settings) IS
    'A query for all profiles of a store up to now, by key, that other servers can be asked for: they come packed.';

CREATE FUNCTION clientele._orders_estimate(store name) RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT sum(c.reltuples)::bigint FROM clientele._family((clientele._settings(store)).orders) f JOIN pg_class c ON c.oid = f
    WHERE c.relkind <> 'p' AND c.reltuples > 0
$$;
COMMENT ON FUNCTION clientele._orders_estimate(name) IS
    'How many rows the planner believes a store''s orders to have; NULL where it does not know.';

-- What is left out, by reason: how many, and one of them.
CREATE FUNCTION clientele._left_out(store name, among text DEFAULT 'true', sampled text[] DEFAULT NULL)
    RETURNS TABLE (reason text, what text, customer text, example text, query text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings := clientele._settings(store);
    order_id text := CASE WHEN settings.order_id IS NULL THEN '''an order'''
        ELSE format('coalesce(''order '' || left(%s, 40), ''an order'')', clientele._as_text('o.order_id')) END;
BEGIN
    RETURN QUERY EXECUTE format('
        SELECT DISTINCT ON (o.reason) o.reason, clientele._counted(count(*) OVER (PARTITION BY o.reason), ''order''),
            left(o.customer_id::text, 40),
            format(''%%s of customer %%s at %%s: %%s'', %1$s, left(o.customer_id::text, 40), o.ordered_at, left(o.amount::text, 40)), %2$L
        FROM %3$I.uncountable_orders o WHERE %4$s ORDER BY o.reason, o.ordered_at, o.amount, o.customer_id',
        order_id, format('SELECT * FROM %I.uncountable_orders', store), store, among) USING sampled;
    IF settings.items IS NOT NULL AND sampled IS NULL THEN
        RETURN QUERY EXECUTE format('
            SELECT ''line amount out of range'', clientele._counted(count(*), ''line''), NULL::text,
                (array_agg(format(''one of order %%s: %%s'', left(format(''%%s'', i.order_id), 40), left(i.amount::text, 40))
                    ORDER BY i.amount))[1], %2$L
            FROM %1$I._items i WHERE NOT clientele._countable(NULL, i.amount) HAVING count(*) > 0',
            store, format('SELECT * FROM %I._items WHERE NOT clientele._countable(NULL, amount)', store));
    END IF;
END $$;
COMMENT ON FUNCTION clientele._left_out(name, text, text[]) IS
    'The orders and lines that a store leaves out, by reason: how many, one of them (and whose it is), and a query for all. among: a '
    'condition on o, about sampled, $1.';

CREATE FUNCTION clientele._warn_of_left_out(store name, orders bigint) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found record;
BEGIN
    IF orders = 0 AND (clientele._settings(store)).items IS NULL THEN
        RETURN;
    END IF;
    FOR found IN SELECT * FROM clientele._left_out(store) LOOP
        RAISE WARNING 'store % leaves out %: %', quote_ident(store), found.what, found.reason
            USING DETAIL = format('Such as %s.', found.example), HINT = found.query || ';';
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._warn_of_left_out(name, bigint) IS
    'Warns of what a count has left out. orders: how many the count has met; where none, they need not be looked for.';

-- One chunk of a count. Customers of whom something is pending are marked and left as they are: a fold counts them again.
CREATE FUNCTION clientele._write_chunk(store name, customers anyarray, profiles clientele.order_profile[], mixes jsonb[],
        above text, is_last boolean) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    is_live boolean := (clientele._settings(store)).live;
    key_type text := clientele._key_type(store);
    highest text := customers[cardinality(customers)];
    chunk text := concat(CASE WHEN above IS NOT NULL THEN format(' AND c.customer_id > $4::%s', key_type) END,
        CASE WHEN NOT is_last THEN format(' AND c.customer_id <= $5::%s', key_type) END);
BEGIN
    PERFORM clientele._require_all_rows(store);
    EXECUTE clientele._fill('
        WITH counted AS MATERIALIZED (
            SELECT * FROM unnest($1, $2, $3) c (customer_id, profile, category_mix)
        ), {marks} gone AS (
            DELETE FROM {store}.profiles c
            WHERE NOT EXISTS (SELECT FROM counted n WHERE n.customer_id = c.customer_id) {untouched} {chunk}
        )
        INSERT INTO {store}.profiles AS p SELECT c.customer_id, c.profile, c.category_mix FROM counted c WHERE true {untouched}
        ON CONFLICT (customer_id) DO UPDATE SET profile = excluded.profile, category_mix = excluded.category_mix
        WHERE p.profile OPERATOR(clientele.<>) excluded.profile OR p.category_mix IS DISTINCT FROM excluded.category_mix',
        'store', quote_ident(store), 'chunk', chunk,
        'marks', CASE WHEN is_live THEN clientele._marks_query(store, chunk) || ',' END,
        'untouched', CASE WHEN is_live THEN ' AND NOT EXISTS (SELECT FROM touched t WHERE t.customer_id = c.customer_id)' END)
        USING customers, profiles, mixes, above, highest;
    RETURN highest;
END $$;
COMMENT ON FUNCTION clientele._write_chunk(name, anyarray, clientele.order_profile[], jsonb[], text, boolean) IS
    'Replaces the profiles of the customers above one key up to the last of these by what was counted. Returns that key, as text.';

CREATE FUNCTION clientele._marks_query(store name, chunk text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill('touched AS MATERIALIZED (
            SELECT c.customer_id FROM {store}.pending c WHERE c.customer_id IS NOT NULL AND c.due <= clock_timestamp() {chunk} {by_order}
        ), marked AS (
            INSERT INTO {store}.pending (customer_id, due) SELECT DISTINCT t.customer_id, timestamptz ''-infinity'' FROM touched t
        )',
        'store', quote_ident(store), 'chunk', chunk,
        'by_order', CASE WHEN (clientele._settings(store)).items IS NOT NULL THEN clientele._fill('
            UNION SELECT c.customer_id FROM {store}.pending t JOIN {store}._order_owners c ON c.order_id {same} t.order_id
            WHERE t.customer_id IS NULL AND c.customer_id IS NOT NULL {chunk}',
            'store', quote_ident(store), 'chunk', chunk, 'same', clientele._order_equality(store)) END)
$$;
COMMENT ON FUNCTION clientele._marks_query(name, text) IS
    'Of a live store, for WITH: touched, the customers c of a chunk of whom something is pending, who are marked to be counted again.';

-- After the last chunk of a count: what the count has seen needs no fold any more, and orders of the future are to be counted in time.
CREATE FUNCTION clientele._settle(store name, counted_at timestamptz, settles tid[], mends tid[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
    PERFORM clientele._require_all_rows(store);
    IF (clientele._settings(store)).live THEN
        EXECUTE format('INSERT INTO %1$I.pending (customer_id, due) SELECT o.customer_id, o.ordered_at FROM %1$I._orders o
            WHERE o.ordered_at > $1 EXCEPT SELECT t.customer_id, t.due FROM %1$I.pending t', store) USING counted_at;
    END IF;
    IF settles IS NOT NULL THEN
        EXECUTE format('DELETE FROM %I.pending WHERE ctid = ANY ($1)', store) USING settles;
    END IF;
    IF mends IS NOT NULL THEN
        EXECUTE format('DELETE FROM %I.failures WHERE ctid = ANY ($1)', store) USING mends;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._settle(name, timestamptz, tid[], tid[]) IS
    'Removes what a count has made superfluous, and notes which customers to count again when an order of the future is due.';

-- Order marks name an order rather than a customer, because a transaction that was running may have changed whose it is.
-- When all that were running at the first look have ended, the customer is known for good.
CREATE FUNCTION clientele._resolve_order_marks(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
    IF (clientele._settings(store)).items IS NULL THEN
        RETURN;
    END IF;
    PERFORM clientele._require_all_rows(store);
    EXECUTE clientele._fill('
        WITH marks AS MATERIALIZED (
            SELECT t.ctid AS row, t.order_id, t.seen <= pg_snapshot_xmin(pg_current_snapshot()) AS settled,
                t.seen IS NULL OR t.seen > pg_snapshot_xmax(pg_current_snapshot()) AS unseen
            FROM {store}.pending t WHERE t.customer_id IS NULL AND t.order_id IS NOT NULL
        ), known AS (
            INSERT INTO {store}.pending (customer_id, due)
            SELECT DISTINCT w.customer_id, timestamptz ''-infinity''
            FROM marks m JOIN {store}._order_owners w ON w.order_id {same} m.order_id
            WHERE m.settled AND w.customer_id IS NOT NULL
        ), seen AS (
            UPDATE {store}.pending t SET seen = pg_snapshot_xmax(pg_current_snapshot()) FROM marks m WHERE t.ctid = m.row AND m.unseen)
        DELETE FROM {store}.pending t USING marks m WHERE t.ctid = m.row AND m.settled',
        'store', quote_ident(store), 'same', clientele._order_equality(store));
END $$;
COMMENT ON FUNCTION clientele._resolve_order_marks(name) IS 'Replaces marks of orders by marks of their customers, once these are sure.';

-- What is pending of some customers above a key, and their profiles with it. STABLE, so that all of it is read under one
-- snapshot; in steps, so that each is planned for as many customers as there are. Keys are passed as text.
CREATE FUNCTION clientele._pending_profiles(store name, above text, at_most integer,
        OUT folded bigint, OUT highest text, OUT taken tid[], OUT customers text[],
            OUT profiles clientele.order_profile[], OUT mixes jsonb[])
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    settings clientele.store_settings := clientele._settings(store);
    key_type text := clientele._key_type(store);
    counted_at timestamptz := clock_timestamp();  -- after the snapshot: what it shows as past is past
    marked text[];
    grown text[];
    news clientele.order_profile[];
BEGIN
    EXECUTE format('
        SELECT count(*), (array_agg(d.customer_id::text ORDER BY d.customer_id DESC))[1],
            array_agg(d.customer_id::text) FILTER (WHERE d.marked), array_agg(d.customer_id::text) FILTER (WHERE NOT d.marked),
            array_agg(d.news) FILTER (WHERE NOT d.marked)
        FROM (SELECT t.customer_id, clientele.rollup(t.profile) AS news, bool_or(t.profile IS NULL) AS marked FROM %I.pending t
              WHERE t.customer_id IS NOT NULL AND t.due <= $1%s GROUP BY t.customer_id ORDER BY t.customer_id LIMIT $2) d',
        store, CASE WHEN above IS NULL THEN '' ELSE format(' AND t.customer_id > $3::%s', key_type) END)
        INTO folded, highest, marked, grown, news USING counted_at, at_most, above;
    EXECUTE format('SELECT array_agg(t.ctid) FROM %I.pending t WHERE t.due <= $1 AND t.customer_id = ANY ($2::%s[])', store, key_type)
        INTO taken USING counted_at, marked || grown;
    EXECUTE format('SELECT array_agg(n.customer_id), array_agg(coalesce(clientele.order_profile_merge(p.profile, n.news), n.news)),
            array_agg(p.category_mix)
        FROM unnest($1, $2) n (customer_id, news) LEFT JOIN %I.profiles p ON p.customer_id = n.customer_id::%s', store, key_type)
        INTO customers, profiles, mixes USING grown, news;
    IF marked IS NOT NULL THEN
        EXECUTE format('SELECT $3 || array_agg(m.customer_id), $4 || array_agg(c.profile), $5 || array_agg(c.category_mix)
            FROM unnest($1) m (customer_id) LEFT JOIN (%s) c ON c.customer_id = m.customer_id::%s',
            clientele._profiles_query(store, settings, '$2', format('o.customer_id = ANY ($1::%s[])', key_type)), key_type)
            INTO customers, profiles, mixes USING marked, counted_at, customers, profiles, mixes;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._pending_profiles(name, text, integer) IS
    'The profiles that customers have with what is pending (NULL: no orders any more), and the rows of pending that were taken into '
    'account.';

-- Rows of pending that are committed while this runs stay there: exactly those that were taken into account are removed.
CREATE FUNCTION clientele._fold(store name, above text, customers integer, OUT folded bigint, OUT highest text, OUT changed text[])
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    found record;
BEGIN
    PERFORM clientele._require_all_rows(store);
    PERFORM clientele._refuse_replica(store, 'refreshed');
    SELECT * INTO found FROM clientele._pending_profiles(store, above, customers);
    folded := found.folded;
    highest := found.highest;
    changed := found.customers;
    IF folded = 0 THEN
        RETURN;
    END IF;
    EXECUTE clientele._fill('
        WITH changed AS MATERIALIZED (
            SELECT n.customer_id::{key} AS customer_id, n.profile, n.category_mix
            FROM unnest($1, $2, $3) n (customer_id, profile, category_mix)
        ), done AS (
            DELETE FROM {store}.pending t WHERE t.ctid = ANY ($4)
        ), gone AS (
            DELETE FROM {store}.profiles p USING changed n WHERE p.customer_id = n.customer_id AND n.profile IS NULL)
        INSERT INTO {store}.profiles AS p SELECT n.customer_id, n.profile, n.category_mix FROM changed n WHERE n.profile IS NOT NULL
        ON CONFLICT (customer_id) DO UPDATE SET profile = excluded.profile, category_mix = excluded.category_mix
        WHERE p.profile OPERATOR(clientele.<>) excluded.profile OR p.category_mix IS DISTINCT FROM excluded.category_mix',
        'store', quote_ident(store), 'key', clientele._key_type(store)::text)
        USING found.customers, found.profiles, found.mixes, found.taken;
END $$;
COMMENT ON FUNCTION clientele._fold(name, text, integer) IS
    'Folds what is pending of that many customers into their profiles; returns how many there were, the highest key, as text, and all of '
    'them.';

CREATE FUNCTION clientele._touch(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
BEGIN
    EXECUTE format('UPDATE %I.settings SET fresh_to = fresh_to', store);
END $$;
COMMENT ON FUNCTION clientele._touch(name) IS
    'Makes a refresh in a transaction that does not see what was folded fail, rather than bring back what is gone. Waits for definers a '
    'second at most.';

CREATE FUNCTION clientele._finish_refresh(store name, counted_at timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    settings clientele.store_settings := clientele._settings(store);
BEGIN
    PERFORM clientele._require_all_rows(store);
    -- Definers lock the same row: no segment is redefined between the medians and the end of this transaction.
    EXECUTE format('SELECT FROM %I.settings FOR UPDATE', store);
    IF NOT clientele._applies_terms(store) THEN
        PERFORM clientele._learn_population(store);
    END IF;
    EXECUTE format('UPDATE %I.settings SET fresh_to = $1', store) USING counted_at;
    -- Only where the rules have changed: this takes a right to UPDATE that who refreshes need not have otherwise.
    IF clientele._zone_differs_from(settings.time_zone, settings.zone_digests) IS NOT NULL THEN
        EXECUTE format('UPDATE %I.settings SET zone_digests = clientele._zone_digests(time_zone)', store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._finish_refresh(name, timestamptz) IS
    'The end of a refresh: the breaks, the medians, fresh_to, and the rules of the time zone that hold from now on.';

-- Where a segment rule fails for a customer, the medians stay as they were, and the refresh goes on: all profiles are up to date.
CREATE FUNCTION clientele._learn_population(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    problem text;
BEGIN
    PERFORM clientele._refresh_scoring(store);
    PERFORM clientele._refresh_season(store);
    BEGIN
        PERFORM clientele._refresh_typical_values(store);
    EXCEPTION WHEN data_exception THEN
        GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT;
        RAISE WARNING 'the medians of store % stay as they were: a segment rule fails: %', quote_ident(store), problem
            USING HINT = 'Profiles are refreshed. clientele.explain_segment() shows which rule fails for a customer.';
    END;
END $$;
COMMENT ON FUNCTION clientele._learn_population(name) IS 'What a store learns of its own customers: breaks, priors and medians.';

CREATE FUNCTION clientele._record_if_possible(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    problem text;
BEGIN
    BEGIN
        PERFORM clientele._record_segments(store);
    EXCEPTION WHEN data_exception THEN
        GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT;
        RAISE WARNING '%', problem;
    END;
    PERFORM clientele._check_response(store);
    PERFORM clientele._note_definitions(store);
    PERFORM clientele._note_failures(store);
END $$;
COMMENT ON FUNCTION clientele._record_if_possible(name) IS
    'record_segments() at the end of a refresh: a rule that fails is a warning. And what alerts knows.';

-- Exact medians of typical_order_value; a segment with fewer than 30 customers falls back to the store's. And what bounds the last order
-- of who has placed one or two: an amount that hardly anybody usually spends is no guide to what this one will spend next.
CREATE FUNCTION clientele._refresh_typical_values(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($medians$
        WITH valued AS (
            -- The two middle values: an odd number of customers has the same one twice.
            SELECT coalesce(c.segment, '') AS segment, count(*) AS customers,
                percentile_disc(ARRAY[0.5, 0.5000000001]) WITHIN GROUP (ORDER BY c.typical_order_value) AS middle,
                CASE WHEN count(*) FILTER (WHERE c.orders >= clientele._typical_from_orders()) >= 30
                     THEN percentile_disc(0.95) WITHIN GROUP (ORDER BY c.typical_order_value)
                         FILTER (WHERE c.orders >= clientele._typical_from_orders()) END AS bound
            FROM {store}.customers c WHERE c.orders > 0 GROUP BY GROUPING SETS ((c.segment), ())
        ), medians AS (
            SELECT segment, customers, trim_scale((middle[1] + middle[2]) / 2) AS value FROM valued WHERE customers > 0
        ), chosen AS (
            SELECT m.segment, CASE WHEN m.segment <> '' AND m.customers >= 30 THEN 'segment' ELSE 'store' END AS basis, m.customers,
                CASE WHEN m.customers >= 30 THEN m.value ELSE s.value END AS value
            FROM medians m JOIN medians s ON s.segment = ''
        ), bounded AS (
            UPDATE {store}.scoring s SET recent_bound = v.bound
            FROM (SELECT max(v.bound) AS bound FROM valued v WHERE v.segment = '') v WHERE s.recent_bound IS DISTINCT FROM v.bound
        ), gone AS (
            DELETE FROM {store}.typical_values t WHERE NOT EXISTS (SELECT FROM chosen n WHERE n.segment = t.segment))
        INSERT INTO {store}.typical_values AS t SELECT segment, basis, customers, value FROM chosen
        ON CONFLICT (segment) DO UPDATE SET basis = excluded.basis, customers = excluded.customers, value = excluded.value
        WHERE (t.basis, t.customers, t.value) IS DISTINCT FROM (excluded.basis, excluded.customers, excluded.value)
        $medians$, 'store', quote_ident(store));
END $$;
COMMENT ON FUNCTION clientele._refresh_typical_values(name) IS
    'What customers without orders are compared with: the median of typical order values, by segment.';


CREATE FUNCTION clientele._refresh_progress(OUT pid integer, OUT settings oid, OUT phase text, OUT done bigint, OUT total bigint,
        OUT started_at timestamptz, OUT phase_started_at timestamptz) RETURNS SETOF record
    AS 'MODULE_PATHNAME', 'clientele_refresh_progress' LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION clientele._refresh_progress() IS 'The refreshes that run in this database.';

CREATE VIEW clientele.refresh_progress AS
    SELECT n.nspname AS store, p.pid, p.phase, p.done, p.total, p.started_at, r.rate,
        CASE WHEN r.rate > 0 AND p.total > 0 THEN pg_catalog.clock_timestamp()
            + pg_catalog.make_interval(secs => GREATEST(p.total - p.done, 0) / r.rate) END AS expected_end
    FROM clientele._refresh_progress() p JOIN pg_catalog.pg_class c ON c.oid = p.settings JOIN pg_catalog.pg_namespace n
        ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (SELECT p.done / NULLIF(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - p.phase_started_at)::double precision,
        0) AS rate) r
    LEFT JOIN LATERAL clientele._healths(n.oid) h ON true
    WHERE pg_catalog.has_schema_privilege(n.oid, 'USAGE')
        AND (pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.has_table_privilege(h.health, 'SELECT'));
COMMENT ON VIEW clientele.refresh_progress IS
    'A row a running refresh. phase: folding (what is pending; in customers), counting (orders), writing (customers), summarising '
    '(medians, segment history). A running learn_affinity(), too: counting (lines of orders), pairing (products). '
    'done, total, rate (a second) and expected_end are those of the phase; NULL where they are not known.';
GRANT SELECT ON clientele.refresh_progress TO PUBLIC;
