-- Behind tables_far.sql: what of a database a twin does not have, as texts for people; and
-- of materialized views the OID.
SELECT CASE c.relkind
       WHEN 'f' THEN format('foreign table %I.%I', n.nspname, c.relname)
       ELSE format('materialized view %I.%I, which reads a foreign table', n.nspname,
                   c.relname) END,
       CASE c.relkind WHEN 'm' THEN c.oid END
FROM far
JOIN pg_catalog.pg_class c ON c.oid = far.oid AND c.relkind IN ('f', 'm')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
UNION ALL
SELECT format('unlogged table %I.%I, which a standby has no rows of', n.nspname, c.relname),
       NULL
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND pg_is_in_recovery()
UNION ALL
SELECT format('%s large object%s', count(*), CASE WHEN count(*) > 1 THEN 's' END), NULL
FROM pg_catalog.pg_largeobject_metadata
HAVING count(*) > 0
UNION ALL
SELECT format('tablespace %I: its tables and indexes (%s) are in the twin''s own',
              s.spcname, count(*)), NULL
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I') AND s.spcname <> 'pg_global'
  AND c.relnamespace <> 'pg_toast'::regnamespace
GROUP BY s.spcname
ORDER BY 1
