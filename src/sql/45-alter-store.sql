-- Changing a store that is in use: its settings, the tables that it reads, its owner.

-- ---- What is asked for ----

CREATE FUNCTION clientele._store_terms(
    orders regclass, customer_id name, ordered_at name, amount name, order_id name, refunded name, discount name, order_filter text,
    customers regclass, customer_key name, attributes text[], items regclass, item_order_id name, item_category name, item_amount name,
    currency text, time_zone text, margin numeric, live boolean,
    keep_events interval, clock_tolerance interval, refresh_overdue_after interval) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET intervalstyle = 'postgres' AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('orders', orders::oid::text, 'customer_id', customer_id,
        'ordered_at', ordered_at, 'amount', amount,
        'order_id', order_id, 'refunded', refunded, 'discount', discount, 'order_filter', order_filter,
        'customers', customers::oid::text, 'customer_key', customer_key, 'attributes', attributes,
        'items', items::oid::text, 'item_order_id', item_order_id, 'item_category', item_category, 'item_amount', item_amount,
        'currency', currency, 'time_zone', clientele._spelt_time_zone(time_zone), 'margin', margin, 'live', live,
        'keep_events', keep_events, 'clock_tolerance', clock_tolerance, 'refresh_overdue_after', refresh_overdue_after))
$$;
COMMENT ON FUNCTION clientele._store_terms(regclass, name, name, name, name, name, name, text, regclass,
    name, text[], regclass, name, name, name,
    text, text, numeric, boolean, interval, interval, interval) IS
    'The arguments of alter_store() and attach_store() by name, without those that are NULL.';

CREATE FUNCTION clientele._check_changes(given jsonb, reset text[]) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known constant text[] := '{order_id,refunded,discount,order_filter,customers,attributes,items}'::text[]
        || '{keep_events,clock_tolerance,refresh_overdue_after,item_product,item_quantity,products,product_available}'::text[];
    wrong text := (SELECT string_agg(coalesce('"' || r || '"', 'NULL'), ', ') FROM unnest(reset) r WHERE (r = ANY (known)) IS NOT TRUE);
BEGIN
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'cannot reset %', wrong USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('What a store can do without, or has a default for: %s.', array_to_string(known, ', '));
    END IF;
    SELECT string_agg(r, ', ') INTO wrong FROM unnest(reset) r WHERE given ? r;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION '% cannot be given and reset at once', wrong USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM clientele._warn_of_seconds(o, (given ->> o)::interval) FROM unnest('{keep_events,refresh_overdue_after}'::text[]) o;
END $$;
COMMENT ON FUNCTION clientele._check_changes(jsonb, text[]) IS 'Refuses what cannot be reset, or is given as well.';

CREATE FUNCTION clientele._concerns_sources(given jsonb, reset text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM unnest(ARRAY(SELECT jsonb_object_keys(given)) || reset) k
        WHERE k <> ALL ('{currency,margin,live,keep_events,clock_tolerance,refresh_overdue_after}'))
$$;
COMMENT ON FUNCTION clientele._concerns_sources(jsonb, text[]) IS 'Whether a change is one of what a store reads, or how.';

-- Attributes keep their places; others follow them.
CREATE FUNCTION clientele._ordered_attributes(former clientele.store_settings, wanted clientele.store_settings) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY(SELECT w.spelt FROM (SELECT a.*, wanted.attributes[a.ordinal] AS spelt FROM clientele._attributes(wanted) a) w
        LEFT JOIN clientele._attributes(former) f ON f.name = w.name ORDER BY f.ordinal NULLS LAST, w.ordinal)
$$;
COMMENT ON FUNCTION clientele._ordered_attributes(clientele.store_settings, clientele.store_settings) IS
    'The attributes that are wanted, those that there were first.';

CREATE FUNCTION clientele._wanted_settings(former clientele.store_settings, given jsonb, reset text[])
    RETURNS clientele.store_settings
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    options constant text[] := '{keep_events,clock_tolerance,refresh_overdue_after}' || clientele._product_settings();
    wanted clientele.store_settings := jsonb_populate_record(former,
        (SELECT coalesce(jsonb_object_agg(r, NULL), '{}') FROM unnest(reset) r) || given);
