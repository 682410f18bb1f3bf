-- What one store has learnt decides the same in another: terms as a document, shares of a budget.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA terms_test;
SET search_path = terms_test, public;
CREATE TABLE people (customer_id bigint PRIMARY KEY, children integer);
INSERT INTO people SELECT c, c % 4 FROM generate_series(1, 400) c;
CREATE TABLE all_orders (order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric);
INSERT INTO all_orders SELECT c * 100 + n, c, date_trunc('day', now()) - make_interval(days => (c * 13 % 150 + n * 17)), round((20 + (c * 37 + n * 11) % 60 + n / 7.0)::numeric, 2)
    FROM generate_series(1, 400) c, generate_series(1, c % 9) n;
CREATE TABLE few_orders AS SELECT * FROM all_orders WHERE customer_id % 2 = 0;

-- All stores that decide alike are created under one name: whoever is held out is hashed with it.
SELECT clientele.create_store('shop', 'all_orders', customers => 'people', attributes => '{children}');
CALL clientele.refresh('shop');
ALTER SCHEMA shop RENAME TO whole;
SELECT clientele.create_store('shop', 'few_orders', customers => 'people', attributes => '{children}');
CALL clientele.refresh('shop');
ALTER SCHEMA shop RENAME TO shard;
SELECT clientele.define_segment('whole', 'families', 'children > 2'), clientele.add_rfm_segments('whole'), clientele.define_content('whole', 'home', 'post A', 'families'),
    clientele.define_offer('whole', 'stretch', 'grow_order_value', holdout => 0.1, budget => 1001, max_cv => 2), clientele.define_offer('whole', 'back', 'win_back', max_cv => 2);
SELECT count(*) FROM clientele.learn_segments('whole', 'habits', '{orders,aov}', 3);
SELECT clientele.define_segment('shard', 'of no use', 'orders > 100'), clientele.define_offer('shard', 'other', 'second_order');
SELECT clientele._add_model('whole', 'clv', '{"purchase": {"model": "bgnbd", "r": 0.3, "alpha": 40.123456789012345, "a": 0.8, "b": 2.5}, "value": {"p": 6.25, "q": 4, "v": 15}, "annual_discount": 0.1}', '2026-01-01', '2026-06-01', 356, '{"fit": 1}');
CALL clientele.refresh('whole');

