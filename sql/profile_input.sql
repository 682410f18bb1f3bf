-- The text and binary forms of order profiles: exact round trips, and whatever is forged is refused.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET search_path = public, clientele;

CREATE TABLE input_profiles AS
    SELECT customer, zone, clientele.order_profile(ordered_at, amount, zone) AS p
    FROM (SELECT i % 97 AS customer, timestamptz '2001-02-03 04:05:06.7' + interval '1 second' * (i::bigint * i * 7919 % 400000000) + interval '1 microsecond' * (i % 3),
                 CASE WHEN i % 11 = 0 THEN -1 ELSE 1 END * (i * 31 % 9999) / 10.0 ^ (i % 97 % 5) FROM generate_series(1, 3000) i) o (customer, ordered_at, amount),
         unnest('{UTC,America/North_Dakota/New_Salem,Asia/Kathmandu}'::text[]) zone
    GROUP BY 1, 2;
INSERT INTO input_profiles
    SELECT 1000, 'UTC', clientele.order_profile(t, a) FROM (VALUES (timestamptz '0001-01-01', 9999999999999.9999), ('9999-12-31 23:59:59.999999', 0), ('2000-01-01', -9999999999999.9999)) v (t, a);
INSERT INTO input_profiles SELECT 1001, 'UTC', clientele.order_profile('2000-01-01', -1);
INSERT INTO input_profiles SELECT 1002, 'UTC', clientele.order_profile(timestamptz '1990-01-01' + interval '1 day' * (i / 2), 0.5) FROM generate_series(1, 9000) i;

-- ---- Text ----

SELECT count(*) AS profiles, count(*) FILTER (WHERE p::text::clientele.order_profile IS DISTINCT FROM p) AS mismatches,
    count(*) FILTER (WHERE p::text::clientele.order_profile::text <> p::text) AS other_text,
    count(*) FILTER (WHERE p::text::jsonb::text::clientele.order_profile IS DISTINCT FROM p) AS through_jsonb,
    count(*) FILTER (WHERE (p::text::jsonb ->> 'orders')::bigint <> clientele.orders(p)) AS other_orders FROM input_profiles;
SELECT p FROM input_profiles WHERE customer IN (1000, 1001) ORDER BY customer;
-- No setting changes the text.
SELECT p::text AS plain_text INTO TEMP input_text FROM input_profiles WHERE customer = 1 AND zone = 'Asia/Kathmandu';
SET timezone = 'America/New_York'; SET datestyle = 'German'; SET intervalstyle = 'iso_8601'; SET extra_float_digits = -10;
SELECT count(*) FILTER (WHERE p::text <> plain_text OR plain_text::clientele.order_profile <> p) AS mismatches FROM input_profiles, input_text WHERE customer = 1 AND zone = 'Asia/Kathmandu';
RESET timezone; RESET datestyle; RESET intervalstyle; RESET extra_float_digits;
SET timezone = 'UTC'; SET datestyle = 'ISO, YMD';

