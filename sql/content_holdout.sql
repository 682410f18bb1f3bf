-- Content: a share of a segment sees no post of a slot; what is shown is written down when asked to, and measured.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
\set SHOW_CONTEXT never
\pset null '(null)'
CREATE SCHEMA holding;
SET search_path = holding, public;
CREATE TABLE buyers (customer_id smallint PRIMARY KEY, children int);
INSERT INTO buyers SELECT c, c % 3 FROM generate_series(1, 3000) c;
CREATE TABLE orders (order_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id smallint, ordered_at timestamptz, amount numeric(10, 2));
CREATE INDEX ON orders (customer_id);
INSERT INTO orders (customer_id, ordered_at, amount)
SELECT c, now() - make_interval(days => 25 + 7 * n), 20 + 60 * clientele.bucket('size', c::text) + 5 * n FROM generate_series(1, 2900) c, generate_series(1, 1 + c % 3) n;
SELECT clientele.create_store('posts', 'holding.orders', customers => 'holding.buyers', attributes => '{children}', margin => 0.4);
CALL clientele.refresh('posts');
SET clientele.store = 'posts';
SELECT clientele.define_segment('posts', 'families', 'children > 0');
SELECT clientele.define_content('posts', 'home', 'post A', 'families', holdout => 0.2);
SELECT clientele.define_content('posts', 'home', 'post C', holdout => 0.1);
SELECT clientele.define_content('posts', 'mail', 'letter', holdout => 0.2);
SELECT clientele.define_content('posts', 'foot', 'imprint');
SELECT slot, segment, content, holdout FROM posts.contents ORDER BY 1, 2;

-- ---- Who sees what: a share of each segment nothing, by a hash of slot and customer; all ways of asking agree ----
CREATE TABLE shown AS
SELECT c.customer_id, c.segment, c.content, clientele.content_for(c.customer_id, 'home') AS home, clientele.content_for(c.customer_id::text, 'mail') AS mail,
    clientele.content_for(c.customer_id, 'foot') AS foot FROM posts.campaign c;
SELECT segment, count(*), round(avg((home IS NULL)::int), 2) AS no_home, round(avg((mail IS NULL)::int), 2) AS no_mail, round(avg((foot IS NULL)::int), 2) AS no_foot
FROM shown GROUP BY 1 ORDER BY 1;
SELECT count(*) FILTER (WHERE content IS DISTINCT FROM jsonb_strip_nulls(jsonb_build_object('home', home, 'mail', mail, 'foot', foot))) AS views_differ,
    count(*) FILTER (WHERE (home IS NULL) <> (clientele.bucket('posts:home:content', customer_id::text) < CASE segment WHEN 'families' THEN 0.2 ELSE 0.1 END)) AS differ_from_the_hash
FROM shown;
-- Slots draw each for itself.
SELECT round(avg((home IS NULL AND mail IS NULL)::int) / (avg((home IS NULL)::int) * avg((mail IS NULL)::int)), 1) AS independent FROM shown;
-- However the key is written; nobody, unknown customers, and keys that no customer can have.
SELECT content ->> 'home' IS NULL AS held_out, clientele.content_for(customer_id::text, 'home') IS NULL AS by_text, clientele.content_for(' ' || customer_id || ' ', 'home') IS NULL AS as_typed
FROM posts.campaign WHERE clientele.bucket('posts:home:content', customer_id::text) < 0.1 ORDER BY customer_id LIMIT 1;
SELECT clientele.content_for(NULL::int, 'home') AS nobody, clientele.content_for('99999999999', 'home') AS impossible, clientele.content_for('99999999999', 'home', expose => true) AS exposed;
-- Where nobody is told to, nothing is written.
SELECT count(*) FROM posts.content_exposures;

