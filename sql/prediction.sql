-- Predictions: published figures, a store's functions against those on x, t_x and T, and what is refused.
SET timezone = 'UTC';
SET extra_float_digits = 0;
CREATE SCHEMA prediction;
SET search_path = prediction;
CREATE FUNCTION bg(a float8, b float8, c float8, d float8, ok bool DEFAULT NULL) RETURNS clientele.bgnbd LANGUAGE sql IMMUTABLE AS
    $$ SELECT ROW(a, b, c, d, NULL, NULL, NULL, NULL, ok)::clientele.bgnbd $$;
CREATE FUNCTION mbg(a float8, b float8, c float8, d float8, ok bool DEFAULT NULL) RETURNS clientele.mbgnbd LANGUAGE sql IMMUTABLE AS
    $$ SELECT ROW(a, b, c, d, NULL, NULL, NULL, NULL, ok)::clientele.mbgnbd $$;
CREATE FUNCTION pnbd(a float8, b float8, c float8, d float8, ok bool DEFAULT NULL) RETURNS clientele.pareto_nbd LANGUAGE sql IMMUTABLE AS
    $$ SELECT ROW(a, b, c, d, NULL, NULL, NULL, NULL, ok)::clientele.pareto_nbd $$;
CREATE FUNCTION gg(a float8, b float8, c float8, ok bool DEFAULT NULL) RETURNS clientele.gamma_gamma LANGUAGE sql IMMUTABLE AS
    $$ SELECT ROW(a, b, c, NULL, NULL, NULL, NULL, ok)::clientele.gamma_gamma $$;

-- Published figures.
SELECT round(clientele.expected_orders(bg(0.243, 4.414, 0.793, 2.426), t, 0, 0, 0)::numeric, 8) AS bgnbd
FROM unnest(ARRAY[0.1429, 1, 3, 31.8571, 32, 78]) t;
SELECT round(clientele.expected_orders(bg(0.243, 4.414, 0.793, 2.426), 39, 2, 30.43, 38.86)::numeric, 9) AS cet,
       clientele.p_alive(bg(0.243, 4.414, 0.793, 2.426), 0, 0, 38.86) AS never_repeated,
       clientele.p_alive(bg(0.243, 4.414, 0.793, 2.426), 1000, 10, 100) < 1e-300 AS long_gone;
SELECT x, round(clientele.expected_orders(mbg(0.525, 6.183, 0.891, 1.614), t, x, t_x, age)::numeric, 10) AS mbgnbd,
       round(clientele.p_alive(mbg(0.525, 6.183, 0.891, 1.614), x, t_x, age)::numeric, 10) AS alive
FROM (VALUES (2, 30.428571428571427, 38.857142857142854, 39), (0, 0, 38.857142857142854, 39),
             (7, 29.428571428571427, 38.857142857142854, 39), (26, 30.857142857142858, 31, 52)) c (x, t_x, age, t);
SELECT x, round(clientele.expected_orders(pnbd(0.55, 10.58, 0.61, 11.67), 10, x, 200, 200)::numeric, 10) AS no_underflow
FROM (VALUES (132), (133)) c (x);
SELECT x, round(clientele.p_alive(pnbd(0.5143, 2.8845, 0.2856, 14.1087), x, t_x, age)::numeric, 8) AS alive
FROM (VALUES (221, 103.42857, 103.57143), (254, 97.14286, 97.28571), (161, 94.71429, 98), (204, 98.57143, 99.42857)) c (x, t_x, age);
SELECT round(clientele.expected_orders(m, 52, 0, 0, 0)::numeric, 5) AS new_customer, round(clientele.expected_orders(m, 52, 26, 30.857142857142858, 31)::numeric, 5) AS cet,
       round(clientele.p_alive(m, 26, 30.857142857142858, 31)::numeric, 7) AS alive, round(clientele.expected_orders(m, 52, 10, 20, 39)::numeric, 7) AS x10,
       round(clientele.expected_orders(m, 52, 25, 20, 39)::numeric, 8) AS x25
FROM (SELECT pnbd(0.5533971, 10.5801985, 0.6060625, 11.6562237)) c (m);
SELECT x, m, round(clientele.expected_order_value(gg(6.25, 3.74, 15.44), x, m)::numeric, 9) AS value
FROM (VALUES (2, 22.35), (1, 11.77), (0, 0), (0, NULL), (0, -1), (7, 73.74), (2, 25.55), (2, NULL), (3, 0)) c (x, m);

