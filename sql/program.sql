-- Offer programs in a store: every decision against plain SQL, holdouts, fallbacks, priorities, explanations, and what is refused.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
SET extra_float_digits = 1;
SET intervalstyle = 'postgres';

CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    d text; h text;
BEGIN
    EXECUTE statement;
    RETURN 'ACCEPTED';
EXCEPTION WHEN others THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ': ' || SQLERRM || CASE WHEN d <> '' OR h <> '' THEN ' +' ELSE '' END;
END $$;

-- ---- Customers whose orders are known by heart ----

CREATE TABLE people (customer_id text PRIMARY KEY, grp text);
CREATE TABLE orders (customer_id text, ordered_at timestamptz, amount numeric(12, 2));
INSERT INTO orders SELECT 'one of 40', now() - interval '10 days', 40;
INSERT INTO orders SELECT 'about 30', now() - interval '5 days' * i, 30 + i % 2 FROM generate_series(1, 8) i;
INSERT INTO orders SELECT 'changed: 35.72 now', now() - interval '5 days' * i, CASE WHEN i <= 8 THEN 35.72 ELSE 300 END FROM generate_series(1, 20) i;
INSERT INTO orders SELECT 'wild', now() - interval '5 days' * i, 5 * i * i FROM generate_series(1, 8) i;
INSERT INTO orders VALUES ('yesterday', now() - interval '1 day', 40), ('6 days', now() - interval '6 days', 40), ('7 days', now() - interval '7 days', 40), ('180 days', now() - interval '180 days', 40), ('181 days', now() - interval '181 days', 40);
INSERT INTO orders SELECT 'away 40, gap 10', now() - interval '40 days' - interval '10 days' * i, 50 FROM generate_series(0, 3) i;
INSERT INTO orders SELECT 'away 20, gap 10', now() - interval '20 days' - interval '10 days' * i, 50 FROM generate_series(0, 3) i;
INSERT INTO orders SELECT 'away 21, gap 10', now() - interval '21 days' - interval '10 days' * i, 50 FROM generate_series(0, 3) i;
INSERT INTO orders SELECT 'away 14, gap 1', now() - interval '14 days' - interval '1 day' * i, 50 FROM generate_series(0, 3) i;
INSERT INTO orders SELECT 'away 13, gap 1', now() - interval '13 days' - interval '1 day' * i, 50 FROM generate_series(0, 3) i;
INSERT INTO orders SELECT 'two days only', now() - interval '90 days' - interval '10 days' * (i % 2), 50 FROM generate_series(0, 3) i;
INSERT INTO orders VALUES ('zero', now() - interval '10 days', 0), ('refunds', now() - interval '10 days', -5), ('two of 3', now() - interval '10 days', 3), ('two of 3', now() - interval '12 days', 3);
INSERT INTO orders SELECT 'zeros', now() - interval '10 days' * i, 0 FROM generate_series(1, 4) i;
INSERT INTO people SELECT DISTINCT customer_id, 'known' FROM orders;
INSERT INTO people VALUES ('never', 'known');
SELECT clientele.create_store('p', 'orders', customers => 'people', attributes => '{grp}', time_zone => 'Asia/Tokyo', margin => 0.3);
CALL clientele.refresh('p');

-- The defaults.
SELECT clientele.define_offer('p', 'more', 'grow_order_value');
SELECT * FROM p.programs;
SELECT customer_id, basis, reference_value, min_spend, reward, message, valid_until = ((now() AT TIME ZONE 'Asia/Tokyo')::date + 15)::timestamp AT TIME ZONE 'Asia/Tokyo' AND last_day = (now() AT TIME ZONE 'Asia/Tokyo')::date + 14 AS in_14_days, propensity, reasons FROM p.offers ORDER BY customer_id COLLATE "C";
SELECT customer_id, status, reasons, min_spend, reward FROM p.offer_decisions WHERE status <> 'offered' ORDER BY customer_id COLLATE "C";
SELECT program, segment, basis, reference_value, min_spend, reward, reward_kind, currency, variant, propensity, expected_profit, disclosure FROM clientele.personalized_offer('one of 40');
SELECT customer_id, e.status, e.explanation FROM people, LATERAL clientele.explain_offer(customer_id) e WHERE customer_id IN ('one of 40', 'about 30', 'changed: 35.72 now', 'wild', 'zero', 'never') ORDER BY customer_id COLLATE "C";
SELECT clientele.define_offer('p', 'more', 'grow_order_value', max_cv => NULL);
SELECT min_spend, reasons FROM clientele.personalized_offer('wild');

