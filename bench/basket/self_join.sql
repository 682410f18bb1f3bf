-- How many orders have both of two products, as analysts write it: a product counts once an order, orders that count are those of the store.
SELECT count(*), sum(pairs.orders) FROM (
    WITH bought AS MATERIALIZED (
        SELECT DISTINCT l.order_id, l.product_id FROM orders o JOIN lines l USING (order_id) WHERE o.amount >= 0 AND o.customer_id IS NOT NULL)
    SELECT a.product_id, b.product_id AS other, count(*) AS orders
    FROM bought a JOIN bought b ON b.order_id = a.order_id AND b.product_id > a.product_id GROUP BY 1, 2) pairs;
