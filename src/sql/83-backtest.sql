-- Looking back: what a definition of a program would have offered at times in the past, and what those customers did.

CREATE TYPE clientele.backtest_part AS (
    step_at timestamptz, segment text, status text, reason text, customers bigint, thresholds numeric, rewards numeric,
    ordered bigint, natural_qualifiers bigint, natural_cost numeric, gaps numeric[], profits double precision[]);
COMMENT ON TYPE clientele.backtest_part IS
    'Internal: of a step, the customers of a segment who would have been decided alike. thresholds, rewards: sums over them. profits: what '
    'they were expected to earn, by the response in use and by each of the draws around it.';

CREATE TYPE clientele.backtest_report AS (
    step_at timestamptz, segment text, customers bigint, offered bigint, held_out bigint, refused bigint, refusals jsonb,
    mean_threshold numeric, greatest_cost numeric, ordered bigint, natural_qualifiers bigint, natural_share double precision,
    natural_cost numeric, gaps numeric[], profit numeric, profit_low numeric, profit_high numeric, note text);
COMMENT ON TYPE clientele.backtest_report IS
    'What backtest_offer() finds, over all steps (step_at NULL), of all customers (segment NULL), of a segment, or at a step. A customer '
    'counts once a step.';
COMMENT ON COLUMN clientele.backtest_report.refusals IS 'How many were refused, by the first reason.';
COMMENT ON COLUMN clientele.backtest_report.mean_threshold IS 'The mean min_spend of what would have been offered.';
COMMENT ON COLUMN clientele.backtest_report.greatest_cost IS
    'The sum of the rewards that would have been offered, the greatest where there are tiers.';
COMMENT ON COLUMN clientele.backtest_report.ordered IS
    'Of those offered something, who placed an order within the time for which it would have been valid.';
COMMENT ON COLUMN clientele.backtest_report.natural_qualifiers IS
    'Of those, whose order reached the threshold without having been asked: they would have been paid. An upper bound where offers ran '
    'then.';
COMMENT ON COLUMN clientele.backtest_report.natural_share IS 'natural_qualifiers of offered.';
COMMENT ON COLUMN clientele.backtest_report.natural_cost IS 'Their rewards: the cost that is certain.';
COMMENT ON COLUMN clientele.backtest_report.gaps IS
    'What the greatest order lacked of the threshold, of those who ordered and did not reach it: the 10th, 25th, 50th, 75th and 90th '
    'percentile, in the currency.';
COMMENT ON COLUMN clientele.backtest_report.profit IS
    'What those offers are expected to earn beyond no offers, by the response in use: of both ways of setting terms by the same response. '
    'With the 90 % interval of what it leaves open, profit_low to profit_high. Of more than 10,000 customers, by that many of them, '
    'others at each step. NULL without a response, and of other objectives than grow_order_value.';

CREATE FUNCTION clientele._offer_profits(book jsonb, input clientele.offer_input, program text, min_spend numeric, reward numeric)
    RETURNS double precision[]
    AS 'MODULE_PATHNAME', 'clientele_offer_profits' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000;
COMMENT ON FUNCTION clientele._offer_profits(jsonb, clientele.offer_input, text, numeric, numeric) IS
    'What an offer of a program of a book is expected to earn with a customer, by the response of the book, and by each of the draws '
    'around it; NULL where there is no response, nothing is known of the customer''s spending, or the program does not grow the order '
    'value.';

CREATE FUNCTION clientele._profit_interval(profits double precision[]) RETURNS double precision[]
    AS 'MODULE_PATHNAME', 'clientele_profit_interval' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._profit_interval(double precision[]) IS
    'Of sums of _offer_profits(): what is expected, and the 90 % interval of the draws.';

CREATE FUNCTION clientele._sum_of_rows(sums double precision[], numbers double precision[]) RETURNS double precision[]
    AS 'MODULE_PATHNAME', 'clientele_sum_of_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._sum_of_rows(double precision[], double precision[]) IS 'Transition function of _sum_of_rows().';