SELECT clientele.export_terms('whole') AS terms \gset
SELECT t - '{definitions,models,population,typical_values}'::text[] AS terms, t #> '{definitions,programs,0,program}' AS first, jsonb_path_query_array(t, '$.models[*].kind') AS models FROM (SELECT :'terms'::jsonb) t (t);
SELECT clientele.apply_terms('shard', :'terms');
SELECT clientele.export_terms('shard') = :'terms' AS same, clientele.export_terms('shard')::text = :'terms' AS same_text;
SELECT clientele.apply_terms('shard', :'terms');
SELECT clientele.export_terms('shard') = :'terms' AS same, (SELECT count(*) FROM shard.models) AS models;
-- Its own customers are refreshed, and change nothing of it.
CALL clientele.refresh('shard');
SELECT clientele.export_terms('shard') = :'terms' AS same;
CREATE FUNCTION differences(view text) RETURNS TABLE (customers bigint, differ bigint) LANGUAGE plpgsql AS $$ BEGIN
    RETURN QUERY EXECUTE format('SELECT count(*), count(*) FILTER (WHERE to_jsonb(w) - ''{as_of,valid_until}''::text[] IS DISTINCT FROM to_jsonb(s) - ''{as_of,valid_until}''::text[])
        FROM (SELECT * FROM whole.%1$I WHERE customer_id %% 2 = 0) w FULL JOIN (SELECT * FROM shard.%1$I WHERE customer_id %% 2 = 0) s USING (customer_id)', view); END $$;
SELECT v, d.customers > 100 AS some, d.differ FROM unnest('{customers,campaign,offers}'::text[]) v, differences(v) d;
SELECT count(*) > 100 AS some, count(*) FILTER (WHERE w.segment <> s.segment) AS differ FROM whole.segments w JOIN shard.segments s USING (customer_id, segmentation) WHERE customer_id % 2 = 0;

-- Shares of budgets.
SELECT clientele.apply_terms('shard', :'terms', budget_share => 0.3333);
SELECT program, budget FROM shard.programs WHERE budget > 0;
SELECT clientele.apply_terms('shard', :'terms', budget_share => NULL);
SELECT program, budget FROM shard.programs WHERE budget > 0;
SELECT clientele.budget_shares(1000, '{400,100.50,0}'), clientele.budget_shares(1000, '{400,100}', 'JPY'), clientele.budget_shares(0, '{0}');
SELECT sum(s) FROM unnest(clientele.budget_shares(100, '{10,0,0}')) s;
SELECT clientele.budget_shares(100, '{90,10.01}');
SELECT clientele.budget_shares(100, '{90,NULL}');
SELECT clientele.budget_shares(100, '{-1}');
SELECT clientele.budget_shares('NaN', '{1}');
SELECT clientele.budget_shares(100, '{}');
SELECT clientele.budget_shares(100, '{1}', 'nonsense');
SELECT clientele.budget_shares(NULL, '{1}');

-- What is refused changes nothing.
SELECT clientele.export_terms('shard') AS before \gset
SELECT clientele.apply_terms('shard', 'null');
SELECT clientele.apply_terms('shard', '{}');
SELECT clientele.apply_terms('shard', '[1]');
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{format}', '2'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{version}', '"0.9"'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{currency}', '"EUR"'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{time_zone}', '"Europe/Berlin"'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{margin}', '0.4'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{seed}', '"another"'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{more}', '1'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{population,breaks_r}', '[4, 3, 2, 1]'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{population,breaks_m}', '[1e400, 1, 1, 1]'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{population,net_share}', '1.5'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{population,value_prior,tau2}', '-1'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{typical_values,0,value}', '-1'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{typical_values}', '[{"segment": "", "basis": "store", "customers": 1, "value": 1}, {"segment": "", "basis": "store", "customers": 1, "value": 1}]'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{budget_prices}', '{"stretch": "much"}'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{models,0,kind}', '"affinity"'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{models,0,parameters,purchase,r}', '-1'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{models,1,parameters,centroids}', '[[1]]'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{definitions,programs,0,stretch}', '0.5'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{definitions,segmentations,0,segments,0,rule}', '"nonsense > 1"'));
SELECT clientele.apply_terms('shard', jsonb_set(:'terms', '{definitions}', '7'));
SELECT clientele.apply_terms('shard', :'terms', budget_share => 0);
SELECT clientele.apply_terms('shard', :'terms', budget_share => 'NaN');
SELECT clientele.export_terms('shard') = :'before' AS unchanged;
SELECT clientele.drop_offer('shard', 'stretch');
SELECT clientele.apply_terms('shard', :'terms', budget_share => NULL);
SELECT clientele.apply_terms('shard', :'before');
SELECT clientele.export_terms('shard') = :'before' AS back;
-- Without a model where there was one.
SELECT clientele.apply_terms('shard', jsonb_set(:'before', '{models}', jsonb_path_query_array(:'before', '$.models[*] ? (@.kind != "clv")')));
SELECT count(p_alive) FROM shard.customers;
SELECT clientele.apply_terms('shard', :'before');
SELECT count(p_alive) > 100 AS predicted, clientele.export_terms('shard') = :'before' AS back FROM shard.customers;
SELECT clientele.export_terms(NULL);
SELECT clientele.export_terms('nowhere');
SELECT clientele.apply_terms('nowhere', '{}');

-- It goes by its own customers again.
SELECT clientele.apply_terms('shard', NULL);
SELECT clientele.export_terms('shard') = :'before' AS same;
CALL clientele.refresh('shard');
SELECT clientele.export_terms('shard') -> 'population' = :'before'::jsonb -> 'population' AS same, clientele.export_terms('shard') -> 'definitions' = :'before'::jsonb -> 'definitions' AS same_definitions;
SELECT clientele.drop_store('whole'), clientele.drop_store('shard');
\set VERBOSITY terse
DROP SCHEMA terms_test CASCADE;