-- Second orders and win-backs, at their edges.
SELECT clientele.drop_offer('p', 'more'), clientele.define_offer('p', 'again', 'second_order', reward_rate => 0.1), clientele.define_offer('p', 'back', 'win_back', reward_rate => 0.1);
SELECT customer_id, program, status, reasons, min_spend, reward FROM p.offer_decisions WHERE status = 'offered' OR customer_id IN ('yesterday', '6 days', '181 days', 'two days only', 'never') OR customer_id LIKE 'away%' AND program = 'back'
ORDER BY customer_id COLLATE "C", program;
SELECT program, break_even_share, explanation FROM clientele.explain_offer('away 40, gap 10', program => 'back');
SELECT program, explanation FROM clientele.explain_offer('7 days');

-- ---- Every decision of many customers against plain SQL ----

INSERT INTO people SELECT 'c' || i, CASE WHEN i <= 60 THEN 'big' WHEN i <= 70 THEN 'small' ELSE 'none' END FROM generate_series(1, 500) i;
INSERT INTO orders SELECT 'c' || c, now() - interval '1 day' * (c * 13 % 120 + o * (1 + c % 40)), round((5 + c % 300 + o * (c % 7) * 3.17)::numeric, 2)
FROM generate_series(1, 450) c, generate_series(1, 12) o WHERE o <= c % 13;
SELECT clientele.define_segment('p', 'big', $$grp = 'big'$$), clientele.define_segment('p', 'small', $$grp = 'small'$$);
SELECT clientele.define_offer('p', 'again', 'second_order', reward_rate => 0.08, holdout => 0.1, segments => '{default,big}', priority => 10),
    clientele.define_offer('p', 'back', 'win_back', reward_rate => 0.5, holdout => 0.3, priority => 20), clientele.define_offer('p', 'more', 'grow_order_value', stretch => 1.25, reward_rate => 0.031, max_cv => 0.3, holdout => 0.2, priority => 30);
CALL clientele.refresh('p');

CREATE VIEW plain AS
WITH rungs AS (
    SELECT r FROM unnest('{1,2,3,4,5,6,7,8,9,10,15,20,25,30,40,50,60,70,80,90,100}'::numeric[]) r
    UNION SELECT r * 10::numeric ^ d FROM unnest('{100,125,150,175,200,250,300,350,400,450,500,600,700,800,900,1000}'::numeric[]) r, generate_series(0, 3) d
), medians AS (
    SELECT s.segment, CASE WHEN s.n >= 30 THEN 'segment' ELSE 'store' END AS basis, CASE WHEN s.n >= 30 THEN s.median ELSE (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY typical_order_value)::numeric FROM p.customers WHERE orders > 0) END AS value
    FROM (SELECT g.segment, count(c.*) AS n, percentile_cont(0.5) WITHIN GROUP (ORDER BY typical_order_value)::numeric AS median
          FROM unnest('{big,small,default}'::text[]) g (segment) LEFT JOIN p.customers c ON c.segment = g.segment AND c.orders > 0 GROUP BY 1) s
), reference AS (
    SELECT c.*, CASE WHEN c.orders = 0 THEN m.basis WHEN c.orders < 3 THEN 'recent' ELSE 'typical' END AS basis,
        CASE WHEN c.orders = 0 THEN m.value WHEN c.orders < 3 THEN c.last_order_value ELSE c.typical_order_value END AS ref
    FROM p.customers c JOIN medians m USING (segment)
), terms AS (
    SELECT f.customer_id, f.segment, f.basis, f.ref, q.program, q.priority, q.holdout,
        (SELECT min(r) FROM rungs WHERE r >= CASE q.objective WHEN 'grow_order_value' THEN q.stretch * f.ref ELSE f.ref END) AS min_spend, q.reward_rate, q.objective,
        (q.segments IS NULL OR f.segment = ANY (q.segments)) AND f.ref > 0 AND CASE q.objective
            WHEN 'grow_order_value' THEN NOT (f.basis = 'typical' AND f.typical_cv > q.max_cv)
            WHEN 'second_order' THEN f.orders = 1 AND f.recency_days BETWEEN 7 AND 180
            ELSE f.purchase_days >= 3 AND f.recency_days > 2 * f.median_days_between_orders AND f.recency_days >= 14 END AS fits
    FROM reference f CROSS JOIN p.programs q
), rewards AS (
    SELECT *, trunc(least(reward_rate * min_spend, 0.5 * 0.3 * (min_spend - CASE objective WHEN 'grow_order_value' THEN ref ELSE 0 END)), 2) AS reward FROM terms
), decided AS (
    SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY priority) AS place, clientele.bucket('p:' || program || ':holdout', customer_id) < holdout AS held_out FROM rewards WHERE fits AND reward > 0
)
SELECT customer_id, program, segment, basis, ref AS reference_value, min_spend, reward, held_out, CASE WHEN held_out THEN holdout ELSE 1 - holdout END AS propensity FROM decided WHERE place = 1;

