\set id random(1, :customers)
SELECT clientele.assign_segment(:id::bigint);
