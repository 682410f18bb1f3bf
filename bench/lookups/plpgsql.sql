\set id random(1, :customers)
SELECT bench.look_up(:id);
