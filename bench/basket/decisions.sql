-- Two stores over the same orders, four of each customer, whose programs differ in their tiers alone.
SET client_min_messages = warning;
CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, ordered_at timestamptz, amount numeric(10,2));
INSERT INTO orders SELECT 4 * c + n, c, now() - (8 * n + clientele.bucket('day', c::text)) * interval '1 day', round((20 + 80 * clientele.bucket('value', c::text))::numeric, 2) + n
    FROM generate_series(1, :customers) c, generate_series(0, 3) n;
CREATE INDEX ON orders (customer_id);
VACUUM ANALYZE orders;
SELECT clientele.create_store(s, 'orders') FROM unnest('{plain,tiers}'::name[]) s \g /dev/null
CALL clientele.refresh('plain');
CALL clientele.refresh('tiers');
SELECT clientele.define_offer('plain', 'stretch', 'grow_order_value', stretch => 1.4, reward_rate => 0.04),
    clientele.define_offer('tiers', 'stretch', 'grow_order_value', tiers => '[{"stretch": 1.4, "reward_rate": 0.04}, {"stretch": 1.8, "reward_rate": 0.05}, {"stretch": 2.4, "reward_rate": 0.06}]') \g /dev/null
VACUUM ANALYZE plain.profiles;
VACUUM ANALYZE tiers.profiles;
CHECKPOINT;
