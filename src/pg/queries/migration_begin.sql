-- First statement of a migration's transaction: local settings, a mark that tells at the
-- end that it is still the same transaction, and the lock that orders all runners. A
-- server that can (14) looks now and then whether we are still there, so that what a
-- killed run left does not go on, with its locks, for as long as its statement takes.
-- $1: lock_timeout, $2: statement_timeout or NULL, $3: the mark, $4: another tool's lock
-- or NULL, which takes none
-- The first column tells which transaction it is.
SELECT txid_current(),
       set_config('lock_timeout', $1, true),
       set_config('statement_timeout', coalesce($2, current_setting('statement_timeout')), true),
       CASE WHEN current_setting('server_version_num')::integer >= 140000
            THEN set_config('client_connection_check_interval', '1s', true) END,
       set_config('revtwin.migration', $3, true),
       pg_advisory_xact_lock(8243124935563243009),
       pg_advisory_xact_lock($4::bigint)
