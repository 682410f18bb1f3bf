-- The ladder and the decisions about offers, without a store.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET extra_float_digits = 1;
\pset null ∅

-- The ladder, decided exactly.
SELECT typical, clientele.stretch_threshold(typical) AS asked
FROM unnest('{0,0.01,1,5,7.14,7.15,30,35.71,35.72,40,50,50.00001,71.42857142857142857142857,75,150,800,9999999}'::numeric[])
    AS typical;
SELECT clientele.stretch_threshold(50, 1.0000000000000000000000000000000000000001) AS just_more,
       clientele.stretch_threshold(0.1, 1e15) AS steep,
       clientele.stretch_threshold(1e14 * 5, 2) AS highest,
       clientele.stretch_threshold(stretch => 1.5, typical => 40.01) AS brittle,
       clientele.stretch_threshold(1e-16000) AS tiny;
SELECT value, clientele.ladder_rung(value) AS rung
FROM unnest('{0,0.5,1,9.01,10,10.01,29.99,30,31,99.5,100.01,201,500.5,1000,1000.000001,2001,5500,123456789,1e15}'::numeric[])
    AS value;
-- Every rung up to 10,000.
SELECT array_agg(DISTINCT clientele.ladder_rung(value)) AS rungs FROM generate_series(0, 10000) AS value;
SELECT clientele.stretch_threshold(NULL) IS NULL AND clientele.stretch_threshold(50, NULL) IS NULL AS null_gives_null;

-- Refused.
SELECT clientele.stretch_threshold('NaN');
SELECT clientele.stretch_threshold('Infinity');
SELECT clientele.stretch_threshold(-0.01);
SELECT clientele.stretch_threshold(50, 1);
SELECT clientele.stretch_threshold(50, 'NaN');
SELECT clientele.stretch_threshold(50, 'Infinity');
SELECT clientele.stretch_threshold(1e15);
SELECT clientele.ladder_rung(1e15 + 0.1);
SELECT clientele.ladder_rung('-Infinity');
\set VERBOSITY sqlstate
SELECT clientele.stretch_threshold(1e-16000, 1 + 1e-500);
SELECT clientele.stretch_threshold(-0.01);
SELECT clientele.ladder_rung(1e300);
\set VERBOSITY default

-- A book of programs, and customers by what they ordered.
CREATE TABLE books (name text PRIMARY KEY, book jsonb NOT NULL);
INSERT INTO books VALUES
('grow', '{"seed": "shop", "currency": "USD", "time_zone": "America/New_York", "margin": 0.30, "programs": [
    {"program": "basket-stretch", "priority": 10, "objective": "grow_order_value", "segments": null, "stretch": 1.4,
     "reward_rate": 0.05, "max_cv": 0.45, "valid_for": "14 days", "holdout": 0, "starts_at": null, "ends_at": null,
     "message": "Spend {min_spend} or more and get {reward} off", "disclosure": null}]}'),
('three', '{"seed": "shop", "currency": "USD", "time_zone": "America/New_York", "margin": 0.30, "programs": [
    {"program": "welcome", "priority": 10, "objective": "second_order", "reward_rate": 0.1, "valid_for": "30 days",
     "message": "{program}: {reward} off from {min_spend} until {valid_until}"},
    {"program": "we miss you", "priority": 20, "objective": "win_back", "disclosure": "Set by an algorithm."},
    {"program": "basket-stretch", "priority": 30, "objective": "grow_order_value", "holdout": 0.25}]}');

CREATE FUNCTION customer_of(amounts numeric[], gap interval DEFAULT '10 days', last_at timestamptz DEFAULT '2026-02-01 12:00+00')
RETURNS clientele.order_profile LANGUAGE sql IMMUTABLE AS $$
    SELECT clientele.order_profile(last_at - (cardinality(amounts) - place) * gap, amount, 'America/New_York')
    FROM unnest(amounts) WITH ORDINALITY AS orders (amount, place)
$$;

-- The two examples of the project: a new customer whose order was about $40, and one who typically spends about $30.
SELECT o.*
FROM books, (VALUES ('{40}'::numeric[]), ('{28,30,32,30}')) AS c (amounts),
     LATERAL clientele.decide_offer(book, '42', 'average', customer_of(amounts), NULL, '2026-02-03 12:00+00') AS o
WHERE name = 'grow' \gx

