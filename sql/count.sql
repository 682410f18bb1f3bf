-- The full count of a store's orders against the aggregate: key types, zones, spilling, and what is refused.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
-- For the operators of the type.
SET search_path = public, clientele;

-- SQLSTATE and message of a statement that fails.
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END $$;

-- A store over a table of orders, counted both ways.
CREATE FUNCTION pg_temp.compare(orders regclass, zone text, OUT customers bigint, OUT different bigint) LANGUAGE plpgsql AS $$
DECLARE
    key_type text := (SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = orders AND attname = 'customer_id');
BEGIN
    PERFORM clientele.create_store('counted', orders, time_zone => zone);
    EXECUTE format('SELECT count(*), count(*) FILTER (WHERE c.profile IS DISTINCT FROM a.profile)
        FROM clientele._count_profiles(''counted'') AS c(customer_id %1$s, profile clientele.order_profile)
        FULL JOIN (SELECT customer_id, clientele.order_profile(ordered_at, amount, %2$L) AS profile FROM %3$s
                   WHERE customer_id IS NOT NULL AND ordered_at <= now() AND clientele._countable(ordered_at, amount) AND clientele._fits_index(customer_id) GROUP BY 1
                   HAVING clientele.order_profile(ordered_at, amount, %2$L) IS NOT NULL) a USING (customer_id)',
        key_type, zone, orders) INTO customers, different;
    PERFORM clientele.drop_store('counted');
END $$;

-- ---- Orders that tie, refunds, nobody's orders, orders of tomorrow, and rows that are none ----

CREATE TABLE numbered AS
    SELECT i, CASE WHEN i % 41 > 0 THEN 1 + (i::bigint * i * 31 % 211) * (i::bigint * 17 % 223) / 211 END AS number,
        CASE WHEN i % 37 > 0 THEN timestamptz '2019-01-01' + interval '1 hour' * (i::bigint * i * 7919 % 17000 / (1 + i % 2 * 23) * (1 + i % 2 * 23)) END AS ordered_at,
        CASE WHEN i % 31 > 0 THEN round(CASE WHEN i % 29 = 0 THEN -1 WHEN i % 13 = 0 THEN 0 ELSE 1 END * (500 + i::bigint * 7907 % 9000) / 7.0, i % 6) END AS amount
    FROM generate_series(1, 6000) i;
INSERT INTO numbered SELECT 7000 + i, i, now() + interval '1 day', 1000 FROM generate_series(1, 5) i;
INSERT INTO numbered SELECT 7100 + i, 300, timestamptz '2020-02-28 18:00' + interval '1 day' * i, -5 FROM generate_series(1, 3) i;
INSERT INTO numbered VALUES (7200, 301, 'infinity', 5), (7201, 302, now() + interval '1 day', 'NaN'), (7202, 303, '2020-01-01', NULL), (7203, 304, NULL, 1),
    (7204, 305, '0001-01-01', 9999999999999.9999), (7205, 305, '2020-01-01', -9999999999999.9999), (7206, 306, '2020-01-01', 0);

CREATE TABLE by_smallint AS SELECT (number * 150 - 32768)::smallint AS customer_id, ordered_at, amount FROM numbered;
CREATE TABLE by_integer AS SELECT (number * 9000000 - 2147483648)::integer AS customer_id, ordered_at, amount FROM numbered;
CREATE TABLE by_bigint AS SELECT CASE number WHEN 1 THEN -9223372036854775808 WHEN 2 THEN 9223372036854775807 ELSE number - 100 END AS customer_id, ordered_at, amount FROM numbered;
CREATE TABLE by_uuid AS SELECT CASE number % 3 WHEN 0 THEN lpad(number::text, 32, '0') WHEN 1 THEN rpad(number::text, 32, '0') ELSE md5(number::text) END::uuid AS customer_id, ordered_at, amount FROM numbered;
CREATE TABLE by_text AS SELECT CASE number WHEN 1 THEN '' WHEN 2 THEN U&'\00FC' WHEN 3 THEN repeat('long', 5000) WHEN 4 THEN repeat('Long', 5000) ELSE repeat('x', number::int % 17) || number END AS customer_id, ordered_at, amount FROM numbered;
CREATE TABLE by_varchar AS SELECT ('customer ' || number)::varchar(20) AS customer_id, ordered_at, amount FROM numbered;
CREATE TABLE empty AS SELECT customer_id, ordered_at, amount FROM by_integer LIMIT 0;
CREATE TABLE single AS SELECT 1::bigint AS customer_id, timestamptz '2020-02-02 20:00' AS ordered_at, 9.99::numeric AS amount;
CREATE TABLE skipped AS SELECT 1::bigint AS customer_id, NULL::timestamptz AS ordered_at, 9.99::numeric AS amount;

