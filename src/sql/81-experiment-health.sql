-- Whether a comparison can be trusted: the arms of every version, as they are and as they should be.

CREATE FUNCTION clientele._arms_pvalue(definition jsonb, variants text[], customers bigint[]) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN bool_or(k.customers > 0 AND (a.weight > 0) IS NOT TRUE) THEN 0
        ELSE clientele.srm_pvalue(array_agg(coalesce(k.customers, 0) ORDER BY a.place), array_agg(a.weight ORDER BY a.place)) END
    FROM clientele._arms(definition) a
    FULL JOIN (SELECT v.* FROM unnest(variants, customers) v (variant, customers) WHERE v.variant NOT LIKE 'explore:%') k
        ON k.variant = a.variant
    -- Of an arm whose terms are learned only those are enrolled for whom an offer is worth making.
    HAVING count(a.place) > 1 AND NOT coalesce(jsonb_path_exists(definition, '$.arms[*] ? (@.terms == "learned")'), false)
$$;
COMMENT ON FUNCTION clientele._arms_pvalue(jsonb, text[], bigint[]) IS
    'The p-value of how customers are spread over the arms of a version of a program: 0 where some are in an arm that has no weight, '
    'NULL with fewer than two arms, or with one whose terms are learned.';

CREATE FUNCTION clientele._create_experiment_views(store name) RETURNS void
    LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE clientele._fill($views$
        CREATE OR REPLACE VIEW {store}.experiment_health WITH (security_barrier = true) AS
            SELECT h.program, h.program_version, h.enrolled, h.offered, h.held_out, h.held_out_globally, h.expected_share, h.observed_share,
                h.srm_pvalue, h.arms_pvalue, clientele._is_mismatch(h.srm_pvalue) OR clientele._is_mismatch(h.arms_pvalue) AS alarm,
                NULLIF(pg_catalog.concat_ws('; ',
                    CASE WHEN clientele._is_mismatch(h.srm_pvalue) THEN pg_catalog.format(
                        'SAMPLE RATIO MISMATCH: %s %% are held out where it should be %s %%. Do not read the effect.',
                        pg_catalog.round(100 * h.observed_share::numeric, 2), pg_catalog.round(100 * h.expected_share::numeric, 2)) END,
                    CASE WHEN clientele._is_mismatch(h.arms_pvalue) THEN
                        'ARM RATIO MISMATCH: customers are not spread over the arms as their weights say. Do not compare the arms.' END),
                    '') AS alert,
                h.first_enrolled_at, h.last_enrolled_at, h.again AS enrolled_again, h.crossed
            FROM (SELECT c.program, c.program_version, c.offered + c.held_out + c.held_out_globally AS enrolled,
                    c.offered, c.held_out, c.held_out_globally,
                    d.holdout AS expected_share, c.held_out::double precision / NULLIF(c.offered + c.held_out, 0) AS observed_share,
                    CASE WHEN d.holdout > 0 THEN clientele.srm_pvalue(ARRAY[c.offered, c.held_out], ARRAY[1 - d.holdout, d.holdout])
                         WHEN c.held_out > 0 THEN 0 END AS srm_pvalue,
                    clientele._arms_pvalue(v.definition, c.variants, c.by_variant) AS arms_pvalue,
                    c.first_enrolled_at, c.last_enrolled_at, c.again, c.crossed
                FROM (SELECT a.program, a.program_version,
                        COALESCE(pg_catalog.sum(a.customers) FILTER (WHERE a.holdout IS NULL), 0)::bigint AS offered,
                        COALESCE(pg_catalog.sum(a.customers) FILTER (WHERE a.holdout = 'program'), 0)::bigint AS held_out,
                        COALESCE(pg_catalog.sum(a.customers) FILTER (WHERE a.holdout = 'global'), 0)::bigint AS held_out_globally,
                        pg_catalog.array_agg(a.variant) FILTER (WHERE a.holdout IS NULL) AS variants,
                        pg_catalog.array_agg(a.customers) FILTER (WHERE a.holdout IS NULL) AS by_variant,
                        pg_catalog.sum(a.again)::bigint AS again, pg_catalog.sum(a.crossed)::bigint AS crossed,
                        pg_catalog.min(a.first_at) AS first_enrolled_at, pg_catalog.max(a.last_at) AS last_enrolled_at
                    FROM (SELECT f.program, f.program_version, f.holdout, f.variant,
                            pg_catalog.count(*) FILTER (WHERE f.is_first AND NOT f.crossed) AS customers,
                            pg_catalog.count(DISTINCT f.customer_id)
                                FILTER (WHERE f.first_version <> f.program_version AND NOT f.crossed) AS again,
                            pg_catalog.count(*) FILTER (WHERE f.is_first AND f.crossed) AS crossed,
                            pg_catalog.min(f.issued_at) AS first_at, pg_catalog.max(f.issued_at) AS last_at
                        FROM (SELECT l.*, x.customer_id IS NOT NULL AS crossed, pg_catalog.row_number() OVER enrolments = 1 AS is_first,
                                pg_catalog.first_value(l.program_version) OVER enrolments AS first_version
                            FROM {store}.ledger l
                            LEFT JOIN {store}.crossed x ON x.customer_id = l.customer_id AND x.program IN (l.program, '')
                            WINDOW enrolments AS (
                                PARTITION BY l.customer_id, l.program, l.holdout IS NOT DISTINCT FROM 'global' ORDER BY l.period)) f
                        GROUP BY f.program, f.program_version, f.holdout, f.variant) a
                    GROUP BY a.program, a.program_version) c
                LEFT JOIN {store}.program_versions v ON v.program = c.program AND v.version = c.program_version
                CROSS JOIN LATERAL (SELECT (v.definition ->> 'holdout')::double precision AS holdout) d) h
            WHERE (SELECT {store}._sees_sums())
            ORDER BY h.program, h.program_version;
        COMMENT ON VIEW {store}.experiment_health IS
            'Whether each version of a program assigned its customers as it should: those whom the program enrolled for the first time '
            'ever. alarm: the split has a p-value below 0.001, which no chance explains; alert says so in words. held_out_globally are '
            'in no program''s comparison. No row for whom a policy hides customers.';
        COMMENT ON COLUMN {store}.experiment_health.enrolled_again IS
            'Customers whom an earlier version had enrolled already; not counted otherwise: who comes back depends on what the offer did.';
        COMMENT ON COLUMN {store}.experiment_health.crossed IS
            'Customers who were merged from two that had been in different arms: in no comparison, and not counted otherwise.';
        COMMENT ON COLUMN {store}.experiment_health.expected_share IS
            'The holdout of the version; observed_share: held_out by offered and held_out.';
        COMMENT ON COLUMN {store}.experiment_health.srm_pvalue IS
            'Sample-ratio mismatch between offered and held out; NULL without a holdout.';
        COMMENT ON COLUMN {store}.experiment_health.arms_pvalue IS 'The same between the arms of those offered; NULL without arms.';
        $views$, 'store', quote_ident(store));
END $$;
COMMENT ON FUNCTION clientele._create_experiment_views(name) IS 'The view experiment_health of a new store.';
