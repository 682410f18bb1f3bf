-- preview_offer: what it says comes true; and the offers of those who have one open already.
\set SHOW_CONTEXT never
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
SET extra_float_digits = 1;

CREATE TABLE people (customer_id int PRIMARY KEY, grp text);
CREATE TABLE orders (customer_id int, ordered_at timestamptz, amount numeric(12, 2));
INSERT INTO people SELECT i, chr(97 + i % 3) FROM generate_series(1, 400) i;
INSERT INTO orders SELECT i, now() - interval '1 day' * (o * (3 + i % 9) + i % 40), 10 + i * 7 % 90 + o * (i % 4) FROM generate_series(1, 360) i, generate_series(1, 7) o WHERE o <= 1 + i % 7;
SELECT clientele.create_store('v', 'orders', customers => 'people', attributes => '{grp}');
SELECT clientele.define_segment('v', 'a', $$grp = 'a'$$), clientele.define_segment('v', 'b', $$grp = 'b'$$);
CALL clientele.refresh('v');

-- Without a program nobody has an offer; nothing changes by looking.
SELECT * FROM clientele.preview_offer('v', 'more', 'grow_order_value', budget => 5000);
SELECT count(*) AS programs, (SELECT count(*) FROM v.program_versions) AS versions, (SELECT count(*) FROM v.budgets) AS slots FROM v.programs;

-- An exposure by hand, on the terms that the customer is offered now: of every customer, or held out.
CREATE FUNCTION pg_temp.issue(store_customer int, held_out text DEFAULT NULL, at timestamptz DEFAULT now(), how text DEFAULT 'open') RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO v.ledger (customer_id, period, program, program_version, holdout, global_holdout, segment, basis, reference_value, min_spend, reward, reward_kind, currency,
        message, disclosure, reasons, variant, propensity, issued_at, valid_until, code, state, closed_at)
    SELECT o.customer_id, 1 + (SELECT count(*) FROM v.ledger l WHERE l.customer_id = o.customer_id), o.program, p.version, held_out, 0, o.segment, o.basis, o.reference_value, o.min_spend, o.reward, o.reward_kind, o.currency,
        o.message, o.disclosure, CASE WHEN held_out IS NULL THEN o.reasons ELSE '{held_out}' END, o.variant, o.propensity, at, at + p.valid_for, CASE WHEN held_out IS NULL THEN 'code ' || o.customer_id || at END, how, CASE WHEN how <> 'open' THEN at + interval '1 hour' END
    FROM v.offers o JOIN v.programs p USING (program) WHERE o.customer_id = store_customer RETURNING exposure_id
$$;

-- What becomes true: the difference of v.offers before and after, by segment. Arguments of define_offer after the store.
CREATE TABLE steps (step int GENERATED ALWAYS AS IDENTITY, definition text);
INSERT INTO steps (definition) VALUES
    ($$'more', 'grow_order_value'$$),
    ($$'more', 'grow_order_value', stretch => 1.2, holdout => 0.2$$),
    ($$'again', 'second_order', reward_rate => 0.1, priority => 5, segments => '{a,b}'$$),
    ($$'back', 'win_back', reward_rate => 0.2, priority => 7, arms => '[{"reward_rate": 0.1}, {"name": "rich"}]'$$),
    ($$'more', 'grow_order_value', stretch => 1.2, holdout => 0.2, max_per_customer => 1$$),
    ($$'more', 'grow_order_value', stretch => 1.2, cooldown => '20 days', budget => 600$$),
    ($$'more', 'grow_order_value', stretch => 2, segments => '{default}', max_cv => 0.1, message => 'Now {reward}'$$),
    ($$'again', 'second_order', reward_rate => 0.1, priority => 5000$$),
    ($$'back', 'win_back', reward_rate => 0.2, starts_at => '2100-01-01'$$),
    ($$'more', 'grow_order_value', stretch => 1.3, arms => '[{"stretch": 1.1, "weight": 0.3}, {"weight": 0.7, "name": "usual"}]'$$);
