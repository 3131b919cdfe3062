-- Who wrote the ledger's last row.
SELECT path, applied_by, client,
       to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')
FROM revtwin.ledger ORDER BY seq DESC LIMIT 1
