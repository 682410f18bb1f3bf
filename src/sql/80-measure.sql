-- Measuring: what became of the customers who were offered something, against those who were held out.

CREATE TYPE clientele.lift_report AS (
    metric text, segment text,
    n_control bigint, n_treated bigint, mean_control double precision, mean_treated double precision,
    sd_control double precision, sd_treated double precision, effect double precision, se double precision,
    df double precision, ci_low double precision, ci_high double precision, p_value double precision,
    relative_effect double precision, relative_ci_low double precision, relative_ci_high double precision,
    theta double precision, variance_reduction double precision,
    sequential_low double precision, sequential_high double precision, p_holm double precision,
    excluded bigint, versions integer, srm_pvalue double precision,
    minimum_detectable_effect double precision, customers_needed bigint, note text,
    horizon interval, incremental_share double precision, incremental_share_low double precision, incremental_share_high double precision);
COMMENT ON TYPE clientele.lift_report IS
    'What measure_lift() finds, for all customers or those of a segment; n_control to variance_reduction are the fields of lift_result.';
COMMENT ON COLUMN clientele.lift_report.segment IS 'The segment as enrolled; NULL: all customers.';
COMMENT ON COLUMN clientele.lift_report.n_control IS 'Customers who were held out.';
COMMENT ON COLUMN clientele.lift_report.effect IS
    'Treated less held out, adjusted by what the same customers did before (CUPED): not exactly mean_treated - mean_control, which are '
    'unadjusted.';
COMMENT ON COLUMN clientele.lift_report.sequential_low IS
    'With sequential_high the interval for the effect that may be looked at every day; NULL until the smaller arm has 100 customers, and '
    '30 of those held out an outcome that is not zero.';
COMMENT ON COLUMN clientele.lift_report.p_holm IS 'p_value corrected for the number of segments, after Holm; NULL for all customers.';
COMMENT ON COLUMN clientele.lift_report.excluded IS 'Customers who are left out because their horizon is not over.';
COMMENT ON COLUMN clientele.lift_report.versions IS
    'How many versions of the program (of the whole store, and of contents: shares of the holdout) are compared, each within itself.';
COMMENT ON COLUMN clientele.lift_report.srm_pvalue IS
    'Sample-ratio mismatch: p-value of the arms'' sizes under the holdout of their version; of several versions the smallest after '
    'Holm''s correction. Below 0.001 the assignment is broken.';
COMMENT ON COLUMN clientele.lift_report.minimum_detectable_effect IS
    'The smallest effect that a comparison of this size and spread finds with 80 % power; NULL where no outcome varies.';
COMMENT ON COLUMN clientele.lift_report.customers_needed IS
    'Customers, both arms together, that it takes to find target_effect with 80 % power; NULL without one.';
COMMENT ON COLUMN clientele.lift_report.note IS 'What to know before reading the effect; NULL: nothing.';
COMMENT ON COLUMN clientele.lift_report.horizon IS
    'How long after the own enrolment orders counted; NULL: as long as the own offer was valid, of reach_rate.';
COMMENT ON COLUMN clientele.lift_report.incremental_share IS
    'Of those who reached the threshold, how many did so only because of the offer: (reach of treated - reach of held out) / reach of '
    'treated, adjusted as the effect is, with its 95 % interval by the delta method. It is no profit. NULL of other metrics.';

CREATE TYPE clientele.lift_stratum AS (
    is_total boolean, segment text, stratum double precision, version integer, holdout double precision, result clientele.lift_result,
    turned clientele.lift_result, sums bytea, excluded bigint, again bigint);
COMMENT ON TYPE clientele.lift_stratum IS
    'Internal: the comparison within one version of a program (of the whole store: one share of the global holdout), of all customers or '
    'those of a segment. '
    'turned: the same with its arms changed over, of reach_rate; sums: of the outcomes, for _outcome_shape(); excluded: whose horizon is '
    'not over; again: who were enrolled before the time that is measured.';

-- ---- What is compared ----

CREATE TYPE clientele.measured AS (program text, content text, slot text);
COMMENT ON TYPE clientele.measured IS
    'Internal: what is measured: a program, a content in a slot, or, where all are NULL, all programs together.';

-- What a metric is, of the rows of a customer: an expression over o.amount, and what was asked for at the enrolment, in which {within}
-- stands for the time that counts.
CREATE FUNCTION clientele._metric_expression(metric text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT '(' || CASE metric
        WHEN 'net_margin_per_customer' THEN 'COALESCE(pg_catalog.sum(e.margin * o.amount - o.reward) FILTER (WHERE {within}), 0)'
        WHEN 'revenue_per_customer' THEN 'COALESCE(pg_catalog.sum(o.amount) FILTER (WHERE {within}), 0)'
        WHEN 'orders_per_customer' THEN 'pg_catalog.count(*) FILTER (WHERE {within} AND o.amount >= 0)'
        WHEN 'repeat_rate' THEN 'COALESCE(pg_catalog.bool_or(o.amount >= 0) FILTER (WHERE {within}), false)::integer'
        WHEN 'reach_rate' THEN 'COALESCE(pg_catalog.bool_or(o.amount >= e.min_spend) FILTER (WHERE {within}), false)::integer'
        WHEN 'aov' THEN 'COALESCE(pg_catalog.sum(o.amount) FILTER (WHERE {within} AND o.amount >= 0), 0)' END || ')::double precision'
$$;
COMMENT ON FUNCTION clientele._metric_expression(text) IS
    'A metric as SQL over the amounts of a customer; net margin takes the margin as of the enrolment, since what is offered changes what '
    'is bought, and what rewards cost; reach_rate the threshold as of then, which who was held out has, too; of aov this is the '
    'numerator, whose denominator is orders_per_customer. NULL: there is no such metric.';

-- A relation l with a row an enrolment: stratum, within which chance alone decides, and treated. $1: the program.
CREATE FUNCTION clientele._enrolments(store name, what clientele.measured) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(CASE WHEN what.content IS NOT NULL
        THEN '(SELECT e.customer_id, 1 AS period, e.exposed_at AS issued_at, e.segment, e.margin, NULL::numeric AS min_spend,
                NULL::timestamptz AS valid_until, NULL::integer AS program_version, e.holdout AS stratum, NOT e.held_out AS treated
            FROM %1$I.content_exposures e WHERE e.content = %2$L AND e.slot = %3$L AND NOT e.crossed) l'
        WHEN what.program IS NOT NULL THEN '(SELECT l.*, l.program_version AS stratum, l.holdout IS NULL AS treated FROM %1$I.ledger l
            WHERE l.program = $1 AND l.holdout IS DISTINCT FROM ''global'' AND %4$s) l'
        ELSE '(SELECT l.*, l.global_holdout AS stratum, l.holdout IS DISTINCT FROM ''global'' AS treated FROM %1$I.ledger l
            WHERE $1 IS NULL AND %4$s) l' END,
        store, what.content, what.slot, clientele._uncrossed(store, what.program))
