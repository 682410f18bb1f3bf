-- Values are compared by the rules of their own type, also where its operators live in the schema of an extension.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset null '(null)'
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE EXTENSION citext SCHEMA public;
CREATE SCHEMA "Other Types";
CREATE EXTENSION hstore SCHEMA "Other Types";
CREATE EXTENSION ltree SCHEMA "Other Types";
CREATE EXTENSION isn SCHEMA "Other Types";
CREATE DOMAIN address AS citext CHECK (VALUE LIKE '%@%');
SET search_path = public, "Other Types";

CREATE TABLE customers (
    customer_id int PRIMARY KEY, email citext, second_email address, emails citext[], note text,
    facts hstore, path ltree, paths ltree[], book isbn13);
INSERT INTO customers VALUES
    (1, 'Ann@Example.com', 'ANN@example.org', '{Ann@Example.com,a@b.c}', 'ann@example.com', 'vip=>yes, shoe=>42', 'Top.Food.Cheese', '{Top.Food,Top.Toys}', '978-0-14-044913-6'),
    (2, 'ben@example.com', 'Ben@Example.org', '{ben@example.com}', 'x', 'vip=>no', 'Top.Toys', '{Top.Toys}', '978-0-14-044926-6'),
    (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE orders (order_id citext PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10,2), channel citext);
INSERT INTO orders VALUES ('SO-1', 1, '2025-03-01', 40, 'Web'), ('SO-2', 2, '2025-03-02', 30, 'web'), ('SO-3', 2, '2025-03-03', 20, 'shop');
CREATE TABLE lines (order_id citext, category text, amount numeric(10,2));
INSERT INTO lines VALUES ('so-1', 'dairy', 40), ('SO-2', 'dairy', 30), ('So-3', 'baby', 20);
CREATE INDEX ON orders (customer_id);
CREATE INDEX ON lines (order_id);

-- The session's path does not matter.
SET search_path = pg_catalog;
SELECT clientele.create_store('shop', orders => 'public.orders', order_filter => $$ channel = 'WEB' $$, customers => 'public.customers',
    attributes => '{email,second_email,emails,note,facts,path,paths,book}', items => 'public.lines');
CALL clientele.refresh('shop');
SELECT customer_id, orders, category_mix FROM shop.customers ORDER BY 1;
SELECT order_filter FROM shop.settings;

-- Each of these rules is asked of the server itself, too, with the types' schemas on the path.
CREATE TABLE public.rules (rule text);
INSERT INTO public.rules VALUES
    ($$email = 'ANN@example.com'$$), ($$'ANN@example.com' = email$$), ($$email <> 'ANN@example.com'$$), ($$email IN ('x', 'ANN@example.com')$$),
    ($$email NOT IN ('x', 'ANN@example.com')$$), ($$email LIKE 'ANN%'$$), ($$email NOT LIKE 'ANN%'$$), ($$email ILIKE 'ANN%'$$), ($$email ~ '^ANN'$$),
    ($$email SIMILAR TO 'ANN%'$$), ($$email LIKE ANY ('{ANN%,BEN%}')$$), ($$email IS DISTINCT FROM 'ANN@example.com'$$),
    ($$email IS NOT DISTINCT FROM 'ANN@example.com'$$), ($$email IS DISTINCT FROM second_email$$), ($$email IS NOT DISTINCT FROM nullif(email, 'x')$$),
    ($$email IS DISTINCT FROM NULL$$), ($$email BETWEEN 'ANN' AND 'ANO'$$), ($$email BETWEEN SYMMETRIC 'ANO' AND 'ANN'$$), ($$email >= 'B'$$),
    ($$CASE email WHEN 'x' THEN false WHEN 'ANN@EXAMPLE.COM' THEN true END$$), ($$CASE orders WHEN 1 THEN email END = 'ANN@EXAMPLE.com'$$),
    ($$CASE email WHEN 'ANN@EXAMPLE.COM' THEN CASE orders WHEN 1 THEN 2 ELSE 3 END END = 2$$),
    ($$CASE lower(note) WHEN 'X' THEN true WHEN CASE email WHEN 'ANN@EXAMPLE.COM' THEN 'ann@example.com' END THEN true END$$),
    ($$nullif(email, 'ANN@EXAMPLE.COM') IS NULL$$), ($$email = ANY ('{x,ANN@EXAMPLE.COM}')$$), ($$email <> ALL ('{x,ANN@EXAMPLE.COM}')$$),
    ($$(email, orders) = ('ANN@EXAMPLE.COM', 1)$$), ($$(email, orders) <> ('ANN@EXAMPLE.COM', 1)$$), ($$(email, orders) < ('ANN@EXAMPLE.COM', 3)$$),
    ($$(email, orders) >= ('ANN@EXAMPLE.COM', 1)$$), ($$(orders, email) > (1, 'ANN@EXAMPLE.COM')$$), ($$(orders, email, note) <= (1, 'ANN@EXAMPLE.COM', NULL)$$),
    ($$(email, orders) IN (('ANN@EXAMPLE.COM', 1), ('x', 2))$$), ($$(email, second_email) IS DISTINCT FROM ('ANN@example.com', 'ann@EXAMPLE.org')$$),
    ($$greatest(email, 'ANN@EXAMPLE.COM') = email$$), ($$coalesce(email, 'x') = 'ANN@example.com'$$), ($$replace(email, 'ANN', 'x') = 'x@Example.com'$$),
    ($$second_email = 'ann@example.org'$$), ($$second_email IN ('ann@example.org')$$), ($$second_email IS DISTINCT FROM 'ann@example.org'$$),
    ($$'ANN@EXAMPLE.COM' = ANY (emails)$$), ($$emails = '{ANN@example.com,A@b.c}'$$), ($$emails @> '{A@B.C}'$$), ($$emails[1] = 'ANN@example.com'$$),
    ($$email = 'ANN@example.com'::public.citext$$), ($$note::public.citext = 'ANN@example.com'$$), ($$note = 'ANN@example.com'$$),
    -- PostgreSQL's own rules for citext beside text: as text.
    ($$email = note$$), ($$email = 'ANN@example.com'::text$$), ($$email = lower('ANN@EXAMPLE.COM')$$), ($$lower(email) = 'ann@example.com'$$),
    ($$facts -> 'vip' = 'yes'$$), ($$facts ? 'shoe'$$), ($$facts @> 'vip=>yes'$$), ($$facts = 'shoe=>42,vip=>yes'$$), ($$facts['vip'] = 'no'$$),
    ($$(facts || 'vip=>no') -> 'vip' = 'no'$$), ($$facts IS DISTINCT FROM 'vip=>no'$$),
    ($$path <@ 'Top.Food'$$), ($$path ~ '*.Cheese'$$), ($$path > 'Top.Food'$$), ($$paths ?@> 'Top.Food.Milk' IS NOT NULL$$), ($$paths @> 'Top.Food.Cheese'$$),
    ($$book = '9780140449136'$$), ($$book < '978-0-14-044920-4'$$), ($$book IN ('9780140449136', '9780140449266')$$);
