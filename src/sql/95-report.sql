-- The report: one page that shows how a shop is doing. Each figure is a query that anybody can run, and how it is drawn.

CREATE FUNCTION clientele._report_figure(id text, topic text, drawing text, title text, headline text, note text, x_axis text, y_axis text,
    query text, columns text[], formats text[], cells text[], drawn integer, currency text, decimals integer, hide_few boolean) RETURNS text
    AS 'MODULE_PATHNAME', 'clientele__report_figure' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._report_figure(text, text, text, text, text, text, text, text, text, text[], text[], text[], integer, text,
    integer, boolean) IS
    'Internal: a figure of the report as HTML. cells: row by row, as texts. drawn: how many of the columns are drawn. '
    'hide_few: numbers of fewer than five customers are left out.';

CREATE FUNCTION clientele._report_missing(id text, title text, why text) RETURNS text
    AS 'MODULE_PATHNAME', 'clientele__report_missing' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._report_missing(text, text, text) IS 'Internal: what stands in the place of a figure that cannot be shown.';

CREATE FUNCTION clientele._report_section(id text, question text, figures text) RETURNS text
    AS 'MODULE_PATHNAME', 'clientele__report_section' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._report_section(text, text, text) IS 'Internal: a section of the report, its figures HTML already.';

CREATE FUNCTION clientele._report_page(title text, subtitle text, sections text) RETURNS text
    AS 'MODULE_PATHNAME', 'clientele__report_page' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._report_page(text, text, text) IS 'Internal: the page of the report, its sections HTML already.';

CREATE TYPE clientele.report_figure AS (
    id text, topic text, drawing text, title text, headline text, note text, x_axis text, y_axis text,
    formats text[], drawn integer, query text, subject text);
COMMENT ON TYPE clientele.report_figure IS
    'Internal: a figure of the report. topic: what it is about, its title where there is nothing to be seen. title: '
    'says what is seen; {column} stands for the value in the row that headline chooses '
    '(first, last, max COLUMN, min COLUMN). query: with the markers {store}, {name}, {customers}, {as_of}, {zone}, and '
    '{subject} where it is about one thing of several.';

-- ---- What is shown ----

CREATE FUNCTION clientele._report_shop_figures() RETURNS SETOF clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    VALUES ('key-figures', 'Key figures', 'cards', '{now} customers have ordered so far', 'first',
        'Of completed orders, less what was refunded. Active: ordered within the last 90 days. Repeat rate: of the customers who have '
        'ordered, how many did on more than one day.', '', '', '{text,count,count,text}'::text[], 3, $query$
WITH month AS (
    SELECT {as_of} - o.ordered_at < interval '30 days' AS recent, count(*) FILTER (WHERE o.amount >= 0) AS orders,
        sum(o.amount) AS revenue, avg(o.amount) FILTER (WHERE o.amount >= 0) AS aov
    FROM {store}._orders AS o WHERE o.ordered_at > {as_of} - interval '60 days' AND o.ordered_at <= {as_of} GROUP BY 1
), now AS (SELECT * FROM month WHERE recent), before AS (SELECT * FROM month WHERE NOT recent)
SELECT f.figure, f.now, f.before AS "30 days before", f.unit
FROM (SELECT count(*) AS customers, count(*) FILTER (WHERE c.tenure_days >= 30) AS customers_before,
        count(*) FILTER (WHERE c.recency_days < 90) AS active,
        count(*) FILTER (WHERE clientele.purchase_days_within(c.profile, 90, {as_of} - interval '30 days') > 0) AS active_before,
        count(*) FILTER (WHERE c.purchase_days > 1) AS again,
        count(*) FILTER (WHERE c.tenure_days - clientele.days_to_second_purchase(c.profile) >= 30) AS again_before
      FROM {customers} AS c WHERE c.orders > 0) AS c
LEFT JOIN now ON true LEFT JOIN before ON true
CROSS JOIN LATERAL (VALUES
    (1, 'Customers who ordered', c.customers::numeric, c.customers_before::numeric, 'count'),
    (2, 'Active customers', c.active, c.active_before, 'count'),
    (3, 'Orders in 30 days', coalesce(now.orders, 0), coalesce(before.orders, 0), 'count'),
    (4, 'Revenue in 30 days', coalesce(now.revenue, 0), coalesce(before.revenue, 0), 'money'),
    (5, 'Average order value', now.aov, before.aov, 'money'),
    (6, 'Repeat rate', c.again::numeric / nullif(c.customers, 0), c.again_before::numeric / nullif(c.customers_before, 0), 'share')
) AS f (place, figure, now, before, unit)
ORDER BY f.place$query$, NULL::text),
    ('cohorts', 'Who came back', 'heat',
        'Who came back: of those who first ordered in {first order}, {share who came back} did again within {within}', 'first',
        'Customers by the month of their first order. A month is shown once its last customer had the time.',
        'share of the month''s new customers who ordered on another day', '', '{text,text,share,people}', 3, $query$
SELECT to_char(c.first_order_at AT TIME ZONE {zone}, 'YYYY-MM') AS "first order", d.days || ' days' AS within,
    CASE WHEN min(c.tenure_days) >= d.days
        THEN avg((coalesce(clientele.days_to_second_purchase(c.profile) <= d.days, false))::int) END AS "share who came back",
    count(*) AS customers
FROM {customers} AS c CROSS JOIN (VALUES (30), (90), (180)) AS d (days)
WHERE c.first_order_at >= date_trunc('month', {as_of}, {zone}) - interval '12 months'
GROUP BY 1, d.days ORDER BY 1, d.days$query$, NULL::text)
$$;
COMMENT ON FUNCTION clientele._report_shop_figures() IS 'Internal: how the shop is doing.';

