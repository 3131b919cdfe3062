-- Appends a row, in the transaction of its migration. $1 to $17 are the columns of enum
-- rt_ledger_column, $18 is the mark that the transaction began with: the statement fails
-- when the file has ended that transaction. Returns the
-- milliseconds that the transaction took until here, or the statements that step_clear.sql
-- has added up.
INSERT INTO revtwin.ledger
    (format, seq, kind, path, algorithm, checksum, statements, commit_oid, pull_request, applied_at,
     applied_by, client, revtwin_version, reason, prev_hash, entry_hash, signature, duration, xid)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
        CASE WHEN current_setting('revtwin.migration', true) = $18 THEN $16
             ELSE format('revtwin: the file ended its transaction (now in %s)',
                         txid_current())::integer::text END,
        $17,
        coalesce(nullif(current_setting('revtwin.duration', true), '')::interval,
                 clock_timestamp() - transaction_timestamp()), txid_current())
RETURNING (extract(epoch FROM duration) * 1000)::bigint
