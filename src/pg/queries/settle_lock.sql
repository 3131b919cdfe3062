-- Whether a session that was lost is gone for good, with all that it was sent: its process
-- has ended, or, where that is not known, nobody is in the middle of a migration. A
-- standby, which may not know of the rows yet, says NULL. A lost session that only waits
-- for its client would wait, with its locks, for as long as TCP believes in it: it is ended.
-- $1: its process id, NULL behind a pooler; $2: microseconds since 1970 at its start
SELECT CASE
    WHEN pg_is_in_recovery() THEN NULL
    WHEN $1::integer IS NULL THEN pg_try_advisory_xact_lock(8243124935563243009)
    ELSE NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity
                     WHERE pid = $1::integer AND pid <> pg_backend_pid()
                       AND backend_start <= to_timestamp($2::bigint / 1000000.0)
                       AND CASE WHEN state LIKE 'idle%'
                                THEN pg_terminate_backend(pid) IS NOT NULL
                                ELSE true END) END
