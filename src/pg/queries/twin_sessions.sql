-- Who is connected to one of the databases $1, $2 and $3; autovacuum steps aside by
-- itself. What other users' sessions are is hidden (NULL) from a role without
-- pg_read_all_stats. The rule for who may end whom is that of pg_terminate_backend.
SELECT format('%s: pid %s, user %s, application %s, since %s', a.datname, a.pid,
              a.usename, coalesce(nullif(a.application_name, ''), 'unknown'),
              coalesce(to_char(a.backend_start AT TIME ZONE 'UTC',
                               'YYYY-MM-DD HH24:MI:SS "UTC"'), 'unknown')),
       a.pid,
       me.rolsuper
           OR NOT coalesce(r.rolsuper, true)
              AND (pg_has_role(r.oid, 'USAGE')
                   OR pg_has_role('pg_signal_backend', 'USAGE')),
       quote_ident(me.rolname)
FROM pg_catalog.pg_stat_activity a
JOIN pg_catalog.pg_roles me ON me.rolname = current_user
LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
WHERE a.datname IN ($1, $2, $3)
  AND (a.backend_type IS NULL OR a.backend_type IN ('client backend', 'walsender'))
ORDER BY a.datname, a.pid
