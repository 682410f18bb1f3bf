\set i :i + 1
\set customer :i * :clients + :client_id + 1
SELECT * FROM clientele.issue_offer(:customer::bigint, 'shop', 'bench-budget');
