-- Every public function that looks up names when it runs, over a store with all there is; read by 150_planted.pl, which ends a call at ";" and a
-- line's end. Arguments have the very types, since a planted function may fit others better: that would be the caller's choice, not ours.
SELECT 1;
SELECT clientele.create_store('full'::name, 'public.orders'::regclass, customer_id => 'customer_id'::name, ordered_at => 'ordered_at'::name, amount => 'amount'::name, order_id => 'order_id'::name,
    order_filter => 'status = ''completed'''::text, customers => 'public.customers'::regclass, customer_key => 'customer_id'::name, attributes => '{children,birth_date}'::text[],
    items => 'public.order_items'::regclass, time_zone => 'America/New_York'::text, live => true);
CALL clientele.refresh('full'::name);
SELECT clientele.create_store('plain'::name, 'public.orders'::regclass, refunded => 'refunded'::name, discount => 'discount'::name);
CALL clientele.refresh('plain'::name, true);
SELECT clientele.define_segment('full'::name, 'families'::text, 'children > 2 AND orders > 1'::text, 10, description => 'x'::text);
SELECT clientele.define_segment('full'::name, 'dated'::text, 'birth_date > ''1980-01-01'' AND lower(''A'') = ''a'''::text, 20);
-- refused
SELECT clientele.define_segment('full'::name, 'big'::text, 'total_spent > 200'::text, segmentation => 'value'::text);
SELECT clientele.define_segment('full'::name, 'big'::text, 'total_spent > 200.0'::text, segmentation => 'value'::text);
-- refused
SELECT clientele.define_segment('full'::name, 'baited'::text, 'CAST(''x'' AS lure) = ''x'''::text);
-- refused
SELECT clientele.define_segment('full'::name, 'baited'::text, 'CAST(''(x)'' AS bait) IS NOT NULL'::text);
-- refused
SELECT clientele.define_segment('full'::name, 'baited'::text, 'bait ''(x)'' IS NOT NULL'::text);
-- refused
SELECT clientele.define_segment('full'::name, 'baited'::text, 'CAST(''{x}'' AS lure[]) IS NOT NULL'::text);
-- refused
SELECT clientele.define_segment('full'::name, 'baited'::text, 'CAST(''{"(x)"}'' AS bait[]) IS NOT NULL'::text);
-- refused
SELECT clientele.define_segment('full'::name, 'baited'::text, 'CAST(''[x,y]'' AS span) IS NOT NULL'::text);
-- refused
SELECT clientele.define_segment('full'::name, 'baited'::text, 'CAST(ROW(''x'') AS bait) IS NOT NULL'::text);
-- refused
SELECT clientele.define_segment('full'::name, 'baited'::text, 'takes(''(x)'')'::text);
-- refused
SELECT clientele.define_segment('full'::name, 'baited'::text, 'lower(''x'') === ''(x)'''::text);
-- refused
SELECT clientele.define_segment('full'::name, 'baited'::text, 'coalesce(NULL, CAST(''(x)'' AS bait)) IS NULL'::text);
-- refused
SELECT clientele.define_segment('full'::name, 'baited'::text, 'CAST(lower(''x'') AS bait) IS NULL'::text);
-- refused
SELECT clientele.define_segment('full'::name, 'baited'::text, 'CAST(''(x)'' AS clientele.bait) IS NULL'::text);
SELECT clientele.set_margins('full'::name, '{"baby": 0.4}'::jsonb, '{"families": 0.2}'::jsonb);
SELECT clientele.set_default_segment('full'::name, 'average'::text);
SELECT clientele.drop_segment('full'::name, 'dated'::text);
SELECT clientele.add_rfm_segments('full'::name);
SELECT clientele.set_rfm_breaks('full'::name, '{10,20,30,40}'::float8[], '{1,2,3,4}'::float8[], '{50,100,150,200}'::float8[]);
SELECT clientele.set_rfm_breaks('full'::name, NULL::float8[], NULL::float8[], NULL::float8[]);
SELECT * FROM clientele.rfm_breaks('full'::name);
SELECT clientele.define_content('full'::name, 'home'::text, 'post A'::text, 'families'::text);
SELECT clientele.define_content('full'::name, 'home'::text, 'post C'::text);
SELECT clientele.drop_content('full'::name, 'home'::text, 'families'::text);
SELECT clientele.content_for(5::int8, 'home'::text, 'full'::name);
SELECT clientele.content_for(5::int8, 'home'::text, 'full'::name, expose => true);
SELECT clientele.define_content('full'::name, 'mail'::text, 'letter'::text, holdout => 0.5);
SELECT clientele.content_for(c::int8, 'mail'::text, 'full'::name, expose => true) FROM pg_catalog.generate_series(1, 20) c;
SELECT clientele.define_offer('full'::name, 'second'::text, 'second_order'::text, holdout => 0.1::float8, budget => 5000::numeric);
SELECT clientele.define_offer('full'::name, 'stretch'::text, 'grow_order_value'::text, segments => '{families,average}'::text[], holdout => 0.2::float8,
    arms => '[{"name": "a", "stretch": 1.2}, {"name": "b", "stretch": 1.5}]'::jsonb, max_per_customer => 3, cooldown => '1 day'::interval);
