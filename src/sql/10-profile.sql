-- Order profiles: the type, its aggregates, its accessors.

CREATE TYPE clientele.order_profile;

CREATE FUNCTION clientele.order_profile_in(cstring) RETURNS clientele.order_profile
    AS 'MODULE_PATHNAME', 'clientele_order_profile_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION clientele.order_profile_out(clientele.order_profile) RETURNS cstring
    AS 'MODULE_PATHNAME', 'clientele_order_profile_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION clientele.order_profile_recv(internal) RETURNS clientele.order_profile
    AS 'MODULE_PATHNAME', 'clientele_order_profile_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
CREATE FUNCTION clientele.order_profile_send(clientele.order_profile) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clientele_order_profile_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE clientele.order_profile (
    INPUT = clientele.order_profile_in, OUTPUT = clientele.order_profile_out,
    RECEIVE = clientele.order_profile_recv, SEND = clientele.order_profile_send,
    INTERNALLENGTH = VARIABLE, STORAGE = extended);

COMMENT ON TYPE clientele.order_profile IS
    'What is known about one customer''s orders: mergeable, exact, versioned; JSON as text. Made by the aggregate order_profile.';
COMMENT ON FUNCTION clientele.order_profile_in(cstring) IS
    'Input: the JSON that output prints; anything that no set of orders could have given is refused.';
COMMENT ON FUNCTION clientele.order_profile_out(clientele.order_profile) IS 'Output: JSON.';
COMMENT ON FUNCTION clientele.order_profile_recv(internal) IS
    'Binary input: format version 1 or 2; anything that no set of orders could have given is refused.';
COMMENT ON FUNCTION clientele.order_profile_send(clientele.order_profile) IS
    'Binary output: format version 2 where the last orders have ties, else 1.';

CREATE FUNCTION clientele.order_profile_from_bytea(bytea) RETURNS clientele.order_profile
    AS 'MODULE_PATHNAME', 'clientele_order_profile_from_bytea' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.order_profile_from_bytea(bytea) IS
    'Cast: the binary form; anything that no set of orders could have given is refused.';
-- Explicit ones: bytes are no profile to anybody who has not said so. Immutable, so that postgres_fdw sends them along.
CREATE CAST (clientele.order_profile AS bytea) WITH FUNCTION clientele.order_profile_send(clientele.order_profile);
CREATE CAST (bytea AS clientele.order_profile) WITH FUNCTION clientele.order_profile_from_bytea(bytea);

CREATE FUNCTION clientele.order_profile_eq(clientele.order_profile, clientele.order_profile) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clientele_order_profile_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.order_profile_eq(clientele.order_profile, clientele.order_profile) IS
    'Implementation of the = operator: compares the binary forms.';
CREATE FUNCTION clientele.order_profile_ne(clientele.order_profile, clientele.order_profile) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clientele_order_profile_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.order_profile_ne(clientele.order_profile, clientele.order_profile) IS
    'Implementation of the <> operator: compares the binary forms.';
CREATE FUNCTION clientele.order_profile_lt(clientele.order_profile, clientele.order_profile) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clientele_order_profile_lt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.order_profile_lt(clientele.order_profile, clientele.order_profile) IS
    'Implementation of the < operator: compares the binary forms.';
CREATE FUNCTION clientele.order_profile_le(clientele.order_profile, clientele.order_profile) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clientele_order_profile_le' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.order_profile_le(clientele.order_profile, clientele.order_profile) IS
    'Implementation of the <= operator: compares the binary forms.';
CREATE FUNCTION clientele.order_profile_gt(clientele.order_profile, clientele.order_profile) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clientele_order_profile_gt' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.order_profile_gt(clientele.order_profile, clientele.order_profile) IS
    'Implementation of the > operator: compares the binary forms.';
CREATE FUNCTION clientele.order_profile_ge(clientele.order_profile, clientele.order_profile) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clientele_order_profile_ge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.order_profile_ge(clientele.order_profile, clientele.order_profile) IS
    'Implementation of the >= operator: compares the binary forms.';
CREATE FUNCTION clientele.order_profile_cmp(clientele.order_profile, clientele.order_profile) RETURNS integer
    AS 'MODULE_PATHNAME', 'clientele_order_profile_cmp' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.order_profile_cmp(clientele.order_profile, clientele.order_profile) IS
    'btree support: a total order without further meaning.';
