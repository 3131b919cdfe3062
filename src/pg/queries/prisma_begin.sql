-- That revtwin has a migration under way which runs without a transaction: as with one of
-- its own, Prisma then applies nothing. After WITH t AS (SELECT * FROM _prisma_migrations),
-- started (id, checksum, name) AS (SELECT ...) INSERT INTO _prisma_migrations
(id, checksum, migration_name, logs, started_at)
SELECT id, checksum, name, 'revtwin: under way; revtwin status tells more', clock_timestamp()
FROM started
WHERE NOT EXISTS (SELECT FROM t WHERE migration_name = name AND rolled_back_at IS NULL)