$$;
COMMENT ON FUNCTION clientele._enrolments(name, clientele.measured) IS
    'The enrolments of what is measured, as an SQL relation l: whom the store holds out of everything no program has assigned to an arm; '
    'who was merged from customers in different arms is in none.';

-- One row a customer, at the first enrolment of program $1 (NULL: of any) from $2 to before $3, or one for every enrolment then:
-- stratum, treated, labels (further columns
-- of the ledger), measured (whether the horizon, $4, is over), again (whether there was an enrolment before $2), outcome, and covariate,
-- the same over the time $5 before the very first enrolment (of aov: orders). From the very first enrolment on the arms differ: who is
-- held out mostly stays so, and what earlier offers changed would be subtracted from what this one does.
-- Orders are read once: those from $6 to before $7. Whether a threshold was reached is asked of the time in which the offer was valid,
-- within the horizon if there is one.
CREATE FUNCTION clientele._outcomes_query(store name, what clientele.measured, metric text, later boolean, labels text[] DEFAULT '{}',
        every boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    outcome text := clientele._metric_expression(metric);
    after text := clientele._placed_since(store, 'o.ordered_at', 'e.enrolled_at');
    before text := 'NOT ' || clientele._placed_since(store, 'o.ordered_at', 'e.first_at');
BEGIN
    RETURN clientele._fill('
        SELECT e.customer_id, e.period, e.stratum, e.treated, e.measured, e.again{e_labels}, {outcome} AS outcome, {second}
        FROM (SELECT {distinct} l.customer_id, l.period, l.stratum, l.treated, l.issued_at AS enrolled_at, l.first_at{l_labels},
                COALESCE(l.margin, {margin}) AS margin,
                l.min_spend, l.first_at - $5 AS starts_at, {ends_at} AS ends_at, {ends_at} <= pg_catalog.now() AS measured,
                l.first_at < l.issued_at AS again
            FROM (SELECT l.*, {first_at} AS first_at FROM {enrolments} WHERE l.issued_at < $3) l WHERE l.issued_at >= $2
            ORDER BY l.customer_id, l.period) e
        LEFT JOIN ({amounts}) o
            ON o.customer_id = e.customer_id AND (o.ordered_at >= e.starts_at OR {after}) AND o.ordered_at < e.ends_at AND e.measured
        GROUP BY e.customer_id, e.period, e.stratum, e.treated, e.measured, e.again, e.margin, e.min_spend{e_labels}',
        'ends_at', CASE metric WHEN 'reach_rate' THEN 'least(l.valid_until, l.issued_at + $4)' ELSE 'l.issued_at + $4' END,
        'margin', (clientele._settings(store)).margin::text, 'after', after,
        'distinct', CASE WHEN every THEN '' ELSE 'DISTINCT ON (l.customer_id)' END,
        'enrolments', clientele._enrolments(store, what),
        'outcome', clientele._fill(outcome, 'within', after),
        'second', CASE metric
            WHEN 'aov' THEN clientele._fill(clientele._metric_expression('orders_per_customer'), 'within', after) || ' AS orders'
            ELSE clientele._fill(outcome, 'within', before) || ' AS covariate' END,
        'first_at', CASE WHEN later THEN 'pg_catalog.first_value(l.issued_at) OVER (PARTITION BY l.customer_id ORDER BY l.period)'
            ELSE 'l.issued_at' END,
        'amounts', clientele._amounts_query(store, metric),
        'l_labels', (SELECT string_agg(format(', l.%I', label), '') FROM unnest(labels) label),
        'e_labels', (SELECT string_agg(format(', e.%I', label), '') FROM unnest(labels) label));
END $$;
COMMENT ON FUNCTION clientele._outcomes_query(name, clientele.measured, text, boolean, text[], boolean) IS
    'A query for what is compared: a row a customer, or one for every enrolment. Its parameters: program, from, to, '
    'horizon, pre_period, and the times between which '
    'orders are read. later: enrolments before from matter; false: from is -infinity.';

-- What a redeemed offer cost counts when its order was placed.
CREATE FUNCTION clientele._amounts_query(store name, metric text) RETURNS text
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE metric WHEN 'net_margin_per_customer' THEN clientele._fill('
            SELECT s.customer_id, s.ordered_at, s.amount, 0 AS reward FROM {store}._orders s
            WHERE s.ordered_at >= $6 AND s.ordered_at < $7 AND s.amount IS NOT NULL
            UNION ALL SELECT l.customer_id, l.ordered_at, 0, COALESCE(l.cost, l.reward) FROM {store}.ledger l
            WHERE l.state = ''redeemed'' AND NOT {is_reversed} AND l.holdout IS NULL AND l.ordered_at >= $6 AND l.ordered_at < $7',
            'store', quote_ident(store), 'is_reversed', clientele._is_reversed(store))
        ELSE clientele._fill('
            SELECT s.customer_id, s.ordered_at, s.amount FROM {store}._orders s
            WHERE s.ordered_at >= $6 AND s.ordered_at < $7 AND s.amount IS NOT NULL', 'store', quote_ident(store)) END
$$;
COMMENT ON FUNCTION clientele._amounts_query(name, text) IS
    'A query for what is added up of customers from $6 to before $7: the amounts of their orders, and of net margin also what redeemed '
    'offers cost.';

CREATE FUNCTION clientele._measured_name(store name, what clientele.measured) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN what.content IS NOT NULL THEN format('content "%s" of slot "%s"', what.content, what.slot)
        WHEN what.program IS NOT NULL THEN format('program "%s"', what.program) ELSE format('store %I', store) END
$$;
COMMENT ON FUNCTION clientele._measured_name(name, clientele.measured) IS
    'What is measured, for messages: a program, a content, or the whole store.';

CREATE FUNCTION clientele._measured_span(store name, what clientele.measured, "from" timestamptz, "to" timestamptz, horizon interval,
    pre_period interval,
        OUT first_enrolled timestamptz, OUT first_order timestamptz, OUT last_order timestamptz)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- A month before one day may be later than a month before the day after: months differ in length.
    slack constant interval := '4 days'::interval;
BEGIN
    EXECUTE format('
        SELECT e.first_in, CASE WHEN $5 > ''0'' THEN e.first_ever ELSE e.first_in END - $5 - $6, least(e.last_in + $4 + $6, now())
        FROM (SELECT min(l.issued_at) AS first_ever, min(l.issued_at) FILTER (WHERE l.issued_at >= $2) AS first_in,
            max(l.issued_at) AS last_in
            FROM %s WHERE l.issued_at < $3) e', clientele._enrolments(store, what))
        INTO first_enrolled, first_order, last_order USING what.program, "from", "to", horizon, pre_period, slack;
    IF first_enrolled IS NULL THEN
        RAISE EXCEPTION '% has enrolled nobody', clientele._measured_name(store, what)
            USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = format('Looked for enrolments from %s to %s.', "from", "to"),
                HINT = CASE WHEN what.content IS NOT NULL
                    THEN 'clientele.content_for(..., expose => true) writes down who is shown a content, or held out of it.'
                    ELSE 'Customers are enrolled where clientele.issue_offer() or issue_offers() offers them something, or holds them out.'
                    END;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._measured_span(name, clientele.measured, timestamptz, timestamptz, interval, interval) IS
    'The first enrolment of what is measured within a time, and the times between which orders matter. Refuses where nobody was '
    'enrolled.';

-- What the customers measured have earned within their horizon, and nobody has settled yet: its reward is subtracted from nothing. The
-- caller has set the time zone to the store's. enable_nestloop: see _lift_strata().
CREATE FUNCTION clientele._unsettled_offers(store name, what clientele.measured, "from" timestamptz, "to" timestamptz, horizon interval,
        version integer, every boolean DEFAULT false) RETURNS bigint
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
DECLARE
    span record;
    unsettled bigint;
BEGIN
    -- Mostly all is settled: then nobody has to look who was enrolled when.
    EXECUTE clientele._fill('SELECT 0 WHERE NOT EXISTS (SELECT FROM {store}.ledger l WHERE l.state = ''open'' AND l.holdout IS NULL)
            AND NOT EXISTS (SELECT FROM {store}.reversals r)', 'store', quote_ident(store)) INTO unsettled;
    IF unsettled = 0 THEN
        RETURN 0;
    END IF;
    span := clientele._measured_span(store, what, "from", "to", horizon, '0');
    -- A redemption that was reversed stands again where its order qualifies again, unless the customer was enrolled again since.
    EXECUTE clientele._fill('
        WITH pending AS MATERIALIZED (
            SELECT l.* FROM {store}.ledger l WHERE l.state = ''open'' AND l.holdout IS NULL
            UNION ALL SELECT l.* FROM {store}.ledger l WHERE l.state = ''redeemed'' AND l.holdout IS NULL
                AND l.exposure_id IN (SELECT r.exposure_id FROM {store}.reversals r) AND NOT {enrolled_since}
        ), enrolled AS MATERIALIZED (
            SELECT {distinct} l.customer_id, l.program_version, l.issued_at, l.issued_at + $4 AS ends_at
            FROM {enrolments}
            WHERE l.issued_at >= $2 AND l.issued_at < $3 AND l.customer_id IN (SELECT p.customer_id FROM pending p)
            ORDER BY l.customer_id, l.period)
        SELECT count(DISTINCT l.exposure_id) FROM pending l
        JOIN enrolled e ON e.customer_id = l.customer_id AND e.ends_at <= now() AND l.issued_at < e.ends_at
            AND ($7 IS NULL OR e.program_version = $7)
        JOIN {store}._orders o ON {qualifies} AND {placed_since} AND o.ordered_at < e.ends_at AND o.ordered_at >= $5 AND o.ordered_at < $6
        WHERE CASE l.state WHEN ''redeemed'' THEN {same_order} ELSE NOT {order_is_taken} END',
        'store', quote_ident(store), 'enrolments', clientele._enrolments(store, what), 'enrolled_since', clientele._enrolled_since(store),
        'distinct', CASE WHEN every THEN '' ELSE 'DISTINCT ON (l.customer_id)' END,
        'qualifies', clientele._qualifies(store), 'placed_since', clientele._placed_since(store, 'o.ordered_at', 'e.issued_at'),
        'same_order', clientele._same_order(store, clientele._settings(store)), 'order_is_taken', clientele._order_is_taken(store))
        INTO unsettled USING what.program, "from", "to", horizon, span.first_order, span.last_order, version;
    RETURN unsettled;
END $$;
COMMENT ON FUNCTION clientele._unsettled_offers(name, clientele.measured, timestamptz, timestamptz, interval, integer, boolean) IS
    'How many offers the customers measured have earned with orders within their horizon that settle_offers() has not found yet; every: '
    'within the horizon of any of their enrolments, and not of the first.';

CREATE FUNCTION clientele._unsettled_remark(store name, what clientele.measured, metric text, "from" timestamptz, "to" timestamptz,
        horizon interval, version integer) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unsettled bigint;
BEGIN
    IF metric = 'net_margin_per_customer' THEN
        unsettled := clientele._unsettled_offers(store, what, "from", "to", horizon, version);
    END IF;
    IF unsettled > 0 THEN
        RAISE WARNING 'net margin is overstated: offers that were earned are not settled: %', unsettled
            USING DETAIL = 'Their rewards are not subtracted.',
                HINT = format('CALL clientele.settle_offers(%L), and measure again.', store);
        RETURN format('OVERSTATED: offers that were earned are not settled (in all segments: %s), and their rewards not subtracted: '
            'CALL clientele.settle_offers(%L) first', unsettled, store);
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION clientele._unsettled_remark(name, clientele.measured, text, timestamptz, timestamptz, interval, integer) IS
    'Warns, and says, that a net margin lacks rewards that were earned and are not settled; NULL where it lacks none.';

-- ---- Arguments ----

-- A program that was dropped can still be measured.
CREATE FUNCTION clientele._measured_validity(store name, program text, version integer) RETURNS interval
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    programs text;
    versions text;
    validity interval;
BEGIN
    EXECUTE format('SELECT coalesce((SELECT p.valid_for FROM %1$I.programs p WHERE p.program = $1 AND $2 IS NULL),
            (SELECT (v.definition ->> ''valid_for'')::interval FROM %1$I.program_versions v
             WHERE v.program = $1 AND ($2 IS NULL OR v.version = $2) ORDER BY v.version DESC LIMIT 1)),
        (SELECT string_agg(v.version::text, '', '' ORDER BY v.version) FROM %1$I.program_versions v WHERE v.program = $1),
        (SELECT string_agg(quote_ident(a.program), '', '' ORDER BY a.program)
         FROM (SELECT p.program FROM %1$I.programs p UNION SELECT v.program FROM %1$I.program_versions v) a)', store)
        INTO validity, versions, programs USING program, version;
    IF versions IS NULL AND validity IS NULL THEN
        RAISE EXCEPTION 'program "%" does not exist', program USING ERRCODE = 'undefined_object',
            DETAIL = coalesce('The programs are: ' || programs || '.', 'The store has no programs.'),
            HINT = 'program NULL measures all programs together, against the global holdout.';
    ELSIF validity IS NULL THEN
        RAISE EXCEPTION 'version % of program "%" does not exist', version, program USING ERRCODE = 'undefined_object',
            DETAIL = format('Its versions are: %s.', versions), HINT = 'version NULL measures all of them, each within itself.';
    END IF;
    RETURN validity;
END $$;
COMMENT ON FUNCTION clientele._measured_validity(name, text, integer) IS
    'How long the offers of a program are valid, or were in one of its versions. Refuses programs and versions that there never were.';

CREATE FUNCTION clientele._check_enrolled("from" timestamptz, "to" timestamptz, horizon interval) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    longest constant interval := '10 years'::interval;
BEGIN
    IF NOT isfinite(horizon) OR horizon <= '0' OR horizon > longest THEN
        RAISE EXCEPTION 'invalid horizon: %', horizon USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('Accepted: above 0, up to %s; NULL: the time for which offers are valid.', longest);
    END IF;
    PERFORM clientele._warn_of_seconds('horizon', horizon);
    IF "from" >= "to" THEN
        RAISE EXCEPTION 'the time of enrolment cannot end before it starts' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('from is %s, to is %s.', "from", "to");
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_enrolled(timestamptz, timestamptz, interval) IS
    'Refuses a time of enrolment, or a horizon after it, in which nobody can have been enrolled.';

CREATE FUNCTION clientele._check_measured(store name, what clientele.measured, "from" timestamptz, "to" timestamptz,
        INOUT horizon interval, pre_period interval, version integer)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    longest constant interval := '10 years'::interval;
    validity interval := '14 days'::interval;
BEGIN
    IF what.program IS NOT NULL THEN
        validity := clientele._measured_validity(store, what.program, version);
    ELSIF version IS NOT NULL THEN
        RAISE EXCEPTION 'a version is that of a program' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('program is NULL, version is %s.', version), HINT = 'Name the program.';
    END IF;
    horizon := coalesce(horizon, validity);
    PERFORM clientele._check_enrolled("from", "to", horizon), clientele._warn_of_seconds('pre_period', pre_period);
    IF NOT isfinite(pre_period) OR pre_period < '0' OR pre_period > longest THEN
        RAISE EXCEPTION 'invalid pre_period: %', pre_period USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('Accepted: from 0 (nothing is adjusted for) up to %s.', longest);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_measured(name, clientele.measured, timestamptz, timestamptz, interval, interval, integer) IS
    'Refuses what cannot be measured; the horizon, NULL for the time for which the program''s offers, or those of its version, are valid '
    '(of the whole store, and of contents: 14 days).';

CREATE FUNCTION clientele._check_metric(metric text, target_effect double precision) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF clientele._metric_expression(metric) IS NULL THEN
        RAISE EXCEPTION 'unknown metric: "%"', metric USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'The metrics are: net_margin_per_customer, revenue_per_customer, orders_per_customer, repeat_rate, '
                'reach_rate, aov.';
    END IF;
    IF target_effect = 0 OR abs(target_effect) > 1e100 THEN  -- NaN is above all numbers
        RAISE EXCEPTION 'invalid target_effect: %', target_effect USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'Accepted: the effect that would matter, in the unit of the metric, other than 0.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_metric(text, double precision) IS
    'Refuses metrics that there are not, and target effects that are none.';

-- A content that is defined otherwise by now, or dropped, can still be measured.
CREATE FUNCTION clientele._measured(store name, program text, content text, slot text, metric text) RETURNS clientele.measured
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    slots text[];
    contents text[];
BEGIN
    IF content IS NULL AND slot IS NULL THEN
        RETURN ROW(program, NULL, NULL)::clientele.measured;
    ELSIF content IS NULL OR program IS NOT NULL OR metric = 'reach_rate' THEN
        RAISE EXCEPTION 'what is to be measured is not clear' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = CASE WHEN content IS NULL THEN format('slot is "%s", content is NULL.', slot)
                WHEN program IS NOT NULL THEN format('program is "%s", content is "%s".', program, content)
                ELSE 'reach_rate is whether a threshold was reached, and a content asks for none.' END,
            HINT = 'Measure a program, or a content (program NULL), of which there are all metrics but reach_rate.';
    END IF;
    EXECUTE format('
        WITH known AS (SELECT k.slot, k.content FROM %1$I.contents k UNION SELECT e.slot, e.content FROM %1$I.content_exposures e)
        SELECT array_agg(k.slot ORDER BY k.slot) FILTER (WHERE k.content = $1), array_agg(DISTINCT k.content ORDER BY k.content)
        FROM known k', store) INTO slots, contents USING content;
    IF slots IS NULL OR slot <> ALL (slots) THEN
        RAISE EXCEPTION '%', CASE WHEN slots IS NULL THEN format('content "%s" does not exist', content)
                ELSE format('slot "%s" never had content "%s"', slot, content) END USING ERRCODE = 'undefined_object',
            DETAIL = CASE WHEN slots IS NULL THEN format('The contents are: %s.', clientele._name_list(contents, 'none'))
                ELSE format('It is, or was, in: %s.', clientele._name_list(slots, 'none')) END;
    ELSIF slot IS NULL AND cardinality(slots) > 1 THEN
        RAISE EXCEPTION 'content "%" is in several slots', content USING ERRCODE = 'ambiguous_parameter',
            DETAIL = format('The slots are: %s.', clientele._name_list(slots, 'none')), HINT = 'Name one: slot => ''...''.';
    END IF;
    RETURN ROW(NULL, content, coalesce(slot, slots[1]))::clientele.measured;
END $$;
COMMENT ON FUNCTION clientele._measured(name, text, text, text, text) IS
    'What the arguments of measure_lift() say is to be measured; refuses contents that there never were, and what is not one thing.';

-- ---- Comparing ----

-- The caller has set the time zone to the store's: calendar days of the horizon are its. Of a ledger that was just written the planner
-- knows nothing, and a nested loop over all of it, taken for a few rows, would not end: hence none.
CREATE FUNCTION clientele._lift_strata(store name, what clientele.measured, metric text, "from" timestamptz, "to" timestamptz,
        horizon interval, pre_period interval, by_segment boolean, version integer, required boolean) RETURNS clientele.lift_stratum[]
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off
        SET extra_float_digits = 1 AS $$
DECLARE
    span record;
    strata clientele.lift_stratum[];
BEGIN
    span := clientele._measured_span(store, what, "from", "to", horizon, pre_period);
    EXECUTE clientele._fill('
        SELECT array_agg(ROW(c.is_total, c.segment, c.stratum, {version}, {holdout}, c.result, c.turned, c.sums, c.excluded, c.again)
            ::clientele.lift_stratum ORDER BY c.stratum, c.is_total DESC, c.segment)
        FROM (SELECT {is_total} AS is_total, {segment} AS segment, u.stratum, {lift} FILTER (WHERE u.measured) AS result,
                {turned} AS turned, clientele._outcome_sums(u.outcome, u.treated) FILTER (WHERE u.measured) AS sums,
                count(*) FILTER (WHERE NOT u.measured) AS excluded, count(*) FILTER (WHERE u.measured AND u.again) AS again
            FROM ({outcomes}) u WHERE $8 IS NULL OR u.stratum = $8 GROUP BY {groups}) c',
        'version', CASE WHEN what.program IS NULL THEN 'NULL' ELSE 'c.stratum' END,
        'holdout', CASE WHEN what.program IS NULL THEN 'c.stratum' ELSE format('(SELECT (v.definition ->> ''holdout'')::double precision
            FROM %I.program_versions v WHERE v.program = $1 AND v.version = c.stratum)', store) END,
        'is_total', CASE WHEN by_segment THEN 'grouping(u.segment) = 1' ELSE 'true' END,
        'segment', CASE WHEN by_segment THEN 'u.segment' ELSE 'NULL::text' END,
        'groups', CASE WHEN by_segment THEN 'GROUPING SETS ((u.stratum), (u.stratum, u.segment))' ELSE 'u.stratum' END,
        'lift', CASE metric WHEN 'aov' THEN 'clientele.lift_ratio(u.outcome, u.orders, u.treated)'
            ELSE 'clientele.lift(u.outcome, u.treated, u.covariate)' END,
        'turned', CASE metric WHEN 'reach_rate' THEN 'clientele.lift(u.outcome, NOT u.treated, u.covariate) FILTER (WHERE u.measured)'
            ELSE 'NULL::clientele.lift_result' END,
        'outcomes', clientele._outcomes_query(store, what, metric, "from" > '-infinity',
            CASE WHEN by_segment THEN '{segment}' ELSE '{}' END::text[]))
        INTO strata USING what.program, "from", "to", horizon, pre_period, span.first_order, span.last_order, version;
    IF required THEN
        PERFORM clientele._check_strata(store, what, strata, horizon, span.first_enrolled, version);
    END IF;
    RETURN strata;
END $$;
COMMENT ON FUNCTION clientele._lift_strata(name, clientele.measured, text, timestamptz, timestamptz, interval, interval, boolean, integer,
    boolean) IS
    'The comparisons of a metric within each version of a program, or one of them (of contents, and of the whole store: within each share '
    'of the holdout). required: refuses where there are no two arms.';

CREATE FUNCTION clientele._has_arms(result clientele.lift_result) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (result).n_control >= 2 AND (result).n_treated >= 2
$$;
COMMENT ON FUNCTION clientele._has_arms(clientele.lift_result) IS
    'Whether there are the 2 customers on either side that a comparison takes.';

CREATE FUNCTION clientele._can_compare(stratum clientele.lift_stratum) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce((stratum).holdout > 0, false) AND clientele._has_arms((stratum).result)
$$;
COMMENT ON FUNCTION clientele._can_compare(clientele.lift_stratum) IS
    'Whether a comparison has both arms: a holdout, and at least 2 customers on either side.';

CREATE FUNCTION clientele._check_strata(store name, what clientele.measured, strata clientele.lift_stratum[], horizon interval,
        first_enrolled timestamptz, version integer) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    named constant text := concat('version ' || version || ' of ', clientele._measured_name(store, what));
    found record;
BEGIN
    IF strata IS NULL THEN
        RAISE EXCEPTION '% has enrolled nobody first', named USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'A customer counts under the version of the first enrolment.',
            HINT = 'With "from" => the time since which there has been this version, the first enrolment from then on counts.';
    END IF;
    SELECT bool_or(clientele._can_compare(s)) AS comparable, bool_or(s.holdout > 0) AS held_out, sum((s.result).n_control) AS control,
            sum((s.result).n_treated) AS treated, sum(s.excluded) AS excluded
        INTO found FROM unnest(strata) s WHERE s.is_total;
    IF found.held_out IS NOT TRUE THEN
        RAISE EXCEPTION '% has no holdout to compare with', named USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('%s customers were enrolled, and none could be held out: what they would have bought anyway is not known.',
                found.treated + found.control + found.excluded),
            HINT = CASE WHEN what.content IS NOT NULL THEN 'Hold some out from now on: clientele.define_content(..., holdout => 0.1).'
                WHEN what.program IS NULL THEN format('Hold some out from now on: SELECT clientele.set_global_holdout(%L, 0.05).', store)
                ELSE 'Hold some out from now on: clientele.define_offer(..., holdout => 0.1).' END;
    ELSIF NOT found.comparable THEN
        RAISE EXCEPTION 'too few customers of % to compare: % held out, % not', named, found.control, found.treated
            USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = format('It takes 2 of each at least, in one version. '
                    'The horizon of %s is not over for %s more; the first was enrolled at %s.',
                    coalesce(horizon::text, 'their offers'), found.excluded, first_enrolled),
                HINT = 'Wait, or pass a shorter horizon.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_strata(name, clientele.measured, clientele.lift_stratum[], interval, timestamptz, integer) IS
    'Refuses what has no two arms, with what was found and what to do.';

-- Chance alone alarms in one of a thousand comparisons that are in order.
CREATE FUNCTION clientele._is_mismatch(srm_pvalue double precision) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE(srm_pvalue OPERATOR(pg_catalog.<) 0.001::double precision, false);
COMMENT ON FUNCTION clientele._is_mismatch(double precision) IS
    'Whether the sizes of arms with this p-value are not what their shares give: the assignment is broken.';

CREATE FUNCTION clientele._lift_rows(strata clientele.lift_stratum[], shown_metric text, target_effect double precision, remark text,
        horizon interval) RETURNS SETOF clientele.lift_report
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH judged AS (
        SELECT s.*, (s.result).n_control AS control, (s.result).n_treated AS treated, clientele._has_arms(s.result) AS has_arms,
            bool_or(s.is_total AND clientele._can_compare(s)) OVER (PARTITION BY s.stratum) AS compared
        FROM unnest(strata) s
    ), left_out AS (
        SELECT count(*) AS strata, sum(j.control + j.treated) AS customers FROM judged j
        WHERE j.is_total AND NOT j.compared AND j.control + j.treated > 0
    ), combined AS (
        SELECT j.is_total, j.segment, clientele.combine_lift(array_agg(j.result ORDER BY j.stratum) FILTER (WHERE j.compared)) AS result,
            clientele._outcome_shape(coalesce(array_agg(j.sums) FILTER (WHERE j.compared AND j.has_arms), '{}')) AS shape,
            clientele.combine_lift(array_agg(j.turned ORDER BY j.stratum) FILTER (WHERE j.compared)) AS turned,
            sum(j.excluded)::bigint AS excluded, coalesce(sum(j.again) FILTER (WHERE j.compared), 0)::bigint AS again,
            count(*) FILTER (WHERE j.compared AND j.has_arms)::integer AS versions,
            string_agg(j.version::text, ', ' ORDER BY j.version) FILTER (WHERE j.compared AND j.has_arms) AS pooled,
            (SELECT min(p) FROM unnest(clientele.holm(array_agg(
                clientele.srm_pvalue(ARRAY[j.control, j.treated], ARRAY[j.holdout, 1 - j.holdout])) FILTER (WHERE j.compared))) p) AS srm
        FROM judged j GROUP BY j.is_total, j.segment HAVING bool_or(j.compared)
    ), measured AS (
        SELECT c.*, (c.result).*, (c.shape).nonzero_control, CASE WHEN shown_metric <> 'aov' THEN (c.shape).normal_from END AS enough,
            clientele.minimum_detectable_effect(nullif((c.result).se, 0), 1, 0, 1) AS detectable,
            CASE WHEN (c.result).n_control > 0 AND (c.result).n_treated > 0
                 THEN clientele.lift_sample_size(target_effect, (c.result).sd_control, (c.result).sd_treated,
                     (c.result).n_treated::double precision / ((c.result).n_control + (c.result).n_treated)) END AS needed
        FROM combined c
    ), corrected AS (
        SELECT h.segment, h.p FROM (SELECT array_agg(m.segment ORDER BY m.segment) AS segments, array_agg(m.p_value ORDER BY m.segment) AS p
                FROM measured m WHERE NOT m.is_total AND m.segment IS NOT NULL) a
            CROSS JOIN LATERAL unnest(a.segments, clientele.holm(a.p)) h (segment, p)
    )
    SELECT shown_metric, m.segment,
        m.n_control, m.n_treated, m.mean_control, m.mean_treated, m.sd_control, m.sd_treated, m.effect, m.se, m.df,
        m.ci_low, m.ci_high, m.p_value, m.relative_effect, m.relative_ci_low, m.relative_ci_high, m.theta, m.variance_reduction,
        s.ci_low, s.ci_high, k.p, m.excluded, m.versions, m.srm, m.detectable, m.needed,
        nullif(concat_ws('; ',
            CASE WHEN clientele._is_mismatch(m.srm) THEN format(
                'SAMPLE RATIO MISMATCH (p = %s): the assignment is broken, do not read the effect', ltrim(to_char(m.srm, '9.9EEEE'))) END,
            remark,
            CASE WHEN m.versions > 1 THEN format('pooled versions: %s; version => one of them measures it alone', m.pooled) END,
            CASE WHEN m.again > 0 THEN
                format('enrolled before "from" already: %s customers; what they were offered then counts, too', m.again) END,
            CASE WHEN m.se = 0 THEN 'no outcome varies: how certain the effect is cannot be known' END,
            CASE WHEN least(m.n_control, m.n_treated) < m.enough
                THEN concat_ws('; ',
                    format('too small a sample for this spread: %s customers in the smaller arm, of %s that it takes for the interval '
                        'to be believed', least(m.n_control, m.n_treated), m.enough),
                    'effects below ' || clientele._significant(m.detectable) || ' are found with less than 80 % power') END,
            CASE WHEN m.needed > m.n_control + m.n_treated
                THEN format('an effect of %s takes %s customers, and there are %s', target_effect, m.needed, m.n_control + m.n_treated) END,
            CASE WHEN m.is_total AND l.strata > 0
                THEN format('left out for want of a holdout or of two customers in either arm: %s, %s customers; "from" => the time from '
                    'which some were held out counts those who were enrolled again since',
                    clientele._counted(l.strata, 'version'), l.customers) END,
            CASE shown_metric WHEN 'aov' THEN 'conditional on ordering: customers who did not order do not count, so that it can rise '
                'while revenue falls; read it together with orders_per_customer' END), ''),
        $5, i.share, i.ci_low, i.ci_high
    FROM measured m LEFT JOIN LATERAL clientele._incremental_share(m.turned) i ON shown_metric = 'reach_rate' CROSS JOIN left_out l
    LEFT JOIN LATERAL clientele.sequential_interval(m.result, nonzero_control => m.nonzero_control) s ON true
    LEFT JOIN corrected k ON k.segment = m.segment AND NOT m.is_total
    WHERE m.is_total OR m.segment IS NOT NULL
    ORDER BY m.is_total DESC, m.segment
$$;
COMMENT ON FUNCTION clientele._lift_rows(clientele.lift_stratum[], text, double precision, text, interval) IS
    'The rows of measure_lift() for one metric: the strata combined, and what to know about them: remark too, if there is one.';

CREATE FUNCTION clientele._warn_of_mismatch(what text, report clientele.lift_report) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE WARNING 'sample ratio mismatch: %', concat_ws(', ', what, 'segment ' || quote_ident(report.segment))
        USING DETAIL = format('%s customers held out and %s not are not what the holdout gives (p = %s).',
                report.n_control, report.n_treated, ltrim(to_char(report.srm_pvalue, '9.9EEEE'))),
            HINT = 'The assignment is broken, or customers are missing from one arm. Do not read the effect; find out why.';
END $$;
COMMENT ON FUNCTION clientele._warn_of_mismatch(text, clientele.lift_report) IS
    'Warns of a comparison whose arms have other sizes than they should.';

CREATE FUNCTION clientele._may_displace(store name, program text) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition jsonb := clientele._current_definition(store, program);
BEGIN
    RETURN coalesce(definition ->> 'terms' = 'learned' OR definition -> 'explore' <> 'null', false);
END $$;
COMMENT ON FUNCTION clientele._may_displace(name, text) IS
    'Whether what is learnt of a program rests on what share of the spend that it adds later orders lack.';

-- What measure_lift() shows: the metric, what has to be read with it, and (displaced) the same over a longer time.
CREATE FUNCTION clientele._shown_measures(metric text, horizon interval, given_horizon interval, displaced boolean,
        OUT shown text, OUT "over" interval, OUT is_later boolean) RETURNS SETOF record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT m.shown, CASE m.shown WHEN 'reach_rate' THEN given_horizon ELSE horizon END, false
    FROM unnest(CASE metric WHEN 'aov' THEN '{aov,orders_per_customer}'
        WHEN 'reach_rate' THEN '{reach_rate,orders_per_customer,revenue_per_customer}' ELSE ARRAY[metric] END::text[]) m (shown)
    UNION ALL SELECT metric, interval '90 days', true
    WHERE displaced AND horizon < interval '90 days' AND metric IN ('net_margin_per_customer', 'revenue_per_customer')
$$;
COMMENT ON FUNCTION clientele._shown_measures(text, interval, interval, boolean) IS
    'The metrics that measure_lift() shows, and over which horizons: reach_rate, where none is given, over the time in which the own '
    'offer was valid (NULL).';

-- set_config, which a worker may not call, is why this is PARALLEL UNSAFE; what it reads the orders with may well have workers.
CREATE FUNCTION clientele.measure_lift(store name, program text, metric text DEFAULT 'net_margin_per_customer',
        "from" timestamptz DEFAULT NULL, "to" timestamptz DEFAULT NULL,
        horizon interval DEFAULT NULL, pre_period interval DEFAULT '90 days',
        by_segment boolean DEFAULT false, target_effect double precision DEFAULT NULL, version integer DEFAULT NULL,
        displaced boolean DEFAULT NULL, content text DEFAULT NULL, slot text DEFAULT NULL)
    RETURNS SETOF clientele.lift_report
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    what clientele.measured;
    checked_horizon interval;
    measure record;
    strata clientele.lift_stratum[];
    remark text;
    report clientele.lift_report;
BEGIN
    PERFORM clientele._require(a.name, a.given) FROM (VALUES ('metric', metric IS NOT NULL), ('pre_period', pre_period IS NOT NULL),
        ('by_segment', by_segment IS NOT NULL)) a (name, given);
    PERFORM clientele._check_metric(metric, target_effect);
    PERFORM clientele._require_store(store);
    PERFORM set_config('timezone', clientele._check_time_zone((clientele._settings(store)).time_zone), true);
    what := clientele._measured(store, program, content, slot, metric);
    checked_horizon := clientele._check_measured(store, what, "from", "to", horizon, pre_period, version);
    PERFORM clientele._require_all_rows(store);
    "from" := coalesce("from", '-infinity');
    "to" := coalesce("to", 'infinity');
    FOR measure IN SELECT * FROM clientele._shown_measures(metric, checked_horizon, horizon,
            coalesce(displaced, clientele._may_displace(store, program))) LOOP
        strata := clientele._lift_strata(store, what, measure.shown, "from", "to", measure."over", pre_period,
            by_segment AND NOT measure.is_later, version, NOT measure.is_later);
        remark := clientele._unsettled_remark(store, what, measure.shown, "from", "to", measure."over", version);
        FOR report IN SELECT * FROM clientele._lift_rows(strata, measure.shown, CASE measure.shown WHEN metric THEN target_effect END,
                nullif(concat_ws('; ', remark, CASE WHEN measure.is_later THEN
                    'over 90 days: where later orders lack what was added, the effect is smaller than over the shorter horizon' END), ''),
                measure."over") LOOP
            IF clientele._is_mismatch(report.srm_pvalue) AND measure.shown = metric AND NOT measure.is_later THEN
                PERFORM clientele._warn_of_mismatch(clientele._measured_name(store, what), report);
            END IF;
            RETURN NEXT report;
        END LOOP;
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele.measure_lift(name, text, text, timestamptz, timestamptz, interval, interval, boolean,
    double precision, integer, boolean, text, text) IS
    'What a program changed: customers who were offered something against those whom it held out, from the first enrolment of each '
    'within [from, to) (NULL: open), in the arm that was assigned. '
    'program NULL: all programs together against the global holdout; with content, those who were shown it against those who were held '
    'out of it, from the first time that content_for() was told to write it down (slot: where it is in several). '
    'metric: net_margin_per_customer (margin x revenue, less the rewards of orders within the horizon), revenue_per_customer, '
    'orders_per_customer, repeat_rate (share with an order within the horizon), aov (with orders_per_customer: it is conditional on '
    'ordering), reach_rate (share with an order that reached the own threshold while the offer was valid; with incremental_share, and '
    'with orders_per_customer and revenue_per_customer). horizon: how long after the own enrolment orders count; '
    'NULL: as long as offers are valid (whole store, contents: 14 days). Whose horizon is not over is left out, and counted. '
    'pre_period: the same '
    'metric over this time before the very first enrolment adjusts the effect (CUPED; not aov): '
    'effect is then not mean_treated - mean_control, but that less what the arms differed in before; with pre_period 0 it is. '
    'Net margin knows the rewards of settled offers: where some were earned and are not settled, a warning and the note say so. '
    'Compared within each version of the program, and combined. by_segment: also by segment as enrolled. target_effect: how many '
    'customers it would take to find it. version: one version of the program alone, whose customers are those that it enrolled first; '
    'NULL: all, and the note says which. displaced: of net margin and revenue over less than 90 days, a second row for all over 90 days, '
    'once these are over for some: there it shows what was only bought earlier; NULL: where the program explores, or its terms are '
    'learned. A row for all, then a row a segment. '
    'Refused: no holdout, fewer than 2 customers in an arm, unknown metrics, programs and versions, callers from whom row-level security '
    'hides rows.';
