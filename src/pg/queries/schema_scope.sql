-- In front of each schema_*.sql: what belongs to the schema at all. Not what PostgreSQL
-- and extensions bring along, temporary tables, and what revtwin keeps about the twin.
-- And what tables and materialized views have in common.
-- By hand: cat schema_scope.sql schema_tables.sql
WITH space AS (
    SELECT oid, nspname
    FROM pg_namespace
    WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
), member AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), relation AS (
    SELECT c.*, format('%I.%I', s.nspname, c.relname) AS ident
    FROM pg_class c
    JOIN space s ON s.oid = c.relnamespace
    WHERE NOT (s.nspname = 'revtwin' AND c.relname ~ '^(twin|receipt)')
      AND NOT EXISTS (SELECT FROM member m
                      WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid)
), column_setting AS (
    SELECT a.attrelid,
           string_agg(
               CASE WHEN a.attstorage <> t.typstorage
                    THEN format(E'ALTER TABLE ONLY %s ALTER COLUMN %I SET STORAGE %s;\n',
                                r.ident, a.attname,
                                CASE a.attstorage WHEN 'p' THEN 'PLAIN'
                                     WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN'
                                     ELSE 'EXTENDED' END) ELSE '' END ||
               CASE WHEN j.a ->> 'attcompression' <> ''
                    THEN format(E'ALTER TABLE ONLY %s ALTER COLUMN %I '
                                'SET COMPRESSION %s;\n', r.ident, a.attname,
                                CASE j.a ->> 'attcompression' WHEN 'p' THEN 'pglz'
                                     WHEN 'l' THEN 'lz4' ELSE j.a ->> 'attcompression' END)
                    ELSE '' END ||
               CASE WHEN a.attstattarget >= 0
                    THEN format(E'ALTER TABLE ONLY %s ALTER COLUMN %I SET STATISTICS %s;\n',
                                r.ident, a.attname, a.attstattarget) ELSE '' END ||
               CASE WHEN a.attoptions IS NOT NULL
                    THEN format(E'ALTER TABLE ONLY %s ALTER COLUMN %I SET (%s);\n', r.ident,
                                a.attname, array_to_string(a.attoptions, ', '))
                    ELSE '' END, '' ORDER BY a.attnum) AS settings
    FROM relation r
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    CROSS JOIN LATERAL (SELECT to_jsonb(a)) j (a)
    WHERE r.relkind IN ('r', 'p', 'f', 'm')
    GROUP BY a.attrelid
)
