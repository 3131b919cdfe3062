-- The statements of files that run without a transaction, of a file whose row is not in
-- the ledger yet, in the order in which the files began. "running": its session still is
-- at work, as far as one may see. $1: path, NULL for every file
SELECT path, statement, statements, checksum, file_checksum, commit_oid, state, version,
       object, found, coalesce(line::text, ''),
       to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
       to_char(finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
       sqlstate, message, client, started_by, pid,
       s.state = 'started' AND EXISTS (
           SELECT FROM pg_catalog.pg_stat_activity a
           WHERE a.pid = s.pid AND a.pid <> pg_backend_pid()
             AND a.usename = s.started_by
             AND coalesce(a.backend_start <= s.started_at, true)
             AND a.datname = current_database()
             AND (a.state IS NULL OR a.state IN ('active', 'disabled')))
FROM revtwin.step s
WHERE $1::text IS NULL OR path = $1
ORDER BY min(started_at) OVER (PARTITION BY path), path, statement