CREATE FUNCTION clientele.order_profile_hash(clientele.order_profile) RETURNS integer
    AS 'MODULE_PATHNAME', 'clientele_order_profile_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.order_profile_hash(clientele.order_profile) IS 'Hash support.';
CREATE FUNCTION clientele.order_profile_hash_extended(clientele.order_profile, bigint) RETURNS bigint
    AS 'MODULE_PATHNAME', 'clientele_order_profile_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.order_profile_hash_extended(clientele.order_profile, bigint) IS 'Hash support with a seed.';

CREATE OPERATOR clientele.= (LEFTARG = clientele.order_profile, RIGHTARG = clientele.order_profile,
    FUNCTION = clientele.order_profile_eq, COMMUTATOR = OPERATOR(clientele.=), NEGATOR = OPERATOR(clientele.<>),
    RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES);
CREATE OPERATOR clientele.<> (LEFTARG = clientele.order_profile, RIGHTARG = clientele.order_profile,
    FUNCTION = clientele.order_profile_ne, COMMUTATOR = OPERATOR(clientele.<>), NEGATOR = OPERATOR(clientele.=),
    RESTRICT = neqsel, JOIN = neqjoinsel);
CREATE OPERATOR clientele.< (LEFTARG = clientele.order_profile, RIGHTARG = clientele.order_profile,
    FUNCTION = clientele.order_profile_lt, COMMUTATOR = OPERATOR(clientele.>), NEGATOR = OPERATOR(clientele.>=),
    RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR clientele.<= (LEFTARG = clientele.order_profile, RIGHTARG = clientele.order_profile,
    FUNCTION = clientele.order_profile_le, COMMUTATOR = OPERATOR(clientele.>=), NEGATOR = OPERATOR(clientele.>),
    RESTRICT = scalarlesel, JOIN = scalarlejoinsel);
CREATE OPERATOR clientele.> (LEFTARG = clientele.order_profile, RIGHTARG = clientele.order_profile,
    FUNCTION = clientele.order_profile_gt, COMMUTATOR = OPERATOR(clientele.<), NEGATOR = OPERATOR(clientele.<=),
    RESTRICT = scalargtsel, JOIN = scalargtjoinsel);
CREATE OPERATOR clientele.>= (LEFTARG = clientele.order_profile, RIGHTARG = clientele.order_profile,
    FUNCTION = clientele.order_profile_ge, COMMUTATOR = OPERATOR(clientele.<=), NEGATOR = OPERATOR(clientele.<),
    RESTRICT = scalargesel, JOIN = scalargejoinsel);

CREATE OPERATOR CLASS clientele.order_profile_ops DEFAULT FOR TYPE clientele.order_profile USING btree AS
    OPERATOR 1 clientele.<, OPERATOR 2 clientele.<=, OPERATOR 3 clientele.=, OPERATOR 4 clientele.>=, OPERATOR 5 clientele.>,
    FUNCTION 1 clientele.order_profile_cmp(clientele.order_profile, clientele.order_profile);
CREATE OPERATOR CLASS clientele.order_profile_hash_ops DEFAULT FOR TYPE clientele.order_profile USING hash AS
    OPERATOR 1 clientele.=,
    FUNCTION 1 clientele.order_profile_hash(clientele.order_profile),
    FUNCTION 2 clientele.order_profile_hash_extended(clientele.order_profile, bigint);

-- Aggregates.

CREATE FUNCTION clientele.order_profile_add(internal, timestamptz, numeric) RETURNS internal
    AS 'MODULE_PATHNAME', 'clientele_order_profile_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION clientele.order_profile_add(internal, timestamptz, numeric) IS 'Transition of order_profile(ordered_at, amount).';
CREATE FUNCTION clientele.order_profile_add(internal, timestamptz, numeric, text) RETURNS internal
    AS 'MODULE_PATHNAME', 'clientele_order_profile_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION clientele.order_profile_add(internal, timestamptz, numeric, text) IS
    'Transition of order_profile(ordered_at, amount, time_zone).';
CREATE FUNCTION clientele.order_profile_add(internal, timestamptz, numeric, text, bigint) RETURNS internal
    AS 'MODULE_PATHNAME', 'clientele_order_profile_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION clientele.order_profile_add(internal, timestamptz, numeric, text, bigint) IS
    'Transition of order_profile(ordered_at, amount, time_zone, tie).';
CREATE FUNCTION clientele.order_profile_final(internal) RETURNS clientele.order_profile
    AS 'MODULE_PATHNAME', 'clientele_order_profile_final' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele.order_profile_final(internal) IS 'Result of order_profile().';
CREATE FUNCTION clientele.order_profile_serialize(internal) RETURNS bytea
    AS 'MODULE_PATHNAME', 'clientele_order_profile_serialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.order_profile_serialize(internal) IS
    'Partial state of order_profile() for another worker: a profile in binary form.';
CREATE FUNCTION clientele.order_profile_deserialize(bytea, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'clientele_order_profile_deserialize' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.order_profile_deserialize(bytea, internal) IS
    'Partial state of order_profile() from another worker, validated.';
CREATE FUNCTION clientele.order_profile_combine(internal, internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'clientele_order_profile_combine' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele.order_profile_combine(internal, internal) IS 'Merges partial states of order_profile().';
CREATE FUNCTION clientele.order_profile_merge(clientele.order_profile, clientele.order_profile) RETURNS clientele.order_profile
    AS 'MODULE_PATHNAME', 'clientele_order_profile_merge' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.order_profile_merge(clientele.order_profile, clientele.order_profile) IS
    'The profile of two disjoint sets of orders: the step of rollup(). Profiles of different time zones are an error.';

CREATE AGGREGATE clientele.order_profile(ordered_at timestamptz, amount numeric) (
    SFUNC = clientele.order_profile_add, STYPE = internal, SSPACE = 560,
    FINALFUNC = clientele.order_profile_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = clientele.order_profile_combine,
    SERIALFUNC = clientele.order_profile_serialize, DESERIALFUNC = clientele.order_profile_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.order_profile(timestamptz, numeric) IS
    'The profile of one customer''s orders, in any order, with days counted in UTC. Rows whose time or amount is NULL are skipped; an '
    'amount below zero is a refund. Amounts: |amount| < 10^13, more than four decimals are rounded half away from zero; times: years 1 '
    'to 9999. NaN and infinities are errors. NULL without rows.';

CREATE AGGREGATE clientele.order_profile(ordered_at timestamptz, amount numeric, time_zone text) (
    SFUNC = clientele.order_profile_add, STYPE = internal, SSPACE = 560,
    FINALFUNC = clientele.order_profile_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = clientele.order_profile_combine,
    SERIALFUNC = clientele.order_profile_serialize, DESERIALFUNC = clientele.order_profile_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.order_profile(timestamptz, numeric, text) IS
    'The profile of one customer''s orders, with days counted in time_zone, one of pg_timezone_names. Otherwise as '
    'order_profile(ordered_at, amount).';

-- Bytes have no collation, of which postgres_fdw could not be sure that it is the same elsewhere.
CREATE FUNCTION clientele._order_profile_add(internal, timestamptz, numeric, bytea) RETURNS internal
    AS 'MODULE_PATHNAME', 'clientele_order_profile_add' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION clientele._order_profile_add(internal, timestamptz, numeric, bytea) IS 'Transition of _order_profile_in().';
CREATE AGGREGATE clientele._order_profile_in(ordered_at timestamptz, amount numeric, time_zone bytea) (
    SFUNC = clientele._order_profile_add, STYPE = internal, SSPACE = 560,
    FINALFUNC = clientele.order_profile_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = clientele.order_profile_combine,
    SERIALFUNC = clientele.order_profile_serialize, DESERIALFUNC = clientele.order_profile_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele._order_profile_in(timestamptz, numeric, bytea) IS
    'Internal: order_profile(ordered_at, amount, time_zone) with a time zone that travels between servers: its name as bytes.';

CREATE AGGREGATE clientele.order_profile(ordered_at timestamptz, amount numeric, time_zone text, tie bigint) (
    SFUNC = clientele.order_profile_add, STYPE = internal, SSPACE = 560,
    FINALFUNC = clientele.order_profile_final, FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = clientele.order_profile_combine,
    SERIALFUNC = clientele.order_profile_serialize, DESERIALFUNC = clientele.order_profile_deserialize,
    PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.order_profile(timestamptz, numeric, text, bigint) IS
    'The profile of one customer''s orders, of which those of one time are ranked by tie, as the number of the order; of equal ties, and '
    'without (NULL), by amount. Otherwise as order_profile(ordered_at, amount, time_zone).';

CREATE AGGREGATE clientele.rollup(clientele.order_profile) (
    SFUNC = clientele.order_profile_merge, STYPE = clientele.order_profile,
    COMBINEFUNC = clientele.order_profile_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE clientele.rollup(clientele.order_profile) IS
    'Merges profiles of disjoint sets of orders: exactly the profile of their union. NULLs are skipped; NULL without profiles; different '
    'time zones are an error.';

-- Accessors.

CREATE FUNCTION clientele.orders(p clientele.order_profile) RETURNS bigint
    AS 'MODULE_PATHNAME', 'clientele_orders' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.orders(clientele.order_profile) IS
    'Number of orders (rows with an amount of zero or more).';
CREATE FUNCTION clientele.purchase_days(p clientele.order_profile) RETURNS bigint
    AS 'MODULE_PATHNAME', 'clientele_purchase_days' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.purchase_days(clientele.order_profile) IS
    'Number of distinct calendar days, in the profile''s time zone, with at least one order.';
CREATE FUNCTION clientele.refunds(p clientele.order_profile) RETURNS bigint
    AS 'MODULE_PATHNAME', 'clientele_refunds' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.refunds(clientele.order_profile) IS
    'Number of refund rows (amounts below zero).';
CREATE FUNCTION clientele.first_order_at(p clientele.order_profile) RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'clientele_first_order_at' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.first_order_at(clientele.order_profile) IS
    'Time of the first order; NULL without orders.';
CREATE FUNCTION clientele.last_order_at(p clientele.order_profile) RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'clientele_last_order_at' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.last_order_at(clientele.order_profile) IS
    'Time of the last order; NULL without orders.';
CREATE FUNCTION clientele.gross_spent(p clientele.order_profile) RETURNS numeric
    AS 'MODULE_PATHNAME', 'clientele_gross_spent' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.gross_spent(clientele.order_profile) IS
    'Exact sum of the orders'' amounts, refund rows left out; 0 without orders.';
CREATE FUNCTION clientele.total_spent(p clientele.order_profile) RETURNS numeric
    AS 'MODULE_PATHNAME', 'clientele_total_spent' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.total_spent(clientele.order_profile) IS
    'Exact sum of the orders'' amounts less the refund rows.';
CREATE FUNCTION clientele.aov(p clientele.order_profile) RETURNS numeric
    AS 'MODULE_PATHNAME', 'clientele_aov' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.aov(clientele.order_profile) IS
    'Average order value: gross_spent / orders, with as many decimals as avg(numeric); NULL without orders.';
CREATE FUNCTION clientele.typical_order_value(p clientele.order_profile) RETURNS numeric
    AS 'MODULE_PATHNAME', 'clientele_typical_order_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.typical_order_value(clientele.order_profile) IS
    'What the customer usually spends now: exact median of the last 8 orders (of all where there are fewer); NULL without orders.';
CREATE FUNCTION clientele.typical_cv(p clientele.order_profile) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_typical_cv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.typical_cv(clientele.order_profile) IS
    'How steadily the customer spends now: coefficient of variation (sample standard deviation divided by mean) of the last 8 orders; '
    'NULL below 2 orders or where all of them are zero.';
CREATE FUNCTION clientele.last_order_value(p clientele.order_profile) RETURNS numeric
    AS 'MODULE_PATHNAME', 'clientele_last_order_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.last_order_value(clientele.order_profile) IS
    'Amount of the last order, ranked by (ordered_at, tie, amount); NULL without orders.';
CREATE FUNCTION clientele.order_value_cv(p clientele.order_profile) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_order_value_cv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.order_value_cv(clientele.order_profile) IS
    'Coefficient of variation (sample standard deviation divided by mean) of all orders; NULL below 2 orders or where all of them are '
    'zero.';
CREATE FUNCTION clientele.recency_days(p clientele.order_profile, as_of timestamptz) RETURNS integer
    AS 'MODULE_PATHNAME', 'clientele_recency_days' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.recency_days(clientele.order_profile, timestamptz) IS
    'Local calendar days, in the profile''s time zone, from the last order to as_of (negative where as_of is earlier); NULL without '
    'orders. An infinite as_of is an error.';
CREATE FUNCTION clientele.purchase_days_within(p clientele.order_profile, days integer, as_of timestamptz) RETURNS bigint
    AS 'MODULE_PATHNAME', 'clientele_purchase_days_within' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.purchase_days_within(clientele.order_profile, integer, timestamptz) IS
    'Number of purchase days among the last so many local calendar days, that of as_of included: 1 is that day alone, 0 is none. Days '
    'after as_of do not count. NULL for a customer without orders, who has no profile; a negative number of days is an error.';
CREATE FUNCTION clientele.tenure_days(p clientele.order_profile, as_of timestamptz) RETURNS integer
    AS 'MODULE_PATHNAME', 'clientele_tenure_days' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.tenure_days(clientele.order_profile, timestamptz) IS
    'Local calendar days, in the profile''s time zone, from the first order to as_of (negative where as_of is earlier); NULL without '
    'orders. An infinite as_of is an error.';
CREATE FUNCTION clientele.mean_days_between_orders(p clientele.order_profile) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_mean_days_between_orders' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.mean_days_between_orders(clientele.order_profile) IS
    'Mean number of days between neighbouring purchase days; NULL below 2 purchase days.';
CREATE FUNCTION clientele.median_days_between_orders(p clientele.order_profile) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_median_days_between_orders' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.median_days_between_orders(clientele.order_profile) IS
    'Median number of days between neighbouring purchase days: the customer''s rhythm; NULL below 2 purchase days.';
CREATE FUNCTION clientele.days_to_second_purchase(p clientele.order_profile) RETURNS integer
    AS 'MODULE_PATHNAME', 'clientele_days_to_second_purchase' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.days_to_second_purchase(clientele.order_profile) IS
    'Calendar days from the first purchase day to the second: how long it took the customer to come back. NULL below 2.';

CREATE FUNCTION clientele.evening_share(p clientele.order_profile) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_evening_share' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.evening_share(clientele.order_profile) IS
    'Share of orders (0 to 1) placed from 18:00 to midnight local time; NULL without orders.';
CREATE FUNCTION clientele.weekend_share(p clientele.order_profile) RETURNS double precision
    AS 'MODULE_PATHNAME', 'clientele_weekend_share' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.weekend_share(clientele.order_profile) IS
    'Share of orders (0 to 1) placed on a Saturday or Sunday, local time; NULL without orders.';
CREATE FUNCTION clientele.repeat_purchases(p clientele.order_profile) RETURNS bigint
    AS 'MODULE_PATHNAME', 'clientele_repeat_purchases' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.repeat_purchases(clientele.order_profile) IS
    'The x of purchase models (Fader, Hardie and Lee, 2005): purchase days after the first; 0 without orders.';
CREATE FUNCTION clientele.last_purchase_age(p clientele.order_profile) RETURNS integer
    AS 'MODULE_PATHNAME', 'clientele_last_purchase_age' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.last_purchase_age(clientele.order_profile) IS
    'The t_x of purchase models (Fader, Hardie and Lee, 2005): days from the first to the last purchase day; NULL without orders.';
CREATE FUNCTION clientele.age(p clientele.order_profile, as_of timestamptz) RETURNS integer
    AS 'MODULE_PATHNAME', 'clientele_tenure_days' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.age(clientele.order_profile, timestamptz) IS
    'The T of purchase models (Fader, Hardie and Lee, 2005): days from the first purchase day to as_of, in the profile''s time zone; '
    'NULL without orders.';
CREATE FUNCTION clientele.repeat_day_value(p clientele.order_profile) RETURNS numeric
    AS 'MODULE_PATHNAME', 'clientele_repeat_day_value' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele.repeat_day_value(clientele.order_profile) IS
    'Mean of the day totals after the first purchase day, what the Gamma-Gamma model takes (Fader and Hardie, 2013); NULL below 2 '
    'purchase days.';
