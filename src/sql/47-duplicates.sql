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

-- The rows of an id are looked at where there are several: most ids have one. A part of the rows is read once, so that it is the same.
CREATE FUNCTION clientele._doubled_ids(store name, source text, at_most bigint) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('(WITH r AS %1$s (
            SELECT s.order_id, s.customer_id FROM %2$s s WHERE s.order_id IS NOT NULL AND s.customer_id IS NOT NULL %3$s)
        SELECT k.order_id, k.rows, array_agg(DISTINCT r.customer_id) AS customers
        FROM (SELECT r.order_id, count(*) AS rows FROM r GROUP BY r.order_id HAVING count(*) > 1) k
        JOIN r ON r.order_id %4$s k.order_id GROUP BY k.order_id, k.rows)',
        CASE WHEN at_most IS NULL THEN 'NOT MATERIALIZED' ELSE 'MATERIALIZED' END, source,
        CASE WHEN at_most IS NOT NULL THEN format('LIMIT %s', at_most) ELSE '' END, clientele._order_equality(store))
$$;
COMMENT ON FUNCTION clientele._doubled_ids(name, text, bigint) IS
    'A query for the ids that several of the first rows (at_most; NULL: all) of a source have: order_id, rows, and customers, in order.';

-- A refund row may bear the id of its order. Lines know no filter: those of an order that the filter leaves out are taken for those
-- of one with the same id.
CREATE FUNCTION clientele._duplicate_orders(store name, settings clientele.store_settings, sampled text[], at_most bigint DEFAULT NULL)
    RETURNS TABLE (finding text, customer text, detail text)
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    counted text := format('(SELECT o.order_id, o.customer_id FROM %I._orders o WHERE o.amount >= 0)', store);
    same text := clientele._order_equality(store);
    among text := CASE WHEN sampled IS NULL THEN 'true' ELSE format(
        'EXISTS (SELECT FROM %I._orders o WHERE o.order_id %s d.order_id AND %s)', store, same, clientele._among(store, sampled)) END;
BEGIN
    IF settings.order_id IS NULL OR clientele._is_unique(settings.orders, settings.order_id) THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format('
        SELECT ''duplicate_order'', d.customers[1]::text, format(''order %%s: %%s rows count'', d.order_id, d.rows)
            || CASE WHEN cardinality(d.customers) > 1 THEN format('', of %%s customers'', cardinality(d.customers)) ELSE '''' END || $2
        FROM %s d WHERE %s ORDER BY d.order_id', clientele._doubled_ids(store, counted, at_most), among)
        USING sampled, CASE WHEN settings.items IS NULL THEN '' ELSE '; each gets all lines of the order' END;
    IF settings.items IS NOT NULL THEN
        RETURN QUERY EXECUTE format('
            SELECT ''duplicate_order'', (array_agg(o.customer_id))[1]::text, format(''order %%s: one row counts, but %%s customers have ''
                ''that id in %%s; it gets the lines of all of them'', d.order_id, cardinality(d.customers), $2)
            FROM %s d JOIN %s o ON o.order_id %s d.order_id
            WHERE cardinality(d.customers) > 1 AND %s GROUP BY d.order_id, d.customers HAVING count(*) = 1 ORDER BY d.order_id',
            clientele._doubled_ids(store, format('%I._order_owners', store), at_most), counted, same, among) USING sampled, settings.orders;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._duplicate_orders(name, clientele.store_settings, text[], bigint) IS
    'Order ids that several rows of the orders have which count, or, where there are lines, orders of several customers. '
    'at_most: how many rows are looked at; NULL: all.';

CREATE FUNCTION clientele._warn_of_duplicate_orders(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
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
            HINT = format('Where a row is a line, name a view that sums lines up to orders; '
                'where ids are unique with another column only, views with one id made of both. '
                'SELECT * FROM clientele.check_store(%L) lists all of them.', store);
    END IF;
EXCEPTION WHEN data_exception OR raise_exception THEN
    RETURN;  -- an order that the filter fails for is found when orders are counted
END $$;
COMMENT ON FUNCTION clientele._warn_of_duplicate_orders(name, clientele.store_settings) IS
    'Warns where an order id is found twice within the first 100,000 orders. A unique index answers without a look; '
    'foreign tables are not looked at.';
