-- Keys that should be unique and are not: what check_store finds of them, and create_store warns of.

CREATE FUNCTION clientele._duplicate_customers(store name, settings clientele.store_settings, sampled text[])
    RETURNS TABLE (finding text, customer text, detail text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF settings.customers IS NULL OR clientele._is_unique(settings.customers, settings.customer_key) THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format('SELECT ''duplicate_customer'', o.customer_id::text, format(''%%s rows in %%s'', count(*), $2)
        FROM (SELECT c.%I AS customer_id FROM %s c) o WHERE o.customer_id IS NOT NULL AND %s
        GROUP BY o.customer_id HAVING count(*) > 1 ORDER BY o.customer_id',
        settings.customer_key, settings.customers, clientele._among(store, sampled)) USING sampled, settings.customers;
END $$;
COMMENT ON FUNCTION clientele._duplicate_customers(name, clientele.store_settings, text[]) IS
    'Customers of whom the customers table has several rows, and so the store.';

-- A refund row may bear the id of its order.
CREATE FUNCTION clientele._duplicate_orders(store name, settings clientele.store_settings, sampled text[], at_most bigint DEFAULT NULL)
    RETURNS TABLE (finding text, customer text, detail text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    same text := clientele._order_equality(store);
    bound text := CASE WHEN at_most IS NULL THEN '' ELSE format('LIMIT %s', at_most) END;
    orders text := format('(SELECT o.order_id, o.customer_id FROM %I._orders o WHERE o.amount >= 0 AND o.order_id IS NOT NULL %s)', store, bound);
    among text := CASE WHEN sampled IS NULL THEN 'true'
        ELSE format('EXISTS (SELECT FROM %I._orders s WHERE s.order_id %s o.order_id AND s.customer_id = ANY ($1::%s[]))', store, same, clientele._key_type(store)) END;
BEGIN
    IF settings.order_id IS NULL OR clientele._is_unique(settings.orders, settings.order_id) THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format('SELECT ''duplicate_order'', (d.customers)[1]::text, format(''order %%s: %%s rows count%%s'', d.order_id, d.rows,
            CASE WHEN cardinality(d.customers) > 1 THEN format('', of %%s customers'', cardinality(d.customers)) ELSE '''' END || $2)
        FROM (SELECT o.order_id, count(*) AS rows, array_agg(DISTINCT o.customer_id) AS customers FROM %s o WHERE %s
              GROUP BY o.order_id HAVING count(*) > 1) d ORDER BY d.order_id', orders, among)
        USING sampled, CASE WHEN settings.items IS NULL THEN '' ELSE '; each gets all lines of the order' END;
    -- Lines know no filter: those of an order that the filter leaves out are taken for those of one with the same id.
    IF settings.items IS NOT NULL THEN
        RETURN QUERY EXECUTE format('SELECT ''duplicate_order'', (array_agg(o.customer_id))[1]::text,
                format(''order %%s: one row counts, but %%s customers have that id in %%s; it gets the lines of all of them'', o.order_id, min(w.customers), $2)
            FROM %s o JOIN (SELECT w.order_id, count(DISTINCT w.customer_id) AS customers FROM (SELECT * FROM %I._order_owners %s) w
                  GROUP BY w.order_id HAVING count(DISTINCT w.customer_id) > 1) w ON w.order_id %s o.order_id
            WHERE %s GROUP BY o.order_id HAVING count(*) = 1 ORDER BY o.order_id', orders, store, bound, same, among)
            USING sampled, settings.orders;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._duplicate_orders(name, clientele.store_settings, text[], bigint) IS
    'Order ids that several rows of the orders have which count, or, where there are lines, orders of several customers. at_most: how many rows are looked at; NULL: all.';

CREATE FUNCTION clientele._warn_of_duplicate_orders(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found text;
BEGIN
    IF EXISTS (SELECT FROM clientele._family(settings.orders) f JOIN pg_class c ON c.oid = f WHERE c.relkind = 'f') THEN
        RETURN;  -- nobody knows what a look there takes
    END IF;
    SELECT d.detail INTO found FROM clientele._duplicate_orders(store, settings, NULL, 100000) d LIMIT 1;
    IF found IS NOT NULL THEN
        RAISE WARNING 'column "%" of % is not unique: %', settings.order_id, settings.orders, found
            USING DETAIL = 'A store takes each row for an order of its own.',
            HINT = format('Where a row is a line, name a view that sums lines up to orders; where ids are unique with another column only, views with one id made of both. '
                'SELECT * FROM clientele.check_store(%L) lists all of them.', store);
    END IF;
EXCEPTION WHEN data_exception OR raise_exception THEN
    RETURN;  -- an order that the filter fails for is found when orders are counted
END $$;
COMMENT ON FUNCTION clientele._warn_of_duplicate_orders(name, clientele.store_settings) IS
    'Warns where an order id is found twice within the first 100,000 orders. A unique index answers without a look; foreign tables are not looked at.';
