-- Foreign keys of tables that are no extension's, each as what adds it: whether one end
-- is partitioned, and whether production has checked the rows.
SELECT k.oid, k.conrelid,
       format('ALTER TABLE %s%s ADD CONSTRAINT %I %s',
              CASE t.relkind WHEN 'p' THEN '' ELSE 'ONLY ' END, k.conrelid::regclass,
              k.conname, pg_get_constraintdef(k.oid)),
       format('ALTER TABLE ONLY %s VALIDATE CONSTRAINT %I', k.conrelid::regclass,
              k.conname),
       format('foreign key %I of table %s', k.conname, k.conrelid::regclass),
       'p' IN (t.relkind, r.relkind), k.convalidated, pg_relation_size(t.oid)
FROM pg_catalog.pg_constraint k
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