SELECT clientele.alter_offer('full'::name, 'second'::text, stretch => 1.3, reset => '{holdout}'::text[]);
SELECT clientele.define_offer('full'::name, 'back'::text, 'win_back'::text);
SELECT clientele.drop_offer('full'::name, 'back'::text);
SELECT * FROM clientele.preview_offer('full'::name, 'stretch'::text, 'grow_order_value'::text, budget => 100::numeric);
SELECT * FROM clientele.preview_offer('full'::name, 'stretch'::text, 'grow_order_value'::text, by_rfm => true);
SELECT clientele.set_global_holdout('full'::name, 0.05::float8);
SELECT * FROM clientele.backtest_offer('full'::name, 'stretch'::text, 'grow_order_value'::text, "from" => '2020-01-01'::timestamptz, "to" => '2020-02-01'::timestamptz);
SELECT clientele.set_contact_limit('full'::name, 3::int4, '30 days'::interval);
SELECT clientele.set_consent('full'::name, 'children >= 0 OR children IS NULL'::text);
SELECT * FROM clientele.preview_offer('full'::name, 'stretch'::text, 'grow_order_value'::text, consent => 'children > 0'::text);
SELECT clientele.set_consent('full'::name, NULL::text);
SELECT clientele.define_offer('full'::name, 'mug'::text, 'grow_order_value'::text, reward_kind => 'gift'::text, reward_cost => 2.5, gift => 'a mug'::text);
SELECT clientele.drop_offer('full'::name, 'mug'::text);
SELECT clientele.assign_segment(5::int8, 'full'::name), clientele.assign_segment('5'::text, 'full'::name, 'value'::text);
SELECT clientele.assign_segment(5::int8, 'full'::name, as_of => '2026-01-01'::timestamptz);
SELECT clientele.segments_of(5::int8, 'full'::name);
SELECT * FROM clientele.personalized_offer(5::int8, 'full'::name);
SELECT * FROM clientele.explain_segment(5::int8, 'full'::name);
SELECT * FROM clientele.explain_segment('5'::text, 'full'::name, as_of => '2026-01-01'::timestamptz);
SELECT * FROM clientele.explain_offer(5::int8, 'full'::name);
SELECT * FROM clientele.explain_offer('5'::text, 'full'::name, as_of => '2026-01-01'::timestamptz);
SELECT * FROM clientele.issue_offer(8::int8, 'full'::name);
CALL clientele.issue_offers('full'::name, chunk => 300);
SELECT pg_catalog.count(o.*) FROM pg_catalog.generate_series(1::int8, 30::int8) c, clientele.issue_offer(c, 'full'::name) o;
CALL clientele.issue_offers('full'::name, 'second'::text);
INSERT INTO public.orders SELECT 1000000 OPERATOR(pg_catalog.+) customer_id, customer_id, pg_catalog.clock_timestamp(), 900, 'completed', 0 FROM "full".offer_ledger WHERE exposure_id OPERATOR(pg_catalog.%) 3 OPERATOR(pg_catalog.=) 0;
SELECT pg_catalog.count(r.*) FROM (SELECT code, 1000000 OPERATOR(pg_catalog.+) customer_id AS o FROM "full".offer_ledger WHERE exposure_id OPERATOR(pg_catalog.%) 6 OPERATOR(pg_catalog.=) 0) l, clientele.redeem_offer(l.code, l.o::int8, 'full'::name) r;
SELECT * FROM clientele.offer_progress(8::int8, 47.60, 'full'::name);
SELECT * FROM clientele.offer_progress('5'::text, 47.60, 'full'::name, true);
SELECT pg_catalog.count(p.*) FROM "full".offer_ledger l, clientele.code_progress(l.code, 47.60, 'full'::name) p;
SELECT * FROM clientele.try_redeem_offer('22222-22222'::text, 1::int8, 'full'::name);
-- refused
SELECT * FROM clientele.redeem_offer('22222-22222'::text, 1::int8, 'full'::name);
INSERT INTO "full".ledger (customer_id, period, program, program_version, global_holdout, basis, reference_value, min_spend, reward, reward_kind, currency, message, reasons, variant,
        propensity, issued_at, valid_until, code)
    SELECT customer_id, 9, program, program_version, global_holdout, basis, reference_value, min_spend, 0, reward_kind, currency, message, reasons, variant, propensity, issued_at, valid_until, '22222-22222'
    FROM "full".ledger WHERE state OPERATOR(pg_catalog.=) 'redeemed' ORDER BY order_id LIMIT 1;
