-- What the score columns cost a customer on top of reading the profiles; run by scores.sh.
WITH median AS (
    SELECT suite, item, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS seconds FROM bench.results WHERE suite LIKE 'scores, %' GROUP BY 1, 2
), cost AS (
    SELECT m.suite, m.item, m.seconds, r.seconds AS reading, 1e6 * (m.seconds - r.seconds) / (SELECT count(*) FROM shop.profiles) AS us_a_customer
    FROM median m, median r WHERE m.item IN ('scores', 'scores_next') AND r.item = 'scores_read'
)
SELECT suite, item, round(seconds::numeric, 3) AS seconds, round(reading::numeric, 3) AS reading, round(us_a_customer::numeric, 2) AS us_a_customer,
    CASE item WHEN 'scores' THEN 2.0 END AS goal, CASE item WHEN 'scores' THEN us_a_customer <= 2 END AS met
FROM cost ORDER BY suite, item;
