-- The report: one page that shows how a shop is doing. Its figures are run with the caller's rights, drawn, and put in order.

CREATE FUNCTION clientele._report_figure(id text, topic text, drawing text, title text, headline text, note text, x_axis text, y_axis text,
    query text, columns text[], formats text[], cells text[], drawn integer, currency text, decimals integer, hide_few boolean) RETURNS text
    AS 'MODULE_PATHNAME', 'clientele__report_figure' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._report_figure(text, text, text, text, text, text, text, text, text, text[], text[], text[], integer, text,
    integer, boolean) IS
    'Internal: a figure of the report as HTML. cells: row by row, as texts. drawn: how many of the columns are drawn. '
    'hide_few: numbers of fewer than five customers are left out.';

CREATE FUNCTION clientele._report_missing(id text, title text, why text) RETURNS text
    AS 'MODULE_PATHNAME', 'clientele__report_missing' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._report_missing(text, text, text) IS 'Internal: what stands in the place of a figure that cannot be shown.';

CREATE FUNCTION clientele._report_page(title text, subtitle text, sections text[], questions text[], figures text[]) RETURNS text
    AS 'MODULE_PATHNAME', 'clientele__report_page' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clientele._report_page(text, text, text[], text[], text[]) IS
    'Internal: the page of the report. sections: their ids; figures: all of each section, HTML already.';

-- ---- Which figures there are ----

CREATE FUNCTION clientele._report_names(store name, query text) RETURNS SETOF text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY EXECUTE clientele._fill(query, 'store', quote_ident(store));
EXCEPTION WHEN insufficient_privilege OR undefined_table THEN
    RETURN;
END $$;
COMMENT ON FUNCTION clientele._report_names(name, text) IS
    'Internal: the names that a query of the store gives, none where the caller may not ask: each of them gets a figure.';

CREATE FUNCTION clientele._report_figures(store name)
    RETURNS TABLE (place integer, section text, question text, figure clientele.report_figure)
    LANGUAGE sql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT 1, 'shop', 'How is the shop doing?', f FROM clientele._report_shop_figures() AS f
    UNION ALL SELECT 2, 'customers', 'Who are my customers?', f FROM clientele._report_customer_figures() AS f
    UNION ALL SELECT 2, 'customers', 'Who are my customers?', clientele._report_learned_figure(n)
        FROM clientele._report_names(store,
            'SELECT pg_catalog.substr(m.kind, 8) FROM {store}.models AS m WHERE m.in_use AND m.kind LIKE ''kmeans:%'' '
            'ORDER BY m.fitted_at DESC, 1 LIMIT 20') AS n
    UNION ALL SELECT 3, 'offers', 'What do I ask of them?', f FROM clientele._report_offer_figures() AS f
    UNION ALL SELECT 3, 'offers', 'What do I ask of them?', f
        FROM clientele._report_names(store, 'SELECT m.kind FROM {store}.models AS m WHERE m.kind = ''response'' LIMIT 1')
        CROSS JOIN clientele._report_response_figures() AS f
    UNION ALL SELECT 4, 'effect', 'Did it work?', clientele._report_program_figure(n)
        FROM clientele._report_names(store, 'SELECT v.program FROM {store}.program_versions AS v '
            'WHERE (v.definition ->> ''holdout'')::pg_catalog.float8 > 0 '
            'GROUP BY 1 ORDER BY pg_catalog.max(v.defined_at) DESC, 1 LIMIT 20') AS n
    UNION ALL SELECT 4, 'effect', 'Did it work?', clientele._report_content_figure(n)
        FROM clientele._report_names(store, 'SELECT k.content FROM {store}.contents AS k WHERE k.holdout > 0 '
            'GROUP BY 1 ORDER BY 1 LIMIT 20') AS n
    UNION ALL SELECT 4, 'effect', 'Did it work?', f FROM clientele._report_ledger_figures() AS f
    UNION ALL SELECT 5, 'outlook', 'What comes next?', f FROM clientele._report_outlook_figures() AS f
    UNION ALL SELECT 6, 'state', 'Is it sound?', f FROM clientele._report_state_figures() AS f
