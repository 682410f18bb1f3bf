SELECT count(*) FROM clientele._count_profiles('ledger') AS c(customer_id bigint, profile clientele.order_profile);
