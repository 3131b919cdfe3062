-- Limits for a statement that runs outside of a transaction block: of the session, or where
-- that is not ours, of the transaction that the statement shares with this one.
-- $1: lock_timeout, $2: statement_timeout or NULL, $3: whether only of the transaction
SELECT set_config('lock_timeout', $1, $3::boolean),
       set_config('statement_timeout', coalesce($2, current_setting('statement_timeout')),
                  $3::boolean)
