-- Arms are alike: with an offer that has no effect, and the same orders, those who were held out are free for the next offer when
-- those who were offered something are, whichever way these redeem; so the next version finds both arms whole.
\pset format unaligned
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA arms;
SET search_path = arms;
CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(12,2));
CREATE INDEX ON orders (customer_id);
INSERT INTO orders SELECT 10 * c + n, c, now() - interval '60 days' - n * interval '9 days', 50 FROM generate_series(1, 1200) c, generate_series(1, 4) n;
SELECT clientele.create_store('shop', 'orders');
CALL clientele.refresh('shop');
SELECT clientele.define_offer('shop', 'stretch', 'grow_order_value', valid_for => '30 days', holdout => 0.4, budget => 100000);
CALL clientele.issue_offers('shop', chunk => 500);
SELECT program_version, holdout, count(*) > 400 AS many FROM shop.ledger GROUP BY 1, 2 ORDER BY 1, 2 NULLS LAST;
-- Ten days ago. Of each arm a third orders for what is asked, or would be, a third for less, and a third nothing at all.
UPDATE shop.ledger SET issued_at = issued_at - interval '10 days', valid_until = valid_until - interval '10 days';
INSERT INTO orders SELECT 100000 + customer_id, customer_id, now() - interval '3 days', CASE customer_id % 3 WHEN 0 THEN min_spend ELSE min_spend - 0.01 END
    FROM shop.ledger WHERE customer_id % 3 < 2;
-- Every second one of who could, redeems by code.
SELECT count(clientele.redeem_offer(l.code, o.order_id)) > 50 AS by_code FROM shop.ledger l JOIN orders o ON o.order_id = 100000 + l.customer_id WHERE l.customer_id % 6 = 0 AND l.code IS NOT NULL;
-- Until it is settled, only who has used a code is free.
SELECT l.holdout, count(*) FILTER (WHERE i.open_exposure IS NULL) > 0 AS some_are_free FROM shop.ledger l JOIN shop._offer_inputs i USING (customer_id) GROUP BY 1 ORDER BY 1;
SELECT clientele.define_offer('shop', 'stretch', 'grow_order_value', valid_for => '30 days', holdout => 0.4, budget => 100000, reward_rate => 0.04);
CALL clientele.issue_offers('shop', chunk => 500);
-- All of both arms who have ordered what was asked for, and nobody else, are enrolled again.
SELECT f.holdout AS arm, count(*) = count(*) FILTER (WHERE f.customer_id % 3 = 0) AS who_ordered,
    count(*) = (SELECT count(*) FROM shop.ledger a WHERE a.period = 1 AND a.holdout IS NOT DISTINCT FROM f.holdout AND a.customer_id % 3 = 0) AS all_of_them
    FROM shop.ledger f JOIN shop.ledger s USING (customer_id) WHERE f.period = 1 AND s.period = 2 AND s.program_version = 2 GROUP BY 1 ORDER BY 1;
SELECT clientele.srm_pvalue(ARRAY[count(*) FILTER (WHERE holdout IS NULL), count(*) FILTER (WHERE holdout IS NOT NULL)], '{0.6,0.4}') > 0.01 AS ratio_holds FROM shop.ledger WHERE program_version = 2;
-- Nothing was paid to who was held out, and nobody is shown as having redeemed.
SELECT state, count(*) > 50 AS many FROM shop.ledger WHERE period = 1 AND holdout IS NOT NULL GROUP BY 1 ORDER BY 1;
SELECT b.spent = (SELECT sum(l.reward_paid) FROM shop.offer_ledger l) AS spent_is_paid, b.redeemed_offers = (SELECT count(*) FROM shop.ledger WHERE state = 'redeemed' AND holdout IS NULL) AS redeemed,
    b.remaining = (SELECT sum(s.available) FROM shop.budgets s) AS exact FROM shop.budget_status b;
SELECT count(*) AS codes_of_held_out FROM shop.offer_ledger l JOIN shop.ledger h USING (exposure_id) WHERE h.holdout IS NOT NULL;

-- An order since a run began: whoever has used a code would be free, who was held out would not. So neither is.
CREATE TABLE latest AS SELECT DISTINCT ON (holdout IS NULL) holdout IS NULL AS offered, customer_id, code, min_spend FROM shop.ledger WHERE period = 2 ORDER BY holdout IS NULL, customer_id;
INSERT INTO orders SELECT 200000 + customer_id, customer_id, clock_timestamp(), min_spend FROM latest;
UPDATE shop.campaigns SET started_at = now() - interval '1 hour', ended_at = NULL, last_customer = NULL, cutoffs = NULL;
UPDATE shop.ledger SET issued_at = issued_at - interval '2 hours' WHERE customer_id IN (SELECT customer_id FROM latest);
SELECT count(clientele.redeem_offer(l.code, 200000 + l.customer_id)) AS by_code FROM latest l WHERE l.offered;
CALL clientele.issue_offers('shop');
SELECT l.offered, max(e.period) AS periods, bool_and(e.state = 'redeemed') AS closed FROM latest l JOIN shop.ledger e USING (customer_id) GROUP BY 1 ORDER BY 1;
-- The next run enrols both.
CALL clientele.issue_offers('shop');
SELECT l.offered, max(e.period) AS periods FROM latest l JOIN shop.ledger e USING (customer_id) GROUP BY 1 ORDER BY 1;
SELECT clientele.drop_store('shop', force => true);
DROP SCHEMA arms CASCADE;