CREATE FUNCTION clientele._report_customer_figures() RETURNS SETOF clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    VALUES ('segments', 'Segments', 'bars',
        '{segment} bring {share of revenue} of the revenue with {share of customers} of the customers', 'max share of revenue',
        'Segments of the segmentation main, by what they brought in so far.', '', '',
        '{text,share,share,people,count,money,text}'::text[], 3, $query$
SELECT s.segment, s.customers / sum(s.customers) OVER () AS "share of customers",
    s.total_spent / nullif(sum(s.total_spent) OVER (), 0) AS "share of revenue", s.customers, s.orders, s.aov AS "average order",
    (SELECT string_agg(p.slot || ': ' || p.content, ', ' ORDER BY p.slot)
     FROM {store}.contents AS p WHERE p.segment = s.segment) AS "is shown"
FROM (SELECT c.segment, count(*) AS customers, sum(c.orders) AS orders, sum(c.total_spent) AS total_spent,
        sum(c.gross_spent) / nullif(sum(c.orders), 0) AS aov
      FROM {customers} AS c GROUP BY c.segment) AS s
ORDER BY s.total_spent DESC, s.segment$query$, NULL::text),
    ('rfm', 'Recency and frequency', 'heat', 'The best customers: {customers} ordered of late and often', 'first',
        'Customers by how recently and how often they ordered, five groups each. Values stand in the table.',
        'columns: recency, 5 ordered last', '', '{text,text,people,money,money}', 3, $query$
SELECT 'frequency ' || c.f_score AS frequency, c.r_score AS recency, count(*) AS customers,
    sum(c.total_spent) AS "spent so far", sum(c.clv_1y) AS "margin in a year, expected"
FROM {customers} AS c WHERE c.r_score IS NOT NULL GROUP BY c.f_score, c.r_score ORDER BY c.f_score DESC, c.r_score DESC$query$, NULL::text)
$$;
COMMENT ON FUNCTION clientele._report_customer_figures() IS 'Internal: who the customers are.';

CREATE FUNCTION clientele._report_learned_figure(segmentation text) RETURNS clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ROW('learned-' || md5(segmentation), 'Segments that the data suggest: ' || segmentation, 'bars',
        'Segments that the data suggest (' || translate(segmentation, '{}', '') ||
            '): the largest is {segment}, {share of customers}', 'max customers',
        'Learned by k-means; what sets a segment apart stands in the table.', '', '', '{text,share,people,text}'::text[], 2,
        $query$
SELECT s.segment, s.share AS "share of customers", s.customers, s.distinguishing AS "what sets it apart"
FROM clientele.describe_segments({name}, {subject}) AS s ORDER BY s.customers DESC, s.segment$query$, segmentation)::clientele.report_figure
$$;
COMMENT ON FUNCTION clientele._report_learned_figure(text) IS 'Internal: the figure of a learned segmentation.';

