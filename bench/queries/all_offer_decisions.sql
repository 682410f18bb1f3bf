CREATE UNLOGGED TABLE bench.result AS SELECT * FROM shop.offer_decisions;
