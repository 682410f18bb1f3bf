-- Fitting a store's purchase and value models, in days, and how well they foretold orders that were held back.

-- x, t_x and T of customers with orders, as the view customers shows them; $1 is as_of, unless it is NULL, for now. An order may be
-- dated after the start of this transaction: T is never less than t_x.
CREATE FUNCTION clientele._histories_query(store name, as_of timestamptz) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('SELECT b.customer_id, clientele.repeat_purchases(b.profile)::float8 AS x,
            clientele.last_purchase_age(b.profile)::float8 AS t_x,
            greatest(clientele.age(b.profile, b.as_of), clientele.last_purchase_age(b.profile))::float8 AS age, b.profile
        FROM %I.%s b WHERE clientele.orders(b.profile) > 0', store,
        CASE WHEN as_of IS NULL THEN '_base' ELSE '_base_at($1)' END)
$$;
COMMENT ON FUNCTION clientele._histories_query(name, timestamptz) IS
    'A query for the purchase histories of a store''s customers, in days: customer_id, x, t_x, age, profile.';

CREATE TYPE clientele.clv_data AS (
    customers bigint, repeat_customers bigint, valued_customers bigint, first_order_at timestamptz, last_order_at timestamptz,
    history_days integer, silent_days integer, median_gap double precision, independence double precision);
COMMENT ON TYPE clientele.clv_data IS
    'What fit_clv() finds. history_days: from the first to the last order. silent_days: since then. median_gap: of the customers'' '
    'median days between orders. '
    'independence: Pearson correlation of repeat_purchases and repeat_day_value among repeat customers.';

CREATE FUNCTION clientele._clv_data(store name, as_of timestamptz) RETURNS clientele.clv_data
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
    found clientele.clv_data;
BEGIN
    EXECUTE format('
        SELECT count(*), count(*) FILTER (WHERE f.x > 0), count(*) FILTER (WHERE f.x > 0 AND f.value > 0), min(f.first), max(f.last),
            ceil(extract(epoch FROM max(f.last) - min(f.first)) / 86400)::integer,
            floor(extract(epoch FROM coalesce($1, now()) - max(f.last)) / 86400)::integer,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY f.gap), corr(f.x, f.value) FILTER (WHERE f.x > 0 AND f.value > 0)
        FROM (SELECT h.x, clientele.repeat_day_value(h.profile)::float8 AS value, clientele.first_order_at(h.profile) AS first,
            clientele.last_order_at(h.profile) AS last,
                clientele.median_days_between_orders(h.profile) AS gap
                    FROM (%s) h) f', clientele._histories_query(store, as_of)) INTO found USING as_of;
    RETURN found;
END $$;
COMMENT ON FUNCTION clientele._clv_data(name, timestamptz) IS 'What there is to fit a store''s models to.';

-- Below these the parameters say more about chance than about the shop. The figures are explained in docs/clv.md.
CREATE FUNCTION clientele._check_clv_data(store name, data clientele.clv_data) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    min_customers constant integer := 200;
    min_repeat_customers constant integer := 50;
    min_history_days constant integer := 60;
    min_gaps constant integer := 3;
    shortfalls text[] := ARRAY[
        CASE WHEN data.customers < min_customers
             THEN format('%s with orders, of %s required', clientele._counted(data.customers, 'customer'), min_customers) END,
        CASE WHEN data.repeat_customers < min_repeat_customers
             THEN format('%s of %s customers bought on a second day, where %s are required', data.repeat_customers, data.customers,
                 min_repeat_customers) END,
        CASE WHEN data.history_days < min_history_days
             THEN format('the orders span %s days, of %s required', data.history_days, min_history_days)
             WHEN data.history_days < min_gaps * data.median_gap
             THEN format('the orders span %s days, of %s required (%s times the median of %s days between a customer''s orders)',
                data.history_days, ceil(min_gaps * data.median_gap), min_gaps, data.median_gap) END];
BEGIN
    IF num_nonnulls(VARIADIC shortfalls) > 0 THEN
        RAISE EXCEPTION 'store % has too little data for purchase models', quote_ident(store)
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('Found: %s.', array_to_string(shortfalls, '; ')),
            HINT = 'Wait for more orders. With force => true the models are fitted all the same, and tell little.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_clv_data(name, clientele.clv_data) IS
    'Refuses data that are too few to fit models to, with the figures found and those required.';

-- After a silence the models take all customers to have left. One as long as the history leaves nothing to predict.
CREATE FUNCTION clientele._check_silence(store name, data clientele.clv_data, force boolean) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' AS $$
DECLARE
    max_silence constant double precision := 0.25;  -- of the history
    last_day date := clientele._local_day(data.last_order_at, (clientele._settings(store)).time_zone);
    silence text := format('The last order is of %s; from the first to the last are %s days.', last_day, data.history_days);
    remedy text := format('Where orders have come since, CALL clientele.refresh(%L). '
        'To fit to the time when there were orders: as_of => %L.', store, last_day + 1);
