-- Stores: where a shop's orders are, and the tables and views that a store consists of.

-- Nobody but a store uses it: what depends on it is how stores are found, and keeps the extension from being dropped under them.
CREATE DOMAIN clientele.store_version AS integer;
COMMENT ON DOMAIN clientele.store_version IS
    'The version of what create_store() created. Stores are found by their table "settings", which has a column of this type.';

-- A release that changes views or tables of stores makes it one more; upgrade_store() then creates the views anew.
CREATE FUNCTION clientele._store_version() RETURNS clientele.store_version
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN 1;
COMMENT ON FUNCTION clientele._store_version() IS
    'The version of stores that this release makes, and to which upgrade_store() brings older ones.';

-- The table "settings" of a store has these columns, and belongs to the store alone: a table OF this type could not be distributed, and a
-- change of the type would lock all stores at once. What is added later is an option, so that a store that was created before is still one.
CREATE TYPE clientele.store_settings AS (
    version clientele.store_version,
    orders regclass, customer_id name, ordered_at name, amount name, order_id name,
    refunded name, discount name, order_filter text,
    customers regclass, customer_key name, attributes text[],
    items regclass, item_order_id name, item_category name, item_amount name,
    currency text, time_zone text, margin numeric, live boolean,
    fresh_to timestamptz, id uuid, global_holdout double precision, seed text,
    orders_name text, customers_name text, items_name text, zone_digests bigint[], options jsonb);
COMMENT ON TYPE clientele.store_settings IS
    'What a store was created with, and what was changed since. fresh_to: orders up to then were in the profiles at the last refresh. '
    'id: names the store in the arguments of its triggers. global_holdout: share of customers whom no program offers anything. '
    'seed: what its random choices are hashed with, its name at creation: who is held out stays so under another name. '
    'orders, customers, items: NULL while the store is detached. orders_name, customers_name, items_name: what these tables were called '
    'when they were named. '
    'zone_digests: the rules of time_zone by which the profiles were counted (see _zone_digests). '
    'options: settings by name that have defaults, where they differ (see _option).';

