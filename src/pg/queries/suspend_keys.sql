-- The constraints that stand in the way of writing to tables, and foreign keys that say
-- in which order. Of each table: $1 its OID, $2 how many rows go away, $3 how many come or
-- change, $4 whether some come. $5: none may stay.
-- Where rows go away the key may not be there, or ON DELETE would act, unless no row
-- refers to them any more: a condition on "c", the rows that stay, and "p", those that go
-- away, tells, of a key for which looking that up once a row is cheaper.
-- A constraint of a partition belongs to the one that it was made from. A foreign key of a
-- partitioned table cannot be NOT VALID (before version 18); those of its partitions can.
WITH RECURSIVE changed AS (
    SELECT * FROM unnest($1::text::oid[], $2::text::float8[], $3::text::float8[],
                         $4::text::boolean[]) AS _ (leaf, losses, changes, gains)
), tree AS (
    SELECT c.*, c.leaf AS rel FROM changed c
    UNION ALL
    SELECT c.*, a.relid FROM changed c, pg_partition_ancestors(c.leaf) AS a (relid)
    WHERE a.relid <> c.leaf
), side AS (
    SELECT rel, sum(losses) AS losses, sum(changes) AS changes, bool_or(gains) AS gains,
           count(*) FILTER (WHERE gains) AS leaves
    FROM tree GROUP BY rel
), found AS (
    SELECT c.*, coalesce(parent.losses, 0) AS losses, child.changes,
           child.gains AND parent.gains AS orders,
           coalesce(child.losses, 0) AS child_losses, child.leaves,
           (SELECT sum(greatest(l.reltuples, 0))
            FROM (SELECT relid FROM pg_partition_tree(c.conrelid)
                  UNION SELECT c.conrelid) t
            JOIN pg_catalog.pg_class l ON l.oid = t.relid AND l.relkind = 'r') AS size
    FROM pg_catalog.pg_constraint c
    LEFT JOIN side child ON child.rel = c.conrelid
    LEFT JOIN side parent ON parent.rel = c.confrelid
    WHERE c.contype = 'f' AND c.conparentid = 0
      AND (child.rel IS NOT NULL OR parent.rel IS NOT NULL)
), pair AS (
    SELECT f.oid, k.child, k.parent, k.operator, c.attname AS child_name,
           p.attname AS parent_name, c.attcollation AS writing,
           c.attcollation = p.attcollation AS comparable
    FROM found f
    CROSS JOIN unnest(f.conkey, f.confkey, f.conpfeqop) AS k (child, parent, operator)
    JOIN pg_catalog.pg_attribute c ON c.attrelid = f.conrelid AND c.attnum = k.child
    JOIN pg_catalog.pg_attribute p ON p.attrelid = f.confrelid AND p.attnum = k.parent
    WHERE f.losses > 0
), looked_up AS (
    SELECT pair.oid,
           string_agg(format('p.%I OPERATOR(%I.%s) c.%I', parent_name, n.nspname, o.oprname,
                             child_name), ' AND ') AS condition
    FROM pair
    JOIN pg_catalog.pg_operator o ON o.oid = pair.operator
    JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
    GROUP BY pair.oid HAVING bool_and(comparable)
), spared AS (
    SELECT f.oid, l.condition
    FROM found f
    JOIN looked_up l ON l.oid = f.oid
    JOIN pg_catalog.pg_class child ON child.oid = f.conrelid
    JOIN pg_catalog.pg_class parent ON parent.oid = f.confrelid
    CROSS JOIN LATERAL (
        SELECT count(*) > 0 AS indexed
        FROM pg_catalog.pg_index i
        WHERE i.indrelid = f.conrelid AND i.indisvalid AND i.indpred IS NULL
          AND (i.indkey::int2[])[0:cardinality(f.conkey) - 1] @> f.conkey
          AND (i.indcollation::oid[])[0:cardinality(f.conkey) - 1]
              @> ARRAY(SELECT writing FROM pair WHERE pair.oid = f.oid)) AS by
    WHERE child.relkind = 'r' AND NOT child.relispartition
      AND parent.relkind = 'r' AND NOT parent.relispartition
      AND to_jsonb(f) ->> 'conperiod' IS DISTINCT FROM 'true'
      -- Looking up by an index takes about 10 us, without one reading a page 15 us, and
      -- making a key again 2000 us and validating a row 0.6 us.
      AND f.losses * CASE WHEN by.indexed THEN 10
                          ELSE 10 + pg_relation_size(f.conrelid) / 500.0 END
          < 2000 + 0.6 * f.size
), named AS (
    SELECT f.*, spared.condition,
           coalesce(pg_partition_root(f.conrelid)::oid, f.conrelid) AS child,
           coalesce(pg_partition_root(f.confrelid)::oid, f.confrelid) AS parent
    FROM found f
    LEFT JOIN spared ON spared.oid = f.oid
    UNION ALL
    -- A check that not every row of production meets, either.
    SELECT c.*, 0, NULL, false, 0, NULL, NULL, NULL, 0, 0
    FROM pg_catalog.pg_constraint c
    WHERE c.contype = 'c' AND NOT c.convalidated AND c.coninhcount = 0
      AND c.conrelid IN (WITH RECURSIVE up AS (
              SELECT leaf AS oid FROM changed
              UNION
              SELECT i.inhparent FROM up JOIN pg_catalog.pg_inherits i
                                          ON i.inhrelid = up.oid)
          SELECT oid FROM up)
), part AS (
    SELECT n.oid AS key, n.oid, n.conrelid, n.conname, n.confrelid FROM named n
    WHERE n.contype = 'f' AND n.convalidated
    UNION ALL
    SELECT part.key, c.oid, c.conrelid, c.conname, c.confrelid
    FROM part
    JOIN pg_catalog.pg_constraint c ON c.conparentid = part.oid
                                   AND c.confrelid = part.confrelid
), unchecked AS (
    SELECT part.key,
           string_agg(format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s NOT VALID',
                             part.conrelid::regclass, part.conname,
                             pg_get_constraintdef(part.oid)), ';' ORDER BY part.oid) AS adds
    FROM part
    JOIN pg_catalog.pg_class c ON c.oid = part.conrelid AND c.relkind = 'r'
    GROUP BY part.key
)
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
       format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname,
              pg_get_constraintdef(oid)) || comment,
       unchecked.adds || CASE child_kind WHEN 'p' THEN '' ELSE comment END,
       format('%I on %s', conname, conrelid::regclass),
       -- must it go:
       -- Looking up a parent for each row takes about 10 us, validating one 0.6 us.
       contype = 'c' OR losses > 0 AND condition IS NULL OR $5::boolean
           OR coalesce(changes > 10000 AND changes > 0.06 * size, false)
           OR (orders AND child = parent AND leaves > 1),
       (coalesce(orders, false) OR losses > 0 AND child_losses > 0) AND child <> parent,
       child, parent, condition, conrelid, conrelid::regclass, confrelid, confrelid::regclass
FROM named
LEFT JOIN unchecked ON unchecked.key = named.oid
CROSS JOIN LATERAL (
    SELECT coalesce(format(';COMMENT ON CONSTRAINT %I ON %s IS ', conname,
                           conrelid::regclass) ||
                    quote_literal(obj_description(named.oid, 'pg_constraint')), ''),
           (SELECT relkind FROM pg_catalog.pg_class c WHERE c.oid = conrelid)
) told (comment, child_kind)
ORDER BY contype, named.oid
