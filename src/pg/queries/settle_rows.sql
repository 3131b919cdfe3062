-- The rows that were written since. $1: seq of the last row that was there before
SELECT entry_hash FROM revtwin.ledger WHERE seq > $1::bigint ORDER BY seq
