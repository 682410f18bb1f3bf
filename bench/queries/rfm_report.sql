-- Medians of the RFM suite, and their ratios with the goals beside them; run by rfm.sh.
CREATE TEMP TABLE rfm_median AS
SELECT suite, item, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median FROM bench.results WHERE suite LIKE 'rfm, %' GROUP BY 1, 2;
SELECT suite, item, round(median::numeric, 4) AS seconds, round((1e9 * median / (SELECT count(*) FROM shop.profiles))::numeric) AS ns_a_customer
FROM rfm_median ORDER BY suite, median;
SELECT c.item, c.against, round((a.median / b.median)::numeric, 3) AS ratio, c.goal, a.median / b.median <= c.goal AS met
FROM (VALUES ('rfm_scores', 'rfm_ntile', 0.2), ('rfm_scores', 'duckdb_rfm_ntile', 1.0), ('rfm_scores', 'rfm_read', NULL),
             ('rfm_segments', 'duckdb_rfm_ntile', NULL), ('rfm_breaks', 'rfm_percentiles', NULL)) AS c (item, against, goal)
    JOIN rfm_median a ON (a.suite, a.item) = ('rfm, serial', c.item) JOIN rfm_median b ON (b.suite, b.item) = ('rfm, serial', c.against);
