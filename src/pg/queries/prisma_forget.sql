-- What was begun has been undone. After UPDATE _prisma_migrations. $1: name
SET rolled_back_at = clock_timestamp()
WHERE migration_name = $1 AND finished_at IS NULL AND rolled_back_at IS NULL
  AND logs LIKE 'revtwin: %'