-- ---- What is written down; segments are none of its business ----
SELECT count(*) AS events FROM posts.segment_events \gset
CREATE TABLE asked AS
SELECT customer_id, clientele.content_for(customer_id, 'home', expose => true) AS home, clientele.content_for(customer_id::text, 'foot', 'posts', expose => true) AS foot FROM posts.customers;
SELECT count(*) FILTER (WHERE a.home IS DISTINCT FROM s.home OR a.foot IS DISTINCT FROM s.foot) AS differ FROM asked a JOIN shown s USING (customer_id);
SELECT slot, content, segment, holdout, held_out, count(*) FROM posts.content_exposures GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 5;
SELECT count(*) = :events AND :events > 0 AS same_events FROM posts.segment_events;
SELECT count(*) FILTER (WHERE e.held_out <> (s.home IS NULL)) AS differ, min(e.margin) AS least_margin, max(e.exposed_at) <= now() AS dated FROM posts.content_exposures e JOIN shown s USING (customer_id) WHERE slot = 'home';
-- The first time counts, whatever is defined since; another post is another row.
BEGIN;
SELECT count(clientele.content_for(customer_id, 'home', expose => true)) > 2000 AS again FROM posts.customers;
SELECT clientele.define_content('posts', 'home', 'post A', 'families', holdout => 0.9);
SELECT count(clientele.content_for(customer_id, 'home', expose => true)) < 1500 AS fewer FROM posts.customers;
SELECT clientele.define_content('posts', 'home', 'post B', 'families');
SELECT clientele.content_for(1, 'home', expose => true);
SELECT slot, content, holdout, count(*) FROM posts.content_exposures GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
ROLLBACK;
-- Nobody to write down: no content, no customer. An unknown one sees what is for the default segment.
SELECT clientele.content_for(1, 'nowhere', expose => true) AS no_content, clientele.content_for(NULL::int, 'home', expose => true) AS nobody, clientele.content_for(3001, 'foot', expose => true) AS unknown;
SELECT count(*), count(*) FILTER (WHERE customer_id = 3001 AND margin IS NULL) AS unknown FROM posts.content_exposures;
DELETE FROM posts.content_exposures WHERE customer_id = 3001;

-- ---- Measuring: as programs are ----
UPDATE posts.content_exposures SET exposed_at = exposed_at - interval '20 days' - customer_id % 4 * interval '1 day';
\set VERBOSITY terse
SELECT clientele.measure_lift('posts', NULL, content => 'post A', horizon => '30 days');
\set VERBOSITY default
-- Whoever was shown post A spends 6 more; one in four does not come.
INSERT INTO orders (customer_id, ordered_at, amount)
SELECT e.customer_id, e.exposed_at + interval '5 days', 15 + 60 * clientele.bucket('size', e.customer_id::text) + 10 * clientele.bucket('chance', e.customer_id::text)
    + CASE WHEN e.content = 'post A' AND NOT e.held_out THEN 6 ELSE 0 END
FROM posts.content_exposures e WHERE e.slot = 'home' AND e.customer_id % 4 > 0;
-- Edges: at the instant of the exposure, and the horizon's end.
INSERT INTO orders (customer_id, ordered_at, amount) SELECT e.customer_id, e.exposed_at + t.after, 100 FROM posts.content_exposures e,
    unnest('{-1 microsecond,0,14 days,13 days 23:59:59.999999}'::interval[]) t (after) WHERE e.slot = 'home' AND e.customer_id IN (9, 10);
CREATE FUNCTION expected(metric text, of_content text, of_segment text DEFAULT NULL, horizon interval DEFAULT '14 days', pre interval DEFAULT '90 days') RETURNS clientele.lift_result LANGUAGE sql AS $$
    WITH rows AS (
        SELECT NOT e.held_out AS treated, y.*, x.x FROM posts.content_exposures e
        CROSS JOIN LATERAL (SELECT count(*)::float8 AS orders, CASE metric WHEN 'orders_per_customer' THEN count(*) WHEN 'repeat_rate' THEN (count(*) > 0)::int WHEN 'net_margin_per_customer' THEN 0.4 * coalesce(sum(o.amount), 0)
                ELSE coalesce(sum(o.amount), 0) END::float8 AS y FROM orders o WHERE o.customer_id = e.customer_id AND o.ordered_at >= e.exposed_at AND o.ordered_at < e.exposed_at + horizon) y
        CROSS JOIN LATERAL (SELECT CASE metric WHEN 'orders_per_customer' THEN count(*) WHEN 'repeat_rate' THEN (count(*) > 0)::int WHEN 'net_margin_per_customer' THEN 0.4 * coalesce(sum(o.amount), 0)
                ELSE coalesce(sum(o.amount), 0) END::float8 AS x FROM orders o WHERE o.customer_id = e.customer_id AND o.ordered_at < e.exposed_at AND o.ordered_at >= e.exposed_at - pre) x
        WHERE e.slot = 'home' AND e.content = of_content AND (of_segment IS NULL OR e.segment = of_segment) AND NOT e.crossed)
    SELECT CASE metric WHEN 'aov' THEN clientele.lift_ratio(y, orders, treated) ELSE clientele.lift(y, treated, x) END FROM rows $$;
