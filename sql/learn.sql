-- Learned segments: what they are learned from, what they are called, and what becomes of them.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset null '(null)'
SET client_min_messages = notice;
SET timezone = 'UTC';
SET datestyle = 'ISO, MDY';

-- Three kinds of customers, under names that need quoting everywhere; two registered only, and one who only has odd attributes.
CREATE SCHEMA "Le.arn ""ü";
SET search_path = "Le.arn ""ü", public;
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric(12, 2));
CREATE TABLE customers (customer_id bigint PRIMARY KEY, name text, children int, "si ""ze" float8, odd float8, rare int, same int, born date);
INSERT INTO customers SELECT c, 'n' || c, c % 4, c, CASE c WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN '-Infinity' WHEN 4 THEN 1e200 ELSE c END,
    CASE WHEN c % 30 = 0 THEN c END, 7, '1990-01-01' FROM generate_series(1, 62) AS c;
INSERT INTO orders SELECT row_number() OVER (), c, '2025-06-01 12:00+00'::timestamptz - make_interval(days => CASE c % 3
        WHEN 0 THEN n * (4 + c % 3) WHEN 1 THEN 300 + n * 31 + c % 5 ELSE 30 + n * 40 END),
    CASE c % 3 WHEN 0 THEN 20 + c % 10 WHEN 1 THEN 50 + c % 7 ELSE 200 + c % 50 END
    FROM generate_series(1, 60) AS c, generate_series(1, CASE c % 3 WHEN 0 THEN 12 + c % 4 WHEN 1 THEN 2 ELSE 6 + c % 3 END) AS n;
SELECT clientele.create_store('Sho.p "ü', 'orders', customers => 'customers', attributes => '{name, children, "si \"ze", odd, rare, same, born}');
SET clientele.store = 'Sho.p "ü';
\set shop '''Sho.p "ü'''
\set three '''{last_purchase_age, ln(1 + total_spent), orders}'''

-- A store that was never refreshed.
SELECT * FROM clientele.learn_segments(:shop, 'learned', :three);
CALL clientele.refresh(:shop);

-- The number of clusters is found, and the result is a segmentation like any other.
SELECT k, round(silhouette::numeric, 6) AS silhouette, round(inertia::numeric, 6) AS inertia, chosen FROM clientele.learn_segments(:shop, 'learned', :three);
SELECT segment, priority, regexp_replace(rule, '\d+\.\d+', '#', 'g') AS rule, operands, sensitive FROM "Sho.p ""ü".segment_rules ORDER BY priority;
SELECT segment, count(*) FROM "Sho.p ""ü".segments WHERE segmentation = 'learned' GROUP BY 1 ORDER BY 1;
SELECT segment, customers, share, centroid FROM clientele.describe_segments(:shop, 'learned');
SELECT segment, distinguishing, proposed_name, previous_share, drift FROM clientele.describe_segments(:shop, 'learned');
SELECT priority, segment, outcome, assigned FROM clientele.explain_segment(3, segmentation => 'learned');
SELECT condition FROM clientele.explain_segment(3, segmentation => 'learned');
SELECT DISTINCT value_found FROM clientele.explain_segment(3, segmentation => 'learned');
SELECT outcome, assigned, value_found FROM clientele.explain_segment(61, segmentation => 'learned');
SELECT clientele.assign_segment(3, segmentation => 'learned'), clientele.segments_of(3, segmentation => 'learned'),
    clientele.assign_segment(61, segmentation => 'learned'), clientele.segments_of(61, segmentation => 'learned');
SELECT store, kind, version, in_use, parameters - '{centroids,means,scales,deviations}'::text[] AS parameters, data_from, data_to, customers,
    diagnostics - '{candidates,inertia,iterations,features}'::text[] AS diagnostics FROM clientele.models;
SELECT jsonb_array_length(parameters -> 'centroids') AS centroids, parameters -> 'means' AS means,
    diagnostics -> 'features' -> 1 AS feature, jsonb_array_length(diagnostics -> 'candidates') AS candidates FROM clientele.models;

