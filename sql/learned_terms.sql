-- Terms that are learnt: the response to offers as a model of the store, exploring, and the choice.
\set SHOW_CONTEXT never
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
SELECT clientele.response_curve(1::bigint, 'lt');
SELECT clientele.response_curve(NULL::bigint, 'lt');
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


-- What would be chosen without a program's limits.
SELECT clientele.use_model('lt', 'response', 1);
CREATE TABLE unlimited AS SELECT c.customer_id, r.* FROM lt.customers c, LATERAL clientele.response_curve(c.customer_id, 'lt') r;
SELECT count(*) FILTER (WHERE chosen) > 300 AS chosen FROM unlimited;
SELECT clientele.use_model('lt', 'response', NULL);
-- Exploring: a share of the enrolments gets one of the combinations, whatever half the margin and the last threshold say.
SELECT clientele.define_offer('lt', 'grow', 'grow_order_value', explore => '{"share": 0.3, "stretch": [1.3, 1.9, 2.8], "reward_rate": [0.02, 0.2]}', holdout => 0.1, max_cv => NULL);
SELECT variant, count(*) > 50 AS often, round(avg(propensity)::numeric, 4) AS propensity
FROM lt.offers GROUP BY variant, propensity ORDER BY variant;
SELECT count(*) FILTER (WHERE (variant LIKE 'explore:%') <> (drawn < 0.3)) AS others, count(*) FILTER (WHERE variant LIKE 'explore:%') AS explored,
    count(*) FILTER (WHERE variant <> CASE WHEN drawn < 0.3 THEN 'explore:' || (ARRAY[1.3, 1.3, 1.9, 1.9, 2.8, 2.8])[1 + floor(drawn / 0.3 * 6)::integer] || ':' ||
        (ARRAY[0.02, 0.2])[1 + floor(drawn / 0.3 * 6)::integer % 2] ELSE 'default' END) AS wrong,
    count(*) FILTER (WHERE variant LIKE 'explore:%' AND (min_spend, reward) IS DISTINCT FROM
        (clientele.stretch_threshold(reference_value, split_part(variant, ':', 2)::numeric), trunc(min_spend * split_part(variant, ':', 3)::numeric, 2))) AS terms
FROM lt.offer_decisions d, LATERAL (SELECT clientele.bucket('lt:grow:explore', customer_id || ':1') AS drawn) b WHERE status <> 'refused';
SELECT count(*) FILTER (WHERE (o.min_spend, o.reward, o.variant, o.propensity, o.reasons) IS DISTINCT FROM (l.min_spend, l.reward, l.variant, l.propensity, l.reasons)) AS differences, count(*) AS compared
FROM lt.offers o, LATERAL clientele.personalized_offer(o.customer_id, 'lt') l WHERE o.customer_id % 10 = 7;
SELECT explanation FROM lt.offer_decisions d, LATERAL clientele.explain_offer(d.customer_id, 'lt') WHERE d.variant = 'explore:2.8:0.2' AND d.status = 'offered' ORDER BY d.customer_id LIMIT 1;
SELECT segment, greatest_cost_after = (SELECT sum(reward) FROM lt.offers) AS all_rewards, exploring_cost_after = (SELECT sum(reward) FROM lt.offers WHERE variant LIKE 'explore:%') AS exploring
FROM clientele.preview_offer('lt', 'grow', 'grow_order_value', explore => '{"share": 0.3, "stretch": [1.3, 1.9, 2.8], "reward_rate": [0.02, 0.2]}', holdout => 0.1, max_cv => NULL) WHERE segment IS NULL;
-- A budget must have left the greatest reward of all, whatever is drawn.
SELECT clientele.alter_offer('lt', 'grow', budget => 30);
SELECT count((e.enrolled).program) > 0 AS some, bool_and((e.enrolled).greatest_reward >= (e.enrolled).reward) AS greatest, max((e.enrolled).greatest_reward) AS within
FROM lt._offer_inputs i, LATERAL (SELECT clientele._enrol(lt._offer_book(), i.input, NULL, i.budgets) AS enrolled) e;
SELECT clientele.alter_offer('lt', 'grow', reset => '{budget}');
-- The next enrolment draws anew, and what was explored sets no base.
CALL clientele.issue_offers('lt');
SELECT count(*) AS exposures, count(DISTINCT (l.holdout, l.variant)) > 12 AS held_out_draw_too, count(l.drawn_stretch) = count(*) FILTER (WHERE l.variant LIKE 'explore:%') AS drawn FROM lt.ledger l;
UPDATE lt.ledger l SET state = 'expired', closed_at = now(), issued_at = l.issued_at - interval '20 days', valid_until = l.valid_until - interval '20 days';
SELECT count(*) FILTER (WHERE (d.variant LIKE 'explore:%') <> (clientele.bucket('lt:grow:explore', l.customer_id || ':2') < 0.3)) AS wrong,
    count(*) FILTER (WHERE (d.variant LIKE 'explore:%') <> (l.variant LIKE 'explore:%')) > 100 AS drawn_anew,
    count(*) FILTER (WHERE l.variant LIKE 'explore:%' AND 'one_rung_up' = ANY (d.reasons)) AS based_on_explored
