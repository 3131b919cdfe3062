-- Foreign-data wrappers, servers and user mappings. Secrets in options never leave the
-- server, so a changed one is no difference.
, choice AS (
    SELECT x.class, x.oid,
           format(E'\n    OPTIONS (%s)',
                  (SELECT string_agg(
                              format('%I %L', o.option_name,
                                     CASE WHEN o.option_name <> 'password_required' AND
                                               o.option_name ~*
                                               'pass|pwd|secret|token|cred|(api|access)_?key'
                                            OR o.option_value ~* '://[^/]*@|passw'
                                          THEN '***' ELSE o.option_value END), ', '
                              ORDER BY o.option_name)
                   FROM pg_options_to_table(x.options) o)) AS options
    FROM (SELECT 'pg_foreign_data_wrapper'::regclass, oid, fdwoptions
          FROM pg_foreign_data_wrapper
          UNION ALL
          SELECT 'pg_foreign_server'::regclass, oid, srvoptions FROM pg_foreign_server
          UNION ALL
          SELECT 'pg_user_mapping'::regclass, umid, umoptions FROM pg_user_mappings) x
         (class, oid, options)
    WHERE x.options <> '{}'
)
SELECT 'foreign-data wrapper', quote_ident(w.fdwname),
       concat(format('CREATE FOREIGN DATA WRAPPER %I', w.fdwname),
              E'\n    HANDLER ' || nullif(w.fdwhandler, 0)::regproc,
              E'\n    VALIDATOR ' || nullif(w.fdwvalidator, 0)::regproc,
              (SELECT c.options FROM choice c
               WHERE c.class = 'pg_foreign_data_wrapper'::regclass AND c.oid = w.oid),
              E';\n')
FROM pg_foreign_data_wrapper w
WHERE NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_foreign_data_wrapper'::regclass
                    AND m.objid = w.oid)
UNION ALL
SELECT 'server', quote_ident(f.srvname),
       concat(format('CREATE SERVER %I', f.srvname),
              ' TYPE ' || quote_literal(f.srvtype),
              ' VERSION ' || quote_literal(f.srvversion),
              format(E'\n    FOREIGN DATA WRAPPER %I', w.fdwname),
              (SELECT c.options FROM choice c
               WHERE c.class = 'pg_foreign_server'::regclass AND c.oid = f.oid),
              E';\n')
FROM pg_foreign_server f
JOIN pg_foreign_data_wrapper w ON w.oid = f.srvfdw
WHERE NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_foreign_server'::regclass AND m.objid = f.oid)
UNION ALL
SELECT 'user mapping', pair,
       concat('CREATE USER MAPPING FOR ', pair,
              (SELECT c.options FROM choice c
               WHERE c.class = 'pg_user_mapping'::regclass AND c.oid = u.umid), E';\n')
FROM pg_user_mappings u
CROSS JOIN LATERAL (SELECT format('%s SERVER %I', CASE u.umuser WHEN 0 THEN 'PUBLIC'
                                                  ELSE quote_ident(u.usename) END,
                                  u.srvname)) _ (pair)
WHERE NOT EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_user_mapping'::regclass AND m.objid = u.umid)
