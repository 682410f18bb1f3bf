-- The checks of create_store, by what they look at.

CREATE FUNCTION clientele._check_orders(settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    money regtype[] := '{numeric,smallint,integer,bigint}'::regtype[];
    doubled record;
BEGIN
    SELECT c.name, string_agg(c.role, ' and ' ORDER BY c.nth) AS roles INTO doubled
    FROM (VALUES (1, 'amount', settings.amount), (2, 'refunded', settings.refunded), (3, 'discount', settings.discount)) c (nth, role, name)
    WHERE c.name IS NOT NULL GROUP BY c.name HAVING count(*) > 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'column "%" of % cannot be %', doubled.name, settings.orders, doubled.roles
            USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'The value of an order is its amount, with a discount that was taken off it, without what was refunded.',
            HINT = 'Name a column of its own for each, or leave out what the orders do not tell.';
    END IF;
    PERFORM clientele._check_relation(settings.orders, 'orders');
    PERFORM clientele._check_type(settings.orders, settings.customer_id, 'customer_id', '{smallint,integer,bigint,uuid,text,varchar}');
    PERFORM clientele._check_type(settings.orders, settings.ordered_at, 'ordered_at', '{timestamptz,timestamp,date}');
    PERFORM clientele._check_type(settings.orders, settings.amount, 'amount', money);
    IF settings.order_id IS NOT NULL THEN
        PERFORM clientele._check_order_id(settings.orders, settings.order_id, 'order_id');
    END IF;
    IF settings.refunded IS NOT NULL THEN
        PERFORM clientele._check_type(settings.orders, settings.refunded, 'refunded', money);
    END IF;
    IF settings.discount IS NOT NULL THEN
        PERFORM clientele._check_type(settings.orders, settings.discount, 'discount', money);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_orders(clientele.store_settings) IS 'Refuses an orders table that a store cannot read.';

-- An index of a table does not know the rows of tables that inherit from it; that of a partitioned table does.
CREATE FUNCTION clientele._is_unique(relation regclass, column_name name) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        JOIN pg_class c ON c.oid = i.indrelid
        WHERE i.indrelid = relation AND i.indisunique AND i.indisvalid AND i.indnkeyatts = 1 AND i.indpred IS NULL
          AND a.attname = column_name AND (c.relkind = 'p' OR NOT c.relhassubclass))
$$;
COMMENT ON FUNCTION clientele._is_unique(regclass, name) IS
    'Whether a unique index says that no two rows of a table have the same value in a column.';

CREATE FUNCTION clientele._check_unique(relation regclass, key name, reason text) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    doubled boolean;
BEGIN
    IF clientele._is_unique(relation, key) THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %2$I IS NOT NULL GROUP BY %2$I HAVING count(*) > 1)', relation, key) INTO doubled;
    IF doubled OR (SELECT relkind = 'p' OR relkind = 'r' AND NOT relhassubclass FROM pg_class WHERE oid = relation) THEN
        RAISE EXCEPTION 'column "%" of % %', key, relation, CASE WHEN doubled THEN 'is not unique' ELSE 'has no unique constraint' END
            USING ERRCODE = 'invalid_table_definition', HINT = reason || ': give the key a primary key or unique constraint.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_unique(regclass, name, text) IS
    'Refuses a key that is not unique: of a table one without a constraint, of others one that is there twice.';

