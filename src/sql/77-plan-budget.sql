-- Plans of budgets: at which price a program's budget goes where it earns most, by the response in use.

CREATE FUNCTION clientele._budget_demand(book jsonb, input clientele.offer_input, program text, budgets clientele.offer_budget[])
    RETURNS double precision[]
    AS 'MODULE_PATHNAME', 'clientele_budget_demand' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clientele._budget_demand(jsonb, clientele.offer_input, text, clientele.offer_budget[]) IS
    'What a customer would take of a program''s budget, held out or not: what they get at any price, because it was drawn, and then cost '
    'and expected profit of each offer that is made at one price or the other, cheapest first. Costs are in the smallest units of the '
    'currency. NULL: nothing.';

CREATE TYPE clientele._budget_plan AS (
    price double precision, drawn_cost bigint, customers bigint, chosen bigint, cost bigint, profit double precision,
    all_chosen bigint, all_cost bigint, all_profit double precision);
COMMENT ON TYPE clientele._budget_plan IS
    'Internal: what is made of a budget. price: what a smallest unit of it earns at last; drawn_cost: what is taken at any price, before '
    'all else; chosen, cost, profit: the customers who get an offer that was chosen, what these cost, and earn; the same of everybody''s '
    'best.';

CREATE FUNCTION clientele._plan_budget_add(state internal, demand double precision[], budget bigint) RETURNS internal
    AS 'MODULE_PATHNAME', 'clientele_plan_budget_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
CREATE FUNCTION clientele._plan_budget_final(state internal) RETURNS clientele._budget_plan
    AS 'MODULE_PATHNAME', 'clientele_plan_budget_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._plan_budget_add(internal, double precision[], bigint) IS 'Transition function of _plan_budget().';
