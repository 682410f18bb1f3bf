-- Texts made of templates, for the SQL that stores generate.

CREATE FUNCTION clientele._fill(template pg_catalog.text, VARIADIC pairs pg_catalog.text[]) RETURNS pg_catalog.text
    AS 'MODULE_PATHNAME', 'clientele_fill' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._fill(pg_catalog.text, pg_catalog.text[]) IS
    'Internal: the template with a value in the place of each marker {name}; pairs are names and values in turn. A name is of the letters '
    'a to z and _, and any other brace is a brace, as in ''{}''. One pass: a value that looks like a marker stays as it is, so a marker '
    'that is to stand for itself is given as its own value. A NULL value is an empty text. A marker without a value, a value whose marker '
    'does not occur, two values for one marker, another name and a name without a value are errors.';

-- While this script runs: a comment on the overloads of a function for the three kinds of customer keys, {key} in its signature.
-- 99-end.sql drops it.
CREATE PROCEDURE clientele._comment_on_overloads(signature pg_catalog.text, comment pg_catalog.text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key text;
BEGIN
    FOREACH key IN ARRAY ARRAY['bigint', 'uuid', 'text'] LOOP
        EXECUTE format('COMMENT ON FUNCTION clientele.%s IS %L', clientele._fill(signature, 'key', key), comment);
    END LOOP;
END $$;
