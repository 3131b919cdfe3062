-- What a database holds beyond an empty one: how many objects, and the first few by name.
-- Members of extensions and parts of other objects (row types, indexes) do not count.
WITH object (class, oid, kind, name) AS (
    SELECT 'pg_class'::regclass, c.oid,
           CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                          WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table'
                          ELSE 'table' END,
           format('%I.%I', n.nspname, c.relname)
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 'function', format('%I.%I', n.nspname, p.proname)
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 'type', format('%I.%I', n.nspname, t.typname)
    FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'
    UNION ALL
    SELECT 'pg_namespace'::regclass, n.oid, 'schema', quote_ident(n.nspname)
    FROM pg_catalog.pg_namespace n
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'public')
      AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'
), own AS (
    SELECT kind, name,
           row_number() OVER (ORDER BY class = 'pg_class'::regclass DESC, name) AS place
    FROM object o
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                      WHERE d.classid = o.class AND d.objid = o.oid
                        AND d.deptype IN ('e', 'i'))
)
SELECT count(*),
       string_agg(kind || ' ' || name, ', ' ORDER BY place) FILTER (WHERE place <= 3)
FROM own
