\set id random(1, :customers)
SELECT customer_id, profile, category_mix FROM shop.profiles WHERE customer_id = :id;