CREATE FUNCTION fields(r clientele.lift_report) RETURNS clientele.lift_result IMMUTABLE LANGUAGE sql AS $$
    SELECT ROW(r.n_control, r.n_treated, r.mean_control, r.mean_treated, r.sd_control, r.sd_treated, r.effect, r.se, r.df, r.ci_low, r.ci_high, r.p_value,
        r.relative_effect, r.relative_ci_low, r.relative_ci_high, r.theta, r.variance_reduction)::clientele.lift_result $$;
-- To the last bit what plain SQL gives, counts and intervals; what makes an interval that can be looked at daily, and the split, are the toolkit's.
SELECT m.metric, r.metric, fields(r)::text = expected(r.metric, 'post A')::text AS same,
    (r.sequential_low, r.sequential_high) IS NOT DISTINCT FROM (SELECT (s.ci_low, s.ci_high) FROM clientele.sequential_interval(fields(r)) s) AS sequential,
    r.srm_pvalue = clientele.srm_pvalue(ARRAY[r.n_control, r.n_treated], '{0.2,0.8}') AS srm, r.horizon, r.excluded
FROM unnest('{net_margin_per_customer,revenue_per_customer,orders_per_customer,repeat_rate,aov}'::text[]) m (metric), clientele.measure_lift('posts', NULL, m.metric, content => 'post A') r;
SELECT fields(r)::text = expected('revenue_per_customer', 'post A', pre => '60 days', horizon => '10 days')::text AS same, r.ci_low < 6 * 0.75 AND r.ci_high > 6 * 0.75 AS true_within, variance_reduction > 0.02 AS less_noise
FROM clientele.measure_lift('posts', NULL, 'revenue_per_customer', horizon => '10 days', pre_period => '60 days', content => 'post A') r;
SELECT segment, n_control + n_treated AS customers, fields(r)::text = expected(metric, 'post A', segment)::text AS same, versions, note FROM clientele.measure_lift('posts', NULL, content => 'post A', slot => 'home', by_segment => true) r;
-- Who was exposed since some time; a share of 0.1 counts within itself, another one, too.
SELECT n_control + n_treated AS customers, (SELECT count(*) FROM posts.content_exposures WHERE content = 'post A' AND exposed_at >= now() - interval '22 days') AS exposed
FROM clientele.measure_lift('posts', NULL, "from" => now() - interval '22 days', content => 'post A');
BEGIN;
UPDATE posts.content_exposures SET holdout = 0.3 WHERE content = 'post A' AND customer_id <= 1000;
SELECT n_control + n_treated AS customers, versions, srm_pvalue = (SELECT min(p) FROM unnest(clientele.holm(ARRAY(
        SELECT clientele.srm_pvalue(ARRAY[count(*) FILTER (WHERE held_out), count(*) FILTER (WHERE NOT held_out)], ARRAY[holdout, 1 - holdout]) FROM posts.content_exposures WHERE content = 'post A' GROUP BY holdout))) p) AS srm
