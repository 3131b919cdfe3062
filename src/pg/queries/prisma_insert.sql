-- What Prisma keeps of a migration, in the transaction that ran it.
-- After INSERT INTO _prisma_migrations. $1: id, $2: checksum, $3: name, $4: logs, $5: steps
(id, checksum, migration_name, logs, applied_steps_count, started_at, finished_at)
VALUES ($1, $2, $3, $4, $5::integer, transaction_timestamp(), clock_timestamp())
