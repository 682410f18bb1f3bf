-- The demo's shop: 20,000 customers, 300,000 orders with their lines, and some returns.
--
-- Nothing here is random: every choice is a hash of a customer's or an order's number, so the shop is the same on every
-- machine and every PostgreSQL version. Only its calendar moves: it covers the two years up to yesterday, counted from
-- current_date in the shop's time zone, because a shop whose last order lies years back has nobody to make an offer to.
--
-- Each customer has a persona (a parent, a senior, …) that shapes what is bought, when and for how much. The persona is
-- not stored in the shop: segments have to find it again from orders and from what the customer declared.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET jit = off;  -- compiling would take longer than it saves
SET TIME ZONE 'America/New_York';

BEGIN;

-- Uniform on [0, 1).
CREATE FUNCTION pg_temp.uniform(id bigint, purpose int) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (hashint8extended(id, purpose) & 4294967295) / 4294967296.0::float8 $$;

-- Standard normal, near enough: four 16-bit uniforms, summed (needs no log or cosine, which differ between machines).
CREATE FUNCTION pg_temp.normal(id bigint, purpose int) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT (((h & 65535) + (h >> 16 & 65535) + (h >> 32 & 65535) + (h >> 48 & 65535)) / 65535.0::float8 - 2) * sqrt(3.0::float8)
   FROM hashint8extended(id, purpose) AS h $$;

CREATE TABLE customers (
    customer_id     bigint PRIMARY KEY,
    email           text NOT NULL UNIQUE,
    registered_on   date NOT NULL,
    birth_date      date,         -- NULL where the customer has not said
    children        int,          -- the same
    mobility_help   boolean,      -- asks for help with carrying; the same
    city_type       text NOT NULL -- urban, suburban or rural, by postcode
);

CREATE TABLE orders (
    order_id    bigint NOT NULL,
    customer_id bigint,           -- NULL: a guest
    ordered_at  timestamptz NOT NULL,
    status      text NOT NULL,
    amount      numeric(12,2) NOT NULL,
    refunded    numeric(12,2) NOT NULL DEFAULT 0
);

CREATE TABLE products (
    product_id text PRIMARY KEY,
    name       text NOT NULL,
    price      numeric(12,2) NOT NULL,
    stock      int NOT NULL
);

CREATE TABLE order_items (
    order_id   bigint NOT NULL,
    line       int NOT NULL,
    category   text NOT NULL,
    amount     numeric(12,2) NOT NULL,
    product_id text NOT NULL
);

-- Of each category something for a dinner, a breakfast, a party and the week; two are sold out.
CREATE TEMP TABLE range AS
SELECT category, occasion, category || '-' || occasion AS product_id, names[occasion] AS name, prices[occasion] AS price
FROM (VALUES ('produce',     '{Tomatoes,Berries,Avocados,Potatoes}'::text[],                     '{3.20,4.80,5.60,3.90}'::numeric[]),
             ('dairy',       '{Mozzarella,Yoghurt,Sour cream,Milk}',                             '{3.60,2.40,1.90,1.40}'),
             ('bakery',      '{Ciabatta,Croissants,Tortillas,Sliced bread}',                     '{3.40,4.20,3.80,2.60}'),
             ('pantry',      '{Olive oil,Granola,Salsa,Rice}',                                   '{12.90,6.50,4.70,5.20}'),
             ('beverages',   '{Red wine,Orange juice,Craft beer,Mineral water}',                 '{13.60,4.40,14.80,5.10}'),
             ('ready_meals', '{Lasagne,Pancakes,Chicken wings,Soup}',                            '{11.20,5.90,12.60,4.50}'),
             ('snacks',      '{Olives,Energy bars,Tortilla chips,Biscuits}',                     '{5.30,7.20,4.10,3.30}'),
             ('household',   '{Candles,Coffee filters,Paper plates,Washing powder}',             '{8.90,2.80,6.40,15.20}'),
             ('health',      '{Antacids,Vitamins,Aspirin,Toothpaste}',                           '{9.80,13.20,5.70,3.10}'),
             ('baby',        '{Vegetable puree,Baby cereal,Party bibs,Nappies}',                 '{4.90,5.40,7.80,21.50}'),
             ('pets',        '{Cat dinners,Dog biscuits,Catnip,Cat litter}',                     '{10.70,6.80,4.60,9.30}')) AS c (category, names, prices)
