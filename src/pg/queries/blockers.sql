-- What a session waits for, and who holds it, the one that waits longest for its client
-- first. $1: its process id; NULL behind a pooler, which hides it: then it is the one that
-- holds the lock which orders runners.
WITH me AS (
    SELECT coalesce($1::integer,
                    (SELECT pid FROM pg_catalog.pg_locks
                     WHERE locktype = 'advisory' AND granted AND objsubid = 1
                       AND (classid::bigint << 32 | objid::bigint) = 8243124935563243009
                       AND database = (SELECT oid FROM pg_catalog.pg_database
                                       WHERE datname = current_database())
                     LIMIT 1)) AS pid
), wanted AS (
    SELECT l.mode, coalesce(l.relation::regclass::text, l.locktype) AS object
    FROM pg_catalog.pg_locks l JOIN me USING (pid)
    WHERE NOT l.granted
    LIMIT 1
)
SELECT (SELECT object FROM wanted), (SELECT mode FROM wanted), a.pid,
       coalesce(a.usename, ''), coalesce(a.application_name, ''), coalesce(a.state, ''),
       to_char(a.query_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
FROM me, unnest(pg_catalog.pg_blocking_pids(me.pid)) AS blocker (pid)
JOIN pg_catalog.pg_stat_activity a ON a.pid = blocker.pid
ORDER BY a.xact_start