CREATE FUNCTION clientele._report_offer_figures() RETURNS SETOF clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    VALUES ('ladder', 'What is asked for', 'columns', 'What is asked for: most offers start at {rung}', 'max asked for',
        'Customers who have an offer now, by what they usually spend (rounded up to a rung of the ladder) and by what is asked of them.',
        'order value, rungs of the ladder', 'customers', '{money,people,people}'::text[], 3, $query$
SELECT v.rung, count(*) FILTER (WHERE v.usual) AS "usually spend", count(*) FILTER (WHERE NOT v.usual) AS "asked for"
FROM {store}.offers AS o
CROSS JOIN LATERAL (VALUES (clientele.ladder_rung(o.reference_value), true), (o.min_spend, false)) AS v (rung, usual)
GROUP BY v.rung ORDER BY v.rung$query$, NULL::text),
    ('decisions', 'Who gets an offer, and who does not', 'bars',
        'Who gets an offer and who does not: {customers} customers, {decision}', 'max customers',
        'By program, and the first reason. Greatest cost: if everybody redeems.', '', '', '{text,people,money,money}', 2, $query$
SELECT s.program || ', ' || s.status || coalesce(': ' || s.reason, '') AS decision, s.customers, s.mean_threshold AS "mean threshold",
    s.greatest_cost AS "greatest cost"
FROM {store}.offer_summary AS s ORDER BY s.customers DESC, 1$query$, NULL::text)
$$;
COMMENT ON FUNCTION clientele._report_offer_figures() IS 'Internal: what customers are asked for.';

CREATE FUNCTION clientele._report_lift_figure(program text) RETURNS clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ROW('lift-' || md5(program), 'What ' || program || ' changed', 'intervals',
        translate(program, '{}', '') || ' changed the net margin by {effect} a customer [{at least}, {at most}]', 'first',
        'Customers with an offer against those held out, since each was first enrolled; rewards are paid for. Thick: 95 % interval for '
        'one look at a time fixed beforehand; thin: holds however often one looks.',
        'net margin a customer, in the currency of the shop', '',
        '{text,money,money,money,money,money,people,people,text}'::text[], 6, $query$
SELECT coalesce(l.segment, 'all customers') AS "who", l.effect, l.ci_low AS "at least", l.ci_high AS "at most",
    l.sequential_low AS "at any time at least", l.sequential_high AS "at any time at most",
    l.n_treated AS offered, l.n_control AS "held out", l.note
FROM clientele.measure_lift({name}, {subject}, by_segment => true, displaced => false) AS l
ORDER BY l.segment NULLS FIRST$query$, program)::clientele.report_figure
$$;
COMMENT ON FUNCTION clientele._report_lift_figure(text) IS 'Internal: the figure of what a program changed.';

