-- Events: every change of the history is one, numbered without gaps; consumers read and acknowledge at their own pace; replaying them gives the segments.
SET timezone = 'UTC';
SET client_min_messages = warning;

CREATE TABLE people (customer_id int PRIMARY KEY, children int);
INSERT INTO people SELECT i, i % 3 FROM generate_series(1, 9) i;
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10, 2));
INSERT INTO orders SELECT i, i % 9 + 1, now() - interval '1 day' * i, 10 + i FROM generate_series(1, 30) i;
SELECT clientele.create_store('shop', 'orders', customers => 'people', attributes => '{children}');
SELECT clientele.define_segment('shop', 'families', 'children > 0'), clientele.define_segment('shop', 'big', 'total_spent > 100', segmentation => 'value');

\d shop.segment_events
\d shop.event_counter
\d shop.event_consumers

-- What the events amount to, replayed, against the segments: no row is right.
CREATE VIEW differences AS
    WITH replayed AS (
        SELECT DISTINCT ON (customer_id, segmentation) customer_id, segmentation, to_segment AS segment
        FROM shop.segment_events ORDER BY customer_id, segmentation, event_id DESC
    ), shown AS (SELECT customer_id, segmentation, segment FROM shop.segments)
    (SELECT 'replayed', * FROM replayed WHERE segment IS NOT NULL EXCEPT ALL SELECT 'replayed', * FROM shown)
    UNION ALL (SELECT 'shown', * FROM shown EXCEPT ALL SELECT 'shown', * FROM replayed);

CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ': ' || message, nullif(detail, ''), nullif(hint, ''));
END $$;

-- ---- Written ----

CALL clientele.record_segments('shop');
SELECT count(*), min(event_id), max(event_id), count(from_segment), count(DISTINCT occurred_at) FROM shop.segment_events;
TABLE differences;
CALL clientele.record_segments('shop');
SELECT last_event FROM shop.event_counter;
-- An order moves a customer at the next refresh; the history and its events have the same time.
INSERT INTO orders VALUES (100, 2, now(), 500);
UPDATE people SET children = 0 WHERE customer_id = 5;
DELETE FROM people WHERE customer_id = 9;
CALL clientele.refresh('shop');
SELECT event_id, customer_id, segmentation, from_segment, to_segment FROM shop.segment_events WHERE event_id > 18 ORDER BY 2, 3;
SELECT count(*) FROM shop.segment_events e JOIN shop.segment_membership m USING (customer_id, segmentation)
    WHERE e.event_id > 18 AND e.occurred_at IN (m.valid_from, m.valid_to);
TABLE differences;
-- What a transaction does that is rolled back never was.
BEGIN;
UPDATE people SET children = 7;
CALL clientele.record_segments('shop');
ROLLBACK;
SELECT last_event, (SELECT max(event_id) FROM shop.segment_events) FROM shop.event_counter;
-- A segmentation that goes takes everybody out of its segments.
SELECT clientele.drop_segment('shop', 'big', 'value');
CALL clientele.record_segments('shop');
SELECT from_segment, to_segment, count(*) FROM shop.segment_events WHERE segmentation = 'value' AND event_id > 22 GROUP BY 1, 2 ORDER BY 1;
TABLE differences;

-- ---- Read ----

SELECT clientele.add_consumer('shop', 'mail'), clientele.add_consumer('shop', 'O''Reilly "&" sons; --', from_start => true);
SELECT count(*) FROM clientele.read_events('shop', 'mail');
SELECT event_id, customer_id, segmentation, from_segment, to_segment FROM clientele.read_events('shop', 'O''Reilly "&" sons; --', 2);
SELECT count(*), max(event_id) FROM clientele.read_events('shop', 'O''Reilly "&" sons; --');
UPDATE people SET children = 1 WHERE customer_id IN (3, 6);
CALL clientele.record_segments('shop');
SELECT customer_id, from_segment, to_segment FROM clientele.read_events('shop', 'mail') ORDER BY event_id;
-- Read twice, it is the same: nothing was acknowledged.
SELECT count(*) FROM clientele.read_events('shop', 'mail');
SELECT clientele.ack_events('shop', 'mail', 31);
SELECT event_id, customer_id FROM clientele.read_events('shop', 'mail');
SELECT clientele.ack_events('shop', 'mail', 3), clientele.ack_events('shop', 'mail', 31);
SELECT count(*) FROM clientele.read_events('shop', 'O''Reilly "&" sons; --');
SELECT consumer, acknowledged, acknowledged_at IS NOT NULL AS has_acknowledged FROM shop.event_consumers ORDER BY 1;

-- ---- Removed ----

-- By the next recording, once every consumer has acknowledged them.
SELECT clientele.ack_events('shop', 'O''Reilly "&" sons; --', 20);
CALL clientele.record_segments('shop');
SELECT min(event_id), max(event_id) FROM shop.segment_events;
SELECT clientele.drop_consumer('shop', 'O''Reilly "&" sons; --');
CALL clientele.record_segments('shop');
SELECT min(event_id), max(event_id) FROM shop.segment_events;
-- Too old: the consumer is told, and goes on when it says so.
UPDATE shop.segment_events SET occurred_at = now() - interval '91 days';
UPDATE people SET children = 0 WHERE customer_id = 7;
CALL clientele.record_segments('shop');
SELECT event_id, customer_id FROM shop.segment_events;
SELECT pg_temp.refusal($$SELECT * FROM clientele.read_events('shop', 'mail')$$);
SELECT clientele.ack_events('shop', 'mail', 34);
SELECT event_id, customer_id FROM clientele.read_events('shop', 'mail');

