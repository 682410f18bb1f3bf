-- What an owner has damaged: each is a clear error, and none is internal.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE TABLE damaged_orders (order_id integer PRIMARY KEY, customer_id integer, ordered_at timestamptz, amount numeric);
CREATE INDEX ON damaged_orders (customer_id);
INSERT INTO damaged_orders SELECT c, c, '2026-01-01', 10 FROM generate_series(1, 5) c;
SELECT clientele.create_store('damaged', 'damaged_orders', live => true);
CALL clientele.refresh('damaged');

-- Settings with no row, and with several.
CREATE TABLE damaged_settings AS SELECT * FROM damaged.settings;
DELETE FROM damaged.settings;
SELECT count(*) FROM clientele.stores WHERE store = 'damaged';
SELECT * FROM clientele.check_store('damaged');
CALL clientele.refresh('damaged');
SELECT clientele.set_live('damaged', false);
SELECT clientele.define_segment('damaged', 'x', 'orders > 1');
SELECT clientele.define_offer('damaged', 'x', 'win_back');
SELECT clientele.upgrade_store('damaged');
SELECT clientele.drop_store('damaged');
DROP INDEX damaged.settings_one_row;
INSERT INTO damaged.settings SELECT * FROM damaged_settings;
INSERT INTO damaged.settings SELECT * FROM damaged_settings;
SELECT count(*) FROM clientele.stores WHERE store = 'damaged';
SELECT * FROM clientele.check_store('damaged');
DELETE FROM damaged.settings;
INSERT INTO damaged.settings SELECT * FROM damaged_settings;
SELECT * FROM clientele.check_store('damaged');

-- Another type, order or number of columns; a column more does no harm.
BEGIN;
ALTER TABLE damaged.settings ALTER margin TYPE text;
SET LOCAL client_min_messages = error;  -- the warning names the trigger, and so a random id
INSERT INTO damaged_orders VALUES (6, 6, '2026-01-01', 10);
SELECT clientele.assign_segment(1, 'damaged');
ROLLBACK;
BEGIN;
ALTER TABLE damaged.settings DROP options;
SELECT count(*) FROM clientele.stores WHERE store = 'damaged';
SELECT clientele.upgrade_store('damaged');
ROLLBACK;
BEGIN;
ALTER TABLE damaged.settings DROP seed;
ALTER TABLE damaged.settings ADD seed text DEFAULT 'damaged';
SELECT count(*) FROM clientele.stores WHERE store = 'damaged';
SELECT clientele.upgrade_store('damaged');
ROLLBACK;
BEGIN;
ALTER TABLE damaged.settings ADD note text DEFAULT 'ours';
SELECT clientele.upgrade_store('damaged'), (clientele._settings('damaged')).currency, clientele.assign_segment(1, 'damaged');
SELECT count(*) FROM clientele.stores WHERE store = 'damaged';
ROLLBACK;

-- Tables that are none.
SELECT clientele._drop_triggers('damaged', '{0}');
SELECT clientele._drop_triggers('damaged', '{NULL}');
SELECT clientele._lock_sources('{0}');
SELECT clientele._kept_filter(0, 0) IS NULL AS nothing;

-- A column of the profiles.
\set VERBOSITY terse
SET client_min_messages = error;
ALTER TABLE damaged.profiles DROP COLUMN profile CASCADE;
RESET client_min_messages;
\set VERBOSITY default
CALL clientele.refresh('damaged');
CALL clientele.refresh('damaged', true);
SET client_min_messages = error;
DROP SCHEMA damaged CASCADE;
DROP TABLE damaged_orders, damaged_settings CASCADE;
SET client_min_messages = warning;

-- A session keeps the plan of the last store that it looked up, and none of those that were dropped before.
CREATE TABLE gone_orders (order_id integer PRIMARY KEY, customer_id integer, ordered_at timestamptz, amount numeric);
DO $$
BEGIN
    FOR n IN 1 .. 4 LOOP
        PERFORM clientele.create_store('gone', 'gone_orders');
        PERFORM clientele.assign_segment(1, 'gone');
        PERFORM clientele.drop_store('gone');
    END LOOP;
END $$;
SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'CachedPlanSource' AND ident LIKE 'SELECT segment FROM gone.%';
DROP TABLE gone_orders;
