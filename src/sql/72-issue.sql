-- Issuing offers: to one customer, and to all.

DO $$ BEGIN
    EXECUTE format('CREATE TYPE clientele.issued_offer AS (
        code text, %s, exposure_id bigint, program_version integer, issued_at timestamptz)', clientele._offer_definitions('{}'));
END $$;
COMMENT ON TYPE clientele.issued_offer IS
    'An offer that is written down: its code, its terms as in the type offer, and the row of the ledger that it is.';
COMMENT ON COLUMN clientele.issued_offer.code IS
    'What the customer gives to get the reward: XXXXX-XXXXX, of 25 digits and letters without look-alikes.';

CREATE FUNCTION clientele._new_code() RETURNS text
    AS 'MODULE_PATHNAME', 'clientele_new_code' LANGUAGE C VOLATILE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._new_code() IS
    'A code for an offer, XXXXX-XXXXX: ten characters out of 25 by the system''s source of strong randomness.';
CREATE FUNCTION clientele._canonical_code(code text) RETURNS text
    AS 'MODULE_PATHNAME', 'clientele_canonical_code' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._canonical_code(text) IS
    'A code as the ledger has it, from how it was typed: in any case, with or without hyphens and spaces. NULL for what cannot be a code.';

-- ---- What is written into the ledger ----