CREATE FUNCTION clientele._option(settings clientele.store_settings, name text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(settings.options ->> name,
        '{"keep_events": "90 days", "clock_tolerance": "1 minute", "refresh_overdue_after": "1 day"}'::jsonb ->> name)
$$;
COMMENT ON FUNCTION clientele._option(clientele.store_settings, text) IS
    'An option of a store, or its default. keep_events: how long events are kept that a consumer has not read. '
    'clock_tolerance: by how much the clocks of tills may differ from the server''s. refresh_overdue_after: for how long a store may go '
    'without a refresh. '
    'Whoever owns the store may have written anything there: cast it in what that owner runs, and not in what lists the stores of others.';

-- Names and types.

CREATE FUNCTION clientele._check_time_zone(time_zone text) RETURNS text
    AS 'MODULE_PATHNAME', 'clientele_check_time_zone' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._check_time_zone(text) IS
    'The zone''s name as pg_timezone_names spells it, a former one (US/Pacific) replaced by the present one; anything else is an error.';

CREATE FUNCTION clientele._spelt_time_zone(time_zone text) RETURNS text
    LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN clientele._check_time_zone(time_zone);
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN time_zone;
END $$;
COMMENT ON FUNCTION clientele._spelt_time_zone(text) IS
    'The zone''s name as _check_time_zone() gives it; what is none stays as it is, to be refused along with all else that is wrong.';

CREATE FUNCTION clientele._is_time_zone(time_zone text) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clientele_is_time_zone' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._is_time_zone(text) IS 'Whether this server knows the zone, be it by another name that it has or had.';

CREATE FUNCTION clientele._zone_digests(time_zone text) RETURNS bigint[]
    AS 'MODULE_PATHNAME', 'clientele_zone_digests' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._zone_digests(text) IS
    'What tells the rules of a time zone from those of another server, or of another time: for each year from 1970 to 2100 a digest of '
    'those since 1970 and before it.';

CREATE FUNCTION clientele._zone_differs_from(time_zone text, digests bigint[]) RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'clientele_zone_differs_from' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION clientele._zone_differs_from(text, bigint[]) IS
    'The start of the year from which on the rules of a time zone differ from those of the digests; NULL where they are the same; '
    '-infinity without digests.';

CREATE FUNCTION clientele._nearly_all(internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'clientele_nearly_all' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._nearly_all(internal) IS 'Planner support: the function is true of nearly every row.';

CREATE FUNCTION clientele._countable(ordered_at timestamptz, amount numeric) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clientele_countable' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10  -- what else is asked goes first
    SUPPORT clientele._nearly_all;
COMMENT ON FUNCTION clientele._countable(timestamptz, numeric) IS
    'Whether a store counts an order of that time and amount: from 0001-01-02 to 9999-12-29 (UTC), above -10^13 and below 10^13. NULL is '
    'no reason to leave one out.';

CREATE FUNCTION clientele._fits_index(key "any") RETURNS boolean
    AS 'MODULE_PATHNAME', 'clientele_fits_index' LANGUAGE C IMMUTABLE PARALLEL SAFE SUPPORT clientele._nearly_all;
COMMENT ON FUNCTION clientele._fits_index("any") IS 'Whether a key is short enough for an index: at most 2,000 bytes.';

CREATE FUNCTION clientele._hardly_any(internal) RETURNS internal
    AS 'MODULE_PATHNAME', 'clientele_hardly_any' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._hardly_any(internal) IS 'Planner support: the function is true of hardly any row.';

CREATE FUNCTION clientele._has_orders_since(p clientele.order_profile, since timestamptz) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clientele_has_orders_since' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE SUPPORT clientele._hardly_any;
COMMENT ON FUNCTION clientele._has_orders_since(clientele.order_profile, timestamptz) IS
    'Whether an order of the profile was placed then or later; since -infinity every profile has something.';

CREATE FUNCTION clientele._instant(local timestamp, time_zone text) RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'clientele_instant' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._instant(timestamp, text) IS
    'A local time of one of pg_timezone_names as an instant. AT TIME ZONE would take CET, EET, MET and WET for abbreviations, which know '
    'no summer.';

CREATE FUNCTION clientele._bound_at(bound text, type regtype, time_zone text) RETURNS timestamptz
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT CASE WHEN type = 'timestamptz'::regtype OR NOT isfinite(bound::timestamp) THEN bound::timestamptz
        ELSE clientele._instant(bound::timestamp, time_zone) END
$$;
COMMENT ON FUNCTION clientele._bound_at(text, regtype, text) IS
    'The bound of a partition, of timestamptz, timestamp or date, as an instant: local times are those of the store''s zone.';

CREATE FUNCTION clientele._day_start(at timestamptz, time_zone text) RETURNS timestamptz
    AS 'MODULE_PATHNAME', 'clientele_day_start' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._day_start(timestamptz, text) IS
    'What _instant() gives for the calendar day, in one of pg_timezone_names, that an instant belongs to.';

CREATE FUNCTION clientele._tie(ordered_at timestamptz, time_zone text, order_id anyelement) RETURNS bigint
    AS 'MODULE_PATHNAME', 'clientele_tie' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._tie(timestamptz, text, anyelement) IS
    'What ranks orders that are dated by their day alone (their time is the midnight of one, in one of pg_timezone_names): a number that '
    'grows as order ids do. Of texts it is the number that they end in, of others and of uuids it is made of the first eight bytes. NULL: '
    'other times, and other types.';

CREATE FUNCTION clientele._local_day(instant timestamptz, time_zone text) RETURNS date
    AS 'MODULE_PATHNAME', 'clientele_local_day' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._local_day(timestamptz, text) IS
    'The calendar day of a finite instant in one of pg_timezone_names; AT TIME ZONE would take some of them for abbreviations.';
CREATE FUNCTION clientele._last_day(ends_at timestamptz, time_zone text) RETURNS date
    AS 'MODULE_PATHNAME', 'clientele_last_day' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._last_day(timestamptz, text) IS
    'The last calendar day on which something holds that ends at a finite instant, exclusive.';

CREATE FUNCTION clientele._require(argument text, given boolean) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT given THEN
        RAISE EXCEPTION '% must not be NULL', argument USING ERRCODE = 'null_value_not_allowed';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._require(text, boolean) IS 'Refuses a missing argument by name.';

CREATE FUNCTION clientele._warn_of_seconds(argument text, given interval) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF given > interval '0' AND given < interval '1 hour' THEN
        RAISE WARNING '% is only %', argument, clientele._counted(trim_scale(extract(epoch FROM given)), 'second')
            USING HINT = format('A number alone is seconds. Days are written so: %s => ''14 days''.', argument);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._warn_of_seconds(text, interval) IS
    'Says what was understood of an interval that was probably meant as days.';

-- A number can be cast to regclass, whether there is such a table or not.
CREATE FUNCTION clientele._require_relation(relation regclass) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = relation) THEN
        RAISE EXCEPTION 'there is no table with the OID %', relation::oid USING ERRCODE = 'undefined_table',
            HINT = 'Name a table, a partitioned table or a view, such as ''public.orders''.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._require_relation(regclass) IS 'Refuses the number of a table that does not exist.';

CREATE FUNCTION clientele._require_schema(relation regclass) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    schema name := (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation);
BEGIN
    IF NOT has_schema_privilege(schema, 'USAGE') THEN
        RAISE EXCEPTION 'permission denied for schema %', quote_ident(schema) USING ERRCODE = 'insufficient_privilege',
            HINT = format('The store''s owner needs USAGE on it: GRANT USAGE ON SCHEMA %I TO %I.', schema, current_user);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._require_schema(regclass) IS 'Refuses a table in a schema that the caller, a store''s owner, may not use.';

-- The type of a column that the caller may read; a clear error otherwise.
CREATE FUNCTION clientele._column_type(relation regclass, column_name name, role text) RETURNS regtype
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    column_type regtype;
BEGIN
    PERFORM clientele._require_relation(relation);
    IF NOT has_any_column_privilege(relation, 'SELECT') THEN
        RAISE EXCEPTION 'permission denied for table %', relation USING ERRCODE = 'insufficient_privilege',
            HINT = format('A store needs SELECT on it: GRANT SELECT ON %s TO %I.', relation, current_user);
    END IF;
    SELECT atttypid::regtype INTO column_type FROM pg_attribute
        WHERE attrelid = relation AND attname = column_name AND attnum > 0 AND NOT attisdropped;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'column "%" of % does not exist', column_name, relation USING ERRCODE = 'undefined_column',
            DETAIL = format('It was named as %s. The columns are: %s.', role, (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)
                FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped)),
            HINT = format('Pass the name of the column: %s => ''...''.', role);
    END IF;
    IF NOT has_column_privilege(relation, column_name::text, 'SELECT') THEN
        RAISE EXCEPTION 'permission denied for column "%" of %', column_name, relation USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN column_type;
