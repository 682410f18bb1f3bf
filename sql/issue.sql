-- Issuing: what is written down, that it is written once, codes, terms that stay, budgets, whole campaigns, and refusals.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET client_min_messages = warning;

CREATE TABLE issue_customers (customer_id int PRIMARY KEY, email text);
INSERT INTO issue_customers SELECT i, 'c' || i || '@example.com' FROM generate_series(1, 400) i;
CREATE TABLE issue_orders (order_id bigint PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10, 2));
INSERT INTO issue_orders SELECT row_number() OVER (), c, now() - make_interval(days => 10 * n), 20 + (c * 37 + n * 11) % 60
FROM generate_series(1, 360) c, generate_series(1, 1 + c % 5) n;
SELECT clientele.create_store('issuing', orders => 'issue_orders', customers => 'issue_customers');
CALL clientele.refresh('issuing');
SET clientele.store = 'issuing';

-- ---- One customer ----

-- Without programs there is nothing to issue.
SELECT count(*) FROM clientele.issue_offer(1);
SELECT clientele.define_offer('issuing', 'stretch', 'grow_order_value', holdout => 0.1);

-- The same row again, whichever type the key comes as; what is offered is what was shown.
CREATE TEMP TABLE first AS SELECT p AS shown, i AS issued FROM clientele.personalized_offer(3) p, clientele.issue_offer(3) i;
SELECT (f.issued).program, (f.issued).program_version, (f.issued).min_spend, (f.issued).reward, (f.issued).propensity,
    (f.issued).min_spend = (f.shown).min_spend AND (f.issued).message = (f.shown).message AND (f.issued).reasons = (f.shown).reasons AS as_shown,
    (f.issued).valid_until = ((f.issued).issued_at::date + 15)::timestamptz AND (f.issued).last_day = (f.issued).issued_at::date + 14 AS fourteen_days FROM first f;
SELECT count(*), bool_and(i = f.issued) FROM first f, (
    SELECT * FROM clientele.issue_offer(3) UNION ALL SELECT * FROM clientele.issue_offer('3') UNION ALL SELECT * FROM clientele.issue_offer('3'::text)
    UNION ALL SELECT * FROM clientele.issue_offer(3, 'issuing') UNION ALL SELECT * FROM clientele.issue_offer(3, program => 'stretch')) i;
SELECT count(*), min(period), min(exposure_id) FROM issuing.ledger;
SELECT p.valid_until = (f.issued).valid_until AND p.message = (f.issued).message AS still FROM first f, clientele.personalized_offer(3) p;
-- Columns of the type: the code, those of an offer, and the row.
SELECT array_agg(a.attname ORDER BY a.attnum) = '{code}'::name[]
    || (SELECT array_agg(o.attname ORDER BY o.attnum) FROM pg_attribute o WHERE o.attrelid = 'clientele.offer'::regclass)
    || '{exposure_id,program_version,issued_at}'::name[] AS columns
FROM pg_attribute a WHERE a.attrelid = 'clientele.issued_offer'::regclass;

-- All customers, one by one: held-out ones get no row, and are written down as what they would have got.
SELECT count(i.code) AS offered FROM generate_series(1, 400) c, clientele.issue_offer(c) i;
SELECT l.holdout, count(*), count(l.code) AS codes, count(l.slot) AS slots, min(l.propensity), bool_and(l.min_spend > l.reference_value AND l.reward > 0) AS complete,
    bool_and((l.holdout IS NOT NULL) = (clientele.bucket('issuing:stretch:holdout', l.customer_id::text) < 0.1)) AS by_the_hash
FROM issuing.ledger l GROUP BY l.holdout ORDER BY l.holdout NULLS FIRST;
SELECT count(*) FROM generate_series(1, 400) c, clientele.issue_offer(c);
SELECT count(*) AS rows, count(DISTINCT customer_id) AS customers, max(period) FROM issuing.ledger;
SELECT status, count(*) FROM issuing.exposures GROUP BY 1 ORDER BY 1;
SELECT count(*) = (SELECT count(code) FROM issuing.ledger) AS all_of_them, min(status), max(status) FROM issuing.offer_ledger;

