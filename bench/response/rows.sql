-- What fit_response() is fitted to, an order a row.
\pset format csv
SELECT l.log_mean AS mu, l.log_sd AS sigma, l.min_spend, l.reward, coalesce(array_position('{first,second}', l.segment), 3) - 1 AS segment, o.amount AS value,
    (l.holdout IS NULL)::integer AS open, (l.holdout IS NULL AND o.amount >= l.min_spend)::integer AS redeemed
FROM shop.ledger l JOIN orders o ON o.customer_id = l.customer_id AND o.ordered_at >= l.issued_at AND o.ordered_at < l.valid_until
WHERE l.log_sd > 0 ORDER BY l.exposure_id, o.ordered_at;
