-- Forgets the statements of a file whose row is about to be written; that row's duration is
-- how long they took together. $1: path
WITH gone AS (
    DELETE FROM revtwin.step WHERE path = $1 RETURNING finished_at - started_at AS took)
SELECT set_config('revtwin.duration', coalesce(sum(took)::text, ''), true) FROM gone
