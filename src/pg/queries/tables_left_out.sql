-- What rows of a database a twin does not have, as texts for people.
SELECT format('foreign table %I.%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'f'
UNION ALL
SELECT format('%s large object%s', count(*), CASE WHEN count(*) > 1 THEN 's' END)
FROM pg_catalog.pg_largeobject_metadata
HAVING count(*) > 0
ORDER BY 1
