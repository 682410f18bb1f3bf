-- Orders that no profile or index can take are left out one by one, named, and stop nobody else; in live stores, too.
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET search_path = public;
CREATE SCHEMA left_out;

-- Clients write these for "no time", in every zone and type; keys that are too long; amounts that are none.
CREATE TABLE left_out.instants (order_id text, customer_id text, ordered_at timestamptz, amount numeric);
INSERT INTO left_out.instants VALUES ('1', 'ann', '2025-03-01 10:00+00', 40), ('2', repeat('k', 2001), '2025-03-02 10:00+00', 30),
    ('3', 'bob', '0001-01-01 00:00+00', 3), ('4', 'bob', '9999-12-31 00:00+00', 3), ('5', 'bob', 'infinity', 3), ('6', 'bob', '-infinity', 3),
    ('7', 'bob', '0044-03-15 00:00+00 BC', 3), ('8', 'bob', '10000-01-01 00:00+00', 3), ('9', 'cy', '2025-03-03 10:00+00', 'NaN'),
    ('10', 'cy', '2025-03-04 10:00+00', 'Infinity'), ('11', 'cy', '2025-03-05 10:00+00', 1e13), ('12', 'cy', '2025-03-06 10:00+00', -1e13),
    ('13', 'cy', '2025-03-07 10:00+00', 12), (repeat('i', 2001), 'dee', '2025-03-08 10:00+00', 5), (repeat('i', 2000), 'dee', '2025-03-09 10:00+00', 6),
    ('16', repeat('k', 2000), '2025-03-10 10:00+00', 7), ('17', NULL, '-infinity', 'NaN'), ('18', 'eve', NULL, 'NaN'), ('19', 'eve', '-infinity', NULL);
CREATE TABLE left_out.locals AS SELECT order_id, customer_id, CASE WHEN isfinite(ordered_at) THEN ordered_at AT TIME ZONE 'UTC' ELSE ordered_at::text::timestamp END AS ordered_at, amount FROM left_out.instants;
INSERT INTO left_out.locals VALUES ('20', 'fay', '4713-01-01 00:00 BC', 1), ('21', 'fay', '294276-12-31 23:59:59.999999', 1);
CREATE TABLE left_out.days AS SELECT order_id, customer_id, ordered_at::date, amount FROM left_out.locals;
INSERT INTO left_out.days VALUES ('22', 'fay', '4714-11-24 BC', 1), ('24', 'fay', NULL, 1), ('23', 'fay', '5874897-12-31', 1);
CREATE TABLE left_out.lines (order_id text, category text, amount numeric);
INSERT INTO left_out.lines VALUES ('1', 'tea', 30), ('1', 'cake', 'NaN'), ('13', 'tea', 'Infinity'), ('13', 'cake', 12), ('13', 'gold', 9e12), ('13', 'gold', 9e12);

-- What is shown, and what a recount says: customer, orders, spent, mix.
CREATE FUNCTION left_out.shown(store name) RETURNS TABLE (customer text, orders bigint, total_spent numeric, category_mix jsonb, as_recounted boolean) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT left(coalesce(c.customer_id, r.customer_id), 5), c.orders, c.total_spent, c.category_mix, (c.orders, c.total_spent, c.category_mix) IS NOT DISTINCT FROM (r.orders, r.total_spent, r.category_mix)
        FROM %1$I.customers c FULL JOIN %1$I.customers_at(now()) r USING (customer_id) ORDER BY 1', store);
END $$;
CREATE FUNCTION left_out.found(store name) RETURNS TABLE (finding text, customer text, detail text) LANGUAGE sql AS $$
    SELECT c.finding, left(c.customer, 5), regexp_replace(c.detail, '(k|i){10,}', '\1...') FROM clientele.check_store(store) c
$$;

\set VERBOSITY terse
SELECT clientele.create_store('Left', orders => 'left_out.instants', time_zone => 'America/New_York');
CALL clientele.refresh('Left');
SELECT * FROM left_out.shown('Left');
SELECT * FROM left_out.found('Left');
SELECT left(customer_id, 5) AS customer_id, left(order_id, 5) AS order_id, ordered_at, amount, reason FROM "Left".uncountable_orders ORDER BY 3, 4;
-- A sample finds what is wrong with its customers.
SELECT count(*) FILTER (WHERE finding <> 'uncountable') AS others FROM clientele.check_store('Left', sample => 2);

