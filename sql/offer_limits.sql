-- Limits, budgets, arms, the global holdout, and estimates: the decisions about offers, without a store.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET extra_float_digits = 0;
\pset null ∅

CREATE SCHEMA limits;
SET search_path = limits;

CREATE FUNCTION customer_of(amount numeric) RETURNS clientele.order_profile IMMUTABLE
BEGIN ATOMIC
    SELECT clientele.order_profile('2025-01-01 12:00+00'::timestamptz + place * interval '10 days', amount, 'America/New_York')
    FROM generate_series(1, 4) AS place;
END;
CREATE FUNCTION exposures(VARIADIC given text[]) RETURNS clientele.past_exposure[] IMMUTABLE
BEGIN ATOMIC
    SELECT array_agg(e::clientele.past_exposure ORDER BY place) FROM unnest(given) WITH ORDINALITY AS g (e, place);
END;

CREATE TABLE books (name text PRIMARY KEY, book jsonb NOT NULL);
INSERT INTO books VALUES
('limited', '{"seed": "shop", "currency": "USD", "time_zone": "America/New_York", "margin": 0.30, "programs": [
    {"program": "grow", "version": 3, "priority": 10, "objective": "grow_order_value", "max_per_customer": 2,
     "cooldown": "1 month", "budget": 100},
    {"program": "then", "version": 8, "priority": 20, "objective": "grow_order_value", "reward_rate": 0.02}]}'),
('arms', '{"seed": "shop", "currency": "USD", "time_zone": "America/New_York", "margin": 0.30, "global_holdout": 0.1, "programs": [
    {"program": "grow", "priority": 10, "objective": "grow_order_value", "holdout": 0.2, "budget": 100,
     "arms": [{"weight": 0.5}, {"name": "bold", "stretch": 2, "reward_rate": 0.1, "weight": 0.3}, {"reward_rate": 0.01, "weight": 0.2}],
     "estimates": [{"segment": null, "variant": "0", "expected_profit": 1.256},
                   {"segment": "average", "variant": "bold", "expected_profit": -0.5},
                   {"segment": null, "variant": "gone", "expected_profit": 9}]}]}');

-- What came before: nothing, another program's, a void one, within the limits, at each of them, and beyond the 180 days.
CREATE TABLE histories (label text, history clientele.past_exposure[]);
INSERT INTO histories VALUES
    ('none', NULL),
    ('empty', '{}'),
    ('of another program', exposures('(then,2025-04-20,50,f)')),
    ('of one that is gone', exposures('(gone,2025-04-20,50,f)')),
    ('last of another', exposures('(grow,2025-02-01,50,f)', '(then,2025-03-01,70,f)')),
    ('last of this one', exposures('(then,2025-02-01,70,f)', '(grow,2025-03-01,50,f)')),
    ('of others, too low', exposures('(then,2025-04-20,10,t)')),
    ('at the first rung', exposures('(grow,2025-02-01,20,f)')),
    ('in the other order', exposures('(grow,2025-02-01,60,f)', '(grow,2025-01-01,20,f)')),
    ('one rung above', exposures('(grow,2025-02-01,50,f)')),
    ('between rungs', exposures('(grow,2025-02-01,50.01,f)')),
    ('unknown threshold', exposures('(grow,2025-02-01,,f)')),
    ('cooling down', exposures('(grow,2025-04-10,80,f)')),
    ('void', exposures('(grow,2025-04-10,80,t)')),
    ('not void if unknown', exposures('(grow,2025-04-10,80,)')),
    ('void, but limits the step', exposures('(grow,2025-04-10,50,t)')),
    ('twice', exposures('(grow,2024-06-01,80,f)', '(grow,2025-02-01,80,f)')),
    ('twice, once void', exposures('(grow,2024-06-01,80,f)', '(grow,2025-02-01,80,t)')),
    ('long ago', exposures('(grow,2024-10-30,20,f)')),
    ('180 days ago', exposures('(grow,"2024-11-02 12:00+00",20,f)')),
    ('above the ladder', exposures('(grow,2025-02-01,1e15,f)')),
    ('later than now', exposures('(grow,2025-05-02,80,f)')),
    ('at every limit', exposures('(grow,2025-04-01,20,f)', '(grow,2025-04-20,20,f)'));