END $$;
COMMENT ON FUNCTION clientele._column_type(regclass, name, text) IS
    'The type of a column; refuses missing and unreadable ones. role: the argument that named it.';

-- A view is the way out that a live store has not. The cast of money depends on settings, its division does not.
CREATE FUNCTION clientele._money_hint(relation regclass, column_name name, role text, type regtype) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('A stored generated column converts it, also for a live store: ALTER TABLE %s ADD COLUMN %I numeric '
        'GENERATED ALWAYS AS (%s) STORED; then %s => %L.', relation, n.name, format(
            CASE type WHEN 'money'::regtype THEN '(%I / ''1''::money)::numeric' ELSE '%I::numeric' END, column_name), role, n.name)
    FROM (SELECT left(column_name, 55) || '_exact') n (name)
    WHERE role IN ('amount', 'refunded', 'discount', 'item_amount') AND type = ANY ('{money,real,float8,text,varchar}'::regtype[])
      AND (SELECT relkind FROM pg_class WHERE oid = relation) IN ('r', 'p')
$$;
COMMENT ON FUNCTION clientele._money_hint(regclass, name, text, regtype) IS
    'How a column of a table that holds amounts as money, floating point numbers or text comes to be one that a store can read; NULL for '
    'others.';

CREATE FUNCTION clientele._check_type(relation regclass, column_name name, role text, accepted regtype[]) RETURNS regtype
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found regtype := clientele._column_type(relation, column_name, role);
BEGIN
    IF found <> ALL (accepted) THEN
        RAISE EXCEPTION 'column "%" of % has the wrong type for %: %', column_name, relation, role, found
            USING ERRCODE = 'datatype_mismatch',
            DETAIL = format('Accepted: %s.', array_to_string(accepted, ', ')),
            HINT = coalesce(clientele._money_hint(relation, column_name, role, found), 'A view over the table can cast it.');
    END IF;
    RETURN found;
END $$;
COMMENT ON FUNCTION clientele._check_type(regclass, name, text, regtype[]) IS
    'The type of a column, which must be one of the accepted ones.';

