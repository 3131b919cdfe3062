-- In front of each schema_*.sql: what belongs to the schema at all. Not what PostgreSQL
-- and extensions bring along, temporary tables, and what revtwin keeps about the twin.
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
)
