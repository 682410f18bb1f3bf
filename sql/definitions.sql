-- Definitions as code: export, application to the same and another store, plans, mistakes.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset null '(null)'
SET client_min_messages = warning;
CREATE SCHEMA definitions_test;
SET search_path = definitions_test, public;
CREATE TABLE customers (customer_id bigint PRIMARY KEY, children integer, city text);
CREATE TABLE orders (customer_id bigint, ordered_at timestamptz, amount numeric);
INSERT INTO customers SELECT c, c % 4, CASE WHEN c % 3 = 0 THEN 'urban' END FROM generate_series(1, 60) c;
INSERT INTO orders SELECT c, timestamptz '2025-01-01' + n * interval '9 days', 20 + c % 7 * 10 + n FROM generate_series(1, 60) c, generate_series(1, c % 6) n;
SELECT clientele.create_store('live_shop', 'orders', customers => 'customers', attributes => '{children,city}');
SELECT clientele.create_store('test_shop', 'orders', customers => 'customers', attributes => '{children,city}');
CALL clientele.refresh('live_shop');
CALL clientele.refresh('test_shop');

-- A new store has next to nothing.
SELECT jsonb_pretty(clientele.export_definitions('live_shop'));

-- The text is the same however the numbers and the session were written.
SELECT clientele.define_segment('live_shop', 'families', 'children > 2 OR city IN (''urban'', ''rural'')', description => 'Parents', sensitive => true),
    clientele.define_segment('live_shop', 'loyal', 'orders >= 4', priority => 5),
    clientele.define_segment('live_shop', 'big', 'total_spent > 200', segmentation => 'value'),
    clientele.set_default_segment('live_shop', 'average'), clientele.set_default_segment('live_shop', 'small', 'value');
SELECT clientele.define_content('live_shop', 'home', 'post A', 'families', E'With "quotes",\nlines and \\backslashes'), clientele.define_content('live_shop', 'home', 'post C');
SELECT clientele.define_offer('live_shop', 'stretch', 'grow_order_value', segments => '{families,average}', stretch => 1.50, holdout => 0.1, budget => 1000.00, disclosure => 'Chosen for parents',
    arms => '[{"name": "low", "stretch": 1.20, "weight": 0.5}, {"name": "high", "stretch": null, "weight": 0.5}]', ends_at => '2035-06-01 12:00+02', cooldown => '1 mon 2 days');
SELECT clientele.define_offer('live_shop', 'back', 'win_back', max_cv => NULL, max_reward => 10);
SELECT clientele.set_rfm_breaks('live_shop', '{10,20.5,30,40}', '{1,2,3,4}', '{50,100,150,200}');
SELECT clientele.set_global_holdout('live_shop', 0.05);
SELECT jsonb_pretty(clientele.export_definitions('live_shop'));
CREATE FUNCTION text_of(store name) RETURNS text LANGUAGE sql AS 'SELECT jsonb_pretty(clientele.export_definitions(store))';
CREATE TABLE kept AS SELECT text_of('live_shop') AS text;
BEGIN;
SET LOCAL datestyle = 'SQL, DMY'; SET LOCAL intervalstyle = 'sql_standard'; SET LOCAL timezone = 'Asia/Kolkata'; SET LOCAL extra_float_digits = -5;
SELECT text_of('live_shop') = text FROM kept;
COMMIT;

-- What would change in another store, and that it does not yet; then it does, and a second time nothing.
SELECT * FROM clientele.apply_definitions('test_shop', (SELECT text::jsonb FROM kept), dry_run => true);
SELECT count(*) FROM test_shop.segment_rules;
SELECT count(*) FROM clientele.apply_definitions('test_shop', (SELECT text::jsonb FROM kept));
SELECT text_of('test_shop') = text FROM kept;
SELECT count(*) FROM clientele.apply_definitions('test_shop', (SELECT text::jsonb FROM kept), prune => true);
SELECT * FROM live_shop.segment_rules EXCEPT SELECT * FROM test_shop.segment_rules;
SELECT * FROM live_shop.contents EXCEPT SELECT * FROM test_shop.contents;
SELECT * FROM live_shop.programs EXCEPT SELECT * FROM test_shop.programs;
SELECT customer_id, segment, content FROM live_shop.campaign EXCEPT SELECT customer_id, segment, content FROM test_shop.campaign;
-- Whatever the session's settings are.
BEGIN;
SET LOCAL datestyle = 'SQL, DMY'; SET LOCAL intervalstyle = 'sql_standard'; SET LOCAL timezone = 'Asia/Kolkata'; SET LOCAL extra_float_digits = -5;
SELECT count(*) FROM clientele.apply_definitions('test_shop', (SELECT text::jsonb FROM kept), prune => true);
COMMIT;