CROSS JOIN generate_series(1, 4) AS occasion;
INSERT INTO products
SELECT product_id, name, price, CASE WHEN name IN ('Candles', 'Catnip') THEN 0 ELSE 40 END FROM range ORDER BY product_id;

-- How each persona shops. A basket is a list of twenty shelves to reach for, so that one draw gives a category.
CREATE TEMP TABLE persona (
    name text PRIMARY KEY, from_share float8, to_share float8,
    orders_a_month float8, basket_cents float8, evening float8, weekend float8, urban float8, shelves text[]
);
INSERT INTO persona VALUES
('family',       0.000, 0.200, 3.0, 7800, 0.30, 0.42, 0.30,
 '{baby,baby,baby,baby,produce,produce,produce,dairy,dairy,dairy,pantry,pantry,pantry,pantry,beverages,household,household,bakery,snacks,health}'),
('senior',       0.200, 0.330, 2.4, 4600, 0.05, 0.12, 0.25,
 '{health,health,health,produce,produce,produce,produce,dairy,dairy,dairy,bakery,bakery,bakery,pantry,pantry,pantry,ready_meals,beverages,household,pets}'),
('professional', 0.330, 0.500, 3.2, 3400, 0.74, 0.17, 0.45,
 '{ready_meals,ready_meals,ready_meals,ready_meals,ready_meals,ready_meals,ready_meals,beverages,beverages,beverages,produce,produce,snacks,snacks,dairy,bakery,pantry,household,health,pets}'),
('city_dweller', 0.500, 0.680, 4.0, 2700, 0.36, 0.30, 0.96,
 '{produce,produce,produce,produce,beverages,beverages,beverages,bakery,bakery,bakery,dairy,dairy,snacks,snacks,ready_meals,ready_meals,pantry,household,health,pets}'),
('anyone',       0.680, 0.992, 1.7, 5200, 0.28, 0.30, 0.12,
 '{produce,produce,produce,dairy,dairy,dairy,pantry,pantry,pantry,beverages,beverages,household,household,household,pets,pets,snacks,bakery,health,ready_meals}'),
('wholesaler',   0.992, 1.000, 2.5, 30000, 0.03, 0.05, 0.40,
 '{beverages,beverages,beverages,beverages,beverages,pantry,pantry,pantry,pantry,pantry,household,household,household,household,snacks,snacks,snacks,produce,produce,dairy}');

\echo '   20,000 customers …'
CREATE TEMP TABLE shopper AS
WITH person AS (
    SELECT id, p.*,
           pg_temp.uniform(id, 2) AS loyalty,                          -- none, one order, or a customer of many
           1 + floor(730 * pg_temp.uniform(id, 3) ^ 0.8)::int AS days, -- since the first order
           least(exp(0.8 * pg_temp.normal(id, 4)), 6) AS eagerness,    -- log-normal: few order much, many order little
           CASE WHEN pg_temp.uniform(id, 5) < 0.25                     -- a quarter has drifted away at some point
                THEN 0.1 + 0.7 * pg_temp.uniform(id, 6) ELSE 1 END AS stayed
    FROM generate_series(1, 20000) AS id
    JOIN persona AS p ON pg_temp.uniform(id, 1) >= p.from_share AND pg_temp.uniform(id, 1) < p.to_share
    WHERE id NOT IN (101, 102)
), weighed AS (
    SELECT *, CASE WHEN loyalty < 0.07 THEN 0 WHEN loyalty < 0.27 THEN 1 ELSE 2 END AS at_least,
           CASE WHEN loyalty < 0.27 THEN 0 ELSE orders_a_month * eagerness * days * stayed END AS weight
    FROM person
), shared_out AS (
    -- What remains of the 300,000 orders goes to the returning customers by weight, in whole orders.
    SELECT *, 300000 - 1 - 9 - sum(at_least) OVER () AS remaining,
           sum(weight) OVER (ORDER BY id) / sum(weight) OVER () AS upto, weight / sum(weight) OVER () AS part
    FROM weighed
)
SELECT id, name AS persona, days, urban, shelves, evening, weekend,
       at_least + (round(remaining * upto::numeric) - round(remaining * (upto - part)::numeric))::int AS orders,
       greatest(days * stayed, 1) AS span,
       basket_cents * exp(0.3 * pg_temp.normal(id, 7)) AS typical_cents,
       CASE name WHEN 'wholesaler' THEN 0.9 ELSE 0.26 * exp(0.45 * pg_temp.normal(id, 8)) END AS spread
