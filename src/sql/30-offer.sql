
-- Offers: the ladder, and the decision from a book of programs, a profile and a segment.

CREATE FUNCTION clientele.stretch_threshold(typical pg_catalog.numeric, stretch pg_catalog.numeric DEFAULT 1.4)
    RETURNS pg_catalog.numeric
    AS 'MODULE_PATHNAME', 'clientele_stretch_threshold' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.stretch_threshold(pg_catalog.numeric, pg_catalog.numeric) IS
    'The smallest rung of the ladder at or above stretch times typical, decided exactly: 50 gives 70, 35.71 gives 50, 35.72 gives 60. In '
    'whole units of the currency. The ladder: 1, 2, ... 10; from 10 to 30 by 5; from 30 to 100 by 10; from 100 to 200 by 25; from 200 to '
    '500 by 50; from 500 to 1,000 by 100; above, 100 to 1,000 repeats in each decade. Zero gives 1; NULL gives NULL. A negative, NaN or '
    'infinite amount, a stretch not above 1, and a product above 10^15 are errors.';

CREATE FUNCTION clientele.ladder_rung(value pg_catalog.numeric) RETURNS pg_catalog.numeric
    AS 'MODULE_PATHNAME', 'clientele_ladder_rung' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.ladder_rung(pg_catalog.numeric) IS
    'The smallest rung of the ladder of stretch_threshold at or above a value, in whole units of the currency. Zero gives 1; NULL gives '
    'NULL. A negative, NaN or infinite value and one above 10^15 are errors.';

CREATE TYPE clientele.reference_value AS (
    basis pg_catalog.text,
    value pg_catalog.numeric
);
COMMENT ON TYPE clientele.reference_value IS
    'What offers to a customer without orders start from: basis segment or store (whose median it is), and the median itself, from 0 to '
    'below 10^13. '
    'For one with one or two orders: basis recent, and the most that the last of them counts for. NULL in either, or a value of 0: there '
    'is none.';

CREATE TYPE clientele.offer AS (
    program pg_catalog.text,
    segment pg_catalog.text,
    basis pg_catalog.text,
    reference_value pg_catalog.numeric,
    min_spend pg_catalog.numeric,
    reward pg_catalog.numeric,
    reward_kind pg_catalog.text,
    currency pg_catalog.text,
    message pg_catalog.text,
    valid_until pg_catalog.timestamptz,
    variant pg_catalog.text,
    propensity pg_catalog.float8,
    expected_profit pg_catalog.numeric,
    reasons pg_catalog.text[],
    disclosure pg_catalog.text,
    last_day pg_catalog.date,
    tiers pg_catalog.jsonb
);
COMMENT ON TYPE clientele.offer IS 'One personal offer: spend min_spend or more before valid_until and get reward off.';
COMMENT ON COLUMN clientele.offer.valid_until IS
    'The first instant at which it no longer holds: where valid_for is whole days, the beginning of a day in the store''s time zone; '
    'else valid_for after it was made.';
COMMENT ON COLUMN clientele.offer.last_day IS
    'The last day on which it holds, in the store''s time zone; what {valid_until} in a message shows.';
COMMENT ON COLUMN clientele.offer.basis IS
    'recent (the last order), typical (median of the last 8), segment or store (median of its customers).';
COMMENT ON COLUMN clientele.offer.reference_value IS 'The amount that the offer starts from, in the currency.';
COMMENT ON COLUMN clientele.offer.reward_kind IS
    'amount_off: reward is an amount in the currency, taken off the order. percent_off: a share of the order is, and reward is what that '
    'comes to at min_spend. free_shipping, gift: reward is what it costs the shop.';
COMMENT ON COLUMN clientele.offer.tiers IS
    'Where an order of more is given more: an array of objects with min_spend and reward, the first of which is that of the columns; of '
    'percent_off with reward_rate, the share of the order, and reward_cap, the most that it gives. NULL: the reward is all there is.';

-- ---- What an order is given ----

CREATE FUNCTION clientele._greatest_cost(reward pg_catalog.numeric, tiers pg_catalog.jsonb) RETURNS pg_catalog.numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN tiers IS NULL THEN reward
        ELSE coalesce((tiers -> -1 ->> 'reward_cap')::numeric, (tiers -> -1 ->> 'reward')::numeric) END;
