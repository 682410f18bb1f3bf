-- Rewards that grow with the basket: thresholds with more each, and percentages. Called by loop.sql; all of it is undone.

\echo 'Or a reward that grows with the basket. Rehearsed with the same customer, and undone: up to three thresholds, or a percentage with a cap.'
\echo
\set baskets '(VALUES (:value::numeric), (:value + 15), (:value + 40)) AS b (basket)'
BEGIN;
SELECT clientele.withdraw_offer(exposure_id) FROM shop.offer_ledger WHERE customer_id = :buyer AND status = 'open' \g /dev/null
\o /dev/null
\set ECHO queries
SELECT clientele.define_offer('shop', 'basket-stretch', 'grow_order_value',
    tiers => '[{"stretch": 1.4, "reward_rate": 0.04}, {"stretch": 1.8, "reward_rate": 0.06}]');
\set ECHO none
SELECT * FROM clientele.issue_offer(:buyer, program => 'basket-stretch');
\o
\echo
\set ECHO queries
SELECT message FROM clientele.personalized_offer(:buyer);
SELECT b.basket, p.qualifies, p.reward, p.message FROM :baskets, clientele.offer_progress(:buyer, b.basket) AS p;
\set ECHO none
SELECT clientele.withdraw_offer(exposure_id) FROM shop.offer_ledger WHERE customer_id = :buyer AND status = 'open' \g /dev/null
\o /dev/null
\set ECHO queries
SELECT clientele.define_offer('shop', 'basket-stretch', 'grow_order_value',
    reward_kind => 'percent_off', reward_rate => 0.04, reward_cap => 8);
\set ECHO none
SELECT * FROM clientele.issue_offer(:buyer, program => 'basket-stretch');
\o
\echo
\set ECHO queries
SELECT b.basket, p.qualifies, p.reward, p.message FROM :baskets, clientele.offer_progress(:buyer, b.basket) AS p;
\set ECHO none
ROLLBACK;
