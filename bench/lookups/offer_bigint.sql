\set id random(1, :customers)
SELECT * FROM clientele.personalized_offer(:id::bigint);
