-- What tables have besides columns: constraints, indexes, triggers, rules, policies,
-- extended statistics. What a partition has only because its parent has it does not count
-- by itself; an index that fails to be valid is not dumped either.
, index AS (
    SELECT i.indexrelid, format('%I.%I', s.nspname, c.relname) AS ident,
           concat(E'\n    WITH (' || (SELECT string_agg(o, ', ' ORDER BY o)
                                      FROM unnest(c.reloptions) o) || ')') AS options,
           concat(
               CASE WHEN h.inhparent IS NOT NULL
                    THEN format(E'ALTER INDEX %s ATTACH PARTITION %I.%I;\n',
                                h.inhparent::regclass, s.nspname, c.relname) END,
               CASE WHEN i.indisclustered
                    THEN format(E'ALTER TABLE %s CLUSTER ON %I;\n', r.ident, c.relname) END,
               CASE WHEN i.indisreplident
                    THEN format(E'ALTER TABLE ONLY %s REPLICA IDENTITY USING INDEX %I;\n',
                                r.ident, c.relname) END,
               (SELECT string_agg(format(E'ALTER INDEX %I.%I ALTER COLUMN %s '
                                         'SET STATISTICS %s;\n', s.nspname, c.relname,
                                         a.attnum, a.attstattarget), '' ORDER BY a.attnum)
                FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attstattarget >= 0)) AS settings
    FROM relation r
    JOIN pg_index i ON i.indrelid = r.oid
    JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_namespace s ON s.oid = c.relnamespace
    LEFT JOIN pg_inherits h ON h.inhrelid = c.oid
    WHERE r.relkind IN ('r', 'p', 'm', 'f')
      AND (i.indisvalid AND i.indisready OR c.relkind = 'I')
)
SELECT 'constraint', format('%I on %s', k.conname, r.ident),
       format(E'ALTER TABLE ONLY %s ADD CONSTRAINT %I\n    %s%s;\n', r.ident, k.conname,
              pg_get_constraintdef(k.oid), i.options) || coalesce(i.settings, '')
FROM pg_constraint k
JOIN relation r ON r.oid = k.conrelid
LEFT JOIN index i ON i.indexrelid = k.conindid AND k.contype IN ('p', 'u', 'x')
WHERE k.contype IN ('p', 'u', 'x') AND i.indexrelid IS NOT NULL
   OR k.contype = 'f' AND k.conparentid = 0
   OR k.contype = 'c' AND (k.conislocal OR r.relispartition)
UNION ALL
SELECT 'index', i.ident, pg_get_indexdef(i.indexrelid) || E';\n' || i.settings
FROM index i
WHERE NOT EXISTS (SELECT FROM pg_constraint k
                  WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
UNION ALL
SELECT 'trigger', format('%I on %s', t.tgname, r.ident),
       CASE WHEN parent.oid IS NULL THEN pg_get_triggerdef(t.oid) || E';\n' ELSE '' END ||
       CASE WHEN parent.oid IS NULL AND t.tgenabled = 'O' THEN ''
            ELSE format(E'ALTER TABLE %s %s TRIGGER %I;\n', r.ident,
                        CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'O' THEN 'ENABLE'
                                         WHEN 'R' THEN 'ENABLE REPLICA'
                                         ELSE 'ENABLE ALWAYS' END, t.tgname) END
FROM pg_trigger t
JOIN relation r ON r.oid = t.tgrelid
LEFT JOIN pg_depend d ON d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND
                         d.refclassid = 'pg_trigger'::regclass
LEFT JOIN pg_trigger parent ON parent.oid = d.refobjid
WHERE CASE WHEN parent.oid IS NULL THEN NOT t.tgisinternal
           ELSE t.tgenabled <> parent.tgenabled END
  AND NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_trigger'::regclass AND m.objid = t.oid)
UNION ALL
SELECT 'rule', format('%I on %s', u.rulename, r.ident),
       pg_get_ruledef(u.oid) || E'\n' ||
       CASE u.ev_enabled WHEN 'O' THEN ''
            ELSE format(E'ALTER TABLE %s %s RULE %I;\n', r.ident,
                        CASE u.ev_enabled WHEN 'D' THEN 'DISABLE'
                                          WHEN 'R' THEN 'ENABLE REPLICA'
                                          ELSE 'ENABLE ALWAYS' END, u.rulename) END
FROM pg_rewrite u
JOIN relation r ON r.oid = u.ev_class
WHERE u.rulename <> '_RETURN'
  AND NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_rewrite'::regclass AND m.objid = u.oid)
UNION ALL
SELECT 'policy', format('%I on %s', p.polname, r.ident),
       concat(format('CREATE POLICY %I ON %s', p.polname, r.ident),
              CASE WHEN NOT p.polpermissive THEN E'\n    AS RESTRICTIVE' END,
              CASE p.polcmd WHEN 'r' THEN E'\n    FOR SELECT'
                            WHEN 'a' THEN E'\n    FOR INSERT'
                            WHEN 'w' THEN E'\n    FOR UPDATE'
                            WHEN 'd' THEN E'\n    FOR DELETE' END,
              CASE WHEN p.polroles <> '{0}'
                   THEN E'\n    TO ' || (SELECT string_agg(quote_ident(o.rolname), ', '
                                                         ORDER BY o.rolname)
                                         FROM pg_roles o WHERE o.oid = ANY (p.polroles))
                   END,
              E'\n    USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
              E'\n    WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')',
              E';\n')
FROM pg_policy p
JOIN relation r ON r.oid = p.polrelid
UNION ALL
SELECT 'statistics', name,
       pg_get_statisticsobjdef(x.oid) || E';\n' ||
       CASE WHEN (to_jsonb(x) ->> 'stxstattarget')::int >= 0
            THEN format(E'ALTER STATISTICS %s SET STATISTICS %s;\n', name,
                        to_jsonb(x) ->> 'stxstattarget') ELSE '' END
FROM pg_statistic_ext x
JOIN relation r ON r.oid = x.stxrelid
JOIN pg_namespace n ON n.oid = x.stxnamespace
CROSS JOIN LATERAL (SELECT format('%I.%I', n.nspname, x.stxname)) _ (name)