-- CLV: without discounting it is margin x value x orders; a horizon of nothing is worth nothing; a century is finite.
SELECT round(clientele.clv(m, v, 365, 2, 30, 60, 25)::numeric, 6) AS defaults,
       clientele.clv(m, v, 365, 2, 30, 60, 25, 0.3, 0)
           = 0.3 * clientele.expected_order_value(v, 2, 25) * clientele.expected_orders(m, 365, 2, 30, 60) AS undiscounted,
       clientele.clv(m, v, 0, 2, 30, 60, 25) AS nothing, round(clientele.clv(m, v, 36500, 2, 30, 60, 25)::numeric, 4) AS century,
       round(clientele.clv(m, v, 36500, 2, 30, 60, 25, 1, 1e6)::numeric, 6) AS impatient
FROM (SELECT mbg(0.525, 43.281, 0.891, 1.614), gg(6.25, 3.74, 15.44)) c (m, v);
-- Against Simpson's rule on the expected orders, integrated by parts.
SELECT abs((exp(-365 * rate) * clientele.expected_orders(m, 365, 2, 30, 60) + rate * area) * clientele.expected_order_value(v, 2, 25)
           / clientele.clv(m, v, 365, 2, 30, 60, 25) - 1) < 1e-9 AS agrees
FROM (SELECT bg(0.4, 60, 0.8, 2.4), gg(6.25, 3.74, 15.44), ln(1.1::float8) / 365) c (m, v, rate),
     LATERAL (SELECT sum(exp(-rate * i * 365 / 400) * clientele.expected_orders(m, i * 365 / 400.0, 2, 30, 60)
                         * CASE WHEN i IN (0, 400) THEN 1 WHEN i % 2 = 1 THEN 4 ELSE 2 END) * 365 / 400 / 3 FROM generate_series(0, 400) i) s (area);
-- A value model without a mean for this customer.
SELECT clientele.expected_order_value(gg(6.25, 1, 15), 0, NULL) AS no_mean, clientele.expected_order_value(gg(6.25, 0.5, 15), 1, 10) AS has_one,
       clientele.clv(mbg(0.5, 40, 0.9, 1.6), gg(6.25, 0.9, 15), 365, 0, 0, 10, NULL) AS no_clv;

-- Profiles: hundreds of random ones, in a zone with summer time, some with several orders a day, some of the future.
SELECT setseed(0.25);
CREATE TABLE customers AS
SELECT c, clientele.order_profile('2024-01-01 04:00+00'::timestamptz + make_interval(secs => 63072000 * random() * random()), (random() * 90 + 5)::numeric(10, 2), 'America/New_York') AS p
FROM generate_series(1, 600) c, generate_series(0, c % 17) o GROUP BY c;
CREATE TABLE models (kind text, purchase float8[]);
INSERT INTO models VALUES ('bgnbd', '{0.4,60,0.8,2.4}'), ('mbgnbd', '{0.52,43.3,0.89,1.61}'), ('pareto_nbd', '{0.55,74,0.6,82}');
CREATE VIEW predicted AS
SELECT c, kind, as_of, clientele.age(p, as_of) >= clientele.last_purchase_age(p) AS known,
       clientele._p_alive(kind, purchase, p, as_of) AS alive, clientele._expected_orders(kind, purchase, 90, p, as_of) AS orders,
       clientele._expected_order_value('{6.25,3.74,15.44}', p, 2) AS value,
       clientele._clv(kind, purchase, '{6.25,3.74,15.44}', 365, p, as_of, 0.3, 0.1, 2) AS clv,
       clientele._expected_next_order_at(kind, purchase, p, as_of) AS next_at, purchase[1] AS q1, purchase[2] AS q2, purchase[3] AS q3, purchase[4] AS q4,
       clientele.repeat_purchases(p) AS x, clientele.last_purchase_age(p) AS t_x, clientele.age(p, as_of) AS age,
       clientele.repeat_day_value(p)::float8 AS m, p
FROM customers, models, (VALUES ('2024-06-01 12:00+00'::timestamptz), ('2025-12-31 12:00+00'), ('2030-01-01')) t (as_of);
CREATE FUNCTION on_accessors(r predicted, OUT alive float8, OUT orders float8, OUT clv float8) LANGUAGE plpgsql AS $$
BEGIN
    IF r.kind = 'bgnbd' THEN
        alive := clientele.p_alive(bg(r.q1, r.q2, r.q3, r.q4), r.x, r.t_x, r.age);
        orders := clientele.expected_orders(bg(r.q1, r.q2, r.q3, r.q4), 90, r.x, r.t_x, r.age);
        clv := clientele.clv(bg(r.q1, r.q2, r.q3, r.q4), gg(6.25, 3.74, 15.44), 365, r.x, r.t_x, r.age, r.m, 0.3, 0.1);
    ELSIF r.kind = 'mbgnbd' THEN
        alive := clientele.p_alive(mbg(r.q1, r.q2, r.q3, r.q4), r.x, r.t_x, r.age);
        orders := clientele.expected_orders(mbg(r.q1, r.q2, r.q3, r.q4), 90, r.x, r.t_x, r.age);
        clv := clientele.clv(mbg(r.q1, r.q2, r.q3, r.q4), gg(6.25, 3.74, 15.44), 365, r.x, r.t_x, r.age, r.m, 0.3, 0.1);
    ELSE
        alive := clientele.p_alive(pnbd(r.q1, r.q2, r.q3, r.q4), r.x, r.t_x, r.age);
        orders := clientele.expected_orders(pnbd(r.q1, r.q2, r.q3, r.q4), 90, r.x, r.t_x, r.age);
        clv := clientele.clv(pnbd(r.q1, r.q2, r.q3, r.q4), gg(6.25, 3.74, 15.44), 365, r.x, r.t_x, r.age, r.m, 0.3, 0.1);
    END IF;
