-- What Prisma keeps of a migration, in the transaction that ran it. After what
-- prisma_finish.sql has: ) INSERT INTO _prisma_migrations
(id, checksum, migration_name, logs, applied_steps_count, started_at, finished_at)
SELECT $4, $5, $1, $2, $3::integer, transaction_timestamp(), clock_timestamp()
WHERE NOT EXISTS (SELECT FROM begun)
  AND NOT EXISTS (SELECT FROM t WHERE migration_name = $1 AND finished_at IS NOT NULL
                                  AND rolled_back_at IS NULL)
