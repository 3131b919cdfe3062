-- What Prisma began and has not finished: it failed, or is under way. Not what revtwin
-- itself has under way.
-- After WITH t AS (SELECT * FROM _prisma_migrations)
SELECT migration_name,
       to_char(started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'),
       left(regexp_replace(btrim(coalesce(logs, ''), E' \t\r\n'), '\s+', ' ', 'g'), 300)
FROM t
WHERE finished_at IS NULL AND rolled_back_at IS NULL
  AND coalesce(logs, '') NOT LIKE 'revtwin: %'
ORDER BY started_at, migration_name
