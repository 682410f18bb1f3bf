-- Margins by category of what a customer buys, and by segment: everything that speaks of margin takes that of the customer.
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset null '(null)'
SET client_min_messages = warning;
CREATE SCHEMA margins_test;
SET search_path = margins_test, public;
CREATE TABLE customers (customer_id bigint PRIMARY KEY, business boolean);
CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric(10,2));
CREATE TABLE lines (order_id bigint, category text, amount numeric(10,2));
INSERT INTO customers SELECT c, c % 5 = 0 FROM generate_series(1, 40) c;
-- Customer c buys c % 4 of the categories; some send more back than they bought; every tenth has no order, every seventh no line.
INSERT INTO orders SELECT 100 * c + n, c, date_trunc('day', now()) - (n * 9 + c % 5) * interval '1 day', 30 + c + n FROM generate_series(1, 40) c, generate_series(1, 4) n WHERE c % 10 > 0;
INSERT INTO lines SELECT o.order_id, k.category, round(o.amount * k.share, 2) FROM orders o,
    LATERAL (VALUES ('wine', 0.5, 0), ('baby', 0.3, 1), ('bread', 0.2, 2), ('gift card', 0.4, 3)) k (category, share, at_least)
    WHERE o.customer_id % 4 >= k.at_least AND o.customer_id % 7 > 0;
INSERT INTO lines VALUES (801, 'wine', -500.00);
SELECT clientele.create_store('shop', 'orders', customers => 'customers', attributes => '{business}', items => 'lines', item_order_id => 'order_id', margin => 0.30);
SELECT clientele.create_store('bare', 'orders');
CALL clientele.refresh('shop');
SELECT clientele.define_segment('shop', 'companies', 'business'), clientele.define_segment('shop', 'regular', 'orders >= 4'), clientele.set_default_segment('shop', 'average');
SELECT clientele.define_offer('shop', 'stretch', 'grow_order_value', reward_rate => 0.2, holdout => 0.3), clientele.define_offer('shop', 'back', 'win_back', reward_rate => 0.5);
-- Models as fit_clv() would leave them.
UPDATE shop.scoring SET purchase_kind = 'bgnbd', purchase = '{0.8,30,0.8,2.4}', value = '{6,4,15}', net_share = 0.9, annual_discount = 0.1;

-- The same for everybody.
SELECT margin, count(*), count(clv_1y) AS with_clv FROM shop.customers GROUP BY 1;
SELECT a.attname FROM pg_attribute a WHERE a.attrelid = 'shop.customers'::regclass AND a.attnum > 0 ORDER BY a.attnum DESC LIMIT 3;
CREATE TABLE clv_before AS SELECT customer_id, clv_1y FROM shop.customers;

-- A margin in plain SQL.
CREATE FUNCTION plain_margin(customer bigint, by_category jsonb, of_segment numeric) RETURNS numeric LANGUAGE sql AS $$
    SELECT coalesce(round(sum(s.spent * coalesce((by_category ->> s.category)::numeric, 0.30)) / nullif(sum(s.spent), 0), 6), of_segment, 0.30)
    FROM (SELECT l.category, greatest(sum(l.amount), 0) AS spent FROM orders o JOIN lines l USING (order_id) WHERE o.customer_id = customer AND by_category IS NOT NULL GROUP BY 1) s $$;
-- What everything shows, against the toolkit: the clv, and the offers in bulk and one by one.
CREATE FUNCTION disagreements(by_category jsonb, by_segment jsonb) RETURNS TABLE (margins bigint, other_than_store bigint, wrong_margin bigint, wrong_clv bigint, wrong_offer bigint, wrong_reward bigint) LANGUAGE sql AS $$
    SELECT count(DISTINCT c.margin), count(*) FILTER (WHERE c.margin <> 0.30),
        count(*) FILTER (WHERE c.margin <> plain_margin(c.customer_id, by_category, (by_segment ->> c.segment)::numeric)),
        count(*) FILTER (WHERE c.clv_1y IS DISTINCT FROM clientele._clv('bgnbd', '{0.8,30,0.8,2.4}', '{6,4,15}', 365, c.profile, c.as_of, c.margin::float8 * 0.9::float8, 0.1, 2)),
        (SELECT count(*) FROM (SELECT o.* FROM shop.offers o EXCEPT SELECT c.customer_id, p.* FROM customers c, clientele.personalized_offer(c.customer_id, 'shop') p) d),
        (SELECT count(*) FROM shop.offers o JOIN shop.customers u USING (customer_id)
         WHERE o.reward <> trunc(least(CASE o.program WHEN 'back' THEN 0.5 ELSE 0.2 END * o.min_spend, u.margin / 2 * (o.min_spend - CASE o.program WHEN 'back' THEN 0 ELSE o.reference_value END)), 2))
    FROM shop.customers c $$;