CREATE FUNCTION clientele._report_ledger_figures() RETURNS SETOF clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    VALUES ('redemption', 'Redemption by week', 'lines', 'Of the offers issued in the week of {week}, {redeemed} were redeemed', 'last',
        'Offers by the week in which they were issued; those still open may yet be redeemed.', 'week of issuing', 'share redeemed',
        '{text,share,people,people,money}'::text[], 2, $query$
SELECT to_char(date_trunc('week', l.issued_at AT TIME ZONE {zone}), 'YYYY-MM-DD') AS week,
    avg((l.status = 'redeemed')::int) AS redeemed, count(*) AS offers, count(*) FILTER (WHERE l.status = 'open') AS "still open",
    sum(l.reward_paid) AS "rewards paid"
FROM {store}.offer_ledger AS l WHERE l.status <> 'held_out' GROUP BY 1 ORDER BY 1$query$, NULL::text),
    ('budgets', 'Budgets', 'bars', 'Budgets: {program} has {remaining} left', 'min remaining', 'Programs that have a budget.', '', '',
        '{text,money,money,money,money,count,count}', 4, $query$
SELECT b.program, b.spent, b.reserved, b.remaining, b.budget, b.open_offers AS "open offers", b.redeemed_offers AS "redeemed offers"
FROM {store}.budget_status AS b WHERE b.budget IS NOT NULL ORDER BY b.program$query$, NULL::text),
    ('health', 'Health of the experiments', 'table', 'Experiments: whether customers were assigned as they should be', 'first',
        'A p-value below 0.001 raises the alarm: then the comparison is not to be trusted.', '', '',
        '{text,count,people,people,share,share,number,text}', 8, $query$
SELECT h.program, h.program_version AS version, h.offered, h.held_out AS "held out", h.expected_share AS "held out, expected",
    h.observed_share AS "held out, observed", h.srm_pvalue AS "p-value", coalesce(h.alert, 'fine') AS verdict
FROM {store}.experiment_health AS h ORDER BY h.program, h.program_version$query$, NULL::text)
$$;
COMMENT ON FUNCTION clientele._report_ledger_figures() IS 'Internal: what came of the offers.';

CREATE FUNCTION clientele._report_outlook_figures() RETURNS SETOF clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    VALUES ('expected-orders', 'Orders expected and orders that came', 'lines',
        'What the model expected of weeks that it had not seen, and what came', 'first',
        'The purchase model was fitted to what was before these weeks.', 'week from', 'orders a week',
        '{text,count,count}'::text[], 3, $query$
SELECT to_char(r.bucket::date, 'DD Mon') AS week, r.predicted AS expected, r.actual AS "came" FROM clientele.clv_report({name}) AS r
WHERE r.section = 'week' AND r.remark IS NULL ORDER BY r.bucket$query$, NULL::text),
    ('at-risk', 'Good customers who may be lost', 'table', 'Good customers who may be lost: {customer} has spent {spent so far}', 'first',
        'Of the best fifth by spend, those who are more likely gone than not; the ten who spent most.', '', '',
        '{text,money,count,number,share,money}', 6, $query$
SELECT c.customer_id AS customer, c.total_spent AS "spent so far", c.recency_days AS "days since the last order",
    c.median_days_between_orders AS "usual days between", c.p_alive AS "still a customer", c.clv_1y AS "margin in a year, expected"
FROM {customers} AS c WHERE c.m_score = 5 AND c.p_alive < 0.5 ORDER BY c.total_spent DESC, c.customer_id LIMIT 10$query$, NULL::text),
    ('moves', 'Who moved between segments', 'heat', 'Who moved: {customers} customers went from {from} to {to}', 'max customers',
        'Customers whose segment is another than 30 days before, or than at the first record of it.', 'from (rows) to (columns)', '',
        '{text,text,people}', 3, $query$
WITH past AS (SELECT greatest({as_of} - interval '30 days', min(m.valid_from)) AS at
    FROM {store}.segment_membership AS m WHERE m.segmentation = 'main')
SELECT was.segment AS "from", is_now.segment AS "to", count(*) AS customers
FROM past JOIN {store}.segment_membership AS was ON was.valid_from <= past.at AND (was.valid_to > past.at) IS NOT FALSE
JOIN {store}.segment_membership AS is_now USING (customer_id, segmentation)
WHERE segmentation = 'main' AND is_now.valid_from <= {as_of} AND (is_now.valid_to > {as_of}) IS NOT FALSE AND was.segment <> is_now.segment
GROUP BY 1, 2 ORDER BY 1, 2$query$, NULL::text)
$$;
COMMENT ON FUNCTION clientele._report_outlook_figures() IS 'Internal: what comes next.';

