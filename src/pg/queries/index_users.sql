-- Who holds a lock on the table of an index that only somebody who builds, drops or vacuums
-- has; autovacuum steps aside by itself. $1: the index, as text
SELECT format('pid %s, user %s, application %s', a.pid, a.usename,
              coalesce(nullif(a.application_name, ''), 'unknown'))
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_locks l ON l.locktype = 'relation' AND l.relation = i.indrelid
JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE i.indexrelid = to_regclass($1) AND l.granted AND a.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock',
                 'ExclusiveLock', 'AccessExclusiveLock')
  AND a.usesysid IS NOT NULL
LIMIT 1
