-- Where Prisma's table belongs, whether it is there, which other schemas have one, and
-- Prisma's lock. $1: whether to try for the lock; $2: whether a pooler stands between, where
-- a lock of the session would stay with a connection that others use.
SELECT quote_ident(current_schema()),
       to_regclass(quote_ident(current_schema()) || '._prisma_migrations') IS NOT NULL,
       (SELECT string_agg(quote_ident(n.nspname), ', ' ORDER BY n.nspname)
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relname = '_prisma_migrations' AND c.relkind IN ('r', 'p')
          AND n.nspname IS DISTINCT FROM current_schema() AND n.nspname !~ '^pg_'),
       CASE WHEN NOT $1::boolean THEN NULL
            WHEN $2::boolean THEN pg_try_advisory_xact_lock(72707369)
            ELSE pg_try_advisory_lock(72707369) END
