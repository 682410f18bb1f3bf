-- Customers as a mixture of eight groups that overlap: days since the last order, ln(orders), ln(spent), days between orders.
CREATE SCHEMA bench;
CREATE FUNCTION bench.uniform(n bigint, salt bigint) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    'SELECT ((hashint8extended(n, salt) & 9007199254740991) + 0.5) / 9007199254740992.0';
CREATE FUNCTION bench.normal(n bigint, salt bigint) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
    'SELECT sqrt(-2 * ln(bench.uniform(n, salt))) * cos(2 * pi() * bench.uniform(n, salt + 1000))';
CREATE TABLE bench.customers AS
    SELECT n AS customer_id,
           greatest(0, floor(g.recency + (25 + 4 * g.id) * bench.normal(n, 1)))::float8 AS recency,
           ln(greatest(1, round(exp(g.orders + 0.45 * bench.normal(n, 2)))))::float8 AS orders,
           ln(greatest(1, round(exp(g.spent + 0.6 * bench.normal(n, 3))::numeric, 2)))::float8 AS spent,
           greatest(1, round((g.gap + 15 * bench.normal(n, 4))::numeric, 1))::float8 AS gap
    FROM generate_series(1::bigint, :customers) AS n
    JOIN (VALUES (0, 20, 2.5, 6.5, 20), (1, 330, 0.6, 3.2, 110), (2, 200, 1.2, 4.6, 70), (3, 90, 1.8, 5.7, 40),
                 (4, 150, 0.8, 4.9, 90), (5, 60, 2.9, 6.8, 15), (6, 280, 1.0, 3.8, 100), (7, 240, 1.7, 5.2, 60))
         AS g (id, recency, orders, spent, gap) ON g.id = floor(8 * bench.uniform(n, 5) ^ 1.3);
VACUUM (ANALYZE, FREEZE) bench.customers;