-- Without an order the fallback counts; without either, or with a value of zero, there is no offer.
SELECT fallback, o.basis, o.reference_value, o.min_spend, o.reward, o.reasons
FROM books, unnest(ARRAY[('segment', 25), ('store', 33.333333), ('store', 0), (NULL, 10), ('store', NULL), NULL]
                   ::clientele.reference_value[]) WITH ORDINALITY AS f (basis, value, place),
     LATERAL (SELECT CASE WHEN f.basis IS NOT NULL OR f.value IS NOT NULL THEN (f.basis, f.value)::clientele.reference_value END) AS r (fallback),
     LATERAL clientele.decide_offer(book, '42', 'average', NULL, fallback, '2026-02-03') AS o
WHERE name = 'grow' ORDER BY place;
SELECT amounts, o.basis, o.reference_value, o.min_spend, o.reward
FROM books, (VALUES ('{0}'::numeric[]), ('{-5}'), ('{0,0,0,0}'), ('{0,20}'), ('{20,0}'), ('{10,20.0001,30}'), ('{10,20,20.01,30}'),
                    ('{10.0001,10.0002,10.0003,10.0003}')) AS c (amounts),
     LATERAL clientele.decide_offer(book, '42', 'average', customer_of(amounts), ('store', 25), '2026-02-03') AS o
WHERE name = 'grow';

-- NULL for the book, the customer or as_of is no offer and no row.
SELECT clientele.decide_offer(NULL, '42', 'a', customer_of('{40}'), NULL, '2026-02-03') IS NULL AS no_book,
       clientele.decide_offer(book, NULL, 'a', customer_of('{40}'), NULL, '2026-02-03') IS NULL AS no_customer,
       clientele.decide_offer(book, '42', 'a', customer_of('{40}'), NULL, NULL) IS NULL AS no_as_of,
       (clientele.decide_offer(book, '42', NULL, customer_of('{40}'), NULL, '2026-02-03')).min_spend AS no_segment,
       (SELECT count(*) FROM clientele.decide_programs(book, NULL, 'a', NULL, NULL, '2026-02-03')) AS rows
FROM books WHERE name = 'grow';

-- All decisions of one customer.
SELECT d.*
FROM books, LATERAL clientele.decide_programs(book, '3', 'average', customer_of('{40}'), NULL, '2026-02-10 12:00+00') AS d
WHERE name = 'three' \gx

-- Who gets what, and why; customer 4 is held out of basket-stretch.
CREATE TABLE cases (label text, customer text, amounts numeric[], as_of timestamptz);
INSERT INTO cases VALUES
    ('new, second order due', '1', '{40}', '2026-02-10 12:00+00'),
    ('new, too soon', '2', '{40}', '2026-02-03 12:00+00'),
    ('new, too late', '2', '{40}', '2026-08-03 12:00+00'),
    ('two orders', '2', '{40,44}', '2026-02-10 12:00+00'),
    ('regular', '2', '{28,30,32,30}', '2026-02-10 12:00+00'),
    ('regular, held out', '4', '{28,30,32,30}', '2026-02-10 12:00+00'),
    ('overdue, not held out of that', '4', '{28,30,32,30}', '2026-02-22 12:00+00'),
    ('varying', '2', '{10,80,15,60}', '2026-02-10 12:00+00'),
    ('varying and overdue', '2', '{10,80,15,60}', '2026-03-10 12:00+00'),
    ('no orders', '2', '{}', '2026-02-10 12:00+00');
SELECT customer, clientele.bucket('shop:basket-stretch:holdout', customer) < 0.25 AS held_out
FROM (VALUES ('2'), ('4')) AS c (customer);
SELECT label, d.program, d.status, d.reasons, d.min_spend, d.reward, d.propensity
FROM cases, books, LATERAL clientele.decide_programs(book, customer, 'average', customer_of(amounts), NULL, as_of) AS d
WHERE name = 'three' ORDER BY cases.ctid, d.priority;
SELECT label, o.program, o.min_spend, o.reward, o.valid_until, o.message, o.propensity, o.reasons, o.disclosure
FROM cases, books, LATERAL clientele.decide_offer(book, customer, 'average', customer_of(amounts), NULL, as_of) AS o
WHERE name = 'three' ORDER BY cases.ctid;

-- The offer is always the row that is offered, to the last bit.
SELECT count(*) AS customers, count(o.program) AS offers, count(*) FILTER (WHERE d.status = 'held_out') AS held_out,
       count(*) FILTER (WHERE (o.program, o.segment, o.basis, o.reference_value::text, o.min_spend::text, o.reward::text,
                               o.reward_kind, o.currency, o.message, o.valid_until, o.variant, o.propensity, o.reasons,
                               o.disclosure)
           IS DISTINCT FROM (d.program, d.segment, d.basis, d.reference_value::text, d.min_spend::text, d.reward::text,
                             d.reward_kind, d.currency, d.message, d.valid_until, d.variant, d.propensity, d.reasons,
                             d.disclosure)
           AND d.status IS DISTINCT FROM 'held_out') AS differences
