-- What issuing is compared with: a table with the columns and the indexes of the ledger, and nothing else.
SELECT clientele.define_offer('shop', 'bench-budget', 'grow_order_value', max_cv => NULL, budget => 1e9, priority => 1000000);
CREATE TABLE bench.bare (LIKE shop.ledger INCLUDING ALL);
VACUUM (ANALYZE) shop.ledger;
