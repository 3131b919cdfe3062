-- What is left of indexes, as the statements that drop them; what somebody is building just
-- now looks the same. $1: a table, quoted, with all of its own that are INVALID; NULL: the
-- copies that a REINDEX CONCURRENTLY has left anywhere
SELECT format('DROP INDEX CONCURRENTLY %I.%I;', n.nspname, c.relname)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND c.relkind = 'i'
  AND CASE WHEN $1::text IS NULL THEN c.relname ~ '_cc(new|old)[0-9]*$'
           ELSE i.indrelid = to_regclass($1) END
  AND n.nspname NOT LIKE 'pg!_toast%' ESCAPE '!'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p
                  WHERE p.index_relid = i.indexrelid)
ORDER BY 1
