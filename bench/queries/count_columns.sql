-- The columns of duckdb/profile.sql, from profiles.
CREATE UNLOGGED TABLE bench.result AS
SELECT customer_id, clientele.orders(p), clientele.purchase_days(p), clientele.refunds(p), clientele.first_order_at(p), clientele.last_order_at(p),
    clientele.gross_spent(p), clientele.total_spent(p), clientele.aov(p), clientele.typical_order_value(p), clientele.typical_cv(p),
    clientele.last_order_value(p), clientele.order_value_cv(p), clientele.mean_days_between_orders(p), clientele.median_days_between_orders(p),
    clientele.evening_share(p), clientele.weekend_share(p), clientele.repeat_purchases(p), clientele.last_purchase_age(p),
    clientele.repeat_day_value(p)
FROM clientele._count_profiles('ledger') AS c(customer_id bigint, p clientele.order_profile);
