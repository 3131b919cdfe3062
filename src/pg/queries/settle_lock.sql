-- Whether a session that was lost is gone for good, with all that it was sent: its process
-- has ended, and nobody holds the locks that it held. Takes the lock of the one runner. NULL
-- on a standby, which may lag behind what was committed.
-- $1: its process id, NULL behind a pooler; $2: microseconds since 1970 at its start
SELECT CASE
    WHEN pg_is_in_recovery() THEN NULL
    WHEN EXISTS (SELECT FROM pg_catalog.pg_stat_activity
                 WHERE pid = $1::integer AND pid <> pg_backend_pid()
                   AND backend_start <= to_timestamp($2::bigint / 1000000.0)) THEN false
    WHEN NOT pg_try_advisory_xact_lock(8243124935563243009) THEN false
    WHEN $1 IS NULL THEN true
    ELSE pg_try_advisory_lock(8243124935563243008) END
