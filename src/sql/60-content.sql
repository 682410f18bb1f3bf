-- Content: which of a slot's posts a customer is shown, by segment of segmentation main.

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

CREATE FUNCTION clientele.define_content(store name, slot text, content text, segment text DEFAULT NULL, body text DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._lock_store(store);
    PERFORM clientele._write_content(store, slot, content, segment, body);
END $$;
COMMENT ON FUNCTION clientele.define_content(name, text, text, text, text) IS
    'Says which content a segment of main is shown in a slot; without a segment it is for the default segment, and so for all that have '
    'none of their own.';

CREATE FUNCTION clientele._write_content(store name, slot text, content text, segment text, body text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require('slot', slot IS NOT NULL);
    PERFORM clientele._require('content', content IS NOT NULL);
    PERFORM clientele._check_name('slot', slot, 'Name the place where the content is shown, such as home.');
    EXECUTE format('INSERT INTO %I.contents (slot, segment, content, body) VALUES ($1, $2, $3, $4) '
        'ON CONFLICT (slot, segment) DO UPDATE SET content = $3, body = $4', store)
        USING slot, clientele._content_segment(store, segment), content, body;
END $$;
COMMENT ON FUNCTION clientele._write_content(name, text, text, text, text) IS
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

CREATE FUNCTION clientele._content_for(customer text, slot text, store name, as_of timestamptz) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shop name;
    content text;
BEGIN
    IF customer IS NULL THEN
        RETURN NULL;
    END IF;
    shop := clientele._resolve_store(store);
    EXECUTE format('SELECT c.content FROM %1$I.segmentations AS g JOIN %1$I.contents AS c ON c.segment IN ($2, g.default_segment) '
        'WHERE g.segmentation = ''main'' AND c.slot = $1 ORDER BY c.segment = $2 DESC LIMIT 1', shop)
        INTO content USING slot, clientele.assign_segment(customer, shop, 'main', as_of);
    RETURN content;
END $$;
COMMENT ON FUNCTION clientele._content_for(text, text, name, timestamptz) IS 'Internal: content_for for any type of key.';

CREATE FUNCTION clientele.content_for(customer bigint, slot text, store name DEFAULT NULL, as_of timestamptz DEFAULT NULL) RETURNS text
    LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN clientele._content_for(customer::text, slot, store, as_of);
CREATE FUNCTION clientele.content_for(customer uuid, slot text, store name DEFAULT NULL, as_of timestamptz DEFAULT NULL) RETURNS text
    LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN clientele._content_for(customer::text, slot, store, as_of);
CREATE FUNCTION clientele.content_for(customer text, slot text, store name DEFAULT NULL, as_of timestamptz DEFAULT NULL) RETURNS text
    LANGUAGE sql STABLE PARALLEL RESTRICTED RETURN clientele._content_for(customer, slot, store, as_of);
CALL clientele._comment_on_overloads('content_for({key}, text, name, timestamptz)',
    'Which content this customer is shown in a slot: that of the customer''s segment, else that of the default segment, else none (NULL).');
