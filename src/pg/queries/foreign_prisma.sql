-- What Prisma says was applied; "prisma migrate resolve --rolled-back" takes a row back.
-- After WITH t AS (SELECT * FROM _prisma_migrations)
SELECT migration_name, CASE WHEN finished_at IS NULL THEN 'failed' ELSE 'applied' END,
       checksum, migration_name
FROM t
WHERE rolled_back_at IS NULL
ORDER BY started_at, migration_name