COMMENT ON FUNCTION clientele._greatest_cost(pg_catalog.numeric, pg_catalog.jsonb) IS
    'The most that an offer of this reward and these tiers can cost, which is what a budget reserves.';
CREATE FUNCTION clientele._reward_for(reward pg_catalog.numeric, tiers pg_catalog.jsonb, order_value pg_catalog.numeric,
    currency pg_catalog.text) RETURNS pg_catalog.numeric
    AS 'MODULE_PATHNAME', 'clientele_reward_for' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._reward_for(pg_catalog.numeric, pg_catalog.jsonb, pg_catalog.numeric, pg_catalog.text) IS
    'What an order of this value is given by the highest tier that it reaches, in the currency; the reward where there are no tiers.';
COMMENT ON COLUMN clientele.offer.variant IS
    'The arm that the customer is in: its name, or its place from 0; default where the program has no arms.';
COMMENT ON COLUMN clientele.offer.propensity IS
    'The probability of this decision: (1 - the store''s global holdout) x (1 - the program''s holdout) x the weight of the arm x (1 - the '
    'share that explores), or that share by the number of combinations.';
COMMENT ON COLUMN clientele.offer.expected_profit IS
    'What the offer is expected to bring in, in the currency: where its terms are learned, this customer; else by the book''s estimates '
    'for the segment and variant. NULL until it has been estimated from data.';
COMMENT ON COLUMN clientele.offer.reasons IS
    'Stable codes of why the offer is as it is; one_rung_up: the threshold was limited to one rung above the last that was asked for. Of '
    'win_back, where the store has a purchase model, also p_alive=... and median_days_between_orders=... with their values.';

CREATE FUNCTION clientele._columns_of(type pg_catalog.regclass, prefix pg_catalog.text, without pg_catalog.text[] DEFAULT '{}')
    RETURNS pg_catalog.text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(prefix || quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
    WHERE a.attrelid = type AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ALL (without)
$$;
COMMENT ON FUNCTION clientele._columns_of(pg_catalog.regclass, pg_catalog.text, pg_catalog.text[]) IS
    'The columns of a composite type, in their order, for a statement that is generated: each behind the prefix.';

CREATE FUNCTION clientele._offer_definitions(without pg_catalog.text[]) RETURNS pg_catalog.text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY a.attnum) FROM pg_attribute a
    WHERE a.attrelid = 'clientele.offer'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ALL (without)
$$;
COMMENT ON FUNCTION clientele._offer_definitions(pg_catalog.text[]) IS
    'The columns of the type offer with their types, for the definition of what has them, too.';

-- What else tells of an offer has its columns, in its order.
DO $$ BEGIN
    EXECUTE pg_catalog.format('CREATE TYPE clientele.offer_decision AS (
        priority pg_catalog.int4, program pg_catalog.text, status pg_catalog.text, reasons pg_catalog.text[], %s,
        expected_profit_low pg_catalog.numeric)',
        clientele._offer_definitions('{program,reasons}'));
    EXECUTE pg_catalog.format('CREATE TYPE clientele.enrolment AS (
        program pg_catalog.text, program_version pg_catalog.int4, holdout pg_catalog.text, global_holdout pg_catalog.float8,
        margin pg_catalog.numeric, log_mean pg_catalog.float8, log_sd pg_catalog.float8, drawn_stretch pg_catalog.numeric,
        drawn_reward_rate pg_catalog.numeric, %s)',
        pg_catalog.replace(clientele._offer_definitions('{program,last_day}'),
            'reward numeric', 'reward numeric, greatest_reward pg_catalog.numeric'));
END $$;
COMMENT ON TYPE clientele.offer_decision IS
    'What was decided for one customer and one program, and what the offer is or would be wherever it can be computed.';
COMMENT ON COLUMN clientele.offer_decision.status IS 'offered, held_out or refused.';
COMMENT ON COLUMN clientele.offer_decision.reasons IS
    'Stable codes. Of offered: the basis, the occasion, what bounds the reward and the threshold; of held_out: held_out (of the program) '
    'or held_out_globally; of refused: all that speaks against it (limit_reached, cooling_down, outgrown, budget_exhausted, ...), or '
    'outranked alone. Of win_back also p_alive=... and median_days_between_orders=..., where the store has a purchase model.';
