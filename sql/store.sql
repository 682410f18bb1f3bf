-- Stores: what they show against the toolkit by hand, bulk against single, as of a time, refresh, migrations, dropping.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
SET search_path = public, clientele;

-- SQLSTATE and message of a statement that fails.
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END $$;

-- ---- A shop: people without orders, orders without people, guests, refunds, orders of tomorrow ----

CREATE TABLE people (customer_id int PRIMARY KEY, name text, birth_date date, children int, postcode varchar(10));
INSERT INTO people SELECT i, 'person ' || i, date '1940-01-01' + i * 90, CASE WHEN i % 3 > 0 THEN i % 4 END, (i % 10)::text FROM generate_series(1, 240) i;
CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(12, 2), status text, note text);
INSERT INTO orders
    SELECT i, CASE WHEN i % 41 > 0 THEN 1 + (i::bigint * i * 31 % 211) * (i::bigint * 17 % 223) / 211 END,
        now() - interval '1 hour' * (2 + i::bigint * i * 7919 % 17000), CASE WHEN i % 29 = 0 THEN -1 ELSE 1 END * (500 + i::bigint * 7907 % 9000) / 100.0,
        CASE WHEN i % 19 = 0 THEN 'cancelled' ELSE 'completed' END, 'note ' || i FROM generate_series(1, 3000) i;
INSERT INTO orders SELECT 5000 + i, i, now() + interval '1 day', 1000, 'completed' FROM generate_series(1, 5) i;
INSERT INTO orders SELECT 6000 + i, 235, now() - interval '1 day' * i, -5, 'completed' FROM generate_series(1, 3) i;
INSERT INTO orders VALUES (7000, 236, now() - interval '20 days', 40, 'completed'), (7001, 237, now() - interval '20 days', 0, 'completed'),
    (7002, 900, now() - interval '20 days', 40, 'completed');
CREATE TABLE order_items (order_id bigint, category text, amount numeric(12, 2));
INSERT INTO order_items SELECT order_id, (ARRAY['baby', 'pantry', 'fresh', 'ready'])[1 + (order_id * (n + 3)) % 4], abs(amount) / 3 FROM orders, generate_series(1, 3) n WHERE order_id % 5 > 0;
INSERT INTO order_items VALUES (1, NULL, 5), (1, 'baby', NULL), (NULL, 'baby', 5), (-1, 'baby', 5);

SELECT clientele.create_store('shop', 'orders', order_filter => $$status = 'completed'$$, customers => 'people', attributes => '{birth_date,children,postcode AS area}',
    items => 'order_items', time_zone => 'America/New_York', currency => 'EUR', margin => 0.4);
SELECT count(*) AS before_refresh, sum(orders) AS orders FROM shop.customers;
CALL clientele.refresh('shop');

SELECT store, orders, customers, items, currency, time_zone, margin, live, fresh_to = now() AS fresh_now, owner = current_user AS mine FROM clientele.stores;
SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'shop' AND table_name = 'customers' ORDER BY ordinal_position;

-- ---- The view against the toolkit by hand ----

CREATE VIEW by_hand AS
    SELECT c.customer_id, p.p, m.mix, c.birth_date, c.children, c.postcode
    FROM people c LEFT JOIN (SELECT customer_id, clientele.order_profile(ordered_at, amount, 'America/New_York') AS p FROM orders WHERE status = 'completed' AND ordered_at <= now() GROUP BY 1) p USING (customer_id)
    LEFT JOIN (SELECT customer_id, jsonb_object_agg(category, amount) AS mix
               FROM (SELECT o.customer_id, i.category, sum(i.amount) AS amount FROM orders o JOIN order_items i USING (order_id)
                     WHERE status = 'completed' AND ordered_at <= now() AND o.amount >= 0 AND category IS NOT NULL AND i.amount IS NOT NULL GROUP BY 1, 2) s GROUP BY 1) m USING (customer_id);