FROM clientele.measure_lift('posts', NULL, content => 'post A');
ROLLBACK;
-- A split that no chance explains.
BEGIN;
DELETE FROM posts.content_exposures WHERE content = 'post A' AND held_out AND customer_id % 2 = 0;
SELECT left(note, 21) AS note FROM clientele.measure_lift('posts', NULL, content => 'post A');
ROLLBACK;
-- Rewards count, and those that nobody has settled are missed.
SELECT clientele.define_offer('posts', 'p', 'grow_order_value', max_cv => NULL);
SELECT count(*) FROM (SELECT clientele.issue_offer(c) FROM generate_series(1, 400) c) i;
UPDATE posts.ledger SET issued_at = issued_at - interval '24 days', valid_until = valid_until - interval '4 days', min_spend = 20;
SELECT left(note, 10) AS note FROM clientele.measure_lift('posts', NULL, content => 'post A');
CALL clientele.settle_offers('posts');
SELECT note, round((u.mean_treated - r.mean_treated)::numeric, 6) = (SELECT round(sum(l.reward) FILTER (WHERE l.ordered_at >= e.exposed_at AND l.ordered_at < e.exposed_at + interval '14 days') / count(DISTINCT e.customer_id), 6)
        FROM posts.content_exposures e LEFT JOIN posts.offer_ledger l ON l.customer_id = e.customer_id AND l.status = 'redeemed' WHERE e.content = 'post A' AND NOT e.held_out) AS rewards
FROM clientele.measure_lift('posts', NULL, content => 'post A') r, expected('net_margin_per_customer', 'post A') u;
-- Shown, held out of nothing; dropped, it is measured all the same.
SELECT clientele.measure_lift('posts', NULL, content => 'imprint');
SELECT clientele.drop_content('posts', 'home');
SELECT n_control, n_treated FROM clientele.measure_lift('posts', NULL, content => 'post C');

-- ---- Keeping it ----
-- Definitions carry the share; where there is none, nothing.
SELECT clientele.export_definitions('posts') -> 'contents' AS exported;
SELECT kind, name, action, before, after FROM clientele.apply_definitions('posts', '{"format": 1, "contents": [{"slot": "mail", "content": "letter", "holdout": 0.25}, {"slot": "foot", "content": "imprint", "holdout": 0.0}]}');
SELECT kind FROM clientele.apply_definitions('posts', clientele.export_definitions('posts'), prune => true);
SELECT kind, name, action, before, after FROM clientele.apply_definitions('posts', '{"format": 1, "contents": [{"slot": "mail", "content": "letter"}]}');
SELECT clientele.apply_definitions('posts', '{"format": 1, "contents": [{"slot": "mail", "content": "letter", "holdout": 1}]}');
SELECT clientele.apply_definitions('posts', '{"format": 1, "contents": [{"slot": "mail", "content": "letter", "holdout": "0.1"}]}');
-- A new default segment takes it along.
SELECT clientele.define_content('posts', 'mail', 'letter', holdout => 0.2);
SELECT clientele.set_default_segment('posts', 'average');
SELECT slot, segment, holdout FROM posts.contents ORDER BY 1, 2;
SET client_min_messages = notice;
SELECT clientele.define_content('posts', 'mail', 'letter 2');
SET client_min_messages = warning;
SELECT clientele.define_content('posts', 'mail', 'letter', holdout => 0.2);
-- Two customers who are one: the first exposure counts, and who was in both arms is in neither.
SELECT customer_id AS shown FROM posts.content_exposures WHERE content = 'post A' AND NOT held_out AND customer_id > 1000 ORDER BY exposed_at, 1 LIMIT 1 \gset
SELECT customer_id AS also_shown FROM posts.content_exposures WHERE content = 'post A' AND NOT held_out AND customer_id > 1000 ORDER BY exposed_at DESC, 1 LIMIT 1 \gset
SELECT customer_id AS held_out FROM posts.content_exposures WHERE content = 'post A' AND held_out AND customer_id > 1000 ORDER BY exposed_at, 1 LIMIT 1 \gset
SELECT customer_id AS other FROM posts.content_exposures WHERE content = 'post C' AND customer_id > 1000 ORDER BY 1 LIMIT 1 \gset
SELECT exposed_at AS first_at FROM posts.content_exposures WHERE content = 'post A' AND customer_id = :shown \gset
SELECT n_control, n_treated FROM clientele.measure_lift('posts', NULL, content => 'post A');
SELECT clientele.merge_customers(:also_shown, :shown);
SELECT clientele.merge_customers(:also_shown, :other);
SELECT slot, content, held_out, crossed, exposed_at = :'first_at' AS first FROM posts.content_exposures WHERE customer_id = :also_shown ORDER BY 1, 2;
SELECT clientele.merge_customers(:held_out, :also_shown);
SELECT slot, content, crossed FROM posts.content_exposures WHERE customer_id IN (:held_out, :also_shown, :shown, :other) ORDER BY 1, 2;
SELECT n_control, n_treated, fields(r)::text = expected(metric, 'post A')::text AS same FROM clientele.measure_lift('posts', NULL, 'orders_per_customer', content => 'post A') r;
-- Who is forgotten is forgotten.
SELECT clientele.forget_customer(:held_out);
SELECT count(*) FROM posts.content_exposures WHERE customer_id = :held_out;
-- A wider key, other settings, the tables let go of and taken hold of again: nothing is lost.
SELECT count(*) AS before FROM posts.content_exposures \gset
SELECT clientele.detach_store('posts');
SELECT clientele.content_for(1, 'foot', expose => true);
ALTER TABLE orders ALTER customer_id TYPE bigint;
ALTER TABLE buyers ALTER customer_id TYPE bigint;
SELECT clientele.attach_store('posts');
SELECT clientele.alter_store('posts', margin => 0.3, attributes => '{children}');
SELECT count(*) = :before AS all_there, pg_typeof(min(customer_id)) FROM posts.content_exposures;
SELECT clientele.content_for(40000, 'foot', expose => true);
SELECT relrowsecurity, (SELECT count(*) FROM pg_policy WHERE polrelid = c.oid) AS policies FROM pg_class c WHERE oid = 'posts.content_exposures'::regclass;
CALL clientele.refresh('posts');
SELECT count(*) FROM clientele.check_store('posts');
SELECT clientele.upgrade_store('posts');
-- Of a live store the margin is that of now.
SELECT clientele.set_live('posts', true);
SELECT clientele.set_margins('posts', by_segment => '{"families": 0.5}');
SELECT clientele.content_for(7, 'mail', expose => true) IS NOT DISTINCT FROM clientele.content_for(7, 'mail') AS agree;
SELECT margin, segment FROM posts.content_exposures WHERE customer_id = 7 AND slot = 'mail';