FROM books, generate_series(1, 2000) AS customer,
     LATERAL (SELECT customer_of(array_agg((20 + (customer * 37 + i * 7919) % 4000 / 100.0)::numeric(12, 2)),
                                 make_interval(days => 1 + customer % 30)) AS profile
              FROM generate_series(1, customer % 7) AS i) AS p,
     LATERAL clientele.decide_offer(book, customer::text, 'average', profile, ('store', 25), '2026-02-20') AS o
     LEFT JOIN LATERAL (SELECT * FROM clientele.decide_programs(book, customer::text, 'average', profile, ('store', 25), '2026-02-20')
                        WHERE status <> 'refused') AS d ON true
WHERE name = 'three';

-- One program can be asked for; who is held out of the winner gets nothing from it either.
SELECT label, requested, (clientele.decide_offer(book, customer, 'average', customer_of(amounts), NULL, as_of, requested)).program
FROM cases, books, (VALUES ('welcome'), ('we miss you'), ('basket-stretch')) AS r (requested)
WHERE name = 'three' AND label IN ('new, second order due', 'regular', 'regular, held out', 'overdue, not held out of that')
ORDER BY cases.ctid, requested;
SELECT clientele.decide_offer(book, '42', 'average', NULL, NULL, '2026-02-10', 'none') FROM books WHERE name = 'three';

-- In words.
\pset format unaligned
SELECT label, e.program, e.status, round(e.break_even_share::numeric, 4) AS break_even, e.explanation
FROM cases, books, LATERAL clientele.explain_programs(book, customer, 'average', customer_of(amounts), NULL, as_of) AS e
WHERE name = 'three' AND label NOT IN ('new, too late', 'two orders') ORDER BY cases.ctid, e.priority;

\pset format aligned

-- Segments, starts and ends.
SELECT c.segment, as_of, d.status, d.reasons
FROM books, (VALUES ('families', '2026-02-10'::timestamptz), ('seniors', '2026-02-10'), ('Families', '2026-02-10'),
                    (NULL, '2026-02-10'), ('families', '2026-01-31 23:59:59.999999+00'), ('families', '2026-03-01 00:00+00'),
                    ('average', '2026-03-01 00:00+00')) AS c (segment, as_of),
     LATERAL clientele.decide_programs(jsonb_set(book, '{programs,0}', book #> '{programs,0}' ||
         '{"segments": ["families", "seniors"], "starts_at": "2026-02-01T00:00:00+00:00", "ends_at": "2026-03-01T00:00:00+00:00"}'),
         '42', c.segment, customer_of('{40}'), NULL, as_of) AS d
WHERE name = 'grow';

-- Currencies: the smallest unit, and how money is written.
SELECT c.currency, o.reference_value, o.min_spend, o.reward, o.message
FROM books, unnest('{USD,EUR,GBP,JPY,KRW,KWD,CHF}'::text[]) AS c (currency),
     LATERAL clientele.decide_offer(book || jsonb_build_object('currency', c.currency), '42', 'average',
         customer_of('{38.125,38.12,44}'), NULL, '2026-02-10') AS o
WHERE name = 'grow';

-- Valid in the store's zone: across a change to daylight saving time, into an hour that is skipped, to the end of a month.
SELECT as_of, valid_for, o.valid_until, o.valid_until AT TIME ZONE 'America/New_York' AS local, o.message,
       o.valid_until = CASE WHEN valid_for ~ ':' THEN as_of AT TIME ZONE 'America/New_York' + valid_for::interval
           ELSE date_trunc('day', as_of AT TIME ZONE 'America/New_York' + valid_for::interval) + interval '1 day' END AT TIME ZONE 'America/New_York' AS as_in_sql
FROM books, (VALUES ('2026-02-27 12:00+00'::timestamptz, '14 days'), ('2026-03-07 07:30+00', '1 day'),
                    ('2026-10-31 05:30+00', '1 day'), ('2026-01-31 12:00+00', '1 month'), ('2026-02-28 04:30+00', '36:00'),
                    ('2026-02-27 12:00+00', 'P2W')) AS v (as_of, valid_for),
     LATERAL clientele.decide_offer(jsonb_set(book, '{programs,0}', book #> '{programs,0}' ||
         jsonb_build_object('valid_for', valid_for, 'message', 'until {valid_until}')), '42', 'average',
         customer_of('{40}'), NULL, as_of) AS o
WHERE name = 'grow';

