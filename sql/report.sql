-- report_html: one page about a store, by what its caller may read.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE TABLE report_orders (customer_id int, ordered_at timestamptz, amount numeric, order_id int);
-- Customers 1 to 60 have four orders each, the last a few days ago; 61 to 63 have one of old.
INSERT INTO report_orders SELECT c, now() - make_interval(days => 5 + n * 20 + c % 7), c, c * 10 + n FROM generate_series(1, 60) c, generate_series(1, 4) n;
INSERT INTO report_orders SELECT c, now() - interval '200 days', 25, c * 10 FROM generate_series(61, 63) c;
SELECT clientele.create_store('report', orders => 'public.report_orders');
SELECT clientele.define_segment('report', 'small <b>"baskets"</b>', 'typical_order_value < 20');
SELECT clientele.define_segment('report', 'lost', 'recency_days > 150');
SELECT clientele.define_offer('report', 'more', 'grow_order_value', holdout => 0.3);
CALL clientele.refresh('report');
CALL clientele.issue_offers('report');
RESET client_min_messages;

-- What a figure of a page shows: its title, and the rows of its table.
CREATE FUNCTION pg_temp.figure(page text, id text) RETURNS text LANGUAGE sql AS $$
    SELECT substring(page FROM '<figure id="' || id || '".*?</figure>')
$$;
CREATE FUNCTION pg_temp.title(page text, id text) RETURNS text LANGUAGE sql AS $$
    SELECT substring(pg_temp.figure(page, id) FROM '<h3>(.*?)</h3>')
