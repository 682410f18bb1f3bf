-- What a page that shows a basket asks for: how far it is from the customer's offer.

CREATE TYPE clientele.basket_progress AS (
    program text, min_spend numeric, reward numeric, gap numeric, qualifies boolean, message text, code text, valid_until timestamptz,
    next_min_spend numeric, next_reward numeric, next_gap numeric);
COMMENT ON TYPE clientele.basket_progress IS 'How far a basket is from what an offer asks for.';
COMMENT ON COLUMN clientele.basket_progress.reward IS
    'What an order of this value would be given, in the currency; below min_spend, what one of min_spend would be.';
COMMENT ON COLUMN clientele.basket_progress.next_min_spend IS
    'The next tier, once the basket qualifies: from which value on an order is given more, how much that is at least (next_reward), and '
    'what is missing to it (next_gap). NULL: there is none.';
COMMENT ON COLUMN clientele.basket_progress.gap IS
    'What is missing, in the currency, rounded up to its smallest unit: who adds that much has reached min_spend. 0: reached.';
COMMENT ON COLUMN clientele.basket_progress.qualifies IS 'Whether an order of this value would reach min_spend.';
COMMENT ON COLUMN clientele.basket_progress.message IS
    'What to show: what is missing, to the next tier where there are several, and what it brings; where nothing is missing, the message '
    'of the offer.';
COMMENT ON COLUMN clientele.basket_progress.code IS 'What redeems the offer; NULL where it has not been issued.';

CREATE FUNCTION clientele._progress(program text, min_spend numeric, reward numeric, currency text, message text, code text,
        valid_until timestamptz, segment text, last_day date, progress_message text, basket_value numeric, reward_kind text,
        gift text, tiers jsonb) RETURNS clientele.basket_progress
    AS 'MODULE_PATHNAME', 'clientele_progress' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clientele._progress(text, numeric, numeric, text, text, text, timestamptz, text, date, text, numeric, text,
    text, jsonb) IS
    'How far a basket is from an offer, of which code, segment, gift and tiers may be NULL; progress_message NULL: a plain one.';

CREATE FUNCTION clientele.offer_progress(customer bigint, basket_value numeric, store name DEFAULT NULL, unissued boolean DEFAULT false)
    RETURNS SETOF clientele.basket_progress
    AS 'MODULE_PATHNAME', 'clientele_offer_progress' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 1;
CREATE FUNCTION clientele.offer_progress(customer uuid, basket_value numeric, store name DEFAULT NULL, unissued boolean DEFAULT false)
    RETURNS SETOF clientele.basket_progress
    AS 'MODULE_PATHNAME', 'clientele_offer_progress' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 1;
CREATE FUNCTION clientele.offer_progress(customer text, basket_value numeric, store name DEFAULT NULL, unissued boolean DEFAULT false)
    RETURNS SETOF clientele.basket_progress
    AS 'MODULE_PATHNAME', 'clientele_offer_progress' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 1;
CALL clientele._comment_on_overloads('offer_progress({key}, numeric, name, boolean)',
    'How far a basket of this value is from the offer that was issued to the customer: one row, or none. basket_value: what the order '
    'would be worth as the store values it, before discounts; NULL and negative ones are errors. '
    'unissued: where none was issued, of what personalized_offer() says; for previews alone, since what is shown and not written down '
    'spoils every comparison. NULL and unknown customers have none. Reading it writes nothing.');

CREATE FUNCTION clientele._code_progress(code text, basket_value numeric, store name) RETURNS SETOF clientele.basket_progress
    AS 'MODULE_PATHNAME', 'clientele_code_progress' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 1;
COMMENT ON FUNCTION clientele._code_progress(text, numeric, name) IS 'code_progress() of a code as the ledger has it, or NULL.';
CREATE FUNCTION clientele.code_progress(code text, basket_value numeric, store name DEFAULT NULL)
    RETURNS SETOF clientele.basket_progress
    LANGUAGE sql STABLE PARALLEL RESTRICTED COST 100 ROWS 1
    BEGIN ATOMIC SELECT * FROM clientele._code_progress(clientele._canonical_code($1), $2, $3); END;
COMMENT ON FUNCTION clientele.code_progress(text, numeric, name) IS
    'How far a basket of this value is from the offer whose code was typed, in any case, with or without hyphens and spaces: one row while '
    'that is open; otherwise, and for codes that are none, no row. Whose code it is, only redeeming it tells.';