SELECT count(*) AS customers, count(*) FILTER (WHERE (v.orders, v.purchase_days, v.refunds, v.gross_spent, v.total_spent, v.repeat_purchases) IS DISTINCT FROM
        (coalesce(clientele.orders(p), 0), coalesce(clientele.purchase_days(p), 0), coalesce(clientele.refunds(p), 0), coalesce(clientele.gross_spent(p), 0), coalesce(clientele.total_spent(p), 0), coalesce(clientele.repeat_purchases(p), 0))) AS counts,
    count(*) FILTER (WHERE (v.first_order_at, v.last_order_at, v.aov, v.typical_order_value, v.typical_cv, v.last_order_value, v.order_value_cv) IS DISTINCT FROM
        (clientele.first_order_at(p), clientele.last_order_at(p), clientele.aov(p), clientele.typical_order_value(p), clientele.typical_cv(p), clientele.last_order_value(p), clientele.order_value_cv(p))) AS "values",
    count(*) FILTER (WHERE (v.recency_days, v.tenure_days, v.age, v.as_of) IS DISTINCT FROM (clientele.recency_days(p, now()), clientele.tenure_days(p, now()), clientele.age(p, now()), now())) AS ages,
    count(*) FILTER (WHERE (v.mean_days_between_orders, v.median_days_between_orders, v.evening_share, v.weekend_share, v.last_purchase_age, v.repeat_day_value) IS DISTINCT FROM
        (clientele.mean_days_between_orders(p), clientele.median_days_between_orders(p), clientele.evening_share(p), clientele.weekend_share(p), clientele.last_purchase_age(p), clientele.repeat_day_value(p))) AS rhythms,
    count(*) FILTER (WHERE v.category_mix IS DISTINCT FROM h.mix) AS mixes,
    count(*) FILTER (WHERE (v.birth_date, v.children, v.area) IS DISTINCT FROM (h.birth_date, h.children, h.postcode)) AS attributes,
    count(*) FILTER (WHERE num_nonnulls(r_score, f_score, m_score) <> CASE WHEN v.orders = 0 THEN 0 ELSE 3 END
        OR num_nonnulls(p_alive, expected_orders_90d, expected_order_value, clv_1y, expected_next_order_at) > 0) AS scores
FROM shop.customers v FULL JOIN by_hand h USING (customer_id);
-- Nobody twice, nobody who is not a customer; people without orders have counts of zero, and the rest NULL.
SELECT count(*) - count(DISTINCT customer_id) AS doubled, count(*) FILTER (WHERE customer_id = 900) AS strangers, count(*) FILTER (WHERE orders = 0) > 10 AS some_without_orders FROM shop.customers;
SELECT DISTINCT orders, purchase_days, refunds, gross_spent, total_spent, repeat_purchases, segment,
    num_nonnulls(first_order_at, last_order_at, aov, typical_order_value, typical_cv, last_order_value, order_value_cv, recency_days, tenure_days, mean_days_between_orders,
        median_days_between_orders, evening_share, weekend_share, last_purchase_age, age, repeat_day_value, category_mix) AS others
FROM shop.customers WHERE orders = 0 ORDER BY refunds;
SELECT customer_id, orders, total_spent, aov, typical_order_value, typical_cv, last_order_value FROM shop.customers WHERE customer_id IN (236, 237) ORDER BY 1;

-- ---- Segments, contents and offers: bulk equals single ----

SELECT clientele.define_segment('shop', 'families', $$ category_share(category_mix, 'baby') >= 0.5 OR children > 2 $$);
SELECT clientele.define_segment('shop', 'often', $$ orders >= 16 AND typical_cv < 0.9 $$);
SELECT clientele.define_segment('shop', 'away', $$ recency_days > 60 $$);
SELECT clientele.define_segment('shop', 'old', $$ birth_date < '1960-01-01' $$, segmentation => 'age');
SELECT clientele.set_default_segment('shop', 'rest');
SELECT clientele.define_content('shop', 'home', 'post A', 'families'), clientele.define_content('shop', 'home', 'post B'), clientele.define_content('shop', 'mail', 'post C', 'often');
SELECT clientele.define_offer('shop', 'again', 'second_order', segments => '{rest,away}'), clientele.define_offer('shop', 'back', 'win_back', holdout => 0.3),
    clientele.define_offer('shop', 'more', 'grow_order_value', holdout => 0.2, max_cv => 0.6);