END $$;
SELECT r.kind, count(*) > 600 AS many, bool_and(r.alive = a.alive AND r.orders = a.orders) AS same,
       bool_and(r.clv = round(a.clv::numeric, 2) AND r.value = round(clientele.expected_order_value(gg(6.25, 3.74, 15.44), r.x, r.m)::numeric, 2)) AS same_money
FROM predicted r, on_accessors(r) a WHERE r.known GROUP BY r.kind ORDER BY r.kind;
SELECT count(*) > 300 AS many, count(alive) + count(orders) + count(clv) + count(next_at) AS predicted FROM predicted WHERE NOT known;
SELECT count(*) FILTER (WHERE next_at IS NOT NULL) > 50 AS many, bool_and((next_at IS NOT NULL) = (x >= 2 AND alive >= 0.5)) AS where_due,
       bool_and(next_at IS NULL OR next_at AT TIME ZONE 'America/New_York' = clientele.last_order_at(p) AT TIME ZONE 'America/New_York'
           + make_interval(hours => (24 * clientele.median_days_between_orders(p))::int)
           OR EXTRACT(month FROM next_at) IN (3, 11)) AS last_plus_rhythm
FROM predicted WHERE known;
-- The toolkit's own functions on profiles, and profiles without orders.
SELECT bool_and(clientele.p_alive(mbg(0.52, 43.3, 0.89, 1.61), p, as_of) = alive), bool_and(clientele.expected_orders(mbg(0.52, 43.3, 0.89, 1.61), 90, p, as_of) = orders),
       bool_and(round(clientele.expected_order_value(gg(6.25, 3.74, 15.44), p)::numeric, 2) = value),
       bool_and(round(clientele.clv(mbg(0.52, 43.3, 0.89, 1.61), gg(6.25, 3.74, 15.44), 365, p, as_of, 0.3)::numeric, 2) = clv)
FROM predicted WHERE known AND kind = 'mbgnbd';
SELECT clientele._p_alive('bgnbd', '{1,1,1,1}', p, '2026-01-01') IS NULL AND clientele._expected_order_value('{6,4,15}', p, 2) IS NULL
   AND clientele._clv('bgnbd', '{1,1,1,1}', '{6,4,15}', 365, p, '2026-01-01', 1, 0.1, 2) IS NULL AS none
FROM (SELECT clientele.order_profile('2025-01-01'::timestamptz, -5::numeric)) t (p);

