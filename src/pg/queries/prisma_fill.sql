-- Rows of migrations that the ledger has, as "prisma migrate resolve --applied" writes them.
-- After WITH t AS (SELECT * FROM _prisma_migrations), lacks (id, checksum, name) AS (VALUES
-- ...), and what finishes those that revtwin has begun, INSERT INTO _prisma_migrations
(id, checksum, migration_name, logs, finished_at)
SELECT id, checksum, name, '', transaction_timestamp()
FROM lacks
WHERE NOT EXISTS (SELECT FROM t WHERE migration_name = name AND rolled_back_at IS NULL)
