-- What was begun is finished, if it was; its text may have changed since.
-- After WITH t AS (SELECT * FROM _prisma_migrations), begun AS (UPDATE _prisma_migrations.
-- $1: name, $2: logs, $3: steps, $4: id, $5: checksum
SET finished_at = clock_timestamp(), logs = $2, applied_steps_count = $3::integer,
    checksum = $5
WHERE migration_name = $1 AND finished_at IS NULL AND rolled_back_at IS NULL
  AND logs LIKE 'revtwin: %'
RETURNING 1