CALL clientele.refresh('shop');

CREATE FUNCTION pg_temp.difference(one text, other text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM ((%1$s EXCEPT ALL %2$s) UNION ALL (%2$s EXCEPT ALL %1$s)) d', one, other) INTO n;
    RETURN n;
END $$;
SELECT pg_temp.difference('SELECT customer_id, segment FROM shop.customers', $$SELECT customer_id, clientele.assign_segment(customer_id, 'shop') FROM people$$) AS segment,
    pg_temp.difference('SELECT customer_id, segment FROM shop.customers', $$SELECT customer_id, clientele.assign_segment(customer_id::text, 'shop') FROM people$$) AS by_text,
    pg_temp.difference('SELECT customer_id, segmentation, segment FROM shop.segments', $$SELECT customer_id, s, clientele.assign_segment(customer_id, 'shop', s) FROM people, unnest('{main,age}'::text[]) s$$) AS segmentations,
    pg_temp.difference('SELECT * FROM shop.offers', $$SELECT customer_id, o.* FROM people CROSS JOIN LATERAL clientele.personalized_offer(customer_id, 'shop') o$$) AS offer,
    pg_temp.difference('SELECT * FROM shop.offers', $$SELECT customer_id, o.* FROM people CROSS JOIN LATERAL clientele.personalized_offer(customer_id::text, 'shop') o$$) AS offer_by_text,
    pg_temp.difference($$SELECT customer_id, content ->> 'home', content ->> 'mail' FROM shop.campaign$$, $$SELECT customer_id, clientele.content_for(customer_id, 'home', 'shop'), clientele.content_for(customer_id, 'mail', 'shop') FROM people$$) AS content,
    pg_temp.difference('SELECT customer_id, segment FROM shop.campaign', 'SELECT customer_id, segment FROM shop.customers') AS campaign_segment,
    pg_temp.difference('SELECT customer_id, program, basis, reference_value, min_spend, reward, reward_kind, currency, message, valid_until, variant, propensity, expected_profit, reasons, disclosure FROM shop.campaign WHERE program IS NOT NULL',
        'SELECT customer_id, program, basis, reference_value, min_spend, reward, reward_kind, currency, message, valid_until, variant, propensity, expected_profit, reasons, disclosure FROM shop.offers') AS campaign_offer,
    pg_temp.difference($$SELECT customer_id, program, basis, reference_value, min_spend, reward, message, valid_until, propensity, reasons FROM shop.offer_decisions WHERE status = 'offered'$$,
        'SELECT customer_id, program, basis, reference_value, min_spend, reward, message, valid_until, propensity, reasons FROM shop.offers') AS decisions,
    pg_temp.difference('SELECT customer_id, program, status, reasons FROM shop.offer_decisions', $$SELECT customer_id, e.program, e.status, e.reasons FROM people CROSS JOIN LATERAL clientele.explain_offer(customer_id, 'shop') e$$) AS explained;
SELECT count(DISTINCT segment) AS segments FROM shop.customers;
SELECT count(DISTINCT program) AS programs, count(DISTINCT status) AS states, count(*) = 3 * (SELECT count(*) FROM people) AS complete FROM shop.offer_decisions;
-- The same in any plan: every customer at once, one at a time, and through a join that probes.
SET enable_hashjoin = off; SET enable_mergejoin = off;
SELECT pg_temp.difference('SELECT customer_id, segment FROM shop.customers', $$SELECT customer_id, clientele.assign_segment(customer_id, 'shop') FROM people$$) AS segment;
RESET enable_hashjoin; RESET enable_mergejoin;
-- Sums by segment are pooled, and nobody is missing.
SELECT count(*) FILTER (WHERE s.customers <> c.customers OR s.orders <> c.orders OR s.total_spent <> c.total_spent OR s.aov IS DISTINCT FROM c.gross / nullif(c.orders, 0) OR abs(s.share - c.share) > 1e-12) AS mismatches, count(*) AS segments
FROM shop.segment_sizes s FULL JOIN (SELECT segment, count(*) AS customers, sum(orders) AS orders, sum(total_spent) AS total_spent, sum(gross_spent) AS gross, count(*) / 240.0::float8 AS share FROM shop.customers GROUP BY 1) c USING (segment);
SELECT sum(customers) FILTER (WHERE status = 'offered') = (SELECT count(*) FROM shop.offers) AS offered, sum(greatest_cost) = (SELECT sum(reward) FROM shop.offers) AS cost FROM shop.offer_summary;
-- What customers without orders are compared with.
SELECT count(*) AS medians, count(*) FILTER (WHERE t.value IS DISTINCT FROM (SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY typical_order_value)::numeric, 5) FROM shop.customers c
    WHERE c.orders > 0 AND (t.basis = 'store' OR c.segment = t.segment))) AS mismatches FROM shop.typical_values t;