-- Codes: shape, alphabet, no two alike; and as people type them.
SELECT bool_and(code ~ '^[2-9CDFGHJKMNPQRTVWXY]{5}-[2-9CDFGHJKMNPQRTVWXY]{5}$') AS shape, count(DISTINCT code) = count(code) AS unique FROM issuing.ledger;
SELECT count(DISTINCT clientele._new_code()) FROM generate_series(1, 20000);
-- Each of the 25 characters is as likely as the others: chi-squared of 24 degrees of freedom stays below 80, but once in 10^7 times.
SELECT sum((n - 8000.0) ^ 2 / 8000) < 80 AS uniform FROM (
    SELECT count(*) AS n FROM (SELECT clientele._new_code() AS code FROM generate_series(1, 20000)) n, regexp_split_to_table(replace(n.code, '-', ''), '') AS character GROUP BY character) c;
SELECT typed, clientele._canonical_code(typed) FROM unnest(ARRAY['23456-789CD', ' 23456789cd ', '2345 6789 CD', '23456-789C', '23456-789CDF', '23456-789C0', '', NULL]) AS typed;

-- Terms that are open stay through a redefinition; what is not open yet gets the new ones.
TRUNCATE issuing.ledger;
CREATE TEMP TABLE before AS SELECT * FROM clientele.issue_offer(3);
SELECT clientele.define_offer('issuing', 'stretch', 'grow_order_value', stretch => 2, reward_rate => 0.2, message => 'Now {min_spend}');
SELECT i.program_version, i.message = b.message AND i.min_spend = b.min_spend AND i.code = b.code AS as_before FROM clientele.issue_offer(3) i, before b;
SELECT p.message = b.message AS as_before FROM clientele.personalized_offer(3) p, before b;
SELECT program_version, message, min_spend > reference_value * 2 OR min_spend = reference_value * 2 AS stretched FROM clientele.issue_offer(4);
-- A program that was dropped: its open offers stay.
SELECT clientele.drop_offer('issuing', 'stretch');
SELECT i.code = b.code AS as_before FROM clientele.issue_offer(3) i, before b;
SELECT count(*) FROM clientele.issue_offer(6);

-- Of two programs the one asked for; while one is open, the other is none.
SELECT clientele.define_offer('issuing', 'a', 'grow_order_value', holdout => 0), clientele.define_offer('issuing', 'b', 'grow_order_value', reward_rate => 0.01);
SELECT program FROM clientele.issue_offer(7, program => 'b');
SELECT count(*) FROM clientele.issue_offer(7, program => 'a');
SELECT count(*) FROM clientele.personalized_offer(7, program => 'a');
\set SHOW_CONTEXT never
SELECT count(*) FROM clientele.issue_offer(7, program => 'typo');
SELECT count(*) FROM clientele.personalized_offer(7, program => 'typo');
\set SHOW_CONTEXT errors
SELECT program FROM clientele.issue_offer(7);
SELECT program, period FROM issuing.ledger WHERE customer_id = 7;

-- Redeemed, expired and void ones are not open: the next period.
UPDATE issuing.ledger SET state = 'redeemed', closed_at = now() WHERE customer_id = 7;
SELECT program FROM clientele.issue_offer(7);
UPDATE issuing.ledger SET valid_until = now() WHERE customer_id = 7 AND period = 2;
SELECT program FROM clientele.issue_offer(7);
UPDATE issuing.ledger SET state = 'void', closed_at = now() WHERE customer_id = 7 AND period = 3;
SELECT program FROM clientele.issue_offer(7);
SELECT period, program, state FROM issuing.ledger WHERE customer_id = 7 ORDER BY period;

-- Rolled back: nothing was issued; of a savepoint, too. Within one transaction, what it issued is there.
BEGIN;
SELECT count(*) FROM clientele.issue_offer(8);
SAVEPOINT later;
SELECT count(*) FROM clientele.issue_offer(9);
ROLLBACK TO later;
SELECT customer_id FROM issuing.ledger WHERE customer_id IN (8, 9);
SELECT count(*), count(DISTINCT i.code) FROM (SELECT * FROM clientele.issue_offer(8) UNION ALL SELECT * FROM clientele.issue_offer(8)) i;
ROLLBACK;
SELECT count(*) FROM issuing.ledger WHERE customer_id IN (8, 9);
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT i.code = j.code AS same FROM clientele.issue_offer(8) i, clientele.issue_offer(8) j;
COMMIT;
SELECT count(*) FROM issuing.ledger WHERE customer_id = 8;