-- Local times and dates, by zones on either side; the greatest dates are no timestamps.
SELECT clientele.create_store('local_west', orders => 'left_out.locals', time_zone => 'America/New_York'), clientele.create_store('local_east', orders => 'left_out.locals', time_zone => 'Pacific/Auckland'),
    clientele.create_store('days', orders => 'left_out.days', time_zone => 'Pacific/Auckland');
CALL clientele.refresh('local_west');
CALL clientele.refresh('local_east');
CALL clientele.refresh('days');
SELECT s, f.* FROM unnest('{local_west,local_east,days}'::name[]) s, left_out.shown(s) f;
SELECT s, count(*), count(*) FILTER (WHERE reason LIKE '%time%') AS times FROM unnest('{local_west,local_east,days}'::text[]) s,
    LATERAL (SELECT reason FROM local_west.uncountable_orders WHERE s = 'local_west' UNION ALL SELECT reason FROM local_east.uncountable_orders WHERE s = 'local_east' UNION ALL SELECT reason FROM days.uncountable_orders WHERE s = 'days') r GROUP BY 1 ORDER BY 1;

-- Lines, too; and a customer whose lines of one category come to more than an amount can be.
SELECT clientele.create_store('lines', orders => 'left_out.instants', items => 'left_out.lines');
CALL clientele.refresh('lines');
SELECT * FROM left_out.shown('lines');
SELECT * FROM left_out.found('lines') WHERE detail LIKE 'line%';
SELECT * FROM lines._items WHERE NOT clientele._countable(NULL, amount) ORDER BY order_id;

-- Renamed columns are found under their names of today.
ALTER TABLE left_out.instants RENAME ordered_at TO placed;
ALTER TABLE left_out.instants RENAME amount TO total;
CALL clientele.refresh('Left');
SELECT count(*) FROM "Left".uncountable_orders;
ALTER TABLE left_out.instants RENAME placed TO ordered_at;
ALTER TABLE left_out.instants RENAME total TO amount;

-- Live: no order fails, nothing is stale, and what is shown is what a recount says.
CREATE INDEX ON left_out.instants (order_id);
CREATE INDEX ON left_out.lines (order_id);
SET client_min_messages = error;
SELECT clientele.set_live('Left', true), clientele.set_live('lines', true);
SET client_min_messages = warning;
CALL clientele.refresh('Left');
CALL clientele.refresh('lines');
INSERT INTO left_out.instants SELECT 'n' || order_id, customer_id, ordered_at, amount FROM left_out.instants WHERE length(order_id) < 1000;
INSERT INTO left_out.instants VALUES ('late', 'cy', '-infinity', 1);
INSERT INTO left_out.lines VALUES ('13', 'pie', '-Infinity'), ('n13', 'tea', 3), ('2', 'tea', 3);
SELECT * FROM left_out.shown('Left');
UPDATE left_out.instants SET amount = 1 WHERE amount = 'NaN' AND order_id = '9';
UPDATE left_out.instants SET amount = 'NaN' WHERE order_id = '1';
UPDATE left_out.instants SET customer_id = repeat('k', 3000) WHERE order_id = 'n1';
UPDATE left_out.instants SET customer_id = 'gus' WHERE order_id = '2';
UPDATE left_out.instants SET ordered_at = '2025-06-01' WHERE order_id = '6';
DELETE FROM left_out.instants WHERE order_id IN ('n2', 'n5');
SELECT * FROM left_out.shown('Left');
SELECT * FROM left_out.shown('lines');
SELECT store, stale FROM clientele.stores WHERE live ORDER BY 1;
CALL clientele.refresh('Left');
CALL clientele.refresh('lines');
SELECT count(*) FILTER (WHERE NOT as_recounted) AS differing, count(*) FROM left_out.shown('Left');
SELECT count(*) FILTER (WHERE NOT as_recounted) AS differing, count(*) FROM left_out.shown('lines');
SELECT count(*) AS pending FROM (SELECT FROM "Left".pending WHERE due <= now() UNION ALL SELECT FROM lines.pending WHERE due <= now() AND customer_id IS NOT NULL) p;
SELECT * FROM left_out.found('Left');

SELECT clientele.drop_store(s) FROM unnest('{Left,local_west,local_east,days,lines}'::name[]) s;
DROP SCHEMA left_out CASCADE;
