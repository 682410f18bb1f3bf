-- What took how long before and after; run by compare.sh on the server of the build after, which has the results of the one before in bench.before.

\set ON_ERROR_STOP on

CREATE FUNCTION pg_temp.figure(value float8, unit text) RETURNS text LANGUAGE sql AS
$$ SELECT round(value::numeric, CASE unit WHEN 'tps' THEN 0 ELSE 3 END) || ' ' || unit $$;

-- More transactions a second are less time.
CREATE FUNCTION pg_temp.times(before float8, after float8, unit text) RETURNS numeric LANGUAGE sql AS
$$ SELECT round((CASE unit WHEN 'tps' THEN before / after ELSE after / before END)::numeric, 3) $$;

\echo 'Medians, and the time taken after as a share of that before (below 1: faster); of the medians, and the least and the greatest of any run'
SELECT suite, item, runs, pg_temp.figure(m.before, unit) AS before, pg_temp.figure(m.after, unit) AS after,
       pg_temp.times(m.before, m.after, unit) AS ratio, least, greatest
FROM (SELECT a.suite, a.item, a.unit, count(*) AS runs,
             percentile_cont(0.5) WITHIN GROUP (ORDER BY b.value) AS before, percentile_cont(0.5) WITHIN GROUP (ORDER BY a.value) AS after,
             min(pg_temp.times(b.value, a.value, a.unit)) AS least, max(pg_temp.times(b.value, a.value, a.unit)) AS greatest
      FROM bench.results AS a JOIN bench.before AS b USING (suite, item, run)
      WHERE a.run > 0
      GROUP BY a.suite, a.item, a.unit) AS m
ORDER BY suite, item;
