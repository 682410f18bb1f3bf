-- What the report shows. Each figure is a query that anybody can run, and how it is drawn.

CREATE TYPE clientele.report_figure AS (
    id text, topic text, drawing text, title text, headline text, note text, x_axis text, y_axis text,
    formats text[], drawn integer, query text, subject text);
COMMENT ON TYPE clientele.report_figure IS
    'Internal: a figure of the report. topic: what it is about, its title where there is nothing to be seen. title: '
    'says what is seen; in it and in note {column} stands for the value in the row that headline chooses '
    '(first, last, max COLUMN, min COLUMN), in the axes {currency} for the currency. query: with the markers {store}, {name}, {as_of}, '
    '{month_ago}, {two_months_ago} (30 and 60 days before), {recorded_by} (up to when what is recorded counts), {zone}, {subject} where '
    'it is about one thing of several, {each_customer} for the customers, and {customers} and {decisions} for what _report_counts() '
    'counts. Of these it has what the query calls c.NAME or d.NAME, and nothing else is called c or d; nor is anything but '
    '{each_customer} called o.';

-- ---- What is counted ----

-- A scan of all customers costs far more than what figures make of it. So customers, and what is decided about them, are counted once,
-- by all that figures tell apart, and by several processes where there are some; figures add up.
CREATE FUNCTION clientele._report_counts() RETURNS TABLE (marker text, name text, expression text, is_key boolean)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    VALUES ('customers', 'segment', 'o.segment', true),
    ('customers', 'r_score', 'o.r_score', true),
    ('customers', 'f_score', 'o.f_score', true),
    ('customers', 'month', 'CASE WHEN o.first_order_at >= date_trunc(''month'', {as_of} AT TIME ZONE {zone} - interval ''12 months'') '
        'AT TIME ZONE {zone} THEN date_trunc(''month'', o.first_order_at, {zone}) END', true),
    -- 0: on another day within 30 days; 1: 90; 2: 180; 3: later; NULL: not yet.
    ('customers', 'came_back', 'width_bucket(clientele.days_to_second_purchase(o.profile), ''{31,91,181}''::integer[])', true),
    ('customers', 'customers', 'count(*)', false),
    ('customers', 'orders', 'sum(o.orders)', false),
    ('customers', 'total_spent', 'sum(o.total_spent)', false),
    ('customers', 'gross_spent', 'sum(o.gross_spent)', false),
    ('customers', 'clv_1y', 'sum(o.clv_1y)', false),
    ('customers', 'shortest', 'min(o.tenure_days)', false),
    ('customers', 'ordered', 'count(*) FILTER (WHERE o.orders > 0)', false),
    ('customers', 'ordered_before', 'count(*) FILTER (WHERE o.orders > 0 AND o.tenure_days >= 30)', false),
    ('customers', 'active', 'count(*) FILTER (WHERE o.orders > 0 AND o.recency_days < 90)', false),
    ('customers', 'active_before', 'count(*) FILTER (WHERE clientele.purchase_days_within(o.profile, 90, {month_ago}) > 0)', false),
    ('customers', 'again', 'count(*) FILTER (WHERE o.purchase_days > 1)', false),
    ('customers', 'again_before', 'count(*) FILTER (WHERE o.tenure_days - clientele.days_to_second_purchase(o.profile) >= 30)', false),
    ('decisions', 'program', 'o.program', true),
    ('decisions', 'status', 'o.status', true),
    ('decisions', 'reason', 'CASE o.status WHEN ''refused'' THEN o.reasons[1] END', true),
    ('decisions', 'usual_rung', 'CASE o.status WHEN ''offered'' THEN clientele.ladder_rung(o.reference_value) END', true),
    ('decisions', 'asked_for', 'CASE WHEN o.status <> ''refused'' THEN o.min_spend END', true),
    ('decisions', 'customers', 'count(*)', false),
    ('decisions', 'cost', 'sum(clientele._greatest_cost(o.reward, o.tiers)) FILTER (WHERE o.status = ''offered'')', false),
    ('decisions', 'natural_cost', 'sum(o.reward * o.natural_share::numeric) FILTER (WHERE o.status = ''offered'')', false),
    ('decisions', 'expected_profit', 'sum(o.expected_profit) FILTER (WHERE o.status = ''offered'')', false)
