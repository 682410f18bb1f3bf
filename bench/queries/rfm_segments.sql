-- The customary RFM segment of all customers.
SELECT count(t) FROM (SELECT customer_id, segment FROM shop.segments WHERE segmentation = 'rfm' OFFSET 0) AS t;
