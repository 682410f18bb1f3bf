-- Content: which of a slot's posts a customer is shown, by segment of segmentation main; who is held out of it, and what is written down
-- of both.

CREATE FUNCTION clientele._create_content_exposures(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($exposures$
        -- The first exposure counts: who would write another meets its key.
        CREATE TABLE {store}.content_exposures (
            customer_id {key} NOT NULL, slot text NOT NULL, content text NOT NULL, segment text NOT NULL,
            holdout double precision NOT NULL, held_out boolean NOT NULL, margin numeric, crossed boolean NOT NULL DEFAULT false,
            exposed_at timestamptz NOT NULL, PRIMARY KEY (customer_id, slot, content));
        COMMENT ON TABLE {store}.content_exposures IS
            'A row for each customer and content, from when content_for() was first told to write down that it is shown, or held out.';
        COMMENT ON COLUMN {store}.content_exposures.segment IS 'The customer''s segment of main then.';
        COMMENT ON COLUMN {store}.content_exposures.holdout IS 'The share that was held out of this content then.';
        COMMENT ON COLUMN {store}.content_exposures.held_out IS 'Whether the customer was shown nothing.';
        COMMENT ON COLUMN {store}.content_exposures.margin IS 'The customer''s contribution margin then; NULL: the store''s.';
        COMMENT ON COLUMN {store}.content_exposures.crossed IS
            'Whether the customer was merged from two of whom one was held out: in no comparison.';
        $exposures$, 'store', quote_ident(store), 'key', clientele._key_type(store)::text);
END $$;
COMMENT ON FUNCTION clientele._create_content_exposures(name) IS 'The table content_exposures of a new store.';

CREATE FUNCTION clientele._content_segment(store name, segment text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known text[] := clientele._segment_names(store, 'main');
BEGIN
    IF segment <> ALL (known) THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object',
            MESSAGE = format('segment "%s" does not exist in segmentation "main"', segment),
            HINT = format('Segments there: %s.', clientele._name_list(known, 'none'));
    END IF;
    RETURN COALESCE(segment, known[cardinality(known)]);
END $$;
COMMENT ON FUNCTION clientele._content_segment(name, text) IS
    'Internal: a segment of main, the default one where none is named; an unknown one is an error.';

CREATE FUNCTION clientele.define_content(store name, slot text, content text, segment text DEFAULT NULL, body text DEFAULT NULL,
        holdout double precision DEFAULT 0) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    former double precision;
BEGIN
    PERFORM clientele._lock_store(store);
    EXECUTE format('SELECT c.holdout FROM %I.contents AS c WHERE c.slot = $1 AND c.segment = $2', store) INTO former
        USING slot, clientele._content_segment(store, segment);
    PERFORM clientele._write_content(store, slot, content, segment, body, holdout);
    IF former > 0 AND holdout = 0 THEN
        RAISE NOTICE 'nobody is held out of this content of slot "%" any more', slot
            USING DETAIL = format('The share was %s.', former), HINT = 'holdout => ... keeps it.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele.define_content(name, text, text, text, text, double precision) IS
    'Says which content a segment of main is shown in a slot; without a segment it is for the default segment, and so for all that have '
    'none of their own. holdout: the share of those for whom it is, from 0 to below 1, who are shown nothing in this slot, so that '
    'measure_lift() can tell what the content changes. Who is held out is a hash of slot and customer.';

CREATE FUNCTION clientele._write_content(store name, slot text, content text, segment text, body text, holdout double precision)
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require(a.name, a.given) FROM (VALUES ('slot', slot IS NOT NULL), ('content', content IS NOT NULL),
        ('holdout', holdout IS NOT NULL)) AS a (name, given);
    PERFORM clientele._check_name('slot', slot, 'Name the place where the content is shown, such as home.');
    PERFORM clientele._check_name('content', content, 'Give it a name, such as post A; body takes a text of any length.');
    IF NOT (holdout >= 0 AND holdout < 1) THEN
        RAISE EXCEPTION 'invalid holdout: %', holdout USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'A holdout is a share from 0 to below 1.';
    END IF;
    EXECUTE format('INSERT INTO %I.contents (slot, segment, content, body, holdout) VALUES ($1, $2, $3, $4, $5) '
        'ON CONFLICT (slot, segment) DO UPDATE SET content = $3, body = $4, holdout = $5', store)
        USING slot, clientele._content_segment(store, segment), content, body, holdout;
END $$;
COMMENT ON FUNCTION clientele._write_content(name, text, text, text, text, double precision) IS
    'Internal: checks a content and writes its row. The caller holds the lock of _lock_store().';

CREATE FUNCTION clientele.drop_content(store name, slot text, segment text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    dropped text;
    known text[];
BEGIN
    PERFORM clientele._lock_store(store);
    PERFORM clientele._require('slot', slot IS NOT NULL);
    segment := clientele._content_segment(store, segment);
    EXECUTE format('DELETE FROM %I.contents AS c WHERE c.slot = $1 AND c.segment = $2 RETURNING c.slot', store) INTO dropped
        USING slot, segment;
    IF dropped IS NULL THEN
        EXECUTE format('SELECT array_agg(c.segment ORDER BY c.segment) FROM %I.contents AS c WHERE c.slot = $1', store)
            INTO known USING slot;
        RAISE EXCEPTION USING ERRCODE = 'undefined_object',
            MESSAGE = format('slot "%s" has no content for segment "%s"', slot, segment),
            HINT = format('Segments that have one there: %s.', clientele._name_list(known, 'none'));
    END IF;
END $$;
COMMENT ON FUNCTION clientele.drop_content(name, text, text) IS
    'Drops the content of a slot for one segment, or for the default segment where none is named.';

-- ---- Who is shown what ----

CREATE FUNCTION clientele._is_held_out(seed text, slot text, customer text, holdout double precision) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN COALESCE(holdout OPERATOR(pg_catalog.>) 0::double precision AND clientele.bucket(seed OPERATOR(pg_catalog.||) ':'
        OPERATOR(pg_catalog.||) slot OPERATOR(pg_catalog.||) ':content', customer) OPERATOR(pg_catalog.<) holdout, false);
COMMENT ON FUNCTION clientele._is_held_out(text, text, text, double precision) IS
    'Internal: whether a customer is held out of what a slot shows. Another slot is another draw.';

CREATE FUNCTION clientele._shown_contents(contents jsonb, holdouts jsonb, seed text, customer text) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT COALESCE(pg_catalog.jsonb_object_agg(c.slot, c.content) FILTER (WHERE NOT clientele._is_held_out(
            seed, c.slot, customer, (holdouts OPERATOR(pg_catalog.->>) c.slot)::double precision)), '{}')
        FROM pg_catalog.jsonb_each(contents) AS c (slot, content));
COMMENT ON FUNCTION clientele._shown_contents(jsonb, jsonb, text, text) IS
    'Internal: of contents by slot those that the customer is not held out of, by the shares in holdouts.';

CREATE FUNCTION clientele._content_of(store name, slot text, customer text, as_of timestamptz,
        OUT segment text, OUT content text, OUT holdout double precision, OUT held_out boolean)
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key text;
BEGIN
    segment := clientele.assign_segment(customer, store, 'main', as_of);
    EXECUTE format('SELECT c.content, c.holdout FROM %1$I.segmentations AS g JOIN %1$I.contents AS c ON c.segment IN ($2, g.default_segment)
        WHERE g.segmentation = ''main'' AND c.slot = $1 ORDER BY c.segment = $2 DESC LIMIT 1', store)
        INTO content, holdout USING slot, segment;
    IF holdout > 0 THEN
        EXECUTE format('SELECT %s::text', coalesce(clientele._key_literal(store, customer), 'NULL')) INTO key;
    END IF;
    held_out := clientele._is_held_out((clientele._settings(store)).seed, slot, key, holdout);
END $$;
COMMENT ON FUNCTION clientele._content_of(name, text, text, timestamptz) IS
    'Internal: the content of a slot that is for a customer, be it shown or held out.';

CREATE FUNCTION clientele._content_for(customer text, slot text, store name, as_of timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found record;
BEGIN
    IF customer IS NULL THEN
        RETURN NULL;
    END IF;
    found := clientele._content_of(clientele._resolve_store(store), slot, customer, as_of);
    RETURN CASE WHEN NOT found.held_out THEN found.content END;
END $$;
COMMENT ON FUNCTION clientele._content_for(text, text, name, timestamptz) IS 'Internal: content_for that reads, for any type of key.';

CREATE FUNCTION clientele._check_exposing(as_of timestamptz, expose boolean) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require('expose', expose IS NOT NULL);
    IF as_of IS NOT NULL THEN
        RAISE EXCEPTION 'what was shown in the past cannot be written down now' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('as_of is %s.', as_of), HINT = 'Leave as_of out, or expose.';
    ELSIF current_setting('transaction_read_only')::boolean THEN
        RAISE EXCEPTION 'content that is shown cannot be written down in a read-only transaction'
            USING ERRCODE = 'read_only_sql_transaction',
                DETAIL = CASE WHEN pg_is_in_recovery() THEN 'This server is a standby.' ELSE 'transaction_read_only is on.' END,
                HINT = 'Without expose => true it is only read.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_exposing(timestamptz, boolean) IS
    'Internal: refuses to write down exposures of the past, and where nothing can be written.';

-- Who has seen it already is only looked up.
CREATE FUNCTION clientele._expose_content(customer text, slot text, store name, as_of timestamptz, expose boolean) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shop name;
    found record;
    key text;
BEGIN
    PERFORM clientele._check_exposing(as_of, expose);
    IF customer IS NULL THEN
        RETURN NULL;
    END IF;
    shop := clientele._resolve_store(store);
    found := clientele._content_of(shop, slot, customer, NULL);
    key := clientele._key_literal(shop, customer);
    IF found.content IS NOT NULL AND key IS NOT NULL THEN
        EXECUTE clientele._fill('
            INSERT INTO {store}.content_exposures (customer_id, slot, content, segment, holdout, held_out, margin, exposed_at)
            SELECT {key}, $1, $2, $3, $4, $5, (SELECT c.margin FROM {store}.customers AS c WHERE c.customer_id = {key}), now()
            WHERE NOT EXISTS (SELECT FROM {store}.content_exposures AS e
                WHERE e.customer_id = {key} AND e.slot = $1 AND e.content = $2)
            ON CONFLICT DO NOTHING', 'store', quote_ident(shop), 'key', key)
            USING slot, found.content, found.segment, found.holdout, found.held_out;
    END IF;
    RETURN CASE WHEN NOT found.held_out THEN found.content END;
END $$;
COMMENT ON FUNCTION clientele._expose_content(text, text, name, timestamptz, boolean) IS
    'Internal: content_for that writes down what is shown, or held out.';

-- One expression, so that the planner puts it in the place of the call: where nothing is to be written, nothing volatile is left.
CREATE FUNCTION clientele.content_for(customer bigint, slot text, store name DEFAULT NULL, as_of timestamptz DEFAULT NULL,
        expose boolean DEFAULT false) RETURNS text
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    RETURN CASE WHEN NOT expose THEN clientele._content_for(customer::text, slot, store, as_of)
        ELSE clientele._expose_content(customer::text, slot, store, as_of, expose) END;
CREATE FUNCTION clientele.content_for(customer uuid, slot text, store name DEFAULT NULL, as_of timestamptz DEFAULT NULL,
        expose boolean DEFAULT false) RETURNS text
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    RETURN CASE WHEN NOT expose THEN clientele._content_for(customer::text, slot, store, as_of)
        ELSE clientele._expose_content(customer::text, slot, store, as_of, expose) END;
CREATE FUNCTION clientele.content_for(customer text, slot text, store name DEFAULT NULL, as_of timestamptz DEFAULT NULL,
        expose boolean DEFAULT false) RETURNS text
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    RETURN CASE WHEN NOT expose THEN clientele._content_for(customer, slot, store, as_of)
        ELSE clientele._expose_content(customer, slot, store, as_of, expose) END;
CALL clientele._comment_on_overloads('content_for({key}, text, name, timestamptz, boolean)',
    'Which content this customer is shown in a slot: that of the customer''s segment, else that of the default segment, else none (NULL); '
    'none either for who is held out. It only reads, unless told to expose: then it is written down, once, that the customer is shown '
    'this content, or held out of it, for measure_lift(); so ask for it, for everybody alike, where it is shown. Exposing is refused in '
    'read-only transactions (25006) and with as_of.');