-- Who is held out of everything.
UPDATE issuing.settings SET global_holdout = 0.5;
SELECT clientele._regenerate_offers('issuing');
TRUNCATE issuing.ledger;
SELECT count(i.code) > 50 AS some FROM generate_series(1, 400) c, clientele.issue_offer(c) i;
SELECT holdout, global_holdout, bool_and((clientele.bucket('issuing:global', customer_id::text) < 0.5) = (holdout IS NOT NULL)) AS by_the_hash, count(code) > 0 AS codes
FROM issuing.ledger GROUP BY 1, 2 ORDER BY 1 NULLS FIRST;
UPDATE issuing.settings SET global_holdout = 0;
SELECT clientele._regenerate_offers('issuing');

-- The models behind it.
SELECT DISTINCT models FROM issuing.ledger;
INSERT INTO issuing.models (kind, version, in_use, fitted_at, parameters, customers, diagnostics)
    VALUES ('test', 3, true, now(), '{}', 1, '{}'), ('test', 2, false, now(), '{}', 1, '{}'), ('other', 1, true, now(), '{}', 1, '{}');
TRUNCATE issuing.ledger;
SELECT count(*) FROM clientele.issue_offer(10);
SELECT models FROM issuing.ledger;
DELETE FROM issuing.models;

-- ---- Refusals ----

\set VERBOSITY verbose
\set SHOW_CONTEXT never
SELECT count(*) FROM clientele.issue_offer(NULL::bigint);
SELECT count(*) FROM clientele.issue_offer(99999);
SELECT count(*) FROM clientele.issue_offer(99999999999999);
SELECT count(*) FROM clientele.issue_offer(1, program => NULL);
\set VERBOSITY sqlstate
SELECT count(*) FROM clientele.issue_offer('forty-two');
SELECT count(*) FROM clientele.issue_offer('11111111-1111-1111-1111-111111111111'::uuid);
SELECT count(*) FROM clientele.issue_offer(1, 'nowhere');
SELECT count(*) FROM clientele.issue_offer(3, program => 'nothing');
BEGIN READ ONLY;
SELECT count(*) FROM clientele.issue_offer(1);
ROLLBACK;
CALL clientele.issue_offers(NULL);
CALL clientele.issue_offers('');
CALL clientele.issue_offers('nowhere');
CALL clientele.issue_offers('issuing', 'nothing');
CALL clientele.issue_offers('issuing', chunk => 0);
CALL clientele.issue_offers('issuing', chunk => NULL);
BEGIN;
CALL clientele.issue_offers('issuing');
ROLLBACK;
DO $$ BEGIN CALL clientele.issue_offers('issuing'); EXCEPTION WHEN division_by_zero THEN NULL; END $$;
SET default_transaction_read_only = on;
CALL clientele.issue_offers('issuing');
RESET default_transaction_read_only;
\set VERBOSITY terse
BEGIN READ ONLY;
SELECT count(*) FROM clientele.issue_offer(1);
ROLLBACK;
BEGIN;
CALL clientele.issue_offers('issuing');
ROLLBACK;
\set VERBOSITY default

-- ---- Budgets ----

-- 'a' runs out, then 'b' wins; the greatest reward must fit, and what is held out needs it, too. Rows sum up to the budget's use.
TRUNCATE issuing.ledger;
SELECT clientele.drop_offer('issuing', 'a'), clientele.drop_offer('issuing', 'b');
SELECT clientele.define_offer('issuing', 'limited', 'grow_order_value', holdout => 0.2, budget => 100, priority => 10),
    clientele.define_offer('issuing', 'late', 'grow_order_value', holdout => 0.1, budget => 50, priority => 20),
    clientele.define_offer('issuing', 'last', 'second_order', reward_rate => 0.1, priority => 30);