SELECT * FROM disagreements(NULL, NULL);

-- By category: those without a margin of their own have the store's, and who bought nothing has it, too.
SELECT clientele.set_margins('shop', by_category => '{"wine": 0.45, "baby": 0.2, "gift card": 0}');
SELECT * FROM disagreements('{"wine": 0.45, "baby": 0.2, "gift card": 0}', NULL);
SELECT customer_id, category_mix, margin, clientele.customer_margin(shop._offer_book(), category_mix, segment) AS toolkit FROM shop.customers
WHERE customer_id IN (4, 7, 8, 10, 1, 3) ORDER BY 1;
SELECT customer_id, program, explanation FROM unnest('{4,8,3}'::bigint[]) customer_id, clientele.explain_offer(customer_id, 'shop') WHERE program = 'stretch' ORDER BY 1;
-- A rule may read it.
SELECT clientele.define_segment('shop', 'rich', 'margin > 0.4 OR clv_1y > 500', priority => 5);
SELECT segment, min(margin), max(margin), count(*) FROM shop.customers GROUP BY 1 ORDER BY 1;
SELECT outcome, regexp_replace(value_found, '(clv_1y) = [0-9.]+$', '\1 is known') AS value_found FROM clientele.explain_segment(4, 'shop') LIMIT 1;
-- By category and segment, which then excludes such rules; each refusal names the other.
SELECT clientele.set_margins('shop', by_category => '{"wine": 0.45}', by_segment => '{"companies": 0.1}');
SELECT clientele.drop_segment('shop', 'rich');
SELECT clientele.set_margins('shop', by_category => '{"wine": 0.45, "gift card": 0}', by_segment => '{"companies": 0.1, "average": 0.25}');
SELECT clientele.define_segment('shop', 'rich', 'margin > 0.4 OR clv_1y > 500', priority => 5);
SELECT clientele.learn_segments('shop', 'main', '{clv_1y}', 2);
SELECT * FROM disagreements('{"wine": 0.45, "gift card": 0}', '{"companies": 0.1, "average": 0.25}');

-- By segment alone.
SELECT clientele.set_margins('shop', by_segment => '{"companies": 0.1, "average": 0.25}');
SELECT * FROM disagreements(NULL, '{"companies": 0.1, "average": 0.25}');
SELECT segment, margin, count(*) FROM shop.customers GROUP BY 1, 2 ORDER BY 1;
SELECT customer_id, explanation FROM unnest('{5,1}'::bigint[]) customer_id, clientele.explain_offer(customer_id, 'shop', 'stretch') ORDER BY 1;
-- Another segmentation may read it, and everybody sees the same.
SELECT clientele.define_segment('shop', 'thin', 'margin < 0.2', segmentation => 'value');
SELECT count(*) FILTER (WHERE (s.segment = 'thin') <> (c.margin < 0.2)) AS wrong_in_view, count(*) FILTER (WHERE s.segment <> clientele.assign_segment(c.customer_id, 'shop', 'value')) AS wrong_one_by_one,
    count(*) FILTER (WHERE s.segment = 'thin') AS thin FROM shop.customers c JOIN shop.segments s ON s.customer_id = c.customer_id AND s.segmentation = 'value';
