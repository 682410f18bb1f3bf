-- Consent: who may be made offers at all, by programs and by the store.
\pset format unaligned
SET client_min_messages = warning;
CREATE SCHEMA consent;
SET search_path = consent;
CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws('|', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE TABLE customers (customer_id int PRIMARY KEY, opt_in boolean, adult boolean NOT NULL, city text);
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric);
CREATE INDEX ON orders (customer_id);
INSERT INTO customers SELECT c, CASE c % 3 WHEN 0 THEN true WHEN 1 THEN false END, c % 2 = 0, 'Oslo' FROM generate_series(1, 60) c;
INSERT INTO orders SELECT 1000 * c + n, c, now() - n * interval '8 days', 40 FROM generate_series(1, 60) c, generate_series(1, 4) n;
SELECT clientele.create_store('shop', orders => 'consent.orders', customers => 'consent.customers', customer_key => 'customer_id', attributes => '{opt_in,adult,city}');
CALL clientele.refresh('shop');
CREATE VIEW served AS
    SELECT program, status, reasons[1] AS reason, count(*), bool_and(c.opt_in IS TRUE) AS all_opt_in, bool_and(c.adult) AS all_adult FROM shop.offer_decisions d JOIN customers c USING (customer_id) GROUP BY 1, 2, CASE status WHEN 'refused' THEN reasons[1] END, 3 ORDER BY 1, 2, 3;