SELECT count(*) > 250 AS many, count(DISTINCT coalesce(o.program, s.program)) AS programs,
    count(*) FILTER (WHERE (o.program IS NULL) <> (s.program IS NULL)) AS one_sided, count(*) FILTER (WHERE o.program <> s.program) AS other_program, count(*) FILTER (WHERE o.basis <> s.basis) AS basis,
    count(*) FILTER (WHERE o.reference_value <> s.reference_value) AS reference_value, count(*) FILTER (WHERE o.min_spend <> s.min_spend) AS min_spend, count(*) FILTER (WHERE o.reward <> s.reward) AS reward,
    count(*) FILTER (WHERE o.segment <> s.segment) AS segment, count(*) FILTER (WHERE o.propensity <> s.propensity) AS propensity
FROM p.offers o FULL JOIN (SELECT * FROM plain WHERE NOT held_out) s USING (customer_id);
SELECT count(*) > 20 AS some, count(*) FILTER (WHERE d.program IS DISTINCT FROM s.program OR d.min_spend IS DISTINCT FROM s.min_spend OR d.reward IS DISTINCT FROM s.reward OR d.propensity IS DISTINCT FROM s.propensity) AS mismatches
FROM (SELECT * FROM p.offer_decisions WHERE status = 'held_out') d FULL JOIN (SELECT * FROM plain WHERE held_out) s USING (customer_id);
-- At most one program wins; what is neither offered nor held out is refused, with reasons.
SELECT max(winners) AS winners, bool_and(rows = 3) AS complete FROM (SELECT customer_id, count(*) FILTER (WHERE status <> 'refused') AS winners, count(*) AS rows FROM p.offer_decisions GROUP BY 1) d;
SELECT count(*) FILTER (WHERE cardinality(reasons) = 0) AS without_reasons, count(*) FILTER (WHERE status = 'refused' AND propensity <> 1) AS odd, count(*) FILTER (WHERE status = 'offered' AND reward >= 0.3 * (min_spend - reference_value) AND program = 'more') AS at_a_loss FROM p.offer_decisions;
SELECT DISTINCT program, reason FROM p.offer_decisions, unnest(reasons) reason ORDER BY 1, 2;
-- A held-out customer gets nothing from any other program, not even when that one is asked for; an offered one may be asked about each.
SELECT count(*) AS offers_to_held_out FROM (SELECT customer_id FROM p.offer_decisions WHERE status = 'held_out') h, unnest('{again,back,more}'::text[]) program, LATERAL clientele.personalized_offer(customer_id, program => program);
SELECT count(*) FILTER (WHERE o.program <> asked) AS of_another, count(*) FILTER (WHERE d.reasons <> '{outranked}' AND d.status <> 'offered') AS refused_yet_given, count(*) FILTER (WHERE d.reasons = '{outranked}') > 0 AS outranked_ones_too
FROM people CROSS JOIN unnest('{again,back,more}'::text[]) asked CROSS JOIN LATERAL clientele.personalized_offer(customer_id, program => asked) o JOIN p.offer_decisions d ON d.customer_id = people.customer_id AND d.program = asked;
-- Shares of customers who are held out are near what was asked for, and stay the same.
SELECT program, abs(avg((status = 'held_out')::int) - max(holdout)) < 0.12 AS near FROM p.offer_decisions JOIN p.programs USING (program) WHERE status <> 'refused' GROUP BY 1 ORDER BY 1;
-- The summary adds up.
SELECT count(*) FILTER (WHERE s.customers <> d.customers OR s.mean_threshold IS DISTINCT FROM d.mean OR s.greatest_cost IS DISTINCT FROM d.cost) AS mismatches, count(*) > 5 AS several
FROM p.offer_summary s FULL JOIN (SELECT program, status, CASE status WHEN 'refused' THEN reasons[1] END AS reason, count(*) AS customers, round(avg(min_spend), 2) AS mean, sum(reward) FILTER (WHERE status = 'offered') AS cost FROM p.offer_decisions GROUP BY 1, 2, 3) d
    ON s.program = d.program AND s.status = d.status AND s.reason IS NOT DISTINCT FROM d.reason;