SELECT count(clientele.define_segment('shop', rule, rule, segmentation => 'rules')) FROM public.rules;
SET search_path = pg_catalog, public, "Other Types";
CREATE FUNCTION public.compare(rule text, OUT here bigint[], OUT there bigint[]) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'SELECT array_agg(c.customer_id ORDER BY 1) FROM shop.customers AS c WHERE ' || rule INTO there;
    SELECT array_agg(c.customer_id ORDER BY 1) INTO here FROM shop.customers AS c WHERE compare.rule = ANY (clientele.segments_of(c.customer_id, 'shop', 'rules'));
END $$;
SELECT rule, here, there FROM public.rules CROSS JOIN LATERAL public.compare(rule) WHERE here IS DISTINCT FROM there;
SELECT count(*), count(here) AS that_match FROM public.rules CROSS JOIN LATERAL public.compare(rule);
SET search_path = pg_catalog;

-- What is kept says where each operator is from; what is shown does not.
\pset format unaligned
SELECT rule, operands FROM shop.segment_rules WHERE segmentation = 'rules' AND segment ~ 'DISTINCT|CASE|nullif|->|<@' ORDER BY priority;
SELECT segment, condition, value_found, outcome FROM clientele.explain_segment(1, 'shop', 'rules') WHERE segment ~ 'DISTINCT|CASE|nullif|->|<@';
\pset format aligned

-- Features, too.
SELECT k, chosen FROM clientele.learn_segments('shop', 'learned', ARRAY[$$(email = 'ANN@example.com')::int$$, 'coalesce(total_spent, 0)'], 2);
SELECT segment, customers FROM clientele.describe_segments('shop', 'learned') ORDER BY segment;

