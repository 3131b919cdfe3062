-- In front of tables_left_out.sql and matviews_refresh.sql: the relations whose rows are, or
-- are made of, those of foreign tables.
WITH RECURSIVE reading (reader, read) AS (
    SELECT r.ev_class, d.refobjid
    FROM pg_catalog.pg_rewrite r
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass
                               AND d.objid = r.oid AND d.refobjid <> r.ev_class
    WHERE r.ev_type = '1' AND d.refclassid = 'pg_catalog.pg_class'::regclass
    UNION
    SELECT inhparent, inhrelid FROM pg_catalog.pg_inherits
), far (oid) AS (
    SELECT oid FROM pg_catalog.pg_class WHERE relkind = 'f'
    UNION
    SELECT reader FROM far JOIN reading ON read = far.oid
)