SELECT program, count(*) AS slots, sum(available) FROM issuing.budgets GROUP BY 1 ORDER BY 1;
SELECT count(i.code) AS offered FROM generate_series(1, 400) c, clientele.issue_offer(c) i;
SELECT s.program, s.budget, s.reserved <= s.budget AS within, s.remaining < 5 AS used, s.remaining = b.remaining AS exact, s.open_offers > 0 AS offers
FROM issuing.budget_status s JOIN issuing._budgets b USING (program) ORDER BY 1;
SELECT program, holdout, count(*) > 0 AS some, count(slot) = count(code) AS slots, min(available) >= 0 AS never_below
FROM issuing.ledger LEFT JOIN (SELECT program, min(available) AS available FROM issuing.budgets GROUP BY 1) b USING (program) GROUP BY 1, 2 ORDER BY 1, 2 NULLS FIRST;
-- Once it is exhausted, neither arm is enrolled.
SELECT bool_and(l.exposure_id < f.exposure_id) AS none_after FROM issuing.ledger l,
    (SELECT max(exposure_id) + 25 AS exposure_id FROM issuing.ledger WHERE program = 'limited' AND holdout IS NULL) f WHERE l.program = 'limited' AND l.holdout IS NOT NULL;

-- All at once is as one by one, to the last row, where budgets last.
CREATE PROCEDURE clear_issuing() LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE issuing.ledger, issuing.campaigns RESTART IDENTITY;
    UPDATE issuing.budgets b SET available = p.budget / 16 FROM issuing.programs p WHERE p.program = b.program;
END $$;
UPDATE issuing.programs SET budget = 16000 WHERE budget IS NOT NULL;
CALL clear_issuing();
SELECT count(i.code) AS offered FROM generate_series(1, 400) c, clientele.issue_offer(c) i;
CREATE VIEW pg_temp.issued AS SELECT to_jsonb(l) - '{exposure_id,code,issued_at,valid_until,slot}'::text[] AS row FROM issuing.ledger l;
CREATE TEMP TABLE singly AS TABLE pg_temp.issued;
CREATE TEMP TABLE differences (chunk int, missing bigint, surplus bigint, exact boolean);
DO $$
DECLARE
    size int;
BEGIN
    FOREACH size IN ARRAY '{1000,150,17}'::int[] LOOP
        CALL clear_issuing();
        COMMIT;
        CALL clientele.issue_offers('issuing', chunk => size);
        INSERT INTO differences SELECT size, (SELECT count(*) FROM (TABLE singly EXCEPT ALL TABLE pg_temp.issued) d),
            (SELECT count(*) FROM (TABLE pg_temp.issued EXCEPT ALL TABLE singly) d),
            (SELECT bool_and(s.remaining = b.remaining) FROM issuing.budget_status s JOIN issuing._budgets b USING (program));
    END LOOP;
END $$;
TABLE differences;
-- Where they do not, the chunks make no difference; each run, and program, draws anew, and nobody before the cutoff misses out.
UPDATE issuing.programs SET budget = CASE program WHEN 'limited' THEN 100 ELSE 50 END WHERE budget IS NOT NULL;
CREATE TEMP TABLE drawn (chunk int, run bigint, customer_id int, program text, held_out boolean);
DO $$
DECLARE
    size int;
BEGIN
    FOREACH size IN ARRAY '{1000,150,17,0}'::int[] LOOP
        CALL clear_issuing();
        IF size = 0 THEN
            ALTER TABLE issuing.campaigns ALTER run RESTART WITH 2;
        END IF;
        COMMIT;
        CALL clientele.issue_offers('issuing', chunk => CASE size WHEN 0 THEN 1000 ELSE size END);
        INSERT INTO drawn SELECT size, c.run, l.customer_id, l.program, l.holdout IS NOT NULL FROM issuing.ledger l, issuing.campaigns c;
    END LOOP;
END $$;
SELECT run, count(DISTINCT chunk) AS chunks, count(DISTINCT drawn) FROM (SELECT run, chunk, array_agg((customer_id, program)::text ORDER BY customer_id)::text AS drawn FROM drawn GROUP BY 1, 2) d GROUP BY 1 ORDER BY 1;
SELECT s.program, s.remaining < 10 AS used, s.remaining >= 0 AS within, s.remaining = b.remaining AS exact FROM issuing.budget_status s JOIN issuing._budgets b USING (program) ORDER BY 1;
SELECT program, count(*) FILTER (WHERE runs = 1) > count(*) / 2 AS others FROM (SELECT program, customer_id, count(DISTINCT run) AS runs FROM drawn GROUP BY 1, 2) d
    WHERE program <> 'last' GROUP BY 1 ORDER BY 1;
