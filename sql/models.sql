-- Models as versioned values of a store: what is listed, what is in use, going back, and what forged ones may do.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
SET search_path = public, clientele;
\set SHOW_CONTEXT never

CREATE TABLE orders (customer_id int, ordered_at timestamptz, amount numeric(12, 2));
INSERT INTO orders SELECT c, now() - n * (5 + c % 30) * interval '1 day', 10 + c % 7 * n FROM generate_series(1, 60) c, generate_series(1, 1 + c % 6) n;
SELECT clientele.create_store('shop', 'orders', currency => 'JPY');
SELECT * FROM clientele.models;
SELECT clientele.use_model('shop', 'clv', 1);
SELECT clientele.use_model('shop', 'clv', NULL);  -- there is none to be put out of use
SELECT clientele.use_model('shop', NULL, 1);
SELECT clientele.use_model('shop', '', 1);
SELECT clientele.use_model(NULL, 'clv', 1);
SELECT clientele.use_model('', 'clv', 1);
SELECT clientele.use_model('nowhere', 'clv', 1);
CALL clientele.refresh('shop');

-- ---- Versions, put there by hand as fit_clv puts them there ----

CREATE FUNCTION pg_temp.add(purchase jsonb, value jsonb DEFAULT '{"p": 6.25, "q": 3.74, "v": 15.44}', in_use boolean DEFAULT true) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    PERFORM clientele._lock_store('shop');
    RETURN clientele._add_model('shop', 'clv', jsonb_build_object('purchase', purchase, 'value', value, 'annual_discount', 0.1), '2025-01-01', '2025-06-01', 60, '{}', in_use);
END $$;
SELECT pg_temp.add('{"model": "bgnbd", "r": 0.243, "alpha": 30.9, "a": 0.793, "b": 2.426, "converged": true}');
SELECT pg_temp.add('{"model": "pareto_nbd", "r": 0.553, "alpha": 74.0, "s": 0.606, "beta": 81.7, "converged": true}', NULL);
SELECT pg_temp.add('{"model": "mbgnbd", "r": 0.525, "alpha": 43.3, "a": 0.891, "b": 1.614, "converged": true}', in_use => false);
SELECT store, kind, version, in_use, parameters, data_from, data_to, customers, diagnostics FROM clientele.models;
SELECT purchase_kind, purchase, value, annual_discount, clv_version, decimals FROM shop.scoring;
CREATE VIEW scored AS SELECT count(p_alive) AS p_alive, count(expected_orders_90d) AS orders, count(expected_order_value) AS "values", count(clv_1y) AS clv, round(sum(p_alive)::numeric, 6) AS alive, sum(clv_1y) AS sum FROM shop.customers;
CREATE TABLE seen AS SELECT 0 AS version, * FROM scored LIMIT 0;
INSERT INTO seen SELECT 2, * FROM scored;
SELECT clientele.use_model('shop', 'clv', 1);
INSERT INTO seen SELECT 1, * FROM scored;
SELECT clientele.use_model('shop', 'clv', 3);
INSERT INTO seen SELECT 3, * FROM scored;
SELECT version, p_alive, orders, "values", clv, alive > 0 AS alive, sum > 0 AND scale(sum) = 0 AS yen FROM seen ORDER BY 1;
SELECT count(DISTINCT alive) FROM seen;
SELECT version, in_use FROM clientele.models;
SELECT clientele.use_model('shop', 'clv', 1);
SELECT s.* = ROW(1, o.*)::seen AS as_before FROM scored o, seen s WHERE s.version = 1;
SELECT clientele.use_model('shop', 'clv', 1);  -- once more
SELECT clientele.use_model('shop', 'clv', 4);
SELECT clientele.use_model('shop', 'clv', -1);
SELECT clientele.use_model('shop', 'CLV', 1);
SELECT clientele.use_model('shop', 'kmeans:none', NULL);
-- Without a model.
SELECT clientele.use_model('shop', 'clv', NULL);
SELECT * FROM scored;
SELECT count(*) FILTER (WHERE in_use) FROM clientele.models;
SELECT purchase_kind, purchase, value, annual_discount, clv_version FROM shop.scoring;
SELECT count(r_score) > 0 AS rfm_stays FROM shop.customers;
SELECT clientele.use_model('shop', 'clv', 3);
-- A refresh keeps the model; so does an upgrade; what depends on the margin follows it.
CALL clientele.refresh('shop', "full" => true);
SELECT clientele.upgrade_store('shop');
SELECT s.* = ROW(3, o.*)::seen AS as_before FROM scored o, seen s WHERE s.version = 3;
-- Old versions may go; numbers are those of the versions that are there.
DELETE FROM shop.models WHERE NOT in_use;
SELECT pg_temp.add('{"model": "bgnbd", "r": 0.3, "alpha": 31, "a": 0.8, "b": 2.4}');  -- written by hand: no word of its converging
SELECT version, in_use FROM clientele.models;

