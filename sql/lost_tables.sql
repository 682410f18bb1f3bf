-- A table that a store reads is dropped with CASCADE: whatever is asked of the store then says that, or works without the table; never an
-- error about the store's own views, which went along.
\set VERBOSITY default
\set SHOW_CONTEXT never
SET client_min_messages = error;
CREATE SCHEMA lost_test;
SET search_path = lost_test, public;

CREATE PROCEDURE open_shop(live boolean) LANGUAGE plpgsql AS $$ BEGIN
    CREATE TABLE people (customer_id bigint PRIMARY KEY, children integer, city text);
    CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric, status text);
    CREATE TABLE lines (order_id bigint, category text, amount numeric, product text);
    CREATE TABLE goods (product text PRIMARY KEY, name text, price numeric);
    CREATE INDEX ON orders (customer_id);
    CREATE INDEX ON lines (order_id);
    INSERT INTO people SELECT c, c % 4, 'town ' || c % 3 FROM generate_series(1, 60) c;
    INSERT INTO orders SELECT 100 * c + n, c, now() - n * interval '9 days', 20 + c % 7 * 10 + n, 'completed' FROM generate_series(1, 60) c, generate_series(1, c % 6) n;
    INSERT INTO lines SELECT order_id, 'wine', amount, 'p' || order_id % 3 FROM orders;
    INSERT INTO goods SELECT 'p' || g, 'name', 3 FROM generate_series(0, 2) g;
    PERFORM clientele.create_store('gone', 'orders', customers => 'people', attributes => '{children,city}', items => 'lines', item_product => 'product', products => 'goods', product_key => 'product', product_name => 'name', product_price => 'price', order_filter => $f$ status = 'completed' $f$, live => live);
    CALL clientele.refresh('gone');
    PERFORM clientele.define_segment('gone', 'families', 'children > 2'), clientele.define_segment('gone', 'big', 'total_spent > 200', segmentation => 'value'),
        clientele.define_content('gone', 'home', 'post C'), clientele.define_offer('gone', 'stretch', 'grow_order_value', budget => 1000), clientele.add_consumer('gone', 'mail');
    CALL clientele.record_segments('gone');
    CREATE TABLE codes AS SELECT c, i.code, i.exposure_id FROM generate_series(1, 40) c, clientele.issue_offer(c, 'gone') i;
    PERFORM count(*) FROM clientele.learn_segments('gone', 'habits', '{orders,aov}', k => 2);
END $$;
CREATE PROCEDURE close_shop() LANGUAGE plpgsql AS $$ BEGIN
    PERFORM clientele.drop_store('gone', force => true);
    DROP TABLE IF EXISTS people, orders, lines, goods, codes CASCADE;
END $$;

-- Everything that takes a store.
CREATE TABLE calls (nth serial, call text);
INSERT INTO calls (call) SELECT btrim(c, E' \n') FROM regexp_split_to_table($$
    assign_segment(1, 'gone'); assign_segment(1, 'gone', 'value'); assign_segment(1, 'gone', as_of => now() - interval '2 days'); segments_of(1, 'gone'); segments_of(1, 'gone', as_of => now() - interval '2 days');
    explain_segment(1, 'gone'); explain_segment(1, 'gone', as_of => now() - interval '2 days'); content_for(1, 'home', 'gone'); content_for(1, 'home', 'gone', expose => true); content_for(1, 'home', 'gone', now() - interval '2 days');
    personalized_offer(1, 'gone'); personalized_offer(1, 'gone', as_of => now() - interval '2 days'); explain_offer(1, 'gone'); explain_offer(1, 'gone', as_of => now() - interval '2 days');
    preview_offer('gone', 'stretch', 'grow_order_value'); issue_offer(1, 'gone'); issue_offer(49, 'gone'); redeem_offer((SELECT code FROM codes WHERE c = 2), 101, 'gone'); void_redemption(101, 'gone');
    try_redeem_offer((SELECT code FROM codes WHERE c = 2), 101, 'gone'); offer_progress(1, 10, 'gone'); offer_progress(49, 10, 'gone', unissued => true); code_progress((SELECT code FROM codes WHERE c = 2), 10, 'gone');
    withdraw_offer((SELECT min(exposure_id) FROM codes), 'gone'); forget_customer(1, 'gone'); merge_customers(1, 2, 'gone'); define_segment('gone', 'x', 'orders > 1'); drop_segment('gone', 'families');
    set_default_segment('gone', 'average'); rename_segment('gone', 'families', 'f'); learn_segments('gone', 'again', '{orders}', 2); learn_affinity('gone'); suggest_fill(1, '{1}', 'gone'); fit_response('gone'); response_curve(1, 'gone'); backtest_offer('gone', 'stretch', 'grow_order_value', "from" => now() - interval '30 days'); describe_segments('gone'); add_rfm_segments('gone'); rfm_breaks('gone');
    set_rfm_breaks('gone', '{1,2,3,4}', '{1,2,3,4}', '{1,2,3,4}'); define_content('gone', 'home', 'x'); drop_content('gone', 'home'); define_offer('gone', 'y', 'win_back'); alter_offer('gone', 'stretch', holdout => 0.2);
    drop_offer('gone', 'stretch'); set_global_holdout('gone', 0.1); set_margins('gone', '{"wine": 0.2}'); set_margins('gone', by_segment => '{"families": 0.2}'); export_definitions('gone');
    export_terms('gone'); apply_terms('gone', clientele.export_terms('gone')); apply_terms('gone', NULL);
    apply_definitions('gone', '{"format": 1, "contents": [{"slot": "a", "content": "b"}]}'); apply_definitions('gone', '{"format": 1, "margins": {"by_segment": {"families": 0.2}}}');
    apply_definitions('gone', '{"format": 1, "segmentations": [{"segmentation": "main", "segments": [{"segment": "n", "rule": "orders > 2"}]}]}'); measure_lift('gone', 'stretch'); learn_offer('gone', 'stretch'); plan_budget('gone', 'stretch');
    fit_clv('gone', force => true); fit_clv('gone', force => true, as_of => now() - interval '2 days'); clv_report('gone'); use_model('gone', 'kmeans:habits', 1); report_html('gone'); report_html('gone', now() - interval '2 days');
    add_consumer('gone', 'b'); read_events('gone', 'mail'); ack_events('gone', 'mail', 0); drop_consumer('gone', 'mail'); check_store('gone'); check_store('gone', repair => true); set_live('gone', true); set_live('gone', false);
    set_contact_limit('gone', 2, '30 days'); set_consent('gone', 'orders > 1'); upgrade_store('gone'); set_time_zone('gone', 'Asia/Tokyo'); alter_store('gone', margin => 0.2); alter_store('gone', attributes => '{city}'); detach_store('gone'); attach_store('gone'); drop_store('gone', force => true);
    refresh('gone'); record_segments('gone'); issue_offers('gone'); settle_offers('gone')$$, ';') c;
