-- Terms that are learnt: the response to offers as a model of the store, exploring, and the choice.
CREATE SCHEMA learned_terms;
SET search_path = learned_terms, public;
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE TABLE people AS SELECT c AS customer_id, c % 5 = 0 AS firm FROM generate_series(1, 2000) c;
ALTER TABLE people ADD PRIMARY KEY (customer_id);
CREATE TABLE sales AS
SELECT c * 100 + k AS order_id, c AS customer_id, '2025-01-01 12:00+00'::timestamptz + interval '1 day' * ((c * 7 + k * 43) % 350) AS ordered_at,
    round((30 + c % 41) * exp(0.008 * (1 + c % 20) * ((c * 31 + k * 17) % 21 - 10))::numeric, 2) AS amount
FROM generate_series(1, 1990) c, generate_series(1, 1 + c % 9) k;
SELECT clientele.create_store('lt', orders => 'learned_terms.sales', customers => 'learned_terms.people', attributes => '{firm}', margin => 0.30);
CALL clientele.refresh('lt');
SELECT clientele.define_segment('lt', 'firms', 'firm');

-- A response as fit_response() stores it.
CREATE FUNCTION learnt(changes jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_object('parameters', '{"a": -1.5, "lb": 1.3862943611198906, "c": 0.8, "delta": 0.3, "ltau": 0, "lomega": -3.506557897319982,
            "lA": 0.8472978603872034, "lq": 2.1972245773362196, "d": [0.4]}'::jsonb, 'segments', '{firms}'::text[],
        'covariance', (SELECT jsonb_agg(CASE WHEN i = j THEN 0.0004 ELSE 0 END ORDER BY i, j) FROM generate_series(1, 9) i, generate_series(1, i) j),
        'q_known', false, 'stretch', '{1.3,2.8}'::numeric[], 'reward_rate', '{0.02,0.06}'::numeric[],
        'order_rate', '{"shape": 0.8, "mean": 0.0273972602739726, "days": 365}'::jsonb, 'horizon_days', 14, 'known_to', to_jsonb(now()))
        || changes
$$;
CREATE FUNCTION use_learnt(changes jsonb DEFAULT '{}') RETURNS integer LANGUAGE sql AS $$
    SELECT clientele._add_model('lt', 'response', learned_terms.learnt(changes), NULL, now(), 2000, '{}')
$$;
SELECT use_learnt();
SELECT lt._offer_book() -> 'response' = learnt((SELECT jsonb_build_object('sensitive', NULL, 'known_to', m.parameters -> 'known_to') FROM clientele.models m WHERE m.kind = 'response')) AS in_the_book;
SELECT kind, version, in_use FROM clientele.models WHERE store = 'lt';
SELECT clientele.define_segment('lt', 'firms', 'firm', sensitive => true);
SELECT lt._offer_book() -> 'response' -> 'sensitive' AS sensitive;
SELECT clientele.define_segment('lt', 'firms', 'firm', sensitive => false);
SELECT clientele.use_model('lt', 'response', NULL);
SELECT lt._offer_book() ? 'response' AS in_the_book;
-- Nobody could forge one.
SELECT use_learnt('{"parameters": {"a": 1}}');
SELECT use_learnt(jsonb_set(learnt(), '{parameters,a}', '1e300'));
SELECT use_learnt(jsonb_set(learnt(), '{parameters,d}', '[0.1, 0.2]'));
SELECT use_learnt(jsonb_set(learnt(), '{parameters,z}', '0'));
SELECT use_learnt('{"parameters": null}');
SELECT use_learnt('{"covariance": [1, 2]}');
SELECT use_learnt(jsonb_set(learnt(), '{covariance,0}', '-1'));
SELECT use_learnt('{"covariance": "wide"}');
SELECT use_learnt('{"segments": [1]}');
SELECT use_learnt('{"q_known": "yes"}');
SELECT use_learnt('{"stretch": [2, 1.5]}');
SELECT use_learnt('{"stretch": [1, 1.5]}');
SELECT use_learnt('{"reward_rate": [0.02]}');
SELECT use_learnt('{"reward_rate": [0, 0.02]}');
SELECT use_learnt('{"order_rate": {"shape": 0, "mean": 1, "days": 365}}');
SELECT use_learnt('{"order_rate": {"shape": 1, "days": 365}}');
SELECT use_learnt('{"horizon_days": 0}');
SELECT use_learnt('{"known_to": "yesterday"}');
SELECT use_learnt('{"known_to": null}');
SELECT use_learnt('{"displaced": 2}');
SELECT use_learnt('{"extra_orders": -1}');
SELECT use_learnt('{"outdated": 1}');
SELECT use_learnt('{"profit": 1}');
SELECT count(*) AS versions FROM clientele.models WHERE store = 'lt';
SELECT clientele.drop_store('lt', true);
DROP SCHEMA learned_terms CASCADE;
