-- The contact limit: so many enrolments of a customer within a time, by all programs together, in either arm; and that all who decide agree.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;

CREATE TABLE contact_orders (order_id bigint PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10, 2));
INSERT INTO contact_orders SELECT row_number() OVER (), c, now() - make_interval(days => 10 * n), 20 + (c * 37 + n * 11) % 60
FROM generate_series(1, 200) c, generate_series(1, 4) n;
SELECT clientele.create_store('contacts', orders => 'contact_orders', order_id => 'order_id');
CALL clientele.refresh('contacts');
SET clientele.store = 'contacts';
SELECT clientele.define_offer('contacts', 'first', 'grow_order_value', max_cv => NULL, holdout => 0.3, max_per_customer => 1);
SELECT clientele.define_offer('contacts', 'second', 'grow_order_value', max_cv => NULL, holdout => 0.3, max_per_customer => 1);
SELECT clientele.define_offer('contacts', 'third', 'grow_order_value', max_cv => NULL, stretch => 2);
SELECT clientele.set_contact_limit('contacts', 2, '30 days');
SELECT contacts._offer_book() -> 'contact_limit' AS in_the_book;

-- What every way of deciding says of everybody: how many are offered or held out, and how many refused for the limit.
CREATE FUNCTION contact_decisions() RETURNS TABLE (way text, going_on bigint, limited bigint) LANGUAGE sql AS $$
    WITH decisions AS MATERIALIZED (SELECT * FROM contacts.offer_decisions),
    by_customer AS (SELECT customer_id, bool_or(status <> 'refused') AS going_on, bool_and(reasons @> '{contact_limit}') AS limited FROM decisions GROUP BY 1)
    SELECT 'decisions', count(*) FILTER (WHERE going_on), count(*) FILTER (WHERE limited) FROM by_customer
    UNION ALL SELECT 'explain_offer', NULL, count(*) FROM generate_series(1, 200) c, clientele.explain_offer(c) e
        WHERE e.explanation LIKE '%all programs together have enrolled the customer 2 times within the period of the store''s contact limit, at most 2 are allowed%'
            AND e.program = 'third'
    UNION ALL SELECT 'offers', count(*), NULL FROM contacts.offers
    UNION ALL SELECT 'look-ups', count(p.program), NULL FROM generate_series(1, 200) c, clientele.personalized_offer(c) p
    UNION ALL SELECT 'campaign', count(program), NULL FROM contacts.campaign
    UNION ALL SELECT 'preview', gains + changes, NULL
        FROM clientele.preview_offer('contacts', 'third', 'grow_order_value', max_cv => NULL, stretch => 2, priority => 1) WHERE segment IS NULL
$$;
CREATE FUNCTION contact_pass(ago interval) RETURNS TABLE (offered bigint, held_out bigint) LANGUAGE plpgsql AS $$
DECLARE
    seen bigint := (SELECT coalesce(max(exposure_id), 0) FROM contacts.ledger);
BEGIN
    PERFORM clientele.issue_offer(c) FROM generate_series(1, 200) c;
    UPDATE contacts.ledger SET state = 'expired', closed_at = now(), issued_at = now() - ago, valid_until = now() - ago + interval '1 day' WHERE exposure_id > seen;
    RETURN QUERY SELECT count(*) FILTER (WHERE l.holdout IS NULL), count(*) FILTER (WHERE l.holdout IS NOT NULL) FROM contacts.ledger l WHERE exposure_id > seen;
