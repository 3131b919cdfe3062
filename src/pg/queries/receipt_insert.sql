-- Adds a receipt, in the transaction that did what it says, and forgets old ones. Each
-- table of the list gets its OID on this server.
WITH gone AS (
    DELETE FROM revtwin.receipt
    WHERE id NOT IN (SELECT id FROM revtwin.receipt ORDER BY id DESC LIMIT 9)
)
INSERT INTO revtwin.receipt
    (taken_at, system, timeline, started, database, snapshot, lsn, method, why,
     incremental_runs, verified, rows_read, rows_written, bytes_read, bytes_written, seconds,
     revtwin_version, tables, twin_system, twin_database, twin_xid, twin_snapshot)
SELECT $1::text::timestamptz, $2, $3, $4, $5, $6::text::pg_snapshot, $7::text::pg_lsn, $8, $9,
       $10::text::integer, $11::text::boolean, $12::text::bigint, $13::text::bigint,
       $14::text::bigint, $15::text::bigint, $16::text::double precision, $17,
       coalesce(jsonb_agg(t || jsonb_build_object(
           'twin', to_regclass(format('%I.%I', t ->> 'schema', t ->> 'name'))::oid::text)),
           '[]'),
       $19, $20, pg_current_xact_id(), pg_current_snapshot()
FROM jsonb_array_elements($18::text::jsonb) t
