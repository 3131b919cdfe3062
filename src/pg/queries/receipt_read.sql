-- The newest receipt.
SELECT id, to_char(taken_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       to_char(written_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
       extract(epoch FROM now() - taken_at)::bigint, system, timeline, started, database,
       snapshot, lsn, twin_xid, twin_snapshot, twin_system, twin_database, method, why,
       incremental_runs, verified, rows_read, rows_written, bytes_read, bytes_written, seconds
FROM revtwin.receipt ORDER BY id DESC LIMIT 1
