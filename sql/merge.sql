-- Two customers who turn out to be one: for random histories, merging them gives what a shop shows in which there was one customer all along.
SET timezone = 'UTC';
SET client_min_messages = warning;
SET datestyle = 'ISO, YMD';
SELECT setseed(0.42);

-- ---- The same shop twice: in "split" 120 people have two keys each, 2n - 1 and 2n; in "whole" they have had the first one all along ----

CREATE TABLE split_people (customer_id bigint PRIMARY KEY, children int);
CREATE TABLE whole_people (customer_id bigint PRIMARY KEY, children int);
INSERT INTO split_people SELECT c, (c + c % 2) / 2 % 4 FROM generate_series(1, 240) c;
INSERT INTO whole_people SELECT c, (c + c % 2) / 2 % 4 FROM generate_series(1, 240, 2) c;
CREATE TABLE split_orders (order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric(10, 2));
INSERT INTO split_orders SELECT n, 1 + floor(random() * 240), date_trunc('hour', now()) - random() * interval '300 days', 10 + round((random() * 90)::numeric, 2) FROM generate_series(1, 2500) n;
CREATE INDEX ON split_orders (customer_id);
CREATE TABLE whole_orders (LIKE split_orders INCLUDING INDEXES);
INSERT INTO whole_orders SELECT order_id, customer_id - 1 + customer_id % 2, ordered_at, amount FROM split_orders;
SELECT clientele.create_store(s || '', s || '_orders', customers => s || '_people', attributes => '{children}', live => s = 'split') FROM unnest('{split,whole}'::name[]) s;
SELECT clientele.define_segment(s, 'families', 'children > 2'), clientele.define_segment(s, 'big', 'total_spent > 900', segmentation => 'value'),
    clientele.define_offer(s, 'stretch', 'grow_order_value', holdout => 0.3, arms => '[{"stretch": 1.2, "weight": 0.5}, {"stretch": 1.5, "weight": 0.5}]', max_per_customer => 4, cooldown => '10 days', priority => 20),
    clientele.define_offer(s, 'back', 'win_back', holdout => 0.3, max_per_customer => 2, priority => 10)
FROM unnest('{split,whole}'::name[]) s;
-- Stored under another name, random choices would be others.
UPDATE whole.settings SET seed = 'split';
SELECT clientele.upgrade_store('whole');
CALL clientele.refresh('split');
CALL clientele.refresh('whole');

-- Random exposures of each key, one after the other; the last may be open.
INSERT INTO split.ledger (customer_id, period, program, program_version, holdout, global_holdout, segment, basis, reference_value, min_spend, reward, reward_kind, currency, message,
    reasons, variant, propensity, issued_at, valid_until, code, state, closed_at, order_id, ordered_at, order_value)
SELECT e.c, e.n, e.program, 1, CASE WHEN e.held_out THEN 'program' END, 0, 'x', 'typical', 30, 40 + e.draw % 3 * 10, 1 + e.draw % 5, 'amount_off', 'USD', 'message', '{}', 'stretch-' || 1.2 + e.draw % 2 * 0.3, 0.5,
    e.issued_at, CASE WHEN e.is_open THEN now() + interval '5 days' ELSE e.issued_at + interval '14 days' END, CASE WHEN NOT e.held_out THEN 'code-' || e.c || '-' || e.n END,
    CASE WHEN e.is_open THEN 'open' WHEN e.draw % 7 < 2 THEN 'redeemed' WHEN e.draw % 7 = 3 THEN 'void' ELSE 'expired' END,
    CASE WHEN NOT e.is_open THEN e.issued_at + interval '14 days' END,
    CASE WHEN NOT e.is_open AND e.draw % 7 < 2 THEN 1000000 + e.c * 10 + e.n END, CASE WHEN NOT e.is_open AND e.draw % 7 < 2 THEN e.issued_at + interval '3 days' END, CASE WHEN NOT e.is_open AND e.draw % 7 < 2 THEN 60 END
