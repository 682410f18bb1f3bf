-- Medians, and ours as a ratio of each; below 1 is faster than they are.
\pset footer off
SELECT item, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)::numeric, 3) AS median_seconds, round(min(seconds)::numeric, 3) AS least, round(max(seconds)::numeric, 3) AS most, max(inertia) AS inertia, max(iterations) AS iterations
FROM bench.runs GROUP BY item ORDER BY 2;
WITH medians AS (SELECT item, percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS seconds FROM bench.runs GROUP BY item),
     ours AS (SELECT seconds FROM medians WHERE item = 'clientele, 1 start'), export AS (SELECT seconds FROM medians WHERE item = 'export')
SELECT item AS against, round((ours.seconds / theirs.seconds)::numeric, 3) AS ratio, round((ours.seconds / (theirs.seconds + export.seconds))::numeric, 3) AS ratio_with_export
FROM medians AS theirs, ours, export WHERE item ~ 'lloyd|elkan' ORDER BY 2 DESC;
