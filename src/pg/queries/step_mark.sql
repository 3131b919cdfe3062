-- Writes what became of a statement, unless another run has done so since we looked. The
-- failing cast is what stops a pipeline; it depends on the transaction so that the planner
-- cannot evaluate it early.
-- $1: path, $2: statement, $3: statements of the file, $4, $5: checksums of the statement
-- and of the file, $6: commit, $7: state, $8: version of the row as it was read, 0 for none,
-- $9: object, $10: found, $11: line, $12: SQLSTATE, $13: message, $14: client
WITH marked AS (
    INSERT INTO revtwin.step AS s
        (path, statement, statements, checksum, file_checksum, commit_oid, state, version,
         object, found, line, sqlstate, message, client, pid, started_at, finished_at)
    SELECT $1, $2::integer, $3::integer, $4, $5, $6, $7, 1, $9, $10::boolean, $11::bigint,
           $12, $13, $14, pg_backend_pid(), clock_timestamp(),
           CASE WHEN $7 <> 'started' THEN clock_timestamp() END
    WHERE $8::bigint = 0
       OR EXISTS (SELECT FROM revtwin.step WHERE path = $1 AND statement = $2::integer)
    ON CONFLICT (path, statement) DO UPDATE
    SET statements = excluded.statements, checksum = excluded.checksum,
        file_checksum = excluded.file_checksum, state = excluded.state,
        version = s.version + 1, object = excluded.object, found = excluded.found,
        line = excluded.line, sqlstate = excluded.sqlstate, message = excluded.message,
        client = excluded.client, started_by = excluded.started_by, pid = excluded.pid,
        started_at = CASE excluded.state WHEN 'started' THEN excluded.started_at
                                         ELSE s.started_at END,
        finished_at = excluded.finished_at
    WHERE s.version = $8::bigint
    RETURNING 1)
SELECT CASE WHEN EXISTS (SELECT FROM marked) THEN NULL
            ELSE format('revtwin: another run is at work on this file (transaction %s)',
                        txid_current())::integer END
