-- The customers of the tills: :customers.

\set ON_ERROR_STOP on

CREATE TABLE till_customers (customer_id bigint PRIMARY KEY, city_type text NOT NULL);
INSERT INTO till_customers
SELECT id, (ARRAY['urban', 'suburban', 'rural'])[1 + floor(3 * bench.uniform(id, 42))::int] FROM generate_series(1, :customers) AS id;
