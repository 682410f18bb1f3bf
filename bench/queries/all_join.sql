CREATE UNLOGGED TABLE bench.result AS
SELECT c.customer_id, o.* FROM customers AS c CROSS JOIN LATERAL clientele.personalized_offer(c.customer_id) AS o;
