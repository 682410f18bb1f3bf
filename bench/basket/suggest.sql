\set c random(1, :customers)
\set p random(1, 20000)
SELECT * FROM clientele.suggest_fill(:c, ARRAY[1, 3, 17, 55, 200, 700, 1900, 6000, :p, :c % 20000]::text[], 'shop', 12.40);