FROM lt.ledger l JOIN lt.offer_decisions d USING (customer_id) WHERE d.status = 'offered';
-- Refused.
SELECT clientele.define_offer('lt', 'x', 'grow_order_value', explore => '{"share": 1, "stretch": [1.3], "reward_rate": [0.02]}');
SELECT clientele.define_offer('lt', 'x', 'grow_order_value', explore => '{"share": 0.1, "stretch": [1.3], "reward_rate": [1.02]}');
SELECT clientele.define_offer('lt', 'x', 'grow_order_value', explore => '{"share": 0.1, "stretch": [1.3, 1.30], "reward_rate": [0.02]}');
SELECT clientele.define_offer('lt', 'x', 'grow_order_value', explore => '{"share": 0.1, "stretch": [], "reward_rate": [0.02]}');
SELECT clientele.define_offer('lt', 'x', 'grow_order_value', explore => '{"share": 0.1, "stretch": [1.3]}');
SELECT clientele.define_offer('lt', 'x', 'grow_order_value', explore => '{"stretch": [1.3], "reward_rate": [0.02], "shares": 0.1}');
SELECT clientele.define_offer('lt', 'x', 'grow_order_value', explore => '[0.1]');
SELECT clientele.define_offer('lt', 'x', 'win_back', explore => '{"share": 0.1, "stretch": [1.3], "reward_rate": [0.02]}');
SELECT clientele.define_offer('lt', 'x', 'grow_order_value', explore => '{"share": 0.1, "stretch": [1.3], "reward_rate": [0.02]}', arms => '[{"stretch": 1.5}, {"stretch": 1.8}]');
SELECT clientele.define_offer('lt', 'x', 'grow_order_value', arms => '[{"name": "explore:1.5"}, {}]');
SELECT clientele.define_offer('lt', 'x', 'grow_order_value', min_profit => 0.5);
-- Learned terms: until something was learnt, by the spread of the own orders.
SELECT clientele.define_offer('lt', 'grow', 'grow_order_value', terms => 'learned', explore => '{"share": 0.2, "stretch": [1.3, 1.9, 2.8], "reward_rate": [0.02, 0.06]}', holdout => 0.1,
    disclosure => 'By what other customers did');
SELECT terms, reward_rate FROM lt.programs;
SELECT count(*) FILTER (WHERE variant = 'default' AND NOT reasons @> '{not_learned_yet,own_spread}') AS others, bool_and(expected_profit IS NULL) AS nothing_known FROM lt.offers;
SELECT explanation FROM lt.offers o, LATERAL clientele.explain_offer(o.customer_id, 'lt') WHERE o.variant = 'default' ORDER BY o.customer_id LIMIT 1;
SELECT use_learnt();
SELECT status, reasons[1] AS reason, count(*) > 30 AS many, bool_and(expected_profit > 0) AS earns, bool_and(expected_profit_low >= 0) AS low FROM lt.offer_decisions WHERE variant = 'default' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FILTER (WHERE NOT 'earns_most' = ANY (o.reasons)) AS others, min(o.min_spend / o.reference_value) >= 1.3 AS tried, max(o.min_spend / o.reference_value) < 3.5 AS within,
    bool_and(o.reward BETWEEN trunc(0.02 * o.min_spend, 2) AND trunc(0.06 * o.min_spend, 2)) AS rates FROM lt.offers o WHERE o.variant = 'default';
-- Look-ups, views, campaigns, previews and explanations agree to the last digit.
SELECT count(*) FILTER (WHERE (o.min_spend, o.reward, o.variant, o.propensity, o.expected_profit, o.reasons) IS DISTINCT FROM
        (l.min_spend, l.reward, l.variant, l.propensity, l.expected_profit, l.reasons)) AS lookups, count(*) AS compared