-- ---- Refused ----
SELECT clientele.define_content('posts', 'home', 'x', holdout => 1);
SELECT clientele.define_content('posts', 'home', 'x', holdout => -0.1);
SELECT clientele.define_content('posts', 'home', 'x', holdout => 'NaN');
SELECT clientele.define_content('posts', 'home', 'x', holdout => NULL);
SELECT clientele.define_content('posts', 'home', ' ', holdout => 0.1);
SELECT clientele.content_for(1, 'foot', expose => NULL);
SELECT clientele.content_for(1, 'foot', as_of => '2025-01-01', expose => true);
BEGIN READ ONLY;
SELECT clientele.content_for(1, 'foot');
SELECT clientele.content_for(1, 'foot', expose => true);
ROLLBACK;
SELECT clientele.content_for('one', 'foot', expose => true);
SELECT clientele.measure_lift('posts', NULL, content => 'no post');
SELECT clientele.measure_lift('posts', NULL, content => 'post A', slot => 'mail');
SELECT clientele.measure_lift('posts', NULL, slot => 'home');
SELECT clientele.measure_lift('posts', 'p', content => 'post A');
SELECT clientele.measure_lift('posts', NULL, 'reach_rate', content => 'post A');
SELECT clientele.measure_lift('posts', NULL, content => 'post A', version => 1);
\set VERBOSITY terse
SELECT clientele.measure_lift('posts', NULL, content => 'post A', "from" => now() + interval '1 day');
\set VERBOSITY default
SELECT clientele.define_content('posts', 'attic', 'letter');
SELECT clientele.measure_lift('posts', NULL, content => 'letter');
SELECT clientele.drop_store('posts', force => true);
DROP SCHEMA holding CASCADE;