-- A plan says what would change, and in what. Only what decides makes a new version of a program.
CREATE FUNCTION changed(change jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT text::jsonb || change FROM kept';
CREATE FUNCTION with_at(path text[], value jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT jsonb_set(text::jsonb, path, value) FROM kept';
SELECT * FROM clientele.apply_definitions('test_shop', with_at('{programs,0,budget}', '2000'));
SELECT program, version, budget FROM test_shop.programs ORDER BY 1;
SELECT * FROM clientele.apply_definitions('test_shop', with_at('{programs,0,holdout}', '0.2'));
SELECT program, version, budget FROM test_shop.programs ORDER BY 1;
-- What is left out of a program is as define_offer() would have it; of a segment it is none.
SELECT * FROM clientele.apply_definitions('test_shop', '{"format": 1, "programs": [{"program": "stretch", "objective": "grow_order_value", "segments": ["loyal"]}],
    "segmentations": [{"segmentation": "main", "segments": [{"segment": "families", "rule": "children > 2"}]}]}');
SELECT * FROM clientele.apply_definitions('test_shop', (SELECT text::jsonb FROM kept));

-- Rules may be written otherwise, as long as they say the same.
SELECT * FROM clientele.apply_definitions('test_shop', with_at('{segmentations,0,segments,0,rule}', '"  orders>=4 "'));

-- With prune goes what a section does not have; a section that is missing is left alone.
BEGIN;
SELECT * FROM clientele.apply_definitions('test_shop', '{"format": 1, "contents": [{"slot": "home", "content": "post C"}]}', prune => true);
SELECT kind, name, action FROM clientele.apply_definitions('test_shop', '{"format": 1, "segmentations": [], "programs": [], "contents": []}', prune => true);
SELECT * FROM test_shop.segmentations;
SELECT count(*) FROM clientele.apply_definitions('test_shop', (SELECT text::jsonb FROM kept), prune => true);
SELECT text_of('test_shop') = text FROM kept;
ROLLBACK;
-- A segment that something refers to does not go.
SELECT clientele.apply_definitions('test_shop', (SELECT (text::jsonb #- '{segmentations,0,segments,1}') - 'programs' - 'contents' FROM kept), prune => true);

-- ---- What depends on each other may be defined in any order, and change hands ----

-- A program and a content for a new segment, which is sensitive from the first, as the program knows.
SELECT * FROM clientele.apply_definitions('test_shop', '{"format": 1,
    "programs": [{"program": "new", "objective": "second_order", "segments": ["delicate"], "disclosure": "Because ..."}],
    "contents": [{"slot": "home", "content": "post D", "segment": "delicate"}],
    "segmentations": [{"segmentation": "main", "segments": [{"segment": "delicate", "rule": "city = ''rural''", "sensitive": true}]}]}');
-- The disclosure goes with the sensitivity, and comes with it.
SELECT * FROM clientele.apply_definitions('test_shop', '{"format": 1,
    "programs": [{"program": "new", "objective": "second_order", "segments": ["delicate"]}],
    "segmentations": [{"segmentation": "main", "segments": [{"segment": "delicate", "rule": "city = ''rural''"}]}]}');
SELECT kind, name, action, after FROM clientele.apply_definitions('test_shop', '{"format": 1,
    "programs": [{"program": "new", "objective": "second_order", "segments": ["delicate"], "disclosure": "Because ..."}],
    "segmentations": [{"segmentation": "main", "segments": [{"segment": "delicate", "rule": "city = ''rural''", "sensitive": true}]}]}');
-- One without the other is refused.
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "programs": [{"program": "new", "objective": "second_order", "segments": ["delicate"]}]}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1,
    "programs": [{"program": "open", "objective": "second_order", "segments": ["loyal"]}],
    "segmentations": [{"segmentation": "main", "segments": [{"segment": "loyal", "rule": "orders >= 4", "sensitive": true}]}]}');
SELECT count(*) FROM clientele.apply_definitions('test_shop', (SELECT text::jsonb FROM kept), prune => true);

-- Priorities change places, of segments and of programs, and one comes in between.
SELECT kind, name, before, after FROM clientele.apply_definitions('test_shop', '{"format": 1,
    "programs": [{"program": "back", "objective": "win_back", "max_cv": null, "max_reward": 10, "priority": 10}, {"program": "late", "objective": "second_order"},
                 {"program": "stretch", "objective": "grow_order_value", "priority": 20}],
    "segmentations": [{"segmentation": "main", "segments": [{"segment": "families", "rule": "children > 2", "priority": 5}, {"segment": "last", "rule": "orders = 1"},
        {"segment": "loyal", "rule": "orders >= 4", "priority": 15}, {"segment": "between", "rule": "orders = 3", "priority": 10}]}]}');
SELECT segment, priority FROM test_shop.segment_rules WHERE segmentation = 'main' ORDER BY 2;
SELECT program, priority, version FROM test_shop.programs ORDER BY 2;
SELECT count(*) FROM clientele.apply_definitions('test_shop', (SELECT text::jsonb FROM kept), prune => true);

-- The default segment and a segment change names, with what is for each of them.
SELECT * FROM clientele.apply_definitions('test_shop', changed('{
    "contents": [{"slot": "home", "content": "for those of the rule", "segment": "average"}, {"slot": "home", "content": "for the others"}],
    "segmentations": [{"segmentation": "main", "default_segment": "families", "segments": [
        {"segment": "average", "rule": "children > 2"}, {"segment": "loyal", "rule": "orders >= 4", "priority": 5}]}]}'), prune => true);
SELECT program, segments, version FROM test_shop.programs ORDER BY 1;
SELECT count(*) FROM clientele.apply_definitions('test_shop', (SELECT text::jsonb FROM kept), prune => true);
SELECT text_of('test_shop') = text FROM kept;
-- The names alone change hands: what is for each of them stays as the document says.
SELECT * FROM clientele.apply_definitions('test_shop', changed('{"segmentations": [{"segmentation": "main", "default_segment": "families", "segments": [
        {"segment": "average", "rule": "children > 2"}, {"segment": "loyal", "rule": "orders >= 4", "priority": 5}]}]}'), prune => true);
SELECT slot, segment, content FROM test_shop.contents ORDER BY 1, 2;
SELECT program, segments FROM test_shop.programs ORDER BY 1;
SELECT count(*) FROM clientele.apply_definitions('test_shop', (SELECT text::jsonb FROM kept), prune => true);
SELECT text_of('test_shop') = text FROM kept;
-- The default segment alone is renamed: a document that still aims at the former name is refused, one that says nothing of programs is not.
SELECT clientele.apply_definitions('test_shop', with_at('{segmentations,0,default_segment}', '"others"'));
SELECT * FROM clientele.apply_definitions('test_shop', '{"format": 1, "segmentations": [{"segmentation": "main", "default_segment": "others"}]}');
SELECT count(*) FROM clientele.apply_definitions('test_shop', (SELECT text::jsonb FROM kept), prune => true);
-- A program leaves a segment that goes.
SELECT kind, name, action FROM clientele.apply_definitions('test_shop', changed('{
    "contents": [], "programs": [{"program": "stretch", "objective": "grow_order_value", "segments": ["average"], "priority": 10}],
    "segmentations": [{"segmentation": "main", "default_segment": "average"}]}'), prune => true);
SELECT count(*) FROM clientele.apply_definitions('test_shop', (SELECT text::jsonb FROM kept), prune => true);

-- ---- Learned segments: what they are learned from, not the model ----

SELECT count(*) FROM clientele.learn_segments('live_shop', 'learned', '{orders,log1p(total_spent)}', 3, seed => 7);
SELECT jsonb_pretty(clientele.export_definitions('live_shop') #> '{segmentations,1}');
SELECT * FROM clientele.apply_definitions('test_shop', clientele.export_definitions('live_shop'));
SELECT * FROM clientele.apply_definitions('test_shop', clientele.export_definitions('live_shop'), prune => true);
SELECT customer_id, segmentation, segment FROM live_shop.segments EXCEPT SELECT customer_id, segmentation, segment FROM test_shop.segments;
SELECT store, kind, version FROM clientele.models WHERE kind LIKE 'kmeans:%' AND store IN ('live_shop', 'test_shop') ORDER BY 1;
-- Nothing is learned where nothing else was asked for.
SELECT * FROM clientele.apply_definitions('test_shop', '{"format": 1, "segmentations": [{"segmentation": "learned", "learned": {"features": ["orders", "log1p(total_spent)"]}}]}');
SELECT name, action, before, after FROM clientele.apply_definitions('test_shop', '{"format": 1, "segmentations": [{"segmentation": "learned", "learned": {"features": ["orders"], "k": 2}}]}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "segmentations": [{"segmentation": "learned", "learned": {"features": ["order"], "k": 2}}]}');
SELECT name, action, before FROM clientele.apply_definitions('test_shop', (SELECT text::jsonb FROM kept), prune => true);
SELECT text_of('test_shop') = text FROM kept;

-- ---- Bad input: nothing is applied, and it says where ----

SELECT clientele.export_definitions(NULL);
SELECT clientele.export_definitions('nowhere');
SELECT clientele.apply_definitions(NULL, '{}');
SELECT clientele.apply_definitions('nowhere', '{}');
SELECT clientele.apply_definitions('test_shop', NULL);
SELECT clientele.apply_definitions('test_shop', '{"format": 1}', prune => NULL);
SELECT clientele.apply_definitions('test_shop', '{"format": 1}', dry_run => NULL);
SELECT clientele.apply_definitions('test_shop', '{"format": 1}');
SELECT clientele.apply_definitions('test_shop', '[]');
SELECT clientele.apply_definitions('test_shop', 'null');
SELECT clientele.apply_definitions('test_shop', '{}');
SELECT clientele.apply_definitions('test_shop', '{"format": 2, "novelties": []}');
SELECT clientele.apply_definitions('test_shop', '{"format": 0}');
SELECT clientele.apply_definitions('test_shop', '{"format": "1"}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "programs": {"stretch": {}}, "content": [], "global_holdout": "0.1"}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "programs": [{"program": "a", "objective": "win_back", "strech": 2}, {"objective": "win_back", "stretch": "1.4", "segments": "all"}, 7, null],
    "segmentations": [{"segmentation": "main", "segments": [{"segment": "x", "rule": true, "priority": 10}, {"segment": null, "rule": "true"}]}], "rfm_breaks": {"r": [1]}}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "programs": [{"program": "a", "objective": "win_back"}, {"program": "a", "objective": "second_order"}],
    "contents": [{"slot": "home", "content": "A"}, {"slot": "home", "content": "B", "segment": "average"}],
    "segmentations": [{"segmentation": "main", "segments": [{"segment": "x", "rule": "true"}, {"segment": "y", "rule": "true"}, {"segment": "x", "rule": "false"}]}, {"segmentation": "main"}]}');
-- What a definer refuses.
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "segmentations": [{"segmentation": "main", "segments": [{"segment": "x", "rule": "orders > 1"}, {"segment": "y", "rule": "orders > 0 AND children"}]}]}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "global_holdout": 2, "programs": [{"program": "stretch", "objective": "grow_order_value", "segments": ["x"]}],
    "segmentations": [{"segmentation": "main", "segments": [{"segment": "x", "rule": "childs > 0"}, {"segment": "y", "rule": "orders >"}, {"segment": "z", "rule": "orders > 1", "priority": 5}]}]}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "programs": [{"program": "stretch", "objective": "grow_order_value", "segments": ["nobody"]}]}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "programs": [{"program": "stretch", "objective": "grow_order_value", "stretch": null}]}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "programs": [{"program": "a", "objective": "win_back", "valid_for": "soon"}, {"program": "b", "objective": "lose_all"}]}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "contents": [{"slot": "home", "content": "A", "segment": "nobody"}]}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "segmentations": [{"segmentation": "main", "default_segment": "loyal"}]}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "segmentations": [{"segmentation": "empty", "default_segment": "none"}]}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "segmentations": [{"segmentation": "main", "segments": [{"segment": "x", "rule": "true", "priority": 1.5}]}]}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "segmentations": [{"segmentation": "main", "segments": [{"segment": "x", "rule": "true", "priority": 5}]}]}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "rfm_breaks": {"r": [4,3,2,1], "f": [1,2,3,4], "m": [1,2,3,4]}}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "global_holdout": 1}', dry_run => true);
