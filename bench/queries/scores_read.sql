-- Reading all profiles, each with its key and one figure.
SELECT count(t) FROM (SELECT customer_id, orders FROM shop.customers OFFSET 0) AS t;