FROM (SELECT customer_id FROM lt.customers WHERE customer_id % 10 = 3) c LEFT JOIN lt.offers o USING (customer_id), LATERAL clientele.personalized_offer(c.customer_id, 'lt') l;
SELECT count(*) FILTER (WHERE d.status = 'offered') = (SELECT count(*) FROM lt.offers) AS as_many,
    count(*) FILTER (WHERE (d.min_spend, d.reward, d.expected_profit) IS DISTINCT FROM (o.min_spend, o.reward, o.expected_profit)) AS decisions
FROM lt.offer_decisions d LEFT JOIN lt.offers o USING (customer_id) WHERE d.status = 'offered' OR o.program IS NOT NULL;
SELECT count(*) FILTER (WHERE (d.status, d.reasons) IS DISTINCT FROM (e.status, e.reasons)) AS explanations
FROM lt.offer_decisions d, LATERAL clientele.explain_offer(d.customer_id, 'lt') e WHERE d.customer_id % 50 = 7;
-- The curve: what is chosen is what the customer is asked for, and has the greatest profit; where nothing is chosen, a reason says why.
BEGIN;  -- what is expected depends a little on the time
CREATE TABLE curves AS SELECT c.customer_id, r.* FROM lt.customers c, LATERAL clientele.response_curve(c.customer_id, 'lt') r;
SELECT count(*) AS other_than_without_limits FROM (SELECT customer_id, min_spend, reward FROM curves EXCEPT SELECT customer_id, min_spend, reward FROM unlimited) x;
SELECT count(DISTINCT customer_id) > 1500 AS customers, count(*) FILTER (WHERE chosen) > 300 AS chosen FROM curves;
SELECT count(*) > 300 AS compared, count(*) FILTER (WHERE (d.min_spend, d.reward, d.expected_profit, d.expected_profit_low) IS DISTINCT FROM (c.min_spend, c.reward, c.profit, c.low)) AS others
FROM lt.offer_decisions d LEFT JOIN (SELECT * FROM curves WHERE chosen) c USING (customer_id) WHERE d.variant = 'default' AND d.status <> 'refused';
SELECT count(*) > 300 AS compared, count(*) FILTER (WHERE (o.min_spend, o.reward, o.expected_profit) IS DISTINCT FROM (c.min_spend, c.reward, c.profit)) AS others
FROM curves c, LATERAL clientele.personalized_offer(c.customer_id, 'lt') o WHERE c.chosen AND o.variant = 'default';
COMMIT;
SELECT count(*) FILTER (WHERE n > 1) AS chosen_twice, count(*) FILTER (WHERE n = 1 AND chosen_profit < greatest) AS not_the_greatest, bool_and(disorder = 0) AS ordered
FROM (SELECT count(*) FILTER (WHERE chosen) AS n, max(profit) FILTER (WHERE chosen) AS chosen_profit, max(profit) AS greatest, count(*) FILTER (WHERE low > high) AS disorder FROM curves GROUP BY customer_id) x;
SELECT count(*) > 100 AS compared, bool_and(NOT EXISTS (SELECT FROM curves c WHERE c.customer_id = d.customer_id AND c.chosen)) AS none_chosen FROM lt.offer_decisions d WHERE d.reasons = '{not_worth_it}';
-- A back-test sums up the same: what is expected at the mode, and by each of 24 draws.
BEGIN;
SELECT count(*) > 300 AS compared, count(*) FILTER (WHERE round(p.profits[1]::numeric, 4) <> o.expected_profit) AS others, bool_and(cardinality(p.profits) = 25) AS draws,
    count(*) FILTER (WHERE (SELECT percentile_cont(0.2) WITHIN GROUP (ORDER BY x) FROM unnest(p.profits[2:]) x) <= 0) AS unsure
FROM lt.offers o JOIN lt._offer_inputs i USING (customer_id), LATERAL (SELECT clientele._offer_profits(lt._offer_book(), i.input, 'grow', o.min_spend, o.reward) AS profits) p WHERE o.variant = 'default';
COMMIT;
SELECT clientele._offer_profits(lt._offer_book(), i.input, 'nothing', 50, 1) FROM lt._offer_inputs i WHERE i.customer_id = 1;
SELECT bool_and(natural_share BETWEEN 0 AND 1 AND raised_share BETWEEN 0 AND 1) AS shares,
    bool_and(natural_share <= lag) AS fewer_reach_more FROM (SELECT *, lag(natural_share) OVER (PARTITION BY customer_id ORDER BY min_spend, reward) AS lag FROM curves) c;
