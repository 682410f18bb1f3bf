-- Learning what the arms of a program are worth, and how to weigh them.

CREATE TYPE clientele.offer_estimate AS (
    segment text, variant text, customers bigint, held_out bigint,
    net_margin double precision, net_margin_se double precision, net_margin_low double precision, net_margin_high double precision,
    expected_profit double precision, expected_profit_low double precision, expected_profit_high double precision,
    in_use boolean, weight double precision, proposed_weight double precision,
    enrolments bigint, unshrunk_profit double precision, tau double precision);
COMMENT ON TYPE clientele.offer_estimate IS
    'What learn_offer() finds out about an arm, for all customers (segment NULL) or those of a segment.';
COMMENT ON COLUMN clientele.offer_estimate.customers IS
    'Customers who were offered this arm and whose horizon is over, in the versions that are compared; held_out: those held out, of the '
    'same versions.';
COMMENT ON COLUMN clientele.offer_estimate.net_margin IS
    'Net margin per enrolment, in the currency, if all were offered this arm, adjusted by what the same customers did before, with its '
    'standard error and 95 % interval: self-normalised inverse propensity within each version, stratified, errors by customer.';
COMMENT ON COLUMN clientele.offer_estimate.expected_profit IS
    'What the arm brings beyond the net margin of the customers held out, with its 95 % interval (normal): shrunken, that of all customers '
    'towards the mean of the arms, that of a segment towards the mean of the segments; NULL without a holdout.';
COMMENT ON COLUMN clientele.offer_estimate.enrolments IS 'Enrolments of these customers that were counted.';
COMMENT ON COLUMN clientele.offer_estimate.unshrunk_profit IS 'net_margin less that of the customers held out, before it was shrunken.';
COMMENT ON COLUMN clientele.offer_estimate.tau IS
    'By how much the true values differ, as a standard deviation: of all customers between the arms, of a segment between the segments; 0: '
    'nothing that noise does not explain.';
COMMENT ON COLUMN clientele.offer_estimate.in_use IS
    'Whether offers of this arm to this segment show this expected_profit; where they do not, a segment''s offers show that of all '
    'customers.';
COMMENT ON COLUMN clientele.offer_estimate.proposed_weight IS
    'The weight to give the arm next; of all customers only, and where every arm has 100 customers.';

CREATE FUNCTION clientele._even_weight(arms bigint) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_even_weight' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._even_weight(bigint) IS 'The weight of each of so many arms that are given none.';

CREATE FUNCTION clientele._least_weight(arms bigint) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_least_weight' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._least_weight(bigint) IS 'What each of so many arms is to keep, so that it stays measurable.';

CREATE FUNCTION clientele._arms(definition jsonb) RETURNS TABLE (place bigint, variant text, weight double precision)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.place, coalesce(a.arm ->> 'name', (a.place - 1)::text),
        coalesce((a.arm ->> 'weight')::double precision, clientele._even_weight(count(*) OVER ()))
    FROM jsonb_array_elements(nullif(definition -> 'arms', 'null')) WITH ORDINALITY a (arm, place)
    UNION ALL SELECT 1, 'default', 1 WHERE coalesce(definition -> 'arms', 'null') IN ('null', '[]')
$$;
COMMENT ON FUNCTION clientele._arms(jsonb) IS
    'The arms of a version of a program: their variants, as the ledger names them, and their weights.';

CREATE FUNCTION clientele._current_definition(store name, program text, OUT definition jsonb)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('SELECT v.definition FROM %I.program_versions v WHERE v.program = $1 ORDER BY v.version DESC LIMIT 1', store)
        INTO definition USING program;
END $$;
COMMENT ON FUNCTION clientele._current_definition(name, text) IS 'The definition of a program as of now.';

-- Arms are as they are now: versions with other terms do not count. Nor do those in which an arm that is drawn now had no chance,
-- nor, where others have a holdout, those that have none: whom an arm is compared with must be of the same time and population.
CREATE FUNCTION clientele._learnt_versions(store name, program text, OUT version integer, OUT variants text[]) RETURNS SETOF record
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition jsonb := clientele._current_definition(store, program);
    drawn text[] := ARRAY(SELECT a.variant FROM clientele._arms(definition) a WHERE a.weight > 0);
