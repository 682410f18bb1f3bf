-- What the profile of a customer says, by DuckDB: every column of a store's customers that comes from it. The last orders
-- are ranked by time alone, which is less work than by time and amount.
CREATE OR REPLACE TEMP TABLE result AS
WITH figures AS (
    SELECT customer_id, count(*) FILTER (amount >= 0) AS orders, count(*) FILTER (amount < 0) AS refunds,
        min(ordered_at) FILTER (amount >= 0) AS first_order_at, max(ordered_at) FILTER (amount >= 0) AS last_order_at,
        sum(amount) FILTER (amount >= 0) AS gross_spent, sum(amount) AS total_spent,
        arg_max(amount, ordered_at, 8) FILTER (amount >= 0) AS last_values,
        stddev_samp(amount) FILTER (amount >= 0) AS deviation,
        count(*) FILTER (amount >= 0 AND hour(ordered_at) >= 18) AS evening_orders,
        count(*) FILTER (amount >= 0 AND isodow(ordered_at) >= 6) AS weekend_orders
    FROM orders GROUP BY customer_id
), days AS (
    SELECT customer_id, day, total, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap
    FROM (SELECT customer_id, ordered_at::date AS day, sum(amount) AS total FROM orders WHERE amount >= 0 GROUP BY ALL)
), gaps AS (
    SELECT customer_id, count(*) AS purchase_days, avg(gap) AS mean_days_between_orders, median(gap) AS median_days_between_orders,
        max(day) - min(day) AS last_purchase_age, avg(total) FILTER (gap IS NOT NULL) AS repeat_day_value
    FROM days GROUP BY customer_id
)
SELECT customer_id, orders, coalesce(purchase_days, 0) AS purchase_days, refunds, first_order_at, last_order_at, gross_spent, total_spent,
    gross_spent / orders AS aov, list_median(last_values) AS typical_order_value,
    list_stddev_samp(last_values) / nullif(list_avg(last_values), 0) AS typical_cv, last_values[1] AS last_order_value,
    deviation / nullif(gross_spent / orders, 0) AS order_value_cv, mean_days_between_orders, median_days_between_orders,
    evening_orders / orders AS evening_share, weekend_orders / orders AS weekend_share,
    greatest(purchase_days - 1, 0) AS repeat_purchases, last_purchase_age, repeat_day_value
FROM figures LEFT JOIN gaps USING (customer_id);