COMMENT ON COLUMN clientele.offer_decision.propensity IS
    'The probability of what was decided, with g the store''s global holdout and h that of the program: (1 - g) x (1 - h) x the weight '
    'of the arm if offered, (1 - g) x h if held out of the program, g if held out globally, 1 if refused.';

COMMENT ON COLUMN clientele.offer_decision.expected_profit_low IS
    'What learned terms are expected to bring in at least, with 80 % certainty, in the currency. NULL of others.';

CREATE TYPE clientele.past_exposure AS (
    program pg_catalog.text,
    issued_at pg_catalog.timestamptz,
    min_spend pg_catalog.numeric,
    void pg_catalog.bool
);
COMMENT ON TYPE clientele.past_exposure IS
    'What limits need to know of an offer that was issued to a customer, or that they were held out of.';
COMMENT ON COLUMN clientele.past_exposure.program IS
    'Whose offer it was, by name; never NULL. One that is not in the book limits the next threshold alone.';
COMMENT ON COLUMN clientele.past_exposure.issued_at IS 'When it was issued; finite, never NULL.';
COMMENT ON COLUMN clientele.past_exposure.min_spend IS
    'What it asked for, from 0 to 10^15 in the currency, whether a rung of the ladder or not. NULL: it does not limit the next threshold.';
COMMENT ON COLUMN clientele.past_exposure.void IS
    'true: voided, so that it counts neither against max_per_customer nor for the cooldown; it still limits the next threshold.';

CREATE TYPE clientele.offer_budget AS (
    program pg_catalog.text,
    remaining pg_catalog.numeric
);
COMMENT ON TYPE clientele.offer_budget IS 'What is left of the budget of a program.';
COMMENT ON COLUMN clientele.offer_budget.program IS
    'The program, by name; never NULL. One that is not in the book, or has no budget there, limits nothing.';
COMMENT ON COLUMN clientele.offer_budget.remaining IS
    'What can still be promised, below 10^13 in the currency; negative: nothing. NULL, or no such row: the whole budget of the book.';

COMMENT ON TYPE clientele.enrolment IS
    'What is written down of a customer who is offered something, or held out: then as what would have been offered.';
COMMENT ON COLUMN clientele.enrolment.holdout IS
    'program or global, by which the customer is held out (global comes first); NULL: offered.';
COMMENT ON COLUMN clientele.enrolment.global_holdout IS 'The share that the store holds out of everything.';
COMMENT ON COLUMN clientele.enrolment.margin IS 'The customer''s contribution margin: see customer_margin().';
COMMENT ON COLUMN clientele.enrolment.log_mean IS
    'With log_sd what the logarithm of the next order was expected to be without an offer: see log_value_mean(). NULL: not known.';
COMMENT ON COLUMN clientele.enrolment.drawn_stretch IS
    'With drawn_reward_rate the terms, where these were drawn at random: of one arm of several. NULL: they follow from the customer.';
COMMENT ON COLUMN clientele.enrolment.greatest_reward IS
    'The greatest reward of the program''s arms: what the budget must have left, whichever arm was drawn.';

CREATE TYPE clientele.open_exposure AS (
    exposure_id pg_catalog.int8,
    program pg_catalog.text,
    holdout pg_catalog.text,
    valid_until pg_catalog.timestamptz,
    terms clientele.offer,
    code pg_catalog.text
);
COMMENT ON TYPE clientele.open_exposure IS
    'An exposure of a customer that is open: they have the offer of these terms or (holdout) are held out of it, and get no other.';

CREATE TYPE clientele.offer_input AS (
    customer pg_catalog.text,
    segment pg_catalog.text,
    profile clientele.order_profile,
    fallback clientele.reference_value,
    as_of pg_catalog.timestamptz,
    history clientele.past_exposure[],
    open clientele.open_exposure,
    category_mix pg_catalog.jsonb,
    prior clientele.value_prior,
    season pg_catalog.float8,
    no_consent pg_catalog.text[]
);
COMMENT ON TYPE clientele.offer_input IS
    'What is known of a customer where an offer is decided; the columns are the arguments of decide_offer() of these names. '
    'open: the exposure that is open; NULL: none. prior: how the order values of the store''s customers differ; NULL: not known. '
    'season: what the logarithms of orders are above that now; NULL: nothing. '
    'no_consent: programs whose consent the customer has not given, an empty name for all of them; NULL: none is asked for.';

