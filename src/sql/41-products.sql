-- What a store knows of products: which of them order lines name, and the shop's table with their names and prices.

CREATE FUNCTION clientele._product_settings() RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '{item_product,item_quantity,products,product_key,product_name,product_price,product_available}'::text[];
COMMENT ON FUNCTION clientele._product_settings() IS 'The settings of a store that are about products. They are among its options.';

CREATE FUNCTION clientele._product_terms(item_product name, item_quantity name, products regclass, product_key name, product_name name,
    product_price name, product_available name) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('item_product', item_product, 'item_quantity', item_quantity,
        'products', clientele._full_name(products), 'product_key', product_key, 'product_name', product_name,
        'product_price', product_price, 'product_available', product_available))
$$;
COMMENT ON FUNCTION clientele._product_terms(name, name, regclass, name, name, name, name) IS
    'Arguments about products by name, without those that are NULL. The table is kept by its name, since an option is no reference that a '
    'dump would restore; what follows it through renames is the view _products of the store.';

-- Columns of a table that there is not mean nothing, and those of one that there is have customary names.
CREATE FUNCTION clientele._completed_products(options jsonb, has_items boolean, given jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN k.kept ? 'products' THEN '{"product_key": "product_id", "product_name": "name", "product_price": "price"}' || k.kept
        ELSE k.kept - '{product_key,product_name,product_price,product_available}'::text[] END
    FROM (SELECT CASE WHEN has_items THEN options
        ELSE options - ARRAY(SELECT p FROM unnest(clientele._product_settings()) p WHERE NOT given ? p) END) k (kept)
$$;
COMMENT ON FUNCTION clientele._completed_products(jsonb, boolean, jsonb) IS
    'Options with the default names of the columns of a products table, and without what there is no table or no order lines for, unless '
    'it was given.';

-- ---- Checks ----

CREATE FUNCTION clientele._check_item_products(settings clientele.store_settings) RETURNS regtype
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item_product constant name := settings.options ->> 'item_product';
    item_quantity constant name := settings.options ->> 'item_quantity';
BEGIN
    IF item_product IS NULL THEN
        IF settings.options ?| '{item_quantity,products}' THEN
            RAISE EXCEPTION '% cannot be without item_product', CASE WHEN settings.options ? 'products' THEN 'products'
                ELSE 'item_quantity' END USING ERRCODE = 'invalid_parameter_value',
                DETAIL = 'Order lines have to say which product they are about.',
                HINT = 'Name their column: item_product => ''...''.';
        END IF;
        RETURN NULL;
    END IF;
    IF settings.items IS NULL THEN
        RAISE EXCEPTION 'item_product needs order lines' USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Pass items => ''...'' as well.';
    END IF;
    IF item_quantity IS NOT NULL THEN
        PERFORM clientele._check_type(settings.items, item_quantity, 'item_quantity', '{numeric,smallint,integer,bigint}');
    END IF;
    RETURN clientele._check_type(settings.items, item_product, 'item_product', '{smallint,integer,bigint,uuid,text,varchar}');
END $$;
COMMENT ON FUNCTION clientele._check_item_products(clientele.store_settings) IS
    'The type by which order lines name products; NULL where they do not. Refuses lines that cannot be read.';

CREATE FUNCTION clientele._check_products(settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    item_type constant regtype := clientele._check_item_products(settings);
    products constant regclass := clientele._table_named(settings.options ->> 'products');
    key constant name := settings.options ->> 'product_key';
    key_type regtype;
BEGIN
    IF NOT settings.options ? 'products' THEN
        RETURN;
    END IF;
    IF products IS NULL THEN
        RAISE EXCEPTION 'the table of products does not exist: %', settings.options ->> 'products' USING ERRCODE = 'undefined_table';
    END IF;
    PERFORM clientele._check_relation(products, 'products');
    key_type := clientele._column_type(products, key, 'product_key');
    IF key_type <> item_type THEN
        RAISE EXCEPTION 'products and order lines have keys of different types' USING ERRCODE = 'datatype_mismatch',
            DETAIL = format('%I of %s is %s, %I of %s is %s.', key, products, key_type, settings.options ->> 'item_product',
                settings.items, item_type),
            HINT = 'Both must have the same type; a view can cast one of them.';
    END IF;
    PERFORM clientele._check_unique(products, key, 'The products table has one row a product');
    PERFORM clientele._check_type(products, settings.options ->> 'product_name', 'product_name', '{text,varchar,bpchar}');
    PERFORM clientele._check_type(products, settings.options ->> 'product_price', 'product_price', '{numeric,smallint,integer,bigint}');
    IF settings.options ? 'product_available' THEN
        PERFORM clientele._check_type(products, settings.options ->> 'product_available', 'product_available',
            '{boolean,numeric,smallint,integer,bigint}');
    END IF;
END $$;
COMMENT ON FUNCTION clientele._check_products(clientele.store_settings) IS
    'Refuses products that do not go with the order lines, or cannot be read.';

CREATE FUNCTION clientele._warn_of_prices(store name) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    priceless bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %I._products p WHERE (p.price > 0 AND p.price < ''infinity'') IS NOT TRUE', store) INTO priceless;
    IF priceless > 0 THEN
        RAISE WARNING 'products of store % without a price above zero: %', quote_ident(store), priceless
            USING DETAIL = 'Prices are read when they are asked for; as long as a product has none it is not suggested.';
    END IF;
END $$;
COMMENT ON FUNCTION clientele._warn_of_prices(name) IS 'Says how many products cannot be suggested because they have no price.';

-- ---- What a store reads them by ----

CREATE FUNCTION clientele._item_products_query(settings clientele.store_settings) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('SELECT i.%I::%s AS order_id, i.%I::%s AS product, %s AS quantity FROM %s i WHERE i.%3$I IS NOT NULL%7$s',
        settings.item_order_id, clientele._stored_type(clientele._column_type(settings.items, settings.item_order_id, 'item_order_id')),
        o.product, clientele._stored_type(clientele._column_type(settings.items, o.product, 'item_product')),
        CASE WHEN o.quantity IS NULL THEN '1::numeric' ELSE format('i.%I::numeric', o.quantity) END, settings.items,
        CASE WHEN o.quantity IS NOT NULL THEN format(' AND (i.%I > 0) IS NOT FALSE', o.quantity) END)
    FROM (SELECT (settings.options ->> 'item_product')::name, (settings.options ->> 'item_quantity')::name) o (product, quantity)
$$;
COMMENT ON FUNCTION clientele._item_products_query(clientele.store_settings) IS
    'Which products orders have: the view _item_products of a store. A line of a quantity of zero or less takes something back.';

CREATE FUNCTION clientele._products_query(settings clientele.store_settings) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('SELECT p.%I::%s AS product, p.%I::text AS name, p.%I::numeric AS price, %s AS available FROM %s p
        WHERE p.%1$I IS NOT NULL',
        o.product_key, clientele._stored_type(clientele._column_type(r.products, o.product_key, 'product_key')), o.product_name,
        o.product_price, CASE WHEN o.product_available IS NULL THEN 'true'
            WHEN clientele._stored_type(clientele._column_type(r.products, o.product_available, 'product_available')) = 'boolean'
            THEN format('p.%I::boolean', o.product_available) ELSE format('p.%I > 0', o.product_available) END, r.products)
    FROM (SELECT to_regclass(settings.options ->> 'products')) r (products),
        jsonb_to_record(settings.options) o (product_key name, product_name name, product_price name, product_available name)
$$;
COMMENT ON FUNCTION clientele._products_query(clientele.store_settings) IS
    'The shop''s products as they are when they are asked for: the view _products of a store.';

CREATE FUNCTION clientele._source_of(view regclass) RETURNS regclass
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT min(d.refobjid) FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
        WHERE r.ev_class = view AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> view);
END $$;
COMMENT ON FUNCTION clientele._source_of(regclass) IS 'The table or view that a view of one source reads, whatever it is called now.';

CREATE FUNCTION clientele._present_products(store name, options jsonb) RETURNS jsonb
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT options || coalesce(jsonb_object_agg(n.setting, n.present) FILTER (WHERE options ? n.setting AND n.present IS NOT NULL), '{}')
    FROM (SELECT c.setting, (clientele._view_origins(to_regclass(format('%I.%I', store, c.view)), c.name))[1]::text AS present
        FROM (VALUES ('item_product', '_item_products', 'product'::name), ('item_quantity', '_item_products', 'quantity'),
            ('product_key', '_products', 'product'), ('product_name', '_products', 'name'), ('product_price', '_products', 'price'),
            ('product_available', '_products', 'available')) c (setting, view, name)
        UNION ALL
        SELECT 'products', clientele._full_name(clientele._source_of(to_regclass(format('%I._products', store))))) n
$$;
COMMENT ON FUNCTION clientele._present_products(name, jsonb) IS
    'Options with what the products table and the columns about products are called now, where the store''s views tell.';

-- A view can be replaced by one with columns of the same types. What was learnt of products with other keys is about none of these.
CREATE FUNCTION clientele._let_go_of_products(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    wanted text := clientele._stored_type(clientele._check_item_products(settings));
    view record;
BEGIN
    IF to_regclass(format('%I._products', store)) IS NOT NULL THEN
        EXECUTE format('DROP FUNCTION IF EXISTS %1$I._fill_candidates, %1$I._fill_by_price', store);
    END IF;
    FOR view IN SELECT c.oid::regclass AS name, format_type(a.atttypid, a.atttypmod) AS type, c.relname = '_products' AS is_table
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'product'
            WHERE c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = store)
              AND c.relname IN ('_products', '_item_products') LOOP
        IF view.type IS DISTINCT FROM wanted OR view.is_table AND NOT settings.options ? 'products' THEN
            EXECUTE format('DROP VIEW %s', view.name);
            IF NOT view.is_table THEN
                EXECUTE format('DELETE FROM %I.product_neighbours', store);
                EXECUTE format('UPDATE %I.models m SET in_use = false WHERE m.kind = ''affinity''', store);
            END IF;
        END IF;
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._let_go_of_products(name, clientele.store_settings) IS
    'Drops those views of a store about products that it does not need any more, or that come to be of other types, and forgets what was '
    'learnt of products with other keys.';

CREATE FUNCTION clientele._create_product_views(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET standard_conforming_strings = on SET transform_null_equals = off AS $$
BEGIN
    IF settings.options ? 'item_product' THEN
        EXECUTE format('CREATE OR REPLACE VIEW %I._item_products WITH (security_invoker = true) AS %s', store,
            clientele._item_products_query(settings));
    END IF;
    IF settings.options ? 'products' THEN
        EXECUTE format('CREATE OR REPLACE VIEW %I._products WITH (security_invoker = true) AS %s', store,
            clientele._products_query(settings));
        PERFORM clientele._create_fill_functions(store, settings);
        PERFORM clientele._warn_of_prices(store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._create_product_views(name, clientele.store_settings) IS
    'The views of a store about products, made anew or replaced: which products orders have, and what each is called and costs.';
