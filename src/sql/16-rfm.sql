
-- RFM scores: recency, frequency and monetary value, from 1 to 5.

CREATE TYPE clientele.rfm_breaks AS (r pg_catalog.float8[], f pg_catalog.float8[], m pg_catalog.float8[]);
COMMENT ON TYPE clientele.rfm_breaks IS
    'What RFM scores are decided by: four ascending numbers each for recency (days), frequency (orders) and monetary value (money). Each '
    'is the inclusive lower bound of the next bin, for recency of the next worse.';
COMMENT ON COLUMN clientele.rfm_breaks.r IS
    'Days since the last order: below the first break the score is 5, from the last one on it is 1.';
COMMENT ON COLUMN clientele.rfm_breaks.f IS 'Orders: below the first break the score is 1, from the last one on it is 5.';
COMMENT ON COLUMN clientele.rfm_breaks.m IS 'Money spent: below the first break the score is 1, from the last one on it is 5.';

CREATE FUNCTION clientele.rfm_scores(recency pg_catalog.float8, frequency pg_catalog.float8, monetary pg_catalog.float8,
    breaks clientele.rfm_breaks,
    OUT r pg_catalog.int4, OUT f pg_catalog.int4, OUT m pg_catalog.int4) RETURNS record
    AS 'MODULE_PATHNAME', 'clientele_rfm_scores_float8' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele.rfm_scores(pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, clientele.rfm_breaks) IS
    'The RFM scores, 1 (worst) to 5: f and m are 1 + the number of breaks at or below the value, r is 5 - the number of breaks at or '
    'below the recency. Equal values get equal scores. recency: days since the last order, as recency_days() gives them; frequency: '
    'orders; monetary: money, in the unit of the breaks. A score is NULL where its value or its breaks are NULL. Errors: a value that is '
    'NaN; breaks that are not four finite ascending numbers (equal ones are fine) in one dimension. Source: binning as in the R package '
    'rfm, whose published edges are quantile + 1.';
CREATE FUNCTION clientele.rfm_scores(recency pg_catalog.float8, frequency pg_catalog.float8, monetary pg_catalog.numeric,
    breaks clientele.rfm_breaks,
    OUT r pg_catalog.int4, OUT f pg_catalog.int4, OUT m pg_catalog.int4) RETURNS record
    AS 'MODULE_PATHNAME', 'clientele_rfm_scores_numeric' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele.rfm_scores(pg_catalog.float8, pg_catalog.float8, pg_catalog.numeric, clientele.rfm_breaks) IS
    'The RFM scores, 1 (worst) to 5: f and m are 1 + the number of breaks at or below the value, r is 5 - the number of breaks at or '
    'below the recency. Equal values get equal scores. recency: days since the last order, as recency_days() gives them; frequency: '
    'orders; monetary: money, compared exactly with the breaks, each of which stands for its shortest decimal (0.1 is 0.1). A score is '
    'NULL where its value or its breaks are NULL. Errors: a value that is NaN; breaks that are not four finite ascending numbers (equal '
    'ones are fine) in one dimension. Source: binning as in the R package rfm, whose published edges are quantile + 1.';

-- ---- What a store's views and its refresh use ----

CREATE FUNCTION clientele._r_score(profile clientele.order_profile, as_of pg_catalog.timestamptz, breaks pg_catalog.float8[])
    RETURNS pg_catalog.int4
    AS 'MODULE_PATHNAME', 'clientele__r_score' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._r_score(clientele.order_profile, pg_catalog.timestamptz, pg_catalog.float8[]) IS
    'How recently the customer ordered, from 1 (worst) to 5: rfm_scores() of recency_days(profile, as_of) against the breaks of '
    'rfm_breaks(). NULL without orders.';