CREATE FUNCTION pg_temp.differences(definition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text; held bigint;
BEGIN
    CREATE TEMP TABLE before ON COMMIT DROP AS SELECT * FROM v.offers;
    EXECUTE format('CREATE TEMP TABLE preview ON COMMIT DROP AS SELECT * FROM clientele.preview_offer(''v'', %s)', definition);
    EXECUTE format('SELECT clientele.define_offer(''v'', %s)', definition);
    WITH truth AS (
        SELECT c.segment, count(*) AS customers, count(*) FILTER (WHERE b.customer_id IS NULL AND a.customer_id IS NOT NULL) AS gains, count(*) FILTER (WHERE b.customer_id IS NOT NULL AND a.customer_id IS NULL) AS loses,
            count(*) FILTER (WHERE b.customer_id IS NOT NULL AND a.customer_id IS NOT NULL AND (b.program, b.min_spend, b.reward, b.message, b.valid_until) IS DISTINCT FROM (a.program, a.min_spend, a.reward, a.message, a.valid_until)) AS changes,
            coalesce(sum(b.reward), 0) AS greatest_cost_before, coalesce(sum(a.reward), 0) AS greatest_cost_after
        FROM v.customers c LEFT JOIN before b USING (customer_id) LEFT JOIN v.offers a USING (customer_id) GROUP BY GROUPING SETS ((c.segment), ()))
    SELECT format('%s of 4 rows as foreseen; %s', count(*) FILTER (WHERE p.customers = t.customers AND p.gains = t.gains AND p.loses = t.loses AND p.changes = t.changes AND p.unchanged = t.customers - t.gains - t.loses - t.changes
            AND p.greatest_cost_before = t.greatest_cost_before AND p.greatest_cost_after = t.greatest_cost_after),
        (SELECT format('gains %s, loses %s, changes %s, cost %s to %s', q.gains, q.loses, q.changes, q.greatest_cost_before, q.greatest_cost_after) FROM preview q WHERE q.segment IS NULL)) INTO result
    FROM truth t JOIN preview p ON p.segment IS NOT DISTINCT FROM t.segment;
    DROP TABLE before, preview;
    RETURN result;
END $$;
BEGIN;
SELECT step, pg_temp.differences(definition) FROM steps ORDER BY step;
ROLLBACK;

-- The same where some have an offer open, some are held out, and some had one.
BEGIN;
SELECT clientele.define_offer('v', 'more', 'grow_order_value', budget => 5000);
SELECT count(pg_temp.issue(i)) AS open FROM generate_series(1, 60) i;
SELECT count(pg_temp.issue(i, 'program')) AS held_out FROM generate_series(61, 90) i;
SELECT count(pg_temp.issue(i, NULL, now() - interval '30 days', 'expired')) AS expired FROM generate_series(91, 150) i;
SELECT count(pg_temp.issue(i, NULL, now() - interval '10 days', 'redeemed')) AS redeemed FROM generate_series(151, 200) i;
SELECT count(pg_temp.issue(i, NULL, now() - interval '10 days', 'void')) AS void FROM generate_series(201, 230) i;
SELECT step, pg_temp.differences(definition) FROM steps ORDER BY step;
-- Bulk equals single, decision by decision; explain_offer agrees.
SELECT count(*) AS offers, count(*) FILTER (WHERE o IS DISTINCT FROM s) AS mismatches
FROM v.customers c LEFT JOIN (SELECT customer_id, ROW(f.program, f.segment, f.basis, f.reference_value, f.min_spend, f.reward, f.reward_kind, f.currency, f.message, f.valid_until, f.variant, f.propensity, f.expected_profit, f.reasons, f.disclosure, f.last_day, f.tiers)::clientele.offer AS o FROM v.offers f) b USING (customer_id)
LEFT JOIN LATERAL (SELECT p AS s FROM clientele.personalized_offer(c.customer_id) p) p ON true;
SELECT count(*) AS decisions, count(*) FILTER (WHERE d.status IS DISTINCT FROM e.status OR d.reasons IS DISTINCT FROM e.reasons) AS mismatches
FROM v.offer_decisions d FULL JOIN (SELECT c.customer_id, e.* FROM v.customers c, LATERAL clientele.explain_offer(c.customer_id) e) e USING (customer_id, program);
SELECT d.status, r AS reason, count(*) FROM v.offer_decisions d, unnest(d.reasons) r GROUP BY 1, 2 ORDER BY 1, 2;
-- Open offers keep their terms after all that, and without their program.
SELECT count(*) AS kept FROM v.ledger l JOIN v.offers o USING (customer_id) WHERE l.state = 'open' AND l.holdout IS NULL AND (l.program, l.min_spend, l.reward, l.message, l.valid_until) = (o.program, o.min_spend, o.reward, o.message, o.valid_until);
SELECT count(*) AS held_out_get FROM v.ledger l JOIN v.offers o USING (customer_id) WHERE l.state = 'open' AND l.holdout IS NOT NULL;
SELECT program, status, reasons, break_even_share, regexp_replace(explanation, '\d{4}-\d\d-\d\d \d\d:\d\d(:[\d.]+ UTC)?', 'DATE', 'g') AS explanation FROM clientele.explain_offer(1);
SELECT program, status, reasons, regexp_replace(explanation, '\d{4}-\d\d-\d\d \d\d:\d\d(:[\d.]+ UTC)?', 'DATE', 'g') AS explanation FROM clientele.explain_offer(61);
SELECT program, status FROM clientele.explain_offer(1, as_of => now() - interval '1 day');
SELECT clientele.drop_offer('v', 'more');
SELECT program, min_spend, reward FROM clientele.personalized_offer(1);
SELECT priority, program, status FROM clientele.explain_offer(1);
SELECT program, status, min_spend, reward, propensity FROM v.offer_decisions WHERE customer_id = 1;
SELECT count(*) FILTER (WHERE e.program IS NULL OR d.program IS NULL OR (d.status, d.reasons) IS DISTINCT FROM (e.status, e.reasons)) AS differences, count(*) > 0 AS compared
FROM v.offer_decisions d FULL JOIN (SELECT c.customer_id, e.* FROM v.customers c, LATERAL clientele.explain_offer(c.customer_id) e) e USING (customer_id, program);
ROLLBACK;

-- Who gets what: by segment and by RFM class, as it comes true.
BEGIN;
SELECT clientele.add_rfm_segments('v');
CREATE TABLE foreseen AS SELECT * FROM clientele.preview_offer('v', 'more', 'grow_order_value', max_cv => 0.3, holdout => 0.2, by_rfm => true);
SELECT clientele.define_offer('v', 'more', 'grow_order_value', max_cv => 0.3, holdout => 0.2);
WITH truth AS (
    SELECT c.segment, s.segment AS rfm_class, count(*) AS customers, count(o.reward) AS offered, avg(o.min_spend / o.reference_value) AS stretch, avg(o.reward) AS reward
    FROM v.customers c JOIN v.segments s ON s.customer_id = c.customer_id AND s.segmentation = 'rfm' LEFT JOIN v.offers o ON o.customer_id = c.customer_id
    GROUP BY GROUPING SETS ((c.segment), (s.segment), ()))
SELECT count(*) = count(*) FILTER (WHERE f.customers = t.customers AND f.offered_share = t.offered::float8 / t.customers AND f.mean_stretch IS NOT DISTINCT FROM round(t.stretch, 4)::float8
    AND f.mean_reward IS NOT DISTINCT FROM round(t.reward, 2)) AS come_true, count(DISTINCT f.rfm_class) > 5 AS many_classes, max(f.mean_stretch) > min(f.mean_stretch) AS differ
FROM foreseen f FULL JOIN truth t ON coalesce(t.segment, '') = coalesce(f.segment, '') AND coalesce(t.rfm_class, '') = coalesce(f.rfm_class, '');
SELECT count(*) FILTER (WHERE segment IS NULL) AS all_of_them, count(rfm_class) AS classes FROM clientele.preview_offer('v', 'more', 'grow_order_value');
ROLLBACK;
SELECT clientele.preview_offer('v', 'more', 'grow_order_value', by_rfm => NULL);

-- What define_offer refuses is refused; with a budget below what was promised, too.
SELECT clientele.preview_offer(NULL, 'more', 'grow_order_value');
SELECT clientele.preview_offer('v', 'more', 'grow_order_value', stretch => 1);
SELECT clientele.preview_offer('v', 'more', 'sell');
SELECT clientele.preview_offer('v', 'more', 'grow_order_value', segments => '{z}');
SELECT clientele.preview_offer('v', NULL, 'grow_order_value');
BEGIN;
SELECT clientele.define_offer('v', 'more', 'grow_order_value');
SELECT count(pg_temp.issue(i)) AS open, (SELECT count(pg_temp.issue(i, NULL, now() - interval '10 days', 'redeemed')) FROM generate_series(151, 200) i) AS redeemed FROM generate_series(1, 60) i;
SAVEPOINT here;
SELECT clientele.preview_offer('v', 'more', 'grow_order_value', budget => 10);
ROLLBACK TO here;
SELECT clientele.define_offer('v', 'more', 'grow_order_value', budget => 10);
ROLLBACK TO here;
SELECT clientele.define_offer('v', 'more', 'grow_order_value', budget => 1000);
SELECT b.remaining = s.remaining AS as_shown, s.budget - s.reserved - s.spent - s.remaining AS gap, (SELECT count(*) FROM v.budgets) AS slots FROM v._budgets b JOIN v.budget_status s USING (program);
SELECT clientele.define_offer('v', 'more', 'grow_order_value', budget => 1234.56);
SELECT b.remaining = s.remaining AS as_shown FROM v._budgets b JOIN v.budget_status s USING (program);
SELECT clientele.define_offer('v', 'more', 'grow_order_value', budget => 10);
ROLLBACK TO here;
SELECT clientele.define_offer('v', 'more', 'grow_order_value');
SELECT count(*) AS slots FROM v.budgets;
ROLLBACK;

-- Who may read the store may look; in a transaction that writes nothing, too.
CREATE ROLE reader;
GRANT USAGE ON SCHEMA v TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA v TO reader;
GRANT SELECT ON people TO reader;
SET ROLE reader;
BEGIN READ ONLY;
SELECT count(*) FROM clientele.preview_offer('v', 'more', 'grow_order_value', budget => 100);
COMMIT;
SELECT clientele.define_offer('v', 'more', 'grow_order_value');
SELECT clientele.set_global_holdout('v', 0.1);
RESET ROLE;

SELECT clientele.drop_store('v');
DROP OWNED BY reader;
DROP ROLE reader;
DROP TABLE people, orders, steps;
