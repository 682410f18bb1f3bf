\set i :i + 1
\set customer :i * :clients + :client_id + 1
INSERT INTO bench.bare (customer_id, period, program, program_version, holdout, global_holdout, segment, basis, reference_value, min_spend, reward,
    reward_kind, currency, message, disclosure, reasons, variant, propensity, expected_profit, models, issued_at, valid_until, code, slot)
VALUES (:customer::bigint, 1, 'stretch', 1, NULL, 0, 'families', 'typical', 56.00, 80, 3.60, 'amount_off', 'USD', 'Spend $80 or more and get $3.60 off',
    NULL, '{usual_spend,reward_capped_by_margin}', 'default', 0.9, NULL, NULL, now(), now() + interval '14 days', :customer::text, NULL)
RETURNING code, exposure_id;