SELECT t.orders, c.* FROM unnest('{by_smallint,by_integer,by_bigint,by_uuid,by_text,by_varchar,empty,single,skipped}'::text[]) WITH ORDINALITY t (orders, place),
    pg_temp.compare(orders::regclass, 'America/New_York') c ORDER BY place;
SELECT zone, c.* FROM unnest('{UTC,Australia/Lord_Howe}'::text[]) WITH ORDINALITY z (zone, place), pg_temp.compare('by_bigint', zone) c ORDER BY place;

-- Texts that are equal and yet differ in their bytes are one customer.
CREATE FUNCTION pg_temp.compare_ignoring_case(OUT customers bigint, OUT different bigint) LANGUAGE plpgsql AS $$
BEGIN
    customers := 216;
    different := 0;
    IF EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i') THEN
        CREATE COLLATION ignore_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
        CREATE TABLE by_any_case (customer_id text COLLATE ignore_case, ordered_at timestamptz, amount numeric);
        INSERT INTO by_any_case SELECT CASE i % 2 WHEN 0 THEN 'customer ' ELSE 'CUSTOMER ' END || number, ordered_at, amount FROM numbered;
        PERFORM clientele.create_store('counted', 'by_any_case', time_zone => 'Europe/Berlin');
        SELECT count(*), count(*) FILTER (WHERE c.profile IS DISTINCT FROM a.profile) INTO customers, different
        FROM clientele._count_profiles('counted') AS c(customer_id text, profile clientele.order_profile)
        FULL JOIN (SELECT lower(customer_id) COLLATE "C" AS customer_id, clientele.order_profile(ordered_at, amount, 'Europe/Berlin') AS profile FROM by_any_case
                   WHERE customer_id IS NOT NULL AND ordered_at <= now() AND clientele._countable(ordered_at, amount) GROUP BY 1
                   HAVING clientele.order_profile(ordered_at, amount, 'Europe/Berlin') IS NOT NULL) a ON a.customer_id = lower(c.customer_id) COLLATE "C";
        PERFORM clientele.drop_store('counted');
        DROP TABLE by_any_case;
        DROP COLLATION ignore_case;
    END IF;
END $$;
SELECT * FROM pg_temp.compare_ignoring_case();

-- ---- More orders than memory, one customer with most of them, and one on every day for 55 years ----

CREATE TABLE many AS SELECT CASE WHEN i % 10 < 7 THEN 7 ELSE i::bigint * 7919 % 10007 END AS customer_id,
    timestamptz '2010-01-01' + interval '1 second' * (i::bigint * 104729 % 400000000) AS ordered_at, (i % 9973)::numeric / 100 AS amount FROM generate_series(1, 100000) i;
INSERT INTO many SELECT 8, timestamptz '1950-01-01 12:00' + interval '1 day' * i, 1 FROM generate_series(1, 20000) i;
CREATE TABLE many_texts AS SELECT 'customer ' || customer_id AS customer_id, ordered_at, amount FROM many WHERE customer_id % 3 > 0;
SET hash_mem_multiplier = 1;
SET work_mem = '64kB';
SELECT * FROM pg_temp.compare('many', 'America/New_York');
SELECT * FROM pg_temp.compare('many_texts', 'UTC');
RESET work_mem;
SELECT * FROM pg_temp.compare('many', 'UTC');
SET work_mem = '64MB';
SELECT * FROM pg_temp.compare('many_texts', 'Europe/Berlin');
-- What was spilled goes with an error, too.
SET work_mem = '64kB';
CREATE VIEW bad AS SELECT * FROM many UNION ALL SELECT 9, timestamptz '2020-01-01', 1.0 / (i - 1) FROM generate_series(1, 1) i;
SELECT clientele.create_store('counted', 'bad');
SELECT pg_temp.refusal($$SELECT * FROM clientele._count_profiles('counted') AS c(customer_id bigint, profile clientele.order_profile)$$);
SELECT clientele.drop_store('counted');
DROP VIEW bad;
RESET work_mem;
RESET hash_mem_multiplier;