CREATE FUNCTION clientele._f_score(profile clientele.order_profile, breaks pg_catalog.float8[]) RETURNS pg_catalog.int4
    AS 'MODULE_PATHNAME', 'clientele__f_score' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._f_score(clientele.order_profile, pg_catalog.float8[]) IS
    'How often the customer ordered, from 1 (worst) to 5: rfm_scores() of orders(profile) against the breaks of rfm_breaks(). NULL '
    'without orders.';
CREATE FUNCTION clientele._m_score(profile clientele.order_profile, breaks pg_catalog.float8[]) RETURNS pg_catalog.int4
    AS 'MODULE_PATHNAME', 'clientele__m_score' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._m_score(clientele.order_profile, pg_catalog.float8[]) IS
    'How much the customer spent, from 1 (worst) to 5: rfm_scores() of total_spent(profile) against the breaks of rfm_breaks(), compared '
    'exactly. NULL without orders.';

CREATE TYPE clientele._population AS (breaks_r pg_catalog.float8[], breaks_f pg_catalog.float8[], breaks_m pg_catalog.float8[],
    net_share pg_catalog.float8);
COMMENT ON TYPE clientele._population IS
    'Internal: the quintiles of recency, frequency and monetary value over customers with orders, and the share of their gross money '
    'that was not refunded.';

CREATE FUNCTION clientele._score_summary_add(state pg_catalog.internal, profile clientele.order_profile, as_of pg_catalog.timestamptz)
    RETURNS pg_catalog.internal
    AS 'MODULE_PATHNAME', 'clientele__score_summary_add' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._score_summary_add(pg_catalog.internal, clientele.order_profile, pg_catalog.timestamptz) IS
    'Internal: step of _score_summary.';
CREATE FUNCTION clientele._score_summary_combine(state pg_catalog.internal, other pg_catalog.internal) RETURNS pg_catalog.internal
    AS 'MODULE_PATHNAME', 'clientele__score_summary_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._score_summary_combine(pg_catalog.internal, pg_catalog.internal) IS
    'Internal: combines two states of _score_summary.';
CREATE FUNCTION clientele._score_summary_serialize(state pg_catalog.internal) RETURNS pg_catalog.bytea
    AS 'MODULE_PATHNAME', 'clientele__score_summary_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._score_summary_serialize(pg_catalog.internal) IS 'Internal: a state of _score_summary as bytes.';
CREATE FUNCTION clientele._score_summary_deserialize(bytes pg_catalog.bytea, unused pg_catalog.internal) RETURNS pg_catalog.internal
    AS 'MODULE_PATHNAME', 'clientele__score_summary_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._score_summary_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
    'Internal: bytes as a state of _score_summary; others are an error.';
CREATE FUNCTION clientele._score_summary_final(state pg_catalog.internal) RETURNS clientele._population
    AS 'MODULE_PATHNAME', 'clientele__score_summary_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._score_summary_final(pg_catalog.internal) IS 'Internal: result of _score_summary.';

-- The final function reorders what the state holds, which changes no later result.
CREATE AGGREGATE clientele._score_summary(profile clientele.order_profile, as_of pg_catalog.timestamptz) (
    SFUNC = clientele._score_summary_add, STYPE = pg_catalog.internal, SSPACE = 1048576,
    FINALFUNC = clientele._score_summary_final, COMBINEFUNC = clientele._score_summary_combine,
    SERIALFUNC = clientele._score_summary_serialize, DESERIALFUNC = clientele._score_summary_deserialize, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele._score_summary(clientele.order_profile, pg_catalog.timestamptz) IS
    'Internal: what a refresh learns about the customers with orders: percentile_cont(0.2, 0.4, 0.6, 0.8) of recency_days(profile, '
    'as_of), orders(profile) and total_spent(profile)::float8, bit for bit, and sum(total_spent)/sum(gross_spent) (NULL where that is '
    '0/0). NULL profiles and as_of count for nothing; NULL without customers. An infinite as_of is an error. Takes 20 bytes a customer.';
