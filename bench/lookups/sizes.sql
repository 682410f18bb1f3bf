\set id random(1, :customers)
SELECT customer_id, pg_column_size(profile), pg_column_size(category_mix) FROM shop.profiles WHERE customer_id = :id;
