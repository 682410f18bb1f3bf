-- The same quintiles by SQL.
SELECT percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY clientele.recency_days(profile, now())),
    percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY clientele.orders(profile)),
    percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY clientele.total_spent(profile)::float8)
FROM shop.profiles;
