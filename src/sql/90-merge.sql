-- Two customers turn out to be one: what the store keeps of the duplicate becomes the survivor's.

CREATE FUNCTION clientele._create_crossed(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($crossed$
        CREATE TABLE {store}.crossed (customer_id {key} NOT NULL, program text NOT NULL, PRIMARY KEY (customer_id, program));
        COMMENT ON TABLE {store}.crossed IS
            'Customers who were merged from two that had been in different arms: out of the comparisons of that program.';
        COMMENT ON COLUMN {store}.crossed.program IS
            'The program; empty: one of the two was held out of everything, so that the customer is in no comparison at all.';
        $crossed$, 'store', quote_ident(store), 'key', clientele._key_type(store)::text);
END $$;
COMMENT ON FUNCTION clientele._create_crossed(name) IS 'The table crossed of a new store.';

CREATE FUNCTION clientele._uncrossed(store name, program text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('l.customer_id NOT IN (SELECT x.customer_id FROM %I.crossed x WHERE x.program IN (%s''''))', store,
        CASE WHEN program IS NOT NULL THEN '$1, ' END)
$$;
COMMENT ON FUNCTION clientele._uncrossed(name, text) IS
    'Whether the customer of a row l of the ledger has been in one arm of program $1 alone (NULL: of the global holdout), as an SQL '
    'expression.';

-- ---- Whom ----

CREATE FUNCTION clientele._is_known(store name, key text) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known boolean := false;
    relation text;
BEGIN
    FOREACH relation IN ARRAY '{ledger,content_exposures,segment_membership,_base,_orders}'::text[] LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I r WHERE r.customer_id = %s)', store, relation, key) INTO known;
        EXIT WHEN known;
    END LOOP;
    RETURN known;
END $$;
COMMENT ON FUNCTION clientele._is_known(name, text) IS
    'Whether a store has anything of a customer (key: an SQL literal), or one of its sources has.';

-- Returns the two as SQL literals.
CREATE FUNCTION clientele._check_merge(store name, survivor text, duplicate text, OUT kept text, OUT gone text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    same boolean;
    unknown text[];
BEGIN
    kept := clientele._key_literal(store, survivor);
    gone := clientele._key_literal(store, duplicate);
    EXECUTE format('SELECT %s = %s', coalesce(kept, 'NULL'), coalesce(gone, 'NULL')) INTO same;
    IF same THEN
        RAISE EXCEPTION 'customer "%" cannot be merged with itself', survivor USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'survivor and duplicate are the same key.',
                HINT = 'Name two customers; what there is of the second becomes the first one''s.';
    END IF;
    unknown := ARRAY(SELECT format('"%s"', c.customer) FROM (VALUES (1, survivor, kept), (2, duplicate, gone)) c (nth, customer, key)
        WHERE c.key IS NULL OR NOT clientele._is_known(store, c.key) ORDER BY c.nth);
    IF unknown <> '{}' THEN
        RAISE EXCEPTION 'store % does not know %', quote_ident(store), array_to_string(unknown, ' and ') USING ERRCODE = 'no_data_found',
            DETAIL = 'There is no order, no profile, no history and no exposure of such a customer, nor a row in the customers table.',
            HINT = 'Check the keys for typing errors. Of two that were merged already, the duplicate is not known any more.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_merge(name, text, text) IS 'Refuses to merge a customer with itself, and unknown ones.';

-- ---- Exposures ----

-- By their first assignments. Who has crossed once has crossed for good.
CREATE FUNCTION clientele._note_crossed(store name, kept text, gone text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill('
        WITH earlier AS (
            DELETE FROM {store}.crossed x WHERE x.customer_id IN ({kept}, {gone}) RETURNING x.program
        ), assigned AS (
            SELECT DISTINCT ON (l.customer_id, l.program) l.program, coalesce(l.holdout, ''offered: '' || l.variant) AS arm
            FROM {store}.ledger l WHERE l.customer_id IN ({kept}, {gone}) AND l.holdout IS DISTINCT FROM ''global''
            ORDER BY l.customer_id, l.program, l.period
        ), globally AS (
            SELECT bool_or(l.holdout IS NOT DISTINCT FROM ''global'') AS held_out
            FROM {store}.ledger l WHERE l.customer_id IN ({kept}, {gone}) GROUP BY l.customer_id
        ), crossed AS (
            SELECT e.program FROM earlier e
            UNION SELECT a.program FROM assigned a GROUP BY a.program HAVING count(DISTINCT a.arm) > 1
            UNION SELECT '''' FROM globally g HAVING count(DISTINCT g.held_out) > 1)
        INSERT INTO {store}.crossed (customer_id, program) SELECT {kept}, c.program FROM crossed c
        WHERE c.program = '''' OR NOT EXISTS (SELECT FROM crossed o WHERE o.program = '''')',
        'store', quote_ident(store), 'kept', kept, 'gone', gone);
END $$;
COMMENT ON FUNCTION clientele._note_crossed(name, text, text) IS
    'Notes of which programs two customers have been in different arms, before they become one.';

-- In the order in which they were issued. The number of one that somebody is issuing to the survivor may be taken: then it is there now.
CREATE FUNCTION clientele._rekey_exposures(store name, kept text, gone text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    FOR attempt IN 1..10 LOOP
        BEGIN
            -- No number twice, not even for a moment.
            EXECUTE clientele._fill('
                UPDATE {store}.ledger l SET customer_id = {kept}, period = - n.period
                FROM (SELECT l.exposure_id, row_number() OVER (ORDER BY l.issued_at, l.exposure_id) AS period
                      FROM {store}.ledger l WHERE l.customer_id IN ({kept}, {gone})) n
                WHERE n.exposure_id = l.exposure_id', 'store', quote_ident(store), 'kept', kept, 'gone', gone);
            EXECUTE format('UPDATE %I.ledger l SET period = - l.period WHERE l.customer_id = %s AND l.period < 0', store, kept);
            RETURN;
        EXCEPTION WHEN unique_violation THEN
            CONTINUE;
        END;
    END LOOP;
    RAISE EXCEPTION 'could not serialize access: an offer is being issued to the customer' USING ERRCODE = 'serialization_failure',
        HINT = 'The transaction might succeed if retried.';
END $$;
COMMENT ON FUNCTION clientele._rekey_exposures(name, text, text) IS
    'Gives the exposures of the duplicate to the survivor, in one numbering.';

-- An offer rather than an exposure that was held out, since the customer has the code; of two offers one that an order has earned already,
-- then the better for the customer; of two that were held out the first.
CREATE FUNCTION clientele._close_other_open(store name, kept text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._close_and_release(store, clientele._fill('
        standing AS (
            SELECT l.exposure_id, row_number() OVER (ORDER BY l.holdout IS NOT NULL,
                CASE WHEN l.holdout IS NULL THEN EXISTS (SELECT FROM {store}._orders o WHERE {qualifies}) END DESC,
                CASE WHEN l.holdout IS NULL THEN COALESCE(l.cost, l.reward) END DESC,
                CASE WHEN l.holdout IS NULL THEN l.min_spend END, CASE WHEN l.holdout IS NULL THEN l.valid_until END DESC, l.period) AS rank
            FROM {store}.ledger l WHERE l.customer_id = {kept} AND l.state = ''open'' AND l.valid_until > now()
        ), closed AS (
            UPDATE {store}.ledger l SET state = ''void'', closed_at = now() FROM standing s WHERE s.rank > 1
                AND l.exposure_id = s.exposure_id
            RETURNING l.program, l.slot, COALESCE(l.cost, l.reward) AS reward, l.holdout, true AS was_open)',
        'store', quote_ident(store), 'kept', kept, 'qualifies', clientele._qualifies(store)));
END $$;
COMMENT ON FUNCTION clientele._close_other_open(name, text) IS
    'Leaves a customer one exposure that is open: the others become void, and their rewards are free in the budgets again.';

-- Giving the orders to the survivor may have looked like taking them back.
CREATE FUNCTION clientele._keep_redemptions(store name, kept text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill('
        DELETE FROM {store}.reversals r USING {store}.ledger l
        WHERE r.exposure_id = l.exposure_id AND l.customer_id = {kept} AND l.state = ''redeemed''
          AND EXISTS (SELECT FROM {store}._orders o WHERE {same_order} AND {still_qualifies})',
        'store', quote_ident(store), 'kept', kept, 'same_order', clientele._same_order(store, clientele._settings(store)),
        'still_qualifies', clientele._still_qualifies(store));
END $$;
COMMENT ON FUNCTION clientele._keep_redemptions(name, text) IS 'Takes back the reversals of redemptions whose order still qualifies.';

-- Of two exposures to one content the first counts. Who was held out and shown it is in no comparison.
CREATE FUNCTION clientele._rekey_content_exposures(store name, kept text, gone text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill('
        WITH moved AS (
            DELETE FROM {store}.content_exposures e WHERE e.customer_id = {gone} RETURNING e.*)
        INSERT INTO {store}.content_exposures AS c (customer_id, slot, content, segment, holdout, held_out, margin, crossed, exposed_at)
        SELECT {kept}, m.slot, m.content, m.segment, m.holdout, m.held_out, m.margin, m.crossed, m.exposed_at FROM moved m
        ON CONFLICT (customer_id, slot, content) DO UPDATE SET (segment, holdout, held_out, margin, crossed, exposed_at) = (
            SELECT f.segment, f.holdout, f.held_out, f.margin, c.crossed OR excluded.crossed OR c.held_out <> excluded.held_out,
                f.exposed_at
            FROM (VALUES (c.segment, c.holdout, c.held_out, c.margin, c.exposed_at),
                    (excluded.segment, excluded.holdout, excluded.held_out, excluded.margin, excluded.exposed_at))
                f (segment, holdout, held_out, margin, exposed_at) ORDER BY f.exposed_at LIMIT 1)',
        'store', quote_ident(store), 'kept', kept, 'gone', gone);
END $$;
COMMENT ON FUNCTION clientele._rekey_content_exposures(name, text, text) IS
    'Gives the exposures to content of the duplicate to the survivor.';

-- ---- History ----

-- Where both were in a segment at a time, the survivor's holds; adjacent intervals of one segment are one.
CREATE FUNCTION clientele._merge_history(store name, kept text, gone text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    merged_at constant timestamptz := clientele._recording_time(store);
BEGIN
    PERFORM clientele._write_exits(store, gone, merged_at);
    EXECUTE clientele._fill('
        WITH parts AS (
            DELETE FROM {store}.segment_membership m WHERE m.customer_id IN ({kept}, {gone})
            RETURNING m.customer_id = {kept} AS is_kept, m.segmentation, m.segment, m.valid_from,
                CASE WHEN m.customer_id = {kept} THEN m.valid_to ELSE coalesce(m.valid_to, $1) END AS valid_to
        ), held AS (
            SELECT p.segmentation, range_agg(tstzrange(p.valid_from, p.valid_to)) AS times FROM parts p
                WHERE p.is_kept GROUP BY p.segmentation
        ), pieces AS (
            SELECT p.segmentation, p.segment, p.valid_from, p.valid_to FROM parts p WHERE p.is_kept
            UNION ALL
            SELECT p.segmentation, p.segment, lower(r), upper(r) FROM parts p LEFT JOIN held h ON h.segmentation = p.segmentation
            CROSS JOIN LATERAL unnest(tstzmultirange(tstzrange(p.valid_from, p.valid_to)) - coalesce(h.times, ''{}'')) r
            WHERE NOT p.is_kept
        ), marked AS (
            SELECT p.*, (lag(p.valid_to) OVER w = p.valid_from AND lag(p.segment) OVER w = p.segment) IS NOT TRUE AS begins FROM pieces p
            WINDOW w AS (PARTITION BY p.segmentation ORDER BY p.valid_from)
        ), stays AS (
            SELECT m.*, count(*) FILTER (WHERE m.begins) OVER (PARTITION BY m.segmentation ORDER BY m.valid_from) AS nth FROM marked m)
        INSERT INTO {store}.segment_membership (customer_id, segmentation, segment, valid_from, valid_to)
        SELECT {kept}, s.segmentation, s.segment, min(s.valid_from), CASE WHEN bool_and(s.valid_to IS NOT NULL) THEN max(s.valid_to) END
        FROM stays s GROUP BY s.segmentation, s.segment, s.nth', 'store', quote_ident(store), 'kept', kept, 'gone', gone) USING merged_at;
END $$;
COMMENT ON FUNCTION clientele._merge_history(name, text, text) IS
    'Gives the survivor the history of segments of the duplicate, as far as the survivor has none of those times. For who holds the '
    'history.';

CREATE FUNCTION clientele._notice_orders_left(store name, survivor text, duplicate text, kept text, gone text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    query constant text := format('SELECT EXISTS (SELECT FROM %I._orders o WHERE o.customer_id = ', store);
    left_over boolean;
    has_orders boolean;
BEGIN
    EXECUTE query || gone || ')' INTO left_over;
    EXECUTE query || kept || ')' INTO has_orders;
    IF left_over AND NOT has_orders THEN
        RAISE WARNING 'customer "%" of store % has orders, and "%", who is to survive, has none', duplicate, quote_ident(store), survivor
            USING HINT = 'If it is the other way round, roll back: survivor comes first, duplicate second. Else give the orders to the '
                'survivor, in the same transaction.';
    ELSIF left_over THEN
        RAISE NOTICE 'customer "%" of store % still has orders', duplicate, quote_ident(store) USING
            HINT = 'merge_customers() leaves orders alone. Give them to the survivor first, in the same transaction, then merge.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._notice_orders_left(name, text, text, text, text) IS
    'Says so where the orders of a duplicate have not been given to the survivor; a warning where that looks like a mistake.';

CREATE FUNCTION clientele._merge_customers(survivor text, duplicate text, store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings;
    keys record;
BEGIN
    PERFORM clientele._require('survivor', survivor IS NOT NULL);
    PERFORM clientele._require('duplicate', duplicate IS NOT NULL);
    store := clientele._resolve_store(store);
    settings := clientele._settings(store);
    PERFORM clientele._require_attached(store);
    PERFORM clientele._require_whole_store(store, settings);
    PERFORM clientele._share_sources(store);
    PERFORM clientele._stop_refreshing(store, 'merge_customers()');
    keys := clientele._check_merge(store, survivor, duplicate);
    EXECUTE format('SELECT FROM %I.ledger l WHERE l.customer_id IN (%s, %s) ORDER BY l.exposure_id FOR UPDATE', store, keys.kept,
        keys.gone);
    PERFORM clientele._note_crossed(store, keys.kept, keys.gone);
    PERFORM clientele._rekey_exposures(store, keys.kept, keys.gone);
    PERFORM clientele._rekey_content_exposures(store, keys.kept, keys.gone);
    PERFORM clientele._keep_redemptions(store, keys.kept);
    PERFORM clientele._close_other_open(store, keys.kept);
    PERFORM clientele._merge_history(store, keys.kept, keys.gone);
    -- Of a live store the triggers have noted whose orders they are now.
    IF NOT settings.live THEN
        PERFORM clientele._recount_customers(store, ARRAY[survivor, duplicate]);
    END IF;
    PERFORM clientele._notice_orders_left(store, survivor, duplicate, keys.kept, keys.gone);
END $$;
COMMENT ON FUNCTION clientele._merge_customers(text, text, name) IS 'merge_customers() for customers given as text.';

CREATE FUNCTION clientele.merge_customers(survivor bigint, duplicate bigint, store name DEFAULT NULL) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT clientele._merge_customers($1::text, $2::text, $3); END;
CREATE FUNCTION clientele.merge_customers(survivor uuid, duplicate uuid, store name DEFAULT NULL) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT clientele._merge_customers($1::text, $2::text, $3); END;
CREATE FUNCTION clientele.merge_customers(survivor text, duplicate text, store name DEFAULT NULL) RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    BEGIN ATOMIC SELECT clientele._merge_customers($1::text, $2::text, $3); END;
CALL clientele._comment_on_overloads('merge_customers({key}, {key}, name)',
    'Makes two customers of a store one: exposures, codes and the history of segments of the duplicate become the survivor''s. The caller '
    'gives the orders of the duplicate to the survivor, and removes the duplicate from the customers table, before that, in the same '
    'transaction. Of two offers that are open the better one stays, the other becomes void; what was redeemed stays redeemed; caps, '
    'cool-downs and budgets count both. Whom a program had assigned to different arms is out of its comparisons from then on (see '
    'crossed). '
    'Refused: NULL (22004), a customer with itself (22023), unknown ones (P0002), and while the store is being refreshed (55006). '
    'For the store''s owner, or who may do what forget_customer() needs, update ledger and segment_membership, and write crossed and '
    'content_exposures.');