SELECT label, d.program, d.status, d.reasons, d.min_spend, d.reward
FROM books, histories h, LATERAL clientele.decide_programs(book, '42', 'average', customer_of(45), NULL, '2025-05-01 12:00+00', history) AS d
WHERE name = 'limited' ORDER BY h.ctid, d.priority;
SELECT label, o.program, o.min_spend, o.reward, o.reasons, e.program AS enrolled, e.program_version AS version
FROM books, histories h, LATERAL clientele.decide_offer(book, '42', 'average', customer_of(45), NULL, '2025-05-01 12:00+00', NULL, history) AS o,
     LATERAL clientele._enrol(book, '42', 'average', customer_of(45), NULL, '2025-05-01 12:00+00', 'grow', history, NULL) AS e
WHERE name = 'limited' ORDER BY h.ctid;
\pset format unaligned
SELECT label, e.explanation
FROM books, histories h, LATERAL clientele.explain_programs(book, '42', 'average', customer_of(45), NULL, '2025-05-01 12:00+00', history) AS e
WHERE name = 'limited' AND e.program = 'grow' AND label IN ('of one that is gone', 'of others, too low', 'one rung above', 'cooling down', 'at every limit', 'in the other order') ORDER BY h.ctid;
\pset format aligned

-- It cools down until the same hour and day of the next month, in the store's zone: the clocks went forward meanwhile.
SELECT as_of, d.reasons
FROM books, unnest('{2025-03-20 11:59:59.999999+00,2025-03-20 12:00+00}'::timestamptz[]) AS as_of,
     LATERAL clientele.decide_programs(book, '42', 'average', customer_of(45), NULL, as_of, exposures('(grow,"2025-02-20 13:00+00",80,f)')) AS d
WHERE name = 'limited' AND d.program = 'grow';

-- Budgets: what is left must suffice for the greatest reward; without a row the whole budget counts.
SELECT budgets, d.status, d.reasons, d.reward
FROM books, unnest(ARRAY[NULL, '{}', '{"(grow,3.50)"}', '{"(grow,3.4999)"}', '{"(grow,0)"}', '{"(grow,-1)"}', '{"(grow,)"}', '{"(gone,0)"}',
                         '{"(then,0)"}']) AS budgets,
     LATERAL clientele.decide_programs(book, '42', 'average', customer_of(46.67), NULL, '2025-05-01', NULL, budgets::clientele.offer_budget[]) AS d
WHERE name = 'limited' AND d.program = 'grow';
SELECT budget, d.status, d.reasons
FROM books, unnest('{0,2.99,3,9999999999999.99}'::jsonb[]) AS budget,
     LATERAL clientele.decide_programs(jsonb_set(book, '{programs,0,budget}', budget), '42', 'average', customer_of(40), NULL, '2025-05-01') AS d
WHERE name = 'limited' AND d.program = 'grow';

-- Arms: who is in which, what is offered there, the probability of it, and what it is expected to bring in.
SELECT e.holdout, e.variant, e.min_spend, e.reward, e.greatest_reward, e.propensity, e.expected_profit, e.reasons, count(*)
FROM books, generate_series(1, 10000) AS customer,
     LATERAL clientele._enrol(book, customer::text, 'average', customer_of(40), NULL, '2025-05-01', NULL, NULL, NULL) AS e
WHERE name = 'arms' GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2;
-- They are the variants of the toolkit, by their seeds.
SELECT count(*) AS customers,
       count(*) FILTER (WHERE (e.variant, COALESCE(e.holdout, 'none')) IS DISTINCT FROM (
           ('{0,bold,2}'::text[])[1 + clientele.choose_variant('shop:grow:arm', customer::text, '{0.5,0.3,0.2}')],
           CASE WHEN clientele.bucket('shop:global', customer::text) < 0.1 THEN 'global'
                WHEN clientele.bucket('shop:grow:holdout', customer::text) < 0.2 THEN 'program' ELSE 'none' END)) AS differences