-- Refusals.
CREATE FUNCTION refusal(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    EXECUTE query;
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN SQLSTATE || ' ' || SQLERRM || '. ' || detail;
END $$;
SELECT expression, refusal('SELECT clientele.' || expression)
FROM unnest(ARRAY[
    $$p_alive(bg(0.2, 4, 0.8, 2, false), 2, 30, 40)$$, $$p_alive(bg(0.2, 4, 0.8, 2, true), 2, 30, 40)$$,
    $$clv(bg(0.2, 4, 0.8, 2), gg(6, 4, 15, false), 365, 2, 30, 40, 5)$$, $$p_alive(pnbd(0.2, 4, 0.8, -2), 2, 30, 40)$$,
    $$p_alive(mbg(0, 4, 0.8, 2), 2, 30, 40)$$, $$p_alive(mbg('NaN', 4, 0.8, 2), 2, 30, 40)$$, $$p_alive(mbg(1, 'Infinity', 0.8, 2), 2, 30, 40)$$,
    $$p_alive(mbg(1, NULL, 0.8, 2), 2, 30, 40)$$, $$clv(pnbd(1, 2, 3, 4), gg(1, 2, NULL), 1, 2, 30, 40, 5)$$,
    $$p_alive(mbg(5e-324, 5e-324, 5e-324, 5e-324), 5000, 0, 1e300)$$, $$p_alive(mbg(1, 1, 1, 1), 5000, 0, 1e300)$$, $$expected_orders(bg(1, 1e-300, 0.8, 2), 1e300, 0, 0, 0)$$,
    $$expected_orders(bg(1, 1, 0.8, 2), 1e300, 0, 0, 0)$$, $$expected_order_value(gg(1, 2, 1e16), 1, 5)$$, $$expected_order_value(gg(1, 2, 1), 1, 1e16)$$,
    $$expected_order_value(gg(6, 4, 0), 1, 5)$$,
    $$p_alive(mbg(1, 1, 1, 1), -1, 0, 40)$$, $$p_alive(mbg(1, 1, 1, 1), 1.5, 0, 40)$$, $$p_alive(mbg(1, 1, 1, 1), 'NaN', 0, 40)$$,
    $$p_alive(mbg(1, 1, 1, 1), 2, 41, 40)$$, $$p_alive(mbg(1, 1, 1, 1), 0, 1, 40)$$, $$p_alive(mbg(1, 1, 1, 1), 2, 30, 'Infinity')$$,
    $$p_alive(mbg(1, 1, 1, 1), 2, -3, 40)$$, $$p_alive(mbg(1, 1, 1, 1), 2, 'NaN', 40)$$,
    $$expected_orders(mbg(1, 1, 1, 1), -1, 2, 30, 40)$$, $$expected_orders(mbg(1, 1, 1, 1), 'NaN', 2, 30, 40)$$, $$expected_orders(mbg(1, 1, 1, 1), 'Infinity', 2, 30, 40)$$,
    $$expected_order_value(gg(6, 4, 15), 1, -5)$$, $$expected_order_value(gg(6, 4, 15), 1, 'NaN')$$, $$expected_order_value(gg(6, 4, 15), 0.5, 5)$$,
    $$clv(mbg(1, 1, 1, 1), gg(6, 4, 15), 365, 2, 30, 40, 5, 1.1)$$, $$clv(mbg(1, 1, 1, 1), gg(6, 4, 15), 365, 2, 30, 40, 5, -0.1)$$,
    $$clv(mbg(1, 1, 1, 1), gg(6, 4, 15), 365, 2, 30, 40, 5, 1, -0.1)$$, $$clv(mbg(1, 1, 1, 1), gg(6, 4, 15), 365, 2, 30, 40, 5, 1, 'NaN')$$,
    $$clv(mbg(1, 1, 1, 1), gg(6, 4, 15), -365, 2, 30, 40, 5)$$,
    $$_p_alive('nbd', '{1,1,1,1}', p, '2026-01-01') FROM customers$$, $$_p_alive('bgnbd', '{1,1,1}', p, '2026-01-01') FROM customers$$,
    $$_p_alive('bgnbd', '{1,1,NULL,1}', p, '2026-01-01') FROM customers$$, $$_p_alive('bgnbd', '{{1,1},{1,1}}', p, '2026-01-01') FROM customers$$,
    $$_p_alive('bgnbd', '{1,1,0,1}', p, '2026-01-01') FROM customers$$, $$_p_alive('bgnbd', '{1,1,1,1}', p, 'infinity') FROM customers$$,
    $$_expected_order_value('{1,2}', p, 2) FROM customers$$, $$_expected_order_value('{6,4,15}', p, 5) FROM customers$$,
    $$_expected_order_value('{6,4,1e300}', p, 2) FROM customers$$]) expression;
-- Models from JSON.
SELECT m, clientele.p_alive(m, 2, 30, 40) IS NOT NULL AS predicts FROM jsonb_populate_record(NULL::clientele.mbgnbd, '{"r": 0.525, "alpha": 43.281, "a": 0.891, "b": 1.614}') AS m;
-- NULLs.
SELECT clientele.p_alive(NULL::clientele.bgnbd, 2, 30, 40) IS NULL AND clientele.p_alive(mbg(1, 1, 1, 1), 2, NULL, 40) IS NULL
   AND clientele.expected_orders(mbg(1, 1, 1, 1), NULL, 2, 30, 40) IS NULL AND clientele.expected_order_value(NULL, 1, 5) IS NULL
   AND clientele.clv(mbg(1, 1, 1, 1), gg(6, 4, 15), 365, 2, 30, 40, NULL) IS NULL AND clientele.clv(mbg(1, 1, 1, 1), gg(6, 4, 15), 365, 2, 30, 40, 5, NULL) IS NULL AS nulls,
       clientele.clv(mbg(1, 1, 1, 1), gg(6, 4, 15), 365, 0, 0, 40, NULL) > 0 AS none_repeated;
-- The model may change from row to row.
SELECT bool_and(alive = clientele.p_alive(bg(i, i, i, i), 2, 30, 40)) AS same
FROM (SELECT i, clientele.p_alive(bg(i, i, i, i), 2, 30, 40) AS alive FROM generate_series(1, 20) i ORDER BY i DESC) t;
SET client_min_messages = warning;
DROP SCHEMA prediction CASCADE;
