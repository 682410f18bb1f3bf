-- The history of segments: it replays what shop.segments was at each recording, interval by interval; refusals change nothing.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;

CREATE TABLE people (customer_id int PRIMARY KEY, children int, divisor int NOT NULL DEFAULT 1);
INSERT INTO people SELECT i, i % 4 FROM generate_series(1, 60) i;
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10, 2));
INSERT INTO orders SELECT i, i % 50, now() - interval '1 day' * (i % 90 + 1), 10 + i % 37 FROM generate_series(1, 150) i;
SELECT clientele.create_store('shop', 'orders', customers => 'people', attributes => '{children,divisor}');

\d shop.segment_membership
SELECT a.attname, col_description(a.attrelid, a.attnum) IS NOT NULL AS commented FROM pg_attribute a
WHERE a.attrelid = 'shop.segment_membership'::regclass AND a.attnum > 0 ORDER BY a.attnum;
SELECT count(*) FROM shop.segment_membership;

-- ---- A history, and what the view was at each recording ----

CREATE TEMP TABLE seen (step int, at timestamptz, customer_id int, segmentation text, segment text);
CREATE PROCEDURE pg_temp.record(step int) LANGUAGE plpgsql AS $$
BEGIN
    CALL clientele.record_segments('shop');
    INSERT INTO pg_temp.seen SELECT step, r.at, s.* FROM shop.segments s, (SELECT clock_timestamp() AS at) r;
END $$;
CREATE VIEW pg_temp.still AS SELECT customer_id, segmentation, segment FROM shop.segment_membership WHERE valid_to IS NULL;
-- Differences between what is open and the view; what is not an interval, overlaps the next one or repeats it without a gap.
CREATE VIEW pg_temp.faults AS
    SELECT (SELECT count(*) FROM (TABLE pg_temp.still EXCEPT ALL TABLE shop.segments) d) AS surplus,
        (SELECT count(*) FROM (TABLE shop.segments EXCEPT ALL TABLE pg_temp.still) d) AS missing,
        count(*) FILTER (WHERE valid_to <= valid_from) AS empty,
        count(*) FILTER (WHERE coalesce(valid_to, 'infinity') > next_from) AS overlapping,
        count(*) FILTER (WHERE valid_to = next_from AND segment = next_segment) AS repeated
    FROM (SELECT *, lead(valid_from) OVER w AS next_from, lead(segment) OVER w AS next_segment FROM shop.segment_membership
        WINDOW w AS (PARTITION BY customer_id, segmentation ORDER BY valid_from)) i;

SELECT clientele.define_segment('shop', 'keen', 'orders >= 3'), clientele.define_segment('shop', 'families', 'children = 3'),
    clientele.define_segment('shop', 'big', 'total_spent > 80', segmentation => 'value');
CALL clientele.refresh('shop');
CALL pg_temp.record(1);
SELECT segmentation, segment, count(*), count(valid_to) AS left, count(DISTINCT valid_from) AS times FROM shop.segment_membership GROUP BY 1, 2 ORDER BY 1, 2;
TABLE pg_temp.faults;

-- Nothing changes: not a row is written.
CREATE TEMP TABLE before AS SELECT ctid AS place, xmin AS writer, * FROM shop.segment_membership;
CALL pg_temp.record(2);
SELECT count(*) AS kept FROM before b JOIN shop.segment_membership m ON m.ctid = b.place AND m.xmin = b.writer AND m.valid_to IS NULL;

-- A customer is another's now, one comes, one goes, another changes its number.
UPDATE people SET children = 3 WHERE customer_id IN (57, 58);
INSERT INTO people VALUES (61, 3);
DELETE FROM people WHERE customer_id = 60;
UPDATE people SET customer_id = 62 WHERE customer_id = 56;
CALL pg_temp.record(3);
SELECT count(*) AS kept FROM before b JOIN shop.segment_membership m ON m.ctid = b.place AND m.xmin = b.writer AND m.valid_to IS NULL;
SELECT m.customer_id, m.segmentation, m.segment, m.valid_to IS NULL AS still, m.valid_from > b.valid_from IS NOT FALSE AS new, m.valid_to = n.valid_from AS handed_over
FROM shop.segment_membership m LEFT JOIN before b USING (customer_id, segmentation, segment)
LEFT JOIN shop.segment_membership n ON n.customer_id = m.customer_id AND n.segmentation = m.segmentation AND n.valid_from > m.valid_from
WHERE m.customer_id IN (56, 57, 60, 61, 62) ORDER BY m.customer_id, m.segmentation, m.valid_from;
TABLE pg_temp.faults;

