-- The views and functions that a store consists of. Every text here becomes part of a CREATE statement.

CREATE FUNCTION clientele._order_id(settings clientele.store_settings) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('o.%I::%s', settings.order_id,
        clientele._stored_type(clientele._column_type(settings.orders, settings.order_id, 'order_id')))
$$;
COMMENT ON FUNCTION clientele._order_id(clientele.store_settings) IS
    'The id of a row o of the orders, in the type in which it is kept, as an SQL expression.';

-- A view is replaced by one with columns of the same types alone, modifiers included: none that the shop may change, or has otherwise in
-- another table, may show through. Type names without modifier are spelt so that they mean none: bpchar, not character, which is one long.
CREATE FUNCTION clientele._plain_column(relation regclass, alias text, column_name name) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('%s.%I', alias, column_name) || coalesce((SELECT '::' || format_type(a.atttypid, -1) FROM pg_attribute a
        WHERE a.attrelid = relation AND a.attname = column_name AND a.atttypmod >= 0 AND NOT a.attisdropped), '')
$$;
COMMENT ON FUNCTION clientele._plain_column(regclass, text, name) IS
    'A column of a source as an SQL expression without type modifier: varchar(30) is varchar. alias: what its relation is called there.';

-- One row an order that counts, whenever dated: customer_id, ordered_at (timestamptz), amount (numeric; NULL where there was
-- no order after all), and order_id where orders have one. every_row: those, too, that are left out because nobody can count them.
CREATE FUNCTION clientele._orders_query(settings clientele.store_settings, every_row boolean DEFAULT false) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    at_type regtype := clientele._column_type(settings.orders, settings.ordered_at, 'ordered_at');
    ordered_at text := clientele._plain_column(settings.orders, 'o', settings.ordered_at);
    amount text := format('o.%I::numeric', settings.amount);
    whole text := '';
BEGIN
    -- The last dates are beyond what a timestamp can be.
    IF at_type = 'date'::regtype THEN
        ordered_at := format('CASE WHEN %1$s > date ''10000-01-01'' THEN date ''10000-01-01'' ELSE %1$s END', ordered_at);
    END IF;
    IF at_type <> 'timestamptz'::regtype THEN
        ordered_at := format('clientele._instant((%s)::timestamp, %L)', ordered_at, settings.time_zone);
    END IF;
    IF settings.discount IS NOT NULL THEN
        amount := format('%s + COALESCE(o.%I::numeric, 0)', amount, settings.discount);
    END IF;
    -- An order that was refunded whole is none. Shops write refunds down with either sign.
    IF settings.refunded IS NOT NULL THEN
        amount := format('%s - pg_catalog.abs(COALESCE(o.%I::numeric, 0))', amount, settings.refunded);
        whole := format(' WHEN o.%1$I <> 0 AND pg_catalog.abs(o.%1$I) >= o.%2$I THEN NULL', settings.refunded, settings.amount);
    END IF;
    -- A refund row is what it is.
    IF settings.discount IS NOT NULL OR settings.refunded IS NOT NULL THEN
        amount := format('CASE WHEN o.%1$I < 0 THEN o.%1$I::numeric%2$s ELSE %3$s END', settings.amount, whole, amount);
    END IF;
    RETURN format('SELECT %s AS customer_id, %s AS ordered_at, %s AS amount%s FROM %s o WHERE o.%I IS NOT NULL%s%s',
        clientele._plain_column(settings.orders, 'o', settings.customer_id), ordered_at, amount,
        CASE WHEN settings.order_id IS NOT NULL THEN format(', %s AS order_id', clientele._order_id(settings)) END, settings.orders,
        settings.customer_id,
        CASE WHEN NOT every_row THEN format(' AND clientele._countable(%s, %s)', ordered_at, amount) || clientele._keys_fit(settings) END,
        ' AND (' || settings.order_filter || ')');
END $$;
COMMENT ON FUNCTION clientele._orders_query(clientele.store_settings, boolean) IS
    'The one definition of which orders count, and of their value: the view _orders of a store; every_row: its view _order_rows.';

CREATE FUNCTION clientele._keys_fit(settings clientele.store_settings) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(string_agg(format(' AND clientele._fits_index(o.%I)', k.name), '' ORDER BY k.nth), '')
    FROM (VALUES (1, settings.customer_id), (2, settings.order_id)) k (nth, name)
    JOIN pg_attribute a ON a.attrelid = settings.orders AND a.attname = k.name AND a.attlen = -1
