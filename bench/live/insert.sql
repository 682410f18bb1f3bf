\set customer random(1, :customers)
\set cents random(300, 20000)
INSERT INTO orders (customer_id, ordered_at, amount) VALUES (:customer, now(), :cents / 100.0);
