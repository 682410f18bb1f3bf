-- Offer programs: definition, versions, removal; the global holdout.

CREATE FUNCTION clientele._regenerate_offers(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on
    SET datestyle = 'ISO' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1 AS $$
DECLARE
    settings clientele.store_settings := clientele._settings(store);
    programs jsonb;
    purchase_model jsonb;
    response jsonb;
    book jsonb;
BEGIN
    EXECUTE format('SELECT jsonb_agg(to_jsonb(p) || jsonb_build_object(''estimates'', m.parameters -> ''estimates'')
            || CASE WHEN b.price IS NULL THEN ''{}'' ELSE jsonb_build_object(''budget_price'', b.price) END ORDER BY p.priority)
        FROM %1$I.programs p LEFT JOIN %1$I.budget_prices b ON b.program = p.program AND p.budget IS NOT NULL
        LEFT JOIN %1$I.models m ON m.kind = ''offer:'' || p.program AND m.in_use', store) INTO programs;
    EXECUTE format('SELECT jsonb_build_object(''purchase_model'',
        jsonb_build_object(''model'', s.purchase_kind, ''parameters'', s.purchase))
        FROM %I.scoring s WHERE s.id = 1 AND s.purchase IS NOT NULL', store) INTO purchase_model;
    EXECUTE format('SELECT jsonb_build_object(''response'', m.parameters || jsonb_build_object(''sensitive'', nullif($1, ''{}'')))
        FROM %1$I.models m WHERE m.kind = ''response'' AND m.in_use', store) INTO response USING clientele._sensitive_segments(store);
    book := jsonb_build_object('seed', settings.seed, 'currency', settings.currency, 'time_zone', settings.time_zone,
        'margin', settings.margin, 'global_holdout', nullif(settings.global_holdout, 0),
        'programs', coalesce(programs, '[]')) || coalesce(purchase_model, '{}') || coalesce(response, '{}')
        || clientele._differing_margins(settings)
        || jsonb_strip_nulls(jsonb_build_object('contact_limit', settings.options -> 'contact_limit'));
    -- Whoever decides by a book checks it first: terms that make no sense are refused here, before readers meet them.
    PERFORM clientele.decide_offer(book, '', NULL, NULL, NULL, now());
    EXECUTE format('CREATE OR REPLACE FUNCTION %I._offer_book() RETURNS jsonb STABLE PARALLEL SAFE RETURN %L::jsonb', store, book);
    PERFORM clientele._regenerate_margin(store, settings);
    PERFORM clientele._note_definitions(store);
END $$;
COMMENT ON FUNCTION clientele._regenerate_offers(name) IS
    'Writes the store''s programs with what was learnt of them, its global holdout, its purchase model and its response in use as a '
    'constant into its '
    'function _offer_book(), which every session sees at its next statement.';

CREATE FUNCTION clientele._check_offer_segments(store name, wanted jsonb, disclosure text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    segments text[];
    known text[];
    sensitive text[];
    unknown text;
BEGIN
    IF wanted = 'null' THEN
        RETURN;
    END IF;
    IF wanted = '[]' OR EXISTS (SELECT FROM jsonb_array_elements(wanted) w WHERE jsonb_typeof(w) <> 'string') THEN
        RAISE EXCEPTION 'invalid segments: %', wanted USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'Accepted: an array of segments of ''main'', or NULL for all.';
    END IF;
    segments := ARRAY(SELECT jsonb_array_elements_text(wanted));
    EXECUTE format('SELECT array_agg(s.segment ORDER BY s.segment), array_agg(s.segment ORDER BY s.segment) FILTER (WHERE s.sensitive)
        FROM (SELECT segment, sensitive FROM %1$I.segment_rules WHERE segmentation = ''main''
              UNION ALL SELECT default_segment, false FROM %1$I.segmentations WHERE segmentation = ''main'') s', store)
        INTO known, sensitive;
    SELECT s INTO unknown FROM unnest(segments) s WHERE s <> ALL (known) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'segment "%" does not exist', unknown USING ERRCODE = 'undefined_object',
            DETAIL = format('The segments of ''main'' are: %s.', array_to_string(known, ', ')),
            HINT = 'Define it with clientele.define_segment().';
    END IF;
    IF coalesce(btrim(disclosure), '') = '' AND segments && sensitive THEN
        RAISE EXCEPTION 'an offer aimed at a sensitive segment needs a disclosure' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('Sensitive: %s.', array_to_string(sensitive, ', ')),
            HINT = 'Pass disclosure => ''...'': what the customer is told about how the offer came about.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_offer_segments(name, jsonb, text) IS
    'Refuses unknown segments, and sensitive ones without a disclosure.';

-- ---- Definitions ----

CREATE FUNCTION clientele._book_with(book jsonb, definition jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT book || jsonb_build_object('programs', jsonb_agg(p ORDER BY (p ->> 'priority')::integer))
    FROM (SELECT b AS p FROM jsonb_array_elements(book -> 'programs') b WHERE b ->> 'program' <> definition ->> 'program'
          UNION ALL SELECT definition - 'consent') programs
$$;
COMMENT ON FUNCTION clientele._book_with(jsonb, jsonb) IS
    'A book of programs with one of them as defined, in the place of the one of the same name if there is one. A book has no consents: '
    'whether a customer has given them is known from the store''s rules.';

CREATE FUNCTION clientele._priority(book jsonb, program text, wanted integer) RETURNS integer
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    chosen integer;
    holder text;
BEGIN
    SELECT coalesce(wanted, max(p.priority) FILTER (WHERE p.program = $2), coalesce(max(p.priority), 0) + 10) INTO chosen
        FROM jsonb_to_recordset(book -> 'programs') AS p (program text, priority integer);
    SELECT p.program INTO holder FROM jsonb_to_recordset(book -> 'programs') AS p (program text, priority integer)
        WHERE p.priority = chosen AND p.program <> $2;
    IF FOUND THEN
        RAISE EXCEPTION 'priority % is taken by program "%"', chosen, holder USING ERRCODE = 'unique_violation',
            HINT = 'Choose another; the eligible program of the lowest number wins.';
    END IF;
    RETURN chosen;
END $$;
COMMENT ON FUNCTION clientele._priority(jsonb, text, integer) IS
    'The priority of a program that is to join a book: as wanted, else as it is, else the highest so far plus 10. One that another '
    'program has is refused.';

-- The terms of a program by name. Texts in it are the same whatever the session's settings are.
CREATE FUNCTION clientele._offer_terms(
    objective text, segments text[], stretch numeric, reward_rate numeric, max_cv double precision, valid_for interval,
    holdout double precision, starts_at timestamptz, ends_at timestamptz, max_per_customer integer, cooldown interval,
    budget numeric, arms jsonb, message text, disclosure text, priority integer, max_min_spend numeric, max_reward numeric,
    terms text, spread numeric, progress_message text, explore jsonb DEFAULT NULL, contact_cost numeric DEFAULT 0,
    min_profit numeric DEFAULT 0, min_reward numeric DEFAULT 0, consent text DEFAULT NULL,
    reward_kind text DEFAULT 'amount_off', reward_cost numeric DEFAULT NULL, gift text DEFAULT NULL,
    reward_cap numeric DEFAULT NULL, tiers jsonb DEFAULT NULL) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    SET datestyle = 'ISO' SET intervalstyle = 'postgres' SET timezone = 'UTC' SET extra_float_digits = 1 AS $$
    SELECT jsonb_build_object('objective', objective, 'segments', segments, 'stretch', stretch, 'reward_rate', reward_rate,
        'max_cv', max_cv, 'valid_for', valid_for, 'holdout', holdout, 'starts_at', starts_at, 'ends_at', ends_at,
        'max_per_customer', max_per_customer, 'cooldown', cooldown, 'budget', budget, 'arms', arms, 'message', message,
        'disclosure', disclosure, 'priority', priority, 'max_min_spend', max_min_spend, 'max_reward', max_reward,
        'terms', terms, 'spread', spread, 'progress_message', progress_message, 'explore', explore,
        'contact_cost', contact_cost, 'min_profit', min_profit, 'min_reward', min_reward, 'consent', consent,
        'reward_kind', reward_kind, 'reward_cost', reward_cost, 'gift', gift,
        'reward_cap', reward_cap, 'tiers', tiers)
$$;
COMMENT ON FUNCTION clientele._offer_terms(text, text[], numeric, numeric, double precision, interval, double precision, timestamptz,
    timestamptz, integer, interval, numeric, jsonb, text, text, integer, numeric, numeric, text, numeric, text, jsonb,
    numeric, numeric, numeric, text, text, numeric, text, numeric, jsonb) IS
    'The arguments of define_offer() and its like as a program stands in a store''s book; NULL where they are.';

CREATE FUNCTION clientele._with_reward_rate(terms jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT terms || jsonb_build_object(
        'stretch', CASE WHEN terms -> 'stretch' = to_jsonb(1.4) THEN coalesce(terms #> '{tiers,0,stretch}', terms -> 'stretch')
            ELSE terms -> 'stretch' END,
        'reward_rate', coalesce(nullif(terms -> 'reward_rate', 'null'), terms #> '{tiers,0,reward_rate}',
            to_jsonb(CASE WHEN terms ->> 'reward_kind' IN ('free_shipping', 'gift') THEN 0
                          WHEN terms ->> 'terms' IN ('spread', 'learned') THEN 0.02 ELSE 0.05 END)))
$$;
COMMENT ON FUNCTION clientele._with_reward_rate(jsonb) IS
    'The terms of a program, with the stretch and the reward rate that go with them where none are named: those of the first of its '
    'tiers, if it has any.';

CREATE FUNCTION clientele._offer_definition(store name, program text, terms jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO' AS $$
DECLARE
    book jsonb;
    definition jsonb;
BEGIN
    PERFORM clientele._require('program', program IS NOT NULL);
    PERFORM clientele._require(r, coalesce(terms -> r, 'null') <> 'null')
        FROM unnest('{objective,terms,stretch,spread,valid_for,holdout,message,progress_message,'
            'contact_cost,min_profit,min_reward,reward_kind}'::text[]) r;
    IF btrim(program) = '' THEN
        RAISE EXCEPTION 'a program needs a name' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM clientele._check_name('program', program, 'Give it a name, such as second_order.');
    IF (terms ->> 'ends_at')::timestamptz <= (terms ->> 'starts_at')::timestamptz THEN
        RAISE EXCEPTION 'a program cannot end before it starts' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('starts_at is %s, ends_at is %s.', (terms ->> 'starts_at')::timestamptz, (terms ->> 'ends_at')::timestamptz);
    END IF;
    PERFORM clientele._check_offer_segments(store, terms -> 'segments', terms ->> 'disclosure');
    EXECUTE format('SELECT %I._offer_book()', store) INTO book;
    definition := clientele._with_reward_rate(terms) || jsonb_build_object('program', program,
        'consent', (clientele._checked_consent(store, terms ->> 'consent')).deparsed,
        'priority', clientele._priority(book, program, (terms ->> 'priority')::integer));
    -- Whoever decides by a book checks it first.
    PERFORM clientele.decide_offer(clientele._book_with(book, definition), '', NULL, NULL, NULL, now());
    RETURN definition;
END $$;
COMMENT ON FUNCTION clientele._offer_definition(name, text, jsonb) IS
    'A program of these terms, as it stands in the store''s book; what no program may have is refused.';

CREATE FUNCTION clientele._program_in_book(store name, program text) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition jsonb;
BEGIN
    EXECUTE format('SELECT p - ''{estimates,version}''::text[] FROM jsonb_array_elements(%I._offer_book() -> ''programs'') p
        WHERE p ->> ''program'' = $1', store) INTO definition USING program;
    RETURN definition || jsonb_build_object('consent', clientele._consent_of(store, program));
END $$;
COMMENT ON FUNCTION clientele._program_in_book(name, text) IS
    'A program as it is defined, without what was learnt of it; NULL where there is none of that name.';

-- Intervals and times that hardly anybody means.
CREATE FUNCTION clientele._warn_of_terms(definition jsonb) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    program text := definition ->> 'program';
    term text;
BEGIN
    FOREACH term IN ARRAY '{valid_for,cooldown}'::text[] LOOP
        PERFORM clientele._warn_of_seconds(term, (definition ->> term)::interval);
    END LOOP;
    IF (definition ->> 'ends_at')::timestamptz <= now() THEN
        RAISE WARNING 'program "%" has ended already', program
            USING DETAIL = format('ends_at is %s.', (definition ->> 'ends_at')::timestamptz),
                HINT = 'It offers nothing until ends_at is later than now.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._warn_of_terms(jsonb) IS 'Says what was understood, where that is probably not what was meant.';

CREATE FUNCTION clientele._notice_lost_terms(store name, definition jsonb) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    program text := definition ->> 'program';
    former jsonb := clientele._program_in_book(store, program);
    lost text;
BEGIN
    SELECT string_agg(format('%s (%s)', t.term, former ->> t.term), ', ' ORDER BY t.place) INTO lost
        FROM unnest(clientele._optional_terms()) WITH ORDINALITY t (term, place)
        WHERE former -> t.term NOT IN ('null', '0') AND definition -> t.term IN ('null', '0');
    IF lost IS NOT NULL THEN
        RAISE NOTICE 'program "%" no longer has %', program, lost
            USING HINT = 'clientele.alter_offer() changes what is named and keeps the rest.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._notice_lost_terms(name, jsonb) IS
    'Names the limits, the holdout and the disclosure that a new definition of a program takes away.';

CREATE FUNCTION clientele._optional_terms() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '{segments,max_cv,holdout,starts_at,ends_at,max_per_customer,cooldown,budget,arms,disclosure,max_min_spend,max_reward,'
        'explore,contact_cost,min_profit,min_reward,consent,reward_cost,gift,reward_cap,tiers}'::text[];
COMMENT ON FUNCTION clientele._optional_terms() IS 'The terms that a program can be without.';

CREATE FUNCTION clientele.define_offer(
    store name, program text, objective text,
    segments text[] DEFAULT NULL, stretch numeric DEFAULT 1.4, reward_rate numeric DEFAULT NULL,
    max_cv double precision DEFAULT 0.45, valid_for interval DEFAULT '14 days', holdout double precision DEFAULT 0,
    starts_at timestamptz DEFAULT NULL, ends_at timestamptz DEFAULT NULL,
    max_per_customer integer DEFAULT NULL, cooldown interval DEFAULT NULL, budget numeric DEFAULT NULL, arms jsonb DEFAULT NULL,
    message text DEFAULT 'Spend {min_spend} or more and get {reward} off', disclosure text DEFAULT NULL,
    priority integer DEFAULT NULL, max_min_spend numeric DEFAULT NULL, max_reward numeric DEFAULT NULL,
    terms text DEFAULT 'stretch', spread numeric DEFAULT 2, progress_message text DEFAULT '{gap} more and you get {reward} off',
    explore jsonb DEFAULT NULL, contact_cost numeric DEFAULT 0, min_profit numeric DEFAULT 0, min_reward numeric DEFAULT 0,
    consent text DEFAULT NULL, reward_kind text DEFAULT 'amount_off', reward_cost numeric DEFAULT NULL, gift text DEFAULT NULL,
    reward_cap numeric DEFAULT NULL, tiers jsonb DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition jsonb;
BEGIN
    PERFORM clientele._lock_store(store);
    definition := clientele._offer_definition(store, program,
        clientele._offer_terms(objective, segments, stretch, reward_rate, max_cv, valid_for, holdout, starts_at, ends_at, max_per_customer,
            cooldown, budget, arms, message, disclosure, priority, max_min_spend, max_reward, terms, spread, progress_message,
            explore, contact_cost, min_profit, min_reward, consent, reward_kind, reward_cost, gift, reward_cap, tiers));
    PERFORM clientele._warn_of_terms(definition);
    PERFORM clientele._notice_lost_terms(store, definition);
    PERFORM clientele._write_program(store, definition);
END $$;
COMMENT ON FUNCTION clientele.define_offer(name, text, text, text[], numeric, numeric, double precision, interval, double precision,
    timestamptz, timestamptz, integer, interval, numeric, jsonb, text, text, integer, numeric, numeric, text, numeric, text, jsonb,
    numeric, numeric, numeric, text, text, numeric, text, numeric, jsonb) IS
    'Defines or redefines an offer program, with the defaults for what is not named (alter_offer keeps it); owner only. A change makes a '
    'new version, '
    'except one of budget or priority; offers that were issued keep their terms. objective: grow_order_value, second_order or win_back. '
    'segments: of ''main''; NULL for all. reward_rate: share of min_spend; NULL: 0.05, and 0.02 with terms spread or '
    'learned. '
    'terms, of grow_order_value: stretch asks for stretch (above 1) times the reference value, of who does not vary by more than max_cv, '
    'the greatest coefficient of variation of the last 8 orders (NULL turns the check off); spread asks for exp(mu + spread x sigma), '
    'where the logarithm of the customer''s next order has mean mu and standard deviation sigma (log_value_mean, log_value_sd). '
    'valid_for: whole days end with a day of the store''s time zone: so many days after that of the offer; anything with hours ends to '
    'the microsecond. '
    'holdout: share of customers who are shown nothing, from 0, below 1. '
    'message: with {min_spend}, {reward}, {currency}, {valid_until} (the last day), {program}, {segment}. '
    'progress_message: what offer_progress() says while something is missing: with {gap}, and all of these. '
    'priority: the eligible program of the lowest number wins; defaults to the highest so far plus 10. '
    'max_per_customer: how often a customer can be issued it. cooldown: time between two times. '
    'budget: the greatest sum of rewards that are promised or were paid, in the currency; below what already is, it is refused. '
    'arms: an array of {"stretch", "reward_rate", "weight", "name"}, of which each customer gets one by chance. '
    'max_min_spend: the highest threshold, which is the greatest rung up to it; who spends as much is refused. max_reward: the highest '
    'reward. '
    'explore: {"share": 0.2, "stretch": [1.3, 1.9, 2.8], "reward_rate": [0.02, 0.06]}: that share of the enrolments gets one of the '
    'combinations at random, whatever half the margin and the last threshold say, within max_min_spend and max_reward. '
    'NULL in these seven: no such term. '
    'With terms learned, the rung and the reward rate, within what was tried, that are expected to earn most by the response in use; none '
    'where they earn no more than contact_cost with 80 % certainty, less than min_profit, or the reward is below min_reward. As spread '
    'until there is a response. Needs an explore share and a holdout of 0.05 and a disclosure. '
    'reward_kind: amount_off, an amount; percent_off, the share reward_rate of the order, in whole percents where half the margin allows '
    'less, up to reward_cap, which a budget reserves; free_shipping or gift, which is given whole where reward_cost, what one costs the '
    'shop, is no more than half the margin at stake. Of other kinds than amounts nothing is explored or learnt. gift: what it is, for '
    '{reward}. '
    'tiers: [{"stretch": 1.4, "reward_rate": 0.05}, {"stretch": 1.8, "reward_rate": 0.07}], one to three that ascend, in the place of '
    'stretch and reward_rate: an order gets what the highest tier gives that it reaches, a budget reserves the most. '
    'consent: a boolean expression over the columns of the view customers, as a rule of a segment is; who does not fulfil it is refused, '
    'with the reason no_consent. NULL: that of set_consent() alone.';

CREATE FUNCTION clientele._check_reset(reset text[], named jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong text;
BEGIN
    SELECT coalesce(r, 'NULL') INTO wrong FROM unnest(reset) r WHERE (r = ANY (clientele._optional_terms())) IS NOT TRUE LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a program cannot be without "%"', wrong USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('reset takes away: %s.', array_to_string(clientele._optional_terms(), ', ')),
                HINT = 'Give it another value by name.';
    END IF;
    SELECT r INTO wrong FROM unnest(reset) r WHERE named ? r LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '"%" is both given and taken away', wrong USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Leave it out of reset, or do not name it.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_reset(text[], jsonb) IS
    'Refuses to take away from a program what it cannot be without, or what is given.';

CREATE FUNCTION clientele.alter_offer(
    store name, program text, objective text DEFAULT NULL,
    segments text[] DEFAULT NULL, stretch numeric DEFAULT NULL, reward_rate numeric DEFAULT NULL,
    max_cv double precision DEFAULT NULL, valid_for interval DEFAULT NULL, holdout double precision DEFAULT NULL,
    starts_at timestamptz DEFAULT NULL, ends_at timestamptz DEFAULT NULL,
    max_per_customer integer DEFAULT NULL, cooldown interval DEFAULT NULL, budget numeric DEFAULT NULL, arms jsonb DEFAULT NULL,
    message text DEFAULT NULL, disclosure text DEFAULT NULL,
    priority integer DEFAULT NULL, max_min_spend numeric DEFAULT NULL, max_reward numeric DEFAULT NULL,
    reset text[] DEFAULT NULL, terms text DEFAULT NULL, spread numeric DEFAULT NULL, progress_message text DEFAULT NULL,
    explore jsonb DEFAULT NULL, contact_cost numeric DEFAULT NULL, min_profit numeric DEFAULT NULL,
    min_reward numeric DEFAULT NULL, consent text DEFAULT NULL, reward_kind text DEFAULT NULL, reward_cost numeric DEFAULT NULL,
    gift text DEFAULT NULL, reward_cap numeric DEFAULT NULL, tiers jsonb DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- Nulls within the arms are theirs.
    named jsonb := jsonb_strip_nulls(clientele._offer_terms(objective, segments, stretch, reward_rate, max_cv, valid_for, holdout,
            starts_at, ends_at, max_per_customer, cooldown, budget, NULL, message, disclosure, priority, max_min_spend, max_reward,
            terms, spread, progress_message, explore, contact_cost, min_profit, min_reward, consent, reward_kind, reward_cost, gift,
            reward_cap))
        || CASE WHEN arms IS NULL THEN '{}' ELSE jsonb_build_object('arms', arms) END
        || CASE WHEN tiers IS NULL THEN '{}' ELSE jsonb_build_object('tiers', tiers) END;
    taken_away jsonb;
    definition jsonb;
BEGIN
    PERFORM clientele._require('program', program IS NOT NULL);
    PERFORM clientele._lock_store(store);
    PERFORM clientele._check_program(store, program);
    PERFORM clientele._check_reset(reset, named);
    SELECT jsonb_object_agg(r, CASE WHEN r IN ('holdout', 'contact_cost', 'min_profit', 'min_reward') THEN '0'::jsonb ELSE 'null' END)
        INTO taken_away FROM unnest(reset) r;
    definition := clientele._offer_definition(store, program,
        clientele._program_in_book(store, program)
            || CASE WHEN named ? 'reward_kind' THEN '{"reward_rate": null, "reward_cost": null, "gift": null, "reward_cap": null}'
                    ELSE '{}' END::jsonb
            || CASE WHEN named ? 'tiers' THEN '{"stretch": 1.4, "reward_rate": null}' ELSE '{}' END::jsonb
            || named || coalesce(taken_away, '{}'));
    IF definition -> 'stretch' <> named -> 'stretch' THEN
        RAISE EXCEPTION 'invalid stretch' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('Of program "%s" it is %s.', program, named -> 'stretch'),
            HINT = 'It is that of the first of the tiers: change these, or take them away with reset => ''{tiers}''.';
    END IF;
    PERFORM clientele._warn_of_terms(definition);
    PERFORM clientele._write_program(store, definition);
END $$;
COMMENT ON FUNCTION clientele.alter_offer(name, text, text, text[], numeric, numeric, double precision, interval, double precision,
    timestamptz, timestamptz, integer, interval, numeric, jsonb, text, text, integer, numeric, numeric, text[], text, numeric, text, jsonb,
    numeric, numeric, numeric, text, text, numeric, text, numeric, jsonb) IS
    'Changes of an offer program what is named, and keeps the rest; owner only. The arguments are those of define_offer, checked and '
    'versioned as there; '
    'NULL: unchanged. reset takes terms away: any of segments (then it is for all), max_cv (the check is off), holdout, starts_at, '
    'ends_at, '
    'max_per_customer, cooldown, budget, arms, disclosure, max_min_spend, max_reward, explore, contact_cost, min_profit, min_reward, '
    'consent, reward_cost, gift, reward_cap, tiers (what is left is the first of them). Another reward_kind takes along no reward_rate, '
    'reward_cost, gift and reward_cap of the former.';

CREATE FUNCTION clientele.drop_offer(store name, program text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require('program', program IS NOT NULL);
    PERFORM clientele._lock_store(store);
    PERFORM clientele._check_program(store, program);
    PERFORM clientele._set_budget(store, program, NULL::numeric);
    PERFORM clientele._retire_estimates(store, program);
    EXECUTE format('DELETE FROM %I.programs p WHERE p.program = $1', store) USING program;
    EXECUTE format('DELETE FROM %I.budget_prices b WHERE b.program = $1', store) USING program;
    PERFORM clientele._write_consent(store, program, NULL);
    PERFORM clientele._regenerate_offers(store);
END $$;
COMMENT ON FUNCTION clientele.drop_offer(name, text) IS
    'Drops an offer program; owner only. Offers that were issued stay open on their terms; versions and the ledger stay, and count if a '
    'program of the same name is defined again.';

CREATE FUNCTION clientele._check_program(store name, program text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known text[];
BEGIN
    EXECUTE format('SELECT array_agg(p.program ORDER BY p.priority) FROM %I.programs p', store) INTO known;
    IF program = ANY (known) THEN
        RETURN;
    END IF;
    RAISE EXCEPTION 'program "%" does not exist', program USING ERRCODE = 'undefined_object',
        DETAIL = CASE WHEN known IS NULL THEN format('Store %s has no programs.', quote_ident(store))
            ELSE format('The programs of store %s are: %s.', quote_ident(store), array_to_string(known, ', ')) END,
        HINT = 'Define it with clientele.define_offer().';
END $$;
COMMENT ON FUNCTION clientele._check_program(name, text) IS 'Refuses a program that the store does not have.';

-- ---- Versions ----

CREATE FUNCTION clientele._write_program(store name, definition jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    program text := definition ->> 'program';
    version integer;
BEGIN
    PERFORM clientele._set_budget(store, program, (definition ->> 'budget')::numeric);
    version := clientele._program_version(store, program, definition - '{program,version,priority,budget}'::text[]);
    EXECUTE format('DELETE FROM %I.programs p WHERE p.program = $1', store) USING program;
    EXECUTE format('INSERT INTO %1$I.programs SELECT * FROM jsonb_populate_record(NULL::%1$I.programs, $1)', store)
        USING definition || jsonb_build_object('version', version);
    PERFORM clientele._write_consent(store, program, definition ->> 'consent');
    PERFORM clientele._regenerate_offers(store);
END $$;
COMMENT ON FUNCTION clientele._write_program(name, jsonb) IS
    'Defines a program as _offer_definition() gives it, by whoever has locked the store.';

CREATE FUNCTION clientele._program_version(store name, program text, definition jsonb) RETURNS integer
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last record;
BEGIN
    EXECUTE format('SELECT v.version, v.definition FROM %I.program_versions v WHERE v.program = $1 ORDER BY v.version DESC LIMIT 1', store)
        INTO last USING program;
    IF last.definition = definition THEN
        RETURN last.version;
    END IF;
    IF clientele._learnable_terms(last.definition) <> clientele._learnable_terms(definition) THEN
        PERFORM clientele._retire_estimates(store, program);
    END IF;
    EXECUTE format('INSERT INTO %I.program_versions (program, version, defined_at, definition) VALUES ($1, $2, now(), $3)', store)
        USING program, coalesce(last.version, 0) + 1, definition;
    RETURN coalesce(last.version, 0) + 1;
END $$;
COMMENT ON FUNCTION clientele._program_version(name, text, jsonb) IS
    'The version of a program that is what decides about customers and their terms: the last one if it is the same, else a new one.';

CREATE FUNCTION clientele._learnable_terms(definition jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('objective', definition -> 'objective', 'terms', definition -> 'terms',
        'stretch', definition -> 'stretch', 'spread', definition -> 'spread',
        'reward_rate', definition -> 'reward_rate', 'valid_for', definition -> 'valid_for',
        'max_min_spend', definition -> 'max_min_spend', 'max_reward', definition -> 'max_reward',
        'reward_kind', definition -> 'reward_kind', 'reward_cost', definition -> 'reward_cost', 'gift', definition -> 'gift',
        'reward_cap', definition -> 'reward_cap', 'tiers', definition -> 'tiers',
        'arms', (SELECT jsonb_agg(a.arm - 'weight' ORDER BY a.place)
                 FROM jsonb_array_elements(nullif(definition -> 'arms', 'null')) WITH ORDINALITY a (arm, place)))
$$;
COMMENT ON FUNCTION clientele._learnable_terms(jsonb) IS
    'What the estimates of learn_offer() are about: while it stays the same, so do they.';

CREATE FUNCTION clientele._retire_estimates(store name, program text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('UPDATE %I.models m SET in_use = false WHERE m.kind = ''offer:'' || $1 AND m.in_use', store) USING program;
END $$;
COMMENT ON FUNCTION clientele._retire_estimates(name, text) IS 'Takes out of use what was learnt of a program whose terms are others now.';

CREATE FUNCTION clientele._set_arm_weights(store name, program text, weights double precision[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
    definition jsonb;
    arms jsonb;
BEGIN
    PERFORM clientele._lock_store(store);
    PERFORM clientele._check_program(store, program);
    definition := clientele._program_in_book(store, program);
    SELECT jsonb_agg(a.arm || jsonb_build_object('weight', weights[a.place]) ORDER BY a.place) INTO arms
        FROM jsonb_array_elements(nullif(definition -> 'arms', 'null')) WITH ORDINALITY a (arm, place);
    IF jsonb_array_length(arms) IS DISTINCT FROM cardinality(weights) THEN
        RAISE EXCEPTION 'program "%" has other arms than there are weights', program USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('Arms: %s; weights: %s.', coalesce(jsonb_array_length(arms), 0), cardinality(weights)),
            HINT = 'The program was redefined in the meantime: clientele.learn_offer() says what it would weigh now.';
    END IF;
    PERFORM clientele._write_program(store, definition || jsonb_build_object('arms', arms));
END $$;
COMMENT ON FUNCTION clientele._set_arm_weights(name, text, double precision[]) IS
    'Gives the arms of a program other weights, in their order: a new version of it; owner only. What was learnt of the arms stays in use.';

-- ---- The global holdout ----

CREATE FUNCTION clientele.set_global_holdout(store name, share double precision) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require('share', share IS NOT NULL);
    PERFORM clientele._lock_store(store);
    EXECUTE format('UPDATE %I.settings SET global_holdout = $1', store) USING share;
    PERFORM clientele._regenerate_offers(store);
END $$;
COMMENT ON FUNCTION clientele.set_global_holdout(name, double precision) IS
    'Holds a share of the customers out of every program of a store: those with bucket(''SEED:global'', customer) below it, where SEED '
    'is the name that the store was created under; owner only. From 0, below 1; NULL is an error. Offers that are open stay open.';

-- ---- Contacts ----

-- What of it makes no sense is refused by whoever writes the book.
CREATE FUNCTION clientele.set_contact_limit(store name, most integer, per interval) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET intervalstyle = 'postgres' AS $$
BEGIN
    PERFORM clientele._lock_store(store);
    IF (most IS NULL) <> (per IS NULL) THEN
        RAISE EXCEPTION 'a contact limit needs most and per' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('most is %s, per is %s.', coalesce(most::text, 'NULL'), coalesce(per::text, 'NULL')),
            HINT = 'Such as most => 3, per => ''30 days''; NULL for both takes the limit away.';
    END IF;
    PERFORM clientele._warn_of_seconds('per', per);
    EXECUTE format('UPDATE %I.settings SET options = (coalesce(options, ''{}'') - ''contact_limit'') || $1', store)
        USING CASE WHEN most IS NULL THEN '{}' ELSE jsonb_build_object('contact_limit', jsonb_build_object('most', most, 'per', per)) END;
    PERFORM clientele._regenerate_offers(store);
END $$;
COMMENT ON FUNCTION clientele.set_contact_limit(name, integer, interval) IS
    'Limits how often a customer is enrolled by the programs of a store, all of them together: most times within per, counted in the '
    'store''s time zone; owner only. Who was held out counts as who was offered something, and a voided offer as any other: what was sent '
    'was sent. Beyond it programs refuse, with the reason contact_limit. most: from 1; per: above 0, up to 100 years. NULL for both: no '
    'limit. Offers that are open stay open.';
