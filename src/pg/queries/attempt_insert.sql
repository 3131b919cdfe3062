-- Remembers a failure after its rollback.
-- $1: path, $2: commit, $3: line or NULL, $4: SQLSTATE or NULL, $5: message, $6: client
INSERT INTO revtwin.attempt (path, commit_oid, line, sqlstate, message, client)
VALUES ($1, $2, $3::text::bigint, $4, $5, $6)