$$;
COMMENT ON FUNCTION clientele._report_counts() IS
    'Internal: what figures can ask of all customers, and of what is decided about them (o), as SQL expressions. is_key: what is told '
    'apart.';

CREATE FUNCTION clientele._report_asked(marker text, queries text[])
    RETURNS TABLE (name text, expression text, is_key boolean, place bigint)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT n.name, n.expression, n.is_key, row_number() OVER (ORDER BY NOT n.is_key, n.name) FROM clientele._report_counts() AS n
    WHERE n.marker = _report_asked.marker
        AND EXISTS (SELECT FROM unnest(queries) AS q WHERE q ~ format('\m%s\.%s\M', left(n.marker, 1), n.name))
$$;
COMMENT ON FUNCTION clientele._report_asked(text, text[]) IS
    'Internal: what queries ask of that which is counted under a marker, in the order of its columns.';

CREATE FUNCTION clientele._report_counted(marker text, queries text[], source text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format(E'(SELECT %s\n  FROM %s AS o%s)', string_agg(u.expression || ' AS ' || u.name, E',\n    ' ORDER BY u.place),
        source, E'\n  GROUP BY ' || string_agg(u.place::text, ', ' ORDER BY u.place) FILTER (WHERE u.is_key))
    FROM clientele._report_asked(marker, queries) AS u
$$;
COMMENT ON FUNCTION clientele._report_counted(text, text[], text) IS
    'Internal: what queries ask of that which is counted under a marker, as a sub-query over its source; the markers in it are not filled.';

-- Of expressions over a profile the planner expects as many groups as there are customers, and so counts them in one process. Of columns
-- it expects fewer. A plain OFFSET 0 would keep other processes away: only of a constant that needs no cast it knows that it is nothing.
CREATE FUNCTION clientele._report_counted_in_parallel(marker text, queries text[], source text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('(SELECT %s FROM (SELECT %s FROM %s AS o OFFSET ''0'') AS o GROUP BY %s)',
        string_agg(CASE WHEN u.is_key THEN 'o.' || u.name ELSE u.expression || ' AS ' || u.name END, ', ' ORDER BY u.place),
        (SELECT string_agg(DISTINCT c.name, ', ') FROM clientele._report_asked(marker, queries) AS a
            CROSS JOIN LATERAL (SELECT a.expression || ' AS ' || a.name WHERE a.is_key
                UNION ALL SELECT m.name[1] FROM regexp_matches(a.expression, '\mo\.\w+', 'g') AS m (name) WHERE NOT a.is_key) AS c (name)),
        source, coalesce(string_agg(u.place::text, ', ' ORDER BY u.place) FILTER (WHERE u.is_key), '()'))
    FROM clientele._report_asked(marker, queries) AS u
$$;
COMMENT ON FUNCTION clientele._report_counted_in_parallel(text, text[], text) IS
    'Internal: the same as _report_counted(), for the pass that all figures share; no count may be of a column that is called as a key.';

-- ---- What is shown ----

CREATE FUNCTION clientele._report_shop_figures() RETURNS SETOF clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    VALUES ('key-figures', 'Key figures', 'cards', '{now} customers have ordered so far', 'first',
        'Of completed orders, less what was refunded. Active: ordered within the last 90 days. Repeat rate: of the customers who have '
        'ordered, how many did on more than one day.', '', '', '{text,count,count,text}'::text[], 3, $query$
WITH month AS (
    SELECT p.ordered_at > {month_ago} AS recent, count(*) FILTER (WHERE p.amount >= 0) AS orders,
        sum(p.amount) AS revenue, avg(p.amount) FILTER (WHERE p.amount >= 0) AS aov
    FROM {store}._orders AS p WHERE p.ordered_at > {two_months_ago} AND p.ordered_at <= {as_of} GROUP BY 1
), now AS (SELECT * FROM month WHERE recent), before AS (SELECT * FROM month WHERE NOT recent)
SELECT f.figure, f.now, f.before AS "30 days before", f.unit
FROM (SELECT coalesce(sum(c.ordered), 0) AS customers, coalesce(sum(c.ordered_before), 0) AS customers_before,
        coalesce(sum(c.active), 0) AS active, coalesce(sum(c.active_before), 0) AS active_before,
        coalesce(sum(c.again), 0) AS again, coalesce(sum(c.again_before), 0) AS again_before
      FROM {customers} AS c) AS k
LEFT JOIN now ON true LEFT JOIN before ON true
CROSS JOIN LATERAL (VALUES
    (1, 'Customers who ordered', k.customers, k.customers_before, 'people'),
    (2, 'Active customers', k.active, k.active_before, 'people'),
    (3, 'Orders in 30 days', coalesce(now.orders, 0), coalesce(before.orders, 0), 'count'),
    (4, 'Revenue in 30 days', coalesce(now.revenue, 0), coalesce(before.revenue, 0), 'money'),
    (5, 'Average order value', now.aov, before.aov, 'money'),
    (6, 'Repeat rate', k.again / nullif(k.customers, 0), k.again_before / nullif(k.customers_before, 0), 'share')
) AS f (place, figure, now, before, unit)
ORDER BY f.place$query$, NULL::text),
    ('cohorts', 'Who came back', 'heat',
        'Who came back: of those who first ordered in {first order}, {share who came back} did again within {within}', 'first',
        'Customers by the month of their first order, of the last thirteen. A share is shown once the month''s last customer had the time.',
        'columns: time since the first order; in the cells the share of the month''s new customers who ordered on another day',
        'rows: month of the first order', '{text,text,share,people}', 3, $query$
SELECT to_char(m.month AT TIME ZONE {zone}, 'YYYY-MM') AS "first order", v.days || ' days' AS within,
    CASE WHEN m.shortest >= v.days THEN v.back::double precision / m.customers END AS "share who came back", m.customers
FROM (SELECT c.month, sum(c.customers) AS customers, min(c.shortest) AS shortest,
        coalesce(sum(c.customers) FILTER (WHERE c.came_back = 0), 0) AS in_30,
        coalesce(sum(c.customers) FILTER (WHERE c.came_back <= 1), 0) AS in_90,
        coalesce(sum(c.customers) FILTER (WHERE c.came_back <= 2), 0) AS in_180
      FROM {customers} AS c WHERE c.month IS NOT NULL GROUP BY c.month) AS m
CROSS JOIN LATERAL (VALUES (30, m.in_30), (90, m.in_90), (180, m.in_180)) AS v (days, back)
ORDER BY m.month, v.days$query$, NULL::text)
$$;
COMMENT ON FUNCTION clientele._report_shop_figures() IS 'Internal: how the shop is doing.';

CREATE FUNCTION clientele._report_customer_figures() RETURNS SETOF clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    VALUES ('segments', 'Segments', 'bars',
        'Segment {segment} brings {share of revenue} of the revenue with {share of customers} of the customers', 'max share of revenue',
        'Segments of the segmentation main, by what they brought in so far.', 'share of all customers and of all revenue', '',
        '{text,share,share,people,count,money,text}'::text[], 3, $query$
SELECT s.segment, s.customers / sum(s.customers) OVER () AS "share of customers",
    s.total_spent / nullif(sum(s.total_spent) OVER (), 0) AS "share of revenue", s.customers, s.orders, s.aov AS "average order",
    (SELECT string_agg(p.key || ': ' || p.value, ', ' ORDER BY p.key)
     FROM {store}._segment_content AS k CROSS JOIN LATERAL jsonb_each_text(k.content) AS p WHERE k.segment = s.segment) AS "is shown"
FROM (SELECT c.segment, sum(c.customers) AS customers, sum(c.orders) AS orders, sum(c.total_spent) AS total_spent,
        sum(c.gross_spent) / nullif(sum(c.orders), 0) AS aov
      FROM {customers} AS c GROUP BY c.segment) AS s
ORDER BY s.total_spent DESC, s.segment$query$, NULL::text),
    ('rfm', 'Recency and frequency', 'heat',
        'The best customers: {customers} ordered of late and often, and spent {spent so far}', 'first',
        'Customers by how recently and how often they ordered, scores from 1 to 5: 5 have those who did so last, or most often. In a '
        'cell customers, and what they spent so far.',
        'columns: recency score', 'rows: frequency score', '{text,text,people,money,money}', 4, $query$
WITH cells AS (
    SELECT c.f_score, c.r_score, sum(c.customers) AS customers, sum(c.total_spent) AS spent, sum(c.clv_1y) AS margin
    FROM {customers} AS c WHERE c.r_score IS NOT NULL GROUP BY c.f_score, c.r_score
)
SELECT f.score AS frequency, r.score AS recency, coalesce(s.customers, 0) AS customers, s.spent AS "spent so far",
    s.margin AS "margin in a year, expected"
FROM generate_series(5, 1, -1) AS f (score) CROSS JOIN generate_series(5, 1, -1) AS r (score)
LEFT JOIN cells AS s ON s.f_score = f.score AND s.r_score = r.score
WHERE EXISTS (SELECT FROM cells) ORDER BY f.score DESC, r.score DESC$query$, NULL::text)
$$;
COMMENT ON FUNCTION clientele._report_customer_figures() IS 'Internal: who the customers are.';

CREATE FUNCTION clientele._report_learned_figure(segmentation text) RETURNS clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ROW('learned-' || md5(segmentation), 'Segments that the data suggest: ' || segmentation, 'bars',
        'Segments that the data suggest (' || translate(segmentation, '{}', '') ||
            '): the largest is {segment}, {share of customers}', 'first',
        'As they were learned by k-means; sd: standard deviations from the average customer. describe_segments() tells of them as of now.',
        'share of the customers they were learned from', '', '{text,share,text,people}'::text[], 3,
        $query$
SELECT k.segment, k.customers / sum(k.customers) OVER () AS "share of customers", k.apart AS "what sets it apart", k.customers
FROM (SELECT m.parameters -> 'names' ->> (n.nth - 1)::int AS segment, n.size::numeric AS customers,
        clientele._distinguishing(clientele._texts(m.parameters -> 'labels'),
            clientele._standard_scores(clientele._matrix(m.parameters -> 'centroids' -> (n.nth - 1)::int),
                clientele._matrix(m.parameters -> 'means'), clientele._matrix(m.parameters -> 'deviations')),
            array_fill(n.size::bigint, ARRAY[jsonb_array_length(m.parameters -> 'labels')])) AS apart
      FROM {store}.models AS m
      CROSS JOIN LATERAL jsonb_array_elements_text(m.diagnostics -> 'sizes') WITH ORDINALITY AS n (size, nth)
      WHERE m.in_use AND m.kind = 'kmeans:' || {subject}) AS k
ORDER BY k.customers DESC, k.segment$query$, segmentation)::clientele.report_figure
$$;
COMMENT ON FUNCTION clientele._report_learned_figure(text) IS 'Internal: the figure of a learned segmentation.';

CREATE FUNCTION clientele._report_offer_figures() RETURNS SETOF clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    VALUES ('ladder', 'What is asked for', 'columns', 'What is asked for: most often {rung}', 'max asked for',
        'Customers who have an offer now, by what they usually spend (rounded up to a rung of the ladder) and by what is asked of them.',
        'order value in {currency}, rungs of the ladder', 'customers', '{money,people,people}'::text[], 3, $query$
SELECT v.rung, sum(d.customers) FILTER (WHERE v.usual) AS "usually spend", sum(d.customers) FILTER (WHERE NOT v.usual) AS "asked for"
FROM {decisions} AS d CROSS JOIN LATERAL (VALUES (d.usual_rung, true), (d.asked_for, false)) AS v (rung, usual)
WHERE d.status = 'offered' GROUP BY v.rung ORDER BY v.rung$query$, NULL::text),
    ('decisions', 'Who gets an offer, and who does not', 'bars',
        'Who gets an offer, who does not, and why: {customers} customers, {decision}', 'first',
        'By program: offered, held out, or the first reason for a refusal.', 'customers', '', '{text,people,money}', 2, $query$
SELECT s.program || ': ' || replace(coalesce(s.reason, s.status), '_', ' ') AS decision, s.customers,
    s.threshold AS "mean threshold"
FROM (SELECT d.program, d.status, d.reason, sum(d.customers) AS customers,
        sum(d.asked_for * d.customers) / sum(d.customers) AS threshold
      FROM {decisions} AS d GROUP BY 1, 2, 3) AS s
ORDER BY array_position('{offered,held_out}', s.status), s.customers DESC, 1$query$, NULL::text),
    ('costs', 'What offers cost at most', 'bars', 'What offers cost at most: {cost if all redeem} for {program}', 'max cost if all redeem',
        'If everybody who has an offer now redeemed it; of it anyway: the part that goes to orders which reach the threshold without an '
        'offer. Expected profit is known of programs that have been learnt from.', 'rewards, and profit, in {currency}', '',
        '{text,money,money,money,people}', 4, $query$
SELECT d.program, sum(d.cost) AS "cost if all redeem", sum(d.natural_cost) AS "of it anyway",
    sum(d.expected_profit) AS "expected profit", sum(d.customers) AS offers
FROM {decisions} AS d WHERE d.status = 'offered' GROUP BY d.program ORDER BY 2 DESC, 1$query$, NULL::text)
$$;
COMMENT ON FUNCTION clientele._report_offer_figures() IS 'Internal: what customers are asked for.';

CREATE FUNCTION clientele._report_response_figures() RETURNS SETOF clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    VALUES ('expected-profit', 'What ways of setting terms would earn', 'intervals',
        'What ways of setting terms would earn: most by {terms}, {profit} [{at least}, {at most}]', 'max profit',
        'By the response to offers that the log has shown, of the customers in it and over one horizon, less what no offers earn; 90 % '
        'intervals.',
        'profit a customer, in {currency}', '', '{text,money,money,money}'::text[], 4, $query$
SELECT w.terms, (m.diagnostics ->> (w.key || '_profit'))::numeric AS profit,
    (m.diagnostics ->> (w.key || '_profit_low'))::numeric AS "at least",
    (m.diagnostics ->> (w.key || '_profit_high'))::numeric AS "at most"
FROM (SELECT * FROM {store}.models WHERE kind = 'response' ORDER BY in_use DESC, version DESC LIMIT 1) AS m
CROSS JOIN (VALUES (1, 'in_use', 'the terms in use'), (2, 'spread', 'spread'), (3, 'uniform', 'the best pair for all'),
    (4, 'learned', 'learned terms')) AS w (place, key, terms)
ORDER BY w.place$query$, NULL::text),
    ('response', 'Who responds to what', 'bars', 'Who responds to what: {redeemed} redeemed at {terms}', 'max redeemed',
        'Redemptions of open orders by the terms that were drawn at random, as they were and as the model says.',
        'share of the orders with an open offer', '', '{text,share,share,count}', 3, $query$
SELECT coalesce((r ->> 'stretch') || ' x for ' || round(100 * (r ->> 'reward_rate')::numeric, 1) || ' %', 'terms not drawn') AS terms,
    (r ->> 'redemptions')::numeric / nullif((r ->> 'open_orders')::numeric, 0) AS redeemed,
    (r ->> 'predicted')::numeric / nullif((r ->> 'open_orders')::numeric, 0) AS predicted, (r ->> 'open_orders')::numeric AS orders
FROM (SELECT * FROM {store}.models WHERE kind = 'response' ORDER BY in_use DESC, version DESC LIMIT 1) AS m
CROSS JOIN LATERAL jsonb_array_elements(m.diagnostics -> 'reach') AS r
ORDER BY (r ->> 'stretch')::numeric, (r ->> 'reward_rate')::numeric$query$, NULL::text),
    ('response-curve', 'What thresholds would earn', 'lines',
        'What thresholds would earn: most at {asked for}, {profit} a customer', 'max profit',
        'Of up to fifty customers who usually spend about the median, by the response in use: what each earns beyond no offer, '
        'with the reward that earns most there. Between the other two lines the profit is with 60 %.',
        'threshold, in {currency}', 'profit a customer, in {currency}', '{money,money,money,money,money,share,share,people}', 4, $query$
WITH known AS MATERIALIZED (
    SELECT i.customer, i.input, clientele.typical_order_value(i.profile) AS usual FROM {store}._offer_inputs AS i
    WHERE clientele.orders(i.profile) >= 3 AND clientele.bucket('response', i.customer) < 1000.0 / (SELECT count(*) FROM {store}.profiles)
), typical AS (
    SELECT k.customer, k.input FROM known AS k
    ORDER BY abs(k.usual - (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY usual) FROM known)), k.customer
    LIMIT (SELECT least(50, greatest(1, count(*) / 20)) FROM known)
), best AS (
    SELECT DISTINCT ON (t.customer, p.min_spend) t.customer, p.*
    FROM typical AS t CROSS JOIN LATERAL clientele._response_curve({store}._offer_book(), t.input) AS p
    ORDER BY t.customer, p.min_spend, p.profit DESC
)
SELECT b.min_spend AS "asked for", avg(b.profit) AS profit, avg(b.low) AS "at least", avg(b.high) AS "at most", avg(b.reward) AS reward,
    avg(b.natural_share) AS "of orders, reach it anyway", avg(b.raised_share) AS "of redemptions, raised by it", count(*) AS customers
FROM best AS b GROUP BY b.min_spend HAVING 2 * count(*) >= (SELECT count(DISTINCT customer) FROM best)
ORDER BY b.min_spend$query$, NULL::text)
$$;
COMMENT ON FUNCTION clientele._report_response_figures() IS 'Internal: how customers respond to offers, where that has been learned.';

CREATE FUNCTION clientele._report_lift_figure(kind text, subject text, note text, who text, source text) RETURNS clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ROW(kind || '-' || md5(subject), 'What ' || subject || ' changed', 'intervals',
        translate(subject, '{}', '') || ' changed the net margin by {effect} a customer [{at least}, {at most}]', 'first',
        note || ' Thick: 95 % interval for one look at a time fixed beforehand; thin: holds however often one looks. To mind: {note}.',
        'net margin a customer, in {currency}', '',
        '{text,money,money,money,money,money,people,people,text}'::text[], 6, format($query$
SELECT %s AS "who", l.effect, l.ci_low AS "at least", l.ci_high AS "at most",
    l.sequential_low AS "at any time at least", l.sequential_high AS "at any time at most",
    l.n_treated AS treated, l.n_control AS "held out", coalesce(l.note, 'nothing') AS note%s$query$, who, source),
        subject)::clientele.report_figure
$$;
COMMENT ON FUNCTION clientele._report_lift_figure(text, text, text, text, text) IS
    'Internal: the figure of what something changed. who, source: of its query what a row is called, and where its rows come from.';

CREATE FUNCTION clientele._report_program_figure(program text) RETURNS clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._report_lift_figure('lift', program,
        'Customers with an offer against those held out, since each was first enrolled; rewards are paid for.',
        $who$coalesce(l.segment, 'all customers')$who$, $source$
FROM clientele.measure_lift({name}, {subject}, by_segment => true, displaced => false) AS l
ORDER BY l.segment NULLS FIRST$source$)
$$;
COMMENT ON FUNCTION clientele._report_program_figure(text) IS 'Internal: the figure of what a program changed.';

CREATE FUNCTION clientele._report_content_figure(content text) RETURNS clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._report_lift_figure('content', content,
        'Customers who were shown this content against those held out, over 14 days from the first time.',
        $who$s.slot || ': ' || coalesce(l.segment, 'all customers')$who$, $source$
FROM (SELECT DISTINCT k.slot FROM {store}.contents AS k WHERE k.content = {subject} AND k.holdout > 0) AS s
CROSS JOIN LATERAL clientele.measure_lift({name}, NULL, content => {subject}, slot => s.slot, by_segment => true, displaced => false) AS l
ORDER BY s.slot, l.segment NULLS FIRST$source$)
$$;
COMMENT ON FUNCTION clientele._report_content_figure(text) IS 'Internal: the figure of what a content changed.';

CREATE FUNCTION clientele._report_ledger_figures() RETURNS SETOF clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    VALUES ('redemption', 'Redemption by week', 'lines', 'Of the offers issued in the week of {week}, {redeemed} were redeemed', 'last',
        'Offers by the week in which they were issued; those still open may yet be redeemed.', 'week of issuing, its Monday',
        'share redeemed',
        '{text,share,people,people,money}'::text[], 2, $query$
SELECT to_char(w.monday, 'YYYY-MM-DD') AS week, w.redeemed::double precision / w.offers AS redeemed, w.offers, w.open AS "still open",
    w.paid AS "rewards paid"
FROM (SELECT date_trunc('week', l.issued_at AT TIME ZONE {zone}) AS monday, count(*) AS offers,
        count(*) FILTER (WHERE l.status = 'redeemed') AS redeemed, count(*) FILTER (WHERE l.status = 'open') AS open,
        sum(l.reward_paid) AS paid
      FROM {store}.offer_ledger AS l WHERE l.status <> 'held_out' GROUP BY 1) AS w
ORDER BY w.monday$query$, NULL::text),
    ('budgets', 'Budgets', 'bars', 'Budgets: {program} has {remaining} left', 'min remaining',
        'Programs that have a budget. What its last unit earns is known where plan_budget() has spread it.',
        'rewards, in {currency}', '', '{text,money,money,money,money,number,count,count}', 4, $query$
SELECT b.program, b.spent, b.reserved, b.remaining, b.budget, b.shadow_price AS "its last unit earns", b.open_offers AS "open offers",
    b.redeemed_offers AS "redeemed offers"
FROM {store}.budget_status AS b WHERE b.budget IS NOT NULL ORDER BY b.program$query$, NULL::text),
    ('health', 'Health of the experiments', 'table', 'Were customers assigned as they should be? {program}: {verdict}', 'min p-value',
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
        'Of weeks that it had not seen, the model expected {expected in all} orders, and {came in all} came', 'first',
        'The purchase model was fitted to what was before these weeks. An order is a day on which a customer ordered.', 'week from',
        'orders a week',
        '{text,count,count,count,count}'::text[], 3, $query$
SELECT to_char(r.bucket::date, 'DD Mon') AS week, r.predicted AS expected, r.actual AS came, sum(r.predicted) OVER () AS "expected in all",
    sum(r.actual) OVER () AS "came in all"
FROM clientele.clv_report({name}) AS r
WHERE r.section = 'week' AND r.remark IS NULL ORDER BY r.bucket$query$, NULL::text),
    ('moves', 'Who moved between segments', 'heat', 'Who moved: {customers} customers went from {from} to {to}', 'max customers',
        'Customers whose segment is another than 30 days before, or than at the first record of it.', 'columns: to', 'rows: from',
        '{text,text,people}', 3, $query$
WITH past AS (SELECT greatest({month_ago}, min(m.valid_from)) AS at
    FROM {store}.segment_membership AS m WHERE m.segmentation = 'main')
SELECT was.segment AS "from", is_now.segment AS "to", count(*) AS customers
FROM past JOIN {store}.segment_membership AS is_now ON is_now.valid_from > past.at AND is_now.valid_from <= {recorded_by}
JOIN {store}.segment_membership AS was USING (customer_id, segmentation)
WHERE segmentation = 'main' AND (is_now.valid_to > {recorded_by}) IS NOT FALSE AND was.segment <> is_now.segment
    AND was.valid_from <= past.at AND (was.valid_to > past.at) IS NOT FALSE
GROUP BY 1, 2 ORDER BY sum(count(*)) OVER (PARTITION BY was.segment) DESC, 1, 3 DESC, 2$query$, NULL::text),
    ('at-risk', 'Good customers who may be lost', 'table', 'Good customers who may be lost: {customer} has spent {spent so far}', 'first',
        'Of the best fifth by spend, those who are more likely gone than not; the ten who spent most.', '', '',
        '{customer,money,count,number,share,money}', 6, $query$
SELECT o.customer_id AS customer, o.total_spent AS "spent so far", o.recency_days AS "days since the last order",
    o.median_days_between_orders AS "usual days between", o.p_alive AS "still a customer", o.clv_1y AS "margin in a year, expected"
FROM {each_customer} AS o WHERE o.m_score = 5 AND o.p_alive < 0.5 ORDER BY o.total_spent DESC, o.customer_id LIMIT 10$query$, NULL::text)
$$;
COMMENT ON FUNCTION clientele._report_outlook_figures() IS 'Internal: what comes next.';

CREATE FUNCTION clientele._report_state_figures() RETURNS SETOF clientele.report_figure
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    VALUES ('alerts', 'Alerts: what needs a person', 'table', 'Alerts: {detail}', 'first', '', '', '',
        '{text,text,text,text}'::text[], 4, $query$
SELECT a.alert, a.severity, a.detail, a.hint AS "what to do"
FROM clientele.alerts AS a
WHERE a.store = {name} AND (SELECT count(*) FROM {store}.health) >= 0  -- who may not read that is told no alerts
ORDER BY a.severity, a.alert, a.detail$query$, NULL::text),
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
FROM {store}.models AS m WHERE m.in_use ORDER BY m.kind$query$, NULL::text)
$$;
COMMENT ON FUNCTION clientele._report_state_figures() IS 'Internal: whether what is shown is sound.';
