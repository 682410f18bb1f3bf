-- alter_offer, caps of thresholds and rewards, the last day of an offer, and warnings of terms that hardly anybody means.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
CREATE TABLE orders (customer_id int, ordered_at timestamptz, amount numeric);
-- Customers 1 to 60 have four orders of 1 to 60 dollars; 101 has one order of 77,183.
INSERT INTO orders SELECT c, now() - n * interval '9 days', c FROM generate_series(1, 60) c, generate_series(1, 4) n;
INSERT INTO orders VALUES (101, now() - interval '5 days', 77183), (102, now() - interval '5 days', 40);
SET client_min_messages = warning;
SELECT clientele.create_store('shop', orders => 'public.orders', time_zone => 'America/New_York');
RESET client_min_messages;
CALL clientele.refresh('shop');

-- ---- One term at a time ----

SELECT clientele.define_offer('shop', 'stretch', 'grow_order_value', holdout => 0.1, budget => 1000, max_per_customer => 3, cooldown => '2 days', disclosure => 'By an algorithm.',
    arms => '[{"name": "a", "weight": 0.5}, {"name": "b", "stretch": 1.2, "weight": 0.5}]', segments => '{default}', max_min_spend => 100, max_reward => 4);
SELECT clientele.alter_offer('shop', 'stretch', message => 'Come back: {reward} off from {min_spend}');
SELECT version, holdout, budget, max_per_customer, cooldown, disclosure, jsonb_array_length(arms) AS arms, segments, max_min_spend, max_reward, message, stretch, valid_for FROM shop.programs;
-- Nothing changes, nothing happens; a budget is no new version.
SELECT clientele.alter_offer('shop', 'stretch'), clientele.alter_offer('shop', 'stretch', budget => 2000);
SELECT version, budget FROM shop.programs;
SELECT clientele.alter_offer('shop', 'stretch', reset => '{holdout,budget,arms,max_cv,segments,max_reward}');
SELECT version, holdout, budget, arms, max_cv, segments, max_reward, max_min_spend, cooldown, message FROM shop.programs;
SELECT version, definition -> 'holdout' AS holdout FROM shop.program_versions ORDER BY 1;
-- Every argument changes what it names, and that alone.
CREATE FUNCTION pg_temp.altered(argument text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before jsonb;
    after jsonb;
BEGIN
    SELECT to_jsonb(p) - 'version' INTO before FROM shop.programs p;
    EXECUTE format('SELECT clientele.alter_offer(''shop'', ''stretch'', %I => %s)', argument, value);
    SELECT to_jsonb(p) - 'version' INTO after FROM shop.programs p;
    RETURN (SELECT string_agg(b.key, ', ') FROM jsonb_each(before) b WHERE b.value IS DISTINCT FROM after -> b.key);
END $$;
SELECT argument, pg_temp.altered(argument, value) AS changed FROM (VALUES ('objective', '''win_back'''), ('segments', '''{default}'''), ('stretch', '1.5'), ('reward_rate', '0.1'), ('max_cv', '0.3'),
    ('valid_for', '''30 days'''), ('holdout', '0.2'), ('starts_at', '''2026-01-01'''), ('ends_at', '''2126-01-01'''), ('max_per_customer', '2'), ('cooldown', '''1 day'''), ('budget', '50'),
    ('arms', '''[{"name": null}]'''), ('message', '''Hi'''), ('disclosure', '''Why'''), ('priority', '7'), ('max_min_spend', '50'), ('max_reward', '2')) a (argument, value);
-- Refused, and nothing changed.
SELECT to_jsonb(p) AS before FROM shop.programs p \gset
SELECT clientele.alter_offer('shop', 'stretch', stretch => 0.5);
SELECT clientele.alter_offer('shop', 'other', stretch => 1.5);
SELECT clientele.alter_offer('shop', NULL);
SELECT clientele.alter_offer('nowhere', 'stretch');
SELECT clientele.alter_offer('shop', 'stretch', segments => '{nobody}');
SELECT clientele.alter_offer('shop', 'stretch', starts_at => '2127-01-01');
SELECT clientele.alter_offer('shop', 'stretch', reset => '{message}');
SELECT clientele.alter_offer('shop', 'stretch', reset => '{budget,NULL}');
SELECT clientele.alter_offer('shop', 'stretch', budget => 10, reset => '{budget}');
SELECT clientele.alter_offer('shop', 'stretch', max_min_spend => 0.5);
SELECT clientele.alter_offer('shop', 'stretch', max_min_spend => 'NaN');
SELECT clientele.alter_offer('shop', 'stretch', max_reward => 0);
SELECT clientele.alter_offer('shop', 'stretch', max_reward => 0.001);
SELECT to_jsonb(p) = :'before'::jsonb AS unchanged FROM shop.programs p;
-- A new definition says what it takes away.
SELECT clientele.define_offer('shop', 'stretch', 'grow_order_value', message => 'Spend {min_spend}');

-- ---- Caps ----

SELECT recent_bound FROM shop.scoring;
SELECT customer_id, basis, reference_value, min_spend, reward, reasons FROM shop.offers WHERE customer_id IN (40, 60, 101, 102) ORDER BY 1;
SELECT regexp_replace(explanation, ' Would be.*', '') AS explanation FROM clientele.explain_offer(101);
-- Below 30 customers with three orders nothing is known of what is usual.
DELETE FROM orders WHERE customer_id BETWEEN 30 AND 60;
CALL clientele.refresh('shop', "full" => true);
SELECT s.recent_bound, o.reference_value FROM shop.scoring s, shop.offers o WHERE o.customer_id = 101;
SELECT clientele.alter_offer('shop', 'stretch', max_min_spend => 45, max_reward => 1.5);
SELECT customer_id, status, reference_value, min_spend, reward, reasons FROM shop.offer_decisions WHERE customer_id IN (5, 22, 29, 101) ORDER BY 1;
SELECT customer_id, e.explanation FROM (VALUES (22), (29), (101)) c (customer_id), clientele.explain_offer(c.customer_id) e ORDER BY 1;
-- One customer at a time, in bulk, previewed, issued: the same.
SELECT count(*) AS offers, count(*) FILTER (WHERE p.min_spend > 40 OR p.reward > 1.5) AS too_much, count(*) FILTER (WHERE ROW(p.*)::clientele.offer IS DISTINCT FROM ROW(o.program, o.segment, o.basis, o.reference_value, o.min_spend, o.reward, o.reward_kind,
    o.currency, o.message, o.valid_until, o.variant, o.propensity, o.expected_profit, o.reasons, o.disclosure, o.last_day, o.tiers)::clientele.offer) AS different
FROM shop.offers o CROSS JOIN LATERAL clientele.personalized_offer(o.customer_id) p;
SELECT sum(unchanged) AS unchanged, sum(customers) AS customers FROM clientele.preview_offer('shop', 'stretch', 'grow_order_value', message => 'Spend {min_spend}', max_min_spend => 45, max_reward => 1.5) WHERE segment IS NULL;
SELECT gains, loses, changes > 0 AS some_change FROM clientele.preview_offer('shop', 'stretch', 'grow_order_value', message => 'Spend {min_spend}', max_reward => 1) WHERE segment IS NULL;

-- ---- The last day ----

SELECT clientele.alter_offer('shop', 'stretch', message => 'By {valid_until}: {reward} off', valid_for => '14 days');
-- Five past midnight or five to, the offer ends with the day; a duration with hours ends with the second.
SELECT as_of, p.valid_until AT TIME ZONE 'America/New_York' AS ends_local, p.last_day, p.message
FROM (VALUES ('2025-04-01 00:05-04'::timestamptz), ('2025-04-01 23:55-04'), ('2025-10-25 12:00-04')) a (as_of),
    LATERAL clientele.decide_offer(shop._offer_book(), '1', 'default', NULL, ROW('store', 20)::clientele.reference_value, a.as_of) p;
SELECT clientele.alter_offer('shop', 'stretch', valid_for => '1 day 12:00');
SELECT p.valid_until AT TIME ZONE 'America/New_York' AS ends_local, p.last_day, p.message
FROM clientele.decide_offer(shop._offer_book(), '1', 'default', NULL, ROW('store', 20)::clientele.reference_value, '2025-04-01 12:00-04') p;
-- Zones that skip a midnight, have it twice, or skip a day.
SELECT zone, as_of, p.valid_until, p.valid_until AT TIME ZONE zone AS ends_local, p.last_day, (p.valid_until - interval '1 microsecond') AT TIME ZONE zone AS last_instant
FROM (VALUES ('America/Havana', '2025-02-23 12:00-05'::timestamptz), ('America/Havana', '2025-10-19 12:00-04'), ('Asia/Beirut', '2022-03-13 12:00+02'), ('America/Sao_Paulo', '2018-10-21 12:00-03'),
        ('America/Sao_Paulo', '2018-02-04 12:00-02'), ('Pacific/Apia', '2011-12-16 12:00-10'), ('UTC', '2025-02-14 00:00+00')) z (zone, as_of),
    LATERAL clientele.decide_offer(jsonb_set(jsonb_set(shop._offer_book(), '{time_zone}', to_jsonb(zone)), '{programs,0,valid_for}', '"13 days"'), '1', 'default', NULL, ROW('store', 20)::clientele.reference_value, z.as_of) p;
-- What is issued has it, wherever it is looked at.
SELECT clientele.alter_offer('shop', 'stretch', valid_for => '14 days');
SELECT i.last_day = (now() AT TIME ZONE 'America/New_York')::date + 14 AS issued, i.message = 'By ' || i.last_day || ': $' || i.reward || ' off' AS message FROM clientele.issue_offer(10) i;
SELECT o.last_day = l.last_day AND d.last_day = l.last_day AND c.last_day = l.last_day AND p.last_day = l.last_day AND l.last_day = (now() AT TIME ZONE 'America/New_York')::date + 14 AS same
FROM shop.offer_ledger l, shop.offers o, shop.offer_decisions d, shop.campaign c, clientele.personalized_offer(10) p WHERE l.customer_id = 10 AND o.customer_id = 10 AND d.customer_id = 10 AND c.customer_id = 10;

-- ---- What is probably not meant ----

SELECT clientele.alter_offer('shop', 'stretch', valid_for => '14', cooldown => '3');
SELECT clientele.alter_offer('shop', 'stretch', cooldown => '1');
SELECT clientele.alter_offer('shop', 'stretch', ends_at => '2020-01-01', valid_for => '14 days', cooldown => '3 days');
SELECT clientele.alter_offer('shop', 'stretch', reset => '{ends_at,cooldown}');
SET client_min_messages = warning;
SELECT clientele.drop_store('shop', force => true);
DROP TABLE orders;
