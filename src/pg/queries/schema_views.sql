-- Views, materialized views, and sequences without their values.
SELECT CASE r.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, r.ident,
       concat('CREATE ', CASE WHEN r.relkind = 'm' THEN 'MATERIALIZED ' END,
              CASE WHEN r.relpersistence = 'u' THEN 'UNLOGGED ' END, 'VIEW ', r.ident,
              CASE WHEN am.amname <> 'heap' THEN E'\nUSING ' || quote_ident(am.amname) END,
              E'\nWITH (' || (SELECT string_agg(o, ', ' ORDER BY o)
                              FROM (SELECT unnest(r.reloptions) UNION ALL
                                    SELECT 'toast.' || unnest(toast.reloptions)) _ (o)) ||
                  ')',
              E' AS\n', pg_get_viewdef(r.oid), E'\n', a.defaults, s.settings,
              CASE WHEN r.relreplident IN ('n', 'f') AND r.relkind = 'm'
                   THEN format(E'ALTER TABLE ONLY %s REPLICA IDENTITY %s;\n', r.ident,
                               CASE r.relreplident WHEN 'n' THEN 'NOTHING'
                                                   ELSE 'FULL' END) END)
FROM relation r
LEFT JOIN pg_am am ON am.oid = r.relam
LEFT JOIN pg_class toast ON toast.oid = r.reltoastrelid
LEFT JOIN column_setting s ON s.attrelid = r.oid
CROSS JOIN LATERAL (
    SELECT string_agg(format(E'ALTER TABLE %s ALTER COLUMN %I SET DEFAULT %s;\n', r.ident,
                             a.attname, pg_get_expr(d.adbin, d.adrelid)),
                      '' ORDER BY a.attnum) AS defaults
    FROM pg_attribute a
    JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = r.oid AND a.attnum > 0) a
WHERE r.relkind IN ('v', 'm')
UNION ALL
SELECT 'sequence', r.ident,
       concat('CREATE ',
              CASE WHEN r.relpersistence = 'u' AND
                        current_setting('revtwin.version')::int >= 150000
                   THEN 'UNLOGGED ' END,
              format(E'SEQUENCE %s AS %s\n    START WITH %s\n    INCREMENT BY %s\n    '
                     'MINVALUE %s\n    MAXVALUE %s\n    CACHE %s', r.ident,
                     format_type(q.seqtypid, NULL), q.seqstart, q.seqincrement, q.seqmin,
                     q.seqmax, q.seqcache),
              CASE WHEN q.seqcycle THEN E'\n    CYCLE' END,
              (SELECT format(E'\n    %s %s.%I', CASE d.deptype WHEN 'i' THEN 'IDENTITY OF'
                                                         ELSE 'OWNED BY' END,
                             d.refobjid::regclass, a.attname)
               FROM pg_depend d
               JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
               WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid
                 AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')),
              E';\n')
FROM relation r
JOIN pg_sequence q ON q.seqrelid = r.oid
