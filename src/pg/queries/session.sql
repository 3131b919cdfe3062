-- What every command that talks to production asks first.
-- $1: whether to try for the lock of the one runner; not behind a pooler, where it would
-- stay with a connection that others use. $2: the process id that the client was told.
-- The eighth column: whether revtwin.step, NULL where there is none, may have rows.
SELECT current_database(),
       session_user,
       EXISTS (SELECT FROM pg_catalog.pg_class c
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'revtwin' AND c.relname = 'ledger'),
       EXISTS (SELECT FROM pg_catalog.pg_class c
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'revtwin' AND c.relname = 'twin'),
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
       CASE WHEN $1::boolean THEN pg_backend_pid() <> $2::integer OR
                                  pg_try_advisory_lock(8243124935563243008) END,
       pg_backend_pid() <> $2::integer,
       (SELECT pg_relation_size(c.oid) > 0 FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'revtwin' AND c.relname = 'step'),
       pg_is_in_recovery(),
       current_setting('default_transaction_read_only')::boolean
