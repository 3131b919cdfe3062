-- Where another tool's table is, the one on the search path first: as SQL, its columns
-- between spaces, and whether it is on the path. $1 is its name in any schema, or only in
-- the schema $2; with $3 that is the table, as SQL, whatever its name.
SELECT format('%I.%I', n.nspname, c.relname),
       (SELECT ' ' || string_agg(a.attname, ' ' ORDER BY a.attnum) || ' '
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
       pg_table_is_visible(c.oid)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p')
  AND CASE WHEN $3::text IS NOT NULL THEN c.oid = to_regclass($3)
           ELSE c.relname = $1 AND n.nspname = coalesce($2, n.nspname)
                AND n.nspname !~ '^pg_' END
ORDER BY 3 DESC, 1
