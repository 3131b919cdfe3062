-- What is in no schema: schemas themselves, extensions, languages, event triggers, access
-- methods, casts, transforms. pg_dump takes "public" and plpgsql for given.
SELECT 'schema', quote_ident(s.nspname), format(E'CREATE SCHEMA %I;\n', s.nspname)
FROM space s
WHERE s.nspname NOT IN ('public', 'revtwin')
  AND NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_namespace'::regclass AND m.objid = s.oid)
UNION ALL
SELECT 'extension', quote_ident(e.extname),
       format(E'CREATE EXTENSION %I WITH SCHEMA %I\n    VERSION %L;\n', e.extname,
              n.nspname, e.extversion)
FROM pg_extension e
JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname <> 'plpgsql'
UNION ALL
SELECT 'language', quote_ident(l.lanname),
       format('CREATE %sLANGUAGE %I', CASE WHEN l.lanpltrusted THEN 'TRUSTED ' END,
              l.lanname) ||
       CASE WHEN l.lanplcallfoid <> 0
            THEN E'\n    HANDLER ' || l.lanplcallfoid::regproc ELSE '' END ||
       CASE WHEN l.laninline <> 0
            THEN E'\n    INLINE ' || l.laninline::regproc ELSE '' END ||
       CASE WHEN l.lanvalidator <> 0
            THEN E'\n    VALIDATOR ' || l.lanvalidator::regproc ELSE '' END || E';\n'
FROM pg_language l
WHERE l.oid >= 16384
  AND NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_language'::regclass AND m.objid = l.oid)
UNION ALL
SELECT 'event trigger', quote_ident(e.evtname),
       format(E'CREATE EVENT TRIGGER %I ON %I%s\n    EXECUTE FUNCTION %s();\n', e.evtname,
              e.evtevent,
              (SELECT E'\n    WHEN TAG IN (' || string_agg(quote_literal(tag), ', ') || ')'
               FROM unnest(e.evttags) tag),
              e.evtfoid::regproc) ||
       CASE e.evtenabled WHEN 'O' THEN ''
            ELSE format(E'ALTER EVENT TRIGGER %I %s;\n', e.evtname,
                        CASE e.evtenabled WHEN 'D' THEN 'DISABLE'
                                          WHEN 'R' THEN 'ENABLE REPLICA'
                                          ELSE 'ENABLE ALWAYS' END) END
FROM pg_event_trigger e
WHERE NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_event_trigger'::regclass AND m.objid = e.oid)
UNION ALL
SELECT 'access method', quote_ident(a.amname),
       format(E'CREATE ACCESS METHOD %I TYPE %s HANDLER %s;\n', a.amname,
              CASE a.amtype WHEN 'i' THEN 'INDEX' ELSE 'TABLE' END, a.amhandler)
FROM pg_am a
WHERE a.oid >= 16384
  AND NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_am'::regclass AND m.objid = a.oid)
UNION ALL
SELECT 'cast', pair,
       format(E'CREATE CAST (%s)\n    %s%s;\n', pair,
              CASE c.castmethod WHEN 'b' THEN 'WITHOUT FUNCTION' WHEN 'i' THEN 'WITH INOUT'
                   ELSE 'WITH FUNCTION ' || c.castfunc::regprocedure END,
              CASE c.castcontext WHEN 'a' THEN ' AS ASSIGNMENT'
                                 WHEN 'i' THEN ' AS IMPLICIT' END)
FROM pg_cast c
CROSS JOIN LATERAL (SELECT format('%s AS %s', format_type(c.castsource, NULL),
                                  format_type(c.casttarget, NULL))) _ (pair)
WHERE c.oid >= 16384
  AND NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_cast'::regclass AND m.objid = c.oid)
  -- A range's casts to its multirange come and go with the type.
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_cast'::regclass AND d.objid = c.oid
                    AND d.deptype = 'i')
UNION ALL
SELECT 'transform', pair,
       format(E'CREATE TRANSFORM %s (%s);\n', pair,
              concat_ws(', ',
                        'FROM SQL WITH FUNCTION ' || nullif(t.trffromsql, 0)::regprocedure,
                        'TO SQL WITH FUNCTION ' || nullif(t.trftosql, 0)::regprocedure))
FROM pg_transform t
JOIN pg_language l ON l.oid = t.trflang
CROSS JOIN LATERAL (SELECT format('FOR %s LANGUAGE %I', format_type(t.trftype, NULL),
                                  l.lanname)) _ (pair)
WHERE NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_transform'::regclass AND m.objid = t.oid)