FROM books, generate_series(1, 10000) AS customer,
     LATERAL clientele._enrol(book, customer::text, 'average', customer_of(40), NULL, '2025-05-01', NULL, NULL, NULL) AS e
WHERE name = 'arms';
-- What is offered is what is enrolled and not held out; the decision says the same of all.
SELECT count(*) AS customers, count(o.program) AS offered,
       count(*) FILTER (WHERE o.program IS NOT NULL AND (o.variant, o.min_spend, o.reward, o.propensity, o.expected_profit, o.reasons, o.message)
           IS DISTINCT FROM (e.variant, e.min_spend, e.reward, e.propensity, e.expected_profit, e.reasons, e.message)) AS differences,
       count(*) FILTER (WHERE (d.status = 'held_out', d.variant, d.min_spend, d.reward, d.propensity, d.expected_profit, d.reasons)
           IS DISTINCT FROM (e.holdout IS NOT NULL, e.variant, e.min_spend, e.reward, e.propensity, e.expected_profit, e.reasons)) AS decided_otherwise
FROM books, generate_series(1, 2000) AS customer,
     LATERAL clientele._enrol(book, customer::text, 'rest', customer_of(40), NULL, '2025-05-01', NULL, NULL, NULL) AS e,
     LATERAL clientele.decide_offer(book, customer::text, 'rest', customer_of(40), NULL, '2025-05-01') AS o,
     LATERAL clientele.decide_programs(book, customer::text, 'rest', customer_of(40), NULL, '2025-05-01') AS d
WHERE name = 'arms';
-- Whether there is enough in the budget does not depend on the arm: $6 are needed, though most get less.
SELECT remaining, count(e.program) AS enrolled
FROM books, unnest('{6,5.99}'::numeric[]) AS remaining, generate_series(1, 100) AS customer,
     LATERAL clientele._enrol(book, customer::text, 'average', customer_of(40), NULL, '2025-05-01', NULL, NULL,
                              ARRAY[('grow', remaining)]::clientele.offer_budget[]) AS e