-- What else of the store changes leaves them as they are.
SELECT clientele.alter_store('shop', margin => 0.32);
SELECT segment, margin, count(*) FROM shop.customers GROUP BY 1, 2 ORDER BY 1;
BEGIN;
SELECT clientele.detach_store('shop');
SELECT clientele.attach_store('shop', margin => 0.30);
COMMIT;
SELECT * FROM disagreements(NULL, '{"companies": 0.1, "average": 0.25}');
-- As of another time, and in look-ups of what is stored.
SELECT count(*) FILTER (WHERE a.margin <> CASE a.segment WHEN 'companies' THEN 0.1 WHEN 'average' THEN 0.25 ELSE 0.3 END) AS wrong FROM shop.customers_at(now() - interval '12 days') a;
-- A segment that has a margin stays, and takes it along.
SELECT clientele.drop_segment('shop', 'companies');
SELECT clientele.rename_segment('shop', 'companies', 'firms'), clientele.set_default_segment('shop', 'others');
SELECT segment, margin, count(*) FROM shop.customers GROUP BY 1, 2 ORDER BY 1;

-- ---- The ledger keeps the margin as of the enrolment, and measuring takes it ----

SELECT count(*) FROM (SELECT clientele.issue_offer(c, 'shop') FROM generate_series(1::bigint, 15) c) i;
CALL clientele.issue_offers('shop', 'stretch');
SELECT count(*) > 10 AS many, count(*) FILTER (WHERE l.margin <> c.margin) AS wrong, count(DISTINCT l.margin) AS margins, count(*) FILTER (WHERE l.holdout IS NOT NULL) > 0 AS held_out
FROM shop.ledger l JOIN shop.customers c USING (customer_id);
CREATE TABLE explained AS SELECT c AS customer_id, e.break_even_share FROM generate_series(1::bigint, 40) c, clientele.explain_offer(c, 'shop', 'stretch') e WHERE e.status = 'offered';
SELECT clientele.set_margins('shop');
SELECT margin, count(*) FROM shop.customers GROUP BY 1;
SELECT count(*) FROM shop.customers c JOIN clv_before b USING (customer_id) WHERE c.clv_1y IS DISTINCT FROM b.clv_1y;
-- An open offer breaks even by the margin that it was made with.
SELECT count(*) AS compared, count(*) FILTER (WHERE e.break_even_share IS DISTINCT FROM x.break_even_share OR abs(x.break_even_share - l.reward / (l.margin * (l.min_spend - m.below))) > 1e-4) AS wrong
FROM explained x JOIN shop.ledger l USING (customer_id) CROSS JOIN LATERAL clientele.explain_offer(x.customer_id, 'shop', 'stretch') e
    CROSS JOIN LATERAL (SELECT sum(exp(l.log_mean + l.log_sd * z - z * z / 2)) / sum(exp(-z * z / 2)) AS below
        FROM generate_series(1, 4000) i, LATERAL (SELECT -8 + ((ln(l.min_spend::float8) - l.log_mean) / l.log_sd + 8) * (i - 0.5) / 4000 AS z) z) m WHERE e.status = 'offered';
UPDATE shop.ledger SET issued_at = issued_at - interval '30 days', valid_until = valid_until - interval '30 days';
INSERT INTO orders SELECT 9000 + customer_id, customer_id, now() - interval '20 days', 40 + customer_id FROM customers WHERE customer_id % 10 > 0;
CALL clientele.settle_offers('shop');
SELECT m.n_treated, m.n_control, abs(m.mean_treated - p.treated) < 1e-9 AS treated, abs(m.mean_control - p.control) < 1e-9 AS control
FROM clientele.measure_lift('shop', 'stretch', pre_period => '0') m, (
    SELECT avg(earned) FILTER (WHERE holdout IS NULL) AS treated, avg(earned) FILTER (WHERE holdout IS NOT NULL) AS control
    FROM (SELECT l.customer_id, l.holdout, l.margin * coalesce((SELECT sum(o.amount) FROM orders o WHERE o.customer_id = l.customer_id AND o.ordered_at >= l.issued_at AND o.ordered_at < l.issued_at + interval '14 days'), 0)
        - CASE WHEN l.state = 'redeemed' AND l.holdout IS NULL THEN l.reward ELSE 0 END AS earned FROM shop.ledger l WHERE l.program = 'stretch') e) p;

-- ---- What is refused ----