$$;
COMMENT ON FUNCTION clientele._report_figures(name) IS 'Internal: the figures of a store''s report, by the question that they answer.';

-- ---- What they show ----

CREATE TYPE clientele.report_rows AS (figure text, columns text[], cells text[]);
COMMENT ON TYPE clientele.report_rows IS 'Internal: what the query of a figure gives: row by row, as texts.';

CREATE FUNCTION clientele._report_rows_query(figure text, query text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format($rows$
        SELECT %L, coalesce(array_agg(v.key ORDER BY v.place) FILTER (WHERE r.nth = 1), '{}'),
            coalesce(array_agg(v.value ORDER BY r.nth, v.place), '{}')
        FROM (SELECT row_number() OVER () AS nth, row_to_json(q) AS row FROM (%s) AS q) AS r
        CROSS JOIN LATERAL json_each_text(r.row) WITH ORDINALITY AS v (key, value, place)$rows$, figure, query)
$$;
COMMENT ON FUNCTION clientele._report_rows_query(text, text) IS 'Internal: a query that gives the rows of another as report_rows.';

-- What the figures of a page have in common. customers: the relation that has them; is_past: it computes them, of another time than now.
CREATE TYPE clientele.report_frame AS (
    store name, as_of timestamptz, zone text, currency text, decimals integer, hide_few boolean, customers text, is_past boolean);
COMMENT ON TYPE clientele.report_frame IS 'Internal: what all figures of a report have in common.';

CREATE FUNCTION clientele._report_source(frame clientele.report_frame, marker text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE marker WHEN 'decisions' THEN format('%I.offer_decisions', frame.store) ELSE frame.customers END
$$;
COMMENT ON FUNCTION clientele._report_source(clientele.report_frame, text) IS
    'Internal: the relation of which _report_counts() has counts under a marker.';

CREATE FUNCTION clientele._report_filled(query text, frame clientele.report_frame, subject text DEFAULT NULL) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._fill(query, VARIADIC (
        SELECT coalesce(array_agg(p.part ORDER BY v.name, p.place), '{}')
        FROM (VALUES ('store', quote_ident(frame.store)), ('name', quote_literal(frame.store)), ('zone', quote_literal(frame.zone)),
                ('subject', quote_literal(subject)), ('as_of', format('%L::timestamptz', frame.as_of)),
                ('recorded_by', format('%L::timestamptz', CASE WHEN frame.is_past THEN frame.as_of ELSE 'infinity' END)),
                ('month_ago', format('%L::timestamptz', frame.as_of - interval '30 days')),
                ('two_months_ago', format('%L::timestamptz', frame.as_of - interval '60 days')),
                ('each_customer', frame.customers)) AS v (name, value)
        CROSS JOIN LATERAL unnest(ARRAY[v.name, v.value]) WITH ORDINALITY AS p (part, place)
        WHERE strpos(query, '{' || v.name || '}') > 0))
$$;
COMMENT ON FUNCTION clientele._report_filled(text, clientele.report_frame, text) IS
    'Internal: a query with its markers filled, but {customers} and {decisions}.';

CREATE FUNCTION clientele._report_query(figure clientele.report_figure, frame clientele.report_frame) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT clientele._report_filled((
        SELECT coalesce(min(replace(figure.query, m.mark, clientele._report_counted(m.marker, ARRAY[figure.query],
            clientele._report_source(frame, m.marker)))), figure.query)
        FROM (VALUES ('customers', '{customers}'), ('decisions', '{decisions}')) AS m (marker, mark)
        WHERE strpos(figure.query, m.mark) > 0), frame, figure.subject)
$$;
COMMENT ON FUNCTION clientele._report_query(clientele.report_figure, clientele.report_frame) IS
    'Internal: the query of a figure, as the report shows it. It has one of the markers {customers} and {decisions}, or none.';

-- All figures that ask for what is counted share one pass. Customers of another time are computed from their orders: so they are kept, for
-- whoever asks for each of them, too.
CREATE FUNCTION clientele._report_pass(figures clientele.report_figure[], frame clientele.report_frame, marker text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    keeps constant boolean := marker = 'customers' AND frame.is_past;
    mark constant text := format('{%s}', marker);
    source text := clientele._report_source(frame, marker);
    queries constant text[] := ARRAY(SELECT f.query FROM unnest(figures) AS f
        WHERE strpos(f.query, mark) > 0 OR keeps AND strpos(f.query, '{each_customer}') > 0);
    kept text;
    rows text;
BEGIN
    IF keeps THEN
        SELECT format('each_customer AS MATERIALIZED (SELECT %s FROM %s AS o), ', string_agg(DISTINCT m.name[1], ', '), source) INTO kept
            FROM regexp_matches(clientele._report_counted(marker, queries, '') || queries::text, '\mo\.(\w+)', 'g') AS m (name);
        source := 'each_customer';
        frame.customers := source;
    END IF;
    SELECT string_agg(clientele._report_rows_query(f.id, clientele._report_filled(replace(f.query, mark, marker), frame, f.subject)),
            ' UNION ALL ') INTO rows
        FROM unnest(figures) AS f WHERE f.query = ANY (queries);
    RETURN format('WITH %s%I AS MATERIALIZED %s %s', kept, marker,
        clientele._report_filled(CASE marker WHEN 'customers' THEN clientele._report_counted_in_parallel(marker, queries, source)
            ELSE clientele._report_counted(marker, queries, source) END, frame), rows);
END $$;
COMMENT ON FUNCTION clientele._report_pass(clientele.report_figure[], clientele.report_frame, text) IS
    'Internal: the query of the rows of all figures that have a marker, by one pass over its source.';

-- Where it fails there is nothing from here: each figure is then asked alone, and says what it lacks. seq_page_cost: what is in force of
-- models is one row, which the planner reads anew for each customer where several processes work; it is in memory.
CREATE FUNCTION clientele._report_shared_rows(figures clientele.report_figure[], frame clientele.report_frame, marker text)
    RETURNS SETOF clientele.report_rows
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 SET jit = off
    SET seq_page_cost = 0 AS $$
BEGIN
    RETURN QUERY EXECUTE clientele._report_pass(figures, frame, marker);
EXCEPTION WHEN OTHERS THEN
    RETURN;
END $$;
COMMENT ON FUNCTION clientele._report_shared_rows(clientele.report_figure[], clientele.report_frame, text) IS
    'Internal: the rows of all figures whose query has a marker, by one pass over its source.';

CREATE FUNCTION clientele._report_html_of(figure clientele.report_figure, frame clientele.report_frame, rows clientele.report_rows)
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
    SET jit = off AS $$
DECLARE
    query text := btrim(clientele._report_query(figure, frame), E'\n');
BEGIN
    IF rows.figure IS NULL THEN
        EXECUTE clientele._report_rows_query(figure.id, query) INTO rows;
    END IF;
    RETURN clientele._report_figure(figure.id, figure.topic, figure.drawing, figure.title, figure.headline, figure.note,
        replace(figure.x_axis, '{currency}', frame.currency), replace(figure.y_axis, '{currency}', frame.currency), query,
        rows.columns, figure.formats, rows.cells, figure.drawn, frame.currency, frame.decimals, frame.hide_few);
EXCEPTION
    WHEN insufficient_privilege THEN
        RETURN clientele._report_missing(figure.id, figure.topic, 'You may not read what this figure shows.');
    WHEN OTHERS THEN
        RETURN clientele._report_missing(figure.id, figure.topic, 'This cannot be shown: ' || SQLERRM);
END $$;
COMMENT ON FUNCTION clientele._report_html_of(clientele.report_figure, clientele.report_frame, clientele.report_rows) IS
    'Internal: a figure as HTML, by the rows that its query gives the caller, asked for unless they are given; where there are none to be '
    'had, why.';

CREATE FUNCTION clientele._report_html(title text, subtitle text, frame clientele.report_frame) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    shown record;
    page text;
BEGIN
    SELECT array_agg(f.place) AS places, array_agg(f.section) AS sections, array_agg(f.question) AS questions,
            array_agg(f.figure) AS figures
        INTO shown FROM clientele._report_figures(frame.store) AS f;
    WITH shared AS MATERIALIZED (
        SELECT * FROM clientele._report_shared_rows(shown.figures, frame, 'customers')
        UNION ALL SELECT * FROM clientele._report_shared_rows(shown.figures, frame, 'decisions')
    ), drawn AS (
        SELECT q.place, q.section, q.question, q.nth, clientele._report_html_of(shown.figures[q.nth], frame, s) AS html
        FROM unnest(shown.places, shown.sections, shown.questions) WITH ORDINALITY AS q (place, section, question, nth)
        LEFT JOIN shared AS s ON s.figure = shown.figures[q.nth].id)
    SELECT clientele._report_page(title, subtitle, array_agg(q.section ORDER BY q.place), array_agg(q.question ORDER BY q.place),
            array_agg(q.figures ORDER BY q.place)) INTO page
    FROM (SELECT d.place, d.section, d.question, string_agg(d.html, '' ORDER BY d.nth) AS figures
          FROM drawn AS d GROUP BY d.place, d.section, d.question) AS q;
    RETURN page;
END $$;
COMMENT ON FUNCTION clientele._report_html(text, text, clientele.report_frame) IS 'Internal: the page of the report, with its figures.';

-- ---- The page ----

CREATE FUNCTION clientele.report_html(store name, as_of timestamptz DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    known record;
    past boolean;
    at timestamptz;
BEGIN
    PERFORM clientele._require_store(store);
    SELECT * INTO known FROM clientele.stores AS s WHERE s.store = report_html.store;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'permission denied for store %', quote_ident(store) USING ERRCODE = 'insufficient_privilege',
            HINT = 'It takes SELECT on its table settings, or health.';
    END IF;
    IF as_of = '-infinity' THEN
        RAISE EXCEPTION 'invalid as_of: -infinity' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = 'It is the time that the page is about.', HINT = 'Leave it out for what is stored now.';
    END IF;
    PERFORM clientele._orders_are_here(to_regclass(format('%I.profiles', store)), known.orders);
    past := coalesce(as_of < coalesce(known.fresh_to, now()), false);
    at := CASE WHEN past THEN as_of ELSE coalesce(known.fresh_to, now()) END;
    RETURN clientele._report_html(store || ': customers and offers',
        format('As of %s (%s)%s.%s', to_char(at AT TIME ZONE known.time_zone, 'FMDD FMMonth YYYY, HH24:MI'), known.time_zone,
            ', amounts in ' || known.currency,
            CASE WHEN past THEN ' Offers, their results and models are shown as they are now.' ELSE '' END),
        ROW(store, at, known.time_zone, coalesce(known.currency, ''),
            coalesce(clientele._currency_decimals(known.currency), 2), NOT pg_has_role(known.owner, 'USAGE'),
            format(CASE WHEN past THEN '%I.customers_at(%L)' ELSE '%I.customers' END, store, at), past));
END $$;
COMMENT ON FUNCTION clientele.report_html(name, timestamptz) IS
    'One page about a store, HTML without scripts and without a request to anywhere: how the shop is doing, who its customers are, what '
    'they are asked for, whether it worked, what comes next, and whether all of it is sound. Each figure has its numbers and its SQL. It '
    'shows what the caller may read, under one snapshot, and says where that is not all; numbers of fewer than five customers are for the '
    'store''s owner alone. as_of in the past: customers as of then; NULL or later: what is stored.';