FROM shared_out
UNION ALL  -- two customers to look at closely; see below for their orders
SELECT id, name, days, 0, shelves, evening, weekend, 0, 1, basket_cents, 0
FROM persona, (VALUES (101, 6), (102, 76)) AS named (id, days)
WHERE name = 'anyone';

INSERT INTO customers
SELECT id, 'customer' || id || '@example.com', current_date - days,
       CASE WHEN id IN (101, 102) OR pg_temp.uniform(id, 10) < 0.75
            THEN current_date - ((CASE persona WHEN 'senior' THEN 66 + 22 * pg_temp.uniform(id, 11)
                                               WHEN 'family' THEN 26 + 20 * pg_temp.uniform(id, 11)
                                               WHEN 'anyone' THEN 22 + 42 * pg_temp.uniform(id, 11)
                                               ELSE 22 + 30 * pg_temp.uniform(id, 11) END) * 365.25)::int END,
       CASE WHEN pg_temp.uniform(id, 12) < 0.6
            THEN CASE WHEN persona = 'family' THEN 1 + floor(3 * pg_temp.uniform(id, 13) ^ 1.6)::int ELSE 0 END END,
       CASE WHEN pg_temp.uniform(id, 14) < 0.5
            THEN CASE persona WHEN 'senior' THEN pg_temp.uniform(id, 15) < 0.45 ELSE pg_temp.uniform(id, 15) < 0.01 END END,
       CASE WHEN pg_temp.uniform(id, 16) < urban THEN 'urban'
            WHEN pg_temp.uniform(id, 17) < 0.75 THEN 'suburban' ELSE 'rural' END
FROM shopper
ORDER BY id;

\echo '   300,000 orders …'
CREATE TEMP TABLE draft AS
WITH placed AS (
    -- One row an order. Its number in the draft is only there to be hashed; order numbers follow in time order.
    SELECT s.*, s.id * 10000 + nth AS draft_id, nth
    FROM shopper AS s CROSS JOIN LATERAL generate_series(1, s.orders) AS nth
), around AS (
    -- A customer's orders are spread over the time that it stayed, with some jitter.
    SELECT *, current_date - days + floor(span * (nth - 1 + 0.8 * pg_temp.uniform(draft_id, 20)) / orders)::int AS about
    FROM placed
), dated AS (
    -- Within the week, the persona's preference decides on the day.
    SELECT *, about - extract(isodow FROM about)::int
           + CASE WHEN pg_temp.uniform(draft_id, 21) < weekend THEN 6 + floor(2 * pg_temp.uniform(draft_id, 22))::int
                  ELSE 1 + floor(5 * pg_temp.uniform(draft_id, 22))::int END AS day
    FROM around
)
SELECT draft_id, id, shelves,
       (CASE WHEN day >= current_date THEN day - 7 ELSE day END
        + make_interval(secs => floor(CASE WHEN pg_temp.uniform(draft_id, 23) < evening
                                           THEN 18 * 3600 + 4 * 3600 * pg_temp.uniform(draft_id, 24)
                                           ELSE 8 * 3600 + 10 * 3600 * pg_temp.uniform(draft_id, 24) END))) AS local_time,
       greatest(300, round(typical_cents * exp(spread * pg_temp.normal(draft_id, 25))))::bigint AS cents,
       pg_temp.uniform(draft_id, 26) AS fate
