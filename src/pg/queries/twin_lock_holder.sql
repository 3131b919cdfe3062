-- Who holds the lock on resyncs of the twin $1.
SELECT format('pid %s, application %s, client %s, since %s', a.pid,
              coalesce(nullif(a.application_name, ''), 'unknown'),
              coalesce(a.client_addr::text, 'local'),
              coalesce(to_char(a.backend_start AT TIME ZONE 'UTC',
                               'YYYY-MM-DD HH24:MI:SS "UTC"'), 'unknown'))
FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_catalog.pg_database
                    WHERE datname = current_database())
  AND (l.classid::bigint << 32 | l.objid::bigint)
      = hashtextextended('revtwin resync ' || $1, 0)
