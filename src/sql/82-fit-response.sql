-- Learning how orders respond to offers: the log is fitted, and what ways of setting terms would earn is told with its uncertainty.

CREATE TYPE clientele.response_fit AS (
    version integer, in_use boolean,
    exposures bigint, held_out bigint, orders bigint, redemptions bigint, drawn_redemptions bigint,
    converged boolean, log_likelihood double precision, parameters jsonb, standard_errors jsonb,
    reach_pvalue double precision, reach jsonb,
    extra_orders double precision, extra_orders_error double precision, extra_orders_measured double precision,
    extra_orders_measured_error double precision,
    in_use_profit double precision, in_use_profit_low double precision, in_use_profit_high double precision,
    spread_profit double precision, spread_profit_low double precision, spread_profit_high double precision,
    uniform_stretch numeric, uniform_reward_rate numeric,
    uniform_profit double precision, uniform_profit_low double precision, uniform_profit_high double precision,
    learned_profit double precision, learned_profit_low double precision, learned_profit_high double precision,
    learned_share double precision,
    exploring_cost double precision, exploring_cost_low double precision, exploring_cost_high double precision,
    note text);
COMMENT ON TYPE clientele.response_fit IS 'What fit_response() finds.';
COMMENT ON COLUMN clientele.response_fit.version IS 'The version of the model response that it is.';
COMMENT ON COLUMN clientele.response_fit.in_use IS
    'Whether it was put in use: only where the lower bound of what learned terms would earn is above 0.';
COMMENT ON COLUMN clientele.response_fit.exposures IS
    'Exposures whose horizon is over and of whose customer the next order was known, held_out of them held out.';
COMMENT ON COLUMN clientele.response_fit.orders IS 'The orders within their horizons, each up to the customer''s next exposure.';
COMMENT ON COLUMN clientele.response_fit.redemptions IS
    'Offers whose threshold an order reached; drawn_redemptions: of terms that were drawn at random.';
COMMENT ON COLUMN clientele.response_fit.parameters IS
    'a: the log odds that an attentive customer raises an order at a gap of 40 % for 5 % of the threshold, d: by how much segments differ '
    'in it; lb: ln of what 40 points more gap take off; c: what a reward e times as large adds; delta, ltau: season, and ln of what '
    'spreads misjudge; lomega: ln of by how much raised orders exceed the threshold; lA: the log odds that a customer pays attention; '
    'lq: of redeeming what was reached (settling finds all: not used). standard_errors: the same; customers recur.';
COMMENT ON COLUMN clientele.response_fit.reach_pvalue IS
    'Whether redemptions by drawn terms are as predicted (reach): the p-value of chi-square.';
COMMENT ON COLUMN clientele.response_fit.extra_orders IS
    'Orders a customer and horizon that come only because of an offer, at the mean reward, with extra_orders_error: as measured, and '
    'shrunk towards 0 by a prior of mean 0 and standard deviation 0.005; or as given.';
COMMENT ON COLUMN clientele.response_fit.in_use_profit IS
    'What a customer earns over the horizon beyond no offer, in the currency, by the terms as they are now, counting on no more extra '
    'orders than are sure, with the 90 % interval of what the fit and the extra orders as measured leave open. Customers are a sample of '
    'about 1,000.';
COMMENT ON COLUMN clientele.response_fit.spread_profit IS 'The same by terms => ''spread'' with its defaults.';
COMMENT ON COLUMN clientele.response_fit.uniform_profit IS
    'The same by the best single pair of stretch and reward rate of those that were drawn.';
COMMENT ON COLUMN clientele.response_fit.learned_profit IS
    'The same by choosing each customer''s terms; learned_share: the share of customers for whom any are worth it.';
COMMENT ON COLUMN clientele.response_fit.exploring_cost IS
    'What a customer who gets terms drawn at random earns less than by learned ones.';
COMMENT ON COLUMN clientele.response_fit.note IS 'What to know before relying on it; NULL: nothing.';

CREATE TYPE clientele._response_findings AS (
    converged boolean, log_likelihood double precision, reach_p double precision, mode double precision[], errors double precision[],
    covariance double precision[], arms double precision[], extra double precision[], profits double precision[]);
COMMENT ON TYPE clientele._response_findings IS
    'Internal: what is found, as numbers. arms: arm, open orders, predicted and observed redemptions of each; extra: extra orders and '
    'their error at the mean reward, the same by reward, and as measured; those by reward as redemptions have them, and the orders of an '
    'exposure that come anyway; profits: of the five ways of setting terms with their '
    'intervals, the best pair, and the share offered learned terms; none where nothing converged.';

