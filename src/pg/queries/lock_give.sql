-- Gives an advisory lock back, if this session has it. $1: its one key
SELECT pg_advisory_unlock($1::bigint)
FROM pg_catalog.pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND pid = pg_backend_pid()
  AND (classid::bigint << 32 | objid::bigint) = $1::bigint
