-- The checksum that is accepted from here on, so that Prisma does not take the file for
-- edited. After UPDATE _prisma_migrations. $1: name, $2: checksum
SET checksum = $2
WHERE migration_name = $1 AND rolled_back_at IS NULL
