-- Behind tables_far.sql: the statements that bring materialized views up to date, in order.
-- Not those that read foreign tables: what is elsewhere is none of a twin's.
-- $1: OIDs of the tables that have changed. $2: names of the materialized views that
-- production does not have populated; what reads one of them cannot be refreshed.
, reads AS (
    SELECT DISTINCT r.ev_class AS view, d.refclassid AS class, d.refobjid AS object
    FROM pg_catalog.pg_rewrite r
    JOIN pg_catalog.pg_class c ON c.oid = r.ev_class AND c.relkind IN ('v', 'm')
    JOIN pg_catalog.pg_depend d ON d.objid = r.oid
                               AND d.classid = 'pg_catalog.pg_rewrite'::regclass
    WHERE d.refobjid <> r.ev_class
), changed AS (
    SELECT unnest($1::text::oid[]) AS oid
    UNION
    SELECT i.inhparent FROM changed JOIN pg_catalog.pg_inherits i ON i.inhrelid = oid
), stale AS (
    SELECT oid, 0 AS place FROM changed
    UNION
    -- What a function reads, nobody knows: after everything that is known.
    SELECT r.view, 1000
    FROM reads r
    JOIN pg_catalog.pg_proc p ON p.oid = r.object AND p.provolatile <> 'i'
    WHERE r.class = 'pg_catalog.pg_proc'::regclass
      AND p.pronamespace <> 'pg_catalog'::regnamespace
      AND EXISTS (SELECT FROM changed)
    UNION
    SELECT r.view, s.place + 1
    FROM stale s
    JOIN reads r ON r.class = 'pg_catalog.pg_class'::regclass AND r.object = s.oid
), matview AS (
    SELECT c.oid, format('"%s"."%s"', replace(n.nspname, '"', '""'),
                        replace(c.relname, '"', '""')) AS name, c.relispopulated
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'm'
), empty AS (
    SELECT oid, 0 AS distance FROM matview WHERE name = ANY ($2::text::text[])
    UNION
    SELECT r.view, 1
    FROM empty e
    JOIN reads r ON r.class = 'pg_catalog.pg_class'::regclass AND r.object = e.oid
), wanted AS (
    SELECT m.*, (SELECT min(distance) FROM empty e WHERE e.oid = m.oid) AS empty,
           (SELECT max(place) FROM stale s WHERE s.oid = m.oid) AS place
    FROM matview m
)
SELECT format('REFRESH MATERIALIZED VIEW %s', name)
       || CASE empty WHEN 0 THEN ' WITH NO DATA' ELSE '' END
FROM wanted
WHERE oid NOT IN (SELECT oid FROM far)
  AND CASE WHEN empty = 0 THEN relispopulated
           WHEN empty = 1 THEN false
           ELSE place IS NOT NULL OR NOT relispopulated END
ORDER BY place NULLS FIRST, oid
