INSERT INTO orders (customer_id, ordered_at, amount)
SELECT 1 + floor(:customers * random()), now(), round((3 + 100 * random())::numeric, 2) FROM generate_series(1, 100);
