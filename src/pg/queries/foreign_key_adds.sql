-- Foreign keys of tables that are no extension's: each as what adds it and checks the rows,
-- as what adds it without a look at them, and as what checks them later. A partitioned
-- table cannot have one unchecked (before version 18), but each of its partitions can.
-- The entry of its comment in an archive's list goes by the same name.
WITH RECURSIVE part AS (
    SELECT k.oid AS key, k.oid, k.conrelid, k.confrelid
    FROM pg_catalog.pg_constraint k
    WHERE k.contype = 'f' AND k.conparentid = 0
    UNION ALL
    SELECT part.key, k.oid, k.conrelid, k.confrelid
    FROM part
    JOIN pg_catalog.pg_constraint k ON k.conparentid = part.oid
                                   AND k.confrelid = part.confrelid
), unchecked AS (
    SELECT part.key,
           string_agg(format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s%s',
                             k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid),
                             CASE WHEN k.convalidated THEN ' NOT VALID' END),
                      '; ' ORDER BY k.oid) AS adds
    FROM part
    JOIN pg_catalog.pg_constraint k ON k.oid = part.oid
    JOIN pg_catalog.pg_class c ON c.oid = k.conrelid AND c.relkind = 'r'
    GROUP BY part.key
)
SELECT k.oid, k.conrelid,
       format('ALTER TABLE %s%s ADD CONSTRAINT %I %s',
              CASE t.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, k.conrelid::regclass,
              k.conname, pg_get_constraintdef(k.oid)),
       u.adds,
       format('ALTER TABLE ONLY %s VALIDATE CONSTRAINT %I', k.conrelid::regclass,
              k.conname),
       format('%I on %s', k.conname, k.conrelid::regclass),
       translate(format('COMMENT %s CONSTRAINT %I ON %I ', n.nspname, k.conname,
                        t.relname), E'\r\n', '  '),
       'p' IN (t.relkind, r.relkind), t.relkind = 'p', k.convalidated,
       pg_relation_size(t.oid)
FROM pg_catalog.pg_constraint k
LEFT JOIN unchecked u ON u.key = k.oid
JOIN pg_catalog.pg_class t ON t.oid = k.conrelid
JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND t.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.deptype IN ('e', 'x')
                    AND (d.classid, d.objid) IN (
                        ('pg_catalog.pg_class'::regclass, t.oid),
                        ('pg_catalog.pg_constraint'::regclass, k.oid)))
ORDER BY k.conrelid::text COLLATE "C", k.oid
