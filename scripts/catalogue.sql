-- What the extension has made in a database, a JSON object a line, in the order in which it was made: what two versions are compared by.
-- kind and name say which object it is; definition is the statement that makes it, or, where the server writes none, its row.
SET search_path = pg_catalog;
WITH members AS (
    SELECT d.classid, d.objid, i.type, i.identity FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'clientele'
        CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) i
    WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
      AND NOT EXISTS (SELECT FROM pg_type t WHERE d.classid = 'pg_type'::regclass AND t.oid = d.objid AND t.typelem <> 0)
), objects (nth, kind, name, definition, columns, acl, was) AS (
    SELECT p.oid::bigint, m.type, m.identity,
        CASE WHEN p.prokind = 'a' THEN (SELECT to_jsonb(w)::text FROM (SELECT a.aggtransfn::text, a.aggfinalfn::text, a.aggcombinefn::text,
                a.aggserialfn::text, a.aggdeserialfn::text, a.aggtranstype::regtype::text, a.aggtransspace, a.agginitval, a.aggmtransfn::text,
                a.aggfinalmodify, p.proparallel, p.prorettype::regtype::text) w)
            ELSE pg_get_functiondef(p.oid) END, NULL::jsonb, p.proacl,
        -- CREATE OR REPLACE keeps these.
        concat_ws(' ', pg_get_function_identity_arguments(p.oid), 'RETURNS', pg_get_function_result(p.oid))
    FROM members m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
        LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
    UNION ALL
    SELECT t.oid::bigint, CASE WHEN t.typtype = 'c' THEN 'type' ELSE m.type END, m.identity,
        CASE t.typtype WHEN 'c' THEN NULL
            WHEN 'd' THEN format('CREATE DOMAIN %s AS %s', m.identity, format_type(t.typbasetype, t.typtypmod))
            ELSE (SELECT to_jsonb(b)::text FROM (SELECT t.typtype, t.typinput::text, t.typoutput::text, t.typsend::text, t.typreceive::text,
                t.typstorage, t.typlen, t.typalign, t.typcategory,
                (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)) b) END,
        CASE WHEN t.typtype = 'c' THEN (SELECT jsonb_agg(jsonb_build_array(a.attname, format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
            FROM pg_attribute a WHERE a.attrelid = t.typrelid AND NOT a.attisdropped AND a.attnum > 0) END, t.typacl, NULL
    FROM members m JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid AND t.typtype IN ('c', 'd', 'b', 'e')
        LEFT JOIN pg_class c ON c.oid = t.typrelid WHERE c.relkind IS DISTINCT FROM 'v'
    UNION ALL
    SELECT c.oid::bigint, m.type, m.identity, format('CREATE VIEW %s%s AS%s', m.identity, ' WITH (' || array_to_string(c.reloptions, ', ') || ')',
        E'\n' || pg_get_viewdef(c.oid)), NULL, c.relacl, NULL
    FROM members m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid AND c.relkind = 'v'
    UNION ALL
    SELECT m.objid::bigint, m.type, m.identity,
        coalesce((SELECT (to_jsonb(o) - 'oid')::text FROM (SELECT o.oprcode::text, o.oprrest::text, o.oprjoin::text, o.oprcanhash, o.oprcanmerge,
                o.oprcom::regoperator::text, o.oprnegate::regoperator::text FROM pg_operator o
                WHERE m.classid = 'pg_operator'::regclass AND o.oid = m.objid) o),
            (SELECT to_jsonb(k)::text FROM (SELECT c.castfunc::regprocedure::text, c.castcontext, c.castmethod FROM pg_cast c
                WHERE m.classid = 'pg_cast'::regclass AND c.oid = m.objid) k)), NULL,
        (SELECT n.nspacl FROM pg_namespace n WHERE m.classid = 'pg_namespace'::regclass AND n.oid = m.objid), NULL
    FROM members m WHERE m.classid IN ('pg_operator'::regclass, 'pg_cast'::regclass, 'pg_opclass'::regclass, 'pg_opfamily'::regclass,
        'pg_namespace'::regclass)
)
SELECT jsonb_build_object('kind', o.kind, 'name', o.name, 'definition', o.definition, 'columns', o.columns, 'was', o.was,
    'grants', (SELECT jsonb_agg(jsonb_build_array(a.privilege_type, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
        ORDER BY a.privilege_type, a.grantee) FROM aclexplode(o.acl) a WHERE a.grantee <> a.grantor))
FROM objects o ORDER BY o.nth;
-- Comments, of columns as well.
SELECT jsonb_build_object('kind', 'comment', 'definition', d.description, 'name', CASE WHEN d.objsubid = 0 THEN upper(i.type) ELSE 'COLUMN' END || ' ' || i.identity)
FROM pg_description d JOIN pg_depend e ON e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e'
    JOIN pg_extension x ON e.refclassid = 'pg_extension'::regclass AND x.oid = e.refobjid AND x.extname = 'clientele'
    CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
UNION ALL
-- The columns of a composite type are those of its relation, which is the type's.
SELECT jsonb_build_object('kind', 'comment', 'definition', d.description, 'name', format('COLUMN %s.%I', t.oid::regtype, a.attname))
FROM pg_description d JOIN pg_type t ON d.classoid = 'pg_class'::regclass AND t.typrelid = d.objoid
    JOIN pg_class c ON c.oid = t.typrelid AND c.relkind = 'c' JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid
WHERE t.typnamespace = 'clientele'::regnamespace ORDER BY 1;
