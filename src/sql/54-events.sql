-- Events: who entered and who left a segment, numbered in the order of commits, for consumers that each go at their own pace.

CREATE FUNCTION clientele._create_events(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($events$
        CREATE TABLE {store}.segment_events (
            event_id bigint PRIMARY KEY, customer_id {key} NOT NULL, segmentation text NOT NULL,
            from_segment text, to_segment text, occurred_at timestamptz NOT NULL);
        CREATE INDEX segment_events_customer ON {store}.segment_events (customer_id);
        CREATE TABLE {store}.event_counter (
            id integer PRIMARY KEY CHECK (id = 1), last_event bigint NOT NULL, lost bigint NOT NULL);
        INSERT INTO {store}.event_counter VALUES (1, 0, 0);
        CREATE TABLE {store}.event_consumers (
            consumer text PRIMARY KEY, acknowledged bigint NOT NULL, added_at timestamptz NOT NULL, acknowledged_at timestamptz);
        COMMENT ON TABLE {store}.segment_events IS
            'Who entered and left which segment: written with segment_membership, in one transaction. clientele.read_events reads it.';
        COMMENT ON COLUMN {store}.segment_events.event_id IS
            'Without gaps, in the order of commits: who has seen an event will never see an earlier one appear.';
        COMMENT ON COLUMN {store}.segment_events.customer_id IS 'The customer, as the orders name them.';
        COMMENT ON COLUMN {store}.segment_events.segmentation IS 'The segmentation: main, or another one.';
        COMMENT ON COLUMN {store}.segment_events.from_segment IS 'The segment that the customer left. NULL: none, the customer is new.';
        COMMENT ON COLUMN {store}.segment_events.to_segment IS
            'The segment that the customer entered. NULL: none, as the customer or the segmentation is gone.';
        COMMENT ON COLUMN {store}.segment_events.occurred_at IS
            'The recording that found it: valid_from, or valid_to, in segment_membership.';
        COMMENT ON TABLE {store}.event_counter IS
            'The number of the last event, in one row: who changes the history locks it until the end of the transaction.';
        COMMENT ON COLUMN {store}.event_counter.lost IS
            'The last event that was removed because of its age, before every consumer had acknowledged it.';
        COMMENT ON TABLE {store}.event_consumers IS
            'Who reads the events, and up to which one each has acknowledged them: see clientele.add_consumer.';
        $events$, 'store', quote_ident(store), 'key', clientele._key_type(store)::text);
END $$;
COMMENT ON FUNCTION clientele._create_events(name) IS 'The tables of a new store''s events.';

CREATE FUNCTION clientele._keep_events(store name) RETURNS interval
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp RETURN clientele._option(clientele._settings(store),
        'keep_events')::interval;
COMMENT ON FUNCTION clientele._keep_events(name) IS
    'How long a store keeps events that not every consumer has acknowledged. 0: it writes none; NULL: for ever.';

-- ---- Writing, for who records segments ----

-- The row, and not the table of the history: a lock on that would keep autovacuum from it.
CREATE FUNCTION clientele._lock_history(store name, OUT last_event bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('SELECT c.last_event FROM %I.event_counter c WHERE c.id = 1 FOR NO KEY UPDATE', store) INTO last_event;
    IF last_event IS NULL THEN
        RAISE EXCEPTION 'table %.event_counter has no row', quote_ident(store) USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('INSERT INTO %1$I.event_counter SELECT 1, coalesce(max(event_id), 0), 0 FROM %1$I.segment_events;', store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._lock_history(name) IS
    'Lets one transaction at a time change a store''s history of segments, until its end; returns the number of the last event. Readers '
    'do not wait.';

CREATE FUNCTION clientele._require_history_rights(store name) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    missing text[] := ARRAY(SELECT format('%s ON %I.%I', string_agg(r.right, ', ' ORDER BY r.nth), store, r.relation)
        FROM (VALUES (1, 'segment_membership', 'SELECT'), (2, 'segment_membership', 'INSERT'), (3, 'segment_membership', 'UPDATE'),
            (4, 'segment_events', 'SELECT'), (5, 'segment_events', 'INSERT'), (6, 'event_consumers', 'SELECT'),
            (7, 'event_counter', 'SELECT'), (8, 'event_counter', 'UPDATE')) r (nth, relation, "right")
        WHERE NOT has_table_privilege(format('%I.%I', store, r.relation), r.right) GROUP BY r.relation ORDER BY min(r.nth));
BEGIN
    IF missing <> '{}' THEN
        RAISE EXCEPTION 'permission denied for table %', split_part(missing[1], ' ON ', 2) USING ERRCODE = 'insufficient_privilege',
            HINT = format('Recording needs these rights: %s.', (SELECT string_agg(format('GRANT %s TO %I', m, current_user), '; ')
                FROM unnest(missing) m));
    END IF;
END $$;
COMMENT ON FUNCTION clientele._require_history_rights(name) IS
    'Refuses (42501) who may not write a store''s history of segments, with the rights that are missing.';

-- Afterwards, by whoever holds the counter.
CREATE FUNCTION clientele._count_events(store name, changes bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF changes > 0 THEN
        EXECUTE format('UPDATE %I.event_counter SET last_event = last_event + $1 WHERE id = 1', store) USING changes;
        PERFORM pg_notify('clientele', store);
    END IF;
    PERFORM clientele._remove_events(store);
END $$;
COMMENT ON FUNCTION clientele._count_events(name, bigint) IS
    'Counts the events that were just written, tells who listens, and removes those that nobody needs any more.';

CREATE FUNCTION clientele._write_exits(store name, key text, occurred_at timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written bigint;
BEGIN
    IF clientele._keep_events(store) = interval '0' THEN
        RETURN;
    END IF;
    EXECUTE clientele._fill('INSERT INTO {store}.segment_events (event_id, customer_id, segmentation, from_segment, occurred_at)
        SELECT c.last_event + row_number() OVER (ORDER BY m.segmentation), m.customer_id, m.segmentation, m.segment, $1
        FROM {store}.segment_membership m, {store}.event_counter c WHERE m.customer_id = {key} AND m.valid_to IS NULL',
        'store', quote_ident(store), 'key', key) USING occurred_at;
    GET DIAGNOSTICS written = ROW_COUNT;
    PERFORM clientele._count_events(store, written);
END $$;
COMMENT ON FUNCTION clientele._write_exits(name, text, timestamptz) IS
    'Writes that a customer (key: an SQL literal) left every segment. For who holds the history, and closes the intervals.';

-- Events are dated in the order of their numbers, so both limits are numbers, found through the primary key.
CREATE FUNCTION clientele._remove_events(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    acknowledged bigint;  -- by all; NULL: there is nobody
    outdated bigint;
    removed bigint;  -- the last one
BEGIN
    IF NOT has_table_privilege(format('%I.segment_events', store), 'DELETE') THEN
        RETURN;  -- who records need not be allowed to: the owner does it next time
    END IF;
    EXECUTE format('SELECT (SELECT min(c.acknowledged) FROM %1$I.event_consumers c), CASE WHEN $1 IS NOT NULL THEN coalesce(
            (SELECT e.event_id FROM %1$I.segment_events e WHERE e.occurred_at >= now() - $1 ORDER BY e.event_id LIMIT 1) - 1,
            (SELECT max(e.event_id) FROM %1$I.segment_events e)) END', store)
        INTO acknowledged, outdated USING clientele._keep_events(store);
    EXECUTE format('WITH gone AS (DELETE FROM %I.segment_events e WHERE e.event_id <= $1 RETURNING e.event_id)
        SELECT max(g.event_id) FROM gone g', store) INTO removed USING greatest(acknowledged, outdated);
    IF removed > acknowledged THEN
        EXECUTE format('UPDATE %I.event_counter SET lost = $1 WHERE id = 1', store) USING removed;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._remove_events(name) IS
    'Removes the events that every consumer has acknowledged, and those that are older than the store keeps them; notes where a '
    'consumer has lost some.';

-- What is folded is what readers were shown before; so nobody waits for its events, and nothing that is wrong with a rule keeps it from
-- being folded.
CREATE FUNCTION clientele._fold_and_record(store name, customers integer) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    done record;
    is_free boolean;
BEGIN
    SELECT * INTO done FROM clientele._fold(store, NULL, customers);
    PERFORM clientele._touch(store);
    IF done.changed IS NULL THEN
        RETURN done.folded;
    END IF;
    BEGIN
        EXECUTE format('SELECT true FROM %I.event_counter c FOR NO KEY UPDATE SKIP LOCKED', store) INTO is_free;
        IF is_free THEN
            PERFORM clientele._record_segments(store, done.changed);
        END IF;
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'the segments of store % were not recorded: %', quote_ident(store), SQLERRM USING ERRCODE = SQLSTATE;
    END;
    RETURN done.folded;
END $$;
COMMENT ON FUNCTION clientele._fold_and_record(name, integer) IS
    'Folds what is pending of that many customers, and records their segments where nobody else is recording: the next recording finds '
    'whatever this leaves out. Returns how many were folded.';

-- ---- For those who read ----

CREATE FUNCTION clientele._check_consumer(consumer text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require('consumer', consumer IS NOT NULL);
    IF length(consumer) NOT BETWEEN 1 AND 200 THEN
        RAISE EXCEPTION 'invalid name of a consumer: "%"', left(consumer, 200) USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'It has 1 to 200 characters.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_consumer(text) IS 'Refuses what cannot be the name of a consumer.';

CREATE FUNCTION clientele._refuse_consumer(store name, consumer text, reads boolean) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known text[];
BEGIN
    EXECUTE format('SELECT array_agg(c.consumer ORDER BY c.consumer) FROM %I.event_consumers c', store) INTO known;
    RAISE EXCEPTION 'store % has no consumer "%"', quote_ident(store), consumer USING ERRCODE = 'undefined_object',
        DETAIL = format('Its consumers are: %s.', clientele._name_list(known, 'none')),
        HINT = CASE WHEN reads THEN format('A new one begins with: SELECT clientele.add_consumer(%L, %L);', store, consumer)
            WHEN known IS NULL THEN 'clientele.add_consumer() adds one.' ELSE 'Name one of them.' END;
END $$;
COMMENT ON FUNCTION clientele._refuse_consumer(name, text, boolean) IS
    'Says that there is no such consumer, and which there are. reads: who calls wants to read, as a new one would.';

CREATE FUNCTION clientele.add_consumer(store name, consumer text, from_start boolean DEFAULT false) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    seen bigint;
BEGIN
    PERFORM clientele._require_store(store);
    PERFORM clientele._check_consumer(consumer);
    PERFORM clientele._require('from_start', from_start IS NOT NULL);
    -- No event comes or goes until the end of the transaction: what it reads of the segments are those as of this event.
    seen := clientele._lock_history(store);
    IF from_start THEN
        EXECUTE format('SELECT coalesce(min(e.event_id) - 1, $1) FROM %I.segment_events e', store) INTO seen USING seen;
    END IF;
    EXECUTE format('INSERT INTO %I.event_consumers (consumer, acknowledged, added_at) VALUES ($1, $2, now())', store) USING consumer, seen;
    RETURN seen;
EXCEPTION WHEN unique_violation THEN
    RAISE EXCEPTION 'store % has a consumer "%" already', quote_ident(store), consumer USING ERRCODE = 'duplicate_object',
        HINT = 'Choose another name: two that share one would take events from each other.';
END $$;
COMMENT ON FUNCTION clientele.add_consumer(name, text, boolean) IS
    'Adds a reader of a store''s events, who is shown those after the last one; from_start: all that are still there. Returns the '
    'number of the event after which it begins. '
    'In one transaction with it, segment_membership (valid_to IS NULL) shows the segments as of that event. '
    'For the store''s owner, or who may insert into event_consumers and update event_counter.';

CREATE FUNCTION clientele.drop_consumer(store name, consumer text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    dropped bigint;
BEGIN
    PERFORM clientele._require_store(store);
    PERFORM clientele._check_consumer(consumer);
    EXECUTE format('DELETE FROM %I.event_consumers c WHERE c.consumer = $1', store) USING consumer;
    GET DIAGNOSTICS dropped = ROW_COUNT;
    IF dropped = 0 THEN
        PERFORM clientele._refuse_consumer(store, consumer, false);
    END IF;
END $$;
COMMENT ON FUNCTION clientele.drop_consumer(name, text) IS
    'Removes a reader of a store''s events; no event is kept for it any longer. For the store''s owner, or who may delete from '
    'event_consumers.';

CREATE FUNCTION clientele.read_events(store name, consumer text, most integer DEFAULT 1000)
    RETURNS TABLE (event_id bigint, customer_id text, segmentation text, from_segment text, to_segment text, occurred_at timestamptz)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 1000 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    acknowledged bigint;
    lost bigint;
BEGIN
    PERFORM clientele._require_store(store);
    PERFORM clientele._check_consumer(consumer);
    PERFORM clientele._require('most', most IS NOT NULL);
    IF most < 1 THEN
        RAISE EXCEPTION 'invalid most: %', most USING ERRCODE = 'invalid_parameter_value', DETAIL = 'It is a number of events, at least 1.';
    END IF;
    EXECUTE format('SELECT c.acknowledged, (SELECT n.lost FROM %1$I.event_counter n) FROM %1$I.event_consumers c WHERE c.consumer = $1',
        store)
        INTO acknowledged, lost USING consumer;
    IF acknowledged IS NULL THEN
        PERFORM clientele._refuse_consumer(store, consumer, true);
    ELSIF acknowledged < lost THEN
        RAISE EXCEPTION 'consumer "%" of store % has missed events', consumer, quote_ident(store) USING
            ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('Events %s to %s were removed: they were older than the store keeps what is not acknowledged (%s).',
                acknowledged + 1, lost, clientele._keep_events(store)),
            HINT = format('Bring it up to what segment_membership shows now, then go on: SELECT clientele.ack_events(%L, %L, %s);',
                store, consumer, lost);
    END IF;
    RETURN QUERY EXECUTE format('SELECT e.event_id, e.customer_id::text, e.segmentation, e.from_segment, e.to_segment, e.occurred_at
        FROM %I.segment_events e WHERE e.event_id > $1 ORDER BY e.event_id LIMIT $2', store) USING acknowledged, most;
END $$;
COMMENT ON FUNCTION clientele.read_events(name, text, integer) IS
    'The next events that a consumer has not acknowledged, at most so many, in their order. Writes nothing: until ack_events() says '
    'that they were dealt with, they are shown again. '
    'Refused (55000) where events were removed before the consumer acknowledged them. Needs SELECT on segment_events, event_consumers '
    'and event_counter.';

CREATE FUNCTION clientele.ack_events(store name, consumer text, upto bigint) RETURNS bigint
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last_event bigint;
    reached bigint;
BEGIN
    PERFORM clientele._require_store(store);
    PERFORM clientele._check_consumer(consumer);
    PERFORM clientele._require('upto', upto IS NOT NULL);
    EXECUTE format('SELECT n.last_event FROM %I.event_counter n', store) INTO last_event;
    IF upto > last_event THEN
        RAISE EXCEPTION 'store % has no event % yet', quote_ident(store), upto USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('The last one is %s.', last_event),
                HINT = 'Pass the event_id of the last event that read_events() returned and that was dealt with.';
    END IF;
    EXECUTE format('UPDATE %I.event_consumers c SET acknowledged = greatest(c.acknowledged, $2), acknowledged_at = now()
        WHERE c.consumer = $1 RETURNING c.acknowledged', store) INTO reached USING consumer, upto;
    IF reached IS NULL THEN
        PERFORM clientele._refuse_consumer(store, consumer, false);
    END IF;
    RETURN reached;
END $$;
COMMENT ON FUNCTION clientele.ack_events(name, text, bigint) IS
    'Says that a consumer has dealt with the events up to this one: they are not shown to it again. Returns up to which it has '
    'acknowledged; an earlier one than before changes nothing, '
    'one that has not happened yet is an error. Needs SELECT on event_counter and event_consumers, UPDATE on event_consumers.';
