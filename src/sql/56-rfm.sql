-- A store's RFM breaks, and the customary segments over its scores.

CREATE FUNCTION clientele.rfm_breaks(store name DEFAULT NULL) RETURNS clientele.rfm_breaks
    LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found clientele.rfm_breaks;
BEGIN
    EXECUTE format('SELECT s.breaks_r, s.breaks_f, s.breaks_m FROM %I.scoring AS s', clientele._resolve_store(store)) INTO found;
    RETURN found;
END $$;
COMMENT ON FUNCTION clientele.rfm_breaks(name) IS
    'The breaks in force, by which r_score, f_score and m_score of the view customers are decided and which rfm_scores() takes: of '
    'recency_days (r), orders (f) and total_spent (m). NULLs before the first refresh, and as long as nobody has ordered. The store''s '
    'table scoring says since when they hold (breaks_at), and whether they were set by hand (breaks_set) or are the quintiles of the '
    'customers at that time.';

CREATE FUNCTION clientele.set_rfm_breaks(store name, r double precision[], f double precision[], m double precision[]) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    given constant integer := num_nonnulls(r, f, m);
BEGIN
    PERFORM clientele._lock_store(store);
    IF given = 0 THEN
        EXECUTE format('UPDATE %I.scoring SET breaks_set = false', store);
        PERFORM clientele._refresh_scoring(store);
        RETURN;
    ELSIF given < 3 THEN
        RAISE EXCEPTION 'breaks must be set for r, f and m together' USING ERRCODE = 'invalid_parameter_value',
            DETAIL = format('%s is NULL.', CASE WHEN r IS NULL THEN 'r' WHEN f IS NULL THEN 'f' ELSE 'm' END),
            HINT = format('SELECT * FROM clientele.rfm_breaks(%L) shows those in force, to keep some of them; '
                'NULL for all three goes back to the quintiles.', store);
    END IF;
    -- Called for its checks of the breaks alone.
    PERFORM clientele.rfm_scores(NULL, NULL, NULL::double precision, ROW(r, f, m)::clientele.rfm_breaks);
    EXECUTE format('UPDATE %I.scoring SET breaks_r = $1, breaks_f = $2, breaks_m = $3, breaks_set = true, breaks_at = now()', store)
        USING ARRAY(SELECT unnest(r)), ARRAY(SELECT unnest(f)), ARRAY(SELECT unnest(m));
END $$;
COMMENT ON FUNCTION clientele.set_rfm_breaks(name, double precision[], double precision[], double precision[]) IS
    'Sets the breaks of recency in days (r), orders (f) and total_spent (m), four ascending numbers each; every score follows at once, '
    'and refreshes leave them alone. NULL for all three goes back to the quintiles of the customers, computed at once and at each '
    'refresh. NULL for one or two of them is an error: a half that moves beside a half that stands still surprises. Only the store''s '
    'owner may; no reader waits.';

-- ---- Segments ----

-- First match wins, and the order is that of the R package's tests; Hibernating has the bounds of Lost there.
CREATE FUNCTION clientele._rfm_segments(OUT priority integer, OUT segment text, OUT rule text, OUT description text) RETURNS SETOF record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ VALUES
    (10, 'Champions', 'r_score >= 4 AND f_score >= 4 AND m_score >= 4',
        'Ordered recently, order often, and spend the most'),
    (20, 'Loyal Customers', 'r_score >= 2 AND f_score >= 3 AND m_score >= 3',
        'Order regularly and spend well; not gone for long'),
    (30, 'Potential Loyalist', 'r_score >= 3 AND f_score <= 3 AND m_score <= 3',
        'Ordered recently, not yet often or much: could become loyal'),
    (40, 'New Customers', 'r_score >= 4 AND f_score = 1 AND m_score = 1',
        'Ordered recently, for the first time or nearly so'),
    (50, 'Promising', 'r_score BETWEEN 3 AND 4 AND f_score = 1 AND m_score = 1',
        'Ordered not long ago, few orders and little money so far'),
    (60, 'Need Attention', 'r_score BETWEEN 2 AND 3 AND f_score BETWEEN 2 AND 3 AND m_score BETWEEN 2 AND 3',
        'Middling in all respects, and not seen for a while'),
    (70, 'About To Sleep', 'r_score BETWEEN 2 AND 3 AND f_score <= 2 AND m_score <= 2',
        'Few orders, little money, and not seen for a while: about to be lost'),
    (80, 'At Risk', 'r_score <= 2 AND f_score >= 2 AND m_score >= 2',
        'Ordered and spent well once, but long ago: worth winning back'),
    (90, 'Can''t Lose Them', 'r_score = 1 AND f_score >= 4 AND m_score >= 4',
        'Among the best customers once, and not seen for very long'),
    (100, 'Lost', 'r_score <= 2 AND f_score <= 2 AND m_score <= 2',
        'Few orders, little money, long ago'),
    (110, 'Hibernating', 'r_score <= 2 AND f_score <= 2 AND m_score <= 2',
        'Few orders, little money, long ago: the bounds of Lost, which comes first, until one of the two is edited')
$$;
COMMENT ON FUNCTION clientele._rfm_segments() IS
    'Internal: the customary RFM segments. Source: bounds as documented by the R package rfm (vignette "RFM - Transaction Level Data"); '
    'order as in its tests.';

CREATE FUNCTION clientele.add_rfm_segments(store name, segmentation text DEFAULT 'rfm') RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    present text[];
    default_segment text;
BEGIN
    PERFORM clientele._lock_store(store);
    PERFORM clientele._require('segmentation', segmentation IS NOT NULL);
    EXECUTE format('SELECT array_agg(r.segment ORDER BY r.priority) FROM %I.segment_rules AS r WHERE r.segmentation = $1', store)
        INTO present USING segmentation;
    IF present IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'duplicate_object',
            MESSAGE = format('segmentation "%s" of store "%s" has segments already', segmentation, store),
            DETAIL = format('Segments there: %s.', clientele._name_list(present, 'none')),
            HINT = 'Name another segmentation, or drop these segments first with drop_segment.';
    END IF;
    PERFORM clientele.define_segment(store, n.segment, n.rule, n.priority, n.description, segmentation => segmentation)
        FROM (SELECT * FROM clientele._rfm_segments() ORDER BY priority) AS n;
    EXECUTE format('SELECT g.default_segment FROM %I.segmentations AS g WHERE g.segmentation = $1', store)
        INTO default_segment USING segmentation;
    IF default_segment = 'default' THEN
        PERFORM clientele.set_default_segment(store, 'Others', segmentation);
    END IF;
END $$;
COMMENT ON FUNCTION clientele.add_rfm_segments(name, text) IS
    'Adds the eleven customary RFM segments to a segmentation without segments, as ordinary rules over r_score, f_score and m_score: '
    'edit them with define_segment and drop_segment. The first match counts, in the order Champions, Loyal Customers, Potential '
    'Loyalist, New Customers, Promising, Need Attention, About To Sleep, At Risk, Can''t Lose Them, Lost, Hibernating. Whom none '
    'matches, such as customers without orders, is in Others (in a default segment that was named before, its name stays). New Customers '
    'and Promising ask for f_score = 1, which nobody has where the first break of f is 1 (see rfm_breaks()). Nothing changes where the '
    'segmentation has segments: an error lists them. Only the store''s owner may. Source: bounds as documented by the R package rfm.';
