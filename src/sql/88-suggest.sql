-- What to add to a customer's basket.

-- All that speaks for products that can be had, a row each: those that go with one in the basket, the purchases of the customer, and the
-- most popular. What a customer buys is read from the latest orders, so that nothing of it is kept.
-- Where an index finds a product, each is looked up by it: a planner that does not know how few they are would read the whole table.
CREATE FUNCTION clientele._fill_query(store name, key_type text, is_indexed boolean) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill($query$
        WITH model AS MATERIALIZED (
            SELECT (m.parameters ->> 'learnt')::uuid AS learnt, (m.diagnostics -> 'orders')::bigint AS orders
            FROM {store}.models m WHERE m.kind = 'affinity' AND m.in_use
        ), setting AS MATERIALIZED (
            SELECT s.time_zone, clientele._currency_decimals(s.currency) AS decimals FROM {store}.settings s
        ), latest AS MATERIALIZED (
            SELECT l.order_id, clientele._local_day(l.ordered_at, s.time_zone) AS day
            FROM setting s, (SELECT o.order_id, o.ordered_at FROM {store}._orders o
                WHERE o.customer_id = $1 AND o.ordered_at <= pg_catalog.now() AND o.amount >= 0
                ORDER BY o.ordered_at DESC, o.order_id DESC LIMIT 100) l
        ), reasons AS (
            SELECT u.neighbour AS product, n.product AS companion, u.affinity, NULL::date AS day, NULL::bigint AS orders
            FROM (SELECT DISTINCT b.product FROM pg_catalog.unnest($2) b (product)) g
            JOIN {store}.product_neighbours n ON n.product = g.product AND n.learnt = (SELECT m.learnt FROM model m)
            CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(n.neighbours), pg_catalog.unnest(n.affinities)) u (neighbour, affinity)
            UNION ALL
            SELECT i.product::text, NULL, NULL, l.day, NULL
            FROM latest l JOIN {store}._item_products i ON i.order_id {equals} l.order_id
            UNION ALL
            (SELECT n.product, NULL, NULL, NULL, n.orders FROM {store}.product_neighbours n
                WHERE n.learnt = (SELECT m.learnt FROM model m) ORDER BY n.orders DESC, n.product LIMIT 50)
            UNION ALL
            -- What is in the basket, for its names.
            SELECT n.product, NULL, NULL, NULL, NULL FROM (SELECT DISTINCT b.product FROM pg_catalog.unnest($2) b (product)) g
            JOIN {store}.product_neighbours n ON n.product = g.product AND n.learnt = (SELECT m.learnt FROM model m)
        )
        SELECT r.product, p.name, p.price, p.available, r.companion, r.affinity, r.day, r.orders, (SELECT m.orders FROM model m),
            (SELECT pg_catalog.count(DISTINCT l.day) FROM latest l), clientele._local_day(pg_catalog.now(), s.time_zone), s.decimals
        FROM reasons r
        CROSS JOIN LATERAL (SELECT * FROM {store}._products p WHERE p.product = r.product::{key}{one_by_one}) p CROSS JOIN setting s
        $query$, 'store', quote_ident(store), 'key', key_type, 'equals', clientele._order_equality(store),
        'one_by_one', CASE WHEN is_indexed THEN ' LIMIT 1' END)
$$;
COMMENT ON FUNCTION clientele._fill_query(name, text, boolean) IS
    'What speaks for products that could be added to a basket: the body of a store''s function _fill_candidates. $1: the customer; '
    '$2: the products in the basket. is_indexed: a unique index finds a product.';

-- What is bought most of what costs so much: the same columns.
CREATE FUNCTION clientele._fill_by_price_query(store name) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill($query$
        -- First what costs so much: by popularity it might be found behind all others.
        WITH priced AS MATERIALIZED (
            SELECT p.product::text AS product, p.name, p.price, p.available FROM {store}._products p
            WHERE p.available AND p.price >= $1 AND p.price <= $2)
        SELECT n.product, p.name, p.price, p.available, NULL::text, NULL::double precision, NULL::date, n.orders,
            (m.diagnostics -> 'orders')::bigint, 0::bigint, clientele._local_day(pg_catalog.now(), s.time_zone),
            clientele._currency_decimals(s.currency)
        FROM {store}.settings s CROSS JOIN {store}.models m CROSS JOIN priced p
        JOIN {store}.product_neighbours n ON n.learnt = (m.parameters ->> 'learnt')::uuid AND n.product = p.product
        WHERE m.kind = 'affinity' AND m.in_use AND (n.product = ANY ($3)) IS NOT TRUE
        ORDER BY n.orders DESC, n.product LIMIT 100
        $query$, 'store', quote_ident(store))
