-- Where a store's orders come from: tables, partitions, views; columns of every accepted type; refunds, discounts, filters; names of every kind.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;
SET search_path = public, clientele;

-- ---- A table, a partitioned table, views, a materialized view: the same orders give the same profiles ----

CREATE TABLE o_table (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10, 2));
INSERT INTO o_table SELECT i, i % 40, timestamptz '2020-01-01' + interval '1 hour' * (i * 7919 % 20000), i % 97 - 3 FROM generate_series(1, 800) i;
CREATE TABLE o_parted (order_id int, amount numeric(10, 2), customer_id int, ordered_at timestamptz) PARTITION BY RANGE (ordered_at);
CREATE TABLE o_parted_2020 PARTITION OF o_parted FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE o_parted_later (ordered_at timestamptz, customer_id int, order_id int, amount numeric(10, 2));
ALTER TABLE o_parted ATTACH PARTITION o_parted_later DEFAULT;
INSERT INTO o_parted (order_id, customer_id, ordered_at, amount) TABLE o_table;
CREATE VIEW o_view AS SELECT ordered_at AS at, customer_id AS who, amount::int AS total FROM o_table;
CREATE MATERIALIZED VIEW o_matview AS TABLE o_table;
CREATE TABLE o_parent (customer_id int, ordered_at timestamptz, amount bigint);
CREATE TABLE o_child () INHERITS (o_parent);
INSERT INTO o_parent SELECT customer_id, ordered_at, amount FROM o_table WHERE order_id <= 400;
INSERT INTO o_child SELECT customer_id, ordered_at, amount FROM o_table WHERE order_id > 400;
SELECT clientele.create_store('s_table', 'o_table'), clientele.create_store('s_parted', 'o_parted'), clientele.create_store('s_matview', 'o_matview'), clientele.create_store('s_parent', 'o_parent'),
    clientele.create_store('s_view', 'o_view', customer_id => 'who', ordered_at => 'at', amount => 'total');
CALL clientele.refresh('s_table'); CALL clientele.refresh('s_parted'); CALL clientele.refresh('s_matview'); CALL clientele.refresh('s_parent'); CALL clientele.refresh('s_view');
SELECT count(*) AS customers, count(*) FILTER (WHERE t.profile IS DISTINCT FROM h.p) AS by_hand, count(*) FILTER (WHERE p.profile IS DISTINCT FROM h.p) AS parted, count(*) FILTER (WHERE m.profile IS DISTINCT FROM h.p) AS matview,
    count(*) FILTER (WHERE (clientele.total_spent(c.profile), clientele.orders(c.profile)) IS DISTINCT FROM (clientele.total_spent(h.p), clientele.orders(h.p))) AS parent,
    count(*) FILTER (WHERE (clientele.total_spent(v.profile), clientele.typical_order_value(v.profile), clientele.refunds(v.profile)) IS DISTINCT FROM (clientele.total_spent(h.p), clientele.typical_order_value(h.p), clientele.refunds(h.p))) AS view
FROM (SELECT customer_id, clientele.order_profile(ordered_at, amount) AS p FROM o_table GROUP BY 1) h FULL JOIN s_table.profiles t USING (customer_id) FULL JOIN s_parted.profiles p USING (customer_id)
    FULL JOIN s_matview.profiles m USING (customer_id) FULL JOIN s_parent.profiles c USING (customer_id) FULL JOIN s_view.profiles v USING (customer_id);
-- Partitions come and go; the store does not mind.
CREATE TABLE o_parted_new PARTITION OF o_parted FOR VALUES FROM ('2030-01-01') TO ('2031-01-01');
ALTER TABLE o_parted DETACH PARTITION o_parted_2020;
CALL clientele.refresh('s_parted');
SELECT sum(orders) = (SELECT count(*) FROM o_parted WHERE amount >= 0) AS follows FROM s_parted.customers;
SELECT clientele.drop_store(s) FROM unnest('{s_table,s_parted,s_matview,s_parent,s_view}'::name[]) s;
DROP TABLE o_parted, o_parted_2020, o_parent, o_child;
DROP MATERIALIZED VIEW o_matview;
DROP VIEW o_view;

