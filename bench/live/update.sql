\set id random(1, :orders)
\set cents random(300, 20000)
UPDATE orders SET amount = :cents / 100.0 WHERE order_id = :id;
