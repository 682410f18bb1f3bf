-- For orientation: four columns only.
CREATE OR REPLACE TEMP TABLE result AS
SELECT customer_id, count(*) AS orders, sum(amount) AS gross_spent, min(ordered_at) AS first_order_at, max(ordered_at) AS last_order_at
FROM orders GROUP BY customer_id;
