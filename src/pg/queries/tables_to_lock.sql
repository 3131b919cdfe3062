-- Behind tables_kept.sql: what is to be locked before the tables are read. Where this role
-- may not read one, reading them tells; NULL when one was dropped since.
SELECT k.oid, pg_catalog.quote_ident(k.nspname) || '.' || pg_catalog.quote_ident(k.relname)
FROM kept k
WHERE pg_catalog.has_schema_privilege(k.nspoid, 'USAGE')
  AND pg_catalog.has_table_privilege(k.oid, 'SELECT')
ORDER BY k.nspname, k.relname
