-- A purchase model of each kind: those of the CDNOW sample, with times in days. (The shop's own customers never leave, so that
-- a fit to them has no maximum.)
DROP TABLE IF EXISTS bench.purchase_models;
CREATE TABLE bench.purchase_models (kind text, purchase float8[], value float8[]);
INSERT INTO bench.purchase_models VALUES
    ('bgnbd', '{0.2426,30.895,0.7929,2.4259}', '{6.25,3.744,15.44}'),
    ('mbgnbd', '{0.5248,43.282,0.8914,1.6140}', '{6.25,3.744,15.44}'),
    ('pareto_nbd', '{0.5533,74.044,0.6062,81.681}', '{6.25,3.744,15.44}');
UPDATE shop.scoring SET annual_discount = 0.10, purchase_kind = m.kind, purchase = m.purchase, value = m.value
FROM bench.purchase_models m WHERE m.kind = 'mbgnbd';