FROM dated
UNION ALL  -- customer 101 is new: one order, of $40.00, five days ago
SELECT 1010001, 101, shelves, current_date - 5 + time '11:20', 4000, 1
FROM persona WHERE name = 'anyone'
UNION ALL  -- customer 102 spends about $30, every eight or nine days
SELECT 1020000 + nth, 102, shelves, current_date - days + time '16:45', cents, 1
FROM persona, (VALUES (1, 76, 2890), (2, 67, 3120), (3, 59, 2875), (4, 50, 3000), (5, 41, 2960),
                      (6, 33, 3140), (7, 24, 3000), (8, 15, 3090), (9, 6, 2930)) AS o (nth, days, cents)
WHERE name = 'anyone';

CREATE TEMP TABLE numbered AS
SELECT row_number() OVER (ORDER BY local_time, draft_id) AS order_id, * FROM draft;

INSERT INTO orders
SELECT order_id, CASE WHEN fate < 0.985 OR fate = 1 THEN id END, local_time AT TIME ZONE 'America/New_York',
       CASE WHEN fate < 0.04 THEN 'cancelled' ELSE 'completed' END,
       cents / 100.0,
       CASE WHEN fate < 0.04 THEN 0
            WHEN fate < 0.047 THEN cents                                                     -- refunded whole
            WHEN fate < 0.065 THEN floor(cents * (0.1 + 0.5 * pg_temp.uniform(draft_id, 27)))  -- in part
            ELSE 0 END / 100.0
FROM numbered
ORDER BY order_id;

-- Goods returned at the counter are booked as rows of their own, with a negative amount.
INSERT INTO orders
SELECT 300000 + row_number() OVER (ORDER BY order_id), id,
       (local_time + interval '3 days') AT TIME ZONE 'America/New_York', 'completed',
       -greatest(1, floor(cents * (0.1 + 0.4 * pg_temp.uniform(draft_id, 28)))) / 100, 0
FROM numbered
WHERE fate >= 0.065 AND fate < 0.07 AND local_time < current_date - 3
ORDER BY order_id;

\echo '   their lines …'
-- One to four lines; the first takes what the others leave, so that the lines add up to the order. Somebody shops for an occasion, mostly.
INSERT INTO order_items
SELECT order_id, line, category, amount, product_id
FROM (
    SELECT order_id, line, shelves[1 + floor(20 * pg_temp.uniform(draft_id, 30 + line))::int] AS category,
           1 + floor(4 * pg_temp.uniform(draft_id, CASE WHEN pg_temp.uniform(draft_id, 50 + line) < 0.7 THEN 39 ELSE 40 + line END))::int AS occasion,
           CASE line WHEN 1 THEN cents - floor(cents * second) - floor(cents * third) - floor(cents * fourth)
                     WHEN 2 THEN floor(cents * second)
                     WHEN 3 THEN floor(cents * third)
                     ELSE floor(cents * fourth) END / 100 AS amount
    FROM (SELECT *, 1 + floor(4 * pg_temp.uniform(draft_id, 29) ^ 0.8)::int AS lines FROM numbered) AS n
    CROSS JOIN LATERAL (SELECT CASE WHEN lines >= 2 THEN (0.15 + 0.2 * pg_temp.uniform(draft_id, 36))::numeric ELSE 0 END AS second,
                               CASE WHEN lines >= 3 THEN (0.10 + 0.2 * pg_temp.uniform(draft_id, 37))::numeric ELSE 0 END AS third,
                               CASE WHEN lines >= 4 THEN (0.05 + 0.2 * pg_temp.uniform(draft_id, 38))::numeric ELSE 0 END AS fourth) AS part
    CROSS JOIN LATERAL generate_series(1, lines) AS line
) AS l JOIN range USING (category, occasion)
ORDER BY order_id, line;

\echo '   indexes and statistics …'
ALTER TABLE orders ADD PRIMARY KEY (order_id);
CREATE INDEX orders_by_customer ON orders (customer_id, ordered_at);
ALTER TABLE order_items ADD PRIMARY KEY (order_id, line);
COMMIT;
ANALYZE customers, orders, order_items, products;
RESET TIME ZONE;
RESET jit;
RESET client_min_messages;
