-- Names: how long they may be, and names of time zones that are none.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA names_test;
SET search_path = names_test, public;
CREATE TABLE orders (customer_id int, ordered_at timestamptz, amount numeric);
INSERT INTO orders SELECT c, now() - n * interval '10 days', 10 * c + n FROM generate_series(1, 40) c, generate_series(1, 3) n;
SELECT clientele.create_store('shop', 'orders');
CALL clientele.refresh('shop');
-- So many characters of four bytes each, which nothing makes shorter.
CREATE FUNCTION long_name(characters int, seed text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(chr(65536 + (900000 * clientele.bucket(seed, i::text))::int), '') FROM generate_series(1, characters) i
$$;
CREATE FUNCTION outcome(statement text, name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text;
    detail text;
    hint text;
BEGIN
    EXECUTE statement USING name;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, message, detail, hint);
END $$;
CREATE TABLE named (statement text);
INSERT INTO named VALUES
    ($$SELECT clientele.define_segment('shop', $1, 'orders > 1')$$),
    ($$SELECT clientele.define_segment('shop', 'some', 'orders > 1', segmentation => $1)$$),
    ($$SELECT clientele.rename_segment('shop', coalesce((SELECT segment FROM shop.segment_rules WHERE segmentation = 'main'), 'default'), $1)$$),
    ($$SELECT clientele.set_default_segment('shop', $1)$$),
    ($$SELECT clientele.learn_segments('shop', $1, '{total_spent}', k => 2)$$),
    ($$SELECT clientele.add_rfm_segments('shop', $1)$$),
    ($$SELECT clientele.define_content('shop', $1, 'post A')$$),
    ($$SELECT clientele.define_offer('shop', $1, 'grow_order_value')$$),
    ($$SELECT count(*) FROM clientele.preview_offer('shop', $1, 'grow_order_value')$$);
SELECT statement, outcome(statement, repeat('x', 1201)) FROM named;
SELECT statement, outcome(statement, repeat(' ', 1201)) FROM named WHERE statement ~ 'content';
SELECT statement, outcome(statement, long_name(3000, 'n')) FROM named WHERE statement ~ 'define';
-- The longest of every kind side by side, in every index that has them.
SELECT statement, outcome(statement, long_name(300, statement)) FROM named;
CALL clientele.record_segments('shop');
SELECT clientele.define_content('shop', long_name(300, 'slot'), 'post B', (SELECT segment FROM shop.segment_rules WHERE segmentation = 'main'));
CALL clientele.issue_offers('shop');
SELECT max(length(segmentation)) AS segmentation, max(length(segment)) AS segment FROM shop.segment_membership;

-- The same rules under a name in another directory are the zone; what this machine is set to, and zones with leap seconds, are none.
SELECT clientele._check_time_zone('posix/America/New_York') WHERE EXISTS (SELECT FROM pg_timezone_names WHERE name = 'posix/America/New_York')
UNION SELECT 'America/New_York';
SELECT clientele.create_store('zoned', 'orders', time_zone => 'posix/localtime');
SELECT clientele.create_store('zoned', 'orders', time_zone => 'posix/right/UTC');
SELECT clientele.create_store('zoned', 'orders', time_zone => 'posix/Mars/Olympus');
SELECT clientele.create_store('zoned', 'orders', time_zone => 'posixrules');
SELECT clientele.create_store('zoned', 'orders', time_zone => 'localtime');

SELECT clientele.drop_store('shop', force => true);
DROP SCHEMA names_test CASCADE;

-- A subtransaction cannot begin where a query runs in several processes: what handles errors says that it is not for those.
SELECT p.proname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = 'clientele'::regnamespace AND l.lanname = 'plpgsql' AND p.prosrc ~ '\n\s*EXCEPTION\s*WHEN' AND p.proparallel <> 'u';
SELECT count(*) > 20 AS many FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE p.pronamespace = 'clientele'::regnamespace AND l.lanname = 'plpgsql' AND p.prosrc ~ '\n\s*EXCEPTION\s*WHEN';