CREATE FUNCTION clientele.decide_offer(book pg_catalog.jsonb, customer pg_catalog.text, segment pg_catalog.text,
    profile clientele.order_profile, fallback clientele.reference_value, as_of pg_catalog.timestamptz,
    program pg_catalog.text DEFAULT NULL, history clientele.past_exposure[] DEFAULT NULL,
    budgets clientele.offer_budget[] DEFAULT NULL, category_mix pg_catalog.jsonb DEFAULT NULL,
    prior clientele.value_prior DEFAULT NULL, season pg_catalog.float8 DEFAULT NULL) RETURNS clientele.offer
    AS 'MODULE_PATHNAME', 'clientele_decide_offer' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clientele.decide_offer(pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, clientele.order_profile,
    clientele.reference_value, pg_catalog.timestamptz, pg_catalog.text, clientele.past_exposure[], clientele.offer_budget[],
    pg_catalog.jsonb, clientele.value_prior, pg_catalog.float8) IS
    'The customer''s offer from a store''s book of programs (its _offer_book()), or NULL: of the programs that the customer is eligible '
    'for, that of the lowest priority number wins; whom the store (global_holdout) or the program (holdout) holds out, gets nothing. '
    'Whether a customer is eligible does not depend on the arm that they are in: every arm of the program that has a weight must have a '
    'reward for them. customer is the key as text; profile is NULL without orders; fallback is the reference value of a customer without '
    'orders. program restricts the offer to that one, still only if the winner does not hold the customer out; one that is not in the '
    'book is an error. history is what the customer was issued before, in any order (NULL: nothing), budgets what is left of the '
    'programs'' budgets (NULL: all), prior what fit_value_prior() gives of the store''s profiles (NULL: not known, and no offer where '
    'terms are by the spread of the own orders), season what the logarithms of orders are above that now (NULL: 0). '
    'By history and budgets a program is refused: limit_reached (max_per_customer exposures that are not void), '
    'cooling_down (less than cooldown since the last of those was issued, counted in the store''s time zone), budget_exhausted (less is '
    'left than the greatest reward of the program''s arms) or outgrown (the threshold is at most one rung above that of the last '
    'exposure of any program, void or not, within 180 days; where that leaves nothing to ask for, there is no offer). An element that is '
    'NULL or lacks program or issued_at, a min_spend or remaining outside its range, and an array of several dimensions are errors. '
    'category_mix is what the customer spent by category, which a book with margins by category needs (see customer_margin). A '
    'NULL book, customer or as_of gives NULL; as_of must be finite; an invalid book is an error.';

CREATE FUNCTION clientele.decide_programs(book pg_catalog.jsonb, customer pg_catalog.text, segment pg_catalog.text,
    profile clientele.order_profile, fallback clientele.reference_value, as_of pg_catalog.timestamptz,
    history clientele.past_exposure[] DEFAULT NULL, budgets clientele.offer_budget[] DEFAULT NULL,
    category_mix pg_catalog.jsonb DEFAULT NULL, prior clientele.value_prior DEFAULT NULL, season pg_catalog.float8 DEFAULT NULL)
    RETURNS SETOF clientele.offer_decision
    AS 'MODULE_PATHNAME', 'clientele_decide_programs' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 300 ROWS 3;
COMMENT ON FUNCTION clientele.decide_programs(pg_catalog.jsonb, pg_catalog.text, pg_catalog.text,
    clientele.order_profile, clientele.reference_value, pg_catalog.timestamptz, clientele.past_exposure[], clientele.offer_budget[],
    pg_catalog.jsonb, clientele.value_prior, pg_catalog.float8) IS
    'The decision of every program of the book about one customer, in the order of priority. Held-out customers are shown what they '
    'would be offered, in their arm. Arguments and errors as for decide_offer; a NULL book, customer or as_of gives no row.';