-- ---- Other names, and nobody's ----

SELECT clientele.rename_segment('shop', 'families', 'parents');
SELECT event_id, from_segment, to_segment FROM shop.segment_events;
SELECT clientele.forget_customer(7);
SELECT count(*) FROM shop.segment_events;
-- A time-driven exit appears at the next record.
SELECT clientele.define_segment('shop', 'this moment', 'as_of < ''infinity'' AND customer_id = 1', segmentation => 'time');
CALL clientele.record_segments('shop');
SELECT clientele.ack_events('shop', 'mail', (SELECT last_event FROM shop.event_counter));
SELECT clientele.define_segment('shop', 'this moment', format('as_of < %L', clock_timestamp() + interval '2 seconds'), segmentation => 'time');
CALL clientele.record_segments('shop');
SELECT clientele.ack_events('shop', 'mail', (SELECT last_event FROM shop.event_counter));
SELECT pg_sleep(2.1);
CALL clientele.record_segments('shop');
SELECT customer_id, from_segment, to_segment FROM clientele.read_events('shop', 'mail') WHERE customer_id IN ('1', '2') ORDER BY 1;

-- ---- Refused ----

\pset format unaligned
\pset tuples_only on
SELECT pg_temp.refusal($$SELECT clientele.add_consumer('shop', 'mail')$$);
SELECT pg_temp.refusal($$SELECT clientele.add_consumer('shop', '')$$);
SELECT pg_temp.refusal($$SELECT clientele.add_consumer('shop', NULL)$$);
SELECT pg_temp.refusal($$SELECT clientele.add_consumer('shop', repeat('x', 201))$$);
SELECT pg_temp.refusal($$SELECT clientele.add_consumer(NULL, 'mail')$$);
SELECT pg_temp.refusal($$SELECT clientele.add_consumer('nowhere', 'mail')$$);
SELECT pg_temp.refusal($$SELECT clientele.add_consumer('shop', 'mail', NULL)$$);
SELECT pg_temp.refusal($$SELECT clientele.drop_consumer('shop', 'nobody')$$);
SELECT pg_temp.refusal($$SELECT * FROM clientele.read_events('shop', 'nobody')$$);
SELECT pg_temp.refusal($$SELECT * FROM clientele.read_events('shop', 'mail', 0)$$);
SELECT pg_temp.refusal($$SELECT * FROM clientele.read_events('shop', 'mail', NULL)$$);
SELECT pg_temp.refusal($$SELECT clientele.ack_events('shop', 'mail', 1000000)$$);
SELECT pg_temp.refusal($$SELECT clientele.ack_events('shop', 'mail', NULL)$$);
SELECT pg_temp.refusal($$SELECT clientele.ack_events('shop', 'nobody', 1)$$);
\pset tuples_only off
\pset format aligned
SELECT acknowledged FROM shop.event_consumers;

-- A role that may record needs these rights, and is told which; one that consumes needs few.
CREATE ROLE clientele_recorder;
CREATE ROLE clientele_consumer;
GRANT USAGE ON SCHEMA shop TO clientele_recorder, clientele_consumer;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO clientele_recorder;
GRANT SELECT ON people TO clientele_recorder;
GRANT INSERT, UPDATE ON shop.segment_membership TO clientele_recorder;
SET ROLE clientele_recorder;
SELECT pg_temp.refusal($$CALL clientele.record_segments('shop')$$);
RESET ROLE;
GRANT INSERT ON shop.segment_events TO clientele_recorder;
GRANT UPDATE ON shop.event_counter TO clientele_recorder;
SET ROLE clientele_recorder;
CALL clientele.record_segments('shop');
RESET ROLE;
GRANT SELECT ON shop.settings, shop.profiles, shop.segment_events, shop.event_counter, shop.event_consumers TO clientele_consumer;
GRANT SELECT (customer_id) ON people TO clientele_consumer;
GRANT UPDATE ON shop.event_consumers TO clientele_consumer;
SET ROLE clientele_consumer;
SELECT count(*) > 0 AS has_events FROM clientele.read_events('shop', 'mail');
SELECT clientele.ack_events('shop', 'mail', (SELECT last_event FROM shop.event_counter)) > 0 AS acknowledged;
SELECT pg_temp.refusal($$SELECT clientele.add_consumer('shop', 'another')$$);
RESET ROLE;
-- A policy on the customers is one on their events.
ALTER TABLE people ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON people TO clientele_consumer USING (customer_id = 1);
SELECT clientele.ack_events('shop', 'again', 0) FROM clientele.add_consumer('shop', 'again', from_start => true);
SET ROLE clientele_consumer;
SELECT DISTINCT customer_id FROM clientele.read_events('shop', 'again');
RESET ROLE;
SELECT clientele.drop_consumer('shop', c.consumer) FROM shop.event_consumers c;
SELECT pg_temp.refusal($$SELECT clientele.drop_consumer('shop', 'mail')$$);
DROP VIEW differences;
SELECT clientele.drop_store('shop');
DROP OWNED BY clientele_recorder, clientele_consumer;
DROP ROLE clientele_recorder, clientele_consumer;
DROP TABLE orders, people;