BEGIN
    wanted.attributes := coalesce(CASE WHEN wanted.customers IS NOT NULL OR given ? 'attributes' THEN wanted.attributes END, '{}');
    wanted.options := (SELECT coalesce(jsonb_object_agg(o.key, o.value), '{}') FROM jsonb_each(former.options || given) o
        WHERE o.key IN ('first_attributes', 'margin_by_category', 'margin_by_segment', 'contact_limit')
           OR o.key = 'altered' AND former.fresh_to IS NULL
           OR o.key = ANY (options) AND o.key <> ALL (coalesce(reset, '{}')));
    wanted.options := clientele._completed_products(wanted.options, wanted.items IS NOT NULL, given);
    wanted.orders_name := clientele._full_name(wanted.orders);
    wanted.customers_name := clientele._full_name(wanted.customers);
    wanted.items_name := clientele._full_name(wanted.items);
    IF wanted.time_zone <> former.time_zone THEN
        wanted.zone_digests := NULL;  -- everybody is to be counted anew
    END IF;
    IF wanted.attributes <> '{}' THEN
        wanted.attributes := clientele._ordered_attributes(former, wanted);
    END IF;
    IF cardinality(wanted.attributes) > cardinality(former.attributes) THEN
        wanted.options := jsonb_build_object('first_attributes', cardinality(former.attributes)) || wanted.options;
    END IF;
    RETURN wanted;
END $$;
COMMENT ON FUNCTION clientele._wanted_settings(clientele.store_settings, jsonb, text[]) IS
    'The settings of a store with what is given and without what is reset.';

-- ---- What speaks against it ----

CREATE FUNCTION clientele._named_columns(settings clientele.store_settings) RETURNS TABLE (relation regclass, column_name name, role text)
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.* FROM (VALUES (settings.orders, settings.customer_id, 'customer_id'), (settings.orders, settings.ordered_at, 'ordered_at'),
        (settings.orders, settings.amount, 'amount'), (settings.orders, settings.order_id, 'order_id'),
        (settings.orders, settings.refunded, 'refunded'), (settings.orders, settings.discount, 'discount'),
        (settings.customers, settings.customer_key, 'customer_key'),
        (settings.items, settings.item_order_id, 'item_order_id'), (settings.items, settings.item_category, 'item_category'),
        (settings.items, settings.item_amount, 'item_amount'),
        (settings.items, settings.options ->> 'item_product', 'item_product'),
        (settings.items, settings.options ->> 'item_quantity', 'item_quantity')) c (relation, column_name, role)
    WHERE c.relation IS NOT NULL AND c.column_name IS NOT NULL
    UNION ALL SELECT clientele._table_named(settings.options ->> 'products'), p.value, p.key FROM jsonb_each_text(settings.options) p
        WHERE p.key IN ('product_key', 'product_name', 'product_price', 'product_available')
            AND clientele._table_named(settings.options ->> 'products') IS NOT NULL
    UNION ALL SELECT settings.customers, a.column_name, 'attributes' FROM clientele._attributes(settings) a
        WHERE settings.customers IS NOT NULL
$$;
COMMENT ON FUNCTION clientele._named_columns(clientele.store_settings) IS 'The columns of its sources that a store names.';