$$;
COMMENT ON FUNCTION clientele._fill_by_price_query(name) IS
    'What is bought most of the products from a price $1 to a price $2 that can be had and are not in the basket $3: the body of a '
    'store''s function _fill_by_price.';

CREATE FUNCTION clientele._create_fill_functions(store name, settings clientele.store_settings) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET standard_conforming_strings = on AS $$
DECLARE
    key_type constant text := clientele._stored_type(clientele._check_item_products(settings));
    function record;
BEGIN
    FOR function IN VALUES (format('_fill_candidates(customer %s, basket text[])', clientele._key_type(store)),
            clientele._fill_query(store, key_type,
                clientele._is_unique(to_regclass(settings.options ->> 'products'), settings.options ->> 'product_key'))),
            ('_fill_by_price(least_price numeric, greatest_price numeric, basket text[])',
            clientele._fill_by_price_query(store)) LOOP
        EXECUTE format('CREATE OR REPLACE FUNCTION %I.%s
            RETURNS TABLE (product text, name text, price numeric, available boolean, companion text, affinity double precision, day date,
                orders bigint, counted_orders bigint, purchase_days bigint, today date, decimals integer)
            STABLE PARALLEL SAFE BEGIN ATOMIC %s; END', store, function.column1, function.column2);
    END LOOP;
END $$;
COMMENT ON FUNCTION clientele._create_fill_functions(name, clientele.store_settings) IS
    'Writes a store''s functions _fill_candidates and _fill_by_price anew: what could be added to a customer''s basket.';

CREATE TYPE clientele.suggestion AS (
    products text[], names text[], price numeric, overshoot numeric, score double precision, reasons text[]);
COMMENT ON TYPE clientele.suggestion IS 'A product, or two that fill a gap together, to add to a basket.';
COMMENT ON COLUMN clientele.suggestion.overshoot IS 'By how much the price exceeds the gap; NULL where there is none.';

CREATE FUNCTION clientele.suggest_fill(customer bigint, basket text[], store name DEFAULT NULL, gap numeric DEFAULT NULL,
        most integer DEFAULT 3) RETURNS SETOF clientele.suggestion
    AS 'MODULE_PATHNAME', 'clientele_suggest_fill' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 3 SET jit = off;
CREATE FUNCTION clientele.suggest_fill(customer uuid, basket text[], store name DEFAULT NULL, gap numeric DEFAULT NULL,
        most integer DEFAULT 3) RETURNS SETOF clientele.suggestion
    AS 'MODULE_PATHNAME', 'clientele_suggest_fill' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 3 SET jit = off;
CREATE FUNCTION clientele.suggest_fill(customer text, basket text[], store name DEFAULT NULL, gap numeric DEFAULT NULL,
        most integer DEFAULT 3) RETURNS SETOF clientele.suggestion
    AS 'MODULE_PATHNAME', 'clientele_suggest_fill' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000 ROWS 3 SET jit = off;
CALL clientele._comment_on_overloads('suggest_fill({key}, text[], name, numeric, integer)',
    'What to add to a customer''s basket, the best first: products that can be had, have a price and are not in it. basket: the keys '
    'of its products, as text; unknown ones count for nothing, repeated ones once. What speaks for a product is how well it goes with '
    'those in the basket (see learn_affinity), and how often this customer bought it in the latest 100 orders, less while it is early '
    'for the next; only where neither does, how popular it is. '
    'gap: suggest what costs at least that much and little more, as offer_progress() says it; where too few products do, pairs that do '
    'follow, and then what is bought most often of all that costs up to twice the gap. A gap of zero or less is none: no '
    'row. NULL customers have no row, unknown ones suggestions by the basket alone. most: 1 to 100 rows. Names, prices and what can '
    'be had are read from the products table at that moment, with the caller''s rights; so are the customer''s orders and their lines.');