-- Of a program; unknown is no consent. What is asked by look-up, by view, and as of a time is the same.
SELECT customers, gains, loses, unchanged FROM clientele.preview_offer('shop', 'stretch', 'grow_order_value', consent => 'opt_in') WHERE segment IS NULL;
SELECT clientele.define_offer('shop', 'stretch', 'grow_order_value', consent => 'opt_in', holdout => 0.2);
SELECT program, status, reason, count, all_opt_in FROM served;
SELECT array_agg(c.customer_id % 3 ORDER BY c.customer_id) <@ '{0}' AS by_look_up, count(*) FROM customers c, clientele.personalized_offer(c.customer_id) o;
SELECT count(*) AS by_view, (SELECT count(*) FROM customers c, clientele.personalized_offer(c.customer_id, as_of => now() - interval '1 minute')) AS as_of FROM shop.offers;
SELECT status, reasons, explanation FROM clientele.explain_offer(1);
SELECT customers, gains, loses, changes, unchanged FROM clientele.preview_offer('shop', 'stretch', 'grow_order_value', consent => 'opt_in AND adult', holdout => 0.2) WHERE segment IS NULL;
SELECT customers, gains, loses, changes, unchanged FROM clientele.preview_offer('shop', 'stretch', 'grow_order_value', holdout => 0.2) WHERE segment IS NULL;
SELECT customers, gains, loses, changes, unchanged FROM clientele.preview_offer('shop', 'stretch', 'grow_order_value', consent => 'opt_in', holdout => 0.2) WHERE segment IS NULL;
-- Nobody without it is enrolled, nor held out.
CALL clientele.issue_offers('shop');
SELECT count(*), bool_and(c.opt_in) AS all_opt_in, count(*) FILTER (WHERE l.holdout IS NOT NULL) > 0 AS some_are_held_out FROM shop.ledger l JOIN customers c USING (customer_id);
-- It is live, and an offer that is open stays.
SELECT min(customer_id) AS another FROM customers WHERE opt_in IS NOT TRUE AND clientele.bucket('shop:stretch:holdout', customer_id::text) >= 0.2 \gset
UPDATE customers SET opt_in = true WHERE customer_id = :another;
SELECT count(*) AS consented FROM clientele.personalized_offer(:another, program => 'stretch');
SELECT min(customer_id) AS open FROM shop.offer_ledger \gset
UPDATE customers SET opt_in = false WHERE customer_id = :open;
SELECT count(*) AS still_open FROM clientele.personalized_offer(:open);
-- Of another program nothing is asked; of all by the store.
SELECT clientele.define_offer('shop', 'others', 'grow_order_value', priority => 99);
SELECT program, status, reason, count, all_opt_in, all_adult FROM served WHERE program = 'others';
SELECT clientele.set_consent('shop', 'adult');
SELECT program, status, reason, count, all_opt_in, all_adult FROM served;
-- Changing it is a new version; alter_offer keeps what is not named, and takes it away.
SELECT version FROM shop.programs WHERE program = 'stretch';
SELECT clientele.alter_offer('shop', 'stretch', holdout => 0.1);
SELECT clientele.alter_offer('shop', 'stretch', consent => 'opt_in AND city = ''Oslo''');
SELECT version, definition ->> 'consent' AS consent, definition ->> 'holdout' AS holdout FROM shop.program_versions WHERE program = 'stretch' ORDER BY 1;
SET client_min_messages = notice;
SELECT clientele.define_offer('shop', 'stretch', 'grow_order_value', holdout => 0.1);
SET client_min_messages = warning;
SELECT clientele.alter_offer('shop', 'stretch', consent => 'opt_in');
SELECT clientele.alter_offer('shop', 'stretch', reset => '{consent}');
SELECT count(*) AS rules FROM shop.segment_rules;
SELECT clientele.alter_offer('shop', 'stretch', consent => 'opt_in');
-- As definitions: to another store, and twice changes nothing.
SELECT d -> 'consent' AS of_all, d -> 'programs' -> 0 -> 'consent' AS of_first, d -> 'programs' -> 1 -> 'consent' AS of_second FROM clientele.export_definitions('shop') d;
SELECT clientele.create_store('copy', orders => 'consent.orders', customers => 'consent.customers', customer_key => 'customer_id', attributes => '{opt_in,adult,city}');
CALL clientele.refresh('copy');
SELECT kind, name, action FROM clientele.apply_definitions('copy', clientele.export_definitions('shop'));
SELECT clientele.export_definitions('copy') = clientele.export_definitions('shop') AS same, (SELECT count(*) FROM clientele.apply_definitions('copy', clientele.export_definitions('shop'))) AS again;
SELECT program, count(*) FILTER (WHERE reasons[1] = 'no_consent') AS no_consent FROM copy.offer_decisions GROUP BY 1 ORDER BY 1;
SELECT clientele.drop_store('copy');
-- Segments and their lists know nothing of it; names follow what the table is called; what it reads cannot be taken away.
SELECT clientele.segments_of(1), (SELECT count(DISTINCT segmentation) FROM shop.segments) AS segmentations, (SELECT count(*) FROM shop.segment_sizes) AS sizes;
SELECT refusal($$SELECT clientele.segments_of(1, 'shop', '')$$);
DROP VIEW served;
SELECT refusal($$SELECT clientele.alter_store('shop', attributes => '{adult,city}')$$);
SELECT refusal($$SELECT clientele.alter_store('shop', attributes => '{opt_in,city}')$$);
SELECT clientele.alter_store('shop', attributes => '{opt_in,adult}');
SELECT count(*) FILTER (WHERE reasons[1] = 'no_consent') AS no_consent FROM shop.offer_decisions WHERE program = 'others';
SELECT clientele.detach_store('shop');
SELECT clientele.attach_store('shop');
SELECT count(*) FILTER (WHERE reasons[1] = 'no_consent') AS no_consent FROM shop.offer_decisions WHERE program = 'others';
SELECT clientele.upgrade_store('shop');
SELECT clientele.drop_offer('shop', 'stretch');
SELECT clientele.set_consent('shop', NULL);
SELECT count(*) AS rules FROM shop.segment_rules;
SELECT count(*) FILTER (WHERE reasons[1] = 'no_consent') AS no_consent FROM shop.offer_decisions WHERE program = 'others';
-- Refused as rules are.
SELECT e, refusal(format('SELECT clientele.set_consent(%L, %L)', 'shop', e)) FROM unnest(ARRAY['opt_in OR EXISTS (SELECT 1)', 'now() > as_of', 'random() > 0.5', 'segment = ''x''', 'nothing', 'orders', 'count(*) > 1', '']) e;
SELECT refusal($$SELECT clientele.define_offer('shop', 'x', 'grow_order_value', consent => 'opt_in AND (SELECT true)')$$), refusal($$SELECT clientele.preview_offer('shop', 'x', 'grow_order_value', consent => 'nothing')$$);
SELECT count(*) AS programs FROM shop.programs;
DROP SCHEMA consent CASCADE;
SELECT clientele.drop_store('shop', force => true);