CREATE FUNCTION clientele._fit_response(orders double precision[], exposures double precision[], customers double precision[],
    stretches double precision[], rates double precision[], order_rate double precision[], segments integer, decimals integer,
    extra_orders double precision, displaced double precision) RETURNS clientele._response_findings
    AS 'MODULE_PATHNAME', 'clientele_fit_response' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION clientele._fit_response(double precision[], double precision[], double precision[], double precision[],
    double precision[], double precision[], integer, integer, double precision, double precision) IS
    'Fits the response to a log, and computes what ways of setting terms would earn. Tables are arrays of two dimensions, none where '
    'NULL: orders (customer, log_mean, log_sd, min_spend, reward, segment, arm, open, redeemed, value), exposures (customer, stratum, '
    'arm, reward by median order, orders, those of the year before), customers (log_mean, log_sd, orders, segment, margin, reference '
    'value, min_spend, reward). order_rate: mean and variance of customers'' orders, in so many days, and the horizon.';

-- ---- The log ----

-- Parameters: from, to, horizon. An order belongs to the last exposure before it.
CREATE FUNCTION clientele._response_log(store name) RETURNS text
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill('
        numbered AS (
            SELECT l.*, lead(l.issued_at) OVER (PARTITION BY l.customer_id ORDER BY l.period) AS next_at FROM {store}._ledger l
        ), enrolled AS MATERIALIZED (
            SELECT l.*, dense_rank() OVER (ORDER BY l.customer_id) AS customer,
                dense_rank() OVER (ORDER BY l.program, l.program_version) AS stratum,
                CASE WHEN l.drawn_stretch IS NULL THEN -1
                    ELSE dense_rank() OVER (ORDER BY l.drawn_stretch, l.drawn_reward_rate) - 1 END AS arm
            FROM numbered l JOIN {store}.program_versions v ON v.program = l.program AND v.version = l.program_version
            WHERE v.definition ->> ''objective'' = ''grow_order_value'' AND l.reward_kind = ''amount_off'' AND l.tiers IS NULL
                AND l.issued_at >= $1 AND l.issued_at < $2
                AND l.issued_at + $3 <= now() AND l.status <> ''void'' AND l.log_sd > 0
        ), placed AS MATERIALIZED (
            SELECT l.exposure_id, o.ordered_at, o.amount, {reaches} AS reaches,
                l.holdout IS NULL AND o.ordered_at < l.valid_until AS is_valid, (o.ordered_at < l.next_at) IS NOT FALSE AS is_own
            FROM enrolled l JOIN {store}._orders o ON o.customer_id = l.customer_id AND {placed_since}
                AND o.ordered_at < l.issued_at + $3 AND o.amount > 0
        ), outcomes AS (
            SELECT p.*, p.is_valid AND bool_or(p.reaches) OVER (PARTITION BY p.exposure_id ORDER BY p.ordered_at, p.amount
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) IS NOT TRUE AS is_open
            FROM placed p WHERE p.is_own
        )', 'store', quote_ident(store), 'reaches', clientele._reaches(store),
        'placed_since', clientele._placed_since(store, 'o.ordered_at', 'l.issued_at'))
$$;
COMMENT ON FUNCTION clientele._response_log(name) IS
    'What the response is fitted to, as common table expressions: enrolled, a row an exposure of one amount by the programs that grow '
    'the order value whose horizon is over; placed, a row an order within its horizon; outcomes, those before the customer''s next '
    'exposure, and whether the offer was open to them.';

-- $1 to $3: as above; $4: segments.
CREATE FUNCTION clientele._response_tables(store name, "from" timestamptz, "to" timestamptz, horizon interval, segments text[],
        OUT orders double precision[], OUT exposures double precision[], OUT stretches double precision[], OUT rates double precision[],
        OUT counts bigint[], OUT arms jsonb, OUT first_at timestamptz)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