FROM (SELECT c, n, (ARRAY['stretch', 'back'])[1 + floor(random() * 2)] AS program, random() < 0.3 AS held_out, floor(random() * 1000)::int AS draw,
        now() - interval '1 day' * (n * 20 + random() * 4) + (k.most - 4) * interval '0 day' AS issued_at, n = 1 AND random() < 0.5 AS is_open
      FROM generate_series(1, 240) c, LATERAL (SELECT floor(random() * 5)::int AS most WHERE c IS NOT NULL) k, generate_series(1, k.most) n) e;
INSERT INTO split_orders SELECT order_id, customer_id, ordered_at, order_value FROM split.ledger WHERE order_id IS NOT NULL;
INSERT INTO whole_orders SELECT order_id, customer_id - 1 + customer_id % 2, ordered_at, order_value FROM split.ledger WHERE order_id IS NOT NULL;
-- Periods in their order.
UPDATE split.ledger l SET period = - o.n FROM (SELECT exposure_id, row_number() OVER (PARTITION BY customer_id ORDER BY issued_at) AS n FROM split.ledger) o WHERE o.exposure_id = l.exposure_id;
UPDATE split.ledger SET period = - period;
SELECT count(*) > 300 AS many, count(*) FILTER (WHERE state = 'open') > 60 AS many_open, count(DISTINCT customer_id) > 150 AS of_many FROM split.ledger;

-- The same in one numbering, by another way: an array a person. Of the open ones the best is left.
INSERT INTO whole.ledger OVERRIDING SYSTEM VALUE
SELECT (jsonb_populate_record(l, jsonb_build_object('customer_id', p.person, 'period', n.nth,
    'state', CASE WHEN l.state = 'open' AND l.exposure_id <> p.best THEN 'void' ELSE l.state END, 'closed_at', CASE WHEN l.state = 'open' AND l.exposure_id <> p.best THEN now() ELSE l.closed_at END))).*
FROM (SELECT e.customer_id - 1 + e.customer_id % 2 AS person, array_agg(e.exposure_id ORDER BY e.issued_at, e.exposure_id) AS exposures,
        (array_agg(e.exposure_id ORDER BY e.holdout IS NOT NULL, CASE WHEN e.holdout IS NULL THEN NOT EXISTS (SELECT FROM whole_orders o
            WHERE o.customer_id = e.customer_id - 1 + e.customer_id % 2 AND o.ordered_at >= e.issued_at AND o.amount >= e.min_spend) END,
            CASE WHEN e.holdout IS NULL THEN - e.reward END, CASE WHEN e.holdout IS NULL THEN e.min_spend END, e.issued_at, e.exposure_id) FILTER (WHERE e.state = 'open'))[1] AS best
      FROM split.ledger e GROUP BY 1) p, unnest(p.exposures) WITH ORDINALITY n (exposure_id, nth) JOIN split.ledger l ON l.exposure_id = n.exposure_id;
-- Budgets: in the one shop before, in the other after.
SELECT clientele.alter_offer('split', p, budget => 5000) FROM unnest('{stretch,back}'::text[]) p;
SELECT clientele.alter_offer('whole', p, budget => 5000) FROM unnest('{stretch,back}'::text[]) p;

-- ---- Merged ----

CREATE PROCEDURE merge(survivor bigint, duplicate bigint) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE split_orders SET customer_id = survivor WHERE customer_id = duplicate;
    DELETE FROM split_people WHERE customer_id = duplicate;
    PERFORM clientele.merge_customers(survivor, duplicate, 'split');
    COMMIT;
END $$;
DO $$
BEGIN
    FOR n IN 1..120 LOOP
        CALL merge(2 * n - 1, 2 * n);
    END LOOP;
END $$;

CREATE PROCEDURE compare(what text) LANGUAGE plpgsql AS $$
DECLARE
    query text; split text; whole text; differing bigint; all_of_them bigint;
