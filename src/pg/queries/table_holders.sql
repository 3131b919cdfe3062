-- Sessions that hold locks on tables of this database, one line each. $1: any lock, also
-- of those who only read.
SELECT DISTINCT ON (l.pid)
       format('table %I.%I: pid %s, user %s, application %s, %s since %s', n.nspname,
              c.relname, l.pid, coalesce(a.usename, 'unknown'),
              coalesce(nullif(a.application_name, ''), 'unknown'),
              coalesce(a.state, 'busy'),
              coalesce(to_char(a.xact_start AT TIME ZONE 'UTC',
                               'YYYY-MM-DD HH24:MI:SS "UTC"'), 'unknown'))
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p', 'S', 'm')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database
                    WHERE datname = current_database())
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND ($1::boolean OR l.mode NOT IN ('AccessShareLock', 'RowShareLock'))
ORDER BY l.pid, l.relation
LIMIT 20
