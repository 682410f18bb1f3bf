SELECT count(t) FROM (
    SELECT customer_id, count(*), sum(amount), min(ordered_at), max(ordered_at) FROM orders GROUP BY 1 OFFSET 0) AS t;
