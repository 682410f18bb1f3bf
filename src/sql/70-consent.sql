-- Consent: who may be made offers at all. It is written and kept as the rules of segments are (see _rule_title).

CREATE FUNCTION clientele._checked_consent(store name, consent text, OUT deparsed text, OUT operands text[], OUT body text)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF consent IS NOT NULL THEN
        SELECT c.deparsed, c.operands, c.body INTO deparsed, operands, body
        FROM clientele._check_expression(consent, clientele._customers_view(store), 'consent', false, '{segment}') c;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._checked_consent(name, text) IS
    'A consent as it is kept; what no rule of a segment may be is refused. NULL for NULL.';

CREATE FUNCTION clientele._consent_of(store name, program text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    consent text;
BEGIN
    EXECUTE format('SELECT coalesce(k.rule, r.rule) FROM %1$I.segment_rules r
        LEFT JOIN clientele._kept_rules(%1$L) k ON k.segmentation = r.segmentation AND k.segment = r.segment
        WHERE r.segmentation = '''' AND r.segment = $1', store) INTO consent USING program;
    RETURN consent;
END $$;
COMMENT ON FUNCTION clientele._consent_of(name, text) IS
    'The consent of a program, with the names that things have now; of an empty name that of all programs; NULL: none is asked for.';

CREATE FUNCTION clientele._write_consent(store name, program text, consent text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    checked record;
BEGIN
    IF clientele._consent_of(store, program) IS NOT DISTINCT FROM consent THEN
        RETURN;
    END IF;
    PERFORM clientele._refresh_rules(store);
    checked := clientele._checked_consent(store, consent);
    EXECUTE format('DELETE FROM %I.segment_rules r WHERE r.segmentation = '''' AND r.segment = $1', store) USING program;
    EXECUTE format('INSERT INTO %1$I.segment_rules (segmentation, segment, priority, rule, operands, sensitive, body)
        SELECT '''', $1, (SELECT coalesce(max(r.priority), 0) + 1 FROM %1$I.segment_rules r WHERE r.segmentation = ''''), $2, $3, true, $4
        WHERE $2 IS NOT NULL', store) USING program, checked.deparsed, checked.operands, checked.body;
    PERFORM clientele._regenerate_segments(store);
END $$;
COMMENT ON FUNCTION clientele._write_consent(name, text, text) IS
    'Sets the consent of a program, or of all (an empty name), or takes it away (NULL), by whoever has locked the store.';

CREATE FUNCTION clientele.set_consent(store name, consent text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._lock_store(store);
    PERFORM clientele._write_consent(store, '', (clientele._checked_consent(store, consent)).deparsed);
    PERFORM clientele._note_definitions(store);
END $$;
COMMENT ON FUNCTION clientele.set_consent(name, text) IS
    'What all programs of a store ask of a customer before they offer anything, beside the consent of their own: a boolean expression over '
    'the columns of the view customers, as a rule of a segment is; owner only. Who does not fulfil it, or of whom it is not known, is '
    'refused, with the reason no_consent, and is not held out of anything either. NULL: none. Offers that are open stay open.';

-- Of a definition that is only looked at, nobody has computed yet who consents.
CREATE FUNCTION clientele._without_consent(no_consent text, program text, consents text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    RETURN format('array_remove(%1$s, %2$L::text) || CASE WHEN NOT %3$s THEN ARRAY[%2$L::text] END', no_consent, program, consents);
COMMENT ON FUNCTION clientele._without_consent(text, text, text) IS
    'The programs without a customer''s consent, as an SQL expression, where that of one program is another one than the store''s: '
    'no_consent and consents are expressions, too.';
