-- The columns of analyst.sql, from profiles.
SELECT count(t) FROM (
    SELECT customer_id, clientele.orders(p), clientele.purchase_days(p), clientele.first_order_at(p), clientele.last_order_at(p),
        clientele.gross_spent(p), clientele.aov(p), clientele.typical_order_value(p), clientele.typical_cv(p),
        clientele.last_order_value(p), clientele.order_value_cv(p), clientele.mean_days_between_orders(p),
        clientele.median_days_between_orders(p), clientele.evening_share(p), clientele.weekend_share(p),
        clientele.last_purchase_age(p), clientele.repeat_day_value(p)
    FROM (SELECT customer_id, clientele.order_profile(ordered_at, amount) AS p FROM orders GROUP BY 1 OFFSET 0) AS profiles
    OFFSET 0) AS t;