BEGIN
    RETURN QUERY EXECUTE format('
        WITH learnable AS (
            SELECT p.version, (p.definition ->> ''holdout'')::double precision > 0 AS holds_out,
                ARRAY(SELECT a.variant FROM clientele._arms(p.definition) a WHERE a.weight > 0) AS variants
            FROM %I.program_versions p WHERE p.program = $1 AND clientele._learnable_terms(p.definition) = $2)
        SELECT c.version, c.variants
        FROM (SELECT l.*, bool_or(l.holds_out) OVER () AS any_holds_out FROM learnable l WHERE l.variants @> $3) c
        WHERE c.holds_out OR NOT c.any_holds_out ORDER BY c.version', store)
        USING program, clientele._learnable_terms(definition), drawn;
END $$;
COMMENT ON FUNCTION clientele._learnt_versions(name, text) IS
    'The versions of a program that say something about its arms as they are now, and the arms that had a chance in each.';

-- What each customer did after the enrolments of a version, on average, less what is explained by what they did before the very first:
-- the propensity is that of one enrolment by their number, so that a customer weighs as much as so many enrolments, and errors are those
-- of customers, who differ, and not of enrolments, which of one customer are alike. Parameters: those of _outcomes_query(); $8: the store.
CREATE FUNCTION clientele._learnt_outcomes_query(store name, program text) RETURNS text
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill('
        learnt AS MATERIALIZED (
            SELECT * FROM clientele._learnt_versions($8, $1)
        ), followed AS MATERIALIZED (
            SELECT grouping(o.segment) = 1 AS is_total, o.segment, o.stratum AS version, CASE WHEN o.treated THEN o.variant END AS variant,
                o.treated, o.customer_id, avg(o.outcome ORDER BY o.period) AS outcome, min(o.covariate) AS covariate,
                min(o.propensity) AS propensity, count(*) AS enrolments
            FROM ({outcomes}) o WHERE o.measured AND o.stratum IN (SELECT n.version FROM learnt n)
            GROUP BY GROUPING SETS ((o.stratum, o.treated, CASE WHEN o.treated THEN o.variant END, o.customer_id),
                (o.stratum, o.treated, CASE WHEN o.treated THEN o.variant END, o.customer_id, o.segment))
        ), adjustments AS MATERIALIZED (
            SELECT f.is_total, f.segment, f.version, (clientele.lift(f.outcome, f.treated, f.covariate)).theta AS theta,
                (clientele.arm_value(f.covariate, 1)).mean AS mean_covariate
            FROM followed f GROUP BY f.is_total, f.segment, f.version
        ), valued AS MATERIALIZED (
            SELECT f.is_total, f.segment, f.version, f.variant, sum(f.enrolments)::bigint AS enrolments,
                clientele.arm_value(clientele._adjusted_outcome(f.outcome, f.covariate, a.theta, a.mean_covariate),
                    f.propensity / f.enrolments) AS value
            FROM followed f JOIN adjustments a
                ON a.is_total = f.is_total AND a.segment IS NOT DISTINCT FROM f.segment AND a.version = f.version
            GROUP BY f.is_total, f.segment, f.version, f.variant)',
        'outcomes', clientele._outcomes_query(store, ROW(program, NULL, NULL), 'net_margin_per_customer', true,
            '{segment,variant,propensity}', true))
$$;
COMMENT ON FUNCTION clientele._learnt_outcomes_query(name, text) IS
    'The beginning of the query of _arm_estimates(): what each arm (NULL: the holdout) of each version yields, for all customers and by '
    'segment, and the versions that count.';

-- Arms are compared over the same versions, in the same mix: those where each arm that is drawn now and has enough customers at all, and
-- the holdout, have two customers. The caller has set the time zone to the store's. enable_nestloop: see _lift_strata().
CREATE FUNCTION clientele._arm_estimates(store name, program text, "from" timestamptz, "to" timestamptz, horizon interval,
        pre_period interval, first_order timestamptz, last_order timestamptz, min_customers integer) RETURNS clientele.offer_estimate[]
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $$
DECLARE
    estimates clientele.offer_estimate[];
BEGIN
    EXECUTE format('
        WITH %s, groups AS (
            SELECT true AS is_total, NULL AS segment
            UNION SELECT v.is_total, v.segment FROM valued v WHERE v.is_total OR v.segment IS NOT NULL
        ), sizes AS (
            SELECT v.is_total, v.segment, v.version, sum((v.value).customers)::bigint AS size FROM valued v
            GROUP BY v.is_total, v.segment, v.version
        ), strata AS (
            SELECT g.is_total, g.segment, a.place, a.variant, n.version, t.value AS treated, c.value AS control, z.size, t.enrolments,
                a.weight > 0 AND sum((t.value).customers) OVER (PARTITION BY g.is_total, g.segment, a.place) >= $10 AS is_compared
            FROM groups g CROSS JOIN clientele._arms($9) a JOIN learnt n ON a.variant = ANY (n.variants)
            LEFT JOIN valued t ON t.is_total = g.is_total AND t.segment IS NOT DISTINCT FROM g.segment
                AND t.version = n.version AND t.variant = a.variant
            LEFT JOIN valued c ON c.is_total = g.is_total AND c.segment IS NOT DISTINCT FROM g.segment
                AND c.version = n.version AND c.variant IS NULL
            LEFT JOIN sizes z ON z.is_total = g.is_total AND z.segment IS NOT DISTINCT FROM g.segment AND z.version = n.version
        ), judged AS (
            SELECT s.*, bool_and((s.treated).customers >= 2 OR NOT s.is_compared) OVER (PARTITION BY s.is_total, s.segment, s.version)
                AND ((s.control).customers >= 2 OR NOT bool_or((s.control).customers >= 2) OVER (PARTITION BY s.is_total, s.segment))
                AS has_arms
            FROM (SELECT s.is_total, s.segment, s.place, s.version, s.size, s.enrolments, coalesce(s.is_compared, false) AS is_compared,
                coalesce(s.treated, nobody) AS treated, coalesce(s.control, nobody) AS control
                FROM strata s, CAST(ROW(0, NULL, NULL, NULL, NULL) AS clientele.arm_estimate) nobody) s
        ), combined AS (
            SELECT j.is_total, j.segment, j.place, sum(j.enrolments)::bigint AS enrolments,
                clientele.combine_arm_values(array_agg(j.treated ORDER BY j.version), array_agg(j.size ORDER BY j.version)) AS treated,
                clientele.combine_arm_values(array_agg(j.control ORDER BY j.version), array_agg(j.size ORDER BY j.version)) AS control
            FROM judged j WHERE j.has_arms AND (j.treated).customers >= 2 GROUP BY j.is_total, j.segment, j.place)
        SELECT array_agg(ROW(g.segment, a.variant, coalesce((c.treated).customers, 0), coalesce((c.control).customers, 0),
            (c.treated).mean, (c.treated).se, (c.treated).ci_low, (c.treated).ci_high, p.effect, p.ci_low, p.ci_high,
            coalesce((c.treated).customers >= $10 AND (c.control).customers >= $10, false), CASE WHEN g.is_total THEN a.weight END,
            NULL, coalesce(c.enrolments, 0), p.effect, NULL)::clientele.offer_estimate ORDER BY g.is_total DESC, g.segment, a.place)
        FROM groups g CROSS JOIN clientele._arms($9) a
        LEFT JOIN combined c ON c.is_total = g.is_total AND c.segment IS NOT DISTINCT FROM g.segment AND c.place = a.place
        LEFT JOIN LATERAL clientele.compare_arms(c.treated, c.control) p ON true',
        clientele._learnt_outcomes_query(store, program))
        INTO estimates USING program, "from", "to", horizon, pre_period, first_order, last_order, store,
            clientele._current_definition(store, program), min_customers;
    RETURN estimates;
END $$;
COMMENT ON FUNCTION clientele._arm_estimates(name, text, timestamptz, timestamptz, interval, interval, timestamptz, timestamptz, integer) IS
    'What each arm of a program is worth, for all customers and by segment, before anything is shrunken.';

-- Arms are drawn together by their net margins, since they share whom they are compared with; segments, whose customers differ, by what an
-- arm brings beyond the holdout. The control of a shrunken profit keeps its own error.
CREATE FUNCTION clientele._shrunken_estimates(estimates clientele.offer_estimate[], min_customers integer)
    RETURNS clientele.offer_estimate[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH given AS (
        SELECT e.*, clientele._normal_se(e.expected_profit_low, e.expected_profit_high) AS profit_se,
            e.customers >= min_customers AND e.net_margin_se IS NOT NULL AND (e.segment IS NULL OR e.in_use) AS is_known
        FROM unnest(estimates) WITH ORDINALITY e (segment, variant, customers, held_out, net_margin, net_margin_se, net_margin_low,
            net_margin_high, expected_profit, expected_profit_low, expected_profit_high, in_use, weight, proposed_weight, enrolments,
            unshrunk_profit, tau, place)
    ), raw AS (
        SELECT g.*, CASE WHEN g.segment IS NULL THEN g.net_margin ELSE g.expected_profit END AS mean,
            CASE WHEN g.segment IS NULL THEN g.net_margin_se ELSE g.profit_se END AS se FROM given g
    ), families AS (
        SELECT array_agg(r.place ORDER BY r.place) AS places, array_agg(r.mean ORDER BY r.place) AS means,
            array_agg(r.se ORDER BY r.place) AS ses
        FROM raw r WHERE r.is_known GROUP BY CASE WHEN r.segment IS NOT NULL THEN r.variant END
    ), drawn AS (
        SELECT u.place, u.mean, u.se, t.tau FROM families f
        CROSS JOIN LATERAL clientele.spread_of_means(f.means, f.ses) t
        CROSS JOIN LATERAL unnest(f.places, clientele.shrunken_means(f.means, f.ses), clientele.shrunken_ses(f.means, f.ses))
            u (place, mean, se)
    )
    SELECT array_agg(ROW(r.segment, r.variant, r.customers, r.held_out, r.net_margin, r.net_margin_se, r.net_margin_low, r.net_margin_high,
            coalesce(p.effect, r.expected_profit), coalesce(p.ci_low, r.expected_profit_low), coalesce(p.ci_high, r.expected_profit_high),
            r.in_use, r.weight, r.proposed_weight, r.enrolments, r.unshrunk_profit, d.tau)::clientele.offer_estimate ORDER BY r.place)
    FROM raw r LEFT JOIN drawn d ON d.place = r.place
    LEFT JOIN LATERAL clientele._shrunken_profit(d.mean, d.se, r.mean, r.se, r.expected_profit, r.profit_se) p ON true
$$;
COMMENT ON FUNCTION clientele._shrunken_estimates(clientele.offer_estimate[], integer) IS
    'Estimates whose expected_profit is shrunken, with tau: of all customers over the arms that rest on enough of them, by segment over '
    'the segments of an arm.';

CREATE FUNCTION clientele._proposed_weights(estimates clientele.offer_estimate[], min_customers integer) RETURNS double precision[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    arms record := clientele._drawn_arms(estimates);
    weights double precision[];
    proposed double precision[];
BEGIN
    IF cardinality(arms.means) < 2 OR (arms.least_customers >= min_customers) IS NOT TRUE THEN
        RETURN NULL;
    END IF;
    weights := clientele.propose_weights(clientele.shrunken_means(arms.means, arms.ses), clientele.shrunken_ses(arms.means, arms.ses),
        clientele._least_weight(cardinality(arms.means)));
    -- An arm that was given no weight gets none.
    SELECT array_agg(CASE WHEN e.weight > 0 THEN weights[e.nth] ELSE 0 END ORDER BY e.place) INTO proposed
        FROM (SELECT w.weight, w.place, count(*) FILTER (WHERE w.weight > 0) OVER (ORDER BY w.place) AS nth
            FROM (SELECT *, row_number() OVER () AS place FROM unnest(estimates) WHERE segment IS NULL) w) e;
    RETURN proposed;
END $$;
COMMENT ON FUNCTION clientele._proposed_weights(clientele.offer_estimate[], integer) IS
    'The weights to give the arms next, in their order, by their shrunken net margins; NULL where too little is known of one.';

CREATE FUNCTION clientele._drawn_arms(estimates clientele.offer_estimate[], OUT means double precision[], OUT ses double precision[],
        OUT enrolments bigint[], OUT least_customers bigint)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT array_agg(e.net_margin ORDER BY e.place), array_agg(e.net_margin_se ORDER BY e.place), array_agg(e.enrolments ORDER BY e.place),
        min(e.customers)
    FROM (SELECT *, row_number() OVER () AS place FROM unnest(estimates) WHERE segment IS NULL) e WHERE e.weight > 0
$$;
COMMENT ON FUNCTION clientele._drawn_arms(clientele.offer_estimate[]) IS
    'The net margins of the arms that have a weight, with their errors, and what they rest on.';

CREATE FUNCTION clientele._store_estimates(store name, program text, definition jsonb, estimates clientele.offer_estimate[],
        data_from timestamptz, horizon interval, weights double precision[], use boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    decimals integer := clientele._currency_decimals((clientele._settings(store)).currency);
    known jsonb := (SELECT jsonb_agg(jsonb_build_object('segment', e.segment, 'variant', e.variant,
            'expected_profit', round(e.expected_profit::numeric, decimals))) FROM unnest(estimates) e WHERE e.in_use);
BEGIN
    IF known IS NULL THEN
        RETURN;
    END IF;
    PERFORM clientele._add_model(store, 'offer:' || program,
        jsonb_build_object('terms', clientele._learnable_terms(definition), 'estimates', known), data_from, now(),
        (SELECT sum(e.customers) + max(e.held_out) FROM unnest(estimates) e WHERE e.segment IS NULL)::bigint,
        jsonb_build_object('horizon', horizon, 'versions', (SELECT jsonb_agg(v.version) FROM clientele._learnt_versions(store, program) v),
            'estimates', to_jsonb(estimates), 'proposed_weights', to_jsonb(weights)), use);
END $$;
COMMENT ON FUNCTION clientele._store_estimates(name, text, jsonb, clientele.offer_estimate[], timestamptz, interval, double precision[],
    boolean) IS
    'Stores what was learnt of a program, if anything can be used of it, with the terms that it was learnt under, as a new version of '
    'its model, and puts it in use, if asked to. The caller holds the lock of _lock_store().';

CREATE FUNCTION clientele._shown_estimates(estimates clientele.offer_estimate[], weights double precision[], use boolean)
    RETURNS SETOF clientele.offer_estimate
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT e.segment, e.variant, e.customers, e.held_out, e.net_margin, e.net_margin_se, e.net_margin_low, e.net_margin_high,
        e.expected_profit, e.expected_profit_low, e.expected_profit_high, e.in_use AND use, e.weight,
        CASE WHEN e.segment IS NULL THEN weights[e.place] END, e.enrolments, e.unshrunk_profit, e.tau
    FROM unnest(estimates) WITH ORDINALITY e (segment, variant, customers, held_out, net_margin, net_margin_se, net_margin_low,
        net_margin_high, expected_profit, expected_profit_low, expected_profit_high, in_use, weight, proposed_weight, enrolments,
        unshrunk_profit, tau, place)
    ORDER BY e.place
$$;
COMMENT ON FUNCTION clientele._shown_estimates(clientele.offer_estimate[], double precision[], boolean) IS
    'The rows of learn_offer(): estimates with the weights proposed, the arms of all customers coming first.';

-- Estimates say nothing about other arms, stretches and rewards than those that they were learnt of.
CREATE FUNCTION clientele._check_learnt_terms(store name, program text, version integer, terms jsonb) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    current_terms jsonb;
BEGIN
    PERFORM clientele._check_program(store, program);
    current_terms := clientele._learnable_terms(clientele._current_definition(store, program));
    IF terms IS DISTINCT FROM current_terms THEN
        RAISE EXCEPTION 'version % of offer:% was learnt under other terms than the program has now', version, program
            USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = coalesce((SELECT string_agg(format('%s was %s, and is %s', t.key, t.value, current_terms -> t.key), '; '
                    ORDER BY t.key) || '.'
                    FROM jsonb_each(terms) t WHERE t.value IS DISTINCT FROM current_terms -> t.key), 'It does not say under which.'),
                HINT = 'Learn what the program is worth now with clientele.learn_offer(), or define it as it was.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_learnt_terms(name, text, integer, jsonb) IS
    'Refuses estimates of a program that the store does not have any more, or that has other learnable terms now.';

CREATE FUNCTION clientele._check_estimates(program text, estimates clientele.offer_estimate[], min_customers integer) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found record;
BEGIN
    SELECT max(e.customers) AS customers, max(e.held_out) AS held_out, bool_or(e.in_use) AS usable,
            string_agg(format('%s: %s', e.variant, e.customers), ', ') AS arms
        INTO found FROM unnest(estimates) e WHERE e.segment IS NULL;
    IF found.customers IS NULL OR found.customers < min_customers THEN
        RAISE EXCEPTION 'too few customers to learn from' USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('Customers of program "%s" whose horizon is over, by arm: %s. It takes %s in one of them.', program,
                found.arms, min_customers),
            HINT = 'Nothing was stored. Wait, or pass a shorter horizon. '
                'Versions with other objectives, stretches or rewards do not count, '
                'nor those in which an arm that has a weight now had none.';
    ELSIF NOT found.usable THEN
        RAISE WARNING 'expected_profit of program "%" cannot be known: % customers held out, of % required', program,
            found.held_out, min_customers
            USING DETAIL = 'Nothing was stored.', HINT = 'Hold some out: clientele.define_offer(..., holdout => 0.1).';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_estimates(text, clientele.offer_estimate[], integer) IS
    'Refuses data that are too few to learn from; warns where there are too few held out to compare with.';

CREATE FUNCTION clientele._refuse_unsettled(store name, program text, "from" timestamptz, "to" timestamptz, horizon interval) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unsettled bigint := clientele._unsettled_offers(store, ROW(program, NULL, NULL), "from", "to", horizon, NULL, true);
BEGIN
    IF unsettled > 0 THEN
        RAISE EXCEPTION 'nothing can be learnt of program "%" yet: offers that were earned are not settled: %', program, unsettled
            USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = 'Nothing was stored. Without their rewards the net margin would be overstated.',
                HINT = format('CALL clientele.settle_offers(%L), and learn again.', store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._refuse_unsettled(name, text, timestamptz, timestamptz, interval) IS
    'Refuses to learn while rewards are missing from the net margin.';

CREATE FUNCTION clientele._refuse_no_weights(program text, definition jsonb, estimates clientele.offer_estimate[], min_customers integer)
    RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'there are no weights to apply' USING ERRCODE = 'object_not_in_prerequisite_state',
        DETAIL = CASE WHEN (SELECT count(*) FROM clientele._arms(definition) a WHERE a.weight > 0) < 2
            THEN format('Program "%s" has one arm.', program)
            ELSE format('Not every arm has %s customers whose horizon is over: %s.', min_customers,
                (SELECT string_agg(format('%s: %s', e.variant, e.customers), ', ') FROM unnest(estimates) e WHERE e.segment IS NULL)) END,
        HINT = 'Nothing was stored. With apply => false what is known is shown.';
END $$;
COMMENT ON FUNCTION clientele._refuse_no_weights(text, jsonb, clientele.offer_estimate[], integer) IS
    'Refuses to apply weights that nothing says, with what is missing.';

-- Weights that follow noise cost what the better arm would have earned.
CREATE FUNCTION clientele._refuse_alike(program text, estimates clientele.offer_estimate[]) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    arms record := clientele._drawn_arms(estimates);
    spread record := clientele.spread_of_means(arms.means, arms.ses);
    needed bigint := clientele._enrolments_to_tell_apart(arms.means, arms.ses, arms.enrolments);
BEGIN
    IF clientele._arms_told_apart(arms.means, arms.ses) THEN
        RETURN;
    END IF;
    RAISE EXCEPTION 'the arms of program "%" cannot be told apart', program USING ERRCODE = 'object_not_in_prerequisite_state',
        DETAIL = format('Noise explains what they differ in: tau is %s, p = %s. There are %s enrolments; %s.',
            clientele._significant(spread.tau), round(spread.p_value::numeric, 2), (SELECT sum(e) FROM unnest(arms.enrolments) e),
            coalesce(format('if the best and the worst are as different as they seem, it takes about %s, and more if they are less',
                needed), 'they seem to be the same, and no number would do')),
        HINT = 'Nothing was stored. Leave the weights as they are, or try arms that differ more.';
END $$;
COMMENT ON FUNCTION clientele._refuse_alike(text, clientele.offer_estimate[]) IS
    'Refuses to apply weights where the arms do not differ by more than chance explains, with how many enrolments it would take.';

-- It computes first and locks the store then, so that neither readers nor definers wait while it computes.
CREATE FUNCTION clientele.learn_offer(store name, program text, "from" timestamptz DEFAULT NULL, "to" timestamptz DEFAULT NULL,
        horizon interval DEFAULT NULL, apply boolean DEFAULT false, use boolean DEFAULT true, pre_period interval DEFAULT '90 days')
    RETURNS SETOF clientele.offer_estimate
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET extra_float_digits = 1 AS $$
DECLARE
    min_customers constant integer := 100;
    definition jsonb;
    span record;
    estimates clientele.offer_estimate[];
    weights double precision[];
BEGIN
    PERFORM clientele._require(a.name, a.given) FROM (VALUES ('program', program IS NOT NULL), ('apply', apply IS NOT NULL),
        ('use', use IS NOT NULL), ('pre_period', pre_period IS NOT NULL)) a (name, given);
    PERFORM clientele._require_owner(store);
    PERFORM clientele._check_program(store, program);
    PERFORM set_config('timezone', clientele._check_time_zone((clientele._settings(store)).time_zone), true);
    horizon := clientele._check_measured(store, ROW(program, NULL, NULL), "from", "to", horizon, pre_period, NULL);
    PERFORM clientele._require_all_rows(store);
    "from" := coalesce("from", '-infinity');
    "to" := coalesce("to", 'infinity');
    definition := clientele._current_definition(store, program);
    span := clientele._measured_span(store, ROW(program, NULL, NULL), "from", "to", horizon, pre_period);
    estimates := clientele._shrunken_estimates(clientele._arm_estimates(store, program, "from", "to", horizon, pre_period,
        span.first_order, span.last_order, min_customers), min_customers);
    PERFORM clientele._check_estimates(program, estimates, min_customers);
    PERFORM clientele._refuse_unsettled(store, program, "from", "to", horizon);
    weights := clientele._proposed_weights(estimates, min_customers);
    IF apply AND weights IS NULL THEN
        PERFORM clientele._refuse_no_weights(program, definition, estimates, min_customers);
    ELSIF apply THEN
        PERFORM clientele._refuse_alike(program, estimates);
    END IF;

    PERFORM clientele._lock_store(store);
    IF clientele._learnable_terms(definition) <> clientele._learnable_terms(clientele._current_definition(store, program)) THEN
        RAISE EXCEPTION 'program "%" was redefined while its customers were counted', program
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Nothing was stored. Try again.';
    END IF;
    PERFORM clientele._store_estimates(store, program, definition, estimates, span.first_enrolled, horizon, weights, use);
    IF apply THEN
        PERFORM clientele._set_arm_weights(store, program, weights);
    END IF;
    RETURN QUERY SELECT * FROM clientele._shown_estimates(estimates, weights, use);
END $$;
COMMENT ON FUNCTION clientele.learn_offer(name, text, timestamptz, timestamptz, interval, boolean, boolean, interval) IS
    'What each arm of a program is worth: net margin per enrolment over the horizon, and that less the held-out customers'' '
    '(expected_profit), for all customers and by segment as enrolled; owner only. '
    'Counted is every enrolment within [from, to) (NULL: open) whose horizon (NULL: as long as offers are valid) is over, in versions '
    'with the arms and terms of now in which every arm that has a weight now had one, within each version, and combined in the same mix '
    'for all arms; a customer who was enrolled again counts so often, and errors are by customer. pre_period: the net margin over this '
    'time before the very first enrolment adjusts the arms, as in measure_lift(). '
    'Profits are shrunken: of the arms, and of the segments, what differs by chance alone is taken off (tau^2 is the variance of the '
    'estimates less their mean squared standard error). '
    'What rests on 100 customers in the arm and 100 held out is stored as a version of the model offer:PROGRAM and put in use: offers '
    'show it as expected_profit; other segments show that of all customers. use: false stores the version without putting it in use. '
    'proposed_weight: by the probability that the arm is the best, shrunken, at least 0.05. They are set, as a new version of the program, '
    'only with apply => true, which is refused where the arms cannot be told apart, with how many enrolments it would take. '
    'Refused: fewer than 100 customers in every arm, and offers that were earned and are not settled.';
