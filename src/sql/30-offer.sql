
-- Offers: the ladder, and the decision from a book of programs, a profile and a segment.

CREATE FUNCTION clientele.stretch_threshold(typical pg_catalog.numeric, stretch pg_catalog.numeric DEFAULT 1.4)
    RETURNS pg_catalog.numeric
    AS 'MODULE_PATHNAME', 'clientele_stretch_threshold' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.stretch_threshold(pg_catalog.numeric, pg_catalog.numeric) IS
    'The smallest rung of the ladder at or above stretch times typical, decided exactly: 50 gives 70, 35.71 gives 50, 35.72 gives 60. In whole units of the currency. The ladder: 1, 2, ... 10; from 10 to 30 by 5; from 30 to 100 by 10; from 100 to 200 by 25; from 200 to 500 by 50; from 500 to 1,000 by 100; above, 100 to 1,000 repeats in each decade. Zero gives 1; NULL gives NULL. A negative, NaN or infinite amount, a stretch not above 1, and a product above 10^15 are errors.';

CREATE FUNCTION clientele.ladder_rung(value pg_catalog.numeric) RETURNS pg_catalog.numeric
    AS 'MODULE_PATHNAME', 'clientele_ladder_rung' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.ladder_rung(pg_catalog.numeric) IS
    'The smallest rung of the ladder of stretch_threshold at or above a value, in whole units of the currency. Zero gives 1; NULL gives NULL. A negative, NaN or infinite value and one above 10^15 are errors.';

CREATE TYPE clientele.reference_value AS (
    basis pg_catalog.text,
    value pg_catalog.numeric
);
COMMENT ON TYPE clientele.reference_value IS
    'What offers to a customer without orders start from: basis segment or store (whose median it is), and the median itself, from 0 to below 10^13. NULL in either, or a value of 0: there is none.';

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
    disclosure pg_catalog.text
);
COMMENT ON TYPE clientele.offer IS 'One personal offer: spend min_spend or more until valid_until and get reward off.';
COMMENT ON COLUMN clientele.offer.basis IS 'recent (the last order), typical (median of the last 8), segment or store (median of its customers).';
COMMENT ON COLUMN clientele.offer.reference_value IS 'The amount that the offer starts from, in the currency.';
COMMENT ON COLUMN clientele.offer.reward_kind IS 'amount_off: reward is an amount in the currency, taken off the order.';
COMMENT ON COLUMN clientele.offer.variant IS 'The arm of an experiment, or default.';
COMMENT ON COLUMN clientele.offer.propensity IS 'The probability of this decision: 1 less the holdout.';
COMMENT ON COLUMN clientele.offer.expected_profit IS 'NULL until it has been estimated from data.';
COMMENT ON COLUMN clientele.offer.reasons IS
    'Stable codes of why the offer is as it is; of win_back, where the store has a purchase model, also p_alive=... and median_days_between_orders=... with their values.';

CREATE TYPE clientele.offer_decision AS (
    priority pg_catalog.int4,
    program pg_catalog.text,
    status pg_catalog.text,
    reasons pg_catalog.text[],
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
    disclosure pg_catalog.text
);
COMMENT ON TYPE clientele.offer_decision IS
    'What was decided for one customer and one program, and what the offer is or would be wherever it can be computed.';
COMMENT ON COLUMN clientele.offer_decision.status IS 'offered, held_out or refused.';
COMMENT ON COLUMN clientele.offer_decision.reasons IS
    'Stable codes. Of offered: the basis, the occasion, what bounds the reward; of held_out: held_out; of refused: all that speaks against it, or outranked alone. Of win_back also p_alive=... and median_days_between_orders=..., where the store has a purchase model.';
COMMENT ON COLUMN clientele.offer_decision.propensity IS
    'The probability of what was decided: 1 less the holdout if offered, the holdout if held out, 1 if refused.';

CREATE FUNCTION clientele.decide_offer(book pg_catalog.jsonb, customer pg_catalog.text, segment pg_catalog.text,
    profile clientele.order_profile, fallback clientele.reference_value, as_of pg_catalog.timestamptz,
    program pg_catalog.text DEFAULT NULL) RETURNS clientele.offer
    AS 'MODULE_PATHNAME', 'clientele_decide_offer' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clientele.decide_offer(pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, clientele.order_profile,
    clientele.reference_value, pg_catalog.timestamptz, pg_catalog.text) IS
    'The customer''s offer from a store''s book of programs (its _offer_book()), or NULL: of the programs that the customer is eligible for, that of the lowest priority number wins; whom it holds out, gets nothing. customer is the key as text; profile is NULL without orders; fallback is the reference value of a customer without orders. program restricts the offer to that one, still only if the winner does not hold the customer out; one that is not in the book is an error. A NULL book, customer or as_of gives NULL; as_of must be finite; an invalid book is an error.';

-- decide_offer() for the stores' views. Planners merge a sub-query into what is around it and would then compute an
-- IMMUTABLE row once for each of its columns; of a VOLATILE one they don't.
CREATE FUNCTION clientele._decide_offer_once(book pg_catalog.jsonb, customer pg_catalog.text, segment pg_catalog.text,
    profile clientele.order_profile, fallback clientele.reference_value, as_of pg_catalog.timestamptz,
    program pg_catalog.text DEFAULT NULL) RETURNS clientele.offer
    AS 'MODULE_PATHNAME', 'clientele_decide_offer' LANGUAGE C VOLATILE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clientele._decide_offer_once(pg_catalog.jsonb, pg_catalog.text, pg_catalog.text, clientele.order_profile, clientele.reference_value, pg_catalog.timestamptz, pg_catalog.text) IS
    'decide_offer(), computed once a row however many of its columns are read.';

CREATE FUNCTION clientele.decide_programs(book pg_catalog.jsonb, customer pg_catalog.text, segment pg_catalog.text,
    profile clientele.order_profile, fallback clientele.reference_value, as_of pg_catalog.timestamptz)
    RETURNS SETOF clientele.offer_decision
    AS 'MODULE_PATHNAME', 'clientele_decide_programs' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 300 ROWS 3;
COMMENT ON FUNCTION clientele.decide_programs(pg_catalog.jsonb, pg_catalog.text, pg_catalog.text,
    clientele.order_profile, clientele.reference_value, pg_catalog.timestamptz) IS
    'The decision of every program of the book about one customer, in the order of priority. Arguments and errors as for decide_offer; a NULL book, customer or as_of gives no row.';

CREATE FUNCTION clientele.explain_programs(book pg_catalog.jsonb, customer pg_catalog.text, segment pg_catalog.text,
    profile clientele.order_profile, fallback clientele.reference_value, as_of pg_catalog.timestamptz)
    RETURNS TABLE (priority pg_catalog.int4, program pg_catalog.text, status pg_catalog.text,
        reasons pg_catalog.text[], break_even_share pg_catalog.float8, explanation pg_catalog.text)
    AS 'MODULE_PATHNAME', 'clientele_explain_programs' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 300 ROWS 3;
COMMENT ON FUNCTION clientele.explain_programs(pg_catalog.jsonb, pg_catalog.text, pg_catalog.text,
    clientele.order_profile, clientele.reference_value, pg_catalog.timestamptz) IS
    'The decision of every program of the book about one customer, in words: the values found, the limits, and from which reference value more would be asked. break_even_share is the share of redeemers, from 0 to 1, who must spend only because of the offer for it to break even; NULL where there is no reward. Arguments and errors as for decide_programs.';