SELECT clientele.set_margins(NULL);
SELECT clientele.set_margins('bare', by_category => '{"wine": 0.4}');
SELECT clientele.set_margins('bare', by_segment => '{"default": 0.4}');
SELECT clientele.set_margins('shop', by_segment => '{"firms": 0.4, "nobody": 0.4, "no one": 0.1}');
SELECT clientele.set_margins('shop', by_category => '[0.4]');
SELECT clientele.set_margins('shop', by_segment => '0.4');
SELECT clientele.set_margins('shop', by_category => '{"wine": 1.01}');
SELECT clientele.set_margins('shop', by_category => '{"wine": -0.1}');
SELECT clientele.set_margins('shop', by_category => '{"wine": 0.1234567}');
SELECT clientele.set_margins('shop', by_category => '{"wine": "0.4"}');
SELECT clientele.set_margins('shop', by_category => '{"wine": "0.4", "baby": 0.2, "bread": 2, "tea": 0.1000000, "milk": [1]}');
SELECT clientele.set_margins('shop', by_category => '{"wine": null}');
SELECT clientele.set_margins('shop', by_segment => '{"firms": {"a": 1}}');
SELECT clientele.customer_margin('{}', NULL, NULL);
SELECT clientele.customer_margin(shop._offer_book(), '[]', NULL) AS not_read, clientele.customer_margin(NULL, NULL, NULL) AS no_book;
CREATE ROLE margins_reader;
GRANT USAGE ON SCHEMA shop TO margins_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO margins_reader;
SET ROLE margins_reader;
SELECT clientele.set_margins('shop', by_segment => '{"firms": 0.4}');
RESET ROLE;
SELECT DISTINCT margin FROM shop.customers;
-- Nothing to earn: no offer, and it says why.
SELECT clientele.set_margins('shop', by_category => '{"wine": 0, "baby": 0, "bread": 0, "gift card": 0}');
SELECT program, status, ARRAY(SELECT regexp_replace(r, '^p_alive=0[.][0-9]+$', 'p_alive') FROM unnest(reasons) r) AS reasons, break_even_share FROM clientele.explain_offer(3, 'shop');
SELECT clientele.set_margins('shop', '{}', 'null');
SELECT options ? 'margin_by_category', options ? 'margin_by_segment' FROM shop.settings;

-- ---- In definitions ----

SELECT clientele.set_margins('shop', by_category => '{"wine": 0.450, "baby": 0.20}', by_segment => '{"firms": 0.1}');
SELECT clientele.export_definitions('shop') -> 'margins';
SELECT * FROM clientele.apply_definitions('shop', clientele.export_definitions('shop'), prune => true);
-- The last segment with a margin goes, and a rule reads margins: in one document.
SELECT kind, name, action, before, after FROM clientele.apply_definitions('shop', '{"format": 1, "margins": {"by_category": {"wine": 0.45}}, "programs": [],
    "segmentations": [{"segmentation": "main", "segments": [{"segment": "rich", "rule": "margin > 0.4"}]}]}', prune => true);
SELECT kind, name, action, before, after FROM clientele.apply_definitions('shop', '{"format": 1, "margins": {"by_segment": {"new": 0.2}},
    "segmentations": [{"segmentation": "main", "segments": [{"segment": "new", "rule": "orders = 1"}]}]}', prune => true);
SELECT clientele.apply_definitions('shop', '{"format": 1, "margins": {"by_segment": {"new": 2}}}');
SELECT clientele.apply_definitions('shop', '{"format": 1, "margins": {"by_segment": {"old": 0.2}}}');
SELECT clientele.apply_definitions('shop', '{"format": 1, "margins": {"by_customer": {}}}');
SELECT clientele.apply_definitions('shop', '{"format": 1, "segmentations": [{"segmentation": "main", "segments": [{"segment": "rich", "rule": "margin > 0.4"}]}]}');
SELECT kind, name, action FROM clientele.apply_definitions('shop', '{"format": 1, "margins": null}');

DROP OWNED BY margins_reader;
DROP ROLE margins_reader;
SET client_min_messages = error;
SELECT clientele.drop_store('shop', force => true), clientele.drop_store('bare');
DROP SCHEMA margins_test CASCADE;