-- A type of nobody's: its operators cannot be used, and those of text are not what is meant.
RESET search_path;
CREATE TYPE code;
CREATE FUNCTION code_in(cstring) RETURNS code LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'textin';
CREATE FUNCTION code_out(code) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE AS 'textout';
CREATE TYPE code (INPUT = code_in, OUTPUT = code_out, LIKE = text);
CREATE CAST (code AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE FUNCTION same_code(code, code) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN upper($1::text) = upper($2::text);
CREATE OPERATOR = (LEFTARG = code, RIGHTARG = code, FUNCTION = same_code);
CREATE TABLE members (customer_id int PRIMARY KEY, code code, codes code[]);
INSERT INTO members VALUES (1, 'Ab', '{Ab}');
SELECT clientele.create_store('club', orders => 'orders', order_id => 'order_id', customers => 'members', attributes => '{code,codes}');
SELECT clientele.define_segment('club', 'ab', $$code = 'ab'$$);
SELECT clientele.define_segment('club', 'ab', $$code IN ('ab', 'cd')$$);
SELECT clientele.define_segment('club', 'ab', $$(code, orders) = ('ab', 1)$$);
SELECT clientele.define_segment('club', 'ab', $$code IS DISTINCT FROM 'ab'$$);
SELECT clientele.define_segment('club', 'ab', $$code = 'ab'::public.code$$);
SELECT clientele.define_segment('club', 'ab', $$code::text = 'Ab' AND code LIKE 'A%'$$);
SELECT clientele.assign_segment(1, 'club');

-- What somebody puts beside an extension's operators is not used.
CREATE FUNCTION planted(citext, text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN true;
CREATE OPERATOR = (LEFTARG = citext, RIGHTARG = text, FUNCTION = planted);
SELECT clientele.define_segment('shop', 'planted', $$email = 'x'::text$$);
SELECT clientele.define_segment('shop', 'ann', $$email = 'ANN@example.com'$$);
SELECT clientele.segments_of(1, 'shop'), clientele.segments_of(2, 'shop');
DROP OPERATOR = (citext, text);

-- Nor what the owner of an extension puts into it.
CREATE ROLE comparing;
DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO comparing', current_database()); END $$;
CREATE SCHEMA planting AUTHORIZATION comparing;
SET ROLE comparing;
CREATE EXTENSION seg SCHEMA planting;
CREATE FUNCTION planting.planted(planting.seg, text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN true;
CREATE OPERATOR planting.= (LEFTARG = planting.seg, RIGHTARG = text, FUNCTION = planting.planted);
ALTER EXTENSION seg ADD FUNCTION planting.planted(planting.seg, text);
ALTER EXTENSION seg ADD OPERATOR planting.= (planting.seg, text);
RESET ROLE;
SELECT clientele.define_segment('shop', 'planted', $$'1..2'::planting.seg = '1 .. 2'$$);
SELECT clientele.segments_of(1, 'shop');
SELECT clientele.define_segment('shop', 'planted', $$'1..2'::planting.seg = '1..2'::text$$);
SELECT clientele.drop_segment('shop', 'planted');
DROP EXTENSION seg CASCADE;

-- Whoever may not use the schema of a type's operators is told so.
GRANT SELECT ON customers, orders TO comparing;
CREATE SCHEMA closed;
GRANT USAGE ON SCHEMA closed TO comparing;
ALTER EXTENSION citext SET SCHEMA closed;
SET ROLE comparing;
SELECT clientele.create_store('theirs', orders => 'orders', customers => 'customers', attributes => '{email,emails}');
SELECT clientele.define_segment('theirs', 'ann', $$email = 'ANN@example.com'$$);
SELECT clientele.assign_segment(1, 'theirs');
RESET ROLE;
REVOKE USAGE ON SCHEMA closed FROM comparing;
SET ROLE comparing;
SELECT clientele.define_segment('theirs', 'ben', $$email = 'BEN@example.com'$$);
SELECT clientele.define_segment('theirs', 'ben', $$emails = '{x}'$$);
SELECT clientele.define_segment('theirs', 'ben', $$email::text = 'ben@example.com'$$);
SELECT clientele.assign_segment(1, 'theirs'), clientele.assign_segment(2, 'theirs');
SELECT clientele.drop_store('theirs');
RESET ROLE;
ALTER EXTENSION citext SET SCHEMA public;

-- Order ids: lines, changes of lines in a live store, redemptions.
SELECT clientele.create_store('live', orders => 'orders', items => 'lines', customers => 'customers', live => true);
CALL clientele.refresh('live');
SELECT customer_id, category_mix FROM live.customers ORDER BY 1;
UPDATE lines SET category = 'cheese' WHERE order_id = 'SO-1';
INSERT INTO lines VALUES ('so-3', 'toys', 5);
SELECT customer_id, category_mix FROM live.customers ORDER BY 1;
CALL clientele.refresh('live');
SELECT customer_id, category_mix FROM live.customers ORDER BY 1;
SELECT * FROM clientele.check_store('live');
SELECT clientele.define_offer('live', 'any', objective => 'grow_order_value', valid_for => '14 days', holdout => 0);
SELECT count(*) AS issued FROM clientele.issue_offer(2, 'live');
INSERT INTO orders VALUES ('SO-9', 2, clock_timestamp(), 900, 'web');
SELECT pg_sleep(0.01);
SELECT r.order_id FROM live.ledger AS l CROSS JOIN LATERAL clientele.redeem_offer(l.code, 'so-9', 'live') AS r;
SELECT clientele.void_redemption('sO-9', 'live');

SELECT clientele.drop_store('live'), clientele.drop_store('club'), clientele.drop_store('shop');
REASSIGN OWNED BY comparing TO CURRENT_USER;
DROP OWNED BY comparing;
DROP ROLE comparing;
DROP TABLE customers, orders, lines, rules, members;
DROP FUNCTION compare;
DROP TYPE code CASCADE;
DROP DOMAIN address;
DROP EXTENSION citext, hstore, ltree, isn CASCADE;
DROP SCHEMA "Other Types", closed, planting;
