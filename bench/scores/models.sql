-- The three kinds of purchase model, each fitted to the shop; what is measured does not depend on how well they fit.
DROP TABLE IF EXISTS bench.purchase_models;
CREATE TABLE bench.purchase_models AS
WITH value AS (
    SELECT ARRAY[(m).p, (m).q, (m).v] AS value
    FROM (SELECT clientele.fit_gamma_gamma(repeat_purchases, repeat_day_value::float8) AS m FROM shop.customers) AS f
), purchase AS (
    SELECT 'bgnbd' AS kind, ARRAY[(m).r, (m).alpha, (m).a, (m).b] AS purchase, (m).converged
    FROM (SELECT clientele.fit_bgnbd(repeat_purchases, last_purchase_age, age) AS m FROM shop.customers) AS f
    UNION ALL
    SELECT 'mbgnbd', ARRAY[(m).r, (m).alpha, (m).a, (m).b], (m).converged
    FROM (SELECT clientele.fit_mbgnbd(repeat_purchases, last_purchase_age, age) AS m FROM shop.customers) AS f
    UNION ALL
    SELECT 'pareto_nbd', ARRAY[(m).r, (m).alpha, (m).s, (m).beta], (m).converged
    FROM (SELECT clientele.fit_pareto_nbd(repeat_purchases, last_purchase_age, age) AS m FROM shop.customers) AS f
)
SELECT * FROM purchase, value;
UPDATE shop.scoring SET annual_discount = 0.10, purchase_kind = m.kind, purchase = m.purchase, value = m.value
FROM bench.purchase_models m WHERE m.kind = 'mbgnbd';
SELECT kind, converged, purchase, value FROM bench.purchase_models;