-- ---- timestamp and date are read in the store's zone ----

CREATE TABLE o_times (customer_id int, at_zone timestamptz, at_local timestamp, on_day date, amount smallint);
INSERT INTO o_times SELECT i % 5, t, t AT TIME ZONE 'America/New_York', (t AT TIME ZONE 'America/New_York')::date, 10
FROM (SELECT i, timestamptz '2023-03-11 00:00 America/New_York' + interval '37 minutes' * i AS t FROM generate_series(0, 300) i
      UNION ALL SELECT i, timestamptz '2023-11-05 03:00 America/New_York' + interval '37 minutes' * i FROM generate_series(0, 100) i) s;
SELECT clientele.create_store('s_zone', 'o_times', ordered_at => 'at_zone', time_zone => 'America/New_York'), clientele.create_store('s_local', 'o_times', ordered_at => 'at_local', time_zone => 'America/New_York'),
    clientele.create_store('s_day', 'o_times', ordered_at => 'on_day', time_zone => 'America/New_York'), clientele.create_store('s_small', 'o_times', ordered_at => 'at_zone', time_zone => 'america/new_york');
-- The session's zone makes no difference.
SET timezone = 'Asia/Tokyo';
CALL clientele.refresh('s_zone'); CALL clientele.refresh('s_local'); CALL clientele.refresh('s_day'); CALL clientele.refresh('s_small');
SELECT count(*) AS customers, count(*) FILTER (WHERE l.profile IS DISTINCT FROM z.profile) AS local, count(*) FILTER (WHERE s.profile IS DISTINCT FROM z.profile) AS small,
    count(*) FILTER (WHERE clientele.purchase_days(d.profile) IS DISTINCT FROM clientele.purchase_days(z.profile) OR clientele.weekend_share(d.profile) IS DISTINCT FROM clientele.weekend_share(z.profile) OR clientele.evening_share(d.profile) > 0) AS days
FROM s_zone.profiles z FULL JOIN s_local.profiles l USING (customer_id) FULL JOIN s_day.profiles d USING (customer_id) FULL JOIN s_small.profiles s USING (customer_id);
SELECT DISTINCT first_order_at AT TIME ZONE 'America/New_York' AS first FROM s_day.customers;
SELECT count(*) FILTER (WHERE l IS DISTINCT FROM z) AS then_mismatches FROM s_zone.customers_at('2023-03-12 12:00+00') z FULL JOIN s_local.customers_at('2023-03-12 12:00+00') l USING (customer_id);
SELECT count(*) > 0 AS some, bool_and(clientele.assign_segment(customer_id, 's_local', as_of => '2023-03-12 12:00+00') = 'default') AS assigned FROM s_local.customers;
SET timezone = 'UTC';
SELECT store, time_zone FROM clientele.stores ORDER BY 1;
SELECT clientele.drop_store(s) FROM unnest('{s_zone,s_local,s_day,s_small}'::name[]) s;
DROP TABLE o_times;

-- ---- Refunded and discount ----

CREATE TABLE o_money (customer_id int, ordered_at date DEFAULT '2024-01-01', amount numeric(10, 2), back numeric(10, 2), off int, what text);
INSERT INTO o_money (customer_id, amount, back, off, what) VALUES (1, 100, NULL, NULL, 'plain'), (2, 100, 30, NULL, 'partly refunded'), (3, 100, 100, NULL, 'refunded whole'), (4, 100, 120, NULL, 'refunded more'), (5, 100, 0, 0, 'zeros'),
    (6, 80, NULL, 20, 'discount'), (7, 80, 30, 20, 'discount, partly refunded'), (8, 80, 80, 20, 'discount, refunded whole'), (9, 0, 0, NULL, 'free'), (10, 0, 0, 20, 'free by discount'), (11, -5, NULL, NULL, 'refund row'),
    (12, -5, 0, 0, 'refund row, nothing refunded of it'), (13, NULL, NULL, NULL, 'no amount'), (14, 50, NULL, 10, 'several'), (14, 60, 60, NULL, 'several'), (14, 70, 20, NULL, 'several'), (NULL, 50, NULL, NULL, 'guest');
