-- The ledger of a store: what was offered to whom, or held out, and what became of it.

CREATE FUNCTION clientele._create_ledger(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($ledger$
        CREATE TABLE {store}.program_versions (
            program text NOT NULL, version integer NOT NULL, defined_at timestamptz NOT NULL, definition jsonb NOT NULL,
            PRIMARY KEY (program, version));
        CREATE TABLE {store}.budgets (
            program text NOT NULL, slot integer NOT NULL, available numeric NOT NULL CHECK (available >= 0),
            PRIMARY KEY (program, slot))
            WITH (fillfactor = 10, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
        -- A customer has one exposure at a time: who would issue the next one concurrently meets its key.
        CREATE TABLE {store}.ledger (
            exposure_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id {key_type} NOT NULL, period integer NOT NULL,
            program text NOT NULL, program_version integer NOT NULL, holdout text, global_holdout double precision NOT NULL,
            margin numeric, log_mean double precision, log_sd double precision, drawn_stretch numeric, drawn_reward_rate numeric,
            {terms}, models jsonb, issued_at timestamptz NOT NULL, code text,
            state text NOT NULL DEFAULT 'open', closed_at timestamptz, slot integer,
            order_id {order_type}, ordered_at timestamptz, order_value numeric, cost numeric, owed numeric,
            CONSTRAINT ledger_period UNIQUE (customer_id, period), CONSTRAINT ledger_code UNIQUE (code),
            CONSTRAINT ledger_holdout CHECK (holdout IN ('program', 'global')),
            CONSTRAINT ledger_state CHECK (state IN ('open', 'redeemed', 'expired', 'void')),
            CONSTRAINT ledger_closed CHECK ((state = 'open') = (closed_at IS NULL)));
        CREATE INDEX ledger_due ON {store}.ledger (valid_until) WHERE state = 'open';
        CREATE INDEX ledger_owed ON {store}.ledger (program) WHERE owed > 0;
        CREATE UNIQUE INDEX ledger_order ON {store}.ledger (order_id) WHERE state = 'redeemed';
        -- Appended to by the triggers of live stores: redemptions whose order no longer counts.
        CREATE TABLE {store}.reversals (exposure_id bigint NOT NULL, noted_at timestamptz NOT NULL) WITH (vacuum_truncate = false);
        CREATE INDEX reversals_exposure ON {store}.reversals (exposure_id);
        ALTER TABLE {store}.reversals REPLICA IDENTITY FULL;
        CREATE TABLE {store}.campaigns (
            program text PRIMARY KEY, started_at timestamptz NOT NULL, last_customer text, customers bigint NOT NULL,
            offered bigint NOT NULL, held_out bigint NOT NULL, total bigint, ended_at timestamptz,
            run bigint NOT NULL GENERATED ALWAYS AS IDENTITY, cutoffs jsonb);
        CREATE TABLE {store}.forgotten (
            program text NOT NULL, program_version integer NOT NULL, held_out boolean NOT NULL,
            exposures bigint NOT NULL, redemptions bigint NOT NULL, rewards numeric NOT NULL,
            PRIMARY KEY (program, program_version, held_out));
        $ledger$, 'store', quote_ident(store), 'key_type', clientele._key_type(store)::text, 'terms', clientele._ledger_definitions(),
        'order_type', coalesce(CASE WHEN settings.order_id IS NOT NULL
            THEN clientele._stored_type(clientele._column_type(settings.orders, settings.order_id, 'order_id')) END, 'text'));
    PERFORM clientele._comment_ledger(store);
END $$;
COMMENT ON FUNCTION clientele._create_ledger(name, clientele.store_settings) IS 'The tables of a new store''s ledger.';

-- The last one that was looked at is noted as a floating point number (see _note_comparisons), which knows whole numbers up to 2^53.
CREATE FUNCTION clientele._number_exposures(store name, exposure_ids_from bigint) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF exposure_ids_from NOT BETWEEN 1 AND 1000000000000000 THEN
        RAISE EXCEPTION 'invalid exposure_ids_from: %', exposure_ids_from USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'The first id of an exposure is from 1 to 1000000000000000.',
            HINT = 'Of several servers give each a range of its own: 1, 1000000000001, 2000000000001.';
    END IF;
    EXECUTE format('ALTER TABLE %I.ledger ALTER exposure_id SET START WITH %s RESTART', store, exposure_ids_from);
END $$;
COMMENT ON FUNCTION clientele._number_exposures(name, bigint) IS 'Says with which id the exposures of a new store begin.';

-- Those that every offer has are NOT NULL.
CREATE FUNCTION clientele._ledger_definitions() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attname = ANY ('{basis,reference_value,min_spend,reward,reward_kind,currency,message,valid_until,variant,propensity,'
            'reasons}') THEN ' NOT NULL' END), ', ' ORDER BY a.attnum)
    FROM pg_attribute a WHERE a.attrelid = 'clientele.offer'::regclass AND a.attnum > 0 AND NOT a.attisdropped
        AND a.attname NOT IN ('program', 'last_day')
