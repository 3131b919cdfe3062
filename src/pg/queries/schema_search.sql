-- Text search.
SELECT 'text search parser', format('%I.%I', s.nspname, p.prsname),
       concat(format(E'CREATE TEXT SEARCH PARSER %I.%I (\n    START = %s,\n    '
                     'GETTOKEN = %s,\n    END = %s', s.nspname, p.prsname, p.prsstart,
                     p.prstoken, p.prsend),
              E',\n    HEADLINE = ' || nullif(p.prsheadline::oid, 0)::regproc,
              format(E',\n    LEXTYPES = %s\n);\n', p.prslextype))
FROM pg_ts_parser p
JOIN space s ON s.oid = p.prsnamespace
WHERE NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_ts_parser'::regclass AND m.objid = p.oid)
UNION ALL
SELECT 'text search template', format('%I.%I', s.nspname, t.tmplname),
       concat(format(E'CREATE TEXT SEARCH TEMPLATE %I.%I (', s.nspname, t.tmplname),
              E'\n    INIT = ' || nullif(t.tmplinit::oid, 0)::regproc || ',',
              format(E'\n    LEXIZE = %s\n);\n', t.tmpllexize))
FROM pg_ts_template t
JOIN space s ON s.oid = t.tmplnamespace
WHERE NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_ts_template'::regclass AND m.objid = t.oid)
UNION ALL
SELECT 'text search dictionary', format('%I.%I', s.nspname, d.dictname),
       concat(format(E'CREATE TEXT SEARCH DICTIONARY %I.%I (\n    TEMPLATE = %I.%I',
                     s.nspname, d.dictname, n.nspname, t.tmplname),
              E',\n    ' || d.dictinitoption, E'\n);\n')
FROM pg_ts_dict d
JOIN space s ON s.oid = d.dictnamespace
JOIN pg_ts_template t ON t.oid = d.dicttemplate
JOIN pg_namespace n ON n.oid = t.tmplnamespace
WHERE NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_ts_dict'::regclass AND m.objid = d.oid)
UNION ALL
SELECT 'text search configuration', format('%I.%I', s.nspname, c.cfgname),
       format(E'CREATE TEXT SEARCH CONFIGURATION %I.%I (PARSER = %I.%I);\n', s.nspname,
              c.cfgname, n.nspname, p.prsname) ||
       coalesce((SELECT string_agg(
                            format(E'ALTER TEXT SEARCH CONFIGURATION %I.%I\n    '
                                   'ADD MAPPING FOR %s WITH %s;\n', s.nspname, c.cfgname,
                                   k.alias, k.dictionaries), '' ORDER BY k.alias)
                 FROM (SELECT coalesce(y.alias, m.maptokentype::text) AS alias,
                              string_agg(m.mapdict::regdictionary::text, ', '
                                         ORDER BY m.mapseqno) AS dictionaries
                       FROM pg_ts_config_map m
                       LEFT JOIN ts_token_type(c.cfgparser) y ON y.tokid = m.maptokentype
                       WHERE m.mapcfg = c.oid
                       GROUP BY 1) k), '')
FROM pg_ts_config c
JOIN space s ON s.oid = c.cfgnamespace
JOIN pg_ts_parser p ON p.oid = c.cfgparser
JOIN pg_namespace n ON n.oid = p.prsnamespace
WHERE NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_ts_config'::regclass AND m.objid = c.oid)
