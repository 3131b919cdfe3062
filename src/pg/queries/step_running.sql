-- Who still runs a statement whose run is gone. A query is kept only up to a size, and
-- hidden (NULL, as is its state) from other users without pg_read_all_stats.
-- The user of a session is never hidden, and tells it from a later one with its process id.
-- $1: the statement, $2: another one that may run for it, or NULL; $3, $4: path and number of
-- the statement, whose row tells which process began it
SELECT format('pid %s, user %s, application %s, since %s', a.pid, a.usename,
              coalesce(nullif(a.application_name, ''), 'unknown'),
              coalesce(to_char(a.query_start AT TIME ZONE 'UTC',
                               'YYYY-MM-DD HH24:MI:SS "UTC"'), 'unknown'))
FROM pg_catalog.pg_stat_activity a,
     (SELECT setting::integer - 5 FROM pg_catalog.pg_settings
      WHERE name = 'track_activity_query_size') size (kept)
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
  AND (a.state = 'active'
       AND (a.query IN ($1, $2)
            OR octet_length(a.query) >= size.kept
               AND (starts_with($1, a.query) OR starts_with($2, a.query)))
       OR EXISTS (
           SELECT FROM revtwin.step s
           WHERE s.path = $3 AND s.statement = $4::integer
             AND a.pid = s.pid AND a.usename = s.started_by
             AND coalesce(a.backend_start <= s.started_at, true)
             AND (a.state IS NULL OR a.state = 'disabled')))
ORDER BY a.query_start
LIMIT 1