-- What customers without orders are compared with.
SELECT DISTINCT segment, basis FROM p.offers WHERE customer_id IN (SELECT customer_id FROM p.customers WHERE orders = 0) ORDER BY 1;
DROP VIEW plain;
-- Reading writes nothing.
BEGIN READ ONLY;
SELECT count(*) > 0 AS read FROM p.campaign; SELECT count(*) > 0 AS looked_up FROM people, LATERAL clientele.personalized_offer(customer_id); SELECT count(*) > 0 AS explained FROM clientele.explain_offer('about 30'), p.offer_summary;
COMMIT;

-- ---- Priorities, redefinition, times, names ----

SELECT clientele.define_offer('p', 'last', 'grow_order_value'), clientele.define_offer('p', 'first', 'grow_order_value', priority => -5);
SELECT program, priority FROM p.programs ORDER BY 2;
SELECT clientele.define_offer('p', 'more', 'grow_order_value', valid_for => '1 month');
SELECT program, priority, valid_for, holdout, stretch FROM p.programs WHERE program = 'more';
SELECT program FROM clientele.personalized_offer('one of 40');
SELECT valid_until = ((now() AT TIME ZONE 'Asia/Tokyo')::date + interval '1 month' + interval '1 day') AT TIME ZONE 'Asia/Tokyo' AS a_month FROM clientele.personalized_offer('one of 40', program => 'more');
SELECT clientele.define_offer('p', 'first', 'grow_order_value', priority => 100);
SELECT program FROM clientele.personalized_offer('one of 40');
SELECT pg_temp.refusal($$SELECT clientele.define_offer('p', 'first', 'grow_order_value', priority => 30)$$), pg_temp.refusal($$SELECT clientele.define_offer('p', 'new', 'grow_order_value', priority => 30)$$);
SELECT clientele.drop_offer('p', program) FROM unnest('{again,back,first,last}'::text[]) program;
-- From starts_at, until before ends_at.
SELECT clientele.define_offer('p', 'more', 'grow_order_value', starts_at => now() - interval '1 day', ends_at => now() + interval '1 day');
SELECT (SELECT count(*) FROM clientele.personalized_offer('one of 40')) AS within, (SELECT count(*) FROM clientele.personalized_offer('one of 40', as_of => now() - interval '2 days')) AS before, (SELECT count(*) FROM clientele.personalized_offer('one of 40', as_of => now() - interval '1 hour')) AS since;
SELECT reasons FROM clientele.explain_offer('one of 40', as_of => now() - interval '2 days');
SELECT clientele.define_offer('p', 'more', 'grow_order_value', starts_at => now() + interval '1 hour');
SELECT status, reasons FROM clientele.explain_offer('one of 40');
SET client_min_messages = error;
SELECT clientele.define_offer('p', 'more', 'grow_order_value', ends_at => now());
SET client_min_messages = warning;
SELECT status, reasons FROM clientele.explain_offer('one of 40');
-- A session's settings change nothing.
SELECT clientele.define_offer('p', 'more', 'grow_order_value', starts_at => '2020-06-01 12:00:00.123456+00', valid_for => '1 month 2 days 03:04:05.6', max_cv => 0.1 + 0.2, holdout => 0.1::float8 + 0.2);
CREATE TEMP TABLE offers_before AS SELECT o.*, now() AS at FROM p.offers o ORDER BY customer_id COLLATE "C" LIMIT 1;
SET timezone = 'America/New_York'; SET datestyle = 'German'; SET intervalstyle = 'sql_standard'; SET extra_float_digits = 0; SET lc_monetary = 'C'; SET lc_numeric = 'C';
SELECT o.program = b.program AND o.message = b.message AND o.last_day - b.last_day = (now() AT TIME ZONE 'Asia/Tokyo')::date - (b.at AT TIME ZONE 'Asia/Tokyo')::date AND o.propensity = b.propensity AS same FROM offers_before b, clientele.personalized_offer(b.customer_id) o;
SELECT clientele.define_offer('p', 'more', 'grow_order_value', starts_at => '2020-06-01 12:00:00.123456+00', valid_for => '1-0 2 3:04:05.6');
RESET timezone; RESET datestyle; RESET intervalstyle; RESET extra_float_digits;
SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET extra_float_digits = 1; SET intervalstyle = 'postgres';
SELECT starts_at, valid_for FROM p.programs;
SELECT valid_until = ((now() AT TIME ZONE 'Asia/Tokyo') + interval '1 year 2 days 03:04:05.6') AT TIME ZONE 'Asia/Tokyo' AS fits FROM clientele.personalized_offer('one of 40');

