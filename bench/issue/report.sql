-- Issuing against a bare INSERT, and campaigns in customers a second; run by issue.sh.
WITH median AS (
    SELECT suite, item, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS value FROM bench.results WHERE suite LIKE 'issuing, %' GROUP BY 1, 2
)
SELECT m.suite, m.item, round(m.value::numeric) AS per_second, round((m.value / b.value)::numeric, 2) AS of_bare,
    CASE m.item WHEN 'offer' THEN 0.5 END AS goal, CASE m.item WHEN 'offer' THEN m.value >= 0.5 * b.value END AS met
FROM median m JOIN median b ON b.suite = m.suite AND b.item = 'bare' ORDER BY m.suite, m.value DESC;
SELECT r.item, count(*) AS runs, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY r.value)::numeric, 2) AS seconds,
    round((c.customers / percentile_cont(0.5) WITHIN GROUP (ORDER BY r.value))::numeric) AS customers_per_second, 50000 AS goal,
    c.customers / percentile_cont(0.5) WITHIN GROUP (ORDER BY r.value) >= 50000 AS met
FROM bench.results r, (SELECT count(*) AS customers FROM shop.customers) c WHERE r.suite = 'campaigns' GROUP BY r.item, c.customers ORDER BY r.item;