-- refused
SELECT * FROM clientele.redeem_offer('22222-22222'::text, (SELECT pg_catalog.min(order_id) FROM "full".ledger WHERE state OPERATOR(pg_catalog.=) 'redeemed'), 'full'::name);
SELECT * FROM clientele.explain_offer(4000000::int8, 'full'::name);
-- refused
SELECT clientele.define_segment('full'::name, 'families'::text, 'children > 2'::text, 10, sensitive => true);
SELECT clientele.define_segment('full'::name, 'delicate'::text, 'children > 3'::text, 5, sensitive => true);
-- refused
SELECT clientele.assign_segment(5::int8);
SELECT clientele.withdraw_offer((SELECT pg_catalog.min(exposure_id) FROM "full".offer_ledger WHERE status OPERATOR(pg_catalog.=) 'open'), 'full'::name);
SELECT clientele.void_redemption((SELECT pg_catalog.min(order_id) FROM "full".offer_ledger WHERE status OPERATOR(pg_catalog.=) 'redeemed'), 'full'::name);
DELETE FROM public.orders WHERE order_id OPERATOR(pg_catalog.>) 1000500;
UPDATE public.orders SET amount = amount OPERATOR(pg_catalog.+) 1 WHERE customer_id OPERATOR(pg_catalog.=) 9;
DELETE FROM public.order_items WHERE order_id OPERATOR(pg_catalog.=) 9;
UPDATE "full".ledger SET issued_at = issued_at OPERATOR(pg_catalog.-) '40 days'::interval, valid_until = valid_until OPERATOR(pg_catalog.-) '40 days'::interval WHERE exposure_id OPERATOR(pg_catalog.%) 2 OPERATOR(pg_catalog.=) 0;
CALL clientele.settle_offers('full'::name, chunk => 20);
CALL clientele.refresh('full'::name);
CALL clientele.refresh('full'::name, true);
SELECT * FROM clientele.measure_lift('full'::name, 'stretch'::text, by_segment => true);
SELECT * FROM clientele.measure_lift('full'::name, 'stretch'::text, "from" => '2020-01-01'::timestamptz, version => 1);
SELECT * FROM clientele.measure_lift('full'::name, NULL::text);
SELECT * FROM clientele.measure_lift('full'::name, 'stretch'::text, 'reach_rate'::text, displaced => true);
SELECT * FROM clientele.learn_offer('full'::name, 'stretch'::text);
SELECT clientele._warn_of_mismatch('x'::text, (SELECT CAST(ROW(r.*) AS clientele.lift_report) FROM clientele.measure_lift('full'::name, 'stretch'::text) r));
-- refused
SELECT clientele._refuse_no_weights('stretch'::text, '{}'::jsonb, (SELECT pg_catalog.array_agg(CAST(ROW(e.*) AS clientele.offer_estimate))
    FROM clientele.learn_offer('full'::name, 'stretch'::text) e), 100);
