\echo Use "CREATE EXTENSION clientele" to load this file. \quit

-- The schema is a member of the extension, and belongs to whoever this script runs as: a superuser, also where an ordinary role
-- installs the extension. So that role cannot put anything next to our objects which others would then run, and no dump has the schema.
-- One that is there already is taken over if nobody can have prepared it.
DO $$
DECLARE
    present pg_namespace;
BEGIN
    SELECT * INTO present FROM pg_namespace WHERE nspname = 'clientele';
    IF NOT FOUND THEN
        CREATE SCHEMA clientele;
        RETURN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = present.nspowner
            AND (r.rolsuper OR r.oid = (SELECT e.extowner FROM pg_extension e WHERE e.extname = 'clientele'))) THEN
        RAISE EXCEPTION 'schema clientele belongs to another role: %', present.nspowner::regrole USING ERRCODE = 'insufficient_privilege',
            DETAIL = 'What that role has put there, or puts there later, would run as whoever uses the extension.',
            HINT = 'Drop the schema: CREATE EXTENSION creates it.';
    END IF;
    IF present.nspacl IS NOT NULL OR EXISTS (SELECT FROM pg_depend d WHERE d.refclassid = 'pg_namespace'::regclass
        AND d.refobjid = present.oid) THEN
        RAISE EXCEPTION 'schema clientele exists, and is not empty or others have rights on it'
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'What others have put there, or put there later, would run as whoever uses the extension.',
            HINT = 'Drop the schema, or rename it: CREATE EXTENSION creates it.';
    END IF;
    ALTER SCHEMA clientele OWNER TO CURRENT_USER;
    ALTER EXTENSION clientele ADD SCHEMA clientele;
END $$;

GRANT USAGE ON SCHEMA clientele TO PUBLIC;
