-- The score columns of every customer: RFM, and what the purchase and value models predict.
SELECT count(t) FROM (SELECT customer_id, orders, r_score, f_score, m_score, p_alive, expected_orders_90d, expected_order_value, clv_1y
    FROM shop.customers OFFSET 0) AS t;
