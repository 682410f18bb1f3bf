-- What each of the terms that were tried would do with a customer, by the response in use.

CREATE FUNCTION clientele._response_curve(customer text, store name) RETURNS SETOF clientele.response_point
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    book jsonb;
BEGIN
    IF $1 IS NULL THEN
        RETURN;
    END IF;
    store := clientele._resolve_store(store);
    PERFORM clientele._require_readable(store);
    EXECUTE format('SELECT %I._offer_book()', store) INTO book;
    IF NOT book ? 'response' THEN
        RAISE EXCEPTION 'store % uses no model of kind "response"', quote_ident(store) USING
            ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'It is not known how customers respond to offers.',
            HINT = format('SELECT * FROM clientele.fit_response(%L) learns it from explored offers; clientele.use_model() puts a '
                'version in use.', store);
    END IF;
    RETURN QUERY EXECUTE format('SELECT r.* FROM %I._offer_inputs i, LATERAL clientele._response_curve($1, i.input) r '
        'WHERE i.customer_id = %s', store, coalesce(clientele._key_literal(store, $1), 'NULL')) USING book;
END $$;
COMMENT ON FUNCTION clientele._response_curve(text, name) IS 'response_curve() for a customer given as text.';

CREATE FUNCTION clientele.response_curve(customer bigint, store name DEFAULT NULL) RETURNS SETOF clientele.response_point
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    BEGIN ATOMIC SELECT * FROM clientele._response_curve($1::text, $2); END;
CREATE FUNCTION clientele.response_curve(customer uuid, store name DEFAULT NULL) RETURNS SETOF clientele.response_point
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    BEGIN ATOMIC SELECT * FROM clientele._response_curve($1::text, $2); END;
CREATE FUNCTION clientele.response_curve(customer text, store name DEFAULT NULL) RETURNS SETOF clientele.response_point
    LANGUAGE sql STABLE PARALLEL RESTRICTED
    BEGIN ATOMIC SELECT * FROM clientele._response_curve($1::text, $2); END;
CALL clientele._comment_on_overloads('response_curve({key}, name)',
    'What an offer would do with this customer, by the response in use: a row for each threshold and reward within what was tried and what '
    'the first program with learned terms for the customer''s segment allows (without one, what half the margin allows). '
    'natural_share: of orders, those that reach min_spend anyway; raised_share: of redemptions, those that the offer brings about; '
    'profit: expected over the horizon, beyond no offer, less contact_cost; low, high: its 20 % and 80 % quantiles; '
    'chosen: what learned terms choose, none where that is not worth it, the budget is spent better or the response is outdated. Who may '
    'have the offer is not asked: explain_offer() says that. No row for NULL, an unknown customer, or one of whose spending nothing is '
    'known; an error (55000) where no response is in use.');
