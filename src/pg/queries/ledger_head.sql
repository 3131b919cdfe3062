-- Fails unless the ledger still ends with the row that the plan was made for. A statement
-- of its own: its snapshot has to be taken after the lock. The failing cast is what stops
-- a pipeline; it depends on the transaction so that the planner cannot evaluate it early.
-- $1: entry_hash of the last row
SELECT CASE WHEN coalesce((SELECT entry_hash FROM revtwin.ledger ORDER BY seq DESC LIMIT 1),
                          repeat('0', 64)) = $1 THEN NULL
            ELSE format('revtwin: the ledger has moved (transaction %s)',
                        txid_current())::integer END
