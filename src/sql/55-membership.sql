-- The history of segments: who was in which, from when to when.

CREATE FUNCTION clientele._create_membership(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- The indexes on times lead with the time: they serve "who entered, who left between two times" for one segment and
    -- for all of them, and know the latest time of all.
    EXECUTE clientele._fill($membership$
        CREATE TABLE {store}.segment_membership (
            customer_id {key} NOT NULL, segmentation text NOT NULL, segment text NOT NULL,
            valid_from timestamptz NOT NULL, valid_to timestamptz,
            PRIMARY KEY (customer_id, segmentation, valid_from),
            CONSTRAINT segment_membership_interval CHECK (valid_to > valid_from));
        CREATE UNIQUE INDEX segment_membership_now ON {store}.segment_membership (customer_id, segmentation) WHERE valid_to IS NULL;
        CREATE INDEX segment_membership_entries ON {store}.segment_membership (valid_from, segmentation, segment);
        CREATE INDEX segment_membership_exits ON {store}.segment_membership (valid_to, segmentation, segment) WHERE valid_to IS NOT NULL;
        COMMENT ON TABLE {store}.segment_membership IS
            'Who was in which segment, and when: written by clientele.record_segments and refresh. A customer has one segment at a time '
            'in each segmentation.';
        COMMENT ON COLUMN {store}.segment_membership.customer_id IS 'The customer, as the orders name them.';
        COMMENT ON COLUMN {store}.segment_membership.segmentation IS 'The segmentation: main, or another one.';
        COMMENT ON COLUMN {store}.segment_membership.segment IS 'The segment that the customer was assigned to.';
        COMMENT ON COLUMN {store}.segment_membership.valid_from IS 'The recording that found the customer there first: included.';
        COMMENT ON COLUMN {store}.segment_membership.valid_to IS
            'The recording that found the customer there no longer: excluded. NULL: still there.';
        $membership$, 'store', quote_ident(store), 'key', clientele._key_type(store)::text);
END $$;
COMMENT ON FUNCTION clientele._create_membership(name) IS 'The table segment_membership of a store that has its table profiles.';

-- So no interval is empty, and none overlaps another, also where the clock was set back.
CREATE FUNCTION clientele._recording_time(store name, OUT recorded_at timestamptz)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('SELECT greatest(clock_timestamp(), (SELECT max(valid_from) FROM %1$s) + interval ''1 microsecond'',
        (SELECT max(valid_to) FROM %1$s) + interval ''1 microsecond'')', format('%I.segment_membership', store)) INTO recorded_at;
END $$;
COMMENT ON FUNCTION clientele._recording_time(name) IS 'Now, and later than all that is recorded. For who holds the history.';

CREATE PROCEDURE clientele.record_segments(store name)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require_store(store);
    PERFORM clientele._record_segments(store);
END $$;
COMMENT ON PROCEDURE clientele.record_segments(name) IS
    'Brings a store''s history of segments, segment_membership, up to what the view segments shows now. '
    'Readers are never blocked. The caller needs to read the view and to write the table, segment_events and event_counter; under '
    'row-level security it fails rather than recording some of the customers.';

-- An interval is closed before the next is opened: counting what was closed makes the INSERT wait for the UPDATE. Rows in the order
-- of the keys go into the indexes fastest.
CREATE FUNCTION clientele._recording_query(store name, of_some boolean) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill('
        WITH changed AS MATERIALIZED (
            SELECT m.ctid AS outdated, m.segment AS former, s.customer_id, s.segmentation, s.segment,
                coalesce(s.customer_id, m.customer_id) AS customer, coalesce(s.segmentation, m.segmentation) AS scheme
            FROM (SELECT s.customer_id, s.segmentation, s.segment FROM {store}.{segments} s{some_shown}) s
            FULL JOIN (SELECT i.ctid, i.customer_id, i.segmentation, i.segment FROM {store}.segment_membership i
                       WHERE i.valid_to IS NULL{some_recorded}) m
                ON m.customer_id = s.customer_id AND m.segmentation = s.segmentation
            WHERE m.segment IS DISTINCT FROM s.segment
            ORDER BY s.customer_id, s.segmentation
        ), closed AS (
            UPDATE {store}.segment_membership m SET valid_to = $1 FROM changed c WHERE m.ctid = c.outdated RETURNING 1
        ), opened AS (
            INSERT INTO {store}.segment_membership (customer_id, segmentation, segment, valid_from)
            SELECT c.customer_id, c.segmentation, c.segment, $1 FROM changed c
            WHERE c.segment IS NOT NULL AND (SELECT count(*) FROM closed) >= 0
        ), noted AS (
            INSERT INTO {store}.segment_events (event_id, customer_id, segmentation, from_segment, to_segment, occurred_at)
            SELECT $2 + row_number() OVER (), c.customer, c.scheme, c.former, c.segment, $1 FROM changed c WHERE $4)
        SELECT count(*) FROM changed',
        'store', quote_ident(store), 'segments', CASE WHEN of_some THEN '_segments_stored' ELSE 'segments' END,
        'some_shown', CASE WHEN of_some THEN format(' WHERE s.customer_id = ANY ($3::%s[])', clientele._key_type(store)) END,
        'some_recorded', CASE WHEN of_some THEN format(' AND i.customer_id = ANY ($3::%s[])', clientele._key_type(store)) END)
$$;
COMMENT ON FUNCTION clientele._recording_query(name, boolean) IS
    'The statement that brings the history up to what is shown, and writes the events. Parameters: the time, the last event, the customers '
    '(of_some; else everybody), whether events are kept. Returns how many assignments changed.';

CREATE FUNCTION clientele._record_segments(store name, customers text[] DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    recorded_at timestamptz;
    last_event bigint;
    kept boolean := coalesce(clientele._keep_events(store) > interval '0', true);
    changes bigint;
    problem text;
    state text;
BEGIN
    PERFORM clientele._require_history_rights(store);
    PERFORM clientele._require_all_customers(store);
    IF (clientele._settings(store)).live THEN
        PERFORM clientele._share_sources(store);
    END IF;
    last_event := clientele._lock_history(store);  -- one recording at a time; readers and other stores go on
    recorded_at := clientele._recording_time(store);
    EXECUTE clientele._recording_query(store, customers IS NOT NULL) INTO changes USING recorded_at, last_event, customers, kept;
    PERFORM clientele._count_events(store, CASE WHEN kept THEN changes ELSE 0 END);
    IF customers IS NULL THEN
        PERFORM clientele._note_segments(store);
    END IF;
    RETURN changes;
EXCEPTION
    WHEN data_exception THEN
        GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT, state = RETURNED_SQLSTATE;
        RAISE EXCEPTION 'the segments of store % cannot be recorded: a segment rule fails: %', quote_ident(store), problem
            USING ERRCODE = state,
            DETAIL = 'The history stays as it was.', HINT = 'clientele.explain_segment() shows which rule fails for a customer.';
    WHEN unique_violation THEN
        GET STACKED DIAGNOSTICS problem = PG_EXCEPTION_DETAIL;
        -- A snapshot that is older than our lock does not show what another recording wrote before.
        IF current_setting('transaction_isolation') NOT LIKE 'read%' THEN
            RAISE EXCEPTION 'could not serialize access: store % was recorded by another transaction', quote_ident(store)
                USING ERRCODE = 'serialization_failure', HINT = 'The transaction might succeed if retried.';
        END IF;
        RAISE EXCEPTION 'the segments of store % cannot be recorded: a customer is there more than once', quote_ident(store)
            USING ERRCODE = 'unique_violation', DETAIL = problem, HINT = 'The customers table must have one row a customer.';
END $$;
COMMENT ON FUNCTION clientele._record_segments(name, text[]) IS
    'Closes the intervals of segment_membership that hold no longer and opens those that hold now, all at one time, and writes the '
    'events; returns how many assignments changed. '
    'customers: those whose profiles have just been written, and by these; NULL: all.';