-- Dispersion: switched off, and at the limit.
SELECT max_cv, d.status, d.reasons
FROM books, (VALUES ('null'::jsonb), ('0'), ('0.4'), ('1')) AS m (max_cv),
     LATERAL clientele.decide_programs(jsonb_set(book, '{programs,0,max_cv}', max_cv), '42', 'average',
         customer_of('{10,20,30}'), NULL, '2026-02-10') AS d
WHERE name = 'grow';

-- A changed book is seen at once, however often it changes.
SELECT stretch, o.min_spend
FROM books, generate_series(1.1, 2.0, 0.05) AS stretch,
     LATERAL clientele.decide_offer(jsonb_set(book, '{programs,0,stretch}', to_jsonb(stretch)), '42', 'average',
         customer_of('{40}'), NULL, '2026-02-10') AS o
WHERE name = 'grow';

-- Long texts and names that need quoting.
SELECT length(o.message), left(o.message, 30) AS message, o.program, o.segment, e.explanation LIKE '%of seed shop:%' AS seeded
FROM books,
     LATERAL (SELECT jsonb_set(book, '{programs,0}', book #> '{programs,0}' || jsonb_build_object('program', U&'"\00FC\+01F6D2".x''y',
         'message', repeat('{program} {segment} {min_spend} ', 200)))) AS b (changed),
     LATERAL clientele.decide_offer(changed, '42', 'se"g''ment', customer_of('{40}'), NULL, '2026-02-10') AS o,
     LATERAL clientele.explain_programs(jsonb_set(changed, '{programs,0,holdout}', '0.999999'), '42', 'x', customer_of('{40}'), NULL, '2026-02-10') AS e
WHERE name = 'grow';

-- A book without programs.
SELECT clientele.decide_offer(jsonb_set(book, '{programs}', '[]'), '42', 'average', customer_of('{40}'), NULL, '2026-02-10'),
       (SELECT count(*) FROM clientele.explain_programs(jsonb_set(book, '{programs}', '[]'), '42', 'average', NULL, NULL, '2026-02-10'))
FROM books WHERE name = 'grow';

