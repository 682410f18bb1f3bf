-- The shop that is measured: :customers customers and 20 orders for each of them on average, loaded in time order.
--
-- Nothing is random: every choice is a hash of a number. Only the calendar moves: it covers the two years up to yesterday.
-- Every customer has at least one order; the others are spread so that the expected number runs evenly from 1 to 39.

\set ON_ERROR_STOP on
SET max_parallel_workers_per_gather = 0;
SET TIME ZONE 'America/New_York';

CREATE TABLE customers (
    customer_id   bigint PRIMARY KEY,
    email         text NOT NULL,
    birth_date    date,
    children      int,
    mobility_help boolean,
    city_type     text NOT NULL
);
INSERT INTO customers
SELECT id, 'customer' || id || '@example.com',
       CASE WHEN bench.uniform(id, 10) < 0.75 THEN current_date - ((22 + 60 * bench.uniform(id, 11)) * 365.25)::int END,
       CASE WHEN bench.uniform(id, 12) < 0.6 THEN floor(4 * bench.uniform(id, 13) ^ 4)::int END,
       CASE WHEN bench.uniform(id, 14) < 0.5 THEN bench.uniform(id, 15) < 0.05 END,
       (ARRAY['urban', 'urban', 'suburban', 'suburban', 'rural'])[1 + floor(5 * bench.uniform(id, 16))::int]
FROM generate_series(1, :customers) AS id;

-- Who ordered, on which day; every twentieth order makes sure that each customer has one.
-- What kind of customer it is (its number modulo 5) decides on the hours and on the shelves.
CREATE TABLE orders (
    order_id    bigint NOT NULL,
    customer_id bigint NOT NULL,
    ordered_at  timestamptz NOT NULL,
    amount      numeric(12,2) NOT NULL
);
INSERT INTO orders
SELECT n, customer, day + make_interval(secs => second_of_day),
       greatest(300, round(4500 * exp(0.5 * bench.normal(customer, 20)
           + (0.15 + 0.4 * bench.uniform(customer, 21)) * bench.normal(n, 22))))::bigint / 100.0
FROM (SELECT n, customer, current_date - 730 + floor(730 * (n - 1) / (20.0 * :customers))::int AS day,
             floor(CASE WHEN bench.uniform(n, 23) < CASE customer % 5 WHEN 0 THEN 0.7 ELSE 0.25 END
                        THEN 18 * 3600 + 4 * 3600 * bench.uniform(n, 24)
                        ELSE 8 * 3600 + 10 * 3600 * bench.uniform(n, 24) END) AS second_of_day
      FROM (SELECT n, 1 + (CASE n % 20 WHEN 0 THEN n / 20
                           ELSE floor(:customers * (1 - sqrt(1 - bench.uniform(n, 25))))::bigint END) * 7919 % :customers AS customer
            FROM generate_series(1::bigint, 20 * :customers) AS n) AS who) AS dated
ORDER BY 3, 1;

-- One line an order.
CREATE TABLE order_items (
    order_id bigint NOT NULL,
    category text NOT NULL,
    amount   numeric(12,2) NOT NULL
);
INSERT INTO order_items
SELECT order_id,
       (CASE customer_id % 5
            WHEN 0 THEN '{ready_meals,ready_meals,ready_meals,beverages,beverages,produce,snacks,dairy,bakery,household}'
            WHEN 1 THEN '{baby,baby,produce,produce,dairy,dairy,pantry,household,bakery,beverages}'
            ELSE '{produce,produce,dairy,pantry,beverages,household,pets,snacks,bakery,health}'
        END::text[])[1 + floor(10 * bench.uniform(order_id, 26))::int],
       amount
FROM orders;

VACUUM (FREEZE, ANALYZE) customers;
VACUUM (FREEZE, ANALYZE) orders;
VACUUM (FREEZE, ANALYZE) order_items;
