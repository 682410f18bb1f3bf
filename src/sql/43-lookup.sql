-- Look-ups of one customer. The customer comes as bigint, uuid or text, and is converted to the store's key type.

CREATE FUNCTION clientele.assign_segment(customer bigint, store name DEFAULT NULL, segmentation text DEFAULT 'main',
        as_of timestamptz DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'clientele_assign_segment' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
CREATE FUNCTION clientele.personalized_offer(customer bigint, store name DEFAULT NULL, program text DEFAULT NULL,
        as_of timestamptz DEFAULT NULL) RETURNS SETOF clientele.offer
    AS 'MODULE_PATHNAME', 'clientele_personalized_offer' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 1;
CREATE FUNCTION clientele.assign_segment(customer uuid, store name DEFAULT NULL, segmentation text DEFAULT 'main',
        as_of timestamptz DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'clientele_assign_segment' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
CREATE FUNCTION clientele.personalized_offer(customer uuid, store name DEFAULT NULL, program text DEFAULT NULL,
        as_of timestamptz DEFAULT NULL) RETURNS SETOF clientele.offer
    AS 'MODULE_PATHNAME', 'clientele_personalized_offer' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 1;
CREATE FUNCTION clientele.assign_segment(customer text, store name DEFAULT NULL, segmentation text DEFAULT 'main',
        as_of timestamptz DEFAULT NULL)
    RETURNS text AS 'MODULE_PATHNAME', 'clientele_assign_segment' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100;
CALL clientele._comment_on_overloads('assign_segment({key}, name, text, timestamptz)',
    'The customer''s segment: the first whose rule matches, by priority, else the default (which an unknown customer gets, too). NULL '
    'for NULL. '
    'store: else the setting clientele.store, else the only one. as_of: a past time computes from the orders.');
CREATE FUNCTION clientele.personalized_offer(customer text, store name DEFAULT NULL, program text DEFAULT NULL,
        as_of timestamptz DEFAULT NULL) RETURNS SETOF clientele.offer
    AS 'MODULE_PATHNAME', 'clientele_personalized_offer' LANGUAGE C STABLE PARALLEL RESTRICTED COST 100 ROWS 1;
CALL clientele._comment_on_overloads('personalized_offer({key}, name, text, timestamptz)',
    'The customer''s offer: one row, or none. program: consider this one alone, unless the program that would win holds the customer out. '
    'Reading it writes nothing. NULL and unknown customers have none. as_of: a past time computes from the orders.');
