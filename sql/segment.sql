-- Segments: what a rule may say, what it gives, and how it is explained.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset null '(null)'
SET client_min_messages = warning;
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';

-- A shop with attributes of many kinds, under names that need quoting everywhere.
CREATE SCHEMA "Se.g ""ü";
SET search_path = "Se.g ""ü", public;
CREATE TYPE tier AS ENUM ('bronze', 'gold');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TABLE orders (customer_id bigint, ordered_at timestamptz, amount numeric(12, 2), status text DEFAULT 'completed');
CREATE TABLE customers (
    customer_id bigint PRIMARY KEY, birth_date date, joined text, city text COLLATE "C", tier tier, vip boolean,
    priority integer, "odd ""na.me ü" positive, segmentation text);
INSERT INTO customers VALUES
    (1, '1950-03-01', '2020-01-01', 'Paris', 'gold', true, 1, 1, 'a'),
    (2, '1990-03-01', '2021-01-01', 'rome', 'bronze', false, 2, 2, 'b'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (4, '2001-02-03', 'x', 'L''Aquila', 'gold', NULL, 4, 44, 'c');
INSERT INTO orders SELECT c, '2025-01-01'::timestamptz + n * interval '10 days', c * 10 + n
    FROM generate_series(1, 2) AS c, generate_series(1, 3) AS n;
SELECT clientele.create_store('Sho.p "ü', 'orders', customers => 'customers', order_filter => $$status = 'completed'$$,
    attributes => '{birth_date, joined, city, tier, vip, priority, "odd \"na.me ü", segmentation}');
CALL clientele.refresh('Sho.p "ü');
SET clientele.store = 'Sho.p "ü';
\set shop '''Sho.p "ü'''

-- Until there are rules everybody is in the default segment.
SELECT customer_id, segment FROM "Sho.p ""ü".customers ORDER BY 1;
SELECT clientele.assign_segment(1), clientele.segments_of(1);
SELECT * FROM clientele.explain_segment(1);

-- Rules that are accepted, and how they are kept.
SELECT clientele.define_segment(:shop, 'seniors', $$ birth_date < (as_of AT TIME ZONE 'UTC')::date - 365 * 60 $$);
SELECT clientele.define_segment(:shop, 'o''brien "x" .ü\', $$ city IN ('Paris', 'L''Aquila') AND tier = 'gold' $$, description => 'quoted');
SELECT clientele.define_segment(:shop, 'loyal', $$ orders >= 3 AND category_share(category_mix, 'baby') IS NULL OR total_spent / nullif(orders, 0) > 20 $$);
SELECT clientele.define_segment(:shop, 'odd', $$ "odd ""na.me ü" + priority = 4 $$, 5);
SELECT clientele.define_segment(:shop, 'never', 'NULL::boolean', segmentation => 'other');
SELECT clientele.define_segment(:shop, 'named', $$ segmentation = 'b' $$, segmentation => 'other');
SELECT segmentation, segment, priority, rule, operands, description, sensitive FROM "Sho.p ""ü".segment_rules ORDER BY 1, 3;
SELECT customer_id, segment FROM "Sho.p ""ü".customers ORDER BY 1;
SELECT * FROM "Sho.p ""ü".segments ORDER BY 1, 2;
SELECT c, clientele.assign_segment(c), clientele.segments_of(c), clientele.segments_of(c, segmentation => 'other')
FROM generate_series(1, 5) AS c;
SELECT clientele.segments_of('1'), clientele.segments_of(NULL::bigint), clientele.segments_of(NULL);
SELECT * FROM clientele.explain_segment(1, as_of => '2025-06-01');
SELECT * FROM clientele.explain_segment('3', as_of => '2025-06-01');
SELECT * FROM clientele.explain_segment(5, as_of => '2025-06-01');
SELECT * FROM clientele.explain_segment(2, segmentation => 'other');
SELECT * FROM clientele.explain_segment(NULL);

-- As of a past time the profile is that of the time.
SELECT customer_id, orders, segment FROM "Sho.p ""ü".customers_at('2025-01-25') ORDER BY 1;
SELECT clientele.segments_of(2, as_of => '2025-01-25'), clientele.segments_of(2, as_of => '2999-01-01');

-- The twin for one customer and the bulk result agree.
SELECT count(*) FROM "Sho.p ""ü".customers AS c WHERE c.segment IS DISTINCT FROM clientele.assign_segment(c.customer_id);
SELECT count(*) FROM "Sho.p ""ü".customers AS c
WHERE c.segment IS DISTINCT FROM (SELECT e.segment FROM clientele.explain_segment(c.customer_id) AS e WHERE e.assigned);

-- Redefinition: what is left out stays; a taken priority is refused.
SELECT clientele.define_segment(:shop, 'loyal', 'orders >= 2', sensitive => true, description => 'often here');
SELECT clientele.define_segment(:shop, 'loyal', 'orders >= 3');
SELECT segment, priority, rule, description, sensitive FROM "Sho.p ""ü".segment_rules WHERE segment = 'loyal';
SELECT clientele.define_segment(:shop, 'loyal', 'orders >= 3', 10);
SELECT clientele.define_segment(:shop, 'new', 'orders >= 3', 5);
SELECT clientele.define_segment(:shop, 'new', 'orders >= 3', 2147483647);
SELECT clientele.define_segment(:shop, 'newer', 'orders >= 3');
SELECT clientele.drop_segment(:shop, 'new');

-- A rule that cannot be computed for a customer: guarded ones can, and the explanation says which one fails.
SELECT clientele.define_segment(:shop, 'ratio', 'total_spent / orders > 5', 7, segmentation => 'other');
SELECT clientele.define_segment(:shop, 'guarded', 'total_spent / nullif(orders, 0) > 5', 6, segmentation => 'other');
SELECT * FROM clientele.explain_segment(3, segmentation => 'other');
SELECT * FROM clientele.explain_segment(1, segmentation => 'other');
SELECT clientele.drop_segment(:shop, 'ratio', 'other');

-- Names and arguments.
SELECT clientele.define_segment(NULL, 'x', 'vip');
SELECT clientele.define_segment(:shop, NULL, 'vip');
SELECT clientele.define_segment(:shop, 'x', NULL);
SELECT clientele.define_segment(:shop, 'x', 'vip', segmentation => NULL);
SELECT clientele.define_segment(:shop, ' ', 'vip');
SELECT clientele.define_segment(:shop, 'x', 'vip', segmentation => '');
SELECT clientele.define_segment(:shop, 'default', 'vip');
\set VERBOSITY terse
SELECT clientele.define_segment('nowhere', 'x', 'vip');
SELECT clientele.segments_of(1, 'nowhere');
\set VERBOSITY default
SELECT clientele.segments_of(1, segmentation => 'nowhere');
SELECT clientele.segments_of(1, segmentation => NULL);
SELECT clientele.explain_segment(1, segmentation => 'nowhere');
SELECT clientele.explain_segment('one');
SELECT clientele.segments_of('one');
SELECT clientele.drop_segment(:shop, 'nowhere');
SELECT clientele.drop_segment(:shop, 'default');
SELECT clientele.drop_segment(:shop, 'seniors', 'nowhere');
SELECT clientele.set_default_segment(:shop, 'seniors');
SELECT clientele.set_default_segment(:shop, '');
SELECT clientele.set_default_segment(:shop, NULL);
SELECT clientele.set_default_segment(:shop, 'average', 'nowhere');

-- The default segment, and a segmentation that goes with its last segment.
SELECT clientele.set_default_segment(:shop, 'average "ü');
SELECT clientele.set_default_segment(:shop, 'average "ü');
SELECT clientele.assign_segment(3), clientele.assign_segment(4711);
SELECT clientele.define_segment(:shop, 'default', 'vip');
SELECT clientele.drop_segment(:shop, 'default');
SELECT clientele.drop_segment(:shop, 'guarded', 'other'), clientele.drop_segment(:shop, 'never', 'other'), clientele.drop_segment(:shop, 'named', 'other');
SELECT * FROM "Sho.p ""ü".segmentations;

-- Refused rules. Not one expression:
SELECT clientele.define_segment(:shop, 'x', '');
SELECT clientele.define_segment(:shop, 'x', E' \n\t ');
SELECT clientele.define_segment(:shop, 'x', 'orders >= 3; DROP TABLE customers');
SELECT clientele.define_segment(:shop, 'x', 'orders >= 3;');
SELECT clientele.define_segment(:shop, 'x', 'orders >= 3 -- comment');
SELECT clientele.define_segment(:shop, 'x', 'orders /* comment */ >= 3');
SELECT clientele.define_segment(:shop, 'x', E'city = ''a'' -- comment\n ''b''');
SELECT clientele.define_segment(:shop, 'x', '/* open');
SELECT clientele.define_segment(:shop, 'x', 'orders >= 3, vip');
SELECT clientele.define_segment(:shop, 'x', 'vip AS v');
SELECT clientele.define_segment(:shop, 'x', '*');
SELECT clientele.define_segment(:shop, 'x', 'DISTINCT vip');
SELECT clientele.define_segment(:shop, 'x', 'vip FROM customers');
SELECT clientele.define_segment(:shop, 'x', 'vip WHERE vip');
SELECT clientele.define_segment(:shop, 'x', 'vip GROUP BY vip');
SELECT clientele.define_segment(:shop, 'x', 'vip HAVING vip');
SELECT clientele.define_segment(:shop, 'x', 'vip WINDOW w AS ()');
SELECT clientele.define_segment(:shop, 'x', 'vip ORDER BY 1');
SELECT clientele.define_segment(:shop, 'x', 'vip LIMIT 1');
SELECT clientele.define_segment(:shop, 'x', 'vip OFFSET 1');
SELECT clientele.define_segment(:shop, 'x', 'vip FOR UPDATE');
SELECT clientele.define_segment(:shop, 'x', 'vip UNION SELECT true');
SELECT clientele.define_segment(:shop, 'x', 'true) OR (true');
SELECT clientele.define_segment(:shop, 'x', $$vip THEN 'x' END; DROP TABLE customers; SELECT CASE WHEN true$$);
SELECT clientele.define_segment(:shop, 'x', $$vip THEN 'x' WHEN (true$$);
SELECT clientele.define_segment(:shop, 'x', 'orders >');

-- not boolean:
SELECT clientele.define_segment(:shop, 'x', 'orders');
SELECT clientele.define_segment(:shop, 'x', 'NULL');
SELECT clientele.define_segment(:shop, 'x', $$'true'$$);
SELECT clientele.define_segment(:shop, 'x', 'ROW(vip, orders)');

-- more than one row:
SELECT clientele.define_segment(:shop, 'x', 'orders > (SELECT 1)');
SELECT clientele.define_segment(:shop, 'x', 'EXISTS (SELECT FROM customers)');
SELECT clientele.define_segment(:shop, 'x', 'orders IN (SELECT 1)');
SELECT clientele.define_segment(:shop, 'x', 'ARRAY(SELECT 1) IS NOT NULL');
SELECT clientele.define_segment(:shop, 'x', 'count(*) > 3');
SELECT clientele.define_segment(:shop, 'x', 'clientele.rollup(NULL) IS NULL');
SELECT clientele.define_segment(:shop, 'x', 'sum(orders) OVER () > 3');
SELECT clientele.define_segment(:shop, 'x', 'rank() > 3');
SELECT clientele.define_segment(:shop, 'x', 'GROUPING(orders) = 1');
SELECT clientele.define_segment(:shop, 'x', 'unnest(ARRAY[true])');
SELECT clientele.define_segment(:shop, 'x', 'generate_series(1, 3) = orders');

-- columns:
SELECT clientele.define_segment(:shop, 'x', 'nosuch > 3');
SELECT clientele.define_segment(:shop, 'x', '"Orders" > 3');
SELECT clientele.define_segment(:shop, 'x', E'vip\n  AND ümlaut > 3');
SELECT clientele.define_segment(:shop, 'x', $$city = 'ü' AND segment = 'seniors'$$);
SELECT clientele.define_segment(:shop, 'x', 'customers IS NULL');
SELECT clientele.define_segment(:shop, 'x', 'customers.* IS NULL');
SELECT clientele.define_segment(:shop, 'x', 'ctid IS NULL');
SELECT clientele.define_segment(:shop, 'x', 'orders > $1');
SELECT clientele.define_segment(:shop, 'x', 'orders > DEFAULT');
SELECT clientele.define_segment(:shop, 'x', $$orders > 'many'$$);
SELECT clientele.define_segment(:shop, 'x', 'city > 3');

-- the clock:
SELECT clientele.define_segment(:shop, 'x', 'first_order_at > now()');
SELECT clientele.define_segment(:shop, 'x', 'first_order_at > transaction_timestamp()');
SELECT clientele.define_segment(:shop, 'x', 'first_order_at > statement_timestamp()');
SELECT clientele.define_segment(:shop, 'x', 'first_order_at > clock_timestamp()');
SELECT clientele.define_segment(:shop, 'x', 'timeofday() IS NULL');
SELECT clientele.define_segment(:shop, 'x', 'birth_date < CURRENT_DATE');
SELECT clientele.define_segment(:shop, 'x', 'first_order_at > CURRENT_TIMESTAMP(0)');
SELECT clientele.define_segment(:shop, 'x', 'LOCALTIME IS NULL');
SELECT clientele.define_segment(:shop, 'x', $$age(birth_date) > '60 years'$$);
SELECT clientele.define_segment(:shop, 'x', $$first_order_at > 'now'$$);
SELECT clientele.define_segment(:shop, 'x', $$birth_date < date 'today'$$);
SELECT clientele.define_segment(:shop, 'x', $$first_order_at > 'Yesterday 10:00'::timestamptz(0)$$);
SELECT clientele.define_segment(:shop, 'x', $$first_order_at > E't\x6Fmorrow'$$);
SELECT clientele.define_segment(:shop, 'x', $$first_order_at <@ '[today,)'::tstzrange$$);
SELECT clientele.define_segment(:shop, 'x', $$first_order_at = ANY ('{now}')$$);
SELECT clientele.define_segment(:shop, 'x', 'joined::date > birth_date');
SELECT clientele.define_segment(:shop, 'x', $$('to' || 'day')::date > birth_date$$);
SELECT clientele.define_segment(:shop, 'x', $$string_to_array('now', ',')::date[] IS NULL$$);
SELECT clientele.define_segment(:shop, 'x', $$timestamptz_in('now', 0, -1) > first_order_at$$);
SELECT clientele.define_segment(:shop, 'x', $$'10:00'::time::timetz IS NULL$$);

-- the session and the server:
SELECT clientele.define_segment(:shop, 'x', $$city = CURRENT_USER$$);
SELECT clientele.define_segment(:shop, 'x', $$city = current_setting('role')$$);
SELECT clientele.define_segment(:shop, 'x', $$pg_backend_pid() > orders$$);
SELECT clientele.define_segment(:shop, 'x', $$has_table_privilege('customers', 'SELECT')$$);
SELECT clientele.define_segment(:shop, 'x', $$table_to_xml('pg_class', true, true, '') IS NULL$$);

-- volatile and foreign functions, operators, casts and domains; whatever is planted, a rule means what it says:
CREATE FUNCTION lower(text) RETURNS text LANGUAGE sql IMMUTABLE RETURN 'planted';
CREATE FUNCTION planted(bigint, integer) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN true;
CREATE OPERATOR >= (LEFTARG = bigint, RIGHTARG = integer, FUNCTION = planted);
CREATE FUNCTION public.mine(bigint) RETURNS boolean LANGUAGE sql IMMUTABLE RETURN true;
CREATE FUNCTION public.gold(text) RETURNS tier LANGUAGE sql IMMUTABLE RETURN 'gold'::tier;
CREATE CAST (text AS tier) WITH FUNCTION public.gold(text);
CREATE TYPE pg_temp.int8 AS ENUM ('planted');
SELECT clientele.define_segment(:shop, 'x', 'random() > 0.5');
SELECT clientele.define_segment(:shop, 'x', 'pg_sleep(60) IS NULL');
SELECT clientele.define_segment(:shop, 'x', 'gen_random_uuid() IS NULL');
SELECT clientele.define_segment(:shop, 'x', 'mine(orders)');
SELECT clientele.define_segment(:shop, 'x', 'public.mine(orders)');
SELECT clientele.define_segment(:shop, 'x', $$vip AND orders OPERATOR("Se.g ""ü".>=) 100$$);
SELECT clientele.define_segment(:shop, 'x', $$vip AND city::"Se.g ""ü".tier = 'gold'$$);
SELECT clientele.define_segment(:shop, 'x', 'orders::"Se.g ""ü".positive > 3');
SELECT clientele.define_segment(:shop, 'x', $$clientele.assign_segment(customer_id) = 'x'$$);
SELECT clientele.define_segment(:shop, 'x', $$lower(city) = 'planted' AND orders >= 100 OR orders = '100'::int8$$);
SELECT rule FROM "Sho.p ""ü".segment_rules WHERE segment = 'x';
SELECT clientele.segments_of(1);
SELECT clientele.drop_segment(:shop, 'x');
DROP CAST (text AS tier);
DROP FUNCTION public.mine, public.gold;
DROP OPERATOR "Se.g ""ü".>= (bigint, integer);
DROP FUNCTION "Se.g ""ü".planted, "Se.g ""ü".lower;
DROP TYPE pg_temp.int8;

-- Trusted extensions can be used (where the server has them), others not.
SELECT count(*) = 2 AS has_extensions FROM pg_available_extensions WHERE name IN ('cube', 'earthdistance') \gset
\if :has_extensions
CREATE EXTENSION cube SCHEMA public;
CREATE EXTENSION earthdistance SCHEMA public;
SELECT deparsed FROM clientele._check_expression($$public.cube(1) OPERATOR(public.=) public.cube(orders)$$, '"Sho.p ""ü".customers', 'segment rule', false, '{segment}');
SELECT deparsed FROM clientele._check_expression($$public.earth() > orders$$, '"Sho.p ""ü".customers', 'segment rule', false, '{segment}');
DROP EXTENSION earthdistance, cube;
\else
\echo 'skipped: no contrib'
\endif

-- Endless and deep rules end in an ordinary error.
\set VERBOSITY sqlstate
SELECT clientele.define_segment(:shop, 'x', repeat('NOT ', 1000000) || 'vip');
SELECT clientele.define_segment(:shop, 'x', repeat('(', 100000) || 'vip' || repeat(')', 100000));
SELECT clientele.define_segment(:shop, 'x', 'orders > 1' || repeat('+1', 300000));
SELECT clientele.define_segment(:shop, 'x', 'vip' || repeat('::boolean', 300000));
\set VERBOSITY default
SELECT clientele.define_segment(:shop, 'long', 'orders IN (0' || repeat(',1', 2000) || ')', segmentation => 'other');
SELECT length(rule), cardinality(operands) FROM "Sho.p ""ü".segment_rules WHERE segment = 'long';
SELECT clientele.drop_segment(:shop, 'long', 'other');

-- How a rule is shown: without what PostgreSQL inserted.
SELECT e.shown, e.labels
FROM unnest(ARRAY[
    $$category_share(category_mix, 'baby') >= 0.1 OR aov > 40 AND orders = 1$$,
    $$CASE WHEN orders > 0 THEN total_spent / orders > 10 WHEN vip THEN city = E'a\n  b' ELSE joined LIKE 'x%' END$$,
    $$CASE tier WHEN 'gold' THEN vip END$$,
    $$coalesce(vip, false) IS NOT TRUE AND (orders, aov) > (3, 4)$$,
    $$birth_date BETWEEN '1950-01-01' AND as_of - interval '60 years'$$,
    $$city COLLATE "C" < 'b' AND "odd ""na.me ü" IN (1, 2) AND category_mix ? 'baby'$$,
    $$extract(year FROM age(as_of, birth_date)) > 60 AND 'a'::varchar = joined$$]) AS r,
    clientele._check_expression(r, '"Sho.p ""ü".customers', 'segment rule', false, '{segment}') AS e;

-- The session's settings do not change what a rule means, nor does a rule change the session's settings.
SET datestyle = 'German'; SET intervalstyle = 'iso_8601'; SET extra_float_digits = -5; SET quote_all_identifiers = on; SET transform_null_equals = on;
SELECT clientele.define_segment(:shop, 'x', $$birth_date < '03.02.2001' AND vip = NULL AND order_value_cv > 0.123456789012345678 AND age(first_order_at, birth_date) > '1 mon 2 days 3 hours'$$);
SHOW datestyle;
SHOW search_path;
RESET intervalstyle; RESET extra_float_digits; RESET quote_all_identifiers; RESET transform_null_equals;
SET datestyle = 'ISO, MDY';
SELECT rule FROM "Sho.p ""ü".segment_rules WHERE segment = 'x';
SELECT clientele.drop_segment(:shop, 'x');

-- A failed definition leaves nothing behind.
SELECT clientele.define_segment(:shop, 'x', 'nosuch', segmentation => 'fresh');
SELECT * FROM "Sho.p ""ü".segmentations;

-- order_filter is checked in the same way, and must be immutable.
SELECT clientele.create_store('other', 'orders', order_filter => 'ordered_at < now()');
SELECT clientele.create_store('other', 'orders', order_filter => $$ordered_at::date > '2020-01-01'$$);
SELECT clientele.create_store('other', 'orders', order_filter => 'amount');
SELECT clientele.create_store('other', 'orders', order_filter => 'ctid IS NULL');
SELECT clientele.create_store('other', 'orders', order_filter => 'amount > 0 OR EXISTS (SELECT FROM customers)');

-- Others can read but not define; sensitive values are for the owner alone.
CREATE ROLE regress_segment_reader;
GRANT USAGE ON SCHEMA "Sho.p ""ü", "Se.g ""ü" TO regress_segment_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA "Sho.p ""ü" TO regress_segment_reader;
GRANT SELECT ON orders, customers TO regress_segment_reader;
SELECT clientele.define_segment(:shop, 'loyal', 'orders >= 3', sensitive => true);
SET ROLE regress_segment_reader;
SELECT priority, segment, value_found, outcome, assigned FROM clientele.explain_segment(2, as_of => '2025-06-01');
SELECT clientele.assign_segment(2), clientele.segments_of(2);
SELECT clientele.define_segment(:shop, 'x', 'vip');
SELECT clientele.drop_segment(:shop, 'loyal');
SELECT clientele.set_default_segment(:shop, 'mine');
RESET ROLE;
SELECT priority, segment, value_found, outcome, assigned FROM clientele.explain_segment(2, as_of => '2025-06-01');

-- Literals wherever they can stand; one that is a domain's somewhere within is not read: its constraint would run.
SELECT shown FROM clientele._check_expression($$ category_mix ->> 'x' = 'a' AND 'b' IN ('a', 'b') AND first_order_at > '2020-01-01 00:00+00' AND category_mix @> '{"a": 1}'
    AND '{1,2}'::int[] @> ARRAY[orders::int] AND format('%s', 'x') = 'x' AND 'a' || 'b' = concat('a', 'b') AND extract(year from as_of) > 2000 AND as_of < as_of + interval '1 day'
    AND 'x' COLLATE "C" = 'x' AND as_of AT TIME ZONE 'UTC' > '2020-01-01' AND date '2020-01-01' < '2021-01-01' AND tier = 'gold' AND "odd ""na.me ü" = '5' $$, format('%I.customers', :shop)::regclass, 'rule', false, NULL);
SELECT shown FROM clientele._check_expression($$ NULLIF('a', 'b') = 'a' AND CASE 'x' WHEN 'x' THEN true ELSE 'f' END AND GREATEST('a', 'b') = 'b' AND ('a', 'b') = ('a', 'b') AND 'abc' LIKE 'a%'
    AND 'abc' SIMILAR TO 'a%' AND 'a' BETWEEN 'a' AND 'b' AND 'x' IS NOT DISTINCT FROM 'x' AND (ARRAY['a', 'b'])[1] = 'a' AND substring('abc' from 1 for 1) = 'a' $$, format('%I.customers', :shop)::regclass, 'rule', false, NULL);
SELECT clientele.define_segment(:shop, 'x', $$ '{1}'::"Se.g ""ü".positive[] IS NOT NULL $$);
SELECT clientele.define_segment(:shop, 'x', $$ 'x' $$);

-- A sensitive segment and offers without a disclosure exclude each other.
SELECT clientele.define_offer(:shop, 'for seniors', objective => 'grow_order_value', segments => '{seniors}');
SELECT clientele.define_segment(:shop, 'seniors', 'vip', sensitive => true);
SELECT clientele.drop_segment(:shop, 'seniors');
SELECT clientele.define_offer(:shop, 'for seniors', objective => 'grow_order_value', segments => '{seniors}', disclosure => 'For our seniors');
SELECT clientele.define_segment(:shop, 'seniors', 'vip', sensitive => true);

SELECT clientele.drop_store(:shop);
DROP OWNED BY regress_segment_reader;
DROP ROLE regress_segment_reader;
DROP SCHEMA "Se.g ""ü" CASCADE;