SELECT d.program, max(d.customer_id) > 350 AND avg(d.customer_id) > 130 AS high_keys, bool_or(d.held_out) AS held_out,
    max(ARRAY[clientele.bucket(t.seed, d.customer_id::text), clientele.bucket(t.seed || ':tie', d.customer_id::text)])
        < ARRAY[(c.cutoffs -> d.program ->> 0)::float8, (c.cutoffs -> d.program ->> 1)::float8] AS before_the_cutoff
    FROM drawn d, issuing.campaigns c, LATERAL (SELECT format('issuing:%s:%s', d.program, d.run) AS seed) t
    WHERE d.run = 2 AND d.program <> 'last' GROUP BY d.program, c.cutoffs ORDER BY 1;
-- Who would be offered 'limited', and is not: all of them come after the cutoff.
SELECT count(*) > 50 AS some, bool_and(ARRAY[clientele.bucket('issuing:limited:2', customer_id::text), clientele.bucket('issuing:limited:2:tie', customer_id::text)]
        >= ARRAY[(c.cutoffs -> 'limited' ->> 0)::float8, (c.cutoffs -> 'limited' ->> 1)::float8]) AS after_the_cutoff
    FROM singly s, LATERAL (SELECT (s.row ->> 'customer_id')::int AS customer_id) k, issuing.campaigns c
    WHERE s.row ->> 'program' = 'limited' AND NOT EXISTS (SELECT FROM drawn d WHERE d.run = 2 AND d.program = 'limited' AND d.customer_id = k.customer_id);
SELECT program, customers, total, offered + held_out = (SELECT count(*) FROM issuing.ledger) AS counted, ended_at IS NOT NULL AS ended FROM issuing.campaign_progress;

-- Again: everybody who has an offer is passed over.
CALL clientele.issue_offers('issuing');
SELECT program, customers, offered, held_out FROM issuing.campaign_progress;
-- Of one program: those whose offer it is.
CALL clear_issuing();
CALL clientele.issue_offers('issuing', 'last');
SELECT program, count(*) FROM issuing.ledger GROUP BY 1;
CALL clear_issuing();
UPDATE issuing.budgets SET available = 0;
CALL clientele.issue_offers('issuing', 'last');
SELECT program, count(*) > 0 AS some FROM issuing.ledger GROUP BY 1;

-- A run that was cut short goes on after the last chunk, and passes over who got an offer since it began.
CALL clear_issuing();
UPDATE issuing.programs SET budget = NULL;
DELETE FROM issuing.budgets;
SELECT clientele._regenerate_offers('issuing');
INSERT INTO issuing.campaigns VALUES ('', now() - interval '1 hour', '200', 200, 7, 3, 400, NULL);
SELECT count(*) FROM clientele.issue_offer(250);
UPDATE issuing.ledger SET state = 'redeemed', closed_at = coalesce(closed_at, now());
SET client_min_messages = warning;  -- the notice names a time
CALL clientele.issue_offers('issuing', chunk => 50);
RESET client_min_messages;
SELECT min(customer_id), max(customer_id), count(*) FILTER (WHERE customer_id = 250) AS of_250 FROM issuing.ledger;
SELECT customers, total, last_customer IS NULL AS nobody_named, started_at < now() - interval '50 minutes' AS same_run, ended_at IS NOT NULL AS ended FROM issuing.campaigns;

-- What is due is settled when a budget is exhausted, and promised again.
SET client_min_messages = warning;
SELECT clientele.drop_offer('issuing', 'late'), clientele.drop_offer('issuing', 'last'), clientele.drop_offer('issuing', 'limited');
TRUNCATE issuing.ledger;
SELECT clientele.define_offer('issuing', 'small', 'grow_order_value', budget => 10);
SELECT count(i.code) BETWEEN 2 AND 5 AS few FROM generate_series(1, 50) c, clientele.issue_offer(c) i;
UPDATE issuing.ledger SET issued_at = now() - interval '20 days', valid_until = now() - interval '1 day';
SELECT count(i.code) BETWEEN 1 AND 5 AS few FROM generate_series(51, 100) c, clientele.issue_offer(c) i;
SELECT state, count(*) > 1 AS some FROM issuing.ledger GROUP BY 1 ORDER BY 1;
SELECT s.remaining = b.remaining AS exact, s.to_settle, s.reserved <= s.budget AS within FROM issuing.budget_status s JOIN issuing._budgets b USING (program);