-- An error becomes a sentence, so that all of them can be said at once.
CREATE FUNCTION clientele._problem(call text, settings clientele.store_settings, given jsonb DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    message text;
    detail text;
    hint text;
BEGIN
    EXECUTE format('SELECT clientele.%s', call) USING settings, given;
    RETURN NULL;
EXCEPTION WHEN syntax_error_or_access_rule_violation OR data_exception OR feature_not_supported OR object_not_in_prerequisite_state THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    -- Of a right that is missing the hint says which.
    detail := rtrim(coalesce(nullif(detail, ''), CASE WHEN SQLSTATE = '42501' THEN hint END, ''), '.');
    RETURN message || CASE WHEN detail <> '' THEN format(' (%s)', detail) ELSE '' END;
END $$;
COMMENT ON FUNCTION clientele._problem(text, clientele.store_settings, jsonb) IS
    'What a check of settings, $1, and of the arguments that gave them, $2, says; NULL: nothing.';

-- A table that cannot be read is one problem, however many columns of it are named.
CREATE FUNCTION clientele._column_problems(settings clientele.store_settings) RETURNS text[]
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH sources AS MATERIALIZED (
        SELECT s.nth, s.relation, clientele._problem(format('_check_relation(%L::oid::regclass, %L)', s.relation::oid, s.role), settings)
            AS problem
        FROM (VALUES (1, 'orders', settings.orders), (2, 'customers', settings.customers), (3, 'items', settings.items),
            (4, 'products', clientele._table_named(settings.options ->> 'products'))) s (nth, role, relation) WHERE s.relation IS NOT NULL
    ), problems AS (
        SELECT 1 AS part, s.nth, s.problem FROM sources s
        UNION ALL
        SELECT 2, c.nth, clientele._problem(format('_column_type(%L::oid::regclass, %L, %L)', c.relation::oid, c.column_name, c.role),
            settings)
        FROM clientele._named_columns(settings) WITH ORDINALITY c (relation, column_name, role, nth)
        WHERE NOT EXISTS (SELECT FROM sources s WHERE s.relation = c.relation AND s.problem IS NOT NULL)
    )
    SELECT ARRAY(SELECT p.problem FROM problems p WHERE p.problem IS NOT NULL GROUP BY p.problem ORDER BY min(p.part), min(p.nth))
$$;
COMMENT ON FUNCTION clientele._column_problems(clientele.store_settings) IS
    'What is wrong with the tables that settings name, and which of their columns cannot be read.';

CREATE FUNCTION clientele._source_problems(settings clientele.store_settings, given jsonb) RETURNS text[]
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    problems text[] := clientele._column_problems(settings);
    checks text[] := CASE WHEN problems = '{}'
            THEN '{_check_orders($1),_check_customers($1),_check_items($1),_check_products($1)}'::text[] END
        || clientele._term_checks()
        || CASE WHEN EXISTS (SELECT FROM pg_class c WHERE c.oid = settings.orders) THEN '{_checked_filter($1)}'::text[] END;
BEGIN
    RETURN problems || ARRAY(SELECT CASE WHEN c LIKE '%filter%' AND p NOT LIKE '%order_filter%' THEN 'order_filter: ' ELSE '' END || p
        FROM unnest(checks) c CROSS JOIN LATERAL clientele._problem(c, settings, given) p
        WHERE p IS NOT NULL AND p <> ALL (problems));
END $$;
COMMENT ON FUNCTION clientele._source_problems(clientele.store_settings, jsonb) IS
    'What is wrong with the tables and columns that settings name, and with their terms.';

CREATE FUNCTION clientele._checked_filter(settings clientele.store_settings) RETURNS text
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    checked record;
BEGIN
    IF settings.order_filter IS NULL THEN
        RETURN NULL;
    END IF;
    checked := clientele._check_expression(settings.order_filter, settings.orders, 'order_filter', true, NULL);
    PERFORM clientele._column_type(settings.orders, c, 'order_filter') FROM unnest(checked.columns) c;
    RETURN checked.deparsed;
END $$;
COMMENT ON FUNCTION clientele._checked_filter(clientele.store_settings) IS
    'The filter of settings as it is kept; one that the orders cannot be asked is an error.';

CREATE FUNCTION clientele._key_problems(store name, settings clientele.store_settings, attaching boolean) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT ARRAY[format('the keys of customers are %s, which were %s: ', k.new, k.former) || CASE WHEN w.widens
        THEN 'detach_store(), then attach_store()' ELSE 'from smallint to integer to bigint, and from varchar to text, they may widen' END]
    FROM (SELECT clientele._key_type(store), clientele._column_type(settings.orders, settings.customer_id, 'customer_id')) k (former, new)
    CROSS JOIN LATERAL (SELECT format('%s %s', k.former, k.new) IN ('smallint integer', 'smallint bigint',
        'integer bigint', 'character varying text')) w (widens)
    WHERE k.new <> k.former AND NOT (w.widens AND attaching)
$$;
COMMENT ON FUNCTION clientele._key_problems(name, clientele.store_settings, boolean) IS
    'What speaks against keys of another type than those that a store keeps; NULL: nothing.';

-- A policy on a table stays with it, unless what it asks goes.
CREATE FUNCTION clientele._uses_views(store name, policy oid) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pg_depend d JOIN clientele._store_objects(store) o ON o.class = d.refclassid AND o.object = d.refobjid
        LEFT JOIN pg_class c ON o.class = 'pg_class'::regclass AND c.oid = o.object
        WHERE d.classid = 'pg_policy'::regclass AND d.objid = policy AND (c.oid IS NULL OR c.relkind = 'v'))
$$;
COMMENT ON FUNCTION clientele._uses_views(name, oid) IS 'Whether a policy depends on views or functions of a store.';