WHERE name = 'arms' GROUP BY 1 ORDER BY 1 DESC;
-- Equal shares where no weight is given; a name of one's own or the place.
SELECT variant, count(*), min(propensity) AS propensity
FROM books, generate_series(1, 3000) AS customer,
     LATERAL clientele.decide_offer(book || '{"global_holdout": 0}' || jsonb_build_object('programs', jsonb_build_array(
         (book #> '{programs,0}') - 'holdout' || '{"arms": [{"name": "a"}, {"stretch": 1.5}, {"name": "ü"}]}')),
         customer::text, 'average', customer_of(40), NULL, '2025-05-01') AS o
WHERE name = 'arms' GROUP BY 1 ORDER BY 1;
-- Estimates: of the segment, else of all others, else unknown; rounded to the currency's smallest unit.
SELECT currency, segment, variant, expected_profit
FROM books, (VALUES ('USD'), ('JPY'), ('KWD')) AS c (currency), (VALUES ('average'), ('rest'), (NULL)) AS s (segment),
     LATERAL (SELECT DISTINCT o.variant, o.expected_profit FROM generate_series(1, 300) AS customer,
              LATERAL clientele.decide_offer(book || jsonb_build_object('currency', currency), customer::text, segment, customer_of(400), NULL, '2025-05-01') AS o
              WHERE o.program IS NOT NULL) AS o
WHERE name = 'arms' ORDER BY 1, 2, 3;

-- Whoever is held out of everything is in the holdout of no program; the words say which it is.
\pset format unaligned
SELECT customer, e.status, e.explanation
FROM books, (VALUES ('1'), ('2'), ('3')) AS c (customer),
     LATERAL clientele.explain_programs(book, customer, 'average', customer_of(40), NULL, '2025-05-01', NULL, ARRAY[('grow', 6)]::clientele.offer_budget[]) AS e
WHERE name = 'arms';
SELECT e.explanation
FROM books, LATERAL clientele.explain_programs(book, '2', 'average', customer_of(40), NULL, '2025-05-01', NULL, ARRAY[('grow', 5.99)]::clientele.offer_budget[]) AS e
WHERE name = 'arms';
\pset format aligned

-- Held out of the winner: nothing from another program either, and nothing to be written down of it.
SELECT requested, e.program, e.holdout, e.program_version
FROM books, unnest('{NULL,grow,then}'::text[]) AS requested,
     LATERAL clientele._enrol(jsonb_set(book, '{programs,0,holdout}', '0.9999'), '42', 'average', customer_of(40), NULL, '2025-05-01', requested, NULL, NULL) AS e
WHERE name = 'limited';
SELECT e.* FROM books, clientele._enrol(book, '42', 'average', customer_of(40), NULL, '2025-05-01', NULL, NULL, NULL) AS e WHERE name = 'limited' \gx
SELECT clientele._enrol(book, '42', 'average', NULL, NULL, '2025-05-01', NULL, NULL, NULL) IS NULL AS nothing,
       clientele._enrol(book, NULL, 'average', customer_of(40), NULL, '2025-05-01', NULL, NULL, NULL) IS NULL AS no_customer,
       clientele._enrol(NULL, '42', 'average', customer_of(40), NULL, '2025-05-01', NULL, NULL, NULL) IS NULL AS no_book
FROM books WHERE name = 'limited';
SELECT clientele._enrol(book, '42', 'average', customer_of(40), NULL, '2025-05-01', 'none', NULL, NULL) FROM books WHERE name = 'limited';

-- Refused: keys of the book …
\pset format unaligned
CREATE FUNCTION refusal(book jsonb, history clientele.past_exposure[] DEFAULT NULL, budgets clientele.offer_budget[] DEFAULT NULL) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    code text;
    message text;
    detail text;
    hint text;
BEGIN
    PERFORM clientele.decide_offer(book, '42', 'average', limits.customer_of(40), NULL, '2025-05-01', NULL, history, budgets);
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', code, message, NULLIF(detail, ''), NULLIF(hint, ''));
END
$$;
SELECT left(change::text, 50) AS change, refusal(book || change)
FROM books, unnest(ARRAY[
    $${"global_holdout": 1}$$, $${"global_holdout": -0.01}$$, $${"global_holdout": "0.1"}$$, $${"global_holdout": 1e400}$$,
    $${"global_holdout": null}$$, $${"global_holdout": 0}$$]::jsonb[]) AS change
WHERE name = 'limited';
SELECT left(change::text, 90) AS change, refusal(jsonb_set(book, '{programs,0}', book #> '{programs,0}' || change))
FROM books, unnest(ARRAY[
    $${"version": 0}$$, $${"version": 1.5}$$, $${"version": 2147483648}$$, $${"version": "1"}$$, $${"version": null}$$,
    $${"max_per_customer": 0}$$, $${"max_per_customer": -1}$$, $${"max_per_customer": 1.5}$$, $${"max_per_customer": 1e400}$$,
    $${"max_per_customer": "two"}$$, $${"max_per_customer": null}$$,
    $${"cooldown": "0"}$$, $${"cooldown": "-1 day"}$$, $${"cooldown": "1 mon -1 day"}$$, $${"cooldown": "101 years"}$$, $${"cooldown": "soon"}$$,
    $${"cooldown": 14}$$, $${"cooldown": "P1M"}$$, $${"cooldown": null}$$,
    $${"budget": -1}$$, $${"budget": 0.001}$$, $${"budget": 1e13}$$, $${"budget": 1e400}$$, $${"budget": "1000"}$$, $${"budget": 0}$$, $${"budget": null}$$,
    $${"arms": 1}$$, $${"arms": {}}$$, $${"arms": []}$$, $${"arms": [1]}$$, $${"arms": [[]]}$$, $${"arms": [null]}$$, $${"arms": [{"share": 1}]}$$,
    $${"arms": [{"weight": 0.5}, {"weight": 0.4}]}$$, $${"arms": [{"weight": 0.5}, {"weight": 0.500002}]}$$, $${"arms": [{"weight": 0.5}, {}]}$$,
    $${"arms": [{"weight": 1.5}, {"weight": -0.5}]}$$, $${"arms": [{"weight": 1e400}]}$$, $${"arms": [{"weight": "1"}]}$$, $${"arms": [{"weight": 0}]}$$,
    $${"arms": [{"stretch": 1}]}$$, $${"arms": [{"stretch": 101}]}$$, $${"arms": [{"stretch": "2"}]}$$, $${"arms": [{"reward_rate": 1.01}]}$$,
    $${"arms": [{"name": ""}]}$$, $${"arms": [{"name": 1}]}$$, $${"arms": [{"name": "a"}, {"name": "a"}]}$$, $${"arms": [{"name": "1"}, {}]}$$,
    $${"arms": [{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}$$,
    $${"arms": [{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}$$,
    $${"arms": [{}]}$$, $${"arms": [{"weight": 1}, {"weight": 0, "reward_rate": 0}]}$$, $${"arms": null}$$,
    $${"arms": [{}, {"strech": 1.5}]}$$, $${"arms": [{"name": "bold", "strech": 1.5}]}$$, $${"arms": [{"name": "bold", "stretch": 0.5}]}$$,
    $${"estimates": 1}$$, $${"estimates": [1]}$$, $${"estimates": [{"variant": "default"}]}$$, $${"estimates": [{"expected_profit": 1}]}$$,
    $${"estimates": [{"variant": "default", "expected_profit": "1"}]}$$, $${"estimates": [{"variant": "default", "expected_profit": 1, "segment": 1}]}$$,
    $${"estimates": [{"variant": "default", "expected_profit": 1, "profit": 2}]}$$, $${"estimates": []}$$,
    $${"estimates": [{"variant": "default", "expected_profit": 1e400}]}$$]::jsonb[]) AS change
WHERE name = 'limited';

-- … and what came before. What a book does not know of is no mistake.
SELECT history, refusal(book, history::clientele.past_exposure[])
FROM books, unnest(ARRAY[
    '{NULL}', '{"(,2025-01-01,50,f)"}', '{"(grow,,50,f)"}', '{"(grow,infinity,50,f)"}', '{"(grow,-infinity,50,f)"}', '{"(gone,infinity,50,f)"}',
    '{"(grow,2025-01-01,NaN,f)"}', '{"(grow,2025-01-01,Infinity,f)"}', '{"(grow,2025-01-01,-1,f)"}', '{"(grow,2025-01-01,1000000000000001,f)"}',
    '{"(grow,2025-01-01,-1000000000000000,f)"}', '{{"(grow,2025-01-01,50,f)"},{"(grow,2025-01-01,50,f)"}}', '{{"(grow,2025-01-01,50,f)"}}',
    '{"(grow,2025-01-01,0,f)"}', '{"(grow,2025-01-01,0.00001,f)"}', '{"(grow,294276-12-31,50,f)"}', '{"(grow,4713-01-01 BC,1000000000000000,f)"}',
    '{"(gone,2025-01-01,50,f)"}', '{"(grow,2025-01-01,50,)"}']) AS history
WHERE name = 'limited';
SELECT budgets, refusal(book, NULL, budgets::clientele.offer_budget[])
FROM books, unnest(ARRAY[
    '{NULL}', '{"(,1)"}', '{"(grow,NaN)"}', '{"(grow,Infinity)"}', '{"(grow,10000000000000)"}', '{{"(grow,1)","(then,1)"}}',
    '{"(grow,9999999999999.99)"}', '{"(then,NaN)"}', '{"(gone,NaN)"}']) AS budgets
WHERE name = 'limited';
\pset format aligned

SET client_min_messages = warning;
DROP SCHEMA limits CASCADE;