CREATE AGGREGATE clientele._sum_of_rows(numbers double precision[]) (
    SFUNC = clientele._sum_of_rows, STYPE = double precision[], PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele._sum_of_rows(double precision[]) IS
    'The sums of arrays of one length, number by number; NULLs are left out.';

-- Who is asked about a time in the past is asked without the ledger: what was issued then was issued by other definitions.
CREATE FUNCTION clientele._backtest_book(store name, definition jsonb) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    book jsonb;
BEGIN
    EXECUTE format('SELECT %I._offer_book()', store) INTO book;
    RETURN (book - 'contact_limit') || jsonb_build_object('programs', jsonb_build_array(definition
        - '{starts_at,ends_at,max_per_customer,cooldown,budget,consent}'::text[]));
END $$;
COMMENT ON FUNCTION clientele._backtest_book(name, jsonb) IS
    'A store''s book with this one program, and without what depends on the calendar or on what was issued.';

-- What is known of all customers at $1: as _offer_inputs_at() has it, but counted as a refresh counts, and without the ledger.
CREATE FUNCTION clientele._backtest_inputs(store name) RETURNS text
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(clientele._offer_inputs_query(), clientele._fact_names(s), store,
        clientele._fill(clientele._facts_query(store, s), 'base', format('(%s)',
            clientele._base_query(s, format('(%s)', clientele._counted_query(store, '$1')), '$1'))), 'false', 'false',
        format('%I._ledger', store))
    FROM clientele._settings(store) s
$$;
COMMENT ON FUNCTION clientele._backtest_inputs(name) IS 'The query for what was known of all customers at a time ($1).';

-- $1: the step, $2: the book, $3: for how long offers are valid, $4: the program, $5: of which share of the customers profits are looked
-- at: another sample at each step, and the same one whatever the terms. Of a customer the greatest order counts: that is the one
-- that would have been paid for. What came after the step is what was not known at it; orders are read of the days that the validity can
-- touch. The season is that of now: it says nothing of then.
CREATE FUNCTION clientele._backtest_query(store name, program text, consent text, has_response boolean) RETURNS text
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill('
        WITH asked AS (
            SELECT i.customer_id, i.segment, ROW({input}, {no_consent})::clientele.offer_input AS input FROM ({inputs}) i
        ), decided AS MATERIALIZED (
            SELECT i.customer_id, i.segment, d.status, CASE d.status WHEN ''refused'' THEN d.reasons[1] END AS reason,
                d.min_spend, d.reward, d.tiers, d.currency, d.valid_until, {profits} AS profits
            FROM asked i CROSS JOIN LATERAL clientele._decide_programs($2, i.input, NULL) d
        ), spent AS (
            SELECT d.customer_id, max(o.amount) AS amount FROM decided d
            JOIN {store}._orders o ON o.customer_id = d.customer_id AND o.ordered_at > $1 AND o.ordered_at < d.valid_until
                AND o.ordered_at < $1 + $3 + interval ''2 days''
            WHERE d.status = ''offered'' AND o.amount >= 0 GROUP BY d.customer_id
        )
        SELECT array_agg(ROW($1, p.segment, p.status, p.reason, p.customers, p.thresholds, p.rewards, p.ordered, p.natural_qualifiers,
            p.natural_cost, p.gaps, p.profits)::clientele.backtest_part ORDER BY p.segment, p.status, p.reason)
        FROM (SELECT d.segment, d.status, d.reason, count(*) AS customers,
                sum(d.min_spend) FILTER (WHERE d.status = ''offered'') AS thresholds,
                sum(clientele._greatest_cost(d.reward, d.tiers)) FILTER (WHERE d.status = ''offered'') AS rewards,
                count(s.amount) AS ordered,
                count(*) FILTER (WHERE s.amount >= d.min_spend) AS natural_qualifiers,
                sum(clientele._reward_for(d.reward, d.tiers, s.amount, d.currency)) FILTER (WHERE s.amount >= d.min_spend)
                    AS natural_cost,
                array_agg(d.min_spend - s.amount) FILTER (WHERE s.amount < d.min_spend) AS gaps,
                clientele._sum_of_rows(d.profits) AS profits
            FROM decided d LEFT JOIN spent s ON s.customer_id = d.customer_id GROUP BY d.segment, d.status, d.reason) p',
        'store', quote_ident(store),
        'inputs', CASE WHEN consent IS NULL THEN format('SELECT a.*, true AS consents FROM (%s) a', clientele._backtest_inputs(store))
            ELSE format('SELECT a.*, c.consents FROM (%3$s) a JOIN (
                SELECT customers.customer_id, (%2$s) IS TRUE AS consents FROM %1$I.customers_at($1) customers) c
                ON c.customer_id = a.customer_id', store, consent, clientele._backtest_inputs(store)) END,
        'no_consent', clientele._without_consent('i.no_consent', program, 'i.consents'),
        'profits', CASE WHEN has_response
            THEN 'CASE WHEN d.status = ''offered'' AND d.reward_kind = ''amount_off'' AND d.tiers IS NULL
                    AND clientele.bucket($1::text, (i.input).customer) < $5
                THEN clientele._offer_profits($2, i.input, $4, d.min_spend, d.reward) END'
            ELSE 'NULL::double precision[]' END,
        'input', regexp_replace(clientele._columns_of('clientele.offer_input', 'i.', '{no_consent}'), 'i\.(history|open|season)\M', 'NULL',
            'g'))
$$;
COMMENT ON FUNCTION clientele._backtest_query(name, text, text, boolean) IS
    'The query for what a book would have offered at a time, and what became of it; and earns, where the book has a response.';

CREATE FUNCTION clientele._backtest_steps("from" timestamptz, "to" timestamptz, step interval, valid_for interval) RETURNS timestamptz[]
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    most constant integer := 400;
    latest constant timestamptz := now() - valid_for - interval '1 day';
    steps timestamptz[];
BEGIN
    IF NOT isfinite("from") OR NOT isfinite("to") OR "from" >= "to" OR "to" > now() THEN
        RAISE EXCEPTION 'invalid time to look back to' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('from is %s, to is %s.', "from", "to"), HINT = 'Accepted: from before to, both finite, neither in the future.';
    ELSIF NOT isfinite(step) OR step < '1 hour' THEN
        RAISE EXCEPTION 'invalid step: %', step USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Accepted: 1 hour or more, such as ''14 days''.';
    ELSIF ("to" - "from") > most * justify_interval(step) THEN
        RAISE EXCEPTION 'too many steps' USING ERRCODE = 'program_limit_exceeded',
            DETAIL = format('From %s to %s, every %s.', "from", "to", step), HINT = format('At most %s: pass a longer step.', most);
    END IF;
    steps := ARRAY(SELECT s FROM generate_series("from", "to", step) s WHERE s < "to" AND s <= latest);
    IF steps = '{}' THEN
        RAISE EXCEPTION 'no offer would have ended yet' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('The first would have been made at %s, and been valid for %s.', "from", valid_for),
            HINT = 'Pass an earlier from.';
    END IF;
    RETURN steps;
END $$;
COMMENT ON FUNCTION clientele._backtest_steps(timestamptz, timestamptz, interval, interval) IS
    'The times at which backtest_offer() looks: those from which on offers would have ended by now. Refuses what are none.';

CREATE FUNCTION clientele._backtest_note(store name, steps timestamptz[], valid_for interval) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shown bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %I.ledger l WHERE l.holdout IS NULL AND l.issued_at < $2 AND l.valid_until > $1', store)
        INTO shown USING steps[1], steps[cardinality(steps)] + valid_for;
    RETURN concat_ws('; ', 'today''s orders, attributes, rules and models as of then: what was changed since counts as it is now',
        'without offers that were drawn at random history bounds what an offer costs, and cannot show what it would have added',
        CASE WHEN shown > 0 THEN format('%s offers ran then: natural qualifiers are an upper bound', shown) END);
END $$;
COMMENT ON FUNCTION clientele._backtest_note(name, timestamptz[], interval) IS 'What to know before reading a back-test.';

-- Twenty-five integrals a customer.
CREATE FUNCTION clientele._profit_sample(store name) RETURNS double precision
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    most constant double precision := 10000;
    customers bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %I.profiles p', store) INTO customers;
    RETURN least(1, most / greatest(customers, 1));
END $$;
COMMENT ON FUNCTION clientele._profit_sample(name) IS 'Of which share of the customers a back-test computes what offers earn.';

CREATE FUNCTION clientele._backtest_rows(parts clientele.backtest_part[], sampled double precision, note text)
    RETURNS SETOF clientele.backtest_report
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH parts AS MATERIALIZED (
        SELECT * FROM unnest(parts)
    ), levels AS MATERIALIZED (
        SELECT DISTINCT l.by_step, l.by_segment, CASE WHEN l.by_step THEN p.step_at END AS step_at,
            CASE WHEN l.by_segment THEN p.segment END AS segment
        FROM parts p CROSS JOIN (VALUES (false, false), (false, true), (true, false)) l (by_step, by_segment)
    ), members AS MATERIALIZED (
        SELECT l.by_step, l.by_segment, l.step_at AS at, l.segment AS of_segment, p.* FROM levels l JOIN parts p
            ON (NOT l.by_step OR p.step_at = l.step_at) AND (NOT l.by_segment OR p.segment IS NOT DISTINCT FROM l.segment)
    ), refused AS (
        SELECT r.by_step, r.by_segment, r.at, r.of_segment, jsonb_object_agg(r.reason, r.customers) AS refusals
        FROM (SELECT m.by_step, m.by_segment, m.at, m.of_segment, m.reason, sum(m.customers) AS customers FROM members m
              WHERE m.reason IS NOT NULL GROUP BY 1, 2, 3, 4, 5) r GROUP BY 1, 2, 3, 4
    ), lacking AS (
        SELECT m.by_step, m.by_segment, m.at, m.of_segment,
            percentile_disc('{0.1,0.25,0.5,0.75,0.9}'::float8[]) WITHIN GROUP (ORDER BY g) AS gaps
        FROM members m CROSS JOIN LATERAL unnest(m.gaps) g GROUP BY 1, 2, 3, 4
    ), counted AS (
        SELECT m.by_step, m.by_segment, m.at, m.of_segment, sum(m.customers)::bigint AS customers,
            coalesce(sum(m.customers) FILTER (WHERE m.status = 'offered'), 0)::bigint AS offered,
            coalesce(sum(m.customers) FILTER (WHERE m.status = 'held_out'), 0)::bigint AS held_out,
            coalesce(sum(m.customers) FILTER (WHERE m.status = 'refused'), 0)::bigint AS refused,
            sum(m.thresholds) AS thresholds, coalesce(sum(m.rewards), 0) AS rewards, sum(m.ordered)::bigint AS ordered,
            sum(m.natural_qualifiers)::bigint AS natural_qualifiers, coalesce(sum(m.natural_cost), 0) AS natural_cost,
            clientele._profit_interval(clientele._sum_of_rows(m.profits)) AS profits
        FROM members m GROUP BY 1, 2, 3, 4)
    SELECT c.at, c.of_segment, c.customers, c.offered, c.held_out, c.refused, coalesce(r.refusals, '{}'),
        round(c.thresholds / nullif(c.offered, 0), 2), c.rewards, c.ordered, c.natural_qualifiers,
        c.natural_qualifiers / nullif(c.offered, 0)::double precision, c.natural_cost, g.gaps,
        round((c.profits[1] / sampled)::numeric, 2), round((c.profits[2] / sampled)::numeric, 2),
        round((c.profits[3] / sampled)::numeric, 2), CASE WHEN NOT c.by_step AND NOT c.by_segment THEN note END
    FROM counted c
    LEFT JOIN refused r ON (r.by_step, r.by_segment) = (c.by_step, c.by_segment) AND r.at IS NOT DISTINCT FROM c.at
        AND r.of_segment IS NOT DISTINCT FROM c.of_segment
    LEFT JOIN lacking g ON (g.by_step, g.by_segment) = (c.by_step, c.by_segment) AND g.at IS NOT DISTINCT FROM c.at
        AND g.of_segment IS NOT DISTINCT FROM c.of_segment
    ORDER BY c.by_step, c.by_segment, c.of_segment, c.at
$$;
COMMENT ON FUNCTION clientele._backtest_rows(clientele.backtest_part[], double precision, text) IS
    'The rows of backtest_offer(): of all, by segment, and by step.';

CREATE FUNCTION clientele._backtest(store name, program text, terms jsonb, "from" timestamptz, "to" timestamptz, step interval)
    RETURNS SETOF clientele.backtest_report
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET jit = off AS $$
DECLARE
    definition jsonb;
    book jsonb;
    query text;
    valid_for interval;
    steps timestamptz[];
    step_at timestamptz;
    parts clientele.backtest_part[];
    found clientele.backtest_part[] := '{}'::clientele.backtest_part[];
    sampled double precision;
BEGIN
    PERFORM clientele._require(a.name, a.given) FROM (VALUES ('"from"', "from" IS NOT NULL), ('step', step IS NOT NULL)) a (name, given);
    PERFORM clientele._require_store(store);
    PERFORM clientele._require_attached(store);
    definition := clientele._offer_definition(store, program, terms);
    PERFORM set_config('timezone', clientele._check_time_zone((clientele._settings(store)).time_zone), true);
    PERFORM clientele._require_all_rows(store);
    valid_for := (definition ->> 'valid_for')::interval;
    steps := clientele._backtest_steps("from", coalesce("to", now()), step, valid_for);
    book := clientele._backtest_book(store, definition);
    query := clientele._backtest_query(store, program, definition ->> 'consent', book ? 'response');
    sampled := clientele._profit_sample(store);
    FOREACH step_at IN ARRAY steps LOOP
        EXECUTE query INTO parts USING step_at, book, valid_for, program, sampled;
        found := found || parts;
    END LOOP;
    RETURN QUERY SELECT * FROM clientele._backtest_rows(found, sampled, clientele._backtest_note(store, steps, valid_for));
END $$;
COMMENT ON FUNCTION clientele._backtest(name, text, jsonb, timestamptz, timestamptz, interval) IS
    'backtest_offer() of terms by name.';

CREATE FUNCTION clientele.backtest_offer(
    store name, program text, objective text,
    segments text[] DEFAULT NULL, stretch numeric DEFAULT 1.4, reward_rate numeric DEFAULT NULL,
    max_cv double precision DEFAULT 0.45, valid_for interval DEFAULT '14 days', holdout double precision DEFAULT 0,
    starts_at timestamptz DEFAULT NULL, ends_at timestamptz DEFAULT NULL,
    max_per_customer integer DEFAULT NULL, cooldown interval DEFAULT NULL, budget numeric DEFAULT NULL, arms jsonb DEFAULT NULL,
    message text DEFAULT 'Spend {min_spend} or more and get {reward} off', disclosure text DEFAULT NULL,
    priority integer DEFAULT NULL, max_min_spend numeric DEFAULT NULL, max_reward numeric DEFAULT NULL,
    terms text DEFAULT 'stretch', spread numeric DEFAULT 2,
    progress_message text DEFAULT '{gap} more and you get {reward} off', consent text DEFAULT NULL,
    reward_kind text DEFAULT 'amount_off', reward_cost numeric DEFAULT NULL, gift text DEFAULT NULL,
    explore jsonb DEFAULT NULL, contact_cost numeric DEFAULT 0, min_profit numeric DEFAULT 0, min_reward numeric DEFAULT 0,
    reward_cap numeric DEFAULT NULL, tiers jsonb DEFAULT NULL,
    "from" timestamptz DEFAULT NULL, "to" timestamptz DEFAULT NULL, step interval DEFAULT '14 days')
    RETURNS SETOF clientele.backtest_report
    LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT * FROM clientele._backtest(store, program,
        clientele._offer_terms(objective, segments, stretch, reward_rate, max_cv, valid_for, holdout, starts_at, ends_at, max_per_customer,
            cooldown, budget, arms, message, disclosure, priority, max_min_spend, max_reward, terms, spread,
            progress_message, explore, contact_cost, min_profit, min_reward, consent, reward_kind, reward_cost, gift, reward_cap, tiers),
        "from", "to", step)
$$;
COMMENT ON FUNCTION clientele.backtest_offer(name, text, text, text[], numeric, numeric, double precision, interval, double precision,
    timestamptz, timestamptz, integer, interval, numeric, jsonb, text, text, integer, numeric, numeric, text, numeric, text,
    text, text, numeric, text, jsonb, numeric, numeric, numeric, numeric, jsonb, timestamptz, timestamptz, interval) IS
    'What define_offer() with the same terms would have offered in the past, and what those customers did: at "from", and again after each '
    'step, before "to" (NULL: now), from the orders until then; the times of which offers would not have ended by now are left out. '
    'A row for all, one a segment, one a step. Natural qualifiers are those who reached the threshold within the validity without having '
    'been asked: their rewards are a cost that is certain. Where a response is in use, profit is what it expects of those offers, with '
    'its 90 % interval. '
    'Decided as if nothing had been issued: caps, cool-downs, budgets, contact limits, and starts_at and ends_at do not count. Rules, '
    'attributes, models and the states of orders are those of now. Writes nothing. What define_offer() refuses is refused, and who does '
    'not see all customers and orders (42501).';