CREATE FUNCTION clientele.explain_programs(book pg_catalog.jsonb, customer pg_catalog.text, segment pg_catalog.text,
    profile clientele.order_profile, fallback clientele.reference_value, as_of pg_catalog.timestamptz,
    history clientele.past_exposure[] DEFAULT NULL, budgets clientele.offer_budget[] DEFAULT NULL,
    category_mix pg_catalog.jsonb DEFAULT NULL, prior clientele.value_prior DEFAULT NULL, season pg_catalog.float8 DEFAULT NULL)
    RETURNS TABLE (priority pg_catalog.int4, program pg_catalog.text, status pg_catalog.text,
        reasons pg_catalog.text[], break_even_share pg_catalog.float8, explanation pg_catalog.text)
    AS 'MODULE_PATHNAME', 'clientele_decide_programs' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 300 ROWS 3;
COMMENT ON FUNCTION clientele.explain_programs(pg_catalog.jsonb, pg_catalog.text, pg_catalog.text,
    clientele.order_profile, clientele.reference_value, pg_catalog.timestamptz, clientele.past_exposure[], clientele.offer_budget[],
    pg_catalog.jsonb, clientele.value_prior, pg_catalog.float8) IS
    'The decision of every program of the book about one customer, in words: the values found, the limits, and from which reference '
    'value more would be asked. break_even_share is the share of redeemers, from 0 to 1, who must spend only because of the offer for it '
    'to break even, by the response of the book; without one it is at least that much, by how the customer''s orders spread. '
    'NULL where there is no reward, or prior is NULL. Arguments and errors as for decide_programs.';

CREATE FUNCTION clientele._enrol(book pg_catalog.jsonb, customer pg_catalog.text, segment pg_catalog.text,
    profile clientele.order_profile, fallback clientele.reference_value, as_of pg_catalog.timestamptz,
    program pg_catalog.text, history clientele.past_exposure[], budgets clientele.offer_budget[],
    category_mix pg_catalog.jsonb DEFAULT NULL, prior clientele.value_prior DEFAULT NULL,
    season pg_catalog.float8 DEFAULT NULL) RETURNS clientele.enrolment
    AS 'MODULE_PATHNAME', 'clientele_enrol' LANGUAGE C VOLATILE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clientele._enrol(pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, clientele.order_profile,
    clientele.reference_value, pg_catalog.timestamptz, pg_catalog.text, clientele.past_exposure[], clientele.offer_budget[],
    pg_catalog.jsonb, clientele.value_prior, pg_catalog.float8) IS
    'What decide_offer() decides, for the ledger: with the version of the program, and also where the customer is held out. NULL where '
    'nothing is offered or held out. Arguments and errors as for decide_offer. VOLATILE, so that it is computed once a row.';

-- ---- What stores decide by: of a row of offer_input ----

-- Planners merge a sub-query into what is around it and would then compute an IMMUTABLE row once for each of its columns; of a
-- VOLATILE one they don't.
CREATE FUNCTION clientele._decide(book pg_catalog.jsonb, input clientele.offer_input, program pg_catalog.text,
    budgets clientele.offer_budget[]) RETURNS clientele.offer
    AS 'MODULE_PATHNAME', 'clientele_decide_offer' LANGUAGE C VOLATILE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clientele._decide(pg_catalog.jsonb, clientele.offer_input, pg_catalog.text, clientele.offer_budget[]) IS
    'What decide_offer() decides; where an exposure is open, its terms: NULL for who is held out, or asks for another program. '
    'Computed once a row however many of its columns are read.';

CREATE FUNCTION clientele._enrol(book pg_catalog.jsonb, input clientele.offer_input, program pg_catalog.text,
    budgets clientele.offer_budget[]) RETURNS clientele.enrolment
    AS 'MODULE_PATHNAME', 'clientele_enrol' LANGUAGE C VOLATILE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clientele._enrol(pg_catalog.jsonb, clientele.offer_input, pg_catalog.text, clientele.offer_budget[]) IS
    'What _decide() decides, for the ledger: with the version of the program, and also where the customer is held out. '
    'NULL where nothing is offered or held out, or an exposure is open.';

CREATE FUNCTION clientele._decide_programs(book pg_catalog.jsonb, input clientele.offer_input, budgets clientele.offer_budget[])
    RETURNS SETOF clientele.offer_decision
    AS 'MODULE_PATHNAME', 'clientele_decide_programs' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 300 ROWS 3;
