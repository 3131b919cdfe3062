-- Limits of the session for a statement that runs outside of a transaction.
-- $1: lock_timeout, $2: statement_timeout or NULL
SELECT set_config('lock_timeout', $1, false),
       set_config('statement_timeout', coalesce($2, current_setting('statement_timeout')), false)