SELECT min_spend, reward, round(natural_share::numeric, 6) AS natural_share, round(raised_share::numeric, 6) AS raised_share, profit, low, high, chosen FROM clientele.response_curve(1::bigint, 'lt');
SELECT count(*) FILTER (WHERE a IS DISTINCT FROM b) AS differ FROM clientele.response_curve(3::bigint, 'lt') WITH ORDINALITY a FULL JOIN clientele.response_curve('3'::text, 'lt') WITH ORDINALITY b USING (ordinality);
SELECT count(*) AS of_nobody FROM unnest('{99999,-1,null}'::bigint[]) c, clientele.response_curve(c, 'lt');
SELECT clientele.response_curve('three'::text, 'lt');
SELECT clientele.response_curve(1::bigint, 'nowhere');
CREATE ROLE curve_reader;
GRANT USAGE ON SCHEMA learned_terms TO curve_reader;
SET ROLE curve_reader;
SELECT clientele.response_curve(1::bigint, 'lt');
SELECT clientele.personalized_offer(1::bigint, 'lt');
RESET ROLE;
DROP OWNED BY curve_reader;
DROP ROLE curve_reader;
SELECT gains, loses, changes, greatest_cost_after = (SELECT sum(reward) FROM lt.offers) AS cost
FROM clientele.preview_offer('lt', 'grow', 'grow_order_value', terms => 'learned', explore => '{"share": 0.2, "stretch": [1.3, 1.9, 2.8], "reward_rate": [0.02, 0.06]}', holdout => 0.1,
    disclosure => 'By what other customers did') WHERE segment IS NULL;
CREATE TABLE before AS SELECT customer_id, status, min_spend, reward, variant, propensity, expected_profit FROM lt.offer_decisions WHERE status <> 'refused';
CALL clientele.issue_offers('lt');
SELECT count(*) AS written, count(*) FILTER (WHERE (b.min_spend, b.reward, b.variant, b.propensity, b.expected_profit, b.status = 'held_out') IS DISTINCT FROM
        (l.min_spend, l.reward, l.variant, l.propensity, l.expected_profit, l.holdout IS NOT NULL)) AS others
FROM before b FULL JOIN (SELECT * FROM lt.ledger WHERE state = 'open') l USING (customer_id);
UPDATE lt.ledger l SET state = 'expired', closed_at = now(), issued_at = l.issued_at - interval '200 days', valid_until = l.valid_until - interval '200 days' WHERE state = 'open';
-- What an offer must be worth.
SELECT explanation FROM lt.offer_decisions d, LATERAL clientele.explain_offer(d.customer_id, 'lt') WHERE d.reasons = '{not_worth_it}' ORDER BY d.customer_id LIMIT 1;
SELECT explanation FROM lt.offers o, LATERAL clientele.explain_offer(o.customer_id, 'lt') WHERE o.variant = 'default' ORDER BY o.customer_id LIMIT 1;
CREATE FUNCTION chosen() RETURNS TABLE (offers bigint, explored bigint, lowest numeric, reward numeric) LANGUAGE sql STABLE AS $$
    SELECT count(*) FILTER (WHERE o.variant = 'default'), count(*) FILTER (WHERE o.variant <> 'default'), min(o.expected_profit), min(o.reward) FILTER (WHERE o.variant = 'default') FROM lt.offers o