-- Bulk, single and by hand are one.
SELECT count(*) FROM "Sho.p ""ü".segments AS s WHERE segmentation = 'learned' AND s.segment IS DISTINCT FROM clientele.assign_segment(s.customer_id, segmentation => 'learned');
CREATE VIEW by_hand AS
    SELECT c.customer_id, coalesce(m.parameters -> 'names' ->> (clientele.nearest_cluster(t.model, ARRAY[c.last_purchase_age, ln(1 + c.total_spent), c.orders]) - 1), 'default') AS segment
    FROM (SELECT clientele.kmeans(ARRAY[last_purchase_age, ln(1 + total_spent), orders], 3, 0, true) AS model
          FROM (SELECT * FROM "Sho.p ""ü".customers ORDER BY customer_id DESC) AS c WHERE last_purchase_age IS NOT NULL) AS t,
        "Sho.p ""ü".customers AS c, clientele.models AS m WHERE m.kind = 'kmeans:learned' AND m.version = 1;
SELECT count(*), count(*) FILTER (WHERE b.segment = s.segment) AS alike
FROM by_hand AS b JOIN "Sho.p ""ü".segments AS s USING (customer_id) WHERE s.segmentation = 'learned';

-- Learned again from the same customers: the same model, no drift.
SELECT count(*) FROM clientele.learn_segments(:shop, 'learned', :three);
SELECT count(DISTINCT parameters), jsonb_agg(diagnostics -> 'drift' ORDER BY version) FROM clientele.models;
SELECT segment, share = previous_share AS as_before, drift FROM clientele.describe_segments(:shop, 'learned');