DROP VIEW pg_temp.issued;
SELECT clientele.drop_store('issuing');  -- customers hold codes
SELECT clientele.drop_store('issuing', force => NULL);
SELECT clientele.drop_store('issuing', force => true);
RESET clientele.store;

-- ---- Keys of other types ----

CREATE TABLE issue_uuids (customer_id uuid, ordered_at timestamptz, amount numeric);
INSERT INTO issue_uuids SELECT md5(c::text)::uuid, now() - make_interval(days => n), 30 + c FROM generate_series(1, 60) c, generate_series(1, 4) n;
CREATE TABLE issue_texts (customer_id text, ordered_at timestamptz, amount numeric);
INSERT INTO issue_texts SELECT 'customer ''' || c || '''', now() - make_interval(days => n), 30 + c FROM generate_series(1, 60) c, generate_series(1, 4) n;
SELECT clientele.create_store('Issue''s uuids', 'issue_uuids'), clientele.create_store('issue KEY WANTED', 'issue_texts');
CALL clientele.refresh('Issue''s uuids');
CALL clientele.refresh('issue KEY WANTED');
SELECT clientele.define_offer(s, 'p', 'grow_order_value') FROM unnest('{Issue''s uuids,issue KEY WANTED}'::name[]) s;
SELECT i.code = j.code AS same FROM clientele.issue_offer(md5('7')::uuid, 'Issue''s uuids') i, clientele.issue_offer(md5('7'), 'Issue''s uuids') j;
SELECT i.code = j.code AS same FROM clientele.issue_offer('customer ''7''', 'issue KEY WANTED') i, clientele.issue_offer('customer ''7''', 'issue KEY WANTED') j;
\set VERBOSITY sqlstate
SELECT * FROM clientele.issue_offer(7, 'Issue''s uuids');
SELECT * FROM clientele.issue_offer('seven', 'Issue''s uuids');
\set VERBOSITY default
CALL clientele.issue_offers('Issue''s uuids', chunk => 7);
CALL clientele.issue_offers('issue KEY WANTED', chunk => 7);
SELECT customers, total, offered FROM "Issue's uuids".campaign_progress UNION ALL SELECT customers, total, offered FROM "issue KEY WANTED".campaign_progress;
SELECT clientele.drop_store(s, true) FROM unnest('{Issue''s uuids,issue KEY WANTED}'::name[]) s;

DROP PROCEDURE clear_issuing;
DROP TABLE issue_customers, issue_orders, issue_uuids, issue_texts;

-- ---- Keys that the customers table orders otherwise ----

CREATE TABLE mixed_customers (customer_id text COLLATE "en-x-icu" PRIMARY KEY);
CREATE TABLE mixed_orders (order_id bigint PRIMARY KEY, customer_id text, ordered_at timestamptz, amount numeric);
INSERT INTO mixed_customers SELECT (CASE WHEN n % 2 = 0 THEN 'a' ELSE 'B' END) || n FROM generate_series(1, 20) n;
INSERT INTO mixed_orders SELECT row_number() OVER (), customer_id, now() - n * interval '10 days', 80 FROM mixed_customers, generate_series(1, 3) n;
SELECT clientele.create_store('mixed', 'mixed_orders', customers => 'mixed_customers');
CALL clientele.refresh('mixed');
SELECT clientele.define_offer('mixed', 'stretch', 'grow_order_value', cooldown => '1 day');
CREATE TABLE expected_of_mixed AS SELECT customer_id, basis, min_spend, reward FROM mixed.offers;
SELECT basis, count(*) FROM expected_of_mixed GROUP BY basis;
CALL clientele.issue_offers('mixed', chunk => 3);
SELECT count(*) FROM (SELECT customer_id COLLATE "C", basis, min_spend, reward FROM mixed.ledger EXCEPT SELECT customer_id COLLATE "C", basis, min_spend, reward FROM expected_of_mixed) d;
SELECT customers, total, offered FROM mixed.campaign_progress;
UPDATE mixed.ledger SET valid_until = issued_at + interval '1 microsecond', issued_at = issued_at - interval '2 days';
CALL clientele.settle_offers('mixed', grace => '0');
CALL clientele.issue_offers('mixed', chunk => 3);
SELECT period, count(*) FROM mixed.ledger GROUP BY period ORDER BY period;
SELECT clientele.drop_store('mixed', force => true);

