-- What an analyst writes today for the columns of a profile.
SELECT count(t) FROM (
    WITH ranked AS (
        SELECT customer_id, ordered_at, amount, ordered_at AT TIME ZONE 'UTC' AS local_time,
            row_number() OVER (PARTITION BY customer_id ORDER BY ordered_at DESC, amount DESC) AS nth_last
        FROM orders
    ), figures AS (
        SELECT customer_id, count(*) AS orders, min(ordered_at) AS first_order_at, max(ordered_at) AS last_order_at,
            sum(amount) AS gross_spent, avg(amount) AS aov,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FILTER (WHERE nth_last <= 8) AS typical_order_value,
            stddev(amount) FILTER (WHERE nth_last <= 8) / nullif(avg(amount) FILTER (WHERE nth_last <= 8), 0) AS typical_cv,
            max(amount) FILTER (WHERE nth_last = 1) AS last_order_value,
            stddev(amount) / nullif(avg(amount), 0) AS order_value_cv,
            avg((extract(hour FROM local_time) >= 18)::int) AS evening_share,
            avg((extract(isodow FROM local_time) >= 6)::int) AS weekend_share
        FROM ranked GROUP BY customer_id
    ), days AS (
        SELECT customer_id, day, total, day - lag(day) OVER (PARTITION BY customer_id ORDER BY day) AS gap
        FROM (SELECT customer_id, (ordered_at AT TIME ZONE 'UTC')::date AS day, sum(amount) AS total
              FROM orders GROUP BY 1, 2) AS d
    ), gaps AS (
        SELECT customer_id, count(*) AS purchase_days, avg(gap) AS mean_days_between_orders,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY gap) AS median_days_between_orders,
            max(day) - min(day) AS last_purchase_age, avg(total) FILTER (WHERE gap IS NOT NULL) AS repeat_day_value
        FROM days GROUP BY customer_id
    )
    SELECT * FROM figures JOIN gaps USING (customer_id) OFFSET 0) AS t;