CREATE FUNCTION clientele._is_sortable(type regtype) RETURNS boolean
    AS 'MODULE_PATHNAME', 'clientele_is_sortable' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._is_sortable(regtype) IS 'Whether values of a type can be compared and sorted, as an index does.';

CREATE FUNCTION clientele._check_order_id(relation regclass, column_name name, role text) RETURNS regtype
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found regtype := clientele._column_type(relation, column_name, role);
BEGIN
    IF NOT clientele._is_sortable(found) THEN
        RAISE EXCEPTION 'column "%" of % has the wrong type for %: %', column_name, relation, role, found
            USING ERRCODE = 'datatype_mismatch',
            DETAIL = 'Orders are told apart by their ids, and found by them through an index; '
                'values of this type can be neither compared nor sorted.',
            HINT = 'A view over the table can cast it; a store without items does without: order_id => NULL.';
    END IF;
    IF NOT clientele._is_built_in(found)
            AND EXISTS (SELECT FROM pg_range WHERE clientele._stored_type(found)::regtype IN (rngtypid, rngmultitypid)) THEN
        RAISE EXCEPTION 'column "%" of % has the wrong type for %: %', column_name, relation, role, found
            USING ERRCODE = 'datatype_mismatch',
            DETAIL = 'ANALYZE runs functions of ranges that are not PostgreSQL''s own, whose owners may change them.',
            HINT = 'A view over the table can cast it; a store without items does without: order_id => NULL.';
    END IF;
    RETURN found;
END $$;
COMMENT ON FUNCTION clientele._check_order_id(regclass, name, text) IS
    'The type of a column of order ids, which must be one that can be sorted.';

-- The names of character(n) and bit(n) alone mean a length of 1; and a domain may refuse what we keep, such as no value.
CREATE FUNCTION clientele._stored_type(type regtype) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH RECURSIVE types (type) AS (
        SELECT type::oid UNION ALL SELECT d.typbasetype FROM types t JOIN pg_type d ON d.oid = t.type AND d.typtype = 'd')
    SELECT format_type(t.type, -1) FROM types t JOIN pg_type b ON b.oid = t.type AND b.typtype <> 'd'
$$;
COMMENT ON FUNCTION clientele._stored_type(regtype) IS
    'The name of the type in which values of a type are kept: of any length, and of a domain the type below it.';

-- A cast belongs to the owner of its type, who may make one at any time; whoever reads a store must not run it.
CREATE FUNCTION clientele._is_built_in(type regtype) RETURNS boolean
    LANGUAGE sql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    RETURN clientele._stored_type(type)::regtype::oid < 16384;
COMMENT ON FUNCTION clientele._is_built_in(regtype) IS
    'Whether a type, or the one below a domain, is PostgreSQL''s own, so that its casts are nobody else''s.';
CREATE FUNCTION clientele._as_text(expression text) RETURNS text
    AS 'MODULE_PATHNAME', 'clientele_as_text' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._as_text(text) IS
    'The text of a value of any type, as an SQL expression over it: as its type writes it, without a cast. NULL where it is NULL.';
CREATE FUNCTION clientele._as_jsonb(value anyelement) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN clientele._is_built_in(pg_typeof(value)) THEN to_jsonb(value)
        WHEN value IS DISTINCT FROM NULL THEN to_jsonb(format('%s', value)) END
$$;
COMMENT ON FUNCTION clientele._as_jsonb(anyelement) IS
    'A value of any type as jsonb: one whose type is not PostgreSQL''s own as text, without a cast.';

CREATE FUNCTION clientele._check_relation(relation regclass, role text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require_relation(relation);
    IF (SELECT relkind FROM pg_class WHERE oid = relation) NOT IN ('r', 'p', 'v', 'm', 'f') THEN
        RAISE EXCEPTION '% cannot be the % of a store', relation, role USING ERRCODE = 'wrong_object_type',
            HINT = 'Name a table, a partitioned table or a view.';
    END IF;
    IF (SELECT relpersistence FROM pg_class WHERE oid = relation) = 't' THEN
        RAISE EXCEPTION '% is a temporary table and cannot be the % of a store', relation, role USING ERRCODE = 'wrong_object_type';
    END IF;
    PERFORM clientele._require_schema(relation);
END $$;
COMMENT ON FUNCTION clientele._check_relation(regclass, text) IS
    'Refuses what is neither a table nor a view, and what is in a schema that the caller may not use.';

-- Functions that clientele.alerts calls for each store are in PL/pgSQL, which keeps its plans; SQL would plan them anew each time.
CREATE FUNCTION clientele._full_name(relation regclass) RETURNS text
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid = relation);
END $$;
COMMENT ON FUNCTION clientele._full_name(regclass) IS 'The name of a table with its schema, whatever the search path.';