SELECT clientele.create_store('money', 'o_money', refunded => 'back', discount => 'off'), clientele.create_store('money_back', 'o_money', refunded => 'back'), clientele.create_store('money_off', 'o_money', discount => 'off');
CALL clientele.refresh('money'); CALL clientele.refresh('money_back'); CALL clientele.refresh('money_off');
SELECT customer_id, min(what) AS what, b.orders, b.refunds, b.gross_spent AS both, b.total_spent, r.total_spent AS refunded_only, d.total_spent AS discount_only
FROM o_money LEFT JOIN money.customers b USING (customer_id) LEFT JOIN money_back.customers r USING (customer_id) LEFT JOIN money_off.customers d USING (customer_id)
WHERE customer_id IS NOT NULL GROUP BY customer_id, b.orders, b.refunds, b.gross_spent, b.total_spent, r.total_spent, d.total_spent ORDER BY 1;
SELECT clientele.drop_store(s) FROM unnest('{money,money_back,money_off}'::name[]) s;
DROP TABLE o_money;

-- ---- Filters ----

CREATE TABLE o_filter (order_id int, customer_id int, ordered_at timestamptz DEFAULT '2024-01-01', amount numeric, status text, flag boolean, "Weird ""col""" text);
INSERT INTO o_filter SELECT i, i % 3, '2024-01-01', i, (ARRAY['done', 'STORE', 'FACTS', 'it''s %s $1', 'STORE.BASE'])[1 + i % 5], CASE WHEN i % 2 = 0 THEN i % 4 = 0 END, i::text FROM generate_series(1, 60) i;
CREATE FUNCTION pg_temp.filtered(filter text) RETURNS TABLE (refreshed numeric, as_of numeric, by_hand numeric) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM clientele.create_store('f', 'o_filter', order_filter => filter);
    CALL clientele.refresh('f');
    SELECT sum(total_spent) INTO refreshed FROM f.customers;
    SELECT sum(total_spent) INTO as_of FROM f.customers_at('2025-01-01');
    EXECUTE format('SELECT sum(amount) FROM o_filter WHERE %s', filter) INTO by_hand;
    PERFORM clientele.drop_store('f');
    RETURN NEXT;
END $$;
SELECT filter, f.* FROM unnest(ARRAY['status = ''done''', 'flag', 'NOT flag OR status IS NULL', 'status = ''STORE''', 'status IN (''FACTS'', ''STORE.BASE'')', 'status = ''it''''s %s $1''', '"Weird ""col""" > ''3''',
    'amount > 10 OR order_id = 1', 'status LIKE ''%O%''', 'true', 'CASE WHEN status ~ ''^[dS]'' THEN amount < 30 END', 'ordered_at < ''2024-06-01+00''']) WITH ORDINALITY u (filter, i), LATERAL pg_temp.filtered(filter) f ORDER BY i;
DROP TABLE o_filter;

-- ---- Lines and categories ----

CREATE TABLE o_lines (order_id text, category int, amount bigint);
CREATE TABLE o_lined (order_id text, customer_id int, ordered_at timestamptz, amount numeric, back numeric);
INSERT INTO o_lined VALUES ('a', 1, '2024-01-01', 30, NULL), ('b', 1, '2024-02-01', 20, NULL), ('c', 1, '2024-03-01', 50, 50), ('d', 1, '2024-04-01', -10, NULL), ('e', 2, '2024-01-01', 5, NULL), ('f', 3, '2024-01-01', 5, NULL),
    ('g', 4, '2999-01-01', 5, NULL), ('h', NULL, '2024-01-01', 5, NULL);