$$;
CREATE TABLE free AS SELECT * FROM chosen();
SELECT clientele.alter_offer('lt', 'grow', min_profit => 0.02);
SELECT c.offers < f.offers AS fewer, c.explored = f.explored AS explored, c.lowest >= 0.02 AS enough FROM chosen() c, free f;
SELECT clientele.alter_offer('lt', 'grow', min_reward => 1.5, reset => '{min_profit}');
SELECT c.offers < f.offers AS fewer, c.reward >= 1.5 AS enough FROM chosen() c, free f;
SELECT clientele.alter_offer('lt', 'grow', contact_cost => 0.02, reset => '{min_reward}');
SELECT c.offers < f.offers AS fewer, c.explored = f.explored AS explored, c.lowest > 0 AS earns FROM chosen() c, free f;
SELECT clientele.alter_offer('lt', 'grow', reset => '{contact_cost}');
-- Nobody falls through to an offer that loses.
SELECT clientele.define_offer('lt', 'behind', 'grow_order_value', max_cv => NULL);
SELECT count(*) AS offers FROM lt.offers WHERE program = 'behind';
SELECT clientele.drop_offer('lt', 'behind');
-- Of a sensitive segment nothing of its own is used.
SELECT sum(expected_profit) AS firms INTO firms FROM lt.offers WHERE segment = 'firms' AND variant = 'default';
SELECT clientele.define_segment('lt', 'firms', 'firm', sensitive => true);
SELECT sum(o.expected_profit) < min(f.firms) AS less FROM lt.offers o, firms f WHERE segment = 'firms' AND variant = 'default';
-- Nor a margin of its own.
CREATE TABLE plain AS SELECT customer_id, min_spend, reward, expected_profit FROM lt.offers WHERE segment = 'firms' AND variant = 'default';
SELECT clientele.set_margins('lt', by_segment => '{"firms": 0.6}');
SELECT count(*) FILTER (WHERE (o.min_spend, o.reward, o.expected_profit) IS DISTINCT FROM (p.min_spend, p.reward, p.expected_profit)) AS differ, count(*) > 20 AS many
FROM plain p FULL JOIN (SELECT * FROM lt.offers WHERE segment = 'firms' AND variant = 'default') o USING (customer_id);
-- A segment that is not sensitive, but rests on the attribute by which one is, of whatever segmentation, is as good as that; others are not.
SELECT clientele.define_segment('lt', 'firms', 'firm', sensitive => false);
SELECT sum(o.expected_profit) > 1.5 * (SELECT sum(expected_profit) FROM plain) AS more FROM lt.offers o WHERE segment = 'firms' AND variant = 'default';
SELECT clientele.define_segment('lt', 'busy', 'orders > 5', priority => 1000), clientele.define_segment('lt', 'shy', 'NOT firm AND orders > 3', segmentation => 'delicate', sensitive => true);
SELECT clientele._sensitive_segments('lt') AS sensitive, lt._offer_book() -> 'response' -> 'sensitive' AS in_the_book;
SELECT count(*) FILTER (WHERE (o.min_spend, o.reward, o.expected_profit) IS DISTINCT FROM (p.min_spend, p.reward, p.expected_profit)) AS differ
FROM plain p FULL JOIN (SELECT * FROM lt.offers WHERE segment = 'firms' AND variant = 'default') o USING (customer_id);
SELECT clientele.drop_segment('lt', 'shy', 'delicate'), clientele.drop_segment('lt', 'busy');
SELECT clientele._sensitive_segments('lt') AS sensitive;
SELECT clientele.set_margins('lt');
SELECT clientele.define_segment('lt', 'firms', 'firm', sensitive => false);
-- A response that does not hold any more.
SELECT use_learnt(jsonb_build_object('known_to', now() - interval '91 days'));
SELECT status, reasons, count(*) > 20 AS many FROM lt.offer_decisions WHERE variant = 'default' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT use_learnt('{"outdated": true}');
SELECT count(*) FILTER (WHERE variant = 'default') AS offers, count(*) > 100 AS explore FROM lt.offers;
SELECT count(*) > 20 AS shown, bool_or(chosen) AS chosen FROM generate_series(1, 20) c, clientele.response_curve(c::bigint, 'lt');
SELECT use_learnt();
-- A price of the budget.
CREATE TABLE unpriced AS SELECT * FROM lt.offers;
SELECT clientele.alter_offer('lt', 'grow', budget => 100000);
INSERT INTO lt.budget_prices VALUES ('grow', 0.02, now());
SELECT clientele._regenerate_offers('lt');
SELECT count(*) FILTER (WHERE d.reasons = '{budget_spent_better}') > 20 AS spent_better, count(*) FILTER (WHERE d.variant = 'default' AND d.status = 'offered') > 20 AS some,
    bool_and(d.expected_profit > 0.02 * d.reward) FILTER (WHERE d.variant = 'default' AND d.status = 'offered') AS beyond_the_price,
    count(*) FILTER (WHERE d.variant = 'default' AND d.reward < u.reward) > 0 AS cheaper, count(*) FILTER (WHERE d.variant = 'default' AND d.reward > u.reward) AS dearer