-- By the catalogues alone: who looks may have no right to name what is in the schema. And a name of another form, which a store's owner
-- may have written, must not fail whoever lists the stores.
CREATE FUNCTION clientele._table_named(full_name text) RETURNS regclass
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parts text[];
BEGIN
    IF length(full_name) > 300 OR full_name !~ '^("([^"]|"")+"|[a-z_][a-z0-9_]*)[.]("([^"]|"")+"|[a-z_][a-z0-9_]*)$' THEN
        RETURN NULL;
    END IF;
    parts := parse_ident(full_name);
    RETURN (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = parts[1] AND c.relname = parts[2] AND c.relkind IN ('r', 'p', 'v', 'm', 'f'));
END $$;
COMMENT ON FUNCTION clientele._table_named(text) IS 'The table or view that _full_name() gives this name; NULL where there is none.';

-- The stores of others.

CREATE FUNCTION clientele._plain_rows(relation oid, row_type anyelement, required boolean DEFAULT false, largest bigint DEFAULT NULL)
    RETURNS SETOF anyelement
    AS 'MODULE_PATHNAME', 'clientele_plain_rows' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION clientele._plain_rows(oid, anyelement, boolean, bigint) IS
    'The rows of a table of anybody, read without running its owner''s code and without waiting. row_type: NULL of a composite type, '
    'which says the columns. '
    'None where the table is no ordinary one with columns of these very types, has row-level security, is locked, or the caller may not '
    'read it; required: an error instead. largest: how many bytes it may have.';

CREATE FUNCTION clientele._settings_table(schema oid) RETURNS oid
    AS 'MODULE_PATHNAME', 'clientele_settings_table' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._settings_table(oid) IS
    'The table settings in a schema, where that is a store: an ordinary table, its columns those of store_settings; NULL otherwise.';

-- Nobody but a store uses it: what depends on it is how tables of health are found.
CREATE DOMAIN clientele.health_part AS text;
COMMENT ON DOMAIN clientele.health_part IS
    'What a row of a store''s table health is about. These tables are found by their column of this type.';

-- Whoever may create something else in the schema could otherwise put a table there that the store writes to. By what alerts say,
-- one a store, so that nobody can make many of them to be read.
CREATE FUNCTION clientele._healths(schema oid DEFAULT NULL) RETURNS TABLE (name name, owner oid, schema_oid oid, health oid)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT DISTINCT ON (n.oid) n.nspname, n.nspowner, n.oid, c.oid
    FROM pg_depend d JOIN pg_class c ON c.oid = d.objid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_class s ON s.relnamespace = n.oid AND s.relname = 'settings'
    WHERE d.classid = 'pg_class'::regclass AND d.objsubid > 0 AND d.refclassid = 'pg_type'::regclass
      AND d.refobjid = 'clientele.health_part'::regtype AND c.relkind = 'r' AND c.relowner = coalesce(s.relowner, n.nspowner)
      AND (schema IS NULL OR n.oid = schema)
    ORDER BY n.oid, c.relname <> 'health', c.oid;
END $$;
COMMENT ON FUNCTION clientele._healths(oid) IS
    'The tables of health of the stores, or of the store in a schema: those that are the owner''s, whatever they are called.';

CREATE FUNCTION clientele._health_of(store name) RETURNS regclass
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT h.health::regclass FROM pg_namespace n CROSS JOIN LATERAL clientele._healths(n.oid) h WHERE n.nspname = store
$$;
COMMENT ON FUNCTION clientele._health_of(name) IS 'The table of health of a store; NULL where it has none any more.';

-- Found by what depends on a type of ours, rather than among all tables.
CREATE FUNCTION clientele._usable_stores() RETURNS TABLE (store name, schema oid, owner oid, settings clientele.store_settings)
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT n.nspname, n.oid, n.nspowner, s
    FROM pg_depend d JOIN pg_class c ON c.oid = d.objid JOIN pg_namespace n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (SELECT r FROM clientele._plain_rows(c.oid, NULL::clientele.store_settings) r LIMIT 1) t (s)
    WHERE d.classid = 'pg_class'::regclass AND d.objsubid > 0 AND d.refclassid = 'pg_type'::regclass
      AND d.refobjid = 'clientele.store_version'::regtype AND c.oid = clientele._settings_table(n.oid)
    ORDER BY n.nspname
