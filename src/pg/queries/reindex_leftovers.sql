-- What a REINDEX CONCURRENTLY that failed has left, as the statements that drop it;
-- what one that runs is building looks the same.
SELECT format('DROP INDEX CONCURRENTLY %I.%I;', n.nspname, c.relname)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND c.relkind = 'i' AND c.relname ~ '_cc(new|old)[0-9]*$'
  AND n.nspname NOT LIKE 'pg!_toast%' ESCAPE '!'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p
                  WHERE p.index_relid = i.indexrelid)
ORDER BY 1