FROM lt.offer_decisions d LEFT JOIN unpriced u USING (customer_id);
SELECT explanation FROM lt.offer_decisions d, LATERAL clientele.explain_offer(d.customer_id, 'lt') WHERE d.reasons = '{budget_spent_better}' ORDER BY d.customer_id LIMIT 1;
SELECT count(*) FILTER (WHERE d.status = 'refused') > 20 AS refused, count(*) FILTER (WHERE d.status = 'offered') > 20 AS offered,
    count(*) FILTER (WHERE d.status = 'refused' AND c.chosen OR d.status <> 'refused' AND (d.min_spend, d.reward) IS DISTINCT FROM (c.min_spend, c.reward)) AS others
FROM lt.offer_decisions d LEFT JOIN LATERAL (SELECT * FROM clientele.response_curve(d.customer_id, 'lt') r WHERE r.chosen) c ON true WHERE d.variant = 'default' OR d.reasons = '{budget_spent_better}';
SELECT clientele.alter_offer('lt', 'grow', reset => '{budget}');
SELECT count(*) AS others FROM unpriced u FULL JOIN lt.offers o USING (customer_id) WHERE (u.min_spend, u.reward) IS DISTINCT FROM (o.min_spend, o.reward);
-- A budget that does not suffice goes where a unit of it earns most.
SELECT clientele.plan_budget('lt', 'grow');
SELECT clientele.alter_offer('lt', 'grow', budget => 100000);
SELECT (clientele.plan_budget('lt', 'grow')).* INTO ample;
SELECT shadow_price, remaining, drawn_cost > 100 AS drawn, offered = all_offered AS everybody, cost = all_cost AS all_cost, profit = all_profit AS all_profit, customers > offered AS explorers FROM ample;
SELECT count(*) AS others FROM unpriced u FULL JOIN lt.offers o USING (customer_id) WHERE (u.min_spend, u.reward) IS DISTINCT FROM (o.min_spend, o.reward);
SELECT clientele.alter_offer('lt', 'grow', budget => (SELECT drawn_cost + round(all_cost / 3, 2) FROM ample));
SELECT (clientele.plan_budget('lt', 'grow')).* INTO scarce;
SELECT s.shadow_price > 0 AS scarce, s.cost BETWEEN 0.95 * a.all_cost / 3 AND a.all_cost / 3 AS spent, s.profit > 0.45 * a.all_profit AS earns_more_than_its_share, s.drawn_cost = a.drawn_cost AS drawn,
    s.offered < a.offered AS fewer, (s.all_cost, s.all_offered) = (a.all_cost, a.all_offered) AS all, (SELECT b.shadow_price = s.shadow_price FROM lt.budget_status b) AS shown FROM scarce s, ample a;
-- What is decided is what was planned, held out or not: but for the one whose increment does not fit in.
SELECT count(*) FILTER (WHERE d.variant = 'default') - s.offered AS offered, abs(sum(d.reward) FILTER (WHERE d.variant = 'default') - s.cost) < 0.01 AS cost,
    abs(sum(d.expected_profit) FILTER (WHERE d.variant = 'default') - s.profit) < 0.1 AS profit, sum(d.reward) FILTER (WHERE d.variant <> 'default') = s.drawn_cost AS drawn
FROM lt.offer_decisions d, scarce s WHERE d.status <> 'refused' GROUP BY s.offered, s.cost, s.profit, s.drawn_cost;
-- In the order of the keys the same budget earns less.
SELECT sum(k.profit) < 0.8 * (SELECT profit FROM scarce) AS less FROM (
    SELECT u.expected_profit AS profit, sum(u.reward) OVER (ORDER BY u.customer_id) AS spent FROM unpriced u WHERE u.variant = 'default') k WHERE k.spent <= (SELECT all_cost / 3 FROM ample);
