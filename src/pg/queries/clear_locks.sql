-- The tables that a rebuild in place takes away or empties, as a list for LOCK TABLE; those
-- that this role may not lock wait for their DROP.
SELECT string_agg(format('ONLY %I.%I', n.nspname, c.relname), ', '
                  ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C")
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'
  AND NOT (n.nspname = 'revtwin' AND c.relname IN ('twin', 'receipt'))
  AND has_schema_privilege(n.oid, 'USAGE') AND pg_has_role(c.relowner, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
                  WHERE d.classid = 'pg_catalog.pg_class'::regclass
                    AND d.objid = c.oid AND d.deptype = 'e'
                    AND d.refclassid = 'pg_catalog.pg_extension'::regclass
                    AND c.oid <> ALL (coalesce(e.extconfig, '{}')))
