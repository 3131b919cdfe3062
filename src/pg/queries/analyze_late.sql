-- What has to be analyzed once everything is there: materialized views, tables with
-- children, and those with statistics that were defined after their rows had come. Not
-- what has a foreign table below it: that would be read wherever its server is. Partitions
-- of such a table are here instead; others are analyzed with their whole.
WITH RECURSIVE outside (oid) AS (
    SELECT h.inhparent
    FROM pg_catalog.pg_inherits h
    JOIN pg_catalog.pg_class f ON f.oid = h.inhrelid AND f.relkind = 'f'
    UNION
    SELECT h.inhparent
    FROM outside o
    JOIN pg_catalog.pg_inherits h ON h.inhrelid = o.oid
)
SELECT format('ANALYZE %s', c.oid::regclass)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'
  AND c.relpersistence <> 't'
  AND pg_has_role(c.relowner, 'USAGE')
  AND (c.relkind = 'm' AND c.relispopulated OR c.relkind = 'p'
       OR c.relkind = 'r' AND (c.relhassubclass
                               OR EXISTS (SELECT FROM pg_catalog.pg_statistic_ext s
                                          WHERE s.stxrelid = c.oid)
                               OR c.relispartition
                                  AND EXISTS (SELECT FROM pg_catalog.pg_inherits h
                                              JOIN outside o ON o.oid = h.inhparent
                                              WHERE h.inhrelid = c.oid)))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h
                  WHERE h.inhrelid = c.oid AND c.relkind = 'p'
                    AND h.inhparent NOT IN (SELECT oid FROM outside))
  AND c.oid NOT IN (SELECT oid FROM outside)
ORDER BY pg_relation_size(c.oid) DESC