-- Rules and features that read columns which would go, objects of others that depend on what is created anew, what its owner has put on it
-- besides, and rights that others have granted.
CREATE FUNCTION clientele._losses(store name, settings clientele.store_settings) RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    WITH going (columns) AS (
        SELECT array_agg(a.attname) FROM pg_attribute a WHERE a.attrelid = to_regclass(format('%I.customers', store)) AND a.attnum > 0
            AND NOT a.attisdropped AND a.attname NOT IN (SELECT c.name FROM clientele._customer_columns(settings) c)
    ), losses (nth, loss) AS (
        SELECT 1, format('%s reads %s', clientele._rule_title(k.keys[1], k.keys[3]), c.names)
        FROM going g CROSS JOIN clientele._kept_expressions(clientele._segment_function(store, '_matches'),
            to_regclass(format('%I.customers', store))) k
            CROSS JOIN LATERAL (SELECT string_agg(quote_ident(c), ', ') FROM unnest(k.columns) c WHERE c = ANY (g.columns)) c (names)
                WHERE c.names IS NOT NULL
        UNION ALL
        SELECT DISTINCT 2, format('version %s of %s reads %s', k.keys[2], k.keys[1], c.names)
        FROM going g CROSS JOIN clientele._kept_expressions(clientele._segment_function(store, '_features'),
            to_regclass(format('%I.customers', store))) k
            CROSS JOIN LATERAL (SELECT string_agg(quote_ident(c), ', ') FROM unnest(k.columns) c WHERE c = ANY (g.columns)) c (names)
                WHERE c.names IS NOT NULL
        UNION ALL
        SELECT 3, format('%s depends on the store', o)
        FROM unnest(clientele._others(store, CASE WHEN clientele._changes_ids(store, settings) THEN '{v,f,r}'::text[] ELSE '{v,f}' END)) o
        UNION ALL
        -- What is a part of ours, as the server sees it, and would go along unseen.
        SELECT 4, pg_describe_object(d.classid, d.objid, 0)
        FROM (SELECT o.object FROM clientele._store_objects(store) o WHERE o.class = 'pg_class'::regclass) t (relation)
            CROSS JOIN LATERAL (
                SELECT 'pg_policy'::regclass, p.oid FROM pg_policy p WHERE p.polrelid = t.relation AND p.polname <> 'customers'
                    AND (clientele._changes_ids(store, settings) OR clientele._uses_views(store, p.oid))
                UNION ALL SELECT 'pg_trigger'::regclass, g.oid FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
                    WHERE g.tgrelid = t.relation AND c.relkind = 'v' AND NOT g.tgisinternal
                UNION ALL SELECT 'pg_rewrite'::regclass, r.oid FROM pg_rewrite r
                    WHERE r.ev_class = t.relation AND r.rulename <> '_RETURN') d (classid, objid)
        UNION ALL
        SELECT DISTINCT 5, format('%s has granted rights on %s', a.grantor::regrole, pg_describe_object(o.class, o.object, 0))
        FROM clientele._store_objects(store) o LEFT JOIN pg_class c ON o.class = 'pg_class'::regclass AND c.oid = o.object
            AND c.relkind = 'v'
            LEFT JOIN pg_proc p ON o.class = 'pg_proc'::regclass AND p.oid = o.object
            LEFT JOIN pg_attribute t ON t.attrelid = c.oid AND t.attacl IS NOT NULL
            CROSS JOIN LATERAL (VALUES (c.relacl), (p.proacl), (t.attacl)) u (acl) CROSS JOIN LATERAL aclexplode(u.acl) a
        WHERE a.grantor <> coalesce(c.relowner, p.proowner)
    )
    SELECT array_agg(l.loss ORDER BY l.nth, l.loss) FROM losses l
$$;
COMMENT ON FUNCTION clientele._losses(name, clientele.store_settings) IS
    'What could not survive a change for which the views of a store must be created anew; NULL: nothing.';

