-- Comments; not those of extensions and of what is not copied. "public" has one from the
-- start, which is no difference either.
, description AS (
    SELECT CASE WHEN d.objsubid = 0 THEN CASE r.relkind WHEN 'v' THEN 'view'
                                              WHEN 'm' THEN 'materialized view'
                                              WHEN 'S' THEN 'sequence'
                                              WHEN 'c' THEN 'type'
                                              WHEN 'f' THEN 'foreign table'
                                              WHEN 'i' THEN 'index' WHEN 'I' THEN 'index'
                                              ELSE 'table' END
                ELSE 'column' END AS type,
           CASE WHEN d.objsubid = 0 THEN r.ident
                ELSE format('%s.%I', r.ident, a.attname) END AS identity,
           d.description
    FROM pg_description d
    JOIN relation r ON r.oid = d.objoid
    LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid
    WHERE d.classoid = 'pg_class'::regclass
    UNION ALL
    SELECT CASE WHEN i.type IN ('table constraint', 'domain constraint')
                THEN 'constraint' ELSE i.type END,
           i.identity,
           d.description
    FROM pg_description d
    CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
    WHERE d.objoid >= 16384
      AND d.classoid NOT IN ('pg_class'::regclass, 'pg_extension'::regclass,
                             'pg_publication'::regclass, 'pg_subscription'::regclass,
                             'pg_largeobject'::regclass)
      AND i.schema IS DISTINCT FROM 'information_schema' AND (i.schema ~ '^pg_') IS NOT TRUE
      AND NOT (i.type = 'schema' AND i.identity IN ('public', 'revtwin'))
      AND NOT EXISTS (SELECT FROM member m
                      WHERE m.classid = d.classoid AND m.objid = d.objoid)
    UNION ALL
    SELECT 'schema', 'public', coalesce(obj_description(s.oid, 'pg_namespace'), '')
    FROM space s
    WHERE s.nspname = 'public'
      AND obj_description(s.oid, 'pg_namespace') IS DISTINCT FROM 'standard public schema'
)
SELECT 'comment', format('on %s %s', d.type, d.identity),
       format(E'COMMENT ON %s %s IS %L;\n', upper(d.type), d.identity, d.description)
FROM description d