-- Parallel workers may scan.
SELECT clientele.create_store('counted', 'many');
CREATE TABLE serial AS SELECT c.* FROM clientele._count_profiles('counted') AS c(customer_id bigint, profile clientele.order_profile);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT count(*) AS customers, count(*) FILTER (WHERE c.profile IS DISTINCT FROM s.profile) AS different
FROM clientele._count_profiles('counted') AS c(customer_id bigint, profile clientele.order_profile) FULL JOIN serial s USING (customer_id);
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT clientele.drop_store('counted');

-- Numbers come in their order where memory holds them.
SELECT clientele.create_store('counted', 'by_bigint');
SELECT count(*) > 200 AS enough, bool_and(customer_id > previous) AS ascending
FROM (SELECT customer_id, lag(customer_id, 1) OVER () AS previous FROM clientele._count_profiles('counted') AS c(customer_id bigint, profile clientele.order_profile)) o WHERE previous IS NOT NULL;

-- ---- What is refused ----

SELECT pg_temp.refusal($$SELECT * FROM clientele._count_profiles('counted') AS c(customer_id integer, profile clientele.order_profile)$$);
SELECT pg_temp.refusal($$SELECT * FROM clientele._count_profiles('counted') AS c(customer_id bigint, profile text)$$);
SELECT pg_temp.refusal($$SELECT * FROM clientele._count_profiles('counted') AS c(customer_id bigint)$$);
SELECT pg_temp.refusal($$SELECT clientele._count_profiles('counted')$$);
SELECT pg_temp.refusal($$SELECT * FROM clientele._count_profiles('nowhere') AS c(customer_id bigint, profile clientele.order_profile)$$);
SELECT count(*) FROM clientele._count_profiles(NULL) AS c(customer_id bigint, profile clientele.order_profile);

-- What the aggregate refuses is left out.
CREATE FUNCTION pg_temp.refused_and_counted(ordered_at timestamptz, amount numeric) RETURNS TABLE (refusal text, counted bigint) LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE by_bigint;
    INSERT INTO by_bigint VALUES (1, ordered_at, amount);
    refusal := pg_temp.refusal('SELECT clientele.order_profile(ordered_at, amount) FROM by_bigint');
    counted := count(*) FROM clientele._count_profiles('counted') AS c(customer_id bigint, profile clientele.order_profile);
    RETURN NEXT;
END $$;
SELECT r.* FROM (VALUES ('2020-01-01', 'NaN'), ('2020-01-01', 'Infinity'), ('2020-01-01', '1e13'), ('2020-01-01', '-1e13'), ('2020-01-01', '9999999999999.99995'),
    ('-infinity', '1'), ('0001-12-31 BC', '1'), ('2020-01-01', '9999999999999.9999')) v (at, amount), pg_temp.refused_and_counted(at::timestamptz, amount::numeric) r;
SELECT clientele.drop_store('counted');

-- It can be cancelled while it reads.
CREATE VIEW endless AS SELECT generate_series(1, 1000000000) AS customer_id, timestamptz '2020-01-01' AS ordered_at, 1::numeric AS amount;
SELECT clientele.create_store('counted', 'endless');
SET statement_timeout = '200ms';
SELECT count(*) FROM clientele._count_profiles('counted') AS c(customer_id integer, profile clientele.order_profile);
RESET statement_timeout;
SELECT clientele.drop_store('counted');

DROP VIEW endless;
DROP TABLE numbered, by_smallint, by_integer, by_bigint, by_uuid, by_text, by_varchar, empty, single, skipped, many, many_texts, serial;