-- source is a table expression with the columns of the type enrolment, and customer_id, period, as_of, models and slot. Also run
-- under the caller's search_path, so every name is qualified. What a newer release adds to an offer a ledger has from upgrade_store() on.
CREATE FUNCTION clientele._ledger_insertion(ledger text, source text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('INSERT INTO %s AS l (customer_id, period, issued_at, models, slot, code, cost, %s)
        SELECT e.customer_id, e.period, e.as_of, e.models, e.slot, CASE WHEN e.holdout IS NULL THEN clientele._new_code() END,
            CASE WHEN e.tiers IS NOT NULL THEN clientele._greatest_cost(e.reward, e.tiers) END, %s
        FROM %s e',
        ledger, string_agg(quote_ident(c.attname), ', ' ORDER BY c.attnum),
        string_agg('e.' || quote_ident(c.attname), ', ' ORDER BY c.attnum), source)
    FROM pg_attribute c JOIN pg_attribute l ON l.attrelid = to_regclass(ledger) AND l.attname = c.attname AND NOT l.attisdropped
    WHERE c.attrelid = 'clientele.enrolment'::regclass AND c.attnum > 0 AND NOT c.attisdropped
$$;
COMMENT ON FUNCTION clientele._ledger_insertion(text, text) IS 'The statement that writes enrolments into a ledger, as far as RETURNING.';

CREATE FUNCTION clientele._issued_row(store name) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('ROW(%s)::clientele.issued_offer', string_agg(CASE WHEN c.attname = 'last_day' THEN clientele._last_day_of('l', store)
        WHEN l.attname IS NULL THEN 'NULL::' || format_type(c.atttypid, c.atttypmod)
        ELSE format('l.%I', c.attname) END, ', ' ORDER BY c.attnum))
    FROM pg_attribute c LEFT JOIN pg_attribute l ON l.attrelid = to_regclass(format('%I.ledger', store)) AND l.attname = c.attname
        AND NOT l.attisdropped
    WHERE c.attrelid = 'clientele.issued_offer'::regclass AND c.attnum > 0 AND NOT c.attisdropped
$$;
COMMENT ON FUNCTION clientele._issued_row(name) IS 'A row l of the ledger as issue_offer() returns it, as an SQL expression.';

CREATE FUNCTION clientele._issuing_statement(store name) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('%s ON CONFLICT DO NOTHING RETURNING CASE WHEN l.holdout IS NULL THEN %s END',
        clientele._ledger_insertion(format('%I.ledger', store),
            '(SELECT $1 AS customer_id, $3 AS period, $4 AS as_of, $5 AS models, $6 AS slot, ($2).*)'),
        clientele._issued_row(store))
$$;
COMMENT ON FUNCTION clientele._issuing_statement(name) IS
    'How issue_offer() writes an enrolment ($2) of a customer ($1) into the ledger; $3: the period, $4: when, $5: the models, $6: the '
    'slot.';

CREATE FUNCTION clientele._issued_query(store name) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('SELECT %s FROM %I.ledger l WHERE l.exposure_id OPERATOR(pg_catalog.=) $2', clientele._issued_row(store), store)
$$;
COMMENT ON FUNCTION clientele._issued_query(name) IS 'How issue_offer() reads an exposure ($2) from the ledger.';

-- ---- One customer ----

CREATE FUNCTION clientele.issue_offer(customer bigint, store name DEFAULT NULL, program text DEFAULT NULL)
    RETURNS SETOF clientele.issued_offer
    AS 'MODULE_PATHNAME', 'clientele_issue_offer' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 1;
CREATE FUNCTION clientele.issue_offer(customer uuid, store name DEFAULT NULL, program text DEFAULT NULL)
    RETURNS SETOF clientele.issued_offer
    AS 'MODULE_PATHNAME', 'clientele_issue_offer' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 1;
CREATE FUNCTION clientele.issue_offer(customer text, store name DEFAULT NULL, program text DEFAULT NULL)
    RETURNS SETOF clientele.issued_offer
    AS 'MODULE_PATHNAME', 'clientele_issue_offer' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 1000 ROWS 1;
CALL clientele._comment_on_overloads('issue_offer({key}, name, text)',
    'Issues the customer''s offer and returns it: one row, or none. While an offer is open, it is the one that is returned, with the '
    'same code. Who is held out gets no row, and is written down all the same. '
    'program: as for personalized_offer. NULL and unknown customers get none. The reward is reserved in the program''s budget. Fails '
    'where the transaction is read-only.');

-- What is due is settled while no slot is held, since settling takes the exposures first. Who settles holds all slots afterwards,
-- if anything came back; nobody else is told that nothing is left before that is committed, hence the last attempt.
CREATE FUNCTION clientele._reserve(store name, program text, reward numeric, greatest_reward numeric, OUT slot integer)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_last boolean := false;
BEGIN
    LOOP
        slot := clientele._take_from_slots(store, program, reward, greatest_reward);
        EXIT WHEN slot IS NOT NULL OR is_last;
        is_last := clientele._settle_due(store, program, 1000) = 0;
    END LOOP;
    PERFORM clientele._note_low_budget(store, program);
END $$;
COMMENT ON FUNCTION clientele._reserve(name, text, numeric, numeric) IS
    'Takes a reward from a program''s budget, out of as many slots as it takes, and returns the first; NULL where less than '
    'greatest_reward is left, even after what is due was settled.';

CREATE FUNCTION clientele._take_from_slots(store name, program text, reward numeric, greatest_reward numeric, OUT slot integer)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    remaining numeric;
BEGIN
    PERFORM clientele._lock_budgets(store, program);
    EXECUTE format('SELECT sum(b.available) FROM %I.budgets b WHERE b.program = $1', store) USING program INTO remaining;
    IF remaining IS NULL OR remaining < greatest_reward THEN
        RAISE EXCEPTION 'too little is left of the budget of program "%"', program USING ERRCODE = 'CL001';
    END IF;
    EXECUTE format('
        WITH filled AS (
            SELECT b.slot, b.available, sum(b.available) OVER (ORDER BY b.slot) - b.available AS before
            FROM %1$I.budgets b WHERE b.program = $1
        ), taken AS (
            UPDATE %1$I.budgets b SET available = b.available - least(f.available, $2 - f.before)
            FROM filled f WHERE b.program = $1 AND b.slot = f.slot AND f.before < $2)
        SELECT min(f.slot) FROM filled f', store) USING program, reward INTO slot;
EXCEPTION WHEN SQLSTATE 'CL001' THEN
    slot := NULL;  -- and the slots are let go of, with the subtransaction
END $$;
COMMENT ON FUNCTION clientele._take_from_slots(name, text, numeric, numeric) IS
    'Takes a reward out of as many slots as it takes, and returns the first; NULL where less than greatest_reward is left, and then '
    'holds none.';

-- ---- All customers ----

CREATE PROCEDURE clientele.issue_offers(store name, program text DEFAULT NULL, chunk integer DEFAULT 20000)
    AS 'MODULE_PATHNAME', 'clientele_issue_offers' LANGUAGE C;
COMMENT ON PROCEDURE clientele.issue_offers(name, text, integer) IS
    'Issues to every customer whose offer is of this program (NULL: of any), as issue_offer() would, in the order of the keys, with a '
    'commit after each chunk of customers (1 to 1,000,000). '
    'Where a budget does not last for all, a random choice of the customers, another one in each run, is enrolled. Open offers whose '
    'order is there are settled first, where the caller may. '
    'Who has an offer that is open is passed over. Cancel it at any time: what was committed stays, and the next call goes on from there '
    'if the run began less than 24 hours before it, and says so. The store''s campaign_progress shows how far it is. '
    'Cannot run in a transaction block, nor under row-level security that hides customers.';

-- The first of several transactions, so that orders placed since then are none of this run's.
CREATE FUNCTION clientele._begin_campaign(store name, program text, chunk integer) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    everybody boolean;
BEGIN
    PERFORM clientele._require_store(store);
    IF program IS NOT NULL THEN
        PERFORM clientele._check_program(store, program);
    END IF;
    IF chunk NOT BETWEEN 1 AND 1000000 THEN
        RAISE EXCEPTION 'invalid chunk: %', chunk USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'A chunk is a number of customers from 1 to 1000000.';
    END IF;
    PERFORM clientele._require_attached(store);
    EXECUTE format('SELECT %I._sees_everybody()', store) INTO everybody;
    IF NOT everybody THEN
        RAISE EXCEPTION 'row-level security hides customers of store % from %', quote_ident(store), quote_ident(current_user)
            USING ERRCODE = 'insufficient_privilege', DETAIL = 'A run of issue_offers() is for all customers.',
            HINT = 'issue_offer() issues to one customer that you see.';
    END IF;
    EXECUTE format('
        INSERT INTO %I.campaigns AS c (program, started_at, customers, offered, held_out) VALUES ($1, now(), 0, 0, 0)
        ON CONFLICT (program) DO UPDATE SET (started_at, last_customer, customers, offered, held_out, total, ended_at, cutoffs)
            = (now(), NULL, 0, 0, 0, NULL, NULL, NULL), run = DEFAULT
        WHERE c.ended_at IS NOT NULL OR c.started_at <= now() - interval ''24 hours''', store) USING coalesce(program, '');
END $$;
COMMENT ON FUNCTION clientele._begin_campaign(name, text, integer) IS
    'Checks the arguments of issue_offers(), and begins a run, or takes up one that was cut short within the last 24 hours.';

-- Who has redeemed by code is free at once, who was held out when settling has found the order. So that a run finds both arms
-- alike, it settles first; and passes over whoever has ordered since it began, in either arm.
CREATE FUNCTION clientele._settle_ordered(store name, after text[]) RETURNS text[]
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO' AS $$
DECLARE
    done record;
BEGIN
    PERFORM clientele._require_all_orders(store);
    SELECT * INTO done FROM clientele._settle_chunk(store, NULL, 'infinity', '-infinity', 50000,
        coalesce(after[1], '-infinity')::timestamptz, coalesce(after[2], '0')::bigint);
    RETURN CASE WHEN done.seen > 0 THEN ARRAY[done.last_until::text, done.last_exposure::text] END;
EXCEPTION WHEN insufficient_privilege THEN
    RETURN NULL;  -- who issues need not be allowed to settle
END $$;
COMMENT ON FUNCTION clientele._settle_ordered(name, text[]) IS
    'Closes exposures that are open and whose order is there, 50,000 of them from a key on (NULL: the first); nothing expires. '
    'Returns the last key; NULL where none is left, or the caller may not settle.';

-- Returns the customers with whom chunks end.
CREATE FUNCTION clientele._plan_campaign(store name, program text, chunk integer) RETURNS text[]
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    campaign record;
    ends text[];
BEGIN
    PERFORM clientele._share_sources(store);
    EXECUTE format('SELECT c.* FROM %I.campaigns c WHERE c.program = $1 FOR UPDATE', store) USING coalesce(program, '') INTO campaign;
    EXECUTE format('LOCK TABLE %I.ledger IN ROW EXCLUSIVE MODE', store);
    PERFORM clientele._settle_budgets(store);
    IF campaign.cutoffs IS NULL THEN
        EXECUTE format('UPDATE %I.campaigns c SET cutoffs = $2 WHERE c.program = $1', store)
            USING coalesce(program, ''), clientele._cutoffs(store, program, campaign.started_at, campaign.run);
    END IF;
    EXECUTE format('
        WITH counted AS (
            SELECT b.customer_id, row_number() OVER (ORDER BY b.customer_id%3$s) AS n FROM %1$I._base b WHERE %2$s
        ), noted AS (
            UPDATE %1$I.campaigns c SET total = c.customers + (SELECT count(*) FROM counted) WHERE c.program = $2)
        SELECT array_agg(c.customer_id::text ORDER BY c.n) FROM counted c WHERE c.n %% $1 = 0',
        store, CASE WHEN campaign.last_customer IS NULL THEN 'true'
            ELSE format('b.customer_id%s > %s', clientele._key_collation(store), clientele._key_literal(store, campaign.last_customer)) END,
        clientele._key_collation(store))
        USING chunk, coalesce(program, '') INTO ends;
    RETURN coalesce(ends, '{}');
END $$;
COMMENT ON FUNCTION clientele._plan_campaign(name, text, integer) IS
    'Settles what is due of budgets, decides for a new run how far each of them goes, and returns the keys of the customers with whom '
    'the chunks of the run end.';

-- Programs in the order in which they win: who gets nothing of one may be offered the next one, whose budget then has to go further.
CREATE FUNCTION clientele._cutoffs(store name, program text, started_at timestamptz, run bigint) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    cutoffs jsonb := '{}'::jsonb;
    has_budgets boolean;
    cut record;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.budgets b WHERE $1 IS NULL OR b.program = $1)', store) INTO has_budgets USING program;
    WHILE has_budgets LOOP
        EXECUTE clientele._cutoff_query(store, program, run, cutoffs) INTO cut USING program, started_at, NULL, NULL, cutoffs;
        EXIT WHEN cut.program IS NULL;
        cutoffs := cutoffs || jsonb_build_object(cut.program, CASE WHEN cut.turn IS NOT NULL THEN jsonb_build_array(cut.turn, cut.tie) END);
        EXIT WHEN cut.is_last;
    END LOOP;
    RETURN cutoffs;
END $$;
COMMENT ON FUNCTION clientele._cutoffs(name, text, timestamptz, bigint) IS
    'By program whose budget does not last for all who would be enrolled in a run: the turn of the first customer who is not.';

-- Parameters are those of _pass_query().
CREATE FUNCTION clientele._cutoff_query(store name, program text, run bigint, cutoffs jsonb) RETURNS text
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill('
        WITH {budget}, decided AS MATERIALIZED (
            SELECT e.program, i.customer_id, i.customer, e.greatest_reward,
                CASE WHEN e.holdout IS NULL THEN clientele._greatest_cost(e.reward, e.tiers) ELSE 0 END AS reward
            FROM {decisions} WHERE e.program IN (SELECT b.program FROM budget b) AND {wanted}
        ), scarce AS MATERIALIZED (
            SELECT d.program, b.remaining, b.seed, p.priority
            FROM decided d JOIN budget b ON b.program = d.program JOIN {store}.programs p ON p.program = d.program
            WHERE NOT $5 ? d.program GROUP BY d.program, b.remaining, b.seed, p.priority
            HAVING sum(d.reward) + max(d.greatest_reward) > b.remaining ORDER BY p.priority LIMIT 1
        ), turns AS (
            SELECT d.*, s.remaining, clientele.bucket(s.seed, d.customer) AS turn, clientele.bucket(s.seed || '':tie'', d.customer) AS tie
            FROM scarce s JOIN decided d ON d.program = s.program
        ), spending AS (
            SELECT t.turn, t.tie, t.greatest_reward > t.remaining - coalesce(sum(t.reward) OVER earlier, 0) AS too_dear FROM turns t
            WINDOW earlier AS (ORDER BY t.turn, t.tie, t.customer_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        ), cutoff AS (
            SELECT f.turn, f.tie FROM spending f WHERE f.too_dear ORDER BY f.turn, f.tie LIMIT 1)
        SELECT s.program, c.turn, c.tie, $1 IS NOT NULL
            OR NOT EXISTS (SELECT FROM {store}.programs p WHERE p.priority > s.priority AND p.budget IS NOT NULL) AS is_last
        FROM scarce s LEFT JOIN cutoff c ON true',
        'budget', clientele._budget_query(store, run), 'decisions', clientele._decisions(store, cutoffs),
        'wanted', clientele._wanted('e', program), 'store', quote_ident(store))
$$;
COMMENT ON FUNCTION clientele._cutoff_query(name, text, bigint, jsonb) IS
    'The query for the first program, by priority, whose budget may not last, of those that cutoffs does not have yet; and the turn of '
    'the first customer who gets nothing.';

-- What is left, and in which order it is spent: each run draws anew, so that nobody is always the last one.
CREATE FUNCTION clientele._budget_query(store name, run bigint) RETURNS text
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('budget AS MATERIALIZED (
            SELECT b.program, sum(b.available) AS remaining, array_agg(b.slot ORDER BY b.slot) AS slots,
                format(''%%s:%%s:%%s'', clientele._seed(%1$L), b.program, %2$s) AS seed,
                ($5 -> b.program ->> 0)::double precision AS turn, ($5 -> b.program ->> 1)::double precision AS tie
            FROM %1$I.budgets b GROUP BY b.program)', store, run)
$$;
COMMENT ON FUNCTION clientele._budget_query(name, bigint) IS
    'What is left of each budget, and what a run knows of it: the seed SEED:PROGRAM:RUN of the order in which customers are enrolled, '
    'and the turn from which nobody is.';

-- A customer's turn is bucket(SEED:PROGRAM:RUN, customer); of two who share it, a second hash decides.
CREATE FUNCTION clientele._decisions(store name, cutoffs jsonb) RETURNS text
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill('{store}._offer_inputs_between($3::{key}, $4::{key}) i
            CROSS JOIN LATERAL clientele._enrol({store}._offer_book(),
                CASE WHEN coalesce((i.history[cardinality(i.history)]).issued_at < $2, true)
                    AND coalesce(NOT {ordered_since}, true) THEN i.input END, NULL,
                (SELECT array_agg(ROW(b.program, {remaining})::clientele.offer_budget) FROM budget b)) e',
        'store', quote_ident(store), 'key', clientele._key_type(store)::text,
        'ordered_since', clientele._placed_since(store, 'i.last_ordered_at', '$2'),
        'remaining', CASE WHEN jsonb_path_exists(cutoffs, '$.* ? (@ != null)') THEN 'CASE WHEN b.turn IS NULL
                    OR (clientele.bucket(b.seed, i.customer), clientele.bucket(b.seed || '':tie'', i.customer)) < (b.turn, b.tie)
                    THEN b.remaining ELSE 0 END'
             ELSE 'b.remaining' END)
$$;
COMMENT ON FUNCTION clientele._decisions(name, jsonb) IS
    'What a run decides (e) for customers (i) between two keys: nothing for who has an exposure that is open, or one or an order since '
    'the run '
    'began; and nothing of a budget that ends before their turn.';

CREATE FUNCTION clientele._wanted(decision text, program text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN decision || '.program ' || CASE WHEN program IS NULL THEN 'IS NOT NULL' ELSE '= $1' END;
COMMENT ON FUNCTION clientele._wanted(text, text) IS 'Whether a decision is of the program that is issued, as an SQL expression.';

-- Concurrent runs take the next chunk each, because they lock the campaign. Returns whether there is another chunk.
CREATE FUNCTION clientele._continue_campaign(store name, program text, ends text[]) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    campaign record;
    upto text;
    counts record;
BEGIN
    PERFORM clientele._share_sources(store);
    EXECUTE format('SELECT c.* FROM %I.campaigns c WHERE c.program = $1 FOR UPDATE', store) USING coalesce(program, '') INTO campaign;
    IF campaign.ended_at IS NULL THEN
        EXECUTE format('SELECT e.customer FROM unnest($1) WITH ORDINALITY e (customer, n) WHERE %s ORDER BY e.n LIMIT 1',
            CASE WHEN campaign.last_customer IS NULL THEN 'true'
                 ELSE format('e.customer::%s%s > %s', clientele._key_type(store), clientele._key_collation(store),
                     clientele._key_literal(store, campaign.last_customer)) END) USING ends INTO upto;
        SELECT * INTO counts FROM clientele._issue_between(store, program, campaign.last_customer, upto, campaign.started_at, campaign.run,
            campaign.cutoffs);
        EXECUTE format('
            UPDATE %I.campaigns c SET (last_customer, customers, offered, held_out, ended_at)
                = ($2, c.customers + $3, c.offered + $4, c.held_out + $5, CASE WHEN $2 IS NULL THEN clock_timestamp() END)
            WHERE c.program = $1 RETURNING c.*', store)
            USING coalesce(program, ''), upto, counts.customers, counts.offered, counts.held_out INTO campaign;
    END IF;
    IF campaign.ended_at IS NOT NULL THEN
        PERFORM clientele._note_budgets(store);
        PERFORM clientele._note_comparisons(store, unless_within => '1 day');  -- settling looks each time
        RAISE NOTICE 'store %: % customers, % offers issued, % held out%', quote_ident(store), campaign.customers, campaign.offered,
            campaign.held_out, CASE WHEN campaign.started_at < statement_timestamp()
                THEN format('; went on with the run begun at %s', campaign.started_at) ELSE '' END;
    END IF;
    RETURN campaign.ended_at IS NULL;
END $$;
COMMENT ON FUNCTION clientele._continue_campaign(name, text, text[]) IS
    'The next chunk of a run of issue_offers(), up to the next of these keys; beyond the last of them, all others.';

CREATE FUNCTION clientele._settle_budgets(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    budgeted text;
BEGIN
    FOR budgeted IN EXECUTE format('SELECT DISTINCT b.program FROM %I.budgets b ORDER BY b.program', store) LOOP
        WHILE clientele._settle_due(store, budgeted, 50000) > 0 LOOP
        END LOOP;
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._settle_budgets(name) IS
    'Settles what is due of all programs that have a budget, so that all that can be promised is there: who gets an offer of one program '
    'depends on what is left of the others.';

CREATE FUNCTION clientele._lock_budgets(store name, only_program text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('SELECT FROM %I.budgets b WHERE $1 IS NULL OR b.program = $1 ORDER BY b.program, b.slot FOR NO KEY UPDATE', store)
        USING only_program;
END $$;
COMMENT ON FUNCTION clientele._lock_budgets(name, text) IS 'Locks the slots of a program''s budget (NULL: of all), in their order.';

-- Another pass is due where somebody else issued to a customer meanwhile, or a new code was taken by chance: a careful one,
-- for which PostgreSQL looks into all unique indexes before it writes a row, which takes a third longer. And one is due
-- from the first customer on for whom a budget is too small, by what is left of it then.
CREATE FUNCTION clientele._issue_between(store name, program text, above text, upto text, started_at timestamptz, run bigint, cutoffs jsonb,
        OUT customers bigint, OUT offered bigint, OUT held_out bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
    careful boolean := false;
    passes integer := 0;
    has_budgets boolean;
    pass record;
BEGIN
    customers := 0;
    offered := 0;
    held_out := 0;
    -- Before the book is read: whoever gives a program its first budget waits until all that was issued without one is written.
    EXECUTE format('LOCK TABLE %I.ledger IN ROW EXCLUSIVE MODE', store);
    PERFORM clientele._lock_budgets(store, program);
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.budgets)', store) INTO has_budgets;
    LOOP
        BEGIN
            EXECUTE clientele._pass_query(store, program, has_budgets, careful, run, cutoffs)
                USING program, started_at, above, upto, cutoffs INTO pass;
        EXCEPTION WHEN unique_violation THEN
            careful := true;
            CONTINUE;
        END;
        offered := offered + pass.offered;
        held_out := held_out + pass.held_out;
        PERFORM clientele._take(store, t.program, t.reward) FROM unnest(pass.programs, pass.rewards) t (program, reward) WHERE t.reward > 0;
        passes := passes + 1;
        CONTINUE WHEN pass.missed > 0 AND passes < 10;
        customers := customers + pass.customers;
        EXIT WHEN pass.stopped_after IS NULL;
        above := pass.stopped_after;
        passes := 0;
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._issue_between(name, text, text, text, timestamptz, bigint, jsonb) IS
    'Issues to the customers above one key up to another (NULL: without bound), except who was issued something since started_at. '
    'Returns how many there are, and what became of them.';

CREATE FUNCTION clientele._take(store name, program text, reward numeric) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    remaining numeric;
BEGIN
    EXECUTE format('SELECT sum(b.available) - $2 FROM %I.budgets b WHERE b.program = $1', store) INTO remaining USING program, reward;
    PERFORM clientele._spread_over_slots(store, program, remaining);
END $$;
COMMENT ON FUNCTION clientele._take(name, text, numeric) IS
    'Takes rewards from a budget whose slots are locked, and spreads what is left over them evenly.';

CREATE FUNCTION clientele._budget_terms(has_budgets boolean, INOUT wanted text, OUT before text, OUT slot text, OUT stop text,
    OUT spent text)
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT has_budgets THEN
        before := 'true';
        slot := 'NULL::integer';
        spent := 'NULL::text AS stopped_after, NULL::text[] AS programs, NULL::numeric[] AS rewards';
        RETURN;
    END IF;
    before := 'coalesce(d.customer_id < (SELECT s.customer_id FROM stop s), true)';
    -- Any slot does.
    slot := 'CASE WHEN d.holdout IS NULL THEN
        (SELECT b.slots[1 + floor(random() * cardinality(b.slots))::integer] FROM budget b WHERE b.program = d.program) END';
    stop := clientele._fill('
        spending AS (
            SELECT d.customer_id, d.greatest_reward > b.remaining
                - coalesce(sum(CASE WHEN d.holdout IS NULL THEN clientele._greatest_cost(d.reward, d.tiers) ELSE 0 END)
                    OVER earlier, 0) AS too_dear
            FROM decided d JOIN budget b ON b.program = d.program WHERE {wanted}
            WINDOW earlier AS (PARTITION BY d.program ORDER BY d.customer_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        ), stop AS MATERIALIZED (
            SELECT s.customer_id FROM spending s WHERE s.too_dear ORDER BY s.customer_id LIMIT 1
        ),', 'wanted', wanted);
    spent := clientele._fill('
        (SELECT d.customer_id::text FROM decided d WHERE {before} AND EXISTS (SELECT FROM stop)
            ORDER BY d.customer_id DESC LIMIT 1) AS stopped_after,
        (SELECT array_agg(b.program ORDER BY b.program) FROM budget b) AS programs,
        (SELECT array_agg((SELECT coalesce(sum(n.reward), 0) FROM issued n WHERE n.program = b.program AND n.holdout IS NULL)
            ORDER BY b.program) FROM budget b) AS rewards', 'before', before);
END $$;
COMMENT ON FUNCTION clientele._budget_terms(boolean, text) IS
    'The parts of _pass_query() that are about budgets: which customers come before the first one for whom too little is left, the slot of '
    'a reward, how that customer is found, and what was taken of which budget.';

-- $1: the program or NULL; $2: when the run started; $3, $4: the keys; $5: the cutoffs. Rows stay in the order of the keys,
-- in which all who issue write them.
CREATE FUNCTION clientele._pass_query(store name, program text, has_budgets boolean, careful boolean, run bigint, cutoffs jsonb)
    RETURNS text
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill('
        WITH {budget}, decided AS MATERIALIZED (
            SELECT i.customer_id{collation} AS customer_id, i.as_of, coalesce(i.last_period, 0) + 1 AS period, e.*
            FROM {decisions} ORDER BY 1
        ), {stop} seen AS (
            SELECT count(*) AS customers, count(*) FILTER (WHERE {wanted}) AS affordable FROM decided d WHERE {before}
        ), issued AS (
            {insertion} {carefully} RETURNING l.program, l.holdout, COALESCE(l.cost, l.reward) AS reward)
        SELECT count(*) FILTER (WHERE n.holdout IS NULL) AS offered, count(*) FILTER (WHERE n.holdout IS NOT NULL) AS held_out,
            (SELECT e.affordable FROM seen e) - count(*) AS missed, (SELECT e.customers FROM seen e) AS customers, {spent} FROM issued n',
        'budget', clientele._budget_query(store, run), 'decisions', clientele._decisions(store, cutoffs),
        'wanted', wanted, 'before', before, 'collation', clientele._key_collation(store),
        'insertion', clientele._ledger_insertion(format('%I.ledger', store), format('(
                SELECT d.*, (SELECT jsonb_object_agg(m.kind, m.version) FROM %I.models m WHERE m.in_use) AS models, %s AS slot
                FROM decided d WHERE %s AND %s)', store, slot, wanted, before)),
        'carefully', CASE WHEN careful THEN 'ON CONFLICT DO NOTHING' END, 'stop', stop, 'spent', spent)
    FROM clientele._budget_terms(has_budgets, clientele._wanted('d', program))
$$;
COMMENT ON FUNCTION clientele._pass_query(name, text, boolean, boolean, bigint, jsonb) IS
    'The statement that decides for the customers above one key up to another, and writes down what it decided: in the order of the '
    'keys, until a budget is too small for either arm (which others have used meanwhile).';
