-- Fails when Prisma has recorded a migration meanwhile, or left one unfinished. The cast
-- depends on the transaction so that the planner cannot evaluate it early.
-- After WITH t AS (SELECT * FROM _prisma_migrations), wanted (name) AS (SELECT ...): the
-- migration; NULL: it may be there
SELECT CASE WHEN EXISTS (SELECT FROM t
                         WHERE rolled_back_at IS NULL
                           AND coalesce(logs, '') NOT LIKE 'revtwin: %'
                           AND (finished_at IS NULL OR
                                migration_name = (SELECT name FROM wanted)))
            THEN format('revtwin: Prisma was at work (transaction %s)',
                        txid_current())::integer END