-- Planned again at refresh, at settling and before a campaign, which then spends what was planned.
UPDATE lt.budget_prices SET price = 99;
CALL clientele.refresh('lt');
SELECT b.shadow_price BETWEEN 0.9 * s.shadow_price AND 1.1 * s.shadow_price AS planned FROM lt.budget_status b, scarce s;
UPDATE lt.budget_prices SET price = 99;
CALL clientele.settle_offers('lt');
SELECT b.shadow_price BETWEEN 0.9 * s.shadow_price AND 1.1 * s.shadow_price AS planned FROM lt.budget_status b, scarce s;
SELECT lt._offer_book() -> 'programs' -> 0 -> 'budget_price' = to_jsonb(b.shadow_price) AS in_the_book FROM lt.budget_status b;
-- A program that has not begun is planned as if it had; what has ended asks for nothing.
SELECT clientele.alter_offer('lt', 'grow', starts_at => now() + interval '10 days');
SELECT p.offered > 20 AS planned, p.shadow_price > 0 AS priced FROM clientele.plan_budget('lt', 'grow') p;
SET client_min_messages = error;  -- the warning has a time
SELECT clientele.alter_offer('lt', 'grow', ends_at => now() - interval '1 day', reset => '{starts_at}');
SET client_min_messages = warning;
SELECT p.customers, p.shadow_price, p.cost FROM clientele.plan_budget('lt', 'grow') p;
SELECT clientele.alter_offer('lt', 'grow', reset => '{ends_at}');
-- Of nothing the first unit would earn most; exploring comes first.
SELECT clientele.alter_offer('lt', 'grow', budget => 0);
SELECT p.shadow_price > s.shadow_price AS dearer, p.offered, p.cost, p.remaining, p.all_cost = s.all_cost AS all FROM clientele.plan_budget('lt', 'grow') p, scarce s;
SELECT count(*) AS offers FROM lt.offers;
SELECT clientele.alter_offer('lt', 'grow', budget => (SELECT drawn_cost - 10 FROM scarce));
SELECT p.offered, p.drawn_cost > p.remaining AS exploring_takes_all FROM clientele.plan_budget('lt', 'grow') p;
SELECT clientele.alter_offer('lt', 'grow', budget => (SELECT drawn_cost + round(all_cost / 3, 2) FROM ample));
UPDATE lt.budget_prices SET price = 99;
CALL clientele.issue_offers('lt');
SELECT b.remaining >= 0 AS within, abs(sum(l.reward) - s.cost - s.drawn_cost) < 0.05 * s.cost AS spent, b.open_offers > 100 AS offers FROM lt.ledger l, scarce s, lt.budget_status b WHERE l.state = 'open' GROUP BY b.remaining, s.cost, s.drawn_cost, b.open_offers;
-- Who has an offer takes no other.
SELECT p.customers, p.remaining < s.remaining AS less_is_left FROM clientele.plan_budget('lt', 'grow') p, scarce s;
DELETE FROM lt.ledger WHERE state = 'open';
-- Without a response there is nothing to plan by.
SELECT clientele.use_model('lt', 'response', NULL);
SELECT clientele.plan_budget('lt', 'grow');
SELECT clientele.use_model('lt', 'response', (SELECT max(version) FROM clientele.models WHERE store = 'lt' AND kind = 'response'));
SELECT clientele.plan_budget('lt', 'nothing');
SELECT clientele.plan_budget('lt', NULL);
SELECT clientele.plan_budget('nowhere', 'grow');
CREATE ROLE planner;
GRANT USAGE ON SCHEMA learned_terms, lt TO planner;
GRANT SELECT ON ALL TABLES IN SCHEMA lt TO planner;
SET ROLE planner;
SELECT clientele.plan_budget('lt', 'grow');
RESET ROLE;
DROP OWNED BY planner;
DROP ROLE planner;
SELECT clientele.alter_offer('lt', 'grow', reset => '{budget}');
SELECT shadow_price FROM lt.budget_status;
-- Arms may compare learned terms with others.
SELECT clientele.alter_offer('lt', 'grow', arms => '[{"name": "learned"}, {"name": "spread", "terms": "spread"}]');
SELECT variant, status, reasons[2] AS origin, count(*) > 50 AS many FROM lt.offer_decisions WHERE variant NOT LIKE 'explore:%' AND reasons[1] = 'usual_spend' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT arms_pvalue, alert FROM lt.experiment_health ORDER BY program_version DESC LIMIT 1;
SELECT clientele.alter_offer('lt', 'grow', reset => '{arms}');
-- Where terms are not learned, what is expected of the arms decides: of all of them on average, so that the arms stay alike.
SELECT clientele.define_offer('lt', 'arms', 'grow_order_value', max_cv => NULL, budget => 100000, priority => 1, arms => '[{"name": "a", "stretch": 1.3}, {"name": "b", "stretch": 1.6}]');
SELECT clientele.plan_budget('lt', 'arms');
SELECT clientele._add_model('lt', 'offer:arms', jsonb_build_object('terms', clientele._learnable_terms((SELECT definition FROM lt.program_versions WHERE program = 'arms')),
    'estimates', '[{"segment": "firms", "variant": "a", "expected_profit": 2}, {"segment": "firms", "variant": "b", "expected_profit": 1},
        {"segment": null, "variant": "a", "expected_profit": 0.5}, {"segment": null, "variant": "b", "expected_profit": 0.3}]'::jsonb), NULL, now(), 2000, '{}');
SELECT p.shadow_price, p.offered = p.customers AS everybody, p.profit = 1.5 * f.firms + 0.4 * f.others AS profit, abs(p.cost - f.cost) < 0.05 * f.cost AS about_the_cost
FROM clientele.plan_budget('lt', 'arms') p, (SELECT count(*) FILTER (WHERE segment = 'firms') AS firms, count(*) FILTER (WHERE segment <> 'firms') AS others, sum(reward) AS cost FROM lt.offers WHERE program = 'arms') f;
SELECT clientele.alter_offer('lt', 'arms', budget => 2000);
SELECT p.shadow_price > 0 AS scarce, p.offered < p.customers AS some, p.cost > 1900 AS spent FROM clientele.plan_budget('lt', 'arms') p;
SELECT d.segment = 'firms' AS firms, count(*) FILTER (WHERE d.status = 'offered') > 0 AS offered, count(*) FILTER (WHERE d.reasons = '{budget_spent_better}') > 0 AS spent_better FROM lt.offer_decisions d WHERE d.program = 'arms' GROUP BY 1 ORDER BY 1;
SELECT count(DISTINCT n.offered) = 1 AS alike FROM (SELECT d.variant, round(avg((d.status = 'offered')::integer), 1) AS offered FROM lt.offer_decisions d WHERE d.program = 'arms' AND d.variant IS NOT NULL GROUP BY 1) n;
SELECT explanation FROM lt.offer_decisions d, LATERAL clientele.explain_offer(d.customer_id, 'lt', 'arms') WHERE d.program = 'arms' AND d.reasons = '{budget_spent_better}' ORDER BY d.customer_id LIMIT 1;
-- Who is expected to lose is not asked where somebody has planned.
SELECT clientele._add_model('lt', 'offer:arms', jsonb_build_object('terms', clientele._learnable_terms((SELECT definition FROM lt.program_versions WHERE program = 'arms')),
    'estimates', '[{"segment": "firms", "variant": "a", "expected_profit": -2}, {"segment": "firms", "variant": "b", "expected_profit": 1},
        {"segment": null, "variant": "a", "expected_profit": 0.5}]'::jsonb), NULL, now(), 2000, '{}');
SELECT clientele.alter_offer('lt', 'arms', budget => 100000);
SELECT p.shadow_price, p.offered, p.drawn_cost > 100 AS nothing_known_of_b FROM clientele.plan_budget('lt', 'arms') p;
SELECT d.segment = 'firms' AS firms, count(*) FILTER (WHERE d.status = 'offered') > 0 AS offered, count(*) FILTER (WHERE d.reasons = '{budget_spent_better}') > 0 AS spent_better FROM lt.offer_decisions d WHERE d.program = 'arms' GROUP BY 1 ORDER BY 1;
-- What cannot be planned any more has no price.
SELECT clientele.use_model('lt', 'offer:arms', NULL);
CALL clientele.refresh('lt');
SELECT program, shadow_price FROM lt.budget_status ORDER BY 1;
SELECT clientele.drop_offer('lt', 'arms');
-- Refused.
SELECT clientele.alter_offer('lt', 'grow', reset => '{holdout}');
SELECT clientele.alter_offer('lt', 'grow', reset => '{disclosure}');
SELECT clientele.alter_offer('lt', 'grow', reset => '{explore}');
SELECT clientele.alter_offer('lt', 'grow', holdout => 0.04);
SELECT clientele.alter_offer('lt', 'grow', explore => '{"share": 0.04, "stretch": [1.3], "reward_rate": [0.02]}');
SELECT clientele.alter_offer('lt', 'grow', min_profit => -1);
SELECT clientele.alter_offer('lt', 'grow', contact_cost => 'NaN');
SELECT clientele.alter_offer('lt', 'grow', objective => 'win_back');
SELECT clientele.define_offer('lt', 'x', 'second_order', terms => 'learned');
SELECT clientele.drop_store('lt', true);
DROP SCHEMA learned_terms CASCADE;
