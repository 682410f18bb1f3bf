-- A shop whose customers are known: the first :exposures of them were issued offers of random terms, each once; afterwards everybody is
-- free to be offered something.
SET client_min_messages = warning;
CREATE EXTENSION clientele;
CREATE FUNCTION uniform(what text, who text) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT greatest(clientele.bucket(what, who), 1e-9)';
CREATE FUNCTION normal(what text, who text) RETURNS float8 LANGUAGE sql IMMUTABLE AS
    'SELECT sqrt(-2 * ln(uniform(what, who))) * cos(2 * pi() * uniform(what || ''2'', who))';
CREATE TABLE people AS
SELECT c::bigint AS customer_id, 3.6 + 0.5 * normal('mean', c::text) AS mu, 0.15 + 0.4 * uniform('sd', c::text) AS sigma,
    1 + floor(9 * uniform('orders', c::text))::int AS orders, (c % 3)::int AS kind, c <= :exposures AS asked
FROM generate_series(1, :customers) AS c;
ALTER TABLE people ADD PRIMARY KEY (customer_id);
CREATE TABLE orders (order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer_id bigint, ordered_at timestamptz, amount numeric(10,2));
INSERT INTO orders (customer_id, ordered_at, amount)
SELECT p.customer_id, now() - (40 + place * 30 + p.customer_id % 29) * interval '1 day',
    exp(p.mu + p.sigma * normal('history', customer_id || ':' || place))::numeric(10,2)
FROM people p, generate_series(1, p.orders) AS place;
CREATE INDEX ON orders (customer_id);
VACUUM ANALYZE orders;
SELECT clientele.create_store('shop', orders => 'orders', customers => 'people', attributes => '{kind,asked}', margin => 0.3);
CALL clientele.refresh('shop');
SELECT clientele.define_segment('shop', 'asked', 'asked');
SELECT clientele.define_offer('shop', 'explore', 'grow_order_value', max_cv => NULL, holdout => 0.1, segments => '{asked}', arms => '[{"stretch": 1.3, "reward_rate": 0.02},
    {"stretch": 1.9, "reward_rate": 0.02}, {"stretch": 2.8, "reward_rate": 0.02}, {"stretch": 1.3, "reward_rate": 0.06},
    {"stretch": 1.9, "reward_rate": 0.06}, {"stretch": 2.8, "reward_rate": 0.06}]');
CALL clientele.issue_offers('shop');
SELECT clientele.alter_offer('shop', 'explore', reset => '{segments}');
SELECT clientele.drop_segment('shop', 'asked');
SELECT clientele.define_segment('shop', 'first', 'kind = 0');
SELECT clientele.define_segment('shop', 'second', 'kind = 1');
UPDATE shop.ledger l SET segment = (ARRAY['first', 'second', 'default'])[1 + p.kind] FROM people p WHERE p.customer_id = l.customer_id;
UPDATE shop.ledger SET issued_at = issued_at - interval '20 days', valid_until = valid_until - interval '20 days';
-- Some four in ten order within the horizon.
INSERT INTO orders (customer_id, ordered_at, amount)
SELECT l.customer_id, l.issued_at + interval '3 days',
    CASE WHEN l.holdout IS NULL AND x.value < l.min_spend AND uniform('raised', l.customer_id::text)
            < 0.7 / (1 + exp(1.5 - 0.8 * ln(l.reward / l.min_spend / 0.05) + 4 * ((l.min_spend::float8 - x.value) / x.value / 0.4 - 1)))
        THEN ceil(l.min_spend * (1 - 0.04 * ln(uniform('beyond', l.customer_id::text)))) ELSE x.value::numeric(10,2) END
FROM shop.ledger l JOIN people p USING (customer_id), LATERAL (SELECT exp(p.mu + p.sigma * normal('future', l.customer_id::text)) AS value) AS x
WHERE uniform('places', l.customer_id::text) < 0.4;
CALL clientele.settle_offers('shop');
CALL clientele.refresh('shop');
VACUUM ANALYZE;