-- ---- Forged versions: refused when they are put in use, and the one in use stays ----

CREATE FUNCTION pg_temp.forge(parameters text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO shop.models VALUES ('clv', 99, false, now(), parameters::jsonb, NULL, NULL, 1, '{}');
    PERFORM clientele.use_model('shop', 'clv', 99);
    RAISE EXCEPTION 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
SELECT f, pg_temp.forge(f) FROM unnest(ARRAY['{}', '[]', 'null', '"clv"', '{"purchase": null}', '{"purchase": {"model": "lifetimes"}}', '{"purchase": {"model": "bgnbd"}}',
    '{"purchase": {"model": "bgnbd", "r": "0.3", "alpha": 31, "a": 0.8, "b": 2.4}}', '{"purchase": {"model": "bgnbd", "r": 0, "alpha": 31, "a": 0.8, "b": 2.4}}', '{"purchase": {"model": "bgnbd", "r": -1, "alpha": 31, "a": 0.8, "b": 2.4}}',
    '{"purchase": {"model": "bgnbd", "r": 1e400, "alpha": 31, "a": 0.8, "b": 2.4}}', '{"purchase": {"model": "bgnbd", "r": 1e-400, "alpha": 31, "a": 0.8, "b": 2.4}}', '{"purchase": {"model": "pareto_nbd", "r": 1, "alpha": 31, "a": 0.8, "b": 2.4}}',
    '{"purchase": {"model": "bgnbd", "r": 1, "alpha": 31, "a": 0.8, "b": 2.4, "converged": false, "iterations": 7}}', '{"purchase": {"model": "bgnbd", "r": 1, "alpha": 31, "a": 0.8, "b": 2.4, "converged": "yes"}}',
    '{"purchase": {"model": "bgnbd", "r": 1, "alpha": 31, "a": 0.8, "b": 2.4}, "value": {"p": 1}}', '{"purchase": {"model": "bgnbd", "r": 1, "alpha": 31, "a": 0.8, "b": 2.4}, "value": 7}',
    '{"purchase": {"model": "bgnbd", "r": 1, "alpha": 31, "a": 0.8, "b": 2.4}, "annual_discount": "a lot"}', '{"purchase": {"model": "bgnbd", "r": 1, "alpha": 31, "a": 0.8, "b": 2.4}, "annual_discount": -2}', '{"purchase": {"model": "bgnbd", "r": 1, "alpha": 31, "a": 0.8, "b": 2.4}, "annual_discount": 0}']) f;
SELECT version, in_use FROM clientele.models;
SELECT clv_version FROM shop.scoring;
-- A report that was forged, or is of nothing.
SELECT * FROM clientele.clv_report('shop');
UPDATE shop.models SET diagnostics = d FROM (VALUES ('{"holdout": {"weeks": 7, "repeat_purchases": [null, {}, 5]}, "data": []}'::jsonb)) v (d) WHERE in_use;
SELECT count(*) > 0 AS rows FROM clientele.clv_report('shop');

-- ---- Two at once ----

SELECT count(*) FROM shop.models WHERE in_use;
UPDATE shop.models SET in_use = true;  -- never two of a kind

-- ---- Roles ----

CREATE ROLE models_reader;
CREATE ROLE models_stranger;
GRANT USAGE ON SCHEMA shop TO models_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO models_reader;
SET ROLE models_stranger;
SELECT count(*) FROM clientele.models;
SELECT clientele.use_model('shop', 'clv', 3);
SELECT version FROM clientele.fit_clv('shop');
SELECT * FROM clientele.clv_report('shop');
SELECT * FROM clientele.clv_report();
SET ROLE models_reader;
SELECT store, version FROM clientele.models ORDER BY 2;
SELECT count(p_alive) > 0 AS p_alive FROM shop.customers;
SELECT clientele.use_model('shop', 'clv', 3);
SELECT version FROM clientele.fit_clv('shop');
SELECT clientele._add_model('shop', 'clv', '{}', NULL, NULL, 0, '{}');
RESET ROLE;
REVOKE SELECT ON shop.models FROM models_reader;
SET ROLE models_reader;
SELECT count(*) FROM clientele.models;
SELECT count(p_alive) > 0 AS p_alive FROM shop.customers;
RESET ROLE;
REVOKE SELECT ON shop.scoring FROM models_reader;
SET ROLE models_reader;
SELECT count(p_alive) > 0 AS p_alive FROM shop.customers;
RESET ROLE;
-- What looks like a store, made so that listing its models would run code: neither policies, rules, indexes, statistics, checks nor children do.
CREATE ROLE models_hostile;
CREATE SCHEMA trap AUTHORIZATION models_hostile;
SET ROLE models_hostile;
CREATE FUNCTION trap.harm(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE WARNING 'harm as %', current_user; RETURN 1; END $$;
CREATE TABLE trap.settings (LIKE clientele.store_settings);
INSERT INTO trap.settings (version) VALUES (1);
CREATE TABLE trap.models (LIKE clientele.model_version);
GRANT USAGE ON SCHEMA trap TO PUBLIC;
GRANT SELECT ON ALL TABLES IN SCHEMA trap TO PUBLIC;
INSERT INTO trap.models VALUES ('made up', 1, true, now(), '{}', NULL, NULL, 0, '{}');
SET client_min_messages = error;
CREATE INDEX harm ON trap.models ((version + trap.harm(1)));
RESET client_min_messages;
RESET ROLE;
SELECT store FROM clientele.models GROUP BY 1 ORDER BY 1;
DROP INDEX trap.harm;
SELECT store FROM clientele.models GROUP BY 1 ORDER BY 1;
SET client_min_messages = error;
CREATE STATISTICS trap.harm ON (version + trap.harm(1)), kind FROM trap.models;
RESET client_min_messages;
SELECT store FROM clientele.models GROUP BY 1 ORDER BY 1;
DROP STATISTICS trap.harm;
SET client_min_messages = error;
ALTER TABLE trap.models ADD CHECK (version = trap.harm(1));
SET constraint_exclusion = on;
SET client_min_messages = warning;
SELECT store FROM clientele.models WHERE version = 1 GROUP BY 1 ORDER BY 1;
RESET constraint_exclusion;
ALTER TABLE trap.models DROP CONSTRAINT models_version_check, ENABLE ROW LEVEL SECURITY;
SELECT store FROM clientele.models GROUP BY 1 ORDER BY 1;
DROP TABLE trap.models;
CREATE TABLE trap.models (kind text, version int);
SELECT store FROM clientele.models GROUP BY 1 ORDER BY 1;
DROP SCHEMA trap CASCADE;

-- ---- Gone with the store ----

SELECT clientele.drop_store('shop');
DROP VIEW scored;
SELECT clientele.drop_store('shop');
SELECT count(*) FROM clientele.models;
DROP TABLE orders, seen;
DROP ROLE models_reader, models_stranger, models_hostile;