INSERT INTO o_lines VALUES ('a', 1, 10), ('a', 2, 20), ('a', 1, 0), ('b', 1, 20), ('b', 3, -4), ('c', 2, 500), ('d', 2, 500), ('e', 7, 0), ('g', 1, 5), ('h', 1, 5), ('nowhere', 1, 5), ('f', NULL, 5);
SELECT clientele.create_store('lines', 'o_lined', refunded => 'back', items => 'o_lines');
CALL clientele.refresh('lines');
SELECT customer_id, category_mix, clientele.category_share(category_mix, '1') AS one, clientele.category_share(category_mix, '2') AS two, clientele.category_share(category_mix, '3') AS three, clientele.category_share(category_mix, 'none') AS none FROM lines.customers ORDER BY 1;
SELECT customer_id, category_mix FROM lines.customers_at('2024-01-15') ORDER BY 1;
SELECT clientele.drop_store('lines');
DROP TABLE o_lined, o_lines;
SELECT mix, category_share(mix, 'a') FROM unnest(ARRAY['{"a": 1, "b": 3}', '{}', '{"a": 0}', '{"a": -5, "b": 2}', '{"a": 1e12, "b": 0.0001}', '{"b": 1}', '{"a": 5, "é": 5}', NULL]::jsonb[]) mix;
SELECT category_share('{"a": 1}', NULL) IS NULL AS no_category, category_share('{"é\u0009": 1, "b": 1}', E'é\t') AS escaped;
SELECT category_share('[1]', 'a');
SELECT category_share('1', 'a');
SELECT category_share('{"a": "1"}', 'a');
SELECT category_share('{"a": {"b": 1}}', 'a');
SELECT category_share('{"a": [1]}', 'a');
SELECT category_share('{"a": 1e13}', 'a');

-- ---- Names that need quoting, everywhere ----

CREATE SCHEMA "Sch.ema ""x""";
CREATE TABLE "Sch.ema ""x"""."Orders of STORE, FACTS; --" ("Id %s" bigint, "STORE customer" text, "At $1" timestamp, "Amount ""gross""" numeric, "refunded.x" numeric, "o.discount" numeric, "é status" text);
CREATE TABLE "Sch.ema ""x"""."Kunden 'ü'" ("STORE customer" text PRIMARY KEY, "Children %I" int, "STORE.BASE" text, "FACTS" text, "Segment" text, "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg" int, "x AS y" int);
CREATE TABLE "Sch.ema ""x"""."Lines" ("Id %s" bigint, "STORE cat" text, "select" numeric);
INSERT INTO "Sch.ema ""x"""."Orders of STORE, FACTS; --" SELECT i, (ARRAY['STORE', 'O''Neil', '{"a"}', 'x.y'])[1 + i % 4], timestamp '2024-01-01 10:00' + interval '1 day' * i, 30 + i % 5, NULL, 1, CASE WHEN i % 7 > 0 THEN 'STORE' ELSE 'no' END FROM generate_series(1, 40) i;
INSERT INTO "Sch.ema ""x"""."Kunden 'ü'" SELECT c, i, 'STORE', 'FACTS', 'own ' || i, i, i FROM unnest(ARRAY['STORE', 'O''Neil', '{"a"}', 'x.y', 'nobody']) WITH ORDINALITY u (c, i);
INSERT INTO "Sch.ema ""x"""."Lines" SELECT i, 'STORE', 5 FROM generate_series(1, 40) i;
CREATE FUNCTION pg_temp.quoted(store name) RETURNS TABLE (check_name text, result text) LANGUAGE plpgsql AS $$
DECLARE
    seg text := 'Seg "1" STORE; %s {x}';
    prog text := 'Prog ''1'', "STORE" $1';
