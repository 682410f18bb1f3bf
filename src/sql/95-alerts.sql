-- Alerts: whatever needs a person, of every store, for a monitoring system that may see no customer.
--
-- What is known of a store is noted in its table health, which names no customer and no code; alerts reads that and the catalogues.
-- A note never waits and keeps nobody waiting: it is a row more, the latest one about a thing counts, and the next one removes those
-- that it finds.

CREATE TYPE clientele.health AS (
    part clientele.health_part, subject text, noted_at timestamptz, since timestamptz, figure double precision, bound double precision,
        detail text,
    version integer, live boolean, store_id uuid, orders oid, customers oid, items oid, source_names text[],
    time_zone text, zone_digests bigint[], overdue_after interval);
COMMENT ON TYPE clientele.health IS
    'A row of a store''s table health. Of a part (failure, segments, budget, comparison, holdout, model, response, settings) the latest '
    'row about each subject counts; '
    'a row without a subject says that all earlier ones of its part are void. The columns from version on are those of the part settings.';

CREATE TYPE clientele.alert AS (store name, severity text, alert text, detail text, hint text, since timestamptz);
COMMENT ON TYPE clientele.alert IS 'Something about a store that needs a person: see the view clientele.alerts.';

CREATE FUNCTION clientele._create_health(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($health$
        CREATE TABLE {store}.health (LIKE clientele.health) WITH (vacuum_truncate = false, toast.vacuum_truncate = false);
        ALTER TABLE {store}.health REPLICA IDENTITY FULL;
        COMMENT ON TABLE {store}.health IS
            'What clientele.alerts knows of the store: no customers and no codes. Written by whatever changes it.';
        GRANT USAGE ON SCHEMA {store} TO pg_monitor;
        GRANT SELECT ON {store}.health TO pg_monitor;
        $health$, 'store', quote_ident(store));
    PERFORM clientele._note_definitions(store);
END $$;
COMMENT ON FUNCTION clientele._create_health(name) IS 'The table health of a new store, which pg_monitor may read.';

-- ---- Noting ----

CREATE FUNCTION clientele._may_note(store name) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(has_table_privilege(h, 'SELECT') AND has_table_privilege(h, 'INSERT'), false) FROM clientele._health_of(store) h
$$;
COMMENT ON FUNCTION clientele._may_note(name) IS
    'Whether the caller may write to a store''s table health, and there is one. Whoever may not does without.';

-- Under another isolation level a row that was removed meanwhile would be an error, and a later note removes it.
CREATE FUNCTION clientele._note(store name, part text, facts clientele.health[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    health constant regclass := clientele._health_of(store);
    noted_at constant timestamptz := clock_timestamp();
BEGIN
    IF NOT clientele._may_note(store) THEN
        RETURN;
    END IF;
    IF current_setting('transaction_isolation') LIKE 'read%'
        AND has_table_privilege(health, 'UPDATE') AND has_table_privilege(health, 'DELETE') THEN
        EXECUTE format('DELETE FROM %1$s h USING (SELECT o.ctid FROM %1$s o WHERE o.part = $1 FOR UPDATE SKIP LOCKED) o
            WHERE h.ctid = o.ctid', health)
            USING part;
    END IF;
    EXECUTE format('INSERT INTO %s AS h SELECT (jsonb_populate_record(n, jsonb_build_object(''part'', $1, ''noted_at'', $2))).*
        FROM (SELECT NULL::clientele.health UNION ALL SELECT f FROM unnest($3) f) n (n)', health) USING part, noted_at, facts;
END $$;
COMMENT ON FUNCTION clientele._note(name, text, clientele.health[]) IS
    'Writes all that is known of a part of a store''s health: these facts and no others. Nothing where the caller may not, and where '
    'the store has no such table.';

CREATE FUNCTION clientele._fact(subject text, since timestamptz DEFAULT NULL, figure double precision DEFAULT NULL,
    bound double precision DEFAULT NULL,
        detail text DEFAULT NULL) RETURNS clientele.health
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    RETURN ROW(NULL, subject, NULL, since, figure, bound, detail, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL)::clientele.health;
COMMENT ON FUNCTION clientele._fact(text, timestamptz, double precision, double precision, text) IS 'A fact for _note().';

CREATE FUNCTION clientele._note_definitions(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings;
    fact clientele.health := clientele._fact('store');
    facts clientele.health[];
BEGIN
    IF NOT clientele._may_note(store) THEN
        RETURN;
    END IF;
    settings := clientele._settings(store);
    fact.version := settings.version;
    fact.live := settings.live;
    fact.store_id := settings.id;
    fact.orders := settings.orders;
    fact.customers := settings.customers;
    fact.items := settings.items;
    fact.source_names := ARRAY[settings.orders_name, settings.customers_name, settings.items_name];
    fact.time_zone := settings.time_zone;
    fact.zone_digests := settings.zone_digests;
    fact.detail := CASE WHEN settings.fresh_to IS NULL AND settings.options ? 'altered' THEN 'altered' END;
    fact.overdue_after := clientele._option(settings, 'refresh_overdue_after')::interval;
    -- Until the first refresh, the time of the first note, which is that of creation.
    EXECUTE format('SELECT coalesce($1, (SELECT min(h.since) FROM %s h WHERE h.part = ''settings''), clock_timestamp())',
        clientele._health_of(store)) INTO fact.since USING settings.fresh_to;
    PERFORM clientele._note(store, 'settings', ARRAY[fact]);
    EXECUTE format('SELECT array_agg(clientele._fact(p.program)) FROM %I.programs p WHERE p.holdout = 0', store) INTO facts;
    PERFORM clientele._note(store, 'holdout', CASE WHEN settings.global_holdout = 0 THEN facts END);
    EXECUTE format('SELECT array_agg(clientele._fact(m.kind, since => m.fitted_at, figure => m.customers,
            bound => (SELECT max(d.moved::double precision) FROM jsonb_each_text(CASE jsonb_typeof(m.diagnostics #> ''{drift,moved}'')
                WHEN ''object'' THEN m.diagnostics #> ''{drift,moved}'' END) d (cluster, moved))))
        FROM %I.models m WHERE m.in_use', store) INTO facts;
    PERFORM clientele._note(store, 'model', facts);
    PERFORM clientele._note_budgets(store);
EXCEPTION WHEN insufficient_privilege THEN
    RETURN;  -- who refreshes need not see the models
END $$;
COMMENT ON FUNCTION clientele._note_definitions(name) IS
    'Notes the settings of a store, its models in use, its programs without a holdout, and its budgets.';

CREATE FUNCTION clientele._note_budgets(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    facts clientele.health[];
BEGIN
    -- Without that view its owner is making the views anew, and notes the budgets when that is done.
    IF NOT clientele._may_note(store) OR to_regclass(format('%I._budgets', store)) IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT array_agg(clientele._fact(p.program, figure => b.remaining::double precision,
        bound => p.budget::double precision))
        FROM %1$I.programs p JOIN %1$I._budgets b ON b.program = p.program WHERE p.budget > 0', store) INTO facts;
    PERFORM clientele._note(store, 'budget', facts);
EXCEPTION WHEN insufficient_privilege THEN
    RETURN;  -- who settles need not see the programs
END $$;
COMMENT ON FUNCTION clientele._note_budgets(name) IS 'Notes what is left of the budgets of a store''s programs.';

-- For who issues where hardly anything is left: once, since it is at the basket.
CREATE FUNCTION clientele._note_low_budget(store name, program text) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    health constant text := clientele._health_of(store);
BEGIN
    IF clientele._may_note(store) THEN
        EXECUTE clientele._fill('INSERT INTO {health} (part, subject, noted_at, figure, bound)
            SELECT ''budget'', p.program, clock_timestamp(), b.remaining, p.budget FROM {store}.programs p JOIN {store}._budgets b
                USING (program)
            WHERE p.program = $1 AND p.budget > 0 AND NOT EXISTS (SELECT FROM {health} h WHERE h.part = ''budget'' AND h.subject = $1
                AND clientele._is_nearly_spent(h.figure, h.bound))',
            'health', health, 'store', quote_ident(store)) USING program;
    END IF;
END $$;
COMMENT ON FUNCTION clientele._note_low_budget(name, text) IS
    'Notes what is left of a budget, where it is not known yet that this is little.';

-- It reads the whole ledger, which may take longer than what was issued.
CREATE FUNCTION clientele._note_comparisons(store name, unless_within interval DEFAULT '0') RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last_exposure double precision;
    facts clientele.health[];
BEGIN
    IF NOT clientele._may_note(store) THEN
        RETURN;
    END IF;
    -- Who was enrolled when it was looked at last, is noted as the figure of nobody.
    EXECUTE format('SELECT max(l.exposure_id) FROM %1$I.ledger l WHERE NOT EXISTS (SELECT FROM %2$s h
        WHERE h.part = ''comparison'' AND h.subject = '''' AND (h.noted_at > clock_timestamp() - $1
            OR h.figure >= (SELECT max(m.exposure_id) FROM %1$I.ledger m)))',
            store, clientele._health_of(store)) INTO last_exposure USING unless_within;
    IF last_exposure IS NOT NULL THEN
        EXECUTE format('SELECT array_agg(clientele._fact(e.program, since => e.first_enrolled_at, figure => least(e.srm_pvalue,
            e.arms_pvalue), detail => e.alert))
            FROM %1$I.experiment_health e JOIN %1$I.programs p ON p.program = e.program AND p.version = e.program_version WHERE e.alarm',
                store) INTO facts;
        PERFORM clientele._note(store, 'comparison', facts || clientele._fact('', figure => last_exposure));
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RETURN;  -- who issues or settles need not see every exposure
END $$;
COMMENT ON FUNCTION clientele._note_comparisons(name, interval) IS
    'Notes the programs whose customers were not assigned as they should have been, of which experiment_health says so: looks at it '
    'where somebody was enrolled since the last time, unless that was within this long.';

CREATE FUNCTION clientele._note_segments(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    facts clientele.health[];
BEGIN
    IF clientele._may_note(store) THEN
        EXECUTE format('SELECT array_agg(clientele._fact(g.segmentation, figure => m.left_over::double precision / m.customers,
            detail => g.default_segment))
            FROM (SELECT s.segmentation, count(*) AS customers, count(*) FILTER (WHERE s.segment = d.default_segment) AS left_over
                  FROM %1$I.segment_membership s JOIN %1$I.segmentations d USING (segmentation)
                  WHERE s.valid_to IS NULL GROUP BY s.segmentation) m
            JOIN %1$I.segmentations g USING (segmentation)
            WHERE EXISTS (SELECT FROM %1$I.segment_rules r WHERE r.segmentation = m.segmentation)', store) INTO facts;
        PERFORM clientele._note(store, 'segments', facts);
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RETURN;  -- who records need not see the rules
END $$;
COMMENT ON FUNCTION clientele._note_segments(name) IS
    'Notes which share of the customers no rule of a segmentation has taken, by its history.';

-- In one snapshot with them: what a trigger notes meanwhile stays.
CREATE FUNCTION clientele._note_failures(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF clientele._may_note(store) AND has_table_privilege(clientele._health_of(store), 'DELETE') THEN
        EXECUTE format('DELETE FROM %s h WHERE h.part = ''failure'' AND NOT EXISTS (SELECT FROM %I.failures)', clientele._health_of(store),
            store);
    END IF;
END $$;
COMMENT ON FUNCTION clientele._note_failures(name) IS 'Takes back that statements could not be noted, once all of them have been counted.';

-- ---- Reading, as anybody, of anybody's store ----

CREATE FUNCTION clientele._alert(store name, severity text, alert text, since timestamptz, detail text, hint text) RETURNS clientele.alert
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN ROW(store, severity, alert, detail, hint, since)::clientele.alert;
COMMENT ON FUNCTION clientele._alert(name, text, text, timestamptz, text, text) IS 'An alert.';

CREATE FUNCTION clientele._noted_table(noted oid, name text) RETURNS regclass
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF noted IS NULL OR clientele._full_name(noted) = name THEN
        RETURN noted;
    END IF;
    RETURN coalesce(clientele._table_named(name), (SELECT c.oid FROM pg_class c WHERE c.oid = noted));
END $$;
COMMENT ON FUNCTION clientele._noted_table(oid, text) IS
    'The table that was noted: by its name where the OID is not that table''s, as in a database that was restored, else by its OID, as '
    'after it was renamed. NULL where it is gone, or none was noted.';

CREATE FUNCTION clientele._settings_noted(fact clientele.health) RETURNS clientele.store_settings
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings clientele.store_settings;
BEGIN
    settings.version := fact.version;
    settings.live := coalesce(fact.live, false);
    settings.id := fact.store_id;
    settings.orders := clientele._noted_table(fact.orders, fact.source_names[1]);
    settings.customers := clientele._noted_table(fact.customers, fact.source_names[2]);
    settings.items := clientele._noted_table(fact.items, fact.source_names[3]);
    settings.orders_name := fact.source_names[1];
    settings.customers_name := fact.source_names[2];
    settings.items_name := fact.source_names[3];
    settings.time_zone := fact.time_zone;
    settings.zone_digests := fact.zone_digests;
    settings.options := CASE WHEN fact.detail = 'altered' THEN '{"altered": true}'::jsonb END;
    RETURN settings;
END $$;
COMMENT ON FUNCTION clientele._settings_noted(clientele.health) IS 'As much of a store''s settings as its table health has.';

-- The state of the store itself: its sources, its version, its triggers, its time zone.
CREATE FUNCTION clientele._state_alerts(store name, fact clientele.health) RETURNS SETOF clientele.alert
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settings constant clientele.store_settings := clientele._settings_noted(fact);
    stale text;
BEGIN
    IF settings.version < clientele._store_version() THEN
        RETURN NEXT clientele._alert(store, 'warning', 'version_behind', fact.noted_at,
            format('the store has version %s, the extension makes version %s', settings.version, clientele._store_version()),
            format('SELECT clientele.upgrade_store(%L);', store));
    END IF;
    IF settings.orders IS NULL THEN
        RETURN NEXT clientele._alert(store, 'critical', 'detached', fact.noted_at,
            'the store is detached from its orders, or they are gone',
            format('SELECT clientele.attach_store(%L);', store));
        RETURN;
    END IF;
    stale := clientele._stale(store, settings, false);
    -- A replica that knows that it is one needs nobody.
    IF stale IS NOT NULL AND (clientele._shows_pending(store) OR NOT clientele._is_replica(store)) THEN
        RETURN NEXT clientele._alert(store, 'critical', 'stale', NULL, stale, format('SELECT * FROM clientele.check_store(%L);', store));
    ELSIF clientele._refresh_is_due(settings) THEN
        RETURN NEXT clientele._alert(store, 'warning', 'refresh_due', fact.noted_at,
            'it reads its orders otherwise than when they were counted, or in another time zone: whoever reads it counts them anew',
            format('CALL clientele.refresh(%L);', store));
    END IF;
    IF fact.since + fact.overdue_after < now() THEN
        RETURN NEXT clientele._alert(store, 'warning', 'refresh_overdue', fact.since + fact.overdue_after,
            format('the last refresh counted the orders up to %s; the store''s refresh_overdue_after is %s', date_trunc('second',
                fact.since), fact.overdue_after),
            format('CALL clientele.refresh(%L);', store));
    END IF;
    IF settings.live AND pg_stat_get_live_tuples(to_regclass(format('%I.pending', store))) > 100000 THEN
        RETURN NEXT clientele._alert(store, 'warning', 'pending', NULL,
            format('some %s changes are pending, which readers roll up each time',
                pg_stat_get_live_tuples(to_regclass(format('%I.pending', store)))),
            format('CALL clientele.refresh(%L); a worker folds them by itself where max_worker_processes leaves room for one', store));
    END IF;
END $$;
COMMENT ON FUNCTION clientele._state_alerts(name, clientele.health) IS
    'What is wrong with a store itself, from the catalogues and what was noted of its settings.';

-- One fact that was noted; none where it is as it should be.
-- In PL/pgSQL, which keeps its plan for the next look.
CREATE FUNCTION clientele._fact_alert(store name, fact clientele.health) RETURNS SETOF clientele.alert
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT store, a.severity, a.alert, a.detail, a.hint, coalesce(fact.since, fact.noted_at) FROM (VALUES
        ('failure', true, 'critical', 'failures', 'statements on the orders could not be noted',
            format('CALL clientele.refresh(%L); the table failures says why', store)),
        ('budget', clientele._is_nearly_spent(fact.figure, fact.bound), CASE WHEN fact.figure <= 0 THEN 'critical' ELSE 'warning' END,
            'budget_nearly_spent',
            format('program "%s" has %s left of %s', fact.subject, fact.figure, fact.bound),
            format('SELECT clientele.alter_offer(%L, %L, budget => ...);', store, fact.subject)),
        ('comparison', fact.subject <> '', 'critical', 'sample_ratio', format('program "%s": %s', fact.subject, fact.detail),
            format('SELECT * FROM %I.experiment_health;', store)),
        ('holdout', true, 'warning', 'no_holdout', format('nobody is held out of program "%s": what it brings cannot be measured',
            fact.subject),
            format('SELECT clientele.alter_offer(%L, %L, holdout => 0.1);', store, fact.subject)),
        ('segments', fact.figure > 0.6, 'warning', 'default_segment',
            format('%s %% of the customers are in "%s", the default of segmentation "%s"',
            round(100 * fact.figure), fact.detail, fact.subject), format('SELECT * FROM clientele.describe_segments(%L, %L);', store,
                fact.subject)),
        ('model', fact.since + interval '90 days' < now(), 'warning', 'model_old', format('the model %s was fitted at %s', fact.subject,
            date_trunc('second', fact.since)),
            'Fit it again: see clientele.models.'),
        ('response', true, 'warning', 'response_outdated', format('the response to offers does not hold any more: %s', fact.detail),
            format('SELECT * FROM clientele.fit_response(%L);', store)),
        ('model', fact.bound > 0.5, 'warning', 'model_drifted',
            format('a segment of the model %s has moved by %s standard deviations since the version before',
            fact.subject, round(fact.bound::numeric, 2)),
                'Look at clientele.describe_segments(): the names may not fit any more.')) a (part, applies, severity, alert, detail, hint)
    WHERE a.part = fact.part AND a.applies;
END $$;
COMMENT ON FUNCTION clientele._fact_alert(name, clientele.health) IS 'What a fact that was noted of a store means, if it needs a person.';

CREATE FUNCTION clientele._store_alerts(store name, health oid) RETURNS SETOF clientele.alert
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    largest constant bigint := 8388608;  -- what anybody would have to read; the real one has a page or two
    fact clientele.health;
BEGIN
    FOR fact IN
        WITH noted AS MATERIALIZED (
            SELECT * FROM clientele._plain_rows(health, NULL::clientele.health, true, largest)
        ), void AS MATERIALIZED (
            SELECT n.part, max(n.noted_at) AS before FROM noted n WHERE n.subject IS NULL GROUP BY n.part)
        SELECT DISTINCT ON (n.part, n.subject) n.* FROM noted n LEFT JOIN void v ON v.part = n.part
        WHERE n.subject IS NOT NULL AND coalesce(n.noted_at >= v.before, true) ORDER BY n.part, n.subject, n.noted_at DESC
    LOOP
        IF fact.part = 'settings' THEN
            RETURN QUERY SELECT * FROM clientele._state_alerts(store, fact);
        ELSE
            RETURN QUERY SELECT * FROM clientele._fact_alert(store, fact);
        END IF;
    END LOOP;
EXCEPTION
    WHEN wrong_object_type OR lock_not_available OR data_exception THEN
        RETURN NEXT clientele._alert(store, 'warning', 'unknown', NULL, 'its table health cannot be read: ' || SQLERRM,
            format('Is it locked, or was it changed? SELECT clientele.upgrade_store(%L); notes all of it anew.', store));
    WHEN insufficient_privilege OR undefined_table THEN
        RETURN;
END $$;
COMMENT ON FUNCTION clientele._store_alerts(name, oid) IS
    'The alerts of a store whose table health this is. None where the caller may not read that.';

CREATE FUNCTION clientele._health_tables() RETURNS TABLE (store name, schema oid, owner oid, health oid)
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT h.name, h.schema_oid, h.owner, h.health FROM clientele._healths() h
    WHERE has_schema_privilege(h.schema_oid, 'USAGE') AND has_table_privilege(h.health, 'SELECT')
$$;
COMMENT ON FUNCTION clientele._health_tables() IS 'The stores whose table health the caller may read.';

CREATE FUNCTION clientele._stores_without_health() RETURNS TABLE (store name)
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT n.nspname
    FROM pg_depend d JOIN pg_class c ON c.oid = d.objid JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN clientele._healths() h ON h.schema_oid = n.oid
    WHERE d.classid = 'pg_class'::regclass AND d.objsubid > 0 AND d.refclassid = 'pg_type'::regclass
      AND d.refobjid = 'clientele.store_version'::regtype AND c.oid = clientele._settings_table(n.oid) AND h.health IS NULL
      AND has_schema_privilege(n.oid, 'USAGE') AND (pg_has_role(n.nspowner, 'USAGE') OR pg_has_role('pg_monitor', 'USAGE'))
$$;
COMMENT ON FUNCTION clientele._stores_without_health() IS
    'The stores whose table health is gone, of which a caller who monitors, or is the owner, would otherwise see nothing.';

CREATE FUNCTION clientele._noted_stores() RETURNS TABLE (store name, owner oid, fact clientele.health, has_failures boolean)
    LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.store, t.owner, f.fact, f.has_failures
    FROM clientele._health_tables() t
    CROSS JOIN LATERAL (
        SELECT (array_agg(h ORDER BY h.noted_at DESC) FILTER (WHERE h.part = 'settings' AND h.subject = 'store'))[1],
            coalesce(bool_or(h.part = 'failure'), false)
        FROM clientele._plain_rows(t.health, NULL::clientele.health, false, 8388608) h) f (fact, has_failures)
    WHERE (f.fact).part IS NOT NULL AND NOT EXISTS (
        SELECT FROM pg_class s WHERE s.relnamespace = t.schema AND s.relname = 'settings' AND has_table_privilege(s.oid, 'SELECT'))
$$;
COMMENT ON FUNCTION clientele._noted_stores() IS
    'The stores whose table health the caller may read, but not the settings: what was noted of these, and whether of failures.';

CREATE FUNCTION clientele._noted_stale(store name, fact clientele.health, has_failures boolean) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF fact.orders IS NULL THEN
        RETURN 'the store is detached from its orders';
    END IF;
    RETURN coalesce(clientele._stale(store, clientele._settings_noted(fact), false),
        CASE WHEN has_failures THEN 'statements on the orders could not be noted' END);
EXCEPTION WHEN data_exception THEN
    RETURN 'its table health is not as it was written';
END $$;
COMMENT ON FUNCTION clientele._noted_stale(name, clientele.health, boolean) IS
    'Why a store may show something else than its orders, for who may not read its settings.';

-- One plan for all stores.
CREATE FUNCTION clientele._alerts() RETURNS SETOF clientele.alert
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN QUERY SELECT a.* FROM (
            SELECT a.* FROM clientele._health_tables() t CROSS JOIN LATERAL clientele._store_alerts(t.store, t.health) a
            UNION ALL
            SELECT s.store, 'warning', 'unknown', 'it has no table health any more',
                format('SELECT clientele.upgrade_store(%L); notes all of it anew.', s.store), NULL
            FROM clientele._stores_without_health() s) a
        ORDER BY a.severity, a.store, a.alert, a.detail;
END $$;
COMMENT ON FUNCTION clientele._alerts() IS 'The rows of the view clientele.alerts.';

CREATE VIEW clientele.alerts AS SELECT * FROM clientele._alerts();
COMMENT ON VIEW clientele.alerts IS
    'A row for whatever needs a person, of the stores whose table health the caller may read: pg_monitor may, until the store''s owner '
    'revokes it. severity: critical (what the store shows is wrong, or a comparison is) or warning. '
    'alert: stale, failures, refresh_due, refresh_overdue, pending, budget_nearly_spent, sample_ratio, no_holdout, model_old, '
    'model_drifted, response_outdated, default_segment, detached, version_behind, unknown. '
    'hint: what to do. Cheap enough to be asked every few seconds; it names no customers and no codes, and runs nothing of a store''s '
    'owner.';
GRANT SELECT ON clientele.alerts TO PUBLIC;