CREATE FUNCTION clientele._report_state_figures() RETURNS SETOF clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    VALUES ('alerts', 'Alerts: what needs a person', 'table', 'Alerts: {detail}', 'first', '', '', '',
        '{text,text,text,text}'::text[], 4, $query$
SELECT a.alert, a.severity, a.detail, a.hint AS "what to do"
FROM clientele.alerts AS a WHERE a.store = {name} ORDER BY a.severity, a.alert, a.detail$query$, NULL::text),
    ('freshness', 'Freshness', 'table', 'Up to when orders are counted: {fresh to}', 'first', '', '', '',
        '{text,text,text,text}', 4, $query$
SELECT s.store, CASE WHEN s.live THEN 'live' ELSE 'refreshed' END AS kept,
    to_char(s.fresh_to AT TIME ZONE {zone}, 'YYYY-MM-DD HH24:MI') AS "fresh to",
    coalesce(s.stale, 'nothing known to be wrong') AS state
FROM clientele.stores AS s WHERE s.store = {name}$query$, NULL::text),
    ('models', 'Models in use', 'table', 'Models in use: {model} is {days old} days old', 'max days old', '', '', '',
        '{text,count,text,count,people}', 5, $query$
SELECT m.kind AS model, m.version, to_char(m.fitted_at AT TIME ZONE {zone}, 'YYYY-MM-DD') AS fitted,
    ({as_of} AT TIME ZONE {zone})::date - (m.fitted_at AT TIME ZONE {zone})::date AS "days old", m.customers
FROM clientele.models AS m WHERE m.store = {name} AND m.in_use ORDER BY m.kind$query$, NULL::text)
$$;
COMMENT ON FUNCTION clientele._report_state_figures() IS 'Internal: whether what is shown is sound.';

-- ---- The page ----

CREATE FUNCTION clientele._report_html_of(figure clientele.report_figure, query text, currency text, decimals integer, hide_few boolean)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
    SET jit = off AS $$
DECLARE
    columns text[];
    cells text[];
BEGIN
    EXECUTE format($rows$
        SELECT coalesce(array_agg(v.key ORDER BY v.place) FILTER (WHERE r.nth = 1), '{}'),
            coalesce(array_agg(v.value ORDER BY r.nth, v.place), '{}')
        FROM (SELECT row_number() OVER () AS nth, row_to_json(q) AS row FROM (%s) AS q) AS r
        CROSS JOIN LATERAL json_each_text(r.row) WITH ORDINALITY AS v (key, value, place)$rows$, query) INTO columns, cells;
    RETURN clientele._report_figure(figure.id, figure.topic, figure.drawing, figure.title, figure.headline, figure.note, figure.x_axis,
        figure.y_axis, btrim(query, E'\n'), columns, figure.formats, cells, figure.drawn, currency, decimals, hide_few);
EXCEPTION
    WHEN insufficient_privilege THEN
        RETURN clientele._report_missing(figure.id, figure.topic, 'You may not read what this figure shows.');
    WHEN OTHERS THEN
        RETURN clientele._report_missing(figure.id, figure.topic, 'This cannot be shown: ' || SQLERRM);
END $$;
COMMENT ON FUNCTION clientele._report_html_of(clientele.report_figure, text, text, integer, boolean) IS
    'Internal: a figure as HTML, by the rows that its query gives the caller; where there are none to be had, why.';

CREATE FUNCTION clientele._report_names(store name, query text) RETURNS SETOF text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE clientele._fill(query, 'store', quote_ident(store));
EXCEPTION WHEN insufficient_privilege OR undefined_table THEN
    RETURN;
END $$;
COMMENT ON FUNCTION clientele._report_names(name, text) IS
    'Internal: the names that a query of the store gives, none where the caller may not ask: each of them gets a figure.';

CREATE FUNCTION clientele._report_figures(store name)
    RETURNS TABLE (nth integer, section text, question text, figure clientele.report_figure)
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT 1, 'shop', 'How is the shop doing?', f FROM clientele._report_shop_figures() AS f
    UNION ALL SELECT 2, 'customers', 'Who are my customers?', f FROM clientele._report_customer_figures() AS f
    UNION ALL SELECT 2, 'customers', 'Who are my customers?', clientele._report_learned_figure(n)
        FROM clientele._report_names(store,
            'SELECT pg_catalog.substr(m.kind, 8) FROM {store}.models AS m WHERE m.in_use AND m.kind LIKE ''kmeans:%'' ORDER BY 1') AS n
    UNION ALL SELECT 3, 'offers', 'What do I ask of them?', f FROM clientele._report_offer_figures() AS f
    UNION ALL SELECT 4, 'effect', 'Did it work?', clientele._report_lift_figure(n)
        FROM clientele._report_names(store, 'SELECT DISTINCT h.program FROM {store}.experiment_health AS h ORDER BY 1') AS n
    UNION ALL SELECT 4, 'effect', 'Did it work?', f FROM clientele._report_ledger_figures() AS f
    UNION ALL SELECT 5, 'outlook', 'What comes next?', f FROM clientele._report_outlook_figures() AS f
    UNION ALL SELECT 6, 'state', 'Is it sound?', f FROM clientele._report_state_figures() AS f