-- What is due of another program is settled first, as issue_offer() does: else its customers would get this one.
SELECT clientele.create_store('due', 'mixed_orders');
CALL clientele.refresh('due');
SELECT clientele.define_offer('due', 'a', 'grow_order_value', budget => 20 * 6.25), clientele.define_offer('due', 'b', 'grow_order_value', reward_rate => 0.02);
CALL clientele.issue_offers('due', 'a');
UPDATE due.ledger SET valid_until = issued_at + interval '1 microsecond', issued_at = issued_at - interval '2 days';
BEGIN;
SELECT i.program, count(*) FROM mixed_customers c, clientele.issue_offer(c.customer_id, 'due') i GROUP BY 1;
ROLLBACK;
CALL clientele.issue_offers('due', 'b');
CALL clientele.issue_offers('due');
SELECT program, period, count(*) FROM due.ledger GROUP BY 1, 2 ORDER BY 1, 2;
SELECT clientele.drop_store('due', force => true);
DROP TABLE mixed_customers, mixed_orders, expected_of_mixed;

-- ---- Names that look like our own ----

-- A store's first name seeds the draws of its budgets: it is a value, whatever words and quotes are in it.
CREATE TABLE named_orders AS SELECT row_number() OVER () AS order_id, c AS customer_id, now() - make_interval(days => n) AS ordered_at, 20.0 + c % 60 AS amount
FROM generate_series(1, 100) c, generate_series(1, 3) n;
CREATE INDEX ON named_orders (customer_id);
SELECT clientele.create_store('STORE WANTED '' KEY', orders => 'named_orders');
CALL clientele.refresh('STORE WANTED '' KEY');
ALTER SCHEMA "STORE WANTED ' KEY" RENAME TO plainly_named;
SELECT clientele.define_offer('plainly_named', 'DECISIONS', 'grow_order_value');
SELECT clientele.alter_offer('plainly_named', 'DECISIONS', budget => 100);
CALL clientele.issue_offers('plainly_named');
SELECT count(*) > 5, sum(reward) BETWEEN 80 AND 100 FROM plainly_named.ledger;
-- Of a detached store a campaign says that.
SELECT clientele.detach_store('plainly_named');
\set SHOW_CONTEXT never
CALL clientele.issue_offers('plainly_named');
SELECT clientele.drop_store('plainly_named', force => true);
DROP TABLE named_orders;
-- Ids of several stores that can be told apart.
CREATE TABLE sharded_orders (customer_id int, ordered_at timestamptz, amount numeric);
INSERT INTO sharded_orders SELECT c, now() - n * interval '10 days', 40 FROM generate_series(1, 20) c, generate_series(1, 3) n;
SELECT clientele.create_store('first_shard', orders => 'sharded_orders');
SELECT clientele.create_store('second_shard', orders => 'sharded_orders', exposure_ids_from => 1000000000001);
CALL clientele.refresh('first_shard');
CALL clientele.refresh('second_shard');
SELECT clientele.define_offer('first_shard', 'more', 'grow_order_value'), clientele.define_offer('second_shard', 'more', 'grow_order_value');
CALL clientele.issue_offers('first_shard');
CALL clientele.issue_offers('second_shard');
SELECT min(exposure_id), max(exposure_id) FROM first_shard.ledger;
SELECT min(exposure_id), max(exposure_id) FROM second_shard.ledger;
SELECT clientele.create_store('third_shard', orders => 'sharded_orders', exposure_ids_from => 0);
SELECT clientele.create_store('third_shard', orders => 'sharded_orders', exposure_ids_from => 1000000000000001);
SELECT clientele.create_store('third_shard', orders => 'sharded_orders', exposure_ids_from => NULL);
SELECT count(*) FROM pg_namespace WHERE nspname = 'third_shard';
SELECT clientele.drop_store('first_shard', force => true), clientele.drop_store('second_shard', force => true);
DROP TABLE sharded_orders;