COMMENT ON FUNCTION clientele._decide_programs(pg_catalog.jsonb, clientele.offer_input, clientele.offer_budget[]) IS
    'decide_programs() of a row of offer_input. Of the program whose exposure is open, which comes last, what the ledger tells; '
    'the others are then refused.';

CREATE FUNCTION clientele._explain_programs(book pg_catalog.jsonb, input clientele.offer_input, budgets clientele.offer_budget[])
    RETURNS TABLE (priority pg_catalog.int4, program pg_catalog.text, status pg_catalog.text,
        reasons pg_catalog.text[], break_even_share pg_catalog.float8, explanation pg_catalog.text)
    AS 'MODULE_PATHNAME', 'clientele_decide_programs' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 300 ROWS 3;
COMMENT ON FUNCTION clientele._explain_programs(pg_catalog.jsonb, clientele.offer_input, clientele.offer_budget[]) IS
    'explain_programs() of a row of offer_input; without the program whose exposure is open, of which the ledger tells.';

CREATE FUNCTION clientele._break_even_share(book pg_catalog.jsonb, objective pg_catalog.text, segment pg_catalog.text,
    margin pg_catalog.numeric, log_mean pg_catalog.float8, log_sd pg_catalog.float8, season pg_catalog.float8,
    min_spend pg_catalog.numeric, reward pg_catalog.numeric, as_of pg_catalog.timestamptz) RETURNS pg_catalog.float8
    AS 'MODULE_PATHNAME', 'clientele_break_even_share' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._break_even_share(pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, pg_catalog.numeric,
    pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.numeric, pg_catalog.numeric, pg_catalog.timestamptz) IS
    'break_even_share of explain_programs(), of terms that were issued.';

CREATE TYPE clientele.response_point AS (
    min_spend pg_catalog.numeric,
    reward pg_catalog.numeric,
    natural_share pg_catalog.float8,
    raised_share pg_catalog.float8,
    profit pg_catalog.numeric,
    low pg_catalog.numeric,
    high pg_catalog.numeric,
    chosen pg_catalog.bool
);
COMMENT ON TYPE clientele.response_point IS
    'A row of response_curve(): what one threshold and reward would do with a customer.';

CREATE FUNCTION clientele._response_curve(book pg_catalog.jsonb, input clientele.offer_input) RETURNS SETOF clientele.response_point
    AS 'MODULE_PATHNAME', 'clientele_response_curve' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 30;
COMMENT ON FUNCTION clientele._response_curve(pg_catalog.jsonb, clientele.offer_input) IS
    'response_curve() of a row of offer_input; no row where the book has no response.';

CREATE FUNCTION clientele.customer_margin(book pg_catalog.jsonb, category_mix pg_catalog.jsonb, segment pg_catalog.text)
    RETURNS pg_catalog.numeric
    AS 'MODULE_PATHNAME', 'clientele_customer_margin' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clientele.customer_margin(pg_catalog.jsonb, pg_catalog.jsonb, pg_catalog.text) IS
    'The contribution margin of a customer by a book, from 0 to 1, rounded to six decimals: where it has margins by category, the mean of '
    'those of the categories, weighted with what was spent in each (a category without one has the book''s); without such spending that '
    'of the segment, else the book''s. Categories below zero count as zero. NULL without a book.';

CREATE FUNCTION clientele._has_category_margins(book pg_catalog.jsonb) RETURNS pg_catalog.bool
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN book OPERATOR(pg_catalog.?) 'margin_by_category';
COMMENT ON FUNCTION clientele._has_category_margins(pg_catalog.jsonb) IS
    'Whether a book has margins by category: if not, nobody reads category mixes to decide.';

CREATE FUNCTION clientele._has_budgets(book pg_catalog.jsonb) RETURNS pg_catalog.bool
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.jsonb_path_exists(book, '$.programs[*].budget ? (@ != null)');
COMMENT ON FUNCTION clientele._has_budgets(pg_catalog.jsonb) IS
    'Whether a program of the book has a budget. A store''s book is a constant to the planner, and so is this: what nobody asks for is '
    'not planned, opened or locked.';

CREATE FUNCTION clientele._typical_from_orders() RETURNS pg_catalog.int8
    AS 'MODULE_PATHNAME', 'clientele_typical_from_orders' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._typical_from_orders() IS
    'From so many orders on the median of the last 8 is what a customer usually spends; below, the last order counts.';
