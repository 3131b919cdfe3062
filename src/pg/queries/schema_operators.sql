-- Operators, their families and classes, collations, conversions. What a class has in its
-- family is told with the class, whoever made the family.
, support AS (
    SELECT d.refclassid, d.refobjid,
           string_agg(E'\n    ' || x.line, ',' ORDER BY x.line) AS lines
    FROM (SELECT 'pg_amop'::regclass AS class, o.oid,
                 format('OPERATOR %s %s%s', o.amopstrategy, o.amopopr::regoperator,
                        (SELECT format(' FOR ORDER BY %I.%I', n.nspname, f.opfname)
                         FROM pg_opfamily f JOIN pg_namespace n ON n.oid = f.opfnamespace
                         WHERE f.oid = o.amopsortfamily)) AS line
          FROM pg_amop o
          UNION ALL
          SELECT 'pg_amproc'::regclass, p.oid,
                 format('FUNCTION %s (%s, %s) %s', p.amprocnum,
                        format_type(p.amproclefttype, NULL),
                        format_type(p.amprocrighttype, NULL), p.amproc::oid::regprocedure)
          FROM pg_amproc p) x
    JOIN pg_depend d ON d.classid = x.class AND d.objid = x.oid AND
                        d.refclassid IN ('pg_opclass'::regclass, 'pg_opfamily'::regclass)
    WHERE x.oid >= 16384
    GROUP BY d.refclassid, d.refobjid
)
SELECT 'operator',
       format('%I.%s (%s, %s)', s.nspname, o.oprname,
              CASE o.oprleft WHEN 0 THEN 'NONE' ELSE format_type(o.oprleft, NULL) END,
              CASE o.oprright WHEN 0 THEN 'NONE' ELSE format_type(o.oprright, NULL) END),
       CASE WHEN o.oprcode = 0 THEN E'/* a shell */\n'
            ELSE concat(format(E'CREATE OPERATOR %I.%s (\n    FUNCTION = %s', s.nspname,
                               o.oprname, o.oprcode),
                        CASE WHEN o.oprleft <> 0
                             THEN E',\n    LEFTARG = ' || format_type(o.oprleft, NULL) END,
                        CASE WHEN o.oprright <> 0
                             THEN E',\n    RIGHTARG = ' ||
                                  format_type(o.oprright, NULL) END,
                        E',\n    COMMUTATOR = ' || nullif(o.oprcom, 0)::regoperator,
                        E',\n    NEGATOR = ' || nullif(o.oprnegate, 0)::regoperator,
                        E',\n    RESTRICT = ' || nullif(o.oprrest::oid, 0)::regproc,
                        E',\n    JOIN = ' || nullif(o.oprjoin::oid, 0)::regproc,
                        CASE WHEN o.oprcanmerge THEN E',\n    MERGES' END,
                        CASE WHEN o.oprcanhash THEN E',\n    HASHES' END, E'\n);\n') END
FROM pg_operator o
JOIN space s ON s.oid = o.oprnamespace
WHERE NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_operator'::regclass AND m.objid = o.oid)
UNION ALL
SELECT 'operator family', format('%I.%I using %I', s.nspname, f.opfname, a.amname),
       format(E'CREATE OPERATOR FAMILY %I.%I USING %I;\n', s.nspname, f.opfname,
              a.amname) ||
       CASE WHEN p.lines IS NULL THEN ''
            ELSE format(E'ALTER OPERATOR FAMILY %I.%I USING %I ADD%s;\n', s.nspname,
                        f.opfname, a.amname, p.lines) END
FROM pg_opfamily f
JOIN space s ON s.oid = f.opfnamespace
JOIN pg_am a ON a.oid = f.opfmethod
LEFT JOIN support p ON p.refclassid = 'pg_opfamily'::regclass AND p.refobjid = f.oid
WHERE NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_opfamily'::regclass AND m.objid = f.oid)
UNION ALL
SELECT 'operator class', format('%I.%I using %I', s.nspname, c.opcname, a.amname),
       concat(format('CREATE OPERATOR CLASS %I.%I', s.nspname, c.opcname),
              CASE WHEN c.opcdefault THEN ' DEFAULT' END,
              format(E'\n    FOR TYPE %s USING %I FAMILY %I.%I AS',
                     format_type(c.opcintype, NULL), a.amname, n.nspname, f.opfname),
              p.lines,
              CASE WHEN c.opckeytype <> 0
                   THEN E'\n    STORAGE ' || format_type(c.opckeytype, NULL) END, E';\n')
FROM pg_opclass c
JOIN space s ON s.oid = c.opcnamespace
JOIN pg_am a ON a.oid = c.opcmethod
JOIN pg_opfamily f ON f.oid = c.opcfamily
JOIN pg_namespace n ON n.oid = f.opfnamespace
LEFT JOIN support p ON p.refclassid = 'pg_opclass'::regclass AND p.refobjid = c.oid
WHERE NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_opclass'::regclass AND m.objid = c.oid)
UNION ALL
SELECT 'collation', format('%I.%I', s.nspname, c.collname),
       concat(format(E'CREATE COLLATION %I.%I (\n    PROVIDER = %s', s.nspname, c.collname,
                     CASE c.collprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu'
                                         WHEN 'b' THEN 'builtin' ELSE 'default' END),
              E',\n    LOCALE = ' ||
                  quote_literal(coalesce(j.c ->> 'colllocale', j.c ->> 'colliculocale')),
              CASE WHEN coalesce(j.c ->> 'colllocale', j.c ->> 'colliculocale') IS NULL
                   THEN CASE WHEN c.collprovider = 'i'
                             THEN E',\n    LOCALE = ' || quote_literal(c.collcollate)
                             ELSE format(E',\n    LC_COLLATE = %L,\n    LC_CTYPE = %L',
                                         c.collcollate, c.collctype) END END,
              CASE WHEN NOT c.collisdeterministic THEN E',\n    DETERMINISTIC = false' END,
              E',\n    RULES = ' || quote_literal(j.c ->> 'collicurules'), E'\n);\n')
FROM pg_collation c
JOIN space s ON s.oid = c.collnamespace
CROSS JOIN LATERAL (SELECT to_jsonb(c)) j (c)
WHERE NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_collation'::regclass AND m.objid = c.oid)
UNION ALL
SELECT 'conversion', format('%I.%I', s.nspname, c.conname),
       format(E'CREATE %sCONVERSION %I.%I FOR %L TO %L FROM %s;\n',
              CASE WHEN c.condefault THEN 'DEFAULT ' END, s.nspname, c.conname,
              pg_encoding_to_char(c.conforencoding), pg_encoding_to_char(c.contoencoding),
              c.conproc)
FROM pg_conversion c
JOIN space s ON s.oid = c.connamespace
WHERE NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_conversion'::regclass AND m.objid = c.oid)