CREATE FUNCTION clientele._check_customers(settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    max_attributes constant integer := 60;
    key_type regtype;
    clash name;
BEGIN
    IF settings.customers IS NULL THEN
        IF cardinality(settings.attributes) > 0 THEN
            RAISE EXCEPTION 'attributes need a customers table' USING ERRCODE = 'invalid_parameter_value',
                HINT = 'Pass customers => ''...'' as well.';
        END IF;
        RETURN;
    END IF;
    PERFORM clientele._check_relation(settings.customers, 'customers');
    key_type := clientele._column_type(settings.customers, settings.customer_key, 'customer_key');
    IF key_type <> clientele._column_type(settings.orders, settings.customer_id, 'customer_id') THEN
        RAISE EXCEPTION 'the keys of customers and orders have different types' USING ERRCODE = 'datatype_mismatch',
            DETAIL = format('%I of %s is %s, %I of %s is %s.', settings.customer_key, settings.customers, key_type, settings.customer_id,
                settings.orders, clientele._column_type(settings.orders, settings.customer_id, 'customer_id')),
            HINT = 'Both must have the same type; a view can cast one of them.';
    END IF;
    PERFORM clientele._check_unique(settings.customers, settings.customer_key, 'The customers table has one row a customer');
    IF cardinality(settings.attributes) > max_attributes THEN
        RAISE EXCEPTION 'too many attributes: %', cardinality(settings.attributes) USING ERRCODE = 'too_many_columns',
            DETAIL = format('A store shows at most %s.', max_attributes);
    END IF;
    PERFORM clientele._column_type(settings.customers, a.column_name, 'attributes') FROM clientele._attributes(settings) a;
    SELECT c.name INTO clash FROM clientele._customer_columns(settings) c GROUP BY c.name HAVING count(*) > 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'attribute "%" collides with a column of the same name', clash USING ERRCODE = 'duplicate_column',
            HINT = format('Give it another name: attributes => ''{"%s AS customer_%s"}''.', clash, clash);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_customers(clientele.store_settings) IS 'Refuses a customers table that does not go with the orders.';

CREATE FUNCTION clientele._check_items(settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF settings.items IS NULL THEN
        RETURN;
    END IF;
    PERFORM clientele._check_relation(settings.items, 'items');
    PERFORM clientele._column_type(settings.items, settings.item_category, 'item_category');
    PERFORM clientele._check_type(settings.items, settings.item_amount, 'item_amount', '{numeric,smallint,integer,bigint}');
    PERFORM clientele._check_type(settings.items, settings.item_order_id, 'item_order_id',
        ARRAY[clientele._column_type(settings.orders, settings.order_id, 'order_id')]);
END $$;
COMMENT ON FUNCTION clientele._check_items(clientele.store_settings) IS 'Refuses order lines that do not go with the orders.';

CREATE FUNCTION clientele._check_currency(settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF settings.currency !~ '^[A-Z]{3}$' THEN
        RAISE EXCEPTION 'invalid currency: "%"', settings.currency USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Use a code of ISO 4217, such as USD, EUR or JPY.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_currency(clientele.store_settings) IS 'Refuses a currency that is none.';

CREATE FUNCTION clientele._check_margin(settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT (settings.margin > 0 AND settings.margin <= 1) OR scale(settings.margin) > 6 THEN
        RAISE EXCEPTION 'invalid margin: %', settings.margin USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'The contribution margin is a share of the order value: above 0, at most 1, with at most six decimals.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_margin(clientele.store_settings) IS 'Refuses a margin that is none.';

CREATE FUNCTION clientele._check_given_zone(given jsonb) RETURNS void
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._check_time_zone(given ->> 'time_zone')
$$;
COMMENT ON FUNCTION clientele._check_given_zone(jsonb) IS
    'Refuses a time zone that is none; that of a store on a server that does not know it any more is not asked for again.';

CREATE FUNCTION clientele._check_times(given jsonb) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    wrong text;
BEGIN
    SELECT string_agg(format('%s: %s', o.name, given ->> o.name), ', ') INTO wrong
    FROM (VALUES ('keep_events', '0'::interval, '100 years'), ('clock_tolerance', '0', '1 day'),
        ('refresh_overdue_after', '1 minute', '100 years')) o (name, least, most)
    WHERE (given ->> o.name)::interval NOT BETWEEN o.least AND o.most::interval;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'invalid %', wrong USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'Accepted: keep_events from 0 to 100 years, clock_tolerance from 0 to 1 day, '
                'refresh_overdue_after from 1 minute to 100 years.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_times(jsonb) IS 'Refuses options out of range.';

CREATE FUNCTION clientele._check_unused(settings clientele.store_settings, given jsonb) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    unused text;
BEGIN
    SELECT string_agg(format('%s (%s)', a.name, t.name), ', ' ORDER BY t.nth, a.nth) INTO unused
    FROM (VALUES (1, 'customers', settings.customers IS NULL, '{customer_key}'::text[]),
        (2, 'items', settings.items IS NULL, '{item_order_id,item_category,item_amount}'),
        (3, 'products', settings.options -> 'products' IS NULL, '{product_key,product_name,product_price,product_available}'))
        t (nth, name, missing, columns) CROSS JOIN LATERAL unnest(t.columns) WITH ORDINALITY a (name, nth)
    WHERE t.missing AND given ? a.name;
    IF unused IS NOT NULL THEN
        RAISE EXCEPTION 'columns of tables that the store does not have: %', unused USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Name the table as well, or leave its columns out.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_unused(clientele.store_settings, jsonb) IS
    'Refuses the names of columns without the table that they are of, which would mean nothing.';

CREATE FUNCTION clientele._term_checks() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '{"_check_unused($1, $2)","_check_given_zone($2)","_check_currency($1)","_check_margin($1)","_check_times($2)"}'::text[];
COMMENT ON FUNCTION clientele._term_checks() IS
    'The checks of what a store is given besides tables and their columns: of its settings, $1, and the arguments by name, $2.';

CREATE FUNCTION clientele._check_terms(settings clientele.store_settings, given jsonb) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    call text;
BEGIN
    FOREACH call IN ARRAY clientele._term_checks() LOOP
        EXECUTE format('SELECT clientele.%s', call) USING settings, given;
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._check_terms(clientele.store_settings, jsonb) IS 'Refuses the first of these that is wrong.';

-- The first that is wrong is an error of its own; several are one that lists them.
CREATE FUNCTION clientele._checked_settings(store name, settings clientele.store_settings, given jsonb) RETURNS clientele.store_settings
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    problems text[];
BEGIN
    PERFORM clientele._check_orders(settings);
    PERFORM clientele._check_customers(settings);
    PERFORM clientele._check_items(settings);
    PERFORM clientele._check_products(settings);
    PERFORM clientele._check_terms(settings, given);
    settings.order_filter := clientele._checked_filter(settings);
    RETURN settings;
EXCEPTION WHEN syntax_error_or_access_rule_violation OR data_exception OR feature_not_supported OR object_not_in_prerequisite_state THEN
    problems := clientele._source_problems(settings, given);
    IF cardinality(problems) < 2 THEN
        RAISE;
    END IF;
    PERFORM clientele._raise_problems(store, problems, 'created');
END $$;
COMMENT ON FUNCTION clientele._checked_settings(name, clientele.store_settings, jsonb) IS
    'The settings of a new store with its filter as it is kept. Refuses what does not work, all of it.';

CREATE FUNCTION clientele.create_store(
    store name, orders regclass,
    customer_id name DEFAULT 'customer_id', ordered_at name DEFAULT 'ordered_at',
    amount name DEFAULT 'amount', order_id name DEFAULT 'order_id',
    refunded name DEFAULT NULL, discount name DEFAULT NULL, order_filter text DEFAULT NULL,
    customers regclass DEFAULT NULL, customer_key name DEFAULT 'customer_id', attributes text[] DEFAULT NULL,
    items regclass DEFAULT NULL, item_order_id name DEFAULT 'order_id', item_category name DEFAULT 'category',
    item_amount name DEFAULT 'amount',
    currency text DEFAULT 'USD', time_zone text DEFAULT 'UTC', margin numeric DEFAULT 0.30,
    live boolean DEFAULT false,
    item_product name DEFAULT NULL, item_quantity name DEFAULT NULL, products regclass DEFAULT NULL,
    product_key name DEFAULT 'product_id', product_name name DEFAULT 'name', product_price name DEFAULT 'price',
    product_available name DEFAULT NULL, exposure_ids_from bigint DEFAULT 1) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings;
BEGIN
    PERFORM clientele._require(a.name, a.given) FROM (VALUES ('store', store IS NOT NULL), ('orders', orders IS NOT NULL),
        ('customer_id', customer_id IS NOT NULL), ('ordered_at', ordered_at IS NOT NULL), ('amount', amount IS NOT NULL),
        ('customer_key', customers IS NULL OR customer_key IS NOT NULL),
        ('order_id', items IS NULL OR order_id IS NOT NULL), ('item_order_id', items IS NULL OR item_order_id IS NOT NULL),
        ('item_category', items IS NULL OR item_category IS NOT NULL), ('item_amount', items IS NULL OR item_amount IS NOT NULL),
        ('currency', currency IS NOT NULL), ('time_zone', time_zone IS NOT NULL), ('margin', margin IS NOT NULL),
        ('live', live IS NOT NULL), ('exposure_ids_from', exposure_ids_from IS NOT NULL)) a (name, given);
    IF store = '' THEN
        RAISE EXCEPTION 'a store needs a name' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF EXISTS (SELECT FROM pg_namespace WHERE nspname = store) THEN
        RAISE EXCEPTION 'schema % already exists', quote_ident(store) USING ERRCODE = 'duplicate_schema',
            HINT = 'A store is a schema of its own: choose another name, or drop the old one (drop_store() where it is a store).';
    END IF;
    -- An order needs no key of its own unless something refers to it.
    IF items IS NULL AND order_id = 'order_id' AND NOT EXISTS (SELECT FROM pg_attribute a
            WHERE a.attrelid = orders AND a.attname = 'order_id' AND NOT a.attisdropped) THEN
        order_id := NULL;
    END IF;
    settings := ROW(clientele._store_version(), orders, customer_id, ordered_at, amount, order_id, refunded, discount, NULL,
        customers, customer_key, coalesce(attributes, '{}'), items, item_order_id, item_category, item_amount,
        currency, clientele._spelt_time_zone(time_zone), margin, false, NULL, gen_random_uuid(), 0, store,
        clientele._full_name(orders), clientele._full_name(customers), clientele._full_name(items), NULL, clientele._completed_products(
            clientele._product_terms(item_product, item_quantity, products, product_key, product_name, product_price, product_available),
            true, NULL));
    settings.order_filter := order_filter;
    -- Of those that have a default, who names it may as well have named none.
    settings := clientele._checked_settings(store, settings, jsonb_strip_nulls(jsonb_build_object('time_zone', time_zone,
        'customer_key', nullif(customer_key, 'customer_id'), 'item_order_id', nullif(item_order_id, 'order_id'),
        'item_category', nullif(item_category, 'category'), 'item_amount', nullif(item_amount, 'amount'),
        'product_key', nullif(product_key, 'product_id'), 'product_name', nullif(product_name, 'name'),
        'product_price', nullif(product_price, 'price'), 'product_available', product_available)));
    settings.zone_digests := clientele._zone_digests(settings.time_zone);
    PERFORM clientele._create_tables(store, settings);
    PERFORM clientele._number_exposures(store, exposure_ids_from);
    PERFORM clientele._create_views(store, settings);
    PERFORM clientele._create_partitions(store);
    PERFORM clientele._create_health(store);
    IF live THEN
        PERFORM clientele.set_live(store, true);
    END IF;
    PERFORM clientele._warn_of_duplicate_orders(store, settings);
    RAISE NOTICE 'store % is created; next, its orders are counted: CALL clientele.refresh(%)', quote_ident(store), quote_literal(store);
END $$;
COMMENT ON FUNCTION clientele.create_store(name, regclass, name, name, name, name, name, name, text,
    regclass, name, text[], regclass, name, name, name, text, text, numeric, boolean,
    name, name, regclass, name, name, name, name, bigint) IS
    'Creates a store: a schema with tables, views and functions over a shop''s orders, owned by the caller, who needs CREATE on the '
    'database and SELECT on the sources. '
    'orders: a table or view, one row an order. refunded: column with what was refunded of the order. discount: column with a discount '
    'already taken off amount. '
    'order_filter: immutable expression over the orders'' columns. customers, attributes: one row a customer, and what rules may use of '
    'it. items: order lines with a category. item_product, item_quantity: which product a line is about, and how many. '
    'products: one row a product, with its key (as the lines name it), name, price, and whether it can be had: true, or a stock above 0. '
    'margin: contribution margin, above 0 and at most 1. live: every committed order is in the profiles at once (see set_live). '
    'exposure_ids_from: the first id in the ledger, so that those of several stores can be told apart. CALL refresh(store) fills it.';

CREATE FUNCTION clientele._create_tables(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key_type text := clientele._column_type(settings.orders, settings.customer_id, 'customer_id');
    order_type text := clientele._order_id_type(settings, 'bigint');
BEGIN
    EXECUTE clientele._fill($store$
        CREATE SCHEMA {store};
        CREATE TABLE {store}.settings (LIKE clientele.store_settings);
        CREATE UNIQUE INDEX settings_one_row ON {store}.settings ((true));
        -- Triggers know their store by the name of this one.
        CREATE INDEX {by_id} ON {store}.settings (id);
        CREATE TABLE {store}.profiles (
            customer_id {key} PRIMARY KEY, profile clientele.order_profile NOT NULL, category_mix jsonb);
        -- Truncating an empty end takes a lock that triggers would not wait for.
        CREATE TABLE {store}.pending (
            customer_id {key}, profile clientele.order_profile, due timestamptz NOT NULL, order_id {order_key}, seen xid8)
            WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0,
                autovacuum_analyze_threshold = 5000, vacuum_truncate = false, toast.vacuum_truncate = false);
        CREATE INDEX pending_customer_id ON {store}.pending (customer_id);
        CREATE TABLE {store}.failures (
            failed_at timestamptz NOT NULL, relation text NOT NULL, operation text NOT NULL, sqlstate text NOT NULL, message text NOT NULL)
            WITH (vacuum_truncate = false, toast.vacuum_truncate = false);
        -- A page that stays, so that the first failures can be written where there is no room left for another.
        INSERT INTO {store}.failures VALUES ('-infinity', '', '', '', '');
        DELETE FROM {store}.failures;
        -- So that they can be written where all tables are published.
        ALTER TABLE {store}.settings REPLICA IDENTITY FULL;
        ALTER TABLE {store}.pending REPLICA IDENTITY FULL;
        ALTER TABLE {store}.failures REPLICA IDENTITY FULL;
        CREATE TABLE {store}.typical_values (
            segment text PRIMARY KEY, basis text NOT NULL, customers bigint NOT NULL, value numeric NOT NULL);
        CREATE TABLE {store}.segmentations (segmentation text PRIMARY KEY, default_segment text NOT NULL);
        INSERT INTO {store}.segmentations VALUES ('main', 'default');
        -- Consents are rules of a segmentation without a name, which is none.
        CREATE TABLE {store}.segment_rules (
            segmentation text NOT NULL, segment text NOT NULL, priority integer NOT NULL,
            rule text NOT NULL, operands text[] NOT NULL, description text, sensitive boolean NOT NULL, body text,
            PRIMARY KEY (segmentation, segment), UNIQUE (segmentation, priority));
        CREATE TABLE {store}.contents (slot text NOT NULL, segment text NOT NULL, content text NOT NULL, body text,
            holdout double precision NOT NULL DEFAULT 0, PRIMARY KEY (slot, segment));
        CREATE TABLE {store}.programs (
            program text PRIMARY KEY, version integer NOT NULL, priority integer NOT NULL UNIQUE, objective text NOT NULL, segments text[],
            stretch numeric NOT NULL, reward_rate numeric NOT NULL, max_cv double precision, valid_for interval NOT NULL,
            holdout double precision NOT NULL, starts_at timestamptz, ends_at timestamptz,
            max_per_customer integer, cooldown interval, budget numeric, arms jsonb, message text NOT NULL, disclosure text,
            max_min_spend numeric, max_reward numeric, reward_cap numeric, tiers jsonb,
            terms text NOT NULL DEFAULT 'stretch', spread numeric NOT NULL DEFAULT 2, progress_message text,
            explore jsonb, contact_cost numeric NOT NULL DEFAULT 0, min_profit numeric NOT NULL DEFAULT 0,
            min_reward numeric NOT NULL DEFAULT 0, reward_kind text NOT NULL DEFAULT 'amount_off', reward_cost numeric, gift text);
        $store$, 'key', key_type, 'order_key', order_type, 'by_id', quote_ident('settings_' || settings.id), 'store', quote_ident(store));
    PERFORM clientele._comment_tables(store);
    EXECUTE format('INSERT INTO %I.settings SELECT $1.*', store) USING settings;
    PERFORM clientele._create_membership(store);
    PERFORM clientele._create_events(store);
    PERFORM clientele._create_models(store, settings);
    PERFORM clientele._create_ledger(store, settings);
    PERFORM clientele._create_crossed(store);
    PERFORM clientele._create_content_exposures(store);
    PERFORM clientele._create_affinities(store);
END $$;
COMMENT ON FUNCTION clientele._create_tables(name, clientele.store_settings) IS 'The tables of a new store.';

CREATE FUNCTION clientele._comment_tables(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($store$
        COMMENT ON SCHEMA {store} IS 'A store of the extension clientele.';
        COMMENT ON TABLE {store}.settings IS 'What the store was created with, in one row.';
        COMMENT ON TABLE {store}.segmentations IS 'The store''s segmentations and their default segments.';
        COMMENT ON TABLE {store}.profiles IS 'A row for each customer with orders, as of the last refresh.';
        COMMENT ON TABLE {store}.pending IS
            'Live stores: what changed since the profiles were written. A profile is that of new orders; without one the '
            'customer is counted anew (from due on: an order of the future), or the customer of that order, or, with neither, everybody.';
        COMMENT ON TABLE {store}.failures IS
            'Live stores: statements whose orders could not be noted. The store is stale until a refresh has counted them.';
        COMMENT ON TABLE {store}.typical_values IS
            'Medians of customers'' typical order values by segment, as of the last refresh; the row without a segment is the store''s.';
        COMMENT ON TABLE {store}.segment_rules IS
            'Segments: changed by clientele.define_segment and drop_segment. The function _matches keeps the rules themselves; '
            'their texts are brought up to what types, values and schemas are called whenever a segment is defined.';
        COMMENT ON COLUMN {store}.segment_rules.body IS
            'The rule with $n for the n-th column of customers; NULL: it cannot be understood any more, and matches nobody.';
        COMMENT ON TABLE {store}.contents IS 'Contents: changed by clientele.define_content and drop_content.';
        COMMENT ON TABLE {store}.programs IS 'Offer programs: changed by clientele.define_offer and drop_offer.';
        $store$, 'store', quote_ident(store));
END $$;
COMMENT ON FUNCTION clientele._comment_tables(name) IS 'Comments on the tables of a new store.';
