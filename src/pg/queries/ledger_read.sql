-- The whole ledger as canonical text, in the order of enum rt_ledger_column.
SELECT format::text, seq::text, kind, path, algorithm, checksum, statements::text, commit_oid,
       pull_request::text,
       to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       applied_by, client, revtwin_version, reason, prev_hash, entry_hash, signature,
       (extract(epoch FROM duration) * 1000)::bigint::text
FROM revtwin.ledger
ORDER BY ledger.seq -- the number, not the text above