COMMENT ON FUNCTION clientele._plan_budget_final(internal) IS 'Final function of _plan_budget().';
CREATE AGGREGATE clientele._plan_budget(demand double precision[], budget bigint) (
    SFUNC = clientele._plan_budget_add, STYPE = internal, FINALFUNC = clientele._plan_budget_final, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele._plan_budget(double precision[], bigint) IS
    'What is made of so much, in the smallest units, given what customers would take of it by _budget_demand().';

CREATE TYPE clientele.budget_plan AS (
    program text, shadow_price double precision, remaining numeric, drawn_cost numeric,
    customers bigint, offered bigint, cost numeric, profit numeric, all_offered bigint, all_cost numeric, all_profit numeric,
    planned_at timestamptz);
COMMENT ON TYPE clientele.budget_plan IS 'What plan_budget() finds; amounts in the currency.';
COMMENT ON COLUMN clientele.budget_plan.shadow_price IS
    'What the last unit of the budget earns: offers are made where they earn more per unit of reward. 0: it suffices for everybody.';
COMMENT ON COLUMN clientele.budget_plan.remaining IS 'What could still be promised.';
COMMENT ON COLUMN clientele.budget_plan.drawn_cost IS
    'What of that goes to terms that are not chosen: explored ones, and those of arms that are not learned.';
COMMENT ON COLUMN clientele.budget_plan.customers IS 'Whom the program would enrol now, held out or not.';
COMMENT ON COLUMN clientele.budget_plan.offered IS
    'Of those, to whom chosen terms are offered, what they cost and are expected to earn; all_offered, all_cost, all_profit: the same if '
    'the budget were unlimited.';

-- As if the program ran now and had all that it needs: what is left decides about the price, and not about who is asked.
CREATE FUNCTION clientele._budget_plan(store name, program text) RETURNS clientele.budget_plan
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    decimals constant integer := clientele._currency_decimals((clientele._settings(store)).currency);
    unit constant numeric := round(10::numeric ^ - decimals, decimals);
    budgets clientele.offer_budget[];
    book jsonb;
    found clientele._budget_plan;
    plan clientele.budget_plan;
BEGIN
    EXECUTE format('
        SELECT array_agg(ROW(b.program, CASE WHEN b.program = $1 THEN 1e12 ELSE b.remaining END)::clientele.offer_budget),
            max(b.remaining) FILTER (WHERE b.program = $1), %1$I._offer_book() || jsonb_build_object(''programs'',
                (SELECT jsonb_agg(CASE WHEN p.program ->> ''program'' = $1 THEN p.program - ''starts_at'' ELSE p.program END
                    ORDER BY p.place)
                 FROM jsonb_array_elements(%1$I._offer_book() -> ''programs'') WITH ORDINALITY p (program, place)))
        FROM %1$I._budgets b', store) INTO budgets, plan.remaining, book USING program;
    EXECUTE format('SELECT (p.plan).* FROM (
            SELECT clientele._plan_budget(clientele._budget_demand($1, i.input, $2, $3), $4) AS plan FROM %I._offer_inputs i) p', store)
        INTO found USING book, program, budgets, greatest(trunc(plan.remaining / unit), 0)::bigint;
    plan.program := program;
    plan.shadow_price := found.price / unit::double precision;
    plan.drawn_cost := found.drawn_cost * unit;
    plan.customers := found.customers;
    plan.offered := found.chosen;
    plan.cost := found.cost * unit;
    plan.profit := round(found.profit::numeric, greatest(decimals, 4));
    plan.all_offered := found.all_chosen;
    plan.all_cost := found.all_cost * unit;
    plan.all_profit := round(found.all_profit::numeric, greatest(decimals, 4));
    plan.planned_at := now();
    RETURN plan;
END $$;
COMMENT ON FUNCTION clientele._budget_plan(name, text) IS
    'What would be made of what is left of a program''s budget, by the response in use; writes nothing.';

CREATE FUNCTION clientele._learns_terms(terms text, arms jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN jsonb_typeof(arms) = 'array'
        THEN EXISTS (SELECT FROM jsonb_array_elements(arms) a WHERE coalesce(a ->> 'terms', terms) = 'learned')
        ELSE terms = 'learned' END
$$;
COMMENT ON FUNCTION clientele._learns_terms(text, jsonb) IS 'Whether a program of such terms, or one of its arms, chooses learned ones.';

-- Otherwise nothing is known that a budget could be planned by.
CREATE FUNCTION clientele._planned_programs(store name) RETURNS text[]
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    programs text[];
BEGIN
    EXECUTE format('SELECT array_agg(p.program ORDER BY p.priority) FROM %1$I.programs p
        WHERE p.budget IS NOT NULL AND (clientele._learns_terms(p.terms, p.arms) AND %1$I._offer_book() ? ''response''
            OR EXISTS (SELECT FROM %1$I.models m WHERE m.kind = ''offer:'' || p.program AND m.in_use))', store) INTO programs;
    RETURN coalesce(programs, '{}');
END $$;
COMMENT ON FUNCTION clientele._planned_programs(name) IS
    'The programs of a store that have a budget and are known to earn something: by the response in use, or by what was learnt of their '
    'arms.';

-- The caller holds the lock of _lock_store().
CREATE FUNCTION clientele._set_budget_price(store name, plan clientele.budget_plan) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    former double precision;
BEGIN
    EXECUTE format('SELECT b.price FROM %I.budget_prices b WHERE b.program = $1', store) INTO former USING plan.program;
    EXECUTE format('INSERT INTO %1$I.budget_prices AS b (program, price, planned_at)
        SELECT p.program, $2, $3 FROM %1$I.programs p WHERE p.program = $1
        ON CONFLICT (program) DO UPDATE SET price = excluded.price, planned_at = excluded.planned_at', store)
        USING plan.program, plan.shadow_price, plan.planned_at;
    IF coalesce(former, 0) <> plan.shadow_price THEN
        PERFORM clientele._regenerate_offers(store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._set_budget_price(name, clientele.budget_plan) IS 'Lets decisions go by the price of a plan.';

-- It computes first and locks the store then, so that neither readers nor definers wait while it computes.
CREATE FUNCTION clientele.plan_budget(store name, program text) RETURNS clientele.budget_plan
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    plan clientele.budget_plan;
BEGIN
    PERFORM clientele._require('program', program IS NOT NULL);
    PERFORM clientele._require_owner(store);
    PERFORM clientele._check_program(store, program);
    IF program <> ALL (clientele._planned_programs(store)) THEN
        RAISE EXCEPTION 'the budget of program "%" cannot be planned', program USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'It needs a budget, and either learned terms in a store that uses a model of kind "response", or estimates of '
                'what its arms earn.',
            HINT = format('clientele.alter_offer() gives it a budget; clientele.fit_response(%L) learns how customers respond, '
                'clientele.learn_offer() what arms are worth. Without a plan a budget goes to customers at random.', store);
    END IF;
    PERFORM clientele._require_all_rows(store);
    plan := clientele._budget_plan(store, program);
    PERFORM clientele._lock_store(store);
    PERFORM clientele._set_budget_price(store, plan);
    RETURN plan;
END $$;
COMMENT ON FUNCTION clientele.plan_budget(name, text) IS
    'Plans what is left of a program''s budget: where everybody''s best terms would cost more, it goes where a unit of it is expected to '
    'earn most, customer by customer and rung by rung. shadow_price is what its last unit earns; from then on learned terms are chosen by '
    'what they earn beyond their reward at that price, and refused (budget_spent_better) where that is nothing. Whoever would be enrolled '
    'now is planned, held out or not; a program that has not begun is planned as if it had. Without learned terms customers are '
    'judged by what learn_offer() expects of the arms on average, in their segment. Refresh, issue_offers() and settle_offers() plan '
    'again. Refused (55000) where there is no budget, or nothing is known of what is earned; owner only.';

CREATE FUNCTION clientele._forget_prices(store name, but text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    EXECUTE format('DELETE FROM %I.budget_prices b WHERE b.program <> ALL ($1)', store) USING but;
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN
        PERFORM clientele._regenerate_offers(store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._forget_prices(name, text[]) IS 'Forgets what was planned of programs, but for some.';

-- Who refreshes, issues or settles and is not the owner may not replace what decides: then the owner's next plan finds it.
CREATE FUNCTION clientele._plan_budgets(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    programs text[];
    were_planned text[];
    plans clientele.budget_plan[];
    problem text;
BEGIN
    IF NOT pg_has_role((SELECT n.nspowner FROM pg_namespace n WHERE n.nspname = store), 'USAGE')
            OR clientele._applies_terms(store) THEN
        RETURN;
    END IF;
    programs := clientele._planned_programs(store);
    EXECUTE format('SELECT coalesce(array_agg(b.program), ''{}'') FROM %I.budget_prices b', store) INTO were_planned;
    IF programs = '{}' AND were_planned = '{}' THEN
        RETURN;
    END IF;
    PERFORM clientele._require_all_rows(store);
    plans := ARRAY(SELECT clientele._budget_plan(store, p) FROM unnest(programs) p);
    PERFORM clientele._lock_store(store);
    PERFORM clientele._forget_prices(store, but => programs);
    PERFORM clientele._set_budget_price(store, p) FROM unnest(plans) p;
EXCEPTION
    WHEN insufficient_privilege THEN
        RETURN;
    WHEN data_exception THEN
        GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT;
        RAISE WARNING 'the prices of the budgets of store % stay as they were: %', quote_ident(store), problem;
END $$;
COMMENT ON FUNCTION clientele._plan_budgets(name) IS
    'Plans the budgets of all programs that can be planned, where the caller may; in a transaction of its own, since it locks the store.';
