-- Texts made of templates, for the SQL that stores generate.

CREATE FUNCTION clientele._fill(template pg_catalog.text, VARIADIC pairs pg_catalog.text[]) RETURNS pg_catalog.text
    AS 'MODULE_PATHNAME', 'clientele_fill' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._fill(pg_catalog.text, pg_catalog.text[]) IS
    'Internal: the template with a value in the place of each marker {name}; pairs are names and values in turn. A name is of the letters '
    'a to z and _, and any other brace is a brace, as in ''{}''. One pass: a value that looks like a marker stays as it is, so a marker '
    'that is to stand for itself is given as its own value. A NULL value is an empty text. A marker without a value, a value whose marker '
    'does not occur, two values for one marker, another name and a name without a value are errors.';

CREATE FUNCTION clientele._counted(number pg_catalog.numeric, noun pg_catalog.text) RETURNS pg_catalog.text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('%s %s%s', number, noun, CASE WHEN number <> 1 THEN 's' END)
$$;
COMMENT ON FUNCTION clientele._counted(pg_catalog.numeric, pg_catalog.text) IS 'Internal: a number of things, in words: 1 order, 2 orders.';

-- Names are parts of keys: an entry of an index has room for two of so many bytes.
CREATE FUNCTION clientele._check_name(argument pg_catalog.text, given pg_catalog.text, hint pg_catalog.text) RETURNS pg_catalog.void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    most constant integer := 1200;
BEGIN
    IF btrim(given) = '' THEN
        RAISE EXCEPTION '% must not be empty', argument USING ERRCODE = 'invalid_parameter_value', HINT = hint;
    ELSIF octet_length(given) > most THEN
        RAISE EXCEPTION '% is too long', argument USING ERRCODE = 'name_too_long',
            DETAIL = format('It has %s bytes, a name has at most %s.', octet_length(given), most), HINT = hint;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_name(pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
    'Internal: refuses a name that a user gives something where it is empty or has more than 1,200 bytes.';

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