$$;
COMMENT ON FUNCTION clientele._report_figures(name) IS 'Internal: the figures of a store''s report, by the question that they answer.';

CREATE FUNCTION clientele._report_query(figure clientele.report_figure, store name, as_of timestamptz, past boolean, zone text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill(figure.query, VARIADIC (
        SELECT array_agg(p.part ORDER BY v.name, p.place)
        FROM (VALUES ('store', quote_ident(store)), ('name', quote_literal(store)), ('zone', quote_literal(zone)),
                ('subject', quote_literal(figure.subject)),
                ('as_of', format('%L::timestamptz', as_of)),
                ('customers', format(CASE WHEN past THEN '%I.customers_at(%L)' ELSE '%I.customers' END, store, as_of))) AS v (name, value)
        CROSS JOIN LATERAL unnest(ARRAY[v.name, v.value]) WITH ORDINALITY AS p (part, place)
        WHERE strpos(figure.query, '{' || v.name || '}') > 0))
$$;
COMMENT ON FUNCTION clientele._report_query(clientele.report_figure, name, timestamptz, boolean, text) IS
    'Internal: the query of a figure, as the report shows and runs it.';

CREATE FUNCTION clientele.report_html(store name, as_of timestamptz DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    known record;
    past boolean;
    at timestamptz;
    sections text;
BEGIN
    PERFORM clientele._require_store(store);
    SELECT * INTO known FROM clientele.stores AS s WHERE s.store = report_html.store;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'permission denied for store %', quote_ident(store) USING ERRCODE = 'insufficient_privilege',
            HINT = 'It takes SELECT on its table settings, or health.';
    END IF;
    IF as_of = '-infinity' THEN
        RAISE EXCEPTION 'invalid as_of: -infinity' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'It is the time that the page is about.', HINT = 'Leave it out for what is stored now.';
    END IF;
    past := coalesce(as_of < coalesce(known.fresh_to, now()), false);
    at := CASE WHEN past THEN as_of ELSE coalesce(known.fresh_to, now()) END;
    SELECT string_agg(clientele._report_section(s.section, s.question, s.figures), '' ORDER BY s.nth) INTO sections
    FROM (SELECT f.nth, f.section, f.question, string_agg(clientele._report_html_of(f.figure,
                clientele._report_query(f.figure, store, at, past, known.time_zone), coalesce(known.currency, ''),
                coalesce(clientele._currency_decimals(known.currency), 2), NOT pg_has_role(known.owner, 'USAGE')), '') AS figures
          FROM clientele._report_figures(store) AS f GROUP BY f.nth, f.section, f.question) AS s;
    RETURN clientele._report_page(store || ': customers and offers',
        format('As of %s (%s)%s.%s', to_char(at AT TIME ZONE known.time_zone, 'FMDD FMMonth YYYY, HH24:MI'), known.time_zone,
            ', amounts in ' || known.currency,
            CASE WHEN past THEN ' Offers, their results and models are shown as they are now.' ELSE '' END), sections);
END $$;
COMMENT ON FUNCTION clientele.report_html(name, timestamptz) IS
    'One page about a store, HTML without scripts and without a request to anywhere: how the shop is doing, who its customers are, what '
    'they are asked for, whether it worked, what comes next, and whether all of it is sound. Each figure has its numbers and its SQL. It '
    'shows what the caller may read, under one snapshot, and says where that is not all; numbers of fewer than five customers are for the '
    'store''s owner alone. as_of in the past: customers as of then; NULL or later: what is stored.';