$$;
CREATE FUNCTION pg_temp.rows(page text, id text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT trim(regexp_replace(replace(r.m[1], '</bdi>', ' '), '<[^>]*>', '', 'g'))
    FROM regexp_matches(substring(pg_temp.figure(page, id) FROM '<tbody>(.*)</tbody>'), '<tr>(.*?)</tr>', 'g') AS r (m)
$$;

CREATE FUNCTION pg_temp.rows_of(query text) RETURNS clientele.report_rows LANGUAGE plpgsql AS $$
DECLARE
    rows clientele.report_rows;
BEGIN
    EXECUTE query INTO rows;
    RETURN rows;
END $$;

CREATE TEMP TABLE page AS SELECT clientele.report_html('report') AS html;
SELECT html LIKE '<!DOCTYPE html>%</html>' || chr(10) AS whole, html !~ '[^[:ascii:]]' AS ascii, html !~ '<script|https?:|url\(' AS asks_nobody,
    length(html) < 500000 AS small FROM page;
SELECT m[1] AS section FROM page, regexp_matches(html, '<h2 id="[a-z]+?">(.*?)</h2>', 'g') AS m;
SELECT m[1] AS figure, pg_temp.title(html, m[1]) NOT IN ('') AS has_title FROM page, regexp_matches(html, '<figure id="([a-z-]+)', 'g') AS m
WHERE m[1] NOT LIKE 'lift%';
SELECT m[1] FROM page, regexp_matches(html, 'This cannot be shown: ([^<]*)', 'g') AS m;

-- The numbers are those of the views.
SELECT pg_temp.title(html, 'key-figures') FROM page;
SELECT pg_temp.rows(html, 'key-figures') FROM page;
SELECT pg_temp.rows(html, 'segments') FROM page;
SELECT segment, customers, total_spent FROM report.segment_sizes ORDER BY total_spent DESC;
-- Each figure's SQL runs as it stands there.
CREATE FUNCTION pg_temp.runs(query text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE replace(replace(replace(replace(replace(query, '&quot;', '"'), '&#39;', ''''), '&gt;', '>'), '&lt;', '<'), '&amp;', '&');
    RETURN true;
END $$;
SELECT bool_and(pg_temp.runs(m[1])) AS all_run, count(*) > 12 AS many FROM page, regexp_matches(html, '<pre>(.*?)</pre>', 'g') AS m;

-- As of a day when the three lost ones were the only customers. Later than now is now.
SELECT pg_temp.title(clientele.report_html('report', now() - interval '150 days'), 'key-figures');
SELECT pg_temp.rows(clientele.report_html('report', 'infinity'), 'key-figures') LIMIT 1;

-- Who may read some views sees those, and no numbers of fewer than five customers; who may read nothing is told so.
CREATE ROLE regress_report_reader;
GRANT USAGE ON SCHEMA report TO regress_report_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA report TO regress_report_reader;
REVOKE SELECT ON report.budget_status FROM regress_report_reader;
SET ROLE regress_report_reader;
SELECT pg_temp.rows(html, 'segments') FROM clientele.report_html('report') AS html;
SELECT pg_temp.figure(html, 'budgets') LIKE '%You may not read what this figure shows.%' AS told FROM clientele.report_html('report') AS html;
RESET ROLE;
REVOKE SELECT ON report.profiles, report.ledger FROM regress_report_reader;
SET ROLE regress_report_reader;
SELECT regexp_count(html, 'You may not read') > 5 AS told, html ~ 'families|baskets' AS learns FROM clientele.report_html('report') AS html \gset not_
RESET ROLE;
\echo :not_told :not_learns

-- Who may read the store's health alone, as a monitoring system, sees whether all is sound.
REVOKE SELECT ON ALL TABLES IN SCHEMA report FROM regress_report_reader;
GRANT SELECT ON report.health TO regress_report_reader;
SET ROLE regress_report_reader;
SELECT html ~ 'amounts in' AS currency_known, pg_temp.title(html, 'alerts') AS alerts, pg_temp.figure(html, 'freshness') ~ 'refreshed' AS freshness,
    regexp_count(html, 'You may not read') > 10 AS told
FROM clientele.report_html('report') AS html;
RESET ROLE;
REVOKE SELECT ON report.health FROM regress_report_reader;
-- And who may read its settings alone is not told that nothing is wrong.
GRANT SELECT ON report.settings TO regress_report_reader;
SET ROLE regress_report_reader;
SELECT f AS figure, pg_temp.figure(html, f) LIKE '%You may not read what this figure shows.%' AS told
    FROM clientele.report_html('report') AS html, unnest('{alerts,models}'::text[]) AS f;
RESET ROLE;
REVOKE SELECT ON report.settings FROM regress_report_reader;
SET ROLE regress_report_reader;
SELECT clientele.report_html('report');
RESET ROLE;

-- Moves that were recorded after the last refresh are moves.
BEGIN;
SELECT clientele.define_segment('report', 'everybody', 'orders >= 0', priority => 1);
CALL clientele.record_segments('report');
SELECT pg_temp.title(clientele.report_html('report'), 'moves') ~ '^Who moved: \d+ customers went from .* to everybody$' AS moved;
ROLLBACK;

-- A view that is gone: of what the figures read together each says for itself that it is missing, and the others stay.
BEGIN;
DROP VIEW report.offer_decisions CASCADE;
SELECT m[1] AS figure, pg_temp.figure(html, m[1]) LIKE '%This cannot be shown: relation%' AS told
FROM clientele.report_html('report') AS html, regexp_matches(html, '<figure id="(ladder|decisions|costs|segments|budgets)"', 'g') AS m;
DROP VIEW report.customers CASCADE;
SELECT regexp_count(html, 'This cannot be shown: relation') AS told, pg_temp.title(html, 'freshness') LIKE 'Up to when orders%' AS others
FROM clientele.report_html('report') AS html;
ROLLBACK;

-- Figures about all customers, and those about what is decided, share one pass over them, and show what each finds alone; of another
-- time, too.
SELECT m.marker, f.is_past, array_agg(s.figure) AS figures, bool_and(s = alone.rows) AS same
FROM (VALUES ('customers'), ('decisions')) AS m (marker)
CROSS JOIN (VALUES (ROW('report', now(), 'UTC', 'USD', 2, false, 'report.customers', false)::clientele.report_frame, false),
    (ROW('report', now() - interval '12 days', 'UTC', 'USD', 2, false, format('report.customers_at(%L)', now() - interval '12 days'),
        true)::clientele.report_frame, true)) AS f (frame, is_past)
CROSS JOIN LATERAL clientele._report_shared_rows(ARRAY(SELECT g.figure FROM clientele._report_figures('report') AS g), f.frame, m.marker) AS s
CROSS JOIN LATERAL (SELECT pg_temp.rows_of(clientele._report_rows_query(s.figure, clientele._report_query(g.figure, f.frame))) AS rows
    FROM clientele._report_figures('report') AS g WHERE (g.figure).id = s.figure) AS alone
GROUP BY 1, 2 ORDER BY 1, 2;
-- What the page reads once for several figures is what each of their queries gives alone.
SELECT pg_temp.title(html, 'ladder'), pg_temp.title(html, 'decisions'), pg_temp.title(html, 'costs') FROM clientele.report_html('report') AS html;
SELECT min_spend, count(*) FROM report.offers GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1;
SELECT program, status, reason, customers, round(greatest_cost, 2) AS cost FROM report.offer_summary ORDER BY status = 'refused', customers DESC LIMIT 1;

-- A content with a holdout has a figure of what it changed, as measure_lift() says; until somebody was shown it, it says why not.
SELECT clientele.define_content('report', 'home', '{spring} <post>', holdout => 0.3);
SELECT regexp_count(clientele.report_html('report'), 'has enrolled nobody') AS told;
INSERT INTO report.content_exposures (customer_id, slot, content, segment, holdout, held_out, exposed_at)
SELECT c, 'home', '{spring} <post>', CASE WHEN c < 20 THEN 'small <b>"baskets"</b>' ELSE 'default' END, 0.3, c % 3 = 0, now() - interval '20 days'
FROM generate_series(1, 60) AS c;
SELECT pg_temp.title(html, f.id) LIKE 'spring &lt;post&gt; changed the net margin by %' AS title,
    (SELECT array_agg(l.n_treated || ' shown, ' || l.n_control || ' not, in the figure: ' || (r LIKE format('home: %% %s %s %%', l.n_treated, l.n_control)))
     FROM ROWS FROM (pg_temp.rows(html, f.id)) WITH ORDINALITY AS r (r, nth)
     JOIN (SELECT m.*, row_number() OVER (ORDER BY m.segment NULLS FIRST) AS nth
           FROM clientele.measure_lift('report', NULL, content => '{spring} <post>', by_segment => true) AS m) AS l USING (nth)) AS rows
FROM clientele.report_html('report') AS html, (SELECT 'content-' || md5('{spring} <post>') AS id) AS f;

-- A read-only transaction, and no such store.
BEGIN READ ONLY;
SELECT length(clientele.report_html('report')) > 10000 AS written;
COMMIT;
SELECT clientele.report_html('nowhere');
SELECT clientele.report_html(NULL);
SELECT clientele.report_html('report', '-infinity');

-- The response curve is there once a response was fitted, and is what response_curve() says of customers in the middle.
SELECT pg_temp.figure(clientele.report_html('report'), 'response-curve') IS NULL AS not_yet;
UPDATE report_orders SET amount = amount * (1 + 0.2 * (order_id % 4));
CALL clientele.refresh('report');
SELECT clientele._add_model('report', 'response', jsonb_build_object('parameters', '{"a": -1.5, "lb": 1.39, "c": 0.8, "delta": 0, "ltau": 0,
        "lomega": -3.5, "lA": 0.85, "lq": 2.2, "d": []}'::jsonb, 'segments', '[]'::jsonb,
    'covariance', (SELECT jsonb_agg(CASE WHEN i = j THEN 0.0004 ELSE 0 END ORDER BY i, j) FROM generate_series(1, 8) i, generate_series(1, i) j),
    'q_known', false, 'stretch', '{1.3,2.8}'::numeric[], 'reward_rate', '{0.02,0.06}'::numeric[],
    'order_rate', '{"shape": 0.8, "mean": 0.03, "days": 365}'::jsonb, 'horizon_days', 14, 'known_to', to_jsonb(now())), NULL, now(), 60, '{}');
SELECT pg_temp.title(html, 'response-curve') LIKE 'What thresholds would earn: most at %' AS told FROM clientele.report_html('report') AS html;
SELECT cardinality(shown.cells) / 8 AS thresholds, shown.cells = alone.cells AS same
FROM (SELECT r.* FROM clientele._report_figures('report') AS f CROSS JOIN LATERAL pg_temp.rows_of(clientele._report_rows_query('response-curve',
        clientele._report_query(f.figure, ROW('report', now(), 'UTC', 'USD', 2, false, 'report.customers', false)::clientele.report_frame))) AS r
      WHERE (f.figure).id = 'response-curve') AS shown,
    pg_temp.rows_of(clientele._report_rows_query('response-curve', $$
        WITH middle AS (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY typical_order_value) AS usual FROM report.customers WHERE orders >= 3),
        best AS (
            SELECT DISTINCT ON (t.customer_id, p.min_spend) t.customer_id, p.*
            FROM (SELECT c.customer_id FROM report.customers AS c, middle AS m WHERE c.orders >= 3
                  ORDER BY abs(c.typical_order_value - m.usual), c.customer_id::text LIMIT 3) AS t
            CROSS JOIN LATERAL clientele.response_curve(t.customer_id, 'report') AS p ORDER BY t.customer_id, p.min_spend, p.profit DESC)
        SELECT min_spend, avg(profit), avg(low) AS low, avg(high) AS high, avg(reward) AS reward, avg(natural_share) AS natural,
            avg(raised_share) AS raised, count(*) AS customers
        FROM best GROUP BY min_spend HAVING 2 * count(*) >= (SELECT count(DISTINCT customer_id) FROM best) ORDER BY min_spend$$)) AS alone;

SELECT clientele.drop_store('report', force => true);
DROP TABLE report_orders;

-- Nothing at all; one customer; rows of nothing but NULL; the largest amounts, in a currency without decimals; two hundred segments.
CREATE FUNCTION pg_temp.faults(html text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT m[1] FROM regexp_matches(html, 'This cannot be shown: ([^<]*)', 'g') AS m
$$;
CREATE TABLE odd_orders (customer_id int, ordered_at timestamptz, amount numeric, order_id int);
CREATE TABLE odd_customers (customer_id int UNIQUE, city text);
SET client_min_messages = warning;
SELECT clientele.create_store('odd', orders => 'public.odd_orders', customers => 'public.odd_customers', attributes => '{city}',
    currency => 'JPY');
SELECT pg_temp.rows(html, 'key-figures') FROM clientele.report_html('odd') AS html;
CALL clientele.refresh('odd');
SELECT pg_temp.title(html, 'key-figures') AS empty, array(SELECT pg_temp.faults(html)) AS faults, length(html) < 100000 AS small
FROM clientele.report_html('odd') AS html;
INSERT INTO odd_orders VALUES (NULL, NULL, NULL, NULL), (1, NULL, NULL, NULL), (NULL, now(), 5, 1);
INSERT INTO odd_customers VALUES (NULL, NULL), (7, NULL);
CALL clientele.refresh('odd');
SELECT pg_temp.title(html, 'key-figures') AS nothing_but_nulls, array(SELECT pg_temp.faults(html)) AS faults FROM clientele.report_html('odd') AS html;
SELECT pg_temp.rows(html, 'segments') FROM clientele.report_html('odd') AS html;
INSERT INTO odd_orders VALUES (7, now() - interval '10 days', 1000000000000, 2);
CALL clientele.refresh('odd');
SELECT pg_temp.rows(html, 'key-figures') FROM clientele.report_html('odd') AS html;
SELECT pg_temp.rows(html, 'segments') FROM clientele.report_html('odd') AS html;
SELECT clientele.define_offer('odd', 'more', 'grow_order_value', max_cv => NULL, holdout => 0.1);
SELECT pg_temp.title(html, 'ladder') AS one_customer, array(SELECT pg_temp.faults(html)) AS faults FROM clientele.report_html('odd') AS html;
INSERT INTO odd_customers SELECT n, 'city ' || n % 200 FROM generate_series(100, 499) AS n;
INSERT INTO odd_orders SELECT n, now() - interval '3 days', n, n FROM generate_series(100, 499) AS n;
SELECT count(clientele.define_segment('odd', 'segment ' || n, format('city = %L', 'city ' || n))) FROM generate_series(0, 199) AS n;
DELETE FROM odd_orders WHERE order_id = 2;
CALL clientele.refresh('odd');
-- What is drawn of them: thirty pairs of bars, the last of the others with what the rest is together; the table has a hundred rows.
CREATE FUNCTION pg_temp.others(html text) RETURNS TABLE (bars int, others text, customers text, revenue text, listed bigint) LANGUAGE sql AS $$
    SELECT regexp_count(f.figure, '<rect'), m[1], m[2], m[3], (SELECT count(*) FROM pg_temp.rows(html, 'segments'))
    FROM (SELECT replace(pg_temp.figure(html, 'segments'), '&#8239;', ' ') AS figure) AS f,
        regexp_match(f.figure, '>(others \([^<]*)</text><rect.*?class="value">([^<]*)<.*?class="value">([^<]*)<') AS m
$$;
SELECT o.*, length(html) < 500000 AS small FROM clientele.report_html('odd') AS html, pg_temp.others(html) AS o;
SELECT count(*) AS others, round(100 * sum(share), 1) AS customers, round(100 * sum(part), 1) AS revenue
FROM (SELECT row_number() OVER w AS nth, customers / sum(customers) OVER () AS share, total_spent / sum(total_spent) OVER () AS part
      FROM odd.segment_sizes WINDOW w AS (ORDER BY total_spent DESC, segment)) AS s WHERE nth > 29;
-- To who is not the owner no segment of two customers is shown, but the others together are.
GRANT USAGE ON SCHEMA odd TO regress_report_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA odd TO regress_report_reader;
GRANT SELECT ON odd_orders, odd_customers TO regress_report_reader;
SET ROLE regress_report_reader;
SELECT o.*, pg_temp.title(html, 'segments') FROM clientele.report_html('odd') AS html, pg_temp.others(html) AS o;
SELECT DISTINCT regexp_replace(r, '^segment [0-9]+', 'segment N') AS shown FROM clientele.report_html('odd') AS html, pg_temp.rows(html, 'segments') AS r;
RESET ROLE;

-- Of many programs the latest are compared.
SELECT count(clientele.define_offer('odd', 'program ' || n, 'grow_order_value', max_cv => NULL, holdout => 0.1)) FROM generate_series(1, 24) AS n;
SELECT (SELECT count(*) FROM regexp_matches(html, '<figure id="lift-', 'g')) AS compared, html ~ 'What program 24 changed' AS latest,
    length(html) < 500000 AS small
FROM clientele.report_html('odd') AS html;

-- A million rows are few bars.
SELECT length(f) < 100000 AS small, f ~ 'others \(999971\)' AS others
FROM clientele._report_figure('f', 'f', 'bars', 'f', 'first', '', '', '', 'SELECT 1', '{segment,customers}', '{text,people}',
    (SELECT array_agg(v ORDER BY n, v DESC) FROM generate_series(1, 1000000) AS n, unnest(ARRAY['s' || n, '1']) AS v), 2, 'USD', 2, false) AS f;
SELECT clientele.drop_store('odd', force => true);
DROP TABLE odd_orders, odd_customers;
DROP ROLE regress_report_reader;
