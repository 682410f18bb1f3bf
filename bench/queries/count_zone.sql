SELECT count(*) FROM clientele._count_profiles('shop') AS c(customer_id bigint, profile clientele.order_profile);
