-- The indexes that a copy may build by itself, as statements, by table. Not those of
-- extensions' tables, nor those with a property that pg_dump writes as a statement of its
-- own: the index that CLUSTER or the replica identity goes by, column statistics, a
-- dependency on an extension.
SELECT i.indrelid, i.indexrelid, k.oid,
       CASE WHEN NOT i.indisexclusion THEN pg_get_indexdef(i.indexrelid) END,
       CASE WHEN i.indisexclusion
            THEN format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s', i.indrelid::regclass,
                        k.conname, pg_get_constraintdef(k.oid))
            WHEN k.oid IS NOT NULL
            THEN format('ALTER TABLE ONLY %s ADD CONSTRAINT %I %s USING INDEX %I%s%s',
                        i.indrelid::regclass, k.conname,
                        CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END,
                        x.relname,
                        CASE WHEN k.condeferrable THEN ' DEFERRABLE' END,
                        CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' END)
       END,
       pg_relation_size(i.indexrelid)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
LEFT JOIN pg_catalog.pg_constraint k
       ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid
      AND k.contype IN ('p', 'u', 'x')
WHERE t.relkind = 'r' AND i.indisvalid AND i.indisready
  AND NOT (t.relpersistence = 'u' AND pg_is_in_recovery()) -- as in tables_kept.sql
  AND NOT i.indisclustered AND NOT i.indisreplident
  AND (k.oid IS NOT NULL OR NOT i.indisexclusion)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_class'::regclass
                    AND d.objid IN (i.indexrelid, i.indrelid)
                    AND (d.deptype = 'e' OR d.deptype = 'x' AND d.objid = i.indexrelid))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_constraint'::regclass
                    AND d.objid = k.oid AND d.deptype IN ('e', 'x'))
ORDER BY i.indrelid::text COLLATE "C", i.indexrelid