-- Invalid books.
\pset format unaligned
CREATE FUNCTION refusal(changed jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    code text;
    message text;
    detail text;
    hint text;
BEGIN
    PERFORM clientele.decide_offer(changed, '42', 'average', NULL, NULL, '2026-02-10');
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', code, message, detail, hint);
END
$$;
SELECT left(change::text, 50) AS change, refusal(book || change)
FROM books, unnest(ARRAY[
    $${"seed": null}$$, $${"seed": ""}$$, $${"currency": "usd"}$$, $${"currency": 7}$$, $${"time_zone": "Mars"}$$,
    $${"time_zone": "EST5EDT4,M3"}$$, $${"margin": 0}$$, $${"margin": 1}$$, $${"margin": 1.01}$$, $${"margin": 0.1234567}$$,
    $${"margin": 1e400}$$, $${"margin": "0.3"}$$, $${"programs": null}$$, $${"programs": {}}$$, $${"programs": [1]}$$,
    $${"extra": 1}$$, $${"extra": null}$$]::jsonb[]) AS change
WHERE name = 'grow';
SELECT left(change::text, 50) AS change, refusal(jsonb_set(book, '{programs,0}', book #> '{programs,0}' || change))
FROM books, unnest(ARRAY[
    $${"program": null}$$, $${"priority": 1.5}$$, $${"priority": 3000000000}$$, $${"priority": null}$$,
    $${"objective": "grow"}$$, $${"segments": []}$$, $${"segments": "families"}$$, $${"segments": [1]}$$, $${"stretch": 1}$$,
    $${"stretch": 0.9}$$, $${"stretch": 101}$$, $${"stretch": 1.0000001}$$, $${"stretch": 1e300}$$, $${"stretch": null}$$,
    $${"reward_rate": -0.05}$$, $${"reward_rate": 1.1}$$, $${"reward_rate": 0}$$, $${"max_cv": -1}$$, $${"max_cv": 1e400}$$,
    $${"valid_for": "0 days"}$$, $${"valid_for": "-1 day"}$$, $${"valid_for": "101 years"}$$, $${"valid_for": "soon"}$$,
    $${"valid_for": 14}$$, $${"holdout": 1}$$, $${"holdout": -0.1}$$, $${"starts_at": "today"}$$, $${"starts_at": "2026-02-01 00:00"}$$,
    $${"starts_at": "2026-02-31T00:00:00Z"}$$, $${"ends_at": "infinity"}$$, $${"ends_at": "2026-12-31 23:59:59.999999-05"}$$, $${"valid_for": "1 mon -1 day"}$$,
    $${"message": "{min_spent}"}$$, $${"message": "{ or {} or {Big}"}$$, $${"message": null}$$, $${"bugdet": 1000}$$,
    $${"bugdet": null}$$]::jsonb[]) AS change
WHERE name = 'grow';
SELECT refusal(jsonb_set(book, '{programs}', (book -> 'programs') || (book -> 'programs'))) FROM books WHERE name = 'grow';
SELECT refusal(jsonb_set(book, '{programs,1,program}', '"welcome"')) FROM books WHERE name = 'three';
SELECT refusal(book) FROM (VALUES ('[]'::jsonb), ('7'), ('{}')) AS b (book);

\pset format aligned

-- Other arguments that are refused.
SELECT clientele.decide_offer(book, '42', 'average', NULL, NULL, 'infinity') FROM books WHERE name = 'grow';
SELECT clientele.decide_offer(book, '42', 'average', NULL, ('typical', 20), '2026-02-10') FROM books WHERE name = 'grow';
SELECT clientele.decide_offer(book, '42', 'average', NULL, ('store', 'NaN'), '2026-02-10') FROM books WHERE name = 'grow';
SELECT clientele.decide_offer(book, '42', 'average', NULL, ('store', -1), '2026-02-10') FROM books WHERE name = 'grow';
SELECT clientele.decide_offer(book, '42', 'average', NULL, ('store', 1e13), '2026-02-10') FROM books WHERE name = 'grow';
SELECT (clientele.decide_offer(book, '42', 'average', NULL, ('store', 9999999999999), '2026-02-10')).min_spend FROM books WHERE name = 'grow';

-- With a purchase model in the book, a win-back's reasons say what it expects of the customer.
\pset format aligned
CREATE TABLE modelled AS SELECT book || '{"purchase_model": {"model": "mbgnbd", "parameters": [0.525, 43.281, 0.891, 1.614]}}' AS book FROM books WHERE name = 'three';
SELECT label, d.program, d.status, d.reasons
FROM cases, modelled, LATERAL clientele.decide_programs(book, customer, 'average', customer_of(amounts), NULL, as_of) AS d
WHERE d.program = 'we miss you' ORDER BY cases.ctid;
SELECT label, o.program, o.reasons
FROM cases, modelled, LATERAL clientele.decide_offer(book, customer, 'average', customer_of(amounts), NULL, as_of) AS o
WHERE o.program = 'we miss you' ORDER BY cases.ctid;
SELECT label, substring(e.explanation from 'The customer (?:is|will) prob.*') AS prospect
FROM cases, modelled, LATERAL clientele.explain_programs(book, customer, 'average', customer_of(amounts), NULL, as_of) AS e
WHERE e.program = 'we miss you' ORDER BY cases.ctid;
SELECT clientele.decide_offer(book || jsonb_build_object('purchase_model', model), '1', 'average', NULL, NULL, '2026-02-10') IS NULL AS no_model
FROM books, (VALUES ('null'::jsonb)) AS m (model) WHERE name = 'three';
SELECT clientele.decide_offer(book || '{"purchase_model": 5}', '1', 'average', NULL, NULL, '2026-02-10') FROM books WHERE name = 'three';
SELECT clientele.decide_offer(book || '{"purchase_model": {"model": "nbd", "parameters": [1, 1, 1, 1]}}', '1', 'average', NULL, NULL, '2026-02-10') FROM books WHERE name = 'three';
SELECT clientele.decide_offer(book || '{"purchase_model": {"model": "bgnbd", "parameters": [1, 1, 1]}}', '1', 'average', NULL, NULL, '2026-02-10') FROM books WHERE name = 'three';
SELECT clientele.decide_offer(book || '{"purchase_model": {"model": "bgnbd", "parameters": [1, 1, -1, 1]}}', '1', 'average', NULL, NULL, '2026-02-10') FROM books WHERE name = 'three';

DROP FUNCTION refusal(jsonb), customer_of(numeric[], interval, timestamptz);
DROP TABLE cases, books, modelled;

-- What else tells of an offer has all of its columns.
SELECT t.name, a.attname AS missing
FROM (VALUES ('offer_decision'), ('enrolment'), ('issued_offer')) t (name), pg_attribute a
WHERE a.attrelid = 'clientele.offer'::regclass AND a.attnum > 0 AND NOT EXISTS (SELECT FROM pg_attribute b
    WHERE b.attrelid = ('clientele.' || t.name)::regclass AND b.attname = a.attname AND b.atttypid = a.atttypid) ORDER BY 1, 2;