CREATE FUNCTION clientele._refuse_problems(store name, settings clientele.store_settings, given jsonb, attaching boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    problems text[] := clientele._source_problems(settings, given)
        || clientele._problem(format('_refuse_new_currency(%L, ($1).currency)', store), settings);
BEGIN
    problems := array_remove(problems, NULL);
    IF cardinality(problems) = 1 THEN
        PERFORM clientele._check_terms(settings, given);  -- an error of its own, if it is one of these
    END IF;
    IF problems = '{}' THEN
        problems := clientele._key_problems(store, settings, attaching);
        IF clientele._needs_new_views(store, settings) THEN
            problems := problems || clientele._losses(store, settings);
        END IF;
    END IF;
    IF cardinality(problems) > 0 THEN
        PERFORM clientele._raise_problems(store, problems, CASE WHEN attaching THEN 'attached' ELSE 'altered' END);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._refuse_problems(name, clientele.store_settings, jsonb, boolean) IS
    'Refuses settings that do not work, or would take something away that is used; says all of it.';

CREATE FUNCTION clientele._refuse_terms(store name, settings clientele.store_settings, given jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    problems text[] := ARRAY(SELECT p
        FROM unnest(clientele._term_checks() || format('_refuse_new_currency(%L, ($1).currency)', store)) c
        CROSS JOIN LATERAL clientele._problem(c, settings, given) p WHERE p IS NOT NULL);
BEGIN
    IF cardinality(problems) > 1 THEN
        PERFORM clientele._raise_problems(store, problems, 'altered');
    END IF;
    PERFORM clientele._check_terms(settings, given);
    PERFORM clientele._refuse_new_currency(store, settings.currency);
END $$;
COMMENT ON FUNCTION clientele._refuse_terms(name, clientele.store_settings, jsonb) IS
    'Refuses terms of a store that are none, where its sources stay as they are; says all of it.';

CREATE FUNCTION clientele._raise_problems(store name, problems text[], what text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'store % cannot be % so', quote_ident(store), what USING ERRCODE = 'object_not_in_prerequisite_state',
        DETAIL = array_to_string(problems, '; ') || '.', HINT = 'Nothing has been changed.';
END $$;
COMMENT ON FUNCTION clientele._raise_problems(name, text[], text) IS 'Says all that stands in the way of a change, in one error.';

CREATE FUNCTION clientele._refuse_new_currency(store name, wanted text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    former constant text := (clientele._settings(store)).currency;
    used boolean := false;
BEGIN
    IF wanted <> former THEN
        EXECUTE format('SELECT EXISTS (SELECT FROM %1$I.ledger) OR EXISTS (SELECT FROM %1$I.forgotten)', store) INTO used;
    END IF;
    IF used THEN
        RAISE EXCEPTION 'the currency of store % cannot change any more', quote_ident(store)
            USING ERRCODE = 'object_not_in_prerequisite_state',
            DETAIL = format('Its ledger has offers in %s.', former), HINT = 'Create another store.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._refuse_new_currency(name, text) IS 'Refuses another currency for a store that has issued offers.';

-- ---- Doing it ----

CREATE FUNCTION clientele._write_settings(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('UPDATE %I.settings SET (%s) = (SELECT ($1).*)', store, clientele._columns_of('clientele.store_settings', ''))
        USING settings;
    EXECUTE format('UPDATE %I.scoring SET decimals = clientele._currency_decimals($1)', store) USING settings.currency;
END $$;
COMMENT ON FUNCTION clientele._write_settings(name, clientele.store_settings) IS
    'Writes the settings of a store, and what scores are computed with of them.';

CREATE FUNCTION clientele._forget_pending(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('DELETE FROM %I.pending', store);
    EXECUTE format('DELETE FROM %I.failures', store);
END $$;
COMMENT ON FUNCTION clientele._forget_pending(name) IS
    'Removes what triggers have noted, of a store that is not live any more, or counts everything anew.';

CREATE FUNCTION clientele._mark_everybody(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._forget_pending(store);
    EXECUTE format('INSERT INTO %I.pending (due) VALUES (''-infinity'')', store);
END $$;
COMMENT ON FUNCTION clientele._mark_everybody(name) IS 'Makes a live store count every order, whenever it is read, until it is refreshed.';

-- For who keeps everybody from writing orders.
CREATE FUNCTION clientele._mark_differences(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
BEGIN
    EXECUTE format('INSERT INTO %1$I.pending (customer_id, due) SELECT customer_id, ''-infinity''
        FROM %1$I._profiles_now() s FULL JOIN %1$I._profiles_at(now()) c USING (customer_id)
        WHERE s.profile IS NULL OR c.profile IS NULL OR s.profile OPERATOR(clientele.<>) c.profile
            OR s.category_mix IS DISTINCT FROM c.category_mix', store);
END $$;
COMMENT ON FUNCTION clientele._mark_differences(name) IS
    'Marks those customers of a live store whose orders give another profile than the one that is shown.';

CREATE FUNCTION clientele._hold_live(store name, settings clientele.store_settings, is_same boolean, everybody boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._check_live_sources(store, settings);
    PERFORM clientele._create_triggers(store, settings);
    PERFORM clientele._record_partitions(store, clientele._present_partitions(store, settings));
    PERFORM clientele._regenerate_profiles(store, settings, true);
    IF everybody THEN
        PERFORM clientele._mark_everybody(store);
    ELSIF NOT is_same THEN
        PERFORM clientele._mark_differences(store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._hold_live(name, clientele.store_settings, boolean, boolean) IS
    'Makes a store live that is taken hold of again, and marks whom the change concerns. is_same: nothing was written or rewritten. '
    'everybody: others may have done so.';

CREATE FUNCTION clientele._change_sources(store name, given jsonb, reset text[], attaching boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    former clientele.store_settings := clientele._found_again(store, clientele._settings(store), given, reset);
    wanted clientele.store_settings := clientele._wanted_settings(former, given, reset);
    state jsonb := CASE WHEN attaching THEN former.options #> '{detached,state}' ELSE clientele._state_of_sources(former) END;
    others_may_write constant boolean := former.options #>> '{detached,transaction}' IS DISTINCT FROM pg_current_xact_id()::text;
    -- PostgreSQL counts what was written before with this transaction, until it has told the statistics.
    left_out constant text[] := CASE WHEN others_may_write THEN '{written}' ELSE '{}' END::text[];
    is_same boolean;
    everybody boolean;
BEGIN
    PERFORM clientele._refuse_problems(store, wanted, given, attaching);
    wanted.order_filter := clientele._checked_filter(wanted);
    IF clientele._needs_new_views(store, wanted) THEN
        wanted.options := wanted.options - 'first_attributes';
    END IF;
    is_same := coalesce(state - left_out = clientele._state_of_sources(wanted) - left_out, false);
    everybody := others_may_write AND (attaching OR NOT is_same);
    wanted.live := former.live AND NOT coalesce(NOT (given -> 'live')::boolean, false);
    IF wanted.live AND everybody OR NOT wanted.live AND NOT is_same THEN
        wanted.fresh_to := NULL;
        wanted.options := wanted.options || '{"altered": true}';
    END IF;
    PERFORM clientele._write_settings(store, wanted);
    PERFORM clientele._take_hold(store, wanted);
    IF wanted.live THEN
        PERFORM clientele._hold_live(store, wanted, is_same, everybody);
    ELSIF former.live THEN
        PERFORM clientele._forget_pending(store);
        PERFORM clientele._record_partitions(store, NULL);
    END IF;
    IF NOT is_same THEN
        RAISE NOTICE 'store % reads its orders otherwise: CALL clientele.refresh(%)', quote_ident(store), quote_literal(store)
            USING DETAIL = CASE WHEN wanted.live THEN 'Until then it counts whom it concerns whenever they are read.'
                ELSE 'Until then its customers are those that were counted before.' END;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._change_sources(name, jsonb, text[], boolean) IS
    'Makes a store read what it is given; for who has locked it alone.';

-- A store that is detached has the names of its tables; one that has lost them, too.
CREATE FUNCTION clientele._found_again(store name, settings clientele.store_settings, given jsonb, reset text[])
    RETURNS clientele.store_settings
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    missing text;
BEGIN
    IF settings.orders IS NULL OR clientele._has_lost_sources(store, settings) THEN
        settings.orders := clientele._table_named(settings.orders_name);
        settings.customers := clientele._table_named(settings.customers_name);
        settings.items := clientele._table_named(settings.items_name);
        SELECT string_agg(format('%s %s', s.role, s.name), ', ') INTO missing
        FROM (VALUES ('orders', settings.orders_name, settings.orders), ('customers', settings.customers_name, settings.customers),
            ('items', settings.items_name, settings.items),
            ('products', settings.options ->> 'products', clientele._table_named(settings.options ->> 'products')))
            s (role, name, relation)
        WHERE s.name IS NOT NULL AND s.relation IS NULL AND NOT given ? s.role AND s.role <> ALL (coalesce(reset, '{}'));
        IF missing IS NOT NULL THEN
            RAISE EXCEPTION 'store % cannot be attached: there is no %', quote_ident(store), missing USING ERRCODE = 'undefined_table',
                DETAIL = 'It looks for the tables that it read, under the names that they had.',
                HINT = format('Name those that it is to read: SELECT clientele.attach_store(%L, orders => ''...''); '
                    'what it can do without: reset => ''{customers,items,products}''.', store);
        END IF;
    END IF;
    RETURN settings;
END $$;
COMMENT ON FUNCTION clientele._found_again(name, clientele.store_settings, jsonb, text[]) IS
    'The settings of a store with its tables, which are looked for by their names where it has let go of them; those that it is given '
    'otherwise, or is to do without, may be missing.';

CREATE FUNCTION clientele._change_owner(store name, owner name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    own record;
BEGIN
    EXECUTE format('ALTER SCHEMA %I OWNER TO %I', store, owner);
    FOR own IN SELECT o.class, o.object, c.relkind FROM clientele._store_objects(store) o
            LEFT JOIN pg_class c ON o.class = 'pg_class'::regclass AND c.oid = o.object LOOP
        IF own.relkind IS NULL THEN
            EXECUTE format('ALTER FUNCTION %s OWNER TO %I', own.object::regprocedure, owner);
        ELSE
            EXECUTE format('ALTER %s %s OWNER TO %I', CASE own.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, own.object::regclass, owner);
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._change_owner(name, name) IS
    'Gives a store to another role. Whether that one may read what the store reads, who changes its sources then finds out.';

CREATE FUNCTION clientele._change_store(store name, given jsonb, reset text[], owner name, attaching boolean) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    former clientele.store_settings;
    wanted clientele.store_settings;
    role text;
    live boolean := (given -> 'live')::boolean;
BEGIN
    PERFORM clientele._require_owner(store);
    IF owner = '' THEN
        RAISE EXCEPTION 'a store needs an owner' USING ERRCODE = 'invalid_parameter_value', HINT = 'Name a role, or leave owner out.';
    END IF;
    PERFORM clientele._check_changes(given, reset);
    PERFORM clientele._lock_dropping(store, CASE WHEN attaching THEN 'attach_store()' ELSE 'alter_store()' END);
    IF NOT attaching THEN
        PERFORM clientele._require_attached(store);
    ELSIF NOT clientele._is_detached(store) AND NOT clientele._has_lost_sources(store, clientele._settings(store)) THEN
        RAISE EXCEPTION 'store % is not detached', quote_ident(store) USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('SELECT clientele.alter_store(%L, ...) changes it as it is.', store);
    END IF;
    IF NOT attaching AND given = '{}' AND coalesce(cardinality(reset), 0) = 0 AND owner IS NULL THEN
        RAISE NOTICE 'store % stays as it is: nothing was named that is to change', quote_ident(store);
        RETURN;
    END IF;
    IF attaching OR owner IS NOT NULL OR clientele._concerns_sources(given, reset) THEN
        PERFORM clientele._lock_alone(store, ARRAY[given ->> 'orders', given ->> 'customers', given ->> 'items']::oid[]::regclass[],
            owner IS NOT NULL);
        -- First, so that the rights that count are those of the new one: the former may have none any more.
        IF owner IS NOT NULL THEN
            PERFORM clientele._change_owner(store, owner);
        END IF;
        role := clientele._become_owner(store);
        IF NOT attaching THEN
            PERFORM clientele._write_column_names(store);
        END IF;
        PERFORM clientele._change_sources(store, given, reset, attaching);
    ELSE
        PERFORM clientele._lock_store(store);
        role := clientele._become_owner(store);
        former := clientele._settings(store);
        wanted := clientele._wanted_settings(former, given - 'live', reset);
        PERFORM clientele._refuse_terms(store, wanted, given);
        PERFORM clientele._write_settings(store, wanted);
        PERFORM clientele._regenerate_offers(store);
    END IF;
    IF live <> (clientele._settings(store)).live THEN
        PERFORM clientele.set_live(store, live);
    END IF;
    PERFORM clientele._note_definitions(store);
    PERFORM set_config('role', role, true);
END $$;
COMMENT ON FUNCTION clientele._change_store(name, jsonb, text[], name, boolean) IS
    'What alter_store() and attach_store() do with their arguments.';

-- ---- What is called ----

-- Both take the same settings.
DO $do$
DECLARE
    called record;
BEGIN
    FOR called IN SELECT * FROM (VALUES ('alter_store', false), ('attach_store', true)) f (name, attaching) LOOP
        EXECUTE clientele._fill($create$
CREATE FUNCTION clientele.{name}(
    store name, orders regclass DEFAULT NULL, customer_id name DEFAULT NULL, ordered_at name DEFAULT NULL, amount name DEFAULT NULL,
    order_id name DEFAULT NULL, refunded name DEFAULT NULL, discount name DEFAULT NULL, order_filter text DEFAULT NULL,
    customers regclass DEFAULT NULL, customer_key name DEFAULT NULL, attributes text[] DEFAULT NULL,
    items regclass DEFAULT NULL, item_order_id name DEFAULT NULL, item_category name DEFAULT NULL, item_amount name DEFAULT NULL,
    currency text DEFAULT NULL, time_zone text DEFAULT NULL, margin numeric DEFAULT NULL, live boolean DEFAULT NULL,
    reset text[] DEFAULT NULL, owner name DEFAULT NULL,
    keep_events interval DEFAULT NULL, clock_tolerance interval DEFAULT NULL, refresh_overdue_after interval DEFAULT NULL,
    item_product name DEFAULT NULL, item_quantity name DEFAULT NULL, products regclass DEFAULT NULL, product_key name DEFAULT NULL,
    product_name name DEFAULT NULL, product_price name DEFAULT NULL, product_available name DEFAULT NULL)
    RETURNS void
    LANGUAGE sql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._change_store(store, clientele._store_terms(
        orders, customer_id, ordered_at, amount, order_id, refunded, discount, order_filter,
        customers, customer_key, attributes, items, item_order_id, item_category, item_amount, currency, time_zone, margin, live,
        keep_events, clock_tolerance, refresh_overdue_after)
        || clientele._product_terms(item_product, item_quantity, products, product_key, product_name, product_price, product_available),
        reset, owner, {attaching})
$$
            $create$, 'name', called.name, 'attaching', called.attaching::text);
    END LOOP;
END $do$;
COMMENT ON FUNCTION clientele.alter_store IS
    'Changes a store that create_store() has created; what is NULL stays. Definitions, models, history, the ledger, codes and grants '
    'stay, too. '
    'reset: settings that are taken away (order_id, refunded, discount, order_filter, customers, attributes, items, item_product, '
    'item_quantity, products, product_available) or get their defaults '
    '(keep_events, clock_tolerance, refresh_overdue_after). '
    'owner: another role, of which the caller is a member, too. keep_events: how long events are kept that a consumer has not read (90 '
    'days). clock_tolerance: by how much clocks of tills may differ (1 minute). '
    'refresh_overdue_after: for how long the store may go without a refresh (1 day). What could not work any more is refused, all of it '
    'listed. '
    'What changes profiles makes a refresh due; a live store is right at once. The currency cannot change once there are offers. Owner '
    'only.';
COMMENT ON FUNCTION clientele.attach_store IS
    'Takes hold of the tables again that detach_store() has let go of, or that were dropped with CASCADE: those of the names that they '
    'had, or those that are given. Arguments as of alter_store(). '
    'The type of the customers'' keys may widen (smallint, integer, bigint; varchar, text). Where the same transaction has detached the '
    'store, a live one marks those customers alone whose profiles have changed; otherwise all. Owner only.';

CREATE FUNCTION clientele.detach_store(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings;
    role text;
BEGIN
    PERFORM clientele._require_owner(store);
    PERFORM clientele._lock_dropping(store, 'detach_store()');
    PERFORM clientele._require_attached(store);
    PERFORM clientele._lock_alone(store, '{}', false);
    role := clientele._become_owner(store);
    PERFORM clientele._write_column_names(store);
    settings := clientele._settings(store);
    settings.options := settings.options || jsonb_build_object('detached', jsonb_build_object('transaction', pg_current_xact_id()::text,
        'state', clientele._state_of_sources(settings)));
    settings.orders_name := clientele._full_name(settings.orders);
    settings.customers_name := clientele._full_name(settings.customers);
    settings.items_name := clientele._full_name(settings.items);
    settings.orders := NULL;
    settings.customers := NULL;
    settings.items := NULL;
    PERFORM clientele._write_settings(store, settings);
    PERFORM clientele._let_go(store, settings);
    PERFORM clientele._note_definitions(store);
    PERFORM set_config('role', role, true);
END $$;
COMMENT ON FUNCTION clientele.detach_store(name) IS
    'Lets go of the tables that a store reads, so that any ALTER TABLE works; until attach_store() whoever reads it gets an error that '
    'says so (personalized_offer() no offer, and a warning), '
    'and the ledger shows nothing to whom a policy restricts. With ALTER TABLE and attach_store() in one transaction nobody sees it '
    'detached. '
    'Waits for transactions that are using the tables, and lets later ones wait as long: set lock_timeout where that matters. Owner only.';