-- Orders, rules, priorities, default segments, segmentations.
INSERT INTO orders SELECT 1000 + i, i, now() - interval '1 day', 200 FROM generate_series(2, 60, 3) i;
CALL clientele.refresh('shop');
CALL pg_temp.record(4);
SELECT clientele.define_segment('shop', 'keen', 'orders >= 4');
CALL pg_temp.record(5);
SELECT clientele.set_default_segment('shop', 'average');
CALL pg_temp.record(6);
SELECT clientele.define_segment('shop', 'first', 'customer_id < 10', segmentation => 'number'), clientele.define_segment('shop', 'families', 'children = 3', priority => 1);
CALL pg_temp.record(7);
SELECT clientele.drop_segment('shop', 'big', 'value');
CALL pg_temp.record(8);
SELECT segmentation, count(*), count(valid_to) AS left FROM shop.segment_membership GROUP BY 1 ORDER BY 1;
-- A customer and a segmentation return: a gap.
INSERT INTO people VALUES (60, 0);
SELECT clientele.define_segment('shop', 'big', 'total_spent > 80', segmentation => 'value');
CALL pg_temp.record(9);
TABLE pg_temp.faults;
SELECT count(*) AS intervals, count(valid_to) AS ended, bool_and(valid_to < next_from) AS gap
FROM (SELECT *, lead(valid_from) OVER (PARTITION BY customer_id ORDER BY valid_from) AS next_from FROM shop.segment_membership WHERE segmentation = 'value') i
WHERE customer_id = 7;

-- Twice in one transaction, and one that is rolled back.
BEGIN;
UPDATE people SET children = 0 WHERE customer_id = 57;
CALL pg_temp.record(10);
UPDATE people SET children = 3 WHERE customer_id = 57;
CALL pg_temp.record(11);
COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE people SET children = 0 WHERE customer_id = 57;
CALL pg_temp.record(12);
UPDATE people SET children = 3 WHERE customer_id = 57;
CALL pg_temp.record(13);
COMMIT;
BEGIN;
DELETE FROM people WHERE customer_id < 30;
CALL clientele.record_segments('shop');
ROLLBACK;
TABLE pg_temp.faults;

-- The clock was set back: what is recorded then still comes later.
BEGIN;
UPDATE shop.segment_membership SET valid_from = valid_from + interval '1 hour', valid_to = valid_to + interval '1 hour';
DELETE FROM people WHERE customer_id = 57;
CALL clientele.record_segments('shop');
SELECT count(*) AS ended_now FROM shop.segment_membership WHERE customer_id = 57 AND valid_to = (SELECT max(valid_to) FROM shop.segment_membership);
TABLE pg_temp.faults;
INSERT INTO people VALUES (57, 3);
CALL clientele.record_segments('shop');
UPDATE people SET children = 2 WHERE customer_id = 57;
CALL clientele.record_segments('shop');
TABLE pg_temp.faults;
ROLLBACK;

-- At each recording, the intervals of that time are what the view was.
SELECT s.step, count(s.segment) AS rows, count(*) FILTER (WHERE s.segment IS DISTINCT FROM m.segment) AS wrong
FROM (SELECT DISTINCT step, at FROM seen) r
JOIN LATERAL (SELECT * FROM shop.segment_membership WHERE valid_from <= r.at AND (valid_to > r.at OR valid_to IS NULL)) m ON true
FULL JOIN seen s ON s.step = r.step AND s.customer_id = m.customer_id AND s.segmentation = m.segmentation GROUP BY 1 ORDER BY 1;
SELECT count(DISTINCT t) AS times FROM shop.segment_membership, unnest(ARRAY[valid_from, valid_to]) t WHERE t IS NOT NULL;

-- What enters a segment and what leaves it between two times is the difference of its sizes.
SELECT segment, sum(entered) AS entered, sum("left") AS "left", sum(entered) - sum("left") - sum(grown) AS unexplained FROM (
    SELECT segment, 1 AS entered, 0 AS "left", 0 AS grown FROM shop.segment_membership WHERE segmentation = 'main' AND valid_from > (SELECT min(at) FROM seen WHERE step = 1)
    UNION ALL SELECT segment, 0, 1, 0 FROM shop.segment_membership WHERE segmentation = 'main' AND valid_to > (SELECT min(at) FROM seen WHERE step = 1)
    UNION ALL SELECT segment, 0, 0, -1 FROM seen WHERE segmentation = 'main' AND step = 1
    UNION ALL SELECT segment, 0, 0, 1 FROM shop.segments WHERE segmentation = 'main') d GROUP BY 1 ORDER BY 1;

-- ---- Refusals ----

CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    d text; h text;
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ': ' || SQLERRM, nullif(d, ''), nullif(h, ''));
END $$;
CREATE TEMP TABLE history AS TABLE shop.segment_membership;
CREATE VIEW pg_temp.as_it_was AS SELECT NOT EXISTS ((TABLE history EXCEPT ALL TABLE shop.segment_membership) UNION ALL (TABLE shop.segment_membership EXCEPT ALL TABLE history));
\pset format unaligned
\pset tuples_only
SELECT pg_temp.refusal('CALL clientele.record_segments(' || s || ')') FROM unnest('{"NULL",'''',''nowhere'',''pg_catalog''}'::text[]) s;

-- A rule that fails for one customer.
SELECT clientele.define_segment('shop', 'odd', '10 / divisor > 5', segmentation => 'number');
UPDATE people SET divisor = 0 WHERE customer_id = 40;
UPDATE people SET children = 1 WHERE customer_id = 3;
SELECT pg_temp.refusal($$CALL clientele.record_segments('shop')$$);
TABLE pg_temp.as_it_was;
UPDATE people SET divisor = 1;
CALL clientele.record_segments('shop');
SELECT left(pg_temp.refusal($$UPDATE shop.segment_membership SET valid_to = valid_from WHERE customer_id = 3$$), 6);
TRUNCATE history;
INSERT INTO history TABLE shop.segment_membership;

-- Who may write the table records; under row-level security nobody records a part.
CREATE ROLE membership_clerk;
GRANT USAGE ON SCHEMA shop TO membership_clerk;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO membership_clerk;
GRANT SELECT ON people TO membership_clerk;
CREATE ROLE membership_stranger;
SET ROLE membership_stranger;
SELECT pg_temp.refusal($$CALL clientele.record_segments('shop')$$);
SET ROLE membership_clerk;
SELECT pg_temp.refusal($$CALL clientele.record_segments('shop')$$);
SELECT pg_temp.refusal($$SELECT clientele._record_segments('shop')$$);
RESET ROLE;
GRANT INSERT, UPDATE ON shop.segment_membership TO membership_clerk;
GRANT INSERT ON shop.segment_events TO membership_clerk;
GRANT UPDATE ON shop.event_counter TO membership_clerk;
UPDATE people SET children = 3 WHERE customer_id IN (4, 5);
SET ROLE membership_clerk;
CALL clientele.record_segments('shop');
RESET ROLE;
SELECT customer_id, segment FROM shop.segment_membership WHERE valid_from = (SELECT max(valid_from) FROM shop.segment_membership);
TRUNCATE history;
INSERT INTO history TABLE shop.segment_membership;
ALTER TABLE people ENABLE ROW LEVEL SECURITY;
CREATE POLICY part ON people FOR SELECT TO membership_clerk USING (customer_id < 20);
SET ROLE membership_clerk;
SELECT pg_temp.refusal($$CALL clientele.record_segments('shop')$$);
RESET ROLE;
TABLE pg_temp.as_it_was;
ALTER TABLE people DISABLE ROW LEVEL SECURITY;

-- The customers are a view, in which one is there twice.
CREATE VIEW all_people AS SELECT customer_id FROM people;
SELECT clientele.create_store('doubled', 'orders', customers => 'all_people');
CREATE OR REPLACE VIEW all_people AS SELECT customer_id FROM people UNION ALL SELECT 5;
SELECT regexp_replace(pg_temp.refusal($$CALL clientele.record_segments('doubled')$$), '\d{4}-[^)]*', 'T');

-- ---- Keys of every type; names of every kind ----

\pset format aligned
\pset tuples_only off
CREATE TABLE keyed AS SELECT customer_id::smallint AS s, customer_id::bigint AS b, md5(customer_id::text)::uuid AS u, 'C' || customer_id AS t,
    ('V' || customer_id)::varchar(20) AS v, ordered_at, amount FROM orders;
SELECT clientele.create_store('keyed "' || k, 'keyed', customer_id => k) FROM unnest('{s,b,u,t,v}'::name[]) k;
SELECT clientele.define_segment('keyed "' || k, 'it''s "big"', 'total_spent > 80', segmentation => 'a "b''s"') FROM unnest('{s,b,u,t,v}'::name[]) k;
CALL clientele.refresh('keyed "s'); CALL clientele.refresh('keyed "b'); CALL clientele.refresh('keyed "u'); CALL clientele.refresh('keyed "t'); CALL clientele.refresh('keyed "v');
CALL clientele.record_segments('keyed "s'); CALL clientele.record_segments('keyed "b'); CALL clientele.record_segments('keyed "u'); CALL clientele.record_segments('keyed "t'); CALL clientele.record_segments('keyed "v');
CREATE FUNCTION pg_temp.counted(history regclass, OUT "rows" bigint, OUT segments bigint) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT count(*), count(DISTINCT segment) FROM %s', history) INTO "rows", segments;
END $$;
SELECT a.attrelid::regclass, format_type(a.atttypid, a.atttypmod), pg_temp.counted(a.attrelid::regclass)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relname = 'segment_membership' AND a.attname = 'customer_id' AND c.relnamespace::regnamespace::text LIKE '%keyed%' ORDER BY c.oid;

-- The table is the store's.
DROP VIEW pg_temp.as_it_was, pg_temp.faults, pg_temp.still;
SELECT clientele.drop_store('shop'), clientele.drop_store('doubled');
SELECT clientele.drop_store('keyed "' || k) FROM unnest('{s,b,u,t,v}'::name[]) k;
DROP TABLE people, orders, keyed CASCADE;
DROP ROLE membership_clerk, membership_stranger;
