-- The RFM scores of all customers, from the store's profiles and breaks.
SELECT count(t) FROM (SELECT customer_id, r_score, f_score, m_score FROM shop.customers OFFSET 0) AS t;
