-- What the columns of a store's sources are called today. They are renamed, dumped and restored, and their views replaced; the
-- store's own views point to them all the while.

CREATE FUNCTION clientele._view_origins(view regclass, column_name name) RETURNS name[]
    AS 'MODULE_PATHNAME', 'clientele_view_origins' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._view_origins(regclass, name) IS
    'The columns of tables and views that a column of a view is computed from, in the order in which its expression names them first; '
    'none where there is no such view or column.';

-- The expression of an amount names the amount first, then what was refunded, then the discount.
CREATE FUNCTION clientele._present_settings(store name) RETURNS clientele.store_settings
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings := clientele._settings(store);
    orders regclass := to_regclass(format('%I._orders', store));
    base regclass := to_regclass(format('%I._base', store));
    items regclass := to_regclass(format('%I._items', store));
    amounts name[] := clientele._view_origins(orders, 'amount'::name);
BEGIN
    settings.customer_id := coalesce((clientele._view_origins(orders, 'customer_id'::name))[1], settings.customer_id);
    settings.ordered_at := coalesce((clientele._view_origins(orders, 'ordered_at'::name))[1], settings.ordered_at);
    settings.order_id := coalesce((clientele._view_origins(orders, 'order_id'::name))[1], settings.order_id);
    settings.amount := coalesce(amounts[1], settings.amount);
    IF cardinality(amounts) = 1 + num_nonnulls(settings.refunded, settings.discount) THEN
        settings.discount := CASE WHEN settings.discount IS NOT NULL THEN amounts[cardinality(amounts)] END;
        settings.refunded := CASE WHEN settings.refunded IS NOT NULL THEN amounts[2] END;
    END IF;
    IF settings.customers IS NOT NULL THEN
        settings.customer_key := coalesce((clientele._view_origins(base, 'customer_id'::name))[1], settings.customer_key);
        SELECT coalesce(array_agg(c.name || CASE WHEN c.name = a.name THEN '' ELSE ' AS ' || a.name END ORDER BY a.ordinal), '{}')
            INTO settings.attributes FROM clientele._attributes(settings) a
            CROSS JOIN LATERAL (SELECT coalesce((clientele._view_origins(base, a.name))[1], a.column_name) AS name) c;
    END IF;
    settings.item_order_id := coalesce((clientele._view_origins(items, 'order_id'::name))[1], settings.item_order_id);
    settings.item_category := coalesce((clientele._view_origins(items, 'category'::name))[1], settings.item_category);
    settings.item_amount := coalesce((clientele._view_origins(items, 'amount'::name))[1], settings.item_amount);
    settings.options := clientele._present_products(store, settings.options);
    RETURN settings;
END $$;
COMMENT ON FUNCTION clientele._present_settings(name) IS
    'The settings of a store with the names that the columns of its sources have now, read from its views _orders, _base, _items and '
    'those about products; '
    'where these say nothing, the names that were given.';

CREATE FUNCTION clientele._kept_filter(view regclass, orders regclass) RETURNS text
    AS 'MODULE_PATHNAME', 'clientele__kept_filter' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION clientele._kept_filter(regclass, regclass) IS
    'The order_filter in a store''s view _order_rows, in the names of today; NULL where there is none.';

CREATE FUNCTION clientele._write_column_names(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    present clientele.store_settings := clientele._present_settings(store);
BEGIN
    present.order_filter := coalesce(clientele._kept_filter(to_regclass(format('%I._order_rows', store)),
        present.orders), present.order_filter);
    IF present IS DISTINCT FROM clientele._settings(store) THEN
        EXECUTE format('UPDATE %I.settings SET (customer_id, ordered_at, amount, order_id, refunded, discount, customer_key, attributes,
            item_order_id, item_category, item_amount, order_filter, options)
            = ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)', store)
            USING present.customer_id, present.ordered_at, present.amount, present.order_id, present.refunded, present.discount,
                present.customer_key, present.attributes, present.item_order_id, present.item_category, present.item_amount,
                present.order_filter, present.options;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._write_column_names(name) IS
    'Writes the names that the columns of a store''s sources have now, and all that its filter names, into its settings.';