-- None is left out.
SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'clientele'::regnamespace AND p.proname !~ '^_|^create_store$' AND 'store' = ANY (p.proargnames)
EXCEPT SELECT split_part(c.call, '(', 1) FROM calls c;
-- Each by itself, and undone: works, or the error.
CREATE FUNCTION outcome(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text;
    detail text;
BEGIN
    IF EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = 'clientele'::regnamespace AND p.prokind = 'p' AND p.proname = split_part(call, '(', 1)) THEN
        EXECUTE 'CALL clientele.' || call;
    ELSE
        EXECUTE format('SELECT count(x) FROM (SELECT clientele.%s AS x OFFSET 0) y', call);
    END IF;
    RAISE EXCEPTION SQLSTATE 'CL999';
EXCEPTION WHEN SQLSTATE 'CL999' THEN
    RETURN 'works';
WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' ', SQLSTATE || ':', message, '(' || nullif(detail, '') || ')');
END $$;
CREATE FUNCTION outcomes() RETURNS TABLE (outcome text, calls text) LANGUAGE sql AS $$
    SELECT o.outcome, string_agg(o.call, '; ' ORDER BY o.nth) FROM (SELECT c.nth, c.call, outcome(c.call) AS outcome FROM calls c ORDER BY c.nth) o GROUP BY 1 ORDER BY min(o.nth) $$;
\pset format unaligned

CALL open_shop(true);
DROP TABLE orders CASCADE;
SELECT * FROM outcomes();
-- Those in full that are no part of a function.
CALL clientele.issue_offers('gone');
CALL clientele.settle_offers('gone');
SELECT clientele.assign_segment(1, 'gone');
SELECT * FROM clientele.issue_offer(1, 'gone');
SELECT stale FROM clientele.stores WHERE store = 'gone';
SELECT alert, detail FROM clientele.alerts WHERE store = 'gone' AND severity = 'critical';
-- Who may not read the settings is not told which tables there were.
CREATE ROLE lost_till;
GRANT USAGE ON SCHEMA gone TO lost_till;
SET ROLE lost_till;
SELECT clientele.assign_segment(1, 'gone');
RESET ROLE;
CALL close_shop();
CALL open_shop(false);
DROP TABLE orders CASCADE;
SELECT * FROM outcomes();
CALL close_shop();
CALL open_shop(true);
DROP TABLE lines CASCADE;
SELECT * FROM outcomes();
CALL close_shop();
CALL open_shop(true);
DROP TABLE goods CASCADE;
SELECT * FROM outcomes();
CALL close_shop();
CALL open_shop(false);
ALTER TABLE orders DROP COLUMN status CASCADE;
SELECT * FROM outcomes();
CALL close_shop();
CALL open_shop(false);
DROP TABLE people CASCADE;
SELECT * FROM outcomes();
-- Definitions are as they were: rules that did not read the table hold when the store is attached without it, one that did has to go first.
SELECT clientele.attach_store('gone', reset => '{customers}');
SELECT clientele.drop_segment('gone', 'families');
SELECT clientele.attach_store('gone', reset => '{customers}');
CALL clientele.refresh('gone');
SELECT segmentation, segment, rule FROM gone.segment_rules WHERE segmentation <> 'habits';
SELECT segmentation, segment, count(*) FROM gone.segments WHERE segmentation <> 'habits' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FROM clientele.check_store('gone');
CALL close_shop();
DROP OWNED BY lost_till;
DROP ROLE lost_till;
DROP SCHEMA lost_test CASCADE;