BEGIN
    PERFORM clientele.create_store(store, '"Sch.ema ""x"""."Orders of STORE, FACTS; --"', customer_id => 'STORE customer', ordered_at => 'At $1', amount => 'Amount "gross"', order_id => 'Id %s', refunded => 'refunded.x', discount => 'o.discount',
        order_filter => '"é status" = ''STORE''', customers => '"Sch.ema ""x"""."Kunden ''ü''"', customer_key => 'STORE customer',
        attributes => ARRAY['Children %I', 'STORE.BASE', 'FACTS', 'Segment AS "Own" segment', 'aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg', 'x AS y'],
        items => '"Sch.ema ""x"""."Lines"', item_order_id => 'Id %s', item_category => 'STORE cat', item_amount => 'select', time_zone => 'Europe/Berlin');
    PERFORM clientele.define_segment(store, seg, '"Children %I" = 1 AND "STORE.BASE" = ''STORE'' AND "FACTS" = ''FACTS'' AND category_share(category_mix, ''STORE'') = 1', segmentation => 'main');
    PERFORM clientele.define_segment(store, 'other', '"""Own"" segment" = ''own 2''', segmentation => 'Segmentation "STORE"');
    PERFORM clientele.define_segment(store, repeat('é', 400), '"x AS y" = 3 AND "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg" = 3');
    PERFORM clientele.set_default_segment(store, 'rest ''of'' "STORE"');
    PERFORM clientele.define_content(store, 'slot "STORE"', 'content ''STORE''', seg);
    PERFORM clientele.define_offer(store, prog, 'grow_order_value', segments => ARRAY[seg], message => 'STORE ''{min_spend}'' "FACTS" \ {program}');
    CALL clientele.refresh(store);
    check_name := 'customers';
    EXECUTE format('SELECT count(*) || '' '' || sum(orders) || '' '' || sum(total_spent) FROM %I.customers', store) INTO result; RETURN NEXT;
    check_name := 'by hand';
    SELECT 5 || ' ' || count(*) || ' ' || sum("Amount ""gross""" + "o.discount") INTO result FROM "Sch.ema ""x"""."Orders of STORE, FACTS; --" WHERE "é status" = 'STORE'; RETURN NEXT;
    check_name := 'as of'; EXECUTE format('SELECT sum(orders)::text FROM %I.customers_at(''2024-01-15'')', store) INTO result; RETURN NEXT;
    check_name := 'as of by hand'; SELECT count(*)::text INTO result FROM "Sch.ema ""x"""."Orders of STORE, FACTS; --" WHERE "é status" = 'STORE' AND "At $1" AT TIME ZONE 'Europe/Berlin' <= '2024-01-15+00'; RETURN NEXT;
    check_name := 'segments'; EXECUTE format('SELECT string_agg(left(segment, 24), '' | '' ORDER BY "STORE customer" COLLATE "C") FROM (SELECT customer_id AS "STORE customer", segment FROM %I.customers) s', store) INTO result; RETURN NEXT;
    check_name := 'single'; SELECT string_agg(left(clientele.assign_segment("STORE customer", store), 24), ' | ' ORDER BY "STORE customer" COLLATE "C") INTO result FROM "Sch.ema ""x"""."Kunden 'ü'"; RETURN NEXT;
    check_name := 'other segmentation'; SELECT clientele.assign_segment('O''Neil', store, 'Segmentation "STORE"') || ', ' || clientele.assign_segment('STORE', store, 'Segmentation "STORE"') INTO result; RETURN NEXT;
    check_name := 'content'; result := clientele.content_for('STORE', 'slot "STORE"', store); RETURN NEXT;
    check_name := 'offer'; SELECT program || ' ' || segment || ' ' || message INTO result FROM clientele.personalized_offer('STORE', store, prog); RETURN NEXT;
    check_name := 'explained'; SELECT program || ' ' || status INTO result FROM clientele.explain_offer('STORE', store); RETURN NEXT;
    check_name := 'rules explained'; SELECT count(*)::text INTO result FROM clientele.explain_segment('STORE', store); RETURN NEXT;
    check_name := 'columns'; SELECT string_agg(column_name, ' | ' ORDER BY ordinal_position) INTO result FROM information_schema.columns WHERE table_schema = store AND table_name = 'customers' AND ordinal_position BETWEEN 25 AND 30; RETURN NEXT;
    check_name := 'summary'; EXECUTE format('SELECT count(*)::text FROM %I.offer_summary', store) INTO result; RETURN NEXT;
    check_name := 'campaign'; EXECUTE format('SELECT string_agg(content::text, '' '') FROM %I.campaign WHERE customer_id = ''STORE''', store) INTO result; RETURN NEXT;
    PERFORM clientele.upgrade_store(store);
    PERFORM clientele.drop_segment(store, 'other', 'Segmentation "STORE"');
    PERFORM clientele.drop_offer(store, prog);
    check_name := 'stores'; SELECT s.store || ' over ' || s.orders INTO result FROM clientele.stores s WHERE s.store = quoted.store; RETURN NEXT;
    PERFORM clientele.drop_store(store);
    check_name := 'dropped'; result := NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = store); RETURN NEXT;
