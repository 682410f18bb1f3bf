-- RFM scores as analysts write them, by DuckDB; days in UTC, which is less work than those of another zone.
CREATE OR REPLACE TEMP TABLE result AS
SELECT customer_id, ntile(5) OVER (ORDER BY recency DESC) AS r_score, ntile(5) OVER (ORDER BY frequency) AS f_score,
    ntile(5) OVER (ORDER BY monetary) AS m_score
FROM (SELECT customer_id, current_date - max(ordered_at)::date AS recency, count(*) AS frequency, sum(amount) AS monetary
      FROM orders GROUP BY customer_id);
