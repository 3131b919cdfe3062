-- In front of tables.sql and tables_to_lock.sql: the tables that hold rows of their own.
-- A standby has no rows of unlogged ones.
WITH RECURSIVE configuration (oid, condition) AS (
    SELECT c.oid, c.condition
    FROM pg_catalog.pg_extension e, unnest(e.extconfig, e.extcondition) c (oid, condition)
), kept AS MATERIALIZED (
    SELECT c.oid, c.reltoastrelid, c.relpersistence, c.relispartition, c.relhassubclass,
           c.reltuples, c.relpages, c.relallvisible, n.oid AS nspoid, n.nspname, c.relname,
           e.oid IS NOT NULL AS marked,
           e.condition
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN configuration e ON e.oid = c.oid
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND NOT (c.relpersistence = 'u' AND pg_is_in_recovery())
      AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'
      AND NOT (n.nspname = 'revtwin' AND c.relname IN ('twin', 'receipt'))
      AND (e.oid IS NOT NULL OR
           NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                       WHERE d.classid = 'pg_catalog.pg_class'::regclass
                         AND d.objid = c.oid AND d.deptype = 'e'))
)