-- Without features it is the model in use that is learned again: with its features, k, seed and standardize, but for what is given.
SELECT k, chosen FROM clientele.learn_segments(:shop, 'again', ARRAY['orders', 'coalesce(last_purchase_age, 1000)'], k => 4, seed => 42, standardize => false);
SELECT k, chosen FROM clientele.learn_segments(:shop, 'again');
SELECT count(DISTINCT parameters), count(*), jsonb_agg(diagnostics #> '{drift,moved}' ORDER BY version) FROM clientele.models WHERE kind = 'kmeans:again';
SELECT k, chosen FROM clientele.learn_segments(:shop, 'again', k => 2, standardize => true);
SELECT k, chosen FROM clientele.learn_segments(:shop, 'again', max_k => 3);
SELECT clientele.use_model(:shop, 'kmeans:again', 1);
SELECT k, chosen FROM clientele.learn_segments(:shop, 'again', seed => 7);
SELECT k, chosen FROM clientele.learn_segments(:shop, 'again', '{orders}', max_k => 3);
SELECT version, parameters -> 'features' AS features, jsonb_array_length(parameters -> 'centroids') AS k, parameters -> 'seed' AS seed, parameters -> 'standardize' AS standardize
FROM clientele.models WHERE kind = 'kmeans:again' ORDER BY version;
SELECT clientele.use_model(:shop, 'kmeans:again', NULL);
SELECT clientele.use_model(:shop, 'kmeans:unknown', NULL);
SELECT count(clientele.drop_segment(:shop, segment, segmentation)) FROM "Sho.p ""ü".segment_rules WHERE segmentation = 'again';
SELECT clientele.learn_segments(:shop, 'never');
DELETE FROM "Sho.p ""ü".models WHERE kind = 'kmeans:again';

-- What was marked or described stays so. A renamed segment is the same one: with contents, offers and history, in all versions.
CALL clientele.record_segments(:shop);
SELECT clientele.define_segment(:shop, segment, rule, sensitive => true, description => 'often here', segmentation => segmentation)
FROM "Sho.p ""ü".segment_rules WHERE segmentation = 'learned' AND priority = 10;
SELECT clientele.rename_segment(:shop, segment, 'busy professionals', segmentation) FROM "Sho.p ""ü".segment_rules WHERE segmentation = 'learned' AND priority = 10;
SELECT clientele.rename_segment(:shop, 'default', 'registered "ü only', 'learned');
SELECT k, chosen FROM clientele.learn_segments(:shop, 'learned', :three, k => 4, standardize => false, seed => 42);
SELECT segment, priority, description, sensitive FROM "Sho.p ""ü".segment_rules ORDER BY priority;
SELECT segment, customers, round(previous_share::numeric, 4) AS previous_share, drift > 0 AS drift FROM clientele.describe_segments(:shop, 'learned');
SELECT version, in_use, parameters -> 'names' AS names, parameters -> 'scales' = '[1, 1, 1]' AS unscaled FROM clientele.models ORDER BY version;
SELECT segment, valid_to IS NULL AS still, count(*) FROM "Sho.p ""ü".segment_membership WHERE segmentation = 'learned' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT clientele.use_model(:shop, 'kmeans:learned', 1);
SELECT segment, priority, description, sensitive FROM "Sho.p ""ü".segment_rules ORDER BY priority;
SELECT version, in_use FROM clientele.models ORDER BY version;
SELECT count(*) FROM "Sho.p ""ü".segments AS s JOIN by_hand AS b USING (customer_id) WHERE segmentation = 'learned' AND s.segment <> b.segment;
SELECT clientele.use_model(:shop, 'kmeans:learned', 17);

-- Some clusters without a segment: their customers are in the default one, until the model is learned or used again.
SELECT clientele.drop_segment(:shop, 'busy professionals', 'learned');
SELECT segment, customers, proposed_name FROM clientele.describe_segments(:shop, 'learned');
SELECT clientele.use_model(:shop, 'kmeans:learned', 1);
SELECT segment, customers, drift FROM clientele.describe_segments(:shop, 'learned');
-- The last one takes the segmentation with it, not its models, which bring it back.
SELECT clientele.drop_segment(:shop, segment, segmentation) FROM "Sho.p ""ü".segment_rules WHERE segmentation = 'learned';
SELECT clientele.describe_segments(:shop, 'learned');
SELECT clientele.use_model(:shop, 'kmeans:learned', 2);
SELECT segment, customers FROM clientele.describe_segments(:shop, 'learned');

-- Segmentation main: contents and offers refer to it.
SELECT k, chosen FROM clientele.learn_segments(:shop, 'main', :three, 3);
SELECT segment, count(*) FROM "Sho.p ""ü".customers GROUP BY 1 ORDER BY 1;
SELECT clientele.define_content(:shop, 'home', 'post A', segment => 'low orders, low total_spent');
SELECT clientele.define_offer(:shop, 'grow', 'grow_order_value', segments => '{"low orders, low total_spent"}');
SELECT clientele.rename_segment(:shop, 'low orders, low total_spent', 'trying us');
SELECT slot, segment FROM "Sho.p ""ü".contents;
SELECT segments FROM "Sho.p ""ü".programs;
SELECT clientele.content_for(1, 'home'), program, segment FROM "Sho.p ""ü".offer_decisions WHERE customer_id = 1;
SELECT k, chosen FROM clientele.learn_segments(:shop, 'main', :three, 2);
SELECT segment, customers, round(drift::numeric, 2) AS drift FROM clientele.describe_segments(:shop);
SELECT k, chosen FROM clientele.learn_segments(:shop, 'main', ARRAY['orders', '"si ""ze"'], 2);
SELECT clientele.drop_offer(:shop, 'grow'), clientele.drop_content(:shop, 'home', 'trying us');
SELECT k, chosen FROM clientele.learn_segments(:shop, 'main', ARRAY['orders', '"si ""ze"'], 2);
SELECT segment, customers, drift FROM clientele.describe_segments(:shop);

-- A customer whose attribute is no number is in the default segment.
SELECT k, chosen FROM clientele.learn_segments(:shop, 'odd', '{odd, orders}', 2);
SELECT customer_id FROM "Sho.p ""ü".segments WHERE segmentation = 'odd' AND segment = 'default' ORDER BY 1;

-- Segments by rules are described too, and not replaced.
SELECT clientele.define_segment(:shop, 'keen', 'orders >= 6', segmentation => 'mine');
SELECT clientele.define_segment(:shop, 'nobody', 'orders > 1000', segmentation => 'mine');
SELECT segment, customers, round(share::numeric, 4) AS share, centroid - '{recency_days,tenure_days}'::text[] AS centroid, previous_share, drift FROM clientele.describe_segments(:shop, 'mine');
SELECT segment, proposed_name FROM clientele.describe_segments(:shop, 'mine');
SELECT sum(share) FROM clientele.describe_segments(:shop, 'mine');
SELECT clientele.learn_segments(:shop, 'mine', :three);
SELECT clientele.rename_segment(:shop, 'keen', 'keener', 'mine');
SELECT clientele.assign_segment(3, segmentation => 'mine');

-- Beside a rule of its own a learned segment still is one; but it is not learned again.
SELECT clientele.define_segment(:shop, 'big spenders', 'total_spent > 1700', 1, segmentation => 'learned');
SELECT segment, customers FROM clientele.describe_segments(:shop, 'learned');
SELECT condition, outcome FROM clientele.explain_segment(20, segmentation => 'learned') WHERE assigned;
SELECT count(*) FROM "Sho.p ""ü".segments AS s WHERE segmentation = 'learned' AND s.segment IS DISTINCT FROM clientele.assign_segment(s.customer_id, segmentation => 'learned');
SELECT clientele.learn_segments(:shop, 'learned', :three);
SELECT clientele.use_model(:shop, 'kmeans:learned', 1);

-- A model that somebody has changed is not used where it would not work.
SELECT clientele.drop_segment(:shop, 'big spenders', 'learned');
CREATE TABLE saved AS SELECT parameters FROM "Sho.p ""ü".models WHERE kind = 'kmeans:learned' AND version = 1;
\set forge 'UPDATE "Sho.p ""ü".models AS m SET parameters = s.parameters || f FROM saved AS s,'
\set forged ' AS f WHERE kind = \'kmeans:learned\' AND version = 1;'
:forge CAST('{"names": null}' AS jsonb) :forged
SELECT clientele.use_model(:shop, 'kmeans:learned', 1);
:forge CAST('{"names": ["a", "b"]}' AS jsonb) :forged
SELECT clientele.use_model(:shop, 'kmeans:learned', 1);
:forge CAST('{"names": ["a", "b", "a"]}' AS jsonb) :forged
SELECT clientele.use_model(:shop, 'kmeans:learned', 1);
:forge CAST('{"names": ["a", "b", "default"]}' AS jsonb) :forged
SELECT clientele.use_model(:shop, 'kmeans:learned', 1);
:forge CAST('{"centroids": [[1, 2, 3], [4, 5, 6], [7, "x", 9]]}' AS jsonb) :forged
SELECT clientele.use_model(:shop, 'kmeans:learned', 1);
:forge CAST('{"scales": [1, 0, 1]}' AS jsonb) :forged
SELECT clientele.use_model(:shop, 'kmeans:learned', 1);
:forge CAST('{"scales": [1, 1]}' AS jsonb) :forged
SELECT clientele.use_model(:shop, 'kmeans:learned', 1);
-- A function keeps the features, and their texts are for show; without it these are read, and checked.
:forge CAST('{"expressions": ["orders::float8", "random()", "age::float8"]}' AS jsonb) :forged
SELECT clientele.use_model(:shop, 'kmeans:learned', 1);
DO $$ DECLARE f regprocedure; BEGIN
    FOR f IN SELECT oid FROM pg_proc WHERE proname = '_features' LOOP EXECUTE format('DROP FUNCTION %s', f); END LOOP;
END $$;
:forge CAST('{"expressions": ["orders::float8", "random()", "age::float8"]}' AS jsonb) :forged
SELECT clientele.use_model(:shop, 'kmeans:learned', 1);
:forge CAST('{"expressions": ["orders::float8", "aov::float8", "1::float8]) = 1 OR true --"]}' AS jsonb) :forged
SELECT clientele.use_model(:shop, 'kmeans:learned', 1);
:forge CAST('{}' AS jsonb) :forged
SELECT clientele.use_model(:shop, 'kmeans:learned', 1);

-- Skewed features are pointed out, but for those of two values.
SELECT k FROM clientele.learn_segments(:shop, 'skewed', ARRAY['exp("si ""ze" / 5)', 'orders'], 2);
SELECT k FROM clientele.learn_segments(:shop, 'skewed', ARRAY['CASE WHEN "si ""ze" <= 3 THEN 7.1 ELSE 1e-3 END', 'orders'], 2);
SELECT k FROM clientele.learn_segments(:shop, 'skewed', ARRAY['log1p(exp("si ""ze" / 5))', 'log1p(orders)'], 2);
SELECT parameters -> 'labels' AS labels, parameters -> 'expressions' AS expressions, parameters -> 'names' AS names
FROM clientele.models WHERE kind = 'kmeans:skewed' AND in_use;
-- log1p never fails, and costs no call.
SELECT x, clientele.log1p(x) FROM unnest('{NULL,-Infinity,-20,-1,-0.9999999999999999,-0.5,0,1e-300,1,1e308,Infinity,NaN}'::float8[]) AS x;
EXPLAIN (VERBOSE, COSTS off) SELECT clientele.log1p(x) FROM unnest('{1}'::float8[]) AS x;

-- Refused features.
\set VERBOSITY default
SELECT clientele.learn_segments(:shop, 'x', NULL);
SELECT clientele.learn_segments(:shop, 'x', '{}');
SELECT clientele.learn_segments(:shop, 'x', '{{orders,aov},{orders,aov}}');
SELECT clientele.learn_segments(:shop, 'x', '{orders,NULL}');
SELECT clientele.learn_segments(:shop, 'x', '{orders,"  "}');
SELECT clientele.learn_segments(:shop, 'x', '{total_spent,orders," (orders) "}');
SELECT clientele.learn_segments(:shop, 'x', array_fill('orders'::text, ARRAY[51]));
SELECT clientele.learn_segments(:shop, 'x', '{orders, name}');
SELECT clientele.learn_segments(:shop, 'x', '{orders > 3}');
SELECT clientele.learn_segments(:shop, 'x', '{last_order_at}');
SELECT clientele.learn_segments(:shop, 'x', '{NULL}'::text[] || 'NULL'::text);
SELECT clientele.learn_segments(:shop, 'x', ARRAY['NULL']);
SELECT clientele.learn_segments(:shop, 'x', ARRAY['''1''']);
SELECT clientele.learn_segments(:shop, 'x', '{segment}');
SELECT clientele.learn_segments(:shop, 'x', '{length(segment)}');
SELECT clientele.learn_segments(:shop, 'x', '{nothing}');
SELECT clientele.learn_segments(:shop, 'x', '{orders +}');
SELECT clientele.learn_segments(:shop, 'x', '{avg(orders)}');
SELECT clientele.learn_segments(:shop, 'x', '{rank() OVER ()}');
SELECT clientele.learn_segments(:shop, 'x', '{(SELECT 1)}');
SELECT clientele.learn_segments(:shop, 'x', '{random()}');
SELECT clientele.learn_segments(:shop, 'x', '{extract(epoch FROM now() - last_order_at)}');
SELECT clientele.learn_segments(:shop, 'x', '{extract(year FROM age(born))}');
SELECT clientele.learn_segments(:shop, 'x', ARRAY['orders, aov']);
SELECT clientele.learn_segments(:shop, 'x', '{recency_days, ln(1 + greatest(total_spent, 0)), orders}');
SELECT clientele.learn_segments(:shop, 'x', '{0), orders}');
SELECT clientele.learn_segments(:shop, 'x', '{") + ("}');
SELECT clientele.learn_segments(:shop, 'x', ARRAY['orders -- many']);
SELECT clientele.learn_segments(:shop, 'x', ARRAY['orders]) FROM customers; DROP TABLE customers']);
SELECT clientele.learn_segments(:shop, 'x', '{orders, same}');
SELECT clientele.learn_segments(:shop, 'x', '{orders, 5}');
SELECT clientele.learn_segments(:shop, 'x', '{orders, ln(total_spent)}');
SELECT clientele.learn_segments(:shop, 'x', '{orders, 1 / (children - 1)}');
SELECT clientele.learn_segments(:shop, 'x', '{orders, total_spent / 0 * rare}');
SELECT clientele.learn_segments(:shop, 'x', ARRAY['orders', 'nullif(orders, orders)']);
SELECT clientele.learn_segments(:shop, 'x', ARRAY['orders', 'nullif(customer_id, 7) - customer_id + rare']);
SELECT clientele.learn_segments(:shop, 'x', ARRAY['CASE customer_id WHEN 5 THEN 1 END', 'children']);

-- Refused numbers and names.
SELECT clientele.learn_segments(:shop, 'x', :three, k => 0);
SELECT clientele.learn_segments(:shop, 'x', :three, k => 1);
SELECT clientele.learn_segments(:shop, 'x', :three, k => -2147483648);
SELECT clientele.learn_segments(:shop, 'x', :three, k => 2147483647);
SELECT clientele.learn_segments(:shop, 'x', :three, max_k => 1);
SELECT clientele.learn_segments(:shop, 'x', '{children}', k => 5);
SELECT k FROM clientele.learn_segments(:shop, 'x', '{children}');
SELECT clientele.learn_segments(:shop, NULL, :three);
SELECT clientele.learn_segments(:shop, ' ', :three);
SELECT clientele.learn_segments(NULL, 'x', :three);
\set VERBOSITY terse
SELECT clientele.learn_segments('nowhere', 'x', :three);
SELECT clientele.describe_segments('nowhere', 'x');
\set VERBOSITY default
SELECT clientele.describe_segments(:shop, 'nothing');
SELECT clientele.describe_segments(:shop, NULL);
SELECT count(*) FROM clientele.describe_segments(NULL, 'mine');
SELECT clientele.rename_segment(:shop, 'unknown', 'x', 'mine');
SELECT clientele.rename_segment(:shop, 'keener', 'nobody', 'mine');
SELECT clientele.rename_segment(:shop, 'keener', 'default', 'mine');
SELECT clientele.rename_segment(:shop, 'keener', ' ', 'mine');
SELECT clientele.rename_segment(:shop, 'keener', NULL, 'mine');
SELECT clientele.rename_segment(:shop, NULL, 'x', 'mine');
SELECT clientele.rename_segment(:shop, 'keener', 'x', NULL);
SELECT clientele.rename_segment(:shop, 'keener', 'x', 'nothing');
SELECT clientele.rename_segment(:shop, 'keener', 'keener', 'mine');

-- What the session has set changes nothing.
SET extra_float_digits = -10;
SET transform_null_equals = on;
SET search_path = pg_catalog;
SELECT count(*) FROM clientele.learn_segments(:shop, 'session', '{last_purchase_age, ln(1 + total_spent), orders}');
RESET extra_float_digits;
RESET transform_null_equals;
SET search_path = "Le.arn ""ü", public;
SELECT count(DISTINCT parameters -> 'centroids'), count(DISTINCT parameters -> 'scales')
FROM clientele.models WHERE kind = 'kmeans:session' OR kind = 'kmeans:learned' AND version = 1;

-- Others than the owner read, and change nothing.
CREATE ROLE regress_learn_reader;
GRANT USAGE ON SCHEMA "Sho.p ""ü", "Le.arn ""ü" TO regress_learn_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA "Sho.p ""ü", "Le.arn ""ü" TO regress_learn_reader;
SET ROLE regress_learn_reader;
SELECT clientele.learn_segments(:shop, 'x', :three);
SELECT clientele.rename_segment(:shop, 'keener', 'x', 'mine');
SELECT segment, customers FROM clientele.describe_segments(:shop, 'mine');
RESET ROLE;
REVOKE SELECT ON "Sho.p ""ü".customers FROM regress_learn_reader;
SET ROLE regress_learn_reader;
SELECT clientele.describe_segments(:shop, 'mine');
RESET ROLE;

-- One customer, and none; a store that nobody has bought from.
CREATE TABLE few (customer_id int, ordered_at timestamptz, amount numeric);
SELECT clientele.create_store('few', 'few');
CALL clientele.refresh('few');
SELECT clientele.learn_segments('few', 'x', '{orders}');
SELECT * FROM clientele.describe_segments('few');
INSERT INTO few VALUES (1, '2025-01-01', 10);
CALL clientele.refresh('few');
SELECT clientele.learn_segments('few', 'x', '{orders}');
INSERT INTO few VALUES (2, '2025-01-01', 10);
CALL clientele.refresh('few');
SELECT clientele.learn_segments('few', 'x', '{orders, total_spent}');
INSERT INTO few VALUES (2, '2025-01-02', 10);
CALL clientele.refresh('few');
SELECT * FROM clientele.learn_segments('few', 'x', '{orders, total_spent}');
SELECT segment, customers, share, centroid, distinguishing, proposed_name FROM clientele.describe_segments('few', 'x');

-- A live store is learned from as it is now.
SELECT clientele.set_live('few', true);
INSERT INTO few SELECT c, '2025-01-03', 1000 + c FROM generate_series(3, 40) AS c;
SELECT k FROM clientele.learn_segments('few', 'x', '{orders, total_spent}', 3);
SELECT segment, customers, round(previous_share::numeric, 3) AS previous_share, drift IS NOT NULL AS drift FROM clientele.describe_segments('few', 'x');
SELECT count(*) FROM few.segments AS s WHERE segmentation = 'x' AND s.segment IS DISTINCT FROM clientele.assign_segment(s.customer_id, 'few', 'x');

-- A later customer with only a refund: log1p leaves that one out, and fails for nobody.
SELECT k FROM clientele.learn_segments('few', 'safe', '{log1p(total_spent), orders}', 2);
INSERT INTO few VALUES (41, '2025-01-04', -20);
SELECT customer_id, segment FROM few.segments WHERE segmentation = 'safe' AND customer_id > 39 ORDER BY 1;
SELECT clientele.assign_segment(41, 'few', 'safe');
SELECT segment, outcome, value_found FROM clientele.explain_segment(41, 'few', 'safe');
SELECT k FROM clientele.learn_segments('few', 'safe');
SELECT clientele.learn_segments('few', 'unsafe', '{ln(1 + total_spent), orders}', 2);

SET client_min_messages = warning;
DROP VIEW by_hand;
DROP OWNED BY regress_learn_reader;
SELECT clientele.drop_store('few'), clientele.drop_store(:shop);
DROP SCHEMA "Le.arn ""ü" CASCADE;
DROP ROLE regress_learn_reader;
