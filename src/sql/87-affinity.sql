-- Which products go together: learnt from what orders have in common, and kept as a model of the store.

CREATE FUNCTION clientele._create_affinities(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($affinities$
        CREATE TABLE {store}.product_neighbours (
            learnt uuid NOT NULL, product text NOT NULL, orders bigint NOT NULL,
            neighbours text[] NOT NULL, together integer[] NOT NULL, affinities double precision[] NOT NULL,
            PRIMARY KEY (learnt, product));
        CREATE INDEX product_neighbours_orders ON {store}.product_neighbours (learnt, orders DESC, product);
        -- Nobody looks for what is in them, and statistics of arrays take long.
        ALTER TABLE {store}.product_neighbours
            ALTER neighbours SET STATISTICS 0, ALTER together SET STATISTICS 0, ALTER affinities SET STATISTICS 0;
        COMMENT ON TABLE {store}.product_neighbours IS 'Of each product those that go with it best, of the latest versions of the model '
            'affinity: written by clientele.learn_affinity.';
        COMMENT ON COLUMN {store}.product_neighbours.learnt IS 'Names the version, among the parameters of the model.';
        COMMENT ON COLUMN {store}.product_neighbours.orders IS 'Orders with the product.';
        COMMENT ON COLUMN {store}.product_neighbours.together IS 'Orders with the product and the neighbour.';
        $affinities$, 'store', quote_ident(store));
END $$;
COMMENT ON FUNCTION clientele._create_affinities(name) IS 'What a new store keeps of which products go together.';

-- With the other views: where these are created anew, it is.
CREATE FUNCTION clientele._create_affinity_view(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($affinities$
        CREATE OR REPLACE VIEW {store}.affinities WITH (security_invoker = true) AS
            SELECT n.product, u.neighbour, n.orders, u.together, u.affinity
            FROM {store}.models m JOIN {store}.product_neighbours n ON n.learnt = (m.parameters ->> 'learnt')::uuid
            CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(n.neighbours), pg_catalog.unnest(n.together), pg_catalog.unnest(n.affinities))
                u (neighbour, together, affinity)
            WHERE m.kind = 'affinity' AND m.in_use;
        COMMENT ON VIEW {store}.affinities IS
            'Which products go together, by the model in use: orders with the product, orders with both, and how well they go.';
        $affinities$, 'store', quote_ident(store));
END $$;
COMMENT ON FUNCTION clientele._create_affinity_view(name) IS 'The view affinities of a store.';

CREATE FUNCTION clientele._count_affinities(store name, query text, since timestamptz, upto timestamptz,
        shrinkage double precision, most_neighbours integer, most_products integer,
        OUT product text, OUT orders bigint, OUT neighbours text[], OUT together integer[], OUT affinities double precision[])
    RETURNS SETOF record AS 'MODULE_PATHNAME', 'clientele_count_affinities' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 20000;
COMMENT ON FUNCTION clientele._count_affinities(name, text, timestamptz, timestamptz, double precision, integer, integer) IS
    'Of each product how many orders have it, and its neighbours. query: the lines of the orders between the times $1 and $2, those of an '
    'order one after the other. The last row is about no product: how many orders were counted, and, as affinities, how many lines were '
    'read, orders left out, and pairs found. It takes as much memory as maintenance_work_mem says, and some for each product.';

CREATE FUNCTION clientele._affinity_query(store name) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('SELECT o.order_id, i.product FROM %1$I._orders o JOIN %1$I._item_products i ON i.order_id %2$s o.order_id
        WHERE o.ordered_at > $1 AND o.ordered_at <= $2 AND o.amount >= 0 ORDER BY o.order_id%3$s', store, clientele._order_equality(store),
        (SELECT ' COLLATE pg_catalog."C"' FROM pg_attribute a WHERE a.attrelid = format('%I._orders', store)::regclass
            AND a.attname = 'order_id' AND a.attcollation <> 0))
$$;
COMMENT ON FUNCTION clientele._affinity_query(name) IS
    'The lines of a store''s orders between the times $1 and $2: order_id, product; those of an order one after the other.';

CREATE FUNCTION clientele._check_affinity_arguments(store name, period interval, shrinkage double precision, max_products integer,
        use boolean) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM clientele._require(a.name, a.given) FROM (VALUES ('shrinkage', shrinkage IS NOT NULL),
        ('max_products', max_products IS NOT NULL), ('use', use IS NOT NULL)) a (name, given);
    IF period <= interval '0' THEN
        RAISE EXCEPTION 'invalid period: %', period USING ERRCODE = 'invalid_parameter_value',
            HINT = 'It is how far back orders count, such as ''1 year''; NULL: all of them do.';
    ELSIF NOT shrinkage BETWEEN 0 AND 1000000 THEN
        RAISE EXCEPTION 'invalid shrinkage: %', shrinkage USING ERRCODE = 'invalid_parameter_value',
            HINT = 'It is a number of orders from 0 to 1000000: two products that so many orders have both count for half.';
    ELSIF max_products NOT BETWEEN 2 AND 10000 THEN
        RAISE EXCEPTION 'invalid max_products: %', max_products USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Orders of more different products are left out; choose from 2 to 10000.';
    END IF;
    PERFORM clientele._warn_of_seconds('period', period);
    PERFORM clientele._require_owner(store);
    PERFORM clientele._require_orders_here(store);
    IF NOT (clientele._settings(store)).options ? 'item_product' THEN
        RAISE EXCEPTION 'store % does not know the products of its orders', quote_ident(store)
            USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('Say which column of the order lines names them: SELECT clientele.alter_store(%L, item_product => ''...'');',
                store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_affinity_arguments(name, interval, double precision, integer, boolean) IS
    'Refuses arguments of learn_affinity() that make no sense, and stores that cannot learn.';

-- What takes long comes first: the store is locked, against other definers alone, when all is counted.
CREATE FUNCTION clientele.learn_affinity(store name, period interval DEFAULT '1 year', shrinkage double precision DEFAULT 10,
        max_products integer DEFAULT 500, as_of timestamptz DEFAULT NULL, use boolean DEFAULT true,
        OUT version integer, OUT orders bigint, OUT lines bigint, OUT products bigint, OUT pairs bigint, OUT left_out bigint)
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET row_security = off SET jit = off
    SET intervalstyle = 'postgres' AS $$
DECLARE
    upto constant timestamptz := least(as_of, now());
    since constant timestamptz := coalesce(upto - period, '-infinity');
    most_neighbours constant integer := 50;
    learnt constant uuid := gen_random_uuid();
    data record;
BEGIN
    PERFORM clientele._check_affinity_arguments(store, period, shrinkage, max_products, use);
    EXECUTE format('SELECT count(*) AS customers, min(c.first) AS first FROM (SELECT min(o.ordered_at) AS first FROM %I._orders o
        WHERE o.ordered_at > $1 AND o.ordered_at <= $2 AND o.amount >= 0 GROUP BY o.customer_id) c', store)
        INTO data USING since, upto;
    EXECUTE clientele._fill('
        WITH counted AS MATERIALIZED (SELECT * FROM clientele._count_affinities($1, $2, $3, $4, $5, $6, $7)), kept AS (
            INSERT INTO {store}.product_neighbours (learnt, product, orders, neighbours, together, affinities)
            SELECT $8, c.product, c.orders, c.neighbours, c.together, c.affinities FROM counted c WHERE c.product IS NOT NULL
            RETURNING product)
        SELECT c.orders, c.affinities[1], c.affinities[2], c.affinities[3], (SELECT count(*) FROM kept)
        FROM counted c WHERE c.product IS NULL', 'store', quote_ident(store))
        INTO orders, lines, left_out, pairs, products
        USING store, clientele._affinity_query(store), since, upto, shrinkage, most_neighbours, max_products, learnt;
    PERFORM clientele._lock_store(store);
    version := clientele._add_model(store, 'affinity', jsonb_build_object('learnt', learnt, 'period', period, 'shrinkage', shrinkage,
            'max_products', max_products, 'neighbours', most_neighbours), data.first, upto, data.customers,
        jsonb_build_object('orders', orders, 'lines', lines, 'products', products, 'pairs', pairs, 'left_out', left_out),
        use AND products > 0);
    PERFORM clientele._forget_affinities(store);
    EXECUTE format('ANALYZE %I.product_neighbours', store);
    IF products = 0 THEN
        RAISE WARNING 'no two products go together in an order: version % of the model affinity is not put in use', version
            USING DETAIL = format('%s were looked at.', clientele._counted(orders, 'order')),
                HINT = 'A longer period has more of them.';
    END IF;
    IF left_out > 0 THEN
        RAISE NOTICE 'orders of more than % different products were left out: %', max_products, left_out;
    END IF;
END $$;
COMMENT ON FUNCTION clientele.learn_affinity(name, interval, double precision, integer, timestamptz, boolean) IS
    'Learns which products go together in an order, from the lines of the orders that count, and puts it in use as a new version of the '
    'model affinity; owner only. Pairs are counted exactly, once an order, whatever the order of the rows and the number of workers. '
    'period: how far back orders count; NULL: all of them. as_of: up to when (NULL: now). '
    'Two products, of which n_a and n_b orders have the one and the other, and n both, go together by '
    'n / sqrt(n_a n_b) * n / (n + shrinkage): the cosine, less where it rests on few orders. '
    'Of each product the 50 that go with it best are kept: the view affinities of the store shows them, suggest_fill() uses them. '
    'Orders of more than max_products different products are left out, and counted in left_out. use: false keeps the version without '
    'putting it in use. The neighbours of the latest three versions are kept, and those in use. Memory is bounded by '
    'maintenance_work_mem, and some for each product; refresh_progress shows how far it is. Readers never wait, and definers only when '
    'all is counted.';

CREATE FUNCTION clientele._forget_affinities(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('DELETE FROM %1$I.product_neighbours n USING (
            SELECT (o.parameters ->> ''learnt'')::uuid AS learnt FROM (
                SELECT m.parameters, m.in_use, row_number() OVER (ORDER BY m.version DESC) AS age
                FROM %1$I.models m WHERE m.kind = ''affinity'') o
            WHERE o.age > 3 AND NOT o.in_use) old
        WHERE n.learnt = old.learnt', store);
END $$;
COMMENT ON FUNCTION clientele._forget_affinities(name) IS
    'Removes the neighbours of all versions of the model affinity but the latest three, and the one in use.';

CREATE FUNCTION clientele._require_neighbours(store name, model clientele.model_version) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kept boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT FROM %I.product_neighbours n WHERE n.learnt = ($1 ->> ''learnt'')::uuid)', store)
        INTO kept USING (model).parameters;
    IF NOT kept AND ((model).diagnostics -> 'products')::bigint > 0 THEN
        RAISE EXCEPTION 'the neighbours of version % of affinity are not kept any more', (model).version
            USING ERRCODE = 'object_not_in_prerequisite_state',
            HINT = format('Learn them again: SELECT * FROM clientele.learn_affinity(%L, as_of => %L);', store, (model).data_to);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._require_neighbours(name, clientele.model_version) IS
    'Refuses a version of the model affinity of which nothing but its figures is left.';