-- ---- Currencies, margins, messages ----

CREATE FUNCTION pg_temp.offered(currency text, amount numeric, margin numeric DEFAULT 0.3, rate numeric DEFAULT 0.05, objective text DEFAULT 'grow_order_value', message text DEFAULT '{currency}: {min_spend} for {reward}, {program}, {segment}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    CREATE TABLE single (customer_id int, ordered_at timestamptz, amount numeric);
    INSERT INTO single VALUES (1, now() - interval '30 days', amount);
    PERFORM clientele.create_store('q', 'single', currency => currency, margin => margin);
    PERFORM clientele.define_offer('q', 'x', objective, reward_rate => rate, message => message);
    CALL clientele.refresh('q');
    SELECT concat_ws(' ', o.reference_value, o.min_spend, o.reward, o.message) INTO result FROM clientele.personalized_offer(1, 'q') o;
    IF result IS NULL THEN SELECT reasons::text INTO result FROM clientele.explain_offer(1, 'q'); END IF;
    PERFORM clientele.drop_store('q');
    DROP TABLE single;
    RETURN result;
END $$;
SELECT i, pg_temp.offered(c, a, m, r, o) FROM (VALUES (1, 'USD', 40, 0.3, 0.05, 'grow_order_value'), (2, 'EUR', 35.71, 0.3, 0.05, 'grow_order_value'), (3, 'GBP', 35.72, 0.3, 0.05, 'grow_order_value'), (4, 'JPY', 4321, 0.3, 0.05, 'grow_order_value'),
    (5, 'JPY', 12, 0.3, 0.01, 'grow_order_value'), (6, 'KWD', 35.7143, 0.3, 0.05, 'grow_order_value'), (7, 'CHF', 800, 1, 1, 'grow_order_value'), (8, 'USD', 800, 0.000001, 1, 'grow_order_value'), (9, 'USD', 0.01, 1, 1, 'grow_order_value'),
    (10, 'USD', 0.0001, 1, 1, 'second_order'), (11, 'USD', 0, 1, 1, 'second_order'), (12, 'USD', 40, 0.3, 0, 'grow_order_value'), (13, 'USD', 9999999999999.99, 0.3, 0.05, 'second_order'), (14, 'USD', 714285714285.71, 1, 0.999999, 'grow_order_value'),
    (15, 'USD', 100, 0.3, 0.05, 'second_order'), (16, 'ISK', 100, 0.3, 0.05, 'second_order'), (17, 'USD', 1.99, 0.333333, 0.333333, 'grow_order_value')) v (i, c, a, m, r, o) ORDER BY i;
SELECT pg_temp.offered('USD', 40, message => 'no placeholder'), pg_temp.offered('USD', 40, message => '{min_spend}{min_spend} 100% \ ''"$1');

-- ---- What is refused ----

\pset format unaligned
SELECT statement, pg_temp.refusal(format('SELECT clientele.define_offer(%s)', statement)) AS refusal FROM unnest(ARRAY[
    $$'p', NULL, 'win_back'$$, $$'p', '', 'win_back'$$, $$'p', '  ', 'win_back'$$, $$'p', 'x', NULL$$, $$'p', 'x', 'sell_more'$$, $$'p', 'x', ''$$,
    $$'p', 'x', 'win_back', stretch => 1$$, $$'p', 'x', 'win_back', stretch => 0.5$$, $$'p', 'x', 'win_back', stretch => -2$$, $$'p', 'x', 'win_back', stretch => 'NaN'$$, $$'p', 'x', 'win_back', stretch => 'Infinity'$$, $$'p', 'x', 'win_back', stretch => NULL$$, $$'p', 'x', 'win_back', stretch => 1.0000001$$,
    $$'p', 'x', 'win_back', reward_rate => -0.01$$, $$'p', 'x', 'win_back', reward_rate => 1.01$$, $$'p', 'x', 'win_back', reward_rate => 'NaN'$$, $$'p', 'x', 'win_back', reward_rate => 'Infinity'$$, $$'p', 'x', 'win_back', reward_rate => NULL$$,
    $$'p', 'x', 'win_back', max_cv => -1$$, $$'p', 'x', 'win_back', max_cv => 'NaN'$$, $$'p', 'x', 'win_back', max_cv => 'Infinity'$$,
    $$'p', 'x', 'win_back', valid_for => '0'$$, $$'p', 'x', 'win_back', valid_for => '-1 day'$$, $$'p', 'x', 'win_back', valid_for => '100 years'$$, $$'p', 'x', 'win_back', valid_for => NULL$$, $$'p', 'x', 'win_back', valid_for => '1 month -29 days'$$,
    $$'p', 'x', 'win_back', holdout => -0.1$$, $$'p', 'x', 'win_back', holdout => 1$$, $$'p', 'x', 'win_back', holdout => 1.5$$, $$'p', 'x', 'win_back', holdout => 'NaN'$$, $$'p', 'x', 'win_back', holdout => NULL$$,
    $$'p', 'x', 'win_back', starts_at => 'infinity'$$, $$'p', 'x', 'win_back', ends_at => '-infinity'$$, $$'p', 'x', 'win_back', starts_at => '2024-02-01', ends_at => '2024-01-01'$$, $$'p', 'x', 'win_back', starts_at => '2024-02-01', ends_at => '2024-02-01'$$,
    $$'p', 'x', 'win_back', message => NULL$$, $$'p', 'x', 'win_back', message => 'Get {discount}'$$, $$'p', 'x', 'win_back', message => 'Get {reward'$$, $$'p', 'x', 'win_back', message => '{{reward}}'$$,
    $$'p', 'x', 'win_back', segments => '{}'$$, $$'p', 'x', 'win_back', segments => '{nobody}'$$, $$'p', 'x', 'win_back', segments => '{big,NULL}'$$, $$'p', 'x', 'win_back', segments => '{big,big}'$$, $$'p', 'x', 'win_back', segments => '{{big},{small}}'$$,
    $$'p', 'x', 'win_back', max_per_customer => 0$$, $$'p', 'x', 'win_back', max_per_customer => -1$$, $$'p', 'x', 'win_back', cooldown => '0'$$, $$'p', 'x', 'win_back', cooldown => '-1 day'$$, $$'p', 'x', 'win_back', cooldown => '101 years'$$, $$'p', 'x', 'win_back', cooldown => '1 month -1 day'$$,
    $$'p', 'x', 'win_back', budget => -1$$, $$'p', 'x', 'win_back', budget => 'NaN'$$, $$'p', 'x', 'win_back', budget => 'Infinity'$$, $$'p', 'x', 'win_back', budget => 0.001$$, $$'p', 'x', 'win_back', budget => 1e13$$,
    $$'p', 'x', 'win_back', arms => '{}'$$, $$'p', 'x', 'win_back', arms => '[]'$$, $$'p', 'x', 'win_back', arms => '[1]'$$, $$'p', 'x', 'win_back', arms => '[{"stretch": 1}]'$$, $$'p', 'x', 'win_back', arms => '[{"reward_rate": 2}]'$$, $$'p', 'x', 'win_back', arms => '[{"rate": 0.1}]'$$,
    $$'p', 'x', 'win_back', arms => '[{"weight": 0.5}, {}]'$$, $$'p', 'x', 'win_back', arms => '[{"weight": 0.5}, {"weight": 0.6}]'$$, $$'p', 'x', 'win_back', arms => '[{"weight": -1}, {"weight": 2}]'$$, $$'p', 'x', 'win_back', arms => '[{"name": "1"}, {}]'$$, $$'p', 'x', 'win_back', arms => '[{"name": "a"}, {"name": "a"}]'$$,
    $$'p', repeat('x', 100000), 'nothing'$$]) WITH ORDINALITY s (statement, i) ORDER BY i;
SELECT program FROM p.programs ORDER BY 1;
SELECT clientele.define_offer('p', 'x', 'win_back', priority => 2147483647);
SELECT left(pg_temp.refusal($$SELECT clientele.define_offer('p', 'y', 'win_back')$$), 5) AS no_priority_left;
SELECT clientele.drop_offer('p', 'x');
\pset format aligned
SELECT pg_temp.refusal($$SELECT clientele.drop_offer('p', 'nothing')$$), pg_temp.refusal($$SELECT clientele.drop_offer('p', NULL)$$), pg_temp.refusal($$SELECT clientele.personalized_offer('one of 40', 'p', 'nothing')$$);
-- Offers at sensitive segments carry a disclosure, whichever of the two comes first.
SELECT clientele.define_segment('p', 'ill', $$grp = 'ill'$$, sensitive => true);
SELECT pg_temp.refusal($$SELECT clientele.define_offer('p', 'care', 'grow_order_value', segments => '{big,ill}')$$), pg_temp.refusal($$SELECT clientele.define_offer('p', 'care', 'grow_order_value', segments => '{big,ill}', disclosure => ' ')$$);
SELECT clientele.define_offer('p', 'care', 'grow_order_value', segments => '{big,ill}', disclosure => 'Because of what you told us.');
SELECT clientele.define_offer('p', 'bigger', 'grow_order_value', segments => '{big}');
SELECT pg_temp.refusal($$SELECT clientele.define_segment('p', 'big', $r$grp = 'big'$r$, sensitive => true)$$);
SELECT DISTINCT disclosure FROM clientele.personalized_offer('c60', program => 'care');
-- A segment that a program names stays.
SELECT pg_temp.refusal($$SELECT clientele.drop_segment('p', 'ill')$$) ~ '^2BP01|^55' AS stays;

-- ---- Versions, limits, arms, the global holdout ----

\set SHOW_CONTEXT never
SELECT clientele.create_store('r', 'orders', customers => 'people', attributes => '{grp}');
CALL clientele.refresh('r');
-- A version is what decides about customers and their terms: not the priority, not the budget.
CREATE TABLE changes (step int GENERATED ALWAYS AS IDENTITY, change text);
INSERT INTO changes (change) VALUES (''), (''), ($$, priority => 5$$), ($$, budget => 100$$), ($$, budget => 50.5$$), ($$, budget => NULL$$), ($$, stretch => 1.40, valid_for => '2 weeks'$$), ($$, stretch => 1.5$$), ($$, stretch => 1.5, reward_rate => 0.06$$), (''), ($$, max_cv => NULL$$),
    ($$, valid_for => '15 days'$$), ($$, holdout => 0.1$$), ($$, starts_at => '2020-01-01'$$), ($$, ends_at => '2100-01-01'$$), ($$, max_per_customer => 3$$), ($$, cooldown => '1 month'$$), ($$, arms => '[{"stretch": 1.2}, {"name": "usual"}]'$$),
    ($$, arms => '[{"stretch": 1.20}, {"name": "usual"}]'$$), ($$, arms => '[{"stretch": 1.2, "weight": 0.4}, {"name": "usual", "weight": 0.6}]'$$), ($$, message => 'Hello'$$), ($$, disclosure => 'So'$$), ($$, segments => '{default}'$$);
CREATE FUNCTION pg_temp.version_after(change text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
    EXECUTE format('SELECT clientele.define_offer(''r'', ''more'', ''grow_order_value''%s)', change);
    SELECT format('version %s%s', p.version, CASE WHEN count(b.slot) > 0 THEN format(', budget %s in %s slots of %s to %s', sum(b.available), count(*), min(b.available), max(b.available)) END) INTO result FROM r.programs p LEFT JOIN r.budgets b USING (program) GROUP BY p.version;
    RETURN result;
END $$;
SELECT step, change, pg_temp.version_after(change) FROM changes ORDER BY step;
SELECT count(*), min(version), max(version), max(defined_at) = max(defined_at) FILTER (WHERE version = 1) AS one_transaction FROM r.program_versions;
SELECT jsonb_pretty(definition) FROM r.program_versions WHERE version = 1;
-- It goes on counting after the program was dropped; what it was last, it is still.
SELECT clientele.drop_offer('r', 'more');
SELECT pg_temp.version_after($$, segments => '{default}'$$);
SELECT clientele.drop_offer('r', 'more');
SELECT pg_temp.version_after('');
-- What was learnt stays in use while the terms are the same, whatever their weights.
SELECT clientele.define_offer('r', 'more', 'grow_order_value', arms => '[{"stretch": 1.2}, {"name": "usual"}]');
INSERT INTO r.models (kind, version, in_use, fitted_at, parameters, customers, diagnostics) VALUES ('offer:more', 1, true, now(), '{"estimates": [{"segment": null, "variant": "0", "expected_profit": 1.25}, {"segment": null, "variant": "usual", "expected_profit": 2.5}]}', 100, '{}');
SELECT clientele.upgrade_store('r');
SELECT DISTINCT variant, expected_profit FROM r.offers ORDER BY 1;
SELECT clientele._set_arm_weights('r', 'more', '{0.25, 0.75}');
SELECT version, arms FROM r.programs;
SELECT DISTINCT variant, expected_profit FROM r.offers ORDER BY 1;
SELECT pg_temp.refusal($$SELECT clientele._set_arm_weights('r', 'more', '{1}')$$), pg_temp.refusal($$SELECT clientele._set_arm_weights('r', 'more', '{0.5, 0.6}')$$), pg_temp.refusal($$SELECT clientele._set_arm_weights('r', 'none', '{1}')$$);
SELECT clientele.define_offer('r', 'more', 'grow_order_value', arms => '[{"stretch": 1.3}, {"name": "usual"}]');
SELECT DISTINCT variant, expected_profit, (SELECT in_use FROM r.models WHERE kind = 'offer:more') AS in_use FROM r.offers ORDER BY 1;
-- The global holdout.
SELECT pg_temp.refusal(format('SELECT clientele.set_global_holdout(''r'', %L)', share)) FROM unnest('{NULL,-0.1,1,NaN,Infinity}'::float8[]) share;
SELECT pg_temp.refusal('SELECT clientele.set_global_holdout(NULL, 0.1)'), pg_temp.refusal($$SELECT clientele.set_global_holdout('nothing', 0.1)$$);
SELECT clientele.set_global_holdout('r', 0.2);
SELECT global_holdout FROM r.settings;
SELECT count(*) > 50 AS many, count(*) FILTER (WHERE (status = 'held_out' AND reasons = '{held_out_globally}') <> (clientele.bucket('r:global', customer_id) < 0.2)) AS mismatches FROM r.offer_decisions WHERE status <> 'refused';
SELECT clientele.upgrade_store('r');
SELECT clientele._offer_definition('r', 'more', clientele._offer_terms('grow_order_value', NULL, 1.4, 0.05, 0.45, '14 days', 0, NULL, NULL, NULL, NULL, NULL, NULL, 'Hi', NULL, NULL, NULL, NULL, 'stretch', 2, '{gap}')) - '{message}'::text[] AS definition, r._offer_book() -> 'global_holdout' AS global_holdout;
SELECT clientele.set_global_holdout('r', 0);
SELECT count(*) AS held_out FROM r.offer_decisions WHERE status = 'held_out';
-- A rename of the schema draws nothing anew: neither at once, nor when anything is defined.
SELECT clientele.set_global_holdout('r', 0.2);
SELECT clientele.define_offer('r', 'more', 'grow_order_value', holdout => 0.3, arms => '[{"stretch": 1.3}, {"name": "usual"}]');
CREATE TABLE drawn AS SELECT customer_id, status, variant, reasons, propensity FROM r.offer_decisions;
ALTER SCHEMA r RENAME TO "Renamed";
SELECT clientele.define_offer('Renamed', 'other', 'win_back');
SELECT clientele.upgrade_store('Renamed');
SELECT count(*) > 50 AS many, count(DISTINCT n.variant) AS arms, count(*) FILTER (WHERE d.status = 'held_out') > 10 AS held_out,
    count(*) FILTER (WHERE (d.status, d.variant, d.reasons, d.propensity) IS DISTINCT FROM (n.status, n.variant, n.reasons, n.propensity)) AS drawn_anew
FROM drawn d JOIN "Renamed".offer_decisions n USING (customer_id) WHERE n.program = 'more' AND d.status <> 'refused';
SELECT clientele._seed('Renamed'), explanation ~ ' of seed r:' AS explained
FROM (SELECT min(customer_id) AS id FROM drawn WHERE reasons = '{held_out}') d, clientele.explain_offer(d.id, 'Renamed', 'more');
DROP TABLE drawn;
SELECT clientele.drop_store('Renamed');
DROP TABLE changes;

-- Those that take the terms of a program have the same defaults for them.
CREATE TEMP VIEW presets AS
SELECT p.proname, argument, pg_get_function_arg_default(p.oid, n::int) AS preset
FROM pg_proc p, unnest(p.proargnames) WITH ORDINALITY a(argument, n)
WHERE p.pronamespace = 'clientele'::regnamespace AND p.proname IN ('define_offer', 'preview_offer', 'backtest_offer');
SELECT p.proname, count(*) > 20 AS many, count(*) FILTER (WHERE p.preset IS DISTINCT FROM d.preset) AS differ
FROM presets p JOIN presets d USING (argument) WHERE d.proname = 'define_offer' AND p.proname <> 'define_offer'
GROUP BY p.proname ORDER BY p.proname;
DROP VIEW presets;

SELECT clientele.drop_store('p');
DROP TABLE people, orders;