BEGIN
    EXECUTE clientele._fill('
        WITH {log}, fitted AS (
            SELECT l.customer, l.holdout, l.arm, o.is_open, o.is_open AND o.reaches AS redeemed,
                ARRAY[l.customer, l.log_mean, l.log_sd, l.min_spend, l.reward, coalesce(array_position($4, l.segment), 0) - 1, l.arm,
                    o.is_open::integer, (o.is_open AND o.reaches)::integer, o.amount]::double precision[] AS numbers
            FROM outcomes o JOIN enrolled l USING (exposure_id)
        ), counted AS (
            SELECT l.exposure_id, count(p.exposure_id) AS orders
            FROM enrolled l LEFT JOIN placed p USING (exposure_id) GROUP BY l.exposure_id
        ), known AS (
            SELECT l.exposure_id, count(*) AS orders FROM enrolled l JOIN {store}._orders o ON o.customer_id = l.customer_id
                AND o.ordered_at >= l.issued_at - interval ''365 days'' AND o.ordered_at < l.issued_at AND NOT {placed_since}
                AND o.amount > 0
            GROUP BY l.exposure_id
        )
        SELECT (SELECT array_agg(f.numbers) FROM fitted f),
            (SELECT array_agg(ARRAY[l.customer, l.stratum, CASE WHEN l.holdout IS NULL THEN l.arm ELSE -2 END,
                CASE WHEN l.holdout IS NULL THEN l.reward::double precision / exp(l.log_mean) ELSE 0 END, c.orders,
                coalesce(k.orders, 0)]::double precision[])
             FROM enrolled l JOIN counted c USING (exposure_id) LEFT JOIN known k USING (exposure_id)
             WHERE l.holdout IS DISTINCT FROM ''global''),
            (SELECT array_agg(DISTINCT l.drawn_stretch ORDER BY l.drawn_stretch)::double precision[] FROM enrolled l
             WHERE l.drawn_stretch IS NOT NULL),
            (SELECT array_agg(DISTINCT l.drawn_reward_rate ORDER BY l.drawn_reward_rate)::double precision[] FROM enrolled l
             WHERE l.drawn_reward_rate IS NOT NULL),
            ARRAY[(SELECT count(*) FROM enrolled l), (SELECT count(*) FROM enrolled l WHERE l.holdout IS NOT NULL),
                (SELECT count(*) FROM fitted f), (SELECT count(*) FROM fitted f WHERE f.redeemed),
                (SELECT count(*) FROM fitted f WHERE f.redeemed AND f.arm >= 0), (SELECT count(DISTINCT l.customer) FROM enrolled l)],
            (SELECT jsonb_object_agg(a.arm, jsonb_build_object(''stretch'', a.drawn_stretch, ''reward_rate'', a.drawn_reward_rate))
             FROM (SELECT DISTINCT l.arm, l.drawn_stretch, l.drawn_reward_rate FROM enrolled l) a),
            (SELECT min(l.issued_at) FROM enrolled l)', 'log', clientele._response_log(store), 'store', quote_ident(store),
            'placed_since', clientele._placed_since(store, 'o.ordered_at', 'l.issued_at'))
        INTO orders, exposures, stretches, rates, counts, arms, first_at USING "from", "to", horizon, segments;
END $$;
COMMENT ON FUNCTION clientele._response_tables(name, timestamptz, timestamptz, interval, text[]) IS
    'The log as _fit_response() takes it. counts: exposures, held out, orders, redemptions, those of drawn terms, customers; arms: what '
    'was drawn, by number.';