$$;
COMMENT ON FUNCTION clientele._keys_fit(clientele.store_settings) IS
    'What the keys of an order o must fulfil, as an SQL condition that follows others.';

CREATE FUNCTION clientele._uncountable_query(store name, settings clientele.store_settings) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format($query$
        SELECT o.*, CASE WHEN NOT clientele._fits_index(o.customer_id) THEN 'customer key too long' %2$s
            WHEN NOT clientele._countable(o.ordered_at, NULL) THEN 'order time out of range' ELSE 'order amount out of range' END AS reason
        FROM %1$I._order_rows o
        WHERE o.ordered_at IS NOT NULL AND o.amount IS NOT NULL
            AND NOT (clientele._countable(o.ordered_at, o.amount) AND clientele._fits_index(o.customer_id) %3$s)$query$, store,
        CASE WHEN settings.order_id IS NOT NULL THEN 'WHEN NOT clientele._fits_index(o.order_id) THEN ''order id too long''' END,
        CASE WHEN settings.order_id IS NOT NULL THEN 'AND clientele._fits_index(o.order_id)' END)
$$;
COMMENT ON FUNCTION clientele._uncountable_query(name, clientele.store_settings) IS
    'The orders that a store leaves out, and why: its view uncountable_orders.';

-- Nobody orders at midnight sharp, but all dates are: where order times are local ones, midnight stands for the whole day.
CREATE FUNCTION clientele._has_local_times(store name) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT EXISTS (SELECT FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
        WHERE d.classid = 'pg_rewrite'::regclass AND r.ev_class = format('%I._orders', store)::regclass
          AND d.refclassid = 'pg_proc'::regclass AND d.refobjid = 'clientele._instant(timestamp, text)'::regprocedure)
$$;
COMMENT ON FUNCTION clientele._has_local_times(name) IS
    'Whether the times of a store''s orders are dates, or timestamps without time zone: the view _orders makes instants of them.';

CREATE FUNCTION clientele._has_ties(store name) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (clientele._settings(store)).order_id IS NOT NULL AND clientele._has_local_times(store)
$$;
COMMENT ON FUNCTION clientele._has_ties(name) IS 'Whether a store''s orders of one day are ranked by their ids.';