BEGIN
    IF data.silent_days <= max_silence * data.history_days THEN
        RETURN;
    END IF;
    IF data.silent_days >= data.history_days AND NOT force THEN
        RAISE EXCEPTION 'store % has had no orders for % days, as long as its whole history or longer', quote_ident(store), data.silent_days
            USING ERRCODE = 'object_not_in_prerequisite_state', DETAIL = silence,
                HINT = remedy || ' With force => true the model is fitted all the same, and takes all customers to have left.';
    END IF;
    RAISE WARNING 'store % has had no orders for % days: the model takes its customers to have left', quote_ident(store), data.silent_days
        USING DETAIL = silence, HINT = remedy;
END $$;
COMMENT ON FUNCTION clientele._check_silence(name, clientele.clv_data, boolean) IS
    'Warns of a store without orders for more than a quarter of its history, and refuses one for as long as it or longer, unless forced.';

CREATE FUNCTION clientele._fit_purchases(store name, model text, as_of timestamptz) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off
    SET extra_float_digits = 1 AS $$
DECLARE
    fitted jsonb;
BEGIN
    EXECUTE format('SELECT to_jsonb(clientele.%I(h.x, h.t_x, h.age)) FROM (%s) h',
        'fit_' || model, clientele._histories_query(store, as_of)) INTO fitted USING as_of;
    RETURN jsonb_build_object('model', model) || fitted;
END $$;
COMMENT ON FUNCTION clientele._fit_purchases(name, text, timestamptz) IS
    'Fits a purchase model to all customers with orders; its fields, and which model it is.';

CREATE FUNCTION clientele._fit_values(store name, as_of timestamptz) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off
    SET extra_float_digits = 1 AS $$
DECLARE
    fitted jsonb;
