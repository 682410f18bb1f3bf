\set id random(1, :customers)
SELECT * FROM clientele.offer_progress(:id, 47.60);
