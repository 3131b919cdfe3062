-- Statements that read where sequences are, a few hundred each, in the order of their
-- names, quoted in the same way by every version. A sequence of an extension counts when that says so: as pg_dump has it.
SELECT string_agg(format('SELECT %L, last_value, is_called FROM %s', name, name),
                  ' UNION ALL ' ORDER BY place)
FROM (SELECT q.name, row_number() OVER (ORDER BY q.name COLLATE "C") AS place
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      CROSS JOIN LATERAL (SELECT format('"%s"."%s"', replace(n.nspname, '"', '""'),
                                        replace(c.relname, '"', '""')) AS name) q
      WHERE c.relkind = 'S' AND c.relpersistence <> 't'
        AND NOT (c.relpersistence = 'u' AND pg_is_in_recovery())
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                        JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
                        WHERE d.classid = 'pg_catalog.pg_class'::regclass
                          AND d.objid = c.oid AND d.deptype = 'e'
                          AND d.refclassid = 'pg_catalog.pg_extension'::regclass
                          AND c.oid <> ALL (coalesce(e.extconfig, '{}')))) _
GROUP BY place / 300
ORDER BY place / 300