$$;
COMMENT ON FUNCTION clientele._usable_stores() IS 'The stores that the caller may use. Reads what others own, and runs none of their code.';

-- Whoever may create a store could otherwise break everybody's look-ups that name none, by granting them one; and have a superuser, who may
-- use it without being asked, run its functions.
CREATE FUNCTION clientele._unnamed_stores() RETURNS TABLE (store name)
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    WITH usable AS (
        SELECT u.store, me.rolsuper AS by_superuser, r.rolsuper OR r.oid = d.datdba OR r.oid = e.extowner OR r.rolname = current_user
            OR NOT me.rolsuper AND pg_has_role(r.oid, 'USAGE') AS trusted
        FROM clientele._usable_stores() u JOIN pg_roles r ON r.oid = u.owner JOIN pg_roles me ON me.rolname = current_user
            JOIN pg_database d ON d.datname = current_database() JOIN pg_extension e ON e.extname = 'clientele'
    )
    SELECT u.store FROM usable u WHERE u.trusted OR NOT u.by_superuser AND NOT EXISTS (SELECT FROM usable o WHERE o.trusted)
$$;
COMMENT ON FUNCTION clientele._unnamed_stores() IS
    'The stores among which a call that names none looks for the only one: those of superusers, of the owners of the database and of the '
    'extension, and of the caller''s roles; all where there are none of these, but for a superuser.';

-- A store has one row of settings; its name is that of its schema.
CREATE FUNCTION clientele._settings(store name) RETURNS clientele.store_settings
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings;
    rows bigint;
BEGIN
    store := clientele._resolve_store(store);
    EXECUTE format('SELECT * FROM %I.settings LIMIT 2', store) INTO settings;
    GET DIAGNOSTICS rows = ROW_COUNT;
    IF rows <> 1 THEN
        RAISE EXCEPTION 'store % has % settings', quote_ident(store), CASE rows WHEN 0 THEN 'no' ELSE 'several' END
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = 'Its table settings has one row, which create_store() writes.',
            HINT = format('Give it that row back, or drop what is left of the store: DROP SCHEMA %I CASCADE.', store);
    END IF;
    RETURN settings;
END $$;
COMMENT ON FUNCTION clientele._settings(name) IS 'The settings of a store that the caller may use.';

CREATE FUNCTION clientele._seed(store name) RETURNS text
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp RETURN (clientele._settings(store)).seed;
COMMENT ON FUNCTION clientele._seed(name) IS
    'What the seeds of a store''s random choices begin with: the name that it was created under, so that a rename of its schema draws '
    'nothing anew.';

CREATE FUNCTION clientele._resolve_store(store name) RETURNS name
    AS 'MODULE_PATHNAME', 'clientele_resolve_store' LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION clientele._resolve_store(name) IS
    'The store that is meant: the one named, else the setting clientele.store, else the only one that the caller may use; an error '
    'otherwise.';

CREATE FUNCTION clientele._require_store(store name) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require('store', store IS NOT NULL);
    IF store = '' THEN
        RAISE EXCEPTION 'a store needs a name' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM clientele._resolve_store(store);
END $$;
COMMENT ON FUNCTION clientele._require_store(name) IS
    'Refuses a store that was not named or that the caller may not use: what writes asks for the name.';