BEGIN
    FOREACH query IN ARRAY ARRAY[
        'SELECT c.customer_id, c.orders, c.total_spent, c.typical_order_value, c.purchase_days, c.first_order_at, c.last_order_at, c.evening_share, c.median_days_between_orders, c.segment FROM STORE.customers c',
        'SELECT c.customer_id, c.profile::text FROM STORE._profiles_now() c',
        'SELECT s.* FROM STORE.segments s',
        'SELECT l.exposure_id, l.customer_id, l.period, l.program, l.holdout, l.variant, l.state, l.reward, l.code, l.order_id, l.order_value FROM STORE.ledger l',
        'SELECT l.exposure_id, l.customer_id, l.status, l.reward_paid, l.code FROM STORE.offer_ledger l',
        'SELECT d.customer_id, d.program, d.status, d.reasons, d.min_spend, d.reward, d.variant FROM STORE.offer_decisions d',
        'SELECT i.customer_id, i.history, i.last_period, i.open_exposure FROM STORE._offer_inputs i',
        'SELECT b.* FROM STORE.budget_status b', 'SELECT b.* FROM STORE._budgets b']
    LOOP
        split := replace(query, 'STORE', 'split');
        whole := replace(query, 'STORE', 'whole');
        EXECUTE format('SELECT count(*) FROM ((%1$s EXCEPT ALL %2$s) UNION ALL (%2$s EXCEPT ALL %1$s)) d', split, whole) INTO differing;
        EXECUTE format('SELECT count(*) FROM (%s) a', split) INTO all_of_them;
        IF differing > 0 OR all_of_them = 0 THEN
            RAISE WARNING '%: % of % rows differ: %', what, differing, all_of_them, query;
        END IF;
    END LOOP;
END $$;
-- The live one has folded nothing yet.
SELECT count(*) > 100 AS pending FROM split.pending;
CALL clientele.refresh('whole');
CALL compare('merged');
SELECT s.remaining = b.remaining AS budgets_are_exact FROM split.budget_status s JOIN split._budgets b USING (program) ORDER BY program;
CALL clientele.refresh('split');
CALL clientele.refresh('whole');
CALL compare('refreshed');
-- And it stays so, whatever happens next.
INSERT INTO split_orders SELECT 5000 + n, 2 * n - 1, now() - interval '1 minute', 40 + n % 60 FROM generate_series(1, 120, 3) n;
INSERT INTO whole_orders SELECT * FROM split_orders WHERE order_id BETWEEN 5001 AND 5200;
CALL clientele.refresh('split');
CALL clientele.refresh('whole');
CALL clientele.settle_offers('split');
CALL clientele.settle_offers('whole');
CALL compare('settled');

-- ---- Comparisons ----

-- Who was in two arms is in none, and is counted; everybody else is where the first assignment was.
SELECT h.program, h.crossed > 10 AS some_crossed, h.offered + h.held_out + h.crossed = count(DISTINCT l.customer_id) AS nobody_is_missing,
    h.crossed = (SELECT count(*) FROM split.crossed x WHERE x.program = h.program) AS counted
FROM split.experiment_health h JOIN split.ledger l ON l.program = h.program GROUP BY h.program, h.offered, h.held_out, h.crossed ORDER BY 1;
DELETE FROM whole.ledger l USING split.crossed x WHERE x.customer_id = l.customer_id AND x.program = l.program AND l.program = 'stretch';
SELECT s.n_treated > 20 AND s.n_control > 10 AS enough, s.effect = w.effect AS same_effect, s.n_treated = w.n_treated AND s.n_control = w.n_control AS same_customers
FROM clientele.measure_lift('split', 'stretch', metric => 'orders_per_customer', horizon => '14 days', pre_period => '0') s,
    clientele.measure_lift('whole', 'stretch', metric => 'orders_per_customer', horizon => '14 days', pre_period => '0') w;

-- ---- History ----

