-- What a store offers to whom, as views. All who decide, be it for one customer or for all, start from _offer_inputs: a row of
-- the type offer_input for each customer, and what is left of the budgets.

-- In the form of _create_view_trio(). What is added to offer_input is a column of the inner query, and is passed on by itself.
-- Exposures of all customers are sorted, so the terms of those that are open are not taken along with them.
CREATE FUNCTION clientele._offer_inputs_query(of_all boolean DEFAULT false) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill($query$
        SELECT q.*, (q.open).exposure_id AS open_exposure, (q.open).program AS open_program, (q.open).holdout AS open_holdout,
            ROW({input})::clientele.offer_input AS input,
            CASE WHEN clientele._has_budgets(%2$I._offer_book())
                THEN (SELECT pg_catalog.array_agg(ROW(b.program, b.remaining)::clientele.offer_budget) FROM %2$I._budgets b)
            END AS budgets
        FROM (
            SELECT f.customer_id, f.customer_id::text AS customer, f.segment, f.profile,
                CASE WHEN f.orders = 0 THEN %2$I._typical_value(f.segment)
                     WHEN f.orders < clientele._typical_from_orders()
                     THEN ROW('recent', (SELECT s.recent_bound FROM %2$I.scoring s WHERE s.id = 1))::clientele.reference_value
                END AS fallback,
                (SELECT s.value_prior FROM %2$I.scoring s WHERE s.id = 1) AS prior,
                (SELECT s.season FROM %2$I.scoring s WHERE s.id = 1) AS season,
                f.as_of, h.history, h.last_period, h.last_ordered_at, {from}.open, %2$I._no_consent(%1$s) AS no_consent,
                CASE WHEN clientele._has_category_margins(%2$I._offer_book()) THEN f.category_mix END AS category_mix
            FROM %3$s f
            LEFT JOIN (
                SELECT l.customer_id, pg_catalog.max(l.period) AS last_period, pg_catalog.max(l.ordered_at) AS last_ordered_at,
                    pg_catalog.array_agg(ROW(l.program, l.issued_at, {threshold}, l.status = 'void')::clientele.past_exposure
                        {by_period}) AS history{split}
                    (pg_catalog.array_agg(ROW(l.exposure_id, l.program, l.holdout, l.valid_until, ROW({terms})::clientele.offer,
                        l.code)::clientele.open_exposure) FILTER (WHERE %5$s))[1] AS open
                FROM %6$s l WHERE %4$s{which} GROUP BY l.customer_id) {from} ON {from}.customer_id = f.customer_id) q$query$,
        'from', CASE WHEN of_all THEN 'n' ELSE 'h' END, 'which', CASE WHEN of_all THEN ' AND %5$s' END,
        -- One sort of all exposures costs less than one for each customer.
        'by_period', CASE WHEN of_all THEN '' ELSE 'ORDER BY l.period' END,
        'split', CASE WHEN of_all THEN ' FROM (SELECT l.* FROM %6$s l WHERE %4$s ORDER BY l.customer_id, l.period) l
                GROUP BY l.customer_id) h ON h.customer_id = f.customer_id
            LEFT JOIN (SELECT l.customer_id,' ELSE ',' END,
        'threshold', 'CASE WHEN l.variant NOT LIKE ''explore:%%'' THEN l.min_spend END',  -- what is explored sets no base
        'input', clientele._columns_of('clientele.offer_input', 'q.'), 'terms', clientele._columns_of('clientele.offer', 'l.'))
$$;
COMMENT ON FUNCTION clientele._offer_inputs_query(boolean) IS
    'The view _offer_inputs of a store: what is known of a customer where an offer is decided, the ledger included; of_all: that of who '
    'asks about all.';

CREATE FUNCTION clientele._create_offer_views(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($views$
        CREATE OR REPLACE FUNCTION {store}._decide(input clientele.offer_input, budgets clientele.offer_budget[], program text DEFAULT NULL)
            RETURNS clientele.offer VOLATILE PARALLEL SAFE
            RETURN clientele._decide({store}._offer_book(), input, program, budgets);
        CREATE OR REPLACE VIEW {store}.offers WITH (security_invoker = true) AS
            SELECT d.customer_id, {offered}
            FROM (SELECT i.customer_id, {store}._decide(i.input, i.budgets) AS o FROM {store}._offer_inputs i) d
            WHERE (d.o).program IS NOT NULL;
        CREATE OR REPLACE VIEW {store}.campaign WITH (security_invoker = true) AS
            SELECT d.customer_id, d.segment, CASE WHEN k.holdouts IS NULL THEN COALESCE(k.content, '{}')
                    ELSE clientele._shown_contents(k.content, k.holdouts, {store}._offer_book() OPERATOR(pg_catalog.->>) 'seed', d.customer)
                END AS content, {unsegmented},
                (d.open).code, CASE WHEN (d.open).code IS NOT NULL THEN (d.open).exposure_id END AS exposure_id
            FROM (SELECT i.customer_id, i.customer, i.segment, i.open, {store}._decide(i.input, i.budgets) AS o
                FROM {store}._offer_inputs i) d
            LEFT JOIN {store}._segment_content k ON k.segment = d.segment;
        CREATE OR REPLACE VIEW {store}.offer_decisions WITH (security_invoker = true) AS
            SELECT i.customer_id, d.*, clientele._natural_share(i.profile, i.prior, d.min_spend) AS natural_share
            FROM {store}._offer_inputs_of_all i
            CROSS JOIN LATERAL (
                SELECT p.program, p.status, p.reasons, {decided}, p.expected_profit_low
                FROM clientele._decide_programs({store}._offer_book(), i.input, i.budgets) p) d;
        CREATE OR REPLACE VIEW {store}.offer_summary WITH (security_invoker = true) AS
            SELECT d.program, d.status, CASE d.status WHEN 'refused' THEN d.reasons[1] END AS reason, pg_catalog.count(*) AS customers,
                pg_catalog.round(pg_catalog.avg(d.min_spend), 2) AS mean_threshold,
                pg_catalog.sum(clientele._greatest_cost(d.reward, d.tiers)) FILTER (WHERE d.status = 'offered') AS greatest_cost,
                pg_catalog.round(pg_catalog.avg(d.natural_share::numeric), 4)::double precision AS natural_share,
                pg_catalog.round(pg_catalog.sum(d.reward * d.natural_share::numeric) FILTER (WHERE d.status = 'offered'), 2) AS natural_cost
            FROM {store}.offer_decisions d GROUP BY 1, 2, 3 ORDER BY 1, 2, 4 DESC, 3;
        $views$,
        'offered', clientele._columns_of('clientele.offer', '(d.o).'),
        'unsegmented', clientele._columns_of('clientele.offer', '(d.o).', '{segment}'),
        'decided', clientele._columns_of('clientele.offer', 'p.', '{program,reasons}'),
        'store', quote_ident(store));
END $$;
COMMENT ON FUNCTION clientele._create_offer_views(name) IS
    'The views of a new store about offers, and the function that decides for a row of _offer_inputs.';