END $$;
\pset format unaligned
SELECT * FROM pg_temp.quoted('plain');
-- The same whatever the store is called.
SELECT store, (SELECT string_agg(result, E'\n' ORDER BY check_name) FROM pg_temp.quoted(store) WHERE check_name <> 'stores') = (SELECT string_agg(result, E'\n' ORDER BY check_name) FROM pg_temp.quoted('plain') WHERE check_name <> 'stores') AS same
FROM unnest(ARRAY['STORE', 'FACTS', 'Shop "1".x', 'sh''op %s %I $1', 'select', 'лавка', 'user', '1', repeat('s', 63), 'STORE.BASE', ' ', 'a b', 'back\slash', 'names']::name[]) WITH ORDINALITY s (store, i) ORDER BY i;
\pset format aligned
DROP SCHEMA "Sch.ema ""x""" CASCADE;

-- ---- Nothing to read yet: no orders, no customers ----

CREATE TABLE o_none (customer_id uuid, ordered_at timestamptz, amount numeric);
CREATE TABLE p_none (customer_id uuid PRIMARY KEY, vip boolean);
SELECT clientele.create_store('none', 'o_none', customers => 'p_none', attributes => '{vip}');
SELECT clientele.define_segment('none', 'vips', 'vip'), clientele.define_offer('none', 'more', 'grow_order_value');
CALL clientele.refresh('none');
SELECT (SELECT count(*) FROM none.customers) AS customers, (SELECT count(*) FROM none.segments) AS segments, (SELECT count(*) FROM none.campaign) AS campaign, (SELECT count(*) FROM none.offers) AS offers,
    (SELECT count(*) FROM none.offer_decisions) AS decisions, (SELECT count(*) FROM none.typical_values) AS medians, (SELECT count(*) FROM none.customers_at('2020-01-01')) AS customers_then;
SELECT * FROM none.segment_sizes;
SELECT clientele.assign_segment('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid) AS segment, (SELECT count(*) FROM clientele.personalized_offer('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')) AS offers;
-- People without any orders, in a store without any: nothing to compare them with.
INSERT INTO p_none VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', true), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', NULL);
SELECT customer_id, segment, orders, gross_spent, total_spent FROM none.customers ORDER BY 1;
SELECT customer_id, status, reasons, min_spend FROM none.offer_decisions ORDER BY 1;
SELECT clientele.drop_store('none');
-- The same without a customers table.
SELECT clientele.create_store('none', 'o_none');
CALL clientele.refresh('none');
SELECT (SELECT count(*) FROM none.customers) AS customers, (SELECT count(*) FROM none.customers_at('2020-01-01')) AS customers_then;
SELECT * FROM none.segment_sizes;
INSERT INTO o_none VALUES (NULL, '2024-01-01', 5), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', NULL, 5), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2024-01-01', NULL);
CALL clientele.refresh('none');
SELECT count(*) AS customers_of_nulls FROM none.customers;
SELECT clientele.drop_store('none');
DROP TABLE o_none, p_none, o_table;