SELECT text_of('test_shop') = text FROM kept;

-- Several mistakes, of several kinds: each with where it is, what is there, and what would be accepted.
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "global_holdout": 1.5, "rfm_breaks": {"r": [4,3,2,1], "f": [1,2,3,4], "m": [1,2,3,4]}, "margins": {"by_segment": {"x": 0.2}},
    "contents": [{"slot": "home", "content": "A", "segment": "x"}, {"slot": "", "content": "B"}],
    "programs": [{"program": "a", "objective": "win_back", "holdout": 2}, {"program": "b", "objective": "win_back", "stretch": 0.5, "segments": ["x"]}, {"program": "c", "objective": "win_back", "segments": ["x"]},
        {"program": "d", "objective": "lose_all"}, {"program": "e", "objective": "win_back", "max_per_customer": 0}],
    "segmentations": [{"segmentation": "main", "segments": [{"segment": "x", "rule": "childs > 0"}]}]}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "programs": [{"program": "c", "objective": "win_back", "segments": ["nobody"]}, {"program": "d", "objective": "win_back", "segments": ["no one"]}]}');
-- A whole number is one however it is written.
SELECT name, action, after -> 'priority' AS priority, after -> 'max_per_customer' AS max_per_customer FROM clientele.apply_definitions('test_shop', '{"format": 1.0, "programs": [{"program": "a", "objective": "win_back", "priority": 1.0, "max_per_customer": 3.00}],
    "segmentations": [{"segmentation": "main", "segments": [{"segment": "x", "rule": "true", "priority": 1.0}]}, {"segmentation": "l", "learned": {"features": ["orders"], "k": 2.0, "seed": 1e1}}]}', dry_run => true) WHERE kind <> 'segmentation';
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "programs": [{"program": "a", "objective": "win_back", "priority": 1.5, "max_per_customer": "3"}],
    "segmentations": [{"segmentation": "main", "segments": [{"segment": "x", "rule": "true", "priority": 0.1}]}, {"segmentation": "l", "learned": {"features": ["orders"], "k": 2.5, "seed": true}}]}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "programs": [{"program": "a", "objective": "win_back", "valid_for": 14, "cooldown": "soon", "starts_at": "yesterday or so", "ends_at": "2026-13-01"}]}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "segmentations": [{"segmentation": "main", "segments": [{"segment": "x", "rule": "true", "priority": 3000000000}]}]}');

