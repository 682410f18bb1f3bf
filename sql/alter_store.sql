-- Stores that change: alter_store, detach_store, attach_store.
SET client_min_messages = warning;
\set VERBOSITY terse
\set SHOW_CONTEXT never
CREATE TABLE people (customer_id int PRIMARY KEY, children int, city text);
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(12,2), refunded numeric, status text);
CREATE INDEX ON orders (customer_id);
CREATE TABLE lines (order_id int, category text, amount numeric);
CREATE INDEX ON lines (order_id);
CREATE TABLE bills (LIKE orders INCLUDING ALL);
INSERT INTO people SELECT c, c % 4, 'town ' || c % 3 FROM generate_series(1, 42) c;
INSERT INTO orders SELECT 10 * c + n, c, '2026-03-01 03:30+00'::timestamptz - n * interval '20 days', 30 + c % 7, CASE WHEN n = 2 THEN 5 END, CASE c % 9 WHEN 0 THEN 'open' ELSE 'completed' END
FROM generate_series(1, 40) c, generate_series(1, 1 + c % 5) n;
INSERT INTO lines SELECT order_id, CASE order_id % 2 WHEN 0 THEN 'tea' ELSE 'milk' END, amount FROM orders;
INSERT INTO bills SELECT * FROM orders;
CREATE FUNCTION exact(store text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE shown text; counted text; n bigint;
BEGIN
    EXECUTE format('SELECT count(*), md5(string_agg(t::text, ''|'' ORDER BY customer_id)) FROM (SELECT customer_id, clientele.order_profile_send(profile), category_mix FROM %I._profiles_now()) t', store) INTO n, shown;
    EXECUTE format('SELECT md5(string_agg(t::text, ''|'' ORDER BY customer_id)) FROM (SELECT customer_id, clientele.order_profile_send(profile), category_mix FROM %I._profiles_at(now())) t', store) INTO counted;
    RETURN n || CASE WHEN shown = counted THEN ' exact' ELSE ' differ' END;
END $$;
SELECT clientele.create_store('shop', 'orders', order_filter => $$ status = 'completed' $$, live => true), clientele.create_store('batch', 'bills');
CALL clientele.refresh('shop');
CALL clientele.refresh('batch');
SELECT clientele.define_segment('shop', 'many', 'orders > 3'), clientele.define_offer('shop', 'more', 'grow_order_value'),
    clientele.define_content('shop', 'home', 'hello', 'many');
SELECT count(code) FROM (SELECT (clientele.issue_offer(c, 'shop')).code FROM generate_series(1, 5) c) i;
CREATE TABLE codes AS SELECT customer_id, code, min_spend, reward FROM shop.ledger;
CREATE ROLE alter_reader;
GRANT USAGE ON SCHEMA shop TO alter_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO alter_reader;
GRANT SELECT (customer_id) ON shop.segments TO alter_reader;
COMMENT ON VIEW shop.customers IS 'Ours.';
COMMENT ON COLUMN shop.customers.orders IS 'How many.';
ALTER VIEW shop.offers SET (security_barrier = true);
CREATE VIEW theirs AS SELECT customer_id, orders, segment FROM shop.customers;
CREATE FUNCTION put_on() RETURNS TABLE (object text, what text) LANGUAGE sql AS $$
    SELECT 'customers', obj_description('shop.customers'::regclass) UNION ALL SELECT 'customers.orders', col_description('shop.customers'::regclass, 2)
    UNION ALL SELECT c.relname, c.reloptions::text FROM pg_class c WHERE c.oid = 'shop.offers'::regclass
    UNION ALL SELECT r::text, has_table_privilege('alter_reader', r, 'SELECT')::text FROM unnest('{shop.customers,shop.offers,shop._orders,shop._base}'::regclass[]) r
    UNION ALL SELECT 'segments', has_column_privilege('alter_reader', 'shop.segments', 'customer_id', 'SELECT')::text $$;
SELECT * FROM put_on();

-- ---- Detached ----
SELECT clientele.detach_store('shop');
SELECT store, orders, live, stale, detached FROM clientele.stores ORDER BY 1;
SELECT count(*) FROM shop.customers;
SELECT count(*) FROM shop.customers WHERE customer_id = 3;
SELECT count(*) FROM shop.offers;
SELECT count(*) FROM shop.uncountable_orders;
SELECT count(*) FROM shop.customers_at(now());
SELECT count(*) FROM theirs;
SELECT clientele.assign_segment(3, 'shop');
SELECT clientele.segments_of(3, 'shop');
SELECT count(*) FROM clientele.explain_offer(3, 'shop');
SELECT clientele.content_for(3, 'home', 'shop');
SELECT count(*) FROM clientele.personalized_offer(3, 'shop');  -- a till asks in the transaction of an order
SELECT count(*) FROM clientele.issue_offer(9, 'shop');
SELECT clientele.detach_store('shop');
SELECT clientele.alter_store('shop', margin => 0.4);
SELECT clientele.set_live('shop', true);
SELECT clientele.set_time_zone('shop', 'Asia/Tokyo');
CALL clientele.refresh('shop');
SELECT * FROM clientele.check_store('shop');
SELECT clientele.define_segment('shop', 'any', 'orders > 0');
SELECT clientele.drop_segment('shop', 'any');
SELECT clientele.upgrade_store('shop');
SELECT count(*) FROM shop.offer_ledger;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'orders'::regclass;
ALTER TABLE orders ALTER amount TYPE numeric(14,2), ALTER customer_id SET NOT NULL;
INSERT INTO orders VALUES (900, 9, '2026-03-02', 50, NULL, 'completed');
SELECT clientele.attach_store('shop');
SELECT store, orders, live, stale, detached FROM clientele.stores WHERE store = 'shop';
SELECT exact('shop'), count(*) FROM theirs;
SELECT * FROM put_on();
SELECT clientele.attach_store('shop');
CALL clientele.refresh('shop');

-- ---- One transaction: nobody is marked unless a value has changed ----
BEGIN;
SELECT clientele.detach_store('shop');
ALTER TABLE orders ALTER amount TYPE numeric(16,2);
ALTER TABLE orders RENAME amount TO total;
ALTER TABLE orders ADD note text;
SELECT clientele.attach_store('shop');
ROLLBACK;
BEGIN;
SELECT clientele.detach_store('shop');
ALTER TABLE orders ALTER amount TYPE numeric(16,2);
ALTER TABLE orders RENAME amount TO total;
ALTER TABLE orders ADD note text;
SELECT clientele.attach_store('shop', amount => 'total');
COMMIT;
SELECT count(*) FROM shop.pending;
SELECT exact('shop');
-- Columns that are called otherwise: each setting that names one is said, all at once, and nothing is changed.
BEGIN;
SELECT clientele.detach_store('shop');
ALTER TABLE orders RENAME total TO sum;
ALTER TABLE orders RENAME status TO state;
ALTER TABLE orders RENAME ordered_at TO placed_at;
\set VERBOSITY default
SELECT clientele.attach_store('shop', amount => 'sum');
\set VERBOSITY terse
ROLLBACK;
-- Rewritten, with other values for one customer.
BEGIN;
SELECT clientele.detach_store('shop');
ALTER TABLE orders ALTER refunded TYPE numeric(10,2);
UPDATE orders SET total = total + 1 WHERE customer_id = 7;
SELECT clientele.attach_store('shop');
COMMIT;
SELECT customer_id FROM shop.pending;
SELECT exact('shop');
-- A partitioned table of the same name.
BEGIN;
SELECT clientele.detach_store('shop');
ALTER TABLE orders RENAME TO orders_before;
CREATE TABLE orders (LIKE orders_before) PARTITION BY HASH (customer_id);
CREATE TABLE orders_0 PARTITION OF orders FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX ON orders (customer_id);
CREATE INDEX ON orders (order_id);
INSERT INTO orders SELECT * FROM orders_before;
DROP TABLE orders_before;
SELECT clientele.attach_store('shop');
COMMIT;
SELECT customer_id FROM shop.pending;
INSERT INTO orders VALUES (901, 11, '2026-03-03', 60, NULL, 'completed');
DELETE FROM orders_0 WHERE customer_id = 12;
DELETE FROM orders_1 WHERE customer_id = 12;
SELECT exact('shop');
-- A store that is not live shows what was counted, whatever becomes of the orders; what is read otherwise is to be counted anew.
-- What was written before is told to the statistics at any time.
UPDATE bills SET amount = amount;
SELECT clientele.detach_store('batch');
SELECT pg_stat_force_next_flush();
ALTER TABLE bills ALTER amount TYPE numeric(20,2);
SELECT clientele.attach_store('batch');
SELECT stale FROM clientele.stores WHERE store = 'batch';
SELECT clientele.detach_store('batch');
ALTER TABLE bills ALTER amount TYPE bigint;
SELECT clientele.attach_store('batch');
SELECT stale FROM clientele.stores WHERE store = 'batch';
SELECT exact('batch');
CALL clientele.refresh('batch');
SELECT stale FROM clientele.stores WHERE store = 'batch';
SELECT exact('batch');

-- ---- A customers table, items, attributes ----
SELECT clientele.alter_store('shop', customers => 'people', attributes => '{children}');
SELECT customer_id, orders, segment, children FROM shop.customers WHERE customer_id IN (7, 41) ORDER BY 1;
SELECT clientele.define_segment('shop', 'families', 'children > 1 AND orders(profile) > 1');
SELECT clientele.alter_store('shop', attributes => '{city,children}', items => 'lines');
SELECT attname FROM pg_attribute WHERE attrelid = 'shop.customers'::regclass AND attnum > 33 ORDER BY attnum;
SELECT segment, children, city, category_mix FROM shop.customers WHERE customer_id = 7;
SELECT clientele.define_segment('shop', 'towns', $$ city = 'town 1' AND category_share(category_mix, 'tea') > 0 $$);
SELECT clientele.segments_of(7, 'shop');
SELECT exact('shop'), (SELECT count(*) FROM theirs);
SELECT * FROM put_on();
INSERT INTO lines VALUES (71, 'wine', 100);
SELECT exact('shop');
CALL clientele.refresh('shop');
-- Refused, all of it listed.
\set VERBOSITY default
SELECT clientele.alter_store('shop', attributes => '{city}');
SELECT clientele.alter_store('shop', reset => '{customers,items}');
SELECT clientele.alter_store('shop', amount => 'nothing', ordered_at => 'never', refunded => 'status', customers => 'people', attributes => '{age,height}');
SELECT clientele.alter_store('shop', order_filter => 'nonsense > 1', margin => 3);
SELECT clientele.alter_store('shop', order_filter => 'random() > 0.5');
SELECT clientele.alter_store('shop', reset => '{margin,orders,NULL}');
SELECT clientele.alter_store('shop', discount => 'refunded', reset => '{discount}');
SELECT clientele.alter_store('shop', time_zone => 'Nowhere/Here');
SELECT clientele.alter_store('shop', currency => 'EUR');
SELECT clientele.alter_store('shop', currency => 'Euro');
SELECT clientele.alter_store('shop', keep_events => '-1 day', clock_tolerance => '2 days');
SELECT clientele.alter_store('shop', orders => 'pg_class');
SELECT clientele.alter_store('shop', orders => 999999::oid::regclass);
SELECT clientele.alter_store('shop', customers => 999999::oid::regclass, items => 999998::oid::regclass, margin => 3);
SELECT clientele.create_store('never', 999999::oid::regclass);
SELECT clientele.create_store('never', 'orders', amount => 'total', customers => 999999::oid::regclass);
SELECT clientele.create_store('never', 'orders', amount => 'total', items => 999999::oid::regclass);
SELECT clientele.alter_store('shop', amount => 'nothing', order_filter => 'state = ''open''', attributes => '{age}', item_category => 'shelf', currency => 'Euro');
SELECT clientele.alter_store('nowhere', margin => 0.4);
SELECT clientele.alter_store(NULL, margin => 0.4);
\set VERBOSITY terse
SELECT exact('shop'), clientele.segments_of(7, 'shop');
-- Nor what would go along with the views unseen.
DROP VIEW theirs;
SELECT clientele.drop_segment('shop', 'families');
CREATE POLICY ours ON shop.ledger AS RESTRICTIVE USING (shop._sees_everybody());
CREATE RULE ours AS ON INSERT TO shop.customers DO INSTEAD NOTHING;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO alter_reader;
REVOKE SELECT ON shop.offers FROM alter_reader;
GRANT SELECT ON shop.customers TO alter_reader WITH GRANT OPTION;
CREATE ROLE alter_other;
SET ROLE alter_reader;
GRANT SELECT ON shop.customers TO alter_other;
RESET ROLE;
\set VERBOSITY default
SELECT clientele.alter_store('shop', attributes => '{city}');
\set VERBOSITY terse
SELECT clientele.alter_store('shop', attributes => '{city,children}', time_zone => 'UTC');  -- which needs no view anew
SELECT has_table_privilege('alter_other', 'shop.customers', 'SELECT') AS granted, has_table_privilege('alter_reader', 'shop.offers', 'SELECT') AS revoked;
DROP POLICY ours ON shop.ledger;
DROP RULE ours ON shop.customers;
REVOKE GRANT OPTION FOR SELECT ON shop.customers FROM alter_reader CASCADE;
DROP ROLE alter_other;
-- Without what depended on it.
SELECT clientele.alter_store('shop', attributes => '{city}');
SELECT attname FROM pg_attribute WHERE attrelid = 'shop.customers'::regclass AND attnum > 23 ORDER BY attnum;
SELECT clientele.segments_of(7, 'shop'), segment, rule FROM shop.segment_rules ORDER BY priority;
SELECT * FROM put_on();
SELECT exact('shop');
ALTER DEFAULT PRIVILEGES IN SCHEMA shop REVOKE SELECT ON TABLES FROM alter_reader;
GRANT SELECT ON shop.offers TO alter_reader;

-- ---- Terms ----
SELECT clientele.alter_store('shop', margin => 0.45, keep_events => '10 days', clock_tolerance => '30 seconds');
SELECT margin, options FROM shop.settings;
SELECT DISTINCT margin, margin = (shop._offer_book() ->> 'margin')::numeric AS in_the_book FROM shop.customers;
SELECT o.name, clientele._option(clientele._settings('shop'), o.name) FROM unnest('{keep_events,clock_tolerance,refresh_overdue_after}'::text[]) o (name);
SELECT clientele.alter_store('shop', reset => '{keep_events}', refresh_overdue_after => '2 days');
SELECT options FROM shop.settings;
SELECT clientele.alter_store('batch', currency => 'JPY', margin => 0.2);
SELECT currency, margin FROM clientele.stores WHERE store = 'batch';
SELECT decimals FROM batch.scoring;
-- The days of another time zone: a live store is right at once, another when it is refreshed.
SELECT evening_share, weekend_share FROM shop.customers WHERE customer_id = 7;
SELECT clientele.alter_store('shop', time_zone => 'America/New_York'), clientele.alter_store('batch', time_zone => 'America/New_York');
SELECT evening_share, weekend_share FROM shop.customers WHERE customer_id = 7;
SELECT store, stale, fresh_to IS NULL AS due FROM clientele.stores ORDER BY 1;
SELECT alert, severity, detail, hint FROM clientele.alerts WHERE store = 'batch' AND alert = 'stale';
SELECT exact('shop'), exact('batch');
CALL clientele.refresh('batch');
CALL clientele.refresh('shop');
SELECT store, stale, fresh_to IS NULL AS due FROM clientele.stores ORDER BY 1;
SELECT count(*) FROM clientele.alerts WHERE store = 'batch' AND alert = 'stale';
SELECT exact('shop'), exact('batch');
-- What an order is, and what it is worth.
SELECT clientele.alter_store('shop', refunded => 'refunded', reset => '{order_filter}');
SELECT exact('shop'), refunded, order_filter FROM shop.settings;
CALL clientele.refresh('shop');
SELECT exact('shop');
SELECT clientele.alter_store('shop', reset => '{refunded,items,customers}');
SELECT clientele.drop_segment('shop', 'towns');
SELECT clientele.alter_store('shop', reset => '{refunded,items,customers}');
SELECT exact('shop'), customers, items, refunded, attributes FROM shop.settings;
SELECT clientele.alter_store('shop', live => false);
SELECT live, (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'orders'::regclass) AS triggers FROM shop.settings;
SELECT clientele.alter_store('shop', live => true, order_filter => $$ status <> 'open' $$);
SELECT exact('shop'), live FROM shop.settings;
CALL clientele.refresh('shop');

-- ---- Another table, whose keys are wider: what the ledger has is carried over ----
CREATE TABLE sales (id bigint PRIMARY KEY, who bigint, at timestamptz, value numeric, state text);
CREATE INDEX ON sales (who);
INSERT INTO sales SELECT order_id, customer_id, ordered_at, total, status FROM orders;
CREATE VIEW theirs AS SELECT customer_id, code FROM shop.ledger;
SELECT clientele.detach_store('shop');
SELECT clientele.attach_store('shop', orders => 'sales');
\set VERBOSITY default
SELECT clientele.attach_store('shop', orders => 'sales', customer_id => 'who', ordered_at => 'at', amount => 'value', order_id => 'id', order_filter => $$ state <> 'open' $$);
DROP VIEW theirs;
\set VERBOSITY terse
SELECT clientele.attach_store('shop', orders => 'sales', customer_id => 'who', ordered_at => 'at', amount => 'value', order_id => 'id', order_filter => $$ state <> 'open' $$);
SELECT exact('shop');
SELECT c.relname, format_type(a.atttypid, a.atttypmod) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'shop'::regnamespace AND c.relkind IN ('r', 'v') AND a.attname = 'customer_id' AND a.atttypid <> 'bigint'::regtype;
SELECT count(*), count(*) FILTER (WHERE l.code = c.code AND l.min_spend = c.min_spend AND l.state = 'open') FROM shop.ledger l JOIN codes c USING (customer_id);
SELECT * FROM put_on();
INSERT INTO sales VALUES (5000000000, 6000000000, now(), 33, 'completed');
SELECT exact('shop'), clientele.assign_segment(6000000000, 'shop');
CALL clientele.refresh('shop');
SELECT exact('shop');
-- Not the other way round.
SELECT clientele.detach_store('shop');
\set VERBOSITY default
SELECT clientele.attach_store('shop', orders => 'orders', customer_id => 'customer_id', ordered_at => 'ordered_at', amount => 'total', order_id => 'order_id', order_filter => 'true');
\set VERBOSITY terse
SELECT clientele.attach_store('shop');

-- ---- Without order lines or products again ----
CREATE SCHEMA alter_x;
CREATE TABLE alter_x.o (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric);
CREATE TABLE alter_x.l (order_id int, category text, amount numeric(10,2), sku text);
CREATE TABLE alter_x.p (product_id text PRIMARY KEY, name text, price numeric);
CREATE INDEX ON alter_x.o (customer_id);
CREATE INDEX ON alter_x.l (order_id);
INSERT INTO alter_x.o SELECT n, n % 5, '2026-03-01', 10 FROM generate_series(1, 20) n;
INSERT INTO alter_x.l SELECT n, 'tea', 10, 'a' FROM generate_series(1, 20) n;
INSERT INTO alter_x.p VALUES ('a', 'Tea', 10);
CREATE FUNCTION left_of(source regclass) RETURNS TABLE (reads_it text) LANGUAGE sql AS $$
    SELECT DISTINCT r.ev_class::regclass::text FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    WHERE d.refobjid = source UNION SELECT d.objid::regprocedure::text FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.refobjid = source
    ORDER BY 1 $$;
CREATE FUNCTION again(store name) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1 .. 2 LOOP
        PERFORM clientele.detach_store(store), clientele.attach_store(store);
    END LOOP;
    RETURN exact(store);
END $$;
SELECT clientele.create_store('lined', 'alter_x.o', items => 'alter_x.l', item_product => 'sku', products => 'alter_x.p', live => true);
CALL clientele.refresh('lined');
SELECT clientele.alter_store('lined', reset => '{products}');
SELECT again('lined'), array(SELECT left_of('alter_x.p')) AS read_products, to_regclass('lined._products') AS view;
DROP TABLE alter_x.p;
SELECT clientele.alter_store('lined', reset => '{item_product}');
SELECT again('lined'), to_regclass('lined._item_products') AS view;
SELECT clientele.alter_store('lined', item_product => 'sku');
SELECT clientele.alter_store('lined', reset => '{items}');
SELECT array(SELECT left_of('alter_x.l')) AS read_lines, to_regclass('lined._items') AS items, to_regclass('lined._order_owners') AS owners;
SELECT again('lined');
-- And with them once more, until the store is attached without.
SELECT clientele.alter_store('lined', items => 'alter_x.l');
SELECT again('lined');
SELECT category_mix FROM lined._profiles_now() WHERE customer_id = 1;
SELECT clientele.detach_store('lined'), clientele.attach_store('lined', reset => '{items}');
SELECT again('lined'), array(SELECT left_of('alter_x.l')) AS read_lines;
DROP TABLE alter_x.l;
CALL clientele.refresh('lined');
SELECT exact('lined');

-- ---- Another owner: those rights count, and all that a live store needs ----
CREATE ROLE alter_heir;
CREATE ROLE alter_nobody;
SELECT clientele.alter_store('lined', owner => '');
GRANT USAGE ON SCHEMA alter_x TO alter_heir;
GRANT SELECT ON alter_x.o TO alter_heir;
\set VERBOSITY default
SELECT clientele.alter_store('lined', owner => 'alter_heir');
\set VERBOSITY terse
SELECT owner = current_user AS same FROM clientele.stores WHERE store = 'lined';
GRANT TRIGGER ON alter_x.o TO alter_heir;
SELECT clientele.alter_store('lined', owner => 'alter_heir');
SET ROLE alter_heir;
SELECT again('lined');
RESET ROLE;
-- From who has no rights at all, attached and detached.
REASSIGN OWNED BY alter_heir TO alter_nobody;
SELECT clientele.alter_store('lined', margin => 0.4, owner => 'alter_nobody');
SELECT clientele.alter_store('lined', owner => 'alter_heir');
SELECT owner FROM clientele.stores WHERE store = 'lined';
SELECT clientele.detach_store('lined');
REASSIGN OWNED BY alter_heir TO alter_nobody;
SELECT clientele.attach_store('lined');
SELECT clientele.attach_store('lined', owner => 'alter_heir');
SELECT owner, live, detached FROM clientele.stores WHERE store = 'lined';
CALL clientele.refresh('lined');
SELECT exact('lined');
SELECT DISTINCT o::regrole FROM (SELECT relowner FROM pg_class WHERE relnamespace = 'lined'::regnamespace
    UNION ALL SELECT proowner FROM pg_proc WHERE pronamespace = 'lined'::regnamespace) q (o);

-- ---- Tables that are gone ----
\set VERBOSITY default
SELECT clientele.detach_store('batch');
ALTER TABLE bills RENAME TO bills_elsewhere;
SELECT clientele.attach_store('batch');
ALTER TABLE bills_elsewhere RENAME TO bills;
SELECT clientele.attach_store('batch');
\set VERBOSITY terse
SET client_min_messages = error;
DROP TABLE sales CASCADE;
SET client_min_messages = warning;
SELECT stale FROM clientele.stores WHERE store = 'shop';
CALL clientele.refresh('shop');
CREATE TABLE sales (id bigint PRIMARY KEY, who bigint, at timestamptz, value numeric, state text);
CREATE INDEX ON sales (who);
INSERT INTO sales SELECT order_id, customer_id, ordered_at, total, status FROM orders;
SELECT clientele.attach_store('shop');
SELECT exact('shop'), live FROM shop.settings;
SELECT count(*), count(*) FILTER (WHERE l.code = c.code AND l.state = 'open') FROM shop.ledger l JOIN codes c USING (customer_id);
SELECT segment, rule FROM shop.segment_rules;
INSERT INTO sales VALUES (5000000001, 3, now(), 33, 'completed');
SELECT exact('shop');
CALL clientele.refresh('shop');
SELECT * FROM clientele.check_store('shop');
-- What was pending when a store stopped being live is forgotten.
INSERT INTO sales VALUES (5000000002, 3, now(), 33, 'completed');
SELECT clientele.detach_store('shop'), clientele.attach_store('shop', live => false);
SELECT (SELECT count(*) FROM shop.pending), live FROM shop.settings;
SELECT clientele.alter_store('shop', live => true);
CALL clientele.refresh('shop');
SELECT exact('shop');
-- What a store can do without, and lost, it need not find again.
SELECT clientele.define_segment('batch', 'many', 'orders > 3');
CREATE TABLE payers (customer_id int PRIMARY KEY);
INSERT INTO payers SELECT DISTINCT customer_id FROM bills WHERE customer_id IS NOT NULL;
SELECT clientele.alter_store('batch', customers => 'payers');
CALL clientele.refresh('batch');
SELECT count(*) > 0 AS some FROM batch.customers \gset
SET client_min_messages = error;
DROP TABLE payers CASCADE;
SET client_min_messages = warning;
\set VERBOSITY default
SELECT clientele.detach_store('batch');
SELECT clientele.attach_store('batch');
\set VERBOSITY terse
CALL clientele.refresh('batch');
SELECT * FROM clientele.check_store('batch');
SELECT clientele.alter_store('batch', margin => 0.2);
CALL clientele.issue_offers('batch');
SELECT count(*) FROM clientele.personalized_offer(1, 'batch');
SELECT clientele.attach_store('batch', reset => '{customers}');
CALL clientele.refresh('batch');
SELECT :'some' AS before, count(*) > 0 AS after, (SELECT customers FROM batch.settings) FROM batch.customers;
SELECT segment FROM batch.segment_rules;
SELECT clientele.drop_store('shop');
SELECT clientele.drop_store('shop', force => true), clientele.drop_store('batch'), clientele.drop_store('lined');
SELECT count(*) FROM pg_namespace WHERE nspname IN ('shop', 'batch');

-- ---- Type modifiers: tables that have others are let go of, and taken hold of, as well ----
CREATE DOMAIN short_name AS varchar(9);
CREATE DOMAIN given_number AS int NOT NULL;
CREATE TABLE typed (key varchar(20) PRIMARY KEY, v varchar(30), c char(3), n numeric(8,2), t timestamp(3), z timestamptz(0), h time(2), i interval(1),
    y interval day to second, b bit(5), w varbit(5), va varchar(4)[], ca char(3)[], ba bit(3)[], d short_name, da short_name[], g given_number, l varchar(7) COLLATE "C");
CREATE TABLE typed_orders (order_id varchar(8) PRIMARY KEY, customer_id varchar(20), ordered_at timestamptz(3), amount numeric(12,2));
CREATE INDEX ON typed_orders (customer_id);
CREATE TABLE typed_lines (order_id varchar(8), category varchar(5), amount numeric(9,2), product varchar(6), quantity numeric(4,1));
CREATE INDEX ON typed_lines (order_id);
INSERT INTO typed SELECT 'customer ' || k, 'value', 'abc', 12.34, '2026-01-02 03:04:05.678', '2026-01-02 03:04:05Z', '10:20:30.12', '1.5 s',
    '1 day 2 s', B'10101', B'101', '{abcd,x}', '{abc,def}', '{101,011}', 'nine', '{eight}', 5, 'c' FROM generate_series(1, 9) k;
INSERT INTO typed_orders SELECT 'o' || 9 * n + k, 'customer ' || k, '2026-03-01 03:30:00.123Z'::timestamptz - n * interval '20 days', 10 * k + n
FROM generate_series(1, 9) k, generate_series(1, 3) n;
INSERT INTO typed_lines SELECT order_id, 'tea', amount, 'p' || length(order_id), 1.5 FROM typed_orders;
-- The same tables with other modifiers, and with none.
CREATE TABLE wider (LIKE typed INCLUDING ALL);
CREATE TABLE wider_orders (LIKE typed_orders INCLUDING ALL);
CREATE TABLE wider_lines (LIKE typed_lines INCLUDING ALL);
ALTER TABLE wider ALTER key TYPE varchar(40), ALTER v TYPE varchar, ALTER c TYPE char(7), ALTER n TYPE numeric, ALTER t TYPE timestamp, ALTER z TYPE timestamptz(6),
    ALTER h TYPE time, ALTER i TYPE interval, ALTER y TYPE interval, ALTER w TYPE varbit, ALTER va TYPE varchar[], ALTER ca TYPE char(9)[], ALTER b TYPE "bit",
    ALTER ba TYPE bit(3)[], ALTER l TYPE varchar(8) COLLATE "C";
ALTER TABLE wider_orders ALTER order_id TYPE varchar, ALTER customer_id TYPE varchar(40), ALTER ordered_at TYPE timestamptz, ALTER amount TYPE numeric;
ALTER TABLE wider_lines ALTER order_id TYPE varchar, ALTER category TYPE varchar, ALTER amount TYPE numeric, ALTER product TYPE varchar(12), ALTER quantity TYPE numeric;
INSERT INTO wider SELECT * FROM typed;
INSERT INTO wider_orders SELECT * FROM typed_orders;
INSERT INTO wider_lines SELECT * FROM typed_lines;
CREATE FUNCTION modified(store text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(format('%s.%s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod)), ', ') FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = store::regnamespace AND c.relkind = 'v' AND a.attnum > 0 AND a.atttypmod >= 0 $$;
SELECT clientele.create_store('plain', 'typed_orders');
SELECT clientele.create_store(s, 'typed_orders', customers => 'typed', customer_key => 'key', attributes => '{v,c,n,t,z,h,i,y,b,w,va,ca,ba,d,da,g,l}',
    items => 'typed_lines', item_product => 'product', item_quantity => 'quantity', live => s = 'typed_live')
FROM unnest('{typed_batch,typed_live}'::text[]) s;
CALL clientele.refresh('plain');
CALL clientele.refresh('typed_batch');
CALL clientele.refresh('typed_live');
SELECT s, modified(s), exact(s) FROM unnest('{plain,typed_batch,typed_live}'::text[]) s;
SELECT v, c, n, t, z, h, i, y, b, w, va, ca, ba, d, da, g, l FROM typed_live.customers WHERE customer_id = 'customer 3';
CREATE VIEW theirs AS SELECT customer_id, v, n, d FROM typed_live.customers;
-- As it was, with other modifiers, and in other tables and back.
SELECT clientele.detach_store(s) FROM unnest('{plain,typed_batch,typed_live}'::text[]) s;
SELECT count(*) FROM typed_live.customers WHERE d = 'nine' AND g = 5;
SELECT clientele.attach_store(s) FROM unnest('{plain,typed_batch,typed_live}'::text[]) s;
SELECT clientele.detach_store(s) FROM unnest('{plain,typed_batch,typed_live}'::text[]) s;
ALTER TABLE typed ALTER key TYPE varchar(25), ALTER v TYPE varchar(35), ALTER n TYPE numeric(10,3), ALTER c TYPE char(4), ALTER va TYPE varchar(9)[];
ALTER TABLE typed_orders ALTER customer_id TYPE varchar(25), ALTER ordered_at TYPE timestamptz(4);
SELECT clientele.attach_store(s) FROM unnest('{plain,typed_batch,typed_live}'::text[]) s;
SELECT clientele.alter_store('plain', orders => 'wider_orders'),
    clientele.alter_store('typed_batch', orders => 'wider_orders', customers => 'wider', items => 'wider_lines'),
    clientele.alter_store('typed_live', orders => 'wider_orders', customers => 'wider', items => 'wider_lines');
SELECT s, modified(s), exact(s) FROM unnest('{plain,typed_batch,typed_live}'::text[]) s;
INSERT INTO wider_orders VALUES ('new', 'customer 3', now(), 77);
SELECT exact('typed_live'), orders FROM typed_live.customers WHERE customer_id = 'customer 3';
SELECT clientele.alter_store('plain', orders => 'typed_orders'),
    clientele.alter_store('typed_batch', orders => 'typed_orders', customers => 'typed', items => 'typed_lines'),
    clientele.alter_store('typed_live', orders => 'typed_orders', customers => 'typed', items => 'typed_lines');
SELECT s, modified(s), exact(s) FROM unnest('{plain,typed_batch,typed_live}'::text[]) s;
SELECT v, c, n, t, z, h, i, y, b, w, va, ca, ba, d, da, g, l FROM typed_live.customers WHERE customer_id = 'customer 3';
SELECT * FROM theirs WHERE customer_id = 'customer 3';
-- A customer is still found through the indexes of the shop's tables.
SET enable_seqscan = off;
CREATE FUNCTION indexes_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; found text[];
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        found := found || (regexp_match(line, 'Index.* (?:using|on) (typed_(?:orders_customer_id_idx|pkey))'))[1];
    END LOOP;
    RETURN (SELECT string_agg(DISTINCT f, ', ' ORDER BY f) FROM unnest(found) f);
END $$;
SELECT indexes_of($$ SELECT * FROM typed_batch.customers WHERE customer_id = 'customer 3' $$) AS customers,
    indexes_of($$ SELECT * FROM typed_batch.customers_at(now()) WHERE customer_id = 'customer 3' $$) AS customers_at,
    indexes_of($$ SELECT * FROM plain._orders WHERE customer_id = 'customer 3' $$) AS orders;
RESET enable_seqscan;
DROP VIEW theirs;
SELECT clientele.drop_store(s) FROM unnest('{plain,typed_batch,typed_live}'::text[]) s;
DROP TABLE typed, typed_orders, typed_lines, wider, wider_orders, wider_lines;
DROP DOMAIN short_name, given_number;
DROP FUNCTION modified(text), indexes_of(text);

-- ---- All that is wrong in one error; what means nothing is refused ----
CREATE SCHEMA alter_y;
CREATE TABLE alter_y.o (order_id int PRIMARY KEY, customer_id text, ordered_at timestamptz, amount numeric, back numeric);
CREATE TABLE alter_y.c (customer_id text PRIMARY KEY, town text);
CREATE TABLE alter_y.l (order_id int, category text, amount numeric, sku text);
CREATE TABLE alter_y.p (product_id text PRIMARY KEY, name text, price numeric);
CREATE INDEX ON alter_y.o (customer_id);
CREATE INDEX ON alter_y.l (order_id);
INSERT INTO alter_y.o SELECT n, 'c' || n % 5, '2026-03-01 03:30+00'::timestamptz - n * interval '1 day', 10 + n, 0 FROM generate_series(1, 20) n;
INSERT INTO alter_y.c SELECT DISTINCT customer_id, 'Oslo' FROM alter_y.o;
INSERT INTO alter_y.l SELECT order_id, 'tea', amount, 'a' FROM alter_y.o;
INSERT INTO alter_y.p VALUES ('a', 'Tea', 10);
\set VERBOSITY default
SELECT clientele.create_store('y', 'alter_y.o', amount => 'total', time_zone => 'Nowhere/Here', currency => 'Euro', margin => 3, order_filter => 'shipped', item_amount => 'price', customer_key => 'id');
SELECT clientele.create_store('y', 'alter_y.o', time_zone => 'right/UTC', margin => 3);
SELECT clientele.create_store('y', 'alter_y.o', time_zone => 'Nowhere/Here');
SELECT clientele.create_store('y', 'alter_y.o', refunded => 'amount');
SELECT clientele.create_store('y', 'alter_y.o', refunded => 'back', discount => 'back', product_available => 'stock');
SELECT clientele.create_store('y', 'alter_y.o', customer_key => 'id', item_order_id => 'id', item_category => 'shelf', item_amount => 'price', product_key => 'id');
SELECT clientele.create_store('y', 'alter_y.o', order_filter => 'back = 0');
CALL clientele.refresh('y');
SELECT clientele.alter_store('y', time_zone => 'Nowhere/Here', currency => 'Euro', margin => 3, keep_events => '-1 day', items => 999999::oid::regclass);
SELECT clientele.alter_store('y', currency => 'Euro', margin => 3, clock_tolerance => '2 days');
SELECT clientele.alter_store('y', time_zone => 'Nowhere/Here');
SELECT clientele.alter_store('y', item_amount => 'price', customer_key => 'id', product_name => 'title');
SELECT clientele.alter_store('y', refunded => 'amount', customers => 'alter_y.c');
SELECT clientele.alter_store('y', customers => 'alter_y.c', customer_key => 'customer_id', reset => '{customers}');
BEGIN READ ONLY;
SELECT clientele.alter_store('y', margin => 0.2);
ROLLBACK;
BEGIN READ ONLY;
SELECT clientele.alter_store('y', customers => 'alter_y.c');
ROLLBACK;
BEGIN READ ONLY;
SELECT clientele.detach_store('y');
ROLLBACK;
BEGIN READ ONLY;
SELECT clientele.attach_store('y');
ROLLBACK;
SET client_min_messages = notice;
SELECT clientele.alter_store('y');
SELECT clientele.alter_store('y', margin => NULL, reset => '{}');
SET client_min_messages = warning;
\set VERBOSITY terse
SELECT * FROM clientele.apply_definitions('y', clientele.export_definitions('y'));
SELECT currency, margin, time_zone, order_filter, customers, items, options FROM y.settings;

-- ---- A refresh is due: for a store of either kind, until there is one ----
CREATE FUNCTION due() RETURNS TABLE (live boolean, due boolean, stale boolean, alerts text) LANGUAGE sql AS $$
    SELECT s.live, s.fresh_to IS NULL, s.stale IS NOT NULL, (SELECT string_agg(a.alert, ' ' ORDER BY a.alert) FROM clientele.alerts a WHERE a.store = 'y')
    FROM clientele.stores s WHERE s.store = 'y' $$;
SELECT * FROM due();
SELECT clientele.alter_store('y', time_zone => 'Asia/Tokyo');
SELECT * FROM due();
SELECT clientele.alter_store('y', margin => 0.25);  -- which is no refresh
SELECT * FROM due();
SELECT clientele.detach_store('y'), clientele.attach_store('y');
SELECT * FROM due();
CALL clientele.refresh('y');
SELECT * FROM due();
SELECT clientele.set_time_zone('y', 'Europe/Oslo');
SELECT * FROM due();
CALL clientele.refresh('y');
SELECT clientele.alter_store('y', live => true);
CALL clientele.refresh('y');
SELECT * FROM due();
SELECT clientele.alter_store('y', time_zone => 'Asia/Tokyo');
SELECT exact('y'), * FROM due();
SELECT severity, detail, hint FROM clientele.alerts WHERE store = 'y' AND alert = 'refresh_due';
CALL clientele.refresh('y');
SELECT * FROM due();
SELECT clientele.set_time_zone('y', 'Europe/Oslo');
SELECT * FROM due();
CALL clientele.refresh('y');
SELECT clientele.alter_store('y', reset => '{order_filter}');
SELECT exact('y'), * FROM due();
SELECT clientele.alter_store('y', margin => 0.3);
SELECT * FROM due();
CALL clientele.refresh('y');
SELECT * FROM due();
-- In one transaction whom it concerns is known, and nothing is due.
BEGIN;
SELECT clientele.detach_store('y');
UPDATE alter_y.o SET amount = amount + 1 WHERE customer_id = 'c3';
ALTER TABLE alter_y.o ALTER back TYPE bigint;
SELECT clientele.attach_store('y');
COMMIT;
SELECT exact('y'), (SELECT string_agg(customer_id, ' ') FROM y.pending) AS pending, * FROM due();

-- ---- Columns that are sorted otherwise ----
SELECT clientele.alter_store('y', customers => 'alter_y.c', attributes => '{town}', items => 'alter_y.l', item_product => 'sku', products => 'alter_y.p');
CALL clientele.refresh('y');
SELECT clientele.define_segment('y', 'locals', $$ town = 'Oslo' $$);
GRANT SELECT ON y.customers TO alter_reader;
CREATE FUNCTION collations() RETURNS TABLE (columns text) LANGUAGE sql AS $$
    SELECT string_agg(format('%s.%s %s', c.relname, a.attname, l.collname), ', ' ORDER BY c.relname, a.attname) FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 JOIN pg_collation l ON l.oid = a.attcollation AND l.collname <> 'default'
    WHERE c.relnamespace = 'y'::regnamespace AND c.relkind = 'v' AND a.attname IN ('customer_id', 'town', 'category', 'product', 'name') AND a.atttypid <> 'name'::regtype $$;
SELECT * FROM collations();
CREATE VIEW theirs AS SELECT customer_id, town FROM y.customers;
BEGIN;
SELECT clientele.detach_store('y');
ALTER TABLE alter_y.c ALTER town TYPE text COLLATE "C";
SAVEPOINT before;
\set VERBOSITY default
SELECT clientele.attach_store('y');
\set VERBOSITY terse
ROLLBACK TO before;
DROP VIEW theirs;
SELECT clientele.attach_store('y');
COMMIT;
SELECT * FROM collations();
SELECT exact('y'), clientele.segments_of('c3', 'y'), has_table_privilege('alter_reader', 'y.customers', 'SELECT') AS granted;
SELECT clientele.detach_store('y');
ALTER TABLE alter_y.o ALTER customer_id TYPE text COLLATE "C";
ALTER TABLE alter_y.c ALTER customer_id TYPE text COLLATE "C";
ALTER TABLE alter_y.l ALTER category TYPE varchar COLLATE "POSIX", ALTER sku TYPE text COLLATE "C";
ALTER TABLE alter_y.p ALTER product_id TYPE text COLLATE "C", ALTER name TYPE text COLLATE "C";
SELECT clientele.attach_store('y');
SELECT * FROM collations();
CALL clientele.refresh('y');
INSERT INTO alter_y.o VALUES (100, 'c3', now(), 33, 0);
SELECT exact('y'), clientele.segments_of('c3', 'y'), (SELECT orders FROM y.customers WHERE customer_id = 'c3') AS orders;
SELECT clientele.detach_store('y'), clientele.attach_store('y');
SELECT exact('y');

-- ---- A schema that the owner may not use ----
CREATE ROLE alter_locked;
GRANT SELECT, TRIGGER ON ALL TABLES IN SCHEMA alter_y TO alter_locked;
\set VERBOSITY default
SELECT clientele.alter_store('y', owner => 'alter_locked');
GRANT USAGE ON SCHEMA alter_y TO alter_locked;
SELECT clientele.alter_store('y', owner => 'alter_locked');
REVOKE USAGE ON SCHEMA alter_y FROM alter_locked;
SET ROLE alter_locked;
SELECT clientele.detach_store('y');
SELECT clientele.attach_store('y');
RESET ROLE;
GRANT CREATE ON DATABASE :DBNAME TO alter_locked;
SET ROLE alter_locked;
SELECT clientele.attach_store('y', reset => '{items,customers}');
RESET ROLE;
SELECT clientele.attach_store('y');
GRANT USAGE ON SCHEMA alter_y TO alter_locked;
SET ROLE alter_locked;
SELECT clientele.attach_store('y');
\set VERBOSITY terse
CALL clientele.refresh('y');
SELECT exact('y');

-- ---- The table health under another name, and none ----
ALTER TABLE y.health RENAME TO "What we know";
SELECT clientele.define_offer('y', 'more', 'grow_order_value');
SELECT alert FROM clientele.alerts WHERE store = 'y' ORDER BY 1;
SELECT clientele.alter_store('y', time_zone => 'UTC');
SELECT alert FROM clientele.alerts WHERE store = 'y' ORDER BY 1;
CALL clientele.refresh('y');
SELECT clientele.alter_offer('y', 'more', holdout => 0.1);
SELECT clientele.detach_store('y');
SELECT alert FROM clientele.alerts WHERE store = 'y' ORDER BY 1;
SELECT clientele.attach_store('y');
CALL clientele.refresh('y');
SELECT count(*) FROM clientele.alerts WHERE store = 'y';
SELECT count(DISTINCT part) FROM y."What we know";
DROP TABLE y."What we know";
SELECT severity, alert, detail, hint FROM clientele.alerts WHERE store = 'y';
SELECT clientele.alter_store('y', margin => 0.2);
SELECT clientele.upgrade_store('y');
SELECT clientele.alter_offer('y', 'more', reset => '{holdout}');
SELECT alert FROM clientele.alerts WHERE store = 'y' ORDER BY 1;
ALTER TABLE y.health RENAME TO notes;
SELECT clientele.drop_store('y');
RESET ROLE;
SELECT count(*) FROM pg_namespace WHERE nspname = 'y';
REVOKE CREATE ON DATABASE :DBNAME FROM alter_locked;
DROP FUNCTION due(), collations();
SET client_min_messages = error;
DROP SCHEMA alter_y CASCADE;
SET client_min_messages = warning;
DROP OWNED BY alter_locked;
DROP ROLE alter_locked;

DROP TABLE orders, sales, lines, people, codes, bills;
DROP FUNCTION put_on();
DROP FUNCTION again(name);
DROP FUNCTION left_of(regclass);
DROP FUNCTION exact(text);
DROP TABLE alter_x.o;
DROP SCHEMA alter_x;
DROP ROLE alter_heir, alter_nobody;
DROP ROLE alter_reader;
