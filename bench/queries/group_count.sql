SELECT count(t) FROM (SELECT customer_id, count(*) FROM orders GROUP BY 1 OFFSET 0) AS t;
