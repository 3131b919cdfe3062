-- The constraints that stand in the way of writing to tables, and foreign keys that say
-- in which order. Of each table: $1 its OID, $2 whether rows go away (then its keys may
-- not be looked at by anybody, or ON DELETE would act), $3 how many rows come or change,
-- $4 whether some come. $5: none may stay.
-- A constraint of a partition belongs to the one that it was made from.
WITH changed AS (
    SELECT * FROM unnest($1::text::oid[], $2::text::boolean[], $3::text::float8[],
                         $4::text::boolean[]) AS _ (leaf, loses, changes, gains)
), tree AS (
    SELECT c.*, c.leaf AS rel FROM changed c
    UNION ALL
    SELECT c.*, a.relid FROM changed c, pg_partition_ancestors(c.leaf) AS a (relid)
    WHERE a.relid <> c.leaf
), side AS (
    SELECT rel, bool_or(loses) AS loses, sum(changes) AS changes, bool_or(gains) AS gains,
           count(*) FILTER (WHERE gains) AS leaves
    FROM tree GROUP BY rel
), found AS (
    SELECT c.*, parent.loses, child.changes, child.gains AND parent.gains AS orders,
           child.leaves,
           (SELECT sum(greatest(l.reltuples, 0))
            FROM (SELECT relid FROM pg_partition_tree(c.conrelid)
                  UNION SELECT c.conrelid) t
            JOIN pg_catalog.pg_class l ON l.oid = t.relid AND l.relkind = 'r') AS size
    FROM pg_catalog.pg_constraint c
    LEFT JOIN side child ON child.rel = c.conrelid
    LEFT JOIN side parent ON parent.rel = c.confrelid
    WHERE c.contype = 'f' AND c.conparentid = 0
      AND (child.rel IS NOT NULL OR parent.rel IS NOT NULL)
), named AS (
    SELECT f.*,
           coalesce(pg_partition_root(f.conrelid)::oid, f.conrelid) AS child,
           coalesce(pg_partition_root(f.confrelid)::oid, f.confrelid) AS parent
    FROM found f
    UNION ALL
    -- A check that not every row of production meets, either.
    SELECT c.*, NULL, NULL, false, NULL, NULL, 0, 0
    FROM pg_catalog.pg_constraint c
    WHERE c.contype = 'c' AND NOT c.convalidated AND c.coninhcount = 0
      AND c.conrelid IN (WITH RECURSIVE up AS (
              SELECT leaf AS oid FROM changed
              UNION
              SELECT i.inhparent FROM up JOIN pg_catalog.pg_inherits i
                                          ON i.inhrelid = up.oid)
          SELECT oid FROM up)
)
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname,
              pg_get_constraintdef(oid)),
       CASE WHEN obj_description(oid, 'pg_constraint') IS NOT NULL
            THEN format('COMMENT ON CONSTRAINT %I ON %s IS %L', conname,
                        conrelid::regclass, obj_description(oid, 'pg_constraint')) END,
       format('%I on %s', conname, conrelid::regclass),
       contype = 'f' AND convalidated,
       -- Looking up a parent for each row takes about 10 us, validating one 0.6 us.
       contype = 'c' OR coalesce(loses, false) OR $5::boolean
           OR coalesce(changes > 10000 AND changes > 0.06 * size, false)
           OR (orders AND child = parent AND leaves > 1),
       coalesce(orders, false) AND child <> parent, child, parent
FROM named
ORDER BY contype, oid