-- SQLSTATE and message of a text that is refused.
CREATE FUNCTION pg_temp.refusal(profile text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM profile::clientele.order_profile;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
SELECT text, pg_temp.refusal(text) AS refusal FROM unnest(ARRAY['', ' ', '{}', '[]', 'null', '1', '"x"', '{"version": 1}', '{"version": 2}', '{"version": null}', '{', repeat('[', 20000), E'\x01']) WITH ORDINALITY t (text, i)
WHERE length(text) < 100 ORDER BY i;
SELECT left(pg_temp.refusal(repeat('[', 200000)), 5) AS deep;

-- One customer of few orders, one of many, one with only refunds: each key changed into each of these values.
CREATE TEMP TABLE input_forged AS
WITH valid AS (SELECT customer, p::text::jsonb AS j, p FROM input_profiles
               WHERE customer IN (1001, 1002) OR customer = 5 AND zone = 'Asia/Kathmandu'
               UNION ALL SELECT -1, clientele.order_profile(t, 12.5, 'Europe/Berlin')::text::jsonb, clientele.order_profile(t, 12.5, 'Europe/Berlin')
               FROM (VALUES (timestamptz '2020-03-07 17:30'), ('2020-03-08 10:00'), ('2020-05-01 09:00')) v (t)),
paths AS (
    SELECT customer, p, j, ARRAY[key] AS path, j -> key AS old FROM valid, jsonb_object_keys(j) key
    UNION ALL SELECT customer, p, j, ARRAY['recent_orders', n::text, key], j -> 'recent_orders' -> n -> key FROM valid, generate_series(0, 7) n, unnest('{at,amount}'::text[]) key WHERE j -> 'recent_orders' -> n IS NOT NULL
    UNION ALL SELECT customer, p, j, ARRAY['recent_orders', n::text], j -> 'recent_orders' -> n FROM valid, generate_series(0, 7) n WHERE j -> 'recent_orders' -> n IS NOT NULL
    UNION ALL SELECT customer, p, j, ARRAY['day_gaps', n::text], j -> 'day_gaps' -> n FROM valid, generate_series(0, 30) n WHERE j -> 'day_gaps' -> n IS NOT NULL
), forged AS (
    SELECT customer, p, path, old, value, jsonb_set(j, path, value)::text AS text FROM paths, jsonb_array_elements(
        '[null, true, "x", "", -1, 0, 0.5, 1, 2, 3, 4, 7, 8, 9, 100, 1.00001, 1e12, 1e13, 1e18, 1e40, 1e200, -1e-9, [], {}, [1], [0], [-1], [1.5], [4000000], {"at": "2020-01-01T00:00:00Z"}, {"at": "2020-01-01T00:00:00Z", "amount": 1},
          "2020-01-01", "2020-01-01T00:00:00Z", "2020-13-01T00:00:00Z", "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "infinity", "UTC", "Europe/Berlin", "europe/berlin", "CEST", "UTC+3", "Mars/Olympus"]') value
    WHERE value <> old
    UNION ALL SELECT customer, p, path, old, NULL, (j #- path)::text FROM paths WHERE cardinality(path) < 3
    UNION ALL SELECT customer, p, '{extra}', NULL, '1', (j || '{"extra": 1}')::text FROM valid
    UNION ALL SELECT customer, p, '{day_gaps}', NULL, NULL, jsonb_insert(j, '{day_gaps,-1}', '1', true)::text FROM valid WHERE j ? 'day_gaps'
    UNION ALL SELECT customer, p, '{recent_orders}', NULL, NULL, jsonb_insert(j, '{recent_orders,-1}', j -> 'recent_orders' -> -1, true)::text FROM valid WHERE j ? 'recent_orders'
)
SELECT customer, path, value, text, p, pg_temp.refusal(text) AS refusal FROM forged;
SELECT left(refusal, 5) AS sqlstate, count(*) > 0 AS some FROM input_forged WHERE refusal <> 'accepted' GROUP BY 1 ORDER BY 1;
-- What is accepted: other figures that some set of orders has.
SELECT customer, path, value FROM input_forged WHERE refusal = 'accepted' AND customer IN (-1, 1001) ORDER BY customer, path, value::text COLLATE "C";
-- And that prints as it was read, but for spelling.
SELECT count(*) > 0 AS some, count(*) FILTER (WHERE q::text::clientele.order_profile <> q) AS mismatches FROM (SELECT text::clientele.order_profile AS q FROM input_forged WHERE refusal = 'accepted') a;
-- Other spellings of the same are the same profile.
SELECT p::text::clientele.order_profile = replace(p::text, '"Europe/Berlin"', '"europe/berlin"')::clientele.order_profile AS zone,
    p::text::clientele.order_profile = replace(p::text, '12.5}', '12.50}')::clientele.order_profile AS amount, p = jsonb_pretty(p::text::jsonb)::clientele.order_profile AS pretty
FROM (SELECT clientele.order_profile('2020-03-07 17:30', 12.5, 'Europe/Berlin') AS p) v;

-- More than eight orders: what the last eight and the days rule out.
SELECT what, pg_temp.refusal(replace(p::text, old, new)) <> 'accepted' AS refused
FROM (SELECT clientele.order_profile(timestamptz '2024-03-04 19:00' + interval '1 day' * i, 10) AS p FROM generate_series(0, 11) i) v, LATERAL (VALUES
    (1, 'evening orders among the last eight', '"evening_orders": 12', '"evening_orders": 7'), (2, 'more weekend orders than orders on other days leave', '"weekend_orders": 2', '"weekend_orders": 9'),
    (3, 'fewer weekend orders than weekend days', '"weekend_orders": 2', '"weekend_orders": 1'), (4, 'a first day that is dearer than its orders can be', '"first_day_total": 10', '"first_day_total": 110'),
    (5, 'other squares of one price', '"sum_of_squares": 1200', '"sum_of_squares": 1199')) f (i, what, old, new) ORDER BY i;

-- ---- Binary: through COPY, as bytes that come from elsewhere ----

CREATE TABLE input_copied (p clientele.order_profile);
-- COPY's binary format with one row of one column, the bytes given.
CREATE FUNCTION pg_temp.copied(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    stream bytea := '\x5047434f50590aff0d0a00' || '\x0000000000000000'::bytea || '\x0001'::bytea || int4send(length(bytes)) || bytes || '\xffff'::bytea;
    found text;
BEGIN
    DELETE FROM input_copied;
    EXECUTE format('COPY input_copied FROM PROGRAM %L (FORMAT binary)', 'echo ' || translate(encode(stream, 'base64'), E'\n', '') || ' | base64 -d');
    SELECT clientele.order_profile_send(p) = bytes INTO found FROM input_copied;
    RETURN CASE found::boolean WHEN true THEN 'accepted' ELSE 'accepted, and changed' END;
EXCEPTION WHEN others THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
SELECT customer, pg_temp.copied(clientele.order_profile_send(p)) AS round_trip
FROM input_profiles WHERE customer IN (5, 1000, 1001, 1002) ORDER BY customer, zone COLLATE "C";
SELECT get_byte(b, 0) AS version, pg_temp.copied(b) AS round_trip FROM (SELECT clientele.order_profile_send(clientele.order_profile('2026-01-01', 10, 'Europe/Berlin', tie)) AS b
    FROM unnest('{NULL, 1, -7, 9223372036854775807, 0}'::bigint[]) tie) v;

CREATE TEMP TABLE input_bytes AS
    SELECT clientele.order_profile_send(p) AS b FROM (SELECT clientele.order_profile('2020-03-07 17:30', 12.5, 'Europe/Berlin') AS p) v;
SELECT what, pg_temp.copied(bytes) AS result FROM input_bytes, LATERAL (VALUES
    (1, 'as it is', b), (2, 'empty', ''), (3, 'version 0', set_byte(b, 0, 0)), (4, 'version 2', set_byte(b, 0, 2)), (5, 'flags', set_byte(b, 1, 255)),
    (6, 'one byte more', b || '\x00'), (7, 'one byte less', substr(b, 1, length(b) - 1)), (8, 'header alone', substr(b, 1, 2)),
    (9, 'zone longer than all', set_byte(b, 2, 255)), (10, 'unknown zone', set_byte(b, 3, ascii('X'))),
    (11, 'zero byte in the zone', set_byte(b, 5, 0)), (12, 'other orders', set_byte(b, 16, 2)), (13, 'noise', '\xdeadbeefdeadbeef')) v (i, what, bytes) ORDER BY i;
-- One value has one binary form: a zone in another spelling, or UTC spelt out, would not be equal to the same profile.
SELECT what, result LIKE '22%' OR result = 'accepted, and changed' AS refused_or_mended
FROM (SELECT 'small letters' AS what, pg_temp.copied(overlay(b placing convert_to('europe/berlin', 'UTF8') from 4)) AS result FROM input_bytes
      UNION ALL SELECT 'UTC spelt out', pg_temp.copied('\x010903555443'::bytea || substr(clientele.order_profile_send(clientele.order_profile('2020-01-01', 1.5)), 3))) v ORDER BY what;

-- ---- Bytes: the casts ----

CREATE FUNCTION pg_temp.refused(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN 'accepted';
EXCEPTION WHEN others THEN
    RETURN SQLSTATE;
END $$;
CREATE FUNCTION pg_temp.cast_to(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE WHEN bytes::clientele.order_profile::bytea = bytes THEN 'accepted' ELSE 'accepted, and changed' END;
EXCEPTION WHEN others THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
SELECT count(*) > 5 AS some, count(*) FILTER (WHERE p::bytea::clientele.order_profile::text <> p::text OR p::bytea <> clientele.order_profile_send(p)) AS mismatches FROM input_profiles;
SELECT what, pg_temp.cast_to(bytes) AS result FROM input_bytes, LATERAL (VALUES
    (1, 'as it is', b), (2, 'empty', ''), (3, 'version 0', set_byte(b, 0, 0)), (4, 'version 2', set_byte(b, 0, 2)), (5, 'flags', set_byte(b, 1, 255)),
    (6, 'one byte more', b || '\x00'), (7, 'one byte less', substr(b, 1, length(b) - 1)), (8, 'header alone', substr(b, 1, 2)),
    (9, 'zone longer than all', set_byte(b, 2, 255)), (10, 'unknown zone', set_byte(b, 3, ascii('X'))),
    (11, 'zero byte in the zone', set_byte(b, 5, 0)), (12, 'other orders', set_byte(b, 16, 2)), (13, 'noise', '\xdeadbeefdeadbeef')) v (i, what, bytes) ORDER BY i;
-- Whatever one byte is, and wherever it ends: refused, or a profile that comes back as it went in. (Of zones that no server knows it warns.)
SET client_min_messages = error;
SELECT count(*) > 500 AS some, count(*) FILTER (WHERE result <> 'accepted' AND result NOT LIKE '22%') AS otherwise, bool_or(result LIKE '22%') AS refused
FROM (SELECT pg_temp.cast_to(set_byte(b, i, v)) AS result FROM input_bytes, generate_series(0, length(b) - 1) i, unnest('{0,1,2,3,65,127,128,200,254,255}'::int[]) v
      UNION ALL SELECT pg_temp.cast_to(substr(b, 1, i)) FROM input_bytes, generate_series(0, length(b) - 1) i) r;
RESET client_min_messages;
SELECT NULL::bytea::clientele.order_profile IS NULL AND NULL::clientele.order_profile::bytea IS NULL AS nothing;
-- Nobody means it by mistake.
SELECT pg_temp.refused('INSERT INTO input_copied SELECT b FROM input_bytes') AS assigned, pg_temp.refused('SELECT clientele.orders(b) FROM input_bytes') AS as_argument;

DROP TABLE input_profiles, input_copied;