CREATE TABLE buyers (customer_id text PRIMARY KEY);
INSERT INTO buyers SELECT 'c' || i FROM generate_series(1, 6) i;
CREATE TABLE purchases (customer_id text, ordered_at timestamptz, amount numeric);
INSERT INTO purchases SELECT 'c' || 1 + i % 6, now() - interval '1 day' * i, 10 FROM generate_series(1, 40) i;
SELECT clientele.create_store('text', 'purchases', customers => 'buyers');
SELECT clientele.define_segment('text', 'many', 'orders > 8');
CALL clientele.refresh('text');
TRUNCATE "text".segment_membership;
INSERT INTO "text".segment_membership VALUES
    ('c1', 'main', 'many', '2025-03-01', '2025-04-01'), ('c1', 'main', 'default', '2025-05-01', NULL),
    ('c2', 'main', 'default', '2025-01-01', '2025-02-01'), ('c2', 'main', 'many', '2025-02-01', '2025-03-10'), ('c2', 'main', 'default', '2025-03-10', NULL),
    ('c2', 'other', 'x', '2025-01-01', NULL), ('c3', 'main', 'default', '2025-01-01', NULL);
SELECT last_event AS before FROM "text".event_counter \gset
BEGIN;
UPDATE purchases SET customer_id = 'c1' WHERE customer_id = 'c2';
DELETE FROM buyers WHERE customer_id = 'c2';
SELECT clientele.merge_customers('c1', 'c2', 'text');
COMMIT;
SELECT customer_id, segmentation, segment, valid_from::date, CASE WHEN valid_to < '2026-01-01' THEN valid_to::date::text WHEN valid_to IS NOT NULL THEN 'the merge' END AS valid_to
FROM "text".segment_membership ORDER BY 1, 2, 4;
SELECT customer_id, segmentation, from_segment, to_segment FROM "text".segment_events WHERE event_id > :before ORDER BY event_id;
SELECT customer_id, orders, segment FROM "text".customers WHERE customer_id IN ('c1', 'c2');
-- Whose orders were forgotten is named.
SET client_min_messages = notice;
SELECT clientele.merge_customers('c1', 'c3', 'text');
SET client_min_messages = warning;
SELECT customer_id, orders FROM "text".customers WHERE customer_id IN ('c1', 'c3') ORDER BY 1;
-- The wrong way round: the one with the orders into the one without.
BEGIN;
UPDATE purchases SET customer_id = 'c3' WHERE customer_id = 'c1';
\set VERBOSITY default
SELECT clientele.merge_customers('c1', 'c3', 'text');
\set VERBOSITY terse
ROLLBACK;

-- ---- Refused ----

CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'not refused';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ': ' || message, nullif(detail, ''), nullif(hint, ''));
END $$;
\pset format unaligned
\pset tuples_only on
SELECT pg_temp.refusal($$SELECT clientele.merge_customers(5, 5, 'split')$$);
SELECT pg_temp.refusal($$SELECT clientele.merge_customers(5, 6, 'split')$$);
SELECT pg_temp.refusal($$SELECT clientele.merge_customers(-7, 999999, 'split')$$);
SELECT pg_temp.refusal($$SELECT clientele.merge_customers(NULL, 5, 'split')$$);
SELECT pg_temp.refusal($$SELECT clientele.merge_customers(5, NULL, 'split')$$);
SELECT pg_temp.refusal($$SELECT clientele.merge_customers('five', '7', 'split')$$);
SELECT pg_temp.refusal($$SELECT clientele.merge_customers('7', '99999999999999999999', 'split')$$);
SELECT pg_temp.refusal($$SELECT clientele.merge_customers(5, 7, 'nowhere')$$);
SELECT pg_temp.refusal($$SELECT clientele.merge_customers(5, 7)$$);
\pset tuples_only off
\pset format aligned
-- Who is forgotten afterwards is forgotten altogether.
SELECT count(*) > 0 AS crossed FROM split.crossed WHERE customer_id = (SELECT min(customer_id) FROM split.crossed);
SELECT clientele.forget_customer(min(customer_id), 'split') FROM split.crossed;
SELECT count(*) FROM split.crossed x WHERE NOT EXISTS (SELECT FROM split.ledger l WHERE l.customer_id = x.customer_id);

SELECT clientele.drop_store(s, force => true) FROM unnest('{split,whole,text}'::name[]) s;
DROP TABLE split_people, whole_people, split_orders, whole_orders, buyers, purchases;
DROP PROCEDURE merge, compare;