-- At most 100, by the number of exposures.
CREATE FUNCTION clientele._response_segments(store name, "from" timestamptz, "to" timestamptz) RETURNS text[]
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    segments text[];
BEGIN
    EXECUTE clientele._fill('
        SELECT array_agg(s.segment ORDER BY s.segment)
        FROM (SELECT l.segment FROM {store}.ledger l WHERE l.issued_at >= $1 AND l.issued_at < $2 AND l.segment IS NOT NULL
            AND l.segment <> ALL ($3)
            GROUP BY l.segment ORDER BY count(*) DESC, l.segment LIMIT 100) s', 'store', quote_ident(store))
        INTO segments USING "from", "to", clientele._sensitive_segments(store);
    RETURN coalesce(segments, '{}');
END $$;
COMMENT ON FUNCTION clientele._response_segments(name, timestamptz, timestamptz) IS
    'The segments of whose customers it is learnt how they respond: of none that is sensitive, or that rests on what one is told by.';

-- A sample by hash, so that it is the same one in every fit. Terms are those of the first program that would win.
CREATE FUNCTION clientele._response_customers(store name, segments text[], OUT customers double precision[],
        OUT order_rate double precision[])
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    most constant integer := 1000;
    total bigint;
BEGIN
    EXECUTE format('SELECT count(*), ARRAY[avg(clientele.orders(p.profile)), coalesce(var_samp(clientele.orders(p.profile)), 0),
            extract(epoch FROM now() - min(clientele.first_order_at(p.profile))) / 86400]::double precision[] FROM %I.profiles p', store)
        INTO total, order_rate;
    EXECUTE clientele._fill('
        SELECT array_agg(ARRAY[clientele.log_value_mean(c.profile, c.prior), clientele.log_value_sd(c.profile, c.prior),
            clientele.orders(c.profile), coalesce(array_position($1, c.segment), 0) - 1, c.margin, c.reference_value,
            coalesce(c.min_spend, 0), coalesce(c.reward, 0)]::double precision[])
        FROM (SELECT DISTINCT ON (i.customer_id) i.profile, i.prior, i.segment, d.reference_value,
                clientele.customer_margin({store}._offer_book(), i.category_mix, i.segment) AS margin,
                CASE WHEN d.status <> ''refused'' THEN d.min_spend END AS min_spend,
                CASE WHEN d.status <> ''refused'' THEN d.reward END AS reward
            FROM {store}._offer_inputs i
            CROSS JOIN LATERAL clientele._decide_programs({store}._offer_book(), i.input, i.budgets) d
            JOIN {store}.programs g ON g.program = d.program AND g.objective = ''grow_order_value''
                AND g.reward_kind = ''amount_off'' AND g.tiers IS NULL
            WHERE clientele.bucket(''response'', i.customer) < $2 AND i.profile IS NOT NULL AND d.reference_value > 0
            ORDER BY i.customer_id, d.status = ''refused'', g.priority) c', 'store', quote_ident(store))
        INTO customers USING segments, most::double precision / greatest(total, 1);
END $$;
COMMENT ON FUNCTION clientele._response_customers(name, text[]) IS
    'Whom ways of setting terms are compared by, as _fit_response() takes them, and how many orders all customers have placed.';

-- ---- What is made of it ----

CREATE FUNCTION clientele._order_rate(moments double precision[]) RETURNS double precision[]
    AS 'MODULE_PATHNAME', 'clientele_order_rate' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._order_rate(double precision[]) IS
    'How customers'' rates of orders vary, from mean and variance of their numbers and the days of observation: the shape of a gamma '
    'distribution, its mean a day, and the days.';

CREATE FUNCTION clientele._named_parameters(numbers double precision[], segments text[]) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('a', numbers[1], 'lb', numbers[2], 'c', numbers[3], 'delta', numbers[4], 'ltau', numbers[5],
        'lomega', numbers[6], 'lA', numbers[7], 'lq', numbers[8], 'd', coalesce((SELECT jsonb_object_agg(s.segment, numbers[8 + s.place])
            FROM unnest(segments) WITH ORDINALITY s (segment, place)), '{}'))
    WHERE cardinality(numbers) > 0
$$;
COMMENT ON FUNCTION clientele._named_parameters(double precision[], text[]) IS 'The parameters of a response by name; d by segment.';

-- As response_json.hpp reads it.
CREATE FUNCTION clientele._response_parameters(findings clientele._response_findings, segments text[], stretches double precision[],
        rates double precision[], order_rate double precision[], displaced double precision) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_object('parameters', clientele._named_parameters((findings).mode, segments)
            || jsonb_build_object('d', to_jsonb(((findings).mode)[9:])),
        'segments', segments, 'covariance', (findings).covariance, 'q_known', true, 'converged', (findings).converged,
        'stretch', ARRAY[stretches[1], stretches[cardinality(stretches)]], 'reward_rate', ARRAY[rates[1], rates[cardinality(rates)]],
        'order_rate', (SELECT jsonb_build_object('shape', r[1], 'mean', r[2], 'days', r[3]) FROM clientele._order_rate(order_rate) r),
        'horizon_days', order_rate[4], 'known_to', now(),
        'extra_orders', ((findings).extra)[3], 'extra_orders_error', ((findings).extra)[4], 'displaced', displaced)
$$;
COMMENT ON FUNCTION clientele._response_parameters(clientele._response_findings, text[], double precision[], double precision[],
    double precision[], double precision) IS 'What is stored of a fit as the parameters of a model of kind response.';

CREATE FUNCTION clientele._reach_table(arms double precision[], names jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_agg((names -> a.arm::text) || jsonb_build_object('open_orders', a.open_orders, 'predicted', round(a.predicted::numeric, 1),
        'redemptions', a.redemptions) ORDER BY a.arm)
    FROM (SELECT arms[n]::integer AS arm, arms[n + 1] AS open_orders, arms[n + 2] AS predicted, arms[n + 3] AS redemptions
        FROM generate_series(1, cardinality(arms), 4) n) a
$$;
COMMENT ON FUNCTION clientele._reach_table(double precision[], jsonb) IS
    'Predicted and observed redemptions by what was drawn; stretch and reward_rate NULL: terms that were not drawn.';

CREATE FUNCTION clientele._check_response_arguments(store name, "from" timestamptz, "to" timestamptz, INOUT horizon interval,
        extra_orders double precision, displaced double precision)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    validity interval;
BEGIN
    EXECUTE format('SELECT max((v.definition ->> ''valid_for'')::interval) FROM %I.program_versions v
        WHERE v.definition ->> ''objective'' = ''grow_order_value''', store) INTO validity;
    IF validity IS NULL THEN
        RAISE EXCEPTION 'store % has no program that grows the order value', quote_ident(store)
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'clientele.define_offer(store, program, ''grow_order_value'', ...) defines one.';
    END IF;
    horizon := coalesce(horizon, validity);
    PERFORM clientele._check_enrolled("from", "to", horizon);
    IF extra_orders NOT BETWEEN 0 AND 1 THEN
        RAISE EXCEPTION 'invalid extra_orders: %', extra_orders USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'Accepted: orders a customer and horizon, from 0 to 1; NULL: as measured.';
    END IF;
    IF displaced NOT BETWEEN 0 AND 1 THEN
        RAISE EXCEPTION 'invalid displaced: %', displaced USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'Accepted: the share of added spend that the next order lacks, from 0 to 1.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_response_arguments(name, timestamptz, timestamptz, interval, double precision, double precision) IS
    'Refuses what no response can be fitted with; the horizon, NULL for the longest time for which offers are, or were, valid.';

CREATE FUNCTION clientele._check_response_log(store name, "from" timestamptz, "to" timestamptz, horizon interval, counts bigint[])
    RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found record;
BEGIN
    IF counts[3] > 0 THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT count(*) AS exposures, count(*) FILTER (WHERE l.log_sd IS NULL) AS unknown,
            count(*) FILTER (WHERE l.issued_at + $3 > now()) AS running
        FROM %I.ledger l WHERE l.issued_at >= $1 AND l.issued_at < $2', store) INTO found USING "from", "to", horizon;
    RAISE EXCEPTION 'store % has nothing to learn from: % exposures with % orders', quote_ident(store), counts[1], counts[3]
        USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('Of %s exposures issued from %s to %s the horizon of %s is not over for %s, and of %s it was not known what '
                'the next order would be.', found.exposures, "from", "to", horizon, found.running, found.unknown),
            HINT = CASE WHEN found.exposures = 0 THEN 'Customers are enrolled where clientele.issue_offer() or issue_offers() offers them '
                    'something, or holds them out.'
                WHEN found.unknown > 0 THEN format('What is known of customers is what CALL clientele.refresh(%L) finds, before offers are '
                    'issued.', store) ELSE 'Wait, or pass a shorter horizon.' END;
END $$;
COMMENT ON FUNCTION clientele._check_response_log(name, timestamptz, timestamptz, interval, bigint[]) IS
    'Refuses a log without an order, and says what is missing.';

-- What a fit lacks to be relied on; none: empty.
CREATE FUNCTION clientele._response_lacks(findings clientele._response_findings, counts bigint[], stretches double precision[],
        rates double precision[]) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_remove(ARRAY[
        CASE WHEN counts[5] < 400 THEN format('redemptions of randomly drawn terms: %s, of 400', counts[5]) END,
        CASE WHEN coalesce(cardinality(stretches), 0) < 3
            THEN format('stretches drawn: %s, of 3', coalesce(cardinality(stretches), 0)) END,
        CASE WHEN coalesce(cardinality(rates), 0) < 2
            THEN format('reward rates drawn: %s, of 2, so that the effect of the reward is not identified',
                coalesce(cardinality(rates), 0)) END,
        CASE WHEN ((findings).reach_p > 0.01) IS NOT TRUE
            THEN format('redemptions are not as predicted: p = %s', clientele._significant((findings).reach_p)) END], NULL)
$$;
COMMENT ON FUNCTION clientele._response_lacks(clientele._response_findings, bigint[], double precision[], double precision[]) IS
    'What speaks against relying on a fit of the response.';

CREATE FUNCTION clientele._refuse_response(findings clientele._response_findings, counts bigint[], lacks text[], names jsonb) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the log says too little of how customers respond' USING ERRCODE = 'object_not_in_prerequisite_state',
        DETAIL = format('%s. There are %s exposures (%s held out), %s orders and %s redemptions; by what was drawn: %s.',
            initcap(left(array_to_string(lacks, '; '), 1)) || substr(array_to_string(lacks, '; '), 2), counts[1], counts[2], counts[3],
            counts[4], coalesce(clientele._reach_table((findings).arms, names)::text, 'nothing')),
        HINT = 'Nothing was stored. Draw more terms at random; force => true stores the fit all the same.';
END $$;
COMMENT ON FUNCTION clientele._refuse_response(clientele._response_findings, bigint[], text[], jsonb) IS
    'Refuses a fit that cannot be relied on, with the figures.';

CREATE FUNCTION clientele._response_row(findings clientele._response_findings, counts bigint[], segments text[], names jsonb)
    RETURNS clientele.response_fit
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    r clientele.response_fit;
    p double precision[] := (findings).profits;
BEGIN
    r.exposures := counts[1];
    r.held_out := counts[2];
    r.orders := counts[3];
    r.redemptions := counts[4];
    r.drawn_redemptions := counts[5];
    r.converged := (findings).converged;
    r.log_likelihood := (findings).log_likelihood;
    r.parameters := clientele._named_parameters((findings).mode, segments);
    r.standard_errors := clientele._named_parameters((findings).errors, segments);
    r.reach_pvalue := (findings).reach_p;
    r.reach := clientele._reach_table((findings).arms, names);
    r.extra_orders := ((findings).extra)[1];
    r.extra_orders_error := ((findings).extra)[2];
    r.extra_orders_measured := ((findings).extra)[5];
    r.extra_orders_measured_error := nullif(((findings).extra)[6], 'Infinity');
    r.in_use_profit := p[1];
    r.in_use_profit_low := p[2];
    r.in_use_profit_high := p[3];
    r.spread_profit := p[4];
    r.spread_profit_low := p[5];
    r.spread_profit_high := p[6];
    r.uniform_profit := p[7];
    r.uniform_profit_low := p[8];
    r.uniform_profit_high := p[9];
    r.learned_profit := p[10];
    r.learned_profit_low := p[11];
    r.learned_profit_high := p[12];
    r.exploring_cost := p[13];
    r.exploring_cost_low := p[14];
    r.exploring_cost_high := p[15];
    r.uniform_stretch := p[16];
    r.uniform_reward_rate := p[17];
    r.learned_share := p[18];
    RETURN r;
END $$;
COMMENT ON FUNCTION clientele._response_row(clientele._response_findings, bigint[], text[], jsonb) IS
    'The row that fit_response() returns, as far as it does not depend on what is stored.';

CREATE FUNCTION clientele._response_note(fitted clientele.response_fit, lacks text[], given_extra double precision) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT nullif(concat_ws('; ',
        CASE WHEN cardinality(lacks) > 0 THEN 'FORCED: ' || array_to_string(lacks, '; ') END,
        CASE WHEN given_extra IS NULL THEN 'extra orders are shrunk towards 0: a prior of mean 0 and standard deviation 0.005' END,
        CASE WHEN (fitted.learned_profit_low > 0) IS NOT TRUE
            THEN 'not put in use: learned terms are not sure to earn anything' END), '')
$$;
COMMENT ON FUNCTION clientele._response_note(clientele.response_fit, text[], double precision) IS 'What to know of a fit of the response.';

-- It computes first and locks the store then, so that neither readers nor definers wait while it computes.
CREATE FUNCTION clientele.fit_response(store name, "from" timestamptz DEFAULT NULL, "to" timestamptz DEFAULT NULL,
        horizon interval DEFAULT NULL, extra_orders double precision DEFAULT NULL, displaced double precision DEFAULT 0,
        force boolean DEFAULT false, use boolean DEFAULT true) RETURNS clientele.response_fit
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET extra_float_digits = 1 AS $$
DECLARE
    segments text[];
    log record;
    sample record;
    findings clientele._response_findings;
    lacks text[];
    fitted clientele.response_fit;
BEGIN
    PERFORM clientele._require(a.name, a.given) FROM (VALUES ('displaced', displaced IS NOT NULL), ('force', force IS NOT NULL),
        ('use', use IS NOT NULL)) a (name, given);
    PERFORM clientele._require_owner(store);
    PERFORM set_config('timezone', clientele._check_time_zone((clientele._settings(store)).time_zone), true);
    horizon := clientele._check_response_arguments(store, "from", "to", horizon, extra_orders, displaced);
    PERFORM clientele._require_all_rows(store);
    "from" := coalesce("from", '-infinity');
    "to" := coalesce("to", 'infinity');
    segments := clientele._response_segments(store, "from", "to");
    log := clientele._response_tables(store, "from", "to", horizon, segments);
    PERFORM clientele._check_response_log(store, "from", "to", horizon, log.counts);
    sample := clientele._response_customers(store, segments);
    findings := clientele._fit_response(log.orders, log.exposures, sample.customers, coalesce(log.stretches, '{}'),
        coalesce(log.rates, '{}'), sample.order_rate || (extract(epoch FROM horizon) / 86400)::double precision, cardinality(segments),
        clientele._currency_decimals((clientele._settings(store)).currency), extra_orders, displaced);
    IF NOT (findings).converged THEN
        RAISE EXCEPTION 'the fit did not converge' USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('There are %s exposures and %s orders.', log.counts[1], log.counts[3]), HINT = 'Nothing was stored.';
    END IF;
    lacks := clientele._response_lacks(findings, log.counts, log.stretches, log.rates);
    IF cardinality(lacks) > 0 AND NOT force OR coalesce(cardinality(log.stretches), 0) = 0 THEN
        PERFORM clientele._refuse_response(findings, log.counts, lacks, log.arms);
    END IF;
    fitted := clientele._response_row(findings, log.counts, segments, log.arms);
    fitted.note := clientele._response_note(fitted, lacks, extra_orders);

    PERFORM clientele._lock_store(store);
    fitted.in_use := use AND coalesce(fitted.learned_profit_low > 0, false);
    fitted.version := clientele._add_model(store, 'response',
        clientele._response_parameters(findings, segments, log.stretches, log.rates,
            sample.order_rate || (extract(epoch FROM horizon) / 86400)::double precision, displaced),
        log.first_at, now(), log.counts[6],
        to_jsonb(fitted) - '{version,in_use}'::text[] || jsonb_build_object('horizon', horizon,
            'fitted_extra_orders', ((findings).extra)[7], 'own_orders', ((findings).extra)[8],
            'terms', clientele._response_terms(store)), fitted.in_use);
    IF fitted.in_use THEN
        PERFORM clientele._note(store, 'response', NULL);
    END IF;
    RETURN fitted;
END $$;
COMMENT ON FUNCTION clientele.fit_response(name, timestamptz, timestamptz, interval, double precision, double precision, boolean, boolean)
    IS
    'Learns how orders respond to offers from the exposures issued within [from, to) (NULL: open) of all programs that grow the order '
    'value, and what ways of setting terms would earn; owner only. horizon: how long after an exposure orders count; NULL: the longest '
    'time for which offers are valid. extra_orders: orders a customer and horizon that come only because of an offer, at the mean reward; '
    'NULL: as measured, shrunk towards 0. displaced: the share of added spend that the next order lacks. One row: the version that was '
    'stored as a model of kind response, and what was found. Refused, with the figures, unless forced: fewer than 400 redemptions of '
    'terms that were drawn at random, fewer than three stretches or two reward rates, redemptions that are not as predicted (p up to '
    '0.01). Put in use only where the lower bound of what learned terms would earn is above 0; use: false: not at all.';

-- ---- The season ----

CREATE FUNCTION clientele._season(orders double precision[]) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_season' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._season(double precision[]) IS
    'What the logarithms of orders are above what was expected, shrunk towards 0; orders: rows of log_mean, log_sd and value. 0 for NULL.';

-- Who refreshes need not see the ledger: then the season stays as it was.
CREATE FUNCTION clientele._refresh_season(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
    EXECUTE clientele._fill('
        WITH held_out AS MATERIALIZED (
            SELECT l.* FROM {store}.ledger l
            WHERE l.holdout IS NOT NULL AND l.log_sd > 0 AND l.valid_until > now() - interval ''28 days''
                AND EXISTS (SELECT FROM {store}.models m WHERE m.kind = ''response'' AND m.in_use))
        UPDATE {store}.scoring s SET season = n.season
        FROM (SELECT CASE WHEN EXISTS (SELECT FROM held_out) THEN (
                SELECT clientele._season(array_agg(ARRAY[l.log_mean, l.log_sd, o.amount]::double precision[]
                    ORDER BY l.exposure_id, o.ordered_at, o.amount))
                FROM held_out l JOIN {store}._orders o ON o.customer_id = l.customer_id AND {placed_since}
                    AND o.ordered_at < l.valid_until AND o.ordered_at > now() - interval ''28 days'' AND o.amount > 0) END AS season) n
        WHERE s.season IS DISTINCT FROM n.season',
        'store', quote_ident(store), 'placed_since', clientele._placed_since(store, 'o.ordered_at', 'l.issued_at'));
EXCEPTION WHEN insufficient_privilege THEN
    RETURN;
END $$;
COMMENT ON FUNCTION clientele._refresh_season(name) IS
    'What orders are above what was expected, by customers held out in the last 28 days, where a response is in use.';

-- ---- When not to trust it ----

CREATE FUNCTION clientele._reach_pvalue(orders double precision[], parameters double precision[], q_known boolean,
    extra_orders double precision, own_orders double precision) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_reach_pvalue' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION clientele._reach_pvalue(double precision[], double precision[], boolean, double precision, double precision) IS
    'Whether redemptions are as a response, and extra orders by reward, predict them, by groups of orders, which stand where '
    '_fit_response() has arms.';

-- Exposures of the last 90 days whose horizon is over.
CREATE FUNCTION clientele._response_departures(store name, model clientele.model_version) RETURNS text[]
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
DECLARE
    segments text[] := ARRAY(SELECT jsonb_array_elements_text(model.parameters -> 'segments'));
    numbers double precision[] := ARRAY(SELECT (model.parameters -> 'parameters' ->> n.name)::double precision
            FROM unnest('{a,lb,c,delta,ltau,lomega,lA,lq}'::text[]) WITH ORDINALITY n (name, place) ORDER BY n.place)
        || ARRAY(SELECT d::double precision FROM jsonb_array_elements_text(model.parameters -> 'parameters' -> 'd') d);
    departures text[];
BEGIN
    EXECUTE clientele._fill('
        WITH {log}, grouped AS (
            SELECT g.name, l.customer, l.log_mean, l.log_sd, l.min_spend, l.reward,
                coalesce(array_position($4, l.segment), 0) - 1 AS segment,
                dense_rank() OVER (PARTITION BY g.name ORDER BY g.value) AS place, o.reaches, o.amount
            FROM outcomes o JOIN enrolled l USING (exposure_id)
            CROSS JOIN LATERAL (VALUES (''month'', to_char(l.issued_at, ''YYYY-MM'')), (''program'', l.program),
                (''exposure number'', CASE WHEN l.period = 1 THEN ''1'' WHEN l.period <= 3 THEN ''2 to 3'' ELSE ''4 and more'' END))
                g (name, value)
            WHERE o.is_open
        ), tested AS (
            SELECT g.name, clientele._reach_pvalue(array_agg(ARRAY[g.customer, g.log_mean, g.log_sd, g.min_spend, g.reward, g.segment,
                g.place, 1, g.reaches::integer, g.amount]::double precision[]), $5, true, $6, $7) AS p
            FROM grouped g GROUP BY g.name)
        SELECT array_agg(format(''redemptions by %s are not as predicted: p = %s'', t.name, clientele._significant(t.p)) ORDER BY t.name)
        FROM tested t WHERE t.p < 0.001', 'log', clientele._response_log(store))
        INTO departures USING now() - interval '90 days', 'infinity'::timestamptz,
            (model.parameters ->> 'horizon_days')::double precision * interval '1 day', segments, numbers,
            coalesce((model.diagnostics ->> 'fitted_extra_orders')::double precision, 0),
            coalesce((model.diagnostics ->> 'own_orders')::double precision, 0);
    RETURN coalesce(departures, '{}');
END $$;
COMMENT ON FUNCTION clientele._response_departures(name, clientele.model_version) IS
    'How redemptions of late depart from what a response predicts: by month, by program, and by how many offers a customer has had.';

CREATE FUNCTION clientele._response_terms(store name) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings := clientele._settings(store);
    programs jsonb;
BEGIN
    EXECUTE format('SELECT jsonb_object_agg(v.program, jsonb_build_object(''message'', v.definition -> ''message'',
            ''valid_for'', v.definition -> ''valid_for'', ''reward_kind'', v.definition -> ''reward_kind''))
        FROM (SELECT DISTINCT ON (v.program) v.* FROM %1$I.program_versions v ORDER BY v.program, v.version DESC) v
        JOIN %1$I.programs p ON p.program = v.program AND p.objective = ''grow_order_value''', store) INTO programs;
    RETURN jsonb_build_object('margin', settings.margin, 'programs', coalesce(programs, '{}')) || clientele._differing_margins(settings);
END $$;
COMMENT ON FUNCTION clientele._response_terms(name) IS
    'What must stay as it is for a response to hold: margins, and message, validity and kind of reward of each program.';

-- Programs that came or went meanwhile are none of those that it was learnt of.
CREATE FUNCTION clientele._response_changes(before jsonb, after jsonb) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(c.change ORDER BY c.change), '{}') FROM (
        SELECT 'the margins have changed' AS change WHERE before - 'programs' IS DISTINCT FROM after - 'programs'
        UNION ALL
        SELECT format('%s of program "%s" has changed', t.key, p.key) FROM jsonb_each(before -> 'programs') p
        CROSS JOIN LATERAL jsonb_each(p.value) t
        WHERE after -> 'programs' ? p.key AND t.value IS DISTINCT FROM after -> 'programs' -> p.key -> t.key) c
    WHERE before IS NOT NULL
$$;
COMMENT ON FUNCTION clientele._response_changes(jsonb, jsonb) IS 'What has changed of what must stay as it is for a response to hold.';

-- Who refreshes and is not the owner may not replace what decides: then the owner's next refresh finds it.
CREATE FUNCTION clientele._check_response(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    model clientele.model_version;
    reasons text[];
BEGIN
    EXECUTE format('SELECT * FROM %I.models m WHERE m.kind = ''response'' AND m.in_use', store) INTO model;
    IF model.version IS NULL OR model.parameters -> 'outdated' = 'true'
        OR NOT pg_has_role((SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = store), 'USAGE') THEN
        RETURN;
    END IF;
    reasons := clientele._response_changes(model.diagnostics -> 'terms', clientele._response_terms(store))
        || clientele._response_departures(store, model);
    IF cardinality(reasons) > 0 THEN
        EXECUTE format('UPDATE %I.models m SET parameters = m.parameters || ''{"outdated": true}'',
                diagnostics = m.diagnostics || jsonb_build_object(''outdated'', $2)
            WHERE m.kind = ''response'' AND m.version = $1', store) USING model.version, reasons;
        PERFORM clientele._regenerate_offers(store);
        PERFORM clientele._note(store, 'response', ARRAY[clientele._fact('response', since => now(),
            detail => array_to_string(reasons, '; '))]);
        RAISE WARNING 'the response to offers of store % does not hold any more', quote_ident(store)
            USING DETAIL = array_to_string(reasons, '; ') || '.',
                HINT = 'Outside exploration no learned offers are made until clientele.fit_response() has learnt it again.';
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RETURN;
END $$;
COMMENT ON FUNCTION clientele._check_response(name) IS
    'Marks the response in use as outdated where what it was learnt of has changed, or where redemptions are not as it predicts.';