SELECT * FROM clientele.learn_segments('full'::name, 'learned'::text, '{orders,log1p(total_spent::float8)}'::text[], 3);
SELECT * FROM clientele.learn_segments('full'::name, 'learned'::text);
SELECT * FROM clientele.describe_segments('full'::name, 'learned'::text);
SELECT pg_catalog.count(a.*) FROM clientele.apply_definitions('full'::name, clientele.export_definitions('full'::name), true) a;
SELECT clientele.apply_terms('full'::name, clientele.export_terms('full'::name)), clientele.apply_terms('full'::name, NULL::jsonb);
SELECT clientele.budget_shares(100::numeric, '{1,2}'::numeric[]);
SELECT pg_catalog.length(clientele._packed_query('full'::name, clientele._settings('full'::name)));
SELECT pg_catalog.count(a.*) FROM clientele.apply_definitions('full'::name, '{"format": 1, "segmentations": [{"segmentation": "learned", "learned": {"features": ["orders"], "k": 2}}], "contents": [{"slot": "home", "content": "x"}], "programs": [{"program": "stretch", "objective": "grow_order_value", "stretch": 1.3}, {"program": "another", "objective": "win_back"}], "rfm_breaks": null, "margins": null, "global_holdout": 0}'::jsonb, true, true) a;
-- refused
SELECT pg_catalog.count(a.*) FROM clientele.apply_definitions('full'::name, '{"format": 1, "segmentations": [{"segmentation": "main", "segments": [{"segment": "x", "rule": "childs > 1"}]}]}'::jsonb) a;
SELECT clientele.rename_segment('full'::name, 'big'::text, 'great'::text, segmentation => 'value'::text);
-- refused
SELECT * FROM clientele.fit_clv('full'::name, 'bgnbd'::text);
SELECT clientele.create_store('twice'::name, 'public.twice'::regclass);
CALL clientele.refresh('twice'::name);
SELECT pg_catalog.count(c.*) FROM clientele.check_store('twice'::name) c;
DROP VIEW public.twice CASCADE;
-- refused
CALL clientele.refresh('twice'::name);
SELECT clientele.drop_store('twice'::name);
-- refused
SELECT clientele.create_store('money'::name, 'public.visits'::regclass, amount => 'note'::name);
SELECT clientele.create_store('visits'::name, 'public.visits'::regclass);
CALL clientele.refresh('visits'::name);
SELECT * FROM clientele.fit_clv('visits'::name, 'bgnbd'::text, holdout_days => 60);
SELECT * FROM clientele.clv_report('visits'::name);
SELECT clientele.use_model('visits'::name, 'clv'::text, 1);
SELECT clientele.define_offer('visits'::name, 'tight'::text, 'grow_order_value'::text, budget => 20::numeric);
SELECT pg_catalog.count(o.*) FROM pg_catalog.generate_series(1::int8, 400::int8) c, clientele.issue_offer(c, 'visits'::name) o;
DELETE FROM visits.ledger;
SELECT clientele.drop_offer('visits'::name, 'tight'::text);
SELECT clientele.define_offer('visits'::name, 'grow'::text, 'grow_order_value'::text, max_cv => NULL::float8, holdout => 0.4::float8, arms => '[{"name": "a", "stretch": 1.2}, {"name": "b", "stretch": 1.5}]'::jsonb);
CALL clientele.issue_offers('visits'::name, 'grow'::text);
UPDATE visits.ledger SET issued_at = issued_at OPERATOR(pg_catalog.-) '40 days'::interval, valid_until = valid_until OPERATOR(pg_catalog.-) '40 days'::interval;
CALL clientele.settle_offers('visits'::name);
-- refused
SELECT * FROM clientele.learn_offer('visits'::name, 'grow'::text, apply => true);
SELECT * FROM clientele.learn_offer('visits'::name, 'grow'::text);
SELECT clientele._set_arm_weights('visits'::name, 'grow'::text, '{0.4,0.6}'::float8[]);
SELECT clientele.use_model('visits'::name, 'offer:grow'::text, 1);
-- refused
SELECT * FROM clientele.fit_response('visits'::name);
SELECT * FROM clientele.fit_response('visits'::name, force => true);
-- refused
SELECT * FROM clientele.fit_response('visits'::name, "to" => '2020-01-01'::timestamptz);
-- refused
SELECT * FROM clientele.response_curve(5::int8, 'visits'::name);
SELECT clientele.use_model('visits'::name, 'response'::text, 1);
SELECT * FROM clientele.response_curve(5::int8, 'visits'::name);
SELECT pg_catalog.count(r.*) FROM pg_catalog.generate_series(1, 20) c, clientele.response_curve(c::text, 'visits'::name) r;
-- refused
SELECT * FROM clientele.plan_budget('visits'::name, 'grow'::text);
SELECT * FROM clientele._budget_plan('visits'::name, 'grow'::text);
SELECT clientele._planned_programs('visits'::name);
SELECT clientele._learns_terms('stretch'::text, '[{"terms": "learned"}]'::jsonb);
SELECT clientele._set_budget_price('visits'::name, pg_catalog.jsonb_populate_record(CAST(NULL AS clientele.budget_plan), '{"program": "grow", "shadow_price": 0.5, "planned_at": "2020-01-01"}'::jsonb));
SELECT clientele._forget_prices('visits'::name, '{}'::text[]);
SELECT clientele.use_model('visits'::name, 'response'::text, NULL);
SELECT clientele._response_changes('{"programs": {"grow": {"message": "x"}}}'::jsonb, '{"programs": {}}'::jsonb);
SELECT clientele._response_departures('visits'::name, (SELECT CAST(ROW(m.*) AS clientele.model_version) FROM visits.models m WHERE kind OPERATOR(pg_catalog.=) 'response' LIMIT 1));
SELECT * FROM clientele.personalized_offer(5::int8, 'visits'::name);
INSERT INTO public.visits (customer_id, ordered_at, amount) VALUES (3, '2020-01-01'::timestamptz, 7);
SELECT pg_catalog.count(c.*) FROM clientele.check_store('visits'::name) c;
INSERT INTO public.visits (customer_id, ordered_at, amount) VALUES (3, 'infinity'::timestamptz, 7), (4, '2020-01-01'::timestamptz, 'NaN'::numeric);
SELECT pg_catalog.count(c.*) FROM clientele.check_store('visits'::name) c;
DELETE FROM public.visits WHERE amount OPERATOR(pg_catalog.=) 'NaN'::numeric OR ordered_at OPERATOR(pg_catalog.=) 'infinity'::timestamptz;
SELECT clientele.drop_store('visits'::name);
CREATE TABLE public.things AS SELECT pg_catalog.concat('p', n) AS sku, pg_catalog.concat('Thing ', n) AS title, NULLIF(n, 9)::numeric AS price FROM pg_catalog.generate_series(1::int4, 9::int4) n;
CREATE UNIQUE INDEX ON public.things (sku);
CREATE TABLE public.baskets AS SELECT order_id, pg_catalog.concat('p', n) AS sku, 1::numeric AS amount, 'x'::text AS category FROM public.visits, pg_catalog.generate_series(1::int4, 3::int4) n;
SELECT clientele.create_store('baskets'::name, 'public.visits'::regclass, items => 'public.baskets'::regclass, item_product => 'sku'::name, products => 'public.things'::regclass,
    product_key => 'sku'::name, product_name => 'title'::name, product_price => 'price'::name);