-- ---- NULL, unknown and impossible customers ----

SELECT clientele.assign_segment(NULL::bigint, 'shop') AS null_customer, clientele.assign_segment(99999, 'shop') AS unknown, clientele.assign_segment('99999', 'shop') AS unknown_text,
    clientele.assign_segment(99999999999, 'shop') AS beyond_int, clientele.assign_segment('99999999999', 'shop') AS beyond_int_text, clientele.assign_segment(900, 'shop') AS stranger,
    clientele.content_for(99999, 'home', 'shop') AS content, clientele.content_for(NULL::text, 'home', 'shop') AS no_content, clientele.content_for(1, 'nowhere', 'shop') AS no_slot;
SELECT count(*) AS offers FROM unnest('{99999,99999999999,-1,900}'::bigint[]) c, clientele.personalized_offer(c, 'shop');
SELECT count(*) AS of_null FROM clientele.personalized_offer(NULL::bigint, 'shop');
SELECT x, pg_temp.refusal(format($$SELECT clientele.assign_segment(%s, 'shop')$$, x)) AS segment, pg_temp.refusal(format($$SELECT * FROM clientele.personalized_offer(%s, 'shop')$$, x)) = pg_temp.refusal(format($$SELECT clientele.assign_segment(%s, 'shop')$$, x)) AS offer_alike
FROM unnest(ARRAY[$$'twelve'$$, $$''$$, $$'1.5'$$, $$'1; DROP TABLE orders'$$, $$'99999999999999999999'$$, $$'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid$$]) x;
SELECT x, pg_temp.refusal(x) AS refusal FROM unnest(ARRAY[
    $$SELECT clientele.content_for('twelve', 'home', 'shop')$$, $$SELECT * FROM clientele.explain_offer('twelve', 'shop')$$, $$SELECT * FROM clientele.explain_segment('twelve', 'shop')$$, $$SELECT clientele.segments_of('twelve', 'shop')$$,
    $$SELECT clientele.assign_segment(1, 'shop', 'nothing')$$, $$SELECT clientele.assign_segment(1, 'shop', NULL)$$, $$SELECT * FROM clientele.personalized_offer(1, 'shop', 'nothing')$$, $$SELECT * FROM clientele.explain_offer(1, 'shop', 'nothing')$$,
    $$SELECT clientele.assign_segment(1, 'shop', as_of => '-infinity')$$]) WITH ORDINALITY x (x, i) ORDER BY i;
-- As a driver passes it: a parameter without a type.
PREPARE untyped AS SELECT clientele.assign_segment($1, 'shop') = (SELECT segment FROM shop.customers WHERE customer_id = 7) AS same;
EXECUTE untyped('7');
PREPARE typed(bigint) AS SELECT clientele.assign_segment($1, 'shop') = (SELECT segment FROM shop.customers WHERE customer_id = 7) AS same;
EXECUTE typed(7);

-- ---- As of a time ----

CREATE VIEW orders_then AS SELECT * FROM orders WHERE ordered_at <= now() - interval '200 days';
SELECT clientele.create_store('shop_then', 'orders_then', order_filter => $$status = 'completed'$$, customers => 'people', attributes => '{birth_date,children,postcode AS area}',
    items => 'order_items', time_zone => 'America/New_York', currency => 'EUR', margin => 0.4);
CALL clientele.refresh('shop_then');
-- Scores apart: those of each store are against the breaks of its own customers.
SELECT pg_temp.difference($$SELECT to_jsonb(c) - '{as_of,recency_days,tenure_days,age,segment,r_score,f_score,m_score}'::text[] FROM shop.customers_at(now() - interval '200 days') c$$,
        $$SELECT to_jsonb(c) - '{as_of,recency_days,tenure_days,age,segment,r_score,f_score,m_score}'::text[] FROM shop_then.customers c$$) AS then_stored,
    pg_temp.difference($$SELECT to_jsonb(c) - '{segment,r_score,f_score,m_score}'::text[] FROM shop.customers_at(now() - interval '200 days') c$$, $$SELECT to_jsonb(c) - '{segment,r_score,f_score,m_score}'::text[] FROM shop_then.customers_at(now() - interval '200 days') c$$) AS then_computed,
    pg_temp.difference('SELECT * FROM shop.customers_at(now())', 'SELECT * FROM shop.customers') AS now_computed,
    pg_temp.difference($$SELECT customer_id, segment FROM shop.customers_at(now() - interval '200 days')$$, $$SELECT customer_id, clientele.assign_segment(customer_id, 'shop', as_of => now() - interval '200 days') FROM people$$) AS segments_then;
SELECT count(*) > 50 AS several, count(*) FILTER (WHERE (o.min_spend, o.reward, o.program) IS DISTINCT FROM (f.min_spend, f.reward, f.program)) AS mismatches
FROM people CROSS JOIN LATERAL clientele.personalized_offer(customer_id, 'shop', as_of => now() - interval '100 days') o
FULL JOIN (SELECT i.customer_id, (clientele.decide_offer(shop._offer_book(), i.customer, i.segment, i.profile, i.fallback, i.as_of)).* FROM shop._offer_inputs_at(now() - interval '100 days') i) f USING (customer_id)
WHERE o.program IS NOT NULL OR f.program IS NOT NULL;
-- A time that is not past reads what is stored.
SELECT pg_temp.difference('SELECT customer_id, segment FROM shop.customers', $$SELECT customer_id, clientele.assign_segment(customer_id, 'shop', as_of => 'infinity') FROM people$$) AS infinite,
    pg_temp.difference('SELECT customer_id, segment FROM shop.customers', $$SELECT customer_id, clientele.assign_segment(customer_id, 'shop', as_of => now() + interval '1 day') FROM people$$) AS tomorrow;
SELECT count(*) AS customers, sum(orders) AS orders FROM shop.customers_at('1900-01-01');

-- ---- Which store: the one named, the setting, the only one ----

SELECT pg_temp.refusal('SELECT clientele.assign_segment(1)'), pg_temp.refusal('SELECT * FROM clientele.personalized_offer(1)') = pg_temp.refusal('SELECT clientele.assign_segment(1)') AS alike;
SET clientele.store = 'shop';
SELECT pg_temp.difference('SELECT customer_id, segment FROM shop.customers', 'SELECT customer_id, clientele.assign_segment(customer_id) FROM people') AS by_setting;
SET clientele.store = 'shop_then';
SELECT clientele.assign_segment(1) AS of_the_other, clientele.assign_segment(1, 'shop') = (SELECT segment FROM shop.customers WHERE customer_id = 1) AS named;
SET clientele.store = 'nothing';
SELECT pg_temp.refusal('SELECT clientele.assign_segment(1)');
RESET clientele.store;
SELECT pg_temp.refusal($$SELECT clientele.assign_segment(1, 'public')$$), pg_temp.refusal($$SELECT clientele.assign_segment(1, 'nothing')$$);
SELECT clientele.drop_store('shop_then');
SELECT pg_temp.difference('SELECT customer_id, segment FROM shop.customers', 'SELECT customer_id, clientele.assign_segment(customer_id) FROM people') AS the_only_one;
DROP VIEW orders_then;

-- ---- Refresh ----

-- Nothing new: no row is touched.
CREATE TEMP TABLE before AS SELECT customer_id, xmin::text AS x, ctid::text AS place FROM shop.profiles;
CREATE TEMP TABLE values_before AS SELECT segment, xmin::text AS x FROM shop.typical_values;
CALL clientele.refresh('shop');
CALL clientele.refresh('shop', full => true);
SELECT count(*) FILTER (WHERE b.x IS DISTINCT FROM p.xmin::text OR b.place IS DISTINCT FROM p.ctid::text) AS touched, count(*) > 150 AS some FROM before b FULL JOIN shop.profiles p USING (customer_id);
SELECT count(*) FILTER (WHERE b.x IS DISTINCT FROM t.xmin::text) AS touched FROM values_before b FULL JOIN shop.typical_values t USING (segment);
-- A new order, a changed one, a deleted one, a customer's last one gone, lines of an order changed: these and no others.
INSERT INTO orders VALUES (8000, 1, now() - interval '1 minute', 77, 'completed');
UPDATE orders SET amount = amount + 1 WHERE order_id = (SELECT min(order_id) FROM orders WHERE customer_id = 2 AND status = 'completed' AND amount > 0 AND ordered_at < now());
DELETE FROM orders WHERE order_id = (SELECT min(order_id) FROM orders WHERE customer_id = 3 AND status = 'completed' AND amount > 0 AND ordered_at < now());
DELETE FROM orders WHERE customer_id = 236;
INSERT INTO order_items SELECT min(order_id), 'baby', 5 FROM orders WHERE customer_id = 4 AND status = 'completed' AND amount > 0 AND ordered_at < now();
UPDATE orders SET status = 'cancelled' WHERE order_id = 7001;
UPDATE orders SET note = 'seen' WHERE customer_id = 5;
SELECT max(orders) AS stays_until_refreshed FROM shop.customers WHERE customer_id = 236;
CALL clientele.refresh('shop');
SELECT customer_id, b.x IS NULL AS came, p.customer_id IS NULL AS went FROM before b FULL JOIN shop.profiles p USING (customer_id) WHERE b.x IS DISTINCT FROM p.xmin::text ORDER BY customer_id;
SELECT count(*) FILTER (WHERE v.profile IS DISTINCT FROM h.p OR v.category_mix IS DISTINCT FROM h.mix) AS mismatches FROM shop._base v FULL JOIN by_hand h USING (customer_id);
-- No orders at all, and again.
BEGIN;
DELETE FROM orders;
CALL clientele.refresh('shop');
SELECT count(*) AS customers, sum(orders) AS orders, sum(total_spent) AS total, count(aov) AS aov, count(category_mix) AS mixes, (SELECT count(*) FROM shop.profiles) AS profiles, (SELECT count(*) FROM shop.offers) AS offers, (SELECT count(*) FROM shop.typical_values) AS medians FROM shop.customers;
SELECT segment, customers, orders, total_spent, aov FROM shop.segment_sizes;
DELETE FROM people;
SELECT count(*) AS customers FROM shop.customers;
SELECT segment, customers, share, orders, total_spent, aov FROM shop.segment_sizes;
SELECT * FROM shop.offer_summary;
SELECT clientele.assign_segment(1) AS unknown;
ROLLBACK;

-- ---- Migrations of columns that nobody named, and of one that was ----

ALTER TABLE orders DROP COLUMN note;
ALTER TABLE orders ADD COLUMN channel text DEFAULT 'web';
ALTER TABLE orders ALTER channel TYPE varchar(20);
ALTER TABLE orders RENAME channel TO source;
ALTER TABLE people DROP COLUMN name;
ALTER TABLE people ADD COLUMN segment text, ADD COLUMN orders int;
ALTER TABLE order_items ADD COLUMN customer_id int;
CALL clientele.refresh('shop');
SELECT pg_temp.difference('SELECT customer_id, segment FROM shop.customers', 'SELECT customer_id, clientele.assign_segment(customer_id) FROM people') AS still_agree,
    (SELECT count(*) FILTER (WHERE v.profile IS DISTINCT FROM h.p) FROM shop._base v FULL JOIN by_hand h USING (customer_id)) AS mismatches;
DROP VIEW by_hand;
SELECT x, pg_temp.refusal(x) LIKE '2BP01%' OR pg_temp.refusal(x) LIKE '0A000%' AS refused FROM unnest(ARRAY['ALTER TABLE orders DROP COLUMN amount', 'ALTER TABLE orders DROP COLUMN status', 'ALTER TABLE people DROP COLUMN children',
    'DROP TABLE orders', 'ALTER TABLE orders ALTER amount TYPE text']) WITH ORDINALITY x (x, i) ORDER BY i;
-- Renamed tables are followed.
ALTER TABLE orders RENAME TO purchases;
CALL clientele.refresh('shop');
SELECT orders FROM clientele.stores;
ALTER TABLE purchases RENAME TO orders;

-- ---- Upgrading and dropping ----

SELECT clientele.upgrade_store('shop'), clientele.upgrade_store('shop');
SELECT pg_temp.difference('SELECT customer_id, segment FROM shop.customers', 'SELECT customer_id, clientele.assign_segment(customer_id) FROM people') AS still_agree;
CREATE TABLE shop.notes (x int);
CREATE FUNCTION shop.help() RETURNS int LANGUAGE sql RETURN 1;
CREATE VIEW my_report AS SELECT segment, count(*) FROM shop.customers GROUP BY 1;
CREATE TYPE shop.mood AS ENUM ('good', 'bad');
CREATE FUNCTION by_customer(c shop.customers) RETURNS int LANGUAGE sql RETURN 1;
CREATE FUNCTION pg_temp.drop_detail() RETURNS TABLE (line text) LANGUAGE plpgsql AS $$
DECLARE
    d text; h text;
BEGIN
    PERFORM clientele.drop_store('shop');
    line := 'dropped'; RETURN NEXT;
EXCEPTION WHEN others THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    line := SQLSTATE || ': ' || SQLERRM; RETURN NEXT; line := d; RETURN NEXT; line := h; RETURN NEXT;
END $$;
\pset format unaligned
SELECT * FROM pg_temp.drop_detail();
DROP VIEW my_report;
DROP FUNCTION by_customer;
DROP TYPE shop.mood;
DROP FUNCTION shop.help();
SELECT * FROM pg_temp.drop_detail();
DROP TABLE shop.notes;
-- A column or an index of somebody else on a table of ours is found, too.
CREATE TABLE follows (customer_id int REFERENCES shop.profiles);
SELECT * FROM pg_temp.drop_detail();
DROP TABLE follows;
CREATE TEMP TABLE count_before AS SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM people) AS people, (SELECT count(*) FROM order_items) AS items;
SELECT * FROM pg_temp.drop_detail();
SELECT c.orders = (SELECT count(*) FROM orders) AND c.people = (SELECT count(*) FROM people) AND c.items = (SELECT count(*) FROM order_items) AS left_as_they_were FROM count_before c;
SELECT count(*) AS stores FROM clientele.stores;
SELECT pg_temp.refusal('SELECT clientele.assign_segment(1)');
SELECT pg_temp.refusal($$SELECT clientele.drop_store('shop')$$), pg_temp.refusal($$SELECT clientele.drop_store('public')$$), pg_temp.refusal('SELECT clientele.drop_store(NULL)');
ALTER TABLE orders DROP COLUMN amount;
DROP TABLE orders, people, order_items;

-- ---- Every type of key, through every overload ----

CREATE FUNCTION pg_temp.with_keys(key_type text, known text[], others text[]) RETURNS TABLE (of_type text, check_name text, result text) LANGUAGE plpgsql AS $$
DECLARE
    x text;
BEGIN
    of_type := key_type;
    EXECUTE format('CREATE TABLE keyed (customer_id %s, ordered_at timestamptz, amount int)', key_type);
    EXECUTE format('CREATE TABLE keyed_people (customer_id %s UNIQUE, vip boolean)', key_type);
    EXECUTE format('INSERT INTO keyed SELECT k::%s, now() - interval ''10 days'', 40 FROM unnest($1) k', key_type) USING known;
    EXECUTE format('INSERT INTO keyed_people SELECT k::%s, i = 1 FROM unnest($1) WITH ORDINALITY u (k, i)', key_type) USING known;
    PERFORM clientele.create_store('keyed_shop', 'keyed', customers => 'keyed_people', attributes => '{vip}');
    PERFORM clientele.define_segment('keyed_shop', 'vip', 'vip');
    PERFORM clientele.define_content('keyed_shop', 'home', 'gold', 'vip');
    PERFORM clientele.define_offer('keyed_shop', 'more', 'grow_order_value');
    CALL clientele.refresh('keyed_shop');
    check_name := 'stored as'; result := atttypid::regtype FROM pg_attribute WHERE attrelid = 'keyed_shop.profiles'::regclass AND attname = 'customer_id'; RETURN NEXT;
    check_name := 'shown as'; result := atttypid::regtype FROM pg_attribute WHERE attrelid = 'keyed_shop.customers'::regclass AND attname = 'customer_id'; RETURN NEXT;
    FOREACH x IN ARRAY known || others LOOP
        check_name := 'text ' || left(x, 40); result := NULL;
        BEGIN
            SELECT concat_ws(', ', clientele.assign_segment(x), clientele.content_for(x, 'home'), (SELECT min_spend FROM clientele.personalized_offer(x)), (SELECT string_agg(status, ' ') FROM clientele.explain_offer(x))) INTO result;
        EXCEPTION WHEN others THEN result := SQLSTATE || ': ' || SQLERRM; END;
        RETURN NEXT;
        IF x ~ '^-?[0-9]{1,18}$' THEN
            check_name := 'bigint ' || x; result := NULL;
            BEGIN
                SELECT concat_ws(', ', clientele.assign_segment(x::bigint), clientele.content_for(x::bigint, 'home'), (SELECT min_spend FROM clientele.personalized_offer(x::bigint)), (SELECT string_agg(status, ' ') FROM clientele.explain_offer(x::bigint))) INTO result;
            EXCEPTION WHEN others THEN result := SQLSTATE || ': ' || SQLERRM; END;
            RETURN NEXT;
        END IF;
        IF x ~* '^[0-9a-f-]{36}$' THEN
            check_name := 'uuid ' || x; result := NULL;
            BEGIN
                SELECT concat_ws(', ', clientele.assign_segment(x::uuid), clientele.content_for(x::uuid, 'home'), (SELECT min_spend FROM clientele.personalized_offer(x::uuid)), (SELECT string_agg(status, ' ') FROM clientele.explain_offer(x::uuid))) INTO result;
            EXCEPTION WHEN others THEN result := SQLSTATE || ': ' || SQLERRM; END;
            RETURN NEXT;
        END IF;
    END LOOP;
    PERFORM clientele.drop_store('keyed_shop');
    DROP TABLE keyed, keyed_people;
END $$;
SELECT t.* FROM (VALUES (1, 'smallint', '{1,-2,32767}', '{32768,x,3000000000}'), (2, 'integer', '{1,-2,2147483647}', '{2147483648,"1 ",a}'), (3, 'bigint', '{1,-2,9000000000}', '{9,99999999999999999999}'),
    (4, 'uuid', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,00000000-0000-0000-0000-000000000001}', '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11,00000000-0000-0000-0000-000000000002,x,5}'),
    (5, 'text', '{1,O''Brien,"né \"x\", {y}"}', '{2,"",a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'), (6, 'varchar(40)', '{1,a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', '{2,"1 "}')) k (i, type, known, others),
    LATERAL pg_temp.with_keys(type, known::text[], others::text[]) t ORDER BY i;
