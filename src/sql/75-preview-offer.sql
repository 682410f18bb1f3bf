-- What a definition of a program would change, before it is made.

CREATE FUNCTION clientele.preview_offer(
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
    reward_cap numeric DEFAULT NULL, tiers jsonb DEFAULT NULL, by_rfm boolean DEFAULT false)
    RETURNS TABLE (segment text, customers bigint, gains bigint, loses bigint, changes bigint, unchanged bigint,
        greatest_cost_before numeric, greatest_cost_after numeric, natural_cost_before numeric, natural_cost_after numeric,
        exploring_cost_after numeric, offered_share double precision, mean_stretch double precision, mean_reward numeric,
        rfm_class text)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    definition jsonb;
    book jsonb;
    budgets clientele.offer_budget[];
    changed_budgets clientele.offer_budget[];
BEGIN
    PERFORM clientele._require('by_rfm', by_rfm IS NOT NULL);
    PERFORM clientele._require_store(store);
    PERFORM clientele._require_readable(store);
    definition := clientele._offer_definition(store, program,
        clientele._offer_terms(objective, segments, stretch, reward_rate, max_cv, valid_for, holdout, starts_at, ends_at, max_per_customer,
            cooldown, budget, arms, message, disclosure, priority, max_min_spend, max_reward, terms, spread, progress_message,
            explore, contact_cost, min_profit, min_reward, consent, reward_kind, reward_cost, gift, reward_cap, tiers));
    PERFORM clientele._warn_of_terms(definition);
    EXECUTE format('SELECT %1$I._offer_book(),
        ARRAY(SELECT ROW(b.program, b.remaining)::clientele.offer_budget FROM %1$I._budgets b)', store) INTO book, budgets;
    changed_budgets := ARRAY(SELECT b FROM unnest(budgets) b WHERE b.program <> preview_offer.program);
    IF budget IS NOT NULL THEN
        changed_budgets := changed_budgets
            || ROW(program, clientele._remaining_budget(store, program, budget))::clientele.offer_budget;
    END IF;
    RETURN QUERY EXECUTE clientele._comparison_query(store, program, definition ->> 'consent', by_rfm)
        USING book, budgets, clientele._book_with(book, definition), changed_budgets;
END $$;
COMMENT ON FUNCTION clientele.preview_offer(name, text, text, text[], numeric, numeric, double precision, interval, double precision,
    timestamptz, timestamptz, integer, interval, numeric, jsonb, text, text, integer, numeric, numeric, text, numeric, text, jsonb,
    numeric, numeric, numeric, text, text, numeric, text, numeric, jsonb, boolean) IS
    'What define_offer() with the same arguments would change in shop.offers now, a row a segment of main that has customers, and one with '
    'NULL for all; writes nothing, for everybody who may read the store. '
    'gains, loses: customers with an offer only after, only before; changes: with one of another program, threshold, reward, message, '
    'end or '
    'disclosure. Who has an open offer is unchanged. '
    'greatest_cost_before, greatest_cost_after: sum of the rewards in the currency if every offer were redeemed, whatever is left of '
    'budgets. natural_cost_before, natural_cost_after: of these, what goes to orders that reach the threshold anyway, as '
    'natural_share of shop.offer_decisions has it. exploring_cost_after: of greatest_cost_after, what goes to those who explore. '
    'offered_share, mean_stretch, mean_reward: of the customers the share who would have an offer after, and what it is on average: '
    'threshold by reference value, and reward. by_rfm: also a row for each customary RFM class (rfm_class; segment is NULL), since '
    'loyal customers are easily those who get least. '
    'What define_offer() refuses is refused.';

-- Which of the programs' figures tell a customer something else is a matter of all columns but those that say where it comes from.
CREATE FUNCTION clientele._comparison_query(store name, program text, consent text, by_rfm boolean) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill('
        WITH compared AS (
            SELECT d.segment, d.rfm_class, clientele._greatest_cost((d.before).reward, (d.before).tiers) AS reward_before,
                clientele._greatest_cost((d.after).reward, (d.after).tiers) AS reward_after,
                (d.after).min_spend / nullif((d.after).reference_value, 0) AS stretch,
                (d.after).variant LIKE ''explore:%'' AS explores,
                ROW({before}) IS DISTINCT FROM ROW({after}) AS differs,
                (d.before).reward * clientele._natural_share(d.profile, d.prior, (d.before).min_spend)::numeric AS natural_before,
                (d.after).reward * clientele._natural_share(d.profile, d.prior, (d.after).min_spend)::numeric AS natural_after
            FROM (
                SELECT i.segment, {rfm_class} AS rfm_class, (i.input).profile, (i.input).prior,
                    clientele._decide($1, i.input, NULL, $2) AS before,
                    clientele._decide($3, ROW({input}, {no_consent})::clientele.offer_input, NULL, $4) AS after
                FROM (SELECT o.segment, o.input, c.consents
                      FROM {store}._offer_inputs o CROSS JOIN LATERAL (SELECT {consents} AS consents) c
                      OFFSET 0) i  -- so that each input is computed once
            ) d
        ), counted AS (
            SELECT c.segment, c.rfm_class, count(*) AS customers,
                count(*) FILTER (WHERE c.reward_before IS NULL AND c.reward_after IS NOT NULL) AS gains,
                count(*) FILTER (WHERE c.reward_before IS NOT NULL AND c.reward_after IS NULL) AS loses,
                count(*) FILTER (WHERE c.differs AND c.reward_before IS NOT NULL AND c.reward_after IS NOT NULL) AS changes,
                count(*) FILTER (WHERE NOT c.differs) AS unchanged, sum(c.reward_before) AS cost_before, sum(c.reward_after) AS cost_after,
                sum(c.natural_before) AS natural_before, sum(c.natural_after) AS natural_after,
                sum(c.reward_after) FILTER (WHERE c.explores) AS exploring, count(c.reward_after) AS offered, sum(c.stretch) AS stretch
            FROM compared c GROUP BY c.segment, c.rfm_class
        )
        SELECT n.segment, coalesce(sum(n.customers), 0)::bigint, coalesce(sum(n.gains), 0)::bigint, coalesce(sum(n.loses), 0)::bigint,
            coalesce(sum(n.changes), 0)::bigint, coalesce(sum(n.unchanged), 0)::bigint, coalesce(sum(n.cost_before), 0),
            coalesce(sum(n.cost_after), 0), round(coalesce(sum(n.natural_before), 0), 2), round(coalesce(sum(n.natural_after), 0), 2),
            coalesce(sum(n.exploring), 0), coalesce((sum(n.offered) / sum(n.customers))::double precision, 0),
            round(sum(n.stretch) / sum(n.offered), 4)::double precision, round(sum(n.cost_after) / sum(n.offered), 2), {class}
        FROM counted n GROUP BY GROUPING SETS ((n.segment), {classes} ()) ORDER BY n.segment, 15',
        'class', CASE WHEN by_rfm THEN 'n.rfm_class' ELSE 'NULL::text' END,
        'classes', CASE WHEN by_rfm THEN '(n.rfm_class),' ELSE '' END,
        'rfm_class', CASE WHEN by_rfm THEN clientele._rfm_class_of(store) ELSE 'NULL::text' END,
        'before', clientele._columns_of('clientele.offer', '(d.before).', clientele._explaining_columns()),
        'after', clientele._columns_of('clientele.offer', '(d.after).', clientele._explaining_columns()),
        'input', clientele._columns_of('clientele.offer_input', '(i.input).', '{no_consent}'),
        'no_consent', clientele._without_consent('(i.input).no_consent', program, 'i.consents'),
        'consents', CASE WHEN consent IS NULL THEN 'true'
            ELSE format('(SELECT (%s) IS TRUE FROM %I.customers WHERE customers.customer_id = o.customer_id)', consent, store) END,
        'store', quote_ident(store))
$$;
COMMENT ON FUNCTION clientele._comparison_query(name, text, text, boolean) IS
    'The query that compares what customers are offered by a book and budgets ($1, $2) with what they would be by others ($3, $4).';

CREATE FUNCTION clientele._rfm_class_of(store name) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('(SELECT CASE %s ELSE ''Others'' END FROM (
            SELECT clientele._r_score((i.input).profile, (i.input).as_of, s.breaks_r) AS r_score,
                clientele._f_score((i.input).profile, s.breaks_f) AS f_score, clientele._m_score((i.input).profile, s.breaks_m) AS m_score
            FROM %I.scoring s WHERE s.id = 1) c)',
        (SELECT string_agg(format('WHEN %s THEN %L', r.rule, r.segment), ' ' ORDER BY r.priority) FROM clientele._rfm_segments() r), store)
$$;
COMMENT ON FUNCTION clientele._rfm_class_of(name) IS
    'The customary RFM class of the customer whose offer_input is i.input, as an SQL expression.';

CREATE FUNCTION clientele._explaining_columns() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '{segment,basis,reference_value,variant,propensity,expected_profit,reasons}'::text[];
COMMENT ON FUNCTION clientele._explaining_columns() IS
    'The columns of the type offer that say where it comes from: where only these are others, the customer has the same offer.';