CALL clientele.refresh('baskets'::name);
SELECT * FROM clientele.learn_affinity('baskets'::name);
SELECT * FROM clientele.learn_affinity('baskets'::name, '30 days'::interval);
SELECT clientele.use_model('baskets'::name, 'affinity'::text, 1);
SELECT * FROM clientele.suggest_fill(5::int8, '{p1}'::text[], 'baskets'::name, 5::numeric);
SELECT * FROM clientele.suggest_fill('5'::text, '{p1}'::text[], 'baskets'::name);
SELECT pg_catalog.count(v.*) FROM baskets.affinities v;
SELECT clientele.drop_store('baskets'::name);
CALL clientele.record_segments('full'::name);
SELECT pg_catalog.count(a.*) FROM clientele.alerts a;
SELECT clientele._noted_stale('full'::name, (SELECT CAST(ROW(h.*) AS clientele.health) FROM "full".health h WHERE h.part OPERATOR(pg_catalog.=) 'settings'
    AND h.subject OPERATOR(pg_catalog.=) 'store' LIMIT 1), false);
SELECT clientele.add_consumer('full'::name, 'mail'::text, from_start => true);
SELECT pg_catalog.count(e.*) FROM clientele.read_events('full'::name, 'mail'::text, 10) e;
SELECT clientele.ack_events('full'::name, 'mail'::text, 1::int8);
CALL clientele.record_segments('full'::name);
SELECT clientele.drop_consumer('full'::name, 'mail'::text);
-- refused
SELECT * FROM clientele.read_events('full'::name, 'mail'::text, 10);
SELECT clientele._fold_and_record('full'::name, 1000::int4);
SELECT pg_catalog.count(s.*) FROM clientele.stores s;
SELECT pg_catalog.count(s.*) FROM clientele.models s;
SELECT pg_catalog.count(s.*) FROM clientele.refresh_progress s;
SELECT pg_catalog.count(v.*) FROM "full".customers v;
SELECT pg_catalog.count(v.*) FROM "full".campaign v;
SELECT pg_catalog.count(v.*) FROM "full".offer_summary v;
SELECT pg_catalog.count(v.*) FROM "full".segment_sizes v;
SELECT pg_catalog.count(v.*) FROM "full".experiment_health v;
SELECT pg_catalog.count(v.*) FROM "full".budget_status v;
SELECT pg_catalog.count(v.*) FROM "full".customers_at('2026-01-01'::timestamptz) v;
SELECT pg_catalog.count(c.*) FROM clientele.check_store('full'::name) c;
SELECT pg_catalog.count(c.*) FROM clientele.check_store('full'::name, 0.5::float8) c;
DELETE FROM "full".profiles WHERE customer_id OPERATOR(pg_catalog.<) 20;
SELECT pg_catalog.count(c.*) FROM clientele.check_store('full'::name, repair => true) c;
ALTER TABLE public.order_items DISABLE TRIGGER USER;
SELECT pg_catalog.count(c.*) FROM clientele.check_store('full'::name, repair => true) c;
DELETE FROM public.order_items WHERE order_id OPERATOR(pg_catalog.=) 8;
SELECT pg_catalog.length(clientele.report_html('full'::name));
SELECT pg_catalog.length(clientele.report_html('full'::name, '2026-01-01'::timestamptz));
SELECT pg_catalog.length(clientele._report_missing('id'::text, 'topic'::text, 'why'::text));
SELECT pg_catalog.count(*) FROM clientele._report_response_figures();
SELECT clientele.merge_customers(15::int8, 16::int8, 'full'::name);
SELECT clientele.merge_customers('17'::text, '18'::text, 'plain'::name);
SELECT clientele.forget_customer(13::int8, 'full'::name);
SELECT clientele.forget_customer('20'::text, 'full'::name);
SELECT clientele.upgrade_store('full'::name);
-- As if an older release had made it.
UPDATE "full".settings SET version = 0;
SELECT clientele.upgrade_store('full'::name);
SELECT clientele.set_time_zone('full'::name, 'Europe/Berlin'::text);
SELECT clientele.alter_store('full'::name, margin => 0.4, keep_events => '10 days'::interval);
SELECT clientele.alter_store('full'::name, time_zone => 'Europe/Paris'::text);
SELECT clientele._await_store('full'::name);
SELECT clientele._uses_views('full'::name, 0::oid);
SELECT clientele.detach_store('full'::name);
-- refused
SELECT clientele.assign_segment(3::int8, 'full'::name);
SELECT pg_catalog.count(o.*) FROM clientele.personalized_offer(3::int8, 'full'::name) o;
SELECT clientele.attach_store('full'::name);
BEGIN;
SELECT clientele.detach_store('full'::name);
UPDATE public.orders SET amount = amount OPERATOR(pg_catalog.+) 1 WHERE customer_id OPERATOR(pg_catalog.=) 3;
SELECT clientele.attach_store('full'::name);
COMMIT;
SELECT clientele.alter_store('full'::name, attributes => '{children,birth_date,email}'::text[]);
-- refused
SELECT clientele.alter_store('full'::name, attributes => '{email}'::text[]);
SELECT clientele.alter_store('full'::name, attributes => '{children,birth_date}'::text[], owner => CURRENT_USER);
SELECT clientele.set_live('full'::name, false);
SELECT clientele.set_live('plain'::name, true);
CALL clientele.refresh('plain'::name);
CALL clientele.refresh('plain'::name);
SELECT clientele.drop_store('plain'::name);
SELECT clientele.drop_store('full'::name, force => true);
CREATE TABLE public.parted (customer_id pg_catalog.int8, ordered_at pg_catalog.timestamptz, amount pg_catalog.numeric) PARTITION BY RANGE (ordered_at);
CREATE TABLE public.parted_old PARTITION OF public.parted FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE public.parted_new PARTITION OF public.parted FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
INSERT INTO public.parted VALUES (1, '2020-05-05', 5), (2, '2021-05-05', 5);
SELECT clientele.create_store('parted'::name, 'public.parted'::regclass, live => true);
CALL clientele.refresh('parted'::name);
ALTER TABLE public.parted DETACH PARTITION public.parted_old;
SELECT pg_catalog.count(s.stale) FROM clientele.stores s;
CALL clientele.refresh('parted'::name);
ALTER TABLE public.parted ATTACH PARTITION public.parted_old FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
SELECT clientele.set_live('parted'::name, true);
SELECT clientele._replica_fault('parted'::name), clientele._shows_pending('parted'::name);
SELECT clientele.drop_store('parted'::name);
DROP TABLE public.parted;