END $$;
SELECT * FROM contact_decisions();
SELECT * FROM contact_pass('20 days');
SELECT * FROM contact_decisions();
SELECT * FROM contact_pass('10 days');
-- Twice, in whatever arm: nobody gets a third.
SELECT * FROM contact_decisions();
SELECT * FROM contact_pass('1 day');
CALL clientele.issue_offers('contacts');
SELECT count(*) AS rows, max(period) AS most FROM contacts.ledger;
SELECT reasons FROM contacts.offer_decisions WHERE customer_id = 1 ORDER BY program;
-- What was voided was sent all the same.
UPDATE contacts.ledger SET state = 'void' WHERE period = 1;
SELECT * FROM contact_decisions();
-- To the microsecond, and counted by the calendar of the store's zone: 30 days.
UPDATE contacts.ledger SET issued_at = now() - interval '30 days' WHERE period = 1 AND customer_id <= 100;
UPDATE contacts.ledger SET issued_at = now() - interval '30 days' + interval '1 hour' WHERE period = 1 AND customer_id > 100;
SELECT * FROM contact_decisions();
SELECT clientele.alter_store('contacts', time_zone => 'Pacific/Auckland');
CALL clientele.refresh('contacts');
SELECT contacts._offer_book() -> 'contact_limit' AS kept, count(*) FILTER (WHERE reasons @> '{contact_limit}') >= 100 AS limited FROM contacts.offer_decisions WHERE program = 'third';

-- Definitions carry it; the toolkit counts alike.
SELECT clientele.export_definitions('contacts') -> 'contact_limit' AS exported;
SELECT kind, name, action, before, after FROM clientele.apply_definitions('contacts', '{"format": 1, "contact_limit": {"most": 3, "per": "2 mons"}}', dry_run => true);
SELECT kind, name, action, before, after FROM clientele.apply_definitions('contacts', '{"format": 1, "contact_limit": null}');
SELECT kind FROM clientele.apply_definitions('contacts', '{"format": 1, "contact_limit": null}');
SELECT contacts._offer_book() ? 'contact_limit' AS limited, count(*) FILTER (WHERE reasons @> '{contact_limit}') FROM contacts.offer_decisions;
SELECT clientele.set_contact_limit('contacts', 1, '1 day');
SELECT h.ago, d.reasons FROM unnest('{1 day,23:59}'::interval[]) h (ago), clientele.decide_programs(contacts._offer_book(), '7', 'average',
    (SELECT profile FROM contacts.profiles WHERE customer_id = 7), NULL, '2026-03-01', ARRAY[ROW('dropped', timestamptz '2026-03-01' - h.ago, NULL, true)::clientele.past_exposure]) d
WHERE d.program = 'third';
SELECT clientele.set_contact_limit('contacts', NULL, NULL);
SELECT contacts._offer_book() ? 'contact_limit' AS limited, options FROM contacts.settings;

-- ---- Refusals ----
\set SHOW_CONTEXT never
SELECT clientele.set_contact_limit('contacts', 0, '1 day');
SELECT clientele.set_contact_limit('contacts', -1, '1 day');
SELECT clientele.set_contact_limit('contacts', 1, '0');
SELECT clientele.set_contact_limit('contacts', 1, '-1 day');
SELECT clientele.set_contact_limit('contacts', 1, '1 month -1 day');
SELECT clientele.set_contact_limit('contacts', 1, '101 years');
SELECT clientele.set_contact_limit('contacts', 1, NULL);
SELECT clientele.set_contact_limit('contacts', NULL, '1 day');
SELECT clientele.set_contact_limit('nowhere', 1, '1 day');
SELECT clientele.set_contact_limit(NULL, 1, '1 day');
SELECT clientele.set_contact_limit('contacts', 1, '30');
SELECT clientele.apply_definitions('contacts', '{"format": 1, "contact_limit": {"most": 0, "per": "1 day"}}');
SELECT clientele.apply_definitions('contacts', '{"format": 1, "contact_limit": {"most": 1}}');
SELECT clientele.decide_offer(contacts._offer_book() || '{"contact_limit": 3}', '1', NULL, NULL, NULL, now());
SELECT clientele.decide_offer(contacts._offer_book() || '{"contact_limit": {"most": 1, "per": "1 day", "by": 1}}', '1', NULL, NULL, NULL, now());
SELECT clientele.drop_store('contacts', force => true);
DROP TABLE contact_orders;
DROP FUNCTION contact_decisions;
DROP FUNCTION contact_pass;
