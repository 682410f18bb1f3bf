SELECT count(t) FROM (
    SELECT customer_id, clientele.order_profile(ordered_at, amount) FROM orders GROUP BY 1 OFFSET 0) AS t;
