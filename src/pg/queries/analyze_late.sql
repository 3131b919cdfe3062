-- What has to be analyzed once everything is there: materialized views, tables with
-- children, and those with statistics that were defined after their rows had come.
SELECT format('ANALYZE %s', c.oid::regclass)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'
  AND c.relpersistence <> 't'
  AND pg_has_role(c.relowner, 'USAGE')
  AND (c.relkind = 'm' AND c.relispopulated OR c.relkind = 'p'
       OR c.relkind = 'r' AND (EXISTS (SELECT FROM pg_catalog.pg_inherits h
                                       WHERE h.inhparent = c.oid)
                               OR EXISTS (SELECT FROM pg_catalog.pg_statistic_ext s
                                          WHERE s.stxrelid = c.oid)))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h
                  WHERE h.inhrelid = c.oid AND c.relkind = 'p')
ORDER BY pg_relation_size(c.oid) DESC