-- Breaks and holdout.
SELECT kind, name, action, before, after ->> 'r' AS r FROM clientele.apply_definitions('test_shop', '{"format": 1, "rfm_breaks": null, "global_holdout": 0}');
SELECT kind, name, action, after FROM clientele.apply_definitions('test_shop', (SELECT text::jsonb FROM kept));

-- ---- Rights: everybody who may read the store exports; its owner applies ----

CREATE ROLE definitions_reader;
GRANT USAGE ON SCHEMA definitions_test, test_shop TO definitions_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA test_shop TO definitions_reader;
GRANT SELECT ON kept TO definitions_reader;
SET ROLE definitions_reader;
SELECT text_of('test_shop') = text FROM kept;
SELECT clientele.export_definitions('live_shop');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "global_holdout": 0}');
SELECT clientele.apply_definitions('test_shop', '{"format": 1, "global_holdout": 0}', dry_run => true);
RESET ROLE;

-- ---- Many segments ----

CREATE FUNCTION many(count integer) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('format', 1, 'segmentations', jsonb_build_array(jsonb_build_object('segmentation', 'many', 'segments',
        (SELECT jsonb_agg(jsonb_build_object('segment', 's' || n, 'rule', format('orders = %s AND total_spent > %s', n, n))) FROM generate_series(1, count) n)))) $$;
SET statement_timeout = '300ms';
SELECT count(*) FROM clientele.apply_definitions('test_shop', many(10000));
RESET statement_timeout;
SELECT count(*) FROM clientele.apply_definitions('test_shop', many(10000), dry_run => true);
SELECT count(*) FROM clientele.apply_definitions('test_shop', many(1000));
SELECT count(*) FROM clientele.apply_definitions('test_shop', many(1000));
SELECT clientele.apply_definitions('test_shop', replace(many(10000)::text, 'total_spent', 'total_sent')::jsonb);
SELECT max(priority) FROM test_shop.segment_rules WHERE segmentation = 'many';
SELECT count(*) FROM clientele.apply_definitions('test_shop', (SELECT text::jsonb FROM kept), prune => true);
SELECT text_of('test_shop') = text FROM kept;

DROP OWNED BY definitions_reader;
DROP ROLE definitions_reader;
SET client_min_messages = error;
SELECT clientele.drop_store('live_shop'), clientele.drop_store('test_shop');
DROP SCHEMA definitions_test CASCADE;
