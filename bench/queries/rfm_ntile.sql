-- What an analyst writes today for RFM scores. (NTILE gives equal customers different scores.)
SELECT count(t) FROM (
    SELECT customer_id, ntile(5) OVER (ORDER BY recency DESC) AS r_score, ntile(5) OVER (ORDER BY frequency) AS f_score,
        ntile(5) OVER (ORDER BY monetary) AS m_score
    FROM (SELECT customer_id, current_date - (max(ordered_at) AT TIME ZONE 'America/New_York')::date AS recency,
              count(*) AS frequency, sum(amount) AS monetary
          FROM orders GROUP BY customer_id) AS figures
    OFFSET 0) AS t;
