CREATE UNLOGGED TABLE bench.result AS SELECT * FROM shop.offers;