CREATE FUNCTION clientele._lock_store(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require_owner(store);
    -- A write rather than a lock: a definer whose snapshot is older than the last definition gets a serialization failure.
    EXECUTE format('UPDATE %I.settings SET version = version', store);
    PERFORM clientele._settings(store);  -- there is one row, or it is an error
END $$;
COMMENT ON FUNCTION clientele._lock_store(name) IS 'Lets one definition at a time change a store, and its owner only. Readers do not wait.';

CREATE FUNCTION clientele._lock_if_free(store name) RETURNS boolean
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_free boolean;
BEGIN
    EXECUTE format('SELECT true FROM %I.settings FOR UPDATE SKIP LOCKED', store) INTO is_free;
    RETURN is_free IS TRUE;
END $$;
COMMENT ON FUNCTION clientele._lock_if_free(name) IS
    'Locks a store where nobody else has, and says whether it did: for who holds locks that whoever has it may be waiting for.';

-- The error ends a subtransaction, and with it the lock.
CREATE FUNCTION clientele._await_store(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._lock_store(store);
    RAISE EXCEPTION 'store % is free', quote_ident(store) USING ERRCODE = 'CL001';
EXCEPTION WHEN SQLSTATE 'CL001' THEN
    RETURN;
END $$;
COMMENT ON FUNCTION clientele._await_store(name) IS 'Waits until nobody has locked a store, and does not lock it.';

CREATE FUNCTION clientele._key_type(store name) RETURNS regtype
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT atttypid::regtype FROM pg_attribute
    WHERE attrelid = format('%I.profiles', store)::regclass AND attname = 'customer_id'
$$;
COMMENT ON FUNCTION clientele._key_type(name) IS 'The type of a store''s customer key.';

CREATE FUNCTION clientele._equality(type regtype) RETURNS text
    AS 'MODULE_PATHNAME', 'clientele__equality' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._equality(regtype) IS
    'The operator by which values of a type are equal, qualified: types of extensions have their own, without which citext would be '
    'compared as text.';

CREATE FUNCTION clientele._order_equality(store name) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._equality(atttypid) FROM pg_attribute WHERE attrelid = format('%I.ledger', store)::regclass AND attname = 'order_id'
$$;
COMMENT ON FUNCTION clientele._order_equality(name) IS 'The operator by which a store''s order ids are equal.';

-- The customers table may order its keys by another collation than the store's own tables.
CREATE FUNCTION clientele._key_collation(store name) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN typcollation <> 0 THEN ' COLLATE pg_catalog."default"' ELSE '' END FROM pg_type WHERE oid = clientele._key_type(store)
$$;
COMMENT ON FUNCTION clientele._key_collation(name) IS
    'What follows a store''s customer key where its order matters: one collation for all.';

CREATE FUNCTION clientele._key_literal(store name, customer text) RETURNS text
    AS 'MODULE_PATHNAME', 'clientele_key_literal' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION clientele._key_literal(name, text) IS
    'A customer''s key as an SQL literal of the store''s key type; NULL where no such key can exist; a malformed one is an error.';

-- The attributes of a store: 'column' or 'column AS name'. A view can be given another column at its end alone, so those that were named
-- after its creation come last.
CREATE FUNCTION clientele._attributes(settings clientele.store_settings)
    RETURNS TABLE (ordinal bigint, column_name name, name name, is_late boolean)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    attribute text;
    parts text[];
BEGIN
    ordinal := 0;
    FOREACH attribute IN ARRAY coalesce(settings.attributes, '{}') LOOP
        PERFORM clientele._require('an element of attributes', attribute IS NOT NULL);
        ordinal := ordinal + 1;
        column_name := attribute;
        name := attribute;
        parts := regexp_match(attribute, '^(.+)[[:space:]]+AS[[:space:]]+(.+)$', 'i');
        IF parts IS NOT NULL AND NOT EXISTS (SELECT FROM pg_attribute a
                WHERE a.attrelid = settings.customers AND a.attname = attribute AND NOT a.attisdropped) THEN
            column_name := btrim(parts[1]);
            name := btrim(parts[2]);
        END IF;
        is_late := coalesce(ordinal > (settings.options ->> 'first_attributes')::bigint, false);
        RETURN NEXT;
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._attributes(clientele.store_settings) IS
    'The attributes that a store shows: the customers'' columns and the names that rules use; late: those that were named after its '
    'creation.';

-- The columns of a store's view "customers": name, type, and expression over _base (b) and scoring (s). The functions over its
-- rules take all of them, so that the n-th parameter is the n-th column; the segment comes of them, and is NULL there.
CREATE FUNCTION clientele._customer_columns(settings clientele.store_settings, margin text DEFAULT 'NULL::pg_catalog.numeric',
        segment text DEFAULT 'NULL::pg_catalog.text')
    RETURNS TABLE (ordinal bigint, name name, type text, expression text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH fixed (name, type, arguments, without_orders) AS (VALUES
        ('orders', 'bigint', 'b.profile', '0'), ('purchase_days', 'bigint', 'b.profile', '0'), ('refunds', 'bigint', 'b.profile', '0'),
        ('first_order_at', 'timestamptz', 'b.profile', NULL), ('last_order_at', 'timestamptz', 'b.profile', NULL),
        ('gross_spent', 'numeric', 'b.profile', '0'), ('total_spent', 'numeric', 'b.profile', '0'),
        ('aov', 'numeric', 'b.profile', NULL), ('typical_order_value', 'numeric', 'b.profile', NULL),
        ('typical_cv', 'double precision', 'b.profile', NULL), ('last_order_value', 'numeric', 'b.profile', NULL),
        ('order_value_cv', 'double precision', 'b.profile', NULL),
        ('recency_days', 'integer', 'b.profile, b.as_of', NULL), ('tenure_days', 'integer', 'b.profile, b.as_of', NULL),
        ('mean_days_between_orders', 'double precision', 'b.profile', NULL),
        ('median_days_between_orders', 'double precision', 'b.profile', NULL),
        ('evening_share', 'double precision', 'b.profile', NULL), ('weekend_share', 'double precision', 'b.profile', NULL),
        ('repeat_purchases', 'bigint', 'b.profile', '0'), ('last_purchase_age', 'integer', 'b.profile', NULL),
        ('age', 'integer', 'b.profile, b.as_of', NULL), ('repeat_day_value', 'numeric', 'b.profile', NULL)
    ), columns (part, ordinal, name, type, expression) AS (
        SELECT 1, 0, 'customer_id', clientele._column_type(settings.orders, settings.customer_id, 'customer_id')::text, 'b.customer_id'
        UNION ALL
        SELECT 2, row_number() OVER (), f.name, f.type,
            CASE WHEN without_orders IS NULL THEN format('clientele.%I(%s)', f.name, arguments)
                 ELSE format('COALESCE(clientele.%I(%s), %s)', f.name, arguments, without_orders) END FROM fixed f
        UNION ALL SELECT 3, 0, 'category_mix', 'jsonb', 'b.category_mix'
        UNION ALL
        SELECT 4, a.ordinal, a.name, clientele._column_type(settings.customers, a.column_name, 'attributes')::text, format('b.%I', a.name)
        FROM clientele._attributes(settings) a WHERE NOT a.is_late
        UNION ALL SELECT 5, 0, 'as_of', 'timestamptz', 'b.as_of'
        UNION ALL
        -- s is the store's one row of scoring: all of it is NULL until there are breaks, or a model.
        SELECT 6, row_number() OVER (), s.name, s.type, 'clientele._' || s.expression
        FROM (VALUES ('r_score', 'integer', 'r_score(b.profile, b.as_of, s.breaks_r)'),
            ('f_score', 'integer', 'f_score(b.profile, s.breaks_f)'),
            ('m_score', 'integer', 'm_score(b.profile, s.breaks_m)'),
            ('p_alive', 'double precision', 'p_alive(s.purchase_kind, s.purchase, b.profile, b.as_of)'),
            ('expected_orders_90d', 'double precision',
                'expected_orders(s.purchase_kind, s.purchase, 90::double precision, b.profile, b.as_of)'),
            ('expected_order_value', 'numeric', 'expected_order_value(s.value, b.profile, s.decimals)'),
            ('clv_1y', 'numeric', 'clv(s.purchase_kind, s.purchase, s.value, 365::double precision, b.profile, b.as_of, ('
                || margin || ')::double precision * s.net_share, s.annual_discount, s.decimals)'),
            ('expected_next_order_at', 'timestamptz',
                'expected_next_order_at(s.purchase_kind, s.purchase, b.profile, b.as_of)')) s (name, type, expression)
        UNION ALL SELECT 7, 0, 'segment', 'text', segment
        UNION ALL SELECT 8, 0, 'profile', 'clientele.order_profile', 'b.profile'
        UNION ALL SELECT 8, 1, 'margin', 'numeric', margin
        UNION ALL
        SELECT 9, a.ordinal, a.name, clientele._column_type(settings.customers, a.column_name, 'attributes')::text, format('b.%I', a.name)
        FROM clientele._attributes(settings) a WHERE a.is_late
    )
    SELECT row_number() OVER (ORDER BY part, ordinal), name::name, type, expression FROM columns
$$;
COMMENT ON FUNCTION clientele._customer_columns(clientele.store_settings, text, text) IS
    'What a store''s view "customers" shows. margin, segment: the expressions of these two.';

