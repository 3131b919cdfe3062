-- Who is connected to one of the databases $1 and $2; autovacuum steps aside by itself.
-- What other users' sessions are is hidden (NULL) from a role without pg_read_all_stats.
SELECT format('%s: pid %s, user %s, application %s, since %s', datname, pid, usename,
              coalesce(nullif(application_name, ''), 'unknown'),
              coalesce(to_char(backend_start AT TIME ZONE 'UTC',
                               'YYYY-MM-DD HH24:MI:SS "UTC"'), 'unknown'))
FROM pg_catalog.pg_stat_activity
WHERE datname IN ($1, $2)
  AND (backend_type IS NULL OR backend_type IN ('client backend', 'walsender'))
ORDER BY datname, pid