BEGIN
    EXECUTE format('SELECT to_jsonb(clientele.fit_gamma_gamma(f.x, f.value))
        FROM (SELECT h.x, clientele.repeat_day_value(h.profile)::float8 AS value FROM (%s) h) f
        WHERE f.x > 0 AND f.value > 0', clientele._histories_query(store, as_of)) INTO fitted USING as_of;
    RETURN fitted;
END $$;
COMMENT ON FUNCTION clientele._fit_values(name, timestamptz) IS
    'Fits the value model to the customers with repeat purchases of a positive value; its fields.';

-- A day that has begun is not over. But where order times are dates, a midnight at which there are orders stands for its whole day.
CREATE FUNCTION clientele._last_whole_day(as_of timestamptz, last_order_at timestamptz, time_zone text) RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN as_of = last_order_at AND clientele._instant(d.day::timestamp, time_zone) = as_of THEN d.day ELSE d.day - 1 END
    FROM (SELECT clientele._local_day(as_of, time_zone)) d (day)
$$;
COMMENT ON FUNCTION clientele._last_whole_day(timestamptz, timestamptz, text) IS
    'The last local calendar day that is over at as_of; as_of''s own where it is a midnight at which there are orders, as where order '
    'times are dates.';

CREATE FUNCTION clientele._spread_over_periods(total double precision, by_then double precision[]) RETURNS double precision[]
    AS 'MODULE_PATHNAME', 'clientele_spread_over_periods' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._spread_over_periods(double precision, double precision[]) IS
    'A total over periods that follow each other, in the proportions in which by_then, what was reached by the end of each, grows.';

-- Predicted and actual purchase days. Its parameters: $1 the end of the days before, $2 the midnights at which the held-out days begin, $3
-- the end of the last, $4 their number, $5 the day before the first, $6 how many groups are predicted week by week, $7 the model.
CREATE FUNCTION clientele._holdout_query(store name, model text, calibration_to timestamptz) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill($holdout$
        WITH histories AS MATERIALIZED (
            SELECT h.customer_id, h.x, h.t_x, h.age, least(h.x, 7)::integer AS bucket FROM ({histories}) h
        ), fitted AS MATERIALIZED (
            SELECT clientele.{fit}(h.x, h.t_x, h.age) AS model FROM histories h
        ), bought AS MATERIALIZED (
            SELECT DISTINCT o.customer_id, width_bucket(o.ordered_at, $2) AS day FROM {store}._orders o
            WHERE o.ordered_at > $1 AND o.ordered_at < $3 AND o.amount >= 0
        ), afterwards AS MATERIALIZED (
            SELECT b.customer_id, count(*) AS orders, max(b.day) AS last_day FROM bought b GROUP BY b.customer_id
        ), groups AS MATERIALIZED (
            SELECT h.x, h.t_x, h.age, h.bucket, count(*) AS customers FROM histories h GROUP BY 1, 2, 3, 4
        ), actual AS MATERIALIZED (
            SELECT h.bucket, (b.day + 6) / 7 AS week, count(*) AS orders FROM bought b JOIN histories h USING (customer_id) GROUP BY 1, 2
        ), predicted_buckets AS MATERIALIZED (
            SELECT g.bucket, sum(g.customers)::bigint AS customers,
                sum(g.customers * clientele.expected_orders(f.model, $4::float8, g.x, g.t_x, g.age)) AS orders
            FROM fitted f JOIN groups g ON (f.model).converged GROUP BY g.bucket
        ), every AS (
            SELECT n.* FROM (
                SELECT g.*, row_number() OVER (ORDER BY g.x, g.t_x, g.age) % (1 + count(*) OVER () / $6) AS left_over FROM groups g) n
            WHERE n.left_over = 0
        ), by_then AS (
            SELECT p.week, sum(p.orders) AS orders FROM fitted f JOIN every e ON (f.model).converged CROSS JOIN LATERAL (
                SELECT w.week, e.customers * clientele.expected_orders(f.model, least(7 * w.week, $4)::float8, e.x, e.t_x, e.age) AS orders
                FROM generate_series(1, ($4 + 6) / 7) w (week) OFFSET 0) p
            GROUP BY p.week
        ), predicted_weeks AS (
            SELECT w.week::integer AS week, w.orders
            FROM (SELECT clientele._spread_over_periods((SELECT sum(b.orders) FROM predicted_buckets b),
                array_agg(t.orders ORDER BY t.week)) AS orders FROM by_then t) s, unnest(s.orders) WITH ORDINALITY w (orders, week)
        ), numbers AS (
            SELECT clientele._purchase_numbers(jsonb_build_object('model', $7) || to_jsonb(f.model)) AS numbers
            FROM fitted f WHERE (f.model).converged
        ), likelihood AS (
            -- What the model of the days before says of the held-out ones: of the whole histories, less that of those before.
            SELECT clientele._purchase_log_likelihood($7, p.numbers, t.whole)
                - clientele._purchase_log_likelihood($7, p.numbers, t.before) AS held_out
            FROM numbers p CROSS JOIN (SELECT clientele._purchase_histories(h.x, h.t_x, h.age) AS before,
                    clientele._purchase_histories(h.x + coalesce(a.orders, 0), coalesce(h.age + a.last_day, h.t_x), h.age + $4) AS whole
                FROM histories h LEFT JOIN afterwards a USING (customer_id)) t
        )
        SELECT jsonb_build_object('model', (SELECT to_jsonb(f.model) FROM fitted f),
            'log_likelihood', (SELECT l.held_out FROM likelihood l),
            'weeks', (SELECT jsonb_agg(jsonb_build_object('from', $5 + 7 * (p.week - 1) + 1, 'days', least(7, $4 - 7 * (p.week - 1)),
                    'predicted', p.orders, 'actual', coalesce((SELECT sum(a.orders) FROM actual a WHERE a.week = p.week), 0))
                    ORDER BY p.week)
                FROM predicted_weeks p),
            'repeat_purchases', (SELECT jsonb_agg(jsonb_build_object('at_least', p.bucket, 'customers', p.customers,
                    'predicted', p.orders, 'actual', coalesce((SELECT sum(a.orders) FROM actual a WHERE a.bucket = p.bucket), 0))
                    ORDER BY p.bucket)
                FROM predicted_buckets p))
        $holdout$, 'store', quote_ident(store), 'fit', quote_ident('fit_' || model),
        'histories', clientele._histories_query(store, calibration_to))
$$;
COMMENT ON FUNCTION clientele._holdout_query(name, text, timestamptz) IS 'A query for what _holdout() returns.';

-- The same kind of model, fitted to what was known when the held-out days began, foretells the orders of these customers on these days.
-- Both ends are those of whole days, so that no purchase day is half in and half out.
CREATE FUNCTION clientele._holdout(store name, model text, last_day date, days integer) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off
    SET extra_float_digits = 1 AS $$
DECLARE
    zone text := (clientele._settings(store)).time_zone;
    calibration_day date := last_day - days;
    midnights timestamptz[] := ARRAY(SELECT clientele._instant((calibration_day + n)::timestamp, zone)
        FROM generate_series(1, days + 1) n ORDER BY n);
    -- Customers with the same history are predicted once. Of more histories than these, the share of each week is that of a part of them.
    max_groups constant integer := 20000;
    calibration_to timestamptz := midnights[1] - interval '1 microsecond';
    report jsonb;
BEGIN
    EXECUTE clientele._holdout_query(store, model, calibration_to)
        INTO report USING calibration_to, midnights[:days], midnights[days + 1], days, calibration_day, max_groups, model;
    RETURN jsonb_build_object('days', days, 'calibration_to', calibration_day) || report;
END $$;
COMMENT ON FUNCTION clientele._holdout(name, text, date, integer) IS
    'Predicted and actual purchase days in so many days up to the end of last_day, by week and by repeat purchases before them, by a '
    'model that knows only what was before.';

CREATE FUNCTION clientele._days_held_out(history_days integer) RETURNS integer
    AS 'MODULE_PATHNAME', 'clientele_days_held_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._days_held_out(integer) IS
    'How many days of a history to hold back from a fit: a third, 14 to 180; none where a third is less than a week.';

-- How many days to hold out; an error where so many were asked for that nothing is left.
CREATE FUNCTION clientele._holdout_days(asked integer, data clientele.clv_data) RETURNS integer
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known integer := data.history_days + greatest(data.silent_days, 0);
BEGIN
    IF asked < 0 OR asked >= known THEN
        RAISE EXCEPTION 'invalid holdout_days: %', asked USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('The first order is %s days old.', known),
            HINT = 'Accepted: less than that; 0 holds nothing out; NULL: a third of it, 14 to 180 days.';
    END IF;
    RETURN coalesce(asked, clientele._days_held_out(known));
END $$;
COMMENT ON FUNCTION clientele._holdout_days(integer, clientele.clv_data) IS
    'The days that fit_clv() holds out: those asked for, else a third of the history, 14 to 180.';

-- The value model adds to the purchase model; where it cannot be had, that is no reason to do without the other.
CREATE FUNCTION clientele._try_values(store name, as_of timestamptz, data clientele.clv_data, force boolean,
    OUT value jsonb, OUT problem text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    min_valued_customers constant integer := 50;
BEGIN
    IF data.valued_customers < min_valued_customers AND NOT force OR data.valued_customers = 0 THEN
        problem := format('%s customers with repeat purchases of a positive value, of %s required', data.valued_customers,
            min_valued_customers);
        RETURN;
    END IF;
    value := clientele._fit_values(store, as_of);
    IF (value -> 'converged')::boolean IS NOT TRUE THEN
        problem := 'its fit did not converge';
        value := NULL;
    END IF;
EXCEPTION WHEN data_exception OR object_not_in_prerequisite_state THEN
    GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT;
    value := NULL;
END $$;
COMMENT ON FUNCTION clientele._try_values(name, timestamptz, clientele.clv_data, boolean) IS
    'The value model of a store, or why there is none.';

CREATE FUNCTION clientele._try_holdout(store name, model text, last_day date, days integer) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    report jsonb;
    problem text;
BEGIN
    IF days = 0 THEN
        RETURN jsonb_build_object('days', 0, 'problem', 'no days were held out');
    END IF;
    report := clientele._holdout(store, model, last_day, days);
    IF report -> 'weeks' <> 'null' THEN
        RETURN report;
    END IF;
    RETURN report - '{weeks,repeat_purchases,log_likelihood}'::text[]
        || jsonb_build_object('problem', 'the model of the days before did not converge');
EXCEPTION WHEN data_exception OR object_not_in_prerequisite_state THEN
    GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT;
    RETURN jsonb_build_object('days', days, 'problem', problem);
END $$;
COMMENT ON FUNCTION clientele._try_holdout(name, text, date, integer) IS 'The holdout report of a store, or why there is none.';

CREATE FUNCTION clientele._left_share(store name, purchase jsonb, as_of timestamptz) RETURNS numeric
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off AS $$
DECLARE
    share numeric;
BEGIN
    EXECUTE format('SELECT round(avg(1 - clientele.p_alive(m.model, h.x, h.t_x, h.age))::numeric, 4) FROM (%s) h
        CROSS JOIN (SELECT jsonb_populate_record(NULL::clientele.%I, $2) AS model OFFSET 0) m WHERE h.x > 0',
        clientele._histories_query(store, as_of), purchase ->> 'model') INTO share USING as_of, purchase;
    RETURN share;
END $$;
COMMENT ON FUNCTION clientele._left_share(name, jsonb, timestamptz) IS
    'The share of the customers with repeat purchases who have left for good by a purchase model that converged.';

-- Of a model that did not converge nothing more is asked.
CREATE FUNCTION clientele._purchase_candidate(store name, model text, as_of timestamptz, last_day date, holdout_days integer) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    purchase jsonb := clientele._fit_purchases(store, model, as_of);
BEGIN
    IF (purchase -> 'converged')::boolean IS NOT TRUE THEN
        RETURN jsonb_build_object('model', model, 'converged', false, 'purchase', purchase,
            'holdout', jsonb_build_object('days', 0, 'problem', 'the model did not converge'));
    END IF;
    RETURN jsonb_build_object('model', model, 'converged', true, 'purchase', purchase,
        'holdout', clientele._try_holdout(store, model, last_day, holdout_days), 'left_share',
            clientele._left_share(store, purchase, as_of));
END $$;
COMMENT ON FUNCTION clientele._purchase_candidate(name, text, timestamptz, date, integer) IS
    'What a kind of purchase model comes to in a store: its fit, how well it foretold the days held out, and whom it takes to have left.';

-- Below this share of leavers a model says that nobody ever leaves: whoever has been silent for years is as alive as who came today.
CREATE FUNCTION clientele._says_who_left(candidate jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE((candidate -> 'left_share')::pg_catalog.numeric OPERATOR(pg_catalog.>=) 0.01, false);
COMMENT ON FUNCTION clientele._says_who_left(jsonb) IS
    'Whether a candidate takes at least 1 % of the customers with repeat purchases to have left.';

CREATE FUNCTION clientele._held_out(holdout jsonb, OUT predicted double precision, OUT actual double precision)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT sum((b -> 'predicted')::double precision), sum((b -> 'actual')::double precision)
        FROM jsonb_path_query(holdout, '$.repeat_purchases[*]') b
$$;
COMMENT ON FUNCTION clientele._held_out(jsonb) IS
    'Predicted and actual purchase days of all customers in the days held out; NULL where there is nothing to compare.';

-- A model is off by what it predicts too much or too little in total. Differences below the standard error of a count, its square
-- root, are chance: among models so close the likelihood of what came, customer by customer, decides.
CREATE FUNCTION clientele._purchase_candidates(store name, model text, as_of timestamptz, last_day date, holdout_days integer) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH fitted AS MATERIALIZED (
        SELECT clientele._purchase_candidate(store, m.kind, as_of, last_day, holdout_days) AS candidate
        FROM unnest(CASE WHEN model = 'auto' THEN '{mbgnbd,bgnbd,pareto_nbd}' ELSE ARRAY[model] END) m (kind)
    ), compared AS (
        SELECT f.candidate, (f.candidate -> 'converged')::boolean AS converged, clientele._says_who_left(f.candidate) AS says_who_left,
            abs(h.predicted - h.actual) AS off, sqrt(h.actual) AS chance
        FROM fitted f CROSS JOIN LATERAL clientele._held_out(f.candidate -> 'holdout') h
    ), ranked AS (
        SELECT c.*, c.off <= min(c.off) OVER (PARTITION BY c.converged, c.says_who_left) + c.chance AS is_close FROM compared c
    )
    SELECT jsonb_agg(r.candidate ORDER BY r.converged DESC, r.says_who_left DESC, r.is_close DESC NULLS LAST,
        (r.candidate #>> '{holdout,log_likelihood}')::double precision DESC NULLS LAST,
        (r.candidate #>> '{purchase,log_likelihood}')::double precision DESC NULLS LAST) FROM ranked r
$$;
COMMENT ON FUNCTION clientele._purchase_candidates(name, text, timestamptz, date, integer) IS
    'The kinds of purchase models to choose from, the best first: one that converged and takes somebody to have left; of these the one '
    'that is least off in the days held out, '
    'where they are close the one by which what came then was likeliest; without days held out, what it was fitted to.';

CREATE FUNCTION clientele._off_by(predicted double precision, actual double precision) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('%s %% %s', round(abs(100 * (predicted / nullif(actual, 0) - 1))::numeric, 1),
        CASE WHEN predicted < actual THEN 'below' ELSE 'above' END)
$$;
COMMENT ON FUNCTION clientele._off_by(double precision, double precision) IS
    'How far a prediction is from what came, in words: 3.2 % below.';

CREATE FUNCTION clientele._verdict(candidate jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN NOT (candidate -> 'converged')::boolean THEN 'did not converge'
        ELSE concat_ws('; ', CASE WHEN NOT clientele._says_who_left(candidate) THEN 'finds that nobody ever leaves' END,
            CASE WHEN candidate #> '{holdout,log_likelihood}' IS NULL
                 THEN format('log likelihood %s, nothing held out to compare',
                     round((candidate #>> '{purchase,log_likelihood}')::numeric, 1))
                 ELSE format('%s the %s orders of the days held out, whose log likelihood is %s', clientele._off_by(h.predicted, h.actual),
                     h.actual, round((candidate #>> '{holdout,log_likelihood}')::numeric, 1)) END) END
    FROM clientele._held_out(candidate -> 'holdout') h
$$;
COMMENT ON FUNCTION clientele._verdict(jsonb) IS 'What speaks for and against a candidate, in words.';

CREATE FUNCTION clientele._why_chosen(candidates jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN jsonb_array_length(candidates) = 1 THEN 'asked for'
        ELSE (SELECT 'the best first: ' || string_agg(format('%s: %s', c.candidate ->> 'model', clientele._verdict(c.candidate)),
            '. ' ORDER BY c.place)
              FROM jsonb_array_elements(candidates) WITH ORDINALITY c (candidate, place)) END
$$;
COMMENT ON FUNCTION clientele._why_chosen(jsonb) IS 'Why the first of these candidates is the one, in words.';

CREATE FUNCTION clientele._refuse_unconverged(candidates jsonb, customers bigint) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    details constant text[] := '{model,log_likelihood,standard_errors,customers,iterations,converged}'::text[];
BEGIN
    RAISE EXCEPTION 'the fit of % did not converge', (SELECT string_agg(c ->> 'model', ', ') FROM jsonb_array_elements(candidates) c)
        USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = (SELECT string_agg(format('After %s iterations over %s customers it was at %s.',
                c #>> '{purchase,iterations}', customers,
                (c -> 'purchase') - details), ' ') FROM jsonb_array_elements(candidates) c),
            HINT = CASE WHEN jsonb_array_length(candidates) = 1 THEN 'Another model may fit, or auto, which tries all.'
                ELSE 'There is no best model where customers are too much alike in how often they buy or how soon they leave; '
                    'more of them, or a longer history, may tell.' END
                || ' Nothing was stored; with force => true the likeliest is, to be looked at, and not used.';
END $$;
COMMENT ON FUNCTION clientele._refuse_unconverged(jsonb, bigint) IS 'Refuses models none of which has a maximum.';

CREATE FUNCTION clientele._check_fit_arguments(store name, model text, force boolean, annual_discount double precision, as_of timestamptz,
    use boolean) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require(a.name, a.given) FROM (VALUES ('model', model IS NOT NULL), ('force', force IS NOT NULL),
        ('annual_discount', annual_discount IS NOT NULL), ('use', use IS NOT NULL)) a (name, given);
    IF model <> ALL ('{auto,bgnbd,mbgnbd,pareto_nbd}') THEN
        RAISE EXCEPTION 'unknown model: "%"', model USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'The models are: bgnbd, mbgnbd, pareto_nbd. With auto all are fitted, and the best is taken.';
    END IF;
    IF NOT (annual_discount >= 0 AND annual_discount <= 1) THEN
        RAISE EXCEPTION 'invalid annual_discount: %', annual_discount USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'What money is worth less in a year is a share, from 0 to 1.';
    END IF;
    IF NOT isfinite(as_of) OR as_of > now() THEN
        RAISE EXCEPTION 'invalid as_of: %', as_of USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'A model is fitted to what has happened by a time that is past, or by now (NULL).';
    END IF;
    PERFORM clientele._require_owner(store);
    PERFORM clientele._require_readable(store, as_of);
    PERFORM clientele._refuse_absent_orders(store);
END $$;
COMMENT ON FUNCTION clientele._check_fit_arguments(name, text, boolean, double precision, timestamptz, boolean) IS
    'Refuses arguments of fit_clv() that make no sense, and others than the owner.';

CREATE FUNCTION clientele._warn_of_fit(store name, candidate jsonb, holdout_days integer, values_problem text, is_used boolean) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    problem text := candidate #>> '{holdout,problem}';
BEGIN
    IF values_problem IS NOT NULL THEN
        RAISE WARNING 'store % has no value model: %', quote_ident(store), values_problem
            USING DETAIL = 'The columns expected_order_value and clv_1y will be NULL.';
    END IF;
    IF NOT (candidate -> 'converged')::boolean THEN
        RAISE WARNING 'the fit of % did not converge: it is stored to be looked at, and not used', candidate ->> 'model';
        RETURN;
    END IF;
    IF NOT clientele._says_who_left(candidate) THEN
        RAISE WARNING 'the model of store % finds that nobody ever leaves: %', quote_ident(store),
            CASE WHEN is_used THEN 'p_alive will tell nobody from another' ELSE 'it is stored, and not used' END
            USING DETAIL = format('Of the customers with repeat purchases it takes %s %% to have left, however long they have been silent.',
                round(100 * coalesce((candidate -> 'left_share')::numeric, 0), 2)),
                HINT = 'Customers who buy for others (wholesale), or days that were not loaded, look like this. '
                    'With force => true, or by use_model(), it is used.';
    END IF;
    IF holdout_days > 0 AND problem IS NOT NULL THEN
        RAISE WARNING 'the model of store % could not be checked: %', quote_ident(store), problem
            USING DETAIL = format('It was fitted to all orders and did converge. '
                'clv_report() has nothing to compare for the %s days held out.', holdout_days),
                HINT = 'Other holdout_days or another model may do.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._warn_of_fit(name, jsonb, integer, text, boolean) IS
    'Warns of what a user of the model that was chosen should know.';

-- It computes first and locks the store then, so that neither readers nor definers nor a refresh wait while it computes.
CREATE FUNCTION clientele.fit_clv(store name, INOUT model text DEFAULT 'auto', force boolean DEFAULT false,
    holdout_days integer DEFAULT NULL,
        annual_discount double precision DEFAULT 0.10, as_of timestamptz DEFAULT NULL, use boolean DEFAULT true,
        OUT version integer, OUT in_use boolean, OUT converged boolean, OUT customers bigint, OUT repeat_customers bigint,
        OUT log_likelihood double precision, OUT purchase jsonb, OUT value jsonb, OUT predicted_orders double precision,
            OUT actual_orders bigint,
        OUT reason text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
    details constant text[] := '{model,log_likelihood,standard_errors,customers,iterations,converged}'::text[];
    counted_at timestamptz := coalesce(as_of, now());
    data clientele.clv_data;
    candidates jsonb;
    chosen jsonb;
    values_problem text;
BEGIN
    PERFORM clientele._check_fit_arguments(store, model, force, annual_discount, as_of, use);
    data := clientele._data_to_fit(store, as_of, force);
    holdout_days := clientele._holdout_days(holdout_days, data);
    PERFORM clientele._check_silence(store, data, force);
    candidates := clientele._purchase_candidates(store, model, as_of,
        clientele._last_whole_day(counted_at, data.last_order_at, (clientele._settings(store)).time_zone), holdout_days);
    chosen := candidates -> 0;
    converged := (chosen -> 'converged')::boolean;
    IF NOT converged AND NOT force THEN
        PERFORM clientele._refuse_unconverged(candidates, data.customers);
    END IF;
    SELECT * INTO value, values_problem FROM clientele._try_values(store, as_of, data, force);
    in_use := converged AND use AND (force OR clientele._says_who_left(chosen));
    PERFORM clientele._warn_of_fit(store, chosen, holdout_days, values_problem, in_use);
    purchase := chosen -> 'purchase';
    version := clientele._store_fit(store, jsonb_build_object('purchase', purchase, 'value', value, 'annual_discount', annual_discount),
        data, counted_at,
        jsonb_build_object('data', to_jsonb(data), 'forced', force, 'value_problem', values_problem, 'holdout', chosen -> 'holdout',
            'candidates', (SELECT jsonb_agg(c #- '{holdout,weeks}' ORDER BY place)
                FROM jsonb_array_elements(candidates) WITH ORDINALITY e (c, place))), in_use);
    model := chosen ->> 'model';
    reason := clientele._why_chosen(candidates);
    customers := data.customers;
    repeat_customers := data.repeat_customers;
    log_likelihood := (purchase ->> 'log_likelihood')::double precision;
    purchase := purchase - details;
    value := value - details;
    SELECT h.predicted, h.actual INTO predicted_orders, actual_orders FROM clientele._held_out(chosen -> 'holdout') h;
END $$;
COMMENT ON FUNCTION clientele.fit_clv(name, text, boolean, integer, double precision, timestamptz, boolean) IS
    'Fits a purchase model (to all customers with orders, in days) and a value model (Gamma-Gamma, to those with repeat purchases) to a '
    'store, '
    'and puts them in use as a new version of its model clv; owner only. model: bgnbd, mbgnbd or pareto_nbd; auto: all three, of which '
    'the one is taken that converged and is least off in '
    'the days held out, or, where they are close, by which what came then was likeliest (without any: what it was fitted to); reason '
    'says so. Too few data, and no order for as long as the history, are errors, unless forced; '
    'so is a fit that does not converge, which is never used. A model that finds that nobody ever leaves is a warning, and used only '
    'with force. use: false stores the version without putting it in use. '
    'holdout_days: whole days, held out for the choice and for clv_report(); NULL: a third of the history, 14 to 180; 0: none. '
    'annual_discount: of clv_1y, 0 to 1. as_of: fits to what had happened by then. '
    'predicted_orders, actual_orders: purchase days in the days held out; NULL with a warning where there is nothing to compare. Readers '
    'never wait, and definers only when all is computed.';

CREATE FUNCTION clientele._data_to_fit(store name, as_of timestamptz, force boolean) RETURNS clientele.clv_data
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    data clientele.clv_data := clientele._clv_data(store, as_of);
BEGIN
    IF data.customers = 0 THEN
        RAISE EXCEPTION 'store % has no customers with orders', quote_ident(store) USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('Orders up to %s count.', coalesce(as_of::text, 'now')),
                HINT = format('Has it been filled? CALL clientele.refresh(%L);', store);
    END IF;
    IF NOT force THEN
        PERFORM clientele._check_clv_data(store, data);
    END IF;
    RETURN data;
END $$;
COMMENT ON FUNCTION clientele._data_to_fit(name, timestamptz, boolean) IS
    'What there is to fit a store''s models to; refused where that is too little, unless forced.';

CREATE FUNCTION clientele._store_fit(store name, parameters jsonb, data clientele.clv_data, counted_at timestamptz, diagnostics jsonb,
    use boolean) RETURNS integer
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_first boolean;
BEGIN
    PERFORM clientele._lock_store(store);
    EXECUTE format('SELECT s.net_share IS NULL FROM %I.scoring s', store) INTO is_first;
    IF is_first THEN
        PERFORM clientele._refresh_scoring(store);
    END IF;
    RETURN clientele._add_model(store, 'clv', parameters, data.first_order_at, counted_at, data.customers, diagnostics, use);
END $$;
COMMENT ON FUNCTION clientele._store_fit(name, jsonb, clientele.clv_data, timestamptz, jsonb, boolean) IS
    'Adds a version of the model clv, by whoever owns the store.';

CREATE FUNCTION clientele._independence_verdict(data jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
        WHEN jsonb_typeof(data -> 'independence') IS DISTINCT FROM 'number' THEN 'cannot be computed: all alike'
        WHEN abs((data -> 'independence')::double precision) <= 0.3
            THEN 'holds: what a purchase day is worth hardly depends on how many there are'
        WHEN (data -> 'independence')::double precision > 0 THEN
            'does not hold: who buys more often spends more a day; expected_order_value and clv_1y of frequent customers are too low'
        ELSE 'does not hold: who buys more often spends less a day; expected_order_value and clv_1y of frequent customers are too high' END
$$;
COMMENT ON FUNCTION clientele._independence_verdict(jsonb) IS 'Whether the Gamma-Gamma model''s assumption holds, in words.';

CREATE FUNCTION clientele.clv_report(store name DEFAULT NULL, version integer DEFAULT NULL)
    RETURNS TABLE (section text, bucket text, customers bigint, predicted double precision, actual double precision, remark text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    diagnostics jsonb;
    holdout jsonb;
BEGIN
    store := clientele._resolve_store(store);
    IF version IS NULL THEN
        EXECUTE format('SELECT m.version FROM %I.models m WHERE m.kind = ''clv'' AND m.in_use', store) INTO version;
        IF version IS NULL THEN
            RAISE EXCEPTION 'store % uses no model of kind "clv"', quote_ident(store) USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Fit one with clientele.fit_clv(), or name the version of one that is not in use.';
        END IF;
    END IF;
    diagnostics := (clientele._model(store, 'clv', version)).diagnostics;
    holdout := diagnostics -> 'holdout';
    RETURN QUERY SELECT 'week', w ->> 'from', NULL::bigint, (w -> 'predicted')::double precision, (w -> 'actual')::double precision,
            CASE WHEN (w -> 'days')::integer < 7 THEN format('%s days', w -> 'days') END
        FROM jsonb_path_query(holdout, '$.weeks[*]') w;
    RETURN QUERY SELECT 'repeat_purchases', CASE WHEN (b -> 'at_least')::integer = 7 THEN '7+' ELSE b ->> 'at_least' END,
        (b -> 'customers')::bigint,
            (b -> 'predicted')::double precision / (b -> 'customers')::double precision,
            (b -> 'actual')::double precision / (b -> 'customers')::double precision, NULL
        FROM jsonb_path_query(holdout, '$.repeat_purchases[*]') b;
    RETURN QUERY SELECT 'total', 'orders', t.customers, t.predicted, t.actual,
        coalesce(holdout ->> 'problem', CASE WHEN t.predicted IS NULL THEN 'no days were held out' END,
            format('%s days after %s: predicted is %s actual', holdout ->> 'days', holdout ->> 'calibration_to',
                clientele._off_by(t.predicted, t.actual)))
        FROM (SELECT sum((b -> 'customers')::bigint)::bigint AS customers, sum((b -> 'predicted')::double precision) AS predicted,
                sum((b -> 'actual')::double precision) AS actual FROM jsonb_path_query(holdout, '$.repeat_purchases[*]') b) t;
    RETURN QUERY SELECT 'model', c.candidate ->> 'model', NULL::bigint, h.predicted, h.actual,
        concat_ws(': ', CASE WHEN c.place = 1 THEN 'chosen' END, clientele._verdict(c.candidate))
        FROM jsonb_array_elements(diagnostics -> 'candidates') WITH ORDINALITY c (candidate, place)
        CROSS JOIN LATERAL clientele._held_out(c.candidate -> 'holdout') h;
    RETURN QUERY SELECT 'independence', 'correlation', (diagnostics #> '{data,valued_customers}')::bigint, 0::double precision,
        CASE WHEN jsonb_typeof(diagnostics #> '{data,independence}') = 'number'
            THEN (diagnostics #> '{data,independence}')::double precision END,
        clientele._independence_verdict(diagnostics -> 'data');
END $$;
COMMENT ON FUNCTION clientele.clv_report(name, integer) IS
    'How well a version of a store''s model clv (NULL: the one in use) foretold the orders that were held out when it was fitted. '
    'section week: purchase days of all customers in the week from bucket on; '
    'repeat_purchases: mean purchase days a customer, by repeat purchases before; total; model: the kinds that were fitted, and what '
    'speaks for and against each; independence: Pearson correlation of repeat_purchases and repeat_day_value, which the value model '
    'takes to be 0.';