-- Times of the orders are compared with times of ours by these two alone.
CREATE FUNCTION clientele._placed_since(store name, ordered_at text, since text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN clientele._has_local_times(store)
        THEN format('(%1$s >= %2$s OR %1$s = clientele._day_start(%2$s, %3$L))', ordered_at, since, (clientele._settings(store)).time_zone)
        ELSE format('(%s >= %s)', ordered_at, since) END
$$;
COMMENT ON FUNCTION clientele._placed_since(name, text, text) IS
    'Whether an order was placed at or after a time, as an SQL expression over both: a date counts from the day of that time on.';
CREATE FUNCTION clientele._earliest(store name, since text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN clientele._has_local_times(store)
        THEN format('LEAST(%1$s, clientele._day_start(%1$s, %2$L))', since, (clientele._settings(store)).time_zone) ELSE since END
$$;
COMMENT ON FUNCTION clientele._earliest(name, text) IS
    'The lower bound of what _placed_since() accepts, as an SQL expression over a time.';

CREATE FUNCTION clientele._items_query(settings clientele.store_settings) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN settings.items IS NOT NULL THEN format(
        'SELECT i.%I::%s AS order_id, %s AS category, i.%I::numeric AS amount FROM %s i',
        settings.item_order_id, clientele._stored_type(clientele._column_type(settings.items, settings.item_order_id, 'item_order_id')),
        CASE WHEN clientele._is_built_in(clientele._column_type(settings.items, settings.item_category, 'item_category'))
            THEN format('i.%I::text', settings.item_category) ELSE clientele._as_text(format('i.%I', settings.item_category)) END,
        settings.item_amount, settings.items) END
$$;
COMMENT ON FUNCTION clientele._items_query(clientele.store_settings) IS
    'The lines of orders; the view _items of a store. NULL where there are none.';

-- One row a customer with orders: customer_id, profile, category_mix. among: a condition on o, of which customers.
-- inlined: without the views _orders and _items, which read with the rights of whoever asks, within whatever view they are.
CREATE FUNCTION clientele._profiles_query(store name, settings clientele.store_settings, as_of text, among text DEFAULT 'true',
    inlined boolean DEFAULT false)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    aggregate text := format(CASE WHEN clientele._has_ties(store)
            THEN 'clientele.order_profile(o.ordered_at, o.amount, %1$L, clientele._tie(o.ordered_at, %1$L, o.order_id))'
        WHEN settings.time_zone = 'UTC' THEN 'clientele.order_profile(o.ordered_at, o.amount)'
        ELSE 'clientele.order_profile(o.ordered_at, o.amount, %L)' END, settings.time_zone);
    orders text := CASE WHEN inlined THEN format('(%s)', clientele._orders_query(settings)) ELSE format('%I._orders', store) END;
    items text := CASE WHEN inlined THEN format('(%s)', clientele._items_query(settings)) ELSE format('%I._items', store) END;
    profiles text;
BEGIN
    profiles := format('SELECT o.customer_id, %s AS profile FROM %s o WHERE o.ordered_at <= %s AND %s
        GROUP BY o.customer_id HAVING %1$s IS NOT NULL',
        aggregate, orders, as_of, among);
    IF settings.items IS NULL THEN
        RETURN format('SELECT p.customer_id, p.profile, NULL::jsonb AS category_mix FROM (%s) p', profiles);
    END IF;
    RETURN format('SELECT p.customer_id, p.profile, m.category_mix FROM (%s) p LEFT JOIN (%s) m ON m.customer_id = p.customer_id',
        profiles, clientele._category_mix_query(store, as_of, among, orders, items));
END $$;
COMMENT ON FUNCTION clientele._profiles_query(name, clientele.store_settings, text, text, boolean) IS
    'The profiles of a store, from its orders up to as_of.';

CREATE FUNCTION clientele._category_mix_query(store name, as_of text, among text DEFAULT 'true', orders text DEFAULT NULL,
    items text DEFAULT NULL) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('SELECT o.customer_id, clientele._category_mix(i.category, i.amount) AS category_mix
        FROM %1$s o JOIN %4$s i ON i.order_id %5$s o.order_id
        WHERE o.ordered_at <= %2$s AND o.amount >= 0 AND i.category IS NOT NULL AND clientele._countable(NULL, i.amount) AND %3$s
        GROUP BY o.customer_id', coalesce(orders, format('%I._orders', store)), as_of, among, coalesce(items, format('%I._items', store)),
        clientele._order_equality(store))
$$;
COMMENT ON FUNCTION clientele._category_mix_query(name, text, text, text, text) IS
    'What each customer spent by category, of the lines of orders that count.';

-- What everything else starts from: customer_id, profile, category_mix, as_of, the attributes.
CREATE FUNCTION clientele._base_query(settings clientele.store_settings, profiles text, as_of text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    attributes text;
BEGIN
    IF settings.customers IS NULL THEN
        RETURN format('SELECT p.customer_id, p.profile, p.category_mix, %s AS as_of FROM %s p', as_of, profiles);
    END IF;
    SELECT coalesce(string_agg(format(', %s AS %I', clientele._plain_column(settings.customers, 'c', a.column_name), a.name), ''
        ORDER BY a.ordinal), '') INTO attributes FROM clientele._attributes(settings) a;
    RETURN format('SELECT %1$s AS customer_id, p.profile, p.category_mix, %2$s AS as_of%3$s FROM %4$s c LEFT JOIN %5$s p
        ON p.customer_id = %1$s WHERE %1$s IS NOT NULL', clientele._plain_column(settings.customers, 'c', settings.customer_key),
        as_of, attributes, settings.customers, profiles);
END $$;
COMMENT ON FUNCTION clientele._base_query(clientele.store_settings, text, text) IS
    'Profiles and attributes side by side; with a customers table everyone in it.';

-- Everything that is joined is told so: planners do not carry ranges over.
CREATE FUNCTION clientele._between(store name, alias text) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('($1 IS NULL OR %1$s.customer_id%2$s > $1) AND ($2 IS NULL OR %1$s.customer_id%2$s <= $2)', alias,
        clientele._key_collation(store))
$$;
COMMENT ON FUNCTION clientele._between(name, text) IS
    'The condition for a part of the customers: above the key $1, up to the key $2; NULL: without bound.';

-- What reads the orders. They are replaced where the store's time zone is another: no reader's rights or views are lost.
CREATE FUNCTION clientele._regenerate_order_views(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET transform_null_equals = off AS $$
BEGIN
    EXECUTE format('CREATE OR REPLACE VIEW %I._orders WITH (security_invoker = true) AS %s', store, clientele._orders_query(settings));
    EXECUTE format('CREATE OR REPLACE VIEW %I._order_rows WITH (security_invoker = true) AS %s', store,
        clientele._orders_query(settings, true));
    EXECUTE format('CREATE OR REPLACE VIEW %I.uncountable_orders WITH (security_invoker = true) AS %s', store,
        clientele._uncountable_query(store, settings));
    IF settings.items IS NOT NULL THEN
        EXECUTE format('CREATE OR REPLACE VIEW %I._items WITH (security_invoker = true) AS %s', store, clientele._items_query(settings));
    END IF;
    EXECUTE format('CREATE OR REPLACE FUNCTION %I._profiles_at(as_of timestamptz)
        RETURNS TABLE (customer_id %s, profile clientele.order_profile, category_mix jsonb)
        STABLE PARALLEL SAFE BEGIN ATOMIC %s; END', store, clientele._key_type(store),
        format('SELECT q.* FROM (%s) q WHERE clientele._orders_are_here(%L::pg_catalog.regclass, %L::pg_catalog.regclass)',
            clientele._profiles_query(store, settings, 'COALESCE($1, pg_catalog.now())'), format('%I.profiles', store), settings.orders));
    PERFORM clientele._create_live_views(store, settings);
END $$;
COMMENT ON FUNCTION clientele._regenerate_order_views(name, clientele.store_settings) IS
    'The views and functions of a store that read its orders and lines, made anew or replaced.';

CREATE FUNCTION clientele._fact_names(settings clientele.store_settings) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT string_agg(CASE c.name WHEN 'segment' THEN c.expression ELSE format('f.%I', c.name) END, ', ' ORDER BY c.ordinal)
    FROM clientele._customer_columns(settings) c
$$;
COMMENT ON FUNCTION clientele._fact_names(clientele.store_settings) IS
    'The columns of the view customers as arguments, f.a, f.b, ..., over a subquery f of _facts_query().';

CREATE FUNCTION clientele._create_views(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET transform_null_equals = off AS $$
DECLARE
    names constant text := clientele._fact_names(settings);
    facts constant text := clientele._facts_query(store, settings);  -- a subquery that computes them from {base}
    parameters text;    -- a type, b type, ...
BEGIN
    SELECT string_agg(format('%I %s', c.name, c.type), ', ' ORDER BY c.ordinal) INTO parameters
        FROM clientele._customer_columns(settings) c;
    PERFORM clientele._regenerate_order_views(store, settings);
    PERFORM clientele._regenerate_profiles(store, settings, false);
    PERFORM clientele._create_base_views(store, settings);
    PERFORM clientele._regenerate_segments(store, parameters);
    PERFORM clientele._regenerate_offers(store);
    PERFORM clientele._create_view_trio(store, 'customers', names, facts, '%3$s');
    PERFORM clientele._create_view_trio(store, 'segments', names, facts,
        'SELECT f.customer_id, s.segmentation, s.segment FROM %3$s f CROSS JOIN LATERAL %2$I._segments(%1$s) s');
    PERFORM clientele._protect_customers(store, settings);
    PERFORM clientele._create_ledger_views(store);
    PERFORM clientele._create_experiment_views(store);
    PERFORM clientele._create_view_trio(store, '_offer_inputs', names, facts, clientele._offer_inputs_query());
    PERFORM clientele._create_segment_views(store);
    PERFORM clientele._create_offer_views(store);
    PERFORM clientele._comment_views(store);
    PERFORM clientele._comment_customers(store, settings);
    PERFORM clientele._create_product_views(store, settings);
    PERFORM clientele._create_affinity_view(store);
END $$;
COMMENT ON FUNCTION clientele._create_views(name, clientele.store_settings) IS 'The views and generated functions of a new store.';

-- A margin by segment needs the segment, whose rules may read margins that do not (see _refuse_margins). What nobody asks for is not
-- computed: the planner merges the sub-query g into the query around it, and looks at no branch of a CASE that is never taken. It
-- copies all columns for each sub-query that it merges, whatever is asked for: so there is one, and margins are written out.
CREATE FUNCTION clientele._facts_query(store name, settings clientele.store_settings) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    margin_of_all constant text := format('%I._margin(b.category_mix, NULL)', store);
    margin constant text := format('CASE WHEN %1$I._margin_asks_for_segment() THEN %1$I._margin(b.category_mix, g.segment) ELSE %2$s END',
        store, margin_of_all);
BEGIN
    RETURN clientele._fill('(SELECT {columns} FROM {base} b LEFT JOIN {store}.scoring s ON s.id = 1
            CROSS JOIN LATERAL (SELECT {store}._segment_main({arguments}) AS segment) g)',
        'columns', (SELECT string_agg(format('%s AS %I', c.expression, c.name), ', ' ORDER BY c.ordinal)
            FROM clientele._customer_columns(settings, margin, 'g.segment') c),
        'arguments', (SELECT string_agg(c.expression, ', ' ORDER BY c.ordinal)
            FROM clientele._customer_columns(settings, margin_of_all) c),
        'store', quote_ident(store), 'base', '{base}');
END $$;
COMMENT ON FUNCTION clientele._facts_query(name, clientele.store_settings) IS
    'The columns of the view customers as a subquery, over the relation that stands for {base}.';

CREATE FUNCTION clientele._create_base_views(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET transform_null_equals = off AS $$
BEGIN
    EXECUTE format('CREATE OR REPLACE VIEW %I._base WITH (security_invoker = true) AS %s', store,
        clientele._base_query(settings, format('%I._profiles_now()', store), 'pg_catalog.now()'));
    EXECUTE format('CREATE OR REPLACE VIEW %I._base_stored WITH (security_invoker = true) AS %s', store,
        clientele._base_query(settings, format('%I.profiles', store), 'pg_catalog.now()'));
    EXECUTE format('CREATE OR REPLACE FUNCTION %1$I._base_at(as_of timestamptz) RETURNS SETOF %1$I._base STABLE PARALLEL SAFE
        BEGIN ATOMIC %2$s; END', store,
        clientele._base_query(settings, format('%I._profiles_at($1)', store), 'COALESCE($1, pg_catalog.now())'));
    EXECUTE format('CREATE OR REPLACE FUNCTION %1$I._base_between(above %2$s, upto %2$s) RETURNS SETOF %1$I._base STABLE PARALLEL SAFE
        BEGIN ATOMIC SELECT * FROM (%3$s) b WHERE %4$s; END', store, clientele._key_type(store),
        clientele._base_query(settings, format('(SELECT * FROM %I._profiles_now() p WHERE %s)', store, clientele._between(store, 'p')),
            'pg_catalog.now()'),
        clientele._between(store, 'b'));
    -- A function rather than a sub-query: it is called for customers without orders alone, and costs the others nothing.
    EXECUTE format('CREATE OR REPLACE FUNCTION %1$I._typical_value(segment text) RETURNS clientele.reference_value
        STABLE PARALLEL SAFE BEGIN ATOMIC SELECT t.basis, t.value FROM %1$I.typical_values t
            WHERE t.segment IN ($1, '''') ORDER BY t.segment DESC LIMIT 1; END', store);
END $$;
COMMENT ON FUNCTION clientele._create_base_views(name, clientele.store_settings) IS
    'The views and functions of a new store that the others start from: customers with their profiles and attributes, '
    'now, as stored, as of a time, and between two keys.';

CREATE FUNCTION clientele._create_segment_views(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($views$
        CREATE OR REPLACE VIEW {store}._segment_content WITH (security_invoker = true) AS
            SELECT s.segment, pg_catalog.jsonb_object_agg(c.slot, c.content) AS content,
                pg_catalog.jsonb_object_agg(c.slot, c.holdout) FILTER (WHERE c.holdout > 0) AS holdouts
            FROM (SELECT r.segment, m.default_segment FROM {store}.segment_rules r JOIN {store}.segmentations m USING (segmentation)
                  WHERE r.segmentation = 'main'
                  UNION ALL SELECT m.default_segment, m.default_segment FROM {store}.segmentations m WHERE m.segmentation = 'main') s
            CROSS JOIN LATERAL (
                SELECT DISTINCT ON (k.slot) k.slot, k.content, k.holdout FROM {store}.contents k
                WHERE k.segment IN (s.segment, s.default_segment) ORDER BY k.slot, k.segment = s.segment DESC) c
            GROUP BY s.segment;
        CREATE OR REPLACE VIEW {store}.segment_sizes WITH (security_invoker = true) AS
            SELECT s.segment, COALESCE(c.customers, 0) AS customers,
                COALESCE(c.customers / pg_catalog.sum(c.customers) OVER (), 0)::double precision AS share,
                COALESCE(c.orders, 0)::bigint AS orders, COALESCE(c.total_spent, 0) AS total_spent,
                c.gross_spent / NULLIF(c.orders, 0) AS aov
            FROM (SELECT r.segment, r.priority::bigint AS rank FROM {store}.segment_rules r WHERE r.segmentation = 'main'
                  UNION ALL SELECT m.default_segment, NULL FROM {store}.segmentations m WHERE m.segmentation = 'main') s
            LEFT JOIN (SELECT u.segment, pg_catalog.count(*) AS customers, pg_catalog.sum(u.orders) AS orders,
                    pg_catalog.sum(u.total_spent) AS total_spent, pg_catalog.sum(u.gross_spent) AS gross_spent
                FROM {store}.customers u GROUP BY u.segment) c ON c.segment = s.segment
            ORDER BY s.rank NULLS LAST;
        $views$, 'store', quote_ident(store));
END $$;
COMMENT ON FUNCTION clientele._create_segment_views(name) IS
    'The views of a new store about its segments: their contents, and their sizes.';

CREATE FUNCTION clientele._comment_views(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($comments$
        COMMENT ON VIEW {store}.uncountable_orders IS 'The orders that are left out, because no profile or index can take them, and why.';
        COMMENT ON VIEW {store}.customers IS 'A row a customer: the profile''s figures, the attributes, the scores, the segment.';
        COMMENT ON VIEW {store}.segments IS 'A row for each customer and segmentation.';
        COMMENT ON VIEW {store}.campaign IS
            'The whole decision in one row a customer: segment, contents by slot, and the offer, if there is one; with its code, '
            'if it was issued.';
        COMMENT ON VIEW {store}.offers IS 'A row for each customer who has an offer now.';
        COMMENT ON VIEW {store}.offer_decisions IS 'A row for each customer and program, and for an open offer of one that was dropped: '
            'offered, held_out or refused, with the reasons; natural_share: how many of the customer''s orders reach min_spend without an '
            'offer.';
        COMMENT ON VIEW {store}.offer_summary IS
            'Customers by program, status and first reason; mean threshold; cost if every offer were redeemed; the mean share of orders '
            'that reach the threshold anyway, and what of the cost goes to these.';
        COMMENT ON VIEW {store}.segment_sizes IS 'Customers, orders and money by segment; aov is pooled: sums over sums.';
        COMMENT ON FUNCTION {store}.customers_at(timestamptz) IS
            'The view customers as of a time: today''s order rows dated up to then, with today''s status, attributes, rules and models.';
        $comments$, 'store', quote_ident(store));
END $$;
COMMENT ON FUNCTION clientele._comment_views(name) IS 'Comments on the views of a new store.';

-- The same query over the profiles as of now, as view NAME; over those that are stored, as view _NAME_stored, for look-ups of
-- customers for whom nothing is pending; and over the orders up to a time, as function NAME_at(as_of).
-- In the query, %1$s is the columns, %2$I the store, %3$s a subquery with the columns and the profile, %4$s which exposures there are
-- in the ledger, %5$s which of them are open, %6$s the ledger.
CREATE FUNCTION clientele._create_view_trio(store name, name text, names text, facts text, query text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- The ledger now, and as of a time.
    any_exposure constant text := 'true';
    exposure_by_then constant text := 'l.issued_at <= COALESCE($1, pg_catalog.now())';
    open_now constant text := 'l.state = ''open'' AND l.valid_until > pg_catalog.now()';
    ledger constant text := format('%I._ledger', store);
    open_then constant text := clientele._fill('l.valid_until > {as_of} AND (l.closed_at IS NULL OR l.closed_at > {as_of})',
        'as_of', 'COALESCE($1, pg_catalog.now())');
BEGIN
    EXECUTE format('CREATE OR REPLACE VIEW %I.%I WITH (security_invoker = true) AS %s', store, name,
        format(query, names, store, clientele._fill(facts, 'base', format('%I._base', store)), any_exposure, open_now, ledger));
    EXECUTE format('CREATE OR REPLACE VIEW %I.%I WITH (security_invoker = true) AS %s', store, '_' || ltrim(name, '_') || '_stored',
        format(query, names, store, clientele._fill(facts, 'base', format('%I._base_stored', store)), any_exposure, open_now, ledger));
    EXECUTE format('CREATE OR REPLACE FUNCTION %1$I.%2$I(as_of timestamptz) RETURNS SETOF %1$I.%3$I
        STABLE PARALLEL SAFE BEGIN ATOMIC %4$s; END',
        store, name || '_at', name,
        format(query, names, store, clientele._fill(facts, 'base', format('%I._base_at($1)', store)), exposure_by_then, open_then, ledger));
    IF name = '_offer_inputs' THEN
        EXECUTE format('CREATE OR REPLACE VIEW %I._offer_inputs_of_all WITH (security_invoker = true) AS %s', store,
            format(clientele._offer_inputs_query(of_all => true), names, store, clientele._fill(facts, 'base', format('%I._base', store)),
                any_exposure, open_now, '(' || clientele._ledger_query(store, of_all => true) || ')'));
        EXECUTE format('CREATE OR REPLACE FUNCTION %1$I._offer_inputs_between(above %2$s, upto %2$s) RETURNS SETOF %1$I._offer_inputs
            STABLE PARALLEL SAFE BEGIN ATOMIC %3$s; END', store, clientele._key_type(store),
            format(query, names, store, clientele._fill(facts, 'base', format('%I._base_between($1, $2)', store)),
                clientele._between(store, 'l'), open_now, ledger));
    END IF;
END $$;
COMMENT ON FUNCTION clientele._create_view_trio(name, text, text, text, text) IS
    'A view over the profiles as of now, one over those that are stored, and the function that computes the same as of a time; '
    'of _offer_inputs also one for the customers between two keys, and one for who asks about all and not for one.';

-- Whoever looks at the view with \d+ reads what each column means.
CREATE FUNCTION clientele._comment_customers(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    column_name name;
    meaning text;
BEGIN
    FOR column_name, meaning IN
        SELECT c.name, CASE c.name
            WHEN 'customer_id' THEN 'The customer, as the orders name them.'
            WHEN 'category_mix' THEN 'What was spent by category, of the orders'' lines; clientele.category_share() reads it.'
            WHEN 'as_of' THEN 'The time that the row speaks of.'
            WHEN 'profile' THEN 'All that is known of the customer''s orders; functions read it, such as orders(profile). '
                'NULL without orders.'
            WHEN 'margin' THEN 'The contribution margin of what the customer orders, from 0 to 1: see clientele.set_margins().'
            WHEN 'segment' THEN 'The segment of ''main'' that the customer is assigned to.'
            WHEN 'r_score' THEN 'Recency, 1 to 5 (best): recency_days against the store''s breaks; NULL without orders, '
                'or before the first refresh.'
            WHEN 'f_score' THEN 'Frequency, 1 to 5: orders against the store''s breaks; NULL without orders, or before the first refresh.'
            WHEN 'm_score' THEN 'Money, 1 to 5: total_spent against the store''s breaks; NULL without orders, or before the first refresh.'
            WHEN 'p_alive' THEN 'Probability, by the purchase model in use, that the customer is still one, that is has not left for good; '
                'NULL without orders or model.'
            WHEN 'expected_orders_90d' THEN 'Purchase days to expect within 90 days, by the purchase model in use; '
                'NULL without orders or model.'
            WHEN 'expected_order_value' THEN 'What a purchase day of this customer is worth, by the value model in use, in the currency; '
                'NULL without orders or model.'
            WHEN 'clv_1y' THEN 'Contribution margin to expect within 365 days, discounted, in the currency; NULL without orders or models.'
            WHEN 'expected_next_order_at' THEN 'Last order plus median days between orders; NULL below 3 purchase days, '
                'without a model, or where p_alive is below 0.5.'
            ELSE coalesce((SELECT obj_description(p.oid, 'pg_proc') FROM pg_proc p
                           WHERE p.pronamespace = 'clientele'::regnamespace AND p.proname = c.name AND c.expression LIKE '%b.profile%'
                             AND EXISTS (SELECT FROM pg_depend d
                                 WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')),
                'An attribute, of the customers table.') END
        FROM clientele._customer_columns(settings) c
    LOOP
        EXECUTE format('COMMENT ON COLUMN %I.customers.%I IS %L', store, column_name, meaning);
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._comment_customers(name, clientele.store_settings) IS 'Comments on the columns of a store''s view customers.';