$$;
COMMENT ON FUNCTION clientele._ledger_definitions() IS
    'What a ledger keeps of an offer: the columns of that type, except what follows from others.';

CREATE FUNCTION clientele._complete_ledger(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    added record;
BEGIN
    FOR added IN SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type FROM pg_attribute a
            WHERE a.attrelid = 'clientele.offer'::regclass AND a.attnum > 0 AND NOT a.attisdropped
              AND a.attname NOT IN ('program', 'last_day')
              AND NOT EXISTS (SELECT FROM pg_attribute l WHERE l.attrelid = format('%I.ledger', store)::regclass AND l.attname = a.attname
                AND NOT l.attisdropped) ORDER BY a.attnum LOOP
        EXECUTE format('ALTER TABLE %I.ledger ADD %I %s', store, added.name, added.type);
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._complete_ledger(name) IS 'Gives a ledger the columns that the type offer has got since it was created.';

CREATE FUNCTION clientele._comment_ledger(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($comments$
        COMMENT ON TABLE {store}.program_versions IS 'What each program was, version by version: written by clientele.define_offer.';
        COMMENT ON TABLE {store}.budgets IS
            'What can still be promised of a program''s budget, in slots, so that many can issue at a time. budget_status shows the sums.';
        COMMENT ON TABLE {store}.ledger IS 'A row an exposure: an offer issued to a customer, or held out. '
            'Written by clientele.issue_offer, issue_offers, redeem_offer, settle_offers, void_redemption, withdraw_offer.';
        COMMENT ON COLUMN {store}.ledger.period IS 'The how-manieth exposure of this customer it is.';
        COMMENT ON COLUMN {store}.ledger.holdout IS 'program or global: the customer was shown nothing. NULL: the offer was shown.';
        COMMENT ON COLUMN {store}.ledger.global_holdout IS 'The share that the store held out of everything then.';
        COMMENT ON COLUMN {store}.ledger.margin IS 'The customer''s contribution margin then; NULL: the store''s.';
        COMMENT ON COLUMN {store}.ledger.log_mean IS
            'With log_sd what the logarithm of the next order was expected to be then, without an offer. Never computed again: what an '
            'offer raised must not tell what would have been spent. NULL: not known.';
        COMMENT ON COLUMN {store}.ledger.drawn_stretch IS
            'With drawn_reward_rate the terms, where they were drawn at random; NULL: they were not.';
        COMMENT ON COLUMN {store}.ledger.models IS 'The versions of the models behind it, by kind.';
        COMMENT ON COLUMN {store}.ledger.state IS
            'open, redeemed, expired (settled without an order) or void. Of who was held out, redeemed: '
            'an order has reached what would have been asked for; nothing was paid. The view offer_ledger knows what has passed since.';
        COMMENT ON COLUMN {store}.ledger.slot IS 'The slot of the budget that the reward was reserved in.';
        COMMENT ON COLUMN {store}.ledger.cost IS
            'Of tiers and percentages: the greatest reward, which the budget reserves, and since redemption what it cost in truth. '
            'NULL: the reward.';
        COMMENT ON COLUMN {store}.ledger.owed IS
            'What a redemption by code left of what was reserved, until clientele.settle_offers, or who next issues of a budget that looks '
            'spent, gives it back to the slots. What is left of a budget counts it at once.';
        COMMENT ON TABLE {store}.reversals IS
            'Live stores: redemptions whose order was cancelled, refunded below the threshold or deleted, '
            'until clientele.settle_offers writes them off.';
        COMMENT ON TABLE {store}.campaigns IS 'The last run of clientele.issue_offers for each program, and how far it got.';
        COMMENT ON COLUMN {store}.campaigns.run IS 'The number of the run: customers are enrolled in the order of '
            'bucket(SEED:PROGRAM:RUN, customer), as far as a budget goes.';
        COMMENT ON COLUMN {store}.campaigns.cutoffs IS 'By program whose budget does not last for all: the first place in that order '
            'that is not enrolled any more. NULL: not decided yet.';
        COMMENT ON TABLE {store}.forgotten IS 'Sums over the exposures of customers who were forgotten, so that budgets stay exact.';
        $comments$, 'store', quote_ident(store));
END $$;
COMMENT ON FUNCTION clientele._comment_ledger(name) IS 'Comments on the tables of a new store''s ledger.';

-- Whoever a policy on the profiles or the customers restricts sees, and writes, what is kept of the same customers, and no sums over all.
-- What the policies know of the customers table is in functions, which can be replaced while the tables are in use.
CREATE FUNCTION clientele._protect_customers(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sees_all constant text := format('NOT pg_catalog.row_security_active(%L::pg_catalog.regclass::pg_catalog.oid)',
        format('%I.profiles', store));
    visible constant text := '((SELECT %2$s) OR EXISTS (SELECT FROM %1$I.profiles r WHERE r.customer_id = %3$I.customer_id))
        AND ((SELECT %1$I._sees_customers()) OR EXISTS (SELECT FROM %1$I._visible_customers() r WHERE r.customer_id = %3$I.customer_id))';
    kept text;
BEGIN
    PERFORM clientele._regenerate_visible(store, settings);
    EXECUTE format('CREATE OR REPLACE FUNCTION %1$I._sees_everybody() RETURNS boolean
        STABLE PARALLEL SAFE RETURN %2$s AND %1$I._sees_customers()',
        store, sees_all);
    -- Whom its owner lets read sums, and not what they are sums of, no policy means.
    EXECUTE format('CREATE OR REPLACE FUNCTION %1$I._sees_sums() RETURNS boolean STABLE PARALLEL SAFE
        RETURN %1$I._sees_everybody() OR NOT pg_catalog.has_any_column_privilege(%2$L::pg_catalog.regclass, ''SELECT'')',
        store, format('%I.ledger', store));
    FOREACH kept IN ARRAY '{ledger,content_exposures,segment_membership,segment_events,crossed,pending}'::text[] LOOP
        -- What is pending without a customer is a mark that is for all.
        PERFORM clientele._add_policy(store, kept, CASE kept WHEN 'pending' THEN 'pending.customer_id IS NULL OR ' ELSE '' END
            || format(visible, store, sees_all, kept));
    END LOOP;
    PERFORM clientele._add_policy(store, 'campaigns', format('(SELECT %I._sees_everybody())', store));
    PERFORM clientele._add_policy(store, 'reversals', format('(SELECT %1$I._sees_everybody()) OR
        EXISTS (SELECT FROM %1$I.ledger l WHERE l.exposure_id = reversals.exposure_id)', store));
END $$;
COMMENT ON FUNCTION clientele._protect_customers(name, clientele.store_settings) IS
    'Extends the policies on profiles and customers to every other table that names customers, or that the runs over all of them keep.';

-- Of a detached store nobody knows whom its customers table would hide: whoever its policies are for sees nobody.
CREATE FUNCTION clientele._regenerate_visible(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    sees text := CASE WHEN settings.orders IS NULL AND settings.customers_name IS NOT NULL THEN 'false'
        WHEN settings.customers IS NULL THEN 'true'
        ELSE format('NOT pg_catalog.row_security_active(%L::pg_catalog.regclass::pg_catalog.oid)', settings.customers) END;
    visible text := CASE WHEN settings.customers IS NULL THEN format('SELECT NULL::%s WHERE false', clientele._key_type(store))
        ELSE format('SELECT c.%I FROM %s c', settings.customer_key, settings.customers) END;
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION %I._sees_customers() RETURNS boolean STABLE PARALLEL SAFE RETURN %s', store, sees);
    EXECUTE format('CREATE OR REPLACE FUNCTION %I._visible_customers() RETURNS TABLE (customer_id %s)
        STABLE PARALLEL SAFE BEGIN ATOMIC %s; END',
        store, clientele._key_type(store), visible);
END $$;
COMMENT ON FUNCTION clientele._regenerate_visible(name, clientele.store_settings) IS
    'What the policies of a store ask of its customers table: whether it shows all of them to the reader, and which it shows.';

CREATE FUNCTION clientele._add_policy(store name, relation text, condition text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = format('%I.%I', store, relation)::regclass AND p.polname = 'customers') THEN
        EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', store, relation);
        EXECUTE format('CREATE POLICY customers ON %I.%I USING (%s)', store, relation, condition);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._add_policy(name, text, text) IS 'The policy of a table of a store, where that has none.';

-- row_security = off makes PostgreSQL refuse to leave out rows, where it would do so otherwise. The policies of our own follow those
-- of profiles and customers: to whom these show everything they do, too. Hence a function, which only asks.
CREATE FUNCTION clientele._require_all_customers(store name) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET row_security = off AS $$
DECLARE
    customers constant text := (clientele._settings(store)).customers::text;
    restricted regclass;
BEGIN
    PERFORM clientele._require_readable(store);
    EXECUTE format('SELECT FROM %I.profiles%s LIMIT 0', store, ', ' || customers);
    SELECT c.oid INTO restricted FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
    WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = store) AND c.relname <> 'profiles'
        AND p.polname <> 'customers'
      AND NOT pg_has_role(c.relowner, 'USAGE') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table % has policies of its own', restricted USING ERRCODE = 'insufficient_privilege',
            DETAIL = 'This is for all customers or none.', HINT = 'Its owner can do it.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._require_all_customers(name) IS
    'Refuses (42501) callers from whom row-level security hides customers or profiles of a store.';

CREATE FUNCTION clientele._require_all_rows(store name) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require_all_customers(store);
    PERFORM clientele._require_all_orders(store);
END $$;
COMMENT ON FUNCTION clientele._require_all_rows(name) IS
    'Refuses (42501) callers from whom row-level security hides orders, profiles or customers of a store: for what counts, or measures, '
    'all or none.';

CREATE FUNCTION clientele._status_now(is_reversed text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('CASE WHEN l.state = ''redeemed'' AND %s THEN ''void''
        WHEN l.state = ''open'' AND l.valid_until <= pg_catalog.now() THEN ''expired'' ELSE l.state END', is_reversed)
$$;
COMMENT ON FUNCTION clientele._status_now(text) IS
    'What has become of an exposure l of a ledger by now, whether it was settled or not, as an SQL expression. is_reversed: whether its '
    'redemption is among the reversals, as one, too.';

CREATE FUNCTION clientele._is_reversed(store name) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('EXISTS (SELECT FROM %I.reversals r WHERE r.exposure_id = l.exposure_id)', store)
$$;
COMMENT ON FUNCTION clientele._is_reversed(name) IS 'Whether the redemption of an exposure l is among the reversals, as an SQL expression.';

-- A sub-query for each exposure is what finds one customer's fastest; but a query that has one runs in a single process.
CREATE FUNCTION clientele._ledger_query(store name, of_all boolean DEFAULT false) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill('SELECT l.*, {status} AS status, {last_day} AS last_day FROM {store}.ledger l' || CASE WHEN of_all THEN
            ' LEFT JOIN (SELECT DISTINCT r.exposure_id FROM {store}.reversals r) v ON v.exposure_id = l.exposure_id' ELSE '' END,
        'status', clientele._status_now(CASE WHEN of_all THEN 'v.exposure_id IS NOT NULL' ELSE clientele._is_reversed(store) END),
        'last_day', clientele._last_day_of('l', store), 'store', quote_ident(store))
$$;
COMMENT ON FUNCTION clientele._ledger_query(name, boolean) IS
    'What the ledger says now: a reversal counts at once, and so does the end of an offer. of_all: for all customers rather than for one.';

CREATE FUNCTION clientele._create_ledger_views(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($views$
        CREATE OR REPLACE VIEW {store}._ledger WITH (security_invoker = true) AS {ledger};
        CREATE OR REPLACE VIEW {store}.exposures WITH (security_invoker = true) AS
            SELECT l.exposure_id, l.customer_id, l.period, l.program, l.program_version, l.segment, l.basis, l.reference_value, l.min_spend,
                l.reward, l.currency, l.variant, CASE WHEN l.holdout IS NULL THEN 'offered' ELSE 'held_out' END AS status, l.holdout,
                l.propensity, l.expected_profit, l.reasons, l.models, l.issued_at, l.valid_until, l.margin, l.log_mean, l.log_sd,
                l.drawn_stretch, l.drawn_reward_rate, l.reward_kind, l.tiers
            FROM {store}.ledger l;
        CREATE OR REPLACE VIEW {store}.offer_ledger WITH (security_invoker = true) AS
            SELECT l.exposure_id, l.customer_id, l.program, l.program_version, l.segment, l.variant, l.code, l.status, l.min_spend,
                l.reward, l.reward_kind, l.currency, l.message, l.disclosure, l.issued_at, l.valid_until,
                l.order_id, l.ordered_at, l.order_value,
                CASE WHEN l.status = 'redeemed' THEN COALESCE(l.cost, l.reward) ELSE 0 END AS reward_paid, l.closed_at, l.last_day,
                l.tiers
            FROM {store}._ledger l WHERE l.holdout IS NULL;
        -- Sums over what who asks need not be allowed to see, for whom its owner lets read it.
        CREATE OR REPLACE VIEW {store}.budget_status WITH (security_barrier = true) AS
            SELECT s.program, p.budget, s.reserved, s.spent, p.budget - s.reserved - s.spent AS remaining,
                s.open_offers, s.redeemed_offers, s.to_settle, CASE WHEN p.budget IS NOT NULL THEN
                    (SELECT b.price FROM {store}.budget_prices b WHERE b.program = s.program) END AS shadow_price
            FROM (SELECT u.program, COALESCE(pg_catalog.sum(u.reserved), 0) AS reserved, COALESCE(pg_catalog.sum(u.spent), 0) AS spent,
                    pg_catalog.sum(u.open)::bigint AS open_offers, pg_catalog.sum(u.redeemed)::bigint AS redeemed_offers,
                    pg_catalog.sum(u.due)::bigint AS to_settle
                FROM (SELECT o.program, 0::numeric AS reserved, 0::numeric AS spent, 0 AS open, 0 AS redeemed, 0 AS due
                      FROM {store}.programs o
                      UNION ALL SELECT g.program, 0, g.rewards, 0, g.redemptions, 0 FROM {store}.forgotten g
                      UNION ALL
                      SELECT l.program, pg_catalog.sum(COALESCE(l.cost, l.reward)) FILTER (WHERE l.state = 'open'),
                          pg_catalog.sum(COALESCE(l.cost, l.reward)) FILTER (WHERE l.status = 'redeemed'),
                          pg_catalog.count(*) FILTER (WHERE l.status = 'open'), pg_catalog.count(*) FILTER (WHERE l.status = 'redeemed'),
                          pg_catalog.count(*) FILTER (
                              WHERE l.state = 'open' AND l.status = 'expired' OR l.state <> 'void' AND l.status = 'void')
                      FROM (SELECT l.*, {status} AS status FROM {store}.ledger l) l WHERE l.holdout IS NULL GROUP BY l.program) u
                GROUP BY u.program) s
            LEFT JOIN {store}.programs p ON p.program = s.program
            WHERE (SELECT {store}._sees_sums());
        CREATE OR REPLACE VIEW {store}._budgets WITH (security_invoker = true) AS
            SELECT b.program, pg_catalog.sum(b.available)
                + COALESCE((SELECT pg_catalog.sum(l.owed) FROM {store}.ledger l WHERE l.program = b.program AND l.owed > 0), 0) AS remaining
            FROM {store}.budgets b GROUP BY b.program;
        CREATE OR REPLACE VIEW {store}.campaign_progress WITH (security_invoker = true) AS
            SELECT c.program, c.started_at, c.customers, c.total, c.offered, c.held_out, c.ended_at FROM {store}.campaigns c;
        $views$, 'ledger', clientele._ledger_query(store), 'status', clientele._status_now(clientele._is_reversed(store)),
        'store', quote_ident(store));
    PERFORM clientele._comment_ledger_views(store);
END $$;
COMMENT ON FUNCTION clientele._create_ledger_views(name) IS 'The views of a new store''s ledger.';

CREATE FUNCTION clientele._last_day_of(exposure text, store name) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('clientele._last_day(%s.valid_until, %I._offer_book() OPERATOR(pg_catalog.->>) ''time_zone'')', exposure, store)
$$;
COMMENT ON FUNCTION clientele._last_day_of(text, name) IS 'The last day of an exposure in the ledger, as an SQL expression.';

CREATE FUNCTION clientele._comment_ledger_views(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($comments$
        COMMENT ON VIEW {store}.exposures IS
            'A row for each offer that was issued or held out, as it was decided: what experiments are measured by.';
        COMMENT ON VIEW {store}.offer_ledger IS
            'A row for each offer that was issued. status: open, redeemed, expired or void; reward_paid: what it cost.';
        COMMENT ON VIEW {store}.budget_status IS
            'A row a program, dropped ones that issued offers included; amounts in the currency. No row for whom a policy hides customers.';
        COMMENT ON VIEW {store}.campaign_progress IS
            'How far the last run of clientele.issue_offers came, program by program. ended_at: NULL while it runs, or was cut short.';
        COMMENT ON COLUMN {store}.exposures.period IS 'The how-manieth exposure of this customer it is.';
        COMMENT ON COLUMN {store}.exposures.program_version IS 'The version of the program then: see the table program_versions.';
        COMMENT ON COLUMN {store}.exposures.segment IS 'The customer''s segment of main then.';
        COMMENT ON COLUMN {store}.exposures.basis IS 'recent, typical, segment or store: what reference_value is.';
        COMMENT ON COLUMN {store}.exposures.variant IS
            'The arm that was drawn, or default; of who was held out the arm that would have been shown.';
        COMMENT ON COLUMN {store}.exposures.status IS 'offered, or held_out: nothing was shown.';
        COMMENT ON COLUMN {store}.exposures.holdout IS 'By whom the customer was held out: program, or global (the store).';
        COMMENT ON COLUMN {store}.exposures.propensity IS 'The probability of what was decided.';
        COMMENT ON COLUMN {store}.exposures.expected_profit IS
            'What was expected of the offer then, in the currency, by learn_offer(); NULL where nothing had been learnt.';
        COMMENT ON COLUMN {store}.exposures.models IS 'The versions of the models in use then, by kind.';
        COMMENT ON COLUMN {store}.exposures.margin IS 'The customer''s contribution margin then.';
        COMMENT ON COLUMN {store}.exposures.log_mean IS
            'With log_sd what the logarithm of the next order was expected to be then, without an offer: clientele.log_value_mean and '
            'log_value_sd. NULL: not known.';
        COMMENT ON COLUMN {store}.exposures.drawn_stretch IS
            'With drawn_reward_rate the terms, where they were drawn at random; NULL: they were not.';
        COMMENT ON COLUMN {store}.offer_ledger.code IS 'What the customer gives to redeem the offer.';
        COMMENT ON COLUMN {store}.offer_ledger.status IS 'open, redeemed, expired, or void: withdrawn, or its order was cancelled.';
        COMMENT ON COLUMN {store}.offer_ledger.order_id IS
            'The order that redeemed it; ordered_at and order_value are that order''s, as the store values it.';
        COMMENT ON COLUMN {store}.offer_ledger.reward_paid IS
            'What the reward cost, of what is redeemed: of the tier that the order reached; otherwise 0.';
        COMMENT ON COLUMN {store}.offer_ledger.closed_at IS 'When the offer stopped being open: by redemption, settling or withdrawal.';
        COMMENT ON COLUMN {store}.budget_status.budget IS 'The budget; NULL: none, or the program was dropped.';
        COMMENT ON COLUMN {store}.budget_status.reserved IS
            'Rewards of offers that are open, or whose end settle_offers has not seen yet (to_settle).';
        COMMENT ON COLUMN {store}.budget_status.spent IS 'Rewards of redeemed offers.';
        COMMENT ON COLUMN {store}.budget_status.remaining IS
            'What can still be promised: budget less reserved and spent; NULL without a budget.';
        COMMENT ON COLUMN {store}.budget_status.to_settle IS
            'Offers that ended, and redemptions whose order was cancelled, since settle_offers last ran.';
        COMMENT ON COLUMN {store}.budget_status.shadow_price IS
            'What the last unit of the budget earns, as clientele.plan_budget() found: learned terms are offered where they earn more. '
            '0: it suffices for everybody; NULL: it was not planned.';
        COMMENT ON COLUMN {store}.campaign_progress.program IS 'The program; empty: all programs.';
        COMMENT ON COLUMN {store}.campaign_progress.customers IS 'Customers looked at so far, of total.';
        COMMENT ON COLUMN {store}.campaign_progress.ended_at IS 'NULL while it runs, or was cut short.';
        $comments$, 'store', quote_ident(store));
END $$;
COMMENT ON FUNCTION clientele._comment_ledger_views(name) IS 'Comments on the views of a new store''s ledger.';
