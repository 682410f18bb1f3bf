-- The same with expected_next_order_at.
SELECT count(t) FROM (SELECT customer_id, orders, r_score, f_score, m_score, p_alive, expected_orders_90d, expected_order_value, clv_1y, expected_next_order_at
    FROM shop.customers OFFSET 0) AS t;
