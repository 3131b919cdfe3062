-- What of a database a twin does not have, as texts for people.
SELECT format('foreign table %I.%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'f'
UNION ALL
SELECT format('unlogged table %I.%I, which a standby has no rows of', n.nspname, c.relname)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'u' AND pg_is_in_recovery()
UNION ALL
SELECT format('%s large object%s', count(*), CASE WHEN count(*) > 1 THEN 's' END)
FROM pg_catalog.pg_largeobject_metadata
HAVING count(*) > 0
UNION ALL
SELECT format('tablespace %I: its tables and indexes (%s) are in the twin''s own',
              s.spcname, count(*))
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_tablespace s ON s.oid = c.reltablespace
WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I') AND s.spcname <> 'pg_global'
GROUP BY s.spcname
ORDER BY 1
